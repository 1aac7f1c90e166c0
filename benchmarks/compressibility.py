"""Seconds of alpha^2 at one density: 36 electron-hole pairs, m_h/m_e = 10, d = a_h, r_s^e = 1.6, symmetric state.

    python benchmarks/compressibility.py [--repeats 5]

Prints JSON: the state and its response in both conventions, the two routes by differences, the same with the basis
enlarged until alpha^2 is good to 2e-3, the limit from 16, 36 and 64 pairs, and the screened phonons.
"""

from __future__ import annotations

import argparse
import json

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import hexagon_waves
from ehbilayer.compressibility.bulk_modulus import by_differences, modulus
from ehbilayer.compressibility.size_limit import alpha_squared, alpha_squared_limit
from ehbilayer.model import Bilayer
from ehbilayer.response.hole_lattice import ScreenedLattice
from ehbilayer.torus import Torus
from timing import best

MASS, SPACING, RS = 0.1, 1.0, 1.6


def main() -> None:
    """Time the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    bilayer = Bilayer.of(electron_mass=MASS, hole_mass=1.0, spacing=SPACING, rs_electron=RS)
    tori = {mode: Torus(bilayer, 36, zero_mode=mode) for mode in ("none", "madelung")}
    box = tori["none"].box
    basis = PlaneWaveBasis(box, hexagon_waves(box, 7))
    state = modulus(tori["none"], basis)
    few = max(1, repeats // 3)
    report = {
        "both_conventions_169_waves_s": best(lambda: [modulus(t, basis) for t in tori.values()], repeats),
        "by_pressures_s": best(lambda: by_differences(tori["none"], state, "pressure"), repeats),
        "by_energies_s": best(lambda: by_differences(tori["none"], state, "energy"), repeats),
        "basis_to_2e-3_s": best(lambda: alpha_squared(bilayer, source="torus"), few),
        "limit_of_16_36_64_s": best(lambda: alpha_squared_limit(bilayer), few),
        "screened_phonons_s": best(lambda: ScreenedLattice(bilayer).sound, repeats),
    }
    print(json.dumps({k: round(v, 4) for k, v in report.items()}, indent=1))


if __name__ == "__main__":
    main()
