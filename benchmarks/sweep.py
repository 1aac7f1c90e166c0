"""What a sweep costs beyond its points: overhead per point, one against two workers, `ehb status` on 10 000 points.

    python benchmarks/sweep.py [--points 400] [--real 200] [--many 10000]

Prints one JSON object. Points of the overhead cost nothing themselves; the real ones are electron liquids on a hole
crystal (36 + 36 particles, 169 plane waves), the many ones are written straight into a store.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

from ehbilayer.hooks import Hooks
from ehbilayer.results.base import Record, Result
from ehbilayer.run import runner
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.device import keys as device_keys
from ehbilayer.studies.file import Study, load_study, make_study
from ehbilayer.studies.task import Task
from ehbilayer.sweep.definition import define
from ehbilayer.sweep.points import prepare_sweep
from ehbilayer.sweep.store import PointStore
from ehbilayer.units import Scales

EXAMPLE = Path(__file__).parents[1] / "examples" / "electron-liquid-hole-crystal.toml"


def free_points() -> None:
    """Let kind "device" stand for a calculation that takes no time."""
    def solve(run: Hooks) -> Result:
        return Record("device", Status.converged, {"energy": -1.0, "gap": {"electron": 0.1, "hole": 0.2}}, {})

    def prepare(study: Study) -> Task:
        return Task(study, Scales(), study.canonical(), {}, (), solve)

    module = types.ModuleType("free_kind.prepare")
    module.prepare = prepare  # type: ignore[attr-defined]
    sys.modules |= {"free_kind": types.ModuleType("free_kind"), module.__name__: module, "free_kind.keys": device_keys}
    kinds.KINDS = (kinds.Kind("device", "free_kind"), *(kind for kind in kinds.KINDS if kind.name != "device"))
    runner.draw = lambda result, place: None


def free_study(count: int) -> Study:
    return make_study({"kind": "device", "sweep": {"density.rs_hole": {"start": 1.0, "stop": 2.0, "count": count}}})


def overhead(count: int) -> dict[str, float]:
    """Milliseconds per point that costs nothing, everything included: preparing, computing, writing, collecting."""
    with tempfile.TemporaryDirectory() as place:
        begin = time.perf_counter()
        runner.run(free_study(count), place)
        first = time.perf_counter() - begin
        Path(place, "result.nc").unlink()
        begin = time.perf_counter()
        runner.run(free_study(count), place)
        again = time.perf_counter() - begin
    return {"points": count, "ms_per_point": 1e3 * first / count, "ms_per_point_that_is_there": 1e3 * again / count}


def workers(count: int) -> dict[str, float]:
    """Wall seconds of real points in this process and on one and two workers of Dask."""
    tables = load_study(EXAMPLE).written()
    tables["hartree-fock"]["stability"] = "none"
    study = make_study(tables | {"sweep": {"density.rs_hole": {"start": 5.0, "stop": 9.0, "count": count}}})
    seconds = {}
    for number in (1, 2):
        begin = time.perf_counter()
        runner.run(study, workers=number)
        seconds[f"seconds_{number}"] = time.perf_counter() - begin
    return {"points": count, **seconds, "ratio": seconds["seconds_1"] / seconds["seconds_2"]}


def status(count: int) -> dict[str, float]:
    """Seconds of `ehb status`, from a fresh interpreter."""
    with tempfile.TemporaryDirectory() as place:
        begin, sync = time.perf_counter(), os.fsync
        sweep, store = prepare_sweep(free_study(count)), PointStore(Path(place))
        prepared = time.perf_counter() - begin
        store.prepare()
        raw = runner.run(make_study({"kind": "device"}))
        os.fsync = lambda handle: None  # the store only has to be there
        for point in sweep.points:
            store.write(point.key, raw, raw.to_bytes())
        os.fsync = sync
        define(Path(place), sweep, sweep.points, count)
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ehbilayer.cli", "status", place], check=True, stdout=subprocess.DEVNULL)
        asked = time.perf_counter() - begin
        begin = time.perf_counter()
        runner.run(free_study(count), place)
        return {"points": count, "status_seconds": asked, "prepare_seconds": prepared,
                "collect_seconds": time.perf_counter() - begin}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=400)
    parser.add_argument("--real", type=int, default=200)
    parser.add_argument("--many", type=int, default=10000)
    args = parser.parse_args()
    real = workers(args.real) if args.real else {}
    free_points()
    print(json.dumps({"overhead": overhead(args.points), "workers": real, "many": status(args.many)}, indent=2))


if __name__ == "__main__":
    main()
