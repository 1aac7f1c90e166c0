"""T_c of the electron liquid by four methods, its derivatives with respect to what it depends on, and its error band.

    bcs          1.13 T_D e^{1/g0V}, g0V = mu - lambda: as published (mu bare)
    mcmillan     T_D/1.45 exp(-1.04 (1 + lambda)/(lambda - mu*(1 + 0.62 lambda)))
    allen-dynes  f1 f2 omega_log/1.2 times the same exponential
    eliashberg   the isotropic equations with the whole alpha^2F

k_B T_c counts in Ha_h. Sources: W. L. McMillan, Phys. Rev. 167, 331
(1968); P. B. Allen and R. C. Dynes, Phys. Rev. B 12, 905 (1975).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ehbilayer.numerics.extremum import maximum
from ehbilayer.pairing.couplings import couplings, published_temperature
from ehbilayer.pairing.eliashberg import FLOOR, STRONG
from ehbilayer.pairing.eliashberg import critical_temperature as eliashberg_temperature
from ehbilayer.pairing.liquid import Liquid, check_method
from ehbilayer.pairing.plasmon_spectrum import moments, plasmon_spectrum

STEP = 5e-3  # of ln x, for derivatives
SMALLEST = 1e-12  # alpha^2 down to which a band is sampled, and for "eliashberg" this part of the highest:
SMALLEST_PART = 1e-3
PER_DECADE = {"eliashberg": 4}  # samples of alpha^2; the others are cheap


def temperature_of(liquid: Liquid, method: str = "bcs", floor: float = FLOOR) -> np.ndarray:
    """k_B T_c in Ha_h, an array where the liquid holds arrays; 0 without pairing and where alpha^2 <= 0 (no plasmon).

    ``floor`` is the lowest T_c/T_D that "eliashberg" looks for. Raises InputError for an unknown method.
    """
    check_method(method)
    if method == "bcs":
        return published_temperature(liquid)
    r, d, ratio, square = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (
        liquid.rs, liquid.spacing, liquid.mass_ratio, liquid.alpha_squared)))
    alive = square > 0
    safe = replace(liquid, rs=r, spacing=d, mass_ratio=ratio, alpha_squared=np.where(alive, square, 1.0))
    mu, lam = couplings(safe)
    star = safe.pseudopotential(mu)
    if method == "mcmillan":
        reduced = mcmillan(lam, star)
    elif method == "allen-dynes":
        reduced = allen_dynes(lam, star, *moments(safe))
    else:
        reduced = _eliashberg(safe, star, alive, floor)
    return np.where(alive, reduced * safe.debye, 0.0)


def _eliashberg(liquid: Liquid, mu_star: np.ndarray, alive: np.ndarray, floor: float) -> np.ndarray:
    """T_c/T_D point by point; mu* belongs to k_B T_D, which is 1 in the units of the spectrum."""
    out = np.zeros(alive.shape)
    for i in np.ndindex(alive.shape):
        if alive[i]:
            one = replace(liquid, rs=liquid.rs[i], spacing=liquid.spacing[i], mass_ratio=liquid.mass_ratio[i],
                          alpha_squared=liquid.alpha_squared[i])
            out[i] = eliashberg_temperature(plasmon_spectrum(one), float(mu_star[i]), 1.0, floor=floor)
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
    """d ln T_c/d ln x for x = alpha_squared, rs, spacing and hole_mass, the others and all electron units held.

    None where T_c = 0. The liquid holds numbers.
    """
    if not float(temperature_of(liquid, method)) > 0:
        return None

    def moved(name: str, factor: float) -> float:
        """T_c in Ha_e where x is ``factor`` times itself; a heavier hole makes a_h shorter, so that d/a_h grows."""
        changes = {"hole_mass": {"mass_ratio": 1 / factor, "spacing": factor}}.get(name, {name: factor})
        values: dict[str, Any] = {key: float(getattr(liquid, key)) * f for key, f in changes.items()}
        other = replace(liquid, **values)
        return float(temperature_of(other, method)) / other.mass_ratio

    found = {}
    for name in ("alpha_squared", "rs", "spacing", "hole_mass"):
        high, low = (moved(name, np.exp(sign * STEP)) for sign in (1, -1))
        found[name] = float(np.log(high / low)) / (2 * STEP) if high > 0 and low > 0 else float("nan")
    return found


@dataclass(frozen=True)
class Band:
    """k_B T_c (Ha_h) over an interval of alpha^2: lowest, highest, and whether the interval reaches alpha^2 <= 0."""

    low: float
    high: float
    unstable: bool


def band(liquid: Liquid, uncertainty: float, method: str) -> Band:
    """T_c where alpha^2 is uncertain by ``uncertainty`` >= 0 either way; 0 where it may be <= 0, without a plasmon.

    It contains T_c at every alpha^2 > 0 of the interval, however small: the samples are a fixed number per decade of
    alpha^2, the highest and the lowest of them are refined. Below the smallest sample "eliashberg" counts as its
    strong-coupling bound, which it approaches.
    """
    middle = float(liquid.alpha_squared)
    low, high = middle - uncertainty, middle + uncertainty
    if not high > 0:
        return Band(0.0, 0.0, True)
    density, limit = PER_DECADE.get(method, 50), method == "eliashberg"
    start = min(max(low, SMALLEST_PART * high if limit else SMALLEST), high)
    inner = np.arange(np.ceil(density * np.log10(start)), np.floor(density * np.log10(high)) + 1) / density
    squares = np.unique(np.clip([start, *10.0**inner, *([middle] if middle > 0 else []), high], start, high))
    values = temperature_of(replace(liquid, alpha_squared=squares), method)

    def t_c(log_square: float) -> float:
        return float(temperature_of(replace(liquid, alpha_squared=np.exp(log_square)), method))

    highest = maximum(t_c, np.log(squares), values)[1]
    lowest = -maximum(lambda x: -t_c(x), np.log(squares), -values)[1] if values.min() > 0 else 0.0
    if start > low and limit:
        highest = max(highest, strong_coupling_bound(replace(liquid, alpha_squared=high)))
    return Band(0.0 if low <= 0 else lowest, highest, low <= 0)


def strong_coupling_bound(liquid: Liquid) -> float:
    """0.1827 sqrt(lambda <omega^2>) in Ha_h: no T_c of a spectrum of this strength is higher (Allen and Dynes), and
    that at alpha^2 -> 0 reaches it. alpha does not enter."""
    spectrum = plasmon_spectrum(liquid)
    return STRONG * float(np.sqrt(spectrum.lam)) * spectrum.omega_square * float(liquid.debye)
