"""What a report holds, as plain data: texts, numbers with their units, and what there is to draw.

Every class here becomes a table of JSON, its arrays base64 (`page`). Numbers are those of the result, in hole atomic
units; `Report.units` says by what they are multiplied to be others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Unit:
    """A unit as printed, and what a number in the unit that a result has it in is multiplied by."""

    name: str
    factor: float


@dataclass(frozen=True)
class Units:
    """One unit in the three choices of a reader; those that the device does not tell are the atomic ones."""

    atomic: Unit
    real: Unit
    kelvin: Unit


@dataclass(frozen=True)
class Scale:
    """An axis of a chart: its words, the unit of its numbers (a key of `Report.units`), whether logarithms are even."""

    label: str
    unit: str = "1"
    log: bool = False


@dataclass(frozen=True)
class Curve:
    """Numbers against numbers, joined by a line or not; errors where there are any; what a point is, if one may ask."""

    name: str
    x: np.ndarray
    y: np.ndarray
    error: np.ndarray | None = None
    points: bool = False
    colour: str = ""
    dashed: bool = False


@dataclass(frozen=True)
class Mark:
    """A named place along the x axis, such as a corner of the zone."""

    at: float
    name: str


@dataclass(frozen=True)
class Curves:
    """A chart of curves that share both axes."""

    title: str
    x: Scale
    y: Scale
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...] = ()
    note: str = ""
    plan: bool = False  # both axes are lengths in one plane
    type: str = "curves"


@dataclass(frozen=True)
class Layer:
    """One of the maps of a chart: z has the shape (y, x)."""

    name: str
    z: np.ndarray


@dataclass(frozen=True)
class Map:
    """A chart of numbers over a plane: one layer at a time, cuts along both axes where ``cuts`` says so."""

    title: str
    x: Scale
    y: Scale
    z: Scale
    x_values: np.ndarray
    y_values: np.ndarray
    layers: tuple[Layer, ...]
    lines: tuple[Curve, ...] = ()
    cuts: bool = True
    plan: bool = False  # both axes are lengths in one plane
    colour: str = "Viridis"
    note: str = ""
    words: tuple[str, ...] = ()  # what the numbers stand for, where z counts words
    type: str = "map"


Panel = Curves | Map


@dataclass(frozen=True)
class Axis:
    """A swept key. Its values are those of the grid, or one for each point where the points were chosen.

    values : numbers; the places 0, 1, .. where there are ``names``.
    said : the values as they stand in a study file and in Python.
    """

    key: str
    label: str
    unit: str
    values: np.ndarray
    names: tuple[str, ...]
    said: tuple[str, ...]
    log: bool = False


@dataclass(frozen=True)
class Column:
    """A number of every point, NaN where there is none."""

    name: str
    title: str
    unit: str
    meaning: str
    values: np.ndarray


@dataclass(frozen=True)
class Words:
    """A word of every point, as its place among the words there are."""

    name: str
    title: str
    words: tuple[str, ...]
    codes: np.ndarray


Snippet = tuple[str | int, ...]  # pieces of a text; a number stands for what the axis of that number says at a point


@dataclass(frozen=True)
class Studies:
    """What to compute a point again with, and the study of the whole."""

    whole: str = ""
    toml: Snippet = ()
    python: Snippet = ()


@dataclass(frozen=True)
class Caution:
    """What a reader must not overlook, and at which points; of the whole where there are none."""

    text: str
    points: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))


@dataclass(frozen=True)
class Report:
    """A result or a sweep.

    shape : lengths of the axes of a grid; empty where the points were chosen, or there is but one.
    table : what `ehb show` prints.   panels : of each point that has any, by its number.
    first : names of the numbers to look at first.   phases : of the words, the one that says the phase; or empty.
    notes : what this report leaves out or rounds.   digits : to which numbers are shown.
    """

    title: str
    kind: str
    status: str
    advice: str
    count: int
    shape: tuple[int, ...]
    table: tuple[tuple[str, str], ...]
    axes: tuple[Axis, ...]
    columns: tuple[Column, ...]
    words: tuple[Words, ...]
    candidates: tuple[str, ...]
    first: tuple[str, ...]
    phases: str
    panels: Mapping[str, tuple[Panel, ...]]
    cautions: tuple[Caution, ...]
    studies: Studies
    origin: tuple[tuple[str, str], ...]
    versions: Mapping[str, str]
    units: Mapping[str, Units]
    real: bool
    reads_real: bool
    colours: Mapping[str, str]
    notes: tuple[str, ...] = ()
    digits: int = 10
