"""Electron-hole coherence in Hartree-Fock: exciton condensates and crystals, and states that are both.

In terms of h~_kappa = h^dagger_{-kappa} a state with pairs is one Slater determinant in twice as many dimensions,

    R = [[D_e, K], [K^dagger, 1 - D_h]],  R^2 = R,     H = [[F_e - mu/2, Delta], [Delta^dagger, -F_h + mu/2]]

with F = T + direct - v_0 * D, Delta = -v_1 * K, v_1 > 0 between the layers; mu fixes the number of holes. Steps:
`sectors` (which flavours pair), `field` (energy and H), `filling` (the determinant of a field), `scf` (until both
agree), `guesses`, `stability` (towards pairing), `pairs` (natural orbitals), `report`. `solve` calls them.
"""
