"""The table of a result of kind "gates"."""

from __future__ import annotations

from ehbilayer.gates.result import GatesResult
from ehbilayer.results.base import Quantity
from ehbilayer.studies.text import energy_text, interaction_rows, status_row, time_row

SWEPT = ("here.phase", "here.electron_density", "here.hole_density", "jump")  # what a sweep shows first


def rows(result: GatesResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    found = [status_row(result), ("equation", result.equation), ("phases", ", ".join(result.phases))]
    if (here := result.here) is not None:
        found += [("phase", here.phase), ("electrons", _density(here.electron_density)),
                  ("holes", _density(here.hole_density)),
                  *((f"mu, {name}s", energy_text(here.chemical_potential[name])) for name in ("electron", "hole"))]
    found += [("first pairs at", _volts(result.threshold)),
              ("pair alone", energy_text(result.exciton_energy)),
              ("jump of mu at n_e = n_h", energy_text(result.jump)),
              ("insulator over biases", _volts(result.bias_range)),
              ("its largest density", "" if result.largest_pair_density is None else
               _density(result.largest_pair_density)), ("caution", result.caution)]
    return [row for row in [*found, *interaction_rows(result), time_row(result)] if row[1]]


def _density(value: float) -> str:
    text = f"{value:.6g} a_h^-2"
    return f"{text} = {value.to('cm^-2'):.4g} cm^-2" if isinstance(value, Quantity) and value.scales.known else text


def _volts(value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Quantity) and value.scales.known:
        return f"{value.to('V'):.5g} V"
    return f"{value:.6g} Ha_h"
