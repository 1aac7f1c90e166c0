"""The state that calculations hand on: values with derivatives, arrays of a file, other bases, and its one name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import rectangle_waves
from ehbilayer.errors import InputError
from ehbilayer.hamiltonian import Hamiltonian
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.order import is_striped, phase_name, sea_depletion
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import Cell, crystal_cell
from ehbilayer.numerics.minimize import orthonormalise
from ehbilayer.orbitals import Orbitals
from ehbilayer.results.base import Record, Result
from ehbilayer.status import Status
from ehbilayer.terms import Setting
from ehbilayer.torus import Torus
from systems import Species, random_state, small_basis, torus_of, triangular_basis, trions

ONE = How(threads=1)
BASES = {"box": small_basis("box"), "crystal": small_basis("crystal"),
         "complex box": PlaneWaveBasis(small_basis("box").box, small_basis("box").waves, real=False)}


@pytest.fixture(params=BASES)
def state(request: pytest.FixtureRequest) -> tuple[Hamiltonian, tuple[np.ndarray, ...]]:
    return random_state(trions(4, spin="unrestricted", zero_mode="madelung"), BASES[request.param])


def frames_of(torus: Torus, basis: PlaneWaveBasis, orbitals: Orbitals) -> tuple[Hamiltonian, tuple[np.ndarray, ...]]:
    """The orbitals on another basis, orthonormal."""
    begin = orbitals.on(torus, basis)
    hamiltonian = Hamiltonian(Setting(basis, Fourier(), [torus], begin.fillings))
    return hamiltonian, tuple(orthonormalise(np, x[None]) for x in begin.frames)


# -- values


def test_values_are_those_on_the_grid(state: Any) -> None:
    hamiltonian, x = state
    setting = hamiltonian.setting
    basis, orbitals = setting.basis, Orbitals.of(setting, x)
    i, j = np.meshgrid(*(np.arange(n) / n for n in basis.shape), indexing="ij")
    r = np.stack([i.ravel(), j.ravel()], axis=-1) @ basis.cell.vectors
    for c, psi in enumerate(hamiltonian.state(x).psi):
        found = orbitals.at(r, c)[0]
        k = basis.k_points[setting.fillings[c].orbital_blocks] @ basis.box.reciprocal
        bloch = np.exp(1j * r @ k.T)[:, :, None]  # the grid holds the periodic part
        grid = np.moveaxis(psi[0].reshape(*psi.shape[1:3], -1), -1, 0)
        assert np.allclose(found, bloch * grid / np.sqrt(basis.box.area), atol=1e-12)


def test_derivatives_are_those_of_the_values(state: Any) -> None:
    hamiltonian, x = state
    orbitals = Orbitals.of(hamiltonian.setting, x)
    r, h = np.random.default_rng(0).uniform(0, 30, (5, 2)), 1e-3
    step = h * np.eye(2)
    for c in range(len(x)):
        psi, gradient, laplacian = orbitals.at(r, c)
        moved = {s: [orbitals.at(r + s * step[axis], c)[0] for axis in (0, 1)] for s in (-2, -1, 1, 2)}
        for axis in (0, 1):
            m2, m1, p1, p2 = (moved[s][axis] for s in (-2, -1, 1, 2))
            assert np.allclose(gradient[..., axis], (m2 - 8 * m1 + 8 * p1 - p2) / (12 * h), atol=1e-9)
        second = sum((-m2 + 16 * m1 - 30 * psi + 16 * p1 - p2) / (12 * h * h)
                     for m2, m1, p1, p2 in zip(*(moved[s] for s in (-2, -1, 1, 2)), strict=True))
        assert np.allclose(laplacian, second, atol=1e-7) and np.abs(laplacian).max() > 1e-3


def test_densities_in_space_and_in_waves_agree(state: Any) -> None:
    """sum_p f_p |psi_p(r)|^2 of a determinant against its Fourier components."""
    hamiltonian, x = state
    orbitals = Orbitals.of(hamiltonian.setting, x)
    r = np.random.default_rng(1).uniform(0, 30, (6, 2))
    reach = 2 * np.abs(orbitals.waves).max(axis=0)
    g = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 2)
    waves = orbitals.density_waves(g)
    for c, d in enumerate(orbitals.determinants):
        direct = d.degeneracy * np.einsum("p,nps->n", d.occupations, np.abs(orbitals.at(r, c)[0]) ** 2)
        series = np.exp(1j * r @ (g @ orbitals.box.reciprocal).T) @ waves[d.label] / orbitals.box.area
        assert series == pytest.approx(direct + 0j, abs=1e-12)
        assert orbitals.momentum(d.carrier).sum() == pytest.approx(
            sum(e.degeneracy * e.occupations.sum() for e in orbitals.determinants if e.carrier == d.carrier))


# -- files


def test_packed_orbitals_are_the_same_bits(state: Any) -> None:
    hamiltonian, x = state
    setting = hamiltonian.setting
    orbitals = Orbitals.of(setting, x)
    raw = Record("phases", Status.converged, {}, {}, orbitals.pack("a") | orbitals.pack("b")).to_bytes()
    back = Orbitals.unpack("a", setting.tori[0], orbitals.box, Result.from_bytes(raw, "x").data)
    assert np.array_equal(back.waves, orbitals.waves) and len(back.determinants) == len(orbitals.determinants)
    for one, other in zip(orbitals.determinants, back.determinants, strict=True):
        assert np.array_equal(one.amplitudes, other.amplitudes) and one.amplitudes.dtype == other.amplitudes.dtype
        assert np.array_equal(one.occupations, other.occupations)
        assert (one.label, one.carrier, one.degeneracy) == (other.label, other.carrier, other.degeneracy)


def test_a_result_holds_its_orbitals(state: Any) -> None:
    hamiltonian, x = state
    orbitals = Orbitals.of(hamiltonian.setting, x)
    raw = Record("hartree-fock", Status.converged, {}, orbitals.parameters, orbitals.variables()).to_bytes()
    result = Result.from_bytes(raw, "x")
    back = Orbitals.read(result.data, result.inputs)
    assert np.array_equal(back.supercell, orbitals.supercell) and np.array_equal(back.box.vectors, orbitals.box.vectors)
    for one, other in zip(orbitals.determinants, back.determinants, strict=True):
        assert np.array_equal(one.amplitudes, other.amplitudes)
        assert (one.label, one.carrier, one.degeneracy) == (other.label, other.carrier, other.degeneracy)
    with pytest.raises(InputError, match="with orbitals"):
        Orbitals.read({}, result.inputs)


# -- other bases


@pytest.mark.parametrize("other", ["larger", "complex box"])
def test_another_basis_keeps_the_energy(state: Any, other: str) -> None:
    hamiltonian, x = state
    setting = hamiltonian.setting
    basis, torus = setting.basis, setting.tori[0]
    there = PlaneWaveBasis(basis.box, rectangle_waves(17, 15), basis.supercell, basis.real) if other == "larger" else \
        BASES["complex box"]
    moved, frames = frames_of(torus, there, Orbitals.of(setting, x))
    for part, energy in hamiltonian.evaluate(x).parts.items():
        assert moved.evaluate(frames).parts[part][0] == pytest.approx(energy[0], rel=1e-11)


def test_a_crystal_is_the_same_state_in_the_free_box() -> None:
    torus = trions(4, zero_mode="madelung")
    hamiltonian, x = random_state(torus, BASES["crystal"], start="trion-crystal", noise=0.0)
    box, y = frames_of(torus, BASES["box"], Orbitals.of(hamiltonian.setting, x))
    again, z = frames_of(torus, BASES["crystal"], Orbitals.of(box.setting, y))
    energies = [h.evaluate(c).energy[0] for h, c in ((hamiltonian, x), (box, y), (again, z))]
    assert energies == pytest.approx([energies[0]] * 3, rel=1e-11)
    assert box.setting.basis.real and len(again.setting.fillings[0].blocks) == 4


def test_orbitals_that_do_not_fit_are_refused(state: Any) -> None:
    hamiltonian, x = state
    orbitals, basis = Orbitals.of(hamiltonian.setting, x), hamiltonian.setting.basis
    with pytest.raises(InputError, match="box of this shape"):
        orbitals.on(replace(trions(4), shape="triangular"), triangular_basis(4, 8.0, 4, crystal=False))
    with pytest.raises(InputError, match="2 electron orbitals"):
        orbitals.on(trions(2), basis)
    other = Cell(2 * basis.box.vectors)  # another density is fine
    assert len(orbitals.on(trions(4, spin="unrestricted", rs=16.0), PlaneWaveBasis(
        other, basis.waves, basis.supercell, basis.real)).frames) == 3


# -- one state, one name


def sixteen(electrons: bool) -> Torus:
    """16 holes at r_s = 6, with as many light restricted electrons or without."""
    holes = Species("hole", 1, 1.0, 1, 16)
    light = Species("electron", -1, 0.25, 0, 16, spin="restricted")
    return torus_of((light, holes) if electrons else (holes,), 1.0, "madelung", box=triangular_basis(16, 6.0, 6).box)


def solved(torus: Torus, start: str, **more: Any) -> HartreeFockResult:
    options = Options(start=start, occupation="shell", tolerance=1e-10, stability="none")
    result = solve(torus, triangular_basis(16, 6.0, 6), options, ONE, **more)
    assert result.status is Status.converged
    return result


@pytest.mark.parametrize("electrons", [False, True])
def test_one_state_has_one_name(electrons: bool, tmp_path: Path) -> None:
    """From its guess, from its own file and from noise."""
    torus = sixteen(electrons)
    crystal = solved(torus, "crystal")
    crystal.save(tmp_path / "crystal.nc")
    again = solved(torus, "path", initial=HartreeFockResult.load(tmp_path / "crystal.nc").orbitals)
    noise = solved(torus, "random")
    for other in (again, noise):
        assert other.energy == pytest.approx(crystal.energy, abs=1e-9)
        assert other.summary["phase"] == crystal.summary["phase"]
    assert crystal.summary["phase"] == ("hole-crystal" if electrons else "crystal")


def test_names_are_functions_of_the_orbitals_alone() -> None:
    """The same density matrix in other blocks and on more waves, and rotated among its occupied orbitals."""
    torus = sixteen(electrons=False)
    orbitals = solved(torus, "crystal").orbitals
    larger = triangular_basis(16, 6.0, 8)
    views = [larger, PlaneWaveBasis(larger.box, larger.waves), PlaneWaveBasis(larger.box, larger.waves, real=False),
             PlaneWaveBasis(larger.box, larger.waves, crystal_cell(larger.box, 16, 2))]
    rng = np.random.default_rng(0)
    for basis in views:
        hamiltonian, x = frames_of(torus, basis, orbitals)
        turns = [np.linalg.qr(rng.standard_normal((p.shape[2],) * 2))[0] for p in x]
        turned = tuple(np.einsum("ij,bkjg->bkig", u, p) for u, p in zip(turns, x, strict=True))
        for frames in (x, turned):
            there = Orbitals.of(hamiltonian.setting, frames)
            assert phase_name(torus, there) == phase_name(torus, orbitals) == "crystal"
            assert sea_depletion(torus, there, 0) == pytest.approx(sea_depletion(torus, orbitals, 0), abs=1e-10)
            assert not is_striped(torus, there)


def test_a_liquid_is_one_whatever_it_started_as() -> None:
    """At high density a crystal's guess melts: the name tells how it ended."""
    basis = triangular_basis(7, 0.5, 4, crystal=False)
    torus = torus_of((Species("hole", 1, 1.0, 1, 7),), 0.0, "madelung", box=basis.box)
    options = Options(start="liquid", tolerance=1e-10, stability="none")
    liquid, melted = (solve(torus, basis, replace(options, start=start), ONE) for start in ("liquid", "random"))
    assert melted.energy == pytest.approx(liquid.energy, abs=1e-9)
    assert melted.summary["phase"] == liquid.summary["phase"] == "liquid"
