"""The kinds of study and where each one lives: a folder with its keys, its task, its table and its figure.

A new kind is one line in KINDS. Its folder holds

    keys.py     TABLE, the model of its table in a study file (if it has one), and uses(study), the keys that count;
                NEIGHBOURS, when points of a sweep can start from each other (if they can)
    prepare.py  prepare(study), the task
    table.py    rows(result), what `ehb show` prints; SWEPT, the numbers of its summary that a sweep shows first
    figure.py   figure(result), what `ehb plot` draws
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ehbilayer.errors import InputError
from ehbilayer.results.files import one_line
from ehbilayer.results.registry import classes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ehbilayer.results.base import Result


@dataclass(frozen=True)
class Kind:
    """A kind of study or of result.

    Parameters
    ----------
    name : in a study file; its table there has the same name.
    package : that knows all about it.
    points : the kind of its points, for one that is nothing without a [sweep].
    """

    name: str
    package: str
    points: str = ""

    def part(self, module: str) -> Any:
        """A module of the package, imported when it is needed."""
        return import_module(f"{self.package}.{module}")


STUDIES = "ehbilayer.studies"
KINDS = (
    Kind("hartree-fock", f"{STUDIES}.hartree_fock"),
    Kind("condensate", f"{STUDIES}.condensate"),
    Kind("phases", f"{STUDIES}.phases"),
    Kind("phase-diagram", f"{STUDIES}.phases", points="phases"),
    Kind("compressibility", f"{STUDIES}.compressibility"),
    Kind("pairing", f"{STUDIES}.pairing"),
    Kind("device", f"{STUDIES}.device"),
    Kind("crystal", f"{STUDIES}.crystal"),
    Kind("phonons", f"{STUDIES}.phonons"),
    Kind("few-body", f"{STUDIES}.few_body"),
    Kind("liquid", f"{STUDIES}.liquid"),
    Kind("monte-carlo", f"{STUDIES}.monte_carlo"),
    Kind("thermal", f"{STUDIES}.thermal"),
    Kind("response", f"{STUDIES}.response"),
    Kind("gates", f"{STUDIES}.gates"),
)
SWEEP = Kind("sweep", "ehbilayer.sweep")  # of results only: any study becomes one by its [sweep]


def kind_of(name: str) -> Kind | None:
    """The kind of a study or result of this name; None for one that is not known here."""
    return next((kind for kind in (*KINDS, SWEEP) if kind.name == name), None)


def study_kind(name: str) -> Kind:
    """The kind of a study that was read, which is known."""
    return next(kind for kind in KINDS if kind.name == name)


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text. What no method or no known kind has returned shows its status."""
    kind = kind_of(result.kind)
    if kind is None or _failed(result):
        told = [("kind", result.kind), ("status", result.status.value), ("reason", result.reason)]
        return [row for row in told if row[1]]
    with whole(result):
        found: list[tuple[str, str]] = kind.part("table").rows(result)
    return found


@contextmanager
def whole(result: Result) -> Iterator[None]:
    """Here a table or a figure is made, which may ask for what a file that someone changed lacks.

    Raises InputError then; with EHB_DEBUG in the environment whatever it was.
    """
    try:
        yield
    except InputError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        if os.environ.get("EHB_DEBUG"):
            raise
        raise InputError("result", f"whole, as {result.kind} leaves it", f"without what is shown ({one_line(error)})",
                         "restore it or compute it again") from error


def _failed(result: Result) -> bool:
    """Whether it says no more than how a calculation ended: a record, though its kind has a class."""
    from ehbilayer.results.base import Record

    kind = kind_of(result.kind)
    return isinstance(result, Record) and bool(classes_of(kind.points or kind.name if kind else result.kind))


def figure(result: Result) -> Figure:
    """The page of a result of any kind. Raises InputError for one that cannot be drawn."""
    kind = kind_of(result.kind)
    if kind is None or _failed(result):
        raise InputError("result", "of a kind that can be drawn", result.kind, "see `ehb schema` for the kinds")
    from ehbilayer.figures.style import own_style

    with whole(result), own_style():
        drawn: Figure = kind.part("figure").figure(result)
    return drawn


def panel(result: Result, what: str, ax: Axes | None, species: str | None) -> Figure:
    """One panel of a result's page. Raises InputError for a kind without single panels, and for an unknown one."""
    kind = kind_of(result.kind)
    module = None if kind is None or _failed(result) else kind.part("figure")
    if module is None or not hasattr(module, "panel"):
        raise InputError("result", "of a kind with single panels, such as hartree-fock or a sweep", result.kind,
                         "draw the page, or own panels with ehbilayer.figures")
    with whole(result):
        drawn: Figure = module.panel(result, what, ax, species)
    return drawn
