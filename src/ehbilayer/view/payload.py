"""From what a run has left to the plain data of a report.

A single result is a report of one point. Of a sweep the numbers come from its arrays, cautions and studies from the
files of its points, as do arrays that it keeps. What would make the page too long is rounded first, then left out, and
the report says so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.figures.real_units import MAKE_UNITS_DIFFER, device_known
from ehbilayer.figures.style import OTHERS, PHASE_COLOURS
from ehbilayer.results.base import Result
from ehbilayer.results.files import ResultFileError
from ehbilayer.status import Status
from ehbilayer.studies.kinds import kind_of, rows
from ehbilayer.sweep.columns import described_entry, flatten
from ehbilayer.sweep.definition import read_definition
from ehbilayer.sweep.load import last_run, load
from ehbilayer.sweep.maps import axis_line, in_order, title_of
from ehbilayer.sweep.result import SweepResult
from ehbilayer.sweep.store import PointStore
from ehbilayer.sweep.table import main_numbers
from ehbilayer.view.data import Axis, Caution, Column, Panel, Report, Studies, Words
from ehbilayer.view.panels import panels_of, single
from ehbilayer.view.scales import units_of
from ehbilayer.view.studies import literal, studies

LARGEST_NUMBERS, LARGEST_PANELS = 10_000_000, 5_000_000  # bytes of all columns, of all charts
MOST_WORDS = 1000  # different ones in a column
CAUTIONS = ("caution", "caveat")  # labels of rows of the table of a result
PHASE_WORDS = ("winner", "phase")
DOUBLE, SINGLE = 10, 7  # digits to show


def report_of(place: Path) -> Report:
    """The report of a result file or of the directory of a run or sweep. Raises as `load`."""
    result = load(place)
    if not isinstance(result, Result):
        raise InputError(str(place), "a result", type(result).__name__, "give what `ehb run` has left")
    own = place.resolve().name or str(place)
    title = own if place.is_dir() else f"{place.resolve().parent.name}/{own}"
    found = _sweep(result, place, title) if isinstance(result, SweepResult) else _single(result, title)
    told = last_run(place) if place.is_dir() else ""
    return replace(found, cautions=(*([Caution(told)] if told else []), *found.cautions))


@dataclass
class _Points:
    """What the files of the points say beside their numbers."""

    study: Mapping[str, Any] = field(default_factory=dict)
    axes: Mapping[str, Any] = field(default_factory=dict)
    cautions: dict[str, list[int]] = field(default_factory=dict)
    panels: dict[str, tuple[Panel, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def _single(result: Result, title: str) -> Report:
    """One point."""
    flat = dict(flatten(result.summary))
    columns, said = [], []
    for name, value in flat.items():
        if isinstance(value, str):
            said.append(Words(name, title_of(name), (value,), np.zeros(1, np.int32)))
        elif not isinstance(value, list):
            unit, meaning = described_entry(name, [type(result)])
            columns.append(Column(name, title_of(name), unit, meaning, np.array([float(value)])))
    table = tuple(rows(result))
    kind = kind_of(result.kind)
    swept = getattr(kind.part("table"), "SWEPT", ()) if kind else ()
    first = [c.name for key in swept for c in columns if c.name.split(".")[0] == key]
    panels = panels_of(result)
    size = sum(a.nbytes for panel in panels for a in _arrays(panel))
    notes = []
    if size > LARGEST_PANELS * 2:
        panels, left = _fitting(panels, LARGEST_PANELS * 2)
        notes.append(f"left out, as the page would be too long: {', '.join(left)}; `ehb plot` draws them")
    return _report(result, title, table, count=1, columns=tuple(columns), words=tuple(said),
                   candidates=tuple(result.summary.get("energies") or ()), first=tuple(first),
                   panels={"0": panels} if panels else {}, notes=tuple(notes),
                   cautions=(*_general(result), *(Caution(text) for text in _cautions(table))),
                   studies=studies(result.provenance.study) if result.provenance.study else Studies())


def _fitting(panels: tuple[Panel, ...], most: int) -> tuple[tuple[Panel, ...], list[str]]:
    """The charts that fit into so many bytes, in their order, and the titles of the others."""
    kept: list[Panel] = []
    left, total = [], 0
    for panel in panels:
        size = sum(a.nbytes for a in _arrays(panel))
        if total + size <= most:
            kept.append(panel)
            total += size
        else:
            left.append(panel.title)
    return tuple(kept), left


def _sweep(result: SweepResult, place: Path, title: str) -> Report:
    """All points of a sweep."""
    result = in_order(result)
    shape = tuple(len(v) for v in result.axes.values()) if result.mode == "grid" else ()
    axes = tuple(_axis(result, key) for key in result.axes)
    columns, said = _columns(result)
    from_files = _read_points(result, place)
    columns, digits, notes = _rounded(columns, main_numbers(result))
    options = {k: v for k, v in (result.provenance.study.get("sweep") or {}).items() if v not in ([], "grid")}
    given = from_files.axes or result.axes  # in the order in which the study lists them
    told = {**given, **options} if result.mode == "grid" else {
        **{k: {"start": v[0], "stop": v[-1]} for k, v in given.items()}, **options}
    texts = studies(from_files.study, list(result.axes), told) if from_files.study else Studies()
    if not from_files.study:
        notes.append("the files of the points are not there: without them no study of a point, no cautions of points")
    cautions = (Caution(text, np.array(where, np.int32)) for text, where in from_files.cautions.items())
    phases = next((w for w in PHASE_WORDS if w in result.data), "")
    return _report(result, title, tuple(rows(result)), count=result.data["status"].values.size, shape=shape, axes=axes,
                   columns=columns, words=said, candidates=result.candidates, first=tuple(main_numbers(result)),
                   phases=phases, panels=from_files.panels, cautions=(*_general(result), *cautions), studies=texts,
                   notes=(*notes, *from_files.notes), digits=digits)


def _report(result: Result, title: str, table: tuple[tuple[str, str], ...], **more: Any) -> Report:
    """What all reports have in common."""
    p = result.provenance
    differ = [key for key in MAKE_UNITS_DIFFER if key in getattr(result, "axes", {})]
    notes = tuple(more.pop("notes", ()))
    if not p.scales.known:
        notes += ((f"no nm and meV, as {', '.join(differ)} changes from point to point",) if differ else
                  ("no nm and meV, as masses or dielectric constant are not known",))
    if more.get("panels"):
        notes += ("charts are drawn in single precision",)
    found = {"shape": (), "axes": (), "phases": "phase" if any(w.name == "phase" for w in more["words"]) else ""} | more
    names = [c.unit for c in found["columns"]] + [a.unit for a in found["axes"]]
    names += [s.unit for panels in found["panels"].values() for panel in panels for s in _panel_scales(panel)]
    origin = [("seed", p.seed), ("backend", p.backend), ("seconds", p.wall_seconds), ("digest of the inputs", p.hash),
              ("keys without effect", ", ".join(p.ignored)), ("format of the file", p.format_version)]
    origin += [(key.replace("_", " "), value) for key, value in p.scales.given().items()]
    told = {w: PHASE_COLOURS.get(w, OTHERS[sum(w.encode()) % len(OTHERS)])
            for one in found["words"] if one.name == found["phases"] for w in one.words if w}
    return Report(title=title, kind=str(result.summary.get("kind") or result.kind), status=result.status.value,
                  advice=result.reason or result.advice or result.status.advice, table=table,
                  origin=tuple((k, str(v)) for k, v in origin if v not in (None, "")), versions=dict(p.versions),
                  units=units_of([*names, "1"], p.scales), real=p.scales.known, reads_real=device_known(result),
                  colours=PHASE_COLOURS | told, notes=notes, **found)


def _axis(result: SweepResult, key: str) -> Axis:
    """A swept key as a chart shows it."""
    line, given = axis_line(result, key), result.axes[key]
    chosen = result.mode != "grid"
    variable = result.data[key]
    ratio = "/" in line.label and variable.units == "m_0"  # masses are shown as their ratio, which has no unit
    names = line.names if not chosen else tuple(dict.fromkeys(line.names))
    values = line.positions if not (chosen and names) else np.array([names.index(n) for n in line.names], float)
    # of chosen points the file of each says its own value; here it is found again from the number and its unit
    said = [literal(value) for value in given] if not chosen else [
        literal(_said(value, given)) for value in variable.values.tolist()]
    label = line.label.partition(" (")[0]
    return Axis(key, label, "1" if ratio or names else variable.units, np.asarray(values, float), names, tuple(said),
                bool(line.log))


def _said(value: Any, given: list[Any]) -> Any:
    """A number with the unit in which the ends of its range were given."""
    unit = str(given[0]).partition(" ")[2] if isinstance(given[0], str) else ""
    return f"{value:.12g} {unit}" if unit and not isinstance(value, str) else value


def _columns(result: SweepResult) -> tuple[tuple[Column, ...], tuple[Words, ...]]:
    """Numbers and words of all points, those of candidates one by one: ``energies.liquid``."""
    columns, said = [], []
    dims = result.data["status"].dims
    for name, v in result.one_by_one():
        if v.dims != dims or name in result.axes:
            continue
        if v.values.dtype.kind == "U":
            found, codes = np.unique(v.values, return_inverse=True)
            if len(found) <= MOST_WORDS:
                small = np.uint8 if len(found) < 256 else np.int32
                said.append(Words(name, title_of(name), tuple(map(str, found)), codes.ravel().astype(small)))
        elif v.values.dtype.kind in "fiub":
            columns.append(Column(name, title_of(name), v.units, v.description, v.values.ravel().astype(float)))
    return tuple(columns), tuple(said)


def _rounded(columns: tuple[Column, ...], first: list[str]) -> tuple[tuple[Column, ...], int, list[str]]:
    """The columns in double precision if they are short enough, else in single, else the first ones alone."""
    size = sum(c.values.nbytes for c in columns)
    if size <= LARGEST_NUMBERS:
        return columns, DOUBLE, []
    columns = tuple(replace(c, values=single(c.values)) for c in columns)
    notes = [f"numbers are rounded to {SINGLE} digits"]
    if size / 2 > LARGEST_NUMBERS:
        # what is looked at first stays: main numbers, energies, what belongs to the points and not to one candidate
        ranked = sorted(columns, key=lambda c: (c.name not in first, not c.name.startswith("energies"),
                                                c.name.count(".")))
        kept = {c.name for c in ranked[: max(1, LARGEST_NUMBERS // max(columns[0].values.nbytes, 1))]}
        notes.append(f"{len(columns) - len(kept)} of {len(columns)} numbers of each point are left out; result.nc "
                     "has them")
        columns = tuple(c for c in columns if c.name in kept)
    return columns, SINGLE, notes


def _read_points(result: SweepResult, place: Path) -> _Points:
    """Studies, cautions and kept arrays of the points whose files are there."""
    found = _Points()
    definition = read_definition(place) if place.is_dir() else None
    if definition is None:
        return found
    found.axes = definition["axes"]
    store = PointStore(place)
    labels = store.labels()
    keys, keep = _keys(result, definition, labels), bool(definition.get("keep"))
    room, left = LARGEST_PANELS, 0
    for number, key in enumerate(keys):
        if key not in labels:
            continue
        with contextlib.suppress(ResultFileError):  # a damaged one is missing, which the status says
            point = store.read(key, labels[key], arrays=keep)
            found.study = found.study or _whole(point.provenance.study)
            for text in _cautions(tuple(_rows(point))):
                found.cautions.setdefault(text, []).append(number)
            panels = panels_of(point) if keep else ()
            size = sum(a.nbytes for panel in panels for a in _arrays(panel))
            if panels and size <= room:
                found.panels[str(number)] = panels
                room -= size
            left += bool(panels) and size > room and str(number) not in found.panels
    if left:
        found.notes.append(f"charts of {left} points are left out, as the page would be too long; "
                           "`ehb view` of the file of a point shows them")
    return found


def _whole(study: Mapping[str, Any]) -> Mapping[str, Any]:
    """A study if it has its tables: a point that failed early holds none."""
    return study if any(isinstance(v, Mapping) for v in study.values()) else {}


def _keys(result: SweepResult, definition: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    """The names of the points in the order of the report, in which the values of every axis ascend."""
    keys: list[str] = definition["points"]
    if result.mode != "grid":  # of those that are there, as they were gathered
        there = [key for key in keys if key in labels]
        count = result.data["status"].values.size
        return next((some for some in (keys, there) if len(some) == count), [])
    given = definition["axes"]
    shape = tuple(len(v) for v in given.values())
    order = np.arange(len(keys)).reshape(shape)
    for number, (key, values) in enumerate(given.items()):
        now = [literal(v) for v in result.axes.get(key, values)]
        said = [literal(v) for v in values]
        if sorted(now) == sorted(said):
            order = np.take(order, [said.index(v) for v in now], number)
    return [keys[i] for i in order.ravel()]


def _rows(result: Result) -> list[tuple[str, str]]:
    """The table of a point; of one without its arrays some kinds have none."""
    try:
        return rows(result)
    except InputError:
        return []


def _cautions(table: tuple[tuple[str, str], ...]) -> list[str]:
    return [text for label, text in table if label.strip() in CAUTIONS and text]


def _general(result: Result) -> tuple[Caution, ...]:
    """What must be said of a result of any kind."""
    found = []
    if result.status is not Status.converged:
        found.append(f"{result.status.value}: {result.reason or result.advice or result.status.advice}")
    if isinstance(result, SweepResult):
        found += [f"{n} of {result.points} points {what}" for n, what in (
            (result.failed, "failed"), (result.missing, "are missing"),
            (result.unresolved, "are unresolved: the margin lies within the numerical error")) if n]
    return tuple(Caution(text) for text in found)


def _arrays(panel: Panel) -> Iterator[np.ndarray]:
    """All arrays of a chart."""
    if panel.type == "map":
        yield from (panel.x_values, panel.y_values, *(layer.z for layer in panel.layers))  # type: ignore[union-attr]
    for curve in panel.lines if panel.type == "map" else panel.curves:  # type: ignore[union-attr]
        yield from (a for a in (curve.x, curve.y, curve.error) if a is not None)


def _panel_scales(panel: Panel) -> tuple[Any, ...]:
    return (panel.x, panel.y, panel.z) if panel.type == "map" else (panel.x, panel.y)  # type: ignore[union-attr]
