"""The exciton against closed forms, an expansion, a virial identity and correlated Gaussians."""

import math

import numpy as np
import pytest

from ehbilayer.errors import InputError
from ehbilayer.few_body.basis import Basis
from ehbilayer.few_body.exciton import Exciton, solve_exciton
from ehbilayer.few_body.gaussians import Charges, Functions

# the two-dimensional hydrogen atom: X. L. Yang, S. H. Guo, F. T. Chan, K. W. Wong, W. Y. Ching, PRA 43, 1186 (1991);
# polarisability 21/128: the same and G. Mei, PRA 57, 3177 (1998)
POLARISABILITY = 21 / 128


@pytest.mark.parametrize("mass", [1e-3, 0.1, 1.0, 2.0, 1e3])
def test_one_layer_is_two_dimensional_hydrogen(mass: float) -> None:
    mu = mass / (1 + mass)
    x = solve_exciton(mass, 0.0)
    assert x.energy == pytest.approx(-2 * mu, rel=1e-12)
    assert x.mean_distance == pytest.approx(1 / (2 * mu), rel=1e-11)
    assert x.mean_square == pytest.approx(3 / (8 * mu**2), rel=1e-11)
    assert x.polarisability == pytest.approx(POLARISABILITY / mu**3, rel=1e-10)


@pytest.mark.parametrize(("spacing", "tolerance"), [(1e3, 3e-3), (1e5, 3e-4), (1e6, 1e-4)])
def test_far_layers_make_an_oscillator(spacing: float, tolerance: float) -> None:
    """-1/d + omega - 3/(4 mu d^2): the well to fourth order in r, tolerance relative to the last term."""
    mu = 2 / 3
    quartic = -3 / (4 * mu * spacing**2)
    expected = -1 / spacing + 1 / math.sqrt(mu * spacing**3) + quartic
    x = solve_exciton(2.0, spacing)
    assert abs(x.energy - expected) < 20 * tolerance * abs(quartic)
    assert x.mean_square == pytest.approx(math.sqrt(spacing**3 / mu), rel=0.1)
    assert x.polarisability == pytest.approx(spacing**3, rel=0.25)


@pytest.mark.parametrize("spacing", [0.0, 1e-7, 1e-3, 0.3, 4.83, 15.0, 1e3])
def test_virial_theorem(spacing: float) -> None:
    """2 T = <r V'>, so E = <r V'/2 + V>: an identity that the solver does not know."""
    x = solve_exciton(1.0, spacing)
    r, weight = x.radii, 2 * np.pi * x.amplitude**2

    def average(function: np.ndarray) -> float:
        """Integral of r R^2 f dr, element by element (15 Chebyshev points each)."""
        total = 0.0
        for first in range(0, len(r) - 1, 14):
            part = slice(first, first + 15)
            middle, half = (r[part][0] + r[part][-1]) / 2, (r[part][-1] - r[part][0]) / 2
            series = np.polynomial.chebyshev.chebfit((r[part] - middle) / half, weight[part] * function[part], 14)
            total += half * -sum(2 * c / (k * k - 1) for k, c in enumerate(series) if k % 2 == 0)
        return total

    s = np.sqrt(r**2 + spacing**2)
    integrand = np.where(r > 0, r * (r**2 / (2 * np.where(s > 0, s, 1) ** 3) - 1 / np.where(s > 0, s, 1)), 0.0)
    if spacing == 0:
        integrand = np.full_like(r, -0.5)
    assert average(r) == pytest.approx(1, rel=1e-10)
    assert average(integrand) == pytest.approx(x.energy, rel=1e-8)


@pytest.mark.parametrize(("mass", "spacing"), [(1.0, 1.0), (2.0, 4.83), (0.1, 10.0)])
def test_gaussians_agree_to_eight_digits(mass: float, spacing: float) -> None:
    """A geometric series of Gaussians is a basis that has nothing in common with the radial grid."""
    x = solve_exciton(mass, spacing)
    system = Charges((mass, 1.0), (-1, 1), (0, 1), spacing)
    lengths = x.mean_distance * np.geomspace(0.08, 6, 22)
    basis = Basis.of(system, Functions(lengths[:, None, None] ** -2.0, np.zeros((22, 1))))
    assert basis.energy == pytest.approx(x.energy, rel=1e-8)
    assert basis.energy > x.energy - 1e-11


def test_binding_falls_with_the_spacing() -> None:
    found: list[Exciton] = [solve_exciton(1.0, d) for d in (0.0, 1e-9, 1e-4, 0.1, 1.0, 10.0, 1e4)]
    assert np.all(np.diff([x.energy for x in found]) > 0)
    assert np.all(np.diff([x.mean_distance for x in found]) > 0)


@pytest.mark.parametrize(("mass", "spacing", "argument"), [(0.0, 1.0, "electron_mass"), (-1.0, 1.0, "electron_mass"),
                                                           (math.nan, 1.0, "electron_mass"), (1.0, -0.1, "spacing"),
                                                           (1.0, math.inf, "spacing")])
def test_bad_input(mass: float, spacing: float, argument: str) -> None:
    with pytest.raises(InputError) as error:
        solve_exciton(mass, spacing)
    assert error.value.argument == argument
