"""Sweeps: which points, what is computed and what is not, what comes back. The points themselves cost nothing."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ehbilayer
import fake_points
from ehbilayer import cli
from ehbilayer.errors import InputError
from ehbilayer.results.base import Result
from ehbilayer.run import runner, stopping
from ehbilayer.run.reporting import Reporter
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.axes import SWEPT, SweepOptions
from ehbilayer.studies.file import Study, make_study
from ehbilayer.sweep.adaptive import nearness
from ehbilayer.sweep.points import prepare_sweep
from ehbilayer.sweep.status import status_of
from ehbilayer.units import Scales

GRID = '"density.rs_hole" = [4, 6, 8]\n"bilayer.spacing" = {start = 0.5, stop = 2, count = 4}'


@pytest.fixture(autouse=True)
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kinds, "KINDS", kinds.KINDS)
    fake_points.register()
    monkeypatch.setattr(runner, "draw", lambda result, place: None)
    monkeypatch.setattr("os.fsync", lambda handle: None)  # nothing is unplugged here, and the disk is shared
    log = tmp_path / "log"
    monkeypatch.setenv("EHB_FAKE_LOG", str(log))
    return log


def study(axes: str = GRID, more: str = "") -> Study:
    return make_study(tomllib.loads(fake_points.study_text(axes, more)))


def computed(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def test_a_grid_computes_every_point_and_collects(tmp_path: Path, fakes: Path) -> None:
    result = ehbilayer.run(study(), tmp_path / "out")
    assert len(computed(fakes)) == 12 and result.status is Status.converged
    s = result.summary
    assert (s["kind"], s["points"], s["done"], s["failed"], s["missing"]) == ("device", 12, 12, 0, 0)
    data = Result.load(tmp_path / "out" / "result.nc").dataset
    rs, d = data["density.rs_hole"].values, data["bilayer.spacing"].values
    assert rs.tolist() == [4, 6, 8] and d.tolist() == [0.5, 1, 1.5, 2]
    np.testing.assert_array_equal(data["energy"].values, -1 / rs[:, None] - d)
    np.testing.assert_array_equal(data["gap.hole"].values, np.broadcast_to(d / 2, (3, 4)))
    assert "gap.electron" not in data  # null everywhere
    assert data["energy"].attrs["units"] == "Ha_h" and data["energy_meV"].attrs["units"] == "meV"
    assert data["many"].shape == (3, 4, 2)
    assert (data["complex_name"].values == "trion-").all()  # a name that files keep for themselves
    won = np.where(d > np.sin(rs)[:, None], "liquid", "crystal")
    assert (data["winner"].values == won).all() and (data["status"].values == "converged").all()
    assert len(list((tmp_path / "out" / "points").glob("*.nc"))) == 12


def test_a_point_is_a_result_of_its_own(tmp_path: Path) -> None:
    ehbilayer.run(study(), tmp_path)
    for path in (tmp_path / "points").glob("*.nc"):
        point = Result.load(path)
        values = point.inputs["coordinates"]
        assert point.kind == "device" and point.data == {}
        assert point.energy == -1 / values["density.rs_hole"] - values["bilayer.spacing"]
        assert point.provenance.study["density"]["rs_hole"] == values["density.rs_hole"]


def test_a_swept_key_replaces_its_alternatives(tmp_path: Path) -> None:
    sweep = prepare_sweep(study())
    assert sweep.first.study.density.hole is None and sweep.first.study.density.rs_hole == 4
    assert sweep.first.study.sweep is None


def test_without_a_directory_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = ehbilayer.run(study())
    assert result.data["energy"].values.shape == (3, 4) and [p.name for p in tmp_path.iterdir()] == ["log"]


def test_what_is_complete_is_answered_at_once(tmp_path: Path, fakes: Path) -> None:
    first = ehbilayer.run(study(), tmp_path / "out")
    for resume in (False, True):
        assert ehbilayer.run(study(), tmp_path / "out", resume=resume).summary == first.summary
    assert len(computed(fakes)) == 12
    ehbilayer.run(study(), tmp_path / "out", force=True)
    assert len(computed(fakes)) == 24


@pytest.mark.parametrize("lost", ["result.nc", "sweep.json"])
def test_only_missing_points_are_computed(tmp_path: Path, fakes: Path, lost: str) -> None:
    first = ehbilayer.run(study(), tmp_path / "out")
    (tmp_path / "out" / lost).unlink()
    (tmp_path / "out" / "result.nc").unlink(missing_ok=True)
    gone = sorted((tmp_path / "out" / "points").glob("*.nc"))[:2]
    values = [Result.load(p).inputs["coordinates"] for p in gone]
    for path in gone:
        path.unlink()
    fakes.unlink()
    again = ehbilayer.run(study(), tmp_path / "out")
    assert sorted(computed(fakes)) == sorted(f"{v['density.rs_hole']:g} {v['bilayer.spacing']:g}" for v in values)
    np.testing.assert_array_equal(again.data["energy"].values, first.data["energy"].values)


def test_other_sweeps_and_studies_are_refused(tmp_path: Path, fakes: Path) -> None:
    ehbilayer.run(study(), tmp_path / "out")
    other = '"density.rs_hole" = [4, 6]'
    with pytest.raises(InputError, match="--force"):
        ehbilayer.run(study(other), tmp_path / "out")
    (tmp_path / "out" / "result.nc").unlink()  # as after a kill
    with pytest.raises(InputError, match="--force"):
        ehbilayer.run(study(other), tmp_path / "out")
    single = make_study({"kind": "device", "density": {"rs_hole": 4.0}})
    with pytest.raises(InputError, match="--force"):
        ehbilayer.run(single, tmp_path / "out")
    assert len(computed(fakes)) == 12
    assert ehbilayer.run(study(other), tmp_path / "out", force=True).summary["points"] == 2
    ehbilayer.run(single, tmp_path / "out", force=True)
    assert status_of(tmp_path / "out")["state"] == "single study"


def test_an_extended_sweep_takes_over_what_is_there(tmp_path: Path, fakes: Path) -> None:
    first = ehbilayer.run(study('"density.rs_hole" = [4, 6]'), tmp_path / "out")
    fakes.unlink()
    more = ehbilayer.run(study('"density.rs_hole" = [4, 5, 6]'), tmp_path / "out", force=True, resume=True)
    assert computed(fakes) == ["5 1"] and more.summary["done"] == 3
    np.testing.assert_array_equal(more.data["energy"].values[[0, 2]], first.data["energy"].values)


def test_numbers_and_arrays_that_do_not_exist_are_named(tmp_path: Path) -> None:
    told: list[str] = []

    class Listener(Reporter):
        def warn(self, text: str) -> None:
            told.append(text)

    ehbilayer.run(study('"density.rs_hole" = [4]', 'show = ["energy", "margn"]\nkeep = ["line", "lines"]'), tmp_path,
                  reporter=Listener())
    assert len(told) == 1 and "lines, margn" in told[0]


def test_ranges(tmp_path: Path) -> None:
    sweep = prepare_sweep(study('"density.rs_hole" = {start = 1, stop = 100, count = 3, scale = "log"}\n'
                                '"cell.holes" = {start = 16, stop = 64, count = 4}'))
    assert sweep.axes[0].values == (1, 10, 100) and sweep.axes[1].values == (16, 32, 48, 64)
    assert all(type(v) is int for v in sweep.axes[1].values)  # counts stay counts
    tenths = prepare_sweep(study('"bilayer.spacing" = {start = "0.1 nm", stop = "0.3 nm", count = 3}'
                                  '\n"density.rs_hole" = [4]')).axes[0]
    assert tenths.values == ("0.1 nm", "0.2 nm", "0.3 nm")  # and tenths are tenths
    assert tenths.coordinates(tenths.values, Scales()) == ([0.1, 0.2, 0.3], "nm", SWEPT)
    text, unit, said = tenths.coordinates(("1 nm", "2 a_h"), Scales())
    assert (text, unit) == (["1 nm", "2 a_h"], "1") and "unknown" in said
    device = Scales(0.2, 0.4, 5.0)
    assert tenths.coordinates((1, "2 a_h"), device) == ([1.0, 2.0], "a_h", SWEPT)
    assert tenths.coordinates(("1 nm", 2), device) == ([1 / device.bohr_radius_nm, 2.0], "a_h", SWEPT)


def test_keys_may_go_without_quotes(tmp_path: Path, fakes: Path) -> None:
    assert ehbilayer.run(study("density.rs_hole = [4, 6]")).summary["axes"] == {"density.rs_hole": [4, 6]}


@pytest.mark.parametrize(("axes", "named", "hint"), [
    ('"density.rs_hole" = [4, -1]', 'sweep."density.rs_hole"', "-1"),
    ('"density.rs_hole" = [4, 18]', 'sweep."density.rs_hole"', "anything but 18"),
    ('"density.rs_hole" = [4, "x"]', 'sweep."density.rs_hole"', "x"),
    ('"density.rs_hole" = [4, 8]\n"bilayer.spacing" = [1, 5]', "rs_hole = 8", "compatible"),
    ('"density.rs_hole" = [4]\n"density.hole" = [0.1]', 'sweep."density.hole"', "says the same"),
    ('"density.rs_hole" = [4, 4.0]', "sweep", "each value once"),
    ('"density.rs_hole" = {start = 4, stop = 8}', 'sweep."density.rs_hole"', "count"),
    ('"density.rs_hole" = {start = 4, stop = 8, count = 1}', 'sweep."density.rs_hole"', "at least 2"),
    ('"density.rs_hole" = {start = 4, stop = 8, count = 3, scale = "logg"}', 'sweep."density.rs_hole"', "linear"),
    ('"density.rs_hole" = {start = 0, stop = 8, count = 3, scale = "log"}', 'sweep."density.rs_hole"', "positive"),
    ('"bilayer.spacing" = {start = "1 nm", stop = "2 a_h", count = 3}', 'sweep."bilayer.spacing"', "same unit"),
    ('"density.rs_hole" = {start = 4, stop = 8, count = 100000000}', 'sweep."density.rs_hole"', "at least 2"),
    ('"density.rs_hole" = {start = 4, stop = 8, count = 9999}\n"bilayer.spacing" = {start = 1, stop = 2, count = 9999}',
     "sweep", "at most"),
    ("mode = 'grid'", "sweep", "at least one key"),
    ('"density.rs_hole" = [4]\npoint_time = "soon"', "sweep.point_time", "duration"),
    ('"density.rs_hole" = [4]\npoints = 1', "sweep.points", "integer"),
    ('"density.rs_hole" = [4]\nmod = "grid"', "sweep", 'did you mean "mode"'),
    ('"density.rs_hol" = [4]', "sweep", 'did you mean "density.rs_hole"'),
])
def test_bad_sweeps_are_named_before_anything_is_computed(tmp_path: Path, fakes: Path, axes: str, named: str,
                                                          hint: str) -> None:
    with pytest.raises(InputError) as caught:
        ehbilayer.run(study(axes), tmp_path / "out")
    assert named in caught.value.argument and hint in str(caught.value) and "\n" not in str(caught.value)
    assert computed(fakes) == [] and not (tmp_path / "out").exists()


def test_a_key_without_effect_is_refused() -> None:
    tables = {"kind": "hartree-fock", "bilayer": {"hole_mass": 1.0}, "density": {"rs_hole": 5.0,
              "electrons_per_hole": 0}, "cell": {"holes": 4, "hexagon": 2, "zero_mode": "none"}}
    with pytest.raises(InputError, match="one that it ignores"):
        prepare_sweep(make_study(tables | {"sweep": {"pairing.alpha": [0.1, 0.2]}}))


def test_a_phase_diagram_needs_a_sweep() -> None:
    with pytest.raises(InputError, match="missing"):
        ehbilayer.run(make_study({"kind": "phase-diagram"}))


def test_shards_are_disjoint_and_the_last_collects(tmp_path: Path, fakes: Path) -> None:
    parts = [ehbilayer.run(study(), tmp_path / "out", shard=f"{i}/3") for i in (2, 3, 1)]
    assert len(computed(fakes)) == len(set(computed(fakes))) == 12
    assert [p.summary["missing"] for p in parts] == [8, 4, 0]
    assert parts[0].status is Status.converged and parts[0].summary["shard"]["done"] == 4
    whole = ehbilayer.run(study())
    np.testing.assert_array_equal(parts[2].data["energy"].values, whole.data["energy"].values)
    assert (tmp_path / "out" / "result.nc").exists()
    for bad in ("0/3", "4/3", "1", "a/b"):
        with pytest.raises(InputError, match="i/n"):
            ehbilayer.run(study(), tmp_path / "out", shard=bad)


def test_options_of_sweeps_need_a_sweep() -> None:
    for option in ({"workers": 2}, {"shard": "1/2"}, {"scheduler": "tcp://127.0.0.1:1"}):
        with pytest.raises(InputError, match="leave it out"):
            ehbilayer.run(make_study({"kind": "device"}), **option)  # type: ignore[arg-type]


def test_workers_need_dask(monkeypatch: pytest.MonkeyPatch, fakes: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for option in ({"workers": 2}, {"scheduler": "tcp://127.0.0.1:8786"}):
        with pytest.raises(InputError, match=r"ehbilayer\[cluster\]"):
            ehbilayer.run(study(), **option)  # type: ignore[arg-type]
    assert computed(fakes) == [] and ehbilayer.run(study(), workers=1).status is Status.converged
    with pytest.raises(InputError, match=r"ehbilayer\[adaptive\]"):
        ehbilayer.run(adaptive())
    with pytest.raises(InputError, match="1 to 1000"):
        ehbilayer.run(study(), workers=0)


def test_named_arrays_are_kept(tmp_path: Path) -> None:
    result = ehbilayer.run(study(GRID, 'keep = ["line"]'), tmp_path)
    line = result.data["line"]
    assert line.dims == ("density.rs_hole", "bilayer.spacing", "x") and line.units == "a_h"
    assert line.values[1, 2].tolist() == [6, 1.5]


def test_a_coordinate_is_kept_with_what_it_is_of(tmp_path: Path) -> None:
    """It differs from point to point: it cannot be called like its axis, here and in the arrays over it."""
    result = ehbilayer.run({
        "kind": "response", "bilayer": {"material": "mass-ratio-10", "spacing": "1 a_e"},
        "density": {"rs_electron": 1.0, "electrons_per_hole": 1},
        "response": {"wave_numbers": 3, "frequencies": 2, "largest_wave_number": 0.1},
        "sweep": {"density.rs_electron": [0.8, 1.0], "keep": ["loss", "frequency", "loss_wave_number"]}}, tmp_path)
    assert result.data["frequency"].dims == ("density.rs_electron", "frequency_index")
    assert result.data["loss"].dims == ("density.rs_electron", "carrier", "loss_wave_number", "frequency_index")
    assert result.data["loss_wave_number"].dims == ("loss_wave_number",)  # the same at all points
    assert ehbilayer.load(tmp_path).dataset["loss"].shape == (2, 2, 3, 2)


def test_status_counts_and_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ehbilayer.run(study('"density.rs_hole" = [4, 6, 14]\n"bilayer.spacing" = [1]'), tmp_path)
    assert cli.execute(["status", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "complete" and found["running"] == []
    assert {k: found[k] for k in ("points", "done", "failed", "missing", "damaged")} == {
        "points": 3, "done": 2, "failed": 1, "missing": 0, "damaged": 0}
    assert found["failed_by_reason"] == {"not_converged": 1}
    assert cli.execute(["status", str(tmp_path)]) == 0
    assert "1 (1 not_converged)" in capsys.readouterr().out
    assert cli.execute(["status", str(tmp_path / "points")]) == 2
    assert cli.execute(["show", str(tmp_path)]) == 0
    assert "2 of 3 done, 1 failed" in capsys.readouterr().out


def test_unresolved_points_are_counted(tmp_path: Path) -> None:
    edge = float(np.sin(4)) + 2.0  # r_s = 4 + 2 pi would do as well; margins of 0.2 and 0.0005
    result = ehbilayer.run(study(f'"density.rs_hole" = [7]\n"bilayer.spacing" = [{np.sin(7) + 0.005}, {edge}]'),
                           tmp_path)
    assert result.summary["unresolved"] == 1 == status_of(tmp_path)["unresolved"] and result.summary["done"] == 2
    assert result.data["unresolved"].values.tolist() == [[True, False]]
    assert result.data["status"].values.tolist() == [["converged", "converged"]]


def test_the_command_line_runs_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("map.toml").write_text(fake_points.study_text(GRID))
    assert cli.execute(["run", "map.toml", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads(Path("map/summary.json").read_text())
    assert "3 values, 4 ... 8" in err and "replaced   density.hole (by the sweep)" in err
    assert cli.execute(["run", "map.toml", "-o", "other", "--set", 'sweep."density.rs_hole"=[4, 14]']) == 3
    assert "not_converged" in capsys.readouterr().out


def adaptive(points: int = 60, more: str = "") -> Study:
    return study('"density.rs_hole" = {start = 1, stop = 6}\n"bilayer.spacing" = {start = 0.05, stop = 1.05}',
                 f'mode = "adaptive"\npoints = {points}\nbatch = 5\n{more}')


def misjudged(result: Result) -> float:
    """Share of the map where the nearest point has another winner than the truth."""
    from scipy.interpolate import NearestNDInterpolator

    rs, d = (result.data[key].values for key in ("density.rs_hole", "bilayer.spacing"))
    if result.summary["mode"] == "grid":
        rs, d = (x.ravel() for x in np.meshgrid(rs, d, indexing="ij"))
    wins = (result.data["winner"].values == "liquid").ravel()
    x, y = (m.ravel() for m in np.meshgrid(np.linspace(0, 1, 151), np.linspace(0, 1, 151)))
    nearest = NearestNDInterpolator(np.column_stack([(rs - 1) / 5, d - 0.05]), wins)(x, y)
    return float((nearest != (y + 0.05 > np.sin(1 + 5 * x))).mean())


def test_an_adaptive_sweep_closes_in_on_the_boundary(tmp_path: Path, fakes: Path) -> None:
    pytest.importorskip("adaptive")
    result = ehbilayer.run(adaptive(100), tmp_path / "out")
    assert result.summary["points"] == result.summary["done"] == 100 == len(set(computed(fakes)))
    assert result.data["energy"].dims == ("point",) == result.data["bilayer.spacing"].dims
    grid = ehbilayer.run(study('"density.rs_hole" = {start = 1, stop = 6, count = 10}\n'
                               '"bilayer.spacing" = {start = 0.05, stop = 1.05, count = 10}'))
    assert misjudged(result) < 0.6 * misjudged(grid)  # of as many points


def test_a_boundary_is_followed_where_nothing_competes_on_one_side(tmp_path: Path, fakes: Path,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """Crystals melt: all candidates are the liquid then, and there is no margin."""
    pytest.importorskip("adaptive")
    monkeypatch.setenv("EHB_FAKE_ALONE", "1")
    result = ehbilayer.run(adaptive(64))
    grid = ehbilayer.run(study('"density.rs_hole" = {start = 1, stop = 6, count = 8}\n'
                               '"bilayer.spacing" = {start = 0.05, stop = 1.05, count = 8}'))
    assert np.isnan(result.data["margin"].values).sum() > 10
    assert misjudged(result) < 0.8 * misjudged(grid)
    above = adaptive(30).sweep | {"bilayer.spacing": {"start": 0.9, "stop": 1.9}}  # the first points are all liquid
    whole = ehbilayer.run(make_study(adaptive(30).written() | {"sweep": above}))
    assert whole.summary["done"] == 30


def test_an_adaptive_sweep_goes_on_as_if_unbroken(tmp_path: Path, fakes: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("adaptive")
    unbroken = ehbilayer.run(adaptive(), tmp_path / "unbroken")
    solve, left = fake_points.solve, [37]

    def stop_after_a_while(study: Study, run: Any) -> Result:
        left[0] -= 1
        if not left[0]:
            (tmp_path / "broken" / "STOP").touch()
        return solve(study, run)

    monkeypatch.setattr(fake_points, "solve", stop_after_a_while)
    monkeypatch.setattr(stopping, "LOOK_SECONDS", 0.0)
    broken = ehbilayer.run(adaptive(), tmp_path / "broken")
    assert broken.status is Status.interrupted and 0 < broken.summary["missing"] < 60
    (tmp_path / "broken" / "STOP").unlink()
    fakes.unlink()
    whole = ehbilayer.run(adaptive(), tmp_path / "broken", resume=True)
    assert len(computed(fakes)) == broken.summary["missing"] and whole.status is Status.converged
    np.testing.assert_array_equal(whole.data["margin"].values, unbroken.data["margin"].values)


def test_an_adaptive_sweep_of_one_key_follows_a_number(tmp_path: Path) -> None:
    pytest.importorskip("adaptive")
    axes = '"density.rs_hole" = {start = 0.1, stop = 10}'
    more = 'mode = "adaptive"\npoints = 30\nrefine = "energy"'
    rs = ehbilayer.run(study(axes, more)).data["density.rs_hole"].values
    assert (rs < 2).sum() > 2 * 30 * 1.9 / 9.9  # -1/r_s bends at small r_s: twice as many as spread evenly
    with pytest.raises(InputError, match="first points"):
        ehbilayer.run(study(axes, more.replace('"energy"', '"nothing"')))
    with pytest.raises(InputError, match="a list"):
        ehbilayer.run(study('"density.rs_hole" = [1, 2]', more))


def test_a_failed_point_does_not_stop_the_choice(tmp_path: Path) -> None:
    pytest.importorskip("adaptive")
    axes = '"density.rs_hole" = {start = 10, stop = 15}'  # 14 never converges, 15 overflows, 13 would die
    result = ehbilayer.run(study(axes.replace("10", "14"), 'mode = "adaptive"\npoints = 20'), tmp_path)
    assert result.summary["failed"] == 2 and result.summary["done"] == 18
    assert {f["status"] for f in result.summary["failures"]} == {"not_converged", "not_finite"}


def test_nearness_of_a_boundary() -> None:
    phases = np.array([[0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
    margins = np.array([[1.0, 1, 1], [1, 1, 1], [0, 0, 0], [0.1, 1.0, 1.0]])
    across, flat, zero, near = nearness(margins, phases)
    assert across == 1 and flat == zero == pytest.approx(0.1) and flat < near < 1


def test_the_page_has_every_option() -> None:
    page = (Path(__file__).parents[1] / "docs" / "sweeps.md").read_text(encoding="utf-8")
    for key, field in SweepOptions.model_fields.items():
        value = (field.description or "").replace(" | ", ", ")
        default = "-" if field.default is None else f"`{json.dumps(field.default)}`"
        assert f"| `{key}` | {value} | {default} |" in page, key


def test_the_example_runs(tmp_path: Path) -> None:
    """The layer crystallises, and the zero mode moves the gap by about 3.92/sqrt(A) (docs/conventions.md)."""
    from ehbilayer.studies.file import load_study

    path = Path(__file__).parents[1] / "examples" / "sweep.toml"
    result = ehbilayer.run(load_study(path, ['sweep."density.rs_hole"=[8, 10]']), tmp_path)
    gap, area = result.data["gap.hole"].values, result.data["area"].values[:, 0]
    assert result.status is Status.converged and (result.data["phase"].values == "crystal").all()
    np.testing.assert_allclose(gap[:, 1] - gap[:, 0], 3.9210316 / np.sqrt(area), rtol=1e-5)
    assert list(result.dataset["cell.zero_mode"].values) == ["none", "madelung"]
