"""Results beside each other and for other programs: compare, export, the points of a sweep in a table."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import ehbilayer
from ehbilayer import InputError, Status, SweepResult, cli, compare
from ehbilayer.reports.compare import error_of
from ehbilayer.reports.export import to_csv
from ehbilayer.reports.tidy import Table, tables
from ehbilayer.results.base import Record, Variable
from ehbilayer.sweep.table import points

EXCITON = 'kind = "few-body"\n[bilayer]\nmaterial = "WSe2/MoSe2"\nspacing = "3 nm"\n[few-body]\ncomplex = "exciton"\n'
SWEEP = EXCITON + '[sweep]\n"bilayer.spacing" = ["1 nm", "2 nm", "3 nm"]\n'


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("reports")
    (place / "one.toml").write_text(EXCITON)
    (place / "many.toml").write_text(SWEEP)
    found = {"a": ehbilayer.run(str(place / "one.toml"), place / "a"),
             "b": ehbilayer.run(ehbilayer.load_study(place / "one.toml", ['bilayer.spacing="3.3 nm"']), place / "b"),
             "s": ehbilayer.run(str(place / "many.toml"), place / "s")}
    return place, found


def record(summary, tolerance=1e-8, kind="toy"):
    return Record(kind, Status.converged, summary, {"study": {"toy": {"tolerance": tolerance}}})


def test_a_result_equals_itself(runs):
    place, found = runs
    same = compare(found["a"], place / "a")
    assert same.same and not same.numbers and not same.words and same.equal > 5


def test_what_differs_is_named_with_its_unit_and_errors(runs):
    _, found = runs
    told = compare(found["a"], found["b"])
    assert [(x.key, x.a, x.b) for x in told.asked] == [("bilayer.spacing", "3 nm", "3.3 nm")]
    energy = next(n for n in told.numbers if n.key == "energy")
    assert energy.unit == "Ha_h" and energy.beyond and energy.origin == "uncertainty"
    assert energy.difference == pytest.approx(found["b"].energy - found["a"].energy, abs=1e-15)
    assert not {"energy_meV", "energy_kelvin", "wall_seconds"} & {n.key for n in told.numbers}


@pytest.mark.parametrize("summary, key, error, origin", [
    ({"gap": {"electron": 1.0}, "gap_error": 0.1}, "gap.electron", 0.1, "gap_error"),
    ({"gap": {"electron": 1.0}, "gap_error": {"electron": 0.2}}, "gap.electron", 0.2, "gap_error.electron"),
    ({"energy": -2.0, "error": 0.3}, "energy", 0.3, "error"),
    ({"energy": -2.0, "basis_error": 0.25, "solver_error": 0.5}, "energy", 0.75, "basis_error + solver_error"),
    ({"vmc": {"energy_per_hole": -2.0, "error": 0.3}, "error": 9.0}, "vmc.energy_per_hole", 0.3, "error"),
    ({"margin": 1.0, "numerical_error": 0.4}, "margin", 0.4, "numerical_error"),
    ({"mass": 2.0, "residual": 1e-6}, "mass", 10 * 1e-6 * 2 + 1e-10, "residual"),
    ({"mass": 2.0}, "mass", 10 * 1e-8 * 2 + 1e-10, "tolerance"),
])
def test_the_error_of_a_number_is_what_its_result_says_of_it(summary, key, error, origin):
    from ehbilayer.sweep.columns import flatten

    found = record(summary)
    assert error_of(key, dict(flatten(found.summary)), found) == (pytest.approx(error), origin)


def test_differences_within_and_beyond_and_of_unknown_errors():
    a = record({"energy": 1.0, "error": 0.1, "phase": "liquid"})
    near, far = record({"energy": 1.15, "error": 0.1, "phase": "liquid"}), record(
        {"energy": 1.25, "error": 0.1, "phase": "crystal"})
    assert compare(a, near).numbers[0].beyond is False and compare(a, near).same
    told = compare(a, far)
    assert told.numbers[0].beyond is True and told.words[0].key == "phase" and not told.same
    bare = compare(*(Record("toy", Status.converged, {"mass": m}, {}) for m in (1.0, 1.1)))
    assert bare.numbers[0].beyond is None and not bare.same


def test_two_kinds_are_refused_in_one_line(runs, capsys, monkeypatch):
    place, found = runs
    with pytest.raises(InputError, match="of one kind, but was 'few-body and a sweep of few-body"):
        compare(found["a"], found["s"])
    monkeypatch.chdir(place)
    assert cli.execute(["compare", "a", "s"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert cli.execute(["compare", "a", "b"]) == 0
    assert "BEYOND" in capsys.readouterr().out
    assert cli.execute(["compare", "a", "b", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["asked"][0]["key"] == "bilayer.spacing"


def grid(energies, phases):
    at = Variable(("density.rs_hole",), np.array([4.0, 5.0, 6.0]), "a_h", "swept")
    data = {"density.rs_hole": at}
    for name, values, unit in (("status", ["converged"] * 3, "1"), ("phase", phases, "1"), ("energy", energies, "Ha_h"),
                               ("error", [0.01] * 3, "Ha_h")):
        data[name] = Variable(at.dims, np.array(values), unit)
    return SweepResult(status=Status.converged, study_kind="toy", points=3, done=3, failed=0, mode="grid",
                       axes={"density.rs_hole": [4.0, 5.0, 6.0]}, show=("energy",), data=data)


def test_sweeps_are_compared_point_by_point():
    told = compare(grid([1.0, 2.0, 3.0], ["liquid"] * 3), grid([1.0, 2.01, 3.5], ["liquid", "liquid", "crystal"]))
    assert told.points == 3 and told.apart == 0
    assert told.words[0].key == "phase at 1 points, first rs_hole = 6"
    (energy,) = told.numbers
    assert (energy.where, energy.differing, energy.beyond) == ("rs_hole = 6", 2, True)
    assert energy.error == pytest.approx(0.02)


def test_every_number_comes_out_of_csv_as_it_went_in(runs, monkeypatch, capsys):
    place, found = runs
    monkeypatch.chdir(place)
    assert cli.execute(["export", "a", "--csv", "--json"]) == 0
    with open("a/export/summary.csv", newline="") as file:
        told = {row["entry"]: row for row in csv.DictReader(file)}
    assert float(told["energy"]["value"]) == found["a"].energy and told["energy"]["unit"] == "Ha_h"
    whole = json.loads(Path("a/export/result.json").read_text())
    assert whole["summary"]["energy"] == found["a"].energy and whole["inputs"]["study"]["kind"] == "few-body"
    for name, v in found["a"].data.items():
        if v.values.dtype.kind == "f":
            assert np.array_equal(np.array(whole["arrays"][name]["values"], dtype=float), v.values, equal_nan=True)
    assert cli.execute(["export", "s", "--csv", "-o", "elsewhere"]) == 0
    with open("elsewhere/points.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(r["energy [Ha_h]"]) for r in rows] == found["s"].data["energy"].values.tolist()
    assert cli.execute(["export", "a"]) == 2 and cli.execute(["export", "nowhere", "--csv"]) == 2
    assert "--csv | --json: must be one of them or both" in capsys.readouterr().err


def test_csv_holds_no_formulas_and_says_what_is_missing():
    text = to_csv(Table("t", {"=cmd": ["=1+1", "@x", "fine"], "n [nm]": [float("nan"), -1.5, float("inf")]}))
    assert text == "'=cmd,n [nm]\n'=1+1,NaN\n'@x,-1.5\nfine,inf\n"


def test_complex_arrays_and_grids_have_their_coordinates():
    cell = Variable(("vector", "axis"), np.array([[2.0, 0.0], [0.0, 3.0]]), "a_h")
    psi = Variable(("cell_1", "cell_2"), np.array([[1 + 2j, 3.0]]), "1/a_h")
    found = {t.name: t.columns for t in tables(Record("toy", Status.converged, {}, {}, {"cell": cell, "psi": psi}))}
    grid = found["cell_1-cell_2"]
    assert grid["y [a_h]"] == [0.0, 1.5]
    assert grid["Re psi [1/a_h]"] == [1.0, 3.0] and grid["Im psi [1/a_h]"] == [2.0, 0.0]


def test_show_prints_the_points_of_a_sweep_in_120_columns(runs, monkeypatch, capsys):
    place, found = runs
    monkeypatch.chdir(place)
    assert cli.execute(["show", "s"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("1 nm" in line or "spacing" in line for line in lines) >= 2
    table = points(found["s"])
    assert len(table) == 4 and all(len(line) <= 120 for line in table) and "spacing" in table[0]
    energies = found["s"].data["binding_energy"].values
    assert all(f"{e:.7g}" in line for e, line in zip(energies, table[1:], strict=True))
    assert points(found["a"]) == []
