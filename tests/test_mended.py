"""What `ehb status` calls missing or damaged is what the next run mends, in one go."""

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ehbilayer
import fake_points
from ehbilayer import cli
from ehbilayer.errors import InputError
from ehbilayer.run import runner
from ehbilayer.studies.file import Study, make_study
from ehbilayer.sweep.status import status_of

SINGLE = {"kind": "device", "bilayer": {"spacing": 1.0}, "density": {"rs_hole": 4.0}}


@pytest.fixture(autouse=True)
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_points.install(monkeypatch)
    monkeypatch.setattr(runner, "draw", lambda result, place: (place / "figure.png").write_bytes(b"drawn"))
    monkeypatch.setenv("EHB_FAKE_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def sweep() -> Study:
    return make_study(tomllib.loads(fake_points.study_text('"density.rs_hole" = [4, 6, 8]')))


def first_point(place: Path) -> Path:
    return min((place / "points").iterdir())


def half(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def fewer_points(place: Path) -> None:
    """As if somebody had cut the definition."""
    path = place / "sweep.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"points": content["points"][:2]}))


HARMS: dict[str, tuple[Callable[[Path], Any], int]] = {  # what happens to the directory, and points to compute again
    "point damaged": (lambda place: half(first_point(place)), 1),
    "point gone": (lambda place: first_point(place).unlink(), 1),
    "point damaged, result gone": (lambda place: (half(first_point(place)), (place / "result.nc").unlink()), 1),
    "result damaged": (lambda place: half(place / "result.nc"), 0),
    "result gone": (lambda place: (place / "result.nc").unlink(), 0),
    "definition cut": (lambda place: half(place / "sweep.json"), 0),
    "definition empty": (lambda place: (place / "sweep.json").write_bytes(b""), 0),
    "definition of bytes": (lambda place: (place / "sweep.json").write_bytes(b"\x00\xff" * 100), 0),
    "definition of something else": (lambda place: (place / "sweep.json").write_text("[1, 2]"), 0),
    "definition gone": (lambda place: (place / "sweep.json").unlink(), 0),
    "definition shortened": (fewer_points, 0),
    "definition and result damaged": (lambda place: (half(place / "sweep.json"), half(place / "result.nc")), 0),
    "folder removed": (lambda place: shutil.rmtree(place / "points"), 0),  # all there is was collected
    "folder and result removed": (lambda place: (shutil.rmtree(place / "points"), (place / "result.nc").unlink()), 3),
}


@pytest.mark.parametrize("harm", HARMS)
def test_status_and_the_next_run_of_a_sweep_agree(tmp_path: Path, fakes: Path, harm: str,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "out"
    whole = ehbilayer.run(sweep(), place)
    assert status_of(place)["state"] == "complete"
    apply, again = HARMS[harm]
    apply(place)
    told = status_of(place)
    assert cli.execute(["status", str(place)]) == 0 and cli.execute(["status", str(place), "--json"]) == 0
    assert told["state"] == ("complete" if harm == "folder removed" else "incomplete")
    assert told.get("missing", 0) == (0 if "definition" in harm else again)
    if "damaged" in harm and "point" not in harm:
        assert "damaged" in {told["result"], told.get("definition")}
    fakes.unlink()
    assert ehbilayer.run(sweep(), place).done == whole.done
    assert len(fakes.read_text().splitlines() if fakes.exists() else []) == again
    found = status_of(place)
    assert (found["state"], found["done"], found["missing"], found["damaged"], found["result"]) == (
        "complete", 3, 0, 0, "there")
    assert cli.execute(["show", str(place)]) == 0
    assert "3 of 3 done" in capsys.readouterr().out


@pytest.mark.parametrize(("harm", "said"), [(half, "damaged"), (Path.unlink, "missing")])
def test_status_and_the_next_run_of_a_single_study_agree(tmp_path: Path, fakes: Path, harm: Callable[[Path], None],
                                                         said: str, capsys: pytest.CaptureFixture[str]) -> None:
    ehbilayer.run(SINGLE, tmp_path / "out")
    (tmp_path / "out" / ".run.lock").touch()  # as a run that was killed leaves it
    assert status_of(tmp_path / "out")["status"] == "converged"
    harm(tmp_path / "out" / "result.nc")
    assert status_of(tmp_path / "out")["status"] == said
    assert cli.execute(["status", str(tmp_path / "out")]) == 0
    assert said in capsys.readouterr().out
    fakes.unlink()
    ehbilayer.run(SINGLE, tmp_path / "out")
    assert len(fakes.read_text().splitlines()) == 1
    assert status_of(tmp_path / "out")["status"] == "converged"


def test_a_damaged_definition_is_set_aside_and_said(tmp_path: Path) -> None:
    ehbilayer.run(sweep(), tmp_path)
    half(tmp_path / "sweep.json")
    listener = fake_points.Listener()
    ehbilayer.run(sweep(), tmp_path, reporter=listener)
    assert len(listener.warnings) == 1 and "sweep.json is damaged; set aside as sweep.json.corrupt" in (
        listener.warnings[0])


@pytest.mark.parametrize("left", ["sweep.json", "points", ".run.lock"])
def test_a_directory_that_was_killed_before_its_result_says_so(tmp_path: Path, left: str,
                                                               capsys: pytest.CaptureFixture[str]) -> None:
    ehbilayer.run(sweep(), tmp_path / "out")
    for name in ("result.nc", "summary.json", "figure.png"):
        (tmp_path / "out" / name).unlink()
    shutil.rmtree(tmp_path / "out" / "points")
    if left == ".run.lock":
        (tmp_path / "out" / "sweep.json").unlink()
        (tmp_path / "out" / left).touch()
    elif left == "sweep.json":
        half(tmp_path / "out" / left)
    else:
        (tmp_path / "out" / "points").mkdir()
    code = cli.execute(["show", str(tmp_path / "out")])
    out, err = capsys.readouterr()
    assert (code == 2 and "not finished" in err and "run it again" in err) or (code == 0 and "0 of 3 done" in out)
    assert ehbilayer.run(sweep(), tmp_path / "out").done == 3


def test_an_empty_directory_was_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run"):
        status_of(tmp_path)
