"""The keys of [pairing], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import BILAYER, DENSITY, DEVICE, RS_TEXT, Length, Rs, Table, density_keys, dotted, rising


class PairingTable(Table):
    """Superconductivity: [pairing]."""

    ALTERNATIVES = (("alpha_squared", "alpha", "alpha_source"),)

    coupling: Literal["plasmon-pole", "rpa", "hubbard", "stls", "kukkonen-overhauser", "crystal",
                      "crystal-exchange"] = Field(
        default="plasmon-pole",
        description="plasmon-pole | rpa | hubbard | stls | kukkonen-overhauser | crystal | crystal-exchange")
    alpha_squared: float | None = Field(default=None, gt=0, le=1e6, description="a number > 0")
    alpha: float | None = Field(default=None, gt=0, le=1e3, description="a positive number")
    alpha_source: Literal["paper-line", "torus", "limit"] | None = Field(default=None,
                                                                         description="paper-line | torus | limit")
    alpha_squared_uncertainty: float | None = Field(default=None, ge=0, le=1e6, description="a number >= 0")
    rs_star: Rs = Field(default=2.0, description=RS_TEXT)
    phase: str | None = Field(default=None, min_length=1, max_length=4096, description="a result file of kind phases")
    method: Literal["bcs", "mcmillan", "allen-dynes", "eliashberg"] = Field(
        default="eliashberg", description="eliashberg | bcs | mcmillan | allen-dynes")
    mu_star: Literal["morel-anderson", "bare"] | Annotated[float, Field(ge=0, le=10)] = Field(
        default="morel-anderson", description="morel-anderson | bare | a number from 0 to 10")
    umklapp: Literal["debye", "folded"] = Field(default="debye", description="debye | folded")
    curve_points: int = Field(default=24, ge=0, le=1000, description="an integer from 0 to 1000")
    map_rs: Annotated[list[Rs], AfterValidator(rising)] | None = Field(
        default=None, min_length=2, max_length=2, description="two rising values of r_s of the electrons")
    map_spacing: list[Length] | None = Field(
        default=None, min_length=2, max_length=2, description='two rising lengths >= 0, such as [0, "2 a_e"]')
    map_points: int = Field(default=100, ge=2, le=2000, description="an integer from 2 to 2000")


TABLE = PairingTable
KEYS = dotted("pairing", PairingTable)


def of(study: Study) -> PairingTable:
    """[pairing] of a study."""
    table: PairingTable = study.table("pairing")
    return table


def asks_for_map(table: PairingTable) -> bool:
    """Whether T_c is asked for on a map and not at one point."""
    return table.map_rs is not None or table.map_spacing is not None


def uses(study: Study) -> set[str]:
    """The dotted keys that count: those of the source of alpha^2, and of a point or of a map."""
    table = of(study)
    if table.coupling != "plasmon-pole":
        return {*BILAYER, *density_keys(study.density), "pairing.coupling", "pairing.mu_star"} - {"bilayer.capacitor"}
    used = {*DEVICE, "bilayer.capacitor", "bilayer.electron_flavours", *density_keys(study.density), *KEYS}
    if table.alpha_source == "torus":
        used |= {"cell.holes", "cell.zero_mode", "compressibility.state"}
    if table.alpha_source == "limit":
        used.add("compressibility.sizes")
    if not asks_for_map(table):
        return used - {"pairing.map_points"}
    return used - DENSITY - {"bilayer.spacing", "pairing.phase", "pairing.curve_points",
                             "pairing.alpha_squared_uncertainty"}
