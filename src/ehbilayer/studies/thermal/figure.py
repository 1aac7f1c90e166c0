"""The page of a thermal result: the degree of ionisation, and the stiffness with the line on which it jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.figures.real_units import SHOWN
from ehbilayer.figures.style import COLOURS, EMPTY, INK, NORMAL, SMALL, WARNING, dress, new_figure, span
from ehbilayer.thermal.result import ThermalResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ehbilayer.results.quantity import Quantity

PANEL, MARGIN, HEIGHT = 4.6, 0.75, 4.2  # inches


def figure(result: ThermalResult) -> Figure:
    """Ionisation and stiffness against temperature. Raises InputError for a result with neither."""
    panels = [draw for name, draw in (("degree", ionisation), ("stiffness", stiffness)) if name in result.data]
    if not panels:
        raise InputError("result", "one with excitons or a condensate", "melting alone", "read it with ehb show")
    width = len(panels) * (PANEL + MARGIN) + 0.25
    page = new_figure(width, HEIGHT)
    for i, draw in enumerate(panels):
        draw(result, page.add_axes(((MARGIN + i * (PANEL + MARGIN)) / width, 0.14, PANEL / width, 0.7)))
    page.text(0.5, 0.965, "up to which temperature", ha="center", va="top", fontsize=NORMAL + 2, color=INK,
              weight="bold")
    return page


def _kelvin(result: ThermalResult) -> tuple[float, str]:
    """What k_B T is multiplied by, and the label of the axis."""
    scales = result.provenance.scales
    if not scales.known:
        return 1.0, "k_B T (Ha_h)"
    return scales.hartree_kelvin / (scales.hartree_meV if SHOWN in result.extra else 1.0), "temperature (K)"


def ionisation(result: ThermalResult, ax: Axes) -> None:
    """Free carriers over all, ideal and with pairs screened, where half is ionised with its error."""
    size, label = _kelvin(result)
    t = size * result.data["ionisation_temperature"].values
    low, high = (result.data[f"degree{end}"].values for end in ("_screened", ""))
    if result.ionisation_screened is not None and result.ionisation_error is not None:
        ax.axvspan(*(size * (result.ionisation_screened + sign * result.ionisation_error) for sign in (-1, 1)),
                   color=WARNING, alpha=0.12, linewidth=0)
    ax.plot(t, high, color=COLOURS["electron"], label="ideal mass action")
    ax.plot(t, low, color=WARNING, label="pairs screened")
    ax.axhline(0.5, color=EMPTY, linewidth=0.8, zorder=0)
    span(ax, x=(0.0, float(t[-1])), y=(0.0, 1.02))
    ax.legend(fontsize=SMALL, frameon=False)
    dress(ax, f"half ionised: {_marks((result.ionisation_screened, result.ionisation), size, label)}", label,
          "free carriers over all")


def stiffness(result: ThermalResult, ax: Axes) -> None:
    """n_s over n, without and with vortices; it jumps on the line 2 M T/pi."""
    size, label = _kelvin(result)
    data = result.data
    t, whole = size * data["stiffness_temperature"].values, float(data["stiffness_bare"].values[0])
    ax.plot(t, data["stiffness_bare"].values / whole, "--", color=COLOURS["electron"], label="without vortices")
    n = data["stiffness"].values / whole
    ax.plot(t, np.where(n > 0, n, np.nan), color=COLOURS["electron"], label="with vortices")
    ax.plot(t, data["stiffness_jump"].values / whole, ":", color=INK, label="2MT/π")
    if result.bkt is not None:
        ax.axvline(size * result.bkt, color=WARNING, linewidth=1)
    span(ax, x=(0.0, float(t[-1])), y=(0.0, 1.1))
    ax.legend(fontsize=SMALL, frameon=False)
    dress(ax, f"T_BKT: {_marks((result.bkt, result.bkt_bound), size, label)} (bound)", label,
          "superfluid over all pairs")


def _marks(values: tuple[Quantity | float | None, ...], size: float, label: str) -> str:
    unit = "K" if "(K)" in label else "Ha_h"
    return " and ".join(f"{size * value:.3g}" for value in values if value is not None) + f" {unit}"
