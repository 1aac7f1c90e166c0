"""The studies that the classical figures of Dai and Fu share: energies, ground states, phonons with melting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ehbilayer import CrystalScanResult, Result
from ehbilayer.papers.record import AGREES, DIFFERS, NEW, Row

FINE = (5.3, 5.35, 5.4, 5.45, 5.5, 5.55)  # a/d around the crossing of checkerboard and honeycomb
RHOMBIC = (5.0, 5.65)  # a/d between which the rhombic crystal is shown
# structure -> range of a/d whose phonons are computed, points (quick, full), and an a/d within. Next to an instability
# averages over the zone do not settle: the ranges and the counts keep away from those
SCANS = {"honeycomb": ((1.1, 30.0), (10, 40), 8.0), "checkerboard": ((1.1, 20.0), (10, 39), 3.0),
         "rhombic": ((5.2, 5.46), (2, 4), 5.4), "tilted-diagonal": ((1.05, 1.22), (2, 5), 1.1)}
ZONE = {"mesh": 12, "points": 10, "tolerance": 1e-3}  # Gamma and the scan are drawn, which keeps a tolerance of its own
UNCOUPLED = (0.8, 1.02)  # a/d between which tilted crystals are compared with layers apart
DIGITS = 6
PRINTED = (5.415, 5.425)  # what rounds to the published a/d of the transition, from checkerboard to honeycomb


def ground_states(quick: bool) -> dict[str, Any]:
    """The sequence of ground states with its transitions."""
    search = {"scan": [4.0, 7.0], "scan_points": 2, "holes_per_cell": 1, "starts": 1} if quick else {
        "scan": [1.02, 12.0], "scan_points": 8, "holes_per_cell": 2, "starts": 2}
    return {"kind": "crystal", "density": {"electrons_per_hole": 2}, "crystal": search}


def energies(structures: list[str], a_over_d: list[float]) -> dict[str, Any]:
    """Energies of named structures against a/d, each relaxed within its symmetry."""
    return {"kind": "crystal", "density": {"electrons_per_hole": 2}, "crystal": {"structure": structures[0]},
            "sweep": {"crystal.structure": structures, "density.a_over_d": a_over_d}}


def spaced(low: float, high: float, count: int, *more: float) -> list[float]:
    """Values in equal ratios with some more in between, ascending."""
    return sorted({*(round(float(x), DIGITS) for x in np.geomspace(low, high, count)), *more})


def phonons(structure: str, quick: bool) -> dict[str, Any]:
    """Gamma frequencies and melting lines of a structure along a/d, equal masses."""
    scan, points, inside = SCANS[structure]
    return {"kind": "phonons", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0},
            "density": {"a_over_d": inside, "electrons_per_hole": 2}, "crystal": {"structure": structure},
            "phonons": {"scan": list(scan), "scan_points": points[0 if quick else 1], **ZONE}}


def monolayer() -> dict[str, Any]:
    """Melting and energy of the triangular crystal of one layer."""
    return {"kind": "phonons", "bilayer": {"hole_mass": 1.0}, "density": {"rs_hole": 30.0, "electrons_per_hole": 0},
            "crystal": {"structure": "triangular"}, "phonons": dict(ZONE)}


def energy_of(result: Result, structure: str) -> tuple[np.ndarray, np.ndarray]:
    """a/d and the energy per hole (e^2/d) of a structure from a study of `energies`."""
    row = [str(s) for s in result.data["crystal.structure"].values].index(structure)
    return result.data["density.a_over_d"].values, result.data["energy_per_hole"].values[row]


def crossing(x: np.ndarray, difference: np.ndarray) -> float | None:
    """Where a smooth difference changes its sign, by the polynomial through up to six points around it."""
    signs = np.flatnonzero(np.sign(difference[:-1]) != np.sign(difference[1:]))
    if len(signs) == 0 or not np.all(np.isfinite(difference)):
        return None
    i = int(signs[0])
    first = min(max(i - 2, 0), max(len(x) - 6, 0))
    near = slice(first, first + 6)
    fit = np.polynomial.Polynomial.fit(x[near], difference[near], len(x[near]) - 1)
    roots = fit.roots()
    real = roots[np.abs(roots.imag) < 1e-9].real
    inside = real[(real >= x[i]) & (real <= x[i + 1])]
    return float(inside[0]) if len(inside) else None


def transition(result: CrystalScanResult, below: str, above: str) -> float | None:
    """a/d of the transition between two ground states, None if the study has none such."""
    return next((t.a_over_d for t in result.transitions if (t.below, t.above) == (below, above)), None)


def transition_row(below: str, above: str, a_over_d: float, ours: str) -> Row:
    """The row of a transition between ground states; the paper has one only, from checkerboard to honeycomb."""
    quantity = f"transition {below} to {above}, a/d"
    if above != "honeycomb":
        return Row(quantity, "", ours, NEW)
    same = below == "checkerboard" and PRINTED[0] <= a_over_d <= PRINTED[1]
    return Row(quantity, "5.42, from checkerboard", ours, AGREES if same else DIFFERS)
