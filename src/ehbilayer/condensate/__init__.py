"""The homogeneous exciton condensate by Hartree-Fock-Bogoliubov, on a torus and in the infinite plane."""
