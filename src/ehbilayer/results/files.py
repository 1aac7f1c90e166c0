"""Files that are either whole or not there: writing in one step, reading, setting damaged ones aside."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from ehbilayer.errors import InputError, printable
from ehbilayer.results.owners import probe_name, temporary_name
from ehbilayer.results.variable import from_json

RESULT, SUMMARY, FIGURE = "result.nc", "summary.json", "figure.png"  # what a run leaves in its directory
DEFINITION = "sweep.json"  # and what says which points a sweep has
LONGEST_REASON = 200  # characters
LARGEST = 2**31  # bytes of a file of results
LARGEST_TEXT = 2**28  # and of a text in JSON
REMOVE = "remove it, a run writes it again"
_PASSING = (errno.ESTALE, errno.EINTR, errno.EAGAIN, errno.EBUSY, errno.EIO, errno.ETIMEDOUT)  # of network file systems
_PAUSES = (0.05, 0.2, 1.0)  # seconds before trying again after one of them
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)  # directories that cannot be forced to disk
T = TypeVar("T")
_WAYS_OUT = {
    errno.ENOSPC: "free some space or choose another directory",
    errno.EDQUOT: "free some space or choose another directory",
    errno.EROFS: "choose a directory you may write to",
    errno.EACCES: "choose a directory you may use",
    errno.EPERM: "choose a directory you may use",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.EISDIR: "give the path of a file",
    errno.EINVAL: "give the path of a file",
    errno.ENXIO: "give the path of a file",
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

    A temporary file in the same directory is written, forced to disk, and renamed over ``path``. What a network file
    system may refuse in passing (a stale handle, ..) is tried again.

    Raises
    ------
    ResultFileError : disk full, read-only, no such directory; what was there before is intact.
    """
    path = Path(path)
    try:
        _patiently(lambda: _write(path, content))
    except OSError as error:
        raise _file_error(path, "cannot be written", error) from error


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(temporary_name(path.name))
    try:
        with open(temporary, "wb", opener=no_link) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_directory(path.parent)
    finally:
        with contextlib.suppress(OSError):  # after the rename it is gone; after a failure that one counts
            temporary.unlink()


def _patiently(action: Callable[[], T]) -> T:
    """Do it, again after a while where that may help. Raises the OSError that stays."""
    for pause in _PAUSES:
        try:
            return action()
        except OSError as error:
            if error.errno not in _PASSING:
                raise
        time.sleep(pause)
    return action()


def check_writable(directory: Path) -> None:
    """Write a file there and remove it. Raises ResultFileError if that is not possible."""
    probe = directory / probe_name()
    atomic_write(probe, b"")
    probe.unlink(missing_ok=True)


def no_link(path: str, flags: int) -> int:
    """An opener for writing that follows no link, which a stranger may have led to a file of ours, and never waits."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)


def open_regular(path: str | Path) -> BinaryIO:
    """A regular file, open for reading. Raises OSError, also for a directory, pipe or device, and never waits."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL,
                      "a directory" if stat.S_ISDIR(mode) else "not a regular file")
    return os.fdopen(handle, "rb")


def read_bytes(path: str | Path, most: int = LARGEST) -> bytes:
    """All bytes of a regular file of at most ``most`` bytes; whatever is read from a disk is read here.

    Raises
    ------
    ResultFileError : it is missing, may not be read, or is larger; a directory, pipe or device. The latter count as
        damaged: what is there is of no use to anyone.
    """
    try:
        return _patiently(lambda: _read(path, most))
    except OSError as error:
        special = error.errno in (errno.EISDIR, errno.EINVAL, errno.ENXIO)
        raise _file_error(Path(path), "cannot be read", error, damaged=special) from error


def _read(path: str | Path, most: int) -> bytes:
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ResultFileError(path, f"is larger than {in_words(most)}", "is this the right file?", damaged=True)
        return file.read(size)


def in_words(size: int) -> str:
    """A number of bytes in words."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def read_json(path: str | Path) -> dict[str, Any]:
    """The table in a JSON file. Raises ResultFileError as `read_bytes` does, and for anything else in it."""
    raw = read_bytes(path, LARGEST_TEXT)
    try:
        content = from_json(raw.decode())
    except (ValueError, RecursionError) as error:
        raise ResultFileError(path, f"cannot be read ({one_line(error)})", REMOVE, damaged=True) from None
    if not isinstance(content, dict):
        raise ResultFileError(path, "holds no table", REMOVE, damaged=True)
    return content


def holds(path: str | Path, content: bytes) -> bool:
    """Whether a file is there and has this content."""
    try:
        return read_bytes(path, len(content)) == content
    except ResultFileError:
        return False


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
        _patiently(lambda: os.rename(path, target))
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
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(handle)


def _file_error(path: Path, what: str, error: OSError, *, damaged: bool = False) -> ResultFileError:
    reason = (error.strerror or str(error)).lower()
    todo = _WAYS_OUT.get(error.errno or 0, "check the disk and the path")
    return ResultFileError(path, f"{what}: {reason}", todo, damaged)
