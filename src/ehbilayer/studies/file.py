"""The study file: reading TOML, overriding keys, and telling what is wrong in one line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ehbilayer.errors import InputError, shorten
from ehbilayer.results.files import RESULT
from ehbilayer.studies.axes import SweepOptions, make_axis, split_sweep
from ehbilayer.studies.keys import (
    SCREENING,
    BilayerTable,
    CellTable,
    DensityTable,
    Keys,
    PotentialTable,
    ScreeningTable,
)
from ehbilayer.studies.kinds import study_kind
from ehbilayer.studies.own_materials import own_materials, written_out
from ehbilayer.studies.tables import alternatives, file_model, tables
from ehbilayer.studies.toml import parse_toml, read_toml
from ehbilayer.units import nearest


@dataclass(frozen=True)
class Study:
    """A validated study: `load_study` reads it from a file, `make_study` from a dictionary of tables.

    Attributes mirror the file (``study.cell.plane_waves``, ``study.hartree_fock.start``).

    Parameters
    ----------
    keys : all tables.
    name : stem of the study file.   folder : its directory, which relative paths in it start from.
    replaced : keys of the file that an override of an alternative replaced, dotted.
    """

    keys: Keys
    name: str = "study"
    folder: Path = field(default_factory=Path)
    replaced: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of study."""
        return self.keys.kind

    @property
    def bilayer(self) -> BilayerTable:
        """[bilayer]."""
        return self.keys.bilayer

    @property
    def screening(self) -> ScreeningTable:
        """[screening]."""
        return self.keys.screening

    @property
    def potential(self) -> PotentialTable:
        """[potential]."""
        return self.keys.potential

    @property
    def density(self) -> DensityTable:
        """[density]."""
        return self.keys.density

    @property
    def cell(self) -> CellTable:
        """[cell]."""
        return self.keys.cell

    @property
    def sweep(self) -> dict[str, Any] | None:
        """[sweep] as it was written; None where there is none."""
        return self.keys.sweep

    def table(self, name: str) -> Any:
        """The table of that name in the file, e.g. ``"hartree-fock"``; the ``of`` of its kind knows its type."""
        return getattr(self.keys, name.replace("-", "_"))

    if not TYPE_CHECKING:  # for users; here `of` is asked, which is checked

        def __getattr__(self, name: str) -> Any:
            """The table of a kind: ``study.few_body`` for [few-body]."""
            if name.replace("_", "-") not in tables():
                raise AttributeError(f"a study has no attribute {name!r}")
            return self.table(name)

    def result_file(self, text: str) -> Path | None:
        """The result file that a key of this study names, if there is one; a run's directory stands for its result.

        The study's own folder is looked into before the working directory.
        """
        try:
            for base in (self.folder, Path()):
                for path in (base / text, base / text / RESULT):
                    if path.is_file():
                        return path
        except (OSError, ValueError):  # names that no file system takes
            pass
        return None

    def given(self) -> list[str]:
        """All keys that were written, dotted (``"cell.holes"``)."""
        return [f"{name}.{key}" for name, model in tables().items()
                for key in sorted(self.table(name).model_fields_set & set(model.model_fields))]

    def written(self) -> dict[str, Any]:
        """Kind and tables as they were written, without their defaults: `make_study` makes the same study of them."""
        return self.keys.model_dump(by_alias=True, exclude_unset=True)

    def used(self) -> list[str]:
        """All dotted keys that this study uses, written or not."""
        counts = study_kind(self.kind).part("keys").uses(self)
        if self.bilayer.interaction == "screened" and "bilayer.interaction" in counts:
            counts = counts | SCREENING
        return [f"{name}.{key}" for name, model in tables().items() for key in model.model_fields
                if f"{name}.{key}" in counts]

    def canonical(self) -> dict[str, Any]:
        """Kind and all keys that this study uses, with defaults and without what it ignores."""
        kept: dict[str, Any] = {}
        for name, key in (dotted.split(".") for dotted in self.used()):
            kept.setdefault(name, {})[key] = self.table(name).model_dump(include={key})[key]
        return {"kind": self.kind, **kept}

    def ignored(self) -> list[str]:
        """Dotted keys that were written but that this study does not use."""
        used = set(self.used())
        return [k for k in self.given() if k not in used]


def digest(inputs: dict[str, Any]) -> str:
    """SHA-256 of canonical JSON: the same inputs in any order and layout have the same digest."""
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def load_study(path: str | Path, overrides: Sequence[str] = (), *, materials: str | Path | None = None) -> Study:
    """Read and validate a study file.

    Parameters
    ----------
    path : a TOML file of at most 1 MB.
    materials : a TOML file of devices of your own, which ``bilayer.material`` may name, see `studies.own_materials`.
    overrides : texts ``table.key=value``; the value is TOML, or plain text if it is not. An override replaces the
        alternatives of its key (density.rs_hole replaces density.hole).

    Raises
    ------
    InputError : the file cannot be read, or a key or value is not valid; one line that names the dotted key.
    """
    path = Path(path)
    return make_study(read_toml(path), overrides, name=path.stem, folder=path.parent, materials=materials)


def make_study(tables: dict[str, Any], overrides: Sequence[str] = (), *, name: str = "study",
               folder: str | Path = ".", materials: str | Path | None = None) -> Study:
    """Validate tables as they would stand in a study file; see `load_study`. Raises InputError."""
    data = {k: dict(v) if isinstance(v, dict) else v for k, v in tables.items()}
    replaced: list[str] = []
    for text in overrides:
        replaced += _override(data, text)
    for key in [k for k in replaced if k in {t.split("=")[0].strip() for t in overrides}]:
        raise InputError(key, "set alone", "set together with another key that says the same", "keep one of them")
    _shape_as_vectors(data)
    if materials is not None:
        written_out(data, own_materials(materials))
    try:
        study = Study(file_model().model_validate(data), name, Path(folder), tuple(replaced))
    except ValidationError as error:
        raise explain(error) from None
    _check_alternatives(study)
    return study


def _override(data: dict[str, Any], text: str) -> list[str]:
    """Set one ``table.key=value`` in the raw tables; returns the alternatives it replaced."""
    key, equals, value = text.partition("=")
    parts = [p.strip().strip('"') for p in key.strip().split(".", 1)]
    if not equals or not all(parts):
        raise InputError("--set", "table.key=value", text[:60], "e.g. --set density.rs_hole=8")
    if len(parts) == 1:
        data[parts[0]] = _value(value)
        return []
    table, name = parts
    if not isinstance(data.setdefault(table, {}), dict):
        raise InputError(table, "a table", data[table], f"write [{table}] with its keys below")
    replaced = [other for other in alternatives(f"{table}.{name}")
                if data[table].pop(other.split(".")[1], None) is not None]
    data[table][name] = _value(value)
    return replaced


def _value(text: str) -> Any:
    try:
        parsed = parse_toml(f"value = {text.strip()}")
    except (ValueError, RecursionError):
        return text.strip()
    return parsed["value"] if len(parsed) == 1 else text.strip()


def _shape_as_vectors(data: dict[str, Any]) -> None:
    """``shape = [[..], [..]]`` says the same as ``vectors = [[..], [..]]``."""
    cell = data.get("cell")
    if isinstance(cell, dict) and isinstance(cell.get("shape"), list) and "vectors" not in cell:
        cell["vectors"] = cell.pop("shape")


def _check_alternatives(study: Study) -> None:
    for name, model in tables().items():
        written = study.table(name).model_fields_set
        for group in model.ALTERNATIVES:
            both = [k for k in group if k in written and getattr(study.table(name), k) is not None]
            if len(both) > 1:
                raise InputError(f"{name}.{both[1]}", f"the only one of {', '.join(group)}",
                                 f"given together with {name}.{both[0]}", "keep one of them")
    _check_sweep(study.sweep or {})


def _check_sweep(sweep: dict[str, Any]) -> None:
    """Axes name keys of the study and have values; the other keys of [sweep] are valid."""
    axes, options = split_sweep(sweep)
    try:
        SweepOptions.model_validate(options)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        must = SweepOptions.model_fields[str(fault["loc"][0])].description or "valid"
        raise InputError(f"sweep.{fault['loc'][0]}", must, shorten(fault["input"]),
                         _way_out(must, shorten(fault["input"]))) from None
    known = [f"{name}.{key}" for name, model in tables().items() for key in model.model_fields]
    for key, given in axes.items():
        if key not in known:
            names = known if "." in key else (*SweepOptions.model_fields, *known)
            raise InputError("sweep", "dotted keys of the study", key[:60],
                             nearest(key, names, 'e.g. "density.rs_hole" = [4, 6, 8]'))
        make_axis(key, given)


def explain(error: ValidationError) -> InputError:
    """The first fault of a failed validation as a one-line InputError; misspelt keys come before bad values."""
    faults = sorted(error.errors(include_url=False), key=lambda fault: fault["type"] != "extra_forbidden")
    fault = faults[0]
    location = [str(part) for part in fault["loc"]]
    if fault["type"] == "extra_forbidden":
        return _unknown_key(location)
    key = ".".join(location[:2])
    if len(location) == 1 and location[0] in tables():
        return InputError(key, "a table", shorten(fault["input"]), f"write [{key}] with its keys below")
    was = "missing" if fault["type"] == "missing" else shorten(fault["input"])
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, InputError):  # a quantity: keep what is wrong with it, name the key
        return InputError(key, cause.must, cause.was, cause.todo)
    must = _description(location)
    return InputError(key, must, was, _way_out(must, was))


def _description(location: list[str]) -> str:
    top = file_model().model_fields
    fields = top if len(location) == 1 or location[0] not in tables() else tables()[location[0]].model_fields
    name = location[0] if len(location) == 1 else location[1]
    found = fields.get(name) or top.get(name.replace("-", "_"))
    return (found.description if found is not None else None) or "valid"


def _way_out(must: str, was: object) -> str:
    choices = [c.strip() for c in must.split("|")] if "|" in must else []
    if choices and isinstance(was, str) and was != "missing":
        return nearest(was, choices, "choose one of these")
    return "choose one of these" if choices else "correct it in the study file or with --set"


def _unknown_key(location: list[str]) -> InputError:
    if len(location) == 1:
        known: Iterable[str] = (f.alias or name for name, f in file_model().model_fields.items())
        homes = [f"[{t}]" for t, model in tables().items() if location[0] in model.model_fields]
        otherwise = f"it belongs in {' or '.join(homes)}" if homes else "see `ehb schema` for all keys"
        return InputError(location[0][:60], "a table or key of a study file", shorten(location[0]),
                          otherwise if homes else nearest(location[0], known, otherwise))
    table, key = location[0], location[1]
    homes = [f"[{t}]" for t, model in tables().items() if key in model.model_fields]
    keys = list(tables()[table].model_fields)
    otherwise = f"it belongs in {' or '.join(homes)}" if homes else f"known: {', '.join(keys)}"
    dotted = re.sub(r"\s+", " ", f"{table}.{key}")[:80]
    todo = otherwise if homes else nearest(key, keys, otherwise)  # a key spelt right in the wrong table
    return InputError(dotted, f"a key of [{table}]", shorten(key), todo)


def json_schema() -> dict[str, Any]:
    """The JSON schema of study files, for editors (`ehb schema`)."""
    return file_model().model_json_schema(by_alias=True)
