"""What phases cost: one candidate, one point with all of them, maps of 900 points, one against two workers.

    python benchmarks/phases.py [--points 900] [--sample 30] [--tolerance 1e-5] [--only converged | one | paper]
    python benchmarks/phases.py --against OTHER/src [--sample 30] [--tolerance 1e-5]

Prints one JSON object. Particles and points are those of Nashabeh and Fu's Fig. 2 (36 + 36 particles). "converged" are
points spread evenly over its masses, spacings and densities, every candidate in every arrangement of spins and valleys,
with the waves that the tolerance (Ha_h per particle) needs: CPU seconds of one process. "one" and "paper" have the
paper's spins and its 169 waves: one point, and a map by a sweep, wall seconds of 24 points, scaled. ``--against`` the
source of another version: both compute the points in turn, and WSe2/MoSe2 at 3 nm with one and two electrons per hole;
CPU seconds of each, their ratio, and where winners or energies differ.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from ehbilayer import phases
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import hexagon_waves
from ehbilayer.hartree_fock.options import Options
from ehbilayer.model import Bilayer
from ehbilayer.papers.nashabeh_fu.figure_2 import DENSITIES, MASSES, SPACINGS
from ehbilayer.phases.candidates import COMPETING, candidates
from ehbilayer.phases.competition import compete, converge
from ehbilayer.run import runner
from ehbilayer.studies.file import make_study
from ehbilayer.torus import Torus

HOLES, HEXAGON, CRITICAL_RS, REPEATS = 36, 7, 3.882, 3
AXES = {"bilayer.spacing": [1.0, 3.0, 10.0], "bilayer.electron_mass": [0.8, 0.2],
        "density.hole_over_critical": [0.2, 0.5, 0.8, 1.1]}


def seconds(work: Any, *args: Any) -> float:
    begin = time.perf_counter()
    work(*args)
    return time.perf_counter() - begin


def layers(spacing: float, electron_mass: float, over_critical: float) -> Bilayer:
    """A point of the map."""
    return Bilayer.of(electron_mass=electron_mass, hole_mass=1.0, dielectric=5.0, spacing=spacing,
                      rs_hole=CRITICAL_RS / math.sqrt(over_critical))


def spread(count: int) -> list[tuple[float, float, float]]:
    """So many points of the figure's grid, evenly along it and shifted from step to step."""
    grid = list(itertools.product(SPACINGS, MASSES, DENSITIES))
    step = len(grid) / count
    return [grid[int(step * (i + i * 0.618 % 1))] for i in range(count)]


def converged(count: int, tolerance: float, points: int) -> dict[str, Any]:
    """CPU seconds of whole competitions at their converged waves."""
    spent, winners, open_ones = [], [], 0
    phases(Torus(layers(*spread(count)[0]), 4, zero_mode="none"), tolerance=1e-3, stability="none")  # warm-up
    for place in spread(count):
        torus = Torus(layers(*place), HOLES, zero_mode="none")
        begin = time.process_time()
        found = phases(torus, spins="all", tolerance=tolerance, stability="none", threads=1)
        spent.append(round(time.process_time() - begin, 3))
        winners.append(found.winner)
        open_ones += not found.resolved
    mean = statistics.mean(spent)
    return {"tolerance": tolerance, "sampled": count, "mean": mean, "median": statistics.median(spent),
            "largest": max(spent), "points": points, "minutes_2_cores": mean * points / 2 / 60,
            "not_resolved": open_ones, "winners": {name: winners.count(name) for name in dict.fromkeys(winners)},
            "cpu_seconds": dict(zip(map(str, spread(count)), spent, strict=True))}


def place_of(name: str, sample: int) -> Torus:
    """A point of the sample by its number, or the device at so many electrons per hole."""
    if not name.startswith("device"):
        return Torus(layers(*spread(sample)[int(name)]), HOLES, zero_mode="none")
    ratio = int(name.split()[1])
    device = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1e12 cm^-2" if ratio == 1 else "1.29e12 cm^-2",
                        electrons_per_hole=ratio)
    return Torus(device, HOLES, zero_mode="madelung")


def serve(sample: int, tolerance: float) -> None:
    """Compute the points named on the input, one a line, and answer with a line each."""
    phases(Torus(layers(*spread(1)[0]), 4, zero_mode="none"), tolerance=1e-3, stability="none")  # warm-up
    for line in sys.stdin:
        torus, begin = place_of(line.strip(), sample), time.process_time()
        found = phases(torus, spins="all", tolerance=tolerance, stability="none", threads=1)
        print(json.dumps([time.process_time() - begin, found.winner, found.lowest_energy]), flush=True)


def against(source: str, sample: int, tolerance: float) -> dict[str, Any]:
    """This version and that of another source, point by point."""
    command = [sys.executable, __file__, "--serve", "--sample", str(sample), "--tolerance", str(tolerance)]
    own = os.pathsep.join(path for path in sys.path if path)
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                             env=os.environ | {"PYTHONPATH": first + own}) for first in (source + os.pathsep, "")]
    rows: dict[str, Any] = {}
    for name in ("device 1", "device 2", *map(str, range(sample))):
        answers = []
        for process in both:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(name + "\n")
            process.stdin.flush()
            answers.append(json.loads(process.stdout.readline()))
        (old, old_winner, old_energy), (new, winner, energy) = answers
        rows[name] = {"before": round(old, 3), "after": round(new, 3), "ratio": round(old / new, 2),
                      "energy_change": energy - old_energy, "winner": [old_winner, winner]}
    for process in both:
        process.communicate()
    map_of = [row for name, row in rows.items() if "device" not in name]
    before, after = (statistics.mean(row[key] for row in map_of) for key in ("before", "after"))
    return {"tolerance": tolerance, "before": before, "after": after, "ratio": before / after, "rows": rows,
            "other_winners": [name for name, row in rows.items() if len(set(row["winner"])) > 1],
            "largest_energy_change": max((abs(row["energy_change"]) for row in map_of), default=0.0)}


def one_point() -> dict[str, Any]:
    """Best of three, after warm-up, at m_h/m_e = 4, d = a_h, half the critical density."""
    torus = Torus(layers(1.0, 0.25, 0.5), HOLES, zero_mode="none", electron_spin="polarized")
    basis, options = PlaneWaveBasis(torus.box, hexagon_waves(torus.box, HEXAGON)), Options("crystal", tolerance=1e-6,
                                                                                           stability="none")
    found, every = (candidates(torus, basis, COMPETING, options, spins) for spins in ("given", "all"))
    compete(found)  # warm-up
    single = {c.name: round(min(seconds(converge, c) for _ in range(REPEATS)), 3) for c in found}
    whole = {f"spins_{name}": round(min(seconds(compete, these) for _ in range(REPEATS)), 3)
             for name, these in (("given", found), ("all", every))}
    return {"candidates": single, **whole}


def sample(workers: int | None) -> tuple[float, float]:
    """Wall and own CPU seconds for the sample of the map: preparing, computing, writing and collecting."""
    study = make_study({
        "kind": "phase-diagram", "sweep": AXES,
        "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "dielectric": 5.0, "spacing": 1.0},
        "density": {"hole_over_critical": 1.0, "critical_rs": CRITICAL_RS, "electrons_per_hole": 1},
        "cell": {"shape": "triangular", "holes": HOLES, "hexagon": HEXAGON, "zero_mode": "none"},
        "hartree-fock": {"electron_spin": "restricted", "tolerance": 1e-6, "stability": "none"}})
    with tempfile.TemporaryDirectory() as place:
        begin, used = time.perf_counter(), time.process_time()
        runner.run(study, place, workers=workers)
        return time.perf_counter() - begin, time.process_time() - used


def paper(points: int) -> dict[str, Any]:
    """The map with the paper's spins and waves, on one worker and on two."""
    count = math.prod(len(v) for v in AXES.values())
    (one, used), (two, _) = sample(None), sample(2)
    return {"sampled": count, "seconds_1": one, "seconds_2": two, "ratio": one / two, "points": points,
            "minutes_2_workers": two / count * points / 60, "cpu_seconds_1": used,
            "cpu_minutes_2_cores": used / count * points / 60 / 2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=900, help="of the whole map")
    parser.add_argument("--sample", type=int, default=30, help="points to time at converged waves")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="Ha_h per particle")
    parser.add_argument("--only", choices=("converged", "one", "paper"), help="that part alone")
    parser.add_argument("--against", metavar="SOURCE", help="another version's directory src, to compare with")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.sample, args.tolerance)
        return
    if args.against:
        print(json.dumps(against(args.against, args.sample, args.tolerance), indent=2))
        return
    parts = {"one": one_point, "paper": lambda: paper(args.points),
             "converged": lambda: converged(args.sample, args.tolerance, args.points)}
    found = {name: part() for name, part in parts.items() if args.only in (None, name)}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
