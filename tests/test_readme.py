"""README and docs say what is true: commands parse, files exist, printed numbers are those of a run."""

import os
import re
import runpy
import shlex
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ehbilayer
from ehbilayer import cli
from ehbilayer.run import runner
from ehbilayer.studies.phases.keys import PHASES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
RUN_LINE = "    pip install . && ehb run examples/trion-crystal.toml\n"
TEST_LINE = "    pip install '.[test]' && pytest\n"


def commands() -> list[tuple[str, str]]:
    """Every `ehb ...` in the pages: lines of code blocks, and code in a sentence that names a subcommand."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = re.findall(r"^(?: {4}.*&& )?(ehb [^\n]+)$", text, re.MULTILINE)
        inline = re.findall(r"`(ehb [a-z]+ [^`]+)`", text)
        found += [(page.name, line.split("  #")[0].strip()) for line in [*lines, *inline]]
    return found


def test_the_two_lines_of_set_up_are_there() -> None:
    text = README.read_text(encoding="utf-8")
    assert RUN_LINE in text and RUN_LINE + TEST_LINE in text
    assert text.index(RUN_LINE) < 1000, "on the first screen"


def test_the_gate_runs_the_same_lines() -> None:
    gate = ROOT / ".ci" / "run"
    lines = gate.read_text(encoding="utf-8").splitlines()
    assert {f"{line.strip()} || false" for line in (RUN_LINE, TEST_LINE)} <= set(lines)  # fails loudly, see there
    assert {"ruff check", "mypy"} <= set(lines)
    assert os.access(gate, os.X_OK)


def test_pages_show_commands() -> None:
    shown = {shlex.split(line)[1] for _, line in commands()}
    assert shown >= {"run", "show", "plot", "status", "materials", "units", "schema"}


@pytest.mark.parametrize(("page", "line"), commands())
def test_commands_parse(page: str, line: str) -> None:
    """Parsed with every option converted and checked, not run; studies are read with their overrides."""
    import typer

    _, name, *arguments = shlex.split(line.replace("STUDY.toml", "examples/trion-crystal.toml"))
    command = typer.main.get_command(cli.app).commands[name]  # type: ignore[attr-defined]
    given = command.make_context(name, arguments).params
    if name == "run":
        ehbilayer.load_study(ROOT / given["study"], given["sets"] or [])


def test_the_study_shown_is_the_example() -> None:
    shown = re.search(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    example = tomllib.loads((ROOT / "examples" / "trion-crystal.toml").read_text(encoding="utf-8"))
    assert tomllib.loads(shown[1]) == example


def numbers(line: str) -> list[float]:
    return [float(x) for x in re.findall(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", line)]


def test_printed_output_is_that_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runner, "draw", lambda result, place: None)
    assert cli.execute(["run", str(ROOT / "examples" / "trion-crystal.toml")]) == 0
    out = capsys.readouterr().out.splitlines()
    printed = re.search(r"```text\n(trion-crystal: .*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert printed is not None
    old, new = ([x for x in lines if not x.startswith("iteration")] for lines in (printed[1].splitlines(), out))
    assert [x[:13] for x in old] == [x[:13] for x in new]
    for was, now in zip(old, new, strict=True):
        if was.split()[0] not in ("time", "estimate", "residual", "basis"):
            assert numbers(now) == pytest.approx(numbers(was), rel=2e-4), was


def test_errors_are_quoted_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    study = str(ROOT / "examples" / "trion-crystal.toml")
    for override in ("cell.zero_mod=none", "bilayer.spacing=3 mm"):
        assert cli.execute(["run", study, "--set", override]) == 2
        assert capsys.readouterr().err in README.read_text(encoding="utf-8")


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands, where a run has left its result; on fewer holes."""
    code = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    small = ["cell.holes=4", "cell.hexagon=3", "cell.shape=triangular", "cell.symmetry=crystal",
             "hartree-fock.tolerance=1e-5", "hartree-fock.stability=none"]
    monkeypatch.chdir(tmp_path)
    ehbilayer.run(ehbilayer.load_study(ROOT / "examples" / "trion-crystal.toml", small), "trion-crystal")
    names: dict[str, Any] = {}
    exec(code[1], names)  # the README's own text
    said = re.search(r"# ([\w-]+ [\d.]+)\.\.\.", code[1])
    assert said is not None and capsys.readouterr().out.startswith(said[1])
    assert names["densities"].attrs["units"] == "a_h^-2" and names["state"].summary["phase"] == "trion-crystal"


def test_the_test_command_says_how_long_it_takes() -> None:
    import conftest

    said = f"about {conftest.MINUTES} minutes on two cores"
    assert said in README.read_text(encoding="utf-8")
    assert said in conftest.duration(None) and "one process" in conftest.duration(None)
    assert said in conftest.duration(2) and "one process" not in conftest.duration(2)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_and_named_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [x.split("#")[0] for x in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in x]
    for link in links:
        assert (page.parent / link).exists(), link
    for named in re.findall(r"(?:examples|docs|benchmarks)/[\w./-]*\.(?:toml|py|md|png)", text):
        assert (ROOT / named).exists(), named
    source = ROOT / "src" / "ehbilayer"
    for named in re.findall(r"`([a-z_]+(?:/[a-z_]+)?\.py)`", text):
        assert any((folder / named).exists() for folder in (source, ROOT / "docs", ROOT)), named


def test_the_study_page_is_written_from_the_schema() -> None:
    make = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "make_study_file.py")))
    page = make.PAGE.read_text(encoding="utf-8")
    assert make.written(page) == page, "run docs/make_study_file.py"
    changed = page.replace("| `hole_flavours` |", "| `gone` |").replace("`1e-08` | per part", "`1e-03` | per part")
    again = make.written(changed)
    assert "`gone`" not in again and "`1e-08` | per particle" in again
    assert [row for row in page.splitlines() if row not in again.splitlines()] == [
        row for row in page.splitlines() if row.startswith("| `hole_flavours` |")]  # what it does is to be said anew
    with pytest.raises(ValueError, match="pairing"):
        make.written(page.replace("### [pairing]", "### pairing"))


def test_conventions_name_every_status_and_phase() -> None:
    page = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
    for status in ehbilayer.Status:
        assert f"| `{status.value}` | {status.advice} |" in page
    assert all(f"`{phase}`" in page for phase in PHASES)


def test_citation_and_licence_agree_with_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {project['version']}\n" in citation and f"license: {project['license']}\n" in citation
    assert project["version"] == ehbilayer.__version__
    assert "BSD 3-Clause" in (ROOT / "LICENSE").read_text(encoding="utf-8")
