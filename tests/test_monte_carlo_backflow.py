"""Backflow: derivatives by differences, moves, what it samples, what it gains, where it is refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ehbilayer import Bilayer, InputError, Status, Torus, hartree_fock, monte_carlo
from ehbilayer.monte_carlo.backflow import accept, rebuild, workspace
from ehbilayer.monte_carlo.kernels import at, jastrow_at, local_energy
from ehbilayer.monte_carlo.optimise import optimised
from ehbilayer.monte_carlo.sources import trial_of
from ehbilayer.monte_carlo.statistics import reblock
from ehbilayer.monte_carlo.trial import Trial, Twist, make_trial
from ehbilayer.monte_carlo.walk import Walkers, local_energies

HOLES = Bilayer.of(rs_hole=5, electrons_per_hole=0)
PAIRS = Bilayer.of(spacing=1.0, rs_hole=4, electron_mass=0.5, hole_mass=1.0)
TWIST = (0.25, 0.1)


def torus(bilayer: Bilayer, holes: int, spin: str = "polarized", **more: str) -> Torus:
    return Torus(bilayer, holes=holes, zero_mode="madelung", electron_spin=spin, hole_spin=spin, **more)


def liquid(box: Torus, backflow: int = 3, jastrow: int = 3, twist: Twist | None = None) -> Trial:
    return replace(make_trial(box, "liquid", jastrow, twist), backflow=backflow)


def parameters_of(trial: Trial, size: float = 0.3) -> np.ndarray:
    """The start, with random backflow."""
    random, found = np.random.default_rng(0), trial.start()
    for name, mine in trial.parameter_names:
        if name.startswith("backflow"):
            found[mine] = size * random.standard_normal(mine.stop - mine.start)
    return found


TRIALS = [liquid(torus(HOLES, 10, "restricted", shape="square")), liquid(torus(PAIRS, 7)),
          liquid(torus(PAIRS, 5), twist=TWIST)]
NAMES = ["two spins", "two layers", "a twist"]


def psi_of(trial: Trial, parameters: np.ndarray, walker: np.ndarray) -> complex:
    """psi itself."""
    psi = trial.psi(parameters)
    work, line, _ = workspace(psi)
    _, _, log = local_energy(psi, walker, work, line)
    return complex(rebuild(psi, walker, work, line)[1] * np.exp(log))


def differences(function: Callable[[np.ndarray], Any], walker: np.ndarray, place: tuple[int, int]) -> tuple[Any, Any]:
    """First and second derivative by a coordinate (particle, axis), of fourth order."""
    h, f = 2e-3, []
    for step in (-2, -1, 0, 1, 2):
        moved = walker.copy()
        moved[place] += step * h
        f.append(function(moved))
    return (8 * (f[3] - f[1]) - (f[4] - f[0])) / (12 * h), (16 * (f[1] + f[3]) - f[0] - f[4] - 30 * f[2]) / (12 * h * h)


@pytest.mark.parametrize("trial", TRIALS, ids=NAMES)
def test_gradient_and_laplacian_are_those_of_differences(trial: Trial) -> None:
    walker, parameters = trial.positions(1, np.random.default_rng(3))[0], parameters_of(trial)
    psi, value = trial.psi(parameters), psi_of(trial, parameters, walker)
    work, line, _ = workspace(psi)
    kinetic, _, _ = local_energy(psi, walker, work, line)
    expected = 0.0
    for i in range(trial.particles):
        gradient = at(psi, walker, work, line, i, *walker[i])[2:]
        for axis in range(2):
            slope, curve = differences(lambda r: psi_of(trial, parameters, r) / value, walker, (i, axis))
            assert gradient[axis] == pytest.approx(slope.real, rel=1e-5, abs=1e-5)
            # -(1/2m) Re psi''/psi
            expected -= curve.real / (2 * trial.charges.mass[i])
    assert abs(expected) > 1e-2
    assert kinetic == pytest.approx(expected, rel=1e-4)
    without = local_energy(replace(trial, backflow=0).psi(trial.start()[: len(trial.kinds[0]) * 3]), walker, work, line)
    assert abs(kinetic - without[0]) > 1e-2  # it is not nothing


@pytest.mark.parametrize("trial", TRIALS[:2], ids=NAMES[:2])
def test_no_backflow_at_all_walks_like_none(trial: Trial) -> None:
    """The walk with backflow, all of it zero, and the one without, which keeps a walker in tables: the same moves."""
    free = trial.start()
    plain = replace(trial, backflow=0)
    without = np.concatenate([free[part] for name, part in trial.parameter_names if not name.startswith("backflow")])
    one, two = (Walkers.of(plain, 4, np.random.default_rng(5)) for _ in range(2))
    for tau in (0.3, 3.0):
        assert one.step(trial.psi(free), tau, True) == pytest.approx(two.step(plain.psi(without), tau, True))
        np.testing.assert_allclose(one.positions, two.positions, rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(one.energies, two.energies, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("trial", TRIALS, ids=NAMES)
def test_a_move_changes_psi_by_its_ratio(trial: Trial) -> None:
    random, parameters = np.random.default_rng(4), parameters_of(trial)
    walker, psi = trial.positions(1, random)[0], trial.psi(parameters)
    work, line, change = workspace(psi)
    rebuild(psi, walker, work, line)
    first, ratios = psi_of(trial, parameters, walker), 1.0 + 0j
    for n, i in enumerate(random.permutation(trial.particles)):
        x, y = walker[i] + 0.3 * random.standard_normal(2)
        ratio, after, _, _ = at(psi, walker, work, line, i, x, y)
        if n % 3 == 0:
            continue  # refused: the next begins from the same place
        ratios *= ratio * np.exp(after - jastrow_at(psi, walker, i, *walker[i])[0])
        accept(psi, work, line, i, ratio, change)
        walker[i] = x, y
    assert psi_of(trial, parameters, walker) / first == pytest.approx(ratios, rel=1e-8)
    anew, _, _ = workspace(psi)
    rebuild(psi, walker, anew, line)
    for ours, theirs in ((work.inverses, anew.inverses), (work.places[0], anew.places[0]),
                         (work.slopes[0], anew.slopes[0])):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-7 * abs(theirs).max())


@pytest.mark.parametrize("trial", TRIALS, ids=NAMES)
def test_none_of_it_is_the_walk_without(trial: Trial) -> None:
    plain, walked = replace(trial, backflow=0), []
    for one in (trial, plain):
        walkers = Walkers.of(one, 20, np.random.default_rng(5))
        for _ in range(3):
            walkers.step(one.psi(one.start()), 0.5, False)
        walked.append(walkers)
    np.testing.assert_allclose(walked[0].positions, walked[1].positions, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(walked[0].energies, walked[1].energies, rtol=1e-7, atol=1e-7)
    assert len(trial.start()) > len(plain.start())


def test_walkers_sample_the_square_of_psi() -> None:
    """The mean of ln|psi'/psi|^2 is that of a walk without backflow, each walker with the weight |psi'/psi|^2."""
    trial = liquid(torus(HOLES, 5, shape="square"), jastrow=0)
    plain, parameters = replace(trial, backflow=0), parameters_of(trial, 1.0)
    psi, other, tables = trial.psi(parameters), plain.psi(plain.start()), []
    for one, own in ((trial, psi), (plain, other)):
        walkers, means = Walkers.of(one, 150, np.random.default_rng(6)), []
        for step in range(180):
            walkers.step(own, 20.0, False)
            if step >= 30:
                logs = local_energies(psi, walkers.positions)[1] - local_energies(other, walkers.positions)[1]
                weight = np.exp(2 * logs)
                means.append((logs.mean(), weight @ logs, weight.sum()))
        tables.append(np.array(means))
    ours, without = (reblock(table[:, 0]) for table in tables)
    weighted = reblock(tables[1][:, 1] / tables[1][:, 2], tables[1][:, 2])
    error = np.hypot(ours.error, weighted.error)
    assert abs(ours.mean - weighted.mean) < 4 * error
    assert ours.mean - without.mean > 8 * error  # and it is another walk


@pytest.mark.published
def test_it_lowers_the_energy_and_its_variance() -> None:
    box, found = torus(HOLES, 10, "restricted", shape="square"), []
    for backflow in (0, 3):
        trial = liquid(box, backflow)
        parameters, walkers = trial.start(), Walkers.of(trial, 100, np.random.default_rng(7))
        for _ in range(3):
            better = optimised(trial, parameters, walkers, 8.0, 500, "", lambda line: None, lambda: None)
            assert better is not None
            parameters = better
        means = []
        for step in range(70):
            walkers.step(trial.psi(parameters), 8.0, False)
            if step >= 20:
                means.append((walkers.local.mean(), walkers.local.var()))
        table = np.array(means)
        found.append((reblock(table[:, 0]), table[:, 1].mean()))
    (without, before), (with_it, after) = found
    assert after < 0.8 * before
    assert without.mean - with_it.mean > 3 * np.hypot(without.error, with_it.error)


def test_its_result_is_a_trial_function() -> None:
    how: dict[str, Any] = {"method": "vmc", "target_error": 5e-2, "walkers": 20, "samples": 100, "jastrow": 3}
    box = torus(HOLES, 5, shape="square")
    first = monte_carlo(box, backflow=2, optimisation_steps=1, **how)
    assert first.status is Status.converged and first.inputs["backflow"] == 2
    assert any(name.startswith("backflow") for name, _ in first.inputs["parameters"])
    _, parameters = trial_of(box, first, 3, None, 2)
    np.testing.assert_array_equal(parameters, first.data["parameters"].values)
    larger = monte_carlo(box, first, backflow=3, optimisation_steps=0, **how)
    assert len(larger.data["parameters"].values) == len(first.data["parameters"].values) + 1
    with pytest.raises(InputError, match="backflow that are not smaller"):
        monte_carlo(box, first, **how)


def test_it_is_refused_where_it_is_not() -> None:
    box = torus(HOLES, 7)
    state = hartree_fock(box, "liquid", keep="translations", hexagon=3)
    for trial in ("crystal", state):
        with pytest.raises(InputError, match="backflow: must be absent"):
            monte_carlo(box, trial, target_error=1e-2, backflow=True)
    for wrong in (13, -1, 1.5):
        with pytest.raises(InputError, match="backflow: must be an integer"):
            monte_carlo(box, target_error=1e-2, backflow=wrong)  # type: ignore[arg-type]


@pytest.mark.published
def test_it_closes_the_distance_to_the_literature() -> None:
    """r_s = 5, two spins: Attaccalite et al., PRL 88, 256601 (2002); without backflow 26 holes end 3e-4 high."""
    found = monte_carlo(torus(HOLES, 26, "restricted"), "liquid", target_error=4e-5, backflow=True, walkers=100)
    assert found.status is Status.converged
    energy = found.finite_size.energy_per_hole
    assert energy is not None
    assert abs(energy + 0.149481) < 1e-4 + 3 * found.error
