"""The keys of [liquid], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import BILAYER, Table, density_keys, dotted, field_keys, temperature_keys


class LiquidTable(Table):
    """Uniform liquids of the infinite plane: [liquid]."""

    spin: Literal["lowest", "restricted", "polarized"] = Field(
        default="lowest", description="lowest | restricted | polarized")
    curve_points: int = Field(default=80, ge=0, le=1000, description="an integer from 0 to 1000")


TABLE = LiquidTable


def of(study: Study) -> LiquidTable:
    """[liquid] of a study."""
    table: LiquidTable = study.table("liquid")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count."""
    return {*BILAYER, *temperature_keys(study.bilayer), *field_keys(study.bilayer), *density_keys(study.density),
            *dotted("liquid", LiquidTable)}
