"""What a condensate says: energies per pair, occupation, gap, quasiparticles, condensate fraction, size of a pair.

Shared by the torus and the infinite plane; `Gas` names what the two have in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ehbilayer.condensate.bogoliubov import PairState, WaveVectors, chemical_slope
from ehbilayer.condensate.result import EnergyParts
from ehbilayer.results.base import Carriers, Variable

NORMAL = 1e-9  # condensate fraction below which there is no condensate


@dataclass(frozen=True, eq=False)
class Gas:
    """Pairs on a set of wave vectors.

    kset : the wave vectors, their weights and interactions, of one flavour. difference : (e_k - h_k)/2, half the
    kinetic energy of the electron less that of the hole (M,), Ha_h. flavours : equal condensates, one per flavour.
    pairs : of all flavours, in the units of the weights (a number, or per area). capacitor : c of the geometric energy
    c pairs^2 (Ha_h), 0 without it. normal_slope : d^2E/dN^2 without pairing or capacitor, where it is known.
    """

    kset: WaveVectors
    difference: np.ndarray
    flavours: int
    pairs: float
    capacitor: float
    normal_slope: float | None = None

    def energy(self, state: PairState) -> float:
        """Total energy of all flavours, with the capacitor."""
        return self.flavours * state.energy + self.capacitor * self.pairs**2

    def chemical_potential(self, state: PairState) -> float:
        """dE/dN in Ha_h, of a pair."""
        return state.chemical_potential + 2 * self.capacitor * self.pairs

    def slope(self, state: PairState) -> float:
        """d^2E/dN^2; NaN in a normal state with a gap."""
        if self.normal_slope is not None and condensate_fraction(self, state) <= NORMAL:
            return self.normal_slope + 2 * self.capacitor  # the layer that pairs is too thin to differentiate
        return chemical_slope(self.kset, state) / self.flavours + 2 * self.capacitor


def energy_parts(gas: Gas, state: PairState) -> EnergyParts:
    """Kinetic, direct (the capacitor), exchange and pairing energy per pair, Ha_h."""
    w, n, share = gas.kset.weights, state.occupation, gas.flavours / gas.pairs
    return EnergyParts(share * float(w @ (n * gas.kset.kinetic)), gas.capacitor * gas.pairs,
                       -share * float(w @ (n * state.exchange)), -share * float(w @ (state.amplitude * state.gap)))


def condensate_fraction(gas: Gas, state: PairState) -> float:
    """sum |u_k v_k|^2 / N: the largest eigenvalue of the pair density matrix <a+b+ b a> over the number of pairs."""
    return gas.flavours * float(gas.kset.weights @ state.amplitude**2) / gas.pairs


def branches(gas: Gas, state: PairState) -> tuple[np.ndarray, np.ndarray]:
    """Energies to add an electron or a hole, E_k +- (e_k - X^e_k - h_k + X^h_k)/2 with E_k = hypot(xi_k, D_k), each
    (M,), Ha_h.

    Both count from mu/2: in a balanced gas only mu is fixed, how it is shared between the two is not.
    """
    xi = gas.kset.kinetic / 2 - state.exchange - state.chemical_potential / 2
    e = np.hypot(xi, state.gap)
    tilt = gas.difference + gas.kset.apart(state.occupation)
    return e + tilt, e - tilt


def described(gas: Gas, state: PairState) -> dict[str, Any]:
    """Fields of a `CondensateResult` that do not depend on where the wave vectors lie."""
    electron, hole = branches(gas, state)
    energy, fraction, slope = gas.energy(state), condensate_fraction(gas, state), gas.slope(state)
    return {
        "phase": "condensate" if fraction > NORMAL else "liquid",
        "energy_per_pair": energy / gas.pairs, "energy_per_particle": energy / gas.pairs / 2,
        "energy_parts_per_pair": energy_parts(gas, state), "chemical_potential": gas.chemical_potential(state),
        "chemical_potential_slope": slope, "concave": None if math.isnan(slope) else slope < 0,
        "max_occupation": float(np.max(state.occupation)), "condensate_fraction": fraction,
        "max_gap": float(np.max(state.gap)),
        "quasiparticle_gap": Carriers({"electron": float(np.min(electron)), "hole": float(np.min(hole))}),
        "pair_breaking_energy": float(np.min(electron) + np.min(hole)), "flavours": gas.flavours,
        "residual": state.residual, "iterations": state.iterations,
    }


def arrays(gas: Gas, state: PairState, axis: str) -> dict[str, Variable]:
    """n_k, F_k, D_k, X_k, theta_k and the branches along ``axis``."""
    electron, hole = branches(gas, state)
    return {
        "occupation": Variable((axis,), state.occupation, "1", "n_k of each flavour, of electrons and of holes"),
        "pair_amplitude": Variable((axis,), state.amplitude, "1", "F_k = u_k v_k"),
        "gap_function": Variable((axis,), state.gap, "Ha_h", "D_k"),
        "exchange_field": Variable((axis,), state.exchange, "Ha_h", "X_k, mean of electron and hole"),
        "angle": Variable((axis,), state.angle, "1", "theta_k, n_k = sin^2 theta_k"),
        "quasiparticle_electron": Variable((axis,), electron, "Ha_h", "energy to add an electron, from mu/2"),
        "quasiparticle_hole": Variable((axis,), hole, "Ha_h", "energy to add a hole, from mu/2"),
    }
