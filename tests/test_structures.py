"""Named structures: densities, symmetry by spglib, names that survive rotation, supercells and noise; bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ehbilayer.crystal.structures import Crystal, named, structure_names
from ehbilayer.crystal.symmetry import identify, primitive_crystal
from ehbilayer.errors import InputError

COMPOSITIONS = ((0, 1), (0, 2), (1, 1), (2, 1), (3, 1))
ALL = [(name, ratio, layers) for ratio, layers in COMPOSITIONS for name in structure_names(ratio, layers)
       if name != "decoupled"]
# layer groups and their numbers, International Tables for Crystallography E
GROUPS = {("honeycomb", 2): ("p3m1", 69), ("checkerboard", 2): ("p4mm", 55), ("rhombic", 2): ("cmm2", 26),
          ("tilted-diagonal", 2): ("pma2", 24), ("tilted-axial", 2): ("cmm2", 26),
          ("trion-crystal", 2): ("cmm2", 26), ("triangular", 1): ("p6mm", 77), ("square", 1): ("p4mm", 55),
          ("triangular", 0): ("p6/mmm", 80), ("staggered-square", 0): ("p4/nmm", 64),
          ("staggered-triangular", 0): ("p-3m1", 72)}


def spacing_of(ratio, layers):
    return 0.0 if ratio == 0 and layers == 1 else 0.4


def moved(crystal, rng, noise):
    """The crystal in another, skewed cell, rotated, shifted and with noise on its positions."""
    big = crystal.repeated(np.array([[2, 1], [-1, 1]]))
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    shift = rng.normal(size=2) + noise * rng.normal(size=big.positions.shape)
    return big.moved(np.array([[1, 0], [3, 1]]) @ big.vectors @ turn, big.positions @ turn + shift)


@pytest.mark.parametrize(("name", "ratio", "layers"), ALL)
def test_density_charges_and_layers(name, ratio, layers):
    crystal = named(name, 0.02, spacing_of(ratio, layers), ratio, layers)
    assert crystal.holes / crystal.area == pytest.approx(0.02 * layers, rel=1e-12)
    assert crystal.electrons == ratio * crystal.holes
    assert crystal.length == pytest.approx(1 / math.sqrt(math.pi * 0.02), rel=1e-12)
    assert crystal.spacing == spacing_of(ratio, layers)
    assert all(q == (1 if s == "hole" else -1) for q, s in zip(crystal.charges, crystal.species, strict=True))


@pytest.mark.parametrize(("name", "ratio", "layers"), ALL)
def test_a_name_survives_another_cell_rotation_and_noise(name, ratio, layers):
    crystal = named(name, 1.0, spacing_of(ratio, layers), ratio, layers)
    other = moved(crystal, np.random.default_rng(5), 1e-7)
    found = identify(other)
    assert found.name == name
    assert found.charges == len(crystal.species)
    single = primitive_crystal(other)
    assert len(single.species) == len(crystal.species)
    assert single.area == pytest.approx(crystal.area, rel=1e-6)


@pytest.mark.parametrize(("name", "ratio"), GROUPS)
def test_layer_groups(name, ratio):
    layers = 2 if name.startswith("staggered") else 1
    found = identify(named(name, 1.0, spacing_of(ratio, layers), ratio, layers))
    assert (found.group, found.number) == GROUPS[name, ratio]


def test_noise_beyond_the_precision_leaves_no_symmetry():
    found = identify(moved(named("honeycomb", 1.0, 0.4), np.random.default_rng(1), 0.02))
    assert (found.name, found.number) == ("unknown", 1)
    assert found.label == "unknown (p1, 9 charges)"


def test_the_layer_of_a_charge_counts():
    """Dipoles and electrons of a checkerboard on their own sublattices are not a square lattice of one kind."""
    crystal = named("checkerboard", 1.0, 0.4)
    swapped = Crystal(crystal.vectors, crystal.positions, -crystal.charges, crystal.heights,
                      tuple("hole" if s == "electron" else "electron" for s in crystal.species))
    assert identify(crystal).dipoles == 1
    assert identify(swapped).name == "checkerboard"  # of half an electron per hole: electrons and holes exchanged


def test_electrons_alone_have_the_names_of_holes_alone():
    crystal = named("triangular", 1.0, 0.0, 0)
    electrons = Crystal(crystal.vectors, crystal.positions, -crystal.charges, crystal.heights, ("electron",))
    assert identify(electrons).name == "triangular"


def test_the_first_bilayer_phase_is_known_by_its_projection():
    assert identify(named("hexagonal", 1.0, 0.1, 0, 2)).name == "hexagonal"
    assert identify(named("staggered-rectangular", 1.0, 0.1, 0, 2)).name == "staggered-rectangular"


def test_decoupled_layers_share_a_cell_and_are_nearly_triangular():
    crystal = named("decoupled", 0.1, 5.0)
    assert crystal.electrons == 2 * crystal.holes
    for species in ("hole", "electron"):
        mask = np.array([s == species for s in crystal.species])
        points = crystal.positions[mask]
        between = (points[:, None] - points) @ np.linalg.inv(crystal.vectors)
        distance = np.linalg.norm((between - np.rint(between)) @ crystal.vectors, axis=-1)
        nearest = np.min(distance + 1e9 * np.eye(len(points)))
        ideal = math.sqrt(2 / math.sqrt(3) * crystal.area / len(points))
        assert nearest == pytest.approx(ideal, rel=0.03)


def test_scaled_keeps_the_shape():
    crystal = named("rhombic", 1.0, 0.4).scaled(5.0, 2.0)
    assert (crystal.length, crystal.spacing) == (pytest.approx(5.0), pytest.approx(2.0))
    assert crystal.cell_parameters()["gamma_degrees"] == pytest.approx(80.0)


@pytest.mark.parametrize(("arguments", "says"), [
    (("honeycom", 1.0, 1.0), 'did you mean "honeycomb"?'),
    (("checkerboard", 1.0, 1.0, 1), "known here: triangular, square"),
    (("honeycomb", 1.0, 0.0), "fall into each other"),
    (("honeycomb", -1.0, 1.0), "density > 0"),
    (("honeycomb", 1.0, 1.0, 2, 2), "layers: "),
    (("triangular", 1.0, math.nan, 0), "spacing: "),
])
def test_bad_structures(arguments, says):
    with pytest.raises(InputError, match=says.replace("?", r"\?")):
        named(*arguments)


def test_bad_crystals():
    ones, two = np.ones(2), ("hole", "hole")
    with pytest.raises(InputError, match="two charges at one point"):
        Crystal(np.eye(2), np.array([[0.1, 0.2], [1.1, -0.8]]), ones, np.zeros(2), two)
    with pytest.raises(InputError, match=r"cell\.vectors"):
        Crystal(np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([[0.1, 0.2], [0.5, 0.5]]), ones, np.zeros(2), two)
    with pytest.raises(InputError, match="positions"):
        Crystal(np.eye(2), np.zeros((3, 2)), ones, np.zeros(2), two)
    with pytest.raises(InputError, match="species"):
        Crystal(np.eye(2), np.array([[0.1, 0.2], [0.5, 0.5]]), ones, np.zeros(2), ("hole", "muon"))
    # on top of each other in different layers is a dipole
    Crystal(np.eye(2), np.zeros((2, 2)), np.array([1.0, -1.0]), np.array([0.3, 0.0]), ("hole", "electron"))
