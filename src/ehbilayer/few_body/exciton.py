"""One electron and one hole in two layers: the radial equation solved directly, to about twelve digits.

    -(1/2 mu) (R'' + R'/r - m^2 R/r^2) - v(r) R = E R,   mu = m_e m_h/(m_e + m_h),   v = 1/sqrt(r^2 + d^2)

in spectral elements: polynomials of degree 14 between radii that grow by a constant factor, from far below the smallest
length of the problem (Bohr radius 1/mu or spacing d) to where the state has died out. Exact at d = 0, where
E = -2 mu; at large d the exciton is an oscillator, E -> -1/d + 1/sqrt(mu d^3). A screened v(r) may be singular as ln r
at r = 0, to which the elements go on, and bind less, so that they reach as far as the state does. Hole atomic units.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.interaction.screened import Screened
from ehbilayer.numerics.quadrature import gauss_legendre

DEGREE = 14
GROWTH = 1.8  # of the radii from one element to the next
DECAY = 42.0  # the grid ends where the state is about exp(-42)
NEAREST = 1e-6  # of the first element over the Bohr radius, where v(r) is singular as ln r
FARTHEST = 1e10  # Bohr radii that a grid reaches


@dataclass(frozen=True, eq=False)
class Exciton:
    """The lowest state of one electron and one hole.

    Parameters
    ----------
    energy : E in Ha_h, negative: the exciton is always bound.
    mean_distance, mean_square : <r> (a_h) and <r^2> (a_h^2) of the in-plane distance.
    polarisability : alpha of the energy -alpha F^2/2 in an in-plane force F on the distance (a_h^3).
    radii, amplitude : R at the nodes of the grid (a_h), with 2 pi int r R^2 dr = 1 (1/a_h).
    """

    energy: float
    mean_distance: float
    mean_square: float
    polarisability: float
    radii: np.ndarray
    amplitude: np.ndarray


def check(electron_mass: float, spacing: float) -> None:
    """Raise InputError for a mass that is not positive or a spacing below zero."""
    if not (math.isfinite(electron_mass) and electron_mass > 0):
        raise InputError("electron_mass", "a positive mass in units of the hole mass", electron_mass, "give m_e/m_h")
    if not (math.isfinite(spacing) and spacing >= 0):
        raise InputError("spacing", "a length >= 0 in a_h", spacing, "give the distance of the layers")


@lru_cache(maxsize=256)
def solve_exciton(electron_mass: float, spacing: float, screened: Screened | None = None) -> Exciton:
    """The exciton of an electron of mass m_e/m_h and a hole, layers this far apart (a_h).

    In place of Coulomb's interaction it takes a ``screened`` one of this spacing.

    Returns
    -------
    Exciton, its energy right to about 1e-12 of itself.

    Raises
    ------
    InputError : a mass that is not positive, a spacing below zero.
    """
    check(electron_mass, spacing)
    return solve_pair(electron_mass / (1 + electron_mass), spacing, screened)


@lru_cache(maxsize=256)
def solve_pair(mu: float, spacing: float, screened: Screened | None = None) -> Exciton:
    """That of the reduced mass ``mu`` (hole masses); see `solve_exciton`."""
    if screened is not None and (stretched := screened.coulomb_distance(0, 1)) is not None:
        spacing, screened = stretched, None
    if screened is None:
        grid = _Grid(mu, _edges(mu, spacing), lambda r: 1 / np.hypot(r, spacing))
        energy, state = _lowest(grid.hamiltonian(0), grid.integral(1.0),
                                -1.0001 * (min(2 * mu, 1 / spacing) if spacing else 2 * mu))
    else:
        grid, energy, state = _screened(mu, screened)
    distance = grid.integral(grid.r)
    # first order in a force along x: R changes by chi cos(phi) with (H_1 - E) chi = r R, and alpha = <R|r|chi>,
    # twice from second-order perturbation theory, half from the average of cos^2
    turning = (grid.hamiltonian(1) - energy * grid.integral(1.0))[1:, 1:]  # chi vanishes at r = 0
    pull = (distance @ state)[1:]
    alpha = float(pull @ np.linalg.solve(turning, pull))
    return Exciton(energy, float(state @ distance @ state), float(state @ grid.integral(grid.r**2) @ state), alpha,
                   grid.nodes, state * np.sign(state[0]) / math.sqrt(2 * math.pi))


class _Grid:
    """Polynomials between nodes, and Gauss quadrature of their products with r dr."""

    def __init__(self, mu: float, edges: np.ndarray, potential: Callable[[np.ndarray], np.ndarray]) -> None:
        self.mu = mu
        count, half = len(edges) - 1, np.diff(edges) / 2
        local = -np.cos(np.pi * np.arange(DEGREE + 1) / DEGREE)
        gauss, weights = gauss_legendre(DEGREE + 3)
        values, slopes = _lagrange(local, gauss)
        self.nodes = np.append((edges[:-1, None] + half[:, None] * (local[:-1] + 1)).ravel(), edges[-1])
        self.r = (edges[:-1, None] + half[:, None] * (gauss + 1)).ravel()
        self._attraction = potential(self.r)
        self._measure = (half[:, None] * weights).ravel() * self.r
        self._values, self._slopes = np.zeros((2, len(self.r), len(self.nodes)))
        for e in range(count):
            rows, columns = slice(e * len(gauss), (e + 1) * len(gauss)), slice(e * DEGREE, (e + 1) * DEGREE + 1)
            self._values[rows, columns], self._slopes[rows, columns] = values, slopes / half[e]

    def integral(self, function: np.ndarray | float) -> np.ndarray:
        """Matrix of int f(r) R_i R_j r dr, f given at the quadrature points ``r``."""
        return self._values.T @ ((self._measure * function)[:, None] * self._values)

    def hamiltonian(self, momentum: int) -> np.ndarray:
        """The radial Hamiltonian of this angular momentum."""
        kinetic = self._slopes.T @ (self._measure[:, None] * self._slopes) / (2 * self.mu)
        return kinetic + self.integral(momentum**2 / (2 * self.mu * self.r**2) - self._attraction)


def _screened(mu: float, screened: Screened) -> tuple[_Grid, float, np.ndarray]:
    """The grid that holds the lowest state in a screened interaction, its energy and itself.

    Raises InputError for a well so shallow that its state would reach beyond FARTHEST.
    """
    apart = screened.stretch * (screened.spacing - screened.layer_thickness)
    bohr = 1 / mu
    smallest = min(apart, bohr) / 2 if apart > 0 else NEAREST * bohr
    # v(r) is below 1/r, which binds by 2 mu, and below its value at r = 0
    below = 1.0001 * min(2 * mu, float(screened.real_space(np.zeros(1), 0, 1)[0]) if apart > 0 else math.inf)
    last = DECAY * bohr + 5 * (screened.spacing + sum(screened.sheets))
    while last < FARTHEST * bohr:
        grid = _Grid(mu, _growing(smallest, last), lambda r: screened.real_space(r, 0, 1))
        still, overlap = grid.hamiltonian(0), grid.integral(1.0)
        energy, state = _lowest(still, overlap, -below, _nearest(still, overlap, -below))
        needed = DECAY / math.sqrt(2 * mu * max(-energy, 1e-300)) + 5 * screened.spacing
        if needed <= 1.01 * last:
            return grid, energy, state
        # on a longer grid the state is less confined, and higher
        below, last = min(below, -2 * energy), 1.1 * min(needed, 30 * last)
    raise InputError("gate_top", "farther from the layers where excitons are asked for", screened.gate_top,
                     "gates leave a well so shallow that its bound state has no size")


def _edges(mu: float, spacing: float) -> np.ndarray:
    """Radii between which the state is a polynomial to machine precision."""
    bohr, swing = 1 / mu, (spacing**3 / mu) ** 0.25  # a_h; width of the oscillator at large spacing
    smallest = 0.5 * max(min(spacing, swing), 1e-12 * bohr) if spacing else 0.5 * bohr
    binding = 1 / (bohr / 2 + spacing + math.sqrt(spacing / mu))  # about
    return _growing(smallest, DECAY / math.sqrt(2 * mu * binding) + 5 * spacing)


def _growing(smallest: float, last: float) -> np.ndarray:
    """Radii from 0 to ``last`` at least, in steps that grow from ``smallest``."""
    count = math.ceil(math.log1p(last * (GROWTH - 1) / smallest) / math.log(GROWTH))
    return smallest * (GROWTH ** np.arange(count + 1) - 1) / (GROWTH - 1)


def _lagrange(nodes: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and derivatives (points, nodes) of the polynomials that are 1 at one node and 0 at the others."""
    vandermonde = np.polynomial.chebyshev.chebvander(nodes, len(nodes) - 1)
    values = np.polynomial.chebyshev.chebvander(points, len(nodes) - 1)
    slopes = np.zeros_like(values)
    for k in range(1, len(nodes)):
        slopes[:, k] = np.polynomial.chebyshev.chebval(points, np.polynomial.chebyshev.chebder(np.eye(len(nodes))[k]))
    inverse = np.linalg.inv(vandermonde)
    return values @ inverse, slopes @ inverse


def _nearest(hamiltonian: np.ndarray, overlap: np.ndarray, below: float) -> np.ndarray:
    """The lowest state, roughly, where ``below`` may lie far below it: Lanczos' method for the inverse."""
    from scipy.sparse import csc_matrix
    from scipy.sparse.linalg import eigsh

    found = eigsh(csc_matrix(hamiltonian), 1, csc_matrix(overlap), below, v0=np.ones(len(overlap)), tol=1e-10)
    return np.asarray(found[1][:, 0])


def _lowest(hamiltonian: np.ndarray, overlap: np.ndarray, below: float,
            start: np.ndarray | None = None) -> tuple[float, np.ndarray]:
    """Lowest eigenvalue and state with state^T overlap state = 1, by inverse iteration, from ``start`` where it is
    known.

    The small elements have levels up to 1e24, next to which a full diagonalisation would lose the lowest one.
    """
    from scipy.linalg import lu_factor, lu_solve

    state, shift = np.ones(len(overlap)), below
    energy = below
    if start is not None:
        state = start / math.sqrt(start @ overlap @ start)
        shift = float(state @ hamiltonian @ state) * (1 + 1e-9)
    for _ in range(4):  # the first round picks the state, the others are Rayleigh's, three times as many digits each
        factors = lu_factor(hamiltonian - shift * overlap)
        for _ in range(30 if shift == below else 2):
            state = lu_solve(factors, overlap @ state)
            state /= math.sqrt(state @ overlap @ state)
        energy = float(state @ hamiltonian @ state)
        shift = energy * (1 + 1e-9)  # never the eigenvalue itself
    return energy, state
