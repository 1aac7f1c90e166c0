r"""Pairs in a magnetic field that shifts flavours: what it adds to their energy, and how it divides them.

A pair of an electron with the level l_e and a hole with the level l_h (`model.Carrier.levels`) shifts by l_e + l_h and
does nothing else: paired or not, its carriers stay in their flavours. Lowered electrons pair with lowered holes: at
equal densities every pairing of flavours costs the same without a field, and none divides pairs by more than

    s = g_e mu_B B + g_h mu_B B.

So g condensates of the densities n_i have E/A = sum_i [e(n_i) + l_i n_i], l_i = -+ s/2, e(n) that of one condensate
without capacitor, which knows the sum alone. The lowest is that of `liquid.partial.polarised`: equal mu_i + l_i, or
empty flavours. Dilute pairs that repel, e = -E_X n + b n^2/2, differ by s/b until all are in lowered flavours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from ehbilayer.condensate.curve import Evaluate, Point, UnsolvedError, limit_evaluator
from ehbilayer.condensate.pairs import pair_layers, pair_of
from ehbilayer.condensate.radial import Pairs
from ehbilayer.condensate.result import CondensateResult, InField, PlaneCondensateResult, TorusCondensateResult
from ehbilayer.liquid.partial import polarised
from ehbilayer.model import Bilayer, Carrier

Found = TypeVar("Found", bound=CondensateResult)
NODES, DILUTE = 120, 1e-4  # densities at which e(n) is known, and the first of them over the last
EXACT = 1e-10  # Ha_h, tolerance of e(n)
SPLIT = 1e-6  # relative error of the splitting that polarises
ONES = ("energy_per_pair", "normal_energy_per_pair", "chemical_potential", "free_energy_per_pair",
        "normal_free_energy_per_pair")


def pair_level(bilayer: Bilayer, flavours: int) -> float:
    """What a field adds to a pair, Ha_h, the mean over this many equal condensates: of the first flavours, or all."""
    return float(sum(np.mean(c.levels[:flavours]) for c in pair_of(bilayer)))


def raising(evaluate: Evaluate, level: float) -> Evaluate:
    """Points whose pairs have this level (Ha_h) in a field."""
    def evaluated(density: float) -> Point:
        point = evaluate(density)
        return replace(point, energy=point.energy + level, chemical_potential=point.chemical_potential + level)

    return evaluated if level else evaluate


def shifted(result: Found, bilayer: Bilayer) -> Found:
    """The result with what the field adds to all but its curve; a lone exciton is the lowest one."""
    electron, hole = pair_of(bilayer)
    if not electron.splitting and not hole.splitting:
        return result
    level, lowest = pair_level(bilayer, result.flavours), electron.levels[0] + hole.levels[0]
    said: dict[str, Any] = {key: getattr(result, key) + level for key in ONES if getattr(result, key) is not None}
    said["energy_per_particle"] = result.energy_per_particle + level / 2
    said["energy_parts_per_pair"] = replace(result.energy_parts_per_pair, zeeman=level)
    if result.exciton_energy is not None:
        said["exciton_energy"] = result.exciton_energy + lowest
    if isinstance(result, PlaneCondensateResult):
        said["energy_per_area"] = result.energy_per_area + level * result.density
    elif isinstance(result, TorusCondensateResult):
        many = result.density * result.area
        said |= {"total_energy": result.total_energy + level * many,
                 "normal_energy": result.normal_energy + level * many,
                 "energy_parts": replace(result.energy_parts, zeeman=level * many)}
    told = [{"name": c.name, "splitting": c.splitting} for c in (electron, hole)]
    return replace(result, **said, inputs=result.inputs | {"carriers": told})


def divided(pairs: Pairs, lone: float) -> InField | None:
    """How a field divides the pairs of the ground state among their flavours; None without one, with one flavour of
    either carrier or unlike numbers of them, and where a density cannot be solved.

    lone : energy of one exciton without field, Ha_h.
    """
    electron, hole = pair_of(pairs.bilayer)
    split, flavours = electron.splitting + hole.splitting, hole.flavours
    if not split or electron.flavours != flavours:
        return None
    try:
        energy = _one(pairs, lone)
    except UnsolvedError:
        return None
    layers = pair_layers(pairs.bilayer)
    charging = pairs.bilayer.interaction.charging([(layers[0], -1.0), (layers[1], 1.0)], 1.0) \
        if pairs.capacitor or pairs.bilayer.interaction.finite else 0.0

    def filled(s: float) -> tuple[float, ...]:
        return polarised(energy, Carrier("pair", 1, 1.0, 0, pairs.density, flavours, splitting=s))

    def raised(s: float) -> float:
        return sum(filled(s)[flavours // 2:])

    n = filled(split)
    levels = Carrier("pair", 1, 1.0, 0, pairs.density, flavours, splitting=split).levels
    whole = sum(energy(x) + x * level for x, level in zip(n, levels, strict=True) if x > 0)
    return InField(split, n, whole / pairs.density + charging * pairs.density, _least(raised, abs(lone)))


def _one(pairs: Pairs, lone: float) -> Callable[[float], float]:
    """e(n) of one condensate without capacitor, Ha_h/a_h^2: E/N by Hermite's cubic in ln n through d(E/N)/d ln n =
    mu - E/N, and to first order in the density below the first node."""
    from scipy.interpolate import CubicHermiteSpline

    one = replace(pairs, flavours=1, capacitor=False)
    charging = one.bilayer.interaction.charging([(layer, charge) for layer, charge in zip(
        pair_layers(one.bilayer), (-1.0, 1.0), strict=True)], 1.0) if one.bilayer.interaction.finite else 0.0
    evaluate, n = limit_evaluator(one, EXACT), np.geomspace(DILUTE, 1.0, NODES) * pairs.density
    points = [evaluate(float(x)) for x in n]
    e = np.array([p.energy for p in points]) - charging * n
    mu = np.array([p.chemical_potential for p in points]) - 2 * charging * n
    spline = CubicHermiteSpline(np.log(n), e, mu - e)
    bend = (e[0] - lone) / n[0]
    return lambda x: x * (float(spline(np.log(x))) if x > n[0] else lone + bend * x)


def _least(raised: Callable[[float], float], scale: float) -> float:
    """The splitting (Ha_h) from which on no pair is in a raised flavour; 0 where the least one does it."""
    low, high = 0.0, 1e-9 * scale
    while raised(high) > 0:
        low, high = high, 2 * high
    if not low:
        return 0.0
    while high - low > SPLIT * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if raised(middle) > 0 else (low, middle)
    return high
