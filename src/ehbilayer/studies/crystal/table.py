"""The table of a result of kind "crystal"."""

from __future__ import annotations

from ehbilayer.crystal.result import CrystalResult, CrystalScanResult
from ehbilayer.crystal.search import DOWNHILL
from ehbilayer.studies.text import interaction_rows, status_row, time_row

SWEPT = ("energy_per_hole",)  # what a sweep shows first


def rows(result: CrystalResult | CrystalScanResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    table = _scan_rows(result) if isinstance(result, CrystalScanResult) else _crystal_rows(result)
    return [row for row in [status_row(result), *table, *interaction_rows(result), time_row(result)] if row[1]]


def _crystal_rows(r: CrystalResult) -> list[tuple[str, str]]:
    if r.energy_per_hole is None or r.symmetry is None:
        return []
    cell, unit = r.symmetry.primitive_cell, r.energy_unit
    rows = [("structure", str(r.structure)),
            ("symmetry", f"layer group {r.symmetry.group} (number {r.symmetry.number}), "
             f"{r.symmetry.charges_per_primitive_cell} charges per primitive cell"),
            ("energy/hole", f"{r.energy_per_hole:.12f} {unit}"),
            ("primitive cell", f"{cell.a:.8g} by {cell.b:.8g} a_h, {cell.gamma_degrees:.6f} degrees"),
            ("largest force", f"{r.max_force:.1e} {r.force_unit}, traceless stress per charge "
             f"{r.max_stress:.1e} {unit}"),
            ("curvature", _curvature_text(r.lowest_curvature))]
    if r.runner_up is not None:
        rows.append(("runner-up", f"{r.runner_up.structure}, {r.runner_up.above:.3e} {unit} above"))
    if len(r.starts) > 1:
        rows += [(f"minimum {i + 1}", f"{m.energy_per_hole:.12f} {unit}  {m.structure}, from {m.found} of "
                  f"{len(r.starts)} starts") for i, m in enumerate(r.minima[:8])]
    return rows


def _curvature_text(value: float | None) -> str:
    if value is None:
        return ""
    return f"lowest {value:.3g} e^2/a^3 in this cell" + (
        ": a saddle, kept by its symmetry" if value < DOWNHILL else "")


def _scan_rows(r: CrystalScanResult) -> list[tuple[str, str]]:
    rows = [(f"{p.low:.4f} .. {p.high:.4f}", f"{p.structure} ({p.group})") for p in r.sequence]
    rows += [(f"a/d = {t.a_over_d:.7f}", f"{t.below} to {t.above}, {t.order}") for t in r.transitions]
    if r.starts:
        fewest = min(p.reached_it for p in r.starts)
        rows.append(("searched", f"{sum(p.starts for p in r.starts)} starts at {len(r.starts)} values of a/d; "
                     f"each ground state was reached by {fewest} of its starts or more"))
    return rows
