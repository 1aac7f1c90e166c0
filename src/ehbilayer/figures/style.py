"""What all figures share: colours, units in print, axes, and the carriers and Fermi levels of a saved result.

Unicode rather than TeX marks sub- and superscripts: every start of a TeX parser is time a user waits for.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.results.base import Result
from ehbilayer.results.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which the colour-blind can tell apart
COLOURS = {"electron": "#0072B2", "hole": "#D55E00"}
OTHERS = ("#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MAPS = {"electron": "Blues", "hole": "Oranges"}  # white is zero
SHADES = 128  # as many as the eye resolves; more only make files longer
ENERGY, EMPTY, INK, WARNING = "#009E73", "#8C8C8C", "#333333", "#B00020"
SMALL, NORMAL = 8.5, 10.0  # points
SIGNS = {"a_h": "aₕ", "a_e": "aₑ", "Ha_h": "Haₕ", "Ha_e": "Haₑ", "m_0": "m₀", "um": "µm", "ueV": "µeV", "angstrom": "Å"}
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
PLAIN = (1e-3, 1e4)  # numbers between them are written out, others as powers of ten
PAGE_DPI = 130
FORMATS: dict[str, dict[str, None]] = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}  # undated
PHASE_COLOURS = {"liquid": "#56B4E9", "hole-crystal": "#D55E00", "electron-crystal": "#0072B2", "crystal": "#CC79A7",
                 "stripes": "#F0E442", "trion-crystal": "#E69F00", "dumbbell-crystal": "#8C564B",
                 "condensate": "#009E73", "unknown": "#8C8C8C"}


@dataclass(frozen=True)
class Carrier:
    """A species of the result that has particles, and the determinants (channels) it is made of."""

    name: str
    count: int
    mass: float
    flavours: int  # flavours in use
    colour: str
    channels: tuple[tuple[int, str, int], ...]  # (number, label, degeneracy)


def state_of(result: Result) -> HartreeFockResult:
    """The result as one of Hartree-Fock. Raises InputError for that of another method."""
    if not isinstance(result, HartreeFockResult):
        raise InputError("result", "a hartree-fock result", result.kind, "this figure belongs to Hartree-Fock")
    return result


def carriers(result: HartreeFockResult) -> list[Carrier]:
    """The species with particles."""
    out: list[Carrier] = []
    spare = iter(OTHERS)
    for i, s in enumerate(result.inputs["species"]):  # files of the first format number the species of a channel
        if not s["count"]:
            continue
        channels = tuple((c, str(x["label"]), int(x["degeneracy"])) for c, x in enumerate(result.inputs["channels"])
                         if s["name"] == x.get("carrier") or i == x.get("species"))
        flavours = 1 if s["spin"] == "polarized" else int(s["flavours"])
        colour = COLOURS.get(s["name"]) or next(spare, INK)
        out.append(Carrier(s["name"], int(s["count"]), float(s["mass"]), flavours, colour, channels))
    return out


def carrier(result: HartreeFockResult, species: str | None) -> Carrier:
    """The species of this name, the first one for None. Raises InputError for a name that the result lacks."""
    present = carriers(result)
    for c in present:
        if species in (None, c.name):
            return c
    raise InputError("species", " | ".join(c.name for c in present), species, "choose one that the result has")


def need(result: Result, *names: str) -> None:
    """Raise InputError if the result has none of these arrays."""
    if not any(n in result.data for n in names):
        raise InputError("result", f"one with {' or '.join(names)}", sorted(result.data),
                         "states without such data, e.g. interrupted ones, have fewer figures")


def units(result: Result, name: str) -> str:
    """Units of an array as printed on an axis."""
    return in_print(result.data[name].units)


def number_in_print(value: float, digits: int = 4) -> str:
    """A number as printed: 0.25, 1200, 3×10¹¹."""
    if value == 0 or PLAIN[0] <= abs(value) < PLAIN[1]:
        return f"{value:.{digits}g}"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    ten = "10" + str(int(power)).translate(SUPERSCRIPTS)
    return {"1": ten, "-1": "-" + ten}.get(mantissa, f"{mantissa}×{ten}")


def logarithmic(ax: Axes, which: str) -> None:
    """Make an axis logarithmic, with ticks at 1, 2 and 5 of every decade where there are few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    getattr(ax, f"set_{which}scale")("log")
    axis = getattr(ax, f"{which}axis")
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number_in_print(value)))
    axis.set_minor_formatter(NullFormatter())


def corner_names(result: Result, name: str) -> list[str]:
    """Names of the corners of a path; files of older versions have those of the triangular lattice alone."""
    return list(result.data[name].values) if name in result.data else ["Γ", "K", "M", "Γ"]


def in_print(unit: str) -> str:
    """A unit as printed on an axis: ``a_h^-2`` as aₕ⁻², ``cm^-2`` as cm⁻²."""
    unit = re.sub(r"[A-Za-z_0]+", lambda word: SIGNS.get(word[0], word[0]), unit)
    return re.sub(r"\^(-?[0-9]+)", lambda power: power[1].translate(SUPERSCRIPTS), unit)


def panel(ax: Axes | None, *, square: bool = False) -> Axes:
    """The given axes, or those of a new figure that belongs to no window."""
    if ax is not None:
        return ax
    return new_figure(5.2, 4.4).add_axes((0.16, 0.14, 0.66 if square else 0.78, 0.76))


@contextmanager
def own_style() -> Iterator[None]:
    """Matplotlib as its makers set it up: no matplotlibrc, no rcParams of a notebook changes a figure or costs it."""
    _load()
    from matplotlib import rc_context, rcdefaults

    with rc_context():
        rcdefaults()
        yield


def _load() -> None:
    """Import matplotlib, then tell it what MPLBACKEND and a matplotlibrc say; at once it can refuse to be imported."""
    if "matplotlib" in sys.modules:
        return
    said = dict(os.environ)
    os.environ["MATPLOTLIBRC"] = os.devnull
    os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        os.environ.clear()
        os.environ.update(said)
    with suppress(ValueError, OSError):
        matplotlib.rcParams.update(matplotlib.rc_params_from_file(matplotlib.matplotlib_fname(),
                                                                     use_default_template=False))
    with suppress(ValueError, KeyError):
        matplotlib.rcParams["backend"] = said["MPLBACKEND"]


@cache
def _figure_class() -> type[Figure]:
    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        """A figure of no window, which a notebook shows as a picture none the less."""

        def _repr_png_(self) -> bytes:
            return drawn(self, "png")

    return NotebookFigure


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches; pyplot does not know of it."""
    return _figure_class()(figsize=(width, height), dpi=PAGE_DPI)


def drawn(figure: Figure, form: str, dpi: float = PAGE_DPI) -> bytes:
    """The bytes of a figure as png, pdf or svg, undated: the same figure gives the same ones."""
    buffer = io.BytesIO()
    with own_style():
        from matplotlib import rcParams

        rcParams["svg.hashsalt"] = "ehbilayer"
        figure.savefig(buffer, format=form, dpi=dpi, metadata=FORMATS[form])
    return buffer.getvalue()


def save_figure(figure: Figure, path: str | Path, dpi: float = PAGE_DPI) -> Path:
    """Write a figure as the file that its ending says (png, pdf, svg), whole or not at all; returns the path.

    The same figure gives the same bytes.

    Raises
    ------
    InputError : another ending.
    ResultFileError : the disk is full or cannot be written to.
    """
    path = Path(path)
    form = path.suffix[1:].lower()
    if form not in FORMATS:
        raise InputError("path", f"a file that ends in {' | '.join(FORMATS)}", path.name, "choose one of them")
    atomic_write(path, drawn(figure, form, dpi))
    return path


def figure_of(ax: Axes) -> Figure:
    """The figure that holds the axes."""
    figure = ax.get_figure(root=True) if _newer() else ax.figure
    assert figure is not None
    return figure  # type: ignore[return-value]


def _newer() -> bool:
    import matplotlib

    return matplotlib.__version_info__[:2] >= (3, 10)


def shades(name: str) -> Colormap:
    """A colour map in few enough steps for short files."""
    import matplotlib

    return matplotlib.colormaps[name].resampled(SHADES)


def dress(ax: Axes, title: str, x: str, y: str) -> None:
    """Title and axis labels, few ticks."""
    ax.set_title(title, fontsize=NORMAL, color=INK, pad=5, y=1.0)  # a given y spares the search for a free one
    ax.set_xlabel(x, fontsize=NORMAL, labelpad=2)
    ax.set_ylabel(y, fontsize=NORMAL, labelpad=2)
    ax.tick_params(labelsize=SMALL, direction="in", length=3)


def span(ax: Axes, *, x: tuple[float, float] | None = None, y: tuple[float, float] | None = None) -> None:
    """Sets the ends of the axes; computed ends that span nothing are left to what is drawn."""
    for ends, be in ((x, ax.set_xlim), (y, ax.set_ylim)):
        if ends is not None and np.isfinite(ends).all() and ends[0] != ends[1]:
            be(*ends)


@dataclass(frozen=True)
class FermiLevel:
    """Where the filled levels of one species end.

    ``top`` is the highest level with particles, ``bottom`` the lowest empty one (both Ha_h, over the torus' own k
    points; infinite where unknown), ``lowest`` and ``highest`` the ends of all known levels; ``zero`` is the energy
    that figures count from and ``name`` its name.
    """

    top: float
    bottom: float
    lowest: float
    highest: float

    @property
    def gap(self) -> float:
        """Lowest empty minus highest filled level; 0 for an open shell."""
        return max(self.bottom - self.top, 0.0) if np.isfinite(self.bottom) else 0.0

    @property
    def zero(self) -> float:
        return self.top + self.gap / 2

    @property
    def name(self) -> str:
        return "mid-gap" if self.gap > 0 else "highest filled"

    @property
    def window(self) -> tuple[float, float]:
        """Energies to show, counted from ``zero``: all filled levels and the first empty ones."""
        span = max(self.top + self.gap - self.lowest, 1e-6)
        high = min(self.top + self.gap + 0.7 * span, max(self.highest, self.top + self.gap) + 0.1 * span)
        return self.lowest - self.zero - 0.1 * span, high - self.zero


def fermi_level(result: HartreeFockResult, who: Carrier) -> FermiLevel:
    """Highest filled and lowest empty Fock level over all determinants of a species."""
    lowest, top, bottom, highest = np.inf, -np.inf, np.inf, -np.inf
    for c, _, _ in who.channels:
        need(result, f"levels_{c}")
        energy, filled = result.data[f"levels_{c}"].values, result.data[f"filled_{c}"].values
        known = np.isfinite(energy)
        lowest = min(lowest, energy[known & (filled > 0)].min(initial=np.inf))
        top = max(top, energy[known & (filled > 1e-9)].max(initial=-np.inf))
        bottom = min(bottom, energy[known & (filled < 1 - 1e-9)].min(initial=np.inf))
        highest = max(highest, energy[known].max(initial=-np.inf))
    if not np.isfinite(top):
        raise InputError("result", "one with filled Fock levels", f"none of the {who.name}s", "compute it again")
    return FermiLevel(float(top), float(bottom), float(lowest), float(highest))


def gap_note(ax: Axes, level: FermiLevel, unit: str) -> None:
    """Shade the gap and write its size into it, or into a corner when it is too narrow on the page."""
    if level.gap <= 0:
        ax.text(0.98, 0.97, "no gap", transform=ax.transAxes, ha="right", va="top", fontsize=SMALL, color=INK,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5})
        return
    low, high = level.window
    ax.axhspan(-level.gap / 2, level.gap / 2, color="#F2E6B8", alpha=0.7, linewidth=0, zorder=0)
    text = f"gap {level.gap:.4g} {unit}"
    if level.gap > 0.09 * (high - low):
        ax.text(0.5, 0.0, text, transform=ax.get_yaxis_transform(), ha="center", va="center", fontsize=SMALL, color=INK)
    else:
        ax.text(0.98, 0.97, text, transform=ax.transAxes, ha="right", va="top", fontsize=SMALL, color=INK,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5})
