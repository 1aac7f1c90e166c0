"""Running a study: reuse or resume what is there, stop on request, and leave result, summary and figure behind."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ehbilayer.errors import InputError
from ehbilayer.hooks import Ended, Hooks
from ehbilayer.results.base import Record, Result
from ehbilayer.results.files import (
    DEFINITION,
    FIGURE,
    RESULT,
    SUMMARY,
    ResultFileError,
    atomic_write,
    check_writable,
    holds,
    set_aside,
)
from ehbilayer.results.owners import temporary_directory, tidy
from ehbilayer.run import watchdog
from ehbilayer.run.finishing import finished, summary_text
from ehbilayer.run.lock import RunLock, parse_shard
from ehbilayer.run.reporting import Reporter
from ehbilayer.run.rescue import rescued
from ehbilayer.run.stopping import Stopper
from ehbilayer.status import Status
from ehbilayer.studies.file import Study, load_study
from ehbilayer.studies.task import Task, check_single, prepare
from ehbilayer.studies.text import rough_time

if TYPE_CHECKING:
    from ehbilayer.sweep.engines import Engine
    from ehbilayer.sweep.points import Sweep

STOP = "STOP"  # a file of this name in its directory ends a run
CHECKPOINT_SECONDS = 10.0  # at least this long between two writes; the solver decides when it offers a state
CLEARLY = 10.0  # how many times the time given a study must take for that to be said
UNFINISHED = (Status.interrupted, Status.timeout, Status.not_converged)
BACKENDS = ("numpy", "jax")


def run(study: Study | str | Path, directory: str | Path | None = None, *, resume: bool = False, force: bool = False,
        max_time: float | None = None, backend: str = "numpy", threads: int | None = None,
        reporter: Reporter | None = None, workers: int | None = None, scheduler: str | None = None,
        shard: str | None = None, should_stop: Callable[[], Status | None] | None = None) -> Result:
    """Compute a study, or all points of one with a [sweep]; see `ehbilayer.run`, which calls this."""
    study = load_study(study) if isinstance(study, str | Path) else study
    reporter = reporter or Reporter()
    _check_backend(backend)
    place = None if directory is None else Path(directory)
    # one that is there now is no request, and is refused when it comes to computing
    stop_file = None if place is None or (place / STOP).exists() else place / STOP
    with Stopper(max_time, stop_file, reporter, should_stop) as stop:
        limits = Limits(backend, threads, stop, max_time)
        try:
            if study.sweep is not None:
                return _run_sweep(study, place, limits, reporter, _Sweeping(resume, force, workers, scheduler, shard))
            _refuse_sweep_options({"--scheduler": scheduler, "--shard": shard})
            return _run_single(study, place, limits, reporter, resume=resume, force=force, workers=workers)
        except Ended as ended:
            reporter.done()
            return _not_begun(study, ended.status)


def _run_single(study: Study, place: Path | None, limits: Limits, reporter: Reporter, *, resume: bool,
                force: bool, workers: int | None) -> Result:
    check_single(study)
    if study.density.hole_over_critical is not None and study.density.critical_rs == "computed":
        reporter.note("computing the critical r_s of the monolayer first")
    task = prepare(study)
    if task.shared_out:
        _share_out(workers, limits)
    else:
        _refuse_sweep_options({"--workers": workers})
    if place is not None:
        return _run_in(place, task, limits, reporter, resume=resume, force=force)
    _end_if_asked(limits)
    reporter.plan(task)
    limits.warn_of_time(task.seconds, reporter)
    return _compute(task, None, None, limits, reporter)


def _share_out(workers: int | None, limits: Limits) -> None:
    """Give the calculation as many workers as are asked for."""
    from ehbilayer.sweep.engines import require_workers

    require_workers(workers)
    limits.threads = workers or limits.threads


def _run_in(place: Path, task: Task, limits: Limits, reporter: Reporter, *, resume: bool, force: bool) -> Result:
    """A single study in its directory, where nobody else computes meanwhile."""
    if not force and not resume and (there := _complete(place, task)) is not None:
        return _answer(place, there, reporter)
    _end_if_asked(limits)
    make_ready(place)
    with RunLock(place, None, reporter):
        tidy(place)
        _refuse_sweep(place, force=force)
        earlier = _earlier(place, task, reporter, resume=resume, force=force)
        if earlier is not None and not (resume and earlier.status in UNFINISHED):
            return _answer(place, earlier, reporter)
        reporter.plan(task)
        limits.warn_of_time(None if earlier is not None else task.seconds, reporter)
        result = _resumed(task, place, earlier, limits, reporter)
        _leave(place, result, reporter)
        return result


def _end_if_asked(limits: Limits) -> None:
    if (status := limits.should_stop()) is not None:
        raise Ended(status)


def _not_begun(study: Study, status: Status) -> Result:
    """What a run says that was ended in its preparation."""
    told = {"kind": study.kind, "status": status.value, "advice": status.advice,
            "reason": "ended in its preparation, before anything was computed"}
    return Record(study.kind, status, told, {})


def _refuse_sweep(place: Path, *, force: bool) -> None:
    """A directory of a sweep is no place for a single study."""
    if (place / DEFINITION).exists():
        if not force:
            raise InputError(str(place), "a directory without the points of a sweep", "one with such points",
                             "choose another directory with -o, or --force to replace it")
        (place / DEFINITION).unlink(missing_ok=True)


class Limits:
    """What a run may use: backend, threads and seconds; and what ends it."""

    def __init__(self, backend: str, threads: int | None, should_stop: Callable[[], Status | None],
                 max_time: float | None = None) -> None:
        self.should_stop, self.backend, self.threads_given = should_stop, backend, threads
        self.max_time = max_time
        self.threads = threads or min(2, os.cpu_count() or 1)


    def warn_of_time(self, seconds: float | None, reporter: Reporter) -> None:
        """Say before the work begins that the time given is clearly too short for it."""
        if self.max_time is not None and seconds is not None and seconds > CLEARLY * self.max_time:
            reporter.warn(f"the time given, {self.max_time:g} s, is far less than the estimate, {rough_time(seconds)}; "
                          "what there is by then is kept")


class _Sweeping(NamedTuple):
    """What a sweep is asked for beyond a single study."""

    resume: bool
    force: bool
    workers: int | None
    scheduler: str | None
    shard: str | None


def _refuse_sweep_options(options: dict[str, object]) -> None:
    for name, value in options.items():
        if value is not None:
            raise InputError(name, "given with a study that has a [sweep]", value, "leave it out")


def _run_sweep(study: Study, directory: Path | None, limits: Limits, reporter: Reporter,
               asked: _Sweeping) -> Result:
    """All points of a study with a [sweep]; without a directory in a temporary one."""
    from ehbilayer.sweep.engines import exposure, make_engine
    from ehbilayer.sweep.points import prepare_sweep

    shard = None if asked.shard is None else parse_shard(asked.shard)
    engine = make_engine(asked.workers, asked.scheduler)
    if warning := exposure(asked.scheduler):
        reporter.warn(warning)
    if shard is not None and directory is None:
        raise InputError("shard", "given with a directory that all parts share", asked.shard, "give the directory")
    reporter.note("checking the points")
    sweep = prepare_sweep(study, Hooks(progress=reporter.progress, should_stop=limits.should_stop))
    reporter.done()
    if shard is not None and sweep.options.mode == "adaptive":
        raise InputError("--shard", 'used with mode = "grid"', asked.shard, "an adaptive sweep takes --workers")
    if directory is None:
        with temporary_directory() as place:
            return _sweep_in(place, sweep, engine, shard, limits, reporter, asked)
    return _sweep_in(directory, sweep, engine, shard, limits, reporter, asked, leave=True)


def _sweep_in(place: Path, sweep: Sweep, engine: Engine, shard: tuple[int, int] | None, limits: Limits,
              reporter: Reporter, asked: _Sweeping, *, leave: bool = False) -> Result:
    from ehbilayer.sweep.campaign import Campaign
    from ehbilayer.sweep.definition import is_whole, plan_of, refuse_other, rough_seconds, start_over, sweep_task

    task = sweep_task(sweep, plan_of(sweep, engine, shard))
    there = None if asked.force else _complete(place, task)
    if there is not None and is_whole(place, sweep, there, resume=asked.resume):
        return _answer(place, there, reporter)
    make_ready(place)
    with RunLock(place, shard, reporter):
        tidy(place)
        earlier = _earlier(place, task, reporter, resume=False, force=asked.force)
        if asked.force:
            start_over(place, sweep, shard, keep_points=asked.resume)
        else:
            refuse_other(place, sweep, reporter)
        if earlier is not None and is_whole(place, sweep, earlier, resume=asked.resume):
            return _answer(place, earlier, reporter)
        reporter.plan(task)
        limits.warn_of_time(rough_seconds(sweep, engine, shard), reporter)
        with engine:
            result = Campaign(sweep, place, engine, reporter, limits.should_stop, shard, asked.resume, limits.backend,
                              limits.threads_given or 1).run()
    if leave and result.data:
        _leave(place, result, reporter)
    return result


def _check_backend(backend: str) -> None:
    if backend not in BACKENDS:
        raise InputError("--backend", " | ".join(BACKENDS), backend, "choose one of these")
    if backend == "jax":
        from importlib.util import find_spec

        if find_spec("jax") is None:
            raise InputError("--backend", "numpy as long as JAX is not installed", backend,
                             "pip install 'ehbilayer[jax]'")


def _complete(place: Path, task: Task) -> Result | None:
    """The finished result of the same inputs in a directory where nothing is left to do, or that cannot be written to.

    Looks only; what is not complete is looked at again by who has the lock.
    """
    try:
        result = Result.load(place / RESULT)
    except ResultFileError:
        return None
    if result.provenance.hash != task.hash or result.status in (Status.interrupted, Status.timeout):
        return None
    whole = (place / FIGURE).is_file() and (place / SUMMARY).is_file()
    return result if whole or not os.access(place, os.W_OK) else None


def _earlier(place: Path, task: Task, reporter: Reporter, *, resume: bool, force: bool) -> Result | None:
    """The result in the directory if it is of the same inputs; None if there is none or it may be replaced."""
    path = place / RESULT
    if not path.exists() or force:
        return None
    try:
        result = Result.load(path)
    except ResultFileError as error:
        if not error.damaged:
            raise
        aside = set_aside(path)
        reporter.warn(f"{error}; set aside as {aside.name}, computing again")
        return None
    if result.provenance.hash == task.hash:
        return result
    todo = ("choose another directory with -o, or --force to replace it"
            + (f'; to start from it, --set hartree-fock.start="{path}"' if resume else ""))
    raise InputError(str(place), "a directory without the result of other inputs", "one with such a result", todo)


def _answer(place: Path, result: Result, reporter: Reporter) -> Result:
    """Report a result that is there already; put back a summary or a figure that is missing."""
    if result.status in (Status.interrupted, Status.timeout):
        reporter.note(f"{place} holds an unfinished state of these inputs; --resume goes on, --force starts again")
    else:
        reporter.note(f"{place} holds the result of these inputs already; --force computes it again")
    _put_summary(place, result, reporter)
    _put_figure(place, result, reporter)
    return result


def make_ready(place: Path) -> None:
    """Create the directory and try to write there, before time is spent on computing."""
    if place.exists() and not place.is_dir():
        raise InputError(str(place), "a directory", "a file", "choose another name with -o")
    if (place / STOP).exists():
        raise InputError(str(place / STOP), "absent when a run begins", "there", "remove it")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(str(place), "a directory that can be made", error.strerror or "not possible",
                         "choose another place with -o") from None
    check_writable(place)


def _resumed(task: Task, place: Path, earlier: Result | None, limits: Limits, reporter: Reporter) -> Result:
    """Go on from an unfinished result; from the beginning without one, or with one whose state makes no sense."""
    try:
        return _compute(task, place, earlier, limits, reporter)
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:  # InputError is one
        if earlier is None or os.environ.get("EHB_DEBUG"):
            raise
        reporter.done()
        aside = set_aside(place / RESULT)
        reporter.warn(f"cannot go on from {place / RESULT} ({type(error).__name__}); set aside as {aside.name}, "
                      "computing again")
    return _compute(task, place, None, limits, reporter)


def _compute(task: Task, place: Path | None, resumed: Result | None, limits: Limits, reporter: Reporter) -> Result:
    began, saved = time.monotonic(), [time.monotonic()]
    before = resumed.provenance.wall_seconds if resumed else 0.0

    def finish(result: Result) -> Result:
        return finished(result, task, limits.backend, before + time.monotonic() - began)

    def checkpoint(result: Result) -> None:
        if place is None or time.monotonic() - saved[0] < CHECKPOINT_SECONDS:
            return
        saved[0] = time.monotonic()
        try:
            _save(place, finish(result))
            (place / FIGURE).unlink(missing_ok=True)  # it would show an earlier state
        except ResultFileError as error:  # the calculation is worth more than one checkpoint of it
            reporter.warn(f"no checkpoint: {error}")

    result = task.solve(Hooks(resumed, resumed is not None, limits.backend, limits.threads, reporter.progress,
                              checkpoint, limits.should_stop))
    reporter.done()
    return finish(result)


def _save(place: Path, result: Result) -> None:
    """Result, then summary."""
    with watchdog.saving():
        result.save(place / RESULT)
        atomic_write(place / SUMMARY, summary_text(result))


def draw(result: Result, place: Path) -> None:
    """Draw figure.png into the directory."""
    from ehbilayer.studies.drawing import save_figures

    save_figures(result, place)


def _leave(place: Path, result: Result, reporter: Reporter) -> None:
    """Write result, summary and figure, in this order: the summary of a directory is never ahead of its result.

    Raises RescuedError, which knows where the result is, if the directory does not take it.
    """
    with contextlib.suppress(OSError):
        (place / FIGURE).unlink(missing_ok=True)  # it would show an earlier result
    with watchdog.saving():
        try:
            result.save(place / RESULT)
        except ResultFileError as error:
            raise rescued(place, result, error) from error
        _put_summary(place, result, reporter)
    _put_figure(place, result, reporter)
    reporter.note(f"written to {place}{os.sep}")


def _put_summary(place: Path, result: Result, reporter: Reporter) -> None:
    """Write the summary of a result that is kept, unless it is there; no failure costs the result."""
    text = summary_text(result)
    try:
        if not holds(place / SUMMARY, text):
            atomic_write(place / SUMMARY, text)
    except ResultFileError as error:
        reporter.warn(f"no summary: {error}")


def _put_figure(place: Path, result: Result, reporter: Reporter) -> None:
    """Draw the figure of a result that is kept, unless it is there; no failure costs the result."""
    if (place / FIGURE).is_file():
        return
    try:
        draw(result, place)
    except Exception as error:
        reporter.warn(f"no figure: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
