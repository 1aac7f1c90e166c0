"""The notebooks in examples/: their cells run as they stand, and print what is committed beneath them."""

import ast
import base64
import contextlib
import io
import json
import re
import shlex
import struct
from pathlib import Path
from typing import Any

import pytest

import ehbilayer
from ehbilayer import cli
from printed import assert_same

EXAMPLES = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def cells(notebook: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return found


def text_of(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


def printed(cell: dict[str, Any]) -> str:
    return "".join(text_of(o["text"]) for o in cell["outputs"] if o["output_type"] == "stream")


def pictures(cell: dict[str, Any]) -> list[bytes]:
    found = [o["data"]["image/png"] for o in cell["outputs"] if "image/png" in o.get("data", {})]
    return [base64.b64decode(text_of(picture)) for picture in found]


def is_slow(cell: dict[str, Any]) -> bool:
    return "slow" in cell["metadata"].get("tags", ())


def run_cell(source: str, name: str, names: dict[str, Any]) -> Any:
    """Execute the source in the namespace; returns the value of its last line if that is an expression."""
    lines = ast.parse(source)
    last = lines.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(lines, name, "exec"), names)
        return None
    exec(compile(ast.Module(lines.body[:-1], []), name, "exec"), names)
    return eval(compile(ast.Expression(last.value), name, "eval"), names)


def size(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG picture, in pixels."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", picture[16:24])


def execute(notebook: Path, *, slow: bool) -> int:
    """Run the code cells in one fresh namespace, compare what each prints and draws; returns how many ran."""
    names: dict[str, Any] = {"__name__": "__main__"}
    ran = 0
    for number, cell in enumerate(cells(notebook)):
        if cell["cell_type"] != "code" or (is_slow(cell) and not slow):
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            shown = run_cell(text_of(cell["source"]), f"{notebook.name}, cell {number}", names)
        assert_same(out.getvalue(), printed(cell))
        drawn = [shown._repr_png_()] if hasattr(shown, "_repr_png_") else []
        assert [size(p) for p in drawn] == [size(p) for p in pictures(cell)]
        ran += 1
    return ran


def test_both_notebooks_are_there() -> None:
    assert [n.stem for n in NOTEBOOKS] == ["device-to-tc", "first-phase-diagram"]
    assert sum(n.stat().st_size for n in NOTEBOOKS) < 650_000  # pictures of shaded maps are most of it


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_quick_cells_print_what_is_committed(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(notebook, slow=False) >= 4
    assert not list(tmp_path.iterdir()), "a notebook leaves no files behind"


@pytest.mark.published
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_all_cells_print_what_is_committed(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(notebook, slow=True) == sum(c["cell_type"] == "code" for c in cells(notebook))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_committed_notebooks_are_whole_and_clean(notebook: Path) -> None:
    """Run from top to bottom, nothing failed, pictures are pictures, and nothing tells of a machine or a time."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    assert (content["nbformat"], set(content["metadata"])) == (4, {"kernelspec", "language_info"})
    code = [c for c in content["cells"] if c["cell_type"] == "code"]
    assert [c["execution_count"] for c in code] == list(range(1, len(code) + 1))
    assert all(set(c["metadata"]) <= {"tags"} for c in content["cells"])
    outputs = [o for c in code for o in c["outputs"]]
    assert {o["output_type"] for o in outputs} == {"stream", "execute_result"}
    assert {o.get("name", "stdout") for o in outputs} == {"stdout"}
    shown = [p for c in code for p in pictures(c)]
    assert len(shown) >= 2
    assert all(size(picture)[0] > 600 for picture in shown)
    for word in ("/home", "/tmp", "/root", "/work", "site-packages", "Warning"):
        assert word not in notebook.read_text(encoding="utf-8")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_files_and_commands_named_in_the_text_exist(notebook: Path) -> None:
    import typer

    text = "\n".join(text_of(c["source"]) for c in cells(notebook) if c["cell_type"] == "markdown")
    for named in re.findall(r"(?:docs|examples)/[\w.-]+\.(?:md|toml)", text):
        assert (EXAMPLES.parent / named).exists(), named
    lines = [line.split("  #")[0] for line in re.findall(r"^ {4}(ehb .+)$", text, re.MULTILINE)]
    lines += re.findall(r"`(ehb [a-z]+ [^`]+)`", text)
    assert len(lines) >= 4
    for line in lines:
        _, name, *arguments = shlex.split(line)
        command = typer.main.get_command(cli.app).commands[name]  # type: ignore[attr-defined]
        given = command.make_context(name, arguments).params
        if name == "run":
            ehbilayer.load_study(EXAMPLES.parent / given["study"], given["sets"] or [])


def test_the_comparison_notices_a_wrong_number() -> None:
    assert_same("T_c 7.25 mK at 1.2", "T_c 7.24 mK at 1.2")
    for wrong in ("T_c 7.4 mK at 1.2", "T_c 7.25 K at 1.2", "T_c 7.25 mK"):
        with pytest.raises(AssertionError):
            assert_same(wrong, "T_c 7.25 mK at 1.2")
