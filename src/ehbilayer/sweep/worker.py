"""One point of a sweep, computed wherever a worker is: what it is given, what it hands back, and how it may fail."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks, never
from ehbilayer.results.base import Record, Result
from ehbilayer.run.finishing import finished
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.studies.task import Task, prepare
from ehbilayer.sweep.rows import carried, state_digest

STATES = (Status.interrupted, Status.timeout)  # kept whole, to go on from


@dataclass(frozen=True)
class Job:
    """All that a worker needs to compute a point; plain values, so that it travels.

    Parameters
    ----------
    key, values : name and swept values of the point.
    tables, name, folder : its study file, and the directory that relative paths in it start from.
    keep : arrays to keep.
    seconds : the longest it may take, None for no limit.
    initial : content of the file in which an earlier run left this point, to go on from.
    before : seconds that went into it earlier.
    start : in a sweep whose points start from their neighbours, what is known of this point's start (see `rows`), else
        None.   neighbour : content of the file of the point to start from; None starts from the own guess.
    """

    key: str
    values: dict[str, Any]
    tables: dict[str, Any]
    name: str
    folder: str
    keep: tuple[str, ...] = ()
    seconds: float | None = None
    backend: str = "numpy"
    threads: int = 1
    initial: bytes | None = None
    before: float = 0.0
    start: dict[str, Any] | None = None
    neighbour: bytes | None = None


@dataclass(frozen=True)
class Outcome:
    """A point's result without its arrays, and the content of its file."""

    key: str
    result: Result
    raw: bytes


def compute_point(job: Job, should_stop: Callable[[], Status | None] = never,
                  progress: Callable[[str], None] | None = None) -> Outcome | None:
    """Compute a point, on as many threads as the job says; None if it is time to stop before it began.

    Never raises but for KeyboardInterrupt: whatever goes wrong becomes a status and a reason.
    """
    if should_stop() is not None:
        return None
    began = time.monotonic()
    try:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(job.threads):
            task = prepare(make_study(job.tables, name=job.name, folder=Path(job.folder)))
            result = _solve(task, job, should_stop, progress)
            return _outcome(job, task, result, job.before + time.monotonic() - began)
    except Exception as error:
        if os.environ.get("EHB_DEBUG") and not isinstance(error, InputError | ArithmeticError):
            raise
        return failure(job, *end_of(error))


def _solve(task: Task, job: Job, should_stop: Callable[[], Status | None],
           progress: Callable[[str], None] | None) -> Result:
    deadline = None if job.seconds is None else time.monotonic() + job.seconds

    def stop() -> Status | None:
        if should_stop() is not None:
            return Status.interrupted  # the sweep stops; the point itself has all the time it needs
        return Status.timeout if deadline is not None and time.monotonic() > deadline else None

    initial = None if job.initial is None else Result.from_bytes(job.initial, job.key)
    neighbour = None if job.neighbour is None else Result.from_bytes(job.neighbour, job.key)
    run = Hooks(initial, job.initial is not None, job.backend, job.threads, should_stop=stop, neighbour=neighbour,
                keep_states=job.start is not None)
    return task.solve(run if progress is None else replace(run, progress=progress))


def _outcome(job: Job, task: Task, result: Result, seconds: float) -> Outcome:
    whole = finished(result, task, job.backend, seconds)
    if whole.status is not Status.converged and not whole.reason:
        whole = whole.with_entries({"reason": whole.status.advice})
    kept = carried(whole, task.carries) if job.start is not None else []
    state = {"state": state_digest(whole, kept)} if job.start is not None else {}
    whole = replace(whole, inputs=whole.inputs | _names(job) | state)
    bare = replace(whole, data={})
    if whole.status not in STATES:
        wanted = {*job.keep, *kept}
        whole = replace(whole, data={name: array for name, array in whole.data.items() if name in wanted})
    return Outcome(job.key, bare, whole.to_bytes())


def _names(job: Job) -> dict[str, Any]:
    """What a point's file says about which point it is."""
    names: dict[str, Any] = {"point": job.key, "coordinates": job.values}
    return names if job.start is None else names | {"started_from": job.start}


def failure(job: Job, status: Status, reason: str) -> Outcome:
    """A point without a result of its own: what it is, how it ended, and why."""
    kind = str(job.tables.get("kind"))
    summary = {"kind": kind, "status": status.value, "advice": status.advice, "reason": reason}
    result = Record(kind, status, summary, _names(job) | {"study": job.tables})
    return Outcome(job.key, result, result.to_bytes())


def end_of(error: Exception) -> tuple[Status, str]:
    """The status and the reason, in one line, of a calculation that an error has ended."""
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return Status.invalid, text
    # overflow, division by zero, invalid operation
    arithmetic = isinstance(error, ArithmeticError) or type(error).__name__ == "LinAlgError"
    return Status.not_finite if arithmetic else Status.worker_died, f"{type(error).__name__}: {text[:300]}"
