"""What is no plain file of a sensible size is refused wherever a file is looked for; nobody waits for a pipe."""

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import fake_points
from ehbilayer import cli
from ehbilayer.results.base import Record, Result
from ehbilayer.results.files import ResultFileError, read_bytes, read_json
from ehbilayer.status import Status
from ehbilayer.studies.file import load_study
from ehbilayer.studies.toml import LARGEST_FILE, MOST_DOTS, parse_toml
from ehbilayer.sweep.status import status_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs pipes and devices")
SECONDS = 30  # no test depends on the speed of the machine; to wait for a pipe takes for ever
HUGE = 60 * 10**9


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(HUGE)


def socket(path: Path) -> None:
    import socket

    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as one:  # its name may not be long
        one.bind(path.name)


KINDS = [zeros, pipe, folder, sparse, socket]


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    """A read that waits, or that fills the memory, is an error."""
    def late(*_: object) -> None:
        raise AssertionError("it waits")

    before, memory = signal.signal(signal.SIGALRM, late), resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 4 * 10**9, memory[1]))
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    resource.setrlimit(resource.RLIMIT_AS, memory)


def fails(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert cli.execute(list(command)) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1
    return err


@pytest.mark.parametrize("make", KINDS)
def test_as_a_study_and_as_a_result(tmp_path: Path, make: Callable[[Path], None],
                                    capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    make(path)
    for command in ("run", "show", "plot"):
        fails(capsys, command, str(path))


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("key", ["hartree-fock.start", "crystal.structure", "pairing.phase"])
def test_as_what_a_study_names(tmp_path: Path, make: Callable[[Path], None], key: str,
                               capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "file.nc")
    kind, name = key.split(".")
    (tmp_path / "a.toml").write_text(f'kind = "{kind}"\n[bilayer]\nspacing = 1\n[density]\nrs_hole = 4\n'
                                     f'[cell]\nholes = 4\nzero_mode = "none"\n[{kind}]\n{name} = "file.nc"\n')
    fails(capsys, "run", str(tmp_path / "a.toml"))


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("name", ["result.nc", "summary.json", "sweep.json"])
def test_in_the_directory_of_a_run(tmp_path: Path, make: Callable[[Path], None], name: str,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / name)
    if name == "summary.json":  # which says nothing of its own
        fails(capsys, "status", str(tmp_path))
    else:
        assert cli.execute(["status", str(tmp_path)]) == 0
        assert "damaged (set aside and written again by the next run)" in capsys.readouterr().out
    fails(capsys, "show", str(tmp_path))


@pytest.mark.parametrize("make", KINDS)
def test_as_a_point_of_a_sweep(tmp_path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch) -> None:
    fake_points.install(monkeypatch)
    monkeypatch.setenv("EHB_FAKE_LOG", str(tmp_path / "log"))
    (tmp_path / "a.toml").write_text(fake_points.study_text('"density.rs_hole" = [4, 6]'))
    assert cli.execute(["run", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out"), "--quiet"]) == 0
    point = next((tmp_path / "out" / "points").iterdir())
    point.unlink()
    (tmp_path / "out" / "result.nc").unlink()
    make(point)
    assert status_of(tmp_path / "out")["damaged"] == 1
    assert cli.execute(["run", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out"), "--quiet"]) == 0
    assert status_of(tmp_path / "out")["damaged"] == 0


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("name", [".sweep.lock", ".shard-1-of-2.lock", "result.nc", "summary.json", "sweep.json"])
def test_in_the_way_of_a_run(tmp_path: Path, make: Callable[[Path], None], name: str,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    fake_points.install(monkeypatch)
    monkeypatch.setenv("EHB_FAKE_LOG", str(tmp_path / "log"))
    (tmp_path / "a.toml").write_text(fake_points.study_text('"density.rs_hole" = [4, 6]'))
    (tmp_path / "out").mkdir()
    make(tmp_path / "out" / name)
    code = cli.execute(["run", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out"), "--quiet"])
    assert code in (0, 2) and cli.execute(["status", str(tmp_path / "out")]) in (0, 2)


@pytest.mark.parametrize("name", [".sweep.lock", "result.nc", "summary.json", "sweep.json", "figure.png"])
def test_no_link_leads_a_run_to_other_files(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_points.install(monkeypatch)
    monkeypatch.setenv("EHB_FAKE_LOG", str(tmp_path / "log"))
    (tmp_path / "a.toml").write_text(fake_points.study_text('"density.rs_hole" = [4, 6]'))
    (tmp_path / "out").mkdir()
    (tmp_path / "mine").write_text("of value")
    (tmp_path / "out" / name).symlink_to(tmp_path / "mine")
    cli.execute(["run", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out"), "--quiet"])
    assert (tmp_path / "mine").read_text() == "of value"


@pytest.mark.parametrize("make", KINDS)
def test_both_readers_name_it(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "file")
    for read in (read_bytes, read_json, Result.load):
        with pytest.raises(ResultFileError, match=r"file: .*(regular|directory|larger|device)") as error:
            read(tmp_path / "file")
        assert error.value.damaged


def test_a_link_to_a_plain_file_is_one(tmp_path: Path) -> None:
    Record("a", Status.converged, {}, {}).save(tmp_path / "a.nc")
    (tmp_path / "link.nc").symlink_to("a.nc")
    assert Result.load(tmp_path / "link.nc").kind == "a"


@pytest.mark.parametrize("text", [
    "a" + ".a" * 40_000 + " = 1", "[" + "a." * 40_000 + "a]", "x = {" + "a." * 40_000 + "a = 1}",
    '"="' + '."="' * 40_000 + " = 1", "'#'" + " . '#'" * 40_000 + " = 1", "[[" + "a . " * 40_000 + "a]]"])
def test_a_key_of_many_parts_is_refused_at_once(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").write_text(f'kind = "liquid"\n{text}\n')
    began = time.process_time()
    assert f"more than {MOST_DOTS} dots" in fails(capsys, "run", str(tmp_path / "a.toml"))
    (tmp_path / "a.toml").write_text('kind = "liquid"\n')
    assert cli.execute(["run", str(tmp_path / "a.toml"), "--set", f"a.b={text}"]) == 2
    assert time.process_time() - began < 10


def test_many_dots_elsewhere_are_none_of_a_key(tmp_path: Path) -> None:
    text = ('# ' + "." * 300 + '\nkind = "liquid"  # ' + "." * 300 + '\n[density]\nrs_hole = 4.0\n[sweep]\n'
            '"bilayer.spacing" = [' + ", ".join(f"{i / 10}" for i in range(1, 400)) + "]\n")
    (tmp_path / "a.toml").write_text(text)
    assert load_study(tmp_path / "a.toml").density.rs_hole == 4.0
    quoted = 'a = """' + "." * 99 + '\\""" \n."""\nb = \'\'\'' + "." * 99 + '\'\'\'\nc = "\\"' + "." * 99 + '"'
    assert set(parse_toml(quoted)) == {"a", "b", "c"}


@pytest.mark.parametrize("piece", ['"', "'", '"""', "'''", '"\\', '\\"', "#", "[", "{a=", "a.", '"a".', "1_", "\\",
                                   '"""\\'])
def test_a_megabyte_of_anything_is_read_soon(tmp_path: Path, piece: str, capsys: pytest.CaptureFixture[str]) -> None:
    for begin in ("", "a = ", "[", 'a = "'):
        (tmp_path / "a.toml").write_text((begin + piece * LARGEST_FILE)[:LARGEST_FILE])
        fails(capsys, "run", str(tmp_path / "a.toml"))


@pytest.mark.parametrize("name", ["x" * 300, "loop/a", "file/a"])
@pytest.mark.parametrize("command", ["run", "show", "status", "plot", "device", "reproduce"])
def test_paths_that_cannot_be_used(tmp_path: Path, name: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    (tmp_path / "a.toml").write_text('kind = "crystal"\n[density]\na_over_d = 2.0\nelectrons_per_hole = 1\n')
    path = str(tmp_path / name)
    words = {"run": [str(tmp_path / "a.toml"), "-o", path], "reproduce": ["dai-fu:3", "-o", path],
             "device": ["--material", "WSe2/MoSe2", "--spacing", "3 nm", "--density", "1e12 cm^-2", "-o", path]}
    assert cli.execute([command, *words.get(command, [path])]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1
