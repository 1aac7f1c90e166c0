"""The table of a result of kind "few-body"."""

from __future__ import annotations

from ehbilayer.few_body.result import ComplexResult, CriticalSpacingResult, FewBodyResult, SpacingScanResult
from ehbilayer.results.quantity import Quantity
from ehbilayer.studies.text import energy_text, error_text, status_row, time_row

SWEPT = ("binding_energy",)  # what a sweep shows first


def rows(result: FewBodyResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    name = title(result.complex_name, result.spin)
    head = [status_row(result), ("complex", f"{name}, L = {result.angular_momentum}")]
    if isinstance(result, CriticalSpacingResult):
        return [*head, *_critical_rows(result), time_row(result)]
    if isinstance(result, SpacingScanResult):
        return [*head, *_scan_rows(result), time_row(result)]
    assert isinstance(result, ComplexResult)
    return [row for row in [*head, *_state_rows(result), time_row(result)] if row[1]]


def _state_rows(result: ComplexResult) -> list[tuple[str, str]]:
    energies = {"energy": result.total_energy, "threshold": result.threshold, "binding energy": result.binding_energy,
                "uncertainty": result.uncertainty}
    distances = ", ".join(f"{pair} {value:.6g}" for pair, value in vars(result.distances).items() if value is not None)
    basis = "" if result.reach is None else f"{result.functions} Gaussians, up to {result.reach:.4g} a_h wide"
    return [*((label, energy_text(value)) for label, value in energies.items()), ("bound", _bound_text(result)),
            ("distances", f"{distances} a_h" if distances else ""), ("basis", basis)]


def _bound_text(result: ComplexResult) -> str:
    if result.bound is None:
        return (f"not decided: the basis resolves bindings above {error_text(result.resolution)} Ha_h; raise "
                "max_functions or lower the tolerance")
    return "yes" if result.bound else f"no: no state bound by more than {error_text(result.resolution)} Ha_h"


def _scan_rows(result: SpacingScanResult) -> list[tuple[str, str]]:
    words = {True: "bound", False: "no binding above the uncertainty", None: "not decided"}
    out = []
    if result.critical_spacing is not None:
        error = error_text(result.critical_spacing_uncertainty)
        out.append(("d_c", f"{result.critical_spacing:.6g} a_h, uncertainty {error}, extrapolated from these points"))
    return out + [(f"d = {d:.6g} a_h", "not computed" if e is None else
                   f"binding {e:+.6e} Ha_h, uncertainty {error_text(u)}, {words[b]}")
                  for d, e, u, b in zip(result.spacings, result.binding_energies, result.uncertainties, result.bound_at,
                                        strict=True)]


def _critical_rows(result: CriticalSpacingResult) -> list[tuple[str, str]]:
    out = []
    for ratio, value, error, reason in zip(result.mass_ratios, result.critical_spacings,
                                           result.critical_spacing_uncertainties, result.reasons, strict=True):
        text = (reason or "not found") if value is None else (
            f"d_c = {value:.6g} a_h, uncertainty {error_text(error)}")
        out.append((f"m_e/m_h = {ratio:g}", text))
    value = result.critical_spacing
    if isinstance(value, Quantity) and value.scales.known:
        out.append(("critical spacing", f"{value.to('nm'):.5g} nm"))
    return out


def title(name: str, spin: str | None) -> str:
    """The complex in words, e.g. "trion X-, singlet"."""
    words = {"exciton": "exciton", "trion-": "trion X-", "trion+": "trion X+", "biexciton": "biexciton"}[name]
    return f"{words}, {spin}" if spin else words
