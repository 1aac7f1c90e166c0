"""Fields of typed results: declared with unit and meaning, brought to their type, written to and read from JSON.

A result is made of numbers, words, `Carriers`, tuples, and rows (small frozen dataclasses whose fields are declared
alike). `conform` takes what a method or a file gives and returns exactly the declared type, so that a result that was
saved and loaded equals the one that was computed; `entries` goes the other way.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.results.carriers import Carriers
from ehbilayer.results.quantity import Quantity
from ehbilayer.results.variable import plain
from ehbilayer.units import Scales

MISSING = dataclasses.MISSING
TWINS = {"_meV": "meV", "_kelvin": "K"}  # endings of the keys that give an energy again, and their units
CARRIER_WORDS = {"electron": "of the electrons", "hole": "of the holes"}


def number(unit: str, meaning: str, default: Any = MISSING, *, key: str | None = None) -> Any:
    """A field that holds numbers of one unit: one, or a tuple, `Carriers` or a row of them.

    Parameters
    ----------
    unit : e.g. ``"Ha_h"``, ``"a_h"``; ``"1"`` for pure numbers. meaning : a few words, formula where there is one.
    default : what it is where it is not given; without one the field must be given.
    key : its name in a file, where that is another than the field's.
    """
    return dataclasses.field(default=default, metadata={"unit": unit, "meaning": meaning, "key": key})


def entry(meaning: str, default: Any = MISSING, *, key: str | None = None) -> Any:
    """A field that holds words, truth values, counts, or rows whose numbers have units of their own; see `number`."""
    return dataclasses.field(default=default, metadata={"unit": "1", "meaning": meaning, "key": key})


@dataclasses.dataclass(frozen=True)
class Declared:
    """A declared field: its name in Python, its key in files, its type, unit and meaning."""

    name: str
    key: str
    hint: Any
    unit: str
    meaning: str
    required: bool


def declared(cls: Any) -> dict[str, Declared]:
    """Key -> field, of all fields of a result or row that were declared with `number` or `entry`."""
    return _declared(cls)


@cache
def _declared(cls: Any) -> dict[str, Declared]:
    hints = typing.get_type_hints(cls)
    return {f.metadata["key"] or f.name: Declared(f.name, f.metadata["key"] or f.name, hints[f.name],
                                                  f.metadata["unit"], f.metadata["meaning"], f.default is MISSING)
            for f in dataclasses.fields(cls) if "meaning" in f.metadata}


def conform(hint: Any, value: Any, unit: str, scales: Scales, name: str) -> Any:
    """``value`` as the type ``hint`` says, numbers with a unit as `Quantity`.

    NaN and infinities become None where that is allowed. Raises InputError naming a field of another type.
    """
    optional, choices = _alternatives(hint)
    if optional and (value is None or (isinstance(value, float) and not math.isfinite(value))):
        return None
    if len(choices) > 1:
        for choice in choices:
            try:
                return conform(choice, value, unit, scales, name)
            except InputError:
                continue
        raise _wrong(name, hint, value)
    return _one(choices[0], value, unit, scales, name)


def _alternatives(hint: Any) -> tuple[bool, list[Any]]:
    """Whether None is allowed, and the other types."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = typing.get_args(hint)
        return type(None) in parts, [p for p in parts if p is not type(None)]
    return False, [hint]


def _one(hint: Any, value: Any, unit: str, scales: Scales, name: str) -> Any:
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin is Any:
        return plain(value, name)
    if origin is tuple:
        return _tuple(inner, value, unit, scales, name)
    if origin is Carriers and isinstance(value, Mapping):
        return Carriers({str(k): conform(inner[0] | None, v, unit, scales, f"{name}.{k}") for k, v in value.items()})
    if origin in (dict, Mapping) and isinstance(value, Mapping):
        return {str(k): conform(inner[1] if inner else Any, v, unit, scales, f"{name}.{k}") for k, v in value.items()}
    if dataclasses.is_dataclass(origin):
        return _row(typing.cast(type, origin), value, scales, name)
    if origin is typing.Literal and value in inner:
        return value
    return _scalar(origin, value, unit, scales, name)


def _scalar(kind: Any, value: Any, unit: str, scales: Scales, name: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if kind is float and value is None:
        return math.nan
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if unit == "1" else Quantity(value, unit, scales)
    if kind is int and not isinstance(value, bool) and isinstance(value, int):
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is str and isinstance(value, str):
        return str(plain(value, name))
    raise _wrong(name, kind, value)


def _tuple(inner: tuple[Any, ...], value: Any, unit: str, scales: Scales, name: str) -> tuple[Any, ...]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise _wrong(name, tuple, value)
    hints = [inner[0]] * len(value) if inner[1:] == (...,) else list(inner)
    if len(hints) != len(value):
        raise _wrong(name, f"{len(hints)} values", value)
    return tuple(conform(h, v, unit, scales, f"{name}[{i}]") for i, (h, v) in enumerate(zip(hints, value, strict=True)))


def _row(cls: type, value: Any, scales: Scales, name: str) -> Any:
    """A row from one or from its table in a file; keys that it does not know are left out."""
    if isinstance(value, cls):
        given = {f.key: getattr(value, f.name) for f in declared(cls).values()}
    elif isinstance(value, Mapping):
        given = dict(value)
    else:
        raise _wrong(name, cls, value)
    return cls(**{f.name: conform(f.hint, given[key], f.unit, scales, f"{name}.{key}")
                  for key, f in declared(cls).items() if key in given or _needed(f, name)})


def _needed(field: Declared, name: str) -> bool:
    if field.required:
        raise InputError(f"{name}.{field.key}", "given", "missing", "give it")
    return False


def _wrong(name: str, kind: Any, value: Any) -> InputError:
    return InputError(name, f"of type {getattr(kind, '__name__', kind)}", value, "convert it")


def entries(value: Any) -> Any:
    """What JSON holds of a field: rows as tables by their keys, tuples as lists, quantities as numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: entries(getattr(value, f.name)) for key, f in declared(type(value)).items()}
    if isinstance(value, Mapping):
        return {str(k): entries(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [entries(v) for v in value]
    return plain(value)


def scaled(value: Any, factor: float) -> Any:
    """All numbers in what `entries` gave, times a factor."""
    if isinstance(value, dict):
        return {k: scaled(v, factor) for k, v in value.items()}
    if isinstance(value, list):
        return [scaled(v, factor) for v in value]
    return value * factor if isinstance(value, int | float) and not isinstance(value, bool) else value


def described(cls: type, dotted: str) -> tuple[str, str] | None:
    """Unit and meaning of an entry by its dotted key, e.g. ``gap.electron``; None if the class does not declare it.

    A table in a list is named by its row: ``candidates.liquid.energy``.
    """
    head, *rest = dotted.split(".")
    known = declared(cls)
    for ending, unit in TWINS.items():
        base = head.removesuffix(ending)
        if head not in known and base != head and base in known and known[base].unit == "Ha_h":
            found = described(cls, ".".join([base, *rest]))
            return None if found is None else (unit, found[1])
    if head not in known:
        told: tuple[str, str] | None = getattr(cls, "derived_units", {}).get(head)
        return told
    field = known[head]
    return _below(field.hint, field.unit, field.meaning, rest)


def _below(hint: Any, unit: str, meaning: str, rest: list[str]) -> tuple[str, str] | None:
    if not rest:
        return unit, meaning
    inner = _alternatives(hint)[1][0]
    origin, arguments = typing.get_origin(inner) or inner, typing.get_args(inner)
    if origin is Carriers:
        return _below(arguments[0], unit, f"{meaning}, {CARRIER_WORDS.get(rest[0], rest[0])}", rest[1:])
    if origin in (dict, Mapping):
        return _below(arguments[1] if arguments else Any, unit, f"{meaning}, {rest[0]}", rest[1:])
    if origin is tuple and dataclasses.is_dataclass(arguments[0]):
        return _below(arguments[0], unit, meaning, rest[1:])
    return described(typing.cast(type, origin), ".".join(rest)) if dataclasses.is_dataclass(origin) else None
