"""The table of a result of kind "device": what one would measure first, in the units of experiments."""

from __future__ import annotations

from collections.abc import Iterator

from ehbilayer.device.page import COLDEST
from ehbilayer.device.result import THERMAL, DeviceResult, Measurable, Superconductivity, Window
from ehbilayer.studies.text import status_row, time_row
from ehbilayer.studies.thermal.table import estimate_text

SWEPT = ("margin", "gap", "alpha_squared", "critical_temperature")  # what a sweep shows first


def rows(result: DeviceResult) -> list[tuple[str, str]]:
    """The page: label and text."""
    return [status_row(result), *(("UNSTABLE", text) for text in result.unstable), ("device", title(result)),
            *_phase(result), *_sequence(result),
            *([("you would measure", "")] if result.measured else []),
            *((f"  {m.name}", measured_text(m)) for m in result.measured), *_warm(result), *_pairing(result),
            *(("caveat", text) for text in result.caveats if text not in result.unstable), time_row(result)]


def title(result: DeviceResult) -> str:
    """Material, spacing and densities, in nm and cm^-2."""
    scales = result.provenance.scales
    if not scales.known:  # a record without its units
        return result.material or "unknown"
    masses = f"m_e {scales.electron_mass:g}, m_h {scales.hole_mass:g}, dielectric {scales.dielectric:g}"
    found = [result.material or masses]
    if result.spacing is not None:
        found.append(f"spacing {scales.length_nm(result.spacing):.4g} nm")
    found += [f"{name}s {scales.density_per_cm2(n):.4g} cm^-2" for name, n in
              (("electron", result.electron_density), ("hole", result.hole_density)) if n is not None]
    return ", ".join(found)


def _phase(result: DeviceResult) -> Iterator[tuple[str, str]]:
    """The lowest phase with its margin, the best of each other phase, all in meV per hole."""
    if result.phase is None:
        return
    head = result.phase.replace("-", " ")
    if result.margin is not None:
        margin, error = result.margin.to("meV"), result.numerical_error  # type: ignore[attr-defined]
        known = "" if error is None else f" +- {error * _mev(result):.1g}"
        head = f"{head}, {margin:.3g}{known} meV per hole below {str(result.runner_up).replace('-', ' ')}"
        head += "" if known else ", error not known"
    sure = "NOT RESOLVED: " if result.resolved is False else ""
    yield "phase", f"{sure}{head} ({result.theory or 'mean field'})"
    if result.spin_arrangement:
        yield "spins", result.spin_arrangement
    competition = result.verdict if "phases" in result.parts else None
    if competition is None:
        return
    ended = [r for r in (*competition.candidates, *competition.further) if r.energy is not None]
    best = {r.phase: r for r in sorted(ended, key=lambda r: -float(r.energy or 0.0))}  # the lowest of each phase
    lowest = min((float(r.energy or 0.0) for r in ended), default=0.0)
    for r in sorted(best.values(), key=lambda r: float(r.energy or 0.0)):
        if r.phase != result.phase:
            above = (float(r.energy or 0.0) - lowest) * _mev(result)
            yield f"  {r.phase.replace('-', ' ')}", f"{above:.3g} meV per hole above it" + (
                f", {r.spin_arrangement}" if r.spin_arrangement else "")


def _mev(result: DeviceResult) -> float:
    return result.provenance.scales.hartree_meV


def _sequence(result: DeviceResult) -> Iterator[tuple[str, str]]:
    """Phases by rising density and where they change."""
    per_cm2 = result.provenance.scales.density_per_cm2(1.0)
    for part in result.sequence:
        yield "range", (f"{part.low * per_cm2:.4g} to {part.high * per_cm2:.4g} cm^-2: "
                        f"{part.phase.replace('-', ' ')}")
    for t in result.transitions:
        yield "transition", (f"{t.density * per_cm2:.3g} +- {t.uncertainty * per_cm2:.1g} cm^-2: "
                             f"{t.below.replace('-', ' ')} to {t.above.replace('-', ' ')}")


def measured_text(m: Measurable) -> str:
    """Value, error and unit, or why there is none."""
    if m.value is None:
        return m.note
    unit = "" if m.unit == "1" else f" {m.unit}"
    error = f" +- {m.error:.2g}" if m.error is not None else ""
    return f"{m.value:.4g}{error}{unit}" + ("" if m.error is not None else ", error not known") + (
        f" ({m.note})" if m.note else "")


def _warm(result: DeviceResult) -> Iterator[tuple[str, str]]:
    """Up to which temperature, each estimate with what it assumes."""
    if THERMAL not in result.parts:
        return
    yield "up to which temperature", ""
    for one in result.thermal.estimates:
        yield f"  {one.name}", estimate_text(one)


def _pairing(result: DeviceResult) -> Iterator[tuple[str, str]]:
    """alpha^2 and T_c by every source; Eliashberg's first, the published formula by its name."""
    if result.no_pairing:
        yield "T_c", result.no_pairing
    if result.superconductivity is not None:
        yield "superconducts", verdict_text(result.superconductivity)
        for name, kelvin in result.superconductivity.levels.items():
            yield f"  {name}", "no mediator" if kelvin is None else _kelvin(kelvin)
    for source, x in result.by_source.items():
        square = "unknown" if x.alpha_squared is None else f"{x.alpha_squared:+.4g}"
        error = f" +- {x.alpha_squared_uncertainty:.1g}" if x.alpha_squared_uncertainty else ""
        yield f"alpha^2, {source}", square + error
        methods = dict(sorted((x.by_method or {}).items(), key=lambda row: row[0] != "eliashberg"))
        told = ", ".join(f"{'bcs (the published formula)' if m == 'bcs' else m} {_kelvin(t)}"
                         for m, t in methods.items())
        yield f"T_c of {result.pairs}s, {source}", told or (x.reason or "none")
        if x.band and methods:
            yield f"band, {source}", (f"{_kelvin(x.band.low)} to {_kelvin(x.band.high)} ({x.method}) within the "
                                      "error of alpha^2")
        for m, w in (result.density_window.get(source) or {}).items():
            yield f"window, {source}", f"{m}: {_window_text(w)}"


def verdict_text(found: Superconductivity) -> str:
    """The verdict, whose it is, and the spread of all levels of theory."""
    by = f", by {found.trusted}" if found.trusted else ""
    t_c = f", {_kelvin(found.critical_temperature)}" if found.verdict == "yes" else ""
    spread = "" if found.low is None else f"; all levels of theory: {_kelvin(found.low)} to {_kelvin(found.high)}"
    return f"{found.verdict}{t_c}{by}{spread}"


def _kelvin(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.3g} K" if value >= COLDEST or value == 0 else "< 1 mK"


def _window_text(w: Window | None) -> str:
    if w is None:
        return "none"
    return f"{w.low:.3g} ({w.ends[0]}) to {w.high:.3g} cm^-2 ({w.ends[1]}), at most {_kelvin(w.highest)}"
