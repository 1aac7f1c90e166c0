"""Figures of results of any kind: the page, a single panel, and files. Only what a saved result holds is drawn.

matplotlib is imported inside functions, without pyplot: figures belong to no window and work without a display.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ehbilayer.errors import InputError
from ehbilayer.figures.style import FORMATS, drawn, own_style, save_figure, state_of
from ehbilayer.results.base import Result
from ehbilayer.studies.kinds import figure as page
from ehbilayer.studies.kinds import rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot(result: Result, what: str = "all", ax: Axes | None = None, *, species: str | None = None) -> Figure:
    """Draw a result.

    Parameters
    ----------
    result : of any kind that can be drawn; the single panels belong to ``hartree-fock``.
    what : ``all`` for the page (densities, bands and momentum occupation), or one panel: ``density``,
        ``spin-density``, ``bands``, ``levels``, ``momentum``, ``momentum-map``, ``convergence``.
    ax : axes for a single panel; a new figure by default.
    species : for panels of one species, the first one by default.

    Returns
    -------
    The figure; in a notebook it shows itself.

    Raises
    ------
    InputError : another kind of result, an unknown panel or species, or data that the result lacks.
    """
    from ehbilayer.studies.hartree_fock.figure import PANELS

    if what == "all":
        if ax is not None or species is not None:
            raise InputError("what", "one panel where ax or species is given", what, f"use one of {' '.join(PANELS)}")
        return page(result)
    if what not in PANELS:
        raise InputError("what", " | ".join(["all", *PANELS]), what, "choose one of these")
    with own_style():
        return PANELS[what](state_of(result), species, ax)


def as_html(result: Result) -> str:
    """The table that `ehb show` prints and, where there is one, the page, as one piece of HTML without other files."""
    found = "".join(f"<tr><th style='text-align:left'>{escape(label)}</th><td style='text-align:left'>{escape(text)}"
                    "</td></tr>" for label, text in rows(result))
    try:
        shown = b64encode(drawn(page(result), "png")).decode()
    except InputError:  # nothing to see
        shown = ""
    picture = f"<img style='max-width:100%' src='data:image/png;base64,{shown}'/>" if shown else ""
    return f"<div><b>{escape(result.kind)}: {escape(result.status.value)}</b><table>{found}</table>{picture}</div>"


def save_figures(result: Result, directory: str | Path, *, stem: str = "figure",
                 formats: tuple[str, ...] = ("png",)) -> list[Path]:
    """Write the page of a result as ``directory/stem.format`` for each format (png, pdf, svg); returns the paths.

    The same result gives the same bytes.

    Raises
    ------
    InputError : an unknown format, or a result that cannot be drawn.
    ResultFileError : the disk is full or cannot be written to.
    """
    for f in formats:
        if f not in FORMATS:
            raise InputError("formats", " | ".join(FORMATS), f, "choose among these")
    figure = page(result)
    return [save_figure(figure, Path(directory) / f"{stem}.{f}") for f in formats]
