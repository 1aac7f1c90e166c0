"""The keys of [gates], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import BILAYER, DIELECTRIC_TEXT, Energy, Length, Table, dotted, temperature_keys
from ehbilayer.units import parse_quantity


def _voltage(value: float | str) -> float | str:
    if isinstance(value, str):
        parse_quantity(value, "voltage", "voltage")
    return value


One = Annotated[float | str, AfterValidator(_voltage)]
Voltage = One | Annotated[list[One], Field(min_length=2, max_length=2)]
GATE_TEXT = 'a length > 0, such as "10 nm" or a number in a_h'
VOLTAGE_TEXT = 'a voltage such as "0.5 V" or a number in Ha_h, or two between which it varies'


class GatesTable(Table):
    """Gate voltages and bias to densities and phases: [gates]."""

    gap: Energy | None = Field(default=None, description='an energy such as "1.5 eV" or a number in Ha_h')
    gate_top: Length | None = Field(default=None, description=GATE_TEXT)
    gate_bottom: Length | None = Field(default=None, description=GATE_TEXT)
    dielectric_top: float | None = Field(default=None, ge=1, le=1e6, description=DIELECTRIC_TEXT)
    dielectric_spacer: float | None = Field(default=None, ge=1, le=1e6, description=DIELECTRIC_TEXT)
    dielectric_bottom: float | None = Field(default=None, ge=1, le=1e6, description=DIELECTRIC_TEXT)
    conduction_band: Energy | None = Field(default=None,
                                           description='an energy such as "0.8 eV" or a number in Ha_h')
    ground: Literal["electron", "hole", "middle"] = Field(default="electron", description="electron | hole | middle")
    top: Voltage | None = Field(default=None, description=VOLTAGE_TEXT)
    bottom: Voltage | None = Field(default=None, description=VOLTAGE_TEXT)
    common: Voltage | None = Field(default=None, description=VOLTAGE_TEXT)
    difference: Voltage | None = Field(default=None, description=VOLTAGE_TEXT)
    bias: Voltage | None = Field(default=None, description=VOLTAGE_TEXT)
    points: int = Field(default=50, ge=2, le=400, description="an integer from 2 to 400")
    equation: Literal["mean-field", "liquid", "free"] = Field(
        default="mean-field", description="mean-field | liquid | free")
    spin: Literal["lowest", "restricted", "polarized"] = Field(
        default="lowest", description="lowest | restricted | polarized")
    table: str | None = Field(default=None, description="a CSV file, or the result of a sweep")
    measured: str | None = Field(default=None, description="a CSV file")


TABLE = GatesTable


def of(study: Study) -> GatesTable:
    """[gates] of a study."""
    table: GatesTable = study.table("gates")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count."""
    table = of(study)
    unused = {"gates.equation", "gates.spin"} if table.table is not None else set()
    return {*BILAYER, *temperature_keys(study.bilayer), *dotted("gates", GatesTable)} - unused
