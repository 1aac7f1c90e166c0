r"""Linear response of coupled liquids in the plane: chi of all carriers, what follows from it on the imaginary axis.

With W_ab(q) = z_a z_b v_ab(q) [1 - G_ab(q)], G the local fields (0 in the random phase approximation; kept as
L_ab = v_ab G_ab/sqrt(v_aa v_bb), which is finite where v_ab has died out between layers),

    chi = (chi_0^-1 - W)^-1 = (1 - chi_0 W)^-1 chi_0,      S_ab(q) = -int_0^inf dw chi_ab(q, i w)/(pi sqrt(n_a n_b)).

At coupling l V the interaction energy follows from S, and the correlation energy per area from its integral over l,

    E_c/A = 1/2 int q dq/2 pi sum_ab sqrt(n_a n_b) z_a z_b v_ab int_0^1 dl [S^l_ab - S^0_ab],

(of the free energy where there is a temperature, and then pi T sum over Matsubara's frequencies stands for the
integrals int_0^inf dw), which in the random phase approximation is

    (1/2 pi) int q dq/2 pi int_0^inf dw {ln det(1 - chi_0 V) + tr chi_0 V}.

Source: Giuliani & Vignale, Quantum Theory of the Electron Liquid (2005), chapters 5 and 7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ehbilayer.interaction.base import Interaction
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.response.grid import WaveGrid, frequencies, matsubara
from ehbilayer.response.polarisation import FreeGas
from ehbilayer.response.warm_polarisation import SPAN, WarmFreeGas
from ehbilayer.results.base import Variable

COUPLINGS = 12  # of int_0^1 dl, in the root of l
TOP = 20.0  # wave numbers beyond which short distances are seen, over the largest of m/m_h and 1/d


@dataclass(frozen=True, eq=False)
class Liquids:
    """Free gases and what couples them.

    Parameters
    ----------
    gases : one for each carrier, all cold or all of one temperature.
    interaction : between unit charges in their layers.   coupling : a factor of it.
    """

    gases: tuple[FreeGas | WarmFreeGas, ...]
    interaction: Interaction
    coupling: float = 1.0

    @cached_property
    def grid(self) -> WaveGrid:
        """Wave numbers of all integrals."""
        kinks = [2 * k for gas in self.gases for k in (gas.fermi, gas.reach)]
        short = [gas.carrier.mass for gas in self.gases]
        if len({gas.carrier.layer for gas in self.gases}) > 1 and self.interaction.spacing:
            short.append(min(1 / self.interaction.spacing, 10 * max(kinks)))
        return WaveGrid.of(kinks, max(3 * max(kinks), TOP * max(short)))

    @property
    def densities(self) -> np.ndarray:
        """n_a (carriers,), a_h^-2."""
        return np.array([gas.carrier.density for gas in self.gases])

    @property
    def roots(self) -> np.ndarray:
        """sqrt(n_a n_b)."""
        return np.asarray(np.sqrt(np.outer(self.densities, self.densities)))

    def bare(self, q: np.ndarray) -> np.ndarray:
        """z_a z_b v_ab(q) times the coupling, (n, carriers, carriers)."""
        charges, layers = [g.carrier.charge for g in self.gases], [g.carrier.layer for g in self.gases]
        return self.coupling * np.stack([np.stack([za * zb * self.interaction.v(q, a, b) for zb, b in
                                                   zip(charges, layers, strict=True)], axis=-1)
                                         for za, a in zip(charges, layers, strict=True)], axis=-2)

    def effective(self, q: np.ndarray, field: np.ndarray) -> np.ndarray:
        """W of the local fields L at q, (n, carriers, carriers)."""
        v = self.bare(q)
        root = np.sqrt(np.diagonal(v, axis1=1, axis2=2))
        charge = np.array([g.carrier.charge for g in self.gases])
        return np.asarray(v - np.outer(charge, charge) * root[:, :, None] * root[:, None, :] * field)

    def soft(self, field: np.ndarray) -> np.ndarray:
        """z_a z_b h_ab of W_ab -> z_a z_b (C/q + h_ab) at q -> 0, with the local fields L at the waves of the grid."""
        charge, first = np.array([g.carrier.charge for g in self.gases]), self.grid.q[:1]
        h = np.array([[self.interaction.long_wave(a.carrier.layer, b.carrier.layer)[1] for b in self.gases]
                      for a in self.gases])
        fields = (self.effective(first, field[:1]) - self.bare(first))[0]
        return np.asarray(self.coupling * np.outer(charge, charge) * h + fields)

    def at(self, coupling: float) -> Liquids:
        """The same at another coupling."""
        return replace(self, coupling=coupling)

    @cached_property
    def on_axis(self) -> Axis:
        """chi_0 at the nodes of the integrals; it does not know the coupling."""
        return Axis.of(self)


@dataclass(frozen=True, eq=False)
class Axis:
    """Nodes w (n, k) and weights of the imaginary axis, and chi_0 (n, k, carriers) there, at the waves of the grid.

    ``count`` is the number of Matsubara's frequencies, 0 of the ground state.
    """

    w: np.ndarray
    weight: np.ndarray
    free: np.ndarray
    count: int = 0

    @classmethod
    def of(cls, liquids: Liquids) -> Axis:
        """Its frequencies begin with the geometric mean of those of all gases, their plasmons among them."""
        q = liquids.grid.q
        v = np.abs(np.diagonal(liquids.bare(q), axis1=1, axis2=2))
        scales = [q * g.velocity + q * q / (2 * g.carrier.mass)
                  + np.sqrt(g.carrier.density * q * q / g.carrier.mass * v[:, i]) for i, g in enumerate(liquids.gases)]
        first, count = liquids.gases[0], 0
        if isinstance(first, WarmFreeGas):
            nodes, share, count = matsubara(first.temperature, float(np.max(scales)))
            w, weight = (np.broadcast_to(x, (len(q), len(x))) for x in (nodes, share))
        else:
            w, weight = frequencies(np.exp(np.mean(np.log(scales), axis=0)))
        return cls(w, weight, np.stack([g.imaginary(q[:, None], w) for g in liquids.gases], axis=-1), count)


def screened(free: np.ndarray, w: np.ndarray) -> np.ndarray:
    """chi (..., carriers, carriers) of chi_0 (..., carriers) and the effective interaction W."""
    size = free.shape[-1]
    # chi = (1 - chi_0 W)^-1 chi_0
    return np.asarray(np.linalg.solve(np.eye(size) - free[..., :, None] * w, free[..., :, None] * np.eye(size)))


def loss_variables(liquids: Liquids, q: np.ndarray, w: np.ndarray, eta: float, chi: np.ndarray) -> dict[str, Variable]:
    """-Im (1 + V chi)_aa of chi (n, w, carriers, carriers) over wave numbers and frequencies, with its axes."""
    loss = -np.einsum("qab,qwba->aqw", liquids.bare(q), chi).imag
    names = np.array([g.carrier.name for g in liquids.gases])
    return {"carrier": Variable(("carrier",), names, "1", "whose layer is probed"),
            "loss_wave_number": Variable(("loss_wave_number",), q, "a_h^-1", "of the loss function"),
            "frequency": Variable(("frequency",), w, "Ha_h", f"of the loss function, broadened by {eta:.4g} Ha_h"),
            "loss": Variable(("carrier", "loss_wave_number", "frequency"), loss, "1", "-Im of (1 + V chi)_aa")}


def holes(liquids: Liquids, axis: Axis, w: np.ndarray) -> np.ndarray:
    """S_ab - delta_ab at the waves of the grid (n, carriers, carriers), of the effective interaction W (same shape).

    What interaction adds to S_0 is integrated, chi - chi_0 = chi_0 W chi; so all digits are there where S is nearly 1.
    """
    added = axis.free[..., :, None] * (w[:, None] @ screened(axis.free, w[:, None]))
    total = -np.einsum("nk,nkab->nab", axis.weight, added) / (np.pi * liquids.roots)
    return np.asarray(total + free_holes(liquids))


def free_holes(liquids: Liquids) -> np.ndarray:
    """(S_0 - 1) delta_ab at the waves of the grid."""
    found = [_warm_hole(liquids, i) if isinstance(g, WarmFreeGas) else g.hole(liquids.grid.q)
             for i, g in enumerate(liquids.gases)]
    return np.stack(found, axis=-1)[:, :, None] * np.eye(len(liquids.gases))


def _warm_hole(liquids: Liquids, number: int) -> np.ndarray:
    """S_0 - 1 of one warm gas: -T sum chi_0/n - 1, and what is left of the sum, in which chi_0 = -n q^2/m w^2."""
    gas, axis, q = liquids.gases[number], liquids.on_axis, liquids.grid.q
    assert isinstance(gas, WarmFreeGas)
    n, m = gas.carrier.density, gas.carrier.mass
    # sum_{j >= count} 1/j^2 = 1/(count - 1/2), to 1/(12 count^2) of it
    left = q * q / (2 * np.pi**2 * m * gas.temperature * (axis.count - 0.5))
    found = -np.einsum("nk,nk->n", axis.weight, axis.free[..., number]) / (np.pi * n) + left - 1
    # beyond twice the largest wave number f f(k + q) has died out
    top = 2 * np.sqrt(2 * m * gas.temperature * (max(gas.level, 0.0) + SPAN))
    return np.asarray(np.where(q < top, found, 0.0))


def free_exchange(liquids: Liquids) -> float:
    """1/2 int q dq/2 pi sum_a n_a v_aa (S0_aa - 1) per area, Ha_h/a_h^2."""
    values = np.einsum("naa,naa,a->n", np.abs(liquids.bare(liquids.grid.q)), free_holes(liquids), liquids.densities)
    return 0.5 * float(liquids.grid.integral(values))


def ring_energy(liquids: Liquids) -> float:
    """E_c/A of the random phase approximation, Ha_h/a_h^2."""
    axis = liquids.on_axis
    product = axis.free[..., :, None] * liquids.bare(liquids.grid.q)[:, None]
    size = product.shape[-1]
    trace = np.trace(product, axis1=-2, axis2=-1)
    # ln det(1 - x) + tr x, of which the first digits cancel where x is small: -tr x^2/2 - tr x^3/3 there
    square = product @ product
    series = -np.trace(square, axis1=-2, axis2=-1) / 2 - np.trace(square @ product, axis1=-2, axis2=-1) / 3
    whole = np.log(np.linalg.det(np.eye(size) - product)) + trace
    small = np.abs(product).max(axis=(-2, -1)) < 1e-4
    values = np.einsum("nk,nk->n", axis.weight, np.where(small, series, whole))
    return float(liquids.grid.integral(values)) / (2 * np.pi)


def interaction_energy(liquids: Liquids, hole: np.ndarray) -> float:
    """1/2 int q dq/2 pi sum_ab sqrt(n_a n_b) V_ab [S_ab - S0_ab] per area, Ha_h/a_h^2: without the free exchange."""
    values = np.einsum("nab,nab,ab->n", liquids.bare(liquids.grid.q), hole - free_holes(liquids), liquids.roots)
    return 0.5 * float(liquids.grid.integral(values))


def coupled_energy(liquids: Liquids, holes_at: Callable[[float], np.ndarray]) -> float:
    """E_c/A of S^l - delta at couplings l, which ``holes_at`` gives; l = t^2, as plasmons begin with roots of l."""
    node, weight = gauss_legendre(COUPLINGS)
    t, dt = (1 + node) / 2, weight / 2
    # int_0^1 dl f(l) = int_0^1 2 t dt f(t^2)
    return sum(2 * float(a) * float(b) * interaction_energy(liquids, holes_at(float(a * a)))
               for a, b in zip(t, dt, strict=True))


def contact(liquids: Liquids, hole: np.ndarray) -> np.ndarray:
    """g_ab(0) = 1 + int q dq/2 pi [S_ab - delta_ab]/sqrt(n_a n_b)."""
    return np.asarray(1 + liquids.grid.integral(hole) / liquids.roots)


def correlation(liquids: Liquids, hole: np.ndarray, r: np.ndarray) -> np.ndarray:
    """g_ab(r) (len(r), carriers, carriers) = 1 + int q dq/2 pi J_0(q r) [S_ab - delta_ab]/sqrt(n_a n_b)."""
    from scipy.special import j0

    grid, last = liquids.grid, 3 * float(liquids.grid.panels[-1].q(np.array(liquids.grid.panels[-1].high)))
    edges = np.unique(np.concatenate([np.arange(0.0, last, min(np.pi / 2 / r.max(), last / 40)), [last]]))
    node, weight = gauss_legendre(6)
    half = np.diff(edges)[:, None] / 2
    q, dq = (edges[:-1, None] + half * (1 + node)).ravel(), (half * weight).ravel()
    between = np.tensordot(grid.interpolation(q), hole, 1)
    return np.asarray(1 + np.tensordot(j0(np.outer(r, q)) * (q * dq / (2 * np.pi)), between, 1) / liquids.roots)
