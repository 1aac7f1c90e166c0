"""The whole sequence of classical ground states against a/d, as one study: search, follow, locate, look again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ehbilayer.crystal.record import capacitor_energy, charged, ends_data, ends_of, told_interaction
from ehbilayer.crystal.result import CrystalScanResult, GroundState, ScaledCell, Searched, TransitionPoint
from ehbilayer.crystal.search import Composition, End, Start, search
from ehbilayer.crystal.sequence import (
    NEAR_ROOT,
    UNRESOLVED,
    Phase,
    Transition,
    follow_all,
    ground_states,
    lowest_found,
    scan_starts,
    transitions,
)
from ehbilayer.crystal.structures import Crystal
from ehbilayer.crystal.symmetry import primitive_crystal
from ehbilayer.hooks import Hooks, StopReason
from ehbilayer.results.base import Variable
from ehbilayer.status import Status

LOOKS = 4  # rounds of searching beside the transitions


@dataclass(frozen=True)
class Scan:
    """Which a/d are looked at, and how hard: cells of 1 .. holes_per_cell holes, random starts in each, their seed."""

    values: tuple[float, ...]
    holes_per_cell: int
    starts: int
    seed: int


def solve_scan(composition: Composition, scan: Scan, hooks: Hooks, *, capacitor: bool = False) -> CrystalScanResult:
    """Ground states and transitions against a/d; see the head of `sequence`.

    ``composition`` sets the spacing, the electrons per hole, the layers and the carrier; its density and counts do not
    matter. ``capacitor`` adds the energy of charged layers, the same for all structures of one a/d, to what is listed.
    The status is not_converged where a transition was not resolved or new phases still turned up in the last look.
    """
    values, known = np.array(scan.values), dict[Start, End]()
    names: list[str] | None = None
    found: list[Transition] = []
    for look in range(LOOKS):
        starts, where = scan_starts(composition, values, scan.holes_per_cell, scan.starts, scan.seed)
        stopped = _search(known, starts, hooks, look)
        if stopped is not None:
            return _unfinished(known, starts, stopped)
        ends = [known[s] for s in starts]
        hooks.progress("following the structures that were found")
        lowest = lowest_found(values, ends, where)
        families = follow_all(values, lowest)
        phases = ground_states(families, lowest)
        found = transitions(phases, found, hooks.progress)
        settled = names == (names := [phases[0].name, *(t.above.name for t in found)])
        if settled or not found:
            break
        beside = np.array([t.a_over_d * (1 + side * NEAR_ROOT) for t in found for side in (-1, 1)])
        inside = beside[(beside > values.min()) & (beside < values.max())]
        values = np.unique(np.concatenate([np.array(scan.values), inside]))
    resolved = (settled or not found) and all(t.order != UNRESOLVED for t in found)
    status = Status.converged if resolved else Status.not_converged
    extra = _capacitor(phases) if charged(phases[0].crystal, capacitor) else np.zeros(len(values))
    return _finished(status, values, families, phases, found, ends, where, extra)


def _search(known: dict[Start, End], starts: Sequence[Start], hooks: Hooks, look: int) -> Status | None:
    """Relax from the starts that are not known yet; the reason if it was stopped."""
    if look == 0:
        known |= {starts[i]: end for i, end in ends_of(hooks.unfinished, starts).items()}
    missing = [s for s in starts if s not in known]
    should_stop = StopReason(hooks.should_stop)

    def finished(ends: dict[int, End]) -> None:
        hooks.progress(f"look {look + 1}: start {len(ends)}/{len(missing)}")
        if look == 0:
            known.update({missing[i]: end for i, end in ends.items()})
            hooks.checkpoint(_unfinished(known, starts, Status.interrupted))

    ends = search(missing, workers=hooks.threads, should_stop=should_stop, finished=finished)
    known.update({missing[i]: end for i, end in ends.items()})
    return should_stop.reason if len(ends) < len(missing) else None


def _unfinished(known: dict[Start, End], starts: Sequence[Start], status: Status) -> CrystalScanResult:
    """What an interrupted scan keeps: the finished starts of its own grid."""
    data = ends_data({i: known[s] for i, s in enumerate(starts) if s in known})
    return CrystalScanResult(status=status, sequence=(), transitions=(), starts_finished=len(known), data=data)


def _capacitor(phases: Sequence[Phase]) -> np.ndarray:
    """Of each a/d, per hole in e^2/d."""
    crystals = [p.crystal for p in phases]
    return np.array([capacitor_energy(c) / (c.holes or c.electrons) * c.spacing for c in crystals])


def _finished(status: Status, values: np.ndarray, families: dict[str, list[Phase | None]], phases: Sequence[Phase],
              found: Sequence[Transition], ends: Sequence[End], where: np.ndarray,
              extra: np.ndarray) -> CrystalScanResult:
    edges = [float(values[0]), *(t.a_over_d for t in found), float(values[-1])]
    names = [(phases[0].name, phases[0].group), *((t.above.name, t.above.group) for t in found)]
    return CrystalScanResult(
        status=status, max_force=max(e.relaxed.max_force * e.relaxed.crystal.spacing**2 for e in ends),
        sequence=tuple(GroundState(name, group, low, high) for (name, group), low, high in
                       zip(names, edges[:-1], edges[1:], strict=True)),
        transitions=tuple(TransitionPoint(
            t.a_over_d, t.below.name, t.above.name, t.order, t.uncertainty, _cell(t.below), _cell(t.above),
            t.below.curvature, t.above.curvature) for t in found),
        starts=tuple(_searched(float(values[i]), p, [e for e, w in zip(ends, where, strict=True) if w == i],
                               float(extra[i])) for i, p in enumerate(phases)),
        inputs=told_interaction(phases[0].crystal.interaction),
        data=_curves(values, families, phases, extra) | _examples(phases, found))


def _cell(phase: Phase) -> ScaledCell:
    cell = primitive_crystal(phase.crystal).cell_parameters()
    return ScaledCell(cell["a"] / phase.crystal.length, cell["b"] / phase.crystal.length, cell["gamma_degrees"])


def _searched(a_over_d: float, phase: Phase, ends: Sequence[End], extra: float) -> Searched:
    spacing = phase.crystal.spacing
    reached = sum(abs(e.energy - phase.energy) * spacing < 1e-9 for e in ends)
    how = Status.converged.value if reached else "followed from its neighbours, not found by a start"
    return Searched(a_over_d, phase.energy_in_spacings + extra, phase.name, len(ends), reached, how,
                    sum(e.status is not Status.converged for e in ends))


def _curves(values: np.ndarray, families: dict[str, list[Phase | None]], phases: Sequence[Phase],
            extra: np.ndarray) -> dict[str, Variable]:
    """Energy, cell and curvature of every structure against a/d (NaN where it does not exist), and the ground state."""
    table = np.full((5, len(families), len(values)), np.nan)
    for f, line in enumerate(families.values()):
        for i, p in enumerate(line):
            if p is not None:
                cell = _cell(p)
                table[:, f, i] = p.energy_in_spacings + extra[i], cell.a, cell.b, cell.gamma_degrees, p.curvature
    dims = ("structure", "a_over_d")
    ground = np.array([p.energy_in_spacings for p in phases]) + extra
    return {
        "a_over_d": Variable(("a_over_d",), values, "1", "a/d of the grid and beside the transitions"),
        "structures": Variable(("structure",), np.array(list(families)), "1", "names of the structures"),
        "energy": Variable(dims, table[0], "e^2/d", "energy per hole"),
        "cell_a": Variable(dims, table[1], "a", "shorter vector of the primitive cell"),
        "cell_b": Variable(dims, table[2], "a", "longer vector of the primitive cell"),
        "cell_gamma": Variable(dims, table[3], "degree", "angle of the primitive cell"),
        "curvature": Variable(dims, table[4], "e^2/a^3", "lowest curvature in the cell that was followed"),
        "ground": Variable(("a_over_d",), np.array([p.name for p in phases]), "1", "structure of the ground state"),
        "ground_energy": Variable(("a_over_d",), ground, "e^2/d",
                                  "energy per hole of the ground state"),
    }


def _examples(phases: Sequence[Phase], found: Sequence[Transition]) -> dict[str, Variable]:
    """One crystal of every ground state, in the middle of its range: for pictures, and to start from."""
    edges = [phases[0].a_over_d, *(t.a_over_d for t in found), phases[-1].a_over_d]
    names = [phases[0].name, *(t.above.name for t in found)]
    beside = [*phases, *(t.above for t in found), *(t.below for t in found)]
    out: dict[str, Variable] = {}
    for i, name in enumerate(names):
        middle = np.sqrt(edges[i] * edges[i + 1])
        near = min((p for p in beside if p.name == name), key=lambda p: abs(np.log(p.a_over_d / middle)))
        out |= _example(i, primitive_crystal(near.crystal), near.a_over_d)
    return out


def _example(number: int, crystal: Crystal, a_over_d: float) -> dict[str, Variable]:
    charge = f"example_{number}_charge"
    return {
        f"example_{number}_a_over_d": Variable((), np.array(a_over_d), "1", "a/d of this crystal"),
        f"example_{number}_vectors": Variable(("vector", "xy"), crystal.vectors, "a_h", "cell vectors"),
        f"example_{number}_positions": Variable((charge, "xy"), crystal.positions, "a_h", "places of the charges"),
        f"example_{number}_heights": Variable((charge,), crystal.heights, "a_h", "heights of the charges"),
        f"example_{number}_species": Variable((charge,), np.array(crystal.species), "1", "electron or hole"),
    }
