"""Figures of saved results, one module per kind; `pages` finds the right one.

matplotlib is imported inside functions.
"""
