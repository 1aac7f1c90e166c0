"""Nodes of the integrals over wave numbers and over imaginary frequencies.

A `WaveGrid` has Gauss-Legendre panels that end where integrands have kinks (2 k_F of every gas), the first in the
variable sqrt(q), as plasmons begin with roots of q, the last in 1/q up to infinity. Functions between its nodes are the
polynomials of each panel (`WaveGrid.interpolation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ehbilayer.numerics.quadrature import gauss_legendre, gram_rule

NODES = 16  # of a panel
WIDER = 3.0  # largest ratio of the ends of a panel
EXPLICIT, PER_OCTAVE, BEYOND = 32, 10, 1e4  # of Matsubara's frequencies, and the last one over the scale
STEP, REACH = 0.06, 3.7  # of t in w = s exp(pi/2 sinh t): both ends below 1e-13 of the integral


def frequencies(scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes w (n, k) and weights of int_0^inf dw for integrands analytic off the real axis, at scales (n,) (Ha_h).

    A trapezoidal rule in t, w = s exp(pi/2 sinh t); Takahasi & Mori, Publ. RIMS 9, 721 (1974).
    """
    t = np.arange(-REACH, REACH + STEP / 2, STEP)
    w = scale[:, None] * np.exp(np.pi / 2 * np.sinh(t))
    return w, w * np.pi / 2 * np.cosh(t) * STEP


def matsubara(temperature: float, scale: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Nodes w (k,), weights and number of Matsubara's frequencies in pi T sum over all of them, for even functions.

    Every one up to EXPLICIT, then Gram's rule for each octave, exact for polynomials, up to BEYOND the ``scale``.
    """
    w, weight, count = [np.arange(EXPLICIT, dtype=float)], [np.ones(EXPLICIT)], EXPLICIT
    while 2 * np.pi * temperature * count < BEYOND * scale:
        node, share = gram_rule(count, PER_OCTAVE)
        w.append(count + node)
        weight.append(share)
        count *= 2
    n, both = np.concatenate(w), 2 * np.concatenate(weight)
    both[0] = 1.0
    return 2 * np.pi * temperature * n, np.pi * temperature * both, count


@dataclass(frozen=True, eq=False)
class Panel:
    """Nodes u on [low, high] of its own variable: q = u, u^2 (``root``) or 1/u (``tail``)."""

    low: float
    high: float
    form: str = ""

    def q(self, u: np.ndarray) -> np.ndarray:
        return u * u if self.form == "root" else 1 / u if self.form == "tail" else u

    def u(self, q: np.ndarray) -> np.ndarray:
        return np.sqrt(q) if self.form == "root" else 1 / q if self.form == "tail" else q

    def rule(self, low: float, high: float, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Nodes q and weights of dq between two of its u."""
        node, weight = gauss_legendre(count)
        u, du = low + (high - low) * (1 + node) / 2, (high - low) / 2 * weight
        size = 2 * u if self.form == "root" else 1 / u**2 if self.form == "tail" else 1.0
        return self.q(u), du * size


@dataclass(frozen=True, eq=False)
class WaveGrid:
    """Panels that follow each other from 0 to infinity; ``q`` and ``weight`` (n,) of all their nodes."""

    panels: tuple[Panel, ...]
    q: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, kinks: Sequence[float], top: float) -> WaveGrid:
        """Panels between ``kinks`` (1/a_h), in steps of WIDER up to ``top`` and on to infinity."""
        ends: list[float] = []
        for kink in sorted(kinks):
            if not ends or kink > 1.001 * ends[-1]:
                ends.append(kink)
        edges = [ends[0]]
        for end in [*ends[1:], max(top, WIDER * ends[-1])]:
            parts = int(np.ceil(np.log(end / edges[-1]) / np.log(WIDER)))
            edges += list(np.geomspace(edges[-1], end, parts + 1)[1:])
        panels = (Panel(0.0, np.sqrt(edges[0] / 8), "root"), Panel(edges[0] / 8, edges[0]),
                  *(Panel(a, b) for a, b in pairwise(edges)), Panel(0.0, 1 / edges[-1], "tail"))
        q, weight = zip(*(p.rule(p.low, p.high, NODES) for p in panels), strict=True)
        return cls(panels, np.concatenate(q), np.concatenate(weight))

    def integral(self, values: np.ndarray) -> np.ndarray:
        """int q dq/2 pi of values (n, ...) at the nodes."""
        return np.asarray(np.tensordot(self.q * self.weight / (2 * np.pi), values, 1))

    def place(self, q: np.ndarray) -> np.ndarray:
        """The number of the panel of every q."""
        ends = np.array([p.q(np.array(p.high)) for p in self.panels[:-1]])
        return np.searchsorted(ends, q)

    def interpolation(self, q: np.ndarray) -> np.ndarray:
        """The matrix (len(q), n) from values at the nodes to those at ``q``."""
        node, weight = gauss_legendre(NODES)
        bary = (-1.0) ** np.arange(NODES) * np.sqrt((1 - node**2) * weight)  # Wang & Xiang, Math. Comp. 81, 861 (2012)
        found, where = np.zeros((len(q), len(self.q))), self.place(q)
        for number, panel in enumerate(self.panels):
            mine = np.flatnonzero(where == number)
            x = 2 * (panel.u(q[mine]) - panel.low) / (panel.high - panel.low) - 1
            gap = x[:, None] - node
            hit = np.abs(gap) < 1e-14
            share = bary / np.where(hit, 1.0, gap)
            share = np.where(hit.any(axis=1)[:, None], hit, share)
            found[mine[:, None], number * NODES + np.arange(NODES)] = share / share.sum(axis=1, keepdims=True)
        return found
