"""m_h/m_e = 10 and 4: does an electron liquid on a hole crystal survive correlation?"""

from __future__ import annotations

from typing import Any

from ehbilayer.papers.correlation.points import HOLES, by_rs, figure


def bilayer(ratio: float, spacing: float) -> dict[str, Any]:
    """Masses with m_h/m_e = ``ratio``, and the spacing in a_h."""
    return {"electron_mass": 1.0 / ratio, "hole_mass": 1.0, "spacing": spacing}


STEM = "correlation-mass-ratio"
POINTS = (  # r_s -> target in Ha_h
    *by_rs(STEM, bilayer(10.0, 1), "hole-crystal", {10.0: 5e-4, 20.0: 3e-4, 30.0: 2e-4}, "ratio 10, d = 1 a_h"),
    *by_rs(f"{STEM}-10-3", bilayer(10.0, 3), "hole-crystal", {10.0: 4e-4, 20.0: 3e-4}, "ratio 10, d = 3 a_h"),
    *by_rs(f"{STEM}-4-1", bilayer(4.0, 1), "hole-crystal", {10.0: 4e-4, 20.0: 3e-4}, "ratio 4, d = 1 a_h"),
    # closed shells of two flavours are even, sites of a triangular torus are not: 16 of both at twists
    *by_rs(f"{STEM}-10-1-spins", bilayer(10.0, 1), "hole-crystal", {20.0: 4e-4}, "ratio 10, d = 1 a_h, both spins",
           holes=16, twists=2, candidates=("liquid", "hole-crystal"), spins={"electron_spin": "restricted"}))

FIGURE = figure("mass-ratio", "liquid, hole crystal and pairs at mass ratios 10 and 4", "light electrons, heavy holes",
                f"{HOLES} polarised electrons and {HOLES} holes; 16 of both at two twists where electrons have both "
                "spins. Not varied: nodes.", POINTS)
