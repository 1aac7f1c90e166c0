"""The contrary claim (Afanasiev et al., arXiv:2105.05982): what holes add as a liquid, by four theories, and as a
crystal, over density, spacing and mass ratio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ehbilayer.figures import SMALL, dress
from ehbilayer.papers.record import NEW, Figure, Reproduction, Results, Row, Studies, placed, titled

SOURCE = "computed here; the claim of I. V. Afanasiev et al., arXiv:2105.05982, tested"
RATIOS, DENSITIES, SPACINGS = (2, 10, 100, 2000), (0.5, 1.0, 1.6, 3.0), (0.2, 0.5, 1.0, 2.0)  # m_h/m_e, r_s, d/a_e
LINES: tuple[Any, ...] = ("-", ":", "-.", "--", (0, (1, 3)), (0, (5, 5)))
COLOURS = ("#0072B2", "#009E73", "#E69F00", "#D55E00")


def studies(quick: bool) -> Studies:
    """One point for each, quick a single one."""
    ratios, densities, spacings = ((10,), (1.6,), (1.0,)) if quick else (RATIOS, DENSITIES, SPACINGS)
    return {name(m, rs, d): {"kind": "pairing", "bilayer": {"electron_mass": 1 / m, "hole_mass": 1.0,
                                                            "spacing": f"{d:g} a_e"},
                             "density": {"rs_electron": rs, "electrons_per_hole": 1}, "pairing": {"coupling": "rpa"}}
            for m in ratios for rs in densities for d in spacings}


def name(ratio: int, rs: float, spacing: float) -> str:
    """Of a study."""
    return f"response-pairing-{ratio}-{rs:g}-{spacing:g}"


def levels(results: Results) -> Iterator[tuple[int, float, float, Any]]:
    """Mass ratio, r_s of the electrons, d/a_e and theory of all that there is."""
    for study, result in results.items():
        ratio, rs, d = study.removeprefix("response-pairing-").split("-")
        for level in result.levels:
            yield int(ratio), float(rs), float(d), level


def theories(results: Results) -> list[str]:
    """In the order of the results."""
    return list(dict.fromkeys(level.theory for *_, level in levels(results)))


def draw(results: Results) -> Figure:
    """lambda over mu* against r_s: above 1 something may pair."""
    ratios = sorted({ratio for ratio, *_ in levels(results)})
    page = titled(4.3 * len(ratios) + 2.6, 4.3, "what the holes add, over the repulsion")
    known: dict[str, Any] = {}
    for i, ratio in enumerate(ratios):
        ax = placed(page, 0.7 + 4.3 * i, 0.6, 3.4, 3.0)
        for colour, d in zip(COLOURS, sorted({d for _, _, d, _ in levels(results)}), strict=False):
            for theory, style in zip(theories(results), LINES, strict=False):
                points = sorted((rs, level.lam / level.mu_star) for m, rs, where, level in levels(results)
                                if (m, where, level.theory) == (ratio, d, theory) and level.stable
                                and level.mu_star)
                if points:
                    ax.plot(*zip(*points, strict=True), linestyle=style, marker="o", markersize=3, color=colour,
                            label=f"{theory}, d = {d:g} aₑ")
        ax.axhline(1.0, color="#888888", linewidth=0.8)
        ax.set_yscale("log")
        known |= dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
        if i == len(ratios) - 1:
            ax.legend(known.values(), known.keys(), fontsize=SMALL - 1, frameon=False, loc="center left",
                      bbox_to_anchor=(1.02, 0.5))
        dress(ax, f"m_h/m_e = {ratio}", "r_s of the electrons", "λ/μ*")
    return page


def rows(results: Results) -> list[Row]:
    """Of each mass ratio and theory: where holes are stable, the strongest, and whether anything pairs."""
    found = []
    for ratio in sorted({ratio for ratio, *_ in levels(results)}):
        for theory in theories(results):
            mine = [(rs, d, level) for m, rs, d, level in levels(results) if (m, level.theory) == (ratio, theory)]
            stable = [(rs, d, level) for rs, d, level in mine if level.stable]
            told = f"stable at {len(stable)} of {len(mine)} points"
            if stable:
                rs, d, best = max(stable, key=lambda x: x[2].lam - x[2].mu_star)
                pairing = [x for x in stable if x[2].tc_over_hartree]
                told += (f"; at best lambda {best.lam:.4f}, mu* {best.mu_star:.4f} (r_s {rs:g}, d {d:g} a_e); "
                         f"T_c > 0 at {len(pairing)}")
                if pairing:
                    told += f", highest {max(x[2].tc_over_hartree for x in pairing):.3g} T_H^e"
            found.append(Row(f"m_h/m_e = {ratio}, {theory}", "", told, NEW))
    return found


FIGURE = Reproduction(
    "response:pairing", "what holes add to the pairing of electrons, as a liquid by four theories and as a crystal",
    SOURCE, studies, draw, rows, lambda results: "lambda that the holes add, over mu* of the same electrons, against "
    "r_s, where liquid or crystal of the holes is stable; two flavours each, as many electrons as holes. Not varied: "
    "flavours.")
