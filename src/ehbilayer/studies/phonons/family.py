"""The crystals that a phonon study speaks of: a structure, named or from a result file, at any density and spacing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ehbilayer.crystal.structures import Crystal, named, structure_names
from ehbilayer.errors import InputError
from ehbilayer.studies.crystal import keys as crystal_keys
from ehbilayer.studies.crystal.charges import Charges, read_crystal, structure_file
from ehbilayer.studies.file import Study


@dataclass(frozen=True)
class Family:
    """A structure of a composition.

    Parameters
    ----------
    name : of the structure, or the path it was read from.
    charges : of the study.
    pattern : the crystal of a result file; None for a name.   digest : of that file.
    """

    name: str
    charges: Charges
    pattern: Crystal | None = None
    digest: str | None = None

    def crystal(self, density: float, spacing: float) -> Crystal:
        """The crystal with this density of holes of a layer (electrons where alone), a_h^-2, and spacing, a_h."""
        if self.pattern is not None:
            return self.pattern.scaled(1 / math.sqrt(math.pi * density), spacing)
        c = self.charges
        made = named(self.name, density, spacing, c.electrons_per_hole, c.layers)
        if c.carrier == "electron":
            return replace(made, charges=-made.charges, species=("electron",) * len(made.species))
        return made


def family_of(study: Study, charges: Charges) -> Family:
    """The structure of a study. Raises InputError for one that is missing, unknown or of another composition."""
    name = crystal_keys.of(study).structure
    if name == "random":
        known = structure_names(charges.electrons_per_hole, charges.layers)
        raise InputError("crystal.structure", " | ".join((*known, "a result file")), name,
                         "phonons need a crystal at rest: name one, or give what a study of kind crystal has found")
    path = structure_file(study, charges)
    if path is None:
        return Family(name, charges)
    return Family(name, charges, *read_crystal(path, charges))
