"""Computing the points of a sweep on an engine into the point store: what is missing, once, whatever comes between."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ehbilayer.results.base import Result
from ehbilayer.results.files import ResultFileError, read_bytes
from ehbilayer.results.owners import remove_abandoned
from ehbilayer.run.finishing import finished
from ehbilayer.run.lock import Shard
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status
from ehbilayer.studies.text import rough_time
from ehbilayer.sweep.adaptive import Place, Value, check_available, followed, next_places
from ehbilayer.sweep.collect import MISSING, OPEN, RETRIED, collect, count
from ehbilayer.sweep.definition import define, earlier_places, first_places, sweep_task
from ehbilayer.sweep.engines import Engine, Stop
from ehbilayer.sweep.points import Point, Sweep
from ehbilayer.sweep.result import SweepResult
from ehbilayer.sweep.rows import GOOD, started_from
from ehbilayer.sweep.store import PointStore, label_of
from ehbilayer.sweep.table import where
from ehbilayer.sweep.worker import STATES, Job
from ehbilayer.units import parse_duration

RATE_SECONDS = 60.0  # over which the rate is taken
TELL_SECONDS, TELL_PART = 0.1, 0.05  # between two lines of progress at least, and the part of the time they take


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
    tell_at: float = 0.0
    values: dict[str, Value | None] = field(default_factory=dict)
    phases: dict[str, int] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = PointStore(self.place)
        self.labels = {}
        self.engine.warn, asked = self.reporter.warn, self.should_stop
        self.should_stop = lambda: asked() or self.engine.lost

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
        remove_abandoned(self.store.folder)
        self.labels = self.store.labels()
        result = self._round()
        if self.should_stop() is None and self.labels.keys() - self.store.labels().keys():
            # files whose fault only reading shows were set aside while they were collected
            self.labels, self.looked_at, self.values = self.store.labels(), set(), {}
            result = self._round()
        return result

    def _round(self) -> Result:
        if self.sweep.options.mode == "adaptive":
            self._adaptive()
        else:
            self.points = self.sweep.points
            define(self.place, self.sweep, self.points, self.total)
            if self.sweep.options.start == "neighbour":
                self._compute_rows(self.sweep.rows(self.shard))
            else:
                self._compute(self.sweep.part(self.shard))
        self.reporter.done()
        return self._result()

    def _compute(self, points: list[Point]) -> None:
        """Compute those of the points that the store lacks."""
        points = [p for p in points if p.key not in self.looked_at]
        begins, self.looked_at = not self.looked_at, self.looked_at | {p.key for p in points}
        self._set_damaged_aside(points)
        there = sum(not self._is_open(p) for p in points)
        if begins and there and self.sweep.options.start == "cold":
            self._tell(there, len(points))
        jobs = (self._job(point) for point in points if self._is_open(point))
        for outcome in self.engine.results(jobs, self.should_stop, self._progress):
            self.store.write(outcome.key, outcome.result, outcome.raw, self.labels.get(outcome.key))
            self.labels[outcome.key] = label_of(outcome.result)
            self.states.pop(outcome.key, None)
            self.times.append(time.monotonic())
            self._progress("")

    def _is_open(self, point: Point) -> bool:
        """Whether a point is to be computed, as far as the name of its file says."""
        return self.labels.get(point.key, MISSING) in (*OPEN, *(RETRIED if self.retry else ()))

    def _tell(self, there: int, total: int) -> None:
        self.reporter.note(f"{there} of {total} points are there already")

    def _compute_rows(self, rows: list[list[Point]]) -> None:
        """Compute rows of points that start from their neighbours: the first of every row, then the second, ..."""
        there = sum(not self._is_open(p) for row in rows for p in row)
        if there:
            self._tell(there, sum(map(len, rows)))
        for k in range(len(self.sweep.axes[-1].values)):
            ready = [row for row in rows if not any(self.labels.get(p.key, MISSING) in OPEN for p in row[:k])]
            self.before |= {row[k].key: [p.key for p in row[:k]] for row in ready}
            for row in ready:
                self._forget_other_start(row[k])
            self._compute([row[k] for row in ready])
            if self.should_stop() is not None:
                return

    def _forget_other_start(self, point: Point) -> None:
        """Remove a finished point whose start is another now, as a point before it has been computed again since.

        One whose file lacks what the next point starts from is set aside.
        """
        label = self.labels.get(point.key, MISSING)
        if label in OPEN:
            return
        try:
            inputs = self.store.read(point.key, label).inputs
        except ResultFileError as error:
            if not error.damaged:
                raise
            self._set_aside(point, str(error.was))
            return
        if label in GOOD and inputs.get("state") is None:
            aside = self.store.set_aside(point.key, label)
            self.reporter.warn(f"{self.store.path(point.key, label)} lacks the state that the next point starts from; "
                               f"set aside as {aside.name}, computing the point again")
        elif inputs.get("started_from") != self._start(point):
            self.store.forget([point.key])
            self.reporter.note(f"computing {where(point.values)} again: it starts from another point now")
        else:
            return
        del self.labels[point.key]

    def _start(self, point: Point) -> dict[str, Any]:
        """What the file of a point says about its start: from which point, and the digest of that one's state."""
        key = started_from(self.before[point.key], self.labels)
        if key is not None and key not in self.states:
            self.states[key] = self.store.read(key, self.labels[key]).inputs["state"]
        return {"point": key, "state": None if key is None else self.states[key]}

    def _set_damaged_aside(self, points: list[Point]) -> None:
        for number, point in enumerate(points):
            label = self.labels.get(point.key, MISSING)
            if self.should_stop() is not None:
                return
            if label != MISSING:
                self.reporter.progress(f"checking the files: {number}/{len(points)}")
            if label != MISSING and (fault := self.store.fault(point.key, label)):
                self._set_aside(point, fault)

    def _set_aside(self, point: Point, fault: str) -> None:
        label = self.labels.pop(point.key)
        aside = self.store.set_aside(point.key, label)
        self.reporter.warn(f"{self.store.path(point.key, label)}: {fault}; set aside as {aside.name}, "
                           "computing the point again")

    def _job(self, point: Point) -> Job:
        """What a worker needs for a point, its own unfinished state and its neighbour's included."""
        options, study = self.sweep.options, self.sweep.study
        initial, before, label = None, 0.0, self.labels.get(point.key, MISSING)
        start, neighbour, linked = None, None, options.start == "neighbour"
        if linked:
            start = self._start(point)
            neighbour = None if start["point"] is None else read_bytes(self.store.path(
                start["point"], self.labels[start["point"]]))
        if label in STATES and not (linked and label == Status.interrupted):  # that one begins anew, to the same bits
            initial, before = self._state(point.key, label)
        return Job(point.key, point.values, self.sweep.tables(point.values), study.name, str(study.folder.resolve()),
                   tuple(options.keep), None if options.point_time is None else parse_duration(options.point_time),
                   self.backend, self.threads, initial, before, start, neighbour)

    def _state(self, key: str, label: str) -> tuple[bytes | None, float]:
        """Content of an unfinished point's file if it holds a state, and the seconds that went into it."""
        try:
            raw = read_bytes(self.store.path(key, label))
            result = Result.from_bytes(raw, key, arrays=True)
        except ResultFileError:
            return None, 0.0
        return (raw if result.data else None), result.provenance.wall_seconds

    def _progress(self, here: str) -> None:
        now = time.monotonic()
        if now < self.tell_at:
            return
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
        self.tell_at = now + max(TELL_SECONDS, (time.monotonic() - now) / TELL_PART)  # counting a million takes a while

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
                summary = None
                if label in GOOD:
                    with contextlib.suppress(ResultFileError):  # set aside when it is collected
                        summary = self.store.read(point.key, label).summary
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
        mine = [labels.get(p.key, MISSING) for p in self.sweep.part(self.shard)]
        own = count(mine, len(mine))
        status = stopped if stopped is not None and own["missing"] else (
            Status.not_converged if own["failed"] else Status.converged)
        part = SweepResult(status=status, study_kind=self.sweep.study.kind, **count(ends, self.total), mode="grid",
                           axes=self.sweep.inputs["axes"], shard=own | {"part": list(self.shard)})
        return finished(part, sweep_task(self.sweep), self.backend, seconds)
