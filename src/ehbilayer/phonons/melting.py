r"""Quantum melting of classical crystals by Lindemann's rule: zero-point motion against the distance of neighbours.

A group of charges melts where gamma = sqrt(<u^2>)/R reaches a threshold; <u^2> is the mean square displacement of its
members (both directions), R the distance between nearest members. Groups are all electrons, all holes, the dipoles
(a hole and an electron above it: displacement of the centre of mass), and the electrons outside dipoles.

At fixed a/d and masses <u^2>/d^2 is proportional to sqrt(a_h/d), so gamma = c (a_h/d)^{1/4} and one crystal gives a
point of the melting line for every threshold: d/a_h = (c/threshold)^4, a/a_h = (a/d)(d/a_h). A screened interaction
has lengths of its own: there d is a root at each a/d (`screened_lines`).

Threshold: quantum Monte Carlo finds melting of two-dimensional crystals at T = 0 at 0.230(6) for dipoles
(Astrakharchik et al., PRL 98, 060405 (2007)) and 0.269(4) for quadrupoles (Astrakharchik et al., arXiv:2012.14008),
with the full displacements, not their harmonic part. The default, 0.25, lies between.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ehbilayer.crystal.structures import Crystal
from ehbilayer.errors import InputError
from ehbilayer.numerics.lattice import reduce_vectors
from ehbilayer.phonons.modes import Phonons
from ehbilayer.phonons.zone import Fluctuation, fluctuation, sample, softest
from ehbilayer.status import Status

THRESHOLD = 0.25
PAIR = 0.5  # an electron this close to a hole in the plane, in units of the spacing, forms a dipole with it
ROUNDS, SETTLED, FLATTEST, LARGEST = 12, 1e-4, 0.02, 4.0  # secants, ln gamma, d ln gamma/d ln d, step of ln d
GROUPS = ("electron", "hole", "dipole", "free_electron")


@dataclass(frozen=True, eq=False)
class Group:
    """Charges that melt together: members (k, 1 or 2) as numbers of charges, and R between nearest members, a_h."""

    members: np.ndarray
    neighbour: float


def pair_up(crystal: Crystal) -> tuple[Crystal, np.ndarray]:
    """The same crystal with every dipole in one image, and its dipoles (k, 2): numbers of hole and electron.

    A hole and its nearest electron form a dipole if they are closer than PAIR times the spacing in the plane and the
    electron is nearest to no other hole. Without such pairs the array is empty.
    """
    hole = np.array([i for i, s in enumerate(crystal.species) if s == "hole"], dtype=int)
    electron = np.array([i for i, s in enumerate(crystal.species) if s == "electron"], dtype=int)
    if not (len(hole) and len(electron) and crystal.spacing):
        return crystal, np.zeros((0, 2), dtype=int)
    where = crystal.positions.copy()
    apart = _wrap(crystal, where[electron] - where[hole][:, None])  # hole, electron, xy
    distance = np.linalg.norm(apart, axis=-1)
    nearest = np.argmin(distance, axis=1)
    close = distance[np.arange(len(hole)), nearest] < PAIR * crystal.spacing
    shared = np.bincount(nearest[close], minlength=len(electron))[nearest] > 1
    keep = np.flatnonzero(close & ~shared)
    where[electron[nearest[keep]]] = where[hole[keep]] + apart[keep, nearest[keep]]
    return crystal.moved(crystal.vectors, where), np.stack([hole[keep], electron[nearest[keep]]], axis=1)


def groups(crystal: Crystal, dipoles: np.ndarray, masses: dict[str, float]) -> dict[str, Group]:
    """The groups that this crystal has."""
    numbers = {name: np.array([[i] for i, s in enumerate(crystal.species) if s == name]) for name in GROUPS[:2]}
    numbers["dipole"] = dipoles
    if len(dipoles):
        free = [i for i, s in enumerate(crystal.species) if s == "electron" and i not in dipoles]
        numbers["free_electron"] = np.array([[i] for i in free])
    weight = np.array([masses[s] for s in crystal.species])
    out = {}
    for name, members in numbers.items():
        if len(members):
            share = weight[members] / weight[members].sum(axis=1, keepdims=True)
            centre = np.einsum("km,kmx->kx", share, crystal.positions[members])
            out[name] = Group(members, _nearest(crystal, centre, crystal.heights[members].mean(axis=1)))
    return out


def _nearest(crystal: Crystal, points: np.ndarray, heights: np.ndarray) -> float:
    """The shortest in-plane distance between points of one height, images included."""
    shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    images = shifts @ reduce_vectors(crystal.vectors)[0]
    apart = np.linalg.norm(_wrap(crystal, points - points[:, None])[:, :, None] + images, axis=-1)
    apart[np.arange(len(points)), np.arange(len(points)), len(images) // 2] = np.inf
    return float(apart[heights == heights[:, None]].min())


def _wrap(crystal: Crystal, displacement: np.ndarray) -> np.ndarray:
    vectors = reduce_vectors(crystal.vectors)[0]
    fraction = displacement @ np.linalg.inv(vectors)
    return (fraction - np.rint(fraction)) @ vectors


def displacements(crystal: Crystal, found: dict[str, Group], motion: Fluctuation,
                  masses: dict[str, float]) -> dict[str, float]:
    """Root-mean-square displacement (both directions) of each group's members, of dipoles' centres of mass; a_h."""
    weight = np.array([masses[s] for s in crystal.species])
    out = {}
    for name, group in found.items():
        square = 0.0
        for member in group.members:
            share = weight[member] / weight[member].sum()
            block = motion.covariance[np.ix_(member, (0, 1), member, (0, 1))]
            square += float(np.einsum("i,iaja,j->", share, block, share))
        out[name] = float(np.sqrt(square / len(group.members)))
    return out


@dataclass(frozen=True, eq=False)
class MeltingLines:
    """Where each group melts, for a list of a/d.

    Parameters
    ----------
    a_over_d : shape (k,).
    strength : group -> c of gamma = c (a_h/d)^{1/4}, shape (k,); NaN where it is unstable,
        has no such group, or the averages over the zone miss their tolerance.
    threshold : of gamma.
    stable : whether the crystal is, in the whole zone, shape (k,).
    """

    a_over_d: np.ndarray
    strength: dict[str, np.ndarray]
    threshold: float
    stable: np.ndarray

    def spacing(self, group: str) -> np.ndarray:
        """d/a_h at melting, shape (k,): the group is solid above."""
        return (self.strength[group] / self.threshold) ** 4

    def length(self, group: str) -> np.ndarray:
        """a/a_h at melting, shape (k,): the group is solid above (along the ray of constant a/d)."""
        return self.a_over_d * self.spacing(group)


def melting_lines(make: Callable[[float], Crystal], a_over_d: np.ndarray, masses: dict[str, float],
                  threshold: float = THRESHOLD, tolerance: float = 1e-4,
                  step: Callable[[int], Status | None] | None = None) -> MeltingLines | None:
    """Melting lines of a family of crystals.

    Parameters
    ----------
    make : a/d -> the force-free crystal with spacing 1, e.g. ``lambda x: named("honeycomb", 1/(pi x^2), 1.0)``.
    a_over_d : values > 0, shape (k,), a = 1/sqrt(pi n_h).
    masses : of each species, in hole masses.
    threshold : of the Lindemann ratio.   tolerance : of the zone averages.
    step : told the number of each value before it is computed; a Status stops, and the answer is None.

    Raises InputError for values that are not positive, and as `Phonons`.
    """
    values = np.atleast_1d(np.asarray(a_over_d, dtype=float))
    if values.ndim != 1 or not np.all(np.isfinite(values)) or np.any(values <= 0) or not 0 < threshold:
        raise InputError("a_over_d", "positive numbers, and a threshold > 0", a_over_d, "a = 1/sqrt(pi n_h)")
    strength, stable = {name: np.full(len(values), np.nan) for name in GROUPS}, np.zeros(len(values), dtype=bool)
    for i, value in enumerate(values):
        if step is not None and step(i) is not None:
            return None
        found = ratios(make(float(value)), masses, tolerance)
        stable[i] = found is not None
        for name, ratio in (found or {}).items():
            strength[name][i] = ratio  # at d = a_h = 1 gamma is c itself
    return MeltingLines(values, strength, threshold, stable)


def ratios(crystal: Crystal, masses: dict[str, float], tolerance: float) -> dict[str, float] | None:
    """Group -> gamma of a crystal at rest, lengths in a_h; None for an unstable one, empty where the averages over the
    zone miss their tolerance."""
    crystal, dipoles = pair_up(crystal)
    phonons = Phonons(crystal, masses)
    grid = sample(phonons, 12)
    if grid is None or not softest(phonons, grid).stable:
        return None
    motion = fluctuation(phonons, tolerance)
    if motion is None or not motion.converged:
        return {}
    found = groups(crystal, dipoles, masses)
    return {name: size / found[name].neighbour
            for name, size in displacements(crystal, found, motion, masses).items()}


def screened_lines(make: Callable[[float, float], Crystal], a_over_d: np.ndarray, spacing: float,
                   masses: dict[str, float], threshold: float = THRESHOLD, tolerance: float = 1e-4,
                   step: Callable[[int], Status | None] | None = None) -> MeltingLines | None:
    """Melting lines in an interaction with lengths of its own, where gamma is no power of d.

    At every a/d the spacing is looked for at which gamma is the threshold, from where bare charges would have it, by
    secants of ln gamma against ln d. NaN where none is found in ROUNDS of them, or gamma grows with d, as it does where
    gates are closer than charges.

    Parameters
    ----------
    make : a/d and spacing (a_h) -> the force-free crystal.   spacing : where ``stable`` is told, and the search begins.
    others : as `melting_lines`.
    """
    strength = {name: np.full(len(a_over_d), np.nan) for name in GROUPS}
    stable = np.zeros(len(a_over_d), dtype=bool)
    for i, value in enumerate(a_over_d.tolist()):
        known: dict[float, dict[str, float] | None] = {}

        def at(d: float, value: float = value, known: dict[float, dict[str, float] | None] = known
               ) -> dict[str, float] | None:
            if d not in known:
                try:
                    known[d] = ratios(make(value, d), masses, tolerance)
                except InputError:  # layers of some thickness come no closer than they touch
                    known[d] = None
            return known[d]

        if step is not None and step(i) is not None:
            return None
        here = at(spacing)
        stable[i] = here is not None
        for name in here or {}:
            if step is not None and step(i) is not None:
                return None
            def strength_at(d: float, at: Callable[[float], dict[str, float] | None] = at, name: str = name
                            ) -> float | None:
                return (at(d) or {}).get(name)

            d = _melting_spacing(strength_at, spacing, threshold)
            strength[name][i] = threshold * d**0.25  # as `MeltingLines.spacing` reads it
    return MeltingLines(a_over_d, strength, threshold, stable)


def _melting_spacing(ratio: Callable[[float], float | None], spacing: float, threshold: float) -> float:
    """d (a_h) at which gamma is the threshold; NaN where it is not found."""
    x, slope, before = math.log(spacing), -0.25, None
    for _ in range(ROUNDS):
        gamma = ratio(math.exp(x))
        if gamma is None:
            return math.nan
        y = math.log(gamma / threshold)
        if before is not None:
            slope = (y - before[1]) / (x - before[0])
        if abs(y) < SETTLED:
            return math.exp(x - y / slope)
        if slope >= -FLATTEST:
            return math.nan
        before = x, y
        x -= min(max(y / slope, -LARGEST), LARGEST)
    return math.nan
