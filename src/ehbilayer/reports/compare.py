"""Two results of one kind beside each other: what differs in what was asked, in words, and in numbers.

A number differs beyond the errors where |a - b| > error(a) + error(b). The error of a number is what its result says of
it (`error_of`); else

    SLACK r |x| + ROUNDING

with r the residual or tolerance that the solver was left with, as what is not variational is right to first order in r;
without these it is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.results.base import Result
from ehbilayer.results.fields import TWINS
from ehbilayer.sweep.columns import described_entry, flatten
from ehbilayer.sweep.load import load
from ehbilayer.sweep.result import SweepResult

ENDINGS = ("_error", "_uncertainty")  # of an entry that says the error of another
# entries whose errors have names of their own, in the same table: sums, the first one that is there
ERRORS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "energy": (("error",), ("uncertainty",), ("basis_error", "solver_error")),
    "energy_per_hole": (("error",),), "energy_per_pair": (("mesh_error",),), "energy_per_particle": (("basis_error",),),
    "binding_energy": (("uncertainty",),), "margin": (("numerical_error",), ("uncertainty",)),
    "alpha_squared": (("uncertainty",), ("basis_error", "solver_error")),
}
SLACK, ROUNDING = 10.0, 1e-10
LONGEST = 50  # characters of what was asked
NO_NUMBERS = {"seconds", "wall_seconds", "iterations", "fock_builds", "evaluations", "residual", "residual_target",
              "seed", "points", "done", "missing", "hash", "error", "uncertainty"}  # of the way, not of the answer


@dataclass(frozen=True)
class Asked:
    """A key that differs in what was asked; None where it is not there."""

    key: str
    a: Any
    b: Any


@dataclass(frozen=True)
class Number:
    """A number that differs.

    error : of the difference, None where neither result knows one.   origin : which entries say so.
    where : the point of a sweep at which it differs most, empty for other results.
    differing : at how many points.
    """

    key: str
    unit: str
    a: float
    b: float
    error: float | None
    origin: str
    where: str = ""
    differing: int = 1

    @property
    def difference(self) -> float:
        """b - a."""
        return self.b - self.a

    @property
    def beyond(self) -> bool | None:
        """Whether it differs by more than the errors; None where these are not known."""
        return None if self.error is None else abs(self.difference) > self.error


@dataclass(frozen=True)
class Comparison:
    """What differs between two results of one kind; all that is not named is equal."""

    kind: str
    asked: tuple[Asked, ...]
    words: tuple[Asked, ...]
    numbers: tuple[Number, ...]
    equal: int
    points: int | None = None
    apart: int = 0

    @property
    def same(self) -> bool:
        """Whether no word differs, and no number beyond its errors."""
        return not (self.words or self.apart or any(n.beyond is not False for n in self.numbers))


def compare(a: Result | str | Path, b: Result | str | Path) -> Comparison:
    """What differs between two results.

    Parameters
    ----------
    a, b : results of one kind, or paths that `ehbilayer.load` takes. Points of sweeps are compared where both have one
        at the same swept values.

    Returns
    -------
    Comparison: the keys of the study that differ, words such as phases, and numbers with units, errors and whether they
    differ ``beyond`` them.

    Raises
    ------
    InputError : results of two kinds, sweeps over other keys; what `ehbilayer.load` raises.
    """
    one, two = (x if isinstance(x, Result) else load(x) for x in (a, b))
    kinds = [f"a sweep of {r.study_kind}" if isinstance(r, SweepResult) else r.kind for r in (one, two)]
    if kinds[0] != kinds[1]:
        raise InputError("results", "of one kind", " and ".join(kinds), "compare what answers the same question")
    asked = _asked(_study(one), _study(two))
    if isinstance(one, SweepResult) and isinstance(two, SweepResult):
        return _sweeps(one, two, asked)
    flat = [dict(flatten(r.summary)) for r in (one, two)]
    words, numbers, equal = [], [], 0
    for key in dict.fromkeys([*flat[0], *flat[1]]):
        if _is_no_answer(key, flat[0] | flat[1]):
            continue
        left, right = (f.get(key) for f in flat)
        if left == right:
            equal += 1
        elif left is not None and right is not None and _is_number(left) and _is_number(right):
            found = [error_of(key, f, r) for f, r in zip(flat, (one, two), strict=True)]
            numbers.append(Number(key, described_entry(key, [type(one)])[0], left, right, *_both(found)))
        else:
            words.append(Asked(key, left, right))
    if one.status is not two.status:
        words.insert(0, Asked("status", one.status.value, two.status.value))
    return Comparison(kinds[0], asked, tuple(words), tuple(numbers), equal)


def error_of(key: str, flat: Mapping[str, Any], result: Result) -> tuple[float | None, str]:
    """The error of a number, and what says so: ``gap.electron`` by ``gap_error.electron`` or ``gap_error``, those of
    ERRORS, else the residual or tolerance of the solver times its size."""
    path = key.split(".")
    for i in range(len(path) - 1, -1, -1):
        for ending in ENDINGS:
            base = [*path[:i], path[i] + ending]
            for name in (".".join([*base, *path[i + 1:]]), ".".join(base)):
                if _is_number(flat.get(name)):
                    return abs(float(flat[name])), name
    table = "".join(f"{p}." for p in path[:-1])
    for names in ERRORS.get(path[-1], ()):
        there = [flat.get(table + name) for name in names]
        if all(_is_number(x) for x in there):
            return sum(abs(x) for x in there if x is not None), " + ".join(names)
    left = _solver(flat, result)
    return (None, "") if left is None else (SLACK * left[0] * abs(float(flat[key])) + ROUNDING, left[1])


def _solver(flat: Mapping[str, Any], result: Result) -> tuple[float, str] | None:
    """How exact the solver was, relative: the residual, else the largest tolerance asked."""
    if _is_number(flat.get("residual")):
        return abs(float(flat["residual"])), "residual"
    asked = [v for k, v in _leaves(_study(result)) if k.split(".")[-1] == "tolerance" and _is_number(v)]
    return (max(asked), "tolerance") if asked else None


def _both(found: list[tuple[float | None, str]]) -> tuple[float | None, str]:
    """The sum of both errors, where both are known."""
    errors = [error for error, _ in found if error is not None]
    origin = " and ".join(dict.fromkeys(name for _, name in found if name))
    return (sum(errors), origin) if len(errors) == 2 else (None, origin)


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x)


def _is_no_answer(key: str, flat: Mapping[str, Any]) -> bool:
    """Whether it is of the way to the answer, the error of a number, or another number in meV or K."""
    head, *rest = key.split(".")
    if {head, *rest} & NO_NUMBERS or any(part.endswith(ENDINGS) for part in (head, *rest)):
        return True
    return any(head.endswith(e) and ".".join([head.removesuffix(e), *rest]) in flat for e in TWINS)


def _study(result: Result) -> dict[str, Any]:
    """What was asked: the study with its defaults, without one the inputs of the method."""
    return dict(result.provenance.study) or result.inputs


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, below in value.items():
        if isinstance(below, Mapping):
            yield from _leaves(below, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", below


def _asked(one: Mapping[str, Any], two: Mapping[str, Any]) -> tuple[Asked, ...]:
    left, right = dict(_leaves(one)), dict(_leaves(two))
    return tuple(Asked(key, left.get(key), right.get(key)) for key in dict.fromkeys([*left, *right])
                 if left.get(key) != right.get(key) and key != "points")


def _sweeps(one: SweepResult, two: SweepResult, asked: tuple[Asked, ...]) -> Comparison:
    """The points that both have: words by how often they differ, numbers by where they differ most."""
    if set(one.axes) != set(two.axes):
        raise InputError("results", "sweeps over the same keys", " and ".join(", ".join(r.axes) for r in (one, two)),
                         "compare sweeps of the same axes")
    places = [_places(r, tuple(one.axes)) for r in (one, two)]
    common = [p for p in places[0] if p in places[1]]
    index = [np.array([found[p] for p in common], dtype=int) for found in places]
    columns = [_points(r) for r in (one, two)]
    words, numbers, equal = [], [], 0
    for key in (k for k in columns[0] if k in columns[1]):
        if key in one.axes or _is_no_answer(key, columns[0]):
            continue
        left, right = (c[key][i] for c, i in zip(columns, index, strict=True))
        if left.dtype.kind in "fiu" and right.dtype.kind in "fiu":
            gap = np.abs(right.astype(float) - left)
            some = np.flatnonzero(gap > 0)
            if len(some):
                numbers.append(_largest(key, (one, two), columns, index, gap, some, common))
        else:
            some = np.flatnonzero(left != right)
            if len(some):
                words.append(Asked(f"{key} at {len(some)} points, first {_where(one, common[some[0]])}",
                                   left[some[0]].item(), right[some[0]].item()))
        equal += not len(some)
    apart = len(places[0]) + len(places[1]) - 2 * len(common)
    return Comparison(f"a sweep of {one.study_kind}", asked, tuple(words), tuple(numbers), equal, len(common), apart)


def _largest(key: str, results: tuple[SweepResult, SweepResult], columns: list[dict[str, np.ndarray]],
             index: list[np.ndarray], gap: np.ndarray, some: np.ndarray, common: list[tuple[Any, ...]]) -> Number:
    """The point at which a number differs most, in errors where these are known."""
    found = []
    for i in some:
        rows = [{name: c[name][at[i]].item() for name in c} for c, at in zip(columns, index, strict=True)]
        error, origin = _both([error_of(key, row, r) for row, r in zip(rows, results, strict=True)])
        weight = gap[i] / error if error else (math.inf if error == 0 else gap[i])
        found.append((weight, gap[i], i, rows, error, origin))
    _, _, i, rows, error, origin = max(found, key=lambda x: x[:2])
    return Number(key, results[0].array(key).units, rows[0][key], rows[1][key], error, origin,
                  _where(results[0], common[i]), len(some))


def _places(result: SweepResult, keys: tuple[str, ...]) -> dict[tuple[Any, ...], int]:
    """Swept values of every point, and its place."""
    dims, shape = result.data["status"].dims, result.data["status"].values.shape
    values = [result.data[k].values[np.indices(shape)[dims.index(k)].ravel()] if k in dims else
              result.data[k].values for k in keys]
    return {tuple(x.tolist()): i for i, x in enumerate(np.array(list(zip(*values, strict=True)), dtype=object))}


def _points(result: SweepResult) -> dict[str, np.ndarray]:
    """Every array with one value at each point, those over candidates one by one."""
    dims = result.data["status"].dims
    return {name: v.values.ravel() for name, v in result.one_by_one() if v.dims == dims}


def _where(result: SweepResult, point: tuple[Any, ...]) -> str:
    return ", ".join(f"{k.split('.')[-1]} = {x:.6g}" if isinstance(x, float) else f"{k.split('.')[-1]} = {x}"
                     for k, x in zip(result.axes, point, strict=True))


def rows(found: Comparison) -> list[tuple[str, str]]:
    """The table of a comparison: label and text; what differs beyond the errors first."""
    told = [("kind", found.kind)]
    if found.points is not None:
        apart = f", {found.apart} in one of both alone" if found.apart else ""
        told.append(("points", f"{found.points} compared{apart}"))
    told += [(f"asked: {d.key}", f"{_shown(d.a)} | {_shown(d.b)}") for d in found.asked]
    told += [(d.key, f"{_shown(d.a)} | {_shown(d.b)}") for d in found.words]
    ranked = sorted(found.numbers, key=lambda n: {True: 0, None: 1, False: 2}[n.beyond])
    told += [(n.key, _told(n)) for n in ranked]
    verdict = "nothing differs beyond the errors" if found.same else "they differ"
    return [*told, ("equal", f"{found.equal} entries"), ("verdict", verdict)]


def _told(n: Number) -> str:
    unit = "" if n.unit == "1" else f" {n.unit}"
    errors = "errors not known" if n.error is None else \
        f"{'BEYOND' if n.beyond else 'within'} {n.error:.1e} ({n.origin})"
    many = f"; at {n.differing} points, most at {n.where}" if n.where else ""
    return f"{n.a:.10g} | {n.b:.10g}{unit}, {n.difference:+.2e}, {errors}{many}"


def _shown(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST - 3]}..."
