r"""Sums of the Coulomb interaction over a two-dimensional lattice, between layers at any distance.

psi(r) is the potential of unit point charges on the lattice plus a uniform neutralising background in their own layer,
a height ``distance`` above or below the plane where it is felt, with zero average over the cell:

    psi(r) = (1/A) sum_{k != 0} (2 pi / k) e^{-k d} e^{i k r}.

It is computed by splitting 1/s, s = sqrt(r^2 + d^2), with the error function of s:

    short(s)  = erfc(s/r0) / s                                                          summed over lattice vectors
    long(k)   = (pi/k) [e^{kd} erfc(k r0/2 + d/r0) + e^{-kd} erfc(k r0/2 - d/r0)]       summed over wave vectors
    back      = 2 pi [r0 e^{-d^2/r0^2} / sqrt(pi) - d erfc(d/r0)]                       the cell integral of short

The ranges of both sums follow from the tolerance. Layers so far apart that the plain Fourier sum is short take it
(r0 = 0), so that the exponentially small psi keeps its relative accuracy. Lengths are in a_h, energies in Ha_h.

Source: Ewald, Ann. Phys. 369, 253 (1921); in two dimensions Bonsall & Maradudin, PRB 15, 1959 (1977).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erf, erfc, erfcx

from ehbilayer.errors import InputError
from ehbilayer.lattice import Cell, reduce_vectors

TOLERANCE = 1e-14  # of potentials, in units of 1/sqrt(A)
BLOCK = 1 << 18  # distances held in memory at a time


@dataclass(frozen=True, eq=False)
class LatticeSum:
    """One splitting of the lattice sums over a cell: which vectors each half runs over.

    Parameters
    ----------
    vectors : reduced cell vectors as rows, shape (2, 2).
    area : cell area.
    splitting : r0, where the short part ends and the long part begins; 0 is the plain Fourier sum.
    images : lattice vectors of the short sum, shape (m, 2).
    waves : wave vectors of the long sum, one of each pair +-k, shape (w, 2).
    """

    vectors: np.ndarray
    area: float
    splitting: float
    images: np.ndarray
    waves: np.ndarray

    def wrap(self, displacements: np.ndarray) -> np.ndarray:
        """The same displacements, shape (n, 2), moved by lattice vectors into the cell around the origin."""
        fractions = displacements @ np.linalg.inv(self.vectors)
        return (fractions - np.rint(fractions)) @ self.vectors

    def background(self, distance: float) -> float:
        """The constant that gives psi a zero average: the short part's cell integral over -A."""
        r0 = self.splitting
        if r0 == 0:
            return 0.0
        x = distance / r0
        return -2 * np.pi * r0 * float(np.exp(-x * x) / np.sqrt(np.pi) - x * erfc(x)) / self.area


def lattice_sum(vectors: np.ndarray, distance: float = 0.0, tolerance: float = TOLERANCE, charges: int = 1,
                splitting: float | None = None) -> LatticeSum:
    """Choose the splitting and the ranges that reach ``tolerance`` (in units of 1/sqrt(A)) at the least cost.

    Parameters
    ----------
    vectors : cell vectors as rows, shape (2, 2), a_h; any shape and handedness.
    distance : the smallest vertical distance that will be asked for.
    charges : number of point charges; more of them move work to the long part, which grows slower.
    splitting : r0 in a_h, to choose it by hand.

    Raises
    ------
    InputError : dependent cell vectors, a negative distance, a tolerance not between 0 and 1.
    """
    cell = Cell(reduce_vectors(Cell(vectors).vectors)[0])
    if not (np.isfinite(distance) and distance >= 0):
        raise InputError("distance", "a finite length >= 0 (a_h)", distance, "give the distance between the layers")
    if not 0 < tolerance < 1:
        raise InputError("tolerance", "between 0 and 1", tolerance, "1e-14 is what 64-bit arithmetic can hold")
    if splitting is not None and not (splitting > 0 or (splitting == 0 and distance > 0)):
        raise InputError("splitting", "a length > 0 (a_h), or 0 between layers", splitting, "leave it out")
    decades = np.log(1 / tolerance) + 2  # both sums are cut where their terms are e^-decades
    softest = float(np.min(np.linalg.norm(cell.reciprocal, axis=1)))
    # r0 = sqrt(A/pi) makes both sums equally long for one charge; n charges need n^2 short but only n long terms
    r0 = np.sqrt(cell.area / np.pi) * charges**-0.25 if splitting is None else splitting
    if splitting is None and decades < distance * (2 * np.sqrt(decades) / r0 - softest):
        r0 = 0.0
    largest = softest + decades / distance if r0 == 0 else 2 * np.sqrt(decades) / r0
    # a wrapped displacement can be half the cell's diagonal long; that much further the images must reach
    corner = 0.5 * max(np.linalg.norm(cell.vectors[0] + sign * cell.vectors[1]) for sign in (1, -1))
    reach = np.sqrt(max(decades * r0**2 - distance**2, 0.0))
    images = _points(cell.vectors, reach + corner) if reach > 0 else np.zeros((1, 2)) if r0 else np.zeros((0, 2))
    waves = _points(cell.reciprocal, max(largest, softest * (1 + 1e-9)))
    half = (waves[:, 1] > 0) | ((waves[:, 1] == 0) & (waves[:, 0] > 0))
    return LatticeSum(cell.vectors, cell.area, float(r0), images, waves[half])


def potential(vectors: np.ndarray, displacements: np.ndarray, distance: float,
              tolerance: float = TOLERANCE) -> np.ndarray:
    """psi at ``displacements`` (n, 2) in a_h from a charge ``distance`` away vertically; shape (n,), Ha_h.

    Zero average over the cell: the Fourier coefficients are 2 pi e^{-kd}/(k A) for k != 0 and none at k = 0.

    Raises
    ------
    InputError : displacements of another shape or not finite; a displacement onto the charge itself in its own layer;
        and as `lattice_sum`.
    """
    points = _planar("displacements", displacements)
    sums = lattice_sum(vectors, distance, tolerance)
    r = sums.wrap(points)
    short, _ = short_range(sums, r, np.full(len(r), float(distance)))
    v = long_kernel(sums, distance)
    step = max(1, BLOCK // len(v))
    long = [2 * np.cos(part @ sums.waves.T) @ v for part in np.split(r, range(step, len(r), step))]
    return short + np.concatenate(long) / sums.area + sums.background(distance)


def madelung_potential(vectors: np.ndarray, distance: float = 0.0, tolerance: float = TOLERANCE) -> float:
    """psi(0) - 1/d, the potential on a charge's own axis without its own: the Madelung element, in Ha_h.

    In the same layer (d = 0) it is the limit of psi(r) - 1/r, -3.921034/sqrt(A) on a triangular torus. Between layers
    it grows as M(d) = M(0) + 2 pi d/A + O(d^2) and tends to -1/d. The zero-mode element of exchange is v(0)/A = -M(d)
    (Fraser et al., PRB 53, 1814 (1996)). Cell ``vectors`` are rows, shape (2, 2), a_h. Raises as `lattice_sum`.
    """
    sums = lattice_sum(vectors, distance, tolerance)
    return float(_madelung(sums, float(distance)))


def madelung_slope(vectors: np.ndarray, distance: float, tolerance: float = TOLERANCE) -> float:
    """dM/dd of `madelung_potential` in Ha_h/a_h; 2 pi/A at d -> 0.

    M(A, d) = A^{-1/2} g(d/sqrt(A)) at fixed cell shape, so dM/dlnA = -(M + d dM/dd)/2. Raises as `lattice_sum`.
    """
    sums = lattice_sum(vectors, distance, tolerance)
    r0, k = sums.splitting, np.linalg.norm(sums.waves, axis=1)
    upward, downward = _exponentials(k, r0, distance)
    # the derivatives of the error functions themselves cancel between the two halves
    slope = 2 * np.pi * float(np.sum(upward - downward)) / sums.area
    if r0 == 0:
        return slope + 1 / distance**2
    d = np.full(len(sums.images) - 1, float(distance))
    s = np.hypot(np.linalg.norm(_others(sums.images), axis=1), d)
    slope += 2 * np.pi * float(erfc(distance / r0)) / sums.area + float(np.sum(_short(s, r0)[1] * d))
    return slope + _self_slope(distance, r0)


def energy(vectors: np.ndarray, positions: np.ndarray, charges: np.ndarray, heights: np.ndarray,
           tolerance: float = TOLERANCE) -> float:
    """Energy per cell (Ha_h) of point charges in layers; see `energy_and_forces`."""
    return energy_and_forces(vectors, positions, charges, heights, tolerance)[0]


def energy_and_forces(vectors: np.ndarray, positions: np.ndarray, charges: np.ndarray, heights: np.ndarray,
                      tolerance: float = TOLERANCE) -> tuple[float, np.ndarray]:
    """Energy per cell and in-plane forces of point charges, each with its own background in its own layer.

    E = 1/2 sum_{i != j} q_i q_j psi(r_i - r_j, |z_i - z_j|) + 1/2 sum_i q_i^2 M(0), F_i = -dE/dr_i: all potentials of
    zero average, so that the capacitor energy of charged layers is left out.

    Parameters
    ----------
    vectors : cell vectors as rows, shape (2, 2), a_h.
    positions : shape (n, 2), a_h.   charges : shape (n,), in e.   heights : of each charge's layer, shape (n,), a_h.
    tolerance : of each charge's potential, in units of 1/sqrt(A).

    Returns
    -------
    energy in Ha_h, forces of shape (n, 2) in Ha_h/a_h.

    Raises
    ------
    InputError : arrays that do not fit each other or are not finite, two charges at one point; as `lattice_sum`.
    """
    where = _planar("positions", positions)
    q, z = _per_charge("charges", charges, len(where)), _per_charge("heights", heights, len(where))
    sums = lattice_sum(vectors, 0.0, tolerance, charges=max(len(where), 1))
    short, pull = _short_pairs(sums, where, q, z)
    long, drift = _long_layers(sums, where, q, z)
    own = -(q @ q) / (np.sqrt(np.pi) * sums.splitting)  # the long part of a charge acts on itself: take it out
    return float(short + long + own), pull + drift


# -- the two halves of the splitting --


def short_range(sums: LatticeSum, displacements: np.ndarray, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Short half of psi and its gradient, at wrapped displacements (n, 2) and distances (n,): shapes (n,), (n, 2)."""
    value, gradient = np.zeros(len(displacements)), np.zeros((len(displacements), 2))
    nearest = np.hypot(np.linalg.norm(displacements, axis=1), distances)
    if len(nearest) and np.min(nearest) < 1e-14 * np.sqrt(sums.area):
        raise InputError("displacements", "off the charge itself", 0.0,
                         "separate the charges; the potential on a charge without its own is madelung_potential")
    if len(sums.images) == 0:
        return value, gradient
    step = max(1, BLOCK // len(sums.images))
    for start in range(0, len(displacements), step):
        part = slice(start, start + step)
        r = displacements[part, None, :] + sums.images  # point, image, xy
        s = np.sqrt(np.sum(r * r, axis=-1) + distances[part, None] ** 2)
        f, slope = _short(s, sums.splitting)
        value[part] = f.sum(axis=1)
        gradient[part] = np.einsum("pi,pix->px", slope, r)
    return value, gradient


def long_kernel(sums: LatticeSum, distance: float) -> np.ndarray:
    """v_long(k) in Ha_h a_h^2 at the wave vectors of the sum, shape (w,); 2 pi e^{-kd}/k without a splitting."""
    k = np.linalg.norm(sums.waves, axis=1)
    upward, downward = _exponentials(k, sums.splitting, distance)
    return np.pi / k * (upward + downward)


def _exponentials(k: np.ndarray, r0: float, d: float) -> tuple[np.ndarray, np.ndarray]:
    """e^{kd} erfc(k r0/2 + d/r0) and e^{-kd} erfc(k r0/2 - d/r0), without overflow at large kd."""
    if r0 == 0:
        return np.zeros_like(k), 2 * np.exp(-k * d)
    x, y = k * r0 / 2, d / r0
    return np.exp(-x * x - y * y) * erfcx(x + y), np.exp(-k * d) * erfc(x - y)


def _short(s: np.ndarray, r0: float) -> tuple[np.ndarray, np.ndarray]:
    """f(s) = erfc(s/r0)/s and f'(s)/s, the factor of r in its gradient."""
    f = erfc(s / r0) / s
    return f, -(f + 2 / (np.sqrt(np.pi) * r0) * np.exp(-((s / r0) ** 2))) / s**2


def _madelung(sums: LatticeSum, d: float) -> float:
    value = 2 * float(np.sum(long_kernel(sums, d))) / sums.area + sums.background(d)
    r0 = sums.splitting
    if r0 == 0:
        return value - 1 / d
    s = np.hypot(np.linalg.norm(_others(sums.images), axis=1), d)
    own = float(erf(d / r0)) / d if d > 1e-150 else 2 / (np.sqrt(np.pi) * r0)  # its long part: 1/d - short(d)
    return value + float(np.sum(_short(s, r0)[0])) - own


def _self_slope(d: float, r0: float) -> float:
    """Derivative by d of -erf(d/r0)/d; its series where the two terms cancel."""
    x = d / r0
    if x < 0.02:
        return 4 / (3 * np.sqrt(np.pi) * r0**2) * x * (1 - 0.6 * x**2 + 3 / 14 * x**4 - x**6 / 18)
    return float(erf(x) / x - 2 / np.sqrt(np.pi) * np.exp(-x * x)) / (x * r0**2)


def _short_pairs(sums: LatticeSum, where: np.ndarray, q: np.ndarray, z: np.ndarray) -> tuple[float, np.ndarray]:
    """Short half of the energy and forces: every pair once, and every charge with its own images."""
    i, j = np.triu_indices(len(q), 1)
    value, gradient = short_range(sums, sums.wrap(where[i] - where[j]), np.abs(z[i] - z[j]))
    qq = q[i] * q[j]
    force = np.zeros((len(q), 2))
    np.subtract.at(force, i, qq[:, None] * gradient)
    np.add.at(force, j, qq[:, None] * gradient)
    images = np.linalg.norm(_others(sums.images), axis=1)
    return float(qq @ value + 0.5 * (q @ q) * np.sum(_short(images, sums.splitting)[0])), force


def _long_layers(sums: LatticeSum, where: np.ndarray, q: np.ndarray, z: np.ndarray) -> tuple[float, np.ndarray]:
    """Long half of the energy and forces, and the backgrounds, from the structure factor of each layer."""
    layers, layer = np.unique(z, return_inverse=True)
    wave = np.exp(1j * where @ sums.waves.T)  # charge, wave
    members = (layer == np.arange(len(layers))[:, None]) * q  # layer, charge
    structure, total = members @ wave, members.sum(axis=1)
    value, field = 0.0, np.zeros_like(structure)
    for a, b in np.ndindex(len(layers), len(layers)):
        d = float(abs(layers[a] - layers[b]))
        field[a] += long_kernel(sums, d) * structure[b]
        value += 0.5 * total[a] * total[b] * sums.background(d)
    value += float(np.sum(structure.conj() * field).real) / sums.area  # half of the sum over k and -k
    weights = (wave * field[layer].conj()).imag  # d/dr of Re[e^{ikr} field*] is -k Im[..]
    return value, 2 * q[:, None] * (weights @ sums.waves) / sums.area


# -- geometry and checks --


def _points(basis: np.ndarray, radius: float) -> np.ndarray:
    """All integer combinations of the rows of ``basis`` no longer than ``radius``, shape (n, 2), with the origin."""
    n = np.floor(radius * np.linalg.norm(np.linalg.inv(basis), axis=0) + 1e-9).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in n), indexing="ij"), axis=-1).reshape(-1, 2)
    points = grid @ basis
    return points[np.sum(points * points, axis=1) <= radius**2]


def _others(images: np.ndarray) -> np.ndarray:
    return images[np.any(images != 0, axis=1)]


def _planar(name: str, points: np.ndarray) -> np.ndarray:
    array = np.asarray(points, dtype=float)
    if array.ndim != 2 or array.shape[1] != 2 or not np.all(np.isfinite(array)):
        raise InputError(name, "finite, of shape (n, 2), in a_h", array.shape, "give one row [x, y] per point")
    return array


def _per_charge(name: str, values: np.ndarray, n: int) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    if array.shape != (n,) or not np.all(np.isfinite(array)):
        raise InputError(name, f"finite, of shape ({n},)", array.shape, "give one number per position")
    return array
