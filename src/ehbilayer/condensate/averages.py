r"""Angular averages of any interaction on a mesh of the plane: v(q) as a sum of poles, and quadrature that knows them.

In a layered medium v(q) is a sum of 4 pi c/(q^2 + lambda^2) (see `interaction.heat_kernel`). On a fixed dense set of
lambda, in equal steps of ln lambda, the weights of

    q v(q)/2 pi = sum_n a_n q lambda_n/(q^2 + lambda_n^2)

follow by least squares from v(q) at real q alone: interactions of one's own need nothing else. With s = |k - k'| and
S = k + k' the average over the angle, over 2 pi, is then

    K(k, k') = sum_n a_n lambda_n/sqrt((s^2 + lambda_n^2) (S^2 + lambda_n^2)),

nearly singular at s = 0 wherever lambda is below the distance of nodes. In the variable t of the mesh (`mesh.Mesh`) its
branch points lie at t - t' = +-i b h, and the trapezoidal rule with step h misses, in moments of x = (t - t')/h,

    e_l(b) = int x^2l/sqrt(x^2 + b^2) dx - sum_{j != 0} j^2l/sqrt(j^2 + b^2)
           = delta_l0/b - 4 sum_{n > 0} (-1)^l d^2l K_0(b w)/dw^2l,  w = 2 pi n        (Poisson; K_0 of Bessel)
           = -2 sum_{s != l} C(-1/2, s) b^2s zeta(1 + 2s - 2l)
             + 2 C(-1/2, l) b^2l [-ln b + (psi(l + 1) - psi(l + 1/2))/2 - gamma]     (b < 1)

which weights on neighbours put right, as those for ln|t| in `mesh.log_corrections` do: errors of order h^13 for any
lambda, from gates close by to gates so far that the interaction is Coulomb's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.interaction.base import Interaction

NEIGHBOURS = 5  # corrected neighbours on each side: errors of order h^13
STEP = 0.16  # of ln lambda: q v to about 1e-12 of 2 pi
LOWEST, HIGHEST = 1e-14, 1e8  # range of lambda, 1/a_h
INSIDE = 4.0  # by how much of ln q the range of lambda is wider than that of q, at each end
FITTED = 1e-7  # error of q v/2 pi beyond which v(q) is no sum of poles
FAR = 5.0  # b beyond which the trapezoidal rule needs no weights
TINY = 1e-4  # b below which the weights are linear in ln b
SERIES, WAVES = 40, 14  # terms of the two forms of e_l
APART = 1e-7  # ratio of lengths at which the smaller one no longer counts in a root of squares
BLOCK = 1 << 15  # numbers in memory at a time


@lru_cache(maxsize=32)
def poles(interaction: Interaction, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
    """a_n and lambda_n (1/a_h) of v_ab(q), each (N,). Raises InputError for a v(q) that is no sum of poles."""
    ends = math.log(LOWEST), math.log(HIGHEST)
    scale = np.exp(np.arange(*ends, STEP))
    q = np.exp(np.arange(ends[0] + INSIDE, ends[1] - INSIDE, STEP / 2))
    rows, right = q[:, None] * scale / (q[:, None] ** 2 + scale**2), q * interaction.v(q, a, b) / (2 * np.pi)
    weights = np.linalg.lstsq(rows, right, rcond=1e-15)[0]
    error = float(np.max(np.abs(rows @ weights - right)) / np.max(np.abs(right)))
    if not error < FITTED:
        raise InputError("interaction", "a v(q) without steps or ripples for the condensate of the infinite plane",
                         interaction.name, f"its angular averages are known to {error:.1g} only; use a torus")
    return weights, scale


def require_averages(interaction: Interaction, layers: tuple[int, int]) -> None:
    """Raise InputError for an interaction whose averages cannot be had: see `poles`, or fields that have no hash."""
    try:
        hash(interaction)
    except TypeError:
        raise InputError("interaction", "a frozen dataclass of numbers and tuples", interaction.name,
                         "give it fields that have a hash; arrays have none") from None
    for a, b in {(layers[0], layers[0]), (layers[1], layers[1]), layers}:
        if interaction.coulomb_distance(a, b) is None:
            poles(interaction, a, b)


def averages(interaction: Interaction, a: int, b: int, k: np.ndarray, half: np.ndarray) -> np.ndarray:
    """The symmetric matrix (M, M) with which sum_j K_ij f_j k_j slope_j h is int K(k_i, k') f(k') k' dk'.

    k : nodes (M,) of a grid uniform in t.   half : k at every half step of t, from three before the first node to three
    after the last one (2M + 5,).
    """
    weight, scale = poles(interaction, a, b)
    i, j = np.triu_indices(len(k), 1)
    order = np.argsort(k[j] - k[i])  # poles far below s and far above S are summed once for many pairs
    i, j = i[order], j[order]
    out, square = np.zeros((len(k), len(k))), scale**2
    out[i, j] = _summed(weight, scale, k[j] - k[i], k[j] + k[i])
    i = np.arange(len(k))
    out[i, i] = (1 / np.sqrt(4 * k[:, None] ** 2 + square)) @ weight
    for m in range(NEIGHBOURS + 1):
        low, high = i[:len(k) - m], i[m:]
        place, n, b_over_h = _branch_points(half, 2 * low + m + 3, scale)
        # c_m times the smooth factor of 1/sqrt(x^2 + b^2) between the two nodes, and the far branch points'
        one, two = k[low[place]], k[high[place]]
        factor = _corrections(b_over_h, m) * np.sqrt((m * m + b_over_h**2) / ((two - one) ** 2 + square[n]))
        factor -= 0.0 if m else 1 / scale[n]  # the sum above stands for branch points far away
        part = weight[n] * scale[n] * factor / np.sqrt((one + two) ** 2 + square[n])
        out[low, high] += np.bincount(place, part, len(low))
    upper = np.triu(out, 1)
    return upper + upper.T + np.diag(np.diag(out))


def _summed(weight: np.ndarray, scale: np.ndarray, s: np.ndarray, total: np.ndarray) -> np.ndarray:
    """sum_n a_n lambda_n/sqrt((s^2 + lambda_n^2) (S^2 + lambda_n^2)) at s > 0, rising, and S (P,)."""
    out, step = np.empty_like(s), max(1, BLOCK // len(scale))
    for start in range(0, len(s), step):
        part = slice(start, start + step)
        one, two = s[part], total[part]
        low, high = np.searchsorted(scale, [APART * one[0], np.max(two) / APART])
        square = scale[low:high] ** 2
        both = one[:, None] ** 2 + square
        both *= two[:, None] ** 2 + square
        np.sqrt(both, out=both)
        np.divide(weight[low:high] * scale[low:high], both, out=both)
        out[part] = both.sum(axis=1) + weight[:low] @ scale[:low] / (one * two) + np.sum(weight[high:] / scale[high:])
    return out


def _branch_points(half: np.ndarray, middle: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, ...]:
    """b with k(t + ibh/2) - k(t - ibh/2) = i lambda where it is below FAR: the place in ``middle`` (of the half steps),
    n of lambda_n, and b, each (P,).

    Fitted to one, two and three steps, k(t + xh/2) - k(t - xh/2) = A x + B x^3 + C x^5, so that A b - B b^3 + C b^5 is
    lambda.
    """
    x = np.arange(1.0, 4.0)
    apart = np.stack([half[middle + n] - half[middle - n] for n in (1, 2, 3)], axis=-1)
    fitted = apart @ np.linalg.inv(np.stack([x, x**3, x**5]))
    place, n = np.nonzero(scale < FAR * fitted[:, :1])
    found = scale[n] / fitted[place, 0]
    bent = np.flatnonzero(found > TINY)
    third, fifth = (fitted[place[bent], i] / fitted[place[bent], 0] for i in (1, 2))
    plain = b = found[bent]
    for _ in range(6):
        rise = 1 - 3 * third * b**2 + 5 * fifth * b**4
        move = (b - third * b**3 + fifth * b**5 - plain) / np.where(rise > 0.2, rise, 1.0)
        b = np.clip(b - move, 0.5 * plain, 1.5 * plain)
    found[bent] = b
    return place, n, found


# -- the weights on neighbours --


def _corrections(b: np.ndarray, m: int) -> np.ndarray:
    """c_m(b) with int f/sqrt(x^2 + b^2) dx = sum_{j != 0} f_j/sqrt(j^2 + b^2) + sum_m c_|m| f_m, of the shape of b."""
    spline = _tables()[m]
    # below the table linear in ln b: e_0 = -2 ln b + ..., and the other moments are constant
    found = np.full_like(b, spline(math.log(TINY))) - (0.0 if m else 2 * np.log(b / TINY))
    inside = b > TINY
    found[inside] = spline(np.log(b[inside]))
    return found


@lru_cache(maxsize=1)
def _tables() -> list[Callable[[Any], np.ndarray]]:
    from scipy.interpolate import CubicSpline

    log_b = np.linspace(math.log(0.9 * TINY), math.log(1.6 * FAR), 2000)
    return [CubicSpline(log_b, c) for c in exact_corrections(np.exp(log_b)).T]


def exact_corrections(b: np.ndarray) -> np.ndarray:
    """What the tables of `_corrections` hold, (B, NEIGHBOURS + 1) at b > 0 (B,)."""
    orders = np.arange(NEIGHBOURS + 1)
    matrix = 2.0 * orders[None, :] ** (2.0 * orders[:, None])
    matrix[0, 0] = 1.0
    moments = np.stack([np.where(b < 0.5, _moment_small(np.minimum(b, 0.5), n), _moment(np.maximum(b, 0.5), n))
                        for n in range(NEIGHBOURS + 1)])
    return np.asarray(np.linalg.solve(matrix, moments).T)


def _moment(b: np.ndarray, order: int) -> np.ndarray:
    """e_l(b) by Poisson's sum; K_0^(2l)(x) = 4^-l sum_j C(2l, j) K_{2l-2j}(x)."""
    from scipy.special import comb, kv

    x = 2 * np.pi * np.multiply.outer(np.arange(1, WAVES + 1), b)
    derivative = sum(comb(2 * order, j) * kv(abs(2 * order - 2 * j), x) for j in range(2 * order + 1)) / 4.0**order
    return np.asarray((1 / b if order == 0 else 0.0) - 4 * (-1) ** order * b ** (2 * order) * derivative.sum(axis=0))


def _moment_small(b: np.ndarray, order: int) -> np.ndarray:
    """e_l(b) by its series in b^2."""
    from scipy.special import bernoulli, binom, psi, zeta

    numbers = bernoulli(2 * order)
    total = np.zeros_like(b)
    for s in range(SERIES):
        n = 1 + 2 * (s - order)
        if s == order:
            value = -(-np.log(b) + (psi(order + 1) - psi(order + 0.5)) / 2 - np.euler_gamma)
        else:
            value = zeta(n) if n > 1 else -numbers[1 - n] / (1 - n)
        total = total - 2 * binom(-0.5, s) * b ** (2 * s) * value
    return total
