"""The homogeneous exciton condensate by Hartree-Fock-Bogoliubov: pairs of opposite wave vectors, u and v varied.

`bogoliubov` minimises the functional on any set of wave vectors: those of a box (`torus`) or a mesh of the infinite
plane (`mesh`, `radial`). `report` says what the state is; `curve` finds the densities at which it separates.
"""
