"""What a converged Hartree-Fock state says: energies, levels and gaps, densities, momenta, pressure, and its phase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.basis.plane_waves import HEXAGON, PlaneWaveBasis
from ehbilayer.hamiltonian import Evaluation, Hamiltonian
from ehbilayer.hartree_fock.guesses import LOCALISED
from ehbilayer.hartree_fock.spectrum import Levels, empty_levels, occupied_levels
from ehbilayer.hartree_fock.stability import nothing_known
from ehbilayer.model import Bilayer
from ehbilayer.numerics.lattice import crystal_cell, distance_on_path, path_points
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.status import Status

if TYPE_CHECKING:
    from ehbilayer.hartree_fock.solver import End, Options

# A species is a crystal when more than a certain fraction of it lies outside its Fermi sea (`sea_depletion`); unlike
# cuts in the momentum variance it does not depend on N. What began on lattice sites is one unless it has melted: states
# of the N = 36 phase diagram lie below 0.041 or above 0.074, larger crystals close to melting have 0.05 to 0.1. What
# began as a liquid may be modulated by the other layer's crystal (to 0.075) without being one.
MELTED_DEPLETION, CRYSTAL_DEPLETION = 0.05, 0.1
FINE = 60  # least number of density samples along each cell vector


def report(bilayer: Bilayer, ends: list[End], options: Options, *, best: End | None = None,
           prior: list[dict] | None = None, quick: bool = False) -> Result:
    """The Result of a calculation: its best end in full, all ends in a table.

    ``prior`` rows are starts finished before an interruption, whose best state is then the first end again; ``quick``
    leaves spectra out.
    """
    if best is None:
        best = min(ends, key=lambda e: (e.status is not Status.converged, e.energy))
    status = best.status
    hamiltonian = best.hamiltonian.on_numpy()
    evaluation = hamiltonian.evaluate(best.frames)
    data = _state_data(best)
    summary = _energies(bilayer, best, evaluation, hamiltonian, options)
    momentum = momentum_occupation(bilayer, best)
    data |= _momentum_data(bilayer, momentum)
    summary |= _momentum_summary(bilayer, best, momentum)
    summary["phase"] = phase_name(bilayer, best, summary["sea_depletion"])
    if options.spectrum and not quick and status is not Status.not_finite:
        levels, error = all_levels(best, hamiltonian, evaluation)
        data |= _level_data(levels) | _density_data(bilayer, best, hamiltonian)
        summary |= _gaps(bilayer, best, levels, error)
        gaps = [g for g in summary["gap"].values() if g is not None]
        summary["aufbau"] = best.aufbau and all(g > -1e-6 for g in gaps)
        if best.hamiltonian.setting.basis.cells == 1:
            data |= _unfolded(bilayer, best, levels)
        if best.hamiltonian.setting.basis.cells > 1:
            from ehbilayer.hartree_fock.bands import band_data

            more, masses = band_data(bilayer, best, hamiltonian)
            data |= more
            summary["effective_mass"] = masses
    else:
        summary |= {"gap": _per_species(bilayer, lambda i: None), "gap_error": None}
    summary["starts"] = [*prior, *(_start_row(bilayer, e) for e in ends[1:])] if prior else [
        _start_row(bilayer, e) for e in ends]
    summary["stability"] = best.stability or nothing_known(best)
    return Record("hartree-fock", status, summary, _inputs(bilayer, best, options), data)


def _per_species(bilayer: Bilayer, value: Any) -> dict[str, Any]:
    """{"electron": .., "hole": ..} and whatever else there is; absent species are None."""
    out: dict[str, Any] = {"electron": None, "hole": None}
    return out | {s.name: value(i) for i, s in enumerate(bilayer.species) if s.count}


def _energies(bilayer: Bilayer, end: End, evaluation: Evaluation, hamiltonian: Hamiltonian,
              options: Options) -> dict[str, Any]:
    energy, n = float(evaluation.energy[0]), bilayer.particles
    setting = hamiltonian.setting
    slope = float(hamiltonian.area_derivative(end.frames)[0])
    area = float(setting.areas[0])
    return {
        "energy": energy, "energy_per_particle": energy / n,
        "energy_parts": {k: float(v[0]) for k, v in evaluation.parts.items()},
        "pressure": -slope if np.isfinite(slope) else None,
        "residual": float(end.minimum.residual[0]), "residual_target": options.residual_target,
        "iterations": end.cost, "basis_size": setting.basis.size,
        "k_points": len(setting.basis.k_points), "particles": {s.name: s.count for s in bilayer.species},
        "area": area, "zero_mode": bilayer.zero_mode, "aufbau": end.aufbau,
        "kept_symmetry": _kept(setting.basis), "occupation": options.occupation,
        "density": _per_species(bilayer, lambda i: bilayer.species[i].count / area),
        "fermi_energy": _per_species(bilayer, lambda i: fermi_energy(bilayer, i, area)),
    }


def _kept(basis: PlaneWaveBasis) -> str:
    if basis.cells == 1:
        return "none"
    return "translations" if basis.coefficients == 1 else "crystal"


def fermi_energy(bilayer: Bilayer, species: int, area: float) -> float:
    """k_F^2/2m of the free species with k_F = sqrt(4 pi n / flavours in use), in Ha_h."""
    s = bilayer.species[species]
    return float(2 * np.pi * s.count / (area * s.occupied_flavours * s.mass))


def momentum_occupation(bilayer: Bilayer, end: End) -> np.ndarray:
    """<n_kappa> summed over flavours, per species and wave: (species, M)."""
    setting = end.hamiltonian.setting
    out = np.zeros((len(bilayer.species), setting.basis.size))
    for channel, filling, x in zip(setting.channels, setting.fillings, end.frames, strict=True):
        amplitudes = setting.basis.to_waves(np.asarray(x)[0], filling.blocks)
        out[channel.species] += channel.degeneracy * np.einsum("kn,knm->m", filling.f, np.abs(amplitudes) ** 2)
    return out


def _unit_k(basis: PlaneWaveBasis) -> np.ndarray:
    return basis.waves @ basis.box.reciprocal * np.sqrt(basis.box.area)


def liquid_variance(bilayer: Bilayer, species: int, basis: PlaneWaveBasis) -> float:
    """sum_k (L k)^2 n_k of the uniform liquid with shells filled equally, L^2 = 2 A / sqrt(3)."""
    from ehbilayer.hartree_fock.occupations import fill_levels

    # the torus' own waves, far enough out to hold every particle
    reach = int(np.ceil(np.sqrt(bilayer.species[species].count))) + 2
    i, j = np.meshgrid(*(np.arange(-reach, reach + 1),) * 2, indexing="ij")
    unit_b = basis.box.reciprocal * np.sqrt(basis.box.area)
    k2 = np.round(np.sum((np.stack([i.ravel(), j.ravel()], 1) @ unit_b) ** 2, axis=1), 9)
    total = 0.0
    for channel in (c for c in bilayer.channels if c.species == species):
        total += channel.degeneracy * float(fill_levels(k2, channel.orbitals, "shell", 1e-6) @ k2)
    return 2 / np.sqrt(3) * total


def _momentum_summary(bilayer: Bilayer, end: End, n_k: np.ndarray) -> dict[str, Any]:
    basis = end.hamiltonian.setting.basis
    k2 = np.sum(_unit_k(basis) ** 2, axis=1)
    present = {tuple(w) for w in basis.waves.tolist()}
    edge = np.array([any((i + a, j + b) not in present for a, b in HEXAGON.tolist()) for i, j in basis.waves.tolist()])
    flavours = [s.occupied_flavours for s in bilayer.species]
    return {
        "momentum_variance": _per_species(bilayer, lambda i: float(2 / np.sqrt(3) * k2 @ n_k[i])),
        "liquid_momentum_variance": _per_species(bilayer, lambda i: liquid_variance(bilayer, i, basis)),
        "sea_depletion": _per_species(bilayer, lambda i: sea_depletion(bilayer, i, basis, n_k[i])),
        "edge_occupation": float(max(n_k[i][edge].max() / flavours[i] for i in range(len(flavours)))),
    }


def sea_depletion(bilayer: Bilayer, species: int, basis: PlaneWaveBasis, n_k: np.ndarray) -> float:
    """The fraction of particles outside the Fermi sea of the free species.

    Inside are the full shells and, of a partly filled shell, as much as the free liquid puts there: 0 for any liquid
    with closed or equally filled shells, 1 - exp(-k_F^2 w^2) for Gaussian orbitals of width w.
    """
    s = bilayer.species[species]
    k2 = np.round(np.sum(_unit_k(basis) ** 2, axis=1), 9)
    inside, room = 0.0, float(s.count)
    for shell in np.unique(k2):
        mine = k2 == shell
        capacity = min(s.occupied_flavours * float(mine.sum()), room)
        inside += min(float(n_k[mine].sum()), capacity)
        room -= capacity
        if room < 0.5:
            break
    return float(1 - inside / s.count)


def phase_name(bilayer: Bilayer, end: End, depletion: dict[str, Any]) -> str:
    """Name of the state, from which species are crystals and how electrons sit on holes.

    The cut is MELTED_DEPLETION for species that the start put on sites, CRYSTAL_DEPLETION for the others.
    """
    present = [s for s in bilayer.species if s.count]
    placed = LOCALISED.get(end.label, ())
    alone = len(present) == 1 and bool(placed)  # any start but the liquid puts a single species on sites
    crystal = {s.name: depletion[s.name] > (MELTED_DEPLETION if alone or s.name in placed else CRYSTAL_DEPLETION)
               for s in present}
    if not any(crystal.values()):
        return "liquid"
    if not all(crystal.values()):
        return "hole-crystal" if crystal.get("hole") else "electron-crystal"
    counts = {s.name: s for s in bilayer.species if s.count}
    if {"electron", "hole"} <= set(counts) and counts["electron"].count == 2 * counts["hole"].count:
        return "dumbbell-crystal" if counts["electron"].spin == "polarized" else "trion-crystal"
    return "stripes" if end.label == "stripes" else "crystal"


def all_levels(end: End, hamiltonian: Hamiltonian, evaluation: Evaluation) -> tuple[list[Levels], float]:
    """Fock levels of every channel, and the largest error of an empty level that was solved for iteratively."""
    if not hamiltonian.setting.basis.real:
        from ehbilayer.hartree_fock.spectrum import crystal_levels

        known = [lv if lv is not None else crystal_levels(hamiltonian, end.frames, c)
                 for c, lv in enumerate(end.levels)]
        if hamiltonian.setting.basis.cells == 1:  # a complex free box: all of its levels are too many to keep
            known = [lv.lowest(int(np.count_nonzero(lv.filled)) + 12) for lv in known]
        return known, 0.0
    out, error = [], 0.0
    for c in range(len(hamiltonian.setting.channels)):
        filled = occupied_levels(hamiltonian, end.frames, evaluation.fock, c)
        spare = hamiltonian.setting.basis.size - filled.energy.size
        if spare > 8:
            empty, vectors, residual = empty_levels(hamiltonian, end.frames, c)
            error = max(error, residual)
        else:
            empty, vectors = np.zeros(0), np.zeros((0, hamiltonian.setting.basis.coefficients))
        assert filled.vectors is not None
        out.append(Levels(np.concatenate([filled.energy[0], empty])[None],
                          np.concatenate([filled.filled[0], 0 * empty])[None],
                          np.concatenate([filled.vectors[0], vectors])[None]))
    return out, error


def _gaps(bilayer: Bilayer, end: End, levels: list[Levels], error: float) -> dict[str, Any]:
    def gap(species: int) -> float | None:
        top, bottom = -np.inf, np.inf
        for channel, lv in zip(end.hamiltonian.setting.channels, levels, strict=True):
            if channel.species != species:
                continue
            known = np.isfinite(lv.energy)
            if np.any((lv.filled > 1e-9) & (lv.filled < 1 - 1e-9)):
                return 0.0  # an open shell
            top = max(top, lv.energy[known & (lv.filled > 0.5)].max())
            bottom = min(bottom, lv.energy[known & (lv.filled < 0.5)].min(initial=np.inf))
        # a filling that is not the lowest (aufbau says so) has no gap either
        return max(float(bottom - top), 0.0) if np.isfinite(bottom) else None

    # Fock levels follow density errors to first order: residual / gap times the exchange scale, taken as 10 residuals
    return {"gap": _per_species(bilayer, gap), "gap_error": 10 * float(end.minimum.residual[0]) + error}


def _start_row(bilayer: Bilayer, end: End) -> dict[str, Any]:
    n_k, basis = momentum_occupation(bilayer, end), end.hamiltonian.setting.basis
    depletion = _per_species(bilayer, lambda i: sea_depletion(bilayer, i, basis, n_k[i]))
    return {"start": end.label, "seed": end.seed, "energy": end.energy,
            "energy_per_particle": end.energy / bilayer.particles, "status": str(end.status.value),
            "phase": phase_name(bilayer, end, depletion), "residual": float(end.minimum.residual[0]),
            "fock_builds": end.cost}


def _inputs(bilayer: Bilayer, end: End, options: Options) -> dict[str, Any]:
    from dataclasses import asdict

    basis = end.hamiltonian.setting.basis
    return {
        "species": [s.parameters for s in bilayer.species],
        "spacing": bilayer.spacing, "zero_mode": bilayer.zero_mode, "capacitor": bilayer.capacitor,
        "interaction": type(bilayer.interaction).__name__.lower(),
        "channels": [{"label": c.label, "species": c.species, "orbitals": c.orbitals, "degeneracy": c.degeneracy}
                     for c in bilayer.channels],
        "box": basis.box.vectors.tolist(), "supercell": basis.supercell.tolist(), "options": asdict(options),
    }


def _state_data(end: End) -> dict[str, Variable]:
    setting = end.hamiltonian.setting
    data = {"waves": Variable(("wave", "axis"), setting.basis.waves, "1", "integer wave vectors of the box"),
            "wave_vector": Variable(("wave", "axis"), setting.basis.waves @ setting.basis.box.reciprocal, "1/a_h")}
    for c, (x, filling) in enumerate(zip(end.frames, setting.fillings, strict=True)):
        amplitudes = setting.basis.to_waves(np.asarray(x)[0], filling.blocks).reshape(-1, setting.basis.size)
        data[f"orbitals_{c}"] = Variable((f"orbital_{c}", "wave"), amplitudes, "1", "plane-wave amplitudes")
        data[f"occupations_{c}"] = Variable((f"orbital_{c}",), filling.flat, "1", "occupation of each orbital")
    trace = np.array(end.minimum.trace)
    data["trace_energy"] = Variable(("evaluation",), trace[:, 0], "Ha_h", "energy during minimisation")
    data["trace_residual"] = Variable(("evaluation",), trace[:, 1], "Ha_h", "largest residual during minimisation")
    return data


def _momentum_data(bilayer: Bilayer, n_k: np.ndarray) -> dict[str, Variable]:
    return {f"momentum_{s.name}": Variable(("wave",), n_k[i], "1", f"<n_k> of the {s.name}s, all flavours")
            for i, s in enumerate(bilayer.species) if s.count}


def _level_data(levels: list[Levels]) -> dict[str, Variable]:
    data = {}
    for c, lv in enumerate(levels):
        energy = np.where(np.isfinite(lv.energy), lv.energy, np.nan)
        data[f"levels_{c}"] = Variable((f"k_{c}", f"level_{c}"), energy, "Ha_h", "Fock levels")
        data[f"filled_{c}"] = Variable((f"k_{c}", f"level_{c}"), lv.filled, "1", "occupation of each level")
    return data


def _unfolded(bilayer: Bilayer, end: End, levels: list[Levels]) -> dict[str, Variable]:
    """Bands of a free box unfolded to the crystal's zone: each level's weight on every k of the primitive mesh."""
    basis = end.hamiltonian.setting.basis
    folded = basis.with_supercell(crystal_cell(basis.box, bilayer.sites), real=False)
    home = np.empty(basis.size, dtype=int)
    home[folded.index[folded.mask > 0]] = np.nonzero(folded.mask)[0]
    k = folded.k_points @ basis.box.reciprocal
    data = {"unfolded_k": Variable(("primitive_k", "axis"), k, "1/a_h", "k points of the primitive mesh"),
            "unfolded_path": Variable(("primitive_k",), distance_on_path(folded.cell, k), "1/a_h",
                                      "their distance along Gamma-K-M-Gamma, NaN off it"),
            "unfolded_corners": Variable(("corner",), np.array([m[0] for m in path_points(folded.cell, 1)[2]]), "1/a_h",
                                         "Gamma, K, M, Gamma")}
    for c, lv in enumerate(levels):
        assert lv.vectors is not None
        weight = np.abs(basis.to_waves(lv.vectors)[0]) ** 2
        on_k = np.stack([np.bincount(home, w, minlength=len(k)) for w in weight])
        data[f"unfolded_energy_{c}"] = Variable((f"state_{c}",), lv.energy[0], "Ha_h", "Fock levels of the box")
        data[f"unfolded_weight_{c}"] = Variable((f"state_{c}", "primitive_k"), on_k, "1", "their weight on each k")
    return data


def _density_data(bilayer: Bilayer, end: End, hamiltonian: Hamiltonian) -> dict[str, Variable]:
    """Densities of each species on a grid over the cell, and spin densities of unrestricted ones, in a_h^-2."""
    setting = hamiltonian.setting
    basis, area = setting.basis, float(setting.areas[0])
    state = hamiltonian.state(end.frames)
    data = {"cell": Variable(("vector", "axis"), basis.cell.vectors, "a_h", "cell the densities are given on")}
    per_channel = []
    for channel, filling, psi in zip(setting.channels, setting.fillings, state.psi, strict=True):
        f = filling.flat[:, None, None] * channel.degeneracy
        per_channel.append(_refine(np.sum(f * np.abs(psi[0]) ** 2, axis=0) / area))
    for i, s in enumerate(bilayer.species):
        mine = [d for c, d in zip(setting.channels, per_channel, strict=True) if c.species == i]
        if mine:
            total = np.sum(mine, axis=0)
            data[f"density_{s.name}"] = Variable(("cell_1", "cell_2"), total, "a_h^-2", f"{s.name} density")
        if len(mine) == 2:
            data[f"spin_density_{s.name}"] = Variable(("cell_1", "cell_2"), mine[0] - mine[1], "a_h^-2", "up - down")
    return data


def _refine(density: np.ndarray) -> np.ndarray:
    """The same trigonometric polynomial on at least FINE points per axis."""
    shape = [n if n >= FINE else n * int(np.ceil(FINE / n)) for n in density.shape]
    if tuple(shape) == density.shape:
        return density
    spectrum = np.fft.fftshift(np.fft.fft2(density, norm="forward"))
    before = [s // 2 - n // 2 for s, n in zip(shape, density.shape, strict=True)]
    padded = np.pad(spectrum, [(b, s - n - b) for b, s, n in zip(before, shape, density.shape, strict=True)])
    return np.fft.ifft2(np.fft.ifftshift(padded), norm="forward").real
