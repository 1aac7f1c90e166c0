"""Which classes the results of a kind have; those of the methods here are imported when a file of theirs is read."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ehbilayer.results.fields import declared

_HOMES = ("ehbilayer.{}.result", "ehbilayer.studies.{}.result")  # where the classes of a kind may be defined
_NAME = re.compile(r"[a-z][a-z-]{0,40}")
_known: dict[str, list[Any]] = {}  # of subclasses of `base.Result`


def enter(cls: type) -> None:
    """Make a class known as one of its kind; one of a later definition comes before those of the same kind here."""
    kind = vars(cls).get("kind")
    if isinstance(kind, str) and kind:
        _known.setdefault(kind, []).insert(0, cls)


@cache
def _import_home(kind: str) -> None:
    """Import the module with the classes of a kind, if there is one."""
    for home in _HOMES if _NAME.fullmatch(kind) else ():
        name = home.format(kind.replace("-", "_"))
        package = find_spec(name.rpartition(".")[0])
        if package is not None and package.submodule_search_locations and find_spec(name) is not None:
            import_module(name)


def classes_of(kind: str) -> list[Any]:
    """The classes of a kind, those that need most fields first; none for a kind without a class."""
    _import_home(kind)
    return sorted(_known.get(kind, ()), key=lambda cls: -sum(f.required for f in declared(cls).values()))
