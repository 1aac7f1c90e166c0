"""The classical crystal of one density: many starts, the lowest minimum, and how far the next one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ehbilayer.crystal.record import (
    KIND,
    capacitor_energy,
    crystal_data,
    ends_data,
    ends_of,
    energy_unit,
    symmetry_table,
)
from ehbilayer.crystal.search import SAME, End, Start, ranking, search
from ehbilayer.hooks import Hooks, StopReason
from ehbilayer.results.base import Record, Result
from ehbilayer.status import Status

LISTED = 20  # distinct minima in the summary


def solve_search(starts: Sequence[Start], hooks: Hooks, *, capacitor: bool = False) -> Result:
    """Relax from every start at one density.

    Parameters
    ----------
    starts : see `search.make_starts`.
    hooks : processes, an earlier unfinished result, progress, checkpoints, stops.
    capacitor : add the capacitor energy of charged layers.

    Returns
    -------
    Result of the lowest minimum; its status is that of the lowest end where no start reached a minimum, and the reason
    of the stop where one came before the last start.
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


def _result(starts: Sequence[Start], ends: dict[int, End], stopped: Status | None, capacitor: bool) -> Result:
    minima = ranking(list(ends.values()))
    best = minima[0] if minima else min(ends.values(), key=lambda e: e.energy, default=None)
    status = stopped or (best.status if best else Status.not_converged)
    if best is None:
        return Record(KIND, status, {"energy": None, "energy_per_hole": None, "structure": None, "cell": None,
                                     "max_force": None, "starts": []}, {})
    summary = _summary(list(ends.values()), minima, best, capacitor)
    summary["starts_asked"] = len(starts)
    return Record(KIND, status, summary, {}, crystal_data(best.relaxed.crystal) | ends_data(ends))


def _summary(ends: Sequence[End], minima: Sequence[End], best: End, capacitor: bool) -> dict[str, Any]:
    crystal, relaxed = best.relaxed.crystal, best.relaxed
    unit, name = energy_unit(crystal.spacing, crystal.length)
    extra = capacitor_energy(crystal) if capacitor else 0.0
    per_hole = extra / (crystal.holes or crystal.electrons)
    second = minima[1] if len(minima) > 1 else None
    return {
        "energy": relaxed.energy + extra,
        "energy_per_hole": (best.energy + per_hole) / unit,
        "energy_unit": name,
        "capacitor_per_hole": per_hole / unit,
        "structure": best.structure,
        "symmetry": symmetry_table(crystal),
        "cell": crystal.cell_parameters(),
        "a_over_d": crystal.length / crystal.spacing if crystal.spacing else None,
        "a": crystal.length,
        "spacing": crystal.spacing,
        "particles": {"electron": crystal.electrons, "hole": crystal.holes},
        "max_force": relaxed.max_force / unit**2,
        "max_stress": relaxed.max_stress / unit,
        "force_unit": f"e^2/{name[-1]}^2",
        "lowest_curvature": best.curvature,
        "iterations": relaxed.iterations,
        "runner_up": None if second is None else {"energy_per_hole": (second.energy + per_hole) / unit,
                                                  "structure": second.structure,
                                                  "above": (second.energy - best.energy) / unit},
        "minima": [{"energy_per_hole": (m.energy + per_hole) / unit, "structure": m.structure, "group": m.group,
                    "found": sum(abs(e.energy - m.energy) <= SAME / crystal.length for e in ends)}
                   for m in minima[:LISTED]],
        "starts": [e.row(unit) | {"energy": (e.energy + per_hole) / unit} for e in ends],
    }
