"""The spectral function alpha^2 F(omega) of what mediates pairing, kept as sharp modes, and the moments taken from it.

lambda = 2 int alpha^2F/omega domega is a sum of couplings of modes; a smooth spectrum is a quadrature of such modes, so
every integral over it is a sum. On the Matsubara axis it acts through lambda(nu) = sum_i lambda_i w_i^2/(w_i^2 + nu^2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike

from ehbilayer.errors import InputError
from ehbilayer.numerics.quadrature import gauss_legendre

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

PER_INTERVAL = 4  # modes between two tabulated frequencies
FAINT = 1e-6  # share of lambda that does not say where a spectrum ends
FEW = 6  # modes that are summed faster than interpolated
SPLINE_STEP = 0.04  # in ln nu
NEARLY = 0.9  # of the largest nu^2 lambda(nu), at which a tabulated coupling ends


class Coupling(Protocol):
    """lambda(nu) on the imaginary axis, as Eliashberg's equations take it; see `CouplingSpectrum`."""

    @property
    def lam(self) -> float: ...

    @property
    def top(self) -> float: ...

    @property
    def omega_square(self) -> float: ...

    def quickly_at(self, frequency: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class CouplingSpectrum:
    """Modes of frequency ``omega`` (n,) > 0, in any one unit of energy, with couplings ``coupling`` (n,) >= 0.

    Raises InputError for arrays of other shapes or signs, and where nothing couples.
    """

    omega: np.ndarray
    coupling: np.ndarray

    def __post_init__(self) -> None:
        omega, coupling = np.asarray(self.omega, dtype=float), np.asarray(self.coupling, dtype=float)
        if omega.ndim != 1 or omega.shape != coupling.shape or not omega.size:
            raise InputError("omega", "one frequency for every coupling, shape (n,)", (omega.shape, coupling.shape),
                             "give two lists of the same length")
        if not (np.isfinite(omega).all() and (omega > 0).all()):
            raise InputError("omega", "positive frequencies", float(omega.min()), "leave out the others")
        if not (np.isfinite(coupling).all() and (coupling >= 0).all() and coupling.sum() > 0):
            raise InputError("coupling", "couplings >= 0, not all of them 0", float(coupling.min()),
                             "a negative coupling would make the lattice unstable")
        keep = coupling > 0
        object.__setattr__(self, "omega", omega[keep])
        object.__setattr__(self, "coupling", coupling[keep])

    @property
    def lam(self) -> float:
        """lambda = 2 int alpha^2F/omega domega."""
        return float(self.coupling.sum())

    @property
    def top(self) -> float:
        """The highest frequency that couples: what lies above has less than FAINT of lambda, noise of a table."""
        order = np.argsort(self.omega)[::-1]
        above = np.cumsum(self.coupling[order])  # of this frequency and those above
        return float(self.omega[order][np.argmax(above >= FAINT * self.lam)])

    @property
    def omega_log(self) -> float:
        """exp(<ln omega>), averaged with 2 alpha^2F/(lambda omega): the scale of T_c at weak coupling."""
        return math.exp(float(self.coupling @ np.log(self.omega)) / self.lam)

    @property
    def omega_square(self) -> float:
        """<omega^2>^{1/2} with the same weight: the scale of T_c at strong coupling."""
        return math.sqrt(float(self.coupling @ self.omega**2) / self.lam)

    def at(self, frequency: ArrayLike) -> np.ndarray:
        """lambda(nu) at real ``frequency`` nu, of any shape."""
        nu2 = np.asarray(frequency, dtype=float) ** 2
        out = np.zeros(nu2.shape)
        for omega2, coupling in zip(self.omega**2, self.coupling, strict=True):
            out += coupling * omega2 / (omega2 + nu2)
        return out

    def quickly_at(self, frequency: np.ndarray) -> np.ndarray:
        """The same as `at` to 1e-8 of lambda, from a spline in ln nu: for very many frequencies."""
        if self.omega.size <= FEW:
            return self.at(frequency)
        low, spline = self._spline
        return np.asarray(spline(np.log(np.maximum(np.abs(frequency), low))))

    @cached_property
    def _spline(self) -> tuple[float, CubicSpline]:
        """The lowest nu, below which lambda(nu) is lambda, and the spline; it ends where next to nothing is left."""
        from scipy.interpolate import CubicSpline

        low, high = 1e-5 * float(self.omega.min()), 1e5 * self.top
        x = np.linspace(math.log(low), math.log(high), math.ceil(math.log(high / low) / SPLINE_STEP))
        return low, CubicSpline(x, self.at(np.exp(x)), bc_type="clamped")


@dataclass(frozen=True, eq=False)
class TabulatedCoupling:
    """lambda (n,) > 0 at imaginary frequencies ``nu`` (n,), 0 first and then rising, evenly in ln nu; of any sign later
    on: no spectrum need stand behind it. Beyond the last nu it falls as nu^-2."""

    nu: np.ndarray
    values: np.ndarray

    @property
    def lam(self) -> float:
        """lambda(0)."""
        return float(self.values[0])

    @property
    def top(self) -> float:
        """Where lambda(nu) begins to fall as nu^-2."""
        weight = self.nu**2 * self.values
        return float(self.nu[np.argmax(weight >= NEARLY * weight.max())])

    @property
    def omega_square(self) -> float:
        """(max nu^2 lambda(nu)/lambda)^{1/2}, which is <omega^2>^{1/2} of a spectrum."""
        return math.sqrt(float(np.max(self.nu**2 * self.values)) / self.lam)

    def quickly_at(self, frequency: np.ndarray) -> np.ndarray:
        """lambda(nu) from a spline in ln nu."""
        nu = np.maximum(np.abs(frequency), self.nu[1])
        beyond = self.nu[-1] / np.maximum(nu, self.nu[-1])
        return np.asarray(self._spline(np.log(np.minimum(nu, self.nu[-1]))) * beyond**2)

    @cached_property
    def _spline(self) -> CubicSpline:
        from scipy.interpolate import CubicSpline

        return CubicSpline(np.log(self.nu[1:]), self.values[1:])


def from_table(omega: ArrayLike, alpha2F: ArrayLike) -> CouplingSpectrum:
    """The spectrum that interpolates a table linearly.

    Parameters
    ----------
    omega : rising frequencies (n,), n >= 2, >= 0, in any unit.
    alpha2F : alpha^2 F there (n,), >= 0, dimensionless; it must vanish at omega = 0 if the table begins there.

    Raises
    ------
    InputError : tables that are no such spectrum.
    """
    w, f = np.asarray(omega, dtype=float), np.asarray(alpha2F, dtype=float)
    if w.ndim != 1 or w.shape != f.shape or w.size < 2:
        raise InputError("alpha2F", "one value for every frequency, at least two", (w.shape, f.shape),
                         "give two lists of the same length")
    if not (np.isfinite(w).all() and w[0] >= 0 and (np.diff(w) > 0).all()):
        raise InputError("omega", "rising frequencies >= 0", float(w[0]), "sort them, without repetitions")
    if not (np.isfinite(f).all() and (f >= 0).all() and f.any()):
        raise InputError("alpha2F", "values >= 0, not all of them 0", float(f.min()), "check the sign and the units")
    if w[0] == 0 and f[0] > 0:
        raise InputError("alpha2F", "0 at omega = 0", float(f[0]), "lambda = 2 int alpha2F/omega would be infinite")
    node, weight = gauss_legendre(PER_INTERVAL)
    at = 0.5 + 0.5 * node
    points = w[:-1, None] + np.diff(w)[:, None] * at
    values = f[:-1, None] + np.diff(f)[:, None] * at
    coupling = values / points * np.diff(w)[:, None] * weight  # 2 alpha^2F/omega domega, with domega/2 from the rule
    return CouplingSpectrum(points.ravel(), coupling.ravel())


def einstein(omega: float, lam: float) -> CouplingSpectrum:
    """One sharp mode. Raises InputError for a frequency or coupling that is not positive."""
    return CouplingSpectrum(np.array([omega]), np.array([lam]))


def condensed(omega: np.ndarray, coupling: np.ndarray, modes: int) -> CouplingSpectrum:
    """At most ``modes`` modes that keep int coupling omega^(2j) for all j < 2 modes, a Gauss rule in omega^2.

    With a dozen of them lambda(nu) stays to rounding where the frequencies lie within a factor of two. Lanczos with
    full reorthogonalisation; nodes and weights as in Golub and Welsch, Math. Comp. 23, 221 (1969).
    """
    from scipy.linalg import eigh_tridiagonal

    x, total = omega**2, float(coupling.sum())
    basis = [np.sqrt(coupling / total)]
    diagonal, below = [float(basis[0] @ (x * basis[0]))], []
    for _ in range(min(modes, x.size) - 1):
        rest = x * basis[-1]
        for _ in range(2):
            rest = rest - np.array(basis).T @ (np.array(basis) @ rest)
        size = float(np.linalg.norm(rest))
        if size < 1e-12 * x.max():  # so few different frequencies
            break
        basis.append(rest / size)
        below.append(size)
        diagonal.append(float(basis[-1] @ (x * basis[-1])))
    node, vector = eigh_tridiagonal(np.array(diagonal), np.array(below))
    return CouplingSpectrum(np.sqrt(node), total * vector[0] ** 2)
