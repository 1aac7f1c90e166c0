"""Maps of sweeps over two keys: phases with their boundaries, numbers, and which points are uncertain or failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.figures.boundaries import Fields, Mesh, chosen_mesh, grid_mesh, regions, strip_mesh
from ehbilayer.figures.boundaries import draw as draw_regions
from ehbilayer.figures.style import (
    INK,
    NORMAL,
    OTHERS,
    PHASE_COLOURS,
    PLAIN,
    SMALL,
    WARNING,
    dress,
    in_print,
    logarithmic,
    number_in_print,
    shades,
)
from ehbilayer.results.base import Variable
from ehbilayer.status import Status
from ehbilayer.sweep.result import SweepResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Normalize

LABELS = {"density.rs_hole": "rₛ of the holes", "density.rs_electron": "rₛ of the electrons",
          "density.hole_over_critical": "hole density / critical density", "density.hole": "hole density",
          "density.electron": "electron density", "density.a_over_d": "a / d", "bilayer.spacing": "spacing d",
          "bilayer.hole_mass": "hole mass", "bilayer.electron_mass": "electron mass",
          "density.electrons_per_hole": "electrons per hole", "cell.holes": "holes in the box"}
PIXELS = 240  # of a map of chosen points, along each axis
DECADES = 2.0  # positive numbers over more of them get a logarithmic scale
PALEST, TOWARDS = 0.35, (0.05, 0.75)  # of colours of phases; the quantiles of the margins between which they deepen
MASS, RATIO = "bilayer.electron_mass", "mₕ / mₑ"
OVER_CRITICAL = "over_critical.electron"


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
            logarithmic(ax, which)
        elif not self.names and np.abs(self.positions).max() >= PLAIN[1]:
            getattr(ax, f"{which}axis").set_major_formatter(lambda value, _: number_in_print(value))
        if self.names:
            getattr(ax, f"set_{which}ticks")(range(len(self.names)), self.names)

    def frame(self, ax: Axes, which: str) -> None:
        """End the axis where its values end."""
        low, high = (-0.5, len(self.names) - 0.5) if self.names else (self.positions.min(), self.positions.max())
        if low < high:
            getattr(ax, f"set_{which}lim")(low, high)


def axis_line(result: SweepResult, key: str) -> Line:
    """The axis of a swept key; electron masses are shown as mass ratios where the hole mass is the same everywhere."""
    variable = result.data[key]
    unit = "" if variable.units == "1" else variable.units
    label = LABELS.get(key) or key.rpartition(".")[2].replace("_", " ")
    label += f" ({in_print(unit)})" if unit else ""
    if variable.values.dtype.kind == "U":
        names = tuple(str(v) for v in variable.values)
        return Line(key, label, np.arange(len(names), dtype=float), names, False)
    values = variable.values.astype(float)
    hole = _hole_mass(result) if key == MASS else None
    if hole is not None:
        values, label = hole / values, RATIO
    given = variable.values.astype(float)
    even = len(given) > 2 and (given > 0).all() and given.max() > 5 * given.min() and np.allclose(
        np.diff(np.log(given)), np.log(given[1] / given[0]))
    return Line(key, label, values, (), bool(even))


def _hole_mass(result: SweepResult) -> float | None:
    """The hole mass in m0, if all points share it."""
    first: dict[str, Any] = result.provenance.resolved.get("first_point", {})
    mass = (first.get("bilayer") or {}).get("hole_mass")
    return None if "bilayer.hole_mass" in result.axes or not mass else float(mass)


def held_at(result: SweepResult, key: str, number: int = 0) -> str:
    """The value of an axis that is held, in words."""
    one = axis_line(result, key)
    name, _, unit = one.label.partition(" (")
    value = one.names[number] if one.names else number_in_print(one.positions[number])
    return f"{name} = {value} {unit.rstrip(')')}".rstrip()


def in_order(result: SweepResult) -> SweepResult:
    """The same grid with the numbers of every axis ascending; a study may list them in any order."""
    data = dict(result.data)
    axes = dict(result.axes)
    for key, values in axes.items() if result.mode == "grid" else ():
        if result.data[key].values.dtype.kind == "U":
            continue
        order = np.argsort(result.data[key].values, kind="stable")
        axes[key] = [values[i] for i in order]
        data = {name: replace(v, values=np.take(v.values, order, v.dims.index(key))) if key in v.dims else v
                for name, v in data.items()}
    return replace(result, axes=axes, data=data)


def slice_at(result: SweepResult, key: str, number: int) -> SweepResult:
    """A sweep over one key fewer: the part of a grid at one value of an axis."""
    data = {}
    for name, v in result.data.items():
        if key in v.dims and name != key:
            where = tuple(number if dim == key else slice(None) for dim in v.dims)
            data[name] = Variable(tuple(d for d in v.dims if d != key), v.values[where], v.units, v.description)
        elif name != key:
            data[name] = v
    axes = {k: values for k, values in result.axes.items() if k != key}
    return replace(result, axes=axes, data=data)


def on_paper(result: SweepResult, name: str, lines: list[Line]) -> np.ndarray:
    """An array over the axes shown, at the first value of every other one; chosen points in a row."""
    variable = result.array(name)
    if result.mode == "adaptive":
        return variable.values
    order = [line.key for line in lines]
    index = tuple(slice(None) if dim in order else 0 for dim in variable.dims)
    left = [dim for dim in variable.dims if dim in order]
    return variable.values[index].transpose([left.index(key) for key in order])


def good(result: SweepResult, lines: list[Line]) -> np.ndarray:
    """Which points are converged; what others hold is no result."""
    good: np.ndarray = on_paper(result, "status", lines) == Status.converged.value
    return good


def points(result: SweepResult, lines: list[Line]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of all points on a map, in the order of `on_paper` raveled."""
    if result.mode == "adaptive":
        return lines[0].positions, lines[1].positions
    x, y = np.meshgrid(lines[0].positions, lines[1].positions, indexing="ij")
    return x.ravel(), y.ravel()


def number_map(ax: Axes, result: SweepResult, lines: list[Line], name: str, norm: Normalize | None = None) -> QuadMesh:
    """A number over two keys, with what failed marked; the colours follow ``norm`` if given."""
    drawn = _paint(ax, result, lines, known_values(result, lines, name))
    drawn.set_cmap(shades("viridis"))
    drawn.set_norm(norm or norm_of([known_values(result, lines, name)]))
    mark_points(ax, result, lines)
    dress(ax, with_unit(result, name), "", "")
    lines[0].dress(ax, "x")
    lines[1].dress(ax, "y")
    return drawn


def known_values(result: SweepResult, lines: list[Line], name: str) -> np.ma.MaskedArray:
    """A number at all points, masked where there is none or the point is not converged."""
    values = on_paper(result, name, lines).astype(float)
    return np.ma.masked_where(~(np.isfinite(values) & good(result, lines)), values)


def norm_of(values: Sequence[np.ma.MaskedArray]) -> Normalize:
    """One scale for all these numbers, logarithmic if they are positive and spread over decades."""
    from matplotlib.colors import LogNorm, Normalize

    all_known = np.concatenate([v.compressed() for v in values])
    if not all_known.size:
        return Normalize(0.0, 1.0)
    low, high = float(all_known.min()), float(all_known.max())
    return LogNorm(low, high) if low > 0 and high > 10**DECADES * low else Normalize(low, high)


def phase_map(ax: Axes, result: SweepResult, lines: list[Line], words: str) -> list[Any]:
    """Which phase wins where: paler where its margin is small, lines where it changes hands; handles for a legend.

    Between neighbouring points colours and lines follow the crossing of energies (`figures.boundaries`); a point
    without neighbours, or next to one that failed, is the cell around it.
    """
    from matplotlib.patches import Patch

    found = fields(result, lines, words)
    strength = _strength(found.margin, found.known)
    lines[0].dress(ax, "x")
    lines[1].dress(ax, "y")
    mesh = _mesh(result, lines, found)
    whole = mesh is not None and found.known.all()
    if not whole:
        _paint_cells(ax, result, lines, found, strength)
    if mesh is not None:
        draw_regions(ax, regions(mesh, found, strength), lambda phase: [_shade(phase, 0.0), colour(phase)])
    for which, line in zip("xy", lines, strict=True):
        line.frame(ax, which)
    phases = dict.fromkeys(found.winner[found.known].tolist())
    handles: list[Any] = [Patch(color=colour(p), label=p) for p in phases if p]
    handles += _critical_line(ax, result, lines)
    handles += mark_points(ax, result, lines)
    ax.set_title("phase of least energy" if words == "winner" else "phase", fontsize=NORMAL, color=INK, pad=5, y=1.0)
    ax.tick_params(labelsize=SMALL, direction="in", length=3)
    return handles


def _mesh(result: SweepResult, lines: list[Line], found: Fields) -> Mesh | None:
    """Triangles between neighbours; None where there are none, as on two axes of names."""
    if result.mode == "adaptive":
        places = np.column_stack([line.even for line in lines])
        return chosen_mesh(places, found.known) if found.known.sum() > 2 else None
    named = [bool(line.names) for line in lines]
    if all(named) or any(len(line.positions) < 2 and not line.names for line in lines):
        return None
    if any(named):
        return strip_mesh(len(lines[named.index(True)].names), lines[named.index(False)].even, named.index(True))
    return grid_mesh(lines[0].even, lines[1].even, found.winner.reshape(len(lines[0].even), -1))


def _paint_cells(ax: Axes, result: SweepResult, lines: list[Line], found: Fields, strength: np.ndarray) -> None:
    """The cells of all known points; chosen points have none."""
    from matplotlib.colors import to_rgba

    if result.mode == "grid":
        rgba = np.array([to_rgba(_shade(p, s)) if k else (1.0, 1.0, 1.0, 0.0)
                         for p, s, k in zip(found.winner, strength, found.known, strict=True)])
        _paint(ax, result, lines, rgba.reshape(len(lines[0].positions), -1, 4))


def _shade(phase: str, strength: float) -> tuple[float, float, float]:
    """The colour of a phase, pale at strength 0 and full at 1."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - (PALEST + (1 - PALEST) * strength) * (1 - c) for c in to_rgb(colour(phase)))
    return red, green, blue


def _strength(margin: np.ndarray, known: np.ndarray) -> np.ndarray:
    """How clear each point is, 0 to 1, by the logarithm of its margin; 1 where nothing competes."""
    compared = known & np.isfinite(margin)
    if not compared.any():
        return np.ones(margin.shape)
    small = np.log(np.maximum(np.where(compared, margin, np.inf), 1e-300))
    low, high = np.quantile(small[compared], TOWARDS)
    return np.clip((small - low) / (high - low) if high > low else np.ones_like(small), 0, 1)


def _critical_line(ax: Axes, result: SweepResult, lines: list[Line]) -> list[Any]:
    """Where the electrons have the critical density of their layer alone, dashed."""
    from matplotlib.lines import Line2D

    if OVER_CRITICAL not in result.data or result.mode != "grid":
        return []
    values = np.log(on_paper(result, OVER_CRITICAL, lines).astype(float))
    if not np.isfinite(values).all() or not values.min() < 0 < values.max():
        return []
    ax.contour(lines[0].positions, lines[1].positions, values.T, levels=[0.0], colors=WARNING, linestyles="--",
               linewidths=1.3)
    return [Line2D([], [], color=WARNING, linestyle="--", linewidth=1.3, label="n = nₑ*")]


def _paint(ax: Axes, result: SweepResult, lines: list[Line], values: np.ndarray) -> QuadMesh:
    """Cells around the points of a grid, or the nearest of chosen points; ``values`` numbers or colours."""
    if result.mode == "grid":
        order = (1, 0, *range(2, values.ndim))
        return ax.pcolormesh(_edges(lines[0]), _edges(lines[1]), values.transpose(order), shading="flat",
                             rasterized=True)
    from scipy.spatial import cKDTree

    ends = [(line.even.min(), line.even.max()) for line in lines]
    unit = np.column_stack([(line.even - low) / (high - low) for line, (low, high) in zip(lines, ends, strict=True)])
    u = np.linspace(0, 1, PIXELS)
    nearest = cKDTree(unit).query(np.stack(np.meshgrid(u, u), axis=-1))[1]
    x, y = (low + u * (high - low) for low, high in ends)
    x, y = (np.exp(v) if line.log else v for v, line in zip((x, y), lines, strict=True))
    ax.plot(*points(result, lines), ".", markersize=1.5, color=INK)
    return ax.pcolormesh(x, y, values[nearest], shading="nearest", rasterized=True)


def _edges(line: Line) -> np.ndarray:
    """Borders of cells, half-way between the values as one sees them; positive quantities stay so."""
    if len(line.even) == 1:
        return line.positions[0] + np.array([-0.5, 0.5])
    middle = (line.even[1:] + line.even[:-1]) / 2
    edges = np.concatenate([[2 * line.even[0] - middle[0]], middle, [2 * line.even[-1] - middle[-1]]])
    if line.log:
        return np.exp(edges)
    return np.maximum(edges, 0.0) if (line.positions > 0).all() else edges


def fields(result: SweepResult, lines: list[Line], words: str = "winner") -> Fields:
    """What boundaries follow from: phases, margins and energies at all points in the order of `points`."""
    phases = on_paper(result, words, lines)
    alone = "margin" not in result.data
    margin = np.full(phases.shape, np.nan) if alone else on_paper(result, "margin", lines).astype(float)
    known = (phases != "") & good(result, lines)
    return Fields(phases.ravel(), margin.ravel(), _energies(result, lines, phases.size), known.ravel())


def _energies(result: SweepResult, lines: list[Line], size: int) -> dict[str, np.ndarray]:
    """Energy of each phase at all points: that of the lowest candidate that ended in it, whatever it began as."""
    found: dict[str, np.ndarray] = {}
    for name in result.candidates:
        energy = on_paper(result, f"energies.{name}", lines).astype(float).ravel()
        ends = on_paper(result, f"ended_as.{name}", lines).ravel()
        for phase in set(ends.tolist()):
            here = (ends == phase) & np.isfinite(energy)
            before = found.setdefault(phase, np.full(size, np.inf))
            found[phase] = np.where(here, np.minimum(before, energy), before)
    return found


def mark_points(ax: Axes, result: SweepResult, lines: list[Line]) -> list[Any]:
    """Crosses on failed points, rings on unresolved ones; handles for a legend."""
    x, y = points(result, lines)
    status = on_paper(result, "status", lines).ravel()
    handles = []
    failed = status != Status.converged.value
    if failed.any():
        handles += ax.plot(x[failed], y[failed], "x", markersize=5, color=WARNING, linestyle="none", clip_on=False,
                           label="failed" if not (status == "missing").any() else "failed, missing")
    if "unresolved" in result.data:
        close = on_paper(result, "unresolved", lines).ravel() & ~failed
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


def with_unit(result: SweepResult, name: str) -> str:
    unit = result.array(name).units
    return title_of(name) + (f" ({in_print(unit)})" if unit != "1" else "")
