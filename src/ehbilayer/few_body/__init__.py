"""Excitons, trions and biexcitons: the lowest states of two to four charges, and the spacing where they unbind.

In the order of a calculation: `complexes` (charges, spins, break-up), `exciton` (a radial equation), `gaussians` and
`basis` (matrix elements; functions chosen and varied), `variational` (the state), `densities`, `threshold`, `scan`.
"""
