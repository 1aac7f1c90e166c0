"""Whole calculations on small systems, against exact cases and against each other."""

from dataclasses import replace

import numpy as np
import pytest

import exact
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import hexagon_waves, rectangle_waves
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.cutoff import basis_error
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.model import Bilayer
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.status import Status
from ehbilayer.torus import Torus
from systems import Species, random_state, small_basis, torus_of, triangular_basis, trions

QUICK = Options(start="trion-crystal", tolerance=1e-12, stability="none")
ONE = How(threads=1)


@pytest.fixture(scope="module")
def pair():
    """The trion crystal of 16 holes as a free box and as a k mesh."""
    torus = trions(16)
    kinds = ("box", "crystal")
    return [solve(torus, small_basis(k, 16, waves=(21, 17)), QUICK, how=ONE) for k in kinds]


def test_box_and_crystal_are_two_views_of_one_state(pair):
    box, crystal = (r.summary for r in pair)
    assert box["status"] if "status" in box else True
    assert all(r.status is Status.converged for r in pair)
    assert box["energy"] == pytest.approx(crystal["energy"], abs=1e-10)
    assert box["pressure"] == pytest.approx(crystal["pressure"], rel=1e-7)
    for species in ("electron", "hole"):
        assert box["gap"][species] == pytest.approx(crystal["gap"][species], abs=1e-6)
        assert box["momentum_variance"][species] == pytest.approx(crystal["momentum_variance"][species], rel=1e-6)
    for part in ("kinetic", "direct", "exchange"):
        assert box["energy_parts"][part] == pytest.approx(crystal["energy_parts"][part], abs=1e-5)
    assert crystal["phase"] == box["phase"] == "trion-crystal"
    assert (box["kept_symmetry"], crystal["kept_symmetry"]) == ("none", "crystal")


def test_densities_integrate_to_the_particle_number(pair):
    for result in pair:
        area = abs(np.linalg.det(result.data["cell"].values))
        cells = result.summary["area"] / area
        for species, count in (("electron", 32), ("hole", 16)):
            density = result.data[f"density_{species}"].values
            assert density.mean() * area * cells == pytest.approx(count, rel=1e-10)
            assert density.min() > -1e-6 * density.max()
            n_k = result.data[f"momentum_{species}"].values
            assert n_k.sum() == pytest.approx(count, rel=1e-10)


def test_unfolded_box_levels_lie_on_one_k_each(pair):
    weight = pair[0].data["unfolded_weight_1"].values[:16]
    assert np.allclose(weight.sum(axis=1), 1)
    assert np.count_nonzero(weight.max(axis=1) > 0.99) >= 1  # Gamma is alone
    assert np.all(np.sort(weight, axis=1)[:, -4:].sum(axis=1) > 0.99)  # cos and sin share a degenerate star


def test_pressure_is_the_derivative_of_the_converged_energy():
    torus = trions(4, zero_mode="madelung", capacitor=True)
    basis = small_basis("crystal")
    h, energies = 1e-3, []
    for scale in (1 + h, 1 - h):
        there = torus.scaled(torus.area * scale)
        moved = PlaneWaveBasis(there.box, basis.waves, basis.supercell)
        energies.append(solve(there, moved, QUICK, how=ONE).summary["energy"])
    slope = (energies[0] - energies[1]) / (2 * h * torus.area)
    assert solve(torus, basis, QUICK, how=ONE).summary["pressure"] == pytest.approx(-slope, rel=1e-5)


@pytest.mark.parametrize("gas", exact.GASES, ids=lambda g: g.name)
def test_uniform_gas_tends_to_the_textbook_energy(gas):
    """Closed shells of growing tori with the Madelung term approach the formula; the error is small and falls."""
    errors = []
    for per_flavour in (37, 121):
        count = per_flavour * gas.flavours
        spin = "restricted" if gas.flavours == 2 else "polarized"
        basis = triangular_basis(count, 2.0, 14, crystal=False)
        torus = torus_of((Species("hole", 1, 1.0, 0, count, spin=spin),), 0.0, "madelung", box=basis.box)
        result = solve(torus, basis, Options(start="liquid", keep="translations", stability="none"), how=ONE)
        assert result.summary["phase"] == "liquid"
        errors.append(abs(result.summary["energy_per_particle"] - gas.energy(2.0)))
    assert errors[1] < 3e-3
    assert errors[1] / errors[0] == pytest.approx(37 / 121, rel=0.4)  # what the Madelung term leaves falls as 1/N


@pytest.mark.parametrize("species", [
    (Species("hole", 1, 1.0, 1, 4),), (Species("electron", -1, 2.0, 0, 4),),
    (Species("electron", -1, 2.0, 0, 2), Species("hole", 1, 1.0, 1, 4)),
    (Species("electron", -1, 2.0, 0, 0), Species("hole", 1, 1.0, 1, 4)),
    (Species("electron", -1, 2.0, 0, 4, spin="unrestricted"), Species("hole", 1, 1.0, 1, 4, spin="unrestricted")),
    (Species("electron", -1, 0.5, 0, 6, flavours=3, spin="restricted"), Species("hole", 1, 1.0, 1, 2)),
])
@pytest.mark.parametrize("start", ["crystal", "random", "liquid"])
def test_any_list_of_species_converges_in_a_free_box(species, start):
    basis = small_basis("box", rs=6.0)
    result = solve(torus_of(species, 3.0, "madelung", box=basis.box), basis,
                   Options(start=start, tolerance=1e-6, stability="none"), how=ONE)
    assert result.status is Status.converged
    assert result.summary["energy"] < 0
    assert set(result.summary["gap"]) >= {"electron", "hole"}


def test_a_state_with_more_bands_than_a_block_has_waves_moves_to_a_larger_basis():
    """At Gamma this basis has one wave, while other k points hold two electrons: its spare band is of no waves."""
    basis = triangular_basis(36, 8.0, 5)
    torus = torus_of((Species("electron", -1, 0.125, 0, 36, spin="polarized"), Species("hole", 1, 1.0, 1, 36)), 1.0,
                     "none", box=basis.box)
    small = solve(torus, basis, replace(QUICK, start="crystal"), how=ONE)
    assert np.linalg.norm(small.data["orbitals_0"].values, axis=1).min() == 0
    large = solve(torus, triangular_basis(36, 8.0, 7), replace(QUICK, start="path"), initial=small.orbitals,
                  how=ONE)
    assert large.status is Status.converged and large.energy < small.energy


@pytest.mark.parametrize("steps", [6, 8])
def test_basis_error_is_what_a_converged_larger_basis_gains(steps):
    basis, larger = triangular_basis(16, 12.0, steps), triangular_basis(16, 12.0, 16)
    torus = torus_of((Species("hole", 1, 1.0, 0, 16),), 0.0, "none", box=basis.box)
    small, large = (solve(torus, b, replace(QUICK, start="crystal", tolerance=1e-9), how=ONE)
                    for b in (basis, larger))
    true = small.energy - large.energy
    assert 0.8 * true < basis_error(torus, basis, small) < 1.01 * true + 1e-7


def test_basis_error_of_a_liquid_is_nothing():
    torus = replace(trions(16), shape="triangular")
    liquid = solve(torus, triangular_basis(16, 8.0, 6), replace(QUICK, start="liquid", keep="translations"),
                   how=ONE)
    assert basis_error(torus, triangular_basis(16, 8.0, 6), liquid) == pytest.approx(0, abs=1e-10)


def test_restart_converges_at_once_and_moves_between_views(pair):
    again = solve(trions(16), small_basis("box", 16, waves=(21, 17)), replace(QUICK, start="path"),
                  initial=pair[1].orbitals, how=ONE)
    assert again.summary["iterations"] <= 6
    assert again.summary["energy"] == pytest.approx(pair[0].summary["energy"], abs=1e-10)
    there = trions(16, rs=8.2)
    larger = solve(there, small_basis("crystal", 16, rs=8.2, waves=(25, 21)), replace(QUICK, start="path"),
                   initial=pair[1].orbitals, how=ONE)
    fresh = solve(there, small_basis("crystal", 16, rs=8.2, waves=(25, 21)), QUICK, how=ONE)
    assert larger.summary["energy"] == pytest.approx(fresh.summary["energy"], abs=1e-9)
    assert larger.summary["iterations"] < fresh.summary["iterations"]


def test_a_box_starts_a_crystal_where_it_has_its_translations():
    """From noise restricted trions become the crystal, polarised electrons a state of lower symmetry."""
    random = replace(QUICK, start="random", tolerance=1e-4)
    crystal = solve(trions(4), small_basis("crystal"), QUICK, how=ONE)
    box = solve(trions(4), small_basis("box"), random, how=ONE)
    again = solve(trions(4), small_basis("crystal"), replace(QUICK, start="path"), initial=box.orbitals, how=ONE)
    assert again.energy == pytest.approx(crystal.energy, abs=1e-9)
    assert again.summary["iterations"] < crystal.summary["iterations"]
    torus = trions(4, spin="polarized")
    box = solve(torus, small_basis("box"), random, how=ONE)
    with pytest.raises(InputError, match="translations of the cell"):
        solve(torus, small_basis("crystal"), replace(QUICK, start="path"), initial=box.orbitals, how=ONE)


def metal(zero_mode):
    """Light restricted electrons on a crystal of 16 holes."""
    return torus_of((Species("electron", -1, 0.1, 0, 16, spin="restricted"), Species("hole", 1, 1.0, 1, 16)), 1.0,
                    zero_mode, box=triangular_basis(16, 7.0, 7).box)


@pytest.mark.parametrize(("mass", "spacing", "density", "start"), [
    (0.25, 1.0, 0.008, "crystal"), (0.5, 3.0, 0.03, "crystal"), (1.0, 1.0, 0.05, "electron-crystal"),
    (0.1, 0.3, 0.02, "crystal")])
def test_whole_orbitals_are_filled_alike_in_both_conventions(mass, spacing, density, start):
    """The energies differ by N v(0)/2 for each carrier; `madelung` once ended up to 6e-3 per hole above that."""
    energy = {}
    for zero_mode in ("none", "madelung"):
        model = Bilayer.of(spacing=spacing, hole_density=density, electron_mass=mass, hole_mass=1.0)
        torus = Torus(model, 36, zero_mode=zero_mode, electron_spin="polarized", hole_spin="polarized")
        basis = PlaneWaveBasis(torus.box, hexagon_waves(torus.box, 5), crystal_cell(torus.box, 36))
        energy[zero_mode] = solve(torus, basis, Options(start=start, stability="none"), ONE).energy
    constant = 36 * model.interaction.zero_mode(torus.box.vectors, 0, 0)
    assert energy["madelung"] + constant == pytest.approx(energy["none"], abs=1e-7)


def test_metal_fills_the_lowest_levels_and_reports_no_gap():
    result = solve(metal("none"), triangular_basis(16, 7.0, 7),
                   Options(start="hole-crystal", occupation="shell", stability="none"), how=ONE)
    assert result.status is Status.converged
    assert result.summary["phase"] == "hole-crystal"
    assert result.summary["gap"]["electron"] == 0
    assert result.summary["gap"]["hole"] > 0
    assert result.summary["aufbau"]
    levels, filled = result.data["levels_0"].values, result.data["filled_0"].values
    assert filled.sum() == pytest.approx(8)
    known = np.isfinite(levels)
    assert levels[known & (filled > 1e-6)].max() <= levels[known & (filled < 1 - 1e-6)].min() + 1e-6


def test_starts_are_all_listed_and_the_best_is_kept():
    result = solve(trions(4), small_basis("box"), Options(start="random", starts=3, tolerance=1e-6, stability="none"),
                   how=ONE)
    rows = result.summary["starts"]
    assert [r["seed"] for r in rows] == [0, 1, 2]
    assert result.summary["energy"] == min(r["energy"] for r in rows)


def test_same_seed_gives_the_same_bits():
    options = Options(start="random", seed=5, tolerance=1e-6, stability="none")
    a, b = (solve(trions(4), small_basis("box"), options, how=ONE) for _ in range(2))
    assert a.summary["energy"] == b.summary["energy"]
    assert np.array_equal(a.data["orbitals_0"].values, b.data["orbitals_0"].values)
    two = solve(trions(4), small_basis("box"), options, How(threads=2))
    assert two.summary["energy"] == pytest.approx(a.summary["energy"], abs=1e-9)


def test_stopping_keeps_the_state_and_resume_finishes(tmp_path):
    seen = []
    options = Options(start="random", starts=3, tolerance=1e-8, stability="none")

    def stop():
        return Status.interrupted if len(seen) and seen[-1]["start"] == 2 and seen[-1]["iteration"] == 3 else None

    cut = solve(trions(4), small_basis("box"), options, How(threads=1, progress=seen.append, should_stop=stop))
    assert cut.status in (Status.interrupted, Status.converged)
    assert [r["status"] for r in cut.summary["starts"]] == ["converged", "interrupted"]
    cut = replace(cut, status=Status.interrupted)
    cut.save(tmp_path / "cut.nc")
    kept = type(cut).load(tmp_path / "cut.nc")
    again = solve(trions(4), small_basis("box"), options, initial=kept.orbitals, unfinished=kept, how=ONE)
    whole = solve(trions(4), small_basis("box"), options, how=ONE)
    assert [r["seed"] for r in again.summary["starts"]] == [0, 1, 2]
    assert [r["energy"] for r in again.summary["starts"]] == pytest.approx(
        [r["energy"] for r in whole.summary["starts"]], abs=1e-9)
    assert again.summary["energy"] == pytest.approx(whole.summary["energy"], abs=1e-9)


def test_not_converged_says_so():
    options = Options(start="random", max_iterations=3, stability="none")
    result = solve(trions(4), small_basis("box"), options, how=ONE)
    assert result.status is Status.not_converged
    with pytest.raises(RuntimeError):
        _ = result.energy


def test_spin_orders_place_flavours_differently():
    basis = small_basis("box", 16, rs=20.0, waves=(17, 15))
    torus = torus_of((Species("hole", 1, 1.0, 0, 16, spin="unrestricted"),), 0.0, "none", box=basis.box)
    stripe = solve(torus, basis,
                   Options(start="crystal", spin_order="stripe", tolerance=1e-6, stability="none"), how=ONE)
    spin = stripe.data["spin_density_hole"].values
    assert np.abs(spin).max() > 0.5 * stripe.data["density_hole"].values.max()
    assert abs(spin.mean()) < 1e-6 * np.abs(spin).max()


def test_basis_follows_from_the_tolerance():
    from ehbilayer.basis.waves import waves_for_tolerance

    torus, coarse = trions(4), small_basis("crystal")
    basis = PlaneWaveBasis(torus.box, waves_for_tolerance(torus, 1e-6), coarse.supercell)
    result = solve(torus, basis, replace(QUICK, tolerance=1e-6, basis_tolerance=1e-6), how=ONE)
    assert result.status is Status.converged
    assert result.summary["basis_error"] < 1e-6
    reference = solve(torus, PlaneWaveBasis(torus.box, rectangle_waves(31, 27), coarse.supercell), QUICK, how=ONE)
    assert result.summary["energy_per_particle"] == pytest.approx(reference.summary["energy_per_particle"], abs=1e-6)


@pytest.mark.parametrize(("change", "match"), [
    ({"start": "solid"}, "start"), ({"keep": "all"}, "keep"), ({"tolerance": 0.0}, "tolerance"),
    ({"occupation": "thermal"}, "occupation"), ({"starts": 0}, "starts")])
def test_bad_options_are_refused(change, match):
    with pytest.raises(InputError, match=match):
        solve(trions(4), small_basis("box"), replace(QUICK, **change))


def test_a_basis_too_small_is_refused():
    with pytest.raises(InputError, match="at least 16 waves"):
        solve(trions(16), small_basis("box", 16, waves=(3, 3)), QUICK)


@pytest.mark.parametrize("waves", [(13, 11), (41, 37)])  # the larger box converges on a coarse grid first
def test_a_stop_keeps_what_was_reached(waves):
    seen = []

    def stop():
        return Status.timeout if len(seen) > 12 else None

    cut = solve(trions(4), small_basis("box", waves=waves), Options(start="random", stability="none"),
                How(threads=1, progress=seen.append, should_stop=stop))
    assert cut.status is Status.timeout
    assert cut.summary["energy"] == pytest.approx(seen[-1]["energy"], abs=1e-6)
    assert cut.summary["energy"] < seen[0]["energy"] - 0.1


def test_a_stop_in_a_later_start_is_not_called_converged_and_can_be_resumed():
    seen = []
    options = Options(start="random", starts=3, stability="none")

    def stop():
        return Status.timeout if seen and seen[-1]["start"] == 2 and seen[-1]["iteration"] > 3 else None

    cut = solve(trions(4), small_basis("box"), options, How(threads=1, progress=seen.append, should_stop=stop))
    assert cut.status is Status.timeout
    done = solve(trions(4), small_basis("box"), options, initial=cut.orbitals, unfinished=cut, how=ONE)
    assert done.status is Status.converged
    assert sorted(r["seed"] for r in done.summary["starts"]) == [0, 1, 2]
    other = solve(trions(4, rs=9.0), small_basis("box", rs=9.0), options, initial=cut.orbitals,  # not resumed
                  how=ONE)
    assert len({r["energy"] for r in other.summary["starts"]} & {r["energy"] for r in cut.summary["starts"]}) == 0


def test_whole_orbitals_do_not_take_over_a_shared_shell():
    torus, basis = metal("madelung"), triangular_basis(16, 7.0, 7)
    shared = solve(torus, basis, Options(start="hole-crystal", occupation="shell", stability="none"), how=ONE)
    whole = solve(torus, basis, Options(start="path", stability="none"), initial=shared.orbitals, how=ONE)
    filled = whole.data["filled_0"].values
    assert np.all((filled < 1e-9) | (filled > 1 - 1e-9))
    box = triangular_basis(16, 7.0, 7, crystal=False)
    with pytest.raises(InputError, match="whole orbitals"):
        solve(torus, box, Options(start="path", stability="none"), initial=shared.orbitals, how=ONE)


def test_a_result_of_another_box_is_refused(pair):
    with pytest.raises(InputError, match="a box of this shape"):
        solve(replace(trions(16), shape="triangular"), triangular_basis(16, 8.0, 9), replace(QUICK, start="path"),
              initial=pair[1].orbitals, how=ONE)


def test_crystal_starts_spread_any_count_over_the_sites():
    basis = triangular_basis(9, 12.0, 7, crystal=False)
    torus = torus_of((Species("electron", -1, 1.0, 0, 9, spin="unrestricted"), Species("hole", 1, 1.0, 1, 9)), 1.0,
                     "madelung", box=basis.box)
    hamiltonian, frames = random_state(torus, basis, start="crystal", noise=0.0)
    density = [np.sum(p[0] ** 2, axis=(0, 1)) for p in hamiltonian.state(frames).psi]
    up, down, hole = (d / d.sum() for d in density)
    assert np.sum((up - up.mean()) ** 2) > np.sum((hole - hole.mean()) ** 2)  # on some sites only
    both = 5 * up + 4 * down
    assert np.corrcoef(both.ravel(), hole.ravel())[0, 1] > 0.99  # together on the sites of the holes


def test_unrestricted_dumbbells_start_apart():
    torus = trions(4, zero_mode="madelung", spin="unrestricted", rs=16.0)
    together = solve(torus, small_basis("box", rs=16.0), replace(QUICK, tolerance=1e-6), how=ONE)
    apart = solve(torus, small_basis("box", rs=16.0), replace(QUICK, start="dumbbell-crystal", tolerance=1e-6),
                  how=ONE)
    assert apart.summary["energy"] < together.summary["energy"] - 1e-3
