"""Compressibility of the electron liquid on a hole crystal, and the velocity of its acoustic plasmon.

B = A d^2E/dA^2 of a Hartree-Fock state. In the order of a calculation: `area_scaling` and `response` (the exact second
derivative), `bulk_modulus` (one torus, three routes), `size_limit` (infinitely many particles), `lattice_plasmon` (the
same from screened phonons), `study`.
"""
