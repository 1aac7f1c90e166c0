"""Studies of kind "device": one page that answers which phase wins, with what gap, and whether it superconducts.

The page is made by `device.page` from the phases that compete at the device's density and, for balanced layers with the
heavier carriers as holes, from the pairing with each source of alpha^2.
"""

from __future__ import annotations

from functools import partial

from ehbilayer.device.page import (
    CORRELATED_ERROR,
    HOLES,
    SOURCES,
    TOLERANCE,
    Device,
    balanced,
    solve,
    sources_of,
    unpaired,
)
from ehbilayer.device.sequence import LOOKS, Compete, range_of
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.pairing.liquid import Choices
from ehbilayer.results.base import Result
from ehbilayer.studies.bilayer import scales_of
from ehbilayer.studies.device import keys
from ehbilayer.studies.file import Study, make_study
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.pairing import keys as pairing_keys
from ehbilayer.studies.pairing.prepare import resolved_point, source_options
from ehbilayer.studies.phases import prepare as phases
from ehbilayer.studies.task import Task
from ehbilayer.studies.torus import torus_of

COMPETITION = {True: 4.0, False: 8.0}  # seconds of one competition, by whether the layers are balanced
TRION, PAIRING = 3.0, 18.0  # of a trion, and of the pairing by all sources
THERMAL = 3.0  # of the estimates of temperature


def prepare(study: Study) -> Task:
    """The task of a device study. Raises InputError for one that cannot be computed."""
    scales = scales_of(study)
    missing = [f"bilayer.{k}" for k in ("electron_mass", "hole_mass", "dielectric") if getattr(scales, k) is None]
    if missing:
        raise InputError("bilayer.material", "given, or both masses and the dielectric constant: answers are in kelvin "
                         "and cm^-2", "missing", f"name a device (see `ehb materials`), or give {', '.join(missing)}")
    if study.density.electrons_per_hole is None:
        raise InputError("density.electrons_per_hole", "given", "missing", "0: holes only, 1: balanced, 2: trions")
    part = _part(study)
    competition, bilayer = phases.prepare(part), torus_of(part, phases.contents_in(part)).bilayer
    reason, table, asked = unpaired(bilayer), pairing_keys.of(study), keys.of(study)
    densities = () if asked.densities is None else range_of(asked.densities, asked.points, scales, "device.densities")
    with by_key(study):
        sources = {} if reason else sources_of(table.alpha_squared, table.alpha, table.alpha_squared_uncertainty,
                                               **source_options(part))
        choices = Choices(table.method, table.mu_star, table.umklapp, 0)
    correlated = phases.prepare(_correlated(part)) if asked.correlated else None
    again = () if correlated is None else [line for line in correlated.plan if line.split()[0] == "solve"]
    plan = [*competition.plan, *(f"{line}, hours beside the estimate" for line in again),
            f"  pairing    {reason or 'alpha^2: ' + ', '.join(sources)}"]
    device = Device(bilayer, competition.solve, sources, choices, reason, densities, _at(part) if densities else None,
                    None if correlated is None else correlated.solve)
    seconds = _seconds(bilayer, part.cell.holes or HOLES, len(sources), len(densities))
    resolved = competition.resolved | ({} if correlated is None else {"correlated": correlated.resolved}) | {
        "kind": "device", "pairing": {
        name: resolved_point(device.paired, source, choices) for name, source in sources.items()}}
    return Task(study, scales, study.canonical(), resolved, tuple(plan), partial(solve, device), seconds=seconds)


def _seconds(bilayer: Bilayer, holes: int, sources: int, densities: int) -> float:
    """Rough processor time: measured at 36 holes, growing as their square."""
    even = balanced(bilayer)
    each = COMPETITION[even] * (holes / HOLES) ** 2
    trion = 0.0 if even or bilayer.get("electron") is None else TRION
    return each * (1 + densities + (LOOKS if densities else 0)) + trion + THERMAL + PAIRING / len(SOURCES) * sources


def _at(part: Study) -> Compete:
    """The competition at another density."""
    def compete(density: float, hooks: Hooks) -> Result:
        moved = part.written() | {"density": {"hole": density, "electrons_per_hole": part.density.electrons_per_hole}}
        return phases.prepare(make_study(moved, name=part.name, folder=part.folder)).solve(hooks)

    return compete


def _correlated(part: Study) -> Study:
    """The same competition by Monte Carlo: of phases that have trial functions, in a box of its own."""
    data = part.written()
    cell = {k: v for k, v in data.get("cell", {}).items() if k in ("electrons", "shape")}
    spins = {k: v for k, v in data.get("hartree-fock", {}).items() if k in ("electron_spin", "hole_spin")}
    said = data.get("monte-carlo", {})
    work = {} if {"target_error", "max_time"} & set(said) else {"target_error": CORRELATED_ERROR}
    competing = {k: v for k, v in data.get("phases", {}).items() if k == "spins"}
    more = {"cell": cell, "hartree-fock": spins, "phases": competing | {"method": "monte-carlo"},
            "monte-carlo": work | said}
    return make_study(data | more, name=part.name, folder=part.folder)


def _part(study: Study) -> Study:
    """The same device and density as a competition; the physics' convention unless the file says another."""
    data = study.written() | {"kind": "phases"}
    data.pop("sweep", None)
    data.pop("device", None)
    cell = {"zero_mode": "madelung"} | data.get("cell", {})
    if "electrons" not in cell:
        cell.setdefault("holes", HOLES)
    solver = {"stability": "none", "tolerance": TOLERANCE} | data.get("hartree-fock", {})
    return make_study(data | {"cell": cell, "hartree-fock": solver}, name=study.name, folder=study.folder)
