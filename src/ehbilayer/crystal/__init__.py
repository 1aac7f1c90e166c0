"""Classical crystals of point charges in layers: the lowest electrostatic energy, and its crystals against a/d.

In the order of a calculation: `structures` (a crystal, named or random), `relaxation` (charges and cell at rest),
`search` (many starts), `symmetry` (group and name), `study` (one density), or `sequence` and `scan` (all of them).
"""
