r"""Phonons of classical crystals: frequencies, modes and group velocities at any wave vector.

    omega^2 e = M^{-1/2} D(q) M^{-1/2} e,    v = <e| M^{-1/2} (dD/dq) M^{-1/2} |e> / (2 omega)

with D the dynamical matrix of the layered Coulomb sums and M the masses. In hole atomic units (hbar = e^2 = m_h = 1)
frequencies are in Ha_h, whatever hbar is: a crystal of spacing d has frequencies in sqrt(e^2/(m_h d^3)) that depend on
its shape, a/d and m_e/m_h alone. A frequency of an unstable mode (omega^2 < 0) is given as -sqrt(-omega^2).

Sources: Bonsall & Maradudin, PRB 15, 1959 (1977); Goldoni & Peeters, PRB 53, 4591 (1996); Dai & Fu, PRL 132, 196202
(2024), Fig. 2 and the three-body problem.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ehbilayer.crystal.structures import Crystal
from ehbilayer.errors import InputError
from ehbilayer.interaction.lattice_sums.derivatives import ForceConstants
from ehbilayer.numerics.lattice import Cell, reduce_vectors

TOLERANCE = 1e-13  # of the lattice sums
UNSTABLE = 1e-12  # omega^2 below minus this, in units of the largest omega^2, is an unstable mode


@dataclass(frozen=True, eq=False)
class Phonons:
    """The harmonic vibrations of a crystal.

    Parameters
    ----------
    crystal : a force-free arrangement of charges.
    masses : of each species in hole masses, e.g. ``{"electron": 2.0, "hole": 1.0}``.

    Raises
    ------
    InputError : a species without a positive mass.
    """

    crystal: Crystal
    masses: dict[str, float]

    def __post_init__(self) -> None:
        for name in sorted(set(self.crystal.species)):
            mass = self.masses.get(name)
            if mass is None or not (math.isfinite(mass) and mass > 0):
                raise InputError(f"masses.{name}", "a positive mass (in hole masses)", mass, "give one per species")

    @cached_property
    def cell(self) -> Cell:
        """The reduced cell; its reciprocal vectors span the zone."""
        return Cell(reduce_vectors(self.crystal.vectors)[0])

    @cached_property
    def mass(self) -> np.ndarray:
        """Mass of each charge, shape (n,)."""
        return np.array([self.masses[s] for s in self.crystal.species])

    @cached_property
    def forces(self) -> ForceConstants:
        """The lattice sums behind all wave vectors."""
        c = self.crystal
        return ForceConstants(c.vectors, c.positions, c.charges, c.heights, TOLERANCE, c.medium)

    @property
    def branches(self) -> int:
        """Two per charge."""
        return 2 * len(self.mass)

    def matrix(self, q: np.ndarray) -> np.ndarray:
        """M^{-1/2} D(q) M^{-1/2} at wave vectors q (m, 2) in 1/a_h, shape (m, 2n, 2n)."""
        return self._weighted(self.forces.dynamical_matrix(q))

    def squared(self, q: np.ndarray) -> np.ndarray:
        """omega^2 in ascending order, shape (m, 2n), Ha_h^2 (hbar = 1)."""
        return np.linalg.eigvalsh(self.matrix(q))

    def frequencies(self, q: np.ndarray) -> np.ndarray:
        """omega in ascending order, shape (m, 2n), Ha_h; -sqrt(-omega^2) where omega^2 < 0."""
        return signed_root(self.squared(q))

    def modes(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(omega^2, e): shapes (m, 2n) and (m, 2n, 2n), columns orthonormal; displacements are e/sqrt(mass)."""
        squared, vectors = np.linalg.eigh(self.matrix(q))
        return squared, vectors

    def velocities(self, q: np.ndarray) -> np.ndarray:
        """Group velocities d omega/dq, shape (m, 2n, 2), a_h Ha_h (hbar = 1), from the derivative of D.

        Where branches are degenerate only their sum has a meaning; NaN where omega^2 <= 0, as for sound at q = 0.
        """
        squared, e = self.modes(q)
        slope = np.stack([self._weighted(part) for part in np.moveaxis(self.forces.slope(q), 1, 0)])  # xy, m, 2n, 2n
        lift = np.einsum("mia,cmij,mja->mac", e.conj(), slope, e).real
        with np.errstate(invalid="ignore", divide="ignore"):
            omega = np.where(squared > UNSTABLE * squared.max(initial=0.0), np.sqrt(np.abs(squared)), np.nan)
        return lift / (2 * omega[..., None])

    def _weighted(self, d: np.ndarray) -> np.ndarray:
        root = np.repeat(1 / np.sqrt(self.mass), 2)
        return d.reshape(len(d), self.branches, self.branches) * np.outer(root, root)

    @cached_property
    def gamma(self) -> np.ndarray:
        """Frequencies at q -> 0, shape (2n,), Ha_h: two are 0. D is continuous there, so all directions agree."""
        squared = self.squared(np.zeros((1, 2)))[0]
        squared[np.argsort(np.abs(squared), kind="stable")[:2]] = 0.0  # round-off
        return np.sort(signed_root(squared))

    @cached_property
    def displacements(self) -> np.ndarray:
        """e/sqrt(mass) of every branch at q = 0, shape (2n, n, 2), in the order of `gamma`."""
        vectors = np.linalg.eigh(self.matrix(np.zeros((1, 2)))[0].real)[1]  # D is real there
        moves = vectors.T / np.repeat(np.sqrt(self.mass), 2)
        return moves.reshape(self.branches, -1, 2)


def signed_root(squared: np.ndarray) -> np.ndarray:
    """sqrt(x) where x >= 0, -sqrt(-x) below."""
    return np.sign(squared) * np.sqrt(np.abs(squared))


@dataclass(frozen=True)
class Sound:
    """What becomes of the two branches that vanish at q -> 0.

    Parameters
    ----------
    slowest, fastest : omega/q of the lower branch over all directions, in a_h Ha_h; negative where it is unstable.
    plasmon : lim omega^2/q of the upper branch, and ``expected``: 2 pi Q^2/(A M) with the charge Q and the mass M of
        the cell; both in a_h Ha_h^2. Without net charge, and between gates, the upper branch is sound too and the limit
        is 0.
    longitudinal : omega/q of the upper branch where it is sound, else None.
    """

    slowest: float
    fastest: float
    plasmon: float
    expected: float
    longitudinal: float | None


def sound(phonons: Phonons, directions: int = 24) -> Sound:
    """The long-wave law of the acoustic branches, from small q in many directions, extrapolated to q = 0."""
    angle = np.pi * (np.arange(directions) + 0.25) / directions
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    small = 1e-3 * float(np.min(np.linalg.norm(phonons.cell.reciprocal, axis=1)))
    gated = phonons.crystal.interaction is not None and phonons.crystal.interaction.finite
    charge = 0.0 if gated else round(float(phonons.crystal.charges.sum()), 9)
    expected = 2 * np.pi * charge**2 / (phonons.crystal.area * float(phonons.mass.sum()))
    speed = signed_root(_limit(phonons, unit, small, 0, 2))
    if not charge:
        upper = signed_root(_limit(phonons, unit, small, 1, 2))
        return Sound(float(speed.min()), float(speed.max()), 0.0, 0.0, float(upper.mean()))
    optical = np.abs(phonons.gamma)[np.abs(phonons.gamma) > 0]
    if len(optical):  # the plasmon must stay below the optical branches, which it mixes with
        small = min(small, 0.01 * float(optical.min()) ** 2 / expected)
    rise = _limit(phonons, unit, small, 1, 1)
    return Sound(float(speed.min()), float(speed.max()), float(rise.mean()), expected, None)


def _limit(phonons: Phonons, unit: np.ndarray, small: float, branch: int, power: int) -> np.ndarray:
    """lim omega^2/q^power of an acoustic branch along unit vectors (m, 2).

    The error linear in q is taken out, of the plasmon (power 1), which mixes with optical branches, the next one too.
    """
    weights = (8 / 3, -2.0, 1 / 3) if power == 1 else (2.0, -1.0)
    limit = np.zeros(len(unit))
    for i, weight in enumerate(weights):
        q = small * 2**i
        limit += weight * np.sort(_acoustic(phonons.squared(q * unit)), axis=1)[:, branch] / q**power
    return limit


def _acoustic(squared: np.ndarray) -> np.ndarray:
    """The two branches nearest to zero, shape (m, 2)."""
    nearest = np.argsort(np.abs(squared), axis=1)[:, :2]
    return np.take_along_axis(squared, nearest, axis=1)


# -- the classical trion, alone in the plane --


@dataclass(frozen=True)
class ClassicalTrion:
    """Two electrons at (+-radius, 0), a hole below the middle: radius (a_h), energy (Ha_h), omega^2 (6,) (Ha_h^2)."""

    radius: float
    energy: float
    squared: np.ndarray


def classical_trion(spacing: float, electron_mass: float = 1.0, hole_mass: float = 1.0) -> ClassicalTrion:
    """The force-free symmetric trion of point charges: r = d/sqrt(2^{4/3} - 1), a saddle with one unstable mode.

    E = -2/sqrt(r^2 + d^2) + 1/(2 r) = -0.937/d, above -1/d of a dipole and a far electron. ``squared`` holds the modes:
    one negative (the hole moves towards an electron), three zero (translations and the rotation). ``spacing`` in a_h,
    masses in hole masses. Raises InputError unless all are positive. Source: Dai & Fu (2024), three-body problem.
    """
    for name, value in (("spacing", spacing), ("electron_mass", electron_mass), ("hole_mass", hole_mass)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(name, "a positive number", value, "lengths are in a_h, masses in hole masses")
    radius = spacing / math.sqrt(2 ** (4 / 3) - 1)
    where = np.array([[0.0, 0, spacing], [radius, 0, 0], [-radius, 0, 0]])
    charge, mass = np.array([1.0, -1, -1]), np.array([hole_mass, electron_mass, electron_mass])
    energy, hessian = 0.0, np.zeros((3, 2, 3, 2))
    for i in range(3):
        for j in range(i):
            r = where[i] - where[j]
            s, qq = float(np.linalg.norm(r)), charge[i] * charge[j]
            energy += qq / s
            block = qq * (3 * np.outer(r[:2], r[:2]) / s**5 - np.eye(2) / s**3)
            hessian[i, :, j], hessian[j, :, i] = -block, -block
            hessian[i, :, i] += block
            hessian[j, :, j] += block
    root = np.repeat(1 / np.sqrt(mass), 2)
    return ClassicalTrion(radius, energy, np.linalg.eigvalsh(hessian.reshape(6, 6) * np.outer(root, root)))
