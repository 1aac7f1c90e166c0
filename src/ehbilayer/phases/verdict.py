"""Who wins: the lowest phase, how far the next one lies, and how much of that may be numerical error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ehbilayer.hartree_fock.guesses import LOCALISED
from ehbilayer.phases.candidates import Candidate
from ehbilayer.phases.result import CandidateRow
from ehbilayer.status import Status

BASIS_DOUBT = 0.5  # `hartree_fock.cutoff.basis_error` finds two thirds or more of a basis error
CRYSTALS = frozenset(phase for phase, sites in LOCALISED.items() if sites)
MODULATED = 0.02  # Bragg weight, of which hole crystals have 0.03
STANDING = (Status.converged, Status.not_converged)  # ends whose energy is an upper bound
PAPER_CUTS = {"electron": 6000.0, "hole": 10000.0}  # of the momentum variance; Nashabeh & Fu, for N = 36


@dataclass(frozen=True)
class Verdict:
    """Winner and runner-up are phases; margin and numerical error are in Ha_h per hole."""

    winner: str = "unknown"
    runner_up: str | None = None
    margin: float | None = None
    numerical_error: float | None = None
    resolved: bool = False


def judge(rows: Sequence[CandidateRow]) -> Verdict:
    """Winner, runner-up, margin and numerical error (Ha_h per hole) of rows with an energy.

    Candidates that ended as one phase stand for it together, by their lowest energy. The margin is the distance to
    the next phase. Energies are upper bounds, so the winner stands while every row of another phase stays above it
    with all taken off that it may still gain (`remaining`). The numerical error is by how much the margin would shrink
    in the worst case.
    """
    ranking = ranked(rows)
    if len(ranking) < 2:
        sure = bool(ranking) and ranking[0].status is Status.converged and not modulated(ranking[0])
        return Verdict(ranking[0].phase, resolved=sure) if ranking else Verdict()
    first, second = ranking[:2]
    others = [r for r in rows if r.status in STANDING and r.energy is not None and r.phase != first.phase]
    known = max((r.basis_error for r in (first, *others) if r.basis_error is not None), default=0.0)
    moved = _moved(rows, others)
    worst = min(_energy(r) - remaining(r, first, known, moved) for r in others) - _energy(first)
    margin = _energy(second) - _energy(first)
    # what is on its way only falls, but nobody knows how far
    done = all(r.status is Status.converged for r in others)
    return Verdict(first.phase, second.phase, margin, margin - worst, worst > 0 and done and not modulated(first))


def modulated(row: CandidateRow) -> bool:
    """Whether what is called a liquid has the Bragg weights of a crystal: in boxes of few sites the Fermi sea of a
    crystal is depleted so little that names do not tell."""
    return row.phase == "liquid" and max((w or 0.0 for w in row.bragg_weight.values()), default=0.0) > MODULATED


def _moved(rows: Sequence[CandidateRow], others: Sequence[CandidateRow]) -> float:
    """What size does to phases in which nobody looked: as much as to others, else as to homogeneous ones alone."""
    shifts = [abs(r.size_shift) for r in others if r.size_shift is not None]
    return max(shifts or [abs(r.above_plane) for r in rows if r.above_plane is not None], default=0.0)


def remaining(row: CandidateRow, first: CandidateRow, unknown: float = 0.0, moved: float = 0.0) -> float:
    """All that a row may still gain on the winner ``first`` (Ha_h per hole): waves, solver, a luckier start, size.

    Of its basis error, an estimate, what the winner surely gains as well is taken off, but for the doubt. ``unknown``
    stands for a basis error that was not estimated, ``moved`` for what the size of the box does where that was not
    looked at.
    """
    basis = unknown if row.basis_error is None else row.basis_error
    waves = max((1 + BASIS_DOUBT) * basis - first.basis_gain, BASIS_DOUBT * basis)
    return waves + row.solver_error + row.start_spread + (moved if row.size_shift is None else max(row.size_shift, 0.0))


def cautions(candidates: Sequence[Candidate], rows: Sequence[CandidateRow]) -> tuple[str, ...]:
    """What a reader of the verdict must not overlook: who wins by spin, by closed shells, or in one box alone."""
    ranking = ranked(rows)
    few = ("the liquid that is lowest has the Bragg weights of a crystal: too few sites to tell, take more particles",)
    return (*(few if ranking and modulated(ranking[0]) else ()), *_by_pairs(candidates, ranking[:2]),
            *_by_heat(candidates, ranking), *_by_spin(candidates, ranking), *_by_shells(candidates, ranking[:2]),
            *_in_the_plane(ranking), *_one_box(ranking))


def _by_heat(candidates: Sequence[Candidate], ranking: Sequence[CandidateRow]) -> tuple[str, ...]:
    """At a temperature the entropy that mean field lacks: T ln g of each carrier on a site, whose flavours it orders,
    of phonons and of pairs."""
    heat = candidates[0].torus.bilayer.temperature
    two = [row.phase for row in ranking[:2]]
    if not heat or not (CRYSTALS | {"condensate"}) & set(two):
        return ()
    local = {name for phase in two for name in LOCALISED.get(phase, ())}
    species = [s for s in candidates[0].torus.species if s.count and ("electron" if s.charge < 0 else "hole") in local]
    gain = heat * sum(s.count * math.log(s.flavours) for s in species) / candidates[0].torus.sites
    free = f"spins that are free on their sites would lower a crystal by {gain:.2g} Ha_h per hole; " if gain else ""
    return ("at a temperature mean field orders the spins of crystals and has neither phonons nor a gas of pairs: "
            f"{free}it melts and unbinds by single carriers alone",)


def _by_spin(candidates: Sequence[Candidate], ranking: Sequence[CandidateRow]) -> tuple[str, ...]:
    """The condensate's electrons are polarised. Where those of the liquid are not, it may win by their polarisation
    rather than by pairing: its normal state, the polarised plasma, then lies below the runner-up already."""
    liquids = [{s.spin for s in c.torus.species} for c in candidates if c.name == "liquid"]
    if len(ranking) < 2 or ranking[0].normal_energy is None or not liquids or {"polarized"} in liquids:
        return ()
    gain = _energy(ranking[1]) - ranking[0].normal_energy
    if gain <= 0 or ranking[0].phase != "condensate":
        return ()
    return (f"polarised electrons and holes without pairing lie {gain:.2g} Ha_h per hole below the "
            f"{ranking[1].phase} already: the condensate wins by spin; compare electron_spin = \"polarized\"",)


def _by_pairs(candidates: Sequence[Candidate], ranking: Sequence[CandidateRow]) -> tuple[str, ...]:
    """Where carriers pair that are not equally many, other states may hold trions."""
    unequal = any(sum(s.charge * s.count for s in c.torus.species) for c in candidates[:1])
    names = [r.phase for r in ranking if r.pair_amplitude > 0]
    if not unequal or not names:
        return ()
    return (f"mean field holds the correlation of an exciton, which lowers the {names[0]}, but none of a trion: "
            "between these two kinds of states it cannot decide",)


def _by_shells(candidates: Sequence[Candidate], rows: Sequence[CandidateRow]) -> tuple[str, ...]:
    """Flavours with unequal numbers, such as 19+17: what a box gains by closed shells, and larger boxes do not."""
    found = []
    for row in rows:
        its = (c.torus.species for c in candidates if (c.name, c.arrangement) == (row.name, row.spin_arrangement))
        found += [f"{s.count} {s.name}s of the {row.phase} fill flavours as {s.spin} since that closes shells of this "
                  "box: an artefact of its size, more particles fill flavours equally or leave them empty"
                  for s in next(its, ()) if s.count and len(set(s.occupations)) > 1]
    return tuple(found)


def _in_the_plane(ranking: Sequence[CandidateRow]) -> tuple[str, ...]:
    """Homogeneous phases that lie below the winner where nothing is finite."""
    plane = {r.phase: _energy(r) - r.above_plane for r in ranking if r.above_plane is not None}
    first = ranking[0].phase if ranking else ""
    return tuple(f"in the infinite plane the {phase} lies {plane[first] - energy:.2g} Ha_h per hole below the {first}: "
                 "the winner is one of this box's size alone"
                 for phase, energy in plane.items() if first in plane and energy < plane[first])


def _one_box(ranking: Sequence[CandidateRow]) -> tuple[str, ...]:
    """Where no smaller box says what size does."""
    if len(ranking) < 2 or any(r.size_shift is not None for r in ranking):
        return ()
    known = [r for r in ranking if r.above_plane is not None]
    why = "no smaller box of this shape holds the two lowest phases: the numerical error "
    if not known:
        return (f"{why}knows nothing of size",)
    most = max(known, key=lambda r: abs(r.above_plane or 0.0))
    return (f"{why}takes size to do what it does to the {most.phase}, {abs(most.above_plane or 0.0):.1e} per hole",)


def ranked(rows: Sequence[CandidateRow]) -> list[CandidateRow]:
    """The lowest row of each phase, in the order of energy; one that is not converged has an upper bound to show."""
    best: dict[str, CandidateRow] = {}
    standing = [r for r in rows if r.status in STANDING and r.energy is not None]
    for row in sorted(standing, key=lambda r: (_energy(r), bool(r.left_out), r.name != r.phase)):
        best.setdefault(row.phase, row)
    return list(best.values())


def lowest(rows: Sequence[CandidateRow]) -> dict[str, CandidateRow]:
    """The lowest converged row of every phase."""
    return {r.phase: r for r in ranked([r for r in rows if r.status is Status.converged])}


def _energy(row: CandidateRow) -> float:
    assert row.energy is not None
    return float(row.energy)


def paper_label(variance: Mapping[str, float | None]) -> str:
    """The phase by the paper's cuts of the momentum variance, meant for N = 36 (Nashabeh & Fu, Fig. S4)."""
    crystal = [name for name, cut in PAPER_CUTS.items() if (variance.get(name) or 0.0) > cut]
    return {(): "liquid", ("electron",): "electron-crystal", ("hole",): "hole-crystal"}.get(tuple(crystal), "crystal")
