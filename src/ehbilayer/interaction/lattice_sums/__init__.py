"""Coulomb sums over layers of charges, to any requested accuracy: potential, energy, forces, stress, Hessian.

`split` divides 1/r into two quickly converging sums; `potential`, `charges` and `derivatives` are made of them.
"""
