"""Sweeps whose points start from their neighbours: the same numbers whoever computes what when."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ehbilayer
import fake_points
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.handover import may_go_on
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.hooks import Hooks
from ehbilayer.orbitals import PREFIX, Orbitals
from ehbilayer.phases.candidates import COMPETING, Candidate, candidates
from ehbilayer.phases.competition import compete
from ehbilayer.results.base import Record, Result
from ehbilayer.run import stopping
from ehbilayer.status import Status
from ehbilayer.studies.file import Study, make_study
from ehbilayer.studies.task import prepare
from ehbilayer.sweep import engines as sweep_engines
from ehbilayer.sweep.points import prepare_sweep
from ehbilayer.torus import Torus
from systems import Species, torus_of, triangular_basis

HERE = Path(__file__).parent
RS, SPACINGS = [4, 6, 14, 7, 8], [0.5, 1, 2]  # 14 never converges
GRID = f'"bilayer.spacing" = {SPACINGS}\n"density.rs_hole" = {RS}'
WARM = 'start = "neighbour"'


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_points.install(monkeypatch)
    monkeypatch.setattr(stopping, "LOOK_SECONDS", 0.0)
    monkeypatch.setenv("EHB_FAKE_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def study(axes: str = GRID, more: str = WARM) -> Study:
    return make_study(tomllib.loads(fake_points.study_text(axes, more)))


def computed(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def trails(rs: list[float] = RS, spacings: list[float] = SPACINGS) -> np.ndarray:
    """What the fake points carry along: r_s + d + a third of that of the converged point before, row by row."""
    found = np.zeros((len(spacings), len(rs)))
    for i, d in enumerate(spacings):
        before: np.ndarray | None = None
        for j, r in enumerate(rs):
            found[i, j] = r + d if before is None else r + d + before / 3
            before = found[i, j] if r != fake_points.NEVER_CONVERGES else before
    return found


def point_of(place: Path, rs: float, spacing: float) -> Path:
    return next(p for p in (place / "points").glob("*.nc")
                if Result.load(p).inputs["coordinates"] == {"density.rs_hole": rs, "bilayer.spacing": spacing})


def test_points_start_from_the_converged_one_before(tmp_path: Path, fakes: Path) -> None:
    result = ehbilayer.run(study(), tmp_path / "out")
    np.testing.assert_array_equal(result.data["trail"].values, trails())
    assert computed(fakes) == [f"{rs:g} {d:g}" for rs in RS for d in SPACINGS]  # one of every row at a time
    first, after = (Result.load(point_of(tmp_path / "out", rs, 1)) for rs in (4, 7))
    assert first.inputs["started_from"] == {"point": None, "state": None} and list(first.data) == ["trail"]
    assert after.inputs["started_from"]["point"] == Result.load(point_of(tmp_path / "out", 6, 1)).inputs["point"]
    cold = ehbilayer.run(study(more=""), tmp_path / "cold")
    np.testing.assert_array_equal(cold.data["trail"].values, np.add.outer(SPACINGS, RS))
    np.testing.assert_array_equal(cold.data["energy"].values, result.data["energy"].values)
    assert Result.load(point_of(tmp_path / "cold", 4, 1)).data == {}  # cold files stay small


def test_parts_take_whole_rows_and_give_the_same_bits(tmp_path: Path, fakes: Path) -> None:
    parts = [ehbilayer.run(study(), tmp_path / "out", shard=f"{i}/2") for i in (2, 1)]
    assert computed(fakes)[:5] == [f"{rs:g} 1" for rs in RS] and len(computed(fakes)) == 15
    assert parts[0].summary["shard"]["points"] == 5 and parts[0].summary["missing"] == 10
    np.testing.assert_array_equal(parts[1].data["trail"].values, trails())
    ehbilayer.run(study(), tmp_path / "out", shard="2/2", force=True)
    assert computed(fakes)[15:] == [f"{rs:g} 1" for rs in RS]


def test_workers_give_the_same_bits(tmp_path: Path, fakes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(sweep_engines, "compute_point", fake_points.compute)
    result = ehbilayer.run(study(), tmp_path, workers=2)
    np.testing.assert_array_equal(result.data["trail"].values, trails())


@pytest.mark.parametrize("after", [1, 5, 8])
def test_a_sweep_that_was_stopped_goes_on_as_if_unbroken(tmp_path: Path, fakes: Path, after: int,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    solve_fake, left = fake_points.solve, [after]

    def stops(study: Study, run: Any) -> Result:
        left[0] -= 1
        if not left[0]:
            (tmp_path / "out" / "STOP").touch()
            if study.density.rs_hole == 6:  # in the middle of a point
                return Record(fake_points.KIND, Status.interrupted, {}, {})
        return solve_fake(study, run)

    monkeypatch.setattr(fake_points, "solve", stops)
    broken = ehbilayer.run(study(), tmp_path / "out")
    assert broken.status is Status.interrupted and broken.summary["missing"] == 15 - after + (after == 5)
    (tmp_path / "out" / "STOP").unlink()
    fakes.unlink()
    whole = ehbilayer.run(study(), tmp_path / "out")
    assert len(computed(fakes)) == broken.summary["missing"]
    np.testing.assert_array_equal(whole.data["trail"].values, trails())


def test_kills_of_the_driver_change_no_number(tmp_path: Path, fakes: Path) -> None:
    (tmp_path / "map.toml").write_text(fake_points.study_text(GRID, WARM))
    source = str(Path(ehbilayer.__file__).parents[1])
    more = {"PYTHONPATH": os.pathsep.join([source, str(HERE)]), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, str(HERE / "fake_points.py"), "midway", str(tmp_path / "map.toml"),
                    str(tmp_path / "out"), "4", "3"], env=os.environ | more, timeout=500, check=True)
    assert len(computed(fakes)) == 8 == len(list((tmp_path / "out" / "points").glob("*.nc")))  # the third is lost
    result = ehbilayer.run(study(), tmp_path / "out")
    np.testing.assert_array_equal(result.data["trail"].values, trails())
    assert len(computed(fakes)) == 15  # nothing is computed twice


@pytest.mark.parametrize("harm", ["flipped", "bare"])
def test_a_start_that_is_lost_is_computed_again(tmp_path: Path, fakes: Path, harm: str) -> None:
    ehbilayer.run(study(), tmp_path / "out")
    path = point_of(tmp_path / "out", 7, 1)
    point_of(tmp_path / "out", 8, 1).unlink()
    (tmp_path / "out" / "result.nc").unlink()
    whole = Result.load(path)
    raw = bytearray(whole.to_bytes())
    raw[len(raw) // 2] ^= 1
    bare = {key: value for key, value in whole.inputs.items() if key != "state"}
    path.write_bytes(raw if harm == "flipped" else
                     Record(whole.kind, whole.status, whole.summary, bare).to_bytes())
    fakes.unlink()
    listener = fake_points.Listener()
    again = ehbilayer.run(study(), tmp_path / "out", reporter=listener)
    assert computed(fakes) == ["7 1", "8 1"]
    assert len(listener.warnings) == 1 and path.name in listener.warnings[0] and path.with_name(
        f"{path.name}.corrupt").exists()
    np.testing.assert_array_equal(again.data["trail"].values, trails())


def test_a_failure_that_was_mended_moves_the_starts_behind_it(tmp_path: Path, fakes: Path,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    rs = [4, 17, 6, 7]  # 17 breaks
    axes = f'"density.rs_hole" = {rs}'
    first = ehbilayer.run(study(axes), tmp_path)
    np.testing.assert_array_equal(first.data["trail"].values[[0, 2, 3]], trails([4, 6, 7], [1])[0])
    fakes.unlink()
    monkeypatch.setattr(fake_points, "BREAKS", -1.0)
    mended = ehbilayer.run(study(axes), tmp_path, resume=True)
    assert computed(fakes) == ["17 1", "6 1", "7 1"] and len(list((tmp_path / "points").iterdir())) == 4
    np.testing.assert_array_equal(mended.data["trail"].values, trails(rs, [1])[0])


def test_names_of_points_tell_what_came_before(fakes: Path) -> None:
    sweeps = {"cold": ([4, 6, 8], ""), "warm": ([4, 6, 8], WARM), "other": ([4, 5, 8], WARM),
              "longer": ([4, 6, 8, 9], WARM)}
    keys = {name: [p.key for p in prepare_sweep(study(f'"density.rs_hole" = {rs}', more)).points]
            for name, (rs, more) in sweeps.items()}
    assert not set(keys["cold"]) & set(keys["warm"])
    assert set(keys["warm"]) & set(keys["other"]) == {keys["warm"][0]}
    assert keys["longer"][:3] == keys["warm"]


def test_a_longer_row_takes_over_what_is_there(tmp_path: Path, fakes: Path) -> None:
    ehbilayer.run(study('"density.rs_hole" = [4, 6]'), tmp_path)
    fakes.unlink()
    ehbilayer.run(study('"density.rs_hole" = [4, 6, 8]'), tmp_path, force=True, resume=True)
    assert computed(fakes) == ["8 1"]


def real(kind: str = "phase-diagram", start: str = "neighbour", sweep: dict[str, Any] | None = None,
         **more: dict[str, Any]) -> Study:
    tables: dict[str, Any] = {
        "kind": kind, "density": {"rs_hole": 6.0, "electrons_per_hole": 1},
        "bilayer": {"electron_mass": 0.25, "hole_mass": 0.5, "dielectric": 5.0, "spacing": 1.0},
        "cell": {"holes": 4, "hexagon": 3, "zero_mode": "none"},
        "hartree-fock": {"stability": "none", "tolerance": 1e-6}}
    axes = {"density.rs_hole": [9.0, 8.0, 7.0]} if sweep is None else sweep
    return make_study(tables | more | {"sweep": axes | {"start": start}})


@pytest.mark.parametrize(("given", "named", "hint"), [
    ({"sweep": {"density.rs_hole": {"start": 4, "stop": 8}, "mode": "adaptive"}}, "sweep.start", "cold"),
    ({"kind": "crystal", "sweep": {"density.rs_hole": [4.0, 5.0]}}, "sweep.start", "phase-diagram"),
    ({"kind": "hartree-fock", "hartree-fock": {"start": "liquid"}}, "sweep.start", "from a crystal"),
    ({"kind": "condensate", "condensate": {"limit": "thermodynamic"}}, "sweep.start", "plane waves"),
    ({"sweep": {"cell.holes": [4, 16]}}, 'sweep."cell.holes"', "not the last axis"),
    ({"start": "warm"}, "sweep.start", "cold"),
])
def test_what_cannot_start_from_a_neighbour_is_named_first(given: dict[str, Any], named: str, hint: str,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ehbilayer.sweep.engines.compute_point", None)  # nothing is computed
    with pytest.raises(InputError, match=hint) as caught:
        ehbilayer.run(real(**given))
    assert caught.value.argument == named


def test_a_map_has_the_energies_of_a_cold_one_and_its_own_bits_on_parts(tmp_path: Path) -> None:
    axes = {"bilayer.spacing": [1.0, 2.0], "density.rs_hole": [8.0, 7.9]}
    names = {"candidates": ["hole-crystal", "liquid", "condensate"]}
    cold, warm = (ehbilayer.run(real(start=start, sweep=axes, phases=names), tmp_path / start)
                  for start in ("cold", "neighbour"))
    assert cold.status is warm.status is Status.converged
    assert cold.candidates == warm.candidates == tuple(names["candidates"])
    np.testing.assert_allclose(warm.data["energies"].values, cold.data["energies"].values, rtol=0, atol=4e-6)
    assert (warm.data["winner"].values == cold.data["winner"].values).all()
    starts = warm.array("candidates.hole-crystal.start").values
    assert (starts[:, 0] == "").all() and (starts == "neighbour").any()
    assert (warm.array("candidates.liquid.start").values[:, 1:] == "own guess").all()
    taken = [r.array("candidates.hole-crystal.iterations").values[starts == "neighbour"].sum() for r in (warm, cold)]
    assert taken[0] < taken[1]
    for part in ("2/2", "1/2"):
        parts = ehbilayer.run(real(sweep=axes, phases=names), tmp_path / "parts", shard=part)
    for name, array in warm.data.items():
        if "seconds" not in name:
            np.testing.assert_array_equal(array.values, parts.data[name].values)


@pytest.mark.parametrize(("given", "numbers"), [
    ({"kind": "hartree-fock", "density": {"rs_hole": 6.0, "electrons_per_hole": 0},
      "hartree-fock": {"start": "crystal", "stability": "none"}}, ["energy", "gap.hole"]),
    ({"kind": "condensate", "condensate": {"curve_points": 0}}, ["energy"]),
])
def test_other_kinds_start_from_their_neighbours_too(given: dict[str, Any], numbers: list[str], tmp_path: Path) -> None:
    cold = ehbilayer.run(real(start="cold", **given))
    warm = ehbilayer.run(real(**given), tmp_path)
    for name in numbers:
        np.testing.assert_allclose(warm.data[name].values, cold.data[name].values, rtol=0, atol=1e-6)
    assert warm.data["iterations"].values[1:].sum() < cold.data["iterations"].values[1:].sum()
    states = [Result.load(p) for p in (tmp_path / "points").iterdir()]
    assert sum(s.inputs["started_from"]["point"] is not None for s in states) == 2
    assert all(s.data and len(s.inputs["state"]) == 64 for s in states)


def test_a_trion_starts_from_the_functions_of_its_neighbour() -> None:
    """The functions of a neighbour are better than ones that are drawn anew: the first energy is lower."""
    more: dict[str, Any] = {"kind": "few-body", "few-body": {"complex": "trion-", "max_functions": 20}}

    def task(spacing: float) -> Any:
        bilayer = real(start="cold").bilayer.model_dump(exclude_unset=True) | {"spacing": spacing}
        return prepare(make_study(more | {"bilayer": bilayer}))

    near = task(0.55).solve(Hooks())
    cold, warm = (task(0.5).solve(Hooks(neighbour=n)) for n in (None, near))
    assert task(0.5).carries == ("widths", "vectors") and set(task(0.5).carries) <= set(near.data)
    assert warm.data["stage_energy"].values[0] < cold.data["stage_energy"].values[0]
    exciton = make_study(more | {"bilayer": real().bilayer, "few-body": {"complex": "exciton"}})
    assert prepare(exciton).carries == ()


def test_only_what_kept_its_character_goes_on() -> None:
    assert may_go_on("crystal", "crystal", {"electron": 0.09, "hole": 0.2})
    assert not may_go_on("crystal", "hole-crystal", {"electron": 0.01, "hole": 0.2})  # its electrons have melted
    assert may_go_on("hole-crystal", "hole-crystal", {"electron": 0.01, "hole": 0.2})
    assert not may_go_on("hole-crystal", "hole-crystal", {"electron": 0.0965, "hole": 0.26})  # nearly a crystal
    assert not may_go_on("liquid", "liquid", {"electron": 0.0, "hole": 0.0})
    assert not may_go_on("random", "crystal", {"electron": 0.1, "hole": 0.2})


def four_pairs(rs: float) -> Torus:
    return torus_of((Species("electron", -1, 0.5, 0, 4), Species("hole", 1, 1.0, 1, 4)), 1.0, "none",
                    box=triangular_basis(4, rs, 3).box)


def test_packed_orbitals_are_the_same_bits() -> None:
    torus = four_pairs(8.0)
    state = solve(torus, triangular_basis(4, 8.0, 4), Options(start="hole-crystal", stability="none"), How(threads=1))
    packed = state.orbitals.pack("x")
    result = Record("phases", Status.converged, {}, {"box": state.inputs["box"]}, packed)
    there = Result.from_bytes(result.to_bytes(), "x")
    back = Orbitals.unpack("x", torus, torus.box, there.data).variables()
    assert set(back) == {"waves", "wave_vector",
                         *(f"{k}_{c}" for k in ("orbitals", "occupations") for c in range(3 - 1))}
    for name, array in back.items():
        np.testing.assert_array_equal(array.values, state.data[name].values)
    assert len(packed[f"{PREFIX}amplitudes_0_x"].values) < 0.4 * state.data["orbitals_0"].values.size


def test_an_unfinished_competition_goes_on_from_the_same_neighbour() -> None:
    def found(rs: float) -> list[Candidate]:
        return candidates(four_pairs(rs), triangular_basis(4, rs, 3, crystal=False), COMPETING,
                                 Options(stability="none", tolerance=1e-6))

    before, kept = compete(found(9.0), Hooks(keep_states=True)), []
    whole = compete(found(8.0), Hooks(neighbour=before, keep_states=True, checkpoint=kept.append))
    again = compete(found(8.0), Hooks(kept[2], True, neighbour=before, keep_states=True))
    assert again.summary["energies"] == whole.summary["energies"] and again.summary["margin"] == whole.summary["margin"]
    assert again.data.keys() == whole.data.keys()
    for name, array in whole.data.items():
        np.testing.assert_array_equal(array.values, again.data[name].values)
    assert not any(name.startswith(PREFIX) for name in compete(found(8.0)).data)
