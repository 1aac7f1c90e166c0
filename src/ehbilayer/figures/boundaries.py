"""Lines between phases on a map: marching triangles over a grid or over chosen points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.figures.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Fields:
    """What is known at the points (n,) of a map.

    ``winner`` is the phase of least energy, ``margin`` how far it lies below the next one, ``energies`` the energy of
    each phase where it exists (infinite elsewhere), ``known`` where all this may be used.
    """

    winner: np.ndarray
    margin: np.ndarray
    energies: dict[str, np.ndarray]
    known: np.ndarray

    def crossing(self, a: int, b: int) -> float:
        """Where between two points with different winners the two phases have equal energy, 0 at a and 1 at b.

        Linear in the energy difference of the two; half-way where one of them does not exist at one end; linear in the
        margins where no energies are known.
        """
        if not self.energies:
            first, second = float(self.margin[a]), float(self.margin[b])
        else:
            first, second = (self._lead(here, self.winner[there]) for here, there in ((a, b), (b, a)))
        known = np.isfinite(first + second) and first + second > 0
        return first / (first + second) if known else 0.5

    def _lead(self, here: int, rival: str) -> float:
        """How far the winner lies below the rival at a point; infinite where the rival does not exist."""
        none = np.full(len(self.winner), np.inf)
        own, other = (self.energies.get(phase, none)[here] for phase in (self.winner[here], rival))
        return max(float(other - own), 0.0) if np.isfinite(own) else float(np.inf)


def draw(ax: Axes, x: np.ndarray, y: np.ndarray, fields: Fields, shape: tuple[int, ...] | None) -> None:
    """Draw the lines where phases change hands.

    Parameters
    ----------
    x, y : positions (n,) of the points; on a logarithmic axis the lines are straight as one sees them.
    shape : of the grid whose points these are, the last axis running fastest; None for chosen points.
    """
    from matplotlib.collections import LineCollection

    even_x, even_y = (np.log(v) if scale == "log" else v for v, scale in ((x, ax.get_xscale()), (y, ax.get_yscale())))
    triangles = _triangles(even_x, even_y) if shape is None else grid_triangles(shape)
    lines = np.array(list(segments(np.column_stack([even_x, even_y]), triangles, fields))).reshape(-1, 2, 2)
    for axis, scale in enumerate((ax.get_xscale(), ax.get_yscale())):
        lines[..., axis] = np.exp(lines[..., axis]) if scale == "log" else lines[..., axis]
    ax.add_collection(LineCollection(list(lines), colors=INK, linewidths=1.3, capstyle="round"), autolim=False)


def segments(places: np.ndarray, triangles: np.ndarray, fields: Fields) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pieces of the lines in each triangle: one between two phases, three from the middle between three."""
    for corners in triangles:
        if not fields.known[corners].all():
            continue
        cuts = []
        for a, b in ((corners[0], corners[1]), (corners[1], corners[2]), (corners[2], corners[0])):
            if fields.winner[a] != fields.winner[b]:
                t = fields.crossing(a, b)
                cuts.append((1 - t) * places[a] + t * places[b])
        if len(cuts) == 2:
            yield cuts[0], cuts[1]
        elif len(cuts) == 3:
            middle = np.mean(cuts, axis=0)
            yield from ((cut, middle) for cut in cuts)


def grid_triangles(shape: tuple[int, ...]) -> np.ndarray:
    """The cells of a grid, each cut in two: numbers (m, 3) of points, the last axis running fastest."""
    number = np.arange(shape[0] * shape[1]).reshape(shape)
    a, b, c, d = (n.ravel() for n in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    return np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])


def _triangles(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    from scipy.spatial import Delaunay

    scaled = np.column_stack([(v - v.min()) / np.ptp(v) for v in (x, y)])
    return Delaunay(scaled).simplices
