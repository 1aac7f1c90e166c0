"""Hartree-Fock on a torus: guess, minimise, fill, and what the state says (levels, bands, order, stability)."""
