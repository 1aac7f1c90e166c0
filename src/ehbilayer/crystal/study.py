"""The classical crystal of one density: many starts, the lowest minimum, and how far the next one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ehbilayer.crystal.record import (
    capacitor_energy,
    charged,
    crystal_data,
    ends_data,
    ends_of,
    energy_unit,
    told_interaction,
)
from ehbilayer.crystal.result import CrystalResult, LayerGroup, Minimum, Orbit, RunnerUp, StartEnd, cell_shape
from ehbilayer.crystal.search import SAME, End, Start, ranking, search
from ehbilayer.crystal.structures import Crystal
from ehbilayer.crystal.symmetry import identify, primitive_crystal
from ehbilayer.hooks import Hooks, StopReason
from ehbilayer.results.base import Carriers
from ehbilayer.status import Status

LISTED = 20  # distinct minima in the summary


def solve_search(starts: Sequence[Start], hooks: Hooks, *, capacitor: bool = False) -> CrystalResult:
    """Relax from every start at one density.

    Parameters
    ----------
    starts : see `search.make_starts`.
    hooks : processes, an earlier unfinished result, progress, checkpoints, stops.
    capacitor : add the capacitor energy of charged layers.

    Returns
    -------
    CrystalResult of the lowest minimum; its status is that of the lowest end where no start reached a minimum, and the
    reason of the stop where one came before the last start.
    """
    should_stop = StopReason(hooks.should_stop)

    def finished(ends: dict[int, End]) -> None:
        best = min(ends.values(), key=lambda e: e.energy)
        unit, name = energy_unit(best.relaxed.crystal.spacing, best.relaxed.crystal.length)
        hooks.progress(f"start {len(ends)}/{len(starts)}  lowest {best.energy / unit:.12f} {name} per hole, "
                       f"{best.structure}")
        hooks.checkpoint(_result(starts, ends, Status.interrupted, capacitor))

    ends = search(starts, workers=hooks.threads, known=ends_of(hooks.unfinished, starts), should_stop=should_stop,
                  finished=finished)
    return _result(starts, ends, should_stop.reason if len(ends) < len(starts) else None, capacitor)


def _result(starts: Sequence[Start], ends: dict[int, End], stopped: Status | None, capacitor: bool) -> CrystalResult:
    minima = ranking(list(ends.values()))
    best = minima[0] if minima else min(ends.values(), key=lambda e: e.energy, default=None)
    status = stopped or (best.status if best else Status.not_converged)
    if best is None:
        return CrystalResult(status=status, total_energy=None, starts=())
    crystal, relaxed = best.relaxed.crystal, best.relaxed
    unit, name = energy_unit(crystal.spacing, crystal.length)
    extra = capacitor_energy(crystal) if charged(crystal, capacitor) else 0.0
    per_hole = extra / (crystal.holes or crystal.electrons)
    return CrystalResult(
        status=status, total_energy=relaxed.energy + extra, energy_per_hole=(best.energy + per_hole) / unit,
        energy_unit=name, capacitor_per_hole=per_hole / unit, structure=best.structure, symmetry=layer_group(crystal),
        cell=cell_shape(crystal), a_over_d=crystal.length / crystal.spacing if crystal.spacing else None,
        a=crystal.length, spacing=crystal.spacing,
        particles=Carriers({"electron": crystal.electrons, "hole": crystal.holes}),
        max_force=relaxed.max_force / unit**2, max_stress=relaxed.max_stress / unit, force_unit=f"e^2/{name[-1]}^2",
        lowest_curvature=best.curvature, iterations=relaxed.iterations,
        **_minima(list(ends.values()), minima, per_hole, unit), starts_asked=len(starts),
        inputs=told_interaction(crystal.interaction), data=crystal_data(crystal) | ends_data(ends))


def _minima(ends: Sequence[End], minima: Sequence[End], per_hole: float, unit: float) -> dict[str, Any]:
    """Distinct minima, the second lowest, and the ends; ``per_hole`` is what the capacitor adds, ``unit`` in Ha_h."""
    def scaled(end: End) -> float:
        return (end.energy + per_hole) / unit

    second = None if len(minima) < 2 else RunnerUp(scaled(minima[1]), minima[1].structure,
                                                   (minima[1].energy - minima[0].energy) / unit)
    return {
        "runner_up": second,
        "minima": tuple(Minimum(scaled(m), m.structure, m.group,
                                sum(abs(e.energy - m.energy) <= SAME / minima[0].relaxed.crystal.length for e in ends))
                        for m in minima[:LISTED]),
        "starts": tuple(StartEnd(scaled(e), e.status, e.structure, e.group, e.start.seed, e.start.name or "random",
                                 e.curvature, e.relaxed.iterations) for e in ends)}


def layer_group(crystal: Crystal) -> LayerGroup:
    """Layer group, orbits and primitive cell of a crystal."""
    found = identify(crystal)
    return LayerGroup(found.group, found.number, found.charges, found.dipoles, cell_shape(primitive_crystal(crystal)),
                      tuple(Orbit(*orbit) for orbit in found.orbits))
