"""The uniform liquids of all layers, each with the spins that are asked for or that lie lowest, and their curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.liquid import SPINS
from ehbilayer.liquid.gas import Gas
from ehbilayer.liquid.partial import PartialGas, polarised, warm_energy
from ehbilayer.liquid.result import LiquidResult, Parts
from ehbilayer.liquid.warm_gas import WarmGas
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status

WIDEST = 100.0  # factor of the density by which the curve reaches up and down
EQUAL = 1e-9  # polarisation of flavours that are alike


def gas_of(bilayer: Bilayer, carrier: Carrier, spin: str) -> Gas | WarmGas | PartialGas:
    """The gas of one carrier with this spin, or with that of the lower energy, at a temperature of the free energy.

    The ``lowest`` without a field has so many flavours alike and the others empty, as of any two flavours that share
    what they hold equal parts or one alone have the lowest energy; in a field it is searched for.
    """
    def filled(of: Carrier, flavours: int) -> Gas | WarmGas:
        if bilayer.temperature:
            return WarmGas(of, bilayer.interaction, flavours, bilayer.temperature)
        return Gas(of, bilayer.interaction, flavours)

    n, g = carrier.density, carrier.flavours
    if not carrier.splitting:
        numbers = {"restricted": (g,), "polarized": (1,)}.get(spin, range(g, 0, -1))
        return min((filled(carrier, k) for k in numbers), key=lambda gas: gas.energy)
    alone = replace(carrier, flavours=1, splitting=0.0, density=1.0)

    def cold(density: float) -> float:
        return density * Gas(replace(alone, density=density), bilayer.interaction, 1).energy

    energy = warm_energy(alone, bilayer.interaction, bilayer.temperature) if bilayer.temperature else cold

    densities = {"restricted": (n / g,) * g, "polarized": (n,) + (0.0,) * (g - 1)}
    return PartialGas.of(filled, carrier, densities[spin] if spin in densities else polarised(energy, carrier))


def _spin(gas: Gas | WarmGas | PartialGas) -> str:
    """How its flavours are filled."""
    every = gas.carrier.flavours
    if isinstance(gas, PartialGas):
        if gas.filled == every and gas.polarisation < EQUAL:
            return "restricted"
        return "polarized" if gas.filled == 1 else "partial"
    return "restricted" if gas.filled == every else "polarized" if gas.filled == 1 else "partial"


def _densities(gas: Gas | WarmGas | PartialGas) -> list[float]:
    """Of its flavours, all of them, a_h^-2; the fullest first."""
    every = gas.carrier.flavours
    held = [f.carrier.density for f in gas.flavours] if isinstance(gas, PartialGas) else \
        [gas.carrier.density / gas.filled] * gas.filled
    return sorted(held, reverse=True) + [0.0] * (every - len(held))


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
        spin=Carriers({name: _spin(gas) for name, gas in gases.items()}),
        flavour_densities=Carriers({name: tuple(_densities(gas)) for name, gas in gases.items()}),
        polarization_energy=Carriers({
            c.name: gas_of(bilayer, c, "polarized").energy - gas_of(bilayer, c, "restricted").energy
            for c in bilayer.carriers}),
        fermi_energy=told("fermi_energy"), chemical_potential=told("chemical_potential"),
        alpha_squared=told("alpha_squared"), density=Carriers({c.name: c.density for c in bilayer.carriers}),
        temperature=bilayer.temperature or None, entropy=told("entropy") if bilayer.temperature else None,
        inputs={"carriers": [{"name": c.name, "mass": c.mass, "density": c.density, "flavours": c.flavours,
                              **({"splitting": c.splitting} if c.splitting else {})}
                             for c in bilayer.carriers], "interaction": bilayer.interaction.parameters,
                "spin": spin, "capacitor": capacitor, **({"temperature": bilayer.temperature} if bilayer.temperature
                                                         else {})},
        data=_curve(bilayer, capacitor, curve_points) if curve_points else {})


def _parts(bilayer: Bilayer, gases: Mapping[str, Gas | WarmGas | PartialGas], capacitor: bool) -> Parts:
    """Energies per area of all carriers together, and of the capacitor: -2 pi d z n z' n' for every pair of layers."""
    charged = 0.0
    if capacitor or bilayer.interaction.finite:
        charged = bilayer.interaction.charging([(c.layer, c.charge * c.density) for c in bilayer.carriers], 1.0)
    return Parts(kinetic=sum(g.carrier.density * g.kinetic for g in gases.values()),
                 exchange=sum(g.carrier.density * g.exchange for g in gases.values()), capacitor=charged,
                 heat=sum(g.carrier.density * g.heat for g in gases.values()),
                 zeeman=sum(g.carrier.density * g.zeeman for g in gases.values() if isinstance(g, PartialGas)))


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
