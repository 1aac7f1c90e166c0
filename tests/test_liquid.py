"""Uniform liquids of the plane: closed forms, thermodynamics with another interaction, function and study."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, j0

import ehbilayer
from ehbilayer.errors import InputError
from ehbilayer.interaction.base import Interaction
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.liquid.gas import Gas
from ehbilayer.liquid.warm_gas import WarmGas
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import rows
from exact import gas_limit

COULOMB = Coulomb(1.0)


@dataclass(frozen=True)
class Yukawa(Interaction):
    """2 pi/sqrt(q^2 + kappa^2) within and between layers that coincide."""

    kappa: float
    spacing: float = 0.0
    name: str = "yukawa"

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        return 2 * math.pi / np.sqrt(q * q + self.kappa**2)

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        return 0.0, 2 * math.pi / self.kappa


def gas(density: float, filled: int, interaction=COULOMB, mass: float = 1.0) -> Gas:
    return Gas(Carrier("hole", 1, mass, 1, density), interaction, filled)


@pytest.mark.parametrize("filled", [1, 2])
@pytest.mark.parametrize("mass", [0.5, 1.0])
def test_coulomb_gas_in_closed_form(filled, mass):
    one = gas(0.03, filled, mass=mass)
    k = one.fermi_wave_number
    assert one.exchange == pytest.approx(-4 * k / (3 * math.pi), rel=1e-12)
    assert one.chemical_potential - one.fermi_energy == pytest.approx(-2 * k / math.pi, rel=1e-12)
    assert one.alpha_squared == pytest.approx(gas_limit(one.carrier.rs, filled), rel=1e-12)


@pytest.mark.parametrize("filled", [1, 2])
def test_derivatives_are_those_of_the_energy(filled):
    n, step = 0.03, 1e-3

    def at(factor: float) -> Gas:
        return gas(n * factor, filled, Yukawa(kappa=0.7))

    energies = [n * f * at(f).energy for f in (1 - step, 1 + step)]
    assert at(1).chemical_potential == pytest.approx((energies[1] - energies[0]) / (2 * n * step), abs=1e-7)
    slope = (at(1 + step).chemical_potential - at(1 - step).chemical_potential) / (2 * step)
    assert at(1).alpha_squared == pytest.approx(slope / at(1).fermi_energy, abs=1e-6)
    assert at(1).exchange > gas(n, filled).exchange  # screening weakens it


def test_two_flavours_polarise_where_the_energies_cross():
    # k_F^2/4 - 4 k_F/3 pi with k_F = sqrt(2 pi n) and sqrt(4 pi n) cross at r_s = 3 pi/(8 (sqrt 2 - 1)) / sqrt 2
    critical = 3 * math.pi / (8 * math.sqrt(2) * (math.sqrt(2) - 1))
    for rs, spin in ((critical * 0.999, "restricted"), (critical * 1.001, "polarized")):
        found = ehbilayer.liquid(Bilayer.of(hole_density=1 / (math.pi * rs**2), electrons_per_hole=0), curve_points=0)
        assert found.spin.hole == spin and (found.polarization_energy.hole < 0) == (spin == "polarized")


def test_function_and_study_agree():
    study = make_study({"kind": "liquid", "bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm", "capacitor": True},
                        "density": {"hole": "1e12 cm^-2", "electrons_per_hole": 2}, "liquid": {"curve_points": 9}})
    device = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1e12 cm^-2", electrons_per_hole=2)
    by_study, direct = ehbilayer.run(study), ehbilayer.liquid(device, capacitor=True, curve_points=9)
    for name in ("energy_per_hole", "energy_per_particle", "energy_per_area"):
        assert getattr(by_study, name) == getattr(direct, name)
    # E/A = n_h (E/N_h + 2 E/N_e) - 2 pi d z n z' n', here through the curve's middle point
    lowest = direct.data["curve_energy_lowest"].values
    assert lowest[4] == pytest.approx(direct.energy_per_hole, rel=1e-12)
    n, parts = device.carrier("hole").density, direct.energy_parts_per_area
    assert parts.capacitor == pytest.approx(-2 * math.pi * device.spacing * n * (-2 * n), rel=1e-12)
    assert sum((parts.kinetic, parts.exchange, parts.capacitor)) == pytest.approx(direct.energy_per_area, rel=1e-12)


def test_refusals():
    device = Bilayer.of(hole_density=0.01, electrons_per_hole=0)
    with pytest.raises(InputError, match="spin"):
        ehbilayer.liquid(device, spin="up")
    hole = replace(device.carriers[0], dispersion=lambda kx, ky: np.hypot(kx, ky))
    with pytest.raises(InputError, match="dispersion"):
        ehbilayer.liquid(replace(device, carriers=(hole,)))
    with pytest.raises(InputError, match="density"):
        ehbilayer.liquid(replace(device, carriers=(replace(device.carriers[0], density=0.0),)))


@pytest.mark.parametrize("filled", [1, 2])
def test_a_cold_gas_is_that_of_no_temperature(filled):
    cold, ground = WarmGas(gas(0.03, filled).carrier, COULOMB, filled, 1e-12), gas(0.03, filled)
    for name in ("exchange", "energy", "chemical_potential"):
        assert getattr(cold, name) == pytest.approx(getattr(ground, name), rel=2e-6)
    assert cold.alpha_squared == pytest.approx(ground.alpha_squared, abs=2e-5) and cold.entropy < 1e-3


@pytest.mark.parametrize("t", [0.02, 0.1, 1.0])
def test_a_warm_gas_has_the_best_occupations_of_fermi(t):
    """Kinetic energy and entropy by integrals over k; exchange from f(r), the transform of f: -(g/2n) int v f(r)^2."""
    n, m, g = 0.03, 0.7, 2
    warm = WarmGas(Carrier("hole", 1, m, 1, n), COULOMB, g, t)
    tau = warm.trial
    z = brentq(lambda x: g * m * tau / (2 * math.pi) * np.logaddexp(0, x) - n, -60, 6000, xtol=1e-13)
    k, weight = np.polynomial.legendre.leggauss(600)
    top = math.sqrt(2 * m * tau * (max(z, 0) + 40))
    k, weight = top / 2 * (k + 1), top / 2 * weight
    f = expit(z - k * k / (2 * m * tau))
    assert warm.kinetic == pytest.approx(g * float(weight @ (k**3 / (2 * m) * f)) / (2 * math.pi) / n, rel=1e-8)
    lost = -(f * np.log(f) + (1 - f) * np.log1p(-np.minimum(f, 1 - 1e-16)))
    assert warm.entropy == pytest.approx(g * float(weight @ (k * lost)) / (2 * math.pi) / n, rel=1e-6)
    r, share = np.polynomial.legendre.leggauss(1500)
    r, share = 500 / top * (r + 1), 500 / top * share  # beyond, f(r) has vanished
    transform = (weight * k * f) @ j0(np.outer(k, r)) / (2 * math.pi)
    assert warm.exchange == pytest.approx(-g / 2 * 2 * math.pi * float(share @ transform**2) / n, rel=2e-4)
    assert tau < t and warm.energy < min(gas(n, g, mass=m).energy, warm._free_energy(t))  # colder than without forces


@pytest.mark.parametrize("interaction", [COULOMB, Yukawa(kappa=0.7)])
def test_thermodynamics_of_a_warm_gas(interaction):
    t, n = 0.05, 0.03
    here = WarmGas(Carrier("hole", 1, 1.0, 1, n), interaction, 2, t)
    less, more = (replace(here, temperature=t * (1 + s)) for s in (-1e-2, 1e-2))
    assert here.entropy == pytest.approx((less.energy - more.energy) / (2e-2 * t), rel=1e-3)
    denser, thinner = (replace(here, carrier=replace(here.carrier, density=f * n)) for f in (1.02, 0.98))
    assert here.chemical_potential == pytest.approx((1.02 * denser.energy - 0.98 * thinner.energy) / 0.04, abs=1e-4)
    bend = (denser.chemical_potential - thinner.chemical_potential) / 0.04
    assert here.alpha_squared == pytest.approx(bend / here.fermi_energy, abs=2e-3)


def test_a_warm_liquid_by_function_and_study():
    tables = {"kind": "liquid", "bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm", "temperature": "20 K"},
              "density": {"hole": "1e12 cm^-2", "electrons_per_hole": 2}, "liquid": {"curve_points": 3}}
    device = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1e12 cm^-2", electrons_per_hole=2,
                        temperature="20 K")
    by_study, direct = ehbilayer.run(make_study(tables)), ehbilayer.liquid(device, curve_points=3)
    for name in ("energy_per_hole", "entropy", "temperature", "spin", "chemical_potential"):
        assert getattr(by_study, name) == getattr(direct, name)
    assert direct.summary["temperature_kelvin"] == pytest.approx(20.0)
    assert direct.data["curve_energy_lowest"].values[1] == pytest.approx(direct.energy_per_hole, rel=1e-12)
    cold = ehbilayer.liquid(replace(device, temperature=0.0), curve_points=0)
    assert direct.energy_per_hole < cold.energy_per_hole and cold.entropy is None and cold.temperature is None
    assert "free energies" in dict(rows(direct))["temperature"]
    # heat has no preference for one spin: the polarised liquid of the ground state gives way
    hot = ehbilayer.liquid(replace(device, temperature=direct.provenance.scales.to_atomic("2000 K", "energy", "t")))
    assert (cold.spin.hole, hot.spin.hole) == ("polarized", "restricted")
