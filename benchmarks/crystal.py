"""How long classical crystals take: one random start of the large search, small cells, and a scan with its transitions.

    python benchmarks/crystal.py                 # 64 holes and 128 electrons in one box, a/d = 2
    python benchmarks/crystal.py --holes 8       # seconds
    python benchmarks/crystal.py --scan          # also the whole sequence for two electrons per hole, 1.1 < a/d < 12

Prints one row per task: wall and CPU seconds, and the same start by the quasi-Newton method alone, with the ratio of
wall times: what second derivatives bring.

Measured on one thread of a 2-core AMD machine (CPU seconds; it was busy with other work). 192 charges at a/d = 2 from a
random start to forces below 1e-11 e^2/a^2: 2.2 s, as long as by gradients alone. At a/d = 6, where the dipoles are
soft: 4.3 s, while gradients alone leave a residual of 2e-2 after 3000 iterations. Three charges in a free cell: 0.07 s,
twelve: 0.10 s. The scan: 25 s.
"""

from __future__ import annotations

import argparse
import os
import time


def clock(work):
    """Wall and CPU seconds, and what the work returns."""
    wall, cpu = time.perf_counter(), time.process_time()
    out = work()
    return time.perf_counter() - wall, time.process_time() - cpu, out


def plain(crystal, cell, tolerance):
    """Quasi-Newton alone: iterations, and the residual it reached (e^2/a^2)."""
    from ehbilayer.crystal.relaxation import _Landscape
    from ehbilayer.numerics.descent import quasi_newton

    landscape = _Landscape(crystal, cell)
    end = quasi_newton(landscape, (crystal.vectors, crystal.positions), tolerance, radius=0.3 * crystal.length,
                       max_iterations=3000)
    return end.iterations, end.residual


def compare(label, crystal, how, tolerance=1e-11):
    """One row: relaxation as it is, and by quasi-Newton alone."""
    from ehbilayer.crystal.relaxation import relax

    wall, cpu, end = clock(lambda: relax(crystal, how, tolerance))
    other, _, (iterations, residual) = clock(lambda: plain(crystal, how == "cell", tolerance))
    state = "converged" if end.converged else "NOT converged"
    print(f"{label:34s} {wall:6.2f} s wall {cpu:6.2f} s CPU, {end.iterations:4d} iterations, "
          f"force {end.max_force:.0e}, {state} | quasi-Newton alone {other:6.2f} s, {iterations} iterations, "
          f"residual {residual:.0e} | ratio {other / wall:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time relaxations of classical crystals.")
    parser.add_argument("--holes", type=int, default=64, help="holes in the large box")
    parser.add_argument("--scan", action="store_true", help="also time a scan with all transitions")
    a = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read when NumPy is first imported
        os.environ[name] = "1"
    import numpy as np

    from ehbilayer.crystal.scan import Scan, solve_scan
    from ehbilayer.crystal.search import Composition
    from ehbilayer.crystal.study import Hooks

    for x in (2.0, 6.0):
        box = Composition(1 / (np.pi * x**2), 1.0, a.holes, 2 * a.holes)
        compare(f"{3 * a.holes} charges, fixed box, a/d = {x:g}", box.random(1, "rectangular"), "positions")
    for holes in (1, 4):
        cell = Composition(1 / (np.pi * 9), 1.0, holes, 2 * holes)
        compare(f"{3 * holes} charges, free cell, a/d = 3", cell.random(1), "cell")
    if a.scan:
        scan = Scan(tuple(np.geomspace(1.1, 12, 8)), 2, 2, 1)
        wall, cpu, result = clock(lambda: solve_scan(Composition(1.0, 1.0, 1, 2), scan, Hooks()))
        found = ", ".join(f"{t['a_over_d']:.6f}" for t in result.summary["transitions"])
        print(f"scan, {len(result.summary['starts'])} values of a/d: {wall:.1f} s wall, {cpu:.1f} s CPU; "
              f"transitions {found}")


if __name__ == "__main__":
    main()
