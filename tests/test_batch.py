import numpy as np
import pytest

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.batch import solve_batch
from ehbilayer.hartree_fock.solver import Options, solve
from ehbilayer.model import Bilayer
from systems import small_basis, trions

OPTIONS = Options(start="trion-crystal", tolerance=1e-10, stability="none")


def points():
    basis = small_basis("crystal")
    species = trions(4).species
    return ([Bilayer(species, d, zm) for d, zm in ((3.0, "madelung"), (4.83, "madelung"), (6.0, "madelung"))],
            basis, basis.box.area * np.array([0.8, 1.0, 1.3]))


def test_a_batch_equals_its_points():
    bilayers, basis, areas = points()
    batch = solve_batch(bilayers, basis, areas, OPTIONS)
    assert batch.converged.all()
    for bilayer, area, energy in zip(bilayers, areas, batch.energy_per_particle, strict=True):
        here = PlaneWaveBasis(basis.box.scaled(area), basis.waves, basis.supercell)
        alone = solve(bilayer, here, OPTIONS, threads=1).summary["energy_per_particle"]
        assert alone == pytest.approx(energy, abs=1e-11)


def test_jax_runs_the_same_lines():
    pytest.importorskip("jax")
    bilayers, basis, areas = points()
    a, b = (solve_batch(bilayers, basis, areas, OPTIONS, backend=x) for x in ("numpy", "jax"))
    assert np.allclose(a.energy_per_particle, b.energy_per_particle, atol=1e-12)


def test_points_of_different_particles_are_refused():
    bilayers, basis, areas = points()
    with pytest.raises(InputError, match="same channels"):
        solve_batch([bilayers[0], trions(2)], basis, areas[:2], OPTIONS)
