"""From the points of a sweep to one result: every number of their summaries as an array over the axes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ehbilayer.results.base import Result, Variable
from ehbilayer.results.fields import described
from ehbilayer.results.files import ResultFileError
from ehbilayer.run.finishing import finished
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status
from ehbilayer.studies.task import Task
from ehbilayer.sweep.points import Point, Sweep
from ehbilayer.sweep.result import Failure, SweepResult, stacked
from ehbilayer.sweep.rows import GOOD
from ehbilayer.sweep.store import UNRESOLVED, PointStore

LISTED = 20  # failures named in the summary
LONGEST_LIST = 1000
MISSING = "missing"
COMMON = ("kind", "status", "advice", "reason", "units", "versions", "format_version", "ignored", "backend", "seed",
          "scales")  # what all points share
OPEN = (Status.interrupted.value, MISSING)  # points that are still to be computed
UNITS = {"wall_seconds": "s"}  # of what every summary has
RESERVED = {"complex": "complex_name"}  # names that a file keeps for itself
RETRIED = (Status.worker_died.value, Status.timeout.value)  # failures that another attempt may mend


def read_points(store: PointStore, points: list[Point], reporter: Reporter) -> tuple[list[str], list[Result | None]]:
    """Label and result (without arrays) of each point; a damaged file is set aside and its point is missing."""
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
                reporter.warn(f"{error}; set aside as {store.set_aside(point.key, label).name}")
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
    """One `SweepResult` of all points there are.

    Parameters
    ----------
    points : in order; those of a grid are all of it.   total : how many there are to be.
    stopped : why it ended early, if it did.   seconds : spent in this run.
    """
    labels, results = read_points(store, points, reporter)
    counts = count(labels, total)
    whole = Status.not_converged if counts["failed"] else Status.converged
    status = stopped if stopped is not None and counts["missing"] else whole
    if status is Status.converged and counts["missing"]:
        status = Status.interrupted
    failures = tuple(Failure(p.values, label, _reason(r)) for p, label, r in zip(points, labels, results, strict=True)
                     if label in counts["failed_by_reason"])
    result = SweepResult(
        status=status, advice=_advice(status, counts), study_kind=sweep.study.kind, **counts, mode=sweep.options.mode,
        axes={a.key: list(a.values) for a in sweep.axes}, failures=failures[:LISTED], show=tuple(sweep.options.show),
        data=_data(sweep, points, labels, results, store, reporter))
    unknown = [name for name in (*sweep.options.keep, *sweep.options.show) if not result.has(name)]
    if unknown and counts["done"]:
        reporter.warn(f"no point has {', '.join(unknown)} as one number or array that all share; left out")
    resolved = {"axes": result.axes, "options": sweep.options.model_dump(), "first_point": sweep.first.resolved}
    task = Task(sweep.first.study, sweep.scales, sweep.inputs, resolved, (), sweep.first.solve, sweep.first.seed)
    return finished(result, task, backend, seconds)


def _advice(status: Status, counts: dict[str, Any]) -> str:
    if status is not Status.not_converged:
        return status.advice
    again = sum(counts["failed_by_reason"].get(reason, 0) for reason in RETRIED)
    return "look at the failures; " + (f"--resume tries {again} of them again" if again else
                                       "they would end alike again, so change the study")


def _reason(result: Result | None) -> str:
    return "" if result is None else result.reason or result.status.advice


def _data(sweep: Sweep, points: list[Point], labels: list[str], results: list[Result | None],
          store: PointStore, reporter: Reporter) -> dict[str, Variable]:
    """Coordinates, labels, and one array for each number or text of the summaries."""
    on_grid = sweep.options.mode == "grid"
    shape = tuple(len(a.values) for a in sweep.axes) if on_grid else (len(points),)
    dims = tuple(a.key for a in sweep.axes) if on_grid else ("point",)
    data: dict[str, Variable] = {}
    for axis in sweep.axes:
        given = axis.values if on_grid else tuple(p.values[axis.key] for p in points)
        values, unit, said = axis.coordinates(given, sweep.scales)
        data[axis.key] = Variable((axis.key,) if on_grid else dims, np.array(values), unit, said)
    ends = [Status.converged.value if label == UNRESOLVED else label for label in labels]
    data["status"] = Variable(dims, np.array(ends, dtype=str).reshape(shape), "1", "how each point ended")
    rows = [list(flatten(r.summary)) if r is not None else [] for r in results]
    flat = [{name: value for name, _, value in row} for row in rows]
    keys = {name: key for row in rows for name, key, _ in row}
    if any("margin" in row for row in flat):
        close = np.array([label == UNRESOLVED for label in labels])
        data["unresolved"] = Variable(dims, close.reshape(shape), "1", "margin within the numerical error")
    classes = list(dict.fromkeys(type(r) for r in results if r is not None))
    units = UNITS | sweep.first.all_units
    for name, key in keys.items():
        column = _column([row.get(name) for row in flat])
        stored = RESERVED.get(name, name)
        if column is not None and stored not in data:
            extra = (f"{stored}_index",) * (column.ndim - 1)
            data[stored] = Variable((*dims, *extra), column.reshape(*shape, *column.shape[1:]),
                                    *_described(name, key, classes, units))
    data = stacked(data)
    for name in sweep.options.keep:
        kept = _stack(name, points, labels, store, shape, dims, reporter)
        if kept is not None and name not in data:
            data[name] = kept
    return data


def flatten(value: Any, prefix: str = "", rows: str = "") -> Iterator[tuple[str, str, Any]]:
    """Numbers, texts and lists of numbers of a summary by dotted key, without what all points share.

    A list of rows with names, such as the candidates of a competition, becomes ``candidates.NAME.KEY``.

    Yields
    ------
    Name, the key that a unit is declared for (``candidates.KEY`` of all rows), and value.
    """
    for key, below in value.items():
        if not prefix and key in COMMON:
            continue
        name, declared = f"{prefix}{key}".replace("/", "-"), f"{rows or prefix}{key}"
        if isinstance(below, dict):
            yield from flatten(below, f"{name}.", f"{declared}.")
        elif _named_rows(below):
            for row in below:
                yield from flatten({k: v for k, v in row.items() if k != "name"}, f"{name}.{row['name']}.",
                                   f"{declared}.")
        elif isinstance(below, int | float | str) or (isinstance(below, list) and below and
                                                      all(type(x) in (int, float) for x in below)):
            yield name, declared, below


def _named_rows(value: Any) -> bool:
    """Whether a value is a list of tables that different names tell apart."""
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        return False
    names = [row.get("name") for row in value]
    return all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names)


def _column(values: list[Any]) -> np.ndarray | None:
    """Values of the points as an array, NaN or empty text where there is none; None where they do not match."""
    there = [v for v in values if v is not None]
    if any(isinstance(v, list) for v in there):
        lengths = {len(v) if isinstance(v, list) else -1 for v in there}
        if len(lengths) != 1 or not 0 < max(lengths) <= LONGEST_LIST:
            return None
        return np.array([v if v is not None else [math.nan] * max(lengths) for v in values], dtype=float)
    if any(isinstance(v, str) for v in there):
        return np.array(["" if v is None else str(v) for v in values], dtype=str)
    if len(there) == len(values) and all(type(v) is bool for v in there):
        return np.array(values, dtype=bool)
    if len(there) == len(values) and all(type(v) is int and abs(v) < 2**53 for v in there):
        return np.array(values, dtype=np.int64)
    return np.array([math.nan if v is None else float(v) for v in values])


def unit_of(key: str, units: dict[str, str]) -> str:
    """The unit that is declared for a dotted key, or for a table that it stands in; "1" for a pure number."""
    parts = key.split(".")
    return next((units[k] for k in (".".join(parts[:n]) for n in range(len(parts), 0, -1)) if k in units), "1")


def _described(name: str, key: str, classes: list[type[Result]], units: dict[str, str]) -> tuple[str, str]:
    """Unit and description of an entry: as the class of the points declares it, else as the task does its key."""
    found = next((d for d in (described(cls, name) for cls in classes) if d is not None), None)
    return found or (unit_of(key, units), " ".join(name.replace("_", " ").split(".")))


def _stack(name: str, points: list[Point], labels: list[str], store: PointStore, shape: tuple[int, ...],
           dims: tuple[str, ...], reporter: Reporter) -> Variable | None:
    """An array of the points over the axes, NaN where one lacks it; None where their shapes differ or none has it."""
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
    blank = np.full(sample.values.shape, np.nan)
    values = np.stack([blank if v is None else v.values for v in found])
    return Variable((*dims, *sample.dims), values.reshape(*shape, *sample.values.shape), sample.units,
                    sample.description)
