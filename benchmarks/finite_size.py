"""Energy and gaps of a crystal against the number of particles, in both zero-mode conventions: data and figure.

The trion crystal of Dai and Fu, PRL 132, 196202 (2024) (two electrons per hole, m_e = 2 m_h, d = 4.83 a_h, r_s of the
holes 8, rectangular torus), one cell with N k points. Expected: with "none" every orbital lacks v(0)/A = M/sqrt(A), so
energies per particle are M/(2 sqrt(A)) too high and gaps M/sqrt(A) too small, M = 3.88707 on this torus; "madelung"
removes that, and what is left falls about as N^(-3/2).

    python benchmarks/finite_size.py              # computes, writes docs/images/finite-size.json and .png
    python benchmarks/finite_size.py --draw       # draws the saved data again
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZES, MODES = (16, 36, 64, 144), ("none", "madelung")
QUANTITIES = {"energy_per_particle": "energy per particle", "electron_gap": "electron gap", "hole_gap": "hole gap"}


def point(holes: int, zero_mode: str, cutoff: float) -> dict[str, float]:
    """The converged crystal of ``holes`` holes: energy per particle, gaps (Ha_h), pressure (Ha_h/a_h^2)."""
    from ehbilayer.basis.plane_waves import PlaneWaveBasis
    from ehbilayer.basis.waves import disk_waves
    from ehbilayer.hartree_fock.options import Options
    from ehbilayer.hartree_fock.solver import solve
    from ehbilayer.hartree_fock.starts import How
    from ehbilayer.model import Bilayer
    from ehbilayer.numerics.lattice import crystal_cell
    from ehbilayer.torus import Torus

    bilayer = Bilayer.of(electron_mass=2.0, hole_mass=1.0, spacing=4.83, rs_hole=8.0, electrons_per_hole=2)
    torus = Torus(bilayer, holes, shape="rectangular", zero_mode=zero_mode)
    box = torus.box
    basis = PlaneWaveBasis(box, disk_waves(box, cutoff), crystal_cell(box, holes))
    options = Options(start="trion-crystal", tolerance=1e-10, stability="none")
    result = solve(torus, basis, options, How(threads=1))
    assert result.energy < 0, "converged"
    s = result.summary
    return {"holes": holes, "area": box.area, "energy_per_particle": s["energy_per_particle"],
            "electron_gap": s["gap"]["electron"], "hole_gap": s["gap"]["hole"], "pressure": s["pressure"]}


def compute(cutoff: float) -> dict[str, Any]:
    """All points, and the straight lines in 1/sqrt(N) that the missing zero mode predicts."""
    from ehbilayer.interaction.coulomb import Coulomb
    from ehbilayer.numerics.lattice import box_of_shape

    box = box_of_shape("rectangular", 1.0)
    return {"system": "trion crystal, m_e = 2 m_h, d = 4.83 a_h, r_s = 8, rectangular torus", "cutoff": cutoff,
            "madelung_constant": float(Coulomb().zero_mode(box.vectors, 0, 0)),  # v(0)/A at unit area
            "points": {mode: [point(n, mode, cutoff) for n in SIZES] for mode in MODES}}


def draw(data: dict[str, Any], target: Path) -> None:
    """Three panels against 1/sqrt(N); dashed: the limit (largest madelung box) plus the missing zero mode."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    share = {"energy_per_particle": 0.5, "electron_gap": -1.0, "hole_gap": -1.0}
    for ax, (key, title) in zip(figure.subplots(1, 3), QUANTITIES.items(), strict=True):
        for mode, colour, marker in zip(MODES, ("#D55E00", "#0072B2"), "so", strict=True):
            rows = data["points"][mode]
            ax.plot([r["holes"] ** -0.5 for r in rows], [r[key] for r in rows], marker, color=colour,
                    label=f"zero mode {mode}")
        last = data["points"]["madelung"][-1]
        slope = share[key] * data["madelung_constant"] * np.sqrt(last["holes"] / last["area"])
        ends = np.array([0.0, 0.26])
        ax.plot(ends, last[key] + slope * ends, "--", color="#D55E00", lw=1, label="limit + missing v(0)")
        ax.axhline(last[key], color="#0072B2", lw=1)
        ax.set(title=title, xlabel="1/√N", ylabel="Haₕ" if key == "energy_per_particle" else "", xlim=(0, 0.27))
        ax.margins(y=0.1)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(target, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true", help="only draw the saved data")
    parser.add_argument("--cutoff", type=float, default=1.5, help="largest wave number, 1/a_h")
    parser.add_argument("--output", type=Path, default=IMAGES, help="directory of finite-size.json and .png")
    a = parser.parse_args()
    saved = a.output / "finite-size.json"
    if not a.draw:
        saved.write_text(json.dumps(compute(a.cutoff), indent=2) + "\n")
    data = json.loads(saved.read_text())
    draw(data, a.output / "finite-size.png")
    print(json.dumps(data, indent=2))


if __name__ == "__main__":
    main()
