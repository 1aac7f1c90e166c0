"""What a Monte Carlo run measures besides the energy, against closed sums, enumerated states and other psi."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from ehbilayer import Bilayer, Torus, monte_carlo
from ehbilayer.monte_carlo.backflow import rebuild, workspace
from ehbilayer.monte_carlo.determinants import WAVES
from ehbilayer.monte_carlo.estimators import BINS, MOST, Estimators, Tally, disc_areas, far_vectors, jackknife, longest
from ehbilayer.monte_carlo.factors import Factor
from ehbilayer.monte_carlo.kernels import local_energy
from ehbilayer.monte_carlo.measuring import ALONE, MOMENTUM, PAIRS, STRUCTURE, TOGETHER, TRIED, TRIES, measure
from ehbilayer.monte_carlo.observables import CONTACT, Estimate, Observables
from ehbilayer.monte_carlo.pair_potential import box_of
from ehbilayer.monte_carlo.pairs import PairFunction
from ehbilayer.monte_carlo.trial import Trial, make_trial
from ehbilayer.monte_carlo.walk import Walkers, settled_step
from ehbilayer.numerics.lattice import Cell, box_of_shape
from test_monte_carlo import exact_pair

HOLES = Bilayer.of(rs_hole=5, electrons_per_hole=0)
PAIRS_OF = Bilayer.of(spacing=1.0, rs_hole=4, electron_mass=0.5, hole_mass=1.0)


def torus(bilayer: Bilayer, holes: int, spin: str = "polarized", **more: str) -> Torus:
    return Torus(bilayer, holes=holes, zero_mode="madelung", electron_spin=spin, hole_spin=spin, **more)


def walked(trial: Trial, parameters: np.ndarray, walkers: int, sweeps: int, seed: int = 0) -> Observables:
    """What is found while walking in |psi|^2."""
    psi, tally = trial.psi(parameters), Tally(Estimators.of(trial))
    ensemble = Walkers.of(trial, walkers, np.random.default_rng(seed))
    tau = 0.1 * trial.torus.area / trial.particles
    for _ in range(60):
        tau = settled_step(tau, ensemble.step(psi, tau, False)[0])
    for step in range(sweeps):
        ensemble.step(psi, tau, False)
        if step % 3 == 0:
            tally.take(psi, ensemble)
    found = Observables.of(tally, None)
    assert found is not None
    return found


def agrees(found: Estimate, row: int, exact: np.ndarray | float, error: float, least: float = -1.0) -> None:
    """Within the stated errors, which are true and no larger than ``error``, where there is ``least`` or more."""
    value, stated = np.atleast_1d(found.value[row]), np.atleast_1d(found.error[row])
    sure = (stated > 0) & (exact > least)  # a ring with a few counts knows no error
    assert np.sqrt(np.mean(stated**2)) < error
    z = (value - exact)[sure] / stated[sure]
    assert np.sqrt(np.mean(z**2)) < (1.5 if len(z) > 1 else 4) and abs(z).max() < 4.5, z
    np.testing.assert_allclose(value, exact, atol=6 * error)


# -- every psi, one configuration: what kernels find against psi itself --


def psi_at(trial: Trial, psi: object, walker: np.ndarray) -> tuple[float, float]:
    """ln|psi| and its sign."""
    work, line, _ = workspace(psi)
    _, _, log = local_energy(psi, walker, work, line)
    return log, rebuild(psi, walker, work, line)[1]


@pytest.mark.parametrize(("name", "spin", "count", "shape", "jastrow"), [
    ("liquid", "restricted", 10, "square", 5), ("hole-crystal", "polarized", 7, "triangular", 3),
    ("condensate", "polarized", 7, "triangular", 4), ("condensate", "restricted", 10, "square", 0)])
def test_a_line_is_what_psi_says(name: str, spin: str, count: int, shape: str, jastrow: int) -> None:
    trial = make_trial(torus(PAIRS_OF, count, spin, shape=shape), name, jastrow)
    e, random = Estimators.of(trial), np.random.default_rng(1)
    psi, walker = trial.psi(trial.start()), trial.positions(1, random)
    uniform, v, electron = random.random(walker.shape), 1, 3
    line = np.zeros((1, e.layout.start[-1]))
    measure(psi, e.layout, e.owner, walker, uniform, np.array([v]), np.array([electron]), line)
    sums, r = np.append(line[0], 1.0), walker[0]
    log, sign = psi_at(trial, psi, r)

    def ratio(moves: dict[int, np.ndarray]) -> float:
        moved = r.copy()
        for i, s in moves.items():
            moved[i] += s
        there, other = psi_at(trial, psi, moved)
        return sign * other * np.exp(there - log)

    k = e.layout.waves @ e.layout.steps
    moved = uniform[0] @ trial.box.cell
    expected = np.zeros((len(e.groups), len(k)))
    for i in range(trial.particles):
        expected[e.layout.group[i]] += ratio({i: moved[i]}) * np.cos(k @ moved[i])
    found = e.part(sums, MOMENTUM, *expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7 * abs(expected).max())
    far, electrons, holes = e.layout.far[v], e.layout.negative, e.layout.positive
    tried = electrons[(electron + np.arange(min(TRIES, len(electrons)))) % len(electrons)]
    together = len(electrons) * np.mean([sum(ratio({i: far, h: far}) for h in holes) for i in tried])
    assert e.part(sums, TOGETHER, len(e.layout.far))[v] == pytest.approx(together, rel=1e-7)
    alone = [sum(ratio({i: far}) for i in kind) for kind in (electrons, holes)]
    found = e.part(sums, ALONE, len(e.layout.far), 2, 2)[v]
    np.testing.assert_allclose(found, np.column_stack([alone, [0, 0]]), rtol=1e-7)
    assert e.part(sums, TRIED, len(e.layout.far)).tolist() == np.eye(len(e.layout.far))[v].tolist()
    # every pair lies in one ring; density waves of the first kind of pairs by hand
    total = e.part(sums, PAIRS, len(e.kinds), BINS).sum()
    assert total == trial.particles * (trial.particles - 1) / 2
    unlike = next(i for i, kind in enumerate(e.kinds) if kind.first != kind.second)
    waves = np.exp(-1j * k @ r.T)
    charge = trial.charges.zz[0]
    # only pairs of flavours tell one flavour of holes from another
    assert (e.kinds[unlike].like is None) == (name != "condensate" or spin == "polarized")
    if e.kinds[unlike].like is None:
        product = (waves[:, charge > 0].sum(axis=1) * waves[:, charge < 0].sum(axis=1).conj()).real
        np.testing.assert_allclose(e.part(sums, STRUCTURE, len(e.kinds), len(k))[unlike], product, atol=1e-10)


# -- the torus --


@pytest.mark.parametrize("shape", ["triangular", "square", "rectangular", np.array([[1.0, 0.1], [2.3, 0.9]])])
def test_rings_end_at_the_edge_of_the_torus(shape: str | np.ndarray) -> None:
    box = box_of(box_of_shape(shape, 100.0))
    radii = np.array([0.5 * box.radius, box.radius, 0.9 * longest(box), longest(box)])
    areas = disc_areas(box, radii)
    assert areas[:2] == pytest.approx(np.pi * radii[:2] ** 2, rel=1e-7)
    assert areas[3] == pytest.approx(100.0, rel=1e-7)
    # of points anywhere, so many lie within 0.9 of the longest distance
    points = np.random.default_rng(2).random((40000, 2)) @ box.cell
    images = np.stack(np.meshgrid([-2, -1, 0, 1, 2], [-2, -1, 0, 1, 2]), axis=-1).reshape(-1, 2) @ box.cell
    near = np.linalg.norm(points[:, None] + images, axis=-1).min(axis=1)
    assert areas[2] == pytest.approx(100 * np.mean(near < radii[2]), abs=4 * 100 * 0.5 / 200)
    far = far_vectors(box)
    assert len(far) and np.all(np.linalg.norm(far, axis=1) > 0.8 * longest(box) - 1e-9)


# -- exact states --


@pytest.fixture(scope="module")
def free() -> tuple[Trial, Observables]:
    trial = make_trial(torus(HOLES, 7), "liquid", 0)
    return trial, walked(trial, trial.start(), 100, 300)


def sea_of(trial: Trial) -> np.ndarray:
    """The filled wave vectors (N, 2)."""
    k = trial.factors[0].waves.k
    return np.unique(np.round(np.concatenate([k, -k]), 9) + 0.0, axis=0)


def ring_means(trial: Trial, function: Callable[[np.ndarray], np.ndarray], mesh: int = 400) -> np.ndarray:
    """Means of a function of the displacement over the rings of the pair correlation (BINS,)."""
    box = trial.box
    f = (np.stack(np.meshgrid(*(np.arange(mesh),) * 2, indexing="ij"), axis=-1).reshape(-1, 2) + 0.5) / mesh
    images = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(-1, 2)
    r = np.linalg.norm((f[:, None] - np.rint(f)[:, None] + images) @ box.cell, axis=-1).min(axis=1)
    ring = np.minimum((r / longest(box) * BINS).astype(int), BINS - 1)
    return np.bincount(ring, function(f @ box.cell), BINS) / np.bincount(ring, minlength=BINS)


def test_free_fermions_keep_their_distance(free: tuple[Trial, Observables]) -> None:
    trial, found = free
    sea = sea_of(trial)
    assert len(sea) == 7
    # g = 1 - |sum_k e^{iks}|^2/N^2
    exact = ring_means(trial, lambda s: 1 - np.abs(np.exp(1j * s @ sea.T).sum(axis=1)) ** 2 / 49)
    assert exact.min() < 0.01 and exact.max() > 0.99
    agrees(found.pair_correlation, 0, exact, 0.04)
    areas = np.diff(disc_areas(trial.box, longest(trial.box) / BINS * np.arange(BINS + 1)))
    assert found.pair_correlation.value[0] @ areas / trial.torus.area == pytest.approx(6 / 7, rel=1e-6)  # N - 1 others
    near = int(CONTACT * np.sqrt(trial.torus.area / np.pi / 7) / (longest(trial.box) / BINS))
    agrees(found.contact, 0, exact[:near] @ areas[:near] / areas[:near].sum(), 0.006)


def test_free_fermions_fill_their_sea(free: tuple[Trial, Observables]) -> None:
    trial, found = free
    e, sea = found.estimators, sea_of(trial)
    k = e.layout.waves @ e.layout.steps
    within = np.array([np.linalg.norm(sea - q, axis=1).min() < 1e-6 for q in k]).astype(float)
    agrees(found.momentum, 0, e.by_length(within), 0.02)
    # S = 1 - (pairs of filled waves that differ by k)/N
    pairs = np.array([sum(np.linalg.norm(sea - p - q, axis=1).min() < 1e-6 for p in sea) for q in k])
    exact = e.by_length(1 - pairs / 7)[1:]
    assert exact.min() < 0.5 and exact.max() == 1.0
    agrees(found.structure_factor, 0, exact, 0.04)
    at_g = exact[np.isclose(e.lengths[1:], np.linalg.norm(k[e.bragg[0]]))]
    assert abs(found.bragg.value[0] - (at_g - 1) / 6) < 4 * found.bragg.error[0] < 0.02
    assert found.phase == "liquid" and found.advice == "" and found.condensate is None
    assert np.isnan(found.rms[0])


def test_flavours_do_not_know_of_each_other() -> None:
    trial = make_trial(torus(HOLES, 10, "restricted", shape="square"), "liquid", 0)
    found = walked(trial, trial.start(), 60, 150)
    like, unlike = sorted(range(2), key=lambda i: not found.estimators.kinds[i].like)
    agrees(found.pair_correlation, unlike, np.ones(BINS), 0.1)
    agrees(found.structure_factor, unlike, np.zeros(len(found.estimators.lengths) - 1), 0.06)
    assert found.pair_correlation.value[like, :3].max() < 0.2
    assert [name for name, _ in found.estimators.groups] == ["hole"] and found.momentum.value[0, 0] > 0.9


def pair_trial(box: Torus, function: PairFunction) -> Trial:
    electron, hole = blocks = make_trial(box, "liquid", 0).blocks
    return Trial(box, "pair", blocks, (Factor(electron, WAVES, partner=hole, orbital=0),), (function,), 0)


def waves_of(box: Torus, count: int) -> np.ndarray:
    """The shortest ``count`` integer waves."""
    n = np.stack(np.meshgrid(*(np.arange(-4, 5),) * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    length = np.linalg.norm(n @ Cell(box_of(box.box).cell).reciprocal, axis=1)
    return n[np.argsort(length, kind="stable")[:count]]


def test_one_pair_is_its_orbital() -> None:
    box = torus(Bilayer.of(spacing=1.0, electron_mass=1.0, hole_mass=1.0, hole_density=1 / 100), 1)
    waves = waves_of(box, 19)
    k = waves @ Cell(box_of(box.box).cell).reciprocal
    amplitude = np.exp(-0.4 * np.sum(k * k, axis=1))
    trial = pair_trial(box, PairFunction(waves, np.log(amplitude)))
    found = walked(trial, trial.start(), 200, 200)
    p = amplitude**2 / np.sum(amplitude**2)
    psi2 = ring_means(trial, lambda s: (np.cos(s @ k.T) @ amplitude) ** 2 / np.sum(amplitude**2))
    kind = [kind.label for kind in found.estimators.kinds].index("electron-hole")
    assert psi2[0] > 3
    agrees(found.pair_correlation, kind, psi2, 0.6, least=0.2)
    e = found.estimators
    own = {tuple(w): x for w, x in zip(waves.tolist(), p, strict=True)}
    agrees(found.momentum, 0, e.by_length(np.array([own.get(tuple(w), 0.0) for w in e.layout.waves.tolist()])), 0.02)
    # rho_1(s) = sum_k n_k cos(ks)
    alone = np.cos(e.layout.far @ k.T) @ p
    assert found.condensate is not None
    exact = 1 - np.mean(alone**2)
    assert 0.3 < exact < 1 and found.condensate.error < 0.02
    assert abs(found.condensate.value - exact) < 4 * found.condensate.error
    assert found.phase == "liquid"  # one pair is no condensate


def test_a_condensate_is_that_of_all_its_sets_of_waves() -> None:
    """det phi(r_e - r_h) of three pairs holds every set K of three waves with the weight prod_K g_k^2."""
    pairs, box = 3, torus(PAIRS_OF, 3)
    waves = waves_of(box, 7)
    k = waves @ Cell(box_of(box.box).cell).reciprocal
    g = np.where(np.linalg.norm(k, axis=1) < 1e-9, 1.0, 0.7)
    blocks = make_trial(torus(PAIRS_OF, 7), "liquid", 0).blocks
    electron, hole = (type(b)(b.species, b.flavour, i * pairs, pairs) for i, b in enumerate(blocks))
    trial = Trial(box, "condensate", (electron, hole), (Factor(electron, WAVES, partner=hole, orbital=0),),
                  (PairFunction(waves, np.log(g)),), 0)
    sets = list(combinations(range(7), pairs))
    weight = np.array([np.prod(g[list(s)] ** 2) for s in sets])
    weight /= weight.sum()
    n = np.array([sum(w for s, w in zip(sets, weight, strict=True) if q in s) for q in range(7)])
    both = np.array([[sum(w for s, w in zip(sets, weight, strict=True) if {p, q} <= set(s)) for q in range(7)]
                     for p in range(7)])
    # an electron in p and a hole in -q, moved by s, take the phase (p - q)s: sum_pq <n_p n_q> cos((p - q)s)
    far = Estimators.of(trial).layout.far
    together = np.cos(far @ (k[:, None] - k).reshape(-1, 2).T) @ both.ravel()
    exact = np.mean(together - (np.cos(far @ k.T) @ n) ** 2) / pairs
    found = walked(trial, trial.start(), 100, 300)
    assert found.condensate is not None and found.condensate.error < 0.03 < 0.4 < exact
    assert abs(found.condensate.value - exact) < 4 * found.condensate.error
    e = found.estimators
    own = {tuple(w): x for w, x in zip(waves.tolist(), n, strict=True)}
    for row in range(2):
        agrees(found.momentum, row, e.by_length(np.array([own.get(tuple(w), 0.0) for w in e.layout.waves.tolist()])),
               0.03)


def test_a_plasma_has_no_condensate() -> None:
    trial = make_trial(torus(PAIRS_OF, 7), "liquid", 0)
    found = walked(trial, trial.start(), 60, 100)
    assert found.condensate is not None and found.condensate.error < 0.2
    assert abs(found.condensate.value) < 3.5 * found.condensate.error and found.phase == "liquid"


def with_fraction(name: str, count: int, spin: str, fraction: float, error: float) -> Observables:
    """A state of so many pairs that has this condensate fraction."""
    shape = "square" if spin == "restricted" else "triangular"
    found = walked(trial := make_trial(torus(PAIRS_OF, count, spin, shape=shape), name, 0), trial.start(), 5, 10)
    known = Estimate(np.array(fraction), np.array(error), np.array(fraction), None)
    return replace(found, condensate=known, bragg=replace(found.bragg, value=0 * found.bragg.value))


@pytest.mark.parametrize(("count", "spin", "fraction", "error", "phase"), [
    (7, "polarized", 0.2, 0.02, "condensate"), (7, "polarized", 0.2, 0.05, "unknown"),
    (7, "polarized", 0.1, 0.03, "unknown"), (7, "polarized", 0.1, 0.01, "liquid"),
    (7, "polarized", -0.02, 0.01, "liquid"), (13, "polarized", 0.1, 0.01, "condensate"),
    (10, "restricted", 0.15, 0.01, "liquid"), (10, "restricted", 0.25, 0.01, "condensate")])
def test_pairs_with_an_uncertain_fraction_are_neither(count: int, spin: str, fraction: float, error: float,
                                                      phase: str) -> None:
    """0.079 +- 0.03 at mass ratio 10, 2 mHa below the plasma, was called a liquid, and no verdict was left to give.

    A normal state has one pair in a state at most for each flavour: 1/7, 1/13, and 1/5 of two flavours with five."""
    state = with_fraction("condensate", count, spin, fraction, error)
    assert state.phase == phase and ("open" in state.advice) == (phase == "unknown")
    assert ("no condensate" in state.advice) == (phase == "liquid")


@pytest.mark.parametrize(("count", "fraction", "error", "phase"), [
    (7, 0.03, 0.01, "liquid"), (7, 0.2, 0.05, "liquid"), (7, 0.2, 0.02, "condensate"), (13, 0.1, 0.01, "condensate")])
def test_a_small_plasma_is_none_for_its_size_alone(count: int, fraction: float, error: float, phase: str) -> None:
    """0.03 +- 0.01 of seven pairs is a fifth of a pair, as scatterings of a normal state make it."""
    assert with_fraction("liquid", count, "polarized", fraction, error).phase == phase


@pytest.mark.parametrize("count", [7, 13, 19])
def test_scatterings_hardly_pair(count: int) -> None:
    """One scattering out of two Fermi seas, any that keeps momentum, with equal amplitudes: sum_k cov(n_k, n_-k) is a
    third of a pair in any box; of those from (k, -k) alone, as a condensate has them, it is two."""
    rows = waves_of(torus(PAIRS_OF, 7), 37).tolist()
    waves, sea = [tuple(k) for k in rows], [tuple(k) for k in rows[:count]]
    outside = set(waves) - set(sea)

    def covariance(starts: list[tuple]) -> float:
        moved = [(k, q, p, tuple(np.add(k, q) - p)) for k, q in starts for p in outside]
        moved = [m for m in moved if m[3] in outside]
        n = [[[(w in sea and w != m[i]) or w == m[i + 2] for w in waves] for m in moved] for i in (0, 1)]
        electrons = np.array(n[0], dtype=float)
        holes = np.array(n[1], dtype=float)[:, [waves.index(tuple(-np.array(w))) for w in waves]]
        return float((electrons * holes).mean(axis=0).sum() - electrons.mean(axis=0) @ holes.mean(axis=0))

    every = [(k, q) for k in sea for q in sea]
    opposite = [(k, q) for k, q in every if not np.add(k, q).any()]
    assert 0.2 < covariance(every) < 0.5 and covariance(opposite) > 1.7


@pytest.mark.parametrize(("width", "phase"), [(0.12, "crystal"), (1.2, "liquid")])
def test_crystals_and_what_has_melted(width: float, phase: str) -> None:
    """Gaussians exp(-r^2/2w^2): <rho_G>/N = exp(-G^2 w^2/4) where they do not overlap, the liquid where they do."""
    trial = make_trial(torus(HOLES, 7), "crystal", 0)
    a = np.sqrt(2 / np.sqrt(3) * trial.torus.area / 7)
    found = walked(trial, np.log([width * a]), 60, 100)
    g = 4 * np.pi / np.sqrt(3) / a
    assert found.phase == phase and ("melted" in found.advice) == (phase == "liquid")
    mean = found.density.value[0].mean()
    assert mean == pytest.approx(7 / trial.torus.area, rel=1e-6)
    if phase == "crystal":
        assert found.bragg.value[0] == pytest.approx(np.exp(-((g * width * a) ** 2) / 2), abs=5 * found.bragg.error[0])
        assert found.rms[0] == pytest.approx(width, rel=0.03)
        assert found.density.value[0].argmax() == 0 and found.density.value[0].max() > 5 * mean
        names = found.arrays
        assert names["density_hole"].values.shape == names["density_hole_error"].values.shape
    else:
        assert abs(found.bragg.value[0]) < 0.03


# -- blocks and errors --


def test_blocks_become_longer_and_lose_nothing() -> None:
    tally, random = Tally(Estimators.of(make_trial(torus(HOLES, 1), "liquid", 0))), np.random.default_rng(3)
    lines = random.random((5 * MOST + 3, tally.blocks.shape[1]))
    for line in lines:
        tally.add(line)
    assert MOST / 2 <= tally.used <= MOST and tally.per == 8
    np.testing.assert_allclose(tally.filled.sum(axis=0), lines.sum(axis=0))
    np.testing.assert_allclose(tally.filled[0], lines[:8].sum(axis=0))


def test_the_jackknife_gives_known_errors() -> None:
    random, values, covered = np.random.default_rng(4), [], 0
    for _ in range(400):
        x = 0.3 + random.standard_normal(20)
        sums = np.column_stack([x, np.ones(20)])
        mean, error = jackknife(sums, lambda s: np.array(s[0] / s[1]))
        assert mean == pytest.approx(x.mean()) and error == pytest.approx(x.std(ddof=1) / np.sqrt(20))
        square, wide = jackknife(sums, lambda s: np.array((s[0] / s[1]) ** 2))
        values.append(float(square))
        covered += abs(float(square) - 0.09) < float(wide)
    # x-bar^2 alone is 1/20 too large
    assert abs(np.mean(values) - 0.09) < 4 * np.std(values) / 20 < 0.04
    assert 200 < covered < 330
    assert np.isnan(jackknife(np.ones((1, 2)), lambda s: s)[1]).all()


def test_mixed_estimates_are_extrapolated() -> None:
    estimators = Estimators.of(make_trial(torus(HOLES, 1), "liquid", 0))
    tallies = [Tally(estimators), Tally(estimators)]
    for tally, level in zip(tallies, (1.0, 3.0), strict=True):
        for noise in (-0.1, 0.1, 0.1, -0.1):
            tally.add(np.append(np.full(tally.blocks.shape[1] - 1, level + noise), 1.0))
    found = Estimate.of(*tallies, lambda sums: sums[:1] / sums[-1])
    assert found.dmc is not None and (found.vmc[0], found.dmc[0], found.value[0]) == pytest.approx((1.0, 3.0, 5.0))
    alone = Estimate.of(tallies[0], None, lambda sums: sums[:1] / sums[-1])
    assert alone.value[0] == 1.0 and alone.dmc is None
    assert found.error[0] == pytest.approx(np.sqrt(5) * alone.error[0])


@pytest.mark.published
def test_a_crystal_is_one_only_where_it_stays() -> None:
    """Optimised at r_s = 5 the widths grow until it is the liquid; at r_s = 100 nature, too, has a crystal."""
    for rs, error, phase in ((5, 4e-4, "liquid"), (100, 4e-6, "crystal")):
        box = torus(Bilayer.of(rs_hole=rs, electrons_per_hole=0), 7)
        found = monte_carlo(box, "crystal", method="vmc", target_error=error, walkers=100, samples=1000)
        assert found.phase == phase and ("melted" in found.advice) == (phase == "liquid")
        assert (found.rms_displacement.hole is None) == (phase == "liquid")
        if phase == "liquid":
            liquid = monte_carlo(box, "liquid", method="vmc", target_error=error, walkers=100, samples=1000)
            assert found.bragg.hole == pytest.approx(liquid.bragg.hole, abs=0.01)
        else:
            assert 0.15 < found.rms_displacement.hole < 0.25


@pytest.mark.published
@pytest.mark.parametrize(("name", "rs", "count", "error", "phase"), [
    ("liquid", 1, 7, 8e-3, "liquid"), ("liquid", 4, 7, 2e-3, "liquid"), ("liquid", 1, 19, 8e-3, "liquid"),
    ("condensate", 4, 7, 2e-3, "condensate"), ("condensate", 10, 7, 1e-3, "condensate")])
def test_a_plasma_is_none_and_pairs_are(name: str, rs: int, count: int, error: float, phase: str) -> None:
    """Equal masses, d = 1. Of seven the plasma at r_s = 4 has a fraction of 0.06(1), the pairs one of 0.20(2)."""
    box = torus(Bilayer.of(spacing=1.0, rs_hole=rs, electron_mass=1.0, hole_mass=1.0), count)
    found = monte_carlo(box, name, target_error=error, walkers=50, samples=500, optimisation_steps=4)
    assert found.phase == phase and found.condensate_fraction_error is not None
    assert found.condensate_fraction_error < 0.04


@pytest.mark.published
def test_what_diffusion_measures_comes_closer_to_the_truth() -> None:
    """One pair from a poor psi: g of psi, mixed and extrapolated, each nearer to |psi_0|^2 than the one before."""
    box = torus(Bilayer.of(spacing=1.0, electron_mass=1.0, hole_mass=1.0, hole_density=1 / 400), 1)
    _, waves, state = exact_pair(box, 16)
    k = waves @ Cell(box_of(box.box).cell).reciprocal
    found = monte_carlo(box, "liquid", target_error=1e-3, walkers=100, samples=1000, seed=5, jastrow=3,
                        optimisation_steps=0)
    trial = make_trial(box, "liquid", 0)
    exact = ring_means(trial, lambda s: (np.cos(s @ k.T) @ state) ** 2 / np.sum(state**2), 150)
    row = found.data["pair"].values.tolist().index("electron-hole")
    near = exact > 0.05
    away = [np.sqrt(np.mean((found.data[f"pair_correlation{end}"].values[row] - exact)[near] ** 2))
            for end in ("_vmc", "_dmc", "")]
    assert away[0] > 2 * away[1] > 2 * 1.3 * away[2] and away[0] > 2
