"""Starting orbitals for every phase: Gaussians on lattice sites, plane waves, or noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.occupations import insulating_filling, liquid_filling
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import crystal_cell, lattice_points
from ehbilayer.numerics.minimize import orthonormalise
from ehbilayer.orbitals import Guess, Orbitals
from ehbilayer.potential import Potential
from ehbilayer.terms import Filling, Setting
from ehbilayer.torus import Channel, Species, Torus

# which carriers start localised in each phase: those of charge -1 (electron) or +1 (hole), whatever they are called
LOCALISED = {
    "liquid": (),
    "hole-crystal": ("hole",),
    "electron-crystal": ("electron",),
    "crystal": ("electron", "hole"),
    "stripes": ("electron", "hole"),
    "trion-crystal": ("electron", "hole"),
    "dumbbell-crystal": ("electron", "hole"),
}
STARTS = (*LOCALISED, "random")


def guess(torus: Torus, basis: PlaneWaveBasis, start: str, *, spin_order: str = "uniform",
          occupation: str = "integer", seed: int = 0, noise: float = 0.0) -> Guess:
    """Orbitals of the phase ``start`` (a key of LOCALISED, or "random").

    ``noise`` adds that fraction of seeded random amplitude to every orbital.

    Raises InputError for a start that does not exist.
    """
    if start not in STARTS:
        raise InputError("start", " | ".join(STARTS), start, "choose one of these or a result file")
    check_cell(torus, basis, start)
    rng = np.random.default_rng(seed)
    sites = sites_of(torus, basis)
    frames, fillings = [], []
    for channel in torus.channels:
        species = torus.species[channel.species]
        width = _width(torus, channel)
        filling, x = None, None
        if start == "random":
            filling = insulating_filling(basis, channel.orbitals)
            if filling is not None:
                x = _noise(basis, filling, width, rng)
        elif _on_sites(torus, species, start):
            filling = insulating_filling(basis, channel.orbitals)
            if filling is not None:
                where = _place(torus, channel, sites, filling.f.shape[1], width, spin_order, seed,
                               apart=start == "dumbbell-crystal")
                x = basis.gaussians(where, width)
        if filling is None or x is None:
            filling, chosen = liquid_filling(basis, channel.orbitals, occupation)
            x = _plane_waves(basis, chosen)
        amount = max(noise, 0.3 if start == "random" and len(filling.blocks) > 1 else 0.0)
        if amount:
            x = _stir(basis, filling, x, amount, width, rng)
        frames.append(x)
        fillings.append(filling)
    return Guess(tuple(frames), tuple(fillings))


def check_cell(torus: Torus, basis: PlaneWaveBasis, start: str) -> None:
    """Raise InputError where flavours that are to sit on sites one by one do not fill the sites of a cell in turn.

    Flavours that share orbitals may be a metal on the other carriers' sites; those with orbitals of their own may not.
    """
    for channel in torus.channels:
        species = torus.species[channel.species]
        alone = channel.degeneracy == 1 and len(species.occupations) > 1
        if alone and _on_sites(torus, species, start) and insulating_filling(basis, channel.orbitals) is None:
            cells = len(basis.k_points)
            raise InputError("holes_per_cell", f"such that each of {cells} cells holds a whole number of "
                             f"{channel.label} ({channel.orbitals} in the box)", torus.sites // cells,
                             f"a multiple of {len(species.occupations)}, or another number of holes")


def _on_sites(torus: Torus, species: Species, start: str) -> bool:
    """Whether a start places this carrier on sites."""
    placed = LOCALISED.get(start)
    return placed is not None and (_kind(species) in placed or (start != "liquid" and len(_occupied(torus)) == 1))


def _kind(species: Species) -> str:
    return "electron" if species.charge < 0 else "hole"


def _occupied(torus: Torus) -> list[int]:
    return [i for i, s in enumerate(torus.species) if s.count]


def _width(torus: Torus, channel: Channel) -> float:
    """The zero-point width r_s^(3/4) m^(-1/4) of a particle held by its neighbours' charge."""
    species = torus.species[channel.species]
    spacing = np.sqrt(torus.area / (np.pi * species.count))
    return float(0.8 * (spacing**3 / species.mass) ** 0.25)


def sites_of(torus: Torus, basis: PlaneWaveBasis) -> np.ndarray:
    """Lattice sites (n, 2) in one cell of the basis: those of the holes, or of whatever there is."""
    count = torus.sites
    restricted = [c for c in torus.channels if c.degeneracy > 1]
    if restricted and not any(s.name == "hole" and s.count for s in torus.species):
        count //= restricted[0].degeneracy
    if torus.bilayer.potential is not None:
        return _wells(torus, torus.bilayer.potential, basis, count)
    points = lattice_points(basis.box, crystal_cell(basis.box, count))
    return _in_cell(basis, points)


def _in_cell(basis: PlaneWaveBasis, points: np.ndarray) -> np.ndarray:
    """Points (n, 2) of one cell of the basis, of many that repeat in every cell."""
    fraction = points @ np.linalg.inv(basis.cell.vectors)
    fraction = fraction - np.floor(fraction + 1e-9)
    keep = np.unique(np.round(fraction, 6), axis=0, return_index=True)[1]
    return fraction[np.sort(keep)] @ basis.cell.vectors


def _wells(torus: Torus, potential: Potential, basis: PlaneWaveBasis, count: int) -> np.ndarray:
    """Sites in the deepest wells of a cell for ``count`` particles in the box: on the crystal's own lattice where that
    is one of wells, else as far from each other as they can be; all wells where they are too few."""
    charges = {s.charge for s in torus.species if s.count and potential.amplitude(s.charge)}
    cells, wells = potential.cells(basis.box), potential.wells(basis.box, max(charges, default=1))
    sites = crystal_cell(basis.box, count)
    whole = np.linalg.inv(sites) @ cells
    if np.allclose(whole, np.rint(whole), atol=1e-9):
        own = _in_cell(basis, lattice_points(basis.box, sites) + wells[0])
        if len(own) * basis.cells == count:
            return own
    points = np.concatenate([_in_cell(basis, lattice_points(basis.box, cells) + well) for well in wells])
    wanted = max(1, count // basis.cells)
    if wanted >= len(points):
        return points
    images = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ basis.cell.vectors
    apart = np.linalg.norm(points[:, None, None] - points[None, :, None] + images, axis=-1).min(axis=-1)
    chosen = [0]
    while len(chosen) < wanted:
        chosen.append(int(np.round(apart[:, chosen].min(axis=1), 6).argmax()))
    return points[chosen]


def _place(torus: Torus, channel: Channel, sites: np.ndarray, count: int, width: float, spin_order: str,
           seed: int, apart: bool) -> np.ndarray:
    """``count`` positions (count, 2) for a channel's orbitals in the cell.

    Flavours of a species take turns: with fewer orbitals than sites each goes on where the last one stopped, along
    the rows (every second row first) or, for random order, along a seeded permutation; with more, the orbitals of a
    site stand around it. ``apart`` moves two flavours on the same sites to opposite sides.
    """
    n = len(sites)
    same = [c for c in torus.channels if c.species == channel.species]
    turn = same.index(channel)
    if count < n:
        order = np.random.default_rng(seed).permutation(n) if spin_order == "random" else _rows_in_turn(sites)
        before = sum(c.orbitals for c in same[:turn]) * count // channel.orbitals
        return sites[order[(before + np.arange(count)) % n]]
    around = -(-count // n)
    number = np.arange(count) // n
    if apart and around == 1 and len(same) == 2:
        around, number = 2, number + turn
    angle = 2 * np.pi * number / around
    offset = 0.6 * width * np.stack([np.cos(angle), np.sin(angle)], axis=1) if around > 1 else np.zeros((count, 2))
    return sites[np.arange(count) % n] + offset


def _rows_in_turn(sites: np.ndarray) -> np.ndarray:
    """Order of the sites with every second row first: taking half of it gives stripes."""
    rows = np.round(sites[:, 1] - sites[:, 1].min(), 6)
    if len(np.unique(rows)) == 1:
        rows = np.round(sites[:, 0] - sites[:, 0].min(), 6)
    number = np.searchsorted(np.unique(rows), rows)
    return np.lexsort((sites[:, 0], number, number % 2))


def _plane_waves(basis: PlaneWaveBasis, chosen: list[np.ndarray]) -> np.ndarray:
    x: np.ndarray = np.zeros((len(chosen), len(chosen[0]), basis.coefficients), dtype=basis.dtype)
    for row, positions in enumerate(chosen):
        x[row, np.arange(len(positions)), positions] = 1.0
    return x


def _noise(basis: PlaneWaveBasis, filling: Filling, width: float, rng: np.random.Generator) -> np.ndarray:
    k = basis.coefficient_k()[filling.blocks] / np.sqrt(basis.box.area)
    envelope = np.exp(-0.25 * width**2 * np.sum(k * k, axis=-1))[:, None]
    return envelope * basis.noise(rng, filling.blocks, filling.f.shape[1])


def _stir(basis: PlaneWaveBasis, filling: Filling, x: np.ndarray, amount: float, width: float,
          rng: np.random.Generator) -> np.ndarray:
    noise = _noise(basis, filling, width, rng)
    scale = np.linalg.norm(x, axis=-1, keepdims=True) / np.linalg.norm(noise, axis=-1, keepdims=True)
    return x + amount * scale * noise


def placed(torus: Torus, basis: PlaneWaveBasis, positions: Mapping[str, np.ndarray], *,
           width: float | None = None) -> Orbitals:
    """A start of your own: Gaussians exp(-r^2/2w^2) at positions in the cell of the basis, a liquid of the others.

    Parameters
    ----------
    torus, basis : what the start is for; an orbital is repeated in every cell of the box.
    positions : name of a carrier, or label of a determinant (``electron up``), -> (n, 2) in a_h, one for each of its
        orbitals in a cell.
    width : w in a_h; the zero-point width of a particle among its neighbours by default.

    Raises InputError where the number of positions is not that of the orbitals in a cell.
    """
    frames, fillings = [], []
    for channel in torus.channels:
        where = positions.get(channel.label, positions.get(torus.species[channel.species].name))
        filling = None if where is None else insulating_filling(basis, channel.orbitals)
        if where is None:
            filling, chosen = liquid_filling(basis, channel.orbitals, "integer")
            x = _plane_waves(basis, chosen)
        elif filling is None or np.shape(where) != (filling.f.shape[1], 2):
            raise InputError("positions", f"one (x, y) for each {channel.label} in a cell of {basis.cells} in the box "
                             f"({channel.orbitals / basis.cells:g})", np.shape(where), "choose another cell")
        else:
            x = basis.gaussians(np.asarray(where), width or _width(torus, channel))
        frames.append(orthonormalise(np, x[None]))
        fillings.append(filling)
    setting = Setting(basis, Fourier(), [torus], tuple(fillings))
    return Orbitals.of(setting, tuple(frames))


def stirred(torus: Torus, basis: PlaneWaveBasis, begin: Guess, amount: float, seed: int) -> Guess:
    """The same start with seeded noise of that relative amplitude on every orbital."""
    rng = np.random.default_rng(seed)
    frames = [_stir(basis, filling, x, amount, _width(torus, channel), rng)
              for channel, filling, x in zip(torus.channels, begin.fillings, begin.frames, strict=True)]
    return Guess(tuple(frames), begin.fillings)
