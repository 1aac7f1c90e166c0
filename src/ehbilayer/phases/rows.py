"""The row of a candidate in the table of a competition: what its state says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ehbilayer.condensate.result import TorusCondensateResult
from ehbilayer.hartree_fock.order import bragg_weights, spin_orders
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.hartree_fock.stability import CURVATURE_ZERO
from ehbilayer.phases.candidates import CONDENSATE, Candidate
from ehbilayer.phases.look import State
from ehbilayer.phases.result import CandidateRow, Curvatures
from ehbilayer.phases.verdict import paper_label
from ehbilayer.results.base import Carriers


def row_of(candidate: Candidate, result: State) -> CandidateRow:
    """Energies per hole (Ha_h), order and gaps of a candidate's state."""
    row = _condensate_row(candidate, result) if isinstance(result, TorusCondensateResult) else _row(candidate, result)
    return replace(row, spin_arrangement=candidate.arrangement)


def _row(candidate: Candidate, result: HartreeFockResult) -> CandidateRow:
    sites, particles, orbitals = candidate.torus.sites, candidate.torus.particles, result.orbitals
    error, curved = 0.0 if candidate.uniform else result.basis_error, result.stability
    return CandidateRow(
        candidate.name, result.status, result.total_energy / sites, result.phase,
        None if error is None else error * particles / sites, result.basis_size,
        candidate.options.tolerance * particles / sites, result.momentum_variance, result.sea_depletion,
        result.zone_deviation, Carriers(bragg_weights(candidate.torus, orbitals)),
        Carriers(spin_orders(candidate.torus, orbitals)), result.gap,
        result.condensate_fraction or 0.0, result.edge_occupation, result.iterations,
        Curvatures(curved.within_kept_symmetry, curved.beyond),
        curved.lowest_curvature is not None and curved.lowest_curvature < -CURVATURE_ZERO,
        paper_label=paper_label(result.momentum_variance), stiffness=result.stiffness, bkt=result.bkt,
        quasiparticle_gap=result.quasiparticle_gap, pairing_curvature=result.pairing_curvature,
        pair_momentum=float(np.linalg.norm(result.pair_momentum or (0.0, 0.0))))


def _condensate_row(candidate: Candidate, result: TorusCondensateResult) -> CandidateRow:
    sites, error = candidate.torus.sites, result.basis_error
    return CandidateRow(
        candidate.name, result.status, result.total_energy / sites, result.phase,
        None if error is None else error / sites, result.basis_size, result.solver_error / sites,
        result.momentum_variance, bragg_weight=Carriers({"electron": 0.0, "hole": 0.0}), gap=result.gap,
        pair_amplitude=result.condensate_fraction, edge_occupation=result.edge_occupation,
        iterations=result.iterations, normal_energy=result.normal_energy_per_pair, paper_label=CONDENSATE)
