"""A term of one's own beside kinetic, direct and exchange: levels, gaps, bands, pressure and bulk modulus follow."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.compressibility.response import area_response
from ehbilayer.hamiltonian import STANDARD, EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.bands import bands_at
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.spectrum import crystal_levels, empty_levels, occupied_levels
from ehbilayer.hartree_fock.starts import How
from ehbilayer.numerics.minimize import minimise
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.terms import Action, Setting, State, TermOf
from ehbilayer.terms.kinetic import Kinetic
from ehbilayer.terms.local import LocalOperator
from ehbilayer.torus import Torus
from systems import Species, directions, random_state, slope_along, slope_by_differences, small_basis, torus_of

HOLES, DEPTH, AREA = 4, -0.12, 4 * np.pi * 64.0
POWER = -1.5  # the depth goes as A^POWER: modulated layers far away, say
LATTICE = small_basis("crystal").supercell.T  # the shortest waves of the holes' own lattice, in torus integers


class Egg:
    """V(r) = depth(A) sum_i cos(G_i r) at two torus integers G_i, an egg box for every carrier."""

    name = "egg box"
    one_body = True
    uniform = False

    def __init__(self, setting: Setting, waves: np.ndarray = LATTICE, depth: float = DEPTH) -> None:
        self.setting, self._order, basis = setting, 0, setting.basis
        n1, n2 = basis.shape
        wave = np.zeros((n1, n2), dtype=complex)
        for p in np.rint(waves @ np.linalg.inv(basis.supercell.T)).astype(int):
            wave[p[0] % n1, p[1] % n2] += 0.5
            wave[-p[0] % n1, -p[1] % n2] += 0.5
        wave = wave[:, : n2 // 2 + 1] if basis.real else wave
        depths = depth * (setting.areas / AREA) ** POWER
        sign = np.array([p.sign for p in setting.parts])
        self._potential = depths[:, None, None, None] * sign[None, :, None, None] * wave

    def _mine(self, channel: int) -> list[int]:
        return [i for i, p in enumerate(self.setting.parts) if p.channel == channel]

    def act(self, state: State) -> Action:
        s, energy, grid = self.setting, 0.0, []
        v = s.basis.backward(s.fourier, self._potential.copy()).real
        for c, psi in enumerate(state.psi):
            f = s.channels[c].degeneracy * s.fillings[c].flat[None, :, None, None, None]
            grid.append(v[:, None, self._mine(c)] * psi)
            energy = energy + np.sum(f * (psi.conj() * grid[-1]).real, axis=(1, 2, 3, 4)) / s.basis.points
        return Action(energy, grid=tuple(grid))

    def derivative(self, order: int) -> Egg:
        other = copy(self)
        other._potential = POWER**order * self._potential
        return other

    def operator(self, state: State, channel: int) -> LocalOperator:
        return LocalOperator(self.setting, self._potential[0, self._mine(channel)])


FOUR: tuple[TermOf, ...] = (*STANDARD, Egg)
FREE: tuple[TermOf, ...] = (Kinetic, Egg)
ONE = How(threads=1, terms=FOUR)
QUICK = Options(start="crystal", tolerance=1e-12, stability="none")


def bilayer(zero_mode: str = "madelung", area: float = AREA) -> Torus:
    """Four light electrons on four holes, all of which the egg box holds."""
    return torus_of((Species("electron", -1, 0.5, 0, HOLES), Species("hole", 1, 1.0, 1, HOLES)), 3.0, zero_mode,
                    box=small_basis("box").box.scaled(area))


def on(torus: Torus, kind: str) -> PlaneWaveBasis:
    basis = small_basis(kind)
    return PlaneWaveBasis(torus.box, basis.waves, basis.supercell)


def solved(kind: str, **options: Any) -> Result:
    torus = bilayer()
    result = solve(torus, on(torus, kind), replace(QUICK, **options), ONE)
    assert result.status is Status.converged
    return result


def by_hand(torus: Torus, species: int, waves: np.ndarray) -> np.ndarray:
    """Levels of one particle in the egg box alone, from the whole matrix between plane waves."""
    carrier = torus.species[species]
    h = np.diag(np.sum((waves @ torus.box.reciprocal) ** 2, axis=1) / (2 * carrier.mass))
    step = waves[:, None] - waves[None]
    for g in (*LATTICE, *-LATTICE):
        h = h + 0.5 * DEPTH * np.all(step == g, axis=-1)
    return np.linalg.eigvalsh(h)


@pytest.fixture(scope="module", params=["box", "crystal"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_levels_and_gap_without_interaction_against_the_whole_matrix(kind: str) -> None:
    torus = bilayer()
    basis = on(torus, kind)
    result = solve(torus, basis, replace(QUICK, start="crystal"), How(threads=1, terms=FREE))
    assert result.status is Status.converged and set(result.summary["energy_parts"]) == {"kinetic", "egg box"}
    energy = 0.0
    for c, s in enumerate(torus.species):
        exact = by_hand(torus, c, basis.waves)
        energy += exact[:HOLES].sum()
        levels = np.sort(result.data[f"levels_{c}"].values.ravel())
        count = HOLES + 3 if kind == "box" else len(exact)
        assert levels[np.isfinite(levels)][:count] == pytest.approx(exact[:count], abs=1e-6)
        gap = exact[HOLES] - exact[HOLES - 1]
        assert result.summary["gap"][s.name] == pytest.approx(gap, abs=1e-6) and gap > 1e-3
    assert result.energy == pytest.approx(energy, abs=1e-9)


def test_operators_are_derivatives_of_the_energy(kind: str) -> None:
    hamiltonian, x = random_state(bilayer(), small_basis(kind), terms=FOUR)
    d = directions(hamiltonian)
    slope = slope_along(hamiltonian, x, d)
    assert slope_by_differences(hamiltonian, x, d) == pytest.approx(slope, rel=1e-6) and abs(slope) > 1e-4


def test_fock_blocks_act_on_orbitals_as_the_fock_operator_does() -> None:
    hamiltonian, x = random_state(bilayer(), small_basis("crystal"), terms=FOUR)
    fock, state = hamiltonian.evaluate(x).fock, hamiltonian.state(x)
    for c in range(len(x)):
        out = np.einsum("kgh,knh->kng", hamiltonian.blocks(state, c), x[c][0])
        assert np.allclose(out * hamiltonian.setting.basis.mask[:, None], fock[c][0], atol=1e-12)


def test_bands_at_the_mesh_are_the_levels() -> None:
    hamiltonian, x = random_state(bilayer(), small_basis("crystal"), terms=FOUR)
    basis = hamiltonian.setting.basis
    for c in range(len(x)):
        levels = crystal_levels(hamiltonian, x, c).energy[:, :4]
        k = basis.k_points @ basis.box.reciprocal
        assert bands_at(hamiltonian, x, c, k, 4) == pytest.approx(levels, abs=1e-10)


def test_box_and_crystal_are_two_views_of_one_state() -> None:
    """Levels of the k mesh come from matrices of blocks, those of the box from vectors on the grid."""
    box, crystal = (solved(k) for k in ("box", "crystal"))
    assert box.energy == pytest.approx(crystal.energy, abs=1e-10)
    assert box.summary["energy_parts"]["egg box"] == pytest.approx(crystal.summary["energy_parts"]["egg box"], abs=1e-5)
    assert box.summary["energy_parts"]["egg box"] < 4 * 0.5 * DEPTH  # it holds the holes
    assert box.summary["pressure"] == pytest.approx(crystal.summary["pressure"], rel=1e-6)
    for name in ("electron", "hole"):
        assert box.summary["gap"][name] == pytest.approx(crystal.summary["gap"][name], abs=1e-6)
        assert box.summary["gap"][name] > 0.01


def test_the_gap_of_a_box_against_dense_diagonalisation() -> None:
    """F is filled column by column from its action on every wave."""
    hamiltonian, x = random_state(bilayer(), small_basis("box", waves=(15, 13)), terms=FOUR, start="crystal", noise=0.0)
    end = minimise(EnergyProblem(hamiltonian), x, residual=1e-9)
    basis, state = hamiltonian.setting.basis, hamiltonian.state(end.frames)
    for c in range(2):
        unit = np.eye(basis.size)[None, None]
        psi = basis.to_grid(hamiltonian.setting.fourier, unit)[:, 0, :, None]
        fock = np.zeros((basis.size, basis.size))
        for operator in hamiltonian.operators(state, c):
            own, grid = operator.on(unit, psi, np.zeros(basis.size, dtype=int))
            fock += 0 if own is None else own[0, 0]
            fock += 0 if grid is None else basis.from_grid(hamiltonian.setting.fourier, grid[:, :, 0][:, None])[0, 0]
        exact = np.linalg.eigvalsh(fock)
        filled = occupied_levels(hamiltonian, end.frames, hamiltonian.evaluate(end.frames).fock, c).energy
        empty = empty_levels(hamiltonian, end.frames, c)[0]
        assert filled.max() == pytest.approx(exact[HOLES - 1], abs=1e-8)
        assert empty[0] == pytest.approx(exact[HOLES], abs=1e-6)


def test_pressure_is_the_derivative_of_the_converged_energy(kind: str) -> None:
    h, energies = 1e-3, []
    for scale in (1 + h, 1 - h):
        torus = bilayer(area=AREA * scale)
        energies.append(solve(torus, on(torus, kind), QUICK, ONE).energy)
    slope = (energies[0] - energies[1]) / (2 * h * AREA)
    assert solved(kind).summary["pressure"] == pytest.approx(-slope, rel=1e-5)
    without = solve(bilayer(), on(bilayer(), kind), QUICK, How(threads=1))
    assert abs(without.summary["pressure"] + slope) > 0.05 * abs(slope)  # the term is felt


def test_bulk_modulus_against_relaxed_energies(kind: str) -> None:
    hamiltonian, x = random_state(bilayer(), small_basis(kind), terms=FOUR, start="crystal", noise=0.0)
    x = minimise(EnergyProblem(hamiltonian), x, residual=1e-10).frames
    found, h, energies = area_response(hamiltonian, x), 0.02, []
    for s in (-2, -1, 0, 1, 2):
        tori = [bilayer(area=AREA * np.exp(s * h))]
        there = EnergyProblem(Hamiltonian(replace(hamiltonian.setting, tori=tori), FOUR))
        energies.append(minimise(there, x, residual=1e-9, max_iterations=500).energy[0])
    assert found.first == pytest.approx(np.dot([1, -8, 0, 8, -1], energies) / (12 * h), abs=2e-7)
    assert found.second == pytest.approx(np.dot([-1, 16, -30, 16, -1], energies) / (12 * h * h), abs=2e-6)
    assert found.response.relaxation < -1e-3


def test_parameters_of_a_term_are_given_with_partial() -> None:
    """Twice the depth and half of it in two terms are one term of two and a half."""
    double, half = (partial(Egg, depth=DEPTH * factor) for factor in (2.0, 0.5))
    one, x = random_state(bilayer(), small_basis("crystal"), terms=(Kinetic, partial(Egg, depth=DEPTH * 2.5)))
    two = Hamiltonian(one.setting, (Kinetic, double, half))
    for a, b in zip(one.evaluate(x).fock, two.evaluate(x).fock, strict=True):
        assert np.allclose(a, b, atol=1e-14)
    assert one.area_derivative(x)[0] == pytest.approx(two.area_derivative(x)[0], rel=1e-12)
