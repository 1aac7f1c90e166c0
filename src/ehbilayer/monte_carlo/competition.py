"""Which phase wins with correlation: all candidates by the same Monte Carlo, the effort going to those that may win.

Every contender (`contenders`) is optimised and gets a short run, to LOOK times the target, or until it lies clearly
above one that was there before. Those whose energy less all that they may still gain lies above the lowest are left;
the others are optimised further from where they are and run to the target. `judge` compares what there is: the winner
stands if each other phase lies at least SURE standard errors above it, in this box and with the size formulas that are
known (`size_laws`), whose errors count. Boxes of other sizes take all that to infinitely many particles (`size_limit`).

All energies are fixed-node ones, or variational: each may fall by an unknown amount with better nodes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.monte_carlo.contenders import Contender, Field
from ehbilayer.monte_carlo.problem import MonteCarloProblem
from ehbilayer.monte_carlo.result import MonteCarloResult
from ehbilayer.monte_carlo.size_limit import SURE, limit_of
from ehbilayer.monte_carlo.trial import UNTWISTED, Twist, admitted
from ehbilayer.monte_carlo.twists import twists_of
from ehbilayer.phases.result import ArrangementRow, CandidateRow, CompetitionResult, TrialEnergy, arrays
from ehbilayer.phases.verdict import Verdict
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status

LOOK = 3.0  # error of the first look over that of the target
FIRST = 0.5  # share of max_time for the first looks
EXCLUDED = 5.0  # standard errors above the lowest from which a candidate gets no more time
STOPPED = (Status.interrupted, Status.timeout)
NODES = "energies have the nodes of their trial functions; what better nodes would gain is not known"
PARAMETERS = "parameters_"


@dataclass(frozen=True)
class Effort:
    """How much work a competition is; see `monte_carlo.monte_carlo`. ``max_time`` is for all candidates together."""

    method: str = "dmc"
    target_error: float | None = None
    max_time: float | None = None
    walkers: int = 200
    seed: int = 0
    jastrow: int = 5
    optimisation_steps: int = 5
    samples: int = 2000
    twists: tuple[Twist | None, ...] = (None,)

    @classmethod
    def of(cls, first: Contender, twists: int | Sequence[float] | None, **work: Any) -> Effort:
        """What `monte_carlo.monte_carlo` is told, checked on the ``first`` contender, for each.

        Raises InputError, see there.
        """
        checked = MonteCarloProblem.of(first.torus, first.name, time_steps=None,
                                       twists=None if first.name in UNTWISTED else twists, **work)
        return replace(cls(**{f.name: getattr(checked, f.name) for f in fields(cls)}), twists=twists_of(twists))

    def within(self, share: float) -> Effort:
        """The same in a share of its time."""
        return self if self.max_time is None else replace(self, max_time=share * self.max_time)


def compete(field: Field, effort: Effort, hooks: Hooks | None = None,
            others: Sequence[Field] = ()) -> CompetitionResult:
    """Both rounds and the verdict, and with ``others``, boxes of other sizes, that for infinitely many particles.

    An unfinished result of the same contenders in ``hooks`` is gone on from; other sizes begin anew. Of these those
    alone compete that may win in the first box. max_time is shared by the squares of the numbers.
    """
    hooks = hooks or Hooks()
    share = field.sites**2 / sum(f.sites**2 for f in (field, *others))
    found = _Rounds(field, effort.within(share), hooks)
    if isinstance(hooks.unfinished, CompetitionResult):
        found.take(hooks.unfinished)
    result = found.solve()
    if not others or result.status in STOPPED:
        return result
    able = {row.name for row in contending([*result.candidates, *result.further])}
    boxes = {field.sites: result}
    for other in others:
        told = Hooks(progress=lambda text, n=other.sites: hooks.progress(f"{n} sites, {text}"),  # type: ignore[misc]
                     should_stop=hooks.should_stop, threads=hooks.threads)
        left = replace(other, contenders=tuple(c for c in other.contenders if c.name in able))
        boxes[other.sites] = _Rounds(left, effort.within(other.sites**2 / field.sites**2 * share), told).solve()
        if boxes[other.sites].status in STOPPED:
            return replace(result, status=boxes[other.sites].status)
    return replace(result, limit=limit_of(boxes))


class _Rounds:
    """A competition on its way; everything has the number of its contender."""

    def __init__(self, field: Field, effort: Effort, hooks: Hooks) -> None:
        self.field, self.effort, self.hooks = field, effort, hooks
        self.rows: dict[int, CandidateRow] = {}
        self.parameters: dict[int, np.ndarray] = {}
        self.missing = dict(field.missing)
        self.none: set[int] = set()  # those whose trial function turned out not to exist
        self.undecided = True  # whether more than one phase may still win
        self.began = time.monotonic()
        self.stopped: Status | None = None

    def take(self, earlier: CompetitionResult) -> None:
        """The rows and parameters of an unfinished result."""
        for row in (*earlier.candidates, *earlier.further):
            for k, c in enumerate(self.field.contenders):
                kept = earlier.data.get(f"{PARAMETERS}{k}")
                if (row.name, row.spin_arrangement) == (c.name, c.arrangement) and kept is not None:
                    self.rows[k], self.parameters[k] = row, kept.values

    def solve(self) -> CompetitionResult:
        """What is not there yet."""
        everyone = range(len(self.field.contenders))
        # pairs first: their energy is known soonest, and where they are far below, the others need not be known as well
        left = sorted((k for k in everyone if k not in self.rows),
                      key=lambda k: self.field.contenders[k].name != "condensate")
        for place, k in enumerate(left):
            self._run(k, 1, FIRST, len(left) - place)
        if self.stopped is None and self.rows:
            open_ones = contending(list(self.rows.values()))
            self.undecided = len({row.phase for row in open_ones}) > 1
            goal = -1.0 if self.undecided else self.effort.target_error or 0.0
            left = [k for k, row in self.rows.items()
                    if row in open_ones and row.runs < 2 and (row.error or 0.0) > goal]
            for place, k in enumerate(left):
                self._run(k, 2, 1.0, len(left) - place)
        return self.result(self.stopped)

    def _run(self, k: int, round_: int, share: float, waiting: int) -> None:
        """One run of a contender: an equal part, of those that wait, of the time until ``share`` of it is over."""
        if self.stopped is not None:
            return
        contender, e, hooks = self.field.contenders[k], self.effort, self.hooks
        label = f"{contender.name} ({k + 1}/{len(self.field.contenders)}, round {round_})"
        told = Hooks(progress=lambda text: hooks.progress(f"{label}  {text}"), should_stop=hooks.should_stop,
                     threads=hooks.threads)
        limit = None if e.max_time is None else max(
            share * e.max_time - (time.monotonic() - self.began), 0.02 * e.max_time) / waiting
        target = None if e.target_error is None else e.target_error * (LOOK if round_ == 1 else 1.0)
        began = time.monotonic()
        seed = int(np.random.SeedSequence([e.seed, k, round_]).generate_state(1)[0])
        problem = MonteCarloProblem(
            contender.torus, contender.name, e.method, target, limit, e.walkers, None, seed, e.jastrow,
            e.optimisation_steps if self.undecided else 0, e.samples * round_, admitted(contender.name, e.twists),
            self.parameters.get(k), ceiling=self._ceiling())
        try:
            found = problem.solve(told)
        except InputError as error:  # nothing condenses there
            self.none.add(k)
            self.missing[f"{contender.name}, {contender.arrangement}"] = str(error)
            return
        if found.status in STOPPED and hooks.should_stop() is not None:
            self.stopped = found.status
            return
        self.parameters[k] = found.data["parameters"].values
        self.rows[k] = row_of(contender, found, round_, time.monotonic() - began)
        hooks.checkpoint(self.result(Status.interrupted))

    def _ceiling(self) -> float:
        """What the lowest so far may be at most (Ha_h per hole), with the errors of `contending`."""
        if not self.rows:
            return np.inf
        first = min(self.rows.values(), key=lambda r: float(r.energy or 0.0))
        return (float(first.energy or 0.0) + EXCLUDED * (first.error or 0.0) + SURE * (first.size_error or 0.0)
                + abs(first.time_step_error or 0.0))

    def result(self, stopped: Status | None) -> CompetitionResult:
        """With all that is there; ``stopped`` is how it was broken off."""
        contenders = self.field.contenders
        best, others = _by_name(self.field.names, list(self.rows.values()))
        every = [*best, *others]
        verdict, sigma = judge(every)
        left = [contenders[k].name for k in range(len(contenders)) if k not in self.rows and k not in self.none]
        bad = [f"{r.name}: {r.status.value}" for r in every if r.status is not Status.converged]
        reason = ", ".join([*(f"{name}: not computed" for name in left), *bad])
        if reason:
            verdict = replace(verdict, resolved=False)
        advice = "give more max_time, or a larger target_error" if bad and stopped is None else ""
        lowest = _ranked(every)[:1]
        torus = contenders[0].torus
        missing = tuple(f"no trial function of {name}: {why}" for name, why in self.missing.items())
        doubts = tuple(f"{row.name}: {row.doubt}" for row in every if row.doubt)
        return CompetitionResult(
            status=stopped or (Status.not_converged if reason else Status.converged), reason=reason, advice=advice,
            **vars(verdict),
            method="monte-carlo", margin_sigma=sigma, energies={r.name: r.energy for r in best},
            statuses={r.name: r.status.value for r in best}, ended_as={r.name: r.phase for r in best},
            lowest_energy=lowest[0].energy if lowest else None, saddles=(), cautions=(NODES, *missing, *doubts),
            spin_arrangement=lowest[0].spin_arrangement if lowest else None, candidates=tuple(best),
            further=tuple(others), arrangements=_arrangements(best, others),
            particles=Carriers({s.name: s.count for s in torus.species}), area=torus.area, zero_mode=torus.zero_mode,
            inputs={"spacing": torus.bilayer.spacing, "interaction": torus.bilayer.interaction.parameters,
                    "zero_mode": torus.zero_mode, "capacitor": torus.capacitor, "box": torus.box.vectors.tolist(),
                    "species": [s.parameters for s in torus.species], "seed": self.effort.seed},
            data=(arrays(best) if best else {}) | {
                f"{PARAMETERS}{k}": Variable((f"parameter_{k}",), p, "1", "of the trial function of "
                                             f"{contenders[k].name}, {contenders[k].arrangement}")
                for k, p in self.parameters.items()})


def row_of(contender: Contender, found: MonteCarloResult, runs: int, seconds: float) -> CandidateRow:
    """The row of a run; a crystal that has melted, and pairs that do not condense, count for what they have become.

    Where that is open, a row counts for what it is named after and says so.
    """
    torus, vmc, size = contender.torus, found.vmc, found.finite_size
    unknown: Carriers[float] = Carriers({s.name: None for s in torus.species if s.count})
    return CandidateRow(
        contender.name, found.status, float(found.energy_per_hole),
        contender.name if found.phase == "unknown" else found.phase, gap=unknown, momentum_variance=unknown,
        sea_depletion=unknown, zone_deviation=unknown, bragg_weight=found.bragg, spin_order=unknown,
        pair_amplitude=found.condensate_fraction or 0.0, seconds=seconds, spin_arrangement=contender.arrangement,
        error=float(found.error), vmc=TrialEnergy(float(vmc.energy_per_hole), float(vmc.error), float(vmc.variance)),
        time_step_error=found.time_step_error, population_error=found.population_error,
        size_correction=size.correction, size_law=size.law,
        size_error=None if size.law_error is None else float(np.hypot(size.law_error, found.twist_error or 0.0)),
        width=found.rms_displacement, runs=runs, box=torus.sites,
        doubt=found.advice if found.phase == "unknown" else "")


def _ranked(rows: Sequence[CandidateRow]) -> list[CandidateRow]:
    """The lowest row of each phase, in the order of energy."""
    best: dict[str, CandidateRow] = {}
    for row in sorted((r for r in rows if r.energy is not None), key=lambda r: float(r.energy or 0.0)):
        best.setdefault(row.phase, row)
    return list(best.values())


def contending(rows: Sequence[CandidateRow]) -> list[CandidateRow]:
    """Rows that may still be the lowest: less than EXCLUDED standard errors, both time-step errors and SURE errors of
    the size above it."""
    first = min(rows, key=lambda r: float(r.energy or 0.0))
    return [r for r in rows if lead(first, r) < EXCLUDED * float(np.hypot(first.error or 0.0, r.error or 0.0))
            + SURE * _sizes(first, r)
            + abs(first.time_step_error or 0.0) + abs(r.time_step_error or 0.0)]


def lead(first: CandidateRow, other: CandidateRow) -> float:
    """How far ``other`` lies above ``first`` (Ha_h per hole): in this box or after size formulas, whichever is less."""
    moved = float(other.size_correction or 0.0) - float(first.size_correction or 0.0)
    return float(other.energy or 0.0) - float(first.energy or 0.0) + min(moved, 0.0)


def _both(a: CandidateRow, b: CandidateRow) -> float:
    """The error of a lead: of both walks, of the control of their populations, and of their sizes."""
    controls = [a.population_error or 0.0, b.population_error or 0.0]
    return float(np.linalg.norm([a.error or 0.0, b.error or 0.0, *controls, _sizes(a, b)]))


def _sizes(a: CandidateRow, b: CandidateRow) -> float:
    return float(np.hypot(a.size_error or 0.0, b.size_error or 0.0))


def judge(rows: Sequence[CandidateRow]) -> tuple[Verdict, float | None]:
    """The verdict, and by how many standard errors the next phase lies above the winner (`lead`).

    The margin is that of this box; its numerical error is SURE standard errors and what size formulas take away.
    """
    ranking = _ranked(rows)
    if not ranking:
        return Verdict(), None
    if len(ranking) < 2:
        return Verdict(ranking[0].phase, resolved=ranking[0].status is Status.converged), None
    first, second = ranking[:2]
    margin = float(second.energy or 0.0) - float(first.energy or 0.0)
    others = [r for r in rows if r.phase != first.phase]
    worst = min(lead(first, r) - SURE * _both(first, r) for r in others)
    sigma = min(lead(first, r) / max(_both(first, r), 1e-300) for r in others)
    return Verdict(first.phase, second.phase, margin, margin - worst, worst > 0), sigma


def _by_name(names: Sequence[str], rows: Sequence[CandidateRow]) -> tuple[list[CandidateRow], list[CandidateRow]]:
    """Of each name the lowest row, and the others."""
    best = [min((r for r in rows if r.name == n), key=lambda r: float(r.energy or 0.0), default=None) for n in names]
    kept = [r for r in best if r is not None]
    return kept, [r for r in rows if r not in kept]


def _arrangements(best: Sequence[CandidateRow], others: Sequence[CandidateRow]) -> tuple[ArrangementRow, ...]:
    """What every arrangement costs above the best one of the same candidate, where there are several."""
    lowest = {r.name: float(r.energy or 0.0) for r in best}
    several = {r.name for r in others}
    return tuple(ArrangementRow(r.name, r.spin_arrangement, r.phase, float(r.energy or 0.0),
                                float(r.energy or 0.0) - lowest[r.name]) for r in (*best, *others) if r.name in several)
