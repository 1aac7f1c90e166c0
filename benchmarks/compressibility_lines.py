"""alpha^2 of the electron liquid on a hole crystal against r_s^e: Figs. 4a and S2 of Nashabeh and Fu (2026), and ours.

m_h/m_e = 10. For each spacing: the paper's torus (36 holes, zero mode "none", symmetric state), the limit of infinite
N, and the phonons of the screened hole lattice; at d = a_h also the lowest state of the free box (hexagon 7) and a
torus of 16 holes.
The paper's line is our reading of its figure, alpha^2 = 1.2 - 1.39 r_s^e/r_s* with r_s* = 2.

    python benchmarks/compressibility_lines.py            # computes, writes docs/images/compressibility.json and .png
    python benchmarks/compressibility_lines.py --draw     # draws the saved data again
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).parents[1] / "docs" / "images"
MASS, SPACINGS = 0.1, (0.03, 1.0, 3.0, 10.0)  # m_e/m_h, a_h
DENSITIES = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8)  # r_s^e
LOWEST = (0.8, 1.0, 1.2, 1.4, 1.6, 1.8)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def layers(spacing: float, rs: float) -> Any:
    """As many electrons as holes at one spacing and r_s of the electrons."""
    from ehbilayer.model import Bilayer

    return Bilayer.of(electron_mass=MASS, hole_mass=1.0, spacing=spacing, rs_electron=rs)


def point(spacing: float, rs: float) -> dict[str, Any]:
    """All numbers of the symmetric state at one density."""
    from ehbilayer.compressibility.size_limit import alpha_squared
    from ehbilayer.response.hole_lattice import ScreenedLattice

    torus, limit = (alpha_squared(layers(spacing, rs), source=source) for source in ("torus", "limit"))
    lattices = {f: ScreenedLattice(layers(spacing, rs), f) for f in ("none", "exchange")}
    return {"spacing": spacing, "rs": rs, "torus": torus, "limit": limit, "capacitor": 4 * spacing * MASS,
            "bulk": {k: v.sound.bulk for k, v in lattices.items()},
            "shear": {k: v.sound.transverse for k, v in lattices.items()},
            "zero_point": lattices["none"].zero_point}


def small(rs: float) -> dict[str, Any]:
    """The torus of 16 holes at d = a_h, zero mode "none"."""
    from ehbilayer.compressibility.size_limit import alpha_squared

    return {"rs": rs, "holes": 16, "torus": alpha_squared(layers(1.0, rs), source="torus", holes=16)}


def lowest(rs: float, starts: int) -> dict[str, Any]:
    """The lowest state of the free box at d = a_h, in the paper's convention and basis."""
    from ehbilayer.basis.plane_waves import PlaneWaveBasis
    from ehbilayer.basis.waves import hexagon_waves
    from ehbilayer.compressibility.bulk_modulus import StateOptions, modulus
    from ehbilayer.torus import Torus

    torus = Torus(layers(1.0, rs), 36, zero_mode="none")
    basis = PlaneWaveBasis(torus.box, hexagon_waves(torus.box, 7))
    held = modulus(torus, basis)
    free = modulus(torus, basis, StateOptions("lowest", starts=starts))
    return {"rs": rs, "alpha_squared": free.alpha_squared, "symmetric": held.alpha_squared,
            "status": free.status.value, "energy_below": (held.energy - free.energy) / 36}


def compute(starts: int) -> dict[str, Any]:
    """Every point, told as it goes."""
    points, falls = [], []
    for d in SPACINGS:
        for rs in DENSITIES:
            points.append(point(d, rs))
            print(json.dumps(points[-1]), flush=True)
    for rs in LOWEST:
        falls.append(lowest(rs, starts))
        print(json.dumps(falls[-1]), flush=True)
    return {"system": "m_h/m_e = 10; torus: 36 holes, zero mode none", "points": points, "lowest": falls,
            "small": [small(rs) for rs in DENSITIES]}


def draw(data: dict[str, Any], target: Path) -> None:
    """Fig. 4a, and Fig. S2: the same with the capacitor."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for d, colour in zip(SPACINGS, COLOURS, strict=True):
        rows = [p for p in data["points"] if p["spacing"] == d]
        rs = [p["rs"] for p in rows]
        for ax, shift in ((left, 0.0), (right, 4 * d * MASS)):
            ax.plot(rs, [p["torus"][0] + shift for p in rows], "s-", ms=3.5, lw=1, color=colour,
                    label=f"d = {d:g} aₕ, N = 36, none")
            ax.errorbar(rs, [p["limit"][0] + shift for p in rows], yerr=[p["limit"][1] for p in rows], fmt="o--",
                        ms=3.5, lw=1, color=colour, mfc="white", label=f"d = {d:g} aₕ, N → ∞")
        right.plot(rs, [p["bulk"]["exchange"] + p["zero_point"] for p in rows], ":", lw=1.4, color=colour)
    left.plot([f["rs"] for f in data["lowest"]], [f["alpha_squared"] for f in data["lowest"]], "*", ms=9, color="k",
              label="lowest state, d = 1 aₕ, N = 36")
    left.plot([p["rs"] for p in data["small"]], [p["torus"][0] for p in data["small"]], "x", ms=6, color="k",
              label="d = 1 aₕ, N = 16, none")
    ends = [0.0, 2.0]
    left.plot(ends, [1.2 - 1.39 * x / 2 for x in ends], color="0.35", lw=1.6, label="Nashabeh and Fu (our reading)")
    left.plot(ends, [1 - math.sqrt(2) / math.pi * x for x in ends], color="0.65", lw=1.6, label="uniform gas")
    for ax in (left, right):
        ax.axhline(0, color="0.5", lw=0.8)
        ax.set(xlim=(0, 2), xlabel="rₛ of the electrons (aₑ)", ylabel="α² = B / B₀")
    right.plot([], [], "k:", lw=1.4, label="phonons, exchange and zero point")
    left.set(title="without the capacitor (Fig. 4a); all spacings coincide", ylim=(-0.8, 1.25))
    right.set(title="with the capacitor, α² + 4d/aₑ (Fig. S2)", ylim=(-0.8, 5.4))
    handles = dict(zip(*reversed(left.get_legend_handles_labels()), strict=True))
    handles |= dict(zip(*reversed(right.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    figure.savefig(target, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true", help="only draw the saved data")
    parser.add_argument("--starts", type=int, default=3, help="of each lowest state")
    parser.add_argument("--output", type=Path, default=IMAGES, help="directory of compressibility.json and .png")
    a = parser.parse_args()
    saved = a.output / "compressibility.json"
    if not a.draw:
        saved.write_text(json.dumps(compute(a.starts), indent=1) + "\n")
    draw(json.loads(saved.read_text()), a.output / "compressibility.png")


if __name__ == "__main__":
    main()
