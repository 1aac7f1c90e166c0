"""Ends a command in time where one long step keeps it from ending in order.

Python hears of a signal between two of its own instructions only, so a single call into LAPACK or a long preparation
makes it deaf. Here a thread hears of signals when the system delivers them (`signal.set_wakeup_fd`), and looks at the
time limit and the file STOP itself. If the command has not ended GRACE_SECONDS after it was asked to, the thread says
so and ends the process. Files are written whole or not at all, so what was saved before stays; a state that is being
written is waited for.

Only the command starts it: in a program or a notebook nobody ends the process but its owner.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ehbilayer.hooks import URGENT, ending_signals

GRACE_SECONDS = 8.0  # from being asked to end until the process is ended, where there is a core for everyone
HURRY_SECONDS = 4.0  # from being asked once more
MOST_CROWDED = 8.0  # how many times longer at most where processes share cores
QUIET = "ignore:resource_tracker:UserWarning"  # from the helper of multiprocessing that tidies up behind an ended one
LOOK_SECONDS = 0.5  # between two looks at clock and file
_watchdog: Watchdog | None = None


class Watchdog(threading.Thread):
    """The thread. ``codes`` are the exit codes of an interruption and of a time limit."""

    def __init__(self, codes: tuple[int, int]) -> None:
        super().__init__(name="ehbilayer-watchdog", daemon=True)
        self._codes, self._signals = codes, ending_signals()
        self._ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)
        self.deadline: float | None = None  # of the monotonic clock
        self.file: Path | None = None
        self.saving = 0  # how many states are being written
        self._due: float | None = None  # when the process is ended
        self._late, self._urged, self._hurry = False, False, False

    def listen(self) -> None:
        """Hear of signals from now on; in the main thread. Until a calculation takes them they end the command."""
        for number in self._signals:
            signal.signal(number, _break_off)
        signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        self.start()

    def run(self) -> None:
        """Listen and look until it is time."""
        while True:
            ready, _, _ = select.select([self._ear], [], [], LOOK_SECONDS)
            for number in self._ear.recv(64) if ready else b"":
                self._hear(number)
            self._look()
            if self._due is not None and time.monotonic() > self._due and (self._hurry or not self.saving):
                self._end()

    def _hear(self, number: int) -> None:
        if number not in self._signals:
            return
        if number in URGENT and self._urged and not self._hurry:
            self._hurry, self._due = True, time.monotonic() + HURRY_SECONDS * crowding()
        self._urged = self._urged or number in URGENT
        self._ask()

    def _look(self) -> None:
        with contextlib.suppress(OSError):
            if self.file is not None and self.file.exists():
                self._ask()
        if self.deadline is not None and time.monotonic() > self.deadline and self._due is None:
            self._late = True
            self._ask()

    def _ask(self) -> None:
        if self._due is None:
            self._due = time.monotonic() + GRACE_SECONDS * crowding()

    def _end(self) -> NoReturn:
        """End the process; the streams may be held by the thread that is busy."""
        why = "out of time" if self._late else "interrupted"
        text = f"error: {why} in a step that takes too long to wait for; what was saved before is kept\n"
        with contextlib.suppress(OSError, ValueError):
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, text.encode())
        os._exit(self._codes[1] if self._late else self._codes[0])


def start(interrupted: int, out_of_time: int) -> None:
    """Watch over this process from now on. ``interrupted``, ``out_of_time`` : its exit codes then."""
    global _watchdog
    if _watchdog is None:
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), QUIET)))
        _watchdog = Watchdog((interrupted, out_of_time))
        _watchdog.listen()


def watch(deadline: float | None, file: Path | None) -> None:
    """Look at a time limit (of the monotonic clock) and a file from now on; None for none."""
    if _watchdog is not None:
        _watchdog.deadline, _watchdog.file = deadline, file


@contextlib.contextmanager
def saving() -> Iterator[None]:
    """A state is written in here: the process is not ended meanwhile, unless it is asked to twice."""
    if _watchdog is None:
        yield
        return
    _watchdog.saving += 1
    try:
        yield
    finally:
        _watchdog.saving -= 1


def crowding() -> float:
    """How many processes share a core now, at least 1: by so much everything takes longer."""
    try:
        return min(max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), MOST_CROWDED)
    except (AttributeError, OSError):  # not every system tells
        return 1.0


def _break_off(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
