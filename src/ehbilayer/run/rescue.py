"""A result that cannot be written where it was to be is kept elsewhere, and never lost."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ehbilayer.results.base import Result
from ehbilayer.results.files import RESULT, SUMMARY, ResultFileError, atomic_write
from ehbilayer.run.finishing import summary_text


class RescuedError(ResultFileError):
    """A result was computed but could not be written into its directory.

    ``result`` is the result, ``kept`` the directory where it lies now; None if nothing could be written anywhere.
    """

    def __init__(self, error: ResultFileError, kept: Path | None, result: Result) -> None:
        where = "nowhere but in memory" if kept is None else f"in {kept} instead"
        super().__init__(error.path, str(error.was), f"{error.todo}; the result is kept {where}")
        self.error, self.kept, self.result = error, kept, result

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.error, self.kept, self.result)


def rescued(place: Path, result: Result, error: ResultFileError) -> RescuedError:
    """Keep a result that ``error`` kept out of ``place``: in a new directory ``PLACE-rescued-*`` in the current one,
    else in the system's for temporary files, else in the user's home."""
    name = place.absolute().name or "result"
    for base in _bases():
        with contextlib.suppress(OSError):
            kept = Path(tempfile.mkdtemp(prefix=f"{name}-rescued-", dir=base))
            try:
                result.save(kept / RESULT)
                atomic_write(kept / SUMMARY, summary_text(result))
            except ResultFileError:
                shutil.rmtree(kept, ignore_errors=True)
                continue
            return RescuedError(error, kept, result)
    return RescuedError(error, None, result)


def _bases() -> Iterator[Path]:
    """Directories to try; the current one may be gone, too."""
    places: tuple[Callable[[], Path], ...] = (Path.cwd, lambda: Path(tempfile.gettempdir()), Path.home)
    for base in places:
        with contextlib.suppress(OSError, RuntimeError):
            yield base()
