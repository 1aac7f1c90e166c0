"""Derivatives by the area at fixed orbitals, exact Hessian products, and the response of a converged state."""

from dataclasses import replace

import numpy as np
import pytest

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.compressibility.response import Hessian, area_response, respond
from ehbilayer.errors import InputError
from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.stability import hessian_product, translations
from ehbilayer.interaction.area_derivative import AreaDerivative
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.numerics.minimize import inner, minimise
from ehbilayer.torus import twisted
from systems import Species, random_state, small_basis, torus_of, triangular_basis, trions

CASES = {
    "box": lambda: random_state(trions(zero_mode="madelung"), small_basis("box")),
    "crystal": lambda: random_state(trions(capacitor=True), small_basis("crystal")),
}


def moved(setting, factor):
    """The setting with the same integers at another area."""
    return replace(setting, tori=[t.scaled(t.area * factor) for t in setting.tori])


def at_area(hamiltonian, x, factor):
    """Energy of the same coefficients at another area."""
    setting = hamiltonian.setting
    return Hamiltonian(moved(setting, factor)).evaluate(x).energy[0]


@pytest.mark.parametrize("case", CASES)
def test_derivatives_of_the_functional(case):
    """d/dlnA by differences of the energy at other areas: another route through every table."""
    hamiltonian, x = CASES[case]()
    h = 2e-3
    e = [at_area(hamiltonian, x, np.exp(s * h)) for s in (-2, -1, 0, 1, 2)]
    first = np.dot([1, -8, 0, 8, -1], e) / (12 * h)
    second = np.dot([-1, 16, -30, 16, -1], e) / (12 * h * h)
    assert hamiltonian.derivative(1).evaluate(x).energy[0] == pytest.approx(first, abs=1e-9)
    assert hamiltonian.derivative(2).evaluate(x).energy[0] == pytest.approx(second, abs=1e-7)
    assert abs(second) > 1e-2 and abs(first + second) > 1e-2


def test_first_derivative_is_hellmann_feynman():
    hamiltonian, x = CASES["box"]()
    known = hamiltonian.area_derivative(x)[0] * hamiltonian.setting.areas[0]
    assert hamiltonian.derivative(1).evaluate(x).energy[0] == pytest.approx(known, rel=1e-12)


@pytest.mark.parametrize("distance", [0.0, 1.3])
def test_tables_of_the_interaction(distance):
    base, vectors, h = Coulomb(distance), np.array([[9.0, 0.0], [2.0, 8.0]]), 1e-3
    q = np.array([0.0, 0.3, 2.0])

    def w(s):  # v/A relative to the A at s = 0
        return base.v(q * np.exp(-s / 2), 0, 1) * np.exp(-s)

    def m(s):
        return base.zero_mode(vectors * np.exp(s / 2), 0, 1)

    for order, stencil in ((1, lambda f: (f(h) - f(-h)) / (2 * h)), (2, lambda f: (f(h) - 2 * f(0) + f(-h)) / h**2)):
        assert AreaDerivative(base, order).v(q, 0, 1) == pytest.approx(stencil(w), rel=1e-5, abs=1e-12)
        assert AreaDerivative(base, order).zero_mode(vectors, 0, 1) == pytest.approx(stencil(m), rel=1e-5)
    # the derivative of the first one is the second
    first, second = AreaDerivative(base, 1), AreaDerivative(base, 2)
    assert first.v(q, 0, 1) * first.area_exponent(q, 0, 1) == pytest.approx(second.v(q, 0, 1), rel=1e-6)
    assert first.zero_mode(vectors, 0, 1) * first.zero_mode_area_exponent(vectors, 0, 1) == pytest.approx(
        second.zero_mode(vectors, 0, 1), rel=1e-6)


def converged(kind, **options):
    hamiltonian, x = random_state(trions(4, **options), small_basis(kind), start="trion-crystal")
    problem = EnergyProblem(hamiltonian)
    end = minimise(problem, x, residual=1e-10)
    assert end.converged.all()
    return problem, end.frames


def liquid_on_crystal(**options):
    """Electrons with a shell filled equally: rotations between different occupations count."""
    basis = triangular_basis(16, 8.0, 4)
    torus = torus_of((Species("electron", -1, 0.3, 0, 16, spin="restricted"), Species("hole", 1, 1.0, 1, 16)), 1.0,
                     "madelung", box=basis.box, **options)
    hamiltonian, x = random_state(torus, basis, start="hole-crystal", occupation="shell", noise=0.0)
    problem = EnergyProblem(hamiltonian)
    end = minimise(problem, x, residual=1e-10, max_iterations=500)
    assert end.converged.all() and any(np.any((f.f > 0) & (f.f < 1)) for f in hamiltonian.setting.fillings)
    return problem, end.frames


STATES = {"box": lambda: converged("box"), "crystal": lambda: converged("crystal", zero_mode="madelung"),
          "shell": liquid_on_crystal}


@pytest.fixture(scope="module", params=STATES)
def state(request):
    return STATES[request.param]()


def draw(hessian, seed=0):
    """A random tangent direction of unit length."""
    rng = np.random.default_rng(seed)
    setting = hessian.problem.hamiltonian.setting
    z = []
    for p, filling in zip(hessian.x, setting.fillings, strict=True):
        noise = rng.standard_normal(p.shape) + (1j * rng.standard_normal(p.shape) if np.iscomplexobj(p) else 0.0)
        z.append(noise if setting.basis.real else noise * setting.basis.mask[filling.blocks][None, :, None])
    z = hessian.tangent(hessian.problem.precondition(tuple(z)))
    length = np.sqrt(inner(z, z)[0])
    return tuple(q / length for q in z)


def test_hessian_products_against_differences(state):
    hessian = Hessian(*state)
    z = draw(hessian)
    for p, q in zip(hessian.product(z), hessian_product(*state, z), strict=True):
        assert np.abs(p - q).max() < 2e-6 * max(1.0, np.abs(p).max())


def test_hessian_products_are_exact_for_any_length_and_symmetric(state):
    hessian = Hessian(*state)
    y, z = draw(hessian, 1), draw(hessian, 2)
    once, more = hessian.product(z), hessian.product(tuple(1e3 * q for q in z))
    for p, q in zip(once, more, strict=True):
        assert np.abs(1e3 * p - q).max() < 1e-9 * np.abs(q).max()
    assert inner(y, once)[0] == pytest.approx(inner(z, hessian.product(y))[0], rel=1e-6, abs=1e-8)
    for p in hessian.product(tuple(0 * q for q in z)):
        assert not p.any()


def test_the_response_solves_its_equation(state):
    hessian = Hessian(*state)
    b = hessian.product(draw(hessian, 3))
    found = respond(hessian, b, tolerance=1e-7)
    assert found.residual < 1e-7
    left = inner(*[tuple(p + q for p, q in zip(hessian.product(found.direction), b, strict=True))] * 2)[0]
    assert np.sqrt(left / inner(b, b)[0]) < 1e-6
    assert respond(hessian, tuple(0 * q for q in b)).products == 0
    assert respond(hessian, b, stop=lambda: True).residual == pytest.approx(1.0)


def test_second_derivative_against_relaxed_energies(state):
    """The oracle converges the state anew at other areas and takes differences of energies."""
    problem, x = state
    setting, h = problem.hamiltonian.setting, 0.02
    found = area_response(problem.hamiltonian, x)
    energies = []
    for s in (-2, -1, 0, 1, 2):
        there = EnergyProblem(Hamiltonian(moved(setting, np.exp(s * h))))
        end = minimise(there, x, residual=1e-9, max_iterations=500)
        energies.append(end.energy[0])
    assert found.second == pytest.approx(np.dot([-1, 16, -30, 16, -1], energies) / (12 * h * h), abs=2e-6)
    assert found.response.relaxation < -1e-3  # relaxing softens


def test_rigid_translations_do_not_respond(state):
    problem, x = state
    hessian = Hessian(problem, x)
    for mode in translations(problem, x):
        size = [np.sqrt(inner(m, m)[0]) for m in (hessian.product(mode), mode)]
        assert size[0] < 1e-6 * max(size[1], 1e-3)


def test_a_twist_moves_the_kinetic_energy_alone():
    basis = triangular_basis(5, 2.0, 3, crystal=False)
    torus = torus_of((Species("electron", -1, 0.5, 0, 5, 1),), 0.0, "madelung", box=basis.box)
    basis = PlaneWaveBasis(basis.box, basis.waves, real=False)
    hamiltonian, x = random_state(torus, basis)
    twist = np.array([0.3, -0.2])
    turned = Hamiltonian(replace(hamiltonian.setting, tori=[twisted(torus, "electron", twist)]))
    before, after = hamiltonian.evaluate(x), turned.evaluate(x)
    k = basis.waves[basis.index[0]] @ basis.box.reciprocal
    n_k = np.sum(np.abs(x[0][0, 0]) ** 2, axis=0)
    expected = n_k @ np.sum((k + twist) ** 2, axis=1) / (2 * 0.5)
    assert after.parts["kinetic"][0] == pytest.approx(expected, rel=1e-12)
    assert after.parts["exchange"][0] == before.parts["exchange"][0]
    assert turned.derivative(1).evaluate(x).parts["kinetic"][0] == pytest.approx(-expected)
    with pytest.raises(InputError, match="parabolic"):
        twisted(turned.setting.tori[0], "electron", twist)
