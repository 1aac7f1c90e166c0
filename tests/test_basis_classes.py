"""The two classes of plane-wave bases: which one an argument makes, and that both do the same in their own way."""

from __future__ import annotations

from copy import copy

import numpy as np
import pytest

from ehbilayer.basis.plane_waves import BlochMesh, PlaneWaveBasis, RealBox
from ehbilayer.basis.waves import WaveChoice, hexagon_waves, rectangle_waves
from ehbilayer.errors import InputError
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import box_of_shape, crystal_cell

BOX = box_of_shape("triangular", 50.0)
WAVES = hexagon_waves(BOX, 4)
FOURIER = Fourier()


def made(kind: str) -> PlaneWaveBasis:
    """A basis of each kind: ``real``, ``complex`` (one block) or ``mesh`` (four blocks)."""
    return PlaneWaveBasis(BOX, WAVES, crystal_cell(BOX, 4) if kind == "mesh" else None, None if kind != "complex" else
                          False)


def test_the_arguments_choose_the_class() -> None:
    assert type(made("real")) is RealBox and type(made("complex")) is type(made("mesh")) is BlochMesh
    assert type(PlaneWaveBasis(BOX, WAVES, np.array([[1, 1], [0, 1]]))) is RealBox  # another cell of the same area
    assert type(made("mesh").with_supercell(np.eye(2, dtype=int))) is RealBox
    assert type(copy(made("mesh"))) is BlochMesh and type(made("real").coarser()) is RealBox
    assert (made("real").real, made("complex").real) == (True, False)
    with pytest.raises(InputError, match="several k points"):
        PlaneWaveBasis(BOX, WAVES, crystal_cell(BOX, 4), real=True)


@pytest.mark.parametrize("kind", ["real", "complex", "mesh"])
def test_gradients_are_those_of_the_functions(kind: str) -> None:
    """Of each orbital's waves: amplitudes times i k."""
    basis = made(kind)
    blocks = np.arange(basis.cells_used)
    x = basis.noise(np.random.default_rng(1), blocks, 3)
    k = basis.waves @ basis.box.reciprocal * np.sqrt(basis.box.area)
    for axis in (0, 1):
        moved = basis.to_waves(basis.gradient(x[None], blocks, axis)[0])
        np.testing.assert_allclose(moved, 1j * k[:, axis] * basis.to_waves(x), atol=1e-12)


@pytest.mark.parametrize("kind", ["complex", "mesh"])
def test_gaussians_are_the_same_in_every_view(kind: str) -> None:
    """In the cells of a mesh they are Bloch sums: the amplitudes on the waves of a block."""
    basis, width = made(kind), 1.3
    where = np.array([[0.4, 0.1], [1.7, 0.9]])
    real = made("real").to_waves(made("real").gaussians(where, width))[0]
    found = basis.to_waves(basis.gaussians(where, width))
    np.testing.assert_allclose(found.sum(axis=0), real, atol=1e-13)


@pytest.mark.parametrize("kind", ["real", "complex", "mesh"])
@pytest.mark.parametrize("counts", [(7, 5), (9, 9), (5, 11)])
def test_sums_over_frequencies_count_each_one(kind: str, counts: tuple[int, int]) -> None:
    """Parseval: sum_G |f_G|^2 is the mean of f^2, whatever half of the frequencies is kept."""
    cell = None if kind != "mesh" else np.diag([1, 2])
    basis = PlaneWaveBasis(BOX, rectangle_waves(*counts), cell, False if kind == "complex" else None)
    f = np.random.default_rng(0).standard_normal(basis.shape)
    spectrum = basis.field_forward(FOURIER, f.copy()) / basis.points
    assert spectrum.shape == (basis.shape[0], basis.columns)
    assert np.sum(np.abs(spectrum) ** 2 @ basis.multiplicity()) == pytest.approx(np.mean(f**2), rel=1e-13)
    np.testing.assert_allclose(basis.field_backward(FOURIER, spectrum.copy()), f, atol=1e-13)


def test_noise_fills_the_waves_of_a_block_only() -> None:
    basis = PlaneWaveBasis(BOX, WAVES, crystal_cell(BOX, 16))
    assert basis.mask.min() == 0  # blocks differ in length
    noise = basis.noise(np.random.default_rng(0), np.array([0, 3]), 2)
    assert np.all((noise != 0) == (basis.mask[[0, 3]] > 0)[:, None])


def test_a_choice_of_waves_says_one_thing() -> None:
    assert not WaveChoice().named and WaveChoice(hexagon=3).count == 37 and WaveChoice((5, 7)).argument == "plane_waves"
    with pytest.raises(InputError, match="alone") as caught:
        WaveChoice((5, 5), hexagon=3)
    assert caught.value.argument == "hexagon"
