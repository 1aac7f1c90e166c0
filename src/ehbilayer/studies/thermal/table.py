"""The table of a result of kind "thermal": up to which temperature, and what each number assumes."""

from __future__ import annotations

from ehbilayer.studies.text import energy_text, field_rows, status_row, temperature_text, time_row
from ehbilayer.thermal.result import Estimate, ThermalResult

SWEPT = ("bkt", "ionisation")  # what a sweep shows first


def rows(result: ThermalResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    found = [status_row(result), ("up to which temperature", "")]
    found += [(f"  {one.name}", estimate_text(one)) for one in result.estimates]
    found += [("exciton binding", energy_text(result.exciton_binding))]
    found += [(f"{name} binding", energy_text(value) or "not bound") for name, value in
              (result.trion_binding or {}).items()]
    found += field_rows(result.inputs.get("carriers", []), result.provenance.scales)
    found += [(f"{name} unbinds", f"at {times:.4g} times this field, where its raised carrier flips")
              for name, times in (result.trion_unbinding or {}).items()]
    here = result.here
    if here is not None:
        told = {"free carriers, ideal": here.degree, "free carriers, screened": here.degree_screened,
                "superfluid": here.superfluid_fraction}
        found += [("at", temperature_text(result.temperature)),
                  *((f"  {name}", f"{value:.4g}") for name, value in told.items() if value is not None)]
    return [row for row in [*found, time_row(result)] if row[1] or row[0].startswith("up to")]


def estimate_text(one: Estimate) -> str:
    """The temperature and what it assumes, or why there is none."""
    if one.temperature is None:
        return f"none ({one.assumption})"
    if one.error is None:
        return f"{temperature_text(one.temperature)} ({one.assumption})"
    return f"{temperature_text(one.temperature, 3)} +- {temperature_text(one.error, 2)} ({one.assumption})"
