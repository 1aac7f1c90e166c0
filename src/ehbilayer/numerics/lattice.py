"""Two-dimensional lattices: boxes of given shape, the crystals that fit in them, k points and paths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from ehbilayer.errors import InputError

SHAPES = {
    "triangular": np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]]),
    "rectangular": np.array([[1.0, 0.0], [0.0, np.sqrt(0.75)]]),
    "square": np.eye(2),
}


@dataclass(frozen=True, eq=False)
class Cell:
    """A parallelogram spanned by the rows of ``vectors`` (shape (2, 2), a_h)."""

    vectors: np.ndarray

    def __post_init__(self) -> None:
        v = np.asarray(self.vectors, dtype=float)
        if v.shape != (2, 2) or not np.all(np.isfinite(v)) or abs(np.linalg.det(v)) <= 1e-12 * np.sum(v * v):
            raise InputError("cell.vectors", "two independent finite vectors, shape (2, 2)", v.tolist(),
                             "give [[x1, y1], [x2, y2]]")
        object.__setattr__(self, "vectors", v)

    @property
    def area(self) -> float:
        """Area in a_h^2."""
        return float(abs(np.linalg.det(self.vectors)))

    @property
    def reciprocal(self) -> np.ndarray:
        """Reciprocal vectors as rows, b_i . a_j = 2 pi delta_ij, shape (2, 2), 1/a_h."""
        return 2 * np.pi * np.linalg.inv(self.vectors).T

    def scaled(self, area: float) -> Cell:
        """The same shape with another area."""
        return Cell(self.vectors * np.sqrt(area / self.area))


def box_of_shape(shape: str | np.ndarray, area: float) -> Cell:
    """The box of a named shape (a key of SHAPES) or of given vectors, scaled to ``area`` (a_h^2).

    Raises InputError for an unknown name or a non-positive area.
    """
    if not (np.isfinite(area) and area > 0):
        raise InputError("area", "a positive finite area (a_h^2)", area, "check the density and the particle count")
    if isinstance(shape, str):
        if shape not in SHAPES:
            raise InputError("shape", " | ".join(SHAPES), shape, "or give two vectors")
        return Cell(SHAPES[shape]).scaled(area)
    return Cell(np.asarray(shape, dtype=float)).scaled(area)


def reduce_vectors(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lagrange-Gauss reduction: (reduced, U) with reduced = U @ vectors, U integer with det +1.

    The reduced rows are the two shortest independent lattice vectors, with an angle of 60 to 120 degrees.
    """
    v, u = np.array(vectors, dtype=float), np.eye(2, dtype=int)
    while True:
        if v[0] @ v[0] > v[1] @ v[1] * (1 + 1e-12):
            swap = np.array([[0, 1], [-1, 0]])  # a rotation, so the handedness stays
            v, u = swap @ v, swap @ u
        # the bias towards positive v0.v1 makes the choice at exact ties the same on every machine
        shift = int(np.floor(v[0] @ v[1] / (v[0] @ v[0]) + 0.5 - 1e-9))
        if shift == 0:
            return v, u
        step = np.array([[1, 0], [-shift, 1]])
        v, u = step @ v, step @ u


def _sublattices(index: int) -> list[np.ndarray]:
    """Integer matrices T, one per sublattice of the given index: rows of T @ vectors span it (Hermite normal forms)."""
    return [np.array([[a, 0], [shear, index // a]])
            for a in range(1, index + 1) if index % a == 0 for shear in range(a)]


def _most_compact(candidates: list[np.ndarray], cells: np.ndarray) -> np.ndarray:
    """Of the candidate S with cell vectors S^-1 box, the one with the longest shortest vector, with a reduced cell."""
    best, best_score = 0, -1.0
    for number, score in enumerate(_shortest(cells).tolist()):
        if score > best_score * (1 + 1e-9):
            best, best_score = number, score
    return np.rint(candidates[best] @ np.linalg.inv(reduce_vectors(cells[best])[1])).astype(int)


def _shortest(cells: np.ndarray) -> np.ndarray:
    """|v|^2 (n,) of the shortest vectors of the lattices that rows of ``cells`` (n, 2, 2) span, all reduced at once."""
    short, long = cells[:, 0].copy(), cells[:, 1].copy()
    while True:
        turn = (np.sum(short**2, axis=1) > np.sum(long**2, axis=1))[:, None]
        short, long = np.where(turn, long, short), np.where(turn, short, long)
        shift = np.rint(np.sum(short * long, axis=1) / np.sum(short**2, axis=1))
        if not shift.any():
            return np.asarray(np.sum(short**2, axis=1))
        step = long - shift[:, None] * short
        if np.allclose(np.sum(step**2, axis=1), np.sum(long**2, axis=1), rtol=1e-12):  # ties turn for ever
            return np.asarray(np.sum(short**2, axis=1))
        long = step


def crystal_cell(box: Cell, sites: int, sites_per_cell: int = 1) -> np.ndarray:
    """The cell of the most triangular lattice of ``sites`` points in the box, ``sites_per_cell`` of them per cell.

    Returns the integer matrix S of shape (2, 2), |det S| = sites / sites_per_cell, box.vectors = S @ cell.vectors. Of
    all lattices that contain the box' own it takes the one with the longest shortest vector (all are enumerated, so
    the choice is exact); a cell of several sites is the most compact one that still tiles the box.

    Raises InputError if the counts are not positive, do not divide, or no such cell tiles the box.
    """
    return _crystal_cell(tuple(box.vectors.ravel().tolist()), sites, sites_per_cell).copy()


@lru_cache(maxsize=64)  # one calculation asks for the same few again and again
def _crystal_cell(vectors: tuple[float, ...], sites: int, sites_per_cell: int) -> np.ndarray:
    box = Cell(np.reshape(vectors, (2, 2)))
    if sites < 1 or sites_per_cell < 1 or sites % sites_per_cell:
        raise InputError("holes_per_cell", f"a divisor of the {sites} sites in the box", sites_per_cell,
                         "choose one that divides the count")
    # box = S @ cell and cell -> U cell are the same lattice: S runs over Hermite forms up to unimodular U on the right
    lattices = [t.T for t in _sublattices(sites)]
    site = _most_compact(lattices, np.array([np.linalg.inv(s) @ box.vectors for s in lattices]))
    return site if sites_per_cell == 1 else tiling_cell(box, site, sites_per_cell)


def tiling_cell(box: Cell, site: np.ndarray, sites_per_cell: int) -> np.ndarray:
    """The most compact cell of so many sites of a lattice, box.vectors = site @ (its vectors), that tiles the box.

    Raises InputError where there is none.
    """
    supers = [site @ np.linalg.inv(t) for t in _sublattices(sites_per_cell)]
    tiling = [np.rint(s).astype(int) for s in supers if np.allclose(s, np.rint(s), atol=1e-9)]
    if not tiling:
        raise InputError("holes_per_cell", "a count whose cells tile the box", sites_per_cell,
                         "choose another count or another number of holes")
    return _most_compact(tiling, np.array([np.linalg.inv(s) @ box.vectors for s in tiling]))


@lru_cache(maxsize=256)
def _regular_cell(vectors: tuple[float, ...], cells: int, lattice: str) -> np.ndarray | None:
    box, cosine = Cell(np.reshape(vectors, (2, 2))), 0.5 if lattice == "triangular" else 0.0
    lattices = [t.T for t in _sublattices(cells)]
    found = np.linalg.inv(np.array(lattices)) @ box.vectors
    right = np.abs(_shortest(found) * np.sqrt(1 - cosine**2) * cells / box.area - 1) < 1e-6
    for number in np.flatnonzero(right):
        v, u = reduce_vectors(found[number])
        a, b, c = v[0] @ v[0], v[1] @ v[1], abs(v[0] @ v[1])
        if max(abs(b - a), abs(c - cosine * a)) < 1e-6 * a:
            return np.rint(lattices[number] @ np.linalg.inv(u)).astype(int)
    return None


def regular_cell(box: Cell, cells: int, lattice: str) -> np.ndarray | None:
    """S of box.vectors = S @ cell.vectors for so many ``triangular`` or ``square`` cells; None where none fit."""
    found = _regular_cell(tuple(box.vectors.ravel().tolist()), cells, lattice)
    return None if found is None else found.copy()


def lattice_points(box: Cell, supercell: np.ndarray) -> np.ndarray:
    """Positions (n, 2) in a_h of the cells that tile the box, box.vectors = supercell @ cell.vectors."""
    count = int(abs(round(np.linalg.det(supercell))))
    reach = int(np.abs(supercell).sum()) + 1
    i, j = np.meshgrid(np.arange(-reach, reach), np.arange(-reach, reach), indexing="ij")
    fraction = np.stack([i.ravel(), j.ravel()], axis=1) @ np.linalg.inv(supercell)
    scaled = np.rint((fraction - np.floor(fraction + 1e-9)) * count).astype(int)
    return np.unique(scaled, axis=0) / count @ box.vectors


def path_corners(cell: Cell) -> tuple[np.ndarray, list[str]]:
    """Corners (m, 2) in 1/a_h of a path along lines of high symmetry of a reduced cell, and their names.

    Gamma-K-M-Gamma of a triangular lattice, Gamma-X-M-Gamma of a square one, Gamma-X-S-Y-Gamma of all others (X, Y, S
    are b1/2, b2/2 and their sum).
    """
    b1, b2 = cell.reciprocal
    zero, size = np.zeros(2), float(b1 @ b1 + b2 @ b2)
    equal, cosine = abs(b1 @ b1 - b2 @ b2) < 1e-6 * size, abs(b1 @ b2) / (size / 2)
    if equal and abs(cosine - 0.5) < 1e-6:
        # reciprocal vectors opening 60 degrees have K = (b1 + b2)/3, those opening 120 degrees K = (2 b1 + b2)/3
        acute = b1 @ b2 > 0
        corner, edge = ((b1 + b2) / 3, b1 / 2) if acute else ((2 * b1 + b2) / 3, (b1 + b2) / 2)
        return np.array([zero, corner, edge, zero]), ["Γ", "K", "M", "Γ"]
    if equal and cosine < 1e-6:
        return np.array([zero, b1 / 2, (b1 + b2) / 2, zero]), ["Γ", "X", "M", "Γ"]
    return np.array([zero, b1 / 2, (b1 + b2) / 2, b2 / 2, zero]), ["Γ", "X", "S", "Y", "Γ"]


def path_points(cell: Cell, per_segment: int = 40) -> tuple[np.ndarray, np.ndarray, list[tuple[float, str]]]:
    """A path between `path_corners`: k (n, 2) in 1/a_h, distance along it (n,), corners [(distance, name), ...]."""
    corners, names = path_corners(cell)
    length = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    travelled = np.concatenate([[0.0], np.cumsum(length)])
    t = np.linspace(0, 1, per_segment, endpoint=False)
    k = [a + t[:, None] * (b - a) for a, b in pairwise(corners)]
    where = [start + t * size for start, size in zip(travelled[:-1], length, strict=True)]
    marks = [(float(d), name) for d, name in zip(travelled, names, strict=True)]
    return np.vstack([*k, corners[-1:]]), np.append(np.concatenate(where), travelled[-1]), marks


def point_group(cell: Cell) -> list[np.ndarray]:
    """The rotations and reflections (2, 2) that map the cell's lattice onto itself (about a lattice point)."""
    found = []
    for degrees in range(0, 360, 30):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        axis = np.arctan2(cell.vectors[0, 1], cell.vectors[0, 0])  # reflections about a lattice direction
        mirror = np.array([[np.cos(2 * axis), np.sin(2 * axis)], [np.sin(2 * axis), -np.cos(2 * axis)]])
        turn = np.array([[c, -s], [s, c]])
        for operation in (turn, turn @ mirror):
            integers = cell.vectors @ operation.T @ np.linalg.inv(cell.vectors)
            if np.allclose(integers, np.rint(integers), atol=1e-6):
                found.append(operation)
    return found


def distance_on_path(cell: Cell, k: np.ndarray) -> np.ndarray:
    """Distance along the path of `path_points` of wave vectors k (n, 2), modulo reciprocal vectors and the point group.

    NaN for those off the path; a point met twice (Gamma) gets its first place.
    """
    corners, _ = path_corners(cell)
    grid = np.stack(np.meshgrid(np.arange(-2, 3), np.arange(-2, 3), indexing="ij"), axis=-1).reshape(-1, 2)
    images = np.concatenate([k[:, None] @ operation.T + grid @ cell.reciprocal for operation in point_group(cell)],
                            axis=1)
    out, travelled = np.full(len(k), np.nan), 0.0
    for a, b in pairwise(corners):
        length = float(np.linalg.norm(b - a))
        along = (images - a) @ (b - a) / length
        off = np.linalg.norm(images - a - along[..., None] * (b - a) / length, axis=-1)
        hit = (off < 1e-7 * length) & (along > -1e-7 * length) & (along < length * (1 + 1e-7))
        found = np.where(hit, along, np.inf).min(axis=1) + travelled
        out = np.where(np.isnan(out) & np.isfinite(found), found, out)
        travelled += length
    return out
