"""Results for other programs: CSV, one file for each `tidy` table, and one file of JSON."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from typing import Any

from ehbilayer.reports.tidy import Table, tables
from ehbilayer.results.base import Result, atomic_write, to_json

FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # texts that spreadsheets take for formulas, which a file may smuggle in
LONGEST = 100  # characters of a file's name


def to_csv(table: Table) -> str:
    """The text of a table; NaN for numbers that are not there. Texts that a spreadsheet would compute begin with '."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_cell(heading) for heading in table.columns])
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value).replace("nan", "NaN")
    if isinstance(value, list):
        return " ".join(str(x) for x in value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


def to_document(result: Result) -> str:
    """The whole result as JSON text: kind, status, summary, inputs, and ``arrays`` with axes, unit, meaning and values;
    null for numbers that are not there, pairs of real and imaginary part for complex ones."""
    arrays = {name: {"axes": v.dims, "unit": v.units, "meaning": v.description,
                     "values": [v.values.real, v.values.imag] if v.values.dtype.kind == "c" else v.values,
                     **({"complex": "real parts, then imaginary parts"} if v.values.dtype.kind == "c" else {})}
              for name, v in result.data.items()}
    return to_json({"kind": result.kind, "status": result.status.value, "summary": result.summary,
                    "inputs": {**result.inputs, **result.provenance.inputs}, "arrays": arrays})


def export(result: Result, directory: Path, *, as_csv: bool, as_json: bool) -> list[Path]:
    """Write the files into a directory that exists, each of them whole or not at all; returns their paths.

    Raises ResultFileError where it cannot be written to.
    """
    texts = {f"{_safe(table.name)}.csv": to_csv(table) for table in tables(result)} if as_csv else {}
    if as_json:
        texts["result.json"] = to_document(result)
    for name, text in texts.items():
        atomic_write(directory / name, text.encode())
    return [directory / name for name in texts]


def _safe(name: str) -> str:
    """The name of a table as that of a file anywhere."""
    return re.sub(r"[^\w.-]+", "_", name)[:LONGEST].strip(".") or "table"
