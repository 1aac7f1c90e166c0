"""Figures of few-body results: pair correlations, densities and the map of a trion; binding energy against spacing;
critical spacing against mass ratio. Only what a saved result holds is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.few_body.result import ComplexResult, CriticalSpacingResult, FewBodyResult, SpacingScanResult
from ehbilayer.figures.real_units import axis_label, unit
from ehbilayer.figures.style import (
    COLOURS,
    INK,
    NORMAL,
    OTHERS,
    SMALL,
    WARNING,
    dress,
    new_figure,
    shades,
    span,
)
from ehbilayer.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAIRS = {"ee": COLOURS["electron"], "eh": OTHERS[0], "hh": COLOURS["hole"]}
NAMES = {"exciton": "exciton", "trion-": "trion X⁻", "trion+": "trion X⁺", "biexciton": "biexciton"}
HEAD, BELOW, ABOVE, LEFT, RIGHT = 0.75, 0.58, 0.34, 0.78, 0.2  # inches
PANEL = (3.6, 2.9)


def figure(result: FewBodyResult) -> Figure:
    """The page of a few-body result, whichever of the three it is."""
    panels: list[Callable[[Any, Axes], None]]
    if isinstance(result, CriticalSpacingResult):
        panels = [_threshold_panel, *([_ratio_panel] if len(result.mass_ratios) > 1 else [])]
    elif isinstance(result, SpacingScanResult):
        panels = [_binding_panel, _logarithmic_panel]
    else:
        panels = [_pair_panel] if "pair_eh" in result.data else []  # nothing to see of an unbound one
        panels += [_density_panel] if "density_electron" in result.data else []
        panels += [_map_panel] if "map_density" in result.data else []
        panels += [_convergence_panel] if "stage_energy" in result.data else []
    return _page(result, panels)


def _page(result: FewBodyResult, panels: list[Any]) -> Figure:
    width, height = PANEL[0] + LEFT + RIGHT, PANEL[1] + BELOW + ABOVE
    columns = min(len(panels), 2)
    rows = -(-len(panels) // 2)
    head = HEAD + (0.35 if result.status is not Status.converged else 0)
    page = new_figure(max(columns * width, 6.2), rows * height + head)
    across, up = page.get_size_inches()
    indent = (across - columns * width) / 2
    for i, panel in enumerate(panels):
        row, column = divmod(i, 2)
        ax = page.add_axes(((indent + column * width + LEFT) / across, ((rows - 1 - row) * height + BELOW) / up,
                            PANEL[0] / across, PANEL[1] / up))
        panel(result, ax)
    _title(page, result)
    return page


def _title(page: Figure, result: FewBodyResult) -> None:
    height, spin = page.get_figheight(), f", {result.spin}" if result.spin else ""
    first = f"{NAMES[result.complex_name]}{spin},  L = {result.angular_momentum}"
    parts = _parts(result)
    page.text(0.5, 1 - 0.12 / height, first, ha="center", va="top", fontsize=NORMAL + 3, color=INK, weight="bold")
    page.text(0.5, 1 - 0.42 / height, ",  ".join(parts), ha="center", va="top", fontsize=NORMAL, color=INK)
    if result.status is not Status.converged:
        advice = result.advice or result.status.advice
        words = f"{result.status.value.upper().replace('_', ' ')}: {advice}"
        page.text(0.5, 1 - 0.74 / height, words, ha="center", va="top", fontsize=NORMAL, color="white",
                  weight="bold", bbox={"facecolor": WARNING, "edgecolor": "none", "pad": 3})


def _parts(result: FewBodyResult) -> list[str]:
    """What a title says of the result, below the name of the complex."""
    energy, length = unit(result, "Ha_h"), unit(result, "a_h")
    if isinstance(result, CriticalSpacingResult):
        value, error = result.critical_spacing, result.critical_spacing_uncertainty
        if len(result.mass_ratios) > 1 or value is None:
            return ["critical spacing"]
        return [f"mₑ/mₕ = {result.mass_ratios[0]:g},  critical spacing {_with_error(value, error)} {length}"]
    ratio = f"mₑ/mₕ = {result.inputs['electron_mass']:.4g}"
    if not isinstance(result, ComplexResult):
        return [ratio]
    bound = {True: f"binding {result.binding_energy:.4g} {energy}", False: "not bound", None: "binding not decided"}
    return [ratio, f"spacing {result.inputs['spacing']:.4g} {length}",
            f"E = {result.energy_unconverged():.8g} {energy}".replace("-", "−"), bound[result.bound]]


def _with_error(value: float, error: float | None) -> str:
    """Value and uncertainty, to two digits of the uncertainty."""
    if error is None or not (np.isfinite(error) and error > 0):
        return f"{value:.5g}"
    places = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{places}f} ± {error:.{places}f}"


def _curves(result: ComplexResult, ax: Axes, kind: str, names: dict[str, tuple[str, str]]) -> None:
    """2 pi r times a density against r, for every name that the result has."""
    widest = 0.0
    for name, (label, colour) in names.items():
        if f"{kind}_{name}" not in result.data:
            continue
        r = result.data[f"radius_{name}"].values
        weight = 2 * np.pi * r * result.data[f"{kind}_{name}"].values
        ax.plot(r, weight, color=colour, label=label, lw=1.6)
        inside = np.concatenate([[0.0], np.cumsum(np.diff(r) * (weight[1:] + weight[:-1]) / 2)])
        widest = max(widest, float(np.interp(0.985 * inside[-1], inside, r)))
    span(ax, x=(0, widest))
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=SMALL, frameon=False)


def _pair_panel(result: ComplexResult, ax: Axes) -> None:
    words = {"ee": "electron and electron", "eh": "electron and hole", "hh": "hole and hole"}
    _curves(result, ax, "pair", {name: (words[name], PAIRS[name]) for name in PAIRS})
    dress(ax, "distances within the layers", axis_label(result, "in-plane distance r", "a_h"),
          axis_label(result, "2πr g(r)", "1/a_h"))


def _density_panel(result: ComplexResult, ax: Axes) -> None:
    _curves(result, ax, "density", {"electron": ("electron", COLOURS["electron"]), "hole": ("hole", COLOURS["hole"])})
    dress(ax, "around the centre of mass", axis_label(result, "in-plane distance r", "a_h"),
          axis_label(result, "2πr n(r)", "1/a_h"))


def _map_panel(result: ComplexResult, ax: Axes) -> None:
    side, density = result.data["map_side"].values, result.data["map_density"].values
    step = side[1] - side[0]
    extent = (side[0] - step / 2, side[-1] + step / 2, side[0] - step / 2, side[-1] + step / 2)
    minus = result.complex_name == "trion-"
    ax.imshow(density, origin="lower", extent=extent, cmap=shades("Blues" if minus else "Oranges"), aspect="equal")
    moving, other = ("electron", "hole") if minus else ("hole", "electron")
    ax.plot([0], [0], "o", color=COLOURS[other], ms=7)
    ax.plot([-float(result.data["map_distance"].values)], [0], "o", color=COLOURS[moving], ms=7, mec="white")
    ax.annotate(other, (0, 0), (4, 6), textcoords="offset points", fontsize=SMALL, color=INK)
    ax.annotate(f"first {moving}", (-float(result.data["map_distance"].values), 0), (0, -14), ha="center",
                textcoords="offset points", fontsize=SMALL, color=INK)
    dress(ax, f"where the second {moving} is", axis_label(result, "x", "a_h"), axis_label(result, "y", "a_h"))


def _convergence_panel(result: ComplexResult, ax: Axes) -> None:
    n, e = result.data["stage_functions"].values, result.data["stage_energy"].values
    if len(n) > 1:
        ax.semilogy(n[:-1], np.maximum(e[:-1] - e[-1], 1e-16), "o-", color=OTHERS[1], ms=4)
    dress(ax, "convergence", "number of Gaussians", axis_label(result, "energy above the last", "Ha_h"))


def _binding_panel(result: SpacingScanResult, ax: Axes) -> None:
    d = result.data["spacing"].values
    ax.plot(d, result.data["binding_energies"].values, "o-", color=OTHERS[0], ms=4)
    ax.axhline(0, color=INK, lw=0.7)
    dress(ax, "binding energy", axis_label(result, "spacing d", "a_h"), axis_label(result, "binding energy", "Ha_h"))


def _logarithmic_panel(result: SpacingScanResult, ax: Axes) -> None:
    d, e, u = (result.data[k].values for k in ("spacing", "binding_energies", "uncertainties"))
    bound = (result.data["bound"].values == 1) & (e > 0)
    if bound.any():
        low = np.minimum(np.where(np.isfinite(u), u, 0), 0.9 * e)
        ax.errorbar(d[bound], e[bound], yerr=np.array([0 * e[bound], low[bound]]), fmt="o-", color=OTHERS[0], ms=4)
        ax.set_yscale("log")
    for other in d[result.data["bound"].values == 0]:
        ax.axvline(other, color=INK, lw=0.7, ls=":")
    value, error = result.critical_spacing, result.critical_spacing_uncertainty
    if value is not None and error is not None:
        _mark(ax, value, error, unit(result, "a_h"))
    dress(ax, "the same; dotted: no binding found", axis_label(result, "spacing d", "a_h"),
          axis_label(result, "binding energy", "Ha_h"))


def _mark(ax: Axes, critical: float, error: float, length: str) -> None:
    """The critical spacing and its uncertainty."""
    ax.axvspan(critical - error, critical + error, color=WARNING, alpha=0.25, lw=0)
    ax.axvline(critical, color=WARNING, lw=1.2)
    ax.text(0.04, 0.05, f"critical spacing {_with_error(critical, error)} {length}", transform=ax.transAxes,
            color=WARNING, fontsize=SMALL)


def _threshold_panel(result: CriticalSpacingResult, ax: Axes) -> None:
    """Binding energies near the threshold of every mass ratio, against the share of the critical spacing."""
    ratios, critical = result.data["mass_ratio"].values, result.data["critical_spacings"].values
    one = len(ratios) == 1
    if "near_ratio" in result.data:
        which = result.data["near_ratio"].values
        for i, ratio in enumerate(ratios):
            mine = which == i
            if not mine.any() or not (one or np.isfinite(critical[i])):
                continue
            ax.semilogy(result.data["near_spacing"].values[mine] / (1.0 if one else critical[i]),
                        result.data["near_binding"].values[mine], "o-", ms=3.5, lw=1, label=f"{ratio:g}",
                        color=OTHERS[0] if one else None)
        if one and np.isfinite(critical[0]):
            _mark(ax, critical[0], result.data["critical_errors"].values[0], unit(result, "a_h"))
        elif not one:
            ax.axvline(1, color=INK, lw=0.8)
            ax.legend(title="mₑ/mₕ", fontsize=SMALL, title_fontsize=SMALL, frameon=False)
    dress(ax, "binding near the threshold", axis_label(result, "spacing d", "a_h") if one else "d / critical spacing",
          axis_label(result, "binding energy", "Ha_h"))


def _ratio_panel(result: CriticalSpacingResult, ax: Axes) -> None:
    ratios = result.data["mass_ratio"].values
    value, error = result.data["critical_spacings"].values, result.data["critical_errors"].values
    ax.errorbar(ratios, value, yerr=np.where(np.isfinite(error), error, 0), fmt="o-", color=OTHERS[1], ms=4)
    ax.set_xscale("log")
    if np.isfinite(value).any():
        span(ax, y=(0, 1.1 * float(np.nanmax(value))))
    dress(ax, "critical spacing", "mₑ/mₕ", axis_label(result, "critical spacing", "a_h"))
