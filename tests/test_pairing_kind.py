"""Studies of kind "pairing": study in, result, table and figure out; bad input refused before any work."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ehbilayer import load_study
from ehbilayer.compressibility import size_limit
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.pairing import maps as pairing_maps
from ehbilayer.pairing.result import PairingResult
from ehbilayer.results.base import Record
from ehbilayer.status import Status
from ehbilayer.studies.pairing import prepare as kind
from ehbilayer.studies.pairing.figure import figure, gap, temperature_map
from ehbilayer.studies.pairing.table import rows
from paper_units import attraction, bcs_temperature

EXAMPLES = Path(__file__).parents[1] / "examples"
POINT, MAP = EXAMPLES / "pairing.toml", EXAMPLES / "pairing-map.toml"
CONTRACT = ("g0V", "lambda", "mu", "mu_star", "debye_temperature", "critical_temperature", "tc_over_hartree",
            "in_el_hc")
QUICK = ("pairing.curve_points=0", "pairing.method=bcs")


def run(path: Path, *sets: str, **options: object) -> Any:
    return kind.prepare(load_study(path, list(sets))).solve(Hooks(**options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def example() -> PairingResult:
    found = run(POINT, "pairing.curve_points=6", "pairing.method=bcs")
    assert isinstance(found, PairingResult)
    return found


def test_the_example(example: PairingResult) -> None:
    """The printed point: mu = 0.331, lambda = 0.756, T_D = 94 K, T_H = 1263 K, T_c = 10 K; r_s of the holes 16."""
    s = example.summary
    assert example.status is Status.converged and all(s[key] is not None for key in CONTRACT)
    assert [s["mu"], s["lambda"], s["g0V"]] == pytest.approx([0.331, 0.756, -0.425], abs=1e-3)
    assert [s["debye_temperature"], s["hartree_temperature"]] == pytest.approx([94, 1263], abs=1)
    assert s["critical_temperature"] == pytest.approx(10, abs=0.1) and s["in_el_hc"] is True
    assert s["tc_over_hartree"] * s["hartree_temperature"] == pytest.approx(s["critical_temperature"])
    assert s["rs_hole"] == pytest.approx(16) and s["spacing_over_a_e"] == pytest.approx(1)
    assert s["by_method"]["bcs"] == s["critical_temperature"]
    # strong coupling takes nearly all of it; no alpha could reach the published number
    assert 0.2 < s["by_method"]["eliashberg"] < 0.3
    assert s["by_method"]["allen-dynes"] == pytest.approx(s["by_method"]["eliashberg"], rel=0.05)
    assert s["by_method"]["eliashberg"] < s["strong_coupling_bound"] < s["critical_temperature"]
    assert 3.53 < s["gap_ratio"] < 3.8
    assert s["folding_gain"] == pytest.approx(float(attraction(1.6, 1, "folded") / attraction(1.6, 1)))
    assert s["band"]["low"] < s["critical_temperature"] < s["band"]["high"] and not s["band"]["reaches_instability"]


def test_no_headline_stands_above_its_own_bound(example: PairingResult) -> None:
    """Eliashberg's T_c leads; the published formula is called that, and is no T_c where it exceeds the bound."""
    led = run(POINT, "pairing.curve_points=0")
    text = dict(rows(led))
    assert led.method == "eliashberg" and led.critical_temperature == led.by_method["eliashberg"]
    assert led.critical_temperature < led.strong_coupling_bound < led.by_method["bcs"]
    assert text["T_c"].startswith("0.23") and "(eliashberg)" in text["T_c"]
    assert text["  bcs"].endswith("K (the published formula)")
    assert "ABOVE the bound" in dict(rows(example))["T_c"] and "ABOVE" not in text["T_c"]


def test_table_and_figure(example: PairingResult) -> None:
    table = rows(example)
    text = dict(table)
    assert text["T_c"].startswith("10.056 K (the published formula") and text["phase"].startswith("inside")
    assert ("caution", "BCS is a weak-coupling formula; see eliashberg") in table
    drawn = figure(example)
    assert [ax.get_title() for ax in drawn.axes] == ["T_c against the plasmon velocity", "T_c against density, α² held",
                                                     "spectrum, Umklapp debye", "gap"]
    assert all(ax.get_xlabel() and ax.get_ylabel() and ax.lines for ax in drawn.axes)
    curve = drawn.axes[0].lines[0]
    squares = example.data["curve_alpha_squared"].values
    expected = bcs_temperature(1.6, 1.0, squares, 10) * example.summary["hartree_temperature"]
    shown = np.nan_to_num(np.asarray(curve.get_ydata(), dtype=float))
    assert shown == pytest.approx(expected, rel=1e-9)
    with pytest.raises(InputError, match="gap_over_critical"):
        gap(replace(example, data={}))
    with pytest.raises(InputError, match="only has numbers"):
        figure(replace(example, data={}))


def test_the_figure_without_curves_shows_the_rest() -> None:
    assert [ax.get_title() for ax in figure(run(POINT, *QUICK)).axes] == ["spectrum, Umklapp debye", "gap"]


def test_sensitivities_are_those_of_the_device() -> None:
    """d ln T_c/d ln x at fixed density and spacing in real units, by running neighbours."""
    base = ["density.electron=1.7e12 cm^-2", "bilayer.spacing=2 nm", "bilayer.electron_mass=0.1", *QUICK]
    middle = run(POINT, *base).summary
    changes = {"electron_mass": ("bilayer.electron_mass", "0.1", ""), "hole_mass": ("bilayer.hole_mass", "1.0", ""),
               "dielectric": ("bilayer.dielectric", "5.0", ""), "spacing": ("bilayer.spacing", "2", " nm"),
               "density": ("density.electron", "1.7e12", " cm^-2"),
               "alpha_squared": ("pairing.alpha_squared", "0.09", "")}
    for name, (key, value, unit) in changes.items():
        ends = [run(POINT, *base, f"{key}={float(value) * f}{unit}").summary["critical_temperature"]
                for f in (1.01, 1 / 1.01)]
        assert np.log(ends[0] / ends[1]) / (2 * np.log(1.01)) == pytest.approx(middle["sensitivities"][name], rel=5e-3)


@pytest.mark.parametrize(("method", "low", "high"), [("mcmillan", 0.9, 1.2), ("allen-dynes", 0.2, 0.26),
                                                     ("eliashberg", 0.2, 0.26)])
def test_methods(method: str, low: float, high: float) -> None:
    s = run(POINT, *QUICK, f"pairing.method={method}", "pairing.alpha_squared_uncertainty=0.01").summary
    assert low < s["critical_temperature"] < high and s["method"] == method
    assert s["band"]["low"] < s["critical_temperature"] < s["band"]["high"]
    assert s["critical_temperature"] == s["by_method"][method]


def test_pseudopotentials() -> None:
    found = {rule: run(POINT, *QUICK, f"pairing.mu_star={rule}").summary for rule in ("morel-anderson", "bare", "0.1")}
    assert found["bare"]["mu_star"] == found["bare"]["mu"] and found["0.1"]["mu_star"] == 0.1
    rates = [found[r]["by_method"]["eliashberg"] for r in ("0.1", "morel-anderson", "bare")]
    assert rates == sorted(rates, reverse=True)
    assert len({s["critical_temperature"] for s in found.values()}) == 1  # the published formula takes mu as it is


def test_the_line_and_its_readings() -> None:
    s = run(POINT, *QUICK, "pairing.alpha_source=paper-line").summary
    assert s["alpha_squared"] == pytest.approx(1.2 - 1.39 * 0.8) and s["alpha_source"] == "paper-line"
    assert [x["critical_temperature"] for x in s["spread"]] == pytest.approx([10.9, 1.5e-46, 10.06], rel=0.04)
    rescaled = run(POINT, *QUICK, "pairing.alpha_source=paper-line", "pairing.rs_star=31").summary
    assert rescaled["alpha_squared"] == pytest.approx(1.2 - 1.39 * 1.6 / 31)
    assert rescaled["in_el_hc"] is False  # the holes, r_s = 16, melt before 31
    beyond = run(POINT, *QUICK, "pairing.alpha_source=paper-line", "density.rs_electron=1.9")
    assert beyond.status is Status.converged and beyond.summary["critical_temperature"] is None
    assert "no acoustic mode" in dict(rows(beyond))["T_c"] and beyond.summary["mu"] > 0


def test_capacitor() -> None:
    s = run(POINT, *QUICK, "bilayer.capacitor=true").summary
    assert s["alpha_squared"] == pytest.approx(4.09) and s["critical_temperature"] == 0
    assert s["reason"] == "the repulsion wins"


def test_a_computed_alpha(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict] = []

    def fake(bilayer: Bilayer, **how: object) -> tuple[float, float]:
        asked.append({"mass_ratio": bilayer.mass_ratio, "spacing": bilayer.spacing,
                      "rs": bilayer.carrier("electron").rs} | how)
        return (0.09, 0.02) if how["source"] == "torus" else (-0.5, 0.01)

    monkeypatch.setattr(size_limit, "alpha_squared", fake)
    text = ("pairing.alpha_source=torus", "cell.zero_mode=madelung", "cell.holes=16", *QUICK)
    path = POINT.with_name("pairing.toml")
    torus = run(path, *text).summary
    assert torus["alpha_squared_uncertainty"] == 0.05  # as the study says
    assert asked[0]["holes"] == 16 and asked[0]["zero_mode"] == "madelung" and asked[0]["rs"] == pytest.approx(1.6)
    assert asked[0]["mass_ratio"] == pytest.approx(0.1) and asked[0]["spacing"] == pytest.approx(10)
    limit = run(path, "pairing.alpha_source=limit", "compressibility.sizes=[16, 36]", *QUICK)
    assert asked[1]["sizes"] == (16, 36) and limit.status is Status.converged
    assert limit.summary["alpha_squared"] == -0.5 and limit.summary["alpha"] is None
    assert limit.summary["critical_temperature"] is None and limit.summary["g0V"] is None


def test_alpha_from_a_torus_itself() -> None:
    s = run(POINT, "pairing.alpha_source=torus", "cell.zero_mode=none", "cell.holes=4", "density.rs_electron=0.8",
            *QUICK).summary
    assert 0 < s["alpha_squared"] < 2 and s["alpha_source"] == "torus"


def test_a_phase_that_was_computed(tmp_path: Path) -> None:
    for winner, inside in (("hole-crystal", True), ("condensate", False)):
        path = tmp_path / f"{winner}.nc"
        Record("phases", Status.converged, {"winner": winner}, {}).save(path)
        s = run(POINT, f'pairing.phase="{path}"', "pairing.rs_star=31", *QUICK).summary
        assert s["in_el_hc"] is inside and s["phase"] == winner and s["critical_temperature"] > 0
    elsewhere = {"resolved": {"species": {"hole": {"rs": 12.0}}, "bilayer": {"spacing": 10.0}}}
    Record("phases", Status.converged, {"winner": "hole-crystal"}, elsewhere).save(tmp_path / "elsewhere.nc")
    with pytest.raises(InputError, match="same place"):
        run(POINT, f'pairing.phase="{tmp_path}/elsewhere.nc"')
    with pytest.raises(InputError, match=r"pairing\.phase"):
        run(POINT, "pairing.phase=nowhere.nc")


def test_atomic_units_alone(tmp_path: Path) -> None:
    path = tmp_path / "atomic.toml"
    path.write_text('kind = "pairing"\n[bilayer]\nelectron_mass = 0.1\nhole_mass = 1.0\nspacing = 10\n[density]\n'
                    "rs_hole = 16\n[pairing]\nalpha_squared = 0.09\ncurve_points = 3\n", encoding="utf-8")
    result = run(path)
    assert result.summary["critical_temperature"] is None
    assert result.summary["by_method_over_hartree"]["bcs"] == pytest.approx(float(bcs_temperature(1.6, 1.0, 0.09, 10)))
    assert "T_H^e" in dict(rows(result))["T_c"]
    assert figure(result).axes[0].get_ylabel() == "T_c (T_H of the electrons)"


def test_four_flavours() -> None:
    s = run(POINT, *QUICK, "bilayer.electron_flavours=4").summary
    assert s["lambda"] == pytest.approx(float(attraction(1.6, 1.0, "debye", 4)) / 0.09)


def test_an_alpha_squared_that_did_not_converge_gives_no_temperature(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither at a point nor on a map; and a series says so whichever of its sizes failed."""
    whole = size_limit.modulus

    def failing(torus: Any, *args: Any, **how: Any) -> Any:
        state = whole(torus, *args, **how)
        return replace(state, status=Status.not_converged) if torus.sites == 36 else state

    monkeypatch.setattr(size_limit, "modulus", failing)
    layers = Bilayer.of(electron_mass=0.1, hole_mass=1.0, spacing=1.0, rs_electron=1.0)
    value, doubt = size_limit.alpha_squared(layers, sizes=(16, 36))
    assert np.isfinite(value) and doubt == np.inf
    for sets in (("pairing.alpha_source=limit",), ("pairing.alpha_source=torus", "cell.zero_mode=none",
                                                  "pairing.alpha_squared_uncertainty=0.1")):
        result = run(POINT, *QUICK, *sets, "density.rs_electron=1")
        assert result.status is Status.not_converged and result.summary["critical_temperature"] is None
        assert "did not converge" in dict(rows(result))["T_c"]
    on_map = run(MAP, "pairing.alpha_source=limit", "pairing.map_points=3")
    assert on_map.status is Status.not_converged and rows(on_map)


def test_a_map() -> None:
    result = run(MAP, "pairing.map_points=30")
    s = result.summary
    assert result.status is Status.converged and s["points"] == s["done"] == 900
    h = s["highest"]
    assert h["spacing_over_a_e"] == 0 and 1.4 < h["rs_electron"] < 1.65
    assert h["critical_temperature"] == pytest.approx(result.data["critical_temperature"].values.max())
    i, j = 20, 25
    rs, d = result.data["rs"].values[j], result.data["spacing"].values[i]
    point = run(POINT, *QUICK, "pairing.alpha_source=paper-line", f"density.rs_electron={rs}",
                f"bilayer.spacing={d} a_e")
    assert result.data["critical_temperature"].values[i, j] == pytest.approx(point.summary["critical_temperature"])
    assert result.data["g0V"].values[i, j] == pytest.approx(point.summary["g0V"])
    assert 0 < s["share_superconducting"] < 1 and "highest T_c" in dict(rows(result))
    drawn = figure(result)
    assert len(drawn.axes) == 4 and drawn.axes[0].get_title() == "T_c (K)"
    with pytest.raises(InputError, match="a map"):
        temperature_map(Record("pairing", Status.converged, {}, {}, {
            "critical_temperature": replace(result.data["rs"], dims=("rs",))}))
    fixed = run(MAP, "pairing.alpha=0.3", "pairing.map_points=10")
    assert (fixed.data["alpha_squared"].values == 0.09).all()


def test_an_eliashberg_map_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing_maps, "PIECE", 2)
    sets = ("pairing.map_points=3", "pairing.method=eliashberg", "pairing.map_rs=[1.3, 1.6]",
            'pairing.map_spacing=[0, "0.3 a_e"]')
    stop: list[int] = []

    def should_stop() -> Status | None:
        stop.append(1)
        return Status.interrupted if len(stop) > 3 else None

    first = run(MAP, *sets, should_stop=should_stop)
    assert first.status is Status.interrupted and 0 < first.summary["done"] < 9
    rest = run(MAP, *sets, initial=first, resumed=True)
    whole = run(MAP, *sets)
    assert rest.status is Status.converged
    assert rest.data["critical_temperature"].values == pytest.approx(whole.data["critical_temperature"].values,
                                                                     rel=1e-12)
    assert "interrupted" in dict(rows(first))["status"]
    at_once = run(MAP, *sets, "pairing.alpha_source=limit", should_stop=lambda: Status.timeout)
    assert at_once.status is Status.timeout and not at_once.data and dict(rows(at_once))["status"]


@pytest.mark.parametrize(("override", "argument"), [
    ("pairing.alpha_squared=0", r"pairing\.alpha_squared"), ("pairing.alpha_squared=-0.1", r"pairing\.alpha_squared"),
    ("pairing.alpha=-1", r"pairing\.alpha"), ("bilayer.hole_mass=0.05", r"bilayer\.hole_mass"),
    ("density.rs_electron=0", r"density\.rs_electron"), ("density.rs_electron=-2", r"density\.rs_electron"),
    ("bilayer.spacing=-1", r"bilayer\.spacing"), ("density.electrons_per_hole=2", r"density\.electrons_per_hole"),
    ("bilayer.electron_flavours=1", r"bilayer\.electron_flavours"), ("pairing.mu_star=-0.1", r"pairing\.mu_star"),
    ("pairing.alpha_source=torus", r"cell\.zero_mode"), ("pairing.map_rs=[1, 2]", r"pairing\.map_spacing"),
    ("pairing.method=rpa", r"pairing\.method"), ("density.hole=0", r"density\.hole")])
def test_bad_input_is_named(override: str, argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        kind.prepare(load_study(POINT, [override]))


@pytest.mark.parametrize(("gone", "argument"), [
    ("alpha = 0.3", r"pairing\.alpha_source"), ('spacing = "1 a_e"', r"bilayer\.spacing"),
    ("rs_electron = 1.6", "density"), ('material = "mass-ratio-10"', r"bilayer")])
def test_what_is_missing_is_named(gone: str, argument: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(POINT.read_text(encoding="utf-8").replace(gone, ""), encoding="utf-8")
    with pytest.raises(InputError, match=argument):
        kind.prepare(load_study(path))


def test_other_densities_and_ignored_keys() -> None:
    at = [kind.prepare(load_study(POINT, [x, *QUICK])).resolved["rs_electron"]
          for x in ("density.rs_hole=16", "density.electron=1.7e12 cm^-2", "density.hole=1.7e12 cm^-2")]
    assert at[0] == pytest.approx(1.6) and at[1] == pytest.approx(at[2])
    critical = load_study(POINT, ["density.hole_over_critical=0.5", "density.critical_rs=2"])
    assert kind.prepare(critical).resolved["rs_hole"] == pytest.approx(2 * np.sqrt(2))
    with pytest.raises(InputError, match="critical_rs"):
        kind.prepare(load_study(POINT, ["density.hole_over_critical=0.5", "density.critical_rs=computed"]))
    ignored = load_study(MAP, ["density.rs_electron=1.6", "cell.holes=36"]).ignored()
    assert ignored == ["density.rs_electron", "cell.holes"]
