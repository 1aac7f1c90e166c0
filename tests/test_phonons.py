"""Phonons against published crystals, closed forms, scaling laws and brute-force sums over the zone."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.integrate import quad

import exact
from ehbilayer.crystal.relaxation import relax
from ehbilayer.crystal.structures import named
from ehbilayer.crystal.symmetry import identify
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.numerics.lattice import Cell, path_points
from ehbilayer.phonons.melting import displacements, groups, melting_lines, pair_up
from ehbilayer.phonons.modes import Phonons, classical_trion, sound
from ehbilayer.phonons.report import Options, compute, default_mesh, leave_saddle
from ehbilayer.phonons.zone import density_of_states, fluctuation, mesh, sample, softest, zone_rule
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.studies.phonons.table import rows

EQUAL, HEAVY = {"electron": 1.0, "hole": 1.0}, {"electron": 2.0, "hole": 1.0}
QUIET = Hooks()


def wigner():
    """The triangular crystal with a = r_s = 1: n = 1/pi."""
    return Phonons(named("triangular", 1 / np.pi, 0.0, 0), {"hole": 1.0})


def composite(name, a, masses=EQUAL, ratio=2):
    return Phonons(named(name, 1 / (np.pi * a * a), 1.0, ratio), masses)


# -- branches --


def test_wigner_crystal_has_the_published_sound_and_plasmon():
    law = sound(wigner())
    # Bonsall & Maradudin, PRB 15, 1959 (1977): c_t^2 = 0.138 e^2/(m a), a = 1/sqrt(pi n), the same in all directions
    assert law.slowest**2 == pytest.approx(0.138, abs=5e-4)
    assert law.fastest == pytest.approx(law.slowest, rel=1e-4)
    assert law.plasmon == pytest.approx(2, rel=1e-6)  # omega^2 = 2 pi n e^2 q / m with n = 1/pi
    assert law.expected == pytest.approx(2, rel=1e-12)


def test_squares_of_both_branches_add_up():
    """omega_L^2 + omega_T^2 of the triangular crystal, summed over the zone: the lattice sum of 1/R^3."""
    p = wigner()
    q, weight = zone_rule(p.cell, 40)
    n = np.arange(-400, 401)
    x, y = np.meshgrid(n, n)
    square = (x * x + x * y + y * y).astype(float) * np.sum(p.cell.vectors[0] ** 2)
    radius = 340 * math.sqrt(np.sum(p.cell.vectors[0] ** 2))
    inside = (square > 0) & (square < radius**2)
    cubes = np.sum(square[inside] ** -1.5) + 2 * np.pi / (p.crystal.area * radius)  # the rest as an integral
    assert weight @ p.squared(q).sum(axis=1) == pytest.approx(cubes, rel=1e-6)


@pytest.mark.parametrize(("name", "ratio"), [("triangular", 1), ("honeycomb", 2), ("checkerboard", 2)])
def test_hard_branch_is_the_vibration_of_the_dipole(name, ratio):
    """Far apart every dipole vibrates on its own: omega^2 = e^2/(mu d^3)."""
    p = composite(name, 40.0, HEAVY, ratio)
    mu = 2 / 3
    np.testing.assert_allclose(p.gamma[-2:], mu**-0.5, rtol=1e-3)


def test_soft_branch_softens_as_published():
    """Dai & Fu (2024), Fig. 2: omega_d goes as sqrt(d^2/(m a^5)) at small d/a.

    The factor: a dipole repels an electron with d^2/(2 r^3), whose Laplacian is 9 d^2/(2 r^5); half of its sum over the
    electrons around a dipole is the stiffness per direction, and the reduced mass is that of dipole and electron.
    """
    soft = [composite("honeycomb", a).gamma[2] * a**2.5 for a in (20.0, 40.0, 80.0)]
    once = [2 * soft[1] - soft[0], 2 * soft[2] - soft[1]]  # corrections go as d/a, then (d/a)^2
    limit = (4 * once[1] - once[0]) / 3
    unit = Cell(exact.TRIANGULAR).scaled(np.pi).vectors  # a = 1
    n = np.arange(-60, 61)
    sites = (np.stack(np.meshgrid(n, n), -1).reshape(-1, 2) + 1 / 3) @ unit
    stiffness = 9 / 4 * np.sum(np.linalg.norm(sites, axis=1) ** -5.0)
    assert limit == pytest.approx(math.sqrt(stiffness * (1 / 2 + 1 / 1)), rel=2e-4)


def test_frequencies_do_not_know_hbar():
    small = Phonons(named("honeycomb", 1 / (np.pi * 36), 1.0), HEAVY)
    large = Phonons(named("honeycomb", 1 / (np.pi * 900), 5.0), HEAVY)
    np.testing.assert_allclose(large.gamma * 5**1.5, small.gamma, atol=1e-9)


@pytest.mark.parametrize(("a", "stable"), [(5.06106, True), (5.06110, False)])
def test_slightly_negative_sound_is_seen(a, stable):
    """The checkerboard shears at a/d = 5.061078 (`test_crystal_sequence`: from its energy against the angle)."""
    p = composite("checkerboard", a)
    assert softest(p, sample(p, 8)).stable is stable


@pytest.mark.parametrize("a", [6.0, 20.0])
def test_plasmon_of_soft_crystals(a):
    """omega^2 = 2 pi Q^2 q/(A M), also where it soon mixes with soft optical branches."""
    law = sound(composite("honeycomb", a, HEAVY))
    assert law.plasmon == pytest.approx(law.expected, rel=2e-5)


def test_exchanging_electrons_and_holes_changes_nothing():
    """Half an electron per hole: the composite crystals of two, with both exchanged."""
    one = composite("honeycomb", 6.0, {"electron": 2.0, "hole": 1.0})
    other = composite("honeycomb", 6.0 / math.sqrt(2), {"electron": 1.0, "hole": 2.0}, 0.5)
    assert other.crystal.holes == 2 and other.crystal.electrons == 1
    assert identify(other.crystal).label == "honeycomb"
    assert other.crystal.area == pytest.approx(one.crystal.area)
    np.testing.assert_allclose(other.gamma, one.gamma, atol=1e-10)


def test_neutral_crystal_has_two_sounds():
    law = sound(composite("triangular", 6.0, EQUAL, 1))
    assert law.expected == 0 and law.plasmon == 0
    assert law.longitudinal > 2 * law.slowest > 0


def test_group_velocities_are_slopes():
    p = composite("honeycomb", 6.0, HEAVY)
    q, h = np.array([[0.11, 0.05], [-0.2, 0.13]]), 1e-5
    v = p.velocities(q)
    for c in range(2):
        step = h * np.eye(2)[c]
        slope = (p.frequencies(q + step) - p.frequencies(q - step)) / (2 * h)
        np.testing.assert_allclose(v[..., c], slope, rtol=1e-5, atol=1e-8)
    assert np.isnan(p.velocities(np.zeros((1, 2)))[0, :2]).all()


@pytest.mark.parametrize(("cell", "names"), [
    (exact.TRIANGULAR, "ΓKMΓ"), (exact.SQUARE, "ΓXMΓ"), (np.diag([1.0, 1.4]), "ΓXSYΓ")])
def test_path_runs_along_symmetric_lines(cell, names):
    q, where, marks = path_points(Cell(cell), 10)
    assert "".join(name for _, name in marks) == names
    np.testing.assert_allclose(np.linalg.norm(np.diff(q, axis=0), axis=1), np.diff(where), atol=1e-12)
    # the named points between are fixed by symmetry: omega has no slope there (K: sum of the slopes)
    p = Phonons(named("triangular", 1.0, 0.0, 0), {"hole": 1.0}) if names == "ΓKMΓ" else None
    if p is not None:
        q, _, _ = path_points(p.cell, 10)
        np.testing.assert_allclose(p.velocities(q[10:11]).sum(axis=1), 0, atol=1e-9)
        np.testing.assert_allclose(p.velocities(q[20:21]), 0, atol=1e-9)


# -- the zone --


def test_zone_rule_averages_smooth_and_singular_functions():
    cell = Cell(np.array([[1.0, 0.0], [0.3, 1.2]]))
    q, weight = zone_rule(cell, 27)
    assert weight.sum() == pytest.approx(1, abs=1e-12)
    phase = q @ cell.vectors.T
    assert weight @ np.cos(phase[:, 0]) == pytest.approx(0, abs=1e-7)
    assert weight @ np.cos(phase[:, 0] + 2 * phase[:, 1]) == pytest.approx(0, abs=1e-7)
    square = Cell(np.eye(2) * 2 * np.pi)  # q in [-1/2, 1/2]^2: the mean of 1/q is 4 asinh(1)
    q, weight = zone_rule(square, 27)
    assert weight @ (1 / np.linalg.norm(q, axis=1)) == pytest.approx(4 * math.asinh(1), rel=1e-9)
    around = quad(lambda angle: math.cos(angle) ** -1.5, 0, math.pi / 4)[0]
    assert weight @ np.linalg.norm(q, axis=1) ** -0.5 == pytest.approx(8 * 2 / 3 * 0.5**1.5 * around, rel=1e-6)


def test_displacements_agree_with_plain_meshes():
    p = wigner()
    motion = fluctuation(p)
    assert motion.converged and motion.error < 1e-6
    plain = []
    for n in (24, 48, 96):
        shifted = mesh(p.cell, n).reshape(-1, 2) + p.cell.reciprocal.sum(axis=0) / (2 * n)
        plain.append(0.5 * np.sum(1 / p.frequencies(shifted), axis=1).mean())
    once = [2 * plain[1] - plain[0], 2 * plain[2] - plain[1]]  # 1/n: sound
    twice = (2**1.5 * once[1] - once[0]) / (2**1.5 - 1)  # n^{-3/2}: plasmon
    assert motion.square[0] == pytest.approx(twice, rel=1e-4)


def test_zero_point_energy_of_the_wigner_crystal():
    # Drummond & Needs, PRL 102, 126402 (2009): E = -1.106103/r_s + 0.814/r_s^{3/2} + ..
    assert fluctuation(wigner()).energy == pytest.approx(0.814, abs=5e-4)


def test_density_of_states_counts_all_modes():
    p = composite("honeycomb", 6.0)
    edges, density = density_of_states(sample(p, 24))
    assert np.sum(density * np.diff(edges)) == pytest.approx(6, abs=1e-9)
    hard = edges[:-1] > 1
    assert np.sum((density * np.diff(edges))[hard]) == pytest.approx(2, abs=1e-9)
    omega = p.frequencies(mesh(p.cell, 60).reshape(-1, 2) + 1e-3)
    below = np.append(0, np.cumsum(density * np.diff(edges)))
    for cut in (0.01, 0.02, 0.05):  # against counting on a finer mesh
        assert np.interp(cut, edges, below) == pytest.approx(np.mean(omega < cut) * 6, abs=0.03)


@pytest.mark.parametrize(("name", "a", "stable"), [("honeycomb", 6.0, True), ("honeycomb", 3.0, False),
                                                   ("checkerboard", 3.0, True), ("checkerboard", 8.0, False),
                                                   ("checkerboard", 1.0, False), ("honeycomb", 40.0, True)])
def test_stability_over_the_whole_zone(name, a, stable):
    p = composite(name, a)
    found = softest(p, sample(p, 16))
    assert found.stable is stable
    assert (found.frequency < 0) is not stable
    if not stable:
        assert p.frequencies(found.at[None])[0, 0] == pytest.approx(found.frequency, rel=1e-6)
        assert p.frequencies(mesh(p.cell, 30).reshape(-1, 2)).min() >= found.frequency - 1e-9
        assert fluctuation(p) is None


# -- melting --


def test_dipoles_are_found_across_the_edge_of_the_cell():
    crystal = named("honeycomb", 1 / (np.pi * 36), 1.0)
    shifted = crystal.moved(crystal.vectors, crystal.positions + np.array([[0, 0], [0.1, 0], [0, 0]])
                            + np.array([[0, 0], [1, 0], [0, 0]]) @ crystal.vectors)
    paired, dipoles = pair_up(shifted)
    assert dipoles.tolist() == [[0, 1]]
    np.testing.assert_allclose(paired.positions[1] - paired.positions[0], [0.1, 0], atol=1e-12)
    assert len(pair_up(named("trion-crystal", 1 / (np.pi * 36), 0.5))[1]) == 0
    assert len(pair_up(named("triangular", 1.0, 0.0, 0))[1]) == 0


def test_displacement_of_a_dipole_is_that_of_its_centre():
    p = composite("honeycomb", 6.0, HEAVY)
    crystal, dipoles = pair_up(p.crystal)
    motion = fluctuation(p)
    found = groups(crystal, dipoles, HEAVY)
    lattice = float(np.linalg.norm(p.cell.vectors[0]))
    assert {k: round(g.neighbour / lattice, 9) for k, g in found.items()} == {
        "electron": round(1 / math.sqrt(3), 9), "hole": 1, "dipole": 1, "free_electron": 1}
    size = displacements(crystal, found, motion, HEAVY)
    # centre of mass and relative motion, the latter 1/(2 mu omega) per direction: omega of the hard branches is flat
    relative = 2 * 1 / (2 * (2 / 3) * p.gamma[-1])
    share = 2 / 3  # of the separation, on the light hole's side
    assert size["hole"] ** 2 == pytest.approx(size["dipole"] ** 2 + share**2 * relative, rel=0.01)
    assert size["free_electron"] ** 2 == pytest.approx(motion.square[2], rel=1e-12)
    assert size["electron"] ** 2 == pytest.approx((motion.square[1] + motion.square[2]) / 2, rel=1e-12)


def test_melting_lines_are_where_the_ratio_is_the_threshold():
    lines = melting_lines(lambda x: named("honeycomb", 1 / (np.pi * x * x), 1.0), np.array([3.0, 6.0]), HEAVY, 0.2)
    assert np.isnan(lines.spacing("dipole")[0])  # unstable
    for name in ("dipole", "free_electron", "hole"):
        d = float(lines.spacing(name)[1])
        assert lines.length(name)[1] == pytest.approx(6 * d)
        crystal, dipoles = pair_up(named("honeycomb", 1 / (np.pi * (6 * d) ** 2), d))
        found = groups(crystal, dipoles, HEAVY)
        size = displacements(crystal, found, fluctuation(Phonons(crystal, HEAVY), 1e-4), HEAVY)
        assert size[name] / found[name].neighbour == pytest.approx(0.2, rel=1e-4)


@pytest.mark.parametrize("bad", [[0.0], [-1.0], [np.nan]])
def test_melting_lines_refuse_bad_values(bad):
    with pytest.raises(InputError, match="a_over_d"):
        melting_lines(lambda x: named("honeycomb", 1.0, 1.0), np.array(bad), EQUAL)


# -- the trion --


def test_classical_trion_is_the_published_saddle():
    trion = classical_trion(3.0, 2.0, 1.0)
    assert trion.radius / 3 == pytest.approx(0.811, abs=5e-4)  # Dai & Fu (2024), three-body problem
    assert trion.energy * 3 == pytest.approx(-0.937, abs=5e-4)
    size = np.abs(trion.squared).max()
    assert np.sum(trion.squared < -1e-12 * size) == 1
    assert np.sum(np.abs(trion.squared) < 1e-12 * size) == 3


def test_trion_crystal_at_low_density_vibrates_as_one_trion():
    crystal = relax(named("trion-crystal", 1 / (np.pi * 30**2), 1.0), "positions").crystal
    alone = classical_trion(1.0).squared
    found = Phonons(crystal, EQUAL).squared(np.array([[0.02, 0.01]]))[0]
    np.testing.assert_allclose(found, alone, atol=2e-3)


def test_following_the_saddle_leads_to_a_composite_crystal():
    start = relax(named("trion-crystal", 1 / (np.pi * 16), 1.0), "positions").crystal
    result = compute(start, EQUAL, Options(follow=True, quantum=False, mesh=8), QUIET)
    assert result.status is Status.converged and result.summary["stable"] is False
    end = result.summary["followed"]
    assert end["structure"] == "checkerboard" and end["dipoles_per_hole"] == 1 and end["stable"]
    assert end["energy_per_hole"] < result.summary["energy_per_hole"] - 0.05


def test_a_saddle_is_left_in_a_cell_that_holds_the_wave():
    p = composite("checkerboard", 8.0)  # unstable at the edge of the zone
    start, cells = leave_saddle(p, 0.05)
    assert cells == 2 and len(start.species) == 12
    assert relax(start, "positions").energy / 4 < relax(p.crystal, "none").energy - 1e-6


# -- results --


def test_result_holds_the_contract_and_survives_the_file(tmp_path):
    result = compute(named("honeycomb", 1 / (np.pi * 30**2), 5.0), HEAVY, Options(mesh=12), QUIET)
    assert result.status is Status.converged
    s = result.summary
    assert s["length_unit"] == "d" and len(s["gamma_frequencies"]) == 6 and s["stable"] is True
    assert s["gamma_frequencies"] == sorted(s["gamma_frequencies"])
    assert s["gamma_frequencies"][-1] == pytest.approx(1.2211, abs=1e-4)
    assert s["zero_point_energy_per_hole"] > 0 and s["zero_point_error"] < 1e-6
    for name in ("electron", "hole", "dipole", "free_electron"):
        assert s["lindemann"][name] == pytest.approx(s["rms_displacement"][name] / s["neighbour_distance"][name])
        assert s["melts"][name] is (s["lindemann"][name] > 0.25)
        assert s["melting"][name]["spacing"] == pytest.approx(5 * (s["lindemann"][name] / 0.25) ** 4)
    result.save(tmp_path / "result.nc")
    again = Result.load(tmp_path / "result.nc")
    np.testing.assert_array_equal(again.data["frequencies"].values, result.data["frequencies"].values)
    json.dumps(again.summary)


def test_one_layer_is_measured_in_a():
    result = compute(named("triangular", 1 / (np.pi * 49), 0.0, 0), {"hole": 1.0}, Options(mesh=8), QUIET)
    s = result.summary
    assert s["length_unit"] == "a" and s["length_unit_a_h"] == pytest.approx(7)
    assert s["energy_per_hole"] == pytest.approx(exact.LATTICES[0].energy_rs, abs=1e-6)
    assert s["lindemann"]["electron"] is None and s["lindemann"]["hole"] > 0
    assert s["melting"]["hole"]["a"] == pytest.approx(65.27, abs=0.01)


def test_a_crystal_that_is_not_at_rest_is_said_so():
    crystal = named("honeycomb", 1 / (np.pi * 36), 1.0)
    pushed = crystal.moved(crystal.vectors, crystal.positions + np.array([[0, 0], [0, 0], [0.05, 0.1]]))
    assert compute(pushed, EQUAL, Options(mesh=6, tolerance=1e-2), QUIET).status is Status.not_converged


def test_stopping_keeps_what_there_is():
    hooks = Hooks(should_stop=lambda: Status.timeout)
    result = compute(named("honeycomb", 1 / (np.pi * 36), 1.0), EQUAL, Options(), hooks)
    assert result.status is Status.timeout and "frequencies" in result.data
    assert any(label == "energy/hole" for label, _ in rows(result))


def test_larger_cells_have_smaller_meshes():
    assert default_mesh(1) == default_mesh(3) == 48 and default_mesh(12) == 24 and default_mesh(10_000) == 6


def test_a_mass_is_needed():
    with pytest.raises(InputError, match=r"masses\.electron"):
        Phonons(named("honeycomb", 1.0, 1.0), {"hole": 1.0})


# -- published --


@pytest.mark.published
def test_harmonic_ratios_at_the_melting_of_quantum_monte_carlo():
    """What the harmonic ratio is where quantum Monte Carlo melts the crystals: 0.26 for dipoles, 0.29 to 0.30."""
    lines = melting_lines(lambda x: named("triangular", 1 / (np.pi * x * x), 1.0, 1), np.array([20.0, 30.0]), EQUAL)
    for a, strength in zip(lines.a_over_d, lines.strength["dipole"], strict=True):
        # n r_0^2 = 290(30) with r_0 = M d^2/a_h, M = 2 (Astrakharchik et al., PRL 98, 060405 (2007))
        d = math.sqrt(290 * math.pi) * a / 2
        assert strength * d**-0.25 == pytest.approx(0.263, abs=0.003)
    p = wigner()
    crystal = p.crystal
    ratio = math.sqrt(fluctuation(p).square[0]) / groups(crystal, pair_up(crystal)[1], {"hole": 1.0})["hole"].neighbour
    # r_s = 37(5): Tanatar & Ceperley, PRB 39, 5005 (1989); 31(1): Drummond & Needs, PRL 102, 126402 (2009)
    assert ratio * 37**-0.25 == pytest.approx(0.288, abs=0.001)
    assert ratio * 31**-0.25 == pytest.approx(0.301, abs=0.001)


@pytest.mark.published
@pytest.mark.parametrize(("name", "unstable", "stable"), [
    ("honeycomb", 3.77321, 3.77324), ("checkerboard", 1.28909, 1.28911), ("checkerboard", 5.06110, 5.06106)])
def test_composite_crystals_are_stable_in_a_window(name, unstable, stable):
    """By sound and at the zone's edge; where a strain of the cell costs nothing: a/d = 3.773225 and 5.061078.

    The checkerboard shears before the published crossing with the honeycomb, a/d = 5.4224 (Dai & Fu, Fig. 1)."""
    for a, expected in ((unstable, False), (stable, True)):
        p = composite(name, a)
        assert softest(p, sample(p, 24)).stable is expected


@pytest.mark.published
@pytest.mark.parametrize("masses", [EQUAL, HEAVY])
def test_melting_goes_as_published(masses):
    """Dai & Fu: dipoles melt at a_B of the order d^2/a, electrons at a_B of the order a, at small d/a."""
    lines = melting_lines(lambda x: named("honeycomb", 1 / (np.pi * x * x), 1.0), np.array([12.0, 20.0, 30.0]), masses)
    dipoles = lines.length("dipole") / lines.spacing("dipole") ** 2  # a_h = this times d^2/a
    assert np.all(np.abs(np.diff(np.log(dipoles))) < 0.15) and 0.3 < dipoles[-1] < 1
    electrons = lines.length("free_electron")
    assert np.all(np.abs(np.diff(np.log(electrons))) < 0.05)
    # two electrons per hole: half of the electrons are free, on the triangular lattice of a
    assert electrons[-1] * masses["electron"] == pytest.approx(65.3, rel=0.1)
