r"""Two gates, two layers, three capacitors: what voltages do to the layers.

Charges of electrons, e = 1; heights from top to bottom: top gate, electrons, holes, bottom gate, at distances t, d, b
that count kappa/eps times, so that 1/C = 4 pi t and so on in atomic units; L = t + d + b. Without carriers the
potentials of the layers are means of those of the gates, carriers add theirs,

    phi_e = [(d + b) V_t + t V_b]/L - K_ee n_e - K_eh n_h,    phi_h = [b V_t + (t + d) V_b]/L + K_eh n_e + K_hh n_h,
    K_ee = 4 pi t (d + b)/L,    K_hh = 4 pi b (t + d)/L,    K_eh = -4 pi t b/L.

An electron at the bottom of its band costs E_c - phi_e and comes from a contact at -V_e, a hole costs phi_h - E_v and
comes from one at V_h; the bias is V = V_h - V_e, E_g = E_c - E_v. So per area, at given voltages,

    Omega = f(n_e, n_h) + (1/2) n K n - w n,    w_e = phi_e(0) - E_c - V_e,    w_h = E_v - phi_h(0) + V_h

is lowest: three voltages act by two numbers w, the chemical potentials of empty layers. Their sum is
V - E_g + (V_t - V_b) d/L; a common shift of both gates moves w_e and w_h oppositely.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ehbilayer.errors import InputError

GROUNDS = {"electron": 0.0, "middle": 0.5, "hole": 1.0}  # share of the bias by which the electrons' contact lies below


@dataclass(frozen=True)
class Stack:
    """Gates, layers and contacts.

    Parameters
    ----------
    top, spacer, bottom : kappa/eps times the distances of top gate and electrons, of both layers, of holes and bottom
        gate (a_h); a gate that is absent is at infinity.
    gap : E_g, Ha_h.   conduction : E_c over the Fermi level of the gates' metal, Ha_h.
    ground : which contact gates count from, ``electron``, ``hole`` or the ``middle`` of both.

    Raises
    ------
    InputError : no gate at all, or another ground.
    """

    top: float
    spacer: float
    bottom: float
    gap: float
    conduction: float
    ground: str = "electron"

    def __post_init__(self) -> None:
        if self.ground not in GROUNDS:
            raise InputError("ground", " | ".join(GROUNDS), self.ground, "choose one of these")
        if self.top == self.bottom == math.inf:
            raise InputError("gate_top", "a distance of one gate at least", "missing",
                             'give gate_top or gate_bottom, such as "10 nm"')

    @property
    def fields(self) -> np.ndarray:
        """phi(0) of electrons and holes over V_t and V_b, (2, 2)."""
        t, d, b = self.top, self.spacer, self.bottom
        if t == math.inf:
            return np.array([[0.0, 1.0], [0.0, 1.0]])
        if b == math.inf:
            return np.array([[1.0, 0.0], [1.0, 0.0]])
        return np.array([[d + b, t], [b, t + d]]) / (t + d + b)

    @property
    def stiffness(self) -> np.ndarray:
        """K (2, 2), Ha_h a_h^2."""
        t, d, b = self.top, self.spacer, self.bottom
        if t == math.inf:
            ee, hh, eh = d + b, b, b
        elif b == math.inf:
            ee, hh, eh = t, t + d, t
        else:
            ee, hh, eh = t * (d + b) / (t + d + b), b * (t + d) / (t + d + b), t * b / (t + d + b)
        return 4 * np.pi * np.array([[ee, -eh], [-eh, hh]])

    @property
    def lever(self) -> np.ndarray:
        """dw/dV, (2, 3), for V_t, V_b and the bias."""
        share = GROUNDS[self.ground]
        phi = self.fields
        return np.array([[*phi[0], share], [*-phi[1], 1 - share]])

    def potentials(self, top: np.ndarray, bottom: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """w (..., 2) in Ha_h at voltages of any common shape, Ha_h/e."""
        edges = np.array([-self.conduction, self.conduction - self.gap])
        return np.asarray(np.stack([top, bottom, bias], axis=-1) @ self.lever.T + edges)

    def pair_bias(self, both: np.ndarray | float, difference: float) -> np.ndarray:
        """The bias at which w_e + w_h is ``both``, with V_t - V_b = ``difference``."""
        return np.asarray(both + self.gap - (self.fields[0, 0] - self.fields[1, 0]) * difference)

    def common(self, half: np.ndarray, difference: float, bias: np.ndarray) -> np.ndarray:
        """(V_t + V_b)/2 at which (w_e - w_h)/2 is ``half``."""
        zero = self.potentials(np.full_like(bias, difference / 2), np.full_like(bias, -difference / 2), bias)
        return np.asarray(half - (zero[..., 0] - zero[..., 1]) / 2)

    def penetration(self, slopes: np.ndarray) -> np.ndarray:
        """Penetration capacitance over that of the empty stack, dphi_e/dV_b L/t, from dn/dV (..., 2, 3)."""
        bare = self.fields[0, 1]
        return np.asarray(1 - np.einsum("a,...a->...", self.stiffness[0], slopes[..., 1]) / bare)
