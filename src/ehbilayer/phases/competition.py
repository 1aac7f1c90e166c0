"""Which phase wins at one point: every candidate converged with its own symmetry held, and compared by energy.

All candidates have the same particles, box, zero-mode convention and waves. Steps: `candidates.candidates` (who
competes, what each one holds), `converge` (one of them), `verdict.judge` (winner, margin, numerical error). A candidate
may still end as another phase, a crystal that melts for instance; it then counts for the phase it ended as.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ehbilayer.condensate import torus as condensate_torus
from ehbilayer.condensate.result import TorusCondensateResult
from ehbilayer.condensate.torus import Angles
from ehbilayer.hartree_fock.cutoff import basis_error
from ehbilayer.hartree_fock.handover import may_go_on, same_particles
from ehbilayer.hartree_fock.order import bragg_weights, spin_orders
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.stability import CURVATURE_ZERO
from ehbilayer.hartree_fock.starts import How
from ehbilayer.hooks import Hooks
from ehbilayer.numerics.lattice import Cell
from ehbilayer.orbitals import PREFIX, Orbitals
from ehbilayer.phases.candidates import CONDENSATE, Candidate
from ehbilayer.phases.result import CandidateRow, CompetitionResult, Curvatures, Descent, arrays
from ehbilayer.phases.verdict import cautions, judge, paper_label, ranked
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status
from ehbilayer.torus import Torus

STOPPED = (Status.interrupted, Status.timeout)
PAIRS = ("waves", "angle")  # arrays that a condensate starts from
State = HartreeFockResult | TorusCondensateResult


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
    rows = list(earlier.candidates) if earlier is not None else []
    kept = ("cell_", "density_", PREFIX)
    data = {k: v for k, v in earlier.data.items() if k.startswith(kept)} if earlier is not None else {}
    states: dict[str, State] = {}
    stopped = None
    for candidate in candidates:
        if any(row.name == candidate.name and row.status not in STOPPED for row in rows):
            continue
        row, state = converge(candidate, _told_of(candidates, candidate, hooks))
        rows = [*(r for r in rows if r.name != candidate.name), row]
        states[candidate.name] = state
        data |= _densities(candidate.name, state) | (_keep_state(row, state) if hooks.keep_states else {})
        if row.status in STOPPED:
            stopped = row.status
            break
        hooks.checkpoint(_result(candidates, rows, data, Status.interrupted))
    if stopped is None:
        rows = _with_errors(candidates, rows, states, hooks)
    return _result(candidates, rows, data, stopped)


def _told_of(candidates: Sequence[Candidate], candidate: Candidate, hooks: Hooks) -> Hooks:
    """The hooks, whose progress names the candidate."""
    number = candidates.index(candidate) + 1
    return replace(hooks, progress=lambda text: hooks.progress(
        f"{candidate.name} ({number}/{len(candidates)})  {text}"))


def converge(candidate: Candidate, hooks: Hooks | None = None) -> tuple[CandidateRow, State]:
    """One candidate: its row of the table (energies per hole in Ha_h), and the result of its method."""
    hooks = hooks or Hooks()
    began = time.monotonic()
    start = _start_of(candidate, hooks.neighbour)
    result: State
    if candidate.paired:
        assert not isinstance(start, Orbitals)
        hooks.progress("pairing")
        result = _solve_condensate(candidate, start, hooks)
        row = _condensate_row(candidate, result)
    else:
        assert not isinstance(start, Angles)
        how = How(hooks.backend, hooks.threads, lambda s: hooks.progress(
            f"iteration {s['iteration']}  residual {s['residual']:.1e}"), None, hooks.should_stop)
        held = replace(candidate.options, follow=False)  # it competes with its own symmetry, wherever a saddle leads
        result = solve(candidate.torus, candidate.basis, held, how, initial=start or candidate.start)
        row = _row(candidate, result)
        if candidate.options.follow and row.saddle and result.status is Status.converged:
            row = replace(row, towards=_fall(candidate, result, how))
    began_as = None if hooks.neighbour is None else "own guess" if start is None else "neighbour"
    return replace(row, start=began_as, seconds=time.monotonic() - began), result


def _start_of(candidate: Candidate, neighbour: Any) -> Orbitals | Angles | None:
    """The candidate's state in a neighbour's result, None if it has none that may go on, or other particles."""
    name = candidate.name
    if neighbour is None or f"{PREFIX}waves_{name}" not in neighbour.data or not same_particles(
            candidate.torus, neighbour.inputs):
        return None
    if not candidate.paired:
        return Orbitals.unpack(name, candidate.torus, Cell(np.array(neighbour.inputs["box"])), neighbour.data)
    if candidate.options.basis_tolerance is not None:
        return None  # it finds its own waves, from its own guess
    return Angles(*(neighbour.data[f"{PREFIX}{key}_{name}"].values for key in PAIRS))


def _keep_state(row: CandidateRow, result: State) -> dict[str, Variable]:
    """The arrays of a candidate's state if it may go on (`handover.may_go_on`), by names that end in the candidate's.
    """
    name = row.name
    if row.status is not Status.converged:
        return {}
    if isinstance(result, TorusCondensateResult):
        dims = (f"{PREFIX}wave_{name}", "axis")
        return {f"{PREFIX}{key}_{name}": replace(v, dims=dims[: v.values.ndim])
                for key, v in ((key, result.data[key]) for key in PAIRS) if row.phase == CONDENSATE}
    return result.orbitals.pack(name) if may_go_on(name, row.phase, row.sea_depletion) else {}


def _densities(name: str, result: State) -> dict[str, Variable]:
    """The densities of a candidate and the cell they are given on, under its name."""
    axes = {"cell_1": f"cell_1_{name}", "cell_2": f"cell_2_{name}", "vector": "vector", "axis": "axis"}
    return {f"{key}_{name}": Variable(tuple(axes[d] for d in v.dims), v.values, v.units, v.description)
            for key, v in result.data.items() if key == "cell" or key.startswith("density_")}


def _with_errors(candidates: Sequence[Candidate], rows: list[CandidateRow], states: dict[str, State],
                 hooks: Hooks) -> list[CandidateRow]:
    """The rows with the basis errors of the two lowest phases, on which the verdict rests."""
    found = {row.name: row for row in rows}
    for row in ranked(rows)[:2]:
        candidate = next(c for c in candidates if c.name == row.name)
        if row.basis_error is None:
            state = states.get(row.name) or converge(candidate, _told_of(candidates, candidate, hooks))[1]
            if state.status is Status.converged and isinstance(state, HartreeFockResult):
                error = basis_error(candidate.torus, candidate.basis, state, threads=hooks.threads)
                found[row.name] = replace(row, basis_error=error / candidate.torus.sites)
    return list(found.values())


def _solve_condensate(candidate: Candidate, initial: Angles | None, hooks: Hooks) -> TorusCondensateResult:
    tolerance, free = candidate.options.tolerance, candidate.options.basis_tolerance
    if free is None:
        return condensate_torus.solve(candidate.torus, candidate.basis, tolerance=tolerance, initial=initial,
                                      should_stop=hooks.should_stop)
    # Hartree-Fock counts its tolerance per particle, the condensate per pair
    return condensate_torus.solve_to_tolerance(candidate.torus, tolerance=2 * free, should_stop=hooks.should_stop)


def _row(candidate: Candidate, result: HartreeFockResult) -> CandidateRow:
    sites, particles, orbitals = candidate.torus.sites, candidate.torus.particles, result.orbitals
    error, curved = result.basis_error, result.stability
    return CandidateRow(
        candidate.name, result.status, result.total_energy / sites, result.phase,
        None if error is None else error * particles / sites, result.basis_size,
        candidate.options.tolerance * particles / sites, result.momentum_variance, result.sea_depletion,
        result.zone_deviation, Carriers(bragg_weights(candidate.torus, orbitals)),
        Carriers(spin_orders(candidate.torus, orbitals)), result.gap, 0.0, result.edge_occupation, result.iterations,
        Curvatures(curved.within_kept_symmetry, curved.beyond),
        curved.lowest_curvature is not None and curved.lowest_curvature < -CURVATURE_ZERO,
        paper_label=paper_label(result.momentum_variance))


def _fall(candidate: Candidate, result: HartreeFockResult, how: How) -> Descent:
    """Where the lowest mode of a saddle leads: the phase and energy per hole of the state below, nothing held."""
    below = solve(candidate.torus, candidate.basis, replace(candidate.options, basis_tolerance=None), how,
                  initial=result.orbitals)
    return Descent(below.phase, below.total_energy / candidate.torus.sites, below.status)


def _condensate_row(candidate: Candidate, result: TorusCondensateResult) -> CandidateRow:
    sites, error = candidate.torus.sites, result.basis_error
    return CandidateRow(
        candidate.name, result.status, result.total_energy / sites, result.phase,
        None if error is None else error / sites, result.basis_size, result.solver_error / sites,
        result.momentum_variance, bragg_weight=Carriers({"electron": 0.0, "hole": 0.0}), gap=result.gap,
        pair_amplitude=result.condensate_fraction, edge_occupation=result.edge_occupation,
        iterations=result.iterations, normal_energy=result.normal_energy_per_pair, paper_label=CONDENSATE)


def _result(candidates: Sequence[Candidate], rows: Sequence[CandidateRow], data: dict[str, Variable],
            stopped: Status | None) -> CompetitionResult:
    torus, box = candidates[0].torus, candidates[0].basis.box
    verdict = judge(rows)
    left = {c.name: "not computed" for c in candidates} | {r.name: r.status.value for r in rows}
    reason = ", ".join(f"{name}: {end}" for name, end in left.items() if end != Status.converged)
    if reason:  # what has not converged may yet win
        verdict = replace(verdict, resolved=False)
    energies = [r.energy for r in rows if r.status is Status.converged and r.energy is not None]
    return CompetitionResult(
        status=stopped or (Status.not_converged if reason else Status.converged), reason=reason, **vars(verdict),
        energies={r.name: r.energy for r in rows}, statuses={r.name: r.status.value for r in rows},
        ended_as={r.name: r.phase for r in rows}, lowest_energy=min(energies, default=None),
        saddles=tuple(r.name for r in rows if r.saddle), cautions=cautions(candidates, rows), candidates=tuple(rows),
        particles=Carriers({s.name: s.count for s in torus.species}), area=box.area, zero_mode=torus.zero_mode,
        inputs=_inputs(torus, box), data=(arrays(rows) if rows else {}) | data)


def _inputs(torus: Torus, box: Cell) -> dict[str, Any]:
    return {"spacing": torus.bilayer.spacing, "interaction": torus.bilayer.interaction.parameters,
            "zero_mode": torus.zero_mode, "capacitor": torus.capacitor, "box": box.vectors.tolist(),
            "species": [s.parameters for s in torus.species]}
