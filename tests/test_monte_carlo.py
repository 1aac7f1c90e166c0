"""The engine of Monte Carlo: potential, trial functions, moves, errors; exact answers and finite differences."""

import itertools
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ehbilayer import Bilayer, InputError, Status, Torus, condensate, hartree_fock, monte_carlo
from ehbilayer.interaction.lattice_sums.potential import madelung_potential, potential
from ehbilayer.monte_carlo import calculation
from ehbilayer.monte_carlo.backflow import accept, rebuild, workspace
from ehbilayer.monte_carlo.cached import evaluate_cached
from ehbilayer.monte_carlo.determinants import WAVES, invert
from ehbilayer.monte_carlo.diffusion import branch
from ehbilayer.monte_carlo.factors import Factor
from ehbilayer.monte_carlo.jastrow import coefficients_of, cusp, pair_function
from ehbilayer.monte_carlo.kernels import at, local_energy
from ehbilayer.monte_carlo.orbitals import closed_shells
from ehbilayer.monte_carlo.pair_potential import box_of, make_potential, nearest, pair_potential
from ehbilayer.monte_carlo.pairs import PairFunction
from ehbilayer.monte_carlo.statistics import reblock
from ehbilayer.monte_carlo.trial import Trial, make_trial
from ehbilayer.monte_carlo.walk import Walkers, local_energies
from ehbilayer.numerics.lattice import Cell, box_of_shape

HOLES = Bilayer.of(rs_hole=5, electrons_per_hole=0)
PAIRS = Bilayer.of(spacing=1.0, rs_hole=4, electron_mass=0.5, hole_mass=1.0)
SHEARED = np.array([[1.0, 0.1], [2.3, 0.9]])


def torus(bilayer: Bilayer, holes: int, spin: str = "polarized", **more: str) -> Torus:
    return Torus(bilayer, holes=holes, zero_mode="madelung", electron_spin=spin, hole_spin=spin, **more)


def trials() -> list[Trial]:
    return [make_trial(torus(HOLES, 10, "restricted", shape="square"), "liquid"),
            make_trial(torus(HOLES, 7), "crystal"), make_trial(torus(PAIRS, 7), "hole-crystal"),
            make_trial(torus(PAIRS, 7), "condensate"), make_trial(torus(PAIRS, 10, "restricted", shape="square"),
                                                                  "condensate", 4),
            make_trial(torus(Bilayer.of(spacing=1.0, rs_hole=4, electron_mass=0.5, hole_mass=1.0,
                                        electrons_per_hole=8 / 7), 7), "condensate")]


TRIALS = trials()
NAMES = [f"{t.name}-{t.particles}" for t in TRIALS]


# -- the potential --


@pytest.mark.parametrize("shape", ["triangular", "square", "rectangular", SHEARED])
@pytest.mark.parametrize("distance", [0.0, 0.02, 1.0, 7.0])
def test_the_potential_is_that_of_the_lattice_sums(shape: str | np.ndarray, distance: float) -> None:
    cell = box_of_shape(shape, 100.0)
    box = box_of(cell)
    table = make_potential(box, [distance])
    points = np.random.default_rng(0).random((200, 2)) * 3 @ cell.vectors
    ours = [pair_potential(box, table, 0, *nearest(box, *r)) for r in points]
    np.testing.assert_allclose(ours, potential(cell.vectors, points, distance), atol=1e-7)


def test_the_potential_has_the_known_values() -> None:
    box = box_of(box_of_shape("triangular", 100.0))
    table = make_potential(box, [0.0, 1.0])
    r = np.array([0.25, 0.15]) @ box_of_shape("triangular", 100.0).vectors
    # a unit charge at these fractions of the triangular cell, zero average, from independent sums
    for which, known in ((0, -0.0936436228), (1, -0.0450381714)):
        assert pair_potential(box, table, which, *nearest(box, *r)) == pytest.approx(known, abs=2e-8)


@pytest.mark.parametrize("shape", ["triangular", "square", "rectangular", SHEARED])
def test_the_nearest_image_is_the_nearest(shape: str | np.ndarray) -> None:
    cell = box_of_shape(shape, 1.0)
    box = box_of(cell)
    near = np.stack(np.meshgrid(range(-9, 10), range(-9, 10)), axis=-1).reshape(-1, 2) @ box.cell
    for r in np.random.default_rng(1).random((100, 2)) @ cell.vectors:
        assert np.hypot(*nearest(box, *r)) == pytest.approx(np.linalg.norm(r + near, axis=1).min(), abs=1e-12)


# -- the trial functions --


def log_psi(trial: Trial, parameters: np.ndarray, walker: np.ndarray) -> tuple[float, float]:
    """ln|psi| and kinetic energy."""
    psi = trial.psi(parameters)
    work, line, _ = workspace(psi)
    kinetic, _, log = local_energy(psi, walker, work, line)
    return log, kinetic


def differences(function: Callable[[np.ndarray], Any], centre: Any, walker: np.ndarray, place: tuple[int, int],
                h: float) -> tuple[Any, Any]:
    """First and second derivative of a function of a walker, ``centre`` there, by a coordinate (particle, axis)."""
    f = []
    for step in (-2, -1, 1, 2):
        moved = walker.copy()
        moved[place] += step * h
        f.append(function(moved))
    # of fourth order in h
    slope = (8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * h)
    return slope, (16 * (f[1] + f[2]) - f[0] - f[3] - 30 * centre) / (12 * h * h)


@pytest.mark.parametrize("trial", TRIALS, ids=NAMES)
def test_gradient_and_laplacian_are_those_of_differences(trial: Trial) -> None:
    random = np.random.default_rng(3)
    walker, parameters, h = trial.positions(1, random)[0], trial.start(), 2e-3
    psi = trial.psi(parameters)
    work, line, _ = workspace(psi)
    rebuild(psi, walker, work, line)
    gradients = [at(psi, walker, work, line, i, *walker[i])[2:] for i in range(trial.particles)]
    centre, kinetic = log_psi(trial, parameters, walker)
    expected = 0.0
    for i in range(trial.particles):
        for axis in range(2):
            slope, curve = differences(lambda r: log_psi(trial, parameters, r)[0], centre, walker, (i, axis), h)
            assert gradients[i][axis] == pytest.approx(slope, rel=2e-4, abs=2e-4)
            # -(1/2m)(d^2 ln psi + (d ln psi)^2)
            expected -= (curve + slope**2) / (2 * trial.charges.mass[i])
    assert abs(expected) > 1e-3
    assert kinetic == pytest.approx(expected, rel=5e-3, abs=5e-3)


@pytest.mark.parametrize("trial", TRIALS, ids=NAMES)
def test_a_move_changes_the_determinant_by_its_ratio(trial: Trial) -> None:
    random = np.random.default_rng(4)
    walker, psi = trial.positions(1, random)[0], trial.psi(trial.start())
    work, line, change = workspace(psi)
    log, sign = rebuild(psi, walker, work, line)
    for i in random.permutation(trial.particles):
        x, y = walker[i] + 0.3 * random.standard_normal(2)
        ratio = at(psi, walker, work, line, i, x, y)[0]
        accept(psi, work, line, i, ratio, change)
        walker[i] = x, y
        log, sign = log + np.log(abs(ratio)), sign * np.sign(ratio)
    anew, _, _ = workspace(psi)
    assert rebuild(psi, walker, anew, line) == pytest.approx((log, sign), abs=1e-8)
    np.testing.assert_allclose(work.inverses, anew.inverses, rtol=1e-6, atol=1e-6 * abs(anew.inverses).max())


@pytest.mark.parametrize("trial", TRIALS, ids=NAMES)
def test_the_energy_of_a_sweep_is_that_of_inverses_made_anew(trial: Trial) -> None:
    psi, walkers = trial.psi(trial.start()), Walkers.of(trial, 20, np.random.default_rng(12))
    for _ in range(5):
        walkers.step(psi, 0.1, False)
    np.testing.assert_allclose(walkers.local, local_energies(psi, walkers.positions)[0], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("trial", TRIALS, ids=NAMES)
def test_tables_of_a_walker_change_nothing(trial: Trial) -> None:
    """The walk that keeps orbitals and pairs in tables, and the formulas one by one, whose derivatives are checked."""
    psi, walkers, found = trial.psi(trial.start()), trial.positions(3, np.random.default_rng(13)), np.empty((3, 3))
    work, line, _ = workspace(psi)
    evaluate_cached(psi, walkers, found)
    for walker, ours in zip(walkers, found, strict=True):
        assert ours == pytest.approx(local_energy(psi, walker, work, line), rel=1e-9, abs=1e-9)


def test_the_inverse_is_that_of_numpy() -> None:
    m = np.random.default_rng(5).standard_normal((9, 9))
    found = m.copy()
    log, sign = invert(found, 9)
    assert (sign, log) == pytest.approx(np.linalg.slogdet(m))
    np.testing.assert_allclose(found @ m, np.eye(9), atol=1e-12)


def test_cusps_are_exact() -> None:
    assert cusp(1.0, 1.0, 1.0, False, 0.0) == 1.0  # unlike spins, equal masses: 2 mu = 1
    assert cusp(1.0, 1.0, 1.0, True, 0.0) == pytest.approx(1 / 3)
    assert cusp(0.5, 1.0, -1.0, False, 0.0) == pytest.approx(-2 / 3)
    assert cusp(0.5, 1.0, -1.0, False, 1.0) == 0.0
    for trial in TRIALS:
        kinds, _ = trial.kinds
        free = np.random.default_rng(6).standard_normal((len(kinds), trial.jastrow))
        for kind, a in zip(kinds, coefficients_of(kinds, trial.box.radius, free), strict=True):
            r = 1e-6
            assert pair_function(a[None], 0, trial.box.radius, r)[1] * r == pytest.approx(kind.cusp, abs=1e-4)


def test_the_local_energy_stays_finite_where_charges_meet() -> None:
    trial = TRIALS[0]  # holes of both spins in one layer, whose repulsion the cusp must cancel
    walker = trial.positions(1, np.random.default_rng(7))[0]
    up, down = trial.blocks[0].start, trial.blocks[1].start
    energies = []
    for r in (1e-2, 1e-3, 1e-4):
        walker[down] = walker[up] + (r, 0.0)
        energies.append(float(local_energies(trial.psi(trial.start()), walker[None])[0][0]))
    assert abs(energies[2] - energies[1]) < 0.05 < 1 / 1e-4


# -- exact answers --


@pytest.mark.parametrize(("count", "spin"), [(7, "polarized"), (14, "restricted")])
def test_free_fermions_have_no_variance(count: int, spin: str) -> None:
    box = torus(HOLES, count, spin)
    trial = make_trial(box, "liquid", 0)
    walkers = Walkers.of(trial, 20, np.random.default_rng(8))
    walkers.step(trial.psi(trial.start()), 1.0, False)
    kinetic = hartree_fock(box, "liquid", keep="translations", hexagon=3).energy_parts["kinetic"]
    np.testing.assert_allclose(walkers.energies[:, 0], kinetic, rtol=1e-9)


@pytest.mark.parametrize(("count", "spin"), [(7, "polarized"), (14, "restricted")])
def test_without_correlation_it_is_hartree_fock(count: int, spin: str) -> None:
    box = torus(HOLES, count, spin)
    found = monte_carlo(box, "liquid", method="vmc", jastrow=0, target_error=8e-4, walkers=50, seed=1)
    mean_field = hartree_fock(box, "liquid", keep="translations", hexagon=3).energy_per_particle
    assert found.status is Status.converged and 0 < found.error <= 8e-4
    assert abs(found.energy_per_hole - mean_field) < 4 * found.error


def test_a_lone_particle_meets_nobody() -> None:
    box = torus(HOLES, 1)
    found = monte_carlo(box, "liquid", method="vmc", target_error=1e-6, walkers=20)
    # its own images and the background: M(0)/2
    assert found.status is Status.converged
    assert abs(found.energy_per_hole - 0.5 * madelung_potential(box.box.vectors)) < 1e-9


def exact_pair(box: Torus, waves: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy and lowest state of one electron and one hole at rest: k^2/2mu - psi in plane waves, and self terms."""
    cell = Cell(box_of(box.box).cell)
    m = np.arange(-waves, waves + 1)
    n = np.stack(np.meshgrid(m, m, indexing="ij"), axis=-1).reshape(-1, 2)
    k = n @ cell.reciprocal
    q = np.linalg.norm(k[:, None] - k, axis=-1)
    electron, hole = box.species
    h = -box.bilayer.interaction.v(q, electron.layer, hole.layer) / cell.area
    h += np.diag(np.sum(k * k, axis=1) / 2 * (1 / electron.mass + 1 / hole.mass))
    values, vectors = np.linalg.eigh(h)
    # 1/2 M(0) of each charge: -v(0)/A in the Madelung convention
    return values[0] - box.zero_mode_element(0, 0), n, vectors[:, 0]


def pair_trial(box: Torus, function: PairFunction) -> Trial:
    """One electron and one hole in a pair function."""
    electron, hole = blocks = make_trial(box, "liquid", 0).blocks
    return Trial(box, "pair", blocks, (Factor(electron, WAVES, partner=hole, orbital=0),), (function,), 0)


LONE = Bilayer.of(spacing=1.0, electron_mass=1.0, hole_mass=1.0, hole_density=1 / 400)
OTHER = Bilayer.of(spacing=2.0, electron_mass=1.0, hole_mass=1.0, hole_density=1 / 100)


@pytest.mark.parametrize(("bilayer", "shape", "known", "bound"), [(LONE, "triangular", -0.345312, 2e-3),
                                                                  (OTHER, "square", -0.400288, 1e-5)])
def test_one_pair_is_exact(bilayer: Bilayer, shape: str, known: float, bound: float) -> None:
    box = torus(bilayer, 1, shape=shape)
    energy, waves, state = exact_pair(box, 16)
    assert energy == pytest.approx(known, abs=2e-6)
    # the exact orbital has no variance
    sign = np.sign(state[np.argmax(abs(state))])
    assert np.all(sign * state > -1e-9)
    trial = pair_trial(box, PairFunction(waves, np.log(np.maximum(sign * state, 1e-30))))
    walkers = Walkers.of(trial, 100, np.random.default_rng(9))
    for _ in range(30):
        walkers.step(trial.psi(trial.start()), 2.0, False)
    # all but the waves beyond those, which fall as e^{-kd}
    assert walkers.local.std() < bound and abs(walkers.local.mean() - known) < bound
    # diffusion is exact whatever the trial function, which has no node
    found = monte_carlo(box, "liquid", target_error=4e-4, walkers=100, samples=1000, seed=2)
    assert found.status is Status.converged
    assert found.vmc.energy_per_hole > known - 3 * found.vmc.error
    assert abs(found.energy_per_hole - known) < 4 * found.error
    size = found.finite_size
    assert size.law == ("isolated" if bilayer is LONE else None)  # the other box is too small for a pair to be alone
    if size.energy_per_hole is not None and size.law_error is not None:
        assert abs(size.energy_per_hole + 0.32773812) < 4 * np.hypot(found.error, size.law_error)


def test_walkers_sample_the_square_of_psi() -> None:
    """Detailed balance: with psi = 1 + cos(kx) of one particle, <cos kx> = 2/3 at any time step."""
    box = torus(LONE, 1)
    waves = np.array([[0, 0], [1, 0], [-1, 0]])
    # phi = 1.2 + cos(kx), g = (1.2, 0.5, 0.5): <cos kx> = 1.2/(1.44 + 0.5)
    trial = pair_trial(box, PairFunction(waves, np.log([1.2, 0.5, 0.5])))
    psi, b = trial.psi(trial.start()), Cell(trial.box.cell).reciprocal
    for tau in (1.0, 20.0):
        walkers = Walkers.of(trial, 400, np.random.default_rng(10))
        kept = []
        for step in range(300):
            walkers.step(psi, tau, False)
            if step >= 100:
                r = walkers.positions[:, 0] - walkers.positions[:, 1]
                kept.append(np.cos(r @ b[0]).mean())
        found = reblock(np.array(kept))
        assert found.error < 0.01
        assert abs(found.mean - 1.2 / 1.94) < 4 * found.error


# -- errors, branching, size, refusals --


def test_errors_cover() -> None:
    """Of means of a correlated series 54 to 82 % lie within one error of the truth, as they should."""
    random, inside = np.random.default_rng(11), 0
    for _ in range(200):
        noise, x = random.standard_normal(4000), np.empty(4000)
        x[0] = noise[0] / np.sqrt(1 - 0.9**2)
        for i in range(1, len(x)):
            x[i] = 0.9 * x[i - 1] + noise[i]
        found = reblock(x)
        inside += abs(found.mean) < found.error
    assert 108 <= inside <= 164
    assert found.autocorrelation == pytest.approx(19, rel=0.5)  # (1 + a)/(1 - a)


def test_branching_keeps_the_weights_in_the_mean() -> None:
    walkers = Walkers(np.arange(4000.0)[:, None, None] * np.ones((1, 1, 2)), np.zeros((4000, 2)),
                      np.random.default_rng(12))
    weights = np.where(np.arange(4000) % 2 == 0, 1.5, 0.25)
    branch(walkers, weights)
    even = np.sum(walkers.positions[:, 0, 0] % 2 == 0)
    assert even == pytest.approx(3000, abs=100) and len(walkers.positions) - even == pytest.approx(500, abs=100)


def test_closed_shells_of_the_torus() -> None:
    assert closed_shells(box_of_shape("triangular", 1.0), 37).tolist()[:6] == [1, 7, 13, 19, 31, 37]
    assert closed_shells(box_of_shape("square", 1.0), 21).tolist()[:5] == [1, 5, 9, 13, 21]


@pytest.mark.parametrize(("call", "words"), [
    (lambda: monte_carlo(torus(HOLES, 8), target_error=1e-3), "closes a shell"),
    (lambda: monte_carlo(torus(HOLES, 7)), "target_error: must be given"),
    (lambda: monte_carlo(torus(HOLES, 7), target_error=1e-3, walkers=0), "walkers: must be an integer"),
    (lambda: monte_carlo(torus(HOLES, 7), "solid", target_error=1e-3), "trial: must be liquid"),
    (lambda: monte_carlo(torus(HOLES, 7), "condensate", target_error=1e-3), "electrons and holes"),
    (lambda: monte_carlo(torus(HOLES, 7), "electron-crystal", target_error=1e-3), "carriers that are there"),
    (lambda: monte_carlo(Torus(HOLES, holes=7, zero_mode="none"), target_error=1e-3), "zero_mode: must be madelung"),
    (lambda: monte_carlo(torus(HOLES, 7), target_error=-1.0), "target_error: must be a positive number"),
    (lambda: monte_carlo(torus(HOLES, 7), target_error=1e-3, time_steps=(1.0, 2.0)), "the larger first"),
])
def test_what_cannot_be_is_refused(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()  # type: ignore[operator]


def test_the_same_seed_gives_the_same_digits() -> None:
    one, two, other = (monte_carlo(torus(LONE, 1), target_error=2e-3, walkers=40, samples=400, seed=seed)
                       for seed in (3, 3, 4))
    assert one.energy_per_hole == two.energy_per_hole != other.energy_per_hole
    for name, array in one.data.items():
        np.testing.assert_array_equal(array.values, two.data[name].values)


def test_it_stops_with_what_it_has() -> None:
    told: list[str] = []
    found = monte_carlo(torus(HOLES, 7), target_error=1e-9, walkers=20, samples=20, progress=told.append,
                        should_stop=lambda: Status.interrupted if any("+-" in line for line in told) else None)
    assert found.status is Status.interrupted and np.isfinite(found.energy_per_hole)
    assert any("optimising" in line for line in told) and any("+-" in line for line in told)
    short = monte_carlo(torus(HOLES, 7), target_error=1e-9, max_time=2.0, walkers=20, samples=20)
    assert short.status in (Status.timeout, Status.not_converged) and short.advice


def test_a_target_below_what_the_time_allows_says_what_it_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of its own: a look at it takes a quarter of a millisecond."""
    ticks, told = itertools.count(), list[str]()
    monkeypatch.setattr(calculation, "time", SimpleNamespace(monotonic=lambda: next(ticks) / 4000))
    coarse = monte_carlo(torus(LONE, 1), target_error=2e-5, max_time=8.0, walkers=40, samples=400, progress=told.append)
    assert coarse.status is Status.timeout and coarse.error > 2e-5
    said = re.search(r"it reached (\S+) of 2e-05 .* in 8 s; about (\d+) s would do", coarse.advice)
    assert said and float(said[1]) == pytest.approx(coarse.error, rel=0.05)
    assert int(said[2]) == pytest.approx(8 * (coarse.error / 2e-5) ** 2, rel=0.1)
    left = [int(found[1]) for line in told if (found := re.search(r", about (\d+) s to go", line))]
    assert left and max(left) <= 8 and left == sorted(left, reverse=True)


def test_compiling_takes_no_stage_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling took 50 of 60 seconds, and the trial function was never optimised."""
    clock, told = [0.0], list[str]()

    def progress(text: str) -> None:
        clock[0] += 50.0 if text == "settling, step 0 of 100" else 0.1
        told.append(text)

    monkeypatch.setattr(calculation, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monte_carlo(torus(HOLES, 7), method="vmc", target_error=0.1, max_time=60.0, walkers=20, samples=40,
                progress=progress)
    assert any(text.startswith("optimising, step 3") for text in told)


def test_the_time_to_go_is_told_within_a_factor_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks, told = itertools.count(), list[tuple[float, str]]()
    monkeypatch.setattr(calculation, "time", SimpleNamespace(monotonic=lambda: next(ticks) / 100))
    found = monte_carlo(torus(LONE, 1), target_error=5e-4, walkers=40, samples=400,
                        progress=lambda line: told.append((next(ticks) / 100, line)))
    assert found.status is Status.converged
    first, line = next((t, line) for t, line in told if "to go" in line)
    said = re.search(r", about (\d+) s to go", line)
    assert said and 0.5 < (next(ticks) / 100 - first) / int(said[1]) < 2


@pytest.mark.published
def test_a_condensate_lies_below_its_mean_field() -> None:
    box = torus(Bilayer.of(spacing=1.0, rs_hole=4, electron_mass=1.0, hole_mass=1.0), 7)
    found = monte_carlo(box, "condensate", target_error=5e-4)
    mean_field = condensate(box, curve_points=0, tolerance=1e-5).energy_per_pair
    assert found.energy_per_hole + 3 * found.error < found.vmc.energy_per_hole + 3 * found.vmc.error < mean_field


def test_a_start_far_from_the_optimum_is_optimised() -> None:
    """The crystal at r_s = 40 begins 2 mHa above its optimum, where only short steps keep the samples."""
    layer = torus(Bilayer.of(rs_hole=40, electrons_per_hole=0), 13)
    poor, good = (monte_carlo(layer, "crystal", method="vmc", target_error=3e-4, walkers=25, samples=300,
                              optimisation_steps=steps) for steps in (0, 4))
    assert poor.energy_per_hole - good.energy_per_hole > 1e-3
    assert good.vmc.variance < 0.2 * poor.vmc.variance
