"""What a typed program of a user looks like: `mypy --strict` reads it in test_typing, nothing runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import ehbilayer
from ehbilayer.interaction.base import Interaction
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.results.base import Quantity, Result
from ehbilayer.torus import Torus


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


def energy(result: Result) -> float:
    """A number with a unit is a float."""
    return result.energy + result.energy_unconverged()


def in_meV(number: Quantity) -> float:
    return number.to("meV")


def computed() -> Result:
    study = ehbilayer.load_study("examples/exciton.toml")
    return ehbilayer.run(study, should_stop=lambda: ehbilayer.Status.timeout)
