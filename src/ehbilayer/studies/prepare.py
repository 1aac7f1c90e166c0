"""From a validated study to what a method computes: bilayer, basis and options, in hole atomic units."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis, disk_waves, hexagon_waves, rectangle_waves
from ehbilayer.errors import InputError
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.results.base import Result
from ehbilayer.studies.file import Study
from ehbilayer.studies.hartree_fock import keys as hartree_fock_keys
from ehbilayer.studies.hartree_fock.keys import STARTS
from ehbilayer.studies.keys import MOST_WAVES, WAVES, CellTable, names_waves
from ehbilayer.studies.particles import Counts, Spins, box_shape, count_particles, make_torus, resolve_scales
from ehbilayer.torus import Channel, Torus
from ehbilayer.units import Scales, density_from_rs, nearest

if TYPE_CHECKING:
    from ehbilayer.hartree_fock.options import Options


_CRITICAL: dict[tuple, float] = {}  # computed critical r_s by what they depend on


@dataclass(frozen=True)
class Prepared:
    """A study ready to compute.

    ``resolved`` lists every parameter, defaults included, in hole atomic units; ``inputs`` is what identifies the
    calculation; ``start`` is the earlier result to start from, if any.
    """

    study: Study
    torus: Torus
    basis: PlaneWaveBasis
    options: Options
    scales: Scales
    resolved: dict[str, Any]
    inputs: dict[str, Any]
    start: Result | None
    estimate: dict[str, float]
    critical_rs: float | None


def prepare(study: Study) -> Prepared:
    """Everything a Hartree-Fock calculation needs, checked; computes nothing but a critical r_s that is asked for.

    Raises InputError for a study that cannot be computed: one line, the dotted key and the way out.
    """
    scales = resolve_scales(study.bilayer)
    counts = count_particles(study.cell, study.density.electrons_per_hole)
    start_file = _start_file(study)
    options = replace(make_options(study), start="path" if start_file else hartree_fock_keys.of(study).start)
    critical = critical_rs_of(study, counts)
    torus = make_torus(study, scales, counts, spins_of(study), critical)
    _check_size(study, torus)
    basis = make_basis(study, torus)
    estimate = basis.estimate(torus)
    _check_memory(estimate["memory_bytes"])
    # from noise it takes several times the evaluations of a start near its end
    estimate["seconds"] *= options.starts * (8 if options.start == "random" else 1)
    inputs = study.canonical()
    if start_file is not None:
        inputs["start_sha256"] = _file_digest(start_file)
    resolved = resolved_parameters(study, torus, basis) | {
        "hartree-fock": asdict(options) | {"start": hartree_fock_keys.of(study).start}}
    start = None if start_file is None else _load_start(start_file)
    return Prepared(study, torus, basis, options, scales, resolved, inputs, start, estimate,
                    critical() if study.density.hole_over_critical is not None else None)


def spins_of(study: Study) -> Spins:
    """The spins that [hartree-fock] asks for."""
    table = hartree_fock_keys.of(study)
    return Spins(table.electron_spin, table.hole_spin)


def make_options(study: Study) -> Options:
    """Solver options of [hartree-fock] without its start."""
    from ehbilayer.hartree_fock.options import Options

    table = hartree_fock_keys.of(study)
    names = ("spin_order", "starts", "seed", "keep", "follow", "occupation", "tolerance", "max_iterations", "stability")
    free = not names_waves(study.cell)
    return Options(basis_tolerance=table.tolerance if free else None, **{k: getattr(table, k) for k in names})


def _start_file(study: Study) -> Path | None:
    """The result file that the study starts from, if it names one."""
    start = hartree_fock_keys.of(study).start
    path = None if start in STARTS else study.result_file(start)
    if start in STARTS or path is not None:
        return path
    raise InputError("hartree-fock.start", " | ".join(STARTS) + " | an existing result file", start[:60],
                     nearest(start, STARTS, "no such file; check the path"))


def _load_start(path: Path) -> Result:
    """A result that Hartree-Fock can start from. Raises InputError (ResultFileError for a damaged file)."""
    result = Result.load(path)
    if result.kind != "hartree-fock":
        raise InputError("hartree-fock.start", "a result of kind hartree-fock", result.kind, f"{path} is another kind")
    return result


def critical_rs_of(study: Study, counts: Counts, name: str = "hole",
                   spins: Spins | None = None) -> Callable[[], float]:
    """A function that returns the critical r_s of one layer alone, given or computed (once), in this convention.

    It counts in the Bohr radius of the carriers ``name``, so that their mass does not enter, only their spin.
    """

    @cache
    def critical() -> float:
        given = study.density.critical_rs
        if given is None:
            raise InputError("density.critical_rs", '"computed" or a number', "missing",
                             "say what hole_over_critical refers to")
        return float(given) if given != "computed" else _compute_critical_rs(study, counts, name,
                                                                             spins or spins_of(study))

    return critical


def _compute_critical_rs(study: Study, counts: Counts, name: str, spins: Spins) -> float:
    from ehbilayer.hartree_fock.critical import BRACKET, critical_rs

    flavours = study.bilayer.hole_flavours if name == "hole" else study.bilayer.electron_flavours
    spin, count = (spins.hole, counts.holes) if name == "hole" else (spins.electron, counts.electrons)
    alone = Bilayer((Carrier("hole", 1, 1.0, 0, density_from_rs(BRACKET[1]), flavours),))
    layer = Torus(alone, count, shape=box_shape(study.cell), zero_mode=study.cell.zero_mode or "", hole_spin=spin)
    # The crossing is looked for at many densities on the same integer waves. A cutoff in 1/a_h means other integers at
    # each, so it gives way to the tolerance, which asks for the most waves at the lowest density.
    free = study.cell.model_copy(update={"cutoff": None})
    basis = PlaneWaveBasis(layer.box, choose_waves(free, layer, hartree_fock_keys.of(study).tolerance))
    key = (tuple(layer.box.vectors.ravel().tolist()), basis.waves.tobytes(), count, layer.zero_mode, spin)
    if key not in _CRITICAL:  # all points of a sweep ask for the same
        _CRITICAL[key] = critical_rs(basis, count, layer.zero_mode, spin=spin)
    return _CRITICAL[key]


def make_basis(study: Study, torus: Torus) -> PlaneWaveBasis:
    """Waves and the cell they are sorted by. Raises InputError where they cannot hold the particles."""
    waves = choose_waves(study.cell, torus, hartree_fock_keys.of(study).tolerance)
    for channel in torus.channels:
        _check_holds(study, channel, len(waves))
    if study.cell.symmetry == "none":
        return PlaneWaveBasis(torus.box, waves)
    sites = torus.holes or torus.channels[0].orbitals
    basis = PlaneWaveBasis(torus.box, waves, crystal_cell(torus.box, sites, study.cell.holes_per_cell))
    _check_blocks(study, torus, basis)
    return basis


def choose_waves(cell: CellTable, torus: Torus, tolerance: float) -> np.ndarray:
    """Integer wave vectors (M, 2) that [cell] asks for in this box; from the tolerance where it names none."""
    if cell.plane_waves is not None:
        _check_waves("cell.plane_waves", math.prod(cell.plane_waves), cell.plane_waves)
        return rectangle_waves(*cell.plane_waves)
    if cell.hexagon is not None:
        _check_waves("cell.hexagon", 1 + 3 * cell.hexagon * (cell.hexagon + 1), cell.hexagon)
        return hexagon_waves(torus.box, cell.hexagon)
    if cell.cutoff is not None:
        _check_waves("cell.cutoff", cell.cutoff**2 * torus.area / (4 * math.pi), cell.cutoff)
        return disk_waves(torus.box, cell.cutoff)
    from ehbilayer.basis.plane_waves import waves_for_tolerance

    return waves_for_tolerance(torus, tolerance)


def _check_waves(key: str, count: float, was: object) -> None:
    if count > MOST_WAVES:
        raise InputError(key, f"a basis of at most {MOST_WAVES} plane waves", was, "choose a smaller basis")


def _basis_key(study: Study) -> str:
    return next((f"cell.{k}" for k in WAVES if getattr(study.cell, k) is not None),
                "hartree-fock.tolerance")


def _check_holds(study: Study, channel: Channel, waves: int) -> None:
    if channel.orbitals > waves:
        raise InputError(_basis_key(study), f"a basis of at least {channel.orbitals} plane waves, one per "
                         f"{channel.label} orbital", f"{waves} waves", "enlarge the basis")


def _check_blocks(study: Study, torus: Torus, basis: PlaneWaveBasis) -> None:
    """A crystal fills the same bands at every k, so every k needs that many waves."""
    fewest = int(basis.mask.sum(axis=1).min()) if len(basis.mask) == basis.cells else 0
    for channel in torus.channels:
        bands = channel.orbitals // basis.cells
        if hartree_fock_keys.of(study).start != "liquid" and channel.orbitals % basis.cells == 0 and bands > fewest:
            raise InputError(_basis_key(study), f"a basis with at least {bands} waves at each of the {basis.cells} k "
                             f"points ({channel.label})", f"{fewest} at one of them", "enlarge the basis")


def _check_size(study: Study, torus: Torus) -> None:
    """Refuse what cannot fit before any array is made: a few frames of coefficients, 8 bytes each."""
    cell = study.cell
    waves = math.prod(cell.plane_waves) if cell.plane_waves else 1 + 3 * (cell.hexagon or 0) * ((cell.hexagon or 0) + 1)
    blocks = max(1, (cell.holes or 1) // cell.holes_per_cell) if cell.symmetry == "crystal" else 1
    _check_memory(20 * 8 * sum(c.orbitals for c in torus.channels) * max(waves, 1) / blocks)


def _check_memory(needed: float) -> None:
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system tells
        return
    if needed > there:
        raise InputError("cell", f"a calculation that fits into {there / 1e9:.1f} GB of memory",
                         f"one of about {needed / 1e9:.3g} GB",
                         'fewer plane waves or particles, or symmetry = "crystal"')


def _file_digest(path: Path) -> str:
    import hashlib

    from ehbilayer.results.base import read_bytes

    return hashlib.sha256(read_bytes(path)).hexdigest()


def resolved_parameters(study: Study, torus: Torus, basis: PlaneWaveBasis) -> dict[str, Any]:
    """Device, species and box with defaults, in hole atomic units (masses in m0 as given, and as used)."""
    species = {s.name: {"mass": s.mass, "charge": s.charge, "layer": s.layer, "count": s.count, "spin": s.spin,
                        "flavours": s.flavours, "density": s.carrier.density, "rs": s.carrier.rs}
               for s in torus.species}
    return {
        "kind": study.kind,
        "bilayer": resolved_device(torus.bilayer, torus.capacitor),
        "species": species,
        "cell": {"shape": study.cell.shape if study.cell.vectors is None else "vectors",
                 "vectors": basis.box.vectors.tolist(), "area": torus.area, "basis_size": basis.size,
                 "plane_waves": study.cell.plane_waves, "hexagon": study.cell.hexagon, "cutoff": study.cell.cutoff,
                 "zero_mode": torus.zero_mode, "symmetry": study.cell.symmetry, "cells": basis.cells,
                 "supercell": basis.supercell.tolist()},
    }


def resolved_device(bilayer: Bilayer, capacitor: bool) -> dict[str, Any]:
    """Masses (m0) and dielectric constant as far as they are known, and the layers in hole atomic units."""
    scales = bilayer.scales
    return {"material": bilayer.material, "electron_mass": scales.electron_mass, "hole_mass": scales.hole_mass,
            "dielectric": scales.dielectric, "spacing": bilayer.spacing, "interaction": bilayer.interaction.name,
            "capacitor": capacitor}


def spacing_line(bilayer: Bilayer) -> list[str]:
    """The plan line that tells the distance between the layers, where there are two."""
    real = f" = {bilayer.scales.length_nm(bilayer.spacing):.4g} nm" if bilayer.scales.known else ""
    return [f"  spacing    {bilayer.spacing:.6g} a_h{real}"] if len(bilayer.carriers) > 1 else []
