"""Nashabeh and Fu, Fig. S3: T_c with crystallisation at r_s* = 31, mass ratios 10 and 1000."""

from __future__ import annotations

from ehbilayer.papers.densities import SUPPLEMENT
from ehbilayer.papers.nashabeh_fu import superconductivity as pairs
from ehbilayer.papers.nashabeh_fu.figure_4b import MAP as ORIGINAL
from ehbilayer.papers.record import Figure, Reproduction, Results, Row, Studies, judged, said

TEN, THOUSAND = "nashabeh-fu-tc-10-crystal-31", "nashabeh-fu-tc-1000-crystal-31"


def studies(quick: bool) -> Studies:
    """Both maps, and that of Fig. 4b to compare with."""
    return {TEN: pairs.map_study(quick, 10, pairs.MONTE_CARLO),
            THOUSAND: pairs.map_study(quick, 1000, pairs.MONTE_CARLO), ORIGINAL: pairs.map_study(quick)}


def draw(results: Results) -> Figure:
    """T_c in K."""
    return pairs.temperature_page("rₛ* = 31 (Nashabeh and Fu, Fig. S3)",
                                  [("mₕ/mₑ = 10", results[TEN]), ("mₕ/mₑ = 1000, hydrogen-like", results[THOUSAND])])


def rows(results: Results) -> list[Row]:
    """The two printed maxima, and what the text says of the left map."""
    ten, thousand, original = (results[name] for name in (TEN, THOUSAND, ORIGINAL))
    wide = ten.share_superconducting, original.share_superconducting
    return [judged("highest T_c (K), ratio 1000, m_e = m0, dielectric 1", "16 (first version 15)",
                   pairs.highest(thousand), (14.5, 16.5), converged=pairs.other_reading(thousand)),
            judged("highest T_c (K), ratio 10, dielectric 5", "0.5 (first version)", pairs.highest(ten), (0.45, 0.55),
                   converged=pairs.other_reading(ten)),
            said("ratio 10: much lower temperatures than with r_s* = 2",
                 pairs.highest(ten) < 0.1 * pairs.highest(original),
                 f"{pairs.highest(ten):.4g} against {pairs.highest(original):.4g} K"),
            said("ratio 10: superconducting in a much broader region of r_s",
                 wide[0] * ten.rs_star > 2 * wide[1] * original.rs_star,
                 f"shares of the maps {wide[0]:.2f} of r_s < 31, {wide[1]:.2f} of r_s < 2"),
            *pairs.statements(ten, "ratio 10"), *pairs.statements(thousand, "ratio 1000")]


def caption(results: Results) -> str:
    """What is drawn."""
    return ("T_c in K over r_s and d. Left: m_h = m0, m_h/m_e = 10, dielectric constant 5. Right: m_e = m0, m_h/m_e = "
            f"1000, dielectric constant 1. {pairs.FORMULA} {pairs.LINE_NOTE} Here r_s* = 31; x = r_s/r_s* in the "
            "table, which has the maxima by the other straight line too.")


FIGURE = Reproduction("nashabeh-fu:s3", "critical temperature with r_s* = 31", f"{SUPPLEMENT}, Fig. S3", studies, draw,
                      rows, caption)
