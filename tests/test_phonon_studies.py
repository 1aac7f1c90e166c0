"""Studies of kind "phonons": from tables to results, what is refused, crystals from files, figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ehbilayer.crystal.record import crystal_data
from ehbilayer.crystal.relaxation import relax
from ehbilayer.crystal.structures import named
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.phonons.report import Options, compute
from ehbilayer.results.base import Record
from ehbilayer.status import Status
from ehbilayer.studies.file import load_study, make_study
from ehbilayer.studies.phonons.prepare import prepare
from ehbilayer.studies.phonons.table import rows

EXAMPLES = Path(__file__).parents[1] / "examples"
EQUAL = {"electron": 1.0, "hole": 1.0}
STUDY = {"kind": "phonons", "bilayer": {"electron_mass": 1.0, "hole_mass": 1.0},
         "density": {"a_over_d": 6.0, "electrons_per_hole": 2}, "crystal": {"structure": "honeycomb"}}


def test_stopping_while_it_comes_to_rest_or_follows_a_mode():
    study = make_study(STUDY | {"crystal": {"structure": "tilted-axial"}})
    result = prepare(study).solve(Hooks(should_stop=lambda: Status.interrupted))
    assert result.status is Status.interrupted and rows(result)
    following: list[str] = []
    hooks = Hooks(progress=following.append,
                  should_stop=lambda: Status.timeout if "following the lowest mode" in following else None)
    start = relax(named("trion-crystal", 1 / (np.pi * 16), 1.0), "positions").crystal
    result = compute(start, EQUAL, Options(follow=True, quantum=False, mesh=6, points=3), hooks)
    assert result.status is Status.timeout and result.followed is None and "frequencies" in result.data


def test_a_relaxed_start_is_called_what_it_became():
    few = ["phonons.mesh=6", "phonons.points=3", "phonons.tolerance=1e-2", "density.electrons_per_hole=0.5"]
    summary = prepare(make_study(STUDY | {"crystal": {"structure": "decoupled"}}, few)).solve(Hooks()).summary
    assert (summary["structure"], summary["start"]) == ("honeycomb", "decoupled")


def test_a_scan_of_two_layers_of_holes():
    study = make_study({"kind": "phonons", "crystal": {"structure": "staggered-square", "layers": 2},
                        "density": {"a_over_d": 1.3, "electrons_per_hole": 0},
                        "phonons": {"mesh": 6, "points": 3, "scan": [1.2, 4.0], "scan_points": 2, "tolerance": 1e-2}})
    data = prepare(study).solve(Hooks()).data
    # Goldoni & Peeters, PRB 53, 4591 (1996): the square lives between d sqrt(n) = 0.262 and 0.621, a/d = 2.15 .. 0.91
    assert data["scan_stable"].values.tolist() == [True, False]
    assert np.isfinite(data["melting_length_hole"].values).tolist() == [True, False]


@pytest.mark.parametrize("name", ["phonons", "melting", "trion-saddle"])
def test_examples_run(name):
    task = prepare(load_study(EXAMPLES / f"{name}.toml", ["phonons.mesh=8", "phonons.points=6",
                                                          "phonons.tolerance=1e-4", "phonons.scan_points=3"]))
    result = task.solve(Hooks())
    assert result.status is Status.converged
    table = dict(rows(result))
    if name == "phonons":
        assert "solid above d = 13.37" in table["dipoles"] and table["zero-point/hole"]
    if name == "melting":
        assert result.summary["lindemann"]["hole"] is None  # no spacing, no hbar
        assert np.isfinite(result.data["melting_length_dipole"].values).tolist() == [False, True, True]
    if name == "trion-saddle":
        assert "checkerboard" in table["leads to"] and table["stable"].startswith("NO")


@pytest.mark.parametrize("name", ["phonons", "melting", "trion-saddle"])
def test_figures_are_drawn(name, tmp_path):
    from ehbilayer.studies.phonons.figure import figure

    task = prepare(load_study(EXAMPLES / f"{name}.toml", ["phonons.mesh=6", "phonons.points=5",
                                                          "phonons.tolerance=1e-3", "phonons.scan_points=3"]))
    result = task.solve(Hooks())
    page = figure(result)
    page.savefig(tmp_path / "figure.png")
    titles = [ax.get_title() for ax in page.axes]
    assert any("branches" in t for t in titles) and any("crystal" in t for t in titles)
    assert any("melting" in t for t in titles) is (name == "melting")
    assert any("leads to" in t for t in titles) is (name == "trion-saddle")


def test_two_layers_of_holes():
    study = make_study({"kind": "phonons", "bilayer": {"spacing": 0.5}, "crystal": {"structure": "staggered-square",
                                                                                   "layers": 2},
                        "density": {"rs_hole": 1.0, "electrons_per_hole": 0}, "phonons": {"mesh": 6, "points": 3}})
    result = prepare(study).solve(Hooks())
    assert result.status is Status.converged and len(result.summary["gamma_frequencies"]) == 4
    plasmon = result.summary["plasmon"]
    assert plasmon["limit"] == pytest.approx(plasmon["expected"], rel=1e-3)
    assert plasmon["expected"] == pytest.approx(4)  # twice that of one layer


def test_electrons_alone_and_the_capacitor():
    alone = make_study({"kind": "phonons", "density": {"rs_electron": 50.0}, "crystal": {"structure": "triangular"},
                        "phonons": {"mesh": 6, "points": 3, "tolerance": 1e-3}})
    result = prepare(alone).solve(Hooks())
    assert result.summary["lindemann"]["electron"] > 0.25 and result.summary["lindemann"]["hole"] is None
    few = ["phonons.mesh=6", "phonons.points=3", "phonons.tolerance=1e-2"]
    plain, charged = (prepare(make_study(STUDY | {"bilayer": STUDY["bilayer"] | {"capacitor": on}}, few)).solve(Hooks())
                      .summary["energy_per_hole"] for on in (False, True))
    assert charged - plain == pytest.approx(2 * 2 / 36)  # 2 pi n_e d with n_e = 2/(pi a^2), per e^2/d
    half = make_study({"kind": "phonons", "bilayer": {"hole_mass": 1.0}, "density": {"rs_electron": 50.0},
                       "crystal": {"structure": "triangular"}})
    with pytest.raises(InputError, match=r"bilayer\.electron_mass"):
        prepare(half)


@pytest.mark.parametrize(("override", "argument"), [
    ("bilayer.spacing=0", "bilayer.spacing"),
    ("crystal.structure=honycomb", "crystal.structure"),
    ("crystal.structure=random", "crystal.structure"),
    ("crystal.layers=2", "crystal.layers"),
    ("density.electrons_per_hole=0", "crystal.structure|density.a_over_d"),
    ("density.rs_hole=5", "bilayer.spacing"),
    ("density.a_over_d=1e5", r"density\.a_over_d"),
    ("density.a_over_d=1e-300", r"density\.a_over_d"),
    ("bilayer.spacing=1e-300", r"bilayer\.spacing"),
    ("density.electrons_per_hole=-1", r"density\.electrons_per_hole"),
    ("phonons.scan=[5, 3]", r"phonons\.scan"),
    ("phonons.lindemann=0", r"phonons\.lindemann"),
])
def test_bad_studies_are_named(override, argument):
    with pytest.raises(InputError, match=argument):
        prepare(make_study(STUDY, [override]))


def test_a_crystal_may_come_from_a_result_file(tmp_path):
    honeycomb = named("honeycomb", 1 / np.pi, 0.2)
    Record("crystal", Status.converged, {}, {}, crystal_data(honeycomb)).save(tmp_path / "result.nc")
    few = ["phonons.mesh=6", "phonons.points=3", "phonons.tolerance=1e-2"]
    by_name, by_file = (prepare(make_study(STUDY | {"crystal": {"structure": name}}, few)).solve(Hooks()).summary
                        for name in ("honeycomb", str(tmp_path)))
    assert by_file["gamma_frequencies"] == pytest.approx(by_name["gamma_frequencies"], abs=1e-9)
    other = make_study(STUDY | {"crystal": {"structure": str(tmp_path)},
                                "density": {"a_over_d": 6.0, "electrons_per_hole": 1}})
    with pytest.raises(InputError, match=r"crystal\.structure"):
        prepare(other)


def test_a_file_of_two_layers_is_not_pressed_into_one(tmp_path):
    double = named("staggered-square", 1 / np.pi, 0.8, 0, 2)
    Record("crystal", Status.converged, {}, {}, crystal_data(double)).save(tmp_path / "result.nc")
    tables = {"kind": "phonons", "bilayer": {"spacing": 0.8}, "density": {"rs_hole": 1.0, "electrons_per_hole": 0},
              "crystal": {"structure": str(tmp_path)}, "phonons": {"mesh": 6, "points": 3, "tolerance": 1e-2}}
    with pytest.raises(InputError, match="1 layer of holes"):
        prepare(make_study(tables))
    result = prepare(make_study(tables, ["crystal.layers=2"])).solve(Hooks())
    assert result.summary["structure"] == "staggered-square"
    alone = tables | {"density": {"rs_electron": 1.0}, "crystal": tables["crystal"] | {"layers": 2}}
    result = prepare(make_study(alone)).solve(Hooks())
    assert set(result.data["species"].values) == {"electron"} and set(result.data["charges"].values) == {-1.0}


def test_a_density_of_carriers_that_are_absent():
    tables = {"kind": "phonons", "density": {"rs_electron": 6.0, "electrons_per_hole": 0},
              "crystal": {"structure": "triangular"}}
    with pytest.raises(InputError, match=r"density\.rs_electron"):
        prepare(make_study(tables))


def test_masses_are_asked_for():
    with pytest.raises(InputError, match=r"bilayer\.electron_mass"):
        prepare(make_study(STUDY | {"bilayer": {"hole_mass": 1.0}}))
