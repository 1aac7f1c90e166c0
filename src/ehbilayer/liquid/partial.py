r"""A uniform liquid whose flavours hold different densities: the lowest energy over all polarisations.

Exchange acts within a flavour, so that the energy is a sum over flavours of one function of their densities n_i,

    E/A = sum_i [e(n_i) + l_i n_i] = min,   sum_i n_i = n,   l_i = -+ g mu_B B/2 in a field,

with e the energy (at a temperature the free energy) per area of a gas of one flavour. e is concave at low densities,
where exchange wins, and convex at high ones. So p flavours of the half that a field lowers, and q of the other, are
filled, each half equally; for every p and q the share of the second one is searched for on a grid and refined, where a
minimum may lie at an end. Free gases: n_low - n_up = m g mu_B B/2 pi up to full polarisation at g mu_B B = 2 E_F.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from ehbilayer.interaction.base import Interaction
from ehbilayer.liquid.gas import Gas
from ehbilayer.liquid.warm_gas import WarmGas
from ehbilayer.model import Carrier

SHARES = 24  # of the grid
SETTLED = 1e-13  # of the share
STEP = 1e-4  # relative, of the difference in its place
MESH = 0.2  # of ln n


def polarised(energy: Callable[[float], float], carrier: Carrier) -> tuple[float, ...]:
    """The densities (a_h^-2) of all flavours of a carrier at the lowest energy per area.

    ``energy`` e(n) of one flavour at its density, Ha_h/a_h^2.
    """
    half = carrier.flavours // 2
    first = half or 1
    lower, upper = carrier.levels[0], carrier.levels[-1]
    best = math.inf
    found: tuple[float, ...] = (carrier.density,)
    for p in range(1, first + 1):
        for q in range(carrier.flavours - first + 1):
            share, value = _share(energy, carrier.density, p, q, lower, upper)
            if value < best - 1e-12 * abs(best) or not math.isfinite(best):
                best = value
                found = ((1 - share) * carrier.density / p,) * p + (0.0,) * (first - p)
                found += (share * carrier.density / max(q, 1),) * q + (0.0,) * (carrier.flavours - first - q)
    return found


def _share(energy: Callable[[float], float], density: float, p: int, q: int, lower: float,
           upper: float) -> tuple[float, float]:
    """The best share of all carriers in q upper flavours beside p lower ones, and the energy per area there."""
    from scipy.optimize import brentq, minimize_scalar

    def total(share: float) -> float:
        found = (lower * (1 - share) + upper * share) * density
        found += p * energy((1 - share) * density / p) if share < 1 else 0.0
        return found + (q * energy(share * density / q) if share > 0 else 0.0)

    if q == 0:
        return 0.0, total(0.0)
    most = q / (p + q) if upper == lower or p == q else 1.0
    grid = np.linspace(0, most, SHARES + 1) if most < 1 else 0.5 * (1 - np.cos(np.pi * np.linspace(0, 1, SHARES + 1)))
    values = [total(float(x)) for x in grid]
    i = int(np.argmin(values))
    ends = float(grid[max(i - 1, 0)]), float(grid[min(i + 1, SHARES)])
    inner = float(minimize_scalar(total, bounds=ends, method="bounded", options={"xatol": SETTLED}).x)

    def slope(share: float) -> float:
        return total(share * (1 + STEP)) - total(share * (1 - STEP))

    # a minimum is known to the root of what its slope, a difference, is known to
    near = inner * (1 - 1e-3), min(inner * (1 + 1e-3), 1 - 2 * STEP)
    if slope(near[0]) < 0 < slope(near[1]):
        inner = float(brentq(slope, *near, xtol=1e-16, rtol=1e-12))
    # equal filling is stationary and often the answer
    tried = [(float(grid[i]), values[i]), (q / (p + q), total(q / (p + q)))]
    best = min(tried, key=lambda pair: pair[1])
    value = total(inner)
    return (inner, value) if value <= best[1] + 1e-14 * abs(best[1]) else best


@lru_cache(maxsize=16)
def warm_energy(carrier: Carrier, interaction: Interaction, temperature: float) -> Callable[[float], float]:
    """e(n) of one flavour at a temperature, of any density: interpolated in ln n between gases that are kept."""
    known: dict[int, float] = {}

    def node(j: int) -> float:
        if j not in known:
            gas = WarmGas(replace(carrier, density=math.exp(j * MESH)), interaction, 1, temperature)
            known[j] = gas.energy
        return known[j]

    def energy(density: float) -> float:
        x = math.log(density) / MESH
        nodes = [math.floor(x) - 2 + i for i in range(6)]
        weights = [math.prod((x - k) / (j - k) for k in nodes if k != j) for j in nodes]
        return density * sum(w * node(j) for w, j in zip(weights, nodes, strict=True))

    return energy


@dataclass(frozen=True)
class PartialGas:
    """A carrier whose flavours have densities of their own; energies per particle in Ha_h, see `gas.Gas`.

    ``flavours`` are the gases of one flavour each, those that hold any, ``levels`` what a field adds to each.
    """

    carrier: Carrier
    flavours: tuple[Gas | WarmGas, ...]
    levels: tuple[float, ...]

    @classmethod
    def of(cls, one: Callable[[Carrier, int], Gas | WarmGas], carrier: Carrier,
           densities: tuple[float, ...]) -> PartialGas:
        """Of the densities of all flavours; ``one`` makes the gas of a carrier in so many flavours."""
        held = [(n, level) for n, level in zip(densities, carrier.levels, strict=True) if n > 0]
        return cls(carrier, tuple(one(replace(carrier, density=n, flavours=1, splitting=0.0), 1) for n, _ in held),
                   tuple(level for _, level in held))

    @property
    def filled(self) -> int:
        """Flavours that hold any."""
        return len(self.flavours)

    @property
    def polarisation(self) -> float:
        """(n_max - n_min)/(n_max + n_min) over the flavours: 0 where all are alike, 1 where one is empty."""
        least = min(f.carrier.density for f in self.flavours) if self.filled == self.carrier.flavours else 0.0
        most = max(f.carrier.density for f in self.flavours)
        return (most - least) / (most + least)

    def _mean(self, what: str) -> float:
        return float(sum(f.carrier.density * getattr(f, what) for f in self.flavours) / self.carrier.density)

    @property
    def _fullest(self) -> Gas | WarmGas:
        return max(self.flavours, key=lambda f: f.carrier.density)

    @property
    def fermi_energy(self) -> float:
        """k_F^2/2m of the fullest flavour."""
        return self._fullest.fermi_energy

    @cached_property
    def kinetic(self) -> float:
        """Kinetic energy."""
        return self._mean("kinetic")

    @cached_property
    def exchange(self) -> float:
        """Exchange energy."""
        return self._mean("exchange")

    @cached_property
    def heat(self) -> float:
        """-T S."""
        return self._mean("heat")

    @cached_property
    def entropy(self) -> float:
        """S/k_B."""
        return self._mean("entropy")

    @property
    def zeeman(self) -> float:
        """Energy in the field."""
        return sum(f.carrier.density * level for f, level in zip(self.flavours, self.levels, strict=True)) / \
            self.carrier.density

    @property
    def energy(self) -> float:
        """(Free) energy."""
        return self.kinetic + self.exchange + self.heat + self.zeeman

    @cached_property
    def chemical_potential(self) -> float:
        """d(n E/N)/dn, that of the fullest flavour, which all share at a minimum."""
        return self._fullest.chemical_potential + self.levels[self.flavours.index(self._fullest)]

    @cached_property
    def alpha_squared(self) -> float:
        """n dmu/dn over eps_F, with flavours in equilibrium: dn/dmu = sum_i dn_i/dmu_i."""
        slope = sum(f.carrier.density / (f.alpha_squared * f.fermi_energy) for f in self.flavours)
        return self.carrier.density / slope / self.fermi_energy
