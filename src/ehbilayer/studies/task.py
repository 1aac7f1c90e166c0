"""What the runner knows of a calculation: a task, which the kind of a study makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.results.base import Record, Result
from ehbilayer.status import Status
from ehbilayer.studies.bilayer import potential_said, splittings_of, temperature_of
from ehbilayer.studies.file import Study, digest
from ehbilayer.studies.kinds import study_kind
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.text import rough_time
from ehbilayer.units import Scales


@dataclass(frozen=True)
class Task:
    """A study, checked and ready to compute.

    Parameters
    ----------
    study : the study it was made from.
    scales : masses and units of the device.
    inputs : what identifies the calculation: equal inputs have equal results.
    resolved : every parameter, defaults included, in hole atomic units.
    plan : lines that say what is about to be computed.
    solve : computes; takes `Hooks`, returns a Result whatever happens short of a bug.
    seed : of the random numbers, where there are any.
    seconds : rough time on one core; None where nobody knows.
    extra : entries of the summary that the method does not know.
    carries : names of the arrays, or how they begin, that a neighbouring point of a sweep can start from; empty where
        it cannot.
    shared_out : one calculation is shared out among as many workers as are asked for.
    """

    study: Study
    scales: Scales
    inputs: dict[str, Any]
    resolved: dict[str, Any]
    plan: tuple[str, ...]
    solve: Callable[[Hooks], Result]
    seed: int | None = None
    seconds: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    carries: tuple[str, ...] = ()
    shared_out: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        """The plan with the rough time."""
        rough = () if self.seconds is None else (f"  estimate   {rough_time(self.seconds)} on one core",)
        return (*self.plan, *rough)

    @property
    def hash(self) -> str:
        """Digest of the inputs."""
        return digest(self.inputs)


def prepare(study: Study) -> Task:
    """The task of a study, checked; computes nothing but a critical r_s that is asked for.

    Numbers that leave the range of double precision end a calculation with ``not_finite``, never with a warning.

    Raises InputError for a study that cannot be computed: one line, the dotted key and the way out.
    """
    check_single(study)
    try:
        with by_key(study), _strict():
            temperature_of(study)
            potential_said(study)
            splittings_of(study)
            task: Task = study_kind(study.kind).part("prepare").prepare(study)
    except ArithmeticError as error:
        raise InputError(study.kind, "a study whose numbers stay finite", str(error),
                         "check masses, densities and lengths, and their units") from None

    def solve(run: Hooks) -> Result:
        try:
            with by_key(study), _strict():
                return task.solve(run)
        except (ArithmeticError, np.linalg.LinAlgError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return Record(study.kind, Status.not_finite, {"reason": reason}, {})

    return replace(task, solve=solve)


def _strict() -> np.errstate:
    """Within it overflow, division by zero and invalid operations are errors."""
    return np.errstate(over="raise", divide="raise", invalid="raise")


def check_single(study: Study) -> None:
    """Raises InputError for a study that is many points, or that is nothing without them."""
    if study.sweep is not None:
        raise InputError("sweep", "absent where one point is prepared", "given", "run the study, which sweeps it")
    points = study_kind(study.kind).points
    if points:
        raise InputError("sweep", f"given for a {study.kind.replace('-', ' ')}", "missing",
                         f'e.g. [sweep] "density.rs_hole" = [4, 6, 8]; or kind = "{points}" for one point')
