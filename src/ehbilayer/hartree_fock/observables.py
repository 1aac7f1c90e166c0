"""What a converged Hartree-Fock state says: energies, levels and gaps, densities, momenta, pressure, and its phase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import at_edge
from ehbilayer.hamiltonian import Evaluation, Hamiltonian
from ehbilayer.hartree_fock.bands import band_data
from ehbilayer.hartree_fock.order import (
    liquid_variance,
    momentum_variance,
    sea_depletion,
    zone_deviation,
)
from ehbilayer.hartree_fock.result import HartreeFockResult, Stability, StartRow
from ehbilayer.hartree_fock.spectrum import Levels, crystal_levels, empty_levels, occupied_levels
from ehbilayer.hartree_fock.stability import nothing_known
from ehbilayer.hartree_fock.stationary import Calculation, End, lowest
from ehbilayer.numerics.lattice import crystal_cell, distance_on_path, path_points
from ehbilayer.numerics.minimize import Minimum
from ehbilayer.orbitals import Orbitals
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status
from ehbilayer.torus import SPIN_TREATMENTS, Torus

FINE = 60  # least number of density samples along each cell vector


def report(run: Calculation, ends: Sequence[End], *, best: End | None = None, stability: Stability | None = None,
           prior: Sequence[StartRow] = (), quick: bool = False) -> HartreeFockResult:
    """The result of a calculation: its best end in full, all ends in a table.

    ``prior`` rows are starts finished before an interruption, whose best state is then the first end again; ``quick``
    leaves spectra out.
    """
    best = best or lowest(ends)
    torus, orbitals = run.torus, best.orbitals
    hamiltonian = best.hamiltonian.on_numpy()
    evaluation = hamiltonian.evaluate(best.frames)
    data = orbitals.variables() | _trace(best)
    data |= {f"momentum_{s.name}": Variable(("wave",), orbitals.momentum(s.name), "1",
                                            f"<n_k> of the {s.name}s, all flavours")
             for s in torus.species if s.count}
    said = _energies(run, best, evaluation, hamiltonian) | momenta(torus, best.hamiltonian.setting.basis, orbitals)
    if run.options.spectrum and not quick and best.status is not Status.not_finite:
        more, spectrum = _spectrum(torus, best, hamiltonian, evaluation, run.options.bands)
        data, said = data | more, said | spectrum
    rows = (*prior, *(_start_row(torus, e) for e in (ends[1:] if prior else ends)))
    return HartreeFockResult(status=best.status, **said, phase=best.phase, starts=rows,
                             stability=stability or nothing_known(best), inputs=inputs_of(run, orbitals), data=data)


def per_species(torus: Torus, value: Callable[[int], Any]) -> Carriers[Any]:
    """Values of the electrons, the holes and whatever else there is; None where a carrier is absent."""
    return Carriers({"electron": None, "hole": None} | {s.name: value(i) for i, s in enumerate(torus.species)
                                                        if s.count})


def _energies(run: Calculation, end: End, evaluation: Evaluation, hamiltonian: Hamiltonian) -> dict[str, Any]:
    torus, setting = run.torus, hamiltonian.setting
    energy = float(evaluation.energy[0])
    slope = float(hamiltonian.area_derivative(end.frames)[0]) if run.options.spectrum else np.nan
    return {
        "total_energy": energy, "energy_per_particle": energy / torus.particles,
        "energy_parts": {k: float(v[0]) for k, v in evaluation.parts.items()},
        "pressure": -slope if np.isfinite(slope) else None,
        "residual": float(end.minimum.residual[0]), "residual_target": run.options.residual_target,
        "iterations": end.cost, "basis_size": setting.basis.size,
        "k_points": len(setting.basis.k_points), "particles": per_species(torus, lambda i: torus.species[i].count),
        "area": torus.area, "zero_mode": torus.zero_mode, "aufbau": end.aufbau,
        "kept_symmetry": kept_symmetry(setting.basis), "occupation": run.options.occupation,
        "density": per_species(torus, lambda i: torus.species[i].count / torus.area),
        "fermi_energy": per_species(torus, lambda i: fermi_energy(torus, i)),
        "gap": per_species(torus, lambda i: None), "gap_error": None,
    }


def kept_symmetry(basis: PlaneWaveBasis) -> str:
    if basis.cells == 1:
        return "none"
    return "translations" if basis.coefficients == 1 else "crystal"


def fermi_energy(torus: Torus, species: int) -> float:
    """k_F^2/2m of the free species with k_F = sqrt(4 pi n) of its fullest flavour, in Ha_h."""
    s = torus.species[species]
    if s.spin in SPIN_TREATMENTS:
        return float(2 * np.pi * s.count / (torus.area * s.occupied_flavours * s.mass))
    return float(2 * np.pi * max(s.occupations) / (torus.area * s.mass))


def momenta(torus: Torus, basis: PlaneWaveBasis, orbitals: Orbitals) -> dict[str, Any]:
    edge = at_edge(basis.waves)
    return {
        "momentum_variance": per_species(torus, lambda i: momentum_variance(torus, orbitals, i)),
        "liquid_momentum_variance": per_species(torus, lambda i: liquid_variance(torus, i, basis)),
        "sea_depletion": per_species(torus, lambda i: sea_depletion(torus, orbitals, i)),
        "zone_deviation": per_species(torus, lambda i: zone_deviation(torus, orbitals, i)),
        "edge_occupation": float(max(orbitals.momentum(s.name)[edge].max() / s.occupied_flavours
                                     for s in torus.species)),
    }


def _spectrum(torus: Torus, end: End, hamiltonian: Hamiltonian,
              evaluation: Evaluation, bands: bool) -> tuple[dict[str, Variable], dict[str, Any]]:
    """Levels, bands and densities, and the fields that follow from them."""
    levels, error = all_levels(end, hamiltonian, evaluation)
    data = _level_data(levels, hamiltonian.setting.basis) | _density_data(end, hamiltonian)
    gap = per_species(torus, lambda i: gap_of(end, levels, i))
    # Fock levels follow density errors to first order: residual / gap times the exchange scale, taken as 10 residuals
    said = {"gap": gap, "gap_error": 10 * float(end.minimum.residual[0]) + error,
            "aufbau": end.aufbau and all(g > -1e-6 for g in gap.values() if g is not None)}
    if hamiltonian.setting.basis.cells == 1:
        return data | _unfolded(torus, end, levels), said
    more, masses = band_data(hamiltonian, end.frames) if bands else ({}, None)
    return data | more, said | {"effective_mass": masses}


def all_levels(end: End, hamiltonian: Hamiltonian, evaluation: Evaluation) -> tuple[list[Levels], float]:
    """Fock levels of every channel, and the largest error of an empty level that was solved for iteratively."""
    if not hamiltonian.setting.basis.real:
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


def gap_of(end: End, levels: list[Levels], species: int) -> float | None:
    """The lowest empty less the highest filled level of a species, 0 with an open shell; None where none is known."""
    top, bottom, torus = -np.inf, np.inf, end.hamiltonian.setting.tori[0]
    for channel, lv in zip(end.hamiltonian.setting.channels, levels, strict=True):
        if channel.species != species:
            continue
        known = np.isfinite(lv.energy)
        if np.any((lv.filled > 1e-9) & (lv.filled < 1 - 1e-9)):
            return 0.0
        # flavours that share orbitals have the mean of what a field adds to each
        split = float(np.ptp(torus.species[species].levels(channel))) / 2
        top = max(top, lv.energy[known & (lv.filled > 0.5)].max() + split)
        bottom = min(bottom, lv.energy[known & (lv.filled < 0.5)].min(initial=np.inf) - split)
    # a filling that is not the lowest (aufbau says so) has no gap either
    return max(float(bottom - top), 0.0) if np.isfinite(bottom) else None


def gaps_of(run: Calculation, orbitals: Orbitals) -> Carriers[float]:
    """The gap of every species (Ha_h) in a state as it stands, on the basis of the calculation."""
    begin = orbitals.on(run.torus, run.basis)
    hamiltonian = run.hamiltonian(begin.fillings).on_numpy()
    frames = tuple(np.asarray(x)[None] for x in begin.frames)
    here = Minimum(frames, np.zeros(1), np.zeros(1), np.ones(1, bool), 0, 0, trace=[(0.0, 0.0)])
    end = End(run.options.start, 0, Status.converged, here, hamiltonian, (None,) * len(frames), True, 0)
    levels, _ = all_levels(end, hamiltonian, hamiltonian.evaluate(frames))
    return per_species(run.torus, lambda i: gap_of(end, levels, i))


def _start_row(torus: Torus, end: End) -> StartRow:
    return StartRow(end.label, end.seed, end.energy, end.energy / torus.particles, end.status,
                    end.phase, float(end.minimum.residual[0]), end.cost)


def inputs_of(run: Calculation, orbitals: Orbitals) -> dict[str, Any]:
    torus = run.torus
    return {
        "species": [s.parameters for s in torus.species],
        "spacing": torus.bilayer.spacing, "zero_mode": torus.zero_mode, "capacitor": torus.capacitor,
        "interaction": torus.bilayer.interaction.parameters, **orbitals.parameters, "options": asdict(run.options),
        **({} if torus.bilayer.potential is None else {"potential": torus.bilayer.potential.parameters}),
    }


def _trace(end: End) -> dict[str, Variable]:
    trace = np.array(end.minimum.trace)
    return {"trace_energy": Variable(("evaluation",), trace[:, 0], "Ha_h", "energy during minimisation"),
            "trace_residual": Variable(("evaluation",), trace[:, 1], "Ha_h", "largest residual during minimisation")}


def _level_data(levels: list[Levels], basis: PlaneWaveBasis) -> dict[str, Variable]:
    data = {"mesh_k": Variable(("mesh", "axis"), basis.k_points @ basis.box.reciprocal, "1/a_h",
                               "k points of the levels")}
    for c, lv in enumerate(levels):
        energy = np.where(np.isfinite(lv.energy), lv.energy, np.nan)
        data[f"levels_{c}"] = Variable((f"k_{c}", f"level_{c}"), energy, "Ha_h", "Fock levels")
        data[f"filled_{c}"] = Variable((f"k_{c}", f"level_{c}"), lv.filled, "1", "occupation of each level")
    return data


def _unfolded(torus: Torus, end: End, levels: list[Levels]) -> dict[str, Variable]:
    """Bands of a free box unfolded to the crystal's zone: each level's weight on every k of the primitive mesh."""
    basis = end.hamiltonian.setting.basis
    potential = torus.bilayer.potential
    cells = crystal_cell(basis.box, torus.sites) if potential is None else potential.cells(basis.box)
    folded = basis.with_supercell(cells, real=False)
    home = np.empty(basis.size, dtype=int)
    home[folded.index[folded.mask > 0]] = np.nonzero(folded.mask)[0]
    k, marks = folded.k_points @ basis.box.reciprocal, path_points(folded.cell, 1)[2]
    data = {"unfolded_k": Variable(("primitive_k", "axis"), k, "1/a_h", "k points of the primitive mesh"),
            "unfolded_path": Variable(("primitive_k",), distance_on_path(folded.cell, k), "1/a_h",
                                      "their distance along the path, NaN off it"),
            "unfolded_corners": Variable(("corner",), np.array([m[0] for m in marks]), "1/a_h", "corners of the path"),
            "unfolded_names": Variable(("corner",), np.array([m[1] for m in marks]), "1", "their names")}
    for c, lv in enumerate(levels):
        assert lv.vectors is not None
        weight = np.abs(basis.to_waves(lv.vectors)[0]) ** 2
        on_k = np.stack([np.bincount(home, w, minlength=len(k)) for w in weight])
        data[f"unfolded_energy_{c}"] = Variable((f"state_{c}",), lv.energy[0], "Ha_h", "Fock levels of the box")
        data[f"unfolded_weight_{c}"] = Variable((f"state_{c}", "primitive_k"), on_k, "1", "their weight on each k")
    return data


def _density_data(end: End, hamiltonian: Hamiltonian) -> dict[str, Variable]:
    """Densities of each species on a grid over the cell, and spin densities of unrestricted ones, in a_h^-2."""
    setting = hamiltonian.setting
    basis, torus = setting.basis, setting.tori[0]
    state = hamiltonian.state(end.frames)
    data = {"cell": Variable(("vector", "axis"), basis.cell.vectors, "a_h", "cell the densities are given on")}
    of_part = []
    for part in setting.parts:
        f = setting.fillings[part.channel].flat[:, None, None] * setting.channels[part.channel].degeneracy
        psi = state.psi[part.channel][0, :, part.component]
        of_part.append(refined(np.sum(f * np.abs(psi) ** 2, axis=0) / torus.area))
    potential, steps = torus.bilayer.potential, np.arange(FINE) / FINE
    grid = steps[:, None, None] * basis.cell.vectors[0] + steps[None, :, None] * basis.cell.vectors[1]
    for i, s in enumerate(torus.species):
        if potential is not None and s.count and potential.amplitude(s.charge):
            data[f"potential_{s.name}"] = Variable(("potential_1", "potential_2"), potential.values(
                basis.box, s.charge, grid), "Ha_h", f"external potential of the {s.name}s over the cell")
        mine = [d for p, d in zip(setting.parts, of_part, strict=True) if p.species == i]
        if mine:
            total = np.sum(mine, axis=0)
            data[f"density_{s.name}"] = Variable(("cell_1", "cell_2"), total, "a_h^-2", f"{s.name} density")
        if len(mine) == 2:
            data[f"spin_density_{s.name}"] = Variable(("cell_1", "cell_2"), mine[0] - mine[1], "a_h^-2", "up - down")
    return data


def refined(density: np.ndarray) -> np.ndarray:
    """The same trigonometric polynomial on at least FINE points per axis."""
    shape = [n if n >= FINE else n * int(np.ceil(FINE / n)) for n in density.shape]
    if tuple(shape) == density.shape:
        return density
    spectrum = np.fft.fftshift(np.fft.fft2(density, norm="forward"))
    before = [s // 2 - n // 2 for s, n in zip(shape, density.shape, strict=True)]
    padded = np.pad(spectrum, [(b, s - n - b) for b, s, n in zip(before, shape, density.shape, strict=True)])
    return np.fft.ifft2(np.fft.ifftshift(padded), norm="forward").real
