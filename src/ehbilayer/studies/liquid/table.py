"""The table of a result of kind "liquid"."""

from __future__ import annotations

from ehbilayer.liquid.result import LiquidResult
from ehbilayer.studies.text import energy_text, field_rows, interaction_rows, status_row, temperature_text, time_row

SWEPT = ("energy_per_hole", "alpha_squared")  # what a sweep shows first


def rows(result: LiquidResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    found = [status_row(result), ("energy/hole", energy_text(result.energy_per_hole)),
             ("energy/particle", energy_text(result.energy_per_particle))]
    for name, spin in result.spin.items():
        gain = result.polarization_energy[name]
        told = f"; polarised less restricted {energy_text(gain)}" if gain else ""
        found += [(f"{name}s", f"{spin}{told}"),
                  (f"mu, {name}s", energy_text(result.chemical_potential[name])),
                  (f"alpha^2, {name}s", f"{result.alpha_squared[name]:.6g}")]
        held = [n for n in result.flavour_densities.get(name) or () if n]
        if spin == "partial":
            found.append((f"flavours, {name}s", ", ".join(f"{n:.6g}" for n in held) + " a_h^-2, others empty"))
        if result.entropy is not None:
            found.append((f"entropy, {name}s", f"{result.entropy[name]:.6g} k_B per particle"))
    if result.temperature is not None:
        found.insert(1, ("temperature", f"{temperature_text(result.temperature)}: energies are free energies"))
    return [*found, *field_rows(result.inputs.get("carriers", []), result.provenance.scales),
            *interaction_rows(result), time_row(result)]
