"""Computing the points of a sweep on an engine into the point store: what is missing, once, whatever comes between."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ehbilayer.files import ResultFileError
from ehbilayer.finishing import finished
from ehbilayer.reporting import Reporter, rough_time
from ehbilayer.results import Result, Status
from ehbilayer.sweep.adaptive import Place, Value, check_available, followed, next_places
from ehbilayer.sweep.collect import KIND, MISSING, OPEN, RETRIED, collect, count
from ehbilayer.sweep.definition import define, earlier_places, first_places, sweep_task
from ehbilayer.sweep.engines import Engine, Stop
from ehbilayer.sweep.lock import Shard
from ehbilayer.sweep.points import Point, Sweep
from ehbilayer.sweep.store import UNRESOLVED, PointStore, label_of
from ehbilayer.sweep.worker import STATES, Job
from ehbilayer.units import parse_duration

RATE_SECONDS = 60.0  # over which the rate is taken
TELL_SECONDS = 0.1  # between two lines of progress at least


@dataclass
class Campaign:
    """One run over a sweep: which points, what is done, and how fast it goes.

    Parameters
    ----------
    sweep, place, shard : what is computed, where, and which part of it.
    retry : compute failed points again where that may help.
    backend, threads : of every point.
    """

    sweep: Sweep
    place: Path
    engine: Engine
    reporter: Reporter
    should_stop: Stop
    shard: Shard | None = None
    retry: bool = False
    backend: str = "numpy"
    threads: int = 1
    store: PointStore = field(init=False)
    labels: dict[str, str] = field(init=False)
    points: list[Point] = field(default_factory=list)
    looked_at: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)
    times: list[float] = field(default_factory=list)
    told: float = 0.0
    values: dict[str, Value | None] = field(default_factory=dict)
    phases: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = PointStore(self.place)
        self.labels = {}

    @property
    def total(self) -> int:
        """How many points there are to be."""
        adaptive = self.sweep.options.mode == "adaptive"
        return max(self.sweep.options.points, len(self.sweep.points)) if adaptive else len(self.sweep.points)

    def run(self) -> Result:
        """Compute what is missing and collect; the caller holds the lock.

        Raises ResultFileError if a point cannot be written (what was written is intact).
        """
        self.store.prepare()
        if self.shard is None:
            self.store.sweep_up()
        self.labels = self.store.labels()
        if self.sweep.options.mode == "adaptive":
            self._adaptive()
        else:
            self.points = self.sweep.points
            define(self.place, self.sweep, self.points, self.total)
            part = slice(None) if self.shard is None else slice(self.shard[0] - 1, None, self.shard[1])
            self._compute(self.points[part])
        self.reporter.done()
        return self._result()

    def _compute(self, points: list[Point]) -> None:
        """Compute those of the points that the store lacks."""
        points = [p for p in points if p.key not in self.looked_at]
        begins, self.looked_at = not self.looked_at, self.looked_at | {p.key for p in points}
        self._set_damaged_aside(points)
        again = RETRIED if self.retry else ()
        todo = [p for p in points if self.labels.get(p.key, MISSING) in (*OPEN, *again)]
        if begins and len(todo) < len(points):
            self.reporter.note(f"{len(points) - len(todo)} of {len(points)} points are there already")
        jobs = (self._job(point) for point in todo)
        for outcome in self.engine.results(jobs, self.should_stop, self._progress):
            self.store.write(outcome.key, outcome.result, outcome.raw, self.labels.get(outcome.key))
            self.labels[outcome.key] = label_of(outcome.result)
            self.times.append(time.monotonic())
            self._progress("")

    def _set_damaged_aside(self, points: list[Point]) -> None:
        for point in points:
            label = self.labels.get(point.key, MISSING)
            if label != MISSING and self.store.is_damaged(point.key, label):
                aside = self.store.set_aside(point.key, label)
                self.reporter.warn(f"{self.store.path(point.key, label)} is damaged; set aside as {aside.name}, "
                                   "computing the point again")
                del self.labels[point.key]

    def _job(self, point: Point) -> Job:
        """What a worker needs for a point: its own unfinished state if there is one, else a neighbour if asked for."""
        options, study = self.sweep.options, self.sweep.study
        initial, before, label = None, 0.0, self.labels.get(point.key, MISSING)
        if label in STATES:
            initial, before = self._state(point.key, label)
        resumed = initial is not None
        if initial is None and self.sweep.first.warm:
            initial = self._neighbour(point)
        return Job(point.key, point.values, self.sweep.tables(point.values), study.name, str(study.folder.resolve()),
                   tuple(options.keep), None if options.point_time is None else parse_duration(options.point_time),
                   self.backend, self.threads, initial, resumed, before)

    def _state(self, key: str, label: str) -> tuple[bytes | None, float]:
        """Content of an unfinished point's file if it holds a state, and the seconds that went into it."""
        try:
            raw = self.store.path(key, label).read_bytes()
            result = Result.from_bytes(raw, key, arrays=True)
        except (OSError, ResultFileError):
            return None, 0.0
        return (raw if result.data else None), float(result.summary.get("wall_seconds") or 0.0)

    def _neighbour(self, point: Point) -> bytes | None:
        """Content of the file of the nearest converged point, counted in steps along the axes."""
        here = self._steps(point)
        finished_ones = [p for p in self.points if self.labels.get(p.key) in (Status.converged.value, UNRESOLVED)]
        for other in sorted(finished_ones, key=lambda p: float(np.linalg.norm(self._steps(p) - here)))[:1]:
            try:
                return self.store.path(other.key, self.labels[other.key]).read_bytes()
            except OSError:
                return None
        return None

    def _steps(self, point: Point) -> np.ndarray:
        """Position of a point: the number of its value on each axis, or its fraction of a chosen range."""
        return np.array([float(a.values.index(point.values[a.key])) if point.values[a.key] in a.values else
                         a.fraction(point.values[a.key]) * (len(a.values) - 1) for a in self.sweep.axes])

    def _progress(self, here: str) -> None:
        if time.monotonic() - self.told < TELL_SECONDS:
            return
        self.told = time.monotonic()
        counts = count([self.labels.get(p.key, MISSING) for p in self.points], self.total)
        left = counts["missing"] if self.shard is None else counts["missing"] // self.shard[1]
        text = f"{counts['done']}/{self.total} points"
        text += f", {counts['failed']} failed" if counts["failed"] else ""
        recent = [t for t in self.times[-1000:] if t > time.monotonic() - RATE_SECONDS]
        if recent:
            begin = self.began if len(recent) == len(self.times) else recent[0] - 1e-9
            rate = len(recent) / max(time.monotonic() - begin, 1e-9)
            text += f", {rate:.2g}/s" if rate >= 1 else f", {60 * rate:.2g}/min"
            text += f", {rough_time(left / rate)} left" if left else ""
        self.reporter.progress(f"{text}  {here}".rstrip())

    def _adaptive(self) -> None:
        """Compute the first points, then batch after batch of those that are chosen from all there are."""
        check_available()
        places = earlier_places(self.place, self.sweep) or first_places(self.sweep)
        self.points = [self._point_at(place) for place in places]
        while True:
            define(self.place, self.sweep, self.points, self.total, places)
            self._compute(self.points)
            if self.should_stop() is not None or len(self.points) >= self.total:
                return
            new = self._choose(places, min(self.sweep.options.batch, self.total - len(self.points)))
            if not new:
                return
            places += new
            self.points = [*self.points, *map(self._point_at, new)]

    def _choose(self, places: list[Place], room: int) -> list[Place]:
        """The next places, without those whose values round to a point that is there."""
        keys = {p.key for p in self.points}
        chosen = next_places(self._known(places), room, phases=self.sweep.options.refine == "margin")
        return [place for place in chosen if self._point_at(place).key not in keys]

    def _point_at(self, place: Place) -> Point:
        return self.sweep.point({a.key: a.at(x) for a, x in zip(self.sweep.axes, place, strict=True)})

    def _known(self, places: list[Place]) -> list[tuple[Place, Value | None]]:
        """The places with what is to be followed there, read once from each finished point."""
        for point in self.points:
            label = self.labels.get(point.key, MISSING)
            if point.key not in self.values and label not in OPEN:
                good = label in (Status.converged.value, UNRESOLVED)
                summary = self.store.read(point.key, label).summary if good else None
                self.values[point.key] = followed(summary, self.sweep.options.refine, self.phases)
        return [(place, self.values.get(point.key)) for place, point in zip(places, self.points, strict=True)]

    def _result(self) -> Result:
        stopped, seconds = self.should_stop(), time.monotonic() - self.began
        labels = self.store.labels()
        open_ones = [p for p in self.points if labels.get(p.key, MISSING) in OPEN]
        if self.shard is not None and open_ones:
            return self._part(labels, stopped, seconds)
        return collect(self.sweep, self.points, self.store, stopped, seconds, self.reporter, backend=self.backend,
                       total=self.total)

    def _part(self, labels: dict[str, str], stopped: Status | None, seconds: float) -> Result:
        """What one shard can say while others are not done: counts, no arrays."""
        assert self.shard is not None
        ends = [labels.get(p.key, MISSING) for p in self.points]
        own = count(ends[self.shard[0] - 1::self.shard[1]], len(ends[self.shard[0] - 1::self.shard[1]]))
        status = stopped if stopped is not None and own["missing"] else (
            Status.not_converged if own["failed"] else Status.converged)
        summary = {"kind": self.sweep.study.kind, "status": status.value, **count(ends, self.total),
                   "mode": "grid", "axes": self.sweep.inputs["axes"], "shard": own | {"part": list(self.shard)}}
        return finished(Result(KIND, status, summary, {}), sweep_task(self.sweep), self.backend, seconds)
