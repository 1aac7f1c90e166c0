"""Studies of figures on several processes: same results, longest first, what fails, what is stopped, what is kept."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ehbilayer import cli
from ehbilayer.errors import InputError
from ehbilayer.papers import reproduction
from ehbilayer.papers.dai_fu.classical_studies import energies, monolayer
from ehbilayer.papers.making import Workshop, make_all
from ehbilayer.papers.record import AGREES, Reproduction, Results, Row, said
from ehbilayer.results.base import Result
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status
from ehbilayer.sweep import many
from ehbilayer.sweep.many import expected, jobs_of, points_of, run_many

SWEEP = energies(["checkerboard", "honeycomb"], [2.0, 4.0, 6.0])
STUDIES = {"a-layer": monolayer(), "two-crystals": SWEEP}
ENDLESS = {"kind": "hartree-fock", "bilayer": {"electron_mass": 0.5, "hole_mass": 1.0, "spacing": 1.0},
           "density": {"rs_hole": 5.0, "electrons_per_hole": 1},
           "cell": {"shape": "triangular", "holes": 36, "hexagon": 7, "zero_mode": "none"},
           "hartree-fock": {"start": "random", "stability": "none", "tolerance": 1e-13, "max_iterations": 100_000}}


class Told(Reporter):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def progress(self, text: str) -> None:
        self.lines.append(text)

    note = warn = progress


def never() -> None:
    return None


def figure(name: str, studies: dict[str, Any], rows: Any = None) -> Reproduction:
    """A reproduction without a picture; by default it states that all of its studies have converged."""
    def converged(results: Results) -> list[Row]:
        return [said(f"{key} converged", r.status is Status.converged, r.status.value) for key, r in results.items()]

    return Reproduction(name, "made up", "nowhere", lambda quick: studies, None, rows or converged,
                        lambda results: "Numbers only.")


# -- what is computed first --


def test_longest_first_and_long_sweeps_are_divided(tmp_path: Path) -> None:
    long = reproduction("nashabeh-fu:2").studies(False)
    jobs = jobs_of(STUDIES | long, tmp_path.joinpath, workers=3, force=False)
    assert [job.part for job in jobs] == ["1/3", "2/3", "3/3", None, None]
    times = [expected(job.tables) for job in jobs]
    assert times == sorted(times, reverse=True)
    assert all(job.threads == 1 for job in jobs)
    alone = jobs_of(STUDIES | long, tmp_path.joinpath, workers=1, force=False)
    assert [job.part for job in alone] == [None] * 3


def test_points_of_lists_and_ranges() -> None:
    assert points_of(SWEEP) == 6
    assert points_of({"kind": "phases", "sweep": {"a.b": [1, 2], "c.d": {"start": 0, "stop": 1, "count": 5},
                                                   "mode": "grid", "keep": ["x"]}}) == 10
    assert points_of(monolayer()) is None


def test_points_of_another_grid_do_not_count(tmp_path: Path) -> None:
    extended = energies(["checkerboard", "honeycomb"], [2.0, 4.0, 6.0, 8.0])
    jobs = [jobs_of({"crystals": tables}, tmp_path.joinpath, workers=1, force=False)[0] for tables in (extended, SWEEP)]
    assert many._how_far(jobs[0]) == "crystals (0/8)"
    for job in jobs:
        answer = many.compute(replace(job, force=job is jobs[1]), never)
        assert answer.result is not None and answer.result.status is Status.converged
        assert many._how_far(job) == f"crystals ({points_of(job.tables)}/{points_of(job.tables)})"


# -- the same results --


def results(place: Path, workers: int) -> tuple[dict[str, Result], list[str]]:
    told = Told()
    return dict(run_many(STUDIES, place, workers=workers, reporter=told)), told.lines


def test_results_do_not_depend_on_the_number_of_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = results(tmp_path / "one", 1)
    monkeypatch.setattr(many, "DIVIDED", 0.0)  # so that even this sweep is divided
    two, told = results(tmp_path / "two", 2)
    assert sorted(one) == sorted(two) == sorted(STUDIES)
    for name in STUDIES:
        assert one[name].provenance.hash == two[name].provenance.hash
        assert one[name].status is two[name].status is Status.converged
        for key, array in one[name].data.items():
            if "seconds" not in key:
                np.testing.assert_array_equal(two[name].data[key].values, array.values, err_msg=key)
        assert (tmp_path / "two" / name / "result.nc").exists()
    assert [line.split()[0] for line in told if ": converged" in line] == ["1/2", "2/2"]
    assert any("in work: " in line for line in told)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "two").rglob("*.nc")}
    results(tmp_path / "two", 2)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "two").rglob("*.nc")} == before


# -- what fails --


def test_a_study_that_fails_is_named_and_costs_no_other_figure(tmp_path: Path,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"kind": "phonons", "bilayer": {"hole_mass": 1.0}, "density": {"rs_hole": 30.0, "electrons_per_hole": 0},
             "crystal": {"structure": "no such structure"}}

    def broken(results: Results) -> list[Row]:
        raise ZeroDivisionError("made up")

    figures = [figure("x:bad", {"wrong": wrong, "a-layer": STUDIES["a-layer"]}), figure("x:good", dict(STUDIES)),
               figure("x:broken", {"a-layer": STUDIES["a-layer"]}, broken)]
    told: list[str] = []
    assert make_all(figures, tmp_path, told.append, workers=2, codes=(3, 130)) == 3
    content = json.loads((tmp_path / "table.json").read_text())
    assert sorted(content["failed"]) == ["x:bad", "x:broken"]
    assert "wrong: " in content["failed"]["x:bad"] and "no such structure" in content["failed"]["x:bad"]
    assert content["failed"]["x:broken"] == "ZeroDivisionError: made up"
    assert [row["id"] for row in content["rows"]] == ["x:good"] * 2
    assert content["verdicts"] == {AGREES: 2}
    assert any(line.startswith("x:bad: ") for line in (tmp_path / "table.txt").read_text().splitlines())
    assert sorted(p.name for p in tmp_path.glob("x-*")) == ["x-good.txt"]  # numbers without a picture


@pytest.mark.parametrize("workers", [0, -1, 5000])
def test_a_number_of_workers_that_cannot_be_is_refused(workers: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--workers"):
        Workshop(tmp_path / "new", workers=workers).make(figure("x:1", dict(STUDIES)))
    assert not (tmp_path / "new").exists()


def test_a_directory_that_cannot_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert cli.execute(["reproduce", "dai-fu:2", "--quick", "-o", str(tmp_path / "file")]) == cli.EXIT_INPUT
    assert "a directory" in capsys.readouterr().err


# -- what is stopped --


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_reaches_the_studies_in_work_and_keeps_their_state(tmp_path: Path, workers: int) -> None:
    names = ("first", "second")[:workers]
    studies = {"first": ENDLESS, "second": ENDLESS | {"density": {"rs_hole": 6.0, "electrons_per_hole": 1}},
               "third": monolayer()}
    for wait in (0.2 * 2**n for n in range(10)):  # seconds until it is stopped: however long a machine takes to iterate
        begun: list[float] = []

        def stop(wait: float = wait, begun: list[float] = begun) -> Status | None:
            if not begun and all((tmp_path / name).is_dir() for name in names):
                begun.append(time.monotonic())
            return Status.interrupted if begun and time.monotonic() - begun[0] > wait else None

        found = dict(run_many(studies, tmp_path, workers=workers, should_stop=stop))
        assert [result.status for result in found.values()] == [Status.interrupted]
        assert not (tmp_path / "third").exists()
        kept = Result.load(tmp_path / "first" / "result.nc") if (tmp_path / "first" / "result.nc").exists() else None
        if kept is not None and kept.summary["iterations"] > 0:
            break
    assert kept is not None
    assert kept.status is Status.interrupted and kept.summary["iterations"] > 0
    assert many._status(tmp_path / "first") in many.STOPPED  # so that the next call goes on from it


def test_a_signal_ends_the_command_with_its_workers(tmp_path: Path) -> None:
    code = ("import sys; from ehbilayer import cli, papers as reproduce; "
            "from ehbilayer.run import watchdog; from test_reproduce_workers import figure, ENDLESS; "
            "watchdog.GRACE_SECONDS = 100; reproduce.chosen = lambda name: [figure('x:1', {'endless': ENDLESS}), "
            "figure('x:2', {'other': ENDLESS | {'density': {'rs_hole': 6.0, 'electrons_per_hole': 1}}})]; "
            f"sys.argv = ['ehb', 'reproduce', 'all', '--workers', '2', '-o', {str(tmp_path)!r}]; cli.main()")
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=os.environ | {"PYTHONPATH": path})
    wait_for(lambda: all((tmp_path / "results" / name).is_dir() for name in ("endless", "other")), 500)
    workers = [pid for pid in children(process.pid) if "spawn_main" in command(pid)]
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=500)
    assert process.returncode == cli.EXIT_INTERRUPTED, errors
    assert "interrupted: 0 of 2" in out and errors.startswith("warning: stopping") and errors.count("\n") == 1
    assert len(workers) == 2 and not [pid for pid in workers if alive(pid)]


def _sleep(seconds: float, should_stop: Any) -> None:
    time.sleep(seconds)


def test_workers_end_with_a_process_that_is_killed() -> None:
    code = ("import test_reproduce_workers as t; from ehbilayer.numerics import parallel; "
            "list(parallel.each(t._sleep, [60.0, 60.0], workers=2))")
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path})
    try:
        wait_for(lambda: len([p for p in children(process.pid) if "spawn_main" in command(p)]) >= 2, 500)
        workers = children(process.pid)
    finally:
        process.kill()
        process.wait()
    wait_for(lambda: not any(alive(pid) for pid in workers), 500)


def children(parent: int) -> list[int]:
    """Processes that this one started and that run."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        if f"PPid:\t{parent}\n" in text(path / "status") and alive(int(path.name)):
            found.append(int(path.name))
    return found


def text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def command(pid: int) -> str:
    return text(Path(f"/proc/{pid}/cmdline"))


def alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    status = text(Path(f"/proc/{pid}/status"))
    return bool(status) and "State:\tZ" not in status


def wait_for(condition: Any, limit: float) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)
