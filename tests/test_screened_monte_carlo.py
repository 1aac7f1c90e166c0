"""Monte Carlo with screening: the tables against sums over images, one pair against its radial equation."""

import numpy as np
import pytest

from ehbilayer import Bilayer, Coulomb, Screened, Torus, few_body, hartree_fock, monte_carlo
from ehbilayer.interaction.lattice_sums.potential import potential
from ehbilayer.monte_carlo.pair_potential import (
    box_of,
    make_potential,
    nearest,
    pair_potential,
    screened_potential,
    self_image,
)
from ehbilayer.numerics.lattice import box_of_shape

GATED = Screened(1.0, 2.0, 2.0, 3.0, 3.0)
PAIRS = [(0, 0), (0, 1), (1, 1)]


def test_no_screening_is_the_table_of_coulomb() -> None:
    cell = box_of_shape("triangular", 100.0)
    box, plain, s = box_of(cell), Screened(1.0, 4.0, 1.0), 2.0
    ours, theirs = screened_potential(box, plain, PAIRS), make_potential(box, [0.0, s])
    points = np.random.default_rng(0).random((60, 2)) * 3 @ cell.vectors
    for which, other in ((0, 0), (1, 1), (2, 0)):
        for r in points:
            here = nearest(box, *r)
            assert pair_potential(box, ours, which, *here) == pytest.approx(
                pair_potential(box, theirs, other, *here), abs=1e-9)
    assert self_image(plain, box, 0) == pytest.approx(self_image(Coulomb(1.0), box, 0), rel=1e-12)


def test_the_table_between_gates_is_the_sum_over_the_lattice() -> None:
    """sum_R v(r + R) as it stands, v(0)/A in it: between gates it converges by itself."""
    gates, cell = Screened(1.0, 4.0, 1.0, 3.0, 2.0), box_of_shape("rectangular", 144.0)
    box = box_of(cell)
    table = screened_potential(box, gates, PAIRS)
    n = np.arange(-9, 10)
    lattice = np.stack(np.meshgrid(n, n), axis=-1).reshape(-1, 2) @ cell.vectors
    points = np.random.default_rng(1).random((40, 2)) @ cell.vectors
    for which, (a, b) in enumerate(PAIRS):
        for r in points:
            expected = gates.real_space(np.linalg.norm(r + lattice, axis=1), a, b).sum()
            assert pair_potential(box, table, which, *nearest(box, *r)) == pytest.approx(expected, abs=1e-7)
        away = lattice[np.any(lattice != 0, axis=1)]
        if a == b:
            images = gates.real_space(np.linalg.norm(away, axis=1), a, b).sum()
            assert self_image(gates, box, a) == pytest.approx(images, rel=1e-9)


def test_lattice_sums_of_sheets_have_the_average_of_coulombs() -> None:
    """The sums know sheets, too: v = 2 pi/q - 2 pi r_0, of which the mean 2 pi r_0/A is taken off at any distance."""
    cell = box_of_shape("square", 1e4)
    sheet = Screened(0.0, sheet_hole=1e-3)
    points = np.array([[30.0, 20.0], [50.0, 50.0], [10.0, 0.0]])
    ours = sheet.heat_kernel(1, 1).potential(cell.vectors, points)
    assert ours == pytest.approx(potential(cell.vectors, points, 0.0) + 2 * np.pi * 1e-3 / 1e4, abs=1e-8)
    # and short of it they are not
    assert abs(Screened(0.0, sheet_hole=5.0).heat_kernel(1, 1).potential(cell.vectors, points)[2] - ours[2]) > 1e-3


@pytest.mark.published
def test_one_pair_between_gates_by_diffusion() -> None:
    lone = Bilayer.of(electron_mass=1.0, hole_mass=1.0, hole_density=1 / 400, interaction=GATED)
    found = monte_carlo(Torus(lone, holes=1, zero_mode="madelung", electron_spin="polarized"), "liquid",
                        target_error=2e-3, walkers=50, samples=500)
    assert abs(found.energy_per_hole - few_body(lone, "exciton").energy) < 4 * found.error


def test_one_pair_between_gates_is_the_exciton() -> None:
    lone = Bilayer.of(electron_mass=1.0, hole_mass=1.0, hole_density=1 / 400, interaction=GATED)
    found = monte_carlo(Torus(lone, holes=1, zero_mode="madelung", electron_spin="polarized"), "liquid",
                        method="vmc", target_error=0.01, walkers=20, samples=200)
    images = 2 * GATED.real_space(np.array([20.0]), 0, 0) - 2 * GATED.real_space(np.array([20.0]), 0, 1)
    assert abs(images[0]) < 1e-3  # gates leave nothing of them
    energy = few_body(lone, "exciton").energy
    assert found.status.value == "converged" and found.inputs["interaction"]["finite_v0"] is True
    assert -4 * found.error < found.energy_per_hole - energy < 0.01 + 4 * found.error
    assert energy > few_body(Bilayer.of(spacing=1.0, electron_mass=1.0, hole_mass=1.0), "exciton").energy + 0.03


SOFT = [Screened(1.0, sheet_electron=2.0, sheet_hole=3.0), Screened(1.0, layer_thickness=0.6),
        Screened(1.0, sheet_hole=3.0), Screened(1.0, 4.0, 2.0, 3.0, 2.0, 1.0, 2.0, 0.4),
        Screened(0.0, sheet_electron=1.0)]


@pytest.mark.parametrize("soft", SOFT)
def test_tables_of_polarisable_and_thick_layers_are_lattice_sums(soft: Screened) -> None:
    """Also close to r = 0, where ln r is."""
    cell = box_of_shape("triangular", 144.0)
    box, random = box_of(cell), np.random.default_rng(1)
    table = screened_potential(box, soft, PAIRS)
    points = np.concatenate([random.random((20, 2)) @ cell.vectors, 0.1 * random.standard_normal((10, 2)),
                             1e-3 * random.standard_normal((10, 2))])
    for which, (a, b) in enumerate(PAIRS):
        expected = soft.heat_kernel(a, b).potential(cell.vectors, points) + soft.mean(cell.vectors, a, b)
        found = [pair_potential(box, table, which, *nearest(box, *r)) for r in points]
        assert found == pytest.approx(expected, abs=1e-7)


def test_the_core_of_layers_that_spread_charges() -> None:
    """-ln(r)/l: l = r_0/kappa of a sheet, s w/2 of a thick layer; 1/r in the layer that has neither."""
    sheet, thick = Screened(1.0, 4.0, 1.0, sheet_hole=3.0), Screened(1.0, 4.0, 1.0, layer_thickness=0.5)
    assert sheet.core(1, 1) == (0.0, pytest.approx(2.0 / 3.0, rel=1e-6)) and sheet.core(0, 0) == (1.0, 0.0)
    assert thick.core(0, 0) == (0.0, pytest.approx(2 / (2.0 * 0.5), rel=1e-6)) and thick.core(0, 1) == (0.0, 0.0)
    for soft, (a, b) in ((sheet, (1, 1)), (thick, (0, 0))):
        r = np.array([1e-4, 1e-3])
        one, two = soft.real_space(r, a, b)
        assert (one - two) / np.log(10) == pytest.approx(soft.core(a, b)[1], rel=5e-3)


def _one(soft: Screened, **how: object) -> tuple[float, float, float]:
    """Energy of one pair on a torus, its error, and that of the exciton alone."""
    lone = Bilayer.of(electron_mass=1.0, hole_mass=1.0, hole_density=1 / 3600, interaction=soft)
    found = monte_carlo(Torus(lone, holes=1, zero_mode="madelung", electron_spin="polarized"), "liquid", **how)
    assert found.status.value == "converged"
    return found.energy_per_hole, found.error, few_body(lone, "exciton").energy


def test_one_pair_of_polarisable_layers_between_gates_is_the_exciton() -> None:
    soft = Screened(1.0, 2.0, 2.0, 3.0, 3.0, 1.0, 2.0, 0.4)
    energy, error, exact = _one(soft, method="vmc", target_error=0.01, walkers=20, samples=200)
    assert -4 * error < energy - exact < 0.01 + 4 * error
    assert exact > few_body(Bilayer.of(electron_mass=1.0, hole_mass=1.0, hole_density=1 / 400, interaction=GATED),
                            "exciton").energy + 0.02


@pytest.mark.published
def test_one_pair_of_polarisable_layers_by_diffusion() -> None:
    energy, error, exact = _one(Screened(1.0, 2.0, 2.0, 3.0, 3.0, 1.0, 2.0, 0.4), target_error=1e-3, walkers=50,
                                samples=500)
    assert abs(energy - exact) < 4 * error


@pytest.mark.published
def test_without_correlation_polarisable_layers_have_the_energy_of_hartree_fock() -> None:
    holes = Bilayer.of(electron_mass=1.0, hole_mass=1.0, rs_hole=4, electrons_per_hole=0,
                       interaction=Screened(1.0, sheet_hole=3.0, layer_thickness=0.5))
    box = Torus(holes, holes=7, zero_mode="madelung", hole_spin="polarized")
    found = monte_carlo(box, "liquid", method="vmc", target_error=2e-4, jastrow=0, walkers=100)
    exact = hartree_fock(box, "liquid", keep="translations", hexagon=4).energy_per_particle
    assert abs(found.energy_per_hole - exact) < 4 * found.error
