"""Correlated Gaussians of a few charges in two layers: closed-form matrix elements, many pairs of functions at once.

A function of the relative coordinates x = (r_1 - r_N, ..., r_{N-1} - r_N), each a vector of the plane, is
exp(-x^T A x / 2) for total angular momentum 0 and (u.x)_+ exp(-x^T A x / 2), with (v)_+ = v_x + i v_y, for 1. A is
positive definite (n, n), n = N - 1, u has n numbers. With C = A + B all integrals are elementary:

    overlap   S = s (L = 0),  2 s p (L = 1)       s = (2 pi)^n / det C,  p = u^T C^-1 v
    kinetic   S t  (L = 0),  2 s (p t + u^T C^-1 B Lambda A C^-1 v)    t = tr(A Lambda B C^-1)
    v(r)      of a pair at w^T x: its distance is a Gaussian of variance c = w^T C^-1 w in each direction, so
              <v> = f(c), see `means`; <1/sqrt(r^2 + d^2)> = sqrt(pi/2c) erfcx(d/sqrt(2c))

Lambda is the matrix of inverse masses, T = p^T Lambda p / 2. The functions are made symmetric or antisymmetric in
identical particles by summing over permutations of the ket, which is enough because they commute with the Hamiltonian.
Hole atomic units. Method: Y. Suzuki and K. Varga, Stochastic Variational Approach to Quantum-Mechanical Few-Body
Problems (Springer, 1998), chapter 7, here in two dimensions and between layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations, product

import numpy as np

from ehbilayer.few_body.means import Mean, mean_of
from ehbilayer.interaction.screened import Screened


@dataclass(frozen=True, eq=False)
class Charges:
    """Point charges in two layers, and how their wavefunction changes when identical ones are exchanged.

    Parameters
    ----------
    masses, charges, layers : one number per particle (N); charges in e, layers 0 or 1.
    spacing : distance d of the layers in a_h.
    identical : groups of identical particles, e.g. ``((0, 1),)`` for two electrons and a hole.
    signs : +1 or -1 per group: symmetric or antisymmetric in space under an exchange.
    angular_momentum : 0 or 1.
    interaction : of charges at this spacing; None is Coulomb's.
    """

    masses: tuple[float, ...]
    charges: tuple[int, ...]
    layers: tuple[int, ...]
    spacing: float
    identical: tuple[tuple[int, ...], ...] = ()
    signs: tuple[int, ...] = ()
    angular_momentum: int = 0
    interaction: Screened | None = None

    @property
    def dimension(self) -> int:
        """Number n of relative coordinates."""
        return len(self.masses) - 1

    @cached_property
    def inverse_masses(self) -> np.ndarray:
        """Lambda (n, n)."""
        inverse = 1 / np.array(self.masses)
        return np.diag(inverse[:-1]) + inverse[-1]

    @cached_property
    def relative(self) -> np.ndarray:
        """Relative coordinates from positions, (n, N)."""
        n = self.dimension
        return np.hstack([np.eye(n), -np.ones((n, 1))])

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """All pairs of particles."""
        return list(combinations(range(len(self.masses)), 2))

    @cached_property
    def arms(self) -> np.ndarray:
        """w (pairs, n): the distance vector of each pair is w^T x."""
        absolute = np.zeros((len(self.pairs), len(self.masses)))
        for row, (i, j) in zip(absolute, self.pairs, strict=True):
            row[i], row[j] = 1, -1
        return absolute @ np.linalg.pinv(self.relative)

    @cached_property
    def couplings(self) -> tuple[tuple[float, Mean], ...]:
        """Per pair: product of the charges, and their interaction averaged over Gaussians."""
        q, z = self.charges, self.layers
        return tuple((float(q[i] * q[j]), mean_of(self.interaction, self.spacing * abs(z[i] - z[j]), *sorted(
            (z[i], z[j])))) for i, j in self.pairs)

    @cached_property
    def exchanges(self) -> tuple[tuple[float, np.ndarray], ...]:
        """Sign and matrix (n, n) on relative coordinates of every permutation of identical particles."""
        back = np.linalg.pinv(self.relative)  # up to the centre of mass, which drops out
        out = []
        for choice in product(*(list(permutations(group)) for group in self.identical)):
            order, sign = np.arange(len(self.masses)), 1.0
            for group, images, s in zip(self.identical, choice, self.signs, strict=True):
                order[list(group)] = images
                sign *= float(s) ** _inversions(images)
            out.append((sign, np.rint(self.relative @ np.eye(len(self.masses))[order] @ back)))
        return tuple(out) or ((1.0, np.eye(self.dimension)),)


def _inversions(images: tuple[int, ...]) -> int:
    return sum(a > b for a, b in combinations(images, 2))


@dataclass(frozen=True, eq=False)
class Functions:
    """A list of k Gaussians.

    Parameters
    ----------
    widths : A, (k, n, n), symmetric and positive definite, in a_h^-2.
    vectors : u, (k, n), used for angular momentum 1 only.
    """

    widths: np.ndarray
    vectors: np.ndarray

    def __len__(self) -> int:
        return len(self.widths)

    def __getitem__(self, which: slice | np.ndarray) -> Functions:
        return Functions(self.widths[which], self.vectors[which])

    def join(self, other: Functions) -> Functions:
        """Both lists, one after the other."""
        return Functions(np.concatenate([self.widths, other.widths]), np.concatenate([self.vectors, other.vectors]))

    def exchanged(self, matrix: np.ndarray) -> Functions:
        """The functions of x' = P x, for a matrix P (n, n)."""
        return Functions(matrix.T @ self.widths @ matrix, self.vectors @ matrix)


def inverse(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverse and determinant of symmetric matrices (..., n, n) with n = 1, 2, 3."""
    cofactors, determinant = adjugate(matrices)
    return cofactors / determinant[..., None, None], determinant


def adjugate(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverse times determinant, and determinant, of symmetric matrices (..., n, n) with n = 1, 2, 3."""
    m, n = matrices, matrices.shape[-1]
    if n == 1:
        return np.ones_like(m), m[..., 0, 0]
    if n == 2:
        a, b, c = m[..., 0, 0], m[..., 0, 1], m[..., 1, 1]
        determinant = a * c - b * b
        cofactors = np.stack([c, -b, -b, a], axis=-1)
    else:
        a, b, c, d, e, f = (m[..., i, j] for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)))
        aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
        bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
        determinant = a * aa + b * ab + c * ac
        cofactors = np.stack([aa, ab, ac, ab, bb, bc, ac, bc, cc], axis=-1)
    return cofactors.reshape(m.shape), determinant


def elements(system: Charges, bra: Functions, ket: Functions) -> tuple[np.ndarray, np.ndarray]:
    """Overlap and Hamiltonian (k, l) between two lists, identical particles exchanged in the ket.

    Without the common factor (2 pi)^n of both.
    """
    overlap, hamiltonian = np.zeros((2, len(bra), len(ket)))
    for sign, matrix in system.exchanges:
        s, h = _pair(system, bra, ket.exchanged(matrix))
        overlap += sign * s
        hamiltonian += sign * h
    return overlap, hamiltonian


def diagonals(system: Charges, functions: Functions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Overlap and Hamiltonian (k,) of every function with itself, see `elements`, and the overlap without exchange.

    An overlap that is far smaller than the one without exchange belongs to a function that exchange cancels.
    """
    parts = [(sign, *_pair(system, functions, functions.exchanged(matrix), aligned=True))
             for sign, matrix in system.exchanges]
    overlap = sum(sign * s[0] for sign, s, _ in parts)
    return np.asarray(overlap), np.asarray(sum(sign * h[0] for sign, _, h in parts)), parts[0][1][0]


def _pair(system: Charges, bra: Functions, ket: Functions, aligned: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Overlap and Hamiltonian without exchange, of all pairs (k, l), or of aligned ones only (1, k)."""
    axis = 0 if aligned else 1
    bra = Functions(np.expand_dims(bra.widths, axis), np.expand_dims(bra.vectors, axis))
    a, b = bra.widths, ket.widths[None]
    inv, determinant = inverse(a + b)
    s = 1 / determinant
    left = a @ system.inverse_masses @ b
    t = np.einsum("klij,klji->kl", left, inv)
    if system.angular_momentum == 0:
        return s, s * (t + _potential(system, inv))
    x, y = (inv @ bra.vectors[..., None])[..., 0], (inv @ ket.vectors[None, :, :, None])[..., 0]
    p = (bra.vectors * y).sum(axis=-1)
    kinetic = 2 * (p * t + np.einsum("kli,klji,klj->kl", x, left, y))
    return 2 * s * p, s * (kinetic + _turning_potential(system, inv, p, x, y))


def _potential(system: Charges, inv: np.ndarray) -> np.ndarray:
    """Sum over pairs of q f(c), for Gaussians of angular momentum 0."""
    total = np.zeros(inv.shape[:-2])
    for w, (q, mean) in zip(system.arms, system.couplings, strict=True):
        total += q * mean.value(w @ inv @ w)
    return total


def _turning_potential(system: Charges, inv: np.ndarray, p: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sum over pairs of 2 (p - ab/c) f + ab f_2 / c^2 with a = w.x, b = w.y and f_2 = <r^2 v>."""
    total = np.zeros(p.shape)
    for w, (q, mean) in zip(system.arms, system.couplings, strict=True):
        c = w @ inv @ w
        f, ratio = mean.value(c), (x @ w) * (y @ w) / c
        total += q * (2 * (p - ratio) * f + ratio * mean.square(c, f) / c)
    return total


def slopes(system: Charges, functions: Functions, coefficients: np.ndarray, energy: float) -> Functions:
    """Derivative of the energy with respect to all widths (k, n, n) and vectors (k, n).

    dE/dA_k = 2 sum_l c_k c_l (dH_kl - E dS_kl)/dA_k for coefficients c (k,) with c^T S c = 1 (Hellmann-Feynman).
    """
    total = Functions(np.zeros_like(functions.widths), np.zeros_like(functions.vectors))
    for sign, matrix in system.exchanges:
        ket = functions.exchanged(matrix)
        one = _pair_slopes(system, functions, ket, 2 * sign * np.outer(coefficients, coefficients), energy)
        total = Functions(total.widths + one.widths, total.vectors + one.vectors)
    return Functions((total.widths + np.swapaxes(total.widths, 1, 2)) / 2, total.vectors)


def _pair_slopes(system: Charges, bra: Functions, ket: Functions, weight: np.ndarray, energy: float) -> Functions:
    """Sum over kets of weight times d(H - E S) with respect to the bra. C^-1 changes by -C^-1 dA C^-1."""
    a, b, lam = bra.widths[:, None], ket.widths[None], system.inverse_masses
    inv, determinant = inverse(a + b)
    weight = weight / determinant
    right = inv @ b
    dt = right @ lam @ np.swapaxes(right, -1, -2)  # of t
    left = a @ lam @ b
    t = np.einsum("klij,klji->kl", left, inv)
    if system.angular_momentum == 0:
        value, slope = t - energy, dt
        for w, (q, mean) in zip(system.arms, system.couplings, strict=True):
            arm = inv @ w
            c = arm @ w
            f = mean.value(c)
            value = value + q * f
            slope = slope - (q * mean.slope(c, f))[..., None, None] * arm[..., :, None] * arm[..., None, :]
        return Functions(np.einsum("kl,klij->kij", weight, slope - value[..., None, None] * inv),
                         np.zeros_like(bra.vectors))
    x, y = (inv @ bra.vectors[:, None, :, None])[..., 0], (inv @ ket.vectors[None, :, :, None])[..., 0]
    p = np.einsum("ki,kli->kl", bra.vectors, y)
    toward = (np.swapaxes(left, -1, -2) @ y[..., None])[..., 0]  # B Lambda A y
    value = 2 * (p * (t - energy) + np.einsum("kli,kli->kl", x, toward))
    by_p = 2 * (t - energy)  # derivatives of the value with respect to p, c and the vectors x, y
    slope = 2 * p[..., None, None] * dt
    by_u = 2 * (inv @ toward[..., None])[..., 0]
    slope += 2 * _outer((right @ lam @ (b @ x[..., None]))[..., 0], y) - _outer(x, by_u)
    for w, (q, mean) in zip(system.arms, system.couplings, strict=True):
        arm = inv @ w
        c = arm @ w
        f, r, s = mean.value(c), x @ w, y @ w
        df, square = mean.slope(c, f), mean.square(c, f)
        g = square / c**2 - 2 * f / c  # value = q (2 p f + r s g)
        dg = mean.square_slope(c, f, df) / c**2 - 2 * square / c**3 - 2 * df / c + 2 * f / c**2
        value = value + q * (2 * p * f + r * s * g)
        by_p = by_p + 2 * q * f
        slope = slope - (q * (2 * p * df + r * s * dg))[..., None, None] * _outer(arm, arm)
        slope = slope - (q * g * s)[..., None, None] * _outer(arm, x) - (q * g * r)[..., None, None] * _outer(arm, y)
        by_u = by_u + (q * g * s)[..., None] * arm
    slope = slope - by_p[..., None, None] * _outer(x, y) - value[..., None, None] * inv
    return Functions(np.einsum("kl,klij->kij", weight, slope),
                     np.einsum("kl,kli->ki", weight, by_u + by_p[..., None] * y))


def _outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., :, None] * b[..., None, :]
