"""What need not be computed: the same state twice, what can no longer win, and losers to the last digit.

Candidates are converged in the order of `in_order`. One is left out where it is a `twin` of another or `beaten`;
what is not the lowest is known well enough (`needed`) to a hundredth of what it lacks, on fewer waves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hartree_fock.coherence.order import CONDENSED
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.phases.candidates import Candidate
from ehbilayer.phases.look import LOOK_ERROR, Seen, State
from ehbilayer.phases.result import CandidateRow
from ehbilayer.phases.verdict import ranked
from ehbilayer.status import Status

EDGE_DOUBT = 2.0  # how much more may be at the edge of its first waves than of those that were converged
GAIN_DOUBT = 2.0  # how much more than others a candidate may gain by convergence
LOSER = 0.01  # of its distance to the lowest, to which the energy of another is needed
UNIFORM = 1e-6  # of the particles outside their Fermi sea, and of an orbital at the edge of its waves
SOLVER = 0.1  # of that for the solver, which takes the fewer iterations


def in_order(seen: Iterable[Seen]) -> list[Seen]:
    """Condensates first, as they cost little; the others from low to high energy, but what has become another phase
    after the candidate of that phase if both are one state."""
    every = list(seen)

    def rank(x: Seen) -> tuple[bool, float, bool]:
        origin = (y.energy for y in every if y.kept and same_space(x.candidate, x.state, y.candidate, y.state))
        same = (e for e in origin if abs(e - x.energy) < LOOK_ERROR)
        return not x.candidate.paired, x.energy if x.kept else max((x.energy, *same)), not x.kept

    return sorted(every, key=rank)


def same_space(one: Candidate, state: State, other: Candidate, end: State) -> bool:
    """Whether two candidates are starts of one problem that ended in one phase."""
    return one.space == other.space and state.phase == end.phase


def twin(rows: Sequence[tuple[CandidateRow, Candidate]], seen: Seen) -> CandidateRow | None:
    """The converged row of another candidate that is the same phase with the same symmetry and spins: the best that
    both can be."""
    for row, candidate in rows:
        first = (row.energy or 0.0) + row.gained
        if (row.status is Status.converged and candidate.space == seen.candidate.space and row.phase == seen.state.phase
                and seen.energy > first - LOOK_ERROR):
            return row
    return None


def most_gained(rows: Iterable[CandidateRow]) -> float:
    """By how much convergence lowers an energy at most (Ha_h per hole), as far as was seen, times GAIN_DOUBT."""
    return GAIN_DOUBT * max((r.gained for r in rows), default=0.0) + LOOK_ERROR


def beaten(rows: Sequence[CandidateRow], seen: Seen) -> float | None:
    """What a candidate may still gain (Ha_h per hole) that surely stays above the two lowest phases, or above a state
    of the phase that it is; None for one that must be converged."""
    found = [r for r in rows if r.status is Status.converged and not r.left_out]
    gain = gain_by_edge(found, seen)
    if any(r.phase == seen.state.phase and (r.energy or 0.0) < seen.energy - gain for r in found):
        return gain
    ranking = ranked(rows)
    # how much a basis lacks shows at its edge; a condensate's tail is another law, and it is cheap to converge
    edge = max((r.first_edge for r in rows if not r.left_out), default=0.0)
    alike = (isinstance(seen.state, HartreeFockResult) and not _tail_of_pairs(seen)
             and seen.state.edge_occupation <= EDGE_DOUBT * edge)
    gain = most_gained(rows)
    return gain if alike and len(ranking) > 1 and seen.energy - gain > (ranking[1].energy or 0.0) else None


def gain_by_edge(rows: Iterable[CandidateRow], seen: Seen) -> float:
    """By how much convergence lowers a candidate at most (Ha_h per hole): with what is at the edge of its first waves,
    as it did for others, times GAIN_DOUBT. Infinite for what may fall from a saddle, a uniform state of less symmetry
    than a liquid, and for condensates."""
    if not isinstance(seen.state, HartreeFockResult) or _tail_of_pairs(seen):
        return np.inf
    uniform = max(d or 0.0 for d in seen.state.sea_depletion.values()) < UNIFORM
    others = [r.gained / r.first_edge for r in rows if r.pair_amplitude == 0 and r.first_edge > UNIFORM]
    if uniform or not others:
        return np.inf
    return GAIN_DOUBT * max(others) * seen.state.edge_occupation + LOOK_ERROR


def _tail_of_pairs(seen: Seen) -> bool:
    """Whether a state with a condensate is to get more waves, in which its n(k) falls by another law."""
    state = seen.state
    return (isinstance(state, HartreeFockResult) and seen.candidate.options.basis_tolerance is not None
            and (state.condensate_fraction or 0.0) > CONDENSED)


def needed(candidate: Candidate, energy: float, rows: Iterable[CandidateRow]) -> float:
    """To what tolerance (Ha_h per particle) a candidate of this energy per hole must be converged."""
    lowest = min((r.energy for r in rows if r.status is Status.converged and r.energy is not None), default=energy)
    lacks = LOSER * (energy - lowest) * candidate.torus.sites / candidate.torus.particles
    return max(candidate.options.tolerance, lacks)


def within(candidate: Candidate, tolerance: float, basis: PlaneWaveBasis | None = None) -> Candidate:
    """The candidate with another tolerance of its waves, and of the solver a tenth of it; those of ``basis`` to begin
    with."""
    solver = max(candidate.options.tolerance, SOLVER * tolerance)
    options = replace(candidate.options, tolerance=solver, basis_tolerance=tolerance)
    return replace(candidate, options=options, basis=basis or candidate.basis)
