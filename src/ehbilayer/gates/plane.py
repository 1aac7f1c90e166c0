r"""Equations of state of the infinite plane in mean field: liquids of both layers, the condensate of pairs, no forces.

f is kinetic and exchange energy, and pairing, per area: never the capacitor, which the gates have (at a temperature
with -T S). The q = 0 part of the direct energy, which a torus leaves out or counts by `capacitor`, and which a
finite v(0) would bring, is all in the electrostatics of `stack`. Flavours of a uniform state do not see each other, so
that pairs of p flavours and carriers of the others that are left over add up; carriers beyond the pairs in the same
flavour are not known to mean field here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ehbilayer.condensate.problem import lone_pair
from ehbilayer.condensate.radial import Pairs, Solution, find, residual_target
from ehbilayer.condensate.report import NORMAL
from ehbilayer.condensate.warm import solve_warm
from ehbilayer.errors import InputError
from ehbilayer.gates.sheet import Curve, Sheet, carrier_sheet, pair_sheet
from ehbilayer.hooks import Ended, Hooks
from ehbilayer.interaction.base import Interaction
from ehbilayer.liquid import SPINS
from ehbilayer.liquid.gas import Gas
from ehbilayer.liquid.warm_gas import WarmGas
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.status import Status

EQUATIONS = ("mean-field", "liquid", "free")
LIQUID_NODES, PAIR_NODES, WARM_NODES = 64, 48, 32
TOLERANCE = 1e-9  # Ha_h per pair, of the condensate
FROZEN = 1e-7  # k_B T over the largest field that stands for all lower temperatures


@dataclass(frozen=True)
class _Nothing(Interaction):
    """No forces within a layer."""

    spacing: float = 0.0
    name = "none"

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        return np.zeros_like(q)

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        return 0.0, 0.0


@dataclass(frozen=True)
class Plane:
    """An equation of state in mean field.

    Parameters
    ----------
    bilayer : electrons and holes; their densities do not matter.
    equation : ``mean-field`` (liquids and the condensate), ``liquid`` (no pairs), ``free`` (no forces but those of the
        capacitors).
    spin : flavours filled equally (``restricted``), one of each (``polarized``), or whichever costs least.

    Raises
    ------
    InputError : another word, other carriers, an interaction that the condensate of the plane does not know.
    """

    bilayer: Bilayer
    equation: str = "mean-field"
    spin: str = "lowest"

    def __post_init__(self) -> None:
        for name, known in (("equation", EQUATIONS), ("spin", SPINS)):
            if getattr(self, name) not in known:
                raise InputError(name, " | ".join(known), getattr(self, name), "choose one of these")
        if {c.name for c in self.bilayer.carriers} != {"electron", "hole"}:
            raise InputError("carriers", "electrons and holes for gates", [c.name for c in self.bilayer.carriers],
                             "give both; their densities follow from the voltages")
        if self.equation == "mean-field":
            Pairs(self.bilayer.with_densities({"electron": 1.0, "hole": 1.0}))

    def sheets(self, densest: float, hooks: Hooks) -> list[Sheet]:
        """All sheets up to a density (a_h^-2) of each. Raises Ended."""
        u = math.sqrt(densest)
        electron, hole = (self.bilayer.carrier(name) for name in ("electron", "hole"))
        gases = {c.name: {g: self._gas(c, g, u) for g in self._fillings(c.flavours)} for c in (electron, hole)}
        found = [carrier_sheet(e, h, u) for e in gases["electron"].values() for h in gases["hole"].values()]
        if self.equation != "mean-field":
            return found
        many = min(electron.flavours, hole.flavours)
        one, within = self._pairs(u, hooks)
        for p in self._fillings(many):
            pairs = Curve(one.u * math.sqrt(p), one.e - one.heat * math.log(p), one.heat)
            here = None if within is None else (p * within[0], p * within[1])
            left = {c.name: c.flavours - p for c in (electron, hole)}
            if not any(left.values()):
                found.append(pair_sheet(pairs, None, "electrons", u, here))
            for c in (electron, hole):
                found += [pair_sheet(pairs, gases[c.name].get(g) or self._gas(c, g, u), f"{c.name}s", u, here)
                          for g in self._fillings(left[c.name])]
        return found

    def _fillings(self, flavours: int) -> list[int]:
        """Numbers of flavours that may be filled."""
        if not flavours:
            return []
        spin = "restricted" if self.equation == "free" and self.spin == "lowest" else self.spin
        return {"restricted": [flavours], "polarized": [1]}.get(spin, list(dict.fromkeys([1, flavours])))

    def _gas(self, carrier: Carrier, filled: int, largest: float) -> Curve:
        """A liquid, or a gas without forces."""
        t = self.bilayer.temperature
        interaction = _Nothing() if self.equation == "free" else self.bilayer.interaction
        u = np.linspace(0.0, largest, LIQUID_NODES)
        e = np.zeros_like(u)
        if t:  # n -> 0: T (ln(2 pi n/g m T) - 1)
            e[0] = t * (math.log(2 * math.pi / (filled * carrier.mass * t)) - 1)
        for i, n in enumerate(u[1:] ** 2, start=1):
            one = replace(carrier, density=float(n))
            gas = WarmGas(one, interaction, filled, t) if t else Gas(one, interaction, filled)
            e[i] = gas.energy - t * math.log(n)
        return Curve(u, e, t)

    def _pairs(self, largest: float, hooks: Hooks) -> tuple[Curve, tuple[float, float] | None]:
        """The condensate of one flavour, and at a temperature the densities between which there is one."""
        t = self.bilayer.temperature
        key = (self.bilayer.mass_ratio, self.bilayer.interaction, t, largest)
        if key not in _KEPT:
            u = np.linspace(0.0, largest, WARM_NODES if t else PAIR_NODES)
            e, paired = self._condensates(u, hooks)
            while len(_KEPT) >= MOST_KEPT:
                del _KEPT[next(iter(_KEPT))]
            _KEPT[key] = _curve_of(u, e, paired, t)
        return _KEPT[key]

    def _condensates(self, u: np.ndarray, hooks: Hooks) -> tuple[np.ndarray, np.ndarray]:
        """(Free) energy of a pair at densities u^2, at 0 that of a pair alone; and whether there are pairs."""
        e, paired, last = np.zeros(len(u)), np.ones(len(u), bool), None
        e[0] = lone_pair(Pairs(self.bilayer))
        for i, n in enumerate((u[1:] ** 2).tolist(), start=1):
            hooks.look(f"condensate: density {i} of {len(u) - 1}")
            here = self.bilayer.with_densities({"electron": n, "hole": n})
            last = find(Pairs(here), TOLERANCE, last, hooks.should_stop)
            e[i], paired[i] = _of_pair(last, self.bilayer.temperature, hooks.should_stop)
        return e, paired


# condensates of a device on a ladder of densities: other voltages, and points of a sweep, ask for them again
_KEPT: dict[tuple[float | Interaction, ...], tuple[Curve, tuple[float, float] | None]] = {}
MOST_KEPT = 16


def _curve_of(u: np.ndarray, e: np.ndarray, paired: np.ndarray, t: float) -> tuple[Curve, tuple[float, float] | None]:
    """The curve of a condensate and, at a temperature, where there are pairs."""
    if not t:
        return Curve(u, e), None
    # one electron and one hole, each an ideal gas, where nothing is bound
    heat = 0.0 if paired[1] else 2 * t
    where = u[1:][paired[1:]] ** 2
    within = (float(where[0]) if heat else 0.0, float(where[-1])) if len(where) else (math.inf, math.inf)
    return Curve(u[1:], e[1:] - heat * np.log(u[1:] ** 2), heat), within


def _of_pair(found: Solution, temperature: float, should_stop: Callable[[], Status | None]) -> tuple[float, bool]:
    """Energy per pair, at a temperature its free energy, and whether there are pairs. Raises Ended."""
    gas, state, status = found.gas, found.state, found.state.status
    if status is Status.converged and temperature:
        t = max(temperature, FROZEN * float(max(np.max(np.abs(state.exchange)), np.max(state.gap))))
        warm = solve_warm(gas, t, state.exchange, state.gap, residual_target(TOLERANCE), should_stop)
        status = warm.status
        if status is Status.converged:
            fraction = float(gas.kset.weights @ warm.amplitude**2) / gas.pairs
            return warm.free_energy / gas.pairs, fraction > NORMAL
    if status is not Status.converged:
        raise Ended(status)
    return gas.flavours * state.energy / gas.pairs, True  # without the capacitor, which a finite v(0) brings
