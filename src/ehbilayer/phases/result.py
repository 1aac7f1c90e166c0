"""The result of a competition: its candidates as rows, and which phase wins by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ehbilayer.results.base import Carriers, Result, Status, Variable, entry, number
from ehbilayer.results.fields import conform, declared
from ehbilayer.units import Scales

NOBODY: Carriers[float] = Carriers({"electron": None, "hole": None})
CANDIDATE, CARRIER = "candidate", "carrier"  # axes of the arrays
LOST = "it can no longer win"  # left out after the first look


@dataclass(frozen=True)
class Curvatures:
    """Lowest curvatures of the energy, see `hartree_fock.result.Stability`."""

    within_kept_symmetry: float | None = number("Ha_h", "with what the state is held by", None)
    beyond: float | None = number("Ha_h", "in the complex free box", None)


@dataclass(frozen=True)
class Descent:
    """Where the lowest mode of a saddle leads, with nothing held."""

    phase: str = entry("of the state below")
    energy: float = number("Ha_h", "per hole")
    status: Status = entry("how it ended")


@dataclass(frozen=True)
class TrialEnergy:
    """What a trial function gives by itself, by variational Monte Carlo."""

    energy_per_hole: float = number("Ha_h", "energy per hole")
    error: float = number("Ha_h", "standard error")
    variance: float = number("Ha_h^2", "variance of the local energy, over the number of holes")


@dataclass(frozen=True)
class CandidateRow:
    """One candidate and where it ended; energies per hole."""

    name: str = entry("of the candidate")
    status: Status = entry("how it ended")
    energy: float | None = number("Ha_h", "energy per hole; at a temperature the free energy")
    phase: str = entry("phase it ended as")
    basis_error: float | None = number("Ha_h", "of the energy per hole; None where it is too high to matter", None)
    basis_size: int = entry("plane waves", 0)
    solver_error: float = number("Ha_h", "bound on the solver's error per hole", 0.0)
    momentum_variance: Carriers[float] = number("1", "sum_k (L k)^2 n_k with L^2 = 2 A / sqrt(3)", NOBODY)
    sea_depletion: Carriers[float] = number("1", "fraction outside the Fermi sea of the free carriers", NOBODY)
    zone_deviation: Carriers[float] = number("1", "largest relative deviation of n(k) from full bands", NOBODY)
    bragg_weight: Carriers[float] = number("1", "<|rho_G|^2>/N^2 at the reciprocal lattice of the holes", NOBODY)
    spin_order: Carriers[float] = number("1", "largest |S_G|/N of unrestricted spins", NOBODY)
    gap: Carriers[float] = number("Ha_h", "to the lowest empty level, or to break a pair", NOBODY)
    pair_amplitude: float = number("1", "condensate fraction", 0.0)
    edge_occupation: float | None = number("1", "largest occupation at the edge of the basis, per flavour", None)
    iterations: int = entry("evaluations of energy or fields", 0)
    curvature: Curvatures = entry("of the energy", Curvatures())
    saddle: bool | None = entry("whether a broken symmetry would lower it; None where that was not asked", None)
    towards: Descent | None = entry("where a saddle leads, if it was followed", None)
    normal_energy: float | None = number("Ha_h", "per hole, of a condensate's carriers without pairing", None)
    seconds: float = number("s", "spent on it", 0.0)
    paper_label: str = entry("phase by the cuts of Nashabeh and Fu", "")
    start: str | None = entry("neighbour | own guess; None where there was no neighbour", None)
    spin_arrangement: str = entry("how each carrier fills its flavours, see `torus.Species`", "")
    basis_gain: float = number("Ha_h", "part of the basis error found on a larger basis: it surely falls by that", 0.0)
    size_shift: float | None = number("Ha_h", "what more particles may take off its height above the winner", None)
    above_plane: float | None = number("Ha_h", "energy per hole above that of its homogeneous phase in the plane", None)
    start_spread: float = number("Ha_h", "spread of the energies of starts that ended alike", 0.0)
    gained: float = number("Ha_h", "energy per hole by which it fell after the first look", 0.0)
    first_edge: float = number("1", "edge_occupation on the waves of the first look", 0.0)
    left_out: str = entry("why it was not converged beyond the first look; its solver_error has what that may gain", "")
    error: float | None = number("Ha_h", "standard error of the energy, by Monte Carlo", None)
    vmc: TrialEnergy | None = entry("the trial function by itself, of Monte Carlo", None)
    time_step_error: float | None = number("Ha_h", "what the smaller time step differs by, taken out", None)
    population_error: float | None = number("Ha_h", "what the control of the population does", None)
    size_correction: float | None = number("Ha_h", "to infinitely many, by formula; None where none is known", None)
    size_error: float | None = number("Ha_h", "of that, an estimate; with that of too few twists", None)
    size_law: str | None = entry("plasmon | dipoles | phonons: what that is the formula of", None)
    width: Carriers[float] = number("1", "rms displacement on sites over the lattice constant", NOBODY)
    runs: int = entry("of Monte Carlo spent on it", 0)
    box: int | None = entry("sites in its box, by Monte Carlo", None)
    doubt: str = entry("what is open about its phase", "")
    stiffness: float | None = number("Ha_h", "superfluid stiffness (1/A) d^2E/dQ^2 of pairs in Hartree-Fock", None)
    bkt: float | None = number("Ha_h", "k_B T of superfluidity by it, an upper bound", None)
    quasiparticle_gap: float | None = number("Ha_h", "energy to break a pair, of the same", None)
    pair_momentum: float = number("1/a_h", "|Q| of the pairs", 0.0)
    pairing_curvature: float | None = number(
        "Ha_h", "of a state without pairs in Hartree-Fock with pairing: below zero excitons would condense", None)
    entropy: float | None = number("1", "S/k_B per hole, at a temperature", None)


@dataclass(frozen=True)
class ArrangementRow:
    """One arrangement of spins and valleys of a candidate, as the first look at it ended."""

    candidate: str = entry("of which candidate")
    spin_arrangement: str = entry("how each carrier fills its flavours, see `torus.Species`")
    phase: str = entry("phase it ended as")
    energy: float = number("Ha_h", "energy per hole, loosely converged on the first waves")
    cost: float = number("Ha_h", "above the arrangement that stands for the candidate, per hole on the same waves")


@dataclass(frozen=True)
class SizeVerdict:
    """The verdict in a box of one size."""

    particles: int = entry("sites: holes, or electrons where there are none")
    winner: str = entry("phase of lowest energy")
    margin: float | None = number("Ha_h", "energy per hole from the winner to the next phase")
    numerical_error: float | None = number("Ha_h", "how much smaller the margin may be")
    status: Status = entry("how it ended")


@dataclass(frozen=True)
class BulkVerdict:
    """The verdict for infinitely many particles, from the phases that two sizes or more have."""

    winner: str = entry("phase of lowest energy; unknown where sizes are too few")
    runner_up: str | None = entry("the next phase")
    margin: float | None = number("Ha_h", "energy per hole from the winner to the next phase")
    uncertainty: float | None = number("Ha_h", "how much smaller the margin may be")
    resolved: bool = entry("whether the margin is larger than its uncertainty")
    heights: dict[str, float] = number("Ha_h", "energy per hole of every phase above the winner")
    by_size: tuple[SizeVerdict, ...] = entry("the sizes")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CompetitionResult(Result):
    """Which phase has the lowest energy; ``energy`` is that of the winner, per hole. At a temperature all are
    free energies.

    Arrays over ``candidate`` (and ``carrier``), and for each candidate its densities with the cell they are given on,
    by names that end in the candidate's.
    """

    kind: ClassVar[str] = "phases"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("candidate_",)
    renamed: ClassVar[Mapping[str, str]] = {"candidate_name": CANDIDATE}
    energies: dict[str, float | None] = number("Ha_h", "energy per hole")
    statuses: dict[str, str] = entry("how each candidate ended")
    ended_as: dict[str, str] = entry("phase that each candidate ended as")
    winner: str = entry("phase of lowest energy; unknown where no candidate converged")
    runner_up: str | None = entry("the next phase")
    margin: float | None = number("Ha_h", "energy per hole from the winner to the next phase")
    numerical_error: float | None = number("Ha_h", "how much smaller the margin may be")
    resolved: bool = entry("whether all converged and the margin is larger than its error")
    lowest_energy: float | None = number("Ha_h", "energy per hole of the winner", key="energy")
    saddles: tuple[str, ...] = entry("candidates that a broken symmetry would lower")
    cautions: tuple[str, ...] = entry("what a reader of the verdict must not overlook")
    method: str = entry("hartree-fock | monte-carlo", "hartree-fock")
    margin_sigma: float | None = number("1", "margin over its standard error, by Monte Carlo", None)
    spin_arrangement: str | None = entry("how each carrier of the winner fills its flavours", None)
    candidates: tuple[CandidateRow, ...] = entry("all candidates")
    further: tuple[CandidateRow, ...] = entry(
        "of candidates that end lowest as another phase: the arrangement that remains what it is called", ())
    arrangements: tuple[ArrangementRow, ...] = entry("all arrangements of spins and valleys that competed", ())
    limit: BulkVerdict | None = entry("infinitely many particles, where sizes are given", None)
    particles: Carriers[int] = entry("particles in the box, of all flavours")
    area: float = number("a_h^2", "area of the box")
    zero_mode: str = entry("none | madelung")
    temperature: float | None = number("Ha_h", "k_B T; None: the ground state", None)
    critical_rs: float | None = number("a_h", "critical r_s of the holes, where the density refers to it", None)
    critical_rs_electron: float | None = number("a_e", "critical r_s of the electrons alone", None)
    over_critical: Carriers[float] | None = number("1", "density of each layer over its critical one", None)

    @property
    def theory(self) -> str:
        """The level of theory in words."""
        return "Monte Carlo" if self.method == "monte-carlo" else "mean field"

    def candidate(self, name: str) -> CandidateRow:
        """The row of this name. Raises KeyError if there is none."""
        found = next((row for row in self.candidates if row.name == name), None)
        if found is None:
            raise KeyError(name)
        return found


def rows_of(tables: Any) -> tuple[CandidateRow, ...]:
    """Rows from the tables of a file."""
    found: tuple[CandidateRow, ...] = conform(tuple[CandidateRow, ...], tables, "1", Scales(), "candidates")
    return found


def arrays(rows: Sequence[CandidateRow]) -> dict[str, Variable]:
    """Numbers of the rows over ``candidate``, and those of carriers also over ``carrier``; NaN for None.

    Times are left out: the same competition gives the same bits.
    """
    names = list(dict.fromkeys(c for row in rows for c in row.gap))
    data = {CANDIDATE: Variable((CANDIDATE,), np.array([r.name for r in rows], dtype=str), "1", "name"),
            CARRIER: Variable((CARRIER,), np.array(names, dtype=str), "1", "kind of carrier")}
    for key, field in declared(CandidateRow).items():
        values = [getattr(row, field.name) for row in rows]
        if field.hint == Carriers[float]:
            of = np.array([[v[c] for c in names] for v in values], dtype=float)
            data[f"candidate_{key}"] = Variable((CANDIDATE, CARRIER), of, field.unit, field.meaning)
        elif field.hint in (float, float | None) and field.unit != "s":
            data[f"candidate_{key}"] = Variable((CANDIDATE,), np.array(values, dtype=float), field.unit, field.meaning)
        elif key in ("status", "phase"):
            data[f"candidate_{key}"] = Variable((CANDIDATE,), np.array(values, dtype=str), "1", field.meaning)
    return data
