"""Every command ends in time: asked by a signal, a time limit or a file, whatever it is in the middle of."""

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import ehbilayer
from ehbilayer.results.base import Result
from ehbilayer.run import runner
from ehbilayer.run.reporting import Reporter
from ehbilayer.run.watchdog import crowding
from ehbilayer.status import Status
from ehbilayer.studies.file import Study, make_study
from ehbilayer.studies.kinds import KINDS

HANGS = 500  # seconds, to end what hangs
# a step that never looks whether to stop
DEAF = """
import sys, time
from ehbilayer import cli
from ehbilayer.run import watchdog
from ehbilayer.studies.few_body import prepare
watchdog.GRACE_SECONDS = 0.1
def deaf(study):
    print("started", flush=True)
    while True:
        time.sleep(0.1)
prepare.prepare = deaf
cli.main()
"""
EXCITON = 'kind = "few-body"\n[bilayer]\nelectron_mass = 0.5\nhole_mass = 0.5\n[few-body]\ncomplex = "exciton"\n'


@pytest.mark.parametrize(("how", "code"), [("SIGTERM", 130), ("SIGUSR1", 130), ("STOP", 130), ("--max-time", 3)])
def test_a_deaf_step_is_ended(tmp_path: Path, how: str, code: int) -> None:
    (tmp_path / "x.toml").write_text(EXCITON)
    options = ["--max-time", "0.1s"] if how == "--max-time" else []
    command = [sys.executable, "-c", DEAF, "run", str(tmp_path / "x.toml"), "-o", str(tmp_path / "out"), *options]
    env = os.environ | {"PYTHONPATH": str(Path(ehbilayer.__file__).parents[1])}
    (tmp_path / "out").mkdir()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        while "started" not in (line := process.stdout.readline()):
            assert line
        if how == "STOP":
            (tmp_path / "out" / "STOP").touch()
        elif how.startswith("SIG"):
            process.send_signal(signal.Signals[how])
        _, err = process.communicate(timeout=HANGS)
    assert process.returncode == code and "what was saved before is kept" in err and "Traceback" not in err


def sweep(count: int) -> Study:
    axis = {"start": 0.1, "stop": 3.0, "count": count}
    return make_study({"kind": "few-body", "bilayer": {"electron_mass": 0.5, "hole_mass": 0.5},
                       "few-body": {"complex": "exciton"}, "sweep": {"bilayer.spacing": axis}})


@pytest.mark.parametrize("line", ["checking the points: 7", "naming the points: 7/"])
def test_checking_the_points_of_a_sweep_can_be_stopped(tmp_path: Path, line: str) -> None:
    heard: list[str] = []

    class Listener(runner.Reporter):
        def progress(self, text: str) -> None:
            heard.append(text)

    def stop() -> Status | None:
        return Status.interrupted if heard and heard[-1].startswith(line) else None

    result = runner.run(sweep(100), tmp_path / "out", reporter=Listener(), should_stop=stop)
    assert result.status is Status.interrupted and "preparation" in result.reason
    assert heard[-1].startswith(line) and not (tmp_path / "out").exists()


LAYERS = {"electron_mass": 0.5, "hole_mass": 1.0, "spacing": 1.0}
DENSE = {"rs_hole": 5.0, "electrons_per_hole": 1}
HEAVY = {"electron_mass": 0.1, "hole_mass": 1.0, "dielectric": 5.0, "spacing": "1 a_h"}
BOX = {"holes": 16, "hexagon": 5, "zero_mode": "none"}
SEARCH = {"density": {"a_over_d": 2, "electrons_per_hole": 2}}
# small steps, and far too many of them: kind -> tables
ENDLESS: dict[str, dict[str, Any]] = {
    "hartree-fock": {"bilayer": LAYERS, "density": DENSE, "cell": BOX,
                     "hartree-fock": {"start": "random", "starts": 100_000, "tolerance": 1e-13, "stability": "none"}},
    "phases": {"bilayer": LAYERS, "density": DENSE, "cell": BOX, "hartree-fock": {"tolerance": 1e-13}},
    "phase-diagram": {"bilayer": LAYERS, "density": {"electrons_per_hole": 1}, "cell": BOX,
                      "sweep": {"density.rs_hole": {"start": 2.0, "stop": 9.0, "count": 100_000}}},
    "condensate": {"bilayer": LAYERS, "density": DENSE,
                   "condensate": {"limit": "thermodynamic", "curve_points": 1000, "tolerance": 1e-13}},
    "compressibility": {"bilayer": HEAVY, "density": {"rs_electron": 1.0, "electrons_per_hole": 1}, "cell": BOX,
                        "compressibility": {"state": "lowest", "starts": 100_000}},
    "pairing": {"bilayer": HEAVY, "pairing": {"alpha": 0.3, "method": "eliashberg", "map_rs": [0.5, 3.0],
                                              "map_spacing": ["0.5 a_h", "3 a_h"], "map_points": 60}},
    "device": {"bilayer": HEAVY, "density": {"rs_electron": 1.0, "electrons_per_hole": 1}, "cell": BOX},
    "crystal": {**SEARCH, "crystal": {"starts": 100_000}},
    "phonons": {"bilayer": {"electron_mass": 1, "hole_mass": 1}, **SEARCH, "crystal": {"structure": "honeycomb"},
                "phonons": {"mesh": 1000, "tolerance": 1e-10}},
    "few-body": {"bilayer": LAYERS, "few-body": {
        "complex": "trion-", "max_functions": 1000, "tolerance": 1e-13}},
    "thermal": {"bilayer": LAYERS, "density": DENSE},
    "response": {"bilayer": LAYERS, "density": DENSE, "response": {"approximation": "stls", "sum_rule": True}},
    "gates": {"bilayer": LAYERS | {"temperature": 0.01}, "gates": {
        "gap": 1.0, "gate_top": 6.0, "gate_bottom": 9.0, "bias": [0.5, 1.5], "common": [-1.0, 1.0], "points": 400}},
    "liquid": {"bilayer": LAYERS, "density": {"electrons_per_hole": 1},
               "sweep": {"density.rs_hole": {"start": 2.0, "stop": 9.0, "count": 100_000}}},
    "monte-carlo": {"bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "spacing": 1.0},
                    "density": {"hole": 0.0025, "electrons_per_hole": 1}, "cell": {"holes": 1},
                    "hartree-fock": {"electron_spin": "polarized"}, "monte-carlo": {"target_error": 1e-9}},
}


def test_every_kind_has_an_endless_study() -> None:
    assert set(ENDLESS) == {kind.name for kind in KINDS}


@pytest.fixture
def hangs() -> Iterator[None]:
    """An error after HANGS seconds."""
    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not ended after {HANGS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(HANGS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("hangs")
@pytest.mark.parametrize("kind", ENDLESS)
def test_every_kind_ends_when_it_is_asked_to(tmp_path: Path, kind: str) -> None:
    """At its first word of progress; the result says so and is kept."""
    class Asks(Reporter):
        asked = False

        def progress(self, text: str) -> None:
            if not self.asked:
                self.asked = True
                os.kill(os.getpid(), signal.SIGTERM)

    result = runner.run(make_study({"kind": kind} | ENDLESS[kind]), tmp_path / "out", reporter=Asks(), threads=1)
    assert result.status is Status.interrupted
    begun = (tmp_path / "out").exists()  # a sweep is asked while its points are checked
    assert begun != ("sweep" in ENDLESS[kind])
    assert not begun or Result.load(tmp_path / "out" / "result.nc").status is Status.interrupted


@pytest.mark.published
@pytest.mark.parametrize("word", ["preparing", "computing"])
def test_large_studies_of_every_kind_end_in_time(word: str) -> None:
    """The command ends within ten seconds where it has a core, see the script for the studies."""
    script = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "stopping.py"))
    for name, tables in script["LARGE"].items():
        crowded = crowding()
        took, code, errors = script["seconds"](tables, word)
        assert code == 130 and took < 10 * max(crowded, crowding()), f"{name}: {took:.1f} s, {code}, {errors}"


@pytest.mark.parametrize("times", [1e-12, 1e12])
@pytest.mark.parametrize("more", [{}, {"sweep": {"density.a_over_d": [2.0, 3.0]}}], ids=["single", "sweep"])
@pytest.mark.parametrize("place", [True, False])
def test_a_time_that_is_clearly_too_short_is_said_first(more: dict[str, Any], times: float, place: bool, tmp_path: Path,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    class Listener(Reporter):
        def plan(self, task: Any) -> None:
            heard.append("plan")

        def warn(self, text: str) -> None:
            heard.append(text)

    def stop() -> Status | None:
        return Status.interrupted if heard else None

    monkeypatch.setattr(runner, "CLEARLY", times)
    tables = {"kind": "crystal", "density": {"a_over_d": 2.0, "electrons_per_hole": 2}, "crystal": {"starts": 1000}}
    ehbilayer.run(make_study(tables | more), tmp_path / "out" if place else None, reporter=Listener(), max_time=1e4,
                  should_stop=stop)
    said = ["the time given, 10000 s, is far less than the estimate" in text for text in heard]
    assert said[1:2] == [True] if times < 1 else not any(said)
