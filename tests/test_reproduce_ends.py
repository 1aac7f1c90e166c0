"""How `ehb reproduce` ends when it is broken off, when processes are killed, and when it is called twice; --force."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ehbilayer import cli
from ehbilayer.errors import InputError
from ehbilayer.numerics import parallel
from ehbilayer.papers.making import make_all
from ehbilayer.results.base import Result
from ehbilayer.results.files import ResultFileError
from ehbilayer.run import runner
from ehbilayer.run.lock import RunLock
from ehbilayer.run.reporting import Reporter
from ehbilayer.run.stopping import Stopper
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.sweep import many
from ehbilayer.sweep.many import jobs_of, run_many
from test_reproduce_workers import (
    STUDIES,
    SWEEP,
    Told,
    alive,
    children,
    command,
    figure,
    never,
    wait_for,
)

CODE = """
import sys
from ehbilayer import cli
from ehbilayer import papers as reproduce
from ehbilayer.run import watchdog
from test_reproduce_workers import figure, ENDLESS
watchdog.GRACE_SECONDS = watchdog.HURRY_SECONDS = 100
other = ENDLESS | {'density': {'rs_hole': 6.0, 'electrons_per_hole': 1}}
reproduce.chosen = lambda name: [figure('x:1', {'endless': ENDLESS}), figure('x:2', {'other': other})]
sys.argv = ['ehb', 'reproduce', 'all', '--workers', '2', '-o', sys.argv[1]]
cli.main()
"""
KEPT, BROKEN_OFF = "interrupted: 0 of 2 made", "error: interrupted; the last checkpoint, if any, is kept\n"
STOPPING = "warning: stopping after this iteration, the state is kept; once more ends at once\n"


def begin(place: Path, code: str = CODE) -> subprocess.Popen[str]:
    """The command, in a process group of its own as at a terminal."""
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    return subprocess.Popen([sys.executable, "-c", code, str(place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, start_new_session=True, env=os.environ | {"PYTHONPATH": path})


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    return [pid for pid in children(process.pid) if "spawn_main" in command(pid)]


@pytest.mark.parametrize(("number", "times", "said", "complained", "kept"), [
    (signal.SIGINT, 1, KEPT, STOPPING, True),
    (signal.SIGTERM, 1, KEPT, STOPPING, True),  # as batch systems send it
    (signal.SIGINT, 2, "", STOPPING + BROKEN_OFF, False),
])
def test_a_signal_to_all_processes_at_once(tmp_path: Path, number: int, times: int, said: str, complained: str,
                                           kept: bool) -> None:
    process = begin(tmp_path)
    results = [tmp_path / "results" / name for name in ("endless", "other")]
    wait_for(lambda: all(place.is_dir() for place in results), 500)
    workers = workers_of(process)
    for i in range(times):
        if i:
            assert process.stderr is not None and process.stderr.readline() == STOPPING
            complained = complained.removeprefix(STOPPING)
        os.killpg(process.pid, number)
    out, errors = process.communicate(timeout=500)
    if times > 1:  # a signal within the writing of the first line may leave it in the buffer, to be written again
        errors = errors.removeprefix(STOPPING)
    assert (process.returncode, errors) == (cli.EXIT_INTERRUPTED, complained)
    assert said in out and len(workers) == 2 and not [pid for pid in workers if alive(pid)]
    if kept:
        assert [Result.load(place / "result.nc").status for place in results] == [Status.interrupted] * 2


def test_a_time_limit_keeps_what_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is over as soon as the first study is made."""
    told, figures = list[str](), [figure(f"x:{name}", {name: STUDIES[name]}) for name in STUDIES]
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 1e6 * bool(told))
    assert make_all(figures, tmp_path, told.append, max_time=1e5, codes=(3, 130)) == 3
    assert told[-1].startswith("out of time: 1 of 2 made")
    assert sum((tmp_path / "results" / name / "result.nc").exists() for name in STUDIES) == 1
    monkeypatch.setattr(time, "monotonic", clock)
    assert make_all(figures, tmp_path, told.append, max_time=1e5) == 0


def test_ctrl_c_before_the_workers_are_there(tmp_path: Path) -> None:
    process = begin(tmp_path)
    wait_for(lambda: workers_of(process), 500)
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=500)
    assert (process.returncode, errors) == (cli.EXIT_INTERRUPTED, STOPPING) and KEPT in out


def _die_elsewhere(job: int, should_stop: Any) -> int:
    """The number of the process; killed if it is not the one that the job names."""
    if os.getpid() != job:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def _overflow(job: float, should_stop: Any) -> float:
    return float(np.float64(job) * 1e300)


@pytest.mark.parametrize("workers", [1, 2])
def test_numbers_that_overflow_are_errors_in_every_process(workers: int) -> None:
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        dict(parallel.each(_overflow, [1.0, 1e300], workers=workers))


def test_a_killed_process_is_named_and_its_work_done_in_the_first() -> None:
    heard: list[str] = []
    found = dict(parallel.each(_die_elsewhere, [os.getpid()] * 3, workers=2, warn=heard.append))
    assert found == dict.fromkeys(range(3), os.getpid()) and heard == [parallel.LOST]


def test_a_second_call_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    figures = [figure("x:1", {"a-layer": STUDIES["a-layer"]})]
    with RunLock(tmp_path, None, Reporter()), pytest.raises(InputError, match=f"in use by process {os.getpid()} on"):
        make_all(figures, tmp_path, lambda text: None)
    assert not (tmp_path / "results").exists()
    assert make_all(figures, tmp_path, lambda text: None) == 0


def test_a_lock_on_a_full_disk_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        with RunLock(tmp_path, None, Reporter()), pytest.raises(InputError, match="in use by process"):
            RunLock(tmp_path, None, Reporter()).__enter__()


def test_the_table_is_told_even_if_it_cannot_be_written(tmp_path: Path) -> None:
    figures, told = [figure(name, {"a-layer": STUDIES["a-layer"]}) for name in ("x:1", "x:2")], list[str]()
    (tmp_path / "table.txt").mkdir()
    with pytest.raises(ResultFileError, match="cannot be written"):
        make_all(figures, tmp_path, told.append)
    assert sum("a-layer converged" in line for line in told) == 2
    assert not any(line.startswith("written") for line in told)


def test_a_signal_while_a_study_ends_stops_what_comes_after() -> None:
    """The study converges before it looks; the studies behind it must not begin."""
    heard = Told()
    with Stopper(None, None, heard) as outer:
        with Stopper(None, None, heard, outer):
            os.kill(os.getpid(), signal.SIGINT)
        assert outer() is Status.interrupted and len(heard.lines) == 1
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def times(place: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (place / "points").glob("*.nc")}


def interrupted_sweep(place: Path) -> dict[str, int]:
    """A sweep that was stopped after two points: when they were written."""
    def stop() -> Status | None:
        return Status.interrupted if len(times(place)) >= 2 else None

    assert runner.run(make_study(SWEEP, name="two"), place, should_stop=stop).status is Status.interrupted
    return times(place)


@pytest.mark.parametrize("workers", [1, 2])
def test_force_computes_the_points_of_an_interrupted_sweep_again(tmp_path: Path, workers: int,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "DIVIDED", 0.0)
    before = interrupted_sweep(tmp_path / "two")
    ended = dict(run_many({"two": SWEEP}, tmp_path, workers=workers, force=True))["two"]
    assert ended.status is Status.converged
    after = times(tmp_path / "two")
    assert set(before) < set(after) and len(after) == 6 and all(after[name] != before[name] for name in before)


def test_forced_parts_never_collect_old_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first part ends before the second begins: it must not find the other's points of before."""
    monkeypatch.setattr(many, "DIVIDED", 0.0)
    runner.run(make_study(SWEEP, name="two"), tmp_path / "two")
    seen: list[int] = []

    def one_after_the_other(work: Any, jobs: list[Any], **_: Any) -> Any:
        for number, job in enumerate(jobs):
            answer = work(job, never)
            seen.append(answer.result.summary["missing"])
            yield number, answer

    monkeypatch.setattr(many, "each", one_after_the_other)
    dict(run_many({"two": SWEEP}, tmp_path, workers=2, force=True))
    assert seen == [3, 0]


def test_a_sweep_has_no_more_parts_than_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "DIVIDED", 0.0)
    parts = [job.part for job in jobs_of({"two": SWEEP}, tmp_path.joinpath, workers=1000, force=False)]
    assert parts == [f"{i}/6" for i in range(1, 7)]
