"""The table of a result of kind "crystal"."""

from __future__ import annotations

from typing import Any

from ehbilayer.crystal.search import DOWNHILL
from ehbilayer.results.base import Result
from ehbilayer.studies.text import status_row, time_row

SWEPT = ("energy_per_hole",)  # what a sweep shows first


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    s = result.summary
    table = _scan_rows(s) if "transitions" in s else _crystal_rows(s)
    return [row for row in [status_row(result), *table, time_row(result)] if row[1]]


def _crystal_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    if s.get("energy_per_hole") is None:
        return []
    symmetry, cell, unit = s["symmetry"], s["symmetry"]["primitive_cell"], s["energy_unit"]
    rows = [("structure", str(s["structure"])),
            ("symmetry", f"layer group {symmetry['group']} (number {symmetry['number']}), "
             f"{symmetry['charges_per_primitive_cell']} charges per primitive cell"),
            ("energy/hole", f"{s['energy_per_hole']:.12f} {unit}"),
            ("primitive cell", f"{cell['a']:.8g} by {cell['b']:.8g} a_h, {cell['gamma_degrees']:.6f} degrees"),
            ("largest force", f"{s['max_force']:.1e} {s['force_unit']}, traceless stress per charge "
             f"{s['max_stress']:.1e} {unit}"),
            ("curvature", _curvature_text(s.get("lowest_curvature")))]
    if s.get("runner_up"):
        second = s["runner_up"]
        rows.append(("runner-up", f"{second['structure']}, {second['above']:.3e} {unit} above"))
    if len(s["starts"]) > 1:
        rows += [(f"minimum {i + 1}", f"{m['energy_per_hole']:.12f} {unit}  {m['structure']}, from {m['found']} of "
                  f"{len(s['starts'])} starts") for i, m in enumerate(s["minima"][:8])]
    return rows


def _curvature_text(value: float | None) -> str:
    if value is None:
        return ""
    return f"lowest {value:.3g} e^2/a^3 in this cell" + (
        ": a saddle, kept by its symmetry" if value < DOWNHILL else "")


def _scan_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [(f"{p['from']:.4f} .. {p['to']:.4f}", f"{p['structure']} ({p['group']})") for p in s["sequence"]]
    rows += [(f"a/d = {t['a_over_d']:.7f}", f"{t['below']} to {t['above']}, {t['order']}") for t in s["transitions"]]
    if s["starts"]:
        fewest = min(p["reached_it"] for p in s["starts"])
        rows.append(("searched", f"{sum(p['starts'] for p in s['starts'])} starts at {len(s['starts'])} values of a/d; "
                     f"each ground state was reached by {fewest} of its starts or more"))
    return rows
