"""Pairing of the electron liquid by acoustic plasmons: couplings, spectrum, Eliashberg equations, T_c."""
