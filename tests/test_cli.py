"""The command line: exit codes, what goes to which stream, and that help is not kept waiting."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ehbilayer
import made_up
from ehbilayer import cli
from ehbilayer.hartree_fock import problem
from ehbilayer.hartree_fock.problem import progress_line
from ehbilayer.run import reporting, runner
from ehbilayer.status import Status
from ehbilayer.studies.text import rough_time

ENV = os.environ | {"PYTHONPATH": str(Path(ehbilayer.__file__).parents[1])}
STUDY = """
kind = "hartree-fock"
[bilayer]
material = "WSe2/MoSe2"
spacing = "3 nm"
[density]
rs_hole = 8
electrons_per_hole = 1
[cell]
holes = 4
hexagon = 3
zero_mode = "none"
symmetry = "crystal"
[hartree-fock]
electron_spin = "polarized"
tolerance = 1e-6
stability = "none"
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runner, "draw", lambda result, place: None)
    path = tmp_path / "four-holes.toml"
    path.write_text(STUDY)
    return path


def test_run_show_and_run_again(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["run", str(study)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for expected in ("4, polarized", "37 plane waves", "zero mode none", "estimate", "1.286e+12 cm^-2", "iteration",
                     "energy/particle", "gap, holes", "meV", "written to four-holes"):
        assert expected in out, expected
    assert cli.execute(["run", str(study)]) == 0
    assert "already" in capsys.readouterr().out
    assert cli.execute(["show", "four-holes"]) == 0
    table = capsys.readouterr().out
    assert table in out or table.splitlines()[0] in out
    assert cli.execute(["show", "four-holes/result.nc", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(Path("four-holes/summary.json").read_text())


def test_json_prints_the_summary_and_nothing_else(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["run", str(study), "-o", "out", "--json", "--set", "density.rs_hole=9"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads(Path("out/summary.json").read_text())
    assert "37 plane waves" in err


def test_quiet_prints_nothing(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["run", str(study), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("status", "code"), [
    (Status.converged, 0), (Status.not_converged, 3), (Status.saddle, 3), (Status.timeout, 3),
    (Status.not_finite, 3), (Status.interrupted, 130)])
def test_exit_codes_and_advice(study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
                               status: Status, code: int) -> None:
    monkeypatch.setattr(problem, "solve", lambda *a, **k: made_up.state(status=status))
    assert cli.execute(["run", str(study)]) == code
    assert (status.advice in capsys.readouterr().out) == (code != 0)


@pytest.mark.parametrize(("arguments", "hint"), [
    (["run", "none.toml"], "no such file"), (["run", "."], "a directory"), (["run"], "study"),
    (["walk"], "walk"), (["run", "--sett", "x"], "--sett"), (["show", "nowhere"], "nowhere"),
    (["show", "."], "result.nc"), (["plot", "."], "result.nc"),
    (["run", "four-holes.toml", "--max-time", "soon"], "--max-time"),
    (["run", "four-holes.toml", "--backend", "cupy"], "numpy | jax"),
    (["run", "four-holes.toml", "--workers", "4"], "[sweep]"),
    (["run", "four-holes.toml", "--scheduler", "tcp://x"], "[sweep]"),
    (["run", "four-holes.toml", "--shard", "1/2"], "[sweep]"),
    (["run", "four-holes.toml", "--set", "cell.holse=4"], "must be a key of [cell], but was 'holse'; did you mean"),
    (["run", "four-holes.toml", "--set", "cell.zero_mode=Madelung"], 'did you mean "madelung"'),
    (["status", "."], "holds no run"), (["status", "nowhere"], "not there"),
    (["units", "--material", "WSe2"], "WSe2/MoSe2"), (["units"], "--material"),
    (["units", "--hole-mass", "0.4", "--hole-density", "1e12 cm^-2"], "or give --electron-mass, --dielectric"),
    (["units", "--hole-mass", "x"], "--hole-mass"),
    (["units", "--material", "WSe2/MoSe2", "--hole-density", "1e12 cm^-3"], "cm^-2"),
    (["units", "--material", "WSe2/MoSe2", "--hole-density", "nan"], "finite"),
    (["units", "--material", "WSe2/MoSe2", "--hole-density", "0"], "> 0"),
    (["units", "--material", "WSe2/MoSe2", "--spacing=-3 nm"], ">= 0"),
    (["units", "--material", "WSe2/MoSe2", "--electrons-per-hole", "nan"], ">= 0"),
])
def test_bad_input_is_one_line_and_exit_2(study: Path, capsys: pytest.CaptureFixture[str], arguments: list[str],
                                          hint: str) -> None:
    assert cli.execute(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1 and hint.lower() in err.lower()
    assert not Path("four-holes").exists()


def test_a_damaged_result_is_named(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("result.nc").write_bytes(b"\x89HDF\r\n\x1a\n")
    assert cli.execute(["show", "result.nc"]) == 2
    assert capsys.readouterr().err.startswith("error: result.nc: ")


def test_plot_writes_where_it_is_told(study: Path, monkeypatch: pytest.MonkeyPatch,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    calls, how = [], {"dpi": 130, "units": "auto"}
    monkeypatch.setattr("ehbilayer.studies.drawing.save_figures", lambda r, d, **kw: calls.append((Path(d), kw)))
    assert cli.execute(["run", str(study), "--quiet"]) == 0
    for arguments in (["four-holes"], ["four-holes/result.nc", "-o", "pictures.pdf"], ["four-holes", "-o", "trions"]):
        assert cli.execute(["plot", *arguments]) == 0
    assert calls == [(Path("four-holes"), {"stem": "figure", "formats": ("png",), **how}),
                     (Path(), {"stem": "pictures", "formats": ("pdf",), **how}),
                     (Path(), {"stem": "trions", "formats": ("png",), **how})]
    assert "four-holes/figure.png" in capsys.readouterr().out
    assert cli.execute(["plot", "four-holes", "-o", "no/such/figure.png"]) == 2


def test_unexpected_errors_are_one_line(study: Path, capsys: pytest.CaptureFixture[str],
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*a: object, **k: object) -> None:
        raise KeyError("first\nsecond")

    monkeypatch.setattr(problem, "solve", bug)
    monkeypatch.delenv("EHB_DEBUG", raising=False)
    assert cli.execute(["run", str(study)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("EHB_DEBUG", "1")
    with pytest.raises(KeyError):
        cli.execute(["run", str(study)])


def test_units_of_the_published_device(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["units", "--material", "WSe2/MoSe2", "--hole-density", "1.29e12 cm^-2", "--spacing", "3 nm"]
    assert cli.execute([*arguments, "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["a_h_nm"] == pytest.approx(0.622, abs=5e-4)  # Dai and Fu, PRL 132, 196202 (2024), SM
    assert numbers["rs_trion"] == pytest.approx(40, rel=2e-3)
    assert cli.execute(arguments) == 0
    assert "rs_trion" in capsys.readouterr().out


def test_materials_schema_version_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["materials"]) == 0
    assert "196202" in capsys.readouterr().out
    assert cli.execute(["materials", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["hole_mass"] == 0.4
    assert cli.execute(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["cell"]
    assert cli.execute(["--version"]) == 0
    assert capsys.readouterr().out == f"ehbilayer {ehbilayer.__version__}\n"
    assert cli.execute([]) == 0
    assert "materials" in capsys.readouterr().out


def test_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert project.get("version", ehbilayer.__version__) == ehbilayer.__version__


def test_help_waits_for_nothing_heavy() -> None:
    code = ("import sys; from ehbilayer.cli import execute; execute(['--help']); "
            "print(sorted({'numpy', 'scipy', 'pydantic', 'h5py', 'xarray', 'matplotlib'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENV)
    assert done.stdout.endswith("[]\n")


def test_public_names() -> None:
    for name in ehbilayer.__all__:
        assert getattr(ehbilayer, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = ehbilayer.nothing  # type: ignore[attr-defined]


SLOW = """
import os, signal, time
from ehbilayer import cli
from ehbilayer.hartree_fock import problem
from ehbilayer.run import watchdog
watchdog.GRACE_SECONDS = watchdog.HURRY_SECONDS = 100
def solve(torus, basis, options, how, **k):
    print("started", flush=True)
    while how.should_stop() is None:
        time.sleep(0.01)
    print("stopping", flush=True)
    time.sleep(600)
problem.solve = solve
cli.main()
"""


def test_second_signal_ends_the_command_at_once(study: Path) -> None:
    command = [sys.executable, "-c", SLOW, "run", str(study)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV) as process:
        assert process.stdout is not None
        for word, number in (("started", signal.SIGINT), ("stopping", signal.SIGTERM)):
            while word not in process.stdout.readline():
                assert process.poll() is None
            process.send_signal(number)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "once more" in err and "Traceback" not in err


def test_progress_is_one_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = reporting.LineReporter(sys.stdout, sys.stderr)
    for i in range(1000):
        state = {"start": 2, "starts": 3, "iteration": i, "energy_per_particle": -0.5, "residual": 1e-3,
                 "target": 1e-8}
        reporter.progress(progress_line(state))
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "start 2/3" in out and "residual 1.0e-03" in out


@pytest.mark.parametrize(("seconds", "text"), [(0.01, "about 0.1 s"), (4.2, "about 4 s"), (42, "about 42 s"),
                                               (600, "about 10 min"), (7200, "about 2 h"), (8.64e5, "about 10 days")])
def test_rough_times(seconds: float, text: str) -> None:
    assert rough_time(seconds) == text


def test_examples_are_listed_and_copied(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.execute(["examples"]) == 0
    listed = capsys.readouterr().out.splitlines()
    names = sorted(p.stem for p in (Path(__file__).parents[1] / "examples").glob("*.toml"))
    assert [line.split()[0] for line in listed] == names and max(map(len, listed)) <= 120
    assert cli.execute(["examples", "exciton", "-o", "mine"]) == 0
    assert Path("mine/exciton.toml").read_bytes() == (Path(__file__).parents[1] / "examples/exciton.toml").read_bytes()
    assert cli.execute(["examples", "exciton", "-o", "mine"]) == 2  # never overwrites
    assert cli.execute(["examples", "excitn"]) == 2
    assert "exciton" in capsys.readouterr().err
