"""The result of a Monte Carlo calculation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ehbilayer.results.base import Carriers, Result, entry, number

if TYPE_CHECKING:
    from ehbilayer.monte_carlo.size_laws import Law

NOBODY: Carriers[float] = Carriers({"electron": None, "hole": None})


@dataclass(frozen=True)
class Variational:
    """What the trial function gives by itself."""

    energy_per_hole: float = number("Ha_h", "energy of the trial function per hole")
    error: float = number("Ha_h", "standard error")
    variance: float = number("Ha_h^2", "variance of the local energy, over the number of holes")
    autocorrelation: float = number("1", "sweeps that count as one")
    acceptance: float = number("1", "share of the moves that was accepted")


@dataclass(frozen=True)
class AtTimeStep:
    """Diffusion at one time step."""

    time_step: float = number("1/Ha_h", "time step")
    energy_per_hole: float = number("Ha_h", "energy per hole")
    error: float = number("Ha_h", "standard error")
    steps: int = entry("steps that count")
    population: float = number("1", "mean number of walkers")
    acceptance: float = number("1", "share of the moves that was accepted")
    autocorrelation: float = number("1", "steps that count as one")


@dataclass(frozen=True)
class FiniteSize:
    """From this number of particles to infinitely many, or to a complex alone in the plane."""

    correction: float | None = number("Ha_h", "to be added per hole; none where no formula is known")
    energy_per_hole: float | None = number("Ha_h", "of infinitely many")
    law_error: float | None = number("Ha_h", "of the correction, an estimate", None)
    law: str | None = entry("plasmon | dipoles | phonons | isolated", None)

    @classmethod
    def of(cls, energy: float, law: Law | None, per: int) -> FiniteSize:
        """Of the energy of a box (Ha_h) and its law, divided by ``per``."""
        if law is None:
            return cls(None, None)
        return cls(law.correction / per, (energy + law.correction) / per, law.error / per, law.name)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MonteCarloResult(Result):
    """An energy by Monte Carlo; arrays: the trace, its reblocking, the parameters of the trial function, and pair
    correlations, structure factors, momentum distributions and densities with their errors.

    Where there are no holes, "per hole" is per electron. The zero mode is always the Madelung convention.
    """

    kind: ClassVar[str] = "monte-carlo"
    may_be_undefined: ClassVar[tuple[str, ...]] = ()
    trial: str = entry("which trial function")
    method: str = entry("vmc | dmc")
    phase: str = entry("what the state is, by Bragg weights and condensate fraction; not what its trial was named")
    total_energy: float = number("Ha_h", "energy of the box", key="energy")
    energy_per_hole: float = number("Ha_h", "energy per hole, extrapolated to time step zero")
    error: float = number("Ha_h", "its standard error")
    vmc: Variational = entry("the trial function by itself")
    dmc: tuple[AtTimeStep, ...] = entry("diffusion, larger time step first; none of vmc")
    time_step_error: float | None = number("Ha_h", "energy at the smaller time step less the extrapolated, per hole")
    population_error: float | None = number("Ha_h", "what the control of the population does to it, per hole")
    twist_error: float | None = number("Ha_h", "standard error of the mean over twists; none of one", None)
    finite_size: FiniteSize = entry("infinitely many particles")
    condensate_fraction: float | None = number("1", "condensed pairs per hole; none of one kind of charge", None)
    condensate_fraction_error: float | None = number("1", "its standard error", None)
    bragg: Carriers[float] = number("1", "[S(G) - 1]/(N - 1) at the shortest G of the crystal", NOBODY)
    bragg_error: Carriers[float] = number("1", "its standard error", NOBODY)
    rms_displacement: Carriers[float] = number("1", "displacement from the sites, over the lattice constant", NOBODY)
    contact: dict[str, float] | None = number("1", "pair correlation of each kind of pair in contact", None)
    contact_error: dict[str, float] | None = number("1", "its standard error", None)
    acceptance: float = number("1", "share of the moves that was accepted")
    autocorrelation: float = number("1", "steps that count as one")
    blocks: int = entry("independent blocks behind the error")
    walkers: int = entry("walkers")
    particles: Carriers[int] = entry("particles in the box")
    area: float = number("a_h^2", "area of the box")
    zero_mode: str = entry("madelung, the only one")
