r"""One layer of a uniform liquid in the infinite plane, in Hartree-Fock, for any interaction v(q) within the layer.

With g filled flavours, n = g k_F^2/4 pi, and q = 2 k_F sin(phi),

    E/N = k_F^2/4m - (g k_F^4/4 pi^3 n) int_0^{pi/2} sin cos v(q) (pi - 2 phi - sin 2 phi) dphi
    mu  = k_F^2/2m - (2 k_F^2/pi^2) int_0^{pi/2} sin cos v(q) (pi/2 - phi) dphi
    alpha^2 = n (dmu/dn)/eps_F = 1 - (4 n m/(g k_F^2)) (2/pi) int_0^{pi/2} sin^2 v(q) dphi

the integrals being the overlap of two Fermi circles, its chord, and its derivative. For Coulomb v = 2 pi/q they give
-4 k_F/3 pi, -2 k_F/pi and 1 - (sqrt(g)/pi) r_s.

Source: Giuliani & Vignale, Quantum Theory of the Electron Liquid (2005), sections 1.3 and 2.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.interaction.base import Interaction
from ehbilayer.liquid import SPINS
from ehbilayer.liquid.result import LiquidResult, Parts
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status

NODES = 60  # of phi; integrands are smooth where q v(q) is
WIDEST = 100.0  # factor of the density by which the curve reaches up and down


@dataclass(frozen=True)
class Gas:
    """A carrier at its density, all ``filled`` flavours equally; energies in Ha_h, see the top of this module.

    Raises InputError for a carrier without density, or with a dispersion of its own.
    """

    carrier: Carrier
    interaction: Interaction
    filled: int

    def __post_init__(self) -> None:
        if not self.carrier.density > 0:
            raise InputError(f"{self.carrier.name} density", "a density > 0 (a_h^-2)", self.carrier.density,
                             "leave out carriers that are absent")
        if self.carrier.dispersion is not None:
            raise InputError(f"{self.carrier.name} dispersion", "k^2/2m for a liquid of the plane", "a function",
                             "a torus (hartree_fock) takes any dispersion")

    @property
    def fermi_wave_number(self) -> float:
        """k_F = sqrt(4 pi n/g), 1/a_h."""
        return math.sqrt(4 * math.pi * self.carrier.density / self.filled)

    @property
    def fermi_energy(self) -> float:
        """eps_F = k_F^2/2m."""
        return self.fermi_wave_number**2 / (2 * self.carrier.mass)

    @cached_property
    def _nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """phi, and v(2 k_F sin phi) times the weights of dphi."""
        node, weight = gauss_legendre(NODES)
        phi = np.pi / 4 * (1 + node)
        layer = self.carrier.layer
        v = self.interaction.v(2 * self.fermi_wave_number * np.sin(phi), layer, layer)
        return phi, np.pi / 4 * weight * v

    @property
    def kinetic(self) -> float:
        """k_F^2/4m per particle."""
        return self.fermi_energy / 2

    @property
    def exchange(self) -> float:
        """Exchange energy per particle."""
        phi, v = self._nodes
        overlap = np.sin(phi) * np.cos(phi) * (np.pi - 2 * phi - np.sin(2 * phi))
        return -self.filled * self.fermi_wave_number**4 / (4 * np.pi**3 * self.carrier.density) * float(overlap @ v)

    @property
    def energy(self) -> float:
        """Energy per particle."""
        return self.kinetic + self.exchange

    @property
    def chemical_potential(self) -> float:
        """mu = d(n E/N)/dn."""
        phi, v = self._nodes
        chord = np.sin(phi) * np.cos(phi) * (np.pi / 2 - phi)
        return self.fermi_energy - 2 * self.fermi_wave_number**2 / np.pi**2 * float(chord @ v)

    @property
    def alpha_squared(self) -> float:
        """Bulk modulus over n eps_F."""
        phi, v = self._nodes
        factor = 4 * self.carrier.density * self.carrier.mass / (self.filled * self.fermi_wave_number**2)
        return 1 - factor * 2 / np.pi * float(np.sin(phi) ** 2 @ v)


def gas_of(bilayer: Bilayer, carrier: Carrier, spin: str) -> Gas:
    """The gas of one carrier with this spin, or with that of the lower energy."""
    choices = {"restricted": Gas(carrier, bilayer.interaction, carrier.flavours),
               "polarized": Gas(carrier, bilayer.interaction, 1)}
    return choices[spin] if spin in choices else min(choices.values(), key=lambda gas: gas.energy)


def _reference(bilayer: Bilayer) -> Carrier:
    """The carrier that energies are told per: the first of charge +1, else the first."""
    return next((c for c in bilayer.carriers if c.charge > 0), bilayer.carriers[0])


def solve(bilayer: Bilayer, spin: str, capacitor: bool, curve_points: int) -> LiquidResult:
    """The liquids of all layers; see `ehbilayer.liquid`. Raises InputError."""
    if spin not in SPINS:
        raise InputError("spin", " | ".join(SPINS), spin, "choose one of these")
    gases = {c.name: gas_of(bilayer, c, spin) for c in bilayer.carriers}
    parts = _parts(bilayer, gases, capacitor)
    per_area, density = sum(vars(parts).values()), sum(c.density for c in bilayer.carriers)
    reference = _reference(bilayer)

    def told(what: str) -> Carriers[float]:
        return Carriers({name: getattr(gas, what) for name, gas in gases.items()})

    return LiquidResult(
        status=Status.converged, phase="liquid", energy_per_area=per_area, energy_per_particle=per_area / density,
        energy_per_hole=per_area / reference.density, energy_parts_per_area=parts,
        spin=Carriers({name: "restricted" if gas.filled > 1 or gas.carrier.flavours == 1 else "polarized"
                       for name, gas in gases.items()}),
        polarization_energy=Carriers({
            c.name: gas_of(bilayer, c, "polarized").energy - gas_of(bilayer, c, "restricted").energy
            for c in bilayer.carriers}),
        fermi_energy=told("fermi_energy"), chemical_potential=told("chemical_potential"),
        alpha_squared=told("alpha_squared"), density=Carriers({c.name: c.density for c in bilayer.carriers}),
        inputs={"carriers": [{"name": c.name, "mass": c.mass, "density": c.density, "flavours": c.flavours}
                             for c in bilayer.carriers], "interaction": bilayer.interaction.parameters,
                "spin": spin, "capacitor": capacitor},
        data=_curve(bilayer, capacitor, curve_points) if curve_points else {})


def _parts(bilayer: Bilayer, gases: dict[str, Gas], capacitor: bool) -> Parts:
    """Energies per area of all carriers together, and of the capacitor: -2 pi d z n z' n' for every pair of layers."""
    charged = 0.0
    if capacitor or bilayer.interaction.finite:
        charged = bilayer.interaction.charging([(c.layer, c.charge * c.density) for c in bilayer.carriers], 1.0)
    return Parts(kinetic=sum(g.carrier.density * g.kinetic for g in gases.values()),
                 exchange=sum(g.carrier.density * g.exchange for g in gases.values()), capacitor=charged)


def _curve(bilayer: Bilayer, capacitor: bool, points: int) -> dict[str, Variable]:
    """Energy per hole (per particle of the first carrier without holes) against the density, by spin."""
    factor, reference = np.geomspace(1 / WIDEST, WIDEST, points), _reference(bilayer)
    energies: dict[str, list[float]] = {spin: [] for spin in SPINS}
    for f in factor.tolist():
        here = bilayer.with_densities({c.name: f * c.density for c in bilayer.carriers})
        for spin, found in energies.items():
            parts = _parts(here, {c.name: gas_of(here, c, spin) for c in here.carriers}, capacitor)
            found.append(sum(vars(parts).values()) / (f * reference.density))
    data = {"curve_density": Variable(("curve_density",), factor * reference.density, "a_h^-2",
                                      f"density of the {reference.name}s, all others in proportion")}
    return data | {f"curve_energy_{spin}": Variable(("curve_density",), np.array(values), "Ha_h",
                                                    f"energy per {reference.name}, spins {spin}")
                   for spin, values in energies.items()}
