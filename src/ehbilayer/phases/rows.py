"""The row of a candidate's state: energies per site, order parameters, what may still be gained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ehbilayer.condensate.result import TorusCondensateResult
from ehbilayer.hartree_fock.order import bragg_weights, spin_orders
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.hartree_fock.stability import CURVATURE_ZERO
from ehbilayer.phases.candidates import CONDENSATE, Candidate
from ehbilayer.phases.look import State, total_energy
from ehbilayer.phases.result import CandidateRow, Curvatures
from ehbilayer.phases.verdict import paper_label
from ehbilayer.results.base import Carriers


def row_of(candidate: Candidate, result: State) -> CandidateRow:
    """Energies in Ha_h per hole, at a temperature free ones."""
    row = _condensate_row(candidate, result) if isinstance(result, TorusCondensateResult) else _row(candidate, result)
    return replace(row, spin_arrangement=candidate.arrangement)


def _row(candidate: Candidate, result: HartreeFockResult) -> CandidateRow:
    sites, particles, orbitals = candidate.torus.sites, candidate.torus.particles, result.orbitals
    warm = result.temperature is not None  # then plane waves of a basis lack the tail of Fermi's occupations
    error, curved = 0.0 if candidate.uniform and not warm else result.basis_error, result.stability
    heat = sum((result.entropy[s.name] or 0.0) * s.count for s in candidate.torus.species if s.count) if warm else None
    return CandidateRow(
        candidate.name, result.status, total_energy(result) / sites, result.phase,
        None if error is None else error * particles / sites, result.basis_size,
        candidate.options.tolerance * particles / sites, result.momentum_variance, result.sea_depletion,
        result.zone_deviation, Carriers(bragg_weights(candidate.torus, orbitals)),
        Carriers(spin_orders(candidate.torus, orbitals)), result.gap,
        result.condensate_fraction or 0.0, result.edge_occupation, result.iterations,
        Curvatures(curved.within_kept_symmetry, curved.beyond),
        curved.lowest_curvature is not None and curved.lowest_curvature < -CURVATURE_ZERO,
        paper_label=paper_label(result.momentum_variance), stiffness=result.stiffness, bkt=result.bkt,
        quasiparticle_gap=result.quasiparticle_gap, pairing_curvature=result.pairing_curvature,
        pair_momentum=float(np.linalg.norm(result.pair_momentum or (0.0, 0.0))),
        entropy=None if heat is None else heat / sites)


def _condensate_row(candidate: Candidate, result: TorusCondensateResult) -> CandidateRow:
    sites, error = candidate.torus.sites, result.basis_error
    return CandidateRow(
        candidate.name, result.status, total_energy(result) / sites, result.phase,
        None if error is None else error / sites, result.basis_size, result.solver_error / sites,
        result.momentum_variance, bragg_weight=Carriers({"electron": 0.0, "hole": 0.0}), gap=result.gap,
        pair_amplitude=result.condensate_fraction, edge_occupation=result.edge_occupation,
        iterations=result.iterations, paper_label=CONDENSATE, entropy=result.entropy_per_pair,
        normal_energy=result.normal_energy_per_pair if result.normal_free_energy_per_pair is None else
        result.normal_free_energy_per_pair)
