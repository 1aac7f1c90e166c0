"""Point charges over a cell: stress, accuracy against the tolerance, many layers, and the reused object."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import exact
from ehbilayer.errors import InputError
from ehbilayer.interaction.lattice_sums import potential as ewald
from ehbilayer.interaction.lattice_sums.charges import PointCharges
from ehbilayer.numerics.lattice import Cell

entries = st.floats(-3, 3, allow_subnormal=False)
cells = st.lists(entries, min_size=4, max_size=4).map(lambda v: np.array(v).reshape(2, 2))


def unit_cell(vectors):
    size = np.linalg.norm(vectors, axis=1)
    assume(abs(np.linalg.det(vectors)) > 0.02 * max(size) ** 2)
    return Cell(vectors).scaled(1.0).vectors


def crystal_of(seed, n, vectors, layers=(0.0, 0.4, 1.7)):
    rng = np.random.default_rng(seed)
    return rng.random((n, 2)) @ vectors, rng.choice([-1.0, 1.0, 2.0], n), rng.choice(layers, n)


def pairwise_energy(vectors, where, q, z):
    """The definition, by the potential of each pair, which is a sum of its own."""
    value = sum(0.5 * x * x for x in q) * ewald.madelung_potential(vectors)
    for i in range(len(q)):
        for j in range(i):
            value += q[i] * q[j] * ewald.potential(vectors, where[[i]] - where[j], abs(z[i] - z[j]))[0]
    return value


@settings(deadline=None, max_examples=25)
@given(cells, st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_energy_in_any_cell_is_the_sum_over_pairs(vectors, seed, n):
    vectors = unit_cell(vectors)
    where, q, z = crystal_of(seed, n, vectors)
    direct = pairwise_energy(vectors, where, q, z)
    assert ewald.energy(vectors, where, q, z) == pytest.approx(direct, rel=1e-13, abs=1e-12 * n)


@settings(deadline=None, max_examples=15)
@given(cells, st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_stress_is_the_derivative_by_strain(vectors, seed, n):
    vectors = unit_cell(vectors)
    rng = np.random.default_rng(seed)
    where, q = rng.random((n, 2)) @ vectors, rng.choice([-1.0, 1.0, 2.0], n)
    z = 0.2 * np.arange(n)  # apart, so that random points are never close
    stress = ewald.energy_forces_stress(vectors, where, q, z)[2]
    np.testing.assert_allclose(stress, stress.T, atol=1e-13 * max(1, abs(stress).max()))
    strain, h = rng.normal(size=(2, 2)), 3e-4
    energies = []
    for i in (-2, -1, 1, 2):
        move = np.eye(2) + i * h * strain  # also turns the crystal, which costs nothing
        energies.append(ewald.energy(vectors @ move.T, where @ move.T, q, z))
    slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * h)
    assert np.sum(stress * strain) == pytest.approx(slope, rel=1e-6, abs=1e-6)


def test_one_layer_scales_as_one_over_length():
    where, q, z = crystal_of(4, 6, exact.TRIANGULAR, layers=(0.3,))
    energy, _, stress = ewald.energy_forces_stress(exact.TRIANGULAR, where, q, z)
    assert np.trace(stress) == pytest.approx(-energy, abs=1e-12)


@pytest.mark.parametrize("name", ["triangular", "square"])
def test_lattices_of_high_symmetry_have_no_shear_stress(name):
    vectors = {"triangular": exact.TRIANGULAR, "square": exact.SQUARE}[name]
    stress = ewald.energy_forces_stress(vectors, np.zeros((1, 2)), np.ones(1), np.zeros(1))[2]
    np.testing.assert_allclose(stress, np.eye(2) * np.trace(stress) / 2, atol=1e-13)


def test_static_energies_to_ten_digits():
    """Energy per charge times r_s from the closed forms of the Madelung constants.

    A triangular lattice of a third of the area is a honeycomb with its centres filled, so that a honeycomb charge feels
    (1 + sqrt(3))/2 of the triangular constant.
    """
    triangular, square = (lattice.madelung for lattice in exact.LATTICES)
    cases = [(exact.TRIANGULAR, [[0, 0]], triangular), (exact.SQUARE, [[0, 0]], square),
             (exact.TRIANGULAR, [[1 / 3, 1 / 3], [2 / 3, 2 / 3]], triangular * (1 + np.sqrt(3)) / 2)]
    for cell, sites, constant in cases:
        vectors, n = Cell(cell).scaled(np.pi * len(sites)).vectors, len(sites)  # r_s = 1
        value, forces = ewald.energy_and_forces(vectors, np.array(sites) @ vectors, np.ones(n), np.zeros(n))
        assert value / n == pytest.approx(0.5 * constant / np.sqrt(np.pi * n), abs=1e-13)
        np.testing.assert_allclose(forces, 0, atol=1e-13)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-10, 1e-13])
@pytest.mark.parametrize("n", [3, 40, 192])
def test_the_tolerance_is_kept(tolerance, n):
    vectors = np.array([[1.0, 0.1], [-0.2, 1.3]]) * np.sqrt(n)
    where, q, z = crystal_of(n, n, vectors, layers=(0.0, 0.6))
    best, best_forces = PointCharges(vectors, q, z, 1e-15).energy_and_forces(where)
    value, forces = PointCharges(vectors, q, z, tolerance).energy_and_forces(where)
    length = np.sqrt(abs(np.linalg.det(vectors)))
    assert abs(value - best) < n * tolerance / length + 1e-15 * abs(best) * n
    # a force is a potential over the splitting length, which is shorter than the cell
    assert np.max(np.abs(forces - best_forces)) < 20 * tolerance + 1e-14 * np.max(np.abs(best_forces))


def test_positions_may_be_anywhere_and_the_object_is_reused():
    vectors = exact.TRIANGULAR * 3
    where, q, z = crystal_of(8, 12, vectors)
    charges = PointCharges(vectors, q, z)
    energy, forces = charges.energy_and_forces(where)
    moved = where + np.random.default_rng(0).integers(-9, 9, (12, 2)) @ vectors
    again, same = charges.energy_and_forces(moved)
    assert again == pytest.approx(energy, abs=1e-12)
    np.testing.assert_allclose(same, forces, atol=1e-10)
    with_stress = charges.energy_forces_stress(where)
    assert with_stress[0] == pytest.approx(energy, abs=1e-13)
    np.testing.assert_array_equal(with_stress[1], forces)


def test_a_needle_of_a_cell_is_the_same_lattice():
    where, q, z = crystal_of(2, 5, exact.SQUARE)
    skewed = np.array([[1, 7], [0, 1]]) @ exact.SQUARE
    assert ewald.energy(skewed, where, q, z) == pytest.approx(ewald.energy(exact.SQUARE, where, q, z), abs=1e-12)
    long = np.diag([1.0, 60.0])
    direct = pairwise_energy(long, where, q, z)
    assert ewald.energy(long, where, q, z) == pytest.approx(direct, abs=1e-11)


@pytest.mark.parametrize("d", [1e-6, 3.0, 40.0])
def test_layers_at_any_distance(d):
    where, q, _ = crystal_of(5, 4, exact.SQUARE)
    z = np.array([0.0, d, 0.0, d])
    direct = pairwise_energy(exact.SQUARE, where, q, z)
    assert ewald.energy(exact.SQUARE, where, q, z) == pytest.approx(direct, abs=1e-12)


@pytest.mark.parametrize(("call", "argument"), [
    (lambda: PointCharges(exact.SQUARE, np.ones(2), np.zeros(3)), "heights"),
    (lambda: PointCharges(exact.SQUARE, np.ones(2), np.zeros(2), 2.0), "tolerance"),
    (lambda: PointCharges(exact.SQUARE, np.ones(2), np.zeros(2)).energy_and_forces(np.zeros((3, 2))), "charges"),
    (lambda: PointCharges(exact.SQUARE, np.ones(2), np.zeros(2)).energy_and_forces(np.zeros((2, 2))), "displacements"),
    (lambda: PointCharges([[1, 0], [2, 0]], np.ones(1), np.zeros(1)), "cell.vectors"),
    (lambda: ewald.energy_forces_stress(exact.SQUARE, np.zeros((1, 2)), np.ones(2), np.ones(1)), "charges"),
])
def test_bad_input_is_named(call, argument):
    with pytest.raises(InputError) as error:
        call()
    assert error.value.argument == argument
