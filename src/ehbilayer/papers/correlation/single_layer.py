"""One layer of carriers, liquid and crystal from r_s = 1 to 100, beside the published energies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ehbilayer.figures import COLOURS, EMPTY, OTHERS, SMALL, dress
from ehbilayer.papers.record import (
    AGREES,
    DIFFERS,
    Figure,
    Reproduction,
    Results,
    Row,
    Studies,
    placed,
    titled,
)

SOURCE = ("liquids: C. Attaccalite et al., PRL 88, 256601 (2002), as in the functional lda_c_2d_amgb of libxc; "
          "crystal: N. D. Drummond and R. J. Needs, PRL 102, 126402 (2009), their fit")
# r_s -> Ha per carrier, infinite size
PUBLISHED = {
    "unpolarised": {1.0: -0.210759, 2.0: -0.258418, 5.0: -0.149481, 10.0: -0.085294, 20.0: -0.046267, 30.0: -0.031908,
                    40.0: -0.024403},
    "polarised": {1.0: 0.125786, 2.0: -0.194677, 5.0: -0.143739, 10.0: -0.084567, 20.0: -0.046225, 30.0: -0.031919,
                  40.0: -0.024420}}
CRYSTAL = (-1.106103, 0.814, 0.266297, -2.63286, 6.246358)  # of r_s^-1, -3/2, -2, -5/2, -3
MELTING = "31(1) Drummond and Needs 2009, 35(1) Azadi et al. 2024, 37(1) Smith et al. 2024"
SURE = 3.0  # errors within which two energies agree
TICKS = (1, 2, 5, 10, 20, 40, 100)
COLOUR = {"unpolarised": COLOURS["electron"], "polarised": COLOURS["hole"], "crystal": OTHERS[0]}
QUICK = {"method": "vmc", "target_error": 0.01, "walkers": 20, "samples": 40, "optimisation_steps": 1}


@dataclass(frozen=True)
class Point:
    """A state at one r_s: ``error`` is the target in Ha."""

    state: str
    rs: float
    holes: int
    error: float
    twists: int | None = None
    backflow: bool = False

    @property
    def name(self) -> str:
        """Of its study."""
        words = [self.state, f"{self.rs:g}", str(self.holes), *(["backflow"] if self.backflow else [])]
        return f"correlation-single-layer-{'-'.join(words)}"

    @property
    def label(self) -> str:
        """In the table."""
        return f"r_s = {self.rs:g}: {self.state}, N = {self.holes}{', backflow' if self.backflow else ''}"

    @property
    def published(self) -> float:
        """Energy per carrier of infinitely many, Ha."""
        return crystal_energy(self.rs) if self.state == "crystal" else PUBLISHED[self.state][self.rs]

    @property
    def tables(self) -> dict[str, Any]:
        """Its study."""
        work: dict[str, Any] = {"trial": "crystal" if self.state == "crystal" else "liquid",
                                "target_error": self.error, "walkers": 50, "samples": 500, "optimisation_steps": 6}
        work |= {"twists": self.twists} if self.twists else {}
        work |= {"backflow": True} if self.backflow else {}
        return {"kind": "monte-carlo", "bilayer": {"hole_mass": 1.0},
                "density": {"rs_hole": self.rs, "electrons_per_hole": 0}, "cell": {"holes": self.holes},
                "hartree-fock": {"hole_spin": "restricted" if self.state == "unpolarised" else "polarized"},
                "monte-carlo": work}


def crystal_energy(rs: float) -> float:
    """The published fit of the energy of the crystal, Ha per carrier."""
    return float(sum(c * rs ** -(1 + i / 2) for i, c in enumerate(CRYSTAL)))


POINTS = (
    *(Point("unpolarised", rs, 26, error, twists) for rs, error, twists in (
        (1.0, 7e-4, 6), (2.0, 3e-4, 4), (5.0, 1e-4, None), (10.0, 4e-5, None), (20.0, 2e-5, None),
        (30.0, 1e-5, None), (40.0, 1e-5, None))),
    *(Point("polarised", rs, 13 if twists else 19, error, twists) for rs, error, twists in (
        (1.0, 7e-4, 6), (2.0, 3e-4, 4), (5.0, 1e-4, None), (10.0, 4e-5, None), (20.0, 2e-5, None),
        (30.0, 1e-5, None), (40.0, 1e-5, None))),
    *(Point("crystal", rs, 19, error) for rs, error in ((30.0, 1e-5), (40.0, 1e-5), (100.0, 3e-6))),
    Point("crystal", 40.0, 37, 1e-5), Point("polarised", 40.0, 37, 1e-5),
    Point("unpolarised", 5.0, 26, 2e-4, backflow=True))
QUICK_POINT = Point("polarised", 10.0, 7, 0.01)


def studies(quick: bool) -> Studies:
    """One for each point; quick is 7 carriers of one, by its trial function alone."""
    if quick:
        return {QUICK_POINT.name: QUICK_POINT.tables | {"monte-carlo": QUICK}}
    return {p.name: p.tables for p in POINTS}


def infinite(result: Any) -> tuple[float, float]:
    """Energy per carrier of infinitely many and its error: of the walk, of the law of size and of the twists, Ha."""
    size = result.finite_size
    return float(size.energy_per_hole), float(np.linalg.norm(
        [result.error, size.law_error or 0.0, result.twist_error or 0.0]))


def draw(results: Results) -> Figure:
    """Energies less the Madelung energy of the crystal, published and ours, and the difference of both."""
    points = {p.name: p for p in (*POINTS, QUICK_POINT)}
    page = titled(10.2, 4.6, "One layer of carriers, by Monte Carlo")
    left, right = placed(page, 0.9, 0.7, 4.0, 3.3), placed(page, 6.0, 0.7, 4.0, 3.3)
    madelung = CRYSTAL[0]
    rs = np.geomspace(25.0, 110.0, 60)
    left.plot(rs, [r**1.5 * (crystal_energy(r) - madelung / r) for r in rs], color=COLOUR["crystal"], linewidth=1.0)
    for state, values in PUBLISHED.items():
        left.plot(list(values), [r**1.5 * (e - madelung / r) for r, e in values.items()], color=COLOUR[state],
                  linewidth=1.0)
    for number, (state, colour) in enumerate(COLOUR.items()):
        here = [(points[n], *infinite(r)) for n, r in results.items() if points[n].state == state]
        for backflow in {p.backflow for p, _, _ in here}:
            some = [(p.rs, p.published, e, error) for p, e, error in here if p.backflow == backflow]
            x, known, energy, error = np.array(some).T
            look: dict[str, Any] = {"fmt": "s" if backflow else "o", "capsize": 3, "markersize": 4, "color": colour,
                                    "label": f"{state}{', backflow' if backflow else ''}",
                                    "markerfacecolor": "white" if backflow else colour}
            left.errorbar(x, x**1.5 * (energy - madelung / x), yerr=x**1.5 * error, **look)
            # moved aside, so that states do not hide each other
            right.errorbar(x * 1.03 ** (number - 1), 1e3 * x**1.5 * (energy - known), yerr=1e3 * x**1.5 * error, **look)
    right.axhline(0.0, color=EMPTY, linewidth=0.8)
    for ax in (left, right):
        ax.set_xscale("log")
        ax.set_xticks(TICKS, [f"{t:g}" for t in TICKS])
        ax.minorticks_off()
    left.legend(fontsize=SMALL, frameon=False)
    dress(left, "ours and published (lines)", "r_s", "r_s^(3/2) (E + 1.1061/r_s)  (Ha)")
    dress(right, "above the published energy", "r_s", "r_s^(3/2) (E - published)  (mHa)")
    return page


def rows(results: Results) -> list[Row]:
    """Every energy beside the published one, and how far the crystal lies above the lower liquid."""
    points = {p.name: p for p in (*POINTS, QUICK_POINT)}
    found, known = [], dict[float, dict[str, tuple[float, float]]]()
    for name, result in results.items():
        point, (energy, error) = points[name], infinite(result)
        above = energy - point.published
        sigma = f"{1e5 * above:+.1f}({1e5 * error:.1f}) 10^-5 Ha"
        found.append(Row(point.label, f"{point.published:.6f}", f"{energy:.6f} +- {error:.6f}, {sigma}",
                         AGREES if abs(above) <= SURE * error else DIFFERS))
        known.setdefault(point.rs, {})[point.state] = energy, error
    for rs, states in sorted(known.items()):
        liquids = [value for state, value in states.items() if state != "crystal"]
        if "crystal" not in states or not liquids:
            continue
        liquid, crystal = min(liquids), states["crystal"]
        gap, error = crystal[0] - liquid[0], float(np.hypot(crystal[1], liquid[1]))
        found.append(Row(f"r_s = {rs:g}: crystal above the lower liquid", f"melts at {MELTING}",
                         f"{1e5 * gap:+.1f}({1e5 * error:.1f}) 10^-5 Ha",
                         "NOT RESOLVED" if abs(gap) < SURE * error else "crystal" if gap < 0 else "liquid"))
    return found


def caption(results: Results) -> str:
    """What was computed."""
    return ("Energy per carrier of infinitely many by the laws of size, fixed-node diffusion Monte Carlo on the "
            "triangular torus; errors are those of the walk, of the law and of the twists together. Nodes of plane "
            "waves but where backflow is said, Gaussians on sites for the crystal.")


FIGURE = Reproduction("correlation:single-layer", "one layer, liquid and crystal, beside the literature", SOURCE,
                      studies, draw, rows, caption)
