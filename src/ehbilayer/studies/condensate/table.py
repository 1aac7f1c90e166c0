"""The table of a result of kind "condensate"."""

from __future__ import annotations

from ehbilayer.condensate.result import CondensateResult, PlaneCondensateResult, TorusCondensateResult
from ehbilayer.studies.text import (
    energy_text,
    error_text,
    field_rows,
    interaction_rows,
    status_row,
    temperature_text,
    time_row,
)

SWEPT = ("energy_per_particle", "gap")  # what a sweep shows first


def rows(result: CondensateResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    total = result.total_energy if isinstance(result, TorusCondensateResult) else None
    energies = {"energy": total, "energy/pair": result.energy_per_pair, "one exciton": result.exciton_energy,
                "normal state": result.normal_energy_per_pair, "chemical potential": result.chemical_potential,
                "largest gap": result.max_gap, "unscreened gap": result.unscreened_gap,
                "pair breaking": result.pair_breaking_energy}
    warm = {"free energy": result.free_energy_per_pair, "normal free energy": result.normal_free_energy_per_pair}
    heat = "" if result.temperature is None else temperature_text(result.temperature)
    closing = "" if result.gap_closing is None else f"{temperature_text(result.gap_closing)}: mean field pairs no more"
    size = "" if result.pair_size is None else f"{result.pair_size:.6g} a_h"
    rows = [status_row(result), ("phase", result.phase), ("density", f"{result.density:.8g} a_h^-2"),
            ("temperature", heat), *((label, energy_text(value)) for label, value in (energies | warm).items()),
            ("entropy/pair", "" if result.entropy_per_pair is None else f"{result.entropy_per_pair:.6g} k_B"),
            ("gap closes at", closing),
            ("condensate", f"{result.condensate_fraction:.6f} of the pairs; occupations up to "
                           f"{result.max_occupation:.6f}"), ("pair size", size), *_density_rows(result),
            ("residual", f"{result.residual:.1e} Ha_h after {result.iterations} field evaluations"),
            _accuracy_row(result), *interaction_rows(result), *_field_rows(result), time_row(result)]
    return [row for row in rows if row[1]]


def _density_rows(result: CondensateResult) -> list[tuple[str, str]]:
    """Whether E(n) curves downwards here, and what coexists."""
    curves = {True: "concave here: this density is unstable against separation", False: "convex here", None: ""}
    found = [("energy density", curves[result.concave])]
    for c in result.coexistence or ():
        found.append(("coexistence", f"{c.low:.6g} and {c.high:.6g} a_h^-2 at {c.chemical_potential:.10g} Ha_h per "
                                     "pair; the density jumps there"))
    if result.separates:
        found.append(("caution", "not a ground state: it separates into the two densities above"))
    if result.pair_breaking_energy < 0:
        found.append(("caution", "unpaired carriers would lower the energy"))
    return found


def _field_rows(result: CondensateResult) -> list[tuple[str, str]]:
    """The field, how the ground state's pairs divide among flavours in it, and which one polarises them."""
    found, told = field_rows(result.inputs.get("carriers", []), result.provenance.scales), result.in_field
    if told is None:
        return found
    shares = " : ".join(f"{n / result.density:.4g}" for n in told.flavour_densities)
    times = f", {told.polarising / told.splitting:.4g} times this field" if told.polarising else ""
    return [*found, ("lowest", f"{energy_text(told.energy_per_pair)} per pair, shared by flavours as {shares}"),
            ("polarised from", f"a splitting of {energy_text(told.polarising)}{times}")]


def _accuracy_row(result: CondensateResult) -> tuple[str, str]:
    if isinstance(result, PlaneCondensateResult):
        return "mesh", f"{result.mesh_points} wave numbers, error {error_text(result.mesh_error)} Ha_h per pair"
    assert isinstance(result, TorusCondensateResult)
    error = "" if result.basis_error is None else f", error {result.basis_error:.1e} Ha_h in all"
    beyond = f", {result.beyond_basis:.1e} from the infinite plane beyond them" if result.beyond_basis else ""
    return "basis", (f"{result.basis_size} plane waves{beyond}{error}, zero mode {result.zero_mode}, edge occupation "
                     f"{result.edge_occupation:.1e}")
