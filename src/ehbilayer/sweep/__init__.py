"""Sweeps: points, the store they stream into, the engines that compute them, and one result made of all."""
