from dataclasses import replace

import numpy as np
import pytest

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.batch import solve_batch
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.interaction.coulomb import Coulomb
from systems import small_basis, trions

OPTIONS = Options(start="trion-crystal", tolerance=1e-10, stability="none")


def points():
    """Tori of three spacings and areas."""
    torus = trions(4, zero_mode="madelung")
    return [replace(torus, bilayer=replace(torus.bilayer, interaction=Coulomb(d))).scaled(torus.area * scale)
            for d, scale in ((3.0, 0.8), (4.83, 1.0), (6.0, 1.3))], small_basis("crystal")


def test_a_batch_equals_its_points():
    tori, basis = points()
    batch = solve_batch(tori, basis, OPTIONS)
    assert batch.converged.all()
    for torus, energy in zip(tori, batch.energy_per_particle, strict=True):
        here = PlaneWaveBasis(torus.box, basis.waves, basis.supercell)
        alone = solve(torus, here, OPTIONS, How(threads=1)).summary["energy_per_particle"]
        assert alone == pytest.approx(energy, abs=1e-11)


def test_jax_runs_the_same_lines():
    pytest.importorskip("jax")
    tori, basis = points()
    a, b = (solve_batch(tori, basis, OPTIONS, backend=x) for x in ("numpy", "jax"))
    assert np.allclose(a.energy_per_particle, b.energy_per_particle, atol=1e-12)


def test_points_of_different_particles_are_refused():
    tori, basis = points()
    with pytest.raises(InputError, match="same channels"):
        solve_batch([tori[0], trions(2)], basis, OPTIONS)
