"""Reading what a run has left: a result file, the directory of a run, or that of a sweep, finished or not."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.results.base import Provenance, Result
from ehbilayer.results.files import DEFINITION, RESULT, ResultFileError
from ehbilayer.run.lock import holders, owner_text, was_killed
from ehbilayer.run.reporting import Reporter
from ehbilayer.studies.axes import Axis, grid
from ehbilayer.sweep.collect import Layout, gather
from ehbilayer.sweep.definition import read_definition
from ehbilayer.sweep.points import Point
from ehbilayer.sweep.result import SweepResult
from ehbilayer.sweep.store import PointStore
from ehbilayer.units import Scales


def load(path: str | Path, *, arrays: bool = True) -> Any:
    """The result that a path holds, as the class of its method.

    Parameters
    ----------
    path : a result file, the directory of a run, or that of a sweep; of one that is not finished, the points there are.
    arrays : without them a file is read faster.

    Returns
    -------
    A subclass of `ehbilayer.Result`; `ehbilayer.sweep.result.SweepResult` for a sweep.

    Raises
    ------
    InputError : nothing of that kind is there.
    ResultFileError : it is damaged, foreign or of a newer format.
    """
    place = Path(path)
    if not place.is_dir():
        return Result.load(place, arrays=arrays)
    definition, there = read_definition(place), (place / RESULT).is_file()
    whole = Result.load(place / RESULT, arrays=arrays) if there else None
    if whole is not None and not (definition and isinstance(whole, SweepResult) and whole.missing):
        return whole
    if definition is not None:
        return _so_far(place, definition, Provenance() if whole is None else whole.provenance)
    raise InputError(str(place), "a result file or the directory of a run that kept its result", *_unfinished(place))


def _unfinished(place: Path) -> tuple[str, str]:
    """What a directory without a result is, and what to do."""
    running = holders(place)
    if running:
        return f"not finished, in use by {'; '.join(map(owner_text, running))}", "wait for it"
    if was_killed(place) or (place / DEFINITION).is_file():
        return "not finished", "run it again"
    return f"a directory without {RESULT}", "check the path"


def last_run(place: Path) -> str:
    """What is to be said of the directory of a result if a run is at work there, or was killed; else empty."""
    running = holders(place)
    if running:
        return f"{place}: a run is at work here, {'; '.join(map(owner_text, running))}"
    return f"{place}: the last run here was not finished, run it again" if was_killed(place) else ""


def _so_far(place: Path, definition: dict[str, Any], provenance: Provenance) -> SweepResult:
    """The points that a sweep has computed so far, in the order of its definition."""
    store, keys, adaptive = PointStore(place), definition["points"], definition["mode"] == "adaptive"
    axes = tuple(Axis(key, tuple(values)) for key, values in definition["axes"].items())
    points = _chosen(store, keys) if adaptive else [
        Point(values, key) for values, key in zip(grid(list(axes)), keys, strict=True)]
    layout = Layout(definition["kind"], definition["mode"], axes, Scales(**definition.get("scales", {})),
                    tuple(definition.get("keep", ())), tuple(definition.get("show", ())))
    found = gather(layout, points, store, int(definition["total"]), lambda *_: None, Reporter())
    return replace(found, provenance=replace(provenance, scales=layout.scales))


def _chosen(store: PointStore, keys: list[str]) -> list[Point]:
    """The points of an adaptive sweep there are; their files say where they lie."""
    labels, found = store.labels(), []
    for key in keys:
        if key in labels:
            with contextlib.suppress(ResultFileError):  # a damaged one is missing
                found.append(Point(store.read(key, labels[key]).inputs["coordinates"], key))
    return found
