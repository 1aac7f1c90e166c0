"""The keys of [device], and those that a study of kind "device" uses."""

from __future__ import annotations

from pydantic import Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import Density, Table, dotted
from ehbilayer.studies.monte_carlo import keys as monte_carlo
from ehbilayer.studies.pairing import keys as pairing
from ehbilayer.studies.phases import keys as phases

# keys of [pairing] of no meaning here, where it is asked at one point for every source of alpha^2
PAGES = ("alpha_source", "phase", "map_rs", "map_spacing", "map_points", "curve_points")


class DeviceTable(Table):
    """The phases over a range of densities: [device]."""

    densities: list[Density] | None = Field(
        default=None, min_length=2, max_length=2,
        description='two rising densities of the holes, such as ["0.1e12 cm^-2", "3e12 cm^-2"]')
    correlated: bool = Field(default=False, description="true | false: let the phases compete by Monte Carlo, too")
    points: int = Field(default=9, ge=2, le=1000, description="an integer from 2 to 1000")


TABLE = DeviceTable
KEYS = dotted("device", DeviceTable)


def of(study: Study) -> DeviceTable:
    """[device] of a study."""
    table: DeviceTable = study.table("device")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count."""
    used = phases.uses(study) | KEYS | pairing.KEYS - {f"pairing.{key}" for key in PAGES}
    table = pairing.of(study)
    if table.alpha is None and table.alpha_squared is None:
        used.discard("pairing.alpha_squared_uncertainty")
    if of(study).densities is None:
        used.discard("device.points")
    if of(study).correlated:
        used |= monte_carlo.KEYS - monte_carlo.OF_ONE_TRIAL
    return used | {"compressibility.sizes", "compressibility.state"}
