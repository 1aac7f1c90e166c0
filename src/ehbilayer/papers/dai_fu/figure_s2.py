"""Dai and Fu, Fig. S2: two electrons and a hole as point charges, apart as exciton and electron, or as a trion."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ehbilayer import Result
from ehbilayer.figures import COLOURS, INK, SMALL, WARNING, dress
from ehbilayer.papers.dai_fu import point_trions as point
from ehbilayer.papers.dai_fu.trions import SUPPLEMENT
from ehbilayer.papers.record import Axes, Figure, Reproduction, Results, Row, Studies, judged, said, titled

TRION, EXCITON, MODES = "dai-fu-s2-trion", "dai-fu-s2-exciton", "dai-fu-s2-modes"
EXACT = 1 / math.sqrt(2 ** (4 / 3) - 1)  # r/d of balanced forces, as printed
AWAY = 2.6  # d: where the free electron is drawn, which stands for infinity


def studies(quick: bool) -> Studies:
    """Ever wider crystals of trions and of dipoles with free electrons, and the modes of the widest of trions."""
    def crystals(structure: str) -> dict[str, Any]:
        return {"kind": "crystal", "density": {"electrons_per_hole": 2},
                "crystal": {"structure": structure, "relax": "positions"},
                "sweep": {"density.a_over_d": point.SEPARATIONS, "keep": ["positions", "vectors", "charges"]}}

    return {TRION: crystals("trion-crystal"), EXCITON: crystals("honeycomb"),
            MODES: {"kind": "phonons", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0},
                    "density": {"a_over_d": point.SEPARATIONS[-1], "electrons_per_hole": 2},
                    "crystal": {"structure": "trion-crystal", "relax": "positions"},
                    "phonons": {"mesh": 2, "points": 2, "tolerance": 0.1}}}


def energy_alone(result: Result) -> float:
    """Energy in e^2/d of what one cell holds, without its neighbours."""
    return point.alone(result, result.data["energy_per_hole"].values)


def draw(results: Results) -> Figure:
    """Both arrangements from the side, the trion with its unstable mode."""
    page = titled(6.4, 5.0, "two electrons and a hole, classically (Dai and Fu, Fig. S2)")
    upper, lower = page.add_axes((0.1, 0.54, 0.87, 0.34)), page.add_axes((0.1, 0.1, 0.87, 0.34))
    _charges(upper, np.array([0.0, AWAY]), np.array([0.0]))
    upper.annotate("", (AWAY + 0.75, 1.0), (AWAY + 0.15, 1.0), arrowprops={"arrowstyle": "->", "color": INK})
    upper.text(AWAY + 0.45, 0.86, "far away", ha="center", va="top", fontsize=SMALL, color=INK)
    dress(upper, f"exciton and electron, E = {energy_alone(results[EXCITON]):.5f} e²/d".replace("-", "−"), "", "z / d")
    arms, electrons = point.trion_arms(results[MODES])
    length = results[MODES].length_unit_a_h
    axis = arms[0] / np.linalg.norm(arms[0])
    x = arms @ axis / length
    _charges(lower, x, np.array([0.0]))
    move = point.unstable_displacements(results[MODES]) @ axis
    hole = int(np.flatnonzero(results[MODES].data["species"].values.astype(str) == "hole")[0])
    for where, z, size in [*zip(x, (1.0, 1.0), move[electrons], strict=True), (0.0, 0.0, move[hole])]:
        lower.annotate("", (where + 0.6 * size, z), (where, z), zorder=5,
                       arrowprops={"arrowstyle": "-|>", "color": WARNING, "linewidth": 1.6})
    dress(lower, f"trion, E = {energy_alone(results[TRION]):.5f} e²/d, and its unstable mode".replace("-", "−"),
          "x / d", "z / d")
    return page


def _charges(ax: Axes, electrons: np.ndarray, holes: np.ndarray) -> None:
    """Electrons in the upper layer, holes in the lower one, at x in units of d."""
    for z in (0.0, 1.0):
        ax.axhline(z, color="#D0D0D0", linewidth=1.0, zorder=0)
    ax.scatter(electrons, np.ones(len(electrons)), s=110, c=COLOURS["electron"], zorder=3, label="electrons")
    ax.scatter(holes, np.zeros(len(holes)), s=110, c=COLOURS["hole"], zorder=3, label="hole")
    ax.set_xlim(-1.7, AWAY + 1.0)
    ax.set_ylim(-0.4, 1.45)
    ax.set_aspect("equal")
    ax.legend(fontsize=SMALL, frameon=False, loc="lower right", ncols=2)


def rows(results: Results) -> list[Row]:
    """Length and energy of the trion, energy of the exciton, and the unstable mode."""
    trion, exciton = energy_alone(results[TRION]), energy_alone(results[EXCITON])
    length = point.alone(results[TRION], point.half_lengths(results[TRION]))
    negative, move = point.unstable_modes(results[MODES]), point.unstable_displacements(results[MODES])
    arms, electrons = point.trion_arms(results[MODES])
    hole = int(np.flatnonzero(results[MODES].data["species"].values.astype(str) == "hole")[0])
    axis = arms[0] / np.linalg.norm(arms[0])
    along = float(abs(move[hole] @ axis) / np.linalg.norm(move[hole]))
    opposite = bool(move[hole] @ move[electrons[0]] < 0)
    return [judged("trion: r/d where the forces balance", "0.811", length, (0.8105, 0.8115), f"{length:.6f}",
                   f"exact {EXACT:.6f}"),
            judged("trion: energy (e^2/d)", "-0.937", trion, (-0.9375, -0.9365), f"{trion:.6f}"),
            judged("exciton and electron: energy (e^2/d)", "-1", exciton, (-1.0005, -0.9995), f"{exciton:.6f}"),
            said("trion: one unstable mode", len(negative) == 1,
                 f"{len(negative)}, omega^2 = {-negative[0] ** 2:.4f} e^2/(m d^3)" if len(negative) else "none"),
            said("the hole moves towards one of the electrons", along > 0.99 and opposite,
                 f"along the axis to {100 * along:.1f} %")]


def caption(results: Results) -> str:
    """What is drawn."""
    return ("Point charges seen from the side, layers at z = 0 (hole) and d (electrons). Energies and lengths are "
            "those of crystals with one trion, or one dipole and one electron, per cell at a/d = "
            f"{point.SEPARATIONS[0]:g} to {point.SEPARATIONS[-1]:g}, every charge free to move in a triangular cell, "
            "extrapolated to d/a = 0 by a polynomial of degree 5 in d/a (its linear coefficient is the Madelung "
            f"energy of a triangular crystal, -1.10610). Arrows: the unstable mode at a/d = {point.SEPARATIONS[-1]:g}, "
            "equal masses, from the dynamical matrix at zero wave vector.")


FIGURE = Reproduction("dai-fu:s2", "exciton and trion of point charges", f"{SUPPLEMENT}, Fig. S2", studies, draw, rows,
                      caption)
