"""From a study with a [sweep] to its points: a study and a name for each, checked before anything is computed."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ehbilayer.errors import InputError, shorten
from ehbilayer.hooks import Hooks
from ehbilayer.run.lock import Shard
from ehbilayer.studies.axes import Axis, SweepOptions, check_size, grid, make_axis, split_sweep
from ehbilayer.studies.file import Study, make_study
from ehbilayer.studies.kinds import study_kind
from ehbilayer.studies.tables import alternatives, tables
from ehbilayer.studies.task import Task, prepare
from ehbilayer.sweep.rows import check_neighbours
from ehbilayer.sweep.store import point_key
from ehbilayer.units import Scales

CHECK_SECONDS = 5.0  # for preparing all points of a grid in advance, after the values of every axis and the corners
DEVICE_KEYS = ("bilayer.material", "bilayer.electron_mass", "bilayer.hole_mass", "bilayer.dielectric",
               "screening.dielectric_in_plane", "screening.dielectric_out_of_plane")
ADAPTIVE_AXES, FIRST_COUNT = 2, {1: 9, 2: 5}  # axes at most; values per axis before the first choice


@dataclass(frozen=True)
class Point:
    """One point: swept key -> value, and the name of its file."""

    values: dict[str, Any]
    key: str


@dataclass(frozen=True)
class Sweep:
    """A checked sweep.

    Parameters
    ----------
    study : the study with the [sweep].   axes, options : what it says.
    first : the task of the first point.
    extra : inputs of every point that do not stand in the study, such as the digest of a start file.
    checked : how many points were prepared in advance.
    hooks : told how many points have names, and asked whether to go on.
    """

    study: Study
    axes: tuple[Axis, ...]
    options: SweepOptions
    first: Task
    extra: dict[str, Any]
    checked: int = 0
    hooks: Hooks = field(default_factory=Hooks, compare=False, repr=False)

    @property
    def kind(self) -> str:
        """Kind of the points."""
        return kind_of_points(self.study)

    def tables(self, values: dict[str, Any]) -> dict[str, Any]:
        """The study file of a point."""
        return point_tables(self.study, values)

    def point(self, values: dict[str, Any], before: Sequence[Point] = ()) -> Point:
        """The point with these values. Raises InputError for values that are not valid.

        ``before`` ends with the point before it in its row. Where points start from their neighbours its key goes into
        this one's, and so, one through the other, the values of all points before: one that began differently has
        another name.
        """
        study = make_study(self.tables(values), name=self.study.name, folder=self.study.folder)
        inputs = study.canonical() | self.extra
        if self.options.start == "neighbour":
            inputs |= {"start": {"from": self.options.start, "after": before[-1].key if before else None}}
        return Point(values, point_key(inputs))

    @cached_property
    def points(self) -> list[Point]:
        """All points of a grid, the last axis running fastest; the first ones of an adaptive sweep.

        Raises Ended when ``hooks`` say so.
        """
        found: list[Point] = []
        total = math.prod(len(axis.values) for axis in self.axes)
        for number, values in enumerate(grid(self.axes)):
            self.hooks.look(f"naming the points: {number}/{total}")
            found.append(self.point(values, found[-1:] if number % len(self.axes[-1].values) else ()))
        return found

    def rows(self, shard: Shard | None = None) -> list[list[Point]]:
        """The points of a grid in rows along the last axis: all, or those of one of several parts."""
        length = len(self.axes[-1].values)
        rows = [self.points[i : i + length] for i in range(0, len(self.points), length)]
        return rows[_which(shard)]

    def part(self, shard: Shard | None) -> list[Point]:
        """The points of one of several parts; whole rows where they start from their neighbours."""
        if self.options.start == "cold":
            return self.points[_which(shard)]
        return [point for row in self.rows(shard) for point in row]

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """What identifies the sweep."""
        options: dict[str, Any] = {"mode": self.options.mode, "keep": sorted(self.options.keep)}
        if self.options.mode == "adaptive":
            options |= {"points": self.options.points, "refine": self.options.refine, "batch": self.options.batch}
        if self.options.start == "neighbour":
            options["start"] = self.options.start
        return {"kind": self.study.kind, "sweep": options, "axes": {a.key: list(a.values) for a in self.axes},
                "points": [p.key for p in self.points]}

    @property
    def scales(self) -> Scales:
        """Units that all points share; unknown where the device itself is swept."""
        return Scales() if any(a.key in DEVICE_KEYS for a in self.axes) else self.first.scales


def _which(shard: Shard | None) -> slice:
    return slice(None) if shard is None else slice(shard[0] - 1, None, shard[1])


def kind_of_points(study: Study) -> str:
    """The kind of the points of a study with a [sweep]."""
    return study_kind(study.kind).points or study.kind


def point_tables(study: Study, values: dict[str, Any]) -> dict[str, Any]:
    """The tables of a study without its [sweep], each swept key in place of its alternatives."""
    written = study.written() | {"kind": kind_of_points(study)}
    written.pop("sweep", None)
    for dotted, value in values.items():
        name, key = dotted.split(".", 1)
        table = written.setdefault(name, {})
        for other in alternatives(dotted):
            table.pop(other.split(".", 1)[1], None)
        table[key] = value
    return written


def prepare_sweep(study: Study, hooks: Hooks | None = None) -> Sweep:
    """The points of a study with a [sweep], checked; computes none.

    ``hooks`` are told how far it is and asked whether to go on.

    Every value of every axis is tried, and the corners of the grid; then all other points as long as that takes
    seconds. What is not tried in advance is recorded as invalid when its turn comes.

    Raises
    ------
    InputError : no axis, a value that cannot be computed (named), two axes that say the same, a key without effect.
    Ended : when ``hooks`` say so.
    """
    if not study.sweep:
        raise InputError("sweep", "given, with at least one key", "missing",
                         f'kind {study.kind} needs e.g. [sweep] "density.rs_hole" = [4, 6, 8]')
    written, options = split_sweep(study.sweep)
    axes = [make_axis(key, given) for key, given in written.items()]
    chosen = SweepOptions.model_validate(options)
    if not axes:
        raise InputError("sweep", "given with at least one key of the study", sorted(options),
                         'e.g. "density.rs_hole" = [4, 6, 8]')
    _check_alternatives(axes)
    if chosen.mode == "adaptive":
        axes = [_first_values(axis, len(axes)) for axis in axes]
    check_size(axes)
    return _checked(study, tuple(axes), chosen, hooks or Hooks())


def _checked(study: Study, axes: tuple[Axis, ...], options: SweepOptions, hooks: Hooks) -> Sweep:
    first_values = {a.key: a.values[0] for a in axes}
    began, count = time.monotonic(), 0
    first: Task | None = None
    extras: dict[str, Any] = {}
    for must, values in _candidates(axes):
        if not must and time.monotonic() - began > CHECK_SECONDS:
            break
        hooks.look(f"checking the points: {count}")
        task = _prepare(study, values, first_values)
        first, count = first or task, count + 1
        extras = _extra(task) if count == 1 else extras
        if extras != _extra(task):
            raise InputError("sweep", "without files that differ from point to point", "with such files",
                             "run one study per file")
    assert first is not None
    _check_effect(study, axes, first_values)
    check_neighbours(study.kind, axes, options, first)
    sweep = Sweep(study, axes, options, first, extras, count, hooks)
    _check_differ(sweep)
    return sweep


def _check_differ(sweep: Sweep) -> None:
    """Every point of the grid is another one, wherever it starts from and in whatever units its values are."""
    for axis in sweep.axes:
        same = axis.same(sweep.scales)
        if same is not None:
            raise _equal({axis.key: same[0]}, {axis.key: same[1]})
    seen: dict[str, dict[str, Any]] = {}
    if sweep.options.start != "cold":  # the names say where points start from, so equal points have different ones
        sweep = replace(sweep, options=sweep.options.model_copy(update={"start": "cold"}))
    for point in sweep.points:
        if seen.setdefault(point.key, point.values) is not point.values:
            raise _equal(seen[point.key], point.values)


def _equal(one: dict[str, Any], other: dict[str, Any]) -> InputError:
    return InputError("sweep", "values that differ", f"{shorten(one)} and {shorten(other)}, which are the same point",
                      "give each value once")


def _candidates(axes: tuple[Axis, ...]) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Points to try: those that must be (every value of every axis, corners), then the others."""
    keys = [a.key for a in axes]
    first = {a.key: a.values[0] for a in axes}
    yield True, first
    for axis in axes:
        yield from ((True, first | {axis.key: value}) for value in axis.values[1:])
    for corner in itertools.product(*({0, len(a.values) - 1} for a in axes[:8])):
        if sum(i > 0 for i in corner) > 1:
            yield True, first | {a.key: a.values[i] for a, i in zip(axes, corner, strict=False)}
    for values in itertools.product(*(a.values for a in axes)):
        yield False, dict(zip(keys, values, strict=True))


def _prepare(study: Study, values: dict[str, Any], first: dict[str, Any]) -> Task:
    """The task of a point; an error names the axis and the value that are to blame."""
    try:
        return prepare(make_study(point_tables(study, values), name=study.name, folder=study.folder))
    except InputError as error:
        moved = [key for key in values if values[key] is not first[key]]
        blamed = [error.argument] if error.argument in values and len(moved) < 2 else moved
        if not blamed:
            raise
        if blamed == [error.argument]:
            raise InputError(f'sweep."{error.argument}"', error.must, error.was, error.todo) from None
        where = ", ".join(f"{key} = {shorten(values[key])!r}" for key in blamed)
        raise InputError(f"sweep, {where}: {error.argument}", error.must, error.was, error.todo) from None


def _extra(task: Task) -> dict[str, Any]:
    """Inputs of a task that its study does not show."""
    return {k: v for k, v in task.inputs.items() if k != "kind" and k not in tables()}


def _check_alternatives(axes: list[Axis]) -> None:
    for axis, other in itertools.combinations(axes, 2):
        if other.key in alternatives(axis.key):
            raise InputError(f'sweep."{other.key}"', f"swept alone, as it says the same as {axis.key}",
                             f'given together with "{axis.key}"', "keep one of them")


def _check_effect(study: Study, axes: tuple[Axis, ...], first: dict[str, Any]) -> None:
    """Every swept key is used by some of the points."""
    for axis in axes:
        studies = (make_study(point_tables(study, first | {axis.key: value})) for value in axis.values)
        if not any(axis.key in s.used() for s in studies):
            raise InputError(f'sweep."{axis.key}"', f"a key that {study.kind} uses here", "one that it ignores",
                             "remove this axis")


def _first_values(axis: Axis, axes: int) -> Axis:
    """An axis of an adaptive sweep with the values that it begins with."""
    if axes > ADAPTIVE_AXES:
        raise InputError("sweep.mode", f'"grid" with more than {ADAPTIVE_AXES} axes', "adaptive", "sweep fewer keys")
    if axis.start is None:
        raise InputError(f'sweep."{axis.key}"', 'a range {start = .., stop = ..} where mode = "adaptive"', "a list",
                         "give the ends of the range")
    count = len(axis.values) or FIRST_COUNT[axes]
    values = tuple(axis.at(i / (count - 1)) for i in range(count))
    return Axis(axis.key, values, axis.start, axis.stop, axis.unit, axis.log)
