"""Which phase lies where in the plane of a/a_B and d/a_B: computed lines put together for Dai and Fu, Fig. 4.

Classical crystals depend on a/d alone. Along such a ray the harmonic zero-point motion reaches Lindemann's threshold at
one length for each group of charges, which goes as the inverse fourth power of the threshold. A composite crystal needs
dipoles and free electrons solid; where electrons are solid and dipoles are not, and no trion is bound, the excitons are
superfluid in an electron crystal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ehbilayer.papers.dai_fu.classical_studies import SCANS, crossing, energy_of
from ehbilayer.papers.record import Results

UNDETERMINED, DECOUPLED, SUPERSOLID, TRIONS = "undetermined", "decoupled", "supersolid", "trion-crystal"
COMPOSITES = ("tilted-diagonal", "checkerboard", "rhombic", "honeycomb")  # by rising a/d
ELECTRONS = 2.0  # per hole
TRION_MASS = 3.0  # 2 m_e + m_h of equal masses


@dataclass(frozen=True, eq=False)
class Segment:
    """Where one ground state melts: a/d (k,) ascending; a/a_B of its dipoles and of its free electrons (k,)."""

    structure: str
    a_over_d: np.ndarray
    dipole: np.ndarray
    free_electron: np.ndarray


@dataclass(frozen=True, eq=False)
class Plane:
    """All boundaries, equal masses, lengths in a_B.

    Parameters
    ----------
    segments : melting of the composite crystals.   ranges : structure -> a/d between which it is lowest.
    decoupling : a/d below which two crystals apart are lower than a composite one, None if unknown.
    wigner : a/a_B at which a triangular crystal of one layer melts.
    unbinding : d/a_B above which no trion is bound.   trion_melting : a/a_B at which the trion crystal melts.
    threshold : of Lindemann's ratio, to which all lengths belong.
    transitions : structures whose range begins at a computed transition; elsewhere at the end of their stability.
    """

    segments: list[Segment]
    ranges: dict[str, tuple[float, float]]
    decoupling: float | None
    wigner: float
    unbinding: float
    trion_melting: float
    threshold: float
    transitions: tuple[str, ...] = COMPOSITES[1:]

    def melting(self, group: str, a_over_d: np.ndarray) -> np.ndarray:
        """a/a_B at which ``dipole`` or ``free_electron`` melts along rays of constant a/d, in the lowest structure.

        Beyond the last ray that was computed dipoles follow a ~ (a/d)^2 and electrons stay where they are.
        """
        x = np.concatenate([s.a_over_d for s in self.segments])
        y = np.concatenate([getattr(s, group) for s in self.segments])
        law = 2.0 if group == "dipole" else 0.0
        beyond = np.maximum(a_over_d / x[-1], 1.0) ** law
        return np.asarray(np.exp(np.interp(np.log(a_over_d), np.log(x), np.log(y))) * beyond)

    def phases(self, a: np.ndarray, d: np.ndarray) -> np.ndarray:
        """Names of the phases at a/a_B and d/a_B (arrays of one shape)."""
        ray = a / d
        free, dipole = self.melting("free_electron", ray), self.melting("dipole", ray)
        out = np.full(a.shape, UNDETERMINED, dtype="U20")
        out[(d < self.unbinding) & (a > self.trion_melting) & (ray > 1)] = TRIONS
        composite = ray > (self.decoupling or self.ranges[COMPOSITES[0]][0])
        out[composite & (d > self.unbinding) & (a > free) & (a < dipole)] = SUPERSOLID
        for name, (low, high) in self.ranges.items():
            here = (ray >= low) & (ray < high) & (d > self.unbinding)
            out[here & (a > np.maximum(free, dipole))] = name
        out[~composite & (a > math.sqrt(ELECTRONS) * self.wigner)] = DECOUPLED
        return out


def plane_of(results: Results, unbinding: float, trion_rs: float) -> Plane:
    """The plane from the studies of the figure; ``trion_rs`` is r_s of the trion crystal where it melts."""
    decoupling = _decoupling(results)
    ranges = _ranges(results, decoupling)
    layer = results["phonons-triangular"]
    found = tuple(t.above for t in results["ground-states"].transitions)
    return Plane([_segment(results, name, ranges[name]) for name in COMPOSITES], ranges, decoupling,
                 layer.melting["hole"].a, unbinding, trion_rs / TRION_MASS, layer.threshold,
                 found)


def _decoupling(results: Results) -> float | None:
    """a/d at which two triangular crystals that do not feel each other have the energy of the tilted crystal."""
    x, energy = energy_of(results["uncoupled-energies"], "tilted-diagonal")
    apart = results["phonons-triangular"].energy_per_hole * (1 + ELECTRONS**1.5)  # e^2/a
    return crossing(x, energy * x - apart)


def _ranges(results: Results, decoupling: float | None) -> dict[str, tuple[float, float]]:
    """a/d of every ground state: transitions where they were computed, else as far as its phonons are stable."""
    found = results["ground-states"].transitions
    below = {t.below: t.a_over_d for t in found}
    above = {t.above: t.a_over_d for t in found}
    out: dict[str, tuple[float, float]] = {}
    for name in COMPOSITES:
        x = results[f"phonons-{name}"].data["scan_a_over_d"].values
        stable = x[results[f"phonons-{name}"].data["scan_stable"].values.astype(bool)]
        out[name] = (above.get(name, float(stable.min())), below.get(name, float(stable.max())))
    first, last = COMPOSITES[0], COMPOSITES[-1]
    out[first] = (decoupling or SCANS[first][0][0], out[first][1])
    out[last] = (out[last][0], math.inf)
    if "checkerboard" not in above:  # the search began beyond it
        out[first] = (out[first][0], out["checkerboard"][0])
    return out


def _segment(results: Results, name: str, limits: tuple[float, float]) -> Segment:
    """Melting lines within the range of a ground state, with its ends where the scan reaches them."""
    data = results[f"phonons-{name}"].data
    x = data["scan_a_over_d"].values
    known = np.isfinite(data["melting_length_dipole"].values)
    x, low, high = x[known], *limits
    inside = x[(x > low) & (x < high)]
    ends = [v for v in limits if x[0] < v < x[-1]]
    where = np.unique(np.concatenate([inside, ends]))
    lines = [np.exp(np.interp(np.log(where), np.log(x), np.log(data[f"melting_length_{g}"].values[known])))
             for g in ("dipole", "free_electron")]
    return Segment(name, where, *lines)
