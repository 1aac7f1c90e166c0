"""One start of a Hartree-Fock calculation: minimise, fill the lowest levels, minimise again.

The energy of one Slater determinant per channel is minimised directly (Dai & Fu, PRL 132, 196202 (2024), minimise the
same functional). `Calculation` is what all starts share, `End` where one of them ended.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hamiltonian import STANDARD, Hamiltonian
from ehbilayer.hartree_fock.metal import energy_problem
from ehbilayer.hartree_fock.occupations import fill_levels, pack
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.order import phase_name
from ehbilayer.hartree_fock.spectrum import Levels, crystal_levels
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.minimize import Frames, Minimum, minimise
from ehbilayer.orbitals import Guess, Orbitals
from ehbilayer.status import Status
from ehbilayer.terms import Filling, Setting, TermOf
from ehbilayer.torus import Torus

CHECKPOINT_SECONDS = 20.0
COARSE_POINTS, COARSE_AXIS = 2000, 14  # states on finer grids than this converge on a coarser one first
COARSE_RESIDUAL = 1e-4
LATELY, MORE = 5, 10.0  # what a filling may still gain, over what it gained in the last few iterations
REFILLS = 8  # rounds of re-occupation before a metal's filling is declared undecided


class Monitor:
    """Progress, stopping and checkpoints of one `solve`."""

    def __init__(self, torus: Torus, options: Options, progress: Callable[[dict[str, Any]], None] | None = None,
                 should_stop: Callable[[], Status | None] | None = None) -> None:
        self._particles, self._options = torus.particles, options
        self._progress, self._should_stop = progress, should_stop
        self.stopped: Status | None = None
        self.start = 1
        self.save: Callable[[End], None] | None = None
        self._saved = time.monotonic()

    def keep(self, make: Callable[[], End]) -> None:
        """Hand the present state to the checkpoint, now and then."""
        if self.save is not None and time.monotonic() - self._saved > CHECKPOINT_SECONDS:
            self.save(make())
            self._saved = time.monotonic()

    def __call__(self, iteration: int, energy: float, residual: float) -> bool:
        if self._progress is not None:
            self._progress({"start": self.start, "starts": self._options.starts, "iteration": iteration,
                            "energy": energy, "energy_per_particle": energy / self._particles, "residual": residual,
                            "target": self._options.residual_target})
        return self.poll()

    def poll(self) -> bool:
        """Whether to stop now."""
        if self._should_stop is not None and self.stopped is None:
            self.stopped = self._should_stop()
        return self.stopped is not None


def kept_basis(torus: Torus, basis: PlaneWaveBasis, keep: str) -> PlaneWaveBasis:
    """The basis whose blocks enforce the kept symmetry: one wave per block for translations, one site per cell for
    a crystal, the basis as it is for none."""
    if keep == "crystal" and basis.cells == 1:
        return basis.with_supercell(torus.bloch_cell(torus.sites))
    if keep == "translations":
        # a uniform state needs the occupied waves and a few empty shells: wave vectors up to twice the largest k_F
        most = max(c.orbitals for c in torus.channels)
        length = np.linalg.norm(basis.waves @ basis.box.reciprocal, axis=1) * np.sqrt(basis.box.area)
        waves = basis.waves[length <= 2 * np.sqrt(4 * np.pi * most) + 1e-9]
        reach = 2 * np.abs(waves).max(axis=0) + 1
        return PlaneWaveBasis(basis.box, waves, np.diag(reach), real=False)
    return basis


@dataclass(frozen=True)
class Calculation:
    """What all starts of a calculation share: the problem, how it is run, and whom it tells.

    torus, basis : the physics and its discretisation.   options : see `Options`.   monitor : progress and stops.
    fourier : transforms and the kind of arrays.   terms : of the Hamiltonian.
    """

    torus: Torus
    basis: PlaneWaveBasis
    options: Options
    monitor: Monitor
    fourier: Fourier = field(default_factory=Fourier)
    terms: tuple[TermOf, ...] = STANDARD

    def hamiltonian(self, fillings: tuple[Filling, ...], basis: PlaneWaveBasis | None = None) -> Hamiltonian:
        """With these occupations, on another basis if one is given."""
        return Hamiltonian(Setting(basis or self.basis, self.fourier, [self.torus], fillings), self.terms)


@dataclass(frozen=True, eq=False)
class End:
    """Where one start ended.

    label, seed : of the start.   status : how it ended.   minimum, hamiltonian : the state and what it belongs to.
    levels : Fock levels of each channel where they are known.   aufbau : whether the lowest ones are filled.
    cost : Fock builds.
    """

    label: str
    seed: int
    status: Status
    minimum: Minimum
    hamiltonian: Hamiltonian
    levels: tuple[Levels | None, ...]
    aufbau: bool
    cost: int

    @property
    def energy(self) -> float:
        """Total energy, Ha_h."""
        return float(self.minimum.energy[0])

    @property
    def frames(self) -> Frames:
        """Orthonormal orbitals of each channel, (1, K, n, S g)."""
        return self.minimum.frames

    @cached_property
    def orbitals(self) -> Orbitals:
        """The state."""
        return Orbitals.of(self.hamiltonian.setting, self.frames)

    @cached_property
    def phase(self) -> str:
        """Its name."""
        return phase_name(self.hamiltonian.setting.tori[0], self.orbitals)


def lowest(ends: Sequence[End]) -> End:
    """The end of lowest energy, converged ones first."""
    return min(ends, key=lambda e: (e.status is not Status.converged, e.energy))


def converge(run: Calculation, begin: Guess, number: int = 0, label: str | None = None) -> End:
    """Minimise at fixed occupations; in a crystal fill the lowest levels anew until they are the filled ones.

    Whole orbitals have the same energies in both conventions for v(q = 0), up to a constant, so they are filled alike
    (`_bare`). Filling may raise the energy, as a level rises by what its exchange with the emptied one was: the lowest
    end of all fillings counts. ``number`` of the start, ``label`` of the end (the start's name).
    """
    basis, options, monitor = run.basis, run.options, run.monitor
    name = label or options.start
    frames, fillings, cost = begin.frames, begin.fillings, 0
    ends: list[End] = []
    tried: list[tuple[Filling, ...]] = []
    levels: Sequence[Levels | None] | None = None
    for _ in range(REFILLS):
        tried.append(fillings)
        hamiltonian = run.hamiltonian(fillings)
        minimum = None
        large = basis.points * basis.cells >= COARSE_POINTS and min(basis.shape) >= COARSE_AXIS
        if large and hamiltonian.on_grid:
            rough = run.hamiltonian(fillings, basis.coarser())
            early = _minimise(run, rough, frames, number, cost, levels=levels)
            cost += early.evaluations
            if monitor.stopped is not None:
                return _end(run, name, number, early, hamiltonian, cost)
            near = tuple(np.asarray(x)[0] for x in early.frames)
            # aliasing may have led elsewhere: only what is nearly stationary on the exact grid is a better start
            minimum = _minimise(run, hamiltonian, near, number, cost, farthest=COARSE_RESIDUAL, levels=levels)
        if minimum is None or (minimum.stopped and monitor.stopped is None):
            done = [e.energy for e in ends if e.status is Status.converged and options.refill == "down"]
            known = min(done, default=np.inf)
            minimum = _minimise(run, hamiltonian, frames, number, cost, known=known, levels=levels)
            if minimum.stopped and monitor.stopped is None:
                cost += minimum.evaluations
                break  # this filling stays above one that is there
        cost += minimum.evaluations
        end = _end(run, name, number, minimum, hamiltonian, cost)
        if basis.real or end.status not in (Status.converged, Status.not_converged):
            return end
        if options.refill == "none" or (not options.spectrum and all(np.all(x.f == 1) for x in fillings)):
            return end  # an insulator keeps its filling
        plain = hamiltonian.on_numpy()
        end = replace(end, levels=tuple(crystal_levels(plain, end.frames, c) for c in range(len(fillings))))
        frames, fillings, settled = _refill(end, options)
        levels = end.levels
        ends.append(replace(end, aufbau=_refill(end, options, bare=False)[2]))
        again = any(all(_same(a, b) for a, b in zip(fillings, old, strict=True)) for old in tried)
        if settled or again or monitor.stopped is not None:
            break  # settled, or round in a circle
    return replace(lowest(ends), cost=cost)


def _minimise(run: Calculation, hamiltonian: Hamiltonian, frames: Frames, number: int, cost: int,
              farthest: float = np.inf, known: float = np.inf,
              levels: Sequence[Levels | None] | None = None) -> Minimum:
    """`minimize.minimise` with progress; stops at once if the first residual is larger than ``farthest``, and where the
    energy, falling as it does, stays above one that is ``known`` (Ha_h). ``levels`` are of a state nearby."""
    report = _callback(run, hamiltonian, number, cost)
    problem, begin = energy_problem(hamiltonian, frames, levels)
    last: deque[float] = deque(maxlen=LATELY + 1)

    def callback(iteration: int, energy: Any, residual: Any, x: Frames) -> bool:
        last.append(float(energy[0]))
        falls = last[0] - last[-1] if len(last) > LATELY else np.inf
        hopeless = last[-1] - MORE * falls > known
        return hopeless or (iteration == 0 and float(residual[0]) > farthest) or report(iteration, energy, residual, x)

    return minimise(problem, begin, residual=run.options.residual_target,
                    max_iterations=run.options.max_iterations, callback=callback)


def _callback(run: Calculation, hamiltonian: Hamiltonian, number: int,
              cost: int) -> Callable[[int, Any, Any, Frames], bool]:
    """Progress, checkpoint and stop of one minimisation."""

    def callback(iteration: int, energy: Any, residual: Any, x: Frames) -> bool:
        def end() -> End:
            here = Minimum(tuple(np.asarray(p) for p in x), np.asarray(energy), np.asarray(residual),
                           np.zeros(1, bool), iteration, iteration + 1, trace=[(float(energy[0]), float(residual[0]))])
            return End(run.options.start, run.options.seed + number, Status.interrupted, here, hamiltonian,
                       (None,) * len(x), True, cost + iteration + 1)

        run.monitor.keep(end)
        return run.monitor(iteration, float(energy[0]), float(residual[0]))

    return callback


def _end(run: Calculation, label: str, number: int, minimum: Minimum, hamiltonian: Hamiltonian, cost: int) -> End:
    plain = replace(minimum, frames=tuple(np.asarray(x) for x in minimum.frames))
    return End(label, run.options.seed + number, _status(plain, run.monitor), plain, hamiltonian,
               (None,) * len(plain.frames), True, cost)


def _status(minimum: Minimum, monitor: Monitor) -> Status:
    if not np.all(np.isfinite(minimum.energy)):
        return Status.not_finite
    if minimum.stopped and monitor.stopped is not None:
        return monitor.stopped
    return Status.converged if bool(minimum.converged.all()) else Status.not_converged


def _same(a: Filling, b: Filling) -> bool:
    return a.f.shape == b.f.shape and np.array_equal(a.blocks, b.blocks) and bool(np.abs(a.f - b.f).max() < 1e-9)


def _bare(end: End, channel: int) -> np.ndarray:
    """Fock levels (K, n) without the v(0) of a filled orbital with itself, which it keeps wherever it goes; Ha_h."""
    levels, setting = end.levels[channel], end.hamiltonian.setting
    assert levels is not None
    torus, parts = setting.tori[0], setting.channels[channel].components
    if len(parts) > 1:
        return levels.energy
    # e_p contains -f_p v(0), the exchange of p with itself
    return levels.energy + torus.zero_mode_element(parts[0], parts[0]) * levels.filled


def _refill(end: End, options: Options, *, bare: bool = True) -> tuple[Frames, tuple[Filling, ...], bool]:
    """Occupy the lowest levels. Returns frames and fillings to go on from, and whether nothing changed.

    Whole orbitals go to the lowest `_bare` levels, unless ``bare`` is false; shares of shells to the lowest Fock
    levels.
    """
    frames, fillings, same = [], [], True
    for c, levels in enumerate(end.levels):
        assert levels is not None and levels.vectors is not None
        energy = _bare(end, c) if bare and options.occupation == "integer" else levels.energy
        spread = energy[np.isfinite(energy)]
        width = 1e-6 * max(float(np.ptp(spread[:1000])), 1e-3) + 10 * float(end.minimum.residual[0])
        f = fill_levels(energy, end.hamiltonian.setting.channels[c].orbitals, options.occupation, width)
        # a tie at the Fermi level may be resolved either way: it counts as unchanged if no energy is gained
        moved = np.nansum(np.where(np.isfinite(energy), energy, 0.0) * (levels.filled - f))
        whole = np.all((levels.filled < 1e-9) | (levels.filled > 1 - 1e-9))
        if np.abs(f - levels.filled).max() < 1e-9 or (options.occupation == "integer" and whole and moved < width):
            frames.append(end.frames[c][0])
            fillings.append(end.hamiltonian.setting.fillings[c])
            continue
        same = False
        filling, chosen = pack(f)
        frames.append(np.array([levels.vectors[k][i] for k, i in zip(filling.blocks, chosen, strict=True)]))
        fillings.append(filling)
    return tuple(frames), tuple(fillings), same
