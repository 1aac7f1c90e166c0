"""The points of a sweep on disk: one small sealed file each, whole or not there, whoever is killed when.

A file is called ``<key>.<label>.nc``: the key is the digest of everything the point is computed from, the label says
how it ended. So a listing of the folder counts a sweep, and only the numbers need the files themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ehbilayer.results.base import Result
from ehbilayer.results.files import ResultFileError, atomic_write, one_line, read_bytes, set_aside
from ehbilayer.results.netcdf import unpack
from ehbilayer.results.variable import from_json
from ehbilayer.status import Status
from ehbilayer.studies.file import digest

KEY_VERSION = 1  # of the names: a new one where files of the old ones are of no use any more
PHYSICS_VERSION = 1  # of all methods together; a new one where the same inputs give other numbers
FOLDER = "points"
UNRESOLVED = "unresolved"  # the label of a converged point whose winner lies within the numerical error
_NAME = re.compile(r"([0-9a-f]{40})\.([a-z_]+)\.nc")
_LABELS = {*Status, UNRESOLVED}
# how far a point got: 2 where it is done, 0 where more time or another attempt may help, else 1
_RANKS = {Status.converged.value: 2, UNRESOLVED: 2, Status.timeout.value: 0, Status.worker_died.value: 0,
          Status.interrupted.value: 0}


def point_key(inputs: dict[str, Any]) -> str:
    """40 hexadecimal digits that name a point: equal for equal inputs, computed by the same physics."""
    return digest({"inputs": inputs, "format": KEY_VERSION, "physics": PHYSICS_VERSION})[:40]


def label_of(result: Result) -> str:
    """How a point ended, as its file name says it: its status, or ``unresolved``."""
    return _label(result.status, result.summary)


def _label(status: str, summary: Mapping[str, Any]) -> str:
    margin, error = summary.get("margin"), summary.get("numerical_error")
    close = margin is not None and error is not None and margin <= error
    return UNRESOLVED if status == Status.converged and close else str(status)


def _stranger(key: str, label: str, status: str, summary: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """What a file says that its name does not; empty if it holds the point of that key, which ended like that."""
    if inputs.get("point") != key:
        return "holds another point than its name says"
    ended = _label(status, summary)
    return "" if ended == label else f"says {ended} inside, unlike its name"


class PointStore:
    """The points in ``place/points``. Writers of different points never meet; see `lock` for the same ones."""

    def __init__(self, place: Path) -> None:
        self.folder = place / FOLDER

    def prepare(self) -> None:
        """Make the folder. Raises ResultFileError if it cannot be made."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultFileError(self.folder, f"cannot be made: {(error.strerror or '').lower()}",
                                  "choose another place with -o") from error

    def labels(self) -> dict[str, str]:
        """Key -> how it ended, of all points there are; a listing, no file is opened."""
        found: dict[str, str] = {}
        try:
            names = sorted(entry.name for entry in os.scandir(self.folder))
        except FileNotFoundError:
            return {}
        for key, label in (match.groups() for match in map(_NAME.fullmatch, names) if match):
            if label in _LABELS:
                found[key] = self._better(key, found[key], label) if key in found else label
        return found

    def _better(self, key: str, one: str, other: str) -> str:
        """Of two files of one point, left by a kill between writing the new and removing the old, the new.

        A point only gets further: clocks, which may jump, decide between those alone that got equally far.
        """
        try:
            return max((one, other), key=lambda label: (_RANKS.get(label, 1), self.path(key, label).stat().st_mtime_ns))
        except OSError:  # one has just gone
            return one if self.path(key, one).exists() else other

    def path(self, key: str, label: str) -> Path:
        """Where a point of that key and end lies."""
        return self.folder / f"{key}.{label}.nc"

    def write(self, key: str, result: Result, raw: bytes, before: str | None = None) -> None:
        """Keep a result (its file's content) as this point's, in place of an earlier one labelled ``before``.

        Raises ResultFileError when the disk is full or cannot be written to; all other points are intact.
        """
        label = label_of(result)
        atomic_write(self.path(key, label), raw)
        if before not in (None, label):
            self.path(key, str(before)).unlink(missing_ok=True)

    def read(self, key: str, label: str, *, arrays: bool = False) -> Result:
        """A point. Raises ResultFileError naming the file if it is missing, damaged, or not what its name says."""
        result = Result.load(self.path(key, label), arrays=arrays)
        problem = _stranger(key, label, result.status, result.summary, result.inputs)
        if problem:
            raise ResultFileError(self.path(key, label), problem, "restore it or compute it again", damaged=True)
        return result

    def fault(self, key: str, label: str) -> str:
        """What is wrong with a file by its checksum, its name and its texts; empty if nothing is."""
        path = self.path(key, label)
        try:
            _, said, _ = unpack(path, read_bytes(path), arrays=False)
            return _stranger(key, label, said["status"], from_json(said["summary"]), from_json(said["inputs"]))
        except ResultFileError as error:
            return str(error.was) if error.damaged or not path.is_file() else ""
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
            return one_line(error)

    def set_aside(self, key: str, label: str) -> Path:
        """Rename a damaged file, so that its point counts as missing."""
        return set_aside(self.path(key, label))

    def forget(self, keys: Iterable[str]) -> None:
        """Remove these points."""
        gone = set(keys)
        for path in self.folder.glob("*.nc"):
            if path.name.split(".")[0] in gone:
                path.unlink(missing_ok=True)
