"""Plane waves on a torus, grouped into k blocks, and the transforms between them and a real-space grid."""

MOST_WAVES = 200_000  # that a user may name; more would take minutes to sort and days to minimise
