"""The Eliashberg equations against published T_c, exact limits, and the same equations with no frequency left out."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import eigvalsh

from ehbilayer.errors import InputError
from ehbilayer.numerics.quadrature import gram_rule
from ehbilayer.pairing import eliashberg as module
from ehbilayer.pairing.coupling_spectrum import CouplingSpectrum, einstein
from ehbilayer.pairing.eliashberg import critical_temperature, eliashberg_tc, matsubara
from ehbilayer.pairing.gap import gap_curve, solve_gap
from ehbilayer.pairing.temperature import allen_dynes
from paper_units import liquid, plasmon_spectrum, temperature_of

ACOUSTIC = plasmon_spectrum(1.6, 1.0, 0.09)


def every_frequency(spectrum: CouplingSpectrum, temperature: float, mu_n: float, count: int) -> float:
    """Largest eigenvalue of the textbook matrix (Bergmann and Rainer 1973, Allen and Dynes 1975), which is 0 at T_c.

    K_nm = lambda(n - m) + lambda(n + m + 1) - 2 mu_N - delta_nm [2n + 1 + lambda(0) + 2 sum_{l=1}^n lambda(l)].
    """
    n = np.arange(count)
    lam = spectrum.at(2 * math.pi * temperature * np.arange(2 * count))
    matrix = lam[np.abs(n[:, None] - n)] + lam[n[:, None] + n + 1] - 2 * mu_n
    matrix[n, n] -= 2 * n + 1 + lam[0] + 2 * (np.cumsum(lam[:count]) - lam[0])
    return float(eigvalsh(matrix, subset_by_index=[count - 1, count - 1])[0])


@pytest.mark.parametrize(("lam", "t_c"), [(0.5, 0.0394), (1.0, 0.1146), (2.0, 0.2117)])
def test_published_einstein_modes(lam: float, t_c: float) -> None:
    """T_c/w_E of one mode, mu* = 0: isotropic Eliashberg (Allen and Dynes 1975)."""
    assert critical_temperature(einstein(1.0, lam)) == pytest.approx(t_c, abs=5e-5)
    # a table in other units, with a narrow peak
    omega = np.linspace(24, 26, 801)
    peak = np.exp(-(((omega - 25) / 0.1) ** 2))
    peak *= lam / (2 * np.trapezoid(peak / omega, omega))
    assert eliashberg_tc(omega, peak) == pytest.approx(25 * t_c, abs=5e-3)


@pytest.mark.parametrize(("lam", "rel"), [(1e3, 2e-3), (1e5, 2e-4)])
def test_strong_coupling(lam: float, rel: float) -> None:
    """T_c -> 0.1827 sqrt(lambda <w^2>) (Allen and Dynes 1975); always below."""
    assert critical_temperature(einstein(2.0, lam)) == pytest.approx(0.1827 * 2 * math.sqrt(lam), rel=rel)
    two = CouplingSpectrum(np.array([0.5, 1.5]), np.array([0.3, 0.4]) * lam)
    assert critical_temperature(two) == pytest.approx(0.1827 * math.sqrt(two.lam) * two.omega_square, rel=3 * rel)


def test_weak_coupling() -> None:
    """One mode, mu* = 0: T_c -> 1.134 e^{-1/2} w_E e^{-(1 + lambda)/lambda}, with corrections of order lambda."""
    # the prefactor e^{-1/2} of retardation: A. E. Karakozov et al., Sov. Phys. JETP 41, 971 (1975)
    ratios = [critical_temperature(einstein(1.0, lam)) / (1.1339 * math.exp(-0.5 - (1 + lam) / lam))
              for lam in (0.2, 0.1, 0.05)]
    errors = np.abs(np.array(ratios) - 1)
    assert errors[2] < 0.04 and errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize("mu_star", [0.0, 0.05])
@pytest.mark.parametrize("spectrum", [einstein(1.0, 0.8), ACOUSTIC], ids=["einstein", "acoustic"])
def test_the_compact_grid_against_every_frequency(spectrum: CouplingSpectrum, mu_star: float) -> None:
    t_c = critical_temperature(spectrum, mu_star, 1.0)
    cutoffs, values = (30.0, 60.0), []
    for cutoff in cutoffs:
        count = math.ceil(cutoff * spectrum.top / (2 * math.pi * t_c))
        mu_n = 0.0 if mu_star == 0 else 1 / (1 / mu_star - math.log(2 * math.pi * t_c * count))
        assert mu_n >= 0 and count < 1500
        at, above = (every_frequency(spectrum, t * t_c, mu_n, count) for t in (1.0, 1.01))
        values.append(at / (at - above) * 0.01)  # how far this T_c lies above ours, relative
    # the error of a cutoff falls with its square
    assert abs((4 * values[1] - values[0]) / 3) < 2e-4 and abs(values[1]) < 1e-3


@pytest.mark.parametrize("spectrum", [einstein(1.0, 0.5), ACOUSTIC], ids=["einstein", "acoustic"])
@pytest.mark.parametrize("mu_star", [0.0, 0.2])
def test_cutoff_and_grid_do_not_matter(spectrum: CouplingSpectrum, mu_star: float,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    t_c = critical_temperature(spectrum, mu_star, 1.0)
    monkeypatch.setattr(module, "CUTOFF", 1000.0)
    assert critical_temperature(spectrum, mu_star, 1.0) == pytest.approx(t_c, rel=1e-4)
    monkeypatch.setattr(module, "EXPLICIT", 128)
    module._grid.cache_clear()
    try:
        assert critical_temperature(spectrum, mu_star, 1.0) == pytest.approx(t_c, rel=1e-4)
    finally:
        module._grid.cache_clear()


def test_the_frequency_of_mu_star() -> None:
    """mu* at w and mu*/(1 + mu* ln(w/w')) at w' are the same repulsion."""
    spectrum = einstein(1.0, 1.0)
    other = 0.2 / (1 + 0.2 * math.log(1 / 3))
    same = critical_temperature(spectrum, other, 3.0)
    assert critical_temperature(spectrum, 0.2, 1.0) == pytest.approx(same, rel=1e-7)
    falling = [critical_temperature(spectrum, mu) for mu in (0.0, 0.1, 0.2, 0.5, 2.0)]
    assert all(a > b for a, b in pairwise(falling))


def test_small_and_vanishing_temperatures() -> None:
    assert critical_temperature(einstein(1.0, 0.04)) == 0.0  # 1.13 e^{-26.5} w_E lies below the floor
    assert critical_temperature(einstein(1.0, 0.06)) == pytest.approx(0.689 * math.exp(-1.06 / 0.06), rel=0.05)
    assert critical_temperature(einstein(1.0, 0.1), 0.3) == 0.0
    assert critical_temperature(einstein(1.0, 0.5), floor=0.1) == 0.0


def test_units_drop_out() -> None:
    omega, table = np.linspace(0, 3, 60), np.linspace(0, 3, 60) ** 2 * (3 - np.linspace(0, 3, 60))
    assert eliashberg_tc(7 * omega, table, 0.1) == pytest.approx(7 * eliashberg_tc(omega, table, 0.1), rel=1e-7)


def test_agreement_with_allen_and_dynes() -> None:
    """Their formula was fitted to such solutions: 5 per cent for lambda of 0.5 to 5 and usual mu*."""
    for lam in (0.6, 1.0, 2.0, 5.0):
        for mu in (0.0, 0.1):
            # they quote mu* at the highest frequency, here w_E
            assert critical_temperature(einstein(1.0, lam), mu) == pytest.approx(float(allen_dynes(lam, mu, 1, 1)),
                                                                                 rel=0.07)


@pytest.mark.parametrize(("mu_star", "frequency"), [(-0.1, None), (math.nan, None), (0.1, 0.0), (0.1, math.inf)])
def test_bad_input(mu_star: float, frequency: float | None) -> None:
    with pytest.raises(InputError, match="mu_star"):
        eliashberg_tc([0.5, 1.0], [0.2, 0.2], mu_star, mu_star_frequency=frequency)
    with pytest.raises(InputError, match="temperature"):
        solve_gap(einstein(1.0, 1.0), 0.0)


@pytest.mark.parametrize(("count", "order"), [(32, 10), (64, 8), (2**20, 10), (10, 10)])
def test_gram_rule_sums_polynomials(count: int, order: int) -> None:
    node, weight = gram_rule(count, order)
    middle = (count - 1) / 2
    j = np.arange(count)
    for degree in range(0, 2 * order, 3):
        exact = float(np.sum(((j - middle) / count) ** degree))
        assert weight @ ((node - middle) / count) ** degree == pytest.approx(exact, rel=1e-9, abs=1e-9 * count)
    assert node.min() > -0.5 and node.max() < count - 0.5


def test_the_grid_counts_every_frequency() -> None:
    grid = matsubara(1e-3, 100.0)
    assert grid.weight.sum() == grid.count and 2 * math.pi * 1e-3 * grid.count >= 100
    # sum 1/(n + 1/2) = psi(N + 1/2) - psi(1/2)
    exact = math.log(grid.count) + np.euler_gamma + 2 * math.log(2)
    assert grid.weight @ (1 / grid.x) == pytest.approx(exact, abs=1e-9)


def test_weak_coupling_gap() -> None:
    """2 Delta(0)/T_c = 3.528 and Delta(T) of the BCS theory."""
    spectrum = einstein(1.0, 0.15)
    t_c = critical_temperature(spectrum)
    gaps = gap_curve(spectrum, 0.0, None, t_c, (0.05, 0.5, 0.9))
    assert all(g.converged for g in gaps)
    assert 2 * gaps[0].lowest / t_c == pytest.approx(3.528, rel=1e-3)
    # Muehlschlegel 1959: Delta(T)/Delta(0) = 0.9569 at T_c/2 and 0.5263 at 0.9 T_c
    assert [g.lowest / gaps[0].lowest for g in gaps[1:]] == pytest.approx([0.9569, 0.5263], abs=1.5e-3)
    assert gaps[0].z[0] == pytest.approx(1.15, rel=1e-3)  # 1 + lambda
    assert gaps[0].delta[-1] < 1e-3 * gaps[0].delta[0]


@pytest.mark.parametrize("mu_star", [0.0, 0.15])
@pytest.mark.parametrize("lam", [0.8, 2.0, 20.0])
def test_the_gap_solves_the_equations(lam: float, mu_star: float) -> None:
    """Every frequency explicit, with Z written out (Marsiglio and Carbotte 2008)."""
    spectrum = einstein(1.0, lam)
    t_c = critical_temperature(spectrum, mu_star, 1.0)
    temperature = 0.7 * t_c
    gap = solve_gap(spectrum, temperature, mu_star, 1.0, critical=t_c)
    assert gap.converged and gap.lowest > 0
    count = matsubara(temperature, 100.0).count
    assert count < 1500
    n = np.arange(-count, count)
    omega = (2 * n + 1) * math.pi * temperature
    delta = np.interp(np.abs(omega), gap.frequency, gap.delta)
    root = np.sqrt(omega**2 + delta**2)
    nu = 2 * math.pi * temperature * (n[:, None] - n)
    lam_nm = spectrum.at(nu)
    mu_n = 0.0 if mu_star == 0 else 1 / (1 / mu_star - math.log(2 * math.pi * temperature * count))
    z = 1 + math.pi * temperature / omega * (lam_nm @ (omega / root))
    right = math.pi * temperature * ((lam_nm - mu_n) @ (delta / root))
    low = np.abs(n + 0.5) < 20
    assert (right / z)[low] == pytest.approx(delta[low], rel=2e-3, abs=2e-3 * gap.lowest)
    assert gap.z[:5] == pytest.approx(z[count : count + 5], rel=1e-3)


def test_gap_above_and_near_t_c() -> None:
    t_c = critical_temperature(ACOUSTIC, 0.2, 1.0)
    above = solve_gap(ACOUSTIC, 1.1 * t_c, 0.2, 1.0, critical=t_c)
    assert above.converged and (above.delta == 0).all()
    near = [g.lowest for g in gap_curve(ACOUSTIC, 0.2, 1.0, t_c, (0.99, 0.9975))]
    assert near[0] / near[1] == pytest.approx(2.0, rel=0.01)  # Delta ~ sqrt(1 - T/T_c)
    assert 2 * solve_gap(ACOUSTIC, 0.05 * t_c, 0.2, 1.0).lowest / t_c > 3.53


@pytest.mark.published
def test_small_alpha_where_bcs_fails() -> None:
    """As alpha -> 0 the T_c of BCS falls with T_D; Eliashberg's rises towards 0.1827 sqrt(lambda <w^2>), a constant."""
    many = liquid(1.6, 1.0, 10.0, np.array([0.03, 0.01, 1e-3, 1e-4]))
    bcs, t_c = temperature_of(many, "bcs"), temperature_of(many, "eliashberg")
    assert (np.diff(bcs) < 0).all() and (np.diff(t_c) > 0).all()
    one, scale = plasmon_spectrum(1.6, 1.0, 1.0), float(liquid(1.6, 1.0, 10.0, 1.0).debye) * 10
    bound = 0.1827 * math.sqrt(one.lam) * one.omega_square * scale
    assert 0.6 * bound < t_c[-1] < bound  # mu* takes its share; without it the bound itself
    bare = liquid(1.6, 1.0, 10.0, 1e-6, mu_star=0.0)
    assert temperature_of(bare, "eliashberg") == pytest.approx(bound, rel=5e-3)


def test_noise_at_the_end_of_a_table_does_not_say_where_mu_star_belongs() -> None:
    plain = eliashberg_tc([0, 10, 20, 30], [0, 0.4, 0.6, 0], mu_star=0.1)
    for tail in ([60.0], [600.0, 6000.0]):
        noisy = eliashberg_tc([0, 10, 20, 30, *tail], [0, 0.4, 0.6, 0, *[1e-12] * len(tail)], mu_star=0.1)
        assert noisy == pytest.approx(plain, rel=1e-6)
