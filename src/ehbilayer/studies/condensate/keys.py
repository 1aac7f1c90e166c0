"""The keys of [condensate], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import (
    BILAYER,
    CELL,
    Energy,
    Table,
    Tolerance,
    density_keys,
    dotted,
    field_keys,
    temperature_keys,
)


class CondensateTable(Table):
    """The exciton condensate: [condensate]."""

    limit: Literal["thermodynamic"] | None = Field(default=None, description='"thermodynamic", or absent with a [cell]')
    spin: Literal["polarized", "restricted"] = Field(default="polarized", description="polarized | restricted")
    chemical_potential: Energy | None = Field(
        default=None, description='of a pair, an energy such as "-150 meV" or a number in Ha_h')
    tolerance: Tolerance = Field(default=1e-8, description="an energy error per pair from 1e-13 to 0.1 (Ha_h)")
    curve_points: int = Field(default=40, ge=0, le=1000, description="an integer from 0 to 1000")
    screening: Literal["none", "normal", "condensate"] = Field(default="none", description="none | normal | condensate")


TABLE = CondensateTable
KEYS = dotted("condensate", CondensateTable)
NEIGHBOURS = "on given plane waves"


def of(study: Study) -> CondensateTable:
    """[condensate] of a study."""
    table: CondensateTable = study.table("condensate")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count: no [cell] in the infinite plane."""
    used = {*BILAYER, *temperature_keys(study.bilayer), *field_keys(study.bilayer), *density_keys(study.density), *KEYS}
    if of(study).limit == "thermodynamic":
        return used
    return used | CELL - {"cell.symmetry", "cell.holes_per_cell"}
