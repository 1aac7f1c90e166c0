r"""Response of electrons above a crystal of holes: phonons in place of the liquid's pairs.

A harmonic triangular lattice answers a potential of wave vector k by moving along it. With the dynamical matrix D(k) of
holes screened by electrons at rest (`response.hole_lattice`), less what the macroscopic field of the wave
itself adds, U = v_hh + v_eh^2 chi_e/(1 - v_ee chi_e) at rest, the proper response is

    chi_0h(k, w) = n k.[w^2 - D'(k)]^-1.k,      D' = D - n U(k) k k,

which takes the place of the gas of holes in chi = (chi_0^-1 - W)^-1 with the electrons in motion. Electrons follow
waves of the reciprocal lattice at once; one phonon at a time, so that the sum rule -n k^2/m is exhausted by it.
k is along the shortest reciprocal vectors, where phonons are longitudinal or transverse, and only the former couple.

Sources: D. Pines, Elementary Excitations in Solids (1963), chapter 2; Born & Huang (1954).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.response import liquids as theory
from ehbilayer.response.hole_lattice import ScreenedLattice
from ehbilayer.response.liquids import Liquids
from ehbilayer.response.result import ResponseResult
from ehbilayer.results.base import Variable
from ehbilayer.status import Status

if TYPE_CHECKING:
    from ehbilayer.hooks import Hooks
    from ehbilayer.model import Bilayer

class Axes(Protocol):
    """Points and ends of the loss function, as they are asked for."""

    @property
    def wave_numbers(self) -> int: ...
    @property
    def frequencies(self) -> int: ...
    @property
    def largest_wave_number(self) -> float | None: ...
    @property
    def largest_frequency(self) -> float | None: ...
    @property
    def broadening(self) -> float | None: ...


FIELDS = {"rpa": "none", "hubbard": "exchange"}  # approximation -> local field of the electrons
MODE_POINTS = 150


def check(bilayer: Bilayer, approximation: str, spin: str, sum_rule: bool) -> None:
    """Raise InputError for what is not known of a crystal: another approximation, a temperature, filled flavours other
    than all, the stiffness, and what `ScreenedLattice` refuses."""
    if approximation not in FIELDS:
        raise InputError("approximation", " | ".join(FIELDS) + " for holes in a crystal", approximation,
                         "choose one of these")
    if bilayer.temperature:
        raise InputError("temperature", "0 for holes in a crystal", bilayer.temperature, "leave it out")
    if spin != "restricted":
        raise InputError("spin", "restricted for holes in a crystal, whose electrons fill all flavours", spin,
                         "leave it out")
    if sum_rule:
        raise InputError("sum_rule", "false for holes in a crystal", True, "leave it out")
    ScreenedLattice(bilayer, FIELDS[approximation])


def proper(lattice: ScreenedLattice, q: np.ndarray, z: np.ndarray) -> np.ndarray:
    """chi_0h (n, w) of the lattice at wave numbers ``q`` (n,) along a reciprocal vector and frequencies ``z`` (w,)."""
    first = lattice.cell.reciprocal[int(np.argmin(np.linalg.norm(lattice.cell.reciprocal, axis=1)))]
    k = q[:, None] * first / np.linalg.norm(first)
    field = lattice.density * (2 * np.pi / q + lattice.induced(q))
    d = lattice.matrix(k) - field[:, None, None] * k[:, :, None] * k[:, None, :]
    squared, e = np.linalg.eigh(d)
    # sum_s n (k.e_s)^2/(z^2 - w_s^2)
    weight = lattice.density * np.einsum("na,nas->ns", k, e) ** 2
    return np.asarray(np.sum(weight[:, None] / (z[None, :, None] ** 2 - squared[:, None]), axis=-1))


def response_of(lattice: ScreenedLattice, liquids: Liquids, q: np.ndarray, z: np.ndarray) -> np.ndarray:
    """chi (n, w, carriers, carriers) of electrons and lattice at q (n,) and complex frequencies z (w,)."""
    free, w = [], liquids.bare(q)
    for i, gas in enumerate(liquids.gases):
        hole = gas.carrier.charge > 0
        free.append(proper(lattice, q, z) if hole else gas.real(q[:, None], z))
        if not hole:
            w[:, i, i] *= 1 - lattice.field_factor(q)
    return theory.screened(np.stack(free, axis=-1), w[:, None])


def phonons(lattice: ScreenedLattice, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitudinal and transverse frequencies (n,) of the lattice above electrons at rest; NaN where it gives way."""
    first = lattice.cell.reciprocal[int(np.argmin(np.linalg.norm(lattice.cell.reciprocal, axis=1)))]
    along = first / np.linalg.norm(first)
    d = lattice.matrix(q[:, None] * along)
    across = np.array([-along[1], along[0]])
    squared = [np.einsum("a,nab,b->n", u, d, u) for u in (along, across)]
    return tuple(np.sqrt(np.where(s > 0, s, np.nan)) for s in squared)  # type: ignore[return-value]


def solve(lattice: ScreenedLattice, liquids: Liquids, axes: Axes, common: dict[str, Any],
          hooks: Hooks) -> ResponseResult:
    """Phonons, their sound, stability and the loss function; see `ehbilayer.response`."""
    hooks.look("phonons of the hole crystal")
    sound = lattice.sound
    velocity = [math.sqrt(x * lattice.fermi_energy) if x > 0 else None for x in (sound.longitudinal, sound.transverse)]
    last = axes.largest_wave_number or 1.5 * lattice.fermi_wave_number
    q = np.linspace(0, last, MODE_POINTS + 1)[1:]
    along, across = phonons(lattice, q)
    dim = ("mode_wave_number",)
    data = {"mode_wave_number": Variable(dim, q, "a_h^-1", "of phonons, along a reciprocal vector"),
            "acoustic_frequency": Variable(dim, along, "Ha_h", "of longitudinal phonons, electrons at rest"),
            "transverse_frequency": Variable(dim, across, "Ha_h", "of transverse phonons; NaN: the lattice gives way")}
    if axes.wave_numbers and axes.frequencies:
        hooks.look("loss function")
        q = np.linspace(0, last, axes.wave_numbers + 1)[1:]
        top = axes.largest_frequency or 1.5 * float(np.nanmax(along, initial=lattice.fermi_energy * 1e-3))
        w = np.linspace(0, top, axes.frequencies + 1)[1:]
        eta = axes.broadening or 2 * top / axes.frequencies
        chi = response_of(lattice, liquids, q, w + 1j * eta)
        data |= theory.loss_variables(liquids, q, w, eta, chi)
    stable = lattice.lowest > 0 and velocity[1] is not None
    return ResponseResult(status=Status.converged, **common | {"phase": "hole-crystal"}, acoustic_velocity=velocity[0],
                          transverse_velocity=velocity[1], stable=stable, data=data)
