"""Verdicts and boundaries for infinitely many particles, and boundaries of sweeps with their errors."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ehbilayer import Bilayer, InputError, Torus, phases, run
from ehbilayer.phases.bulk import limit_of
from ehbilayer.phases.result import CandidateRow, CompetitionResult
from ehbilayer.results.base import Carriers
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.file import make_study
from ehbilayer.sweep.boundaries import boundaries

QUICK: dict[str, Any] = {"stability": "none", "tolerance": 1e-6}


def competition(energies: dict[str, float], error: float = 1e-4, limit: Any = None) -> CompetitionResult:
    """Candidates that ended as what they are called, at these energies."""
    gap = Carriers({"electron": 0.1, "hole": 0.1})
    table = tuple(CandidateRow(name=n, status=Status.converged, energy=e, phase=n, basis_error=0.0, gap=gap)
                  for n, e in energies.items())
    first, second = sorted(energies, key=lambda name: energies[name])[:2]
    margin = energies[second] - energies[first]
    return CompetitionResult(
        status=Status.converged, energies=dict(energies), statuses=dict.fromkeys(energies, "converged"),
        ended_as={n: n for n in energies}, winner=first, runner_up=second, margin=margin, numerical_error=error,
        resolved=margin > error, lowest_energy=energies[first], saddles=(), cautions=(), candidates=table, limit=limit,
        particles=Carriers({"electron": 4, "hole": 4}), area=1.0, zero_mode="madelung")


def test_heights_go_to_infinitely_many_particles_and_may_turn_the_verdict() -> None:
    """The condensate lies 1e-3 above the crystal in the limit and is the lowest in every box."""
    found = {n: competition({"crystal": -1.0, "condensate": -0.999 - 0.6 / n**1.5, "liquid": -0.9 + 0.1 / n}, 1e-3)
             for n in (16, 36)}
    assert {r.winner for r in found.values()} == {"condensate"}
    limit = limit_of(found)
    assert (limit.winner, limit.runner_up) == ("crystal", "condensate")
    assert limit.margin == pytest.approx(1e-3) and limit.margin < limit.uncertainty < 3e-3 and not limit.resolved
    assert limit.heights["condensate"] == pytest.approx(1e-3) and limit.heights["crystal"] == 0
    assert abs(limit.heights["liquid"] - 0.1) < 2e-3
    assert [(s.particles, s.winner) for s in limit.by_size] == [(16, "condensate"), (36, "condensate")]
    alone = limit_of({16: found[16]})
    assert alone.winner == "unknown" and not alone.resolved and len(alone.by_size) == 1


def test_a_phase_that_one_size_lacks_is_left_out() -> None:
    small = competition({"crystal": -1.0, "liquid": -0.9})
    large = competition({"crystal": -1.0, "liquid": -0.95, "condensate": -0.97})
    limit = limit_of({16: small, 36: large})
    assert set(limit.heights) == {"crystal", "liquid"}
    assert limit.uncertainty > 0.05  # open shells scatter by what two sizes differ


@pytest.fixture(scope="module")
def heavy() -> Torus:
    bilayer = Bilayer.of(electron_mass=2.0, hole_mass=1.0, spacing=4.0, rs_hole=8.0)
    return Torus(bilayer, 9, zero_mode="madelung", electron_spin="polarized")


def test_sizes_are_asked_for_and_the_box_itself_stays_as_it_is(heavy: Torus) -> None:
    names = ["crystal", "condensate"]
    result, alone = (phases(heavy, names, hexagon=4, sizes=sizes, **QUICK) for sizes in ([16, 9], []))
    assert result.energies == alone.energies and alone.limit is None and result.limit is not None
    assert [s.particles for s in result.limit.by_size] == [9, 16]
    large = phases(Torus(heavy.bilayer, 36, zero_mode="madelung", electron_spin="polarized"), names, hexagon=8, **QUICK)
    heights = result.limit.heights
    lead = heights["condensate"] - heights["crystal"]
    assert abs(lead - large.margin) < result.limit.uncertainty + large.numerical_error and large.winner == "crystal"
    text = dict(kinds.rows(result))
    assert result.limit.winner in text["N to infinity"] and "16 sites" in text
    assert result.summary["limit"]["by_size"][1]["particles"] == 16


def test_sizes_that_cannot_be_are_refused(heavy: Torus) -> None:
    with pytest.raises(InputError, match="zero_mode = madelung"):
        phases(Torus(heavy.bilayer, 9, zero_mode="none", electron_spin="polarized"), hexagon=4, sizes=[16], **QUICK)
    restricted = Torus(heavy.bilayer, 16, zero_mode="madelung")
    with pytest.raises(InputError, match="multiple of 2"):
        phases(restricted, ["liquid"], spins="given", hexagon=4, sizes=[25], **QUICK)


def test_a_sweep_tells_its_boundaries(tmp_path) -> None:
    tables = {"kind": "phase-diagram", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0, "dielectric": 1.0,
                                                   "spacing": 4.0},
              "density": {"rs_hole": 5, "electrons_per_hole": 1},
              "cell": {"holes": 4, "hexagon": 3, "zero_mode": "madelung"},
              "hartree-fock": {"tolerance": 1e-6, "stability": "none", "electron_spin": "polarized"},
              "phases": {"candidates": ["liquid", "crystal"], "sizes": [9]},
              "sweep": {"density.rs_hole": [1.0, 8.0]}}
    found = run(make_study(tables), tmp_path / "out")
    kinds_of = [(b.particles, b.below, b.above) for b in found.boundaries]
    assert kinds_of == [("finite", "liquid", "crystal"), ("infinite", "liquid", "crystal")]
    for b in found.boundaries:
        assert 1.0 < b.value < 8.0 and 0 < b.uncertainty < 4
    text = [row for row in kinds.rows(found) if row[0] in ("boundary", "N to infinity")]
    assert len(text) == 2 and "liquid to crystal at" in text[0][1]


def test_errors_of_boundaries_hold() -> None:
    """50 curved leads with noise of the stated size, on grids that know nothing of where they cross."""
    rng = np.random.default_rng(5)
    within = twice = 0
    for _ in range(50):
        slope, bend, at = rng.uniform(0.5, 2), rng.normal(scale=0.15), rng.uniform(2.2, 4.8)
        axis, error = np.linspace(1, 6, rng.integers(4, 9)), 10 ** rng.uniform(-3, -1.3)
        lead = slope * (axis - at) + bend * (axis - at) ** 2 + error * rng.uniform(-1, 1, axis.size)
        found = [b for b in boundaries([float(x) for x in axis], [
            competition({"liquid": -1.0, "crystal": -1.0 - float(x)}, error) for x in lead])
            if (b.below, b.above) == ("liquid", "crystal")]
        off = min(abs(b.value - at) / b.uncertainty for b in found)
        within, twice = within + (off <= 1), twice + (off <= 2)
    assert within >= 34 and twice >= 48


def test_boundaries_know_size_and_kinks() -> None:
    """What size does to a phase moves a boundary either way; where a phase polarises the lead is no straight line."""
    def point(lead: float, spins: str, shift: float) -> CompetitionResult:
        made = competition({"liquid": -1.0, "condensate": -1.0 - lead}, 1e-6)
        rows = tuple(replace(r, spin_arrangement=spins, size_shift=None if r.phase == made.winner else shift)
                     for r in made.candidates)
        return replace(made, candidates=rows)

    both = "electrons polarized, holes polarized"
    (plain,) = boundaries([1.0, 2.0], [point(-0.1, both, 0.0), point(0.001, both, 0.0)])
    (moved,) = boundaries([1.0, 2.0], [point(-0.1, both, 0.0), point(0.001, both, -0.05)])  # it only favours the winner
    (bent,) = boundaries([1.0, 2.0], [point(-0.1, "electrons restricted, holes polarized", 0.0),
                                      point(0.001, both, 0.0)])
    assert plain.uncertainty < 0.02 and plain.value == moved.value == pytest.approx(1 + 0.1 / 0.101)
    assert moved.uncertainty > 0.4
    assert (bent.value, bent.uncertainty) == (1.5, 0.5)
    weak = replace(point(-0.001, both, 0.0), numerical_error=0.01)
    assert boundaries([1.0, 2.0], [weak, point(0.1, both, 0.0)]) == ()  # there may be none
    assert len(boundaries([0.5, 1.0, 2.0], [point(-0.1, both, 0.0), weak, point(0.1, both, 0.0)])) == 1
