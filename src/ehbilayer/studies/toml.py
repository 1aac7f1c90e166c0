"""TOML: files of tables, read whole or refused in one line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.results.files import ResultFileError, read_bytes

LARGEST_FILE = 1_000_000  # bytes
MOST_DOTS = 30  # of one key


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a study file, or of another one like it. Raises InputError for what cannot be read."""
    must = "a readable TOML study file of at most 1 MB"
    try:
        raw = read_bytes(path, LARGEST_FILE)
    except ResultFileError as error:
        was = str(error.was).removeprefix("cannot be read: ")
        raise InputError(str(path)[:200], must, was, "give the path of a file such as study.toml") from None
    return _decode(raw, str(path), must)


def _decode(raw: bytes, where: str, must: str) -> dict[str, Any]:
    try:
        return parse_toml(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(where, must, "not UTF-8 text", "save it as UTF-8") from None
    except RecursionError:
        raise InputError(where, must, "nested too deeply", "write tables and keys, see `ehb schema`") from None
    except ValueError as error:  # TOMLDecodeError, and integers of too many digits
        reason = str(error).splitlines()[0][:200]
        raise InputError(where, "valid TOML", reason, "text needs quotes and each key stands once") from None


# what stands between two keys, texts and comments as wholes, and dots
_PIECES = re.compile("|".join((r'"""(?:\\.|[^\\])*?(?:"""|\Z)',
                               r"'''.*?(?:'''|\Z)", r'"(?:\\.|[^"\\\n])*"?', r"'[^'\n]*'?",
                               r"#[^\n]*", r"[.,=\n\[\]{}]")), re.DOTALL)


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a text. Raises ValueError for what is no TOML, and for a key of more parts than any study has.

    Parsing takes a time that grows as the square of the number of parts.
    """
    dots = 0
    for piece in _PIECES.findall(text):
        dots = dots + 1 if piece == "." else 0 if piece[0] in ",=\n[]{}" else dots
        if dots > MOST_DOTS:
            raise ValueError(f"a key with more than {MOST_DOTS} dots")
    return tomllib.loads(text)
