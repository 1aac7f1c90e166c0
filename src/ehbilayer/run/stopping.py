"""Ways to end a calculation at its next iteration: Ctrl-C, SIGTERM, a time limit, a STOP file, or who called it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import parent_process
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status

LOOK_SECONDS = 0.5  # how often the STOP file is looked for


class Stopper:
    """A context in which the first SIGINT or SIGTERM asks to stop and the second raises KeyboardInterrupt.

    Called, it returns the Status to stop with, or None to go on; ``also`` is asked too. A signal also stops a Stopper
    around this one, even if what stands in this one ends first. Signals are left alone outside the main thread and in
    processes of multiprocessing, which their parent tells.
    """

    def __init__(self, max_time: float | None, stop_file: Path | None, reporter: Reporter,
                 also: Callable[[], Status | None] | None = None) -> None:
        self._deadline = None if max_time is None else time.monotonic() + max_time
        self._file, self._reporter, self._also = stop_file, reporter, also
        self._asked, self._looked = False, -LOOK_SECONDS
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stopper:
        if threading.current_thread() is threading.main_thread() and parent_process() is None:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._ask()
        self._reporter.warn("stopping after this iteration, the state is kept; once more ends at once")

    def _ask(self) -> None:
        self._asked = True
        for handler in self._previous.values():
            outer = getattr(handler, "__self__", None)
            if isinstance(outer, Stopper) and not outer._asked:
                outer._ask()

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
