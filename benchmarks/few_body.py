"""Few-body complexes: processor seconds to an accuracy, what it is worth, a scan of 20 spacings, as JSON.

Each complex is solved to its tolerance and once more far beyond it; the difference is the true error. The opponent is
plain stochastic selection: the same random functions with the same reach and number, three times as many candidates,
without the gradient and without the search around the best one.

    python benchmarks/few_body.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from ehbilayer.few_body import basis as few_body_basis
from ehbilayer.few_body.complexes import Complex, make_complex
from ehbilayer.few_body.exciton import solve_exciton
from ehbilayer.few_body.scan import scan
from ehbilayer.few_body.variational import Options, minimise

CASES = (  # name, spin, m_e/m_h, spacing (a_h), tolerance (Ha_h)
    ("trion-", "singlet", 1.0, 0.0, 1e-6),
    ("trion-", "singlet", 2.0, 4.8248, 1e-6),
    ("trion-", "triplet", 2.0, 4.8248, 1e-6),
    ("trion-", "singlet", 1.0, 15.0, 1e-7),
    ("biexciton", "singlet", 1.0, 0.3, 1e-4),
)


def plain_selection(complex: Complex, count: int, reach: float) -> float:
    """Lowest energy from stochastic selection alone."""
    rng = np.random.default_rng(0)
    kept, few_body_basis.NEIGHBOURHOODS = few_body_basis.NEIGHBOURHOODS, ()
    try:
        basis = few_body_basis.first(complex.charges, complex.draw(500, reach, rng))
        return few_body_basis.grow(basis, count, lambda k: complex.draw(k, reach, rng), rng, candidates=90).energy
    finally:
        few_body_basis.NEIGHBOURHOODS = kept


def measure(name: str, spin: str, mass: float, spacing: float, tolerance: float, quick: bool) -> dict[str, Any]:
    """Seconds, error and reported uncertainty of one complex."""
    complex = make_complex(name, spin, mass, spacing)
    began = time.process_time()
    answer = minimise(complex, Options(tolerance))
    row = {"complex": name, "spin": spin, "mass_ratio": mass, "spacing": spacing, "tolerance": tolerance,
           "seconds": round(time.process_time() - began, 2), "functions": len(answer.basis), "energy": answer.energy,
           "binding": answer.binding, "uncertainty": answer.uncertainty, "status": answer.status.value}
    if not quick:
        best = minimise(complex, Options(tolerance / 30, seed=1, max_functions=700)).energy
        began = time.process_time()
        plain = plain_selection(complex, len(answer.basis), answer.reach)
        row |= {"error": answer.energy - best, "error_of_plain_selection": plain - best,
                "seconds_of_plain_selection": round(time.process_time() - began, 2)}
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="times only")
    quick = parser.parse_args().quick
    began = time.process_time()
    solve_exciton(1.0, 1.2345)
    exciton = time.process_time() - began
    rows = [measure(*case, quick) for case in CASES]
    began = time.process_time()
    spacings = np.linspace(0, 15, 20)
    result = scan([make_complex("trion-", None, 1.0, float(d)) for d in spacings], Options())
    print(json.dumps({"exciton_seconds": round(exciton, 4), "complexes": rows,
                      "scan_of_20_spacings_seconds": round(time.process_time() - began, 1),
                      "scan_status": result.status.value}, indent=2))


if __name__ == "__main__":
    main()
