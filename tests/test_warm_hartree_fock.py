"""Hartree-Fock at a temperature: the ideal gas, the ground state, thermodynamics, stationarity, melting, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import brentq
from scipy.special import entr, expit

import ehbilayer
from ehbilayer import Bilayer, Torus, hartree_fock
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.coherence.field import MeanField
from ehbilayer.hartree_fock.coherence.sectors import Sector
from ehbilayer.hartree_fock.warm import entropy_of, fermi
from ehbilayer.liquid.warm_gas import WarmGas
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import rows
from ehbilayer.terms.kinetic import Kinetic
from test_potential import pinned, plane_wave_levels


def layer(heat: float, rs: float = 20.0, holes: int = 9, spin: str = "polarized", **said: Any) -> Torus:
    return Torus(Bilayer.of(rs_hole=rs, electrons_per_hole=0, temperature=heat, **said), holes=holes,
                 zero_mode="madelung", hole_spin=spin)


def pairs(heat: float) -> Torus:
    device = Bilayer.of(electron_mass=0.3, hole_mass=1.0, dielectric=1.0, spacing=1.0, rs_hole=8, temperature=heat)
    return Torus(device, holes=4, zero_mode="madelung", electron_spin="restricted")


def solved(torus: Torus, start: Any = "crystal", **how: Any) -> Any:
    return hartree_fock(torus, start, **{"symmetry": "crystal", "hexagon": 5, "tolerance": 1e-11, "stability": "none",
                                         **how})


# the ideal gas

def ideal(levels: np.ndarray, count: int, heat: float) -> tuple[float, float, float]:
    """E, S and mu of free fermions in these levels."""
    mu = brentq(lambda m: expit((m - levels) / heat).sum() - count, levels.min() - 60 * heat, levels.max() + 60 * heat,
                xtol=1e-15)
    f = expit((mu - levels) / heat)
    return float(f @ levels), float(np.sum(entr(f) + entr(1 - f))), float(mu)


@pytest.mark.parametrize("heat", [0.01, 0.1, 1.0])
@pytest.mark.parametrize(("symmetry", "keep", "spin"), [
    ("none", "translations", "polarized"), ("crystal", "none", "polarized"), ("none", "none", "restricted")])
def test_free_carriers_are_the_ideal_gas_of_the_torus(heat: float, symmetry: str, keep: str, spin: str) -> None:
    torus = layer(heat, rs=2.0, holes=4, spin=spin)
    found = solved(torus, "liquid", symmetry=symmetry, keep=keep, terms=(Kinetic,))
    k = found.data["waves"].values @ torus.box.reciprocal
    g = 2 if spin == "restricted" else 1
    energy, entropy, mu = ideal(np.sum(k * k, axis=1) / 2, 4 // g, heat)
    assert found.energy == pytest.approx(g * energy, rel=1e-10)
    assert found.entropy.hole == pytest.approx(g * entropy / 4, rel=1e-9)
    assert found.chemical_potential["hole"] == pytest.approx(mu, abs=1e-10)
    assert found.free_energy == pytest.approx(g * (energy - heat * entropy), rel=1e-10)
    assert found.pressure * torus.area == pytest.approx(found.energy, rel=1e-9)  # p A = E in two dimensions
    assert found.phase == "liquid"


def test_free_carriers_in_a_potential_fill_its_bands() -> None:
    heat, torus = 0.02, pinned(1.0, 4, depth=0.05)
    warm = Torus(Bilayer.of(rs_hole=4, electrons_per_hole=0, temperature=heat, potential={
        "filling": 1, "depth": 0.05}), holes=4, zero_mode="madelung")
    found = hartree_fock(warm, "crystal", symmetry="crystal", cutoff=4.5, terms=(Kinetic,), tolerance=1e-12)
    levels = plane_wave_levels(torus, found.data["mesh_k"].values)[:, :12].ravel()
    energy, entropy, mu = ideal(levels, 4, heat)
    assert found.energy == pytest.approx(energy, abs=1e-8)
    assert found.entropy.hole == pytest.approx(entropy / 4, abs=1e-7)
    assert found.chemical_potential["hole"] == pytest.approx(mu, abs=1e-8)


def test_occupations_hold_their_number() -> None:
    levels = np.array([[0.0, 1.0, np.inf], [0.5, 1.0, 2.0]])
    for heat in (1e-9, 1e-3, 0.3, 50.0):
        for count in (1, 2, 3, 4):
            f, mu = fermi(levels, count, heat)
            assert f.sum() == pytest.approx(count, abs=1e-9) and f[0, 2] == 0
            if heat > 1e-6:
                np.testing.assert_allclose(f[np.isfinite(levels)], expit((mu - levels[np.isfinite(levels)]) / heat))
    f, _ = fermi(levels, 5, 0.1)
    assert f.sum() == 5


# the ground state

@pytest.mark.parametrize("torus", [layer, pairs])
@pytest.mark.parametrize("symmetry", ["none", "crystal"])
def test_cold_is_the_ground_state(torus: Any, symmetry: str) -> None:
    cold, ground = (solved(torus(heat), symmetry=symmetry) for heat in (1e-5, 0.0))
    assert cold.free_energy == pytest.approx(ground.energy, abs=1e-9)
    assert cold.energy == pytest.approx(ground.energy, abs=1e-9)
    assert cold.pressure == pytest.approx(ground.pressure, abs=1e-9)
    for name in ("electron", "hole"):
        if ground.gap[name] is not None:
            assert cold.gap[name] == pytest.approx(ground.gap[name], abs=1e-6)
            assert cold.entropy[name] < 1e-6
    assert cold.phase == ground.phase


# thermodynamics

def test_free_energies_fall_by_the_entropy_and_the_pressure() -> None:
    """dF/dT = -S and dF/dA = -p at the Fock levels' own occupations, in a crystal near melting."""
    heat, step = 0.011, 1e-4
    here, warmer, colder = (solved(layer(heat + t)) for t in (0.0, step, -step))
    assert (warmer.free_energy - colder.free_energy) / (2 * step) == pytest.approx(-9 * here.entropy.hole, rel=2e-4)
    area = layer(heat).area
    wide, narrow = (solved(layer(heat).scaled(s * area)) for s in (1.001, 0.999))
    assert -(wide.free_energy - narrow.free_energy) / (0.002 * area) == pytest.approx(here.pressure, rel=1e-4)
    assert here.free_energy == pytest.approx(here.energy - heat * 9 * here.entropy.hole, abs=1e-11)


def test_the_state_is_where_the_free_energy_is_lowest() -> None:
    """Against rotations of its orbitals, and against moving occupation between levels."""
    heat = 0.01
    torus = layer(heat, holes=4)
    found = solved(torus)
    waves = PlaneWaveBasis(torus.box, found.data["waves"].values, torus.bloch_cell(4))
    mean = MeanField(torus, waves, [Sector(c, (c.orbitals,), (c.label,), (i,)) for i, c in enumerate(torus.channels)])
    guess = found.orbitals.on(torus, waves)
    x, f = guess.frames[0], guess.fillings[0].f
    d = np.einsum("kn,kng,knh->kgh", f, x, x.conj())
    rng = np.random.default_rng(0)

    def free(matrix: np.ndarray) -> float:
        return mean.evaluate((matrix,)).energy - heat * entropy_of(np.linalg.eigvalsh(matrix))

    lowest = free(d)
    assert lowest == pytest.approx(found.free_energy, abs=1e-9)
    for _ in range(3):
        a = rng.standard_normal((2, *d.shape)) * waves.mask[:, :, None] * waves.mask[:, None]
        a = (a[0] + 1j * a[1]) - np.conj(np.swapaxes(a[0] + 1j * a[1], 1, 2))
        turned = [free(u @ d @ np.conj(np.swapaxes(u, 1, 2))) for u in (np.array([expm(t * m) for m in a])
                                                                        for t in (1e-4, -1e-4))]
        assert min(turned) > lowest and abs(turned[0] - turned[1]) < 1e-2 * (max(turned) - lowest)
    changes = []
    for t in (1e-4, -1e-4):
        other = d.copy()
        other[0] += t * np.einsum("g,h->gh", x[0, 0], x[0, 0].conj())
        other[1] -= t * np.einsum("g,h->gh", x[1, 0], x[1, 0].conj())
        changes.append(free(other) - lowest)
    assert min(changes) > 0 and abs(changes[0] - changes[1]) < 1e-2 * max(changes)


def test_the_box_and_its_cell_agree() -> None:
    box, cell = (solved(layer(0.011, holes=4), symmetry=s) for s in ("none", "crystal"))
    assert box.free_energy == pytest.approx(cell.free_energy, abs=1e-9)
    assert box.entropy.hole == pytest.approx(cell.entropy.hole, abs=1e-7)


@pytest.mark.parametrize(("rs", "heat"), [(2.0, 0.25), (2.0, 1.0)])
def test_liquids_of_large_boxes_are_those_of_the_plane(rs: float, heat: float) -> None:
    """The gas of the plane has the best occupations of a free gas. With these a large torus has its free energy, and
    with its own, which are better by little, a lower one."""
    torus = layer(heat, rs=rs, holes=61)
    gas = WarmGas(torus.bilayer.carriers[0], torus.bilayer.interaction, 1, heat)
    found = hartree_fock(torus, "liquid", keep="translations", cutoff=6.0 if heat < 1 else 8.0, tolerance=1e-9)
    waves = found.data["waves"].values
    levels = np.sum((waves @ torus.box.reciprocal) ** 2, axis=1) / 2
    energy, entropy, mu = ideal(levels, 61, gas.trial)
    f = expit((mu - levels) / gas.trial)
    q = np.linalg.norm((waves[:, None] - waves[None]) @ torus.box.reciprocal, axis=-1)
    v = np.where(q > 0, 2 * np.pi / np.where(q > 0, q, 1.0) / torus.area, torus.zero_mode_element(0, 0))
    best = (energy - heat * entropy - 0.5 * f @ v @ f) / 61
    assert best == pytest.approx(gas.energy, rel=1.5e-3)
    assert 0 < best - found.free_energy_per_particle < 3e-3 * abs(gas.energy)


# crystals melt

def test_the_gap_closes_where_the_crystal_melts() -> None:
    cold, near, warm = (solved(layer(heat)) for heat in (0.002, 0.012, 0.02))
    assert cold.phase == near.phase == "crystal" and warm.phase == "liquid"
    assert cold.gap.hole > near.gap.hole > 0.02 and warm.gap.hole < 1e-6
    assert cold.entropy.hole < near.entropy.hole < warm.entropy.hole


def test_the_lowest_free_energy_of_all_starts_is_told() -> None:
    found = solved(layer(0.01, holes=4), "random", starts=3, seed=1)
    assert len(found.starts) == 3
    assert found.free_energy == min(row.energy for row in found.starts if row.status.value == "converged")


# studies and refusals

def test_a_study_is_the_call() -> None:
    study = {"kind": "hartree-fock", "bilayer": {"hole_mass": 0.4, "dielectric": 5.0, "temperature": "20 K"},
             "density": {"rs_hole": 15.0, "electrons_per_hole": 0},
             "cell": {"holes": 4, "hexagon": 4, "zero_mode": "madelung", "symmetry": "crystal"}}
    by_study = ehbilayer.run(make_study(study))
    device = Bilayer.of(hole_mass=0.4, dielectric=5.0, rs_hole=15.0, electrons_per_hole=0, temperature="20 K")
    direct = hartree_fock(Torus(device, holes=4, zero_mode="madelung"), "crystal", symmetry="crystal", hexagon=4)
    assert by_study.free_energy == direct.free_energy and by_study.temperature.to("K") == pytest.approx(20.0)
    told = dict(rows(by_study))
    assert told["temperature"].startswith("20 K") and "k_B per particle" in told["entropy, holes"]


@pytest.mark.parametrize("how", [{"occupation": "shell"}, {"follow": True}, {"stability": "full"}, {"sizes": [9, 16]},
                                 {"hexagon": None}])
def test_what_is_of_the_ground_state_alone_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="at a temperature"):
        solved(layer(0.01), **how)


def test_pairs_refuse_a_temperature_by_name() -> None:
    with pytest.raises(InputError, match="pairing"):
        solved(pairs(0.01), pairing=True)
