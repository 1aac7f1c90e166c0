import numpy as np
import pytest

from ehbilayer.hamiltonian import EnergyProblem
from ehbilayer.hartree_fock.guesses import guess
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.stability import free_box, hessian_product, lowest_curvature, translations
from ehbilayer.hartree_fock.starts import How
from ehbilayer.hartree_fock.stationary import Calculation, Monitor, converge
from ehbilayer.numerics.minimize import inner, minimise, orthonormalise, project
from ehbilayer.status import Status
from systems import Species, random_state, small_basis, torus_of, triangular_basis, trions

ONE = How(threads=1)


def seven_holes(basis):
    """A closed shell of holes at low density."""
    return torus_of((Species("hole", 1, 1.0, 0, 7),), 0.0, "none", box=basis.box)


@pytest.fixture(scope="module", params=["box", "crystal"])
def minimum(request):
    hamiltonian, _ = random_state(trions(4), small_basis(request.param), start="trion-crystal")
    problem = EnergyProblem(hamiltonian)
    _, x = random_state(trions(4), small_basis(request.param), start="trion-crystal")
    end = minimise(problem, x, residual=1e-9)
    assert end.converged.all()
    return problem, end.frames


def test_energy_follows_the_curvature_along_its_mode(minimum):
    problem, x = minimum
    found = lowest_curvature(problem, x)
    assert found.value > 0
    e0, t = problem.evaluate(x)[0][0], 3e-3
    pairs = list(zip(x, found.mode, strict=True))
    moved = [problem.evaluate(tuple(orthonormalise(np, p + s * t * q) for p, q in pairs))[0][0] for s in (1, -1)]
    norm = sum(np.sum(np.abs(q) ** 2) for q in found.mode)
    assert norm == pytest.approx(1.0, abs=1e-6)
    assert (moved[0] + moved[1] - 2 * e0) / t**2 == pytest.approx(found.value, rel=2e-2)


def test_translations_cost_nothing(minimum):
    problem, x = minimum
    for mode in translations(problem, x):
        product = hessian_product(problem, x, mode)
        size = [np.sqrt(sum(np.sum(np.abs(p) ** 2) for p in m)) for m in (product, mode)]
        assert size[0] < 2e-3 * size[1]


def test_hessian_is_symmetric(minimum):
    problem, x = minimum
    rng = np.random.default_rng(0)

    def draw():
        basis = problem.hamiltonian.setting.basis
        out = []
        for p in x:
            z = rng.standard_normal(p.shape) + (0 if basis.real else 1j * rng.standard_normal(p.shape))
            out.append(project(np, p, z if basis.real else z * basis.mask[None, :, None], None))
        return tuple(out)

    a, b = draw(), draw()
    left, right = inner(a, hessian_product(problem, x, b))[0], inner(b, hessian_product(problem, x, a))[0]
    assert left == pytest.approx(right, rel=1e-4, abs=1e-6)


def test_liquid_is_a_minimum_within_and_a_saddle_beyond():
    """The low-density liquid holds its translations; let go, it falls."""
    basis = triangular_basis(7, 20.0, 5, crystal=False)
    held = solve(seven_holes(basis), basis, Options(start="liquid", keep="translations", stability="full"), how=ONE)
    assert held.status is Status.converged
    assert held.summary["stability"]["beyond"] < -1e-4
    options = Options(start="liquid", keep="translations", follow=True, stability="full")
    fallen = solve(seven_holes(basis), basis, options, how=ONE)
    assert fallen.summary["energy"] < held.summary["energy"] - 1e-4
    assert len(fallen.summary["starts"]) == 2


def test_a_free_saddle_is_called_one():
    basis = triangular_basis(7, 20.0, 5, crystal=False)
    free = solve(seven_holes(basis), basis, Options(start="liquid", stability="full"), how=ONE)
    assert free.status is Status.saddle


def test_unfolding_to_the_free_box_keeps_the_energy():
    torus, basis = trions(4, zero_mode="madelung"), small_basis("crystal")
    options = Options(start="trion-crystal", stability="none")
    run = Calculation(torus, basis, options, Monitor(torus, options))
    end = converge(run, guess(torus, basis, "trion-crystal"))
    box, frames, fillings = free_box(end)
    energy = run.hamiltonian(fillings, box).evaluate(frames).energy[0]
    assert energy == pytest.approx(end.energy, abs=1e-11)
