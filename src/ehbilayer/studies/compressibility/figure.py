"""Figure of a compressibility: alpha^2 against the size, beside known lines, and the screened phonons of the holes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.compressibility.result import CompressibilityResult
from ehbilayer.figures.real_units import unit
from ehbilayer.figures.style import (
    COLOURS,
    EMPTY,
    ENERGY,
    INK,
    NORMAL,
    OTHERS,
    SMALL,
    WARNING,
    corner_names,
    dress,
    figure_of,
    need,
    new_figure,
    panel,
)
from ehbilayer.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATIO = "α² = B / B₀"
PAPER_LINE, PAPER_RS = (1.2, -1.39), 2.0  # our reading of Nashabeh and Fu's Fig. 4a: alpha^2 against r_s^e/r_s*
SIZES = (("none", "zero mode none", OTHERS[3], "s"), ("madelung", "zero mode madelung", OTHERS[2], "o"),
         ("corrected", "gas' own error taken out", INK, "D"))


def figure(result: CompressibilityResult) -> Figure:
    """The page of a compressibility. Raises InputError for a result without sizes."""
    need(result, "size_particles")
    panels = [sizes, against_density, *([phonons] if "phonon_distance" in result.data else [])]
    fig = new_figure(4.2 * len(panels), 4.5)
    for i, draw in enumerate(panels):
        draw(result, fig.add_axes(((i + 0.19) / len(panels), 0.125, 0.77 / len(panels), 0.655)))
    _title(fig, result)
    return fig


def _title(fig: Figure, result: CompressibilityResult) -> None:
    height = fig.get_figheight()
    doubt = math.nan if result.uncertainty is None else result.uncertainty
    value = "unknown" if result.alpha_squared is None else f"{result.alpha_squared:.4f} ± {doubt:.1g}"
    where = "N → ∞" if result.extrapolated else f"N = {result.by_size[0].particles}, zero mode {result.zero_mode}"
    fig.text(0.5, 1 - 0.1 / height, f"α² = {value}   ({where})".replace("-", "−"), ha="center", va="top",
             fontsize=NORMAL + 3, color=INK, weight="bold")
    kept = "translations kept" if result.state.kept == "symmetric" else "free box"
    fig.text(0.5, 1 - 0.38 / height, f"{result.state.phase}, {kept}, occupation {result.state.occupation};  rₛᵉ = "
             f"{result.rs_electron:.4g},  spacing {result.inputs['spacing']:.4g} {unit(result, 'a_h')}",
             ha="center", va="top", fontsize=NORMAL, color=INK)
    words = f"{result.status.value}: {result.status.advice}" if result.status is not Status.converged else (
        "UNSTABLE: " + "; ".join(result.unstable).replace("alpha^2", "α²") if result.unstable else "")
    fig.text(0.5, 1 - 0.6 / height, words, ha="center", va="top", fontsize=SMALL, color=WARNING)


def sizes(result: CompressibilityResult, ax: Axes | None = None) -> Figure:
    """Draw alpha^2 against 1/N in both conventions, and the limit with its uncertainty."""
    ax = panel(ax)
    n, limit = result.data["size_particles"].values, result.limit
    for key, label, colour, marker in SIZES:
        if key == "corrected" and all(row.gas is None for row in result.by_size):
            continue
        ax.plot(1 / n, result.data[f"size_{key}"].values, marker, color=colour, label=label, markersize=5)
    if limit is not None:
        x = np.linspace(0.0, 1.08 / n.min(), 60)
        ax.plot(x, limit.value + limit.slope * x**limit.power, color=INK, linewidth=1.0)
        ax.errorbar([0.0], [limit.value], yerr=[limit.uncertainty or 0.0], fmt="*", color=WARNING, markersize=9,
                    capsize=3, label="limit")
    ax.axhline(0, color=EMPTY, linewidth=0.8)
    ax.set_xlim(-0.06 / n.min(), 1.15 / n.min())
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.42 * (high - low))  # room for the legend
    ax.legend(fontsize=SMALL, frameon=False, loc="upper left")
    dress(ax, "against the size", "1/N", RATIO)
    return figure_of(ax)


def against_density(result: CompressibilityResult, ax: Axes | None = None) -> Figure:
    """Draw this result beside the uniform gas and the published line, against r_s of the electrons."""
    ax = panel(ax)
    rs = np.linspace(0, max(1.25 * result.rs_electron, 2.0), 60)
    slope = (result.uniform_gas - 1) / result.rs_electron
    ax.plot(rs, 1 + slope * rs, color=EMPTY, linewidth=1.3, label="uniform gas, N → ∞")
    ax.plot(rs, PAPER_LINE[0] + PAPER_LINE[1] * rs / PAPER_RS, color=ENERGY, linewidth=1.3, linestyle="--",
            label="Nashabeh and Fu, our reading")
    ax.axhline(0, color=EMPTY, linewidth=0.8)
    for key, label, colour, marker in _points(result):
        if key is not None:
            ax.plot([result.rs_electron], [key], marker, color=colour, label=label, markersize=6)
    ax.set_xlim(rs[0], rs[-1])
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.55 * (high - low))
    ax.legend(fontsize=SMALL, frameon=False, loc="upper right", borderaxespad=0.2)
    dress(ax, "beside known lines", "rₛ of the electrons (aₑ)", RATIO)
    return figure_of(ax)


def _points(result: CompressibilityResult) -> list[tuple[float | None, str, str, str]]:
    """Value, label, colour and marker of what is shown at this density."""
    return [(result.by_zero_mode.none, "this torus, none", OTHERS[3], "s"),
            (result.by_zero_mode.madelung, "this torus, madelung", OTHERS[2], "o"),
            (None if result.limit is None else result.limit.value, "limit", WARNING, "*"),
            (result.with_capacitor if result.capacitor_shift else None, "with the capacitor", COLOURS["hole"], "^"),
            (None if result.lattice is None else result.lattice.exchange.bulk, "phonons with exchange", OTHERS[1],
             "v")]


def phonons(result: CompressibilityResult, ax: Axes | None = None) -> Figure:
    """Draw the branches of the screened hole lattice; unstable ones below zero."""
    need(result, "phonon_distance")
    ax = panel(ax)
    x = result.data["phonon_distance"].values
    screening = (("none", "RPA screening", COLOURS["electron"]), ("exchange", "with exchange", OTHERS[1]))
    for name, label, colour in screening:
        squared = result.data[f"phonon_squared_{name}"].values
        omega = np.sign(squared) * np.sqrt(np.abs(squared))
        for branch in range(omega.shape[1]):
            ax.plot(x, omega[:, branch], color=colour, linewidth=1.3, label=label if branch == 0 else None)
    corners = result.data["phonon_corners"].values
    for c in corners[1:-1]:
        ax.axvline(c, color=EMPTY, linewidth=0.6)
    ax.axhline(0, color=EMPTY, linewidth=0.8)
    ax.set_xlim(x[0], x[-1])
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.2 * (high - low))
    ax.legend(fontsize=SMALL, frameon=False, loc="upper right", ncols=2)
    dress(ax, "screened phonons of the hole lattice", "", f"ω ({unit(result, 'Ha_h')}); unstable modes: −|ω|")
    ax.set_xticks(corners, corner_names(result, "phonon_names"))
    return figure_of(ax)
