"""What a user waits for: `ehb --help` and `ehb run STUDY --json` from a cold start, seconds and peak memory as JSON.

Every number is from a fresh interpreter; peak memory is the largest resident set of the children so far, read after
each command, the cheaper one first.

    python benchmarks/cold_start.py [--study examples/trion-crystal.toml] [--repeats 3] [-- --set cell.symmetry=crystal]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STUDY = Path(__file__).parents[1] / "examples" / "trion-crystal.toml"
TARGETS = {"help_seconds": 0.4, "run_seconds": 4.0, "run_megabytes": 250.0}


def timed(*arguments: str) -> tuple[float, str]:
    """Wall seconds of `python -m ehbilayer.cli ARGUMENTS`, and what it printed."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "ehbilayer.cli", *arguments], capture_output=True, text=True)
    passed = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"ehb {' '.join(arguments)} must succeed, but ended with {done.returncode}: {done.stderr}")
    return passed, done.stdout


def peak_megabytes() -> float:
    """Largest resident set of any child so far, 10^6 bytes."""
    size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return size * (1.0 if sys.platform == "darwin" else 1024.0) / 1e6


def measure(study: Path, repeats: int, extra: list[str]) -> dict[str, Any]:
    """Medians over ``repeats`` fresh interpreters, and the run's summary."""
    help_times = [timed("--help")[0] for _ in range(repeats)]
    help_memory = peak_megabytes()
    runs = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as place:
            runs.append(timed("run", str(study), "--json", "-o", str(Path(place) / "out"), *extra))
    summary = json.loads(runs[-1][1])
    return {"help_seconds": statistics.median(help_times), "help_megabytes": help_memory,
            "run_seconds": statistics.median(t for t, _ in runs), "run_megabytes": peak_megabytes(),
            "inside_seconds": summary["wall_seconds"], "status": summary["status"],
            "energy_per_particle": summary["energy_per_particle"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, default=STUDY)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("extra", nargs="*", help="further options of `ehb run`, after --")
    a = parser.parse_args()
    got = measure(a.study, a.repeats, a.extra)
    ratios = {name: target / got[name] for name, target in TARGETS.items()}
    print(json.dumps({**got, "targets": TARGETS, "target_over_measured": ratios}, indent=2))


if __name__ == "__main__":
    main()
