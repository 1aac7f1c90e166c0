"""The table of a result of kind "hartree-fock"."""

from __future__ import annotations

from typing import Any

from ehbilayer.results.base import Result
from ehbilayer.studies.text import energy_text, error_text, status_row, time_row

SWEPT = ("energy_per_particle", "gap")  # what a sweep shows first


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    s, units = result.summary, result.summary.get("units", {})
    rows = [status_row(result)]
    if s.get("phase"):
        rows.append(("phase", str(s["phase"])))
    rows += [(label, energy_text(s.get(key), units)) for label, key in (("energy", "energy"),
                                                                    ("energy/particle", "energy_per_particle"))]
    for key, label in (("gap", "gap"), ("fermi_energy", "Fermi energy")):
        rows += [(f"{label}, {name}s", energy_text(v, units)) for name, v in (s.get(key) or {}).items()
                 if v is not None]
    if s.get("pressure") is not None:
        rows.append(("pressure", f"{s['pressure']:.8g} Ha_h/a_h^2"))
    if s.get("residual") is not None:
        rows.append(("residual", f"{s['residual']:.1e} after {s.get('iterations')} iterations"))
    error = f", error {s['basis_error']:.1e} Ha_h" if s.get("basis_error") is not None else ""
    rows.append(("basis", f"{s.get('basis_size')} plane waves{error}, zero mode {s.get('zero_mode')}, edge occupation "
                          f"{error_text(s.get('edge_occupation'))}"))
    rows += [(f"variance, {name}s", f"{v:.5g}") for name, v in (s.get("momentum_variance") or {}).items()
             if v is not None]
    rows += _caution_rows(s)
    return [row for row in [*rows, time_row(result), *_start_rows(s)] if row[1]]


def _caution_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    """How the energy curves, and what a reader of the numbers must not overlook."""
    rows, stability = [], s.get("stability") or {}
    found = [f"{stability[key]:+.2g} {word}" for key, word in (("within_kept_symmetry", "within"), ("beyond", "beyond"))
             if stability.get(key) is not None]
    held = " and ".join(stability.get("held") or []) or "no symmetry"
    if found:
        rows.append(("curvature", f"{', '.join(found)} {held} (Ha_h)"))
    if stability.get("minimum") is False:
        rows.append(("caution", f"not a minimum even with {held} held"))
    if s.get("aufbau") is False:
        rows.append(("caution", "an empty level lies below a filled one: another filling may have less energy"))
    return rows


def _start_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    """Every start and where it ended, when there were several."""
    starts = s.get("starts") or []
    if len(starts) < 2:
        return []
    return [(f"start {i + 1}", f"{x.get('energy') if x.get('energy') is not None else float('nan'):.10f} Ha_h  "
             f"{x.get('status')}  {x.get('phase') or ''}") for i, x in enumerate(starts)]
