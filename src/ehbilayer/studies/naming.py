"""Which key of a study file says what a method calls an argument."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ehbilayer.errors import InputError

if TYPE_CHECKING:
    from ehbilayer.studies.file import Study

TABLES = {"torus": "cell", "where": "cell"}  # arguments that a whole table stands for


@contextmanager
def by_key(study: Study) -> Iterator[None]:
    """A context in which errors of methods name the key of this study that is at fault, where one of its keys is
    called like the argument; of several, that in the table of the kind itself."""
    try:
        yield
    except InputError as error:
        keys = [key for key in study.used() if key.partition(".")[2] == error.argument]
        keys = [key for key in keys if key.startswith(f"{study.kind}.")] or keys
        key = keys[0] if len(keys) == 1 else TABLES.get(error.argument)
        if key is None or type(error) is not InputError:
            raise
        raise InputError(key, error.must, error.was, error.todo) from None
