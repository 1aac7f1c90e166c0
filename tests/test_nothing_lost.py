"""Faults on the way of a result to the disk, and points that are not what their names say: nothing is lost or wrong."""

import errno
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ehbilayer
import fake_points
import sealed
from ehbilayer import cli
from ehbilayer.errors import InputError
from ehbilayer.results import files, netcdf
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.results.files import RESULT, ResultFileError, atomic_write, set_aside
from ehbilayer.run import runner
from ehbilayer.run.rescue import RescuedError
from ehbilayer.status import Status
from ehbilayer.studies.file import Study, make_study
from ehbilayer.sweep import many
from ehbilayer.sweep.status import status_of
from ehbilayer.sweep.store import PointStore

SINGLE = {"kind": "device", "bilayer": {"spacing": 1.0}, "density": {"rs_hole": 4.0}}
AXES = '"density.rs_hole" = [4, 6, 8]'
WARM = 'start = "neighbour"'


@pytest.fixture(autouse=True)
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_points.install(monkeypatch)
    monkeypatch.setattr(runner, "draw", lambda result, place: (place / "figure.png").write_bytes(b"drawn"))
    monkeypatch.setattr(files, "_PAUSES", (0.0, 0.0))
    monkeypatch.setenv("EHB_FAKE_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def sweep(axes: str = AXES, more: str = "") -> Study:
    return make_study(tomllib.loads(fake_points.study_text(axes, more)))


def computed(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def failing(monkeypatch: pytest.MonkeyPatch, number: int, inside: Path, times: int = 10**6,
            name: str = "replace") -> list[str]:
    """Let os.replace or os.rename fail so many times for targets in a directory; what failed is listed."""
    right, failed = getattr(os, name), list[str]()

    def wrong(source: Any, target: Any) -> None:
        if inside in Path(target).parents and len(failed) < times and ".probe" not in str(target):
            failed.append(Path(target).name)
            raise OSError(number, os.strerror(number))
        right(source, target)

    monkeypatch.setattr(os, name, wrong)
    return failed


def no_space(monkeypatch: pytest.MonkeyPatch, *places: Path) -> None:
    """Let every write of a result below these directories fail."""
    right = os.replace

    def full(source: Any, target: Any) -> None:
        if any(place in Path(target).absolute().parents for place in places) and Path(target).name == "result.nc":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        right(source, target)

    monkeypatch.setattr(os, "replace", full)


def exchange(one: Path, other: Path) -> None:
    """Each under the other's name."""
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def relabel(one: Path, other: Path) -> None:
    """A point that did not converge, called converged."""
    one.rename(one.with_name(one.name.replace("not_converged", "converged")))


@pytest.mark.parametrize("more", ["", WARM])
@pytest.mark.parametrize("collected", [True, False])
@pytest.mark.parametrize(("harm", "axes", "again"), [(exchange, AXES, ["4 1", "6 1"]),
                                                     (relabel, '"density.rs_hole" = [14, 6, 8]', ["14 1"])])
def test_points_under_other_names_are_computed_again(tmp_path: Path, fakes: Path, harm: Callable[[Path, Path], None],
                                                     axes: str, again: list[str], collected: bool, more: str) -> None:
    place, store = tmp_path / "out", PointStore(tmp_path / "out")
    first = ehbilayer.run(sweep(axes, more), place)
    definition = json.loads((place / "sweep.json").read_text())["points"]
    labels = store.labels()
    harm(*(store.path(key, labels[key]) for key in definition[:2]))
    if not collected:
        (place / "result.nc").unlink()
    assert status_of(place)["damaged"] == len(again) == status_of(place)["missing"]
    fakes.unlink()
    listener = fake_points.Listener()
    second = ehbilayer.run(sweep(axes, more), place, reporter=listener)
    assert sorted(computed(fakes)) == again and len(listener.warnings) == len(again)
    assert all("set aside as" in text and ".corrupt" in text for text in listener.warnings)
    np.testing.assert_array_equal(second.data["energy"].values, first.data["energy"].values)
    assert second.data["status"].values.tolist() == first.data["status"].values.tolist()
    found = status_of(place)
    assert (found["damaged"], found["missing"], found["state"]) == (0, 0, "complete")
    assert len(list(store.folder.glob("*.corrupt*"))) == len(again)
    fakes.unlink()
    ehbilayer.run(sweep(axes, more), place)
    assert computed(fakes) == []


def test_a_file_whose_fault_only_reading_shows_is_mended_by_one_run(tmp_path: Path, fakes: Path) -> None:
    """Its checksum and its name are right; its summary is none of a result."""
    first = ehbilayer.run(sweep(), tmp_path / "out")
    path = next((tmp_path / "out" / "points").glob("*.nc"))
    said = Result.load(path)._attributes()
    said["summary"] = json.dumps(json.loads(said["summary"]) | {"scales": {"nonsense": 1}})
    path.write_bytes(netcdf.pack(said, {}))
    with pytest.raises(ResultFileError):
        Result.load(path)
    (tmp_path / "out" / "result.nc").unlink()
    fakes.unlink()
    second = ehbilayer.run(sweep(), tmp_path / "out")
    assert len(computed(fakes)) == 1 and second.status is Status.converged
    np.testing.assert_array_equal(second.data["energy"].values, first.data["energy"].values)


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.EINTR, errno.EBUSY])
def test_what_fails_in_passing_is_tried_again(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = failing(monkeypatch, number, tmp_path, times=1)
    atomic_write(tmp_path / "file", b"content")
    assert failed == ["file"] and [p.name for p in tmp_path.iterdir()] == ["file"]
    failed = failing(monkeypatch, number, tmp_path, times=1, name="rename")
    assert set_aside(tmp_path / "file").read_bytes() == b"content" and failed


def test_reading_is_tried_again_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atomic_write(tmp_path / "file", b"content")
    right, failed = os.open, list[str]()

    def stale(path: Any, *rest: Any) -> int:
        if str(path).endswith("file") and not failed:
            failed.append(str(path))
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return right(path, *rest)

    monkeypatch.setattr(os, "open", stale)
    assert files.read_bytes(tmp_path / "file") == b"content" and failed


def test_what_goes_on_failing_is_said_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atomic_write(tmp_path / "file", b"old")
    for number, tries in ((errno.ESTALE, 3), (errno.ENOSPC, 1), (errno.EACCES, 1)):
        with monkeypatch.context() as patch:
            failed = failing(patch, number, tmp_path)
            with pytest.raises(ResultFileError, match=os.strerror(number).lower()):
                atomic_write(tmp_path / "file", b"new")
            assert len(failed) == tries
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"file": b"old"}


def test_directories_that_cannot_be_forced_to_disk_take_files_all_the_same(tmp_path: Path,
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").resolve() == tmp_path:
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", fsync)
    atomic_write(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


@pytest.mark.parametrize("study", [SINGLE, sweep])
@pytest.mark.parametrize("harm", ["full", "full here, too", "deleted"])
def test_a_computed_result_is_kept_elsewhere(tmp_path: Path, study: Any, harm: str, monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    here, system, place = tmp_path / "here", tmp_path / "system", tmp_path / "out"
    here.mkdir()
    system.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(tempfile, "tempdir", str(system))
    save = Result.save

    def gone(self: Result, path: Path) -> None:
        if self.kind in ("device", "sweep") and Path(path).parent == place:
            shutil.rmtree(place)
        save(self, path)

    if harm == "deleted":
        monkeypatch.setattr(Result, "save", gone)
    else:
        no_space(monkeypatch, *([place] if harm == "full" else [place, here]))
    with pytest.raises(RescuedError, match=r"result\.nc: cannot be written: no s.*the result is kept in ") as caught:
        ehbilayer.run(SINGLE if study is SINGLE else sweep(), place)
    kept = caught.value.kept
    assert kept is not None and kept.parent == (system if harm == "full here, too" else here)
    assert kept.name.startswith("out-rescued-")
    again = Result.load(kept / "result.nc")
    assert again.status is caught.value.result.status is Status.converged
    assert json.loads((kept / "summary.json").read_text()) == again.summary
    assert [p.name for p in here.iterdir()] == ([kept.name] if kept.parent == here else [])


def test_the_command_says_where_and_its_exit_code_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(fake_points.study_text(AXES))
    no_space(monkeypatch, tmp_path / "study")
    assert cli.execute(["run", "study.toml", "--quiet"]) == 4
    out, err = capsys.readouterr()
    (kept,) = tmp_path.glob("study-rescued-*")
    assert out == "" and err.count("\n") == 1 and str(kept) in err and "no space left" in err
    assert cli.execute(["show", str(kept)]) == 0
    no_space(monkeypatch, Path("/"))  # nowhere any more: the summary goes to stdout
    capsys.readouterr()
    assert cli.execute(["run", "study.toml", "--quiet"]) == 4
    out, err = capsys.readouterr()
    assert json.loads(out)["done"] == 3 and "nowhere but in memory" in err


def test_studies_of_figures_go_on_with_a_result_that_was_rescued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                 ) -> None:
    monkeypatch.chdir(tmp_path)
    no_space(monkeypatch, tmp_path / "all" / "one")
    heard = fake_points.Listener()
    found = dict(many.run_many({"one": SINGLE, "two": SINGLE}, tmp_path / "all", reporter=heard))
    assert {name: result.status for name, result in found.items()} == dict.fromkeys(("one", "two"), Status.converged)
    assert any("kept in" in text for text in heard.warnings)


def test_a_lost_summary_or_figure_costs_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, right = fake_points.Listener(), os.replace

    def full(source: Any, target: Any) -> None:
        if Path(target).name == "summary.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        right(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        result = ehbilayer.run(SINGLE, tmp_path, reporter=heard)
    assert result.status is Status.converged and "no summary: " in heard.warnings[0]
    assert not (tmp_path / "summary.json").exists()
    ehbilayer.run(SINGLE, tmp_path)
    assert json.loads((tmp_path / "summary.json").read_text()) == result.summary


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("study", [SINGLE, sweep])
def test_a_figure_that_a_kill_prevented_is_drawn_by_the_next_run(tmp_path: Path, fakes: Path, study: Any,
                                                                 resume: bool) -> None:
    first = ehbilayer.run(SINGLE if study is SINGLE else sweep(), tmp_path / "out")
    assert (tmp_path / "out" / "figure.png").read_bytes() == b"drawn"
    (tmp_path / "out" / "figure.png").unlink()
    fakes.unlink()
    again = ehbilayer.run(SINGLE if study is SINGLE else sweep(), tmp_path / "out", resume=resume)
    assert (tmp_path / "out" / "figure.png").read_bytes() == b"drawn" and computed(fakes) == []
    assert again.summary == first.summary


def test_no_figure_is_left_of_an_earlier_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the result and its figure leaves none, not the old one."""
    ehbilayer.run(SINGLE, tmp_path)

    def killed(result: Result, place: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(runner, "draw", killed)
        ehbilayer.run(SINGLE, tmp_path, force=True)
    assert not (tmp_path / "figure.png").exists() and (tmp_path / "result.nc").exists()
    ehbilayer.run(SINGLE, tmp_path)
    assert (tmp_path / "figure.png").exists()


def empty(status: Status, values: Any) -> Result:
    return Record("hartree-fock", status, {"energy": -1.0}, {}, {"x": Variable(("n",), np.array(values), "a_h")})


@pytest.mark.parametrize("values", [[np.nan, np.nan], [np.inf, np.nan], [complex(np.nan, 0), complex(0, np.nan)]])
def test_arrays_of_nan_are_not_converged(tmp_path: Path, values: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"data\.x: must be finite"):
        empty(Status.converged, values).save(tmp_path / "x.nc")
    assert list(tmp_path.iterdir()) == []
    empty(Status.not_finite, values).save(tmp_path / "said.nc")
    assert Result.load(tmp_path / "said.nc").status is Status.not_finite
    with monkeypatch.context() as patch:
        patch.setattr(Result, "undefined", lambda self: "")
        empty(Status.converged, values).save(tmp_path / "x.nc")
    with pytest.raises(ResultFileError, match="says converged, but x holds no numbers") as caught:
        Result.load(tmp_path / "x.nc")
    assert caught.value.damaged
    for fine in ([1.0, np.nan], [], [0.0]):
        empty(Status.converged, fine).save(tmp_path / "fine.nc")
        Result.load(tmp_path / "fine.nc")


def test_a_method_that_returns_nan_has_not_converged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = fake_points.solve

    def wrong(study: Study, run: Any) -> Any:
        from dataclasses import replace

        found = right(study, run)
        return replace(found, data=found.data | {"line": Variable(("x",), np.full(2, np.nan), "a_h")})

    monkeypatch.setattr(fake_points, "solve", wrong)
    result = ehbilayer.run(SINGLE, tmp_path / "one")
    assert result.status is Status.not_finite and result.reason == "line is not finite"
    assert Result.load(tmp_path / "one" / "result.nc").status is Status.not_finite
    swept = ehbilayer.run(sweep(), tmp_path / "all")
    assert swept.summary["failed_by_reason"] == {"not_finite": 3}


@pytest.mark.parametrize("stem", [".", "..", "...", ". .", " "])
def test_a_study_whose_name_is_dots_stays_where_it_is(tmp_path: Path, stem: str, monkeypatch: pytest.MonkeyPatch,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    here = tmp_path / "a" / "b"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    (here / f"{stem}.toml").write_text(fake_points.study_text(AXES))
    assert cli.execute(["run", f"{stem}.toml", "--quiet"]) == 0
    assert sorted(p.name for p in here.iterdir()) == sorted([f"{stem}.toml", "study"])
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


@pytest.mark.parametrize("name", ["..", "../out", "", "a/b", "/elsewhere", "."])
def test_names_of_studies_stay_in_their_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="a name for a directory"):
        list(many.run_many({name: SINGLE}, tmp_path / "x"))


def test_a_state_that_makes_no_sense_is_set_aside(tmp_path: Path) -> None:
    """Sealed by someone who changed it: arrays and entries of other shapes and types under right names."""
    tables = {"kind": "few-body", "bilayer": {"electron_mass": 0.5, "hole_mass": 1.0}, "few-body": {
        "complex": "exciton", "spacings": [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]}}
    asked: list[int] = []

    def stop() -> Status | None:
        asked.append(1)
        return Status.interrupted if len(asked) > 3 else None

    ended = runner.run(make_study(tables), tmp_path, should_stop=stop)
    assert ended.status is Status.interrupted and ended.data
    raw = (tmp_path / RESULT).read_bytes()
    (tmp_path / RESULT).write_bytes(sealed.edited(raw, lambda content: content["arrays"].pop("uncertainties")))
    listener = fake_points.Listener()
    again = runner.run(make_study(tables), tmp_path, resume=True, reporter=listener)
    assert again.status is Status.converged and (tmp_path / f"{RESULT}.corrupt").exists()
    assert any("cannot go on from" in text for text in listener.warnings)
