"""The condensate at a temperature: limits, thermodynamics, where the gap closes, plane and torus, study and call."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit

import ehbilayer
from ehbilayer.condensate.radial import Pairs, Solution, find
from ehbilayer.condensate.report import Gas
from ehbilayer.condensate.warm import WarmState, closing_temperature, normal_state, solve_warm
from ehbilayer.errors import InputError
from ehbilayer.model import Bilayer
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import rows
from ehbilayer.torus import Torus

MASSES = {"spacing": 1.0, "electron_mass": 0.5, "hole_mass": 1.0}


def solution(rs: float = 4.0, mass: float = 0.5) -> Solution:
    return find(Pairs(Bilayer.of(**MASSES | {"electron_mass": mass}, rs_hole=rs)), 1e-10)


def warm(found: Solution, t: float, gas: Gas | None = None) -> WarmState:
    state = solve_warm(gas or found.gas, t, found.state.exchange, found.state.gap, 1e-10)
    assert state.status.value == "converged"
    return state


class Separable:
    """Levels in which D is the same at every k and X is absent: V sum F."""

    def __init__(self, strength: float) -> None:
        self.kinetic = np.linspace(0.0, 2.0, 400)
        self.weights, self.strength = np.full(400, 1 / 400), strength

    def fields(self, occupation: np.ndarray, amplitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros_like(occupation), np.full_like(amplitude, self.strength * float(self.weights @ amplitude))

    def apart(self, occupation: np.ndarray) -> np.ndarray:
        return np.zeros_like(occupation)


@pytest.mark.parametrize("rs", [2.0, 8.0])
def test_at_no_temperature_it_is_the_ground_state(rs: float) -> None:
    found = solution(rs)
    cold = warm(found, 1e-4)
    assert cold.energy == pytest.approx(found.state.energy, rel=1e-12)
    assert cold.chemical_potential == pytest.approx(found.state.chemical_potential, abs=1e-8)
    np.testing.assert_allclose(cold.gap, found.state.gap, atol=1e-8)
    assert cold.entropy < 1e-30


def test_free_electrons_and_holes_are_ideal_gases() -> None:
    """Without forces: occupations of Fermi, each species with a chemical potential of its own."""
    kset, t = Separable(0.0), 0.1
    gas = Gas(kset, 0.2 * kset.kinetic, 1, 0.3, 0.0)
    state = normal_state(gas, t, 1e-12)
    for n, e in ((state.electron, 0.7 * kset.kinetic), (state.hole, 0.3 * kset.kinetic)):
        mu = brentq(lambda m, e=e: float(kset.weights @ expit((m - e) / t)) - 0.3, -2, 2, xtol=1e-14)
        np.testing.assert_allclose(n, expit((mu - e) / t), atol=1e-11)
        assert float(kset.weights @ n) == pytest.approx(0.3, rel=1e-12)
    f = np.stack([state.electron, state.hole])
    exact = -float(np.sum(kset.weights * (f * np.log(f) + (1 - f) * np.log(1 - f))))
    assert state.entropy == pytest.approx(exact, rel=1e-9)


def test_the_gap_equation_of_bardeen_cooper_and_schrieffer() -> None:
    kset, half = Separable(0.45), 0.5
    gas = Gas(kset, np.zeros(400), 1, half, 0.0)  # half filled: mu stays in the middle, xi = kinetic/2 - 1/2
    xi = kset.kinetic / 2 - 0.5

    def equation(gap: float, t: float) -> float:
        e = np.hypot(xi, gap)
        return 0.45 * float(kset.weights @ (np.tanh(e / (2 * t)) / (2 * e))) - 1

    closing = closing_temperature(gas, 0.1, 1e-12)
    assert closing == pytest.approx(brentq(lambda t: equation(1e-9, t), 1e-3, 1.0), rel=1e-5)
    for t in (0.2 * closing, 0.9 * closing):
        state = solve_warm(gas, t, np.zeros(400), np.full(400, 0.1), 1e-13)
        assert state.gap[0] == pytest.approx(brentq(lambda d, t=t: equation(d, t), 1e-6, 1.0), rel=1e-8)
    assert solve_warm(gas, 1.1 * closing, np.zeros(400), np.full(400, 0.1), 1e-13).gap.max() < 1e-10


def test_thermodynamics_hold_together() -> None:
    """S = -dF/dT and mu = dF/dN, of a condensate that is half broken."""
    found = solution(3.0)
    gas, t = found.gas, 0.04
    here = warm(found, t)
    low, high = warm(found, t * (1 - 1e-4)), warm(found, t * (1 + 1e-4))
    assert here.entropy == pytest.approx((low.free_energy - high.free_energy) / (2e-4 * t), rel=1e-5)
    less, more = (warm(found, t, replace(gas, pairs=gas.pairs * (1 + s))) for s in (-1e-4, 1e-4))
    slope = (more.free_energy - less.free_energy) / (2e-4 * gas.pairs)
    assert here.chemical_potential == pytest.approx(slope, rel=1e-5)
    assert here.free_energy < normal_state(gas, t, 1e-10).free_energy
    assert float(gas.kset.weights @ here.electron) == pytest.approx(gas.pairs, rel=1e-10)
    assert float(gas.kset.weights @ here.hole) == pytest.approx(gas.pairs, rel=1e-10)


@pytest.mark.parametrize(("rs", "mass"), [(2.0, 1.0), (6.0, 0.2)])
def test_the_gap_closes_where_the_normal_state_stops_pairing(rs: float, mass: float) -> None:
    found = solution(rs, mass)
    closing = closing_temperature(found.gas, float(found.state.gap.max()), 1e-9)
    below, above = warm(found, 0.98 * closing), warm(found, 1.02 * closing)
    assert below.gap.max() > 0.05 * found.state.gap.max() and above.gap.max() < 1e-7
    normal = normal_state(found.gas, 1.02 * closing, 1e-10)
    assert above.free_energy == pytest.approx(normal.free_energy, rel=1e-10)


def test_masses_exchanged_exchange_electrons_and_holes() -> None:
    """m_e/m_h = 1/2 in units of the lighter carrier: lengths twice as long, energies half as large."""
    one = ehbilayer.condensate(Bilayer.of(**MASSES, rs_hole=4.0, temperature=0.03))
    two = ehbilayer.condensate(Bilayer.of(spacing=0.5, electron_mass=2.0, hole_mass=1.0, rs_hole=2.0, temperature=0.06))
    assert two.free_energy_per_pair == pytest.approx(2 * one.free_energy_per_pair, rel=1e-8)
    assert two.quasiparticle_gap.hole == pytest.approx(2 * one.quasiparticle_gap.electron, rel=1e-6)
    assert two.entropy_per_pair == pytest.approx(one.entropy_per_pair, rel=1e-6)
    np.testing.assert_allclose(two.data["occupation_hole"].values.max(), one.data["occupation"].values.max(), rtol=1e-6)


def test_torus_tends_to_the_plane_and_says_the_same_of_both() -> None:
    device = Bilayer.of(**MASSES, rs_hole=4.0, temperature=0.05)
    plane = ehbilayer.condensate(device)
    box = ehbilayer.condensate(Torus(device, holes=64, zero_mode="madelung", electron_spin="polarized"), hexagon=14)
    assert box.free_energy_per_pair == pytest.approx(plane.free_energy_per_pair, rel=0.01)
    assert box.entropy_per_pair == pytest.approx(plane.entropy_per_pair, rel=0.05)
    assert box.gap_closing == pytest.approx(plane.gap_closing, rel=0.03)
    for result in (plane, box):
        assert result.free_energy_per_pair == pytest.approx(
            result.energy_per_pair - result.temperature * result.entropy_per_pair, rel=1e-12)
        assert sum(vars(result.energy_parts_per_pair).values()) == pytest.approx(result.energy_per_pair, rel=1e-9)
        assert result.condensation_energy == pytest.approx(
            result.free_energy_per_pair - result.normal_free_energy_per_pair, rel=1e-9)
        assert result.concave is None and "curve_density" not in result.data and "angle" not in result.data
        labels = dict(rows(result))
        assert "Ha_h" in labels["free energy"] and "pairs no more" in labels["gap closes at"]
        assert result.plot() is not None
    assert box.total_energy == pytest.approx(64 * box.energy_per_pair, rel=1e-12)
    hot = ehbilayer.condensate(replace(device, temperature=2 * plane.gap_closing))
    assert hot.phase == "liquid" and hot.pair_size is None and abs(hot.condensation_energy) < 1e-8


def test_function_and_study_agree_in_kelvin(tmp_path) -> None:
    study = make_study({"kind": "condensate", "bilayer": {"material": "WSe2/MoSe2", "spacing": "1 nm",
                                                          "temperature": "200 K", "capacitor": True},
                        "density": {"hole": "2e12 cm^-2"}, "condensate": {"limit": "thermodynamic"}})
    device = Bilayer.of("WSe2/MoSe2", spacing="1 nm", hole_density="2e12 cm^-2", temperature="200 K")
    by_study, direct = ehbilayer.run(study, tmp_path / "run"), ehbilayer.condensate(device, capacitor=True)
    for name in ("free_energy_per_pair", "entropy_per_pair", "gap_closing", "temperature", "chemical_potential"):
        assert getattr(by_study, name) == getattr(direct, name)
    kept = ehbilayer.load(tmp_path / "run")
    assert kept.summary["temperature_kelvin"] == pytest.approx(200.0) and kept.gap_closing == direct.gap_closing
    cold = ehbilayer.condensate(replace(device, temperature=0.0), capacitor=True, curve_points=0)
    assert direct.energy_parts_per_pair.direct == cold.energy_parts_per_pair.direct
    assert cold.temperature is None and cold.free_energy_per_pair is None
    with pytest.raises(InputError, match="chemical_potential: must be left out at a temperature"):
        ehbilayer.condensate(device, chemical_potential=-0.2)


def test_a_stop_is_told() -> None:
    from ehbilayer.status import Status

    asked: list[int] = []

    def late() -> Status | None:
        asked.append(1)
        return Status.interrupted if len(asked) > 40 else None

    device = Bilayer.of(**MASSES, rs_hole=4.0, temperature=0.05)
    found = ehbilayer.condensate(device, should_stop=late)
    assert found.status in (Status.interrupted, Status.converged) and math.isfinite(found.energy_per_pair)
