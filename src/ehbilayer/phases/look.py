"""A first look at the arrangements of a candidate: loosely converged on the first waves, cheapest lessons first.

What has melted, or lies higher than another arrangement of the same candidate, is not converged further.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.condensate import torus as condensate_torus
from ehbilayer.condensate.problem import heated
from ehbilayer.condensate.result import TorusCondensateResult
from ehbilayer.condensate.torus import Angles
from ehbilayer.hartree_fock.guesses import guess
from ehbilayer.hartree_fock.handover import same_particles
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.hooks import Hooks
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import Cell
from ehbilayer.numerics.minimize import orthonormalise
from ehbilayer.orbitals import PREFIX, Orbitals
from ehbilayer.phases.candidates import Candidate
from ehbilayer.phases.result import ArrangementRow
from ehbilayer.phases.unequal import by_flavour
from ehbilayer.status import Status
from ehbilayer.terms import Setting
from ehbilayer.torus import Torus

LOOSE = 0.5  # Ha_h, tolerance of a first look: a residual of 7e-4, with energies right to about LOOK_ERROR
GLANCE = 15  # iterations after which a state that has left its phase is not followed further
LOOK_ERROR = 5e-6  # Ha_h per hole: arrangements closer than this are not told apart
PAIRS = ("waves", "angle")  # arrays that a condensate starts from
State = HartreeFockResult | TorusCondensateResult


@dataclass(frozen=True, eq=False)  # hashed by identity
class Seen:
    """An arrangement after the first look; ``energy`` in Ha_h per hole, ``warm`` if a neighbour's state began it."""

    candidate: Candidate
    state: State
    energy: float
    warm: bool = False

    @property
    def kept(self) -> bool:
        """Whether it still is the phase that it is called."""
        return self.state.phase == self.candidate.name


@dataclass(frozen=True, eq=False)
class Look:
    """All arrangements of one candidate that were looked at.

    best : the lowest.   faithful : where that has become another phase, the lowest that has not, if there is one.
    stopped : how it was broken off, if it was.
    """

    best: Seen
    faithful: Seen | None
    seen: tuple[Seen, ...]
    stopped: Status | None = None

    @property
    def rows(self) -> list[ArrangementRow]:
        """What the table says of them, the lowest first."""
        return [ArrangementRow(x.candidate.name, x.candidate.arrangement, x.state.phase, x.energy,
                               x.energy - self.best.energy) for x in sorted(self.seen, key=lambda x: x.energy)]


def look_at(group: Sequence[Candidate], hooks: Hooks) -> Look | None:
    """Look at the arrangements of one candidate; None if it was stopped before the first.

    Orders of the electrons come first, each with the simplest order of the holes; other orders of the holes then with
    the best order of the electrons, and from its state.
    """
    seen: list[Seen] = []
    for later in (False, True):
        best = _best(seen) if seen else None
        for candidate in (c for c in group if c.later is later):
            spin = candidate.torus.electron_spin
            if later and (best is None or spin != best.candidate.torus.electron_spin):
                continue
            initial = from_neighbour(candidate, hooks.neighbour)
            near = initial if initial is not None or best is None else beside(candidate, best)
            state = _loosely(candidate, near, hooks, refill="all" if near is initial else "down")
            if hooks.should_stop() is not None:
                return _look(seen, hooks.should_stop()) if seen else None
            seen.append(Seen(candidate, state, _energy_per_hole(candidate, state), initial is not None))
    return _look(seen)


def beside(candidate: Candidate, best: Seen) -> Orbitals | None:
    """The electrons of ``best`` beside holes on sites in another order: where to begin that; None for states that have
    no sites, or do not fit."""
    state, options = best.state, candidate.options
    if candidate.uniform or options.pairing or candidate.start is not None:
        return None
    if (not isinstance(state, HartreeFockResult) or not best.kept
            or state.temperature is not None):  # natural orbitals of a temperature are more than there are sites
        return None
    torus, basis, known = candidate.torus, candidate.basis, {d.label: d for d in state.orbitals.determinants}
    begin = guess(torus, basis, options.start, spin_order=options.spin_order, occupation=options.occupation)
    frames = tuple(orthonormalise(np, x[None]) for x in begin.frames)
    made = Orbitals.of(Setting(basis, Fourier(), [torus], begin.fillings), frames)
    electrons = [s.name for s in torus.species if s.charge < 0]
    return replace(made, determinants=tuple(known[d.label] if d.carrier in electrons else d for d in made.determinants))


def _best(seen: Sequence[Seen]) -> Seen:
    return min(seen, key=lambda x: (not x.kept, x.energy))


def _look(seen: Sequence[Seen], stopped: Status | None = None) -> Look:
    best, kept = min(seen, key=lambda x: x.energy), _best(seen)
    return Look(best, kept if kept.kept and not best.kept else None, tuple(seen), stopped)


def _loosely(candidate: Candidate, initial: Orbitals | Angles | None, hooks: Hooks, most: int = GLANCE,
             refill: str = "all") -> State:
    """Converged loosely; what has left its phase after ``most`` iterations is not followed further."""
    if candidate.paired:
        assert not isinstance(initial, Orbitals)
        return by_flavour(candidate.torus, lambda torus: paired_state(
            torus, candidate.basis, 1e-4, False, initial, hooks))
    assert not isinstance(initial, Angles)
    all_of_them = candidate.options.max_iterations
    options = replace(candidate.options, tolerance=LOOSE, stability="none", follow=False, basis_tolerance=None,
                      spectrum=False, max_iterations=min(most, all_of_them), refill=refill)
    state = solve(candidate.torus, candidate.basis, options, how_of(hooks), initial=initial or candidate.start)
    if state.status is not Status.not_converged or state.phase != candidate.name or most >= all_of_them:
        return state
    return solve(candidate.torus, candidate.basis, replace(options, max_iterations=all_of_them - most), how_of(hooks),
                 initial=state.orbitals)


def settled(looks: Sequence[Look], hooks: Hooks) -> list[Look]:
    """The looks with nothing half-way: what was on its way to another phase is where a candidate of that phase, with
    the same symmetry and spins, has arrived, or is converged now."""
    arrived = [x for look in looks for x in look.seen if x.kept]

    def end(x: Seen) -> Seen:
        if x.state.status is not Status.not_converged:
            return x
        twin = next((y for y in arrived if y.candidate.name == x.state.phase and y.candidate.space == x.candidate.space
                     and y.energy < x.energy), None)
        if twin is not None:
            return replace(x, state=twin.state, energy=twin.energy)
        state = _loosely(x.candidate, getattr(x.state, "orbitals", None), hooks, GLANCE * GLANCE)
        return replace(x, state=state, energy=_energy_per_hole(x.candidate, state))

    return [_look([end(x) for x in look.seen], look.stopped) for look in looks]


def from_neighbour(candidate: Candidate, neighbour: Any) -> Orbitals | Angles | None:
    """The candidate's state in a neighbour's result, None if it has none that may go on, or other particles."""
    name = candidate.name
    if neighbour is None or f"{PREFIX}waves_{name}" not in neighbour.data or not same_particles(
            candidate.torus, neighbour.inputs) or not _arranged_as(candidate, neighbour):
        return None
    if not candidate.paired:
        return Orbitals.unpack(name, candidate.torus, Cell(np.array(neighbour.inputs["box"])), neighbour.data)
    if candidate.options.basis_tolerance is not None:
        return None  # it finds its own waves, from its own guess
    return Angles(*(neighbour.data[f"{PREFIX}{key}_{name}"].values for key in PAIRS))


def _arranged_as(candidate: Candidate, neighbour: Any) -> bool:
    rows: list[dict[str, Any]] = neighbour.summary["candidates"]
    row = next((r for r in rows if r["name"] == candidate.name), {})
    return bool(row.get("spin_arrangement", candidate.arrangement) == candidate.arrangement)


def paired_state(torus: Torus, basis: PlaneWaveBasis, tolerance: float, estimate: bool, initial: Angles | None,
                 hooks: Hooks) -> TorusCondensateResult:
    """The condensate of equal flavours on these waves, at the temperature of the torus."""
    found = condensate_torus.solve(torus, basis, tolerance=tolerance, estimate=estimate, initial=initial,
                                   should_stop=hooks.should_stop)
    if not torus.bilayer.temperature or found.status is not Status.converged:
        return found
    return heated(torus, found, tolerance, hooks.should_stop)


def total_energy(state: State) -> float:
    """By which states compete, Ha_h of the box: the energy, at a temperature E - T S."""
    if isinstance(state, HartreeFockResult):
        return float(state.energy_unconverged() if state.free_energy is None else state.free_energy)
    if state.free_energy_per_pair is None:
        return float(state.total_energy)
    return float(state.free_energy_per_pair * state.density * state.area)


def _energy_per_hole(candidate: Candidate, state: State) -> float:
    return total_energy(state) / candidate.torus.sites


def how_of(hooks: Hooks) -> How:
    """The hooks as Hartree-Fock takes them."""
    tell: Callable[[str], None] = hooks.progress
    return How(hooks.backend, hooks.threads,
               lambda s: tell(f"iteration {s['iteration']}  residual {s['residual']:.1e}"), None, hooks.should_stop)
