"""Hartree-Fock of any list of species on a torus: guess, minimise, fill, and report every start.

The energy of one Slater determinant per channel is minimised directly (Dai & Fu, PRL 132, 196202 (2024), minimise the
same functional). Steps: `kept_basis` (which symmetry is held), `guesses.guess`, `minimize.minimise`, `_refill`
(occupations of a metal), `stability` (what kind of stationary state), `observables.report`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.guesses import Guess, guess, stirred
from ehbilayer.hartree_fock.occupations import fill_levels, pack
from ehbilayer.hartree_fock.spectrum import Levels, crystal_levels
from ehbilayer.hartree_fock.transfer import match_waves, place
from ehbilayer.model import Bilayer
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.numerics.minimize import Frames, Minimum, minimise
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.terms import Filling, Setting

KEPT = ("none", "translations", "crystal")
RULES = ("integer", "shell")
STABILITY = ("none", "auto", "full")
CHECKPOINT_SECONDS = 20.0
COARSE_POINTS, COARSE_AXIS = 2000, 14  # states on finer grids than this converge on a coarser one first
COARSE_RESIDUAL = 1e-4
NOISE = 0.3  # relative amplitude added to the starts after the first
STOPPED_WAVES = 3000  # a calculation that was stopped leaves out the spectrum of larger bases
REFILLS = 8  # rounds of re-occupation before a metal's filling is declared undecided


@dataclass(frozen=True)
class Options:
    """How a Hartree-Fock calculation is run.

    start : phase name, ``"random"``, or ``"path"`` with ``initial`` given to `solve`.
    spin_order : ``uniform``, ``stripe`` or ``random`` placement of flavours on sites.
    starts, seed : number of starts; the first is the clean guess, further ones carry seeded noise.
    keep : symmetry held: ``none`` (that of the basis), ``translations`` (uniform), ``crystal`` (one site per cell).
    follow : leave a saddle along its lowest mode and minimise again, in the free box.
    occupation : ``integer``, or ``shell`` (a degenerate shell is filled equally).
    tolerance : bound on the solver's energy error per particle (Ha_h); see `residual_target`.
    stability : ``none``, ``auto`` (where it costs no more than a few seconds) or ``full``.
    basis_tolerance : enlarge the basis until the energy per particle changes by less than this (Ha_h); None keeps it.
    spectrum : compute levels, gaps, bands and densities of the final state.
    """

    start: str = "crystal"
    spin_order: str = "uniform"
    starts: int = 1
    seed: int = 0
    keep: str = "none"
    follow: bool = False
    occupation: str = "integer"
    tolerance: float = 1e-8
    max_iterations: int = 2000
    stability: str = "auto"
    basis_tolerance: float | None = None
    spectrum: bool = True

    def __post_init__(self) -> None:
        for name, allowed in (("keep", KEPT), ("occupation", RULES), ("stability", STABILITY),
                              ("spin_order", ("uniform", "stripe", "random"))):
            if getattr(self, name) not in allowed:
                raise InputError(f"hartree-fock.{name}", " | ".join(allowed), getattr(self, name), "choose one")
        if not 1e-14 <= self.tolerance < 1:
            raise InputError("hartree-fock.tolerance", "an energy (Ha_h) between 1e-14 and 1", self.tolerance,
                             "1e-8 is the default")
        for name in ("starts", "max_iterations"):
            if getattr(self, name) < 1:
                raise InputError(f"hartree-fock.{name}", "an integer >= 1", getattr(self, name), "choose a larger one")

    @property
    def residual_target(self) -> float:
        """Largest allowed norm of (1 - P) F psi (Ha_h): 1e-3 sqrt(tolerance), so that the energy error, which is
        residual^2 / gap, stays far below the tolerance and gaps, which are linear in it, are good as well."""
        return max(1e-3 * float(np.sqrt(self.tolerance)), 5e-10)


@dataclass
class End:
    """Where one start ended."""

    label: str
    seed: int
    status: Status
    minimum: Minimum
    hamiltonian: Hamiltonian
    levels: tuple[Levels | None, ...]
    aufbau: bool
    cost: int  # Fock builds
    stability: dict[str, Any] = field(default_factory=dict)
    downhill: Any = None  # stability.Probe of a mode that leads down

    @property
    def energy(self) -> float:
        return float(self.minimum.energy[0])

    @property
    def frames(self) -> Frames:
        return self.minimum.frames


def kept_basis(bilayer: Bilayer, basis: PlaneWaveBasis, keep: str) -> PlaneWaveBasis:
    """The basis whose blocks enforce the kept symmetry: one wave per block for translations, one site per cell for
    a crystal, the basis as it is for none."""
    if keep == "crystal" and basis.cells == 1:
        return basis.with_supercell(crystal_cell(basis.box, bilayer.sites))
    if keep == "translations":
        # a uniform state needs the occupied waves and a few empty shells: wave vectors up to twice the largest k_F
        most = max(c.orbitals for c in bilayer.channels)
        length = np.linalg.norm(basis.waves @ basis.box.reciprocal, axis=1) * np.sqrt(basis.box.area)
        waves = basis.waves[length <= 2 * np.sqrt(4 * np.pi * most) + 1e-9]
        reach = 2 * np.abs(waves).max(axis=0) + 1
        return PlaneWaveBasis(basis.box, waves, np.diag(reach), real=False)
    return basis


def solve(bilayer: Bilayer, basis: PlaneWaveBasis, options: Options, *, initial: Result | None = None,
          resumed: bool = False, backend: str = "numpy", threads: int = 2,
          progress: Callable[[dict], None] | None = None, checkpoint: Callable[[Result], None] | None = None,
          should_stop: Callable[[], Status | None] | None = None) -> Result:
    """Minimise the Hartree-Fock energy from every start and report the lowest state.

    Parameters
    ----------
    bilayer, basis : the physics and its discretisation.
    options : see `Options`.
    initial : a result to start from (other parameters are fine, box shape and particle counts must match).
    resumed : ``initial`` is an unfinished result of this very calculation: its finished starts are not run again.
    backend, threads : ``numpy`` or ``jax``; threads share the pair densities on NumPy.
    progress : called with start, starts, iteration, energy, energy_per_particle, residual, target.
    checkpoint : called now and then with a Result of status interrupted.
    should_stop : asked every iteration; a Status ends the calculation there, with the state kept.

    Returns
    -------
    Result of kind ``hartree-fock``. It never raises for lack of convergence: the status says so.

    Raises
    ------
    InputError : a basis too small for the particles, an unknown start, an initial result that does not fit.
    """
    from threadpoolctl import threadpool_limits

    from ehbilayer.hartree_fock.observables import report
    from ehbilayer.hartree_fock.stability import judge

    if options.basis_tolerance is not None:
        from ehbilayer.hartree_fock.cutoff import solve_to_tolerance

        return solve_to_tolerance(bilayer, basis, options, initial=initial, resumed=resumed, backend=backend,
                                  threads=threads, progress=progress, checkpoint=checkpoint, should_stop=should_stop)
    work = kept_basis(bilayer, basis, options.keep)
    for channel in bilayer.channels:
        if channel.orbitals > work.size:
            raise InputError("cell.plane_waves", f"at least {channel.orbitals} waves (one per {channel.label} orbital)",
                             work.size, "enlarge the basis")
    fourier = Fourier(backend, threads)
    done = _finished_starts(initial) if resumed and initial is not None else []
    monitor = Monitor(bilayer, options, progress, should_stop)
    ends: list[End] = []
    if checkpoint is not None:
        monitor.save = lambda end: checkpoint(report(bilayer, [*ends, end], options, prior=done, quick=True))
    with threadpool_limits(1):  # BLAS threads on batches of small matrices only get in each other's way
        _run_starts(bilayer, work, options, fourier, monitor, initial, done, ends)
        best = min(ends, key=lambda e: (e.status is not Status.converged, e.energy))
        stopped = monitor.stopped
        if stopped is None and best.status is Status.converged:
            best = judge(bilayer, ends, best, options, fourier, monitor)
        hurry = stopped is not None and work.size > STOPPED_WAVES
        result = report(bilayer, ends, options, best=best, prior=done, quick=hurry)
    return result if stopped is None else replace(result, status=stopped)


def _run_starts(bilayer: Bilayer, basis: PlaneWaveBasis, options: Options, fourier: Fourier, monitor: Monitor,
                initial: Result | None, done: list[dict], ends: list[End]) -> None:
    """Converge every start that is not done into ``ends``; where some are, their best state is evaluated first."""
    seeds = {row["seed"] for row in done}
    if done:
        assert initial is not None
        ends.append(converge(bilayer, basis, from_result(bilayer, basis, initial, options), options, fourier, monitor))
    for number in range(options.starts):
        if options.seed + number in seeds:
            continue
        monitor.start = number + 1
        begin = _begin(bilayer, basis, options, number, None if done else initial)
        ends.append(converge(bilayer, basis, begin, options, fourier, monitor, number))
        if monitor.stopped is not None:
            return


def _finished_starts(initial: Result) -> list[dict]:
    """The rows of the starts that an unfinished calculation had finished."""
    if initial.inputs.get("options", {}).get("starts", 1) == 1:
        return []
    return [row for row in initial.summary["starts"] if row["status"] == Status.converged]


class Monitor:
    """Progress, stopping and checkpoints of one `solve`."""

    def __init__(self, bilayer: Bilayer, options: Options, progress: Callable[[dict], None] | None,
                 should_stop: Callable[[], Status | None] | None) -> None:
        self._particles, self._options = bilayer.particles, options
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


def _begin(bilayer: Bilayer, basis: PlaneWaveBasis, options: Options, number: int, initial: Result | None) -> Guess:
    """The guess of start ``number``: the result or phase itself first, then with noise of the seed + number."""
    seed, noise = options.seed + number, NOISE if number else 0.0
    if initial is not None and (number == 0 or options.start == "path"):
        begin = from_result(bilayer, basis, initial, options)
        return stirred(bilayer, basis, begin, noise, seed) if noise else begin
    start = "crystal" if options.start == "path" else options.start
    return guess(bilayer, basis, start, spin_order=options.spin_order, occupation=options.occupation, seed=seed,
                 noise=noise)


def from_result(bilayer: Bilayer, basis: PlaneWaveBasis, result: Result, options: Options) -> Guess:
    """Orbitals of an earlier result on this basis; a channel it lacks takes those of another flavour of its species.

    Raises InputError if species or counts differ, the box has another shape, or whole orbitals are asked of a state
    with a shell filled equally (in a free box, where nothing fills it anew).
    """
    old = np.array(result.inputs["box"])
    if not np.allclose(old / np.sqrt(abs(np.linalg.det(old))), basis.box.vectors / np.sqrt(basis.box.area), atol=1e-6):
        raise InputError("hartree-fock.start", "a result of a box of this shape", old.tolist(),
                         "use the same [cell], or start from a phase name")
    frames, fillings = [], []
    waves = result.data["waves"].values
    for channel in bilayer.channels:
        names = [channel.label, bilayer.species[channel.species].name]
        labels = [x["label"] for x in result.inputs["channels"]]
        found = [i for name in names for i, x in enumerate(labels) if x == name or x.startswith(name + " ")]
        f = result.data[f"occupations_{found[0]}"].values if found else np.zeros(0)
        if abs(f.sum() - channel.orbitals) > 1e-6:
            raise InputError("hartree-fock.start", f"a result with {channel.orbitals} {channel.label} orbitals",
                             f"{f.sum():g} of them, in channels {labels}", "start from a phase name instead")
        if basis.real and options.occupation == "integer" and np.any((f > 0) & (f < 1)):
            raise InputError("hartree-fock.start", "a state of whole orbitals where occupation = integer",
                             "one with a shell filled equally", 'use occupation = "shell", or start from a phase name')
        amplitudes = match_waves(result.data[f"orbitals_{found[0]}"].values, waves, basis.waves)
        x, filling = place(basis, amplitudes, f)
        frames.append(x)
        fillings.append(filling)
    return Guess(tuple(frames), tuple(fillings))


def build(bilayer: Bilayer, basis: PlaneWaveBasis, fillings: tuple[Filling, ...], fourier: Fourier) -> Hamiltonian:
    """The Hamiltonian of one parameter point."""
    return Hamiltonian(Setting(basis, fourier, [bilayer], np.array([basis.box.area]), fillings))


def converge(bilayer: Bilayer, basis: PlaneWaveBasis, begin: Guess, options: Options, fourier: Fourier,
             monitor: Monitor, number: int = 0) -> End:
    """Minimise at fixed occupations; in a crystal fill the lowest Fock levels anew until they are the filled ones."""
    frames, fillings, cost, aufbau = begin.frames, begin.fillings, 0, True
    best: End | None = None
    tried: list[tuple[Filling, ...]] = []
    for _ in range(REFILLS):
        tried.append(fillings)
        hamiltonian = build(bilayer, basis, fillings, fourier)
        minimum = None
        if basis.points * basis.cells >= COARSE_POINTS and min(basis.shape) >= COARSE_AXIS:
            rough = build(bilayer, basis.coarser(), fillings, fourier)
            early = _minimise(rough, frames, options, monitor, number, cost)
            cost += early.evaluations
            if monitor.stopped is not None:
                return _end(options, number, early, hamiltonian, monitor, cost)
            near = tuple(np.asarray(x)[0] for x in early.frames)
            # aliasing may have led elsewhere: only what is nearly stationary on the exact grid is a better start
            minimum = _minimise(hamiltonian, near, options, monitor, number, cost, farthest=COARSE_RESIDUAL)
        if minimum is None or (minimum.stopped and monitor.stopped is None):
            minimum = _minimise(hamiltonian, frames, options, monitor, number, cost)
        cost += minimum.evaluations
        end = _end(options, number, minimum, hamiltonian, monitor, cost)
        if basis.real or end.status not in (Status.converged, Status.not_converged):
            return end
        if not options.spectrum and all(np.all(x.f == 1) for x in fillings):
            return end  # an insulator keeps its filling
        plain = hamiltonian.on_numpy()
        end.levels = tuple(crystal_levels(plain, end.frames, c) for c in range(len(fillings)))
        frames, fillings, aufbau = _refill(bilayer, end, options)
        end.aufbau = aufbau
        if best is None or end.energy < best.energy:
            best = end
        if aufbau or monitor.stopped is not None:
            return end
        if any(all(_same(a, b) for a, b in zip(fillings, old, strict=True)) for old in tried):
            break  # fillings go round in a circle: keep the best
    assert best is not None
    return replace(best, cost=cost)


def _minimise(hamiltonian: Hamiltonian, frames: Frames, options: Options, monitor: Monitor, number: int,
              cost: int, farthest: float = np.inf) -> Minimum:
    """`minimize.minimise` with progress; stops at once if the first residual is larger than ``farthest``."""
    xp, report = hamiltonian.setting.fourier.xp, _callback(options, hamiltonian, monitor, number, cost)

    def callback(iteration: int, energy: Any, residual: Any, x: Frames) -> bool:
        return (iteration == 0 and float(residual[0]) > farthest) or report(iteration, energy, residual, x)

    return minimise(EnergyProblem(hamiltonian), tuple(xp.asarray(x)[None] for x in frames),
                    residual=options.residual_target, max_iterations=options.max_iterations, callback=callback)


def _callback(options: Options, hamiltonian: Hamiltonian, monitor: Monitor, number: int,
              cost: int) -> Callable[[int, Any, Any, Frames], bool]:
    """Progress, checkpoint and stop of one minimisation."""

    def callback(iteration: int, energy: Any, residual: Any, x: Frames) -> bool:
        def end() -> End:
            here = Minimum(tuple(np.asarray(p) for p in x), np.asarray(energy), np.asarray(residual),
                           np.zeros(1, bool), iteration, iteration + 1, trace=[(float(energy[0]), float(residual[0]))])
            return End(options.start, options.seed + number, Status.interrupted, here, hamiltonian,
                       (None,) * len(x), True, cost + iteration + 1)

        monitor.keep(end)
        return monitor(iteration, float(energy[0]), float(residual[0]))

    return callback


def _end(options: Options, number: int, minimum: Minimum, hamiltonian: Hamiltonian, monitor: Monitor,
         cost: int) -> End:
    minimum.frames = tuple(np.asarray(x) for x in minimum.frames)
    return End(options.start, options.seed + number, _status(minimum, monitor), minimum, hamiltonian,
               (None,) * len(minimum.frames), True, cost)


def _status(minimum: Minimum, monitor: Monitor) -> Status:
    if not np.all(np.isfinite(minimum.energy)):
        return Status.not_finite
    if minimum.stopped and monitor.stopped is not None:
        return monitor.stopped
    return Status.converged if bool(minimum.converged.all()) else Status.not_converged


def _same(a: Filling, b: Filling) -> bool:
    return a.f.shape == b.f.shape and np.array_equal(a.blocks, b.blocks) and bool(np.abs(a.f - b.f).max() < 1e-9)


def _refill(bilayer: Bilayer, end: End, options: Options) -> tuple[Frames, tuple[Filling, ...], bool]:
    """Occupy the lowest Fock levels. Returns frames and fillings to go on from, and whether nothing changed."""
    frames, fillings, same = [], [], True
    for c, levels in enumerate(end.levels):
        assert levels is not None and levels.vectors is not None
        spread = levels.energy[np.isfinite(levels.energy)]
        width = 1e-6 * max(float(np.ptp(spread[:1000])), 1e-3) + 10 * float(end.minimum.residual[0])
        f = fill_levels(levels.energy, bilayer.channels[c].orbitals, options.occupation, width)
        # a tie at the Fermi level may be resolved either way: it counts as unchanged if no energy is gained
        moved = np.nansum(np.where(np.isfinite(levels.energy), levels.energy, 0.0) * (levels.filled - f))
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
