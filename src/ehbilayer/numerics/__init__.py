"""Fourier transforms, minimisers, lattices, processes: what knows no physics."""
