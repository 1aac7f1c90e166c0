"""Drawing results: the style, the panels and the maps that figures are made of, for own figures too.

    from ehbilayer.figures import bands, dress, new_figure, save_figure
    page = new_figure(5.0, 4.0)
    bands(result, page.add_axes((0.15, 0.15, 0.8, 0.75)), "hole")
    save_figure(page, "bands.pdf")

Names are resolved when they are first asked for, panels that belong to one kind of study or to sweeps from there.
matplotlib is imported inside functions.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ehbilayer.figures.fock_levels import bands, levels
    from ehbilayer.figures.momentum_space import convergence, momentum, momentum_map
    from ehbilayer.figures.real_space import colour_scale, density, density_map, sample, view
    from ehbilayer.figures.style import (
        COLOURS,
        EMPTY,
        ENERGY,
        INK,
        NORMAL,
        OTHERS,
        PHASE_COLOURS,
        SMALL,
        WARNING,
        carrier,
        dress,
        fermi_level,
        figure_of,
        new_figure,
        own_style,
        panel,
        save_figure,
        shades,
        units,
    )
    from ehbilayer.studies.crystal.figure import draw_charges
    from ehbilayer.studies.pairing.figure import coupling_map, temperature_map
    from ehbilayer.sweep.maps import axis_line, fields, number_map, phase_map, slice_at

__all__ = ["COLOURS", "EMPTY", "ENERGY", "INK", "NORMAL", "OTHERS", "PHASE_COLOURS", "SMALL", "WARNING", "axis_line",
           "bands", "carrier", "colour_scale", "convergence", "coupling_map", "density", "density_map", "draw_charges",
           "dress", "fermi_level", "fields", "figure_of", "levels", "momentum", "momentum_map", "new_figure",
           "number_map", "own_style", "panel", "phase_map", "sample", "save_figure", "shades", "slice_at",
           "temperature_map", "units", "view"]

# public names that do not come from `style` -> module
_HOME = {"bands": "figures.fock_levels", "levels": "figures.fock_levels",
         **dict.fromkeys(("convergence", "momentum", "momentum_map"), "figures.momentum_space"),
         **dict.fromkeys(("colour_scale", "density", "density_map", "sample", "view"), "figures.real_space"),
         **dict.fromkeys(("axis_line", "fields", "number_map", "phase_map", "slice_at"), "sweep.maps"),
         "draw_charges": "studies.crystal.figure", "coupling_map": "studies.pairing.figure",
         "temperature_map": "studies.pairing.figure"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'ehbilayer.figures' has no attribute {name!r}")
    return getattr(import_module(f"ehbilayer.{_HOME.get(name, 'figures.style')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
