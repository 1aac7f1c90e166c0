"""Entries of the points' summaries as columns: what there is, as one array, with unit and description."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ehbilayer.results.base import Result
from ehbilayer.results.fields import described

LONGEST_LIST = 1000
COMMON = ("kind", "status", "advice", "reason", "units", "versions", "format_version", "ignored", "backend", "seed",
          "scales")  # what all points share
UNITS = {"wall_seconds": "s"}  # of what every summary has


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Numbers, texts and lists of numbers of a summary by dotted key, without what all points share.

    A list of rows with names, such as the candidates of a competition, becomes ``candidates.NAME.KEY``.
    """
    for key, below in value.items():
        if not prefix and key in COMMON:
            continue
        name = f"{prefix}{key}".replace("/", "-")
        if isinstance(below, dict):
            yield from flatten(below, f"{name}.")
        elif _named_rows(below):
            for row in below:
                yield from flatten({k: v for k, v in row.items() if k != "name"}, f"{name}.{row['name']}.")
        elif isinstance(below, int | float | str) or (isinstance(below, list) and below and
                                                      all(type(x) in (int, float) for x in below)):
            yield name, below


def _named_rows(value: Any) -> bool:
    """Whether a value is a list of tables that different names tell apart."""
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        return False
    names = [row.get("name") for row in value]
    return all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names)


def column(values: list[Any]) -> np.ndarray | None:
    """Values of the points as an array, NaN or empty text where there is none; None where they do not match."""
    there = [v for v in values if v is not None]
    if any(isinstance(v, list) for v in there):
        lengths = {len(v) if isinstance(v, list) else -1 for v in there}
        if len(lengths) != 1 or not 0 < max(lengths) <= LONGEST_LIST:
            return None
        return np.array([v if v is not None else [math.nan] * max(lengths) for v in values], dtype=float)
    if any(isinstance(v, str) for v in there):
        return np.array(["" if v is None else str(v) for v in values], dtype=str)
    if len(there) == len(values) and all(type(v) is bool for v in there):
        return np.array(values, dtype=bool)
    if len(there) == len(values) and all(type(v) is int and abs(v) < 2**53 for v in there):
        return np.array(values, dtype=np.int64)
    return np.array([math.nan if v is None else float(v) for v in values])


def described_entry(name: str, classes: list[type[Result]]) -> tuple[str, str]:
    """Unit and description of an entry, as the class of the points declares it."""
    found = next((d for d in (described(cls, name) for cls in classes) if d is not None), None)
    return found or (UNITS.get(name, "1"), " ".join(name.replace("_", " ").split(".")))
