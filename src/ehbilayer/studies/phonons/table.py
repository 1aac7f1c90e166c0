"""The table of a result of kind "phonons"."""

from __future__ import annotations

from ehbilayer.phonons.result import MeltingPoint, PhononsResult
from ehbilayer.studies.text import energy_text, interaction_rows, status_row, time_row

GROUP_NAMES = {"electron": "electrons", "hole": "holes", "dipole": "dipoles", "free_electron": "free electrons"}
SWEPT = ("energy_per_hole", "lindemann", "stable")  # what a sweep shows first


def rows(result: PhononsResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    r, found = result, [status_row(result)]
    if r.energy_per_hole is None:  # stopped before it was at rest
        return [*found, time_row(r)]
    found.append(("structure", str(r.structure) + (f", from {r.start}" if r.start not in (None, r.structure) else "")))
    found.append(("energy/hole", f"{r.energy_per_hole:.10f} {r.energy_unit}"))
    found.append(("Γ frequencies", f"{' '.join(f'{x:.6g}' for x in r.gamma_frequencies)} {r.frequency_unit}"))
    if r.stable is not None:
        found += _zone_rows(r)
    found.append(("zero-point/hole", energy_text(r.zero_point_energy_per_hole)))
    melting = r.melting or {}
    groups = melting or [name for name, ratio in (r.lindemann or {}).items() if ratio is not None]
    found += [(GROUP_NAMES[name], _group_text(r, name, melting.get(name))) for name in groups]
    if (end := r.followed) is not None:
        found.append(("leads to", f"{end.structure}, {end.energy_per_hole:.10f} {r.energy_unit} per hole, "
                      f"{end.dipoles_per_hole:g} dipoles per hole" + ("" if end.stable else ", not stable yet")))
    return [row for row in [*found, *interaction_rows(r), time_row(r)] if row[1]]


def _group_text(r: PhononsResult, name: str, point: MeltingPoint | None) -> str:
    """Displacement and Lindemann ratio where hbar is known, and where the group melts at this shape."""
    text, ratio, size = "", (r.lindemann or {}).get(name), (r.rms_displacement or {}).get(name)
    if ratio is not None:
        state = "melt" if (r.melts or {})[name] else "solid"
        text = f"rms {size:.5g} a_h, Lindemann {ratio:.4f}: {state}; "
    if point is None:
        return f"{text}threshold {r.threshold:g}"
    above = f"d = {point.spacing:.5g}, a = {point.a:.5g} a_h" if point.spacing else f"a = {point.a:.5g} a_h"
    return f"{text}solid above {above} (threshold {r.threshold:g})"


def _zone_rows(r: PhononsResult) -> list[tuple[str, str]]:
    found = [("stable", "yes, in the whole zone")]
    if not r.stable and r.lowest_at is not None:
        at = ", ".join(f"{x:.4f}" for x in r.lowest_at)
        found = [("stable", f"NO: {r.lowest_frequency:.6g} {r.frequency_unit} at q = ({at}) b")]
    if r.sound is None or r.plasmon is None:
        return found
    text = f"slow branch {r.sound.slowest:.5g} to {r.sound.fastest:.5g} a_h Ha_h"
    if r.plasmon.expected:
        text += f"; plasmon ω²/q {r.plasmon.limit:.6g}, expected {r.plasmon.expected:.6g}"
    elif r.sound.longitudinal is not None:
        text += f"; fast branch {r.sound.longitudinal:.5g}"
    return [*found, ("sound", text)]
