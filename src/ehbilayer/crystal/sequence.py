"""Ground states of classical charges against a/d, and the transitions between them.

1. search: random and named starts on a grid of a/d, in cells of several sizes (`search`);
2. follow: every structure that is lowest somewhere is relaxed at all other a/d, from its neighbour on the grid;
3. bracket: wherever the lowest structure of two neighbours on the grid differs there is a transition;
4. locate: structures that both exist at the transition cross in energy (first order); where one of them goes over into
   the other, the more symmetric one loses its stability in the cell of the other (continuous). A saddle beside the
   transition is left downhill: what lies there is one more phase;
5. look again: search on both sides of every transition, until no phase is added.

A phase that is lowest only between two points of the grid, or only in larger cells than those searched, is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ehbilayer.crystal.relaxation import Relaxed, displaced, relax
from ehbilayer.crystal.search import (
    SAME,
    WAY_OFF,
    Composition,
    End,
    Start,
    lowest_curvature,
    make_starts,
)
from ehbilayer.crystal.structures import Crystal
from ehbilayer.crystal.symmetry import identify, primitive_crystal
from ehbilayer.status import Status

ROOT = 1e-10  # relative accuracy of a transition point
NEAR_ROOT = 2e-3  # how far from a transition one looks for other structures, relative
LONGEST_STEP = 1.03  # ratio of a/d in one step of following
UNSTABLE = -1e-7  # curvature in e^2/a^3 of a phase that is a saddle beside a transition
HALVINGS, DEPTH = 40, 3
ENERGY_NOISE, CURVATURE_NOISE = 1e-14, 1e-9  # relative; in e^2/a^3 (the strains are differences)
CROSSING, CONTINUOUS, UNRESOLVED = "first order", "continuous", "unresolved"


@dataclass(frozen=True, eq=False)
class Phase:
    """A structure at one a/d: relaxed crystal, name, layer group, energy per hole (Ha_h) and lowest curvature."""

    a_over_d: float
    crystal: Crystal
    name: str
    group: str
    energy: float
    curvature: float
    converged: bool

    @property
    def energy_in_spacings(self) -> float:
        """Energy per hole in e^2/d."""
        return self.energy * self.crystal.spacing


@dataclass(frozen=True, eq=False)
class Transition:
    """Where one ground state follows another.

    Parameters
    ----------
    a_over_d : of the transition.
    below, above : the ground states at smaller and larger a/d, at the transition.
    order : "first order", "continuous", or "unresolved".
    uncertainty : half the bracket that is left, in a/d.
    """

    a_over_d: float
    below: Phase
    above: Phase
    order: str
    uncertainty: float


def scan_starts(composition: Composition, values: np.ndarray, holes_per_cell: int, count: int,
                seed: int) -> tuple[list[Start], np.ndarray]:
    """Starts at every a/d and in cells of 1 .. ``holes_per_cell`` holes, and the number of the a/d of each."""
    starts: list[Start] = []
    where: list[int] = []
    for i, value in enumerate(values):
        for holes in range(1, holes_per_cell + 1):
            electrons = composition.electrons_per_hole * holes
            if abs(electrons - round(electrons)) > 1e-9:
                continue
            cell = replace(composition, hole_density=1 / (np.pi * (value * composition.spacing) ** 2), holes=holes,
                           electrons=round(electrons))
            found = make_starts(cell, count, seed, candidates=True)
            starts += found
            where += [i] * len(found)
    return starts, np.array(where)


def phase_of(relaxed: Relaxed) -> Phase:
    """Name, group and curvature of a relaxed crystal."""
    crystal = relaxed.crystal
    symmetry = identify(crystal)
    return Phase(crystal.length / crystal.spacing, crystal, symmetry.label, symmetry.group, relaxed.energy_per_hole,
                 lowest_curvature(crystal)[0], relaxed.converged)


def follow(phase: Phase, a_over_d: float) -> Phase:
    """The same structure at another a/d, relaxed from the given one in small steps; its symmetry is kept."""
    crystal, steps = phase.crystal, 1 + int(abs(np.log(a_over_d / phase.a_over_d)) / np.log(LONGEST_STEP))
    for value in np.geomspace(phase.a_over_d, a_over_d, steps + 1)[1:]:
        relaxed = relax(crystal.scaled(float(value) * phase.crystal.spacing, phase.crystal.spacing))
        crystal = relaxed.crystal
    return phase_of(relaxed)


def settle(phase: Phase) -> Phase:
    """The minimum below a saddle, left along its lowest mode; the phase itself if it is a minimum."""
    for _ in range(DEPTH):
        curvature, mode = lowest_curvature(phase.crystal)
        if curvature > UNSTABLE:
            break
        phase = phase_of(relax(displaced(phase.crystal, mode, WAY_OFF * phase.crystal.length)))
    return phase


def lowest_found(values: np.ndarray, ends: Sequence[End], where: np.ndarray) -> list[Phase]:
    """The lowest minimum that the search found at each a/d, in its primitive cell."""
    out = []
    for i in range(len(values)):
        here = [e for e, w in zip(ends, where, strict=True) if w == i and e.status is Status.converged]
        best = min(here, key=lambda e: e.energy)
        ties = [e for e in here if e.energy - best.energy < SAME / best.relaxed.crystal.length]
        smallest = min(ties, key=lambda e: len(e.relaxed.crystal.species))
        out.append(phase_of(relax(primitive_crystal(smallest.relaxed.crystal))))
    return out


def follow_all(values: np.ndarray, found: Sequence[Phase]) -> dict[str, list[Phase | None]]:
    """Every structure that is lowest somewhere, at every a/d to which it can be followed from there."""
    out: dict[str, list[Phase | None]] = {}
    for name in dict.fromkeys(p.name for p in found):
        line: list[Phase | None] = [p if p.name == name else None for p in found]
        for step, order in ((1, range(1, len(values))), (-1, range(len(values) - 2, -1, -1))):
            for i in order:
                before = line[i - step]
                if line[i] is None and before is not None:
                    there = follow(before, float(values[i]))
                    line[i] = there if there.name == name and there.converged else None
        out[name] = line
    return out


def ground_states(families: dict[str, list[Phase | None]], found: Sequence[Phase]) -> list[Phase]:
    """The lowest phase at each a/d, of those found there and those followed there."""
    out = []
    for i, best in enumerate(found):
        here = [line[i] for line in families.values()]
        others = [p for p in here if p is not None and p.energy < best.energy - SAME / best.crystal.length]
        out.append(min(others, key=lambda p: p.energy) if others else best)
    return out


def transitions(states: Sequence[Phase], known: Sequence[Transition] = (),
                tell: Callable[[str], None] | None = None) -> list[Transition]:
    """The transitions between ground states at rising a/d.

    Those of ``known`` that fit between two of the states are taken over; ``tell`` is told which one is being located.
    """
    out: list[Transition] = []
    for left, right in pairwise(states):
        if left.name != right.name or not _same(left, right):
            fitting = [t for t in known if left.a_over_d < t.a_over_d < right.a_over_d
                       and (t.below.name, t.above.name) == (left.name, right.name)]
            if fitting:
                out += fitting
                continue
            if tell is not None:
                tell(f"transition between {left.name} and {right.name}")
            out += locate(left, right)
    return out


def _same(left: Phase, right: Phase) -> bool:
    """Whether following one leads to the other: two structures may share a name."""
    return abs(follow(left, right.a_over_d).energy - right.energy) < 10 * SAME / right.crystal.length


def locate(left: Phase, right: Phase, depth: int = DEPTH) -> list[Transition]:
    """The transitions between two ground states at neighbouring a/d, usually one; see the head of the module."""
    found = _crossing(left, right) if left.name == right.name else _locate(left, right)
    for phase in (found.below, found.above):
        if depth and phase.curvature < UNSTABLE:
            between = settle(phase)
            if between.name not in (left.name, right.name):
                return locate(left, between, depth - 1) + locate(between, right, depth - 1)
    return [found]


def _locate(left: Phase, right: Phase) -> Transition:
    for _ in range(HALVINGS):
        back, forth = follow(right, left.a_over_d), follow(left, right.a_over_d)
        found = None
        if back.name == right.name and forth.name == left.name:
            return _crossing(left, right)
        if back.name == left.name:
            found = _loss_of_stability(back, right)
        elif forth.name == right.name:
            found = _loss_of_stability(forth, left)
        if found is not None:
            return found
        middle = 0.5 * (left.a_over_d + right.a_over_d)
        lowest = min(follow(left, middle), follow(right, middle), key=lambda p: p.energy)
        if lowest.name == left.name:
            left = lowest
        elif lowest.name == right.name:
            right = lowest
        else:
            break
    return Transition(0.5 * (left.a_over_d + right.a_over_d), left, right, UNRESOLVED,
                      0.5 * abs(right.a_over_d - left.a_over_d))


class _Line:
    """A structure against a/d: each point is followed from the nearest one that is known."""

    def __init__(self, start: Phase) -> None:
        self._known = [start]

    def at(self, a_over_d: float) -> Phase:
        near = min(self._known, key=lambda p: abs(p.a_over_d - a_over_d))
        if near.a_over_d != a_over_d:
            near = follow(near, a_over_d)
            self._known.append(near)
        return near


def _crossing(left: Phase, right: Phase) -> Transition:
    """Equal energies of two structures that both exist at the crossing: their derivatives differ, first order."""
    from scipy.optimize import brentq

    a, b = _Line(left), _Line(right)

    def difference(a_over_d: float) -> float:
        return a.at(a_over_d).energy - b.at(a_over_d).energy

    low, high = left.a_over_d, right.a_over_d
    if difference(low) * difference(high) > 0:
        return Transition(0.5 * (low + high), left, right, UNRESOLVED, 0.5 * abs(high - low))
    root = float(brentq(difference, low, high, rtol=ROOT, xtol=ROOT * low))
    below, above = a.at(root), b.at(root)
    slope = abs(difference(root * (1 + 1e-4)) - difference(root * (1 - 1e-4))) / (2e-4 * root)
    noise = ENERGY_NOISE * abs(below.energy)
    return Transition(root, below, above, CROSSING, noise / max(slope, 1e-300) + ROOT * root)


def _loss_of_stability(symmetric: Phase, other: Phase) -> Transition | None:
    """Where the more symmetric structure, in the cell of the other one, gets a curvature of zero.

    Continuous if the other structure does not exist on the symmetric side of that point; else the energies cross
    before, and the transition is of first order. None if the curvature does not change its sign in between.
    """
    from scipy.optimize import brentq

    line = _Line(symmetric)
    far = line.at(other.a_over_d)
    if far.name != symmetric.name or symmetric.curvature * far.curvature >= 0:
        return None

    def curvature(a_over_d: float) -> float:
        return line.at(a_over_d).curvature

    low, high = sorted((symmetric.a_over_d, other.a_over_d))
    root = float(brentq(curvature, low, high, rtol=ROOT, xtol=ROOT * low))
    side = 1 if other.a_over_d > symmetric.a_over_d else -1
    near, at = follow(other, root * (1 + side * NEAR_ROOT)), line.at(root)
    beyond = follow(near, root * (1 - side * NEAR_ROOT))
    if near.name == beyond.name == other.name:
        stable = line.at(beyond.a_over_d)
        return _crossing(stable, near) if side > 0 else _crossing(near, stable)
    slope = abs(curvature(root * (1 + 1e-4)) - curvature(root * (1 - 1e-4))) / (2e-4 * root)
    uncertainty = CURVATURE_NOISE / max(slope, 1e-300) + ROOT * root
    below, above = (at, near) if side > 0 else (near, at)
    return Transition(root, below, above, CONTINUOUS, uncertainty)
