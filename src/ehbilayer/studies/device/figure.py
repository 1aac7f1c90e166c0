"""Figure of a device: the competing energies, at one density and over a range, and T_c for each source of alpha^2."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.device.page import COLDEST
from ehbilayer.device.result import DeviceResult
from ehbilayer.figures.style import INK, NORMAL, OTHERS, PHASE_COLOURS, SMALL, WARNING, dress, logarithmic, new_figure
from ehbilayer.studies.device.table import title
from ehbilayer.studies.phases.figure import energies
from ehbilayer.units import Scales

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOWEST = 1e-4  # K: the bottom of the T_c axis


def figure(result: DeviceResult) -> Figure:
    """Energies in meV per hole above the lowest, over the densities where a range was asked; T_c by Eliashberg (full)
    and BCS (dashed) against the density."""
    curves = [source for source in result.by_source if f"curve_tc_{source}" in result.data]
    wide = 1 + bool(curves) + bool(result.scan)
    page = new_figure(1.0 + 5.2 * wide, 4.6)
    places = iter([((1.45 + 5.2 * k) / (1.0 + 5.2 * wide), 0.14, 3.9 / (1.0 + 5.2 * wide), 0.62) for k in range(wide)])
    scale = result.provenance.scales.hartree_meV if result.provenance.scales.known else 1.0
    found = result.verdict.candidates if "phases" in result.parts else ()
    energies(page.add_axes(next(places)), [replace(r, energy=None if r.energy is None else r.energy * scale)
                                           for r in found], "meV" if result.provenance.scales.known else "Haₕ", scale)
    if result.scan:
        _sequence(page.add_axes(next(places)), result)
    if curves:
        _temperatures(page.add_axes(next(places)), result, curves)
    page.text(0.5, 0.985, title(result).replace("cm^-2", "cm⁻²"), ha="center", va="top", fontsize=NORMAL + 2, color=INK,
              weight="bold")
    page.text(0.5, 0.925, _verdict(result), ha="center", va="top", fontsize=NORMAL, color=INK)
    warning = "UNSTABLE, see the table" if result.unstable else ""
    page.text(0.5, 0.87, "; ".join([w for w in (warning, f"{len(result.caveats)} caveats") if w]), ha="center",
              va="top", fontsize=NORMAL, color=WARNING if result.unstable else INK)
    return page


def _verdict(result: DeviceResult) -> str:
    t_c, head = result.critical_temperature, str(result.phase).replace("-", " ") + f" ({result.theory or 'mean field'})"
    if result.resolved is False:
        head = "NOT RESOLVED: " + head
    if result.by_source:
        said = "no T_c at this level" if t_c is None else "T_c " + (f"= {t_c:.3g} K" if t_c > COLDEST else "< 1 mK")
        head += f",  {said} (α² {result.alpha_source}, {result.method})"
    return head


def _sequence(ax: Axes, result: DeviceResult) -> None:
    """Energies of all phases above the lowest against the density, over bands in the colours of the winners."""
    scales = result.provenance.scales
    per_cm2 = scales.density_per_cm2(1.0)
    for part in result.sequence:
        ax.axvspan(part.low * per_cm2, part.high * per_cm2, color=PHASE_COLOURS.get(part.phase, OTHERS[1]), alpha=0.2,
                   linewidth=0)
    for name in dict.fromkeys(n for p in result.scan for n in p.energies):
        here = [(p.density * per_cm2, (p.energies[name] - min(p.energies.values())) * scales.hartree_meV)
                for p in result.scan if name in p.energies]
        ax.plot(*zip(*here, strict=True), "o-", markersize=3, linewidth=1.2, label=name.replace("-", " "),
                color=PHASE_COLOURS.get(name, OTHERS[1]))
    for t in result.transitions:
        ax.axvline(t.density * per_cm2, color=INK, linewidth=1.0)
        ax.axvspan((t.density - t.uncertainty) * per_cm2, (t.density + t.uncertainty) * per_cm2, color=INK, alpha=0.15,
                   linewidth=0)
    logarithmic(ax, "x")
    ax.set_xlim(result.scan[0].density * per_cm2, result.scan[-1].density * per_cm2)
    ax.legend(fontsize=SMALL, frameon=False)
    dress(ax, "phases over the density", "density of the holes (cm⁻²)", "above the lowest (meV per hole)")


def _temperatures(ax: Axes, result: DeviceResult, curves: list[str]) -> None:
    from matplotlib.ticker import LogLocator

    scales, given = result.provenance.scales, result.provenance.scales
    if result.pairs == "hole":  # the light carriers are called electrons in the curves
        scales = Scales(given.hole_mass, given.electron_mass, given.dielectric)
    ratio, per_cm2 = scales.mass_ratio or math.nan, scales.density_per_cm2(1.0)
    hartree = scales.electron_hartree_kelvin  # T_H^e
    for source, colour in zip(curves, OTHERS, strict=False):
        density = (ratio / result.data[f"curve_rs_{source}"].values) ** 2 / math.pi * per_cm2
        for number, (name, style) in enumerate((("BCS", "--"), ("Eliashberg", "-"))):
            t_c = result.data[f"curve_tc_{source}"].values[number] * hartree
            ax.plot(density, np.where(t_c > 0, t_c, np.nan), style, color=colour, linewidth=1.6,
                    label=f"{source}, {name}")
    if result.hole_density is not None:
        ax.axvline(given.density_per_cm2(result.hole_density), color=INK, linewidth=0.8, linestyle=":")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.legend(fontsize=SMALL, frameon=False)
    highest = max(float(np.nanmax(result.data[f"curve_tc_{s}"].values)) for s in curves) * hartree
    ax.set_ylim(LOWEST, 10 * max(highest, 0.1))
    ax.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    dress(ax, "dotted: this device", f"density of the {result.pairs}s (cm⁻²)", "T_c (K)")
