"""Standard streams and styles that are broken cost no calculation, no figure, and no file that a program reads."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ehbilayer
from ehbilayer import InputError, console

STUDY = 'kind = "few-body"\n[bilayer]\nmaterial = "WSe2/MoSe2"\nspacing = "3 nm"\n[few-body]\ncomplex = "exciton"\n'
FILES = {"result.nc", "summary.json", "figure.png"}
COMMANDS = ("show x", "show x --json", "status sweep", "materials", "units --material WSe2/MoSe2", "schema",
            "reproduce --list")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two studies, one of them run: x, the other a sweep."""
    place = tmp_path_factory.mktemp("console")
    (place / "x.toml").write_text(STUDY)
    (place / "sweep.toml").write_text(STUDY + '[sweep]\n"bilayer.spacing" = [1, 2]\n')
    for name in ("x", "sweep"):
        ehbilayer.run(place / f"{name}.toml", place / name)
    return place


def shell(text: str, place: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of a line in which `ehb` is the command; its exit code is that of the command."""
    environment = {"PYTHONPATH": str(Path(ehbilayer.__file__).parents[1]), **more}
    line = re.sub(r"\behb\b", f"'{sys.executable}' -m ehbilayer", text) + "; exit ${PIPESTATUS[0]}"
    return subprocess.run(["bash", "-c", line], cwd=place, env=os.environ | environment, capture_output=True, text=True,
                          encoding="utf-8", timeout=300)


@pytest.mark.parametrize(("redirected", "complaint"), [
    (">&-", ""), ("<&- >&- 2>&-", ""), ("| head -1", ""), ("--quiet --json | true", ""),
    (">/dev/full", "warning: what was printed is lost: No space left on device\n")])
def test_a_lost_stream_costs_no_calculation(place: Path, tmp_path: Path, redirected: str, complaint: str) -> None:
    done = shell(f"ehb run {place}/x.toml {redirected}", tmp_path)
    assert (done.returncode, done.stderr) == (0, complaint)
    assert {path.name for path in (tmp_path / "x").iterdir()} >= FILES
    assert (tmp_path / "x" / "summary.json").read_text().endswith("}\n")


def test_a_file_opened_later_does_not_become_the_closed_output(tmp_path: Path) -> None:
    code = ("import os; from ehbilayer import console; console.secure(); file = open('data', 'w'); print('text'); "
            "os.write(1, b'from a library'); os._exit(0)")
    done = shell(f"'{sys.executable}' -c \"{code}\" >&- 2>&-", tmp_path)
    assert done.returncode == 0 and (tmp_path / "data").read_text() == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_only_prints_says_that_it_could_not(place: Path, command: str) -> None:
    done = shell(f"ehb {command} >/dev/full", place)
    assert (done.returncode, done.stderr) == (1, "error: what was printed is lost: No space left on device\n")


def test_readers_that_have_enough_are_no_error(place: Path) -> None:
    for command in ("show x --json | head -1", "schema | true", "materials >&-"):
        done = shell(f"ehb {command}", place)
        assert (done.returncode, done.stderr) == (0, ""), command


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_letters_that_an_encoding_lacks(tmp_path: Path, place: Path, encoding: str) -> None:
    (tmp_path / "Ψ\N{GRINNING FACE}.toml").write_text('kind = "few-body"\n[bilayer]\nmaterial = "α\N{GRINNING FACE}"')
    done = shell("ehb run *.toml", tmp_path, PYTHONIOENCODING=encoding)
    told = "α\N{GRINNING FACE}" if encoding == "utf-8" else r"\u03b1\ud83d\ude00"
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and told in done.stderr
    done = shell(f"ehb run {place}/x.toml -o Ψ && ehb show Ψ --json", tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and ("written to Ψ" in done.stdout) == (encoding == "utf-8")


def test_escapes_are_those_of_json() -> None:
    text = "Å α \N{GRINNING FACE} \udcff"
    escaped = json.dumps(text, ensure_ascii=False).encode("ascii", console.ESCAPE)
    assert json.loads(escaped) == text


@pytest.mark.parametrize("setting", [
    {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}, {"MPLBACKEND": "module://no.such"},
    {"MPLBACKEND": "nonsense"}, {"MATPLOTLIBRC": "style"}, {"MATPLOTLIBRC": "damaged"}])
def test_settings_of_matplotlib_change_no_figure(place: Path, tmp_path: Path, setting: dict[str, str]) -> None:
    (tmp_path / "style").write_text("text.usetex: True\nsavefig.bbox: tight\nfont.size: 30\naxes.linewidth: 9\n")
    (tmp_path / "damaged").write_bytes(b"\xff\xfe: nonsense\n")
    done = shell(f"ehb plot {place}/x -o figure.png", tmp_path, **setting)
    assert done.returncode == 0 and "warning" not in done.stderr
    assert (tmp_path / "figure.png").read_bytes() == (place / "x" / "figure.png").read_bytes()


def test_the_settings_of_a_notebook_stay_what_they_are(place: Path) -> None:
    import matplotlib

    with matplotlib.rc_context({"text.usetex": True, "font.size": 30.0, "savefig.bbox": "tight"}):
        figure = ehbilayer.load(place / "x").plot()
        assert matplotlib.rcParams["font.size"] == 30.0
        assert figure._repr_png_() == (place / "x" / "figure.png").read_bytes()


@pytest.mark.parametrize(("was", "words"), [
    ({"electron": 0.00729664714408, "hole": 2}, "electron 0.00729665, hole 2"), ([0.1, "3 nm"], "0.1, '3 nm'"),
    ((), "nothing"), ({}, "nothing"), ({"cell": {"holes": [4, 9]}}, "cell holes 4, 9"), (1.0000000001, "1.0000000001")])
def test_what_was_given_is_told_in_words(was: object, words: str) -> None:
    assert str(InputError("key", "that", was, "do this")) == f"key: must be that, but was {words}; do this"
