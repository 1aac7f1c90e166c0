"""Figures of results of any kind: the page, a single panel, and files. Only what a saved result holds is drawn.

matplotlib is imported inside functions, without pyplot: figures belong to no window and work without a display.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ehbilayer.errors import InputError
from ehbilayer.figures.real_units import shown_in
from ehbilayer.figures.style import FORMATS, PAGE_DPI, drawn, own_style, save_figure
from ehbilayer.results.base import Result
from ehbilayer.studies.kinds import figure as page
from ehbilayer.studies.kinds import panel, rows, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot(result: Result, what: str = "all", ax: Axes | None = None, *, species: str | None = None,
         units: str = "auto") -> Figure:
    """Draw a result.

    Parameters
    ----------
    result : of any kind that can be drawn; the single panels belong to ``hartree-fock``.
    what : ``all`` for the page (densities, bands and momentum occupation), or one panel: ``density``,
        ``spin-density``, ``bands``, ``levels``, ``momentum``, ``momentum-map``, ``convergence``; of a sweep ``map`` or
        a number such as ``margin`` or ``gap.electron``.
    ax : axes for a single panel; a new figure by default. Its coordinates are those of its labels: own data can be
        drawn on top.
    species : for panels of one species, the first one by default.
    units : ``real`` (nm, meV, cm^-2), ``atomic`` (a_h, Ha_h), or ``auto``: real ones where the device is known.

    Returns
    -------
    The figure; in a notebook it shows itself.

    Raises
    ------
    InputError : another kind of result, an unknown panel or species, or data that the result lacks.
    """
    shown = shown_in(result, units)
    if what == "all" and ax is None and species is None:
        return page(shown)
    with own_style():
        return panel(shown, what, ax, species)


def as_html(result: Result) -> str:
    """The table that `ehb show` prints and, where there is one, the page, as one piece of HTML without other files."""
    found = "".join(f"<tr><th style='text-align:left'>{escape(label)}</th><td style='text-align:left'>{escape(text)}"
                    "</td></tr>" for label, text in rows(result))
    try:
        with whole(result):
            shown = b64encode(drawn(page(shown_in(result)), "png")).decode()
    except InputError:  # nothing to see
        shown = ""
    picture = f"<img style='max-width:100%' src='data:image/png;base64,{shown}'/>" if shown else ""
    return f"<div><b>{escape(result.kind)}: {escape(result.status.value)}</b><table>{found}</table>{picture}</div>"


def save_figures(result: Result, directory: str | Path, *, stem: str = "figure",
                 formats: tuple[str, ...] = ("png",), dpi: float = PAGE_DPI, units: str = "auto") -> list[Path]:
    """Write the page of a result as ``directory/stem.format`` for each format (png, pdf, svg); returns the paths.

    The same result gives the same bytes.

    Parameters
    ----------
    dpi : dots per inch of a png, and of the shaded parts of the others.   units : as in `plot`.

    Raises
    ------
    InputError : an unknown format, or a result that cannot be drawn.
    ResultFileError : the disk is full or cannot be written to.
    """
    for f in formats:
        if f not in FORMATS:
            raise InputError("formats", " | ".join(FORMATS), f, "choose among these")
    with whole(result):
        figure = page(shown_in(result, units))
        return [save_figure(figure, Path(directory) / f"{stem}.{f}", dpi) for f in formats]
