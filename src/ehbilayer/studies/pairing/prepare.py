"""Studies of kind "pairing": from the study to T_c at a point or on a map, and the table of the result."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.model import Bilayer
from ehbilayer.pairing.liquid import Choices, require_plasmons
from ehbilayer.pairing.maps import Map, solve_map
from ehbilayer.pairing.mediated import PLASMON_POLE, solve_mediated
from ehbilayer.pairing.plasmon_velocity import Source
from ehbilayer.pairing.point import solve_point
from ehbilayer.results.base import Result
from ehbilayer.results.files import read_bytes
from ehbilayer.studies.bilayer import (
    bilayer_at,
    bilayer_of,
    device_entries,
    given_critical_rs,
    length_of,
    mass_ratio_of,
    plane_bilayer,
    plane_lines,
    require_pairs,
)
from ehbilayer.studies.compressibility import keys as compressibility_keys
from ehbilayer.studies.file import Study
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.pairing import keys
from ehbilayer.studies.pairing.table import rows
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines

__all__ = ["prepare", "resolved_point", "rows", "source_options"]

NUMBERS = {"electron": 1.0, "hole": 1.0}
POINT_SECONDS, COMPUTED_SECONDS = 3.0, {"torus": 2.0, "limit": 15.0}
ELIASHBERG_SECONDS = 0.03  # of one T_c
MEDIATED_SECONDS = 1.5
SAME = 1e-2  # relative difference in density and spacing up to which a phase still counts


def prepare(study: Study) -> Task:
    """The task of a pairing study. Raises InputError for one that cannot be computed."""
    table = keys.of(study)
    if table.coupling != PLASMON_POLE:
        return _prepare_mediated(study)
    with by_key(study):
        empty = bilayer_at(study, dict.fromkeys(NUMBERS, 0.0), spacing=0.0)
        mass_ratio_of(empty.scales)
        require_plasmons(empty)
        source = Source.of(table.alpha_squared, table.alpha, table.alpha_source,
                           given_uncertainty=table.alpha_squared_uncertainty, **source_options(study))
        choices = Choices(table.method, table.mu_star, table.umklapp, table.curve_points)
        if keys.asks_for_map(table):
            return _prepare_map(study, empty, source, choices)
        return _prepare_point(study, source, choices)


def _prepare_mediated(study: Study) -> Task:
    table, bilayer = keys.of(study), plane_bilayer(study)
    plan = (*plane_lines(bilayer),
            f"  solve      what the holes add, {table.coupling}, mu* {table.mu_star}")
    resolved = {"bilayer": device_entries(study, bilayer), "density": {c.name: c.density for c in bilayer.carriers},
                "pairing": {"coupling": table.coupling, "mu_star": table.mu_star}}
    return Task(study, bilayer.scales, study.canonical(), resolved, plan,
                partial(solve_mediated, bilayer, table.coupling, table.mu_star), seconds=MEDIATED_SECONDS)


def source_options(study: Study) -> dict[str, Any]:
    """What a study says about alpha^2 but for the number or the name of its source."""
    cell, computed = study.cell, compressibility_keys.of(study)
    return {"rs_star": keys.of(study).rs_star, "capacitor": study.bilayer.capacitor, "holes": cell.holes or 36,
            "zero_mode": cell.zero_mode, "sizes": computed.sizes, "state": computed.state}


def resolved_point(bilayer: Bilayer, source: Source, choices: Choices, phase: str | None = None) -> dict[str, Any]:
    """Every parameter of a point."""
    electron = bilayer.carrier("electron")
    return {"rs_electron": electron.rs, "rs_hole": bilayer.carrier("hole").rs, "spacing": bilayer.spacing,
            **_resolved(bilayer, source, choices, {"phase": phase})}


def _resolved(bilayer: Bilayer, source: Source, choices: Choices, more: dict[str, Any]) -> dict[str, Any]:
    ratio, flavours = 1 / bilayer.mass_ratio, bilayer.carrier("electron").flavours
    return {"mass_ratio": ratio, "alpha": asdict(source) | {"mass_ratio": ratio, "flavours": flavours},
            "pairing": asdict(choices) | {"flavours": flavours} | more}


def _prepare_point(study: Study, source: Source, choices: Choices) -> Task:
    require_pairs(study.density, "pairing", "the plasmon moves one electron with each hole")
    bilayer = bilayer_of(study, NUMBERS, given_critical_rs(study.density, "pairing"))
    phase, digest = _phase(study, bilayer)
    electron, ratio = bilayer.carrier("electron"), 1 / bilayer.mass_ratio
    seconds = (POINT_SECONDS if choices.curve_points else 0.3) + COMPUTED_SECONDS.get(source.name, 0.0)
    plan = (*device_lines(bilayer.material, bilayer.scales),
            f"  electrons  r_s = {electron.rs:.6g} a_e, {electron.flavours} flavours, m_h/m_e = {ratio:g}",
            f"  spacing    {bilayer.spacing / ratio:.6g} a_e", _alpha_line(source),
            f"  solve      {choices.method}, mu* {choices.mu_star}, umklapp {choices.umklapp}")
    inputs = study.canonical() | ({"phase_file": digest} if digest else {})
    return Task(study, bilayer.scales, inputs, resolved_point(bilayer, source, choices, phase), plan,
                partial(solve_point, bilayer, source, choices, phase=phase), seconds=seconds)


def _phase(study: Study, bilayer: Bilayer) -> tuple[str | None, str]:
    """The winner of a result of kind phases (or the phase of a Hartree-Fock state) that the study names."""
    import hashlib

    given = keys.of(study).phase
    if given is None:
        return None, ""
    path = study.result_file(given)
    if path is None:
        raise InputError("pairing.phase", "an existing result file", given[:60], "check the path")
    result = Result.load(path, arrays=False)
    found = result.summary.get("winner") or result.summary.get("phase")
    if not isinstance(found, str):
        raise InputError("pairing.phase", "a result that names a phase", result.kind, "compute one of kind phases")
    _check_same_place(result, bilayer)
    return found, hashlib.sha256(read_bytes(path)).hexdigest()


def _check_same_place(result: Result, bilayer: Bilayer) -> None:
    """A phase says nothing about another density or spacing."""
    resolved = result.provenance.resolved
    hole, layers = resolved.get("species", {}).get("hole", {}), resolved.get("bilayer", {})
    for name, was, expected in (("r_s of the holes", hole.get("rs"), bilayer.carrier("hole").rs),
                                ("spacing (a_h)", layers.get("spacing"), bilayer.spacing)):
        if was is not None and abs(was - expected) > SAME * max(expected, SAME):
            raise InputError("pairing.phase", f"a result at the same place, {name} {expected:.6g}", was,
                             "compute the phases there")


def _alpha_line(source: Source) -> str:
    where = {"given": f"{source.given} (given)", "paper-line": f"1.2 - 1.39 r_s/{source.rs_star:g}, a reading of the "
             "paper's figure", "torus": f"computed, {source.holes} holes, zero mode {source.zero_mode}",
             "limit": "computed, infinitely many holes"}[source.name]
    return f"  alpha^2    {where}" + (", capacitor added" if source.capacitor else "")


def _prepare_map(study: Study, bilayer: Bilayer, source: Source, choices: Choices) -> Task:
    table, ratio = keys.of(study), 1 / bilayer.mass_ratio
    for key, value in (("map_rs", table.map_rs), ("map_spacing", table.map_spacing)):
        if value is None:
            raise InputError(f"pairing.{key}", "given for a map", "missing", "a map needs map_rs and map_spacing")
    assert table.map_rs is not None and table.map_spacing is not None
    n, (first, last) = table.map_points, table.map_rs
    low, high = (length_of(v, bilayer.scales, "pairing.map_spacing", "check the number and its unit")
                 for v in table.map_spacing)
    asked = Map.over(bilayer, (first, last), (low, high), n, source, choices)
    resolved = {"map": {"rs": table.map_rs, "spacing": [low, high], "points": n},
                **_resolved(bilayer, source, choices, {})}
    seconds = n * n * (ELIASHBERG_SECONDS if choices.method == "eliashberg" else 5e-6) + 0.5
    plan = (*device_lines(bilayer.material, bilayer.scales),
            f"  map        {n} x {n}: r_s {first:g} to {last:g}, d/a_e {low / ratio:g} to {high / ratio:g}, m_h/m_e = "
            f"{ratio:g}", _alpha_line(source),
            f"  solve      {choices.method}, mu* {choices.mu_star}, umklapp {choices.umklapp}")
    return Task(study, bilayer.scales, study.canonical(), resolved, plan, partial(solve_map, asked),
                seconds=seconds)
