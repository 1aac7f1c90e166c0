"""Electron-hole pairs: their function, who pairs with whom, and the orbitals of carriers that are left over.

    phi(r) = sum_k g_k cos(kr),  g_k = (v_k/u_k)^p e^{c_s},

with v and u of Hartree-Fock-Bogoliubov on the same torus, and free coefficients c_s of the first stars s of k, the last
one for all further stars. With p = 1, c = 0 det[phi(r_e - r_h)] is the projection of the BCS state on N pairs
(Bouchaud, Georges, Lhuillier 1988), which pairs too much: p and c are optimised. The plasma is a limit: where g_k
vanishes outside the Fermi sea, det[phi] = prod_k g_k det[e^{ikr_e}] det[e^{-ikr_h}].

Of a flavour with N carriers, n of whom have partners, the matrix is [phi | N - n plane waves]. The waves are those
between the Fermi seas of n and of N where both close a shell, so that the plasma is a limit again, and else the lowest:
a Fermi sea beside the pairs, right where these are small.

Source: Bouchaud, Georges, Lhuillier, J. Phys. France 49, 553 (1988).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.monte_carlo.determinants import WAVES
from ehbilayer.monte_carlo.factors import Block, Factor
from ehbilayer.monte_carlo.orbitals import (
    Waves,
    closed_shells,
    lowest_waves,
    periodic_table,
    plane_waves,
    reduced_waves,
)
from ehbilayer.torus import Torus

STARS = 8  # with a coefficient of their own, the last for all further ones
SHELL = 1e-6  # relative difference of k^2 within a star


@dataclass(frozen=True, eq=False)
class PairFunction:
    """g_k = exp(p ln(v_k/u_k) + c_s) on given integer waves of the reduced cell.

    waves : (n, 2).   log_ratio : ln(v_k/u_k) (n,).   stars : number of the coefficient of every wave (n,); without,
    there are none. The parameters are ln p, and c.
    """

    waves: np.ndarray
    log_ratio: np.ndarray
    stars: np.ndarray | None = None
    name: str = "pairs"

    def start(self) -> np.ndarray:
        """The parameters to begin with: the state of Hartree-Fock-Bogoliubov itself."""
        return np.zeros(1 if self.stars is None else 2 + int(self.stars.max()))

    def carried(self, parameters: np.ndarray, scale: float) -> np.ndarray:
        """The parameters where all lengths are ``scale`` times as long: pure numbers, which stay."""
        return parameters

    def table(self, cell: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Spline coefficients (2, M, M) of the pair function and of its Laplacian."""
        exponent = np.exp(parameters[0]) * self.log_ratio
        if self.stars is not None:
            exponent = exponent + parameters[1 + self.stars]
        return periodic_table(cell, self.waves, np.exp(np.clip(exponent - exponent.max(), -80.0, 0.0)))


def pair_function(torus: Torus, pairs: Sequence[tuple[Block, Block]], tolerance: float = 1e-5) -> PairFunction:
    """The pair function of our condensate of as many pairs of a flavour on the same torus.

    Flavours know of each other by the capacitor alone, which there is none of. Raises InputError where it does not
    condense there.
    """
    from ehbilayer.condensate import condensate

    count = min(block.count for block in pairs[0])
    names = [torus.species[block.species].name for block in pairs[0]]
    balanced = replace(torus, bilayer=torus.bilayer.with_densities(dict.fromkeys(names, count / torus.area)),
                       holes=count, electrons=None, electron_spin="polarized", hole_spin="polarized")
    state = condensate(balanced, spin="polarized", curve_points=0, tolerance=tolerance, progress=False)
    if state.phase != "condensate":
        raise InputError("trial", "liquid where Hartree-Fock-Bogoliubov has no condensate", "condensate",
                         "lower the density, or take the liquid")
    angle = np.clip(np.abs(state.data["angle"].values), 1e-12, np.pi / 2 - 1e-12)
    waves = state.data["waves"].values
    square = np.sum((waves @ torus.box.reciprocal) ** 2, axis=1)
    lengths = np.sort(square)
    first = lengths[np.diff(lengths, prepend=-1.0) > SHELL * lengths[-1] / len(lengths)]
    stars = np.searchsorted(first * (1 + SHELL), square)
    return PairFunction(reduced_waves(torus, waves), np.log(np.tan(angle)), np.minimum(stars, STARS - 1))


def partners(torus: Torus, blocks: Sequence[Block]) -> list[tuple[Block, Block | None]]:
    """Each flavour of electrons with one of holes, the larger first; flavours that are left over alone.

    Raises InputError without electrons or holes, and for flavours with different numbers of pairs.
    """
    sides = [[b for b in blocks if torus.species[b.species].charge == charge] for charge in (-1, 1)]
    found = []
    for electrons, holes in zip_longest(*sides):
        one, two = (electrons, holes) if holes is None or (electrons and electrons.count >= holes.count) else (
            holes, electrons)
        found.append((one, two))
    numbers = {two.count for _, two in found if two is not None}
    if len(numbers) != 1:
        raise InputError("trial", "a condensate of electrons and holes, as many pairs in each flavour",
                         {"electrons": [b.count for b in sides[0]], "holes": [b.count for b in sides[1]]},
                         "set electron_spin and hole_spin alike, or take another trial")
    return found


def paired(torus: Torus, found: Sequence[tuple[Block, Block | None]]) -> tuple[Factor, ...]:
    """The determinants of pairs, with plane waves for those that are left over.

    Raises InputError for numbers of these that close no shell.
    """
    factors = []
    for block, partner in found:
        count = 0 if partner is None else partner.count
        waves = _left_over(torus, block, count)
        factors.append(Factor(block, WAVES, waves, partner=partner, orbital=-1 if partner is None else 0))
    return tuple(factors)


def _left_over(torus: Torus, block: Block, pairs: int) -> Waves:
    """The plane waves of the particles of a block beyond its ``pairs``."""
    if block.count == pairs:
        return Waves.none()
    closed = closed_shells(torus.box, block.count).tolist()
    if pairs in closed and block.count in closed:
        return Waves.of(lowest_waves(torus.box, block.count)[pairs:])
    name = f"{torus.species[block.species].name}s"
    return plane_waves(torus.box, block.count - pairs, f"{name} without a partner" if pairs else name)
