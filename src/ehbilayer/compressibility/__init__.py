"""Compressibility of the electron liquid on a hole crystal, and the velocity of its acoustic plasmon."""
