"""What a study of classical charges describes: carriers, spacing, density, and crystals from result files.

With `density.a_over_d` and no spacing everything depends on a/d alone, and d is the unit of length.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ehbilayer.crystal.record import crystal_of
from ehbilayer.crystal.structures import CHARGES, Crystal, check_layers, structure_names
from ehbilayer.errors import InputError
from ehbilayer.results.base import Result
from ehbilayer.results.files import read_bytes
from ehbilayer.studies.bilayer import LONGEST_SPACING, RS_RANGE, densities_of, length_of, ratio_of
from ehbilayer.studies.crystal import keys
from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import DensityTable
from ehbilayer.units import Scales, density_from_rs, nearest, rs_from_density

MOST_ELECTRONS = 1000  # per hole
# beyond, the forces within and between the layers differ by more than 64-bit arithmetic can hold
A_OVER_D = (1e-3, 300.0)
SHORTEST_SPACING = RS_RANGE[0] / A_OVER_D[1]  # a_h


@dataclass(frozen=True)
class Charges:
    """Classical charges at one density.

    Parameters
    ----------
    carrier : "hole", or "electron" for electrons alone, which then take the place of holes.
    electrons_per_hole : 0 for one kind of carrier.
    layers : of holes, 2 for a same-charge bilayer.
    spacing : a_h; 0 for a single layer.   hole_density : in one layer, a_h^-2.
    unit_spacing : whether d is the unit of length, because only a/d was given.
    """

    carrier: str
    electrons_per_hole: float
    layers: int
    spacing: float
    hole_density: float
    unit_spacing: bool


def read_charges(study: Study, scales: Scales, *, a_over_d: float | None = None) -> Charges:
    """The charges of a study; ``a_over_d`` takes the place of its density. Raises InputError."""
    numbers = _numbers(study.density)
    alone, ratio = "hole" not in numbers, numbers.get("electron", 0.0) if "hole" in numbers else 0.0
    layers, given = keys.of(study).layers, study.density.a_over_d if a_over_d is None else a_over_d
    flat = ratio == 0 and layers == 1
    unit_spacing = not flat and study.bilayer.spacing is None and given is not None
    spacing = 0.0 if flat else 1.0 if unit_spacing else _spacing(study, scales)
    if given is not None and spacing:
        _check_ratio(given)
    if a_over_d is not None:
        if flat:
            raise InputError("crystal.scan", "absent for a single layer", a_over_d, "a/d needs two layers")
        density = density_from_rs(a_over_d * spacing)
    else:
        found = densities_of(study.density, numbers, scales, spacing)
        density = found["electron" if alone else "hole"]
    check_layers(density, spacing, ratio, layers)
    if spacing:
        _check_ratio(rs_from_density(density) / spacing)
    return Charges("electron" if alone else "hole", ratio, layers, spacing, density, unit_spacing)


def _numbers(density: DensityTable) -> dict[str, float]:
    """Relative numbers of the carriers there are; electrons alone where only their density is given."""
    if density.electrons_per_hole is None and (density.electron is not None or density.rs_electron is not None):
        return {"electron": 1.0}
    ratio = ratio_of(density, MOST_ELECTRONS)
    return {"electron": ratio, "hole": 1.0} if ratio else {"hole": 1.0}


def _check_ratio(a_over_d: float) -> None:
    if not A_OVER_D[0] * (1 - 1e-9) <= a_over_d <= A_OVER_D[1] * (1 + 1e-9):
        raise InputError("density.a_over_d", f"from {A_OVER_D[0]:g} to {A_OVER_D[1]:g}, which spacing and density say "
                         "where it is not given", a_over_d, "check the units of both")


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


def structure_file(study: Study, charges: Charges) -> Path | None:
    """The result file that [crystal] structure names; None for anything else, be it the name of a structure or not.

    Folders of results count as their result.nc; the study's own folder is looked into before the working directory.
    Raises InputError for what looks like a path and is none.
    """
    text, known = keys.of(study).structure, structure_names(charges.electrons_per_hole, charges.layers)
    if text in (*known, "random"):
        return None
    path = study.result_file(text)
    if path is not None:
        return path
    if "/" in text or text.endswith(".nc"):
        raise InputError("crystal.structure", f"{' | '.join(known)} | random | an existing result file", text[:60],
                         nearest(text, (*known, "random"), "no such file; check the path"))
    return None


def read_crystal(path: Path, charges: Charges) -> tuple[Crystal, str]:
    """The crystal of a result at the density and spacing of these charges, and the SHA-256 of the file.

    One kind of carrier alone takes the name and the sign of the study's. Raises InputError for another composition.
    """
    crystal = crystal_of(Result.load(path))
    ratio = crystal.electrons / crystal.holes if crystal.holes else 0.0
    upper = {h for h, s in zip(crystal.heights.tolist(), crystal.species, strict=True) if s == "hole"}
    layers = len(upper or set(crystal.heights.tolist()))
    if abs(ratio - charges.electrons_per_hole) > 1e-9 or layers != charges.layers:
        raise InputError("crystal.structure", f"a result with {charges.electrons_per_hole:g} electrons per hole and "
                         f"{charges.layers} layer{'s' * (charges.layers > 1)} of holes",
                         f"{path.name}: {ratio:g} and {layers}", "give a result of this composition")
    if ratio == 0:
        n = len(crystal.species)
        crystal = replace(crystal, charges=np.full(n, CHARGES[charges.carrier]), species=(charges.carrier,) * n)
    length = 1 / math.sqrt(math.pi * charges.hole_density)
    return crystal.scaled(length, charges.spacing), hashlib.sha256(read_bytes(path)).hexdigest()
