"""Whatever stands in a file, sealed or not: one line at most, a documented exit code, a few seconds, no traceback."""

import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import ehbilayer
import fuzzed
from ehbilayer import cli
from ehbilayer.results.files import DEFINITION, RESULT, SUMMARY
from ehbilayer.results.old_formats import end
from ehbilayer.run import runner
from ehbilayer.studies.file import make_study

SECONDS = 10  # of processor time
LONG = pytest.param(25, marks=[pytest.mark.published, pytest.mark.timeout(7200)])  # times as many
LIQUID = 'kind = "liquid"\n[bilayer]\nmaterial = "WSe2/MoSe2"\nspacing = "3 nm"\n[density]\nrs_hole = 8\n' \
    "electrons_per_hole = 1\n"
START = """kind = "hartree-fock"
bilayer = {material = "WSe2/MoSe2", spacing = "3 nm"}
density = {rs_hole = 8, electrons_per_hole = 1}
cell = {holes = 4, hexagon = 3, zero_mode = "none", symmetry = "crystal"}
hartree-fock = {stability = "none", start = "start.nc"}
"""


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    return fuzzed.contents()


@pytest.fixture(autouse=True)
def no_figures_of_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "draw", lambda *_: None)


@pytest.fixture(autouse=True)
def nothing_hangs() -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, late)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    end()


def check(capsys: pytest.CaptureFixture[str], about: object, *command: str) -> int:
    """The exit code of a command, which is a documented one; what it prints is as promised."""
    began = time.process_time()
    signal.alarm(20 * SECONDS)
    code = cli.execute(list(command))
    signal.alarm(0)
    err = capsys.readouterr().err
    lines = [line for line in err.splitlines() if not line.startswith("warning: ")]
    assert code in (0, 2, 3) and len(lines) <= 1 and "Traceback" not in err, (about, command, code, err)
    assert (code == 2) == any(line.startswith("error: ") for line in lines), (about, command, code, err)
    assert time.process_time() - began < SECONDS, (about, command)
    return code


@pytest.mark.parametrize("times", [1, LONG])
@pytest.mark.parametrize("kind", fuzzed.STUDIES)
def test_results_of_strangers(tmp_path: Path, contents: dict[str, bytes], capsys: pytest.CaptureFixture[str],
                              kind: str, times: int) -> None:
    path, codes = tmp_path / "a.nc", []
    for seed in range(15 * times):
        path.write_bytes(fuzzed.spoilt_file(contents[kind], random.Random(f"{kind} {seed}")))
        codes.append(check(capsys, (kind, seed), "show", str(path)))
        check(capsys, (kind, seed), "show", str(path), "--json")
        if seed % 15 == 0:
            check(capsys, (kind, seed), "plot", str(path), "-o", str(tmp_path / "a.png"))
    assert 0 in codes and 2 in codes  # both what still says enough, and what does not


@pytest.mark.parametrize("times", [1, LONG])
def test_a_strangers_result_in_the_way(tmp_path: Path, contents: dict[str, bytes], capsys: pytest.CaptureFixture[str],
                                       times: int) -> None:
    (tmp_path / "a.toml").write_text(LIQUID)
    codes = []
    for seed in range(10 * times):
        place = tmp_path / str(seed)
        place.mkdir()
        (place / RESULT).write_bytes(fuzzed.spoilt_file(contents["liquid"], random.Random(f"there {seed}")))
        codes.append(check(capsys, seed, "run", str(tmp_path / "a.toml"), "-o", str(place), "--quiet"))
        if list(place.glob("*.corrupt")):
            assert codes[-1] == 0  # computed again
    assert 0 in codes


@pytest.mark.parametrize("times", [1, LONG])
def test_a_strangers_result_to_start_from(tmp_path: Path, contents: dict[str, bytes],
                                          capsys: pytest.CaptureFixture[str], times: int) -> None:
    (tmp_path / "a.toml").write_text(START)
    codes = []
    for seed in range(10 * times):
        raw = fuzzed.spoilt_file(contents["hartree-fock"], random.Random(f"start {seed}"))
        (tmp_path / "start.nc").write_bytes(raw)
        codes.append(check(capsys, seed, "run", str(tmp_path / "a.toml"), "-o", str(tmp_path / str(seed)), "--quiet"))
    assert 0 in codes and 2 in codes


@pytest.mark.parametrize("times", [1, LONG])
def test_what_a_directory_says_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str], times: int) -> None:
    sweep = make_study({"kind": "sweep", **fuzzed.STUDIES["sweep"]})
    ehbilayer.run(sweep, tmp_path)
    (tmp_path / RESULT).unlink()
    whole = {name: (tmp_path / name).read_bytes() for name in (DEFINITION, SUMMARY)}
    codes = []
    for seed in range(40 * times):
        for name, raw in whole.items():
            rng = random.Random(f"{name} {seed}")
            text = json.dumps(fuzzed.spoilt(json.loads(raw), rng)).encode()
            if rng.random() < 0.2:
                text = bytearray(text)
                text[rng.randrange(len(text))] = rng.randrange(256)
            (tmp_path / name).write_bytes(text)
        codes += [check(capsys, seed, "status", str(tmp_path)), check(capsys, seed, "show", str(tmp_path)),
                  check(capsys, seed, "status", str(tmp_path), "--json")]
    assert 0 in codes and 2 in codes


@pytest.mark.parametrize("times", [1, LONG])
def test_points_of_strangers(tmp_path: Path, capsys: pytest.CaptureFixture[str], times: int) -> None:
    (tmp_path / "a.toml").write_text('kind = "crystal"\ndensity = {electrons_per_hole = 2}\ncrystal = {structure = '
                                     '"honeycomb"}\n[sweep]\n"density.a_over_d" = [4.0, 5.0]\n')
    run, place = ["run", str(tmp_path / "a.toml"), "-o", str(tmp_path / "out"), "--quiet"], tmp_path / "out"
    assert check(capsys, "whole", *run) == 0
    point = next((place / "points").glob("*.nc"))
    raw = point.read_bytes()
    for seed in [*range(12 * times), 166]:  # 166: an integer larger than any floating point number
        point.write_bytes(fuzzed.spoilt_file(raw, random.Random(f"point {seed}")))
        (place / RESULT).unlink(missing_ok=True)
        check(capsys, seed, "show", str(place))
        check(capsys, seed, "status", str(place))
        assert check(capsys, seed, *run) in (0, 3)
        assert check(capsys, seed, *run) in (0, 3)
