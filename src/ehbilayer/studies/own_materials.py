"""Devices of one's own from a TOML file: a table each, with what a study would say of it.

    ["my device"]
    electron_mass = 0.5
    hole_mass = 0.4
    dielectric = 4.5
    source = "my thesis, table 3"

A study that names one is read as if its keys stood there, so that a result knows the values and needs the file no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ehbilayer.errors import InputError, shorten
from ehbilayer.materials import MATERIALS
from ehbilayer.studies.keys import BilayerTable, ScreeningTable
from ehbilayer.studies.toml import read_toml
from ehbilayer.units import nearest

KEYS = ("electron_mass", "hole_mass", "dielectric", "electron_flavours", "hole_flavours")
WORDS = ("source",)  # read, and left to the file
NEEDED = KEYS[:2]

OwnMaterials = Mapping[str, Mapping[str, Any]]


def own_materials(path: str | Path) -> dict[str, dict[str, Any]]:
    """The tables of a file of devices, by their names.

    Keys of a table: both masses (m_0), ``dielectric``, ``electron_flavours``, ``hole_flavours``, ``source``, and a
    table ``screening`` with keys of [screening].

    Raises InputError for a file that cannot be read, a name that `ehb materials` has, a table without both masses, and
    an unknown key; values are checked as those of a study.
    """
    tables = read_toml(Path(path))
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise InputError(name[:60], f'a table ["{name[:60]}"] of a device', table, "see `ehb run --help`")
        if name in MATERIALS:
            raise InputError(name, "a name of your own", "that of a known device", "choose another name")
        missing = [key for key in NEEDED if key not in table]
        if missing:
            raise InputError(f"{name}.{missing[0]}", "an effective mass in m0", "missing", "give it")
        for key in table:
            if key not in (*KEYS, *WORDS, "screening"):
                raise InputError(f"{name}.{key}"[:80], f"one of {', '.join((*KEYS, *WORDS, 'screening'))}", table[key],
                                 nearest(key, (*KEYS, *WORDS, "screening"), "remove it"))
        _check(name, table)
    return tables


def _check(name: str, table: Mapping[str, Any]) -> None:
    """Values are valid in a study. Raises InputError naming the key."""
    screening = table.get("screening", {})
    if not isinstance(screening, dict):
        raise InputError(f"{name}.screening", "a table", screening, f'write ["{name}".screening] with its keys below')
    for part, model, said in (("", BilayerTable, {k: table[k] for k in KEYS if k in table}),
                              ("screening.", ScreeningTable, screening)):
        try:
            model.model_validate(said)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            key = str(fault["loc"][0])
            known = model.model_fields.get(key)
            must = f"one of {', '.join(model.model_fields)}" if known is None else known.description or "valid"
            raise InputError(f"{name}.{part}{key}"[:80], must, shorten(fault["input"]),
                             "correct it in the file") from None


def written_out(tables: dict[str, Any], own: OwnMaterials) -> None:
    """Replace the name of a device of one's own by its keys, where the study does not say them itself.

    Raises InputError for a sweep over such names.
    """
    bilayer, sweep = tables.get("bilayer"), tables.get("sweep")
    swept = sweep.get("bilayer.material", []) if isinstance(sweep, dict) else []
    if isinstance(swept, list) and any(isinstance(x, str) and x in own for x in swept):
        raise InputError('sweep."bilayer.material"', f"of {', '.join(MATERIALS)}", swept,
                         "sweep the masses and the dielectric constant of your own devices")
    if not isinstance(bilayer, dict) or not isinstance(bilayer.get("material"), str) or bilayer["material"] not in own:
        return
    found = own[bilayer.pop("material")]
    tables["bilayer"] = {k: v for k, v in found.items() if k in KEYS} | bilayer
    screening = found.get("screening")
    if screening and tables["bilayer"].setdefault("interaction", "screened") == "screened":
        said = tables.get("screening", {})
        tables["screening"] = {**screening, **said} if isinstance(said, dict) else said
