"""What figures of phases share: one competition for each point, energies above the lowest with their errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ehbilayer.figures import PHASE_COLOURS, SMALL, dress
from ehbilayer.papers.record import NEW, Figure, Reproduction, Results, Row, Studies, placed, titled

SOURCE = "computed here; no published counterpart"
HOLES = 19  # in the box, polarised: closes shells and fits the crystal
WORK = {"walkers": 20, "samples": 500, "optimisation_steps": 6}
FREEZING = 10.0  # r_s of the holes below which a crystal's trial function melts when it is optimised
QUICK = {"method": "vmc", "target_error": 0.02, "walkers": 20, "samples": 40, "optimisation_steps": 1}
ONE = {"electron_spin": "polarized"}  # spins of both carriers: holes are polarised by themselves
WIDTH, GAP = 3.0, 0.75  # of the panels and between them, inches


@dataclass(frozen=True)
class Point:
    """A competition.

    Parameters
    ----------
    name : of its study.   label : in the table.   series : of which it is one point, over its panel.   x : on the axis.
    bilayer, density, spins : tables of the study.   candidates : that compete.   error : the target, Ha_h per hole.
    holes : in the box.   twists : of those that have plane waves.
    """

    name: str
    label: str
    series: str
    x: float
    bilayer: dict[str, Any]
    density: dict[str, Any]
    candidates: tuple[str, ...]
    error: float
    spins: dict[str, Any] = field(default_factory=lambda: ONE)
    holes: int = HOLES
    twists: int | None = None

    @property
    def tables(self) -> dict[str, Any]:
        """Its study."""
        work = WORK | {"target_error": self.error} | ({} if self.twists is None else {"twists": self.twists})
        return self._study(self.holes, self.candidates, work)

    @property
    def quick(self) -> dict[str, Any]:
        """One pair, by the trial functions without partners alone."""
        return self._study(1, [c for c in self.candidates if c != "condensate"], QUICK)

    def _study(self, holes: int, candidates: Any, work: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "phases", "bilayer": self.bilayer, "density": self.density, "cell": {"holes": holes},
                "hartree-fock": self.spins, "phases": {"method": "monte-carlo", "candidates": list(candidates)},
                "monte-carlo": work}


def by_rs(stem: str, bilayer: dict[str, Any], crystal: str, errors: dict[float, float], series: str = "",
          **more: Any) -> tuple[Point, ...]:
    """Points of one bilayer at r_s of the holes: liquid, condensate and, where it may win, the ``crystal``.

    errors : r_s -> target in Ha_h.   more : of `Point`.
    """
    head = f"{series}, " if series else ""
    found = []
    for rs, error in errors.items():
        candidates = ("liquid", *([crystal] if rs >= FREEZING else []), "condensate")
        own: dict[str, Any] = {"candidates": candidates} | more
        found.append(Point(f"{stem}-{rs:g}", f"{head}r_s = {rs:g}", series, rs, bilayer,
                           {"rs_hole": rs, "electrons_per_hole": 1}, error=error, **own))
    return tuple(found)


def figure(name: str, phases: str, title: str, caption: str, points: tuple[Point, ...],
           axis: str = "r_s of the holes", quick: int = 0) -> Reproduction:
    """The figure of these points, a panel for each series; ``phases`` says what is compared, ``quick`` which point
    is the quick one."""
    named = {p.name: p for p in points}

    def told(results: Results) -> str:
        return ("Energies per hole above the lowest, fixed-node diffusion Monte Carlo, triangular torus, with standard "
                f"errors, without laws of size. {caption}")

    def studies(fast: bool) -> Studies:
        chosen = points[quick]
        return {chosen.name: chosen.quick} if fast else {p.name: p.tables for p in points}

    return Reproduction(f"correlation:{name}", f"{phases}, by Monte Carlo", SOURCE, studies,
                        lambda results: draw(results, named, f"{title}, by Monte Carlo", axis),
                        lambda results: rows(results, named), told)


def draw(results: Results, points: dict[str, Point], title: str, axis: str) -> Figure:
    """Energies above the lowest of each competition, a panel for each series."""
    series = list(dict.fromkeys(points[study].series for study in results))
    wide = 5.3 if len(series) == 1 else WIDTH
    page = titled(1.3 + len(series) * wide + (len(series) - 1) * GAP, 4.6, title)
    for number, name in enumerate(series):
        ax = placed(page, 1.0 + number * (wide + GAP), 0.7, wide, 3.2)
        here = {study: result for study, result in results.items() if points[study].series == name}
        for candidate in dict.fromkeys(r.name for result in here.values() for r in result.candidates):
            found = [(points[study].x, 1e3 * (row.energy - result.lowest_energy), 1e3 * row.error)
                     for study, result in here.items() for row in result.candidates if row.name == candidate]
            x, y, error = zip(*sorted(found), strict=True)
            ax.errorbar(x, y, yerr=error, fmt="o-", capsize=3, markersize=4, linewidth=1.2, label=candidate,
                        color=PHASE_COLOURS.get(candidate))
        ax.set_xscale("log")
        ax.set_xticks([points[study].x for study in here], [f"{points[study].x:g}" for study in here])
        ax.minorticks_off()
        ax.legend(fontsize=SMALL, frameon=False)
        dress(ax, name, axis, "above the lowest (mHaₕ per hole)" if number == 0 else "")
    return page


def rows(results: Results, points: dict[str, Point]) -> list[Row]:
    """What wins at each point, and every energy."""
    found = []
    for study, result in results.items():
        head = points[study].label
        margin = "" if result.margin is None else (
            f" by {1e3 * result.margin:.2f} mHa_h per hole below {result.runner_up}, {result.margin_sigma:.1f} errors")
        found.append(Row(f"{head}: winner", "", ("" if result.resolved else "NOT RESOLVED: ") + result.winner + margin,
                         NEW))
        for row in (*result.candidates, *result.further):
            more = "" if row.phase == row.name else f", found to be a {row.phase}"
            size = "" if row.size_correction is None else f"{row.energy + row.size_correction:.5f} with size formula"
            found.append(Row(f"{head}: {row.name}", "", f"{row.energy:.5f} +- {row.error:.5f} Ha_h{more}", NEW, size))
    return found
