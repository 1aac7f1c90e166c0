"""The exciton condensate on the plane waves of a torus, with the particle number and zero mode of Hartree-Fock.

Steps: `TorusWaves` (both convolutions by one pair of Fourier transforms), `bogoliubov.minimise`, `basis_error` (the
same on more waves), `report`. Energies compare with Hartree-Fock's at equal box, waves, counts and zero mode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import at_edge, disk_waves
from ehbilayer.condensate.beyond import Plane, even_cutoff, left, level_cutoff, tail
from ehbilayer.condensate.bogoliubov import PairState, fill, minimise
from ehbilayer.condensate.pairs import exciton_wave_number
from ehbilayer.condensate.report import Gas, arrays, described
from ehbilayer.condensate.result import EnergyParts, TorusCondensateResult
from ehbilayer.errors import InputError
from ehbilayer.numerics.fourier import Fourier, good_size
from ehbilayer.numerics.lattice import Cell
from ehbilayer.numerics.memory import fits
from ehbilayer.results.base import Carriers, Result, Variable
from ehbilayer.status import Status
from ehbilayer.torus import SPIN_TREATMENTS, Species, Torus

GROWTH = 1.25  # of the largest wave number, from one basis to the next
MOST_WAVES = 200_000
SAME_SHELL = 1e-10  # of the largest kinetic energy: distance of waves within a shell
ENOUGH = 3  # bases that say how the sum of torus and plane still changes


class TorusWaves:
    """A `bogoliubov.WaveVectors` on a torus: plane waves of weight one.

    torus : its electrons, holes and their interactions. waves : integer wave vectors (M, 2) of its box.
    """

    def __init__(self, torus: Torus, waves: np.ndarray) -> None:
        electron, hole = carriers(torus)
        box, interaction = torus.box, torus.bilayer.interaction
        self.k = waves @ box.reciprocal
        kinetic = electron.kinetic(self.k), hole.kinetic(self.k)
        self.kinetic, self.difference = kinetic[0] + kinetic[1], (kinetic[0] - kinetic[1]) / 2
        self.weights = np.ones(len(waves))
        n1, n2 = (good_size(4 * int(r) + 1) for r in np.abs(waves).max(axis=0))  # no two differences alias
        i, j = np.meshgrid(np.fft.fftfreq(n1, 1 / n1), np.fft.fftfreq(n2, 1 / n2), indexing="ij")
        q = np.linalg.norm(np.stack([i, j], axis=-1) @ box.reciprocal, axis=-1)
        # V0 is exchange within the layers, which the holes' and the electrons' share; V1 is between them
        layers = [(electron.layer, electron.layer), (hole.layer, hole.layer), (electron.layer, hole.layer)]
        v = np.stack([interaction.v(q, a, b) for a, b in layers]) / box.area
        v[:, 0, 0] = [interaction.element(torus.zero_mode, box.vectors, a, b) for a, b in layers]
        v = np.stack([(v[0] + v[1]) / 2, v[2], (v[1] - v[0]) / 2])
        self._fourier = Fourier()
        transformed = self._fourier.r2c(v).real / (n1 * n2)  # v(q) = v(-q)
        self._v, self._apart = transformed[:2], transformed[2] if np.any(v[2]) else None
        self._put = (waves[:, 0] % n1) * n2 + waves[:, 1] % n2
        self._shape, self._space = (n1, n2), np.zeros((2, n1 * n2))

    def fields(self, occupation: np.ndarray, amplitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """X_k and D_k in Ha_h, see `bogoliubov.WaveVectors`."""
        self._space[0, self._put], self._space[1, self._put] = occupation, amplitude
        spectrum = self._fourier.r2c(self._space.reshape(2, *self._shape)) * self._v
        x, d = self._fourier.c2r(spectrum, self._shape[1]).reshape(2, -1)[:, self._put]
        return x, d

    def apart(self, occupation: np.ndarray) -> np.ndarray:
        """(X^h_k - X^e_k)/2 in Ha_h, see `bogoliubov.WaveVectors`."""
        if self._apart is None:
            return np.zeros_like(occupation)
        self._space[0, self._put], self._space[1] = occupation, 0.0
        spectrum = self._fourier.r2c(self._space.reshape(2, *self._shape)) * self._apart
        return np.asarray(self._fourier.c2r(spectrum, self._shape[1]).reshape(2, -1)[0, self._put])

    def pair_density(self, amplitude: np.ndarray) -> np.ndarray:
        """|F(r)|^2 on a grid of n1 x n2 points along the box vectors, summing to one."""
        self._space[0, self._put] = amplitude
        square = np.abs(np.fft.fft2(self._space[0].reshape(self._shape))) ** 2
        return square / square.sum()


def carriers(torus: Torus) -> tuple[Species, Species]:
    """The electrons and the holes. Raises InputError unless both are there, equal in count and in flavours."""
    present = [s for s in torus.species if s.count]
    found = [[s for s in present if s.charge == z] for z in (-1, 1)]
    if len(found[0]) != 1 or len(found[1]) != 1 or found[0][0].count != found[1][0].count:
        raise InputError("electrons_per_hole", "1 for a condensate: every electron has its hole",
                         {s.name: s.count for s in present}, "set it to 1")
    electron, hole = found[0][0], found[1][0]
    for s in (electron, hole):
        if s.spin not in SPIN_TREATMENTS and len(set(s.occupations)) > 1:
            raise InputError(f"{s.name}_spin", "equal numbers of pairs in all flavours of a condensate", s.spin,
                             "one flavour at a time, or let kind = \"phases\" put them together")
    if electron.occupied_flavours != hole.occupied_flavours:
        raise InputError("flavours", "equal for electrons and holes of a condensate",
                         {s.name: s.occupied_flavours for s in (electron, hole)},
                         "polarise both, or give both the same")
    return electron, hole


def memory(waves: np.ndarray) -> float:
    """Rough memory (bytes): some thirty arrays over the grid of all differences, on GROWTH times the wave numbers."""
    points = np.prod([4 * GROWTH * float(np.abs(waves[:, axis]).max()) + 1 for axis in (0, 1)])
    return 8 * 30 * float(points)


def make_gas(torus: Torus, waves: np.ndarray, pairs: float | None = None) -> Gas:
    """The pairs of a torus on these waves; ``pairs`` replaces their number (of all flavours)."""
    electron, hole = carriers(torus)
    kset = TorusWaves(torus, waves)
    charge = torus.bilayer.interaction.charging([(electron.layer, -1.0), (hole.layer, 1.0)], torus.area)
    charge = charge if torus.charged else 0.0
    return Gas(kset, kset.difference, electron.occupied_flavours, float(pairs or electron.count), charge)


def solve(torus: Torus, basis: PlaneWaveBasis, *, tolerance: float = 1e-8, initial: Angles | None = None,
          estimate: bool = True, should_stop: Callable[[], Status | None] | None = None) -> TorusCondensateResult:
    """The homogeneous condensate of N pairs on a torus.

    Parameters
    ----------
    torus : one species of electrons and one of holes with equal counts. Polarised species are one flavour, others
        form an equal condensate in each of their flavours.
    basis : box and waves; how it is sorted into blocks does not matter.
    tolerance : bound on the solver's error of the energy per pair (Ha_h).
    initial : angles to start from, those of an earlier result (`angles_of`).
    estimate : solve on GROWTH times the wave numbers, too, for `basis_error`.
    should_stop : asked every iteration; a Status ends the calculation there.

    Returns
    -------
    TorusCondensateResult.

    Raises
    ------
    InputError : unequal counts or flavours, fewer waves than pairs of a flavour.
    """
    gas = make_gas(torus, basis.waves)
    _check_room(gas, basis.size)
    target = residual_target(tolerance)
    state = lowest(gas, target, None if initial is None else initial.on(basis.waves), should_stop)
    error = basis_error(torus, basis.waves, gas, state, target, tolerance) if estimate else None
    return report(torus, basis, gas, state, tolerance, error)


def residual_target(tolerance: float) -> float:
    """Residual (Ha_h) at which a state is converged: the energy error, its square over the gap, is far smaller."""
    return max(1e-3 * float(np.sqrt(tolerance)), 1e-10)


def _check_room(gas: Gas, waves: int) -> None:
    if gas.pairs / gas.flavours >= waves:
        raise InputError("plane_waves", f"more than {gas.pairs / gas.flavours:g} waves, the pairs of one flavour",
                         waves, "enlarge the basis")


def lowest(gas: Gas, target: float, guess: np.ndarray | None = None,
           should_stop: Callable[[], Status | None] | None = None) -> PairState:
    """The state of a gas downhill from ``guess`` (angles), or from a smooth gap and a Fermi sea smeared by it."""
    def look(iteration: int, energy: float, residual: float) -> Status | None:
        return should_stop() if should_stop is not None else None

    kset, count = gas.kset, gas.pairs / gas.flavours
    edge = np.sort(kset.kinetic)[min(int(count) + 6, len(kset.kinetic) - 1)]
    if guess is None:
        start, _ = fill(kset.kinetic / 2, edge / (1 + kset.kinetic / edge), kset.weights, count)
    else:  # the same directions, brought to the number of pairs
        start, _ = fill(np.cos(2 * guess), np.sin(2 * guess), kset.weights, count)
    return minimise(kset, count, start, residual=target, look=look)


@dataclass(frozen=True, eq=False)
class Angles:
    """theta_k (M,) on integer waves (M, 2) of a torus: the state that a condensate starts from."""

    waves: np.ndarray
    theta: np.ndarray

    def on(self, waves: np.ndarray) -> np.ndarray:
        """Angles on other waves of the same lattice; new waves get a small one."""
        known = {(int(i), int(j)): a for (i, j), a in zip(self.waves, self.theta, strict=True)}
        small = max(1e-6, 0.5 * float(np.min(self.theta)))
        return np.array([known.get((int(i), int(j)), small) for i, j in waves])


def angles_of(result: Result | None) -> Angles | None:
    """The angles of an earlier result of a torus; None if it has none."""
    if result is None or "waves" not in result.data or "angle" not in result.data:
        return None
    return Angles(result.data["waves"].values, result.data["angle"].values)


def basis_error(torus: Torus, waves: np.ndarray, gas: Gas, state: PairState, target: float,
                tolerance: float) -> float:
    """By how much all further waves would lower the total energy (Ha_h).

    GROWTH times the wave numbers lower it by a part; the law of `beyond.tail` says by which. Where that is more than
    the tolerance per pair, the infinite plane says what waves beyond these still add (`beyond.Plane`).
    """
    box = torus.box
    longest = GROWTH * float(np.linalg.norm(waves @ box.reciprocal, axis=1).max())
    inside = {(int(i), int(j)) for i, j in waves}
    more = [w for w in disk_waves(box, longest) if (int(w[0]), int(w[1])) not in inside]
    wider = np.concatenate([waves, np.array(more, dtype=int).reshape(-1, 2)])
    larger = make_gas(torus, wider, gas.pairs)
    energies = [gas.energy(state), larger.energy(lowest(larger, target, Angles(waves, state.angle).on(wider)))]
    cutoffs = [even_cutoff(torus, len(w)) for w in (waves, wider)]
    tails = [tail(torus, k) for k in cutoffs]
    found = energies[0] - energies[1] + left(energies, tails)
    plane = Plane.of(torus, gas.flavours, tolerance) if found > tolerance * gas.pairs else None
    beyond = [] if plane is None else [plane.beyond(k) for k in cutoffs]
    if len(beyond) < 2 or beyond[0] is None or beyond[1] is None:
        return found
    whole = [e + gas.pairs * b for e, b in zip(energies, beyond, strict=True) if b is not None]
    return energies[0] - whole[1] + left(whole, tails)


def solve_to_tolerance(torus: Torus, *, tolerance: float = 1e-6,
                       should_stop: Callable[[], Status | None] | None = None) -> TorusCondensateResult:
    """`solve` on growing disks of waves until the energy per pair is known to the tolerance (Ha_h).

    What all further waves would add follows from the last changes (`beyond.left`). Where it is more than the tolerance
    the infinite plane supplies it (`beyond.Plane`), and what counts is by how much the sum still changes.
    ``basis_error`` is what is left either way; not_converged where it is too large with MOST_WAVES or
    with as many as there is memory for.
    """
    cutoff = first_cutoff(torus)
    plane: Plane | None = None
    result: TorusCondensateResult | None = None
    energies: list[float] = []
    cutoffs: list[float] = []
    levels: list[float] = []
    while True:
        basis = PlaneWaveBasis(torus.box, disk_waves(torus.box, cutoff), real=True)
        result = solve(torus, basis, tolerance=tolerance, initial=angles_of(result), estimate=False,
                       should_stop=should_stop)
        energies.append(result.energy_per_pair)
        cutoffs.append(even_cutoff(torus, basis.size))
        levels.append(level_cutoff(torus, basis.waves))
        error, completed = left(energies, [tail(torus, k) for k in cutoffs]), False
        if error >= tolerance and len(energies) >= ENOUGH:
            plane = plane or Plane.of(torus, result.flavours, tolerance)
            error, completed = _with_plane(torus, energies[-ENOUGH:], cutoffs[-ENOUGH:], plane, error)
        cutoff *= GROWTH
        full = cutoff**2 * torus.area / (4 * np.pi) > MOST_WAVES or not fits(memory(basis.waves))
        if result.status is not Status.converged or error < tolerance or full:
            break
    if completed and plane is not None:
        if error >= tolerance:  # what shells at the edge do by chance is all that is left
            better, _ = _with_plane(torus, energies[-ENOUGH:], levels[-ENOUGH:], plane, error)
            error, cutoffs = (better, levels) if better < error else (error, cutoffs)
        result = plane.complete(result, cutoffs[-1])
    enough = error < tolerance or result.status is not Status.converged
    return replace(result, basis_error=error * result.density * torus.area if np.isfinite(error) else None,
                   status=result.status if enough else Status.not_converged)


def first_cutoff(torus: Torus) -> float:
    """Where growing disks begin (1/a_h): twice k_F and two over the size of an exciton, or less."""
    electron, _ = carriers(torus)
    fermi = np.sqrt(4 * np.pi * electron.count / electron.occupied_flavours / torus.area)
    # so many bases fit in, and one or two more where they are not enough
    most = np.sqrt(4 * np.pi * MOST_WAVES / 2 / torus.area) / GROWTH ** (ENOUGH + 1)
    return float(min(2 * fermi + 2 * exciton_wave_number(torus.bilayer), max(most, 1.5 * fermi)))


def _with_plane(torus: Torus, energies: list[float], cutoffs: list[float], plane: Plane | None,
                bare: float) -> tuple[float, bool]:
    """The error per pair with the plane's energy of further waves, and True, where that is less than ``bare``."""
    beyond = [None if plane is None else plane.beyond(k) for k in cutoffs]
    whole = [e + b for e, b in zip(energies, beyond, strict=True) if b is not None]
    if len(whole) < len(energies):
        return bare, False
    error = left(whole, [tail(torus, k) for k in cutoffs])
    return min(error, bare), error < bare


@dataclass(frozen=True, eq=False)
class _Sea:
    """The normal state: the lowest waves filled, a degenerate shell equally."""

    occupation: np.ndarray

    @classmethod
    def of(cls, kinetic: np.ndarray, count: float) -> _Sea:
        order = np.argsort(kinetic, kind="stable")
        # waves of a shell agree to rounding only; digits that are cut off could split it
        apart = np.diff(kinetic[order]) > SAME_SHELL * (np.max(kinetic) + 1e-300)
        shell = np.empty(len(kinetic), dtype=int)
        shell[order] = np.concatenate([[0], np.cumsum(apart)])
        size = np.bincount(shell)
        filled = np.clip((count - np.concatenate([[0], np.cumsum(size)[:-1]])) / size, 0, 1)
        return cls(filled[shell])


def normal_energy(gas: Gas) -> float:
    """Total energy (Ha_h) of the normal state on the same waves, every shell filled equally."""
    n = _Sea.of(gas.kset.kinetic, gas.pairs / gas.flavours).occupation
    exchange, _ = gas.kset.fields(n, np.zeros_like(n))
    return gas.flavours * float(n @ (gas.kset.kinetic - exchange)) + gas.capacitor * gas.pairs**2


def pair_size(gas: Gas, amplitude: np.ndarray, box: Cell) -> float:
    """Root of the mean squared in-plane distance in a pair, nearest images, a_h."""
    assert isinstance(gas.kset, TorusWaves)
    density = gas.kset.pair_density(amplitude)
    n1, n2 = density.shape
    i, j = np.meshgrid(np.arange(n1) / n1, np.arange(n2) / n2, indexing="ij")
    images = [np.stack([i + a, j + b], axis=-1) @ box.vectors for a in (-1, 0, 1) for b in (-1, 0, 1)]
    square = np.min([np.sum(r**2, axis=-1) for r in images], axis=0)
    return float(np.sqrt(np.sum(density * square)))


def _edge_occupation(waves: np.ndarray, occupation: np.ndarray) -> float:
    return float(np.max(occupation[at_edge(waves)]))


def report(torus: Torus, basis: PlaneWaveBasis, gas: Gas, state: PairState, tolerance: float,
           error: float | None) -> TorusCondensateResult:
    """The result of a state: total energies, energies per pair, arrays over the waves."""
    box, kset, pairs = basis.box, gas.kset, gas.pairs
    assert isinstance(kset, TorusWaves)
    said = described(gas, state)
    energy, normal, parts = gas.energy(state), normal_energy(gas), said["energy_parts_per_pair"]
    variance = 2 / np.sqrt(3) * box.area * gas.flavours * float(state.occupation @ np.sum(kset.k**2, axis=1))
    gap = said["pair_breaking_energy"]
    data = {"waves": Variable(("wave", "axis"), basis.waves, "1", "integer wave vectors of the box"),
            "wave_vector": Variable(("wave", "axis"), kset.k, "1/a_h", "wave vectors")}
    electron, hole = carriers(torus)
    inputs = {"box": box.vectors.tolist(), "spacing": torus.bilayer.spacing, "capacitor": torus.capacitor,
              "zero_mode": torus.zero_mode, "interaction": torus.bilayer.interaction.parameters, "tolerance": tolerance,
              "species": [{"name": s.name, "mass": s.mass, "count": s.count, "layer": s.layer,
                           "flavours": s.occupied_flavours} for s in (electron, hole)]}
    return TorusCondensateResult(
        status=state.status, **said, total_energy=energy,
        energy_parts=EnergyParts(**{name: value * pairs for name, value in vars(parts).items()}),
        normal_energy=normal, normal_energy_per_pair=normal / pairs, condensation_energy=(energy - normal) / pairs,
        density=pairs / box.area, area=box.area, particles=Carriers({s.name: s.count for s in torus.species}),
        zero_mode=torus.zero_mode, gap=Carriers({"electron": gap, "hole": gap}), basis_size=basis.size,
        basis_error=error, solver_error=pairs * (state.residual**2 / max(gap, 1e-12) + 1e-14),
        residual_target=residual_target(tolerance), edge_occupation=_edge_occupation(basis.waves, state.occupation),
        momentum_variance=Carriers({"electron": variance, "hole": variance}),
        pair_size=pair_size(gas, state.amplitude, box) if said["phase"] == "condensate" else None,
        inputs=inputs, data=data | arrays(gas, state, "wave"))
