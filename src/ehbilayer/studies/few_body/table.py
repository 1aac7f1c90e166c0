"""The table of a result of kind "few-body"."""

from __future__ import annotations

from typing import Any

from ehbilayer.results.base import Result
from ehbilayer.studies.text import energy_text, error_text, status_row, time_row

SWEPT = ("binding_energy",)  # what a sweep shows first


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    s, units = result.summary, result.summary.get("units", {})
    name = title(s["complex_name"], s.get("spin"))
    out = [status_row(result), ("complex", f"{name}, L = {s.get('angular_momentum')}")]
    if s.get("find") == "critical-spacing":
        return [*out, *_critical_rows(s), time_row(s)]
    if s.get("spacings"):
        return [*out, *_scan_rows(s), time_row(s)]
    for label, key in (("energy", "energy"), ("threshold", "threshold"), ("binding energy", "binding_energy"),
                       ("uncertainty", "uncertainty")):
        out.append((label, energy_text(s.get(key), units)))
    out.append(("bound", _bound_text(s)))
    distances = [f"{pair} {value:.6g}" for pair, value in (s.get("distances") or {}).items() if value is not None]
    out.append(("distances", f"{', '.join(distances)} a_h" if distances else ""))
    if s.get("reach") is not None:
        out.append(("basis", f"{s.get('functions')} Gaussians, up to {s['reach']:.4g} a_h wide"))
    return [row for row in [*out, time_row(s)] if row[1]]


def _bound_text(s: dict[str, Any]) -> str:
    if s.get("bound") is None:
        return (f"not decided: the basis resolves bindings above {error_text(s.get('resolution'))} Ha_h; raise "
                "max_functions or lower the tolerance")
    if s["bound"]:
        return "yes"
    return f"no: no state bound by more than {error_text(s.get('resolution'))} Ha_h"


def _scan_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    words = {True: "bound", False: "no binding above the uncertainty", None: "not decided"}
    out = []
    if s.get("critical_spacing") is not None:
        error = error_text(s.get("critical_spacing_uncertainty"))
        out.append(("d_c", f"{s['critical_spacing']:.6g} a_h, uncertainty {error}, extrapolated from these points"))
    return out + [(f"d = {d:.6g} a_h", "not computed" if e is None else
                   f"binding {e:+.6e} Ha_h, uncertainty {error_text(u)}, {words[b]}")
                  for d, e, u, b in zip(s["spacings"], s["binding_energies"], s["uncertainties"], s["bound_at"],
                                        strict=True)]


def _critical_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    out = []
    columns = [s[k] for k in ("mass_ratios", "critical_spacings", "critical_spacing_uncertainties", "reasons")]
    for ratio, value, error, reason in zip(*columns, strict=True):
        text = (reason or "not found") if value is None else (
            f"d_c = {value:.6g} a_h, uncertainty {error_text(error)}")
        out.append((f"m_e/m_h = {ratio:g}", text))
    if s.get("critical_spacing_nm") is not None:
        out.append(("critical spacing", f"{s['critical_spacing_nm']:.5g} nm"))
    return out


def title(name: str, spin: str | None) -> str:
    """The complex in words, e.g. "trion X-, singlet"."""
    words = {"exciton": "exciton", "trion-": "trion X-", "trion+": "trion X+", "biexciton": "biexciton"}[name]
    return f"{words}, {spin}" if spin else words
