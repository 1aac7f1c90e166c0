"""Files of every kind of study, and thousands of wrong ones made of them by someone who can seal them."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import ehbilayer
import sealed
from ehbilayer.studies.file import make_study

PAIRS = {"bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm"}, "density": {"rs_hole": 8, "electrons_per_hole": 1}}
BOX = {"holes": 4, "hexagon": 3, "zero_mode": "none"}
CRYSTAL = {"density": {"a_over_d": 5.0, "electrons_per_hole": 2}}
LIGHT = {"bilayer": {"material": "mass-ratio-10", "spacing": "1 a_e"},
         "density": {"rs_electron": 1.6, "electrons_per_hole": 1}}
EXCITON = {"bilayer": {"electron_mass": 0.5, "hole_mass": 0.5, "spacing": 1}, "few-body": {"complex": "exciton"}}
STUDIES: dict[str, dict[str, Any]] = {
    "hartree-fock": PAIRS | {"cell": BOX | {"symmetry": "crystal"}, "hartree-fock": {"stability": "none"}},
    "phases": PAIRS | {"cell": BOX, "phases": {"candidates": ["liquid", "condensate"]}},
    "condensate": PAIRS | {"cell": BOX},
    "compressibility": LIGHT | {"cell": {"holes": 4, "hexagon": 3, "zero_mode": "madelung"}},
    "pairing": LIGHT | {"pairing": {"alpha": 0.3, "method": "bcs"}},
    "crystal": CRYSTAL | {"crystal": {"structure": "honeycomb"}},
    "phonons": {"bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm"}, "crystal": {"structure": "honeycomb"},
                "density": {"hole": "1.29e11 cm^-2", "electrons_per_hole": 2}},
    "few-body": EXCITON, "liquid": PAIRS, "response": PAIRS | {"response": {"wave_numbers": 4, "frequencies": 5}},
    "thermal": PAIRS | {"thermal": {"trions": False, "points": 3}},
    "gates": EXCITON | {"gates": {"gap": 1.0, "gate_top": 6.0, "gate_bottom": 9.0, "bias": [0.9, 1.1], "points": 3,
                                  "equation": "liquid"}},
    "monte-carlo": PAIRS | {"cell": {"holes": 1}, "hartree-fock": {"electron_spin": "polarized"}, "monte-carlo": {
        "target_error": 0.1, "walkers": 20, "samples": 20, "optimisation_steps": 1}},
    "sweep": {"kind": "crystal", "density": {"electrons_per_hole": 2}, "crystal": {"structure": "honeycomb"},
              "sweep": {"density.a_over_d": [4.0, 5.0]}},
    "phase-diagram": PAIRS | {"cell": BOX, "phases": {"candidates": ["liquid", "condensate"]},
                              "sweep": {"density.rs_hole": [4.0, 8.0]}}}
WRONG: tuple[Any, ...] = (None, True, 0, -1, 1e308, -1e-320, float("nan"), float("inf"), 10**400, "", "x", "3 nm",
                          "\x1b]52;c;eA==\x07", "$\\frac{$", "a\nb", "é" * 300, [], {}, [None], [[1.0], 2], {"": {}},
                          {"electron": "x"}, [{"name": 1}], ["liquid"] * 3, "converged", "liquid")


def contents() -> dict[str, bytes]:
    """The content of a result file of every kind."""
    return {kind: ehbilayer.run(make_study({"kind": kind, **tables})).to_bytes() for kind, tables in STUDIES.items()}


def spots(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all entries of nested tables and lists."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*above, key)
        yield from spots(value[key], (*above, key))


def spoilt(value: Any, rng: random.Random) -> Any:
    """A copy in which one entry or a few are gone, of another type, or another's."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        ways = list(spots(value))
        if not ways:
            break
        *above, key = rng.choice(ways)
        table = value
        for step in above:
            table = table[step]
        how = rng.random()
        if how < 0.35:
            del table[key]
        elif how < 0.85:
            table[key] = copy.deepcopy(rng.choice(WRONG))
        else:
            other: Any = value
            for step in rng.choice(ways):
                other = other[step] if isinstance(other, dict | list) else other
            table[key] = copy.deepcopy(other)
    return value


def spoilt_file(raw: bytes, rng: random.Random) -> bytes:
    """A result file with its checksum right and its texts or bytes wrong."""
    if rng.random() < 0.2:
        changed = bytearray(raw)
        for _ in range(rng.choice((1, 3, 30))):
            changed[rng.randrange(len(raw))] = rng.choice((0, 1, 255, rng.randrange(256)))
        try:
            return sealed.resealed(bytes(changed))
        except ValueError:  # the seal itself is gone
            return bytes(changed)

    def change(content: dict[str, Any]) -> None:
        part = rng.choice(("summary", "summary", "inputs", "arrays", "all"))
        if part in ("summary", "inputs"):
            content[part] = json.dumps(spoilt(json.loads(content[part]), rng))
        elif part == "arrays":
            content["arrays"] = spoilt(content["arrays"], rng)
        else:
            new = spoilt(content, rng)
            content.clear()
            content.update(new)

    return sealed.edited(raw, change)
