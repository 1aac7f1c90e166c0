"""How charges in layers interact: v(q) and v(r), their limits, derivatives by the area, and lattice sums."""
