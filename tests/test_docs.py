"""The documentation: its commands and Python run, its names lead somewhere, its pages hold together."""

import base64
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

import ehbilayer
from ehbilayer import cli
from ehbilayer.papers.record import Row, table
from ehbilayer.run import runner
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import KINDS
from printed import assert_same

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]

# what makes an example small, as overrides of its keys; None takes a key out
CELL = {"cell.holes": 4, "cell.hexagon": 3, "cell.plane_waves": None, "cell.shape": "triangular"}
PHASES = CELL | {"density.critical_rs": 4.6, "phases.candidates": ["liquid", "hole-crystal"]}
SMALL = {
    "trion-crystal": CELL | {"cell.symmetry": "crystal", "hartree-fock.tolerance": 1e-5,
                             "hartree-fock.stability": "none"},
    "supersolid": {"cell.holes": 4, "cell.hexagon": 4, "hartree-fock.stability": "none"},
    "phases": PHASES,
    "phase-diagram": PHASES | {"sweep": {"density.hole_over_critical": [0.3, 0.9]}},
    "sweep": CELL | {"sweep": {"density.rs_hole": [2, 4], "cell.zero_mode": ["none", "madelung"]}},
    "crystal-search": {"crystal.holes_per_cell": 2, "crystal.starts": 1},
    "classical-phases": {"crystal.scan": [4.0, 4.5], "crystal.scan_points": 2, "crystal.holes_per_cell": 1,
                         "crystal.starts": 1},
    "trion": {"few-body.complex": "exciton", "few-body.spin": None},
    "melting": {"phonons.scan": [5, 7], "phonons.scan_points": 2},
}
# commands that take long whatever the study, or for ever
LONG = re.compile(r"ehb (device|reproduce (?!--list))")
NEVER = re.compile(r"reproduce all|--backend jax")


def commands(page: Path) -> list[str]:
    """Commands in the code blocks of a page, as a reader would type them."""
    text = page.read_text(encoding="utf-8").replace("STUDY.toml", "examples/sweep.toml")
    found = re.findall(r"^ *(?:pip [^\n]*&& )?(ehb [^\n]+)$", text.replace("$SLURM_ARRAY_TASK_ID", "1"), re.MULTILINE)
    return [re.split(r" +#", line)[0].strip() for line in found]


def blocks(page: Path) -> list[str]:
    """Python in a page; code in lists is indented."""
    found = re.findall(r"^( *)```python\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def toml(tables: dict) -> str:
    """A study file of these tables; JSON is TOML for every value that stands in them, but for small tables."""
    def value(x: object) -> str:
        if isinstance(x, dict):
            return "{" + ", ".join(f'"{k}" = {value(v)}' for k, v in x.items()) + "}"
        return json.dumps(x)

    top = [f"{k} = {value(v)}" for k, v in tables.items() if not isinstance(v, dict)]
    for name, content in tables.items():
        if isinstance(content, dict):
            top += [f"[{name}]", *(f'"{k}" = {value(v)}' for k, v in content.items())]
    return "\n".join(top)


def small(study: Path) -> str:
    """An example with the overrides that make it small."""
    tables = tomllib.loads(study.read_text(encoding="utf-8"))
    for key, value in SMALL.get(study.stem, {}).items():
        table, _, name = key.partition(".")
        if not name:
            tables[table] = value
        elif value is None:
            tables[table].pop(name, None)
        else:
            tables.setdefault(table, {})[name] = value
    return toml(tables)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory like a checkout, with small examples, where nothing is drawn."""
    (tmp_path / "examples").mkdir()
    for study in (ROOT / "examples").glob("*.toml"):
        (tmp_path / "examples" / study.name).write_text(small(study), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runner, "draw", lambda result, place: None)
    return tmp_path


def quick(page: Path) -> list[str]:
    return [line for line in commands(page) if not (LONG.match(line) or NEVER.search(line))]


@pytest.mark.parametrize("page", [p for p in PAGES if quick(p)], ids=lambda p: p.name)
def test_commands_run_on_small_studies(page: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of a page, in their order, for later ones read what earlier ones wrote. In one process."""
    for line in quick(page):
        assert cli.execute(shlex.split(line.replace(" --workers 2", ""))[1:]) == 0, (line, capsys.readouterr().err)


@pytest.mark.published
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda p: p.name)
def test_commands_run_as_printed(page: Path, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for line in (x for x in commands(page) if not NEVER.search(x)):
        command = [sys.executable, "-m", "ehbilayer", *shlex.split(line)[1:]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, (line, done.stderr)


# that of the README is run where its output is checked, and so is this page, from top to bottom
TOLD = DOCS / "from-python.md"
TUTORIALS = sorted(DOCS.glob("tutorial-*.md"))
RUNNABLE = [(p, code) for p in PAGES[1:] if p not in (TOLD, *TUTORIALS) for code in blocks(p)
            if not re.search("dask_jobqueue|jax", code)]


@pytest.mark.parametrize(("page", "code"), RUNNABLE, ids=[p.name for p, _ in RUNNABLE])
def test_python_runs_on_small_studies(page: Path, code: str, place: Path) -> None:
    exec(code.replace(", workers=2", ""), {})  # the text of the page


@pytest.mark.parametrize("page", [TOLD, *TUTORIALS], ids=lambda p: p.stem)
def test_a_page_prints_what_it_says(page: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every block of the page, in its order, in one program; what is printed stands beneath it."""
    text = page.read_text(encoding="utf-8")
    told = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", text, re.DOTALL)
    assert [code for code, _ in told] == blocks(page) and len(told) >= (20 if page == TOLD else 4)
    names: dict[str, object] = {"__name__": "a_page"}
    for code, shown in told:
        exec(compile(code, page.name, "exec"), names)  # the text of the page
        assert_same(capsys.readouterr().out, shown)


def test_from_python_shows_every_method() -> None:
    shown = "\n".join(blocks(TOLD))
    methods = {kind.package.rpartition(".")[2] for kind in KINDS}
    assert len(methods) >= 9
    for name in methods:
        assert callable(getattr(ehbilayer, name)) and name in ehbilayer.__all__
        assert re.search(rf"\b(?:{name}|{name}_page)\(", shown), name


def test_what_moved_is_where_the_changelog_says() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| .* \| (.*) \|$", text, re.MULTILINE)
    named = [name for row in table for name in re.findall(r"`(ehbilayer[\w.]*)`", row)]
    assert len(named) >= 20
    assert [name for name in named if not is_there(name)] == []


def is_there(name: str) -> bool:
    """Whether a dotted name leads to a module, or to what one defines: a function, a method, a field, a constant."""
    parts, thing = name.split("."), None
    for i in range(1, len(parts) + 1):
        try:
            thing = import_module(".".join(parts[:i]))
        except ModuleNotFoundError:
            if parts[i - 1] in getattr(thing, "__annotations__", {}):
                return True
            thing = getattr(thing, parts[i - 1], None)
    return thing is not None


def test_the_studies_shown_are_read() -> None:
    """Whole study files in the pages; parts of one belong into a study of the page's example."""
    shown = [(p.name, x) for p in PAGES
             for x in re.findall(r"```toml\n(.*?)```", p.read_text(encoding="utf-8"), re.DOTALL)]
    assert len(shown) >= 4
    for page, text in shown:
        tables = tomllib.loads(text)
        if "kind" not in tables:
            tables = tomllib.loads((ROOT / "examples" / f"{page[:-4]}.toml").read_text(encoding="utf-8")) | tables
        assert make_study(tables).kind == tables["kind"], page


def test_every_page_is_in_the_contents() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    contents = "\n".join(re.findall(r"```{toctree}\n(.*?)```", index, re.DOTALL))
    listed = [line for line in contents.splitlines() if line and not line.startswith((":", "generated/"))]
    assert sorted(listed) == sorted(p.stem for p in DOCS.glob("*.md") if p.stem != "index")


def test_readme_and_gate_build_the_documentation() -> None:
    line = "pip install '.[docs]' && sphinx-build -W --keep-going -n docs build/docs"
    assert f"    {line}\n" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{line} || false" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_the_page_of_benchmarks_names_its_scripts() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    scripts = {p.name for p in (ROOT / "benchmarks").glob("*.py")} - {"timing.py"}  # which the others share
    assert set(re.findall(r"^\| `([\w/]+\.py)` \|", page, re.MULTILINE)) == scripts


# the gallery

def test_the_gallery_shows_what_it_holds() -> None:
    gallery = SimpleNamespace(**runpy.run_path(str(DOCS / "make_gallery.py")))
    pictures, captions = ({p.stem for p in gallery.GALLERY.glob(f"*.{kind}")} for kind in ("png", "txt"))
    assert pictures == captions and len(pictures) >= 5
    assert gallery.page(gallery.GALLERY) == gallery.PAGE.read_text(encoding="utf-8"), "run docs/make_gallery.py"
    assert pictures == set(re.findall(r"\(images/gallery/(.*?)\.png\)", gallery.PAGE.read_text(encoding="utf-8")))
    sizes = [p.stat().st_size for p in gallery.GALLERY.glob("*.png")]
    assert max(sizes) < 150_000 and sum(sizes) < 3_000_000


def test_the_gallery_takes_full_figures_before_quick_ones(tmp_path: Path) -> None:
    from PIL import Image

    gallery = SimpleNamespace(**runpy.run_path(str(DOCS / "make_gallery.py")))
    rows = table([Row("a, |b|", "1", "1.02", "agrees"), Row("c", "", "2", "not in the paper", "2.1")])
    places = {}
    for name, suffix, mark in (("full", "", ""), ("coarse", "-quick", "  (quick: coarse)")):
        places[name] = tmp_path / name
        places[name].mkdir()
        Image.new("RGB", (1500, 300), "white").save(places[name] / f"dai-fu-2{suffix}.png")
        lines = [f"dai-fu:2  phonons{mark}", "a paper", "", f"the {name} one, k_F* < 2", "", *rows, "",
                 "study x: phonons, converged, 1.0 s", "wall time 1.0 s"]
        (places[name] / f"dai-fu-2{suffix}.txt").write_text("\n".join(lines), encoding="utf-8")
    shown = tmp_path / "gallery"
    shown.mkdir()
    for name, taken, command in (("coarse", ["dai-fu:2"], "`ehb reproduce dai-fu:2 --quick` in 1.0 s. It is coarse."),
                                 ("full", ["dai-fu:2"], "`ehb reproduce dai-fu:2` in 1.0 s.\n"),
                                 ("coarse", [], "`ehb reproduce dai-fu:2` in 1.0 s.\n")):
        assert gallery.collect(places[name], shown) == taken
        assert command in gallery.page(shown)
    page = gallery.page(shown)
    assert "the full one, k_F\\* \\< 2" in page
    assert "| a, \\|b\\| | 1 | 1.02 |  | agrees |\n| c |  | 2 | 2.1 | not in the paper |" in page
    with Image.open(shown / "dai-fu-2.png") as image:
        assert image.size == (1100, 220)


# the extensions of the build

@pytest.fixture
def extensions(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    pytest.importorskip("sphinx", reason="needs the extra docs")
    monkeypatch.syspath_prepend(str(DOCS))
    return SimpleNamespace(**{name: import_module(name) for name in ("api_pages", "code_links", "notebook_pages")})


@pytest.mark.parametrize(("text", "meant"), [
    ("hartree_fock.solver.solve", ("ehbilayer.hartree_fock.solver.solve", True)),
    ("ehbilayer.units.Scales", ("ehbilayer.units.Scales", True)),
    ("units.py", ("ehbilayer.units", True)), ("papers/__init__.py", ("ehbilayer.papers", True)),
    ("phonons.wrong", ("ehbilayer.phonons.wrong", True)), ("Complex.draw", ("Complex.draw", False)),
    ("scaling.py", None), ("result.nc", None), ("energy", None), ("N = 36", None)])
def test_code_in_the_text_means(extensions: SimpleNamespace, text: str, meant: tuple[str, bool] | None) -> None:
    assert extensions.code_links.meant(text) == meant


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_names_of_code_in_the_pages_exist(extensions: SimpleNamespace, page: Path) -> None:
    for text in re.findall(r"`([\w./]+)`", page.read_text(encoding="utf-8")):
        name, ours = extensions.code_links.meant(text) or ("", False)
        if ours and extensions.code_links.key_of_study(text) is None:
            assert is_there(name), text


def test_the_page_of_the_package_lists_what_it_offers(extensions: SimpleNamespace) -> None:
    shown = extensions.api_pages.page("ehbilayer", ["ehbilayer"])
    assert "- ``hartree_fock``, :code-link:`ehbilayer.hartree_fock.hartree_fock`: The lowest" in shown
    assert shown.count(":code-link:`ehbilayer.") >= len(ehbilayer.__all__) - 1  # all but the version


def test_names_are_found(extensions: SimpleNamespace) -> None:
    objects = dict.fromkeys(["ehbilayer.units", "ehbilayer.units.Scales", "ehbilayer.crystal.search.End",
                             "ehbilayer.hartree_fock.solver.End", "ehbilayer.crystal.search.End.better"])
    end = "ehbilayer.crystal.search.End"
    for target, module, full in (
            ("units.Scales", None, "ehbilayer.units.Scales"), ("Scales", "ehbilayer.units", "ehbilayer.units.Scales"),
            ("End.better", None, f"{end}.better"), ("search.End", None, end), ("End", None, None),
            ("units.ALIASES", None, "ehbilayer.units"), ("units.NONE", None, None), ("units._NUMBER", None, None)):
        assert extensions.code_links.find(objects, target, module) == full, target
    assert extensions.code_links.key_of_study("cell.zero_mode") == "cell"
    assert extensions.code_links.key_of_study("cell.zero") is None


def test_every_module_has_a_page(extensions: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "ehbilayer.gone.rst").write_text("old", encoding="utf-8")
    extensions.api_pages.write(tmp_path)
    written = "".join(p.read_text(encoding="utf-8") for p in tmp_path.glob("*.rst"))
    source = Path(runner.__file__).parents[1]
    modules = {".".join(p.relative_to(source.parent).with_suffix("").parts) for p in source.rglob("*.py")}
    expected = {m.removesuffix(".__init__") for m in modules if not m.endswith("__main__")}
    assert set(re.findall(r"automodule:: (\S+)", written)) == expected
    assert not (tmp_path / "ehbilayer.gone.rst").exists()
    assert "](../../docs/conventions.md)" in (tmp_path / "readme.md").read_text(encoding="utf-8")
    headings = re.findall("^## (.*)$", (tmp_path / "examples.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(p.stem for p in (ROOT / "examples").glob("*.toml"))


def test_notebooks_become_pages(extensions: SimpleNamespace, tmp_path: Path) -> None:
    image = base64.b64encode(b"a picture").decode()
    cells = [{"cell_type": "markdown", "source": ["# Title\n", "text"]},
             {"cell_type": "code", "source": ["print(1)\n", "draw()"],
              "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n"]},
                          {"output_type": "execute_result", "data": {"image/png": image, "text/plain": ["<Figure>"]}}]}]
    notebook = tmp_path / "first.ipynb"
    notebook.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    pages = extensions.notebook_pages.pages(notebook)
    assert pages["first-1.png"] == b"a picture"
    assert pages["first.md"].startswith(
        "# Title\ntext\n\n```python\nprint(1)\ndraw()\n```\n\n```text\n1\n```\n\n![output](first-1.png)\n\nThis page")
    cells[1]["outputs"] = [{"output_type": "error", "ename": "KeyError"}]
    notebook.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    with pytest.raises(ValueError, match="KeyError"):
        extensions.notebook_pages.pages(notebook)


def test_docstrings_become_markup(extensions: SimpleNamespace) -> None:
    lines = extensions.api_pages.markup(
        "E of |k| <= k_F*, see `solve` and ``x_``.\n\n    E = 2*x | y_\n\n- one\n  more\n- two\nEnd.\n\n"
        "Parameters\n----------\na, b : two `End`s,\n    wrapped.\nc : none   d : one\n")
    assert [line for line in lines if line] == [
        "E of \\|k\\| \\<= k\\_F\\*, see \\ :code-link:`solve`\\  and \\ ``x_``\\ .",
        "::", "        E = 2*x | y_",
        "- one", "  more", "- two", "End.", ".. rubric:: Parameters",
        "- ``a, b``: two \\ :code-link:`End`\\ s,", "  wrapped.", "- ``c``: none", "- ``d``: one"]


def test_a_wrong_name_fails_the_build(extensions: SimpleNamespace, tmp_path: Path) -> None:
    """In a small project: a name that is there becomes a link, one that is not ends a build with -W."""
    pytest.importorskip("myst_parser")
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    (source / "conf.py").write_text(f"import sys\nsys.path.insert(0, {str(DOCS)!r})\n"
                                    "extensions = ['myst_parser', 'code_links']\n", encoding="utf-8")
    known = "# T\n\n```{py:function} ehbilayer.units.shown\n```\n\nSee `units.shown`.\n"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-n", str(source), str(out)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for text, code in ((known, 0), (known + "And `units.hidden`.\n", 1)):
        (source / "index.md").write_text(text, encoding="utf-8")
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == code, done.stderr
        assert ("ehbilayer.units.hidden" in done.stderr) == bool(code)
    assert 'href="#ehbilayer.units.shown"' in (out / "index.html").read_text(encoding="utf-8")
