"""Maps of g0V and T_c over r_s and spacing.

"bcs", "mcmillan" and "allen-dynes" take all points at once (400 x 400 in less than a second); "eliashberg" goes piece
by piece, on several processes if asked, and can be stopped and resumed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.numerics.memory import require_memory
from ehbilayer.numerics.parallel import each
from ehbilayer.pairing.couplings import couplings
from ehbilayer.pairing.liquid import Choices, Liquid, require_plasmons
from ehbilayer.pairing.plasmon_velocity import Source
from ehbilayer.pairing.point import kelvin, temperature_unit
from ehbilayer.pairing.result import Highest, PairingMapResult
from ehbilayer.pairing.temperature import temperature_of
from ehbilayer.results.base import Variable
from ehbilayer.status import Status

POINT_BYTES = 80  # of memory for each point, measured
PIECE = 12  # points that an Eliashberg map does at a time
KEEP_SECONDS = 1.0  # between two looks at the whole map, to tell how far it is and to keep it
LOWEST = 1e-7  # T_c/T_D below which an Eliashberg map shows 0


@dataclass(frozen=True, eq=False)
class Map:
    """What is mapped: the layers, r_s of the electrons (n,), spacings (m,) in a_h, where alpha^2 comes from, and how.

    Both axes rise; the densities and the spacing of the layers do not matter. Raises InputError for axes that do not
    rise from r_s > 0 and spacings >= 0, and for layers that plasmons do not pair.
    """

    bilayer: Bilayer
    rs: np.ndarray
    spacing: np.ndarray
    source: Source
    choices: Choices

    def __post_init__(self) -> None:
        require_plasmons(self.bilayer)
        for name, axis, good in (("map_rs", self.rs, self.rs[0] > 0), ("map_spacing", self.spacing,
                                                                       self.spacing[0] >= 0)):
            if not (good and np.isfinite(axis).all() and (np.diff(axis) > 0).all()):
                raise InputError(name, "two rising lengths" if name == "map_spacing" else "two rising values of r_s",
                                 [float(axis[0]), float(axis[-1])], "exchange them")

    @classmethod
    def over(cls, bilayer: Bilayer, rs: tuple[float, float], spacing: tuple[float, float], points: int, source: Source,
             choices: Choices) -> Map:
        """``points`` times ``points`` between two r_s and two spacings (a_h). Raises InputError for fewer than 2, and
        for more than there is memory for."""
        if points < 2:
            raise InputError("map_points", "at least 2", points, "give more")
        require_memory(POINT_BYTES * points**2, "map_points", "fewer points")
        return cls(bilayer, np.linspace(*rs, points), np.linspace(*spacing, points), source, choices)

    def result(self, squares: np.ndarray | None, t_c: np.ndarray, status: Status) -> PairingMapResult:
        """The result with alpha^2 and T_c (Ha_h), both (m, n), of which some may be NaN; None: no alpha^2 yet."""
        known, ratio = np.isfinite(t_c), self.bilayer.mass_ratio
        highest = None
        if (t_c[known] > 0).any():
            i, j = np.unravel_index(int(np.nanargmax(t_c)), t_c.shape)
            t = float(t_c[i, j])
            highest = Highest(t / ratio, kelvin(self.bilayer, t), float(self.rs[j]), float(self.spacing[i]) * ratio)
        return PairingMapResult(
            status=status, data={} if squares is None else self._data(squares, t_c), alpha_source=self.source.name,
            rs_star=self.source.rs_star, method=self.choices.method, umklapp=self.choices.umklapp,
            hole_over_electron_mass=1 / ratio, capacitor=self.source.capacitor,
            hartree_temperature=kelvin(self.bilayer, ratio), points=t_c.size, done=int(known.sum()), highest=highest,
            share_superconducting=float((t_c[known] > 0).mean()) if known.any() else None,
            share_unstable=None if squares is None else float((squares <= 0).mean()))

    def _data(self, squares: np.ndarray, t_c: np.ndarray) -> dict[str, Variable]:
        dims, alive = ("spacing", "rs"), squares > 0
        scale, unit = temperature_unit(self.bilayer)
        mu, lam = couplings(self.liquid(np.where(alive, squares, 1.0)))
        lam = np.where(alive, lam, np.nan)
        over_a_e = self.spacing * self.bilayer.mass_ratio
        return {"rs": Variable(("rs",), self.rs, "1", "r_s of the electrons"),
                "spacing": Variable(("spacing",), over_a_e, "a_e", "distance between the layers"),
                "alpha_squared": Variable(dims, squares, "1", "(v_p/v_0)^2"),
                "g0V": Variable(dims, mu - lam, "1", "mu - lambda"),
                "lambda": Variable(dims, lam, "1", "attraction"),
                "critical_temperature": Variable(dims, t_c * scale, unit, "T_c")}

    def liquid(self, squares: np.ndarray) -> Liquid:
        """All points, with these alpha^2 (m, n)."""
        return Liquid.of(self.bilayer, squares, self.choices, self.rs[None, :], self.spacing[:, None])

    def earlier(self, hooks: Hooks) -> np.ndarray:
        """T_c (m, n) in Ha_h as far as it was known before; NaN elsewhere."""
        before = hooks.unfinished
        if before is None or "critical_temperature" not in before.data:
            return np.full((len(self.spacing), len(self.rs)), np.nan)
        return np.array(before.data["critical_temperature"].values) / temperature_unit(self.bilayer)[0]


def solve_map(asked: Map, hooks: Hooks) -> PairingMapResult:
    """g0V and T_c on the map; T_c = 0 where alpha^2 <= 0. What an unfinished result in ``hooks`` holds is kept."""
    squares = asked.source.on(asked.bilayer, asked.rs, asked.spacing, hooks)
    if isinstance(squares, Status):
        return asked.result(None, asked.earlier(Hooks()), squares)
    if asked.choices.method != "eliashberg":
        return asked.result(squares, temperature_of(asked.liquid(squares), asked.choices.method), Status.converged)
    t_c = asked.earlier(hooks)
    _by_pieces(asked, squares, t_c, hooks)
    done = np.isfinite(t_c).all()
    return asked.result(squares, t_c, Status.converged if done else hooks.should_stop() or Status.interrupted)


def _by_pieces(asked: Map, squares: np.ndarray, t_c: np.ndarray, hooks: Hooks) -> None:
    """Fill in T_c by Eliashberg, a few points at a time; what is known already is kept."""
    parts = np.array_split(np.arange(len(asked.rs)), math.ceil(len(asked.rs) / PIECE))
    open_ones = [(i, n) for i, row in enumerate(~np.isfinite(t_c)) for n, part in enumerate(parts) if row[part].any()]
    pieces, kept = _Pieces(asked, asked.liquid(squares), squares, parts, open_ones), time.monotonic()
    hooks.progress(f"T_c: {int(np.isfinite(t_c).sum())} of {t_c.size} points")
    for number, piece in each(_piece, pieces, workers=hooks.threads, should_stop=hooks.should_stop):
        if piece is None:
            continue
        i, n = open_ones[number]
        t_c[i, parts[n]] = piece
        if time.monotonic() - kept > KEEP_SECONDS:
            hooks.progress(f"T_c: {int(np.isfinite(t_c).sum())} of {t_c.size} points")
            hooks.checkpoint(asked.result(squares, t_c, Status.interrupted))
            kept = time.monotonic()


@dataclass(frozen=True, eq=False)
class _Pieces(Sequence[Liquid]):
    """Pieces of a map, made when they are computed: (row, number of the part of the densities) of each."""

    asked: Map
    full: Liquid
    squares: np.ndarray
    parts: Sequence[np.ndarray]
    places: Sequence[tuple[int, int]]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, number: Any) -> Any:
        i, n = self.places[number]
        part = self.parts[n]
        return replace(self.full, rs=self.asked.rs[part], spacing=float(self.asked.spacing[i]),
                       alpha_squared=self.squares[i, part])


def _piece(liquid: Liquid, should_stop: Callable[[], Status | None]) -> np.ndarray | None:
    """A few densities at one spacing, in a process of its own perhaps; None where it was told to stop."""
    return temperature_of(liquid, "eliashberg", floor=LOWEST) if should_stop() is None else None
