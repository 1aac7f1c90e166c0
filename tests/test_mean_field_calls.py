"""Hartree-Fock, the condensate and competitions called from Python: the numbers of study files, own starts and phases,
refusals that name the argument."""

from __future__ import annotations

import lzma
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ehbilayer
from ehbilayer import Bilayer, Carrier, Coulomb, InputError, Interaction, Torus, condensate, hartree_fock, phases
from ehbilayer.condensate.result import PlaneCondensateResult, TorusCondensateResult
from ehbilayer.hartree_fock.guesses import placed
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.orbitals import Orbitals
from ehbilayer.phases.candidates import Candidate
from ehbilayer.phases.result import CandidateRow, CompetitionResult
from ehbilayer.results.base import NotConvergedError, Quantity, Result
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.file import make_study

DEVICE = {"electron_mass": 0.2, "hole_mass": 0.4, "dielectric": 5.0}
QUICK: dict[str, Any] = {"tolerance": 1e-6, "stability": "none"}
TABLES: dict[str, Any] = {
    "bilayer": DEVICE | {"spacing": "1 nm"}, "density": {"rs_hole": 6.0, "electrons_per_hole": 1},
    "cell": {"holes": 4, "hexagon": 4, "zero_mode": "madelung"}, "hartree-fock": QUICK}


def torus(**changes: Any) -> Torus:
    """The torus of TABLES."""
    device = Bilayer.of(spacing="1 nm", rs_hole=6.0, **DEVICE)
    return Torus(device, **{"holes": 4, "zero_mode": "madelung"} | changes)


def of_study(kind: str, **tables: dict[str, Any]) -> Any:
    given = {name: TABLES.get(name, {}) | tables.get(name.replace("-", "_"), {})
             for name in (*TABLES, "phases", "condensate")}
    return ehbilayer.run(make_study({"kind": kind} | {name: {k: v for k, v in table.items() if v is not None}
                                                      for name, table in given.items()}))


def same_numbers(one: Result, other: Result) -> None:
    """To the bit, but for the seconds."""
    for name, array in one.data.items():
        np.testing.assert_array_equal(array.values, other.data[name].values)
    assert one.data.keys() == other.data.keys() and one.status is other.status is Status.converged
    assert one.provenance.scales == other.provenance.scales


# -- Hartree-Fock --


@pytest.fixture(scope="module")
def crystal() -> HartreeFockResult:
    return hartree_fock(torus(), symmetry="crystal", occupation="shell", start="hole-crystal", hexagon=4, **QUICK)


def test_a_study_file_says_the_same(crystal: HartreeFockResult) -> None:
    study = of_study("hartree-fock", cell={"symmetry": "crystal"},
                     hartree_fock={"occupation": "shell", "start": "hole-crystal"})
    same_numbers(crystal, study)
    told = {"seed", "wall_seconds", "critical_rs"}
    assert {k: v for k, v in crystal.summary.items() if k not in told} == {
        k: v for k, v in study.summary.items() if k not in told}
    assert crystal.provenance.seed == 0 and crystal.provenance.backend == "numpy"


def test_numbers_know_their_units(crystal: HartreeFockResult) -> None:
    assert isinstance(crystal.gap.hole, Quantity)
    assert crystal.gap.hole.to("meV") == pytest.approx(crystal.summary["gap_meV"]["hole"], rel=1e-12)
    assert set(crystal.energy_parts) == {"kinetic", "direct", "exchange"}
    assert sum(crystal.energy_parts.values()) == pytest.approx(crystal.energy, abs=1e-12)
    assert crystal.energy == crystal.energy_per_particle * 8 and crystal.energy.unit == "Ha_h"
    assert crystal.effective_mass is not None and set(crystal.effective_mass) == {"electron", "hole"}
    assert crystal.starts[0].status is Status.converged and crystal.starts[0].phase == crystal.phase
    assert crystal.stability.held == ("crystal translations", "equal filling of a shell")


def test_a_result_survives_its_file_and_starts_another(crystal: HartreeFockResult, tmp_path: Path) -> None:
    crystal.save(tmp_path / "result.nc")
    again = HartreeFockResult.load(tmp_path / "result.nc")
    assert again.summary == crystal.summary and again.gap == crystal.gap and again.stability == crystal.stability
    how: dict[str, Any] = QUICK | {"symmetry": "crystal", "occupation": "shell", "hexagon": 5}
    fresh = hartree_fock(torus(), "hole-crystal", **how)
    for start in (crystal.orbitals, again, tmp_path / "result.nc", str(tmp_path)):
        further = hartree_fock(torus(), start, **how)
        assert further.energy == pytest.approx(fresh.energy, abs=1e-8) and further.energy < crystal.energy
        assert further.iterations < fresh.iterations and further.starts[0].start == "path"
    assert isinstance(again.orbitals, Orbitals) and len(again.orbitals.determinants) == 2


def test_what_is_not_converged_is_kept_but_not_given_away() -> None:
    hurried = hartree_fock(torus(), hexagon=4, **QUICK | {"max_iterations": 2})
    assert hurried.status is Status.not_converged and hurried.total_energy < 0
    with pytest.raises(NotConvergedError):
        _ = hurried.energy
    told: list[str] = []
    stopped = hartree_fock(torus(), hexagon=4, progress=told.append, should_stop=lambda: Status.timeout, **QUICK)
    assert stopped.status is Status.timeout and told and told[0].startswith("iteration")


def test_spins_and_terms_can_be_said_with_the_call() -> None:
    polarised = hartree_fock(torus(), "liquid", hexagon=4, electron_spin="polarized", keep="translations", **QUICK)
    same = hartree_fock(torus(electron_spin="polarized"), "liquid", hexagon=4, keep="translations", **QUICK)
    assert polarised.total_energy == same.total_energy
    from ehbilayer.terms.kinetic import Kinetic

    free = hartree_fock(torus(), "liquid", hexagon=4, terms=[Kinetic], occupation="shell", keep="translations", **QUICK)
    assert set(free.energy_parts) == {"kinetic"} and free.phase == "liquid"


def test_a_basis_from_the_tolerance() -> None:
    grown = hartree_fock(torus(), "hole-crystal", symmetry="crystal", occupation="shell", tolerance=1e-5,
                         stability="none")
    assert grown.basis_error is not None and grown.basis_error < 1e-5 and grown.status is Status.converged


@pytest.mark.parametrize(("given", "argument"), [
    ({"start": "cristal"}, "start"), ({"start": "nowhere/result.nc"}, "start"), ({"hexagon": 0}, "hexagon"),
    ({"plane_waves": [4, 5]}, "plane_waves"), ({"plane_waves": [1, 3]}, "plane_waves"),
    ({"plane_waves": [5, 5], "cutoff": 1.0}, "cutoff"), ({"cutoff": -1.0}, "cutoff"), ({"cutoff": 1e6}, "cutoff"),
    ({"symmetry": "cubic"}, "symmetry"), ({"symmetry": "crystal", "holes_per_cell": 3}, "holes_per_cell"),
    ({"tolerance": 0.0}, "tolerance"), ({"starts": 0}, "starts"), ({"keep": "all"}, "keep"),
    ({"occupation": "half"}, "occupation"), ({"electron_spin": "up"}, "electron_spin"),
    ({"backend": "fortran"}, "backend")])
def test_refusals_name_the_argument(given: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError) as caught:
        hartree_fock(torus(), **({} if {"plane_waves", "cutoff", "hexagon"} & set(given) else {"hexagon": 3}) | given)
    assert caught.value.argument == argument


def test_other_results_are_no_start(crystal: HartreeFockResult) -> None:
    competition = phases(torus(), ["liquid"], hexagon=3, **QUICK)
    with pytest.raises(InputError, match="kind hartree-fock"):
        hartree_fock(torus(), competition, hexagon=3)
    with pytest.raises(InputError, match="start"):
        hartree_fock(torus(holes=16), crystal, hexagon=4)


# -- competitions --


NAMES = ["liquid", "hole-crystal", "condensate"]


@pytest.fixture(scope="module")
def competition() -> CompetitionResult:
    return phases(torus(), NAMES, hexagon=4, **QUICK)


def test_a_study_file_of_a_competition_says_the_same(competition: CompetitionResult) -> None:
    study = of_study("phases", phases={"candidates": NAMES})
    same_numbers(competition, study)
    assert competition.energies == study.energies and competition.margin == study.margin


def test_candidates_are_rows_and_an_axis(competition: CompetitionResult, tmp_path: Path) -> None:
    competition.save(tmp_path / "result.nc")
    again = CompetitionResult.load(tmp_path / "result.nc")
    assert again.summary == competition.summary and again.candidates == competition.candidates
    assert [row.name for row in again.candidates] == NAMES and isinstance(again.candidates[0], CandidateRow)
    assert again.candidate("condensate").normal_energy is not None
    assert again.energy == min(row.energy for row in again.candidates) == again.energies[again.winner]
    assert again.margin.to("meV") > 0 and again.particles.hole == 4
    data = again.dataset
    assert data["candidate"].values.tolist() == NAMES and data["carrier"].values.tolist() == ["electron", "hole"]
    assert float(data["candidate_energy"].sel(candidate="liquid")) == again.energies["liquid"]
    assert float(data["candidate_gap"].sel(candidate="condensate", carrier="hole")) == again.candidates[2].gap.hole
    assert data["density_hole_hole-crystal"].attrs["units"] == "a_h^-2"
    with pytest.raises(KeyError):
        again.candidate("stripes")


def test_an_own_phase_competes() -> None:
    """Holes in pairs of sites, two sites per cell: the start is made of positions, and keeps its own translations."""
    polarised = torus(electron_spin="polarized")
    empty = Candidate.of("pairs", polarised, holes_per_cell=2, hexagon=4, **QUICK)
    cell = empty.basis.cell.vectors
    where = np.array([[0.2, 0.2], [0.8, 0.8]]) @ cell
    start = placed(polarised, empty.basis, {"hole": where, "electron": where})
    own = Candidate("pairs", polarised, empty.basis, empty.options, start)
    result = phases(polarised, ["liquid", own], hexagon=4, **QUICK)
    row = result.candidate("pairs")
    alone = hartree_fock(polarised, start, symmetry="crystal", holes_per_cell=2, hexagon=4, **QUICK)
    assert row.energy == pytest.approx(alone.energy / 4, abs=1e-12) and row.phase == alone.phase
    assert row.status is Status.converged and set(result.energies) == {"liquid", "pairs"}
    assert "density_hole_pairs" in result.data and result.plot() is not None


def test_own_starts_are_where_they_are_put() -> None:
    here = torus(electron_spin="polarized")
    basis = Candidate.of("x", here, holes_per_cell=2, hexagon=6, **QUICK).basis
    where = np.array([[0.25, 0.25], [0.75, 0.75]]) @ basis.cell.vectors
    start = placed(here, basis, {"hole": where}, width=1.0)
    psi = start.at(np.concatenate([where, [[0.0, 0.0]]]), 1)[0]
    density = (np.abs(psi[..., 0]) ** 2).sum(axis=1)
    assert density[0] == pytest.approx(density[1], rel=1e-6) and density[0] > 50 * density[2]
    electrons = start.momentum("electron")
    assert np.sort(electrons)[-4:] == pytest.approx(1.0)  # the liquid, where none are placed
    with pytest.raises(InputError, match="positions"):
        placed(here, basis, {"hole": where[:1]})


@pytest.mark.parametrize(("own", "words"), [
    ({"holes": 16}, "particles"), ({"zero_mode": "none"}, "zero mode"), ({"shape": "rectangular"}, "box")])
def test_own_phases_must_compare(own: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        phases(torus(), ["liquid", Candidate.of("own", torus(**own), hexagon=4)], hexagon=4)
    assert caught.value.argument == "candidates"
    with pytest.raises(InputError, match="waves of the others"):
        phases(torus(), ["liquid", Candidate.of("own", torus(), hexagon=5)], hexagon=4)
    with pytest.raises(InputError, match="different names"):
        phases(torus(), ["crystal", Candidate.of("crystal", torus(), hexagon=4)], hexagon=4)
    with pytest.raises(InputError, match="stripes"):
        phases(torus(), ["trion-crystal"], hexagon=4)


def test_the_names_that_a_problem_is_made_of() -> None:
    assert issubclass(Coulomb, Interaction) and torus().bilayer.interaction.spacing > 0
    assert isinstance(torus().bilayer.carrier("hole"), Carrier)


# -- the condensate --


def pairs(**changes: Any) -> Bilayer:
    return Bilayer.of(**{"spacing": 1.0, "hole_density": 0.02} | DEVICE | changes)


def test_study_files_of_condensates_say_the_same() -> None:
    how: dict[str, Any] = {"tolerance": 1e-7, "curve_points": 12}
    density = {"rs_hole": None, "hole": 0.02}
    plane = condensate(pairs(), **how)
    study = of_study("condensate", bilayer={"spacing": 1.0}, density=density,
                     condensate=how | {"limit": "thermodynamic"})
    assert isinstance(plane, PlaneCondensateResult) and plane.coexistence == study.coexistence
    same_numbers(plane, study)
    on_torus = condensate(torus(), hexagon=4, **how)
    assert isinstance(on_torus, TorusCondensateResult) and on_torus.particles.hole == 4
    same_numbers(on_torus, of_study("condensate", condensate=how))


def test_the_density_follows_from_a_chemical_potential() -> None:
    mu = pairs().scales.hartree_meV * -0.3
    here = condensate(pairs(electron_mass=0.4), chemical_potential=f"{mu} meV", curve_points=12)
    assert here.chemical_potential == pytest.approx(-0.3, abs=1e-8) and here.density != 0.02
    there = condensate(pairs(electron_mass=0.4, hole_density=float(here.density)), curve_points=0)
    assert there.chemical_potential == pytest.approx(-0.3, abs=1e-7)


def test_flavours_pair_each_with_its_own() -> None:
    one, two = condensate(pairs(hole_density=0.01), curve_points=0), condensate(pairs(), spin="restricted",
                                                                                 curve_points=0)
    assert two.flavours == 2 and two.energy_per_pair == pytest.approx(one.energy_per_pair, abs=1e-9)
    assert condensate(torus(), spin="restricted", hexagon=4, curve_points=0).flavours == 2


@dataclass(frozen=True)
class Screened(Interaction):
    """2 pi exp(-q d)/(q + s): screened, finite at q = 0 but for the convention."""

    spacing: float = 1.0
    strength: float = 0.5
    name = "screened"

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        return np.where(q > 0, 2 * np.pi * np.exp(-q * self.distance(a, b)) / (q + self.strength), 0.0)

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        return 0.0, 2 * np.pi / self.strength


def heavier(k: np.ndarray) -> np.ndarray:
    return np.sum(k * k, axis=-1) / 3


def test_the_plane_refuses_what_a_torus_can_treat() -> None:
    own = replace(pairs(), carriers=(replace(pairs().carriers[0], dispersion=heavier), pairs().carriers[1]))
    with pytest.raises(InputError, match="condensate of the infinite plane") as caught:
        condensate(own)
    assert caught.value.argument == "electron dispersion"
    for bilayer in (own, pairs(interaction=Screened())):
        there = condensate(Torus(bilayer, holes=4, zero_mode="none"), hexagon=4, curve_points=0, tolerance=1e-6)
        assert there.status is Status.converged and there.energy_per_pair != 0


@pytest.mark.parametrize(("where", "given", "argument"), [
    (pairs(electrons_per_hole=2), {}, "electrons_per_hole"), (pairs(electrons_per_hole=0), {}, "electrons_per_hole"),
    (pairs(electron_flavours=4), {"spin": "restricted"}, "electron_flavours"), (pairs(), {"spin": "up"}, "spin"),
    (pairs(), {"hexagon": 4}, "hexagon"), (pairs(), {"chemical_potential": -5.0}, "chemical_potential"),
    (pairs(), {"chemical_potential": -0.3, "curve_points": 5}, "curve_points"),
    (torus(), {"chemical_potential": -0.3}, "chemical_potential"), (torus(), {"capacitor": True}, "capacitor"),
    (torus(holes=3, electron_spin="polarized"), {"spin": "restricted"}, "holes"),
    (torus(holes=16), {"hexagon": 1}, "hexagon")])
def test_condensates_that_cannot_be_are_named(where: Any, given: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError) as caught:
        condensate(where, **given)
    assert caught.value.argument == argument


# -- files of format 1 --


def test_an_old_state_shows_draws_and_starts_another(tmp_path: Path) -> None:
    path = tmp_path / "result.nc"
    path.write_bytes(lzma.decompress((Path(__file__).parent / "data" / "format-1-hartree-fock.nc.xz").read_bytes()))
    old = ehbilayer.load(path)
    assert isinstance(old, HartreeFockResult) and not old.extra and old.zone_deviation.hole is None
    assert old.gap.hole.to("meV") == pytest.approx(old.summary["gap_meV"]["hole"], rel=1e-12)
    table = dict(kinds.rows(old))
    assert table["phase"] == old.phase and "Ha_h = " in table["gap, holes"]
    assert old.plot() is not None and old.plot(what="levels", species="hole") is not None
    species = old.inputs["species"]
    carriers = tuple(Carrier(s["name"], s["charge"], s["mass"], s["layer"], s["count"] / old.area, s["flavours"])
                     for s in species)
    here = Torus(Bilayer(carriers, Coulomb(old.inputs["spacing"])), holes=old.particles.hole, zero_mode=old.zero_mode,
                 shape=old.inputs["box"], electron_spin=species[0]["spin"], hole_spin=species[1]["spin"])
    reach = 2 * np.abs(old.data["waves"].values).max(axis=0) + 1
    again = hartree_fock(here, path, plane_waves=reach.tolist(), stability="none")
    assert again.status is Status.converged and again.energy <= old.energy + 1e-9  # its waves, and those around them
    assert again.phase == old.phase
