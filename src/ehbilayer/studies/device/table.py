"""The table of a result of kind "device"."""

from __future__ import annotations

from ehbilayer.device.page import COLDEST
from ehbilayer.device.result import DeviceResult, Window
from ehbilayer.studies.text import energy_text, status_row, time_row

SWEPT = ("margin", "gap", "alpha_squared", "critical_temperature")  # what a sweep shows first


def rows(result: DeviceResult) -> list[tuple[str, str]]:
    """The page: label and text."""
    found = [status_row(result), ("phase", str(result.phase))]
    if result.spin_arrangement:
        found.append(("spins", result.spin_arrangement))
    if result.margin is not None:
        found.append(("margin", f"{energy_text(result.margin)} per hole below {result.runner_up}; "
                                f"{'' if result.resolved else 'NOT RESOLVED: '}numerical error "
                                f"{result.numerical_error:.1e}"))
    found += [(f"gap, {name}s", energy_text(v)) for name, v in result.gap.items() if v is not None]
    for source, x in result.by_source.items():
        square = "unknown" if x.alpha_squared is None else f"{x.alpha_squared:+.4g}"
        error = f" +- {x.alpha_squared_uncertainty:.1g}" if x.alpha_squared_uncertainty else ""
        found.append((f"alpha^2, {source}", square + error))
        methods = x.by_method or {}
        told = ", ".join(f"{m} {_kelvin(t)}" for m, t in methods.items()) or (x.reason or "none")
        found.append((f"T_c, {source}", told))
        if x.band and methods:
            found.append((f"band, {source}", f"{_kelvin(x.band.low)} to {_kelvin(x.band.high)} ({x.method}) within the "
                                             "error of alpha^2"))
        found += [(f"window, {source}", f"{m}: {_window_text(w)}")
                  for m, w in (result.density_window.get(source) or {}).items()]
    if result.no_pairing:
        found.append(("T_c", result.no_pairing))
    return [*found, *(("caveat", text) for text in result.caveats), time_row(result)]


def _kelvin(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.3g} K" if value >= COLDEST or value == 0 else "< 1 mK"


def _window_text(w: Window | None) -> str:
    if w is None:
        return "none"
    return f"{w.low:.3g} ({w.ends[0]}) to {w.high:.3g} cm^-2 ({w.ends[1]}), at most {_kelvin(w.highest)}"
