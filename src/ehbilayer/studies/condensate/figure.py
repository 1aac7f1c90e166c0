"""Figure of a condensate: occupation and pair amplitude, gap function, quasiparticles, and energy against density."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.condensate.result import CondensateResult, TorusCondensateResult
from ehbilayer.figures.real_units import axis_label, unit
from ehbilayer.figures.style import (
    COLOURS,
    EMPTY,
    ENERGY,
    INK,
    NORMAL,
    OTHERS,
    SMALL,
    WARNING,
    dress,
    figure_of,
    need,
    new_figure,
    number_in_print,
    panel,
    span,
    units,
)
from ehbilayer.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAINT = 1e-3  # of the largest value: amplitudes and occupations below are not shown
SEPARATED = "#EAEAEA"


def figure(result: CondensateResult) -> Figure:
    """The page of a condensate. Raises InputError for a result without occupations."""
    need(result, "occupation")
    curve = "curve_density" in result.data
    fig = new_figure(*((9.0, 7.6) if curve else (11.5, 4.1)))
    rows = 2 if curve else 1
    panels = [occupation, gap_function, quasiparticles, energy_curve] if curve else [occupation, gap_function,
                                                                                   quasiparticles]
    columns = 2 if curve else 3
    height = fig.get_figheight()
    for i, draw in enumerate(panels):
        left, low = (i % columns) / columns, (rows - 1 - i // columns) * (height - 0.75) / rows
        draw(result, fig.add_axes((left + 0.085, (low + 0.55) / height, 1 / columns - 0.11,
                                   ((height - 0.75) / rows - 0.9) / height)))
    _title(fig, result)
    return fig


def _title(fig: Figure, result: CondensateResult) -> None:
    height, energy = fig.get_figheight(), unit(result, "Ha_h")
    where = (f"{result.particles.hole} pairs on a torus, zero mode {result.zero_mode}"
             if isinstance(result, TorusCondensateResult) else "infinite plane")
    name = "exciton condensate" if result.phase != "liquid" else "two liquids without pairing"
    fig.text(0.5, 1 - 0.1 / height, f"{name}: {result.energy_per_pair:.6g} {energy} per pair at n = ".replace("-", "−")
             + f"{number_in_print(result.density)} {unit(result, 'a_h^-2')}", ha="center", va="top",
             fontsize=NORMAL + 3, color=INK, weight="bold")
    fig.text(0.5, 1 - 0.38 / height, f"{where}; condensate fraction {result.condensate_fraction:.4g}, largest gap "
             f"{result.max_gap:.4g} {energy}", ha="center", va="top", fontsize=NORMAL, color=INK)
    if result.status is not Status.converged:
        advice = result.advice or result.status.advice
        fig.text(0.5, 1 - 0.6 / height, f"{result.status.value}: {advice}", ha="center", va="top", fontsize=NORMAL,
                 color=WARNING)


def _wave_numbers(result: CondensateResult) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """|k| in rising order, the order, and how to draw: a line in the plane, points on a torus."""
    if "k" in result.data:
        k = result.data["k"].values
        return k, np.arange(len(k)), {"linewidth": 1.5}
    length = np.linalg.norm(result.data["wave_vector"].values, axis=1)
    order = np.argsort(length, kind="stable")
    return length[order], order, {"linestyle": "none", "marker": "o", "markersize": 3.0, "markeredgewidth": 0}


def _reach(result: CondensateResult) -> float:
    """Up to which k occupations or amplitudes show, 1/a_h."""
    k, order, _ = _wave_numbers(result)
    size = np.maximum(result.data["occupation"].values, result.data["pair_amplitude"].values)[order]
    return float(1.1 * k[size > 30 * FAINT * size.max()].max())


def occupation(result: CondensateResult, ax: Axes | None = None) -> Figure:
    """Draw n_k and F_k against |k|."""
    ax = panel(ax)
    k, order, style = _wave_numbers(result)
    for name, label, colour in (("occupation", "occupation nₖ", COLOURS["electron"]),
                                ("pair_amplitude", "pair amplitude Fₖ", OTHERS[1])):
        ax.plot(k, result.data[name].values[order], color=colour, label=label, **style)
    span(ax, x=(-0.02 * _reach(result), _reach(result)), y=(-0.02, max(1.05 * max(result.max_occupation, 0.55), 0.58)))
    ax.legend(fontsize=SMALL, frameon=False, loc="best")
    dress(ax, "occupation of each flavour", axis_label(result, "|k|", "1/a_h"), "nₖ, Fₖ")
    return figure_of(ax)


def gap_function(result: CondensateResult, ax: Axes | None = None) -> Figure:
    """Draw D_k and the exchange field X_k against |k|."""
    ax = panel(ax)
    k, order, style = _wave_numbers(result)
    for name, label, colour in (("gap_function", "gap Δₖ", ENERGY), ("exchange_field", "exchange Xₖ", EMPTY)):
        ax.plot(k, result.data[name].values[order], color=colour, label=label, **style)
    reach = min(1.8 * _reach(result), 1.02 * float(k.max()))
    span(ax, x=(-0.02 * reach, reach))
    shown = np.concatenate([result.data[n].values[order][k < reach] for n in ("gap_function", "exchange_field")])
    span(ax, y=(0, 1.08 * float(shown.max())))
    ax.legend(fontsize=SMALL, frameon=False, loc="best")
    dress(ax, "gap function and exchange", axis_label(result, "|k|", "1/a_h"),
          f"energy ({units(result, 'gap_function')})")
    return figure_of(ax)


def quasiparticles(result: CondensateResult, ax: Axes | None = None) -> Figure:
    """Draw the energies to add an electron or a hole against |k|."""
    ax = panel(ax)
    k, order, style = _wave_numbers(result)
    reach, top, bottom = _reach(result), 0.0, 0.0
    for i, name in enumerate(("electron", "hole")):
        e = result.data[f"quasiparticle_{name}"].values[order]
        dashed = {"linestyle": "--"} if i and "k" in result.data else {}
        ax.plot(k, e, color=COLOURS[name], label=f"{name} added", **(style | dashed))
        top, bottom = max(top, float(e[k < reach].max())), min(bottom, float(e.min()))
    ax.axhline(0, color=EMPTY, linewidth=0.8)
    span(ax, x=(-0.02 * reach, reach), y=(1.2 * bottom, 1.25 * top))
    ax.legend(fontsize=SMALL, frameon=False, loc="upper left", title_fontsize=SMALL,
              title=f"breaking a pair: {result.pair_breaking_energy:.4g} {unit(result, 'Ha_h')}")
    dress(ax, "quasiparticles, from μ/2", axis_label(result, "|k|", "1/a_h"),
          f"energy ({units(result, 'quasiparticle_hole')})")
    return figure_of(ax)


def energy_curve(result: CondensateResult, ax: Axes | None = None) -> Figure:
    """Draw energy and chemical potential of a pair against density, concave stretches and Maxwell lines.

    Raises InputError if the result has no curve.
    """
    need(result, "curve_density")
    ax = panel(ax)
    n, energy, mu = (result.data[f"curve_{x}"].values for x in ("density", "energy", "chemical_potential"))
    ax.set_xscale("log")
    for c in result.coexistence or ():
        ax.axvspan(max(c.low, n[0]), c.high, facecolor=SEPARATED, edgecolor=EMPTY, linewidth=0.6, zorder=0,
                   label="separates")
        ax.plot([max(c.low, n[0]), c.high], [c.chemical_potential] * 2, color=WARNING, linewidth=1.4,
                label="Maxwell line, μ", zorder=3)
    _shade_concave(ax, n, result.data["curve_slope"].values)
    ax.plot(n, energy, color=INK, linewidth=1.6, label="energy per pair")
    ax.plot(n, mu, color=ENERGY, linewidth=1.2, linestyle="--", label="chemical potential μ")
    ax.plot(result.density, result.energy_per_pair, "o", color=WARNING, markersize=5,
            label="this result")
    lone = result.exciton_energy
    if lone is not None:
        ax.axhline(lone, color=EMPTY, linewidth=0.9, linestyle=":", label="one exciton")
    span(ax, x=(n[0], n[-1]))
    low = min(float(energy.min()), float(mu.min()))
    far = 0.7 * abs(low)
    top = min(float(mu.max()), max(result.energy_per_pair, lone or low) + far)
    span(ax, y=(low - 0.15 * (top - low), top))
    ax.legend(fontsize=SMALL - 1, frameon=False, loc="upper left")
    dress(ax, "energy against density", axis_label(result, "density of pairs", "a_h^-2"),
          f"energy ({units(result, 'curve_energy')})")
    return figure_of(ax)


def _shade_concave(ax: Axes, n: np.ndarray, slope: np.ndarray) -> None:
    """A band along the foot of the panel where dmu/dn < 0."""
    named = False
    for i in np.flatnonzero(slope < 0):
        left = n[0] if i == 0 else np.sqrt(n[i - 1] * n[i])
        right = n[-1] if i == len(n) - 1 else np.sqrt(n[i] * n[i + 1])
        ax.axvspan(left, right, ymax=0.05, color=OTHERS[3], linewidth=0, zorder=1,
                   label=None if named else "E(n) concave")
        named = True
