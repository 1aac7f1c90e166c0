"""The table of a result of kind "monte-carlo"."""

from __future__ import annotations

from ehbilayer.monte_carlo.result import MonteCarloResult
from ehbilayer.results.quantity import Quantity
from ehbilayer.status import Status
from ehbilayer.studies.text import energy_text, plus_minus, status_row, time_row

SWEPT = ("energy_per_hole", "error")  # what a sweep shows first


def rows(result: MonteCarloResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    vmc, size = result.vmc, result.finite_size
    found = [status_row(result), ("trial", f"{result.trial}, by {result.method}"),
             ("energy/hole", _with_error(result.energy_per_hole, result.error)),
             ("variational", f"{_with_error(vmc.energy_per_hole, vmc.error)}, variance {vmc.variance:.3g} Ha_h^2")]
    for step in result.dmc:
        found.append((f"tau = {step.time_step:.4g}", f"{_with_error(step.energy_per_hole, step.error)}, {step.steps} "
                      f"steps of {step.population:.0f} walkers, {100 * (1 - step.acceptance):.2f} % refused"))
    if result.time_step_error is not None:
        found.append(("time step", f"{result.time_step_error:+.2e} Ha_h at the smaller one, taken out"))
    if result.population_error is not None:
        found.append(("population", f"{result.population_error:+.1e} Ha_h without its control"))
    if result.twist_error is not None:
        found.append(("twists", f"{len(result.inputs['twists'])}, their number to {result.twist_error:.1e} Ha_h"))
    if size.energy_per_hole is not None:
        alone = "the complex alone" if size.law == "isolated" else "infinite size"
        doubt = "" if size.law_error is None else f" +- {size.law_error:.0e} by its law ({size.law})"
        found.append((alone, f"{energy_text(size.energy_per_hole)}, {size.correction:+.6f}{doubt}"))
    found += _state(result)
    found.append(("error", f"{result.blocks} independent blocks of {result.autocorrelation:.1f} steps"))
    return [*found, time_row(result)]


def _state(result: MonteCarloResult) -> list[tuple[str, str]]:
    """What the state is; nothing of results of older versions, or of runs too short for an error."""
    if result.contact is None or result.contact_error is None:
        return []
    # the status has no advice where all is well; what has melted is then told here
    told = f"; {result.advice}" if result.advice and result.status is Status.converged else ""
    found = [("phase", result.phase + told)]
    peaks = [f"{name} {weight:.3g} +- {result.bragg_error[name]:.1g}" + (
        "" if (rms := result.rms_displacement[name]) is None else f" (displacement {rms:.3f} a)")
        for name, weight in result.bragg.items() if weight is not None]
    found.append(("Bragg weight", ", ".join(peaks)))
    if result.condensate_fraction is not None:
        found.append(("condensed", f"{result.condensate_fraction:.3f} +- {result.condensate_fraction_error:.3f} "
                      "pairs per hole"))
    near = [f"{pair} {g:.3f} +- {result.contact_error[pair]:.3f}" for pair, g in result.contact.items()]
    return [*found, *[("g in contact", "; ".join(near))][: len(near)]]


def _with_error(value: float, error: float) -> str:
    """-0.148912 +- 0.000031 Ha_h, and in meV where the device is known."""
    text = f"{plus_minus(value, error)} Ha_h"
    if isinstance(value, Quantity) and value.scales.known:
        factor = value.scales.hartree_meV
        text += f" ({plus_minus(value * factor, error * factor, 4)} meV)"
    return text
