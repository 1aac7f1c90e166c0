"""Where alpha^2 = (v_p/v_0)^2 comes from: a given number, the paper's straight line, or a computed compressibility."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.pairing.couplings import capacitor_shift, paper_line
from ehbilayer.status import Status

SOURCES = ("given", "paper-line", "torus", "limit")
LINES = {"1.2 - 1.39 x": (1.2, 1.39), "1 - x": (1.0, 1.0)}  # readings of Fig. 4a; x = r_s/r_s*
PRINTED = 0.09  # "alpha = 0.3 near r_s = 1.6": the only number in print
TABLE = (7, 3)  # points in r_s and in the spacing between which a computed alpha^2 is interpolated


@dataclass(frozen=True)
class Source:
    """How alpha^2 follows from r_s and the spacing.

    Parameters
    ----------
    name : one of SOURCES.   given : the number, where it is given.   given_uncertainty : None where it is unknown.
    rs_star : r_s* of the line.   mass_ratio : m_h/m_e.   flavours : of the electrons.
    capacitor : adds 2 g d/a_e, whatever the source.
    holes, zero_mode, sizes, state : of the computed ones, see `compressibility.size_limit.alpha_squared`.
    """

    name: str
    given: float | None = None
    given_uncertainty: float | None = None
    rs_star: float = 2.0
    mass_ratio: float = 10.0
    flavours: int = 2
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

    @property
    def computed(self) -> bool:
        """Whether Hartree-Fock has to be solved."""
        return self.name in ("torus", "limit")

    def at(self, rs: float, spacing: float) -> tuple[float, float | None]:
        """alpha^2 at r_s and d/a_e, and its uncertainty where one is known. May be negative unless it is given.

        The uncertainty is infinite where it was computed and did not converge.
        """
        shift = float(capacitor_shift(spacing, self.flavours)) if self.capacitor else 0.0
        if self.name == "given":
            assert self.given is not None
            return self.given + shift, self.given_uncertainty
        if self.name == "paper-line":
            return float(paper_line(rs, self.rs_star)) + shift, self.given_uncertainty
        value, uncertainty = self._compute(rs, spacing)
        known = self.given_uncertainty is None or uncertainty == np.inf
        return value + shift, uncertainty if known else self.given_uncertainty

    def on(self, rs: np.ndarray, spacing: np.ndarray, progress: Callable[[str], None],
           should_stop: Callable[[], Status | None]) -> np.ndarray | Status:
        """alpha^2 (spacings, rs) on a grid; a Status where it was told to stop or a state did not converge.

        Computed ones are interpolated between few points: alpha^2 is nearly a straight line in r_s and hardly depends
        on the spacing.
        """
        shift = capacitor_shift(spacing, self.flavours)[:, None] if self.capacitor else np.zeros((len(spacing), 1))
        if not self.computed:
            line = np.full(rs.shape, self.given or 0.0) if self.name == "given" else paper_line(rs, self.rs_star)
            return line[None, :] + shift
        table = np.empty(TABLE)
        xs, ys = np.linspace(rs[0], rs[-1], TABLE[0]), np.linspace(spacing[0], spacing[-1], TABLE[1])
        for number, (i, j) in enumerate(np.ndindex(TABLE)):
            stopped = should_stop()
            if stopped is not None:
                return stopped
            progress(f"alpha^2: {number + 1} of {table.size}")
            table[i, j], doubt = self._compute(float(xs[i]), float(ys[j]))
            if doubt == np.inf:
                return Status.not_converged
        from scipy.interpolate import RectBivariateSpline

        fitted: np.ndarray = RectBivariateSpline(xs, ys, table, kx=3, ky=2)(rs, spacing)
        return fitted.T + shift

    def _compute(self, rs: float, spacing: float) -> tuple[float, float]:
        """alpha^2 of Hartree-Fock without the capacitor, and its uncertainty."""
        from ehbilayer.compressibility.size_limit import SIZES, alpha_squared

        # there lengths count in a_h = a_e m_e/m_h, and the mass ratio is m_e/m_h
        return alpha_squared(1 / self.mass_ratio, spacing * self.mass_ratio, rs, source=self.name, holes=self.holes,
                             zero_mode=self.zero_mode, sizes=self.sizes or SIZES, state=self.state,
                             flavours=self.flavours)

    def alternatives(self, rs: float, spacing: float) -> Sequence[tuple[str, float]]:
        """Other readings of the same figure, for the spread of T_c; empty unless the paper's line is used."""
        if self.name != "paper-line":
            return ()
        shift = float(capacitor_shift(spacing, self.flavours)) if self.capacitor else 0.0
        found = [(name, float(paper_line(rs, self.rs_star, line)) + shift) for name, line in LINES.items()]
        return (*found, ("alpha = 0.3", PRINTED + shift))
