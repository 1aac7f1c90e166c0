"""Figures of saved results; matplotlib is imported inside functions."""
