"""From the points of a sweep to one result: every number of their summaries as an array over the axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ehbilayer.phases.result import CompetitionResult
from ehbilayer.results.base import Result, Variable
from ehbilayer.results.files import ResultFileError
from ehbilayer.run.finishing import finished
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status
from ehbilayer.studies.axes import Axis
from ehbilayer.studies.task import Task
from ehbilayer.sweep.boundaries import Boundary, boundaries
from ehbilayer.sweep.columns import column, described_entry, flatten
from ehbilayer.sweep.points import Point, Sweep
from ehbilayer.sweep.result import Failure, SweepResult, stacked
from ehbilayer.sweep.rows import GOOD
from ehbilayer.sweep.store import UNRESOLVED, PointStore
from ehbilayer.units import Scales

LISTED = 20  # failures named in the summary
MISSING = "missing"
OPEN = (Status.interrupted.value, MISSING)  # points that are still to be computed
RESERVED = {"complex": "complex_name"}  # names that a file keeps for itself
RETRIED = (Status.worker_died.value, Status.timeout.value)  # failures that another attempt may mend


@dataclass(frozen=True)
class Layout:
    """How the points of a sweep become arrays.

    kind : of the study.   mode : ``grid`` or ``adaptive``.   axes : the swept keys.
    scales : units that all points share.   keep, show : arrays to keep, numbers to look at first.
    """

    kind: str
    mode: str
    axes: tuple[Axis, ...]
    scales: Scales
    keep: tuple[str, ...] = ()
    show: tuple[str, ...] = ()

    @classmethod
    def of(cls, sweep: Sweep) -> Layout:
        """The layout of a sweep that is being computed."""
        options = sweep.options
        return cls(sweep.study.kind, options.mode, sweep.axes, sweep.scales, tuple(options.keep), tuple(options.show))


def read_points(store: PointStore, points: list[Point],
                damaged: Callable[[Point, str, ResultFileError], None]) -> tuple[list[str], list[Result | None]]:
    """Label and result (without arrays) of each point; one whose file is ``damaged`` is told of, and missing."""
    labels, found = store.labels(), []
    ends: list[str] = []
    for point in points:
        label, result = labels.get(point.key, MISSING), None
        if label != MISSING:
            try:
                result = store.read(point.key, label)
            except ResultFileError as error:
                if not error.damaged:
                    raise
                damaged(point, label, error)
                label = MISSING
        ends.append(label)
        found.append(result)
    return ends, found


def count(labels: list[str], total: int) -> dict[str, Any]:
    """Points: all, done, failed, unresolved and missing, and the failed ones by reason."""
    reasons: dict[str, int] = {}
    for label in labels:
        if label not in (Status.converged.value, UNRESOLVED, *OPEN):
            reasons[label] = reasons.get(label, 0) + 1
    unresolved = labels.count(UNRESOLVED)
    done, failed = labels.count(Status.converged.value) + unresolved, sum(reasons.values())
    return {"points": total, "done": done, "failed": failed, "unresolved": unresolved,
            "missing": total - done - failed, "failed_by_reason": reasons}


def collect(sweep: Sweep, points: list[Point], store: PointStore, stopped: Status | None, seconds: float,
            reporter: Reporter, *, backend: str, total: int) -> Result:
    """One `SweepResult` of all points there are; a damaged file is set aside.

    Parameters
    ----------
    points : in order; those of a grid are all of it.   total : how many there are to be.
    stopped : why it ended early, if it did.   seconds : spent in this run.
    """
    def set_aside(point: Point, label: str, error: ResultFileError) -> None:
        reporter.warn(f"{error}; set aside as {store.set_aside(point.key, label).name}")

    result = gather(Layout.of(sweep), points, store, total, set_aside, reporter, stopped)
    unknown = [name for name in (*sweep.options.keep, *sweep.options.show) if not result.has(name)]
    if unknown and result.done:
        reporter.warn(f"no point has {', '.join(unknown)} as one number or array that all share; left out")
    resolved = {"axes": result.axes, "options": sweep.options.model_dump(), "first_point": sweep.first.resolved}
    task = Task(sweep.first.study, sweep.scales, sweep.inputs, resolved, (), sweep.first.solve, sweep.first.seed)
    return finished(result, task, backend, seconds)


def gather(layout: Layout, points: list[Point], store: PointStore, total: int,
           damaged: Callable[[Point, str, ResultFileError], None], reporter: Reporter,
           stopped: Status | None = None) -> SweepResult:
    """The points there are as arrays, without provenance; see `collect`."""
    labels, results = read_points(store, points, damaged)
    counts = count(labels, total)
    whole = Status.not_converged if counts["failed"] else Status.converged
    status = stopped if stopped is not None and counts["missing"] else whole
    if status is Status.converged and counts["missing"]:
        status = Status.interrupted
    failures = tuple(Failure(p.values, label, _reason(r)) for p, label, r in zip(points, labels, results, strict=True)
                     if label in counts["failed_by_reason"])
    data = _data(layout, points, labels, results, store, reporter)
    return SweepResult(
        status=status, advice=_advice(status, counts), study_kind=layout.kind, **counts, mode=layout.mode,
        axes={a.key: list(a.values) for a in layout.axes}, failures=failures[:LISTED], show=layout.show,
        boundaries=_boundaries(layout, data, results), data=data)


def _boundaries(layout: Layout, data: dict[str, Variable], results: list[Result | None]) -> tuple[Boundary, ...]:
    """Of a competition along one axis of numbers."""
    axis = data[layout.axes[0].key].values
    if len(layout.axes) > 1 or axis.dtype.kind not in "if":
        return ()
    return boundaries([float(x) for x in axis], [r if isinstance(r, CompetitionResult) else None for r in results])


def _advice(status: Status, counts: dict[str, Any]) -> str:
    if status is not Status.not_converged:
        return status.advice
    again = sum(counts["failed_by_reason"].get(reason, 0) for reason in RETRIED)
    return "look at the failures; " + (f"--resume tries {again} of them again" if again else
                                       "they would end alike again, so change the study")


def _reason(result: Result | None) -> str:
    return "" if result is None else result.reason or result.status.advice


def _data(layout: Layout, points: list[Point], labels: list[str], results: list[Result | None],
          store: PointStore, reporter: Reporter) -> dict[str, Variable]:
    """Coordinates, labels, and one array for each number or text of the summaries."""
    on_grid = layout.mode == "grid"
    shape = tuple(len(a.values) for a in layout.axes) if on_grid else (len(points),)
    dims = tuple(a.key for a in layout.axes) if on_grid else ("point",)
    data: dict[str, Variable] = {}
    for axis in layout.axes:
        given = axis.values if on_grid else tuple(p.values[axis.key] for p in points)
        values, unit, said = axis.coordinates(given, layout.scales)
        data[axis.key] = Variable((axis.key,) if on_grid else dims, np.array(values), unit, said)
    ends = [Status.converged.value if label == UNRESOLVED else label for label in labels]
    data["status"] = Variable(dims, np.array(ends, dtype=str).reshape(shape), "1", "how each point ended")
    flat = [dict(flatten(r.summary)) if r is not None else {} for r in results]
    if any("margin" in row for row in flat):
        close = np.array([label == UNRESOLVED for label in labels])
        data["unresolved"] = Variable(dims, close.reshape(shape), "1", "margin within the numerical error")
    classes = list(dict.fromkeys(type(r) for r in results if r is not None))
    for name in dict.fromkeys(name for row in flat for name in row):
        found, stored = column([row.get(name) for row in flat]), RESERVED.get(name, name)
        if found is not None and stored not in data:
            extra = (f"{stored}_index",) * (found.ndim - 1)
            data[stored] = Variable((*dims, *extra), found.reshape(*shape, *found.shape[1:]),
                                    *described_entry(name, classes))
    data = stacked(data)
    kept = {name: _stack(name, points, labels, store, shape, dims, reporter) for name in layout.keep
            if name not in data}
    found_kept = {name: v for name, v in kept.items() if v is not None}
    # a coordinate that differs from point to point cannot be called like its axis
    moved = {name for name, v in found_kept.items() if name in v.dims and len(v.dims) > 1}
    for name, v in found_kept.items():
        over = tuple(f"{d}_index" if d in moved else d for d in v.dims)
        data[name] = Variable(over, v.values, v.units, v.description)
    return data


def _stack(name: str, points: list[Point], labels: list[str], store: PointStore, shape: tuple[int, ...],
           dims: tuple[str, ...], reporter: Reporter) -> Variable | None:
    """An array of the points over the axes, NaN where one lacks it; None where their shapes differ or none has it.

    A coordinate that is the same at all points is that alone.
    """
    found: list[Variable | None] = []
    for point, label in zip(points, labels, strict=True):
        there = label != MISSING
        found.append(store.read(point.key, label, arrays=True).data.get(name) if there else None)
    sample = next((v for v in found if v is not None), None)
    if sample is None or sample.values.dtype.kind not in "fiub" or any(
            v is not None and v.values.shape != sample.values.shape for v in found):
        return None
    bare = sum(v is None and label in GOOD for v, label in zip(found, labels, strict=True))
    if bare:
        reporter.warn(f"{bare} finished points have no {name}; if they were computed before it was to be kept, --force "
                      "computes them again")
    if sample.dims == (name,) and all(v is None or np.array_equal(v.values, sample.values) for v in found):
        return sample
    blank = np.full(sample.values.shape, np.nan)
    values = np.stack([blank if v is None else v.values for v in found])
    return Variable((*dims, *sample.dims), values.reshape(*shape, *sample.values.shape), sample.units,
                    sample.description)
