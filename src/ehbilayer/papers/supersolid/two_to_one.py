"""Two electrons per hole: where the electron-exciton supersolid of Dai and Fu is a state, and where the lowest."""

from __future__ import annotations

from typing import Any

import numpy as np

from ehbilayer.figures import SMALL, dress
from ehbilayer.papers.record import NEW, Figure, Reproduction, Results, Row, Studies, placed, titled

SOURCE = "computed here; proposed by Dai and Fu, PRL 132, 196202 (2024), abstract"
NAMES = ["liquid", "trion-crystal", "composite-crystal", "supersolid", "imbalanced-condensate"]
MASSES = {"equal": 1.0, "heavy": 2.0}  # of an electron over that of a hole
RS, SPACINGS = [4.0, 8.0, 16.0], [1.0, 2.0, 4.0]
DEVICE = "supersolid-device"
COLOURS = dict(zip(NAMES, ("#999999", "#D55E00", "#E69F00", "#CC79A7", "#0072B2"), strict=True))


def studies(quick: bool) -> Studies:
    """A competition at every density and spacing for both mass ratios, and the device at 1 nm."""
    rs, spacings = ([8.0], [1.0, 4.0]) if quick else (RS, SPACINGS)
    masses = ["heavy"] if quick else list(MASSES)
    found = {stem(m, r, d): point(MASSES[m], r, d, 4 if quick else 16, 3 if quick else 8)
             for m in masses for r in rs for d in spacings}
    device: dict[str, Any] = {
        "kind": "hartree-fock", "bilayer": {"material": "WSe2/MoSe2", "spacing": "1 nm"},
        "density": {"hole": "1.29e12 cm^-2", "electrons_per_hole": 2},
        "cell": {"holes": 4 if quick else 16, "hexagon": 3 if quick else 8, "zero_mode": "madelung",
                 "symmetry": "crystal"},
        "hartree-fock": {"pairing": True, "start": "supersolid", "tolerance": 1e-7}}
    return found | {DEVICE: device}


def stem(masses: str, rs: float, spacing: float) -> str:
    """The name of a study."""
    return f"supersolid-{masses}-{rs:g}-{spacing:g}"


def point(mass: float, rs: float, spacing: float, holes: int, hexagon: int) -> dict[str, Any]:
    """Tables of one competition."""
    return {"kind": "phases", "bilayer": {"electron_mass": mass, "hole_mass": 1.0, "spacing": spacing},
            "density": {"rs_hole": rs, "electrons_per_hole": 2},
            "cell": {"holes": holes, "hexagon": hexagon, "zero_mode": "madelung"},
            "hartree-fock": {"electron_spin": "restricted", "tolerance": 1e-6, "stability": "none"},
            "phases": {"candidates": NAMES}}


def points(results: Results) -> dict[tuple[str, float, float], Any]:
    """The competitions by masses, r_s and spacing."""
    return {(masses, float(rs), float(d)): result for name, result in results.items() if name != DEVICE
            for _, masses, rs, d in [name.split("-")]}


def draw(results: Results) -> Figure:
    """Heights above the lowest state against the spacing, a panel for each density and mass ratio."""
    found = points(results)
    masses = list(dict.fromkeys(m for m, _, _ in found))
    densities = sorted({rs for _, rs, _ in found})
    page = titled(1.3 + 2.6 * len(densities) + 1.5, 0.9 + 2.2 * len(masses), "two electrons per hole, mean field")
    handles: dict[str, Any] = {}
    for row, m in enumerate(masses):
        for column, rs in enumerate(densities):
            ax = placed(page, 0.9 + 2.6 * column, 0.55 + 2.2 * (len(masses) - 1 - row), 2.2, 1.75)
            for name in NAMES:
                line = [(d, 1e3 * (r.energy - result.lowest_energy)) for (a, b, d), result in found.items()
                        for r in result.candidates if (a, b) == (m, rs) and r.name == name == r.phase]
                if line:
                    x, y = zip(*sorted(line), strict=True)
                    handles[name], = ax.plot(x, y, "o-", markersize=3.5, linewidth=1.2, color=COLOURS.get(name),
                                             label=name)
            label = "mₑ = mₕ" if MASSES[m] == 1 else f"mₑ = {MASSES[m]:g} mₕ"
            bottom = "d (aₕ)" if row + 1 == len(masses) else ""
            dress(ax, f"r_s = {rs:g}, {label}", bottom, "" if column else "above the lowest (mHaₕ)")
    page.legend(handles=list(handles.values()), fontsize=SMALL, frameon=False, loc="center right")
    return page


def rows(results: Results) -> list[Row]:
    """Winner and height of the supersolid at each point, its two orders; the device in kelvin."""
    found = []
    for (masses, rs, d), result in points(results).items():
        head = f"m_e/m_h = {MASSES[masses]:g}, r_s = {rs:g}, d = {d:g}"
        text = ("" if result.resolved else "NOT RESOLVED: ") + result.winner
        if result.margin is not None:
            text += f", {1e3 * result.margin:.2f} mHa_h below {result.runner_up}"
        found.append(Row(f"{head}: lowest", "", text, NEW))
        row = result.candidate("supersolid")
        orders = f"condensate {row.pair_amplitude:.3f}, Bragg {' '.join(f'{w:.3f}' for w in row.bragg_weight.values())}"
        found.append(Row(f"{head}: supersolid", "", f"{row.phase}, {1e3 * (row.energy - result.lowest_energy):.2f} "
                         f"mHa_h above the lowest, {orders}", NEW))
    device = results[DEVICE]
    bkt = np.nan if device.bkt is None else device.bkt.to("K")
    found.append(Row("WSe2/MoSe2, 1 nm, 1.29e12 cm^-2: T_BKT of mean field, an upper bound", "", f"{float(bkt):.2f} K",
                     NEW, f"condensate {device.condensate_fraction:.3f}, {device.phase}"))
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    holes = next(iter(points(results).values())).particles["hole"]
    return (f"Hartree-Fock energies per hole above the lowest state against the spacing, {holes} holes, twice as many "
            "electrons in two flavours, madelung, given spins: trions restricted, one flavour of the electrons pairs "
            "in the supersolid and the imbalanced condensate. Candidates that ended as another phase are left out. "
            "Mean field holds the correlation of an exciton, but none of a trion: it cannot decide between them.")


FIGURE = Reproduction("supersolid:2-1", "two electrons per hole: supersolid, crystals, condensate by mean field",
                      SOURCE, studies, draw, rows, caption)
