"""Reading what runs leave: files, directories of studies, sweeps that are finished or not; and showing it."""

import re
from pathlib import Path

import numpy as np
import pytest

import ehbilayer
import fake_points
from ehbilayer.cli import execute
from ehbilayer.errors import InputError
from ehbilayer.few_body.result import ComplexResult
from ehbilayer.results.base import Record, Result, ResultFileError, Variable
from ehbilayer.results.files import RESULT
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.sweep.result import SweepResult
from ehbilayer.sweep.store import PointStore

MASSES = {"electron_mass": 0.4, "hole_mass": 0.4, "dielectric": 4.7}
EXCITON = {"kind": "few-body", "bilayer": MASSES | {"spacing": 1.0}, "few-body": {"complex": "exciton"}}


def test_a_file_and_its_directory_are_the_same(tmp_path: Path) -> None:
    ran = ehbilayer.run(make_study(EXCITON), tmp_path / "exciton")
    for path in (tmp_path / "exciton", tmp_path / "exciton" / RESULT, str(tmp_path / "exciton")):
        found = ehbilayer.load(path)
        assert isinstance(found, ComplexResult) and found.summary == ran.summary and found.data
    assert not ehbilayer.load(tmp_path / "exciton" / RESULT, arrays=False).data


@pytest.fixture
def swept(tmp_path: Path) -> Path:
    axes = {"bilayer.spacing": [0.5, 1.0, 2.0], "few-body.angular_momentum": [0]}
    ehbilayer.run(make_study(EXCITON | {"sweep": axes}), tmp_path / "sweep")
    return tmp_path / "sweep"


def test_an_unfinished_sweep_is_what_is_there(swept: Path) -> None:
    whole = ehbilayer.load(swept)
    assert isinstance(whole, SweepResult) and whole.missing == 0
    (swept / RESULT).unlink()
    again = ehbilayer.load(swept)
    assert again.status is Status.converged and list(again.data) == list(whole.data)
    for name, array in whole.data.items():
        np.testing.assert_array_equal(again.data[name].values, array.values)
        assert again.data[name].units == array.units and again.data[name].description == array.description
    store = PointStore(swept)
    (key, label), (damaged, other), *_ = store.labels().items()
    store.path(key, label).unlink()
    store.path(damaged, other).write_bytes(b"no result")
    part = ehbilayer.load(swept)
    assert (part.status, part.done, part.missing) == (Status.interrupted, 1, 2)
    assert sorted(part.data["status"].values.ravel()) == ["converged", "missing", "missing"]
    assert np.isfinite(part.data["energy"].values).sum() == 1
    assert store.path(damaged, other).is_file()  # reading moves nothing


def test_what_was_collected_before_more_points_came_is_not_the_last_word(swept: Path) -> None:
    whole = ehbilayer.load(swept)
    late = Record("sweep", "interrupted", whole.summary | {"missing": 2, "done": 1}, whole.inputs, {})
    late.save(swept / RESULT)
    assert ehbilayer.load(swept).done == 3


def test_chosen_points_say_where_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("adaptive")
    fake_points.install(monkeypatch)
    path = tmp_path / "study.toml"
    path.write_text(fake_points.study_text('"density.rs_hole" = {start = 1, stop = 9}\n'
                                           'mode = "adaptive"\npoints = 12', ""), encoding="utf-8")
    whole = ehbilayer.run(path, tmp_path / "out")
    (tmp_path / "out" / RESULT).unlink()
    found = ehbilayer.load(tmp_path / "out")
    assert found.mode == "adaptive" and found.done == whole.done == 12
    np.testing.assert_array_equal(found.data["density.rs_hole"].values, whole.data["density.rs_hole"].values)


def test_what_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="a directory without"):
        ehbilayer.load(tmp_path)
    with pytest.raises(ResultFileError, match=r"missing\.nc"):
        ehbilayer.load(tmp_path / "missing.nc")
    assert execute(["show", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_commands_read_unfinished_sweeps(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (swept / RESULT).unlink()
    assert execute(["show", str(swept)]) == 0 and "3 of 3 done" in capsys.readouterr().out
    (swept / "figure.png").unlink(missing_ok=True)
    assert execute(["plot", str(swept)]) == 0 and (swept / "figure.png").stat().st_size > 1000


def test_notebooks_show_table_and_page() -> None:
    html = ehbilayer.run(make_study(EXCITON))._repr_html_()
    assert "few-body: converged" in html and "binding energy" in html and "data:image/png;base64,iVBOR" in html
    assert not re.search(r"(src|href)='(?!data:)", html)


def test_records_and_odd_characters_are_shown_without_a_page() -> None:
    html = Record("few-body", "invalid", {"reason": "a < b & c"}, {})._repr_html_()
    assert "a &lt; b &amp; c" in html and "<img" not in html
    assert "unheard-of" in Record("unheard-of", "converged", {}, {})._repr_html_()


def test_grids_over_a_cell_have_positions() -> None:
    cell = np.array([[2.0, 0.0], [1.0, 3.0]])
    data = {"cell": Variable(("vector", "axis"), cell, "a_h"),
            "density": Variable(("cell_1", "cell_2"), np.zeros((4, 5)), "a_h^-2", "holes")}
    dataset = Record("hartree-fock", "converged", {}, {}, data).dataset
    assert {"x", "y"} <= set(dataset.coords) and dataset["x"].attrs["units"] == "a_h"
    assert [float(dataset[n][2, 1]) for n in "xy"] == pytest.approx(list(cell[0] / 2 + cell[1] / 5))
    assert "x" in dataset["density"].coords and "x" not in Result.from_bytes(
        Record("hartree-fock", "converged", {}, {}, data).to_bytes()).data
