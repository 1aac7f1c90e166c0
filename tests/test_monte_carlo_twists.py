"""Twists: free fermions, derivatives of a complex psi, Hartree-Fock at a twist, and the mean over many."""

import numpy as np
import pytest

from ehbilayer import Bilayer, InputError, Status, Torus, hartree_fock, make_study, monte_carlo
from ehbilayer.monte_carlo.backflow import rebuild, workspace
from ehbilayer.monte_carlo.cached import evaluate_cached
from ehbilayer.monte_carlo.kernels import at, local_energy
from ehbilayer.monte_carlo.liquid_size import liquid_size
from ehbilayer.monte_carlo.trial import make_trial
from ehbilayer.monte_carlo.twists import twists_of
from ehbilayer.monte_carlo.walk import Walkers
from ehbilayer.studies.task import prepare
from ehbilayer.torus import twisted
from test_monte_carlo import differences

HOLES = Bilayer.of(rs_hole=2, electrons_per_hole=0)
BOTH = Bilayer.of(spacing=1.0, rs_hole=4, electron_mass=0.5, hole_mass=1.0)
TWIST = (0.31, 0.12)


def torus(bilayer: Bilayer, holes: int, spin: str = "polarized", **more: object) -> Torus:
    return Torus(bilayer, holes=holes, zero_mode="madelung", electron_spin=spin, hole_spin=spin, **more)


@pytest.mark.parametrize(("count", "twist", "shape"), [
    (8, TWIST, "triangular"), (11, TWIST, ((1.0, 0.1), (2.3, 0.9))), (4, (0.5, 0.5), "square")])
def test_free_fermions_have_no_variance(count: int, twist: tuple[float, float], shape: object) -> None:
    box = torus(HOLES, count, shape=shape)
    trial = make_trial(box, "liquid", 0, twist)
    psi = trial.psi(trial.start())
    assert (psi.determinants.mix.dtype == complex) == (twist == TWIST)  # half a period: k comes with -k
    walkers = Walkers.of(trial, 20, np.random.default_rng(0))
    walkers.step(psi, 0.3, True)
    m = np.stack(np.meshgrid(range(-9, 10), range(-9, 10)), axis=-1).reshape(-1, 2)
    lowest = np.sort(np.sum(((m + np.array(twist)) @ box.box.reciprocal) ** 2, axis=1))[:count]
    np.testing.assert_allclose(walkers.energies[:, 0], lowest.sum() / 2, rtol=1e-9)


@pytest.mark.parametrize("name", ["liquid", "hole-crystal"])
def test_derivatives_of_a_complex_psi(name: str) -> None:
    """E_L is the real part of the local energy of psi, and grad ln|psi| drives the walk."""
    trial = make_trial(torus(BOTH, 9), name, 5, TWIST)
    psi, walker, h = trial.psi(trial.start()), trial.positions(1, np.random.default_rng(1))[0], 2e-3
    work, line, _ = workspace(psi)

    def value(r: np.ndarray) -> complex:
        _, phase = rebuild(psi, r, work, line)
        return complex(phase * np.exp(local_energy(psi, r, work, line)[2] - zero))

    zero = 0.0
    kinetic, _, zero = local_energy(psi, walker, work, line)
    kept = np.empty((1, 3))
    evaluate_cached(psi, walker[None], kept)  # from tables of the walker
    assert kept[0] == pytest.approx(local_energy(psi, walker, work, line), rel=1e-9, abs=1e-9)
    centre, expected = value(walker), 0.0
    for i in range(trial.particles):
        rebuild(psi, walker, work, line)
        gradient = at(psi, walker, work, line, i, *walker[i])[2:]
        for axis in range(2):
            slope, curve = differences(lambda r: value(r) / centre, 1.0, walker, (i, axis), h)
            assert gradient[axis] == pytest.approx(slope.real, rel=2e-4, abs=2e-4)
            expected -= curve.real / (2 * trial.charges.mass[i])
    assert abs(expected) > 1e-3
    assert kinetic == pytest.approx(expected, rel=5e-3, abs=5e-3)


def test_without_correlation_it_is_hartree_fock_at_the_twist() -> None:
    box = torus(HOLES, 8)
    found = monte_carlo(box, method="vmc", jastrow=0, twists=TWIST, target_error=3e-3, walkers=50, seed=1)
    moved = twisted(box, "hole", np.array(TWIST) @ box.box.reciprocal)
    mean_field = hartree_fock(moved, "liquid", keep="translations", hexagon=4).energy_per_particle
    assert found.status is Status.converged and 0 < found.error <= 3e-3
    assert abs(found.energy_per_hole - mean_field) < 4 * found.error
    assert found.inputs["twists"] == [list(TWIST)] and "momentum" not in found.data


def test_the_mean_over_twists() -> None:
    box = torus(HOLES, 5)
    found = monte_carlo(box, method="vmc", jastrow=2, twists=3, target_error=4e-3, walkers=40, samples=200,
                        optimisation_steps=1)
    energies, errors = found.data["twist_energy"].values, found.data["twist_error"].values
    assert found.energy_per_hole == pytest.approx(energies.mean(), abs=1e-14)
    assert found.error == pytest.approx(np.sqrt(np.sum(errors**2)) / 3) and found.error <= 4e-3
    assert len(set(energies)) == 3 and found.status is Status.converged
    assert found.data["trace_vmc"].values.mean() == pytest.approx(found.energy_per_hole, abs=5 * found.error)
    corrections = [liquid_size(make_trial(box, "liquid", 2, t)) for t in twists_of(3)]
    law, doubt = np.mean(corrections, axis=0) / 5
    assert found.finite_size.correction == pytest.approx(law) and found.finite_size.law_error == pytest.approx(doubt)
    assert found.twist_error is not None and 0 < found.twist_error < 0.1


def test_it_ends_with_the_twists_that_it_has() -> None:
    found = monte_carlo(torus(HOLES, 5), method="vmc", jastrow=0, twists=3, max_time=1e-9, walkers=20)
    assert found.status in (Status.timeout, Status.not_converged)
    assert found.inputs["twists"] == [list(t) for t in twists_of(1)] and len(found.data["twist_energy"].values) == 1


def test_twists_fill_the_zone_evenly() -> None:
    points = np.array(twists_of(64))
    counts = np.histogram2d(*points.T, bins=4, range=[[0, 1], [0, 1]])[0]
    assert counts.min() >= 3 and counts.max() <= 5
    assert twists_of(3) == twists_of(64)[:3] and twists_of((0.25, 0.5)) == ((0.25, 0.5),)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: monte_carlo(torus(HOLES, 8), target_error=1e-3), "give twists"),
    (lambda: monte_carlo(torus(HOLES, 8), target_error=1e-3, twists=0), "twists: must be a number from 1"),
    (lambda: monte_carlo(torus(HOLES, 8), target_error=1e-3, twists=(0.1,)), "twists: must be a number from 1"),
    (lambda: monte_carlo(torus(HOLES, 8), target_error=1e-3, twists=(0.0, 0.0)), "take another twist"),
    (lambda: monte_carlo(torus(HOLES, 7), "crystal", target_error=1e-3, twists=2), "twists: must be absent"),
    (lambda: monte_carlo(torus(BOTH, 7), "condensate", target_error=1e-3, twists=2), "twists: must be absent"),
])
def test_what_cannot_be_is_refused(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()  # type: ignore[operator]


def test_a_study_has_twists() -> None:
    study = {"kind": "monte-carlo", "bilayer": {"hole_mass": 1.0}, "density": {"rs_hole": 2, "electrons_per_hole": 0},
             "cell": {"holes": 8}, "monte-carlo": {"target_error": 1e-2, "twists": 4}}
    assert "4 twists" in "".join(prepare(make_study(study)).plan)
    study["monte-carlo"]["twists"] = [0.25, 0.1]
    assert "twist [0.25, 0.1]" in "".join(prepare(make_study(study)).plan)
    study["monte-carlo"]["twists"] = 0
    with pytest.raises(InputError, match=r"monte-carlo\.twists"):
        prepare(make_study(study))
