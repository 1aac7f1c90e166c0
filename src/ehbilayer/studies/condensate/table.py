"""The table of a result of kind "condensate"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ehbilayer.results.base import Result
from ehbilayer.studies.text import energy_text, status_row, time_row

if TYPE_CHECKING:
    pass


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    s, units = result.summary, result.summary.get("units", {})
    rows = [status_row(result), ("phase", str(s["phase"])), ("density", f"{s['density']:.8g} a_h^-2"),
            ("energy", energy_text(s.get("energy"), units))]
    told = {"energy/pair": "energy_per_pair", "one exciton": "exciton_energy", "normal state": "normal_energy_per_pair",
            "chemical potential": "chemical_potential", "largest gap": "max_gap",
            "pair breaking": "pair_breaking_energy"}
    rows += [(label, energy_text(s.get(key), units)) for label, key in told.items()]
    rows += [("condensate", f"{s['condensate_fraction']:.6f} of the pairs; occupations up to "
                            f"{s['max_occupation']:.6f}"),
             ("pair size", f"{s['pair_size']:.6g} a_h" if s.get("pair_size") is not None else ""),
             *_density_rows(s), ("residual", f"{s['residual']:.1e} Ha_h after {s['iterations']} field evaluations"),
             _accuracy_row(s), time_row(result)]
    return [row for row in rows if row[1]]


def _density_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    """Whether E(n) curves downwards here, and what coexists."""
    curves = {True: "concave here: this density is unstable against separation", False: "convex here"}
    found = [("energy density", curves.get(s["concave"], ""))]
    for c in s.get("coexistence") or []:
        found.append(("coexistence", f"{c['low']:.6g} and {c['high']:.6g} a_h^-2 at {c['chemical_potential']:.10g} "
                                     "Ha_h per pair; the density jumps there"))
    if s.get("separates"):
        found.append(("caution", "not a ground state: it separates into the two densities above"))
    if s.get("pair_breaking_energy", 0) < 0:
        found.append(("caution", "unpaired carriers would lower the energy"))
    return found


def _accuracy_row(s: dict[str, Any]) -> tuple[str, str]:
    if "mesh_points" in s:
        return "mesh", f"{s['mesh_points']} wave numbers, error {s['mesh_error']:.1e} Ha_h per pair"
    error = f", error {s['basis_error']:.1e} Ha_h in all" if s.get("basis_error") is not None else ""
    return "basis", (f"{s['basis_size']} plane waves{error}, zero mode {s['zero_mode']}, edge occupation "
                     f"{s['edge_occupation']:.1e}")
