"""Searches: the same for any number of workers, resumable, complete in small cells, honest about what is no minimum."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from ehbilayer.crystal import search as searching
from ehbilayer.crystal.record import crystal_of
from ehbilayer.crystal.search import Composition, Start, lowest_curvature, make_starts, ranking, run_start, search
from ehbilayer.crystal.structures import named
from ehbilayer.crystal.study import solve_search
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.numerics import parallel
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.studies.crystal import prepare as kind
from ehbilayer.studies.crystal.table import rows
from ehbilayer.studies.file import make_study


def composition(a_over_d, holes=1, ratio=2):
    return Composition(1 / (math.pi * a_over_d**2), 1.0, holes, ratio * holes)


def never():
    return None


def study(**tables):
    given = {"density": {"a_over_d": 3, "electrons_per_hole": 2}} | tables
    return make_study({"kind": "crystal"} | given)


def run(**tables):
    return kind.prepare(study(**tables)).solve(Hooks())


def test_every_random_start_of_one_cell_finds_the_checkerboard():
    ends = search(make_starts(composition(3), 8, 1, candidates=False))
    assert {e.structure for e in ends.values()} == {"checkerboard"}
    energies = [e.energy for e in ends.values()]
    assert np.ptp(energies) < 1e-13
    assert len(ranking(list(ends.values()))) == 1


def test_dipoles_form_a_triangular_lattice():
    """1:1, repulsion of dipoles: the lattice of every purely repulsive power law."""
    ends = search(make_starts(composition(3, 2, 1), 3, 1))
    assert {e.structure for e in ends.values()} == {"triangular"}


def test_three_electrons_per_hole_at_short_distance():
    best = ranking(list(search(make_starts(composition(1.5, 1, 3), 4, 1)).values()))[0]
    assert best.structure == "triangular"


def test_the_number_of_workers_does_not_matter():
    starts = make_starts(composition(4, 2), 3, 5, candidates=False)
    one, two = search(starts), search(starts, workers=2)
    assert list(one) == list(two)
    for a, b in zip(one.values(), two.values(), strict=True):
        assert a.energy == b.energy
        np.testing.assert_array_equal(a.relaxed.crystal.positions, b.relaxed.crystal.positions)


def test_a_script_without_a_guard_may_use_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent("""
        import math
        from ehbilayer.crystal.search import Composition, make_starts, search
        starts = make_starts(Composition(1 / (9 * math.pi), 1.0, 1, 2), 2, 1, candidates=False)
        print(len(search(starts, workers=2)))
    """), encoding="utf-8")
    answer = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=500)
    assert (answer.stdout, answer.stderr) == ("2\n", "")


def test_a_seed_is_a_start():
    box = composition(3, 2)
    a, b, c = box.random(7), box.random(7), box.random(8)
    np.testing.assert_array_equal(a.positions, b.positions)
    assert not np.array_equal(a.positions, c.positions)
    assert a.area == pytest.approx(2 * math.pi * 9)
    assert box.random(1, "square").cell_parameters()["gamma_degrees"] == pytest.approx(90)


def test_saddles_are_left_unless_kept():
    """At a/d = 8 the checkerboard shears away; its own symmetry holds it."""
    left = run_start(Start(composition(8), None, "checkerboard"), never)
    kept = run_start(Start(composition(8), None, "checkerboard", keep=True), never)
    assert kept.structure == "checkerboard" and kept.curvature < -0.01 and kept.status is Status.converged
    assert left.structure == "honeycomb" and left.curvature > 0
    assert left.energy < kept.energy


def test_translations_are_no_curvature():
    end = run_start(Start(composition(3, 2), 3), never)
    value, mode = lowest_curvature(end.relaxed.crystal)
    assert value > 1e-3
    assert np.linalg.norm(mode[:-1].sum(axis=0)) < 1e-6
    assert lowest_curvature(named("triangular", 1.0, 0.0, 0), cell=False)[0] == np.inf


def test_resuming_computes_only_what_is_missing(tmp_path, monkeypatch):
    starts = make_starts(composition(5.4, 2), 4, 1)
    whole = solve_search(starts, Hooks())
    seen = []

    def should_stop():
        return Status.timeout if len(seen) >= 3 else None

    part = solve_search(starts, Hooks(progress=seen.append, should_stop=should_stop))
    assert part.status is Status.timeout and len(part.summary["starts"]) == 3
    part.save(tmp_path / "part.nc")
    computed = []
    monkeypatch.setattr(searching, "run_start",
                        lambda start, stop: computed.append(start) or run_start(start, stop))
    again = solve_search(starts, Hooks(initial=Result.load(tmp_path / "part.nc"), resumed=True))
    assert computed == starts[3:]
    assert again.summary == whole.summary
    assert again.status is Status.converged


def test_checkpoints_are_unfinished():
    kept = []
    solve_search(make_starts(composition(3), 2, 1, candidates=False), Hooks(checkpoint=kept.append))
    assert [r.status for r in kept] == [Status.interrupted] * 2
    assert len(kept[0].summary["starts"]) == 1


def test_workers_stop_when_told():
    jobs = list(range(4))
    done = dict(parallel.each(_slow, jobs, workers=2, should_stop=lambda: Status.interrupted))
    assert set(done.values()) <= {"stopped"}


def _slow(job, should_stop):
    import time

    for _ in range(1000):
        if should_stop() is not None:
            return "stopped"
        time.sleep(0.01)
    return "finished"


def test_a_study_of_a_named_structure():
    result = run(crystal={"structure": "rhombic"}, density={"a_over_d": 5.4, "electrons_per_hole": 2})
    s = result.summary
    assert result.status is Status.converged and s["structure"] == "rhombic"
    assert s["energy_per_hole"] == pytest.approx(-1.326496721593, abs=1e-11)  # the line search of test_crystal
    assert s["symmetry"]["group"] == "cmm2" and s["energy_unit"] == "e^2/d"
    assert s["max_force"] < 1e-12 and s["lowest_curvature"] > 0
    assert set(s) >= {"cell", "starts", "runner_up", "energy"}
    table = dict(rows(result))
    assert table["structure"] == "rhombic" and "cmm2" in table["symmetry"]


def test_energies_in_units_of_the_spacing_do_not_depend_on_it():
    a = run(crystal={"structure": "honeycomb"})
    b = run(crystal={"structure": "honeycomb"}, bilayer={"spacing": 7.0})
    assert b.summary["energy_per_hole"] == pytest.approx(a.summary["energy_per_hole"], rel=1e-13)
    assert b.summary["energy"] == pytest.approx(a.summary["energy"] / 7, rel=1e-13)
    c = run(crystal={"structure": "honeycomb"}, bilayer={"capacitor": True})
    assert c.summary["energy_per_hole"] - a.summary["energy_per_hole"] == pytest.approx(2 * math.pi * 2 / (math.pi * 9))


def test_one_layer_counts_in_units_of_a():
    result = run(density={"rs_hole": 20.0, "electrons_per_hole": 0}, crystal={"starts": 2, "holes_per_cell": 2})
    assert result.summary["energy_unit"] == "e^2/a"
    assert result.summary["energy_per_hole"] == pytest.approx(-1.106103, abs=1e-6)
    alone = run(density={"rs_electron": 20.0}, crystal={"structure": "triangular"})
    assert alone.summary["particles"] == {"electron": 1, "hole": 0}
    assert alone.summary["energy_per_hole"] == pytest.approx(-1.106103, abs=1e-6)


def test_random_charges_without_relaxation_are_not_at_rest():
    result = run(crystal={"relax": "none", "starts": 2})
    assert result.status is Status.not_converged


def test_a_study_starts_from_a_result(tmp_path):
    run(crystal={"structure": "rhombic"}, density={"a_over_d": 5.4, "electrons_per_hole": 2}).save(tmp_path / "a.nc")
    result = run(crystal={"structure": str(tmp_path / "a.nc")}, density={"a_over_d": 5.2, "electrons_per_hole": 2})
    fresh = run(crystal={"structure": "rhombic"}, density={"a_over_d": 5.2, "electrons_per_hole": 2})
    assert result.summary["energy_per_hole"] == pytest.approx(fresh.summary["energy_per_hole"], abs=1e-13)
    assert crystal_of(result).length == pytest.approx(5.2)
    with pytest.raises(InputError, match="electrons per hole"):
        run(crystal={"structure": str(tmp_path / "a.nc")}, density={"a_over_d": 5.2, "electrons_per_hole": 1})


def test_cells_of_named_structures():
    assert run(crystal={"structure": "honeycomb", "holes_per_cell": 4}).summary["particles"]["hole"] == 4
    assert run(crystal={"structure": "tilted-diagonal"}).summary["particles"]["hole"] == 2
    with pytest.raises(InputError, match="a multiple of 2"):
        run(crystal={"structure": "tilted-diagonal", "holes_per_cell": 3})


@pytest.mark.parametrize(("tables", "argument"), [
    ({"crystal": {"structure": "honeycom"}}, "crystal.structure"),
    ({"crystal": {"structure": "missing/result.nc"}}, "crystal.structure"),
    ({"bilayer": {"spacing": 0.0}}, "bilayer.spacing"),
    ({"density": {"a_over_d": 3}}, "density.electrons_per_hole"),
    ({"density": {"electrons_per_hole": 2}, "bilayer": {"spacing": 1.0}}, "density"),
    ({"density": {"rs_hole": 3.0, "electrons_per_hole": 2}}, "bilayer.spacing"),
    ({"density": {"a_over_d": 3, "electrons_per_hole": 0}}, "density.a_over_d"),
    ({"density": {"a_over_d": 3, "electrons_per_hole": "1/2"}}, "crystal.holes_per_cell"),
    ({"crystal": {"layers": 2}}, "crystal.layers"),
    ({"crystal": {"holes_per_cell": 1000}}, "crystal.holes_per_cell"),
    ({"crystal": {"scan": [1.0, 2.0], "relax": "positions"}}, "crystal.relax"),
])
def test_bad_studies(tables, argument):
    with pytest.raises(InputError) as caught:
        kind.prepare(study(**tables))
    assert caught.value.argument == argument
