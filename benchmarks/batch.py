"""Many parameter points in one batch against one point at a time on one core.

    python benchmarks/batch.py [--points 1000] [--backend jax] [--reference 5] [--waves 12]

Trion crystals of 36 holes by crystal symmetry, densities and spacings spread over a line; prints one JSON object with
seconds and ratios. The reference runs the same points (a few of them, spread evenly) on NumPy with one thread.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import hexagon_waves
from ehbilayer.hartree_fock.batch import solve_batch
from ehbilayer.hartree_fock.options import Options
from ehbilayer.model import Bilayer
from ehbilayer.numerics.lattice import box_of_shape, crystal_cell
from ehbilayer.torus import Torus


def points(count: int, waves: int) -> tuple[list[Torus], PlaneWaveBasis]:
    box = box_of_shape("triangular", 36 * np.pi * 64)
    basis = PlaneWaveBasis(box, hexagon_waves(box, waves), crystal_cell(box, 36))
    bilayers = [Bilayer.of(electron_mass=2.0, hole_mass=1.0, spacing=float(d), rs_hole=float(rs), electrons_per_hole=2)
                for d, rs in zip(np.linspace(3, 6, count), np.linspace(6, 12, count), strict=True)]
    return [Torus(b, 36, zero_mode="madelung") for b in bilayers], basis


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--backend", default="jax", choices=["jax", "numpy"])
    parser.add_argument("--reference", type=int, default=5)
    parser.add_argument("--waves", type=int, default=12)
    args = parser.parse_args()
    tori, basis = points(args.points, args.waves)
    options = Options(start="trion-crystal")
    some = np.linspace(0, args.points - 1, min(args.reference, args.points)).astype(int)
    start = time.perf_counter()
    one = [solve_batch([tori[i]], basis, options) for i in some]
    per_point = (time.perf_counter() - start) / len(some)
    seconds = []
    for _ in range(2):  # the second run finds everything warm but the compilation, which belongs to each problem
        start = time.perf_counter()
        batch = solve_batch(tori, basis, options, backend=args.backend)
        seconds.append(time.perf_counter() - start)
    device = "cpu"
    if args.backend == "jax":
        import jax

        device = str(jax.devices()[0])
    alone = np.array([r.energy_per_particle[0] for r in one])
    difference = float(np.abs(batch.energy_per_particle[some] - alone).max())
    print(json.dumps({
        "points": args.points, "basis": basis.size, "backend": args.backend, "device": device,
        "batch_seconds_first": seconds[0], "batch_seconds_second": seconds[1], "compile_seconds": batch.compile_seconds,
        "one_core_seconds_per_point": per_point, "ratio_with_compilation": per_point * args.points / seconds[1],
        "ratio_without_compilation": per_point * args.points / (seconds[1] - batch.compile_seconds),
        "converged": int(batch.converged.sum()), "evaluations": batch.evaluations,
        "largest_difference_of_energy_per_particle": difference}, indent=2))


if __name__ == "__main__":
    main()
