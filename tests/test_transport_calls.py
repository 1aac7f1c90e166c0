"""compressibility(), pairing() and device() from Python: the same as a study, typed, and refusals by name."""

import math
from typing import Any

import numpy as np
import pytest

import ehbilayer
from ehbilayer import Bilayer, InputError, Screened, Torus, make_study
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import disk_waves
from ehbilayer.compressibility import compressibility
from ehbilayer.compressibility.bulk_modulus import modulus
from ehbilayer.compressibility.result import CompressibilityResult, Limit
from ehbilayer.compressibility.size_limit import gas_of, size
from ehbilayer.device import device
from ehbilayer.device import page as device_page
from ehbilayer.device.result import DeviceResult
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.model import Carrier
from ehbilayer.pairing import density as pairing_density
from ehbilayer.pairing import pairing
from ehbilayer.pairing.result import PairingMapResult, PairingResult
from ehbilayer.response.result import LatticeSound
from ehbilayer.results.base import Result
from ehbilayer.results.quantity import Quantity
from ehbilayer.status import Status
from exact import gas_limit
from screened import Yukawa

DEVICE = {"material": "mass-ratio-10", "spacing": "1 a_e"}
TIMES = {"wall_seconds", "ignored", "seed"}


def layers(**more: Any) -> Bilayer:
    return Bilayer.of("mass-ratio-10", **({"spacing": "1 a_e", "rs_electron": 1.2} | more))


def study(kind: str, **tables: Any) -> Result:
    content = {"kind": kind, "bilayer": DEVICE, "density": {"rs_electron": 1.2, "electrons_per_hole": 1}, **tables}
    return ehbilayer.run(make_study(content))


def untimed(value: Any) -> Any:
    """A summary without what differs between two calls."""
    if isinstance(value, dict):
        return {k: untimed(v) for k, v in value.items() if k not in {*TIMES, "seconds"}}
    return [untimed(v) for v in value] if isinstance(value, list) else value


def same(one: Result, other: Result) -> None:
    """To the bit, arrays included."""
    assert type(one) is type(other) and untimed(one.summary) == untimed(other.summary)
    assert set(one.data) == set(other.data)
    for name, variable in one.data.items():
        assert np.array_equal(variable.values, other.data[name].values,
                              equal_nan=variable.values.dtype.kind == "f"), name


def survives(result: Result) -> None:
    again = Result.from_bytes(result.to_bytes())
    assert type(again) is type(result) and again.summary == result.summary and not again.extra
    assert result._repr_html_()


# -- compressibility --


@pytest.fixture(scope="module")
def stiff() -> CompressibilityResult:
    torus = Torus(layers(rs_electron=0.6), 4, zero_mode="madelung")
    return compressibility(torus, sizes=[4, 16], cutoff=0.7, method="pressure")


def test_a_compressibility_is_that_of_its_study(stiff: CompressibilityResult) -> None:
    same(stiff, study("compressibility", cell={"holes": 4, "zero_mode": "madelung", "cutoff": 0.7},
                      density={"rs_electron": 0.6, "electrons_per_hole": 1},
                      compressibility={"sizes": [4, 16], "method": "pressure"}))
    survives(stiff)


def test_what_a_compressibility_says(stiff: CompressibilityResult) -> None:
    assert isinstance(stiff.limit, Limit) and stiff.limit.value == stiff.alpha_squared and stiff.extrapolated
    assert [row.particles for row in stiff.by_size] == [4, 16]
    assert stiff.lattice is not None and isinstance(stiff.lattice.none, LatticeSound)
    assert isinstance(stiff.bulk_modulus, Quantity) and stiff.bulk_modulus.to("meV/nm^2") > 0
    assert stiff.particles.electron == 4 and stiff.state.sea_depletion.hole is not None
    assert stiff.energy.to("meV") == pytest.approx(stiff.summary["energy_meV"])
    # a_h Ha_h/hbar is the velocity of light over 137.036 over the dielectric constant
    assert stiff.velocity is not None
    assert stiff.summary["velocity_m_per_s"] == pytest.approx(stiff.velocity * 299792458 / 137.035999 / 5, rel=1e-6)


@pytest.mark.parametrize(("bilayer", "more", "argument"), [
    (layers(electrons_per_hole=2.0), {}, "electrons_per_hole"), (layers(rs_electron=None, rs_hole=9.0,
                                                                         electrons_per_hole=0), {}, "electrons: "),
    (layers(), {"sizes": [4, 9]}, "sizes"), (layers(), {"method": "guess"}, "method"),
    (layers(), {"state": "highest"}, "state"), (layers(), {"occupation": "half"}, "occupation"),
    (layers(), {"solver_tolerance": 2.0}, "solver_tolerance"), (layers(), {"starts": 0}, "starts"),
    (layers(), {"tolerance": 0.0}, "tolerance"), (layers(), {"max_iterations": 0}, "max_iterations"),
    (layers(), {"hexagon": 3, "cutoff": 0.2}, "cutoff")])
def test_a_compressibility_refuses_by_name(bilayer: Bilayer, more: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        compressibility(Torus(bilayer, 4, zero_mode="none"), **more)


def test_own_bands_must_scale_with_the_area() -> None:
    own = Carrier("electron", -1, 1.0, 0, 0.05, 1, dispersion=lambda k: np.sum(k**4, axis=-1))
    with pytest.raises(InputError, match="electron dispersion"):
        compressibility(Torus(Bilayer((own,)), electrons=7, zero_mode="none"))


# -- the uniform gas of any interaction --


@pytest.mark.parametrize("flavours", [1, 2, 4])
def test_the_gas_of_coulomb_is_the_closed_form(flavours: int) -> None:
    bilayer = Bilayer.of(rs_electron=1.3, electrons_per_hole=None, electron_flavours=flavours)
    torus = Torus(bilayer, electrons=4 * flavours, zero_mode="none")
    assert gas_of(torus) == pytest.approx(gas_limit(1.3, flavours), rel=1e-13)


@pytest.mark.parametrize("kappa", [0.3, 2.0])
def test_larger_tori_tend_to_the_gas_of_their_own_interaction(kappa: float) -> None:
    """Closed shells of 2 x 7 to 2 x 121 electrons: alpha^2 as it is tends to where the corrected one is at once, to
    that of the gas and what the charging of v(0) adds."""
    bilayer = Bilayer.of(rs_electron=1.5, electrons_per_hole=None, interaction=Yukawa(0.0, kappa))
    rows = []
    for count in (14, 74, 242):
        torus = Torus(bilayer, electrons=count, zero_mode="madelung")
        basis = PlaneWaveBasis(torus.box, disk_waves(torus.box, 3.0 / 1.5))
        rows.append(size(torus, modulus(torus, basis), 0.0))
    assert abs(gas_of(torus) - gas_limit(1.5)) > 0.02  # another than Coulomb's
    limit = gas_of(torus) + 2 * torus.capacitor_energy / torus.area / rows[-1].state.reference
    assert [row.corrected for row in rows] == pytest.approx([limit] * 3, abs=1e-8)
    errors = [abs(row.madelung - limit) for row in rows]
    assert errors[2] < errors[0] / 4 and errors[2] < 0.02


def test_a_compressibility_of_another_interaction_has_no_screened_lattice() -> None:
    torus = Torus(layers(interaction=Yukawa(10.0, 0.05)), 4, zero_mode="madelung")
    found = compressibility(torus, hexagon=3)
    assert found.status is Status.converged and found.lattice is None and found.alpha_squared is not None
    assert found.method_spread is not None and found.method_spread < 1e-4
    assert found.uniform_gas == pytest.approx(gas_of(torus))


# -- pairing --


def test_a_pairing_is_that_of_its_study() -> None:
    found = pairing(layers(), alpha=0.3, method="eliashberg", alpha_squared_uncertainty=0.01, curve_points=3)
    assert isinstance(found, PairingResult)
    same(found, study("pairing", pairing={"alpha": 0.3, "method": "eliashberg", "alpha_squared_uncertainty": 0.01,
                                          "curve_points": 3}))
    survives(found)
    assert found.hole_over_electron_mass == pytest.approx(10) and found.summary["mass_ratio"] == pytest.approx(10)
    assert found.lam == found.summary["lambda"] and found.band is not None and found.by_method is not None
    assert found.gap is not None and found.gap.to("K") == pytest.approx(found.summary["gap_kelvin"])
    assert found.critical_temperature == found.by_method["eliashberg"]


def test_a_map_is_that_of_its_study() -> None:
    found = pairing(layers(), alpha_source="paper-line", map_rs=(0.5, 2.0), map_spacing=(0, "2 a_e"), map_points=5,
                    umklapp="folded", capacitor=True)
    assert isinstance(found, PairingMapResult) and found.points == found.done == 25
    other = ehbilayer.run(make_study({
        "kind": "pairing", "bilayer": {"material": "mass-ratio-10", "capacitor": True},
        "pairing": {"alpha_source": "paper-line", "map_rs": [0.5, 2.0], "map_spacing": [0, "2 a_e"], "map_points": 5,
                    "umklapp": "folded"}}))
    same(found, other)
    survives(found)


def test_units_do_not_matter_for_what_is_pure() -> None:
    """The same layers with other masses at the same ratio: the same T_c/T_H, another T_c."""
    one, other = (pairing(Bilayer.of(electron_mass=m, hole_mass=10 * m, dielectric=4.0, spacing=8.0, rs_electron=1.1),
                          alpha_squared=0.1, curve_points=0) for m in (0.1, 0.3))
    assert isinstance(one, PairingResult) and isinstance(other, PairingResult)
    assert one.tc_over_hartree == pytest.approx(other.tc_over_hartree, rel=1e-12)
    assert one.critical_temperature is not None and other.critical_temperature == pytest.approx(
        3 * one.critical_temperature)
    assert one.spacing_over_a_e == pytest.approx(0.8)


def test_without_a_mode_and_stopped() -> None:
    none = pairing(layers(rs_electron=1.9), alpha_source="paper-line", phase="condensate")
    assert isinstance(none, PairingResult) and none.status is Status.converged and none.critical_temperature is None
    assert "no acoustic mode" in none.reason and none.mu is not None and none.in_el_hc is False
    survives(none)
    early = pairing(layers(), alpha=0.3, should_stop=lambda: Status.timeout)
    assert isinstance(early, PairingResult) and early.status is Status.timeout and early.alpha_squared is None
    survives(early)


@pytest.mark.parametrize(("more", "how", "argument"), [
    ({}, {}, "alpha_source: must be given"), ({}, {"alpha": 0.3, "alpha_squared": 0.1}, "alpha: must be absent"),
    ({}, {"alpha_source": "guess"}, "alpha_source"), ({}, {"alpha_source": "torus"}, "zero_mode"),
    ({}, {"alpha": 0.3, "method": "rpa"}, "method"), ({}, {"alpha": 0.3, "map_rs": (1, 2)}, "map_spacing"),
    ({}, {"alpha": 0.3, "map_rs": (1, 2), "map_spacing": (0, "x")}, "map_spacing"),
    ({"interaction": Yukawa(10.0)}, {"alpha": 0.3}, "interaction: must be coulomb for pairing by plasmons"),
    ({"electrons_per_hole": 2.0}, {"alpha": 0.3}, "electrons_per_hole"),
    ({"electron_flavours": 1}, {"alpha": 0.3}, "electron_flavours"), ({"electron_mass": 3.0}, {"alpha": 0.3},
                                                                      "hole_mass")])
def test_a_pairing_refuses_by_name(more: dict[str, Any], how: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        pairing(layers(**more), **how)


# -- device --


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing_density, "POINTS", 21)
    monkeypatch.setattr(pairing_density, "HALVINGS", 2)
    monkeypatch.setattr(device_page, "SOURCES", ("paper-line",))


@pytest.mark.usefixtures("fast")
def test_a_page_is_that_of_its_study() -> None:
    names = ["liquid", "hole-crystal"]
    page = device(layers(), holes=4, hexagon=3, candidates=names, alpha=0.3, method="bcs")
    other = study("device", cell={"holes": 4, "hexagon": 3}, phases={"candidates": names},
                  pairing={"alpha": 0.3, "method": "bcs"})
    assert isinstance(page, DeviceResult) and isinstance(other, DeviceResult)
    one, two = untimed(page.summary), untimed(other.summary)
    assert one["parts"]["phases"].pop("critical_rs") is two["parts"]["phases"].pop("critical_rs") is None
    assert one == two and page.data.keys() == other.data.keys()
    survives(page)
    assert page.pairing("given").critical_temperature == page.critical_temperature
    assert page.competition.winner == page.phase and page.gap.electron is not None
    with pytest.raises(KeyError):
        page.pairing("limit")


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("more", "why"), [
    ({"electron_mass": 3.0, "hole_flavours": 1}, "holes of one flavour"), ({"electron_flavours": 1}, "partner")])
def test_where_nothing_pairs_the_page_says_why(more: dict[str, Any], why: str) -> None:
    page = device(layers(**more), holes=4, hexagon=3, candidates=["liquid"])
    assert page.no_pairing is not None and why in page.no_pairing and page.by_source == {}
    assert page.phase == "liquid" and page.critical_temperature is None


def test_a_page_of_another_interaction_leaves_pairing_out() -> None:
    with pytest.raises(InputError, match="page of a device"):
        device(layers(interaction=Yukawa(10.0, 0.05)), holes=4, hexagon=3, candidates=["liquid"])
    page = device(layers(interaction=Screened(10.0, sheet_electron=1.0)), holes=4, hexagon=3, candidates=["liquid"])
    assert page.no_pairing is not None and "Coulomb" in page.no_pairing and page.phase == "liquid"


def test_a_page_needs_a_device_in_real_units() -> None:
    bare = Bilayer.of(electron_mass=0.1, hole_mass=1.0, spacing=10.0, rs_electron=1.0)
    with pytest.raises(InputError, match="dielectric"):
        device(bare)
    assert math.isfinite(bare.carrier("hole").rs) and isinstance(bare.interaction, Coulomb)
