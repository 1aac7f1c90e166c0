r"""How many excitons and trions are left at a temperature: the law of mass action, ideal and with screening.

Electrons, holes, excitons X and trions X-, X+ are ideal gases in equilibrium, mu_X = mu_e + mu_h, mu_- = 2 mu_e + mu_h,
mu_+ = mu_e + 2 mu_h, with the energies of the complexes alone. Given n_X, both equations that are left, n_e - n_h and
the number of the carriers that are fewer, are monotonic in one unknown each.

With screening the binding energy is that of a pair among the free carriers that there are (`pair`), and found together
with their number; a trion's falls as the exciton's does. What a bound state holds then goes to 0 with its binding
energy (`gases.Pairs`). Excited states, and what excitons do to each other and to carriers, are left out.

Mott's density is where no pair is bound any more among carriers of which all are free, at T = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ehbilayer.thermal.gases import Bosons, Fermions, Pairs
from ehbilayer.thermal.pair import CENTRAL, Level, Pair, occupied

TRIONS = {"trion-": (2, 1), "trion+": (1, 2)}  # electrons, holes
STEPS = 10  # in which the loss of binding is looked for
SETTLED = 1e-9  # of the binding energy
FROZEN = 1e-9  # k_B T over the binding energy below which nothing changes
FEWEST = 1e-200  # a_h^-2, a density that is none
HALF, HALVED = 0.5, 1e-4  # relative error of the temperature of half ionisation
UNBOUND, COOL = 0.01, 1e-3  # binding that is none, and k_B T that is cold, over the binding energy of a pair alone


@dataclass(frozen=True)
class Composition:
    """Densities (a_h^-2) of what there is, and by how much an exciton is bound less than alone (Ha_h)."""

    electron: float
    hole: float
    exciton: float
    trion_minus: float = 0.0
    trion_plus: float = 0.0
    loss: float = 0.0

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
    pair : the exciton among free carriers; None for ideal gases alone.
    level : how it is treated.
    split : what a field adds to every flavour of electrons and of holes (Ha_h); empty without one. An exciton shifts by
        the sum of its carriers', and a singlet's two like ones are of different flavours.
    """

    electron_mass: float
    flavours: tuple[int, int]
    densities: tuple[float, float]
    binding: float
    trions: dict[str, float]
    pair: Pair | None = None
    level: Level = CENTRAL
    split: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())

    def _levels(self, electrons: int, holes: int) -> tuple[float, ...]:
        """What a field adds to every state of a complex of so many electrons and holes, all of different flavours."""
        if not any(self.split):
            return ()
        e, h = (s or (0.0,) * g for s, g in zip(self.split, self.flavours, strict=True))
        return tuple(sum(a) + sum(b) for a in combinations(e, electrons) for b in combinations(h, holes))

    def _free(self, temperature: float) -> tuple[Fermions, Fermions]:
        """The gases of free electrons and of free holes."""
        ge, gh = self.flavours
        return (Fermions(self.electron_mass, ge, temperature, levels=self._levels(1, 0)),
                Fermions(1.0, gh, temperature, levels=self._levels(0, 1)))

    def _trion(self, name: str, temperature: float) -> Fermions:
        """Singlets: two electrons of g flavours, symmetric in space, have g (g - 1)/2 states."""
        ge, gh = self.flavours
        many = {"trion-": ge * (ge - 1) / 2 * gh, "trion+": ge * gh * (gh - 1) / 2}[name]
        electrons, holes = TRIONS[name]
        return Fermions(electrons * self.electron_mass + holes, many if name in self.trions else 0.0, temperature,
                        levels=self._levels(electrons, holes) if name in self.trions else ())

    def at(self, temperature: float, loss: float | None = None) -> Composition:
        """The densities at k_B T (Ha_h > 0): of ideal gases, or with binding energies less by ``loss`` of the exciton's
        and with `gases.Pairs`."""
        (ge, gh), (ne, nh) = self.flavours, self.densities
        bound = self.binding - (loss or 0.0)
        if bound <= 0:
            return Composition(ne, nh, 0.0, loss=loss or 0.0)
        t = max(temperature, FROZEN * bound)
        free, gas, levels = self._free(t), (1 + self.electron_mass, ge * gh, t), self._levels(1, 1)
        pairs = Bosons(*gas, levels=levels) if loss is None else Pairs(*gas, bound / t, levels=levels)
        trion = {name: self._trion(name, t) for name in TRIONS}

        def held(gas: Fermions, z: float, x: float) -> float:
            """What trions bound by x T hold; as of `Pairs`, less what their states hold where nothing binds them."""
            return 0.0 if not gas.flavours else gas.density(z + x) - (0.0 if loss is None else gas.density(z))

        def given(exciton: float) -> Composition:
            """All densities at this n_X: mu_e + mu_h follows from it, mu_e from n_e - n_h."""
            zx = pairs.potential(exciton)
            both = zx - bound / t
            if both == -math.inf:
                return Composition(max(ne - nh, 0.0), max(nh - ne, 0.0), 0.0)

            def of(z: float) -> Composition:
                minus, plus = (held(trion[name], x + zx, self.trions.get(name, 0.0) * bound / self.binding / t)
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

        return replace(given(fewer * _root(missing, 0.0, 1.0)), loss=loss or 0.0)

    def screened(self, temperature: float) -> Composition:
        """The densities with what free carriers leave of the binding energy; the least ionised solution.

        What the carriers of a given loss take away grows with it: the first loss that reproduces itself is the answer,
        and where none below the binding energy does, all is ionised.
        """
        temperature = max(temperature, FROZEN * self.binding)

        def more(loss: float) -> float:
            return self.loss(temperature, self.at(temperature, loss)) - loss

        before = 0.0
        for step in range(1, STEPS + 1):
            here = self.binding * (step / STEPS) ** 2
            if more(here) < 0:
                return self.at(temperature, _root(more, before, here, SETTLED * self.binding))
            before = here
        return self.at(temperature, self.binding)

    def loss(self, temperature: float, found: Composition) -> float:
        """By how much an exciton is bound less (Ha_h) among these free carriers and trions, each in the layer of its
        charge; at most all of its binding energy."""
        if self.pair is None:
            return 0.0
        t, q = temperature, self.pair.q
        free = self._free(t)
        charges = [(free[0], found.electron), (self._trion("trion-", t), found.trion_minus)], [
            (free[1], found.hole), (self._trion("trion+", t), found.trion_plus)]
        chi = [sum((g.response(q, n) for g, n in layer if n > FEWEST), np.zeros_like(q)) for layer in charges]
        if not any(x[0] for x in chi):
            return 0.0
        energy = sum(sum(n for _, n in layer) / x[0] if x[0] else t for layer, x in zip(charges, chi, strict=True))
        response, level = (chi[0], chi[1]), self.level
        spread = 0.0 if math.isinf(level.contact) else self.pair.spread(response, level.contact * energy)
        less = self.pair.screened(response, spread)
        if level.kept:
            return min(float(self.pair.measure @ (less[0] + less[1])) / 2, self.binding)
        shut = sum(occupied(g, n, q) for g, n in zip(free, (found.electron, found.hole), strict=True))
        left = self.pair.binding(less[2], 1 - shut if level.blocked else 1.0)
        return min(self.binding - left, self.binding)

    def mott(self) -> float | None:
        """Density (a_h^-2 of each) at which no pair is bound among free carriers at T = 0; None without `pair`.

        Where all states count as open, the Fermi energies are what a pair must be bound by.
        """
        if self.pair is None or self.level.kept:
            return None
        (ge, gh), cold = self.flavours, COOL * self.binding

        def bound(log: float) -> float:
            n = math.exp(log)
            fermi = sum(_fermi(n, *of) for of in zip((self.electron_mass, 1.0), (ge, gh), self.split, strict=True))
            least = UNBOUND * self.binding if self.level.blocked else fermi
            return self.binding - self.loss(cold, Composition(n, n, 0.0)) - least

        # from where carriers are farther apart than excitons to where they are far closer
        low, high = (math.log(x * self.binding * self.electron_mass) for x in (1e-6, 1e3))
        return math.exp(_root(bound, low, high, 1e-4)) if bound(low) > 0 > bound(high) else None

    def half(self, screened: bool, error: float = HALVED) -> float | None:
        """k_B T (Ha_h) at which half is ionised, or where it jumps beyond half; None without carriers of both kinds."""
        def over(log: float) -> bool:
            t = math.exp(log)
            return not self._keeps(t) if screened else self.at(t).degree > HALF

        low, high = math.log(self.binding / 300), math.log(self.binding * 3)
        if over(low):
            return None
        while not over(high):
            high += 1.0
        for _ in range(40):  # a jump is no root of a smooth function: halve
            middle = 0.5 * (low + high)
            low, high = (low, middle) if over(middle) else (middle, high)
            if high - low < error:
                break
        return math.exp(0.5 * (low + high))

    def _keeps(self, temperature: float) -> bool:
        """Whether pairs are stable, half of them ionised at most: whether a loss of so much or less causes less."""
        if self.at(temperature, 0.0).degree > HALF:
            return False
        most = _root(lambda loss: self.at(temperature, loss).degree - HALF, 0.0, self.binding, 1e-4 * self.binding)
        # first at the largest loss, where nearly always it is decided
        return any(self.loss(temperature, self.at(temperature, loss)) < loss for loss in
                   (most * (step / STEPS) ** 2 for step in range(STEPS, 0, -1)))


def _fermi(density: float, mass: float, flavours: int, levels: tuple[float, ...]) -> float:
    """Fermi energy (Ha_h) from the lowest level of flavours, half of which a field raises."""
    split = levels[-1] - levels[0] if levels else 0.0
    low = 2 * math.pi * density / (mass * flavours)
    return low + split / 2 if low > split / 2 else 2 * low


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
