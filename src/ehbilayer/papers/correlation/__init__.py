"""Correlation: phases that compete by Monte Carlo, which no paper has published; our own results, computed again."""
