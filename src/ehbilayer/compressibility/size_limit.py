r"""alpha^2 for infinitely many particles, with its error.

What depends on N is nearly all the electrons': which shells of the torus they fill. A uniform gas with the same
occupations of the same wave vectors has the same error, and its limit is known (`gas_of`), 1 - (sqrt(g)/pi) r_s for g
flavours and Coulomb's interaction. So each torus, in the Madelung convention, counts as

    alpha^2(N) - alpha^2_gas(N) + alpha^2_gas(infinity),

and what remains falls as N^(-3/2): the first order in 1/N is the gas' own, the holes are an insulator. Without the
correction it falls as 1/N.

Source: the idea of correcting with a gas of the same size, Kwee, Zhang & Krakauer, PRL 100, 126404 (2008).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import disk_waves, waves_for_tolerance
from ehbilayer.compressibility.bulk_modulus import (
    Modulus,
    StateOptions,
    carried,
    larger,
    modulus,
    part_change,
    state_basis,
    zero_mode_bend,
)
from ehbilayer.compressibility.result import Limit
from ehbilayer.errors import InputError
from ehbilayer.interaction.area_derivative import AreaDerivative
from ehbilayer.liquid.gas import Gas
from ehbilayer.model import Bilayer
from ehbilayer.numerics.lattice import Cell
from ehbilayer.numerics.limits import size_limit
from ehbilayer.numerics.memory import fits, require_memory
from ehbilayer.status import Status
from ehbilayer.torus import Torus

ROUNDS = 6  # of enlarging a basis
START_TOLERANCE = 1e-6  # Ha_h, of the basis to begin with
SIZES = (16, 36, 64)


def gas_of(torus: Torus) -> float:
    """alpha^2 of the torus' uniform electron gas in the plane, with its own interaction; see `liquid.gas.Gas`."""
    electron = next(s for s in torus.species if s.name == "electron")
    # a twist does not outlive the limit
    return Gas(replace(electron.carrier, dispersion=None), torus.bilayer.interaction,
               electron.occupied_flavours).alpha_squared


def gas_on_torus(torus: Torus, state: Modulus) -> float | None:
    """alpha^2 of the uniform electron gas with the state's occupations of the state's wave vectors, Madelung term
    included; None where the state is no half-filled lowest band, so that occupations do not say which waves are meant.
    """
    setting = state.end.hamiltonian.setting
    index = next(i for i, s in enumerate(torus.species) if s.name == "electron")
    mine = [c for c, channel in enumerate(setting.channels) if channel.species == index]
    basis = setting.basis
    if len(mine) != 1 or (basis.cells == 1 and basis.real):
        return None
    filling, channel = setting.fillings[mine[0]], setting.channels[mine[0]]
    k = basis.k_points[filling.blocks] @ basis.box.reciprocal  # the shortest wave of each block
    zone = np.linalg.norm(basis.cell.reciprocal, axis=1).min() / 2
    if filling.f.shape[1] != 1 or (basis.coefficients > 1 and np.linalg.norm(k, axis=1).max() > zone):
        return None
    f, mass = filling.f[:, 0], torus.species[index].mass
    kinetic = float(f @ np.sum(k * k, axis=1)) / (2 * mass)
    exchange = -0.5 * float(f @ _bend(torus, torus.species[index].layer, k) @ f)
    # A^2 d^2/dA^2 of T ~ 1/A is 2 T
    return channel.degeneracy * (2 * kinetic + exchange) / state.area / state.reference


def _bend(torus: Torus, layer: int, k: np.ndarray) -> np.ndarray:
    """A^2 d^2(v/A)/dA^2 between wave vectors k (n, 2) of a layer, the Madelung element on the diagonal."""
    first, second = (AreaDerivative(torus.bilayer.interaction, order) for order in (1, 2))
    q = np.linalg.norm(k[:, None] - k[None], axis=-1)
    table = (second.v(q, layer, layer) - first.v(q, layer, layer)) / torus.area
    np.fill_diagonal(table, zero_mode_bend(torus, layer))
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
    state: Modulus


def converged_torus(torus: Torus, basis: PlaneWaveBasis, options: StateOptions, tolerance: float,
                    **how: Any) -> tuple[Modulus, float]:
    """A torus whose basis grows until neither part of alpha^2 changes by more than ``tolerance``, or as far as the
    memory reaches; the last change. Raises InputError where not even ``basis`` fits."""
    require_memory(state_basis(torus, basis, options).estimate(torus)["memory_bytes"], "sizes", "smaller ones")
    state = modulus(torus, basis, options, **how)
    change = math.inf
    for _ in range(ROUNDS):
        if change <= tolerance or state.status is not Status.converged:
            break
        more = larger(state.end)
        if not fits(more.estimate(torus)["memory_bytes"]):
            break
        grown = modulus(torus, more, options, end=carried(torus, state.end, more, options), **how)
        state, change = grown, part_change(state, grown)
    return state, change


def size(torus: Torus, state: Modulus, basis_error: float) -> Size:
    """The row of one torus."""
    madelung, gas = state.in_convention("madelung"), gas_on_torus(torus, state)
    corrected = madelung if gas is None else madelung - gas + gas_of(torus)
    return Size(state.particles, state.in_convention("none"), madelung, gas, corrected, basis_error,
                state.solver_error, state)


def extrapolate(sizes: Sequence[Size]) -> Limit:
    """Where the corrected values go with N^(-3/2), by the two largest tori.

    Where there is no gas to correct with, the values scatter about a line in 1/N: the least-squares line of all.

    The uncertainty is that of `numerics.limits.size_limit`: shells of dense electrons scatter by more than the law of
    two tori tells. Without a gas it is what the line of other tori makes, or half the distance from the largest torus
    to the limit. The errors of basis and solver come on top. Raises InputError for fewer than two sizes.
    """
    numerical = [s.basis_error + s.solver_error for s in sizes]
    n, y = [s.particles for s in sizes], [s.corrected for s in sizes]
    if all(s.gas is not None for s in sizes):
        return Limit(**vars(size_limit(n, y, numerical)))
    if len(set(n)) < 2:
        raise InputError("sizes", "two or more different numbers", n, "a limit needs a series")
    x, values = 1 / np.array(n), np.array(y)
    slope, value = (float(c) for c in np.polyfit(x, values, 1))
    left_out = 0.0
    if len(set(n)) > 2:
        kept = [np.arange(len(x)) != i for i in range(len(x))]
        left_out = max(abs(float(np.polyfit(x[m], values[m], 1)[1]) - value) for m in kept)
    doubt = max(left_out, 0.5 * abs(float(values[np.argmin(x)]) - value))
    return Limit(value, doubt + max(numerical), slope, left_out, 1.0)


def alpha_squared_limit(bilayer: Bilayer, *, sizes: Sequence[int] = SIZES, capacitor: bool = False,
                        tolerance: float = 2e-3) -> tuple[float, float]:
    """alpha^2 of the symmetric state in the limit N -> infinity and its error.

    Parameters
    ----------
    bilayer : as many electrons as holes; the electrons are restricted, the holes polarised.
    sizes : numbers of holes, multiples of the electrons' flavours that a triangular torus holds (16, 36, 64, 100, 144).
    capacitor : add what the geometric energy of the charged layers adds.
    tolerance : of the basis, in alpha^2.
    """
    def torus(holes: int) -> Torus:
        return Torus(bilayer, holes, zero_mode="madelung", capacitor=capacitor)

    first, *others = sorted(sizes)
    rows = [_row(torus(first), tolerance)]
    for here in map(torus, others):  # the cutoff that suits one torus suits all of this density
        rows.append(size(here, modulus(here, same_cutoff(rows[0].state, here.box)), rows[0].basis_error))
    found = extrapolate(rows)
    doubt = math.inf if found.uncertainty is None else found.uncertainty
    return found.value, doubt if all(r.state.settled for r in rows) else math.inf


def same_cutoff(state: Modulus, box: Cell) -> PlaneWaveBasis:
    """The waves of another box up to the largest wave number of this state's basis."""
    basis = state.end.hamiltonian.setting.basis
    return PlaneWaveBasis(box, disk_waves(box, float(np.linalg.norm(basis.waves @ basis.box.reciprocal, axis=1).max())))


def _row(torus: Torus, tolerance: float, options: StateOptions | None = None) -> Size:
    options = options or StateOptions()
    basis = PlaneWaveBasis(torus.box, waves_for_tolerance(torus, START_TOLERANCE))
    state, change = converged_torus(torus, basis, replace(options, state="symmetric"), tolerance)
    if options.state == "lowest":
        state = modulus(torus, same_cutoff(state, torus.box), options)
    return size(torus, state, change)


def alpha_squared(bilayer: Bilayer, *, source: str = "limit", holes: int = 36, zero_mode: str = "none",
                  sizes: Sequence[int] = SIZES, state: str = "symmetric", capacitor: bool = False,
                  tolerance: float = 2e-3) -> tuple[float, float]:
    """alpha^2 and its uncertainty of as many electrons as holes on triangular tori.

    Parameters
    ----------
    bilayer, sizes, capacitor, tolerance : as in `alpha_squared_limit`.
    source : ``torus`` (``holes`` of them, convention ``zero_mode``, this ``state``) or ``limit``.

    The uncertainty of a torus is that of basis and solver alone; it is infinite where a state did not converge. Raises
    InputError for another source.
    """
    if source == "limit":
        return alpha_squared_limit(bilayer, sizes=sizes, capacitor=capacitor, tolerance=tolerance)
    if source != "torus":
        raise InputError("source", "torus | limit", source, "choose one")
    row = _row(Torus(bilayer, holes, zero_mode=zero_mode, capacitor=capacitor), tolerance, StateOptions(state))
    doubt = row.basis_error + row.solver_error if row.state.settled else math.inf
    return row.none if zero_mode == "none" else row.madelung, doubt
