"""A study as text: the tables of a point as TOML and as Python, with places for what the axes of a sweep say."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ehbilayer.studies.tables import alternatives
from ehbilayer.view.data import Snippet, Studies

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def literal(value: Any, python: bool = False) -> str:
    """A value as TOML writes it, or Python. Raises TypeError for what neither holds."""
    if isinstance(value, bool):
        return str(value) if python else str(value).lower()
    if isinstance(value, str):  # what JSON escapes, both escape alike; TOML takes no bare DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(v, python) for v in value)}]"
    if isinstance(value, Mapping):
        sign = ": " if python else " = "
        pairs = (f"{literal(str(k)) if python else key(str(k))}{sign}{literal(v, python)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise TypeError(f"{value!r} stands in no study")


def key(name: str) -> str:
    """A key of TOML, in quotes where it needs them."""
    return name if _BARE.fullmatch(name) else literal(name)


def studies(study: Mapping[str, Any], axes: Sequence[str] = (), sweep: Mapping[str, Any] | None = None) -> Studies:
    """All texts of a study.

    Parameters
    ----------
    study : kind and tables of a point, as its result has kept them; None stands for what is not given.
    axes : dotted keys that a sweep changes.   sweep : the table [sweep], where there is one.
    """
    tables = {name: _one_of_each(name, {k: v for k, v in table.items() if v is not None}, axes)
              for name, table in study.items() if isinstance(table, Mapping)}
    if not isinstance(study.get("kind"), str):
        return Studies()
    toml = _toml(study["kind"], tables, axes)
    whole = toml if sweep is None else [*_toml(study["kind"], _without(tables, axes), ()),
                                        "\n[sweep]\n", *(f"{key(k)} = {literal(v)}\n" for k, v in sweep.items())]
    return Studies("".join(map(str, whole)), _joined(toml), _joined(_python(study["kind"], tables, axes)))


def _one_of_each(name: str, table: Mapping[str, Any], axes: Sequence[str]) -> dict[str, Any]:
    """Of keys that say the same, such as a spacer and its thickness, the one that is swept, else the last."""
    kept: set[str] = set()
    for k in sorted(reversed(list(table)), key=lambda k: f"{name}.{k}" not in axes):
        others = (other.split(".", 1)[1] for other in alternatives(f"{name}.{k}"))
        if kept.isdisjoint(others):
            kept.add(k)
    return {k: v for k, v in table.items() if k in kept}


def _toml(kind: str, tables: Mapping[str, Mapping[str, Any]], axes: Sequence[str]) -> list[str | int]:
    found: list[str | int] = [f"kind = {literal(kind)}\n"]
    for name, table in tables.items():
        found += [f"\n[{key(name)}]\n"] if table else []
        for k, value in table.items():
            said = axes.index(f"{name}.{k}") if f"{name}.{k}" in axes else literal(value)
            found += [f"{key(k)} = ", said, "\n"]
    return found


def _python(kind: str, tables: Mapping[str, Mapping[str, Any]], axes: Sequence[str]) -> list[str | int]:
    found: list[str | int] = ["import ehbilayer\n\nstudy = {\n", f'    "kind": {literal(kind)},\n']
    for name, table in tables.items():
        found += [f"    {literal(name)}: {{\n"] if table else []
        for k, value in table.items():
            said = axes.index(f"{name}.{k}") if f"{name}.{k}" in axes else literal(value, python=True)
            found += [f"        {literal(k)}: ", said, ",\n"]
        found += ["    },\n"] if table else []
    return [*found, "}\nresult = ehbilayer.run(study)\n"]


def _without(tables: Mapping[str, Mapping[str, Any]], axes: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {name: {k: v for k, v in table.items() if f"{name}.{k}" not in axes} for name, table in tables.items()}


def _joined(pieces: list[str | int]) -> Snippet:
    """Neighbouring texts as one."""
    found: list[str | int] = []
    for piece in pieces:
        if found and isinstance(piece, str) and isinstance(found[-1], str):
            found[-1] += piece
        else:
            found.append(piece)
    return tuple(found)
