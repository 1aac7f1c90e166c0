"""The page of a result of gates: densities, phases and compressibilities over voltages, and the insulator's curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.figures.real_units import SHOWN, axis_label
from ehbilayer.figures.style import (
    COLOURS,
    EMPTY,
    INK,
    MAPS,
    NORMAL,
    OTHERS,
    SMALL,
    WARNING,
    dress,
    figure_of,
    new_figure,
    shades,
    span,
)
from ehbilayer.gates.result import GatesResult
from ehbilayer.gates.solve import VOLTAGES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS, ROW, HEAD = 4.7, 3.6, 0.5  # inches
PHASES = {"empty": "#FFFFFF", "electrons": COLOURS["electron"], "holes": COLOURS["hole"], "plasma": "#F0E442",
          "exciton insulator": OTHERS[0], "excitons and electrons": OTHERS[2], "excitons and holes": OTHERS[3]}
MORE = (OTHERS[1], "#999999", "#8C564B")  # of phases that a table names
WORDS = {"top": "top gate", "bottom": "bottom gate", "common": "common gate voltage", "difference": "V_t − V_b",
         "bias": "bias"}


def figure(result: GatesResult) -> Figure:
    """Maps or lines over the voltages, and the curve. Raises InputError for a result with neither."""
    axes = _axes(result)
    panels = [electrons, holes, phase_map, charge, exciton] if len(axes) == 2 else [lines, potentials] if axes else []
    panels += [pairs] if "curve_bias" in result.data else []
    panels += [jump] if "curve_bias" in result.data and len(panels) % 2 else []
    if not panels:
        raise InputError("result", "one with a voltage that varies, or pairs", "one point", "read it with ehb show")
    columns = min(len(panels), 3 if len(panels) > 4 else 2)
    rows = -(-len(panels) // columns)
    page = new_figure(columns * ACROSS, rows * ROW + HEAD)
    width, height = page.get_size_inches()
    for i, draw in enumerate(panels):
        left, low = ACROSS * (i % columns), ROW * (rows - 1 - i // columns)
        draw(result, page.add_axes(((left + 0.75) / width, (low + 0.55) / height, 3.6 / width, (ROW - 0.95) / height)))
    page.text(0.5, 1 - 0.1 / height, f"electrons and holes between gates, equation of state: {result.equation}",
              ha="center", va="top", fontsize=NORMAL + 2, color=INK, weight="bold")
    return page


def _axes(result: GatesResult) -> list[str]:
    return [name for name in VOLTAGES if name in result.data]


def _label(result: GatesResult, words: str) -> str:
    return f"{words} (mV)" if SHOWN in result.extra else f"{words} (Haₕ)"


def _laid(result: GatesResult, name: str) -> tuple[str, str, np.ndarray]:
    """The voltages across and upwards, upwards the bias where it is one of the two, and a variable (up, across)."""
    y, x = reversed(_axes(result)) if _axes(result)[1] == "bias" else _axes(result)
    values = result.data[name].values
    return x, y, values.T if result.data[name].dims == (x, y) else values


def _paint(result: GatesResult, ax: Axes, name: str, title: str, colours: str, limit: float | None = None) -> None:
    """A number over two voltages."""
    x, y, values = _laid(result, name)
    drawn = ax.pcolormesh(result.data[x].values, result.data[y].values, values, shading="nearest", rasterized=True,
                          cmap=shades(colours), vmin=0.0, vmax=limit)
    bar = figure_of(ax).colorbar(drawn, ax=ax, fraction=0.05, pad=0.03)
    bar.ax.tick_params(labelsize=SMALL, direction="in")
    _outline(result, ax, x, y)
    _dress(result, ax, x, y, title)


def _dress(result: GatesResult, ax: Axes, x: str, y: str, title: str) -> None:
    for name, axis in ((x, "x"), (y, "y")):
        span(ax, **{axis: (float(result.data[name].values[0]), float(result.data[name].values[-1]))})
    dress(ax, title, _label(result, WORDS[x]), _label(result, WORDS[y]))


def _outline(result: GatesResult, ax: Axes, x: str, y: str) -> None:
    """The ends of the insulator, where the map is that of its curve."""
    if (x, y) == ("common", "bias") and "curve_bias" in result.data:
        for name in ("curve_low", "curve_high"):
            ax.plot(result.data[name].values, result.data["curve_bias"].values, color=INK, linewidth=0.9)


def electrons(result: GatesResult, ax: Axes) -> None:
    """n_e."""
    _paint(result, ax, "electron_density", axis_label(result, "electrons", "a_h^-2"), MAPS["electron"])


def holes(result: GatesResult, ax: Axes) -> None:
    """n_h."""
    _paint(result, ax, "hole_density", axis_label(result, "holes", "a_h^-2"), MAPS["hole"])


def charge(result: GatesResult, ax: Axes) -> None:
    """d(n_e - n_h) by a common shift of the gates."""
    _compressibility(result, ax, "charge")


def exciton(result: GatesResult, ax: Axes) -> None:
    """d min(n_e, n_h) by the bias."""
    _compressibility(result, ax, "exciton")


def _compressibility(result: GatesResult, ax: Axes, of: str) -> None:
    """In colours up to all but the highest, which are steps between phases."""
    name = f"{of}_compressibility"
    _paint(result, ax, name, f"{of} compressibility", "viridis",
           float(np.quantile(result.data[name].values, 0.98)) or None)


def phase_map(result: GatesResult, ax: Axes) -> None:
    """What there is."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    x, y, phases = _laid(result, "phase")
    names = list(dict.fromkeys(result.data["phase"].values.ravel().tolist()))
    colours = {**dict(zip((n for n in names if n not in PHASES), MORE, strict=False)), **PHASES}
    ax.pcolormesh(result.data[x].values, result.data[y].values, np.vectorize(names.index)(phases), shading="nearest",
                  rasterized=True, cmap=ListedColormap([colours.get(n, EMPTY) for n in names]), vmin=-0.5,
                  vmax=len(names) - 0.5)
    _outline(result, ax, x, y)
    ax.legend(handles=[Patch(facecolor=colours.get(n, EMPTY), edgecolor=INK, linewidth=0.4, label=n) for n in names],
              fontsize=SMALL - 1, loc="lower center", framealpha=0.85, ncols=2)
    _dress(result, ax, x, y, "phase")


def lines(result: GatesResult, ax: Axes) -> None:
    """Densities over one voltage."""
    _both(result, ax, "{}_density", "{}s", "densities", axis_label(result, "density", "a_h^-2"))


def potentials(result: GatesResult, ax: Axes) -> None:
    """Chemical potentials over one voltage."""
    _both(result, ax, "mu_{}", "µ of {}s", "chemical potentials", axis_label(result, "over the band's edge", "Ha_h"))


def _both(result: GatesResult, ax: Axes, of: str, label: str, title: str, up: str) -> None:
    """The variables ``of`` electrons and of holes over one voltage; {} stands for the carrier."""
    x, = _axes(result)
    for name, colour in COLOURS.items():
        ax.plot(result.data[x].values, result.data[of.format(name)].values, color=colour, label=label.format(name))
    ax.legend(fontsize=SMALL, frameon=False)
    dress(ax, title, _label(result, WORDS[x]), up)


def pairs(result: GatesResult, ax: Axes) -> None:
    """The insulator's density over the bias, with what the capacitor alone would hold, and what was measured."""
    data = result.data
    bias, n = data["curve_bias"].values, data["curve_density"].values
    ax.plot(bias, data["curve_capacitor"].values, "--", color=EMPTY, label="capacitor alone")
    ax.plot(bias, n, color=OTHERS[0], label="exciton insulator")
    tops = [float(np.nanmax(n))] if np.isfinite(n).any() else [float(data["curve_capacitor"].values.max())]
    if "measured_bias" in data:
        ax.plot(data["measured_bias"].values, data["measured_density"].values, "o", color=WARNING, markersize=3,
                label="measured")
        tops.append(float(data["measured_density"].values.max()))
    span(ax, x=(float(bias[0]), float(bias[-1])), y=(0.0, 1.15 * max(max(tops), 1e-300)))
    ax.legend(fontsize=SMALL, frameon=False, loc="upper left")
    dress(ax, "pairs at equal densities", _label(result, "bias"), axis_label(result, "density", "a_h^-2"))


def jump(result: GatesResult, ax: Axes) -> None:
    """The jump of the chemical potentials at equal densities, over the density."""
    n, values = result.data["curve_density"].values, result.data["curve_jump"].values
    ax.plot(n, values, color=INK)
    if np.isfinite(values).any():
        span(ax, x=(0.0, 1.05 * float(np.nanmax(n))), y=(0.0, 1.15 * float(np.nanmax(values))))
    dress(ax, "jump of µₑ and µₕ at nₑ = nₕ", axis_label(result, "pairs", "a_h^-2"), axis_label(result, "jump", "Ha_h"))
