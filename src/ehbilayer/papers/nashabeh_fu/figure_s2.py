"""Nashabeh and Fu, Fig. S2: alpha^2 with the energy of the capacitor, and what T_c would become."""

from __future__ import annotations

import numpy as np

from ehbilayer.figures import SMALL, temperature_map
from ehbilayer.papers.densities import SUPPLEMENT
from ehbilayer.papers.nashabeh_fu import superconductivity as pairs
from ehbilayer.papers.record import NEW, Axes, Figure, Reproduction, Results, Row, Studies, said

MAP = "nashabeh-fu-tc-s2"


def studies(quick: bool) -> Studies:
    """The lines of Fig. 4a, and a map with the capacitor."""
    return pairs.alpha_lines(quick) | {MAP: pairs.map_study(quick, capacitor=True)}


def draw(results: Results) -> Figure:
    """alpha^2 + 4d/a_e on the left, T_c with it on the right."""
    def lines(ax: Axes) -> None:
        pairs.draw_lines(results, ax, "with_capacitor", "α² with the capacitor's 4d/aₑ")
        ax.legend(fontsize=SMALL, frameon=False, loc="best")

    def temperature(ax: Axes) -> None:
        temperature_map(pairs.in_hartree(results[MAP]), ax)

    return pairs.maps_page("the capacitor's energy included, mₕ/mₑ = 10 (Nashabeh and Fu, Fig. S2)",
                           [("", lines), ("the paper's line + 4d/aₑ", temperature)])


def rows(results: Results) -> list[Row]:
    """Whether alpha^2 is always positive, and how large it gets."""
    found = []
    for study in (pairs.LINES, pairs.SMALL_TORUS):
        if study not in results:
            continue
        data, holes = results[study].data, study.rsplit("-", 1)[1]
        values = data["with_capacitor"].values
        i, j = np.unravel_index(int(np.nanargmin(values)), values.shape)
        rs, d = data[pairs.DENSITY].values[i], data[pairs.SPACING].values[j]
        where = f"least {values[i, j]:.3f} at r_s {rs:g}, d {d:g} a_h"
        found.append(said(f"always positive, {holes} holes", float(values[i, j]) > 0, where))
        if study == pairs.LINES:
            found.append(said("B/B_0 far exceeds 1", float(np.nanmax(values)) > 2, f"up to {np.nanmax(values):.3f}"))
    found.append(Row("highest T_c with the capacitor", "", pairs.where_highest(results[MAP]), NEW))
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    return ("Left: alpha^2 of Fig. 4a plus the capacitor's 4d/a_e (a_e = 10 a_h here), symmetric Hartree-Fock states, "
            "zero mode none; without it alpha^2 hardly depends on d, so layers closer than a_h bring negative values. "
            f"Right: T_c with the paper's line plus 4d/a_e, r_s* = 2. {pairs.FORMULA} {pairs.LINE_NOTE} The paper "
            "leaves the capacitor out of T_c; phonons of the screened hole lattice give the velocity with it (see the "
            "findings). The map on the right is ours.")


FIGURE = Reproduction("nashabeh-fu:s2", "the capacitor's energy in alpha^2", f"{SUPPLEMENT}, Fig. S2", studies, draw,
                      rows, caption)
