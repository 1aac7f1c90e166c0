"""Spins and valleys in the competition: every arrangement that applies, and what more flavours may do."""

from typing import Any

import numpy as np
import pytest

from ehbilayer import phases
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.condensate.torus import solve as condensate
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.guesses import guess
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.order import bragg_weights, phase_name
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.model import Bilayer
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.numerics.minimize import orthonormalise
from ehbilayer.orbitals import Orbitals
from ehbilayer.phases.arrangements import arrangements, uniform_energies
from ehbilayer.phases.candidates import COMPETING
from ehbilayer.phases.result import LOST, CandidateRow, CompetitionResult
from ehbilayer.phases.verdict import judge, ranked
from ehbilayer.run.runner import run
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.file import make_study
from ehbilayer.studies.phases.keys import spins_of
from ehbilayer.terms import Setting
from ehbilayer.torus import Species, Torus
from systems import triangular_basis

QUICK: dict[str, Any] = {"stability": "none", "tolerance": 1e-6}


def device(flavours: tuple[int, int] = (2, 2), ratio: float = 1.0, density: str = "1e12 cm^-2",
           spacing: str = "3 nm") -> Bilayer:
    """WSe2/MoSe2."""
    return Bilayer.of("WSe2/MoSe2", spacing=spacing, hole_density=density, electrons_per_hole=ratio,
                      electron_flavours=flavours[0], hole_flavours=flavours[1])


def torus(*args: Any, holes: int = 16, **how: Any) -> Torus:
    return Torus(device(*args, **how), holes, zero_mode="madelung")


# -- how flavours are filled


def test_flavours_are_filled_as_they_are_told() -> None:
    carrier = device((4, 2)).carrier("electron")
    assert Species(carrier, 36, "27+9").occupations == (27, 9)
    shared = Species(carrier, 36, "12+12+6+6").channels(0)
    assert [(c.orbitals, c.degeneracy) for c in shared] == [(12, 2), (6, 2)]
    assert [(c.orbitals, c.degeneracy) for c in Species(carrier, 36, "18+18").channels(0)] == [(18, 2)]
    assert [(c.label, c.orbitals) for c in Species(carrier, 36, "18|18").channels(0)] == [
        ("electron 0", 18), ("electron 1", 18)]
    for wrong in ("27+8", "10+10+10+3+3", "0+36", "twelve"):
        with pytest.raises(InputError, match="electron_spin"):
            Species(carrier, 36, wrong)


def test_the_energy_of_a_uniform_liquid_is_that_of_hartree_fock() -> None:
    here = Torus(device(), 16, zero_mode="madelung", electron_spin="11+5", hole_spin="polarized")
    options = Options(start="liquid", keep="translations", stability="none")
    basis = PlaneWaveBasis(here.box, triangular_basis(16, 8.0, 5, crystal=False).waves)
    found = solve(here, basis, options, How(threads=1)).total_energy
    electrons, holes = (uniform_energies(here, i) for i in (0, 1))
    assert electrons[11] + electrons[5] + holes[16] == pytest.approx(found, rel=1e-9)


def test_every_arrangement_that_applies_is_there() -> None:
    def spins(name: str, *args: Any, **how: Any) -> set[tuple[str, str, int]]:
        return {(a.electron, a.hole, a.cells) for a in arrangements(torus(*args, **how), name)}

    assert spins("crystal", (2, 1)) == {("polarized", "polarized", 1), ("unrestricted", "polarized", 2)}
    assert spins("crystal", (4, 1)) == {("polarized", "polarized", 1), ("8|8", "polarized", 2),
                                        ("unrestricted", "polarized", 4)}
    assert spins("crystal", (1, 2)) == {("polarized", "polarized", 1), ("polarized", "unrestricted", 2)}
    assert {"polarized", "restricted"} <= {electron for electron, _, _ in spins("hole-crystal")}
    assert spins("trion-crystal", (4, 1), ratio=2.0) == {("16+16", "polarized", 1), ("unrestricted", "polarized", 2)}
    assert spins("dumbbell-crystal", (2, 1), ratio=2.0) == {("polarized", "polarized", 1),
                                                            ("unrestricted", "polarized", 1)}
    dense = arrangements(torus(density="1e14 cm^-2"), "liquid")[0]  # partly polarised: a closed shell
    assert dense.electron == "9+7"


# -- guesses


@pytest.mark.parametrize("flavours", [1, 2, 4])
@pytest.mark.parametrize("name", ["crystal", "trion-crystal", "dumbbell-crystal"])
def test_a_guess_is_the_state_it_is_named_after_for_any_flavours(name: str, flavours: int) -> None:
    """Four flavours on two sites per cell once left half of the sites empty."""
    ratio = 1.0 if name == "crystal" else 2.0
    here = Torus(device((flavours, flavours), ratio), 16, zero_mode="madelung", electron_spin="polarized")
    waves = triangular_basis(16, 8.0, 7, crystal=False).waves
    for way in arrangements(here, name):
        one = Torus(here.bilayer, 16, zero_mode="madelung", electron_spin=way.electron, hole_spin=way.hole)
        basis = PlaneWaveBasis(one.box, waves, crystal_cell(one.box, 16, way.cells))
        began = guess(one, basis, name, spin_order="stripe")
        assert all(np.all(f.f == 1) for f in began.fillings)  # full bands: so many on every site
        frames = tuple(orthonormalise(np, x[None]) for x in began.frames)
        state = Orbitals.of(Setting(basis, Fourier(), [one], began.fillings), frames)
        assert phase_name(one, state) == name
        weights = bragg_weights(one, state)
        assert min(weights.values()) > 0.1  # a density with the period of the sites: none of them is empty


def test_flavours_that_cannot_take_turns_on_the_sites_of_a_cell_are_refused() -> None:
    from ehbilayer import hartree_fock

    with pytest.raises(InputError, match="holes_per_cell"):
        hartree_fock(Torus(device((4, 1)), 16, zero_mode="madelung", electron_spin="unrestricted"), "crystal",
                     symmetry="crystal", holes_per_cell=2, hexagon=4)


# -- verdicts


@pytest.fixture(scope="module")
def minima() -> dict[int, CompetitionResult]:
    """The competition with 1, 2 and 4 flavours of both carriers."""
    return {g: phases(torus((g, g)), COMPETING, hexagon=5, **QUICK) for g in (1, 2, 4)}


@pytest.mark.parametrize("name", COMPETING)
def test_more_flavours_never_raise_a_minimum(minima: dict[int, CompetitionResult], name: str) -> None:
    energies = [minima[g].energies[name] for g in (1, 2, 4)]
    assert None not in energies
    assert energies[1] <= energies[0] + 1e-5 and energies[2] <= energies[1] + 1e-5


def test_the_error_of_a_verdict_holds_what_the_size_of_the_box_does(minima: dict[int, CompetitionResult]) -> None:
    """Also where other candidates have become the winner and share its row."""
    for result in minima.values():
        assert result.winner == "crystal" and result.ended_as["electron-crystal"] == "crystal"
        first, second = ranked(result.candidates)[:2]
        assert first.size_shift is None and second.size_shift is not None
        assert result.numerical_error > abs(second.size_shift) > 1e-5


def test_the_table_says_which_arrangement_won_and_what_others_cost(minima: dict[int, CompetitionResult]) -> None:
    result = minima[2]
    assert result.spin_arrangement == "electrons polarized, holes polarized"
    costs = {a.spin_arrangement: a.cost for a in result.arrangements if a.candidate == "crystal"}
    assert costs["electrons polarized, holes polarized"] == 0 and costs["electrons unrestricted, holes polarized"] > 0
    assert min(a.cost for a in result.arrangements) >= 0
    text = kinds.rows(result)
    assert ("spins", result.spin_arrangement) in text
    assert any(label.strip() == "crystal" and "electrons unrestricted" in said for label, said in text)


def test_restricted_verdicts_remain_and_are_asked_for(minima: dict[int, CompetitionResult]) -> None:
    names = ["liquid", "hole-crystal", "condensate"]
    asked = phases(torus(), names, electron_spin="restricted", hexagon=5, **QUICK)
    assert asked.winner == "condensate" and asked.cautions and not asked.arrangements
    assert asked.energies["liquid"] > minima[2].energies["liquid"] + 0.01 and not minima[2].cautions
    base = {"kind": "phases", "bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm"},
            "density": {"hole": "1e12 cm^-2", "electrons_per_hole": 1},
            "cell": {"holes": 16, "hexagon": 5, "zero_mode": "madelung"}}
    said = base | {"hartree-fock": {"electron_spin": "restricted"}}
    assert spins_of(make_study(base)) == "all" and spins_of(make_study(said)) == "given"
    assert spins_of(make_study(said | {"phases": {"spins": "all"}})) == "all"
    assert spins_of(make_study(base | {"phases": {"spins": "given"}})) == "given"


def test_two_electrons_per_hole_make_dumbbells_not_trions() -> None:
    """1.29e12 cm^-2: polarised electrons lie 36 meV per hole below the trion crystal."""
    result = phases(torus(ratio=2.0, density="1.29e12 cm^-2"), ["liquid", "trion-crystal", "dumbbell-crystal"],
                    hexagon=7, **QUICK)
    assert result.winner == "dumbbell-crystal" and result.resolved
    gain = result.energies["trion-crystal"] - result.energies["dumbbell-crystal"]
    assert 30 < gain * result.provenance.scales.hartree_meV < 42
    assert result.energies["liquid"] < result.energies["trion-crystal"]  # even the polarised liquid lies lower


def test_condensates_of_several_flavours_compete() -> None:
    """Close layers at high density: equal condensates in both flavours."""
    bilayer = Bilayer.of(electron_mass=0.25, hole_mass=1.0, spacing=0.1, rs_hole=3.85)
    result = phases(Torus(bilayer, 16, zero_mode="none"), ["liquid", "condensate"], hexagon=6, **QUICK)
    row = result.candidate("condensate")
    assert row.spin_arrangement == "electrons restricted, holes restricted" and result.winner == "condensate"
    alone = phases(Torus(bilayer, 16, zero_mode="none"), ["liquid", "condensate"], spins="given", hexagon=6, **QUICK)
    assert row.energy < alone.candidate("condensate").energy - 0.01


def test_unequal_condensates_are_the_sum_of_their_flavours() -> None:
    """High density, layers far apart: 7 pairs close a shell, as in the liquid that the condensate nearly is."""
    bilayer = Bilayer.of(electron_mass=1.0, hole_mass=1.0, spacing=10.0, rs_hole=1.5)
    here = Torus(bilayer, 16, zero_mode="madelung")
    result = phases(here, ["liquid", "condensate"], hexagon=7, **QUICK)
    row = result.candidate("condensate")
    assert row.spin_arrangement == "electrons 9+7, holes 9+7" == result.candidate("liquid").spin_arrangement
    basis = PlaneWaveBasis(here.box, triangular_basis(16, 8.0, 7, crystal=False).waves)
    total = 0.0
    for pairs in (9, 7):
        one = Torus(bilayer.with_densities({c.name: pairs / here.area for c in bilayer.carriers}), pairs,
                    zero_mode="madelung", electron_spin="polarized")
        total += condensate(one, basis, tolerance=1e-6).total_energy
    assert row.energy == pytest.approx(total / 16, abs=1e-9)
    halves = condensate(Torus(bilayer, 16, zero_mode="madelung", hole_spin="restricted"), basis).total_energy
    assert row.energy < halves / 16 - 1e-3
    with pytest.raises(InputError, match="electron_spin"):
        condensate(Torus(bilayer, 16, zero_mode="madelung", electron_spin="9+7", hole_spin="9+7"), basis)


def test_a_study_and_a_call_are_the_same_bits(tmp_path) -> None:
    tables = {"kind": "phases", "bilayer": {"material": "WSe2/MoSe2", "spacing": "3 nm"},
              "density": {"hole": "1e12 cm^-2", "electrons_per_hole": 1},
              "cell": {"holes": 4, "hexagon": 4, "zero_mode": "madelung"},
              "hartree-fock": {"tolerance": 1e-6, "stability": "none"}}
    study = run(make_study(tables), tmp_path / "out")
    called = phases(torus(holes=4), hexagon=4, **QUICK)
    assert study.energies == called.energies and study.summary["arrangements"] == called.summary["arrangements"]
    assert study.numerical_error == called.numerical_error


# -- errors


def row(name: str, energy: float, **more: Any) -> CandidateRow:
    return CandidateRow(name, Status.converged, energy, name, **{"basis_error": 0.0, **more})


def test_every_row_is_judged_by_all_that_it_may_still_gain() -> None:
    """A third phase with a poor basis may pass both of the lowest."""
    rows = [row("hole-crystal", -1.0), row("liquid", -0.99), row("condensate", -0.98, basis_error=0.03)]
    verdict = judge(rows)
    assert (verdict.winner, verdict.runner_up) == ("hole-crystal", "liquid") and not verdict.resolved
    assert verdict.numerical_error == pytest.approx(0.035)  # the condensate may end 0.025 below the winner
    assert judge([*rows[:2], row("condensate", -0.9, basis_error=0.03)]).resolved
    sure = judge([row("hole-crystal", -1.0, basis_error=0.02, basis_gain=0.02), row("liquid", -0.99, basis_error=0.01)])
    assert sure.resolved  # the winner surely falls, too


def test_size_and_start_are_in_the_error() -> None:
    first, second = row("crystal", -1.0), row("liquid", -0.99, size_shift=0.02)
    assert judge([first, row("liquid", -0.99, size_shift=-0.02)]).resolved  # it only rises with the size of the box
    verdict = judge([first, second])
    assert verdict.numerical_error == pytest.approx(0.02) and not verdict.resolved
    third = row("hole-crystal", -0.985, size_shift=0.03)  # not only the two lowest count
    assert judge([first, row("liquid", -0.99, size_shift=0.001), third]).numerical_error == pytest.approx(0.025)
    unknown = row("condensate", -0.98)  # moves as much as others do
    assert judge([first, second, unknown]).numerical_error == pytest.approx(0.02)
    assert not judge([row("crystal", -1.0), row("liquid", -0.99, start_spread=0.02)]).resolved
    assert judge([row("crystal", -1.0), row("liquid", -0.99)]).resolved


def light(holes: int = 16, spacing: float = 1.0, **spins: Any) -> Torus:
    bilayer = Bilayer.of(electron_mass=0.25, hole_mass=1.0, spacing=spacing, rs_hole=6.0)
    return Torus(bilayer, holes, zero_mode="madelung", **spins)


def test_size_is_looked_at_in_every_phase_that_may_still_win() -> None:
    result = phases(light(), ["liquid", "hole-crystal", "crystal", "condensate"], hexagon=4, **QUICK)
    first, *others = ranked((*result.candidates, *result.further))
    reach = max(abs(r.size_shift) for r in others if r.size_shift is not None)
    assert first.size_shift is None and len(others) > 2
    for r in others:
        near = r.name in ("liquid", "condensate") or r is others[0] or r.energy - first.energy < reach
        assert r.size_shift is not None or not near
    assert not any("no smaller box of this shape" in text for text in result.cautions)
    odd = phases(light(18), ["liquid", "hole-crystal"], hexagon=5, **QUICK)
    assert any("no smaller box of this shape" in text for text in odd.cautions)


def test_closed_shells_of_a_box_are_called_an_artefact() -> None:
    result = phases(light(spacing=4.0), ["liquid", "hole-crystal"], hexagon=5, **QUICK)
    assert result.spin_arrangement == "electrons 9+7, holes polarized"
    assert any("16 electrons of the hole-crystal fill flavours as 9+7" in text for text in result.cautions)
    whole = phases(light(18), ["liquid", "hole-crystal"], spins="given", electron_spin="restricted", hexagon=5, **QUICK)
    assert not any("fill flavours as" in text for text in whole.cautions)


def test_energies_of_a_first_look_are_bounds_and_say_so() -> None:
    result = phases(light(), ["hole-crystal", "crystal", "condensate"], hexagon=4, **QUICK)
    lost = [r for r in (*result.candidates, *result.further) if r.left_out == LOST]
    assert lost
    text = kinds.rows(result)
    for r in lost:
        assert any(label == r.name and "a first look, up to" in said for label, said in text)
        if r.name != "condensate":
            spins = dict(zip(("electron_spin", "hole_spin"), (w.split()[1] for w in r.spin_arrangement.split(", ")),
                             strict=True))
            whole = phases(light(**spins), [r.name], spins="given", hexagon=4, **QUICK).candidate(r.name)
            fallen = r.energy - whole.energy
            assert fallen < r.solver_error + 1e-9 or whole.phase != r.phase


def test_a_margin_that_a_poor_basis_may_turn_is_not_resolved() -> None:
    """m_h/m_e = 4, d = 0.1, r_s = 3.85: with 169 waves the hole crystal seems to win by 8e-4 Ha_h; with waves enough
    the polarised condensate lies lower by 3.7e-3."""
    bilayer = Bilayer.of(electron_mass=0.25, hole_mass=1.0, spacing=0.1, rs_hole=3.85)
    names, spins = ["liquid", "hole-crystal", "condensate"], {"electron_spin": "restricted"}
    poor = phases(Torus(bilayer, 36, zero_mode="none"), names, hexagon=7, **spins, **QUICK)
    assert not poor.resolved and poor.numerical_error > poor.margin
    assert dict(kinds.rows(poor))["margin"].count("NOT RESOLVED") == 1
    good = phases(Torus(bilayer, 36, zero_mode="none"), names, tolerance=1e-5, stability="none", **spins)
    assert good.winner == "condensate" and good.resolved and good.margin == pytest.approx(3.7e-3, abs=2e-4)
