"""What a typed program of a user looks like: `mypy --strict` reads it in test_typing, nothing runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import ehbilayer
from ehbilayer import (
    Bilayer,
    Carrier,
    Interaction,
    Result,
    Torus,
    compressibility,
    condensate,
    crystal,
    few_body,
    hartree_fock,
    pairing,
    phases,
    phonons,
)
from ehbilayer.hamiltonian import STANDARD
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.phases.candidates import Candidate
from ehbilayer.results.base import Quantity
from ehbilayer.terms import Action, Setting, State
from ehbilayer.terms.local import LocalOperator


@dataclass(frozen=True)
class Gated(Interaction):
    """An interaction of one's own."""

    spacing: float
    gate: float
    name = "gated"

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        safe = np.where(q > 0, q, 1.0)
        found = 2 * np.pi / safe * np.exp(-safe * self.distance(a, b)) * np.tanh(safe * self.gate)
        return np.where(q > 0, found, 0.0)

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        return 0.0, 2 * np.pi * self.gate


def bilayer(interaction: Interaction | None = None) -> Bilayer:
    return Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1.29e12 cm^-2", interaction=interaction)


def torus(of: Bilayer) -> Torus:
    return Torus(of, holes=36, zero_mode="madelung")


def dispersion(carrier: Carrier) -> Callable[[np.ndarray], np.ndarray]:
    return carrier.kinetic


class Well:
    """A term of one's own: a potential of the holes."""

    name = "well"
    one_body = True
    uniform = False

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.v = np.zeros(setting.basis.shape)

    def act(self, state: State) -> Action:
        return Action(np.zeros(1), grid=tuple(self.v * psi for psi in state.psi))

    def derivative(self, order: int) -> Well:
        return self

    def operator(self, state: State, channel: int) -> LocalOperator:
        return LocalOperator.of_values(self.setting, self.v[None])


def computed() -> HartreeFockResult:
    lines: list[str] = []
    return hartree_fock(torus(bilayer()), "trion-crystal", hexagon=8, terms=(*STANDARD, Well), progress=lines.append,
                        should_stop=lambda: ehbilayer.Status.timeout)


def read_off(state: HartreeFockResult) -> list[float]:
    """A number with a unit is a float; what may be absent is asked for."""
    gap, pressure = state.gap.electron, state.pressure
    found = [state.energy, state.energy_per_particle, *(row.energy for row in state.starts)]
    return found + [x for x in (gap, pressure) if x is not None]


def in_meV(number: Quantity) -> float:
    return number.to("meV")


def others() -> list[str]:
    device = bilayer()
    verdict = phases(torus(device), ["liquid", Candidate.of("four", torus(device), holes_per_cell=4, hexagon=7)])
    bound: bool | None = few_body(device, "trion-").bound
    solid: Result = crystal(device, "honeycomb")
    stable: bool | None = phonons(device, "honeycomb").stable
    stiff = compressibility(torus(device), sizes=[16, 36]).alpha_squared
    cold = pairing(device, alpha_squared=stiff, method="eliashberg")
    return [verdict.winner, condensate(device).phase, solid.kind, str(bound), str(stable), cold.kind]


def of_a_file() -> Result:
    return ehbilayer.run(ehbilayer.load_study("examples/exciton.toml"), "exciton", max_time=60.0)
