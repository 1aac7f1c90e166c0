"""Phonons of classical crystals: modes, averages over the zone, quantum melting."""
