"""The studies that figures need, each computed once, the longest first, on one process or several."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.numerics.parallel import each
from ehbilayer.papers.record import Results, Studies
from ehbilayer.results.base import Result
from ehbilayer.results.files import DEFINITION, RESULT, ResultFileError
from ehbilayer.run import runner
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.sweep.definition import COLLECTED, read_definition
from ehbilayer.sweep.lock import SweepLock
from ehbilayer.sweep.store import PointStore

STOPPED = (Status.interrupted, Status.timeout)
SHOW_SECONDS = 1.0  # between two looks at how far the studies in work are
# typical seconds of a study, of a point of its sweep or scan, or of one start; only the order depends on them
SECONDS = {"phase-diagram": 1.2, "phases": 1.2, "few-body": 10.0, "crystal": 5.0, "hartree-fock": 4.0, "phonons": 0.6,
           "pairing": 1.0, "compressibility": 0.4, "condensate": 5.0, "device": 5.0}
CRYSTAL_POINT, LONG = 0.1, 60.0  # a named crystal; infinitely many holes, or a search with Gaussians
USUAL_HOLES = 36  # that the seconds belong to; they grow as the square of the number
DIVIDED = 20.0  # seconds from which on processes share the points of a sweep
Stop = Callable[[], Status | None]


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
    """What came of a job: its result, or why there is none; and warnings on the way. Skipped: it was not begun."""

    result: Result | None
    reason: str = ""
    warnings: tuple[str, ...] = ()
    skipped: bool = False

    @property
    def stopped(self) -> bool:
        """Whether it was ended before it was done."""
        return self.skipped or (self.result is not None and self.result.status in STOPPED)


class _Listener(Reporter):
    """Keeps warnings for the process that waits."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def compute(job: Job, should_stop: Stop) -> Answer:
    """Run a job in its directory; whatever goes wrong becomes a reason, but for a second Ctrl-C."""
    if should_stop() is not None:
        return Answer(None, skipped=True)
    heard = _Listener()
    try:
        study = make_study(job.tables, name=job.place.name)
        resume = not job.force and _unfinished(job.place)  # a sweep that is forced and resumed would keep its points
        result = runner.run(study, job.place, resume=resume, force=job.force, threads=job.threads, reporter=heard,
                            shard=job.part, should_stop=should_stop)
    except Exception as error:
        if os.environ.get("EHB_DEBUG"):
            raise
        return Answer(None, words(error), tuple(heard.warnings))
    return Answer(result, "", tuple(heard.warnings))


def words(error: Exception) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, InputError | ResultFileError) else f"{type(error).__name__}: {text}"


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
        if workers > 1 and grid and expected(tables) > DIVIDED and (force or not _finished(job.place)):
            parts = min(workers, points_of(tables) or 1)
            found += [replace(job, part=f"{i + 1}/{parts}") for i in range(parts)]
        else:
            found.append(job)
    return found


def computed(studies: Studies, place: Callable[[str], Path], should_stop: Stop, reporter: Reporter, *,
             workers: int = 1, force: bool = False) -> Iterator[tuple[str, Answer]]:
    """Yield (name, answer) of studies as they are done.

    Parameters
    ----------
    studies : what to compute.   place : name -> directory of its result; what is there is used.
    should_stop : when it returns a status, those in work are ended with their state kept and no others begin.
    reporter : told how far it is, and all warnings.
    workers : processes, each with one BLAS thread; the results do not depend on their number.
    force : compute again what is there.
    """
    jobs = [_begun_anew(job) for job in jobs_of(studies, place, workers=workers, force=force)]
    watch = _Watch(jobs, workers, should_stop, reporter)
    for number, answer in each(compute, jobs, workers=workers, should_stop=watch, warn=reporter.warn):
        for text in answer.warnings:
            reporter.warn(f"{jobs[number].name}: {text}")
        done = watch.done(number, answer)
        if done is not None:
            if not done.stopped:
                watch.tell(jobs[number].name, done)
            yield jobs[number].name, done
            if done.stopped:
                return
    reporter.done()


def _begun_anew(job: Job) -> Job:
    """Forget the old points of a sweep in parts before they begin: the first one done would collect the others'."""
    if not job.force or job.part is None:
        return job
    if job.place.is_dir():
        with SweepLock(job.place, None, Reporter()):
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

    def done(self, number: int, answer: Answer) -> Answer | None:
        """Note an answer. Returns that of the whole study once all of its parts are there."""
        self.answers[number] = answer
        job = self.jobs[number]
        parts = [i for i, other in enumerate(self.jobs) if other.name == job.name]
        if answer.stopped:
            return answer
        if any(i not in self.answers for i in parts):
            return None
        self.finished += 1
        return answer if job.part is None else self._whole([self.answers[i] for i in parts], job)

    def _whole(self, parts: list[Answer], job: Job) -> Answer:
        """One result of all parts: the last one to finish collects, unless two did so at once."""
        for part in parts:
            if part.reason or (part.result is not None and part.result.data):
                return part
        return compute(replace(job, part=None, force=False), self.should_stop)

    def tell(self, name: str, answer: Answer) -> None:
        """A line on a study that is done."""
        text = answer.reason
        if answer.result is not None:
            seconds = float(answer.result.summary.get("wall_seconds") or 0.0)
            text = f"{answer.result.status.value}, {seconds:.1f} s"
        self.reporter.note(f"{self.finished}/{self.total} {name}: {text}")


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


def _unfinished(place: Path) -> bool:
    """Whether the directory holds a result that was stopped; one that ended badly is not tried again."""
    return _status(place) in STOPPED


def _finished(place: Path) -> bool:
    return _status(place) not in (None, *STOPPED)


def results_of(studies: Studies, answers: dict[str, Answer]) -> Results:
    """The results of studies that all have one."""
    return {name: result for name in studies if (result := answers[name].result) is not None}
