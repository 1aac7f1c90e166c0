"""The physics: which particles, in which layers, how far apart, how they interact. No cutoffs here.

Everything is in hole atomic units: hbar = e^2/(4 pi eps) = m_h = 1 (lengths in a_h, energies in Ha_h).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.interaction.base import Coulomb, Interaction

ZERO_MODES = ("none", "madelung")
SPIN_TREATMENTS = ("restricted", "unrestricted", "polarized")


@dataclass(frozen=True)
class Channel:
    """One Slater determinant: ``orbitals`` orbitals, each held by ``degeneracy`` identical flavours."""

    label: str
    species: int  # index into Bilayer.species
    orbitals: int
    degeneracy: int


@dataclass(frozen=True)
class Species:
    """One kind of carrier.

    Parameters
    ----------
    name : ``"electron"``, ``"hole"`` or any other label.
    charge : +1 or -1.
    mass : effective mass in units of the reference (hole) mass.
    layer : index of the layer it lives in (layer l sits at height l * spacing).
    count : number of particles in the box, all flavours together (0 is allowed).
    flavours : number of degenerate spin/valley flavours.
    spin : ``restricted`` (flavours share orbitals), ``unrestricted`` (one determinant per flavour) or
        ``polarized`` (all particles in one flavour).
    dispersion : optional kinetic energy per particle, a function of k with shape (..., 2) in 1/a_h returning
        Ha_h with shape (...); replaces k^2 / 2m.

    Raises
    ------
    InputError : charge not +-1, mass not positive, negative count, a count the spin treatment cannot hold.
    """

    name: str
    charge: int
    mass: float
    layer: int
    count: int
    flavours: int = 2
    spin: str = "polarized"
    dispersion: Callable[[np.ndarray], np.ndarray] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.charge not in (1, -1):
            raise InputError(f"{self.name} charge", "+1 or -1", self.charge, "describe each sign as its own species")
        if not (math.isfinite(self.mass) and self.mass > 0):
            raise InputError(f"{self.name} mass", "a positive number", self.mass, "give the effective mass")
        if self.count < 0 or int(self.count) != self.count:
            raise InputError(f"{self.name} count", "an integer >= 0", self.count, "count particles in the box")
        if self.flavours < 1:
            raise InputError(f"{self.name} flavours", "an integer >= 1", self.flavours, "2 for spin 1/2")
        if self.spin not in SPIN_TREATMENTS:
            raise InputError(f"{self.name} spin", " | ".join(SPIN_TREATMENTS), self.spin, "choose one of these")
        if self.spin == "restricted" and self.count % self.flavours:
            raise InputError(f"{self.name} count", f"a multiple of {self.flavours} (restricted: they share orbitals)",
                             self.count, "change the count, or use unrestricted or polarized spins")

    @property
    def occupied_flavours(self) -> int:
        """How many flavours hold the particles: one where they are polarised."""
        return 1 if self.spin == "polarized" else self.flavours

    @property
    def parameters(self) -> dict[str, Any]:
        """What a result says about the species."""
        return {"name": self.name, "charge": self.charge, "mass": self.mass, "layer": self.layer, "count": self.count,
                "flavours": self.flavours, "spin": self.spin}

    def kinetic(self, k: np.ndarray) -> np.ndarray:
        """Kinetic energy k^2/2m (or the dispersion) in Ha_h; ``k`` has shape (..., 2), the result (...)."""
        if self.dispersion is not None:
            return np.asarray(self.dispersion(k), dtype=float)
        return np.sum(k * k, axis=-1) / (2 * self.mass)

    def channels(self, index: int) -> tuple[Channel, ...]:
        """The Slater determinants this species is made of; none when it has no particles."""
        if self.count == 0:
            return ()
        if self.spin == "polarized" or self.flavours == 1:
            return (Channel(self.name, index, self.count, 1),)
        if self.spin == "restricted":
            return (Channel(self.name, index, self.count // self.flavours, self.flavours),)
        arrows = ["up", "down"] if self.flavours == 2 else [str(i) for i in range(self.flavours)]
        counts = [self.count // self.flavours + (i < self.count % self.flavours) for i in range(self.flavours)]
        return tuple(Channel(f"{self.name} {a}", index, n, 1) for a, n in zip(arrows, counts, strict=True) if n)


@dataclass(frozen=True)
class Bilayer:
    """Species on a torus of a given area, their layers ``spacing`` apart, and how they interact.

    Parameters
    ----------
    species : any number of `Species`.
    spacing : distance between neighbouring layers in a_h, >= 0.
    zero_mode : ``"none"`` (v(0) = 0 everywhere) or ``"madelung"`` (exchange carries the torus' Madelung term).
    capacitor : add the geometric energy 2 pi d N_e N_h / A of the charged layers.
    interaction : the interaction object, bare Coulomb by default.

    Raises
    ------
    InputError : negative or non-finite spacing, unknown zero mode, no particles at all.
    """

    species: tuple[Species, ...]
    spacing: float
    zero_mode: str
    capacitor: bool = False
    interaction: Interaction = field(default_factory=Coulomb)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.spacing) and self.spacing >= 0):
            raise InputError("spacing", "a finite length >= 0 (a_h)", self.spacing, "give the distance between layers")
        if self.zero_mode not in ZERO_MODES:
            raise InputError("zero_mode", " | ".join(ZERO_MODES), self.zero_mode,
                             '"none" reproduces papers, "madelung" is for physics')
        if not any(s.count for s in self.species):
            raise InputError("species", "a list with at least one particle", 0, "raise a count")

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All Slater determinants, in the order of the species."""
        return tuple(c for i, s in enumerate(self.species) for c in s.channels(i))

    @property
    def particles(self) -> int:
        """Number of particles in the box, all species together."""
        return sum(s.count for s in self.species)

    @property
    def sites(self) -> int:
        """Lattice sites of a crystal in the box: one per hole; without holes, per particle of the largest species."""
        return max((s.count for s in self.species if s.name == "hole"), default=0) or max(s.count for s in self.species)

    def distance(self, a: int, b: int) -> float:
        """Vertical distance in a_h between the layers of species ``a`` and ``b``."""
        return abs(self.species[a].layer - self.species[b].layer) * self.spacing
