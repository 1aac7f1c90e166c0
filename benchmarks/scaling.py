"""Cost of one Fock build (energy and gradient of all species) against N and against the basis: data and figure.

The trion crystal (two electrons per hole, restricted) on the rectangular torus, once with the whole box free and once
as one cell with N k points, from the same Gaussians, one thread. Against N the plane waves per hole stay as in the
published 45 x 39 for 36 holes; against the basis N is 36. Slopes are fits of log t against log of the number.

    python benchmarks/scaling.py              # computes, writes docs/images/scaling.json and .png
    python benchmarks/scaling.py --draw       # draws the saved data again
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZES, FACTORS = (16, 36, 64, 100, 144), (0.6, 0.8, 1.0, 1.4, 2.0)
VIEWS = {"free box": False, "crystal symmetry": True}
PUBLISHED = (45, 39, 36)  # waves along each vector at so many holes


def odd(x: float) -> int:
    """The odd number nearest to x."""
    return 2 * round((x - 1) / 2) + 1


def build_seconds(holes: int, waves: tuple[int, int], crystal: bool, least: float = 0.4) -> float:
    """Seconds of one energy and gradient: the best of repetitions that last ``least`` seconds together."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    from ehbilayer.basis.plane_waves import PlaneWaveBasis
    from ehbilayer.basis.waves import rectangle_waves
    from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
    from ehbilayer.hartree_fock.guesses import guess
    from ehbilayer.model import Bilayer
    from ehbilayer.numerics.fourier import Fourier
    from ehbilayer.numerics.lattice import crystal_cell
    from ehbilayer.numerics.minimize import orthonormalise
    from ehbilayer.terms import Setting
    from ehbilayer.torus import Torus

    bilayer = Bilayer.of(electron_mass=2.0, hole_mass=1.0, spacing=4.83, rs_hole=8.0, electrons_per_hole=2)
    torus = Torus(bilayer, holes, shape="rectangular", zero_mode="none")
    supercell = crystal_cell(torus.box, holes) if crystal else None
    basis = PlaneWaveBasis(torus.box, rectangle_waves(*waves), supercell)
    begin = guess(torus, basis, "trion-crystal")
    problem = EnergyProblem(Hamiltonian(Setting(basis, Fourier(threads=1), [torus], begin.fillings)))
    x = tuple(orthonormalise(np, c[None]) for c in begin.frames)
    times: list[float] = []
    with threadpool_limits(1):
        problem.evaluate(x)  # the first builds tables
        while sum(times) < least or len(times) < 3:
            start = time.perf_counter()
            problem.evaluate(x)
            times.append(time.perf_counter() - start)
    return min(times)


def slope(x: list[float], y: list[float]) -> float:
    """Exponent p of the least-squares fit y ~ x^p."""
    import numpy as np

    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def compute() -> dict[str, Any]:
    """Both series of both views, with their exponents."""
    n1, n2, standard = PUBLISHED
    out: dict[str, Any] = {"against_holes": {}, "against_basis": {}, "exponents": {}}
    for view, crystal in VIEWS.items():
        series = {}
        for name, systems in (
                ("against_holes", [(n, (n / standard) ** 0.5) for n in SIZES]),
                ("against_basis", [(standard, f**0.5) for f in FACTORS])):
            rows = []
            for holes, stretch in systems:
                waves = (odd(n1 * stretch), odd(n2 * stretch))
                rows.append({"holes": holes, "plane_waves": waves[0] * waves[1],
                             "seconds": build_seconds(holes, waves, crystal)})
            out[name][view] = series[name] = rows
        out["exponents"][view] = {
            name: slope([r[key] for r in series[name]], [r["seconds"] for r in series[name]])
            for name, key in (("against_holes", "holes"), ("against_basis", "plane_waves"))}
    return out


def draw(data: dict[str, Any], target: Path) -> None:
    """Two panels, logarithmic axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    panels = (("against_holes", "holes", "holes N, plane waves ∝ N"),
              ("against_basis", "plane_waves", "plane waves, N = 36"))
    for ax, (name, key, label) in zip(figure.subplots(1, 2), panels, strict=True):
        for view, colour, marker in zip(VIEWS, ("#D55E00", "#0072B2"), "so", strict=True):
            rows = data[name][view]
            power = data["exponents"][view][name]
            ax.loglog([r[key] for r in rows], [1e3 * r["seconds"] for r in rows], marker + "-", color=colour,
                      label=f"{view}: power {power:.1f}")
        ax.set(xlabel=label, ylabel="one Fock build (ms)")
        ticks = sorted({r[key] for r in data[name]["free box"]})
        ax.set_xticks(ticks, [str(t) for t in ticks])
        ax.minorticks_off()
        ax.legend(frameon=False)
    figure.savefig(target, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true", help="only draw the saved data")
    parser.add_argument("--output", type=Path, default=IMAGES, help="directory of scaling.json and .png")
    a = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read when NumPy is first imported
        os.environ[name] = "1"
    saved = a.output / "scaling.json"
    if not a.draw:
        saved.write_text(json.dumps(compute(), indent=2) + "\n")
    data = json.loads(saved.read_text())
    draw(data, a.output / "scaling.png")
    print(json.dumps(data, indent=2))


if __name__ == "__main__":
    main()
