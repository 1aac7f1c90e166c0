"""The keys of [thermal], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import BILAYER, TEMPERATURE, Table, density_keys, dotted, field_keys


class ThermalTable(Table):
    """Up to which temperature: superfluidity, excitons, crystals: [thermal]."""

    spin: Literal["polarized", "restricted"] = Field(
        default="polarized", description="polarized | restricted, of the condensate")
    trions: bool = Field(default=True, description="true or false")
    structure: str | None = Field(default=None, description="triangular | honeycomb | another name of a crystal")
    lindemann: float = Field(default=0.1, gt=0, le=1, description="a threshold between 0 and 1")
    points: int = Field(default=40, ge=2, le=1000, description="an integer from 2 to 1000")


TABLE = ThermalTable


def of(study: Study) -> ThermalTable:
    """[thermal] of a study."""
    table: ThermalTable = study.table("thermal")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count."""
    return {*BILAYER, TEMPERATURE, *field_keys(study.bilayer), *density_keys(study.density),
            *dotted("thermal", ThermalTable)} - {"bilayer.capacitor"}
