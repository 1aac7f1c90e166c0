"""The keys of [response], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import BILAYER, Table, density_keys, dotted, temperature_keys


class ResponseTable(Table):
    """Linear response of the liquids of the plane: [response]."""

    approximation: Literal["rpa", "hubbard", "stls"] = Field(default="rpa", description="rpa | hubbard | stls")
    spin: Literal["restricted", "polarized", "lowest"] = Field(
        default="restricted", description="restricted | polarized | lowest")
    wave_numbers: int = Field(default=100, ge=0, le=5000, description="an integer from 0 to 5000")
    frequencies: int = Field(default=200, ge=0, le=5000, description="an integer from 0 to 5000")
    largest_wave_number: float | None = Field(default=None, gt=0, description="a number > 0 in a_h^-1")
    largest_frequency: float | str | None = Field(default=None, description='an energy > 0, such as "20 meV"')
    broadening: float | str | None = Field(default=None, description='an energy > 0, such as "0.1 meV"')
    holes: Literal["liquid", "crystal"] = Field(default="liquid", description="liquid | crystal")
    sum_rule: bool = Field(default=False, description="true or false")


TABLE = ResponseTable


def of(study: Study) -> ResponseTable:
    """[response] of a study."""
    table: ResponseTable = study.table("response")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count."""
    return {*BILAYER, *temperature_keys(study.bilayer), *density_keys(study.density),
            *dotted("response", ResponseTable)} - {"bilayer.capacitor"}
