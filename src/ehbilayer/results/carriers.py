"""Values per carrier: ``gap.electron``, ``gap.hole``, ``gap["hole 2"]``; None where a carrier is absent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

V = TypeVar("V")
_NAME = re.compile(r"(electron|hole)(_[0-9]+)?")


class Carriers(Mapping[str, V | None], Generic[V]):
    """One value per carrier, which does not change.

    Parameters
    ----------
    values : by name, e.g. ``{"electron": 0.1, "hole": None}``.
    """

    __slots__ = ("_values",)
    _values: dict[str, V | None]

    def __init__(self, values: Mapping[str, V | None]) -> None:
        object.__setattr__(self, "_values", dict(values))

    def __getitem__(self, name: str) -> V | None:
        return self._values.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __getattr__(self, name: str) -> V | None:
        if not _NAME.fullmatch(name):
            raise AttributeError(f"no carrier is called {name!r}; there are {', '.join(self._values)}")
        return self[name.replace("_", " ")]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("values of carriers do not change")

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return "Carriers(" + ", ".join(f"{name}: {value!r}" for name, value in self._values.items()) + ")"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._values,)
