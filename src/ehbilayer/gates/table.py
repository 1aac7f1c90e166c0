r"""Equations of state and measured curves from CSV files.

The first line names columns, each with its unit in brackets (hole atomic units without); lines that begin with # are
left out. An equation of state has ``n_e`` and ``n_h`` (or ``n`` of pairs) and one energy, ``f`` per area or
``energy_per_pair``, ``.._per_hole``, ``.._per_electron``, ``.._per_particle``, and may have ``phase``. f holds no
capacitor.

Rows of one phase are one sheet. Those with n_e = n_h, or with one kind of carrier alone, are a line; others are
interpolated in (sqrt n_e, sqrt n_h) as far as they reach. Without names of phases f has its kink at n_e = n_h: both
sides are sheets, and their common edge is the exciton insulator where it is lowest.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.gates.sheet import (
    ELECTRONS,
    HOLES,
    INSULATOR,
    NODES,
    PLASMA,
    Apart,
    Coupled,
    Curve,
    Energy,
    Sheet,
    Together,
)
from ehbilayer.results.files import ResultFileError, read_bytes
from ehbilayer.results.quantity import conversion
from ehbilayer.units import Scales

LARGEST_FILE = 10_000_000  # bytes
FEWEST, MOST = 4, 2500  # rows of a sheet
SAME = 1e-6  # relative difference of densities that are equal
CUBIC = 3
QUARTIC, ENOUGH = 4, 40  # powers of roots that are followed exactly where there are more rows than that
NAMES = {"n_e": ("n_e", "electron", "electrons", "electron_density"), "n_h": ("n_h", "hole", "holes", "hole_density"),
         "n": ("n", "n_x", "pairs", "pair_density", "density"), "f": ("f", "energy_per_area", "free_energy_per_area"),
         "energy_per_pair": ("energy_per_pair", "free_energy_per_pair"), "energy_per_hole": ("energy_per_hole",),
         "energy_per_electron": ("energy_per_electron",), "energy_per_particle": ("energy_per_particle",),
         "bias": ("bias", "v_bias", "voltage", "v"), "phase": ("phase",)}
UNIT = {"n_e": "a_h^-2", "n_h": "a_h^-2", "n": "a_h^-2", "f": "Ha_h/a_h^2"}  # all others Ha_h
_HEAD = re.compile(r"\s*([A-Za-z_ -]+?)\s*(?:[(\[]([^)\]]*)[)\]])?\s*")


@dataclass(frozen=True, eq=False)
class Rows:
    """An equation of state: densities (p,) in a_h^-2, f (p,) in Ha_h/a_h^2, and names of phases, empty without.

    Raises InputError for densities below 0, a row twice, or f(0, 0) != 0.
    """

    electron: np.ndarray
    hole: np.ndarray
    f: np.ndarray
    phase: np.ndarray

    def __post_init__(self) -> None:
        n = np.stack([self.electron, self.hole], axis=1)
        if not (np.all(np.isfinite(n)) and np.all(np.isfinite(self.f)) and np.all(n >= 0)):
            raise InputError("table", "finite energies at densities >= 0", "others", "correct its rows")
        nothing = n.sum(axis=1) == 0
        if np.any(self.f[nothing] != 0):
            raise InputError("table", "f = 0 without carriers", float(self.f[nothing][0]), "count from the edges")
        told = list(zip(self.phase.tolist(), *n.T.tolist(), strict=True))
        if len(set(told)) < len(told):
            twice = next(t for i, t in enumerate(told) if t in told[:i])
            raise InputError("table", "one row for each phase and densities", f"two at n_e = {twice[1]:.6g}, n_h = "
                             f"{twice[2]:.6g} a_h^-2", "remove one, or name their phases")

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> Rows:
        """From columns by the names of this module, in hole atomic units. Raises InputError for one that is missing."""
        if "n" in columns:
            columns = {**columns, "n_e": columns["n"], "n_h": columns["n"]}
        energies = [name for name in columns if name == "f" or name.startswith("energy_per")]
        missing = [name for name in ("n_e", "n_h") if name not in columns] + ["f"] * (len(energies) != 1)
        if missing:
            raise InputError("table", "columns n_e, n_h and one energy (f, energy_per_pair, ...)", ", ".join(columns),
                             f"give {missing[0]}, once")
        ne, nh, e = (np.asarray(columns[name], dtype=float) for name in ("n_e", "n_h", energies[0]))
        per = {"f": 1.0, "energy_per_electron": ne, "energy_per_particle": ne + nh}.get(energies[0], nh)
        phase = np.asarray(columns.get("phase", np.full(len(ne), "")), dtype=str)
        return cls(ne, nh, e * per, phase)

    def sheets(self) -> list[Sheet]:
        """The sheets of all phases. Raises InputError for too few or too many rows of one."""
        return [sheet for name in dict.fromkeys(self.phase.tolist()) for sheet in self._of(name)]

    def _of(self, name: str) -> Iterable[Sheet]:
        here = (self.phase == name) & (self.electron + self.hole > 0)
        ne, nh, f = self.electron[here], self.hole[here], self.f[here]
        equal = np.abs(ne - nh) <= SAME * np.maximum(ne, nh)
        if equal.all():
            plasma = name.lower() in (PLASMA, "liquid")
            yield _line("electrons", nh, f, (name, PLASMA if plasma else INSULATOR, ELECTRONS))
        elif not nh.any():
            yield _line("carriers", ne, f, (name, ELECTRONS, HOLES))
        elif not ne.any():
            yield _line("holes alone", nh, f, (name, HOLES, ELECTRONS))
        elif name or not equal.any():
            yield _surface("carriers", ne, nh, f, (name or PLASMA, ELECTRONS, HOLES))
        else:
            for side, keep, alone in (("electrons", equal | (ne > nh), ELECTRONS), ("holes", equal | (nh > ne), HOLES)):
                if np.any(keep & ~equal):
                    x, y = np.minimum(ne, nh)[keep], np.where(equal, 0.0, np.abs(ne - nh))[keep]
                    yield _surface(side, x, y, f[keep], (PLASMA, INSULATOR, alone))


def _line(made_of: str, n: np.ndarray, f: np.ndarray, names: tuple[str, str, str]) -> Sheet:
    """One density alone."""
    _require_rows(len(n), names[1])
    curve = _curve(n, f)
    return Sheet(made_of, Apart(curve, None), np.linspace(0.0, curve.u[-1], NODES), np.zeros(1), names)


def _curve(n: np.ndarray, f: np.ndarray) -> Curve:
    """f(n) through these rows; f/n at n = 0 from the first three."""
    order = np.argsort(n)
    u, e = np.sqrt(n[order]), f[order] / n[order]
    start = float(np.polynomial.Polynomial.fit(u[:3], e[:3], 2)(0.0))
    return Curve(np.append(0.0, u), np.append(start, e), degree=CUBIC)


def _surface(made_of: str, x: np.ndarray, y: np.ndarray, f: np.ndarray, names: tuple[str, str, str]) -> Sheet:
    """f(x, 0) + f(0, y) + x y g(x, y), where there are such rows, else f; smooth functions of the roots through all
    rows, unknown outside of their hull."""
    from scipy.interpolate import RBFInterpolator
    from scipy.spatial import Delaunay

    _require_rows(len(x), names[0])
    if len(x) > MOST:
        raise InputError("table", f"at most {MOST} rows of one phase and side of n_e = n_h", len(x), "thin them out")
    rows = np.append(np.stack([x, y], axis=1), [[0.0, 0.0]], axis=0)
    size = rows.max(axis=0)
    u, v = (np.linspace(0.0, float(np.sqrt(s)), NODES) for s in size)
    grid = np.stack(np.meshgrid(u**2, v**2, indexing="ij"), axis=-1).reshape(-1, 2)
    known = Delaunay(rows / size).find_simplex(grid / size, tol=1e-9) >= 0

    def through(points: np.ndarray, values: np.ndarray, degree: int) -> Together:
        smooth = RBFInterpolator(np.sqrt(points / size), values, kernel="quintic",
                                 degree=degree if len(points) > ENOUGH else 2)
        return Together(u, v, smooth(np.sqrt(grid / size)).reshape(NODES, NODES))

    edges = [(n[other == 0], f[other == 0]) for n, other in ((x, y), (y, x))]
    both = (x > 0) & (y > 0)
    energy: Energy
    if min(len(n) for n, _ in edges) >= FEWEST and both.sum() > FEWEST:
        alone = Apart(*(_curve(*edge) for edge in edges))
        g = (f - alone.derivatives(x, y)[0])[both] / (x * y)[both]
        energy = Coupled(alone, through(rows[:-1][both], g, 2))
    else:
        energy = through(rows, np.append(f, 0.0), QUARTIC)
    return Sheet(made_of, energy, u, v, names, known.reshape(NODES, NODES))


def _require_rows(count: int, name: str) -> None:
    if count < FEWEST:
        raise InputError("table", f"at least {FEWEST} rows of one phase", f"{count} of {name or 'all'}", "add rows")


def read_rows(path: Path, scales: Scales) -> Rows:
    """The equation of state of a CSV file. Raises InputError."""
    return Rows.of(read_columns(path, "table", scales))


def read_measured(path: Path, scales: Scales) -> tuple[np.ndarray, np.ndarray]:
    """Biases (Ha_h) and densities of pairs (a_h^-2) of a CSV file. Raises InputError."""
    found = read_columns(path, "measured", scales)
    if not {"bias", "n"} <= set(found):
        raise InputError("measured", "columns bias and n_x", ", ".join(found), 'e.g. "bias (V), n_x (cm^-2)"')
    return found["bias"], found["n"]


def read_columns(path: Path, argument: str, scales: Scales) -> dict[str, Any]:
    """Columns of a CSV file by their names in NAMES, numbers in hole atomic units.

    Raises InputError naming ``argument`` for a file that cannot be read, an unknown column or unit, and a line that
    does not fit.
    """
    must = "a CSV file, UTF-8 text with a line of names"
    try:
        text = read_bytes(path, LARGEST_FILE).decode("utf-8-sig")
    except (ResultFileError, UnicodeDecodeError) as error:
        raise InputError(argument, must, getattr(error, "was", "not UTF-8 text"), f"check {path}") from None
    lines = [(i, line) for i, line in enumerate(text.splitlines(), start=1)
             if line.strip() and not line.lstrip().startswith("#")]
    try:
        cells = [(i, [c.strip() for c in row]) for (i, _), row in
                 zip(lines, csv.reader([line for _, line in lines], strict=True), strict=True)]
    except (csv.Error, ValueError) as error:
        raise InputError(argument, must, str(error)[:80], f"check {path}") from None
    if len(cells) < 2:
        raise InputError(argument, must, "no rows", f"check {path}")
    heads = [_head(cell, argument, scales) for cell in cells[0][1]]
    if len({name for name, _ in heads}) < len(heads):
        raise InputError(argument, "columns of different names", ", ".join(cells[0][1])[:80], "remove one")
    return _columns(heads, cells[1:], argument)


def _head(cell: str, argument: str, scales: Scales) -> tuple[str, float]:
    """The name of a column, and what its numbers are multiplied by."""
    match = _HEAD.fullmatch(cell)
    said = re.sub("[ -]", "_", match[1].lower()) if match else ""
    name = next((name for name, words in NAMES.items() if said in words), None)
    if match is None or name is None:
        raise InputError(argument, f"columns among {', '.join(NAMES)}, each with its unit in brackets", cell[:60],
                         'e.g. "n_e (cm^-2), n_h (cm^-2), f (meV/nm^2)"')
    if not match[2] or name == "phase":
        return name, 1.0
    return name, conversion(match[2], UNIT.get(name, "Ha_h"), scales)


def _columns(heads: Sequence[tuple[str, float]], cells: Sequence[tuple[int, list[str]]],
             argument: str) -> dict[str, Any]:
    found: dict[str, list[Any]] = {name: [] for name, _ in heads}
    for line, row in cells:
        if len(row) != len(heads):
            raise InputError(argument, f"{len(heads)} values in each line", f"{len(row)} in line {line}", "correct it")
        for (name, size), cell in zip(heads, row, strict=True):
            try:
                found[name].append(cell if name == "phase" else float(cell) * size)
            except ValueError:
                raise InputError(argument, "numbers below the names of columns", f"{cell[:40]} in line {line}",
                                 "correct it") from None
    return {name: np.array(values) for name, values in found.items()}
