"""Studies of kind "device": one page from phases and pairing; alpha^2 is a straight line where it is not asked for."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from ehbilayer import cli, load_study
from ehbilayer.compressibility import size_limit
from ehbilayer.device import page
from ehbilayer.device.result import DeviceResult
from ehbilayer.device.superconductivity import verdict
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.monte_carlo import competition
from ehbilayer.pairing import density as pairing_density
from ehbilayer.pairing import mediated
from ehbilayer.pairing.density import against_density, window
from ehbilayer.pairing.liquid import Choices
from ehbilayer.pairing.plasmon_velocity import Source
from ehbilayer.pairing.result import CouplingLevel, MediatedPairingResult
from ehbilayer.phases.result import CandidateRow
from ehbilayer.results.base import Result
from ehbilayer.run import runner
from ehbilayer.status import Status
from ehbilayer.studies.device import prepare as kind
from ehbilayer.studies.device.question import study_of
from ehbilayer.studies.device.table import verdict_text
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import rows
from ehbilayer.units import Scales
from paper_units import bcs_temperature

EXAMPLE = Path(__file__).parents[1] / "examples" / "device.toml"
SMALL = ("cell.holes=4", "cell.hexagon=3", 'phases.candidates=["liquid", "hole-crystal"]')
BCS = "pairing.method=bcs"  # cheaper where the point itself is not looked at
BASE = {"kind": "device", "bilayer": {"material": "mass-ratio-10", "spacing": "1 a_e"},
        "density": {"rs_electron": 1.0, "electrons_per_hole": 1}, "cell": {"holes": 4, "hexagon": 3},
        "phases": {"candidates": ["liquid", "hole-crystal"]}}


def line(bilayer: Bilayer, **_: Any) -> tuple[float, float]:
    """A straight alpha^2 in place of Hartree-Fock's."""
    return 1.22 - 1.10 * bilayer.carrier("electron").rs, 1e-3


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size_limit, "alpha_squared", line)
    monkeypatch.setattr(pairing_density, "POINTS", 31)
    monkeypatch.setattr(pairing_density, "HALVINGS", 2)
    monkeypatch.setattr(page, "SOURCES", ("limit", "paper-line"))
    monkeypatch.setattr(page.estimates, "LEVELS", page.estimates.LEVELS[:1])
    monkeypatch.setattr(mediated, "LIQUIDS", ("rpa",))


def run(*sets: str, how: Hooks | None = None) -> Result:
    return kind.prepare(load_study(EXAMPLE, [*SMALL, *sets])).solve(how or Hooks())


def part(result: Result, source: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = result.summary["density_window"][source][method]
    return found


@pytest.mark.usefixtures("fast")
def test_the_page(tmp_path: Path) -> None:
    result = runner.run(load_study(EXAMPLE, [*SMALL, "density.rs_electron=1.08"]), tmp_path / "out")
    s = result.summary
    assert result.status is Status.converged and s["alpha_source"] == "limit" and s["method"] == "eliashberg"
    assert {"phase", "margin", "margin_meV", "gap", "gap_kelvin", "alpha_squared", "alpha_squared_uncertainty",
            "critical_temperature", "critical_temperature_band", "density_window", "caveats", "superconducts"} <= set(s)
    assert s["alpha_squared"] == pytest.approx(0.032) and s["alpha_squared_uncertainty"] == 1e-3
    band = s["critical_temperature_band"]
    assert band["low"] < s["critical_temperature"] < band["high"] and not band["reaches_instability"]
    assert s["critical_temperature"] == s["by_source"]["limit"]["by_method"]["eliashberg"]
    assert s["superconducts"] is True
    assert s["no_pairing"] is None and list(s["by_source"]) == ["limit", "paper-line"]
    assert (tmp_path / "out" / "figure.png").stat().st_size > 10_000
    table = rows(Result.load(tmp_path / "out" / "result.nc"))
    text = dict(table)
    told = result.superconductivity
    assert told.trusted == ("crystal-exchange" if s["in_el_hc"] else None) and told.high >= s["critical_temperature"]
    assert text["superconducts"].startswith(told.verdict) and set(told.levels) == {
        "plasmon pole, limit", "plasmon pole, paper-line", "rpa", "crystal", "crystal-exchange"}
    assert result.mediated.levels[0].theory == "rpa"
    assert {"phase", "  charge gap, holes", "alpha^2, limit", "T_c of electrons, limit", "band, limit",
            "window, limit"} <= set(text)
    # up to which temperature, each with its assumption: here the bound of T_BKT and the triangular crystal of pairs
    assert float(text["  superfluid, at most"].split(" K")[0]) == pytest.approx(
        np.pi / 2 * result.thermal.provenance.scales.hartree_kelvin * result.hole_density / 1.1, rel=1e-3)
    assert "half ionised" in text["  excitons, ideal"] and "  triangular crystal, KTHNY" in text
    assert result.thermal.ionisation_screened < result.thermal.ionisation
    assert [t for label, t in table if label in ("caveat", "UNSTABLE")] == s["caveats"]


def test_one_verdict_by_the_theory_that_is_trusted() -> None:
    """Of the phase there; every level stands beside it, and what has no mediator counts as not known."""
    def level(theory: str, kelvin: float | None, stable: bool = True) -> CouplingLevel:
        return CouplingLevel(theory, 0.1, 0.2, stable, 0.1, 1.0, kelvin, kelvin, {"1": 0.004} if stable else None)

    one = MediatedPairingResult(
        status=Status.converged, coupling="rpa", superconducting=False, critical_temperature=0.0, tc_over_hartree=0.0,
        rs_electron=1.0, rs_hole=10.0, spacing_over_a_e=1.0, hole_over_electron_mass=10.0,
        levels=(level("rpa", 0.0), level("kukkonen-overhauser", 2.0), level("crystal-exchange", 0.0)))
    crystal = verdict(one, {}, "hole-crystal", True, 1e-3, 1000.0)
    assert (crystal.verdict, crystal.trusted, crystal.low, crystal.high) == ("no", "crystal-exchange", 0.0, 4.0)
    liquid = verdict(one, {}, "liquid", False, 1e-3, 1000.0)
    assert (liquid.verdict, liquid.trusted, liquid.critical_temperature) == ("yes", "kukkonen-overhauser", 2.0)
    assert verdict_text(liquid) == "yes, 2 K, by kukkonen-overhauser; all levels of theory: 0 K to 4 K"
    assert verdict(one, {}, "condensate", False, 1e-3, 1000.0).verdict.startswith("unknown: no theory")
    gone = replace(one, levels=(level("kukkonen-overhauser", None, False),))
    found = verdict(gone, {}, "liquid", False, 1e-3, 1000.0)
    assert found.verdict.startswith("unknown: what would mediate") and found.low is None


@pytest.mark.usefixtures("fast")
def test_a_temperature_too_small_to_mean_anything_is_no_superconductivity() -> None:
    """Here T_c is half a millikelvin: not zero, but no prediction either."""
    result = run("density.rs_electron=0.99")
    s = result.summary
    assert 0 < s["critical_temperature"] < page.COLDEST and s["superconducts"] is False
    assert "< 1 mK" in dict(rows(result))["T_c of electrons, limit"]


@pytest.mark.usefixtures("fast")
def test_ends_of_the_density_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thin end is where the straight alpha^2 crosses zero; at the dense one the formula itself gives 1 mK."""
    monkeypatch.setattr(pairing_density, "HALVINGS", 10)
    result = run(BCS)
    scales = Scales(0.1, 1.0, 5.0)
    per_rs = {m: part(result, "limit", m) for m in ("bcs", "eliashberg")}
    thin = 1 / (math.pi * (1.22 / 1.10 * scales.electron_bohr_radius_nm * 1e-7) ** 2)
    for found in per_rs.values():
        assert found["low"] == pytest.approx(thin, rel=1e-3) and found["ends"] == ["alpha^2 = 0", "too cold"]
    rs = 1e7 / (scales.electron_bohr_radius_nm * math.sqrt(math.pi * per_rs["bcs"]["high"]))
    kelvin = float(bcs_temperature(rs, 1.0, 1.22 - 1.10 * rs, 10.0)) * scales.electron_hartree_kelvin
    assert kelvin == pytest.approx(1e-3, rel=0.1)
    assert per_rs["eliashberg"]["high"] > per_rs["bcs"]["high"]
    # Eliashberg's T_c is highest where alpha goes to 0, the formula's is not
    assert 5 < per_rs["eliashberg"]["highest"] < 7 and 50 < per_rs["bcs"]["highest"] < 80


@pytest.mark.usefixtures("fast")
def test_the_window_stays_within_the_phase() -> None:
    """Holes twice as heavy crystallise below r_s = 1 of the electrons only, by the rule r_s* = 2."""
    result = run(BCS, "bilayer.electron_mass=0.5", "bilayer.spacing=0", "density.rs_electron=1.05")
    rs = result.data["window_rs_limit"].values
    assert result.status is Status.converged and rs[:, 0] == pytest.approx(1.0)
    assert {w["ends"][1] for w in result.summary["density_window"]["limit"].values()} == {"edge of the phase"}
    equal = run(BCS, "bilayer.electron_mass=1.0", "bilayer.spacing=0", "density.rs_electron=1.05")
    assert equal.summary["density_window"]["limit"] == {"bcs": None, "eliashberg": None}
    assert "none" in dict(rows(equal))["window, limit"]


def test_a_curve_through_the_smallest_alpha_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    """At alpha^2 = 1e-9 lambda is beyond what Eliashberg's equations take; T_c there is that of the limit."""
    bilayer = Bilayer.of("mass-ratio-10", spacing="1 a_e", rs_electron=1.0)
    settled = []
    for square in (1e-9, 3e-6):
        monkeypatch.setattr(size_limit, "alpha_squared", lambda b, s=square, **_: (s, 1e-12))
        found = pairing_density.against_density(bilayer, Source("limit"), Choices(), 1e-7, Hooks())
        assert isinstance(found, dict)
        settled.append(float(found["curve_tc"].values[1, int(np.argmin(abs(found["curve_rs"].values - 1.0)))]))
    assert settled[0] > 0 and settled[0] == pytest.approx(settled[1], rel=1e-3)


def test_windows_by_hand() -> None:
    rs = np.linspace(0, 4, 41)

    def bump(r: Any) -> np.ndarray:
        return np.maximum(1 - (np.asarray(r) - 2) ** 2, 0.0)

    assert window(rs, bump(rs), bump, 0.75, (0, 9)) == pytest.approx((1.5, 2.5, 1.0), abs=2e-4)
    assert window(rs, bump(rs), bump, 0.75, (0, 2.2)) == pytest.approx((1.5, 2.2, 1.0), abs=2e-4)
    assert np.isnan(window(rs, bump(rs), bump, 0.75, (3, 9))).all()
    assert window(rs, 1 + rs, lambda r: 1 + np.asarray(r), 0.5, (-1, 9)) == (0.0, 4.0, 5.0)


def test_what_did_not_converge_is_left_out_of_the_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size_limit, "alpha_squared",
                        lambda b, **_: (1.0, math.inf if b.carrier("electron").rs > 1 else 0.0))
    place = (Bilayer.of(electron_mass=0.1, hole_mass=1.0, rs_electron=1.0), Source("limit"), Choices(), 1e-7)
    found = against_density(*place, Hooks())
    assert isinstance(found, dict) and found["curve_rs"].values[-1] <= 0.9 + 1e-9
    assert against_density(*place, Hooks(should_stop=lambda: Status.timeout)) is Status.timeout
    monkeypatch.setattr(size_limit, "alpha_squared", lambda *a, **_: (1.0, math.inf))
    assert against_density(*place, Hooks()) == {}
    result = run()
    assert result.status is Status.not_converged and result.summary["critical_temperature"] is None
    assert any("did not converge" in text for text in result.summary["caveats"]) and rows(result)


@pytest.mark.usefixtures("fast")
@pytest.mark.published
def test_caveats_that_apply() -> None:
    dense, thin = (" | ".join(run(f"density.rs_electron={rs}", BCS).summary["caveats"]) for rs in (1.08, 1.6))
    for text in (dense, thin):
        assert "mean field" in text and "with 4 holes" in text and "quantum Monte Carlo they alone" in text
    assert "strong coupling" in dense and "not slow" in dense and "sign" not in dense
    assert "disagree on its sign" in thin and "limit: alpha^2 <= 0" in thin
    rare = run("density.rs_electron=4", BCS).summary
    assert "they alone" not in " ".join(rare["caveats"]) and rare["superconducts"] is False


@pytest.mark.usefixtures("fast")
def test_a_given_alpha_is_the_answer_and_the_others_stand_beside_it() -> None:
    result = run("pairing.alpha=0.3", "density.rs_electron=1.6", "pairing.method=bcs")
    s = result.summary
    assert s["alpha_source"] == "given" and s["alpha_squared"] == pytest.approx(0.09)
    assert s["critical_temperature"] == pytest.approx(10, abs=0.1)  # the printed point
    assert list(s["by_source"])[1:] == list(page.SOURCES) and part(result, "given", "bcs") is not None


@pytest.mark.parametrize(("sets", "why"), [
    (("density.electrons_per_hole=2",), "as many electrons"), (("bilayer.electron_flavours=1",), "partner"),
    (("bilayer.electron_mass=2.0", "bilayer.hole_flavours=1"), "holes of one flavour")])
def test_where_nothing_pairs_the_page_says_why(sets: tuple[str, ...], why: str) -> None:
    result = run(*sets)
    s = result.summary
    assert result.status is Status.converged and why in s["no_pairing"] and why in dict(rows(result))["T_c"]
    assert s["critical_temperature"] is None and s["by_source"] == {} and s["superconducts"] is None
    assert s["phase"] is not None and s["caveats"]
    words = " ".join(text for row in rows(result) for text in row)  # of what the page has, in no program's language
    assert not set("{}[]") & set(words) and "temperature scale" not in words
    for name, found in ((m.name, m) for m in result.measured if m.name.startswith(("Mott", "exciton ionisation"))):
        assert found.value > 0 and found.error > 0, name


@pytest.mark.usefixtures("fast")
def test_either_sign_pairs() -> None:
    """Light holes on heavy electrons are the same device with all charges reversed: same T_c, same windows."""
    light = ("pairing.alpha=0.3", BCS)
    one = run(*light, "density.rs_electron=1.6").summary
    bilayer = Bilayer.of("mass-ratio-10", spacing="1 a_e", rs_electron=1.6)
    turned = bilayer.exchanged()
    assert turned.exchanged().mass_ratio == pytest.approx(bilayer.mass_ratio)
    assert turned.scales.density_per_cm2(turned.carrier("electron").density) == pytest.approx(
        bilayer.scales.density_per_cm2(bilayer.carrier("hole").density))
    other = _turned(turned, light)
    assert (one["pairs"], other["pairs"]) == ("electron", "hole")
    assert other["critical_temperature"] == pytest.approx(one["critical_temperature"], rel=1e-9)
    for source in ("given", "paper-line"):
        for method, found in one["density_window"][source].items():
            same = other["density_window"][source][method]
            assert (found is None) == (same is None)
            if found is not None:
                assert same["low"] == pytest.approx(found["low"], rel=1e-9)


def _turned(bilayer: Bilayer, sets: tuple[str, ...]) -> dict[str, Any]:
    table = BASE | {"bilayer": {"electron_mass": bilayer.scales.electron_mass, "hole_mass": bilayer.scales.hole_mass,
                                "dielectric": bilayer.scales.dielectric, "spacing": bilayer.spacing},
                    "density": {"hole": bilayer.carrier("hole").density, "electrons_per_hole": 1},
                    "phases": {"candidates": ["liquid", "electron-crystal"]}}
    return kind.prepare(make_study(table, list(sets))).solve(Hooks()).summary


def test_a_device_brings_its_flavours() -> None:
    table = BASE | {"bilayer": {"material": "WSe2/bilayer-graphene", "spacing": "3 nm"}}
    four, two = (kind.prepare(make_study(table, sets)) for sets in ([], ["bilayer.electron_flavours=2"]))
    assert four.study.bilayer.electron_flavours == 4 and two.study.bilayer.electron_flavours == 2
    assert [t.resolved["pairing"]["limit"]["alpha"]["flavours"] for t in (four, two)] == [4, 2]
    assert four.inputs["bilayer"]["electron_flavours"] == 4 and four.hash != two.hash


def test_the_page_says_how_spins_and_valleys_are_filled(tmp_path: Path) -> None:
    asked = ["device", "--material", "WSe2/MoSe2", "--spacing", "3 nm", "--density", "1e12 cm^-2",
             "--electrons-per-hole", "2", "--electron-flavours", "1", "--hole-flavours", "1"]
    seen: list[dict[str, Any]] = []

    def keep(study: Any, *_: Any, **__: Any) -> Result:
        seen.append(study.written()["bilayer"])
        small = study.written() | {"cell": {"holes": 4, "hexagon": 4}, "phases": {"candidates": ["liquid"]}}
        return runner.run(make_study(small), tmp_path / "out")

    with pytest.MonkeyPatch.context() as patch:
        whole = runner.run
        patch.setattr(runner, "run", lambda *a, **k: keep(*a, **k) if not seen else whole(*a, **k))
        outcome = CliRunner().invoke(cli.app, asked)
    assert outcome.exit_code == 0, outcome.output
    assert (seen[0]["electron_flavours"], seen[0]["hole_flavours"]) == (1, 1)
    result = Result.load(tmp_path / "out" / "result.nc")
    assert result.summary["spin_arrangement"] == "electrons polarized, holes polarized"
    assert dict(rows(result))["spins"] == result.summary["spin_arrangement"]


def test_idle_keys_are_named() -> None:
    ignored = load_study(EXAMPLE, ["pairing.map_points=5", "compressibility.method=energy", "pairing.alpha=0.3",
                                   "pairing.alpha_squared_uncertainty=0.01"]).ignored()
    assert set(ignored) == {"pairing.map_points", "compressibility.method"}


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("after", [3, pytest.param(12, marks=pytest.mark.published)])
def test_a_stopped_page_goes_on(after: int, tmp_path: Path) -> None:
    """What was finished is not asked again, and the resumed page is the whole one."""
    asked: list[str] = []

    def stopping(told: list[str]) -> Callable[[], Status | None]:
        return lambda: Status.interrupted if len(told) >= after else None

    kept: list[Result] = []
    first = run(BCS, how=Hooks(progress=asked.append, should_stop=stopping(asked), checkpoint=kept.append))
    assert first.status is Status.interrupted and rows(first)
    first.save(tmp_path / "r.nc")
    again: list[str] = []
    rest = run(BCS, how=Hooks(initial=Result.load(tmp_path / "r.nc"), resumed=True, progress=again.append))
    whole = run(BCS)
    assert rest.status is Status.converged and bool(kept) == ("phases" in first.summary["parts"])
    assert ("phases" in first.summary["parts"]) != any(text.startswith("phases") for text in again)
    for key in ("phase", "critical_temperature", "density_window", "caveats", "alpha_squared"):
        assert rest.summary[key] == pytest.approx(whole.summary[key]) if isinstance(whole.summary[key], float) \
            else rest.summary[key] == whole.summary[key], key
    assert set(rest.data) == set(whole.data)


@pytest.mark.parametrize(("gone", "argument"), [
    ("material", r"bilayer\.electron_mass"), ("spacing", r"bilayer\.spacing"), ("rs_electron", "density"),
    ("electrons_per_hole", r"density\.electrons_per_hole")])
def test_what_is_missing_is_named(gone: str, argument: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("\n".join(x for x in EXAMPLE.read_text(encoding="utf-8").splitlines() if not x.startswith(gone)),
                    encoding="utf-8")
    with pytest.raises(InputError, match=argument):
        kind.prepare(load_study(path))


@pytest.mark.parametrize("override", ["bilayer.spacing=-1", "density.rs_electron=0", "density.electrons_per_hole=0.3",
                                      "pairing.alpha_squared=0", "bilayer.dielectric=-2"])
def test_bad_input_is_named(override: str) -> None:
    with pytest.raises(InputError, match=override.split("=")[0].split(".")[1]):
        kind.prepare(load_study(EXAMPLE, [override]))


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit codes 0, 2 and 3; JSON alone on stdout."""
    seen: list[dict[str, Any]] = []

    def answer(study: Any, directory: Path, **how: Any) -> Result:
        seen.append(study.canonical() | how)
        task = kind.prepare(study)
        page = task.solve(Hooks(should_stop=lambda: Status.timeout))
        return replace(page, status=Status.converged if len(seen) == 1 else Status.not_converged)

    monkeypatch.setattr(runner, "run", answer)
    monkeypatch.chdir(tmp_path)
    given = ["device", "--material", "WSe2/bilayer-graphene", "--spacing", "3 nm", "--density", "1e12 cm^-2"]
    assert cli.execute([*given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["phase"] is None
    assert seen[0]["bilayer"]["electron_flavours"] == 4 and seen[0]["density"]["hole"] == "1e12 cm^-2"
    assert cli.execute([*given, "--electron-flavours", "2", "--resume", "--quiet"]) == 3
    assert seen[1]["bilayer"]["electron_flavours"] == 2 and seen[1]["resume"] is True
    assert capsys.readouterr().out == ""
    assert cli.execute(["device", "--spacing", "3 nm", "--density", "1e12 cm^-2"]) == 2
    assert "bilayer.electron_mass" in capsys.readouterr().err


@pytest.mark.usefixtures("fast")
def test_correlation_has_the_last_word_where_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--correlated`: the verdict of the competition by Monte Carlo stands, and says so wherever it is told."""
    def fake(field: Any, effort: Any, hooks: Hooks, others: Any = ()) -> Result:
        rounds = competition._Rounds(field, effort, hooks)
        assert effort.target_error * Scales(0.1, 1.0, 5.0).hartree_meV == pytest.approx(0.5)
        energies = {"liquid": -1.0, "condensate": -1.01, "crystal": -0.9}
        rounds.rows = {k: CandidateRow(c.name, Status.converged, energies.get(c.name, -0.8), c.name, error=1e-3,
                                       spin_arrangement=c.arrangement, box=c.torus.sites)
                       for k, c in enumerate(field.contenders)}
        return rounds.result(None)

    monkeypatch.setattr(competition, "compete", fake)
    asked = study_of({"material": "mass-ratio-10", "spacing": "1 a_e"}, "1e12 cm^-2", "1", {}, SMALL, correlated=True)
    found = kind.prepare(asked).solve(Hooks())
    assert isinstance(found, DeviceResult)
    assert (found.phase, found.theory, found.resolved) == ("condensate", "Monte Carlo", True)
    assert found.margin == pytest.approx(0.01) and found.energies is not None and found.energies["liquid"] == -1.0
    assert found.competition.method == "hartree-fock" and found.verdict.method == "monte-carlo"
    assert "(Monte Carlo)" in dict(rows(found))["phase"]
    short = replace(found, numerical_error=None, resolved=False)  # time was up before there was an error
    assert dict(rows(short))["phase"].startswith("NOT RESOLVED: condensate")
    assert dict(rows(short))["phase"].endswith("error not known (Monte Carlo)")
    assert any("Monte Carlo: the phase and its margin" in c for c in found.caveats)
    assert any("compete with 13 holes" in c for c in found.caveats)
    assert any("by Monte Carlo" in line and "hours" in line for line in kind.prepare(asked).lines)
    plain = kind.prepare(make_study(BASE)).solve(Hooks())
    assert isinstance(plain, DeviceResult) and plain.theory == "mean field"
    assert "(mean field)" in dict(rows(plain))["phase"]
    assert not any("Monte Carlo: the phase" in c for c in plain.caveats)
