"""What a calculation may use, whom it tells, and who stops it; the same for every method."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ehbilayer.status import Status

if TYPE_CHECKING:
    from ehbilayer.results.base import Result


LOG = logging.getLogger("ehbilayer")  # of what is called from Python; silent until somebody listens
LOG.addHandler(logging.NullHandler())
# Ctrl-C, and what batch systems and closing terminals send: end, hangup, CPU time used up, a warning before the end
ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGUSR1")
URGENT = (signal.SIGINT, signal.SIGTERM)  # that end at once when they come twice; the system repeats the others itself


def ending_signals() -> set[signal.Signals]:
    """Signals that ask a calculation to end with its state kept; no hangup where that is ignored, as under nohup."""
    known = {signal.Signals[name] for name in ENDING if name in signal.Signals.__members__}
    return {n for n in known if n.name != "SIGHUP" or signal.getsignal(n) is not signal.SIG_IGN}


def silent(_: Any) -> None:
    """Progress or a checkpoint that nobody waits for."""


def never() -> None:
    """No reason to stop."""
    return None


class Ended(Exception):
    """Ends a preparation, which has no state to keep; ``status`` says why."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        self.status = status


class StopReason:
    """A ``should_stop`` that remembers the first reason it gave, None so far."""

    def __init__(self, ask: Callable[[], Status | None]) -> None:
        self._ask = ask
        self.reason: Status | None = None

    def __call__(self) -> Status | None:
        status = self._ask()
        self.reason = self.reason or status
        return status


@dataclass(frozen=True)
class Hooks:
    """What a calculation may use and whom it tells; without arguments it is alone.

    Parameters
    ----------
    initial : an earlier result to start from; ``resumed`` says that it is an unfinished one of the same inputs.
    backend : ``numpy`` or ``jax``.   threads : for transforms, and processes for independent starts.
    progress : told one line of text on where the calculation is, now and then.
    checkpoint : told an unfinished Result (status interrupted) that may be kept and resumed.
    should_stop : asked at every natural step; a Status ends the calculation with it.
    neighbour : the converged result of a neighbouring point of a sweep, to start from where that is of use.
    keep_states : hand back all that a neighbour of this point would start from.
    """

    initial: Result | None = None
    resumed: bool = False
    backend: str = "numpy"
    threads: int = 1
    progress: Callable[[str], None] = silent
    checkpoint: Callable[[Result], None] = silent
    should_stop: Callable[[], Status | None] = never
    neighbour: Result | None = None
    keep_states: bool = False

    def look(self, text: str) -> None:
        """In a preparation: tell where it is. Raises Ended when it is to stop."""
        self.progress(text)
        if (status := self.should_stop()) is not None:
            raise Ended(status)

    @property
    def unfinished(self) -> Result | None:
        """The earlier result where it is one to go on from."""
        return self.initial if self.resumed else None
