"""Two runs never compute the same points: a lock on the directory, shared by shards, which have one each.

The locks are the operating system's (flock), so that a killed run leaves none behind; the files only say who it was.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ehbilayer.errors import InputError
from ehbilayer.run.reporting import Reporter

WHOLE = ".sweep.lock"
_SHARD = re.compile(r"\.shard-(\d+)-of-(\d+)\.lock")
ATTEMPTS = 4  # looking whether a lock is held takes it for a moment
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
Shard = tuple[int, int]  # which of how many, from 1


def parse_shard(text: str) -> Shard:
    """(2, 5) for ``"2/5"``. Raises InputError for anything but i/n with 1 <= i <= n."""
    match = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", text)
    shard = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= shard[0] <= shard[1]:
        raise InputError("--shard", "i/n with 1 <= i <= n", text[:40], "2/5 is the second of five parts")
    return shard


def shard_file(shard: Shard) -> str:
    """Name of the lock file of a shard."""
    return f".shard-{shard[0]}-of-{shard[1]}.lock"


class SweepLock:
    """A context in which nobody else computes these points: the whole sweep, or one shard of it.

    Raises InputError naming process and host if another run is there, or if shards of another number are.
    """

    def __init__(self, place: Path, shard: Shard | None, reporter: Reporter) -> None:
        self._place, self._shard, self._reporter = place, shard, reporter
        self._files: list[IO[str]] = []

    def __enter__(self) -> SweepLock:
        try:
            if self._shard is None:
                self._take(WHOLE, alone=True)
            else:
                self._take(WHOLE, alone=False)
                self._take(shard_file(self._shard), alone=True)
                self._refuse_other_divisions(self._shard[1])
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for file in self._files:
            file.close()  # which unlocks it; the file stays, for removing it would race with the next run
        self._files = []

    def _take(self, name: str, *, alone: bool) -> None:
        file = open(self._place / name, "a+", encoding="utf-8")
        self._files.append(file)
        for attempt in range(ATTEMPTS):
            if _lock(file, alone, self._reporter):
                break
            time.sleep(0.05 * attempt)
        else:
            raise InputError(str(self._place), "a directory that no other run is computing in",
                             f"in use by {'; '.join(map(owner_text, holders(self._place))) or 'another run'}",
                             "wait for it, or end it first")
        if alone:
            who = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%F %T")}
            with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
                file.truncate(0)
                os.write(file.fileno(), json.dumps(who).encode())

    def _refuse_other_divisions(self, count: int) -> None:
        """Parts of 2 and parts of 3 have points in common."""
        for path in self._place.glob(".shard-*.lock"):
            match = _SHARD.fullmatch(path.name)
            if match and int(match[2]) != count and is_held(path):
                raise InputError("--shard", f"a part of {match[2]} while such parts are computed",
                                 f"a part of {count}", "divide it alike, or wait")


def _lock(file: IO[str], alone: bool, reporter: Reporter) -> bool:
    """Take the lock at once; False if another run has it."""
    try:
        import fcntl
    except ImportError:  # no POSIX
        reporter.warn("this system keeps no locks: take care that no second run computes in the same directory")
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        reporter.warn("this file system keeps no locks: take care that no second run computes in the same directory")
    return True


def is_held(path: Path) -> bool:
    """Whether a run that is alive holds this lock for itself."""
    try:
        import fcntl

        with open(path, encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, ImportError):
        return False
    return False


def holders(place: Path) -> list[dict[str, Any]]:
    """Who computes in this directory now: pid, host and since of the whole run, or of each shard."""
    found = []
    for path in sorted([place / WHOLE, *place.glob(".shard-*.lock")]):
        if path.exists() and is_held(path):
            match, who = _SHARD.fullmatch(path.name), {}
            with contextlib.suppress(OSError, ValueError):  # taken, and not written yet
                who = json.loads(path.read_text(encoding="utf-8"))
            found.append(who | ({"shard": f"{match[1]}/{match[2]}"} if match else {}))
    return found


def owner_text(who: dict[str, Any]) -> str:
    """One of `holders` in words."""
    part = f"shard {who['shard']}, " if "shard" in who else ""
    return f"{part}process {who.get('pid', '?')} on {who.get('host', '?')} since {who.get('since', '?')}"
