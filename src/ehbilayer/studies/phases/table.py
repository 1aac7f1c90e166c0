"""The table of a result of kind "phases"."""

from __future__ import annotations

from ehbilayer.phases.result import CandidateRow, CompetitionResult
from ehbilayer.status import Status
from ehbilayer.studies.text import energy_text, status_row, time_row

SWEPT = ("margin", "gap")  # what a sweep shows first


def rows(result: CompetitionResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    left, margin = result.reason, result.margin
    found = [status_row(result), ("winner", result.winner + (" so far" if left else ""))]
    if result.spin_arrangement:
        found.append(("spins", result.spin_arrangement))
    if left:
        found.append(("open", f"{left}; the verdict stands only when all are converged"))
    if margin is not None and result.numerical_error is not None:
        word = "more than the" if margin > result.numerical_error else "NOT RESOLVED: less than the"
        found.append(("margin", f"{energy_text(margin)} per hole below {result.runner_up}; {word} "
                                f"numerical error {result.numerical_error:.1e}"))
    found += [("caution", text) for text in result.cautions]
    found += [(row.name, _ended(row)) for row in
              sorted((*result.candidates, *result.further), key=lambda r: (r.energy is None, r.energy or 0.0))]
    found += [(f"  {a.candidate}", f"{a.spin_arrangement}: {a.cost:+.2e}" + (
        "" if a.phase == a.candidate else f", ended as {a.phase}")) for a in result.arrangements]
    return [*found, time_row(result)]


def _ended(row: CandidateRow) -> str:
    """Energy and phase of a candidate."""
    energy = "no energy" if row.energy is None else f"{row.energy:.10f} Ha_h per hole"
    ended = "" if row.phase == row.name else f", ended as {row.phase}"
    state = "" if row.status is Status.converged else f", {row.status}"
    saddle = ", a saddle" if row.saddle else ""
    if row.towards is not None:
        saddle += f" towards {row.towards.phase} ({row.towards.energy:.10f})"
    short = f"; {row.left_out}" if row.left_out else ""
    return energy + ended + state + saddle + (f", {row.spin_arrangement}" if row.spin_arrangement else "") + short
