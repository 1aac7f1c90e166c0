"""Figures of pairing: spectrum, T_c against alpha^2 and density by every method, the gap; or maps of g0V and T_c."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.figures.style import (
    COLOURS,
    EMPTY,
    INK,
    NORMAL,
    OTHERS,
    SMALL,
    WARNING,
    dress,
    figure_of,
    need,
    new_figure,
    panel,
    shades,
    span,
)
from ehbilayer.pairing.result import AnyPairingResult, MediatedPairingResult, PairingMapResult, PairingResult
from ehbilayer.results.base import Result
from ehbilayer.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = {"bcs": (COLOURS["hole"], "-", "BCS, as published"), "mcmillan": (OTHERS[3], "--", "McMillan"),
         "allen-dynes": (OTHERS[2], "-.", "Allen-Dynes"), "eliashberg": (COLOURS["electron"], "-", "Eliashberg")}
DECADES = 5  # of T_c that are shown
BAND = "#E4E4E4"
ROW, HEAD = 3.5, 0.65  # inches


def figure(result: AnyPairingResult | MediatedPairingResult) -> Figure:
    """The page of a point or of a map, as far as it was computed. Raises InputError where nothing can be drawn."""
    if isinstance(result, PairingMapResult) and result.data:
        return _map_page(result)
    if isinstance(result, MediatedPairingResult):
        return _mediated_page(result)
    panels = [against_alpha, against_density] if "curve_tc_alpha_squared" in result.data else []
    panels += [spectrum] if "alpha2F" in result.data else []
    panels += [gap] if "gap_over_critical" in result.data else []
    if not isinstance(result, PairingResult) or not panels:
        raise InputError("result", "one with curves, a spectrum, a gap or a map", "one that only has numbers",
                         "its summary says why; `ehb show` prints it")
    return _page(result, panels, 4.7, _point_head(result))


def _mediated_page(result: MediatedPairingResult) -> Figure:
    """lambda(nu) of all theories, and their mu*. Raises InputError for a result without any."""
    if not result.levels:
        raise InputError("result", "one that came to its end", result.status.value, "compute it again")
    page = new_figure(5.6, 4.0)
    ax = page.add_axes((0.13, 0.14, 0.83, 0.7))
    colours = (COLOURS["hole"], OTHERS[3], OTHERS[2], COLOURS["electron"], INK, EMPTY)
    for colour, level in zip(colours, result.levels, strict=False):
        nu, lam = (result.data[f"{what}_{level.theory}"].values[1:] for what in ("nu", "lambda"))
        ax.plot(nu, lam, color=colour, label=level.theory + ("" if level.stable else " (not stable)"))
    ax.set_xscale("log")
    ax.legend(fontsize=SMALL, frameon=False)
    dress(ax, "", "imaginary frequency (Haₕ)", "lambda that the holes add")
    head = f"r_s = {result.rs_electron:.3g}, d = {result.spacing_over_a_e:.3g} a_e"
    page.text(0.5, 0.965, f"{head}, m_h/m_e = {result.hole_over_electron_mass:.3g}", ha="center", va="top",
              fontsize=NORMAL + 2, color=INK, weight="bold")
    return page


def _page(result: AnyPairingResult, panels: list[Any], across: float, head: tuple[str, str]) -> Figure:
    """Panels in two columns, each ``across`` inches wide with its labels."""
    rows = -(-len(panels) // 2)
    page = new_figure(2 * across, ROW * rows + HEAD)
    width, height = page.get_size_inches()
    for i, draw in enumerate(panels):
        left, low = across * (i % 2), ROW * (rows - 1 - i // 2)
        draw(result, page.add_axes(((left + 0.75) / width, (low + 0.55) / height, 3.75 / width, (ROW - 0.85) / height)))
    for text, down, size, weight in zip(head, (0.1, 0.4), (NORMAL + 3, NORMAL), ("bold", "normal"), strict=True):
        page.text(0.5, 1 - down / height, text, ha="center", va="top", fontsize=size, color=INK, weight=weight)
    if result.status is not Status.converged:
        page.text(0.5, 1 - 0.62 / height, f"{result.status.value}: {result.status.advice}", ha="center", va="top",
                  fontsize=NORMAL, color=WARNING)
    return page


def _point_head(result: PairingResult) -> tuple[str, str]:
    kelvin = result.critical_temperature
    t_c = f"{result.tc_over_hartree:.4g} T_H" if kelvin is None else f"{kelvin:.4g} K"
    where = "in" if result.in_el_hc else "OUTSIDE"
    return (f"T_c = {t_c} ({result.method})",
            f"rₛ = {result.rs_electron:.4g} (electrons), d = {result.spacing_over_a_e:.4g} aₑ, mₕ/mₑ = "
            f"{result.hole_over_electron_mass:.4g}, α² = {result.alpha_squared:.4g} ({result.alpha_source}), λ = "
            f"{result.lam:.3g}, μ = {result.mu:.3g}; {where} electron liquid on hole crystal")


def _methods(result: AnyPairingResult) -> list[str]:
    return [str(m) for m in result.data["curve_method"].values]


def _temperature(result: AnyPairingResult, name: str) -> str:
    return "T_c (K)" if result.data[name].units == "K" else "T_c (T_H of the electrons)"


def _draw_methods(result: PairingResult, ax: Axes, name: str, x: np.ndarray) -> None:
    """T_c by every method on a logarithmic axis, over as many decades as matter."""
    values = result.data[f"curve_tc_{name}"].values
    for method, row in zip(_methods(result), values, strict=True):
        colour, style, label = LINES[method]
        ax.plot(x, np.where(row > 0, row, np.nan), color=colour, linestyle=style, linewidth=1.6, label=label)
    ax.set_yscale("log")
    top = float(np.nanmax(values)) if (values > 0).any() else 1.0
    span(ax, y=(top * 10.0**-DECADES, top * 4))
    mine = result.critical_temperature if result.critical_temperature is not None else result.tc_over_hartree
    here = result.alpha_squared if name == "alpha_squared" else result.rs_electron
    if mine and here and mine > top * 10.0**-DECADES:
        ax.plot(here, mine, "o", color=WARNING, markersize=5, zorder=5)


def against_alpha(result: PairingResult, ax: Axes | None = None) -> Figure:
    """Draw T_c against alpha^2, what is known of alpha^2, and the bound that no alpha can pass."""
    ax = panel(ax)
    x = result.data["curve_alpha_squared"].values
    _draw_methods(result, ax, "alpha_squared", x)
    ax.set_xscale("log")
    bound, square = result.strong_coupling_bound, result.alpha_squared
    bound = bound if bound is not None else result.strong_coupling_bound_over_hartree
    ax.axhline(bound or 0.0, color=EMPTY, linewidth=0.9, linestyle=":", label="bound, any α")
    doubt = result.alpha_squared_uncertainty
    if doubt and square is not None:
        ax.axvspan(max(square - doubt, x[0]), square + doubt, color=BAND, zorder=0, label="uncertainty of α²")
    span(ax, x=(x[0], x[-1]))
    ax.legend(fontsize=SMALL - 1, frameon=False, loc="lower left")
    dress(ax, "T_c against the plasmon velocity", "α² = (v / v of Bohm and Staver)²", _temperature(
        result, "curve_tc_alpha_squared"))
    return figure_of(ax)


def against_density(result: PairingResult, ax: Axes | None = None) -> Figure:
    """Draw T_c against r_s; alpha^2 follows the paper's line or stays, as the label says."""
    ax = panel(ax)
    x = result.data["curve_rs"].values
    _draw_methods(result, ax, "rs", x)
    inside = [v for v in (result.rs_star / result.hole_over_electron_mass, result.rs_star) if x[0] < v < x[-1]]
    for value in inside:
        ax.axvline(value, color=EMPTY, linewidth=0.9, linestyle="--")
    follows = "α² on the line" if result.alpha_source == "paper-line" else "α² held"
    span(ax, x=(x[0], x[-1]))
    dress(ax, f"T_c against density, {follows}", "rₛ of the electrons" + (" (dashed: ends of the phase)" if inside
                                                                         else ""),
          _temperature(result, "curve_tc_rs"))
    return figure_of(ax)


def spectrum(result: AnyPairingResult, ax: Axes | None = None) -> Figure:
    """Draw alpha^2F, its sharp Umklapp line, and lambda as it adds up."""
    need(result, "alpha2F")
    ax = panel(ax)
    omega, values = result.data["omega"].values, result.data["alpha2F"].values
    line = float(result.data["alpha2F_line"].values)
    ax.fill_between(omega, values, color=COLOURS["electron"], alpha=0.25, linewidth=0)
    ax.plot(omega, values, color=COLOURS["electron"], linewidth=1.5, label="α²F")
    step = omega[1] - omega[0]
    total = np.cumsum(2 * values / omega) * step
    x = np.append(omega + step / 2, [omega[-1] + step / 2, 1.15])
    y = np.append(total, [total[-1] + 2 * line] * 2)
    ax.plot(x, y, color=INK, linewidth=1.2, linestyle="--", label="λ up to ω")
    if line > 0:
        ax.annotate("", (1.0, 0.0), (1.0, 0.92), xycoords=("data", "axes fraction"),
                    arrowprops={"arrowstyle": "<-", "color": COLOURS["electron"], "linewidth": 1.5})
        ax.text(0.97, 0.9, f"Umklapp line,\nλ = {2 * line:.3g}", fontsize=SMALL, color=COLOURS["electron"],
                ha="right", va="top", transform=ax.get_xaxis_transform())
    span(ax, x=(0, 1.15), y=(0, 1.15 * max(float(y.max()), float(values.max()))))
    ax.legend(fontsize=SMALL, frameon=False, loc="upper left")
    dress(ax, f"spectrum, Umklapp {result.umklapp}", "ω / k_B T_D", "α²F, λ")
    return figure_of(ax)


def gap(result: PairingResult, ax: Axes | None = None) -> Figure:
    """Draw the Eliashberg gap against temperature, beside that of weak coupling."""
    need(result, "gap_over_critical")
    ax = panel(ax)
    t, values = result.data["gap_temperature"].values, result.data["gap_over_critical"].values
    fine = np.linspace(0.02, 1, 200)
    ax.plot(fine, 1.764 * np.tanh(1.74 * np.sqrt(1 / fine - 1)), color=EMPTY, linewidth=1.2, linestyle="--",
            label="weak coupling")
    ax.plot(np.append(t, 1.0), np.append(values, 0.0), "o-", color=COLOURS["electron"], markersize=3.5, linewidth=1.4,
            label=f"Eliashberg, 2Δ/k_B T_c = {result.gap_ratio:.3f}")
    span(ax, x=(0, 1.03), y=(0, 1.25 * float(values.max())))
    ax.legend(fontsize=SMALL, frameon=False, loc="lower left")
    dress(ax, "gap", "T / T_c", "Δ / k_B T_c")
    return figure_of(ax)


def _map_page(result: PairingMapResult) -> Figure:
    head, h = f"pairing, mₕ/mₑ = {result.hole_over_electron_mass:.5g}", result.highest
    if h is not None:
        t_c = f"{h.tc_over_hartree:.4g} T_H" if h.critical_temperature is None else \
            f"{h.critical_temperature:.4g} K = {h.tc_over_hartree:.4g} T_H"
        head += f": highest T_c {t_c} at rₛ = {h.rs_electron:.4g}, d = {h.spacing_over_a_e:.3g} aₑ"
    second = f"{result.method}, Umklapp {result.umklapp}, α² from {result.alpha_source}" + (
        f" with rₛ* = {result.rs_star:g}" if result.alpha_source == "paper-line" else "") + (
        ", capacitor included" if result.capacitor else "")
    return _page(result, [temperature_map, coupling_map], 5.1, (head, second))


def temperature_map(result: Result, ax: Axes | None = None) -> Figure:
    """Draw T_c over r_s and spacing; white where it is zero, hatched where alpha^2 <= 0."""
    if not isinstance(result, PairingMapResult):
        raise InputError("result", "a map", "a point", "give map_rs and map_spacing")
    need(result, "critical_temperature")
    ax = panel(ax, square=True)
    values = result.data["critical_temperature"].values
    shown = np.ma.masked_where(~(values > 0), values)
    _paint(result, ax, shown, "viridis", (0.0, None))
    unit = "K" if result.data["critical_temperature"].units == "K" else "T_H of the electrons"
    _dress_map(result, ax, f"T_c ({unit})")
    h = result.highest
    if h is not None:
        ax.plot(h.rs_electron, h.spacing_over_a_e, "x", color=WARNING, markersize=6, clip_on=False)
    return figure_of(ax)


def coupling_map(result: Result, ax: Axes | None = None) -> Figure:
    """Draw g0V over r_s and spacing, with the line where it changes sign."""
    need(result, "g0V")
    ax = panel(ax, square=True)
    values = result.data["g0V"].values
    limit = float(np.nanquantile(np.abs(values), 0.9)) if np.isfinite(values).any() else 1.0
    shown = np.ma.masked_invalid(values)
    _paint(result, ax, shown, "RdBu", (-limit, limit), extend="both")
    if (values > 0).any() and (values < 0).any():
        ax.contour(result.data["rs"].values, result.data["spacing"].values, shown, levels=[0.0], colors=INK,
                   linewidths=1.0)
    _dress_map(result, ax, "g₀V = μ − λ (red: attraction)")
    return figure_of(ax)


def _paint(result: Result, ax: Axes, values: np.ma.MaskedArray, colours: str, ends: tuple[float, float | None],
           extend: str = "neither") -> None:
    drawn = ax.pcolormesh(result.data["rs"].values, result.data["spacing"].values, values, shading="nearest",
                          rasterized=True, cmap=shades(colours), vmin=ends[0], vmax=ends[1])
    bar = figure_of(ax).colorbar(drawn, ax=ax, fraction=0.05, pad=0.03, extend=extend)
    bar.ax.tick_params(labelsize=SMALL, direction="in")


def _dress_map(result: Result, ax: Axes, title: str) -> None:
    rs, spacing = result.data["rs"].values, result.data["spacing"].values
    unstable = result.data["alpha_squared"].values <= 0
    if unstable.any():
        ax.contourf(rs, spacing, unstable.astype(float), levels=[0.5, 1.5], colors="none", hatches=["////"])
        # hatching has no entry of its own in a legend
        ax.text(0.03, 0.97, "hatched: α² ≤ 0", fontsize=SMALL, color=INK, ha="left", va="top",
                transform=ax.transAxes)
    span(ax, x=(rs[0], rs[-1]), y=(spacing[0], spacing[-1]))
    dress(ax, title, "rₛ of the electrons", "spacing d (aₑ)")
