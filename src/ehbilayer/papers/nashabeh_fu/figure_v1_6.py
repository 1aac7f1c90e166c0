"""Nashabeh and Fu, first version, Fig. 6: T_c at mass ratios 100 and 1000."""

from __future__ import annotations

import math

from ehbilayer.papers.nashabeh_fu import figure_s3 as s3
from ehbilayer.papers.nashabeh_fu import superconductivity as pairs
from ehbilayer.papers.nashabeh_fu.figure_s3 import TEN, THOUSAND
from ehbilayer.papers.record import NEW, Figure, Reproduction, Results, Row, Studies, judged

HUNDRED = "nashabeh-fu-tc-100-crystal-31"


def studies(quick: bool) -> Studies:
    """The maps of ratios 100 and 1000, and that of ratio 10 to compare with."""
    shared = s3.studies(quick)
    return {HUNDRED: pairs.map_study(quick, 100, pairs.MONTE_CARLO)} | {name: shared[name] for name in (THOUSAND, TEN)}


def draw(results: Results) -> Figure:
    """T_c in K."""
    return pairs.temperature_page("larger mass ratios (Nashabeh and Fu, first version, Fig. 6)",
                                  [("mₕ/mₑ = 100", results[HUNDRED]),
                                   ("mₕ/mₑ = 1000, hydrogen-like", results[THOUSAND])])


def rows(results: Results) -> list[Row]:
    """The printed maximum, and the printed ratio of maxima."""
    hundred, ten = results[HUNDRED], results[TEN]
    ratio = pairs.highest(ten) / pairs.highest(hundred) if pairs.highest(hundred) else None
    return [judged("highest T_c, ratio 10 over ratio 100, same electrons", "sqrt(10) = 3.162", ratio,
                   (math.sqrt(10) - 5e-4, math.sqrt(10) + 5e-4)),
            judged("highest T_c (K), ratio 1000, m_e = m0, dielectric 1", "15", pairs.highest(results[THOUSAND]),
                   (14.5, 15.5), converged=pairs.other_reading(results[THOUSAND])),
            Row("highest T_c, ratio 100, m_e = 0.1 m0, dielectric 5", "", pairs.where_highest(hundred), NEW),
            *pairs.statements(hundred, "ratio 100")]


def caption(results: Results) -> str:
    """What is drawn."""
    return ("T_c in K over r_s and d, r_s* = 31. Left: m_h/m_e = 100 with the electrons of Fig. S3, left (m_e = 0.1 "
            f"m0, dielectric constant 5). Right: m_e = m0, m_h/m_e = 1000, dielectric constant 1. {pairs.FORMULA} "
            f"{pairs.LINE_NOTE} At given r_s, d/a_e and alpha the mass ratio enters via T_D only: the maps have one "
            "shape, and the ratio of the maxima is exact.")


FIGURE = Reproduction("nashabeh-fu:v1-6", "critical temperature at mass ratios 100 and 1000",
                      f"{pairs.FIRST_VERSION}, Fig. 6", studies, draw, rows, caption)
