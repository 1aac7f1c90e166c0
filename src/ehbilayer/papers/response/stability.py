"""Where the liquids of a bilayer are unstable against a wave of charge or density, by Hubbard's field and by STLS."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ehbilayer.figures import SMALL, dress
from ehbilayer.papers.record import NEW, Figure, Reproduction, Results, Row, Studies, placed, titled

SOURCE = "computed here; theory of K. S. Singwi et al., Phys. Rev. 176, 589 (1968), and of J. Hubbard (1958)"
RATIOS, SPACINGS, DENSITIES = (1, 10), (0.25, 0.5, 1.0, 2.0, 4.0), (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
THEORIES = {"hubbard": ":", "stls": "-"}
COLOURS = ("#0072B2", "#009E73", "#E69F00", "#D55E00", "#CC79A7")


def studies(quick: bool) -> Studies:
    """r_s of the electrons and d/a_e at each mass ratio, two flavours; quick a single point."""
    ratios, spacings, densities = ((10,), (1.0,), (1.0,)) if quick else (RATIOS, SPACINGS, DENSITIES)
    return {f"response-stability-{theory}-{m}-{d:g}-{rs:g}": {
        "kind": "response", "bilayer": {"electron_mass": 1 / m, "hole_mass": 1.0, "spacing": f"{d:g} a_e"},
        "density": {"rs_electron": rs, "electrons_per_hole": 1},
        "response": {"approximation": theory, "wave_numbers": 0}}
        for theory in THEORIES for m in ratios for d in spacings for rs in densities}


def points(results: Results) -> Iterator[tuple[str, int, float, float, Any]]:
    """Theory, mass ratio, d/a_e, r_s and result of all that there is."""
    for study, result in results.items():
        theory, m, d, rs = study.removeprefix("response-stability-").split("-")
        yield theory, int(m), float(d), float(rs), result


def line(results: Results, theory: str, ratio: int, spacing: float) -> list[tuple[float, Any]]:
    """r_s and result along one line, rising."""
    return sorted(((rs, x) for t, m, d, rs, x in points(results) if (t, m, d) == (theory, ratio, spacing)),
                  key=lambda y: y[0])


def firm(result: Any) -> bool:
    """Whether the liquids agree with their own pair correlation, and no wave lowers the energy."""
    return result.status.name == "converged" and bool(result.stable)


def draw(results: Results) -> Figure:
    """The lowest eigenvalue of 1 + N_0^(1/2) W N_0^(1/2) against r_s."""
    ratios = sorted({m for _, m, *_ in points(results)})
    page = titled(4.6 * len(ratios) + 2.2, 4.3, "stability against a wave of density")
    for i, ratio in enumerate(ratios):
        ax = placed(page, 0.8 + 4.6 * i, 0.6, 3.5, 3.0)
        for colour, d in zip(COLOURS, sorted({d for _, _, d, _, _ in points(results)}), strict=False):
            for theory, style in THEORIES.items():
                found = [(rs, x.least_stability) for rs, x in line(results, theory, ratio, d)
                         if x.status.name == "converged"]
                if found:
                    ax.plot(*zip(*found, strict=True), linestyle=style, marker="o", markersize=3, color=colour,
                            label=f"{theory}, d = {d:g} aₑ")
        ax.axhline(0.0, color="#888888", linewidth=0.8)
        ax.set_ylim(-1, 1)
        if i == len(ratios) - 1:
            ax.legend(fontsize=SMALL - 1, frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))
        dress(ax, f"m_h/m_e = {ratio}", "r_s of the electrons", "lowest stability")
    return page


def rows(results: Results) -> list[Row]:
    """Of each mass ratio and theory: between which r_s the liquids end, for every spacing."""
    found = []
    for ratio in sorted({m for _, m, *_ in points(results)}):
        for theory in THEORIES:
            told = [f"d {d:g}: {_end(line(results, theory, ratio, d))}"
                    for d in sorted({d for _, m, d, _, _ in points(results) if m == ratio})]
            found.append(Row(f"m_h/m_e = {ratio}, {theory}", "", "; ".join(told), NEW))
    return found


def _end(mine: list[tuple[float, Any]]) -> str:
    """Between which r_s, and at what q over 2 k_F of the electrons the last stable liquid is softest."""
    if not mine or not firm(mine[0][1]):
        return f"below {mine[0][0]:g}" if mine else ""
    for (low, here), (high, there) in pairwise(mine):
        if not firm(there):
            fermi = here.fermi_velocity["electron"] * next(
                c["mass"] for c in here.inputs["carriers"] if c["name"] == "electron")
            return f"{low:g} to {high:g} (q = {here.softest_wave_number / (2 * fermi):.2f} x 2k_F)"
    return f"above {mine[-1][0]:g}"


FIGURE = Reproduction(
    "response:stability", "where the liquids of a bilayer are unstable against a wave of density", SOURCE, studies,
    draw, rows, lambda results: "Lowest eigenvalue of 1 + N_0^(1/2) W N_0^(1/2) over q where local fields converge; "
    "below 0 a wave forms. The random phase is stable everywhere. Two flavours each, as many electrons as holes.")
