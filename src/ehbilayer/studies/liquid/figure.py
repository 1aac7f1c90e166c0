"""The page of a liquid result: energy against density, by spin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ehbilayer.errors import InputError
from ehbilayer.figures.real_units import axis_label
from ehbilayer.figures.style import INK, NORMAL, SMALL, dress, new_figure
from ehbilayer.liquid.result import LiquidResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLES = {"restricted": ("#0072B2", "--"), "polarized": ("#D55E00", "--"), "lowest": (INK, "-")}


def figure(result: LiquidResult) -> Figure:
    """Energy per hole against the density. Raises InputError for a result without the curve."""
    if "curve_density" not in result.data:
        raise InputError("result", "one with a curve", "liquid.curve_points = 0", "compute it with points")
    page = new_figure(6.4, 4.4)
    ax = page.add_axes((0.13, 0.13, 0.83, 0.74))
    density = result.data["curve_density"].values
    for spin, (colour, line) in STYLES.items():
        ax.plot(density, result.data[f"curve_energy_{spin}"].values, line, color=colour, label=spin)
    here = result.density.get("hole") or next(v for v in result.density.values() if v is not None)
    ax.plot([here], [result.energy_per_hole], "o", color=INK)
    ax.set_xscale("log")
    ax.legend(fontsize=SMALL, frameon=False)
    dress(ax, "", axis_label(result, "density", "a_h^-2"), axis_label(result, "energy per hole", "Ha_h"))
    spins = ", ".join(f"{name}s {spin}" for name, spin in result.spin.items() if spin)
    page.text(0.5, 0.965, f"uniform liquids: {spins}", ha="center", va="top", fontsize=NORMAL + 2,
              color=INK, weight="bold")
    return page
