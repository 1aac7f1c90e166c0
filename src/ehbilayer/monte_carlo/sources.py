"""What a trial function is made from: the name of a phase, the orbitals of a Hartree-Fock result, or a Monte Carlo
result, whose optimised parameters go on at another density, spacing or number of particles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.monte_carlo.bands import Bands
from ehbilayer.monte_carlo.determinants import BANDS
from ehbilayer.monte_carlo.factors import Block, Factor
from ehbilayer.monte_carlo.orbitals import reduced_waves
from ehbilayer.monte_carlo.result import MonteCarloResult
from ehbilayer.monte_carlo.splines import GRID
from ehbilayer.monte_carlo.trial import OF_HARTREE_FOCK, TRIALS, UNTWISTED, Trial, Twist, blocks_of, make_trial
from ehbilayer.orbitals import Determinant, Orbitals
from ehbilayer.results.base import Result
from ehbilayer.results.files import RESULT
from ehbilayer.torus import Torus
from ehbilayer.units import nearest

FINER = 8  # points of the grid for the period of the shortest wave
Source = str | HartreeFockResult | MonteCarloResult


def read_source(trial: str | Path | Result) -> Source:
    """The name of a phase, or a result that is given or in a file. Raises InputError for what is neither."""
    if isinstance(trial, str) and trial in TRIALS:
        return trial
    if not isinstance(trial, str | Path | Result):
        raise InputError("trial", "the name of a phase, a result or its file", f"a {type(trial).__name__}",
                         f"names: {' '.join(TRIALS)}")
    if not isinstance(trial, Result):
        path = Path(trial)
        found = next((p for p in (path, path / RESULT) if p.is_file()), None)
        if found is None:
            raise InputError("trial", " | ".join(TRIALS) + " | a result or its file", str(trial)[:60],
                             nearest(str(trial), TRIALS, "no such file; check the path"))
        trial = Result.load(found)
    if not isinstance(trial, HartreeFockResult | MonteCarloResult):
        raise InputError("trial", "a result of kind hartree-fock or monte-carlo", trial.kind, "give another one")
    return trial


def check_backflow(source: Source, backflow: int) -> None:
    """Raise InputError for ``backflow`` of a trial function that is not of plane waves alone."""
    if not backflow:
        return
    tables = not isinstance(source, str) and "orbitals_0" in source.data
    name = source if isinstance(source, str) else f"{source.kind} result"
    if tables or (isinstance(source, MonteCarloResult) and source.trial != "liquid") or (
            isinstance(source, str) and source != "liquid"):
        raise InputError("backflow", f"absent for the trial {name}; it is there for liquids, in plane waves", backflow,
                         "leave it out, or take a liquid")


def trial_of(torus: Torus, source: Source, jastrow: int, twist: Twist | None = None,
             backflow: int = 0) -> tuple[Trial, np.ndarray | None]:
    """The trial function of a source and its parameters, where the source has some; plane waves moved by ``twist``.

    Raises InputError for what `trial.check_trial` and `check_backflow` refuse, orbitals of another box, interaction or
    other particles, a Monte Carlo result of other carriers or of more parameters.
    """
    check_backflow(source, backflow)
    if isinstance(source, str):
        return replace(make_trial(torus, source, jastrow, twist), backflow=backflow), None
    name = source.phase if isinstance(source, HartreeFockResult) else source.trial.removesuffix(OF_HARTREE_FOCK)
    if twist is not None and (name in UNTWISTED or "orbitals_0" in source.data):
        raise InputError("twists", "absent for orbitals of a result or about centres", list(twist), "leave it out")
    if isinstance(source, HartreeFockResult):
        _same_problem(torus, source)
        return banded(torus, source.orbitals, name, jastrow), None
    if "orbitals_0" in source.data:
        trial = banded(torus, Orbitals.read(source.data, source.inputs), name, jastrow)
    else:
        trial = replace(make_trial(torus, name, jastrow, twist), backflow=backflow)
    return trial, _carried(trial, source)


def banded(torus: Torus, orbitals: Orbitals, phase: str, jastrow: int) -> Trial:
    """Determinants of ``orbitals`` of a box of the same shape."""
    blocks = blocks_of(torus)
    bands, numbers = bands_of(torus, orbitals, blocks)
    tables = [b.table() for b in bands]
    first = np.concatenate([[0], np.cumsum([t.shape[-1] for t in tables])])
    factors = tuple(Factor(b, BANDS, band=int(first[n]), bands=bands[n])
                    for b, n in zip(blocks, numbers, strict=True))
    return Trial(torus, phase, blocks, factors, (), jastrow, np.concatenate(tables, axis=-1), orbitals.occupied())


def bands_of(torus: Torus, orbitals: Orbitals, blocks: Sequence[Block]) -> tuple[list[Bands], list[int]]:
    """The orbitals of every determinant that occurs, and the number of that of each block.

    Raises InputError for orbitals of a box of another shape or of other particles, spinors and partly filled shells.
    """
    old, new = (cell.vectors / np.sqrt(cell.area) for cell in (orbitals.box, torus.box))
    if not np.allclose(old, new, atol=1e-6):
        raise InputError("trial", "a result of a box of this shape", orbitals.box.vectors.tolist(),
                         "use its box, or another trial")
    reach = int(np.abs(reduced_waves(torus, orbitals.waves)).max(initial=0))
    grid = max(GRID, FINER * reach)
    found: dict[str, tuple[int, Bands]] = {}
    numbers = []
    for block in blocks:
        d = _determinant(torus, orbitals, block)
        if d.label not in found:
            found[d.label] = len(found), Bands.of(torus, orbitals.waves, d.amplitudes[d.occupations > 0.5, 0], grid)
        numbers.append(found[d.label][0])
    return [bands for _, bands in found.values()], numbers


def _determinant(torus: Torus, orbitals: Orbitals, block: Block) -> Determinant:
    """The determinant whose orbitals the particles of a block are in."""
    s = torus.species[block.species]
    channels = s.channels(block.species)
    # flavours that share orbitals are those of the channel of as many
    channel = channels[block.flavour] if len(channels) == len(s.occupations) else next(
        c for c in channels if c.orbitals == block.count)
    d = orbitals.determinant(channel, s.name)
    filled = 0.0 if d is None else float(d.occupations.sum())
    if d is None or abs(filled - block.count) > 1e-6:
        raise InputError("trial", f"a result with {block.count} {channel.label} orbitals", f"{filled:g} of them",
                         "use its numbers and spins, or another trial")
    if d.amplitudes.shape[1] > 1 or np.any((d.occupations > 1e-6) & (d.occupations < 1 - 1e-6)):
        raise InputError("trial", "a state of one carrier in every orbital, each filled or empty",
                         f"{d.label} is not", 'compute one with occupation = "integer"')
    return d


def _same_problem(torus: Torus, source: HartreeFockResult) -> None:
    """Raise InputError for a state of another box, interaction or other carriers."""
    keys = ("name", "charge", "mass", "layer", "count", "flavours")
    theirs = [[s[k] for k in keys] for s in source.inputs["species"] if s["count"]]
    ours = [[s.parameters[k] for k in keys] for s in torus.species if s.count]
    if theirs != ours:
        raise InputError("trial", f"a result of these carriers ({', '.join(keys)}): {ours}", theirs,
                         "compute one for them")
    box = np.array(source.inputs["box"])
    if not np.allclose(box, torus.box.vectors, rtol=1e-6, atol=1e-6):
        raise InputError("trial", f"a result of this box, {torus.box.vectors.tolist()}", box.tolist(),
                         "compute one in it")
    there = {"interaction": source.inputs["interaction"], "spacing": source.inputs["spacing"]}
    here = {"interaction": torus.bilayer.interaction.parameters, "spacing": torus.bilayer.spacing}
    if there != here:
        raise InputError("trial", f"a result of this interaction, {here}", there, "compute one with it")


def _carried(trial: Trial, source: MonteCarloResult) -> np.ndarray:
    """The parameters of a Monte Carlo result for this trial function; those that it lacks begin as ever.

    Lengths go with the distance of neighbours, so that at another density the same numbers are the start.
    """
    ours = dict(trial.parameter_names)
    values, found, at = np.asarray(source.data["parameters"].values, dtype=float), trial.start(), 0
    for name, count in source.inputs["parameters"]:
        mine = ours.get(name)
        if mine is None or mine.stop - mine.start < count:
            raise InputError("trial", f"a result whose parameters are among {[*ours]}", f"{count} of {name}",
                             "use its carriers and spins, and jastrow and backflow that are not smaller")
        found[mine] = 0.0
        found[mine.start : mine.start + count] = values[at : at + count]
        at += count
    torus = trial.torus
    # of lengths in units of the distance of neighbours
    theirs = sum(count or 0 for count in source.particles.values())
    scale = np.sqrt(torus.area / torus.particles / (source.area / theirs))
    for name, orbital in zip([*ours][len(ours) - len(trial.orbitals) :], trial.orbitals, strict=True):
        if name in dict(source.inputs["parameters"]):
            found[ours[name]] = orbital.carried(found[ours[name]], float(scale))
    return found
