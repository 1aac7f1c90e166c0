"""A method called from Python: what it runs on, whom it tells, and what its result says of that.

In a notebook progress shows itself, unless it is told not to; elsewhere it is silent unless it is asked for.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, TypedDict, TypeVar

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks, never, silent
from ehbilayer.results.base import Provenance, Result
from ehbilayer.results.netcdf import FORMAT_VERSION
from ehbilayer.status import Status
from ehbilayer.units import Scales

NOTEBOOK_SECONDS = 0.3  # between two lines of progress
Found = TypeVar("Found", bound=Result)


class Calling(TypedDict, total=False):
    """Options that every method takes by keyword.

    backend : ``numpy`` (default) or ``jax``, where the method has both.   threads : for transforms and starts.
    progress : True shows it, False does not, a function is told each line; None (default) shows it in notebooks.
    should_stop : asked at every natural step; a `Status` ends the calculation with it, the state kept.
    """

    backend: str
    threads: int
    progress: bool | Callable[[str], None] | None
    should_stop: Callable[[], Status | None]


def call(solve: Callable[[Hooks], Found], scales: Scales, how: Calling, *, seed: int | None = None) -> Found:
    """Run a method and complete its result: seconds, versions, seed, and the units of the device.

    Raises InputError for an unknown backend.
    """
    backend, show = how.get("backend", "numpy"), how.get("progress")
    if backend not in ("numpy", "jax"):
        raise InputError("backend", "numpy | jax", backend, "choose one of these")
    line = show if callable(show) else progress_line() if show or (show is None and in_notebook()) else silent
    began = time.monotonic()
    result = solve(Hooks(backend=backend, threads=how.get("threads", 2), progress=line,
                         should_stop=how.get("should_stop", never)))
    seconds = round(time.monotonic() - began, 3)
    return replace(result, provenance=Provenance(seed, backend, seconds, (), scales, versions(), FORMAT_VERSION))


def in_notebook() -> bool:
    """Whether this runs in the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    return shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None


def progress_line() -> Callable[[str], None]:
    """A function that shows one line at a time: rewritten in place in a notebook, else on stderr now and then."""
    last = [-NOTEBOOK_SECONDS]
    handle: list[Any] = []

    def show(text: str) -> None:
        if time.monotonic() - last[0] < NOTEBOOK_SECONDS:
            return
        last[0] = time.monotonic()
        if not in_notebook():
            print(text, file=sys.stderr, flush=True)
            return
        from IPython.display import Pretty, display

        if handle:
            handle[0].update(Pretty(text))
        else:
            handle.append(display(Pretty(text), display_id=True))

    return show


@cache
def versions() -> dict[str, str]:
    """Versions of everything that can change a digit."""
    from importlib.metadata import PackageNotFoundError, version

    from ehbilayer import __version__

    found: dict[str, Any] = {"ehbilayer": __version__, "python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("numpy", "scipy", "ducc0", "jax"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
