"""Classical crystals of point charges in layers: structures, relaxation, search, and the sequence of ground states."""
