"""An external periodic potential: its shape, what fits into a box, exact limits, and crystals that it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import ehbilayer
from ehbilayer import Bilayer, Torus, hartree_fock
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.bands import bands_at
from ehbilayer.hartree_fock.batch import solve_batch
from ehbilayer.hartree_fock.guesses import placed
from ehbilayer.hartree_fock.options import Options
from ehbilayer.numerics.lattice import box_of_shape
from ehbilayer.potential import Potential, period_of
from ehbilayer.studies.file import make_study
from ehbilayer.studies.task import prepare
from ehbilayer.terms.external import External
from ehbilayer.terms.kinetic import Kinetic
from systems import random_state, small_basis, trions

FREE = {"terms": (Kinetic,), "tolerance": 1e-12}  # carriers without forces


def pinned(filling: float = 1.0, holes: int = 4, rs: float = 4.0, shape: str = "triangular", spin: str = "polarized",
           **said: Any) -> Torus:
    device = Bilayer.of(rs_hole=rs, electrons_per_hole=0, potential={"filling": filling, **said})
    return Torus(device, holes=holes, shape=shape, zero_mode="madelung", hole_spin=spin)


def potential_of(torus: Torus) -> Potential:
    assert torus.bilayer.potential is not None
    return torus.bilayer.potential


def stars(torus: Torus) -> np.ndarray:
    """The vectors G_j, 1/a_h."""
    return np.asarray(potential_of(torus).vectors(torus.box) @ torus.box.reciprocal)


def values(torus: Torus, r: np.ndarray, charge: int = 1) -> np.ndarray:
    """V(r) = 2 V sum_j cos(G_j r + phi) as it is defined."""
    p = potential_of(torus)
    return np.asarray(2 * p.amplitude(charge) * np.cos(r @ stars(torus).T + np.radians(p.phase)).sum(axis=-1))


# shape

@pytest.mark.parametrize("phase", [0.0, 30.0, 77.0, -94.0, 180.0])
@pytest.mark.parametrize("lattice", ["triangular", "square"])
@pytest.mark.parametrize("charge", [1, -1])
def test_wells_are_the_minima(phase: float, lattice: str, charge: int) -> None:
    torus = pinned(depth=-1.3, phase=phase, lattice=lattice, shape=lattice)
    wells = potential_of(torus).wells(torus.box, charge)
    x = np.linspace(0, 1, 61)
    r = x[:, None, None] * torus.box.vectors[0] + x[None, :, None] * torus.box.vectors[1]
    everywhere = values(torus, r, charge)
    lowest = values(torus, wells, charge)
    assert -1e-9 < everywhere.min() - lowest[0] < 0.2
    assert np.all(np.diff(lowest) > -1e-9) and np.all(lowest < 0)


def test_sign_and_phase_choose_triangular_or_honeycomb() -> None:
    for depth, phase, count, deepest in ((-1.0, 0.0, 1, -6.0), (1.0, 0.0, 2, -3.0), (1.0, 180.0, 1, -6.0),
                                         (-1.0, 60.0, 2, -3.0)):
        torus = pinned(depth_hole=depth, phase=phase)
        wells = potential_of(torus).wells(torus.box, 1)
        deep = [v for v in values(torus, wells) if v < deepest + 1e-9]
        assert (len(wells), min(deep)) == (count, pytest.approx(deepest)) and len(deep) == count


def test_electrons_feel_the_opposite_unless_they_have_their_own() -> None:
    assert Potential(1.0, depth=2.0).amplitude(-1) == -2.0
    assert Potential(1.0, depth=2.0, depth_electron=0.5).amplitude(-1) == 0.5
    assert Potential(1.0, depth_electron=0.5).amplitude(1) == 0.0


def test_vectors_turn_by_120_degrees_and_span_the_cell() -> None:
    for holes, shape, filling in ((9, "triangular", 1.0), (12, "rectangular", 1.0), (12, "triangular", 3.0),
                                  (7, "triangular", 1 / 3)):
        torus = pinned(filling, holes, shape=shape)
        g, p = stars(torus), potential_of(torus)
        np.testing.assert_allclose(np.linalg.norm(g, axis=1), 4 * np.pi / (np.sqrt(3) * p.period))
        np.testing.assert_allclose(g.sum(axis=0), 0, atol=1e-12)
        assert -1e-6 <= np.degrees(np.arctan2(g[0, 1], g[0, 0])) < 60


# what fits

def test_a_period_that_does_not_fit_names_its_neighbours() -> None:
    device = Bilayer.of(rs_hole=4, electrons_per_hole=0)
    box = Torus(device, holes=12, zero_mode="none").box
    fits = [period_of(12 / n, device.carriers[0].density) for n in (12, 13)]
    with pytest.raises(InputError, match="period") as refused:
        Torus(replace(device, potential=Potential(0.3 * fits[0] + 0.7 * fits[1])), holes=12, zero_mode="none")
    assert all(f"{p:.9g}" in str(refused.value.must) for p in fits)
    for p in fits:
        Potential(p).cells(box)


def test_square_potentials_need_a_square_box() -> None:
    with pytest.raises(InputError, match="its shape does not allow it"):
        pinned(lattice="square")
    with pytest.raises(InputError, match="lattice"):
        pinned(lattice="kagome")


def test_the_bloch_cell_holds_whole_cells_of_the_potential() -> None:
    torus = pinned(2.0, 8, depth=-0.1)
    with pytest.raises(InputError, match=r"holes_per_cell: .* a multiple of 2"):
        hartree_fock(torus, "crystal", symmetry="crystal", hexagon=4)
    with pytest.raises(InputError, match="keep"):
        hartree_fock(pinned(depth=-0.1), "liquid", keep="translations", hexagon=4)


# one particle

def plane_wave_levels(torus: Torus, k: np.ndarray, reach: int = 7) -> np.ndarray:
    """Levels at wave vectors k (n, 2) from the matrix between k + i G_1 + j G_2, built entry by entry."""
    p, g = potential_of(torus), stars(torus)
    steps = [(i, j) for i in range(-reach, reach + 1) for j in range(-reach, reach + 1)]
    where = {step: n for n, step in enumerate(steps)}
    jumps = [(1, 0), (0, 1), (-1, -1)] if p.lattice == "triangular" else [(1, 0), (0, 1)]
    v = p.amplitude(1) * np.exp(1j * np.radians(p.phase))
    found = []
    for point in k:
        matrix = np.diag(np.sum((point + np.array(steps) @ g[:2]) ** 2, axis=1) / 2).astype(complex)
        for (i, j), n in where.items():
            for a, b in jumps:
                if (i + a, j + b) in where:
                    matrix[where[i + a, j + b], n] += v
                    matrix[n, where[i + a, j + b]] += v.conjugate()
        found.append(np.linalg.eigvalsh(matrix))
    return np.array(found)


@pytest.mark.parametrize(("shape", "phase"), [("triangular", 0.0), ("triangular", 25.0), ("square", 40.0)])
def test_bands_of_free_carriers_are_those_of_the_plane_wave_matrix(shape: str, phase: float) -> None:
    torus = pinned(1.0, 9, depth=0.05, phase=phase, shape=shape, lattice=shape)
    found = hartree_fock(torus, "crystal", symmetry="crystal", cutoff=6.0, **FREE)
    expected = plane_wave_levels(torus, found.data["mesh_k"].values)[:, :4]
    np.testing.assert_allclose(found.data["levels_0"].values[:, :4], expected, atol=1e-9)
    assert found.energy == pytest.approx(expected[:, 0].sum(), abs=1e-9)  # one full band
    path = plane_wave_levels(torus, found.data["path_k"].values)[:, :3]
    np.testing.assert_allclose(found.data["bands_0"].values[:, :3], path, atol=2e-6)


def test_one_particle_has_no_force_on_itself() -> None:
    """The lowest level of the box, with the Madelung energy -M/2 of the particle and its images."""
    torus = pinned(1 / 4, 1, depth=-0.05, rs=5.0)
    found = hartree_fock(torus, "crystal", cutoff=5.0, tolerance=1e-12)
    own = torus.zero_mode_element(0, 0)
    level = plane_wave_levels(torus, np.zeros((1, 2)))[0, 0]
    assert found.energy == pytest.approx(level - own / 2, abs=1e-9)


def test_a_square_potential_is_two_equations_of_mathieu() -> None:
    """-y''/2m + 2 V cos(G x) y = E y is y_zz + (a - 2 q cos 2z) y = 0 with a = 8 m E/G^2, q = 8 m V/G^2."""
    from scipy.special import mathieu_a, mathieu_b

    torus = pinned(1.0, 1, depth=0.3, rs=3.0, shape="square", lattice="square")
    found = hartree_fock(torus, "crystal", cutoff=9.0, terms=(Kinetic,), tolerance=1e-13)
    g = float(np.linalg.norm(stars(torus)[0]))
    q = 8 * 0.3 / g**2
    assert found.energy == pytest.approx(g**2 / 8 * 2 * mathieu_a(0, q), rel=1e-10)
    assert found.gap.hole == pytest.approx(g**2 / 8 * (mathieu_b(2, q) - mathieu_a(0, q)), rel=1e-7)


def test_deep_wells_are_oscillators() -> None:
    """omega = G sqrt(3 |V|/m) from the curvature; what is left falls as V^(-1/2)."""
    ratios = []
    for depth in (-40.0, -160.0):
        torus = pinned(1.0, 1, depth=depth, rs=3.0)
        found = hartree_fock(torus, "crystal", cutoff=22.0, terms=(Kinetic,), tolerance=1e-9, stability="none")
        omega = float(np.linalg.norm(stars(torus)[0])) * np.sqrt(-3 * depth)
        ratios.append((found.gap.hole / omega, (found.energy - 6 * depth) / omega))
    (gap, ground), (deeper_gap, deeper_ground) = ratios
    assert abs(deeper_gap - 1) < 0.02 and abs(deeper_ground - 1) < 0.01
    assert (deeper_gap - 1) / (gap - 1) == pytest.approx(0.5, abs=0.03)
    assert (deeper_ground - 1) / (ground - 1) == pytest.approx(0.5, abs=0.03)


# weak potentials

def test_no_depth_changes_nothing() -> None:
    bare = Torus(Bilayer.of(rs_hole=30, electrons_per_hole=0), holes=4, zero_mode="madelung")
    without, with_it = (hartree_fock(t, "crystal", hexagon=5, tolerance=1e-11, stability="full")
                        for t in (bare, pinned(depth=0.0, rs=30.0)))
    assert with_it.energy == pytest.approx(without.energy, abs=1e-11)
    assert with_it.gap.hole == pytest.approx(without.gap.hole, abs=1e-8)
    assert with_it.stability.lowest_curvature == pytest.approx(without.stability.lowest_curvature, abs=1e-6)
    assert with_it.pressure == pytest.approx(without.pressure, abs=1e-10)


def test_a_weak_potential_costs_what_the_response_says() -> None:
    """Second order: E_2 = -sum_k sum_G n_k (1 - n_{k+G}) |V|^2/(e_{k+G} - e_k), that is chi_0(G) of the torus."""
    depth = 1e-3
    torus = pinned(1.0, 7, rs=2.0)
    free = hartree_fock(pinned(1.0, 7, depth=0.0, rs=2.0), "liquid", cutoff=6.0, **FREE)
    up, down = (hartree_fock(pinned(1.0, 7, depth=v, rs=2.0), "liquid", cutoff=6.0, terms=(Kinetic,), tolerance=1e-13)
                for v in (depth, -depth))  # odd orders cancel
    k = torus.box.reciprocal
    waves = np.array([(0, 0), (1, 0), (0, 1), (1, 1), (-1, 0), (0, -1), (-1, -1)])
    if np.linalg.norm(k[0] - k[1]) < np.linalg.norm(k[0] + k[1]):
        waves[[3, 6]] = (1, -1), (-1, 1)
    second = 0.0
    for g in np.concatenate([stars(torus), -stars(torus)]):
        for one in waves @ k:
            assert np.linalg.norm(waves @ k - one - g, axis=1).min() > 1e-6  # all of them are empty
            second -= depth**2 / (np.sum((one + g) ** 2) / 2 - np.sum(one**2) / 2)
    assert (up.energy + down.energy) / 2 - free.energy == pytest.approx(second, rel=2e-4)


def test_the_sum_of_second_order_becomes_lindhards_function() -> None:
    """Per area -3 |V|^2 2 |chi_0(G)|/2 with chi_0 = -(m/2 pi)(1 - sqrt(1 - (2 k_F/G)^2)) for G > 2 k_F, one flavour."""
    n, g = 1.0, 1.5 * np.sqrt(4 * np.pi * 1.0) * 2
    area = 4e4
    box = box_of_shape("square", area)
    reach = int(np.sqrt(4 * np.pi * n) / box.reciprocal[0, 0]) + 2
    i, j = np.meshgrid(*2 * [np.arange(-reach, reach + 1)], indexing="ij")
    k = np.stack([i.ravel(), j.ravel()], axis=1) @ box.reciprocal
    k = k[np.linalg.norm(k, axis=1) < np.sqrt(4 * np.pi * n)]
    total = np.sum(1 / (g * g / 2 + g * k[:, 0])) + np.sum(1 / (g * g / 2 - g * k[:, 0]))
    chi = (1 - np.sqrt(1 - (2 * np.sqrt(4 * np.pi * n) / g) ** 2)) / (2 * np.pi)
    assert total / area == pytest.approx(chi, rel=2e-3)


# crystals that it holds

def test_a_pinned_crystal_has_a_positive_lowest_mode_and_a_displaced_one_falls() -> None:
    """At the wells the translations are the softest modes, and positive; at the tops they lead down."""
    torus = pinned(1.0, 4, rs=40.0, depth=-2e-5)
    bare = hartree_fock(Torus(Bilayer.of(rs_hole=40, electrons_per_hole=0), holes=4, zero_mode="madelung"), "crystal",
                        hexagon=7, tolerance=1e-11, stability="full")
    held = hartree_fock(torus, "crystal", hexagon=7, tolerance=1e-11, stability="full")
    assert held.phase == "crystal" and held.stability.minimum
    assert 1e-5 < held.stability.within_kept_symmetry < 0.5 * bare.stability.within_kept_symmetry
    basis = PlaneWaveBasis(torus.box, held.data["waves"].values)
    sites = np.array([(i / 2, j / 2) for i in (0, 1) for j in (0, 1)]) @ torus.box.vectors
    # tops at the origin, where symmetry holds the crystal
    tops = replace(torus.bilayer, potential=replace(potential_of(torus), depth=2e-5))
    start = placed(torus, basis, {"hole": sites})
    fallen = hartree_fock(replace(torus, bilayer=tops), start, hexagon=7, tolerance=1e-10, stability="full",
                          max_iterations=300)
    assert fallen.status.value == "saddle" and fallen.stability.within_kept_symmetry < -1e-5


@pytest.mark.parametrize(("filling", "holes", "per_cell"), [(1.0, 4, 1), (1 / 3, 4, 1), (2.0, 8, 2)])
def test_the_box_and_its_cell_agree(filling: float, holes: int, per_cell: int) -> None:
    """Integer and fractional fillings; two holes per cell sit on a honeycomb."""
    torus = pinned(filling, holes, rs=8.0, depth=-0.02 if filling <= 1 else 0.05)
    box, cell = (hartree_fock(torus, "crystal", symmetry=s, holes_per_cell=per_cell, hexagon=7, tolerance=1e-10,
                              stability="none") for s in ("none", "crystal"))
    assert box.energy == pytest.approx(cell.energy, abs=1e-9)
    assert box.gap.hole == pytest.approx(cell.gap.hole, abs=1e-6)
    assert box.phase == cell.phase == "crystal" or filling == 2.0
    assert box.energy_parts["potential"] < -0.5 * holes * abs(potential_of(torus).amplitude(1))


def test_charges_reversed_with_the_potential_are_the_same() -> None:
    holes = pinned(1.0, 4, depth=-0.03, phase=20.0)
    electrons = Torus(Bilayer.of(rs_electron=4, electrons_per_hole=None, electron_flavours=2, potential={
        "filling": 1, "depth": 0.03, "phase": 20.0}), electrons=4, zero_mode="madelung", electron_spin="polarized")
    one, other = (hartree_fock(t, "crystal", symmetry="crystal", hexagon=5, tolerance=1e-11)
                  for t in (holes, electrons))
    assert one.energy == pytest.approx(other.energy, abs=1e-11)
    assert one.gap.hole == pytest.approx(other.gap.electron, abs=1e-9)


def test_pressure_is_the_slope_with_the_potential_stretched() -> None:
    torus = pinned(1.0, 4, depth=-0.02)
    found = hartree_fock(torus, "crystal", symmetry="crystal", hexagon=5, tolerance=1e-12)
    up, down = (hartree_fock(torus.scaled(s * torus.area), "crystal", symmetry="crystal", hexagon=5, tolerance=1e-12)
                for s in (1.001, 0.999))
    assert found.pressure == pytest.approx(-(up.energy - down.energy) / (0.002 * torus.area), rel=1e-5)


def test_the_energy_grows_by_its_mean() -> None:
    """Hellmann and Feynman: dE/dV = <V>/V."""
    low, middle, high = (hartree_fock(pinned(depth=-0.02 + t), "crystal", symmetry="crystal", hexagon=5,
                                      tolerance=1e-12, stability="none") for t in (-1e-4, 0.0, 1e-4))
    assert (high.energy - low.energy) / 2e-4 == pytest.approx(middle.energy_parts["potential"] / -0.02, rel=1e-5)


def test_two_layers_of_their_own_depths_and_many_points_at_once() -> None:
    """Each layer's energy by itself; a batch of depths is as its points are."""
    device = Bilayer.of(electron_mass=0.5, hole_mass=1.0, dielectric=1.0, spacing=1.0, rs_hole=4)
    tori = [Torus(replace(device, potential=Potential(period_of(1.0, device.carriers[1].density), depth_electron=e,
                                                      depth_hole=h)), holes=4, zero_mode="madelung",
                  electron_spin="polarized") for e, h in ((-0.05, 0.0), (0.0, -0.05))]
    single = [hartree_fock(t, "crystal", symmetry="crystal", hexagon=4, tolerance=1e-10, stability="none")
              for t in tori]
    basis = PlaneWaveBasis(tori[0].box, single[0].data["waves"].values, tori[0].bloch_cell(4))
    together = solve_batch(tori, basis, Options(tolerance=1e-10))
    np.testing.assert_allclose(together.energy_per_particle, [r.energy / 8 for r in single], atol=1e-9)
    assert single[0].energy != pytest.approx(single[1].energy, abs=1e-4)


def test_the_matrix_of_the_term_has_its_energy() -> None:
    """In both layers, in a crystal and in the box, whose energies come from the grid or from waves."""
    system = trions()
    potential = Potential(period_of(1.0, system.species[1].carrier.density), 0.3, phase=33.0)
    system = replace(system, bilayer=replace(system.bilayer, potential=potential))
    hamiltonian, frames = random_state(system, small_basis("crystal"))
    term = next(t for t in hamiltonian.terms if isinstance(t, External))
    state, mean = hamiltonian.state(frames), 0.0
    for c, filling in enumerate(hamiltonian.setting.fillings):
        matrix, x = term.operator(state, c).blocks(), np.asarray(frames[c])[0]
        mean += hamiltonian.setting.channels[c].degeneracy * sum(
            f * (vector.conj() @ matrix[block] @ vector).real
            for row, block in enumerate(filling.blocks) for f, vector in zip(filling.f[row], x[row], strict=True))
    assert mean == pytest.approx(float(term.act(state).energy[0]), rel=1e-10)


def test_bands_between_the_points_of_the_mesh_take_the_potential_along() -> None:
    torus = pinned(1.0, 9, depth=-0.1)
    found = hartree_fock(torus, "crystal", symmetry="crystal", hexagon=6, tolerance=1e-10)
    levels, mesh = found.data["levels_0"].values, found.data["mesh_k"].values
    hamiltonian, frames = _hamiltonian(torus, found)
    np.testing.assert_allclose(bands_at(hamiltonian, frames, 0, mesh)[:, :3], levels[:, :3], atol=1e-7)


def _hamiltonian(torus: Torus, found: Any) -> Any:
    from ehbilayer.hamiltonian import Hamiltonian
    from ehbilayer.numerics.fourier import Fourier
    from ehbilayer.terms import Setting

    basis = PlaneWaveBasis(torus.box, found.data["waves"].values, torus.bloch_cell(torus.sites))
    guess = found.orbitals.on(torus, basis)
    return Hamiltonian(Setting(basis, Fourier(), [torus], guess.fillings)), tuple(x[None] for x in guess.frames)


def test_the_picture_has_the_wells() -> None:
    """A carrier in every third well sits at its bottom, and dotted lines are around all of them."""
    found = hartree_fock(pinned(1 / 3, 4, rs=10.0, depth=-0.01), "crystal", symmetry="crystal", hexagon=6)
    density, v = found.data["density_hole"].values, found.data["potential_hole"].values
    assert v.min() == pytest.approx(-0.06, rel=1e-9) and v.mean() == pytest.approx(0.0, abs=1e-12)
    top = np.array(np.unravel_index(density.argmax(), density.shape)) / density.shape
    at = values(pinned(1 / 3, 4, rs=10.0, depth=-0.01), top @ found.data["cell"].values)
    assert at == pytest.approx(-0.06, abs=2e-3)
    axes = found.plot().axes
    assert any(type(c).__name__.endswith("ContourSet") for ax in axes for c in ax.collections)


# studies and refusals

MOIRE = {"kind": "hartree-fock", "bilayer": {"hole_mass": 0.45, "dielectric": 5.0},
         "potential": {"period": "8 nm", "filling": "1/3", "depth_hole": "-6 meV"},
         "density": {"electrons_per_hole": 0}, "cell": {"holes": 4, "hexagon": 4, "zero_mode": "madelung"}}


def test_period_and_filling_say_the_density() -> None:
    task = prepare(make_study(MOIRE))
    assert task.resolved["species"]["hole"]["density"] == pytest.approx(
        1 / 3 / (np.sqrt(0.75) * task.scales.to_atomic("8 nm", "length", "x") ** 2))
    with_density = {**MOIRE, "density": {"hole": "1e12 cm^-2", "electrons_per_hole": 0}}
    with pytest.raises(InputError, match=r"potential\.period"):
        prepare(make_study(with_density))
    only = {k: v for k, v in MOIRE["potential"].items() if k != "period"}  # type: ignore[attr-defined]
    prepare(make_study({**with_density, "potential": only}))


@pytest.mark.parametrize(("potential", "named"), [
    ({"period": "8 nm", "filling": 0}, "potential.filling"), ({"period": -3.0, "filling": 1}, "potential.period"),
    ({"period": "8 meV"}, "potential.period"), ({"filling": 1, "depth": "3 nm"}, "potential.depth"),
    ({"phase": 720.0, "filling": 1}, "potential.phase"), ({"depth": 1.0}, "potential.period"),
    ({"filling": 1, "lattice": "hexagonal"}, "potential.lattice"), ({"filing": 1}, "potential.filing"),
])
def test_what_cannot_be_is_refused_by_its_key(potential: dict[str, Any], named: str) -> None:
    density = {"electrons_per_hole": 0} | ({} if {"period", "filling"} <= set(potential) else {"rs_hole": 5.0})
    with pytest.raises(InputError) as refused:
        prepare(make_study({**MOIRE, "potential": potential, "density": density}))
    assert refused.value.argument == named


@pytest.mark.parametrize("kind", ["condensate", "liquid", "phases", "pairing", "device", "crystal", "phonons",
                                  "few-body", "compressibility", "monte-carlo", "thermal", "response", "gates"])
def test_other_kinds_refuse_it_by_name(kind: str) -> None:
    study = {"kind": kind, "bilayer": {"electron_mass": 0.5, "hole_mass": 1.0, "dielectric": 5.0, "spacing": 1.0},
             "potential": {"filling": 1, "depth": 0.1}, "density": {"rs_hole": 5.0, "electrons_per_hole": 1}}
    with pytest.raises(InputError, match="potential") as refused:
        prepare(make_study(study))
    assert kind in str(refused.value.must)


def test_methods_refuse_it_by_name() -> None:
    device = Bilayer.of(electron_mass=0.5, hole_mass=1.0, dielectric=5.0, spacing=1.0, rs_hole=5.0,
                        potential={"filling": 1, "depth": 0.1})
    torus = Torus(device, holes=4, zero_mode="madelung", electron_spin="polarized")
    calls: dict[str, tuple[Any, ...]] = {
        "condensate": (device,), "liquid": (device,), "pairing": (device,), "crystal": (device,), "few_body": (device,),
        "thermal": (device,), "response": (device,), "phonons": (device,), "device": (device,), "phases": (torus,),
        "monte_carlo": (torus,), "gates": (device,),
        "compressibility": (torus,)}
    for name, arguments in calls.items():
        with pytest.raises(InputError, match="potential"):
            getattr(ehbilayer, name)(*arguments)
    with pytest.raises(InputError, match="potential"):
        ehbilayer.condensate(torus)
