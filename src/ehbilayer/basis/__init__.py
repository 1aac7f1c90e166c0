"""Plane waves on a torus, grouped into k blocks, and the transforms between them and a real-space grid."""
