"""Energy and forces of 192 point charges in two layers: accuracy against time, ours and a public Ewald sum.

    python benchmarks/ewald.py [--repeats 50]

The public one is pymatgen's EwaldSummation (pip install pymatgen), a three-dimensional sum over a thick slab: the same
two layers in a box three cells high, with the energy of the slab's dipole taken out (Yeh & Berkowitz, J. Chem. Phys.
111, 3155 (1999)). It is left out with a line where it is not installed. It needs a neutral cell, so that the comparison
has 96 charges of each sign; the first table is the random search's cell, 128 and 64.

Measured on one core of a 2-core AMD machine, NumPy 2.4, SciPy 1.17: energy and forces of 128 + 64 charges take 1.2 ms
at tolerance 1e-6, 1.35 ms at 1e-10 and 1.55 ms at 1e-14 (errors 1e-9, 2e-13 and round-off of the energy); 2 to 3 ms
while the machine was busy. Making the object for a new cell adds 0.7 ms, the stress nothing that can be told. pymatgen
takes 98 ms for an error of 4e-7 and 135 ms for 2e-11, ours 2.0 and 2.4 ms in the same run: 50 times less. One Hessian
of 192 charges takes 60 ms, one dynamical matrix of 3 charges 0.09 ms.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from ehbilayer.interaction.lattice_sums.charges import PointCharges
from ehbilayer.interaction.lattice_sums.derivatives import ForceConstants, hessian
from timing import best


def system(negative: int, positive: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cell, positions, charges, heights: charges on a jittered grid, so that none are close; spacing 1, a/d = 2."""
    rng, n = np.random.default_rng(seed), negative + positive
    side = np.sqrt(np.pi * 4 * positive)
    vectors = np.eye(2) * side

    def layer(count: int) -> np.ndarray:
        rows = int(np.ceil(np.sqrt(count)))
        grid = np.stack(np.meshgrid(np.arange(rows), np.arange(rows)), -1).reshape(-1, 2)[:count]
        return (grid + 0.5 + 0.3 * rng.uniform(-1, 1, (count, 2))) * side / rows

    charges = np.repeat([-1.0, 1.0], [negative, positive])
    heights = np.repeat([0.0, 1.0], [negative, positive])
    assert len(charges) == n
    return vectors, np.vstack([layer(negative), layer(positive)]), charges, heights


def ours(case: tuple, repeats: int) -> list[dict]:
    """Accuracy and time at several tolerances, against the tightest."""
    vectors, where, q, z = case
    exact, forces = PointCharges(vectors, q, z, 1e-15).energy_and_forces(where)
    rows = []
    for tolerance in (1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14):
        charges = PointCharges(vectors, q, z, tolerance)
        value, push = charges.energy_and_forces(where)
        rows.append({"tolerance": tolerance, "energy_error": abs(value - exact) / abs(exact),
                     "force_error": float(np.max(np.abs(push - forces)) / np.max(np.abs(forces))),
                     "ms": 1e3 * best(lambda c=charges: c.energy_and_forces(where), repeats),
                     "ms_with_stress": 1e3 * best(lambda c=charges: c.energy_forces_stress(where), repeats),
                     "ms_with_setup": 1e3 * best(
                         lambda t=tolerance: PointCharges(vectors, q, z, t).energy_and_forces(where), repeats)})
    return rows


def public(case: tuple) -> list[dict]:
    """The same energy by pymatgen, at several accuracies of its own."""
    from pymatgen.analysis.ewald import EwaldSummation
    from pymatgen.core import Lattice, Structure

    vectors, where, q, z = case
    height = 3 * vectors[0, 0]
    lattice = Lattice([[*vectors[0], 0], [*vectors[1], 0], [0, 0, height]])
    area, dipole = vectors[0, 0] * vectors[1, 1], float(q @ z)
    exact = PointCharges(vectors, q, z).energy_and_forces(where)[0]
    exact -= np.pi / area * float(np.sum(np.outer(q, q) * np.abs(np.subtract.outer(z, z))))  # the capacitor
    rows = []
    for digits in (4, 8, 12):
        start = time.perf_counter()
        structure = Structure(lattice, ["Cl" if x < 0 else "Na" for x in q], np.column_stack([where, z]),
                              coords_are_cartesian=True)
        structure.add_oxidation_state_by_site(list(q))
        sums = EwaldSummation(structure, acc_factor=digits, compute_forces=True)
        value = sums.total_energy / sums.CONV_FACT + 2 * np.pi * dipole**2 / (area * height)
        seconds = time.perf_counter() - start
        rows.append({"acc_factor": digits, "energy_error": abs(value - exact) / abs(exact), "ms": 1e3 * seconds})
    return rows


def main() -> None:
    """Print both tables as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=50)
    repeats = parser.parse_args().repeats
    search, neutral = system(128, 64), system(96, 96)
    report = {"search_128_64": ours(search, repeats), "neutral_96_96": ours(neutral, repeats)}
    vectors, where, q, z = search
    report["hessian_ms"] = 1e3 * best(lambda: hessian(vectors, where, q, z), 3)
    few, waves = system(2, 1), np.random.default_rng(0).normal(size=(1000, 2))
    force_constants = ForceConstants(few[0], few[1], few[2], few[3])
    report["dynamical_matrices_of_3_charges_per_s"] = 1000 / best(lambda: force_constants.dynamical_matrix(waves), 5)
    try:
        report["pymatgen_neutral_96_96"] = public(neutral)
    except ImportError:
        print("pymatgen is not installed: left out (pip install pymatgen)")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
