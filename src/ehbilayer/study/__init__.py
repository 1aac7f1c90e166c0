"""The study file: its keys, what they mean together, and the particles, boxes and crystals they describe."""
