"""The crystals that a phonon study speaks of: a structure, named or from a result file, at any density and spacing."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

from ehbilayer.errors import InputError
from ehbilayer.results import Result
from ehbilayer.structures import Crystal, named, structure_names
from ehbilayer.study import Study
from ehbilayer.units import nearest


@dataclass(frozen=True)
class Family:
    """A structure of a composition.

    Parameters
    ----------
    name : of the structure, or the path it was read from.
    ratio : electrons per hole.   layers : of a same-charge bilayer, 2.
    lone : the species where there is one.
    pattern : the crystal of a result file; None for a name.   digest : of that file.
    """

    name: str
    ratio: float
    layers: int
    lone: str
    pattern: Crystal | None = None
    digest: str | None = None

    def crystal(self, density: float, spacing: float) -> Crystal:
        """The crystal with this density of holes of a layer (electrons where alone), a_h^-2, and spacing, a_h."""
        if self.pattern is not None:
            return self.pattern.scaled(1 / math.sqrt(math.pi * density), spacing)
        made = named(self.name, density, spacing, self.ratio, self.layers)
        if self.lone == "electron":
            return replace(made, charges=-made.charges, species=("electron",) * len(made.species))
        return made


def family_of(study: Study) -> Family:
    """The structure of a study. Raises InputError for one that is missing, unknown or of another composition."""
    table, ratio = study.density, study.density.electrons_per_hole
    alone = ratio is None and (table.electron is not None or table.rs_electron is not None)
    if ratio is None and not alone:
        raise InputError("density.electrons_per_hole", "given", "missing", "0: holes only, 1: dipoles, 2: trions")
    share, name = float(ratio or 0), study.crystal.structure
    lone, known = "electron" if alone else "hole", structure_names(share, study.crystal.layers)
    if name == "random":
        raise InputError("crystal.structure", f"{' | '.join(known)} | a result file", name,
                         "phonons need a crystal at rest: name one, or give what a study of kind crystal has found")
    path = None if name in known else _file(study.folder, name)
    if path is None:
        if name not in known and ("/" in name or "." in name):
            raise InputError("crystal.structure", f"{' | '.join(known)} | an existing result file", name[:60],
                             nearest(name, known, "no such file; check the path"))
        return Family(name, share, study.crystal.layers, lone)
    pattern = _read(path)
    if pattern.electrons != round(share * pattern.holes, 9) or (alone and pattern.holes):
        raise InputError("crystal.structure", f"a crystal of {share:g} electrons per hole", str(path),
                         f"it has {pattern.electrons} electrons and {pattern.holes} holes per cell")
    return Family(name, share, study.crystal.layers, lone, pattern, hashlib.sha256(path.read_bytes()).hexdigest())


def _file(folder: Path, name: str) -> Path | None:
    try:
        for base in (folder, Path()):
            for path in (base / name, base / name / "result.nc"):
                if path.is_file():
                    return path
    except (OSError, ValueError):  # names that no file system takes
        pass
    return None


def _read(path: Path) -> Crystal:
    from ehbilayer.crystal_record import crystal_of

    return crystal_of(Result.load(path))
