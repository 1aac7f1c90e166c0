"""The lattice sums against closed forms, plain Fourier sums, published crystals and themselves split otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import exact
from ehbilayer.errors import InputError
from ehbilayer.interaction.lattice_sums import potential as ewald
from ehbilayer.numerics.lattice import Cell

LATTICES = {lattice.name: lattice for lattice in exact.LATTICES}
entries = st.floats(-3, 3, allow_subnormal=False)
cells = st.lists(entries, min_size=4, max_size=4).map(lambda v: np.array(v).reshape(2, 2))


def unit_cell(vectors):
    """The cell scaled to unit area; needles are left out, their sums are long."""
    size = np.linalg.norm(vectors, axis=1)
    assume(abs(np.linalg.det(vectors)) > 0.02 * max(size) ** 2)
    return Cell(vectors).scaled(1.0).vectors


def fourier_potential(vectors, points, d):
    """(1/A) sum 2 pi e^{-kd}/k e^{ikr}, summed as it stands until e^{-kd} < 1e-17 of the first term."""
    b = 2 * np.pi * np.linalg.inv(vectors).T
    largest = 40 / d + min(np.linalg.norm(b, axis=1))
    n = np.ceil(largest * np.linalg.norm(vectors, axis=1) / (2 * np.pi)).astype(int)
    m = np.stack(np.meshgrid(np.arange(-n[0], n[0] + 1), np.arange(-n[1], n[1] + 1)), -1).reshape(-1, 2)
    q = (m @ b)[np.any(m != 0, axis=1)]
    k = np.linalg.norm(q, axis=1)
    q, k = q[k < largest], k[k < largest]
    return np.cos(points @ q.T) @ (2 * np.pi * np.exp(-k * d) / k) / abs(np.linalg.det(vectors))


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("area", [1.0, 1e-7, 3e9])
def test_madelung_constants_are_the_closed_forms(name, area):
    lattice = LATTICES[name]
    vectors = Cell(lattice.vectors).scaled(area).vectors
    assert ewald.madelung_potential(vectors) * np.sqrt(area) == pytest.approx(lattice.madelung, abs=2e-14)


@pytest.mark.parametrize("name", LATTICES)
def test_static_crystals_have_the_published_energy(name):
    lattice = LATTICES[name]
    vectors = Cell(lattice.vectors).scaled(np.pi).vectors  # r_s = 1
    value = ewald.energy(vectors, np.zeros((1, 2)), np.ones(1), np.zeros(1))
    assert value == pytest.approx(lattice.energy_rs, abs=lattice.digits)


@settings(deadline=None, max_examples=30)
@given(cells, st.floats(0.15, 6), st.lists(entries, min_size=2, max_size=2))
def test_potential_is_the_plain_fourier_sum(vectors, d, point):
    vectors = unit_cell(vectors)
    points = np.array([point, [0.0, 0.0]])
    direct = fourier_potential(vectors, points, d)
    # needles have potentials of up to some 10/sqrt(A): round-off of both sums counts in units of the value
    np.testing.assert_allclose(ewald.potential(vectors, points, d), direct, rtol=1e-14, atol=3e-14)
    assert ewald.madelung_potential(vectors, d) == pytest.approx(direct[1] - 1 / d, rel=1e-14, abs=3e-14)


def test_potential_of_a_far_layer_keeps_its_relative_accuracy():
    points = np.array([[0.1, 0.2], [0.7, -0.4]])
    value = ewald.potential(exact.SQUARE, points, 8.0)
    assert abs(value[0]) < 1e-20
    np.testing.assert_allclose(value, fourier_potential(exact.SQUARE, points, 8.0), rtol=1e-12)


@settings(deadline=None, max_examples=30)
@given(cells, st.floats(0, 3), st.floats(0.35, 1.6))
def test_where_the_sum_is_split_does_not_matter(vectors, d, r0):
    vectors = unit_cell(vectors)
    sums = ewald.lattice_sum(vectors, d, splitting=r0)
    assert ewald._madelung(sums, d) == pytest.approx(ewald.madelung_potential(vectors, d), abs=3e-14)


@settings(deadline=None, max_examples=20)
@given(cells, st.floats(0.0, 2), st.integers(1, 3), st.integers(1, 3), st.integers(-2, 2))
def test_a_supercell_holds_the_same_potential(vectors, d, n1, n2, shear):
    vectors = unit_cell(vectors)
    large = np.array([[n1, shear], [0, n2]]) @ vectors
    copies = np.stack(np.meshgrid(np.arange(n1), np.arange(n2)), -1).reshape(-1, 2)
    # the copies of the charge in the large cell, seen from one point of it
    place = np.array([0.31, 0.17]) @ vectors
    seen = ewald.potential(large, place - copies @ vectors, d).sum()
    assert seen == pytest.approx(float(ewald.potential(vectors, place[None], d)[0]), abs=2e-13)


@pytest.mark.parametrize("d", [0.0, 0.4])
def test_energy_per_charge_of_a_supercell(d):
    cell, s = exact.TRIANGULAR, np.array([[2, 1], [-1, 3]])  # 7 cells
    sites, q, z = np.array([[0.0, 0.0], [0.4, 0.1]]), np.array([1.0, -2.0]), np.array([0.0, d])
    offsets = np.stack(np.meshgrid(np.arange(7), np.arange(7)), -1).reshape(-1, 2)
    inside = (offsets - 2) @ np.linalg.inv(s)
    copies = (offsets - 2)[np.all((inside > -1e-9) & (inside < 1 - 1e-9), axis=1)] @ cell
    assert len(copies) == 7
    many = (sites[:, None] + copies).reshape(-1, 2)
    small, push = ewald.energy_and_forces(cell, sites, q, z)
    large, force = ewald.energy_and_forces(s @ cell, many, np.repeat(q, 7), np.repeat(z, 7))
    assert large / 7 == pytest.approx(small, abs=1e-12)
    np.testing.assert_allclose(force, np.repeat(push, 7, axis=0), atol=1e-11)


@settings(deadline=None, max_examples=10)
@given(cells, st.floats(0.05, 1.5))
def test_potential_averages_to_zero(vectors, d):
    vectors = unit_cell(vectors)
    # a grid average picks out the Fourier coefficients on the reciprocal lattice of the grid: all below 1e-13 here
    n = np.ceil(5.5 * np.linalg.norm(vectors, axis=1) / d).astype(int) + 1
    assume(n[0] * n[1] < 60_000)
    grid = np.stack(np.meshgrid(np.arange(n[0]) / n[0], np.arange(n[1]) / n[1]), -1).reshape(-1, 2)
    assert ewald.potential(vectors, grid @ vectors, d).mean() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", LATTICES)
def test_distance_goes_to_zero_smoothly(name):
    vectors = Cell(LATTICES[name].vectors).scaled(1.0).vectors
    here = ewald.madelung_potential(vectors)
    for d in (5e-324, 1e-300, 1e-160, 1e-20, 1e-9, 1e-5):
        # M(d) = M(0) + 2 pi d / A + O(d^2)
        assert ewald.madelung_potential(vectors, d) == pytest.approx(here + 2 * np.pi * d, abs=1e-14 + 20 * d**2)
    assert ewald.madelung_slope(vectors, 0.0) == pytest.approx(2 * np.pi, abs=1e-13)


@settings(deadline=None, max_examples=30)
@given(cells, st.floats(0.01, 4))
def test_madelung_slope_is_the_derivative(vectors, d):
    vectors, h = unit_cell(vectors), 1e-3 * min(d, 1)
    m = [ewald.madelung_potential(vectors, d + i * h) for i in (-2, -1, 1, 2)]
    slope = (m[0] - 8 * m[1] + 8 * m[2] - m[3]) / (12 * h)
    assert ewald.madelung_slope(vectors, d) == pytest.approx(slope, abs=1e-9 + 1e-13 / h)


@pytest.mark.parametrize("x", [0.0199999999, 0.02, 0.0200000001])
def test_self_term_series_meets_the_closed_form(x):
    def closed(x):
        from scipy.special import erf
        return erf(x) / x**2 - 2 / np.sqrt(np.pi) * np.exp(-x * x) / x
    assert ewald._self_slope(x, 1.0) == pytest.approx(closed(x), abs=5e-13)


@settings(deadline=None, max_examples=15)
@given(cells, st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_forces_are_the_derivative_of_the_energy(vectors, seed, n):
    vectors, rng = unit_cell(vectors), np.random.default_rng(seed)
    where, q = rng.random((n, 2)) @ vectors, rng.choice([-1.0, 1.0, 2.0], n)
    z = 0.15 * np.arange(n)  # apart, so that random points are never close
    force = ewald.energy_and_forces(vectors, where, q, z)[1]
    step, h = rng.normal(size=(n, 2)), 1e-4
    e = [ewald.energy(vectors, where + i * h * step, q, z) for i in (-2, -1, 1, 2)]
    derivative = (e[0] - 8 * e[1] + 8 * e[2] - e[3]) / (12 * h)
    assert np.sum(force * step) == pytest.approx(-derivative, abs=1e-7)
    np.testing.assert_allclose(force.sum(axis=0), 0, atol=1e-11)


def test_energy_is_the_sum_over_pairs_of_the_potential():
    rng, n = np.random.default_rng(3), 7
    where, q = rng.random((n, 2)) @ exact.TRIANGULAR, rng.normal(size=n)
    z = rng.choice([0.0, 0.5, 2.0], n)
    value = 0.5 * q @ q * ewald.madelung_potential(exact.TRIANGULAR)
    for i in range(n):
        for j in range(i):
            value += q[i] * q[j] * ewald.potential(exact.TRIANGULAR, where[[i]] - where[j], abs(z[i] - z[j]))[0]
    assert ewald.energy(exact.TRIANGULAR, where, q, z) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("cluster", exact.CLUSTERS, ids=lambda c: c.name)
def test_clusters_in_a_large_cell(cluster):
    area, q, z = 1e8, np.array(cluster.charges, dtype=float), np.array(cluster.heights)
    vectors = Cell(exact.TRIANGULAR).scaled(area).vectors
    value, force = ewald.energy_and_forces(vectors, np.array(cluster.positions), q, z)
    # alone in the plane: take out its own images, and the capacitor's finite part left out with the zero average
    alone = value - 0.5 * q.sum() ** 2 * ewald.madelung_potential(vectors)
    assert alone == pytest.approx(cluster.energy, abs=cluster.digits / 2 + 1e-6)
    np.testing.assert_allclose(force, 0, atol=1e-6)


def composite_energy(name, a):
    vectors = Cell(LATTICES[name].vectors).scaled(np.pi * a**2).vectors
    where = np.vstack([np.zeros((2, 2)), exact.COMPOSITE_CENTRES[name] @ vectors])
    value, force = ewald.energy_and_forces(vectors, where, np.array([1.0, -1.0, -1.0]), np.array([0.0, 1.0, 1.0]))
    np.testing.assert_allclose(force, 0, atol=1e-13)
    return value


def test_composite_crystals_cross_where_published():
    below, above = (composite_energy("triangular", a) - composite_energy("square", a)
                    for a in (exact.COMPOSITE_CROSSING - 1e-4, exact.COMPOSITE_CROSSING + 1e-4))
    assert above < 0 < below


def test_a_looser_tolerance_is_cheaper_and_kept():
    loose, tight = ewald.lattice_sum(exact.SQUARE, tolerance=1e-5), ewald.lattice_sum(exact.SQUARE)
    assert len(loose.images) < len(tight.images) and len(loose.waves) < len(tight.waves)
    assert ewald.madelung_potential(exact.SQUARE, tolerance=1e-5) == pytest.approx(exact.LATTICES[1].madelung, abs=1e-5)


@pytest.mark.parametrize(("call", "argument"), [
    (lambda: ewald.madelung_potential([[1, 0], [2, 0]]), "cell.vectors"),
    (lambda: ewald.madelung_potential(exact.SQUARE, -1.0), "distance"),
    (lambda: ewald.madelung_potential(exact.SQUARE, float("nan")), "distance"),
    (lambda: ewald.madelung_potential(exact.SQUARE, tolerance=0.0), "tolerance"),
    (lambda: ewald.lattice_sum(exact.SQUARE, splitting=0.0), "splitting"),
    (lambda: ewald.potential(exact.SQUARE, np.zeros(2), 1.0), "displacements"),
    (lambda: ewald.potential(exact.SQUARE, np.array([[3.0, -1.0]]), 0.0), "displacements"),
    (lambda: ewald.energy(exact.SQUARE, np.zeros((1, 2)), np.ones(2), np.ones(1)), "charges"),
    (lambda: ewald.energy(exact.SQUARE, np.zeros((2, 2)), np.ones(2), np.zeros(2)), "displacements"),
])
def test_bad_input_is_named(call, argument):
    with pytest.raises(InputError) as error:
        call()
    assert error.value.argument == argument
