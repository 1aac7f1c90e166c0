"""Figures of the papers: what they declare, the numbers they give in quick mode, what is kept and used again."""

import dataclasses
import io
import math
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ehbilayer import cli
from ehbilayer.errors import InputError
from ehbilayer.papers import ALL, MODULES, OWN, chosen, reproduction
from ehbilayer.papers.dai_fu import figure_2 as phonons_figure
from ehbilayer.papers.dai_fu import figure_4 as plane_figure
from ehbilayer.papers.dai_fu.classical_studies import crossing, energy_of
from ehbilayer.papers.dai_fu.plane import DECOUPLED, SUPERSOLID, TRIONS, UNDETERMINED, Plane, Segment
from ehbilayer.papers.dai_fu.unbinding import BEYOND, unbinding_row
from ehbilayer.papers.making import Workshop, make_all
from ehbilayer.papers.record import AGREES, DIFFERS, HEAD, MISSING, Row, judged, table
from ehbilayer.results.base import Record, Result
from ehbilayer.run import runner
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.studies.task import prepare
from reproduced import Reproduced

DAI_FU = ("dai-fu:1", "dai-fu:2", "dai-fu:4")


# -- pieces --


def test_a_crossing_is_found_to_the_accuracy_of_the_polynomial() -> None:
    x = np.array([0.9, 1.2, 1.4, 1.5, 1.6, 1.7, 1.8, 3.0])
    assert crossing(x, np.cos(x)) == pytest.approx(math.pi / 2, abs=1e-9)
    assert crossing(x, np.cos(x) + 2) is None


@pytest.mark.parametrize(("value", "verdict"), [(1.04, AGREES), (1.06, DIFFERS), (None, MISSING)])
def test_a_verdict_follows_from_the_number(value: float | None, verdict: str) -> None:
    assert judged("x", "1.0", value, (0.95, 1.05)).verdict == verdict


def few_body(**fields: object) -> Any:
    return SimpleNamespace(kind="few-body", status=Status.converged, **fields)


def test_a_trion_bound_beyond_the_published_spacing_decides_against_it() -> None:
    found = {"trion-unbinding": few_body(critical_spacing=15.5, critical_spacing_uncertainty=0.4)}
    assert unbinding_row(found).verdict == AGREES
    bound = {"binding_energy": 1e-7, "uncertainty": 1e-9}
    assert unbinding_row(found | {BEYOND: few_body(bound=None, **bound)}).verdict == AGREES
    row = unbinding_row(found | {BEYOND: few_body(bound=True, **bound)})
    assert row.verdict == DIFFERS and "1e-07" in row.converged
    assert unbinding_row({}).verdict == MISSING


def test_columns_of_a_table_are_aligned() -> None:
    lines = table([Row("short", "1", "2", AGREES), Row("a longer one", "12345", "", MISSING)])
    assert len({line.index(word) for line, word in zip(lines, ("verdict", AGREES, MISSING), strict=True)}) == 1


def test_a_table_breaks_its_widest_cells() -> None:
    row = Row("a quantity of many words", "12345", "a result that is told at some length", AGREES)
    lines = table([row, Row("short", "1", "2", AGREES)], within=60)
    assert max(map(len, lines)) <= 60 and len(lines) > 3
    start, end = (lines[0].index(word) for word in ("ours", "ours converged"))
    assert " ".join(line[start:end].strip() for line in lines[1:]).split() == [*row.ours.split(), "2"]


def hand_made() -> Plane:
    """A plane of round numbers: electrons melt at a = 60, dipoles at d = sqrt(a)."""
    ray = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    ranges = {"tilted-diagonal": (1.0, 1.3), "checkerboard": (1.3, 5.0), "rhombic": (5.0, 5.5),
              "honeycomb": (5.5, math.inf)}
    return Plane([Segment("all", ray, ray**2, np.full(6, 60.0))], ranges, 1.0, 65.0, 15.0, 13.0, 0.25)


@pytest.mark.parametrize(("a", "d", "phase"), [
    (300.0, 4.0, TRIONS), (1000.0, 25.0, SUPERSOLID), (1000.0, 40.0, "honeycomb"), (1000.0, 190.0, "rhombic"),
    (1000.0, 400.0, "checkerboard"), (1000.0, 900.0, "tilted-diagonal"), (200.0, 600.0, DECOUPLED),
    (80.0, 600.0, UNDETERMINED), (5.0, 3.0, UNDETERMINED), (50.0, 20.0, UNDETERMINED), (4000.0, 62.0, SUPERSOLID),
    (4000.0, 64.0, "honeycomb")])
def test_phases_lie_between_their_lines(a: float, d: float, phase: str) -> None:
    assert hand_made().phases(np.array([a]), np.array([d])) == [phase]


def test_melting_goes_on_by_its_law_beyond_the_last_ray() -> None:
    plane, far = hand_made(), np.array([320.0])
    assert plane.melting("dipole", far) == pytest.approx(320.0**2)
    assert plane.melting("free_electron", far) == pytest.approx(60.0)


# -- what the figures declare --


def test_figures_are_found_by_their_ids() -> None:
    assert [f.name for f in chosen(ALL)] == list(MODULES)
    assert set(DAI_FU) <= set(MODULES)
    with pytest.raises(InputError, match="did you mean"):
        reproduction("dai-fu:11")


@pytest.mark.parametrize("quick", [True, False])
def test_studies_of_one_name_are_the_same_in_all_figures(quick: bool) -> None:
    found: dict[str, dict] = {}
    for name, tables in chain.from_iterable(f.studies(quick).items() for f in chosen(ALL)):
        assert found.setdefault(name, tables) == tables


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("name", DAI_FU)
def test_studies_can_be_computed(name: str, quick: bool) -> None:
    for key, tables in reproduction(name).studies(quick).items():
        study = make_study(tables, name=key)
        if study.sweep is None:
            assert prepare(study).plan


# -- quick mode --


def test_the_quick_set_is_complete_and_converged(reproduced: Reproduced) -> None:
    assert reproduced.table["failed"] == {}
    assert reproduced.code == 0
    assert reproduced.table["quick"] is True
    assert list(dict.fromkeys(row["id"] for row in reproduced.table["rows"])) == list(MODULES)
    counts = reproduced.table["verdicts"]
    assert sum(counts.values()) == len(reproduced.table["rows"]) and counts[AGREES] > counts[DIFFERS]


def test_the_table_over_all_figures_is_written_in_words_too(reproduced: Reproduced) -> None:
    lines = (reproduced.place / "table-quick.txt").read_text(encoding="utf-8").splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("id "))
    assert [w for w in HEAD if w in lines[head]] == list(HEAD)
    assert max(map(len, lines)) <= 120
    # every row begins with its id and goes on in the lines beneath, in its columns
    columns = [lines[head].index(name) for name in ("quantity", *HEAD[1:])]
    rows = [i for i, line in enumerate(lines[head + 1:], head + 1) if line and not line.startswith(" ")]
    for i, after, row in zip(rows, rows[1:], reproduced.table["rows"], strict=False):
        told = [" ".join(line[a:b].strip() for line in lines[i:after]).split()
                for a, b in zip([0, *columns], [*columns, None], strict=True)]
        assert "".join(told[0]) == row["id"] and "".join(told[1]) == "".join(row["quantity"].split())
        assert "".join(told[-1]) == "".join(row["verdict"].split())
    assert any(line.startswith(f"{len(reproduced.table['rows'])} rows: ") for line in lines)


def test_every_difference_is_explained(reproduced: Reproduced) -> None:
    page = (Path(__file__).parents[1] / "docs" / "reproduce.md").read_text(encoding="utf-8")
    listed = page.split("### What differs")[1].split("\n## ")[0]
    differ = {row["id"] for row in reproduced.table["rows"] if row["verdict"].startswith(DIFFERS)}
    assert differ and {name for name in differ if f"`{name}`" not in listed} == set()


@pytest.mark.parametrize("name", MODULES)
def test_a_figure_leaves_picture_and_caption(reproduced: Reproduced, name: str) -> None:
    figure, text = reproduction(name), reproduced.text(name)
    picture = reproduced.place / f"{figure.stem}-quick"
    assert picture.with_suffix(".png").exists() == picture.with_suffix(".pdf").exists() == (figure.draw is not None)
    if figure.draw is not None:
        assert picture.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        assert picture.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert figure.source in text and "\nwall time " in text and "(quick: coarse)" in text
    assert all(line in text for line in table(reproduced.rows(name)))
    plain = " ".join(text.split())
    for study, tables in figure.studies(True).items():
        assert f"study {study}: " in plain and f"kind {tables['kind']}" in plain
        for key, value in tables.get("cell", {}).items():  # particles, waves and convention, whatever the prose says
            assert isinstance(value, list) or f"{key} {value}" in plain


def test_the_published_crossing_and_the_true_transitions(reproduced: Reproduced) -> None:
    assert float(reproduced.row("dai-fu:1", "crossing").ours) == pytest.approx(5.4224, abs=5e-5)
    # a determination of the crossing that shares no point with it: straight lines on the other study's coarser grid
    found = reproduced.result("rhombic-energies")
    x, square = energy_of(found, "checkerboard")
    difference = square - energy_of(found, "honeycomb")[1]
    assert np.interp(0.0, difference, x) == pytest.approx(5.4224, abs=5e-3)
    _, rhombic = energy_of(found, "rhombic")
    assert np.all(rhombic <= square + 1e-10)
    assert reproduced.row("dai-fu:1", "rhombic to honeycomb").ours == "5.464363, first order"
    verdicts = {row.quantity: row.verdict for row in reproduced.rows("dai-fu:1")}
    assert [v for q, v in verdicts.items() if "honeycomb" in q] == [AGREES, DIFFERS]


def test_the_soft_branch_is_a_dipole_in_the_field_of_electrons(reproduced: Reproduced) -> None:
    """U = (d^2/2) sum 1/R^3 is the energy of a rigid dipole of mass 2 between electrons that move against it."""
    result = reproduced.result("phonons-honeycomb")
    x, omega = result.data["scan_a_over_d"].values, result.data["scan_gamma"].values[:, 2]
    side = math.sqrt(2 * math.pi / math.sqrt(3))  # of the triangular lattice, in a
    i, j = np.meshgrid(*[np.arange(-200, 201)] * 2)
    distance = side * np.hypot(i + j / 2 + 0.5, math.sqrt(0.75) * (j + 1 / 3))
    stiffness = 9 / 4 * np.sum(distance**-5.0)
    reduced = 2 / 3
    scaled = omega * x**2.5
    limit = (scaled[-1] * x[-1] - scaled[-2] * x[-2]) / (x[-1] - x[-2])  # corrections are of order d/a
    assert limit == pytest.approx(math.sqrt(stiffness / reduced), rel=2e-3)
    assert all(row.verdict == AGREES for row in reproduced.rows("dai-fu:2"))


def test_the_exponent_of_a_known_law_is_found(reproduced: Reproduced) -> None:
    result = reproduced.result("phonons-honeycomb")
    x = result.data["scan_a_over_d"].values
    gamma = result.data["scan_gamma"].values.copy()
    gamma[:, 2] = 3.0 * x**-2.25 * np.exp(0.4 / x - 0.7 / x**2)
    changed = dataclasses.replace(result.data["scan_gamma"], values=gamma)
    bent = dataclasses.replace(result, data=result.data | {"scan_gamma": changed})
    there, limit = phonons_figure.exponents(bent)
    assert limit == pytest.approx(-2.25, abs=1e-8)
    assert abs(there + 2.25) > 1e-3


def test_the_plane_of_phases(reproduced: Reproduced) -> None:
    results = reproduced.results("dai-fu:4")
    plane = plane_figure._plane(results)
    # far below a the free electrons are a Wigner crystal of their own, of which r_s = a/a_B
    assert plane.melting("free_electron", np.array([30.0])) == pytest.approx(plane.wigner, rel=0.1)
    # at the decoupling estimate the energies are equal: -1.106103 (1 + 2 sqrt 2) e^2/a
    x, energy = energy_of(results["uncoupled-energies"], "tilted-diagonal")
    assert plane.decoupling is not None
    assert np.interp(plane.decoupling, x, energy * x) == pytest.approx(-1.106103 * (1 + 2**1.5), abs=2e-2)
    assert plane.phases(np.array([1500.0]), np.array([150.0])) == ["honeycomb"]
    row = next(r for r in reproduced.rows("dai-fu:4") if r.quantity.startswith("trion unbinds"))
    assert row.verdict == MISSING  # left out of quick mode, and said so


def test_a_computed_unbinding_is_drawn_and_judged(reproduced: Reproduced) -> None:
    results = reproduced.results("dai-fu:4")
    for value, verdict in ((15.5, AGREES), (17.0, DIFFERS)):
        more = results | {"trion-unbinding": few_body(critical_spacing=value, critical_spacing_uncertainty=0.2)}
        rows = {r.quantity: r for r in plane_figure.rows(more)}
        assert rows["trion unbinds at equal masses, d_c/a_B"].verdict == verdict
        assert f"{value:.4g} a_B" in plane_figure.caption(more)
        figure = plane_figure.draw(more)
        words = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
        assert any(f"d = {value:.4g} a_B (computed)" in w for w in words)
        figure.savefig(io.BytesIO(), format="png", dpi=30)


# -- kept results --


def test_results_are_used_again_and_figures_are_the_same(reproduced: Reproduced,
                                                         monkeypatch: pytest.MonkeyPatch,
                                                         capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(reproduced.place.glob("dai-fu-2-quick.*"))
    before = [p.read_bytes() for p in files]

    def computed(*args: object, **options: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(runner, "_compute", computed)
    assert cli.execute(["reproduce", "dai-fu:2", "--quick", "-o", str(reproduced.place), "--quiet"]) == 0
    assert len(files) == 3 and [p.read_bytes() for p in files] == before
    out = capsys.readouterr().out
    assert "dai-fu:2" in out and AGREES in out and "-2.5" in out


def test_studies_that_figures_share_are_computed_once(reproduced: Reproduced) -> None:
    names = [n for f in MODULES for n in reproduction(f).studies(True)]
    assert len(set(names)) < len(names)
    assert {p.name for p in (reproduced.place / "results").iterdir()} == {f"{n}-quick" for n in names}


def test_an_interruption_ends_it_and_the_next_call_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def stopped(study: object, place: Path, *, resume: bool, **options: object) -> Result:
        asked.append(resume)
        result = Record("phonons", Status.interrupted, {}, {})
        place.mkdir(parents=True, exist_ok=True)
        result.save(place / runner.RESULT)
        return result

    monkeypatch.setattr(runner, "run", stopped)
    told: list[str] = []
    assert make_all(chosen("dai-fu:2") * 2, tmp_path, told.append, codes=(3, 130)) == 130
    assert asked == [False]  # neither the second study nor the second figure was begun
    assert "interrupted" in told[0] and not list(tmp_path.glob("*.png"))
    assert make_all(chosen("dai-fu:2"), tmp_path, told.append, codes=(3, 130)) == 130
    assert asked == [False, True]


def test_lack_of_convergence_is_told(reproduced: Reproduced, tmp_path: Path,
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    results = reproduced.results("dai-fu:2")

    def loose(study: object, place: Path, **options: object) -> Result:
        return dataclasses.replace(results[place.name.removesuffix("-quick")], status=Status.not_converged)

    monkeypatch.setattr(runner, "run", loose)
    told: list[str] = []
    assert make_all(chosen("dai-fu:2"), tmp_path, told.append, quick=True, codes=(3, 130)) == 3
    assert "not_converged" in told[0] and (tmp_path / "dai-fu-2-quick.pdf").is_file()


def test_the_map_with_converged_waves(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, quick=True)
    made = shop.make(reproduction("nashabeh-fu:2-converged"))
    assert made.good and (tmp_path / "nashabeh-fu-2-converged-quick.png").is_file()
    result = Result.load(next(tmp_path.rglob("result.nc")))
    assert (result.data["winner"].values == "condensate").all() and not result.data["unresolved"].values.any()
    # at m_h/m_e = 4, n = 0.7 n_h* the hole crystal wins over the polarised condensate of the figure, not over that of
    # both spins
    assert result.data["spin_arrangement"].values[0, 1, 1] == "electrons restricted, holes restricted"


def test_the_map_of_64_holes_is_that_of_36_in_a_larger_box() -> None:
    """The same waves, spins and densities, a quarter of the points."""
    small, large = (reproduction(f"nashabeh-fu:2-converged{more}").studies(False) for more in ("", "-64"))
    (few,), ((name, many),) = small.values(), large.items()
    assert (few["cell"].pop("holes"), many["cell"].pop("holes")) == (36, 64) and name.endswith("-64")
    assert few["density"].pop("critical_rs") == "computed" and many["density"].pop("critical_rs") == 3.833
    axes, coarse = few.pop("sweep"), many.pop("sweep")
    assert few == many and all(set(coarse[key]) <= set(axes[key]) for key in axes)
    assert math.prod(map(len, coarse.values())) == 84


def test_the_command_lists_figures_and_refuses_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["reproduce", "--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [*MODULES, *OWN]
    for wrong, hint in ((["dai-fu:9"], 'did you mean "dai-fu:'), ([], "is missing; see `ehb reproduce --list`")):
        assert cli.execute(["reproduce", *wrong]) == cli.EXIT_INPUT
        error = capsys.readouterr().err
        assert hint in error and len(error) < 120


@pytest.mark.published
@pytest.mark.timeout(1800)
def test_dai_fu_4_in_full(tmp_path: Path) -> None:
    made = Workshop(tmp_path).make(reproduction("dai-fu:4"))
    assert made.status is Status.converged
    verdicts = {row.quantity: row.verdict for row in made.rows}
    assert verdicts["trion unbinds at equal masses, d_c/a_B"] == DIFFERS  # bound beyond it: findings-classical
    first = next(r.ours for r in made.rows if r.quantity.startswith("transition checkerboard to rhombic"))
    assert float(first) == pytest.approx(5.06108, abs=1e-5)
