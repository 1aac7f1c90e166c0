"""Pairs: the plasma as a limit, carriers that are left over, free coefficients of stars, refusals."""

import numpy as np
import pytest

from ehbilayer import Bilayer, InputError, Torus, monte_carlo
from ehbilayer.monte_carlo.pairs import STARS
from ehbilayer.monte_carlo.trial import Trial, make_trial
from ehbilayer.monte_carlo.walk import local_energies


def torus(electrons: int, holes: int, electron_spin: str = "polarized", hole_spin: str = "polarized",
          shape: str = "triangular", flavours: tuple[int, int] = (2, 2)) -> Torus:
    bilayer = Bilayer.of(spacing=1.0, rs_hole=4, electron_mass=0.5, hole_mass=1.0, electrons_per_hole=electrons / holes,
                         electron_flavours=flavours[0], hole_flavours=flavours[1])
    return Torus(bilayer, holes=holes, zero_mode="madelung", electron_spin=electron_spin, hole_spin=hole_spin,
                 shape=shape)


BOXES = {"7+7": lambda: torus(7, 7), "restricted": lambda: torus(10, 10, "restricted", "restricted", "square"),
         "13+7": lambda: torus(13, 7), "7+13": lambda: torus(7, 13), "up alone": lambda: torus(14, 7, "restricted"),
         "four flavours": lambda: torus(20, 20, "restricted", "restricted", "square", (4, 4)),
         "two of four": lambda: torus(10, 10, "5+5", "restricted", "square", (4, 2)),
         "two without": lambda: torus(20, 10, "restricted", "restricted", "square", (4, 2))}


def outside(trial: Trial) -> np.ndarray:
    """The stars beyond the Fermi sea of the pairs."""
    pairs, function = trial.factors[0].partner, trial.orbitals[0]
    assert pairs is not None and function.stars is not None
    k = np.linalg.norm(function.waves @ np.linalg.inv(trial.box.cell).T, axis=1)
    inside = function.stars[np.argsort(k, kind="stable")[: pairs.count]]
    return np.arange(inside.max() + 1, STARS)


@pytest.mark.parametrize("name", BOXES)
def test_the_plasma_is_a_limit(name: str) -> None:
    box = BOXES[name]()
    trial, plasma = make_trial(box, "condensate", 0), make_trial(box, "liquid", 0)
    parameters = trial.start()
    parameters[1 + outside(trial)] = -30.0
    walkers = trial.positions(10, np.random.default_rng(0))
    energies, _ = local_energies(trial.psi(parameters), walkers)
    np.testing.assert_allclose(energies, local_energies(plasma.psi(plasma.start()), walkers)[0], atol=2e-5)
    assert np.ptp(local_energies(trial.psi(trial.start()), walkers)[0] - energies) > 1e-2


@pytest.mark.parametrize(("box", "expected"), [
    (torus(7, 7), [(7, 7, 0.0)]),
    (torus(8, 7), [(8, 7, 0.0)]),  # one beside the pairs, at rest
    (torus(13, 7), [(13, 7, 6.0)]),  # the shell between the seas of 7 and 13
    (torus(7, 14, "polarized", "restricted"), [(7, 7, 0.0), (7, 0, 6.0)])])
def test_carriers_without_a_partner_are_in_plane_waves(box: Torus, expected: list[tuple[int, int, float]]) -> None:
    trial = make_trial(box, "condensate")
    found = []
    for f in trial.factors:
        pairs = f.partner.count if f.partner else 0
        assert len(f.waves.squares) == f.block.count - pairs
        found.append((f.block.count, pairs, float(np.count_nonzero(f.waves.squares > 1e-9))))
    assert found == expected


def test_each_flavour_has_one_partner() -> None:
    """Spin-up electrons pair with one flavour of holes, spin-down ones with the other, all by one function."""
    trial = make_trial(torus(20, 20, "restricted", "restricted", "square", (4, 4)), "condensate")
    of = [(f.block, f.partner) for f in trial.factors]
    assert [(a.flavour, b.flavour, a.species != b.species) for a, b in of if b] == [(i, i, True) for i in range(4)]
    assert len(trial.orbitals) == 1 and {f.orbital for f in trial.factors} == {0}
    quarter = trial.orbitals[0]
    occupied = 1 / (1 + np.exp(-2 * quarter.log_ratio))
    assert occupied.sum() == pytest.approx(5, abs=1e-6)


def test_unequal_pairs_lie_below_their_mean_field_start() -> None:
    box = torus(8, 7)
    how = {"method": "vmc", "target_error": 8e-3, "walkers": 40, "seed": 1}
    first = monte_carlo(box, "condensate", jastrow=0, optimisation_steps=0, **how)
    better = monte_carlo(box, "condensate", optimisation_steps=2, samples=400, **how)
    assert better.energy_per_hole < first.energy_per_hole - 4 * np.hypot(first.error, better.error)
    assert better.inputs["parameters"][-1] == ["pairs", 1 + STARS]


@pytest.mark.parametrize(("box", "words"), [
    # a flavour of holes pairs with one of electrons: the holes left over close no shell
    (torus(8, 8, "restricted", "restricted", "square", (4, 2)), "holes without a partner: must"),
    (torus(10, 7), "electrons without a partner: must be a number that closes a shell"),
    (Torus(Bilayer.of(rs_hole=4, electrons_per_hole=0), holes=7, zero_mode="madelung"), "electrons and holes"),
    (Torus(Bilayer.of(spacing=1.0, rs_hole=4, electron_mass=0.5, hole_mass=1.0), holes=8, zero_mode="madelung",
           electron_spin="7+1", hole_spin="7+1"), "as many pairs in each flavour")])
def test_what_cannot_pair_is_refused(box: Torus, words: str) -> None:
    with pytest.raises(InputError, match=words):
        monte_carlo(box, "condensate", target_error=1e-3)
