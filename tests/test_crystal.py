"""Relaxation against closed forms, finite differences of the lattice sums, and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import exact
from ehbilayer.crystal.record import capacitor_energy
from ehbilayer.crystal.relaxation import curvatures, displaced, relax
from ehbilayer.crystal.search import Composition
from ehbilayer.crystal.structures import Crystal, named
from ehbilayer.crystal.symmetry import identify
from ehbilayer.errors import InputError
from ehbilayer.interaction.lattice_sums import potential as ewald
from ehbilayer.status import Status

LATTICES = {lattice.name: lattice for lattice in exact.LATTICES}


def at(a_over_d, name, ratio=2, layers=1):
    """A named structure with d = 1."""
    return named(name, 1 / (math.pi * a_over_d**2), 1.0, ratio, layers)


def energy_of(crystal):
    return ewald.energy(crystal.vectors, crystal.positions, crystal.charges, crystal.heights)


@pytest.mark.parametrize("seed", range(3))
def test_one_layer_becomes_triangular(seed):
    """Any start in any cell of 1, 2 or 3 charges: Bonsall and Maradudin's lattice of lowest energy."""
    start = Composition(1 / math.pi, 0.0, seed + 1, 0).random(seed)
    end = relax(start)
    assert end.converged and identify(end.crystal).name == "triangular"
    assert end.crystal.area == pytest.approx(start.area, rel=1e-12)
    lattice = LATTICES["triangular"]
    assert end.energy_per_hole == pytest.approx(lattice.madelung / 2 / math.sqrt(math.pi), abs=1e-12)
    assert end.energy_per_hole == pytest.approx(lattice.energy_rs, abs=lattice.digits)


def test_the_square_lattice_is_a_saddle_that_its_symmetry_keeps():
    end = relax(named("square", 1 / math.pi, 0.0, 0))
    assert end.converged and end.energy_per_hole == pytest.approx(LATTICES["square"].energy_rs, abs=1e-6)
    values, modes = curvatures(end.crystal)
    assert values[0] < -0.01
    downhill = relax(displaced(end.crystal, modes[0], 0.05))
    assert identify(downhill.crystal).name == "triangular"


def test_an_end_is_at_rest_by_finite_differences():
    """Forces and the traceless stress, from energies alone."""
    start = Composition(1 / (math.pi * 9), 1.0, 2, 4).random(4)
    end = relax(start)
    crystal, h = end.crystal, 1e-4
    assert end.converged
    for charge, axis in ((0, 0), (3, 1), (5, 0)):
        step = np.zeros_like(crystal.positions)
        step[charge, axis] = h
        slope = (energy_of(crystal.moved(crystal.vectors, crystal.positions + step))
                 - energy_of(crystal.moved(crystal.vectors, crystal.positions - step))) / (2 * h)
        assert slope == pytest.approx(0, abs=1e-9)
    for strain in (np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])):
        both = [np.eye(2) + sign * h * strain for sign in (1, -1)]
        slope = np.diff([energy_of(crystal.moved(crystal.vectors @ s, crystal.positions @ s)) for s in both])[0]
        assert slope / (2 * h) == pytest.approx(0, abs=1e-8)


def test_curvatures_are_second_differences_of_the_energy():
    crystal = relax(at(5.4, "rhombic")).crystal
    values, modes = curvatures(crystal)
    assert np.sum(np.abs(values) < 1e-12) == 2  # the translations
    for k in (2, 4, len(values) - 1):
        h = 3e-2 if abs(values[k]) < 1e-2 else 1e-3
        up, down = (energy_of(displaced(crystal, modes[k], s * h)) for s in (1, -1))
        assert (up + down - 2 * energy_of(crystal)) / h**2 == pytest.approx(values[k], rel=2e-3, abs=1e-8)


def test_the_angle_of_the_rhombic_crystal_is_that_of_a_line_search():
    end = relax(at(5.4, "rhombic"))

    def energy(degrees):
        angle = math.radians(degrees)
        vectors = np.array([[1.0, 0.0], [math.cos(angle), math.sin(angle)]])
        vectors *= math.sqrt(math.pi * 5.4**2 / math.sin(angle))
        places = np.array([[0.0, 0.0], [0.0, 0.0], [0.5, 0.5]]) @ vectors
        return ewald.energy(vectors, places, np.array([1.0, -1.0, -1.0]), np.array([1.0, 0.0, 0.0]))

    best = minimize_scalar(energy, bracket=(78, 81, 84), tol=1e-9)
    assert end.energy == pytest.approx(best.fun, abs=1e-12)
    assert end.crystal.cell_parameters()["gamma_degrees"] == pytest.approx(best.x, abs=1e-3)


def test_far_layers_are_two_triangular_crystals():
    """a/d << 1: the sum of both energies, but for the strain that a common cell costs the electrons."""
    end = relax(at(0.3, "decoupled"))
    triangular = LATTICES["triangular"].energy_rs / 0.3
    assert end.converged
    assert end.energy_per_hole == pytest.approx(triangular * (1 + 2 * math.sqrt(2)), rel=1e-4)
    assert end.energy_per_hole > triangular * (1 + 2 * math.sqrt(2))


def test_dilute_trions_have_the_energy_of_a_free_trion_and_of_their_lattice():
    trion = next(c for c in exact.CLUSTERS if c.name == "trion")
    radius = trion.positions[1][0]
    free = -2 / math.hypot(radius, 1) + 1 / (2 * radius)
    end = relax(at(100.0, "trion-crystal"))
    assert end.converged and identify(end.crystal).name == "trion-crystal"
    whole = end.energy + capacitor_energy(end.crystal)  # the energy of charges in their backgrounds, nothing left out
    assert whole == pytest.approx(free + LATTICES["triangular"].energy_rs / 100, abs=3e-6)
    holes = np.array([s == "hole" for s in end.crystal.species])
    apart = end.crystal.positions[~holes] - end.crystal.positions[holes]
    apart = apart @ np.linalg.inv(end.crystal.vectors)
    apart = (apart - np.rint(apart)) @ end.crystal.vectors
    np.testing.assert_allclose(np.linalg.norm(apart, axis=1), radius, rtol=1e-3)


def test_the_trion_crystal_falls_apart_into_a_composite_crystal():
    end = relax(at(2.0, "trion-crystal"))
    values, modes = curvatures(end.crystal)
    assert end.converged and values[0] < -0.1
    assert identify(relax(displaced(end.crystal, modes[0], 0.05)).crystal).name == "checkerboard"


def test_positions_alone_keep_the_cell():
    start = Composition(1 / (math.pi * 4), 1.0, 2, 4).random(3, "rectangular")
    end = relax(start, "positions")
    assert end.converged and end.max_stress == 0
    cell, was = end.crystal.cell_parameters(), start.cell_parameters()
    assert cell == pytest.approx(was)
    assert end.energy >= relax(start, "cell").energy


def test_none_only_evaluates():
    start = Composition(1 / (math.pi * 4), 1.0, 1, 2).random(3)
    end = relax(start, "none")
    assert end.energy == pytest.approx(energy_of(start), abs=1e-12) and end.iterations == 0
    assert not end.converged
    assert relax(at(2.0, "honeycomb"), "none").converged  # no forces by symmetry


def test_lack_of_iterations_and_stops_are_no_convergence():
    start = Composition(1 / (math.pi * 4), 1.0, 2, 4).random(3)
    assert not relax(start, max_iterations=2).converged
    asked = []

    def should_stop():
        asked.append(1)
        return Status.timeout if len(asked) > 3 else None

    end = relax(start, should_stop=should_stop)
    assert end.stopped is Status.timeout and not end.converged


def test_many_charges_relax_by_gradients_first():
    start = Composition(1 / (math.pi * 4), 1.0, 16, 32).random(1, "square")
    end = relax(start, "positions")
    assert end.converged and end.max_force < 1e-11
    assert -2.2807 < end.energy_per_hole < -2.25  # above the checkerboard, by its defects


def test_capacitor_energy_of_charged_layers():
    crystal = at(2.0, "honeycomb").repeated(np.diag([2, 1]))
    assert capacitor_energy(crystal) == pytest.approx(2 * math.pi * 4 * 2 / crystal.area)
    assert capacitor_energy(named("square", 1.0, 0.0, 0)) == 0


def test_bad_input():
    crystal = at(2.0, "honeycomb")
    with pytest.raises(InputError, match="relax: "):
        relax(crystal, "all")
    with pytest.raises(InputError, match="tolerance: "):
        relax(crystal, tolerance=0.0)
    with pytest.raises(InputError):
        Crystal(crystal.vectors * np.nan, crystal.positions, crystal.charges, crystal.heights, crystal.species)
