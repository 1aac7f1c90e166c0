"""The table of a result of kind "hartree-fock"."""

from __future__ import annotations

from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.studies.text import (
    energy_text,
    error_text,
    field_rows,
    interaction_rows,
    potential_rows,
    status_row,
    temperature_text,
    time_row,
)

SWEPT = ("energy_per_particle", "gap")  # what a sweep shows first


def rows(result: HartreeFockResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    pressure = "" if result.pressure is None else f"{result.pressure:.8g} Ha_h/a_h^2"
    error = "" if result.basis_error is None else f", error {result.basis_error:.1e} Ha_h"
    rows = [status_row(result), ("phase", result.phase), ("energy", energy_text(result.total_energy)),
            ("energy/particle", energy_text(result.energy_per_particle)), *_warm_rows(result),
            *((f"gap, {name}s", energy_text(v)) for name, v in result.gap.items()),
            *((f"Fermi energy, {name}s", energy_text(v)) for name, v in result.fermi_energy.items()),
            *_pair_rows(result), ("pressure", pressure),
            ("residual", f"{result.residual:.1e} after {result.iterations} iterations"),
            ("basis", f"{result.basis_size} plane waves{error}, zero mode {result.zero_mode}, edge occupation "
                      f"{error_text(result.edge_occupation)}"),
            *((f"variance, {name}s", f"{v:.5g}") for name, v in result.momentum_variance.items() if v is not None),
            *_limit_rows(result), *_caution_rows(result), *interaction_rows(result), *potential_rows(result),
            *field_rows(result.inputs.get("species", []), result.provenance.scales), time_row(result),
            *_start_rows(result)]
    return [row for row in rows if row[1]]


def _warm_rows(result: HartreeFockResult) -> list[tuple[str, str]]:
    """What a temperature adds."""
    if result.temperature is None:
        return []
    return [("temperature", f"{temperature_text(result.temperature)}: occupations of Fermi, gaps of the levels at it"),
            ("free energy/particle", energy_text(result.free_energy_per_particle)),
            *((f"entropy, {name}s", f"{value:.6g} k_B per particle") for name, value in result.entropy.items()
              if value is not None),
            *((f"mu, {name}s", energy_text(value)) for name, value in (result.chemical_potential or {}).items())]


def _pair_rows(result: HartreeFockResult) -> list[tuple[str, str]]:
    """Condensate, crystal order and what follows from both, where pairing was asked for."""
    if result.condensate_fraction is None:
        return []
    found = [("condensate", f"{result.condensate_fraction:.6g} of the pairs"),
             ("Bragg weights", ", ".join(f"{name}s {v:.4g}" for name, v in result.bragg.items() if v is not None)),
             ("pair breaking", energy_text(result.quasiparticle_gap)),
             ("mu of a pair", energy_text(result.pair_chemical_potential))]
    if result.pair_momentum is not None and any(result.pair_momentum):
        found.append(("pair momentum", ", ".join(f"{q:.6g}" for q in result.pair_momentum) + " 1/a_h"))
    if result.stiffness is not None and result.bkt is not None:
        found.append(("stiffness", f"{result.stiffness:.6g} Ha_h, k_B T_BKT {energy_text(result.bkt)}"))
    if result.pairing_curvature is not None:
        found.append(("towards pairs", f"curvature {result.pairing_curvature:+.3g} Ha_h" + (
            ": a saddle, excitons would condense" if result.pairing_curvature < 0 else "")))
    return found


def _limit_rows(result: HartreeFockResult) -> list[tuple[str, str]]:
    """Energy and gaps for infinitely many particles, and the sizes that they are from."""
    if result.limit is None:
        return []
    limit = result.limit
    found = [("energy/particle", limit.energy_per_particle, limit.energy_uncertainty)]
    found += [(f"gap, {name}s", gap, limit.gap_uncertainty[name]) for name, gap in limit.gap.items()]
    sizes = [(f"{row.particles} particles", f"{row.energy_per_particle:.8g} Ha_h per particle, {row.phase}, "
              f"{row.status.value}") for row in limit.by_size]
    return [(f"{label}, N to infinity", f"{value:.8g} +- {error_text(doubt)} Ha_h")
            for label, value, doubt in found if value is not None] + sizes


def _caution_rows(result: HartreeFockResult) -> list[tuple[str, str]]:
    """How the energy curves, and what a reader of the numbers must not overlook."""
    rows, stability = [], result.stability
    found = [f"{value:+.2g} {word}" for value, word in ((stability.within_kept_symmetry, "within"),
                                                        (stability.beyond, "beyond")) if value is not None]
    held = " and ".join(stability.held) or "no symmetry"
    if found:
        rows.append(("curvature", f"{', '.join(found)} {held} (Ha_h)"))
    if stability.minimum is False:
        rows.append(("caution", f"not a minimum even with {held} held"))
    if not result.aufbau:
        rows.append(("caution", "an empty level lies below a filled one: another filling may have less energy"))
    return rows


def _start_rows(result: HartreeFockResult) -> list[tuple[str, str]]:
    """Every start and where it ended, when there were several."""
    if len(result.starts) < 2:
        return []
    return [(f"start {i + 1}", f"{row.energy:.10f} Ha_h  {row.status}  {row.phase}")
            for i, row in enumerate(result.starts)]
