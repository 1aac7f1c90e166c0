"""What a directory of a sweep says it is (``sweep.json``), and what is told and forgotten before one begins."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ehbilayer.errors import InputError
from ehbilayer.results.base import Result
from ehbilayer.results.files import (
    DEFINITION,
    FIGURE,
    RESULT,
    SUMMARY,
    ResultFileError,
    atomic_write,
    holds,
    read_json,
    set_aside,
)
from ehbilayer.run.lock import Shard
from ehbilayer.run.reporting import Reporter
from ehbilayer.studies.file import digest
from ehbilayer.studies.task import Task
from ehbilayer.sweep.adaptive import Place
from ehbilayer.sweep.collect import MISSING, OPEN
from ehbilayer.sweep.engines import Engine
from ehbilayer.sweep.points import Point, Sweep
from ehbilayer.sweep.store import PointStore

COLLECTED = (RESULT, SUMMARY, FIGURE)


def define(place: Path, sweep: Sweep, points: list[Point], total: int, places: list[Place] | None = None) -> None:
    """Write what the sweep is, for `ehb status` and for those who resume it; ``places`` are those chosen so far."""
    content: dict[str, Any] = {"format_version": 1, "kind": sweep.study.kind, "hash": digest(sweep.inputs),
                               "mode": sweep.options.mode, "total": total, "axes": sweep.inputs["axes"],
                               "scales": sweep.scales.given(), "keep": sweep.options.keep, "show": sweep.options.show,
                               "points": [p.key for p in points]}
    if places is not None:
        content["places"] = [list(p) for p in places]
    raw, path = (json.dumps(content) + "\n").encode(), place / DEFINITION
    if not holds(path, raw):
        atomic_write(path, raw)


def sweep_task(sweep: Sweep, plan: tuple[str, ...] = ()) -> Task:
    """The sweep as a task: what identifies it, and the lines that say what is about to be computed."""
    return Task(sweep.first.study, sweep.scales, sweep.inputs, {"axes": sweep.inputs["axes"]}, plan, sweep.first.solve,
                sweep.first.seed)


def plan_of(sweep: Sweep, engine: Engine, shard: Shard | None) -> tuple[str, ...]:
    """Lines that say how large the sweep is and what its first point is."""
    lines = [f"  sweep      {a.key}: {len(a.values)} values, {a.values[0]} ... {a.values[-1]}" if len(a.values) > 1 else
             f"  sweep      {a.key} = {a.values[0]}" for a in sweep.axes]
    adaptive = sweep.options.mode == "adaptive"
    total = max(sweep.options.points, len(sweep.points)) if adaptive else len(sweep.points)
    part = f", of which part {shard[0]} of {shard[1]}" if shard else ""
    begin = f", {len(sweep.points)} of them on a grid, then {sweep.options.batch} at a time" if adaptive else ""
    checked = "" if sweep.checked >= len(sweep.points) or adaptive else f"; {sweep.checked} tried in advance"
    workers = f"{engine.workers} worker{'s' * (engine.workers != 1)}" if engine.workers else "workers of the scheduler"
    lines.append(f"  points     {total}{begin}{part}{checked}, {workers}")
    if sweep.options.start == "neighbour":
        rows = len(sweep.rows())
        lines.append(f"  start      each point from the one before it along {sweep.axes[-1].key}; {rows} "
                     f"row{'s' * (rows != 1)}, so at most {rows} point{'s' * (rows != 1)} at a time")
    left = sweep.first.study.given()
    lines += [f"  replaced   {key} (by the sweep)" for key in sweep.study.given() if key not in left]
    return (*lines, "  the first point:", *sweep.first.lines)


def rough_seconds(sweep: Sweep, engine: Engine, shard: Shard | None) -> float | None:
    """Of all points of a sweep, if each takes as long as the first; None where nobody knows."""
    if sweep.first.seconds is None or not engine.workers:
        return None
    adaptive = sweep.options.mode == "adaptive"
    total = max(sweep.options.points if adaptive else 0, len(sweep.points))
    return sweep.first.seconds * total / (engine.workers * (shard[1] if shard else 1))


def first_places(sweep: Sweep) -> list[Place]:
    steps = [[i / (len(a.values) - 1) for i in range(len(a.values))] for a in sweep.axes]
    return list(itertools.product(*steps))


def earlier_places(place: Path, sweep: Sweep) -> list[Place]:
    """The places that an earlier run of the same adaptive sweep chose."""
    definition = read_definition(place)
    if definition is None or definition.get("hash") != digest(sweep.inputs):
        return []
    return [tuple(float(x) for x in p) for p in definition.get("places") or []]


class _Definition(BaseModel):
    """What must stand in ``sweep.json``, and of which type."""

    model_config = ConfigDict(strict=True)
    kind: str
    hash: str
    mode: Literal["grid", "adaptive"]
    total: int = Field(ge=0)
    axes: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(min_length=1)
    points: list[str]
    scales: dict[Literal["electron_mass", "hole_mass", "dielectric"], float | None] = {}
    keep: list[str] = []
    show: list[str] = []
    places: list[list[float]] | None = None


def read_definition(place: Path) -> dict[str, Any] | None:
    """What ``sweep.json`` in a directory says, None if there is none or it cannot be read."""
    try:
        found = _Definition.model_validate(read_json(place / DEFINITION))
    except (ResultFileError, ValidationError):
        return None
    whole = found.mode == "adaptive" or len(found.points) == math.prod(map(len, found.axes.values()))
    return found.model_dump() if whole else None


def start_over(place: Path, sweep: Sweep, shard: Shard | None, *, keep_points: bool = False) -> None:
    """Forget the points of this sweep, or of one part of it, and what was collected.

    With ``keep_points`` only the latter: a sweep that was extended takes over the points that it shares with the old.
    """
    keys = [p.key for p in sweep.part(shard)]
    definition = read_definition(place)
    if shard is None and definition is not None and definition.get("hash") == digest(sweep.inputs):
        keys = [*keys, *definition["points"]]  # those that an adaptive sweep chose
    if not keep_points:
        PointStore(place).forget(set(keys))
    for name in (DEFINITION, *COLLECTED) if shard is None else COLLECTED:
        (place / name).unlink(missing_ok=True)


def refuse_other(place: Path, sweep: Sweep, reporter: Reporter) -> None:
    """Raises InputError if the directory holds another sweep; what says which one is set aside if it is damaged."""
    definition = read_definition(place)
    if definition is None and (place / DEFINITION).exists():
        aside = set_aside(place / DEFINITION)
        reporter.warn(f"{place / DEFINITION} is damaged; set aside as {aside.name}, written again")
    if definition is not None and definition.get("hash") != digest(sweep.inputs):
        raise InputError(str(place), "a directory without the points of another sweep", "one with such points",
                         "choose another directory with -o, or --force to replace it")


def ends_of(place: Path, definition: dict[str, Any]) -> tuple[list[str], list[str]]:
    """How each point of a sweep ended, in order, and the keys of those whose files the next run sets aside.

    These are missing; no array is loaded, and 10 000 points take seconds.
    """
    store = PointStore(place)
    labels = store.labels()
    damaged = {key for key in definition["points"] if key in labels and store.fault(key, labels[key])}
    ends = [MISSING if key in damaged else labels.get(key, MISSING) for key in definition["points"]]
    return ends, sorted(damaged)


def is_whole(place: Path, sweep: Sweep, result: Result, *, resume: bool) -> bool:
    """Whether the collected result of a sweep says all: nothing to resume, no point damaged or gone since.

    Points that were removed together, with their folder, are not missed.
    """
    if result.summary["missing"] or (resume and result.summary["failed"]):
        return False
    definition = read_definition(place)
    keys = [p.key for p in sweep.points]
    if definition is None or definition["points"][:len(keys)] != keys:
        return False
    return not PointStore(place).folder.is_dir() or not set(ends_of(place, definition)[0]) & {*OPEN}
