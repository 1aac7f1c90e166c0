"""alpha^2F of the acoustic plasmon: its `couplings` sorted by frequency w_q = v_p q, in units of k_B T_D."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.pairing.coupling_spectrum import CouplingSpectrum, condensed
from ehbilayer.pairing.couplings import CHUNK, half_zone, positive, umklapp_nodes, weighted
from ehbilayer.pairing.liquid import Liquid

NODES = 24  # in the angle between the electrons
DIRECTIONS = 16  # of their momentum transfer, in a twelfth of the circle
FOLDED_MODES = 10
FINE = 100  # of the histograms for figures


def plasmon_spectrum(liquid: Liquid) -> CouplingSpectrum:
    """Modes with the lambda of `couplings.couplings`, frequencies in units of k_B T_D = v_p k_D.

    alpha^2F is linear at small omega. "debye" puts all Umklapp at k_D, as one sharp mode of frequency 1; "folded"
    spreads it up to the corner of the zone (1.0996). In these units the spectrum does not depend on the mass ratio at
    fixed d/a_e, and on alpha only through lambda ~ 1/alpha^2. The liquid holds numbers; errors as
    `couplings.couplings`.
    """
    square, flavours = float(positive(liquid)), liquid.flavours
    sine, q, weight = transfers(liquid.umklapp, flavours)
    a, s = float(liquid.screening), float(liquid.suppression)
    factor = 2 / (np.pi * flavours * square)
    coupling = factor * weight * np.exp(-s * sine) * (a / (sine + a)) ** 2
    # frequencies in units of k_D = sqrt(g) k_F, the q of `transfers` in units of 2 k_F
    omega = q * 2 / np.sqrt(flavours)
    if not coupling[NODES:].any():  # nothing folded, or so dense a liquid that exp(-s) is 0
        return CouplingSpectrum(omega[:NODES], coupling[:NODES])
    beyond = condensed(omega[NODES:], coupling[NODES:], FOLDED_MODES)
    return CouplingSpectrum(np.append(omega[:NODES], beyond.omega), np.append(coupling[:NODES], beyond.coupling))


class Moments(NamedTuple):
    """omega_log and <omega^2>^{1/2} in units of k_B T_D; alpha does not enter."""

    omega_log: np.ndarray
    omega_square: np.ndarray


def moments(liquid: Liquid) -> Moments:
    """The moments of `plasmon_spectrum` for a liquid of numbers or arrays. Errors as `couplings.couplings`."""
    a, s = np.broadcast_arrays(liquid.screening, liquid.suppression)
    sine, q, weight = transfers(liquid.umklapp, liquid.flavours)
    omega = q * 2 / np.sqrt(liquid.flavours)
    averages = np.column_stack([weight, weight * np.log(omega), weight * omega**2])
    flat_a, flat_s, out = a.reshape(-1), s.reshape(-1), np.empty((a.size, 3))
    for i in range(0, a.size, CHUNK):
        part = slice(i, i + CHUNK)
        out[part] = weighted(flat_a[part], flat_s[part], sine) @ averages
    total, log, square = out.T
    return Moments(np.exp(log / total).reshape(a.shape), np.sqrt(square / total).reshape(a.shape))


def transfers(umklapp: str, flavours: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Momentum transfers of pairs on the Fermi circle: |k| and |q| in units of 2 k_F, and weights (k/q)^2 dtheta.

    Slow plasmons have nodes of their own: theta = edge u^2. Raises InputError for an unknown name.
    """
    edge, theta, beyond = umklapp_nodes(umklapp, flavours)
    node, half = gauss_legendre(NODES)
    u = 0.5 + 0.5 * node
    inside = edge * u * u
    sine, weight = np.sin(inside), edge * u * half
    if not theta.size:
        return sine, sine, weight
    if umklapp == "debye":
        far = np.full(theta.shape, 0.5 * np.sqrt(flavours))
        return tuple(np.concatenate(x) for x in ((sine, np.sin(theta)), (sine, far), (weight, beyond)))  # type: ignore[return-value]
    k, q, share = _folded(np.sin(theta), flavours, *gauss_legendre(DIRECTIONS))
    # beyond holds (k/q)^2 averaged over directions; here each direction has its own
    mean = (share * (k / q) ** 2).sum(axis=1, keepdims=True)
    each = beyond[:, None] * share * (k / q) ** 2 / mean
    return (np.concatenate([sine, np.broadcast_to(k, q.shape).ravel()]), np.concatenate([sine, q.ravel()]),
            np.concatenate([weight, each.ravel()]))


def _folded(sine: np.ndarray, flavours: int, node: np.ndarray,
            half: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """k (n, 1), q (n, directions) folded into the zone, and the share of each direction, which sum to 1.

    ``node``, ``half`` are a rule on [-1, 1] for the directions outside the zone; all others share the last column.
    """
    big = 2 * half_zone(flavours)
    k = sine[:, None]
    psi = np.minimum(np.arccos(np.minimum(big / (2 * k), 1.0)), np.pi / 6)  # up to here k lies outside the zone
    at = psi * (0.5 + 0.5 * node)
    outside = np.sqrt(k * k + big * big - 2 * k * big * np.cos(at))
    share = 6 / np.pi * psi * 0.5 * half
    inside = np.where(psi < np.pi / 6, 1 - 6 / np.pi * psi, 0.0)
    return k, np.concatenate([outside, k], axis=1), np.concatenate([share, inside], axis=1)


class Tabulated(NamedTuple):
    """alpha^2F at frequencies omega (units of k_B T_D), and the weight of the sharp line at omega = 1."""

    omega: np.ndarray
    alpha2F: np.ndarray
    line: float


def tabulate(liquid: Liquid, points: int = 60) -> Tabulated:
    """alpha^2F(omega) averaged over ``points`` equal intervals up to the highest frequency, for figures.

    The line is int alpha^2F over it: half the frequency times the coupling. Errors as `plasmon_spectrum`.
    """
    if points < 2:
        raise InputError("points", "at least 2", points, "give more")
    umklapp, flavours = liquid.umklapp, liquid.flavours
    edge, theta, beyond = umklapp_nodes(umklapp, flavours)
    a, s = float(liquid.screening), float(liquid.suppression)
    factor = 2 / (np.pi * flavours * float(positive(liquid)))
    fine = (np.arange(FINE * points) + 0.5) / (FINE * points) * (edge if umklapp == "debye" else np.pi / 2)
    weight = np.full(fine.shape, fine[0] * 2 * factor) * np.exp(-s * np.sin(fine)) * (a / (np.sin(fine) + a)) ** 2
    if umklapp == "debye":
        omega, amount, line = 2 / np.sqrt(flavours) * np.sin(fine), weight, 0.0
        highest = float(omega.max())
        if theta.size:
            line = 0.5 * factor * float(beyond @ (np.exp(-s * np.sin(theta)) * (a / (np.sin(theta) + a)) ** 2))
    else:
        # a histogram needs many directions, evenly spread
        even = (np.arange(FINE) + 0.5) / FINE * 2 - 1
        k, q, share = _folded(np.sin(fine), flavours, even, np.full(FINE, 2 / FINE))
        omega, amount, line = (2 / np.sqrt(flavours) * q).ravel(), (weight[:, None] * share * (k / q) ** 2).ravel(), 0.0
        highest = float(omega[share.ravel() > 0].max())
    # to where transfers reach, also where couplings have underflown to 0
    edges = np.linspace(0, highest * (1 + 1e-12), points + 1)
    total = np.histogram(omega, edges, weights=0.5 * omega * amount)[0]
    return Tabulated(0.5 * (edges[1:] + edges[:-1]), total / np.diff(edges), line)
