"""The page of a Hartree-Fock result: densities, bands or levels, momentum occupation; and its single panels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.figures.fock_levels import bands, levels
from ehbilayer.figures.momentum_space import convergence, momentum, momentum_map
from ehbilayer.figures.real_space import density, pair_amplitude
from ehbilayer.figures.real_units import bohr_radius, unit
from ehbilayer.figures.style import INK, NORMAL, WARNING, Carrier, carriers, new_figure, state_of
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.results.base import Result
from ehbilayer.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, LEFT, RIGHT, BAR, BELOW, ABOVE, GAP = 3.5, 0.72, 0.15, 0.8, 0.58, 0.36, 0.14  # of the page, in inches
Slot = list["_Panel"]  # panels side by side in one place of the page
# panels by name: (result, species, axes) -> figure
PANELS: dict[str, Callable[[HartreeFockResult, str | None, Axes | None], Figure]] = {
    "density": density,
    "spin-density": lambda result, species, ax: density(result, species, ax, spin=True),
    "pair-amplitude": lambda result, species, ax: pair_amplitude(result, ax),
    "bands": lambda result, species, ax: bands(result, ax, species),
    "levels": lambda result, species, ax: levels(result, ax, species),
    "momentum": lambda result, species, ax: momentum(result, ax),
    "momentum-map": lambda result, species, ax: momentum_map(result, ax, species),
    "convergence": lambda result, species, ax: convergence(result, ax),
}


def figure(result: HartreeFockResult) -> Figure:
    """Densities in the top row, levels and momentum occupation below, parameters in the title."""
    rows = _rows(result)
    columns = max(len(r) for r in rows)
    head = 0.6 if result.status is Status.converged else 1.0  # inches
    figure = new_figure(max(4.1 * columns, 8.2), ROW * len(rows) + head)
    for r, row in enumerate(reversed(rows)):
        for s, slot in enumerate(row):
            _fill(figure, slot, s * figure.get_figwidth() / columns, r * ROW, figure.get_figwidth() / columns)
    _title(figure, result)
    return figure


def panel(result: Result, what: str, ax: Axes | None = None, species: str | None = None) -> Figure:
    """One of the PANELS. Raises InputError for another word, species, or a result of another kind."""
    if what == "all":
        raise InputError("what", "one panel where ax or species is given", what, f"use one of {' '.join(PANELS)}")
    if what not in PANELS:
        raise InputError("what", " | ".join(["all", *PANELS]), what, "choose one of these")
    return PANELS[what](state_of(result), species, ax)


def _fill(figure: Figure, slot: Slot, left: float, low: float, width: float) -> None:
    """Panels side by side in a slot at the given place, in inches."""
    across, up = figure.get_size_inches()
    room = width - LEFT - (BAR if slot[0].bar else RIGHT)
    share = (room + GAP) / len(slot)
    for p, panel in enumerate(slot):
        ax = figure.add_axes(((left + LEFT + p * share) / across, (low + BELOW) / up, (share - GAP) / across,
                              (ROW - BELOW - ABOVE) / up))
        panel.draw(ax)
        if p:
            ax.set_ylabel("")
            ax.set_yticklabels([])


def _rows(result: HartreeFockResult) -> list[list[Slot]]:
    """What goes where: the shorter row is filled up with momentum maps, or with the convergence if that failed."""
    present, data = carriers(result), result.data
    top: list[Slot] = [[_Panel(density, result, c, bar=True)] for c in present if f"density_{c.name}" in data]
    top += [[_Panel(density, result, c, bar=True, spin=True)] for c in present if f"spin_density_{c.name}" in data]
    if "pair_amplitude" in data:
        top.append([_Panel(pair_amplitude, result, bar=True)])
    bottom: list[Slot] = [[_Panel(_spectrum(result, c), result, c)] for c in present
                          if f"levels_{c.channels[0][0]}" in data]
    known = [c for c in present
             if f"momentum_{c.name}" in data and np.isfinite(data[f"momentum_{c.name}"].values).all()]
    if known:
        bottom.append([_Panel(momentum, result)])
    trouble = result.status is not Status.converged
    spare: Slot = [_Panel(convergence, result)] if trouble else [_Panel(momentum_map, result, c) for c in known[:2]]
    if spare and (trouble or len(top) != len(bottom)):
        (top if len(top) < len(bottom) else bottom).append(spare)
    return [row for row in (top, bottom) if row]


class _Panel:
    """One drawing function with what it draws; ``bar`` says that a colour scale stands beside it."""

    def __init__(self, function: Callable[..., Figure], result: HartreeFockResult, who: Carrier | None = None, *,
                 bar: bool = False, **options: bool) -> None:
        self._function, self._result, self.bar = function, result, bar
        self._options = options | ({} if who is None else {"species": who.name})

    def draw(self, ax: Axes) -> None:
        self._function(self._result, ax=ax, **self._options)


def _spectrum(result: HartreeFockResult, who: Carrier) -> Callable[..., Figure]:
    """Bands where there are any, else all levels."""
    channel = who.channels[0][0]
    return bands if f"bands_{channel}" in result.data or f"unfolded_energy_{channel}" in result.data else levels


def _title(figure: Figure, result: HartreeFockResult) -> None:
    """Phase and energy, the parameters, and what is wrong if anything is."""
    first, second = headline(result)
    height = figure.get_figheight()
    figure.text(0.5, 1 - 0.1 / height, first, ha="center", va="top", fontsize=NORMAL + 3, color=INK, weight="bold")
    figure.text(0.5, 1 - 0.37 / height, second, ha="center", va="top", fontsize=NORMAL, color=INK)
    if result.status is not Status.converged:
        words = f"{result.status.value.upper().replace('_', ' ')}: {result.status.advice}"
        figure.text(0.5, 1 - 0.71 / height, words, ha="center", va="top", fontsize=NORMAL + 1, color="white",
                    weight="bold", bbox={"facecolor": WARNING, "edgecolor": "none", "pad": 4})


def headline(result: HartreeFockResult) -> tuple[str, str]:
    """Two lines for the head of a page: phase and energy; particles, distances and conventions."""
    present, energy = carriers(result), result.energy_per_particle
    ha_h, a_h = unit(result, "Ha_h"), unit(result, "a_h")
    phase = result.phase.replace("-", " ")
    first = phase if np.isnan(energy) else f"{phase},  E / particle = {energy:.7g} {ha_h}".replace(" -", " −")
    parts, length = [" + ".join(f"{c.count} {c.name}s" for c in present)], bohr_radius(result)
    # r_s counts in each carrier's own Bohr radius, a_h over its mass
    parts += [f"rₛ({c.name}) = {c.mass * np.sqrt(result.area / (np.pi * c.count)) / length:.4g}" for c in present]
    parts += [f"spacing {result.inputs['spacing']:.4g} {a_h}", f"zero mode: {result.zero_mode}",
              f"kept symmetry: {result.kept_symmetry}"]
    return first, ",  ".join(parts)
