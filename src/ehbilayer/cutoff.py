"""Plane-wave cutoffs from a requested energy tolerance: enlarge the disk of waves until the energy stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ehbilayer.basis import PlaneWaveBasis, disk_waves
from ehbilayer.hartree_fock import Options, solve
from ehbilayer.results import Result, Status
from ehbilayer.system import Bilayer

GROWTH = 1.2  # of the largest wave number per round; cutoff errors fall about tenfold with it
MOST_WAVES = 40_000


def solve_to_tolerance(bilayer: Bilayer, basis: PlaneWaveBasis, options: Options, *, initial: Result | None = None,
                       **how: Any) -> Result:
    """`hartree_fock.solve` on growing bases, each started from the last, until the energy per particle moves by less
    than ``options.basis_tolerance`` (Ha_h).

    ``basis`` is where to begin. The last change is reported as ``basis_error``; as errors fall about tenfold from
    round to round it bounds what is left. If MOST_WAVES would be passed the status is not_converged.
    """
    assert options.basis_tolerance is not None
    plain = replace(options, basis_tolerance=None)
    rough = replace(plain, stability="none", spectrum=False, follow=False)
    result = solve(bilayer, basis, rough, initial=initial, **how)
    first, change = result, np.inf
    cutoff = float(np.linalg.norm(basis.waves @ basis.box.reciprocal, axis=1).max())
    while result.status is Status.converged and change > options.basis_tolerance:
        cutoff *= GROWTH
        if np.pi * cutoff**2 * basis.box.area / (4 * np.pi**2) > MOST_WAVES:
            result = replace(result, status=Status.not_converged)
            break
        basis = PlaneWaveBasis(basis.box, disk_waves(basis.box, cutoff), basis.supercell, basis.real)
        before = result.summary["energy_per_particle"]
        result = solve(bilayer, basis, replace(rough, starts=1), initial=result, **how)
        change = abs(result.summary["energy_per_particle"] - before)
    if result.status is Status.converged:  # one more evaluation, with everything that is read off the state
        result = solve(bilayer, basis, replace(plain, starts=1), initial=result, **how)
    summary = result.summary | {"basis_error": float(change) if np.isfinite(change) else None,
                                "starts": first.summary["starts"] if options.starts > 1 else result.summary["starts"]}
    return replace(result, summary=summary, inputs=result.inputs | {"options": first.inputs["options"] | {
        "basis_tolerance": options.basis_tolerance, "stability": options.stability}})
