"""What phases cost: one candidate, one point with all of them, a map of 900 points, one against two workers.

    python benchmarks/phases.py [--points 900] [--only-one]

Prints one JSON object. Particles, waves and points are those of Nashabeh and Fu's Fig. 2 (36 + 36 particles, 169 plane
waves); the map's time is that of 24 points spread over spacing, mass ratio and density, scaled.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from typing import Any

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import hexagon_waves
from ehbilayer.hartree_fock.options import Options
from ehbilayer.model import Bilayer
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


def one_point() -> dict[str, Any]:
    """Best of three, after warm-up, at m_h/m_e = 4, d = a_h, half the critical density."""
    bilayer = Bilayer.of(electron_mass=0.25, hole_mass=1.0, spacing=1.0, rs_hole=CRITICAL_RS / math.sqrt(0.5))
    torus = Torus(bilayer, HOLES, zero_mode="none", electron_spin="polarized")
    basis, options = PlaneWaveBasis(torus.box, hexagon_waves(torus.box, HEXAGON)), Options("crystal", tolerance=1e-6,
                                                                                           stability="none")
    found, every = (candidates(torus, basis, COMPETING, options, spins) for spins in ("given", "all"))
    compete(found)  # warm-up
    single = {c.name: round(min(seconds(converge, c) for _ in range(REPEATS)), 3) for c in found}
    whole = {f"spins_{name}": round(min(seconds(compete, these) for _ in range(REPEATS)), 3)
             for name, these in (("given", found), ("all", every))}
    return {"candidates": single, **whole}


def sample(workers: int | None) -> float:
    """Seconds for the sample of the map: preparing, computing, writing and collecting."""
    study = make_study({
        "kind": "phase-diagram", "sweep": AXES,
        "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "dielectric": 5.0, "spacing": 1.0},
        "density": {"hole_over_critical": 1.0, "critical_rs": CRITICAL_RS, "electrons_per_hole": 1},
        "cell": {"shape": "triangular", "holes": HOLES, "hexagon": HEXAGON, "zero_mode": "none"},
        "hartree-fock": {"electron_spin": "restricted", "tolerance": 1e-6, "stability": "none"}})
    with tempfile.TemporaryDirectory() as place:
        begin = time.perf_counter()
        runner.run(study, place, workers=workers)
        return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=900)
    parser.add_argument("--only-one", action="store_true", help="one point, no map")
    args = parser.parse_args()
    found: dict[str, Any] = {"one_point": one_point()}
    if not args.only_one:
        count = math.prod(len(v) for v in AXES.values())
        one, two = sample(None), sample(2)
        found["map"] = {"sampled": count, "seconds_1": one, "seconds_2": two, "ratio": one / two, "points": args.points,
                        "minutes_2_workers": two / count * args.points / 60}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
