"""The page of a response: loss functions with the plasmons, structure factors, pair correlations, local fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.figures.real_units import axis_label
from ehbilayer.figures.style import COLOURS, INK, NORMAL, SMALL, WARNING, dress, new_figure, span
from ehbilayer.response.result import ResponseResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, MARGIN, HEIGHT = 3.6, 0.8, 3.1  # inches
PAIRS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")


def figure(result: ResponseResult) -> Figure:
    """Loss functions above (or the plasmons alone), correlations below. Raises InputError for a result without them."""
    if "mode_wave_number" not in result.data:
        raise InputError("result", "one that came to its end", result.status.value, "compute it again")
    carriers = [str(c) for c in result.data["carrier"].values] if "loss" in result.data else [""]
    below = "pair" in result.data  # not of a crystal
    columns = max(len(carriers), 3 if below else 1)
    width, height = columns * (PANEL + MARGIN) + 0.3, (1 + below) * (HEIGHT + MARGIN) + 0.5
    page = new_figure(width, height)

    def panel(column: int, row: int) -> Axes:
        return page.add_axes(((MARGIN + column * (PANEL + MARGIN)) / width, (0.55 + row * (HEIGHT + MARGIN)) / height,
                              PANEL / width, HEIGHT / height))

    for i, name in enumerate(carriers):
        _loss(result, panel(i, int(below)), name, i)
    curves = (("structure_factor", "wave_number", "S(q)", "q", "a_h^-1"),
              ("pair_correlation", "distance", "g(r)", "r", "a_h"),
              ("local_field", "wave_number", "local field", "q", "a_h^-1"))
    for i, (what, against, title, symbol, unit) in enumerate(curves if below else ()):
        ax, x = panel(i, 0), result.data[against].values
        for colour, pair, values in zip(PAIRS, result.data["pair"].values, result.data[what].values, strict=False):
            ax.plot(x, values, color=colour, label=str(pair))
        span(ax, x=(0.0, float(x[-1])))
        if i == 0:
            ax.legend(fontsize=SMALL, frameon=False)
        dress(ax, title, axis_label(result, symbol, unit), "")
    page.text(0.5, 0.985, f"response in {result.approximation}", ha="center", va="top", fontsize=NORMAL + 2, color=INK,
              weight="bold")
    return page


def _loss(result: ResponseResult, ax: Axes, name: str, number: int) -> None:
    """The loss function of one layer, with both plasmons above it."""
    data = result.data
    if name:
        q, w = data["loss_wave_number"].values, data["frequency"].values
        loss = np.log10(np.maximum(data["loss"].values[number], 1e-3))
        ax.pcolormesh(q, w, loss.T, cmap="Greys", vmin=-2.5, vmax=1.5, shading="nearest", rasterized=True)
        span(ax, x=(0.0, float(q[-1])), y=(0.0, float(w[-1])))
    for mode, colour in (("acoustic", WARNING), ("transverse", COLOURS["hole"]), ("optical", COLOURS["electron"])):
        if f"{mode}_frequency" in data:
            ax.plot(data["mode_wave_number"].values, data[f"{mode}_frequency"].values, "--", color=colour, label=mode,
                    linewidth=1.2)
    if number == 0:
        ax.legend(fontsize=SMALL, frameon=False)
    dress(ax, f"loss, {name}s (log)" if name else "plasmons", axis_label(result, "q", "a_h^-1"),
          axis_label(result, "frequency", "Ha_h"))
