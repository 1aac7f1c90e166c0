"""Every command ends in time: asked by a signal, a time limit or a file, whatever it is in the middle of."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ehbilayer
from ehbilayer.run import runner
from ehbilayer.status import Status
from ehbilayer.studies.file import Study, make_study

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
