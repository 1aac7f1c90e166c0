"""What measuring costs beside walking in Monte Carlo: microseconds a walker, and the share of a run, as JSON.

A run measures all walkers every few sweeps (`estimators.EVERY`): pairs, density waves, momentum, pairs moved together.
The share is the time of that over the time of walking and measuring; it should stay below a quarter.

    python benchmarks/monte_carlo_estimators.py [--quick]
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from ehbilayer import Bilayer, Torus
from ehbilayer.monte_carlo.estimators import EVERY, Estimators, Tally
from ehbilayer.monte_carlo.trial import make_trial
from ehbilayer.monte_carlo.walk import Walkers, first_step
from timing import best

# trial, holes, electrons per hole, spin; r_s = 5, d = 1
CASES = (("liquid", 7, 0, "polarized"), ("liquid", 37, 0, "polarized"), ("liquid", 26, 0, "restricted"),
         ("crystal", 37, 0, "polarized"), ("liquid", 19, 1, "polarized"), ("condensate", 7, 1, "polarized"),
         ("condensate", 19, 1, "polarized"))


def measure(name: str, holes: int, electrons: int, spin: str, walkers: int) -> dict[str, Any]:
    """Microseconds a walker of a sweep with its local energy, of a measurement, and the shares of it."""
    bilayer = Bilayer.of(spacing=1.0, rs_hole=5, electrons_per_hole=electrons, electron_mass=1.0, hole_mass=1.0)
    torus = Torus(bilayer, holes=holes, zero_mode="madelung", electron_spin=spin, hole_spin=spin)
    trial = make_trial(torus, name)
    psi, tally, tau = trial.psi(trial.start()), Tally(Estimators.of(trial)), first_step(trial)
    ensemble = Walkers.of(trial, walkers, np.random.default_rng(0))
    sweep = best(lambda: ensemble.step(psi, tau, False)) / walkers * 1e6
    look = best(lambda: tally.take(psi, ensemble)) / walkers * 1e6
    shares = {method: round(look / every / (sweep + look / every), 3) for method, every in EVERY.items()}
    return {"trial": name, "particles": trial.particles, "spin": spin, "sweep_us": round(sweep, 1),
            "measure_us": round(look, 1), "share": shares}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the two smallest cases")
    options = parser.parse_args()
    cases = [c for c in CASES if c[1] == 7] if options.quick else CASES
    print(json.dumps([measure(*case, walkers=40 if options.quick else 100) for case in cases], indent=1))


if __name__ == "__main__":
    main()
