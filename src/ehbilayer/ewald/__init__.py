"""Coulomb sums over layers of charges, to any requested accuracy: potential, energy, forces, stress, Hessian."""
