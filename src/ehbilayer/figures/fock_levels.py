"""Fock levels: bands along lines of high symmetry, a box' levels unfolded onto them, and all levels with the gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.figures.style import (
    EMPTY,
    INK,
    SMALL,
    Carrier,
    FermiLevel,
    carrier,
    corner_names,
    dress,
    fermi_level,
    figure_of,
    gap_note,
    need,
    panel,
    units,
)
from ehbilayer.hartree_fock.result import HartreeFockResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES = ("-", (0, (4, 2)), (0, (1, 1)))  # determinants of one species: up, down, ..
FINER = 8  # points drawn per computed point of a band, so that it changes colour at the Fermi level
BINS = 48


def bands(result: HartreeFockResult, ax: Axes | None = None, species: str | None = None) -> Figure:
    """Draw the Fock bands of one species along lines of high symmetry: the filled part in colour, the gap shaded.

    A free box has no bands; its levels are drawn as dots at the k points of the crystal's mesh that lie on the path,
    with areas proportional to their weight there. Energies count from mid-gap, or from the highest filled level.

    Parameters
    ----------
    result : of a crystal or a box.
    ax : axes to draw in; a new figure by default.
    species : its name, the first species by default.

    Raises InputError if the result lacks that species or has neither bands nor unfolded levels.
    """
    who = carrier(result, species)
    folded = f"bands_{who.channels[0][0]}" in result.data
    if not folded:
        need(result, f"bands_{who.channels[0][0]}", f"unfolded_energy_{who.channels[0][0]}")
    level = fermi_level(result, who)
    ax = panel(ax)
    if folded:
        _lines(result, who, level, ax)
        corners = result.data["path_marks"].values
    else:
        _dots(result, who, level, ax)
        corners = result.data["unfolded_corners"].values
    ax.set_xticks(corners, corner_names(result, "path_names" if folded else "unfolded_names"))
    for corner in corners[1:-1]:
        ax.axvline(corner, color="#D0D0D0", linewidth=0.8, zorder=0)
    pad = 0.0 if folded else 0.03 * corners[-1]
    ax.set_xlim(corners[0] - pad, corners[-1] + pad)
    unit = units(result, f"levels_{who.channels[0][0]}")
    gap_note(ax, level, unit)
    ax.set_ylim(*level.window)
    dress(ax, f"{who.name} bands (filled in colour)" if folded else f"{who.name} levels unfolded (area: weight)", "",
          f"E − {level.name} ({unit})")
    return figure_of(ax)


def _lines(result: HartreeFockResult, who: Carrier, level: FermiLevel, ax: Axes) -> None:
    """Every band in grey, and in colour below the Fermi level."""
    path = result.data["path"].values
    fine = np.linspace(path[0], path[-1], FINER * (len(path) - 1) + 1)
    for dash, (c, label, _) in zip(DASHES * len(who.channels), who.channels, strict=False):
        energy = result.data[f"bands_{c}"].values - level.zero
        smooth = np.stack([np.interp(fine, path, e) for e in energy.T], axis=1)
        ax.plot(fine, smooth, color=EMPTY, linewidth=1.0, linestyle=dash)
        below = np.where(smooth <= 0, smooth, np.nan)
        lines = ax.plot(fine, below, color=who.colour, linewidth=2.4, linestyle=dash)
        lines[0].set_label(label.removeprefix(who.name).strip())
    if len(who.channels) > 1:
        ax.legend(fontsize=SMALL, frameon=False, loc="upper left")


def _dots(result: HartreeFockResult, who: Carrier, level: FermiLevel, ax: Axes) -> None:
    """Levels of a box at the mesh' k points on the path; Gamma is at both of its ends."""
    where = result.data["unfolded_path"].values
    end = result.data["unfolded_corners"].values[-1]
    on = np.flatnonzero(np.isfinite(where))
    copies = on[np.abs(where[on]) < 1e-9 * end]
    k, x = np.concatenate([on, copies]), np.concatenate([where[on], np.full(len(copies), end)])
    for c, _, _ in who.channels:
        energy = result.data[f"unfolded_energy_{c}"].values - level.zero
        full = result.data[f"filled_{c}"].values.ravel() > 0.5
        for mine, edge, face in ((full, who.colour, who.colour), (~full, EMPTY, "white")):
            mine = mine & np.isfinite(energy)
            at, weight = merge_levels(energy[mine], result.data[f"unfolded_weight_{c}"].values[mine][:, k])
            state, point = np.nonzero(weight > 0.02)
            ax.scatter(x[point], at[state], s=32 * weight[state, point], c=face, edgecolors=edge, linewidths=0.9,
                       zorder=3)


def merge_levels(energy: np.ndarray, weight: np.ndarray, tolerance: float = 1e-5) -> tuple[np.ndarray, np.ndarray]:
    """Degenerate levels (n,) as one with the sum of their weights (n, k).

    Levels of a box at k and -k are degenerate and mixed: each has half its weight on k, the pair one whole state.
    """
    if not len(energy):
        return energy, weight
    order = np.argsort(energy)
    energy, weight = energy[order], weight[order]
    first = np.flatnonzero(np.diff(energy, prepend=-np.inf) > tolerance * max(float(np.ptp(energy)), 1e-9))
    return energy[first], np.add.reduceat(weight, first, axis=0)


def levels(result: HartreeFockResult, ax: Axes | None = None, species: str | None = None) -> Figure:
    """Draw all Fock levels of one species as sticks, with a histogram of how many there are: filled ones in colour.

    Energies count from mid-gap, or from the highest filled level. Of a free box only the lowest empty levels are known.

    Parameters
    ----------
    result : with Fock levels.
    ax : axes to draw in; a new figure by default.
    species : its name, the first species by default.

    Raises InputError if the result lacks that species or its levels.
    """
    who = carrier(result, species)
    level = fermi_level(result, who)
    ax = panel(ax)
    edges = np.linspace(*level.window, BINS + 1)
    counts = np.zeros((2, BINS))  # filled, empty
    sticks = []
    for c, _, degeneracy in who.channels:
        energy, filled = result.data[f"levels_{c}"].values.ravel(), result.data[f"filled_{c}"].values.ravel()
        known = np.isfinite(energy)
        energy, filled = energy[known] - level.zero, filled[known]
        for row, share in enumerate((filled, 1 - filled)):
            counts[row] += degeneracy * np.histogram(energy, edges, weights=share)[0]
        sticks.append((energy, filled))
    _bars(ax, edges, counts, sticks, who.colour)
    unit = units(result, f"levels_{who.channels[0][0]}")
    gap_note(ax, level, unit)
    ax.set_ylim(*level.window)
    dress(ax, f"{who.name} levels (filled in colour)", f"states per {edges[1] - edges[0]:.2g} {unit}",
          f"E − {level.name} ({unit})")
    return figure_of(ax)


def _bars(ax: Axes, edges: np.ndarray, counts: np.ndarray, sticks: list[tuple[np.ndarray, np.ndarray]],
          colour: str) -> None:
    """Filled and empty states per bin as stacked bars, and to their left a stick for every level."""
    most, height = max(float(counts.sum(axis=0).max()), 1.0), edges[1] - edges[0]
    ax.barh(edges[:-1], counts[0], height, align="edge", color=colour, alpha=0.55)
    ax.barh(edges[:-1], counts[1], height, align="edge", left=counts[0], color=EMPTY, alpha=0.35)
    for energy, filled in sticks:
        for mask, ink in ((filled <= 1e-9, EMPTY), (filled > 1e-9, colour)):
            ax.hlines(energy[mask], -0.14 * most, -0.02 * most, color=ink, linewidth=0.8)
    ax.axvline(0.0, color=INK, linewidth=0.6)
    ax.set_xlim(-0.16 * most, 1.2 * most)
