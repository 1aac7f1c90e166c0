"""Dai and Fu, Fig. 1: classical crystals of two electrons per hole, their energies and the transitions between them."""

from __future__ import annotations

import numpy as np

from ehbilayer import CrystalScanResult
from ehbilayer.figures import COLOURS, INK, NORMAL, OTHERS, SMALL, draw_charges, dress
from ehbilayer.papers.dai_fu import classical_studies as classical
from ehbilayer.papers.record import MISSING, Axes, Figure, Reproduction, Results, Row, Studies, judged, titled

COLOUR = {"checkerboard": COLOURS["hole"], "rhombic": OTHERS[0], "honeycomb": COLOURS["electron"]}  # by rising a/d
PUBLISHED = 5.4224  # from the authors' structures; printed 5.42


def studies(quick: bool) -> Studies:
    """Energies of the two published crystals and of the rhombic one; the sequence of ground states."""
    pair = ["checkerboard", "honeycomb"]
    coarse = classical.spaced(1.0, 12.0, 4 if quick else 24, *classical.FINE)
    close = classical.spaced(*classical.RHOMBIC, 5 if quick else 14)
    return {"composite-energies": classical.energies(pair, coarse),
            "rhombic-energies": classical.energies(["rhombic", *pair], close),
            "ground-states": classical.ground_states(quick)}


def draw(results: Results) -> Figure:
    """Structures on top; below, energies with their difference, and what lies lowest near the transition."""
    page = titled(10.0, 7.4, "classical crystals at two electrons per hole (Dai and Fu, Fig. 1)")
    for i, name in enumerate(COLOUR):
        _structure(page.add_axes((0.09 + 0.3 * i, 0.555, 0.27, 0.365)), results["ground-states"], name)
    _energies(page.add_axes((0.085, 0.085, 0.345, 0.37)), results)
    _lowest(page.add_axes((0.63, 0.085, 0.345, 0.37)), results)
    _key(page.axes[0])
    return page


def _structure(ax: Axes, result: CrystalScanResult, name: str) -> None:
    """One crystal: electrons small and filled, on top of a hole with a ring around."""
    number = next((i for i, part in enumerate(result.sequence) if part.structure == name), None)
    ax.set_xticks([])
    ax.set_yticks([])
    if number is None:
        ax.text(0.5, 0.5, "not found", ha="center", transform=ax.transAxes)
        return
    crystal = {key: result.data[f"example_{number}_{key}"].values
               for key in ("vectors", "positions", "heights", "species")}
    length = float(np.sqrt(abs(np.linalg.det(crystal["vectors"])) / np.pi))  # one hole per cell
    hole = int(np.flatnonzero(crystal["species"].astype(str) == "hole")[0])
    crystal["positions"] = crystal["positions"] - crystal["positions"][hole]  # a corner of the cell
    draw_charges(ax, crystal, 3.4 * length, unit=length, bold=0.5)
    part = result.sequence[number]
    ends = [f"{part.low:.5g} < " if number else "", "a/d",
            f" < {part.high:.5g}" if number < len(result.sequence) - 1 else ""]
    where = "".join(ends) if len(result.sequence) > 1 else "a/d"
    ours = "" if name != "rhombic" else ", not in the paper"
    ax.set_title(f"{name}{ours}\nlowest at {where}", fontsize=SMALL, color=COLOUR[name], pad=3)


def _key(ax: Axes) -> None:
    """What the marks of the structures are, below them."""
    ax.scatter([], [], s=22, c=COLOURS["electron"], label="electron")
    ax.scatter([], [], s=45, facecolors=COLOURS["electron"], edgecolors=COLOURS["hole"], linewidths=2.2,
               label="dipole: electron on a hole")
    ax.legend(loc="upper left", bbox_to_anchor=(-0.02, 0.0), ncols=2, fontsize=SMALL, frameon=False, borderaxespad=0.3)


def _energies(ax: Axes, results: Results) -> None:
    found = results["composite-energies"]
    x, square = classical.energy_of(found, "checkerboard")
    _, hexagonal = classical.energy_of(found, "honeycomb")
    ax.plot(x, square, color=COLOUR["checkerboard"], label="checkerboard")
    ax.plot(x, hexagonal, color=COLOUR["honeycomb"], linestyle="--", label="honeycomb")
    dress(ax, "energies and their difference", "a / d", "energy per hole (e²/d)")
    ax.set_xlim(1, 12)
    where = classical.crossing(x, square - hexagonal)
    other = ax.twinx()
    difference = (square - hexagonal) * 1e3
    other.plot(x, difference, color=INK, linewidth=1.1, marker="o", markersize=2.5)
    far = difference[x > 4]
    other.set_ylim(-4.0 * float(far.max()), 1.6 * float(far.max()))
    other.axhline(0, color=INK, linewidth=0.5)
    other.set_ylabel("checkerboard − honeycomb (10⁻³ e²/d)", fontsize=NORMAL)
    other.tick_params(labelsize=SMALL, direction="in", length=3)
    if where is not None:
        ax.axvline(where, color=INK, linewidth=0.9, linestyle="--")
        ax.text(where + 0.15, 0.05, f"{where:.5g}", transform=ax.get_xaxis_transform(), fontsize=SMALL, color=INK)
    ax.plot([], [], color=INK, linewidth=1.1, marker="o", markersize=2.5, label="difference")
    ax.legend(fontsize=SMALL, frameon=False, loc="lower right")


def _lowest(ax: Axes, results: Results) -> None:
    """All three against the honeycomb near the transition."""
    found = results["rhombic-energies"]
    x, floor = classical.energy_of(found, "honeycomb")
    for name in ("checkerboard", "rhombic", "honeycomb"):
        above = (classical.energy_of(found, name)[1] - floor) * 1e5
        ax.plot(x, above, "o--" if name == "honeycomb" else "o-", color=COLOUR[name], label=name, markersize=2.5)
    for below, above in (("checkerboard", "rhombic"), ("rhombic", "honeycomb")):
        where = classical.transition(results["ground-states"], below, above)
        if where is not None:
            ax.axvline(where, color=INK, linewidth=0.9, linestyle=":")
            ax.text(where + 0.01, 0.3, f"{where:.6g}", transform=ax.get_xaxis_transform(), fontsize=SMALL, color=INK,
                    rotation=90, va="bottom", ha="left")
    ax.set_xlim(*classical.RHOMBIC)
    ax.legend(fontsize=SMALL, frameon=False, loc="upper left", bbox_to_anchor=(0.12, 1.0))
    dress(ax, "near the transition, rhombic crystal included", "a / d", "energy above honeycomb (10⁻⁵ e²/d)")


def rows(results: Results) -> list[Row]:
    """The crossing of the published pair, and the sequence that the relaxed cells give."""
    x, square = classical.energy_of(results["composite-energies"], "checkerboard")
    where = classical.crossing(x, square - classical.energy_of(results["composite-energies"], "honeycomb")[1])
    relaxed = classical.transition(results["ground-states"], "rhombic", "honeycomb")
    found = [judged("crossing of checkerboard and honeycomb, a/d", f"5.42 ({PUBLISHED})", where,
                    (PUBLISHED - 5e-5, PUBLISHED + 5e-5),
                    converged="" if relaxed is None else f"{relaxed:.7g}, from the rhombic crystal")]
    for part in results["ground-states"].transitions:
        text = f"{part.a_over_d:.7g}, {part.order}"
        found.append(classical.transition_row(part.below, part.above, part.a_over_d, text))
    if len(found) == 1:
        found.append(Row("transitions with the cell relaxed, a/d", "5.42", "", MISSING))
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    scan = results["ground-states"]
    return ("Point charges in two layers at spacing d, a = 1/sqrt(pi n_h), each layer with its neutralising "
            "background; potentials average to zero, so the capacitor energy, the same for all crystals, is left out. "
            "Energies per hole. Top: the crystals in the middle of their range (blue electrons, orange holes). Bottom "
            "left: the two published crystals, with their shape fixed by symmetry, and their difference; the dashed "
            "line is where they cross. Bottom right: the rhombic crystal, a checkerboard sheared, is lower than both "
            "around the crossing. Cells: 3 charges for the named crystals; the search used "
            f"{sum(s.starts for s in scan.starts)} starts at {len(scan.starts)} values of a/d. Lattice sums to 1e-13; "
            "the cutoffs follow from that.")


FIGURE = Reproduction("dai-fu:1", "classical phase diagram at n_e/n_h = 2",
                      "D. D. Dai and L. Fu, PRL 132, 196202 (2024), Fig. 1", studies, draw, rows, caption)
