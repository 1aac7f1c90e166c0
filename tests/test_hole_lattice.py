"""Phonons of the hole lattice screened by electrons: limits, sum rules, and frozen waves."""

import math
from itertools import product

import numpy as np
import pytest

from ehbilayer.errors import InputError
from ehbilayer.model import Bilayer
from ehbilayer.response.hole_lattice import ScreenedLattice
from ehbilayer.response.result import LatticeSound
from screened import Yukawa

BONSALL_MARADUDIN_SHEAR = 0.245065  # mu / (e^2 n^{3/2}), triangular lattice, PRB 15, 1959 (1977)


def screened(mass, spacing, rs, local_field="none", **more):
    """Holes above electrons of mass m_e/m_h at r_s of the electrons, d in a_h."""
    return ScreenedLattice(Bilayer.of(electron_mass=mass, hole_mass=1.0, spacing=spacing, rs_electron=rs, **more),
                           local_field)


@pytest.mark.parametrize("field", ["none", "exchange"])
@pytest.mark.parametrize("rs", [0.5, 1.6])
def test_far_layers_meet_in_the_capacitor_alone(field, rs):
    """B is that of the gas plus that of the static crystal plus 4 d/a_e; shear is the crystal's own."""
    lattice = screened(0.1, 80.0, rs, local_field=field)
    electrons = 1 - math.sqrt(2) / math.pi * rs * (field == "exchange")
    crystal = 0.75 * -1.106103 / (rs / 0.1) / (0.1 / rs**2)  # E ~ A^{-1/2}
    sound = lattice.sound
    assert sound.bulk == pytest.approx(electrons + crystal + 4 * 80.0 * 0.1, abs=2e-4)
    shear = BONSALL_MARADUDIN_SHEAR * math.sqrt(lattice.density) / lattice.fermi_energy
    assert sound.transverse == pytest.approx(shear, rel=1e-4)


def test_the_long_wave_interaction_holds_the_capacitor():
    lattice, q = screened(0.1, 2.0, 1.0), np.array([1e-6])
    assert 2 * math.pi / q + lattice.induced(q) == pytest.approx(math.pi / 0.1 + 4 * math.pi * 2.0, rel=1e-4)


def test_lindhard_function_of_the_plane():
    lattice = screened(0.5, 1.0, 1.3)
    k = lattice.fermi_wave_number
    inside = lattice.polarisability(np.array([0.1 * k, 2 * k]))
    assert inside == pytest.approx(0.5 / math.pi)  # g m/(2 pi), two flavours
    far = 30 * k
    # free particles: Pi -> 4 m n/q^2
    assert lattice.polarisability(np.array([far]))[0] == pytest.approx(4 * 0.5 * lattice.density / far**2, rel=1e-2)
    # against the integral 2 sum_k [n_k - n_{k+q}]/(e_{k+q} - e_k) on a fine mesh
    q, n = 3.0 * k, 400
    kx, ky = np.meshgrid((np.arange(n) + 0.5) / n * 2 * k - k, (np.arange(n) + 0.5) / n * 2 * k - k)
    sea = kx**2 + ky**2 < k**2
    energy = ((kx + q) ** 2 - kx**2) / (2 * 0.5)
    total = 2 * 2 * np.sum(sea / energy) * (2 * k / n) ** 2 / (2 * math.pi) ** 2
    assert lattice.polarisability(np.array([q]))[0] == pytest.approx(total, rel=2e-3)


def test_exchange_local_field_has_the_hartree_fock_compressibility():
    lattice, q = screened(0.2, 1.0, 1.1, local_field="exchange"), np.array([1e-7])
    stiff = 1 / lattice.states - 2 * math.pi / q * lattice.field_factor(q)
    assert stiff * lattice.states == pytest.approx(1 - math.sqrt(2) / math.pi * 1.1, rel=1e-5)
    assert lattice.field_factor(np.array([1e9]))[0] == pytest.approx(0.5)  # only equal spins exchange


def test_a_frozen_wave_costs_what_the_matrix_says():
    """Two holes per doubled cell move against each other, q = b_1/2; energies of the induced interaction summed
    directly over the doubled cell's own reciprocal vectors."""
    lattice = screened(0.3, 1.5, 1.0)
    a, b = lattice.cell.vectors, lattice.cell.reciprocal
    doubled = np.array([2 * a[0], a[1]])
    rec = 2 * math.pi * np.linalg.inv(doubled).T
    waves = np.array([(i * rec[0] + j * rec[1]) for i, j in product(range(-40, 41), repeat=2) if (i, j) != (0, 0)])
    u_ind = lattice.induced(np.linalg.norm(waves, axis=1))

    def energy(u):  # per hole
        where = np.array([u, a[0] - u])
        weight = np.abs(np.exp(1j * waves @ where.T).sum(axis=1)) ** 2
        return float(u_ind @ weight) / (2 * 2 / lattice.density) / 2

    h, found = 1e-3 * np.linalg.norm(a[0]), np.zeros((2, 2))
    axes = np.eye(2) * h
    for i, j in product(range(2), repeat=2):
        corners = (s * t * energy(s * axes[i] + t * axes[j]) for s, t in product((1, -1), repeat=2))
        found[i, j] = sum(corners) / (4 * h * h)
    q = b[0] / 2
    induced = lattice.matrix(q[None])[0] - lattice._bare.dynamical_matrix(q[None])[0, 0, :, 0].real
    assert induced == pytest.approx(found, rel=1e-3, abs=1e-4 * np.abs(found).max())


def test_sound_is_isotropic_and_the_matrix_periodic():
    lattice = screened(0.1, 1.0, 0.8)
    small = 1e-3 * np.linalg.norm(lattice.cell.reciprocal[0])
    angles = np.array([0.0, 0.7, 1.9])
    q = small * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    along = np.einsum("ma,mab,mb->m", q, lattice.matrix(q), q) / small**4
    assert along == pytest.approx(along[0], rel=1e-4)
    here = np.array([[0.11, 0.05]]) @ lattice.cell.reciprocal
    moved = here + lattice.cell.reciprocal.sum(axis=0)
    assert lattice.matrix(here) == pytest.approx(lattice.matrix(moved), rel=1e-6)
    assert isinstance(lattice.sound, LatticeSound)


def test_zero_point_motion():
    """Gaussians of equal width on a lattice: w^2 S/4 + 1/(2 w^2), S = sum 1/R^3, minimised numerically."""
    r = math.pi ** 0.5 * math.sqrt(2 / math.sqrt(3))  # lattice constant at r_s = 1
    v = r * np.array([[1, 0], [0.5, math.sqrt(0.75)]])
    n = 200
    i, j = np.meshgrid(np.arange(-n, n + 1), np.arange(-n, n + 1))
    length = np.linalg.norm(np.stack([i.ravel(), j.ravel()], axis=1) @ v, axis=1)
    length = length[(length > 0) & (length < n * r * 0.8)]
    s = float(np.sum(length**-3)) + 2 * math.pi / math.pi / (n * r * 0.8)  # the rest as an integral
    w = np.linspace(0.5, 2, 20001)
    least = float(np.min(w**2 * s / 4 + 1 / (2 * w**2)))
    lattice = screened(0.1, 1.0, 1.0)
    assert lattice.zero_point == pytest.approx(21 / 16 * least * 10**-1.5 / 0.1, rel=1e-4)


def test_more_reciprocal_vectors_change_nothing(monkeypatch):
    from ehbilayer.response import hole_lattice as module

    near = screened(0.1, 0.0, 1.0).sound
    monkeypatch.setattr(module, "REACH", 80.0)
    far = screened(0.1, 0.0, 1.0).sound
    assert near.longitudinal == pytest.approx(far.longitudinal, abs=5e-4)
    assert near.transverse == pytest.approx(far.transverse, abs=5e-4)


@pytest.mark.parametrize(("wrong", "argument"), [
    ({"local_field": "other"}, "local_field"), ({"electrons_per_hole": 2.0}, "electrons_per_hole"),
    ({"electrons_per_hole": 0}, "electron"), ({"interaction": Yukawa(1.0)}, "interaction")])
def test_what_it_cannot_treat_is_refused_by_name(wrong, argument):
    with pytest.raises(InputError, match=argument):
        screened(0.1, 1.0, 1.0, **wrong)
