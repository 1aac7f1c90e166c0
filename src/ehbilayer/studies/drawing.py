"""Figures of results of any kind: the page, a single panel, and files. Only what a saved result holds is drawn.

matplotlib is imported inside functions, without pyplot: figures belong to no window and work without a display.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from ehbilayer.errors import InputError
from ehbilayer.figures.style import PAGE_DPI
from ehbilayer.results.base import Result
from ehbilayer.results.files import atomic_write
from ehbilayer.studies.kinds import figure as page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")


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
    return PANELS[what](result, species, ax)


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
    from matplotlib import rc_context

    figure, out = page(result), []
    undated = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
    with rc_context({"svg.hashsalt": "ehbilayer"}):
        for f in formats:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=f, dpi=PAGE_DPI, metadata=undated[f])
            path = Path(directory) / f"{stem}.{f}"
            atomic_write(path, buffer.getvalue())
            out.append(path)
    return out
