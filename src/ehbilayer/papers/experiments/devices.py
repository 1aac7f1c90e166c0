"""The devices whose numbers are published, and the studies that answer for them.

Where a source does not say the distance or the gates in what we read, they are ours: 3 nm, as Dai and Fu take it, with
metal at 10 nm, and the error holds what half a nanometre and half that distance change.
"""

from __future__ import annotations

import re
from typing import Any

from ehbilayer.papers.record import Studies

GATES: dict[str, Any] = {"gate_top": "10 nm", "gate_bottom": "10 nm"}
STACK: dict[str, Any] = {"material": "WSe2/hBN/MoSe2", "spacing": "3 nm"}
NO_SHEETS: dict[str, Any] = {"sheet_electron": 0.0, "sheet_hole": 0.0}
LOW, HIGH = "0.2e12 cm^-2", "0.8e12 cm^-2"

# what screens, one ingredient after the other: tables of the study
INGREDIENTS: dict[str, dict[str, Any]] = {
    "dielectric constant 4.7": {"bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm"}},
    "kappa 5.10, isotropic": {"bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm", "dielectric": 5.10459}},
    "anisotropic BN": {"bilayer": STACK, "screening": NO_SHEETS},
    "and polarisable layers": {"bilayer": STACK},
    "and gates at 10 nm": {"bilayer": STACK, "screening": GATES}}
WHOLE = "and gates at 10 nm"
FLAVOURS = (1, 2, 4)

# what is not known of a device, and by how much: changes of its tables
UNKNOWN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "0.5 nm more between the layers": ({"spacing": 0.5}, {}),
    "electrons 10 % heavier": ({"electron_mass": 0.88}, {}), "holes 10 % heavier": ({"hole_mass": 0.44}, {}),
    "BN 10 % stronger": ({}, {"dielectric_in_plane": 7.62, "dielectric_out_of_plane": 4.14}),
    "layers 20 % more polarisable": ({}, {"sheet_electron": "6.24 nm", "sheet_hole": "5.4 nm"}),
    "gates at 15 nm": ({}, {"gate_top": "15 nm", "gate_bottom": "15 nm"}),
    "layers 0.3 nm thick": ({}, {"layer_thickness": "0.3 nm"})}


def slug(words: str) -> str:
    """Words as part of a name."""
    return "-".join(re.findall("[a-z0-9]+", words.lower()))


def thermal(tables: dict[str, Any], density: str, *, trions: bool = False, **more: Any) -> dict[str, Any]:
    """Tables of a study of temperature, balanced layers."""
    return {"kind": "thermal", **tables, "density": {"hole": density, "electrons_per_hole": 1},
            "thermal": {"trions": trions, "points": 20} | more}


def varied(spacing: float, bilayer: dict[str, Any], screening: dict[str, Any]) -> dict[str, Any]:
    """The stack with gates and one thing changed; a ``spacing`` among the changes is added."""
    apart = spacing + bilayer.get("spacing", 0.0)
    return {"bilayer": STACK | bilayer | {"spacing": f"{apart:g} nm"}, "screening": GATES | screening}


def complex_of(tables: dict[str, Any], name: str, spin: str | None = None) -> dict[str, Any]:
    """Tables of a study of an exciton or a trion."""
    more = {} if spin is None else {"spin": spin}
    return {"kind": "few-body", **tables, "few-body": {"complex": name, "tolerance": 1e-5, "max_functions": 160} | more}


CONTACT: dict[str, Any] = {"bilayer": STACK | {"spacing": "0.65 nm"}}  # layers on each other, remembered distance
SULPHIDE: dict[str, Any] = {"bilayer": {"material": "WSe2/hBN/MoS2", "spacing": "2 nm"}, "screening": GATES}
TWO: dict[str, Any] = {"bilayer": STACK | {"spacing": "2 nm"}, "screening": GATES}


def studies(quick: bool) -> Studies:
    """All of them; quick leaves out what tells the errors of the parameters, and ingredients at the higher density."""
    found: Studies = {}
    for words, tables in INGREDIENTS.items():
        found[f"experiments-{slug(words)}"] = thermal(tables, LOW)
        if not quick or words == WHOLE:
            found[f"experiments-{slug(words)}-dense"] = thermal(tables, HIGH)
    whole = INGREDIENTS[WHOLE]
    for g in FLAVOURS:
        if g != 2:
            found[f"experiments-flavours-{g}"] = thermal(
                whole | {"bilayer": STACK | {"electron_flavours": g, "hole_flavours": g}}, LOW)
    found["experiments-with-trions"] = thermal(whole, LOW, trions=True)
    found["experiments-two-nm"] = thermal(TWO, LOW)
    found["experiments-contact"] = thermal(CONTACT, "1e12 cm^-2")
    bare = {"bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm"}}
    for spin in ("polarized", "restricted"):
        found[f"experiments-superfluid-{spin}"] = thermal(bare, HIGH, spin=spin)
    for name, tables in (("two-nm", TWO), ("bare", {"bilayer": {"material": "WSe2/MoSe2", "spacing": "2 nm"}}),
                         ("sulphide", SULPHIDE)):
        found[f"experiments-trion-{name}"] = complex_of(tables, "trion+")
    found["experiments-trion-sulphide-electrons"] = complex_of(SULPHIDE, "trion-")
    found["experiments-trion-sulphide-triplet"] = complex_of(SULPHIDE, "trion+", "triplet")
    if not quick:
        for words, change in UNKNOWN.items():
            found[f"experiments-unknown-{slug(words)}"] = thermal(varied(3.0, *change), LOW)
            found[f"experiments-trion-unknown-{slug(words)}"] = complex_of(varied(2.0, *change), "trion+")
    return found
