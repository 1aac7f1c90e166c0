"""T_c: a map of 400 x 400 points by the published formula, one Eliashberg T_c, a gap, and an Eliashberg map.

    python benchmarks/pairing.py [points of the Eliashberg map along each axis, 30 by default; 100 takes minutes]
"""

import sys
import time

from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.pairing.eliashberg import critical_temperature
from ehbilayer.pairing.gap import solve_gap
from ehbilayer.pairing.liquid import Choices, Liquid
from ehbilayer.pairing.maps import Map, solve_map
from ehbilayer.pairing.plasmon_spectrum import plasmon_spectrum
from ehbilayer.pairing.plasmon_velocity import Source
from timing import best


def paper_map(points: int, choices: Choices) -> Map:
    """r_s from 0.1 to 2 and d from 0 to 2 a_e at m_h/m_e = 10, alpha^2 by the line (Nashabeh and Fu, Fig. 4b)."""
    bilayer = Bilayer.of(electron_mass=0.1, hole_mass=1.0, rs_electron=1.0)
    return Map.over(bilayer, (0.1, 2.0), (0.0, 20.0), points, Source("paper-line"), choices)


def main() -> None:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    for umklapp in ("debye", "folded"):
        seconds = best(lambda u=umklapp: solve_map(paper_map(400, Choices(umklapp=u)), Hooks()), 3)
        print(f"map 400 x 400, {umklapp:6s}          {seconds:8.3f} s")
    for umklapp in ("debye", "folded"):
        spectrum = plasmon_spectrum(Liquid(1.6, 10.0, 0.1, 0.09, umklapp))
        print(f"Eliashberg T_c, {umklapp:6s}        "
              f"{best(lambda s=spectrum: critical_temperature(s, 0.2, 1.0)) * 1e3:8.1f} ms")
    t_c = critical_temperature(spectrum, 0.2, 1.0)
    seconds = best(lambda: solve_gap(spectrum, 0.1 * t_c, 0.2, 1.0, critical=t_c))
    print(f"gap at T_c/10                  {seconds * 1e3:8.1f} ms")
    for workers in (1, 2):
        began = time.perf_counter()
        found = solve_map(paper_map(points, Choices("eliashberg")), Hooks(threads=workers))
        seconds = time.perf_counter() - began
        each = seconds / points**2
        print(f"Eliashberg map {points} x {points}, {workers} workers  {seconds:8.1f} s, {each * 1e3:.1f} ms a point: "
              f"100 x 100 in {each * 1e4 / 60:.1f} min; highest T_c {found.highest.tc_over_hartree:.6f} T_H")


if __name__ == "__main__":
    main()
