"""Hartree-Fock states of Nashabeh and Fu's density figures: their studies, sites of a density, and rows of maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.figures.real_space import PIXELS, colour_scale, density, sample, view
from ehbilayer.figures.style import INK, NORMAL, dress, new_figure, shades, state_of, units
from ehbilayer.numerics.lattice import box_of_shape, crystal_cell
from ehbilayer.results.base import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HOLES = 36
TRIANGULAR: dict[str, Any] = {"shape": "triangular", "holes": HOLES, "hexagon": 7, "zero_mode": "none"}
RECTANGULAR: dict[str, Any] = {"shape": "rectangular", "holes": HOLES, "plane_waves": [15, 13], "zero_mode": "none"}
SOURCE = "Nashabeh and Fu (2026, second version)"
SUPPLEMENT = f"{SOURCE}, Supplemental Material"
CRITICAL = ("The paper says that r_s* of the critical density n* is around 2; here it is that of polarised holes "
            "alone, computed in the same box and convention")
NEAR = 0.8  # of the triangular lattice's spacing: closer maxima are partners in a pair or a chain
WIDE, MAP, HEAD, ROOM = 3.7, 2.25, 0.35, 1.1  # inches: a column, its map, the page's title, around a row of maps
TITLES = {"charge": "holes − electrons", "hole": "holes", "electron": "electrons", "spin": "electron spin, up − down"}
CHARGE_COLOURS = "PuOr_r"  # holes orange, as everywhere


def hartree_fock(spacing: float, ratio: float, density: dict[str, Any], cell: dict[str, Any], **options: Any,
                 ) -> dict[str, Any]:
    """Tables of a study of as many electrons as polarised holes of mass m0; spacing in a_h, ratio m_h/m_e.

    ``density`` and ``cell`` are those tables' own keys, ``options`` those of [hartree-fock].
    """
    return {"kind": "hartree-fock",
            "bilayer": {"electron_mass": 1 / ratio, "hole_mass": 1.0, "dielectric": 5.0, "spacing": f"{spacing:g} a_h"},
            "density": density | {"electrons_per_hole": 1}, "cell": dict(cell),
            "hartree-fock": {"stability": "none", "tolerance": 1e-6} | options}


def over_critical(value: float) -> dict[str, Any]:
    """The density by its ratio to the computed critical one."""
    return {"hole_over_critical": value, "critical_rs": "computed"}


def rs_hole(result: Result) -> float:
    """r_s of the holes in a_h."""
    return float((np.pi * result.summary["density"]["hole"]) ** -0.5)


def lattice_spacing(result: Result) -> float:
    """Nearest-neighbour distance (2/(sqrt(3) n))^(1/2) of a triangular crystal of the holes, in a_h."""
    return float(np.sqrt(2 / (np.sqrt(3) * result.summary["density"]["hole"])))


def energies(result: Result) -> str:
    """Energies per particle of all starts, in Ha_h."""
    return ", ".join(f"{x['energy_per_particle']:.6f}" for x in result.summary["starts"])


def sites(result: Result, species: str = "hole") -> np.ndarray:
    """Positions (n, 2) in a_h of the maxima of a density that lie above its mean, on the grid it is given on."""
    values = result.data[f"density_{species}"].values
    higher = np.ones(values.shape, dtype=bool)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            if (i, j) != (0, 0):
                higher &= values > np.roll(values, (i, j), axis=(0, 1))
    at = np.argwhere(higher & (values > values.mean())) / np.array(values.shape)
    return at @ result.data["cell"].values


def _vectors(points: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """From every point to every other one and all its images nearby: (n, 9 n, 2)."""
    shifts = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ cell
    images = (points[None] + shifts[:, None]).reshape(-1, 2)
    return images[None] - points[:, None]


def partners(result: Result) -> np.ndarray:
    """How many other holes are nearer to each than NEAR lattice spacings, (n,): 0 crystal, 1 pairs, 2 chains."""
    distance = np.linalg.norm(_vectors(sites(result), result.data["cell"].values), axis=-1)
    found: np.ndarray = np.sum((distance > 1e-9) & (distance < NEAR * lattice_spacing(result)), axis=1)
    return found


def alternation(result: Result) -> float:
    """Mean ratio of the second nearest hole's distance to the nearest one's: 1 in a crystal or an even chain."""
    distance = np.linalg.norm(_vectors(sites(result), result.data["cell"].values), axis=-1)
    near = np.sort(distance, axis=1)[:, 1:3]
    return float((near[:, 1] / near[:, 0]).mean())


def sixfold(result: Result) -> float:
    """Mean over the holes of |sum_j exp(6 i phi_j)|/6, phi_j towards its six nearest: 1 in a triangular crystal."""
    vectors = _vectors(sites(result), result.data["cell"].values)
    distance = np.linalg.norm(vectors, axis=-1)
    near = np.argsort(distance, axis=1)[:, 1:7]
    angle = np.arctan2(vectors[..., 1], vectors[..., 0])
    phases = np.exp(6j * np.take_along_axis(angle, near, axis=1))
    return float(np.abs(phases.mean(axis=1)).mean())


def bragg(result: Result, species: str) -> np.ndarray:
    """|n_G|/n_0 of a density at the three shortest G of the holes' crystal, (3,); equal in a triangular crystal."""
    values = result.data[f"density_{species}"].values
    amplitude = np.abs(np.fft.fft2(values)) / values.sum()
    count = int(result.summary["particles"]["hole"])
    cell = result.data["cell"].values
    box = box_of_shape(cell, float(abs(np.linalg.det(cell))))
    primitive = crystal_cell(box, count)  # box = primitive @ crystal, so a G of the crystal is whole waves of the box
    steps = np.array([[1, 0], [0, 1], [1, 1], [1, -1]]) @ primitive.T
    order = np.argsort(np.linalg.norm(steps @ box.reciprocal, axis=1))[:3]
    return np.array([amplitude[tuple(g % np.array(values.shape))] for g in steps[order]])


def charge(result: Result, ax: Axes) -> None:
    """Draw n_h - n_e over the window of the other maps, on a scale symmetric about zero."""
    values = result.data["density_hole"].values - result.data["density_electron"].values
    cell = result.data["cell"].values
    window, outline = view(cell, result.summary.get("kept_symmetry") == "none")
    wide, high = window[1] - window[0], window[3] - window[2]
    shape = (max(int(PIXELS * high / max(wide, high)), 2), max(int(PIXELS * wide / max(wide, high)), 2))
    most = float(np.abs(values).max())
    image = ax.imshow(sample(values, cell, window, shape), extent=window, origin="lower", vmin=-most, vmax=most,
                      cmap=shades(CHARGE_COLOURS), interpolation="bilinear", interpolation_stage="data")
    ax.plot(outline[:, 0], outline[:, 1], color=INK, linewidth=1.0)
    ax.set_xlim(*window[:2])
    ax.set_ylim(*window[2:])
    ax.locator_params(nbins=5)
    unit = units(result, "cell")
    dress(ax, "", f"x ({unit})", f"y ({unit})")
    colour_scale(ax, image, units(result, "density_hole"), NORMAL - 1.5)


def _aspect(result: Result) -> float:
    """Height over width of the window of its maps."""
    left, right, low, high = view(result.data["cell"].values, result.summary.get("kept_symmetry") == "none")[0]
    return (high - low) / (right - left)


def one_map(result: Result, what: str, ax: Axes, title: str = "") -> None:
    """Draw one of TITLES: charge, hole, electron or spin."""
    if what == "charge":
        charge(result, ax)
    else:
        density(state_of(result), "electron" if what == "spin" else what, ax, spin=what == "spin")
    ax.set_title(title or TITLES[what], fontsize=NORMAL, color=INK, pad=5, y=1.0)


def maps(title: str, states: dict[str, Result], columns: tuple[str, ...]) -> Figure:
    """A page of density maps: a row for each state under its name, a column for each of TITLES."""
    highs = [MAP * _aspect(result) for result in states.values()]
    width, height = WIDE * len(columns), HEAD + sum(highs) + ROOM * len(highs)
    page = new_figure(width, height)
    top = height - HEAD
    for (name, result), high in zip(states.items(), highs, strict=True):
        page.text(0.012, top / height, name, fontsize=NORMAL, color=INK, weight="bold", va="top")
        for column, what in enumerate(columns):
            if what == "spin" and "spin_density_electron" not in result.data:
                continue  # restricted electrons
            low = top - ROOM + 0.5 - high
            one_map(result, what, page.add_axes(((WIDE * column + 0.55) / width, low / height, MAP / width,
                                                 high / height)))
        top -= high + ROOM
    page.text(0.5, 1 - 0.08 / height, title, ha="center", va="top", fontsize=NORMAL + 2, color=INK, weight="bold")
    return page
