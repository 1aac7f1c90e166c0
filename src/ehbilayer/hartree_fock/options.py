"""How a Hartree-Fock calculation is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ehbilayer.errors import InputError

KEPT = ("none", "translations", "crystal")
RULES = ("integer", "shell")
STABILITY = ("none", "auto", "full")


@dataclass(frozen=True)
class Options:
    """How a Hartree-Fock calculation is run.

    start : phase name, ``"random"``, or ``"path"`` with ``initial`` given to `solve`.
    spin_order : ``uniform``, ``stripe`` or ``random`` placement of flavours on sites.
    starts, seed : number of starts; the first is the clean guess, further ones carry seeded noise.
    keep : symmetry held: ``none`` (that of the basis), ``translations`` (uniform), ``crystal`` (one site per cell).
    follow : leave a saddle along its lowest mode and minimise again, in the free box.
    occupation : ``integer``, or ``shell`` (a degenerate shell is filled equally).
    tolerance : bound on the solver's energy error per particle (Ha_h); see `residual_target`.
    stability : ``none``, ``auto`` (where it costs no more than a few seconds) or ``full``.
    basis_tolerance : enlarge the basis until the energy per particle changes by less than this (Ha_h); None keeps it.
    spectrum : compute levels, gaps, bands, densities and pressure of the final state.
    bands : bands, where there is a spectrum.
    refill : fill the lowest levels of a crystal anew: ``all`` fillings that this leads to, ``down`` as long as that
        lowers the energy, ``none``.
    pairing, pair_momentum : electron-hole coherence, see `coherence`; Q of the pairs in reciprocal vectors of the box.
    """

    start: str = "crystal"
    spin_order: str = "uniform"
    starts: int = 1
    seed: int = 0
    keep: str = "none"
    follow: bool = False
    occupation: str = "integer"
    tolerance: float = 1e-8
    max_iterations: int = 2000
    stability: str = "auto"
    basis_tolerance: float | None = None
    spectrum: bool = True
    bands: bool = True
    refill: str = "all"
    pairing: bool = False
    pair_momentum: Sequence[float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name, allowed in (("keep", KEPT), ("occupation", RULES), ("stability", STABILITY),
                              ("spin_order", ("uniform", "stripe", "random")), ("refill", ("all", "down", "none"))):
            if getattr(self, name) not in allowed:
                raise InputError(name, " | ".join(allowed), getattr(self, name), "choose one")
        self._check_pairing()
        if not 1e-14 <= self.tolerance < 1:
            raise InputError("tolerance", "an energy (Ha_h) between 1e-14 and 1", self.tolerance,
                             "1e-8 is the default")
        for name in ("starts", "max_iterations"):
            if getattr(self, name) < 1:
                raise InputError(name, "an integer >= 1", getattr(self, name), "choose a larger one")

    def _check_pairing(self) -> None:
        """Raise InputError for what there is not with pairing, or not without."""
        if not all(np.isfinite(self.pair_momentum)) or len(self.pair_momentum) != 2:
            raise InputError("pair_momentum", "two numbers, in reciprocal vectors of the box", self.pair_momentum,
                             "[0, 0] is the ground state of balanced carriers")
        if any(self.pair_momentum) and not self.pairing:
            raise InputError("pair_momentum", "left out without pairing", self.pair_momentum, "set pairing = true")
        if self.pairing and (self.occupation != "integer" or self.follow):
            name = "follow" if self.follow else "occupation"
            raise InputError(name, "left out with pairing", getattr(self, name), "it knows whole levels and its start")

    @property
    def residual_target(self) -> float:
        """Largest allowed norm of (1 - P) F psi (Ha_h): 1e-3 sqrt(tolerance), so that the energy error, which is
        residual^2 / gap, stays far below the tolerance and gaps, which are linear in it, are good as well."""
        return max(1e-3 * float(np.sqrt(self.tolerance)), 5e-10)
