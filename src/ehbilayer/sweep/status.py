"""How far a sweep is, from the names of its points: no array is loaded, 10 000 points take a second."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.results.files import SUMMARY, ResultFileError, read_json
from ehbilayer.sweep.collect import MISSING, count
from ehbilayer.sweep.definition import read_definition
from ehbilayer.sweep.lock import holders, owner_text
from ehbilayer.sweep.store import PointStore


def status_of(place: Path) -> dict[str, Any]:
    """Counts of the sweep in a directory: done, failed by reason, missing, unresolved, damaged, and who is at work.

    A directory with the result of a single study answers with its kind and status.

    Raises
    ------
    InputError : neither is there.
    """
    definition = read_definition(place)
    if definition is None:
        return _of_single(place)
    store = PointStore(place)
    labels = store.labels()
    ends = [labels.get(key, MISSING) for key in definition["points"]]
    damaged = [key for key, label in zip(definition["points"], ends, strict=True)
               if label != MISSING and store.is_damaged(key, label)]
    for key in damaged:
        ends[definition["points"].index(key)] = MISSING
    counts = count(ends, int(definition["total"]))
    running = holders(place)
    state = "running" if running else "complete" if not counts["missing"] else "incomplete"
    return {"kind": definition["kind"], "state": state, **counts, "damaged": len(damaged), "mode": definition["mode"],
            "axes": definition["axes"], "running": running}


def _of_single(place: Path) -> dict[str, Any]:
    with contextlib.suppress(ResultFileError):
        summary = read_json(place / SUMMARY)
        if isinstance(summary.get("kind"), str) and isinstance(summary.get("status"), str):
            return {"kind": summary["kind"], "state": "single study", "status": summary["status"]}
    raise InputError(str(place), "the directory of a run", _what_is(place),
                     "check the path; `ehb run` names its directory with -o")


def _what_is(place: Path) -> str:
    """What stands where a run was looked for."""
    if place.is_dir():
        return "a directory that holds no run"
    return "a file" if place.exists() else "not there"


def rows(status: dict[str, Any]) -> list[tuple[str, str]]:
    """The same as a table: label and text."""
    if "points" not in status:
        return [("kind", status["kind"]), ("status", status["status"])]
    reasons = ", ".join(f"{number} {reason}" for reason, number in status["failed_by_reason"].items())
    found = [("kind", f"{status['kind']}, {status['mode']}"), ("state", status["state"]),
             ("points", str(status["points"])), ("done", str(status["done"])),
             ("failed", f"{status['failed']}" + (f" ({reasons})" if reasons else "")),
             ("missing", str(status["missing"]))]
    if status["unresolved"]:
        found.append(("unresolved", f"{status['unresolved']} (margin within the numerical error)"))
    if status["damaged"]:
        found.append(("damaged", f"{status['damaged']} (set aside and computed again by the next run)"))
    return found + [("running", owner_text(who)) for who in status["running"]]
