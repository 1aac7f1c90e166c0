"""Nashabeh and Fu, Fig. 4b: T_c over density and spacing at m_h/m_e = 10, and the point whose numbers are printed."""

from __future__ import annotations

from functools import partial

import numpy as np

from ehbilayer.figures import temperature_map
from ehbilayer.papers.densities import SOURCE
from ehbilayer.papers.nashabeh_fu import superconductivity as pairs
from ehbilayer.papers.record import NEW, Axes, Figure, Reproduction, Results, Row, Studies, judged

MAP, POINT = "nashabeh-fu-tc-4b", "nashabeh-fu-tc-point"
RS, ALPHA = 1.6, 0.3


def studies(quick: bool) -> Studies:
    """The map on the paper's line, that of computed alpha^2 (not quick), and the printed point."""
    point = {"kind": "pairing", "bilayer": pairs.DEVICES[10] | {"spacing": "1 a_e"}, "density": {"rs_electron": RS},
             "pairing": {"alpha": ALPHA, "method": "bcs"} | ({"curve_points": 4} if quick else {})}
    return {MAP: pairs.map_study(quick)} | pairs.limit_map(quick) | {POINT: point}


def draw(results: Results) -> Figure:
    """T_c in T_H^e, beside it that of computed alpha^2."""
    def panel(name: str, ax: Axes) -> None:
        temperature_map(pairs.in_hartree(results[name]), ax)
        if name == MAP:
            pairs.mark(ax, RS, 1.0, "10 K")

    texts = {MAP: "the paper's line", pairs.LIMIT: "α² computed"}
    return pairs.maps_page("T_c at mₕ/mₑ = 10 (Nashabeh and Fu, Fig. 4b)",
                           [(text, partial(panel, name)) for name, text in texts.items() if name in results])


def rows(results: Results) -> list[Row]:
    """Printed numbers of one point, statements on the map, and what better methods and alpha^2 give."""
    s = results[POINT]
    where = f"r_s = {RS}, d = a_e, alpha = {ALPHA}"
    found = [judged(f"T_H of the electrons (K), {where}", "1.26e3", s.hartree_temperature, (1255, 1265)),
             judged(f"T_D (K), {where}", "94", s.debye_temperature, (93.5, 94.5)),
             judged(f"T_c (K), {where}", "10", s.critical_temperature, (9.5, 10.5),
                    converged=f"{s.by_method['eliashberg']:.4g}, Eliashberg")]
    for method in ("mcmillan", "allen-dynes", "eliashberg"):
        found.append(Row(f"T_c (K) there, {method}", "", f"{s.by_method[method]:.4g}", NEW))
    lines = pairs.by_reading(results[POINT], np.array([RS]), 1.0)
    found.append(Row("T_c (K) there, alpha^2 by lines in x = r_s/r_s*", "",
                     ", ".join(f"{float(t[0]):.3g} ({name})" for name, t in lines.items()), NEW))
    found += pairs.statements(results[MAP], limit=results.get(pairs.LIMIT))
    if pairs.LIMIT in results:
        found.append(Row("highest T_c, alpha^2 computed", "", pairs.where_highest(results[pairs.LIMIT]), NEW))
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    more = (" Right: alpha^2 as Hartree-Fock gives it for infinitely many holes; it is negative (hatched) at low "
            "density, where no acoustic plasmon is left at this level." if pairs.LIMIT in results else "")
    return ("T_c in units of the electrons' Hartree temperature over r_s and d, m_h/m_e = 10, m_h = m0, dielectric "
            f"constant 5. {pairs.FORMULA} {pairs.LINE_NOTE} r_s* = 2. The x marks the highest T_c, the + the point "
            f"whose numbers the paper prints, for which alpha = 0.3 is given.{more}")


FIGURE = Reproduction("nashabeh-fu:4b", "critical temperature over density and spacing", f"{SOURCE}, Fig. 4b", studies,
                      draw, rows, caption)
