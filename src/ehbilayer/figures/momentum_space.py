"""Momentum occupation, against |k| and in the plane of k, and how a calculation converged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.figures.real_units import bohr_radius
from ehbilayer.figures.style import (
    EMPTY,
    ENERGY,
    INK,
    MAPS,
    SMALL,
    Carrier,
    carrier,
    carriers,
    dress,
    figure_of,
    need,
    panel,
    shades,
    units,
)
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.numerics.lattice import reduce_vectors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REACH = 2.2  # momenta shown, in Fermi wave numbers
PIXELS = 200  # of the map of momenta, each way
MARKS = ("o", "s", "^", "D")


def fermi_wave_number(result: HartreeFockResult, who: Carrier) -> float:
    """k_F = sqrt(4 pi n / g) in 1/a_h of the free species with g flavours in use."""
    return float(np.sqrt(4 * np.pi * who.count / (result.area * who.flavours)))


def momentum(result: HartreeFockResult, ax: Axes | None = None) -> Figure:
    """Draw the momentum occupation per flavour of all species against |k| in units of each one's free k_F.

    Raises InputError if the result has none.
    """
    present = carriers(result)
    need(result, *(f"momentum_{c.name}" for c in present))
    ax = panel(ax)
    length = np.linalg.norm(result.data["wave_vector"].values, axis=1)
    for who, mark in zip(present, MARKS * len(present), strict=False):
        n = result.data[f"momentum_{who.name}"].values / who.flavours
        x = length / fermi_wave_number(result, who)
        shown = (x <= REACH) & np.isfinite(n)
        ax.plot(x[shown], n[shown], mark, color=who.colour, markersize=3.6, alpha=0.75, markeredgewidth=0,
                label=f"{who.name}s")
    ax.plot([0, 1, 1, REACH], [1, 1, 0, 0], color=EMPTY, linewidth=0.9, zorder=0, label="free gas")
    ax.set_xlim(-0.04 * REACH, REACH)
    ax.set_ylim(-0.03, 1.08)
    ax.legend(fontsize=SMALL, frameon=False, loc="upper right")
    dress(ax, "momentum occupation", "|k| / kF (free gas)", "nₖ per flavour")
    return figure_of(ax)


def momentum_map(result: HartreeFockResult, ax: Axes | None = None, species: str | None = None) -> Figure:
    """Draw the momentum occupation per flavour of one species in the plane of k, with the circle |k| = k_F.

    Raises InputError if the result lacks that species or its occupation.
    """
    who = carrier(result, species)
    need(result, f"momentum_{who.name}")
    ax = panel(ax)
    n = nearest_wave(result, result.data[f"momentum_{who.name}"].values, REACH * fermi_wave_number(result, who))
    n /= who.flavours
    ax.imshow(n, extent=(-REACH, REACH, -REACH, REACH), origin="lower", interpolation="nearest", vmin=0,
              vmax=max(n.max(), 1e-12), cmap=shades(MAPS.get(who.name, "Greens")))
    angle = np.linspace(0, 2 * np.pi, 91)
    ax.plot(np.cos(angle), np.sin(angle), color=INK, linewidth=0.9)
    dress(ax, f"{who.name} nₖ (up to {n.max():.2g})", "kx / kF", "ky / kF")
    ax.set_xticks([-2, -1, 0, 1, 2])
    ax.set_yticks([-2, -1, 0, 1, 2])
    return figure_of(ax)


def nearest_wave(result: HartreeFockResult, values: np.ndarray, reach: float) -> np.ndarray:
    """Values per wave (M,) as a picture (PIXELS, PIXELS) of |kx|, |ky| < reach (1/a_h), row 0 at the bottom.

    Every pixel shows the wave nearest to it, so that waves appear as the cells of their own lattice; pixels nearest to
    a wave outside the basis are 0.
    """
    waves = result.data["waves"].values
    vectors, _, rank, _ = np.linalg.lstsq(waves, result.data["wave_vector"].values, rcond=None)
    if rank < 2:  # all waves on a line, as in a very long box
        vectors = 2 * np.pi * np.linalg.inv(np.asarray(result.inputs["box"]) * bohr_radius(result)).T
    reciprocal, turn = reduce_vectors(vectors)
    waves = waves @ np.rint(np.linalg.inv(turn)).astype(int)
    axis = ((np.arange(PIXELS) + 0.5) / PIXELS * 2 - 1) * reach
    k = np.stack(np.meshgrid(axis, axis), axis=-1)
    low = np.floor(k @ np.linalg.inv(reciprocal)).astype(int)
    corners = low[..., None, :] + np.array([[0, 0], [1, 0], [0, 1], [1, 1]])  # one is nearest: the vectors are reduced
    nearest = np.sum((corners @ reciprocal - k[..., None, :]) ** 2, axis=-1).argmin(axis=-1)
    at = np.take_along_axis(corners, nearest[..., None, None], axis=2)[..., 0, :]
    most = max(int(np.abs(at).max()), int(np.abs(waves).max()))
    table = np.zeros((2 * most + 1, 2 * most + 1))
    table[tuple((waves + most).T)] = values
    return table[tuple(np.moveaxis(at + most, -1, 0))]


def convergence(result: HartreeFockResult, ax: Axes | None = None) -> Figure:
    """Draw energy above the last one and residual against the number of energy evaluations.

    Raises InputError if the result has no trace.
    """
    need(result, "trace_residual")
    ax = panel(ax)
    energy, residual = result.data["trace_energy"].values, result.data["trace_residual"].values
    count = np.arange(1, len(residual) + 1)
    ax.set_yscale("log")
    above = energy - energy[-1]
    for values, colour, mark, name in ((residual, INK, "o", "residual"), (above, ENERGY, "s", "E − last E")):
        use = np.isfinite(values) & (values > 0)
        ax.plot(count[use], values[use], color=colour, marker=mark, markersize=3.5, linewidth=1.0, label=name)
    ax.axhline(result.residual_target, color=EMPTY, linewidth=1.0, linestyle="--", label="target of the residual")
    ax.legend(fontsize=SMALL, frameon=False, loc="best")
    ax.locator_params(axis="x", integer=True)
    dress(ax, "convergence", "evaluation", f"energy ({units(result, 'trace_energy')})")
    return figure_of(ax)
