"""Hessian and dynamical matrix against differences, a plain Fourier sum, folded supercells and sum rules."""

from __future__ import annotations

import numpy as np
import pytest

import exact
from ehbilayer.errors import InputError
from ehbilayer.interaction.lattice_sums import potential as ewald
from ehbilayer.interaction.lattice_sums.derivatives import ForceConstants, dynamical_matrix, hessian, long_wave
from ehbilayer.numerics.lattice import Cell, lattice_points

CELL = np.array([[1.3, 0.2], [0.5, 2.1]])
RNG = np.random.default_rng(0)
WHERE, CHARGE, HEIGHT = RNG.random((4, 2)) @ CELL, np.array([-1.0, 2.0, 1.0, -1.0]), np.array([0.0, 0.7, 0.7, 3.0])
WAVES = RNG.normal(size=(3, 2)) * 7  # in and outside the first zone


def test_hessian_is_the_difference_of_forces():
    h, matrix = 1e-4, hessian(CELL, WHERE, CHARGE, HEIGHT)
    for i in range(4):
        for a in range(2):
            forces = []
            for k in (-2, -1, 1, 2):
                moved = WHERE.copy()
                moved[i, a] += k * h
                forces.append(ewald.energy_and_forces(CELL, moved, CHARGE, HEIGHT)[1])
            column = -(forces[0] - 8 * forces[1] + 8 * forces[2] - forces[3]) / (12 * h)
            np.testing.assert_allclose(matrix[i, a], column, atol=1e-9 * np.abs(matrix).max())


def test_moving_all_charges_costs_nothing():
    matrix = hessian(CELL, WHERE, CHARGE, HEIGHT)
    np.testing.assert_allclose(matrix.sum(axis=2), 0, atol=1e-13 * np.abs(matrix).max())
    np.testing.assert_allclose(matrix, matrix.transpose(2, 3, 0, 1), atol=1e-13)


def test_hermitian_and_continuous_over_the_edge_of_the_zone():
    d = dynamical_matrix(CELL, WHERE, CHARGE, HEIGHT, WAVES)
    np.testing.assert_allclose(d, d.conj().transpose(0, 3, 4, 1, 2), atol=1e-13 * np.abs(d).max())
    turned = dynamical_matrix(CELL, WHERE, CHARGE, HEIGHT, -WAVES)
    np.testing.assert_allclose(turned, d.conj(), atol=1e-13 * np.abs(d).max())
    g = Cell(CELL).reciprocal.T @ [2, -1]
    phase = np.exp(1j * (WHERE[None] - WHERE[:, None]) @ g)  # e^{iG(r_j - r_i)}
    np.testing.assert_allclose(dynamical_matrix(CELL, WHERE, CHARGE, HEIGHT, WAVES + g),
                               d * phase[None, :, None, :, None], atol=1e-12 * np.abs(d).max())


@pytest.mark.parametrize("multiple", [(0, 0), (1, 0), (2, 1), (4, 3)])
def test_folding_a_supercell(multiple):
    s = np.array([[2, 1], [-1, 2]])
    large = s @ CELL
    offsets = lattice_points(Cell(large), s)
    n = len(offsets)
    where = (offsets[:, None] + WHERE).reshape(-1, 2)
    whole = hessian(large, where, np.tile(CHARGE, n), np.tile(HEIGHT, n)).reshape(n, 4, 2, n, 4, 2)
    q = np.array(multiple) @ Cell(large).reciprocal
    wave = np.exp(1j * where @ q).reshape(n, 4)
    folded = np.einsum("mi,mialjb,lj->iajb", wave.conj(), whole, wave) / n
    direct = dynamical_matrix(CELL, WHERE, CHARGE, HEIGHT, q[None])[0]
    np.testing.assert_allclose(direct, folded, atol=1e-13 * np.abs(direct).max())


def test_slope_is_the_derivative():
    forces, h = ForceConstants(CELL, WHERE, CHARGE, HEIGHT), 1e-4
    slope = forces.slope(WAVES)
    for c in range(2):
        step = h * np.eye(2)[c]
        d = [forces.dynamical_matrix(WAVES + k * step) for k in (-2, -1, 1, 2)]
        np.testing.assert_allclose(slope[:, c], (d[0] - 8 * d[1] + 8 * d[2] - d[3]) / (12 * h),
                                   atol=1e-8 * np.abs(slope).max())


def test_far_layers_couple_as_the_plain_fourier_sum():
    d, where = 2.5, np.array([[0.1, 0.3], [0.6, 0.2]])
    q = np.array([[0.7, -1.1], [2.9, 0.4]])
    found = dynamical_matrix(exact.SQUARE, where, np.array([1.0, -1.0]), np.array([0.0, d]), q)[:, 0, :, 1]
    n = np.arange(-12, 13)
    g = 2 * np.pi * np.stack(np.meshgrid(n, n), -1).reshape(-1, 2)
    for k, block in zip(q, found, strict=True):
        waves = k + g
        size = np.linalg.norm(waves, axis=1)
        weight = -2 * np.pi / size * np.exp(-size * d) * np.exp(1j * g @ (where[0] - where[1]))
        np.testing.assert_allclose(block, np.einsum("w,wa,wb->ab", weight, waves, waves), atol=1e-14)


def test_trace_over_a_layer_is_no_more_than_the_long_wave():
    """The squares of the frequencies of one layer add up over the zone to what the sum rule says.

    D(q) - D(0) has zero average over the zone but for the term on the charge itself: <D> = -C(0), and by Laplace's
    equation in two dimensions with 1/r the trace of C(0) is -sum' 1/R^3, here summed as it stands.
    """
    n = 24
    q = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n] * 2, indexing="ij"), -1).reshape(-1, 2)
    trace = np.einsum("miaia->m", dynamical_matrix(exact.SQUARE, np.zeros((1, 2)), np.ones(1), np.zeros(1),
                                                   q @ Cell(exact.SQUARE).reciprocal)).real
    # sum' 1/R^3 over the square lattice: 4 zeta(3/2) beta(3/2)
    cubes = 4 * 2.612375348685488 * 0.8645026534612018
    finer = np.einsum("miaia->m", dynamical_matrix(
        exact.SQUARE, np.zeros((1, 2)), np.ones(1), np.zeros(1),
        (q.reshape(n, n, 2)[::2, ::2].reshape(-1, 2) + 0.5 / n) @ Cell(exact.SQUARE).reciprocal)).real
    # the plasmon's |q| makes the mean of a mesh of n points wrong by c/n^3: take it out with the mesh of n/2
    mean = (8 * trace.mean() - finer.mean()) / 7
    assert mean == pytest.approx(cubes, rel=2e-6)


def test_long_waves_of_charged_layers():
    q = np.array([[3e-3, 1e-3], [-1e-3, 2e-3]])
    forces = ForceConstants(CELL, WHERE, CHARGE, HEIGHT)
    rest = forces.dynamical_matrix(q) - long_wave(forces.area, CHARGE, HEIGHT, q)
    other = forces.dynamical_matrix(2 * q) - long_wave(forces.area, CHARGE, HEIGHT, 2 * q)
    zero = forces.dynamical_matrix(np.zeros((1, 2)))
    # what is left is quadratic in q up to phases, which are linear and imaginary
    np.testing.assert_allclose((other - zero).real, 4 * (rest - zero).real, atol=2e-6)
    assert np.abs(long_wave(forces.area, CHARGE, HEIGHT, q)).max() > 1e-3


@pytest.mark.parametrize(("call", "argument"), [
    (lambda: hessian(CELL, WHERE, CHARGE[:2], HEIGHT), "charges"),
    (lambda: hessian(CELL, np.zeros((2, 2)), np.ones(2), np.zeros(2)), "positions"),
    (lambda: dynamical_matrix(CELL, WHERE, CHARGE, HEIGHT, np.zeros(2)), "q"),
    (lambda: dynamical_matrix(CELL, WHERE, CHARGE, HEIGHT, np.full((1, 2), np.nan)), "q"),
    (lambda: hessian(np.ones((2, 2)), WHERE, CHARGE, HEIGHT), "cell.vectors"),
])
def test_bad_input_is_named(call, argument):
    with pytest.raises(InputError) as error:
        call()
    assert error.value.argument == argument
