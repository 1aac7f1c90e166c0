"""The Hamiltonian, one file per term.

A term is an energy functional of the occupied orbitals; its operator is the derivative of that energy. Terms act on a
`State` and answer with an `Action`; a leading batch axis b runs over parameter points throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.model import Bilayer, Channel
from ehbilayer.numerics.fourier import Fourier

Array = Any


@dataclass(frozen=True)
class Filling:
    """Which k blocks a channel occupies and how.

    ``blocks`` (K,) indexes the basis' blocks; ``f`` (K, n) holds the occupation of each band in [0, 1].
    """

    blocks: np.ndarray
    f: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        """Occupations of the orbitals in the order (block, band), shape (P,)."""
        return self.f.ravel()

    @property
    def orbital_blocks(self) -> np.ndarray:
        """Block of each orbital in that order, shape (P,)."""
        return np.repeat(self.blocks, self.f.shape[1])


@dataclass(frozen=True)
class Setting:
    """What terms are built for: one basis and one list of channels, and one `Bilayer` and area per batch entry.

    Terms look up channels by index only. So blocks between two channels, as an electron-hole coherence has them, could
    stand next to ``fillings`` without changing a term.
    """

    basis: PlaneWaveBasis
    fourier: Fourier
    bilayers: Sequence[Bilayer]
    areas: np.ndarray  # (b,)
    fillings: tuple[Filling, ...]

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self.bilayers[0].channels

    def species_of(self, bilayer: Bilayer, channel: int) -> Any:
        return bilayer.species[self.channels[channel].species]


@dataclass(frozen=True)
class State:
    """Occupied orbitals: coefficients c[channel] (b, K, n, g) and their values psi[channel] (b, P, n1, n2)."""

    c: tuple[Array, ...]
    psi: tuple[Array, ...]


@dataclass(frozen=True)
class Action:
    """What a term contributes: its energy (b,), and F psi as coefficients or on the grid, per channel.

    The operator is (dE/dc*) / (degeneracy * occupation), the Fock operator acting on each orbital.
    """

    energy: Array
    coefficients: tuple[Array, ...] | None = None
    grid: tuple[Array, ...] | None = None


class Term(Protocol):
    """One term of the Hamiltonian."""

    name: str

    def act(self, state: State) -> Action:
        """Energy and operator at the state."""
        ...

    def area_derivative(self, state: State) -> Array:
        """dE/dA (b,) at fixed coefficients (Hellmann-Feynman; exact at a converged state)."""
        ...
