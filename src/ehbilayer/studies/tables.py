"""The study file as a whole: the tables that all kinds share and those that each kind brings, see `kinds`."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from pydantic import Field, create_model

from ehbilayer.studies import kinds
from ehbilayer.studies.keys import BilayerTable, CellTable, DensityTable, Keys, PotentialTable, ScreeningTable, Table


def tables() -> dict[str, type[Table]]:
    """Table name in the file -> its model (the free-form [sweep] is not among them)."""
    shared: dict[str, type[Table]] = {"bilayer": BilayerTable, "screening": ScreeningTable, "potential": PotentialTable,
                                      "density": DensityTable, "cell": CellTable}
    return shared | _own(kinds.KINDS)


def file_model() -> type[Keys]:
    """The model of a study file: its kind is one of those that are known, and each of them has its table."""
    return _file_model(kinds.KINDS)


def alternatives(dotted: str) -> list[str]:
    """The other keys of a table that say the same as this one: ``density.hole``, .. for ``density.rs_hole``."""
    name, key = dotted.split(".", 1)
    groups = tables().get(name, Table).ALTERNATIVES
    return [f"{name}.{other}" for group in groups if key in group for other in group if other != key]


@cache
def _own(registered: tuple[kinds.Kind, ...]) -> dict[str, type[Table]]:
    found = {kind.name: getattr(kind.part("keys"), "TABLE", None) for kind in registered if not kind.points}
    return {name: model for name, model in found.items() if model is not None}


@cache
def _file_model(registered: tuple[kinds.Kind, ...]) -> type[Keys]:
    names = tuple(kind.name for kind in registered)
    fields: dict[str, Any] = {"kind": (Literal.__getitem__(names), Field(description=" | ".join(names)))}
    for name, model in _own(registered).items():
        field = name.replace("-", "_")
        fields[field] = (model, Field(default_factory=model, alias=None if field == name else name))
    return create_model("Keys", __base__=Keys, __doc__=Keys.__doc__, **fields)
