"""A magnetic field that shifts flavours: exact polarisations of gases, liquids, determinants, and what refuses it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import ehbilayer
from ehbilayer import Bilayer, Screened, Torus, condensate, hartree_fock, liquid, thermal
from ehbilayer.errors import InputError
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.liquid.gas import Gas
from ehbilayer.liquid.partial import polarised
from ehbilayer.model import Carrier
from ehbilayer.studies.bilayer import plane_bilayer
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import rows
from ehbilayer.studies.task import prepare
from ehbilayer.thermal.gases import Bosons, Fermions, Pairs, soft
from ehbilayer.thermal.ionisation import Mixture
from ehbilayer.units import Scales

MASS, DENSITY = 0.7, 0.05


def layer(rs: float, split: float, flavours: int = 2, temperature: float = 0.0) -> Bilayer:
    return Bilayer.of(rs_hole=rs, electrons_per_hole=0, hole_flavours=flavours, magnetic_field=split / 2,
                      hole_g_factor=-2.0, temperature=temperature)


def carrier(split: float, flavours: int = 2) -> Carrier:
    return Carrier("hole", 1, MASS, 0, DENSITY, flavours, splitting=split)


# free gases

def free(n: float) -> float:
    """Energy per area of one flavour, pi n^2/m."""
    return math.pi * n * n / MASS


@pytest.mark.parametrize("flavours", [2, 4])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99, 1.0, 1.5])
def test_a_free_gas_is_polarised_in_proportion_up_to_all(flavours: int, share: float) -> None:
    """n_low - n_up = min(n, g m s/4 pi): all at s = 2 E_F; the susceptibility is Pauli's, m/2 pi for each pair."""
    fermi = 2 * math.pi * DENSITY / (flavours * MASS)
    found = polarised(free, carrier(share * 2 * fermi, flavours))
    half = flavours // 2
    assert sum(found) == pytest.approx(DENSITY, rel=1e-12)
    assert sum(found[:half]) - sum(found[half:]) == pytest.approx(min(share, 1.0) * DENSITY, abs=1e-7 * DENSITY)
    for group in (found[:half], found[half:]):
        assert max(group) - min(group) < 1e-7 * DENSITY


def test_a_warm_free_gas_has_two_levels() -> None:
    """n_i = (m T/2 pi) ln(1 + e^{(mu - l_i)/T}); far above degeneracy n_up/n_low = e^{-s/T}."""
    for heat, split in ((0.05, 0.1), (0.5, 0.4), (200.0, 300.0)):
        def energy(n: float, heat: float = heat) -> float:
            gas = Fermions(MASS, 1, heat)
            z = gas.potential(n)
            # F/A = mu n - p, with p = E_0/A of two dimensions
            from scipy.special import spence

            f1 = math.pi**2 / 6 + z * z / 2 + float(spence(1 + math.exp(-z))) if z > 0 else -float(
                spence(1 + math.exp(z)))
            return z * heat * n - gas.unit * heat * f1

        unit = MASS * heat / (2 * math.pi)
        mu = brentq(lambda m, h=heat, s=split, u=unit: u * (soft((m + s / 2) / h) + soft((m - s / 2) / h)) - DENSITY,
                    -40 * heat, 40 * heat, xtol=1e-14)
        expected = [unit * soft((mu + sign * split / 2) / heat) for sign in (1, -1)]
        found = polarised(energy, carrier(split))
        assert found == pytest.approx(expected, rel=1e-6)
        if heat == 200.0:
            assert found[1] / found[0] == pytest.approx(math.exp(-split / heat), rel=2e-3)


# liquids

def test_the_spin_susceptibility_of_a_liquid_is_enhanced_by_exchange() -> None:
    """Flavours exchange with themselves alone: n zeta = s/e'', e'' that of the compressibility, 1 - sqrt(2) r_s/pi."""
    split = 1e-4
    for rs in (0.5, 1.0, 1.5):
        found = liquid(layer(rs, split), curve_points=0)
        n = found.density["hole"]
        low, up = found.flavour_densities["hole"]
        fermi = math.pi * n
        assert (low - up) / n == pytest.approx(split / (2 * fermi * (1 - math.sqrt(2) * rs / math.pi)), rel=1e-4)
        assert found.spin.hole == "partial"
        assert found.energy_parts_per_area.zeeman == pytest.approx(-split / 2 * (low - up), rel=1e-9)


def test_a_partly_polarised_liquid_has_one_chemical_potential_and_the_lowest_energy() -> None:
    device = layer(1.4, 0.05)
    found = liquid(device, curve_points=0)
    low, up = found.flavour_densities["hole"]
    mu = [Gas(Carrier("hole", 1, 1.0, 0, n, 1), Coulomb(), 1).chemical_potential + sign * 0.025
          for n, sign in ((low, -1), (up, 1))]
    assert mu[0] == pytest.approx(mu[1], abs=1e-7) and mu[0] == pytest.approx(found.chemical_potential.hole, abs=1e-7)
    for spin in ("restricted", "polarized"):
        assert liquid(device, spin=spin, curve_points=0).energy_per_hole > found.energy_per_hole
    step = 1e-3
    up_, down = (liquid(device.with_densities({"hole": f * device.carriers[0].density}), curve_points=0)
                 for f in (1 + step, 1 - step))
    assert (up_.energy_per_area - down.energy_per_area) / (2 * step * device.carriers[0].density) == pytest.approx(
        found.chemical_potential.hole, rel=1e-5)
    bend = (up_.chemical_potential.hole - down.chemical_potential.hole) / (2 * step) / found.fermi_energy.hole
    assert found.alpha_squared.hole == pytest.approx(bend, rel=1e-4)


def test_the_transition_of_bloch_comes_earlier_in_a_field() -> None:
    """Without one at r_s = 2.01, from equal flavours to one at once; with one the jump is at higher density."""
    bloch = 3 * math.pi / (16 * (1 - 1 / math.sqrt(2)))
    for rs, spin in ((0.999 * bloch, "restricted"), (1.001 * bloch, "polarized")):
        assert liquid(layer(rs, 0.0), curve_points=0).spin.hole == spin
        assert liquid(layer(rs, 1e-9), curve_points=0).spin.hole == {"restricted": "partial"}.get(spin, spin)
    held = {rs: liquid(layer(rs, 0.02), curve_points=0).flavour_densities["hole"] for rs in (1.5, 1.7, 1.8, 1.9)}
    share = {rs: up / (low + up) for rs, (low, up) in held.items()}
    assert share[1.5] > share[1.7] > 0.2 and share[1.9] == 0.0


def test_four_flavours_empty_one_after_another() -> None:
    """g flavours at r_s: E/N = 1/(g r_s^2/...), lowest for the g that the energies themselves order."""
    n = 1 / math.pi
    for rs in (0.8, 1.2, 1.5, 1.9, 3.0):
        device = Bilayer.of(rs_hole=rs, electrons_per_hole=0, hole_flavours=4)
        found = liquid(device, curve_points=0)
        energies = {g: Gas(device.carriers[0], Coulomb(), g).energy for g in (1, 2, 3, 4)}
        best = min(energies, key=lambda g: energies[g])
        assert found.energy_per_hole <= energies[best] + 1e-14
        assert sum(x > 0 for x in found.flavour_densities["hole"]) == best
        assert sum(found.flavour_densities["hole"]) == pytest.approx(n / rs**2, rel=1e-9)


def test_a_strong_field_polarises_and_a_warm_dilute_liquid_has_two_levels() -> None:
    assert liquid(layer(1.0, 10.0), curve_points=0).spin.hole == "polarized"
    heat, split = 3.0, 2.0
    found = liquid(layer(30.0, split, temperature=heat), curve_points=0)
    low, up = found.flavour_densities["hole"]
    assert up / low == pytest.approx(math.exp(-split / heat), rel=2e-3)
    mixing = -sum(n / (low + up) * math.log(n / (low + up)) for n in (low, up))
    one = liquid(layer(30.0, 1e3, temperature=heat), curve_points=0)
    assert found.entropy["hole"] - one.entropy["hole"] == pytest.approx(mixing, abs=2e-3)


# determinants

def box(split: float, spin: str, holes: int = 8, flavours: int = 2) -> Torus:
    return Torus(layer(6.0, split, flavours), holes=holes, zero_mode="madelung", hole_spin=spin)


@pytest.mark.parametrize(("spin", "excess"), [("5+3", 2), ("7+1", 6), ("4|4", 0), ("polarized", 8), ("restricted", 0)])
def test_determinants_gain_by_their_polarisation(spin: str, excess: int) -> None:
    one, other = (hartree_fock(box(split, spin), "liquid", keep="translations", occupation="shell", hexagon=4,
                               tolerance=1e-11) for split in (0.0, 0.03))
    assert other.energy - one.energy == pytest.approx(-0.015 * excess, abs=1e-11)
    assert other.energy_parts["zeeman"] == pytest.approx(-0.015 * excess, abs=1e-12)
    assert other.pressure == pytest.approx(one.pressure, abs=1e-12)


def test_levels_of_flavours_move_apart() -> None:
    """The gap is the lowest empty less the highest filled level of either flavour; shared orbitals lose all of it."""
    gaps = {spin: [hartree_fock(box(split, spin, 8), "crystal", symmetry="crystal", holes_per_cell=2, hexagon=5,
                                tolerance=1e-11, stability="none").gap.hole for split in (0.0, 0.01)]
            for spin in ("restricted", "4|4")}
    for before, after in gaps.values():
        assert after == pytest.approx(before - 0.01, abs=1e-8)


def test_four_flavours_are_two_pairs() -> None:
    split = 0.04
    one, other = (hartree_fock(box(s, "3+3+2", 8, 4), "liquid", keep="translations", occupation="shell", hexagon=4,
                               tolerance=1e-11) for s in (0.0, split))
    assert other.energy - one.energy == pytest.approx(split / 2 * (-3 - 3 + 2), abs=1e-11)


# condensates

def pairs(density: float, split: float, flavours: int = 2, **how: Any) -> Bilayer:
    """Electrons feel a quarter of the splitting of a pair, holes three."""
    return Bilayer.of(electron_mass=0.5, hole_mass=1.0, spacing=1.0, hole_density=density, magnetic_field=split / 4,
                      electron_g_factor=1.0, hole_g_factor=-3.0, electron_flavours=flavours, hole_flavours=flavours,
                      **how)


def test_a_polarised_condensate_shifts_by_half_of_both_splittings() -> None:
    cold, field = (condensate(pairs(0.02, s), curve_points=12) for s in (0.0, 0.01))
    for key in ("energy_per_pair", "chemical_potential", "normal_energy_per_pair", "exciton_energy"):
        assert getattr(field, key) == pytest.approx(getattr(cold, key) - 0.005, abs=1e-13)
    assert field.energy_parts_per_pair.zeeman == pytest.approx(-0.005, abs=1e-15)
    assert sum(vars(field.energy_parts_per_pair).values()) == pytest.approx(field.energy_per_pair, abs=1e-12)
    for key in ("condensation_energy", "max_gap", "pair_breaking_energy", "chemical_potential_slope"):
        assert getattr(field, key) == getattr(cold, key)
    assert field.data["curve_energy"].values == pytest.approx(cold.data["curve_energy"].values - 0.005, abs=1e-13)
    mu = field.chemical_potential
    again = condensate(pairs(0.01, 0.01), chemical_potential=mu, curve_points=12)
    assert again.density == pytest.approx(0.02, rel=1e-4) and again.chemical_potential == pytest.approx(mu, abs=1e-8)


@pytest.mark.parametrize("temperature", [0.0, 0.02])
def test_a_condensate_on_a_torus_shifts_too_and_equal_ones_do_not(temperature: float) -> None:
    cold, field = (Torus(pairs(0.02, s, temperature=temperature), holes=6, zero_mode="madelung",
                         electron_spin="polarized") for s in (0.0, 0.01))
    for spin, level in (("polarized", -0.005), ("restricted", 0.0)):
        one, other = (condensate(t, spin=spin, hexagon=5, curve_points=0) for t in (cold, field))
        assert other.energy == pytest.approx(one.energy + 6 * level, abs=1e-11)
        assert other.energy_parts.zeeman == pytest.approx(6 * level, abs=1e-14)
        if temperature:
            assert other.free_energy_per_pair == pytest.approx(one.free_energy_per_pair + level, abs=1e-12)


def test_a_field_divides_pairs_at_equal_chemical_potentials() -> None:
    """All pairs are lowered from s = mu(n) + E_X on; below, mu(n_1) - mu(n_2) = s."""
    whole = condensate(pairs(0.02, 0.0), curve_points=0)
    last = whole.chemical_potential - whole.exciton_energy
    found = condensate(pairs(0.02, 0.8 * last), curve_points=0).in_field
    assert found.polarising == pytest.approx(last, rel=1e-4) and found.splitting == pytest.approx(0.8 * last)
    low, up = found.flavour_densities
    one, other = (condensate(pairs(n, 0.0), curve_points=0) for n in (low, up))
    assert low + up == pytest.approx(0.02, rel=1e-12)
    assert one.chemical_potential - other.chemical_potential == pytest.approx(0.8 * last, rel=1e-4)
    assert found.energy_per_pair == pytest.approx((low * (one.energy_per_pair - 0.4 * last) + up * (
        other.energy_per_pair + 0.4 * last)) / 0.02, abs=1e-8)
    beyond = condensate(pairs(0.02, 1.01 * last), curve_points=0)
    assert beyond.in_field.flavour_densities[1] == 0.0
    assert beyond.in_field.energy_per_pair == pytest.approx(beyond.energy_per_pair, abs=1e-9)


def test_pairs_that_attract_polarise_by_themselves_and_the_capacitor_is_blind_to_flavours() -> None:
    found = condensate(pairs(0.003, 1e-6), curve_points=0)  # E/N falls with the density there
    assert found.in_field.polarising == 0.0 and found.in_field.flavour_densities[1] == 0.0
    bare, charged = (condensate(pairs(0.02, 0.01), capacitor=c, curve_points=0).in_field for c in (False, True))
    assert bare.flavour_densities == pytest.approx(charged.flavour_densities, rel=1e-9)
    assert charged.energy_per_pair - bare.energy_per_pair == pytest.approx(2 * math.pi * 0.02, rel=1e-9)
    far = condensate(pairs(0.02, 0.01, interaction=Screened(1.0, gate_top=1e4, gate_bottom=1e4)), curve_points=0)
    assert far.in_field.flavour_densities == pytest.approx(bare.flavour_densities, rel=1e-3)


# mass action

def mixture(split: float, flavours: int = 2, trions: float = 0.05) -> Mixture:
    half = ((-split / 2,) * (flavours // 2) + (split / 2,) * (flavours // 2)) if split else ()
    return Mixture(0.5, (flavours, flavours), (0.002, 0.003), 0.3, {"trion-": trions, "trion+": 1.3 * trions} if trions
                   else {}, None, split=(half, half))


def test_split_gases_are_sums_over_their_flavours() -> None:
    for gas, z in ((Fermions(0.5, 2, 0.03, levels=(-0.1, 0.1)), 2.0),
                   (Bosons(1.5, 4, 0.03, levels=(-0.2, 0.0, 0.0, 0.2)), -0.21 / 0.03),
                   (Pairs(1.5, 4, 0.03, 9.0, levels=(-0.2, 0.0, 0.0, 0.2)), -0.21 / 0.03)):
        one = replace(gas, flavours=1, levels=())
        expected = sum(one.density(z - level / 0.03) for level in gas.levels)
        assert gas.density(z) == pytest.approx(expected, rel=1e-12)
        assert gas.potential(expected) == pytest.approx(z, rel=1e-10)
    gas = Fermions(0.5, 2, 0.03, levels=(-0.1, 0.1))
    n = gas.density(1.0)
    slope = (gas.density(1.0 + 1e-5) - gas.density(1.0 - 1e-5)) / 2e-5 / 0.03
    assert gas.response(np.array([1e-6]), n)[0] == pytest.approx(slope, rel=1e-6)  # chi(0) = dn/dmu


def test_a_strong_field_leaves_one_flavour_without_singlets_and_none_changes_nothing() -> None:
    for t in (0.01, 0.05, 0.2):
        one, strong = mixture(0.0, 1, 0.0).at(t), mixture(50.0).at(t)
        assert (strong.electron, strong.hole, strong.exciton) == pytest.approx(
            (one.electron, one.hole, one.exciton), rel=1e-9)
        assert max(strong.trion_minus, strong.trion_plus) < 1e-50
        weak, none = mixture(1e-9).at(t), mixture(0.0).at(t)
        assert (weak.electron, weak.exciton, weak.trion_plus) == pytest.approx(
            (none.electron, none.exciton, none.trion_plus), rel=1e-6)


def test_saha_in_a_field() -> None:
    """Thin gases: n_e n_h/n_X is that without a field, as levels factorise; n_X n_e/n_- loses cosh^2(s/2T)."""
    t, split = 20.0, 30.0  # n lambda^2 of 1e-3

    def laws(m: Mixture) -> tuple[float, float]:
        c = m.at(t)
        return c.electron * c.hole / c.exciton, c.exciton * c.electron / c.trion_minus

    free, held = (laws(replace(mixture(s), densities=(2e-4, 3e-4))) for s in (0.0, split))
    assert held[0] == pytest.approx(free[0], rel=1e-3)
    assert held[1] == pytest.approx(free[1] * math.cosh(split / 2 / t) ** 2, rel=1e-3)


def test_the_thermal_page_in_a_field() -> None:
    device = pairs(0.001, 0.4)
    found = thermal(device, points=2)
    bare = thermal(pairs(0.001, 0.0), points=2)
    assert found.bkt == bare.bkt and found.melting == bare.melting and found.exciton_binding == bare.exciton_binding
    assert found.trion_binding == bare.trion_binding
    assert found.trion_unbinding == pytest.approx({"trion-": bare.trion_binding["trion-"] / 0.1,
                                                   "trion+": bare.trion_binding["trion+"] / 0.3})
    assert found.ionisation != bare.ionisation
    told = dict(rows(found))
    assert "no effect on orbits" in told["field"] and "times this field" in told["trion- unbinds"]


# units, studies and refusals

def test_five_tesla() -> None:
    scales = Scales(0.8, 0.4, 4.7)
    assert scales.to_atomic("5 T", "field", "x") * scales.hartree_meV == pytest.approx(5 * 0.0578838180, rel=1e-8)
    study = {"kind": "liquid", "bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm", "magnetic_field": "5 T",
                                           "electron_g_factor": 2.0, "hole_g_factor": 3},
             "density": {"hole": "1e12 cm^-2", "electrons_per_hole": 1}, "liquid": {"curve_points": 0}}
    by_study = ehbilayer.run(make_study(study))
    device = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1e12 cm^-2", magnetic_field="5 T",
                        electron_g_factor=2.0, hole_g_factor=3.0)
    assert by_study.energy_per_hole == liquid(device, curve_points=0).energy_per_hole
    told = dict(rows(by_study))["field"]
    assert "no effect on orbits" in told and "0.5788 meV" in told


def test_holes_in_wse2_bring_their_g_factor() -> None:
    device = {"spacing": "3 nm", "magnetic_field": "5 T", "electron_g_factor": 5.0}
    found = Bilayer.of("WSe2/hBN/MoSe2", hole_density="1e12 cm^-2", **device)
    assert found.carrier("hole").splitting / found.carrier("electron").splitting == pytest.approx(12.2 / 5)
    study = make_study({"kind": "thermal", "bilayer": {"material": "WSe2/hBN/MoSe2", **device},
                        "density": {"hole": "1e12 cm^-2", "electrons_per_hole": 1}})
    assert plane_bilayer(study) == found
    for missing in ({}, {"hole_g_factor": 3.0}):
        with pytest.raises(InputError, match="electron_g_factor"):
            Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1e12 cm^-2", magnetic_field="5 T", **missing)


@pytest.mark.parametrize(("wrong", "named"), [
    ({"magnetic_field": "5 T"}, "hole_g_factor"), ({"magnetic_field": -1.0, "hole_g_factor": 2.0}, "magnetic_field"),
    ({"magnetic_field": "5 meV", "hole_g_factor": 2.0}, "magnetic_field"),
    ({"magnetic_field": 0.1, "hole_g_factor": 2.0, "hole_flavours": 1}, "flavours"),
    ({"magnetic_field": 0.1, "hole_g_factor": 2.0, "hole_flavours": 3}, "flavours")])
def test_what_cannot_be_is_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        Bilayer.of(hole_mass=0.4, dielectric=5.0, rs_hole=5.0, electrons_per_hole=0, **wrong)
    with pytest.raises(InputError, match=named):
        prepare(make_study({"kind": "liquid", "bilayer": {"hole_mass": 0.4, "dielectric": 5.0, **wrong},
                            "density": {"rs_hole": 5.0, "electrons_per_hole": 0}}))


@pytest.mark.parametrize("kind", ["phases", "pairing", "device", "crystal", "phonons", "few-body",
                                  "compressibility", "monte-carlo", "response", "gates"])
def test_other_kinds_refuse_it_by_name(kind: str) -> None:
    study = {"kind": kind, "bilayer": {"electron_mass": 0.5, "hole_mass": 1.0, "dielectric": 5.0, "spacing": 1.0,
                                       "magnetic_field": "5 T", "electron_g_factor": 2.0, "hole_g_factor": 2.0},
             "density": {"rs_hole": 5.0, "electrons_per_hole": 1}}
    with pytest.raises(InputError, match=r"bilayer\.magnetic_field") as refused:
        prepare(make_study(study))
    assert kind in str(refused.value.must)


def test_methods_refuse_it_by_name() -> None:
    device = Bilayer.of(electron_mass=0.5, hole_mass=1.0, dielectric=5.0, spacing=1.0, rs_hole=5.0,
                        magnetic_field="5 T", electron_g_factor=2.0, hole_g_factor=2.0)
    torus = Torus(device, holes=4, zero_mode="madelung", electron_spin="polarized")
    calls = {"pairing": device, "crystal": device, "few_body": device,
             "response": device, "gates": device,
             "phonons": device, "device": device, "phases": torus, "monte_carlo": torus, "compressibility": torus}
    for name, argument in calls.items():
        with pytest.raises(InputError, match="magnetic_field"):
            getattr(ehbilayer, name)(argument)
    without = replace(device, carriers=tuple(replace(c, splitting=0.0) for c in device.carriers))
    assert without == Bilayer.of(electron_mass=0.5, hole_mass=1.0, dielectric=5.0, spacing=1.0, rs_hole=5.0)
