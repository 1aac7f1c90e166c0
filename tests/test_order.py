"""Order parameters against states whose density is known."""

import numpy as np
import pytest

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.order import bragg_vectors, bragg_weights, spin_orders
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.orbitals import Orbitals
from ehbilayer.results.base import Result
from ehbilayer.torus import Torus
from systems import Species, random_state, torus_of, triangular_basis

N, RS = 16, 8.0


def balanced(spin: str = "restricted") -> Torus:
    return torus_of((Species("electron", -1, 0.5, 0, N, spin=spin), Species("hole", 1, 1.0, 1, N)), 1.0, "none",
                    box=triangular_basis(N, RS, 5).box)


@pytest.fixture(scope="module")
def crystal() -> Result:
    basis = triangular_basis(N, RS, 5)
    two = PlaneWaveBasis(basis.box, basis.waves, crystal_cell(basis.box, N, 2))
    return solve(balanced("unrestricted"), two, Options(start="crystal", spin_order="stripe", stability="none",
                                                        tolerance=1e-6), how=How(threads=1))


def test_a_triangular_crystal_has_six_shortest_vectors() -> None:
    basis = triangular_basis(N, RS, 5)
    waves = bragg_vectors(basis.box, N)
    length = np.linalg.norm(waves @ basis.box.reciprocal, axis=1)
    assert len(waves) == 6
    assert length == pytest.approx(np.full(6, np.sqrt(8 * np.pi**2 / np.sqrt(3) * N / basis.box.area)), rel=1e-12)


def test_a_liquid_has_no_order() -> None:
    result = solve(balanced(), triangular_basis(N, RS, 5), Options(start="liquid", keep="translations",
                                                                   stability="none"), how=How(threads=1))
    orbitals = result.orbitals
    assert bragg_weights(balanced(), orbitals) == pytest.approx({"electron": 0.0, "hole": 0.0}, abs=1e-30)  # round-off
    assert spin_orders(balanced(), orbitals) == {"electron": None, "hole": None}


def test_components_are_those_of_the_density_on_the_grid(crystal: Result) -> None:
    """An independent route: the transform of the saved density, on the cell of the calculation."""
    density = crystal.data["density_hole"].values
    cell = crystal.data["cell"].values
    area = abs(np.linalg.det(cell))
    grid = np.fft.fft2(density, norm="forward") * area * N / 2  # two sites per cell
    supercell = np.array(crystal.inputs["supercell"])
    steps = np.array([[1, 0], [0, 1], [1, 1], [2, -1]])
    orbitals = crystal.orbitals
    waves = orbitals.density_waves(steps @ supercell.T)["hole"]
    assert np.abs(waves) == pytest.approx([abs(grid[i, j]) for i, j in steps], abs=1e-9)
    assert abs(orbitals.density_waves(np.zeros((1, 2), int))["hole"][0]) == pytest.approx(N)


def test_a_crystal_has_bragg_peaks_and_rows_of_spins(crystal: Result) -> None:
    torus, orbitals = balanced("unrestricted"), crystal.orbitals
    weights, spins = bragg_weights(torus, orbitals), spin_orders(torus, orbitals)
    assert 0.02 < weights["electron"] < weights["hole"] < 1  # the light electrons are wider
    assert spins["electron"] is not None and 0.5 < spins["electron"] <= 1 + 1e-12
    assert spins["hole"] is None


def test_gaussians_have_the_weight_of_their_width() -> None:
    """Orbitals exp(-r^2/2w^2) far apart: |rho_G/N|^2 = exp(-G^2 w^2/2)."""
    basis = triangular_basis(4, RS, 12)
    torus = torus_of((Species("hole", 1, 25.0, 0, 4),), 0.0, "none", box=basis.box)
    hamiltonian, frames = random_state(torus, basis, start="crystal", noise=0.0)
    width = 0.8 * (RS**3 / 25.0) ** 0.25
    g2 = 8 * np.pi**2 / np.sqrt(3) * 4 / basis.box.area
    weights = bragg_weights(torus, Orbitals.of(hamiltonian.setting, frames))
    assert weights["hole"] == pytest.approx(np.exp(-g2 * width**2 / 2), rel=1e-3)
