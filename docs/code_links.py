"""Sphinx extension: names of code in the text lead to the place where the code is described.

`hartree_fock.solver.solve` and `units.py` lead to the page of that function or module, `cell.zero_mode` to its table in
the study file. What looks like ours and is not there is a warning, so a build with `-W` fails.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import import_module
from typing import Any

from api_pages import FOLDER, SOURCE, packages
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform

PYTHON_FILE = re.compile(r"[a-z_0-9]+(/[a-z_0-9]+)*\.py")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
FILES = ("nc", "json", "png", "pdf", "svg", "toml", "txt", "md")
STRICT = "ehb-strict"  # attribute of a reference that must be found
MODULES = {name for modules in packages().values() for name in modules}
OURS = {name.split(".")[1] for name in MODULES if "." in name}
PAGE_OF_KEYS = "study-file"


def tables_of_keys() -> dict[str, Any]:
    """Table of a study file -> its model, which knows the keys."""
    from ehbilayer.studies.tables import tables

    return tables()


def meant(text: str) -> tuple[str, bool] | None:
    """What a piece of code refers to, and whether it must exist; None for code that names nothing of ours."""
    if PYTHON_FILE.fullmatch(text):
        module = "ehbilayer." + text.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return (module, True) if (SOURCE / text).exists() else None
    if not DOTTED.fullmatch(text) or text.rpartition(".")[2] in FILES:
        return None
    name = text.removeprefix("ehbilayer.")
    return (f"ehbilayer.{name}", True) if name.split(".")[0] in OURS else (text, False)


def key_of_study(text: str) -> str | None:
    """The table whose key this is: ``cell`` for ``cell.zero_mode``."""
    table, _, key = text.partition(".")
    model = tables_of_keys().get(table)
    return table if model is not None and key in model.model_fields else None


@cache
def imported(module: str) -> dict[str, str]:
    """Short name -> full name of what a module imports from this package, for annotations only or not."""
    path = SOURCE.joinpath(*module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    nodes_of = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in nodes_of
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("ehbilayer") for alias in node.names}


class LinkTypes(SphinxTransform):
    """Gives the short names of types in signatures the full names that their module imports them by."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        for node in self.document.findall(addnodes.pending_xref):
            module = node.get("py:module")
            if module in MODULES and node["refdomain"] == "py":
                node["reftarget"] = imported(module).get(node["reftarget"], node["reftarget"])


class LinkCode(SphinxTransform):
    """Makes a reference of every literal that names code or a key."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        if self.env.docname.startswith(FOLDER):
            return  # pages of modules say themselves what leads where; the one of benchmarks names scripts of its own
        for literal in list(self.document.findall(nodes.literal)):
            inside = isinstance(literal.parent, nodes.reference | addnodes.pending_xref | nodes.title)
            found = None if inside else _reference(literal.astext(), self.env.docname)
            if found is not None:
                found.source, found.line = literal.source, literal.line or literal.parent.line
                literal.replace_self(found)
                found += literal


def _reference(text: str, docname: str) -> nodes.Element | None:
    table = key_of_study(text)
    if table is not None:  # as MyST refers to a heading of a page
        return addnodes.pending_xref("", refdomain="doc", reftype="myst", refdoc=docname, reftarget=PAGE_OF_KEYS,
                                     reftargetid=table, refexplicit=True)
    known = meant(text)
    return None if known is None else _pending(known[0], docname, known[1], None)


def _pending(target: str, docname: str, strict: bool, module: str | None) -> nodes.Element:
    node = addnodes.pending_xref("", refdomain="py", reftype="obj", reftarget=target, refdoc=docname)
    node["py:module"], node[STRICT] = module, strict
    return node


def _role(name: str, rawtext: str, text: str, lineno: int, inliner: Any, options: Any = None,
          content: Any = None) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """A name in a docstring: a link where something of that name is documented, code in any case."""
    plain = nodes.unescape(text)
    env = inliner.document.settings.env
    known = meant(plain)
    literal = nodes.literal(rawtext, plain, classes=["xref", "py"])
    if known is None and not plain.isidentifier():
        return [literal], []
    node = _pending(known[0] if known else plain, env.docname, False, env.ref_context.get("py:module"))
    node += literal
    return [node], []


def find(objects: Any, target: str, module: str | None) -> str | None:
    """The full name of a documented object: as it stands, in the module, in the package, or the only one that ends so.

    Constants of a module and fields of a class have no entry of their own: they lead to where they are defined.
    """
    for name in (target, f"{module}.{target}", f"ehbilayer.{target}"):
        if name in objects:
            return name
    ends = [name for name in objects if name.endswith(f".{target}")] if "." in target else []
    if ends:
        return ends[0] if len(ends) == 1 else None
    parent, _, last = target.rpartition(".")
    if not parent:
        return None
    homes = [name for name in objects if name in (parent, f"ehbilayer.{parent}") or name.endswith(f".{parent}")]
    return homes[0] if len(homes) == 1 and _defines(homes[0], last) else None


def _defines(home: str, name: str) -> bool:
    """Whether a module or class has a public constant or field of this name."""
    module = max((m for m in MODULES if f"{home}.".startswith(f"{m}.")), key=len)
    thing: Any = import_module(module)
    for part in filter(None, home.removeprefix(module).split(".")):
        thing = getattr(thing, part, None)
    return not name.startswith("_") and (hasattr(thing, name) or name in getattr(thing, "__annotations__", {}))


def _on_missing(app: Sphinx, env: BuildEnvironment, node: Any, content: nodes.Element) -> nodes.Element | None:
    """Look for a name more widely. Without an answer, only names that must exist go on to be warnings."""
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    name = find(domain.objects, node["reftarget"], node.get("py:module"))  # type: ignore[attr-defined]
    if name is not None:
        target = node.deepcopy()
        target["reftarget"], target["reftype"] = name, "obj"
        return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", name, target, content)
    return None if node.get(STRICT) else content  # types of other packages stand in signatures, without a link


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(LinkCode)
    app.add_transform(LinkTypes)
    app.add_role("code-link", _role)
    app.connect("missing-reference", _on_missing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
