"""What a study of classical charges describes: carriers, spacing, density, and crystals from result files.

With `density.a_over_d` and no spacing everything depends on a/d alone, and d is the unit of length.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from ehbilayer.crystal.problem import A_OVER_D, Structure, check_ratio, composition, fitted, two_layers
from ehbilayer.crystal.record import crystal_of
from ehbilayer.crystal.search import Composition
from ehbilayer.crystal.structures import structure_names
from ehbilayer.errors import InputError
from ehbilayer.interaction.screened import Screened
from ehbilayer.results.base import Result
from ehbilayer.results.files import read_bytes
from ehbilayer.studies.bilayer import (
    LONGEST_SPACING,
    RS_RANGE,
    densities_of,
    interaction_of,
    length_of,
    relative_numbers,
)
from ehbilayer.studies.crystal import keys
from ehbilayer.studies.file import Study
from ehbilayer.units import Scales, density_from_rs, nearest

MOST_ELECTRONS = 1000  # per hole
SHORTEST_SPACING = RS_RANGE[0] / A_OVER_D[1]  # a_h


@dataclass(frozen=True)
class Read:
    """Classical charges of a study: in the smallest cell, and whether d is the unit of length as only a/d was given."""

    inside: Composition
    unit_spacing: bool

    @property
    def entries(self) -> dict[str, Any]:
        """What the resolved parameters say of them."""
        c = self.inside
        return {"carrier": c.carrier, "electrons_per_hole": c.electrons_per_hole, "layers": c.layers,
                "spacing": c.spacing, **({} if c.interaction is None else {"screening": c.interaction.parameters})}


def read_charges(study: Study, scales: Scales, *, a_over_d: float | None = None) -> Read:
    """The charges of a study; ``a_over_d`` takes the place of its density. Raises InputError."""
    numbers = relative_numbers(study.density, MOST_ELECTRONS)
    alone, ratio = "hole" not in numbers, numbers.get("electron", 0.0) if "hole" in numbers else 0.0
    layers, given = keys.of(study).layers, study.density.a_over_d if a_over_d is None else a_over_d
    flat = ratio == 0 and layers == 1
    unit_spacing = not flat and study.bilayer.spacing is None and given is not None
    spacing = 0.0 if flat else 1.0 if unit_spacing else _spacing(study, scales)
    interaction = interaction_of(study, spacing, scales)
    if unit_spacing and isinstance(interaction, Screened):
        raise InputError("bilayer.spacing", "given where the interaction is screened, whose lengths are in a_h",
                         "missing", "a/d alone has the spacing as its unit of length")
    if given is not None and spacing:
        check_ratio(given)
    if a_over_d is not None:
        density = density_from_rs(a_over_d * two_layers(spacing))
    else:
        found = densities_of(study.density, numbers, scales, spacing)
        density = found["electron" if alone else "hole"]
    screened = interaction if isinstance(interaction, Screened) else None
    return Read(composition(density, spacing, ratio, layers, "electron" if alone else "hole", screened), unit_spacing)


def _spacing(study: Study, scales: Scales) -> float:
    given = study.bilayer.spacing
    spacing = length_of(given, scales, todo="give the distance between the layers, or density.a_over_d alone")
    if spacing < SHORTEST_SPACING:
        raise InputError("bilayer.spacing", f"a length > 0, from {SHORTEST_SPACING:.1g} to {LONGEST_SPACING:g} a_h, "
                         "between two layers of classical charges", given,
                         "charges of both signs fall into each other at zero distance; "
                         "two layers of the same charge at zero distance are one layer")
    return spacing


# -- crystals from result files --


def structure_of(study: Study, inside: Composition) -> tuple[Structure, str, dict[str, str]]:
    """The structure that [crystal] names, what it is called, and what identifies the file of one from a file.

    Folders of results count as their result.nc; the study's own folder is looked into before the working directory.
    Raises InputError for what looks like a path and is none, and for a file without a crystal of this composition.
    """
    text, known = keys.of(study).structure, structure_names(inside.electrons_per_hole, inside.layers)
    path = None if text in (*known, "random") else study.result_file(text)
    if path is not None:
        crystal = fitted(inside, crystal_of(Result.load(path)), path.name)
        return crystal, path.name, {"start_sha256": hashlib.sha256(read_bytes(path)).hexdigest()}
    if text not in known and ("/" in text or text.endswith(".nc")):
        raise InputError("structure", f"{' | '.join(known)} | random | an existing result file", text[:60],
                         nearest(text, (*known, "random"), "no such file; check the path"))
    return text, text, {}
