"""One Hartree-Fock calculation as it is asked for, from Python or a study file: checked, and ready to solve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ehbilayer.basis.base import DENSE_SECONDS
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import WaveChoice
from ehbilayer.errors import InputError
from ehbilayer.hamiltonian import STANDARD
from ehbilayer.hartree_fock.coherence.condensates import KIND as CONDENSATE
from ehbilayer.hartree_fock.coherence.condensates import orbitals_of_condensate
from ehbilayer.hartree_fock.coherence.guesses import OWN_STARTS
from ehbilayer.hartree_fock.cutoff import gap_tail
from ehbilayer.hartree_fock.guesses import STARTS, check_cell
from ehbilayer.hartree_fock.handover import may_go_on, same_particles
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.hartree_fock.sizes import check_sizes, with_limit
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.hartree_fock.warm import KEPT
from ehbilayer.hooks import Hooks
from ehbilayer.model import require_plain
from ehbilayer.numerics.memory import require_memory
from ehbilayer.orbitals import Orbitals
from ehbilayer.results.base import Result
from ehbilayer.results.files import RESULT
from ehbilayer.status import Status
from ehbilayer.terms import TermOf
from ehbilayer.torus import Torus
from ehbilayer.units import nearest

ALONE = ("liquid", "random", "path")  # starts that gain nothing from a neighbour, or are not to have one
SYMMETRIES = ("none", "crystal")
MATRICES, PAIR_STEPS = 40, 25  # with pairing: density matrices and fields that are kept; steps to the end, about
SMALLER = 'fewer plane waves or particles, or symmetry = "crystal"'  # what takes less memory
Start = str | Path | Orbitals | Result


@dataclass(frozen=True, eq=False)
class Problem:
    """A Hartree-Fock calculation.

    torus, basis : the physics and its discretisation.   options : see `Options`.   terms : of the Hamiltonian.
    initial : orbitals to start from where ``options.start`` is ``"path"``.
    sizes : further numbers of particles, from which energy and gaps are extrapolated to infinitely many.
    """

    torus: Torus
    basis: PlaneWaveBasis
    options: Options
    initial: Orbitals | None = None
    terms: tuple[TermOf, ...] = STANDARD
    sizes: tuple[int, ...] = ()

    @classmethod
    def of(cls, torus: Torus, start: Start, options: Options, waves: WaveChoice, *, symmetry: str = "none",
           holes_per_cell: int = 1, terms: tuple[TermOf, ...] | None = None, sizes: Sequence[int] = ()) -> Problem:
        """The waves that are named, or those that the tolerance asks for, sorted for the box or a cell.

        Parameters: see `hartree_fock.hartree_fock`.

        Raises
        ------
        InputError : a start that does not exist, a basis too small for the particles, a cell that does not tile the
            box, more memory than there is.
        """
        if options.pairing:
            require_plain(torus.bilayer, "Hartree-Fock with pairing", pinned=True)
        if torus.bilayer.temperature:
            check_warm(replace(options, basis_tolerance=None if waves.named else options.tolerance), sizes)
        if options.keep == "translations" and torus.bilayer.potential is not None:
            raise InputError("keep", "none | crystal in a potential, which breaks translations", options.keep,
                             "leave it out")
        if symmetry not in SYMMETRIES:
            raise InputError("symmetry", " | ".join(SYMMETRIES), symmetry, "choose one of these")
        blocks = torus.sites // holes_per_cell if symmetry == "crystal" and holes_per_cell >= 1 else 1
        # a few frames of coefficients, 8 bytes each, before any array is made
        numbers = 20 * sum(c.orbitals for c in torus.channels) * waves.count / max(blocks, 1)
        require_memory(8 * numbers, "torus", SMALLER)
        condensed = _condensate(start) if options.pairing else None
        name, initial = ("path", None) if condensed is not None else read_start(start, paired=options.pairing)
        options = replace(options, start=name, basis_tolerance=None if waves.named else options.tolerance)
        basis = _basis(torus, waves, options, symmetry, holes_per_cell)
        if condensed is not None:
            initial = orbitals_of_condensate(condensed, torus, basis)
        if initial is None:
            check_cell(torus, basis, name)
        if sizes:
            check_sizes(torus, sizes, name)
        problem = cls(torus, basis, options, initial, terms or STANDARD, tuple(sizes))
        require_memory(problem.estimate["memory_bytes"], "torus", SMALLER)
        return problem

    @property
    def estimate(self) -> dict[str, float]:
        """Rough memory (bytes) and seconds of all starts; those from noise take several times as long."""
        found = self.basis.estimate(self.torus)
        if self.options.pairing:  # matrices of each block are kept, diagonalised and transformed transfer by transfer
            cells = 1 if self.options.keep == "translations" else self.basis.cells
            waves = 1 if self.options.keep == "translations" else self.basis.size / cells
            found["memory_bytes"] += MATRICES * 16 * (2 * waves) ** 2 * cells
            found["seconds"] = PAIR_STEPS * (DENSE_SECONDS * 3 * (2 * waves) ** 3 * cells
                                             + 3 * 80 * waves * self.basis.size * 2e-8)
        if self.torus.bilayer.temperature:  # density matrices and fields of every block, kept for extrapolation
            blocks, waves = self.basis.index.shape
            found["memory_bytes"] += 16 * 2 * KEPT * blocks * waves**2 * len(self.torus.channels)
        found["seconds"] *= self.options.starts * (8 if self.options.start == "random" else 1)
        return found

    def solve(self, hooks: Hooks) -> HartreeFockResult:
        """Minimise from every start; see `solver.solve`.

        An unfinished result of this very calculation in the hooks is gone on from. Raises InputError for orbitals that
        do not fit.
        """
        unfinished = hooks.unfinished
        assert unfinished is None or isinstance(unfinished, HartreeFockResult)
        initial = self.initial if unfinished is None else unfinished.orbitals
        if initial is None and self._may_start_from(hooks.neighbour):
            assert isinstance(hooks.neighbour, HartreeFockResult)
            initial = hooks.neighbour.orbitals
        how = How(hooks.backend, hooks.threads, lambda state: hooks.progress(progress_line(state)), hooks.checkpoint,
                  hooks.should_stop, self.terms)
        result = solve(self.torus, self.basis, self.options, how, initial=initial, unfinished=unfinished)
        if self.options.basis_tolerance is None and result.gap_error is not None:
            result = replace(result, gap_error=result.gap_error + gap_tail(self.torus, result))
        if not self.sizes or result.status is not Status.converged:
            return result
        return with_limit(self.torus, self.sizes, result, partial(self._of_size, how))

    def _of_size(self, how: How, torus: Torus, cutoff: float) -> HartreeFockResult:
        """The same calculation on another torus, with all waves up to this cutoff."""
        options = replace(self.options, basis_tolerance=None, stability="none")
        cells = self.torus.sites // self.basis.cells
        other = Problem.of(torus, options.start, options, WaveChoice(cutoff=cutoff), holes_per_cell=cells,
                           symmetry="none" if self.basis.cells == 1 else "crystal", terms=self.terms)
        return solve(torus, other.basis, options, replace(how, checkpoint=None))

    def _may_start_from(self, neighbour: Result | None) -> bool:
        """Whether a neighbouring point has the same particles and still is the phase that this one starts from."""
        return (isinstance(neighbour, HartreeFockResult) and same_particles(self.torus, neighbour.inputs)
                and may_go_on(self.options.start, neighbour.phase, neighbour.sea_depletion))

    @property
    def carries(self) -> tuple[str, ...]:
        """Names of the arrays, or how they begin, that a neighbouring point can start from."""
        return () if self.options.start in ALONE else ("waves", "orbitals_", "occupations_")


def check_warm(options: Options, sizes: Sequence[int]) -> None:
    """Raise InputError for what is of the ground state alone, or of waves that a tolerance chooses."""
    for name, given, absent in (("occupation", options.occupation, "integer"), ("follow", options.follow, False),
                                ("sizes", tuple(sizes), ()), ("stability", options.stability == "full", False)):
        if given != absent:
            raise InputError(name, "left out at a temperature, where occupations are Fermi's", given, "leave it out")
    if options.basis_tolerance is not None:
        raise InputError("hexagon", "given (or plane_waves, cutoff) at a temperature", "missing",
                         "compare two of them for the error")


def read_start(start: Start, argument: str = "start", *, paired: bool = False) -> tuple[str, Orbitals | None]:
    """The name of a start and its orbitals, if it is a state. Raises InputError for one that does not exist, or exists
    with pairs alone."""
    if isinstance(start, str) and start in (*STARTS, *(OWN_STARTS if paired else ())):
        return start, None
    if isinstance(start, str) and start in OWN_STARTS:
        raise InputError(argument, " | ".join(STARTS) + " without pairing", start, "set pairing = true")
    if isinstance(start, Orbitals):
        return "path", start
    if not isinstance(start, str | Path | Result):
        raise InputError(argument, "the name of a phase, orbitals, a result or its file", f"a {type(start).__name__}",
                         f"names: {' '.join(STARTS)}")
    result = start if isinstance(start, Result) else _load(Path(start), argument)
    if not isinstance(result, HartreeFockResult):
        raise InputError(argument, "a result of kind hartree-fock with orbitals", result.kind, "give another one")
    return "path", result.orbitals


def _condensate(start: Start) -> Result | None:
    """The result of a homogeneous condensate, where a start is one."""
    if (isinstance(start, str) and start in (*STARTS, *OWN_STARTS)) or not isinstance(start, str | Path | Result):
        return None
    result = start if isinstance(start, Result) else _load(Path(start), "start")
    return result if result.kind == CONDENSATE else None


def _load(path: Path, argument: str) -> Result:
    """A result file, or that in the directory of a run."""
    found = next((p for p in (path, path / RESULT) if p.is_file()), None)
    if found is None:
        raise InputError(argument, " | ".join(STARTS) + " | orbitals, a result or its file", str(path)[:60],
                         nearest(str(path), STARTS, "no such file; check the path"))
    return Result.load(found)


def _basis(torus: Torus, waves: WaveChoice, options: Options, symmetry: str, holes_per_cell: int) -> PlaneWaveBasis:
    """Box, waves and the cell they are sorted by. Raises InputError where they cannot hold the particles."""
    found = waves.on(torus, options.tolerance)
    if symmetry == "none":
        return PlaneWaveBasis(torus.box, found)
    sites = torus.holes or torus.channels[0].orbitals
    basis = PlaneWaveBasis(torus.box, found, torus.bloch_cell(sites, holes_per_cell))
    # a crystal fills the same bands at every k, so every k needs that many waves
    fewest = int(basis.mask.sum(axis=1).min()) if len(basis.mask) == basis.cells else 0
    for channel in torus.channels:
        bands = channel.orbitals // basis.cells
        if options.start != "liquid" and channel.orbitals % basis.cells == 0 and bands > fewest:
            raise InputError(waves.argument, f"a basis with at least {bands} waves at each of the {basis.cells} k "
                             f"points ({channel.label})", f"{fewest} at one of them", "enlarge the basis")
    return basis


def progress_line(state: Mapping[str, Any]) -> str:
    """One line on where a calculation is."""
    start = f"start {state['start']}/{state['starts']}  " if state.get("starts", 1) > 1 else ""
    return (f"{start}iteration {state['iteration']:4d}  energy/particle {state['energy_per_particle']:+.10f} Ha_h  "
            f"residual {state['residual']:.1e} (target {state['target']:.1e})")
