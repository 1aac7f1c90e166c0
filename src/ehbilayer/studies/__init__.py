"""The study file: its keys, what they mean together, and the bilayers, boxes and crystals they describe.

`kinds` lists the kinds of study, each with a folder of its own. `file` reads and explains; `keys` and `axes` say what
may stand in all files, `tables` puts it together with what each kind brings. `bilayer` turns masses, spacing and
density into the physics in atomic units, `torus` puts that into a box, and `task` is what the runner gets.
"""
