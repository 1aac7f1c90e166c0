"""The kinds of study, the keys that each of them uses, and what it takes to add one."""

import json
import re
import sys
from pathlib import Path

import pytest

from ehbilayer import cli
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock import guesses
from ehbilayer.results.base import Record, Result
from ehbilayer.run.reporting import Reporter
from ehbilayer.run.runner import run
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.file import json_schema, make_study
from ehbilayer.studies.hartree_fock import keys as hartree_fock_keys
from ehbilayer.studies.tables import tables
from ehbilayer.studies.task import prepare

SOURCE = Path(kinds.__file__).parents[1]
NAMES = [kind.name for kind in kinds.KINDS]
EVERYTHING = {"density.hole_over_critical": 1.0, "cell.symmetry": "crystal", "cell.holes": 4,
              "crystal.scan": [1.0, 2.0], "compressibility.state": "lowest",
              "pairing.alpha_source": "torus", "pairing.map_rs": [1.0, 2.0]}


@pytest.mark.parametrize("kind", NAMES)
def test_a_kind_uses_keys_that_exist(kind: str) -> None:
    known = {f"{name}.{key}" for name, model in tables().items() for key in model.model_fields}
    full: dict = {"kind": kind}
    for dotted, value in EVERYTHING.items():
        table, key = dotted.split(".")
        full.setdefault(table, {})[key] = value
    for content in ({"kind": kind}, full):
        assert kinds.study_kind(kind).part("keys").uses(make_study(content)) <= known
    assert "bilayer.spacing" in make_study({"kind": kind}).used()


def test_every_key_is_used_by_some_kind() -> None:
    """But for those that only count beside others, which are named here."""
    beside = {"density.critical_rs", "cell.holes_per_cell", "pairing.map_points", "compressibility.starts",
              "device.points"}
    all_of = {"bilayer": {"interaction": "screened", "magnetic_field": 0}, "potential": {"filling": 1}}
    used = {key for kind in NAMES for key in make_study({"kind": kind, **all_of}).used()}
    assert {f"{name}.{key}" for name, model in tables().items() for key in model.model_fields} - used <= beside


def test_starts_are_those_of_the_solver() -> None:
    assert hartree_fock_keys.STARTS == guesses.STARTS


def test_all_kinds_but_the_phase_diagram_can_be_a_single_point() -> None:
    assert [kind.name for kind in kinds.KINDS if kind.points] == ["phase-diagram"]
    assert json_schema()["properties"]["kind"]["enum"] == NAMES


def test_a_phase_diagram_needs_a_sweep_and_says_nothing_before() -> None:
    told: list[str] = []
    reporter = Reporter()
    reporter.note = told.append  # type: ignore[method-assign]
    study = make_study({"kind": "phase-diagram", "density": {"hole_over_critical": 1.2, "critical_rs": "computed"}})
    for refuse in (lambda: prepare(study), lambda: run(study, reporter=reporter)):
        with pytest.raises(InputError, match=r"sweep: must be given for a phase diagram"):
            refuse()
    assert not told


def test_an_unknown_kind_of_result_still_has_a_table() -> None:
    assert ("status", "converged") in kinds.rows(Record("other", Status.converged, {}, {}))


def test_an_ignored_key_does_not_change_the_inputs() -> None:
    bare = {"kind": "few-body", "bilayer": {"spacing": 1.0}}
    assert make_study(bare).canonical() == make_study(bare | {"cell": {"holes": 4}}).canonical()
    assert make_study(bare).canonical() != make_study(bare | {"bilayer": {"spacing": 2.0}}).canonical()


def test_no_module_lists_the_kinds_but_the_registry() -> None:
    """Three names of kinds or tables in one literal are such a list; the package's own face lists functions."""
    names = "|".join(re.escape(name) for name in NAMES)
    lists = re.compile(rf"[\"'](?:{names})[\"'](?:\s*,\s*[\"'](?:{names})[\"']){{2}}")
    face = SOURCE / "__init__.py"  # of the package, which exports a function of each
    assert [str(path) for path in SOURCE.rglob("*.py") if path != face
            and lists.search(path.read_text(encoding="utf-8"))] == []


TOY = {"result": """
from dataclasses import dataclass
from typing import ClassVar
from ehbilayer.results.base import Result, entry, number

@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ToyResult(Result):
    kind: ClassVar[str] = "toy"
    total_energy: float = number("Ha_h", "energy", key="energy")
    phase: str = entry("what it is")
""", "keys": """
from pydantic import Field
from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import DENSITY, Table, dotted

NEIGHBOURS = "of an odd number"

class ToyTable(Table):
    ALTERNATIVES = (("power", "root"),)
    power: float | None = Field(default=None, description="a number")
    root: float | None = Field(default=None, description="a number")
    spare: int = Field(default=1, description="an integer")

TABLE = ToyTable

def of(study: Study) -> ToyTable:
    table: ToyTable = study.table("toy")
    return table

def uses(study: Study) -> set[str]:
    return {*DENSITY, *dotted("toy", ToyTable)} - {"toy.spare"}
""", "prepare": """
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock import guesses
from ehbilayer.status import Status
from ehbilayer.studies.task import Task
from ehbilayer.units import Scales
from toy_kind import keys
from toy_kind.result import ToyResult

def prepare(study):
    table, rs = keys.of(study), study.density.rs_hole
    if rs is None:
        raise InputError("density.rs_hole", "given", "missing", "give it")
    power = table.power if table.power is not None else 1 / (table.root or 1.0)
    solve = lambda run: ToyResult(status=Status.converged, total_energy=rs**power, phase="toy")
    return Task(study, Scales(), study.canonical(), {"power": power}, (f"  power      {power:g}",), solve,
                carries=("none",))
""", "table": """
def rows(result):
    return [("toy energy", f"{result.energy:g}")]
""", "figure": """
from ehbilayer.figures.style import new_figure

def figure(result):
    return new_figure(4, 3)
"""}


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of a kind that one folder and one line add."""
    package = tmp_path / "toy_kind"
    package.mkdir()
    for name, text in {"__init__": "", **TOY}.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "toy_kind"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, kinds.Kind("toy", "toy_kind")))
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "study.toml"
    study.write_text('kind = "toy"\n[density]\nrs_hole = 3\n[toy]\npower = 2\nspare = 5\n', encoding="utf-8")
    return study


def test_a_kind_is_one_folder_and_one_line(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["run", str(toy), "-o", "out", "--json", "--set", "toy.root=0.5"]) == 0
    captured = capsys.readouterr()
    summary = json.loads(captured.out)
    assert summary["energy"] == 9 and summary["kind"] == "toy" and summary["ignored"] == ["toy.spare"]
    assert "replaced   toy.power" in captured.err and "power      2" in captured.err
    assert Result.load("out/result.nc").provenance.study["toy"] == {"power": None, "root": 0.5}
    assert cli.execute(["show", "out"]) == 0 and "toy energy  9" in capsys.readouterr().out
    assert cli.execute(["plot", "out", "-o", "toy.svg"]) == 0 and Path("toy.svg").stat().st_size > 0
    assert cli.execute(["schema"]) == 0
    assert "ToyTable" in capsys.readouterr().out and "toy" in json_schema()["properties"]["kind"]["enum"]


@pytest.mark.parametrize(("override", "said"), [
    ("toy.powr=2", 'did you mean "power"'), ("cell.power=2", "belongs in [toy]"), ("kind=to", 'did you mean "toy"'),
    ("density.rs_electron=2", "density.rs_hole: must be given"), ("toy.power=x", "toy.power: must be a number"),
    ("toy=3", "write [toy] with its keys")])
def test_errors_know_a_new_kind(toy: Path, capsys: pytest.CaptureFixture[str], override: str, said: str) -> None:
    assert cli.execute(["run", str(toy), "--set", override]) == 2
    assert said in capsys.readouterr().err


def test_a_new_kind_is_swept(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with toy.open("a", encoding="utf-8") as file:
        file.write('[sweep]\n"density.rs_hole" = [1, 2, 3]\n"toy.root" = [0.5, 1]\n')
    assert cli.execute(["run", str(toy), "-o", "out", "--quiet"]) == 0
    swept = Result.load("out/result.nc")
    assert swept.data["energy"].values.tolist() == [[1, 1], [4, 2], [9, 3]]
    assert swept.data["energy"].units == "Ha_h"
    assert cli.execute(["show", "out"]) == 0 and "6 of 6 done" in capsys.readouterr().out
    with pytest.raises(InputError, match="a key that toy uses here"):
        run(make_study({"kind": "toy", "density": {"rs_hole": 1.0}, "sweep": {"toy.spare": [1, 2]}}))
    with pytest.raises(InputError, match=r"is one of hartree-fock \(from a crystal\), .*, toy \(of an odd number\)"):
        run(make_study({"kind": "crystal", "density": {"a_over_d": 1.0, "electrons_per_hole": 1},
                        "sweep": {"density.a_over_d": [1, 2], "start": "neighbour"}}))
