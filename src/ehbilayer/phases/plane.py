"""What the size of the box does to what is uniform, exactly: its energy less that of the infinite plane.

    E(N) - sum_a N_a v_a(0)/2 - E(plane),  the Madelung term v_a(0) where the convention of the box leaves it out,

of liquids by `liquid.gas`, of condensates by `condensate.radial`. Flavours do not see each other in a uniform state,
so that each has its own energy, and a phase may fill them in the plane as costs least there. The liquid carriers of a
metal, such as the electrons on a hole crystal, have the shells of a box almost as if they were alone (`free_energy`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from ehbilayer.condensate.radial import Pairs, find, residual_target
from ehbilayer.condensate.warm import solve_warm
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.guesses import LOCALISED
from ehbilayer.liquid.gas import Gas
from ehbilayer.liquid.warm_gas import WarmGas
from ehbilayer.phases.arrangements import IMBALANCED, MOST_UNEQUAL, uniform_energies
from ehbilayer.phases.candidates import CONDENSATE, Candidate
from ehbilayer.status import Status
from ehbilayer.torus import Species, Torus

LIQUID = "liquid"
TOLERANCE = 1e-7  # Ha_h per pair, of the condensate
Stop = Callable[[], Status | None] | None


def plane_energy(phase: str, candidates: Sequence[Candidate], should_stop: Stop = None) -> float | None:
    """Energy per site (Ha_h) of a homogeneous phase in the infinite plane, plus the Madelung term that the torus leaves
    out; None for other phases, and where it is not known: with a dispersion, say.

    Parameters
    ----------
    candidates : the arrangements of spins and valleys that compete for it. Several say that all may: then flavours are
        filled equally, as many as cost least; one says which. An imbalanced condensate is that of the first, known
        where one flavour pairs as a whole.
    """
    torus = candidates[0].torus
    try:
        if phase == LIQUID:
            found = _gases(candidates, [s for s in torus.species if s.count])
        elif phase == CONDENSATE:
            hole = next(s for s in torus.species if s.charge > 0 and s.count)
            most = min(s.flavours for s in torus.species if s.count)
            found = min(_filled(n, partial(_pairs, torus, should_stop)) for n in _fillings(candidates, hole, most))
        elif phase == IMBALANCED and (beside := _beside_pairs(torus)) is not None:
            pairs, carrier, numbers = beside
            found = _pairs(torus, should_stop, pairs) + _filled(numbers, partial(_gas, torus, carrier))
        else:
            return None
    except (InputError, ArithmeticError):
        return None
    charged = torus.capacitor_energy if torus.charged else 0.0
    return (found + charged + madelung(torus)) / torus.sites


def shells(phase: str, candidates: Sequence[Candidate], torus: Torus) -> float | None:
    """By how much the liquid carriers of a metal lie above the infinite plane, per site (Ha_h), were they alone; None
    for insulators and where it is not known."""
    alone = None if torus.bilayer.temperature else free_energy(phase, torus)  # heat washes shells out
    if alone is None:
        return None
    try:
        return alone - _gases(candidates, _free(phase, torus)) / torus.sites
    except InputError:
        return None


def free_energy(phase: str, torus: Torus) -> float | None:
    """Energy per site (Ha_h) of the liquid carriers of a metal in this box, were they alone, with the Madelung term;
    None for insulators, and for too many particles."""
    free = _free(phase, torus)
    if not free or any(s.count > MOST_UNEQUAL for s in free):
        return None
    box = replace(torus, zero_mode="madelung")
    energies = [(s, uniform_energies(box, torus.species.index(s))) for s in free]
    return float(sum(energy[n] for s, energy in energies for n in s.occupations)) / torus.sites


def madelung(torus: Torus) -> float:
    """sum_a N_a v_a(0)/2 (Ha_h) where the convention of the torus leaves it out, else 0."""
    if torus.zero_mode == "madelung":
        return 0.0
    with_term = replace(torus, zero_mode="madelung")
    return sum(s.count * (with_term.zero_mode_element(i, i) - torus.zero_mode_element(i, i)) / 2
               for i, s in enumerate(torus.species) if s.count)


def _beside_pairs(torus: Torus) -> tuple[float, Species, tuple[float, ...]] | None:
    """The pairs of a condensate beside liquids, the carrier that these are of, and how many are in each flavour; None
    where flavours pair with unequal numbers."""
    electron, hole = (next(s for s in torus.species if s.charge == z and s.count) for z in (-1, 1))
    more, fewer = (electron, hole) if electron.count > hole.count else (hole, electron)
    numbers = list(more.occupations)
    if len(fewer.occupations) > 1 or fewer.count not in numbers:
        return None
    numbers.remove(fewer.count)
    return fewer.count, more, tuple(numbers)


def _free(phase: str, torus: Torus) -> list[Species]:
    """The carriers that are liquid in a phase in which others sit on sites."""
    localised = LOCALISED.get(phase, ())
    return [s for s in torus.species if s.count and localised
            and ("electron" if s.charge < 0 else "hole") not in localised]


def _gases(candidates: Sequence[Candidate], species: Sequence[Species]) -> float:
    """Energy (Ha_h) of liquids of these carriers in the plane."""
    torus = candidates[0].torus
    return sum((min(_filled(n, partial(_gas, torus, s)) for n in _fillings(candidates, s)) for s in species), 0.0)


def _fillings(candidates: Sequence[Candidate], species: Species, most: int | None = None) -> list[tuple[float, ...]]:
    """Particles per flavour that a phase may choose between in the plane, whole or not."""
    given = [s.occupations for c in candidates for s in c.torus.species if s.name == species.name]
    equal = range(1, (most or species.flavours) + 1) if len(candidates) > 1 else ()
    return list(dict.fromkeys([*given, *((species.count / p,) * p for p in equal)]))


def _filled(numbers: tuple[float, ...], energy: Callable[[float], float]) -> float:
    return sum(numbers.count(n) * energy(n) for n in set(numbers))


def _gas(torus: Torus, species: Species, number: float) -> float:
    """Energy (Ha_h) of so many particles of one flavour on the area of the torus, in the plane."""
    carrier = replace(species.carrier, density=number / torus.area)
    if torus.bilayer.temperature:
        warm = WarmGas(carrier, torus.bilayer.interaction, 1, torus.bilayer.temperature)
        return number * warm.energy
    return number * Gas(carrier, torus.bilayer.interaction, 1).energy


def _pairs(torus: Torus, should_stop: Stop, number: float) -> float:
    """The same of pairs. Raises ArithmeticError where that does not converge."""
    names = (s.name for s in torus.species if s.count)
    here = torus.bilayer.with_densities(dict.fromkeys(names, number / torus.area))
    found = find(Pairs(here), TOLERANCE, should_stop=should_stop)
    if found.state.status is not Status.converged or not found.mesh_error < 10 * TOLERANCE:
        raise ArithmeticError("the plane does not converge")
    if torus.bilayer.temperature:
        warm = solve_warm(found.gas, torus.bilayer.temperature, found.state.exchange, found.state.gap,
                          residual_target(TOLERANCE), should_stop)
        if warm.status is not Status.converged:
            raise ArithmeticError("the plane does not converge at this temperature")
        return number * warm.free_energy / found.gas.pairs
    return number * found.state.energy / found.gas.pairs  # the charged layers count once, for all flavours
