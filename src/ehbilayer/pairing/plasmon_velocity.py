"""Where alpha^2 = (v_p/v_0)^2 comes from: a given number, the paper's straight line, or a computed compressibility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.model import Bilayer
from ehbilayer.pairing.couplings import paper_line
from ehbilayer.status import Status
from ehbilayer.units import density_from_rs

SOURCES = ("given", "paper-line", "torus", "limit")
LINES = {"1.2 - 1.39 x": (1.2, 1.39), "1 - x": (1.0, 1.0)}  # readings of Fig. 4a; x = r_s/r_s*
PRINTED = 0.09  # "alpha = 0.3 near r_s = 1.6": the only number in print
TABLE = (7, 3)  # points in r_s and in the spacing between which a computed alpha^2 is interpolated


def placed(bilayer: Bilayer, rs: float, spacing: float) -> Bilayer:
    """The same layers at another r_s of the electrons and spacing (a_h), with as many holes."""
    density = density_from_rs(rs / bilayer.mass_ratio)  # a_e = a_h m_h/m_e
    moved = bilayer.with_densities({"electron": density, "hole": density})
    return replace(moved, interaction=Coulomb(spacing))


@dataclass(frozen=True)
class Source:
    """How alpha^2 follows from density and spacing.

    Parameters
    ----------
    name : one of SOURCES.   given : the number, where it is given.   given_uncertainty : None where it is unknown.
    rs_star : r_s* of the line.
    capacitor : adds 2 g d/a_e, whatever the source.
    holes, zero_mode, sizes, state : of the computed ones, see `compressibility.size_limit.alpha_squared`.
    """

    name: str
    given: float | None = None
    given_uncertainty: float | None = None
    rs_star: float = 2.0
    capacitor: bool = False
    holes: int = 36
    zero_mode: str = "none"
    sizes: tuple[int, ...] | None = None
    state: str = "symmetric"

    def __post_init__(self) -> None:
        if self.name not in SOURCES:
            raise InputError("alpha_source", " | ".join(SOURCES[1:]), self.name, "choose one of these")
        if self.name == "given" and not (self.given is not None and 0 < self.given < np.inf):
            raise InputError("alpha_squared", "a positive number", self.given,
                             "without a positive alpha^2 there is no acoustic plasmon")
        if self.name == "limit" and self.sizes is not None and len(set(self.sizes)) < 2:
            raise InputError("sizes", "two or more different numbers", list(self.sizes), "a limit needs a series")

    @classmethod
    def of(cls, alpha_squared: float | None, alpha: float | None, alpha_source: str | None, *,
           zero_mode: str | None = None, sizes: Sequence[int] | None = None, **more: Any) -> Source:
        """The source that is said in one of three ways; ``more`` are other fields.

        Raises InputError where none or several are, and for a torus without its convention for q = 0.
        """
        said = [name for name, x in (("alpha_squared", alpha_squared), ("alpha", alpha), ("alpha_source", alpha_source))
                if x is not None]
        if not said:
            raise InputError("alpha_source", "given, or alpha_squared or alpha", "missing",
                             'T_c depends on alpha exponentially: say "paper-line", "torus", "limit", or a number')
        if len(said) > 1:
            raise InputError(said[1], f"absent where {said[0]} is given", said, "choose one")
        if alpha_source == "torus" and zero_mode is None:
            raise InputError("zero_mode", "none | madelung", "missing",
                             'alpha^2 on a torus depends on it: "none" reproduces the paper, "madelung" is for physics')
        return cls(alpha_source or "given", alpha_squared if alpha is None else alpha**2, zero_mode=zero_mode or "none",
                   sizes=tuple(sizes) if sizes else None, **more)

    @property
    def computed(self) -> bool:
        """Whether Hartree-Fock has to be solved."""
        return self.name in ("torus", "limit")

    def at(self, bilayer: Bilayer) -> tuple[float, float | None]:
        """alpha^2 of a bilayer, and its uncertainty where one is known. May be negative unless it is given.

        The uncertainty is infinite where it was computed and did not converge.
        """
        shift = float(self._shift(bilayer, bilayer.spacing))
        if self.name == "given":
            assert self.given is not None
            return self.given + shift, self.given_uncertainty
        if self.name == "paper-line":
            return float(paper_line(bilayer.carrier("electron").rs, self.rs_star)) + shift, self.given_uncertainty
        value, uncertainty = self._compute(bilayer)
        known = self.given_uncertainty is None or uncertainty == np.inf
        return value + shift, uncertainty if known else self.given_uncertainty

    def on(self, bilayer: Bilayer, rs: np.ndarray, spacing: np.ndarray, hooks: Hooks) -> np.ndarray | Status:
        """alpha^2 (spacings, rs) of these layers on a grid of r_s of the electrons and spacings (a_h).

        A Status where it was told to stop or a state did not converge. Computed ones are interpolated between few
        points: alpha^2 is nearly a straight line in r_s and hardly depends on the spacing.
        """
        shift = self._shift(bilayer, spacing)[:, None]
        if not self.computed:
            line = np.full(rs.shape, self.given or 0.0) if self.name == "given" else paper_line(rs, self.rs_star)
            return np.asarray(line[None, :] + shift)
        table = np.empty(TABLE)
        xs, ys = np.linspace(rs[0], rs[-1], TABLE[0]), np.linspace(spacing[0], spacing[-1], TABLE[1])
        for number, (i, j) in enumerate(np.ndindex(TABLE)):
            stopped = hooks.should_stop()
            if stopped is not None:
                return stopped
            hooks.progress(f"alpha^2: {number + 1} of {table.size}")
            table[i, j], doubt = self._compute(placed(bilayer, float(xs[i]), float(ys[j])))
            if doubt == np.inf:
                return Status.not_converged
        from scipy.interpolate import RectBivariateSpline

        fitted: np.ndarray = RectBivariateSpline(xs, ys, table, kx=3, ky=2)(rs, spacing)
        return fitted.T + shift

    def _shift(self, bilayer: Bilayer, spacing: Any) -> np.ndarray:
        """What the capacitor energy 2 pi N^2 d/A adds to alpha^2: 2 g d/a_e (4 d/a_e for two flavours)."""
        electron = bilayer.carrier("electron")
        factor = 2 * electron.flavours * bilayer.mass_ratio if self.capacitor else 0.0
        return np.asarray(factor * np.asarray(spacing, dtype=float))

    def _compute(self, bilayer: Bilayer) -> tuple[float, float]:
        """alpha^2 of Hartree-Fock without the capacitor, and its uncertainty."""
        from ehbilayer.compressibility import size_limit

        return size_limit.alpha_squared(bilayer, source=self.name, holes=self.holes, zero_mode=self.zero_mode,
                                        sizes=self.sizes or size_limit.SIZES, state=self.state)

    def alternatives(self, bilayer: Bilayer) -> Sequence[tuple[str, float]]:
        """Other readings of the same figure, for the spread of T_c; empty unless the paper's line is used."""
        if self.name != "paper-line":
            return ()
        shift, rs = float(self._shift(bilayer, bilayer.spacing)), bilayer.carrier("electron").rs
        found = [(name, float(paper_line(rs, self.rs_star, line)) + shift) for name, line in LINES.items()]
        return (*found, ("alpha = 0.3", PRINTED + shift))
