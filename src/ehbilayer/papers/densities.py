"""Hartree-Fock states of Nashabeh and Fu's density figures: their studies, sites of a density, and rows of maps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ehbilayer import HartreeFockResult
from ehbilayer.figures import INK, NORMAL, density, density_map, view
from ehbilayer.papers.record import Axes, Figure, placed, titled

HOLES = 36
TRIANGULAR: dict[str, Any] = {"shape": "triangular", "holes": HOLES, "hexagon": 7, "zero_mode": "none"}
RECTANGULAR: dict[str, Any] = {"shape": "rectangular", "holes": HOLES, "plane_waves": [15, 13], "zero_mode": "none"}
SOURCE = "Nashabeh and Fu (2026, second version)"
SUPPLEMENT = f"{SOURCE}, Supplemental Material"
CRITICAL = ("The paper says that r_s* of the critical density n* is around 2; here it is that of polarised holes "
            "alone, computed in the same box and convention")
IMAGES = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)])  # cells around one
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


def rs_hole(result: HartreeFockResult) -> float:
    """r_s of the holes in a_h."""
    density = result.density.hole
    assert density is not None
    return float((np.pi * density) ** -0.5)


def lattice_spacing(result: HartreeFockResult) -> float:
    """Nearest-neighbour distance (2/(sqrt(3) n))^(1/2) of a triangular crystal of the holes, in a_h."""
    return float(np.sqrt(2 * np.pi / np.sqrt(3)) * rs_hole(result))


def energies(result: HartreeFockResult) -> str:
    """Energies per particle of all starts, in Ha_h."""
    return ", ".join(f"{x.energy_per_particle:.6f}" for x in result.starts)


def sites(result: HartreeFockResult, species: str = "hole") -> np.ndarray:
    """Positions (n, 2) in a_h of the maxima of a density that lie above its mean, on the grid it is given on."""
    values = result.data[f"density_{species}"].values
    higher = np.ones(values.shape, dtype=bool)
    for step in (s for s in IMAGES.tolist() if any(s)):
        higher &= values > np.roll(values, step, axis=(0, 1))
    at = np.argwhere(higher & (values > values.mean())) / np.array(values.shape)
    return at @ result.data["cell"].values


def nearest(a: np.ndarray, b: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Shortest vectors from points a (n, 2) to b (m, 2) and their images in a cell (rows are vectors), (n, m, 2)."""
    between = (b[None] - a[:, None]) @ np.linalg.inv(cell)
    images = ((between - np.round(between))[..., None, :] + IMAGES) @ cell
    closest = np.linalg.norm(images, axis=-1).argmin(axis=-1)
    found: np.ndarray = np.take_along_axis(images, closest[..., None, None], axis=-2)[..., 0, :]
    return found


def _around(result: HartreeFockResult) -> tuple[np.ndarray, np.ndarray]:
    """Vectors from every hole to the others and to images nearby, the shortest first: (n, k, 2), and lengths (n, k)."""
    points = sites(result)
    images = (points[None] + (IMAGES @ result.data["cell"].values)[:, None]).reshape(-1, 2)
    vectors = images[None] - points[:, None]
    order = np.argsort(np.linalg.norm(vectors, axis=-1), axis=1)[:, 1:]  # the first is the hole itself
    vectors = np.take_along_axis(vectors, order[..., None], axis=1)
    return vectors, np.linalg.norm(vectors, axis=-1)


def partners(result: HartreeFockResult) -> np.ndarray:
    """How many other holes are nearer to each than NEAR lattice spacings, (n,): 0 crystal, 1 pairs, 2 chains."""
    found: np.ndarray = np.sum(_around(result)[1] < NEAR * lattice_spacing(result), axis=1)
    return found


def alternation(result: HartreeFockResult) -> float:
    """Mean ratio of the second nearest hole's distance to the nearest one's: 1 in a crystal or an even chain."""
    distance = _around(result)[1]
    return float((distance[:, 1] / distance[:, 0]).mean())


def sixfold(result: HartreeFockResult) -> float:
    """Mean over the holes of |sum_j exp(6 i phi_j)|/6, phi_j towards its six nearest: 1 in a triangular crystal."""
    near = _around(result)[0][:, :6]
    return float(np.abs(np.exp(6j * np.arctan2(near[..., 1], near[..., 0])).mean(axis=1)).mean())


def shortest_wave(result: HartreeFockResult) -> float:
    """|G| = 4 pi/(sqrt(3) a) of the holes' triangular crystal, in 1/a_h."""
    return float(4 * np.pi / (np.sqrt(3) * lattice_spacing(result)))


def bragg(result: HartreeFockResult, species: str) -> np.ndarray:
    """|n_G|/n_0 of a density at the six shortest G of the holes' triangular crystal, (6,); there all are equal."""
    values = result.data[f"density_{species}"].values
    waves = np.stack(np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in values.shape), indexing="ij"), axis=-1)
    length = np.linalg.norm(waves @ reciprocal(result), axis=-1)
    here = np.abs(length / shortest_wave(result) - 1) < 0.01
    found: np.ndarray = np.abs(np.fft.fft2(values))[here] / values.sum()
    return found


def reciprocal(result: HartreeFockResult) -> np.ndarray:
    """The reciprocal vectors of a state's cell as rows, in 1/a_h."""
    return np.asarray(2 * np.pi * np.linalg.inv(result.data["cell"].values).T)


def _aspect(result: HartreeFockResult) -> float:
    """Height over width of the window of its maps."""
    left, right, low, high = view(result.data["cell"].values, result.kept_symmetry == "none")[0]
    return (high - low) / (right - left)


def one_map(result: HartreeFockResult, what: str, ax: Axes, title: str = "") -> None:
    """Draw one of TITLES: charge, hole, electron or spin."""
    if what == "charge":  # on a scale symmetric about zero
        hole = result.data["density_hole"]
        values = hole.values - result.data["density_electron"].values
        most = float(np.abs(values).max())
        density_map(replace(hole, values=values), result.data["cell"], "", result.kept_symmetry, (-most, most), ax,
                    spin=True, colours=CHARGE_COLOURS)
    else:
        density(result, "electron" if what == "spin" else what, ax, spin=what == "spin")
    ax.set_title(title or TITLES[what], fontsize=NORMAL, color=INK, pad=5, y=1.0)


def maps(title: str, states: dict[str, HartreeFockResult], columns: tuple[str, ...]) -> Figure:
    """A page of density maps: a row for each state under its name, a column for each of TITLES."""
    highs = [MAP * _aspect(result) for result in states.values()]
    width, height = WIDE * len(columns), HEAD + sum(highs) + ROOM * len(highs)
    page = titled(width, height, title, 1 - 0.08 / height)
    top = height - HEAD
    for (name, result), high in zip(states.items(), highs, strict=True):
        page.text(0.012, top / height, name, fontsize=NORMAL, color=INK, weight="bold", va="top")
        for column, what in enumerate(columns):
            if what == "spin" and "spin_density_electron" not in result.data:
                continue  # restricted electrons
            low = top - ROOM + 0.5 - high
            one_map(result, what, placed(page, WIDE * column + 0.55, low, MAP, high))
        top -= high + ROOM
    return page
