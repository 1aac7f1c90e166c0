"""Nashabeh and Fu, Fig. 2 with the Madelung convention and 36, 64 and 144 holes: how do the boundaries move?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ehbilayer import SweepResult
from ehbilayer.figures import EMPTY, INK, NORMAL, SMALL, axis_line, dress, phase_map, slice_at
from ehbilayer.papers.nashabeh_fu import figure_2 as f2
from ehbilayer.papers.nashabeh_fu.figure_2 import STUDY as NONE_36
from ehbilayer.papers.nashabeh_fu.figure_2 import studies as published
from ehbilayer.papers.record import INPUT, NEW, Axes, Figure, Reproduction, Results, Row, Studies, placed, titled

SIZES = {36: 7, 64: 9, 144: 14}  # holes -> hexagon of waves: the cutoff in |k| a_h stays about the same
COARSE = {f2.MASS: [1.0, 0.5, 0.25, 0.125], f2.DENSITY: [0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3]}  # of the largest torus
SHORT = {f2.CONDENSATE: "condensate", f2.EL_HC: "EL-HC", f2.EC_HL: "EC-HL", f2.CRYSTAL: "crystal", f2.LIQUID: "liquid"}
MELTED = (f2.LIQUID, f2.EC_HL)  # the holes are liquid
QUICK: dict[str, Any] = {f2.SPACING: [1.0, 10.0], f2.MASS: [1.0, 0.125], f2.DENSITY: [0.1, 0.5, 1.3]}
COMPARED = (1.0, 2.0, 4.0, 8.0)  # m_h/m_e in the table, those of the coarse map
COLOURS = (EMPTY, "#E69F00", "#7B3294", "black")  # of the maps on the overlay; none of a phase's
LINES: dict[str, Any] = {"the condensate ends": "-", "the hole crystal melts": "--", "the electron crystal melts": ":"}
LEFT, BELOW, WIDE, HIGH, GAP, APART, OVERLAY, SIDE, TOP = 0.65, 0.5, 1.8, 2.2, 0.16, 0.75, 2.5, 0.1, 1.35  # inches
RS_SHOWN = (13.0, 1.6)  # r_s of the holes on the overlay, the density growing upward


def name_of(holes: int) -> str:
    """The name of the study with the Madelung convention."""
    return f"{NONE_36}-madelung-{holes}"


def studies(quick: bool) -> Studies:
    """The published map and the same with the Madelung convention; quick: the smallest torus only."""
    if quick:
        return {name_of(36): f2.map_study(QUICK, True, hexagon=SIZES[36], zero_mode="madelung") | f2.FEWER}
    found = published(False)
    fine: dict[str, Any] = {f2.SPACING: f2.SPACINGS, f2.MASS: f2.MASSES, f2.DENSITY: f2.DENSITIES}
    for holes, hexagon in SIZES.items():
        axes = fine | (COARSE if holes == max(SIZES) else {})
        found[name_of(holes)] = f2.map_study(axes, False, holes=holes, hexagon=hexagon, zero_mode="madelung")
    return found


def labels(results: Results) -> dict[str, str]:
    """Zero mode and number of holes of each study, in words."""
    return {name: "none, 36" if name == NONE_36 else f"madelung, {name.rpartition('-')[2]}" for name in results}


def critical(result: SweepResult, species: str = "hole") -> float:
    """r_s at which a layer of this species alone crystallises on the torus of a map, in its own units."""
    return float(result.data["critical_rs" + ("" if species == "hole" else f"_{species}")].values.flat[0])


def reach(result: SweepResult) -> tuple[float, float]:
    """Largest and smallest r_s of the holes in a map."""
    rs = critical(result) / np.sqrt(result.data[f2.DENSITY].values.astype(float))
    return float(rs.max()), float(rs.min())


def role(change: f2.Change) -> str | None:
    """What a change of phase means as the density grows: the condensate ends, a crystal melts, or neither of these."""
    if change.below == f2.CONDENSATE:
        return "the condensate ends"
    if change.below in (f2.EL_HC, f2.CRYSTAL) and change.above in MELTED:
        return "the hole crystal melts"
    if change.below in (f2.EC_HL, f2.CRYSTAL) and change.above in (f2.EL_HC, f2.LIQUID, f2.CONDENSATE):
        return "the electron crystal melts"
    return None


def curve(result: SweepResult, spacing: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """m_h/m_e and r_s of the holes (k,) where ``kind`` of `role` happens, NaN where it does not within the map."""
    rs = []
    for mass in range(len(f2.ratios(result))):
        found = [c.rs for c in f2.changes(result, spacing, mass) if role(c) == kind]
        rs.append(found[-1] if found else np.nan)  # at the highest density
    return f2.ratios(result), np.array(rs)


def draw(results: Results) -> Figure:
    """A row for each spacing: the maps in n/n_h*, and all their boundaries in r_s of the holes."""
    count, spacings = len(results), next(iter(results.values())).data[f2.SPACING].values
    width = LEFT + count * (WIDE + GAP) + APART + OVERLAY + SIDE
    height = BELOW + len(spacings) * (HIGH + GAP) + TOP
    page = titled(width, height, "the phases of Fig. 2 by zero mode and size", 1 - 0.12 / height)
    handles: dict[str, Any] = {}
    for row, d in enumerate(spacings):
        low = BELOW + (len(spacings) - 1 - row) * (HIGH + GAP)
        last = row + 1 == len(spacings)
        for column, (name, whole) in enumerate(results.items()):
            ax = placed(page, LEFT + column * (WIDE + GAP), low, WIDE, HIGH)
            handles |= {str(h.get_label()): h for h in _map(ax, slice_at(whole, f2.SPACING, row))}
            ax.set_title("" if row else f"{labels(results)[name]} holes\nrₛ* = {critical(whole):.2f}", fontsize=NORMAL)
            ax.set_xlabel("mₕ / mₑ" if last else "")
            ax.set_ylabel("" if column else f"d = {d:g} aₕ\nn / nₕ*")
            ax.tick_params(labelleft=not column, labelbottom=last)
        place = (LEFT + count * (WIDE + GAP) + APART) / width, low / height, OVERLAY / width, HIGH / height
        _overlay(page.add_axes(place), results, row, last=last)
    _legends(page, handles, results, 1 - 0.38 / height)
    return page


def _map(ax: Axes, part: SweepResult) -> list[Any]:
    """One map on the axes that all of them share, whatever points they have."""
    lines = [replace(axis_line(part, key), log=False) for key in (f2.MASS, f2.DENSITY)]
    handles = phase_map(ax, part, lines, "winner")
    ax.set_xlim(0.75, 8.5)
    ax.set_ylim(0.05, 1.35)
    return handles


def _overlay(ax: Axes, results: Results, row: int, *, last: bool) -> None:
    """Boundaries of all maps at one spacing, in r_s of the holes."""
    for result, colour in zip(results.values(), COLOURS, strict=False):
        for kind, style in LINES.items():
            ax.plot(*curve(result, row, kind), style, color=colour, linewidth=1.4, marker="o", markersize=3)
    ax.set_yscale("log")
    ax.set_ylim(*RS_SHOWN)
    ax.set_yticks([2, 3, 4, 6, 8, 12], ["2", "3", "4", "6", "8", "12"])
    ax.minorticks_off()
    dress(ax, "" if row else "boundaries in rₛ of the holes", "mₕ / mₑ" if last else "", "rₛ of the holes (aₕ)")
    ax.tick_params(labelbottom=last)


def _legends(page: Figure, handles: dict[str, Any], results: Results, top: float) -> None:
    from matplotlib.lines import Line2D

    ordered = sorted(handles.values(), key=lambda h: not hasattr(h, "get_facecolor"))
    page.legend(handles=ordered, fontsize=SMALL, frameon=False, loc="upper left", bbox_to_anchor=(0.03, top),
                ncols=4 if len(results) > 2 else 2, columnspacing=1.2, handlelength=1.5)
    sets = [Line2D([], [], color=colour, label=text)
            for text, colour in zip(labels(results).values(), COLOURS, strict=False)]
    kinds = [Line2D([], [], color=INK, linestyle=style, label=kind) for kind, style in LINES.items()]
    page.legend(handles=[*sets, *kinds], fontsize=SMALL, frameon=False, loc="upper right", bbox_to_anchor=(1.0, top),
                ncols=2, columnspacing=1.0, handlelength=1.8)


def rows(results: Results) -> list[Row]:
    """Critical r_s of either layer, then every boundary at four mass ratios: n/n_h* and r_s in each map."""
    found = [Row("the maps in this order: zero mode, holes", "none, 36", "; ".join(labels(results).values()), INPUT),
             Row("r_s of the holes within each map", "",
                 ", ".join(" to ".join(f"{rs:.2f}" for rs in reach(r)) for r in results.values()), INPUT)]
    for species, spin in (("hole", "polarised"), ("electron", "spin-degenerate")):
        values = ", ".join(f"{critical(r, species):.3f}" for r in results.values())
        paper = "around 2 (text), 3.5 (notebook)" if species == "hole" else ""
        found.append(Row(f"r_s* of a layer of {species}s alone ({spin} liquid)", paper, values, NEW))
    for spacing, d in enumerate(next(iter(results.values())).data[f2.SPACING].values):
        for ratio in COMPARED:
            found += _boundaries(results, spacing, ratio, f"d = {d:g}, m_h/m_e = {ratio:g}: ")
    return found


def _boundaries(results: Results, spacing: int, ratio: float, head: str) -> Iterator[Row]:
    """A row for each pair of phases that change hands in any of the maps."""
    by_map = []
    for result in results.values():
        there = int(np.argmin(np.abs(f2.ratios(result) - ratio)))
        known = abs(f2.ratios(result)[there] - ratio) < 0.01 * ratio
        by_map.append({(c.below, c.above): c for c in f2.changes(result, spacing, there)} if known else {})
    for pair in dict.fromkeys(p for found in by_map for p in found):
        over, rs = (", ".join(f"{getattr(found[pair], name):.{digits}f}" if pair in found else "-"
                              for found in by_map) for name, digits in (("over_critical", 3), ("rs", 2)))
        yield Row(f"{head}{SHORT.get(pair[0], pair[0])} to {SHORT.get(pair[1], pair[1])}", "",
                  f"n/n_h* {over}; r_s {rs}", NEW)


def caption(results: Results) -> str:
    """What is drawn, and how far apart the points are between which boundaries are interpolated."""
    size = ", ".join(f"{labels(results)[name]} holes: {r.done} of {r.points} points, "
                     f"{r.unresolved} unresolved" for name, r in results.items())
    return ("Phase of least energy per hole as in nashabeh-fu:2, on tori of different size and by both conventions of "
            "the zero mode; as many electrons as holes, hexagon 7, 9 and 14 of waves for 36, 64 and 144 holes, so "
            "that the cutoff in |k| a_h stays about the same. n_h* is computed on the torus and in the convention of "
            "each map, so equal heights of two maps are different densities: right, the same boundaries in r_s of the "
            "holes, density growing upward. A curve ends where its boundary leaves the map. Boundaries in r_s are "
            "interpolated by polynomials through up to four points of a map (their densities are below), or lie "
            f"half-way where a phase does not exist beyond. Dashed red on the maps: n = n_e*. {size}.")


FIGURE = Reproduction("nashabeh-fu:2-sizes", "that map with the Madelung convention and 36, 64 and 144 holes",
                      "Nashabeh and Fu (2026, second version), Fig. 2, beyond the published size", studies, draw, rows,
                      caption)
