r"""Density response of a free gas at a temperature, chi_0(q, z; T), on both axes and on the sheet that goes on below.

A warm gas is a mean of cold ones over their Fermi energies (Maldague), so that with N_0 = g m/2 pi

    chi_0(q, z; T) = int_0^inf de (-df/de) chi_0(q, z; e),         f = 1/(e^{(e - mu)/T} + 1).

Where the branch points of the cold ones, e = c^2/2m with c = m z/q -+ q/2, are not near the real axis, as at
Matsubara's frequencies, the trapezoidal rule in v, e = T ln(1 + e^v), takes that to rounding. Nearer ones above the
axis are as far from the path v - i pi/2, midway to the pole of f at mu - i pi T, on which

    chi_0 = (N_0/q) [Phi(m z/q - q/2) - Phi(m z/q + q/2)],   Phi(c) = int_0^inf de (-df/de) 2me/[c + (c^2 - 2me)^(1/2)]

for Re c > 0, and Phi(-c*) = -Phi(c)*. At the axis and below it, in the roots t^2 = c^2 - k^2, in which nothing is
singular,

    J(c) = int_0^inf dy f((c^2 + y^2)/2m),                   Phi(c) = Phi(c*)* - 2i J(c)  continued below the axis,

and for z = 0 chi_0 = -N_0 int_0^1 ds f((1 - s^2) q^2/8m). The continuation of J is that at fixed Re c: its path in y^2
goes past the poles of f as it does for real c.

Source: P. F. Maldague, Surf. Sci. 73, 296 (1978).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ehbilayer.model import Carrier
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.response.polarisation import FreeGas

NEAR = math.pi / 2  # |Im c^2/2mT| from which the branch points count as far
FAR_STEP, CLOSE_STEP = 0.6, 0.35  # of v, with branch points at pi or farther, and at NEAR: 1e-13 both
TURNED_STEP, TURNED = 0.33, 28.0  # of v on the path below the axis, and how far beyond mu: 1e-10
SPAN = 34.0  # of (e - mu)/T, beyond which f has died out or is 1
PANELS, NODES = 20, 10  # of the roots t and y between both
RICHARDSON = 0.04  # of T/v: wave numbers from which q -> 0 is reached
COLDEST = 1e-5  # T over eps_F below which the sound of the cold gas is taken
BLOCK = 4096  # points at a time
ROWS = 256  # and of them at once, which stay in the cache
ROOM = 1 << 17  # points times circles that are held at a time


def _fermi(x: np.ndarray) -> np.ndarray:
    """1/(e^x + 1) for complex x."""
    small = np.exp(-np.abs(x.real) - 1j * np.sign(x.real) * x.imag)
    return np.asarray(np.where(x.real > 0, small, 1.0) / (1 + small))


def _between(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights (..., PANELS * NODES) of panels between two real ends."""
    node, weight = gauss_legendre(NODES)
    at = ((np.arange(PANELS)[:, None] + (1 + node) / 2) / PANELS).ravel()
    size = np.asarray(high - low)[..., None]
    return np.asarray(low)[..., None] + size * at, size * np.tile(weight / (2 * PANELS), PANELS)


@dataclass(frozen=True)
class WarmFreeGas:
    """A carrier with ``filled`` of its flavours equally full at the temperature k_B T (Ha_h) > 0; as `FreeGas`."""

    carrier: Carrier
    filled: int
    temperature: float

    @property
    def cold(self) -> FreeGas:
        """The same in its ground state."""
        return FreeGas(self.carrier, self.filled)

    @property
    def fermi(self) -> float:
        """k_F of the ground state, 1/a_h."""
        return self.cold.fermi

    @property
    def reach(self) -> float:
        """The wave number that holds nearly all carriers, 1/a_h."""
        return math.hypot(self.fermi, math.sqrt(4 * self.carrier.mass * self.temperature))

    @property
    def velocity(self) -> float:
        """That of the carriers: of the energy eps_F + T, a_h Ha_h."""
        return math.sqrt(self.cold.velocity**2 + 2 * self.temperature / self.carrier.mass)

    @cached_property
    def level(self) -> float:
        """mu/T = ln(e^{eps_F/T} - 1)."""
        x = self.fermi**2 / (2 * self.carrier.mass * self.temperature)
        return x + math.log(-math.expm1(-x))

    @property
    def states(self) -> float:
        """-chi_0(q -> 0, 0) = N_0 f(0): states per energy and area of all flavours, n/T of a dilute gas."""
        x = self.fermi**2 / (2 * self.carrier.mass * self.temperature)
        return -self.cold.states * math.expm1(-x)

    @property
    def free_energy(self) -> float:
        """F/N = mu - E/N, as p = E/A in the plane; Ha_h."""
        from scipy.special import spence

        z, t = self.level, self.temperature
        # E/N = (T^2/eps_F) F_1(mu/T),  F_1(z) = -Li_2(-e^z)
        high = math.pi**2 / 6 + z * z / 2 + float(spence(1 + math.exp(-z))) if z > 0 else -float(
            spence(1 + math.exp(z)))
        return t * z - t * t * high * 2 * self.carrier.mass / self.fermi**2

    def circles(self, step: float) -> tuple[np.ndarray, np.ndarray]:
        """k_F and weights of the cold gases whose mean this is, by the trapezoidal rule in v of this step."""
        low, high = max(self.level - SPAN, -SPAN / 2), max(self.level, 0.0) + SPAN
        v = np.arange(low, high + step, step)
        e = np.logaddexp(0, v)
        x = np.exp(-np.abs(e - self.level))
        weight = step / (1 + np.exp(-v)) * x / (1 + x) ** 2
        return np.sqrt(2 * self.carrier.mass * self.temperature * e), weight

    def _sum(self, step: float, term: Callable[..., np.ndarray], *at: np.ndarray) -> np.ndarray:
        """The sum of weight k_F^2 term(k_F, ...) over the circles, of arrays ``at`` of one shape."""
        k, weight = self.circles(step)
        share = weight * k * k
        if at[0].size * len(k) <= ROOM:
            return np.asarray(term(k, *(x[..., None] for x in at)) @ share)
        total = share[0] * term(float(k[0]), *at)
        for one, part in zip(k[1:], share[1:], strict=True):
            total += part * term(float(one), *at)
        return np.asarray(total)

    def _mean(self, q: np.ndarray, z: np.ndarray, step: float) -> np.ndarray:
        """chi_0 by cold gases, at z in the upper half plane."""
        m = self.carrier.mass

        # chi_0(e) = (N_0/q) {[c_- - f(c_-)] - [c_+ - f(c_+)]}, of which c - f = k^2/(c + f)
        def term(k: np.ndarray, one: np.ndarray, two: np.ndarray) -> np.ndarray:
            f, g, apart = _root(one, k), _root(two, k), two - one
            # their difference is q [1 + (c_- + c_+)/(f + g)] k^2 over the product, without loss where q is small
            same = (one.real > 0) == (two.real > 0)
            near = 1 + (one + two) / np.where(same, f + g, 1.0)
            return np.asarray(np.where(same, near, 1 + (g - f) / apart) / ((one + f) * (two + g)))

        return np.asarray(self.cold.states * self._sum(step, term, m * z / q - q / 2, m * z / q + q / 2))

    def imaginary(self, q: np.ndarray, w: np.ndarray) -> np.ndarray:
        """chi_0(q, i w) at q > 0 and w >= 0, which broadcast; to rounding at w = 0 and at w >= pi T."""
        q, w = np.broadcast_arrays(np.asarray(q, dtype=float), np.asarray(w, dtype=float))
        found, still = np.empty(q.shape), w == 0
        if still.any():
            found[still] = self._static(q[still])
        near = ~still & (w < 2 * NEAR * self.temperature)
        if near.any():
            found[near] = self.real(q[near], 1j * w[near]).real
        rest = ~still & ~near
        if rest.any():
            found[rest] = self._axis(q[rest], w[rest])
        return found

    def _axis(self, q: np.ndarray, w: np.ndarray) -> np.ndarray:
        # chi_0(e) = -(2 N_0/q) Re k^2/(c + f(c))
        step = FAR_STEP if w.min() >= 2 * math.pi * self.temperature * (1 - 1e-9) else CLOSE_STEP
        k, weight = self.circles(step)
        total = _cold((q / 2 + 1j * self.carrier.mass * w / q).ravel(), k * k, k * k * weight).real.reshape(q.shape)
        return np.asarray(-2 * self.cold.states / q * total)

    def _static(self, q: np.ndarray) -> np.ndarray:
        x = (q / 2) ** 2 / (2 * self.carrier.mass * self.temperature) + 0j
        return np.asarray(-self.cold.states * self._first(x).real)

    def _first(self, x: np.ndarray) -> np.ndarray:
        """int_0^1 ds f(x (1 - s^2)), x = c^2/2mT with an imaginary part well within pi."""
        size, top = np.maximum(x.real, 1e-300), max(self.level, 0.0) + SPAN
        low = np.sqrt(np.clip(1 - top / size, 0.0, 1.0))
        high = np.sqrt(np.clip(1 - (self.level - SPAN) / size, 0.0, 1.0))
        s, ds = _between(low, high)
        return np.asarray(1 - high + np.sum(ds * _fermi(x[..., None] * (1 - s * s) - self.level), axis=-1))

    def _second(self, x: np.ndarray, bent: bool = False) -> np.ndarray:
        """J over sqrt(2 m T), by a straight path in y, or by one that first goes along the imaginary axis of y^2."""
        above = self.level - x  # (mu - c^2/2m)/T
        low = np.sqrt(np.maximum(above.real - SPAN, 0.0))
        high = np.sqrt(np.maximum(above.real, 0.0) + SPAN)
        r, dr = _between(low, high)
        if not bent:
            return np.asarray(low + np.sum(dr * _fermi(r * r - above[..., None]), axis=-1))
        # u = y^2/2mT from 0 to i b, and on to infinity + i b: there f is real
        b, root = above.imag, np.sqrt(1j * above.imag)
        s, ds = _between(np.zeros(x.shape), np.ones(x.shape))
        down = root * np.sum(ds * _fermi(1j * b[..., None] * s * s - above[..., None]), axis=-1)
        beyond = np.sqrt(low * low + 1j * b) - root  # where f is 1
        along = _fermi((r * r - above.real[..., None]) + 0j) * r / np.sqrt(r * r + 1j * b[..., None])
        return np.asarray(down + beyond + np.sum(dr * along, axis=-1))

    def _phi(self, c: np.ndarray) -> np.ndarray:
        """Phi where the branch points are near the axis, continued from above."""
        scale, below = math.sqrt(2 * self.carrier.mass * self.temperature), c.imag < 0
        found = self._turned(np.abs(c.real) + 1j * np.abs(c.imag))
        found = np.where(c.real < 0, -found.conj(), found)
        if below.any():
            found[below] = found[below].conj() - 2j * scale * self._second((c[below] / scale) ** 2)
        return np.asarray(found)

    def _turned(self, c: np.ndarray) -> np.ndarray:
        """Phi at Re c >= 0 and Im c >= 0 by the path below the axis."""
        return _cold(c, *self.below)

    @cached_property
    def below(self) -> tuple[np.ndarray, np.ndarray]:
        """k_F^2 and k_F^2 times weights, complex, of cold gases on the path v - i pi/2."""
        low, high = max(self.level - TURNED, -SPAN / 2), max(self.level, 0.0) + TURNED
        v = np.arange(low, high + TURNED_STEP, TURNED_STEP) - 1j * NEAR
        grown = np.exp(np.where(v.real > 0, -v, v))  # e^-v or e^v, the smaller
        e = np.where(v.real > 0, v, 0) + np.log1p(grown)
        x = np.exp(np.where(e.real > self.level, self.level - e, e - self.level))
        rise = np.where(v.real > 0, 1.0, grown) / (1 + grown)
        square = 2 * self.carrier.mass * self.temperature * e
        return square, square * TURNED_STEP * rise * x / (1 + x) ** 2

    def _above(self, c: np.ndarray) -> np.ndarray:
        """Phi far above the axis."""
        return self._sum(CLOSE_STEP, lambda k, c: 1 / (c + _root(c, k)), c)

    def _deep(self, c: np.ndarray) -> np.ndarray:
        """Phi far below the axis, continued from above."""
        scale = math.sqrt(2 * self.carrier.mass * self.temperature)
        return np.asarray(self._above(c.conj()).conj() - 2j * scale * self._second((c / scale) ** 2, bent=True))

    def real(self, q: np.ndarray, z: np.ndarray) -> np.ndarray:
        """chi_0(q, z) at z = w + i 0, or at complex z near the real axis on the sheet that goes on from above."""
        q, z = np.broadcast_arrays(np.asarray(q, dtype=float), np.asarray(z, dtype=complex))
        parts = [self._real(q.ravel()[i:i + BLOCK], z.ravel()[i:i + BLOCK]) for i in range(0, q.size, BLOCK)]
        return np.concatenate(parts).reshape(q.shape)

    def _real(self, q: np.ndarray, z: np.ndarray) -> np.ndarray:
        m, heat = self.carrier.mass, 2 * self.carrier.mass * self.temperature
        ends = np.stack([m * z / q - q / 2, m * z / q + q / 2])
        near = np.abs((ends**2).imag) < NEAR * heat
        far = (~near).all(axis=0) & (z.imag > 0)
        found = np.empty(q.shape, dtype=complex)
        if far.any():
            found[far] = self._mean(q[far], z[far], CLOSE_STEP)
        if not far.all():
            rest, phi = ~far, np.empty((2, int((~far).sum())), dtype=complex)
            c, close = ends[:, rest], near[:, rest]
            above = ~close & (c.imag >= 0)
            deep = ~close & ~above
            phi[close] = self._phi(c[close])
            if deep.any():
                phi[deep] = self._deep(c[deep])
            if above.any():
                phi[above] = self._above(c[above])
            found[rest] = self.cold.states / q[rest] * (phi[0] - phi[1])
        return found

    def sound(self, c: complex) -> complex:
        """chi_0(q, c q) for q -> 0, on the sheet that goes on from above; differences in q, to the eighth power."""
        if self.temperature * 2 * self.carrier.mass < COLDEST * self.fermi**2:
            return self.cold.sound(c)
        q = RICHARDSON * min(self.temperature / self.velocity, self.fermi) * np.array([1.0, 2.0, 4.0, 8.0])
        values = self.real(q, c * q)
        for order in (1, 2, 3):  # the error has even powers of q
            values = (4**order * values[:-1] - values[1:]) / (4**order - 1)
        return complex(values[0])


def _cold(c: np.ndarray, square: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The sum of share/[c + (c^2 - square)^(1/2)] at Re c >= 0, where no c^2 - square has a negative imaginary part."""
    total = np.empty(c.shape, dtype=complex)
    for start in range(0, len(c), ROWS):
        one = c[start:start + ROWS, None]
        root = one * one - square
        np.sqrt(root, out=root)
        root += one
        np.reciprocal(root, out=root)
        total[start:start + ROWS] = root @ share
    return total


def _root(c: np.ndarray, k: np.ndarray | float) -> np.ndarray:
    """sqrt(c - k) sqrt(c + k), which is c for small k, above the real axis."""
    return np.asarray(np.where(c.real < 0, -1.0, 1.0) * np.sqrt(c * c - k * k))
