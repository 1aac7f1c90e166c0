"""Real units against published values, round trips, and refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehbilayer.errors import InputError
from ehbilayer.results.quantity import Quantity
from ehbilayer.units import Scales, density_from_rs, device_numbers, parse_duration, parse_quantity, rs_from_density

DEVICE = Scales(electron_mass=0.8, hole_mass=0.4, dielectric=4.7)


def test_dai_fu_device_in_real_units() -> None:
    # Dai and Fu, PRL 132, 196202 (2024), Supplemental Material: a_h = 0.622 nm, d/a_h = 4.83, r_s 8 and 40
    numbers = device_numbers(DEVICE, DEVICE.to_atomic("1.29e12 cm^-2", "density", "n"), 2,
                             DEVICE.to_atomic("3 nm", "length", "d"))
    assert numbers["a_h_nm"] == pytest.approx(0.622, abs=5e-4)
    assert numbers["spacing_a_h"] == pytest.approx(4.83, abs=6e-3)
    assert numbers["rs_hole"] == pytest.approx(8, rel=2e-3)
    assert numbers["rs_trion"] == pytest.approx(40, rel=2e-3)
    assert numbers["rs_electron"] == pytest.approx(2 * numbers["rs_hole"] / math.sqrt(2))


def test_nashabeh_fu_hartree_temperature_and_density() -> None:
    # Nashabeh and Fu: m_h = m_0, m_h/m_e = 10, dielectric constant 5: T_H^e = 1263 K, n = 1.8e12 cm^-2 at r_s^e = 1.6
    model = Scales(0.1, 1.0, 5.0)
    assert model.electron_hartree_kelvin == pytest.approx(1263, abs=0.5)
    assert model.density_per_cm2(density_from_rs(1.6 / 0.1)) == pytest.approx(1.8e12, rel=0.02)


def test_bare_hydrogen_is_codata() -> None:
    bare = Scales(1.0, 1.0, 1.0)
    assert bare.bohr_radius_nm == pytest.approx(0.0529177210, rel=1e-8)
    assert bare.hartree_meV == pytest.approx(27211.38625, rel=1e-8)
    assert bare.hartree_kelvin == pytest.approx(315775.02480, rel=1e-8)


@given(st.floats(1e-3, 1e3), st.sampled_from(["nm", "angstrom", "a_h", "a_e"]))
def test_lengths_round_trip(value: float, unit: str) -> None:
    atomic = DEVICE.to_atomic(f"{value!r} {unit}", "length", "d")
    real = {"nm": DEVICE.bohr_radius_nm, "angstrom": 10 * DEVICE.bohr_radius_nm, "a_h": 1.0, "a_e": 2.0}[unit]
    assert atomic * real == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(("text", "same"), [
    ("3e-9 m", "3 nm"), ("30 A", "3 nm"), ("30 \u00c5", "3 nm"), ("30 \u212b", "3 nm"), ("30 A\u030a", "3 nm"),
    ("3e-3 um", "3 nm"), ("3e-3 \u00b5m", "3 nm"), ("3e-3 \u03bcm", "3 nm"), ("3e-3 micron", "3 nm"),
    ("3000 pm", "3 nm"), ("3e-7 cm", "3 nm"), ("3 Angstrom", "0.3 nm"), ("10^-3 um", "1 nm")])
def test_lengths_agree(text: str, same: str) -> None:
    assert DEVICE.to_atomic(text, "length", "d") == pytest.approx(DEVICE.to_atomic(same, "length", "d"), rel=1e-14)


@pytest.mark.parametrize("text", [
    "1e16 m^-2", "1e12 cm-2", "1e12 cm^{-2}", "1e12 cm**-2", "1e12 cm^(-2)", "1e12 cm\u207b\u00b2", "1e12 cm^\u22122",
    "1e12 /cm^2", "1e12/cm^2", "1e12 1/cm^2", "1e12/cm\u00b2", "1e12 per cm^2", "10^12 cm^-2", "10**12 cm^-2",
    "10^{12} cm^{-2}", "10\u00b9\u00b2 cm\u207b\u00b2", "0.1x10^13 cm^-2", "0.1 \u00d7 10^13 cm^-2",
    "10\u00b710^11 cm^-2", "0.1*10**13 cm^-2", "1e4 um^-2", "1e4 \u00b5m^-2", "1e-4 A^-2", "1e-4 angstrom^-2",
    "0.01 nm^-2", "  1e12   cm ^ -2 "])
def test_one_density_in_many_words(text: str) -> None:
    assert DEVICE.to_atomic(text, "density", "n") == pytest.approx(DEVICE.to_atomic("1e12 cm^-2", "density", "n"),
                                                                   rel=1e-14)


@pytest.mark.parametrize(("text", "same"), [
    ("1000 mK", "1 K"), ("1e6 uK", "1 K"), ("1 kelvin", "1 K"), ("1000 ueV", "1 meV"), ("1000 \u00b5eV", "1 meV"),
    ("1.602176634e-19 J", "1 eV"), ("8065.543937 cm^-1", "1 eV"), ("241.7989242 THz", "1 eV"),
    ("241798.9242 GHz", "1 eV"), ("1 K", "0.08617333262 meV")])  # CODATA 2018
def test_energies_in_many_units(text: str, same: str) -> None:
    assert DEVICE.to_atomic(text, "energy", "E") == pytest.approx(DEVICE.to_atomic(same, "energy", "E"), rel=1e-9)


@pytest.mark.parametrize("text", ["1,5 nm", "1_000 nm", "3 mm", "210^12 nm", "1e3 x 10^3 nm", "10^9999 nm", "1/3",
                                  "3 nm^2", "3 cm^-1", "3 nm nm", "^3 nm", "10^ nm", "\u00b2 nm", "3 Ha", "x 10^3 nm"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"d: must be"):
        DEVICE.to_atomic(text, "length", "d")


def test_results_are_given_in_these_units_too() -> None:
    quantity = Quantity(1.0, "Ha_h", DEVICE)
    assert quantity.to("ueV") == pytest.approx(1e3 * quantity.to("meV")) and quantity.to("mK") == pytest.approx(
        1e3 * quantity.to("K"))
    length = Quantity(1.0, "a_h", DEVICE)
    assert length.to("A") == length.to("\u00c5") == pytest.approx(10 * length.to("nm"))
    assert length.to("m") == pytest.approx(1e-9 * length.to("nm"), rel=1e-12, abs=0)
    density = Quantity(1.0, "a_h^-2", DEVICE)
    assert density.to("cm-2") == density.to("cm^{-2}") == density.to("1/cm^2") == density.to("cm^-2")
    assert density.to("m^-2") == pytest.approx(1e4 * density.to("cm^-2"))


@pytest.mark.parametrize(("text", "same"), [("1 nm^-2", "1e14 cm^-2"), ("1e12 cm-2", "1e12 cm⁻²"),
                                            ("4 a_h^-2", "1 a_e^-2"), (" .5e-3nm^-2 ", "5e-4 nm^-2")])
def test_densities_agree(text: str, same: str) -> None:
    assert DEVICE.to_atomic(text, "density", "n") == pytest.approx(DEVICE.to_atomic(same, "density", "n"), rel=1e-14)


def test_energies_agree() -> None:
    kelvin = DEVICE.to_atomic("11604.518121 K", "energy", "E")  # 1 eV, CODATA 2018
    assert kelvin == pytest.approx(DEVICE.to_atomic("1 eV", "energy", "E"), rel=1e-9)
    assert DEVICE.to_atomic("1000 meV", "energy", "E") * DEVICE.hartree_meV == pytest.approx(1000)
    assert DEVICE.to_atomic("1 Ha_e", "energy", "E") == pytest.approx(2.0)


@given(st.floats(1e-3, 1e3))
def test_rs_and_density_are_inverse(rs: float) -> None:
    assert rs_from_density(density_from_rs(rs)) == pytest.approx(rs, rel=1e-14)


@pytest.mark.parametrize(("text", "hint"), [
    ("3 nmm", 'did you mean "nm"'), ("3 parsec", "nm, angstrom"), ("3", "bare numbers"), ("35", "bare numbers"),
    ("nan nm", "units"), ("inf nm", "units"), ("1e999 nm", "finite"), ("3 cm^-2", "unit of density"), ("", "units"),
    ("3 nm; import os", "units"), ("9**9**9 nm", "nm"), ("3 " + "n" * 1000, "units"), ("0x10 nm", "nm")])
def test_bad_quantities_are_refused(text: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_quantity(text, "length", "bilayer.spacing")
    assert str(caught.value).startswith("bilayer.spacing: ") and hint in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_real_units_need_a_device() -> None:
    with pytest.raises(InputError, match=r"bilayer\.dielectric"):
        Scales(0.8, 0.4).to_atomic("3 nm", "length", "bilayer.spacing")
    with pytest.raises(InputError, match=r"bilayer\.hole_mass"):
        Scales(dielectric=4.7).to_atomic("3 nm", "length", "bilayer.spacing")
    with pytest.raises(InputError, match=r"electron_mass"):
        Scales(hole_mass=0.4).to_atomic("3 a_e", "length", "bilayer.spacing")
    assert Scales(0.8, 0.4).to_atomic("3 a_e", "length", "bilayer.spacing") == pytest.approx(1.5)
    with pytest.raises(InputError, match="finite"):
        Scales().to_atomic(math.nan, "length", "bilayer.spacing")


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_masses_must_be_positive(bad: float) -> None:
    with pytest.raises(InputError, match="hole_mass"):
        Scales(0.8, bad, 4.7)


def test_summary_units_only_claim_what_is_known() -> None:
    assert "a_h_nm" not in Scales(0.8, 0.4).table()
    assert "a_e_nm" not in Scales(None, 0.4, 4.7).table()
    assert DEVICE.table()["a_e_nm"] == pytest.approx(0.622 / 2, abs=5e-4)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("2h", 7200), ("1h30m", 5400), ("15 min", 900), ("45", 45),
                                               ("0.5h", 1800), ("1d", 86400), ("02:00:00", 7200),
                                               ("1-02:00:00", 93600), ("100:00:01", 360001), (" 0:00:30 ", 30)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-3s", "2 fortnights", "0s", "nan", "1e3s", "9" * 100, "02:00", "1-02",
                                  "1:-2:00", "0:00:00", "1:60:00", "-1-00:00:00", "1h 02:00:00"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(InputError, match="--max-time"):
        parse_duration(text)
