"""What files say is shown, never obeyed: control characters reach no terminal, markup no notebook."""

import json
import re
from pathlib import Path

import pytest

from ehbilayer import cli
from ehbilayer.errors import InputError, printable
from ehbilayer.results.base import Record, Result
from ehbilayer.results.files import ResultFileError
from ehbilayer.results.variable import to_json
from ehbilayer.status import Status
from ehbilayer.studies.drawing import as_html

# an OSC 52 that fills the clipboard, CSI as two bytes and as one, DEL, a bell, a carriage return, reversed writing, <b>
BAD = "\x1b]52;c;ZWNobw==\x07a\x1b[2J\x9b31m\x7f\rb\u202ec\u2066\u2028\x00<b>&amp;"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def hostile(kind: str = "hartree-fock") -> Record:
    return Record(kind, Status.invalid, {"reason": BAD, "advice": BAD, BAD: BAD}, {BAD: BAD})


def test_only_newlines_and_tabs_are_left() -> None:
    every = "".join(map(chr, range(0x3000)))
    assert not CONTROL.search(printable(every)) and printable("a\tb\nµ é Ψ") == "a\tb\nµ é Ψ"
    assert json.loads(printable(json.dumps({BAD: BAD}, ensure_ascii=False))) == {BAD: BAD}  # JSON stays what it was


def commands(place: Path) -> list[list[str]]:
    """Commands that read texts of a stranger: results, sweeps, studies, names of files."""
    hostile().save(place / "a.nc")
    hostile("x" + BAD.replace("\x00", "")).save(place / "b.nc")
    (place / "single").mkdir()
    (place / "single" / "summary.json").write_text(to_json({"kind": BAD, "status": BAD}))
    (place / "sweep").mkdir()
    (place / "sweep" / "sweep.json").write_text(to_json(
        {"kind": BAD, "hash": BAD, "mode": BAD, "total": 1, "axes": {BAD: [BAD]}, "points": [BAD], BAD: BAD}))
    for name, text in {"value": f"kind = {json.dumps(BAD)}", "key": f'kind = "liquid"\n{json.dumps(BAD)} = 1',
                       "sweep": f'kind = "liquid"\n[sweep]\n{json.dumps(BAD)} = [1]', "raw": f'kind = "{BAD}',
                       "start": f'kind = "hartree-fock"\n[hartree-fock]\nstart = {json.dumps(BAD)}'}.items():
        (place / f"{name}.toml").write_text(text, encoding="utf-8", newline="")
    path = str(place / BAD.replace("\x00", "").replace("/", ""))
    Path(path).write_text("nonsense")
    studies = [["run", str(place / f"{name}.toml")] for name in ("value", "key", "sweep", "raw", "start")]
    shows = [["show", str(place / name), *more] for name in ("a.nc", "b.nc", "sweep") for more in ([], ["--json"])]
    return [*studies, *shows, *(["status", str(place / name)] for name in ("single", "sweep")),
            ["status", str(place / "sweep"), "--json"], ["plot", str(place / "b.nc")], ["run", path], ["show", path],
            ["status", path], ["plot", path], ["reproduce", BAD], [BAD], ["run", f"--{BAD}"],
            ["units", "--material", BAD], ["run", str(place / "key.toml"), "--set", f"{BAD}={BAD}"]]


def test_no_command_prints_control_characters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands(tmp_path):
        code = cli.execute(command)
        out, err = capsys.readouterr()
        assert not CONTROL.search(out + err), (command, out, err)
        assert code in (0, 2, 3) and err.count("\n") <= 1, (command, code, err)


def test_a_text_cannot_pretend_to_be_another_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Record("unheard-of", Status.invalid, {"reason": "no\n  status  converged"}, {}).save(tmp_path / "a.nc")
    cli.execute(["show", str(tmp_path / "a.nc")])
    assert sum(line.split()[0] == "status" for line in capsys.readouterr().out.splitlines()) == 1


def test_errors_are_printable_in_python_too() -> None:
    for error in (InputError(BAD, BAD, BAD, BAD), ResultFileError(BAD, BAD, BAD)):
        assert not CONTROL.search(str(error))


def test_a_notebook_shows_markup_as_text(tmp_path: Path) -> None:
    hostile("<script>alert(1)</script>").save(tmp_path / "a.nc")
    html = as_html(Result.load(tmp_path / "a.nc"))
    assert "<script" not in html and "<b>&amp;amp;" not in html and "&lt;b&gt;&amp;amp;" in html
