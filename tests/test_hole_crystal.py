"""Pairing by phonons of a hole crystal: what is exact, limits, and the published plasmon pole."""

import numpy as np
import pytest

from ehbilayer import Bilayer, InputError, pairing
from ehbilayer.pairing import hole_crystal
from ehbilayer.pairing.hole_crystal import crystal_coupling
from ehbilayer.pairing.mediated import mediated
from ehbilayer.response.hole_lattice import ScreenedLattice
from ehbilayer.response.solve import Asked
from ehbilayer.studies import kinds
from screened import Yukawa


def bilayer(rs: float, spacing: float, ratio: float = 10.0, **more: object) -> Bilayer:
    """r_s of the electrons and the spacing in their own Bohr radius; ``ratio`` is m_h/m_e."""
    return Bilayer.of(rs_electron=rs, electron_mass=1 / ratio, hole_mass=1.0, spacing=spacing * ratio,
                      **more)  # type: ignore[arg-type]


def test_fast_fields_find_the_holes_free() -> None:
    """lambda nu^2 -> N_0 <X^2 n k^2>, whatever the phonons; the liquid of the same holes has the same limit, and mu."""
    here = bilayer(1.6, 1.0)
    crystal, found = crystal_coupling(here), Asked(here).liquids()
    liquid = mediated(found, np.zeros((len(found.grid.q), 2, 2)), False)
    nu = np.array([1e3 * float(np.sqrt(crystal.squared.max()))])
    limit = float(crystal.at(nu)[0] * nu[0] ** 2)
    assert limit == pytest.approx(float(crystal.strength.sum()), rel=1e-5)
    assert liquid.nu[-1] ** 2 * liquid.lam[-1] == pytest.approx(limit, rel=1e-3)
    assert crystal.mu == pytest.approx(liquid.mu, rel=1e-6)


def test_one_velocity_is_the_plasmon_pole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lattice whose longitudinal sound goes on as c k to the end of the circle: lambda of the published model with
    alpha^2 = c^2/v_0^2 and no Umklapp, by its own integral; transverse phonons do not couple."""
    here, square = bilayer(1.0, 0.5), 0.3

    def plain(self: ScreenedLattice, q: np.ndarray) -> np.ndarray:
        k2 = np.sum(q * q, axis=1)[:, None, None]
        along = q[:, :, None] * q[:, None, :]
        return np.asarray(self.fermi_energy * (square * along + 0.02 * (k2 * np.eye(2) - along)))

    monkeypatch.setattr(ScreenedLattice, "matrix", plain)
    monkeypatch.setattr(ScreenedLattice, "lowest", 1.0)
    found = crystal_coupling(here)
    a, s = 1.0 / np.sqrt(2), 4 * np.sqrt(2) * 0.5
    node, weight = np.polynomial.legendre.leggauss(200)
    sine = np.sin(np.pi / 4 * (1 + node))
    # lambda = (2/pi g alpha^2) int e^{-s sin} (a/(sin + a))^2, g = 2
    expected = np.pi / 4 * float(weight @ (np.exp(-s * sine) * (a / (sine + a)) ** 2)) / (np.pi * square)
    assert found.spectrum is not None
    assert found.spectrum.lam == pytest.approx(expected, rel=1e-8)
    assert found.branches[0] == pytest.approx(0.0, abs=1e-12)


def test_averages_are_converged_and_the_matrix_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    here = bilayer(1.6, 1.0)
    few = crystal_coupling(here)
    monkeypatch.setattr(hole_crystal, "ANGLES", 64)
    monkeypatch.setattr(hole_crystal, "DIRECTIONS", 24)
    many = crystal_coupling(here)
    assert few.spectrum is not None and many.spectrum is not None
    assert few.spectrum.lam == pytest.approx(many.spectrum.lam, rel=5e-4)
    assert few.branches == pytest.approx(many.branches, rel=2e-3)
    assert few.branches[0] > 0.1 * few.branches[1]  # beyond the zone transverse phonons couple, too


def test_without_electrons_the_longitudinal_phonon_is_a_plasmon(monkeypatch: pytest.MonkeyPatch) -> None:
    """omega^2 -> 2 pi n k of the bare crystal; screened it is sound."""
    lattice = ScreenedLattice(bilayer(1.0, 1.0))
    k = 1e-3 * np.linalg.norm(lattice.cell.reciprocal[0])
    assert float(lattice.squared(np.array([[k, 0.0]]))[0, 1]) / k**2 == pytest.approx(
        lattice.sound.longitudinal * lattice.fermi_energy, rel=2e-2)
    monkeypatch.setattr(ScreenedLattice, "induced", lambda self, q: np.zeros_like(q))
    bare = ScreenedLattice(bilayer(1.0, 1.0)).squared(np.array([[k, 0.0], [2 * k, 0.0]]))[:, 1]
    assert bare == pytest.approx(2 * np.pi * lattice.density * k * np.array([1.0, 2.0]), rel=5e-3)


def test_the_published_point() -> None:
    """lambda 0.057, 0.092 with exchange between the electrons, where the plasmon pole has 0.756 (alpha^2 = 0.09): the
    longitudinal sound of the crystal is six times as fast."""
    here = bilayer(1.6, 1.0)
    found = pairing(here, coupling="crystal")
    levels = {level.theory: level for level in found.levels}
    assert levels["crystal"].lam == pytest.approx(0.0570, abs=5e-4)
    assert levels["crystal-exchange"].lam == pytest.approx(0.0917, abs=5e-4)
    assert levels["crystal"].stable and found.superconducting is False
    assert crystal_coupling(here).longitudinal > 30 * 0.09 * ScreenedLattice(here).fermi_energy
    assert "crystal" in dict(kinds.rows(found))["T_c"] and kinds.figure(found).axes


def test_a_lattice_that_does_not_resist_shear_is_no_mediator() -> None:
    found = pairing(bilayer(1.6, 0.1), coupling="crystal")
    assert found.superconducting is None and "crystal of the holes is not stable" in found.reason
    assert "no stable crystal" in dict(kinds.rows(found))["  crystal"]


@pytest.mark.parametrize("more", [{"electrons_per_hole": 2}, {"interaction": Yukawa(10.0)}])
def test_what_a_crystal_cannot_be_is_refused_or_left_out(more: dict) -> None:
    here = bilayer(1.6, 1.0, **more)
    with pytest.raises(InputError, match="hole crystal"):
        pairing(here, coupling="crystal")
    assert [level.theory for level in pairing(here, coupling="rpa").levels][-1] == "kukkonen-overhauser"


def test_imaginary_phonons_at_a_node_leave_the_other_theories() -> None:
    bilayer = Bilayer.of(electron_mass=0.5, hole_mass=1.0, spacing="1 a_e", rs_electron=3.0, electrons_per_hole=1)
    found = pairing(bilayer, coupling="rpa")
    assert found.status.value == "converged"
    assert all(np.all(np.isfinite(x.values)) for x in found.data.values())
