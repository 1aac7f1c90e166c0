"""Figure of a device: the competing energies, and T_c against density for each source of alpha^2."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.device.page import COLDEST
from ehbilayer.device.result import DeviceResult
from ehbilayer.figures.style import INK, NORMAL, OTHERS, SMALL, dress, new_figure
from ehbilayer.phases.result import rows_of
from ehbilayer.studies.phases.figure import energies

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOWEST = 1e-4  # K: the bottom of the T_c axis


def figure(result: DeviceResult) -> Figure:
    """Energies per hole above the lowest; T_c by Eliashberg (full) and BCS (dashed) against the density."""
    curves = [source for source in result.by_source if f"curve_tc_{source}" in result.data]
    page = new_figure(11.5 if curves else 6.0, 4.4)
    ax = page.add_axes((0.13, 0.14, 0.27, 0.68) if curves else (0.26, 0.14, 0.66, 0.68))
    energies(ax, rows_of(result.parts.get("phases", {}).get("candidates", [])))
    if curves:
        _temperatures(page.add_axes((0.52, 0.14, 0.45, 0.68)), result, curves)
    t_c = result.critical_temperature
    head = str(result.phase).replace("-", " ")
    if result.by_source:
        said = "no T_c at this level" if t_c is None else "T_c " + (f"= {t_c:.3g} K" if t_c > COLDEST else "< 1 mK")
        head += f",  {said} (α² {result.alpha_source}, {result.method})"
    page.text(0.5, 0.975, head, ha="center", va="top", fontsize=NORMAL + 3, color=INK, weight="bold")
    page.text(0.5, 0.905, f"{len(result.caveats)} caveats: see the table", ha="center", va="top", fontsize=NORMAL,
              color=INK)
    return page


def _temperatures(ax: Axes, result: DeviceResult, curves: list[str]) -> None:
    from matplotlib.ticker import LogLocator

    scales = result.provenance.scales
    ratio, per_cm2 = scales.mass_ratio or math.nan, scales.density_per_cm2(1.0)
    hartree = scales.electron_hartree_kelvin  # T_H^e
    for source, colour in zip(curves, OTHERS, strict=False):
        density = (ratio / result.data[f"curve_rs_{source}"].values) ** 2 / math.pi * per_cm2
        for number, (name, style) in enumerate((("BCS", "--"), ("Eliashberg", "-"))):
            t_c = result.data[f"curve_tc_{source}"].values[number] * hartree
            ax.plot(density, np.where(t_c > 0, t_c, np.nan), style, color=colour, linewidth=1.6,
                    label=f"{source}, {name}")
    if result.hole_density is not None:
        ax.axvline(result.hole_density * per_cm2, color=INK, linewidth=0.8, linestyle=":")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.legend(fontsize=SMALL, frameon=False)
    highest = max(float(np.nanmax(result.data[f"curve_tc_{s}"].values)) for s in curves) * hartree
    ax.set_ylim(LOWEST, 10 * max(highest, 0.1))
    ax.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    dress(ax, "dotted: this device", "density of the electrons (cm⁻²)", "T_c (K)")
