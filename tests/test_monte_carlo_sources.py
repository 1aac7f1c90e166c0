"""Trial functions from results: orbitals of Hartree-Fock give its energy, parameters of Monte Carlo go on."""

from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from ehbilayer import Bilayer, InputError, Status, Torus, hartree_fock, liquid, make_study, monte_carlo
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.monte_carlo.bands import _drawn
from ehbilayer.monte_carlo.sources import read_source, trial_of
from ehbilayer.monte_carlo.trial import Trial, make_trial
from ehbilayer.monte_carlo.walk import Walkers
from ehbilayer.studies.task import prepare
from ehbilayer.torus import twisted
from test_monte_carlo import differences, log_psi

DENSE, DILUTE = (Bilayer.of(rs_hole=rs, electrons_per_hole=0) for rs in (5, 30))
BOTH = Bilayer.of(spacing=1.0, rs_hole=8, electron_mass=0.5, hole_mass=1.0)


def torus(bilayer: Bilayer, holes: int, spin: str = "polarized", **more: str) -> Torus:
    return Torus(bilayer, holes=holes, zero_mode="madelung", electron_spin=spin, hole_spin=spin, **more)


STATES = {
    "liquid": lambda: (torus(DENSE, 14, "restricted"), "liquid", {"hexagon": 3}),
    "box": lambda: (torus(DILUTE, 7), "crystal", {"hexagon": 4}),
    "bloch": lambda: (torus(DILUTE, 9), "crystal", {"hexagon": 5, "symmetry": "crystal"}),
    "unrestricted": lambda: (torus(DILUTE, 8, "unrestricted", shape="square"), "crystal", {"plane_waves": (9, 9)}),
    "two layers": lambda: (torus(BOTH, 7), "hole-crystal", {"hexagon": 4}),
}


def state_of(name: str) -> tuple[Torus, HartreeFockResult]:
    box, start, basis = STATES[name]()
    return box, hartree_fock(box, start, tolerance=1e-7, **basis)


@pytest.mark.parametrize("name", STATES)
def test_without_correlation_it_is_hartree_fock(name: str) -> None:
    box, state = state_of(name)
    target = 5e-5 if box.bilayer is DILUTE else 2e-3
    found = monte_carlo(box, state, method="vmc", jastrow=0, target_error=target, walkers=50, seed=1)
    assert found.status is Status.converged and 0 < found.error <= target
    per = box.species[-1].count or box.particles
    assert abs(found.energy_per_hole - state.total_energy / per) < 4 * found.error
    assert found.trial == f"{state.phase} of hartree-fock"


@pytest.mark.parametrize("name", ["bloch", "unrestricted", "two layers"])
def test_gradient_and_laplacian_are_those_of_differences(name: str) -> None:
    box, state = state_of(name)
    trial, _ = trial_of(box, state, 5)
    assert trial.bands.dtype == float  # time reversal: real functions
    check_derivatives(trial)


def check_derivatives(trial: Trial) -> None:
    """The kinetic energy of a walker against differences of ln|psi|; of a real psi."""
    walker, parameters, h = trial.positions(1, np.random.default_rng(3))[0], trial.start(), 2e-2
    centre, kinetic = log_psi(trial, parameters, walker)
    expected = 0.0
    for i in range(trial.particles):
        for axis in range(2):
            slope, curve = differences(lambda r: log_psi(trial, parameters, r)[0], centre, walker, (i, axis), h)
            expected -= (curve + slope**2) / (2 * trial.charges.mass[i])
    assert abs(expected) > 1e-3
    assert kinetic == pytest.approx(expected, rel=5e-3, abs=5e-3)


def test_a_state_with_currents_has_a_complex_determinant() -> None:
    """Plane waves k + theta of a twisted liquid, in the frame that moves with it: not closed under conjugation."""
    box = torus(DENSE, 5, shape="square")
    moved = twisted(box, "hole", np.array([0.3, 0.1]) @ box.box.reciprocal)
    state = hartree_fock(moved, "liquid", keep="translations", plane_waves=(7, 7))
    trial, _ = trial_of(box, state, 0)
    assert (trial.bands.dtype == complex) == (not _symmetric(state))
    walkers = Walkers.of(trial, 20, np.random.default_rng(0))
    walkers.step(trial.psi(trial.start()), 1.0, False)
    k = state.orbitals.waves @ box.box.reciprocal
    kinetic = state.orbitals.momentum("hole") @ np.sum(k * k, axis=1) / 2
    np.testing.assert_allclose(walkers.energies[:, 0], kinetic, rtol=1e-5)


def _symmetric(state: HartreeFockResult) -> bool:
    n = dict(zip(map(tuple, state.orbitals.waves.tolist()), state.orbitals.momentum("hole"), strict=True))
    return all(abs(n[w] - n.get((-w[0], -w[1]), 0.0)) < 1e-9 for w in n)


def test_places_are_drawn_from_the_determinant() -> None:
    random = np.random.default_rng(0)
    a = random.standard_normal((2, 5)) + 1j * random.standard_normal((2, 5))
    phi = np.linalg.qr(a.T)[0].T
    counts = Counter(tuple(sorted(p)) for p in _drawn(phi, 20_000, random).tolist())
    for pair in combinations(range(5), 2):
        chance = abs(np.linalg.det(phi[:, list(pair)])) ** 2
        assert counts[pair] / 20_000 == pytest.approx(chance, abs=5 * np.sqrt(0.25 / 20_000))


def test_parameters_go_on() -> None:
    box = torus(DENSE, 7)
    first = monte_carlo(box, "crystal", method="vmc", max_time=100, target_error=5e-3, walkers=40, samples=400, seed=1)
    # as it is
    same, parameters = trial_of(box, first, 5)
    np.testing.assert_array_equal(parameters, first.data["parameters"].values)
    again = monte_carlo(box, first, method="vmc", target_error=5e-3, walkers=40, optimisation_steps=0)
    np.testing.assert_array_equal(again.data["parameters"].values, parameters)
    assert again.trial == "crystal" and abs(again.energy_per_hole - first.energy_per_hole) < 5 * 5e-3
    # a higher degree begins with zeros
    _, more = trial_of(box, first, 7)
    assert more is not None and len(more) == len(parameters) + 2 and set(parameters) <= set(more)
    # at a density four times lower all lengths are doubled
    wider, carried = trial_of(box.scaled(4 * box.area), first, 5)
    assert carried is not None and carried[-1] == pytest.approx(parameters[-1] + np.log(2))
    np.testing.assert_array_equal(carried[:-1], parameters[:-1])
    assert wider.name == same.name


def test_orbitals_go_on_with_the_parameters(tmp_path: Path) -> None:
    box, state = state_of("box")
    first = monte_carlo(box, state, method="vmc", target_error=5e-4, walkers=40, samples=400, optimisation_steps=1)
    first.save(tmp_path / "first.nc")
    trial, parameters = trial_of(box.scaled(1.1 * box.area), read_source(tmp_path / "first.nc"), 5)
    # the same functions of fractions, Laplacians less by the area
    np.testing.assert_allclose(trial.bands * np.array([1, 1.1])[:, None, None, None],
                               trial_of(box, state, 5)[0].bands, atol=1e-9)
    np.testing.assert_array_equal(parameters, first.data["parameters"].values)


def test_what_does_not_fit_is_refused() -> None:
    _, state = state_of("box")
    for other, words in ((torus(DENSE, 7), "of this box"), (torus(DILUTE, 9), "of these carriers"),
                         (torus(DILUTE, 7, shape="square"), "of this box"), (torus(BOTH, 7), "of these carriers")):
        with pytest.raises(InputError, match=f"^trial: must be a result {words}"):
            monte_carlo(other, state, target_error=1e-3)
    apart = Bilayer.of(spacing=2.0, rs_hole=8, electron_mass=0.5, hole_mass=1.0)
    with pytest.raises(InputError, match="trial: must be a result of this interaction"):
        monte_carlo(torus(apart, 7), state_of("two layers")[1], target_error=1e-3)
    spins = torus(DENSE, 14, "restricted")
    with pytest.raises(InputError, match="trial: must be a result with 14 hole orbitals"):
        monte_carlo(torus(DENSE, 14), hartree_fock(spins, "liquid", hexagon=3, keep="translations"), target_error=1e-3)
    shell = hartree_fock(torus(DENSE, 9), "liquid", hexagon=3, keep="translations", occupation="shell")
    with pytest.raises(InputError, match="each filled or empty"):
        monte_carlo(torus(DENSE, 9), shell, target_error=1e-3)
    crystal = monte_carlo(torus(DENSE, 7), "crystal", method="vmc", max_time=0.5, walkers=20, samples=20)
    with pytest.raises(InputError, match="jastrow"):
        monte_carlo(torus(DENSE, 7), crystal, target_error=1e-3, jastrow=2)
    with pytest.raises(InputError, match="trial: must be a result of kind hartree-fock or monte-carlo"):
        monte_carlo(torus(DENSE, 7), liquid(DENSE), target_error=1e-3)
    with pytest.raises(InputError, match=r"trial: .* no such file"):
        monte_carlo(torus(DENSE, 7), "nothing.nc", target_error=1e-3)


def test_a_study_names_a_file(tmp_path: Path) -> None:
    box, state = state_of("box")
    state.save(tmp_path / "crystal.nc")
    study = {"kind": "monte-carlo", "bilayer": {"hole_mass": 1.0}, "density": {"rs_hole": 30, "electrons_per_hole": 0},
             "cell": {"holes": 7}, "monte-carlo": {"trial": str(tmp_path / "crystal.nc"), "target_error": 1e-3}}
    task = prepare(make_study(study))
    assert "trial_sha256" in task.inputs
    with pytest.raises(InputError, match=r"trial: must be a result of these carriers"):
        prepare(make_study(study | {"cell": {"holes": 9}}))
    assert make_trial(box, "crystal").label == "crystal"
