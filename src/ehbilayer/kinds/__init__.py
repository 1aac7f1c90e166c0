"""The kinds of study: one module each, which prepares the task of a study and words the table of its result."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ehbilayer.errors import InputError

if TYPE_CHECKING:
    from ehbilayer.results import Result
    from ehbilayer.study.file import Study
    from ehbilayer.task import Task

# kind -> module of this package, imported when it is needed
AVAILABLE = {"hartree-fock": "hartree_fock", "condensate": "condensate", "phases": "phases", "crystal": "crystal",
             "phonons": "phonons", "few-body": "few_body", "compressibility": "compressibility",
             "pairing": "pairing", "device": "device"}


def prepare(study: Study) -> Task:
    """The task of a study, checked; computes nothing but a critical r_s that is asked for.

    Raises InputError for a study that cannot be computed: one line, the dotted key and the way out.
    """
    check_single(study)
    task: Task = _module(study.kind).prepare(study)
    return task


def check_single(study: Study) -> None:
    """Raises InputError for a study that is many points, or that is nothing without them."""
    if study.sweep is not None:
        raise InputError("sweep", "absent where one point is prepared", "given", "run the study, which sweeps it")
    if study.kind not in AVAILABLE:  # phase-diagram
        raise InputError("sweep", "given for a phase diagram", "missing",
                         'e.g. [sweep] "density.rs_hole" = [4, 6, 8]; or kind = "phases" for one point')


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text. A kind without a table of its own shows its status."""
    if result.kind == "sweep":
        from ehbilayer.kinds.sweep import rows as rows_of_sweep

        return rows_of_sweep(result)
    if result.kind not in AVAILABLE:
        return [("kind", result.kind), ("status", result.status.value)]
    found: list[tuple[str, str]] = _module(result.kind).rows(result)
    return found


def _module(kind: str) -> Any:
    return import_module(f"ehbilayer.kinds.{AVAILABLE[kind]}")
