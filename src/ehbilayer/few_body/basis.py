"""Choosing Gaussians: stochastic selection, then descent along the exact gradient of the energy.

Selection adds one function at a time, the best of many random ones and of many near the best; what each would do to
the lowest energy follows from the secular equation, without diagonalising again. Refinement moves all functions at
once. Functions are kept apart: a candidate that is almost a sum of others is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ehbilayer.few_body.gaussians import Charges, Functions, adjugate, diagonals, elements, slopes

NEAREST = 1e-7  # squared norm of what a new function must add to the others
CANCELLED = 1e-6  # share of its norm that exchange must leave of a function
FLATTEST = 1e-9  # smallest ratio of the determinant of a width matrix to the product of its diagonal: digits lost
DEPENDENT = 1e-13  # eigenvalues of the overlap of normalised functions below this are left out
NEIGHBOURHOODS = (0.4, 0.15)  # spreads of the searches around the best candidate


@dataclass(frozen=True, eq=False)
class Basis:
    """Gaussians with their overlap and Hamiltonian.

    Parameters
    ----------
    system : the charges.
    functions : the k Gaussians.
    overlap, hamiltonian : (k, k), of the normalised functions (Ha_h).
    norms : (k,), squared norms of the functions as they are.
    """

    system: Charges
    functions: Functions
    overlap: np.ndarray
    hamiltonian: np.ndarray
    norms: np.ndarray

    @classmethod
    def of(cls, system: Charges, functions: Functions) -> Basis:
        """The basis of these functions."""
        overlap, hamiltonian = elements(system, functions, functions)
        norms = np.diag(overlap).copy()
        scale = 1 / np.sqrt(np.outer(norms, norms))
        return cls(system, functions, overlap * scale, hamiltonian * scale, norms)

    def __len__(self) -> int:
        return len(self.functions)

    def join(self, more: Functions) -> Basis:
        """The basis with further functions."""
        s, h = elements(self.system, self.functions, more)
        corner, block = elements(self.system, more, more)
        norms = np.concatenate([self.norms, np.diag(corner)])
        scale = 1 / np.sqrt(np.outer(norms, norms))
        k = len(self)
        overlap, hamiltonian = np.zeros((2, len(norms), len(norms)))
        overlap[:k, :k], hamiltonian[:k, :k] = self.overlap, self.hamiltonian
        for matrix, edge, end in ((overlap, s, corner), (hamiltonian, h, block)):
            matrix[:k, k:] = edge * scale[:k, k:]
            matrix[k:, :k] = matrix[:k, k:].T
            matrix[k:, k:] = end * scale[k:, k:]
        return Basis(self.system, self.functions.join(more), overlap, hamiltonian, norms)

    @cached_property
    def levels(self) -> tuple[np.ndarray, np.ndarray]:
        """All energies (Ha_h) and states (columns, on normalised functions)."""
        return _diagonalise(self.overlap, self.hamiltonian)

    @property
    def energy(self) -> float:
        """The lowest energy in Ha_h, an upper bound up to ``noise``."""
        return float(self.levels[0][0])

    def energy_of_first(self, count: int) -> float:
        """The lowest energy (Ha_h) that the first ``count`` functions reach alone."""
        return float(_diagonalise(self.overlap[:count, :count], self.hamiltonian[:count, :count])[0][0])

    @property
    def coefficients(self) -> np.ndarray:
        """The lowest state on the functions as they are, with c^T S c = 1."""
        return self.levels[1][:, 0] / np.sqrt(self.norms)

    @property
    def noise(self) -> float:
        """Round-off of the energy in Ha_h: each element carries 1e-16 of itself over the flatness of its functions."""
        c = self.levels[1][:, 0] / np.sqrt(flatness(self.functions))
        return 2e-16 * float(np.linalg.norm(np.outer(c, c) * (np.abs(self.hamiltonian) + abs(self.energy))))


def flatness(functions: Functions) -> np.ndarray:
    """det A over the product of its diagonal (k,): 1 for round Gaussians, small where digits cancel."""
    return adjugate(functions.widths)[1] / np.prod(np.einsum("kii->ki", functions.widths), axis=1)


def sound(system: Charges, functions: Functions) -> tuple[Functions, np.ndarray, np.ndarray]:
    """Those functions whose matrix elements lose few digits, with their squared norms and Hamiltonian (k,)."""
    functions = functions[flatness(functions) > FLATTEST]
    norms, own, plain = diagonals(system, functions)
    whole = norms > CANCELLED * plain
    return functions[whole], norms[whole], own[whole]


def _diagonalise(overlap: np.ndarray, hamiltonian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels and vectors; combinations of functions that vanish to round-off are left out."""
    from scipy.linalg import LinAlgError, cholesky, eigh, solve_triangular

    overlap, hamiltonian = (overlap + overlap.T) / 2, (hamiltonian + hamiltonian.T) / 2
    try:
        factor = cholesky(overlap - DEPENDENT * np.eye(len(overlap)), lower=True)  # is there room for round-off?
        factor = cholesky(overlap, lower=True)
        half = solve_triangular(factor, hamiltonian, lower=True)
        energies, inner = eigh(solve_triangular(factor, half.T, lower=True))
        return energies, solve_triangular(factor, inner, lower=True, trans="T")
    except LinAlgError:
        norms, axes = eigh(overlap)
        keep = norms > 10 * DEPENDENT
        kept = axes[:, keep] / np.sqrt(norms[keep])
        energies, inner = eigh(kept.T @ hamiltonian @ kept)
        return energies, kept @ inner


def grow(basis: Basis, count: int, draw: Callable[[int], Functions], rng: np.random.Generator,
         candidates: int = 30) -> Basis:
    """Add functions one at a time until there are ``count``.

    Each is the best of ``candidates`` that ``draw`` makes, improved by as many near it, twice.
    """
    while len(basis) < count:
        best, level = _best(basis, draw(candidates))
        for spread in NEIGHBOURHOODS:
            nearer, lower = _best(basis, nearby(best, candidates, spread, rng))
            if lower < level:
                best, level = nearer, lower
        if not np.isfinite(level):
            return basis  # nothing new was found
        basis = basis.join(best)
    return basis


def nearby(function: Functions, count: int, spread: float, rng: np.random.Generator) -> Functions:
    """Copies of one function with its coordinates stretched and mixed at random."""
    n = function.vectors.shape[1]
    stretch = np.eye(n) + spread * rng.normal(size=(count, n, n))
    size = np.linalg.norm(function.vectors)
    return Functions(np.swapaxes(stretch, 1, 2) @ function.widths @ stretch,
                     function.vectors + spread * size * rng.normal(size=(count, n)))


def first(system: Charges, drawn: Functions) -> Basis:
    """The basis of the one function of lowest energy."""
    drawn, norms, own = sound(system, drawn)
    k = int(np.argmin(own / norms))
    return Basis.of(system, drawn[k: k + 1])


def _best(basis: Basis, drawn: Functions) -> tuple[Functions, float]:
    """The candidate that lowers the lowest level most, and that level (infinite if none adds anything)."""
    energies, vectors = basis.levels
    drawn, norms, own = sound(basis.system, drawn)
    if not len(drawn):
        return drawn, np.inf
    scale = 1 / np.sqrt(np.outer(norms, basis.norms))
    cross, coupling = elements(basis.system, drawn, basis.functions)
    s, h = (cross * scale) @ vectors, (coupling * scale) @ vectors  # with the eigenstates
    rest = 1 - (s**2).sum(axis=1)  # squared norm of what is new
    fresh = rest > NEAREST
    rest = np.where(fresh, rest, 1.0)
    diagonal = (own / norms - 2 * (s * h).sum(axis=1) + (energies * s**2).sum(axis=1)) / rest
    level = np.where(fresh, _secular(energies, diagonal, (h - energies * s) ** 2 / rest[:, None]), np.inf)
    k = int(np.argmin(level))
    return drawn[k: k + 1], float(level[k])


def _secular(energies: np.ndarray, diagonal: np.ndarray, squared: np.ndarray) -> np.ndarray:
    """Lowest root of E - diagonal = sum_i squared_i/(E - energies_i) for every row, by bisection."""
    high = np.minimum(energies[0], diagonal)
    low = high - np.sqrt(squared.sum(axis=1)) - 1e-300
    for _ in range(50):
        middle = (low + high) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            above = middle - diagonal - (squared / (middle[:, None] - energies)).sum(axis=1) > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return high


def refine(basis: Basis, steps: int) -> Basis:
    """Lower the energy by moving all widths and vectors: limited-memory BFGS on their Cholesky factors.

    Returns the basis as it is if nothing lower is found.
    """
    from scipy.optimize import minimize

    frame = _Frame(basis)
    found = minimize(frame.energy, np.zeros(frame.size), jac=True, method="L-BFGS-B",
                     options={"maxiter": steps, "maxcor": 30, "ftol": 1e-15, "gtol": 1e-12})
    if found.fun >= basis.energy:
        return basis
    after = Basis.of(basis.system, frame.functions(found.x))
    return after if after.energy < basis.energy else basis


class _Frame:
    """Free parameters: A = R^T D R with log D and the upper triangle of R (ones on the diagonal), and u."""

    def __init__(self, basis: Basis) -> None:
        self.system, functions = basis.system, basis.functions
        k, n = functions.vectors.shape
        lower = np.linalg.cholesky(functions.widths)
        diagonal = np.einsum("kii->ki", lower)
        self._log, self._unit = 2 * np.log(diagonal), np.swapaxes(lower / diagonal[:, None, :], 1, 2)
        self._upper = np.triu_indices(n, 1)
        self._vectors = functions.vectors
        self._length = np.linalg.norm(functions.vectors, axis=1, keepdims=True)
        self._ends = np.cumsum([k * n, k * len(self._upper[0]), k * n * self.system.angular_momentum])
        self.size, self.worst = int(self._ends[-1]), basis.energy + abs(basis.energy)

    def _unpack(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        a, b, _ = self._ends
        unit = self._unit.copy()
        unit[:, self._upper[0], self._upper[1]] += x[a:b].reshape(len(unit), -1)
        vectors = self._vectors
        if self.system.angular_momentum:
            vectors = vectors + self._length * x[b:].reshape(vectors.shape)
        return np.exp(np.clip(self._log + x[:a].reshape(self._log.shape), -200, 200)), unit, vectors

    def functions(self, x: np.ndarray) -> Functions:
        """The functions at these parameters."""
        d, unit, vectors = self._unpack(x)
        return Functions(np.swapaxes(unit, 1, 2) @ (d[:, :, None] * unit), vectors)

    def energy(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Lowest energy and its gradient."""
        d, unit, _ = self._unpack(x)
        functions = self.functions(x)
        if len(sound(self.system, functions)[0]) < len(functions):
            return self.worst, np.zeros(self.size)  # the line search steps back
        basis = Basis.of(self.system, functions)
        slope = slopes(self.system, basis.functions, basis.coefficients, basis.energy)
        by_unit = 2 * d[:, :, None] * (unit @ slope.widths)
        by_log = d * np.einsum("kai,kij,kaj->ka", unit, slope.widths, unit)
        parts = [by_log.ravel(), by_unit[:, self._upper[0], self._upper[1]].ravel()]
        if self.system.angular_momentum:
            parts.append((self._length * slope.vectors).ravel())
        return basis.energy, np.concatenate(parts)
