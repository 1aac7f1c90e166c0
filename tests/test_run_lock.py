"""One run at a time in a directory, whatever it is; a dead one is in nobody's way and leaves nothing behind."""

import errno
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

import ehbilayer
import fake_points
from ehbilayer import cli
from ehbilayer.errors import InputError
from ehbilayer.results import owners
from ehbilayer.run import lock
from ehbilayer.run.lock import MARK, WHOLE, RunLock, holders, was_killed
from ehbilayer.run.reporting import Reporter
from ehbilayer.studies.file import Study, make_study
from ehbilayer.sweep.many import run_many
from ehbilayer.sweep.status import status_of

SINGLE = {"kind": "device", "bilayer": {"spacing": 1.0}, "density": {"rs_hole": 4.0}}
HOLD = ("import os, sys, pathlib; from ehbilayer.run import lock; from ehbilayer.run.reporting import Reporter\n"
        "if len(sys.argv) > 2:\n"
        "    def none(*_): raise OSError(int(sys.argv[2]), 'no locks')\n"
        "    lock._lock = none\n"
        "lock.RunLock(pathlib.Path(sys.argv[1]), None, Reporter()).__enter__(); os.kill(os.getpid(), 9)")


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PAUSE", 0.0)
    fake_points.install(monkeypatch)


@pytest.fixture(params=["locks", "no locks"])
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file system that keeps locks, and one that does not."""
    if request.param == "no locks":
        no_locks(monkeypatch)
    return str(request.param)


def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)


def sweep() -> Study:
    return make_study(tomllib.loads(fake_points.study_text('"density.rs_hole" = [4, 6, 8]')))


@pytest.mark.parametrize("inside", [SINGLE, sweep])
@pytest.mark.parametrize("force", [False, True])
def test_every_run_excludes_every_other(tmp_path: Path, inside: Any, force: bool, kept: str,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    """Tried from within a run: single, sweep, shard and figures are refused in one line, and nothing is touched."""
    path = tmp_path / "map.toml"
    path.write_text(fake_points.study_text('"density.rs_hole" = [4, 6, 8]'))
    before: list[list[str]] = []

    class Inside(Reporter):
        def plan(self, task: Any) -> None:
            names = sorted(p.name for p in (tmp_path / "out").iterdir())
            for study, options in ((SINGLE, {}), (SINGLE, {"force": True}), (sweep(), {"force": force}),
                                   (sweep(), {"shard": "1/2"})):
                with pytest.raises(InputError, match=f"in use by process {os.getpid()} on {socket.gethostname()}"):
                    ehbilayer.run(study, tmp_path / "out", **options)  # type: ignore[arg-type]
            with pytest.raises(InputError, match="in use by process"):
                list(run_many({"one": SINGLE}, tmp_path / "out"))
            assert cli.execute(["run", str(path), "-o", str(tmp_path / "out"), "--force"]) == 2
            assert status_of(tmp_path / "out")["state"] == "running"
            before.append(names)
            assert sorted(p.name for p in (tmp_path / "out").iterdir()) == names

    result = ehbilayer.run(SINGLE if inside is SINGLE else sweep(), tmp_path / "out", force=force, reporter=Inside())
    err = capsys.readouterr().err
    assert len(before) == 1 and err.count("\n") == 1 and "in use by process" in err and "wait for it" in err
    assert result.status == "converged" and not list((tmp_path / "out").glob(".*"))  # the lock went, too
    assert ehbilayer.load(tmp_path / "out").status == "converged"


def test_a_forced_single_run_does_not_end_a_sweep(tmp_path: Path) -> None:
    tried: list[str] = []

    class Forces(Reporter):
        def progress(self, text: str) -> None:
            if "/3 points" not in text:  # before there is a point
                return
            tried.append(text)
            with pytest.raises(InputError, match="in use by"):
                ehbilayer.run(SINGLE, tmp_path, force=True)
            assert (tmp_path / "sweep.json").is_file()

    assert ehbilayer.run(sweep(), tmp_path, reporter=Forces()).summary["done"] == 3 and tried


@pytest.mark.parametrize("number", [None, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_killed_run_holds_nothing_and_is_known(tmp_path: Path, number: int | None, monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path), *([] if number is None else [str(int(number))])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=environment, timeout=500).returncode == -signal.SIGKILL
    if number is not None:
        no_locks(monkeypatch)
    assert was_killed(tmp_path) and holders(tmp_path) == []
    assert cli.execute(["show", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "not finished" in err and "run it again" in err and err.count("\n") == 1
    assert cli.execute(["status", str(tmp_path)]) == 0
    assert "written by the next run" in capsys.readouterr().out
    assert ehbilayer.run(SINGLE, tmp_path).status == "converged"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["result.nc", "summary.json"]


def test_a_result_that_a_killed_run_left_is_shown_with_a_word_of_warning(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ehbilayer.run(SINGLE, tmp_path)
    (tmp_path / WHOLE).write_text("{}")  # as a run that is killed leaves it
    assert cli.execute(["show", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert "converged" in out and "not finished, run it again" in err
    with RunLock(tmp_path, None, Reporter()):
        assert cli.execute(["show", str(tmp_path)]) == 0
    assert "a run is at work here" in capsys.readouterr().err


def test_without_locks_the_owner_counts_as_long_as_it_may_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_locks(monkeypatch)
    mark = tmp_path / (WHOLE + MARK)
    us = {"pid": os.getpid(), "host": socket.gethostname(), "began": lock._began(os.getpid())}
    for who, held in ((us, True), (us | {"host": "elsewhere"}, True), (us | {"pid": dead()}, False), ({}, True),
                      (us | {"began": "1"}, False)):  # another process got the number of the dead one
        (tmp_path / WHOLE).touch()
        mark.write_text(json.dumps(who))
        if held:
            with pytest.raises(InputError, match=rf"in use by .*remove {WHOLE}{MARK}"):
                RunLock(tmp_path, None, Reporter()).__enter__()
            assert json.loads(mark.read_text()) == who
        else:
            with RunLock(tmp_path, None, Reporter()):
                assert json.loads(mark.read_text())["pid"] == os.getpid()
            assert not mark.exists()
    mark.unlink(missing_ok=True)


def test_a_lock_file_that_its_holder_has_just_removed_is_no_lock(tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    take, times = lock._lock, [0]

    def late(file: Any) -> bool:
        times[0] += 1
        if times[0] == 1:  # opened, and removed before it is locked
            (tmp_path / WHOLE).unlink()
        return take(file)

    monkeypatch.setattr(lock, "_lock", late)
    with RunLock(tmp_path, None, Reporter()):
        assert times[0] == 2 and len(holders(tmp_path)) == 1


def test_lock_files_of_strangers_are_read_with_care(tmp_path: Path) -> None:
    """One that is a pipe holds nobody up, and one without sense says nothing."""
    os.mkfifo(tmp_path / ".shard-1-of-2.lock")
    (tmp_path / (WHOLE + MARK)).write_text("[1]")
    (tmp_path / WHOLE).touch()
    assert [who.get("pid") for who in holders(tmp_path)] == [None] and was_killed(tmp_path)


def dead() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_the_next_run_removes_what_dead_ones_left_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                   ) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "system"))
    gone, here, place = dead(), owners.host(), tmp_path / "out"
    for folder in (place, place / "points", tmp_path / "system"):
        folder.mkdir(exist_ok=True)
    stray = [f".result.nc@{here}.{gone}-12.tmp", f".result.nc.{gone}-12.tmp", f".figure.png@{here}.{gone}-1.tmp",
             f".probe-{gone}@{here}", f".probe-{gone}", f"..probe-{gone}@{here}@{here}.{gone}-1.tmp"]
    others = [f".result.nc@{here}.{os.getpid()}-12.tmp", f".probe-{os.getppid()}@{here}", ".notes.tmp", "mine.tmp",
              f".result.nc@elsewhere.{gone}-12.tmp", ".probe", ".result.nc.tmp",
              f".theirs.{gone}-12.tmp"]  # of another program
    for name in (*stray, *others):
        for folder in (place, place / "points"):
            (folder / name).write_text("")
    old = place / f".result.nc@elsewhere.{gone}-13.tmp"
    old.write_text("")
    os.utime(old, (time.time() - 2 * owners.FOREIGN_SECONDS,) * 2)
    (place / f".summary.json@{here}.{gone}-1.tmp").symlink_to(place / ".notes.tmp")
    mine, theirs = (tmp_path / "system" / f"ehbilayer-{pid}@{here}-abc1" for pid in (gone, os.getpid()))
    (tmp_path / "system" / stray[0]).write_text("")  # nothing of ours is written there
    for folder in (mine, theirs, tmp_path / "system" / "ehbilayer-x"):
        (folder / "points").mkdir(parents=True)
    ehbilayer.run(sweep(), place)
    ehbilayer.run(sweep())
    left = {p.name for p in place.iterdir()}
    assert set(others) <= left and not left & {*stray, old.name}
    assert f".summary.json@{here}.{gone}-1.tmp" in left  # a link is nothing that we leave
    left = {p.name for p in (place / "points").iterdir()}
    assert set(others) <= left and not left & set(stray)
    assert (tmp_path / "system" / stray[0]).exists()
    assert not mine.exists() and theirs.exists() and (tmp_path / "system" / "ehbilayer-x").exists()
    shutil.rmtree(theirs)


def test_a_write_that_is_killed_leaves_a_file_that_is_known(tmp_path: Path) -> None:
    """Whatever name a file has while it is written, the next run knows whose it was."""
    code = ("import os, sys; from ehbilayer import atomic_write\n"
            "os.replace = lambda *_: os.kill(os.getpid(), 9)\natomic_write(sys.argv[1], b'x')")
    for name in ("result.nc", f"{'0' * 40}.converged.nc", "figure.png", "a@b.1-2.tmp"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], timeout=500,
                       env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, check=False)
    assert len(list(tmp_path.iterdir())) == 4
    owners.remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []
