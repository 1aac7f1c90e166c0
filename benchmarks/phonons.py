"""Phonons of the three-charge honeycomb crystal: bands, mesh, zone averages, a whole study, a point of a melting line.

    python benchmarks/phonons.py [--repeats 5]

Prints seconds as JSON. Measured on one core of a 2-core AMD machine: bands 0.016, stability 0.12, averages
to 1e-6 0.63 (0.3 where nothing else ran), a whole study 0.78, a point of a melting line 0.40.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from ehbilayer.crystal.structures import named
from ehbilayer.numerics.lattice import path_points
from ehbilayer.phonons.melting import melting_lines
from ehbilayer.phonons.modes import Phonons
from ehbilayer.phonons.report import Hooks, Options, compute
from ehbilayer.phonons.zone import fluctuation, sample, softest
from timing import best

MASSES = {"electron": 2.0, "hole": 1.0}


def main() -> None:
    """Time the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats

    def fresh() -> Phonons:
        return Phonons(named("honeycomb", 1 / (np.pi * 36), 1.0), MASSES)

    def bands() -> None:
        phonons = fresh()
        phonons.frequencies(path_points(phonons.cell, 40)[0])

    def zone() -> None:
        phonons = fresh()
        softest(phonons, sample(phonons, 48))

    quiet = Hooks(lambda text: None, lambda: None)
    report = {
        "bands_121_wave_vectors_s": best(bands, repeats),
        "stability_48x48_s": best(zone, repeats),
        "zone_averages_to_1e-6_s": best(lambda: fluctuation(fresh()), repeats),
        "whole_study_s": best(lambda: compute(fresh().crystal, MASSES, Options(), quiet), repeats),
        "melting_point_s": best(lambda: melting_lines(lambda x: named("honeycomb", 1 / (np.pi * x * x), 1.0),
                                                      np.array([6.0]), MASSES), repeats),
    }
    print(json.dumps({k: round(v, 4) for k, v in report.items()}, indent=1))


if __name__ == "__main__":
    main()
