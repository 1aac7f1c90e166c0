"""Hartree-Fock of any list of carriers on a torus.

Steps: `stationary.kept_basis` (which symmetry is held), `guesses.guess`, `stationary.converge` (minimise, fill the
lowest levels, again), `stability.judge` (what kind of stationary state), `observables.report`; on growing bases
(`cutoff`) where an accuracy is asked for instead of a basis.
"""

from __future__ import annotations

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hartree_fock.cutoff import solve_to_tolerance
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.hartree_fock.starts import How, solve_on
from ehbilayer.orbitals import Orbitals
from ehbilayer.torus import Torus


def solve(torus: Torus, basis: PlaneWaveBasis, options: Options, how: How | None = None, *,
          initial: Orbitals | None = None, unfinished: HartreeFockResult | None = None) -> HartreeFockResult:
    """Minimise the Hartree-Fock energy from every start and report the lowest state.

    Parameters
    ----------
    torus, basis : the physics and its discretisation; the basis is of the torus' box.
    options : see `Options`; with ``basis_tolerance`` the basis is where to begin.
    how : on what it runs, whom it tells, who ends it.
    initial : orbitals to start from (other parameters are fine, box shape and particle counts must match).
    unfinished : a result of this very calculation that was broken off: ``initial`` is its state, and its finished
        starts are not run again.

    Returns
    -------
    HartreeFockResult. It never raises for lack of convergence: the status says so.

    Raises
    ------
    InputError : a basis too small for the particles, an unknown start, orbitals that do not fit.
    """
    run = solve_on if options.basis_tolerance is None else solve_to_tolerance
    return run(torus, basis, options, how or How(), initial=initial, unfinished=unfinished)
