"""Superconductivity at one density and spacing: couplings, T_c by every method, what it depends on, and the gap.

Inside energies are in Ha_h; the result tells temperatures in K, where the device is known, and in T_H^e = Ha_e/k_B.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.pairing.couplings import attraction, couplings, repulsion
from ehbilayer.pairing.gap import gap_curve
from ehbilayer.pairing.liquid import METHODS, Choices, Liquid, require_plasmons
from ehbilayer.pairing.plasmon_spectrum import plasmon_spectrum, tabulate
from ehbilayer.pairing.plasmon_velocity import Source
from ehbilayer.pairing.result import PairingResult, Reading, TemperatureBand
from ehbilayer.pairing.temperature import band, logarithmic_derivatives, strong_coupling_bound, temperature_of
from ehbilayer.results.base import Variable
from ehbilayer.status import Status

GAP_RATIOS = (0.05, 0.3, 0.45, 0.6, 0.7, 0.8, 0.87, 0.93, 0.97, 0.99)  # T/T_c
NO_MODE = "alpha^2 <= 0: no acoustic mode at this level, the uniform density is unstable"
UNSETTLED = "alpha^2 did not converge"
REPULSION = "the repulsion wins"
TOO_EARLY = "stopped before it began"


def kelvin(bilayer: Bilayer, energy: float | None) -> float | None:
    """An energy in Ha_h over k_B in K; None where either is unknown."""
    return None if energy is None or not bilayer.scales.known else energy * bilayer.scales.hartree_kelvin


def in_el_hc(bilayer: Bilayer, rs_star: float, phase: str | None) -> bool:
    """Electron liquid on a hole crystal: by the phase where it is known, else r_s < r_s* < r_s of the holes."""
    if phase is not None:
        return phase == "hole-crystal"
    return bilayer.carrier("electron").rs < rs_star < bilayer.carrier("hole").rs


def solve_point(bilayer: Bilayer, source: Source, choices: Choices, hooks: Hooks,
                phase: str | None = None) -> PairingResult:
    """T_c of a bilayer. A negative alpha^2 is an answer: no T_c, and the reason.

    ``phase`` is the phase there, where it is known. Raises InputError for layers that plasmons do not pair, see
    `liquid.require_plasmons`.
    """
    require_plasmons(bilayer)
    stopped = hooks.should_stop()
    if stopped is not None:
        return _result(bilayer, source, choices, phase, stopped, None, None, reason=TOO_EARLY)
    hooks.progress("alpha^2" if source.computed else "couplings")
    square, uncertainty = source.at(bilayer)
    liquid = Liquid.of(bilayer, square, choices)
    if uncertainty == math.inf or not square > 0:
        status, reason = (Status.not_converged, UNSETTLED) if uncertainty == math.inf else (Status.converged, NO_MODE)
        return _result(bilayer, source, choices, phase, status, square, uncertainty, mu=float(repulsion(liquid)),
                       reason=reason)
    found = _strengths(bilayer, liquid)
    hooks.progress("T_c by all methods")
    by_method = {m: float(temperature_of(liquid, m)) for m in METHODS}
    found |= _temperatures(bilayer, source, liquid, choices, by_method)
    found |= _dependence(bilayer, liquid, choices, uncertainty)
    stopped = hooks.should_stop()
    data: dict[str, Variable] = {}
    if stopped is None:
        told, data = _gap(liquid, by_method["eliashberg"])
        found |= told
        data |= _spectrum_data(liquid)
        if choices.curve_points:
            hooks.progress("curves")
            data |= _curves(bilayer, source, liquid, choices)
    return _result(bilayer, source, choices, phase, stopped or Status.converged, square, uncertainty, data=data,
                   **found)


def _result(bilayer: Bilayer, source: Source, choices: Choices, phase: str | None, status: Status,
            square: float | None, uncertainty: float | None, **found: Any) -> PairingResult:
    electron, hole, ratio = bilayer.carrier("electron"), bilayer.carrier("hole"), bilayer.mass_ratio
    return PairingResult(
        status=status, phase=phase, in_el_hc=in_el_hc(bilayer, source.rs_star, phase), rs_electron=electron.rs,
        rs_hole=hole.rs, rs_star=source.rs_star, spacing_over_a_e=bilayer.spacing * ratio,
        hole_over_electron_mass=1 / ratio, hartree_temperature=kelvin(bilayer, ratio), alpha_squared=square,
        alpha=math.sqrt(square) if square is not None and square > 0 else None, alpha_source=source.name,
        alpha_squared_uncertainty=uncertainty, method=choices.method, umklapp=choices.umklapp, **found)


def _strengths(bilayer: Bilayer, liquid: Liquid) -> dict[str, Any]:
    """Couplings, scales, and how much exact Umklapp folding adds to lambda."""
    mu, lam = couplings(liquid)
    folded, cut = (float(attraction(replace(liquid, umklapp=name))) for name in ("folded", "debye"))
    debye, fermi = float(liquid.debye), float(liquid.fermi)
    return {"g0V": float(mu - lam), "lam": float(lam), "mu": float(mu), "mu_star": float(liquid.pseudopotential(mu)),
            "folding_gain": folded / cut, "debye_temperature": kelvin(bilayer, debye),
            "debye_over_hartree": debye / bilayer.mass_ratio, "fermi_temperature": kelvin(bilayer, fermi),
            "debye_over_fermi": debye / fermi}


def _temperatures(bilayer: Bilayer, source: Source, liquid: Liquid, choices: Choices,
                  by_method: dict[str, float]) -> dict[str, Any]:
    """T_c by every method, for other readings of the paper's line, and what no spectrum of this strength can exceed."""
    mine, spectrum, hartree = by_method[choices.method], plasmon_spectrum(liquid), bilayer.mass_ratio
    bound = strong_coupling_bound(liquid)
    spread = []
    for name, square in source.alternatives(bilayer):
        t_c = float(temperature_of(replace(liquid, alpha_squared=square), choices.method))
        spread.append(Reading(name, square, t_c / hartree, kelvin(bilayer, t_c)))
    return {"critical_temperature": kelvin(bilayer, mine), "tc_over_hartree": mine / hartree,
            "reason": "" if mine > 0 else REPULSION, "by_method": {m: kelvin(bilayer, t) for m, t in by_method.items()},
            "by_method_over_hartree": {m: t / hartree for m, t in by_method.items()},
            "strong_coupling_bound": kelvin(bilayer, bound), "strong_coupling_bound_over_hartree": bound / hartree,
            "omega_log_over_debye": spectrum.omega_log, "spread": tuple(spread)}


def _dependence(bilayer: Bilayer, liquid: Liquid, choices: Choices, uncertainty: float | None) -> dict[str, Any]:
    """Logarithmic derivatives of T_c, by what it is computed from and by what a device sets, and its band."""
    told: dict[str, Any] = {}
    found = logarithmic_derivatives(liquid, choices.method)
    if found is not None:
        r, d, hole = found["rs"], found["spacing"], found["hole_mass"]
        # T_c = Ha_e f(r_s, d/a_e, m_h/m_e, alpha^2), a_e ~ dielectric/m_e, Ha_e ~ m_e/dielectric^2
        told["sensitivities"] = {"alpha_squared": found["alpha_squared"], "density": -r / 2, "spacing": d,
                                 "electron_mass": 1 + r + d - hole, "hole_mass": hole, "dielectric": -2 - r - d,
                                 "rs_electron": r, "mass_ratio": hole}
    if uncertainty is not None:
        ends, hartree = band(liquid, uncertainty, choices.method), bilayer.mass_ratio
        told["band"] = TemperatureBand(kelvin(bilayer, ends.low), kelvin(bilayer, ends.high), ends.low / hartree,
                                       ends.high / hartree, ends.unstable)
    return told


def _gap(liquid: Liquid, critical: float) -> tuple[dict[str, Any], dict[str, Variable]]:
    """The Eliashberg gap at the lowest Matsubara frequency against temperature, and its ratio to T_c."""
    if not critical > 0:
        return {}, {}
    unit = float(liquid.debye)
    gaps = gap_curve(plasmon_spectrum(liquid), float(liquid.pseudopotential(repulsion(liquid))), 1.0, critical / unit,
                     GAP_RATIOS)
    if not all(g.converged for g in gaps):
        return {}, {}
    values = np.array([g.lowest for g in gaps]) * unit
    data = {"gap_temperature": Variable(("gap_temperature",), np.array(GAP_RATIOS), "1", "T over T_c"),
            "gap_over_critical": Variable(("gap_temperature",), values / critical, "1", "Delta(i pi T) over k_B T_c")}
    return {"gap": float(values[0]), "gap_ratio": 2 * float(values[0]) / critical}, data


def _spectrum_data(liquid: Liquid) -> dict[str, Variable]:
    omega, values, line = tabulate(liquid)
    return {"omega": Variable(("omega",), omega, "k_B T_D", "frequency"),
            "alpha2F": Variable(("omega",), values, "1", "alpha^2 F, averaged over intervals"),
            "alpha2F_line": Variable((), np.array(line), "k_B T_D", "weight of the sharp line at k_B T_D")}


def _curves(bilayer: Bilayer, source: Source, liquid: Liquid, choices: Choices) -> dict[str, Variable]:
    """T_c by every method against alpha^2, and against r_s (alpha^2 follows the line, else it stays)."""
    n, square, on_line = choices.curve_points, float(liquid.alpha_squared), source.name == "paper-line"
    squares = np.geomspace(square / 100, square * 4, n)
    rs = np.linspace(0.3, 1.0, n) * source.rs_star * 1.2 / 1.39 if on_line else np.linspace(0.3, 2.0, n) * liquid.rs
    along = source.on(bilayer, rs, np.array([bilayer.spacing]), Hooks()) if on_line else np.full((1, n), square)
    assert not isinstance(along, Status)
    sets = {"alpha_squared": (squares, replace(liquid, alpha_squared=squares)),
            "rs": (rs, replace(liquid, rs=rs, alpha_squared=along[0]))}
    scale, unit = temperature_unit(bilayer)
    data = {"curve_method": Variable(("curve_method",), np.array(METHODS), "1")}
    for name, (x, many) in sets.items():
        t_c = np.array([temperature_of(many, m, floor=1e-7) for m in METHODS]) * scale
        data |= {f"curve_{name}": Variable((f"curve_{name}",), x, "1"),
                 f"curve_tc_{name}": Variable(("curve_method", f"curve_{name}"), t_c, unit, "T_c")}
    return data


def temperature_unit(bilayer: Bilayer) -> tuple[float, str]:
    """What an energy in Ha_h is multiplied by to be a temperature in K, or in T_H^e where the device is not known."""
    return (bilayer.scales.hartree_kelvin, "K") if bilayer.scales.known else (1 / bilayer.mass_ratio, "T_H^e")
