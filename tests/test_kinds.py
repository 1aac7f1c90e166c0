"""The kinds of study and the keys that each of them uses."""

import pytest

from ehbilayer.errors import InputError
from ehbilayer.results.base import Record
from ehbilayer.run.reporting import Reporter
from ehbilayer.run.runner import run
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.file import make_study
from ehbilayer.studies.keys import Kind, tables
from ehbilayer.studies.uses import USES, used_keys


def test_every_kind_that_is_available_says_which_keys_it_uses() -> None:
    assert {kind.name for kind in kinds.KINDS} <= set(USES) <= set(Kind.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", USES)
def test_patterns_name_keys_that_exist(kind: str) -> None:
    from fnmatch import fnmatchcase

    known = [f"{name}.{key}" for name, model in tables().items() for key in model.model_fields]
    for pattern in USES[kind]:
        assert any(fnmatchcase(key, pattern) for key in known), pattern
    assert "bilayer.spacing" in used_keys(make_study({"kind": kind}))


def test_all_kinds_but_the_phase_diagram_can_be_a_single_point() -> None:
    assert {*Kind.__args__} == {*(kind.name for kind in kinds.KINDS), "phase-diagram"}  # type: ignore[attr-defined]


def test_a_phase_diagram_needs_a_sweep_and_says_nothing_before() -> None:
    told: list[str] = []
    reporter = Reporter()
    reporter.note = told.append  # type: ignore[method-assign]
    study = make_study({"kind": "phase-diagram", "density": {"hole_over_critical": 1.2, "critical_rs": "computed"}})
    for refuse in (lambda: kinds.prepare(study), lambda: run(study, reporter=reporter)):
        with pytest.raises(InputError, match=r"sweep: must be given for a phase diagram"):
            refuse()
    assert not told


def test_an_unknown_kind_of_result_still_has_a_table() -> None:
    assert ("status", "converged") in kinds.rows(Record("other", Status.converged, {}, {}))


def test_an_ignored_key_does_not_change_the_inputs() -> None:
    bare = {"kind": "few-body", "bilayer": {"spacing": 1.0}}
    assert make_study(bare).canonical() == make_study(bare | {"cell": {"holes": 4}}).canonical()
    assert make_study(bare).canonical() != make_study(bare | {"bilayer": {"spacing": 2.0}}).canonical()
