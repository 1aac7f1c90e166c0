"""Studies of kind "hartree-fock": from the study to one call of the solver, and the table of what comes back."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.results.base import Result
from ehbilayer.results.files import read_bytes
from ehbilayer.studies.bilayer import spacing_line
from ehbilayer.studies.file import Study
from ehbilayer.studies.hartree_fock import keys
from ehbilayer.studies.keys import WAVES, names_waves
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines, rough_time
from ehbilayer.studies.torus import (
    Contents,
    check_memory,
    choose_waves,
    contents_of,
    critical_rs_of,
    resolved_entries,
    torus_of,
)
from ehbilayer.torus import Channel, Torus
from ehbilayer.units import nearest

if TYPE_CHECKING:
    from ehbilayer.hartree_fock.options import Options

ENERGIES = ("energy", "energy_per_particle", "energy_parts", "gap", "gap_error", "fermi_energy")
UNITS = {"pressure": "Ha_h/a_h^2", "residual": "Ha_h"}
ALONE = ("liquid", "random", "path")  # starts that gain nothing from a neighbour, or are not to have one


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
    resolved: dict[str, Any]
    inputs: dict[str, Any]
    start: Result | None
    estimate: dict[str, float]
    critical_rs: float | None


def prepare(study: Study) -> Task:
    """The task of a Hartree-Fock study. Raises InputError for one that cannot be computed."""
    prepared = problem_of(study)
    return Task(study, prepared.torus.bilayer.scales, prepared.inputs, prepared.resolved, tuple(_plan(prepared)),
                lambda run: _solve(prepared, run), seed=prepared.options.seed, energies=ENERGIES, units=UNITS,
                start=prepared.start, extra={"critical_rs": prepared.critical_rs},
                carries=() if prepared.options.start in ALONE else ("waves", "orbitals_", "occupations_"))


def problem_of(study: Study) -> Prepared:
    """Everything a Hartree-Fock calculation needs, checked; computes nothing but a critical r_s that is asked for.

    Raises InputError for a study that cannot be computed: one line, the dotted key and the way out.
    """
    contents = contents_of(study)
    _check_size(study, contents)
    start, start_file = keys.of(study).start, _start_file(study)
    options = replace(options_of(study), start="path" if start_file else start)
    torus = torus_of(study, contents)
    basis = _basis(study, torus, options)
    estimate = basis.estimate(torus)
    check_memory(estimate["memory_bytes"])
    # from noise it takes several times the evaluations of a start near its end
    estimate["seconds"] *= options.starts * (8 if options.start == "random" else 1)
    inputs = study.canonical()
    if start_file is not None:
        inputs["start_sha256"] = hashlib.sha256(read_bytes(start_file)).hexdigest()
    resolved = resolved_entries(study, torus, basis) | {"hartree-fock": asdict(options) | {"start": start}}
    refers = study.density.hole_over_critical is not None
    return Prepared(study, torus, basis, options, resolved, inputs, _load_start(start_file), estimate,
                    critical_rs_of(study, contents)() if refers else None)


def options_of(study: Study) -> Options:
    """Solver options of [hartree-fock] without its start."""
    from ehbilayer.hartree_fock.options import Options

    table = keys.of(study)
    names = ("spin_order", "starts", "seed", "keep", "follow", "occupation", "tolerance", "max_iterations", "stability")
    return Options(basis_tolerance=None if names_waves(study.cell) else table.tolerance,
                   **{k: getattr(table, k) for k in names})


def _start_file(study: Study) -> Path | None:
    """The result file that the study starts from, if it names one."""
    start = keys.of(study).start
    path = None if start in keys.STARTS else study.result_file(start)
    if start in keys.STARTS or path is not None:
        return path
    raise InputError("hartree-fock.start", " | ".join(keys.STARTS) + " | an existing result file", start[:60],
                     nearest(start, keys.STARTS, "no such file; check the path"))


def _load_start(path: Path | None) -> Result | None:
    """A result that Hartree-Fock can start from. Raises InputError (ResultFileError for a damaged file)."""
    if path is None:
        return None
    result = Result.load(path)
    if result.kind != "hartree-fock":
        raise InputError("hartree-fock.start", "a result of kind hartree-fock", result.kind, f"{path} is another kind")
    return result


def _basis(study: Study, torus: Torus, options: Options) -> PlaneWaveBasis:
    """Box, waves and the cell they are sorted by. Raises InputError where they cannot hold the particles."""
    waves = choose_waves(study.cell, torus, options.tolerance)
    for channel in torus.channels:
        _check_holds(study, channel, len(waves))
    if study.cell.symmetry == "none":
        return PlaneWaveBasis(torus.box, waves)
    sites = study.cell.holes or torus.channels[0].orbitals
    basis = PlaneWaveBasis(torus.box, waves, crystal_cell(torus.box, sites, study.cell.holes_per_cell))
    _check_blocks(study, torus, basis)
    return basis


def _basis_key(study: Study) -> str:
    return next((f"cell.{k}" for k in WAVES if getattr(study.cell, k) is not None), "hartree-fock.tolerance")


def _check_holds(study: Study, channel: Channel, waves: int) -> None:
    if channel.orbitals > waves:
        raise InputError(_basis_key(study), f"a basis of at least {channel.orbitals} plane waves, one per "
                         f"{channel.label} orbital", f"{waves} waves", "enlarge the basis")


def _check_blocks(study: Study, torus: Torus, basis: PlaneWaveBasis) -> None:
    """A crystal fills the same bands at every k, so every k needs that many waves."""
    fewest = int(basis.mask.sum(axis=1).min()) if len(basis.mask) == basis.cells else 0
    for channel in torus.channels:
        bands = channel.orbitals // basis.cells
        if keys.of(study).start != "liquid" and channel.orbitals % basis.cells == 0 and bands > fewest:
            raise InputError(_basis_key(study), f"a basis with at least {bands} waves at each of the {basis.cells} k "
                             f"points ({channel.label})", f"{fewest} at one of them", "enlarge the basis")


def _check_size(study: Study, contents: Contents) -> None:
    """Refuse what cannot fit before any array is made: a few frames of coefficients, 8 bytes each."""
    cell = study.cell
    waves = math.prod(cell.plane_waves) if cell.plane_waves else 1 + 3 * (cell.hexagon or 0) * ((cell.hexagon or 0) + 1)
    blocks = max(1, (cell.holes or 1) // cell.holes_per_cell) if cell.symmetry == "crystal" else 1
    shared = {name: getattr(study.bilayer, f"{name}_flavours") if contents.spin(name) == "restricted" else 1
              for name in contents.numbers}
    orbitals = sum(count / shared[name] for name, count in contents.numbers.items())
    check_memory(20 * 8 * orbitals * max(waves, 1) / blocks)


def _solve(prepared: Prepared, run: Hooks) -> Result:
    from ehbilayer.hartree_fock.cutoff import orbitals_of
    from ehbilayer.hartree_fock.solver import solve
    from ehbilayer.hartree_fock.starts import How

    def progress(state: dict[str, Any]) -> None:
        run.progress(progress_line(state))

    def checkpoint(result: Result) -> None:
        run.checkpoint(_both_species(result))

    initial = run.initial or _neighbour(prepared, run.neighbour)
    how = How(run.backend, run.threads, progress, checkpoint, run.should_stop)
    result = solve(prepared.torus, prepared.basis, prepared.options, how,
                   initial=None if initial is None else orbitals_of(initial), unfinished=run.unfinished)
    return _both_species(result)


def _neighbour(prepared: Prepared, neighbour: Result | None) -> Result | None:
    """The result of a neighbouring point of the same particles if it still is the phase that this study starts from."""
    if neighbour is None:
        return None
    from ehbilayer.hartree_fock.handover import may_go_on, same_particles

    s = neighbour.summary
    if not same_particles(prepared.torus, neighbour.inputs):
        return None
    return neighbour if may_go_on(prepared.options.start, s["phase"], s["sea_depletion"]) else None


def _both_species(result: Result) -> Result:
    """The summary names both species; one that is absent is null."""
    present = result.summary.get("particles") or {}
    named = {name: present.get(name) for name in ("electron", "hole")} | present
    return result.with_entries({"particles": named})


def progress_line(state: dict[str, Any]) -> str:
    """One line on where a calculation is."""
    start = f"start {state['start']}/{state['starts']}  " if state.get("starts", 1) > 1 else ""
    return (f"{start}iteration {state['iteration']:4d}  energy/particle {state['energy_per_particle']:+.10f} Ha_h  "
            f"residual {state['residual']:.1e} (target {state['target']:.1e})")


def _plan(prepared: Prepared) -> list[str]:
    """What is about to be computed: device, species, density, box, basis, convention, memory and rough time."""
    study, cell, bilayer = prepared.study, prepared.resolved["cell"], prepared.torus.bilayer
    lines = [*device_lines(bilayer.material, bilayer.scales), *spacing_line(bilayer)]
    for name, s in prepared.resolved["species"].items():
        real = f" = {bilayer.scales.density_per_cm2(s['density']):.4g} cm^-2" if bilayer.scales.known else ""
        unit = "a_e" if name == "electron" else "a_h"
        lines.append(f"  {name + 's':10s} {s['count']}, {s['spin']}; density {s['density']:.6g} a_h^-2{real}, "
                     f"r_s = {s['rs']:.5g} {unit}")
    if prepared.critical_rs is not None:
        lines.append(f"  critical   r_s = {prepared.critical_rs:.5g} a_h ({study.density.critical_rs})")
    sort = "the whole box free" if cell["cells"] == 1 else f"a cell with {cell['cells']} k points"
    options = prepared.options
    more = " or more" if options.basis_tolerance is not None else ""
    lines.append(f"  box        {cell['shape']}, {cell['area']:.6g} a_h^2, {cell['basis_size']} plane waves{more}, "
                 f"{sort}")
    lines.append(f"  solve      zero mode {cell['zero_mode']}, start {keys.of(study).start}, {options.starts} "
                 f"start{'s' * (options.starts > 1)}, keep {options.keep}, occupation {options.occupation}, "
                 f"tolerance {options.tolerance:g} Ha_h")
    lines.append(f"  estimate   {prepared.estimate['memory_bytes'] / 1e6:.0f} MB, "
                 f"{rough_time(prepared.estimate['seconds'])}")
    return lines
