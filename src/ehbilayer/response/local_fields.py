r"""Local fields G_ab(q): how exchange and correlation weaken the interaction of density waves.

`hubbard` puts exchange between like particles into their own carrier, G_aa = v(sqrt(q^2 + k_F^2))/(g v(q)). `stls`
(Singwi, Tosi, Land, Sjölander) takes the pair correlation of the response itself, until both agree,

    G_ab(q) = -1/sqrt(n_a n_b) int d^2p/(2 pi)^2 [q.(q - p)/q^2] [v_ab(|q - p|)/v_ab(q)] [S_ab(p) - delta_ab].

What is kept is L_ab = v_ab G_ab/sqrt(v_aa v_bb). The right side is linear in S, a matrix between the waves of the grid
made once: v at k = |q - p| over the angle of p by
phi = e sinh(s), e = |q - p|/sqrt(q p), which spreads the peak at p = q.

Sources: J. Hubbard, Proc. R. Soc. A 243, 336 (1958); K. S. Singwi et al., Phys. Rev. 176, 589 (1968); two layers:
L. Zheng and A. H. MacDonald, Phys. Rev. B 49, 5522 (1994).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ehbilayer.numerics.extrapolation import Extrapolation
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.response.grid import WaveGrid
from ehbilayer.response.liquids import Liquids, holes

ANGLES, SUBNODES = 48, 12
MIXED, HISTORY, ITERATIONS = 0.5, 6, 100
CLOSE = 1e-9  # change of L that ends the iteration


@dataclass(frozen=True, eq=False)
class SelfConsistent:
    """L and S - delta (n, carriers, carriers) at the waves of the grid, whether they agree, and by how much L moves."""

    field: np.ndarray
    hole: np.ndarray
    converged: bool
    change: float


def hubbard(liquids: Liquids) -> np.ndarray:
    """L of exchange, at the waves of the grid."""
    q = liquids.grid.q
    found = np.zeros((len(q), len(liquids.gases), len(liquids.gases)))
    for i, gas in enumerate(liquids.gases):
        layer = gas.carrier.layer
        v = liquids.interaction.v
        found[:, i, i] = v(np.hypot(q, gas.fermi), layer, layer) / (gas.filled * v(q, layer, layer))
    return found


def kernels(grid: WaveGrid, v: Callable[[np.ndarray, int, int], np.ndarray],
            pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], np.ndarray]:
    """Matrices (n, n) of int d^2p/(2 pi)^2 [q.(q - p)/q^2] v_ab(|q - p|) f(p) between the waves of the grid.

    One for each of these pairs of layers.
    """
    node, weight = gauss_legendre(ANGLES)
    found = {pair: np.empty((len(grid.q), len(grid.q))) for pair in pairs}
    for i, q in enumerate(grid.q):
        p, dp = _around(grid, float(q))
        between = grid.interpolation(p)
        near = np.maximum(np.abs(q - p) / np.sqrt(q * p), 1e-14)
        top = np.arcsinh(np.pi / near)
        s = top[:, None] * (1 + node) / 2
        phi = near[:, None] * np.sinh(s)
        k = np.sqrt((q - p[:, None]) ** 2 + 4 * q * p[:, None] * np.sin(phi / 2) ** 2)
        # q.(q - p) = q (q - p) + 2 q p sin^2(phi/2)
        turned = ((q - p[:, None]) + 2 * p[:, None] * np.sin(phi / 2) ** 2) / q * near[:, None] * np.cosh(s)
        for (a, b), rows in found.items():
            angle = (turned * v(k.ravel(), a, b).reshape(k.shape)) @ weight * top
            rows[i] = (p * dp * angle / (4 * np.pi**2)) @ between
    return found


def _around(grid: WaveGrid, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of dp over all panels, that of q in two parts."""
    found, mine = [], int(grid.place(np.array([q]))[0])
    for number, panel in enumerate(grid.panels):
        ends = [panel.low, *([float(panel.u(np.array(q)))] if number == mine else []), panel.high]
        found += [panel.rule(lo, hi, SUBNODES if len(ends) == 2 else ANGLES // 2)
                  for lo, hi in pairwise(ends)]
    p, dp = zip(*found, strict=True)
    return np.concatenate(p), np.concatenate(dp)


@dataclass(frozen=True, eq=False)
class Stls:
    """The map S -> L of all pairs of carriers, made once for all couplings."""

    liquids: Liquids
    kernels: dict[tuple[int, int], np.ndarray]

    @classmethod
    def of(cls, liquids: Liquids) -> Stls:
        """One kernel for each pair of layers."""
        layers = [g.carrier.layer for g in liquids.gases]
        pairs = {(min(a, b), max(a, b)) for a in layers for b in layers}
        return cls(liquids, kernels(liquids.grid, liquids.interaction.v, sorted(pairs)))

    def field(self, hole: np.ndarray) -> np.ndarray:
        """L of a structure factor less delta."""
        size = np.sqrt(np.abs(np.diagonal(self.liquids.bare(self.liquids.grid.q), axis1=1, axis2=2)))
        layers = [g.carrier.layer for g in self.liquids.gases]
        found = np.empty_like(hole)
        for i, a in enumerate(layers):
            for j, b in enumerate(layers):
                found[:, i, j] = -self.kernels[min(a, b), max(a, b)] @ hole[:, i, j] / (
                    self.liquids.roots[i, j] * size[:, i] * size[:, j])
        return found

    def solve(self, coupling: float = 1.0, start: np.ndarray | None = None) -> SelfConsistent:
        """L and S that agree, by Anderson's mixing; not converged where the liquid has no stable response."""
        liquids, axis = self.liquids.at(coupling), self.liquids.on_axis
        q = liquids.grid.q
        g = np.zeros((len(q), *liquids.roots.shape)) if start is None else start
        next_of = Extrapolation(HISTORY)
        hole, change = np.zeros_like(g), np.inf
        for _ in range(ITERATIONS):
            hole = holes(liquids, axis, liquids.effective(q, g))
            error = self.field(hole) - g
            change = float(np.abs(error).max())
            if not np.isfinite(change) or change < CLOSE:
                break
            g = next_of((g + MIXED * error,), error)[0]
        return SelfConsistent(g, hole, change < CLOSE, change)
