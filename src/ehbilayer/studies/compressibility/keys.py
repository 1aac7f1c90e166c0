"""The keys of [compressibility], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import BILAYER, CELL, Count, Starts, Table, density_keys, dotted, names_waves


class CompressibilityTable(Table):
    """Bulk modulus and plasmon velocity: [compressibility]."""

    method: Literal["response", "pressure", "energy"] = Field(
        default="response", description="response | pressure | energy")
    sizes: list[Count] | None = Field(default=None, min_length=1, description="a list of particle numbers")
    state: Literal["symmetric", "lowest"] = Field(default="symmetric", description="symmetric | lowest")
    occupation: Literal["integer", "shell"] = Field(default="shell", description="integer | shell")
    starts: Starts = Field(default=3, description="an integer from 1 to 100000")
    tolerance: float = Field(default=2e-3, ge=1e-6, le=1, description="an error of alpha_squared from 1e-6 to 1")


TABLE = CompressibilityTable
KEYS = dotted("compressibility", CompressibilityTable)
SOLVER = {f"hartree-fock.{key}" for key in ("electron_spin", "hole_spin", "seed", "tolerance", "max_iterations")}


def of(study: Study) -> CompressibilityTable:
    """[compressibility] of a study."""
    table: CompressibilityTable = study.table("compressibility")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count: only the lowest state is searched for, and it has whole orbitals."""
    used = {*BILAYER, *density_keys(study.density), *CELL, *SOLVER, *KEYS} - {"cell.symmetry", "cell.holes_per_cell"}
    if of(study).state == "symmetric":
        used -= {"compressibility.starts", "hartree-fock.seed"}
    else:
        used.discard("compressibility.occupation")
    if names_waves(study.cell):
        used.discard("compressibility.tolerance")
    return used
