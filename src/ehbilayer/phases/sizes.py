"""How much the size of the box moves an energy: the same state in a smaller box of the same shape and density."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import disk_waves
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hooks import Hooks
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.phases.candidates import Candidate
from ehbilayer.phases.look import LOOSE, how_of, paired_state, total_energy
from ehbilayer.phases.plane import free_energy, madelung
from ehbilayer.phases.unequal import by_flavour
from ehbilayer.status import Status
from ehbilayer.torus import SPIN_TREATMENTS, Torus

SMALLER = (1.6, 9.0)  # by which factors a box of comparison holds fewer particles
FEWEST = 4  # sites in it
FAR = 5.0  # of the largest shift: crystals farther above the lowest state are not looked at


@dataclass(frozen=True, eq=False)
class Sized:
    """A state whose size matters, energies in Ha_h per hole.

    phase, energy, waves : what it is.
    above_plane : how far a homogeneous phase lies above the infinite plane (`plane.plane_energy`).
    shells : the same of the liquid carriers of a metal (`plane.shells`).
    """

    candidate: Candidate
    phase: str
    energy: float
    waves: np.ndarray
    above_plane: float | None = None
    shells: float | None = None

    @property
    def quick(self) -> bool:
        """Whether it takes no time in another box."""
        return self.candidate.paired or self.candidate.uniform

    @property
    def known(self) -> float:
        """What is known exactly of its change with size."""
        return self.shells or 0.0 if self.above_plane is None else self.above_plane


def size_shifts(states: Sequence[Sized], hooks: Hooks) -> list[float | None]:
    """By how much each state's height above the first, per hole (Ha_h), may fall from its box to infinitely many
    particles.

        x_i - x_1  between homogeneous phases, below 0 where the height grows,   else max(x_i - x_1, 0) + |y_i - y_1|

    with x what is known exactly (`Sized.known`), and y the change of the rest from the largest smaller box that holds
    those of both that have a rest: its size, which nothing known may cancel.

    Parameters
    ----------
    states : one of each phase, the lowest first.

    The second and the homogeneous ones, which take no time, say how far up others matter. None for the first, for those
    that do not, where no box fits, and where a state did not converge in it.
    """
    shifts: list[float | None] = [None] * len(states)
    looked: dict[tuple[int, int], float | None] = {}
    reach = 0.0

    def change(i: int, sites: int) -> float | None:
        if (i, sites) not in looked:
            looked[i, sites] = size_shift(states[i], sites, hooks)
        return looked[i, sites]

    def between(i: int) -> float | None:
        rest = [j for j in (0, i) if states[j].above_plane is None]
        sites = smaller([states[j].candidate for j in rest]) if rest else 0
        changes = [(-1 if j == 0 else 1, None if sites is None else change(j, sites)) for j in rest]
        if any(c is None for _, c in changes):
            return None
        exact = states[i].known - states[0].known
        return max(exact, 0.0) + abs(sum(sign * (c or 0.0) for sign, c in changes)) if rest else exact

    for i in sorted(range(1, len(states)), key=lambda i: (i > 1 and not states[i].quick, i)):
        if i == 1 or states[i].quick or states[i].energy - states[0].energy <= FAR * reach:
            shifts[i] = between(i)
            reach = max(reach, abs(shifts[i] or 0.0))
    return shifts


def size_shift(state: Sized, sites: int, hooks: Hooks) -> float | None:
    """Energy per hole (Ha_h) of a state less that in a smaller box of ``sites`` (`smaller`), on waves of the same part
    of the plane, both with their Madelung terms and without the shells of liquid carriers. None where it did not
    converge there."""
    candidate = state.candidate
    small = resized(candidate.torus, sites)
    chosen = same_reach(candidate.torus, state.waves, small)
    energy = state.energy - madelung(candidate.torus) / candidate.torus.sites + madelung(small) / small.sites
    if state.shells is not None:
        here, there = (free_energy(state.phase, torus) or 0.0 for torus in (candidate.torus, small))
        energy -= here - there
    if candidate.paired:
        basis = PlaneWaveBasis(small.box, chosen)
        pairs = by_flavour(small, lambda torus: paired_state(torus, basis, 1e-4, False, None, hooks))
        return energy - total_energy(pairs) / small.sites if pairs.status is Status.converged else None
    basis = PlaneWaveBasis(small.box, chosen, crystal_cell(small.box, sites, _per_cell(candidate)))
    options = replace(candidate.options, tolerance=LOOSE, stability="none", follow=False, basis_tolerance=None,
                      spectrum=False)
    found = solve(small, basis, options, how_of(hooks))
    return energy - total_energy(found) / small.sites if found.status is Status.converged else None


def smaller(candidates: Sequence[Candidate]) -> int | None:
    """Sites in the largest smaller box of the same shape and density that holds all candidates, their cells and
    flavours; None where there is none, and for starts of the user's."""
    if any(c.start is not None for c in candidates):
        return None
    torus = candidates[0].torus
    for sites in range(int(torus.sites / SMALLER[0]), max(FEWEST, math.ceil(torus.sites / SMALLER[1])) - 1, -1):
        if all(_holds(c, sites) for c in candidates):
            return sites
    return None


def _holds(candidate: Candidate, sites: int) -> bool:
    try:
        small = resized(candidate.torus, sites)
        if not candidate.paired and candidate.options.keep != "translations":
            crystal_cell(small.box, sites, _per_cell(candidate))
    except InputError:
        return False
    return bool(np.isclose(_roundness(small), _roundness(candidate.torus), rtol=1e-6))


def _per_cell(candidate: Candidate) -> int:
    return 1 if candidate.options.keep == "translations" else candidate.torus.sites // candidate.basis.cells


def resized(torus: Torus, sites: int) -> Torus:
    """With another number of sites; numbers of flavours go along. Raises InputError where they are not whole."""
    def share(spin: str) -> str:
        if spin in SPIN_TREATMENTS:
            return spin
        mark = "|" if "|" in spin else "+"
        numbers = [int(n) * sites for n in spin.split(mark)]
        if mark == "|" and any(n % torus.sites for n in numbers):
            raise InputError("holes", "such that flavours hold whole numbers", sites, "choose another")
        ends = np.rint(np.cumsum(numbers) / torus.sites).astype(int)  # liquids: as nearly in proportion as may be
        return mark.join(str(n) for n in np.diff(ends, prepend=0) if n)

    def count(given: int | None) -> int | None:
        if given is None or given * sites % torus.sites == 0:
            return None if given is None else given * sites // torus.sites
        raise InputError("holes", "such that all counts are whole", sites, "choose another")

    small = replace(torus, holes=count(torus.holes), electrons=count(torus.electrons),
                    electron_spin=share(torus.electron_spin), hole_spin=share(torus.hole_spin))
    if any(s.spin == "unrestricted" and s.count % s.flavours for s in small.species):
        raise InputError("holes", "such that flavours hold equal numbers", sites, "choose another")
    return small


def _roundness(torus: Torus) -> float:
    """Shortest vector of the lattice of sites, over the root of the area of a site."""
    s = crystal_cell(torus.box, torus.sites)
    cell = np.linalg.inv(s) @ torus.box.vectors
    return float(np.linalg.norm(cell, axis=1).min() / np.sqrt(torus.area / torus.sites))


def same_reach(torus: Torus, waves: np.ndarray, small: Torus) -> np.ndarray:
    """Waves of the smaller box in the hull of the others', widened by half a step."""
    from scipy.spatial import ConvexHull

    k = waves @ torus.box.reciprocal
    reach = float(np.linalg.norm(k, axis=1).max())
    wider = 1 + np.pi / np.sqrt(small.area) / reach
    sides = ConvexHull(k * wider).equations
    inside = disk_waves(small.box, reach * wider)
    r = inside @ small.box.reciprocal
    return np.asarray(inside[np.all(r @ sides[:, :2].T + sides[:, 2] <= 1e-9 * reach, axis=1)])
