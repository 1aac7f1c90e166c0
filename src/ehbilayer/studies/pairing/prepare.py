"""Studies of kind "pairing": from the study to T_c at a point or on a map, and the table of the result."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.pairing.maps import MapHooks, make_map, map_result
from ehbilayer.pairing.plasmon_velocity import Source
from ehbilayer.pairing.point import Choices, Place, solve_point
from ehbilayer.pairing.temperature import Liquid
from ehbilayer.results.base import Record, Result
from ehbilayer.status import Status
from ehbilayer.studies.bilayer import bilayer_of, given_critical_rs, length_of, mass_ratio_of, require_pairs, scales_of
from ehbilayer.studies.compressibility import keys as compressibility_keys
from ehbilayer.studies.file import Study
from ehbilayer.studies.pairing import keys
from ehbilayer.studies.pairing.table import rows
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines, rough_time
from ehbilayer.units import Scales

__all__ = ["alpha_squared_of", "prepare", "rows"]

KELVIN = ("debye_temperature", "critical_temperature", "hartree_temperature", "fermi_temperature",
          "strong_coupling_bound", "band.low", "band.high", "by_method.bcs", "by_method.mcmillan",
          "by_method.allen-dynes", "by_method.eliashberg", "highest.critical_temperature")
POINT_SECONDS, COMPUTED_SECONDS = 3.0, {"torus": 2.0, "limit": 15.0}
ELIASHBERG_SECONDS = 0.03  # of one T_c
SAME = 1e-2  # relative difference in density and spacing up to which a phase still counts


def prepare(study: Study) -> Task:
    """The task of a pairing study. Raises InputError for one that cannot be computed."""
    scales = scales_of(study.bilayer)
    ratio = _mass_ratio(scales)
    source, choices = alpha_squared_of(study, ratio), _choices(study)
    hartree = scales.electron_hartree_kelvin if scales.known else None
    if not keys.asks_for_map(keys.of(study)):
        return _prepare_point(study, scales, ratio, source, choices, hartree)
    return _prepare_map(study, scales, ratio, source, choices, hartree)


def alpha_squared_of(study: Study, mass_ratio: float) -> Source:
    """Where alpha^2 comes from, as the study says; ``mass_ratio`` is m_h/m_e. Raises InputError."""
    table, cell = keys.of(study), study.cell
    given = table.alpha**2 if table.alpha is not None else table.alpha_squared
    name = "given" if given is not None else table.alpha_source
    if name is None:
        raise InputError("pairing.alpha_source", "given, or pairing.alpha_squared or pairing.alpha", "missing",
                         'T_c depends on alpha exponentially: say "paper-line", "torus", "limit", or a number')
    if name == "torus" and cell.zero_mode is None:
        raise InputError("cell.zero_mode", "none | madelung", "missing",
                         'alpha^2 on a torus depends on it: "none" reproduces the paper, "madelung" is for physics')
    computed = compressibility_keys.of(study)
    sizes = computed.sizes
    if name == "limit" and sizes is not None and len(set(sizes)) < 2:
        raise InputError("compressibility.sizes", "two or more different numbers", sizes, "a limit needs a series")
    return Source(name, given, table.alpha_squared_uncertainty, table.rs_star, mass_ratio, _flavours(study),
                  study.bilayer.capacitor, cell.holes or 36, cell.zero_mode or "none", tuple(sizes) if sizes else None,
                  computed.state)


def _mass_ratio(scales: Scales) -> float:
    """m_h/m_e >= 1."""
    ratio = mass_ratio_of(scales)
    if ratio > 1:
        raise InputError("bilayer.hole_mass", f"at least the electron mass ({scales.electron_mass:g} m0)",
                         scales.hole_mass, "the holes are the heavy lattice; exchange the layers where electrons are")
    return 1 / ratio


def _flavours(study: Study) -> int:
    flavours = study.bilayer.electron_flavours
    if flavours < 2:
        raise InputError("bilayer.electron_flavours", "at least 2 where electrons pair in singlets", flavours,
                         "2 for spin, 4 for spin and valley")
    return flavours


def _choices(study: Study) -> Choices:
    table = keys.of(study)
    return Choices(table.method, table.mu_star, table.umklapp, _flavours(study), table.curve_points)


def _prepare_point(study: Study, scales: Scales, ratio: float, source: Source, choices: Choices,
                   hartree: float | None) -> Task:
    place, digest = _place(study, ratio, hartree)
    resolved = {"rs_electron": place.rs, "rs_hole": place.rs_hole, "spacing": place.spacing * ratio,
                "mass_ratio": ratio, "alpha": asdict(source), "pairing": asdict(choices) | {"phase": place.phase}}
    seconds = (POINT_SECONDS if choices.curve_points else 0.3) + COMPUTED_SECONDS.get(source.name, 0.0)
    plan = (*device_lines(study.bilayer.material, scales),
            f"  electrons  r_s = {place.rs:.6g} a_e, {choices.flavours} flavours, m_h/m_e = {ratio:g}",
            f"  spacing    {place.spacing:.6g} a_e", _alpha_line(source),
            f"  solve      {choices.method}, mu* {choices.mu_star}, umklapp {choices.umklapp}",
            f"  estimate   {rough_time(seconds)}")
    inputs = study.canonical() | ({"phase_file": digest} if digest else {})
    return Task(study, scales, inputs, resolved, plan, partial(_solve_point, place, source, choices),
                energies=("gap",), units=dict.fromkeys(KELVIN, "K"))


def _solve_point(place: Place, source: Source, choices: Choices, run: Hooks) -> Result:
    stopped = run.should_stop()
    if stopped is not None:
        return Record("pairing", stopped, {"reason": "stopped before it began", "critical_temperature": None}, {}, {})
    run.progress("alpha^2" if source.computed else "couplings")
    return solve_point(place, source, choices, run.progress, run.should_stop)


def _place(study: Study, ratio: float, hartree: float | None) -> tuple[Place, str]:
    """Density, spacing and phase of the study, and the digest of the file that names the phase."""
    require_pairs(study.density, "pairing", "the plasmon moves one electron with each hole")
    bilayer = bilayer_of(study, {"electron": 1, "hole": 1}, given_critical_rs(study.density, "pairing"))
    rs_hole, spacing = bilayer.carrier("hole").rs, bilayer.spacing
    phase, digest = _phase(study, rs_hole, spacing)
    return Place(rs_hole / ratio, rs_hole, spacing / ratio, ratio, hartree, keys.of(study).rs_star, phase), digest


def _phase(study: Study, rs_hole: float, spacing: float) -> tuple[str | None, str]:
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
    _check_same_place(result, rs_hole, spacing)
    return found, hashlib.sha256(path.read_bytes()).hexdigest()


def _check_same_place(result: Result, rs_hole: float, spacing: float) -> None:
    """A phase says nothing about another density or spacing."""
    resolved = result.provenance.resolved
    hole, bilayer = resolved.get("species", {}).get("hole", {}), resolved.get("bilayer", {})
    for name, was, expected in (("r_s of the holes", hole.get("rs"), rs_hole),
                                ("spacing (a_h)", bilayer.get("spacing"), spacing)):
        if was is not None and abs(was - expected) > SAME * max(expected, SAME):
            raise InputError("pairing.phase", f"a result at the same place, {name} {expected:.6g}", was,
                             "compute the phases there")


def _alpha_line(source: Source) -> str:
    where = {"given": f"{source.given} (given)", "paper-line": f"1.2 - 1.39 r_s/{source.rs_star:g}, a reading of the "
             "paper's figure", "torus": f"computed, {source.holes} holes, zero mode {source.zero_mode}",
             "limit": "computed, infinitely many holes"}[source.name]
    return f"  alpha^2    {where}" + (", capacitor added" if source.capacitor else "")


def _prepare_map(study: Study, scales: Scales, ratio: float, source: Source, choices: Choices,
                 hartree: float | None) -> Task:
    table = keys.of(study)
    for key, value in (("map_rs", table.map_rs), ("map_spacing", table.map_spacing)):
        if value is None:
            raise InputError(f"pairing.{key}", "given for a map", "missing", "a map needs map_rs and map_spacing")
    assert table.map_rs is not None and table.map_spacing is not None
    low, high = (length_of(v, scales, "pairing.map_spacing", "check the number and its unit") / ratio
                 for v in table.map_spacing)
    if not low < high:
        raise InputError("pairing.map_spacing", "two rising lengths", table.map_spacing, "exchange them")
    n = table.map_points
    rs, spacing = np.linspace(table.map_rs[0], table.map_rs[1], n), np.linspace(low, high, n)
    resolved = {"map": {"rs": table.map_rs, "spacing": [low * ratio, high * ratio], "points": n},
                "mass_ratio": ratio, "alpha": asdict(source), "pairing": asdict(choices)}
    seconds = n * n * (ELIASHBERG_SECONDS if choices.method == "eliashberg" else 5e-6) + 0.5
    plan = (*device_lines(study.bilayer.material, scales),
            f"  map        {n} x {n}: r_s {rs[0]:g} to {rs[-1]:g}, d/a_e {low:g} to {high:g}, m_h/m_e = {ratio:g}",
            _alpha_line(source), f"  solve      {choices.method}, mu* {choices.mu_star}, umklapp {choices.umklapp}",
            f"  estimate   {rough_time(seconds)}")
    solve = partial(_solve_map, rs, spacing, source, choices, hartree)
    return Task(study, scales, study.canonical(), resolved, plan, solve, units=dict.fromkeys(KELVIN, "K"))


def _solve_map(rs: np.ndarray, spacing: np.ndarray, source: Source, choices: Choices, hartree: float | None,
               run: Hooks) -> Result:
    liquid = Liquid(1.0, 0.0, source.mass_ratio, 1.0, choices.umklapp, choices.flavours, choices.mu_star)
    earlier = None
    if run.resumed and run.initial is not None and "critical_temperature" in run.initial.data:
        earlier = run.initial.data["critical_temperature"].values / (hartree or 1.0)
    summary = {"alpha_source": source.name, "rs_star": source.rs_star, "method": choices.method,
               "umklapp": choices.umklapp, "mass_ratio": source.mass_ratio, "capacitor": source.capacitor,
               "hartree_temperature": hartree}
    hooks = MapHooks(run.progress, run.should_stop, run.threads, earlier,
                  lambda part: run.checkpoint(map_result(part, summary, hartree)))
    found = make_map(rs, spacing, source.mass_ratio, source, liquid, choices.method, hooks)
    if isinstance(found, Status):
        return Record("pairing", found, summary, {}, {})
    return map_result(found, summary, hartree)
