"""Nashabeh and Fu, Fig. 4a: alpha^2 of the electron liquid on a hole crystal against r_s of the electrons."""

from __future__ import annotations

import math

import numpy as np

from ehbilayer.figures import EMPTY, INK, SMALL
from ehbilayer.papers.densities import SOURCE
from ehbilayer.papers.nashabeh_fu import superconductivity as pairs
from ehbilayer.papers.record import NEW, Axes, Figure, Reproduction, Results, Row, Studies, judged, said

POINT = 1.6  # r_s at which the paper has alpha = 0.3
SPACING_OVER_A_E = 0.1  # d = a_h at m_h/m_e = 10
ALPHA_SQUARED = (0.25**2, 0.35**2)  # what rounds to the printed 0.3
NEAR = 0.05  # how far from a straight line is still approximately linear
GAS = math.sqrt(2) / math.pi  # slope of the uniform gas in Hartree-Fock


def studies(quick: bool) -> Studies:
    """The lines of both tori, and the map whose alpha^2 is that of infinitely many holes."""
    return pairs.alpha_lines(quick) | pairs.limit_map(quick)


def draw(results: Results) -> Figure:
    """alpha^2 of both tori, the paper's line and the uniform gas."""
    def panel(ax: Axes) -> None:
        ends = np.array([0.0, 2.0])
        pairs.draw_lines(results, ax, "without_capacitor", "α² at mₕ/mₑ = 10")
        ax.plot(ends, pairs.line(ends), color=INK, linewidth=1.8, label="the paper (our reading)")
        ax.plot(ends, 1 - GAS * ends, color=EMPTY, linewidth=1.8, label="uniform gas")
        ax.plot(POINT, 0.3**2, "+", color=INK, markersize=10, label="α = 0.3 (printed)")
        ax.set_ylim(-1.0, 1.3)
        ax.legend(fontsize=SMALL, frameon=False, loc="lower left")

    return pairs.maps_page("plasmon velocity (Nashabeh and Fu, Fig. 4a)", [("", panel)])


def at_point(results: Results, study: str) -> float | None:
    """alpha^2 at r_s = 1.6 and the smallest spacing; None where the study is left out."""
    if study not in results:
        return None
    data = results[study].data
    return float(data["without_capacitor"].values[int(np.argmin(np.abs(data[pairs.DENSITY].values - POINT))), 0])


def of_many(results: Results) -> str:
    """alpha^2 of infinitely many holes at the same r_s and spacing, of the nearest point of its map."""
    if pairs.LIMIT not in results:
        return ""
    data = results[pairs.LIMIT].data
    row, column = (int(np.argmin(np.abs(data[key].values - x))) for key, x in (("spacing", SPACING_OVER_A_E),
                                                                               ("rs", POINT)))
    return f"{data['alpha_squared'].values[row, column]:.3g}, infinitely many holes"


def rows(results: Results) -> list[Row]:
    """The printed alpha, the straight lines, and how much spacings matter."""
    found = []
    for study in (pairs.LINES, pairs.SMALL_TORUS):
        holes, value = study.rsplit("-", 1)[1], at_point(results, study)
        found.append(judged(f"alpha^2 at r_s = {POINT}, d = a_h, {holes} holes", "0.09 (alpha 0.3)", value,
                            ALPHA_SQUARED, "" if value is None else f"{value:.4f}", of_many(results)))
        if study in results:
            zero, slope, off = pairs.straight(results[study])
            found.append(said(f"alpha^2 approximately linear in r_s, {holes} holes", off < NEAR,
                              f"{zero:.3f} - {-slope:.3f} r_s, off by {off:.3f} at most"))
    if pairs.LINES in results:
        spread = float(np.ptp(results[pairs.LINES].data["without_capacitor"].values, axis=1).max())
        found.append(Row("largest spread of alpha^2 between spacings", "", f"{spread:.4f}", NEW))
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    left_out = "" if pairs.LINES in results else " are left out here"
    return ("alpha^2 = B/B_0 without the capacitor's energy, of the symmetric Hartree-Fock state of polarised holes "
            "and spin-degenerate electrons, m_h = m0 and m_h/m_e = 10, triangular torus, zero mode none, open shells "
            f"filled equally, by response. The paper's 36 holes{left_out}; 16 holes for comparison at d = a_h. The "
            "paper's line, 1.2 - 0.695 r_s, is our reading of its figure, good to 0.03; the uniform gas is 1 - "
            "sqrt(2) r_s/pi. See the findings on superconductivity for the limit of many holes, which is lower still.")


FIGURE = Reproduction("nashabeh-fu:4a", "plasmon velocity of the electron liquid on a hole crystal",
                      f"{SOURCE}, Fig. 4a", studies, draw, rows, caption)
