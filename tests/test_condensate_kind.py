"""Studies of kind "condensate": study in, result, table and figure out; bad input refused before any work."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ehbilayer import load_study
from ehbilayer.errors import InputError
from ehbilayer.few_body.exciton import solve_exciton
from ehbilayer.hooks import Hooks
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.studies.condensate import prepare as kind
from ehbilayer.studies.condensate.figure import figure
from ehbilayer.studies.condensate.table import rows
from systems import solve_plane

EXAMPLE = Path(__file__).parents[1] / "examples" / "condensate.toml"
CONTRACT = ("energy_per_pair", "chemical_potential", "max_occupation", "condensate_fraction", "max_gap", "concave")
TORUS = """
kind = "condensate"
[bilayer]
electron_mass = 0.2
hole_mass = 0.4
dielectric = 4.7
spacing = 1.0
[density]
hole = 0.02
[cell]
holes = 12
zero_mode = "madelung"
hexagon = 6
[condensate]
curve_points = 12
"""


@pytest.fixture
def torus(tmp_path: Path) -> Path:
    path = tmp_path / "torus.toml"
    path.write_text(TORUS, encoding="utf-8")
    return path


def run(path: Path, *sets: str) -> Result:
    return kind.prepare(load_study(path, list(sets))).solve(Hooks())


def test_the_example(tmp_path: Path) -> None:
    result = run(EXAMPLE)
    s = result.summary
    assert result.status is Status.converged and all(s[key] is not None for key in CONTRACT)
    assert s["energy_per_pair"] == pytest.approx(solve_plane(1.0, 1.0, 0.06).summary["energy_per_pair"], rel=1e-9)
    assert s["exciton_energy"] == pytest.approx(solve_exciton(1.0, 1.0).energy)
    assert len(s["coexistence"]) == 1 and s["coexistence"][0]["low"] == 0 and not s["separates"]
    assert len(result.data["curve_density"].values) == 40
    table = dict(rows(result))
    assert table["phase"] == "condensate" and "0.0451" in table["coexistence"] and "convex" in table["energy density"]


def test_inside_a_coexistence_it_says_so() -> None:
    result = run(EXAMPLE, "density.hole=0.02", "condensate.curve_points=15")
    assert result.summary["separates"] and result.summary["concave"]
    assert ("caution", "not a ground state: it separates into the two densities above") in rows(result)


def test_a_density_from_a_chemical_potential(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace("hole = 0.06", "")
    path = tmp_path / "mu.toml"
    path.write_text(text + "\nchemical_potential = -0.3\ncurve_points = 12\n", encoding="utf-8")
    result = run(path)
    assert result.summary["chemical_potential"] == pytest.approx(-0.3, abs=1e-8)
    with pytest.raises(InputError, match="first pairs appear"):
        run(path, "condensate.chemical_potential=-0.4")
    with pytest.raises(InputError, match="where a density is given"):
        kind.prepare(load_study(path, ["density.hole=0.1"]))


def test_a_torus(torus: Path) -> None:
    result = run(torus)
    s = result.summary
    assert result.status is Status.converged and all(s[key] is not None for key in CONTRACT)
    assert result.energy == pytest.approx(12 * s["energy_per_pair"]) and s["basis_size"] == 127
    assert s["zero_mode"] == "madelung" and s["basis_error"] > 0
    n = result.data["curve_density"].values
    assert 1 < len(n) <= 12 and n.max() * s["area"] < 127
    here = np.interp(np.log(0.02), np.log(n), result.data["curve_energy"].values)
    assert here == pytest.approx(s["energy_per_pair"], abs=5e-3)
    assert "127 plane waves" in dict(rows(result))["basis"]


def test_waves_from_the_tolerance(torus: Path) -> None:
    text = torus.read_text(encoding="utf-8").replace("hexagon = 6", "").replace("curve_points = 12", "curve_points = 0")
    torus.write_text(text + "tolerance = 1e-4\n", encoding="utf-8")
    s = run(torus).summary
    assert s["basis_size"] > 127 and s["basis_error"] < 12e-4 and s["coexistence"] is None


def test_a_high_chemical_potential_reaches_the_plasma(tmp_path: Path) -> None:
    """Beyond the densities that are drawn anyway: mu = k_F^2/2m - 4 k_F/pi of two liquids, within their pairing."""
    path = tmp_path / "plane.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8").replace("hole = 0.06", ""), encoding="utf-8")
    result = run(path, "condensate.chemical_potential=50", "condensate.curve_points=12", "condensate.tolerance=1e-6")
    k = np.sqrt(4 * np.pi * result.summary["density"])
    assert result.status is Status.converged
    assert k**2 - 4 * k / np.pi == pytest.approx(50, abs=1e-2)  # m = 1/2


def test_flavours(torus: Path) -> None:
    one, two = run(torus, "cell.holes=6", "condensate.curve_points=0"), run(torus, "condensate.spin=restricted",
                                                                            "condensate.curve_points=0")
    assert two.summary["flavours"] == 2 and one.summary["flavours"] == 1
    assert "12 pairs" in "\n".join(kind.prepare(load_study(torus)).plan)


def test_capacitor_of_the_plane() -> None:
    sets = ("condensate.curve_points=0", "bilayer.capacitor=true")
    with_it, without = run(EXAMPLE, *sets), run(EXAMPLE, sets[0])
    extra = with_it.summary["energy_per_pair"] - without.summary["energy_per_pair"]
    assert extra == pytest.approx(2 * np.pi * 0.06)


def test_a_stop_between_densities_keeps_the_state(torus: Path) -> None:
    told: list[str] = []

    def stop() -> Status | None:
        return Status.interrupted if any("3 of" in text for text in told) else None

    result = kind.prepare(load_study(torus)).solve(
        Hooks(should_stop=stop, progress=told.append))
    assert result.status is Status.interrupted and result.summary["energy_per_pair"] < 0
    assert result.summary["coexistence"] is None


@pytest.mark.parametrize(("override", "argument"), [
    ("density.electrons_per_hole=2", r"density\.electrons_per_hole"),
    ("bilayer.spacing=-1", r"bilayer\.spacing"),
    ("cell.holes=300", "cell"),
    ("bilayer.electron_flavours=3", r"bilayer\.electron_flavours"),
    ("cell.holes=13", r"cell\.holes"),
    ("condensate.chemical_potential=-0.1", r"condensate\.chemical_potential"),
])
def test_bad_input_is_named(torus: Path, override: str, argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        kind.prepare(load_study(torus, ["condensate.spin=restricted", override]))


@pytest.mark.parametrize(("gone", "argument"), [
    ("holes = 12", r"cell\.holes"), ('zero_mode = "madelung"', r"cell\.zero_mode"), ("hole = 0.02", "density"),
    ("spacing = 1.0", r"bilayer\.spacing"), ("electron_mass = 0.2", r"bilayer\.electron_mass")])
def test_what_is_missing_is_named(torus: Path, gone: str, argument: str) -> None:
    torus.write_text(TORUS.replace(gone, ""), encoding="utf-8")
    with pytest.raises(InputError, match=argument):
        kind.prepare(load_study(torus))


def test_figures_show_what_the_result_holds(torus: Path) -> None:
    result = run(torus)
    drawn = figure(result)
    assert [ax.get_title() for ax in drawn.axes] == ["occupation of each flavour", "gap function and exchange",
                                                     "quasiparticles, from μ/2", "energy against density"]
    for ax in drawn.axes:
        assert ax.get_xlabel() and ax.get_ylabel() and ax.lines
    shown = drawn.axes[0].lines[0].get_ydata()
    assert np.sort(shown) == pytest.approx(np.sort(result.data["occupation"].values))
    bare = replace(result, data={k: v for k, v in result.data.items() if not k.startswith("curve_")})
    assert len(figure(bare).axes) == 3
    with pytest.raises(InputError, match="occupation"):
        figure(replace(result, data={}))
