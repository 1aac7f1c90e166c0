"""Every term: its operator is the derivative of its energy, its area derivative is that of its energy."""

from dataclasses import replace

import numpy as np
import pytest

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hamiltonian import Hamiltonian
from ehbilayer.terms.exchange import Exchange
from systems import Species, named, random_state, small_basis, torus_of, triangular_basis, trions

METAL = triangular_basis(4, 7.0, 5)
CASES = {
    "box": lambda: random_state(trions(spin="unrestricted", zero_mode="madelung"), small_basis("box")),
    "crystal": lambda: random_state(trions(zero_mode="madelung", capacitor=True), small_basis("crystal")),
    "metal": lambda: random_state(
        torus_of((Species("electron", -1, 0.1, 0, 4, spin="restricted"), Species("hole", 1, 1.0, 1, 4)), 1.0, "none",
                 box=METAL.box), METAL, start="hole-crystal", occupation="shell"),
}
TERMS = ("kinetic", "direct", "exchange")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("term", TERMS)
def test_operator_is_the_derivative_of_the_energy(case, term):
    hamiltonian, x = CASES[case]()
    setting, rng = hamiltonian.setting, np.random.default_rng(5)

    def energy(c):
        return named(hamiltonian, term).act(hamiltonian.state(c)).energy[0]

    action = named(hamiltonian, term).act(hamiltonian.state(x))
    slope, dx = 0.0, []
    for c, (p, filling, channel) in enumerate(zip(x, setting.fillings, setting.channels, strict=True)):
        d = rng.standard_normal(p.shape) + (0 if setting.basis.real else 1j * rng.standard_normal(p.shape))
        d = d if setting.basis.real else d * setting.basis.mask[filling.blocks][None, :, None]
        dx.append(d / np.linalg.norm(d))
        on_waves = action.coefficients is not None and action.coefficients[c] is not None
        operator = action.coefficients[c] if on_waves else setting.basis.from_grid(
            setting.fourier, action.grid[c].reshape(*p.shape[:3], *setting.basis.shape), filling.blocks)
        weight = channel.degeneracy * filling.f[None, :, :, None]
        slope += 2 * np.sum((dx[-1].conj() * weight * operator).real)
    h = 1e-4
    up, down = (energy(tuple(p + s * h * d for p, d in zip(x, dx, strict=True))) for s in (1, -1))
    assert abs(slope) > 1e-4  # not 0 = 0
    assert (up - down) / (2 * h) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("term", TERMS)
def test_area_derivative(case, term):
    hamiltonian, x = CASES[case]()
    setting = hamiltonian.setting
    exact = named(hamiltonian, term).derivative(1).act(hamiltonian.state(x)).energy[0] / setting.areas[0]
    h = 1e-4 * setting.areas[0]

    def energy(area):
        moved = Hamiltonian(replace(setting, tori=[setting.tori[0].scaled(area)]))
        return named(moved, term).act(moved.state(x)).energy[0]

    assert abs(exact) > 1e-8
    assert (energy(setting.areas[0] + h) - energy(setting.areas[0] - h)) / (2 * h) == pytest.approx(exact, rel=1e-6)


def test_exchange_against_the_explicit_sum():
    hamiltonian, x = random_state(trions(), small_basis("box", waves=(5, 5)))
    basis, area = hamiltonian.setting.basis, hamiltonian.setting.areas[0]
    lookup = {tuple(w): i for i, w in enumerate(basis.waves)}
    expected = 0.0
    for c, channel in enumerate(hamiltonian.setting.channels):
        a = basis.to_waves(x[c][0])[0]
        d = a.T @ a.conj()
        for i, ki in enumerate(basis.waves):
            for j, kj in enumerate(basis.waves):
                q = np.linalg.norm((ki - kj) @ basis.box.reciprocal)
                if q == 0:
                    continue
                for m, km in enumerate(basis.waves):
                    other = lookup.get(tuple(kj + km - ki))
                    if other is not None:
                        expected -= 0.5 * channel.degeneracy * 2 * np.pi / (q * area) * (d[i, m] * d[other, j]).real
    assert named(hamiltonian, "exchange").act(hamiltonian.state(x)).energy[0] == pytest.approx(expected, rel=1e-11)


def test_madelung_shifts_exchange_by_half_the_element_per_particle():
    basis = small_basis("box")
    none, x = random_state(trions(zero_mode="none"), basis)
    madelung, _ = random_state(trions(zero_mode="madelung"), basis)
    element = madelung.setting.tori[0].bilayer.interaction.zero_mode(basis.box.vectors, 0, 0)
    shift = [named(h, "exchange").act(h.state(x)).energy[0] for h in (madelung, none)]
    assert shift[0] - shift[1] == pytest.approx(-0.5 * element * 12, rel=1e-10)


def test_capacitor_energy_of_balanced_layers():
    species = (Species("electron", -1, 1.0, 0, 4), Species("hole", 1, 1.0, 1, 4))
    basis = small_basis("box")
    energies = []
    for capacitor in (True, False):
        hamiltonian, x = random_state(torus_of(species, 2.0, "none", capacitor, box=basis.box), basis)
        energies.append(named(hamiltonian, "direct").act(hamiltonian.state(x)).energy[0])
    assert energies[0] - energies[1] == pytest.approx(2 * np.pi * 4**2 * 2.0 / basis.box.area, rel=1e-12)


def test_box_and_crystal_grids_do_not_alias():
    """A finer FFT grid changes nothing: products of two orbitals are integrated exactly."""
    basis = small_basis("crystal")
    hamiltonian, x = random_state(trions(), basis)
    finer = PlaneWaveBasis(basis.box, basis.waves, basis.supercell)
    finer.shape = tuple(2 * n for n in basis.shape)
    finer._index_grid()
    again = Hamiltonian(replace(hamiltonian.setting, basis=finer))
    for term in TERMS:
        values = [named(h, term).act(h.state(x)).energy[0] for h in (hamiltonian, again)]
        assert values[0] == pytest.approx(values[1], rel=1e-12)


@pytest.mark.parametrize(("case", "order"), [("crystal", 0), ("crystal", 1), ("metal", 0), ("metal", 2)])
def test_exchange_on_waves_is_that_of_pair_densities(case, order, monkeypatch):
    hamiltonian, x = CASES[case]()
    setting = replace(hamiltonian.setting, tori=[hamiltonian.setting.tori[0], hamiltonian.setting.tori[0].scaled(90.0)])
    found = []
    for on_waves in (True, False):
        monkeypatch.setattr("ehbilayer.terms.exchange.worth_it", lambda s, c, on_waves=on_waves: on_waves)
        exchange = Hamiltonian(setting, [Exchange])
        assert exchange.on_grid is not on_waves
        term = exchange if order == 0 else exchange.derivative(order)
        found.append(term.evaluate(tuple(np.concatenate([p, 1.1 * p]) for p in x)))
    assert found[0].energy == pytest.approx(found[1].energy, rel=1e-12)
    assert abs(found[0].energy[0] - found[0].energy[1]) > 1e-3
    for p, q in zip(found[0].fock, found[1].fock, strict=True):
        assert np.abs(p - q).max() < 1e-13 < np.abs(q).max()


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_waves_and_the_grid_give_the_same(monkeypatch, noise):
    """Direct and exchange terms by matrices between waves (real ones without noise) and by transforms."""
    torus = trions(zero_mode="madelung")
    hamiltonian, x = random_state(torus, small_basis("crystal"), start="trion-crystal", noise=noise)
    found = []
    for seconds in (0.0, 1.0):
        monkeypatch.setattr("ehbilayer.terms.wave_exchange.SECONDS", seconds)
        here = Hamiltonian(hamiltonian.setting)
        out = here.evaluate(x)
        assert here.on_grid is (seconds > 0)
        levels = [here.blocks(here.state(x), c) for c in range(len(x))]
        found.append((out.parts, out.fock, levels))
    (parts, fock, levels), (same_parts, same_fock, same_levels) = found
    for name in TERMS:
        assert parts[name] == pytest.approx(same_parts[name], abs=1e-12)
    for a, b in zip((*fock, *levels), (*same_fock, *same_levels), strict=True):
        assert np.allclose(a, b, atol=1e-12)
