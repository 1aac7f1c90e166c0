"""The one error that bad input raises, and text that a terminal can be shown."""

from __future__ import annotations

import re
from numbers import Real
from typing import Any

# C0 but tab and newline, DEL, C1, and what turns the direction of writing around
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class InputError(ValueError):
    """Input that cannot be computed.

    Parameters
    ----------
    argument : str
        The argument or dotted study-file key that is wrong, e.g. ``"cell.zero_mode"``.
    must : str
        What it must be, with unit or shape.
    was : object
        What it was; ``"missing"`` where it was not given.
    todo : str
        What to do next.
    """

    def __init__(self, argument: str, must: str, was: object, todo: str) -> None:
        self.argument, self.must, self.was, self.todo = argument, must, was, todo
        # arrays have neither one truth value nor one line
        told = listed(was).replace("\n", " ")
        found = "is missing" if isinstance(was, str) and was == "missing" else f"was {told}"
        super().__init__(printable(f"{argument}: must be {must}, but {found}; {todo}"))

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, object, str]]:
        return type(self), (self.argument, self.must, self.was, self.todo)  # so that workers can raise it


def listed(value: object) -> str:
    """A value in words: several side by side, named ones after their names, without the brackets of a program."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_short(one)}" for name, one in value.items()) or "nothing"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(_short, value)) or "nothing"
    return repr(value)


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else listed(value)


def require(argument: str, value: object, kinds: type | tuple[type, ...]) -> None:
    """Raises InputError for an argument of another class than ``kinds``, as the first thing a public function does."""
    if not isinstance(value, kinds):
        names = " or ".join(f"a {kind.__name__}" for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
        raise InputError(argument, names, f"a {type(value).__name__}", "see the page From Python")


def is_number(value: object) -> bool:
    """Whether it is one real number, of Python or NumPy, which true and false are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def shorten(value: Any, width: int = 60) -> Any:
    """The value itself if its text is short, else the beginning of its text; never long, whatever was written."""
    if isinstance(value, int) and abs(value) > 10**30:
        return "an integer of more than 30 digits"
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too large to print"
    return value if len(text) <= width else text[:width] + "..."


def printable(text: str) -> str:
    """The text with control characters spelt out (``\\u001b``, as JSON has them), so that a terminal obeys none.

    Texts of files come from anywhere: an escape sequence would move the cursor, fill the clipboard, or worse.
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
