"""alpha^2 and T_c against the density at one spacing, and the window of densities in which the electrons superconduct.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.numerics.extremum import maximum
from ehbilayer.pairing.couplings import attraction
from ehbilayer.pairing.eliashberg import STRONGEST
from ehbilayer.pairing.liquid import Choices, Liquid
from ehbilayer.pairing.plasmon_velocity import Source, placed
from ehbilayer.pairing.temperature import temperature_of
from ehbilayer.results.base import Variable
from ehbilayer.status import Status

METHODS = ("bcs", "eliashberg")
RANGE, POINTS, COMPUTED_POINTS = (0.3, 1.8), 101, 6  # of r_s; the last: where a computed alpha^2 is sampled
LOWEST = 1e-6  # T_c/T_D below which a curve says 0
HALVINGS = 10  # for the ends of a window
UNSTABLE = 1e-3  # alpha^2 below which a window ends at the instability


def against_density(bilayer: Bilayer, source: Source, choices: Choices, coldest: float,
                    hooks: Hooks) -> dict[str, Variable] | Status:
    """alpha^2 and T_c by METHODS against r_s of the electrons, and the stretch of it with k_B T_c > ``coldest`` (Ha_h).

    A computed alpha^2 is nearly straight in r_s: it is computed at COMPUTED_POINTS and interpolated. Where it is not
    positive there is no acoustic mode and T_c is 0. The window lies in r_s* m_e/m_h < r_s < r_s*, where the electrons
    are liquid and the holes a crystal. Empty where alpha^2 did not converge; a Status where it was told to stop.
    Temperatures in the arrays count in T_H^e.
    """
    from scipy.interpolate import PchipInterpolator

    rs = np.linspace(*RANGE, POINTS) * _unit(source, bilayer)
    at = np.linspace(rs[0], rs[-1], COMPUTED_POINTS) if source.computed else rs
    found = _sampled(source, at, bilayer, hooks)
    if isinstance(found, Status):
        return found
    known = np.isfinite(found)
    if known.sum() < 2:
        return {}
    line = PchipInterpolator(at[known], found[known])
    rs = rs[(rs >= at[known][0]) & (rs <= at[known][-1])]

    def t_c(method: str, r: Any) -> np.ndarray:
        square = np.asarray(line(r))
        # T_c stays as alpha -> 0, where lambda <omega^2> does not depend on alpha: beyond STRONGEST it has settled
        settled = attraction(Liquid.of(bilayer, 1.0, choices, r)) / (STRONGEST * (1 - 1e-9))
        square = np.where((square > 0) & (square < settled), settled, square)
        return temperature_of(Liquid.of(bilayer, square, choices, r), method, floor=LOWEST)

    rows, hartree = {method: t_c(method, rs) for method in METHODS}, bilayer.mass_ratio
    inside = source.rs_star * hartree, source.rs_star
    windows = [window(rs, row, partial(t_c, method), coldest, inside) for method, row in rows.items()]
    why = [[_why(r, rs, inside, float(line(r))) for r in w[:2]] for w in windows]
    return {"curve_rs": Variable(("curve_rs",), rs, "1", "r_s of the electrons"),
            "curve_alpha_squared": Variable(("curve_rs",), np.array(line(rs)), "1", "alpha^2"),
            "curve_method": Variable(("curve_method",), np.array(METHODS), "1"),
            "curve_tc": Variable(("curve_method", "curve_rs"), np.array(list(rows.values())) / hartree, "T_H^e",
                                 "T_c"),
            "window_rs": Variable(("curve_method", "window_end"), np.array([w[:2] for w in windows]), "1",
                                  "r_s of the electrons where superconductivity ends; NaN for none"),
            "window_why": Variable(("curve_method", "window_end"), np.array(why), "1", "what ends it"),
            "window_tc": Variable(("curve_method",), np.array([w[2] for w in windows]) / hartree, "T_H^e",
                                  "highest T_c within")}


def _why(r: float, rs: np.ndarray, inside: tuple[float, float], square: float) -> str:
    """What ends a window at r_s = ``r``, where alpha^2 is ``square``."""
    if math.isnan(r):
        return "none"
    if square < UNSTABLE:
        return "alpha^2 = 0"
    if r in inside:
        return "edge of the phase"
    return "edge of the curve" if r in (rs[0], rs[-1]) else "too cold"


def _unit(source: Source, bilayer: Bilayer) -> float:
    """What RANGE counts in: the straight line crosses zero near r_s*, a given number nowhere."""
    return {"paper-line": source.rs_star / 2, "given": bilayer.carrier("electron").rs}.get(source.name, 1.0)


def _sampled(source: Source, at: np.ndarray, bilayer: Bilayer, hooks: Hooks) -> np.ndarray | Status:
    """alpha^2 at r_s ``at`` (n,), NaN where it did not converge."""
    found = []
    for number, r in enumerate(at):
        stopped = hooks.should_stop()
        if stopped is not None:
            return stopped
        if source.computed:
            hooks.progress(f"alpha^2 against density: {number + 1} of {len(at)}")
        value, doubt = source.at(placed(bilayer, float(r), bilayer.spacing))
        found.append(math.nan if doubt == math.inf else value)
    return np.array(found)


def window(rs: np.ndarray, row: np.ndarray, t_c: Callable[[float], Any], coldest: float,
           inside: tuple[float, float]) -> tuple[float, float, float]:
    """The stretch of r_s around the highest T_c in which T_c > ``coldest``, and that T_c; NaN where there is none.

    Parameters
    ----------
    rs, row : rising r_s (n,) and T_c there.   t_c : T_c at any r_s between.   inside : bounds of r_s.
    """
    allowed = (rs >= inside[0]) & (rs <= inside[1])
    if not allowed.any():
        return math.nan, math.nan, math.nan
    peak = int(np.argmax(np.where(allowed, row, -1.0)))
    top, highest = maximum(lambda r: float(t_c(r)), rs[allowed], row[allowed])
    if not highest > coldest:
        return math.nan, math.nan, math.nan
    good, ends = allowed & (row > coldest), []
    for step in (-1, 1):
        i = peak
        while 0 <= i + step < len(rs) and good[i + step]:
            i += step
        beyond = float(np.clip(rs[min(max(i + step, 0), len(rs) - 1)], *inside))
        warm = float(rs[i]) if good[i] else top  # a window may lie between two points of the curve
        ends.append(_last_warm(warm, beyond, t_c, coldest))
        highest = max(highest, float(t_c(ends[-1])))
    return ends[0], ends[1], highest


def _last_warm(warm: float, beyond: float, t_c: Callable[[float], Any], coldest: float) -> float:
    """The r_s nearest to ``beyond`` with T_c > ``coldest``, by halving."""
    if float(t_c(beyond)) > coldest:
        return beyond
    for _ in range(HALVINGS):
        middle = 0.5 * (warm + beyond)
        if float(t_c(middle)) > coldest:
            warm = middle
        else:
            beyond = middle
    return warm
