"""The keys of [monte-carlo], and those that a study of this kind uses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import BILAYER, CELL, WAVES, Energy, Seed, Table, density_keys, dotted

Seconds = Annotated[float, Field(gt=0, le=1e7)]
Twists = Annotated[int, Field(ge=1, le=1000)] | Annotated[
    list[Annotated[float, Field(ge=-1e3, le=1e3)]], Field(min_length=2, max_length=2)]
Backflow = bool | Annotated[int, Field(ge=0, le=12)]
TimeStep = Annotated[float, Field(gt=0, le=1e9)]
TRIALS = ("liquid", "hole-crystal", "electron-crystal", "crystal", "condensate")


class MonteCarloTable(Table):
    """Quantum Monte Carlo: [monte-carlo]."""

    trial: str = Field(default="liquid", min_length=1, max_length=4096,
                       description=f"{' | '.join(TRIALS)} | a result file")
    method: Literal["vmc", "dmc"] = Field(default="dmc", description="vmc | dmc")
    target_error: Energy | None = Field(
        default=None, description='an energy per hole such as "0.1 meV" or a number in Ha_h')
    max_time: Seconds | None = Field(default=None, description="seconds, a positive number")
    walkers: int = Field(default=200, ge=20, le=10_000, description="an integer from 20 to 10000")
    time_steps: list[TimeStep] | None = Field(
        default=None, min_length=2, max_length=2, description="two positive numbers in 1/Ha_h, the larger first")
    seed: Seed = Field(default=0, description="an integer >= 0")
    jastrow: int = Field(default=5, ge=0, le=12, description="the degree of its polynomials, an integer from 0 to 12")
    optimisation_steps: int = Field(default=5, ge=0, le=1000, description="an integer from 0 to 1000")
    twists: Twists | None = Field(
        default=None, description="a number from 1 to 1000, or two fractions of the reciprocal vectors of the box")
    backflow: Backflow = Field(
        default=False, description="true, false, or the degree of its polynomials, an integer from 0 to 12")
    samples: int = Field(default=2000, ge=20, le=1_000_000, description="an integer from 20 to 1000000")


TABLE = MonteCarloTable
KEYS = dotted("monte-carlo", MonteCarloTable)
# each phase that competes has its own, and none has backflow
OF_ONE_TRIAL = {f"monte-carlo.{key}" for key in ("trial", "time_steps", "backflow")}
NOT_OF_THE_BOX = {f"cell.{key}" for key in (*WAVES, "symmetry", "holes_per_cell")}


def of(study: Study) -> MonteCarloTable:
    """[monte-carlo] of a study."""
    table: MonteCarloTable = study.table("monte-carlo")
    return table


def uses(study: Study) -> set[str]:
    """The dotted keys that count: no plane waves, and spins as in [hartree-fock]."""
    used = {*BILAYER, *density_keys(study.density), *CELL, *KEYS} - NOT_OF_THE_BOX
    spins = {"hartree-fock.electron_spin", "hartree-fock.hole_spin"}
    return used | spins
