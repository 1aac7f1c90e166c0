"""A method called from Python: what it runs on, whom it tells, and what its result says of that.

In a notebook progress shows itself, unless it is told not to; elsewhere it is silent unless it is asked for. The
logger ``ehbilayer`` hears of it anyway: progress as DEBUG, how it ended as INFO, what did not converge as WARNING.
"""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any, TypedDict, TypeVar

from ehbilayer.errors import InputError
from ehbilayer.hooks import LOG, Hooks, never, silent
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

    Raises InputError for an unknown backend or option.
    """
    for name in how.keys() - Calling.__annotations__.keys():
        raise InputError(name, "an argument of the method or " + ", ".join(Calling.__annotations__), "unknown",
                         "check its spelling")
    backend, show = how.get("backend", "numpy"), how.get("progress")
    if backend not in ("numpy", "jax"):
        raise InputError("backend", "numpy | jax", backend, "choose one of these")
    line = show if callable(show) else ProgressLine() if show or (show is None and in_notebook()) else silent

    def tell(text: str) -> None:
        LOG.debug(text)
        line(text)

    began = time.monotonic()
    try:
        result = solve(Hooks(backend=backend, threads=how.get("threads", 2), progress=tell,
                             should_stop=how.get("should_stop", never)))
    finally:
        if isinstance(line, ProgressLine):
            line.end()
    seconds = round(time.monotonic() - began, 3)
    well = result.status is Status.converged
    LOG.log(logging.INFO if well else logging.WARNING, "%s: %s after %.1f s%s", result.kind, result.status.value,
            seconds, f"; {result.advice}" if result.advice else "")
    return replace(result, provenance=Provenance(seed, backend, seconds, (), scales, versions(), FORMAT_VERSION))


def in_notebook() -> bool:
    """Whether this runs in the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    return shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None


class ProgressLine:
    """Shows one line at a time: in a notebook rewritten in place and removed at the end, else on stderr now and then.

    A calculation that is over within NOTEBOOK_SECONDS shows nothing in a notebook.
    """

    def __init__(self) -> None:
        self._last = time.monotonic() if in_notebook() else -math.inf
        self._handle: Any = None

    def __call__(self, text: str) -> None:
        if time.monotonic() - self._last < NOTEBOOK_SECONDS:
            return
        self._last = time.monotonic()
        if not in_notebook():
            with suppress(OSError, ValueError):  # a stream that has gone costs no calculation
                print(text, file=sys.stderr, flush=True)
            return
        from IPython.display import Pretty, display

        if self._handle is None:
            self._handle = display(Pretty(text), display_id=True)
        else:
            self._handle.update(Pretty(text))

    def end(self) -> None:
        """Take the line away."""
        if self._handle is not None:
            from IPython.display import Pretty

            self._handle.update(Pretty(""))


@cache
def versions() -> dict[str, str]:
    """Versions of everything that can change a digit."""
    from importlib.metadata import PackageNotFoundError, version

    from ehbilayer import __version__

    found: dict[str, Any] = {"ehbilayer": __version__, "python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("numpy", "scipy", "ducc0", "jax", "numba"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
