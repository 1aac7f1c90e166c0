import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehbilayer.errors import InputError
from ehbilayer.numerics.lattice import (
    Cell,
    _shortest,
    box_of_shape,
    crystal_cell,
    distance_on_path,
    lattice_points,
    path_points,
    point_group,
    reduce_vectors,
)


@pytest.mark.parametrize(("shape", "holes"), [("triangular", 36), ("rectangular", 36), ("rectangular", 16),
                                              ("triangular", 12), ("triangular", 7)])
def test_crystals_in_fitting_boxes_are_triangular(shape, holes):
    box = box_of_shape(shape, float(holes))  # 12 and 7: lattices rotated against the torus fit as well
    s = crystal_cell(box, holes)
    cell = np.linalg.inv(s) @ box.vectors
    assert abs(np.linalg.det(s)) == pytest.approx(holes)
    a, b = np.linalg.norm(cell, axis=1)
    assert a == pytest.approx(b)
    assert abs(cell[0] @ cell[1]) == pytest.approx(a * b / 2)


def test_cells_of_two_sites_tile_the_lattice():
    box = box_of_shape("triangular", 36.0)
    one, two = crystal_cell(box, 36), crystal_cell(box, 36, 2)
    assert abs(round(np.linalg.det(two))) == 18
    sites = lattice_points(box, one) @ np.linalg.inv(np.linalg.inv(one) @ box.vectors)
    corners = lattice_points(box, two) @ np.linalg.inv(np.linalg.inv(one) @ box.vectors)
    assert len(sites) == 36
    assert np.allclose(corners, np.rint(corners), atol=1e-9)


@given(st.integers(-5, 5), st.integers(-5, 5), st.floats(0.3, 3), st.floats(0.1, 3))
def test_reduction_keeps_the_lattice(i, j, stretch, tilt):
    vectors = np.array([[1.0, 0.0], [tilt, stretch]])
    u = np.array([[1, i], [j, 1 + i * j]])
    reduced, turn = reduce_vectors(u @ vectors)
    assert round(np.linalg.det(turn)) == 1
    assert np.allclose(turn @ u @ vectors, reduced)
    a, b = reduced
    assert abs(a @ b) <= 0.5 * (1 + 1e-6) * (a @ a) + 1e-9
    assert a @ a <= b @ b * (1 + 1e-9)


def test_shortest_vectors_of_many_lattices_at_once():
    cells = np.random.default_rng(4).normal(size=(200, 2, 2)) * np.array([[1.0, 30.0], [4.0, 0.2]])
    cells = np.concatenate([cells, [[[1, 0], [0.5, np.sqrt(0.75)]], [[1, 0], [7.5, np.sqrt(0.75)]], [[2, 0], [1, 2]]]])
    one_by_one = [float(v[0] @ v[0]) for v, _ in map(reduce_vectors, cells)]
    assert _shortest(cells) == pytest.approx(one_by_one, rel=1e-12)


def test_reciprocal_and_scaling():
    cell = Cell(np.array([[2.0, 0.1], [0.4, 1.5]]))
    assert np.allclose(cell.reciprocal @ cell.vectors.T, 2 * np.pi * np.eye(2))
    assert cell.scaled(7.0).area == pytest.approx(7.0)


@pytest.mark.parametrize(("shape", "order"), [("triangular", 12), ("square", 8), ("rectangular", 4)])
def test_point_groups_have_their_order(shape, order):
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])  # whatever the orientation
    assert len(point_group(Cell(box_of_shape(shape, 2.0).vectors @ turn.T))) == order


def test_path_visits_k_and_m():
    for vectors in ([[1.0, 0.0], [0.5, np.sqrt(0.75)]], [[1.0, 0.0], [-0.5, np.sqrt(0.75)]]):
        cell = Cell(np.array(vectors))
        k, where, marks = path_points(cell, 10)
        corner, edge = (k[np.argmin(abs(where - marks[i][0]))] for i in (1, 2))
        b = np.linalg.norm(cell.reciprocal[0])
        assert np.linalg.norm(corner) == pytest.approx(b / np.sqrt(3))
        assert np.linalg.norm(edge) == pytest.approx(b / 2)
        assert np.linalg.norm(corner - edge) == pytest.approx(b / np.sqrt(12))
        shifted = k + np.array([1, -2]) @ cell.reciprocal
        found = distance_on_path(cell, shifted)
        assert np.allclose(found[:-1], where[:-1], atol=1e-6)
    assert np.isnan(distance_on_path(cell, np.array([[0.1, 0.377]]))[0])


@pytest.mark.parametrize(("vectors", "names"), [
    ([[1, 0], [0, 1]], "ΓXMΓ"), ([[1, 0], [0, 1.7]], "ΓXSYΓ"), ([[1, 0], [0.3, 1.2]], "ΓXSYΓ"),
    ([[1, 0], [-0.5, np.sqrt(0.75)]], "ΓKMΓ")])
def test_paths_follow_the_lattice(vectors, names):
    """Corners are points of the zone's edge with the name of their own lattice, and k points find their place."""
    cell = Cell(np.array(vectors, dtype=float))
    k, where, marks = path_points(cell, 8)
    assert "".join(name for _, name in marks) == names
    edges = {"X", "Y", "S"} | ({"M"} if "X" in names else set())
    half = np.array([k[np.argmin(abs(where - x))] for x, name in marks if name in edges])
    if len(half):  # half reciprocal vectors
        twice = 2 * half @ np.linalg.inv(cell.reciprocal)
        assert np.allclose(twice, np.rint(twice)) and np.abs(np.rint(twice)).sum() > 0
    found = distance_on_path(cell, k + np.array([-1, 2]) @ cell.reciprocal)
    assert np.allclose(found[:-1], where[:-1], atol=1e-6)


@pytest.mark.parametrize("vectors", [[[1, 0], [2, 0]], [[np.nan, 0], [0, 1]], [[1, 0, 0], [0, 1, 0]]])
def test_bad_cells_are_refused(vectors):
    with pytest.raises(InputError, match="two independent finite vectors"):
        Cell(np.array(vectors))


def test_bad_shapes_and_counts_are_refused():
    with pytest.raises(InputError, match="triangular"):
        box_of_shape("hexagon", 1.0)
    with pytest.raises(InputError, match="positive"):
        box_of_shape("square", -1.0)
    with pytest.raises(InputError, match="divisor"):
        crystal_cell(box_of_shape("square", 1.0), 36, 5)
