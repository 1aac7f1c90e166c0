"""Uniform liquids of the plane: closed forms, thermodynamics with another interaction, function and study."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

import ehbilayer
from ehbilayer.errors import InputError
from ehbilayer.interaction.base import Interaction
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.liquid.gas import Gas
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.studies.file import make_study
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
