"""Pairing of the electron liquid by acoustic plasmons of the hole crystal: couplings, spectrum, T_c, gap.

In the order of a calculation: `plasmon_velocity` (where alpha^2 comes from), `couplings` (mu and lambda),
`plasmon_spectrum` (alpha^2 F, kept as a `coupling_spectrum`), `eliashberg`, `temperature` (T_c by four methods), `gap`;
then `point`, `density` or `maps` of all that.
"""
