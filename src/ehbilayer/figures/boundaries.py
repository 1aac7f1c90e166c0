"""Regions of phases on a map and the lines between them, from the same triangles: colours and lines cannot disagree.

Every triangle of neighbouring points is cut where the energies of two phases cross; each piece takes the colour of its
corner. Named values of an axis have no neighbours: each is a strip of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True)
class Mesh:
    """Triangles between neighbouring points.

    ``places`` (m, 2) are their corners in the coordinates in which the axes are linear, ``points`` (m,) the point that
    each corner stands for (one may have several), ``triangles`` (t, 3) numbers of corners.
    """

    places: np.ndarray
    points: np.ndarray
    triangles: np.ndarray


@dataclass
class Regions:
    """A map cut along its boundaries: triangles of each phase with a strength at each corner, and the lines between.

    The strength is that of a point at its place and 0 on a line, where no phase leads.
    """

    corners: dict[str, list[np.ndarray]] = field(default_factory=dict)  # phase -> triangles (3, 2)
    strengths: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)
    lines: list[np.ndarray] = field(default_factory=list)  # (2, 2)

    def add(self, phase: str, corners: list[np.ndarray], strengths: list[float]) -> None:
        """A convex piece, as a fan of triangles around its first corner."""
        for i in range(1, len(corners) - 1):
            self.corners.setdefault(phase, []).append(np.array([corners[0], *corners[i:i + 2]]))
            self.strengths.setdefault(phase, []).append((strengths[0], *strengths[i:i + 2]))


def regions(mesh: Mesh, fields: Fields, strength: np.ndarray) -> Regions:
    """Cut all triangles whose points are known.

    Parameters
    ----------
    strength : how clearly each point (n,) belongs to its phase, 0 to 1.
    """
    out = Regions()
    for corners in mesh.triangles:
        owners = mesh.points[corners]
        if fields.known[owners].all():
            _cut(out, [mesh.places[c] for c in corners], owners.tolist(), fields, strength)
    return out


def _cut(out: Regions, places: list[np.ndarray], owners: list[int], fields: Fields, strength: np.ndarray) -> None:
    """One triangle: whole, cut once between two phases, or in three around its middle."""
    phases, deep = [str(fields.winner[o]) for o in owners], [float(strength[o]) for o in owners]
    if len(set(phases)) == 1:
        return out.add(phases[0], places, deep)

    def crossing(a: int, b: int) -> np.ndarray:
        t = fields.crossing(owners[a], owners[b])
        return np.asarray((1 - t) * places[a] + t * places[b])

    if len(set(phases)) == 2:
        odd = next(i for i in range(3) if phases.count(phases[i]) == 1)
        b, c = (odd + 1) % 3, (odd + 2) % 3
        first, second = crossing(odd, b), crossing(odd, c)
        out.add(phases[odd], [places[odd], first, second], [deep[odd], 0.0, 0.0])
        out.add(phases[b], [first, places[b], places[c], second], [0.0, deep[b], deep[c], 0.0])
        return out.lines.append(np.array([first, second]))
    cuts = [crossing(i, (i + 1) % 3) for i in range(3)]
    middle = np.mean(cuts, axis=0)
    for i in range(3):
        out.add(phases[i], [places[i], cuts[i], middle, cuts[i - 1]], [deep[i], 0.0, 0.0, 0.0])
    return out.lines.extend(np.array([cut, middle]) for cut in cuts)


def draw(ax: Axes, cut: Regions, shades_of: Callable[[str], list[Any]]) -> None:
    """Paint regions and lines on axes whose scales are set; ``shades_of(phase)`` are its palest and full colour."""
    from matplotlib.collections import LineCollection, TriMesh
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.tri import Triangulation

    def on_paper(even: np.ndarray) -> np.ndarray:
        scales = (ax.get_xscale(), ax.get_yscale())
        return np.stack([np.exp(even[..., i]) if s == "log" else even[..., i] for i, s in enumerate(scales)], axis=-1)

    for phase, triangles in cut.corners.items():
        # shaded triangles follow affine maps only: logarithms are taken here, before what is left of transData
        x, y = ax.transScale.transform(on_paper(np.concatenate(triangles))).T
        painted = TriMesh(Triangulation(x, y, np.arange(len(x)).reshape(-1, 3)), rasterized=True,
                          cmap=LinearSegmentedColormap.from_list(phase, shades_of(phase)),
                          transform=ax.transLimits + ax.transAxes)
        painted.set_array(np.concatenate(cut.strengths[phase]))
        painted.set_clim(0, 1)
        ax.add_collection(painted, autolim=False)
    if cut.lines:
        ax.add_collection(LineCollection(list(on_paper(np.array(cut.lines))), colors=INK, linewidths=1.3,
                                         capstyle="round"), autolim=False)


def grid_mesh(x: np.ndarray, y: np.ndarray, winner: np.ndarray) -> Mesh:
    """The cells of a grid, each cut in two along the diagonal that joins equal phases, where one does.

    Parameters
    ----------
    x, y : values (n,), (m,) of the axes where they are linear.   winner : phases (n, m).
    """
    number = np.arange(winner.size).reshape(winner.shape)
    a, b, c, d = (n.ravel() for n in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    flat = winner.ravel()
    turn = ((flat[b] == flat[d]) & (flat[a] != flat[c]))[:, None]
    first = np.where(turn, np.column_stack([a, b, d]), np.column_stack([a, b, c]))
    second = np.where(turn, np.column_stack([b, c, d]), np.column_stack([a, c, d]))
    places = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    return Mesh(places, number.ravel(), np.concatenate([first, second]))


def strip_mesh(count: int, values: np.ndarray, named_axis: int) -> Mesh:
    """A strip for each of ``count`` named values of one axis, cut along the ``values`` (n,) of the other one."""
    places, points, triangles = [], [], []
    for strip in range(count):
        for i, v in enumerate(values):
            for edge in (-0.5, 0.5):
                places.append((strip + edge, v) if named_axis == 0 else (v, strip + edge))
                points.append(strip * len(values) + i if named_axis == 0 else i * count + strip)
        first = 2 * strip * len(values) + 2 * np.arange(len(values) - 1)
        triangles += [np.column_stack([first, first + 1, first + 2]),
                      np.column_stack([first + 1, first + 3, first + 2])]
    return Mesh(np.array(places), np.array(points), np.concatenate(triangles))


def chosen_mesh(places: np.ndarray, known: np.ndarray) -> Mesh:
    """Delaunay's triangles between the known ones of chosen points (n, 2), in the units of the map's frame."""
    from scipy.spatial import Delaunay

    which = np.flatnonzero(known)
    scaled = (places[which] - places.min(axis=0)) / np.ptp(places, axis=0)
    return Mesh(places, np.arange(len(places)), which[Delaunay(scaled).simplices])
