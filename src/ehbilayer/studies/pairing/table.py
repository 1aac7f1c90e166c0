"""What `ehb run` and `ehb show` print of a pairing result."""

from __future__ import annotations

import math
from typing import Any

from ehbilayer.results.base import Result
from ehbilayer.studies.text import energy_text, status_row, time_row

NONADIABATIC = 0.3  # T_D/T_F above which theories that need slow plasmons are doubtful
SWEPT = ("critical_temperature", "alpha_squared", "lambda", "gap")  # what a sweep shows first


def rows(result: Result) -> list[tuple[str, str]]:
    """Label and text, of a point or of a map; empty lines left out."""
    s = result.summary
    if "alpha_squared" in s:
        found = _point(s)
    elif "points" in s:
        found = _map(s)
    else:
        found = []
    return [status_row(result), *(row for row in found if row[1]), time_row(result)]


def temperature_text(kelvin: float | None, hartree: float | None) -> str:
    """A temperature in K, or in T_H^e where the device is not known; empty for None."""
    if kelvin is not None:
        return f"{kelvin:.5g} K"
    return "" if hartree is None else f"{hartree:.5g} T_H^e"


def _point(s: dict[str, Any]) -> list[tuple[str, str]]:
    uncertain = "" if s["alpha_squared_uncertainty"] is None else f" +- {s['alpha_squared_uncertainty']:.2g}"
    inside = f"phase {s['phase']}" if s["phase"] else f"r_s* = {s['rs_star']:g}"
    found = [("phase", f"{'inside' if s['in_el_hc'] else 'NOT inside'} electron liquid on hole crystal: r_s "
                       f"{s['rs_electron']:.5g} (electrons), {s['rs_hole']:.5g} (holes), {inside}"),
             ("alpha^2", f"{s['alpha_squared']:.6g}{uncertain}, from {s['alpha_source']}")]
    if s["g0V"] is None:
        return [*found, ("T_c", f"none: {s['reason']}")]
    found += [("couplings", f"lambda {s['lambda']:.5f}, mu {s['mu']:.5f}, mu* {s['mu_star']:.5f}, "
                            f"g0V {s['g0V']:.5f}"),
              ("Debye", temperature_text(s["debye_temperature"], s["debye_over_hartree"])
               + f", {s['debye_over_fermi']:.3g} of the Fermi temperature"),
              ("T_c", temperature_text(s["critical_temperature"], s["tc_over_hartree"]) + f" ({s['method']}), "
               f"{s['tc_over_hartree']:.5g} T_H^e" + (f"; {s['reason']}" if s["reason"] else ""))]
    found += [(f"  {m}", temperature_text(s["by_method"][m], t)) for m, t in s["by_method_over_hartree"].items()]
    found.append(("at most", temperature_text(s["strong_coupling_bound"], s["strong_coupling_bound_over_hartree"])
                  + " for any alpha: 0.1827 sqrt(lambda <w^2>)"))
    if s.get("gap") is not None:
        found.append(("gap", energy_text(s["gap"], s.get("units", {})) + f", 2 gap/k_B T_c = {s['gap_ratio']:.4f}"))
    return found + _doubts(s)


def _doubts(s: dict[str, Any]) -> list[tuple[str, str]]:
    """Error band, spread between readings of the line, sensitivities, cautions."""
    found = []
    if s["band"]:
        ends = s["band"]
        found.append(("band", temperature_text(ends["low"], ends["low_over_hartree"]) + " to "
                      + temperature_text(ends["high"], ends["high_over_hartree"])
                      + (", or no plasmon at all" if ends["reaches_instability"] else "")))
    found += [("  or", f"{temperature_text(x['critical_temperature'], x['tc_over_hartree'])} with alpha^2 = "
                       f"{x['alpha_squared']:.4g} ({x['alpha_squared_from']})") for x in s["spread"]]
    if s["sensitivities"]:
        found.append(("dlnT_c/dln", ", ".join(f"{k.replace('_', ' ')} {v:.3g}" for k, v in s["sensitivities"].items()
                                              if v is not None)))
    if s["debye_over_fermi"] > NONADIABATIC:
        found.append(("caution", "plasmons are not slow against the electrons"))
    if s["method"] == "bcs" and s["lambda"] > 0.5:
        found.append(("caution", "BCS is a weak-coupling formula; see eliashberg"))
    return found


def _map(s: dict[str, Any]) -> list[tuple[str, str]]:
    found = [("points", f"{s['done']} of {s['points']}, method {s['method']}, alpha^2 from {s['alpha_source']}"),
             ("unstable", f"{100 * s['share_unstable']:.3g} % of the map has alpha^2 <= 0")]
    if s["highest"]:
        h = s["highest"]
        found.append(("highest T_c", f"{temperature_text(h['critical_temperature'], h['tc_over_hartree'])} = "
                      f"{h['tc_over_hartree']:.5g} T_H^e at r_s = {h['rs_electron']:.5g}, d = "
                      f"{h['spacing_over_a_e']:.4g} a_e"))
    share = s["share_superconducting"]
    if share is not None and math.isfinite(share):
        found.append(("pairs", f"{100 * share:.3g} % of the map"))
    return found
