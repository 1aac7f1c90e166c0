"""Nashabeh and Fu, Fig. 1: phases over spacing and density at equal masses and with heavier holes.

In the paper this is a sketch of what to expect. Here both panels are drawn from computed energies.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from ehbilayer import SweepResult
from ehbilayer.figures import INK, NORMAL, SMALL, axis_line, phase_map, slice_at
from ehbilayer.papers.nashabeh_fu import figure_2 as f2
from ehbilayer.papers.record import Axes, Figure, Reproduction, Results, Row, Studies, placed, said, titled

STUDY = "nashabeh-fu-spacing-and-density"
MASSES = [1.0, 0.25]  # m0, for holes of 1 m0
NAMES = {f2.CONDENSATE: "exciton\ncondensate", f2.EL_HC: "electron liquid,\nhole crystal",
         f2.EC_HL: "electron crystal,\nhole liquid", f2.CRYSTAL: "crystals in\nboth layers", f2.LIQUID: "Fermi liquid"}
LOCAL_HOLES = (f2.EL_HC, f2.CRYSTAL)
TICKS = {"x": [0.3, 1.0, 3.0, 10.0], "y": [0.1, 0.2, 0.5, 1.0, 2.0, 5.0]}
RS_TICKS = [12, 8, 6, 4, 3, 2]
MARGIN = np.array([0.14, 0.06])  # of names from the frame, as fractions of the panel
LEFT, BELOW, WIDE, HIGH, GAP, RIGHT, TOP = 0.65, 0.55, 3.6, 3.9, 0.3, 0.6, 0.95  # inches


def studies(quick: bool) -> Studies:
    """Two masses over spacing and density, beside the map of Fig. 2, whose finer boundaries are the dots."""
    if quick:
        few = {f2.MASS: MASSES, f2.SPACING: [0.3, 10.0], f2.DENSITY: [0.1, 0.6, 3.0]}
        return {STUDY: f2.map_study(few, True) | f2.FEWER}
    axes: dict[str, Any] = {f2.MASS: MASSES, f2.SPACING: {"start": 10**-0.5, "stop": 10.0, "count": 7, "scale": "log"},
                            f2.DENSITY: {"start": 0.1, "stop": 6.4, "count": 10, "scale": "log"}}
    return {STUDY: f2.map_study(axes, False)} | f2.studies(False)


def draw(results: Results) -> Figure:
    """A panel for each mass ratio; density upward, spacing to the right."""
    result = results[STUDY]
    count = len(result.data[f2.MASS].values)
    width, height = LEFT + count * (WIDE + GAP) - GAP + RIGHT, BELOW + HIGH + TOP
    page = titled(width, height, "phases over spacing and density (Nashabeh and Fu, Fig. 1)", 1 - 0.12 / height)
    handles: dict[str, Any] = {}
    named: set[str] = set()
    for column, ratio in enumerate(f2.ratios(result)):
        ax = placed(page, LEFT + column * (WIDE + GAP), BELOW, WIDE, HIGH)
        part = slice_at(result, f2.MASS, column)
        lines = [replace(axis_line(part, key), log=True) for key in (f2.SPACING, f2.DENSITY)]
        handles |= {str(h.get_label()): h for h in phase_map(ax, part, lines, "winner")}
        handles |= _dots(ax, results, float(ratio))
        named |= _names(ax, part)
        _dress(ax, f"mₕ / mₑ = {ratio:g}", first=not column, last=column + 1 == count,
               critical=float(result.data["critical_rs"].values.flat[0]))
    others = [h for label, h in handles.items() if label not in named]  # those phases are named where they lie
    page.legend(handles=others, fontsize=SMALL, frameon=False, loc="upper center", ncols=len(others),
                bbox_to_anchor=(0.5, 1 - 0.36 / height))
    return page


def _dots(ax: Axes, results: Results, ratio: float) -> dict[str, Any]:
    """Boundaries of the map of Fig. 2, which has more densities, at its spacings and this mass ratio."""
    fine = results.get(f2.STUDY)
    if fine is None or not np.isclose(f2.ratios(fine), ratio, rtol=1e-3).any():
        return {}
    mass = int(np.argmin(np.abs(f2.ratios(fine) - ratio)))
    places = [(d, change.over_critical) for i, d in enumerate(fine.data[f2.SPACING].values)
              for change in f2.changes(fine, i, mass)]
    drawn = ax.plot(*np.array(places).reshape(-1, 2).T, "D", markersize=4, markerfacecolor="white",
                    markeredgecolor=INK, linestyle="none", clip_on=False, label="boundary by the map of Fig. 2")
    return {str(drawn[0].get_label()): drawn[0]}


def _names(ax: Axes, part: SweepResult) -> set[str]:
    """Each phase's name at the point of its region that lies nearest to the region's middle; which have one."""
    named = set()
    x, y = (np.log(part.data[key].values.astype(float)) for key in (f2.SPACING, f2.DENSITY))
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    for phase, name in NAMES.items():
        places = grid[f2.winners(part) == phase]
        if len(places) > 1:
            named.add(phase)
            middle = places.mean(axis=0)
            at = np.exp(places[np.argmin(np.sum((places - middle) ** 2, axis=1))])
            inside = ax.transAxes.inverted().transform(ax.transData.transform(at))
            across, up = np.clip(inside, MARGIN, 1 - MARGIN).tolist()
            ax.text(across, up, name, ha="center", va="center", fontsize=SMALL, color=INK,
                    transform=ax.transAxes, bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.5})
    return named


def _dress(ax: Axes, title: str, *, first: bool, last: bool, critical: float) -> None:
    """Axes in d/a_h and n/n_h*, on the last panel also in r_s of the holes."""
    from matplotlib.ticker import NullLocator

    ax.set_title(title, fontsize=NORMAL)
    ax.set_xlabel("d (aₕ)", fontsize=NORMAL)
    ax.set_ylabel("n / nₕ*" if first else "", fontsize=NORMAL)
    ax.set_xticks(TICKS["x"], [f"{v:g}" for v in TICKS["x"]])
    ax.set_yticks(TICKS["y"], [f"{v:g}" for v in TICKS["y"]])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_locator(NullLocator())
    ax.tick_params(labelleft=first)
    if last:
        rs = ax.twinx()
        rs.set_yscale(ax.get_yscale())
        rs.set_ylim(ax.get_ylim())
        rs.set_yticks([(critical / v) ** 2 for v in RS_TICKS], [str(v) for v in RS_TICKS])
        rs.yaxis.set_minor_locator(NullLocator())
        rs.set_ylabel("rₛ of the holes (aₕ)", fontsize=NORMAL)
        rs.tick_params(labelsize=SMALL, direction="in", length=3)


def sequence(result: SweepResult, mass: int, spacing: int) -> str:
    """The winners from low to high density, each once where it stays."""
    found = [phase for phase, _ in groupby(f2.winners(result)[mass, spacing].tolist()) if phase]
    return ", ".join(str(phase) for phase in found)


def first_spacing(result: SweepResult, mass: int, phases: tuple[str, ...]) -> float:
    """The smallest spacing at which one of the phases wins at any density; infinite if none does."""
    found = np.isin(f2.winners(result)[mass], phases).any(axis=1)
    return float(result.data[f2.SPACING].values[found].min(initial=np.inf))


def rows(results: Results) -> list[Row]:
    """The sentences of the published caption."""
    result = results[STUDY]
    near, heavy = float(result.data[f2.SPACING].values[0]), len(f2.ratios(result)) - 1
    equal = set(f2.winners(result)[0].ravel().tolist())
    holes, both = (first_spacing(result, heavy, p) for p in (LOCAL_HOLES, (f2.CRYSTAL,)))
    found = [said("equal masses: no electron liquid on a hole crystal", f2.EL_HC not in equal,
                  "" if f2.EL_HC in equal else "wins nowhere"),
             said(f"m_h/m_e = {f2.ratios(result)[heavy]:g}: electron liquid on a hole crystal", bool(
                 (f2.winners(result)[heavy] == f2.EL_HC).any()), f"from d = {holes:.3g} a_h")]
    for mass, ratio in enumerate(f2.ratios(result)):
        text = sequence(result, mass, 0)
        found.append(said(f"d = {near:.2g}, m_h/m_e = {ratio:g}: condensate to liquid without a crystal",
                          text == f"{f2.CONDENSATE}, {f2.LIQUID}", text))
    found.append(said(f"m_h/m_e = {f2.ratios(result)[heavy]:g}, larger d: a crystal first of holes, then in both "
                      "layers",
                      holes < both < np.inf, f"holes from d = {holes:.3g}, both from {both:.3g} a_h"))
    found.append(said("equal masses, larger d: a crystal", f2.CRYSTAL in equal,
                      f"both from {first_spacing(result, 0, (f2.CRYSTAL,)):.3g} a_h"))
    return found


def caption(results: Results) -> str:
    """What is computed, and what the figure does not claim."""
    result = results[STUDY]
    dots = ("Diamonds, at d = 1, 3 and 10 a_h: the same boundaries from the map of Fig. 2 with its finer densities. "
            if f2.STUDY in results else "")
    return ("The published figure is a sketch, and its text does not say which axis is which. Here every point is "
            "computed: the phase of least Hartree-Fock or Hartree-Fock-Bogoliubov energy of 36 polarised holes and as "
            "many electrons (restricted where liquid), triangular torus, zero mode none. "
            f"{len(result.data[f2.SPACING].values)} spacings and {len(result.data[f2.DENSITY].values)} densities per "
            f"panel, n_h* of the same torus, r_s* = {float(result.data['critical_rs'].values.flat[0]):.3f}. Lines: "
            f"where energies cross, interpolated between points. Paler colours mean smaller margins. {dots}Dashed: n = "
            "n_e*. The condensate's electrons are polarised, those of the liquid are not. Not computed: correlation "
            "beyond mean field, bi-excitons, stripes, spacings and densities beyond the frame. The melting of the "
            f"hole crystal moves with the number of holes (nashabeh-fu:2-sizes). {result.done} of {result.points} "
            f"points, {result.unresolved} unresolved.")


FIGURE = Reproduction("nashabeh-fu:1", "phases over spacing and density, equal masses and heavier holes",
                      "Nashabeh and Fu (2026, second version), Fig. 1 (a sketch there)", studies, draw, rows, caption)
