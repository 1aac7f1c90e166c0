"""Hartree-Fock on a torus: the lowest energy of one Slater determinant per spin, and what that state says.

In the order of a calculation: `guesses`, `solver` (minimise; `occupations` fills the bands of a metal anew),
`stability` (minimum or saddle, and where a saddle leads), `spectrum` and `bands`, `order`, `observables` (the report),
`cutoff` (the error of the basis). `critical` and `batch` do this at many densities, `transfer` carries orbitals over.
"""
