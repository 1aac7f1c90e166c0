"""Metals: the preconditioner by Fock levels changes how long a minimisation takes, and nothing else."""

import numpy as np
import pytest

from ehbilayer import Bilayer, Torus
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import hexagon_waves
from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.guesses import guess
from ehbilayer.hartree_fock.metal import energy_problem
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.numerics.minimize import minimise, orthonormalise
from ehbilayer.terms import Setting


def problem(start: str, electrons: int = 2):
    """Nine holes on sites, polarised electrons as ``start`` says."""
    model = Bilayer.of(spacing=4.8, rs_hole=8, electron_mass=0.5, hole_mass=1.0, electrons_per_hole=electrons)
    torus = Torus(model, holes=9, zero_mode="madelung", electron_spin="polarized", hole_spin="polarized")
    basis = PlaneWaveBasis(torus.box, hexagon_waves(torus.box, 6), crystal_cell(torus.box, 9))
    begin = guess(torus, basis, start)
    return Hamiltonian(Setting(basis, Fourier(), [torus], begin.fillings)), begin.frames


def test_a_metal_takes_half_of_the_iterations_to_the_same_energy():
    hamiltonian, frames = problem("hole-crystal")
    plain = minimise(EnergyProblem(hamiltonian), tuple(x[None] for x in frames), residual=1e-6)
    told, begin = energy_problem(hamiltonian, frames)
    fast = minimise(told, begin, residual=1e-6)
    assert fast.energy == pytest.approx(plain.energy, abs=1e-10)
    assert 2 * fast.iterations < plain.iterations  # 19 and 47


def test_the_orbitals_are_turned_among_those_of_one_occupation_only():
    hamiltonian, frames = problem("hole-crystal")
    frames = tuple(orthonormalise(np, x[None])[0] for x in frames)
    told, begin = energy_problem(hamiltonian, frames)
    plain = EnergyProblem(hamiltonian).evaluate(tuple(x[None] for x in frames))[0]
    assert told.evaluate(begin)[0] == pytest.approx(plain, abs=1e-12)
    f = hamiltonian.setting.fillings[0].f
    for level in (0.0, 1.0):
        old, new = (np.einsum("kng,kn,knh->kgh", x, f == level, x.conj()) for x in (frames[0], begin[0][0]))
        assert np.allclose(old, new, atol=1e-12)
    fock, state = hamiltonian.blocks(hamiltonian.state(begin), 0), begin[0][0]
    inside = np.einsum("kig,kgh,kjh->kij", state.conj(), fock[hamiltonian.setting.fillings[0].blocks], state)
    alike = (f[:, :, None] == f[:, None]) & ~np.eye(f.shape[1], dtype=bool)
    assert np.abs(inside[alike]).max() < 1e-10


def test_an_insulator_begins_as_it_was_given():
    hamiltonian, frames = problem("dumbbell-crystal")
    begin = energy_problem(hamiltonian, frames)[1]
    assert all(np.array_equal(a, b[0]) for a, b in zip(frames, begin, strict=True))
