"""Matrix elements of correlated Gaussians against Monte Carlo integrals, their slopes against differences."""

import numpy as np
import pytest
from scipy.integrate import quad

from ehbilayer.few_body.basis import Basis
from ehbilayer.few_body.gaussians import Charges, Functions, diagonals, elements, inverse, slopes
from ehbilayer.few_body.means import CoulombMean

TRION = {"masses": (1.5, 1.5, 1.0), "charges": (-1, -1, 1), "layers": (0, 0, 1), "identical": ((0, 1),)}
BIEXCITON = {"masses": (1.5, 1.5, 1.0, 1.0), "charges": (-1, -1, 1, 1), "layers": (0, 0, 1, 1),
             "identical": ((0, 1), (2, 3))}
CASES = [(TRION, (1,), 0), (TRION, (-1,), 0), (TRION, (1,), 1), (TRION, (-1,), 1), (BIEXCITON, (1, 1), 0),
         (BIEXCITON, (-1, -1), 0)]


def some_functions(n: int, count: int, seed: int = 0) -> Functions:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(count, n, n))
    return Functions(0.3 * root @ np.swapaxes(root, 1, 2) + 0.6 * np.eye(n), rng.normal(size=(count, n)))


class Sampled:
    """Integrals over x by Monte Carlo, functions and gradients written out anew."""

    def __init__(self, system: Charges, functions: Functions, samples: int = 20_000) -> None:
        rng = np.random.default_rng(1)
        n = system.dimension
        self.x = rng.normal(size=(samples, n, 2))
        self.weight = np.exp((self.x**2).sum(axis=(1, 2)) / 2)  # times (2 pi)^n, which elements() leaves out
        self.system, self.functions = system, functions

    def value(self, k: int, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Psi (m,) and its gradient (m, n, 2) of f_k(P x)."""
        a, u, x = self.functions.widths[k], self.functions.vectors[k], self.x
        y = np.einsum("ij,mja->mia", matrix, x)
        pull = -np.einsum("ij,mja->mia", a, y)
        gauss = np.exp((y * pull).sum(axis=(1, 2)) / 2)
        if self.system.angular_momentum == 0:
            value, gradient = gauss.astype(complex), gauss[:, None, None] * pull
        else:
            turn = np.einsum("i,mia->ma", u, y) @ np.array([1, 1j])
            value = turn * gauss
            gradient = value[:, None, None] * pull + gauss[:, None, None] * u[:, None] * np.array([1, 1j])
        return value, np.einsum("ji,mja->mia", matrix, gradient)

    def element(self, k: int, l: int) -> tuple[np.ndarray, np.ndarray]:
        """Overlap and Hamiltonian with their standard errors."""
        system = self.system
        bra, bra_slope = self.value(k, np.eye(system.dimension))
        parts = [(sign, *self.value(l, matrix)) for sign, matrix in system.exchanges]
        ket, ket_slope = sum(s * v for s, v, _ in parts), sum(s * g for s, _, g in parts)
        positions = np.concatenate([self.x, np.zeros((len(self.x), 1, 2))], axis=1)
        potential = 0.0
        for i, j in system.pairs:
            apart = positions[:, i] - positions[:, j]
            height = system.spacing * (system.layers[i] - system.layers[j])
            potential = potential + system.charges[i] * system.charges[j] / np.sqrt((apart**2).sum(axis=1) + height**2)
        inverse_masses = np.diag(1 / np.array(system.masses[:-1])) + 1 / system.masses[-1]
        kinetic = (bra_slope.conj() * np.einsum("ij,mja->mia", inverse_masses, ket_slope)).sum(axis=(1, 2)) / 2
        samples = np.array([bra.conj() * ket, kinetic + bra.conj() * potential * ket]).real * self.weight
        return samples.mean(axis=1), samples.std(axis=1) / np.sqrt(samples.shape[1])


@pytest.mark.parametrize(("particles", "signs", "momentum"), CASES)
def test_elements_are_the_integrals(particles: dict, signs: tuple, momentum: int) -> None:
    """With a regular 1/r between all charges, so that samples have a variance: every charge in a layer of its own."""
    apart = {**particles, "layers": tuple(range(len(particles["masses"])))}
    system = Charges(**apart, spacing=0.7, signs=signs, angular_momentum=momentum)
    functions = some_functions(system.dimension, 2)
    computed = np.array(elements(system, functions, functions))
    sampled = Sampled(system, functions)
    for k, l in ((0, 0), (0, 1), (1, 1)):
        mean, error = sampled.element(k, l)
        assert np.all(np.abs(computed[:, k, l] - mean) < 5 * error + 1e-6), (k, l, computed[:, k, l], mean, error)
        assert np.all(error < 0.2 * np.abs(computed).max(axis=(1, 2)))


@pytest.mark.parametrize(("particles", "signs", "momentum"), CASES)
def test_slopes_are_derivatives(particles: dict, signs: tuple, momentum: int) -> None:
    system = Charges(**particles, spacing=0.7, signs=signs, angular_momentum=momentum)
    functions = some_functions(system.dimension, 4, seed=3)
    basis = Basis.of(system, functions)
    slope = slopes(system, functions, basis.coefficients, basis.energy)
    rng, h = np.random.default_rng(5), 1e-5
    step = rng.normal(size=functions.widths.shape)
    change = Functions(step + np.swapaxes(step, 1, 2), rng.normal(size=functions.vectors.shape))
    ends = [Basis.of(system, Functions(functions.widths + s * change.widths,
                                       functions.vectors + s * change.vectors)).energy for s in (h, -h)]
    exact = (slope.widths * change.widths).sum() + (slope.vectors * change.vectors).sum()
    assert abs(exact) > 1e-3
    assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("distance", [0.0, 1e-3, 0.5, 3.0, 100.0])
def test_coulomb_average(distance: float) -> None:
    c = 0.8
    exact, _ = quad(lambda r: r / c * np.exp(-r * r / (2 * c)) / np.hypot(r, distance), 0, 20, epsabs=1e-14,
                    points=[min(distance, 1.0)])
    assert float(CoulombMean(distance).value(np.array(c))) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize(("particles", "signs", "momentum"), CASES)
def test_elements_are_symmetric_and_agree_with_the_diagonals(particles: dict, signs: tuple, momentum: int) -> None:
    system = Charges(**particles, spacing=0.3, signs=signs, angular_momentum=momentum)
    functions = some_functions(system.dimension, 5)
    overlap, hamiltonian = elements(system, functions, functions)
    norms, own, plain = diagonals(system, functions)
    np.testing.assert_allclose(overlap, overlap.T, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(hamiltonian, hamiltonian.T, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(norms, np.diag(overlap), rtol=1e-13)
    np.testing.assert_allclose(own, np.diag(hamiltonian), rtol=1e-12)
    assert (plain > 0).all()
    assert np.linalg.eigvalsh(overlap).min() > 0


def test_exchange_moves_particles() -> None:
    """Relative coordinates of exchanged positions are P x, for all four exchanges of a biexciton."""
    system = Charges(**BIEXCITON, spacing=1.0, signs=(-1, -1))
    positions = np.random.default_rng(0).normal(size=4)
    x = positions[:-1] - positions[-1]
    found = {sign_and_order(sign, matrix @ x) for sign, matrix in system.exchanges}
    orders = {(0, 1, 2, 3): 1, (1, 0, 2, 3): -1, (0, 1, 3, 2): -1, (1, 0, 3, 2): 1}
    expected = {sign_and_order(sign, positions[list(o)][:-1] - positions[list(o)][-1]) for o, sign in orders.items()}
    assert found == expected


def sign_and_order(sign: float, x: np.ndarray) -> tuple:
    return (round(sign), *np.round(x, 9))


def test_exchange_cancels_what_is_symmetric() -> None:
    """A function that is symmetric in the electrons has no antisymmetric part."""
    functions = Functions(np.array([[[1.0, 0.2], [0.2, 1.0]]]), np.zeros((1, 2)))
    norms, _, plain = diagonals(Charges(**TRION, spacing=0.0, signs=(-1,)), functions)
    assert abs(norms[0]) < 1e-15 < plain[0]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_inverse(n: int) -> None:
    widths = some_functions(n, 6).widths
    inv, determinant = inverse(widths)
    np.testing.assert_allclose(inv @ widths, np.broadcast_to(np.eye(n), widths.shape), atol=1e-12)
    np.testing.assert_allclose(determinant, np.linalg.det(widths), rtol=1e-12)
