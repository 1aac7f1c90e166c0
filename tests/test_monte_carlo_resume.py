"""Long runs of Monte Carlo: broken off anywhere and gone on with, to the same digits; any number of workers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ehbilayer
from ehbilayer import InputError, Status, make_study, run
from ehbilayer.hooks import Hooks
from ehbilayer.monte_carlo import calculation, walk
from ehbilayer.monte_carlo.state import PREFIX, SECONDS
from ehbilayer.monte_carlo.statistics import Series
from ehbilayer.monte_carlo.walk import packed, unpacked
from ehbilayer.results.base import Result
from ehbilayer.studies.task import Task, prepare

PAIR: dict[str, Any] = {
    "kind": "monte-carlo", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "spacing": 1},
    "density": {"hole": 0.0025, "electrons_per_hole": 1}, "cell": {"holes": 1},
    "hartree-fock": {"electron_spin": "polarized"},
    "monte-carlo": {"target_error": 4e-3, "walkers": 40, "samples": 400, "optimisation_steps": 2, "jastrow": 2}}
# keeps its state as often as it can
OFTEN = """
import json, sys
from ehbilayer.monte_carlo import calculation
from ehbilayer.run import runner
from ehbilayer.studies.file import make_study
calculation.OFFERED = runner.CHECKPOINT_SECONDS = 0.0
runner.run(make_study(json.loads(sys.argv[1])), sys.argv[2], resume=True)
"""


ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(ehbilayer.__file__).parents[1]), "OMP_NUM_THREADS": "1"}


def changed(**more: Any) -> dict[str, Any]:
    return PAIR | {"monte-carlo": PAIR["monte-carlo"] | more}


def raw(place: Path) -> bytes:
    """The content of the result there; none as long as there is none."""
    path = place / "result.nc"
    return path.read_bytes() if path.exists() else b""


def same(one: Result, other: Result) -> bool:
    """Whether all numbers but the time are the same, bit by bit."""
    return one.summary["energy"] == other.summary["energy"] and one.data.keys() == other.data.keys() and all(
        np.array_equal(one.data[name].values, other.data[name].values) for name in one.data)


def broken_off(task: Task, patience: int) -> tuple[Result, list[Result]]:
    """The end of a calculation that is asked to stop again and again, further and further apart; what was in between,
    each gone on with from the content of its file."""
    between: list[Result] = []
    while True:
        left = [patience]

        def stop(left: list[int] = left) -> Status | None:
            left[0] -= 1
            return Status.interrupted if left[0] < 0 else None

        before = Result.from_bytes(between[-1].to_bytes()) if between else None
        found = task.solve(Hooks(before, before is not None, should_stop=stop))
        if found.status is Status.converged:
            return found, between
        between.append(found)
        patience = 2 * patience + 1


@pytest.mark.parametrize("method", ["vmc", "dmc"])
@pytest.mark.parametrize("patience", [1, 40])
def test_broken_off_behind_any_step_it_goes_on_to_the_same_digits(method: str, patience: int) -> None:
    """Asked to stop at one question after the other, further and further apart, until it is through."""
    task = prepare(make_study(changed(method=method)))
    whole, (found, between) = task.solve(Hooks()), broken_off(task, patience)
    assert whole.status is Status.converged and not any(name.startswith(PREFIX) for name in whole.data)
    assert same(found, whole) and len({int(r.data[PREFIX + "numbers"].values[1]) for r in between}) >= 3


def test_twists_go_on_where_they_were() -> None:
    """Three twists of one hole, broken off in each of them and between them."""
    study = {"kind": "monte-carlo", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "spacing": 1},
             "density": {"rs_hole": 2, "electrons_per_hole": 0}, "cell": {"holes": 2},
             "monte-carlo": {"target_error": 0.02, "walkers": 20, "samples": 20, "optimisation_steps": 1, "twists": 3,
                             "method": "vmc"}}
    task = prepare(make_study(study))
    whole, (found, between) = task.solve(Hooks()), broken_off(task, 30)
    assert whole.status is Status.converged and not any(name.startswith(PREFIX) for name in whole.data)
    assert same(found, whole) and len(found.data["twists"].values) == 3
    assert {int(r.data[PREFIX + "twists"].values[0]) for r in between} >= {0, 1}
    assert all(r.status is Status.interrupted for r in between)


def test_what_is_offered_to_be_kept_can_be_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calculation, "OFFERED", 0.02)
    task, kept = prepare(make_study(PAIR)), []
    whole = task.solve(Hooks(checkpoint=lambda result: kept.append(result.to_bytes())))
    assert len(kept) > 10
    for raw in kept[:: len(kept) // 4]:
        before = Result.from_bytes(raw)
        assert before.status is Status.interrupted
        assert same(task.solve(Hooks(before, True)), whole)


def test_killed_it_goes_on_to_the_same_digits(tmp_path: Path) -> None:
    """kill -9 behind one and behind two more states that were kept."""
    (tmp_path / "x.json").write_text(json.dumps(PAIR))
    whole, out, kept = run(PAIR), tmp_path / "out", b""
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", OFTEN, json.dumps(PAIR), str(out)], env=ENVIRONMENT) as process:
            while (now := raw(out)) == kept:
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
        kept = now
        assert Result.load(out / "result.nc").status is Status.interrupted
    assert same(run(PAIR, out, resume=True), whole)


def test_time_goes_on_where_it_was(tmp_path: Path) -> None:
    """A run with max_time that is broken off has the rest of it alone."""
    study, began = make_study(changed(max_time=2.0, target_error=1e-9)), time.monotonic()

    def stop() -> Status | None:
        return Status.interrupted if time.monotonic() - began > 1.5 else None

    first = run(study, tmp_path, should_stop=stop)
    assert first.status is Status.interrupted
    before = float(first.data[SECONDS].values)
    second = run(study, tmp_path, resume=True)
    after = float(second.data[SECONDS].values)
    assert second.status is not Status.interrupted and before < after < before + 2.0


@pytest.mark.parametrize("workers", [2, 7])
def test_any_number_of_workers_gives_the_same_digits(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "WORTH", 0)  # else so few particles stay on one
    study = make_study(changed(target_error=6e-3))
    assert same(run(study, workers=workers), run(study, workers=1))


def test_pieces_make_up_all_walkers(monkeypatch: pytest.MonkeyPatch) -> None:
    for workers, count, particles in ((1, 20, 2), (2, 5, 2), (2, 20, 200), (3, 7, 1000), (8, 1001, 10)):
        met = np.zeros(count, dtype=int)

        def work(piece: slice, met: np.ndarray = met) -> None:
            met[piece] += 1

        walk.share_out(work, np.zeros((count, particles, 2)), workers)
        assert np.all(met == 1)


@pytest.mark.parametrize("workers", [0, -1, 1001])
def test_a_number_of_workers_that_cannot_be_is_refused(workers: int) -> None:
    with pytest.raises(InputError, match="--workers: must be an integer from 1 to 1000"):
        run(PAIR, workers=workers)


def test_a_stream_of_random_numbers_goes_on_where_it_was() -> None:
    random = np.random.default_rng(5)
    random.integers(0, 9, 3, dtype=np.uint32)  # half a word is left over
    again = unpacked(packed(random))
    assert np.array_equal(random.integers(0, 9, 5, dtype=np.uint32), again.integers(0, 9, 5, dtype=np.uint32))
    assert np.array_equal(random.standard_normal(50), again.standard_normal(50))


def test_a_series_keeps_its_rows() -> None:
    rows = np.arange(12.0).reshape(4, 3)
    series = Series(3, rows[:2])
    for row in rows[2:]:
        series.add(*row)
    assert len(series) == 4 and np.array_equal(series.table, rows)
    assert Series(3).table.shape == (0, 3)
