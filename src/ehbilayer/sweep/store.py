"""The points of a sweep on disk: one small sealed file each, whole or not there, whoever is killed when.

A file is called ``<key>.<label>.nc``: the key is the digest of everything the point is computed from, the label says
how it ended. So a listing of the folder counts a sweep, and only the numbers need the files themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ehbilayer.results.base import Result
from ehbilayer.results.files import ResultFileError, atomic_write, read_bytes, set_aside
from ehbilayer.results.netcdf import damage
from ehbilayer.status import Status
from ehbilayer.studies.file import digest

KEY_VERSION = 1  # of the names: a new one where files of the old ones are of no use any more
PHYSICS_VERSION = 1  # of all methods together; a new one where the same inputs give other numbers
FOLDER = "points"
UNRESOLVED = "unresolved"  # the label of a converged point whose winner lies within the numerical error
_NAME = re.compile(r"([0-9a-f]{40})\.([a-z_]+)\.nc")
_LABELS = {*Status, UNRESOLVED}


def point_key(inputs: dict[str, Any]) -> str:
    """40 hexadecimal digits that name a point: equal for equal inputs, computed by the same physics."""
    return digest({"inputs": inputs, "format": KEY_VERSION, "physics": PHYSICS_VERSION})[:40]


def label_of(result: Result) -> str:
    """How a point ended, as its file name says it: its status, or ``unresolved``."""
    s = result.summary
    margin, error = s.get("margin"), s.get("numerical_error")
    close = margin is not None and error is not None and margin <= error
    return UNRESOLVED if result.status is Status.converged and close else result.status.value


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

    def sweep_up(self) -> None:
        """Remove what killed writers left half done. Only for one who is alone here."""
        for path in self.folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)

    def labels(self) -> dict[str, str]:
        """Key -> how it ended, of all points there are; a listing, no file is opened."""
        found: dict[str, str] = {}
        try:
            names = sorted(entry.name for entry in os.scandir(self.folder))
        except FileNotFoundError:
            return {}
        for key, label in (match.groups() for match in map(_NAME.fullmatch, names) if match):
            if label in _LABELS:
                found[key] = self._newer(key, found[key], label) if key in found else label
        return found

    def _newer(self, key: str, one: str, other: str) -> str:
        """Of two files of one point, left by a kill between writing the new and removing the old, the new."""
        try:
            return max((one, other), key=lambda label: self.path(key, label).stat().st_mtime_ns)
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
        """A point. Raises ResultFileError naming the file if it is missing or damaged."""
        return Result.load(self.path(key, label), arrays=arrays)

    def is_damaged(self, key: str, label: str) -> bool:
        """Whether the file is truncated or changed, by its checksum alone."""
        try:
            return bool(damage(read_bytes(self.path(key, label))))
        except ResultFileError:
            return True

    def set_aside(self, key: str, label: str) -> Path:
        """Rename a damaged file, so that its point counts as missing."""
        return set_aside(self.path(key, label))

    def forget(self, keys: Iterable[str]) -> None:
        """Remove these points."""
        gone = set(keys)
        for path in self.folder.glob("*.nc"):
            if path.name.split(".")[0] in gone:
                path.unlink(missing_ok=True)
