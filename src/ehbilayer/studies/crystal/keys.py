"""The keys of [crystal], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import (
    COUNT_TEXT,
    DEVICE,
    Count,
    Seed,
    Starts,
    Table,
    Tolerance,
    density_keys,
    dotted,
    rising,
)


class CrystalTable(Table):
    """Classical crystals: [crystal]."""

    structure: str = Field(default="random", min_length=1, max_length=4096, description=(
        "honeycomb | checkerboard | triangular | another name | random | a result file"))
    holes_per_cell: Count = Field(default=1, description=COUNT_TEXT)
    layers: Literal[1, 2] = Field(default=1, description="1 or 2")
    relax: Literal["none", "positions", "cell"] = Field(default="cell", description="none | positions | cell")
    box: Literal["random", "triangular", "rectangular", "square"] | None = Field(
        default=None, description="random | triangular | rectangular | square")
    starts: Starts = Field(default=20, description="an integer from 1 to 100000")
    seed: Seed = Field(default=1, description="an integer >= 0")
    tolerance: Tolerance = Field(default=1e-11, description="a force from 1e-13 to 0.1 (e^2/a^2)")
    scan: Annotated[list[Annotated[float, Field(ge=0.1, le=100)]], AfterValidator(rising)] | None = Field(
        default=None, min_length=2, max_length=2, description="two rising values of a/d from 0.1 to 100")
    scan_points: int = Field(default=16, ge=2, le=10_000, description="an integer from 2 to 10000")


TABLE = CrystalTable
KEYS = dotted("crystal", CrystalTable)


def of(study: Study) -> CrystalTable:
    """[crystal] of a study."""
    table: CrystalTable = study.table("crystal")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count: a named structure is not searched for."""
    table, used = of(study), {*DEVICE, "bilayer.capacitor", *density_keys(study.density), *KEYS}
    if table.structure != "random" and table.scan is None:
        used -= {"crystal.starts", "crystal.seed"}
    return used
