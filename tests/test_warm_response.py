"""Response at a temperature: free polarisation against its integrals, limits, sum rules, and another code."""

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from ehbilayer import Bilayer, make_study, response, run
from ehbilayer.liquid import warm_gas
from ehbilayer.liquid.warm_gas import WarmGas
from ehbilayer.response import liquids as theory
from ehbilayer.response.liquids import Liquids
from ehbilayer.response.local_fields import Stls
from ehbilayer.response.polarisation import FreeGas
from ehbilayer.response.solve import Asked, Correlated
from ehbilayer.response.warm_polarisation import WarmFreeGas


def gas(temperature: float) -> WarmFreeGas:
    return WarmFreeGas(Bilayer.of(electron_mass=0.7, hole_mass=1.0, hole_density=0.3).carriers[0], 2, temperature)


def one_layer(rs: float, over_fermi: float) -> Bilayer:
    """eps_F = 1/r_s^2 Ha of two flavours."""
    return Bilayer.of(rs_electron=rs, electrons_per_hole=None, electron_mass=1.0, temperature=over_fermi / rs**2)


def liquids(bilayer: Bilayer) -> Liquids:
    return Asked(bilayer).liquids()


@pytest.mark.parametrize("temperature", [0.02, 0.3, 30.0])
@pytest.mark.parametrize(("q", "number"), [(0.3, 1), (1.9, 2), (4.0, 7), (1.0, 0), (3.3, 0)])
def test_polarisation_is_the_integral_over_occupations(temperature: float, q: float, number: int) -> None:
    warm = gas(temperature)
    m, top = warm.carrier.mass, 2 * warm.carrier.mass * temperature * (max(warm.level, 0.0) + 40)
    w = 2 * np.pi * temperature * number

    def occupied(square: float) -> float:
        return float(1 / (1 + np.exp(np.clip(square / (2 * m * temperature) - warm.level, -700, 700))))

    def circle(k: float) -> float:
        # over angles 2 Re 1/sqrt((eps_q + i w)^2 - (k q/m)^2)
        a = q * q / (2 * m) + 1j * w
        return float(2 * k * occupied(k * k) * (1 / (np.sqrt(a - k * q / m) * np.sqrt(a + k * q / m))).real)

    edge = np.sqrt(2 * m * temperature * max(warm.level, 0.1))
    if number:
        direct = -warm.filled / (2 * np.pi) * quad(circle, 0, np.sqrt(top), points=sorted((edge, q / 2)), limit=1000,
                                                   epsabs=0, epsrel=1e-12)[0]
    else:
        direct = -warm.filled * m / (2 * np.pi) * quad(lambda s: occupied(q * q / 4 * (1 - s * s)), 0, 1, limit=1000,
                                                       epsabs=0, epsrel=1e-12)[0]
    assert float(warm.imaginary(np.array(q), np.array(w))) == pytest.approx(direct, rel=1e-10)


@pytest.mark.parametrize("temperature", [0.05, 0.4, 5.0])
def test_one_analytic_function(temperature: float) -> None:
    """On both axes, and across the real one: the mean over a circle is the value in its middle, whichever formulas
    hold on its parts."""
    warm, q = gas(temperature), np.array([0.3, 1.1, 2.9])
    w = 2 * np.pi * temperature * np.array([1.0, 2.0, 5.0])
    np.testing.assert_allclose(warm.real(q, 1j * w), warm.imaginary(q, w), rtol=1e-10)
    depth = min(0.25, 0.8 * np.pi * temperature * 0.4 / (warm.fermi / warm.carrier.mass))  # of a branch point
    turn = np.exp(2j * np.pi * np.arange(64) / 64)
    for middle in (0.6 + 0.0j, 0.3 + 0.8j, 0.6 - 0.3j * depth):
        around = warm.real(np.full(64, 0.4), middle + 0.6 * depth * turn)
        assert around.mean() == pytest.approx(complex(warm.real(np.array(0.4), np.array(middle))), rel=1e-8)


def test_deep_below_the_axis() -> None:
    """Where the branch points are far from the poles of f: in the middle of a circle that meets several formulas."""
    warm, turn = gas(0.05), np.exp(2j * np.pi * np.arange(128) / 128)
    middle, radius = 0.25 - 0.1j, 0.08  # of v_F q = 0.98: inside the continuum
    around = warm.real(np.full(128, 0.5), middle + radius * turn)
    assert around.mean() == pytest.approx(complex(warm.real(np.array(0.5), np.array(middle))), rel=1e-8)


def test_cold_and_dilute_limits() -> None:
    cold, q, w = FreeGas(gas(1.0).carrier, 2), np.array([0.2, 1.0, 1.7]), np.array([0.1, 0.5, 2.0])
    np.testing.assert_allclose(gas(1e-4).imaginary(q, w), cold.imaginary(q, w), rtol=1e-6)
    c = complex(0.6 * cold.velocity, -0.05)
    assert gas(1e-3).sound(c) == pytest.approx(cold.sound(c), rel=1e-4)
    assert gas(1e-7).sound(c) == cold.sound(c)
    hot = gas(300.0)
    assert hot.states == pytest.approx(hot.carrier.density / 300.0, rel=3e-3)  # n/T
    # sound of slow waves: n/T again, by the difference of both ends
    assert hot.sound(0.001) == pytest.approx(-hot.states, rel=1e-3)
    # Maxwell's gas: chi_0 -> n q^2/(m w^2)
    assert hot.imaginary(np.array(0.01), np.array(2 * np.pi * 300.0)) == pytest.approx(
        -0.3 * 1e-4 / (0.7 * (2 * np.pi * 300.0) ** 2), rel=1e-6)


@pytest.mark.parametrize("temperature", [0.1, 2.0])
def test_sum_rules_of_the_real_axis(temperature: float) -> None:
    """n q^2/2m, and the structure factor by fluctuation and dissipation, which is that of Matsubara's frequencies."""
    bilayer = Bilayer.of(electron_mass=0.7, hole_mass=1.0, hole_density=0.3, electrons_per_hole=1,
                         temperature=temperature)
    here = liquids(bilayer)
    warm, hole = here.gases[0], theory.free_holes(here)[:, 0, 0]
    assert isinstance(warm, WarmFreeGas)
    for i in (5, 40, 60):
        q = float(here.grid.q[i])
        top = q * q + 12 * q * np.sqrt(2 * (temperature + 1) / 0.7)
        node, weight = np.polynomial.legendre.leggauss(1500)
        w, dw = top * ((1 + node) / 2) ** 2, top * weight * (1 + node) / 2
        lost = -warm.real(np.full_like(w, q), w + 0j).imag
        assert float(w * dw @ lost) / np.pi == pytest.approx(0.3 * q * q / (2 * 0.7), rel=1e-8)
        mean = float(dw / np.tanh(w / (2 * temperature)) @ lost) / (np.pi * 0.3)
        assert mean - 1 == pytest.approx(hole[i], abs=1e-8)


def test_free_and_exchange_energy_are_those_of_the_warm_liquid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_gas, "CIRCLES", 80)  # its mean over circles is good to 5e-5 with its own 20
    bilayer = one_layer(2.0, 0.8)
    here = liquids(bilayer)
    warm, other = here.gases[0], WarmGas(bilayer.carriers[0], bilayer.interaction, 2, bilayer.temperature)
    assert isinstance(warm, WarmFreeGas)
    heat = bilayer.temperature
    assert warm.free_energy == pytest.approx(other._kinetic(heat) - heat * other._entropy(heat), rel=1e-10)
    assert theory.free_exchange(here) / warm.carrier.density == pytest.approx(other._exchange(heat), rel=3e-6)


def test_a_hot_plasma_is_that_of_debye_and_hueckel() -> None:
    """S(q) = q/(q + kappa), kappa = 2 pi n/T, where quantum waves are short."""
    here = liquids(one_layer(1.0, 2e3))
    n, heat = here.densities[0], 2e3
    s = 1 + Correlated.of(here, "rpa", lambda text: None).hole[:, 0, 0]
    q = here.grid.q
    small = q < 1.0
    kappa = 2 * np.pi * n / heat
    np.testing.assert_allclose(s[small], q[small] / (q[small] + kappa), rtol=2e-3)


def test_compressibility_of_the_random_phase() -> None:
    bilayer = Bilayer.of(electron_mass=0.5, hole_mass=1.0, rs_hole=1.0, spacing=1.0, temperature=0.7)
    found, gases = response(bilayer, wave_numbers=0), liquids(bilayer).gases
    free = sum(1 / g.states for g in gases)
    assert found.stiffness is not None
    assert found.stiffness.response == pytest.approx(free + 4 * np.pi, rel=1e-6)
    for g in gases:  # the same as d(mu)/dn of the free gas
        h, n = 1e-4, g.carrier.density
        level = [WarmFreeGas(type(g.carrier)("x", 1, g.carrier.mass, 0, n * x), 2, 0.7).level for x in (1 - h, 1 + h)]
        assert 0.7 * (level[1] - level[0]) / (2 * h * n) == pytest.approx(1 / g.states, rel=1e-6)
    assert found.acoustic_damping is None or found.acoustic_damping > 0  # a warm liquid damps it


def test_cold_response_is_that_of_the_ground_state() -> None:
    cold, still = (response(one_layer(2.0, heat), wave_numbers=0) for heat in (0.003, 0.0))
    assert cold.correlation_energy_per_hole == pytest.approx(still.correlation_energy_per_hole, rel=1e-4)
    assert cold.energy_per_hole == pytest.approx(still.energy_per_hole, rel=1e-4)
    assert cold.contact["electron-electron"] == pytest.approx(still.contact["electron-electron"], rel=1e-4)


# S and G at q = 1, 2, 3 k_F by qupled 1.5.7 (two dimensions, cutoff 20, resolution 0.05, integrals to 1e-6; a finer
# resolution moves the last two of r_s = 5 by 3e-5 towards ours); the cold one with cutoff 60, resolution 0.02 and its
# integrals up to a frequency of 1000, where 100 leaves 7e-4
QUPLED = {("rpa", 2.0, 1.0): ((0.359342, 0.692240, 0.885864), (0.0, 0.0, 0.0)),
          ("stls", 2.0, 1.0): ((0.470514, 0.851146, 0.978014), (0.517694, 0.801382, 0.910584)),
          ("stls", 5.0, 0.5): ((0.332417, 0.859740, 0.994685), (0.586623, 0.896497, 0.985077)),
          ("stls", 1.0, 0.0): ((0.481575, 0.940356, 0.986778), (0.473247, 0.689898, 0.758081))}


@pytest.mark.parametrize(("approximation", "rs", "over_fermi"), QUPLED)
def test_one_layer_against_qupled(approximation: str, rs: float, over_fermi: float) -> None:
    here = liquids(one_layer(rs, over_fermi))
    found = Stls.of(here).solve() if approximation == "stls" else Correlated.of(here, "rpa", lambda text: None)
    at = here.grid.interpolation(here.gases[0].fermi * np.array([1.0, 2.0, 3.0]))
    structure, field = QUPLED[approximation, rs, over_fermi]
    assert found.converged
    close = 1e-4 if over_fermi else 2e-4  # the cold S has a kink at 2 k_F
    np.testing.assert_allclose(1 + at @ found.hole[:, 0, 0], structure, atol=close)
    np.testing.assert_allclose(at @ found.field[:, 0, 0], field, atol=close)


def test_a_study_takes_a_temperature(tmp_path: Path) -> None:
    study = {"kind": "response", "bilayer": {"electron_mass": 0.5, "hole_mass": 1.0, "spacing": 1.0, "dielectric": 5.0,
                                             "temperature": "100 K"},
             "density": {"rs_electron": 1.0, "electrons_per_hole": 1},
             "response": {"wave_numbers": 5, "frequencies": 6}}
    found = run(make_study(study), directory=tmp_path / "out")
    assert found.status.value == "converged" and np.all(found.data["loss"].values > -1e-9)
    warm = Bilayer.of(electron_mass=0.5, hole_mass=1.0, spacing=1.0, dielectric=5.0, rs_electron=1.0,
                      temperature="100 K")
    called = response(warm, wave_numbers=5, frequencies=6)
    assert called.correlation_energy_per_hole == found.correlation_energy_per_hole
