"""Fock levels: whole blocks of a crystal, lowest empty levels of a box, interpolation between k points."""

import numpy as np
import pytest

from ehbilayer.hamiltonian import EnergyProblem
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.spectrum import crystal_levels, empty_levels, occupied_levels
from ehbilayer.numerics.minimize import minimise
from systems import Species, named, random_state, small_basis, torus_of, triangular_basis, trions


@pytest.fixture(scope="module", params=["none", "madelung"])
def crystal(request):
    return random_state(trions(zero_mode=request.param), small_basis("crystal"))


def test_fock_blocks_act_on_orbitals_as_the_fock_operator_does(crystal):
    """Two routes to F psi: convolution of the density matrix, and pair densities on the grid."""
    hamiltonian, x = crystal
    fock = hamiltonian.evaluate(x).fock
    basis = hamiltonian.setting.basis
    for c in range(len(x)):
        blocks = hamiltonian.blocks(hamiltonian.state(x), c)
        out = np.einsum("kgh,knh->kng", blocks, x[c][0])
        assert np.allclose(out * basis.mask[:, None], fock[c][0], atol=1e-12)


def test_interpolated_exchange_is_exact_at_mesh_points(crystal):
    hamiltonian, x = crystal
    kernel = named(hamiltonian, "exchange").operator(hamiltonian.state(x), 0)
    exact = kernel.blocks()
    basis = hamiltonian.setting.basis
    assert np.allclose(kernel.at(1, np.zeros((1, 2)))[0], exact[1], atol=1e-13)
    # moving block 0 by a whole step of the mesh must reproduce the neighbouring block where their waves correspond
    step = basis.k_points[1] - basis.k_points[0]
    moved = kernel.at(0, step[None])[0]
    where = {tuple(w): g for g, w in enumerate(basis.waves[basis.index[1]]) if basis.mask[1, g]}
    pairs = [(g, where[tuple(w + step)]) for g, w in enumerate(basis.waves[basis.index[0]])
             if basis.mask[0, g] and tuple(w + step) in where]
    a, b = np.array(pairs).T
    # waves that leave the basis on the way change which products exist, so compare inner ones only
    inner = [i for i, (g, _) in enumerate(pairs) if np.abs(basis.waves[basis.index[0]][g]).max() <= 2]
    a, b = a[inner], b[inner]
    assert len(a) >= 3
    assert np.allclose(moved[np.ix_(a, a)], exact[1][np.ix_(b, b)], atol=2e-3 * np.abs(exact).max())


def test_empty_levels_of_a_box_against_dense_diagonalisation():
    hamiltonian, x = random_state(trions(), small_basis("box", waves=(17, 13)), seed=2)
    basis = hamiltonian.setting.basis
    level = hamiltonian.kinetic.levels[1][0, 0, 0]
    state, unit = hamiltonian.state(x), np.eye(basis.size)[None, None]
    psi = basis.to_grid(hamiltonian.setting.fourier, unit)[0][:, :, None]
    direct, exchange = named(hamiltonian, "direct"), named(hamiltonian, "exchange")
    rho = direct.density(state)
    potential = basis.backward(hamiltonian.setting.fourier, (direct.v * rho[:, None]).sum(axis=2)[:, 1])
    out = potential[:, None, None] * psi + exchange.on_targets(state, 1, psi, np.zeros(basis.size, int))
    fock = np.diag(level) + basis.from_grid(hamiltonian.setting.fourier, out[:, None, :, 0])[0, 0]
    assert np.allclose(fock, fock.T, atol=1e-12)
    outside = np.linalg.svd(x[1][0, 0])[2][4:]
    exact = np.linalg.eigvalsh(outside @ fock @ outside.T)[:3]
    found, vectors, residual = empty_levels(hamiltonian, x, 1)
    assert np.allclose(found, exact, atol=1e-9)
    assert np.allclose(vectors @ x[1][0, 0].T, 0, atol=1e-10)
    assert residual < 1e-5


def test_filled_levels_are_those_the_orbitals_span_not_the_lowest():
    """Four trions without the Madelung term: at fixed filling an empty level lies below the filled one.

    -0.02661 was found independently, by diagonalising within and outside the determinant of plane waves.
    """
    gaps = []
    for kind in ("crystal", "box"):
        basis = small_basis(kind, waves=(15, 13))
        hamiltonian, begin = random_state(trions(4), basis, start="trion-crystal", noise=0.0)
        end = minimise(EnergyProblem(hamiltonian), begin, residual=1e-9)
        if basis.real:
            top = occupied_levels(hamiltonian, end.frames, hamiltonian.evaluate(end.frames).fock, 0).energy.max()
            gaps.append(empty_levels(hamiltonian, end.frames, 0)[0][0] - top)
        else:
            lv = crystal_levels(hamiltonian, end.frames, 0)
            assert lv.filled.sum() == pytest.approx(4)
            empty = (lv.filled < 0.5) & np.isfinite(lv.energy)
            gaps.append(lv.energy[empty].min() - lv.energy[lv.filled > 0.5].max())
    assert gaps == pytest.approx([-0.02661] * 2, abs=1e-5)


def test_occupied_levels_are_the_expectation_values():
    hamiltonian, x = random_state(trions(), small_basis("crystal"))
    evaluation = hamiltonian.evaluate(x)
    for c in range(2):
        lv = occupied_levels(hamiltonian, x, evaluation.fock, c)
        expected = np.einsum("kng,kng->kn", x[c][0].conj(), evaluation.fock[c][0]).real
        assert np.allclose(lv.energy, expected)


def test_uniform_gas_levels_are_kinetic_minus_exchange():
    """In a uniform state the Fock levels are k^2/2m - sum_k' f v(k - k')/A, with the box' own sums."""
    basis = triangular_basis(7, 3.0, 3, crystal=False)
    torus = torus_of((Species("hole", 1, 1.0, 0, 7),), 0.0, "none", box=basis.box)
    result = solve(torus, basis, Options(start="liquid", keep="translations"))
    k = result.data["wave_vector"].values
    n_k = result.data["momentum_hole"].values
    q = np.linalg.norm(k[:, None] - k[None], axis=-1)
    v = np.where(q > 0, 2 * np.pi / np.where(q > 0, q, 1), 0) / basis.box.area
    expected = np.sort(0.5 * np.sum(k * k, axis=1) - v @ n_k)
    assert np.allclose(np.sort(result.data["levels_0"].values.ravel()), expected, atol=1e-12)
