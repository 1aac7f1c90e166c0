"""Figures in nm, meV and cm^-2: the same numbers in other units, and only where a reader thinks in them."""

import dataclasses

import numpy as np
import pytest

from ehbilayer import Bilayer, Torus, condensate, hartree_fock
from ehbilayer.errors import InputError
from ehbilayer.figures.real_units import bohr_radius, device_known, real_unit, shown_in, unit
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.results.base import Provenance
from ehbilayer.studies.drawing import page


@pytest.fixture(scope="module")
def state() -> HartreeFockResult:
    device = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1.29e12 cm^-2", electrons_per_hole=2)
    return hartree_fock(Torus(device, holes=4, zero_mode="madelung"), start="liquid", hexagon=4, tolerance=1e-5)


def test_units_of_every_kind_have_real_ones() -> None:
    real = {"a_h": "nm", "1/a_h": "1/nm", "a_h^-2": "cm^-2", "Ha_h": "meV", "Ha_h/a_h^2": "meV/nm^2", "a_e": "nm",
            "1": "1", "K": "K", "m_0": "m_0", "a_h^2": "nm^2"}
    assert {atomic: real_unit(atomic) for atomic in real} == real


def test_a_named_device_is_shown_in_real_units(state: HartreeFockResult) -> None:
    shown, scales = shown_in(state), state.provenance.scales
    assert device_known(state) and unit(shown, "Ha_h") == "meV" and unit(state, "Ha_h") == "Haₕ"
    assert shown.energy_per_particle == pytest.approx(state.energy_per_particle * scales.hartree_meV, rel=1e-14)
    assert shown.area == pytest.approx(state.area * scales.bohr_radius_nm**2, rel=1e-14)
    assert shown.inputs["spacing"] == pytest.approx(3.0) and bohr_radius(shown) == scales.bohr_radius_nm
    for name, variable in state.data.items():
        here = shown.data[name]
        if variable.units == "a_h^-2":
            assert here.units == "cm^-2"
            assert here.values == pytest.approx(variable.values / scales.bohr_radius_nm**2 * 1e14, rel=1e-12)
    total = float(state.data["density_hole"].values.mean())
    assert float(shown.data["density_hole"].values.mean()) == pytest.approx(1.29e12, rel=1e-6) and total < 1
    assert shown_in(shown) is shown  # not twice


def test_figures_say_the_units_of_what_they_show(state: HartreeFockResult) -> None:
    figure = page(shown_in(state))
    words = " ".join(t.get_text() for t in figure.texts)
    labels = " ".join(ax.get_xlabel() + ax.get_ylabel() for ax in figure.axes)
    assert "meV" in words and "3 nm" in words and "(nm)" in labels and "(meV)" in labels
    atomic = page(shown_in(state, "atomic"))
    bare = " ".join(t.get_text() for t in atomic.texts)
    assert "Haₕ" in bare and "meV" not in bare
    # dimensionless numbers do not depend on the units
    assert [w for w in words.split(",") if "rₛ" in w] == [w for w in bare.split(",") if "rₛ" in w]
    momenta = [ax for ax in figure.axes if ax.get_title() == "momentum occupation"]
    same = [ax for ax in atomic.axes if ax.get_title() == "momentum occupation"]
    for one, other in zip(momenta[0].lines, same[0].lines, strict=True):
        assert np.allclose(np.asarray(one.get_xdata(), float), np.asarray(other.get_xdata(), float))


def test_numbers_without_a_device_stay_atomic() -> None:
    pairs = condensate(Bilayer.of(electron_mass=0.5, hole_mass=1.0, dielectric=5.0, spacing=1.0, rs_hole=4.0))
    assert shown_in(pairs) is pairs
    said = dataclasses.replace(pairs, provenance=dataclasses.replace(
        pairs.provenance, study={"bilayer": {"spacing": "0.3 nm"}}))
    assert "curve_density" in pairs.data or pairs.data
    assert shown_in(said).energy_per_pair == pytest.approx(pairs.energy_per_pair.to("meV"))
    assert shown_in(pairs, "real").energy_per_pair == pytest.approx(pairs.energy_per_pair.to("meV"))
    bare = dataclasses.replace(pairs, provenance=Provenance())
    for wrong, argument in (("SI", "units"), ("real", "units")):
        with pytest.raises(InputError) as error:
            shown_in(bare, wrong)
        assert error.value.argument == argument
