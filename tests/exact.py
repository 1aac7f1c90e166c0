"""The catalogue of exactly known cases, each with its source. Every solver is held to the entries it can reach.

Lengths in a_h, energies in Ha_h (units and conventions: the conventions page of the documentation).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

TRIANGULAR = np.array([[1.0, 0.0], [0.5, math.sqrt(0.75)]])
SQUARE = np.eye(2)


@dataclass(frozen=True)
class Lattice:
    """A static lattice of unit charges in one layer on a uniform background.

    ``madelung`` is sqrt(A) times the potential on a charge without its own (exact, an Epstein zeta function);
    ``energy_rs`` is the published energy per charge times r_s (Ha a_h); ``digits`` is the unit of its last digit.
    """

    name: str
    vectors: np.ndarray
    madelung: float
    energy_rs: float
    digits: float
    source: str


@dataclass(frozen=True)
class Gas:
    """The uniform two-dimensional gas in the Hartree-Fock approximation: energy per particle (Ha) at r_s."""

    name: str
    flavours: int
    energy: Callable[[float], float]
    source: str


def gas_limit(rs: float, flavours: int = 2) -> float:
    """Bulk modulus of the uniform gas over n eps_F, 1 - (sqrt(g)/pi) r_s (Giuliani & Vignale 2005, section 1.3)."""
    return 1 - math.sqrt(flavours) / math.pi * rs


@dataclass(frozen=True)
class Cluster:
    """Classical charges in two layers at distance 1, alone in the plane: energy in e^2/d and size in d."""

    name: str
    charges: tuple[int, ...]
    heights: tuple[float, ...]
    positions: tuple[tuple[float, float], ...]
    energy: float
    digits: float
    source: str


EPSTEIN = ("closed form of the lattice sum continued to s = 1/2: Zucker, J. Phys. A 7, 1568 (1974); "
           "energy: Bonsall & Maradudin, PRB 15, 1959 (1977), Table I")

LATTICES = (
    # sqrt(sqrt(3)/2) * 6 zeta(1/2) L_{-3}(1/2)
    Lattice("triangular", TRIANGULAR, -3.9210315786397833, -1.106103, 1e-6, EPSTEIN),
    # 4 zeta(1/2) beta(1/2)
    Lattice("square", SQUARE, -3.9002649200019558, -1.100244, 1e-6, EPSTEIN),
)

STATIC = "Giuliani & Vignale, Quantum Theory of the Electron Liquid (2005), section 1.3: kinetic plus exchange energy"

GASES = (
    Gas("unpolarised", 2, lambda rs: 1 / (2 * rs**2) - 4 * math.sqrt(2) / (3 * math.pi * rs), STATIC),
    Gas("polarised", 1, lambda rs: 1 / rs**2 - 8 / (3 * math.pi * rs), STATIC),
)


DAI_FU = "Dai & Fu, Strong-coupling phases of trions and excitons in electron-hole bilayers (2024)"


def _trion_radius() -> float:
    # -2 / sqrt(r^2 + 1) + 1 / (2 r) is lowest where r^3 = (r^2 + 1)^{3/2} / 4
    return 1 / math.sqrt(4 ** (2 / 3) - 1)


CLUSTERS = (
    Cluster("exciton", (1, -1), (0.0, 1.0), ((0.0, 0.0), (0.0, 0.0)), -1.0, 1e-15, "Coulomb's law"),
    Cluster("trion", (1, -1, -1), (0.0, 1.0, 1.0), ((0.0, 0.0), (_trion_radius(), 0.0), (-_trion_radius(), 0.0)),
            -0.937, 1e-3, DAI_FU + ", three-body problem: r = 0.811 d, E = -0.937/d"),
)

# Holes with an electron on top of each, and one more electron at the centre of the cell (square) or of every second
# triangle (triangular): the composite crystals of two electrons per hole, one hole per cell of area pi a^2.
COMPOSITE_CROSSING = 5.4224  # a/d below which the checkerboard lies lower, above which the honeycomb
COMPOSITE_CENTRES = {"triangular": (1 / 3, 1 / 3), "square": (1 / 2, 1 / 2)}  # in cell vectors
COMPOSITE_SOURCE = DAI_FU + ", Fig. 1: a/d = 5.42 (5.4224 from an independent calculation)"
