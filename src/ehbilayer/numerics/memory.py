"""How much memory is left, and refusing what cannot fit before it is tried: a process that takes more is killed."""

from __future__ import annotations

import os
from pathlib import Path

from ehbilayer.errors import InputError

UNLIMITED = 1 << 60  # bytes; larger limits are none


def free_memory(system: Path = Path("/")) -> float | None:
    """Bytes that this process may still take; None where the system does not tell.

    The least of what the system has available, what a container or batch job leaves (control groups), and what the
    process itself is allowed (``ulimit -v``).
    """
    found = [_available(system), *_groups(system), _allowed(system)]
    return min((b for b in found if b is not None), default=_physical())


def fits(needed: float) -> bool:
    """Whether so many bytes fit into the memory there is; True where the system does not tell."""
    there = free_memory()
    return there is None or needed <= there


def require_memory(needed: float, argument: str, todo: str) -> None:
    """Raises InputError, which says how much is ``needed`` (bytes), for what does not fit into the memory there is."""
    there = free_memory()
    if there is not None and needed > there:
        raise InputError(argument, f"a calculation that fits into {there / 1e9:.3g} GB of free memory",
                         f"one of about {needed / 1e9:.3g} GB", todo)


def _available(system: Path) -> float | None:
    for line in _read(system / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return 1024 * float(line.split()[1])
    return None


def _groups(system: Path) -> list[float | None]:
    """What is left of the limits of all control groups around this process."""
    found: list[float | None] = []
    for line in _read(system / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        first = controllers == "memory"
        if controllers and not first:
            continue
        root = system / "sys/fs/cgroup" / ("memory" if first else "")
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if first else ("memory.max", "memory.current")
        here = root / path.strip("/")
        for group in [here, *here.parents][: len(here.parts) - len(root.parts) + 1]:
            found.append(_left(group, *names))
    return found


def _left(group: Path, limit: str, usage: str) -> float | None:
    """What is left of the limit of a group; files in the cache can be dropped."""
    try:
        most, used = float(_read(group / limit)), float(_read(group / usage))
    except ValueError:  # no such file, or "max"
        return None
    cache = [line.split()[1] for line in _read(group / "memory.stat").splitlines()
             if line.startswith(("inactive_file ", "active_file "))]
    return None if most >= UNLIMITED else max(0.0, most - used + sum(map(float, cache)))


def _allowed(system: Path) -> float | None:
    try:
        import resource
    except ImportError:  # no POSIX
        return None
    most, pages = resource.getrlimit(resource.RLIMIT_AS)[0], _read(system / "proc/self/statm").split()
    if most == resource.RLIM_INFINITY or most >= UNLIMITED or not pages:
        return None
    return max(0.0, most - int(pages[0]) * os.sysconf("SC_PAGE_SIZE"))


def _physical() -> float | None:
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
