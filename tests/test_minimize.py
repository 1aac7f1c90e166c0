"""The minimiser on a problem with a known answer: the lowest invariant subspace of a matrix."""

import numpy as np
import pytest

from ehbilayer.numerics.minimize import minimise, orthonormalise, project


class Subspace:
    """E = sum_n w_n <x_n| A |x_n>: with equal weights the sum of the lowest eigenvalues, with falling ones Ky Fan."""

    xp = np

    def __init__(self, matrices, weights):
        self.a, self.w = matrices, np.asarray(weights, dtype=float)
        differ = (self.w[:, None] != self.w[None, :])[None]
        self.mixing = (differ if differ.any() else None,)

    def evaluate(self, x):
        ax = np.einsum("bgh,bknh->bkng", self.a, x[0])
        energy = np.einsum("n,bkng,bkng->b", self.w, x[0].conj(), ax).real
        return energy, (self.w[None, None, :, None] * ax,)

    def precondition(self, g):
        return (g[0] / (1 + np.arange(g[0].shape[-1])),)

    def residual(self, g):
        return np.sqrt(np.sum(np.abs(g[0]) ** 2, axis=(1, 2, 3)))


@pytest.mark.parametrize("weights", [[1, 1, 1], [3, 2, 1], [1, 1, 0.5]])
@pytest.mark.parametrize("kind", [float, complex])
def test_finds_the_lowest_eigenvalues_of_every_batch_entry(weights, kind):
    rng, n, batch = np.random.default_rng(3), 30, 4
    noise = rng.standard_normal((batch, n, n)) + (1j * rng.standard_normal((batch, n, n)) if kind is complex else 0)
    a = np.diag(np.arange(n) + 1.0)[None] + 0.3 * (noise + noise.conj().swapaxes(1, 2))
    shape = (batch, 1, 3, n)
    start = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if kind is complex else 0)
    end = minimise(Subspace(a, weights), (start.astype(kind),), residual=1e-9, max_iterations=400)
    exact = np.sort(np.linalg.eigvalsh(a), axis=1)[:, :3] @ np.array(weights, dtype=float)
    assert end.converged.all()
    assert np.allclose(end.energy, exact, atol=1e-12)


def test_energy_never_rises_beyond_rounding():
    rng = np.random.default_rng(0)
    a = np.diag(np.arange(20.0))[None] + 0.1 * rng.standard_normal((1, 20, 20))
    a = a + a.swapaxes(1, 2)
    end = minimise(Subspace(a, [1, 1]), (rng.standard_normal((1, 1, 2, 20)),), residual=1e-8)
    energies = np.array([e for e, _ in end.trace])
    assert np.all(np.diff(energies) < 1e-10)


def test_unconverged_says_so_and_callback_stops():
    rng = np.random.default_rng(0)
    a = np.diag(np.arange(40.0))[None] + rng.standard_normal((1, 40, 40))
    problem, start = Subspace(a + a.swapaxes(1, 2), [1, 1]), (rng.standard_normal((1, 1, 2, 40)),)
    few = minimise(problem, start, residual=1e-10, max_iterations=3)
    assert not few.converged.any() and not few.stopped
    stopped = minimise(problem, start, residual=1e-10, callback=lambda i, *_: i >= 2)
    assert stopped.stopped and stopped.iterations == 3


def test_loewdin_rows_are_the_closest_orthonormal_ones():
    rng = np.random.default_rng(2)
    x = np.eye(3, 8)[None, None] + 0.05 * rng.standard_normal((1, 1, 3, 8))
    y = orthonormalise(np, x)
    assert np.allclose(y[0, 0] @ y[0, 0].T, np.eye(3), atol=1e-14)
    q = np.linalg.qr(x[0, 0].T)[0].T
    q *= np.sign(np.sum(q * x[0, 0], axis=1))[:, None]
    assert np.linalg.norm(y - x) < np.linalg.norm(q - x[0, 0])


def test_projection_is_tangent_and_idempotent():
    rng = np.random.default_rng(2)
    x = orthonormalise(np, rng.standard_normal((1, 2, 3, 8)) + 1j * rng.standard_normal((1, 2, 3, 8)))
    z = rng.standard_normal(x.shape) + 1j * rng.standard_normal(x.shape)
    mixing = np.array([[[0, 1, 1], [1, 0, 1], [1, 1, 0]]] * 2)
    for m in (None, mixing):
        p = project(np, x, z, m)
        assert np.allclose(project(np, x, p, m), p)
        overlap = np.einsum("bkig,bkjg->bkij", x.conj(), p)
        assert np.allclose(overlap + overlap.conj().swapaxes(-1, -2), 0, atol=1e-13)
        if m is None:
            assert np.allclose(overlap, 0, atol=1e-13)
