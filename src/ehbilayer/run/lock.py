"""Two runs never work in the same directory: one lock for single studies, sweeps and figures; shards have one each.

The locks are the operating system's (flock), so that a killed run holds none. On file systems that keep no locks a
file that only one can create takes their place; it counts as long as the process that it names is alive. A run that
ends removes its files: one that is left, and held by nobody, says that a run was killed.
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
from ehbilayer.results.files import ResultFileError, no_link, open_regular, read_json
from ehbilayer.results.owners import alive, temporary_name
from ehbilayer.run.reporting import Reporter

WHOLE, MARK = ".run.lock", ".pid"  # MARK ends the names of files that stand in for locks
_SHARD = re.compile(r"\.shard-(\d+)-of-(\d+)\.lock")
ATTEMPTS, PAUSE = 4, 0.05  # looking whether a lock is held takes it for a moment
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


class RunLock:
    """A context in which nobody else computes in a directory: all of it, or one shard of its sweep.

    Raises InputError naming process and host if another run is there, or if shards of another number are.
    """

    def __init__(self, place: Path, shard: Shard | None, reporter: Reporter) -> None:
        self._path = place / (WHOLE if shard is None else shard_file(shard))
        self._place, self._shard, self._reporter = place, shard, reporter
        self._file: IO[str] | None = None
        self._marked = False  # whether a file stands in for the lock

    def __enter__(self) -> RunLock:
        try:
            for attempt in range(ATTEMPTS):
                if self._take() and not self._others():
                    return self
                self._release()
                time.sleep(PAUSE * attempt)
            self._refuse()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._release()

    def _release(self) -> None:
        """Remove our files while we still hold them, so that nobody else's are removed; closing unlocks."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._path.unlink()
        if self._marked:
            with contextlib.suppress(OSError):
                _mark(self._path).unlink()
        self._file.close()
        self._file, self._marked = None, False

    def _take(self) -> bool:
        """Take the lock at once; False if another run has it. Raises InputError where no file can be made."""
        try:
            file = open(self._path, "a+", encoding="utf-8", opener=no_link)
        except OSError as error:
            raise InputError(str(self._place), "a directory that can be locked", error.strerror or "not possible",
                             "choose another place with -o") from None
        try:
            held = _lock(file) and not _is_gone(file, self._path)  # its last holder may have just removed it
        except ImportError:  # no POSIX
            self._reporter.warn("this system keeps no locks: take care that no second run computes in the same "
                                "directory")
            held = True
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                file.close()
                raise
            held = self._marked = _take_mark(self._path)
        if not held:
            file.close()
            return False
        self._file = file
        with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
            file.truncate(0)
            os.write(file.fileno(), json.dumps(_ourselves()).encode())
        return True

    def _others(self) -> list[Path]:
        """Locks that others hold and that exclude this one: shards and the whole each other, and other divisions."""
        if self._shard is not None:
            return [p for p in (self._place / WHOLE, *self._divisions()) if p.exists() and is_held(p)]
        return [p for p in self._place.glob(".shard-*.lock") if is_held(p)]

    def _divisions(self) -> list[Path]:
        """Lock files of parts of another number: parts of 2 and parts of 3 have points in common."""
        found = [(p, _SHARD.fullmatch(p.name)) for p in self._place.glob(".shard-*.lock")]
        return [p for p, match in found if match and self._shard is not None and int(match[2]) != self._shard[1]]

    def _refuse(self) -> None:
        division = next((p for p in self._divisions() if is_held(p)), None)
        if division is not None and self._shard is not None:
            number = division.name.split("-")[-1].removesuffix(".lock")
            raise InputError("--shard", f"a part of {number} while such parts are computed",
                             f"a part of {self._shard[1]}", "divide it alike, or wait")
        found = holders(self._place)
        marks = [p.name for p in map(_mark, _files(self._place)) if p.exists()]  # of hosts that cannot be asked
        todo = "wait for it, or end it first" + (f"; if it is dead, remove {' and '.join(marks)}" if marks else "")
        raise InputError(str(self._place), "a directory that no other run is computing in",
                         f"in use by {'; '.join(map(owner_text, found)) or 'another run'}", todo)


def _lock(file: IO[str]) -> bool:
    """Take the lock at once; False if another run has it. Raises OSError or ImportError where there are no locks."""
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_gone(file: IO[str], path: Path) -> bool:
    """Whether the file is no longer the one of that name."""
    try:
        return not os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return True


def _mark(path: Path) -> Path:
    """The file that stands in for a lock where there are none."""
    return path.with_name(path.name + MARK)


def _take_mark(path: Path) -> bool:
    """Create that file, which only one can; one whose process is dead is taken away first."""
    mark, dead = _mark(path), _who(_mark(path))
    if mark.exists() and not _lives(dead):
        stale = mark.with_name(temporary_name(mark.name))
        with contextlib.suppress(OSError):
            os.replace(mark, stale)  # of two that find it dead one gets it
            if _who(stale) == dead:
                stale.unlink()
            else:  # another one has, and has begun
                os.replace(stale, mark)
    try:
        with open(mark, "x", encoding="utf-8") as file:
            file.write(json.dumps(_ourselves()))
    except FileExistsError:
        return False
    return True


def _ourselves() -> dict[str, Any]:
    """What a lock file says of this process."""
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%F %T"),
            "began": _began(os.getpid())}


def _lives(who: dict[str, Any]) -> bool:
    """Whether the process that a lock file names may be alive: always true of other hosts'."""
    if who.get("host") != socket.gethostname() or type(who.get("pid")) is not int:
        return True
    return alive(who["pid"]) and who.get("began", "") == _began(who["pid"])


def _began(pid: int) -> str:
    """When a process began, in ticks since this host did; empty where that cannot be read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def is_held(path: Path) -> bool:
    """Whether a run that is alive holds this lock for itself."""
    if _mark(path).exists():
        return _lives(_who(_mark(path)))
    try:
        import fcntl

        with open_regular(path) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, ImportError):
        return False
    return False


def _who(path: Path) -> dict[str, Any]:
    """What a lock file says of its holder; nothing if it has just been taken, and not written yet."""
    try:
        return read_json(path)
    except ResultFileError:
        return {}


def _files(place: Path) -> list[Path]:
    """The lock files in a directory."""
    return [p for p in sorted([place / WHOLE, *place.glob(".shard-*.lock")]) if p.exists()]


def holders(place: Path) -> list[dict[str, Any]]:
    """Who computes in this directory now: pid, host and since of the whole run, or of each shard."""
    found = []
    for path in _files(place):
        if is_held(path):
            match, who = _SHARD.fullmatch(path.name), _who(_mark(path) if _mark(path).exists() else path)
            who.pop("began", None)
            found.append(who | ({"shard": f"{match[1]}/{match[2]}"} if match else {}))
    return found


def was_killed(place: Path) -> bool:
    """Whether the last run in this directory, or a part of it, ended without having its say."""
    return any(not is_held(path) for path in _files(place))


def owner_text(who: dict[str, Any]) -> str:
    """One of `holders` in words."""
    part = f"shard {who['shard']}, " if "shard" in who else ""
    return f"{part}process {who.get('pid', '?')} on {who.get('host', '?')} since {who.get('since', '?')}"
