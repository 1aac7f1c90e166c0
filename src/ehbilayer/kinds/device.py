"""Studies of kind "device": one page on a device. Which phase, how safely; gaps; alpha^2; T_c; what to beware of.

A device study asks the other kinds, each as a study of its own with the same device and density: `phases`, then, for
balanced layers with the heavier carriers as holes, `pairing` with each source of alpha^2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.kinds import pairing, phases
from ehbilayer.pairing_temperature import Liquid, temperature_of
from ehbilayer.particles import resolve_scales
from ehbilayer.plasmon_velocity import Source
from ehbilayer.reporting import device_lines, energy_text, status_row, time_row
from ehbilayer.results import Result, Status, Variable
from ehbilayer.study import Study, make_study
from ehbilayer.task import Task
from ehbilayer.units import Scales

SOURCES = ("limit", "torus", "paper-line")  # of alpha^2; the first is the answer, the others show the spread
HOLES, TOLERANCE = 36, 1e-4
COLDEST = 1e-3  # K: a T_c below this is no prediction
METHODS = ("bcs", "eliashberg")
CURVE_RS, CURVE_POINTS, COMPUTED_POINTS = (0.3, 1.8), 61, 6  # r_s of the electrons; where a computed alpha^2 is sampled
ENERGIES = ("margin", "numerical_error", "gap", "energies")
CRYSTAL_RS = 31.0  # where the 2D electron gas crystallises in quantum Monte Carlo: Drummond & Needs, PRL 102, 126402


def prepare(study: Study) -> Task:
    """The task of a device study. Raises InputError for one that cannot be computed."""
    scales = resolve_scales(study.bilayer)
    for key in ("electron_mass", "hole_mass", "dielectric"):
        if getattr(scales, key) is None:
            raise InputError(f"bilayer.{key}", "given for a device, whose answers are in kelvin and cm^-2", "missing",
                             "give it or bilayer.material")
    if study.density.electrons_per_hole is None:
        raise InputError("density.electrons_per_hole", "given", "missing", "0: holes only, 1: balanced, 2: trions")
    competition = phases.prepare(_part(study, "phases"))
    reason = _unpaired(study, scales)
    parts = {} if reason else {source: _part(study, "pairing", source) for source in SOURCES}
    pairs = {source: pairing.prepare(part) for source, part in parts.items()}
    curves = {source: partial(_curve, pairing.alpha_squared_of(part, t.resolved["mass_ratio"]), t.resolved)
              for (source, part), t in zip(parts.items(), pairs.values(), strict=True)}
    plan = [*device_lines(study.bilayer.material, scales), *competition.plan[len(competition.plan) - 3:],
            f"  pairing    {reason or 'alpha^2 from ' + ', '.join(SOURCES)}",
            f"  estimate   about {'10 s' if reason else '1 min'}"]
    resolved = competition.resolved | {"kind": "device", "pairing": {s: t.resolved for s, t in pairs.items()}}
    return Task(study, scales, study.canonical(), resolved, tuple(plan),
                partial(_solve, competition=competition, pairs=pairs, curves=curves, reason=reason, scales=scales),
                energies=ENERGIES, units={"critical_temperature": "K"})


def _part(study: Study, kind: str, source: str | None = None) -> Study:
    """The same device and density as a study of another kind; the physics' convention unless the file says another."""
    data = study.model_dump(by_alias=True, exclude_unset=True) | {"kind": kind}
    data.pop("sweep", None)
    cell = {"zero_mode": "madelung"} | data.get("cell", {})
    if "electrons" not in cell:
        cell.setdefault("holes", HOLES)
    solver = {"stability": "none", "tolerance": TOLERANCE} | data.get("hartree-fock", {})
    data |= {"cell": cell, "hartree-fock": solver}
    if source is not None:
        other = {k: v for k, v in data.get("pairing", {}).items() if not k.startswith("alpha")}
        data["pairing"] = {"rs_star": 2.0} | other | {"alpha_source": source, "curve_points": 0}
    return make_study(data, name=study.name, folder=study.folder)


def _unpaired(study: Study, scales: Scales) -> str:
    """Why pairing does not apply; empty where it does."""
    if study.density.electrons_per_hole not in (1, 1.0):
        return "not asked: acoustic plasmons need as many electrons as holes"
    if scales.mass_ratio is None or scales.mass_ratio > 1:
        return "not asked: the holes are lighter than the electrons; exchange the layers to ask for pairing of holes"
    return ""


def _solve(run: Hooks, *, competition: Task, pairs: dict[str, Task], curves: Mapping[str, Callable[[Hooks], Any]],
           reason: str, scales: Scales) -> Result:
    parts: dict[str, dict[str, Any]] = {}
    data: dict[str, Variable] = {}
    status: Status | None = None
    if run.resumed and run.initial is not None:
        parts, data = dict(run.initial.summary["parts"]), dict(run.initial.data)
    for name, task in {"phases": competition, **pairs}.items():
        if parts.get(name, {}).get("status") == Status.converged:
            continue
        inner = Hooks(backend=run.backend, threads=run.threads, progress=_named(run.progress, name),
                    should_stop=run.should_stop)
        result = task.solve(inner)
        status = result.status if result.status in (Status.interrupted, Status.timeout) else None
        curve = curves[name](inner) if status is None and name in curves else {}
        if isinstance(curve, Status):
            status = curve
        if status is not None:
            break
        parts[name] = {"status": result.status.value} | result.summary
        data |= {f"{key}_{name}": Variable(tuple(f"{d}_{name}" for d in v.dims), v.values, v.units, v.description)
                 for key, v in curve.items()}
        run.checkpoint(_page(parts, data, pairs, reason, scales, Status.interrupted))
    return _page(parts, data, pairs, reason, scales, status)


def _curve(source: Source, resolved: dict[str, Any], run: Hooks) -> dict[str, Variable] | Status:
    """alpha^2 and T_c (T_H^e) of one source against r_s at the device's spacing.

    A computed alpha^2 is nearly straight in r_s: it is computed at COMPUTED_POINTS and interpolated. Where it is not
    positive there is no acoustic mode and T_c is 0.
    """
    from scipy.interpolate import PchipInterpolator

    ratio, choices = resolved["mass_ratio"], resolved["pairing"]
    spacing, rs = resolved["spacing"] / ratio, np.linspace(*CURVE_RS, CURVE_POINTS)
    at = np.linspace(*CURVE_RS, COMPUTED_POINTS) if source.computed else rs
    found = []
    for number, r in enumerate(at):
        stopped = run.should_stop()
        if stopped is not None:
            return stopped
        if source.computed:
            run.progress(f"alpha^2 against density: {number + 1} of {len(at)}")
        found.append(source.at(float(r), spacing)[0])
    square = np.array(PchipInterpolator(at, found)(rs))
    liquid = Liquid(rs, spacing, ratio, square, choices["umklapp"], source.flavours, choices["mu_star"])
    t_c = np.array([temperature_of(liquid, method, floor=1e-7) for method in METHODS])
    return {"curve_rs": Variable(("curve_rs",), rs, "1", "r_s of the electrons"),
            "curve_alpha_squared": Variable(("curve_rs",), square, "1", "alpha^2"),
            "curve_method": Variable(("curve_method",), np.array(METHODS), "1"),
            "curve_tc": Variable(("curve_method", "curve_rs"), t_c, "T_H^e", "T_c")}


def _named(progress: Callable[[str], None], name: str) -> Callable[[str], None]:
    return lambda text: progress(f"{name}: {text}")


def _page(parts: dict[str, dict[str, Any]], data: dict[str, Variable], pairs: dict[str, Task], reason: str,
          scales: Scales, stopped: Status | None) -> Result:
    """Everything that is known so far."""
    found = {source: parts[source] for source in pairs if source in parts}
    first = parts.get("phases", {})
    winner: dict[str, Any] = next((r for r in first.get("candidates", []) if r["phase"] == first.get("winner")), {})
    best = found.get(SOURCES[0], {})
    summary = {
        "phase": first.get("winner"), "runner_up": first.get("runner_up"), "margin": first.get("margin"),
        "numerical_error": first.get("numerical_error"), "resolved": first.get("resolved"),
        "gap": winner.get("gap", {"electron": None, "hole": None}), "energies": first.get("energies"),
        "alpha_squared": best.get("alpha_squared"), "alpha_squared_uncertainty": best.get("alpha_squared_uncertainty"),
        "alpha_source": SOURCES[0] if best else None, "critical_temperature": best.get("critical_temperature"),
        "by_source": {source: _short(s) for source, s in found.items()},
        "density_window": {source: _windows(source, data, scales) for source in found},
        "superconducts": bool(best.get("critical_temperature") or 0 > COLDEST), "no_pairing": reason or None,
        "in_el_hc": bool(first.get("winner") == "hole-crystal"), "parts": parts}
    summary["caveats"] = caveats(summary, first)
    good = all(p["status"] == Status.converged for p in parts.values()) and len(parts) == 1 + len(pairs)
    return Result("device", stopped or (Status.converged if good else Status.not_converged), summary, {}, data)


def _short(s: dict[str, Any]) -> dict[str, Any]:
    """What one source of alpha^2 says."""
    return {key: s.get(key) for key in ("alpha_squared", "alpha_squared_uncertainty", "lambda", "mu",
                                        "critical_temperature", "by_method", "band", "reason")}


def _windows(source: str, data: dict[str, Variable], scales: Scales) -> dict[str, Any]:
    """By method: the densities (cm^-2) between which T_c exceeds COLDEST; None for none."""
    if f"curve_tc_{source}" not in data:
        return {}
    assert scales.mass_ratio is not None
    density = np.array([scales.density_per_cm2((scales.mass_ratio / r) ** 2 / math.pi)
                        for r in data[f"curve_rs_{source}"].values])
    found: dict[str, Any] = {}
    for method, row in zip(METHODS, data[f"curve_tc_{source}"].values, strict=True):
        warm = density[row * scales.electron_hartree_kelvin > COLDEST]
        found[method] = [float(warm.min()), float(warm.max())] if len(warm) else None
    return found


def caveats(summary: dict[str, Any], competition: dict[str, Any]) -> list[str]:
    """Every reservation that applies to the page."""
    found = ["mean field: crystals set in at r_s of 2 to 4 here, at about "
             f"{CRYSTAL_RS:g} by quantum Monte Carlo, so crystals are favoured",
             f"finite size: the phases compete with {competition.get('particles', {}).get('hole')} holes"]
    if summary["resolved"] is False:
        found.append("the margin between the two lowest phases does not exceed the numerical error")
    found += competition.get("cautions") or []
    if not summary["by_source"]:
        return found
    if not summary["in_el_hc"]:
        found.append(f"the lowest phase is {summary['phase']}, not the electron liquid on a hole crystal: T_c is that "
                     "of a phase that does not win")
    squares = {s: x["alpha_squared"] for s, x in summary["by_source"].items() if x["alpha_squared"] is not None}
    if squares and min(squares.values()) <= 0 < max(squares.values()):
        found.append("the sources of alpha^2 disagree on its sign ("
                     + ", ".join(f"{s} {v:+.3f}" for s, v in squares.items()) + "): T_c is undecided")
    found += [f"{s}: {x['reason']}" for s, x in summary["by_source"].items() if x.get("reason")]
    found.append("T_c depends on alpha^2 exponentially; BCS overrates it at strong coupling, see by_method")
    return found


def rows(result: Result) -> list[tuple[str, str]]:
    """The page: label and text."""
    s, units = result.summary, result.summary.get("units", {})
    found = [status_row(result), ("phase", str(s["phase"]))]
    if s["margin"] is not None:
        found.append(("margin", f"{energy_text(s['margin'], units)} per hole below {s['runner_up']}; numerical error "
                                f"{s['numerical_error']:.1e}"))
    found += [(f"gap, {name}s", energy_text(v, units)) for name, v in s["gap"].items() if v is not None]
    for source, x in s["by_source"].items():
        square = "unknown" if x["alpha_squared"] is None else f"{x['alpha_squared']:+.4g}"
        error = f" +- {x['alpha_squared_uncertainty']:.1g}" if x["alpha_squared_uncertainty"] else ""
        found.append((f"alpha^2, {source}", square + error))
        methods = x["by_method"] or {}
        told = ", ".join(f"{m} {_kelvin(t)}" for m, t in methods.items()) or (x["reason"] or "none")
        found.append((f"T_c, {source}", told))
        found += [(f"window, {source}", f"{m}: {w[0]:.3g} to {w[1]:.3g} cm^-2" if w else f"{m}: none")
                  for m, w in (s["density_window"].get(source) or {}).items()]
    if s["no_pairing"]:
        found.append(("T_c", s["no_pairing"]))
    return [*found, *(("caveat", text) for text in s["caveats"]), time_row(s)]


def _kelvin(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g} K"
