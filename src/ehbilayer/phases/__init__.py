"""Which phase has the lowest energy: candidates that keep their symmetry compete."""
