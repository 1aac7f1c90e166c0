"""Screening inside the condensate: its gap against r_s at several spacings, and where it begins."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ehbilayer.figures import SMALL, dress
from ehbilayer.papers.record import NEW, Figure, Reproduction, Results, Row, Studies, placed, titled

SOURCE = "computed here; theory of A. Perali et al., Phys. Rev. Lett. 110, 146803 (2013), with screened exchange"
SPACINGS, DENSITIES = (0.1, 0.5, 1.0, 2.0), (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0)  # d/a_h, r_s
SCREENINGS = {"condensate": "-", "normal": ":"}
COLOURS = ("#0072B2", "#009E73", "#E69F00", "#D55E00")


def studies(quick: bool) -> Studies:
    """Equal masses, two flavours; quick a single point."""
    spacings, densities = ((0.5,), (5.0,)) if quick else (SPACINGS, DENSITIES)
    return {f"response-superfluid-{screening}-{d:g}-{rs:g}": {
        "kind": "condensate", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "spacing": d, "electron_flavours": 2,
                                          "hole_flavours": 2}, "density": {"rs_hole": rs, "electrons_per_hole": 1},
        "condensate": {"limit": "thermodynamic", "spin": "restricted", "curve_points": 0, "tolerance": 1e-7,
                       "screening": screening}}
        for screening in SCREENINGS for d in spacings for rs in densities}


def points(results: Results) -> Iterator[tuple[str, float, float, Any]]:
    """Screening, d/a_h, r_s and result of all that there is."""
    for study, result in results.items():
        screening, d, rs = study.removeprefix("response-superfluid-").split("-")
        yield screening, float(d), float(rs), result


def line(results: Results, screening: str, spacing: float) -> list[tuple[float, Any]]:
    """r_s and results of one curve, rising."""
    return sorted(((rs, result) for s, d, rs, result in points(results) if (s, d) == (screening, spacing)),
                  key=lambda x: x[0])


def draw(results: Results) -> Figure:
    """Largest gap over eps_F and condensate fraction against r_s."""
    page = titled(10.6, 4.5, "screening inside the condensate")
    left, right = placed(page, 0.8, 0.6, 3.6, 3.2), placed(page, 5.2, 0.6, 3.6, 3.2)
    for colour, d in zip(COLOURS, sorted({d for _, d, _, _ in points(results)}), strict=False):
        for screening, style in SCREENINGS.items():
            found = line(results, screening, d)
            rs, over = [r for r, _ in found], [2 / x.fermi_wave_number**2 for _, x in found]
            if screening == "condensate":
                left.plot(rs, [x.unscreened_gap * o for (_, x), o in zip(found, over, strict=True)], "--", color=colour,
                          linewidth=1, label=f"d = {d:g}, none")
            left.plot(rs, [x.max_gap * o for (_, x), o in zip(found, over, strict=True)], style, marker="o",
                      markersize=3, color=colour, label=f"d = {d:g}, {screening}")
            right.plot(rs, [x.condensate_fraction for _, x in found], style, marker="o", markersize=3, color=colour)
    left.set_yscale("log")
    left.set_ylim(3e-4, 30)  # below 2e-4 the iteration has ended
    dress(left, "largest gap over the Fermi energy", "r_s", "D/ε_F")
    dress(right, "condensate fraction", "r_s", "of the pairs")
    right.legend(*left.get_legend_handles_labels(), fontsize=SMALL - 1, frameon=False, loc="center left",
                 bbox_to_anchor=(1.02, 0.5), title="screening; d in a_h", title_fontsize=SMALL - 1)
    return page


def rows(results: Results) -> list[Row]:
    """Of each spacing: where the condensate begins, with what fraction, and the gap that is left."""
    found = []
    for d in sorted({d for _, d, _, _ in points(results)}):
        mine = line(results, "condensate", d)
        last = max((i for i, (_, x) in enumerate(mine) if x.condensate_fraction < 0.05), default=-1)
        told = [f"r_s {rs:g}: {x.max_gap / x.unscreened_gap:.3g}" for rs, x in mine[last + 1:]]
        begun = "" if last + 1 == len(mine) else f", fraction {mine[last + 1][1].condensate_fraction:.2f}"
        ends = [f"{a:g} and {b:g}" for (a, _), (b, _) in pairwise(mine[max(last, 0):last + 2])] if last >= 0 else []
        where = f"begins between r_s {ends[0]}{begun}" if ends else "there at all r_s" if last < 0 else "nowhere"
        found.append(Row(f"d = {d:g} a_h", "", f"{where}; gap over the unscreened one: {', '.join(told)}", NEW))
    return found


FIGURE = Reproduction(
    "response:superfluid", "gap and onset of the condensate with screening by itself", SOURCE, studies, draw, rows,
    lambda results: "Largest gap and condensate fraction against r_s, equal masses, two flavours, static screening in "
    "the random phase by the condensate, by the normal gases, and none. Not varied: masses, flavours, retardation.")
