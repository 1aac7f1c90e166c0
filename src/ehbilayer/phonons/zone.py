r"""Averages of phonons over the zone: stability, density of states, zero-point energy and displacements.

    E_0 = 1/2 sum_b <omega_b>,     <u u^T> = 1/2 M^{-1/2} < (M^{-1/2} D M^{-1/2})^{-1/2} > M^{-1/2}       (hbar = 1)

with < > the average over the zone. Sound makes the second integrand diverge as 1/q, which is integrable in two
dimensions: the zone is cut into triangles with a corner at q = 0, q = t^2 [(1-v) P + v P'], and a Gauss rule in t and
v sees an analytic function, because the measure is 2 t^3 and plasmons go as sqrt(q). The order grows until two orders
agree to the tolerance; their difference is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ehbilayer.numerics.lattice import Cell
from ehbilayer.numerics.memory import require_memory
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.phonons.modes import UNSTABLE, Phonons, signed_root
from ehbilayer.status import Status

ORDERS = (8, 12, 18, 27, 40, 60)
NEAR = 1e-3  # of the shortest reciprocal vector: where sound is looked at
TREMBLE = 1e-9  # omega^2/q^2 there below minus this, in units of the largest omega^2: ten times its round-off


def zone_rule(cell: Cell, order: int, nearest: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Points q (m, 2) in 1/a_h and weights (m,) of a zone average; sum of the weights 1. For functions even in q.

    No point has t < ``nearest``: round-off hides sound there. Up to t0 the integrand is taken as a t + b t^2 + c t^3,
    known from three points beyond.
    """
    node, weight = gauss_legendre(order)
    v, share = (node + 1) / 2, weight / 2
    t0 = max(0.4 / order, nearest)
    outer, inner = t0 + (1 - t0) * v, t0 * np.array([1.0, 1.5, 2.0])
    powers = np.arange(1, 4)[:, None]
    extra = np.linalg.solve(inner**powers, t0 ** (powers[:, 0] + 1) / (powers[:, 0] + 1))
    t, length = np.append(outer, inner), np.append((1 - t0) * share, extra)
    t, v = (x.ravel() for x in np.meshgrid(t, v, indexing="ij"))
    weights = np.outer(length, share).ravel() * 2 * t**3  # u du = 2 t^3 dt with u = t^2
    b1, b2 = cell.reciprocal
    corners = np.array([(b1 + b2) / 2, (b2 - b1) / 2, -(b1 + b2) / 2])
    points = [(t * t)[:, None] * ((1 - v)[:, None] * p + v[:, None] * q) for p, q in pairwise(corners)]
    return np.concatenate(points), np.concatenate([weights, weights])


def mesh(cell: Cell, size: int) -> np.ndarray:
    """A uniform mesh with q = 0 over the zone, shape (size, size, 2), 1/a_h; even sizes have the points of symmetry."""
    f = np.arange(size) / size
    return f[:, None, None] * cell.reciprocal[0] + f[:, None] * cell.reciprocal[1]


@dataclass(frozen=True, eq=False)
class ZoneMesh:
    """omega^2 on a uniform mesh: q (size, size, 2) in 1/a_h, squared (size, size, branches) in Ha_h^2, ascending."""

    q: np.ndarray
    squared: np.ndarray

    @property
    def scale(self) -> float:
        """The largest |omega^2|."""
        return float(np.max(np.abs(self.squared)))


def require_room(charges: int, size: int) -> None:
    """Raises InputError for a mesh whose frequencies, and matrices of one row, take more memory than there is."""
    branches = 2 * charges
    require_memory(8 * (6 * size**2 * branches + 8 * size * branches**2), "mesh", "a coarser one, or fewer charges")


def sample(phonons: Phonons, size: int, should_stop: Callable[[], Status | None] | None = None) -> ZoneMesh | None:
    """omega^2 on the mesh, half of it computed (q and -q agree); None if it was stopped."""
    require_room(phonons.branches // 2, size)
    q = mesh(phonons.cell, size)
    squared = np.empty((size, size, phonons.branches))
    for i in range(size // 2 + 1):
        if should_stop is not None and should_stop() is not None:
            return None
        squared[i] = phonons.squared(q[i])
        squared[-i] = np.roll(squared[i][::-1], 1, axis=0)
    return ZoneMesh(q, squared)


# -- stability --


@dataclass(frozen=True, eq=False)
class Softest:
    """The lowest modes of the zone.

    Parameters
    ----------
    stable : no omega^2 < 0 anywhere: neither on the mesh, nor at the refined minima, nor of sound around q = 0.
    frequency, at : of the lowest mode, Ha_h (negative where it is unstable) and q (2,) in 1/a_h; 0 at q = 0 if stable.
    soft_frequency, soft_at : the lowest minimum of the lowest branch away from q = 0, None if it has none.
    """

    stable: bool
    frequency: float
    at: np.ndarray
    soft_frequency: float | None
    soft_at: np.ndarray | None


def softest(phonons: Phonons, grid: ZoneMesh) -> Softest:
    """The lowest mode of the zone: all minima of the lowest branch on the mesh, refined, and a ring around q = 0."""
    lowest, tiny = grid.squared[..., 0], UNSTABLE * grid.scale
    around = [np.roll(lowest, s, axis=(0, 1)) for s in ((1, 0), (0, 1), (1, 1), (-1, 0), (0, -1), (-1, -1), (1, -1),
                                                       (-1, 1))]
    minimal = np.all([lowest <= other + tiny for other in around], axis=0)
    minimal[0, 0] = False
    starts = grid.q[minimal][np.argsort(lowest[minimal], kind="stable")][:6]
    found = [_refine(phonons, q, len(grid.q)) for q in starts]
    gamma, ring = float(phonons.squared(np.zeros((1, 2)))[0, 0]), _ring(phonons)
    unstable = [(value, q) for value, q in [*found, (gamma, np.zeros(2)), ring] if value < -tiny]
    # near q = 0 omega^2 of sound is small, and its sign is told from omega^2/q^2
    trembling = ring[0] / NEAR**2 < -TREMBLE * grid.scale
    if unstable or trembling:
        value, at = min(unstable, key=lambda x: x[0]) if unstable else ring
    else:
        value, at = 0.0, np.zeros(2)
    away = [(value, q) for value, q in found if np.linalg.norm(q) > NEAR * _shortest(phonons)]
    soft = min(away, key=lambda x: x[0]) if away else None
    return Softest(not unstable and not trembling, float(signed_root(np.array(value))), at,
                   None if soft is None else float(signed_root(np.array(soft[0]))), None if soft is None else soft[1])


def _shortest(phonons: Phonons) -> float:
    return float(np.min(np.linalg.norm(phonons.cell.reciprocal, axis=1)))


def _ring(phonons: Phonons) -> tuple[float, np.ndarray]:
    """The lowest omega^2 close to q = 0, over all directions; a soft direction may be narrow, so it is refined."""
    from scipy.optimize import minimize_scalar

    radius, step = NEAR * _shortest(phonons), np.pi / 36

    def ray(angle: np.ndarray) -> np.ndarray:
        return radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    angle = step * np.arange(36)
    best = float(angle[np.argmin(phonons.squared(ray(angle))[:, 0])])
    end = minimize_scalar(lambda t: float(phonons.squared(ray(np.array([t])))[0, 0]) / radius**2, method="bounded",
                          bounds=(best - step, best + step), options={"xatol": 1e-5})
    q = ray(np.array([best, float(end.x)]))
    squared = phonons.squared(q)[:, 0]
    return float(squared.min()), q[np.argmin(squared)]


def _refine(phonons: Phonons, start: np.ndarray, size: int) -> tuple[float, np.ndarray]:
    """The minimum of the lowest omega^2 near a mesh point, and where in the zone around 0 it is."""
    from scipy.optimize import minimize

    b = phonons.cell.reciprocal
    scale = float(np.max(np.abs(phonons.squared(start[None]))))
    simplex = start @ np.linalg.inv(b) + np.array([[0, 0], [1, 0], [0, 1]]) / (4 * size)
    end = minimize(lambda f: float(phonons.squared((f @ b)[None])[0, 0]) / scale, simplex[0], method="Nelder-Mead",
                   options={"initial_simplex": simplex, "xatol": 1e-6, "fatol": 1e-13, "maxiter": 200})
    fraction = end.x - np.rint(end.x)
    return float(end.fun) * scale, fraction @ b


# -- density of states --


def density_of_states(grid: ZoneMesh, bins: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Modes per cell and frequency: edges of bins (m + 1,) in Ha_h, density (m,) in 1/Ha_h; its integral is 2n.

    omega is interpolated linearly on the triangles of the mesh, where the number of modes below a frequency is a closed
    form. Every range of branches that overlap has ``bins`` bins, a gap between ranges one. Unstable modes count at
    negative frequencies.
    """
    omega = signed_root(grid.squared)
    right, up = np.roll(omega, -1, axis=0), np.roll(omega, -1, axis=1)
    over = np.roll(right, -1, axis=1)
    corners = np.stack([np.stack([omega, right, up]), np.stack([over, right, up])], axis=1)
    corners = np.sort(corners.reshape(3, -1), axis=0)  # sorted by frequency, triangle
    edges = np.concatenate([np.linspace(low, high, bins + 1) for low, high in _ranges(omega)])
    total = np.array([_below(corners, e) for e in edges]) * omega.shape[2]
    return edges, np.diff(total) / np.diff(edges)


def _ranges(omega: np.ndarray) -> list[tuple[float, float]]:
    """Ranges of frequency that branches cover, a little wider than they are, so that none is empty."""
    low, high = omega.min(axis=(0, 1)), omega.max(axis=(0, 1))
    pad = 1e-5 * float(high.max() - low.min()) or 1e-5 * abs(float(high.max())) or 1e-300
    found: list[tuple[float, float]] = []
    for a, b in zip(low - pad, high + pad, strict=True):
        if found and a <= found[-1][1]:
            found[-1] = (found[-1][0], max(b, found[-1][1]))
        else:
            found.append((float(a), float(b)))
    return found


def _below(corners: np.ndarray, e: float) -> float:
    """The share of triangles that lies below e, frequencies linear on each."""
    e1, e2, e3 = corners
    first, last = (e1 < e) & (e < e2), (e2 <= e) & (e < e3)
    share = np.where(e >= e3, 1.0, 0.0)
    share[first] = (e - e1[first]) ** 2 / ((e2 - e1) * (e3 - e1))[first]
    share[last] = 1 - (e3[last] - e) ** 2 / ((e3 - e2) * (e3 - e1))[last]
    return float(share.mean())


# -- quantum fluctuation --


@dataclass(frozen=True, eq=False)
class Fluctuation:
    """Zero-point motion.

    Parameters
    ----------
    energy : zero-point energy per cell, Ha_h.
    covariance : <u_ia u_jb>, shape (n, 2, n, 2), a_h^2, of charges i and j at the positions that the crystal gives.
    error : the relative change of energy and mean square displacements at the last growth of the order.
    points : wave vectors of the last rule.   converged : error below the tolerance.
    """

    energy: float
    covariance: np.ndarray
    error: float
    points: int
    converged: bool

    @property
    def square(self) -> np.ndarray:
        """<u_i^2> of every charge, both directions, shape (n,), a_h^2."""
        return np.einsum("iaia->i", self.covariance)


def fluctuation(phonons: Phonons, tolerance: float = 1e-6,
                should_stop: Callable[[], Status | None] | None = None) -> Fluctuation | None:
    """Zero-point energy and displacements to a relative tolerance; None for an unstable crystal or if stopped."""
    before: tuple[float, np.ndarray] | None = None
    nearest = _nearest(phonons)
    error, energy, covariance, points = np.inf, 0.0, np.zeros(0), 0
    for order in ORDERS:
        q, weight = zone_rule(phonons.cell, order, nearest)
        found = _averages(phonons, q, weight, should_stop)
        if found is None:
            return None
        energy, covariance, points = *found, len(q)
        if before is not None:
            squares, old = (np.einsum("iaia->i", c) for c in (covariance, before[1]))
            error = max(abs(energy / before[0] - 1), float(np.max(np.abs(squares / old - 1))))
            if error < tolerance:
                break
        before = energy, covariance
    return Fluctuation(energy, covariance, error, points, error < tolerance)


def _nearest(phonons: Phonons) -> float:
    """The smallest t = sqrt(q/edge) at which omega^2 of sound stands out of the round-off of the largest omega^2."""
    sound, largest = max(_ring(phonons)[0], 1e-300), float(phonons.squared(np.zeros((1, 2))).max())
    return float(np.clip(np.sqrt(NEAR * np.sqrt(1e-11 * largest / sound)), 0.015, 0.15))


def _averages(phonons: Phonons, q: np.ndarray, weight: np.ndarray,
              should_stop: Callable[[], Status | None] | None) -> tuple[float, np.ndarray] | None:
    n, size = len(phonons.mass), phonons.branches
    root = np.repeat(1 / np.sqrt(phonons.mass), 2)
    where = phonons.crystal.positions
    energy, total = 0.0, np.zeros((n, 2, n, 2))
    step = max(1, (1 << 20) // size**2)
    for start in range(0, len(q), step):
        if should_stop is not None and should_stop() is not None:
            return None
        part, share = q[start : start + step], weight[start : start + step]
        squared, e = phonons.modes(part)
        if np.any(squared <= 0):
            return None
        energy += 0.5 * float(share @ np.sqrt(squared).sum(axis=1))
        green = np.einsum("mib,mb,mjb->mij", e, 0.5 * share[:, None] / np.sqrt(squared), e.conj(), optimize=True)
        green = (green * np.outer(root, root)).reshape(-1, n, 2, n, 2)
        # u_i = e_i e^{iqr_i}: the phase that D leaves out of its vectors
        turn = np.exp(1j * part @ where.T)
        total += np.einsum("mi,miajb,mj->iajb", turn, green, turn.conj(), optimize=True).real
    return energy, total
