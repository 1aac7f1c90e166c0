"""Studies of kind "monte-carlo": from the file to the table and the page; refusals by key."""

import json
from pathlib import Path

import pytest

from ehbilayer import Bilayer, InputError, Torus, load, make_study, monte_carlo, run
from ehbilayer.monte_carlo.result import MonteCarloResult
from ehbilayer.studies import kinds
from ehbilayer.studies.task import prepare

STUDY = {"kind": "monte-carlo", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "spacing": 1},
         "density": {"hole": 0.0025, "electrons_per_hole": 1}, "cell": {"holes": 1},
         "hartree-fock": {"electron_spin": "polarized"},
         "monte-carlo": {"target_error": 3e-3, "walkers": 40, "samples": 400}}
# of the contract of a summary
KEYS = {"energy_per_hole", "error", "vmc", "time_step_error", "population_error", "finite_size", "acceptance",
        "autocorrelation", "trial", "condensate_fraction", "condensate_fraction_error", "bragg",
        "bragg_error", "rms_displacement", "contact", "contact_error", "phase"}


def changed(table: str, **more: object) -> dict:
    return STUDY | {table: STUDY.get(table, {}) | more}


def test_a_study_and_a_call_give_the_same_digits(tmp_path: Path) -> None:
    result = run(make_study(STUDY), directory=tmp_path / "out")
    assert isinstance(result, MonteCarloResult) and result.status.value == "converged"
    assert abs(result.energy_per_hole + 0.345312) < 4 * result.error <= 1.3e-2
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary.keys() >= KEYS and summary["vmc"].keys() >= {"energy_per_hole", "error", "variance"}
    assert load(tmp_path / "out").energy_per_hole == result.energy_per_hole
    bilayer = Bilayer.of(spacing=1.0, electron_mass=1.0, hole_mass=1.0, hole_density=0.0025)
    torus = Torus(bilayer, holes=1, zero_mode="madelung", electron_spin="polarized")
    called = monte_carlo(torus, "liquid", target_error=3e-3, walkers=40, samples=400)
    assert called.energy_per_hole == result.energy_per_hole
    rows = dict(kinds.rows(result))
    assert rows["trial"] == "liquid, by dmc" and "+-" in rows["energy/hole"]
    assert rows["phase"] == "liquid" and "electron-hole" in rows["g in contact"] and "+-" in rows["condensed"]
    assert len(kinds.figure(result).axes) == 5


def test_what_has_melted_is_told() -> None:
    torus = Torus(Bilayer.of(rs_hole=1, electrons_per_hole=0), holes=7, zero_mode="madelung")
    found = monte_carlo(torus, "crystal", method="vmc", target_error=1e-2, walkers=40, samples=400, jastrow=2)
    assert found.status.value == "converged" and found.phase == "liquid" and found.rms_displacement.hole is None
    assert found.advice.startswith("melted: the best crystal of holes is a liquid")
    rows = dict(kinds.rows(found))
    assert "melted" in rows["phase"] and "hole" in rows["Bragg weight"] and "condensed" not in rows
    assert len(kinds.figure(found).axes) == 5  # curves, and the density in place of the momentum distribution


@pytest.mark.parametrize(("tables", "words"), [
    (changed("cell", zero_mode="none"), r"cell.zero_mode: must be madelung"),
    (changed("monte-carlo", target_error=None), r"target_error: must be given, or max_time"),
    (changed("monte-carlo", time_steps=[1.0, 2.0]), r"time_steps: .* the larger first"),
    (changed("cell", holes=2), r"closes a shell"),
    (changed("bilayer", capacitor=True), r"capacitor"),
    (changed("monte-carlo", walkers=0), r"monte-carlo.walkers"),
    (changed("monte-carlo", trial="backflow"), r"monte-carlo.trial"),
])
def test_what_cannot_be_is_refused(tables: dict, words: str) -> None:
    tables["monte-carlo"] = {k: v for k, v in tables["monte-carlo"].items() if v is not None}
    with pytest.raises(InputError, match=words):
        prepare(make_study(tables))
