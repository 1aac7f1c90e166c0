"""From voltages to densities, phases and compressibilities, on a map or at a point; and the insulator's curve."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.gates.ground import Found, ground
from ehbilayer.gates.insulator import insulator, onset
from ehbilayer.gates.plane import Plane
from ehbilayer.gates.result import GatesResult, Point
from ehbilayer.gates.sheet import Sheet
from ehbilayer.gates.stack import Stack
from ehbilayer.hooks import Ended, Hooks
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status

VOLTAGES = {"top": "V_t of the top gate", "bottom": "V_b of the bottom gate", "common": "(V_t + V_b)/2",
            "difference": "V_t - V_b", "bias": "V_h - V_e of the contacts"}
CURVE_POINTS = 80
DENSEST, LEAST = 30.0, 1e-4  # a_h^-2, of an equation of state in mean field
CAUTIONS = {"mean-field": "mean field: no correlation beyond pairs, no trions or crystals; transitions too dense",
            "liquid": "no pairs", "free": "no forces but those of the capacitors", "table": ""}

WARM = "; at a temperature free carriers are always there, and no charge is strictly incompressible"


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked for.

    Parameters
    ----------
    stack : gates, layers and contacts.
    voltages : by the names of VOLTAGES, each a number (Ha_h) or an axis (n,); ``top`` and ``bottom``, or ``common``
        and ``difference``, and ``bias``.
    equation : of state, a `Plane`, or the sheets of a table.
    measured : biases (Ha_h) and densities (a_h^-2) to be laid over the curve.

    Raises
    ------
    InputError : two ways to say the gates' voltages, more than two axes, one that does not rise.
    """

    stack: Stack
    voltages: Mapping[str, np.ndarray]
    equation: Plane | list[Sheet]
    measured: tuple[np.ndarray, np.ndarray] | None = None
    told: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = set(self.voltages)
        if names & {"top", "bottom"} and names & {"common", "difference"}:
            raise InputError("common", "absent where top or bottom are given", "given",
                             "common = (top + bottom)/2, difference = top - bottom")
        for name, values in self.voltages.items():
            if not np.all(np.isfinite(values)) or (values.ndim and not np.all(np.diff(values) > 0)):
                raise InputError(name, "a voltage, or two that rise", np.asarray(values)[[0, -1]].tolist()
                                 if values.ndim else float(values), "exchange them")
        for name, distance in (("top", self.stack.top), ("bottom", self.stack.bottom)):
            if name in names and distance == math.inf:
                raise InputError(name, "absent without that gate", "given", f"give gate_{name}")
        if len(self.axes) > 2:
            raise InputError(self.axes[2], "a number where two other voltages vary", "a range", "a map has two axes")

    @property
    def axes(self) -> list[str]:
        """The voltages that vary, in the order of VOLTAGES."""
        return [name for name in VOLTAGES if name in self.voltages and self.voltages[name].ndim]

    def _value(self, name: str) -> np.ndarray:
        """A voltage on the axes, (1, n) or (n, 1) or (n,)."""
        value = np.asarray(self.voltages.get(name, 0.0), dtype=float)
        if not value.ndim:
            return value
        shape = [1] * len(self.axes)
        shape[self.axes.index(name)] = -1
        return value.reshape(shape)

    def three(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """V_t, V_b and the bias on all axes."""
        common, half = self._value("common"), self._value("difference") / 2
        top, bottom = self._value("top") + common + half, self._value("bottom") + common - half
        together = np.broadcast_arrays(top, bottom, self._value("bias"))
        return together[0], together[1], together[2]


def solve(asked: Asked, hooks: Hooks) -> GatesResult:
    """The result; one that was stopped has no arrays. Raises InputError for voltages beyond a table."""
    top, bottom, bias = asked.three()
    w = asked.stack.potentials(top, bottom, bias)
    difference = float(np.mean(top - bottom))
    try:
        sheets, found = _states(asked, w.reshape(-1, 2), hooks)
    except Ended as stopped:
        return GatesResult(status=stopped.status, equation=_name(asked), phases=(), difference=difference,
                           inputs=asked.told)
    hooks.progress("exciton insulator")
    warm = isinstance(asked.equation, Plane) and bool(asked.equation.bilayer.temperature)
    said, curve = ({}, {}) if warm else _curve(asked, sheets, difference, bias)
    arrays, here = _arrays(asked, sheets, found, w)
    return GatesResult(status=Status.converged, equation=_name(asked), difference=difference, here=here,
                       phases=tuple(dict.fromkeys(found.phases(sheets).tolist())),
                       caution=CAUTIONS[_name(asked)] + (WARM if warm else ""),
                       inputs=asked.told, data=arrays | curve, **said)


def _name(asked: Asked) -> str:
    return asked.equation.equation if isinstance(asked.equation, Plane) else "table"


def _states(asked: Asked, w: np.ndarray, hooks: Hooks) -> tuple[list[Sheet], Found]:
    """The sheets, up to densities that hold all states, and the states. Raises InputError and Ended."""
    k = asked.stack.stiffness
    if not isinstance(asked.equation, Plane):
        found = ground(asked.equation, k, w)
        if found.ends.any():
            far = found.n[found.ends][0]
            raise InputError("table", "an equation of state for all densities of these voltages",
                             f"ending at n_e = {far[0]:.3g}, n_h = {far[1]:.3g} a_h^-2",
                             "extend the table, or narrow the voltages")
        return asked.equation, found
    # what the capacitors, or the bands, hold without forces, in powers of 2, and twice as much until it is enough
    most = float(np.max(w))
    bands = most * max(c.mass * c.flavours for c in asked.equation.bilayer.carriers) / (2 * math.pi)
    need = min(1.5 * most / float(np.linalg.eigvalsh(k)[0]), bands)
    densest = LEAST * 2.0 ** max(0, math.ceil(math.log2(max(need, LEAST) / LEAST)))
    while densest <= DENSEST:
        sheets = asked.equation.sheets(densest, hooks)
        hooks.progress("densities of lowest energy")
        found = ground(sheets, k, w)
        if not found.ends.any():
            return sheets, found
        densest *= 2
    raise InputError("bias", f"voltages that hold less than {DENSEST:g} a_h^-2", f"more than {densest / 2:.3g}",
                     "lower the voltages, or check gap and distances")


def _arrays(asked: Asked, sheets: list[Sheet], found: Found, w: np.ndarray) -> tuple[dict[str, Variable], Point | None]:
    """Over the axes; or the one point."""
    shape, axes = w.shape[:-1], tuple(asked.axes)
    k, lever = asked.stack.stiffness, asked.stack.lever
    n = found.n.reshape(*shape, 2)
    mu = w - n @ k  # what the contacts leave for the layer itself
    slopes = (found.response @ lever).reshape(*shape, 2, 3)  # dn/dV_t, dn/dV_b, dn/dV
    common = slopes[..., 0] + slopes[..., 1]
    fewer = (n[..., 1] < n[..., 0]).astype(int)
    paired = np.take_along_axis(slopes[..., 2], fewer[..., None], axis=-1)[..., 0]
    phases = found.phases(sheets).reshape(shape)
    if not axes:
        return {}, Point(float(n[0]), float(n[1]), str(phases), Carriers({"electron": float(mu[0]), "hole": float(
            mu[1])}), float(common[0] - common[1]), float(paired))
    told = {"electron_density": (n[..., 0], "a_h^-2", "electrons per area"),
            "hole_density": (n[..., 1], "a_h^-2", "holes per area"),
            "mu_electron": (mu[..., 0], "Ha_h", "mu_e over the edge of the band, as the contact sets it"),
            "mu_hole": (mu[..., 1], "Ha_h", "mu_h over the edge of the band, as the contact sets it"),
            "charge_compressibility": (common[..., 0] - common[..., 1], "a_h^-2/Ha_h",
                                       "d(n_e - n_h) by a common shift of both gates"),
            "exciton_compressibility": (paired, "a_h^-2/Ha_h", "d min(n_e, n_h) by the bias")}
    if math.inf not in (asked.stack.top, asked.stack.bottom):
        told["penetration_capacitance"] = (asked.stack.penetration(slopes), "1",
                                           "between the gates, over that of the empty stack")
    data = {name: Variable((name,), asked.voltages[name], "Ha_h", VOLTAGES[name]) for name in axes}
    data |= {name: Variable(axes, *rest) for name, rest in told.items()}
    return data | {"phase": Variable(axes, phases, "1", "what it is")}, None


def _curve(asked: Asked, sheets: list[Sheet], difference: float,
           bias: np.ndarray) -> tuple[dict[str, Any], dict[str, Variable]]:
    """The insulator along the bias."""
    stack, k = asked.stack, asked.stack.stiffness
    first = onset(sheets, k)
    if first is None:
        return {}, {}
    threshold = float(stack.pair_bias(first[0], difference))
    low, high = float(np.min(bias)), float(np.max(bias))
    if "bias" not in asked.axes:
        reach = max(sheet.u[-1] ** 2 for sheet in sheets) * float(k.sum()) / 2
        low, high = threshold - 0.05 * reach, threshold + reach
    axis = np.linspace(low, high, CURVE_POINTS)
    both = axis - float(stack.pair_bias(0.0, difference))
    one = insulator(sheets, k, both)
    there = np.isfinite(one.density) & ~one.ends
    bounded = there & np.isfinite(one.low) & np.isfinite(one.high)
    low_end, high_end = (np.where(bounded, end, np.nan) for end in (one.low, one.high))
    jump = high_end - low_end
    edges = [stack.common(end, difference, axis) for end in (low_end, high_end)]
    c = ("curve_bias",)
    data = {"curve_bias": Variable(c, axis, "Ha_h", "bias of the curve"),
            "curve_density": Variable(c, np.where(there, one.density, np.nan), "a_h^-2", "pairs of the insulator"),
            "curve_capacitor": Variable(c, np.maximum(axis - threshold, 0.0) / float(k.sum()), "a_h^-2",
                                        "what the capacitor alone would hold, from the threshold"),
            "curve_low": Variable(c, edges[0], "Ha_h", "common gate voltage below which it is not"),
            "curve_high": Variable(c, edges[1], "Ha_h", "common gate voltage above which it is not"),
            "curve_jump": Variable(c, jump, "Ha_h", "jump of mu_e and mu_h at n_e = n_h")}
    if asked.measured is not None:
        m = ("measured_bias",)
        data |= {"measured_bias": Variable(m, asked.measured[0], "Ha_h", "bias, measured"),
                 "measured_density": Variable(m, asked.measured[1], "a_h^-2", "pairs, measured")}
    said: dict[str, Any] = {"threshold": threshold, "exciton_energy": first[1]}
    if there.any():
        said |= {"jump": float(np.nanmax(jump)) if bounded.any() else None,
                 "largest_pair_density": float(np.max(one.density[there])), "bias_range": float(np.ptp(axis[there]))}
    return said, data
