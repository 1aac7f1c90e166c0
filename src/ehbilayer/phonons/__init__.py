"""Phonons of classical crystals at rest: eigenvalues of the dynamical matrix, and what zero-point motion does.

In the order of a calculation: `modes` (one wave vector), `zone` (averages, stability), `melting` (Lindemann's rule),
`report`.
"""
