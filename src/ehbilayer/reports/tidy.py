"""A result of any kind as plain tables: one of its summary, and one of each group of arrays over the same axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ehbilayer.results.base import Result, Variable
from ehbilayer.results.variable import positions
from ehbilayer.sweep.columns import described_entry, flatten
from ehbilayer.sweep.result import SweepResult

POINTS = "points"  # the table of a sweep, a row for every point


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one length by their headings, ``name [unit]``; the axes of the arrays first."""

    name: str
    columns: dict[str, list[Any]]

    @property
    def rows(self) -> Iterator[tuple[Any, ...]]:
        return zip(*self.columns.values(), strict=True)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


def tables(result: Result) -> list[Table]:
    """The summary as rows of entry, value, unit and meaning (not of a sweep, whose points say more), then the arrays: a
    row for every index of the axes they share, the coordinates along these first."""
    groups: dict[tuple[str, ...], dict[str, Variable]] = {}
    for name, variable in (positions(result.data) | result.data).items():
        if variable.dims != (name,):
            groups.setdefault(variable.dims, {})[name] = variable
    for dim in (d for d, v in result.data.items() if v.dims == (d,)):
        if not any(dim in dims for dims in groups):
            groups[dim,] = {}
    base = result.data["status"].dims if isinstance(result, SweepResult) else None
    first = [] if isinstance(result, SweepResult) else [_summary(result)]
    return first + [Table(_name(dims, base), _columns(result, dims, found)) for dims, found in groups.items()]


def _summary(result: Result) -> Table:
    found = list(flatten(result.summary))
    told = [described_entry(key, [type(result)]) for key, _ in found]
    head: list[tuple[str, Any, str, str]] = [("kind", result.kind, "1", "kind of study"),
                                             ("status", result.status.value, "1", "how it ended")]
    rows = head + [(key, value, unit, meaning) for (key, value), (unit, meaning) in zip(found, told, strict=True)]
    return Table("summary", {heading: [row[i] for row in rows]
                             for i, heading in enumerate(("entry", "value", "unit", "meaning"))})


def _name(dims: Sequence[str], base: Sequence[str] | None) -> str:
    if base is not None and tuple(dims[: len(base)]) == tuple(base):
        return "-".join([POINTS, *dims[len(base):]])
    return "-".join(dims) or "numbers"


def _columns(result: Result, dims: tuple[str, ...], found: dict[str, Variable]) -> dict[str, list[Any]]:
    lengths = {d: n for v in result.data.values() for d, n in zip(v.dims, v.values.shape, strict=True)}
    shape = tuple(lengths[d] for d in dims)
    columns: dict[str, list[Any]] = {}
    for dim, at in zip(dims, np.indices(shape).reshape(len(shape), -1), strict=True):
        along = result.data.get(dim)
        if along is None or along.dims != (dim,):
            along = Variable((dim,), np.arange(lengths[dim]), "1")
        columns[_heading(dim, along.units)] = along.values[at].tolist()
    for name, v in found.items():
        values = v.values.ravel()
        parts = {f"Re {name}": values.real, f"Im {name}": values.imag} if np.iscomplexobj(values) else {name: values}
        columns |= {_heading(part, v.units): x.tolist() for part, x in parts.items()}
    return columns


def _heading(name: str, unit: str) -> str:
    return name if unit == "1" else f"{name} [{unit}]"
