"""A response as it is asked for, and its parts in order: local fields, energies, stability, modes, loss function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import Ended, Hooks
from ehbilayer.liquid import SPINS
from ehbilayer.liquid.gas import Gas
from ehbilayer.liquid.solve import gas_of
from ehbilayer.model import Bilayer, Carrier, require_plain
from ehbilayer.response import crystal
from ehbilayer.response import liquids as theory
from ehbilayer.response.hole_lattice import ScreenedLattice
from ehbilayer.response.liquids import Liquids
from ehbilayer.response.local_fields import Stls, hubbard
from ehbilayer.response.modes import acoustic_velocity, followed, optical_start
from ehbilayer.response.polarisation import FreeGas
from ehbilayer.response.result import ResponseResult, SumRule
from ehbilayer.response.warm_polarisation import WarmFreeGas
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status

APPROXIMATIONS = ("rpa", "hubbard", "stls")
HOLES = ("liquid", "crystal")
MODE_POINTS, FIRST = 150, 1e-3  # wave numbers of modes, the first over the last
DISTANCES, FARTHEST = 120, 12.0  # of g(r), and the largest over 1/k_F of the least dense carrier
SHOWN = 4.0  # largest wave number of tables over the largest 2 k_F
DIFFERENCE = 0.02  # of the densities, for the stiffness of the energy


@dataclass(frozen=True)
class Asked:
    """What is asked of a bilayer; see `ehbilayer.response`. Raises InputError."""

    bilayer: Bilayer
    approximation: str = "rpa"
    spin: str = "restricted"
    wave_numbers: int = 100
    frequencies: int = 200
    largest_wave_number: float | None = None
    largest_frequency: float | None = None
    broadening: float | None = None
    sum_rule: bool = False
    holes: str = "liquid"

    def __post_init__(self) -> None:
        require_plain(self.bilayer, "the response of liquids", warm=True)
        for name, value, choices in (("approximation", self.approximation, APPROXIMATIONS), ("spin", self.spin, SPINS),
                                     ("holes", self.holes, HOLES)):
            if value not in choices:
                raise InputError(name, " | ".join(choices), value, "choose one of these")
        for name, size in (("wave_numbers", self.wave_numbers), ("frequencies", self.frequencies)):
            if isinstance(size, bool) or int(size) != size or not 0 <= size <= 5000:
                raise InputError(name, "an integer from 0 to 5000", size, "0 leaves the loss function out")
        for name, limit in (("largest_wave_number", self.largest_wave_number),
                            ("largest_frequency", self.largest_frequency), ("broadening", self.broadening)):
            if limit is not None and not 0 < limit < np.inf:
                raise InputError(name, "a positive number", limit, "leave it out, and it is chosen")
        if self.holes == "crystal":
            crystal.check(self.bilayer, self.approximation, self.spin, self.sum_rule)

    def liquids(self, factor: float = 1.0) -> Liquids:
        """The gases of all carriers with the spin that is asked for, at a ``factor`` of the densities."""
        bilayer = self.bilayer.with_densities({c.name: factor * c.density for c in self.bilayer.carriers})
        filled = {c.name: gas_of(self.bilayer, c, self.spin).filled for c in self.bilayer.carriers}
        heat = self.bilayer.temperature

        def gas(c: Carrier) -> FreeGas | WarmFreeGas:
            return WarmFreeGas(c, filled[c.name], heat) if heat else FreeGas(c, filled[c.name])

        return Liquids(tuple(gas(c) for c in bilayer.carriers), bilayer.interaction)


@dataclass(frozen=True, eq=False)
class Correlated:
    """Local fields L and S - delta at the waves of the grid, and E_c per area."""

    field: np.ndarray
    hole: np.ndarray
    energy: float
    converged: bool

    @classmethod
    def of(cls, liquids: Liquids, approximation: str, progress: Callable[[str], None]) -> Correlated:
        """By one of APPROXIMATIONS."""
        q = liquids.grid.q
        field = np.zeros((len(q), *liquids.roots.shape))
        if approximation == "stls":
            return cls._stls(liquids, progress)
        if approximation == "hubbard":
            field = hubbard(liquids)

        def at(coupling: float) -> np.ndarray:
            one = liquids.at(coupling)
            return theory.holes(one, liquids.on_axis, one.effective(q, field))

        energy = theory.ring_energy(liquids) if approximation == "rpa" else theory.coupled_energy(liquids, at)
        return cls(field, at(1.0), energy, True)

    @classmethod
    def _stls(cls, liquids: Liquids, progress: Callable[[str], None]) -> Correlated:
        progress("local fields: angles of all pairs of waves")
        stls, good = Stls.of(liquids), []
        field = None

        def at(coupling: float) -> np.ndarray:
            nonlocal field
            progress(f"local fields: coupling {coupling:.3g}")
            found = stls.solve(coupling, field)
            good.append(found.converged)
            field = found.field if found.converged else None
            return found.hole

        energy = theory.coupled_energy(liquids, at)
        last = stls.solve(1.0, field)
        return cls(last.field, last.hole, energy, last.converged and all(good))


def solve(asked: Asked, hooks: Hooks) -> ResponseResult:
    """All parts; see `ehbilayer.response`."""
    liquids = asked.liquids()
    names = [c.name for c in asked.bilayer.carriers]
    common: dict[str, Any] = {"phase": "liquid", "approximation": asked.approximation,
              "fermi_velocity": Carriers({n: g.velocity for n, g in zip(names, liquids.gases, strict=True)}),
              "density": Carriers({c.name: c.density for c in asked.bilayer.carriers}),
              "filled_flavours": Carriers({n: g.filled for n, g in zip(names, liquids.gases, strict=True)}),
              "inputs": _inputs(asked)}
    try:
        if asked.holes == "crystal":
            lattice = ScreenedLattice(asked.bilayer, crystal.FIELDS[asked.approximation])
            return crystal.solve(lattice, liquids, asked, common, hooks)
        return _solve(asked, liquids, names, common, hooks)
    except Ended as end:
        return ResponseResult(status=end.status, **common)


def _solve(asked: Asked, liquids: Liquids, names: list[str], common: dict[str, Any], hooks: Hooks) -> ResponseResult:
    hooks.look(f"response in {asked.approximation}")
    found = Correlated.of(liquids, asked.approximation, hooks.look)
    reference = next((c for c in asked.bilayer.carriers if c.charge > 0), asked.bilayer.carriers[0])
    least, softest = _softest(liquids, found.field)
    rule = _sum_rule(asked, liquids, found, hooks.look)
    sound, (together, heavy) = acoustic_velocity(liquids, found.field), _velocities(liquids, rule)
    data = _functions(liquids, found, names) | _modes(asked, liquids, found.field, sound)
    if asked.wave_numbers and asked.frequencies:
        data |= _loss(asked, liquids, found.field, data)
    contact = theory.contact(liquids, found.hole)
    return ResponseResult(
        status=Status.converged if found.converged else Status.not_converged,
        advice="" if found.converged else "no response agrees with its own pair correlation here: at this density the "
                                          "liquid has no stable response in this theory, or pairs are bound",
        acoustic_velocity=None if sound is None else sound.real,
        acoustic_damping=None if sound is None else -sound.imag,
        hydrodynamic_velocity=together, lattice_velocity=heavy, correlation_energy_per_area=found.energy,
        correlation_energy_per_hole=found.energy / reference.density,
        energy_per_hole=(_mean_field(liquids) + found.energy) / reference.density,
        contact={f"{a}-{b}": float(contact[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if i <= j},
        stable=least > 0, least_stability=least, softest_wave_number=softest, stiffness=rule, data=data, **common)


def _mean_field(liquids: Liquids) -> float:
    """Kinetic and exchange energy per area, without correlation; at a temperature the free energy of free gases."""
    if any(isinstance(g, WarmFreeGas) for g in liquids.gases):
        return theory.free_exchange(liquids) + sum(g.carrier.density * g.free_energy for g in liquids.gases
                                                   if isinstance(g, WarmFreeGas))
    return sum(g.carrier.density * Gas(g.carrier, liquids.interaction, g.filled).energy for g in liquids.gases)


def _inputs(asked: Asked) -> dict[str, Any]:
    return {"carriers": [{"name": c.name, "mass": c.mass, "density": c.density, "flavours": c.flavours}
                         for c in asked.bilayer.carriers], "spacing": asked.bilayer.spacing,
            "interaction": asked.bilayer.interaction.parameters, "approximation": asked.approximation,
            "spin": asked.spin, "temperature": asked.bilayer.temperature,
            **({} if asked.holes == "liquid" else {"holes": asked.holes})}


def _softest(liquids: Liquids, field: np.ndarray) -> tuple[float, float]:
    """The lowest eigenvalue of 1 + N_0^(1/2) W N_0^(1/2) over waves that gases see, N_0 = -chi_0(q, 0), and its q."""
    q = liquids.grid.q[liquids.grid.q < SHOWN * 2 * max(g.fermi for g in liquids.gases)]
    field = field[:len(q)]
    root = np.sqrt(np.stack([-g.imaginary(q, np.zeros_like(q)) for g in liquids.gases], axis=-1))
    w = liquids.effective(q, field)
    lowest = np.linalg.eigvalsh(np.eye(w.shape[-1]) + root[:, :, None] * w * root[:, None, :])[:, 0]
    at = int(np.argmin(lowest))
    return float(lowest[at]), float(q[at])


def _direction(liquids: Liquids) -> bool:
    """Whether all densities can change in step: one carrier, or two of opposite charge and equal density."""
    gases = liquids.gases
    return len(gases) == 1 or (len(gases) == 2 and gases[0].carrier.charge != gases[1].carrier.charge
                               and abs(gases[0].carrier.density / gases[1].carrier.density - 1) < 1e-9)


def _sum_rule(asked: Asked, liquids: Liquids, found: Correlated, told: Callable[[str], None]) -> SumRule | None:
    """The stiffness of the response at q -> 0, and that of the energy by differences of fourth order."""
    if not _direction(liquids):
        return None
    response = float(liquids.soft(found.field).sum() + sum(1 / g.states for g in liquids.gases))
    if not asked.sum_rule:
        return SumRule(response)

    def energy(factor: float) -> float:
        one = asked.liquids(factor)
        layers = [(g.carrier.layer, g.carrier.charge * g.carrier.density) for g in one.gases]
        charged = liquids.interaction.charging(layers, 1.0)
        return charged + Correlated.of(one, asked.approximation, told).energy + _mean_field(one)

    h = DIFFERENCE
    e = [energy(1 + i * h) for i in (-2, -1, 0, 1, 2)]
    bend = (-e[0] + 16 * e[1] - 30 * e[2] + 16 * e[3] - e[4]) / (12 * h * h)
    return SumRule(response, bend / float(liquids.densities[0]) ** 2)


def _velocities(liquids: Liquids, rule: SumRule | None) -> tuple[float | None, float | None]:
    """c^2 = K n/sum m, and (K - 1/N_0) n/m of the heaviest carrier alone, of two."""
    if rule is None or len(liquids.gases) < 2:
        return None, None
    n, heavy = float(liquids.densities[0]), max(liquids.gases, key=lambda g: g.carrier.mass)
    one = rule.response * n / sum(g.carrier.mass for g in liquids.gases)
    other = (rule.response - 1 / heavy.states) * n / heavy.carrier.mass
    return (math.sqrt(one) if one > 0 else None), (math.sqrt(other) if other > 0 else None)


def _functions(liquids: Liquids, found: Correlated, names: list[str]) -> dict[str, Variable]:
    """Structure factors, local fields, static response and pair correlations, by pair."""
    q = np.linspace(0, SHOWN, 201)[1:] * 2 * max(g.fermi for g in liquids.gases)
    between = liquids.grid.interpolation(q)
    field, hole = (np.tensordot(between, x, 1) for x in (found.field, found.hole))
    free = np.stack([g.imaginary(q, np.zeros_like(q)) for g in liquids.gases], axis=-1)
    chi = theory.screened(free, liquids.effective(q, field))
    r = np.linspace(0, FARTHEST, DISTANCES + 1)[1:] / min(g.fermi for g in liquids.gases)
    pairs = [(i, j) for i in range(len(names)) for j in range(i, len(names))]

    def by_pair(values: np.ndarray) -> np.ndarray:
        return np.stack([values[:, i, j] for i, j in pairs])

    waves = ("pair", "wave_number")
    return {
        "wave_number": Variable(("wave_number",), q, "a_h^-1", "of density waves"),
        "pair": Variable(("pair",), np.array([f"{names[i]}-{names[j]}" for i, j in pairs]), "1", "carriers"),
        "structure_factor": Variable(waves, by_pair(hole + np.eye(len(names))), "1", "S_ab(q)"),
        "local_field": Variable(waves, by_pair(field), "1", "v_ab G_ab over sqrt(v_aa v_bb)"),
        "static_response": Variable(waves, by_pair(chi), "Ha_h^-1 a_h^-2", "chi_ab(q, 0)"),
        "distance": Variable(("distance",), r, "a_h", "in the plane"),
        "pair_correlation": Variable(("pair", "distance"), by_pair(theory.correlation(liquids, found.hole, r)), "1",
                                     "g_ab(r) of all flavours")}


def _modes(asked: Asked, liquids: Liquids, field: np.ndarray, sound: complex | None) -> dict[str, Variable]:
    """Frequency and damping of both plasmons against q."""
    q = np.geomspace(FIRST, 1.0, MODE_POINTS) * _largest(asked, liquids)
    at = np.tensordot(liquids.grid.interpolation(q), field, 1)
    dim, found = ("mode_wave_number",), {
        "mode_wave_number": Variable(("mode_wave_number",), q, "a_h^-1", "of plasmons")}
    optical = None if liquids.interaction.finite else optical_start(liquids, float(q[0]))
    for name, start, power in (("acoustic", None if sound is None else sound * q[0], 1.0), ("optical", optical, 0.5)):
        if start is None:
            continue
        z = followed(liquids, q, at, start, power)
        found[f"{name}_frequency"] = Variable(dim, z.real, "Ha_h", f"of the {name} plasmon; NaN: there is none")
        found[f"{name}_damping"] = Variable(dim, -z.imag, "Ha_h", "-Im of it")
    return found


def _largest(asked: Asked, liquids: Liquids) -> float:
    return asked.largest_wave_number or 1.5 * max(g.fermi for g in liquids.gases)


def _loss(asked: Asked, liquids: Liquids, field: np.ndarray, modes: dict[str, Variable]) -> dict[str, Variable]:
    """-Im (1 + V chi)_aa over (q, w + i eta)."""
    last = _largest(asked, liquids)
    q = np.linspace(0, last, asked.wave_numbers + 1)[1:]
    highest = [float(np.nanmax(modes[f"{n}_frequency"].values, initial=0.0)) for n in ("acoustic", "optical")
               if f"{n}_frequency" in modes]
    pairs = max(last * g.velocity + last**2 / (2 * g.carrier.mass) for g in liquids.gases)
    top = asked.largest_frequency or 1.2 * max(highest, default=pairs) or pairs
    w = np.linspace(0, top, asked.frequencies + 1)[1:]
    eta = asked.broadening or 2 * top / asked.frequencies
    at = np.tensordot(liquids.grid.interpolation(q), field, 1)
    free = np.stack([g.real(q[:, None], w + 1j * eta) for g in liquids.gases], axis=-1)
    chi = theory.screened(free, liquids.effective(q, at)[:, None])
    return theory.loss_variables(liquids, q, w, eta, chi)
