"""Figures of classical crystals: the charges of both layers with the cell, the energies of the starts; for a scan the
ground states, their energies and cells against a/d."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.crystal.result import CrystalResult, CrystalScanResult
from ehbilayer.errors import InputError
from ehbilayer.figures.style import COLOURS, INK, NORMAL, OTHERS, SMALL, WARNING, dress, logarithmic, new_figure, span
from ehbilayer.results.base import Result
from ehbilayer.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 4.2  # half the width of the pictured region, in mean distances of the holes
SIZES = {"electron": 46.0, "hole": 150.0}  # an electron on top of a hole leaves a ring of it
LINES = (*OTHERS, COLOURS["electron"], COLOURS["hole"], "#000000")


def figure(result: Result) -> Figure:
    """Draw a result of kind ``crystal``. Raises InputError for another kind or a result without crystals."""
    if isinstance(result, CrystalScanResult):
        return _scan(result)
    if isinstance(result, CrystalResult):
        return _one(result)
    raise InputError("result", "a crystal result", result.kind, "use the figures of its own kind")


# -- one density --


def _one(result: CrystalResult) -> Figure:
    if "positions" not in result.data or result.a is None:
        raise InputError("result", "one with a crystal", result.status.value, "states without one have no figure")
    several = len(result.starts) > 1
    width = 10.0 if several else 5.2
    page = new_figure(width, 5.2)
    ax = page.add_axes((0.62 / width, 0.12, 4.25 / width, 0.72))
    crystal = {name: result.data[name].values for name in ("vectors", "positions", "heights", "species")}
    length = float(result.a)
    reach = max(WIDE * 1.3 * length, 0.55 * float(np.max(np.abs(crystal["vectors"].sum(axis=0)))))
    draw_charges(ax, crystal, reach, unit=length)
    dress(ax, "", "x / a", "y / a")
    _legend(ax, crystal)
    if several:
        _starts(page.add_axes((0.59, 0.12, 0.39, 0.72)), result)
    _title(page, result)
    return page


def draw_charges(ax: Axes, crystal: dict[str, Any], reach: float, *, unit: float = 1.0, bold: float = 1.0) -> None:
    """All charges within ``reach`` of the middle of the cell (a_h) and the cell itself; axes in units of ``unit``.

    The picture is turned until the first vector of the cell points to the right.
    """
    vectors = np.asarray(crystal["vectors"], dtype=float)
    along = vectors[0] / np.linalg.norm(vectors[0])
    turn = np.array([[along[0], -along[1]], [along[1], along[0]]])
    vectors = vectors @ turn
    middle = vectors.sum(axis=0) / 2
    most = np.ceil(1.5 * reach * np.linalg.norm(np.linalg.inv(vectors), axis=0)).astype(int) + 1
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in most), indexing="ij"), axis=-1).reshape(-1, 2)
    points = ((np.asarray(crystal["positions"]) @ turn)[:, None] + grid @ vectors - middle).transpose(1, 0, 2)
    heights, species = np.asarray(crystal["heights"]), np.asarray(crystal["species"]).astype(str)
    shrink = bold * min(1.0, (5.0 * unit / reach) ** 2 * 1.6)
    for height in sorted(set(heights.tolist()), reverse=True):
        for name in sorted(set(species.tolist()), reverse=True):
            here = points[:, (heights == height) & (species == name)].reshape(-1, 2)
            here = here[np.max(np.abs(here), axis=1) < 1.05 * reach] / unit
            if len(here) == 0:
                continue
            upper = height > heights.min() or len(set(heights.tolist())) == 1
            face = COLOURS[name] if name == "electron" or upper else "white"
            ax.scatter(here[:, 0], here[:, 1], s=shrink * SIZES[name], c=face, edgecolors=COLOURS[name],
                       linewidths=1.1, zorder=3 if name == "electron" else 2)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) @ vectors - middle
    ax.plot(*(corners / unit).T, color=INK, linewidth=1.0, zorder=4)
    span(ax, x=(-reach / unit, reach / unit), y=(-reach / unit, reach / unit))
    ax.set_aspect("equal")


def _legend(ax: Axes, crystal: dict[str, Any]) -> None:
    heights, species = crystal["heights"], crystal["species"].astype(str)
    for name in sorted(set(species.tolist())):
        levels = sorted(set(heights[species == name].tolist()))
        for i, _ in enumerate(levels):
            word = f"{name}s" + ((", lower layer", ", upper layer")[i] if len(levels) == 2 else "")
            face = "white" if len(levels) == 2 and i == 0 else COLOURS[name]
            ax.scatter([], [], s=0.5 * SIZES[name], c=face, edgecolors=COLOURS[name], label=word)
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=SMALL, frameon=False, borderaxespad=0.2)


def _starts(ax: Axes, result: CrystalResult) -> None:
    """Energy of every start above the lowest, in the order of energy; minima and others look different."""
    rows = sorted((r for r in result.starts if r.energy is not None), key=lambda r: float(r.energy or 0.0))
    energy = np.array([r.energy for r in rows])
    above = energy - energy[0]
    good = np.array([r.status is Status.converged for r in rows])
    named = np.array([r.start != "random" for r in rows])
    order = np.arange(1, len(rows) + 1)
    for mask, marker, word in ((good & ~named, "o", "random start"), (good & named, "s", "named start"),
                               (~good, "x", "not at a minimum")):
        if mask.any():
            ax.scatter(order[mask], above[mask], marker=marker, s=26, label=word,
                       c=WARNING if marker == "x" else COLOURS["electron"] if marker == "o" else COLOURS["hole"])
    top = max(float(above.max()), 1e-12)
    span(ax, y=(-0.06 * top, 1.1 * top))
    ax.legend(fontsize=SMALL, frameon=False, loc="upper left")
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    ax.set_xlim(0.4, len(rows) + 0.6)
    ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    dress(ax, "where the starts ended", "start, by energy",
          f"energy per hole above the lowest ({_pretty(result.energy_unit)})")
    if any(m.group != "p1" for m in result.minima):
        words = [f"{m.structure}: {m.found} of {len(rows)}" for m in result.minima[:4]]
        ax.text(0.03, 0.8, "\n".join(words), transform=ax.transAxes, va="top", fontsize=SMALL, color=INK)


def _pretty(unit: str | None) -> str:
    return str(unit).replace("^2", "²")


def _title(page: Figure, result: CrystalResult) -> None:
    energy = f",  E / hole = {result.energy_per_hole:.9f} {_pretty(result.energy_unit)}".replace("= -", "= −")
    page.text(0.5, 0.98, str(result.structure) + energy, ha="center", va="top", fontsize=NORMAL + 2, color=INK,
              weight="bold")
    parts = [] if not result.a_over_d else [f"a/d = {result.a_over_d:.6g}"]
    if (found := result.symmetry) is not None:
        parts += [f"layer group {found.group}", f"{found.charges_per_primitive_cell} charges per cell"]
    if result.status is not Status.converged:
        parts.append(result.status.value.upper().replace("_", " "))
    page.text(0.5, 0.915, ",  ".join(parts), ha="center", va="top", fontsize=NORMAL,
              color=INK if result.status is Status.converged else WARNING)


# -- a scan --


def _scan(result: CrystalScanResult) -> Figure:
    if "structures" not in result.data:
        return _unfinished(result)
    page = new_figure(10.0, 10.0)
    share = 0.92 / len(result.sequence)
    for i, part in enumerate(result.sequence):
        ax = page.add_axes((0.055 + i * share, 0.735, 0.9 * share, 0.19))
        _example(ax, result, i)
        name = part.structure.replace(" (", "\n(")
        ax.set_title(f"{name}\n{part.low:.5g} < a/d < {part.high:.5g}", fontsize=SMALL, color=INK, pad=3)
    top, middle, low = (page.add_axes((0.09, y, 0.83, 0.195)) for y in (0.515, 0.285, 0.055))
    _energies(top, result)
    _differences(middle, result)
    _cells(low, result)
    page.text(0.5, 0.993, "classical ground states against a/d", ha="center", va="top", fontsize=NORMAL + 3, color=INK,
              weight="bold")
    return page


def _unfinished(result: CrystalScanResult) -> Figure:
    """What an interrupted scan has: the lowest end at each a/d so far, by its structure."""
    if "start_a_over_d" not in result.data:
        raise InputError("result", "a scan with a finished start", result.status.value, "resume it")
    x, energy, names = (result.data[f"start_{k}"].values for k in ("a_over_d", "energy_per_hole", "structure"))
    x = np.round(x, 9)
    lowest = np.array([min(np.flatnonzero(x == v), key=lambda i: energy[i]) for v in np.unique(x)])
    page = new_figure(7.0, 4.6)
    ax = page.add_axes((0.12, 0.12, 0.84, 0.7))
    for name, colour in zip(dict.fromkeys(names[lowest].tolist()), itertools.cycle(LINES), strict=False):
        these = lowest[names[lowest] == name]
        ax.plot(x[these], energy[these], "o", color=colour, markersize=5, label=name)
    logarithmic(ax, "x")
    ax.legend(fontsize=SMALL, frameon=False)
    dress(ax, "lowest end of the starts so far", "a/d", "energy per hole (e²/d)")
    page.text(0.5, 0.97, f"{result.status.value.upper().replace('_', ' ')}: {len(x)} starts finished, no transition "
              "located yet", ha="center", va="top", fontsize=NORMAL, color=WARNING, weight="bold")
    return page


def _example(ax: Axes, result: CrystalScanResult, number: int) -> None:
    crystal = {name: result.data[f"example_{number}_{name}"].values
               for name in ("vectors", "positions", "heights", "species")}
    holes = crystal["species"].astype(str) == "hole"
    upper = crystal["heights"][holes if holes.any() else ~holes]
    in_layer = len(upper) // len(set(upper.tolist()))
    length = float(np.sqrt(abs(np.linalg.det(crystal["vectors"])) / (np.pi * in_layer)))
    draw_charges(ax, crystal, 3.1 * length, unit=length, bold=0.32)
    ax.set_xticks([])
    ax.set_yticks([])


def _colour(result: CrystalScanResult) -> dict[str, str]:
    names = [str(x) for x in result.data["structures"].values]
    return {name: LINES[i % len(LINES)] for i, name in enumerate(names)}


def _mark(ax: Axes, result: CrystalScanResult, *, words: bool = False) -> None:
    """Transitions: full lines of first order, dashed continuous ones."""
    for t in result.transitions:
        ax.axvline(t.a_over_d, color=INK, linewidth=0.9, linestyle="--" if t.order == "continuous" else "-",
                   zorder=1)
    ax.set_xscale("log")
    x = result.data["a_over_d"].values
    span(ax, x=(x.min(), x.max()))
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    ticks = [t for t in (0.2, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 20, 50) if x.min() <= t <= x.max()]
    ax.set_xticks(ticks)
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_minor_formatter(NullFormatter())
    if words:
        ax.plot([], [], color=INK, linewidth=0.9, label="first order")
        ax.plot([], [], color=INK, linewidth=0.9, linestyle="--", label="continuous")


def _energies(ax: Axes, result: CrystalScanResult) -> None:
    ax.plot(result.data["a_over_d"].values, result.data["ground_energy"].values, "o-", color=INK, markersize=3,
            linewidth=1.2, label="ground state")
    _mark(ax, result, words=True)
    ax.legend(fontsize=SMALL, frameon=False, loc="lower right")
    dress(ax, "", "", "energy per hole (e²/d)")


def _differences(ax: Axes, result: CrystalScanResult) -> None:
    """Every structure against the ground state, in e^2/a, in which the differences are of one size."""
    x, ground, energy = (result.data[k].values for k in ("a_over_d", "ground_energy", "energy"))
    top = 1e-9
    for line, (name, colour) in zip(energy, _colour(result).items(), strict=True):
        above = (line - ground) * x
        ax.plot(x, above, "o-", markersize=3, linewidth=1.2, color=colour, label=name)
        near = above[np.isfinite(above)]
        top = max(top, float(np.median(near)) if len(near) else 0.0)
    span(ax, y=(-0.05 * 3 * top, 3 * top))
    _mark(ax, result)
    ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    ax.legend(fontsize=SMALL, frameon=False, loc="upper right")
    dress(ax, "", "", "above the ground state (e²/a)")


def _cells(ax: Axes, result: CrystalScanResult) -> None:
    """Cell of the ground state: angle, and ratio of the sides."""
    x = result.data["a_over_d"].values
    names = [str(n) for n in result.data["structures"].values]
    ground = [str(n) for n in result.data["ground"].values]
    rows = np.array([names.index(n) if n in names else -1 for n in ground])
    take = np.arange(len(x))
    angle = np.where(rows >= 0, result.data["cell_gamma"].values[rows, take], np.nan)
    ratio = np.where(rows >= 0, (result.data["cell_b"].values / result.data["cell_a"].values)[rows, take], np.nan)
    ax.plot(x, angle, "o-", markersize=3, linewidth=1.2, color=COLOURS["electron"])
    _mark(ax, result)
    dress(ax, "", "a/d", "angle of the primitive cell (°)")
    ax.yaxis.label.set_color(COLOURS["electron"])
    ax.set_ylim(55, 95)
    other = ax.twinx()
    other.plot(x, ratio, "s-", markersize=3, linewidth=1.2, color=COLOURS["hole"])
    other.set_ylim(0.98, max(1.3, 1.05 * float(np.nanmax(ratio))))
    other.set_ylabel("ratio of its sides b/a", fontsize=NORMAL, color=COLOURS["hole"])
    other.tick_params(labelsize=SMALL, direction="in", length=3)
