"""The keys of [phonons], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ehbilayer.studies.crystal import keys as crystal
from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import DENSITY, DEVICE, Table, dotted, rising


class PhononsTable(Table):
    """Phonons and quantum fluctuation of classical crystals: [phonons]."""

    lindemann: float = Field(default=0.25, gt=0, le=1, description="a threshold between 0 and 1")
    mesh: int | None = Field(default=None, ge=2, le=1000, description="an integer from 2 to 1000")
    points: int = Field(default=40, ge=2, le=10_000, description="an integer from 2 to 10000")
    tolerance: float = Field(default=1e-6, ge=1e-10, le=1e-1, description="a relative error from 1e-10 to 0.1")
    follow: bool = Field(default=False, description="true or false")
    scan: Annotated[list[Annotated[float, Field(ge=0.1, le=100)]], AfterValidator(rising)] | None = Field(
        default=None, min_length=2, max_length=2, description="two rising values of a/d from 0.1 to 100")
    scan_points: int = Field(default=16, ge=2, le=10_000, description="an integer from 2 to 10000")


TABLE = PhononsTable
KEYS = dotted("phonons", PhononsTable)
SEARCH = {f"crystal.{key}" for key in ("starts", "seed", "holes_per_cell", "box", "scan", "scan_points")}


def of(study: Study) -> PhononsTable:
    """[phonons] of a study."""
    table: PhononsTable = study.table("phonons")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count: those of a crystal that is not searched for."""
    used = {*DEVICE, "bilayer.capacitor", *DENSITY, *crystal.KEYS, *KEYS} - SEARCH
    return used - {"density.hole_over_critical", "density.critical_rs"}
