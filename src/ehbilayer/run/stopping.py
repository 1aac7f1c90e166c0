"""Ways to end a calculation at its next iteration: a signal, a time limit, a STOP file, or who called it."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import parent_process
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from ehbilayer.hooks import URGENT, ending_signals
from ehbilayer.run import watchdog
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status

LOOK_SECONDS = 0.5  # how often the STOP file is looked for


class Stopper:
    """A context in which a signal of `hooks.ENDING` asks to stop; a second SIGINT or SIGTERM raises KeyboardInterrupt.

    Called, it returns the Status to stop with, or None to go on; ``also`` is asked too. A signal also stops a Stopper
    around this one, even if what stands in this one ends first. Signals are left alone outside the main thread and in
    processes of multiprocessing, which their parent tells.
    """

    def __init__(self, max_time: float | None, stop_file: Path | None, reporter: Reporter,
                 also: Callable[[], Status | None] | None = None) -> None:
        self._deadline = None if max_time is None else time.monotonic() + max_time
        self._file, self._reporter, self._also = stop_file, reporter, also
        self._asked, self._urged, self._looked = False, False, -LOOK_SECONDS
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stopper:
        if threading.current_thread() is threading.main_thread() and parent_process() is None:
            for number in ending_signals():
                self._previous[number] = signal.signal(number, self._on_signal)
            if not self._outer():
                watchdog.watch(self._deadline, self._file)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        urgent, first = number in URGENT, not self._asked
        if urgent and self._urged:
            raise KeyboardInterrupt
        self._ask(urgent)
        if first:
            with contextlib.suppress(OSError, RuntimeError):  # a terminal that has closed, or is being printed to
                self._reporter.warn("stopping after this iteration, the state is kept; once more ends at once")

    def _ask(self, urgent: bool) -> None:
        self._asked, self._urged = True, self._urged or urgent
        for outer in self._outer():
            outer._ask(urgent)

    def _outer(self) -> set[Stopper]:
        """The Stopper around this one, if there is one."""
        owners = {getattr(handler, "__self__", None) for handler in self._previous.values()}
        return {owner for owner in owners if isinstance(owner, Stopper)}

    def __call__(self) -> Status | None:
        """Status.interrupted or Status.timeout when it is time to stop."""
        now = time.monotonic()
        if self._file is not None and not self._asked and now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._asked = self._file.exists()
        if self._asked:
            return Status.interrupted
        if self._deadline is not None and now > self._deadline:
            return Status.timeout
        return self._also() if self._also is not None else None
