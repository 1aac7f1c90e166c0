"""What may stand in [sweep]: axes (dotted keys with their values), and how they are gone through."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ehbilayer.errors import InputError, shorten
from ehbilayer.units import UNITS, Scales, parse_duration, split_quantity

MOST_POINTS = 1_000_000
# units of bare numbers
AXIS_UNITS = {"bilayer.spacing": "a_h", "bilayer.electron_mass": "m_0", "bilayer.hole_mass": "m_0",
              "density.hole": "a_h^-2", "density.electron": "a_h^-2", "density.rs_hole": "a_h",
              "density.rs_electron": "a_e", "density.critical_rs": "a_h", "cell.cutoff": "1/a_h",
              "condensate.chemical_potential": "Ha_h", **dict.fromkeys(
                  (f"gates.{name}" for name in ("top", "bottom", "common", "difference", "bias", "gap")), "Ha_h")}
SWEPT = "swept"  # how coordinates are described
DIGITS = 12  # of the values between start and stop, so that 0.3 is 0.3


def _duration(value: str) -> str:
    parse_duration(value, "sweep.point_time")
    return value


class SweepOptions(BaseModel):
    """The keys of [sweep] that are no axes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)

    mode: Literal["grid", "adaptive"] = Field(default="grid", description="grid | adaptive")
    points: int = Field(default=200, ge=4, le=MOST_POINTS, description="an integer >= 4: points of an adaptive sweep")
    refine: str = Field(default="margin", min_length=1, description='a number in the summary, such as "gap.electron"')
    batch: int = Field(default=8, ge=1, le=10_000,
                       description="an integer >= 1: points that an adaptive sweep chooses at a time")
    start: Literal["cold", "neighbour"] = Field(default="cold", description="cold | neighbour")
    point_time: Annotated[str, AfterValidator(_duration)] | None = Field(
        default=None, description='a duration such as "10 min": the longest that one point may take')
    keep: list[str] = Field(default=[], description="a list of arrays to keep from every point")
    show: list[str] = Field(default=[], description="a list of numbers in the summary, which the figure shows")


@dataclass(frozen=True)
class Axis:
    """A swept key with its values in order, as they would stand in a study file.

    ``start``, ``stop`` and ``scale`` are there where it was given as a range; an adaptive sweep chooses between them.
    """

    key: str
    values: tuple[Any, ...]
    start: float | None = None
    stop: float | None = None
    unit: str = ""
    log: bool = False

    def at(self, fraction: float) -> float | str:
        """The value at a fraction of the range, 0 for ``start`` and 1 for ``stop``."""
        assert self.start is not None and self.stop is not None
        if self.log:
            number = math.exp((1 - fraction) * math.log(self.start) + fraction * math.log(self.stop))
        else:
            number = (1 - fraction) * self.start + fraction * self.stop
        number = float(f"{number:.{DIGITS}g}")
        return f"{number:.{DIGITS}g} {self.unit}" if self.unit else number

    def fraction(self, value: Any) -> float:
        """Where in the range a value lies: the inverse of `at`."""
        number = split_number(value)
        assert self.start is not None and self.stop is not None and number is not None
        if self.log:
            return math.log(number[0] / self.start) / math.log(self.stop / self.start)
        return (number[0] - self.start) / (self.stop - self.start)

    def coordinates(self, values: tuple[Any, ...], scales: Scales) -> tuple[list[float] | list[str], str, str]:
        """Values as numbers with their common unit, or as text; and a description.

        Bare numbers have the unit of their key (AXIS_UNITS). Values in different units become hole atomic units, for
        which the ``scales`` of the device must be known; else they stay text.
        """
        split, own = [split_number(v) for v in values], AXIS_UNITS.get(self.key, "1")
        numbers, units = [s[0] for s in split if s], {s[1] or own for s in split if s}
        if len(numbers) < len(values):
            return [str(v) for v in values], "1", SWEPT
        if len(units) == 1:
            return numbers, units.pop(), SWEPT
        try:
            return [scales.to_atomic(v, UNITS[own][0], self.key) for v in values], own, SWEPT
        except (InputError, KeyError):
            said = f"{SWEPT}; text, as the units differ and masses or dielectric constant are unknown"
            return [str(v) for v in values], "1", said


    def same(self, scales: Scales) -> tuple[Any, Any] | None:
        """Two values that say the same in different words, such as 1 and "1 a_h"; None if there are none."""
        seen: dict[Any, Any] = {}
        for value in self.values:
            said = self._normal(value, scales)
            if said in seen:
                return seen[said], value
            seen[said] = value
        return None

    def _normal(self, value: Any, scales: Scales) -> tuple[str, Any]:
        """A value in hole atomic units as far as the device is known, else in the first unit of its kind."""
        split = split_number(value)
        number, unit = split if split is not None else (0.0, "")
        unit = unit or AXIS_UNITS.get(self.key, "")
        if split is None or unit not in UNITS:
            return "", repr(value) if split is None else number
        dimension, whose, size = UNITS[unit]
        try:
            whose, number = "hole", scales.to_atomic(f"{number!r} {unit}", dimension, self.key)
        except InputError:
            number *= size
        return whose, float(f"{number:.{DIGITS}g}")


def split_number(value: Any) -> tuple[float, str] | None:
    """A number and its unit, None for anything else; ``"3 nm"`` is (3.0, "nm"), a bare number has no unit."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value), ""
        except OverflowError:  # an integer of a thousand digits
            return None
    found = split_quantity(value) if isinstance(value, str) else None
    return found if found is not None and found[1] in UNITS else None


def split_sweep(sweep: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Axes (dotted key -> list or range) and options of a [sweep]; ``density.rs_hole = ..`` may go without quotes."""
    axes: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for name, value in sweep.items():
        if name in SweepOptions.model_fields:
            options[name] = value
        elif "." not in name and isinstance(value, dict):
            axes |= {f"{name}.{key}": below for key, below in value.items()}
        else:
            axes[name] = value
    return axes, options


def make_axis(key: str, given: Any) -> Axis:
    """The axis of a list of values or a table {start, stop, count, scale}.

    Raises InputError for anything else, and for more than MOST_POINTS values.
    """
    argument = f'sweep."{key}"'
    if isinstance(given, list) and given:
        return Axis(key, tuple(given))
    if not isinstance(given, dict) or not {"start", "stop"} <= set(given) <= {"start", "stop", "count", "scale"}:
        raise InputError(argument, "a list of values or {start = .., stop = .., count = ..}", shorten(given),
                         f'e.g. "{key}" = [4, 6, 8]')
    count, scale = given.get("count"), given.get("scale", "linear")
    if count is not None and not (type(count) is int and 2 <= count <= MOST_POINTS):
        raise InputError(argument, "a range with a count of at least 2", shorten(count), "a list may have one value")
    if scale not in ("linear", "log"):
        raise InputError(argument, 'a range with scale = "linear" or "log"', shorten(scale), "choose one of these")
    return _range(key, given["start"], given["stop"], count, scale == "log")


def _range(key: str, start: Any, stop: Any, count: int | None, log: bool) -> Axis:
    argument, first, last = f'sweep."{key}"', split_number(start), split_number(stop)
    ends = f"{shorten(start)} to {shorten(stop)}"
    if first is None or last is None or first[1] != last[1]:
        raise InputError(argument, "a range between two numbers of the same unit", ends, 'e.g. "1 nm" and "5 nm"')
    if not (math.isfinite(first[0]) and math.isfinite(last[0]) and first[0] != last[0]):
        raise InputError(argument, "a range between two different finite numbers", ends, "correct start or stop")
    if log and min(first[0], last[0]) <= 0:
        raise InputError(argument, 'a range of positive numbers where scale = "log"', ends, 'or scale = "linear"')
    axis = Axis(key, (), first[0], last[0], first[1], log)
    values = [axis.at(i / (count - 1)) for i in range(count)] if count else []
    if isinstance(start, int) and isinstance(stop, int) and all(float(v).is_integer() for v in values):
        values = [int(v) for v in values]  # of keys that count something
    return Axis(key, tuple(values), first[0], last[0], first[1], log)


def check_size(axes: list[Axis]) -> None:
    """Raises InputError for a grid of more than MOST_POINTS points, or an axis without values."""
    for axis in axes:
        if not axis.values:
            raise InputError(f'sweep."{axis.key}"', "a range with a count", "one without", "count = 10, for instance")
    if math.prod(len(a.values) for a in axes) > MOST_POINTS:
        raise InputError("sweep", f"a grid of at most {MOST_POINTS} points",
                         " x ".join(str(len(a.values)) for a in axes), "use fewer values, or several studies")


def grid(axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    """All combinations of the axes' values, the last axis running fastest."""
    for values in itertools.product(*(a.values for a in axes)):
        yield dict(zip((a.key for a in axes), values, strict=True))
