"""Dai and Fu, Fig. S1: where 128 electrons and 64 holes end in a fixed box, and the crystal of classical trions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ehbilayer.figures import COLOURS, SMALL, draw_charges, dress
from ehbilayer.papers.dai_fu.classical_studies import energies, energy_of
from ehbilayer.papers.dai_fu.point_trions import rotation_curvature, unstable_modes
from ehbilayer.papers.dai_fu.trions import SUPPLEMENT
from ehbilayer.papers.densities import nearest
from ehbilayer.papers.record import Axes, Figure, Reproduction, Results, Row, Studies, said, titled

BOX, TRIONS, PERFECT = "dai-fu-s1", "dai-fu-s1-trions", "dai-fu-s1-perfect"
RATIO = 2.0  # a/d
ON_TOP = 0.4  # of d, half a trion's arm: an electron nearer than this to a hole makes a dipole
FOUR = 0.8  # least four-fold order around a dipole of the checkerboard; four random directions have 0.44


def studies(quick: bool) -> Studies:
    """One random start in the fixed box (quick: of 16 holes), both perfect crystals, the trions with their modes."""
    density = {"a_over_d": RATIO, "electrons_per_hole": 2}
    return {BOX: {"kind": "crystal", "density": density,
                  "crystal": {"holes_per_cell": 16 if quick else 64, "relax": "positions", "box": "rectangular",
                              "starts": 1, "seed": 1}},
            TRIONS: {"kind": "phonons", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0}, "density": density,
                     "crystal": {"structure": "trion-crystal"},
                     "phonons": {"mesh": 4, "points": 2, "tolerance": 0.1, "follow": True}},
            PERFECT: energies(["checkerboard", "honeycomb"], [RATIO, 2 * RATIO])}


def crystal(result: Any) -> dict[str, Any]:
    """Arrays of a saved crystal as `plot.crystal.draw_charges` takes them."""
    return {name: result.data[name].values for name in ("vectors", "positions", "heights", "species")}


def draw(results: Results) -> Figure:
    """The relaxed box on the left, the crystal of trions on the right, in units of a."""
    page = titled(10.0, 5.4, "point charges at two electrons per hole (Dai and Fu, Fig. S1)")
    for i, (name, title) in enumerate(((BOX, "from random places"), (TRIONS, "crystal of trions, a saddle"))):
        ax = page.add_axes((0.075 + 0.5 * i, 0.105, 0.4, 0.74))
        places = crystal(results[name])
        length = _length(places)
        across = float(np.max(np.abs(places["vectors"]).sum(axis=0)))
        draw_charges(ax, places, max(4.0 * length, 0.53 * across), unit=length, bold=1.1 if i else 0.8)
        dress(ax, f"{title}, a/d = {RATIO:g}", "x / a", "y / a")
    _key(page.axes[0])
    return page


def _length(places: dict[str, Any]) -> float:
    """a = 1/sqrt(pi n_h) in a_h."""
    holes = int(np.sum(places["species"].astype(str) == "hole"))
    return float(np.sqrt(abs(np.linalg.det(places["vectors"])) / (np.pi * holes)))


def _key(ax: Axes) -> None:
    for name, size in (("electron", 23.0), ("hole", 75.0)):
        ax.scatter([], [], s=size, c=COLOURS[name], label=f"{name}s")
    ax.legend(fontsize=SMALL, frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.06), borderaxespad=0.0)


def four_fold(result: Any) -> np.ndarray:
    """|sum_j exp(4 i phi_j)|/4 over the four free electrons nearest to each dipole, (holes,): 1 in a checkerboard."""
    data = {k: v.values for k, v in result.data.items()}
    electron = data["species"].astype(str) == "electron"
    holes, electrons = data["positions"][~electron], data["positions"][electron]
    near = nearest(holes, electrons, data["vectors"])  # (holes, electrons, 2)
    distance = np.linalg.norm(near, axis=-1)
    free = np.ones(len(electrons), dtype=bool)
    free[distance.argmin(axis=1)] = False
    order = np.argsort(distance[:, free], axis=1)[:, :4]
    angle = np.take_along_axis(np.arctan2(near[:, free, 1], near[:, free, 0]), order, axis=1)
    found: np.ndarray = np.abs(np.exp(4j * angle).mean(axis=1))
    return found


def on_holes(result: Any, within: float) -> np.ndarray:
    """How many electrons are within that in-plane distance (a_h) of each hole, (holes,)."""
    data = {k: v.values for k, v in result.data.items()}
    electron = data["species"].astype(str) == "electron"
    near = nearest(data["positions"][~electron], data["positions"][electron], data["vectors"])
    counts: np.ndarray = (np.linalg.norm(near, axis=-1) < within).sum(axis=1)
    return counts


def rows(results: Results) -> list[Row]:
    """Dipoles, defects and no trions on the left; balanced forces and an unstable mode on the right."""
    box, trions = results[BOX], results[TRIONS]
    spacing = float(box.data["heights"].values.max() - box.data["heights"].values.min())
    dipoles, order = on_holes(box, ON_TOP * spacing), four_fold(box)
    perfect = {name: float(energy_of(results[PERFECT], name)[1][0]) for name in ("checkerboard", "honeycomb")}
    above = box.energy_per_hole - perfect["checkerboard"]
    negative, rotation = unstable_modes(trions), rotation_curvature(trions)
    followed = trions.followed
    unit = box.energy_unit
    return [said("predominantly checkerboard", float(np.mean(order > FOUR)) > 0.5,
                 f"{100 * np.mean(order > FOUR):.0f} % of the dipoles have four-fold surroundings"),
            said("with defects: above the perfect checkerboard", above > 0, f"by {above:.5f} {unit} per hole",
                 f"honeycomb {perfect['honeycomb'] - perfect['checkerboard']:.5f} above"),
            said("no classical trions form", bool((dipoles == 1).all()) and int(on_holes(box, spacing).max()) == 1,
                 f"{int((dipoles == 1).sum())} of {len(dipoles)} holes under one electron, no other within d"),
            said("trion crystal: balanced forces", trions.max_force < 1e-8,
                 f"largest {trions.max_force:.1g} {trions.force_unit}"),
            said("trion crystal: stable against a uniform rotation of all trions", rotation > 0,
                 f"omega^2 = {rotation:+.4f} e^2/(m d^3)"),
            said("trion crystal: unstable against small perturbations", bool(len(negative)),
                 f"{len(negative)} unstable mode at zero wave vector, omega^2 = {-negative[0] ** 2:.4f} e^2/(m d^3), "
                 f"towards {followed.structure}" if len(negative) else "stable"),
            said("trion crystal: higher in energy", trions.energy_per_hole > box.energy_per_hole,
                 f"{trions.energy_per_hole:.5f} against {box.energy_per_hole:.5f} {unit} per hole")]


def caption(results: Results) -> str:
    """What is drawn."""
    box = results[BOX]
    count = box.particles
    return (f"Point charges, a = 1/sqrt(pi n_h), a/d = {RATIO:g}. Left: {count.electron} electrons and "
            f"{count.hole} holes from random places in a fixed rectangular box (height/width sqrt(3)/2), "
            f"E = {box.energy_per_hole:.6f} {box.energy_unit} per hole, largest force {box.max_force:.1g}; an "
            "electron on top of a hole leaves a ring of it. Right: the crystal of linear trions, cell relaxed at "
            "fixed density, equal masses in its modes. The paper does not say which a/d its right panel has. Each "
            "layer has its own neutralising background; the capacitor's energy is left out.")


FIGURE = Reproduction("dai-fu:s1", "a relaxed box of point charges, and the crystal of classical trions",
                      f"{SUPPLEMENT}, Fig. S1", studies, draw, rows, caption)
