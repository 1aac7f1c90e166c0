"""Studies of kind "gates": from the study to the stack, the voltages and the equation of state."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.gates.asked import Geometry, asked_of
from ehbilayer.gates.plane import Plane
from ehbilayer.gates.solve import VOLTAGES, solve
from ehbilayer.results.files import read_bytes
from ehbilayer.studies.bilayer import bilayer_at, device_entries, mass_ratio_of, spacing_line
from ehbilayer.studies.file import Study
from ehbilayer.studies.gates import keys
from ehbilayer.studies.gates.equation import rows_of
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines

GEOMETRY = tuple(Geometry.__dataclass_fields__)
PAIR_SECONDS, WARM_SECONDS, POINT_SECONDS, CURVE_SECONDS = 3.0, 8.0, 5e-4, 1.0


def _told(value: Any) -> str:
    """A voltage, or the ends of its axis."""
    return " to ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def prepare(study: Study) -> Task:
    """The task of a study of gates. Raises InputError for one that cannot be computed."""
    table = keys.of(study)
    if study.bilayer.capacitor:
        raise InputError("bilayer.capacitor", "false for gates, whose three capacitors hold it", True, "leave it out")
    scales = bilayer_at(study, {"electron": 0.0, "hole": 0.0}).scales
    mass_ratio_of(scales)
    bilayer = bilayer_at(study, {"electron": 0.0, "hole": 0.0})
    files = {key: _file(study, key) for key in ("table", "measured")}
    rows = None if files["table"] is None else rows_of(files["table"], bilayer)
    asked = asked_of(bilayer, Geometry(**{key: getattr(table, key) for key in GEOMETRY}),
                     {key: getattr(table, key) for key in VOLTAGES}, points=table.points, equation=table.equation,
                     spin=table.spin, table=rows, measured=files["measured"])
    digests = {key: hashlib.sha256(read_bytes(path)).hexdigest() for key, path in files.items() if path is not None}
    heat = f" at k_B T = {bilayer.temperature:.6g} Ha_h" if bilayer.temperature else ""
    plan = [*device_lines(bilayer.material, bilayer.scales), *spacing_line(bilayer),
            "  voltages   " + ", ".join(f"{key} {_told(value)}" for key in VOLTAGES
                                        if (value := getattr(table, key)) is not None),
            f"  solve      equation of state: {table.equation if rows is None else table.table}{heat}"]
    resolved = {"bilayer": device_entries(study, bilayer) | {"temperature": bilayer.temperature},
                "gates": table.model_dump(), "stack": vars(asked.stack)}
    seconds = POINT_SECONDS * table.points ** len(asked.axes) + CURVE_SECONDS
    if isinstance(asked.equation, Plane) and table.equation == "mean-field":
        seconds += WARM_SECONDS if bilayer.temperature else PAIR_SECONDS
    return Task(study, bilayer.scales, study.canonical() | digests, resolved, tuple(plan),
                lambda run: solve(asked, run), seconds=seconds)


def _file(study: Study, key: str) -> Path | None:
    """The file that a key names. Raises InputError where there is none."""
    given = getattr(keys.of(study), key)
    if given is None:
        return None
    path = study.result_file(given)
    if path is None:
        raise InputError(f"gates.{key}", "an existing file", given[:60], "check the path")
    return path
