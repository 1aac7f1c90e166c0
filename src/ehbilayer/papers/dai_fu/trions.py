"""Hartree-Fock states of Dai and Fu's trion figures: their studies, pages of densities, and numbers read from these."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ehbilayer import HartreeFockResult
from ehbilayer.figures import INK, NORMAL, density, view
from ehbilayer.papers.densities import bragg, lattice_spacing, nearest, rs_hole, shortest_wave, sites
from ehbilayer.papers.record import DIFFERS, Figure, Row, Studies, judged, placed, titled

PAPER = "D. D. Dai and L. Fu, PRL 132, 196202 (2024)"
SUPPLEMENT = f"{PAPER}, Supplemental Material"
CRYSTAL, MESH = "dai-fu-trion-crystal", "dai-fu-trion-crystal-mesh"
DEVICE: dict[str, Any] = {"electron_mass": 0.8, "hole_mass": 0.4, "dielectric": 4.7, "spacing": 4.83}  # rounded
LIGHT: dict[str, Any] = {"electron_mass": 0.25, "hole_mass": 1.0, "dielectric": 5.0, "spacing": 0.5}
BOX: dict[str, Any] = {"shape": "rectangular", "holes": 36, "plane_waves": [45, 39], "zero_mode": "none"}
SMALL_BOX = BOX | {"holes": 9, "plane_waves": [23, 19]}  # the same wave numbers in 3 x 3 cells
RS = 8.0
LAST_DIGIT = "differs in the last digit"
ORDERED = 0.7  # least mean six-fold order of a triangular crystal; random points have 0.36
ON_TOP = 0.3  # lattice spacings: closer than any two sites
WIDE, MAP, HEAD, ROOM = 4.3, 2.75, 0.4, 1.0  # inches: a column, its map, the page's title, around a row of maps


def trions(cell: dict[str, Any], rs: float = RS, bilayer: dict[str, Any] | None = None, **options: Any,
           ) -> dict[str, Any]:
    """Tables of a study of two electrons per polarised hole; ``options`` are keys of [hartree-fock]."""
    return {"kind": "hartree-fock", "bilayer": dict(bilayer or DEVICE),
            "density": {"rs_hole": rs, "electrons_per_hole": 2}, "cell": dict(cell),
            "hartree-fock": {"stability": "none", "tolerance": 1e-8} | options}


def trion_crystal() -> Studies:
    """The published state: singlet trions placed on a triangular lattice, the whole box free."""
    return {CRYSTAL: trions(BOX, start="trion-crystal")}


def trion_mesh() -> Studies:
    """The same state by one cell and a mesh of k points, which gives bands."""
    return {MESH: trions(BOX | {"symmetry": "crystal"}, start="trion-crystal", tolerance=1e-10)}


def widths(result: HartreeFockResult) -> dict[str, float]:
    """w (a_h) of each species from the mean |n_G|/n_0 = exp(-G^2 w^2/2) at the shortest G of the holes' crystal.

    w is the rms displacement along one axis of a Gaussian orbital; defects of the crystal make it larger.
    """
    return {name: float(np.sqrt(-2 * np.log(bragg(result, name).mean())) / shortest_wave(result))
            for name in ("electron", "hole")}


def shares(result: HartreeFockResult) -> np.ndarray:
    """How many maxima of the electrons' density are nearest to each hole's, (holes,)."""
    distance = _distances(result)
    counts: np.ndarray = np.bincount(distance.argmin(axis=1), minlength=distance.shape[1])
    return counts


def step(result: HartreeFockResult) -> float:
    """Longer step of the grid that densities are given on, in lattice spacings; maxima are known to this."""
    counts = np.array(result.data["density_hole"].values.shape)
    sides = np.linalg.norm(result.data["cell"].values, axis=1)
    return float((sides / counts).max() / lattice_spacing(result))


def printed(quantity: str, text: str, value: float | None, ours: str, converged: str = "") -> Row:
    """The row of a number beside one of the paper, which it agrees with if it rounds to the digits in ``text``."""
    unit = 10.0 ** -len(text.partition(".")[2])
    row = judged(quantity, text, value, (float(text) - unit / 2, float(text) + unit / 2), ours, converged)
    near = value is not None and abs(value - float(text)) < unit
    return replace(row, verdict=LAST_DIGIT) if row.verdict == DIFFERS and near else row


def crystal_rows(state: HartreeFockResult, converged: dict[str, str]) -> list[Row]:
    """Energy and gaps of the trion crystal beside the printed ones, by their names; to each what is converged."""
    values = (state.energy_per_particle, "-0.07652", 7), (state.gap.electron, "0.02852", 6), (
        state.gap.hole, "0.08760", 6)
    return [printed(name, text, value, f"{value:.{digits}f}", better)
            for (name, better), (value, text, digits) in zip(converged.items(), values, strict=True)]


def farthest(result: HartreeFockResult) -> float:
    """Largest distance of a maximum of the electrons' density from the nearest hole's, in lattice spacings."""
    return float(_distances(result).min(axis=1).max() / lattice_spacing(result))


def on_holes(result: HartreeFockResult) -> bool:
    """Whether every hole has one maximum of the electrons nearest to it, and closer than ON_TOP."""
    return bool((shares(result) == 1).all()) and farthest(result) < ON_TOP


def _distances(result: HartreeFockResult) -> np.ndarray:
    """In-plane distances (electrons, holes) from each maximum of the electrons' density to those of the holes."""
    between = nearest(sites(result, "electron"), sites(result), result.data["cell"].values)
    return np.asarray(np.linalg.norm(between, axis=-1))


def spin_share(result: HartreeFockResult) -> float:
    """Largest |n_up - n_down| over the largest density of the electrons."""
    spin, total = (result.data[k].values for k in ("spin_density_electron", "density_electron"))
    return float(np.abs(spin).max() / total.max())


def density_page(title: str, result: HartreeFockResult, *, spin: bool = False, below: float = 0.0) -> Figure:
    """Electrons on the left, holes (or the electrons' spin) on the right; ``below`` inches stay free at the bottom.

    Both have one scale, as in the paper.
    """
    window = view(result.data["cell"].values, result.kept_symmetry == "none")[0]
    high = MAP * (window[3] - window[2]) / (window[1] - window[0])
    width, height = 2 * WIDE, HEAD + ROOM + high + below
    page = titled(width, height, title, 1 - 0.08 / height)
    for i in range(2):
        ax = placed(page, WIDE * i + 0.7, below + 0.45, MAP, high)
        # spin on the scale of the density: what cannot be seen there is no spin order
        most = float(result.data["density_electron"].values.max()) if spin else None
        density(result, "electron" if spin or i == 0 else "hole", ax, spin=spin and i == 1, shared_scale=True,
                most=most)
        ax.set_title(ax.get_title(), fontsize=NORMAL, color=INK, pad=4, y=1.0)
    page.text(0.5, 1 - HEAD / height, heading(result), ha="center", va="top", fontsize=NORMAL, color=INK)
    return page


def heading(result: HartreeFockResult) -> str:
    """Particles, masses, distance and density in a line."""
    (electron, hole), n = (p["mass"] for p in result.inputs["species"]), result.particles
    return (f"{n.electron} electrons, {n.hole} holes, mₑ/mₕ = {electron / hole:g}, d = "
            f"{result.inputs['spacing']:g} aₕ, rₛ = {rs_hole(result):.4g} aₕ")


def description(result: HartreeFockResult) -> str:
    """Particles, box and convention of a state, for captions."""
    n, spin = result.particles, result.inputs["species"][0]["spin"].replace("ized", "ised")
    return (f"{n.electron} electrons ({spin}) and {n.hole} polarised holes, r_s = "
            f"{rs_hole(result):.4g} a_h, rectangular torus of height/width sqrt(3)/2, "
            f"{result.basis_size} plane waves ({100 * result.edge_occupation:.1g} % at the edge), zero mode "
            f"{result.zero_mode}")
