"""The table of a result of kind "compressibility"."""

from __future__ import annotations

from typing import Any

from ehbilayer.results.base import Result
from ehbilayer.studies.text import energy_text, error_text, status_row, time_row

SWEPT = ("energy", "alpha_squared", "stable")  # what a sweep shows first


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    s, units = result.summary, result.summary.get("units", {})
    if s["alpha_squared"] is None:  # numbers overflowed
        return [status_row(result), ("alpha^2", "none"), time_row(result)]
    value = f"{s['alpha_squared']:+.5f} +- {error_text(s['uncertainty'])}"
    where = "for infinitely many particles" if s["extrapolated"] else f"on this torus, zero mode {s['zero_mode']}"
    found = [status_row(result), ("alpha^2", f"{value} {where}")]
    if s["stable"]:
        real = f" = {s['velocity_m_per_s']:.4g} m/s" if s.get("velocity_m_per_s") is not None else ""
        found += [("alpha", f"{s['alpha']:.5f}"), ("plasmon velocity", f"{s['velocity']:.6g} a_h Ha_h{real}")]
    else:
        found.append(("caution", "alpha^2 < 0: unstable, no acoustic mode at this level"))
    if s["capacitor_shift"]:
        found.append(("capacitor", f"{s['with_capacitor']:+.5f} with the geometric energy, "
                                   f"{s['without_capacitor']:+.5f} without"))
    found += [("bulk modulus", f"{s['bulk_modulus']:.6g} Ha_h/a_h^2"), ("pressure", f"{s['pressure']:.6g} Ha_h/a_h^2"),
              ("state", _state_text(s["state"])), *_symmetric_row(s), ("energy", energy_text(s["energy"], units)),
              ("routes", ", ".join(f"{k} {v:+.7f}" for k, v in s["methods"].items())),
              ("parts", ", ".join(f"{k.replace('_', ' ')} {v:+.5f}" for k, v in s["parts"].items()))]
    found += [(f"{r['particles']} particles", f"none {r['none']:+.5f}, madelung {r['madelung']:+.5f}"
               + (f", without the gas' own error {r['corrected']:+.5f}" if r["gas"] is not None else "")
               + ("" if r["status"] == "converged" else f", {r['status']}")) for r in s["by_size"]]
    return [*found, *_lattice_rows(s),
            ("errors", f"basis {error_text(s['basis_error'])} ({s['basis_size']} plane waves), solver "
                       f"{error_text(s['solver_error'])}"), time_row(result)]


def _state_text(state: dict[str, Any]) -> str:
    kept = "translations of the crystal kept" if state["kept"] == "symmetric" else "the whole box free"
    shell = ", an open shell filled equally" if state["open_shell"] else ""
    return f"{state['phase']}, {kept}, occupation {state['occupation']}{shell}"


def _symmetric_row(s: dict[str, Any]) -> list[tuple[str, str]]:
    if s["symmetric"] is None:
        return []
    return [("symmetric state", f"alpha^2 {s['symmetric']['alpha_squared']:+.5f}, "
                                f"{s['symmetric']['energy_above']:.6g} Ha_h higher")]


def _lattice_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    """The independent route."""
    return [(f"phonons, {label}", f"B/B_0 {x['bulk']:+.4f} with the capacitor, {x['bulk_without_capacitor']:+.4f} "
                                  f"without; shear {x['transverse']:+.4f}")
            for name, label in (("none", "RPA"), ("exchange", "exchange"))
            for x in [(s["lattice"] or {}).get(name)] if x is not None]
