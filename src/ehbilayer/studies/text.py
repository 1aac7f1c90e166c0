"""Numbers and devices in words, the same in every table and plan."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ehbilayer.results.quantity import Quantity

if TYPE_CHECKING:
    from ehbilayer.results.base import Result
    from ehbilayer.units import Scales


def device_lines(material: str | None, scales: Scales) -> list[str]:
    """Plan lines that name the device and its units, as far as they are known."""
    values = [f"{label} {value:g}" for label, value in (("m_e", scales.electron_mass), ("m_h", scales.hole_mass),
                                                        ("dielectric", scales.dielectric)) if value is not None]
    named = [material] if material else []
    lines = [f"  device     {', '.join(named + values)}"] if named or values else []
    if scales.known:
        lines.append(f"  units      a_h = {scales.bohr_radius_nm:.4g} nm, Ha_h = {scales.hartree_meV:.4g} meV = "
                     f"{scales.hartree_kelvin:.4g} K")
    return lines


def rough_time(seconds: float) -> str:
    """An order of magnitude in words."""
    for limit, unit, size in ((90, "s", 1), (5400, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"about {max(seconds / size, 0.1):.1g} {unit}" if seconds < 10 * size else \
                f"about {seconds / size:.0f} {unit}"
    return f"about {seconds / 86400:.0f} days"


def plus_minus(value: float | None, error: float | None, digits: int = 6) -> str:
    """A number with its error, which too short a run does not know; nothing for none."""
    if value is None or error is None or not math.isfinite(error):
        return "" if value is None else f"{value:.{digits}f} (error not known)"
    return f"{value:.{digits}f} +- {error:.{digits}f}"


def status_row(result: Result) -> tuple[str, str]:
    """Status, with advice unless all is well: that of the method where it knows better."""
    if result.status.value == "converged":
        return "status", result.status.value
    return "status", f"{result.status.value} ({result.advice or result.status.advice})"


def interaction_rows(result: Result) -> list[tuple[str, str]]:
    """What screens the interaction of a result, and that v(0) between gates is no convention; nothing for Coulomb's."""
    told = result.inputs.get("interaction")
    if not isinstance(told, dict) or told.get("name") != "screened":
        return []
    words = [f"dielectric constants {told['dielectric_in_plane']:g} and {told['dielectric_out_of_plane']:g}"]
    words += [f"{label} {told[key]:.4g} a_h" for label, key in (
        ("gate above", "gate_top"), ("gate below", "gate_bottom"), ("sheet of the electrons", "sheet_electron"),
        ("of the holes", "sheet_hole"), ("layers as thick as", "layer_thickness")) if told[key]]
    words += ["v(0) is finite and in every term, the capacitor with it"] if told["finite_v0"] else []
    return [("interaction", ", ".join(words))]


def potential_text(told: Mapping[str, Any], scales: Scales) -> str:
    """An external potential, from what a result says of it: its lattice, period and amplitudes."""
    period = told["period"]
    real = f" = {scales.length_nm(period):.4g} nm" if scales.known else ""
    own = {f"{name}s": sign * told["depth"] if told[key] is None else told[key]
           for name, key, sign in (("electron", "depth_electron", -1), ("hole", "depth_hole", 1))}
    felt = ", ".join(f"{name} {v:.6g} Ha_h" for name, v in own.items() if v) or "nobody"
    return f"{told['lattice']}, period {period:.6g} a_h{real}, V of {felt}, phase {told['phase']:g} degrees"


def potential_rows(result: Result) -> list[tuple[str, str]]:
    """The external potential of a result, and that it is stretched where the area changes; nothing without."""
    told = result.inputs.get("potential")
    if not isinstance(told, dict):
        return []
    return [("potential", f"{potential_text(told, result.provenance.scales)}; pressure with as many cells in the box")]


def field_rows(carriers: Sequence[Mapping[str, Any]], scales: Scales) -> list[tuple[str, str]]:
    """By how much a field splits the flavours of carriers that a result tells of, and that it does nothing else."""
    split = [(c["name"], float(c["splitting"])) for c in carriers if c.get("splitting")]
    if not split:
        return []
    words = [f"{name}s split by g mu_B B = {value:.6g} Ha_h"
             + (f" = {value * scales.hartree_meV:.4g} meV" if scales.known else "") for name, value in split]
    return [("field", f"{', '.join(words)}; it shifts flavours and has no effect on orbits")]


def time_row(result: Result) -> tuple[str, str]:
    """How long it took, and on what."""
    return "time", f"{result.provenance.wall_seconds:.1f} s, {result.provenance.backend}"


def error_text(value: float | None) -> str:
    """An error to two digits."""
    return "unknown" if value is None else f"{value:.1e}"


def energy_text(value: float | None, units: dict[str, Any] | None = None, digits: int = 10) -> str:
    """An energy in Ha_h with so many ``digits``, and in meV and K where the units are known; empty for None and NaN."""
    if value is None or math.isnan(value):
        return ""
    text, fewer = f"{value:.{digits}g} Ha_h", min(digits, 5)
    if isinstance(value, Quantity) and value.scales.known:
        return text + f" = {value.to('meV'):.{fewer}g} meV = {value.to('K'):.{fewer}g} K"
    if units and "Ha_h_meV" in units:
        text += f" = {value * units['Ha_h_meV']:.5g} meV = {value * units['Ha_h_kelvin']:.5g} K"
    return text


def temperature_text(value: float, digits: int = 4) -> str:
    """In K where the units are known, else k_B T in Ha_h."""
    if isinstance(value, Quantity) and value.scales.known:
        return f"{value.to('K'):.{digits}g} K"
    return f"k_B T = {float(value):.{digits + 2}g} Ha_h"
