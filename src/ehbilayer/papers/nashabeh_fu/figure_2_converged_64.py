"""The same map with 64 holes, coarse, at the densities of 36: which verdicts stay when the torus grows?"""

from __future__ import annotations

from typing import Any

from ehbilayer.papers.nashabeh_fu import figure_2 as f2
from ehbilayer.papers.nashabeh_fu import figure_2_converged as smaller
from ehbilayer.papers.record import Reproduction, Studies

HOLES = 64
STUDY = f"{smaller.STUDY}-{HOLES}"
RS = 3.833  # r_s* of 36 holes, so that equal n/n_h* are equal densities
AXES: dict[str, Any] = {f2.SPACING: f2.SPACINGS, f2.MASS: [1.0, 0.5, 0.25, 0.125],
                        f2.DENSITY: [0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3]}
QUICK: dict[str, Any] = {f2.SPACING: [1.0], f2.MASS: [1.0, 0.25], f2.DENSITY: [0.3, 0.7]}


def studies(quick: bool) -> Studies:
    """A quarter of the points of the map of 36 holes; quick: four of them."""
    tables = smaller.map_study(QUICK if quick else AXES, quick, HOLES)
    tables["density"]["critical_rs"] = RS
    return {STUDY: tables}


FIGURE = Reproduction("nashabeh-fu:2-converged-64", "the same with 64 holes, coarse: which verdicts stay",
                      "Nashabeh and Fu (2026, second version), Fig. 2, beyond the published setting", studies,
                      smaller.draw, smaller.rows, smaller.caption)
