"""The result of a calculation with pairs: energies, order, quasiparticles, densities and the pair amplitude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ehbilayer.hartree_fock.coherence.bands import BANDS, coherent_bands
from ehbilayer.hartree_fock.coherence.field import MeanField
from ehbilayer.hartree_fock.coherence.filling import Filled
from ehbilayer.hartree_fock.coherence.order import coherent_phase, condensate_fraction
from ehbilayer.hartree_fock.coherence.pairs import local_amplitude, natural_orbitals
from ehbilayer.hartree_fock.coherence.scf import Converged
from ehbilayer.hartree_fock.coherence.sectors import Sector
from ehbilayer.hartree_fock.observables import fermi_energy, inputs_of, kept_symmetry, momenta, per_species, refined
from ehbilayer.hartree_fock.order import bragg_weights
from ehbilayer.hartree_fock.result import HartreeFockResult, Stability, StartRow
from ehbilayer.hartree_fock.stationary import Calculation
from ehbilayer.orbitals import Orbitals
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status


@dataclass(frozen=True, eq=False)
class End:
    """Where one start ended."""

    label: str
    seed: int
    status: Status
    mean: MeanField
    found: Converged

    @property
    def energy(self) -> float:
        """Total energy, Ha_h."""
        return self.found.field.energy

    @cached_property
    def orbitals(self) -> Orbitals:
        """Natural ones."""
        return natural_orbitals(self.mean, self.found.matrices)

    @cached_property
    def fraction(self) -> float:
        """Of the condensate."""
        return condensate_fraction(self.mean, self.found.matrices)

    @cached_property
    def phase(self) -> str:
        """Its name."""
        return coherent_phase(self.mean.torus, self.orbitals, self.fraction)

    @property
    def row(self) -> StartRow:
        """What the table of starts says."""
        return StartRow(self.label, self.seed, self.energy, self.energy / self.mean.torus.particles, self.status,
                        self.phase, self.found.residual, self.found.iterations)


def report(run: Calculation, best: End, rows: Sequence[StartRow], stability: Stability,
           stiffness: float | None) -> HartreeFockResult:
    """The lowest end in full, all starts in a table."""
    torus, mean, found, orbitals = run.torus, best.mean, best.found, best.orbitals
    data = orbitals.variables() | _trace(found)
    data |= {f"momentum_{s.name}": Variable(("wave",), orbitals.momentum(s.name), "1",
                                            f"<n_k> of the {s.name}s, all flavours")
             for s in torus.species if s.count}
    said: dict[str, Any] = dict(momenta(torus, mean.basis, orbitals))
    if run.options.spectrum:
        data |= _levels(best) | _space(best)
        if run.options.bands and mean.basis.cells > 1:
            data |= coherent_bands(mean, found.matrices, found.filled, offsets(best))
    broken = [_gap(*seen_by(s, f, 0)) for s, f in zip(mean.sectors, found.filled, strict=True) if not np.isnan(f.mu)]
    mu = next((f.mu for f in found.filled if not np.isnan(f.mu)), None)
    momentum = mean.momentum
    return HartreeFockResult(
        status=best.status, **said, total_energy=best.energy, energy_per_particle=best.energy / torus.particles,
        energy_parts=dict(found.field.parts), pressure=None, residual=found.residual,
        residual_target=run.options.residual_target, iterations=found.iterations, basis_size=mean.basis.size,
        k_points=len(mean.basis.k_points), particles=per_species(torus, lambda i: torus.species[i].count),
        area=torus.area, zero_mode=torus.zero_mode, aufbau=found.aufbau, kept_symmetry=kept_symmetry(mean.basis),
        occupation=run.options.occupation, density=per_species(torus, lambda i: torus.species[i].count / torus.area),
        fermi_energy=per_species(torus, lambda i: fermi_energy(torus, i)), phase=best.phase,
        gap=per_species(torus, lambda i: _gap_of(best, i)), gap_error=10 * found.residual, starts=tuple(rows),
        stability=stability, inputs=inputs_of(run, orbitals), data=data, condensate_fraction=best.fraction,
        bragg=Carriers(bragg_weights(torus, orbitals)), pair_momentum=(float(momentum[0]), float(momentum[1])),
        stiffness=stiffness, bkt=None if stiffness is None else 0.5 * np.pi * stiffness / _condensates(mean),
        quasiparticle_gap=min((g for g in broken if g is not None), default=None), pair_chemical_potential=mu)


def _condensates(mean: MeanField) -> int:
    """Flavours that pair, each with a phase of its own."""
    return sum(s.channel.degeneracy for s in mean.sectors if s.paired)


def seen_by(sector: Sector, filled: Filled, component: int) -> tuple[np.ndarray, np.ndarray]:
    """Levels (K, n) of one carrier of a sector and which are filled: of electrons and holes the quasiparticles, as
    energies to add one (empty levels) or, negative, to take one; without pairs the Fock levels of its own.

    A hole is an empty level of the transformed one, so that its energies count the other way.
    """
    levels, occupied = filled.levels, filled.occupied
    if sector.paired and np.isnan(filled.mu):
        half = levels.shape[1] // 2
        mine = slice(component * half, (component + 1) * half)
        levels, occupied = levels[:, mine], occupied[:, mine]
    if component == 0:
        return levels, occupied
    known = np.isfinite(levels)
    return np.where(known, -levels, np.inf), known & ~occupied


def _gap(levels: np.ndarray, occupied: np.ndarray) -> float | None:
    """The lowest empty level less the highest filled one, Ha_h; 0 where the filled ones are not the lowest."""
    empty = levels[np.isfinite(levels) & ~occupied]
    return max(float(empty.min() - levels[occupied].max()), 0.0) if empty.size and occupied.any() else None


def offsets(end: End) -> list[float]:
    """What the levels of every determinant count from, Ha_h: where something pairs from the middle of the gap, laid at
    that of another flavour of the carrier that does not pair. How mu is shared by electron and hole is not fixed."""
    middles: list[float | None] = []
    species: list[int] = []
    free: list[bool] = []
    for sector, filled in zip(end.mean.sectors, end.found.filled, strict=True):
        for component, s in enumerate(sector.channel.components):
            levels, occupied = seen_by(sector, filled, component)
            ends = levels[occupied], levels[np.isfinite(levels) & ~occupied]
            known = all(x.size for x in ends)
            middles.append(0.5 * float(ends[0].max() + ends[1].min()) if known else None)
            species.append(s)
            free.append(not np.isnan(filled.mu))
    found = []
    for mine, s, moves in zip(middles, species, free, strict=True):
        others = [m for m, other, paired in zip(middles, species, free, strict=True)
                  if other == s and not paired and m is not None]
        found.append(0.0 if not moves or mine is None else mine - (others[0] if others else 0.0))
    return found


def _gap_of(end: End, species: int) -> float | None:
    """The smallest gap of the sectors that a carrier is in."""
    gaps = [_gap(*seen_by(sector, filled, component))
            for sector, filled in zip(end.mean.sectors, end.found.filled, strict=True)
            for component, s in enumerate(sector.channel.components) if s == species]
    return min((g for g in gaps if g is not None), default=None)


def _trace(found: Converged) -> dict[str, Variable]:
    trace = np.array(found.trace if found.trace else [(found.field.energy, found.residual)])
    return {"trace_energy": Variable(("evaluation",), trace[:, 0], "Ha_h", "energy on the way"),
            "trace_residual": Variable(("evaluation",), trace[:, 1], "Ha_h", "residual on the way")}


def _levels(end: End) -> dict[str, Variable]:
    """Quasiparticle levels next to the gap, for every determinant of the orbitals."""
    basis = end.mean.basis
    data = {"mesh_k": Variable(("mesh", "axis"), basis.k_points @ basis.box.reciprocal, "1/a_h",
                               "k points of the levels")}
    number, zeros = 0, offsets(end)
    for sector, filled in zip(end.mean.sectors, end.found.filled, strict=True):
        for component in range(len(sector.counts)):
            levels, occupied = seen_by(sector, filled, component)
            levels = levels - zeros[number]
            kept = [_near(e, o) for e, o in zip(levels, occupied, strict=True)]
            width = max(len(k) for k in kept)
            energy, full = np.full((len(kept), width), np.nan), np.zeros((len(kept), width))
            for row, k in enumerate(kept):
                energy[row, : len(k)], full[row, : len(k)] = levels[row, k], occupied[row, k]
            what = "Fock levels" if np.isnan(filled.mu) else "quasiparticle levels"
            data[f"levels_{number}"] = Variable((f"k_{number}", f"level_{number}"), energy, "Ha_h", what)
            data[f"filled_{number}"] = Variable((f"k_{number}", f"level_{number}"), full, "1",
                                                "occupation of each level")
            number += 1
    return data


def _near(levels: np.ndarray, occupied: np.ndarray) -> np.ndarray:
    """The levels of one block next to its gap."""
    known = np.flatnonzero(np.isfinite(levels))
    known = known[np.argsort(levels[known], kind="stable")]
    filled = int(occupied[known].sum())
    return np.asarray(known[max(filled - BANDS, 0) : filled + BANDS])


def _space(end: End) -> dict[str, Variable]:
    """Densities and the pair amplitude on the cell."""
    mean, torus = end.mean, end.mean.torus
    data = {"cell": Variable(("vector", "axis"), mean.basis.cell.vectors, "a_h", "cell the densities are given on")}
    of_part = [_density(mean, rho, part.sign) for rho, part in zip(mean.density(end.found.matrices),
                                                                   mean.setting.parts, strict=True)]
    for i, s in enumerate(torus.species):
        mine = [d for p, d in zip(mean.setting.parts, of_part, strict=True) if p.species == i]
        if mine:
            data[f"density_{s.name}"] = Variable(("cell_1", "cell_2"), np.sum(mine, axis=0), "a_h^-2",
                                                 f"{s.name} density")
        if len(mine) == 2:
            data[f"spin_density_{s.name}"] = Variable(("cell_1", "cell_2"), mine[0] - mine[1], "a_h^-2", "up - down")
    amplitude = local_amplitude(mean, end.found.matrices)
    if amplitude is not None and end.fraction > 0:
        re, im = refined(amplitude.real), refined(amplitude.imag)
        data["pair_amplitude"] = Variable(("cell_1", "cell_2"), np.hypot(re, im), "a_h^-2", "|<h(r) c(r)>|")
        data["pair_phase"] = Variable(("cell_1", "cell_2"), np.arctan2(im, re), "1",
                                      "phase of <h(r) c(r)> less Q r")
    return data


def _density(mean: MeanField, rho: np.ndarray, sign: int) -> np.ndarray:
    """n(r) in a_h^-2 of the components rho(G) (n1, n2) of R'."""
    return refined(sign * np.fft.ifft2(rho, norm="forward").real / mean.torus.area)
