"""The layering: which module may import which, what stays lazy, and how long files and functions may grow."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ehbilayer

SOURCE = Path(ehbilayer.__file__).parent
LONGEST_FILE, LONGEST_FUNCTION = 400, 60  # lines

# a module may import the modules above it
LAYERS = {
    "ground": "errors units materials lattice ewald ewald.split ewald.charges ewald.potential ewald.derivatives "
              "fourier minimize files netcdf results hooks parallel descent",
    "physics": "interaction system",
    "discretisation": "basis",
    "Hamiltonian": "terms terms.kinetic terms.direct terms.exchange hamiltonian",
    "methods": "hartree_fock hartree_fock.occupations hartree_fock.guesses hartree_fock.transfer "
               "hartree_fock.spectrum hartree_fock.bands hartree_fock.stability hartree_fock.observables "
               "hartree_fock.solver hartree_fock.cutoff hartree_fock.order hartree_fock.critical hartree_fock.batch "
               "few_body few_body.exciton condensate condensate.bogoliubov condensate.report condensate.mesh "
               "condensate.radial condensate.torus condensate.curve handover phases crystal crystal.structures "
               "crystal.symmetry crystal.relaxation crystal.search crystal.record crystal.study crystal.sequence "
               "crystal.scan phonons phonons.modes phonons.zone phonons.melting phonons.report few_body.gaussians "
               "few_body.complexes few_body.basis few_body.densities few_body.variational few_body.threshold "
               "few_body.scan compressibility compressibility.area_scaling compressibility.response "
               "compressibility.bulk_modulus compressibility.size_limit compressibility.lattice_plasmon "
               "compressibility.study pairing pairing.coupling_spectrum pairing.couplings pairing.plasmon_spectrum "
               "pairing.eliashberg pairing.gap pairing.temperature pairing.plasmon_velocity pairing.point "
               "pairing.maps pairing.density",
    "studies": "study study.keys study.axes study.uses study.file task study.particles study.prepare reporting "
               "kinds.pairing_table study.classical study.phonon_family kinds.hartree_fock kinds.condensate "
               "kinds.phases kinds.crystal kinds.phonons kinds.few_body kinds.compressibility kinds.pairing "
               "kinds.device kinds.sweep kinds",
    "sweeps": "stopping finishing sweep sweep.store sweep.lock sweep.rows sweep.points sweep.worker sweep.engines "
              "sweep.adaptive sweep.definition sweep.collect sweep.campaign sweep.status",
    "figures": "plot plot.style plot.density plot.bands plot.momentum plot.phases plot.condensate plot.crystal "
               "plot.phonons plot.few_body plot.compressibility plot.boundaries plot.maps plot.pairing plot.device "
               "plot.sweep plot.pages",
    "application": "runner reproduce.record reproduce reproduce.computing reproduce.classical_studies "
                   "reproduce.making reproduce.densities reproduce.dai_fu_1 reproduce.dai_fu_2 reproduce.plane "
                   "reproduce.unbinding reproduce.dai_fu_4 "
                   "reproduce.nashabeh_fu_2 reproduce.nashabeh_fu_1 reproduce.nashabeh_fu_2_sizes "
                   "reproduce.nashabeh_fu_3 reproduce.nashabeh_fu_s4 "
                   "reproduce.nashabeh_fu_s5 reproduce.nashabeh_fu_s6 reproduce.nashabeh_fu_s7 "
                   "reproduce.nashabeh_fu_s8 reproduce.superconductivity reproduce.nashabeh_fu_4a "
                   "reproduce.nashabeh_fu_4b reproduce.nashabeh_fu_s1 reproduce.nashabeh_fu_s2 "
                   "reproduce.nashabeh_fu_s3 reproduce.nashabeh_fu_v1_6 reproduce.trions "
                   "reproduce.point_trions reproduce.dai_fu_3 reproduce.dai_fu_s1 reproduce.dai_fu_s2 "
                   "reproduce.dai_fu_s3 reproduce.dai_fu_s4 reproduce.dai_fu_s5 reproduce.dai_fu_s6 "
                   "reproduce.dai_fu_numbers reproduce.nashabeh_fu_numbers cli __main__",
}
ORDER = [module for group in LAYERS.values() for module in group.split()]

# imports against that order, inside functions or for annotations only, each with its reason
EXCEPTIONS = {
    ("results", "plot.pages"): "Result.plot() is a method for the user's sake; drawing stays outside",
    ("hartree_fock.solver", "hartree_fock.cutoff"): "a basis from a tolerance is a loop around solve, which users call",
    ("hartree_fock.stability", "hartree_fock.solver"): "following a saddle's lowest mode minimises again",
    ("hartree_fock.observables", "hartree_fock.solver"): "annotations: it reads the End of a start and the Options",
    ("hartree_fock.bands", "hartree_fock.solver"): "annotations: it reads the End of a start",
}
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


def test_every_module_has_its_place() -> None:
    assert sorted(ORDER) == sorted(MODULES)


@pytest.mark.parametrize("name", ORDER)
def test_imports_point_upward(name: str) -> None:
    above = set(ORDER[: ORDER.index(name)])
    for target, now in own_imports(name):
        if target not in above:
            assert (name, target) in EXCEPTIONS, f"{name} may not import {target}: it stands below"
            assert not now, f"{name} imports {target} when it is imported itself; only inside functions is allowed"


def test_exceptions_are_needed() -> None:
    assert {(name, target) for name in ORDER for target, _ in own_imports(name)
            if ORDER.index(target) >= ORDER.index(name)} == set(EXCEPTIONS)


def test_a_forbidden_import_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "lattice.py"
    bad.write_text("from ehbilayer import hartree_fock\ndef f():\n    import ehbilayer.cli\n", encoding="utf-8")
    monkeypatch.setitem(MODULES, "lattice", bad)
    assert own_imports("lattice") == [("hartree_fock", True), ("cli", False)]
    with pytest.raises(AssertionError, match="stands below"):
        test_imports_point_upward("lattice")


@pytest.mark.parametrize("name", ORDER)
def test_heavy_libraries_are_imported_inside_functions(name: str) -> None:
    now = {target.split(".")[0] for target, at_import in imports(name) if at_import}
    assert not now & set(HEAVY)


@pytest.mark.parametrize("statement", ["import ehbilayer", "from ehbilayer.cli import execute; execute(['--help'])"])
def test_start_up_stays_light(statement: str) -> None:
    code = f"{statement}; import sys; print('loaded', *sorted({{m.split('.')[0] for m in sys.modules}}))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
                            env=os.environ | {"PYTHONPATH": str(SOURCE.parent)})
    loaded = answer.stdout.splitlines()[-1].split()
    assert "ehbilayer" in loaded
    assert not set(loaded) & {*HEAVY, "scipy", "numpy", "pydantic"}


def test_help_lists_the_commands() -> None:
    answer = subprocess.run([sys.executable, "-m", "ehbilayer.cli", "--help"], capture_output=True, text=True,
                            timeout=60, env=os.environ | {"PYTHONPATH": str(SOURCE.parent)})
    assert answer.returncode == 0, answer.stderr
    for command in ("run", "device", "show", "plot", "status", "reproduce", "materials", "units", "schema"):
        assert f"\n  {command} " in answer.stdout


@pytest.mark.parametrize("name", ORDER)
def test_files_and_functions_stay_short(name: str) -> None:
    text = MODULES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE, "split it by meaning"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[ast.get_docstring(node) is not None :] or node.body  # docstrings may be long
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name}: split it by meaning"
