"""The table of a result of kind "phases"."""

from __future__ import annotations

from ehbilayer.phases.result import LOST, CandidateRow, CompetitionResult
from ehbilayer.status import Status
from ehbilayer.studies.text import energy_text, interaction_rows, plus_minus, status_row, temperature_text, time_row

WITH_PAIRS = ("supersolid", "composite-crystal", "imbalanced-condensate")
SWEPT = ("margin", "gap")  # what a sweep shows first


def rows(result: CompetitionResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    left, margin = result.reason, result.margin
    found = [status_row(result), ("winner", result.winner + (" so far" if left else "")), ("theory", result.theory)]
    if result.temperature is not None:
        found.append(("temperature", f"{temperature_text(result.temperature)}: energies are free energies"))
    if result.spin_arrangement:
        found.append(("spins", result.spin_arrangement))
    if left:
        found.append(("open", f"{left}; the verdict stands only when all are converged"))
    if margin is not None and result.numerical_error is not None:
        word = "more than the" if margin > result.numerical_error else "NOT RESOLVED: less than the"
        sigma = "" if result.margin_sigma is None else f", {result.margin_sigma:.1f} standard errors"
        told = energy_text(margin, digits=10 if result.margin_sigma is None else 3)
        found.append(("margin", f"{told} per hole below {result.runner_up}{sigma}; {word} "
                                f"numerical error {result.numerical_error:.1e}"))
    found += _limit(result)
    found += [("caution", text) for text in result.cautions]
    found += [(row.name, _ended(row)) for row in
              sorted((*result.candidates, *result.further), key=lambda r: (r.energy is None, r.energy or 0.0))]
    found += [(f"  {a.candidate}", f"{a.spin_arrangement}: {a.cost:+.2e}" + (
        "" if a.phase == a.candidate else f", ended as {a.phase}")) for a in result.arrangements]
    return [*found, *interaction_rows(result), time_row(result)]


def _sampled(row: CandidateRow) -> str:
    """Energy with its error, the trial function by itself, and what a candidate ended as."""
    words = [f"{plus_minus(row.energy, row.error)} Ha_h per hole"]
    words += [f"found to be a {row.phase}"] if row.phase != row.name else []
    words += [] if row.status is Status.converged else [str(row.status)]
    words += [row.spin_arrangement, f"{row.box} sites"]
    if row.vmc is not None:
        words.append(f"variational {plus_minus(row.vmc.energy_per_hole, row.vmc.error)}, "
                     f"variance {row.vmc.variance:.2g} Ha_h^2")
    words += [f"{name}s {w:.2f} lattice constants from their sites" for name, w in row.width.items() if w is not None]
    words += [f"condensate fraction {row.pair_amplitude:.2f}"] if row.phase == "condensate" else []
    words += [] if row.time_step_error is None else [f"time step {row.time_step_error:+.1e}"]
    if row.size_correction is not None:
        about = "" if row.size_error is None else f" +- {row.size_error:.0e}"
        words.append(f"size {row.size_correction:+.1e}{about}" + (f" ({row.size_law})" if row.size_law else ""))
    return ", ".join(words)


def _limit(result: CompetitionResult) -> list[tuple[str, str]]:
    """The verdict for infinitely many particles, and those that it comes from."""
    limit = result.limit
    if limit is None:
        return []
    text = limit.winner
    if limit.margin is not None and limit.uncertainty is not None:
        word = "" if limit.resolved else ", NOT RESOLVED"
        text += (f", {energy_text(limit.margin)} per hole below {limit.runner_up}, which may be "
                 f"{limit.uncertainty:.1e} less{word}")
    sizes = [(f"{s.particles} sites", s.winner + ("" if s.margin is None else f" by {s.margin:.4g} Ha_h per hole")
              + ("" if s.status is Status.converged else f", {s.status}")) for s in limit.by_size]
    return [("N to infinity", text), *sizes]


def _ended(row: CandidateRow) -> str:
    """Energy and phase of a candidate."""
    if row.error is not None and row.energy is not None:
        return _sampled(row)
    energy = "no energy" if row.energy is None else f"{row.energy:.10f} Ha_h per hole"
    ended = "" if row.phase == row.name else f", ended as {row.phase}"
    state = "" if row.status is Status.converged else f", {row.status}"
    saddle = ", a saddle" if row.saddle else ""
    if row.towards is not None:
        saddle += f" towards {row.towards.phase} ({row.towards.energy:.10f})"
    short = f"; {row.left_out}" if row.left_out else ""
    if row.name in WITH_PAIRS or row.pair_amplitude > 0:
        state += f", condensate fraction {row.pair_amplitude:.3f}"
        state += f", Bragg weights {' '.join(f'{w:.3f}' for w in row.bragg_weight.values() if w is not None)}"
        state += "" if row.stiffness is None else f", stiffness {row.stiffness:.4g} Ha_h"
        state += "" if row.quasiparticle_gap is None else f", {row.quasiparticle_gap:.4g} Ha_h to break a pair"
    if row.pairing_curvature is not None:
        state += f", curvature towards pairing {row.pairing_curvature:.3g} Ha_h"
    if row.left_out == LOST:
        short = f"; a first look, up to {row.solver_error:.1e} too high{short}"
    heat = "" if row.entropy is None else f", S {row.entropy:.4g} k_B per hole"
    spins = f", {row.spin_arrangement}" if row.spin_arrangement else ""
    return energy + heat + ended + state + saddle + spins + short
