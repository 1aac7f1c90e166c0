"""Where to compute next: points that close in on boundaries between phases, or follow a number of the summary.

The choice is made by the package `adaptive`, which is only ever asked and told: it is built anew from the finished
points for every batch, so the choice is a function of them and a resumed sweep goes the way of an unbroken one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ehbilayer.errors import InputError

FLOOR = 0.1  # weight of a piece without a boundary, so that no island of another phase is missed for ever

Place = tuple[float, ...]  # fractions along the axes, 0 ... 1
Value = tuple[float, float]  # number to follow, number of the phase


def next_places(known: list[tuple[Place, Value | None]], count: int, *, phases: bool) -> list[Place]:
    """The next ``count`` places in the unit interval or square.

    Parameters
    ----------
    known : finished places with their values, None where a point failed.
    count : how many to choose.
    phases : whether the second number says which phase has won and the first by how much. Then pieces between
        different phases come first, then those where the margin is small against its changes. Otherwise pieces where
        the number bends.

    Raises
    ------
    InputError : fewer than three finished points do not span a square (two an interval), or `adaptive` is missing.
    """
    axes = len(known[0][0])
    if sum(value is not None for _, value in known) < axes + 1:
        raise InputError("sweep.refine", "a number that at least a few of the first points have", "missing in them",
                         "look at `ehb status`; mode = \"grid\" shows why points fail")
    known = _bounded(known)
    learner = _learner(axes, phases)
    for place, value in known:
        if value is None:  # it failed: never told, and never asked for again
            learner.tell_pending(_as_argument(place))
        else:
            learner.tell(_as_argument(place), np.array(value) if phases else value[0])
    chosen, _ = learner.ask(count)
    return [tuple(float(x) for x in np.atleast_1d(place)) for place in chosen]


def _bounded(known: list[tuple[Place, Value | None]]) -> list[tuple[Place, Value | None]]:
    """Infinite margins as the largest one there is: far from a boundary unless a neighbour says otherwise."""
    most = max((v[0] for _, v in known if v is not None and math.isfinite(v[0])), default=1.0)
    return [(place, None if v is None else (min(v[0], most), v[1])) for place, v in known]


def check_available() -> None:
    """Raises InputError if the package `adaptive` is not installed."""
    from importlib.util import find_spec

    if find_spec("adaptive") is None:
        raise InputError("sweep.mode", '"grid" as long as the package adaptive is not installed', "adaptive",
                         "pip install 'ehbilayer[adaptive]'")


def _as_argument(place: Place) -> Any:
    return place if len(place) > 1 else place[0]


def _learner(axes: int, phases: bool) -> Any:
    from adaptive import Learner1D, Learner2D

    if axes == 1:
        options: dict[str, Any] = {"loss_per_interval": interval_loss} if phases else {}
        return Learner1D(None, bounds=(0.0, 1.0), **options)
    options = {"loss_per_triangle": triangle_losses} if phases else {}
    return Learner2D(None, bounds=((0.0, 1.0), (0.0, 1.0)), **options)


def interval_loss(places: tuple[float, float], values: tuple[Any, Any]) -> float:
    """Length of an interval times how near a boundary seems, see `nearness`."""
    pieces = np.array([values], dtype=float)  # (1, 2, 2): interval, end, (margin, phase)
    return float((places[1] - places[0]) * nearness(pieces[..., 0], pieces[..., 1])[0])


def triangle_losses(surface: Any) -> np.ndarray:
    """The same for triangles: the root of their area times how near a boundary seems."""
    from adaptive.learner.learner2D import areas

    pieces = surface.values[surface.tri.simplices]  # (triangles, 3, 2)
    return np.sqrt(areas(surface)) * nearness(pieces[..., 0], pieces[..., 1])


def nearness(margins: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """1 where the corners (n, corners) belong to different phases; less, the larger the margin against its changes.

    A piece whose margins vary by s around a smallest one of m would meet a boundary within m/s of its own size:
    s/(s + m), but never less than FLOOR.
    """
    spread, least = np.ptp(margins, axis=-1), np.abs(margins).min(axis=-1)
    total = spread + least
    close = np.divide(spread, total, out=np.zeros_like(total), where=total > 0)
    different = np.ptp(phases, axis=-1) > 0
    return np.where(different, 1.0, np.maximum(FLOOR, close**2))


def followed(summary: dict[str, Any] | None, key: str, phases: dict[str, int]) -> Value | None:
    """The number at a dotted key of a point's summary, and the number of its winner; None where it is missing.

    ``phases`` numbers the winners in the order in which they are met. A winner that nothing competes with, as all
    candidates ended alike, has an infinite margin.
    """
    value: Any = summary
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if key == "margin" and value is None and (summary or {}).get("winner") not in (None, "", "unknown"):
        value = math.inf
    elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    winner = str((summary or {}).get("winner", ""))
    return float(value), float(phases.setdefault(winner, len(phases)))
