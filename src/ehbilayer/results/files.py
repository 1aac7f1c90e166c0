"""Files that are either whole or not there: writing in one step, reading, setting damaged ones aside."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError, printable

RESULT, SUMMARY, FIGURE = "result.nc", "summary.json", "figure.png"  # what a run leaves in its directory
DEFINITION = "sweep.json"  # and what says which points a sweep has
LONGEST_REASON = 200  # characters
_WAYS_OUT = {
    errno.ENOSPC: "free some space or choose another directory",
    errno.EDQUOT: "free some space or choose another directory",
    errno.EROFS: "choose a directory you may write to",
    errno.EACCES: "choose a directory you may use",
    errno.EPERM: "choose a directory you may use",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.EISDIR: "give the path of a file",
}


class ResultFileError(InputError):
    """A file that cannot be read or written, named, with the way out, in one line.

    ``damaged`` says that its content is at fault, so that nobody can read it: truncated, changed or foreign. A file of
    a newer format, or one that may not be read or written here, is not.
    """

    def __init__(self, path: str | Path, problem: str, todo: str, damaged: bool = False) -> None:
        super().__init__(str(path), "a complete file", problem, todo)
        self.args = (printable(f"{path}: {problem}; {todo}"),)
        self.path, self.damaged = Path(path), damaged

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.was, self.todo, self.damaged)


def atomic_write(path: str | Path, content: bytes) -> None:
    """Write ``content`` so that at any moment ``path`` is the old file or the new one, complete, even after kill -9.

    A temporary file in the same directory is written, forced to disk, and renamed over ``path``.

    Raises
    ------
    ResultFileError : disk full, read-only, no such directory; what was there before is intact.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        try:
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            _sync_directory(path.parent)
        finally:
            with contextlib.suppress(OSError):  # after the rename it is gone; after a failure that one counts
                temporary.unlink()
    except OSError as error:
        raise _file_error(path, "cannot be written", error) from error


def read_bytes(path: str | Path) -> bytes:
    """All bytes of a file. Raises ResultFileError if it is missing or may not be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _file_error(Path(path), "cannot be read", error) from error


def set_aside(path: str | Path) -> Path:
    """Rename a damaged file to ``<name>.corrupt`` (``.corrupt-2``, ... if taken) and return where it went.

    Raises ResultFileError if it cannot be renamed.
    """
    path = Path(path)
    number, target = 1, path.with_name(path.name + ".corrupt")
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.corrupt-{number}")
    try:
        os.rename(path, target)
    except OSError as error:
        raise _file_error(path, "cannot be set aside", error) from error
    return target


def one_line(error: Exception) -> str:
    """What an error of another library says, as a piece of a line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST_REASON]


def _sync_directory(directory: Path) -> None:
    """Force a rename to disk, where directories can be opened at all."""
    if os.name != "posix":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _file_error(path: Path, what: str, error: OSError) -> ResultFileError:
    reason = (error.strerror or str(error)).lower()
    return ResultFileError(path, f"{what}: {reason}", _WAYS_OUT.get(error.errno or 0, "check the disk and the path"))
