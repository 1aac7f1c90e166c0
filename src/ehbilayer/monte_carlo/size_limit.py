"""Which phase wins for infinitely many particles: from competitions in boxes of several sizes at one density.

Each phase goes by itself: its energy with the formula of its law (`size_laws`), and then what is left of it as
N^{-3/2}, through the two largest boxes (`numerics.limits.size_limit`). The error has that of the sampling, carried
along the line, and half of the way from the largest box or of the law's own error there, whichever is more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ehbilayer.numerics.limits import INSULATOR, size_limit
from ehbilayer.phases.result import BulkVerdict, CandidateRow, CompetitionResult, SizeVerdict

SURE = 3.0  # standard errors from which a verdict is one
HALF = 0.5  # of what is taken away, as its error


@dataclass(frozen=True)
class Bulk:
    """Energy per hole of infinitely many, and its ``error``, Ha_h."""

    energy: float
    error: float


def limit_of(found: Mapping[int, CompetitionResult]) -> BulkVerdict:
    """The verdict from competitions by their numbers of sites: phases that two of them have, and no other may win."""
    sizes = sorted(found)
    lowest = {n: _lowest(found[n]) for n in sizes}
    phases = [p for p in lowest[sizes[-1]] if sum(p in rows for rows in lowest.values()) > 1]
    bulk = {p: _bulk({n: rows[p] for n, rows in lowest.items() if p in rows}) for p in phases}
    by_size = tuple(SizeVerdict(n, found[n].winner, found[n].margin, found[n].numerical_error, found[n].status)
                    for n in sizes)
    if not bulk:
        return BulkVerdict("unknown", None, None, None, False, {}, by_size)
    best, *others = sorted(bulk, key=lambda p: bulk[p].energy)
    heights = {p: bulk[p].energy - bulk[best].energy for p in (best, *others)}
    # a phase of one box alone is not extrapolated: where it is the lowest there is no verdict
    known = all(found[n].winner in bulk for n in sizes)
    if not others:
        return BulkVerdict(best, None, None, None, known, heights, by_size)
    margin = heights[others[0]]
    worst = min(heights[p] - SURE * float(np.hypot(bulk[p].error, bulk[best].error)) for p in others)
    return BulkVerdict(best, others[0], margin, margin - worst, worst > 0 and known, heights, by_size)


def corrected(row: CandidateRow) -> float:
    """Energy per hole with the formula of its law, where there is one."""
    return float(row.energy or 0.0) + float(row.size_correction or 0.0)


def _lowest(result: CompetitionResult) -> dict[str, CandidateRow]:
    rows: dict[str, CandidateRow] = {}
    for row in sorted((r for r in (*result.candidates, *result.further) if r.energy is not None), key=corrected):
        rows.setdefault(row.phase, row)
    return rows


def _bulk(rows: Mapping[int, CandidateRow]) -> Bulk:
    """One phase from two boxes or more."""
    n = sorted(rows, key=lambda sites: rows[sites].box or sites)
    count = [float(rows[i].box or i) for i in n]
    if len(set(count)) < 2:
        return Bulk(corrected(rows[n[-1]]), float("inf"))
    values = [corrected(rows[i]) for i in n]
    line = size_limit(count, values)
    x, z = (c**-INSULATOR for c in count[-2:])
    small, large = (float(rows[i].error or 0.0) for i in n[-2:])
    # E = (x E_large - z E_small)/(x - z)
    noise = np.hypot(x * large, z * small) / (x - z)
    left = max(abs(line.value - values[-1]), float(rows[n[-1]].size_error or 0.0))
    return Bulk(line.value, float(np.hypot(noise, HALF * left)))
