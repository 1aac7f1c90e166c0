import numpy as np
import pytest

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import disk_waves, hexagon_waves, rectangle_waves
from ehbilayer.errors import InputError
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import Cell, box_of_shape
from systems import small_basis, triangular_basis

BASES = {"box": lambda: small_basis("box"), "crystal": lambda: small_basis("crystal"),
         "hexagon": lambda: triangular_basis(9, 5.0, 6), "complex box": lambda: PlaneWaveBasis(
             box_of_shape("square", 30.0), rectangle_waves(7, 5), real=False)}


@pytest.mark.parametrize("name", BASES)
def test_transforms_are_inverse_and_keep_norms(name):
    basis, fourier, rng = BASES[name](), Fourier(), np.random.default_rng(0)
    blocks = np.arange(len(basis.k_points))
    c = rng.standard_normal((2, len(blocks), 3, basis.coefficients))
    if not basis.real:
        c = (c + 1j * rng.standard_normal(c.shape)) * basis.mask[None, :, None]
    psi = basis.to_grid(fourier, c, blocks)
    assert np.iscomplexobj(psi) != basis.real
    assert np.allclose(basis.from_grid(fourier, psi, blocks), c, atol=1e-13)
    assert np.allclose(np.mean(np.abs(psi) ** 2, axis=(-2, -1)), np.sum(np.abs(c) ** 2, axis=-1))
    waves = basis.to_waves(c[0])
    assert np.allclose(np.sum(np.abs(waves) ** 2, axis=-1), np.sum(np.abs(c[0]) ** 2, axis=-1))


@pytest.mark.parametrize("name", BASES)
def test_blocks_hold_every_wave_once(name):
    basis = BASES[name]()
    assert sorted(basis.index[basis.mask > 0]) == list(range(basis.size))


def test_real_coefficients_round_trip_through_waves():
    basis, rng = small_basis("box"), np.random.default_rng(1)
    x = rng.standard_normal((1, 4, basis.size))
    assert np.allclose(basis.from_waves(basis.to_waves(x)[0]), x[0], atol=1e-14)


def test_hexagon_of_the_published_cutoff():
    box = box_of_shape("triangular", 36.0)
    waves = hexagon_waves(box, 7)
    assert len(waves) == 169
    length = np.linalg.norm(waves @ box.reciprocal, axis=1) / np.linalg.norm(box.reciprocal[0])
    assert length.max() == pytest.approx(7.0)
    assert {tuple(-w) for w in waves} == {tuple(w) for w in waves}


def test_disk_is_a_disk():
    box = box_of_shape("rectangular", 50.0)
    waves = disk_waves(box, 4.0)
    length = np.linalg.norm(waves @ box.reciprocal, axis=1)
    assert length.max() <= 4.0
    assert len(waves) == pytest.approx(box.area * 16 / (4 * np.pi), rel=0.1)


@pytest.mark.parametrize("bad", [(4, 5), (0, 5), (-3, 5)])
def test_even_or_empty_counts_are_refused(bad):
    with pytest.raises(InputError, match="odd count"):
        rectangle_waves(*bad)


def test_bad_cutoffs_are_refused():
    box = box_of_shape("square", 1.0)
    for cutoff in (0.0, -1.0, np.nan, np.inf, 1e9):
        with pytest.raises(InputError, match="cutoff"):
            disk_waves(box, cutoff)
    with pytest.raises(InputError, match="hexagon"):
        hexagon_waves(box, 0)


@pytest.mark.parametrize("vectors", [[[1, 0], [0, 1]], [[1, 0], [0, 0.866]], [[1, 0], [0.5, 0.866]],
                                     [[1, 0], [3.2, 0.9]], [[1, 0], [-0.5, 0.866]]])
def test_hexagons_hold_k_and_minus_k_in_every_box(vectors):
    waves = hexagon_waves(Cell(np.array(vectors, dtype=float)), 5)
    assert len(waves) == 91
    assert {tuple(w) for w in waves} == {tuple(-w) for w in waves}


def test_waves_without_their_mirror_image_are_refused():
    with pytest.raises(InputError, match="with -k for every k"):
        PlaneWaveBasis(box_of_shape("square", 9.0), np.array([[0, 0], [1, 0]]))
