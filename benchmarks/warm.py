"""What it saves to start the points of a phase diagram from their neighbours: one row of densities, cold against warm.

    python benchmarks/warm.py [--count 13] [--spacing 1] [--ratio 4] [--holes 36]

Prints one JSON object: Fock builds and seconds of every candidate over the row, CPU seconds of the whole row, the
largest difference of an energy, and points where another phase wins. The row is one of Nashabeh and Fu's Fig. 2 (36 +
36 particles, 169 plane waves, 0.1 to 1.3 of the critical density). The first point, cold in both, is left out.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from ehbilayer.results.base import Result
from ehbilayer.run import runner
from ehbilayer.studies.file import make_study

CRITICAL_RS, HEXAGON = 3.882, 7


def row(start: str, args: argparse.Namespace) -> tuple[Result, float]:
    """The row and its CPU seconds."""
    study = make_study({
        "kind": "phase-diagram",
        "sweep": {"density.hole_over_critical": {"start": 0.1, "stop": 1.3, "count": args.count}, "start": start},
        "bilayer": {"electron_mass": 1.0 / args.ratio, "hole_mass": 1.0, "dielectric": 5.0, "spacing": args.spacing},
        "density": {"hole_over_critical": 1.0, "critical_rs": CRITICAL_RS, "electrons_per_hole": 1},
        "cell": {"shape": "triangular", "holes": args.holes, "hexagon": HEXAGON, "zero_mode": "none"},
        "hartree-fock": {"electron_spin": "restricted", "tolerance": 1e-6, "stability": "none"}})
    begin = time.process_time()
    return runner.run(study), time.process_time() - begin


def column(result: Result, name: str) -> np.ndarray:
    values: np.ndarray = result.data[name].values[1:]
    return values


def compare(cold: Result, warm: Result) -> dict[str, Any]:
    """Candidate by candidate; energies in Ha_h per hole."""
    found: dict[str, Any] = {}
    for name in sorted({n.split(".")[1] for n in cold.data if n.startswith("candidates.") and "_meV" not in n}):
        key = f"candidates.{name}."
        energies = [column(r, f"energies.{name}") for r in (cold, warm)]
        found[name] = {
            "from_neighbour": int((column(warm, key + "start") == "neighbour").sum()),
            "iterations": [int(column(r, key + "iterations").sum()) for r in (cold, warm)],
            "seconds": [round(float(column(r, key + "seconds").sum()), 2) for r in (cold, warm)],
            "largest_difference": float(np.abs(energies[1] - energies[0]).max())}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=13)
    parser.add_argument("--spacing", type=float, default=1.0)
    parser.add_argument("--ratio", type=float, default=4.0, help="m_h/m_e")
    parser.add_argument("--holes", type=int, default=36)
    args = parser.parse_args()
    (cold, cold_seconds), (warm, warm_seconds) = row("cold", args), row("neighbour", args)
    candidates = compare(cold, warm)
    densities = cold.data["density.hole_over_critical"].values
    changed = cold.data["winner"].values != warm.data["winner"].values
    print(json.dumps({
        "points": args.count, "spacing": args.spacing, "mass_ratio": args.ratio, "holes": args.holes,
        "candidates": candidates,
        "iterations": [sum(c["iterations"][i] for c in candidates.values()) for i in (0, 1)],
        "cpu_seconds_of_row": [round(cold_seconds, 2), round(warm_seconds, 2)],
        "largest_difference": max(c["largest_difference"] for c in candidates.values()),
        "largest_difference_of_the_winner": float(np.abs(column(warm, "energy") - column(cold, "energy")).max()),
        "other_winners": densities[changed].tolist()}, indent=2))


if __name__ == "__main__":
    main()
