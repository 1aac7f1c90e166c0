"""Figures of phonons: the crystal with its zero-point motion, branches, density of states, and scans along a/d."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.figures.real_units import axis_label
from ehbilayer.figures.style import COLOURS, EMPTY, ENERGY, INK, NORMAL, SMALL, WARNING, dress, need, new_figure, span
from ehbilayer.phonons.result import PhononsResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, FOLLOWED, ROW, HEIGHT, HEAD = 11.6, 3.5, 3.9, 3.0, 0.45  # inches
GROUPS = {"dipole": ("dipoles", "#009E73"), "hole": ("holes", COLOURS["hole"]),
          "free_electron": ("free electrons", COLOURS["electron"]), "electron": ("all electrons", "#56B4E9")}
UNIT = {"d": "√(e²/mₕd³)", "a": "√(e²/mₕa³)"}
LEVELS = 80  # bars of the density of states
NEAR = 1.15  # of the shortest distance: how much of the lattice around a cell is drawn


def figure(result: PhononsResult) -> Figure:
    """The page of a phonon result: crystal, branches, density of states, what a saddle becomes; below them a scan.

    Raises InputError for a result without branches, as one that was stopped early.
    """
    need(result, "frequencies")
    scanned, followed = "scan_gamma" in result.data, "followed_positions" in result.data
    width = WIDTH + FOLLOWED * followed
    page = new_figure(width, HEAD + ROW * (1 + scanned))

    def place(row: int, left: float, size: float, low: float = 0.0, high: float = 1.0) -> Axes:
        """Axes in inches from the left, in a share of the height of a row."""
        bottom = ROW * (scanned - row) + 0.6 + low * HEIGHT
        whole = page.get_figheight()
        return page.add_axes((left / width, bottom / whole, size / width, (high - low) * HEIGHT / whole))

    lattice(result, place(0, 0.45, 3.0))
    _spectrum(result, place)
    if followed:
        lattice(result, place(0, WIDTH + 0.25, 3.0), "followed_")
    if scanned:
        gamma_scan(result, place(1, 0.85, 4.7))
        melting(result, place(1, 6.6, 4.7))
    page.text(0.2 / width, 1 - 0.24 / page.get_figheight(), _title(result), fontsize=NORMAL + 1.5, color=INK,
              va="center")
    return page


def _spectrum(result: PhononsResult, place: Callable[..., Axes]) -> None:
    """Branches and density of states; in two parts where hard branches lie far above soft ones."""
    windows = _windows(result)
    shares = [(0.0, 1.0)] if len(windows) == 1 else [(0.0, 0.64), (0.71, 1.0)]
    for i, (window, (low, high)) in enumerate(zip(windows, shares, strict=True)):
        last = i == len(windows) - 1
        left, right = place(0, 4.35, 4.6, low, high), place(0, 9.15, 2.2, low, high)
        branches(result, left, window, titled=last, labelled=i == 0)
        states(result, right, window, titled=last, labelled=i == 0)
    if len(windows) > 1:
        left.set_ylabel("")


def _title(result: PhononsResult) -> str:
    parts = [f"Phonons: {result.structure or 'crystal'}"]
    if result.a_over_d:
        parts.append(f"a/d = {result.a_over_d:.4g}")
    parts += [f"m({name}) = {mass:g}" for name, mass in (result.masses or {}).items()]
    if result.status.value != "converged":
        parts.append(result.status.value)
    return ",  ".join(parts)


def branches(result: PhononsResult, ax: Axes, window: tuple[float, float] | None = None, *, titled: bool = True,
             labelled: bool = True) -> None:
    """Frequencies along the path; unstable modes, drawn below zero, in red."""
    data = result.data
    x, omega = data["path"].values, data["frequencies"].values
    for branch in omega.T:
        ax.plot(x, np.where(branch >= 0, branch, np.nan), color=COLOURS["electron"], linewidth=1.4)
        ax.plot(x, np.where(branch <= 0, branch, np.nan), color=WARNING, linewidth=1.4)
    corners = data["corner"].values
    ax.set_xticks(corners, list(data["corner_name"].values) if labelled else [""] * len(corners))
    for corner in corners[1:-1]:
        ax.axvline(corner, color="#D0D0D0", linewidth=0.8, zorder=0)
    ax.axhline(0, color=EMPTY, linewidth=0.8, zorder=0)
    span(ax, x=(corners[0], corners[-1]))
    window = window or (min(1.08 * float(omega.min()), 0.0), 1.06 * float(omega.max()))
    ax.set_ylim(*window)
    state = {True: ", stable in the whole zone", False: ", unstable", None: ""}[result.stable]
    dress(ax, f"branches{state}" if titled else "", "",
          f"ω ({_unit(result)})" + (", imaginary below 0" if window[0] < 0 else ""))


def states(result: PhononsResult, ax: Axes, window: tuple[float, float], *, titled: bool = True,
           labelled: bool = True) -> None:
    """The density of states, sideways, on the scale of the branches."""
    dress(ax, "density of states" if titled else "", f"modes per cell / {_unit(result)}" if labelled else "", "")
    if "dos" in result.data:
        edges, modes = result.data["dos_edge"].values, result.data["dos"].values
        below = np.append(0.0, np.cumsum(modes * np.diff(edges)))
        shown = np.linspace(*window, LEVELS + 1)  # as fine as the page: the peaks of flat branches stay within it
        density = np.diff(np.interp(shown, edges, below)) / np.diff(shown)
        ax.stairs(density, shown, orientation="horizontal", fill=True, color=COLOURS["electron"], alpha=0.35)
        span(ax, x=(0, 1.08 * max(float(density.max()), 1e-300)))
    ax.set_ylim(*window)
    ax.set_yticklabels([])


def _windows(result: PhononsResult) -> list[tuple[float, float]]:
    """Ranges of frequency to draw: one, or two with the widest gap between branches left out."""
    omega = result.data["frequencies"].values
    low, high = float(omega.min()), float(omega.max())
    low = 1.08 * low if low < -1e-3 * high else 0.0
    levels = np.stack([omega.min(axis=0), omega.max(axis=0)], axis=1)  # of each branch, ascending
    top = np.maximum.accumulate(levels[:-1, 1])
    gap = np.where(top > 0, levels[1:, 0] - top, 0.0)
    i = int(np.argmax(gap))
    if low < 0 or gap[i] < 0.6 * high:
        return [(low, 1.06 * high)]
    pad = max(0.15 * (high - levels[i + 1, 0]), 0.004 * high)
    return [(low, 1.08 * float(top[i])), (float(levels[i + 1, 0]) - pad, high + pad)]


def _unit(result: PhononsResult) -> str:
    return UNIT[str(result.length_unit)]


def lattice(result: PhononsResult, ax: Axes, prefix: str = "") -> None:
    """The charges around a cell; around each a disc of its zero-point motion, where that is known."""
    data = result.data
    vectors, where = data[f"{prefix}vectors"].values, data[f"{prefix}positions"].values
    species, heights = data[f"{prefix}species"].values, data[f"{prefix}heights"].values
    length = float(result.length_unit_a_h or 1.0)
    side = NEAR * float(np.abs(vectors).sum(axis=0).max()) / length
    images = np.stack(np.meshgrid(np.arange(-6, 7), np.arange(-6, 7)), -1).reshape(-1, 2) @ vectors
    motion = data["covariance"].values if "covariance" in data and not prefix else None
    first = where[np.flatnonzero(species == "hole")[0] if "hole" in species else 0]
    middle = first + vectors.sum(axis=0) / 2  # a cell with a hole on its corners
    for i in np.argsort(heights)[::-1] if len(set(species)) > 1 else range(len(where)):
        points = (where[i] + images - middle) / length
        points = points[np.max(np.abs(points), axis=1) < 0.75 * side]
        colour = COLOURS[str(species[i])]
        if motion is not None:
            _discs(ax, points, float(np.sqrt(np.trace(motion[i, :, i]))) / length, colour)
        hole = species[i] == "hole"
        ax.scatter(points[:, 0], points[:, 1], s=110 if hole else 38, facecolors="white" if hole else colour,
                   edgecolors=colour, linewidths=1.6, zorder=3 if hole else 4, label=str(species[i]))
    corners = np.array([np.zeros(2), vectors[0], vectors.sum(axis=0), vectors[1], np.zeros(2)]) + first
    corners = (corners - middle) / length
    ax.plot(*corners.T, color=EMPTY, linewidth=1, zorder=2)
    ax.set_aspect("equal")
    span(ax, x=(-0.6 * side, 0.6 * side), y=(-0.6 * side, 0.6 * side))
    handles, labels = ax.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    ax.legend(once.values(), once.keys(), fontsize=SMALL, loc="upper right", framealpha=0.85, borderpad=0.3)
    title = "crystal" + (", discs: rms zero-point motion" if motion is not None else "")
    if prefix and result.followed is not None:
        title = f"its unstable mode leads to: {result.followed.structure}"
    dress(ax, title, f"x ({result.length_unit})", "")


def _discs(ax: Axes, points: np.ndarray, radius: float, colour: str) -> None:
    from matplotlib.collections import EllipseCollection

    size = np.full(len(points), 2 * radius)
    ax.add_collection(EllipseCollection(size, size, np.zeros(len(points)), units="xy", offsets=points,
                                        offset_transform=ax.transData, facecolors=colour, alpha=0.13, zorder=1))


def gamma_scan(result: PhononsResult, ax: Axes) -> None:
    """Optical frequencies at q -> 0 against a/d; the branches of an unstable crystal are dashed."""
    x, gamma = result.data["scan_a_over_d"].values, result.data["scan_gamma"].values
    stable = result.data["scan_stable"].values.astype(bool)
    for branch in np.where(gamma > 1e-9 * gamma.max(), gamma, np.nan).T:
        if np.any(np.isfinite(branch)):
            ax.plot(x, branch, color=EMPTY, linewidth=1.1, linestyle="--")
            ax.plot(x, np.where(stable, branch, np.nan), color=COLOURS["electron"], linewidth=1.6)
    if "melting_length_free_electron" in result.data:  # electrons in the field of dipoles
        lowest = np.nanmin(np.where(gamma > 1e-9 * gamma.max(), gamma, np.nan)[-1])
        ax.plot(x, lowest * (x / x[-1]) ** -2.5, color=ENERGY, linewidth=1, linestyle=":", label="(d/a)^(5/2)")
    ax.set_xscale("log")
    ax.set_yscale("log")
    span(ax, x=(x[0], x[-1]))
    _plain_ticks(ax)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize=SMALL, frameon=False, loc="lower left")
    dress(ax, "optical frequencies at Γ (dashed: unstable somewhere)", "a/d", "ω (√(e²/mₕd³))")


def melting(result: PhononsResult, ax: Axes) -> None:
    """Melting lines in the plane of a/a_h and d/a_h: a group is solid above its line."""
    drawn: list[Any] = []
    for name, (label, colour) in GROUPS.items():
        if f"melting_length_{name}" not in result.data or (name == "electron" and
                                                           "melting_length_free_electron" in result.data):
            continue
        a, d = (result.data[f"melting_{what}_{name}"].values for what in ("length", "spacing"))
        if name == "hole" and "melting_length_dipole" in result.data:
            continue  # as the dipoles, within the width of the line
        drawn += ax.plot(a, d, color=colour, linewidth=1.8, marker="o", markersize=3, label=label)
    if drawn:
        ax.set_xscale("log")
        ax.set_yscale("log")
        _plain_ticks(ax)
        ax.legend(fontsize=SMALL, frameon=False, loc="best")
    dress(ax, f"quantum melting (Lindemann {result.threshold:g}), solid above",
          axis_label(result, "a", "a_h"), axis_label(result, "d", "a_h"))


def _plain_ticks(ax: Axes) -> None:
    """1, 2, 5, 10, .. on logarithmic axes of few decades."""
    from matplotlib.ticker import NullFormatter

    steps = [m * 10.0**e for e in range(-6, 7) for m in (1, 2, 5)]
    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        few = high / low < 300
        ticks = [t for t in steps if low <= t <= high and (few or f"{t:e}"[0] == "1")]
        if few or len(ticks) > 1:
            axis.set_ticks(ticks, [f"{t:g}" for t in ticks])
        axis.set_minor_formatter(NullFormatter())
