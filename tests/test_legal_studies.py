"""Any study within the documented ranges ends with exit code 0, 2 or 3: no traceback, no raw warning."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import legal_studies
from ehbilayer.errors import InputError
from ehbilayer.run import runner
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.studies.kinds import KINDS

# kind -> studies in the slow set, fewer where one costs more
STUDIES = {"hartree-fock": 400, "condensate": 250, "phases": 300, "phase-diagram": 100, "compressibility": 250,
           "pairing": 600, "device": 100, "crystal": 120, "phonons": 350, "few-body": 150, "liquid": 700,
           "monte-carlo": 100, "thermal": 200, "gates": 200, "response": 200}
ENOUGH = 50  # studies, some of which have to run
DRAWN = 10  # one of so many is saved, read and drawn, too


def check(kind: str, numbers: range, place: Path, seed: int) -> None:
    assert set(STUDIES) == set(legal_studies.BASES) == {k.name for k in KINDS}
    codes = []
    for number in numbers:
        drawn = legal_studies.study(np.random.default_rng([seed, number]), kind)
        try:
            code = legal_studies.outcome(drawn, None if number % DRAWN else place)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {json.dumps(drawn)}") from error
        assert code in (0, 2, 3), json.dumps(drawn)
        codes.append(code)
    assert len(codes) < ENOUGH or len(codes) - codes.count(2) > len(codes) / 20, "nearly all of them were refused"


@pytest.mark.parametrize("kind", STUDIES)
def test_a_few_studies_anywhere(kind: str, tmp_path: Path) -> None:
    check(kind, range(STUDIES[kind] // 100), tmp_path, seed=1)


@pytest.mark.published
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", STUDIES)
def test_thousands_of_studies_anywhere(kind: str, tmp_path: Path) -> None:
    check(kind, range(STUDIES[kind]), tmp_path, seed=2)


@pytest.mark.parametrize(("kind", "density", "more"), [
    ("liquid", {"a_over_d": 1e-300}, {}), ("liquid", {"a_over_d": 1e9}, {}), ("liquid", {"hole": 5e-324}, {}),
    ("hartree-fock", {"hole": 1e308}, {"cell": legal_studies.BOX}),
    ("pairing", {"rs_electron": 1e-4}, {"pairing": {"alpha": 0.3}}),
    ("pairing", {"rs_electron": 1e-3}, {"pairing": {"alpha": 0.3, "method": "eliashberg"}}),
    ("pairing", {"rs_electron": 1.0}, {"pairing": {"alpha": 1e-5}}),
    ("pairing", {"rs_electron": 81.0}, {"pairing": {"alpha_squared": 5e-324, "method": "eliashberg"}})])
def test_extremes(kind: str, density: dict[str, Any], more: dict[str, Any]) -> None:
    study = {"kind": kind, "bilayer": legal_studies.DEVICE, "density": density | {"electrons_per_hole": 1}, **more}
    assert legal_studies.outcome(study) in (0, 2, 3)


def test_a_figure_where_nothing_but_k_0_shows(tmp_path: Path) -> None:
    study = {"kind": "condensate", "bilayer": legal_studies.DEVICE | {"spacing": "6000 a_e", "electron_flavours": 4},
             "density": {"hole": 48.1, "electrons_per_hole": 1}, "cell": legal_studies.BOX}
    assert legal_studies.outcome(study, tmp_path) == 0


def test_dense_liquids_and_couplings_without_end() -> None:
    tables = {"kind": "pairing", "bilayer": legal_studies.DEVICE, "density": {"rs_electron": 1e-4},
              "pairing": {"alpha": 0.3}}
    assert runner.run(make_study(tables)).status is Status.converged
    with pytest.raises(InputError, match="at most 100000 for Eliashberg"):
        runner.run(make_study(tables | {"density": {"rs_electron": 1.0}, "pairing": {"alpha": 1e-5}}))


def test_numbers_that_overflow_end_as_not_finite() -> None:
    study = {"kind": "pairing", "bilayer": legal_studies.DEVICE, "density": {"rs_electron": 81.0},
             "pairing": {"alpha_squared": 5e-324, "method": "eliashberg"}}
    result = runner.run(make_study(study))
    assert result.status is Status.not_finite and "overflow" in result.reason


@pytest.mark.parametrize("kind", ["hartree-fock", "compressibility", "phases", "condensate"])
def test_fewer_waves_than_orbitals(kind: str) -> None:
    tables = {"kind": kind, "bilayer": legal_studies.DEVICE, "density": legal_studies.DENSE,
              "cell": {"holes": 16, "hexagon": 1, "zero_mode": "none"}}
    with pytest.raises(InputError, match=r"^cell\.hexagon: .*(at least|more than) \d+ plane waves"):
        runner.run(make_study(tables))
