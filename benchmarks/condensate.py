"""The exciton condensate: seconds on a torus and in the infinite plane, against a dense gap equation. Prints JSON.

Torus: 144 pairs, d = a_h, equal masses, 0.02 pairs per a_h^2, a hexagon of 45 steps (6211 waves), residual 1e-7 Ha_h.
"dense" is the textbook way on the same waves: fill the mean field again and again, both sums over k' as products with
M x M matrices; it is timed on its first steps and scaled to the number it needs. Plane: everything from nothing
("cold"), and with the density one per cent off and the mesh at hand ("warm"), results and observables included.

    python benchmarks/condensate.py [--hexagon 45] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any


def median_seconds(work: Callable[[], Any], repeats: int) -> float:
    """Median wall time of a call, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def torus(hexagon: int, repeats: int) -> dict[str, Any]:
    """Seconds of one solution by Fourier transforms and by dense matrices."""
    import numpy as np

    from ehbilayer.basis.waves import hexagon_waves
    from ehbilayer.condensate.bogoliubov import fill
    from ehbilayer.condensate.torus import lowest, make_gas
    from ehbilayer.model import Bilayer
    from ehbilayer.torus import Torus

    pairs, steps = 144, 3
    bilayer = Bilayer.of(electron_mass=1.0, hole_mass=1.0, spacing=1.0, hole_density=0.02)
    system = Torus(bilayer, pairs, zero_mode="madelung", electron_spin="polarized")
    box, interaction = system.box, bilayer.interaction
    waves = hexagon_waves(box, hexagon)
    seconds = median_seconds(lambda: lowest(make_gas(system, waves), 1e-7), repeats)
    gas = make_gas(system, waves)
    state = lowest(gas, 1e-7)
    k = gas.kset.k
    q = np.linalg.norm(k[:, None] - k[None], axis=-1)
    matrices = [interaction.v(q, 0, layer) / box.area for layer in (0, 1)]
    for layer, matrix in enumerate(matrices):
        np.fill_diagonal(matrix, interaction.zero_mode(box.vectors, 0, layer))
    angle, _ = fill(gas.kset.kinetic / 2, 1 / (1 + gas.kset.kinetic), gas.kset.weights, pairs)
    begin = time.perf_counter()
    for _ in range(steps):
        x, gap = matrices[0] @ np.sin(angle) ** 2, matrices[1] @ (0.5 * np.sin(2 * angle))
        angle, _ = fill(gas.kset.kinetic / 2 - x, gap, gas.kset.weights, pairs)
    step = (time.perf_counter() - begin) / steps
    needed = plain_steps(gas, fill, state.energy)
    return {"waves": len(waves), "seconds": seconds, "evaluations": state.iterations, "dense_step_seconds": step,
            "dense_steps": needed, "times_faster_than_dense": step * needed / seconds,
            "energy_per_pair": state.energy / pairs, "residual": state.residual}


def plain_steps(gas: Any, fill: Callable[..., Any], energy: float) -> int:
    """How many plain steps of self-consistency it takes to 1e-10 Ha_h per pair."""
    import numpy as np

    angle, _ = fill(gas.kset.kinetic / 2, 1 / (1 + gas.kset.kinetic), gas.kset.weights, gas.pairs)
    for count in range(1, 1000):
        n, f = np.sin(angle) ** 2, 0.5 * np.sin(2 * angle)
        x, gap = gas.kset.fields(n, f)
        if float(n @ (gas.kset.kinetic - x) - f @ gap) - energy < 1e-10 * gas.pairs:
            return count
        angle, _ = fill(gas.kset.kinetic / 2 - x, gap, gas.kset.weights, gas.pairs)
    return 1000


def plane(density: float, repeats: int) -> dict[str, Any]:
    """Seconds from nothing, and from a solution at a density one per cent off."""
    from ehbilayer.condensate.mesh import _bare, _table
    from ehbilayer.condensate.radial import Pairs, find, solve
    from ehbilayer.interaction.coulomb import Coulomb

    told = {"electron_mass": 1.0, "spacing": 1.0, "density": density, "flavours": 1, "capacitor": False}
    pairs = Pairs.read(told, Coulomb(1.0))

    def cold() -> Any:
        _table.cache_clear()
        _bare.cache_clear()
        return solve(pairs)

    first, near = cold(), pairs.at(1.01 * density)
    guess = find(pairs, 1e-8)
    return {"density": density, "cold_seconds": median_seconds(cold, repeats),
            "warm_seconds": median_seconds(lambda: solve(near, initial=first), repeats),
            "warm_state_seconds": median_seconds(lambda: find(near, 1e-8, guess), repeats),
            "nodes": first.summary["mesh_points"], "mesh_error": first.summary["mesh_error"],
            "energy_per_pair": first.summary["energy_per_pair"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hexagon", type=int, default=45)
    parser.add_argument("--repeats", type=int, default=5)
    a = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read when NumPy is first imported
        os.environ[name] = "1"
    print(json.dumps({"torus": torus(a.hexagon, a.repeats),
                      "plane": [plane(n, a.repeats) for n in (1e-4, 0.01, 0.06, 0.3)]}, indent=2))


if __name__ == "__main__":
    main()
