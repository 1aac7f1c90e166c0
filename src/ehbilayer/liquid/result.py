"""The result of the uniform liquids of the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ehbilayer.results.base import Carriers, Result, entry, number


@dataclass(frozen=True)
class Parts:
    """Energies per area of all carriers together."""

    kinetic: float = number("Ha_h/a_h^2", "kinetic energy per area")
    exchange: float = number("Ha_h/a_h^2", "exchange energy per area")
    capacitor: float = number("Ha_h/a_h^2", "geometric energy of the charged layers per area")
    heat: float = number("Ha_h/a_h^2", "-T S per area", 0.0)
    zeeman: float = number("Ha_h/a_h^2", "energy in a magnetic field per area", 0.0)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LiquidResult(Result):
    """Uniform liquids of all layers in the infinite plane; arrays: the energy against the density, by spin.

    At a temperature energies are free energies.
    """

    kind: ClassVar[str] = "liquid"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("curve_",)
    phase: str = entry("liquid")
    energy_per_area: float = number("Ha_h/a_h^2", "energy per area")
    energy_per_particle: float = number("Ha_h", "energy over the number of all particles")
    energy_per_hole: float = number("Ha_h", "energy per hole; per particle of the first carrier without holes")
    energy_parts_per_area: Parts = entry("its parts")
    spin: Carriers[str] = entry("restricted | polarized | partial, of each carrier")
    polarization_energy: Carriers[float] = number("Ha_h", "polarised less restricted, per particle; polarises if < 0")
    fermi_energy: Carriers[float] = number("Ha_h", "k_F^2/2m")
    chemical_potential: Carriers[float] = number("Ha_h", "d(n E/N)/dn of each carrier, without the capacitor")
    alpha_squared: Carriers[float] = number("1", "bulk modulus of each carrier over n eps_F")
    density: Carriers[float] = number("a_h^-2", "particles per area")
    flavour_densities: Carriers[tuple[float, ...]] = number("a_h^-2", "of the flavours of each carrier, fullest first",
                                                            Carriers({}))
    temperature: float | None = number("Ha_h", "k_B T; None: the ground state", None)
    entropy: Carriers[float] | None = number("1", "S/k_B per particle of each carrier", None)
