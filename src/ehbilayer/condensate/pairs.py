"""The electrons and holes of a bilayer that can pair: one kind of each, equally dense."""

from __future__ import annotations

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.model import Bilayer, Carrier


def pair_of(bilayer: Bilayer) -> tuple[Carrier, Carrier]:
    """The electrons and the holes. Raises InputError unless there is one kind of each, with equal densities."""
    electrons, holes = ([c for c in bilayer.carriers if c.charge == charge] for charge in (-1, 1))
    if len(electrons) != 1 or len(holes) != 1 or abs(electrons[0].density - holes[0].density) > \
            1e-9 * holes[0].density:
        raise InputError("electrons_per_hole", "1 for a condensate: every electron has its hole",
                         {c.name: c.density for c in bilayer.carriers}, "set it to 1")
    return electrons[0], holes[0]


def pair_mass(bilayer: Bilayer) -> float:
    """Reduced mass m_e m_h/(m_e + m_h) in units of m_h."""
    electron, hole = pair_of(bilayer)
    return electron.mass * hole.mass / (electron.mass + hole.mass)


def pair_layers(bilayer: Bilayer) -> tuple[int, int]:
    """The layers of the electrons and of the holes."""
    electron, hole = pair_of(bilayer)
    return electron.layer, hole.layer


def exciton_wave_number(bilayer: Bilayer) -> float:
    """About one over the size of a lone exciton (1/a_h): 2m at d = 0, (m/d^3)^(1/4) of an oscillator at large d.

    For another interaction that of the best Gaussian, e^{-r^2/2a^2} with E = 1/2ma^2 - int q dq/2pi v(q) e^{-(qa)^2/4}.
    """
    mass, layers = pair_mass(bilayer), pair_layers(bilayer)
    distance = bilayer.interaction.coulomb_distance(*layers)
    if distance is not None:
        return 1 / (0.5 / mass + (distance**3 / mass) ** 0.25)
    q, a = np.geomspace(1e-6, 1e6, 1200), np.geomspace(1e-2, 1e4, 200) / mass
    attraction = np.exp(-np.multiply.outer(a, q) ** 2 / 4) @ (
        q**2 * bilayer.interaction.v(q, *layers) * np.log(q[1] / q[0])) / (2 * np.pi)
    return float(2 / a[np.argmin(1 / (2 * mass * a**2) - attraction)])


def pairing_flavours(bilayer: Bilayer, spin: str) -> int:
    """Flavours that pair, each with its own: one where ``spin`` is ``polarized``, all where it is ``restricted``.

    Raises InputError for another word, and where electrons and holes differ in their flavours.
    """
    if spin not in ("polarized", "restricted"):
        raise InputError("spin", "polarized | restricted", spin, "choose one of these")
    electron, hole = pair_of(bilayer)
    if spin == "restricted" and electron.flavours != hole.flavours:
        raise InputError("electron_flavours", f"equal to hole_flavours ({hole.flavours}) where spin = \"restricted\"",
                         electron.flavours, "pairs form flavour by flavour")
    return 1 if spin == "polarized" else hole.flavours
