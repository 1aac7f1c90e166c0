r"""Sums of the Coulomb interaction over a two-dimensional lattice, between layers at any distance.

psi(r) is the potential of unit point charges on the lattice plus a uniform neutralising background in their own layer,
a height ``distance`` above or below the plane where it is felt, with zero average over the cell:

    psi(r) = (1/A) sum_{k != 0} (2 pi / k) e^{-k d} e^{i k r}.

It is computed by splitting 1/s, s = sqrt(r^2 + d^2), with the error function of s (`split`), whose long part
has a closed form for any d. The ranges of both sums follow from the tolerance. Layers so far apart that the plain
Fourier sum is short take it (r0 = 0), so that the exponentially small psi keeps its relative accuracy. Lengths are in
a_h, energies in Ha_h.

Source: Ewald, Ann. Phys. 369, 253 (1921); in two dimensions Bonsall & Maradudin, PRB 15, 1959 (1977).
"""

from __future__ import annotations

import numpy as np
from scipy.special import erf, erfc

from ehbilayer.interaction.lattice_sums.charges import PointCharges
from ehbilayer.interaction.lattice_sums.split import (
    TOLERANCE,
    LatticeSum,
    coincident,
    exponentials,
    lattice_sum,
    per_charge,
    planar,
    short_part,
)

__all__ = ["LatticeSum", "PointCharges", "energy", "energy_and_forces", "energy_forces_stress", "lattice_sum",
           "madelung_potential", "madelung_slope", "potential"]

BLOCK = 1 << 18  # distances held in memory at a time


def potential(vectors: np.ndarray, displacements: np.ndarray, distance: float,
              tolerance: float = TOLERANCE) -> np.ndarray:
    """psi at ``displacements`` (n, 2) in a_h from a charge ``distance`` away vertically; shape (n,), Ha_h.

    Zero average over the cell: the Fourier coefficients are 2 pi e^{-kd}/(k A) for k != 0 and none at k = 0.

    Raises
    ------
    InputError : displacements of another shape or not finite; a displacement onto the charge itself in its own layer;
        and as `lattice_sum`.
    """
    points = planar("displacements", displacements)
    sums = lattice_sum(vectors, distance, tolerance)
    r = sums.wrap(points)
    short = _short_range(sums, r, float(distance))
    v = sums.kernel(distance)
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
    upward, downward = exponentials(k, r0, distance)
    # the derivatives of the error functions themselves cancel between the two halves
    slope = 2 * np.pi * float(np.sum(upward - downward)) / sums.area
    if r0 == 0:
        return slope + 1 / distance**2
    d = np.full(len(sums.images) - 1, float(distance))
    s = np.hypot(np.linalg.norm(_others(sums.images), axis=1), d)
    slope += 2 * np.pi * float(erfc(distance / r0)) / sums.area + float(np.sum(short_part(s, r0)[1] * d))
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
    where = planar("positions", positions)
    q, z = per_charge("charges", charges, len(where)), per_charge("heights", heights, len(where))
    return PointCharges(vectors, q, z, tolerance).energy_and_forces(where)


def energy_forces_stress(vectors: np.ndarray, positions: np.ndarray, charges: np.ndarray, heights: np.ndarray,
                         tolerance: float = TOLERANCE) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy per cell, forces, and the stress dE/d(eps_ab) of the strain r -> (1 + eps) r of cell and positions.

    Heights and charges are held; the backgrounds follow the area. Returns the energy in Ha_h, forces (n, 2) in
    Ha_h/a_h and the symmetric stress (2, 2) in Ha_h, whose trace is dE/dlnL; for one layer it is -E. Arguments and
    errors are those of `energy_and_forces`.
    """
    where = planar("positions", positions)
    q, z = per_charge("charges", charges, len(where)), per_charge("heights", heights, len(where))
    return PointCharges(vectors, q, z, tolerance).energy_forces_stress(where)


# -- parts --


def _short_range(sums: LatticeSum, displacements: np.ndarray, distance: float) -> np.ndarray:
    """Short half of psi at wrapped displacements (n, 2), shape (n,)."""
    value = np.zeros(len(displacements))
    nearest = np.hypot(np.linalg.norm(displacements, axis=1), distance)
    if len(nearest) and np.min(nearest) < 1e-14 * np.sqrt(sums.area):
        raise coincident("displacements")
    if len(sums.images) == 0:
        return value
    step = max(1, BLOCK // len(sums.images))
    for start in range(0, len(displacements), step):
        part = slice(start, start + step)
        r = displacements[part, None, :] + sums.images  # point, image, xy
        s = np.sqrt(np.sum(r * r, axis=-1) + distance**2)
        value[part] = (erfc(s / sums.splitting) / s).sum(axis=1)
    return value


def _madelung(sums: LatticeSum, d: float) -> float:
    value = 2 * float(np.sum(sums.kernel(d))) / sums.area + sums.background(d)
    r0 = sums.splitting
    if r0 == 0:
        return value - 1 / d
    s = np.hypot(np.linalg.norm(_others(sums.images), axis=1), d)
    own = float(erf(d / r0)) / d if d > 1e-150 else 2 / (np.sqrt(np.pi) * r0)  # its long part: 1/d - short(d)
    return value + float(np.sum(short_part(s, r0)[0])) - own


def _self_slope(d: float, r0: float) -> float:
    """Derivative by d of -erf(d/r0)/d; its series where the two terms cancel."""
    x = d / r0
    if x < 0.02:
        return 4 / (3 * np.sqrt(np.pi) * r0**2) * x * (1 - 0.6 * x**2 + 3 / 14 * x**4 - x**6 / 18)
    return float(erf(x) / x - 2 / np.sqrt(np.pi) * np.exp(-x * x)) / (x * r0**2)


def _others(images: np.ndarray) -> np.ndarray:
    return images[np.any(images != 0, axis=1)]
