"""What a run tells while it goes: the plan, progress, notes. On a terminal live, in a log a line now and then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from ehbilayer.prepare import Prepared
    from ehbilayer.results import Result

LINE_SECONDS = 10.0  # at most one progress line in this time
LIVE_SECONDS = 0.1


class Reporter:
    """Hears about a run and says nothing; the base of the others."""

    def plan(self, prepared: Prepared) -> None:
        """Called once before computing."""

    def progress(self, state: dict[str, Any]) -> None:
        """Called every iteration with start, starts, iteration, energy_per_particle, residual, target."""

    def note(self, text: str) -> None:
        """Something worth knowing."""

    def warn(self, text: str) -> None:
        """Something that went wrong without ending the run."""

    def done(self) -> None:
        """Called when the computing is over."""


class WarningReporter(Reporter):
    """Prints warnings, nothing else."""

    def __init__(self, errors: TextIO) -> None:
        self._errors = errors

    def warn(self, text: str) -> None:
        print(f"warning: {text}", file=self._errors, flush=True)


class LineReporter(WarningReporter):
    """Plain text: the plan, and one progress line at most every 10 s."""

    def __init__(self, out: TextIO, errors: TextIO) -> None:
        super().__init__(errors)
        self._out, self._last = out, -LINE_SECONDS

    def plan(self, prepared: Prepared) -> None:
        print("\n".join(plan_lines(prepared)), file=self._out, flush=True)

    def note(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def progress(self, state: dict[str, Any]) -> None:
        if time.monotonic() - self._last >= LINE_SECONDS:
            self._last = time.monotonic()
            print(progress_line(state), file=self._out, flush=True)


class LiveReporter(LineReporter):
    """On a terminal: the plan, then one line that is rewritten in place."""

    def __init__(self, out: TextIO, errors: TextIO) -> None:
        super().__init__(out, errors)
        self._live: Any = None

    def progress(self, state: dict[str, Any]) -> None:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(file=self._out), auto_refresh=False, transient=True)
            self._live.start()
        if time.monotonic() - self._last >= LIVE_SECONDS:
            from rich.text import Text

            self._last = time.monotonic()
            self._live.update(Text(progress_line(state), no_wrap=True, overflow="ellipsis"), refresh=True)

    def warn(self, text: str) -> None:
        self.done()
        super().warn(text)

    def done(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def progress_line(state: dict[str, Any]) -> str:
    """One line on where a calculation is."""
    start = f"start {state['start']}/{state['starts']}  " if state.get("starts", 1) > 1 else ""
    return (f"{start}iteration {state['iteration']:4d}  energy/particle {state['energy_per_particle']:+.10f} Ha_h  "
            f"residual {state['residual']:.1e} (target {state['target']:.1e})")


def plan_lines(prepared: Prepared) -> list[str]:
    """What is about to be computed: device, species, density, box, basis, convention, memory and rough time."""
    study, cell = prepared.study, prepared.resolved["cell"]
    lines = [f"{study.name}: Hartree-Fock", *_device_lines(prepared)]
    for name, s in prepared.resolved["species"].items():
        real = ""
        if prepared.scales.known:
            real = f" = {prepared.scales.density_per_cm2(s['density']):.4g} cm^-2"
        unit = "a_e" if name == "electron" else "a_h"
        lines.append(f"  {name + 's':10s} {s['count']}, {s['spin']}; density {s['density']:.6g} a_h^-2{real}, "
                     f"r_s = {s['rs']:.5g} {unit}")
    if prepared.critical_rs is not None:
        lines.append(f"  critical   r_s = {prepared.critical_rs:.5g} a_h ({study.density.critical_rs})")
    sort = "the whole box free" if cell["cells"] == 1 else f"a cell with {cell['cells']} k points"
    options = prepared.options
    more = " or more" if options.basis_tolerance is not None else ""
    lines.append(f"  box        {cell['shape']}, {cell['area']:.6g} a_h^2, {cell['basis_size']} plane waves{more}, "
                 f"{sort}")
    lines.append(f"  solve      zero mode {cell['zero_mode']}, start {study.hartree_fock.start}, {options.starts} "
                 f"start{'s' * (options.starts > 1)}, keep {options.keep}, occupation {options.occupation}, "
                 f"tolerance {options.tolerance:g} Ha_h")
    lines.append(f"  estimate   {prepared.estimate['memory_bytes'] / 1e6:.0f} MB, "
                 f"{rough_time(prepared.estimate['seconds'])}")
    lines += [f"  replaced   {key} (by an override)" for key in study.replaced]
    return lines + [f"  ignored    {key}" for key in study.ignored()]


def _device_lines(prepared: Prepared) -> list[str]:
    scales, spacing = prepared.scales, prepared.bilayer.spacing
    values = [f"{label} {value:g}" for label, value in (("m_e", scales.electron_mass), ("m_h", scales.hole_mass),
                                                        ("dielectric", scales.dielectric)) if value is not None]
    named = [prepared.study.bilayer.material] if prepared.study.bilayer.material else []
    lines = [f"  device     {', '.join(named + values)}"] if named or values else []
    if scales.known:
        lines.append(f"  units      a_h = {scales.bohr_radius_nm:.4g} nm, Ha_h = {scales.hartree_meV:.4g} meV = "
                     f"{scales.hartree_kelvin:.4g} K")
    real = f" = {scales.length_nm(spacing):.4g} nm" if scales.known else ""
    return [*lines, f"  spacing    {spacing:.6g} a_h{real}"] if len(prepared.bilayer.species) > 1 else lines


def rough_time(seconds: float) -> str:
    """An order of magnitude in words."""
    for limit, unit, size in ((90, "s", 1), (5400, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"about {max(seconds / size, 0.1):.1g} {unit}" if seconds < 10 * size else \
                f"about {seconds / size:.0f} {unit}"
    return f"about {seconds / 86400:.0f} days"


def result_rows(result: Result) -> list[tuple[str, str]]:
    """The short table at the end of a run: label and text."""
    s, units = result.summary, result.summary.get("units", {})
    rows = [("status", result.status.value if result.status.value == "converged"
             else f"{result.status.value} ({result.status.advice})")]
    if s.get("phase"):
        rows.append(("phase", str(s["phase"])))
    rows += [(label, _energy(s.get(key), units)) for label, key in (("energy", "energy"),
                                                                    ("energy/particle", "energy_per_particle"))]
    for key, label in (("gap", "gap"), ("fermi_energy", "Fermi energy")):
        rows += [(f"{label}, {name}s", _energy(v, units)) for name, v in (s.get(key) or {}).items() if v is not None]
    if s.get("pressure") is not None:
        rows.append(("pressure", f"{s['pressure']:.8g} Ha_h/a_h^2"))
    if s.get("residual") is not None:
        rows.append(("residual", f"{s['residual']:.1e} after {s.get('iterations')} iterations"))
    error = f", error {s['basis_error']:.1e} Ha_h" if s.get("basis_error") is not None else ""
    rows.append(("basis", f"{s.get('basis_size')} plane waves{error}, zero mode {s.get('zero_mode')}, edge occupation "
                          f"{_number(s.get('edge_occupation'))}"))
    rows += [(f"variance, {name}s", f"{v:.5g}") for name, v in (s.get("momentum_variance") or {}).items()
             if v is not None]
    rows += _caution_rows(s)
    rows.append(("time", f"{s.get('wall_seconds', 0):.1f} s, {s.get('backend')}"))
    return [row for row in rows if row[1]]


def _caution_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    """How the energy curves, and what a reader of the numbers must not overlook."""
    rows, stability = [], s.get("stability") or {}
    found = [f"{stability[key]:+.2g} {key.split('_')[0]}" for key in ("within_kept_symmetry", "beyond")
             if stability.get(key) is not None]
    held = " and ".join(stability.get("held") or []) or "no symmetry"
    if found:
        rows.append(("curvature", f"{', '.join(found)} {held} (Ha_h)"))
    if stability.get("minimum") is False:
        rows.append(("caution", f"not a minimum even with {held} held"))
    if s.get("aufbau") is False:
        rows.append(("caution", "an empty level lies below a filled one: another filling may have less energy"))
    return rows


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1e}"


def _energy(value: float | None, units: dict[str, Any]) -> str:
    if value is None:
        return ""
    text = f"{value:.10g} Ha_h"
    if "Ha_h_meV" in units:
        text += f" = {value * units['Ha_h_meV']:.5g} meV = {value * units['Ha_h_kelvin']:.5g} K"
    return text


def start_rows(result: Result) -> list[str]:
    """One line for every start and where it ended, when there were several."""
    starts = result.summary.get("starts") or []
    if len(starts) < 2:
        return []
    return [f"  {i + 1:3d}  {x.get('energy') if x.get('energy') is not None else float('nan'):.10f} Ha_h  "
            f"{x.get('status')}  {x.get('phase') or ''}" for i, x in enumerate(starts)]
