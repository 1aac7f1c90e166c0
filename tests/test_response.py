"""Response of liquids: free polarisation, plasmons, correlations and local fields, in closed form and both ways."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.special import j1

from ehbilayer import Bilayer, InputError, Interaction, Screened, load, make_study, response, run
from ehbilayer.response import liquids as theory
from ehbilayer.response.liquids import Liquids
from ehbilayer.response.local_fields import Stls
from ehbilayer.response.polarisation import FreeGas
from ehbilayer.response.solve import Asked, Correlated
from ehbilayer.studies import kinds


def one_layer(rs: float, flavours: int = 2) -> Bilayer:
    return Bilayer.of(rs_electron=rs, electrons_per_hole=None, electron_mass=1.0, electron_flavours=flavours)


def two_layers(rs: float, ratio: float, spacing: float = 1.0, **more: object) -> Bilayer:
    """r_s of the electrons and the spacing in their own Bohr radius; ``ratio`` is m_h/m_e."""
    return Bilayer.of(rs_electron=rs, electron_mass=1 / ratio, hole_mass=1.0, spacing=spacing * ratio,
                      **more)  # type: ignore[arg-type]


def liquids(bilayer: Bilayer) -> Liquids:
    return Asked(bilayer).liquids()


def gas(mass: float = 0.7, density: float = 0.3) -> FreeGas:
    return FreeGas(Bilayer.of(electron_mass=mass, hole_mass=1.0, hole_density=density).carriers[0], 2)


@pytest.mark.parametrize(("q", "w"), [(0.3, 0.2), (1.9, 0.7), (4.0, 3.0), (0.05, 2.0)])
def test_polarisation_is_the_integral_over_the_fermi_circle(q: float, w: float) -> None:
    free = gas()
    node, weight = np.polynomial.legendre.leggauss(120)
    k = free.fermi * (1 + node) / 2
    angle = 2 * np.pi * np.arange(4000) / 4000
    # chi_0 = -g int d^2k/(2 pi)^2 n_k 2 D/(D^2 + w^2),  D = (q^2 + 2 k q cos)/2m
    gap = (q * q + 2 * q * k[:, None] * np.cos(angle)) / (2 * free.carrier.mass)
    inner = (2 * gap / (gap**2 + w * w)).mean(axis=1)
    direct = -free.filled * np.sum(weight * free.fermi / 2 * k * inner) / (2 * np.pi)
    assert float(free.imaginary(np.array(q), np.array(w))) == pytest.approx(direct, rel=1e-12)


def test_both_axes_are_one_function() -> None:
    free, q, w = gas(), np.array([0.01, 0.6, 1.9, 2.5, 7.0]), np.array([1e-3, 0.2, 1.0, 5.0, 40.0])
    np.testing.assert_allclose(free.real(q, 1j * w), free.imaginary(q, w), rtol=1e-12)
    assert free.imaginary(np.array(0.4), np.array(0.0)) == pytest.approx(-free.states, rel=1e-12)
    tail = free.imaginary(np.array(0.01), np.array(50.0))  # -n q^2/(m w^2)
    assert float(tail) == pytest.approx(-free.carrier.density * 1e-4 / (free.carrier.mass * 2500), rel=1e-6)
    c = complex(0.6 * free.velocity, -0.05)
    assert complex(free.real(np.array(1e-4), np.array(1e-4 * c))) == pytest.approx(free.sound(c), rel=1e-3)


@pytest.mark.parametrize("q", [0.5, 2.0, 5.0])
def test_free_f_sum_rule_and_structure_factor(q: float) -> None:
    free = gas()
    top = q * free.velocity + q * q / (2 * free.carrier.mass)
    low = max(q * q / (2 * free.carrier.mass) - q * free.velocity, 0.0)
    edge = q * free.velocity - q * q / (2 * free.carrier.mass)
    node, weight = np.polynomial.legendre.leggauss(400)
    total = mean = 0.0
    ends = sorted({low, max(edge, low), top})
    for a, b in pairwise(ends):
        w = a + (b - a) * (1 - np.cos(np.pi * (1 + node) / 2)) / 2  # square roots at both ends
        dw = (b - a) * np.pi / 4 * np.sin(np.pi * (1 + node) / 2) * weight
        lost = -free.real(np.full_like(w, q), w).imag
        total, mean = total + float(w * dw @ lost), mean + float(dw @ lost)
    assert total == pytest.approx(np.pi * free.carrier.density * q * q / (2 * free.carrier.mass), rel=1e-8)
    assert mean / (np.pi * free.carrier.density) - 1 == pytest.approx(float(free.hole(np.array(q))), abs=1e-8)


def test_the_acoustic_plasmon() -> None:
    """Equal layers in closed form, and two unequal ones computed elsewhere; 1/chi_e + 1/chi_h = 4 pi d."""
    for rs, d in ((1.0, 1.0), (3.0, 0.2), (0.5, 6.0)):
        found, x = response(two_layers(rs, 1.0, d)), 1 + 1 / (2 * d)
        assert found.acoustic_velocity == pytest.approx(
            found.fermi_velocity.electron * x / np.sqrt(x * x - 1), rel=1e-8)
        assert found.acoustic_damping == 0
    two, ten = (response(two_layers(1.0, ratio)) for ratio in (2.0, 10.0))
    assert two.acoustic_velocity / two.fermi_velocity.electron == pytest.approx(1.0442, abs=5e-5)
    assert ten.acoustic_velocity / ten.fermi_velocity.electron == pytest.approx(0.4951, abs=5e-5)
    assert ten.acoustic_damping / ten.fermi_velocity.electron == pytest.approx(0.0207, abs=5e-5)
    bilayer = two_layers(1.0, 10.0)
    c = complex(ten.acoustic_velocity, -ten.acoustic_damping)
    assert sum(1 / g.sound(c) for g in liquids(bilayer).gases) == pytest.approx(4 * np.pi * bilayer.spacing, rel=1e-8)


def test_plasmons_against_the_loss_function() -> None:
    found = response(two_layers(1.0, 1.0), wave_numbers=8, frequencies=4000, largest_wave_number=0.4)
    data = found.data
    q, w = data["loss_wave_number"].values, data["frequency"].values
    for name in ("acoustic", "optical"):
        mode = np.interp(q, data["mode_wave_number"].values, data[f"{name}_frequency"].values)
        for i in (3, 7):
            near = np.abs(w - mode[i]) < 0.05 * mode[i]
            peak = w[near][np.argmax(data["loss"].values[0, i, near])]
            assert peak == pytest.approx(mode[i], abs=3 * (w[1] - w[0]))
    assert np.all(data["loss"].values > -1e-12)
    # in one layer q -> 0: w^2 = 2 pi n q/m
    alone = response(one_layer(2.0), largest_wave_number=0.01).data
    cold = np.sqrt(2 * alone["mode_wave_number"].values[0] / 4.0)
    assert alone["optical_frequency"].values[0] == pytest.approx(cold, rel=1e-3)


@pytest.mark.parametrize("rs", [1e-4, 1e-3])
def test_ring_energy_of_a_dense_gas(rs: float) -> None:
    """-(1 - ln 2) - sqrt(2) (10/3 pi - 1) r_s ln r_s Ha per particle; Rajagopal and Kimball, Phys. Rev. B 15, 2819."""
    dense = liquids(one_layer(rs))
    found = theory.ring_energy(dense) / dense.densities[0]
    expected = -(1 - np.log(2)) - np.sqrt(2) * (10 / (3 * np.pi) - 1) * rs * np.log(rs)
    assert found == pytest.approx(expected, abs=0.3 * rs)


def test_energy_from_the_coupling_is_that_of_the_rings() -> None:
    for bilayer in (one_layer(3.0), two_layers(2.0, 3.0)):
        here = liquids(bilayer)

        def at(coupling: float, here: Liquids = here) -> np.ndarray:
            one = here.at(coupling)
            return theory.holes(one, here.on_axis, one.bare(here.grid.q))

        assert theory.coupled_energy(here, at) == pytest.approx(theory.ring_energy(here), rel=1e-8)


def test_structure_factors() -> None:
    """S >= 0 as a matrix; q^2/2 m w_p at small q of one layer; layers far apart do not see each other."""
    here = liquids(two_layers(2.0, 3.0))
    s = Correlated.of(here, "rpa", lambda text: None).hole + np.eye(2)
    assert np.linalg.eigvalsh(s).min() > -1e-12
    alone = liquids(one_layer(2.0))
    q, hole = alone.grid.q[:6], theory.holes(alone, alone.on_axis, alone.bare(alone.grid.q))[:6, 0, 0]
    np.testing.assert_allclose(1 + hole, q**2 / (2 * np.sqrt(2 * np.pi * alone.densities[0] * q)), rtol=1e-2)
    far, near = (response(b, approximation="stls") for b in (two_layers(2.0, 1.0, 500.0), one_layer(2.0)))
    assert far.contact["electron-electron"] == pytest.approx(near.contact["electron-electron"], abs=1e-6)
    assert far.correlation_energy_per_hole == pytest.approx(2 * near.correlation_energy_per_hole, rel=1e-4)


def test_self_consistent_local_field_is_that_of_its_pair_correlation() -> None:
    """For Coulomb G(q) = int dr [1 - g(r)] J_1(q r)/r, another way to the same."""
    here = liquids(one_layer(2.0))
    found = Stls.of(here).solve()
    assert found.converged
    node, weight = np.polynomial.legendre.leggauss(600)
    r = 60.0 * ((1 + node) / 2) ** 2
    g = theory.correlation(here, found.hole, r)[:, 0, 0]
    for q in (0.3, 1.0, 2.5):
        direct = np.sum(30.0 * weight * (1 + node) * (1 - g) * j1(q * r) / r)
        made = here.grid.interpolation(np.array([q]))[0] @ found.field[:, 0, 0]
        assert direct == pytest.approx(float(made), abs=2e-4)


@pytest.mark.parametrize(("rs", "correlation"), [(1.0, -0.110612), (2.0, -0.083295), (5.0, -0.049439)])
def test_local_fields_come_near_monte_carlo(rs: float, correlation: float) -> None:
    """C. Attaccalite et al., Phys. Rev. Lett. 88, 256601 (2002), less kinetic and exchange energy: rings alone lie far
    below, local fields within 7 %."""
    rpa, stls = (response(one_layer(rs), approximation=name) for name in ("rpa", "stls"))
    assert stls.status.value == "converged" and stls.contact["electron-electron"] > -0.02
    assert rpa.contact["electron-electron"] < 0
    assert abs(stls.correlation_energy_per_hole / correlation - 1) < 0.07
    assert rpa.correlation_energy_per_hole < 1.5 * correlation


def test_stiffness() -> None:
    """Without local fields that of free gases and the capacitor, exactly; the energy's has exchange and correlation."""
    bilayer = two_layers(0.3, 2.0)
    found = response(bilayer, sum_rule=True)
    free = sum(1 / g.states for g in liquids(bilayer).gases) + 4 * np.pi * bilayer.spacing
    assert found.stiffness is not None
    assert found.stiffness.response == pytest.approx(free, rel=1e-6)
    assert free > found.stiffness.energy > 0.8 * free
    hubbard = response(one_layer(1.0), approximation="hubbard", sum_rule=True)
    assert hubbard.stiffness is not None
    # 1/N_0 - 2 pi/(g k_F)
    k_f = liquids(one_layer(1.0)).gases[0].fermi
    assert hubbard.stiffness.response == pytest.approx(np.pi - np.pi / k_f, rel=1e-5)


def test_exchange_of_electrons_and_holes() -> None:
    bilayer = two_layers(1.5, 4.0)
    one, other = (response(b, approximation="stls") for b in (bilayer, bilayer.exchanged()))
    assert other.contact["electron-electron"] == pytest.approx(one.contact["hole-hole"], abs=1e-6)
    # energies in the Hartree of the heavier carrier: its unit is m_e/m_h of the other's
    assert other.correlation_energy_per_hole * 0.25 == pytest.approx(one.correlation_energy_per_hole, rel=1e-6)


@dataclass(frozen=True)
class Own(Interaction):
    """Coulomb's, written by a user."""

    spacing: float = 1.0
    name = "mine"

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        q = np.asarray(q, dtype=float)
        safe = np.where(q > 0, q, 1.0)
        return np.where(q > 0, 2 * np.pi / safe * np.exp(-safe * self.distance(a, b)), 0.0)

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        return 2 * np.pi, -2 * np.pi * self.distance(a, b)


def test_other_interactions() -> None:
    """One's own; far gates are none, but sound is all there is between them."""
    bilayer = two_layers(1.0, 1.0)
    plain, own = response(bilayer), response(Bilayer(bilayer.carriers, Own()))
    assert own.correlation_energy_per_hole == pytest.approx(plain.correlation_energy_per_hole, rel=1e-12)
    gated = response(Bilayer(bilayer.carriers, Screened(1.0, gate_top=500.0, gate_bottom=500.0)))
    assert gated.correlation_energy_per_hole == pytest.approx(plain.correlation_energy_per_hole, rel=1e-4)
    assert "optical_frequency" not in gated.data and "optical_frequency" in plain.data
    assert gated.acoustic_velocity == pytest.approx(plain.acoustic_velocity, rel=1e-3)  # as d over the gate
    near = response(Bilayer(bilayer.carriers, Screened(1.0, gate_top=1.0, gate_bottom=1.0)))
    assert 0 > near.correlation_energy_per_hole > plain.correlation_energy_per_hole
    assert near.acoustic_velocity < plain.acoustic_velocity


@pytest.mark.parametrize(("call", "words"), [
    (lambda: response(two_layers(1.0, 1.0), approximation="rpax"), r"approximation: must be rpa \| hubbard \| stls"),
    (lambda: response(two_layers(1.0, 1.0), broadening=-1.0), r"broadening: must be a positive number"),
    (lambda: response(two_layers(1.0, 1.0), wave_numbers=2.5), r"wave_numbers: must be an integer"),
    (lambda: response(Bilayer.of(spacing=1.0, electron_mass=1.0, hole_mass=1.0)), r"density")])
def test_what_cannot_be_is_refused(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()  # type: ignore[operator]


def test_a_study_and_a_call_give_the_same(tmp_path: Path) -> None:
    study = {"kind": "response", "bilayer": {"electron_mass": 0.5, "hole_mass": 1.0, "spacing": "1 a_e"},
             "density": {"rs_electron": 1.0, "electrons_per_hole": 1},
             "response": {"approximation": "hubbard", "wave_numbers": 6, "frequencies": 7}}
    found = run(make_study(study), directory=tmp_path / "out")
    called = response(two_layers(1.0, 2.0), approximation="hubbard", wave_numbers=6, frequencies=7)
    assert called.correlation_energy_per_hole == found.correlation_energy_per_hole
    assert load(tmp_path / "out").contact == found.contact
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary.keys() >= {"acoustic_velocity", "correlation_energy_per_hole", "contact", "stable"}
    rows = dict(kinds.rows(found))
    assert "v_F of the electrons" in rows["acoustic plasmon"] and rows["static response"].startswith("stable")
    assert kinds.figure(found).axes
