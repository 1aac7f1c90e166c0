"""Few-body studies: from a study to a task, its table and its figures; what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ehbilayer import run
from ehbilayer.cli import execute
from ehbilayer.errors import InputError
from ehbilayer.few_body.complexes import make_complex
from ehbilayer.few_body.result import ComplexResult
from ehbilayer.few_body.scan import _critical_result, scan
from ehbilayer.few_body.threshold import Critical
from ehbilayer.few_body.variational import Options, solve
from ehbilayer.hooks import Hooks
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.studies.few_body.figure import figure
from ehbilayer.studies.few_body.prepare import prepare
from ehbilayer.studies.few_body.table import rows
from ehbilayer.studies.file import load_study

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., object]:
    """A study of equal masses from the lines of its [few-body] table."""

    def make(*lines: str, spacing: str | None = "spacing = 1.0") -> object:
        path = tmp_path / "study.toml"
        path.write_text("\n".join(['kind = "few-body"', "[bilayer]", "electron_mass = 1.0", "hole_mass = 1.0",
                                   spacing or "", "[few-body]", *lines]), encoding="utf-8")
        return load_study(path)

    return make


def texts(result: Result) -> str:
    return "\n".join(text.get_text() for text in figure(result).findobj(lambda x: hasattr(x, "get_text")))


@pytest.mark.parametrize("name", ["exciton", "trion", "critical-spacing"])
def test_examples_are_prepared(name: str) -> None:
    task = prepare(load_study(EXAMPLES / f"{name}.toml"))
    assert task.plan and task.resolved["complex"] in ("exciton", "trion-")
    assert not [line for line in task.plan if "None" in line]


def test_exciton_from_its_example() -> None:
    result = run(EXAMPLES / "exciton.toml")
    assert isinstance(result, ComplexResult)
    assert result.binding_energy.to("K") == result.summary["binding_kelvin"] == pytest.approx(719.6, abs=0.5)
    table = dict(rows(result))
    assert table["bound"] == "yes" and table["status"] == "converged"
    assert "exciton" in texts(result)


def test_trion_has_a_table_and_a_figure(study: Callable) -> None:
    task = prepare(study("max_functions = 20", 'complex = "trion-"'))
    told: list[dict] = []
    result = task.solve(Hooks(progress=told.append))
    assert told and "functions" in told[0]
    assert result.summary["binding_kelvin"] is None  # no dielectric constant, no kelvin
    table = dict(rows(result))
    assert table["complex"] == "trion X-, singlet, L = 0" and "Gaussians" in table["basis"]
    assert table["status"].startswith("not_converged")
    words = texts(result)
    assert "NOT CONVERGED" in words and "where the second electron is" in words


def test_can_be_swept(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text((EXAMPLES / "exciton.toml").read_text(encoding="utf-8")
                    + '[sweep]\n"bilayer.spacing" = [0, 1.0]\n', encoding="utf-8")
    assert execute(["run", str(path), "-o", str(tmp_path / "out"), "--quiet"]) == 0
    swept = Result.load(tmp_path / "out" / "result.nc")
    assert swept.data["energy"].values[0] == pytest.approx(-4 / 3)  # -2 mu, mu = 2/3
    assert swept.data["complex_name"].values.tolist() == ["exciton", "exciton"]


@pytest.mark.parametrize(("lines", "idle"), [
    (('complex = "exciton"', "seed = 3"), ["few-body.seed"]),
    (('find = "critical-spacing"', "tolerance = 1e-4"), ["bilayer.spacing", "few-body.tolerance"]),
    (('find = "critical-spacing"', "mass_ratios = [1]"),
     ["bilayer.electron_mass", "bilayer.hole_mass", "bilayer.spacing"]),
    (("spacings = [1]", "tolerance = 1e-4"), ["bilayer.spacing"])])
def test_keys_without_use_are_ignored(study: Callable, lines: tuple[str, ...], idle: list[str]) -> None:
    assert sorted(study(*lines).ignored()) == idle


def test_scan_has_a_table_and_a_figure(study: Callable) -> None:
    task = prepare(study('complex = "exciton"', "spacings = [2.0, 0, 1.0]", spacing=None))
    assert task.resolved["spacing"] == [0.0, 1.0, 2.0]
    result = task.solve(Hooks())
    assert [label for label, _ in rows(result)].count("d = 1 a_h") == 1
    assert "binding energy" in texts(result)


def test_table_of_a_scan_names_what_was_not_found() -> None:
    result = scan([make_complex("trion-", None, 1.0, d) for d in (5.0, 30.0)], Options(max_functions=20))
    table = dict(rows(result))
    assert "bound" in table["d = 5 a_h"] and "not decided" in table["d = 30 a_h"]
    assert figure(result).axes


def test_critical_spacings_have_a_table_and_a_figure() -> None:
    points = np.array([13.0, 14.0, 15.0]), np.array([7e-5, 3e-5, 6e-6]), np.full(3, 1e-8)
    found = Critical(15.6, 0.01, 15.5, *points, Status.converged)
    none = Critical(None, None, None, np.zeros(0), np.zeros(0), np.zeros(0), Status.converged, "not bound at all")
    complex = make_complex("trion-", None, 1.0, 0.0)
    one = _critical_result(complex, [1.0], {1.0: found}, None)
    assert "d_c = 15.6 a_h" in dict(rows(one))["m_e/m_h = 1"] and "15.6" in texts(one)
    two = _critical_result(complex, [1.0, 2.0], {1.0: found, 2.0: none}, None)
    assert dict(rows(two))["m_e/m_h = 2"] == "not bound at all" and len(figure(two).axes) == 2


def test_critical_spacing_needs_no_spacing_and_no_masses(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('kind = "few-body"\n[few-body]\nfind = "critical-spacing"\nmass_ratios = [2, 1.0]\n',
                    encoding="utf-8")
    assert prepare(load_study(path)).resolved["mass_ratios"] == [1.0, 2.0]


@pytest.mark.parametrize(("lines", "argument"), [
    (('complex = "exciton"', 'spin = "triplet"'), "few-body.spin"),
    (('complex = "biexciton"', "angular_momentum = 1"), "few-body.angular_momentum"),
    (('complex = "exciton"', 'find = "critical-spacing"'), "few-body.find"),
    (('complex = "exciton"', 'spin = "singlet"', 'find = "critical-spacing"'), "few-body.find"),
    (("mass_ratios = [1.0]",), "few-body.mass_ratios"),
    (('find = "critical-spacing"', "spacings = [1.0]"), "few-body.spacings"),
    (("spacings = [1.0, -2.0]",), "few-body.spacings"),
    (('spacings = ["1 nm"]',), "few-body.spacings")])
def test_refused(study: Callable, lines: tuple[str, ...], argument: str) -> None:
    with pytest.raises(InputError) as error:
        prepare(study(*lines))
    assert error.value.argument == argument


@pytest.mark.parametrize(("spacing", "argument"), [(None, "bilayer.spacing"), ("spacing = -1.0", "bilayer.spacing")])
def test_spacing_is_needed(study: Callable, spacing: str | None, argument: str) -> None:
    with pytest.raises(InputError) as error:
        prepare(study(spacing=spacing))
    assert error.value.argument == argument


def test_masses_are_needed(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('kind = "few-body"\n[bilayer]\nspacing = 1.0\n', encoding="utf-8")
    with pytest.raises(InputError) as error:
        prepare(load_study(path))
    assert error.value.argument == "bilayer.electron_mass"


def test_zero_spacing_is_one_layer() -> None:
    assert solve(make_complex("exciton", None, 1.0, 0.0), Options()).energy == pytest.approx(-1, rel=1e-12)
