"""Nashabeh and Fu, Fig. 2: phases over mass ratio and density at three spacings, with and without the condensate."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer import Status, SweepResult
from ehbilayer.figures import NORMAL, SMALL, axis_line, fields, phase_map, slice_at
from ehbilayer.papers.record import (
    AGREES,
    DIFFERS,
    MISSING,
    Figure,
    Reproduction,
    Results,
    Row,
    Studies,
    judged,
    placed,
    said,
    titled,
)

STUDY = "nashabeh-fu-phases"
SPACING, MASS, DENSITY = "bilayer.spacing", "bilayer.electron_mass", "density.hole_over_critical"
SPACINGS = [1.0, 3.0, 10.0]  # a_h, those of the paper
MASSES = [1.0, 0.6667, 0.5, 0.3333, 0.25, 0.2, 0.16667, 0.125]  # m0, for holes of 1 m0: ratios 1 to 8
DENSITIES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3]
CONDENSATE, EL_HC, EC_HL, CRYSTAL, LIQUID = "condensate", "hole-crystal", "electron-crystal", "crystal", "liquid"
ABOUT_TWO = (1.5, 2.5)  # what rounds to 2
FEWER = {"phases": {"candidates": [LIQUID, EL_HC, CRYSTAL, CONDENSATE]}}  # the other takes longest and wins rarely
LEFT, BELOW, WIDE, HIGH, GAP, SIDE, TOP = 0.8, 0.55, 3.6, 2.1, 0.35, 1.5, 0.75  # inches


def studies(quick: bool) -> Studies:
    """One map: all candidates (quick: but one) at three spacings, the paper's convention and number of holes."""
    axes: dict[str, Any] = {SPACING: SPACINGS, MASS: [1.0, 0.125] if quick else MASSES,
                            DENSITY: [0.1, 0.7, 1.3] if quick else DENSITIES}
    return {STUDY: map_study(axes, quick) | (FEWER if quick else {})}


def map_study(axes: dict[str, Any], quick: bool, *, holes: int = 36, hexagon: int = 7,
              zero_mode: str = "none") -> dict[str, Any]:
    """Tables of a phase diagram over ``axes``: as many electrons as holes, densities in units of n_h*."""
    return {
        "kind": "phase-diagram",
        "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "dielectric": 5.0, "spacing": "1 a_h"},
        "density": {"hole_over_critical": 1.0, "critical_rs": "computed", "electrons_per_hole": 1},
        "cell": {"shape": "triangular", "holes": holes, "hexagon": hexagon, "zero_mode": zero_mode},
        "hartree-fock": {"electron_spin": "restricted", "tolerance": 1e-5 if quick else 1e-6, "stability": "none"},
        "sweep": axes}


def without_condensate(result: SweepResult) -> SweepResult:
    """The map as Hartree-Fock alone gives it: winners and margins of the saved energies without the condensate's.

    Candidates that ended as one phase stand for it together. Points are not called unresolved: basis errors are known
    of the two phases that are lowest of all.
    """
    part = result.only([name for name in result.candidates if name != CONDENSATE])
    status, energy, phase = (np.moveaxis(part.data[n].values, -1, 0) for n in ("statuses", "energies", "ended_as"))
    energy = np.where(status == Status.converged.value, energy, np.inf)
    lowest = energy.argmin(axis=0)[None]
    winner = np.take_along_axis(phase, lowest, 0)[0]
    first = np.take_along_axis(energy, lowest, 0)[0]
    second = np.where(phase == winner, np.inf, energy).min(axis=0)
    known = np.isfinite(first)
    # where all candidates end as one phase nothing competes with it: its margin is the largest there is
    margin = np.where(np.isfinite(second), second - np.where(known, first, 0.0), np.nan)
    margin = np.where(np.isfinite(margin), margin, np.nanmax(margin, initial=0.0))
    margin = np.where(known, margin, np.nan)
    kept = {k: v for k, v in part.data.items() if k != "unresolved"}
    return replace(part, data=kept | {"winner": replace(kept["winner"], values=np.where(known, winner, "")),
                                      "margin": replace(kept["margin"], values=margin)})


def draw(results: Results) -> Figure:
    """A row for each spacing: all phases on the left, Hartree-Fock alone on the right."""
    result = results[STUDY]
    both = (result, without_condensate(result))
    spacings = result.data[SPACING].values
    width, height = LEFT + 2 * WIDE + GAP + SIDE, BELOW + len(spacings) * (HIGH + GAP) + TOP - GAP
    page = titled(width, height, "phases of 36 + 36 particles (Nashabeh and Fu, Fig. 2)", 1 - 0.12 / height)
    handles: dict[str, Any] = {}
    for row, d in enumerate(spacings):
        for column, whole in enumerate(both):
            low = BELOW + (len(spacings) - 1 - row) * (HIGH + GAP)
            ax = placed(page, LEFT + column * (WIDE + GAP), low, WIDE, HIGH)
            part = slice_at(whole, SPACING, row)
            lines = [axis_line(part, MASS), axis_line(part, DENSITY)]
            handles |= {str(h.get_label()): h for h in phase_map(ax, part, lines, "winner")}
            ax.set_title("" if row else ("Hartree-Fock and condensate", "Hartree-Fock only")[column], fontsize=NORMAL)
            ax.set_xlabel(lines[0].label if row + 1 == len(spacings) else "")
            ax.set_ylabel("" if column else "n / nₕ*")
            ax.tick_params(labelleft=not column, labelbottom=row + 1 == len(spacings))
            ax.text(0.97, 0.95, f"d = {d:g} aₕ", transform=ax.transAxes, ha="right", va="top", fontsize=NORMAL,
                    bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2})
    ordered = sorted(handles.values(), key=lambda h: not hasattr(h, "get_facecolor"))
    page.legend(handles=ordered, fontsize=SMALL, frameon=False, loc="upper left",
                bbox_to_anchor=(1 - (SIDE - 0.05) / width, 1 - TOP / height))
    return page


def ratios(result: SweepResult) -> np.ndarray:
    """Mass ratios m_h/m_e of the columns."""
    return axis_line(result, MASS).positions


def winners(result: SweepResult) -> np.ndarray:
    """The winner of every point that is converged; what another point was left with proves nothing."""
    return np.where(result.data["status"].values == Status.converged.value, result.data["winner"].values, "")


@dataclass(frozen=True)
class Change:
    """Where one phase gives way to another as the density grows.

    Parameters
    ----------
    below, above : the phases of lower and of higher density.
    over_critical : n/n_h* there.   rs : r_s of the holes there, in a_h.
    steps : the neighbouring points between which it was found, as n/n_h*.
    """

    below: str
    above: str
    over_critical: float
    rs: float
    steps: tuple[float, float]


def changes(result: SweepResult, spacing: int, mass: int) -> list[Change]:
    """The boundaries along the density at the numbered spacing and electron mass, by rising density.

    Between neighbouring points with different winners: where their energies cross, by the polynomial through up to
    four points around; half-way in the density where one of the phases does not exist at one end. Nothing is said of
    points that are not converged.
    """
    column = slice_at(slice_at(result, SPACING, spacing), MASS, mass)
    here = fields(column, [axis_line(column, DENSITY)])
    density, critical = column.data[DENSITY].values.astype(float), column.data["critical_rs"].values.astype(float)
    root = np.sqrt(density)  # as 1/r_s: kinetic and Coulomb energies over it are linear in it
    none = np.full(len(density), np.inf)
    found = []
    for a in range(len(density) - 1):
        below, above = str(here.winner[a]), str(here.winner[a + 1])
        if not (here.known[a] and here.known[a + 1]) or below == above:
            continue
        first, second = here.energies.get(below, none), here.energies.get(above, none)
        both = here.known & np.isfinite(first) & np.isfinite(second)
        lead = np.subtract(first, second, out=none.copy(), where=both)
        at = _crossing(root, lead / root, a)
        over = at**2 if at is not None else (density[a] + density[a + 1]) / 2
        found.append(Change(below, above, float(over), float(critical[a] / math.sqrt(over)),
                            (float(density[a]), float(density[a + 1]))))
    return found


def _crossing(x: np.ndarray, difference: np.ndarray, a: int) -> float | None:
    """Where a difference that is negative at a and positive at a + 1 vanishes; up to two more points around help.

    None where it is not known at both, or where the signs say otherwise.
    """
    from scipy.optimize import brentq

    if not (difference[a] <= 0 <= difference[a + 1] and np.isfinite(difference[[a, a + 1]]).all()):
        return None
    near = [a, a + 1]
    for i in sorted((i for i in (a - 2, a - 1, a + 2, a + 3) if 0 <= i < len(x)), key=lambda i: abs(i - a - 0.5)):
        # beyond a further change of sign another pair of states is compared
        if len(near) < 4 and np.isfinite(difference[i]) and (difference[i] < 0) == (i < a):
            near.append(i)
    fit = np.polynomial.Polynomial.fit(x[near], difference[near], len(near) - 1)
    # the fit passes through both ends to rounding only, so an end may be the crossing itself
    return float(brentq(fit, x[a], x[a + 1])) if fit(x[a]) < 0 < fit(x[a + 1]) else None


def first_ratio(result: SweepResult, spacing: int, phase: str) -> float | None:
    """The smallest m_h/m_e at which a phase wins at any density; None if it never does."""
    found = (winners(result)[spacing] == phase).any(axis=1)
    return float(ratios(result)[found].min()) if found.any() else None


def highest_density(result: SweepResult, spacing: int, ratio: float, phase: str) -> float:
    """The highest n/n_h* at which a phase wins at the mass ratio nearest to ``ratio``; 0 if it never does."""
    row = int(np.argmin(np.abs(ratios(result) - ratio)))
    found = winners(result)[spacing, row] == phase
    return float(result.data[DENSITY].values[found].max()) if found.any() else 0.0


def rows(results: Results) -> list[Row]:
    """What the paper's text says of the figure, beside ours."""
    result = results[STUDY]
    winner, alone = winners(result), winners(without_condensate(result))
    found = [judged("r_s of the critical density n_h*", "around 2 (text), 3.5 (notebook)",
                    float(result.data["critical_rs"].values.flat[0]), (1.5, 2.5))]
    for i, d in enumerate(result.data[SPACING].values):
        found.append(_onset(result, i, f"d = {d:g}: electron liquid on a hole crystal from m_h/m_e"))
    equal = set(winner[0, 0].tolist()) - {""}
    found.append(said("d = 1, equal masses: no crystal", EL_HC not in equal and CRYSTAL not in equal,
                       ", ".join(sorted(equal))))
    far = set(winner[-1, 0].tolist()) - {""}
    found.append(said("d = 10, equal masses: a crystal", CRYSTAL in far, ", ".join(sorted(far))))
    tops = [highest_density(result, i, 3.0, CONDENSATE) for i in range(winner.shape[0])]
    found.append(said("m_h/m_e = 3: condensate to higher n/n_h* as d falls",
                       tops[0] > tops[1] > tops[2], ", ".join(f"{t:g}" for t in tops)))
    found.append(said("d = 1, equal masses: condensate to liquid within the figure", LIQUID in equal,
                       ", ".join(sorted(equal))))
    statement = "Hartree-Fock only: hole liquid on an electron crystal occurs"
    if EC_HL not in result.candidates:
        return [*found, Row(statement, "yes", "", MISSING)]
    crossed = [f"d = {d:g}" for i, d in enumerate(result.data[SPACING].values) if (alone[i] == EC_HL).any()]
    return [*found, said(statement, bool(crossed), ", ".join(crossed) or "nowhere")]


def _onset(result: SweepResult, spacing: int, quantity: str) -> Row:
    """From which mass ratio on the holes crystallise first; known to lie between two neighbours of the map."""
    at = first_ratio(result, spacing, EL_HC)
    if at is None:
        return Row(quantity, "about 2", "", MISSING)
    below = float(max((r for r in ratios(result) if r < at), default=0.0))
    same = at >= ABOUT_TWO[0] and below < ABOUT_TWO[1]
    return Row(quantity, "about 2", f"above {below:.3g}, at most {at:.3g}", AGREES if same else DIFFERS)


def caption(results: Results) -> str:
    """What is drawn."""
    result, data = results[STUDY], results[STUDY].data
    left_out = "" if EC_HL in result.candidates else "The electron crystal is no candidate here. "
    rs = float(data["critical_rs"].values.flat[0])
    rs_e = float(data["critical_rs_electron"].values.flat[0])
    return ("Phase of least energy per hole at equal density, particles, box, waves and convention: 36 polarised "
            "holes of mass m0 and 36 electrons (18 + 18, restricted where liquid), triangular torus, zero mode none. "
            f"n_h* and n_e* are computed on the same torus: r_s* = {rs:.3f} for polarised holes, {rs_e:.3f} for "
            "spin-degenerate electrons (in electron units; dashed line). Paler colours mean smaller margins, rings "
            "that a margin lies within the numerical error. Left: all candidates. The condensate's electrons are "
            "polarised, those of the liquid are not; near equal masses and far apart it therefore wins by spin as "
            "much as by pairing. Right: the same energies without the condensate's. "
            f"{left_out}"
            f"{result.done} of {result.points} points, {result.unresolved} unresolved. Which axis is which in the "
            "published figure cannot be told from its text.")


FIGURE = Reproduction("nashabeh-fu:2", "phases over mass ratio and density, with and without the condensate",
                      "Nashabeh and Fu (2026, second version), Fig. 2", studies, draw, rows, caption)
