"""Figures of sweeps: curves over one key, maps over two, small multiples of maps over three."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.figures.style import INK, NORMAL, PHASE_COLOURS, SMALL, WARNING, dress, figure_of, new_figure
from ehbilayer.figures.style import panel as one_panel
from ehbilayer.status import Status
from ehbilayer.sweep.maps import (
    Line,
    axis_line,
    colour,
    held_at,
    in_order,
    known_values,
    norm_of,
    number_map,
    on_paper,
    phase_map,
    slice_at,
    title_of,
    with_unit,
)
from ehbilayer.sweep.result import SweepResult
from ehbilayer.sweep.table import left, main_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS, ACROSS, MOST_SLICES = 4, 2, 4
WIDTH, HEIGHT, HEAD = 4.6, 3.6, 0.6  # of a panel and of the head of the page, in inches
SMALL_WIDTH, SMALL_HEIGHT, LEFT, RIGHT = 3.0, 2.55, 0.75, 1.75  # of small multiples and beside them
WORDS = ("winner", "phase")


def figure(result: SweepResult) -> Figure:
    """The page of a sweep. Raises InputError for one without numbers to show."""
    result = in_order(result)
    lines = [axis_line(result, key) for key in result.axes]
    numbers = main_numbers(result)
    words = next((w for w in WORDS if w in result.data), None)
    if not numbers and words is None:
        raise InputError("result", "a sweep with numbers to show", sorted(result.data), "name them under sweep.show")
    sliced = _slice_key(result, lines)
    if sliced is not None:
        return small_multiples(result, sliced, words, numbers)
    lines = sorted(lines, key=lambda one: len(one.positions) == 1)[: 2 if len(lines) > 1 else 1]
    flat = len(lines) > 1 and len(lines[1].positions) > 1
    with_map = flat and words is not None
    names: list[str | None] = ([None] if with_map else []) + list(numbers)
    names = names[: MOST_PANELS] or [None]
    columns = min(ACROSS, len(names))
    rows = -(-len(names) // columns)
    page = new_figure(WIDTH * columns + (1.3 if with_map else 0.3), HEIGHT * rows + HEAD)
    for place, name in enumerate(names):
        ax = _axes(page, place, columns, with_map)
        if name is None:
            _legend(ax, phase_map(ax, result, lines, str(words)))
        elif flat:
            bar = page.colorbar(number_map(ax, result, lines, name), ax=ax, fraction=0.05, pad=0.03)
            bar.ax.tick_params(labelsize=SMALL, direction="in")
        else:
            _curve(ax, result, lines[0], name, words)
    _head(page, result, lines)
    return page


def panel(result: SweepResult, what: str = "all", ax: Axes | None = None, species: str | None = None) -> Figure:
    """One panel of a sweep over one or two keys: the ``map`` of phases, or a number of the points.

    Parameters
    ----------
    what : ``map``, or the name of an array such as ``margin`` or ``gap.electron``; ``all`` is the map, or the first
        number where there are no phases.
    ax : axes to draw in; a new figure by default. Its coordinates are those of the axes' labels.

    Raises InputError for a name that the result lacks, for a species, and for more keys than two.
    """
    if species is not None:
        raise InputError("species", "for results of hartree-fock", species, "choose a number, such as gap.electron")
    result = in_order(result)
    lines = [axis_line(result, key) for key in result.axes]
    lines = [one for one in lines if len(one.positions) > 1] or lines[:1]
    words = next((w for w in WORDS if w in result.data), None)
    if len(lines) > 2:
        raise InputError("result", "a sweep over two keys", list(result.axes), "take a part of it: figures.slice_at")
    if what == "all":
        what = "map" if words is not None and len(lines) == 2 else next(iter(main_numbers(result)), "margin")
    if what == "map" and (words is None or len(lines) < 2):
        raise InputError("what", "a number for a sweep over one key or without phases", what, "e.g. energy")
    if what != "map" and not result.has(what):
        raise InputError("what", " | ".join(["map", *main_numbers(result)]), what, "choose one of these")
    ax = one_panel(ax)
    if what == "map":
        ax.legend(handles=phase_map(ax, result, lines, str(words)), fontsize=SMALL - 0.5, loc="best")
    elif len(lines) == 2:
        bar = figure_of(ax).colorbar(number_map(ax, result, lines, what), ax=ax, fraction=0.05, pad=0.03)
        bar.ax.tick_params(labelsize=SMALL, direction="in")
    else:
        _curve(ax, result, lines[0], what, words)
    return figure_of(ax)


def _slice_key(result: SweepResult, lines: list[Line]) -> str | None:
    """Of three axes or more the one with the fewest values, if they are few enough for a panel each."""
    long = [one for one in lines if len(one.positions) > 1]
    if result.mode != "grid" or len(long) < 3:
        return None
    least = min(long, key=lambda one: len(one.positions))
    return least.key if len(least.positions) <= MOST_SLICES else None


def small_multiples(result: SweepResult, key: str, words: str | None, numbers: list[str]) -> Figure:
    """A column of maps for each value of one axis: phases above, then the first numbers, all on common scales.

    Parameters
    ----------
    key : the axis whose values stand side by side.   words : array of phase names, if there is one.
    numbers : names of arrays; as many as fill two rows are drawn.
    """
    parts = [slice_at(result, key, i) for i in range(len(result.data[key].values))]
    long = [k for k, v in parts[0].axes.items() if len(v) > 1][:2]
    lines = [axis_line(parts[0], k) for k in long]
    names: list[str | None] = [*([None] if words else []), *numbers][:2]
    page = new_figure(SMALL_WIDTH * len(parts) + LEFT + RIGHT, SMALL_HEIGHT * len(names) + HEAD + 0.25)
    for row, name in enumerate(names):
        axes = [_small_axes(page, row, column) for column in range(len(parts))]
        if name is None:
            handles = [h for ax, part in zip(axes, parts, strict=True) for h in phase_map(ax, part, lines, str(words))]
            _legend(axes[-1], _once(handles))
        else:
            norm = norm_of([known_values(part, lines, name) for part in parts])
            for ax, part in zip(axes, parts, strict=True):
                drawn = number_map(ax, part, lines, name, norm)
            _bar(page, axes[-1], drawn, with_unit(result, name))
        for column, ax in enumerate(axes):
            ax.set_title(held_at(result, key, column) if row == 0 else "", fontsize=NORMAL, color=INK, pad=5, y=1.0)
            ax.set_xlabel("" if row + 1 < len(names) else lines[0].label)
            ax.set_ylabel("" if column else lines[1].label)
            ax.tick_params(labelleft=not column)
    _head(page, result, [*lines, axis_line(result, key)])
    return page


def _small_axes(page: Figure, row: int, column: int) -> Axes:
    width, height = page.get_size_inches()
    low = height - HEAD - SMALL_HEIGHT * (row + 1) + 0.25
    return page.add_axes(((LEFT + SMALL_WIDTH * column) / width, low / height, (SMALL_WIDTH - 0.25) / width,
                          (SMALL_HEIGHT - 0.4) / height))


def _bar(page: Figure, ax: Axes, drawn: Any, label: str) -> None:
    """A colour scale to the right of the axes."""
    width = page.get_figwidth()
    box = ax.get_position()
    bar = page.colorbar(drawn, cax=page.add_axes((box.x1 + 0.12 / width, box.y0, 0.14 / width, box.height)))
    bar.ax.tick_params(labelsize=SMALL, direction="in")
    bar.set_label(label, fontsize=NORMAL)


def _once(handles: list[Any]) -> list[Any]:
    """Each label once, phases before lines and marks."""
    return sorted({str(h.get_label()): h for h in handles}.values(), key=lambda h: h.get_label() not in PHASE_COLOURS)


def _legend(ax: Axes, handles: list[Any]) -> None:
    ax.legend(handles=handles, fontsize=SMALL - 0.5, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.02),
              handlelength=1.2, borderaxespad=0.2)


def _axes(page: Figure, place: int, columns: int, with_map: bool) -> Axes:
    width, height = page.get_size_inches()
    left = 0.75 + (place % columns) * ((width - 0.3) / columns)
    low = height - HEAD - HEIGHT * (place // columns + 1) + 0.6
    return page.add_axes((left / width, low / height, ((width - 0.3) / columns - (1.95 if with_map else 1.55)) / width,
                          (HEIGHT - 1.0) / height))


def _curve(ax: Axes, result: SweepResult, line: Line, name: str, words: str | None) -> None:
    """A number over one key, coloured by phase where there are phases."""
    order = np.argsort(line.positions)
    x, y = line.positions[order], on_paper(result, name, [line])[order]
    status = on_paper(result, "status", [line])[order]
    good = status == Status.converged
    phases = on_paper(result, words, [line])[order] if words else np.full(len(x), "")
    for run in _runs(phases[good]) if not line.names else ():  # names have no order, phases no line between them
        ax.plot(x[good][run], y[good][run], color=INK, linewidth=1.0, zorder=1)
    for word in dict.fromkeys(phases[good].tolist()):
        these = good & (phases == word)
        ax.plot(x[these], y[these], "o", markersize=4, color=colour(word), label=word or None)
    ax.plot(x[~good], y[~good], "x", markersize=6, color=WARNING, label="not converged" if (~good).any() else None)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(fontsize=SMALL - 1, frameon=False)
    dress(ax, title_of(name), "", with_unit(result, name))
    line.dress(ax, "x")


def _runs(phases: np.ndarray) -> list[slice]:
    """The stretches of neighbours of one phase."""
    ends = [0, *(np.flatnonzero(phases[1:] != phases[:-1]) + 1).tolist(), len(phases)]
    return [slice(a, b) for a, b in itertools.pairwise(ends)]


def _head(page: Figure, result: SweepResult, lines: list[Line]) -> None:
    """What was swept and how much of it is there; the values at which other axes are shown."""
    height = page.get_figheight()
    text = f"{result.study_kind.replace('-', ' ')}, {result.done} of {result.points} points"
    text += "".join(f", {count} {what}" for what, count in left(result).items() if count)
    page.text(0.5, 1 - 0.12 / height, text, ha="center", va="top", fontsize=NORMAL + 2, color=INK, weight="bold")
    shown = {line.key for line in lines}
    held = [held_at(result, key) for key in result.axes if key not in shown]
    if held:
        page.text(0.5, 1 - 0.42 / height, "at " + ", ".join(held), ha="center", va="top", fontsize=NORMAL, color=INK)
