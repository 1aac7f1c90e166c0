"""The electron liquid that plasmons pair: what couplings and temperatures depend on, and the choices of a calculation.

Lengths in a_h, energies in Ha_h, masses as m_e/m_h, as everywhere; r_s of the electrons counts in a_e = a_h m_h/m_e.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ehbilayer.errors import InputError
from ehbilayer.interaction.base import require_coulomb
from ehbilayer.model import Bilayer, require_balance

METHODS = ("bcs", "mcmillan", "allen-dynes", "eliashberg")
UMKLAPP = ("debye", "folded")
RULES = ("morel-anderson", "bare")


@dataclass(frozen=True)
class Choices:
    """How T_c is computed.

    Parameters
    ----------
    method : ``eliashberg``, ``bcs``, ``mcmillan`` or ``allen-dynes``, see `temperature`.
    mu_star : ``morel-anderson``, ``bare`` (mu itself), or a number >= 0; used by all methods but ``bcs``.
    umklapp : ``debye`` or ``folded``, see `couplings`.
    curve_points : points of the curves of T_c against alpha^2 and r_s; 0 for none.

    Raises
    ------
    InputError : an unknown name, a negative number.
    """

    method: str = "eliashberg"
    mu_star: Literal["morel-anderson", "bare"] | float = "morel-anderson"
    umklapp: str = "debye"
    curve_points: int = 24

    def __post_init__(self) -> None:
        check_method(self.method)
        if self.umklapp not in UMKLAPP:
            raise InputError("umklapp", " | ".join(UMKLAPP), self.umklapp, "choose one of these")
        check_rule(self.mu_star)
        if self.curve_points < 0:
            raise InputError("curve_points", "an integer >= 0", self.curve_points, "0 leaves the curves out")


def check_method(method: str) -> None:
    """Raise InputError for an unknown method."""
    if method not in METHODS:
        raise InputError("method", " | ".join(METHODS), method, "choose one of these")


def check_rule(mu_star: Any) -> None:
    """Raise InputError for a rule of mu* that is neither known nor a number >= 0."""
    if mu_star not in RULES if isinstance(mu_star, str) else not 0 <= mu_star < np.inf:
        raise InputError("mu_star", "morel-anderson | bare | a number >= 0", mu_star, "choose one of these")


@dataclass(frozen=True)
class Liquid:
    """Where the electrons are and what pairs them.

    Parameters
    ----------
    rs : r_s of the electrons, > 0.   spacing : a_h, >= 0.   mass_ratio : m_e/m_h.
    alpha_squared : (v_p/v_0)^2, the plasmon velocity over that of Bohm and Staver.
    These four may be arrays that broadcast against each other.
    umklapp, mu_star : as in `Choices`.   flavours : of the electrons, >= 2 (singlets pair two of them).

    Raises
    ------
    InputError : an r_s that is not positive, a negative spacing, fewer than two flavours.
    """

    rs: Any
    spacing: Any
    mass_ratio: Any
    alpha_squared: Any
    umklapp: str = "debye"
    flavours: int = 2
    mu_star: Literal["morel-anderson", "bare"] | float = "morel-anderson"

    def __post_init__(self) -> None:
        rs, spacing = np.asarray(self.rs, dtype=float), np.asarray(self.spacing, dtype=float)
        check("rs", "r_s > 0", rs, rs > 0, "r_s = 1/sqrt(pi n) in a_e")
        check("spacing", "a length >= 0 (a_h)", spacing, spacing >= 0, "it is the distance between the layers")
        check_flavours(self.flavours)

    @classmethod
    def of(cls, bilayer: Bilayer, alpha_squared: Any, choices: Choices, rs: Any = None, spacing: Any = None) -> Liquid:
        """The liquid of a bilayer, at other r_s and spacings (a_h) where they are given."""
        electron = bilayer.carrier("electron")
        return cls(electron.rs if rs is None else rs, bilayer.spacing if spacing is None else spacing,
                   bilayer.mass_ratio, alpha_squared, choices.umklapp, electron.flavours, choices.mu_star)

    @property
    def screening(self) -> np.ndarray:
        """a = k_s/2k_F = g^{3/2} r_s/4, with k_s = g/a_e and k_F = sqrt(4 pi n/g)."""
        return self.flavours**1.5 * np.asarray(self.rs, dtype=float) / 4

    @property
    def suppression(self) -> np.ndarray:
        """s = 4 k_F d = 8 (d/a_e)/(r_s sqrt(g)): e^{-s sin(theta)} is how the spacing weakens the coupling."""
        over_a_e = np.asarray(self.spacing, dtype=float) * self.mass_ratio
        return np.asarray(8 * over_a_e / (np.asarray(self.rs, dtype=float) * np.sqrt(self.flavours)))

    @property
    def fermi(self) -> np.ndarray:
        """eps_F = k_F^2/2m_e, which is 2/(g r_s^2) Ha_e, in Ha_h."""
        return np.asarray(2 / (self.flavours * np.asarray(self.rs, dtype=float) ** 2) * self.mass_ratio)

    @property
    def debye(self) -> np.ndarray:
        """k_B T_D = v_p k_D = sqrt(2 g) alpha eps_F sqrt(m_e/m_h) in Ha_h (Eq. 5)."""
        root = np.sqrt(2 * self.flavours * np.asarray(self.alpha_squared, dtype=float) * self.mass_ratio)
        return np.asarray(root * self.fermi)

    def pseudopotential(self, mu: ArrayLike) -> np.ndarray:
        """mu* of a given mu. Raises InputError for a rule that is neither known nor a number >= 0."""
        return pseudopotential(self.mu_star, mu, self.fermi, self.debye)


def pseudopotential(rule: Any, mu: ArrayLike, fermi: ArrayLike, top: ArrayLike) -> np.ndarray:
    """mu* of a given mu where nothing couples beyond the frequency ``top``, by one of RULES or a number.

    Raises InputError for a rule that is neither known nor a number >= 0.
    """
    check_rule(rule)
    if rule == "morel-anderson":
        return morel_anderson(mu, fermi, top)
    if rule == "bare":
        return np.asarray(mu, dtype=float)
    return np.full(np.shape(mu), float(rule))


def morel_anderson(mu: ArrayLike, fermi: ArrayLike, debye: ArrayLike) -> np.ndarray:
    """mu* = mu/(1 + mu ln(eps_F/k_B T_D)): the repulsion seen at the energy of the plasmons.

    Where T_D exceeds eps_F there is nothing to retard: mu* = mu. Source: P. Morel and P. W. Anderson, Phys. Rev. 125,
    1263 (1962).
    """
    bare = np.asarray(mu, dtype=float)
    return np.asarray(bare / (1 + bare * np.log(np.maximum(np.asarray(fermi, dtype=float) / debye, 1.0))))


def check(name: str, must: str, values: np.ndarray, good: np.ndarray, todo: str) -> None:
    """Raise InputError naming the first value that is not finite or not good."""
    good = good & np.isfinite(values)
    if not good.all():
        raise InputError(name, must, float(values.reshape(-1)[np.argmin(good)]), todo)


def check_flavours(flavours: int) -> None:
    """Raise InputError for electrons without a partner."""
    if flavours < 2:
        raise InputError("electron_flavours", "at least 2 where electrons pair in singlets", flavours,
                         "2 for spin, 4 for spin and valley")


def require_plasmons(bilayer: Bilayer) -> None:
    """Raise InputError unless acoustic plasmons of the holes may pair the electrons of this bilayer: Coulomb, one
    electron to each hole, holes no lighter than electrons, two flavours of electrons or more."""
    if bilayer.mass_ratio > 1:
        raise InputError("hole_mass", "at least the electron mass", f"{1 / bilayer.mass_ratio:g} of it",
                         "the holes are the heavy lattice; exchange the layers where electrons are")
    check_flavours(bilayer.carrier("electron").flavours)
    require_coulomb(bilayer.interaction, "pairing by plasmons")
    require_balance(bilayer, "pairing by plasmons")
