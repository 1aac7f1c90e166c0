"""Compiled functions, kept on disk until any file of this folder changes that has some.

numba keeps compiled code until the file of the function changes, not those of the functions that it calls: after an
upgrade of another file it would go on with the old code without a word. So all files here that have compiled functions
share a folder of compiled code whose name is made of their contents; what they import from this folder is in such files
(tests/test_monte_carlo_compiled.py), so that no other file matters.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

HERE = Path(__file__).parent
CONFIG: Any = numba.config
USED, DEFINED = b"\n@compiled\n", b"\ndef compiled("  # in the files whose contents count


@cache
def place() -> str | None:
    """The folder of compiled code: where numba's settings want it, beside the files, or in the user's cache; None if
    none of them can be written."""
    texts = [file.read_bytes() for file in sorted(HERE.glob("*.py"))]
    said = hashlib.sha256(b"".join(text for text in texts if USED in text or DEFINED in text)).hexdigest()[:16]
    wanted = CONFIG.CACHE_DIR
    for base in (*([Path(wanted)] if wanted else []), HERE / "__pycache__", Path("~/.cache/ehbilayer").expanduser()):
        folder = base / f"numba-{said}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return str(folder)
    return None


def compiled(function: Callable[..., Any], **options: Any) -> Any:
    """`numba.njit` of a function, its code kept in `place`."""
    folder, before = place(), CONFIG.CACHE_DIR
    CONFIG.CACHE_DIR = folder or before
    try:
        return numba.njit(cache=folder is not None, error_model="numpy", nogil=True, **options)(function)
    finally:
        CONFIG.CACHE_DIR = before


def summing(function: Callable[..., Any]) -> Any:
    """`compiled`, with sums in whatever order is fastest, the same for all walkers."""
    return compiled(function, fastmath={"reassoc", "contract"})
