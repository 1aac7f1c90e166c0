"""The page of a Monte Carlo result: the traces of the energy, and their errors by the length of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.figures.real_units import axis_label
from ehbilayer.figures.style import EMPTY, INK, NORMAL, OTHERS, SMALL, dress, new_figure, units
from ehbilayer.monte_carlo.result import MonteCarloResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 400  # points of a trace, each the mean of a block
WORDS = {"vmc": "variational", "dmc_1": "larger time step", "dmc_2": "smaller time step"}


def figure(result: MonteCarloResult) -> Figure:
    """Traces on the left, reblocking on the right."""
    page = new_figure(10.0, 4.4)
    trace, blocks = page.add_axes((0.08, 0.13, 0.5, 0.74)), page.add_axes((0.68, 0.13, 0.3, 0.74))
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
    page.text(0.5, 0.965, f"{result.trial}: {result.energy_per_hole:.6f} ± {result.error:.6f} Haₕ per hole",
              ha="center", va="top", fontsize=NORMAL + 2, color=INK, weight="bold")
    return page


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
