"""Carriers, bilayers and tori: what they know, and what they refuse. Interactions and dispersions of one's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.compressibility.bulk_modulus import modulus
from ehbilayer.compressibility.response import area_response
from ehbilayer.condensate import torus as condensate
from ehbilayer.errors import InputError
from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.interaction.base import Interaction, require_coulomb
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.numerics.minimize import minimise
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.torus import Species as Counted
from ehbilayer.torus import Torus
from systems import (
    Species,
    directions,
    random_state,
    slope_along,
    slope_by_differences,
    small_basis,
    torus_of,
    triangular_basis,
    trions,
)

ONE = How(threads=1)
QUICK = Options(start="crystal", tolerance=1e-12, stability="none")
HOLE = Carrier("hole", 1, 1.0, 1, 0.01)


# -- carriers and bilayers


@pytest.mark.parametrize(("bad", "argument"), [
    ({"mass": -1.0}, "hole mass"), ({"mass": np.nan}, "hole mass"), ({"charge": 2}, "hole charge"),
    ({"density": -0.1}, "hole density"), ({"density": np.inf}, "hole density"), ({"flavours": 0}, "hole flavours")])
def test_bad_carriers_are_refused(bad: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        replace(HOLE, **bad)


@pytest.mark.parametrize(("bad", "argument"), [({"count": -1}, "count"), ({"spin": "up"}, "spin"),
                                               ({"count": 3, "spin": "restricted"}, "multiple of 2")])
def test_bad_counts_are_refused(bad: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        Counted(**{"carrier": HOLE, "count": 4, "spin": "polarized", **bad})


@pytest.mark.parametrize("carriers", [(), (HOLE, HOLE)])
def test_bad_lists_of_carriers_are_refused(carriers: tuple[Carrier, ...]) -> None:
    with pytest.raises(InputError, match="carriers"):
        Bilayer(carriers)


@pytest.mark.parametrize("spacing", [-1.0, np.inf, np.nan])
def test_bad_spacings_are_refused(spacing: float) -> None:
    with pytest.raises(InputError, match="spacing"):
        Coulomb(spacing)


def test_a_bilayer_as_one_says_it() -> None:
    trion = Bilayer.of(electron_mass=2.0, hole_mass=1.0, spacing=4.83, rs_hole=8.0, electrons_per_hole=2)
    electron, hole = trion.carriers
    assert (electron.charge, electron.layer, hole.charge, hole.layer) == (-1, 0, 1, 1)
    assert trion.mass_ratio == electron.mass == 2.0 and trion.spacing == 4.83
    assert hole.density == pytest.approx(1 / (64 * np.pi)) and hole.rs == pytest.approx(8.0)
    assert electron.density == 2 * hole.density and electron.rs == pytest.approx(2 * 8 / np.sqrt(2))
    light = Bilayer.of(electron_mass=0.1, hole_mass=1.0, rs_electron=1.6)
    assert light.carrier("electron").rs == pytest.approx(1.6) and light.carrier("hole").rs == pytest.approx(16.0)
    assert [c.name for c in Bilayer.of(rs_hole=3.0, electrons_per_hole=0).carriers] == ["hole"]
    assert [c.name for c in Bilayer.of(rs_electron=3.0, electrons_per_hole=None).carriers] == ["electron"]


def test_real_units_come_in_at_the_edge() -> None:
    device = Bilayer.of(electron_mass=0.8, hole_mass=0.4, dielectric=4.7, spacing="3 nm", hole_density="1e12 cm^-2")
    length = 4.7 / 0.4 * 0.052917721  # a_h in nm
    assert device.spacing == pytest.approx(3 / length, rel=1e-6)
    assert device.carrier("hole").density == pytest.approx(1e12 * (length * 1e-7) ** 2, rel=1e-6)
    with pytest.raises(InputError):
        Bilayer.of(electron_mass=0.8, hole_mass=0.4, spacing="3 nm", rs_hole=3.0)  # no dielectric constant


@pytest.mark.parametrize(("given", "argument"), [
    ({"rs_hole": 3.0, "hole_density": 0.1}, "density"), ({"hole_density": 0.0}, "hole_density"),
    ({"rs_hole": 3.0, "electrons_per_hole": -1.0}, "electrons_per_hole"),
    ({"rs_electron": 3.0, "electrons_per_hole": 0}, "electrons_per_hole"),
    ({"rs_hole": 3.0, "electron_mass": None}, "electron_mass"), ({"rs_hole": 3.0, "material": "cheese"}, "material")])
def test_what_does_not_make_a_bilayer_is_named(given: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        Bilayer.of(**{"electron_mass": 0.5, "hole_mass": 1.0, **given})


# -- tori


def test_a_torus_counts_its_carriers() -> None:
    torus = trions(4)
    assert {s.name: s.count for s in torus.species} == {"electron": 8, "hole": 4}
    assert torus.particles == 12 and torus.sites == 4 and torus.area == pytest.approx(4 * np.pi * 64)
    assert torus.box.area == pytest.approx(torus.area)
    assert [(c.label, c.orbitals, c.degeneracy) for c in torus.channels] == [("electron", 4, 2), ("hole", 4, 1)]
    larger = torus.scaled(2 * torus.area)
    assert larger.area == pytest.approx(2 * torus.area) and larger.channels == torus.channels
    assert torus == trions(4) and hash(torus) == hash(trions(4))


@pytest.mark.parametrize(("bad", "argument"), [
    ({"zero_mode": "ewald"}, "zero_mode"), ({"zero_mode": ""}, "zero_mode"), ({"holes": None}, "holes"),
    ({"electrons": 8}, "holes"), ({"holes": 0}, "species"), ({"electron_spin": "up"}, "spin"),
    ({"holes": 0.5}, "holes: must be an integer"), ({"shape": "round"}, "shape")])
def test_bad_tori_are_refused(bad: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        replace(trions(4), **bad).box  # noqa: B018


def test_a_density_without_a_whole_number_is_refused() -> None:
    bilayer = Bilayer.of(electron_mass=1.0, hole_mass=1.0, rs_hole=3.0, electrons_per_hole=0.3)
    with pytest.raises(InputError, match="electron density"):
        Torus(bilayer, 4, zero_mode="none")
    assert Torus(bilayer, 10, zero_mode="none", electron_spin="polarized").species[0].count == 3


def test_a_basis_of_another_box_is_refused() -> None:
    for basis in (small_basis("box", rs=9.0), triangular_basis(4, 8.0, 4, crystal=False)):
        with pytest.raises(InputError, match="torus' own box"):
            solve(trions(4), basis, QUICK, ONE)


# -- an interaction of one's own


@dataclass(frozen=True)
class Yukawa(Interaction):
    """v(q) = 2 pi exp(-q d)/sqrt(q^2 + 1/l^2): no more than a spacing, v and its long waves."""

    spacing: float
    length: float = 5.0
    name = "yukawa"

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        q = np.asarray(q, dtype=float)
        v = 2 * np.pi * np.exp(-q * self.distance(a, b)) / np.sqrt(q**2 + self.length**-2)
        return np.where(q > 0, v, 0.0)

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        return 0.0, 2 * np.pi * self.length


def screened(zero_mode: str = "none", scale: float = 1.0) -> Torus:
    """Trions that interact by Yukawa's potential."""
    torus = trions(4, zero_mode=zero_mode)
    torus = replace(torus, bilayer=replace(torus.bilayer, interaction=Yukawa(4.83)))
    return torus.scaled(scale * torus.area)


@pytest.mark.parametrize("kind", ["box", "crystal"])
def test_own_interaction_has_the_right_gradient(kind: str) -> None:
    hamiltonian, x = random_state(screened(), small_basis(kind))
    d = directions(hamiltonian)
    slope = slope_along(hamiltonian, x, d)
    assert slope_by_differences(hamiltonian, x, d) == pytest.approx(slope, rel=1e-6) and abs(slope) > 1e-4
    coulomb = Hamiltonian(replace(hamiltonian.setting, tori=[trions(4)]))
    assert abs(coulomb.evaluate(x).energy[0] - hamiltonian.evaluate(x).energy[0]) > 0.01


def test_own_interaction_has_pressure_and_curvature() -> None:
    torus = screened()
    hamiltonian, x = random_state(torus, small_basis("crystal"), start="trion-crystal", noise=0.0)
    x = minimise(EnergyProblem(hamiltonian), x, residual=1e-10).frames
    found, h, energies = area_response(hamiltonian, x), 0.02, []
    for s in (-2, -1, 0, 1, 2):
        tori = [screened(scale=np.exp(s * h))]
        there = EnergyProblem(Hamiltonian(replace(hamiltonian.setting, tori=tori)))
        energies.append(minimise(there, x, residual=1e-9, max_iterations=500).energy[0])
    assert found.first == pytest.approx(np.dot([1, -8, 0, 8, -1], energies) / (12 * h), abs=2e-7)
    assert found.second == pytest.approx(np.dot([-1, 16, -30, 16, -1], energies) / (12 * h * h), abs=2e-6)
    # v(0) is finite, so that it counts always: v(0) (N_h - N_e)^2/2A
    assert torus.charged and torus.capacitor_energy == pytest.approx(2 * np.pi * 5.0 * (4 - 8) ** 2 / 2 / torus.area)
    with pytest.raises(InputError, match="capacitor: must be absent with gates"):
        replace(torus, capacitor=True)


def test_own_interaction_is_solved_and_kept(tmp_path: Any) -> None:
    torus = screened()
    result = solve(torus, small_basis("crystal"), replace(QUICK, start="trion-crystal"), ONE)
    assert result.status is Status.converged
    result.save(tmp_path / "r.nc")
    inputs = Result.load(tmp_path / "r.nc").inputs
    assert inputs["interaction"] == {"name": "yukawa", "spacing": 4.83, "length": 5.0}
    h, energies = 1e-3, []
    for scale in (1 + h, 1 - h):
        there = screened(scale=scale)
        basis = PlaneWaveBasis(there.box, small_basis("crystal").waves, small_basis("crystal").supercell)
        energies.append(solve(there, basis, replace(QUICK, start="trion-crystal"), ONE).energy)
    slope = (energies[0] - energies[1]) / (2 * h * torus.area)
    assert result.summary["pressure"] == pytest.approx(-slope, rel=1e-5)


def test_own_interaction_may_die_out() -> None:
    """exp(-q d) between layers far apart underflows: nothing is left of it, in derivatives either."""
    basis, far = small_basis("crystal"), 10**4
    species = Species("hole", 1, 1.0, 0, 4), Species("other hole", 1, 1.0, far, 4)
    both, one = (torus_of(s, 1.0, "none", box=basis.box, interaction=Yukawa(1.0)) for s in (species, species[:1]))
    hamiltonian, _ = random_state(both, basis)
    alone, y = random_state(one, basis)
    # v(0) of this toy is the same at any distance; its energy goes as 1/A
    slope = hamiltonian.area_derivative((y[0], y[0]))[0] + both.capacitor_energy / both.area
    rest = alone.area_derivative(y)[0] + one.capacitor_energy / one.area
    assert slope == pytest.approx(2 * rest, rel=1e-12) and abs(slope) > 1e-6


def test_a_condensate_takes_any_interaction() -> None:
    """At long screening lengths it is Coulomb's, less v(0)/A for each pair, which cannot be left out."""
    energies = []
    basis = triangular_basis(7, 4.0, 5, crystal=False)
    species = Species("electron", -1, 1.0, 0, 7), Species("hole", 1, 1.0, 1, 7)
    for interaction in (Coulomb(1.0), Yukawa(1.0, 1e4), Yukawa(1.0, 2.0)):
        torus = torus_of(species, 1.0, "none", box=basis.box, interaction=interaction)
        result = condensate.solve(torus, basis, estimate=False)
        assert result.inputs["interaction"] == interaction.parameters
        v0 = interaction.long_wave(0, 0)[1] if interaction.finite else 0.0
        energies.append(result.energy + 7 * v0 / torus.area)  # n^2 + F^2 = n: exchange and pairing take n v(0)/A
    assert energies[1] == pytest.approx(energies[0], abs=1e-6) and energies[2] > energies[0] + 0.1


def test_what_needs_coulomb_refuses_another_by_name() -> None:
    torus, basis = screened("madelung"), small_basis("crystal")
    with pytest.raises(InputError, match=r"interaction.*madelung.*yukawa.*Yukawa\.zero_mode"):
        solve(torus, basis, QUICK, ONE)
    with pytest.raises(InputError, match=r"interaction.*real space.*yukawa"):
        Yukawa(1.0).real_space(np.ones(1), 0, 0)
    with pytest.raises(InputError, match=r"coulomb for the condensate of the plane.*yukawa"):
        require_coulomb(Yukawa(1.0), "the condensate of the plane")
    require_coulomb(Coulomb(1.0), "anything")
    species = Species("electron", -1, 1.0, 0, 4), Species("hole", 1, 1.0, 1, 4)
    pairs = torus_of(species, 1.0, "madelung", box=basis.box, interaction=Yukawa(1.0))
    with pytest.raises(InputError, match=r"interaction.*madelung.*yukawa"):
        condensate.solve(pairs, basis)


# -- a dispersion of one's own


def own(k: np.ndarray) -> np.ndarray:
    """k^2/2m with m = 2 in disguise."""
    return np.sum(k * k, axis=-1) / 4


def holes(mass: float, dispersion: Any = None) -> Torus:
    return torus_of((Species("hole", 1, mass, 0, 4, dispersion=dispersion),), 0.0, "none", box=small_basis("box").box)


@pytest.mark.parametrize("kind", ["box", "crystal"])
def test_a_function_takes_the_place_of_the_mass(kind: str) -> None:
    plain, other = (solve(t, small_basis(kind), QUICK, ONE) for t in (holes(2.0), holes(7.0, own)))
    assert other.energy == pytest.approx(plain.energy, abs=1e-9)
    assert other.summary["gap"]["hole"] == pytest.approx(plain.summary["gap"]["hole"], abs=1e-6)
    assert plain.summary["pressure"] is not None and other.summary["pressure"] is None


def test_the_bulk_modulus_of_an_own_dispersion_is_refused_by_name() -> None:
    basis = triangular_basis(7, 2.0, 4, crystal=False)
    electrons = Species("electron", -1, 7.0, 0, 7, dispersion=own)
    with pytest.raises(InputError, match="electron dispersion"):
        modulus(torus_of((electrons,), 0.0, "none", box=basis.box), basis)
    assert modulus(torus_of((electrons._replace(dispersion=None),), 0.0, "none", box=basis.box), basis).settled


# -- three layers


def three(third: int, names: tuple[str, ...] = ("electron", "hole", "other hole")) -> Torus:
    """An electron layer, a hole layer, and another hole layer in layer ``third``."""
    every = (Species("electron", -1, 0.5, 0, 4), Species("hole", 1, 1.0, 1, 4), Species("other hole", 1, 2.0, third, 4))
    return torus_of(tuple(s for s in every if s.name in names), 3.0, "madelung", box=small_basis("box").box)


def test_three_layers_are_solved() -> None:
    result = solve(three(2), small_basis("box"), Options(start="random", tolerance=1e-6, stability="none"), ONE)
    assert result.status is Status.converged
    assert result.summary["particles"] == {"electron": 4, "hole": 4, "other hole": 4}
    assert set(result.summary["gap"]) == {"electron", "hole", "other hole"}
    assert result.data["density_other hole"].values.mean() == pytest.approx(4 / three(2).area)
    assert [s["layer"] for s in result.inputs["species"]] == [0, 1, 2]


def test_a_layer_far_away_adds_its_own_energy() -> None:
    basis, far = small_basis("crystal"), 10**4
    hamiltonian, x = random_state(three(far), basis)
    two, one = (Hamiltonian(replace(hamiltonian.setting, tori=[three(far, names)],
                                    fillings=hamiltonian.setting.fillings[: len(names)]))
                for names in (("electron", "hole"), ("other hole",)))
    whole = hamiltonian.evaluate(x).energy[0]
    assert whole == pytest.approx((two.evaluate(x[:2]).energy + one.evaluate(x[2:]).energy)[0], rel=1e-12)
    near = Hamiltonian(replace(hamiltonian.setting, tori=[three(2)])).evaluate(x).energy[0]
    assert abs(near - whole) > 1e-3
    options = Options(start="random", tolerance=1e-12, stability="none")
    parts = [solve(three(far, names), basis, options, ONE).energy for names in (("electron", "hole"), ("other hole",))]
    assert solve(three(far), basis, options, ONE).energy == pytest.approx(sum(parts), abs=1e-8)
