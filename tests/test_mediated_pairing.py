"""Pairing by a hole liquid: couplings computed elsewhere, limits, the spectrum, and one verdict of all theories."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from ehbilayer import Bilayer, InputError, load, make_study, pairing, run
from ehbilayer.pairing.coupling_spectrum import TabulatedCoupling, einstein
from ehbilayer.pairing.eliashberg import critical_temperature
from ehbilayer.pairing.mediated import LEVELS, mediated
from ehbilayer.response import liquids as theory
from ehbilayer.response.liquids import Liquids
from ehbilayer.response.solve import Asked
from ehbilayer.studies import kinds

POINT = Bilayer.of("mass-ratio-10", spacing="1 a_e", rs_electron=1.6)  # of the published T_c


def rings(bilayer: Bilayer) -> tuple[Liquids, np.ndarray]:
    here = Asked(bilayer).liquids()
    return here, np.zeros((len(here.grid.q), 2, 2))


def test_couplings_of_the_random_phase() -> None:
    """mu as published, lambda of the response of both liquids, computed elsewhere."""
    found = pairing(POINT, coupling="rpa")
    levels = {level.theory: level for level in found.levels}
    assert tuple(levels) == LEVELS
    assert levels["rpa"].mu == pytest.approx(0.331, abs=5e-4)
    assert levels["rpa"].lam == pytest.approx(0.021, abs=5e-4)
    assert found.superconducting is False and found.tc_over_hartree == 0
    assert not any(level.tc_over_hartree for level in found.levels)


def test_static_lambda_is_what_the_whole_response_adds() -> None:
    here, field = rings(POINT)
    found = mediated(here, field, False)
    electron = here.gases[0]
    node, weight = np.polynomial.legendre.leggauss(80)
    q = 2 * electron.fermi * np.sin(np.pi / 4 * (1 + node))
    v, free = here.bare(q), np.stack([g.imaginary(q, np.zeros_like(q)) for g in here.gases], axis=-1)
    alone = free * np.array([1.0, 0.0])
    added = (v @ (theory.screened(alone, v) - theory.screened(free, v)) @ v)[:, 0, 0]
    n_0 = electron.carrier.mass / (2 * np.pi)
    assert found.lam[0] == pytest.approx(n_0 * float(weight / 2 @ added), rel=1e-10)


@pytest.mark.parametrize("ratio", [2.0, 10.0, 300.0])
def test_the_spectrum_gives_lambda_back(ratio: float) -> None:
    here, field = rings(Bilayer.of(rs_electron=1.0, electron_mass=1 / ratio, hole_mass=1.0, spacing=0.5 * ratio))
    found = mediated(here, field, False)
    assert found.spectrum is not None
    np.testing.assert_allclose(found.spectrum.at(found.nu), found.lam, atol=2e-3 * found.lam[0])
    assert np.all(np.diff(found.lam) <= 1e-12)


def test_far_holes_add_nothing() -> None:
    places = [Bilayer.of(rs_electron=1.0, electron_mass=0.2, hole_mass=1.0, spacing=d) for d in (1.0, 10.0, 100.0)]
    lam = [pairing(bilayer, coupling="rpa").levels[0].lam for bilayer in places]
    assert lam[0] > 10 * lam[1] > 100 * lam[2] > 0


def test_without_repulsion_they_pair() -> None:
    """T_c is that of the spectrum, positive by every theory with a stable liquid."""
    found = pairing(POINT, coupling="kukkonen-overhauser", mu_star=0.0)
    assert found.superconducting and found.critical_temperature > 0
    assert all(level.tc_over_hartree > 0 for level in found.levels if level.lam > 0.1)


def test_an_unstable_liquid_of_holes_is_no_verdict() -> None:
    found = pairing(Bilayer.of(rs_electron=3.0, electron_mass=0.1, hole_mass=1.0, spacing=3.0), coupling="hubbard")
    assert found.superconducting is None and "not stable" in found.reason
    rows = dict(kinds.rows(found))
    assert rows["T_c"].startswith("not known") and "no stable liquid" in rows["  stls"]


def test_a_study_and_a_call_give_the_same(tmp_path: Path) -> None:
    study = {"kind": "pairing", "bilayer": {"material": "mass-ratio-10", "spacing": "1 a_e"},
             "density": {"rs_electron": 1.6, "electrons_per_hole": 1}, "pairing": {"coupling": "rpa"}}
    found = run(make_study(study), directory=tmp_path / "out")
    assert found.levels == pairing(POINT, coupling="rpa").levels == load(tmp_path / "out").levels
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["levels"][0]["lambda"] == pytest.approx(0.021, abs=5e-4)
    assert dict(kinds.rows(found))["T_c"].startswith("none") and kinds.figure(found).axes


def test_a_call_takes_the_screened_interaction_that_a_study_takes(tmp_path: Path) -> None:
    study = {"kind": "pairing", "bilayer": {"material": "WSe2/hBN/MoSe2", "spacing": "3 nm"},
             "density": {"electron": "1e12 cm^-2", "electrons_per_hole": 1}, "pairing": {"coupling": "rpa"}}
    device = Bilayer.of("WSe2/hBN/MoSe2", spacing="3 nm", electron_density="1e12 cm^-2")
    assert device.interaction.name == "screened"
    assert pairing(device, coupling="rpa").levels == run(make_study(study), directory=tmp_path / "out").levels
    with pytest.raises(InputError, match="pairing by plasmons"):  # the plasmon pole is of Coulomb's interaction
        pairing(device, alpha=0.3)


@pytest.mark.parametrize(("options", "words"), [
    ({"coupling": "magic"}, r"coupling: must be plasmon-pole \| rpa"),
    ({"coupling": "rpa", "alpha": 0.3}, r"alpha: must be absent where the coupling is rpa"),
    ({"coupling": "rpa", "mu_star": -1.0}, r"mu_star: must be")])
def test_what_cannot_be_is_refused(options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        pairing(POINT, **options)


# r_s of the electrons, d/a_e, m_h/m_e
POINTS = [(1.6, 1.0, 10.0), (0.5, 0.2, 2.0), (0.5, 2.0, 2.0), (1.0, 1.0, 1.0), (1.0, 0.5, 5.0), (2.0, 1.0, 10.0),
          (3.0, 2.0, 10.0), (1.0, 0.3, 100.0), (5.0, 1.0, 4.0), (1.6, 1.0, 2000.0)]


@pytest.mark.parametrize(("rs", "spacing", "ratio"), POINTS)
def test_couplings_at_ten_points(rs: float, spacing: float, ratio: float) -> None:
    """In the units of the electrons, by matrices of Coulomb's interaction and Stern's function, written anew: mu, and
    what the holes add at rest and at two frequencies, with the electrons in time."""
    k, n_0 = np.sqrt(2) / rs, 1 / np.pi  # k_F in 1/a_e, and states of two flavours over m

    node, weight = np.polynomial.legendre.leggauss(400)
    theta, share = np.pi / 4 * (1 + node), weight / 2

    def added(nu: float) -> float:
        q = np.hypot(2 * k * np.sin(theta), nu / k)  # v_F = k in these units

        def free(mass: float) -> np.ndarray:
            a = q / (2 * k)
            x = a + 1j * nu * mass / (q * k)
            return np.asarray(-mass * n_0 / a * (1 / (x + np.sqrt(x - 1) * np.sqrt(x + 1))).real)

        far = -np.exp(-q * spacing)
        v = np.moveaxis(2 * np.pi / q * np.array([[1 + 0 * q, far], [far, 1 + 0 * q]]), 2, 0)
        inverse = np.stack([1 / free(1.0), 1 / free(ratio)], axis=-1)
        chi = np.linalg.inv(inverse[:, :, None] * np.eye(2) - v)
        without = 1 / (inverse[:, 0] - v[:, 0, 0])
        return float(share @ ((v @ chi @ v)[:, 0, 0] - v[:, 0, 0] ** 2 * without))

    here, field = rings(Bilayer.of(rs_electron=rs, electron_mass=1 / ratio, hole_mass=1.0, spacing=spacing * ratio))
    found = mediated(here, field, False)
    for i in (0, 60, 90):
        nu = found.nu[i] * ratio  # in Ha_e
        assert found.in_time[i] == pytest.approx(-n_0 / 2 * added(nu), rel=1e-5)  # of one flavour
    assert found.in_time[0] == pytest.approx(found.lam[0], rel=1e-12)
    screened = quad(lambda t: 1 / (2 * k * np.sin(t) + 2), 0, np.pi / 2, epsabs=0, epsrel=1e-10)[0]
    assert found.mu == pytest.approx(n_0 * 2 * screened, rel=1e-8)  # (n_0/2) (2/pi) 2 pi of 1/(q + 2)


def test_a_tabulated_coupling_pairs_as_its_spectrum() -> None:
    mode = einstein(1.0, 0.8)
    nu = np.concatenate([[0.0], np.geomspace(1e-4, 1e2, 160)])
    table = TabulatedCoupling(nu, mode.at(nu))
    assert critical_temperature(table, 0.1, 1.0) == pytest.approx(critical_temperature(mode, 0.1, 1.0), rel=1e-4)


def test_fast_electrons_screen_at_once() -> None:
    """Of heavy holes both gap equations are one; of light ones electrons lag, and weaken the attraction."""
    heavy, light = (mediated(*rings(Bilayer.of(rs_electron=1.0, electron_mass=1 / ratio, hole_mass=1.0,
                                               spacing=0.5 * ratio)), False) for ratio in (1e5, 1.0))
    assert np.abs(heavy.in_time - heavy.lam).max() < 0.01 * heavy.lam[0]
    assert np.abs(light.in_time - light.lam).max() > 0.1 * light.lam[0]


def test_a_later_cutoff_of_the_repulsion_lowers_it() -> None:
    found = pairing(Bilayer.of(rs_electron=1.0, electron_mass=0.1, hole_mass=1.0, spacing=2.0),
                    coupling="kukkonen-overhauser", mu_star=0.0)
    level = found.levels[0]
    assert level.by_cutoff is not None and len(set(level.by_cutoff.values())) == 1  # mu* is given
    spread = next(x.by_cutoff for x in pairing(Bilayer.of(
        rs_electron=3.0, electron_mass=0.5, hole_mass=1.0, spacing=1.0), coupling="kukkonen-overhauser").levels
        if x.theory == "rpa")
    assert spread is not None and spread["0.5"] <= spread["1"] <= spread["2"]
