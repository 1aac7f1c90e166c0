"""Densities and spin densities in real space, over several cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.figures.style import (
    INK,
    MAPS,
    PLAIN,
    SMALL,
    SUPERSCRIPTS,
    Carrier,
    carrier,
    carriers,
    dress,
    figure_of,
    in_print,
    need,
    panel,
    shades,
)
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.results.base import Variable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

PIXELS = 260  # samples along the longer side of a density map
Window = tuple[float, float, float, float]  # left, right, bottom, top (a_h)


def sample(values: np.ndarray, cell: np.ndarray, window: Window, shape: tuple[int, int]) -> np.ndarray:
    """A periodic function on a grid over a cell, bilinearly interpolated to the pixels of a window.

    Parameters
    ----------
    values : (n1, n2) at the points i/n1 cell[0] + j/n2 cell[1].
    cell : rows are the cell vectors, (2, 2).
    window : left, right, bottom, top in the units of the cell.
    shape : rows (along y) and columns (along x) of the picture, at pixel centres.

    Returns
    -------
    Array of that shape; row 0 is at the bottom.
    """
    left, right, low, high = window
    x = left + (np.arange(shape[1]) + 0.5) / shape[1] * (right - left)
    y = low + (np.arange(shape[0]) + 0.5) / shape[0] * (high - low)
    fraction = np.stack(np.meshgrid(x, y), axis=-1) @ np.linalg.inv(cell)
    at = fraction * np.array(values.shape)
    i, j = np.floor(at[..., 0]).astype(int), np.floor(at[..., 1]).astype(int)
    s, t = at[..., 0] - i, at[..., 1] - j
    n1, n2 = values.shape
    i0, i1, j0, j1 = i % n1, (i + 1) % n1, j % n2, (j + 1) % n2
    return ((1 - s) * ((1 - t) * values[i0, j0] + t * values[i0, j1])
            + s * ((1 - t) * values[i1, j0] + t * values[i1, j1]))


def view(cell: np.ndarray, whole_box: bool) -> tuple[Window, np.ndarray]:
    """The window to show, and the corners (5, 2) of the outline drawn in it, in a_h.

    A box is shown with a margin; of a crystal a square of about 18 cells with one cell outlined at its middle.
    """
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) @ cell
    if whole_box:
        margin = 0.02 * np.ptp(corners, axis=0).max()
        (left, low), (right, high) = corners.min(axis=0) - margin, corners.max(axis=0) + margin
        return (float(left), float(right), float(low), float(high)), corners
    side = max(4.2 * np.sqrt(abs(np.linalg.det(cell))), 1.5 * float(np.ptp(corners, axis=0).max()))
    corners = corners - cell.sum(axis=0) / 2
    return (-side / 2, side / 2, -side / 2, side / 2), corners


def density(result: HartreeFockResult, species: str | None = None, ax: Axes | None = None, *, spin: bool = False,
            shared_scale: bool = False, most: float | None = None) -> Figure:
    """Draw the density, or the spin density n_up - n_down, of one species over several cells of a crystal or the box.

    Parameters
    ----------
    result : with densities.
    species : its name, the first species by default.
    ax : axes to draw in; a new figure by default.
    spin : draw the spin density, on a scale symmetric about zero.
    shared_scale : one colour scale for all species.
    most : where the colour scale ends (and begins, below zero, for a spin density); by default at the largest value.

    Raises InputError if the result lacks that species or its density.
    """
    who = carrier(result, species)
    name = f"spin_density_{who.name}" if spin else f"density_{who.name}"
    need(result, name)
    low, high = _limits(result, who, spin, shared_scale) if most is None else (-most if spin else 0.0, most)
    drawn = density_map(result.data[name], result.data["cell"], who.name, result.kept_symmetry, (low, high), ax,
                        spin=spin)
    if f"potential_{who.name}" in result.data:
        _wells(result.data[f"potential_{who.name}"].values, result.data["cell"].values, result.kept_symmetry,
               ax or drawn.axes[0])
    return drawn


def _wells(potential: np.ndarray, cell: np.ndarray, kept: str, ax: Axes) -> None:
    """Dotted lines around the wells of an external potential, half as deep as they are."""
    window, _ = view(cell, kept == "none")
    x, y = (low + (np.arange(PIXELS) + 0.5) / PIXELS * (high - low) for low, high in (window[:2], window[2:]))
    ax.contour(x, y, sample(potential, cell, window, (PIXELS, PIXELS)), levels=[0.5 * float(potential.min())],
               colors=INK, linewidths=0.8, linestyles="dotted")


def pair_amplitude(result: HartreeFockResult, ax: Axes | None = None) -> Figure:
    """Draw |<h(r) c(r)>|, where and how strongly electrons and holes pair. Raises InputError without pairs."""
    need(result, "pair_amplitude")
    values = result.data["pair_amplitude"]
    return density_map(values, result.data["cell"], "pair", result.kept_symmetry, (0.0, float(values.values.max())), ax,
                       colours="Purples", title="pair amplitude |⟨h(r) c(r)⟩|")


def density_map(values: Variable, cell: Variable, name: str, kept: str, limits: tuple[float, float],
                ax: Axes | None = None, *, spin: bool = False, colours: str | None = None,
                title: str | None = None) -> Figure:
    """Draw a density, or a spin density, of the carriers ``name``.

    Parameters
    ----------
    values : over ``cell``, whose rows are its vectors.   limits : ends of the colour scale.
    kept : the symmetry that was held: ``translations`` of a uniform state, ``none`` in a free box, ``crystal``.
    colours : name of a colour map of matplotlib.   title : in place of one that says that it is a density.
    """
    uniform = kept == "translations"
    window, outline = view(cell.values, kept == "none")
    if uniform and not spin:
        limits = (limits[0], 2 * limits[1])  # a flat map in the middle of its scale
    unit, length = in_print(values.units), in_print(cell.units)
    ax = panel(ax, square=True)
    colours = colours or ("PuOr" if limits[0] < 0 else MAPS.get(name, "Greens"))
    image = _picture(values.values, cell.values, window, ax, colours, limits)
    if uniform:  # the cell of a uniform state is an artefact of how it is computed
        ax.text(0.5, 0.5, f"uniform\n{values.values.mean():.4g} {unit}", transform=ax.transAxes, ha="center",
                va="center", fontsize=SMALL + 1.5, color=INK)
    else:
        ax.plot(outline[:, 0], outline[:, 1], color=INK, linewidth=1.0)
    ax.set_xlim(*window[:2])
    ax.set_ylim(*window[2:])
    ax.locator_params(nbins=5)
    title = title or (f"{name} spin density (up − down)" if spin else f"{name} density")
    dress(ax, title, f"x ({length})", f"y ({length})")
    colour_scale(ax, image, unit)
    return figure_of(ax)


def _picture(values: np.ndarray, cell: np.ndarray, window: Window, ax: Axes, colours: str,
             limits: tuple[float, float]) -> AxesImage:
    """The values over the window, with as many pixels as the page can show."""
    width, height = window[1] - window[0], window[3] - window[2]
    shape = (max(int(PIXELS * height / max(width, height)), 2), max(int(PIXELS * width / max(width, height)), 2))
    # interpolated colours instead of data would make files half as long again
    return ax.imshow(sample(values, cell, window, shape), extent=window, origin="lower", vmin=limits[0], vmax=limits[1],
                     cmap=shades(colours), interpolation="bilinear", interpolation_stage="data")


def _limits(result: HartreeFockResult, who: Carrier, spin: bool, shared: bool) -> tuple[float, float]:
    """Ends of the colour scale. Numerical noise of a state without spin order must not look like order."""
    names = [f"density_{c.name}" for c in carriers(result)] if shared else [f"density_{who.name}"]
    most = max(float(np.nanmax(result.data[n].values)) for n in names if n in result.data)
    if spin:
        most = max(float(np.nanmax(np.abs(result.data[f"spin_density_{who.name}"].values))), 1e-3 * most)
        return -most, most
    return 0.0, most


def colour_scale(ax: Axes, image: AxesImage, unit: str, size: float = SMALL) -> None:
    """A colour scale as high as the picture at its right side, with the unit, and a power of ten if need be, on top."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    inset = ax.inset_axes((1.03, 0.0, 0.045, 1.0))
    most = float(np.abs(image.get_clim()).max())
    power = math.floor(math.log10(most)) if most > 0 and not PLAIN[0] <= most < PLAIN[1] else 0
    form = FuncFormatter(lambda value, _: f"{value / 10.0**power:g}") if power else None
    bar = figure_of(ax).colorbar(image, cax=inset, ticks=MaxNLocator(5), format=form)
    bar.ax.tick_params(labelsize=size, length=2)
    bar.outline.set_linewidth(0.5)
    inset.set_title(f"10{str(power).translate(SUPERSCRIPTS)} {unit}" if power else unit, fontsize=size, pad=4, y=1.0)
