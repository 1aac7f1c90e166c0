"""The Hamiltonian, one file per term.

A term is an energy functional of the occupied orbitals; its operator is the derivative of that energy. Terms act on a
`State` and answer with an `Action`; a leading batch axis b runs over parameter points throughout. What is asked of all
terms alike (levels, gaps, bands, pressure, bulk modulus) is a sum over the list of terms: a further term is a class
with the methods of `Term`, and nothing else changes.

Coefficients of a spinor are those of its components, one after another: (b, K, n, S g).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, final

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.torus import Channel, Species, Torus

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


class Part(NamedTuple):
    """One component of one channel's spinors: numbers of the channel, of the component, of the species, and the sign
    with which its charge and kinetic energy count (-1 for a particle-hole transformed component)."""

    channel: int
    component: int
    species: int
    sign: int


@dataclass(frozen=True)
class Setting:
    """What terms are built for: one basis, one list of channels, and one `Torus` per batch entry.

    The tori have the same species; masses, interactions and areas may differ. ``channels`` are those of the tori
    unless others are given, spinors of several components for instance.
    """

    basis: PlaneWaveBasis
    fourier: Fourier
    tori: Sequence[Torus]
    fillings: tuple[Filling, ...]
    own_channels: tuple[Channel, ...] | None = None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The Slater determinants."""
        return self.own_channels or self.tori[0].channels

    @cached_property
    def areas(self) -> np.ndarray:
        """Area of each torus in a_h^2, (b,)."""
        return np.array([t.area for t in self.tori])

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """All components of all channels."""
        return tuple(Part(c, i, s, sign) for c, channel in enumerate(self.channels)
                     for i, (s, sign) in enumerate(zip(channel.components, channel.signs, strict=True)))

    def parts_of(self, channel: int) -> tuple[Part, ...]:
        """The components of one channel."""
        return tuple(p for p in self.parts if p.channel == channel)

    def species_of(self, torus: Torus, channel: int) -> Species:
        """The only species of a channel."""
        return torus.species[self.channels[channel].species]

    def split(self, x: Array, channel: int) -> Array:
        """Coefficients (b, K, n, S g) with the components as orbitals of their own, (b, K, n S, g)."""
        count = len(self.channels[channel].components)
        return x if count == 1 else x.reshape(*x.shape[:2], x.shape[2] * count, x.shape[3] // count)

    def join(self, x: Array, channel: int) -> Array:
        """The inverse of `split`."""
        count = len(self.channels[channel].components)
        return x if count == 1 else x.reshape(*x.shape[:2], x.shape[2] // count, x.shape[3] * count)


@final
class Values(Sequence[Array]):
    """Values of the orbitals of each channel on the grid, computed when they are asked for."""

    def __init__(self, make: Callable[[int], Array], channels: int) -> None:
        self._make = make
        self._known: list[Array | None] = [None] * channels

    def __len__(self) -> int:
        return len(self._known)

    def __getitem__(self, channel: Any) -> Any:
        if isinstance(channel, slice):
            return tuple(self)[channel]
        found = self._known[channel]
        if found is None:
            found = self._known[channel] = self._make(range(len(self))[channel])
        return found


@dataclass(frozen=True)
class State:
    """Occupied orbitals: coefficients c[channel] (b, K, n, S g), their values psi[channel] (b, P, S, n1, n2)."""

    c: tuple[Array, ...]
    psi: Sequence[Array]


@dataclass(frozen=True)
class Action:
    """What a term contributes: its energy (b,), and F psi as coefficients (b, K, n, S g) or on the grid
    (b, P, S, n1, n2), per channel; None for nothing.

    The operator is (dE/dc*) / (degeneracy * occupation), the Fock operator acting on each orbital.
    """

    energy: Array
    coefficients: tuple[Array | None, ...] | None = None
    grid: tuple[Array | None, ...] | None = None


class Operator(Protocol):
    """The operator of one term on one channel, the occupied orbitals held fixed (first batch entry)."""

    def blocks(self) -> np.ndarray:
        """Its matrix between the waves of each k block, (K, S g, S g')."""
        ...

    def at(self, block: int, shifts: np.ndarray) -> np.ndarray:
        """The matrix (T, S g, S g') of one block with its k point moved by ``shifts`` (T, 2), in torus integers."""
        ...

    def on(self, x: Array, psi: Array, blocks: np.ndarray) -> tuple[Array | None, Array | None]:
        """Applied to other orbitals: coefficients x (1, K, n, S g) and values psi (1, P, S, n1, n2) on ``blocks`` (P,).

        Returns what it adds to the coefficients and what on the grid, None for nothing.
        """
        ...


class Term(Protocol):
    """One term of the Hamiltonian.

    ``one_body`` says that the energy is quadratic in the orbitals (an interaction is quartic).
    Rigid translations cost nothing where all terms are ``uniform``.
    """

    name: str
    one_body: bool

    @property
    def uniform(self) -> bool:
        """Whether a state has the same energy wherever it is moved."""
        ...

    def act(self, state: State) -> Action:
        """Energy and operator at the state."""
        ...

    def derivative(self, order: int) -> Term:
        """The term whose energy is d^order E/d(ln A)^order at fixed coefficients on fixed integer waves, order 1 or 2.

        Raises InputError where the term does not know how it changes with the area.
        """
        ...

    def operator(self, state: State, channel: int) -> Operator:
        """The operator on one channel."""
        ...


TermOf = Callable[[Setting], Term]  # a class of terms, as a rule
