"""The map of Nashabeh and Fu, Fig. 2, with converged waves and every arrangement of spins: what stays of it?"""

from __future__ import annotations

from typing import Any

from ehbilayer.figures import NORMAL, SMALL, axis_line, phase_map, slice_at
from ehbilayer.papers.nashabeh_fu import figure_2 as f2
from ehbilayer.papers.record import NEW, Figure, Reproduction, Results, Row, Studies, placed, titled

STUDY = f"{f2.STUDY}-converged"
TOLERANCE = 1e-5  # Ha_h per particle that more waves may still take away
COMPARED = (1.0, 2.0, 4.0, 8.0)  # m_h/m_e in the table
QUICK: dict[str, Any] = {f2.SPACING: [1.0], f2.MASS: [0.5, 0.25], f2.DENSITY: [0.3, 0.7]}
LEFT, BELOW, WIDE, HIGH, GAP, SIDE, TOP = 0.65, 0.5, 2.7, 2.5, 0.2, 1.7, 0.75  # inches


def studies(quick: bool) -> Studies:
    """The map of Fig. 2 without its waves and spins; quick: four points of it."""
    axes: dict[str, Any] = {f2.SPACING: f2.SPACINGS, f2.MASS: f2.MASSES, f2.DENSITY: f2.DENSITIES}
    return {STUDY: map_study(QUICK if quick else axes, quick)}


def map_study(axes: dict[str, Any], quick: bool, holes: int = 36) -> dict[str, Any]:
    """Tables of a phase diagram over ``axes``, its waves by the tolerance, in all spins."""
    tables = f2.map_study(axes, quick, holes=holes)
    del tables["cell"]["hexagon"], tables["hartree-fock"]["electron_spin"]
    tables["hartree-fock"]["tolerance"] = TOLERANCE
    return tables | (f2.FEWER if quick else {})


def holes_of(name: str) -> int:
    """In the box of a study."""
    return int(name.removeprefix(STUDY).lstrip("-") or 36)


def draw(results: Results) -> Figure:
    """A map for each spacing."""
    ((name, result),) = results.items()
    spacings = result.data[f2.SPACING].values
    width, height = LEFT + len(spacings) * (WIDE + GAP) + SIDE, BELOW + HIGH + TOP
    page = titled(width, height, f"the phases of Fig. 2, {holes_of(name)} holes, waves converged, all spins",
                  1 - 0.12 / height)
    handles: dict[str, Any] = {}
    for column, d in enumerate(spacings):
        ax = placed(page, LEFT + column * (WIDE + GAP), BELOW, WIDE, HIGH)
        part = slice_at(result, f2.SPACING, column)
        lines = [axis_line(part, f2.MASS), axis_line(part, f2.DENSITY)]
        handles |= {str(h.get_label()): h for h in phase_map(ax, part, lines, "winner")}
        ax.set_title(f"d = {d:g} aₕ", fontsize=NORMAL)
        ax.set_xlabel(lines[0].label)
        ax.set_ylabel("" if column else "n / nₕ*")
        ax.tick_params(labelleft=not column)
    ordered = sorted(handles.values(), key=lambda h: not hasattr(h, "get_facecolor"))
    page.legend(handles=ordered, fontsize=SMALL, frameon=False, loc="upper left",
                bbox_to_anchor=(1 - (SIDE - 0.05) / width, 1 - TOP / height))
    return page


def rows(results: Results) -> list[Row]:
    """Every boundary along the density at four mass ratios."""
    (result,), found = results.values(), []
    for i, d in enumerate(result.data[f2.SPACING].values):
        for j, ratio in enumerate(f2.ratios(result)):
            if not any(abs(ratio - wanted) < 0.01 * wanted for wanted in COMPARED):
                continue
            head = f"d = {d:g}, m_h/m_e = {ratio:.3g}: "
            found += [Row(f"{head}{c.below} to {c.above}", "", f"n/n_h* {c.over_critical:.3f}; r_s {c.rs:.2f}", NEW)
                      for c in f2.changes(result, i, j)]
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    ((name, result),) = results.items()
    holes, rs = holes_of(name), float(result.data["critical_rs"].values.flat[0])
    return (f"Phase of least energy per hole of {holes} + {holes} particles, triangular torus, zero mode none, as in "
            f"nashabeh-fu:2, with as many waves as leave {TOLERANCE:g} Ha_h per particle open, and every candidate in "
            f"every arrangement of spins: the winner is that of all. n_h* is that of 36 holes with converged waves, "
            f"r_s* = {rs:.3f}. Rings: the margin lies within its error (waves, size, start). {result.done} of "
            f"{result.points} points, {result.unresolved} unresolved.")


FIGURE = Reproduction("nashabeh-fu:2-converged", "the map of Fig. 2 with converged waves and all arrangements of spins",
                      "Nashabeh and Fu (2026, second version), Fig. 2, beyond the published setting", studies, draw,
                      rows, caption)
