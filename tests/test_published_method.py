"""The benchmark opponent, checked on a few plane waves against explicit sums and finite differences."""

from __future__ import annotations

import importlib.util
import sys
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def load_script() -> ModuleType:
    """The script as a module: benchmarks/ is not a package."""
    path = Path(__file__).parents[1] / "benchmarks" / "published_method.py"
    spec = importlib.util.spec_from_file_location("published_method", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


published = load_script()
SPACING = 1.3


@pytest.fixture
def model() -> Any:
    """Two doubly filled electron orbitals above three polarised holes, 5 x 3 waves, an oblong box."""
    channels = [published.Channel("electron", -1, 0.7, 1, 2, 2), published.Channel("hole", 1, 1.0, 0, 3, 1)]
    return published.PlaneWaveModel(channels, (7.0, 5.0), (5, 3), SPACING)


@pytest.fixture
def x(model: Any) -> np.ndarray:
    """Random, non-orthonormal orbitals."""
    return np.random.default_rng(3).normal(size=sum(2 * m * n for m, n in model.shapes))


def v(model: Any, step: np.ndarray, distance: float) -> float:
    """v(q)/A of an integer wave vector, straight from its formula."""
    q = float(np.hypot(*(2 * np.pi * step / np.asarray(model.box))))
    return 2 * np.pi * np.exp(-q * distance) / q / (model.box[0] * model.box[1]) if q > 0 else 0.0


def explicit_energy(model: Any, matrices: list[np.ndarray]) -> float:
    """The Hartree-Fock energy as sums over every pair of plane waves and every momentum transfer."""
    waves = [tuple(w) for w in model.integers]
    spins = [(c, d) for c, d in zip(model.channels, matrices, strict=True) for _ in range(c.degeneracy)]
    index = {w: i for i, w in enumerate(waves)}
    energy = 0.0
    for c, d in spins:
        energy += sum(d[i, i].real * np.sum((2 * np.pi * np.array(w) / model.box) ** 2) / (2 * c.mass)
                      for i, w in enumerate(waves))
    for a, b, shift in product(waves, waves, product(range(-4, 5), range(-2, 3))):
        up, down = (a[0] + shift[0], a[1] + shift[1]), (b[0] + shift[0], b[1] + shift[1])
        if up not in index or down not in index:
            continue
        i, j, i2, j2 = index[a], index[b], index[up], index[down]
        for c, d in spins:
            energy -= 0.5 * v(model, np.array(shift), 0.0) * (d[i, j].conj() * d[i2, j2]).real
            for o, e in spins:  # direct: density n(q) of one against n(-q) of the other
                strength = c.charge * o.charge * v(model, np.array(shift), SPACING * (c.layer != o.layer))
                energy += 0.5 * strength * (d[i2, i] * e[j, j2]).real
    return energy


def test_energy_of_random_orbitals_is_the_explicit_sum(model: Any, x: np.ndarray) -> None:
    matrices = [model.density_matrix(c)[0] for c in model.unpack(x)]
    energy, _ = model.energy_and_gradient(x)
    assert energy == pytest.approx(explicit_energy(model, matrices), rel=1e-12)


def test_energy_of_plane_waves_is_kinetic_minus_pair_exchange(model: Any) -> None:
    filled = [[7, 4], [7, 8, 10]]  # waves held by each channel; all densities are uniform
    orbitals = [np.eye(15, dtype=complex)[:, w] for w in filled]
    expected = 0.0
    for c, waves in zip(model.channels, filled, strict=True):
        kinetic = sum(np.sum(model.k[w] ** 2) for w in waves) / (2 * c.mass)
        pairs = sum(v(model, model.integers[a] - model.integers[b], 0.0) for a, b in product(waves, waves))
        expected += c.degeneracy * (kinetic - pairs / 2)
    assert model.energy_and_gradient(model.pack(orbitals))[0] == pytest.approx(expected, rel=1e-13)


def test_gradient_is_the_finite_difference_of_the_energy(model: Any, x: np.ndarray) -> None:
    _, gradient = model.energy_and_gradient(x)
    rng = np.random.default_rng(4)
    for _ in range(4):
        step = 1e-5 * rng.normal(size=x.size)
        difference = model.energy_and_gradient(x + step)[0] - model.energy_and_gradient(x - step)[0]
        assert difference == pytest.approx(2 * gradient @ step, rel=1e-6)


def test_gap_is_between_empty_and_filled_even_when_the_filled_ones_lie_higher(model: Any) -> None:
    filled = [[7, 4], [7, 8, 10]]  # the second wave of the electrons is not the lowest one
    orbitals = [np.eye(15, dtype=complex)[:, w] for w in filled]
    for c, waves in zip(model.channels, filled, strict=True):
        exchange = [sum(v(model, k - model.integers[w], 0.0) for w in waves) for k in model.integers]
        levels = np.sum(model.k**2, axis=1) / (2 * c.mass) - exchange
        gap = np.delete(levels, waves).min() - levels[waves].max()
        assert model.gaps(model.pack(orbitals))[c.name] == pytest.approx(gap, rel=1e-12)


def test_pack_undoes_unpack(model: Any, x: np.ndarray) -> None:
    assert np.array_equal(model.pack(model.unpack(x)), x)


def test_minimum_is_stationary_and_below_its_start() -> None:
    counts, waves = (8, 4), (11, 9)
    found = published.minimise(counts, waves)
    assert found["converged"] and found["largest_gradient"] <= 1e-5
    assert found["energy_per_particle"] < published.time_evaluations(1, counts, waves)["energy_per_particle"] - 1e-4


@pytest.mark.parametrize(("counts", "waves", "named"), [
    ((8, 4), (10, 9), "plane_waves"), ((8, 4), (1, 1), "plane_waves"), ((7, 4), (11, 9), "counts"),
    ((18, 9), (11, 9), "counts"),
])
def test_bad_input_is_named(counts: tuple[int, int], waves: tuple[int, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        published.minimise(counts, waves)
