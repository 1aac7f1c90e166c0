r"""How many excitons and trions are left at a temperature: the law of mass action, and the lowering of the continuum.

Electrons, holes, excitons X and trions X-, X+ are ideal gases in equilibrium, mu_X = mu_e + mu_h, mu_- = 2 mu_e + mu_h,
mu_+ = mu_e + 2 mu_h, with the energies of the complexes alone. Given n_X, both equations that are left, n_e - n_h and
the number of the carriers that are fewer, are monotonic in one unknown each.

The lowering. A free charge in layer a pushes others away, which gains

    Delta_a = 1/2 int d^2q/(2 pi)^2 [W_aa(q) - v_aa(q)],     W = (v^-1 + chi)^-1

with chi the static response of free electrons and holes (`gases`) of both layers: Debye's and Hueckel's excess chemical
potential, cut off where the carriers' wave length ends their response. An exciton is neutral, and its energy is kept;
a trion has the charge of one carrier. So the binding energy falls by -(Delta_e + Delta_h), and at zero no bound state
is counted (after Ecker and Weizel's continuum). Excited and scattering states, and excitons' own forces, are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ehbilayer.interaction.base import Interaction
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.thermal.gases import Bosons, Fermions

TRIONS = {"trion-": (2, 1), "trion+": (1, 2)}  # electrons, holes
STEPS = 24  # in which the lowering is looked for
SETTLED = 1e-9  # of the binding energy
Q_NODES = 64
FROZEN = 1e-9  # k_B T over the binding energy below which nothing changes
FEWEST = 1e-200  # a_h^-2, a density that is none
HALVED = 1e-4  # relative error of the temperature of half ionisation


@dataclass(frozen=True)
class Composition:
    """Densities (a_h^-2) of what there is, and by how much the continuum is lowered (Ha_h)."""

    electron: float
    hole: float
    exciton: float
    trion_minus: float = 0.0
    trion_plus: float = 0.0
    lowering: float = 0.0

    @property
    def degree(self) -> float:
        """Free carriers over all, of the species that there is less of; of both where they are equally many."""
        ne = self.electron + self.exciton + 2 * self.trion_minus + self.trion_plus
        nh = self.hole + self.exciton + self.trion_minus + 2 * self.trion_plus
        if abs(ne - nh) <= 1e-9 * ne:
            return (self.electron + self.hole) / (ne + nh)
        return self.electron / ne if ne < nh else self.hole / nh


@dataclass(frozen=True)
class Mixture:
    """What is in equilibrium.

    Parameters
    ----------
    electron_mass : m_e/m_h.   flavours : of electrons and of holes.   densities : of all electrons, of all holes.
    binding : of the exciton, Ha_h > 0.
    trions : binding energies against exciton and carrier, of those that are bound.
    interaction : of the layers, for the lowering.
    """

    electron_mass: float
    flavours: tuple[int, int]
    densities: tuple[float, float]
    binding: float
    trions: dict[str, float]
    interaction: Interaction

    def _trion(self, name: str, temperature: float) -> Fermions:
        """Singlets: two electrons of g flavours, symmetric in space, have g (g - 1)/2 states."""
        ge, gh = self.flavours
        many = {"trion-": ge * (ge - 1) / 2 * gh, "trion+": ge * gh * (gh - 1) / 2}[name]
        electrons, holes = TRIONS[name]
        return Fermions(electrons * self.electron_mass + holes, many if name in self.trions else 0.0, temperature)

    def at(self, temperature: float, lowering: float = 0.0) -> Composition:
        """The densities at k_B T (Ha_h > 0), the exciton's binding energy less by ``lowering``."""
        (ge, gh), (ne, nh) = self.flavours, self.densities
        bound = self.binding - lowering
        if bound <= 0:
            return Composition(ne, nh, 0.0, lowering=lowering)
        t = max(temperature, FROZEN * bound)
        free = Fermions(self.electron_mass, ge, t), Fermions(1.0, gh, t)
        pairs = Bosons(1 + self.electron_mass, ge * gh, t)
        trion = {name: self._trion(name, t) for name in TRIONS}

        def given(exciton: float) -> Composition:
            """All densities at this n_X: mu_e + mu_h follows from it, mu_e from n_e - n_h."""
            zx = pairs.potential(exciton)
            both = zx - bound / t
            if both == -math.inf:
                return Composition(max(ne - nh, 0.0), max(nh - ne, 0.0), 0.0)

            def of(z: float) -> Composition:
                minus, plus = (trion[name].density(x + zx + self.trions.get(name, 0.0) / t)
                               for name, x in (("trion-", z), ("trion+", both - z)))
                return Composition(free[0].density(z), free[1].density(both - z), exciton, minus, plus)

            def excess(z: float) -> float:
                c = of(z)
                return c.electron - c.hole + c.trion_minus - c.trion_plus - (ne - nh)

            return of(_rising(excess, both / 2))

        fewer = min(ne, nh)

        def missing(share: float) -> float:
            c = given(share * fewer)
            total = c.electron + c.trion_plus + 2 * c.trion_minus if ne <= nh else c.hole + c.trion_minus + \
                2 * c.trion_plus
            return (total + c.exciton) / fewer - 1

        return replace(given(fewer * _root(missing, 0.0, 1.0)), lowering=lowering)

    def screened(self, temperature: float) -> Composition:
        """The densities with the continuum lowered by the free charges themselves; the least ionised solution.

        What carriers of a given lowering lower grows with it: the first lowering that reproduces itself is the answer,
        and where none below the binding energy does, all is ionised.
        """
        temperature = max(temperature, FROZEN * self.binding)

        def more(lowering: float) -> float:
            return self.lowering(temperature, self.at(temperature, lowering)) - lowering

        before = 0.0
        for step in range(1, STEPS + 1):
            here = self.binding * (step / STEPS) ** 2
            if more(here) < 0:
                return self.at(temperature, _root(more, before, here, SETTLED * self.binding))
            before = here
        gone = self.at(temperature, self.binding)
        return replace(gone, lowering=self.lowering(temperature, gone))

    def lowering(self, temperature: float, found: Composition) -> float:
        """-(Delta_e + Delta_h) in Ha_h, by free carriers and trions, each in the layer of its charge."""
        me, (ge, gh), t = self.electron_mass, self.flavours, temperature
        several = ((0, Fermions(me, ge, t), found.electron), (1, Fermions(1.0, gh, t), found.hole),
                   (0, self._trion("trion-", t), found.trion_minus), (1, self._trion("trion+", t), found.trion_plus))
        charges = [c for c in several if c[2] > FEWEST]
        if not charges:
            return 0.0
        # from far below the screening to far above the thermal wave numbers
        ends = [math.sqrt(2 * g.mass * t * (1 + max(g.potential(n), 0.0))) for _, g, n in charges]
        slow = min(2 * math.pi * n / t for _, _, n in charges)
        q, weight = _geometric(1e-4 * min(*ends, max(slow, 1e-12 * min(ends))), 1e3 * max(ends))
        chi = [sum((g.response(q, n) for layer, g, n in charges if layer == a), np.zeros_like(q)) for a in (0, 1)]
        v = [self.interaction.v(q, a, b) for a, b in ((0, 0), (1, 1), (0, 1))]
        rest = v[0] * v[1] - v[2] ** 2
        den = 1 + chi[0] * v[0] + chi[1] * v[1] + chi[0] * chi[1] * rest
        # v - W of both layers
        change = (chi[0] * (v[0] ** 2 + v[2] ** 2) + chi[1] * (v[1] ** 2 + v[2] ** 2)
                  + chi[0] * chi[1] * rest * (v[0] + v[1])) / den
        return float(weight @ (q * change)) / (4 * math.pi)

    def half(self, screened: bool) -> float | None:
        """k_B T (Ha_h) at which half is ionised, or where it jumps beyond half; None without carriers of both kinds."""
        def over(log: float) -> float:
            t = math.exp(log)
            return (self.screened(t) if screened else self.at(t)).degree - 0.5

        low, high = math.log(self.binding / 300), math.log(self.binding * 3)
        if over(low) > 0:
            return None
        while over(high) < 0:
            high += 1.0
        for _ in range(40):  # a jump is no root of a smooth function: halve
            middle = 0.5 * (low + high)
            low, high = (low, middle) if over(middle) > 0 else (middle, high)
            if high - low < HALVED:
                break
        return math.exp(0.5 * (low + high))


def _geometric(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of dq, even in ln q."""
    node, weight = gauss_legendre(Q_NODES)
    half = 0.5 * math.log(high / low)
    q = low * np.exp(half * (1 + node))
    return q, half * weight * q


def _rising(function: Callable[[float], float], guess: float) -> float:
    """The root of a rising function of z."""
    width = 1.0
    while function(guess - width) > 0:
        width *= 2
    low, width = guess - width, 1.0
    while function(guess + width) < 0:
        width *= 2
    return _root(function, low, guess + width)


def _root(function: Callable[[float], float], low: float, high: float, error: float = 1e-16) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=error, rtol=1e-14, maxiter=300))
