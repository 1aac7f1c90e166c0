"""T_c of the electron liquid by four methods, its derivatives with respect to what it depends on, and its error band.

    bcs          1.13 T_D e^{1/g0V}, g0V = mu - lambda: as published (mu bare)
    mcmillan     T_D/1.45 exp(-1.04 (1 + lambda)/(lambda - mu*(1 + 0.62 lambda)))
    allen-dynes  f1 f2 omega_log/1.2 times the same exponential
    eliashberg   the isotropic equations with the whole alpha^2F

Units as in `couplings`: r_s, d/a_e and m_h/m_e in, k_B T_c in Ha_e out. Sources: W. L. McMillan, Phys. Rev. 167, 331
(1968); P. B. Allen and R. C. Dynes, Phys. Rev. B 12, 905 (1975).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ehbilayer.errors import InputError
from ehbilayer.pairing.couplings import bcs_temperature, couplings, debye_temperature, fermi_energy, morel_anderson
from ehbilayer.pairing.eliashberg import FLOOR
from ehbilayer.pairing.eliashberg import critical_temperature as eliashberg_temperature
from ehbilayer.pairing.plasmon_spectrum import moments, plasmon_spectrum

METHODS = ("bcs", "mcmillan", "allen-dynes", "eliashberg")
STEP = 5e-3  # of ln x, for derivatives
BAND_POINTS = {"eliashberg": 9}  # of alpha^2 within its uncertainty; the others are cheap
VARIABLES = ("alpha_squared", "rs", "spacing", "mass_ratio")


@dataclass(frozen=True)
class Liquid:
    """Where the electrons are and what pairs them.

    Parameters
    ----------
    rs : r_s of the electrons.   spacing : d/a_e.   mass_ratio : m_h/m_e.   alpha_squared : (v_p/v_0)^2.
    These four may be arrays that broadcast against each other.
    umklapp : ``debye`` or ``folded``.   flavours : of the electrons.
    mu_star : ``morel-anderson``, ``bare`` (mu itself), or a number >= 0; used by all methods but ``bcs``.
    """

    rs: Any
    spacing: Any
    mass_ratio: Any
    alpha_squared: Any
    umklapp: str = "debye"
    flavours: int = 2
    mu_star: Literal["morel-anderson", "bare"] | float = "morel-anderson"

    @property
    def fermi(self) -> np.ndarray:
        """eps_F in Ha_e."""
        return fermi_energy(self.rs, self.flavours)

    @property
    def debye(self) -> np.ndarray:
        """k_B T_D in Ha_e."""
        return debye_temperature(self.rs, self.alpha_squared, self.mass_ratio, self.flavours)

    def pseudopotential(self, mu: ArrayLike) -> np.ndarray:
        """mu* of a given mu. Raises InputError for a rule that is neither known nor a number >= 0."""
        if self.mu_star == "morel-anderson":
            return morel_anderson(mu, self.fermi, self.debye)
        if self.mu_star == "bare":
            return np.asarray(mu, dtype=float)
        if isinstance(self.mu_star, str) or not 0 <= self.mu_star < np.inf:
            raise InputError("mu_star", "morel-anderson | bare | a number >= 0", self.mu_star, "choose one of these")
        return np.full(np.shape(mu), float(self.mu_star))


def temperature_of(liquid: Liquid, method: str = "bcs", floor: float = FLOOR) -> np.ndarray:
    """k_B T_c in Ha_e, an array where the liquid holds arrays; 0 without pairing and where alpha^2 <= 0 (no plasmon).

    ``floor`` is the lowest T_c/T_D that "eliashberg" looks for. Raises InputError for an unknown method.
    """
    if method not in METHODS:
        raise InputError("method", " | ".join(METHODS), method, "choose one of these")
    if method == "bcs":
        return bcs_temperature(liquid.rs, liquid.spacing, liquid.alpha_squared, liquid.mass_ratio, liquid.umklapp,
                               liquid.flavours)
    r, d, ratio, square = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (
        liquid.rs, liquid.spacing, liquid.mass_ratio, liquid.alpha_squared)))
    alive = square > 0
    safe = replace(liquid, rs=r, spacing=d, mass_ratio=ratio, alpha_squared=np.where(alive, square, 1.0))
    mu, lam = couplings(r, d, safe.alpha_squared, liquid.umklapp, liquid.flavours)
    star = safe.pseudopotential(mu)
    if method == "mcmillan":
        reduced = mcmillan(lam, star)
    elif method == "allen-dynes":
        reduced = allen_dynes(lam, star, *moments(r, d, liquid.umklapp, liquid.flavours))
    else:
        reduced = _eliashberg(safe, star, alive, floor)
    return np.where(alive, reduced * safe.debye, 0.0)


def _eliashberg(liquid: Liquid, mu_star: np.ndarray, alive: np.ndarray, floor: float) -> np.ndarray:
    """T_c/T_D point by point; mu* belongs to k_B T_D, which is 1 in the units of the spectrum."""
    out = np.zeros(alive.shape)
    for i in np.ndindex(alive.shape):
        if alive[i]:
            spectrum = plasmon_spectrum(float(liquid.rs[i]), float(liquid.spacing[i]), float(liquid.alpha_squared[i]),
                                        liquid.umklapp, liquid.flavours)
            out[i] = eliashberg_temperature(spectrum, float(mu_star[i]), 1.0, floor=floor)
    return out


def mcmillan(lam: ArrayLike, mu_star: ArrayLike) -> np.ndarray:
    """McMillan's T_c over T_D; 0 where lambda <= mu* (1 + 0.62 lambda)."""
    return np.asarray(_exponential(lam, mu_star) / 1.45)


def allen_dynes(lam: ArrayLike, mu_star: ArrayLike, omega_log: ArrayLike, omega_square: ArrayLike) -> np.ndarray:
    """Allen and Dynes' T_c in the units of ``omega_log`` and ``omega_square`` = <omega^2>^{1/2}, with both corrections.

    f1 = [1 + (lambda/2.46(1 + 3.8 mu*))^{3/2}]^{1/3}, f2 = 1 + (r - 1) lambda^2/(lambda^2 + [1.82(1 + 6.3 mu*) r]^2),
    where r = omega_square/omega_log.
    """
    lam, star, log = (np.asarray(x, dtype=float) for x in (lam, mu_star, omega_log))
    r = np.asarray(omega_square, dtype=float) / log
    f1 = (1 + (lam / (2.46 * (1 + 3.8 * star))) ** 1.5) ** (1 / 3)
    f2 = 1 + (r - 1) * lam**2 / (lam**2 + (1.82 * (1 + 6.3 * star) * r) ** 2)
    return np.asarray(f1 * f2 * log / 1.2 * _exponential(lam, star))


def _exponential(lam: ArrayLike, mu_star: ArrayLike) -> np.ndarray:
    lam, star = np.asarray(lam, dtype=float), np.asarray(mu_star, dtype=float)
    net = lam - star * (1 + 0.62 * lam)
    return np.where(net > 0, np.exp(-1.04 * (1 + lam) / np.where(net > 0, net, 1.0)), 0.0)


def logarithmic_derivatives(liquid: Liquid, method: str) -> dict[str, float] | None:
    """d ln(k_B T_c/Ha_e)/d ln x for x in VARIABLES, the others held; None where T_c = 0. The liquid holds numbers."""
    if not float(temperature_of(liquid, method)) > 0:
        return None
    found = {}
    for name in VARIABLES:
        value = float(getattr(liquid, name))
        high, low = (float(temperature_of(replace(liquid, **{name: value * np.exp(sign * STEP)}), method))
                     for sign in (1, -1))
        found[name] = float(np.log(high / low)) / (2 * STEP) if high > 0 and low > 0 else float("nan")
    return found


@dataclass(frozen=True)
class Band:
    """T_c (Ha_e) over an interval of alpha^2: lowest, highest, and whether the interval reaches alpha^2 <= 0."""

    low: float
    high: float
    unstable: bool


def band(liquid: Liquid, uncertainty: float, method: str) -> Band:
    """T_c where alpha^2 is uncertain by ``uncertainty`` >= 0 either way; 0 where it may be <= 0, without a plasmon."""
    points = BAND_POINTS.get(method, 201)
    squares = float(liquid.alpha_squared) + uncertainty * np.linspace(-1, 1, points)
    values = temperature_of(replace(liquid, alpha_squared=squares), method)
    return Band(float(values.min()), float(values.max()), bool((squares <= 0).any()))
