"""The keys of [few-body], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import DEVICE, Length, Mass, Seed, Table, Tolerance, dotted


class FewBodyTable(Table):
    """Exciton, trion, biexciton: [few-body]."""

    complex: Literal["exciton", "trion-", "trion+", "biexciton"] = Field(
        default="trion-", description="exciton | trion- | trion+ | biexciton")
    spin: Literal["singlet", "triplet"] | None = Field(default=None, description="singlet | triplet")
    angular_momentum: Literal[0, 1] | None = Field(default=None, description="0 or 1")
    find: Literal["binding", "critical-spacing"] = Field(default="binding", description="binding | critical-spacing")
    spacings: list[Length] | None = Field(
        default=None, min_length=1, max_length=1000, description='a list of lengths >= 0, such as [0, "1 nm"]')
    mass_ratios: list[Mass] | None = Field(
        default=None, min_length=1, max_length=100, description="a list of positive ratios m_e/m_h")
    tolerance: Tolerance = Field(default=1e-6, description="an energy error from 1e-13 to 0.1 (Ha_h)")
    max_functions: int | None = Field(default=None, ge=1, le=5000, description="an integer from 1 to 5000; else 500, "
                                      "of a critical spacing 160")
    seed: Seed = Field(default=0, description="an integer >= 0")


TABLE = FewBodyTable
KEYS = dotted("few-body", FewBodyTable)
NEIGHBOURS = "binding of three or four particles"


def of(study: Study) -> FewBodyTable:
    """[few-body] of a study."""
    table: FewBodyTable = study.table("few-body")
    return table


def functions_of(table: FewBodyTable) -> int:
    """The largest basis that is meant."""
    from ehbilayer.few_body.threshold import FUNCTIONS

    usual = FUNCTIONS if table.find == "critical-spacing" else 500
    return usual if table.max_functions is None else table.max_functions


def uses(study: Study) -> set[str]:
    """The dotted keys that count: an exciton has a radial equation, a search sets its own accuracy."""
    table, used = of(study), {*DEVICE, *KEYS}
    if table.complex == "exciton":
        used -= {"few-body.tolerance", "few-body.max_functions", "few-body.seed"}
    if table.find == "critical-spacing":
        used -= {"bilayer.spacing", "few-body.tolerance"}
    if table.mass_ratios is not None:
        used -= {"bilayer.electron_mass", "bilayer.hole_mass"}
    if table.spacings is not None:
        used.discard("bilayer.spacing")
    return used
