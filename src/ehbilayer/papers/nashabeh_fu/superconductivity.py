"""Studies behind Nashabeh and Fu's figures of superconductivity, pages of maps, and numbers read from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ehbilayer import PairingMapResult, PairingResult, Result, bcs_temperature
from ehbilayer.figures import COLOURS, EMPTY, INK, NORMAL, OTHERS, SMALL, WARNING, dress, temperature_map
from ehbilayer.papers.record import Axes, Figure, Results, Row, Studies, placed, said, titled

FIRST_VERSION = "Nashabeh and Fu (2026, first version)"
# m_h/m_e -> the bilayer: electrons of 0.1 m0 where the paper holds m_h = m0 at ratio 10, and its "solid hydrogen"
DEVICES: dict[int, dict[str, Any]] = {
    10: {"material": "mass-ratio-10"}, 100: {"electron_mass": 0.1, "hole_mass": 10.0, "dielectric": 5.0},
    1000: {"electron_mass": 1.0, "hole_mass": 1000.0, "dielectric": 1.0}}
READINGS = {"1.2 - 1.39 x": (1.2, 1.39), "1 - x": (1.0, 1.0)}  # alpha^2 by Fig. 4a; x = r_s/r_s*
HARTREE_FOCK, MONTE_CARLO = 2.0, 31.0  # r_s* at which the holes crystallise
POINTS, QUICK_POINTS = 200, 40
ZERO = 1e-12  # T_c/T_H^e that counts as none
LINES, SMALL_TORUS = "nashabeh-fu-alpha-36", "nashabeh-fu-alpha-16"
LIMIT = "nashabeh-fu-tc-4b-limit"
SPACING, DENSITY = "bilayer.spacing", "density.rs_electron"
SPACINGS = ["1 a_h", "3 a_h", "10 a_h"]  # those of the paper's phase diagrams
DENSITIES = [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8]
ACROSS, SIDE, LEFT, BELOW, HEAD = 5.1, 3.75, 0.75, 0.55, 0.75  # inches
LINE_NOTE = ("alpha^2 = 1.2 - 1.39 r_s/r_s* is our reading of the paper's Fig. 4a, not a printed formula; axes are "
             "our choice where the text does not give them.")
FORMULA = "k_B T_c = 1.13 k_B T_D exp(1/g0V), the printed formula, Umklapp by Debye's cut-off."


def map_study(quick: bool, ratio: int = 10, rs_star: float = HARTREE_FOCK, *, capacitor: bool = False,
              alpha_source: str = "paper-line", alpha: float | None = None) -> dict[str, Any]:
    """Tables of a map of T_c up to r_s* at m_h/m_e = ``ratio``; alpha^2 on the paper's line, computed, or given."""
    given: dict[str, Any] = {"alpha_source": alpha_source} if alpha is None else {"alpha": alpha}
    return {"kind": "pairing", "bilayer": DEVICES[ratio] | {"capacitor": capacitor},
            "pairing": given | {"method": "bcs", "rs_star": rs_star,
                                "map_rs": [0.05 * rs_star, rs_star], "map_spacing": [0, "2 a_e"],
                                "map_points": QUICK_POINTS if quick else POINTS}}


def line(rs: np.ndarray, rs_star: float = HARTREE_FOCK, reading: tuple[float, float] = READINGS["1.2 - 1.39 x"],
         ) -> np.ndarray:
    """alpha^2 on a straight line in r_s/r_s*, by default the one that the library's ``paper-line`` is."""
    return reading[0] - reading[1] * rs / rs_star


def limit_map(quick: bool) -> Studies:
    """The map of Fig. 4b with alpha^2 computed for infinitely many holes (not quick)."""
    return {} if quick else {LIMIT: map_study(quick, alpha_source="limit")}


def alpha_lines(quick: bool) -> Studies:
    """alpha^2 of the symmetric state at m_h/m_e = 10 on tori without zero mode: 36 holes (not quick) and 16."""
    def one(holes: int, spacings: list[str]) -> dict[str, Any]:
        return {"kind": "compressibility", "bilayer": DEVICES[10] | {"spacing": SPACINGS[0]},
                "density": {"rs_electron": 1.0, "electrons_per_hole": 1},
                "cell": {"shape": "triangular", "holes": holes, "zero_mode": "none"},
                "sweep": {DENSITY: [0.4, 1.0, 1.6] if quick else DENSITIES, SPACING: spacings}}

    small = {SMALL_TORUS: one(16, SPACINGS[:1])}
    return small if quick else {LINES: one(36, SPACINGS)} | small


def straight(result: Result, name: str = "without_capacitor") -> tuple[float, float, float]:
    """(value at r_s = 0, slope, largest deviation) of the straight line through alpha^2 at all spacings."""
    rs = result.data[DENSITY].values.astype(float)
    values = result.data[name].values.astype(float).reshape(len(rs), -1)
    x = np.repeat(rs[:, None], values.shape[1], axis=1)
    known = np.isfinite(values)
    slope, zero = np.polyfit(x[known], values[known], 1)
    return float(zero), float(slope), float(np.abs(values - zero - slope * x)[known].max())


def draw_lines(results: Results, ax: Axes, name: str, title: str) -> None:
    """alpha^2 against r_s for every torus and spacing there is."""
    shades = (COLOURS["electron"], COLOURS["hole"], OTHERS[2])
    for key, marker, style in ((LINES, "s", "-"), (SMALL_TORUS, "x", "--")):
        if key not in results:
            continue
        data = results[key].data
        for i, d in enumerate(data[SPACING].values):
            colour = shades[i % len(shades)] if key == LINES else INK
            ax.plot(data[DENSITY].values, data[name].values[:, i], marker=marker, linestyle=style, color=colour,
                    markersize=4 + 2.5 * i, fillstyle="none", linewidth=1.1,
                    label=f"{key.rsplit('-', 1)[1]} holes, d = {d:g} aₕ")
    ax.axhline(0.0, color=EMPTY, linewidth=0.8)
    ax.set_xlim(0.0, 2.0)
    dress(ax, title, "rₛ of the electrons", "α² = B / B₀")


def maps_page(title: str, panels: Sequence[tuple[str, Callable[[Axes], Any]]]) -> Figure:
    """Square panels in a row, each with a title of its own under that of the page."""
    width, height = ACROSS * len(panels), SIDE + BELOW + HEAD
    page = titled(width, height, title, 1 - 0.1 / height)
    for i, (text, draw) in enumerate(panels):
        ax = placed(page, ACROSS * i + LEFT, BELOW, SIDE, SIDE)
        draw(ax)
        ax.set_title(f"{text}: {ax.get_title()}" if text else ax.get_title(), fontsize=NORMAL, color=INK, pad=5)
    return page


def temperature_page(title: str, panels: Sequence[tuple[str, PairingMapResult]]) -> Figure:
    """Maps of T_c in a row."""

    return maps_page(title, [(text, partial(temperature_map, result)) for text, result in panels])


def in_hartree(result: PairingMapResult) -> PairingMapResult:
    """The map with T_c in units of the electrons' Hartree temperature, as in the paper."""
    t_c = result.data["critical_temperature"]
    scaled = replace(t_c, values=reduced(result), units="T_H^e")
    return replace(result, data=result.data | {"critical_temperature": scaled})


def reduced(result: PairingMapResult) -> np.ndarray:
    """T_c/T_H^e of a map, (spacings, rs)."""
    values, hartree = result.data["critical_temperature"].values, result.hartree_temperature
    return values / hartree if hartree and result.data["critical_temperature"].units == "K" else values


def highest(result: PairingMapResult) -> float:
    """The highest T_c of a map in K; 0 if nothing pairs."""
    return float((result.highest and result.highest.critical_temperature) or 0.0)


def by_reading(result: PairingMapResult | PairingResult, rs: np.ndarray, spacing: float) -> dict[str, np.ndarray]:
    """T_c (K) by the printed formula at some r_s and one d/a_e, for each line in x = r_s/r_s* read from Fig. 4a."""
    heavy = result.hole_over_electron_mass
    kelvin = (result.hartree_temperature or np.nan) * heavy  # Ha_h over k_B
    return {name: kelvin * bcs_temperature(rs, spacing * heavy, line(rs, result.rs_star, reading), 1 / heavy)
            for name, reading in READINGS.items()}


def other_reading(result: PairingMapResult) -> str:
    """The highest T_c of a map at d = 0 with the straight line that it was not made with."""
    name, found = list(by_reading(result, result.data["rs"].values, 0.0).items())[1]
    return f"{found.max():.3g} with alpha^2 = {name}"


def where_highest(result: PairingMapResult) -> str:
    """The highest T_c and where it is, as text."""
    found = result.highest
    if found is None:
        return "no superconductivity"
    return (f"{found.critical_temperature:.4g} K = {found.tc_over_hartree:.4g} T_H at r_s {found.rs_electron:.3g}, d "
            f"{found.spacing_over_a_e:.3g} a_e")


def statements(result: PairingMapResult, what: str = "", limit: PairingMapResult | None = None) -> list[Row]:
    """What the paper says of every map of T_c: where it is highest, and that the densest systems do not pair.

    ``limit`` is the same map with computed alpha^2.
    """
    best, spacing = (result.highest.rs_electron, result.highest.spacing_over_a_e) if result.highest else (np.nan,) * 2
    rs, t_c = result.data["rs"].values, reduced(result)
    inside = rs[0] < best < rs[-1]
    pairs = (t_c > ZERO).any(axis=0)
    dense = float(rs[np.argmax(pairs)]) if pairs.any() else float("inf")
    head = f"{what}: " if what else ""
    return [said(f"{head}highest T_c at d = 0", spacing == 0.0, where_highest(result),
                 "" if limit is None else f"{where_highest(limit)}, alpha^2 computed"),
            said(f"{head}highest T_c at intermediate density", bool(inside), f"r_s {best:.3g}"),
            said(f"{head}none at high density for any d", dense > rs[0] * 1.5, f"T_c > {ZERO:g} T_H from r_s "
                 f"{dense:.3g} on")]


def mark(ax: Axes, rs: float, spacing: float, text: str) -> None:
    """A point of the paper on a map."""
    ax.plot(rs, spacing, "+", color=WARNING, markersize=9, markeredgewidth=1.8)
    ax.annotate(text, (rs, spacing), (-28, 0), textcoords="offset points", fontsize=SMALL, color=INK, ha="right",
                va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})
