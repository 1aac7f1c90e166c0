"""What goes wrong in a sweep, and what is left of it: nothing computed is lost, nothing wrong is called right."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from concurrent.futures import CancelledError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import ehbilayer
import fake_points
from ehbilayer import cli
from ehbilayer.errors import InputError
from ehbilayer.results.base import Result
from ehbilayer.results.files import ResultFileError
from ehbilayer.run import stopping
from ehbilayer.run.lock import RunLock
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status
from ehbilayer.studies.file import Study, make_study
from ehbilayer.studies.task import Task
from ehbilayer.sweep import engines as sweep_engines
from ehbilayer.sweep.status import status_of
from ehbilayer.sweep.table import rows

HERE = Path(__file__).parent
GRID = '"density.rs_hole" = [4, 6, 8]\n"bilayer.spacing" = {start = 0.5, stop = 2, count = 4}'


@pytest.fixture(autouse=True)
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_points.install(monkeypatch)
    monkeypatch.setenv("EHB_FAKE_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


@pytest.fixture
def dask(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(sweep_engines, "compute_point", fake_points.compute)  # known by name to other processes


def study(axes: str = GRID, more: str = "") -> Study:
    return make_study(tomllib.loads(fake_points.study_text(axes, more)))


def computed(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def environment(**more: str) -> dict[str, str]:
    source = str(Path(ehbilayer.__file__).parents[1])
    return os.environ | {"PYTHONPATH": os.pathsep.join([source, str(HERE)]), "OMP_NUM_THREADS": "1"} | more


def test_failed_points_are_recorded_and_the_sweep_goes_on(tmp_path: Path, fakes: Path) -> None:
    result = ehbilayer.run(study('"density.rs_hole" = [4, 14, 15, 17, 6]'), tmp_path)
    s = result.summary
    assert result.status is Status.not_converged and (s["done"], s["failed"], s["missing"]) == (2, 3, 0)
    assert s["failed_by_reason"] == {"not_converged": 1, "not_finite": 1, "worker_died": 1}
    assert [(f["coordinates"]["density.rs_hole"], f["status"]) for f in s["failures"]] == [
        (14, "not_converged"), (15, "not_finite"), (17, "worker_died")]
    assert "overflow" in s["failures"][1]["reason"] and "KeyError: 'a bug'" in s["failures"][2]["reason"]
    energy = result.data["energy"].values
    assert np.isfinite(energy).tolist() == [True, True, False, False, True]  # not converged has its number and status
    assert result.data["status"].values.tolist() == ["converged", "not_converged", "not_finite", "worker_died",
                                                     "converged"]
    assert "--resume tries 1 of them again" in s["advice"]  # the one whose worker died
    table = dict(rows(result))
    assert table["winner"] == "2 liquid" and result.data["winner"].values[1] == "liquid"  # 14 has not won anything
    assert table["margin"].startswith(f"{0.1 * (1 - np.sin(6)):.8g}"[:6])
    fakes.unlink()
    ehbilayer.run(study('"density.rs_hole" = [4, 14, 15, 17, 6]'), tmp_path, resume=True)
    assert computed(fakes) == ["17 1"]  # what would fail again is left alone


def test_combinations_that_cannot_be_computed_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ehbilayer.sweep.points.CHECK_SECONDS", -1.0)
    axes = '"density.rs_hole" = [4, 8, 9]\n"bilayer.spacing" = [1, 5, 6]'  # (8, 5) lies inside the grid
    result = ehbilayer.run(study(axes), tmp_path)
    assert result.summary["failed_by_reason"] == {"invalid": 1} and result.summary["done"] == 8
    assert "compatible with the density" in result.summary["failures"][0]["reason"]


def test_a_point_that_takes_too_long(tmp_path: Path, fakes: Path) -> None:
    slow = study('"density.rs_hole" = [4, 16, 6]', 'point_time = "0.05s"')
    result = ehbilayer.run(slow, tmp_path)
    assert result.summary["failed_by_reason"] == {"timeout": 1} and result.summary["done"] == 2
    point = next(p for p in (tmp_path / "points").iterdir() if "timeout" in p.name)
    first = int(Result.load(point).data["steps"].values)  # its state is kept
    fakes.unlink()
    ehbilayer.run(slow, tmp_path, resume=True)
    assert computed(fakes) == ["16 1"] and int(Result.load(point).data["steps"].values) > first > 0


@pytest.mark.parametrize("how", ["max_time", "STOP", "signal"])
def test_a_stop_keeps_everything(tmp_path: Path, fakes: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(stopping, "LOOK_SECONDS", 0.0)
    clock = [0.0]
    monkeypatch.setattr(stopping, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    axes = '"density.rs_hole" = [4, 6, 16, 7]'
    (tmp_path / "out").mkdir()

    class Stops(Reporter):
        def progress(self, text: str) -> None:
            if "step" in text and how == "max_time":
                clock[0] = 2e6
            if "step" in text and how == "STOP":
                (tmp_path / "out" / "STOP").touch()
            if "step" in text and how == "signal" and not self.asked:
                self.asked = True
                os.kill(os.getpid(), signal.SIGTERM)

        asked = False

    result = ehbilayer.run(study(axes), tmp_path / "out", reporter=Stops(),
                           max_time=1e6 if how == "max_time" else None)
    assert result.status is (Status.timeout if how == "max_time" else Status.interrupted)
    assert (result.summary["done"], result.summary["missing"], result.summary["failed"]) == (2, 2, 0)
    assert result.data["status"].values.tolist() == ["converged", "converged", "interrupted", "missing"]
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["status"] == result.status.value
    (tmp_path / "out" / "STOP").unlink(missing_ok=True)
    steps = int(next(Result.load(p).data["steps"].values for p in (tmp_path / "out" / "points").iterdir()
                     if "interrupted" in p.name))
    fakes.unlink()
    monkeypatch.setattr("fake_points.RUNS_ON", -1.0)  # now it ends at once
    whole = ehbilayer.run(study(axes), tmp_path / "out", resume=True)
    assert whole.status is Status.converged and computed(fakes) == ["16 1", "7 1"]
    assert whole.data["steps"].values.tolist() == [0, 0, steps, 0] and steps > 0  # it went on from its state


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_point_is_named_set_aside_and_computed_again(tmp_path: Path, fakes: Path, damage: str) -> None:
    first = ehbilayer.run(study(), tmp_path / "out")
    path = sorted((tmp_path / "out" / "points").iterdir())[5]
    values, raw = Result.load(path).inputs["coordinates"], bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes({"truncated": bytes(raw[: len(raw) // 2]), "flipped": bytes(raw), "empty": b""}[damage])
    assert status_of(tmp_path / "out")["damaged"] == 1 == status_of(tmp_path / "out")["missing"]
    (tmp_path / "out" / "result.nc").unlink()
    fakes.unlink()
    listener = fake_points.Listener()
    again = ehbilayer.run(study(), tmp_path / "out", reporter=listener)
    assert computed(fakes) == [f"{values['density.rs_hole']:g} {values['bilayer.spacing']:g}"]
    assert path.name in listener.warnings[0] and (path.parent / f"{path.name}.corrupt").exists()
    np.testing.assert_array_equal(again.data["energy"].values, first.data["energy"].values)
    assert status_of(tmp_path / "out")["damaged"] == 0


def test_a_full_disk_is_one_message_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "map.toml").write_text(fake_points.study_text(GRID))
    replace, left = os.replace, [7]

    def full(source: Any, target: Any) -> None:
        if "points" in str(target):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        assert cli.execute(["run", str(tmp_path / "map.toml"), "-o", str(tmp_path / "out"), "--quiet"]) != 0
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "no space left" in err and "free some space" in err
    found = status_of(tmp_path / "out")
    assert (found["done"], found["missing"], found["damaged"], found["running"]) == (7, 5, 0, [])
    assert ehbilayer.run(study(), tmp_path / "out").summary["done"] == 12


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "points").write_text("in the way")
    with pytest.raises(ResultFileError, match="cannot be made"):
        ehbilayer.run(study(), tmp_path)


def test_a_second_driver_is_refused(tmp_path: Path, fakes: Path) -> None:
    reporter = Reporter()
    with RunLock(tmp_path, None, reporter):
        for options in ({}, {"force": True}, {"shard": "1/2"}):
            with pytest.raises(InputError, match=f"process {os.getpid()} on"):
                ehbilayer.run(study(), tmp_path, **options)  # type: ignore[arg-type]
        assert status_of_lock(tmp_path) == [None]
    with RunLock(tmp_path, (1, 2), reporter):
        with pytest.raises(InputError, match="shard 1/2, process"):
            ehbilayer.run(study(), tmp_path)
        with pytest.raises(InputError, match="shard 1/2, process"):
            ehbilayer.run(study(), tmp_path, shard="1/2")
        with pytest.raises(InputError, match="part of 3"):
            ehbilayer.run(study(), tmp_path, shard="2/3")
        assert status_of_lock(tmp_path) == ["1/2"]
        assert computed(fakes) == []
        assert ehbilayer.run(study(), tmp_path, shard="2/2").summary["done"] == 6  # parts at once
    assert ehbilayer.run(study(), tmp_path).summary["done"] == 12 and len(computed(fakes)) == 12


def status_of_lock(place: Path) -> list[str | None]:
    from ehbilayer.run.lock import holders

    return [who.get("shard") for who in holders(place)]


def test_a_dead_driver_leaves_no_lock(tmp_path: Path) -> None:
    code = ("import os, sys, pathlib; from ehbilayer.run.lock import RunLock; from ehbilayer.run.reporting import "
            "Reporter; RunLock(pathlib.Path(sys.argv[1]), None, Reporter()).__enter__(); os.kill(os.getpid(), 9)")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment(), timeout=500)
    assert done.returncode == -signal.SIGKILL and (tmp_path / ".run.lock").read_text()
    assert ehbilayer.run(study(), tmp_path).status is Status.converged


def test_fifty_kills_of_the_driver_lose_nothing(tmp_path: Path, fakes: Path) -> None:
    axes = ('"density.rs_hole" = {start = 0.1, stop = 9.1, count = 46}\n'
            '"bilayer.spacing" = {start = 0.5, stop = 1.5, count = 11}')
    (tmp_path / "map.toml").write_text(fake_points.study_text(axes))
    command = [sys.executable, str(HERE / "fake_points.py"), "kill", str(tmp_path / "map.toml"),
               str(tmp_path / "out"), "50"]
    subprocess.run(command, env=environment(), check=True)
    there: set[str] = set()
    begun: set[str] = set()
    progressed = 0
    for line in fakes.read_text().splitlines():
        words = line.split()
        if words[0] == "run":
            finished, begun, there = there, set(), set()
        elif words[0] == "killed":
            assert not begun & finished, "a finished point was computed again"
            assert len(begun) <= int(words[1]) - len(finished) + 1, "more than the point in work was lost"
            progressed += len(begun) > 0
        elif words[0] == "there":
            there.add(line.removeprefix("there "))
        else:
            begun.add(line)
    assert progressed > 10 and 10 < len(there) < 506, "the kills came between points"
    fakes.unlink()
    whole = ehbilayer.run(study(axes), tmp_path / "out")
    assert whole.status is Status.converged and whole.summary["done"] == 506
    assert len(computed(fakes)) == 506 - len(there) and not there & set(computed(fakes))
    assert not list((tmp_path / "out" / "points").glob(".*.tmp"))


def test_dask_gives_the_same_bits(tmp_path: Path, dask: None) -> None:
    here, there = ehbilayer.run(study()), ehbilayer.run(study(), tmp_path, workers=2)
    assert there.summary["done"] == 12
    for name, array in here.data.items():
        if name != "wall_seconds":
            np.testing.assert_array_equal(array.values, there.data[name].values)


def test_a_killed_worker_costs_one_point(tmp_path: Path, dask: None, fakes: Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_engines.DaskEngine, "_memory", lambda self: 3e9)
    axes, listener = '"density.rs_hole" = [13, 4, 6, 8, 7, 9, 10, 11]', fake_points.Listener()
    result = ehbilayer.run(study(axes), tmp_path, workers=2, reporter=listener)
    assert len(listener.warnings) == 1 and "from now on 1 at a time" in listener.warnings[0]
    assert "the last one alone and with 3 GB of memory" in result.summary["failures"][0]["reason"]
    assert result.summary["failed_by_reason"] == {"worker_died": 1} and result.summary["done"] == 7
    assert result.summary["failures"][0]["coordinates"]["density.rs_hole"] == 13
    assert computed(fakes).count("13 1") == 4  # two chances among others, two alone


def test_a_stop_reaches_the_workers(tmp_path: Path, dask: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stops(Reporter):
        def progress(self, text: str) -> None:
            if text.startswith("4/5 points"):
                (tmp_path / "STOP").touch()

    result = ehbilayer.run(study('"density.rs_hole" = [4, 16, 6, 7, 8]'), tmp_path, workers=2, reporter=Stops())
    assert result.status is Status.interrupted and (result.summary["done"], result.summary["missing"]) == (4, 1)
    state = next(p for p in (tmp_path / "points").iterdir() if "interrupted" in p.name)
    assert int(Result.load(state).data["steps"].values) > 0  # what the worker had reached


def test_ctrl_c_at_the_terminal_ends_a_sweep_of_workers(tmp_path: Path, dask: None) -> None:
    axes = '"density.rs_hole" = {start = 1, stop = 9, count = 500}'
    (tmp_path / "map.toml").write_text(fake_points.study_text(axes))
    command = [sys.executable, str(HERE / "fake_points.py"), "run", str(tmp_path / "map.toml"), "-o",
               str(tmp_path / "out"), "--workers", "2"]
    with subprocess.Popen(command, env=environment(EHB_FAKE_SECONDS="0.05"), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        deadline = time.monotonic() + 500
        while time.monotonic() < deadline and len(list((tmp_path / "out" / "points").glob("*.nc"))) < 5:
            time.sleep(0.05)
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)  # as the terminal does: to all processes
        _, err = process.communicate(timeout=500)
    assert process.returncode == 130 and "Traceback" not in err and "stopping" in err
    found = status_of(tmp_path / "out")
    assert found["failed"] == 0 and 5 <= found["done"] < 500 and found["running"] == []
    assert Result.load(tmp_path / "out" / "result.nc").status is Status.interrupted


def test_schedulers_that_do_not_answer(dask: None, fakes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_client(*_: Any, **__: Any) -> None:
        raise AssertionError("a Client that cannot connect complains again when Python ends")

    monkeypatch.setattr(sweep_engines, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr("distributed.Client", no_client)
    for address in ("tcp://127.0.0.1:1", "nonsense://here", "x"):
        with pytest.raises(InputError, match="scheduler that answers"):
            ehbilayer.run(study(), scheduler=address)
    with pytest.raises(InputError, match="without --workers"):
        ehbilayer.run(study(), scheduler="tcp://127.0.0.1:1", workers=2)
    assert computed(fakes) == []


def test_any_scheduler_will_do(tmp_path: Path, dask: None) -> None:
    from distributed import LocalCluster

    plans: list[str] = []

    class Plans(Reporter):
        def plan(self, task: Task) -> None:
            plans.extend(task.plan)

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None,
                      scheduler_kwargs={"dashboard_address": "127.0.0.1:0"}) as cluster:
        result = ehbilayer.run(study(), tmp_path, scheduler=cluster.scheduler_address,
                               reporter=Plans())
    assert result.summary["done"] == 12 and any("12, workers of the scheduler" in line for line in plans)


def test_workers_of_another_version_are_refused(tmp_path: Path, dask: None, fakes: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_engines, "__version__", "99.0")
    with pytest.raises(InputError, match=r"ehbilayer 99\.0"):
        ehbilayer.run(study(), workers=2)
    assert computed(fakes) == []


def test_a_scheduler_that_goes_leaves_what_was_finished(tmp_path: Path, dask: None) -> None:
    """It is killed once three of the points are there; the others are missing, and the next run computes them."""
    code = ("from distributed import LocalCluster\n"
            "if __name__ == '__main__':\n"
            "    cluster = LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None,\n"
            "                           protocol='tcp://',\n"
            "                           scheduler_kwargs={'dashboard_address': '127.0.0.1:0'})\n"
            "    print(cluster.scheduler_address, flush=True)\n"
            "    input()\n")
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=environment()) as scheduler:
        assert scheduler.stdout is not None

        class Kills(fake_points.Listener):
            def progress(self, text: str) -> None:
                if text.startswith("3/5 points"):
                    scheduler.kill()

        listener = Kills()
        result = ehbilayer.run(study('"density.rs_hole" = [4, 6, 7, 16, 8]'), tmp_path,
                               scheduler=scheduler.stdout.readline().strip(), reporter=listener)
    assert result.status is Status.interrupted and (result.summary["done"], result.summary["missing"]) == (3, 2)
    assert "does not answer any more" in listener.warnings[-1]
    assert Result.load(tmp_path / "result.nc").status is Status.interrupted


@pytest.mark.parametrize("name", ["FuturesCancelledError", "CommClosedError"])
def test_errors_of_a_scheduler_that_has_gone(tmp_path: Path, dask: None, name: str,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed.comm.core import CommClosedError

    error: Exception = type("FuturesCancelledError", (CancelledError,), {})() if name.startswith("F") else (
        CommClosedError("gone"))

    def wait(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("distributed.wait", wait)
    listener = fake_points.Listener()
    result = ehbilayer.run(study(), tmp_path, workers=2, reporter=listener)
    assert result.status is Status.interrupted and name in listener.warnings[-1]


def test_a_worker_may_die_with_what_it_has_computed(dask: None) -> None:
    from distributed.scheduler import KilledWorker

    class Future:
        status = "finished"

        def result(self) -> None:
            raise KilledWorker("x", None, 1)

    came = sweep_engines._fetched(Future())
    assert isinstance(came, Exception) and sweep_engines._is_killed(came)
