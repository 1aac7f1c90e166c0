"""Where the condensate gives way to an electron liquid on a hole crystal, with converged waves.

    python benchmarks/boundaries.py [--tolerance 1e-5]

Prints one JSON object per boundary: r_s of the holes where both have equal energies, its basis error (that of the lead
of one over the other, over its slope), and n/n_h* in the paper's units (r_s* = 3.882 of 36 holes on 169 waves). The
spins are those of Nashabeh and Fu: restricted electrons, polarised holes; the condensate's electrons are polarised.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass

from ehbilayer import Bilayer, Torus, phases

NAMES = ("hole-crystal", "condensate")
CRITICAL_RS, CLOSE, LOOKS = 3.882, 2e-3, 5


@dataclass(frozen=True)
class Boundary:
    """Layers and torus, and r_s of the holes below and above the boundary."""

    ratio: float
    spacing: float
    low: float
    high: float
    holes: int = 36
    zero_mode: str = "none"

    def lead(self, rs: float, tolerance: float) -> tuple[float, float]:
        """Energy per hole of the crystal less that of the condensate, and the basis error of this difference (Ha_h)."""
        bilayer = Bilayer.of(electron_mass=1 / self.ratio, hole_mass=1.0, spacing=self.spacing, rs_hole=rs)
        torus = Torus(bilayer, self.holes, zero_mode=self.zero_mode, electron_spin="restricted", hole_spin="polarized")
        rows = phases(torus, NAMES, spins="given", tolerance=tolerance, stability="none").candidates
        crystal, condensate = (next(r for r in rows if r.name == name) for name in NAMES)
        if crystal.energy is None or condensate.energy is None or (crystal.phase, condensate.phase) != NAMES:
            raise RuntimeError(f"at r_s = {rs:g} they end as {crystal.phase} and {condensate.phase}")
        return (float(crystal.energy - condensate.energy),
                float(crystal.basis_error or 0.0) + float(condensate.basis_error or 0.0))


def locate(boundary: Boundary, tolerance: float = 1e-5) -> tuple[float, float]:
    """r_s of the holes at the boundary and its basis error, by false position and a straight line at the end."""
    known = {rs: boundary.lead(rs, tolerance) for rs in (boundary.low, boundary.high)}
    low, high = boundary.low, boundary.high
    for look in range(LOOKS + 1):
        slope = (known[high][0] - known[low][0]) / (high - low)
        rs = low - known[low][0] / slope
        if not low < rs < high:
            raise RuntimeError(f"no boundary between r_s = {low:g} and {high:g}")
        if look == LOOKS or min(rs - low, high - rs) < CLOSE:
            break
        known[rs] = boundary.lead(rs, tolerance)
        low, high = (low, rs) if known[rs][0] * known[low][0] < 0 else (rs, high)
    return rs, max(known[low][1], known[high][1]) / abs(slope)


FOUND = (Boundary(4, 0.0, 3.0, 3.6), Boundary(4, 0.03, 3.2, 3.9), Boundary(4, 0.1, 3.6, 4.3),
         Boundary(4, 0.32, 3.6, 4.6), Boundary(4, 1.0, 5.3, 5.7), Boundary(4, 3.0, 7.0, 7.7),
         Boundary(8, 1.0, 9.1, 9.8), Boundary(3, 1.0, 4.2, 5.0), Boundary(3, 3.0, 5.4, 6.8),
         Boundary(2, 1.0, 3.0, 3.7), Boundary(2, 3.0, 3.7, 4.6), Boundary(2, 10.0, 3.7, 4.6),
         Boundary(4, 1.0, 5.3, 5.7, 36, "madelung"), Boundary(8, 1.0, 9.1, 9.8, 36, "madelung"),
         Boundary(4, 3.0, 7.0, 7.7, 36, "madelung"), Boundary(4, 1.0, 5.2, 5.7, 64), Boundary(8, 1.0, 9.0, 9.7, 64),
         Boundary(4, 3.0, 6.9, 7.6, 64))


def main() -> None:
    """All boundaries of the findings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tolerance", type=float, default=1e-5, help="of the energy per particle, Ha_h")
    tolerance = parser.parse_args().tolerance
    for boundary in FOUND:
        began = time.perf_counter()
        rs, error = locate(boundary, tolerance)
        print(json.dumps({"mass_ratio": boundary.ratio, "spacing": boundary.spacing, "holes": boundary.holes,
                          "zero_mode": boundary.zero_mode, "rs": round(rs, 4), "basis_error": float(f"{error:.1e}"),
                          "over_critical": round((CRITICAL_RS / rs) ** 2, 3),
                          "seconds": round(time.perf_counter() - began, 1)}), flush=True)


if __name__ == "__main__":
    main()
