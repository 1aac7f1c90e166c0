"""How a calculation ended, and what to try where it did not converge."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a calculation ended; only ``converged`` may be used without a second thought."""

    converged = "converged"
    not_converged = "not_converged"
    saddle = "saddle"
    wrong_count = "wrong_count"
    not_finite = "not_finite"
    timeout = "timeout"
    worker_died = "worker_died"
    invalid = "invalid"
    interrupted = "interrupted"

    @property
    def advice(self) -> str:
        """One line that says what to try."""
        return _ADVICE[self]


_ADVICE = {
    Status.converged: "nothing to do",
    Status.not_converged: "raise the number of iterations, loosen the tolerance, or try another start",
    Status.saddle: "a lower state is near: follow the mode downhill, or hold the symmetry this state is meant to keep",
    Status.wrong_count: "the state holds another number of particles: try another start, or check the counts",
    Status.not_finite: "numbers overflowed: check the inputs, and try another start or a larger basis",
    Status.timeout: "resume it, with more time",
    Status.worker_died: "run it again; if it dies again, give it more memory or fewer workers",
    Status.invalid: "the inputs cannot be computed: read the message and correct them",
    Status.interrupted: "resume it",
}
