"""Sphinx extension: a page for every package of ehbilayer, written before a build from the modules that there are.

The pages go to ``docs/generated``, which is not kept. Docstrings are plain text with names in backticks and formulas
indented; they are turned into reStructuredText here, so that no star or bar in a formula is taken for markup.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import notebook_pages
from sphinx.application import Sphinx

import ehbilayer
from ehbilayer import figures

SOURCE = Path(ehbilayer.__file__).parent
FACES = {"ehbilayer": ehbilayer, "ehbilayer.figures": figures}
ROOT, FOLDER = Path(__file__).parents[1], "generated"
# what stands outside the folder of the documentation, from the root of the repository -> page here
OUTSIDE = {"README.md": "readme.md", "benchmarks/README.md": "benchmarks.md", "benchmarks/faults.md": "faults.md",
           "benchmarks/monte_carlo.md": "monte-carlo-speed.md", "CHANGELOG.md": "changelog.md",
           "CONTRIBUTING.md": "contributing.md", "examples": "examples.md"}
OUTSIDE |= {f"examples/{path.name}": f"{path.stem}.md" for path in sorted((ROOT / "examples").glob("*.ipynb"))}
LINK = re.compile(r"\]\((?![a-z]+:|/|#)([^)#\s]+)")
SECTION = re.compile(r"(Parameters|Returns|Raises|Attributes|Yields)\n-{3,}$", re.MULTILINE)
ITEM = re.compile(r"(- |\d+\. )")
NAMED = re.compile(r"([\w*]+(?:, [\w*]+)*) : (.*)")
CODE = re.compile(r"``(.+?)``|`([^`]+?)`")


def packages() -> dict[str, list[str]]:
    """Package -> its modules, dotted names; modules without a package stand under ``ehbilayer``."""
    found: dict[str, list[str]] = {"ehbilayer": []}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = ("ehbilayer", *path.relative_to(SOURCE).with_suffix("").parts)
        if parts[-1] == "__main__":
            continue
        module = ".".join(p for p in parts if p != "__init__")
        package = module if parts[-1] == "__init__" else module.rpartition(".")[0]
        found.setdefault(package, []).append(module)
    return found


def page(package: str, modules: list[str]) -> str:
    """The page of a package: its modules in alphabetical order, the package itself first."""
    lines = [_heading(package, "=")]
    for module in sorted(modules):
        # every name is documented once, where it is defined, whatever else offers it
        members = "" if module in FACES else "   :members:\n   :ignore-module-all:\n"
        lines += [_heading(module, "-")] if module != package else []
        lines.append(f".. automodule:: {module}\n{members}")
        lines += _offered(FACES[module]) if module in FACES else []
    return "\n".join(lines)


def _offered(face: Any) -> list[str]:
    """A list of what a face offers: every name, where it is described, and the first line of that; constants alone."""
    things = {name: getattr(face, name) for name in sorted(face.__all__, key=str.lower) if name[0] != "_"}
    return [f"- ``{name}``, :code-link:`{thing.__module__}.{thing.__name__}`: "
            + _escaped((thing.__doc__ or "").strip().splitlines()[0]) if callable(thing) else f"- ``{name}``"
            for name, thing in things.items()] + [""]


def write(folder: Path) -> None:
    """Write all pages; a file that would not change is left alone, so that only what changed is built again."""
    pages: dict[str, str | bytes] = {f"{name}.rst": page(name, modules) for name, modules in packages().items()}
    names = "\n".join(f"   {name.removesuffix('.rst')}" for name in sorted(pages))
    pages["index.rst"] = f"{_heading('Modules and functions', '=')}\n.. toctree::\n   :maxdepth: 1\n\n{names}\n"
    for path, name in OUTSIDE.items():
        pages |= notebook_pages.pages(ROOT / path) if path.endswith(".ipynb") else {name: outside(path)}
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        if old.name not in pages:
            old.unlink()
    for name, content in pages.items():
        path, data = folder / name, content.encode() if isinstance(content, str) else content
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)


def outside(path: str) -> str:
    """A page from outside the folder, its links as seen from the folder of generated pages; of a folder its studies."""
    if (ROOT / path).is_dir():
        studies = sorted((ROOT / path).glob("*.toml"))
        shown = [f"## {study.stem}\n\n```toml\n{study.read_text(encoding='utf-8')}```\n" for study in studies]
        return "\n".join(["# Examples of study files\n", *shown])
    text = (ROOT / path).read_text(encoding="utf-8")
    text = re.sub(r"\A# ehbilayer\n", "# README\n", text)  # the start page has that title
    return LINK.sub(lambda m: f"](../../{posixpath.join(posixpath.dirname(path), m[1])}", text)


def markup(docstring: str) -> list[str]:
    """Lines of reStructuredText that show a plain docstring: sections, lists, indented formulas, names in backticks."""
    text = SECTION.sub(lambda m: f"\n.. rubric:: {m[1]}\n", docstring)
    out: list[str] = []
    for lines in (block.splitlines() for block in re.split(r"\n\s*\n", text.strip("\n"))):
        if not lines or lines[0].startswith(".. rubric::"):
            out += ["", *lines, ""]
        elif lines[0].startswith("    "):
            out += ["", "::", "", *(f"    {line}" for line in lines), ""]
        elif NAMED.match(lines[0]):
            out += ["", *_items(lines), ""]
        else:
            out += ["", *_paragraph(lines), ""]
    return out


def _items(lines: list[str]) -> list[str]:
    """Lines ``name : text``, their continuations indented, as a list; several may stand in one line."""
    out = []
    for line in lines:
        if line.startswith(" "):
            out.append(f"  {_escaped(line.strip())}")
            continue
        for item in re.split(r" {3,}(?=[\w, ]+ : )", line):
            named = NAMED.match(item)
            out.append(f"- ``{named[1]}``: {_escaped(named[2])}" if named else f"- {_escaped(item)}")
    return out


def _paragraph(lines: list[str]) -> list[str]:
    """Running text and lists, which may follow each other without a blank line."""
    out: list[str] = []
    inside = False  # a list
    for line in lines:
        starts = ITEM.match(line)
        if bool(starts) != inside and not (inside and line.startswith(" ")):
            inside = bool(starts)
            out.append("")
        prefix = starts[0] if starts else line[: len(line) - len(line.lstrip())]
        out.append(prefix + _escaped(line[len(prefix):]))
    return out


def _escaped(text: str) -> str:
    """Names in backticks as code, ``x`` literally and `x` with a link where it is known; other text as it stands."""
    out, end = [], 0
    for found in CODE.finditer(text):
        out.append(_plain(text[end:found.start()]))
        out.append(f"``{found[1]}``" if found[1] else f":code-link:`{_plain(found[2])}`")
        end = found.end()
    # a backslash and a space after a word let a letter follow the markup
    return "\\ ".join(part for part in (*out, _plain(text[end:])) if part)


def _plain(text: str) -> str:
    return re.sub(r"([\\*|_`<>:])", r"\\\1", text)


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n"


def _on_docstring(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = markup("\n".join(lines))


def _on_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Lead links to what stands outside the folder to the pages written for it."""
    def lead(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(docname), link[1]))
        return f"](/{FOLDER}/{OUTSIDE[path]}" if path in OUTSIDE else link[0]

    source[0] = LINK.sub(lead, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    write(Path(app.srcdir) / FOLDER)
    app.connect("autodoc-process-docstring", _on_docstring)
    app.connect("source-read", _on_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
