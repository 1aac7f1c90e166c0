"""What the command prints: shown and not obeyed, and if it cannot go out, that costs the text and no calculation.

A stream may be closed, its reader gone, its disk full; its encoding may lack a letter.
"""

from __future__ import annotations

import codecs
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast

from ehbilayer.errors import printable

ESCAPE = "ehbilayer.escape"  # how letters that an encoding lacks are written: as in JSON, which stays valid by it


class Printed:
    """A text stream that shows control characters instead of obeying them; everything that is printed goes through one.

    ``stream`` is what it writes to.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text; letters that the encoding of the stream lacks are spelt out, too."""
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        return self.stream.write(printable(text).encode(encoding, ESCAPE).decode(encoding))

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # bytes would pass by
            raise AttributeError(name)
        return getattr(self.stream, name)


@contextmanager
def shown() -> Iterator[None]:
    """Within it what is printed goes through `Printed`."""
    with ExitStack() as stack:
        for redirect, stream in ((redirect_stdout, sys.stdout), (redirect_stderr, sys.stderr)):
            if stream is not None:
                stack.enter_context(redirect(cast(TextIO, Printed(stream))))
        yield


class _Kept(io.RawIOBase):
    """A file descriptor that keeps what went wrong in writing instead of raising it, and from then on takes all."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self.lost: OSError | None = None

    def fileno(self) -> int:
        return self._handle

    def isatty(self) -> bool:
        return os.isatty(self._handle)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        while self.lost is None:
            try:
                return os.write(self._handle, data)
            except BlockingIOError:  # a pipe that somebody has set not to wait
                select.select([], [self._handle], [])
            except OSError as error:
                self.lost = error
        return len(data)


def secure() -> None:
    """Make the standard streams of this process such that printing raises nothing."""
    for handle in range(3):
        try:
            os.fstat(handle)
        except OSError:  # else the next file that is opened would become a standard stream, of C libraries too
            os.open(os.devnull, os.O_RDWR)
    sys.stdout, sys.stderr = _secured(sys.stdout, 1), _secured(sys.stderr, 2)


def lost(stream: TextIO) -> OSError | None:
    """Why text was lost on a stream; None for one that took it all, or whose reader had enough."""
    raw = getattr(getattr(getattr(stream, "stream", stream), "buffer", None), "raw", None)
    error = raw.lost if isinstance(raw, _Kept) else None
    return None if isinstance(error, BrokenPipeError) else error


def _secured(stream: TextIO | None, handle: int) -> TextIO:
    if stream is None:  # it was closed when Python began
        handle = os.open(os.devnull, os.O_WRONLY)
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(_Kept(handle)), encoding, ESCAPE, line_buffering=True)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start:error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i:i + 2].hex()}" for i in range(0, len(units), 2)), error.end


codecs.register_error(ESCAPE, _escaped)
