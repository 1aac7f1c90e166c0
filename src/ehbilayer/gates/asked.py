"""Gates as one asks for them, in text and numbers, from Python or a study file: to hole atomic units, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.gates.plane import Plane
from ehbilayer.gates.solve import VOLTAGES, Asked
from ehbilayer.gates.stack import Stack
from ehbilayer.gates.table import Rows, read_measured, read_rows
from ehbilayer.interaction.base import require_known
from ehbilayer.interaction.screened import Screened
from ehbilayer.model import Bilayer

Voltage = float | str | Sequence[float | str]


@dataclass(frozen=True)
class Geometry:
    """Distances of gates (numbers in a_h, or text), dielectric constants of the three spacers, bands.

    Without distances those of the screening count, without constants the medium's. ``conduction_band`` is E_c over the
    Fermi level of the gates' metal, by default half of the gap.
    """

    gap: float | str | None = None
    gate_top: float | str | None = None
    gate_bottom: float | str | None = None
    dielectric_top: float | None = None
    dielectric_spacer: float | None = None
    dielectric_bottom: float | None = None
    conduction_band: float | str | None = None
    ground: str = "electron"

    def stack(self, bilayer: Bilayer) -> Stack:
        """The stack of a bilayer. Raises InputError."""
        require_known(bilayer.interaction, "gates")
        if self.gap is None:
            raise InputError("gap", 'the gap between the bands of both layers, such as "1.5 eV"', "missing",
                             "give 0 to count the bias from it")
        gap = bilayer.scales.to_atomic(self.gap, "energy", "gap")
        edge = gap / 2 if self.conduction_band is None else \
            bilayer.scales.to_atomic(self.conduction_band, "energy", "conduction_band")
        top, bottom = (self._distance(bilayer, name) for name in ("top", "bottom"))
        return Stack(top, bilayer.spacing * self._thinness(bilayer, "spacer"), bottom, gap, edge, self.ground)

    def _distance(self, bilayer: Bilayer, name: str) -> float:
        """Of a gate from its layer, kappa/eps times."""
        key, inter = f"gate_{name}", bilayer.interaction
        given = getattr(self, key)
        there = getattr(inter, key) if isinstance(inter, Screened) else None
        if given is None and there is None:
            return math.inf
        length = there if given is None else bilayer.scales.to_atomic(given, "length", key)
        assert length is not None
        if there is not None and not math.isclose(length, there, rel_tol=1e-9):
            raise InputError(key, f"the distance that screens the interaction ({there:.6g} a_h)", given,
                             "give it once, in screening")
        half = inter.layer_thickness / 2 if isinstance(inter, Screened) else 0.0
        if not (0 < length < math.inf and length >= half):
            raise InputError(key, "a length > 0, outside of the layers", given,
                             "it counts from the middle of the nearest layer; leave it out for no gate")
        return length * self._thinness(bilayer, name)

    def _thinness(self, bilayer: Bilayer, name: str) -> float:
        """kappa/eps of a spacer."""
        key, inter = f"dielectric_{name}", bilayer.interaction
        given = getattr(self, key)
        if isinstance(inter, Screened):
            return inter.kappa / (inter.dielectric_out_of_plane if given is None else _constant(key, given))
        if given is None:
            return 1.0
        kappa = bilayer.scales.dielectric
        if kappa is None:
            raise InputError(key, "absent where the bilayer has no dielectric constant", given,
                             "give that, which makes the atomic units")
        return kappa / _constant(key, given)


def _constant(key: str, value: float) -> float:
    if not 1 <= value < math.inf:
        raise InputError(key, "a relative dielectric constant >= 1", value, "1 is vacuum")
    return value


def asked_of(bilayer: Bilayer, geometry: Geometry, voltages: Mapping[str, Voltage | None], *, points: int,
             equation: str, spin: str, table: str | Path | Mapping[str, Any] | Rows | None = None,
             measured: str | Path | None = None, told: Mapping[str, Any] | None = None) -> Asked:
    """What is asked for, see `ehbilayer.gates`. Raises InputError."""
    if points < 2:
        raise InputError("points", "an integer >= 2", points, "leave it out for the default")
    stack, scales = geometry.stack(bilayer), bilayer.scales
    numbers: dict[str, np.ndarray] = {}
    for name, given in voltages.items():
        if given is None:
            continue
        pair = [given] if isinstance(given, str | int | float) else list(given)
        ends = [scales.to_atomic(v, "voltage", name) for v in pair]
        if len(ends) not in (1, 2):
            raise InputError(name, "a voltage, or two between which it varies", given, 'e.g. ["-1 V", "1 V"]')
        numbers[name] = np.array(ends[0]) if len(ends) == 1 else np.array(ends) if ends[0] >= ends[1] else \
            np.linspace(ends[0], ends[1], points)
    if not numbers:
        raise InputError("bias", f"a voltage, or another of {', '.join(VOLTAGES)}", "missing", 'e.g. bias = "1 V"')
    rows = table if isinstance(table, Rows | None) else Rows.of(table) if isinstance(table, Mapping) else \
        read_rows(Path(table), scales)
    state = Plane(bilayer, equation, spin) if rows is None else rows.sheets()
    data = None if measured is None else read_measured(Path(measured), scales)
    return Asked(stack, numbers, state, data, dict(told or {}) | {
        "stack": vars(stack), "interaction": bilayer.interaction.parameters, "spin": spin,
        "temperature": bilayer.temperature, "voltages": {k: v.tolist() if v.ndim < 1 else [float(v[0]), float(v[-1])]
                                                          for k, v in numbers.items()},
        "carriers": [{"name": c.name, "mass": c.mass, "flavours": c.flavours} for c in bilayer.carriers]})
