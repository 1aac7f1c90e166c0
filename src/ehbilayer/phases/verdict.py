"""Who wins: the lowest phase, how far the next one lies, and how much of that may be numerical error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ehbilayer.phases.candidates import Candidate
from ehbilayer.phases.result import CandidateRow
from ehbilayer.status import Status

BASIS_DOUBT = 0.3  # `hartree_fock.cutoff.basis_error` finds two thirds or more of a basis error
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
    """Winner, runner-up, margin and numerical error (Ha_h per hole) of converged rows.

    Candidates that ended as one phase stand for it together, by their lowest energy. The margin is the distance to
    the next phase. The numerical error is how much smaller it may really be: what basis and solver overrate the next
    phase's energy more than the winner's, and BASIS_DOUBT of both basis errors, which are estimates.
    """
    ranking = ranked(rows)
    if len(ranking) < 2:
        return Verdict(ranking[0].phase, resolved=True) if ranking else Verdict()
    first, second = ranking[:2]
    basis = [r.basis_error or 0.0 for r in (first, second)]
    error = max(basis[1] - basis[0], 0.0) + BASIS_DOUBT * sum(basis) + first.solver_error + second.solver_error
    margin = _energy(second) - _energy(first)
    return Verdict(first.phase, second.phase, margin, error, margin > error)


def cautions(candidates: Sequence[Candidate], rows: Sequence[CandidateRow]) -> tuple[str, ...]:
    """What a reader of the verdict must not overlook.

    The condensate's electrons are polarised. Where those of the liquid are not, it may win by their polarisation
    rather than by pairing: its normal state, the polarised plasma, then lies below the runner-up already.
    """
    ranking = ranked(rows)
    spins = {c.name: [s.spin for s in c.torus.species] for c in candidates}
    if len(ranking) < 2 or ranking[0].normal_energy is None or set(spins.get("liquid", ())) <= {"polarized"}:
        return ()
    gain = _energy(ranking[1]) - ranking[0].normal_energy
    if gain <= 0 or ranking[0].phase != "condensate":
        return ()
    return (f"polarised electrons and holes without pairing lie {gain:.2g} Ha_h per hole below the "
            f"{ranking[1].phase} already: the condensate wins by spin; compare electron_spin = \"polarized\"",)


def ranked(rows: Sequence[CandidateRow]) -> list[CandidateRow]:
    """The lowest converged row of each phase, in the order of energy."""
    best: dict[str, CandidateRow] = {}
    for row in sorted((r for r in rows if r.status is Status.converged), key=_energy):
        best.setdefault(row.phase, row)
    return list(best.values())


def _energy(row: CandidateRow) -> float:
    assert row.energy is not None
    return float(row.energy)


def paper_label(variance: Mapping[str, float | None]) -> str:
    """The phase by the paper's cuts of the momentum variance, meant for N = 36 (Nashabeh & Fu, Fig. S4)."""
    crystal = [name for name, cut in PAPER_CUTS.items() if (variance.get(name) or 0.0) > cut]
    return {(): "liquid", ("electron",): "electron-crystal", ("hole",): "hole-crystal"}.get(tuple(crystal), "crystal")
