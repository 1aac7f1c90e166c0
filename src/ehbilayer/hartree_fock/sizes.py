"""Energy and gaps for infinitely many particles: one state in boxes of several sizes, at one density and cutoff."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.result import BulkLimit, HartreeFockResult, SizeRow
from ehbilayer.numerics.limits import size_limit
from ehbilayer.results.base import Carriers
from ehbilayer.status import Status
from ehbilayer.torus import Torus


def check_sizes(torus: Torus, sizes: Sequence[int], start: str) -> None:
    """Raise InputError for sizes that do not fit the density, without the Madelung term, or from orbitals."""
    if torus.zero_mode != "madelung":
        raise InputError("sizes", "given with zero_mode = madelung: without it errors fall as 1/sqrt(N)",
                         torus.zero_mode, "change it, or leave the sizes out")
    if start == "path":
        raise InputError("sizes", "left out where orbitals are the start, which fit one box", list(sizes),
                         "start from a phase name")
    for n in sizes:
        of_size(torus, n)


def of_size(torus: Torus, particles: int) -> Torus:
    """The torus with another number of holes (electrons where there are no holes). Raises InputError, see `Torus`."""
    return replace(torus, electrons=particles) if torus.holes is None else replace(torus, holes=particles)


def with_limit(torus: Torus, sizes: Sequence[int], result: HartreeFockResult,
               solve: Callable[[Torus, float], HartreeFockResult]) -> HartreeFockResult:
    """The result of a torus with the limit of infinitely many particles, from tori of these sizes and its own.

    ``solve`` computes a torus with all waves up to a wave number (1/a_h), here that of the result. The limits follow
    `numerics.limits.size_limit`; their uncertainty has the errors of basis and gap of the result in it. A size that was
    stopped ends the series with its status.
    """
    own = torus.holes or torus.electrons or 0
    found = {own: result}
    cutoff = float(np.linalg.norm(result.orbitals.waves @ torus.box.reciprocal, axis=1).max())
    status = result.status
    for n in sorted(set(sizes) - {own}):
        found[n] = solve(of_size(torus, n), cutoff)
        if found[n].status in (Status.interrupted, Status.timeout):
            status = found[n].status
            break
    rows = tuple(SizeRow(n, r.energy_per_particle, r.gap, r.phase, r.status) for n, r in sorted(found.items()))
    return replace(result, status=status, limit=_limit(result, rows))


def _limit(result: HartreeFockResult, rows: tuple[SizeRow, ...]) -> BulkLimit:
    """The limit of the rows that are the same phase. Open shells scatter by what two sizes differ by."""
    alike = [r for r in rows if r.status is Status.converged and r.phase == result.phase]
    if len(alike) < 2:
        return BulkLimit(None, None, Carriers({}), Carriers({}), rows)
    n, energies = [r.particles for r in alike], [float(r.energy_per_particle) for r in alike]
    metal = any(g == 0 for r in alike for g in r.gap.values())
    scatter = float(np.abs(np.diff(energies)).max()) if metal else 0.0
    energy = size_limit(n, energies, [(result.basis_error or 0.0) + scatter])
    gaps = {}
    for name in result.gap:
        values = [g for r in alike if (g := r.gap[name]) is not None]
        gaps[name] = size_limit(n, values, [result.gap_error or 0.0]) if len(values) == len(n) else None
    return BulkLimit(energy.value, energy.uncertainty,
                     Carriers({name: None if g is None else g.value for name, g in gaps.items()}),
                     Carriers({name: None if g is None else g.uncertainty for name, g in gaps.items()}), rows)
