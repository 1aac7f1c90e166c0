"""The table of a sweep of any kind: how many points, which winners, ranges of its numbers, and what failed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.studies.kinds import kind_of
from ehbilayer.studies.text import status_row, time_row
from ehbilayer.sweep.result import SweepResult

WORDS = ("winner", "phase")
LISTED = 5  # failures, and numbers
ANY = ("energy",)  # of a kind that does not say which of its numbers to show
WIDTH, MOST = 120, 60  # characters of a line, and points that are printed


def rows(result: SweepResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    done = f"{result.done} of {result.points} done"
    more = [f"{count} {what}" for what, count in left(result).items() if count]
    found = [status_row(result), ("points", ", ".join([done, *more]))]
    found += [(f"axis {key}", _axis(values, result.mode == "adaptive")) for key, values in result.axes.items()]
    if result.shard:
        own, (part, parts) = result.shard, result.shard["part"]
        found.append((f"part {part}/{parts}", f"{own['done']} of {own['points']} done, {own['failed']} failed"))
    found += _winners(result)
    found += [("boundary" if b.particles == "finite" else "N to infinity",
               f"{b.below} to {b.above} at {b.value:.6g} +- {b.uncertainty:.1g}") for b in result.boundaries]
    numbers = [(name, _range(result, name)) for name in main_numbers(result)[:LISTED]]
    found += [(name, text) for name, text in numbers if text]
    found += [("failed", f"{where(f.coordinates)}: {f.status}, {f.reason}") for f in result.failures[:LISTED]]
    return [*found, time_row(result)]


def left(result: SweepResult) -> dict[str, int]:
    """How many points have no result, or an uncertain one."""
    return {"failed": result.failed, "missing": result.missing, "unresolved": result.unresolved}


def main_numbers(result: SweepResult) -> list[str]:
    """Names of the numbers to look at first: those that the study names under ``show``, else those of its kind."""
    shown = [name for name in result.show if result.has(name)]
    if shown:
        return shown
    if "winner" in result.data and "margin" in result.data:
        return ["margin"]
    numbers = [n for n, v in result.data.items() if n not in result.axes and v.values.dtype.kind == "f"
               and v.dims == result.data["status"].dims and np.isfinite(v.values).any()]
    kind = kind_of(str(result.summary.get("kind")))
    swept = ANY if kind is None else getattr(kind.part("table"), "SWEPT", ANY)
    return [n for key in swept for n in numbers if n.split(".")[0] == key]


def where(coordinates: dict[str, Any]) -> str:
    """``density.rs_hole = 8, bilayer.spacing = 1`` of a point."""
    return ", ".join(f"{key} = {value}" for key, value in coordinates.items())


def _axis(values: list[Any], chosen: bool) -> str:
    if chosen:
        return f"chosen between {values[0]} and {values[-1]}"
    return f"{len(values)} values, {values[0]} ... {values[-1]}" if len(values) > 1 else str(values[0])


def _winners(result: SweepResult) -> list[tuple[str, str]]:
    found = []
    for name in WORDS:
        if name in result.data:
            words, numbers = np.unique(result.data[name].values[_good(result)], return_counts=True)
            ranked = sorted(zip(numbers.tolist(), words.tolist(), strict=True), reverse=True)
            text = ", ".join(f"{number} {word}" for number, word in ranked if word)
            found += [(name, text)] if text else []
    return found


def _good(result: SweepResult) -> np.ndarray:
    """Which points are converged; the state in which another one was left is no result."""
    good: np.ndarray = result.data["status"].values == Status.converged.value
    return good


def _range(result: SweepResult, name: str) -> str:
    values, unit = result.array(name).values, result.array(name).units
    if values.shape == result.data["status"].values.shape:
        values = values[_good(result)]
    known = values[np.isfinite(values)]
    return f"{known.min():.8g} ... {known.max():.8g} {unit if unit != '1' else ''}".rstrip() if known.size else ""


def points(result: Result) -> list[str]:
    """Lines of a table with a point in each: swept values, how it ended where not all converged, words, and the numbers
    to look at first, as many as fit; nothing for what is no sweep."""
    if not isinstance(result, SweepResult) or "status" not in result.data:
        return []
    base = result.data["status"]
    place = np.indices(base.values.shape).reshape(base.values.ndim, -1)
    columns: dict[str, list[str]] = {}
    for key in result.axes:
        v = result.data[key]
        along = v.values if v.dims == base.dims else v.values[place[base.dims.index(key)]]
        columns[_heading(key, v.units)] = [_cell(x) for x in np.ravel(along)]
    words = ["status"] * (not _good(result).all()) + [w for w in WORDS if w in result.data]
    for name in dict.fromkeys([*words, *main_numbers(result)]):
        v = result.array(name)
        if v.values.shape == base.values.shape:
            columns[_heading(name, v.units)] = [_cell(x) for x in v.values.ravel()]
    widths = {h: max(len(h), *map(len, cells)) for h, cells in columns.items() if cells}
    fits = [h for i, h in enumerate(widths) if 2 * (i + 1) + sum(list(widths.values())[:i + 1]) <= WIDTH]
    lines = ["  ".join(["", *(h.rjust(widths[h]) for h in fits)])]
    lines += ["  ".join(["", *(columns[h][i].rjust(widths[h]) for h in fits)])
              for i in range(min(base.values.size, MOST))]
    left = base.values.size - MOST
    more = f"{left} more points" * (left > 0) + " and " * (left > 0 < len(widths) - len(fits)) + \
        f"{len(widths) - len(fits)} more columns" * (len(fits) < len(widths))
    return [*lines, f"  {more}: ehb export --csv has all"] if more else lines


def _heading(key: str, unit: str) -> str:
    short = key.split(".", 1)[1] if key.startswith(("bilayer.", "density.", "cell.")) else key
    return short if unit == "1" else f"{short} ({unit})"


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return "-" if np.isnan(value) else f"{value:.7g}"
    return str(value) or "-"
