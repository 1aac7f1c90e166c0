"""Seconds from a request to stop to the end of the command, over all kinds of study, each far too large to finish.

    python benchmarks/stopping.py [kind ...]

SIGTERM is sent at two signs of life: before the study is prepared, and when it has said its plan or a word of progress.
Prints a line for each, and the worst; no state that was promised may be missing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ehbilayer
from ehbilayer import cli

LAYERS = {"electron_mass": 0.5, "hole_mass": 1.0, "spacing": 1.0}
DENSE, PAIRS = {"rs_hole": 5.0, "electrons_per_hole": 1}, {"rs_electron": 1.0, "electrons_per_hole": 1}
HEAVY = {"electron_mass": 0.1, "hole_mass": 1.0, "dielectric": 5.0, "spacing": "1 a_h"}
BOX = {"holes": 36, "hexagon": 40, "zero_mode": "none"}
SEARCH = {"density": {"a_over_d": 2, "electrons_per_hole": 2}}
AXIS = {"start": 0.1, "stop": 3.0, "count": 1000}
# name -> tables of a study that takes hours, or as long as it is let
LARGE: dict[str, dict[str, Any]] = {
    "hartree-fock": {"kind": "hartree-fock", "bilayer": LAYERS, "density": DENSE, "cell": BOX,
                     "hartree-fock": {"start": "random", "starts": 1000, "tolerance": 1e-13}},
    "hartree-fock, many waves": {"kind": "hartree-fock", "bilayer": LAYERS, "density": DENSE,
                                 "cell": BOX | {"hexagon": 217}, "hartree-fock": {"tolerance": 1e-13}},
    "phases": {"kind": "phases", "bilayer": LAYERS, "density": DENSE, "cell": BOX | {"hexagon": 217}},
    "phase-diagram": {"kind": "phase-diagram", "bilayer": LAYERS, "density": {"electrons_per_hole": 1}, "cell": BOX,
                      "sweep": {"density.rs_hole": {"start": 2.0, "stop": 9.0, "count": 10_000}}},
    "condensate": {"kind": "condensate", "bilayer": LAYERS, "density": DENSE,
                   "cell": {"holes": 400, "hexagon": 170, "zero_mode": "none"},
                   "condensate": {"curve_points": 1000, "tolerance": 1e-13}},
    "condensate, plane": {"kind": "condensate", "bilayer": LAYERS, "density": DENSE,
                          "condensate": {"limit": "thermodynamic", "curve_points": 1000, "tolerance": 1e-13}},
    "compressibility": {"kind": "compressibility", "bilayer": HEAVY, "density": PAIRS,
                        "cell": {"holes": 36, "hexagon": 40, "zero_mode": "none"},
                        "compressibility": {"state": "lowest", "starts": 10_000}},
    "pairing": {"kind": "pairing", "bilayer": HEAVY | {"dielectric": 5.0},
                "pairing": {"alpha": 0.3, "method": "eliashberg", "map_rs": [0.5, 3.0],
                            "map_spacing": ["0.5 a_h", "3 a_h"], "map_points": 2000}},
    "device": {"kind": "device", "bilayer": HEAVY, "density": PAIRS, "cell": {"hexagon": 60, "zero_mode": "none"}},
    "crystal": {"kind": "crystal", **SEARCH, "crystal": {"starts": 100_000}},
    "crystal, one large cell": {"kind": "crystal", **SEARCH, "crystal": {"starts": 2, "holes_per_cell": 600}},
    "crystal, scan": {"kind": "crystal", "density": {"electrons_per_hole": 2},
                      "crystal": {"scan": [1.1, 12], "scan_points": 1000, "holes_per_cell": 4, "starts": 200}},
    "phonons": {"kind": "phonons", "bilayer": {"electron_mass": 1, "hole_mass": 1}, **SEARCH,
                "crystal": {"structure": "honeycomb"},
                "phonons": {"mesh": 1000, "tolerance": 1e-10, "scan": [1.1, 12], "scan_points": 1000}},
    "few-body": {"kind": "few-body", "bilayer": LAYERS, "few-body": {"complex": "biexciton", "max_functions": 1000,
                                                                     "tolerance": 1e-13}},
    "few-body, threshold": {"kind": "few-body", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0}, "few-body": {
        "complex": "trion-", "find": "critical-spacing", "max_functions": 1000}},
    "liquid, sweep": {"kind": "liquid", "bilayer": LAYERS, "density": {"electrons_per_hole": 1},
                      "liquid": {"curve_points": 1000}, "sweep": {"bilayer.spacing": AXIS, "density.rs_hole": AXIS}},
}
# the command, which says when it is about to prepare the study
COMMAND = """
import sys
from ehbilayer import cli
from ehbilayer.run import reporting, runner
whole = runner.run
def run(*given, **named):
    print("# preparing", flush=True)
    return whole(*given, **named)
def loud(speak):
    def said(self, what):
        print("# computing", flush=True)
        speak(self, what)
    return said
runner.run = run
reporting.LineReporter.plan = loud(reporting.LineReporter.plan)
reporting.LineReporter.progress = loud(reporting.LineReporter.progress)
cli.main()
"""


def seconds(tables: dict[str, Any], word: str, number: int = signal.SIGTERM) -> tuple[float, int, str]:
    """Seconds from the signal, sent when the command says ``word``, to its end; its exit code; its complaints."""
    with tempfile.TemporaryDirectory(prefix="ehbilayer-stopping-") as place:
        study = Path(place) / "study.toml"
        study.write_text("\n".join(_toml(tables)))
        command = [sys.executable, "-c", COMMAND, "run", str(study), "-o", str(Path(place) / "out")]
        env = os.environ | {"PYTHONPATH": str(Path(ehbilayer.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
        with open(Path(place) / "errors", "w+") as errors, subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith(f"# {word}"):
                    break
            process.send_signal(number)
            began = time.monotonic()
            process.communicate()
            took = time.monotonic() - began
            errors.seek(0)
            return took, process.returncode, errors.read()


def _toml(tables: dict[str, Any]) -> list[str]:
    def value(x: Any) -> str:
        if isinstance(x, dict):
            return "{" + ", ".join(f"{k} = {value(v)}" for k, v in x.items()) + "}"
        return json.dumps(x)

    lines = [f"kind = {value(tables['kind'])}"]
    for name, table in tables.items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(f"{json.dumps(k)} = {value(v)}" for k, v in table.items())]
    return lines


def main(names: list[str]) -> None:
    """Measure and print."""
    worst = (0.0, "")
    for name in names or list(LARGE):
        for word in ("preparing", "computing"):
            took, code, errors = seconds(LARGE[name], word)
            ended = "" if code == cli.EXIT_INTERRUPTED else f"  exit code {code}: {errors.strip()}"
            forced = "  in a long step" if "takes too long" in errors else ""
            print(f"{name:26s} {word:10s} {took:6.2f} s{forced}{ended}", flush=True)
            worst = max(worst, (took, f"{name}, {word}"))
    print(f"worst: {worst[0]:.2f} s, {worst[1]}")


if __name__ == "__main__":
    main(sys.argv[1:])
