"""Estimates of temperature: gases in closed form, mass action, the jump of the stiffness, melting of crystals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import dawsn

import ehbilayer
from ehbilayer.crystal.structures import named
from ehbilayer.errors import InputError
from ehbilayer.few_body.exciton import _edges, _Grid, _lowest, solve_exciton
from ehbilayer.hooks import Hooks
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.model import Bilayer
from ehbilayer.phonons.melting import groups
from ehbilayer.phonons.modes import Phonons
from ehbilayer.studies.file import make_study
from ehbilayer.studies.task import prepare
from ehbilayer.thermal.estimates import superfluid_of
from ehbilayer.thermal.gases import Bosons, Fermions, Pairs
from ehbilayer.thermal.ionisation import Composition, Mixture
from ehbilayer.thermal.melting import Relative, elastic, limits
from ehbilayer.thermal.pair import LINEAR, Level, Pair
from ehbilayer.thermal.superfluid import Superfluid, critical, settled
from ehbilayer.torus import Torus

DEVICE = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="0.8e12 cm^-2")


def mixture(density: float, binding: float = 0.1, trions: dict[str, float] | None = None, **more: Any) -> Mixture:
    return Mixture(**{"electron_mass": 0.5, "flavours": (2, 2), "densities": (density, density), "binding": binding,
                      "trions": trions or {}} | more)


def bound(spacing: float = 2.0, mass: float = 0.5, **more: Any) -> Mixture:
    """With the exciton of this spacing, screened."""
    x = solve_exciton(mass, spacing)
    return mixture(**{"density": 0.001, "electron_mass": mass, "binding": -x.energy,
                      "pair": Pair.of(mass, Coulomb(spacing), x.mean_distance)} | more)


# -- ideal gases --


@pytest.mark.parametrize("z", [-3.0, -0.2, 5.0])
def test_ideal_densities_are_the_integrals_over_k(z: float) -> None:
    m, g, t = 0.7, 3, 0.04
    gas, bose = Fermions(m, g, t), Bosons(m, g, t)
    exact = quad(lambda x: 1 / (math.exp(x - z) + 1), 0, 60, epsabs=1e-13)[0] * g * m * t / (2 * math.pi)
    assert gas.density(z) == pytest.approx(exact, rel=1e-10)
    assert gas.potential(gas.density(z)) == pytest.approx(z, rel=1e-12)
    if z < 0:
        exact = quad(lambda x: 1 / (math.exp(x - z) - 1), 0, 60, epsabs=1e-13)[0] * g * m * t / (2 * math.pi)
        assert bose.density(z) == pytest.approx(exact, rel=1e-10)
        assert bose.potential(bose.density(z)) == pytest.approx(z, rel=1e-12)


def test_the_static_response_has_its_limits() -> None:
    gas, n = Fermions(0.7, 2, 0.05), 0.01
    z, far = gas.potential(n), 100.0
    slope = (gas.density(z + 1e-5) - gas.density(z - 1e-5)) / (2e-5 * gas.temperature)
    assert gas.response(np.array([1e-6]), n)[0] == pytest.approx(slope, rel=1e-8)
    assert gas.response(np.array([far]), n)[0] == pytest.approx(4 * gas.mass * n / far**2, rel=1e-3)
    thin = 1e-6  # Maxwell: n/T times Dawson's function
    y = 0.3 / (2 * math.sqrt(2 * gas.mass * gas.temperature))
    assert gas.response(np.array([0.3]), thin)[0] == pytest.approx(thin / gas.temperature * dawsn(y) / y, rel=1e-4)
    cold = Fermions(0.7, 2, 1e-4)  # Lindhard's constant below 2 k_F
    assert cold.response(np.array([0.1]), n)[0] == pytest.approx(2 * 0.7 / (2 * math.pi), rel=1e-6)


# -- ionisation --


def test_mass_action_is_saha_where_the_gases_are_thin() -> None:
    n, t = 1e-9, 0.01
    one = mixture(n)
    # n_e n_h/n_X = (g_e g_h/g_X) (m_e m_h/M) (T/2 pi) e^{-E/T}
    k = 0.5 / 1.5 * t / (2 * math.pi) * math.exp(-0.1 / t) / n
    assert one.at(t).degree == pytest.approx((math.sqrt(k * k + 4 * k) - k) / 2, rel=1e-5)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_carriers_are_conserved_and_in_equilibrium(ratio: float) -> None:
    n, t = 0.002, 0.02
    one = mixture(n, trions={"trion-": 0.02, "trion+": 0.01}, densities=(ratio * n, n), flavours=(4, 2))
    c = one.at(t)
    assert c.electron + c.exciton + 2 * c.trion_minus + c.trion_plus == pytest.approx(ratio * n, rel=1e-11)
    assert c.hole + c.exciton + c.trion_minus + 2 * c.trion_plus == pytest.approx(n, rel=1e-11)
    ze, zh = Fermions(0.5, 4, t).potential(c.electron), Fermions(1.0, 2, t).potential(c.hole)
    zx = Bosons(1.5, 8, t).potential(c.exciton)
    assert ze + zh == pytest.approx(zx - 0.1 / t, rel=1e-9)
    minus = Fermions(2.0, 6 * 2, t).potential(c.trion_minus)  # 4 * 3/2 singlets, two holes
    plus = Fermions(2.5, 4 * 1, t).potential(c.trion_plus)
    assert minus == pytest.approx(ze + zx + 0.02 / t, rel=1e-9)
    assert plus == pytest.approx(zh + zx + 0.01 / t, rel=1e-9)


def test_cold_carriers_are_bound_and_hot_ones_free() -> None:
    one = mixture(0.002)
    cold, hot = one.at(1e-6), one.at(50.0)
    assert cold.exciton == pytest.approx(0.002, rel=1e-12) and cold.degree < 1e-12 and hot.degree > 0.99
    assert one.at(0.0) == one.at(1e-12) and one.screened(1e-6).exciton == pytest.approx(0.002, rel=1e-12)
    three = mixture(0.002, trions={"trion-": 0.02}, densities=(0.004, 0.002)).at(1e-5)
    assert three.trion_minus == pytest.approx(0.002, rel=1e-9)  # all holes with two electrons each


def test_screening_lowers_the_continuum_as_debye_and_hueckel_have_it() -> None:
    n, t = 1e-7, 0.05
    one = bound(0.0, flavours=(1, 1), level=LINEAR)
    # layers at one place: W = 2 pi/(q + 2 pi chi), cut off by the response of Maxwell's gases
    def change(q: float) -> float:
        chi = sum(n / t * dawsn(y) / y for y in (q / (2 * math.sqrt(2 * m * t)) for m in (0.5, 1.0)))
        return 2 * math.pi * chi / (q + 2 * math.pi * chi)

    exact = quad(lambda x: change(math.exp(x)) * math.exp(x), -25, 8, limit=400)[0]
    assert one.loss(t, Composition(n, n, 0.0)) == pytest.approx(exact, rel=2e-3)
    assert one.loss(t, Composition(0.0, 0.0, n)) == 0.0


@pytest.mark.parametrize("spacing", [0.0, 0.5, 2.0, 10.0])
def test_alone_the_pair_is_the_exciton(spacing: float) -> None:
    """Gaussians against the radial equation; the cusp of d = 0 is the hardest."""
    x = solve_exciton(0.5, spacing)
    pair = Pair.of(0.5, Coulomb(spacing), x.mean_distance)
    assert pair.binding(0.0, 1.0) == pytest.approx(-x.energy, rel=1e-3 if spacing < 1 else 2e-4)


def test_a_pair_in_a_screened_interaction_meets_the_radial_equation() -> None:
    """Thomas and Fermi's W = 2 pi/(q + s) at d = 0: v(r) = 1/r - (pi s/2) [H_0(s r) - Y_0(s r)]."""
    from scipy.special import struve, y0

    s, mu = 0.4, 1 / 3
    pair = Pair.of(0.5, Coulomb(0.0), 1.5)
    chi = np.full_like(pair.q, s / (4 * math.pi))  # half in each layer
    grid = _Grid(mu, np.concatenate([_edges(mu, 0.0), [200.0, 400.0]]),
                 lambda r: np.maximum(1 / r - math.pi * s / 2 * (struve(0, s * r) - y0(s * r)), 0.0))
    exact = -_lowest(grid.hamiltonian(0), grid.integral(1.0), -2 * mu)[0]
    assert 0.1 < exact < 0.4  # of 2/3 alone
    assert pair.binding(pair.screened((chi, chi))[2], 1.0) == pytest.approx(exact, rel=3e-3)


@pytest.mark.parametrize(("gamma", "least", "most"), [(1.0, 0.9, 1.0), (3.0, 0.6, 0.7)])
def test_the_lowering_meets_the_classical_gas(gamma: float, least: float, most: float) -> None:
    """Two layers far apart, each with beta u = -1.12 G + 0.71 G^(1/4) - 0.38, H. Totsuji, PRA 17, 399 (1978)."""
    n, t = 1e-8, math.sqrt(math.pi * 1e-8) / gamma
    pair = Pair.of(1.0, Coulomb(1e9), 0.1 / math.sqrt(n))
    chi = np.full_like(pair.q, n / t)  # as of carriers that are heavy: nothing is quantum
    less = pair.screened((chi, chi), pair.spread((chi, chi), 8 * t))

    def energy(g: float) -> float:
        return -1.12 * g + 0.71 * g**0.25 - 0.38

    # mu_ex = f + u/2, f from Gamma = 1 on, where it is about -0.5
    free = -0.5 + quad(lambda g: energy(g) / g, 1.0, gamma)[0]
    assert least < float(pair.measure @ less[0]) / 2 / t / -(free + energy(gamma) / 2) < most


def test_carriers_stay_as_far_apart_as_their_energy_has_it() -> None:
    pair = Pair.of(1.0, Coulomb(1.0), 2.0)
    t, nobody = 0.01, np.zeros_like(pair.q)
    # v_00 + v_11 = 2/R of spread charges that nobody screens: Bjerrum's R = 1/2T
    assert pair.spread((nobody, nobody), 4 * t) == pytest.approx(1 / (2 * t), rel=1e-4)
    dense = np.full_like(pair.q, 10.0)
    assert pair.spread((dense, dense), 4 * t) < 0.2 / (2 * t)


def test_pairs_are_bosons_where_they_are_tight_and_none_where_they_are_loose() -> None:
    tight, loose = Pairs(1.5, 4, 0.01, 60.0), Pairs(1.5, 4, 0.01, 1e-9)
    bose = Bosons(1.5, 4, 0.01)
    for z in (-3.0, -0.1):
        assert tight.density(z) == pytest.approx(bose.density(z), rel=1e-12)
        assert loose.density(z) == pytest.approx(bose.unit * 1e-9 / math.expm1(-z), rel=1e-5)
        assert Pairs(1.5, 4, 0.01, 1.0).potential(Pairs(1.5, 4, 0.01, 1.0).density(z)) == pytest.approx(z, rel=1e-12)


def test_few_carriers_leave_the_ideal_law() -> None:
    one = bound(densities=(1e-14, 1e-14))
    assert one.half(True) == pytest.approx(one.half(False), rel=3e-3)


def test_half_is_ionised_below_the_ideal_law() -> None:
    one = bound()
    ideal, screened = one.half(False), one.half(True)
    linear = replace(one, level=LINEAR).half(True)
    assert None not in (ideal, screened, linear) and linear < screened < ideal
    assert one.at(ideal).degree == pytest.approx(0.5, abs=1e-3)
    assert one.screened(0.99 * screened).degree < 0.5 < one.screened(1.01 * screened).degree
    kept = one.screened(screened)
    assert kept.loss == pytest.approx(one.loss(screened, kept), rel=1e-6)  # reproduces itself


def test_no_pair_is_bound_above_motts_density() -> None:
    """It grows with the flavours: fewer states are taken, and the same carriers spread over more of them."""
    found = [bound(flavours=(g, g)).mott() for g in (1, 2, 4)]
    assert found == sorted(found)
    one = bound()
    cold = 1e-3 * one.binding
    for n, held in ((0.5 * found[1], True), (2 * found[1], False)):
        left = one.binding - one.loss(cold, Composition(n, n, 0.0))
        assert (left > 0.01 * one.binding) == held
    assert mixture(0.001).mott() is None
    first, second = (replace(bound(), level=Level("open", blocked=False, contact=c)).mott() for c in (1.0, 4.0))
    assert first > second


# -- superfluidity --


def superfluid(sound: float | None = None, gap: float = 1e3) -> Superfluid:
    k, weight = np.polynomial.legendre.leggauss(400)
    k, weight = 3 * (k + 1), 3 * weight
    return Superfluid(0.01, 1.5, k, weight * k / (2 * math.pi), (k**2 + gap, k**2 / 2 + gap), sound)


def test_the_stiffness_jumps_by_the_universal_number() -> None:
    one = superfluid()
    t = one.transition()
    below = one.renormalised(t * (1 - 1e-12))
    assert below / (one.mass * t) == pytest.approx(2 / math.pi, rel=1e-4)  # closes as a square root
    assert one.renormalised(t * (1 + 1e-12)) == 0.0
    assert one.bare(0.0) == one.renormalised(0.0) == one.density
    assert one.transition(vortices=False) == pytest.approx(math.pi / 2 * one.density / one.mass, rel=1e-12)
    assert settled(0.1, one.core) == pytest.approx(0.1, rel=1e-3) and settled(1.6, one.core) is None
    assert critical(50.0) == pytest.approx(math.pi / 2, rel=1e-9)  # cores that cost much: no vortices


def test_the_flow_ends_where_its_equations_lead() -> None:
    from scipy.integrate import solve_ivp

    u, core = 0.8, 4.0
    end = solve_ivp(lambda x, f: [4 * math.pi**3 * f[1] ** 2, (2 - math.pi / f[0]) * f[1]], (0, 60),
                    [u, math.exp(-core / u)], rtol=1e-10, atol=1e-14).y[0, -1]
    assert settled(u, core) == pytest.approx(end, rel=1e-7)


def test_without_a_gap_all_is_normal() -> None:
    """Free electrons and holes at their chemical potentials: M (n - n_s) = m_e n + m_h n."""
    t, gap = 0.05, -0.02
    one = superfluid(gap=gap)
    # branches k^2/2m - mu with m = 1/2 and 1
    mass_density = 0.5 * Fermions(0.5, 1, t).density(-gap / t) + Fermions(1.0, 1, t).density(-gap / t)
    assert replace(one, density=1.0).bare(t) == pytest.approx(1 - mass_density / 1.5, rel=1e-8)


def test_sound_takes_its_cubic_law() -> None:
    """rho_n = 3 zeta(3) T^3/(2 pi c^4) of sound in the plane."""
    one = superfluid(sound=1.5)  # M c^2 = 1.5: c = 1
    t = 1e-4
    assert (one.density - one.bare(t)) * one.mass == pytest.approx(3 * 1.2020569 * t**3 / (2 * math.pi), rel=1e-3)


# -- melting --


def test_the_electron_crystal_melts_where_thouless_has_it() -> None:
    found = ehbilayer.thermal(Bilayer.of(electron_density=1.0, electrons_per_hole=None))
    assert found.shear_modulus == pytest.approx(0.245065, abs=1e-6)
    assert math.sqrt(math.pi) / found.melting.kthny == pytest.approx(78.71, abs=0.005)
    assert found.bkt is None and "electrons_per_hole" in found.bkt_reason
    assert found.ionisation is None and "hole" in found.ionisation_reason


def test_dipoles_far_apart_melt_as_a_crystal_of_dipoles() -> None:
    """C/r^3 with C = d^2: mu = (3/16) S n^{5/2} C over all neighbours, and 2 mu + lambda = (33/16) S n^{5/2} C."""
    d, n = 1.0, 1e-3
    found = elastic(Phonons(named("triangular", n, d, 1), {"electron": 1.0, "hole": 1.0}))
    assert not isinstance(found, str)
    shifts = np.stack(np.meshgrid(*[np.arange(-150, 151)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    r = np.linalg.norm(shifts @ np.array([[1.0, 0.0], [0.5, math.sqrt(0.75)]]), axis=1)
    side = math.sqrt(2 / (math.sqrt(3) * n))
    inside = (r > 0) & (r < 125)
    total = np.sum(r[inside] ** -3.0) + 2 * math.pi / (math.sqrt(0.75) * 125)  # the rest as a continuum
    unit = n / side**3 * total * d**2 / 16
    assert found.mu == pytest.approx(3 * unit, rel=0.02)  # and quadrupoles, (d/a)^2
    assert found.lam + 2 * found.mu == pytest.approx(11 * found.mu, rel=0.01)


def test_relative_motion_is_classical_when_hot_and_quantum_when_cold() -> None:
    crystal = named("triangular", 1e-5, 0.0, 0)
    masses = {"hole": 1.0}
    phonons = Phonons(crystal, masses)
    group = groups(crystal, np.zeros((0, 2), dtype=int), masses)["hole"]
    one = Relative(phonons, group)
    hot = 1e3 * float(one.omega.max())
    assert one.square(2 * hot) == pytest.approx(2 * one.square(hot), rel=1e-5)
    heavy = Relative(Phonons(crystal, {"hole": 100.0}), group)
    assert heavy.square(0.0) == pytest.approx(one.square(0.0) / 10, rel=1e-9)  # 1/sqrt(m)
    assert heavy.square(hot) == pytest.approx(one.square(hot), rel=1e-5)  # no mass
    assert one.square(one.melting(0.1)) == pytest.approx(0.1, rel=1e-9)
    assert limits(crystal, masses, 0.08).lindemann < limits(crystal, masses).lindemann == one.melting(0.1)
    dense = limits(named("triangular", 1.0, 0.0, 0), masses)
    assert dense.lindemann == 0.0  # melted by zero-point motion


# -- the whole of it --


def test_the_bound_of_the_device_and_what_flavours_do() -> None:
    one = ehbilayer.thermal(DEVICE, trions=False, points=5)
    assert one.bkt_bound.to("K") == pytest.approx(9.26, abs=0.01)
    assert 0 < one.bkt < one.bkt_bound
    shared = ehbilayer.thermal(DEVICE, spin="restricted", trions=False, points=5)
    assert shared.condensates == 2 and shared.bkt_bound == pytest.approx(one.bkt_bound / 2, rel=1e-12)
    assert one.summary["bkt_bound_kelvin"] == pytest.approx(9.26, abs=0.01)
    assert set(one.summary["melting_kelvin"]) == {"kthny", "lindemann"}
    assert 0 < one.summary["ionisation_screened_kelvin"] < one.summary["ionisation_kelvin"]
    assert all(e.assumption for e in one.estimates) and one.here is None
    assert one.data["stiffness"].values[0] == one.data["stiffness_bare"].values[0]


def test_between_gates_pairs_are_superfluid_too() -> None:
    """v(0) is finite there and holds the capacitor: the stiffness meets the same bound, (pi/2) n/M."""
    gates = {"gate_top": "10 nm", "gate_bottom": "10 nm"}
    stack = Bilayer.of("WSe2/hBN/MoSe2", spacing="3 nm", hole_density="0.2e12 cm^-2", screening=gates)
    one = superfluid_of(stack, "polarized", Hooks())
    assert isinstance(one, Superfluid)
    bound = math.pi / 2 * one.density / one.mass
    assert bound * stack.scales.hartree_kelvin == pytest.approx(9.26 / 4, abs=0.01) and 0 < one.transition() < bound


def test_function_and_study_agree_at_a_temperature() -> None:
    study = make_study({"kind": "thermal", "bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm",
                                                       "temperature": "30 K"},
                        "density": {"hole": "0.8e12 cm^-2", "electrons_per_hole": 1},
                        "thermal": {"trions": False, "points": 3}})
    warm = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="0.8e12 cm^-2", temperature="30 K")
    by_study, direct = ehbilayer.run(study), ehbilayer.thermal(warm, trions=False, points=3)
    for name in ("bkt", "ionisation", "ionisation_screened", "melting", "here", "temperature"):
        assert getattr(by_study, name) == getattr(direct, name)
    assert direct.temperature.to("K") == pytest.approx(30.0) and direct.here.degree < 1e-3


@pytest.mark.parametrize("units", ["real", "atomic"])
def test_figures_are_in_kelvin_whatever_the_numbers_are_in(units: str) -> None:
    found = ehbilayer.thermal(DEVICE, trions=False, points=3)
    page = found.plot(units=units)
    assert [ax.get_xlabel() for ax in page.axes] == ["temperature (K)"] * 2
    hot = found.ionisation.to("K")
    assert page.axes[0].get_xlim()[1] == pytest.approx(1.6 * hot, rel=1e-6) and f"{hot:.3g} K" in \
        page.axes[0].get_title(loc="left") + page.axes[0].get_title()
    assert page.axes[1].get_xlim()[1] == pytest.approx(1.1 * found.bkt_bound.to("K"), rel=1e-6)


WARM: dict[str, Any] = {"spacing": 1.0, "electron_mass": 0.5, "hole_mass": 1.0, "rs_hole": 8, "temperature": 1e-3}


@pytest.mark.parametrize("call", [
    lambda b: ehbilayer.phonons(b, "triangular"),
    ehbilayer.few_body, ehbilayer.crystal,
    lambda b: ehbilayer.monte_carlo(Torus(b, holes=1, zero_mode="madelung", electron_spin="polarized")),
    ehbilayer.critical_spacing,
    lambda b: ehbilayer.compressibility(Torus(b, holes=4, zero_mode="none")), ehbilayer.pairing,
    lambda b: ehbilayer.device(b, correlated=True),
    lambda b: ehbilayer.correlated_phases(Torus(b, holes=1, zero_mode="madelung", electron_spin="polarized"))])
def test_methods_of_the_ground_state_refuse_a_temperature(call: Callable[[Bilayer], Any]) -> None:
    with pytest.raises(InputError, match="temperature: must be 0 for") as caught:
        call(Bilayer.of(**WARM))
    assert "\n" not in str(caught.value)


def test_bad_temperatures_are_told_in_a_line() -> None:
    with pytest.raises(InputError, match="temperature: must be a temperature >= 0"):
        Bilayer.of(**WARM | {"temperature": -1.0})
    with pytest.raises(InputError, match="temperature: must be in hole atomic units"):
        Bilayer.of(**WARM | {"temperature": "4 K"})
    base = {"bilayer": {"spacing": 1, "electron_mass": 1, "hole_mass": 1},
            "density": {"rs_hole": 5, "electrons_per_hole": 1}}
    for kind, heat, words in (("thermal", -1, ">= 0"), ("thermal", "4 K", "hole atomic units"),
                              ("crystal", 0.1, "0 for"),
                              ("thermal", "4 nm", "energy"), ("few-body", "1 nK", "unit")):
        with pytest.raises(InputError, match=rf"bilayer\.temperature: .*{words}"):
            prepare(make_study(base | {"kind": kind, "bilayer": base["bilayer"] | {"temperature": heat}}))
    assert prepare(make_study(base | {"kind": "crystal", "bilayer": base["bilayer"] | {"temperature": 0}}))
    with pytest.raises(InputError, match="points"):
        ehbilayer.thermal(DEVICE, points=1)
    with pytest.raises(InputError, match="spin"):
        ehbilayer.thermal(DEVICE, spin="up")
