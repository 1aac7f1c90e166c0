"""Running studies: what is left behind, what is reused, how runs stop. Mostly with a stand-in for the solver."""

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import ehbilayer
import made_up
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock import problem
from ehbilayer.hartree_fock.starts import How
from ehbilayer.hooks import ENDING, URGENT
from ehbilayer.orbitals import Determinant, Orbitals
from ehbilayer.results.base import Result, ResultFileError, Variable
from ehbilayer.run import runner, stopping
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status
from ehbilayer.studies.file import Study, make_study
from ehbilayer.studies.task import Task, prepare
from ehbilayer.torus import Torus


class FakeSolver:
    """Stands in for `hartree_fock.solver.solve`: iterates up to ``steps`` times, remembers how it was called."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.steps, self.status, self.each = 3, Status.converged, lambda i: None

    def __call__(self, torus: Torus, basis: Any, options: Any, how: How, **kw: Any) -> Result:
        self.calls.append(kw)
        assert how.progress is not None and how.checkpoint is not None and how.should_stop is not None
        for i in range(self.steps):
            how.progress({"start": 1, "starts": 1, "iteration": i, "energy": -1.0, "energy_per_particle": -0.25,
                          "residual": 1e-3, "target": 1e-8})
            self.each(i)
            how.checkpoint(self.result(torus, Status.interrupted, i))
            stop = how.should_stop()
            if stop is not None:
                return self.result(torus, stop, i)
        return self.result(torus, self.status, self.steps)

    @staticmethod
    def result(torus: Torus, status: Status, i: int) -> Result:
        holes = Determinant("hole", "hole", 1, np.ones((1, 1, 1), complex), np.ones(1))
        state = Orbitals(torus.box, np.zeros((1, 2), int), (holes,), np.eye(2, dtype=int))
        return made_up.state(
            status=status, total_energy=-1.0, energy_per_particle=-0.25, gap_error=float("nan"), iterations=i,
            gap={"electron": None, "hole": np.float64(0.5)}, inputs=state.parameters,
            data={"x": Variable(("n",), np.arange(3.0), "a_h", ""), **state.variables()})


class Listener(Reporter):
    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.planned = 0

    def plan(self, prepared: Any) -> None:
        self.planned += 1

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def solver(monkeypatch: pytest.MonkeyPatch) -> FakeSolver:
    fake = FakeSolver()
    monkeypatch.setattr(problem, "solve", fake)
    monkeypatch.setattr(runner, "draw", lambda result, place: (place / "figure.png").write_bytes(b"drawn"))
    return fake


def study(*overrides: str) -> Study:
    return make_study({"kind": "hartree-fock", "bilayer": {"hole_mass": 0.4, "dielectric": 4.7},
                       "density": {"rs_hole": 8.0, "electrons_per_hole": 0},
                       "cell": {"holes": 4, "hexagon": 3, "zero_mode": "none", "symmetry": "crystal"},
                       "condensate": {"limit": "thermodynamic"}}, overrides)


def test_real_run_from_python(tmp_path: Path) -> None:
    result = ehbilayer.run(study("hartree-fock.tolerance=1e-6"))
    assert result.status is Status.converged and list(tmp_path.iterdir()) == []
    assert result.summary["energy_per_particle"] * 4 == pytest.approx(result.energy)
    assert result.provenance.resolved["cell"]["basis_size"] == 37


def test_summary_is_complete(tmp_path: Path, solver: FakeSolver) -> None:
    runner.run(study(), tmp_path / "out", reporter=Listener())
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["figure.png", "result.nc", "summary.json"]

    def refuse(word: str) -> None:
        raise AssertionError(f"not strict JSON: {word}")

    summary = json.loads((tmp_path / "out" / "summary.json").read_text(), parse_constant=refuse)
    assert {"kind", "status", "units", "wall_seconds", "backend", "seed", "versions", "format_version",
            "ignored"} <= set(summary)
    assert summary["status"] == "converged" and summary["ignored"] == ["condensate.limit"]
    assert summary["particles"] == {"electron": None, "hole": 4} and summary["gap_error"] is None
    hartree = summary["units"]["Ha_h_meV"]
    assert hartree == pytest.approx(27211.386 * 0.4 / 4.7**2, rel=1e-6)
    assert summary["gap_meV"] == {"electron": None, "hole": pytest.approx(hartree / 2)}
    assert summary["energy_per_particle_kelvin"] == pytest.approx(-0.25 * summary["units"]["Ha_h_kelvin"])
    loaded = Result.load(tmp_path / "out" / "result.nc")
    assert loaded.summary == summary and [c["label"] for c in loaded.inputs["channels"]] == ["hole"]
    assert loaded.provenance.study["hartree-fock"]["tolerance"] == 1e-8  # defaults included


def test_no_real_units_without_a_device(solver: FakeSolver) -> None:
    data = study().canonical() | {"bilayer": {}}
    bare = make_study({k: {a: b for a, b in v.items() if b is not None} if isinstance(v, dict) else v
                       for k, v in data.items()}, ["cell.shape=triangular"])
    summary = runner.run(bare).summary
    assert "energy_meV" not in summary and set(summary["units"]) == {"length", "density", "energy", "pressure",
                                                                     "temperature"}


def test_same_inputs_are_answered_at_once(tmp_path: Path, solver: FakeSolver) -> None:
    first = runner.run(study(), tmp_path)
    (tmp_path / "summary.json").unlink()
    listener = Listener()
    again = runner.run(study(), tmp_path, reporter=listener)
    assert len(solver.calls) == 1 and listener.planned == 0 and "already" in listener.notes[0]
    assert again.summary == first.summary and (tmp_path / "summary.json").is_file()
    runner.run(study(), tmp_path, force=True)
    assert len(solver.calls) == 2


def test_other_inputs_are_refused_unless_forced(tmp_path: Path, solver: FakeSolver) -> None:
    runner.run(study(), tmp_path)
    before = (tmp_path / "result.nc").read_bytes()
    for resume in (False, True):
        with pytest.raises(InputError, match="--force"):
            runner.run(study("density.rs_hole=9"), tmp_path, resume=resume)
    assert (tmp_path / "result.nc").read_bytes() == before and len(solver.calls) == 1
    runner.run(study("density.rs_hole=9"), tmp_path, force=True)
    assert Result.load(tmp_path / "result.nc").provenance.study["density"]["rs_hole"] == 9.0


@pytest.mark.parametrize("status", [Status.interrupted, Status.timeout, Status.not_converged])
def test_resume_goes_on_from_an_unfinished_state(tmp_path: Path, solver: FakeSolver, status: Status) -> None:
    solver.status = status
    runner.run(study(), tmp_path)
    assert runner.run(study(), tmp_path).status is status and len(solver.calls) == 1  # reported, not computed
    solver.status = Status.converged
    result = runner.run(study(), tmp_path, resume=True)
    assert solver.calls[1]["unfinished"].status is status and solver.calls[1]["initial"].box.area > 0
    assert result.status is Status.converged
    runner.run(study(), tmp_path, resume=True)
    assert len(solver.calls) == 2  # nothing left to do


def test_resume_without_anything_there_begins(tmp_path: Path, solver: FakeSolver) -> None:
    assert runner.run(study(), tmp_path / "new", resume=True).status is Status.converged
    assert solver.calls[0] == {"initial": None, "unfinished": None}


def test_a_study_starts_from_another_result(tmp_path: Path, solver: FakeSolver) -> None:
    runner.run(study(), tmp_path / "one")
    for start in (tmp_path / "one", tmp_path / "one" / "result.nc"):
        other = study("density.rs_hole=9", f"hartree-fock.start={start}")
        runner.run(other, tmp_path / f"two-{start.suffix}")
        assert solver.calls[-1]["initial"].box.area == pytest.approx(4 * np.pi * 8.0**2)
        assert solver.calls[-1]["unfinished"] is None
    (tmp_path / "one" / "result.nc").write_bytes(b"\x89HDF truncated")
    with pytest.raises(ResultFileError, match=r"result\.nc"):
        runner.run(study(f"hartree-fock.start={tmp_path / 'one'}"), tmp_path / "three")
    assert not (tmp_path / "three").exists()


def test_the_start_file_is_part_of_the_inputs(tmp_path: Path, solver: FakeSolver) -> None:
    runner.run(study(), tmp_path / "one")
    child = study("density.rs_hole=9", f"hartree-fock.start={tmp_path / 'one'}")
    runner.run(child, tmp_path / "two")
    runner.run(study("hartree-fock.seed=1"), tmp_path / "one", force=True)
    with pytest.raises(InputError, match="--force"):
        runner.run(child, tmp_path / "two")


def test_a_damaged_result_is_named_set_aside_and_recomputed(tmp_path: Path, solver: FakeSolver) -> None:
    runner.run(study(), tmp_path)
    raw = (tmp_path / "result.nc").read_bytes()
    (tmp_path / "result.nc").write_bytes(raw[: len(raw) // 2])
    listener = Listener()
    assert runner.run(study(), tmp_path, reporter=listener).status is Status.converged
    assert "result.nc.corrupt" in listener.warnings[0] and (tmp_path / "result.nc.corrupt").is_file()
    assert len(solver.calls) == 2


def test_a_newer_result_is_refused_and_kept(tmp_path: Path, solver: FakeSolver,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("ehbilayer.results.netcdf.FORMAT_VERSION", 4)
        runner.run(study(), tmp_path)
    with pytest.raises(InputError, match="newer format 4"):
        runner.run(study(), tmp_path)
    assert [p.name for p in tmp_path.glob("*corrupt*")] == []


def test_places_that_cannot_be_written(tmp_path: Path, solver: FakeSolver) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="file"):
            runner.run(study(), place)
    assert solver.calls == []


def test_checkpoints_are_written_now_and_then(tmp_path: Path, solver: FakeSolver,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []

    def look(i: int) -> None:
        if (tmp_path / "result.nc").exists():
            loaded = Result.load(tmp_path / "result.nc")
            seen.append((loaded.status.value, loaded.summary["iterations"]))

    solver.each = look
    runner.run(study(), tmp_path)
    assert seen == []  # never that soon
    monkeypatch.setattr(runner, "CHECKPOINT_SECONDS", 0.0)
    runner.run(study(), tmp_path, force=True)
    assert seen[1:] == [("interrupted", 0), ("interrupted", 1)]


def test_a_failing_checkpoint_does_not_end_the_run(tmp_path: Path, solver: FakeSolver,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "CHECKPOINT_SECONDS", 0.0)
    save = Result.save

    def full_disk(self: Result, path: Path) -> None:
        if self.status is Status.interrupted:
            raise ResultFileError(path, "cannot be written: no space left on device", "free some space")
        save(self, path)

    monkeypatch.setattr(Result, "save", full_disk)
    listener = Listener()
    assert runner.run(study(), tmp_path, reporter=listener).status is Status.converged
    assert len(listener.warnings) == 3 and "no space left" in listener.warnings[0]


def test_a_figure_never_costs_a_result(tmp_path: Path, solver: FakeSolver, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(result: Result, place: Path) -> None:
        raise RuntimeError("no fonts")

    monkeypatch.setattr(runner, "draw", broken)
    listener = Listener()
    assert runner.run(study(), tmp_path, reporter=listener).status is Status.converged
    assert listener.warnings == ["no figure: RuntimeError: no fonts"]


def test_stop_file(tmp_path: Path, solver: FakeSolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "LOOK_SECONDS", 0.0)
    solver.each = lambda i: (tmp_path / "STOP").touch() if i == 1 else None
    result = runner.run(study(), tmp_path)
    assert result.status is Status.interrupted and result.summary["iterations"] == 1
    assert Result.load(tmp_path / "result.nc").status is Status.interrupted
    with pytest.raises(InputError, match="STOP"):
        runner.run(study(), tmp_path, resume=True)
    (tmp_path / "STOP").unlink()
    solver.each = lambda i: None
    assert runner.run(study(), tmp_path, resume=True).status is Status.converged


def test_time_limit(tmp_path: Path, solver: FakeSolver, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(stopping, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    solver.each = lambda i: clock.append(clock.pop() + 2)
    result = runner.run(study(), tmp_path, max_time=1)
    assert result.status is Status.timeout and result.summary["iterations"] == 0
    assert runner.run(study(), tmp_path, resume=True).summary["wall_seconds"] > result.summary["wall_seconds"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_stops_at_the_next_iteration(tmp_path: Path, solver: FakeSolver, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    solver.each = lambda i: os.kill(os.getpid(), number) if i == 1 else None
    listener = Listener()
    result = runner.run(study(), tmp_path, reporter=listener)
    assert result.status is Status.interrupted and result.summary["iterations"] == 1
    assert "once more" in listener.warnings[0] and signal.getsignal(number) is before


def test_second_signal_ends_now(tmp_path: Path, solver: FakeSolver) -> None:
    def twice(i: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    solver.each = twice
    with pytest.raises(KeyboardInterrupt):
        runner.run(study(), tmp_path)


def test_runs_in_other_threads_leave_signals_alone(solver: FakeSolver) -> None:
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(runner.run(study())))
    thread.start()
    thread.join()
    assert results[0].status is Status.converged


def test_backends(solver: FakeSolver, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="numpy"):
        runner.run(study(), backend="cupy")
    find: Callable[[str], None] = lambda name: None  # noqa: E731
    monkeypatch.setattr("importlib.util.find_spec", find)
    with pytest.raises(InputError, match="pip install"):
        runner.run(study(), backend="jax")
    assert solver.calls == []


@pytest.mark.parametrize("name", [n for n in ENDING if n in signal.Signals.__members__])
def test_signals_of_batch_systems_keep_the_state(tmp_path: Path, solver: FakeSolver, name: str) -> None:
    """They may come twice, as SIGXCPU does every second, without ending at once."""
    number = signal.Signals[name]
    again = number not in URGENT

    def each(i: int) -> None:
        if i == 1:
            for _ in range(1 + 2 * again):
                os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    solver.each, listener = each, Listener()
    assert runner.run(study(), tmp_path, reporter=listener).status is Status.interrupted
    assert Result.load(tmp_path / "result.nc").data["x"].values.size and len(listener.warnings) == 1
    assert signal.getsignal(number) is before


def test_a_warning_before_the_end_does_not_count_as_the_first_request(tmp_path: Path, solver: FakeSolver) -> None:
    def each(i: int) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)

    solver.each = each
    assert runner.run(study(), tmp_path).status is Status.interrupted


def test_a_hangup_is_ignored_under_nohup(tmp_path: Path, solver: FakeSolver) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        solver.each = lambda i: os.kill(os.getpid(), signal.SIGHUP)
        assert runner.run(study(), tmp_path).status is Status.converged
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_stop_in_the_preparation_computes_nothing(tmp_path: Path, solver: FakeSolver,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(asked: Study) -> Task:
        (tmp_path / "STOP").touch()
        return prepare(asked)

    monkeypatch.setattr(runner, "prepare", slow)
    result = runner.run(study(), tmp_path)
    assert result.status is Status.interrupted and "preparation" in result.reason
    assert not solver.calls and not (tmp_path / "result.nc").exists()
