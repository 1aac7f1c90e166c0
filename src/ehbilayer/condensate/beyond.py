"""What waves beyond the largest one of a torus still add to a condensate: the error of its basis, and its repair.

Far above k_F and one over the size of a pair, a wave k lowers the energy by about D_k^2/(2 xi_k), with D_k that falls
as v_eh(k). So what is left beyond K follows the law

    T(K) = int_K^inf k dk v_eh(k)^2 / (k^2 + kappa^2),      1/K^2 at d = 0, exp(-2Kd) at d > 0,

with kappa one over the size of an exciton (`tail`); two bases say how large it is (`left`). Waves that short see a pair
at distances far below the size of the box, where the infinite plane is the same (`Plane`), so that

    E(torus) = E(torus, K) + E(plane) - E(plane, K)

holds to what the finite size changes of the tail alone, which is a thousandth of it and less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise

import numpy as np

from ehbilayer.condensate.pairs import exciton_wave_number, pair_layers
from ehbilayer.condensate.radial import Pairs, Solution, find
from ehbilayer.condensate.report import described
from ehbilayer.condensate.result import EnergyParts, TorusCondensateResult
from ehbilayer.errors import InputError
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.results.base import Carriers
from ehbilayer.status import Status
from ehbilayer.torus import Torus

FARTHEST, NODES = 1e4, 400  # of the integral T, in its lower end
FINEST = 1e-10  # Ha_h, to which the plane is solved at best
PARTS = "energy_parts_per_pair"
SLOWEST = 0.7  # ratio of successive changes beyond which it is lattice points that come and go, not a law


def tail(torus: Torus, cutoff: float) -> float:
    """T(K), up to a factor; see the top of this module. ``cutoff`` in 1/a_h."""
    bilayer = torus.bilayer
    t, weight = gauss_legendre(NODES)
    k = cutoff * FARTHEST ** ((t + 1) / 2)
    v = bilayer.interaction.v(k, *pair_layers(bilayer))
    return float(weight @ (k**2 * v**2 / (k**2 + exciton_wave_number(bilayer) ** 2)))


def left(values: Sequence[float], tails: Sequence[float]) -> float:
    """How far the last of these energies is from that of all waves, by the law or the ratio of the last changes.

    values : energies on growing bases.   tails : T of each.

    The law says T_n/(T_(n-1) - T_n) times the last change. A change that is small by chance counts as what the law
    makes of the one before it.
    """
    if len(values) < 2:
        return math.inf
    shrinks = [_over(after, before) for before, after in pairwise(tails)]
    changes = np.abs(np.diff(values))
    factor = _over(shrinks[-1], 1 - shrinks[-1])
    if len(values) == 2:
        return float(changes[-1]) * factor
    ratio = min(_over(float(changes[-1]), float(changes[-2])), SLOWEST)
    return max(float(changes[-1]), shrinks[-1] * float(changes[-2]) * factor) * max(factor, ratio / (1 - ratio))


def _over(a: float, b: float) -> float:
    return a / b if b > 0 else 0.0


@dataclass(frozen=True, eq=False)
class Plane:
    """The infinite plane with the pairs of a torus: what waves beyond a cutoff do there.

    pairs : at the density of the torus, without capacitor.   tolerance : of its energy per pair, Ha_h.
    """

    pairs: Pairs
    tolerance: float
    _found: dict[float, Solution] = field(default_factory=dict)

    @classmethod
    def of(cls, torus: Torus, flavours: int, tolerance: float) -> Plane | None:
        """None where the plane cannot be computed: a dispersion, an interaction that its averages do not know."""
        try:
            return cls(Pairs(torus.bilayer, flavours), max(0.1 * tolerance, FINEST))
        except InputError:
            return None

    def beyond(self, cutoff: float) -> float | None:
        """What the waves beyond the cutoff (1/a_h) add to the energy per pair (Ha_h); None where it is not known."""
        found = [self._solved(k) for k in (math.inf, cutoff)]
        if any(s.state.status is not Status.converged or s.mesh_error > 10 * self.tolerance for s in found):
            return None
        whole, up_to = (s.gas.energy(s.state) / s.gas.pairs for s in found)
        return whole - up_to

    def complete(self, result: TorusCondensateResult, cutoff: float) -> TorusCondensateResult:
        """A result of the waves up to the cutoff, with what those beyond add to its energies, mu and gaps."""
        whole, up_to = (described(s.gas, s.state) for s in map(self._solved, (math.inf, cutoff)))

        def more(key: str) -> float:
            return float(whole[key] - up_to[key])

        def plus(old: EnergyParts, times: float) -> EnergyParts:
            change = {f.name: getattr(whole[PARTS], f.name) - getattr(up_to[PARTS], f.name) for f in fields(old)}
            return EnergyParts(**{name: getattr(old, name) + times * value for name, value in change.items()})

        pairs, energy = result.density * result.area, more("energy_per_pair")
        broken = result.pair_breaking_energy + more("pair_breaking_energy")
        quasi = {name: old + whole["quasiparticle_gap"][name] - up_to["quasiparticle_gap"][name]
                 for name, old in result.quasiparticle_gap.items() if old is not None}
        return replace(
            result, beyond_basis=pairs * energy, total_energy=result.total_energy + pairs * energy,
            energy_per_pair=result.energy_per_pair + energy,
            energy_per_particle=result.energy_per_particle + energy / 2, energy_parts=plus(result.energy_parts, pairs),
            energy_parts_per_pair=plus(result.energy_parts_per_pair, 1.0),
            condensation_energy=result.condensation_energy + energy,
            chemical_potential=result.chemical_potential + more("chemical_potential"),
            quasiparticle_gap=Carriers(quasi), pair_breaking_energy=broken,
            gap=Carriers(dict.fromkeys(result.gap, broken)))

    def _solved(self, cutoff: float) -> Solution:
        if cutoff not in self._found:
            self._found[cutoff] = find(self.pairs, self.tolerance, cutoff=None if cutoff == math.inf else cutoff)
        return self._found[cutoff]


def level_cutoff(torus: Torus, waves: np.ndarray) -> float:
    """The K of the plane beyond which as much is missing as beyond a disk of integer waves (M, 2); 1/a_h.

        int_0^K k g dk = (2 pi/A) sum_waves g,    g = v_eh(sqrt(k^2 + kappa^2))^2/(k^2 + kappa^2)

    g goes as D_k^2/2 xi_k does at large k and is smooth at small ones, so that its sum over all waves is its integral.
    As many waves alone (`even_cutoff`) leave what shells at the edge do by chance. One step of Newton from there; none
    where g beyond is lost in round-off.
    """
    even, kappa = even_cutoff(torus, len(waves)), exciton_wave_number(torus.bilayer)
    layers = pair_layers(torus.bilayer)

    def v(k: np.ndarray) -> np.ndarray:
        return torus.bilayer.interaction.v(k, *layers)

    whole = float(v(np.array(kappa)))

    def g(k: np.ndarray) -> np.ndarray:
        square = k * k + kappa**2
        return np.asarray((v(np.sqrt(square)) / whole) ** 2 / square)

    t, weight = gauss_legendre(NODES)
    top = math.asinh(even / kappa)
    u = top * (t + 1) / 2
    k = kappa * np.sinh(u)
    inside = float((weight * top / 2) @ (k * g(k) * kappa * np.cosh(u)))
    summed = 2 * math.pi / torus.area * float(g(np.linalg.norm(waves @ torus.box.reciprocal, axis=1)).sum())
    step = (summed - inside) / float(even * g(np.array(even)))
    return even + step if abs(step) < math.pi / math.sqrt(torus.area) else even


def even_cutoff(torus: Torus, waves: int) -> float:
    """The K of the plane that has as many waves per area as the torus, K^2 = 4 pi M/A; 1/a_h."""
    return math.sqrt(4 * math.pi * waves / torus.area)
