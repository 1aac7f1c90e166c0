"""Response with the holes in a crystal: limits in closed form, passivity, sound, refusals."""

import numpy as np
import pytest

from ehbilayer import Bilayer, InputError, make_study, response, run
from ehbilayer.response.crystal import phonons, response_of
from ehbilayer.response.hole_lattice import ScreenedLattice
from ehbilayer.response.solve import Asked
from ehbilayer.studies import kinds

HERE = Bilayer.of("mass-ratio-10", spacing="1 a_e", rs_electron=1.0)


def parts(field: str = "none") -> tuple[ScreenedLattice, Asked, np.ndarray, np.ndarray]:
    """Lattice, question, wave numbers and vectors along a reciprocal vector."""
    lattice = ScreenedLattice(HERE, field)
    q = np.array([0.1, 0.5, 1.0, 2.0, 3.5]) * lattice.fermi_wave_number  # the last ones beyond the first zone
    return lattice, Asked(HERE, holes="crystal"), q, q[:, None] * lattice.cell.reciprocal[0] / np.linalg.norm(
        lattice.cell.reciprocal[0])


@pytest.mark.parametrize("field", ["none", "exchange"])
def test_at_rest_it_is_the_lattice_above_its_electrons(field: str) -> None:
    """chi_hh(k, 0) = -n k.D^-1.k of the whole dynamical matrix."""
    lattice, asked, q, k = parts(field)
    chi = response_of(lattice, asked.liquids(), q, np.array([1e-8j]))[:, 0]
    expected = -lattice.density * np.einsum("na,nab,nb->n", k, np.linalg.inv(lattice.matrix(k)), k)
    assert chi[:, 1, 1].real == pytest.approx(expected, rel=1e-5)


def test_fast_fields_find_the_holes_free_and_no_field_gains_energy() -> None:
    lattice, asked, q, _ = parts()
    fast = response_of(lattice, asked.liquids(), q, np.array([1e4j]))[:, 0]
    assert fast[:, 1, 1].real == pytest.approx(lattice.density * q**2 / (1e4j**2).real, rel=1e-6)
    w = np.linspace(0.05, 3, 40) * lattice.fermi_energy
    chi = response_of(lattice, asked.liquids(), q, w + 1e-3j * lattice.fermi_energy)
    assert np.linalg.eigvalsh(-(chi - chi.conj().swapaxes(-1, -2)) / 2j).min() > -1e-12


def test_its_sound_is_that_of_the_dynamical_matrix_and_stands_in_the_loss() -> None:
    """Fast electrons, of mass 1/100: the loss of the holes peaks at the longitudinal phonon."""
    fast = Bilayer.of(rs_electron=1.0, electron_mass=0.01, hole_mass=1.0, spacing=100.0)
    lattice = ScreenedLattice(fast)
    found = response(fast, holes="crystal", wave_numbers=20, frequencies=4000)
    assert found.phase == "hole-crystal" and found.stable is (lattice.lowest > 0)
    q = found.data["loss_wave_number"].values
    small = 1e-4 * q[:1]
    (first,), (other,) = phonons(lattice, small)
    assert first / small[0] == pytest.approx(float(found.acoustic_velocity or 0), rel=1e-3)
    assert other / small[0] == pytest.approx(float(found.transverse_velocity or 0), rel=1e-3)
    along, _ = phonons(lattice, q)
    loss, w = found.data["loss"].values[1], found.data["frequency"].values
    inside = w < 1.3 * along.max()
    peak = w[inside][np.argmax(loss[:, inside], axis=1)]
    assert peak[4:] == pytest.approx(along[4:], rel=0.05)


def test_a_study_says_the_same() -> None:
    study = make_study({"kind": "response", "bilayer": {"material": "mass-ratio-10", "spacing": "1 a_e"},
                        "density": {"rs_electron": 1.0, "electrons_per_hole": 1},
                        "response": {"holes": "crystal", "wave_numbers": 8, "frequencies": 6}})
    found = run(study)
    table = dict(kinds.rows(found))
    assert "0.46397" in table["longitudinal sound"] and table["lattice"] == "stable" and found.plot() is not None


@pytest.mark.parametrize(("more", "how", "argument"), [
    ({}, {"approximation": "stls"}, "approximation"), ({"temperature": "4 K"}, {}, "temperature"),
    ({}, {"spin": "polarized"}, "spin"), ({}, {"sum_rule": True}, "sum_rule"), ({}, {"holes": "gas"}, "holes"),
    ({"electrons_per_hole": 2}, {}, "electrons_per_hole")])
def test_what_is_not_known_of_a_crystal_is_refused(more: dict, how: dict, argument: str) -> None:
    bilayer = Bilayer.of("WSe2/MoSe2", spacing="3 nm", rs_hole=4.0, **more)
    with pytest.raises(InputError, match=f"^{argument}: "):
        response(bilayer, **({"holes": "crystal"} | how))
