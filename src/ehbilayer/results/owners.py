"""Whose a temporary file is: its name says host and process, so that what killed ones left can be told and removed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "ehbilayer-"  # of temporary directories
FOREIGN_SECONDS = 3600.0  # a file of another host, whose processes cannot be asked, is left alone for so long
_HOST = "@(?P<host>[A-Za-z0-9-]*)"
_OLD = r"(?:result\.nc|summary\.json|sweep\.json|figure\.png|[0-9a-f]{40}\.[a-z_]+\.nc|\.probe-\d+)"
# .NAME@HOST.PID-THREAD.tmp of a file that is written, .probe-PID@HOST of a trial; version 0.1 named no host
FILES = (re.compile(rf"\.(?:.+?{_HOST}|{_OLD})\.(?P<pid>\d{{1,10}})-\d+\.tmp"),
         re.compile(rf"\.probe-(?P<pid>\d{{1,10}})(?:{_HOST})?"))
DIRECTORIES = (re.compile(rf"{PREFIX}(?P<pid>\d{{1,10}}){_HOST}-\w+"),)  # ehbilayer-PID@HOST-*


def host() -> str:
    """The name of this host in letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname())[:40]


def temporary_name(name: str) -> str:
    """What a file of this name is called while this thread writes it."""
    return f".{name}@{host()}.{os.getpid()}-{threading.get_ident()}.tmp"


def probe_name() -> str:
    """What a file is called with which this process tries whether it can write."""
    return f".probe-{os.getpid()}@{host()}"


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """A context with a directory in the system's place for temporary ones; those of killed processes are removed."""
    remove_abandoned(Path(tempfile.gettempdir()), DIRECTORIES)
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}@{host()}-", ignore_cleanup_errors=True) as place:
        yield Path(place)


def tidy(folder: Path) -> None:
    """Remove what this user's dead processes left in ``folder`` and in the system's place for temporary files."""
    remove_abandoned(folder)
    remove_abandoned(Path(tempfile.gettempdir()), DIRECTORIES)


def alive(pid: int) -> bool:
    """Whether a process of this number lives on this host; True where that cannot be asked."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def remove_abandoned(folder: Path, names: tuple[re.Pattern[str], ...] = FILES) -> None:
    """Remove what this user's dead processes left in ``folder``, by its names; never raises."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = next(filter(None, (name.fullmatch(entry.name) for name in names)), None)
            with contextlib.suppress(OSError):
                if match is not None and _abandoned(entry, match["host"] or host(), int(match["pid"])):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        os.unlink(entry.path)


def _abandoned(entry: os.DirEntry[str], where: str, pid: int) -> bool:
    told = entry.stat(follow_symlinks=False)
    if entry.is_symlink() or (os.name == "posix" and told.st_uid != os.getuid()):
        return False
    return not alive(pid) if where == host() else time.time() - told.st_mtime > FOREIGN_SECONDS
