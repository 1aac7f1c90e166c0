"""Which phase wins for infinitely many particles: the competition in boxes of several sizes at one density and reach.

What the heights of the phases above the winner do with N is extrapolated, each by itself, `numerics.limits.size_limit`;
homogeneous phases have their energies of the infinite plane in it (`phases.plane`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import waves_for_tolerance
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.guesses import LOCALISED
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.problem import check_warm
from ehbilayer.hooks import Hooks, silent
from ehbilayer.numerics.limits import SizeLimit, size_limit
from ehbilayer.phases.candidates import COMPOSITE, CONDENSATE, SUPERSOLID, Candidate, candidates
from ehbilayer.phases.competition import compete
from ehbilayer.phases.result import BulkVerdict, CandidateRow, CompetitionResult, SizeVerdict
from ehbilayer.phases.sizes import resized, same_reach
from ehbilayer.phases.verdict import ranked, remaining
from ehbilayer.status import Status
from ehbilayer.torus import Torus

STOPPED = (Status.interrupted, Status.timeout)


@dataclass(frozen=True, eq=False)
class Contest:
    """A competition as it is asked for: `candidates.candidates` of these arguments, and further ``sizes``, numbers of
    sites from which the verdict goes to infinitely many particles."""

    torus: Torus
    basis: PlaneWaveBasis
    names: tuple[str | Candidate, ...]
    options: Options
    spins: str
    sizes: tuple[int, ...] = ()

    def check(self) -> None:
        """Raise InputError for sizes without the Madelung term, with own candidates, or that do not fit, and for what
        is of the ground state alone."""
        if self.torus.bilayer.temperature:
            check_warm(self.options, self.sizes)
        if self.sizes and self.torus.zero_mode != "madelung":
            raise InputError("sizes", "given with zero_mode = madelung: without it errors fall as 1/sqrt(N)",
                             self.torus.zero_mode, "change it, or leave the sizes out")
        if self.sizes and not all(isinstance(name, str) for name in self.names):
            raise InputError("sizes", "left out with candidates of your own, which fit one box", list(self.sizes),
                             "name phases alone")
        for sites in self.sizes:
            self.at(sites)

    @property
    def candidates(self) -> list[Candidate]:
        """Those in the box itself."""
        return candidates(self.torus, self.basis, self.names, self.options, self.spins)

    def at(self, sites: int) -> list[Candidate]:
        """The same candidates in a box of another size, on waves that reach as far."""
        torus = resized(self.torus, sites)
        grows = self.options.basis_tolerance
        waves = same_reach(self.torus, self.basis.waves, torus) if grows is None else waves_for_tolerance(torus, grows)
        return candidates(torus, PlaneWaveBasis(torus.box, waves), self.names, self.options, self.spins)

    def solve(self, hooks: Hooks | None = None) -> CompetitionResult:
        """See `competition.compete`; with ``sizes`` also `limit_of` them. A size that is stopped ends the series."""
        hooks = hooks or Hooks()
        result = compete(self.candidates, hooks)
        if not self.sizes or result.status in STOPPED:
            return result
        found, alone = {self.torus.sites: result}, replace(hooks, initial=None, resumed=False, neighbour=None,
                                                                   checkpoint=silent)
        for sites in sorted(set(self.sizes) - {self.torus.sites}):
            found[sites] = compete(self.at(sites), alone)
            if found[sites].status in STOPPED:
                return replace(result, status=found[sites].status)
        return replace(result, limit=limit_of(found))


def limit_of(found: Mapping[int, CompetitionResult]) -> BulkVerdict:
    """The verdict for infinitely many particles from competitions by their numbers of sites.

        height of a phase = lim (E - E_winner)/N,  over the sizes in which both were converged

    with E of the infinite plane, the same in all sizes, where it is known. Each has the error of `size_limit`, by what
    its rows may still gain, and for metals, whose open shells scatter, by what the two largest sizes differ.
    """
    lowest = {n: {r.phase: r for r in ranked((*found[n].candidates, *found[n].further))
                  if r.status is Status.converged} for n in sorted(found)}
    by_size = tuple(SizeVerdict(n, found[n].winner, found[n].margin, found[n].numerical_error, found[n].status)
                    for n in sorted(found))
    best, heights = found[max(found)].winner, {}
    for _ in by_size:  # another phase may lie lowest where all are extrapolated
        heights = _heights(lowest, best)
        under = min(heights, key=lambda phase: heights[phase].value, default=best)
        if under == best or heights[under].value >= 0:
            break
        best = under
    if not heights:
        return BulkVerdict("unknown", None, None, None, False, {}, by_size)
    others = {phase: h for phase, h in heights.items() if phase != best}
    if not others:
        return BulkVerdict(best, None, None, None, True, {best: 0.0}, by_size)
    second = min(others, key=lambda phase: others[phase].value)
    margin = others[second].value
    worst = min(h.value - h.uncertainty for h in others.values())
    return BulkVerdict(best, second, margin, margin - worst, worst > 0, {best: 0.0} | {
        phase: h.value for phase, h in others.items()}, by_size)


def _heights(lowest: Mapping[int, Mapping[str, CandidateRow]], best: str) -> dict[str, SizeLimit]:
    """Limits of the phases that two sizes or more have, above one of them."""
    limits: dict[str, SizeLimit] = {}
    for phase in dict.fromkeys(phase for rows in lowest.values() for phase in rows):
        pairs = {n: (rows[phase], rows[best]) for n, rows in lowest.items() if phase in rows and best in rows}
        if len(pairs) < 2:
            continue
        values = [_in_bulk(a) - _in_bulk(b) for a, b in pairs.values()]
        largest = pairs[max(pairs)]
        error = max(_may_gain(*largest), _may_gain(*largest[::-1])) if phase != best else 0.0
        metals = _metals([row for row in largest if row.above_plane is None])
        scatter = abs(values[-1] - values[-2]) if {phase, best} & set(metals) else 0.0
        limits[phase] = size_limit(list(pairs), values, [error + scatter])
    return limits


def _in_bulk(row: CandidateRow) -> float:
    return float(row.energy or 0.0) - (row.above_plane or 0.0)


def _may_gain(row: CandidateRow, other: CandidateRow) -> float:
    return remaining(replace(row, size_shift=0.0), other, max(row.basis_error or 0.0, other.basis_error or 0.0))


def _metals(rows: Sequence[CandidateRow]) -> list[str]:
    """Phases in which a carrier is a liquid."""
    full = (CONDENSATE, SUPERSOLID, COMPOSITE)
    return [r.phase for r in rows if r.phase not in full and any(
        carrier not in LOCALISED.get(r.phase, ()) for carrier, gap in r.gap.items() if gap is not None)]
