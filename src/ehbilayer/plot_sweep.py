"""Figures of sweeps: curves over one key, maps over two; a map of phases with its boundaries and what is uncertain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.kinds.sweep import main_numbers
from ehbilayer.plot_boundaries import Fields
from ehbilayer.plot_boundaries import draw as draw_boundaries
from ehbilayer.plot_phases import PHASE_COLOURS
from ehbilayer.plot_style import INK, NORMAL, OTHERS, SMALL, UNITS, WARNING, dress, new_figure, shades
from ehbilayer.results import Result, Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

LABELS = {"density.rs_hole": "rₛ of the holes", "density.rs_electron": "rₛ of the electrons",
          "density.hole_over_critical": "hole density / critical density", "density.hole": "hole density",
          "density.electron": "electron density", "density.a_over_d": "a / d", "bilayer.spacing": "spacing d",
          "bilayer.hole_mass": "hole mass (m₀)", "bilayer.electron_mass": "electron mass (m₀)",
          "density.electrons_per_hole": "electrons per hole", "cell.holes": "holes in the box"}
IMPLIED = {"density.rs_hole": "a_h", "density.rs_electron": "a_e", "bilayer.spacing": "a_h", "density.hole": "a_h^-2",
           "density.electron": "a_h^-2"}  # units of bare numbers
MOST_PANELS, ACROSS = 4, 2
WIDTH, HEIGHT, HEAD = 4.6, 3.6, 0.6  # of a panel and of the head of the page, in inches
PIXELS = 240  # of a map of chosen points, along each axis
WORDS = ("winner", "phase")


@dataclass(frozen=True)
class Line:
    """One swept key: positions of its values on paper, what to write there, and whether logarithms are even."""

    key: str
    label: str
    positions: np.ndarray
    names: tuple[str, ...]
    log: bool

    @property
    def even(self) -> np.ndarray:
        """Positions in the coordinate in which the axis is linear."""
        return np.log(self.positions) if self.log else self.positions

    def dress(self, ax: Axes, which: str) -> None:
        """Label one axis, with names for ticks where the values are no numbers."""
        getattr(ax, f"set_{which}label")(self.label, fontsize=NORMAL, labelpad=2)
        if self.log:
            getattr(ax, f"set_{which}scale")("log")
        if self.names:
            getattr(ax, f"set_{which}ticks")(range(len(self.names)), self.names)


def figure(result: Result) -> Figure:
    """The page of a sweep. Raises InputError for one without numbers to show."""
    lines = [_line(result, key) for key in result.summary["axes"]]
    numbers = main_numbers(result)
    words = next((w for w in WORDS if w in result.data), None)
    if not numbers and words is None:
        raise InputError("result", "a sweep with numbers to show", sorted(result.data), "name them under sweep.show")
    lines = sorted(lines, key=lambda line: len(line.positions) == 1)[: 2 if len(lines) > 1 else 1]
    flat = len(lines) > 1 and len(lines[1].positions) > 1
    with_map = flat and words is not None
    names: list[str | None] = ([None] if with_map else []) + list(numbers)
    names = names[: MOST_PANELS] or [None]
    columns = min(ACROSS, len(names))
    rows = -(-len(names) // columns)
    page = new_figure(WIDTH * columns + (1.3 if with_map else 0.3), HEIGHT * rows + HEAD)
    for place, name in enumerate(names):
        ax = _axes(page, place, columns, with_map)
        if name is None:
            _phase_map(ax, result, lines, str(words))
        elif flat:
            _number_map(page, ax, result, lines, name)
        else:
            _curve(ax, result, lines[0], name, words)
    _head(page, result, lines)
    return page


def _axes(page: Figure, place: int, columns: int, with_map: bool) -> Axes:
    width, height = page.get_size_inches()
    left = 0.75 + (place % columns) * ((width - 0.3) / columns)
    low = height - HEAD - HEIGHT * (place // columns + 1) + 0.6
    return page.add_axes((left / width, low / height, ((width - 0.3) / columns - (1.95 if with_map else 1.55)) / width,
                          (HEIGHT - 1.0) / height))


def _line(result: Result, key: str) -> Line:
    """The axis of a swept key."""
    variable = result.data[key]
    unit = IMPLIED.get(key, "") if variable.units == "1" else variable.units
    label = LABELS.get(key, key) + (f" ({UNITS.get(unit, unit)})" if unit else "")
    if variable.values.dtype.kind == "U":
        names = tuple(str(v) for v in variable.values)
        return Line(key, label, np.arange(len(names), dtype=float), names, False)
    values = variable.values.astype(float)
    given = np.array([float(str(v).split()[0]) for v in result.summary["axes"][key]])
    even = len(given) > 2 and (given > 0).all() and given.max() > 5 * given.min() and np.allclose(
        np.diff(np.log(given)), np.log(given[1] / given[0]))
    return Line(key, label, values, (), bool(even))


def _on_paper(result: Result, name: str, lines: list[Line]) -> np.ndarray:
    """An array over the axes shown, at the first value of every other one; chosen points in a row."""
    variable = result.data[name]
    if result.summary["mode"] == "adaptive":
        return variable.values
    order = [line.key for line in lines]
    index = tuple(slice(None) if dim in order else 0 for dim in variable.dims)
    left = [dim for dim in variable.dims if dim in order]
    return variable.values[index].transpose([left.index(key) for key in order])


def _good(result: Result, lines: list[Line]) -> np.ndarray:
    """Which points are converged; what others hold is no result."""
    good: np.ndarray = _on_paper(result, "status", lines) == Status.converged.value
    return good


def _points(result: Result, lines: list[Line]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of all points on a map, in the order of `_on_paper` raveled."""
    if result.summary["mode"] == "adaptive":
        return lines[0].positions, lines[1].positions
    x, y = np.meshgrid(lines[0].positions, lines[1].positions, indexing="ij")
    return x.ravel(), y.ravel()


def _curve(ax: Axes, result: Result, line: Line, name: str, words: str | None) -> None:
    """A number over one key, coloured by phase where there are phases."""
    order = np.argsort(line.positions)
    x, y = line.positions[order], _on_paper(result, name, [line])[order]
    status = _on_paper(result, "status", [line])[order]
    good = status == Status.converged
    ax.plot(x[good], y[good], color=INK, linewidth=1.0, zorder=1)
    phases = _on_paper(result, words, [line])[order] if words else np.full(len(x), "")
    for word in dict.fromkeys(phases[good].tolist()):
        these = good & (phases == word)
        ax.plot(x[these], y[these], "o", markersize=4, color=colour(word), label=word or None)
    ax.plot(x[~good], y[~good], "x", markersize=6, color=WARNING, label="not converged" if (~good).any() else None)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(fontsize=SMALL - 1, frameon=False)
    dress(ax, title_of(name), "", _with_unit(result, name))
    line.dress(ax, "x")


def _number_map(page: Figure, ax: Axes, result: Result, lines: list[Line], name: str) -> None:
    """A number over two keys, with what failed marked."""
    values = _on_paper(result, name, lines).astype(float)
    values = np.ma.masked_where(~(np.isfinite(values) & _good(result, lines)), values)
    drawn = _paint(ax, result, lines, values)
    drawn.set_cmap(shades("viridis"))
    bar = page.colorbar(drawn, ax=ax, fraction=0.05, pad=0.03)
    bar.ax.tick_params(labelsize=SMALL, direction="in")
    _marks(ax, result, lines)
    dress(ax, _with_unit(result, name), "", "")
    lines[0].dress(ax, "x")
    lines[1].dress(ax, "y")


def _phase_map(ax: Axes, result: Result, lines: list[Line], words: str) -> None:
    """Which phase wins where: paler where its margin is small, lines where it changes hands."""
    from matplotlib.colors import to_rgb
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    phases = _on_paper(result, words, lines)
    margin = _on_paper(result, "margin", lines).astype(float) if "margin" in result.data else np.ones(phases.shape)
    known = np.isfinite(margin) & (phases != "") & _good(result, lines)
    typical = float(np.quantile(margin[known], 0.75)) if known.any() else 1.0
    strength = 0.35 + 0.65 * np.clip(np.where(known, margin, 0) / max(typical, 1e-300), 0, 1)
    base = np.array([to_rgb(colour(p)) if k else (1, 1, 1) for p, k in zip(phases.ravel(), known.ravel(), strict=True)])
    shade = (1 - strength[..., None] * (1 - base.reshape(*phases.shape, 3)))
    lines[0].dress(ax, "x")
    lines[1].dress(ax, "y")
    _paint(ax, result, lines, shade)
    present = [p for p in dict.fromkeys(phases[known].tolist()) if p]
    if "margin" in result.data:
        fields = Fields(phases.ravel(), margin.ravel(), _energies(result, lines, phases.size), known.ravel())
        draw_boundaries(ax, *_points(result, lines), fields, phases.shape if phases.ndim > 1 else None)
    handles: list[Patch | Line2D] = [Patch(color=colour(p), label=p) for p in present]
    handles += _marks(ax, result, lines)
    ax.legend(handles=handles, fontsize=SMALL - 0.5, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.02),
              handlelength=1.2, borderaxespad=0.2)
    ax.set_title("phase of least energy" if words == "winner" else "phase", fontsize=NORMAL, color=INK, pad=5, y=1.0)
    ax.tick_params(labelsize=SMALL, direction="in", length=3)


def _paint(ax: Axes, result: Result, lines: list[Line], values: np.ndarray) -> QuadMesh:
    """Cells around the points of a grid, or the nearest of chosen points; ``values`` numbers or colours."""
    if result.summary["mode"] == "grid":
        order = (1, 0, *range(2, values.ndim))
        return ax.pcolormesh(lines[0].positions, lines[1].positions, values.transpose(order), shading="nearest",
                             rasterized=True)
    from scipy.spatial import cKDTree

    ends = [(line.even.min(), line.even.max()) for line in lines]
    unit = np.column_stack([(line.even - low) / (high - low) for line, (low, high) in zip(lines, ends, strict=True)])
    u = np.linspace(0, 1, PIXELS)
    nearest = cKDTree(unit).query(np.stack(np.meshgrid(u, u), axis=-1))[1]
    x, y = (low + u * (high - low) for low, high in ends)
    x, y = (np.exp(v) if line.log else v for v, line in zip((x, y), lines, strict=True))
    ax.plot(*_points(result, lines), ".", markersize=1.5, color=INK)
    return ax.pcolormesh(x, y, values[nearest], shading="nearest", rasterized=True)


def _energies(result: Result, lines: list[Line], size: int) -> dict[str, np.ndarray]:
    """Energy of each phase at all points: that of the lowest candidate that ended in it, whatever it began as."""
    found: dict[str, np.ndarray] = {}
    for name in [n.removeprefix("energies.") for n in result.data if n.startswith("energies.")]:
        energy = _on_paper(result, f"energies.{name}", lines).astype(float).ravel()
        ended = f"ended_as.{name}"
        ends = _on_paper(result, ended, lines).ravel() if ended in result.data else np.full(size, name)
        for phase in set(ends.tolist()):
            here = (ends == phase) & np.isfinite(energy)
            before = found.setdefault(phase, np.full(size, np.inf))
            found[phase] = np.where(here, np.minimum(before, energy), before)
    return found


def _marks(ax: Axes, result: Result, lines: list[Line]) -> list:
    """Crosses on failed points, rings on unresolved ones; handles for a legend."""
    x, y = _points(result, lines)
    status = _on_paper(result, "status", lines).ravel()
    handles = []
    failed = status != Status.converged.value
    if failed.any():
        handles += ax.plot(x[failed], y[failed], "x", markersize=5, color=WARNING, linestyle="none", clip_on=False,
                           label="failed" if not (status == "missing").any() else "failed, missing")
    if "unresolved" in result.data:
        close = _on_paper(result, "unresolved", lines).ravel() & ~failed
        if close.any():
            handles += ax.plot(x[close], y[close], "o", markersize=5, markerfacecolor="none", color=INK,
                               linestyle="none", clip_on=False, label="unresolved")
    return handles


def colour(word: str) -> str:
    """The colour of a phase, always the same; a grey blue for points without one."""
    if word in PHASE_COLOURS or not word:
        return PHASE_COLOURS.get(word, "#0072B2")
    return OTHERS[sum(word.encode()) % len(OTHERS)]


def title_of(name: str) -> str:
    """``gap.electron`` in words."""
    head, _, tail = name.partition(".")
    return head.replace("_", " ") + (f", {tail.replace('_', ' ')}" if tail else "")


def _with_unit(result: Result, name: str) -> str:
    unit = result.data[name].units
    return title_of(name) + (f" ({UNITS.get(unit, unit)})" if unit != "1" else "")


def _head(page: Figure, result: Result, lines: list[Line]) -> None:
    """What was swept and how much of it is there; the values at which other axes are shown."""
    s, height = result.summary, page.get_figheight()
    text = f"{s['kind'].replace('-', ' ')}, {s['done']} of {s['points']} points"
    text += "".join(f", {s[key]} {key}" for key in ("failed", "missing", "unresolved") if s.get(key))
    page.text(0.5, 1 - 0.12 / height, text, ha="center", va="top", fontsize=NORMAL + 2, color=INK, weight="bold")
    shown = {line.key for line in lines}
    held = [f"{LABELS.get(key, key)} = {values[0]}" for key, values in s["axes"].items() if key not in shown]
    if held:
        page.text(0.5, 1 - 0.42 / height, "at " + ", ".join(held), ha="center", va="top", fontsize=NORMAL, color=INK)
