"""The whole quick set of `ehb reproduce`, as tests read it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ehbilayer.papers import reproduction
from ehbilayer.papers.record import Row
from ehbilayer.results.base import Result


@dataclass(frozen=True)
class Reproduced:
    """The directory, and the exit code that the command ended with."""

    place: Path
    code: int

    @property
    def table(self) -> dict[str, Any]:
        """Content of table-quick.json."""
        found: dict[str, Any] = json.loads((self.place / "table-quick.json").read_text(encoding="utf-8"))
        return found

    def rows(self, name: str) -> list[Row]:
        """Rows of a figure."""
        return [Row(r["quantity"], r["published"], r["ours"], r["verdict"], r["ours_converged"])
                for r in self.table["rows"] if r["id"] == name]

    def row(self, name: str, quantity: str) -> Row:
        """The first row of a figure whose quantity contains this text."""
        return next(row for row in self.rows(name) if quantity in row.quantity)

    def result(self, study: str) -> Result:
        """The saved result of a study."""
        return Result.load(self.place / "results" / f"{study}-quick" / "result.nc")

    def results(self, name: str) -> dict[str, Result]:
        """Those of all studies of a figure."""
        return {study: self.result(study) for study in reproduction(name).studies(True)}

    def text(self, name: str) -> str:
        """The caption of a figure."""
        return (self.place / f"{reproduction(name).stem}-quick.txt").read_text(encoding="utf-8")
