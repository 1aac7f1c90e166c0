"""The study file: its keys, what they mean together, and the particles, boxes and crystals they describe.

`file` reads and explains, `keys` and `axes` say what may stand there, `uses` what a kind makes of it; `particles` and
`prepare` turn it into atomic units, `classical` and `phonon_family` into classical crystals.
"""
