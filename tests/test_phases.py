"""The competition at one point: who competes, what each keeps, who wins and by how much."""

from dataclasses import replace

import numpy as np
import pytest

from ehbilayer import hartree_fock, phases
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import hexagon_waves
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.phases.candidates import COMPETING, Candidate, candidates
from ehbilayer.phases.competition import compete
from ehbilayer.phases.economy import needed, within
from ehbilayer.phases.result import CandidateRow, CompetitionResult
from ehbilayer.phases.verdict import judge, paper_label
from ehbilayer.results.base import Result
from ehbilayer.run.runner import run
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.file import make_study
from ehbilayer.studies.phases.figure import figure
from ehbilayer.studies.task import prepare
from ehbilayer.torus import Torus
from systems import Species, torus_of, triangular_basis

N = 16
QUICK = Options(stability="none", tolerance=1e-7)


def balanced(ratio: float = 2.0, spacing: float = 1.0, zero_mode: str = "none", spin: str = "restricted",
             rs: float = 6.0) -> Torus:
    return torus_of((Species("electron", -1, 1 / ratio, 0, N, spin=spin), Species("hole", 1, 1.0, 1, N)), spacing,
                    zero_mode, box=triangular_basis(N, rs, 4).box)


def study(**changes: dict) -> dict:
    base = {"kind": "phases", "bilayer": {"electron_mass": 0.25, "hole_mass": 0.5, "dielectric": 5.0, "spacing": 1.0},
            "density": {"rs_hole": 6.0, "electrons_per_hole": 1},
            "cell": {"holes": N, "hexagon": 4, "zero_mode": "none"},
            "hartree-fock": {"stability": "none", "tolerance": 1e-6}}
    return {k: v | changes.get(k.replace("-", "_"), {}) if isinstance(v, dict) else v for k, v in base.items()}


@pytest.fixture(scope="module")
def result() -> CompetitionResult:
    found = candidates(balanced(), triangular_basis(N, 6.0, 5, crystal=False), COMPETING, QUICK)
    return compete(found)


def test_every_candidate_keeps_its_own_symmetry() -> None:
    basis = triangular_basis(N, 6.0, 4, crystal=False)
    found = {c.name: c for c in candidates(balanced(), basis, (*COMPETING, "stripes"), QUICK)}
    spins = {name: [s.spin for s in c.torus.species] for name, c in found.items()}
    assert found["liquid"].options.keep == "translations"
    assert spins["liquid"] == spins["hole-crystal"] == ["restricted", "polarized"]
    assert spins["crystal"] == spins["electron-crystal"] == ["unrestricted", "polarized"]  # one electron on a site
    assert spins["condensate"] == ["polarized", "polarized"]
    assert {name: c.basis.cells for name, c in found.items()} == {
        "liquid": N, "hole-crystal": N, "electron-crystal": N // 2, "crystal": N // 2, "stripes": N // 4,
        "condensate": 1}
    assert all(np.array_equal(c.basis.waves, basis.waves) for c in found.values())


def test_polarised_electrons_need_one_site_only() -> None:
    found = candidates(balanced(spin="polarized"), triangular_basis(N, 6.0, 4, crystal=False), ["crystal"],
                              QUICK)
    assert found[0].basis.cells == N and found[0].torus.species[0].spin == "polarized"


def test_energies_are_those_of_the_methods_alone(result: Result) -> None:
    from ehbilayer.condensate.torus import solve as condensate

    polarised = balanced(spin="polarized")
    alone = condensate(polarised, triangular_basis(N, 6.0, 5, crystal=False), tolerance=1e-9)
    assert result.summary["energies"]["condensate"] == pytest.approx(alone.summary["energy"] / N, abs=1e-7)
    crystal = solve(balanced(), triangular_basis(N, 6.0, 5), Options(start="hole-crystal", stability="none"),
                    How(threads=1))
    assert result.summary["energies"]["hole-crystal"] == pytest.approx(crystal.energy / N, abs=1e-7)


def test_the_winner_is_the_lowest_and_the_margin_the_distance_to_another_phase(result: Result) -> None:
    s = result.summary
    assert result.status is Status.converged
    lowest = min(s["energies"], key=s["energies"].get)
    assert s["winner"] == s["ended_as"][lowest]
    others = [e for name, e in s["energies"].items() if s["ended_as"][name] != s["winner"]]
    assert s["margin"] == pytest.approx(min(others) - s["energies"][lowest]) and s["margin"] > 0
    assert s["numerical_error"] > 0 and s["resolved"] == (s["margin"] > s["numerical_error"])


def test_condensate_wins_between_close_layers_and_liquid_at_high_density() -> None:
    """Equal masses: dilute pairs at d = a_h condense; at r_s = 1 the kinetic energy rules (Nashabeh & Fu, Fig. 2)."""
    names = ("liquid", "crystal", "condensate")
    for rs, winner in ((8.0, "condensate"), (1.0, "liquid")):
        basis = triangular_basis(N, rs, 6, crystal=False)
        s = compete(candidates(balanced(1.0, rs=rs), basis, names, QUICK)).summary
        assert s["winner"] == winner and s["resolved"]


def row(name: str, energy: float, basis_error: float = 0.0, phase: str | None = None,
        status: Status = Status.converged) -> CandidateRow:
    return CandidateRow(name, status, energy, phase or name, basis_error, solver_error=1e-8)


def test_judging_counts_errors_against_the_winner() -> None:
    liquid, crystal = row("liquid", -1.0), row("crystal", -1.001)
    assert judge([liquid, crystal]).resolved
    verdict = judge([row("liquid", -1.0, 0.002), crystal])  # the liquid may come down below the crystal
    assert (verdict.winner, verdict.runner_up, verdict.resolved) == ("crystal", "liquid", False)
    assert verdict.margin == pytest.approx(0.001)
    assert judge([liquid, row("crystal", -1.001, 0.002)]).resolved  # the winner would only come down further


def test_judging_takes_an_energy_on_its_way_as_the_upper_bound_it_is() -> None:
    rows = [row("crystal", -2.0, status=Status.not_converged), row("electron-crystal", -1.5, phase="hole-crystal"),
            row("hole-crystal", -1.4), row("liquid", -1.0)]
    verdict = judge(rows)
    assert (verdict.winner, verdict.runner_up, verdict.margin) == ("crystal", "hole-crystal", 0.5)
    verdict = judge(rows[1:])
    assert (verdict.winner, verdict.runner_up, verdict.margin) == ("hole-crystal", "liquid", 0.5) and verdict.resolved
    late = judge([*rows[1:], row("crystal", -1.1, status=Status.not_converged)])
    assert late.winner == "hole-crystal" and not late.resolved  # the crystal may yet come down below it
    assert judge(rows[:1]).winner == "crystal" and not judge(rows[:1]).resolved
    assert judge([row("crystal", -2.0, status=Status.timeout)]).winner == "unknown"


def test_a_condensate_that_wins_by_its_spin_says_so() -> None:
    """Far apart layers hardly pair: at r_s = 3.5 the polarised plasma alone lies below the unpolarised liquid."""
    basis = triangular_basis(N, 3.5, 5, crystal=False)
    for spin, cautioned in (("restricted", True), ("polarized", False)):
        found = candidates(balanced(1.0, 10.0, spin=spin, rs=3.5), basis, ("liquid", "condensate"), QUICK)
        s = compete(found).summary
        assert s["winner"] == "condensate" and bool(s["cautions"]) is cautioned
    close = candidates(balanced(1.0, 0.5, rs=3.5), basis, ("liquid", "condensate"), QUICK)
    s = compete(close).summary
    polarised = next(r for r in s["candidates"] if r["name"] == "condensate")["normal_energy"]
    assert bool(s["cautions"]) is (polarised < s["energies"]["liquid"])


def test_a_saddle_says_where_it_leads_and_competes_as_it_is() -> None:
    """Polarised electrons would break the liquid's translations: Hartree-Fock's liquid is a saddle."""
    options = Options(tolerance=1e-6, follow=True, stability="full", max_iterations=300)
    basis = triangular_basis(4, 10.0, 4, crystal=False)
    electrons = Species("electron", -1, 1.0, 0, 4, spin="polarized")
    torus = torus_of((electrons, Species("hole", 1, 1.0, 1, 4)), 1.0, "none", box=basis.box)
    result = compete(candidates(torus, basis, ("liquid", "crystal"), options))
    liquid = result.summary["candidates"][0]
    assert liquid["saddle"] and result.summary["saddles"][0] == "liquid"
    assert liquid["towards"]["energy"] < liquid["energy"] - 1e-4 and liquid["phase"] == "liquid"
    held = compete(candidates(torus, basis, ("liquid",), QUICK)).summary["energies"]["liquid"]
    assert liquid["energy"] == pytest.approx(held, abs=1e-9)


def test_the_papers_label_follows_its_cuts() -> None:
    assert paper_label({"electron": 4701.0, "hole": 9403.0}) == "liquid"
    assert paper_label({"electron": 5000.0, "hole": 15000.0}) == "hole-crystal"
    assert paper_label({"electron": 9000.0, "hole": 9000.0}) == "electron-crystal"
    assert paper_label({"electron": 9000.0, "hole": 12000.0}) == "crystal"


def test_a_stopped_competition_resumes_where_it_was() -> None:
    found = candidates(balanced(), triangular_basis(N, 6.0, 4, crystal=False), ("liquid", "condensate",
                                                                                       "hole-crystal"), QUICK)
    kept: list[CompetitionResult] = []
    whole = compete(found, Hooks(checkpoint=kept.append))
    assert [len(r.summary["candidates"]) for r in kept] == [1, 2, 3]
    assert kept[0].status is Status.interrupted
    told: list[str] = []
    again = compete(found, Hooks(kept[1], True, progress=told.append))
    assert again.summary["energies"] == whole.summary["energies"] and again.status is Status.converged
    assert all(text.startswith("hole-crystal") for text in told)
    stopped = compete(found, Hooks(should_stop=lambda: Status.timeout))
    assert stopped.status is Status.timeout


def test_a_verdict_is_open_while_a_candidate_is_not_converged() -> None:
    hurried = Options(stability="none", tolerance=1e-7, max_iterations=3)
    found = candidates(balanced(), triangular_basis(N, 6.0, 4, crystal=False), ("liquid", "condensate",
                                                                                       "hole-crystal"), hurried)
    s = compete(found).summary
    assert s["statuses"] == {"liquid": "converged", "condensate": "converged", "hole-crystal": "not_converged"}
    assert s["margin"] > s["numerical_error"] and not s["resolved"]  # the crystal may yet come down below both
    assert s["reason"] == "hole-crystal: not_converged"
    stopped = compete(found[:2], Hooks(should_stop=lambda: Status.timeout)).summary
    assert not stopped["resolved"] and "condensate: not computed" in stopped["reason"]


def test_a_study_runs_to_a_table_and_a_figure(tmp_path) -> None:
    result = run(make_study(study()), tmp_path / "out")
    assert result.status is Status.converged and (tmp_path / "out" / "figure.png").stat().st_size > 10_000
    table = dict(kinds.rows(result))
    assert table["winner"] == result.summary["winner"] and set(COMPETING) <= set(table)
    assert result.summary["energies_meV"].keys() == result.summary["energies"].keys()
    assert figure(Result.load(tmp_path / "out" / "result.nc")) is not None


@pytest.mark.parametrize(("changes", "key"), [
    ({"phases": {"candidates": ["unknown"]}}, "phases.candidates"),
    ({"phases": {"candidates": ["trion-crystal"]}}, "phases.candidates"),
    ({"density": {"electrons_per_hole": 2}, "phases": {"candidates": ["condensate"]}}, "phases.candidates"),
    ({"cell": {"zero_mode": None}}, "cell.zero_mode"),
    ({"cell": {"holes": 9, "hexagon": 4}, "hartree_fock": {"electron_spin": "unrestricted"}}, "cell.holes"),
])
def test_what_cannot_compete_is_refused(changes: dict, key: str) -> None:
    data = study(**changes)
    data["phases"] = changes.get("phases", {})
    data["cell"] = {k: v for k, v in data["cell"].items() if v is not None}
    with pytest.raises(InputError, match=key):
        prepare(make_study(data))


def test_losers_are_known_to_a_hundredth_of_what_they_lack() -> None:
    layers = Bilayer.of(spacing=1.0, rs_hole=6, electron_mass=0.5, hole_mass=1.0)
    torus = Torus(layers, 4, zero_mode="madelung", electron_spin="polarized", hole_spin="polarized")
    found = phases(torus, ["hole-crystal", "crystal", "condensate"], spins="all", tolerance=1e-6, stability="none")
    rows = {row.name: row for row in found.candidates}
    winner, crystal = rows["condensate"], rows["crystal"]
    assert found.winner == "condensate" and winner.basis_error < 2e-6 and winner.energy == found.lowest_energy
    spin = {c: s for c, s in (part.split("s ") for part in crystal.spin_arrangement.split(", "))}
    alone = replace(torus, electron_spin=spin["electron"], hole_spin=spin["hole"])
    cells = 2 if "unrestricted" in spin.values() else 1
    exact = hartree_fock(alone, "crystal", symmetry="crystal", holes_per_cell=cells, spin_order="stripe",
                         tolerance=1e-7)
    error = crystal.energy - exact.energy / 4
    assert 1e-6 < error < min(1.5 * crystal.basis_error + crystal.solver_error, 0.012 * found.margin)
    assert crystal.basis_size < exact.basis_size and error < found.numerical_error


def test_one_state_is_converged_once_under_its_own_name() -> None:
    layers = Bilayer.of(spacing=3.0, rs_hole=12, electron_mass=0.5, hole_mass=1.0)
    found = phases(Torus(layers, 4, zero_mode="madelung"), ["electron-crystal", "crystal"], tolerance=1e-4,
                   stability="none")
    twin, crystal = found.candidates
    assert (twin.phase, twin.left_out, crystal.left_out) == ("crystal", "it became the crystal", "")
    assert (twin.energy, twin.spin_arrangement) == (crystal.energy, crystal.spin_arrangement)


def test_the_lowest_is_converged_to_the_tolerance_from_wherever_it_starts() -> None:
    row = CandidateRow("crystal", Status.converged, -1.0, "crystal")
    torus = Torus(Bilayer.of(spacing=1.0, rs_hole=6, electron_mass=0.5, hole_mass=1.0), 4, zero_mode="none")
    options = Options(tolerance=1e-6, basis_tolerance=1e-6)
    candidate = Candidate("liquid", torus, PlaneWaveBasis(torus.box, hexagon_waves(torus.box, 2)), options)
    assert needed(candidate, -1.5, [row]) == needed(candidate, -1.0, [row]) == needed(candidate, -0.9, []) == 1e-6
    assert needed(candidate, -0.8, [row]) == pytest.approx(0.2 / 2 / 100)  # two particles per hole
    poor = within(candidate, 1e-3).options
    assert (poor.basis_tolerance, poor.tolerance) == (1e-3, 1e-4)
