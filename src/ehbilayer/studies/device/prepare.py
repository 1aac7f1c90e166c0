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
from ehbilayer.pairing.density import METHODS, Place, against_density
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.status import Status
from ehbilayer.studies.bilayer import scales_of
from ehbilayer.studies.device import keys as device_keys
from ehbilayer.studies.device.table import COLDEST
from ehbilayer.studies.file import Study, make_study
from ehbilayer.studies.pairing import keys as pairing_keys
from ehbilayer.studies.pairing import prepare as pairing
from ehbilayer.studies.phases import prepare as phases
from ehbilayer.studies.task import Task
from ehbilayer.units import Scales

SOURCES = ("limit", "torus", "paper-line")  # of alpha^2; the first is the answer, the others show the spread
GIVEN = "given"  # the source before these, where the study gives a number
GIVEN_ALPHA = ("alpha_squared", "alpha", "alpha_squared_uncertainty")  # the keys that say it
HOLES, TOLERANCE = 36, 1e-4
STRONG, FAST = 0.5, 0.1  # lambda, and T_D/T_F, from which a caveat applies
KELVIN = ("critical_temperature", "critical_temperature_band.low", "critical_temperature_band.high")
ENERGIES = ("margin", "numerical_error", "gap", "energies")
CRYSTAL_RS = 31.0  # where the 2D electron gas crystallises in quantum Monte Carlo: Drummond & Needs, PRL 102, 126402


def prepare(study: Study) -> Task:
    """The task of a device study. Raises InputError for one that cannot be computed."""
    scales = scales_of(study.bilayer)
    missing = [f"bilayer.{k}" for k in ("electron_mass", "hole_mass", "dielectric") if getattr(scales, k) is None]
    if missing:
        raise InputError("bilayer.material", "given, or both masses and the dielectric constant: answers are in kelvin "
                         "and cm^-2", "missing", f"name a device (see `ehb materials`), or give {', '.join(missing)}")
    if study.density.electrons_per_hole is None:
        raise InputError("density.electrons_per_hole", "given", "missing", "0: holes only, 1: balanced, 2: trions")
    competition = phases.prepare(_part(study, "phases"))
    reason = _unpaired(study, scales)
    table = pairing_keys.of(study)
    first = () if table.alpha is None and table.alpha_squared is None else (GIVEN,)
    parts = {} if reason else {source: _part(study, "pairing", source) for source in (*first, *SOURCES)}
    pairs = {source: pairing.prepare(part) for source, part in parts.items()}
    coldest = COLDEST / scales.electron_hartree_kelvin
    curves = {source: partial(against_density, pairing.alpha_squared_of(part, t.resolved["mass_ratio"]), Place(
                  t.resolved["rs_electron"], t.resolved["spacing"] / t.resolved["mass_ratio"], coldest,
                  t.resolved["pairing"]["umklapp"], t.resolved["pairing"]["mu_star"]))
              for (source, part), t in zip(parts.items(), pairs.values(), strict=True)}
    plan = [*competition.plan, f"  pairing    {reason or 'alpha^2: ' + ', '.join(parts)}",
            f"  estimate   about {'10 s' if reason else '30 s'}"]
    resolved = competition.resolved | {"kind": "device", "pairing": {s: t.resolved for s, t in pairs.items()}}
    return Task(study, scales, study.canonical(), resolved, tuple(plan),
                partial(_solve, competition=competition, pairs=pairs, curves=curves, reason=reason, scales=scales),
                energies=ENERGIES, units=dict.fromkeys(KELVIN, "K"))


def _part(study: Study, kind: str, source: str | None = None) -> Study:
    """The same device and density as a study of another kind; the physics' convention unless the file says another."""
    data = study.written() | {"kind": kind}
    data.pop("sweep", None)
    cell = {"zero_mode": "madelung"} | data.get("cell", {})
    if "electrons" not in cell:
        cell.setdefault("holes", HOLES)
    solver = {"stability": "none", "tolerance": TOLERANCE} | data.get("hartree-fock", {})
    data |= {"cell": cell, "hartree-fock": solver}
    if source is not None:
        table = data.get("pairing", {})
        other = {k: v for k, v in table.items() if k not in (*GIVEN_ALPHA, *device_keys.PAGES)}
        alpha = {k: table[k] for k in GIVEN_ALPHA if k in table} if source == GIVEN else {"alpha_source": source}
        data["pairing"] = {"method": "eliashberg"} | other | alpha | {"curve_points": 0}
    return make_study(data, name=study.name, folder=study.folder)


def _unpaired(study: Study, scales: Scales) -> str:
    """Why pairing does not apply; empty where it does."""
    if study.density.electrons_per_hole not in (1, 1.0):
        return "not asked: acoustic plasmons need as many electrons as holes"
    if scales.mass_ratio is None or scales.mass_ratio > 1:
        return "not asked: the holes are lighter than the electrons; exchange the layers to ask for pairing of holes"
    if study.bilayer.electron_flavours < 2:
        return "not asked: electrons of one flavour have no partner for a singlet"
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


def _named(progress: Callable[[str], None], name: str) -> Callable[[str], None]:
    return lambda text: progress(f"{name}: {text}")


def _page(parts: dict[str, dict[str, Any]], data: dict[str, Variable], pairs: dict[str, Task], reason: str,
          scales: Scales, stopped: Status | None) -> Result:
    """Everything that is known so far."""
    found = {source: parts[source] for source in pairs if source in parts}
    first = parts.get("phases", {})
    winner: dict[str, Any] = next((r for r in first.get("candidates", []) if r["phase"] == first.get("winner")), {})
    answer = next(iter(pairs), None)  # None: nothing pairs
    best = found.get(answer or "", {})
    band = best.get("band")
    summary = {
        "phase": first.get("winner"), "runner_up": first.get("runner_up"), "margin": first.get("margin"),
        "numerical_error": first.get("numerical_error"), "resolved": first.get("resolved"),
        "gap": winner.get("gap", {"electron": None, "hole": None}), "energies": first.get("energies"),
        "alpha_squared": best.get("alpha_squared"), "alpha_squared_uncertainty": best.get("alpha_squared_uncertainty"),
        "alpha_source": answer if best else None, "method": best.get("method"),
        "critical_temperature": best.get("critical_temperature"),
        "critical_temperature_band": {key: band[key] for key in ("low", "high", "reaches_instability")} if band
        else None, "by_source": {source: _short(s) for source, s in found.items()},
        "density_window": {source: _windows(source, data, scales) for source in found},
        "superconducts": (best.get("critical_temperature") or 0.0) > COLDEST if best else None,
        "no_pairing": reason or None,
        "in_el_hc": bool(first.get("winner") == "hole-crystal"), "parts": parts}
    summary["caveats"] = caveats(summary, first, best)
    good = all(p["status"] == Status.converged for p in parts.values()) and len(parts) == 1 + len(pairs)
    return Record("device", stopped or (Status.converged if good else Status.not_converged), summary, {}, data)


def _short(s: dict[str, Any]) -> dict[str, Any]:
    """What one source of alpha^2 says."""
    return {key: s.get(key) for key in ("alpha_squared", "alpha_squared_uncertainty", "lambda", "mu", "mu_star",
                                        "method", "critical_temperature", "by_method", "band", "reason")}


def _windows(source: str, data: dict[str, Variable], scales: Scales) -> dict[str, Any]:
    """By method: the densities (cm^-2) between which the source predicts superconductivity, why it ends there, and the
    highest T_c (K) within; None for none."""
    if f"window_rs_{source}" not in data:
        return {}
    assert scales.mass_ratio is not None
    ratio, whys = scales.mass_ratio, data[f"window_why_{source}"].values
    found: dict[str, Any] = {}
    windows, tops = data[f"window_rs_{source}"].values, data[f"window_tc_{source}"].values
    for method, ends, highest, why in zip(METHODS, windows, tops, whys, strict=True):
        if np.isnan(ends).any():
            found[method] = None
            continue
        low, high = (scales.density_per_cm2((ratio / r) ** 2 / math.pi) for r in (ends[1], ends[0]))
        found[method] = {"low": low, "high": high, "ends": [str(why[1]), str(why[0])],
                         "highest": float(highest) * scales.electron_hartree_kelvin}
    return found


def caveats(summary: dict[str, Any], competition: dict[str, Any], best: dict[str, Any]) -> list[str]:
    """Every reservation that applies to the page; ``best`` is the summary of the pairing that gives the answer."""
    found = ["mean field: crystals set in at r_s of 2 to 4 here, at about "
             f"{CRYSTAL_RS:g} by quantum Monte Carlo, so crystals are favoured",
             f"finite size: the phases compete with {competition.get('particles', {}).get('hole')} holes"]
    if summary["resolved"] is False:
        found.append("the margin between the two lowest phases does not exceed the numerical error")
    if summary["phase"] in ("liquid", "hole-crystal", "electron-crystal"):
        found.append("the gap of a liquid is that of this torus and closes with size; a crystal's stays")
    found += competition.get("cautions") or []
    if not summary["by_source"]:
        return found
    if not summary["in_el_hc"]:
        found.append(f"the lowest phase is {summary['phase']}, not the electron liquid on a hole crystal, which any "
                     "T_c here belongs to")
    return found + _sources(summary) + _theory(best)


def _sources(summary: dict[str, Any]) -> list[str]:
    """Reservations about alpha^2."""
    squares = {s: x["alpha_squared"] for s, x in summary["by_source"].items() if x["alpha_squared"] is not None}
    found = []
    if squares and min(squares.values()) <= 0 < max(squares.values()):
        found.append("the sources of alpha^2 disagree on its sign ("
                     + ", ".join(f"{s} {v:+.3f}" for s, v in squares.items()) + "): T_c is undecided")
    found += [f"{s}: {x['reason']}" for s, x in summary["by_source"].items() if x.get("reason")]
    if "paper-line" in squares:
        found.append("paper-line is our reading of a figure for two flavours and m_h/m_e = 10, no printed formula")
    return found


def _theory(best: dict[str, Any]) -> list[str]:
    """Reservations about T_c, by the summary of the pairing that gives the answer."""
    found = ["T_c depends on alpha^2 exponentially, and its band knows the error of alpha^2 within Hartree-Fock only; "
             "correlation in the liquid lowers alpha^2"]
    if best.get("rs_hole") is not None and best["rs_hole"] < CRYSTAL_RS:
        found.append(f"r_s of the holes is {best['rs_hole']:.3g}: by quantum Monte Carlo they alone would be liquid")
    if (best.get("lambda") or 0.0) > STRONG:
        found.append(f"strong coupling, lambda = {best['lambda']:.2f}: BCS overrates T_c, see by_method")
    if (best.get("debye_over_fermi") or 0.0) > FAST:
        found.append(f"plasmons are not slow, T_D/T_F = {best['debye_over_fermi']:.2f}: corrections to the vertex, "
                     "which Eliashberg's equations leave out, are of this order")
    return found
