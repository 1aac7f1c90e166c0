r"""The homogeneous exciton condensate at a temperature: Hartree-Fock-Bogoliubov with Fermi's occupations.

With xi_k = (e_k + h_k - X^e_k - X^h_k - mu)/2, delta_k = (e_k - h_k - X^e_k + X^h_k)/2 - nu and E_k = hypot(xi_k, D_k)
the quasiparticles have the energies E_k +- delta_k and the occupations f_+-, T = k_B T in Ha_h, and

    n^e = u^2 f_+ + v^2 (1 - f_-),   n^h = u^2 f_- + v^2 (1 - f_+),   F = (D/2E)(1 - f_+ - f_-),   v^2 = (1 - xi/E)/2,
    X^a = sum V_aa n^a,   D = sum V1 F,   E = sum (e n^e + h n^h) - sum (n^e X^e + n^h X^h)/2 - sum F D,
    S = -sum_+- [f ln f + (1 - f) ln(1 - f)]

mu, of a pair, and nu hold the numbers of electrons and of holes. The energy is concave in the density matrix, so that
filling the mean field of a state at T never raises the free energy E - T S; Anderson's mixing makes it fast. The gap
closes where the normal state's kernel V1 (1 - f_+ - f_-)/2|xi| has the eigenvalue 1.

Source: P. G. de Gennes, Superconductivity of Metals and Alloys (1966), chapter 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ehbilayer.condensate.bogoliubov import _occupation
from ehbilayer.condensate.report import Gas
from ehbilayer.numerics.extrapolation import Extrapolation
from ehbilayer.status import Status

ROUNDS, DEPTH = 120, 6  # of self-consistency, and steps that Anderson's mixing remembers
POWER = 400  # of the power method for the eigenvalue
LEAST = 1e-300  # below, numbers whose logarithm is taken have underflowed
SHELLS = 60.0  # gap between shells over T at which no carrier is excited
CLOSED = 1e-5  # relative error of the temperature at which the gap closes


@dataclass(frozen=True, eq=False)
class WarmState:
    """A state at a temperature; sums are those of one flavour.

    electron, hole, amplitude : n^e, n^h, F, each (m,).   exchange : X^e and X^h (2, m).   gap : D (m,).
    branches : E + delta and E - delta (2, m), Ha_h.   chemical_potential, imbalance : mu and nu, Ha_h.
    energy, entropy : E and S, in the units of the weights.   residual : largest change of a field in the last step.
    """

    temperature: float
    electron: np.ndarray
    hole: np.ndarray
    amplitude: np.ndarray
    exchange: np.ndarray
    gap: np.ndarray
    branches: np.ndarray
    chemical_potential: float
    imbalance: float
    energy: float
    entropy: float
    residual: float
    iterations: int
    status: Status

    @property
    def free_energy(self) -> float:
        """E - T S."""
        return self.energy - self.temperature * self.entropy


@dataclass(frozen=True, eq=False)
class _Filled:
    """Occupations of quasiparticles in given fields, with the chemical potentials that hold the numbers."""

    electron: np.ndarray
    hole: np.ndarray
    amplitude: np.ndarray
    branches: np.ndarray
    mu: float
    nu: float


def solve_warm(gas: Gas, temperature: float, exchange: np.ndarray, gap: np.ndarray, residual: float,
               should_stop: Callable[[], Status | None] | None = None) -> WarmState:
    """The state at k_B T (Ha_h > 0) downhill from fields.

    Parameters
    ----------
    exchange : X^e and X^h to begin with, (2, m) or (m,) for both.   gap : D (m,); zeros stay zero, the normal state.
    residual : largest change of a field (Ha_h) at which it has converged.
    should_stop : asked every step.
    """
    kset, count = gas.kset, gas.pairs / gas.flavours
    x = np.concatenate([*np.broadcast_to(exchange, (2, len(gap))), gap])
    next_of = Extrapolation(DEPTH)
    filled = _fill(gas, temperature, x.reshape(3, -1), count, 0.0, 0.0)
    status, step = Status.not_converged, 1
    while True:
        stop = should_stop() if should_stop is not None else None
        new = _fields(gas, filled)
        change = float(np.max(np.abs(new - x)))
        if stop is not None or not math.isfinite(change):
            status = stop or Status.not_finite
        elif change <= residual:
            status = Status.converged
        if status is not Status.not_converged or step == ROUNDS:
            break
        x, step = next_of((new,), new - x)[0], step + 1
        filled = _fill(gas, temperature, x.reshape(3, -1), count, filled.mu, filled.nu)
    fields = new.reshape(3, -1)
    sign = -1.0 if float(np.sum(fields[2])) < 0 else 1.0  # both are the same state
    n = np.stack([filled.electron, filled.hole])
    kinetic = np.stack([kset.kinetic / 2 + gas.difference, kset.kinetic / 2 - gas.difference])
    energy = float(np.sum(kset.weights * n * (kinetic - fields[:2] / 2))
                   - kset.weights @ (filled.amplitude * fields[2]))
    return WarmState(temperature, filled.electron, filled.hole, sign * filled.amplitude, fields[:2], sign * fields[2],
                     filled.branches, filled.mu, filled.nu, energy,
                     _entropy(kset.weights, filled.branches / temperature), change, step, status)


def _fields(gas: Gas, filled: _Filled) -> np.ndarray:
    electron, gap = gas.kset.fields(filled.electron, filled.amplitude)
    hole, _ = gas.kset.fields(filled.hole, filled.amplitude)
    return np.concatenate([electron - gas.kset.apart(filled.electron), hole + gas.kset.apart(filled.hole), gap])


def _fill(gas: Gas, t: float, fields: np.ndarray, count: float, mu: float, nu: float) -> _Filled:
    """Occupations in fields X^e, X^h, D (3, m) with sum(w n^e) = sum(w n^h) = count; mu and nu are where to begin."""
    from scipy.special import expit, log_expit

    w = gas.kset.weights
    with np.errstate(divide="ignore"):
        log_w = np.log(w)
    bare, tilt = gas.kset.kinetic / 2 - fields[:2].mean(axis=0), gas.difference - (fields[0] - fields[1]) / 2
    def at(mu: float) -> _Filled:
        v2, e = _occupation(bare - mu / 2, fields[2])

        def unequal(nu: float) -> float:
            """ln of electrons' over holes' quasiparticles, which grows with nu, at any temperature."""
            plus, minus = (np.logaddexp.reduce(log_w + log_expit(-(e + s * (tilt - nu)) / t)) for s in (1, -1))
            return float(plus - minus)

        apart = _root(unequal, nu, t)
        branches = np.stack([e + tilt - apart, e - tilt + apart])
        f = expit(-branches / t)
        return _Filled((1 - v2) * f[0] + v2 * (1 - f[1]), (1 - v2) * f[1] + v2 * (1 - f[0]),
                       fields[2] / (2 * e) * (expit(branches[0] / t) - f[1]), branches, mu, apart)

    def too_many(mu: float) -> float:
        found = at(mu)
        return math.log(max(float(w @ (found.electron + found.hole)) / (2 * count), LEAST))

    return at(_root(too_many, mu, max(t, float(np.max(np.abs(fields[2]))), 1e-3 * float(np.ptp(bare[w > 0])) / len(w))))


def _root(function: Callable[[float], float], guess: float, width: float) -> float:
    """The root of a rising function near a guess."""
    from scipy.optimize import brentq

    here = function(guess)
    if here == 0:
        return guess
    side = -1.0 if here > 0 else 1.0
    far = guess + side * width
    while (value := function(far)) * here > 0:
        guess, here, width = far, value, 2 * width
        far = guess + side * width
    low, high = sorted((guess, far))
    ends = function(low), function(high)
    if ends[0] * ends[1] >= 0:  # a root to rounding
        return low if abs(ends[0]) < abs(ends[1]) else high
    return float(brentq(function, low, high, xtol=1e-15 * max(abs(low), abs(high)) + 1e-300, rtol=1e-14))


def _entropy(weights: np.ndarray, x: np.ndarray) -> float:
    """-sum [f ln f + (1 - f) ln(1 - f)] with f = 1/(e^x + 1): sum [ln(1 + e^-x) + x f]."""
    from scipy.special import expit

    return float(np.sum(weights * (np.logaddexp(0, -x) + x * expit(-x))))


def normal_state(gas: Gas, temperature: float, residual: float, exchange: np.ndarray | None = None,
                 should_stop: Callable[[], Status | None] | None = None) -> WarmState:
    """The state without pairing at k_B T (Ha_h > 0)."""
    nothing = np.zeros_like(gas.kset.kinetic)
    return solve_warm(gas, temperature, nothing if exchange is None else exchange, nothing, residual, should_stop)


def pairing_strength(gas: Gas, normal: WarmState) -> float:
    """The largest eigenvalue of the kernel V1 (1 - f_+ - f_-)/2|xi| of a normal state: above 1 it pairs.

    In filled shells far apart the numbers leave mu free to rounding; it belongs to the middle, as at T -> 0.
    """
    t = normal.temperature
    xi, filled = normal.branches.mean(axis=0), normal.electron + normal.hole > 1
    if np.any(filled) and not np.all(filled) and np.min(normal.branches) > 0:
        above, below = float(np.min(xi[~filled])), float(np.min(xi[filled]))
        if min(above + below, np.min(normal.branches[0]) + np.min(normal.branches[1])) > SHELLS * t:
            xi = np.where(filled, xi + (above - below) / 2, xi - (above - below) / 2)
    xi = np.maximum(xi, 1e-6 * t)  # the kernel is even and smooth there
    tilt = (normal.branches[0] - normal.branches[1]) / 2
    weight = (np.tanh((xi + tilt) / (2 * t)) + np.tanh((xi - tilt) / (2 * t))) / (4 * xi)
    gap, strength = np.ones_like(xi), 0.0
    for _ in range(POWER):
        new = gas.kset.fields(np.zeros_like(gap), weight * gap)[1]
        measure = gas.kset.weights * weight * gap
        before, strength = strength, float(measure @ new) / float(measure @ gap)
        gap = new / float(np.max(np.abs(new)))
        if abs(strength - before) < 1e-11 * strength:
            break
    return strength


class _UnsettledError(RuntimeError):
    """A normal state on the way did not converge."""


def closing_temperature(gas: Gas, guess: float, residual: float,
                        should_stop: Callable[[], Status | None] | None = None) -> float | None:
    """k_B T (Ha_h) above which the normal state does not pair.

    None where it does not at a millionth of a guess, where a normal state does not converge, or if it was stopped.
    """
    try:
        return _closing(gas, guess, residual, should_stop)
    except _UnsettledError:
        return None


def _closing(gas: Gas, guess: float, residual: float,
             should_stop: Callable[[], Status | None] | None) -> float | None:
    from scipy.optimize import brentq

    fields: list[np.ndarray] = []

    def over(log: float) -> float:
        normal = normal_state(gas, math.exp(log), residual, fields[-1] if fields else None, should_stop)
        if normal.status is not Status.converged:
            raise _UnsettledError
        fields[:] = [normal.exchange]
        return math.log(max(pairing_strength(gas, normal), LEAST))

    high = math.log(guess)
    while over(high) > 0:
        high += 0.7
    low = high - 0.7
    while over(low) < 0:
        low -= 0.7
        if low < math.log(guess) - 14:
            return None
    return math.exp(brentq(over, low, low + 0.7 if over(low + 0.7) < 0 else high, xtol=CLOSED))
