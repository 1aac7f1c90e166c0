"""Orbitals of several components: two layers of like charge, and an electron-hole pair as one spinor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import disk_waves
from ehbilayer.condensate.torus import make_gas
from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.spectrum import crystal_levels
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import box_of_shape
from ehbilayer.numerics.minimize import minimise, orthonormalise
from ehbilayer.orbitals import Orbitals
from ehbilayer.terms import Filling, Setting
from ehbilayer.torus import Channel, Torus
from systems import Species, directions, named, slope_along, slope_by_differences, small_basis, torus_of

N = 4
Frames = tuple[np.ndarray, ...]


def two_layers(basis: PlaneWaveBasis, spacing: float = 1.5, zero_mode: str = "madelung", mass: float = 1.0) -> Torus:
    """Holes in two layers, which a spinor shares: half of them in each on average."""
    return torus_of((Species("hole", 1, 1.0, 0, N // 2, 1), Species("other hole", 1, mass, 1, N // 2, 1)), spacing,
                    zero_mode, box=basis.box)


def pair(basis: PlaneWaveBasis, spacing: float = 1.5, zero_mode: str = "madelung") -> Torus:
    """Electrons and holes in two layers."""
    return torus_of((Species("electron", -1, 0.6, 0, N, 1), Species("hole", 1, 1.0, 1, N, 1)), spacing, zero_mode,
                    box=basis.box)


def spinors(torus: Torus, basis: PlaneWaveBasis, channel: Channel, seed: int = 1) -> tuple[Hamiltonian, Frames]:
    """A Hamiltonian of one channel of spinors, and random orthonormal ones."""
    blocks = len(basis.k_points)
    filling = Filling(np.arange(blocks), np.ones((blocks, channel.orbitals // blocks)))
    hamiltonian = Hamiltonian(Setting(basis, Fourier(), [torus], (filling,), (channel,)))
    damp = np.exp(-0.02 * np.sum(basis.coefficient_k() ** 2, axis=-1))[:, None]
    x = directions(hamiltonian, seed)[0] * np.concatenate([damp] * len(channel.components), axis=-1)
    return hamiltonian, (orthonormalise(np, x),)


SHARED = Channel("holes", (0, 1), N, 1)
PAIRED = Channel("pairs", (0, 1), N, 1, (1, -1))
BASES = {"box": small_basis("box"), "crystal": small_basis("crystal"),
         "complex box": PlaneWaveBasis(small_basis("box").box, small_basis("box").waves, real=False)}
SYSTEMS = {"two layers": (two_layers, SHARED), "pairs": (pair, PAIRED)}


@pytest.fixture(params=BASES)
def basis(request: pytest.FixtureRequest) -> PlaneWaveBasis:
    return BASES[request.param]


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_gradient_is_the_derivative_of_the_energy(basis: PlaneWaveBasis, system: str) -> None:
    make, channel = SYSTEMS[system]
    hamiltonian, x = spinors(make(basis), basis, channel)
    d = directions(hamiltonian)
    for term in (None, "kinetic", "direct", "exchange"):
        alone = hamiltonian if term is None else Hamiltonian(hamiltonian.setting, (type(named(hamiltonian, term)),))
        slope = slope_along(alone, x, d)
        assert slope_by_differences(alone, x, d) == pytest.approx(slope, rel=1e-6) and abs(slope) > 1e-4


@pytest.mark.parametrize("system", SYSTEMS)
def test_area_derivatives(basis: PlaneWaveBasis, system: str) -> None:
    make, channel = SYSTEMS[system]
    torus = make(basis)
    hamiltonian, x = spinors(torus, basis, channel)
    h = 2e-3
    tori = [torus.scaled(torus.area * np.exp(s * h)) for s in (-2, -1, 0, 1, 2)]
    e = [Hamiltonian(replace(hamiltonian.setting, tori=[t])).evaluate(x).energy[0] for t in tori]
    first, second = np.dot([1, -8, 0, 8, -1], e) / (12 * h), np.dot([-1, 16, -30, 16, -1], e) / (12 * h * h)
    assert hamiltonian.derivative(1).evaluate(x).energy[0] == pytest.approx(first, abs=1e-9)
    assert hamiltonian.derivative(2).evaluate(x).energy[0] == pytest.approx(second, abs=1e-7)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("kind", ["crystal", "complex box"])
def test_blocks_are_hermitian_and_act_as_the_fock_operator_does(kind: str, system: str) -> None:
    basis, (make, channel) = BASES[kind], SYSTEMS[system]
    hamiltonian, x = spinors(make(basis), basis, channel)
    blocks = hamiltonian.blocks(hamiltonian.state(x), 0)
    assert np.allclose(blocks, np.conj(np.swapaxes(blocks, -1, -2)), atol=1e-13)
    g = basis.coefficients
    assert np.abs(blocks[:, :g, g:]).max() > 1e-3  # exchange between the layers
    out = np.einsum("kgh,knh->kng", blocks, x[0][0])
    mask = np.concatenate([basis.mask, basis.mask], axis=-1)
    assert np.allclose(out * mask[:, None], hamiltonian.evaluate(x).fock[0][0], atol=1e-12)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_operator_on_other_orbitals_is_that_of_the_blocks(system: str) -> None:
    """What levels of a free box are made from: vectors on the grid."""
    basis, (make, channel) = BASES["complex box"], SYSTEMS[system]
    hamiltonian, x = spinors(make(basis), basis, channel)
    setting, state = hamiltonian.setting, hamiltonian.state(x)
    y = directions(hamiltonian, 9)
    values, blocks = hamiltonian.state(y).psi[0], np.zeros(N, dtype=int)
    out = 0
    for operator in hamiltonian.operators(state, 0):
        own, grid = operator.on(y[0], values, blocks)
        out = out + (0 if own is None else own)
        if grid is not None:
            flat = grid.reshape(1, 1, -1, *basis.shape)
            out = out + setting.join(basis.from_grid(setting.fourier, flat, np.array([0])), 0)
    expected = np.einsum("kgh,knh->kng", hamiltonian.blocks(state, 0), y[0][0])
    assert np.allclose(out[0], expected, atol=1e-12)


@pytest.mark.parametrize("component", [0, 1])
def test_a_spinor_in_one_component_is_a_carrier_of_one_layer(basis: PlaneWaveBasis, component: int) -> None:
    hamiltonian, x = spinors(two_layers(basis, mass=2.0), basis, SHARED)
    g = basis.coefficients
    y = orthonormalise(np, x[0][..., :g])
    whole = np.zeros_like(x[0])
    whole[..., component * g : (component + 1) * g] = y
    mass = (1.0, 2.0)[component]
    alone = torus_of((Species("hole", 1, mass, component, N, 1),), 1.5, "madelung", box=basis.box)
    plain = Hamiltonian(Setting(basis, Fourier(), [alone], hamiltonian.setting.fillings))
    here, there = hamiltonian.evaluate((whole,)), plain.evaluate((y,))
    for part, energy in there.parts.items():
        assert here.parts[part][0] == pytest.approx(energy[0], rel=1e-12)
    assert np.allclose(here.fock[0][..., component * g : (component + 1) * g], there.fock[0], atol=1e-13)


def test_layers_on_top_of_each_other_do_not_tell_directions_apart(basis: PlaneWaveBasis) -> None:
    """At d = 0 and equal masses a rotation of all spinors changes nothing; between the layers it does at d > 0."""
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    changes = []
    for spacing in (0.0, 1.5):
        hamiltonian, x = spinors(two_layers(basis, spacing), basis, SHARED)
        setting = hamiltonian.setting
        rotated = setting.join(np.einsum("ab,xknbg->xknag", turn, setting.split(x[0], 0).reshape(
            *x[0].shape[:3], 2, -1)).reshape(*x[0].shape[:2], -1, basis.coefficients), 0)
        energies = [hamiltonian.evaluate((p,)).energy[0] for p in (x[0], rotated)]
        changes.append(abs(energies[0] - energies[1]))
    assert changes[0] < 1e-11 and changes[1] > 1e-3


def test_two_channels_of_one_component_are_a_spinor_without_coherence() -> None:
    """Orbitals that each live in one layer have no exchange between the layers."""
    basis = BASES["crystal"]
    torus = torus_of((Species("hole", 1, 1.0, 0, N, 1), Species("other hole", 1, 2.0, 1, N, 1)), 1.5, "madelung",
                     box=basis.box)
    one = np.ones((len(basis.k_points), 1))
    plain = Hamiltonian(Setting(basis, Fourier(), [torus], (Filling(np.arange(4), one),) * 2))
    x = tuple(orthonormalise(np, p) for p in directions(plain))
    both = np.zeros((1, 4, 2, 2 * basis.coefficients), dtype=complex)
    both[:, :, :1, : basis.coefficients], both[:, :, 1:, basis.coefficients :] = x
    hamiltonian, _ = spinors(torus, basis, replace(SHARED, orbitals=2 * N))
    here, there = hamiltonian.evaluate((both,)), plain.evaluate(x)
    for part, energy in there.parts.items():
        assert here.parts[part][0] == pytest.approx(energy[0], rel=1e-12)


def test_levels_of_spinors_are_expectation_values_at_the_minimum() -> None:
    """Minimised spinors span the filled levels; a layer polarisation that costs nothing is chosen at random."""
    basis = BASES["crystal"]
    hamiltonian, x = spinors(two_layers(basis), basis, SHARED)
    end = minimise(EnergyProblem(hamiltonian), x, residual=1e-8, max_iterations=2000)
    assert end.converged.all()
    levels = crystal_levels(hamiltonian, end.frames, 0)
    fock = hamiltonian.evaluate(end.frames).fock[0]
    expectation = np.einsum("kng,kng->kn", end.frames[0][0].conj(), fock[0]).real
    assert np.sort(levels.energy[levels.filled > 0.5]) == pytest.approx(np.sort(expectation.ravel()), abs=1e-7)
    assert np.isfinite(levels.energy).sum() == 2 * basis.size  # two components for every wave


def test_kept_orbitals_of_spinors_have_their_components() -> None:
    basis = BASES["crystal"]
    hamiltonian, x = spinors(two_layers(basis), basis, SHARED)
    orbitals = Orbitals.of(hamiltonian.setting, x)
    amplitudes = orbitals.determinants[0].amplitudes
    assert amplitudes.shape == (N, 2, basis.size)
    assert np.sum(np.abs(amplitudes) ** 2, axis=(1, 2)) == pytest.approx(np.ones(N))
    psi = orbitals.at(np.zeros((1, 2)), 0)[0]
    assert psi.shape == (1, N, 2)
    # at the origin the periodic part is the whole
    assert psi[0] == pytest.approx(hamiltonian.state(x).psi[0][0, :, :, 0, 0] / np.sqrt(basis.box.area), abs=1e-12)
    back = Orbitals.read(orbitals.variables(), orbitals.parameters)
    assert np.array_equal(back.determinants[0].amplitudes, amplitudes)


# -- a pair of electron and hole: what pairs in the condensate is exchange between components


def one_wave_each(cutoff: float = 1.6) -> PlaneWaveBasis:
    """A block for every wave, as uniform states need."""
    box = box_of_shape("triangular", 60.0)
    waves = disk_waves(box, cutoff)
    return PlaneWaveBasis(box, waves, np.diag(2 * np.abs(waves).max(axis=0) + 1), real=False)


def paired(basis: PlaneWaveBasis, torus: Torus, angle: np.ndarray, phase: np.ndarray) -> tuple[Hamiltonian, Frames]:
    """sin(angle) in the electron component, cos(angle) e^{i phase} in the transformed hole's, at every wave vector."""
    channel = Channel("pairs", (0, 1), basis.size, 1, (1, -1))
    filling = Filling(np.arange(basis.size), np.ones((basis.size, 1)))
    hamiltonian = Hamiltonian(Setting(basis, Fourier(), [torus], (filling,), (channel,)))
    x = np.stack([np.sin(angle) + 0j, np.cos(angle) * np.exp(1j * phase)], axis=-1)
    return hamiltonian, (x[None, :, None],)


@pytest.mark.parametrize("zero_mode", ["none", "madelung"])
def test_coherence_between_electron_and_hole_lowers_the_energy(zero_mode: str) -> None:
    """-1/2 sum_kk' [v0 (n n' + (1-n)(1-n')) + 2 v1 F F' cos(phi - phi')]/A with F = sin(2 theta)/2."""
    basis, rng = one_wave_each(), np.random.default_rng(2)
    torus = pair(basis, 1.2, zero_mode)
    angle = rng.uniform(0.2, 1.4, basis.size)
    k = basis.k_points @ basis.box.reciprocal
    q = np.linalg.norm(k[:, None] - k[None], axis=-1)
    tables = [torus.v(q, 0, b) / torus.area + np.eye(basis.size) * torus.zero_mode_element(0, b) for b in (0, 1)]
    n, f = np.sin(angle) ** 2, np.sin(2 * angle) / 2
    found = []
    for phase in (np.zeros(basis.size), rng.uniform(0, 2 * np.pi, basis.size)):
        hamiltonian, x = paired(basis, torus, angle, phase)
        turned = f * np.exp(1j * phase)
        expected = -0.5 * (n @ tables[0] @ n + (1 - n) @ tables[0] @ (1 - n)
                           + 2 * (turned.conj() @ tables[1] @ turned).real)
        parts = hamiltonian.evaluate(x).parts
        assert parts["exchange"][0] == pytest.approx(expected, rel=1e-12)
        assert parts["direct"][0] == pytest.approx(0, abs=1e-14)
        found.append(parts["exchange"][0])
    assert found[0] < found[1] - 0.1


@pytest.mark.parametrize("zero_mode", ["none", "madelung"])
def test_uniform_pairs_are_the_condensate(zero_mode: str) -> None:
    """The spinors' energy, less that of the filled band of holes and its exchange with them, is the condensate's."""
    basis = one_wave_each()
    torus = pair(basis, 1.2, zero_mode)
    angle = np.random.default_rng(4).uniform(0, np.pi / 2, basis.size)
    energies = []
    for theta in (angle, 0 * angle):
        hamiltonian, x = paired(basis, torus, theta, 0 * theta)
        energies.append(hamiltonian.evaluate(x).energy[0])
    waves = basis.waves[basis.index[:, 0]]
    n, f = np.sin(angle) ** 2, np.sin(2 * angle) / 2
    gas = make_gas(torus, waves)
    filled, _ = gas.kset.fields(np.ones(basis.size), 0 * angle)  # sum_k' v(k - k')/A
    x_k, d_k = gas.kset.fields(n, f)
    condensate = n @ (gas.kset.kinetic - x_k) - f @ d_k
    assert energies[0] - energies[1] - n @ filled == pytest.approx(condensate, rel=1e-11)
