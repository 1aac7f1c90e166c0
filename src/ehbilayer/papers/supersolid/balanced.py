"""As many electrons as holes: do phases without pairs survive pairing, and does a crystal of excitons condense?"""

from __future__ import annotations

from typing import Any

from ehbilayer.figures import SMALL, dress
from ehbilayer.papers.record import NEW, Figure, Reproduction, Results, Row, Studies, placed, titled

SOURCE = "computed here; the phases are those of Nashabeh and Fu, Fig. 2"
STARTS = {"hole-crystal": "EL-HC", "electron-crystal": "EC-HL", "crystal": "crystal", "supersolid": "supersolid"}
# m_e/m_h, r_s of the holes, d in a_h
POINTS = [(0.125, 7.0, 1.0), (0.125, 7.0, 3.0), (0.125, 20.0, 10.0), (1.0, 8.0, 3.0), (1.0, 20.0, 10.0)]


def studies(quick: bool) -> Studies:
    """Each phase by itself, with pairing allowed, from a state without pairs (which stays so) or with."""
    holes, hexagon, points = (4, 3, POINTS[3:4]) if quick else (9, 6, POINTS)
    return {f"supersolid-balanced_{start}_{mass:g}_{rs:g}_{d:g}": study(start, mass, rs, d, holes, hexagon)
            for mass, rs, d in points for start in STARTS if mass < 1 or start != "electron-crystal"}


def study(start: str, mass: float, rs: float, spacing: float, holes: int, hexagon: int) -> dict[str, Any]:
    """Tables of one phase; electrons polarised, so that all of them may pair."""
    return {"kind": "hartree-fock", "bilayer": {"electron_mass": mass, "hole_mass": 1.0, "spacing": spacing},
            "density": {"rs_hole": rs, "electrons_per_hole": 1},
            "cell": {"holes": holes, "hexagon": hexagon, "zero_mode": "madelung", "symmetry": "crystal"},
            "hartree-fock": {"pairing": True, "start": start, "electron_spin": "polarized", "tolerance": 1e-7}}


def points(results: Results) -> dict[tuple[float, float, float], dict[str, Any]]:
    """Results by mass ratio, r_s and spacing, then by start."""
    found: dict[tuple[float, float, float], dict[str, Any]] = {}
    for name, result in results.items():
        _, start, mass, rs, d = name.split("_")
        found.setdefault((float(mass), float(rs), float(d)), {})[start] = result
    return found


def draw(results: Results) -> Figure:
    """The curvature towards pairing of the phases without pairs."""
    page = titled(6.2, 4.0, "curvature towards pairing")
    ax = placed(page, 1.0, 1.2, 4.9, 2.3)
    found = points(results)
    for start, label in STARTS.items():
        line = [(i, 1e3 * r.pairing_curvature) for i, of in enumerate(found.values()) for s, r in of.items()
                if s == start and r.pairing_curvature is not None]
        if line:
            x, y = zip(*line, strict=True)
            ax.plot(x, y, "o", label=label, markersize=5)
    ax.axhline(0, color="0.6", linewidth=0.8)
    ax.set_xticks(range(len(found)), [f"mₑ = {m:g}\nr_s = {rs:g}\nd = {d:g}" for m, rs, d in found])
    ax.set_xlim(-0.5, len(found) - 0.5)
    ax.legend(fontsize=SMALL, frameon=False)
    dress(ax, "", "", "curvature (mHaₕ)")
    return page


def rows(results: Results) -> list[Row]:
    """Which phases are saddles, and what the start with pairs ends as."""
    found = []
    for (mass, rs, d), of in points(results).items():
        for start, r in of.items():
            text = f"{r.phase}, {r.total_energy / r.particles['hole']:.5f} Ha_h per hole"
            text += f", {r.status}" if r.status.value != "converged" else ""
            if r.pairing_curvature is not None:
                word = "a saddle towards pairing" if r.pairing_curvature < 0 else "stable towards pairing"
                text += f", {word} ({1e3 * r.pairing_curvature:.2f} mHa_h)"
            elif r.condensate_fraction < 1e-6:
                text += ", curvature not known"
            else:
                text += f", condensate {r.condensate_fraction:.3f}, Bragg {max(r.bragg.values()):.4f}"
            found.append(Row(f"m_e/m_h = {mass:g}, r_s = {rs:g}, d = {d:g}: {STARTS[start]}", "", text, NEW))
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    return ("Lowest curvature of the energy towards pairing, E = E_0 + lambda sum|K|^2, of phases of as many polarised "
            "electrons as holes in mean field. Negative: a saddle, excitons would condense.")


FIGURE = Reproduction("supersolid:balanced", "which phases of a balanced bilayer are saddles towards pairing", SOURCE,
                      studies, draw, rows, caption)
