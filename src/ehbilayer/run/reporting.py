"""What a run tells while it goes: the plan, progress, notes. On a terminal live, in a log a line now and then.

From Python it goes to the logger ``ehbilayer``: plans and notes as INFO, warnings as WARNING, progress as DEBUG.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TextIO

from ehbilayer.errors import printable
from ehbilayer.hooks import LOG

if TYPE_CHECKING:
    from ehbilayer.studies.task import Task

LINE_SECONDS = 10.0  # at most one progress line in this time
LIVE_SECONDS = 0.1


class Reporter:
    """Hears about a run and tells the logger; the base of the others."""

    def plan(self, task: Task) -> None:
        """Called once before computing."""
        for line in plan_lines(task):
            LOG.info(line)

    def progress(self, text: str) -> None:
        """Called every iteration or step with one line on where the calculation is."""
        LOG.debug(text)

    def note(self, text: str) -> None:
        """Something worth knowing."""
        LOG.info(text)

    def warn(self, text: str) -> None:
        """Something that went wrong without ending the run."""
        LOG.warning(text)

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

            terminal = getattr(self._out, "stream", self._out)  # rewriting a line takes control characters
            self._live = Live(console=Console(file=terminal), auto_refresh=False, transient=True)
            self._live.start()
        if time.monotonic() - self._last >= LIVE_SECONDS:
            from rich.text import Text

            self._last = time.monotonic()
            self._live.update(Text(printable(text), no_wrap=True, overflow="ellipsis"), refresh=True)

    def warn(self, text: str) -> None:
        self.done()
        super().warn(text)

    def done(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def plan_lines(task: Task) -> list[str]:
    """What is about to be computed, and which keys were replaced or are not used."""
    lines = [f"{task.study.name}: {task.study.kind}", *task.lines]
    lines += [f"  replaced   {key} (by an override)" for key in task.study.replaced]
    return lines + [f"  ignored    {key}" for key in task.study.ignored()]
