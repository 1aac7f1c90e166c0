"""The table of a result of kind "phonons"."""

from __future__ import annotations

from typing import Any

from ehbilayer.results.base import Result
from ehbilayer.studies.text import energy_text, status_row, time_row

GROUP_NAMES = {"electron": "electrons", "hole": "holes", "dipole": "dipoles", "free_electron": "free electrons"}
SWEPT = ("energy_per_hole", "lindemann", "stable")  # what a sweep shows first


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    s, found = result.summary, [status_row(result)]
    if "energy_per_hole" not in s:  # stopped before it was at rest
        return [*found, time_row(result)]
    name, start = s.get("structure", ""), s.get("start")
    found.append(("structure", name + (f", from {start}" if start not in (None, name) else "")))
    found.append(("energy/hole", f"{s['energy_per_hole']:.10f} {s['energy_unit']}"))
    found.append(("Γ frequencies", f"{' '.join(f'{x:.6g}' for x in s['gamma_frequencies'])} {s['frequency_unit']}"))
    if "stable" in s:
        found += _zone_rows(s)
    found.append(("zero-point/hole", energy_text(s.get("zero_point_energy_per_hole"), s.get("units", {}))))
    found += [(GROUP_NAMES[name], _group_text(s, name)) for name in s.get("melting") or {}]
    if s.get("followed"):
        end = s["followed"]
        found.append(("leads to", f"{end['structure']}, {end['energy_per_hole']:.10f} {s['energy_unit']} per hole, "
                      f"{end['dipoles_per_hole']:g} dipoles per hole" + ("" if end["stable"] else ", not stable yet")))
    return [row for row in [*found, time_row(result)] if row[1]]


def _group_text(s: dict[str, Any], name: str) -> str:
    """Displacement and Lindemann ratio where hbar is known, and where the group melts at this shape."""
    text, ratio, point = "", s["lindemann"][name], s["melting"][name]
    if ratio is not None:
        text = (f"rms {s['rms_displacement'][name]:.5g} a_h, Lindemann {ratio:.4f}: "
                f"{'melt' if s['melts'][name] else 'solid'}; ")
    above = f"d = {point['spacing']:.5g}, a = {point['a']:.5g} a_h" if point["spacing"] else f"a = {point['a']:.5g} a_h"
    return f"{text}solid above {above} (threshold {s['threshold']:g})"


def _zone_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    found = [("stable", "yes, in the whole zone")]
    if not s["stable"]:
        at = ", ".join(f"{x:.4f}" for x in s["lowest_at"])
        found = [("stable", f"NO: {s['lowest_frequency']:.6g} {s['frequency_unit']} at q = ({at}) b")]
    sound, plasmon = s["sound"], s["plasmon"]
    text = f"slow branch {sound['slowest']:.5g} to {sound['fastest']:.5g} a_h Ha_h"
    if plasmon["expected"]:
        text += f"; plasmon ω²/q {plasmon['limit']:.6g}, expected {plasmon['expected']:.6g}"
    elif sound["longitudinal"] is not None:
        text += f"; fast branch {sound['longitudinal']:.5g}"
    return [*found, ("sound", text)]
