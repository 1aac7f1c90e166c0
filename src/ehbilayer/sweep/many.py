"""Many studies at once, each computed in a directory of its own: the longest first, on one process or several."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.numerics.parallel import each
from ehbilayer.results.base import Record, Result
from ehbilayer.results.files import DEFINITION, RESULT, ResultFileError
from ehbilayer.results.owners import tidy
from ehbilayer.run import runner
from ehbilayer.run.lock import RunLock
from ehbilayer.run.reporting import Reporter
from ehbilayer.run.rescue import RescuedError
from ehbilayer.run.stopping import Stopper
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.sweep.definition import COLLECTED, read_definition
from ehbilayer.sweep.store import PointStore
from ehbilayer.sweep.worker import end_of

STOPPED = (Status.interrupted, Status.timeout)
MOST_WORKERS = 1000
SHOW_SECONDS = 1.0  # between two looks at how far the studies in work are
# typical seconds of a study, of a point of its sweep or scan, or of one start; only the order depends on them
SECONDS = {"phase-diagram": 1.2, "phases": 1.2, "few-body": 10.0, "crystal": 5.0, "hartree-fock": 4.0, "phonons": 0.6,
           "pairing": 1.0, "compressibility": 0.4, "condensate": 5.0, "device": 5.0}
CRYSTAL_POINT, LONG = 0.1, 60.0  # a named crystal; infinitely many holes, or a search with Gaussians
USUAL_HOLES = 36  # that the seconds belong to; they grow as the square of the number
DIVIDED = 20.0  # seconds from which on processes share the points of a sweep
Stop = Callable[[], Status | None]
Studies = Mapping[str, dict[str, Any]]


def run_many(studies: Studies, directory: str | Path, *, place: Callable[[str], Path] | None = None, workers: int = 1,
             force: bool = False, reporter: Reporter | None = None, should_stop: Stop | None = None,
             max_time: float | None = None) -> Iterator[tuple[str, Result]]:
    """Compute studies and yield (name, result) of each as it is done.

    Ctrl-C, SIGTERM and a file STOP in the directory end those in work with their state kept: the last result is then
    ``interrupted``, and the same call goes on from there. A study that cannot be computed costs no other one: its
    result says why in ``reason``, with the status ``invalid`` or what else went wrong.

    Parameters
    ----------
    studies : name -> tables of a study, as `make_study` takes them.
    directory : locked while they are computed. A result of the same inputs that is there is used, an unfinished one is
        gone on with.
    place : name -> directory of its result; ``directory/name`` by default.
    workers : processes, each with one BLAS thread; the results do not depend on their number.
    force : compute again what is there.
    reporter : told how far it is, and all warnings.
    should_stop : asked now and then; a Status ends the studies with it.
    max_time : seconds after which those in work are ended with their state kept.

    Raises
    ------
    InputError : a number of workers that cannot be, a directory that cannot be written to, or that another call uses.
    KeyboardInterrupt : on a second Ctrl-C.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise InputError("--workers", f"an integer from 1 to {MOST_WORKERS}", workers, "about one per core")
    where = Path(directory)
    for name in studies if place is None else ():
        if not name.strip(". ") or Path(name).name != name:
            raise InputError("studies", "called by a name for a directory each", name,
                             "use letters, digits and hyphens")
    runner.make_ready(where)
    jobs = jobs_of(studies, place or where.joinpath, workers=workers, force=force)
    return _computed(jobs, where, workers, reporter or Reporter(), should_stop, max_time)


def _computed(jobs: list[Job], where: Path, workers: int, reporter: Reporter, also: Stop | None,
              max_time: float | None) -> Iterator[tuple[str, Result]]:
    with RunLock(where, None, reporter), Stopper(max_time, where / runner.STOP, reporter, also) as should_stop:
        tidy(where)
        jobs = [_begun_anew(job) for job in jobs]
        watch = _Watch(jobs, workers, should_stop, reporter)
        for number, answer in each(compute, jobs, workers=workers, should_stop=watch, warn=reporter.warn):
            for text in answer.warnings:
                reporter.warn(f"{jobs[number].name}: {text}")
            result = watch.done(number, answer)
            if result is not None:
                yield jobs[number].name, result
            if result is not None and result.status in STOPPED:  # jobs that had not begun may answer before it
                return
        reporter.done()


@dataclass(frozen=True)
class Job:
    """A study to compute, or a part ``i/n`` of the points of its sweep; plain values, so that it travels."""

    name: str
    tables: dict[str, Any]
    place: Path
    part: str | None = None
    threads: int | None = None
    force: bool = False


@dataclass(frozen=True)
class Answer:
    """What came of a job, None if it was not begun; and warnings on the way."""

    result: Result | None
    warnings: tuple[str, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether it was ended before it was done."""
        return self.result is None or self.result.status in STOPPED


class _Listener(Reporter):
    """Keeps warnings for the process that waits."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def compute(job: Job, should_stop: Stop) -> Answer:
    """Run a job in its directory; whatever goes wrong becomes a status and a reason, but for a second Ctrl-C."""
    if should_stop() is not None:
        return Answer(None)
    heard = _Listener()
    try:
        study = make_study(job.tables, name=job.place.name)
        resume = not job.force and _status(job.place) in STOPPED  # forced and resumed, a sweep would keep its points
        result = runner.run(study, job.place, resume=resume, force=job.force, threads=job.threads, reporter=heard,
                            shard=job.part, should_stop=should_stop)
    except RescuedError as error:
        result = error.result
        heard.warn(str(error))
    except Exception as error:
        if os.environ.get("EHB_DEBUG"):
            raise
        status, reason = end_of(error)
        result = Record(str(job.tables.get("kind")), status, {"reason": reason}, {})
    return Answer(result, tuple(heard.warnings))


def expected(tables: dict[str, Any]) -> float:
    """Roughly how many seconds a study takes."""
    kind, points = tables["kind"], points_of(tables)
    if tables.get("pairing", {}).get("alpha_source") == "limit" or "find" in tables.get("few-body", {}):
        return LONG
    one = CRYSTAL_POINT if kind == "crystal" and points is not None else SECONDS.get(kind, 1.0)
    size = (tables.get("cell", {}).get("holes", USUAL_HOLES) / USUAL_HOLES) ** 2
    count = math.prod(tables.get(name, {}).get(key, 1) for name, key in (
        ("hartree-fock", "starts"), ("phonons", "scan_points"), ("crystal", "scan_points")))
    return float(one * size * count * (points or 1))


def points_of(tables: dict[str, Any]) -> int | None:
    """How many points the sweep of a study has, None without one."""
    axes = [value for key, value in tables.get("sweep", {}).items() if "." in key]
    return math.prod(len(a) if isinstance(a, list) else int(a["count"]) for a in axes) if axes else None


def jobs_of(studies: Studies, place: Callable[[str], Path], *, workers: int, force: bool) -> list[Job]:
    """The jobs of some studies, the longest first; sweeps that take long are divided among the workers."""
    found: list[Job] = []
    threads = 1 if workers > 1 else None
    for name in sorted(studies, key=lambda n: -expected(studies[n])):
        tables = studies[name]
        job = Job(name, tables, place(name), None, threads, force)
        grid = "sweep" in tables and tables["sweep"].get("mode", "grid") == "grid"
        begun = force or _status(job.place) in (None, *STOPPED)
        if workers > 1 and grid and expected(tables) > DIVIDED and begun:
            parts = min(workers, points_of(tables) or 1)
            found += [replace(job, part=f"{i + 1}/{parts}") for i in range(parts)]
        else:
            found.append(job)
    return found


def _begun_anew(job: Job) -> Job:
    """Forget the old points of a sweep in parts before they begin: the first one done would collect the others'."""
    if not job.force or job.part is None:
        return job
    if job.place.is_dir():
        with RunLock(job.place, None, Reporter()):
            store = PointStore(job.place)
            store.forget(store.labels())
            for name in (DEFINITION, *COLLECTED):
                (job.place / name).unlink(missing_ok=True)
    return replace(job, force=False)


class _Watch:
    """A ``should_stop`` that tells how far it is whenever it is asked, and puts the parts of a sweep together."""

    def __init__(self, jobs: list[Job], workers: int, should_stop: Stop, reporter: Reporter) -> None:
        self.jobs, self.workers, self.should_stop, self.reporter = jobs, workers, should_stop, reporter
        self.answers: dict[int, Answer] = {}
        self.total, self.finished = len({job.name for job in jobs}), 0
        self._shown = -math.inf

    def __call__(self) -> Status | None:
        if time.monotonic() - self._shown > SHOW_SECONDS:
            self._shown = time.monotonic()
            self.reporter.progress(self.text())
        return self.should_stop()

    def text(self) -> str:
        """How many studies are done, and which are in work: jobs begin in their order."""
        open_ones = [job for i, job in enumerate(self.jobs) if i not in self.answers][:self.workers]
        names = dict.fromkeys(_how_far(job) for job in open_ones)
        return f"{self.finished}/{self.total} studies done, in work: {', '.join(names)}"

    def done(self, number: int, answer: Answer) -> Result | None:
        """Note an answer. Returns the result of the whole study once all of its parts are there, or it was stopped."""
        self.answers[number] = answer
        job = self.jobs[number]
        parts = [i for i, other in enumerate(self.jobs) if other.name == job.name]
        if answer.stopped:
            return answer.result
        if any(i not in self.answers for i in parts):
            return None
        self.finished += 1
        whole = answer if job.part is None else self._whole([self.answers[i] for i in parts], job)
        if whole.result is not None and not whole.stopped:
            self.reporter.note(f"{self.finished}/{self.total} {job.name}: {_told(whole.result)}")
        return whole.result

    def _whole(self, parts: list[Answer], job: Job) -> Answer:
        """One result of all parts: the last one to finish collects, unless two did so at once."""
        for part in parts:
            if part.result is not None and (part.result.data or part.result.reason):
                return part
        return compute(replace(job, part=None, force=False), self.should_stop)


def _told(result: Result) -> str:
    """How a study ended, in a few words."""
    seconds = result.summary.get("wall_seconds")
    return result.reason if seconds is None else f"{result.status.value}, {seconds:.1f} s"


def _how_far(job: Job) -> str:
    """Name of a study in work, with the points that its sweep has so far."""
    points, definition = points_of(job.tables), read_definition(job.place)
    if points is None:
        return job.name
    # the store may also hold points of a sweep that was extended since
    mine = set(definition["points"]) if definition is not None else set()
    return f"{job.name} ({min(len(mine & PointStore(job.place).labels().keys()), points)}/{points})"


def _status(place: Path) -> Status | None:
    """How the result in a directory ended; None without one, or a damaged one, which the runner sets aside."""
    try:
        return Result.load(place / RESULT, arrays=False).status
    except ResultFileError:
        return None
