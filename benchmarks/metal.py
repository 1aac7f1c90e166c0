"""A half-filled metal by crystal symmetry: electron liquid on a hole crystal, m_h/m_e = 10. Prints seconds as JSON.

d = 1 a_h, r_s of the holes 7, one electron per hole, restricted electrons, one cell with N k points, the published
basis (hexagon = 7 at 36 holes). "minimise" fills shells and reports no spectrum; "solve" is the whole calculation with
levels, gaps, bands, masses and densities. One thread.

    python benchmarks/metal.py [--holes 36] [--hexagon 7] [--occupation shell] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from typing import Any


def problem(holes: int, hexagon: int, zero_mode: str) -> tuple[Any, Any]:
    """The torus and its plane waves, one hole per cell."""
    from ehbilayer.basis.plane_waves import PlaneWaveBasis
    from ehbilayer.basis.waves import hexagon_waves
    from ehbilayer.model import Bilayer
    from ehbilayer.numerics.lattice import crystal_cell
    from ehbilayer.torus import Torus

    bilayer = Bilayer.of(electron_mass=0.1, hole_mass=1.0, spacing=1.0, rs_hole=7.0)
    torus = Torus(bilayer, holes, zero_mode=zero_mode)
    return torus, PlaneWaveBasis(torus.box, hexagon_waves(torus.box, hexagon), crystal_cell(torus.box, holes))


def seconds(repeats: int, tolerance: float, occupation: str, spectrum: bool, *what: Any) -> tuple[float, Any]:
    """Median wall seconds of ``repeats`` solutions, basis included, and the last summary."""
    from ehbilayer.hartree_fock.options import Options
    from ehbilayer.hartree_fock.solver import solve
    from ehbilayer.hartree_fock.starts import How

    options = Options(start="hole-crystal", occupation=occupation, tolerance=tolerance, stability="none",
                      spectrum=spectrum)
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = solve(*problem(*what), options, How(threads=1))
        times.append(time.perf_counter() - begin)
    assert result.status.value == "converged", result.status
    return statistics.median(times), result.summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holes", type=int, default=36)
    parser.add_argument("--hexagon", type=int, default=7)
    parser.add_argument("--zero-mode", default="none", choices=("none", "madelung"))
    parser.add_argument("--occupation", default="shell", choices=("shell", "integer"))
    parser.add_argument("--tolerance", type=float, default=1e-10, help="Ha_h per particle; the residual is 1e-3 of "
                        "its root")
    parser.add_argument("--repeats", type=int, default=5)
    a = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read when NumPy is first imported
        os.environ[name] = "1"
    what = (a.repeats, a.tolerance, a.occupation)
    system = (a.holes, a.hexagon, a.zero_mode)
    minimise, _ = seconds(*what, False, *system)
    whole, summary = seconds(*what, True, *system)
    keys = ("energy_per_particle", "gap", "fermi_energy", "residual", "iterations", "basis_size", "k_points")
    print(json.dumps({"holes": a.holes, "hexagon": a.hexagon, "occupation": a.occupation, "minimise_seconds": minimise,
                      "solve_seconds": whole, "target_seconds": 1.0, "times_faster_than_target": 1.0 / whole,
                      **{key: summary[key] for key in keys}}, indent=2))


if __name__ == "__main__":
    main()
