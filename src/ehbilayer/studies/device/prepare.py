"""Studies of kind "device": one page that answers which phase wins, with what gap, and whether it superconducts.

The page is made by `device.page` from the phases that compete at the device's density and, for balanced layers with the
heavier carriers as holes, from the pairing with each source of alpha^2.
"""

from __future__ import annotations

from functools import partial

from ehbilayer.device.page import HOLES, TOLERANCE, Device, solve, sources_of, unpaired
from ehbilayer.errors import InputError
from ehbilayer.pairing.liquid import Choices
from ehbilayer.studies.bilayer import scales_of
from ehbilayer.studies.file import Study, make_study
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.pairing import keys as pairing_keys
from ehbilayer.studies.pairing.prepare import resolved_point, source_options
from ehbilayer.studies.phases import prepare as phases
from ehbilayer.studies.task import Task
from ehbilayer.studies.torus import torus_of


def prepare(study: Study) -> Task:
    """The task of a device study. Raises InputError for one that cannot be computed."""
    scales = scales_of(study.bilayer)
    missing = [f"bilayer.{k}" for k in ("electron_mass", "hole_mass", "dielectric") if getattr(scales, k) is None]
    if missing:
        raise InputError("bilayer.material", "given, or both masses and the dielectric constant: answers are in kelvin "
                         "and cm^-2", "missing", f"name a device (see `ehb materials`), or give {', '.join(missing)}")
    if study.density.electrons_per_hole is None:
        raise InputError("density.electrons_per_hole", "given", "missing", "0: holes only, 1: balanced, 2: trions")
    part = _part(study)
    competition, bilayer = phases.prepare(part), torus_of(part, phases.contents_in(part)).bilayer
    reason, table = unpaired(bilayer), pairing_keys.of(study)
    with by_key(study):
        sources = {} if reason else sources_of(table.alpha_squared, table.alpha, table.alpha_squared_uncertainty,
                                               **source_options(part))
        method = table.method if "method" in table.model_fields_set else "eliashberg"
        choices = Choices(method, table.mu_star, table.umklapp, 0)
    plan = [*competition.plan, f"  pairing    {reason or 'alpha^2: ' + ', '.join(sources)}",
            f"  estimate   about {'10 s' if reason else '30 s'}"]
    resolved = competition.resolved | {"kind": "device", "pairing": {
        name: resolved_point(bilayer, source, choices) for name, source in sources.items()}}
    device = Device(bilayer, competition.solve, sources, choices, reason)
    return Task(study, scales, study.canonical(), resolved, tuple(plan), partial(solve, device))


def _part(study: Study) -> Study:
    """The same device and density as a competition; the physics' convention unless the file says another."""
    data = study.written() | {"kind": "phases"}
    data.pop("sweep", None)
    cell = {"zero_mode": "madelung"} | data.get("cell", {})
    if "electrons" not in cell:
        cell.setdefault("holes", HOLES)
    solver = {"stability": "none", "tolerance": TOLERANCE} | data.get("hartree-fock", {})
    return make_study(data | {"cell": cell, "hartree-fock": solver}, name=study.name, folder=study.folder)
