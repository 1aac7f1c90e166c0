"""The layering: which module may import which, what stays lazy, and how long files and functions may grow."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ehbilayer
from ehbilayer import figures

SOURCE = Path(ehbilayer.__file__).parent
LONGEST_FILE, LONGEST_FUNCTION = 400, 60  # lines

# rooms of the house in the order of a calculation: a module may import what stands in an earlier room, or in its own
ROOMS = ("errors console status hooks units materials numerics results interaction potential model torus basis "
         "terms hamiltonian orbitals liquid response hartree_fock few_body condensate phases crystal phonons "
         "monte_carlo compressibility pairing thermal gates device figures studies run sweep reports view papers "
         "commands cli __main__").split()

# imports against that order, inside functions or for annotations only, each with its reason
EXCEPTIONS = {
    ("figures", "studies.crystal.figure"): "annotations: panels of one kind are resolved when they are asked for",
    ("figures", "studies.pairing.figure"): "annotations: panels of one kind are resolved when they are asked for",
    ("figures", "sweep.maps"): "annotations: maps of sweeps are resolved when they are asked for",
    ("hooks", "results.base"): "annotations: it hands results on without looking into them",
    ("run.runner", "sweep.engines"): "a study with a [sweep] is run as one",
    ("run.runner", "sweep.points"): "a study with a [sweep] is run as one",
    ("run.runner", "sweep.campaign"): "a study with a [sweep] is run as one",
    ("run.runner", "sweep.definition"): "a study with a [sweep] is run as one",
}
# circles of modules within a room, still to be opened
CIRCLES: set[frozenset[str]] = set()
HEAVY = ("matplotlib", "xarray", "h5py", "h5netcdf", "jax", "pandas", "dask")


def modules() -> dict[str, Path]:
    """Dotted name below the package -> file, without the package's own __init__."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(p for p in parts if p != "__init__")
        if name:
            found[name] = path
    return found


MODULES = modules()


def imports(name: str) -> list[tuple[str, bool]]:
    """Every import of a module: dotted target, and whether it runs when the module is imported."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    found: list[tuple[str, bool]] = []

    def visit(node: ast.AST, at_import: bool) -> None:
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        annotations = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if isinstance(node, ast.Import):
            found.extend((alias.name, at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: absolute imports say where things are"
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            ours = [b for b in below if b.removeprefix("ehbilayer.") in MODULES]
            found.extend((target, at_import) for target in (ours or [str(node.module)]))
        for child in ast.iter_child_nodes(node):
            visit(child, at_import and not lazy and not annotations)

    visit(tree, True)
    return found


def own_imports(name: str) -> list[tuple[str, bool]]:
    """Imports of modules of this package, by their name below it."""
    prefix = "ehbilayer."
    return [(t.removeprefix(prefix), now) for t, now in imports(name) if t.startswith(prefix)]


def room(name: str) -> str:
    return name.split(".")[0]


def test_every_module_has_its_room() -> None:
    assert {room(name) for name in MODULES} == set(ROOMS)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_to_earlier_rooms(name: str) -> None:
    for target, now in own_imports(name):
        if ROOMS.index(room(target)) > ROOMS.index(room(name)):
            assert (name, target) in EXCEPTIONS, f"{name} may not import {target}: its room comes later"
            assert not now, f"{name} imports {target} when it is imported itself; only inside functions is allowed"


def test_exceptions_are_needed() -> None:
    assert {(name, target) for name in MODULES for target, _ in own_imports(name)
            if ROOMS.index(room(target)) > ROOMS.index(room(name))} == set(EXCEPTIONS)


def foreign(name: str) -> list[str]:
    """What a module imports from this package that is neither public nor of the papers."""
    faces = {face.__name__: set(face.__all__) for face in (ehbilayer, figures)}
    found = []
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] == "ehbilayer"]
        elif isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("ehbilayer."):
            own = f"{node.module}.".startswith("ehbilayer.papers.")
            found += [f"{node.module}.{alias.name}" for alias in node.names
                      if not own and alias.name not in faces.get(str(node.module), ())]
    return found


@pytest.mark.parametrize("name", sorted(n for n in MODULES if room(n) == "papers"))
def test_papers_use_public_names_alone(name: str) -> None:
    assert foreign(name) == []


def test_a_private_import_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "figure_0.py"
    bad.write_text("import ehbilayer.cli\nfrom ehbilayer import run, units\nfrom ehbilayer.figures import dress, io\n"
                   "def f():\n    from ehbilayer.run import runner\n    from ehbilayer.papers import ALL\n",
                   encoding="utf-8")
    monkeypatch.setitem(MODULES, "papers.figure_0", bad)
    assert sorted(foreign("papers.figure_0")) == ["ehbilayer.cli", "ehbilayer.figures.io", "ehbilayer.run.runner",
                                                  "ehbilayer.units"]


@pytest.mark.parametrize("face", [ehbilayer, figures])
def test_public_names_are_there(face: Any) -> None:
    assert sorted(face.__all__) == dir(face) and all(getattr(face, name) is not None for name in face.__all__)


def circles() -> set[frozenset[str]]:
    """Modules that import each other, wherever the imports stand; packages' own faces are left out."""
    reach = {name: {t for t, _ in own_imports(name) if t in MODULES and t != name and (name, t) not in EXCEPTIONS
                    and MODULES[t].name != "__init__.py"} for name in MODULES if MODULES[name].name != "__init__.py"}
    changed = True
    while changed:
        changed = False
        for targets in reach.values():
            more = set().union(*(reach.get(t, set()) for t in targets)) - targets
            if more:
                targets |= more
                changed = True
    return {frozenset({name, *(t for t in targets if name in reach.get(t, set()))})
            for name, targets in reach.items() if name in targets}


def test_no_module_imports_itself_in_a_circle() -> None:
    assert circles() == CIRCLES


def test_a_forbidden_import_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "lattice.py"
    bad.write_text("from ehbilayer import hartree_fock\ndef f():\n    import ehbilayer.cli\n", encoding="utf-8")
    monkeypatch.setitem(MODULES, "numerics.lattice", bad)
    assert own_imports("numerics.lattice") == [("hartree_fock", True), ("cli", False)]
    with pytest.raises(AssertionError, match="comes later"):
        test_imports_point_to_earlier_rooms("numerics.lattice")


@pytest.mark.parametrize("name", sorted(MODULES))
def test_heavy_libraries_are_imported_inside_functions(name: str) -> None:
    now = {target.split(".")[0] for target, at_import in imports(name) if at_import}
    assert not now & set(HEAVY)


@pytest.mark.parametrize("statement", ["import ehbilayer", "import ehbilayer.figures",
                                       "from ehbilayer.cli import execute; execute(['--help'])"])
def test_start_up_stays_light(statement: str) -> None:
    code = f"{statement}; import sys; print('loaded', *sorted({{m.split('.')[0] for m in sys.modules}}))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=500, check=True,
                            env=os.environ | {"PYTHONPATH": str(SOURCE.parent)})
    loaded = answer.stdout.splitlines()[-1].split()
    assert "ehbilayer" in loaded
    assert not set(loaded) & {*HEAVY, "scipy", "numpy", "pydantic", "numba"}


def test_help_lists_the_commands() -> None:
    answer = subprocess.run([sys.executable, "-m", "ehbilayer.cli", "--help"], capture_output=True, text=True,
                            timeout=500, env=os.environ | {"PYTHONPATH": str(SOURCE.parent)})
    assert answer.returncode == 0, answer.stderr
    for command in ("run", "device", "show", "plot", "view", "status", "reproduce", "materials", "units", "schema"):
        assert f"\n  {command} " in answer.stdout


@pytest.mark.parametrize("name", sorted(MODULES))
def test_files_and_functions_stay_short(name: str) -> None:
    text = MODULES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE, "split it by meaning"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[ast.get_docstring(node) is not None :] or node.body  # docstrings may be long
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name}: split it by meaning"
