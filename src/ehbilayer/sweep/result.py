"""The result of a sweep: its points as arrays over the swept keys, over the candidates where phases compete."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ehbilayer.results.base import Result, Variable, entry
from ehbilayer.studies.axes import AXIS_UNITS, SWEPT
from ehbilayer.sweep.boundaries import Boundary

CANDIDATE = "candidate"


@dataclass(frozen=True)
class Failure:
    """A point without a result: the swept values, how it ended, and why."""

    coordinates: dict[str, Any] = entry("swept key and value")
    status: str = entry("how it ended")
    reason: str = entry("why", "")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SweepResult(Result):
    """All points of a sweep.

    The arrays have the axes of a grid, or one axis ``point`` where the points were chosen. What the candidates of a
    competition have in common, such as ``energies`` and ``statuses``, has a last axis ``candidate``. Numbers are NaN
    where a point is missing or has none; ``status`` says how each ended.
    """

    kind: ClassVar[str] = "sweep"
    study_kind: str = entry("kind of the study", key="kind")
    points: int = entry("points there are to be")
    done: int = entry("points with a result")
    failed: int = entry("points without")
    unresolved: int = entry("points whose margin lies within the numerical error", 0)
    missing: int = entry("points still to be computed", 0)
    failed_by_reason: dict[str, int] | None = entry("failed points by how they ended", None)
    mode: str = entry("grid | adaptive")
    axes: dict[str, Any] = entry("swept keys and their values, as in the study")
    failures: tuple[Failure, ...] = entry("the first failed points", ())
    show: tuple[str, ...] = entry("numbers to look at first", ())
    boundaries: tuple[Boundary, ...] = entry("where phases change, along the axis of a sweep that has one", ())
    shard: dict[str, Any] | None = entry("the part that one of several runs computes, and its counts", None)

    @classmethod
    def upgraded(cls, data: dict[str, Variable]) -> dict[str, Variable]:
        """Format 1 had an array per candidate, and axes without their units."""
        axes = {name: replace(v, units=AXIS_UNITS.get(name, v.units)) for name, v in data.items()
                if v.description == SWEPT and v.units == "1" and v.values.dtype.kind in "if"}
        return stacked(data | axes)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names of the candidates, where phases compete."""
        return tuple(self.data[CANDIDATE].values.tolist()) if CANDIDATE in self.data else ()

    def array(self, name: str) -> Variable:
        """An array by its name, or its part of one candidate: ``energies``, ``energies.liquid``, ``gap.electron``.

        Raises KeyError if there is none.
        """
        if name in self.data:
            return self.data[name]
        head, _, rest = name.partition(".")
        candidate, _, key = rest.partition(".")
        if candidate not in self.candidates:
            raise KeyError(name)
        whole = self.data[f"{head}.{key}" if key else head]
        place = whole.dims.index(CANDIDATE)
        values = np.take(whole.values, self.candidates.index(candidate), place)
        return replace(whole, dims=whole.dims[:place] + whole.dims[place + 1:], values=values)

    def one_by_one(self) -> Iterator[tuple[str, Variable]]:
        """All arrays by their names, those over the candidates as one of each, see `array`."""
        for name, v in self.data.items():
            if CANDIDATE not in v.dims:
                yield name, v
            elif name != CANDIDATE:
                head, _, rest = name.partition(".")
                for candidate in self.candidates:
                    one = f"{head}.{candidate}" + (f".{rest}" if rest else "")
                    yield one, self.array(one)

    def has(self, name: str) -> bool:
        """Whether `array` knows a name."""
        try:
            self.array(name)
        except KeyError:
            return False
        return True

    def only(self, names: Sequence[str]) -> SweepResult:
        """The same sweep with these candidates."""
        which = [self.candidates.index(name) for name in names]
        return replace(self, data={
            name: replace(v, values=np.take(v.values, which, v.dims.index(CANDIDATE))) if CANDIDATE in v.dims else v
            for name, v in self.data.items()})


def stacked(data: dict[str, Variable]) -> dict[str, Variable]:
    """Arrays called ``energies.liquid``, ``candidates.liquid.gap.hole``, ... as one over the candidates.

    The candidates are those that have a ``statuses.NAME``; without any, nothing changes.
    """
    names = [name.removeprefix("statuses.") for name in data if name.startswith("statuses.")]
    if not names:
        return data
    groups: dict[str, dict[str, Variable]] = {}
    out: dict[str, Variable] = {}
    for name, variable in data.items():
        head, *rest = name.split(".")
        if rest and rest[0] in names:
            groups.setdefault(".".join([head, *rest[1:]]), {})[rest[0]] = variable
        else:
            out[name] = variable
    axes = len(data[f"statuses.{names[0]}"].dims)
    out[CANDIDATE] = Variable((CANDIDATE,), np.array(names), "1", "candidates of the competition")
    return out | {key: _over_candidates(key, found, names, axes) for key, found in groups.items()}


def _over_candidates(key: str, found: dict[str, Variable], names: list[str], axes: int) -> Variable:
    """One array over all candidates, empty where one has none."""
    sample = next(iter(found.values()))
    kinds, shape = {v.values.dtype.kind for v in found.values()}, sample.values.shape
    if "U" in kinds:
        blank: Any = np.full(shape, "")
    elif len(found) == len(names) and len(kinds) == 1:
        blank = np.zeros(shape, sample.values.dtype)
    else:
        blank = np.full(shape, math.nan)
    values = np.stack([found[name].values if name in found else blank for name in names], axis=axes)
    extra = (f"{key}_index",) * (sample.values.ndim - axes)
    return Variable((*sample.dims[:axes], CANDIDATE, *extra), values, sample.units, sample.description)
