"""Competition by Monte Carlo: who competes, what a verdict needs, and a small competition from file and call."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ehbilayer import Bilayer, InputError, Torus, correlated_phases, load, make_study, run
from ehbilayer.hooks import Hooks
from ehbilayer.monte_carlo.competition import Effort, _Rounds, compete, contending, judge, lead
from ehbilayer.monte_carlo.contenders import field_of
from ehbilayer.monte_carlo.problem import MonteCarloProblem
from ehbilayer.papers import OWN, reproduction
from ehbilayer.papers.correlation.single_layer import Point, rows
from ehbilayer.papers.making import Workshop
from ehbilayer.phases.result import CandidateRow, CompetitionResult
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.task import prepare
from legal_studies import Patience

EQUAL = Bilayer.of(spacing=1.0, electron_mass=1.0, hole_mass=1.0, rs_hole=4)
STUDY = {"kind": "phases", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "spacing": 1},
         "density": {"rs_hole": 4, "electrons_per_hole": 1}, "cell": {"holes": 1},
         "hartree-fock": {"electron_spin": "polarized"},
         "phases": {"method": "monte-carlo", "candidates": ["liquid", "hole-crystal"]},
         "monte-carlo": {"method": "vmc", "target_error": 0.03, "walkers": 20, "samples": 40, "optimisation_steps": 1}}


def torus(holes: int, bilayer: Bilayer = EQUAL) -> Torus:
    return Torus(bilayer, holes=holes, zero_mode="madelung", electron_spin="polarized")


def row(phase: str, energy: float, error: float, **more: object) -> CandidateRow:
    return replace(CandidateRow(phase, Status.converged, energy, phase, error=error), **more)  # type: ignore[arg-type]


def changed(table: str, **more: object) -> dict:
    return STUDY | {table: STUDY.get(table, {}) | more}


def test_every_arrangement_takes_the_nearest_box_that_serves_it() -> None:
    field = field_of(torus(13), None, "all")
    assert [(c.name, c.torus.holes, c.torus.electron_spin) for c in field.contenders] == [
        ("liquid", 13, "polarized"), ("liquid", 14, "restricted"), ("hole-crystal", 13, "polarized"),
        ("electron-crystal", 13, "polarized"), ("crystal", 13, "polarized"), ("condensate", 13, "polarized"),
        ("condensate", 14, "restricted")]
    assert "hole-crystal, electrons in 2 flavours, holes in 1 flavour" in field.missing
    assert all(np.isclose(c.torus.area / c.torus.holes, field.contenders[0].torus.area / 13) for c in field.contenders)


def test_a_crystal_competes_on_its_own_lattice_alone() -> None:
    with pytest.raises(InputError, match="triangular crystal fits"):
        field_of(torus(14), ["crystal"], "given")
    with pytest.raises(InputError, match="closes a shell"):
        field_of(torus(14), ["liquid"], "given")
    with pytest.raises(InputError, match=r"candidates.*trion-crystal"):
        field_of(torus(7), ["trion-crystal"], "given")


def test_a_verdict_needs_three_standard_errors() -> None:
    verdict, sigma = judge([row("liquid", -1.0, 3e-3), row("condensate", -1.02, 4e-3)])
    assert (verdict.winner, verdict.runner_up, verdict.resolved) == ("condensate", "liquid", True)
    assert sigma == pytest.approx(4.0) and verdict.margin == pytest.approx(0.02)
    assert verdict.numerical_error == pytest.approx(0.015)
    verdict, sigma = judge([row("liquid", -1.0, 3e-3), row("condensate", -1.01, 4e-3)])
    assert not verdict.resolved and sigma == pytest.approx(2.0)
    # few walkers of a poor trial function are biased
    verdict, sigma = judge([row("liquid", -1.0, 3e-3, population_error=-0.012), row("condensate", -1.02, 4e-3)])
    assert not verdict.resolved and sigma == pytest.approx(0.02 / 0.013)
    # every phase counts, not the next one alone
    verdict, sigma = judge([row("liquid", -1.0, 3e-3), row("condensate", -1.02, 4e-3), row("crystal", -0.99, 0.05)])
    assert not verdict.resolved and verdict.winner == "condensate"
    assert sigma == pytest.approx(0.03 / np.hypot(0.05, 4e-3))


def test_a_competition_that_had_too_little_time_says_so() -> None:
    rounds = _Rounds(field_of(torus(7), ["liquid", "crystal"], "given"), Effort("vmc", 0.03), Hooks())
    rounds.rows = {0: row("liquid", -1.0, 1e-3), 1: row("crystal", -0.9, 1e-3, status=Status.not_converged)}
    result = rounds.result(None)
    assert result.status is Status.not_converged and not result.resolved and "max_time" in result.advice
    rounds.rows[1] = row("crystal", -0.9, 1e-3)
    assert rounds.result(None).status is Status.converged and not rounds.result(None).advice


def test_size_formulas_may_take_a_verdict_away_but_give_none() -> None:
    liquid, pairs = row("liquid", -1.02, 1e-3, size_correction=0.018), row("condensate", -1.0, 1e-3)
    assert lead(liquid, pairs) == pytest.approx(0.002) and not judge([liquid, pairs])[0].resolved
    assert lead(pairs, replace(liquid, energy=-0.999)) == pytest.approx(0.001)


def test_effort_goes_to_those_that_may_win() -> None:
    rows = [row("liquid", -1.0, 1e-3), row("condensate", -1.006, 1e-3), row("crystal", -0.98, 1e-3)]
    assert [r.name for r in contending(rows)] == ["liquid", "condensate"]
    assert len(contending([*rows[:2], replace(rows[2], time_step_error=0.03)])) == 3


def test_an_energy_far_above_the_lowest_needs_no_target() -> None:
    """It ends with the fewest steps, well, and with an error that its distance makes small enough."""
    problem = MonteCarloProblem.of(torus(1), "liquid", method="dmc", target_error=1e-9, max_time=600, walkers=50,
                                   time_steps=(0.4, 0.2), seed=0, jastrow=0, optimisation_steps=0, samples=50)
    far = replace(problem, ceiling=-0.9).solve(Hooks())  # a pair's is about -0.57
    assert far.status is Status.converged and far.energy_per_hole - 5 * far.error > -0.9
    assert len(far.dmc) == 2 and all(step.steps < 3000 for step in far.dmc)


def test_a_study_and_a_call_give_the_same_digits(tmp_path: Path) -> None:
    result = run(make_study(STUDY), directory=tmp_path / "out")
    assert isinstance(result, CompetitionResult) and result.method == "monte-carlo"
    called = correlated_phases(torus(1), ["liquid", "hole-crystal"], method="vmc", target_error=0.03, walkers=20,
                               samples=40, optimisation_steps=1)
    assert called.energies == result.energies and called.margin_sigma == result.margin_sigma
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["method"] == "monte-carlo"
    first = summary["candidates"][0]
    assert first["error"] > 0 and first["vmc"].keys() >= {"energy_per_hole", "error", "variance"}
    assert load(tmp_path / "out").candidates == result.candidates
    assert result.ended_as == {"liquid": "liquid", "hole-crystal": "liquid"}  # one pair is no condensate
    assert result.winner == "liquid" and result.margin is None
    rows = dict(kinds.rows(result))
    assert rows["theory"] == "Monte Carlo" and "+-" in rows["liquid"]
    assert kinds.figure(result).axes


def test_it_goes_on_where_it_was_interrupted() -> None:
    field, kept = field_of(torus(1), ["liquid", "hole-crystal"], "given"), []
    effort = Effort("vmc", 0.03, walkers=20, samples=40, optimisation_steps=1)
    whole = compete(field, effort, Hooks(checkpoint=kept.append))
    stopped = compete(field, effort, Hooks(should_stop=Patience(2)))
    assert stopped.status is Status.timeout and not stopped.candidates
    again = compete(field, effort, Hooks(initial=kept[0], resumed=True))
    assert len(kept[0].candidates) == 1 and again.energies == whole.energies


@pytest.mark.parametrize(("tables", "words"), [
    (changed("cell", zero_mode="none"), r"cell.zero_mode: must be madelung"),
    (changed("phases", candidates=["stripes"]), r"phases.candidates: must be of liquid"),
    (changed("cell", holes=2), r"closes a shell"),
    (changed("bilayer", capacitor=True), r"capacitor"),
    (STUDY | {"monte-carlo": {}}, r"target_error: must be given, or max_time"),
])
def test_what_cannot_be_is_refused(tables: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        prepare(make_study(tables))


def test_open_shells_compete_at_a_twist() -> None:
    work = STUDY["monte-carlo"]
    given = changed("cell", holes=4)
    with pytest.raises(InputError, match="closes a shell"):
        prepare(make_study(given))
    lines = "\n".join(prepare(make_study(given | {"monte-carlo": work | {"twists": [0.25, 0.1]}})).lines)
    assert "4 electrons polarized, 4 holes polarized" in lines
    pairs = given | {"phases": {"method": "monte-carlo", "candidates": ["crystal", "liquid"]}}
    assert prepare(make_study(pairs | {"monte-carlo": work | {"twists": 2}})).lines


def test_the_usual_box_serves_the_spins() -> None:
    free = STUDY | {"cell": {}, "phases": {"method": "monte-carlo"}}
    lines = "\n".join(prepare(make_study(free)).lines)
    assert "19 electrons polarized, 19 holes polarized" in lines
    lines = "\n".join(prepare(make_study(free | {"hartree-fock": {}})).lines)
    assert "13 electrons polarized" in lines and "14 electrons restricted, 14 holes restricted" in lines


def test_our_own_results_are_computed_again(tmp_path: Path) -> None:
    """The quick way, one pair by its trial functions alone; the full studies prepare."""
    for name in (n for n in OWN if n.startswith("correlation")):
        figure = reproduction(name)
        assert all(prepare(make_study(tables)).lines for tables in figure.studies(False).values())
    workshop = Workshop(tmp_path, quick=True)
    made = workshop.make(reproduction("correlation:mass-ratio"))
    assert made.good and [row.quantity for row in made.rows] == [
        f"ratio 10, d = 1 a_h, r_s = 10: {what}" for what in ("winner", "liquid", "hole-crystal")]
    assert all("+-" in row.ours for row in made.rows[1:])
    layer = workshop.make(reproduction("correlation:single-layer"))
    assert layer.good and [row.published for row in layer.rows] == ["-0.084567"]


def test_a_single_layer_stands_beside_the_published_energies() -> None:
    """The verdict knows all errors; of liquid and crystal the difference is told, or that it is not resolved."""
    crystal, liquid = Point("crystal", 40.0, 19, 1e-5), Point("polarised", 40.0, 19, 1e-5)

    def result(energy: float, error: float, law: float) -> SimpleNamespace:
        return SimpleNamespace(error=error, twist_error=None,
                               finite_size=SimpleNamespace(energy_per_hole=energy, law_error=law))

    found = rows({crystal.name: result(crystal.published + 2.5e-5, 6e-6, 8e-6),
                  liquid.name: result(liquid.published + 4e-5, 8e-6, 0.0)})
    assert [row.verdict for row in found] == ["agrees", "differs", "NOT RESOLVED"]
    assert crystal.published == pytest.approx(-0.024431, abs=1e-6)
