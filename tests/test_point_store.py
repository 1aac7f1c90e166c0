"""The point store and its locks, by themselves."""

import os
from pathlib import Path

import numpy as np
import pytest

from ehbilayer.errors import InputError
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.results.files import ResultFileError
from ehbilayer.run.lock import RunLock, holders, parse_shard
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status
from ehbilayer.sweep.store import PointStore, label_of, point_key
from ehbilayer.sweep.worker import STATES, Job, compute_point, failure

KEY = "0" * 39 + "a"


def a_result(status: Status = Status.converged, **more: object) -> Result:
    array = Variable(("n",), np.arange(3.0), "a_h")
    return Record("device", status, {"energy": -1.0, **more}, {"point": KEY}, {"x": array})


@pytest.fixture
def store(tmp_path: Path) -> PointStore:
    store = PointStore(tmp_path)
    assert store.labels() == {}  # before there is a folder
    store.prepare()
    return store


def test_a_point_is_read_as_it_was_written(store: PointStore) -> None:
    result = a_result()
    store.write(KEY, result, result.to_bytes())
    assert store.labels() == {KEY: "converged"} and not store.fault(KEY, "converged")
    assert store.read(KEY, "converged").summary == result.summary and store.read(KEY, "converged").data == {}
    assert store.read(KEY, "converged", arrays=True).data["x"].values.tolist() == [0, 1, 2]
    store.forget({KEY})
    assert store.labels() == {}


def test_keys_follow_inputs_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    one = point_key({"a": 1, "b": 2.0})
    assert one == point_key({"b": 2.0, "a": 1}) != point_key({"a": 1, "b": 2.5}) and len(one) == 40
    monkeypatch.setattr("ehbilayer.sweep.store.PHYSICS_VERSION", 99)
    assert point_key({"a": 1, "b": 2.0}) != one


def test_a_better_end_replaces_a_worse_one(store: PointStore) -> None:
    for before, status in ((None, Status.timeout), ("timeout", Status.converged)):
        store.write(KEY, a_result(status), a_result(status).to_bytes(), before)
    assert [p.name for p in store.folder.iterdir()] == [f"{KEY}.converged.nc"]


@pytest.mark.parametrize(("done", "other"), [
    ("converged", "timeout"), ("converged", "interrupted"), ("converged", "not_converged"), ("unresolved", "timeout"),
    ("not_finite", "timeout"), ("not_converged", "worker_died"), ("invalid", "interrupted")])
@pytest.mark.parametrize("jump", [-100, 0, 100])
def test_of_two_files_left_by_a_kill_the_one_that_got_further_counts(store: PointStore, done: str, other: str,
                                                                     jump: int) -> None:
    """Whatever the clock does between them."""
    for label, age in ((done, 0), (other, jump)):
        store.path(KEY, label).write_bytes(b"x")
        os.utime(store.path(KEY, label), (10_000 + age,) * 2)
    assert store.labels() == {KEY: done}


def test_of_two_files_that_got_equally_far_the_newer_counts(store: PointStore) -> None:
    for label, age in (("timeout", 0), ("interrupted", 10), ("worker_died", -10)):
        store.path(KEY, label).write_bytes(b"x")
        os.utime(store.path(KEY, label), (10_000 + age,) * 2)
    assert store.labels() == {KEY: "interrupted"}


def test_strangers_in_the_folder_are_no_points(store: PointStore) -> None:
    for name in ("notes.txt", f"{KEY}.nonsense.nc", f"{KEY}.nc", f".{KEY}.converged.nc.1-2.tmp", "short.converged.nc",
                 f"{KEY}.converged.nc.corrupt"):
        (store.folder / name).write_bytes(b"x")
    assert store.labels() == {}


def test_a_winner_within_the_error_is_unresolved() -> None:
    assert label_of(a_result(margin=1e-3, numerical_error=2e-3)) == "unresolved"
    assert label_of(a_result(margin=3e-3, numerical_error=2e-3)) == "converged"
    assert label_of(a_result(margin=None, numerical_error=2e-3)) == "converged"
    assert label_of(a_result(Status.not_converged, margin=0.0, numerical_error=1.0)) == "not_converged"


@pytest.mark.parametrize(("key", "label", "named"), [
    (KEY[:-1] + "b", "converged", "another point"), (KEY, "not_converged", "says converged inside"),
    (KEY, "unresolved", "says converged inside")])
def test_a_file_under_another_name_is_not_believed(store: PointStore, key: str, label: str, named: str) -> None:
    store.write(KEY, a_result(), a_result().to_bytes())
    store.path(KEY, "converged").rename(store.path(key, label))
    assert named in store.fault(key, label)
    with pytest.raises(ResultFileError, match=named) as caught:
        store.read(key, label)
    assert caught.value.damaged


def test_a_close_winner_is_not_called_converged(store: PointStore) -> None:
    close = a_result(margin=1e-3, numerical_error=2e-3)
    store.write(KEY, close, close.to_bytes())
    assert store.labels() == {KEY: "unresolved"} and not store.fault(KEY, "unresolved")
    store.path(KEY, "unresolved").rename(store.path(KEY, "converged"))
    assert "says unresolved inside" in store.fault(KEY, "converged")


def test_damage_is_found_and_put_aside(store: PointStore) -> None:
    raw = bytearray(a_result().to_bytes())
    raw[-7] ^= 1
    store.write(KEY, a_result(), bytes(raw))
    assert "checksum" in store.fault(KEY, "converged")
    with pytest.raises(ResultFileError, match="checksum"):
        store.read(KEY, "converged")
    assert store.set_aside(KEY, "converged").name.endswith(".corrupt") and store.labels() == {}


def test_locks_are_shared_by_shards_and_by_nobody_else(tmp_path: Path) -> None:
    reporter = Reporter()
    with RunLock(tmp_path, (1, 3), reporter), RunLock(tmp_path, (2, 3), reporter):
        assert [who["shard"] for who in holders(tmp_path)] == ["1/3", "2/3"]
        for other in (None, (2, 3), (1, 2)):
            with pytest.raises(InputError), RunLock(tmp_path, other, reporter):
                raise AssertionError("both hold the lock")
    assert holders(tmp_path) == []
    with RunLock(tmp_path, None, reporter):
        (who,) = holders(tmp_path)
        assert {"pid", "host", "since"} == set(who)


def test_shards_are_counted_from_one() -> None:
    assert parse_shard("2/5") == (2, 5) and parse_shard(" 1 / 1 ") == (1, 1)
    for bad in ("0/5", "6/5", "2", "2/5/7", "-1/5", "a/b", ""):
        with pytest.raises(InputError, match="i/n"):
            parse_shard(bad)


def test_a_failure_says_what_it_is() -> None:
    job = Job(KEY, {"density.rs_hole": 3}, {"kind": "device"}, "name", ".")
    outcome = failure(job, Status.worker_died, "a worker died")
    assert Result.from_bytes(outcome.raw).summary["reason"] == "a worker died"
    assert outcome.result.inputs["coordinates"] == {"density.rs_hole": 3}


def test_time_to_stop_before_a_point_begins() -> None:
    assert compute_point(Job(KEY, {}, {"kind": "device"}, "name", "."), lambda: STATES[0]) is None
