"""How far a sweep is, from the names of its points: no array is loaded, 10 000 points take a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.results.base import Result
from ehbilayer.results.files import DEFINITION, RESULT, ResultFileError
from ehbilayer.run.lock import holders, owner_text, was_killed
from ehbilayer.sweep.collect import MISSING, count
from ehbilayer.sweep.definition import ends_of, read_definition
from ehbilayer.sweep.result import SweepResult
from ehbilayer.sweep.store import FOLDER

THERE, DAMAGED = "there", "damaged"


def status_of(place: Path) -> dict[str, Any]:
    """Counts of the sweep in a directory: done, failed by reason, missing, unresolved, damaged, and who is at work.

    ``result`` says whether what was collected is ``there``, ``missing`` or ``damaged``. A directory of a single study
    answers with its kind and status. What is missing or damaged is mended by the next run.

    Raises
    ------
    InputError : no run was here.
    """
    running, definition = holders(place), read_definition(place)
    if definition is None:
        return _without_definition(place, running)
    found, whole = _collected(place)
    if isinstance(found, SweepResult) and not found.missing and not (place / FOLDER).is_dir():
        counts, damaged = {key: found.summary[key] for key in count([], 0)}, list[str]()  # all that is left, and enough
    else:
        ends, damaged = ends_of(place, definition)
        counts = count(ends, int(definition["total"]))
    state = "running" if running else "complete" if not counts["missing"] and whole == THERE else "incomplete"
    return {"kind": definition["kind"], "state": state, **counts, "damaged": len(damaged), "result": whole,
            "mode": definition["mode"], "axes": definition["axes"], "running": running}


def _collected(place: Path) -> tuple[Result | None, str]:
    """The result in a directory, and whether it is there, missing or damaged."""
    if not (place / RESULT).exists():
        return None, MISSING
    try:
        return Result.load(place / RESULT, arrays=False), THERE
    except ResultFileError as error:
        if not error.damaged:
            raise
        return None, DAMAGED


def _without_definition(place: Path, running: list[dict[str, Any]]) -> dict[str, Any]:
    """The same of a single study, or of a sweep whose definition is lost."""
    (found, whole), lost = _collected(place), (place / DEFINITION).exists()
    if lost or isinstance(found, SweepResult):
        kind = found.study_kind if isinstance(found, SweepResult) else "sweep"
        return {"kind": kind, "state": "running" if running else "incomplete", "result": whole,
                "definition": DAMAGED if lost else MISSING, "running": running}
    if found is None and whole == MISSING and not running and not was_killed(place):
        raise InputError(str(place), "the directory of a run", _what_is(place),
                         "check the path; `ehb run` names its directory with -o")
    ended = MISSING if whole == MISSING else DAMAGED if found is None else found.status.value
    state = "running" if running else "single study"
    return {"kind": "unknown" if found is None else found.kind, "state": state, "status": ended, "running": running}


def _what_is(place: Path) -> str:
    """What stands where a run was looked for."""
    if place.is_dir():
        return "a directory that holds no run"
    return "a file" if place.exists() else "not there"


def rows(status: dict[str, Any]) -> list[tuple[str, str]]:
    """The same as a table: label and text."""
    running = [("running", owner_text(who)) for who in status["running"]]
    if "definition" in status:
        return [("kind", status["kind"]), *_mended(status, "result", "definition"), *running]
    if "points" not in status:
        ended = _mended(status, "status") or [("status", status["status"])]
        return [("kind", status["kind"]), *ended, *running]
    reasons = ", ".join(f"{number} {reason}" for reason, number in status["failed_by_reason"].items())
    found = [("kind", f"{status['kind']}, {status['mode']}"), ("state", status["state"]),
             ("points", str(status["points"])), ("done", str(status["done"])),
             ("failed", f"{status['failed']}" + (f" ({reasons})" if reasons else "")),
             ("missing", str(status["missing"]))]
    if status["unresolved"]:
        found.append(("unresolved", f"{status['unresolved']} (margin within the numerical error)"))
    if status["damaged"]:
        found.append(("damaged", f"{status['damaged']} (set aside and computed again by the next run)"))
    return [*found, *_mended(status, "result"), *running]


def _mended(status: dict[str, Any], *names: str) -> list[tuple[str, str]]:
    """Rows of files that the next run writes again."""
    files = {"result": RESULT, "status": RESULT, "definition": DEFINITION}
    how = {MISSING: "written by the next run", DAMAGED: "set aside and written again by the next run"}
    return [(files[name], f"{status[name]} ({how[status[name]]})") for name in names if status[name] in how]
