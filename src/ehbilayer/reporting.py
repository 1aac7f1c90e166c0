"""What a run tells while it goes: the plan, progress, notes. On a terminal live, in a log a line now and then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from ehbilayer.results import Result
    from ehbilayer.task import Task
    from ehbilayer.units import Scales

LINE_SECONDS = 10.0  # at most one progress line in this time
LIVE_SECONDS = 0.1


class Reporter:
    """Hears about a run and says nothing; the base of the others."""

    def plan(self, task: Task) -> None:
        """Called once before computing."""

    def progress(self, text: str) -> None:
        """Called every iteration or step with one line on where the calculation is."""

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

    def plan(self, task: Task) -> None:
        print("\n".join(plan_lines(task)), file=self._out, flush=True)

    def note(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def progress(self, text: str) -> None:
        if time.monotonic() - self._last >= LINE_SECONDS:
            self._last = time.monotonic()
            print(text, file=self._out, flush=True)


class LiveReporter(LineReporter):
    """On a terminal: the plan, then one line that is rewritten in place."""

    def __init__(self, out: TextIO, errors: TextIO) -> None:
        super().__init__(out, errors)
        self._live: Any = None

    def progress(self, text: str) -> None:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(file=self._out), auto_refresh=False, transient=True)
            self._live.start()
        if time.monotonic() - self._last >= LIVE_SECONDS:
            from rich.text import Text

            self._last = time.monotonic()
            self._live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)

    def warn(self, text: str) -> None:
        self.done()
        super().warn(text)

    def done(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def plan_lines(task: Task) -> list[str]:
    """What is about to be computed, and which keys were replaced or are not used."""
    lines = [f"{task.study.name}: {task.study.kind}", *task.plan]
    lines += [f"  replaced   {key} (by an override)" for key in task.study.replaced]
    return lines + [f"  ignored    {key}" for key in task.study.ignored()]


def device_lines(material: str | None, scales: Scales) -> list[str]:
    """Plan lines that name the device and its units, as far as they are known."""
    values = [f"{label} {value:g}" for label, value in (("m_e", scales.electron_mass), ("m_h", scales.hole_mass),
                                                        ("dielectric", scales.dielectric)) if value is not None]
    named = [material] if material else []
    lines = [f"  device     {', '.join(named + values)}"] if named or values else []
    if scales.known:
        lines.append(f"  units      a_h = {scales.bohr_radius_nm:.4g} nm, Ha_h = {scales.hartree_meV:.4g} meV = "
                     f"{scales.hartree_kelvin:.4g} K")
    return lines


def rough_time(seconds: float) -> str:
    """An order of magnitude in words."""
    for limit, unit, size in ((90, "s", 1), (5400, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"about {max(seconds / size, 0.1):.1g} {unit}" if seconds < 10 * size else \
                f"about {seconds / size:.0f} {unit}"
    return f"about {seconds / 86400:.0f} days"


def status_row(result: Result) -> tuple[str, str]:
    """Status, with advice unless all is well: that of the method where it knows better."""
    if result.status.value == "converged":
        return "status", result.status.value
    return "status", f"{result.status.value} ({result.summary.get('advice') or result.status.advice})"


def time_row(summary: dict[str, Any]) -> tuple[str, str]:
    """How long it took, and on what."""
    return "time", f"{summary.get('wall_seconds', 0):.1f} s, {summary.get('backend')}"


def error_text(value: float | None) -> str:
    """An error to two digits."""
    return "unknown" if value is None else f"{value:.1e}"


def energy_text(value: float | None, units: dict[str, Any]) -> str:
    """An energy in Ha_h, and in meV and K where the units are known; empty for None."""
    if value is None:
        return ""
    text = f"{value:.10g} Ha_h"
    if "Ha_h_meV" in units:
        text += f" = {value * units['Ha_h_meV']:.5g} meV = {value * units['Ha_h_kelvin']:.5g} K"
    return text
