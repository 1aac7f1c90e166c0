"""Which keys of the study file each kind of study uses; the others are accepted and listed as ignored."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from ehbilayer.studies.keys import Keys, tables

DEVICE = ("bilayer.material", "bilayer.*_mass", "bilayer.dielectric", "bilayer.spacing", "bilayer.interaction")
CLASSICAL = (*DEVICE, "bilayer.capacitor", "density.*", "crystal.*")

# dotted keys, * stands for anything
USES: dict[str, tuple[str, ...]] = {
    "hartree-fock": ("bilayer.*", "density.*", "cell.*", "hartree-fock.*"),
    "condensate": ("bilayer.*", "density.*", "cell.*", "condensate.*"),
    "phases": ("bilayer.*", "density.*", "cell.*", "hartree-fock.*", "phases.*"),
    "phase-diagram": ("bilayer.*", "density.*", "cell.*", "hartree-fock.*", "phases.*"),
    "compressibility": ("bilayer.*", "density.*", "cell.*", "compressibility.*", "hartree-fock.*_spin",
                        "hartree-fock.seed", "hartree-fock.tolerance", "hartree-fock.max_iterations"),
    "crystal": CLASSICAL,
    "phonons": (*CLASSICAL, "phonons.*"),
    "few-body": (*DEVICE, "few-body.*"),
    "pairing": (*DEVICE, "bilayer.capacitor", "bilayer.electron_flavours", "density.*", "pairing.*", "cell.holes",
                "cell.zero_mode", "compressibility.sizes", "compressibility.state"),
    "device": ("bilayer.*", "density.*", "cell.*", "hartree-fock.*", "phases.*", "pairing.*", "compressibility.*"),
}


def used_keys(study: Keys) -> list[str]:
    """All dotted keys that this study uses, written or not; every key of a kind that is not listed here."""
    patterns = USES.get(study.kind, ("*",))
    idle = IDLE.get(study.kind, _none)(study)
    return [f"{name}.{key}" for name, model in tables().items() for key in model.model_fields
            if any(fnmatchcase(f"{name}.{key}", p) for p in patterns) and f"{name}.{key}" not in idle]


def _none(study: Keys) -> set[str]:
    return set()


def _density(study: Keys) -> set[str]:
    return {"density.critical_rs"} if study.density.hole_over_critical is None else set()


def _box(study: Keys) -> set[str]:
    """Keys of Hartree-Fock that other keys make meaningless."""
    idle = _density(study)
    if study.cell.symmetry == "none":
        idle.add("cell.holes_per_cell")
    if study.cell.holes is None:
        idle |= {"hartree-fock.hole_spin", "bilayer.hole_flavours", "cell.holes_per_cell"}
    if study.cell.holes is not None and study.density.electrons_per_hole == 0:
        idle |= {"hartree-fock.electron_spin", "bilayer.electron_flavours"}
    return idle


def _phases(study: Keys) -> set[str]:
    """Each candidate has its own start and cell."""
    own = {f"hartree-fock.{key}" for key in ("start", "starts", "seed", "spin_order", "keep")}
    return _density(study) | own | {"cell.symmetry", "cell.holes_per_cell"}


def _device(study: Keys) -> set[str]:
    maps = {f"pairing.{key}" for key in ("alpha_source", "phase", "map_rs", "map_spacing", "map_points",
                                         "curve_points")}
    if study.pairing.alpha is None and study.pairing.alpha_squared is None:
        maps.add("pairing.alpha_squared_uncertainty")
    return _phases(study) | maps | {f"compressibility.{key}" for key in ("method", "occupation", "starts", "tolerance")}


def _condensate(study: Keys) -> set[str]:
    if study.condensate.limit == "thermodynamic":
        return _density(study) | {f"cell.{key}" for key in type(study.cell).model_fields}
    return _density(study) | {"cell.symmetry", "cell.holes_per_cell"}


def _compressibility(study: Keys) -> set[str]:
    table, idle = study.compressibility, _density(study) | {"cell.symmetry", "cell.holes_per_cell"}
    if table.state == "symmetric":
        idle |= {"compressibility.starts", "hartree-fock.seed"}
    else:
        idle.add("compressibility.occupation")  # whole orbitals
    if any(getattr(study.cell, key) is not None for key in ("plane_waves", "hexagon", "cutoff")):
        idle.add("compressibility.tolerance")
    return idle


def _crystal(study: Keys) -> set[str]:
    return _density(study) | ({"crystal.starts", "crystal.seed"} if _is_named(study.crystal) else set())


def _is_named(crystal: Any) -> bool:
    return crystal.structure != "random" and getattr(crystal, "scan", None) is None


def _phonons(study: Keys) -> set[str]:
    search = {f"crystal.{key}" for key in ("starts", "seed", "holes_per_cell", "box", "scan", "scan_points")}
    return search | {"density.hole_over_critical", "density.critical_rs"}


def _pairing(study: Keys) -> set[str]:
    idle = _density(study)
    if study.pairing.alpha_source != "torus":
        idle |= {"cell.holes", "cell.zero_mode", "compressibility.state"}
    if study.pairing.alpha_source != "limit":
        idle.add("compressibility.sizes")
    if study.pairing.map_rs is None and study.pairing.map_spacing is None:
        return idle | {"pairing.map_points"}
    point = {"bilayer.spacing", "pairing.phase", "pairing.curve_points", "pairing.alpha_squared_uncertainty"}
    return idle | point | {f"density.{key}" for key in type(study.density).model_fields}


def _few_body(study: Keys) -> set[str]:
    table = study.few_body
    idle = set()
    if table.complex == "exciton":  # from its radial equation
        idle |= {"few-body.tolerance", "few-body.max_functions", "few-body.seed"}
    if table.find == "critical-spacing":
        idle |= {"bilayer.spacing", "few-body.tolerance"}  # the search sets its own accuracy
    if table.mass_ratios is not None:
        idle |= {"bilayer.electron_mass", "bilayer.hole_mass"}
    if table.spacings is not None:
        idle.add("bilayer.spacing")
    return idle


IDLE: dict[str, Callable[[Keys], set[str]]] = {"hartree-fock": _box, "condensate": _condensate, "few-body": _few_body,
                                               "phases": _phases, "phase-diagram": _phases, "crystal": _crystal,
                                               "phonons": _phonons, "pairing": _pairing, "device": _device,
                                               "compressibility": _compressibility}
