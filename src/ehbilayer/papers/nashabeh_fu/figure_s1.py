"""Nashabeh and Fu, Fig. S1: the pairing potential and the onset of superconductivity at fixed alpha."""

from __future__ import annotations

from functools import partial

import numpy as np

from ehbilayer import Result
from ehbilayer.figures import coupling_map
from ehbilayer.papers.densities import SUPPLEMENT
from ehbilayer.papers.nashabeh_fu.superconductivity import map_study, maps_page
from ehbilayer.papers.record import NEW, Axes, Figure, Reproduction, Results, Row, Studies, said

ALPHAS = (0.3, 0.5, 1.0)  # 0.3 is the paper's at r_s = 1.6, 1 that of Bohm and Staver; the figure's are not in its text
HALF = 1.0  # spacing (a_e) at which onsets are told


def _name(alpha: float) -> str:
    return f"nashabeh-fu-g0v-{alpha:g}"


def studies(quick: bool) -> Studies:
    """One map for each alpha."""
    return {_name(a): map_study(quick, alpha=a) for a in ALPHAS}


def onset(result: Result, spacing: float) -> float | None:
    """The smallest r_s at which g0V < 0 at the spacing (a_e) nearest to this one; None if there is none."""
    row = result.data["g0V"].values[int(np.argmin(np.abs(result.data["spacing"].values - spacing)))]
    return float(result.data["rs"].values[np.argmax(row < 0)]) if (row < 0).any() else None


def draw(results: Results) -> Figure:
    """g0V with the line where it changes sign."""
    def panel(alpha: float, ax: Axes) -> None:
        coupling_map(results[_name(alpha)], ax)

    return maps_page("pairing potential at fixed α, mₕ/mₑ = 10 (Nashabeh and Fu, Fig. S1)",
                     [(f"α = {a:g}", partial(panel, a)) for a in ALPHAS])


def rows(results: Results) -> list[Row]:
    """That spacing suppresses the attraction at high density (to less than half at d = a_e), and the onsets."""
    found = []
    for alpha in ALPHAS:
        result = results[_name(alpha)]
        values, d = result.data["g0V"].values, result.data["spacing"].values
        far, attraction = values[np.argmin(np.abs(d - HALF)), 0], result.data["lambda"].values[:, 0]
        ratio = float(attraction[np.argmin(np.abs(d - HALF))] / attraction[0])
        densest = f"alpha = {alpha:g}, r_s = {result.data['rs'].values[0]:.2g}"
        found.append(said(f"{densest}: spacing suppresses pairing", bool(far > 0) and ratio < 0.5,
                          f"lambda at d = a_e over that at 0: {ratio:.2g}; g0V at a_e {far:+.3g}"))
        first = onset(result, HALF)
        found.append(Row(f"alpha = {alpha:g}: attraction at d = a_e from r_s", "",
                         "none below r_s = 2" if first is None else f"{first:.3f}", NEW))
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    return ("g0V = mu - lambda averaged over the Fermi line, m_h/m_e = 10, Umklapp by Debye's cut-off; black lines are "
            "g0V = 0, red is attraction. Spacings and alpha that the paper shows are not in its text: alpha = 0.3 is "
            "what it finds at r_s = 1.6, the others are our choice.")


FIGURE = Reproduction("nashabeh-fu:s1", "pairing potential at fixed alpha", f"{SUPPLEMENT}, Fig. S1", studies, draw,
                      rows, caption)
