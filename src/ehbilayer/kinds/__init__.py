"""The kinds of study: one module each, which prepares the task of a study and words the table of its result."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ehbilayer.errors import InputError

if TYPE_CHECKING:
    from ehbilayer.results import Result
    from ehbilayer.study import Study
    from ehbilayer.task import Task

# kind -> module of this package, imported when it is needed
AVAILABLE = {"hartree-fock": "hartree_fock"}


def prepare(study: Study) -> Task:
    """The task of a study, checked; computes nothing but a critical r_s that is asked for.

    Raises InputError for a study that cannot be computed: one line, the dotted key and the way out.
    """
    if study.kind not in AVAILABLE:
        raise InputError("kind", f"available in this version ({', '.join(AVAILABLE)})", study.kind,
                         "the study file is valid; its kind needs a later version")
    if study.sweep is not None:
        raise InputError("sweep", "absent: sweeps are not available in this version", "given",
                         "remove [sweep] and run one study per point, e.g. with --set")
    task: Task = _module(study.kind).prepare(study)
    return task


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text. A kind without a table of its own shows its status."""
    if result.kind not in AVAILABLE:
        return [("kind", result.kind), ("status", result.status.value)]
    found: list[tuple[str, str]] = _module(result.kind).rows(result)
    return found


def _module(kind: str) -> Any:
    return import_module(f"ehbilayer.kinds.{AVAILABLE[kind]}")
