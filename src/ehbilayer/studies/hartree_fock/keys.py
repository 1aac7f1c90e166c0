"""The keys of [hartree-fock], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import (
    BILAYER,
    CELL,
    POTENTIAL,
    Count,
    Seed,
    Starts,
    Table,
    Tolerance,
    density_keys,
    dotted,
    field_keys,
    temperature_keys,
)
from ehbilayer.torus import OCCUPATIONS

Ordered = Literal["liquid", "hole-crystal", "electron-crystal", "crystal", "stripes", "trion-crystal",
                  "dumbbell-crystal"]
Spin = Literal["restricted", "unrestricted", "polarized"] | Annotated[str, Field(pattern=f"^{OCCUPATIONS}$")]
SPIN_TEXT = "restricted | unrestricted | polarized | particles of each flavour, such as 27+9 or 18|18"
STARTS: tuple[str, ...] = (*get_args(Ordered), "random")
WITH_PAIRS: tuple[str, ...] = ("supersolid", "condensate", "composite-crystal")  # starts where pairing is true


Component = Annotated[float, Field(ge=-1000, le=1000)]


class HartreeFockTable(Table):
    """How Hartree-Fock is solved: [hartree-fock]."""

    electron_spin: Spin = Field(default="restricted", description=SPIN_TEXT)
    hole_spin: Spin = Field(default="polarized", description=SPIN_TEXT)
    start: str = Field(default="crystal", min_length=1, max_length=4096,
                       description=f"{' | '.join((*STARTS, *WITH_PAIRS))} | a result file")
    spin_order: Literal["uniform", "stripe", "random"] = Field(
        default="uniform", description="uniform | stripe | random")
    starts: Starts = Field(default=1, description="an integer from 1 to 100000")
    seed: Seed = Field(default=0, description="an integer >= 0")
    keep: Literal["none", "translations", "crystal"] = Field(
        default="none", description="none | translations | crystal")
    follow: bool = Field(default=False, description="true or false")
    occupation: Literal["integer", "shell"] = Field(default="integer", description="integer | shell")
    tolerance: Tolerance = Field(default=1e-8, description="an energy error per particle from 1e-13 to 0.1 (Ha_h)")
    max_iterations: int = Field(default=2000, ge=1, le=10_000_000, description="an integer >= 1")
    stability: Literal["none", "auto", "full"] = Field(default="auto", description="none | auto | full")
    pairing: bool = Field(default=False, description="true or false")
    pair_momentum: tuple[Component, Component] = Field(
        default=(0.0, 0.0), strict=False,  # a list, which TOML has for it
        description="two numbers from -1000 to 1000, in reciprocal vectors of the box")
    sizes: list[Count] | None = Field(default=None, min_length=1, description="a list of particle numbers")


TABLE = HartreeFockTable
KEYS = dotted("hartree-fock", HartreeFockTable)
NEIGHBOURS = "from a crystal"


def of(study: Study) -> HartreeFockTable:
    """[hartree-fock] of a study."""
    table: HartreeFockTable = study.table("hartree-fock")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count, without those that other keys make meaningless."""
    used = {*BILAYER, *field_keys(study.bilayer), *temperature_keys(study.bilayer), *density_keys(study.density), *CELL,
            *KEYS}
    holes, ratio = study.cell.holes, study.density.electrons_per_hole
    if study.potential.model_fields_set:
        used |= POTENTIAL
    if study.cell.symmetry == "none":
        used.discard("cell.holes_per_cell")
    if holes is None:
        used -= {"hartree-fock.hole_spin", "bilayer.hole_flavours", "cell.holes_per_cell"}
    if holes is not None and ratio == 0:
        used -= {"hartree-fock.electron_spin", "bilayer.electron_flavours"}
    return used
