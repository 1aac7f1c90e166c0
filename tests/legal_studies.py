"""Studies anywhere in the documented ranges of their keys, drawn from the declarations in `ehbilayer.studies`.

Sizes alone are kept small, by `SMALL` and by the estimate of the plan: what they cost is another matter.
"""

import json
import math
import re
import types
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
from pydantic.fields import FieldInfo

from ehbilayer.errors import InputError
from ehbilayer.materials import MATERIALS
from ehbilayer.results.base import Result, to_json
from ehbilayer.run import runner
from ehbilayer.status import Status
from ehbilayer.studies import keys as shared
from ehbilayer.studies.drawing import save_figures
from ehbilayer.studies.file import make_study
from ehbilayer.studies.gates import keys as gates_keys
from ehbilayer.studies.kinds import rows
from ehbilayer.studies.tables import tables
from ehbilayer.studies.task import prepare

# key -> the largest value drawn; any table
SMALL = {"holes": 9, "electrons": 9, "holes_per_cell": 4, "hexagon": 3, "plane_waves": 7, "starts": 2, "sizes": 16,
         "scan_points": 3, "curve_points": 3, "map_points": 4, "mesh": 4, "points": 4, "max_functions": 12,
         "twists": 2}
UNITS = {shared._length: ("nm", "angstrom", "a_h", "a_e"), shared._density: ("cm^-2", "nm^-2", "a_h^-2"),
         shared._energy: ("meV", "eV", "K", "Ha_h", "Ha_e"), gates_keys._voltage: ("V", "mV"),
         shared._field: ("T",)}
# None: the words of the description
TEXTS = {"material": tuple(MATERIALS), "spacer": ("hBN, 1 layer", "hBN, 9 layers"),
         "start": None, "structure": None, "trial": None}
# table, key and value (None: any) -> other keys and what they have to be then, None for absent
NEEDS: dict[tuple[str, str, Any], dict[str, Any]] = {
    ("bilayer", "magnetic_field", None): {"bilayer.electron_g_factor": 2.0, "bilayer.hole_g_factor": 2.0},
    ("density", "hole_over_critical", None): {"density.critical_rs": 5.0},
    ("screening", "dielectric_in_plane", None): {"screening.dielectric_out_of_plane": 3.76, "bilayer.dielectric": None},
    ("screening", "dielectric_out_of_plane", None): {"screening.dielectric_in_plane": 6.93, "bilayer.dielectric": None},
    ("phases", "method", "monte-carlo"): {"cell.zero_mode": None, "monte-carlo.target_error": 0.05,
                                          "monte-carlo.max_time": 1.0}}
FILES = ("phase", "table", "measured")  # keys that name a file
# what keys that hardly any number suits hold more often than not
USUAL: dict[str, tuple[Any, ...]] = {
    "electrons_per_hole": (0, 0.5, 1, 2, 3), "cutoff": (3.0, 8.0, 20.0), "plane_waves": ([3, 3], [5, 3], [7, 7]),
    "vectors": ([[1, 0], [0.5, 0.9]], [[2, 0], [0, 1]]), "hole": (0.003, "1e12 cm^-2"), "electron": (0.003, 0.1),
    "filling": (1, 0.25, "1/3", 2), "a_over_d": (0.5, 5.0), "densities": ([0.003, 0.01], ["2e11 cm^-2", "1e12 cm^-2"])}
ASKS = 60  # times a calculation may ask whether to stop
MOST_SECONDS = 5.0  # of the plan's estimate: bases that follow from the tolerance, ratios of thousands
STRANGE = 0.1  # share of values at the ends of their range

DEVICE = {"electron_mass": 0.5, "hole_mass": 1.0, "dielectric": 5.0, "spacing": 1.0}
BOX = {"holes": 2, "hexagon": 1, "zero_mode": "none"}
DENSE = {"rs_hole": 5.0, "electrons_per_hole": 1}
GATED = {"bilayer": DEVICE | {"interaction": "screened"}, "screening": {"gate_top": "10 nm", "sheet_hole": 5.0}}
GATES = {"gap": 1.0, "gate_top": 6.0, "gate_bottom": 9.0, "ground": "middle", "bias": 0.9, "points": 3}
# what a study of each kind begins with, before its keys are drawn
BASES: dict[str, tuple[dict[str, Any], ...]] = {
    "hartree-fock": ({"cell": BOX}, {"cell": BOX | {"symmetry": "crystal", "holes": 4}}, {"cell": BOX} | GATED,
                     {"cell": BOX | {"holes": 4}, "potential": {"filling": 1, "depth": 0.1}},
                     {"cell": BOX, "bilayer": DEVICE | {"temperature": 0.05}},
                     {"cell": BOX | {"holes": 4}, "hartree-fock": {"pairing": True, "start": "supersolid"}}),
    "condensate": ({"condensate": {"limit": "thermodynamic", "curve_points": 0}}, {"cell": BOX},
                   {"condensate": {"limit": "thermodynamic", "curve_points": 0}} | GATED,
                   {"condensate": {"limit": "thermodynamic"}, "bilayer": DEVICE | {"temperature": 0.05}},
                   {"cell": BOX, "bilayer": DEVICE | {"temperature": "300 K"}}),
    "phases": ({"cell": BOX}, {
        "cell": {"holes": 1}, "phases": {"method": "monte-carlo", "candidates": ["liquid", "hole-crystal"]},
        "monte-carlo": {"method": "vmc", "target_error": 0.05, "max_time": 1.0, "walkers": 20, "samples": 20,
                        "optimisation_steps": 1}}),
    "phase-diagram": ({"cell": BOX, "sweep": {"density.rs_hole": [4, 6]}},),
    "compressibility": ({"cell": BOX},),
    "pairing": ({"pairing": {"alpha_squared": 0.09, "curve_points": 0}},
                {"pairing": {"alpha": 0.3, "method": "eliashberg", "curve_points": 0}},
                {"pairing": {"coupling": "rpa"}},
                {"pairing": {"map_rs": [1.0, 2.0], "map_spacing": [0.0, 2.0], "map_points": 3}}),
    "device": ({"cell": BOX},),
    "crystal": ({"crystal": {"structure": "honeycomb"}, "density": {"a_over_d": 2.0, "electrons_per_hole": 1}},
                {"crystal": {"starts": 1}}, {"crystal": {"structure": "triangular"}} | GATED,
                {"crystal": {"scan": [1.0, 2.0], "scan_points": 2, "starts": 1}}),
    "phonons": ({"crystal": {"structure": "honeycomb"}, "phonons": {"points": 3}},
                {"crystal": {"structure": "rhombic"}, "density": {"a_over_d": 2.0, "electrons_per_hole": 2},
                 "phonons": {"points": 3, "scan": [1.0, 2.0], "scan_points": 2}}),
    "few-body": ({"few-body": {"complex": "exciton"}}, {"few-body": {"max_functions": 6}},
                 {"few-body": {"max_functions": 6, "complex": "biexciton"}},
                 {"few-body": {"complex": "exciton", "spacings": [0, 1.0]}}),
    "liquid": ({"liquid": {"curve_points": 3}}, {"liquid": {"curve_points": 2},
                                                 "bilayer": DEVICE | {"temperature": 0.2}},
               {"liquid": {"curve_points": 3}} | GATED,
               {"liquid": {"curve_points": 2}, "bilayer": DEVICE | {
                   "magnetic_field": 0.1, "electron_g_factor": 2.0, "hole_g_factor": 2.0}}),
    "thermal": ({"thermal": {"trions": False, "points": 3}},
                {"density": DENSE | {"electrons_per_hole": 2}, "thermal": {"trions": False, "points": 2}}),
    "response": ({"response": {"wave_numbers": 3, "frequencies": 4}},
                 {"density": DENSE | {"electrons_per_hole": 2}, "response": {"wave_numbers": 2, "frequencies": 0}},
                 {"response": {"wave_numbers": 3, "frequencies": 4}} | GATED,
                 {"response": {"wave_numbers": 2, "frequencies": 3}, "bilayer": DEVICE | {"temperature": 0.2}}),
    "gates": ({"gates": GATES | {"equation": "free"}}, {"gates": GATES | {"equation": "liquid", "top": 0.1}},
              {"gates": GATES}, {"gates": GATES | {"equation": "free"}, "bilayer": DEVICE | {"temperature": 0.05}},
              {"gates": {"gap": 1.0, "bias": [0.9, 1.2], "points": 3, "equation": "liquid"}} | GATED),
    "monte-carlo": ({"cell": {"holes": 1}, "hartree-fock": {"electron_spin": "polarized"}, "monte-carlo": {
        "method": "vmc", "target_error": 0.05, "max_time": 1.0, "walkers": 20, "samples": 20,
        "optimisation_steps": 1}},),
}


def study(rng: np.random.Generator, kind: str) -> dict[str, Any]:
    """The tables of a study: a small one of the kind with some of the keys that count drawn anew."""
    while _seconds(drawn := _drawn(rng, kind)) > MOST_SECONDS:
        pass
    return drawn


def _seconds(drawn: dict[str, Any]) -> float:
    """What the plan of a study, or of the first point of a phase diagram, says that it takes."""
    first = {k: v for k, v in drawn.items() if k != "sweep"}
    if "sweep" in drawn:
        first |= {"kind": "phases", "density": drawn["density"] | {"rs_hole": 4}}
    try:
        return prepare(make_study(first)).seconds or 0.0
    except Exception:  # what it is, running it will show
        return 0.0


def _drawn(rng: np.random.Generator, kind: str) -> dict[str, Any]:
    bases = BASES[kind]
    drawn = {"kind": kind, "bilayer": dict(DEVICE), "density": dict(DENSE)}
    drawn |= {name: dict(table) for name, table in bases[rng.integers(len(bases))].items()}
    used = sorted(_used(drawn))
    for dotted in rng.choice(used, min(len(used), rng.geometric(0.4)), replace=False):
        name, key = str(dotted).split(".")
        _set(drawn, name, key, _value(tables()[name].model_fields[key], key, rng))
    return drawn


def _used(drawn: dict[str, Any]) -> set[str]:
    """Keys that count, but those that name files or belong to other tables."""
    whole = make_study({**drawn, "sweep": {"density.rs_hole": [4, 6]}} if drawn["kind"] == "phase-diagram" else drawn)
    return {key for key in whole.used() if key.split(".")[1] not in FILES}


def _set(drawn: dict[str, Any], name: str, key: str, value: Any) -> None:
    if value is None:
        return
    table = drawn.setdefault(name, {})
    for group in tables()[name].ALTERNATIVES:
        for other in group if key in group else ():
            table.pop(other, None)
    table[key] = value
    needs = [rest for (n, k, v), rest in NEEDS.items() if (n, k) == (name, key) and v in (None, value)]
    for dotted, then in (pair for rest in needs for pair in rest.items()):
        other, there = dotted.split(".")
        drawn.setdefault(other, {}).pop(there, None)
        if then is not None:
            drawn[other][there] = then


def _value(field: Any, key: str, rng: np.random.Generator, rules: tuple[Any, ...] = ()) -> Any:
    """A value of a declared type within its rules (bounds, units, order), at their ends more often than by chance."""
    if key in USUAL and rng.random() < 0.6:
        return USUAL[key][rng.integers(len(USUAL[key]))]
    if isinstance(field, FieldInfo):
        if key in TEXTS:
            named = (field.description or "").replace("another name", "").split(" | a result")[0]
            return str(rng.choice(TEXTS[key] or re.findall("[a-z][a-z-]+", named)))
        return _value(field.annotation, key, rng, tuple(field.metadata))
    origin, inside = get_origin(field), get_args(field)
    if origin is Annotated:
        more = [rule for m in inside[1:] for rule in (m.metadata if isinstance(m, FieldInfo) else [m])]
        return _value(inside[0], key, rng, (*rules, *more))
    if origin is Literal:
        return inside[rng.integers(len(inside))]
    dimension = next((UNITS[f] for f in (getattr(r, "func", None) for r in rules) if f in UNITS), None)
    if dimension:
        number = _number(key, rng, rules)
        return number if rng.random() < 0.6 else f"{number!r} {rng.choice(dimension)}"
    if origin in (Union, types.UnionType):
        choices = [c for c in inside if c is not str]
        return _value(choices[rng.integers(len(choices))], key, rng, rules)
    if origin is list:
        least = next((r.min_length for r in rules if hasattr(r, "min_length")), 1)
        most = next((r.max_length for r in rules if hasattr(r, "max_length")), least + 2)
        values = [_value(inside[0], key, rng) for _ in range(rng.integers(least, min(most, least + 2) + 1))]
        return sorted(values) if any(getattr(r, "func", None) is shared.rising for r in rules) else values
    if field is bool:
        return bool(rng.integers(2))
    if field is int:
        low, high = _bounds(rules, 1, 10**6)
        top = min(int(high), SMALL.get(key, int(high)))
        number = int(min(top, max(low, round(low - 1 + 10 ** rng.uniform(0, math.log10(top - low + 1.01))))))
        return int(rng.choice([low, top])) if rng.random() < STRANGE else number
    return None if field is type(None) else _number(key, rng, rules)


def _number(key: str, rng: np.random.Generator, rules: tuple[Any, ...]) -> float:
    low, high = _bounds(rules, 0.0, 1e308)
    if rng.random() < STRANGE:
        return float(rng.choice([low or 5e-324, high] if any(hasattr(r, "gt") for r in rules) else [low, high]))
    wide = rng.random() < 0.15
    floor, roof = (max(low, 1e-308), high) if wide else (max(low, 1e-4), min(high, 1e4))
    number = float(np.exp(rng.uniform(math.log(floor), math.log(roof))))
    return float(f"{min(high, max(low, number)):.3g}") if low < number < high else number


def _bounds(rules: tuple[Any, ...], low: float, high: float) -> tuple[float, float]:
    lows = [getattr(r, name) for r in rules for name in ("ge", "gt") if getattr(r, name, None) is not None]
    highs = [getattr(r, name) for r in rules for name in ("le", "lt") if getattr(r, name, None) is not None]
    return max([low, *lows]) if not lows else max(lows), min(highs, default=high)


class Patience:
    """A reason to stop after so many questions, which does not depend on how fast the machine is."""

    def __init__(self, asks: int) -> None:
        self.left = asks

    def __call__(self) -> Status | None:
        self.left -= 1
        return Status.timeout if self.left < 0 else None


def outcome(drawn: dict[str, Any], place: Path | None = None) -> int:
    """The exit code of a study as `ehb run` has it, with its table, its summary and (in a place) files and figure made.

    Raises whatever else happens: a warning, or an error that is not bad input.
    """
    with warnings.catch_warnings(), np.errstate(over="warn", divide="warn", invalid="warn"):
        warnings.simplefilter("error")
        try:
            result = runner.run(make_study(drawn), None, should_stop=Patience(ASKS))
        except InputError as error:
            assert "\n" not in str(error), error
            return 2
        assert rows(result)
        json.loads(to_json(result.summary))
        if place is not None:
            result.save(place / "result.nc")
            with suppress(InputError):  # nothing to draw, as it says
                save_figures(Result.load(place / "result.nc"), place)
    return 0 if result.status is Status.converged else 3
