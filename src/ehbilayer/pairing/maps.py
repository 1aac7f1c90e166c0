"""Maps of g0V and T_c over r_s and spacing, and the maps that Nashabeh and Fu show.

Lengths in a_e, energies in Ha_e as in `couplings`. "bcs", "mcmillan" and "allen-dynes" take all points at once (400 x
400 in less than a second); "eliashberg" goes piece by piece, on several processes if asked, and can be stopped
and resumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import never, silent
from ehbilayer.numerics.parallel import each
from ehbilayer.pairing.couplings import couplings
from ehbilayer.pairing.plasmon_velocity import Source
from ehbilayer.pairing.temperature import Liquid, temperature_of
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.status import Status

PIECE = 12  # points that an Eliashberg map does at a time
LOWEST = 1e-7  # T_c/T_D below which an Eliashberg map shows 0
PAPER = "L. M. Nashabeh and L. Fu, arXiv (2026)"


@dataclass(frozen=True, eq=False)
class Map:
    """g0V, lambda, T_c (Ha_e) on a grid, all (spacings, rs); NaN where alpha^2 <= 0, but T_c = 0 there.

    ``status`` says whether every point is done; points that are not have T_c NaN.
    """

    rs: np.ndarray
    spacing: np.ndarray
    alpha_squared: np.ndarray
    mu: np.ndarray
    lam: np.ndarray
    t_c: np.ndarray
    status: Status = Status.converged

    @property
    def g0V(self) -> np.ndarray:
        return self.mu - self.lam

    @property
    def highest(self) -> tuple[float, float, float]:
        """Largest T_c (Ha_e), and the r_s and d/a_e where it is."""
        i, j = np.unravel_index(int(np.nanargmax(self.t_c)), self.t_c.shape)
        return float(self.t_c[i, j]), float(self.rs[j]), float(self.spacing[i])


@dataclass(frozen=True)
class MapHooks:
    """Whom a map tells, when it must stop, on how many processes it runs, and T_c known from before (NaN: not yet).

    ``checkpoint`` is given the unfinished map now and then.
    """

    progress: Callable[[str], None] = silent
    should_stop: Callable[[], Status | None] = never
    workers: int = 1
    earlier: np.ndarray | None = None
    checkpoint: Callable[[Map], None] = silent


def make_map(rs: np.ndarray, spacing: np.ndarray, mass_ratio: float, source: Source, liquid: Liquid | None = None,
             method: str = "bcs", hooks: MapHooks | None = None) -> Map | Status:
    """The map over rising r_s (n,) and spacings (m,) in a_e; a Status where it was stopped before any point.

    Parameters
    ----------
    source : where alpha^2 comes from.
    liquid : umklapp, flavours and mu* rule are taken from it; its other fields do not matter.
    """
    hooks = hooks or MapHooks()
    squares = source.on(rs, spacing, hooks.progress, hooks.should_stop)
    if isinstance(squares, Status):
        return squares
    base = liquid or Liquid(1.0, 0.0, mass_ratio, 1.0)
    full = replace(base, rs=rs[None, :], spacing=spacing[:, None], mass_ratio=mass_ratio, alpha_squared=squares)
    alive = squares > 0
    mu, lam = couplings(full.rs, full.spacing, np.where(alive, squares, 1.0), base.umklapp, base.flavours)
    lam = np.where(alive, lam, np.nan)
    found = Map(rs, spacing, squares, np.broadcast_to(mu, squares.shape), lam, np.zeros(squares.shape))
    if method != "eliashberg":
        return replace(found, t_c=temperature_of(full, method))
    return _by_pieces(found, full, hooks)


def _by_pieces(found: Map, full: Liquid, hooks: MapHooks) -> Map:
    """T_c by Eliashberg, a few points at a time; what is known already is kept."""
    t_c = np.full(found.alpha_squared.shape, np.nan) if hooks.earlier is None else hooks.earlier.copy()
    places = [(i, part) for i in range(len(t_c))
              for part in np.array_split(np.arange(len(found.rs)), math.ceil(len(found.rs) / PIECE))
              if not np.isfinite(t_c[i, part]).all()]
    squares = found.alpha_squared
    jobs = [replace(full, rs=found.rs[part], spacing=float(found.spacing[i]), alpha_squared=squares[i, part])
            for i, part in places]
    for number, piece in each(_piece, jobs, workers=hooks.workers, should_stop=hooks.should_stop):
        if piece is not None:
            i, part = places[number]
            t_c[i, part] = piece
            hooks.progress(f"T_c: {int(np.isfinite(t_c).sum())} of {t_c.size} points")
            hooks.checkpoint(replace(found, t_c=t_c.copy(), status=Status.interrupted))
    status = Status.converged
    if not np.isfinite(t_c).all():
        status = hooks.should_stop() or Status.interrupted
    return replace(found, t_c=t_c, status=status)


def _piece(liquid: Liquid, should_stop: Callable[[], Status | None]) -> np.ndarray | None:
    """A few densities at one spacing, in a process of its own perhaps; None where it was told to stop."""
    return temperature_of(liquid, "eliashberg", floor=LOWEST) if should_stop() is None else None


@dataclass(frozen=True)
class Published:
    """A map of the paper, by what its caption says; axes and the numbers behind alpha^2 are our reading.

    crystal_rs : r_s* of the line, which is also n_e*.   alpha : held fixed, where it is.
    """

    figure: str
    mass_ratio: float
    crystal_rs: float = 2.0
    alpha: float | None = None
    capacitor: bool = False
    source: str = PAPER

    def alpha_from(self, name: str = "paper-line") -> Source:
        """alpha^2 of this map, from the paper's line, or computed ("torus", "limit")."""
        if self.alpha is not None:
            return Source("given", given=self.alpha**2, mass_ratio=self.mass_ratio, capacitor=self.capacitor)
        return Source(name, rs_star=self.crystal_rs, mass_ratio=self.mass_ratio, capacitor=self.capacitor)

    def axes(self, points: int = 200) -> tuple[np.ndarray, np.ndarray]:
        """r_s up to the crystal, and spacings from 0 to 2 a_e."""
        return np.linspace(0.05, 1.0, points) * self.crystal_rs, np.linspace(0.0, 2.0, points)


PUBLISHED = {p.figure: p for p in (
    Published("4b", 10), Published("S1", 10, alpha=0.3), Published("S2", 10, capacitor=True),
    Published("S3-left", 10, crystal_rs=31.0), Published("S3-right", 1000, crystal_rs=31.0),
    Published("v1-6-left", 100, crystal_rs=31.0), Published("v1-6-right", 1000, crystal_rs=31.0))}


def published_map(figure: str, points: int = 200, alpha_source: str = "paper-line", method: str = "bcs",
                  hooks: MapHooks | None = None, **liquid: Any) -> Map | Status:
    """A map of the paper (keys of PUBLISHED), with its formula or a better one.

    Computed alpha^2 exist for the r_s* of Hartree-Fock only: they are used as they are, without rescaling.
    Raises InputError for another figure.
    """
    if figure not in PUBLISHED:
        raise InputError("figure", " | ".join(PUBLISHED), figure, "choose one of these")
    chosen = PUBLISHED[figure]
    rs, spacing = chosen.axes(points)
    return make_map(rs, spacing, chosen.mass_ratio, chosen.alpha_from(alpha_source),
                    Liquid(1.0, 0.0, chosen.mass_ratio, 1.0, **liquid), method, hooks)


def map_data(found: Map, hartree: float | None) -> dict[str, Variable]:
    """The arrays of a result; T_c in K where T_H^e = ``hartree`` (K) is known, else in T_H^e."""
    dims = ("spacing", "rs")
    scale, unit = (1.0, "T_H^e") if hartree is None else (hartree, "K")
    return {"rs": Variable(("rs",), found.rs, "1", "r_s of the electrons"),
            "spacing": Variable(("spacing",), found.spacing, "a_e", "distance between the layers"),
            "alpha_squared": Variable(dims, found.alpha_squared, "1", "(v_p/v_0)^2"),
            "g0V": Variable(dims, found.g0V, "1", "mu - lambda"),
            "lambda": Variable(dims, found.lam, "1", "attraction"),
            "critical_temperature": Variable(dims, found.t_c * scale, unit, "T_c")}


def map_result(found: Map, summary: dict[str, Any], hartree: float | None) -> Result:
    """The result of kind ``pairing`` of a map: where T_c is highest, how much of the map pairs, and the arrays."""
    known = np.isfinite(found.t_c)
    told: dict[str, Any] = {"points": int(known.size), "done": int(known.sum()), "highest": None,
                            "share_superconducting": None, "share_unstable": float((found.alpha_squared <= 0).mean())}
    if known.any():
        t_c, rs, spacing = found.highest
        told["share_superconducting"] = float((found.t_c[known] > 0).mean())
        told["highest"] = {"tc_over_hartree": t_c, "critical_temperature": None if hartree is None else t_c * hartree,
                           "rs_electron": rs, "spacing_over_a_e": spacing} if t_c > 0 else None
    return Record("pairing", found.status, summary | told, {}, map_data(found, hartree))
