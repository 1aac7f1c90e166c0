"""Superconductivity at one density and spacing: couplings, T_c by every method, what it depends on, and the gap.

Lengths in a_e and energies in Ha_e as in `couplings`; temperatures in K where the Hartree temperature T_H^e is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.pairing.coupling_spectrum import CouplingSpectrum
from ehbilayer.pairing.couplings import attraction, couplings, repulsion
from ehbilayer.pairing.eliashberg import STRONG
from ehbilayer.pairing.gap import gap_curve
from ehbilayer.pairing.plasmon_spectrum import plasmon_spectrum, tabulate
from ehbilayer.pairing.plasmon_velocity import Source
from ehbilayer.pairing.temperature import METHODS, Liquid, band, logarithmic_derivatives, temperature_of
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.status import Status

GAP_RATIOS = (0.05, 0.3, 0.45, 0.6, 0.7, 0.8, 0.87, 0.93, 0.97, 0.99)  # T/T_c
NO_MODE = "alpha^2 <= 0: no acoustic mode at this level, the uniform density is unstable"
UNSETTLED = "alpha^2 did not converge"
REPULSION = "the repulsion wins"


@dataclass(frozen=True)
class Place:
    """Where it is computed.

    rs, rs_hole : of the electrons (in a_e) and of the holes (in a_h).   spacing : d/a_e.   mass_ratio : m_h/m_e.
    hartree : T_H^e in K, None where the device is not known.   crystal_rs : r_s*, where a layer crystallises.
    phase : the phase there where it was computed, else None.
    """

    rs: float
    rs_hole: float
    spacing: float
    mass_ratio: float
    hartree: float | None
    crystal_rs: float
    phase: str | None = None

    @property
    def in_el_hc(self) -> bool:
        """Electron liquid on a hole crystal: by the computed phase, else r_s < r_s* < r_s of the holes."""
        if self.phase is not None:
            return self.phase == "hole-crystal"
        return self.rs < self.crystal_rs < self.rs_hole

    def kelvin(self, energy: float | None) -> float | None:
        """An energy in Ha_e over k_B in K; None where either is unknown."""
        return None if energy is None or self.hartree is None else energy * self.hartree


@dataclass(frozen=True)
class Choices:
    """How: method, mu* rule, umklapp, flavours, and how many points the curves of the figure have (0: none)."""

    method: str = "bcs"
    mu_star: Any = "morel-anderson"
    umklapp: str = "debye"
    flavours: int = 2
    curve_points: int = 24


def solve_point(place: Place, source: Source, choices: Choices, progress: Callable[[str], None],
                should_stop: Callable[[], Status | None]) -> Result:
    """The result of kind ``pairing`` at one point. A negative alpha^2 is an answer: no T_c, and the reason."""
    square, uncertainty = source.at(place.rs, place.spacing)
    base = _base(place, source, choices, square, uncertainty)
    if uncertainty == math.inf:
        return Record("pairing", Status.not_converged, base | _nothing(place, choices, UNSETTLED), {}, {})
    if not square > 0:
        return Record("pairing", Status.converged, base | _nothing(place, choices, NO_MODE), {}, {})
    liquid = _liquid(place, choices, square)
    summary = base | _strengths(place, liquid, choices)
    progress("T_c by all methods")
    by_method = {m: float(temperature_of(liquid, m)) for m in METHODS}
    summary |= _temperatures(place, source, liquid, choices, by_method)
    summary |= _dependence(place, liquid, choices, uncertainty)
    stopped = should_stop()
    data: dict[str, Variable] = {}
    if stopped is None:
        told, data = _gap(place, liquid, by_method["eliashberg"])
        summary |= told
        data |= _spectrum_data(place, liquid)
        if choices.curve_points:
            progress("curves")
            data |= _curves(place, source, liquid, choices)
    return Record("pairing", stopped or Status.converged, summary, {}, data)


def _liquid(place: Place, choices: Choices, square: Any) -> Liquid:
    return Liquid(place.rs, place.spacing, place.mass_ratio, square, choices.umklapp, choices.flavours,
                  choices.mu_star)


def _base(place: Place, source: Source, choices: Choices, square: float, uncertainty: float | None) -> dict[str, Any]:
    """What is known before anything pairs."""
    return {"phase": place.phase, "in_el_hc": place.in_el_hc, "rs_electron": place.rs, "rs_hole": place.rs_hole,
            "rs_star": place.crystal_rs, "spacing_over_a_e": place.spacing, "mass_ratio": place.mass_ratio,
            "hartree_temperature": place.hartree, "alpha_squared": square,
            "alpha": math.sqrt(square) if square > 0 else None, "alpha_source": source.name,
            "alpha_squared_uncertainty": uncertainty, "method": choices.method, "umklapp": choices.umklapp}


def _nothing(place: Place, choices: Choices, reason: str) -> dict[str, Any]:
    """The summary without an acoustic mode."""
    keys = ("g0V", "lambda", "mu_star", "debye_temperature", "critical_temperature", "tc_over_hartree", "by_method",
            "band", "sensitivities", "gap", "gap_ratio", "strong_coupling_bound")
    return dict.fromkeys(keys) | {"mu": float(repulsion(place.rs, choices.flavours)), "reason": reason}


def _strengths(place: Place, liquid: Liquid, choices: Choices) -> dict[str, Any]:
    """Couplings, scales, and how much exact Umklapp folding adds to lambda."""
    mu, lam = couplings(liquid.rs, liquid.spacing, liquid.alpha_squared, liquid.umklapp, liquid.flavours)
    gain = attraction(place.rs, place.spacing, "folded", choices.flavours) / attraction(
        place.rs, place.spacing, "debye", choices.flavours)
    return {"g0V": float(mu - lam), "lambda": float(lam), "mu": float(mu),
            "mu_star": float(liquid.pseudopotential(mu)), "folding_gain": float(gain),
            "debye_temperature": place.kelvin(float(liquid.debye)), "debye_over_hartree": float(liquid.debye),
            "fermi_temperature": place.kelvin(float(liquid.fermi)),
            "debye_over_fermi": float(liquid.debye / liquid.fermi)}


def _temperatures(place: Place, source: Source, liquid: Liquid, choices: Choices,
                  by_method: dict[str, float]) -> dict[str, Any]:
    """T_c by every method, for other readings of the paper's line, and what no spectrum of this strength can exceed."""
    mine, spectrum = by_method[choices.method], spectrum_of(liquid)
    bound = STRONG * math.sqrt(spectrum.lam) * spectrum.omega_square * float(liquid.debye)
    spread = []
    for name, square in source.alternatives(place.rs, place.spacing):
        other = replace(liquid, alpha_squared=square)
        t_c = float(temperature_of(other, choices.method))
        spread.append({"alpha_squared_from": name, "alpha_squared": square, "tc_over_hartree": t_c,
                       "critical_temperature": place.kelvin(t_c)})
    return {"critical_temperature": place.kelvin(mine), "tc_over_hartree": mine,
            "reason": None if mine > 0 else REPULSION,
            "by_method": {m: place.kelvin(t) for m, t in by_method.items()}, "by_method_over_hartree": by_method,
            "strong_coupling_bound": place.kelvin(bound), "strong_coupling_bound_over_hartree": bound,
            "omega_log_over_debye": spectrum.omega_log, "spread": spread}


def spectrum_of(liquid: Liquid) -> CouplingSpectrum:
    """alpha^2F of the liquid in units of k_B T_D."""
    return plasmon_spectrum(float(liquid.rs), float(liquid.spacing), float(liquid.alpha_squared), liquid.umklapp,
                            liquid.flavours)


def _dependence(place: Place, liquid: Liquid, choices: Choices, uncertainty: float | None) -> dict[str, Any]:
    """Logarithmic derivatives of T_c, by what it is computed from and by what a device sets, and its band."""
    found = logarithmic_derivatives(liquid, choices.method)
    told: dict[str, Any] = {"sensitivities": None, "band": None}
    if found is not None:
        r, d, ratio = found["rs"], found["spacing"], found["mass_ratio"]
        # T_c = Ha_e f(r_s, d/a_e, m_h/m_e, alpha^2), a_e ~ dielectric/m_e, Ha_e ~ m_e/dielectric^2
        told["sensitivities"] = {"alpha_squared": found["alpha_squared"], "density": -r / 2, "spacing": d,
                                 "electron_mass": 1 + r + d - ratio, "hole_mass": ratio, "dielectric": -2 - r - d,
                                 "rs_electron": r, "mass_ratio": ratio}
    if uncertainty is not None:
        ends = band(liquid, uncertainty, choices.method)
        told["band"] = {"low": place.kelvin(ends.low), "high": place.kelvin(ends.high), "low_over_hartree": ends.low,
                        "high_over_hartree": ends.high, "reaches_instability": ends.unstable}
    return told


def _gap(place: Place, liquid: Liquid, critical: float) -> tuple[dict[str, Any], dict[str, Variable]]:
    """The Eliashberg gap at the lowest Matsubara frequency against temperature, and its ratio to T_c."""
    if not critical > 0:
        return {"gap": None, "gap_ratio": None}, {}
    mu = repulsion(liquid.rs, liquid.flavours)
    unit = float(liquid.debye)
    gaps = gap_curve(spectrum_of(liquid), float(liquid.pseudopotential(mu)), 1.0, critical / unit, GAP_RATIOS)
    if not all(g.converged for g in gaps):
        return {"gap": None, "gap_ratio": None}, {}
    values = np.array([g.lowest for g in gaps]) * unit
    data = {"gap_temperature": Variable(("gap_temperature",), np.array(GAP_RATIOS), "1", "T over T_c"),
            "gap_over_critical": Variable(("gap_temperature",), values / critical, "1", "Delta(i pi T) over k_B T_c")}
    # Ha_h = Ha_e m_h/m_e
    return {"gap": float(values[0]) / place.mass_ratio, "gap_ratio": 2 * float(values[0]) / critical}, data


def _spectrum_data(place: Place, liquid: Liquid) -> dict[str, Variable]:
    omega, values, line = tabulate(place.rs, place.spacing, float(liquid.alpha_squared), liquid.umklapp,
                                   liquid.flavours)
    return {"omega": Variable(("omega",), omega, "k_B T_D", "frequency"),
            "alpha2F": Variable(("omega",), values, "1", "alpha^2 F, averaged over intervals"),
            "alpha2F_line": Variable((), np.array(line), "k_B T_D", "weight of the sharp line at k_B T_D")}


def _curves(place: Place, source: Source, liquid: Liquid, choices: Choices) -> dict[str, Variable]:
    """T_c by every method against alpha^2, and against r_s (alpha^2 follows the line, else it stays)."""
    n, square = choices.curve_points, float(liquid.alpha_squared)
    squares = np.geomspace(square / 100, square * 4, n)
    rs = np.linspace(0.3, 1.0 if source.name == "paper-line" else 2.0, n)
    rs *= source.rs_star * 1.2 / 1.39 if source.name == "paper-line" else place.rs
    along = [source.at(float(r), place.spacing)[0] if source.name == "paper-line" else square for r in rs]
    sets = {"alpha_squared": (squares, replace(liquid, alpha_squared=squares)),
            "rs": (rs, replace(liquid, rs=rs, alpha_squared=np.array(along)))}
    scale, unit = (1.0, "T_H^e") if place.hartree is None else (place.hartree, "K")
    data = {"curve_method": Variable(("curve_method",), np.array(METHODS), "1")}
    for name, (x, many) in sets.items():
        t_c = np.array([temperature_of(many, m, floor=1e-7) for m in METHODS]) * scale
        data |= {f"curve_{name}": Variable((f"curve_{name}",), x, "1"),
                 f"curve_tc_{name}": Variable(("curve_method", f"curve_{name}"), t_c, unit, "T_c")}
    return data
