"""Ground states against a/d: transition points against independent one-line calculations and against the literature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

import exact
from ehbilayer.crystal.relaxation import relax
from ehbilayer.crystal.scan import Scan, solve_scan
from ehbilayer.crystal.search import Composition
from ehbilayer.crystal.sequence import CONTINUOUS, CROSSING, follow, locate, phase_of, settle
from ehbilayer.crystal.structures import named
from ehbilayer.hooks import Hooks
from ehbilayer.interaction.lattice_sums import potential as ewald
from ehbilayer.interaction.lattice_sums.derivatives import dynamical_matrix
from ehbilayer.numerics.lattice import Cell
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.studies.crystal import prepare as kind
from ehbilayer.studies.crystal.table import rows
from ehbilayer.studies.file import make_study


def phase(name, a_over_d, ratio=2, layers=1):
    return phase_of(relax(named(name, 1 / (math.pi * a_over_d**2), 1.0, ratio, layers)))


def rhombus_energy(a_over_d, degrees):
    """Energy per hole of dipoles on a rhombic lattice with electrons in its middle."""
    angle = math.radians(degrees)
    side = a_over_d * math.sqrt(math.pi / math.sin(angle))
    vectors = side * np.array([[1.0, 0.0], [math.cos(angle), math.sin(angle)]])
    places = np.array([[0.0, 0.0], [0.0, 0.0], [0.5, 0.5]]) @ vectors
    return ewald.energy(vectors, places, np.array([1.0, -1.0, -1.0]), np.array([1.0, 0.0, 0.0]))


def test_the_two_composite_crystals_of_the_paper_cross_where_they_should():
    def difference(x):
        return phase("honeycomb", x).energy - phase("checkerboard", x).energy

    assert brentq(difference, 5, 6, rtol=1e-9) == pytest.approx(exact.COMPOSITE_CROSSING, abs=5e-5)


def test_where_the_square_begins_to_shear():
    """Checkerboard to rhombic: the second derivative by the angle, from energies alone."""
    def curvature(x, h=0.5):
        e = [rhombus_energy(x, 90 + k * h) for k in (-2, -1, 0, 1, 2)]
        return (-e[0] + 16 * e[1] - 30 * e[2] + 16 * e[3] - e[4]) / h**2

    found, = locate(phase("checkerboard", 4.8), phase("rhombic", 5.2))
    assert found.order == CONTINUOUS
    assert (found.below.name, found.above.name) == ("checkerboard", "rhombic")
    assert found.a_over_d == pytest.approx(brentq(curvature, 4.8, 5.2, rtol=1e-12), abs=3e-6)
    assert found.a_over_d == pytest.approx(5.061078, abs=1e-6)


def test_the_angle_moves_continuously_from_the_square():
    """The deviation from 90 degrees grows as the root of the distance."""
    start = phase("rhombic", 5.2)
    tilt = [90 - follow(start, 5.061078 * (1 + x)).crystal.cell_parameters()["gamma_degrees"] for x in (1e-3, 4e-3)]
    assert tilt[1] / tilt[0] == pytest.approx(2, rel=0.02)


def test_rhombic_and_honeycomb_cross():
    """First order: the lowest rhombus against the honeycomb."""
    def difference(x):
        return (minimize_scalar(lambda g: rhombus_energy(x, g), bracket=(76, 80, 84), tol=1e-8).fun
                - phase("honeycomb", x).energy)

    found, = locate(phase("rhombic", 5.4), phase("honeycomb", 5.55))
    assert found.order == CROSSING
    assert found.a_over_d == pytest.approx(brentq(difference, 5.4, 5.55, rtol=1e-11), abs=1e-7)
    assert found.a_over_d == pytest.approx(5.464363, abs=1e-6)
    assert min(found.below.curvature, found.above.curvature) > 0.02  # both are minima there


def test_a_saddle_beside_a_transition_reveals_the_phase_between():
    """From the tilted crystal to the checkerboard there are two steps, a very narrow phase in between."""
    found = locate(phase("tilted-diagonal", 1.2), phase("checkerboard", 1.4))
    assert [t.above.name for t in found] == ["tilted-axial", "checkerboard"]
    assert [t.order for t in found] == [CROSSING, CONTINUOUS]
    assert [t.a_over_d for t in found] == pytest.approx([1.285482, 1.289100], abs=2e-6)
    assert settle(phase("tilted-diagonal", 1.287)).name == "tilted-axial"


def test_following_keeps_a_structure_or_says_what_it_becomes():
    start = phase("rhombic", 5.4)
    there = follow(start, 5.2)
    assert there.name == "rhombic" and there.a_over_d == pytest.approx(5.2)
    assert there.energy == pytest.approx(phase("rhombic", 5.2).energy, abs=1e-13)
    assert follow(start, 4.5).name == "checkerboard"


@pytest.mark.parametrize(("name", "a_over_d"), [
    ("tilted-diagonal", 1.2), ("tilted-axial", 1.287), ("checkerboard", 3.0), ("rhombic", 5.3), ("honeycomb", 8.0)])
def test_ground_states_are_stable_at_every_wave_vector(name, a_over_d):
    """Larger cells, to first order in displacements: no mode of the whole zone lowers the energy."""
    crystal = phase(name, a_over_d).crystal
    steps = np.stack(np.meshgrid(np.arange(8), np.arange(8), indexing="ij"), axis=-1).reshape(-1, 2)[1:] / 8
    matrix = dynamical_matrix(crystal.vectors, crystal.positions, crystal.charges, crystal.heights,
                              steps @ Cell(crystal.vectors).reciprocal)
    n = 2 * len(crystal.species)
    assert np.linalg.eigvalsh(matrix.reshape(-1, n, n)).min() * crystal.length**3 > 1e-4


SMALL = Scan((5.3, 5.6), 1, 1, 1)


def test_a_scan_finds_sequence_and_transitions_and_goes_on_when_interrupted(tmp_path):
    lines: list[str] = []
    whole = solve_scan(Composition(1.0, 2.0, 1, 2), SMALL, Hooks(progress=lines.append))
    assert whole.status is Status.converged
    assert [p["structure"] for p in whole.summary["sequence"]] == ["rhombic", "honeycomb"]
    points = [t["a_over_d"] for t in whole.summary["transitions"]]
    assert points == pytest.approx([5.464363], abs=1e-6)
    assert len(whole.data["a_over_d"].values) == 4  # it looked again on both sides
    ground = whole.data["ground_energy"].values
    assert np.all(ground <= np.nanmin(whole.data["energy"].values, axis=0) + 1e-9)
    table = dict(rows(whole))
    assert table["a/d = 5.4643634"] == "rhombic to honeycomb, first order"

    told: list[str] = []
    part = solve_scan(Composition(1.0, 2.0, 1, 2), SMALL,
                      Hooks(progress=told.append, should_stop=lambda: Status.timeout if len(told) > 6 else None))
    assert part.status is Status.timeout and part.summary["starts_finished"] == 7
    part.save(tmp_path / "part.nc")
    (ax,) = part.plot().axes  # what it has is drawn: the lowest end of the starts at each a/d
    reached = part.data["start_a_over_d"].values
    assert sorted(x for line in ax.lines for x in line.get_xdata()) == pytest.approx(np.unique(np.round(reached, 9)))
    first = sum(line.startswith("look 1") for line in lines)
    rest: list[str] = []
    again = solve_scan(Composition(1.0, 2.0, 1, 2), SMALL, Hooks(
        initial=Result.load(tmp_path / "part.nc"), resumed=True, progress=rest.append,
        should_stop=lambda: Status.interrupted if sum(x.startswith("look 1") for x in rest) >= first - 7 else None))
    assert again.status is Status.interrupted  # all starts of the first look are there, none was computed twice
    assert again.summary["starts_finished"] == first


def test_a_scan_is_a_study():
    tables = {"kind": "crystal", "density": {"electrons_per_hole": 0},
              "crystal": {"layers": 2, "scan": [0.6, 0.7], "scan_points": 2, "starts": 1}}
    task = kind.prepare(make_study(tables))
    assert any("a/d from 0.6 to 0.7" in line for line in task.plan)
    result = task.solve(Hooks())
    assert [p["structure"] for p in result.summary["sequence"]] == ["staggered-triangular"]


def test_a_scan_knows_electrons_and_the_capacitor():
    scan, x = Scan((0.6, 0.7), 1, 1, 1), np.array([0.6, 0.7])
    alone = Composition(1.0, 1.0, 1, 0, 2, carrier="electron")
    plain, charged = (solve_scan(alone, scan, Hooks(), capacitor=on) for on in (False, True))
    assert set(plain.data["example_0_species"].values) == {"electron"}
    shift = -1 / x**2  # -2 pi d Q^2/A over 2Q charges, Q = n A, n = 1/(pi a^2); in e^2/d
    for name in ("energy", "ground_energy"):
        difference = charged.data[name].values - plain.data[name].values
        np.testing.assert_allclose(difference, np.broadcast_to(shift, difference.shape), rtol=1e-12)
    first, second = (r.summary["starts"][1]["energy"] for r in (plain, charged))
    assert second - first == pytest.approx(shift[1])


@pytest.mark.published
def test_same_charge_bilayer_has_its_known_phases():
    """Goldoni & Peeters, PRB 53, 4591 (1996): eta = d sqrt(n) at 0.262, 0.621, 0.732, the last of first order.

    Phase I (hexagonal) exists at zero distance only: Samaj & Trizac, EPL 98, 36004 (2012); PRB 85, 205131 (2012).
    """
    result = solve_scan(Composition(1.0, 1.0, 1, 0, 2), Scan(tuple(np.geomspace(0.5, 12, 12)), 2, 3, 1), Hooks())
    assert result.status is Status.converged
    assert [p["structure"] for p in result.summary["sequence"]] == [
        "staggered-triangular", "staggered-rhombic", "staggered-square", "staggered-rectangular"]
    eta = [1 / (math.sqrt(math.pi) * t["a_over_d"]) for t in result.summary["transitions"]]
    assert eta == pytest.approx([0.732, 0.621, 0.262], abs=1e-3)
    assert [t["order"] for t in result.summary["transitions"]] == [CROSSING, CONTINUOUS, CONTINUOUS]


@pytest.mark.published
def test_two_electrons_per_hole():
    """Dai & Fu print honeycomb above a/d = 5.42 and checkerboard below; relaxed cells hold three more phases."""
    result = solve_scan(Composition(1.0, 1.0, 1, 2), Scan(tuple(np.geomspace(1.05, 12, 14)), 4, 4, 1), Hooks(threads=2))
    assert [p["structure"] for p in result.summary["sequence"]] == [
        "tilted-diagonal", "tilted-axial", "checkerboard", "rhombic", "honeycomb"]
    assert [t["a_over_d"] for t in result.summary["transitions"]] == pytest.approx(
        [1.285482, 1.289100, 5.061078, 5.464363], abs=2e-6)
    assert [t["order"] for t in result.summary["transitions"]] == [CROSSING, CONTINUOUS, CONTINUOUS, CROSSING]


@pytest.mark.published
def test_the_large_search_of_the_paper():
    """128 electrons and 64 holes in one box at a/d = 2, from random starts: mostly checkerboard, with defects."""
    tables = {"kind": "crystal", "density": {"a_over_d": 2, "electrons_per_hole": 2},
              "crystal": {"holes_per_cell": 64, "relax": "positions", "starts": 2}}
    result = kind.prepare(make_study(tables)).solve(Hooks())
    checkerboard = phase("checkerboard", 2.0).energy
    assert result.status is Status.converged
    assert 0 < result.summary["energy_per_hole"] - checkerboard < 0.01 < phase("honeycomb", 2.0).energy - checkerboard
    places = result.data["positions"].values
    holes = result.data["species"].values == "hole"
    fraction = (places[holes][:, None] - places[~holes]) @ np.linalg.inv(result.data["vectors"].values)
    apart = np.linalg.norm((fraction - np.rint(fraction)) @ result.data["vectors"].values, axis=-1)
    assert np.all(apart.min(axis=1) < 0.3)  # every hole has an electron on top: no trions, no free holes
