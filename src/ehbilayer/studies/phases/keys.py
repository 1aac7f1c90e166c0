"""The keys of [phases], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.hartree_fock import keys as hartree_fock
from ehbilayer.studies.keys import BILAYER, CELL, Count, Table, density_keys, dotted, temperature_keys
from ehbilayer.studies.monte_carlo import keys as monte_carlo

Phase = Literal[hartree_fock.Ordered, "condensate", "supersolid", "composite-crystal", "imbalanced-condensate"]
PHASES: tuple[str, ...] = get_args(Phase)
# each candidate has its own start and cell
OWN = {*(f"hartree-fock.{key}" for key in ("start", "starts", "seed", "spin_order", "keep", "pairing",
                                           "pair_momentum")), "cell.symmetry",
       "cell.holes_per_cell"}


class PhasesTable(Table):
    """Which phases compete: [phases]."""

    candidates: list[Phase] | None = Field(default=None, min_length=1, description=f"a list of {' | '.join(PHASES)}")
    spins: Literal["all", "given"] | None = Field(
        default=None, description='all | given: every arrangement, or the spins of [hartree-fock]; "given" where it '
                                  "names one, else all")
    method: Literal["hartree-fock", "monte-carlo"] = Field(
        default="hartree-fock", description="hartree-fock | monte-carlo: mean field, or with correlation")
    sizes: list[Count] | None = Field(default=None, min_length=1, description="a list of particle numbers")


TABLE = PhasesTable
KEYS = dotted("phases", PhasesTable)
NEIGHBOURS = ""


def of(study: Study) -> PhasesTable:
    """[phases] of a study."""
    table: PhasesTable = study.table("phases")
    return table


def spins_of(study: Study) -> str:
    """Whether all arrangements of spins and valleys compete: unless the file names a spin treatment, or says so."""
    asked = any(f"hartree-fock.{name}_spin" in study.given() for name in ("electron", "hole"))
    return of(study).spins or ("given" if asked else "all")


def uses(study: Study) -> set[str]:
    """The dotted keys that count."""
    if of(study).method == "monte-carlo":
        spins = {"hartree-fock.electron_spin", "hartree-fock.hole_spin"} if spins_of(study) == "given" else set()
        return ({*BILAYER, *density_keys(study.density), *CELL, *KEYS, *monte_carlo.KEYS} | spins) - {
            *monte_carlo.NOT_OF_THE_BOX, *monte_carlo.OF_ONE_TRIAL}
    found = {*BILAYER, *temperature_keys(study.bilayer), *density_keys(study.density), *CELL, *hartree_fock.KEYS,
             *KEYS} - OWN
    free = spins_of(study) == "all"
    return found - {"hartree-fock.electron_spin", "hartree-fock.hole_spin"} if free else found
