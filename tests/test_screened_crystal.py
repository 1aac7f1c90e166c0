"""Classical crystals and phonons in a screened interaction: direct sums, derivatives, limits, sound between gates."""

from dataclasses import replace

import numpy as np
import pytest

from ehbilayer import Bilayer, Coulomb, InputError, Screened, crystal, load, phonons, run
from ehbilayer.crystal.record import capacitor_energy
from ehbilayer.crystal.relaxation import relax
from ehbilayer.crystal.structures import Crystal, named
from ehbilayer.interaction.lattice_sums.charges import PointCharges
from ehbilayer.interaction.lattice_sums.derivatives import ForceConstants
from ehbilayer.phonons.modes import Phonons, sound
from ehbilayer.thermal.melting import elastic

OPEN = Screened(1.0, 2.0, 1.0, sheet_electron=3.0, sheet_hole=2.0, layer_thickness=0.4)
GATED = replace(OPEN, gate_top=3.0, gate_bottom=2.0)


def disordered(interaction: Screened | None, seed: int = 1) -> Crystal:
    """Two holes and three electrons anywhere in an oblique cell."""
    rng = np.random.default_rng(seed)
    vectors = np.array([[5.0, 0.4], [1.1, 6.0]])
    species = ("hole",) * 2 + ("electron",) * 3
    heights = np.array([1.0, 1.0, 0.0, 0.0, 0.0])
    charges = np.array([1.0, 1.0, -1.0, -1.0, -1.0])
    return Crystal(vectors, rng.random((5, 2)) @ vectors, charges, heights, species, interaction)


def sums(c: Crystal) -> PointCharges:
    return PointCharges(c.vectors, c.charges, c.heights, 1e-14, c.medium)


def test_energies_are_direct_sums() -> None:
    """Between gates v(r) dies out, and the sum over all pairs and images needs no convention."""
    near = Screened(1.0, gate_top=0.5, gate_bottom=0.4)
    for one in (disordered(GATED), replace(disordered(GATED), interaction=near)):
        medium, total = one.medium, 0.0
        assert medium is not None and medium.layers.tolist() == [1, 1, 0, 0, 0]
        i, j = np.meshgrid(np.arange(-24, 25), np.arange(-24, 25))
        images = np.stack([i.ravel(), j.ravel()], axis=1) @ one.vectors
        for a in range(5):
            for b in range(5):
                r = np.linalg.norm(one.positions[a] - one.positions[b] + images, axis=1)
                r = r[r > 0] if a == b else r
                v = one.interaction.real_space(r, int(medium.layers[a]), int(medium.layers[b]))
                total += 0.5 * one.charges[a] * one.charges[b] * v.sum()
        found = sums(one).energy_and_forces(one.positions)[0] + capacitor_energy(one)
        assert found == pytest.approx(total, rel=1e-10)


def test_energies_without_gates_are_those_of_potentials() -> None:
    """Pairs by the potential of zero average, images by the Madelung element, both of other code."""
    one = disordered(OPEN)
    layer, total = one.medium.layers, 0.0
    for a in range(5):
        total += 0.5 * OPEN.heat_kernel(layer[a], layer[a]).madelung(one.vectors)
        for b in range(a):
            apart = (one.positions[a] - one.positions[b])[None]
            between = OPEN.heat_kernel(layer[a], layer[b]).potential(one.vectors, apart)[0]
            total += one.charges[a] * one.charges[b] * between
    assert sums(one).energy_and_forces(one.positions)[0] == pytest.approx(total, rel=1e-11)


@pytest.mark.parametrize("interaction", [OPEN, GATED])
def test_derivatives_are_differences(interaction: Screened) -> None:
    one, h = disordered(interaction), 1e-5
    _, forces, stress = sums(one).energy_forces_stress(one.positions)
    assert forces == pytest.approx(sums(one).energy_and_forces(one.positions)[1], abs=1e-12)
    constants = ForceConstants(one.vectors, one.positions, one.charges, one.heights, 1e-14, one.medium)
    hessian = constants.dynamical_matrix(np.zeros((1, 2)))[0].real
    for charge, axis in ((0, 0), (3, 1)):
        step = np.zeros((5, 2))
        step[charge, axis] = h
        up, down = (sums(one).energy_and_forces(one.positions + s * step) for s in (1, -1))
        assert forces[charge, axis] == pytest.approx(-(up[0] - down[0]) / (2 * h), abs=1e-8)
        assert hessian[:, :, charge, axis] == pytest.approx(-(up[1] - down[1]) / (2 * h), abs=1e-7)
    for a, b in ((0, 0), (0, 1), (1, 1)):
        strain = np.zeros((2, 2))
        strain[a, b] = h
        moved = [replace(one, vectors=one.vectors @ (np.eye(2) + s * strain.T),
                         positions=one.positions @ (np.eye(2) + s * strain.T)) for s in (1, -1)]
        up, down = (sums(m).energy_and_forces(m.positions)[0] for m in moved)
        assert stress[a, b] == pytest.approx((up - down) / (2 * h), abs=1e-8)
    # the dynamical matrix at q is that of a supercell at q = 0
    q = one.medium and np.array([[0.5, 0.0]]) @ (2 * np.pi * np.linalg.inv(one.vectors).T)
    twice = one.repeated(np.diag([2, 1]))
    large = ForceConstants(twice.vectors, twice.positions, twice.charges, twice.heights, 1e-14, twice.medium)
    whole = large.dynamical_matrix(np.zeros((1, 2)))[0].real.reshape(20, 20)
    small = np.linalg.eigvalsh(constants.dynamical_matrix(q)[0].reshape(10, 10))
    all_of_them = np.linalg.eigvalsh(whole)
    assert all(np.min(np.abs(all_of_them - x)) < 1e-9 for x in small)
    slopes = constants.slope(q + 0.1)[0, 0]
    up, down = (constants.dynamical_matrix(q + 0.1 + s * np.array([[h, 0.0]]))[0] for s in (1, -1))
    assert slopes == pytest.approx((up - down) / (2 * h), abs=1e-7)


def test_limits_are_coulombs() -> None:
    bare = named("checkerboard", 0.01, 1.0)
    exact = relax(bare, "positions").energy_per_hole
    same = replace(bare, interaction=Screened(1.0))
    assert relax(same, "positions").energy_per_hole == pytest.approx(exact, abs=1e-12)
    thin = replace(bare, interaction=Screened(1.0, sheet_hole=1e-14, sheet_electron=1e-14))
    assert relax(thin, "positions").energy_per_hole == pytest.approx(exact, abs=1e-12)
    tall = named("checkerboard", 0.01, 2.0)
    stretched = replace(bare, interaction=Screened(1.0, 4.0, 1.0))
    assert relax(stretched, "positions").energy_per_hole == pytest.approx(relax(tall, "positions").energy_per_hole,
                                                                        abs=1e-12)
    far = replace(bare, interaction=Screened(1.0, gate_top=1e13, gate_bottom=1e13))
    assert relax(far, "positions").energy_per_hole == pytest.approx(exact, abs=1e-11)
    assert capacitor_energy(replace(bare, charges=-bare.charges)) == pytest.approx(capacitor_energy(bare))
    # 2:1 is charged as a whole, which gates far away feel without end; balanced layers have the capacitor of Coulomb's
    even = named("square", 0.01, 1.0, 1)
    with_gates = replace(even, interaction=Screened(1.0, gate_top=1e13, gate_bottom=1e13))
    assert capacitor_energy(with_gates) == pytest.approx(capacitor_energy(even), rel=1e-12)


def device(interaction: Screened | Coulomb, ratio: float = 2.0, rs: float = 12.0) -> Bilayer:
    return Bilayer.of(rs_hole=rs, electrons_per_hole=ratio, electron_mass=0.5, hole_mass=1.0, interaction=interaction)


def test_a_search_and_its_phonons() -> None:
    """The crystal of a device is found, and a file of it knows what screens."""
    found = crystal(device(GATED), starts=1, holes_per_cell=1)
    assert found.status.value == "converged" and found.inputs["interaction"]["finite_v0"]
    assert found.capacitor_per_hole > 0 and found.max_force < 1e-9
    assert found.crystal.interaction == GATED
    same = crystal(device(GATED), found)
    assert same.energy_per_hole == pytest.approx(found.energy_per_hole, abs=1e-10)
    waves = phonons(found, masses={"electron": 0.5, "hole": 1.0}, mesh=8, points=4)
    assert waves.at_rest and waves.energy_per_hole == pytest.approx(found.energy_per_hole, abs=1e-10)
    assert waves.inputs["interaction"]["name"] == "screened" and waves.melting is None
    bare = phonons(device(Coulomb(2.0)), "honeycomb", mesh=8, points=4)
    ours = phonons(device(Screened(1.0, 4.0, 1.0)), "honeycomb", mesh=8, points=4)
    assert ours.zero_point_energy_per_hole == pytest.approx(bare.zero_point_energy_per_hole, rel=1e-9)
    assert ours.lindemann["hole"] == pytest.approx(bare.lindemann["hole"], rel=1e-6)


def test_strong_gates_leave_neighbours_alone() -> None:
    """v(r) of two gates at distance L falls as e^{-pi r/L}: the triangular crystal costs six neighbours' energy."""
    near = Screened(0.0, gate_top=0.5, gate_bottom=0.5)
    one = replace(named("triangular", 1.0, 0.0, 0), interaction=near)
    apart = one.length * np.sqrt(np.pi) * (4 / 3) ** 0.25
    rest = relax(one, "cell")
    shells = apart * np.sqrt([1.0, 3, 4, 7, 9, 12, 13, 16, 19, 21, 25])
    count = np.array([6, 6, 6, 12, 6, 6, 12, 6, 12, 12, 6])
    v = near.real_space(shells, 1, 1)
    assert rest.energy_per_hole + capacitor_energy(rest.crystal) == pytest.approx(0.5 * count @ v, rel=1e-5)
    assert v[1] / v[0] == pytest.approx(np.exp(-np.pi * apart * (np.sqrt(3) - 1)) / 3**0.25, rel=0.02)


@pytest.mark.parametrize("interaction", [Screened(0.0, gate_top=2.0, gate_bottom=3.0, sheet_hole=1.0),
                                         Screened(0.0, gate_bottom=1.0)])
def test_sound_between_gates_is_that_of_the_bulk_modulus(interaction: Screened) -> None:
    """A charged layer between gates has sound, not plasmons: rho (c_L^2 - c_T^2) = A d^2E/dA^2."""
    def energy(area: float) -> float:
        c = replace(named("triangular", 1 / area, 0.0, 0), interaction=interaction)
        return sums(c).energy_and_forces(c.positions)[0] + capacitor_energy(c)

    area, h = 9.0, 1e-2
    moved = [energy(area * (1 + s * h)) for s in (-2, -1, 0, 1, 2)]
    bulk = (-moved[0] + 16 * moved[1] - 30 * moved[2] + 16 * moved[3] - moved[4]) / (12 * h * h * area)
    found = Phonons(replace(named("triangular", 1 / area, 0.0, 0), interaction=interaction), {"hole": 1.0})
    law = sound(found)
    assert law.plasmon == law.expected == 0.0 and law.longitudinal is not None
    rho = 1 / area
    assert rho * (law.longitudinal**2 - law.slowest**2) == pytest.approx(bulk, rel=1e-4)
    constants = elastic(found)
    assert not isinstance(constants, str) and constants.lam < np.inf


def test_a_study_file(tmp_path) -> None:
    file = tmp_path / "gated.toml"
    file.write_text("""
kind = "crystal"
[bilayer]
material = "WSe2/hBN/MoSe2"
spacing = "3 nm"
interaction = "screened"
[screening]
gate_top = "5 nm"
gate_bottom = "5 nm"
[density]
hole = "2e11 cm^-2"
electrons_per_hole = 2
[crystal]
structure = "honeycomb"
""")
    found = run(file, tmp_path / "out")
    assert found.inputs["interaction"]["name"] == "screened" and found.status.value == "converged"
    again = load(tmp_path / "out")
    assert again.crystal.interaction is not None and again.crystal.interaction == found.crystal.interaction
    text = file.read_text()
    for change, key in (('a_over_d = 3.0', "bilayer.spacing"), ('hole = "2e11 cm^-2"', "bilayer.capacitor")):
        other = text.replace('hole = "2e11 cm^-2"', change)
        said = "" if key.endswith("spacing") else 'spacing = "3 nm"\ncapacitor = true'
        other = other.replace('spacing = "3 nm"', said)
        file.write_text(other)
        with pytest.raises(InputError, match=f"^{key}"):
            run(file, tmp_path / "other")


@pytest.mark.published
def test_melting_lines_in_an_anisotropic_medium_are_those_of_a_stretched_spacing() -> None:
    """a/d = x at the spacing d is Coulomb's crystal of a/d' = x/s at d' = s d."""
    stretched, s = Screened(1.0, 4.0, 1.0), 2.0
    how = {"scan_points": 2, "points": 2, "mesh": 6, "tolerance": 1e-3}
    ours = phonons(device(stretched), "honeycomb", scan=(10.0, 12.0), **how).data
    theirs = phonons(device(Coulomb(1.0)), "honeycomb", scan=(10.0 / s, 12.0 / s), **how).data
    for name in ("electron", "hole"):
        assert ours[f"melting_spacing_{name}"].values * s == pytest.approx(
            theirs[f"melting_spacing_{name}"].values, rel=1e-5)
        assert ours[f"melting_length_{name}"].values == pytest.approx(theirs[f"melting_length_{name}"].values, rel=1e-5)
    assert ours["scan_gamma"].values * s**1.5 == pytest.approx(theirs["scan_gamma"].values, rel=1e-6, abs=1e-6)


@pytest.mark.published
def test_on_a_screened_melting_line_the_ratio_is_the_threshold() -> None:
    """Between gates with polarisable layers: the line passes where a calculation at that spacing has the threshold."""
    how, screened = {"points": 2, "mesh": 6, "tolerance": 1e-4}, Screened(1.0, 2.0, 1.0, 200.0, 200.0, 3.0, 2.0, 0.5)
    line = phonons(device(screened), "honeycomb", scan=(10.0, 11.0), scan_points=2, **how).data
    d = float(line["melting_spacing_hole"].values[0])
    a = float(line["melting_length_hole"].values[0])
    assert a == pytest.approx(10.0 * d)
    there = phonons(device(replace(screened, spacing=d), rs=a), "honeycomb", **how)
    assert there.lindemann["hole"] == pytest.approx(0.25, rel=1e-3)


def test_refusals() -> None:
    for method in (crystal, phonons):
        with pytest.raises(InputError, match=r"^capacitor: must be absent with gates"):
            method(device(GATED), "honeycomb", capacitor=True)
