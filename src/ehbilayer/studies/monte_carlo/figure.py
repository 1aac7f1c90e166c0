"""The page of a Monte Carlo result: the energy and its errors above, what the state looks like below.

Above are the traces of the energy and their errors by the length of blocks; below pair correlations, structure factors,
and densities of crystals, or the momentum distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.figures.real_space import density_map
from ehbilayer.figures.real_units import axis_label, unit
from ehbilayer.figures.style import COLOURS, EMPTY, ENERGY, INK, NORMAL, OTHERS, SMALL, dress, new_figure, units
from ehbilayer.monte_carlo.result import MonteCarloResult
from ehbilayer.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 400  # points of a trace, each the mean of a block
# title, letter, axis and its unit of what is drawn as curves
CURVES = {"pair_correlation": ("pair correlations", "g", "distance", "a_h"),
          "structure_factor": ("structure factors", "S", "k", "1/a_h"),
          "momentum": ("momentum distribution", "n", "momentum_k", "1/a_h")}
HIGHEST = {"pair_correlation": 4.0, "structure_factor": 4.0}  # bound pairs and Bragg peaks go on to N and beyond
WORDS = {"vmc": "variational", "dmc_1": "larger time step", "dmc_2": "smaller time step"}


def figure(result: MonteCarloResult) -> Figure:
    """The page; results of older versions have the upper row alone."""
    seen = "pair_correlation" in result.data or "momentum" in result.data
    maps = sum(f"density_{name}" in result.data for name in COLOURS)
    page = new_figure(11.0 + 1.3 * maps, 7.6 if seen else 4.4)
    row, low = (0.36, 0.55) if seen else (0.74, 0.13)
    trace, blocks = page.add_axes((0.08, low, 0.5, row)), page.add_axes((0.68, low, 0.3, row))
    found = [name for name in WORDS if f"trace_{name}" in result.data]
    begin = 0
    for name, colour in zip(found, (EMPTY, *OTHERS), strict=False):
        begin = _trace(result, name, trace, begin, colour)
        _blocking(result, name, blocks, colour)
    trace.axhspan(result.energy_per_hole - result.error, result.energy_per_hole + result.error, color=INK, alpha=0.25,
                  label="result")
    trace.legend(fontsize=SMALL, frameon=False)
    dress(trace, "energy of all walkers", "step", axis_label(result, "energy per hole", "Ha_h"))
    blocks.set_xscale("log", base=2)
    dress(blocks, "error by blocks", "steps in a block", f"error per hole ({units(result, 'blocked_vmc')})")
    words = f"{result.trial}: {result.energy_per_hole:.6f} ± {result.error:.6f} {unit(result, 'Ha_h')} per hole"
    page.text(0.5, 0.98, words, ha="center", va="top", fontsize=NORMAL + 2, color=INK, weight="bold")
    if seen:
        told = f", {result.advice.partition(';')[0]}" if result.advice and result.status is Status.converged else ""
        page.text(0.5, 0.95, f"the state: {result.phase}{told}", ha="center", va="top", fontsize=NORMAL, color=INK)
        _state(result, page)
    return page


def _state(result: MonteCarloResult, page: Figure) -> None:
    """The lower row."""
    maps = [name for name in ("hole", "electron") if f"density_{name}" in result.data][:2]
    curves: list[str] = [name for name in ("pair_correlation", "structure_factor") if name in result.data]
    curves += ["momentum"] if "momentum" in result.data and not maps else []
    share = 0.93 / (len(curves) + len(maps))
    for i, name in enumerate(curves):
        ax = page.add_axes((0.06 + i * share, 0.08, share - 0.065, 0.34))
        _curves(result, name, ax)
        if name in HIGHEST:
            ax.set_ylim(*_within(result.data[name].values, HIGHEST[name]))
    for i, name in enumerate(maps, len(curves)):
        ax = page.add_axes((0.06 + i * share, 0.08, share - 0.11, 0.34))
        values = result.data[f"density_{name}"]
        density_map(values, result.data["cell"], name, "crystal", (0.0, float(values.values.max())), ax)
        ax.locator_params(nbins=4)


def _within(values: np.ndarray, most: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return min(low, 0.0) - 0.1, min(high, most) + 0.1


def _curves(result: MonteCarloResult, name: str, ax: Axes) -> None:
    """All rows of an array with their errors: a band over distances, bars at the waves of the torus."""
    title, letter, along, unit_along = CURVES[name]
    rows = result.data["flavour" if name == "momentum" else "pair"].values
    x, values, errors = result.data[along].values, result.data[name].values, result.data[f"{name}_error"].values
    for row, label in enumerate(rows):
        colour, style = _look(str(label))
        if along == "distance":
            ax.plot(x, values[row], color=colour, linestyle=style, linewidth=1.0, label=label)
            low, high = values[row] - errors[row], values[row] + errors[row]
            ax.fill_between(x, low, high, color=colour, alpha=0.3, linewidth=0)
        else:
            ax.errorbar(x, values[row], yerr=errors[row], fmt="o", linestyle=style, color=colour, markersize=2.5,
                        linewidth=0.8, label=label)
    ax.axhline(0.0 if name == "momentum" else 1.0, color=EMPTY, linewidth=0.6, zorder=0)
    if name != "structure_factor":  # whose colours are those of the pair correlations beside it
        ax.legend(fontsize=SMALL - 1, frameon=False)
    dress(ax, title, axis_label(result, "r" if along == "distance" else "k", unit_along), letter)


def _look(label: str) -> tuple[str, str]:
    """Colour and line of a kind of pair or a flavour: dashed between unlike flavours."""
    who = [name for name in COLOURS if name in label]
    return COLOURS[who[0]] if len(who) == 1 else ENERGY, "--" if "unlike" in label else "-"


def _trace(result: MonteCarloResult, name: str, ax: Axes, begin: int, colour: str) -> int:
    """One trace, after the ones before it; returns where the next begins."""
    values = result.data[f"trace_{name}"].values
    size = max(1, len(values) // SHOWN)
    means = values[: len(values) // size * size].reshape(-1, size).mean(axis=1)
    ax.plot(begin + (np.arange(len(means)) + 0.5) * size, means, color=colour, linewidth=0.8, label=WORDS[name])
    return begin + len(values)


def _blocking(result: MonteCarloResult, name: str, ax: Axes, colour: str) -> None:
    errors, doubt = result.data[f"blocked_{name}"].values, result.data[f"doubt_{name}"].values
    ax.errorbar(2.0 ** np.arange(len(errors)), errors, yerr=doubt, fmt="o-", color=colour, markersize=3, linewidth=0.8)
