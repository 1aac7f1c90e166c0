"""The data of a report and its text: numbers are the saved ones, studies run again, and no text becomes a script."""

import base64
import json
import re
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fake_points
from ehbilayer import cli
from ehbilayer.results.base import Variable
from ehbilayer.run import runner
from ehbilayer.studies.file import load_study, make_study
from ehbilayer.sweep.load import load
from ehbilayer.sweep.result import SweepResult
from ehbilayer.units import Scales
from ehbilayer.view import data, page
from ehbilayer.view.data import Axis, Column, Report, Studies, Words
from ehbilayer.view.page import html, to_json
from ehbilayer.view.panels import panels_of
from ehbilayer.view.payload import LARGEST_NUMBERS, report_of
from ehbilayer.view.scales import units_of
from ehbilayer.view.studies import literal, studies

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.toml"))
HOSTILE = ("</script><script>alert(1)</script>", "<!--<script>", "<img src=x onerror=alert(1)>",
           "]]>&lt;\u2028'\"`${1}", "@script@", "@data@", "\\u003c/script>")


def report(**more: Any) -> Report:
    """A small report that may be told otherwise."""
    given = {"title": "t", "kind": "phases", "status": "converged", "advice": "", "count": 1, "shape": (), "table": (),
             "axes": (), "columns": (), "words": (), "candidates": (), "first": (), "phases": "", "panels": {},
             "cautions": (), "studies": Studies(), "origin": (), "versions": {}, "units": units_of(["1"], Scales()),
             "real": False, "reads_real": False, "colours": {}}
    return Report(**given | more)


def data_of(text: str) -> Any:
    """What the script of a page reads."""
    return json.loads(re.findall(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)[0])


@pytest.fixture
def swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sweep over two axes, whose values do not ascend, with a point that does not converge."""
    fake_points.install(monkeypatch)
    study = make_study({"kind": fake_points.KIND, "bilayer": {"hole_mass": 0.4, "dielectric": 5.0}, "density": {},
                        "sweep": {"density.rs_hole": [8, 4, fake_points.NEVER_CONVERGES],
                                  "bilayer.spacing": ["1 nm", "3 nm"]}})
    runner.run(study, tmp_path / "s")
    return tmp_path / "s"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_the_study_shown_is_the_study(path: Path) -> None:
    study = load_study(path)
    if study.sweep is not None:
        pytest.skip("its points are: another test")
    told = studies(study.canonical())
    assert make_study(tomllib.loads(told.whole)).canonical() == study.canonical()
    names: dict[str, Any] = {"run": lambda tables: tables}
    code = "".join(map(str, told.python)).replace("import ehbilayer\n", "").replace("ehbilayer.run(", "run(")
    exec(code, names)  # the text that a reader copies
    assert make_study(names["study"]).canonical() == study.canonical()


@pytest.mark.parametrize("value", [1e-6, -0.0, 3, True, "a\x7f\"\\\n\u2028é😀", [1.5, "x"], {"start": 1, "a b": "c"}])
def test_literals_are_read_back(value: Any) -> None:
    assert tomllib.loads(f"x = {literal(value)}")["x"] == value
    assert eval(literal(value, python=True)) == value
    with pytest.raises(TypeError):
        literal(object())


def test_a_sweep_in_order_with_its_numbers_and_studies(swept: Path) -> None:
    found, result = report_of(swept), load(swept)
    assert isinstance(result, SweepResult)
    assert found.shape == (3, 2) and found.count == 6
    rs, spacing = found.axes
    assert rs.values.tolist() == [4, 8, fake_points.NEVER_CONVERGES] and spacing.said == ('"1 nm"', '"3 nm"')
    energy = next(c for c in found.columns if c.name == "energy")
    kept = result.data["energy"].values[[1, 0, 2]].ravel()
    assert energy.values.dtype == np.float64 and energy.unit == "Ha_h" and np.array_equal(energy.values, kept)
    status = next(w for w in found.words if w.name == "status")
    assert [status.words[c] for c in status.codes] == ["converged"] * 4 + ["not_converged"] * 2
    assert any("failed" in c.text for c in found.cautions)
    for point in range(6):
        text = "".join(a if isinstance(a, str) else found.axes[a].said[(point // 2, point % 2)[a]]
                       for a in found.studies.toml)
        tables = tomllib.loads(text)
        assert tables["density"]["rs_hole"] == rs.values[point // 2]
        assert tables["bilayer"]["spacing"] == ("1 nm", "3 nm")[point % 2]
        assert make_study(tables).kind == fake_points.KIND
    whole = make_study(tomllib.loads(found.studies.whole))
    assert whole.sweep == {"density.rs_hole": [8, 4, 14.0], "bilayer.spacing": ["1 nm", "3 nm"]}


def test_a_sweep_that_is_not_finished_or_lost_its_points(swept: Path) -> None:
    (swept / "result.nc").unlink()
    assert report_of(swept).count == 6
    runner.run(make_study(tomllib.loads(report_of(swept).studies.whole)), swept)
    for path in (swept / "points").iterdir():
        path.unlink()
    bare = report_of(swept / "result.nc")
    assert bare.studies == Studies() and any("files of the points" in note for note in bare.notes)


def test_units_of_a_device() -> None:
    scales = Scales(0.8, 0.4, 4.7)
    units = units_of(["Ha_h", "a_h^-2", "nm", "Ha_h/a_h^2", "1"], scales)
    assert units["Ha_h"].real == data.Unit("meV", pytest.approx(scales.hartree_meV))
    assert units["Ha_h"].kelvin == data.Unit("K", pytest.approx(scales.hartree_kelvin))
    assert units["a_h^-2"].real == data.Unit("cm⁻²", pytest.approx(1e14 / scales.bohr_radius_nm**2))
    assert units["nm"].atomic == data.Unit("aₕ", pytest.approx(1 / scales.bohr_radius_nm))
    assert units["nm"].real == data.Unit("nm", 1.0) and units["1"].real == data.Unit("", 1.0)
    assert units_of(["Ha_h"], Scales())["Ha_h"].real == data.Unit("Haₕ", 1.0)


def test_charts_follow_from_the_axes_of_arrays() -> None:
    from ehbilayer.results.base import Record
    from ehbilayer.status import Status

    q, w = np.linspace(0.1, 1, 4), np.linspace(0, 1, 5)
    arrays = {"q": Variable(("q",), q, "1/a_h", "wave number"), "frequency": Variable(("frequency",), w, "Ha_h"),
              "carrier": Variable(("carrier",), np.array(["electron", "hole"]), "1"),
              "loss": Variable(("carrier", "q", "frequency"), np.arange(40.0).reshape(2, 4, 5), "1"),
              "gap": Variable(("q",), q**2, "Ha_h"), "gap_error": Variable(("q",), q / 10, "Ha_h"),
              "trace_vmc": Variable(("step_vmc",), np.arange(1000.0), "Ha_h")}
    found = {p.title: p for p in panels_of(Record("x", Status.converged, {}, {}, arrays))}
    loss, gap, trace = found["loss"], found["gap"], found["energy on the way"]
    assert isinstance(loss, data.Map) and loss.cuts and [x.name for x in loss.layers] == ["electron", "hole"]
    assert np.array_equal(loss.layers[1].z, arrays["loss"].values[1].T) and loss.y.unit == "Ha_h"
    assert isinstance(gap, data.Curves) and gap.curves[0].error == pytest.approx(q / 10) and len(gap.curves) == 1
    assert isinstance(trace, data.Curves) and trace.curves[0].y.mean() == pytest.approx(499.5)


def test_nothing_in_a_result_becomes_markup() -> None:
    for text in HOSTILE:
        axis = Axis(text, text, "1", np.arange(1.0), (text,), (literal(text),))
        told = report(title=text, table=((text, text),), words=(Words(text, text, (text,), np.zeros(1, np.uint8)),),
                      columns=(Column(text, text, "1", text, np.ones(1)),), axes=(axis,), shape=(1,),
                      versions={text: text},
                      studies=studies({"kind": "phases", "cell": {text: text}}), cautions=(data.Caution(text),),
                      notes=(text,), origin=((text, text),), candidates=(text,))
        shown = html(told, "draws()")
        assert len(re.findall(r"<script", shown)) == 3 and len(re.findall(r"</script", shown)) == 3
        assert "<!--" not in shown and "<img" not in shown
        assert not set("<>&\u2028\u2029") & set(to_json(told))
        found = data_of(shown)
        assert found["title"] == found["notes"][0] == page.plain(text)
        assert tomllib.loads(found["studies"]["whole"]) == {"kind": "phases", "cell": {text: text}}


def test_the_policy_allows_the_two_scripts_alone() -> None:
    shown = html(report(), "draws()")
    policy = re.findall(r'Content-Security-Policy" content="(.*?)"', shown)[0]
    scripts = re.findall(r"<script>(.*?)</script>", shown, re.DOTALL)
    digests = [f"'sha256-{base64.b64encode(sha256(s.encode()).digest()).decode()}'" for s in scripts]
    assert len(scripts) == 2 and f"script-src {' '.join(digests)};" in policy and "default-src 'none'" in policy
    assert not re.search(r"(?:src|href)=\"?(?!#)\w", shown.replace(scripts[1], ""))
    assert "innerHTML" not in scripts[1] and "eval(" not in scripts[1]


def test_long_sweeps_are_rounded_then_shortened_and_say_so(swept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("rounded" in note for note in report_of(swept).notes) and LARGEST_NUMBERS > 5e6
    whole = len(report_of(swept).columns)
    monkeypatch.setattr("ehbilayer.view.payload.LARGEST_NUMBERS", whole * 6 * 8 - 1)
    rounded = report_of(swept)
    assert rounded.digits == 7 and len(rounded.columns) == whole and rounded.columns[0].values.dtype == np.float32
    monkeypatch.setattr("ehbilayer.view.payload.LARGEST_NUMBERS", 2 * 6 * 4)
    short = report_of(swept)
    assert len(short.columns) == 2 and any("left out" in note for note in short.notes)
    assert "margin" in [c.name for c in short.columns]


@pytest.mark.parametrize(("where", "output", "says"), [
    ("nothing", None, "nothing"), ("s", "folder", "the directory"), ("s", "x.nc", "ends in .html"),
    ("s", "no/x.html", "existing directory"), ("text.txt", None, "text.txt")])
def test_refusals_are_one_line(swept: Path, where: str, output: str | None, says: str,
                               capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "library", lambda: "draws()")
    (swept.parent / "folder").mkdir()
    (swept.parent / "text.txt").write_text("no result")
    more = [] if output is None else ["-o", str(swept.parent / output)]
    assert cli.execute(["view", str(swept.parent / where), *more]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.startswith("error: ") and says in told
    assert (swept.parent / "folder").is_dir() and not list(swept.parent.rglob("*.html"))


def test_without_the_extra_it_says_what_to_install(swept: Path, capsys: pytest.CaptureFixture[str],
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "plotly.offline", None)
    assert cli.execute(["view", str(swept)]) == 2
    assert "pip install 'ehbilayer[view]'" in capsys.readouterr().err


def test_the_command_writes_beside_the_result(swept: Path, monkeypatch: pytest.MonkeyPatch,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(page, "library", lambda: "draws()")
    assert cli.execute(["view", str(swept)]) == 0
    assert f"written to {swept / 'report.html'}" in capsys.readouterr().out
    first = (swept / "report.html").read_text(encoding="utf-8")
    assert cli.execute(["view", str(swept)]) == 0
    assert (swept / "report.html").read_text(encoding="utf-8") == first and data_of(first)["title"] == "s"
