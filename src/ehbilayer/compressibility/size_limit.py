r"""alpha^2 for infinitely many particles, with its error.

What depends on N is nearly all the electrons': which shells of the torus they fill. A uniform gas with the same
occupations of the same wave vectors has the same error, and its limit is known, alpha^2 = 1 - (sqrt(g)/pi) r_s for g
flavours. So each torus, in the Madelung convention, counts as

    alpha^2(N) - alpha^2_gas(N) + alpha^2_gas(infinity),

and what remains is a straight line in 1/N. The holes are an insulator, whose error is of that order by itself.

Sources: closed form of the gas: Giuliani & Vignale, Quantum Theory of the Electron Liquid (2005), section 1.3; the
idea of correcting with a gas of the same size: Kwee, Zhang & Krakauer, PRL 100, 126404 (2008).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis, disk_waves, waves_for_tolerance
from ehbilayer.compressibility.area_scaling import AreaDerivative
from ehbilayer.compressibility.bulk_modulus import StateOptions, Torus, carried, larger, part_change, torus
from ehbilayer.errors import InputError
from ehbilayer.model import Bilayer, Species
from ehbilayer.numerics.lattice import Cell, box_of_shape
from ehbilayer.status import Status

ROUNDS = 6  # of enlarging a basis
START_TOLERANCE = 1e-6  # Ha_h, of the basis to begin with
SIZES = (16, 36, 64)


def gas_limit(rs: float, flavours: int = 2) -> float:
    """alpha^2 of the uniform Hartree-Fock gas of g flavours in the plane, 1 - (sqrt(g)/pi) r_s (r_s in a_e)."""
    return 1 - math.sqrt(flavours) / math.pi * rs


def electron_gas(bilayer: Bilayer, area: float) -> tuple[float, int]:
    """r_s (a_e) of the electrons in a box of this area (a_h^2), and how many flavours hold them."""
    electron = next(s for s in bilayer.species if s.name == "electron")
    return electron.mass * math.sqrt(area / (math.pi * electron.count)), electron.occupied_flavours


def gas_on_torus(bilayer: Bilayer, state: Torus) -> float | None:
    """alpha^2 of the uniform electron gas with the state's occupations of the state's wave vectors, Madelung term
    included; None where the state is no half-filled lowest band, so that occupations do not say which waves are meant.
    """
    setting = state.end.hamiltonian.setting
    index = next(i for i, s in enumerate(bilayer.species) if s.name == "electron")
    mine = [c for c, channel in enumerate(setting.channels) if channel.species == index]
    basis = setting.basis
    if len(mine) != 1 or (basis.cells == 1 and basis.real):
        return None
    filling, channel = setting.fillings[mine[0]], setting.channels[mine[0]]
    k = basis.k_points[filling.blocks] @ basis.box.reciprocal  # the shortest wave of each block
    zone = np.linalg.norm(basis.cell.reciprocal, axis=1).min() / 2
    if filling.f.shape[1] != 1 or (basis.coefficients > 1 and np.linalg.norm(k, axis=1).max() > zone):
        return None
    f, mass = filling.f[:, 0], bilayer.species[index].mass
    kinetic = float(f @ np.sum(k * k, axis=1)) / (2 * mass)
    exchange = -0.5 * float(f @ _bend(bilayer, basis.box, k) @ f)
    # A^2 d^2/dA^2 of T ~ 1/A is 2 T
    return channel.degeneracy * (2 * kinetic + exchange) / state.area / state.reference


def _bend(bilayer: Bilayer, box: Cell, k: np.ndarray) -> np.ndarray:
    """A^2 d^2(v/A)/dA^2 between wave vectors k (n, 2), the Madelung element on the diagonal."""
    first, second = (AreaDerivative(bilayer.interaction, order) for order in (1, 2))
    q = np.linalg.norm(k[:, None] - k[None], axis=-1)
    table = (second.v(q, 0.0) - first.v(q, 0.0)) / box.area
    np.fill_diagonal(table, second.zero_mode(box.vectors, 0.0) - first.zero_mode(box.vectors, 0.0))
    return table


@dataclass(frozen=True)
class Size:
    """One torus of a series.

    particles : N.   none, madelung : alpha^2 in either convention.   gas : that of the uniform gas on it, Madelung.
    corrected : the Madelung value with the gas' own finite-size error taken out (the value itself without ``gas``).
    basis_error, solver_error : of alpha^2.   state : the torus itself.
    """

    particles: int
    none: float
    madelung: float
    gas: float | None
    corrected: float
    basis_error: float
    solver_error: float
    state: Torus


@dataclass(frozen=True)
class Limit:
    """alpha^2 at N -> infinity: value, uncertainty, its slope in 1/N, and the largest change when one torus is left
    out of the fit."""

    value: float
    uncertainty: float
    slope: float
    left_out: float


def converged_torus(bilayer: Bilayer, basis: PlaneWaveBasis, options: StateOptions, tolerance: float,
                    **how: Any) -> tuple[Torus, float]:
    """A torus whose basis grows until neither part of alpha^2 changes by more than ``tolerance``; the last change."""
    state = torus(bilayer, basis, options, **how)
    change = math.inf
    for _ in range(ROUNDS):
        if change <= tolerance or state.status is not Status.converged:
            break
        grown = torus(bilayer, larger(state.end), options, end=carried(bilayer, state.end, options), **how)
        state, change = grown, part_change(state, grown)
    return state, change


def size(bilayer: Bilayer, state: Torus, basis_error: float) -> Size:
    """The row of one torus."""
    madelung, gas = state.in_convention("madelung"), gas_on_torus(bilayer, state)
    corrected = madelung if gas is None else madelung - gas + gas_limit(*electron_gas(bilayer, state.area))
    return Size(state.particles, state.in_convention("none"), madelung, gas, corrected, basis_error,
                state.solver_error, state)


def extrapolate(sizes: Sequence[Size]) -> Limit:
    """The straight line in 1/N through the corrected values, at 1/N = 0.

    The uncertainty is the largest of: what leaving one torus out changes (three or more), half the distance from the
    largest torus to the limit, and the errors of basis and solver. Raises InputError for fewer than two sizes.
    """
    if len({s.particles for s in sizes}) < 2:
        raise InputError("compressibility.sizes", "two or more different numbers", [s.particles for s in sizes],
                         "a limit needs a series")
    x, y = np.array([1 / s.particles for s in sizes]), np.array([s.corrected for s in sizes])
    slope, value = np.polyfit(x, y, 1)
    left_out = 0.0
    if len(set(x)) > 2:
        kept = [np.arange(len(x)) != i for i in range(len(x))]
        left_out = max(abs(float(np.polyfit(x[m], y[m], 1)[1]) - float(value)) for m in kept)
    numerical = max(s.basis_error + s.solver_error for s in sizes)
    doubt = max(left_out, 0.5 * abs(float(y[np.argmin(x)]) - float(value)))
    return Limit(float(value), doubt + numerical, float(slope), left_out)


def electron_hole(mass_ratio: float, spacing: float, holes: int, *, zero_mode: str = "madelung", flavours: int = 2,
                  capacitor: bool = False) -> Bilayer:
    """Restricted electrons of mass m_e/m_h = ``mass_ratio`` and as many polarised holes, ``spacing`` in a_h."""
    return Bilayer((Species("electron", -1, mass_ratio, 0, holes, flavours, "restricted"),
                    Species("hole", 1, 1.0, 1, holes)), spacing, zero_mode, capacitor)


def alpha_squared_limit(mass_ratio: float, spacing: float, rs_electron: float, *, sizes: Sequence[int] = SIZES,
                        capacitor: bool = False, flavours: int = 2, tolerance: float = 2e-3) -> tuple[float, float]:
    """alpha^2 of the symmetric state in the limit N -> infinity and its error.

    Parameters
    ----------
    mass_ratio : m_e/m_h (0.1 where holes are ten times heavier).   spacing : a_h.   rs_electron : r_s^e in a_e.
    sizes : numbers of holes, multiples of ``flavours`` that a triangular torus holds (16, 36, 64, 100, 144 do).
    tolerance : of the basis, in alpha^2.
    """
    first, *others = sorted(sizes)
    rows = [_row(electron_hole(mass_ratio, spacing, first, flavours=flavours, capacitor=capacitor), rs_electron,
                 tolerance)]
    for n in others:  # the cutoff that suits one torus suits all of this density
        bilayer = electron_hole(mass_ratio, spacing, n, flavours=flavours, capacitor=capacitor)
        basis = same_cutoff(rows[0].state, rows[0].state.end.hamiltonian.setting.basis.box.scaled(
            rows[0].state.area * n / first))
        rows.append(size(bilayer, torus(bilayer, basis), rows[0].basis_error))
    found = extrapolate(rows)
    return found.value, found.uncertainty if all(r.state.settled for r in rows) else math.inf


def same_cutoff(state: Torus, box: Cell) -> PlaneWaveBasis:
    """The waves of another box up to the largest wave number of this state's basis."""
    basis = state.end.hamiltonian.setting.basis
    return PlaneWaveBasis(box, disk_waves(box, float(np.linalg.norm(basis.waves @ basis.box.reciprocal, axis=1).max())))


def _row(bilayer: Bilayer, rs: float, tolerance: float, options: StateOptions | None = None) -> Size:
    options = options or StateOptions()
    electron = bilayer.species[0]
    box = box_of_shape("triangular", math.pi * electron.count * (rs / electron.mass) ** 2)
    basis = PlaneWaveBasis(box, waves_for_tolerance(bilayer, box, START_TOLERANCE))
    state, change = converged_torus(bilayer, basis, replace(options, state="symmetric"), tolerance)
    if options.state == "lowest":
        state = torus(bilayer, same_cutoff(state, box), options)
    return size(bilayer, state, change)


def alpha_squared(mass_ratio: float, spacing: float, rs_electron: float, *, source: str = "limit", holes: int = 36,
                  zero_mode: str = "none", sizes: Sequence[int] = SIZES, state: str = "symmetric",
                  capacitor: bool = False, flavours: int = 2, tolerance: float = 2e-3) -> tuple[float, float]:
    """alpha^2 and its uncertainty from masses, spacing and density alone.

    Parameters
    ----------
    mass_ratio, spacing, rs_electron, sizes, capacitor, flavours, tolerance : as in `alpha_squared_limit`.
    source : ``torus`` (``holes`` of them, convention ``zero_mode``, this ``state``) or ``limit``.

    The uncertainty of a torus is that of basis and solver alone; it is infinite where a state did not converge. Raises
    InputError for another source.
    """
    if source == "limit":
        return alpha_squared_limit(mass_ratio, spacing, rs_electron, sizes=sizes, capacitor=capacitor,
                                   flavours=flavours, tolerance=tolerance)
    if source != "torus":
        raise InputError("source", "torus | limit", source, "choose one")
    bilayer = electron_hole(mass_ratio, spacing, holes, zero_mode=zero_mode, flavours=flavours, capacitor=capacitor)
    row = _row(bilayer, rs_electron, tolerance, StateOptions(state))
    doubt = row.basis_error + row.solver_error if row.state.settled else math.inf
    return row.none if zero_mode == "none" else row.madelung, doubt
