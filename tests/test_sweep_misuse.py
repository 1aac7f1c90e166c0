"""Sweeps as users bend them: equal points, other materials, other arrays to keep, more hands than rows."""

import contextlib
import os
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ehbilayer
import fake_points
from ehbilayer.errors import InputError
from ehbilayer.status import Status
from ehbilayer.studies.file import Study, make_study
from ehbilayer.sweep.engines import DaskEngine
from ehbilayer.sweep.points import prepare_sweep

WARM = 'start = "neighbour"'


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_points.install(monkeypatch)


def study(axes: str, more: str = "") -> Study:
    return make_study(tomllib.loads(fake_points.study_text(axes, more)))


@pytest.mark.parametrize("start", ["", WARM])
@pytest.mark.parametrize("spacings", [
    "[1, 2, 1]", '["1 nm", "2 nm", "1 nm"]', '[1, "1 a_h"]', '["1 a_h", 1.0]', '["0.3 nm", "3 A"]',
    '["1e-9 m", "1 nm"]',
    '["1 nm", "10 \u00c5"]', f'["1 nm", {1 / fake_points.SCALES.bohr_radius_nm!r}]'])
def test_points_that_are_the_same_are_refused(fakes: None, start: str, spacings: str) -> None:
    with pytest.raises(InputError, match="which are the same point"):
        prepare_sweep(study(f'"density.rs_hole" = [4, 6]\n"bilayer.spacing" = {spacings}', start))


@pytest.mark.parametrize(("axes", "words"), [
    ('"density.rs_hole" = [4, 6]', "1 row, so at most 1 point at a time"),
    ('"bilayer.spacing" = [1, 2, 3]\n"density.rs_hole" = [4, 6]', "3 rows, so at most 3 points at a time"),
])
def test_the_plan_says_how_many_points_can_be_computed_at_a_time(fakes: None, axes: str, words: str) -> None:
    listener = fake_points.Listener()
    ehbilayer.run(study(axes, WARM), reporter=listener)
    assert sum(words in line for line in listener.plans) == 1


@pytest.mark.parametrize("start", ["", WARM])
def test_points_from_before_an_array_was_to_be_kept_are_named(tmp_path: Path, fakes: None, start: str) -> None:
    ehbilayer.run(study('"density.rs_hole" = [4, 6]', start), tmp_path)
    more, listener = study('"density.rs_hole" = [4, 6, 8]', f'{start}\nkeep = ["line"]'), fake_points.Listener()
    result = ehbilayer.run(more, tmp_path, force=True, resume=True, reporter=listener)
    np.testing.assert_array_equal(result.data["line"].values, [[np.nan] * 2, [np.nan] * 2, [8, 1]])
    assert len(listener.warnings) == 1 and "2 finished points have no line" in listener.warnings[0]
    quiet = fake_points.Listener()
    whole = ehbilayer.run(more, tmp_path, force=True, reporter=quiet)
    assert not quiet.warnings and np.isfinite(whole.data["line"].values).all()


@pytest.mark.parametrize("kind", ["phase-diagram", "hartree-fock"])
def test_a_state_of_other_flavours_is_no_start(kind: str) -> None:
    """Materials differ in their flavours, and with them in the orbitals that hold the same electrons."""
    materials = ["WSe2/bilayer-graphene", "WSe2/MoSe2"]
    solver: dict[str, Any] = {"stability": "none", "tolerance": 1e-5, "electron_spin": "restricted"}
    tables: dict[str, Any] = {
        "kind": kind, "bilayer": {"spacing": 1.0}, "density": {"rs_hole": 10.0, "electrons_per_hole": 1},
        "cell": {"holes": 4, "hexagon": 3, "zero_mode": "none"}, "hartree-fock": solver}
    if kind == "hartree-fock":
        solver["start"] = "hole-crystal"
    else:
        tables["phases"] = {"candidates": ["hole-crystal"]}
    cold, warm = (ehbilayer.run(make_study(tables | {"sweep": {"bilayer.material": materials, "start": start}}))
                  for start in ("cold", "neighbour"))
    assert warm.status is Status.converged, warm.summary["failures"]
    np.testing.assert_array_equal(warm.data["energy"].values, cold.data["energy"].values)


def test_two_sweeps_on_one_machine_do_not_mind_each_other() -> None:
    """The HTTP server that every Dask scheduler starts must not insist on its usual port."""
    pytest.importorskip("distributed")
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # another program has it already
            other.bind(("", 8787))
            other.listen()
        with DaskEngine(1) as engine:  # warnings are errors
            assert engine.workers == 1


def test_too_few_open_files_for_the_workers(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    (tmp_path / "x.toml").write_text('kind = "few-body"\n[bilayer]\nelectron_mass = 0.5\nhole_mass = 0.5\n'
                                     '[few-body]\ncomplex = "exciton"\n[sweep]\n"bilayer.spacing" = [0, 1, 2]\n')
    code = ("import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60)); from ehbilayer import cli; "
            f"sys.argv = ['ehb', 'run', {str(tmp_path / 'x.toml')!r}, '--workers', '3']; cli.main()")
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=tmp_path,
                           env=os.environ | {"PYTHONPATH": str(Path(ehbilayer.__file__).parents[1])})
    assert ended.returncode == 2 and "at most 1 where 60 files may be open" in ended.stderr
    assert ended.stderr.count("\n") == 1 and not (tmp_path / "x").exists()
