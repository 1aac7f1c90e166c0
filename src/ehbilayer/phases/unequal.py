"""Condensates with unequal numbers of pairs in their flavours.

Flavours of a homogeneous state do not see each other but for the capacitor: each is a condensate of its own, and
energies add up. On a torus unequal numbers pay where pairing is weak and one number closes a shell, as in a liquid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ehbilayer.condensate.result import TorusCondensateResult
from ehbilayer.results.base import Carriers
from ehbilayer.status import Status
from ehbilayer.torus import Torus


def by_flavour(torus: Torus, solve: Callable[[Torus], TorusCondensateResult]) -> TorusCondensateResult:
    """The condensates of all flavours as one result; arrays and fields are those of the fullest flavour.

    ``solve`` takes a torus whose flavours hold equal numbers, as this one may be, or one flavour of it.
    """
    numbers = next(s for s in torus.species if s.count).occupations
    if len(set(numbers)) == 1:
        return solve(torus)
    parts = {n: solve(_alone(torus, n)) for n in set(numbers)}
    return _together(torus, [parts[n] for n in numbers])


def _alone(torus: Torus, pairs: int) -> Torus:
    """One flavour: so many pairs in the same box."""
    densities = {s.name: pairs / torus.area for s in torus.species if s.count}
    return replace(torus, bilayer=torus.bilayer.with_densities(densities), holes=pairs, electron_spin="polarized",
                   hole_spin="polarized", capacitor=False)


def _together(torus: Torus, parts: list[TorusCondensateResult]) -> TorusCondensateResult:
    first = parts[0]
    pairs = sum(p.density for p in parts) * torus.area
    charged = torus.capacitor_energy if torus.charged else 0.0
    if torus.bilayer.interaction.finite:  # each part has its own already
        charged *= 1 - sum((p.density * torus.area / pairs) ** 2 for p in parts)
    energy, normal = (sum(x) + charged for x in ([p.total_energy for p in parts], [p.normal_energy for p in parts]))
    errors = [p.basis_error for p in parts]
    known = [e for e in errors if e is not None]
    variance = {name: sum(float(p.momentum_variance[name] or 0.0) for p in parts) for name in first.momentum_variance}
    gap = min(p.pair_breaking_energy for p in parts)
    together = replace(
        first, status=next((p.status for p in parts if p.status is not Status.converged), first.status),
        phase="condensate" if any(p.phase == "condensate" for p in parts) else first.phase, flavours=len(parts),
        density=pairs / torus.area, particles=Carriers({s.name: s.count for s in torus.species}), total_energy=energy,
        energy_per_pair=energy / pairs, energy_per_particle=energy / (2 * pairs), normal_energy=normal,
        normal_energy_per_pair=normal / pairs, condensation_energy=(energy - normal) / pairs,
        condensate_fraction=sum(p.condensate_fraction * p.density for p in parts) * torus.area / pairs,
        basis_error=sum(known) if len(known) == len(errors) else None, solver_error=sum(p.solver_error for p in parts),
        beyond_basis=sum(p.beyond_basis for p in parts), iterations=sum(p.iterations for p in parts),
        pair_breaking_energy=gap, gap=Carriers({name: gap for name in first.gap}),
        momentum_variance=Carriers(variance), edge_occupation=max(p.edge_occupation for p in parts),
        basis_size=max(p.basis_size for p in parts))
    if torus.bilayer.temperature and together.status is Status.converged:
        def mean(key: str) -> float:
            return float(sum(getattr(p, key) * p.density for p in parts) * torus.area / pairs)

        free, cold = (mean(key) + charged / pairs for key in ("free_energy_per_pair", "normal_free_energy_per_pair"))
        return replace(together, free_energy_per_pair=free, normal_free_energy_per_pair=cold,
                       entropy_per_pair=mean("entropy_per_pair"), condensation_energy=free - cold)
    return together
