r"""The acoustic plasmon from the other side: phonons of the hole lattice, screened by a static electron liquid.

Point holes on a triangular lattice repel each other and polarise the electrons a distance d away,

    U(q) = 2 pi/q - (2 pi/q)^2 e^{-2qd} Pi(q)/(1 + (2 pi/q)(1 - G(q)) Pi(q)),

with Pi the static Lindhard function of the plane and G a local field: 0, or Hubbard's form q/(2 sqrt(q^2 + q_1^2))
with q_1 chosen such that the compressibility is that of the Hartree-Fock gas. The bare half of the dynamical matrix is
an Ewald sum, the induced half the plain sum

    D_ab(q) = n [ sum_G (q+G)_a (q+G)_b U_ind(|q+G|) - sum_{G != 0} G_a G_b U_ind(|G|) ].

At q -> 0 both branches are sound. In an isotropic solid rho v_L^2 = B + mu and rho v_T^2 = mu, so that v_L^2 - v_T^2 is
what alpha^2 measures. The long-wave limit of U, (pi/m_e) + 4 pi d, contains the geometric capacitance: a wave in which
both layers are compressed together pays for it at every q. So this route is to be compared with alpha^2 + 4 d/a_e.

Holes move classically (mass 1, no zero-point smearing) and electrons respond at once and linearly.

Sources: Stern, PRL 18, 546 (1967), the Lindhard function of the plane; Hubbard, Proc. R. Soc. A 243, 336 (1957).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.interaction.base import require_coulomb
from ehbilayer.interaction.lattice_sums.derivatives import ForceConstants
from ehbilayer.model import Bilayer, Carrier, require_balance
from ehbilayer.numerics.lattice import Cell, box_of_shape
from ehbilayer.response.result import LatticeSound

LOCAL_FIELDS = ("none", "exchange")
SMALL = 1e-3  # wave number of the sound velocities, in units of the shortest length scale
ZERO_POINT = 0.893595  # Ha_h r_s^{3/2}: (sum over the triangular lattice of 1/(2 R^3))^{1/2} at n = 1/pi
MESH = 12  # wave vectors along each side of the zone, where a soft phonon is looked for
REACH = 40.0  # reciprocal vectors of the induced sum, in shortest ones; what is left out falls as REACH^-2 at d = 0


@dataclass(frozen=True)
class ScreenedLattice:
    """The holes of a balanced bilayer on a triangular lattice above its electron liquid.

    Parameters
    ----------
    bilayer : masses, spacing, density and flavours of the electrons.
    local_field : ``none`` (random-phase approximation) or ``exchange``.

    Raises
    ------
    InputError : as many electrons as holes are not given, another interaction than Coulomb's, whose sums over the
        lattice these are, a dispersion other than k^2/2m, an unknown local field.
    """

    bilayer: Bilayer
    local_field: str = "none"

    def __post_init__(self) -> None:
        require_coulomb(self.bilayer.interaction, "the screened hole lattice")
        require_balance(self.bilayer, "the screened hole lattice")
        if self.local_field not in LOCAL_FIELDS:
            raise InputError("local_field", " | ".join(LOCAL_FIELDS), self.local_field, "choose one")

    @property
    def electron(self) -> Carrier:
        """The electrons."""
        return self.bilayer.carrier("electron")

    @property
    def density(self) -> float:
        """n of either layer, a_h^-2."""
        return self.electron.density

    @property
    def fermi_wave_number(self) -> float:
        """k_F, 1/a_h."""
        return math.sqrt(4 * math.pi * self.density / self.electron.flavours)

    @property
    def fermi_energy(self) -> float:
        """eps_F in Ha_h, which is also v_0^2 (m_h = 1)."""
        return self.fermi_wave_number**2 / (2 * self.electron.mass)

    @property
    def states(self) -> float:
        """Density of states g m_e/(2 pi), all flavours."""
        return self.electron.flavours * self.electron.mass / (2 * math.pi)

    @cached_property
    def cell(self) -> Cell:
        """One hole."""
        return box_of_shape("triangular", 1 / self.density)

    def polarisability(self, q: np.ndarray) -> np.ndarray:
        """Static Lindhard function Pi(q) > 0 of free electrons in the plane: constant up to 2 k_F."""
        ratio = np.maximum(np.asarray(q, dtype=float) / (2 * self.fermi_wave_number), 1.0)
        return self.states * (1 - np.sqrt(1 - 1 / ratio**2))

    def field_factor(self, q: np.ndarray) -> np.ndarray:
        """The local field G(q)."""
        if self.local_field == "none":
            return np.zeros_like(q)
        # 1/compressibility of the Hartree-Fock gas: 1 - sqrt(g) r_s/pi, so (2 pi/q) G -> sqrt(g) r_s/(pi states)
        contact = math.sqrt(self.electron.flavours) * self.electron.rs / math.pi / self.states
        return np.asarray(q / (2 * np.sqrt(q**2 + (math.pi / contact) ** 2)))

    def induced(self, q: np.ndarray) -> np.ndarray:
        """What electrons add to the repulsion of two holes, U_ind(q) in Ha_h a_h^2, at q > 0 (1/a_h)."""
        v, pi = 2 * np.pi / q, self.polarisability(q)
        coupled = v * np.exp(-q * self.bilayer.spacing)
        return np.asarray(-(coupled**2) * pi / (1 + v * (1 - self.field_factor(q)) * pi))

    @cached_property
    def _bare(self) -> ForceConstants:
        one = np.ones(1)
        return ForceConstants(self.cell.vectors, np.zeros((1, 2)), one, 0 * one)

    @cached_property
    def _waves(self) -> np.ndarray:
        """Reciprocal vectors without 0, as many as the induced interaction needs."""
        shortest = float(np.linalg.norm(self.cell.reciprocal, axis=1).min())
        reach = REACH * shortest
        if self.bilayer.spacing > 0:
            reach = min(reach, 20 / self.bilayer.spacing + 2 * shortest)  # e^{-2qd} has died out
        n = math.ceil(reach / shortest * 2 / math.sqrt(3)) + 1
        i, j = np.meshgrid(np.arange(-n, n + 1), np.arange(-n, n + 1), indexing="ij")
        waves = np.stack([i.ravel(), j.ravel()], axis=1) @ self.cell.reciprocal
        length = np.linalg.norm(waves, axis=1)
        return np.asarray(waves[(length > 0) & (length <= reach)])

    def matrix(self, q: np.ndarray) -> np.ndarray:
        """Dynamical matrix (m, 2, 2) at wave vectors q (m, 2) in 1/a_h, none of them 0; eigenvalues omega^2 in Ha_h^2.
        """
        still = _outer(self._waves, self.induced(np.linalg.norm(self._waves, axis=1))).sum(axis=0)
        moved = q[:, None] + np.concatenate([np.zeros((1, 2)), self._waves])
        length = np.linalg.norm(moved, axis=-1)
        waves = _outer(moved, self.induced(length)).sum(axis=1)
        bare = self._bare.dynamical_matrix(q)[:, 0, :, 0].real
        return np.asarray(bare + self.density * (waves - still))

    def squared(self, q: np.ndarray) -> np.ndarray:
        """omega^2 (m, 2) in ascending order, Ha_h^2 (hbar = m_h = 1)."""
        return np.linalg.eigvalsh(self.matrix(q))

    @cached_property
    def lowest(self) -> float:
        """The lowest omega^2 over half the zone, without its middle, Ha_h^2; below 0 the lattice gives way."""
        i, j = (x.ravel()[1:] for x in np.meshgrid(np.arange(MESH), np.arange(MESH // 2 + 1), indexing="ij"))
        return float(self.squared(np.stack([i, j], axis=1) / MESH @ self.cell.reciprocal).min())

    @cached_property
    def sound(self) -> LatticeSound:
        """Velocities at q -> 0, along and across the wave vector; the error linear in q is taken out."""
        scales = [float(np.linalg.norm(self.cell.reciprocal[0])), 2 * math.pi * self.states]
        scales += [1 / self.bilayer.spacing] if self.bilayer.spacing > 0 else []
        angle = math.pi / 12  # any: a triangular lattice is isotropic
        along, across = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
        sizes = SMALL * min(scales) * np.array([1.0, 2.0])
        d = self.matrix(sizes[:, None] * along) / sizes[:, None, None] ** 2
        parts = [2 * (u @ d[0] @ u) - u @ d[1] @ u for u in (along, across)]
        along_it, across_it = (float(x) / self.fermi_energy for x in parts)
        bulk = along_it - across_it  # which is B/B_0 with the capacitor, 2 g d/a_e
        plates = 2 * self.electron.flavours * self.bilayer.spacing * self.electron.mass
        return LatticeSound(along_it, across_it, bulk, bulk - plates)

    @property
    def zero_point(self) -> float:
        """What zero-point motion adds to alpha^2 in Hartree-Fock, in the limit of heavy holes.

        Each hole oscillates in the field of its equally smeared neighbours: E = ZERO_POINT r_s^{-3/2} Ha_h per hole,
        that is A^{-3/4}.
        """
        return float(21 / 16 * ZERO_POINT * self.bilayer.carrier("hole").rs**-1.5 / self.fermi_energy)


def _outer(k: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.asarray(weight[..., None, None] * k[..., :, None] * k[..., None, :])
