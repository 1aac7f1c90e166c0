"""Which phase wins at one point: every candidate converged with its own symmetry held, and compared by energy.

All candidates have the same particles, box, zero-mode convention and waves. Steps: `candidates.candidates` (who
competes, what each one holds), `look.look_at` (which arrangement of spins and valleys stands for each of them),
`converge` (one of them), `sizes.size_shifts`, `verdict.judge` (winner, margin, numerical error). A candidate may still
end as another phase, a crystal that melts for instance; it then counts for the phase it ended as.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ehbilayer.condensate import torus as condensate_torus
from ehbilayer.condensate.result import TorusCondensateResult
from ehbilayer.condensate.torus import Angles
from ehbilayer.hartree_fock.cutoff import basis_error
from ehbilayer.hartree_fock.handover import may_go_on
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.hooks import Hooks
from ehbilayer.numerics.lattice import Cell
from ehbilayer.numerics.parallel import one_blas_thread
from ehbilayer.orbitals import PREFIX, Orbitals
from ehbilayer.phases.arrangements import IMBALANCED
from ehbilayer.phases.candidates import CONDENSATE, Candidate
from ehbilayer.phases.economy import beaten, in_order, needed, twin, within
from ehbilayer.phases.look import (
    PAIRS,
    Look,
    Seen,
    State,
    from_neighbour,
    how_of,
    look_at,
    paired_state,
    settled,
)
from ehbilayer.phases.plane import plane_energy, shells
from ehbilayer.phases.result import LOST, ArrangementRow, CandidateRow, CompetitionResult, Descent, arrays
from ehbilayer.phases.rows import row_of
from ehbilayer.phases.sizes import Sized, size_shifts
from ehbilayer.phases.unequal import by_flavour
from ehbilayer.phases.verdict import cautions, judge, ranked
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status
from ehbilayer.torus import Torus

STOPPED = (Status.interrupted, Status.timeout)
FAR = 5.0  # of the largest basis error: rows farther above the winner get none of their own
LEFT_OUT = 2.0  # the same of rows left out at the first look


def compete(candidates: Sequence[Candidate], hooks: Hooks | None = None) -> CompetitionResult:
    """Converge every candidate and name the winner.

    Parameters
    ----------
    candidates : from `candidates.candidates`.
    hooks : an unfinished result of the same candidates is gone on from, what it holds is not computed again; with that
        of a neighbouring point, computed with ``keep_states``, each candidate starts from its own state there if that
        kept its character (`handover.may_go_on`), else from its own guess; ``start`` of its row says which. The
        checkpoint hears of every candidate.

    Returns
    -------
    CompetitionResult; its status is that of the competition: converged when every candidate is.
    """
    hooks = hooks or Hooks()
    earlier = hooks.unfinished
    assert earlier is None or isinstance(earlier, CompetitionResult)
    points = _Points(candidates, hooks)
    if earlier is not None:
        points.rows, points.further = list(earlier.candidates), list(earlier.further)
        points.arrangements = list(earlier.arrangements)
        kept = ("cell_", "density_", PREFIX)
        points.data = {k: v for k, v in earlier.data.items() if k.startswith(kept)}
    with one_blas_thread():
        return points.solve()


class _Points:
    """A competition on its way."""

    def __init__(self, candidates: Sequence[Candidate], hooks: Hooks) -> None:
        self.candidates, self.hooks = candidates, hooks
        self.rows: list[CandidateRow] = []
        self.further: list[CandidateRow] = []  # arrangements that compete for a phase beside those in ``rows``
        self.arrangements: list[ArrangementRow] = []
        self.data: dict[str, Variable] = {}
        self.states: dict[tuple[str, str], State] = {}
        self.stopped: Status | None = None

    @property
    def names(self) -> list[str]:
        """Of the candidates, once each."""
        return list(dict.fromkeys(c.name for c in self.candidates))

    def solve(self) -> CompetitionResult:
        """Everything that is not there yet."""
        for begin, further in self._looks():
            self._converge(begin, further)
        if self.stopped is None:
            self._add_errors()
        return self.result(self.stopped)

    def _looks(self) -> Iterator[tuple[Seen | Candidate, bool]]:
        """What to converge, in order, and whether it goes to ``further``: candidates of one arrangement as they come,
        then those looked at, the lowest first."""
        groups = [[c for c in self.candidates if c.name == name] for name in self.names if not self._done(name)]
        looked: list[Look] = []
        many = any(len(group) > 1 for group in groups)
        for group in groups:
            if not many or group[0].start is not None:
                yield group[0], False
                continue
            look = look_at(group, _told_of(self.names, group[0], self.hooks))
            if look is None or look.stopped is not None:
                self.stopped = self.hooks.should_stop() or Status.interrupted
                return
            looked.append(look)
        looked = settled(looked, self.hooks)
        names = {look.best.candidate.name for look in looked}
        self.arrangements = [*(a for a in self.arrangements if a.candidate not in names),
                             *(row for look in looked for row in look.rows)]
        best = {look.best for look in looked}
        yield from ((seen, seen not in best) for seen in in_order(
            seen for look in looked for seen in (look.best, look.faithful) if seen is not None))

    @property
    def _all(self) -> list[CandidateRow]:
        return [*self.rows, *self.further]

    def _done(self, name: str) -> bool:
        return any(row.name == name and row.status not in STOPPED for row in self.rows)

    def _converge(self, begin: Seen | Candidate, further: bool = False) -> None:
        """One candidate, from the first look at it if there was one."""
        if self.stopped is not None:
            return
        hooks = self.hooks
        candidate = begin if isinstance(begin, Candidate) else begin.candidate
        told = _told_of(self.names, candidate, hooks)
        if isinstance(begin, Candidate):
            row, state = converge(candidate, told)
        else:
            row, state = self._beyond_look(begin, told)
        self.states[candidate.name, candidate.arrangement] = state
        if further:
            self.further = [*(r for r in self.further if r.name != row.name), row]
            self.stopped = row.status if row.status in STOPPED else None
            return
        self.rows = [*(r for r in self.rows if r.name != row.name), row]
        self.data |= _densities(row.name, state) | (_keep_state(row, state) if hooks.keep_states else {})
        if row.status in STOPPED:
            self.stopped = row.status
        else:
            hooks.checkpoint(self.result(Status.interrupted))

    def _beyond_look(self, begin: Seen, told: Hooks) -> tuple[CandidateRow, State]:
        """A candidate that was looked at, converged as well as its energy is needed."""
        candidate, state = begin.candidate, begin.state
        other = twin([(row, self._candidate(row)) for row in self._all], begin)
        if other is not None:
            why = f"the {other.name} ended as it" if begin.kept else f"it became the {other.phase}"
            return replace(other, name=candidate.name, left_out=why, seconds=0.0), state
        gain = beaten(self._all, begin)
        if gain is not None:
            row = replace(row_of(candidate, state), left_out=LOST, solver_error=gain, basis_error=_unseen(candidate))
        else:
            row, state = self._well_enough(candidate, told, begin)
            row = replace(row, gained=max(begin.energy - (row.energy or 0.0), 0.0),
                          iterations=row.iterations + begin.state.iterations)
        start = None if self.hooks.neighbour is None else "neighbour" if begin.warm else "own guess"
        return replace(row, first_edge=begin.state.edge_occupation, start=start), state

    def _well_enough(self, candidate: Candidate, told: Hooks, begin: Seen) -> tuple[CandidateRow, State]:
        """Converged to `economy.needed`, again where it came closer to the lowest than it was at first."""
        candidate = replace(candidate, options=replace(candidate.options, refill="down"))  # all were tried at first
        if candidate.options.basis_tolerance is None:
            return converge(candidate, told, begin.state)
        tolerance = needed(candidate, begin.energy, self._all)
        row, state = converge(within(candidate, tolerance), told, begin.state)
        while row.status is Status.converged and row.energy is not None:
            closer = needed(candidate, row.energy, self._all)
            if tolerance <= 2 * closer:
                break
            basis, spent, tolerance = candidate.basis.with_waves(_waves_of(state)), row, closer
            row, state = converge(within(candidate, tolerance, basis), told, state)
            row = replace(row, iterations=row.iterations + spent.iterations, seconds=row.seconds + spent.seconds)
        return row, state

    def _add_errors(self) -> None:
        """What the verdict rests on: basis errors of all rows that may matter, shifts with size, spread of starts."""
        ranking = ranked(self._all)
        for row in ranking:  # one of each phase
            known = max((r.basis_error or 0.0 for r in self._all), default=0.0)
            far = (LEFT_OUT if row.left_out else FAR) * known
            near = row in ranking[:2] or (row.energy or 0.0) - (ranking[0].energy or 0.0) < far
            if near and row.status is Status.converged and row.basis_error is None:
                self._replace(row, **self._basis_error(row))
        errors = {row.phase: row.basis_error for row in ranked(self._all)}
        for row in self._all:
            if row.status is Status.converged and row.basis_error is None:  # of a phase that has a lower row
                self._replace(row, basis_error=errors.get(row.phase))
        self._add_shifts()
        for row in self._all:
            alike = [r.energy for r in self._all if r.status is Status.converged and not r.left_out
                     and (r.phase, r.spin_arrangement) == (row.phase, row.spin_arrangement) and r.energy is not None]
            if len(alike) > 1:
                self._replace(row, start_spread=max(alike) - min(alike))

    def _add_shifts(self) -> None:
        """What the size of the box does to the lowest state of each phase."""
        found = [row for row in ranked(self._all) if row.status is Status.converged]
        found = [replace(row, above_plane=self._above_plane(row)) for row in found] if len(found) > 1 else found
        states = []
        for row in found:
            candidate = self._candidate(row)
            grown = row.gained == 0 and not row.left_out and candidate.options.basis_tolerance is not None
            waves = _waves_of(self._state(row)) if grown else candidate.basis.waves
            # on the first waves where looked at
            above = None if row.above_plane is None else row.above_plane - (row.basis_error or 0.0)
            states.append(Sized(candidate, row.phase, (row.energy or 0.0) + row.gained, waves, above,
                                shells(row.phase, self._competing(row), candidate.torus)))
        quiet = replace(self.hooks, progress=lambda text: None)
        for row, shift in zip(found, size_shifts(states, quiet), strict=True):
            self._replace(row, size_shift=shift, above_plane=row.above_plane)

    def _above_plane(self, row: CandidateRow) -> float | None:
        """By how much a homogeneous phase lies above the infinite plane, per hole."""
        its = [self._candidate(row)] if row.phase == IMBALANCED else self._competing(row)
        plane = plane_energy(row.phase, its, self.hooks.should_stop)
        return None if plane is None else (row.energy or 0.0) - plane

    def _competing(self, row: CandidateRow) -> list[Candidate]:
        """The arrangements that compete for its phase."""
        return [c for c in self.candidates if c.name == row.phase] or [self._candidate(row)]

    def _replace(self, row: CandidateRow, **fields: Any) -> None:
        def changed(rows: list[CandidateRow]) -> list[CandidateRow]:
            which = row.name, row.spin_arrangement
            return [replace(r, **fields) if (r.name, r.spin_arrangement) == which else r for r in rows]

        self.rows, self.further = changed(self.rows), changed(self.further)

    def _candidate(self, row: CandidateRow) -> Candidate:
        return next(c for c in self.candidates if (c.name, c.arrangement) == (row.name, row.spin_arrangement))

    def _state(self, row: CandidateRow) -> State:
        """The state of a row, computed anew where an unfinished result brought the row alone."""
        key = row.name, row.spin_arrangement
        if key not in self.states:
            candidate = self._candidate(row)
            self.states[key] = converge(candidate, _told_of(self.names, candidate, self.hooks))[1]
        return self.states[key]

    def _basis_error(self, row: CandidateRow) -> dict[str, float]:
        candidate = self._candidate(row)
        state = self._state(row)
        if state.status is not Status.converged or not isinstance(state, HartreeFockResult):
            return {}
        error = basis_error(candidate.torus, candidate.basis, state, threads=self.hooks.threads,
                            pairing=candidate.options.pairing, keep=candidate.options.keep) / candidate.torus.sites
        return {"basis_error": error, "basis_gain": error}

    def result(self, stopped: Status | None) -> CompetitionResult:
        """With all that is there; ``stopped`` is how it was broken off."""
        candidates = self.candidates
        rows = sorted(self.rows, key=lambda row: self.names.index(row.name))
        torus, box = candidates[0].torus, candidates[0].basis.box
        verdict = judge([*rows, *self.further])
        left = dict.fromkeys(self.names, "not computed") | {r.name: r.status.value for r in rows}
        reason = ", ".join(f"{name}: {end}" for name, end in left.items() if end != Status.converged)
        if reason:  # what has not converged may yet win
            verdict = replace(verdict, resolved=False)
        best = ranked([*rows, *self.further])
        return CompetitionResult(
            status=stopped or (Status.not_converged if reason else Status.converged), reason=reason, **vars(verdict),
            energies={r.name: r.energy for r in rows}, statuses={r.name: r.status.value for r in rows},
            ended_as={r.name: r.phase for r in rows}, lowest_energy=best[0].energy if best else None,
            saddles=tuple(r.name for r in rows if r.saddle), cautions=cautions(candidates, rows),
            spin_arrangement=best[0].spin_arrangement if best else None, candidates=tuple(rows),
            further=tuple(self.further), arrangements=tuple(self.arrangements),
            particles=Carriers({s.name: s.count for s in torus.species}), area=box.area, zero_mode=torus.zero_mode,
            temperature=torus.bilayer.temperature or None,
            inputs=_inputs(torus, box), data=(arrays(rows) if rows else {}) | self.data)


def _unseen(candidate: Candidate) -> float | None:
    """Basis error of what is left out: none of plane waves, part of what it may gain where waves grow, else unknown."""
    grows = candidate.options.basis_tolerance is not None
    return 0.0 if grows or candidate.options.keep == "translations" else None


def _told_of(names: Sequence[str], candidate: Candidate, hooks: Hooks) -> Hooks:
    """The hooks, whose progress names the candidate."""
    number = names.index(candidate.name) + 1
    return replace(hooks, progress=lambda text: hooks.progress(f"{candidate.name} ({number}/{len(names)})  {text}"))


def converge(candidate: Candidate, hooks: Hooks | None = None,
             seen: State | None = None) -> tuple[CandidateRow, State]:
    """One candidate: its row of the table (energies per hole in Ha_h), and the result of its method.

    ``seen`` is its state after a first look, to go on from.
    """
    hooks = hooks or Hooks()
    began = time.monotonic()
    start = None if seen is not None else from_neighbour(candidate, hooks.neighbour)
    result: State
    if candidate.paired:
        assert not isinstance(start, Orbitals)
        hooks.progress("pairing")
        result = _solve_condensate(candidate, start if seen is None else condensate_torus.angles_of(seen), hooks)
        row = row_of(candidate, result)
    else:
        assert not isinstance(start, Angles) and not isinstance(seen, TorusCondensateResult)
        how = how_of(hooks)
        begin = start or candidate.start if seen is None else seen.orbitals
        held = replace(candidate.options, follow=False)  # it competes with its own symmetry, wherever a saddle leads
        if candidate.uniform:
            held = replace(held, basis_tolerance=None)
        result = solve(candidate.torus, candidate.basis, held, how, initial=begin)
        row = row_of(candidate, result)
        if candidate.options.follow and row.saddle and result.status is Status.converged:
            row = replace(row, towards=_fall(candidate, result, how))
    began_as = None if hooks.neighbour is None else "own guess" if start is None else "neighbour"
    return replace(row, start=began_as, seconds=time.monotonic() - began), result


def _keep_state(row: CandidateRow, result: State) -> dict[str, Variable]:
    """The arrays of a candidate's state if it may go on (`handover.may_go_on`), by names that end in the candidate's.
    """
    name = row.name
    if row.status is not Status.converged:
        return {}
    if isinstance(result, TorusCondensateResult):
        if result.temperature is not None:  # it starts from its own ground state
            return {}
        dims = (f"{PREFIX}wave_{name}", "axis")
        return {f"{PREFIX}{key}_{name}": replace(v, dims=dims[: v.values.ndim])
                for key, v in ((key, result.data[key]) for key in PAIRS) if row.phase == CONDENSATE}
    return result.orbitals.pack(name) if may_go_on(name, row.phase, row.sea_depletion) else {}


def _waves_of(state: State) -> np.ndarray:
    return state.orbitals.waves if isinstance(state, HartreeFockResult) else state.data["waves"].values


def _densities(name: str, result: State) -> dict[str, Variable]:
    """The densities of a candidate and the cell they are given on, under its name."""
    axes = {"cell_1": f"cell_1_{name}", "cell_2": f"cell_2_{name}", "vector": "vector", "axis": "axis"}
    return {f"{key}_{name}": Variable(tuple(axes[d] for d in v.dims), v.values, v.units, v.description)
            for key, v in result.data.items() if key == "cell" or key.startswith("density_")}


def _solve_condensate(candidate: Candidate, initial: Angles | None, hooks: Hooks) -> TorusCondensateResult:
    tolerance, free = candidate.options.tolerance, candidate.options.basis_tolerance

    def one(torus: Torus) -> TorusCondensateResult:
        if free is None:
            return paired_state(torus, candidate.basis, tolerance, True, initial, hooks)
        # Hartree-Fock counts its tolerance per particle, the condensate per pair
        return condensate_torus.solve_to_tolerance(torus, tolerance=2 * free, should_stop=hooks.should_stop)

    return by_flavour(candidate.torus, one)


def _fall(candidate: Candidate, result: HartreeFockResult, how: How) -> Descent:
    """Where the lowest mode of a saddle leads: the phase and energy per hole of the state below, nothing held."""
    below = solve(candidate.torus, candidate.basis, replace(candidate.options, basis_tolerance=None), how,
                  initial=result.orbitals)
    return Descent(below.phase, below.total_energy / candidate.torus.sites, below.status)


def _inputs(torus: Torus, box: Cell) -> dict[str, Any]:
    heat = {"temperature": torus.bilayer.temperature} if torus.bilayer.temperature else {}
    return heat | {"spacing": torus.bilayer.spacing, "interaction": torus.bilayer.interaction.parameters,
            "zero_mode": torus.zero_mode, "capacitor": torus.capacitor, "box": box.vectors.tolist(),
            "species": [s.parameters for s in torus.species]}
