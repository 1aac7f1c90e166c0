"""Draw docs/images/finite-size.png and print the table of docs/trust.md: the trion crystal against N.

    python docs/finite_size.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import ehbilayer

HERE = Path(__file__).parent
STUDY = HERE.parent / "examples" / "trion-crystal-paper.toml"
SIZES, MODES = (16, 36, 64, 144), ("none", "madelung")


def point(holes: int, zero_mode: str) -> tuple[float, float, float, float]:
    """Energy per particle, electron and hole gap (Ha_h) and pressure (Ha_h/a_h^2) of one cell with N k points."""
    result = ehbilayer.run(ehbilayer.load_study(STUDY, [
        "cell.symmetry=crystal", "cell.cutoff=1.5", f"cell.holes={holes}", f"cell.zero_mode={zero_mode}"]))
    s = result.summary
    per_particle = result.energy / sum(s["particles"].values())  # raises unless converged
    return per_particle, s["gap"]["electron"], s["gap"]["hole"], s["pressure"]


def main() -> None:
    """Compute all points, print them, draw energy and gaps."""
    values = {mode: np.array([point(n, mode) for n in SIZES]) for mode in MODES}
    print("| zero mode | N | energy/particle | electron gap | hole gap | pressure (Ha_h/a_h^2) |\n" + 6 * "|---" + "|")
    for mode in MODES:
        for n, (energy, electron, hole, pressure) in zip(SIZES, values[mode], strict=True):
            print(f"| {mode} | {n} | {energy:.6f} | {electron:.5f} | {hole:.5f} | {pressure:.6f} |")
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 3)
    x = 1 / np.sqrt(SIZES)
    for column, (ax, title) in enumerate(zip(panels, ("energy per particle", "electron gap", "hole gap"), strict=True)):
        for mode, colour, marker in zip(MODES, ("#D55E00", "#0072B2"), "so", strict=True):
            ax.plot(x, values[mode][:, column], marker + "-", color=colour, label=f"zero mode {mode}")
        ax.set(title=title, xlabel="1/√N", ylabel="Haₕ" if column == 0 else "", xlim=(0, 0.27))
        ax.margins(y=0.12)
    figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, loc="outside upper center", ncols=2)
    figure.savefig(HERE / "images" / "finite-size.png", dpi=110)


if __name__ == "__main__":
    main()
