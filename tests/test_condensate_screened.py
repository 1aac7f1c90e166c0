"""Screening inside the condensate: its polarisation against other integrals, its limits, and the state that agrees."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.special import ive

from ehbilayer import condensate
from ehbilayer.condensate.bogoliubov import PairState
from ehbilayer.condensate.mesh import Mesh, RadialWaves
from ehbilayer.condensate.radial import Pairs, drop_of, find
from ehbilayer.condensate.screened import (
    ScreenedWaves,
    _average,
    interactions,
    normal_polarisation,
    polarisation,
    screened,
    wave_numbers,
)
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.papers.response.superfluid import rows
from ehbilayer.status import Status
from ehbilayer.torus import Torus


def pairs(rs: float, mass: float = 1.0, spacing: float = 0.5, flavours: int = 2) -> Pairs:
    bilayer = Bilayer.of(electron_mass=mass, hole_mass=1.0, spacing=spacing, rs_hole=rs, electrons_per_hole=1)
    return Pairs(bilayer, flavours)


def test_polarisation_against_an_integral_in_other_coordinates() -> None:
    """p = k + q/2 in polar coordinates, plain Gauss rules, for unequal masses."""
    here = pairs(4.0, 0.3)
    found = find(here, 1e-10)
    state, gas = found.state, found.gas
    k = gas.kset.k  # type: ignore[attr-defined]
    known = CubicSpline(k, np.stack([state.exchange, state.gap, state.occupation], axis=1))
    x, w = np.polynomial.legendre.leggauss(300)
    p, dp = 15 * (1 + x), 15 * w
    turn = (np.arange(200) + 0.5) * np.pi / 100
    drop = drop_of(here, found.mesh, state)
    for q in (0.3, 1.4):
        ends = [np.hypot(p[:, None] * np.cos(turn) + s * q / 2, p[:, None] * np.sin(turn)) for s in (1, -1)]
        xi = [e**2 * (1 + 1 / 0.3) / 4 - known(e)[..., 0] - state.chemical_potential / 2 for e in ends]
        gap = [known(e)[..., 1] for e in ends]
        e = [np.hypot(a, b) for a, b in zip(xi, gap, strict=True)]
        n = [(1 - a / b) / 2 for a, b in zip(xi, e, strict=True)]
        t = [a**2 * (1 / 0.3 - 1) / 4 for a in ends]
        cost = [e[0] + e[1] + s * (t[0] - t[1]) for s in (1, -1)]
        whole = [2 * n[1] * (1 - n[0]) / cost[0], 2 * n[1] * (1 - n[0]) / cost[1],
                 gap[0] * gap[1] / (4 * e[0] * e[1]) * (1 / cost[0] + 1 / cost[1])]
        direct = [-2 * float(p * dp @ a.mean(axis=1)) / (2 * np.pi) for a in whole]
        chi = polarisation(gas, state, found.mesh, drop[0] if drop else here.fermi, np.array([q]))[0]
        assert [chi[0, 0], chi[1, 1], chi[0, 1]] == pytest.approx(direct, rel=1e-5)


@pytest.mark.parametrize("mass", [1.0, 0.3])
def test_without_a_gap_it_is_that_of_the_free_gases(mass: float) -> None:
    """-N_0 up to 2 k_F and Lindhard's function beyond; the difference is in proportion to the gap, but for 1e-3."""
    here, q = pairs(1.0, mass), np.array([0.5, 1.3, 1.8, 2.4, 5.0])
    q = q * here.fermi
    off = []
    for small in (1e-2, 1e-3):
        heavy = (1 + 1 / mass) / 4
        gap = small * here.fermi**2
        mesh = Mesh(here.fermi, 1e3, 0.08, here.fermi, gap / (2 * here.fermi * heavy), 1.0)
        gas = here.gas(mesh)
        k = mesh.nodes()[0]
        xi = (k**2 - here.fermi**2) * heavy
        angle = np.arctan2(gap, xi) / 2
        state = PairState(angle, np.zeros_like(k), np.full_like(k, gap), 2 * heavy * here.fermi**2, 0.0, 0.0, 0,
                          Status.converged)
        chi = polarisation(gas, state, mesh, here.fermi, q)
        free = normal_polarisation(here, q)
        off.append((chi - free) / np.abs(free).max())
    assert np.abs(off[1]).max() < 5e-3
    assert np.abs(10 * off[1] - off[0]).max() / 9 < 1e-3


def test_a_gap_screens_nothing_far_away() -> None:
    """chi_ee = chi_hh = chi_eh at q -> 0, and W_eh is v_eh there, up to the dipoles of pairs."""
    here = pairs(4.0, 0.3)
    found = find(here, 1e-8)
    q = np.array([1e-4, 2e-4])
    chi = polarisation(found.gas, found.state, found.mesh, here.fermi, q)
    assert chi[0] == pytest.approx(np.full((2, 2), chi[0, 0, 0]), rel=1e-6)
    charged = chi[:, 0, 0] + chi[:, 1, 1] - 2 * chi[:, 0, 1]
    assert charged[1] / charged[0] == pytest.approx(4.0, rel=0.01)
    v, w = interactions(here, chi, q)
    assert w[0, 0, 1] / v[0, 0, 1] == pytest.approx(1.0, abs=1e-3)


def test_averages_over_angles() -> None:
    """Of exp(-q^2): a Bessel function."""
    k = np.geomspace(0.01, 5, 30)
    a, b = np.meshgrid(k, k)
    exact = np.exp(-(a - b) ** 2) * ive(0, 2 * a * b) / (2 * np.pi)
    np.testing.assert_allclose(_average(k, lambda q: np.exp(-q * q)), exact, rtol=1e-7, atol=1e-12)


def test_without_polarisation_it_is_the_condensate() -> None:
    here = pairs(3.0)
    found = find(here, 1e-8)
    q = wave_numbers(here)
    plain, with_w = found.gas.kset, ScreenedWaves(here, found.mesh, np.zeros((len(q), 2, 2)), q, True)
    assert isinstance(plain, RadialWaves)
    n, f = found.state.occupation, found.state.amplitude
    np.testing.assert_allclose(with_w.fields(n, f), plain.fields(n, f), rtol=1e-13)


@pytest.mark.parametrize(("rs", "mass"), [(5.0, 1.0), (8.0, 0.3)])
def test_the_state_agrees_with_its_screening(rs: float, mass: float) -> None:
    """On two tolerances of the mesh; its gap is smaller and its mean energy larger than without."""
    here, gaps = pairs(rs, mass), []
    for tolerance in (1e-6, 1e-9):
        found = find(here, tolerance)
        agreed = screened(here, found, "condensate", tolerance, Hooks())
        state = agreed.solution.state
        assert state.status is Status.converged
        gaps.append(state.gap.max())
        drop = drop_of(here, agreed.solution.mesh, state)
        again = polarisation(agreed.gas, state, agreed.solution.mesh, drop[0] if drop else here.fermi, agreed.q)
        np.testing.assert_allclose(again, agreed.chi, rtol=1e-4, atol=1e-9)
        assert state.gap.max() < found.state.gap.max()
        assert agreed.bare.state.energy > found.state.energy
    assert gaps[0] == pytest.approx(gaps[1], rel=1e-3)


def test_screening_in_the_plane_only() -> None:
    bilayer = pairs(8.0).bilayer
    told = condensate(bilayer, screening="condensate")
    assert told.screening == "condensate"
    assert told.unscreened_gap is not None and told.max_gap < told.unscreened_gap
    assert told.coexistence is None and "curve_density" not in told.data
    with pytest.raises(InputError, match="screening"):
        condensate(bilayer, screening="static")
    with pytest.raises(InputError, match='"none" on a torus'):
        condensate(Torus(bilayer, 7, zero_mode="none", electron_spin="polarized",
                         hole_spin="polarized"), screening="condensate")
    warm = Bilayer.of("WSe2/MoSe2", spacing="1 nm", hole_density="1e12 cm^-2", temperature="4 K")
    with pytest.raises(InputError, match='"none" at a temperature'):
        condensate(warm, screening="normal")


def test_rows_say_where_the_condensate_begins() -> None:
    def told(fraction: float, gap: float) -> SimpleNamespace:
        return SimpleNamespace(condensate_fraction=fraction, max_gap=gap, unscreened_gap=2.0)

    results = {"condensate-1-4": told(1e-3, 1e-4), "condensate-1-5": told(0.6, 1.0),
               "condensate-2-5": told(0.0, 1e-5), "normal-1-5": told(0.1, 0.1)}
    one, two = rows({f"response-superfluid-{name}": x for name, x in results.items()})  # type: ignore[arg-type]
    assert one.ours.startswith("begins between r_s 4 and 5, fraction 0.60; gap over the unscreened one: r_s 5: 0.5")
    assert two.ours.startswith("nowhere")
