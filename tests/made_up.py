"""Sweeps with made-up numbers, for tests of what is drawn and told from them."""

from typing import Any

import numpy as np

from ehbilayer.results.base import Provenance, Variable
from ehbilayer.status import Status
from ehbilayer.studies.axes import AXIS_UNITS, SWEPT
from ehbilayer.sweep.result import SweepResult, stacked


def sweep(data: dict[str, Variable], axes: dict[str, Any] | None = None, *, points: int = 0, mode: str = "grid",
          hole_mass: float | None = None, status: Status = Status.converged) -> SweepResult:
    """A sweep with these arrays, those of candidates called ``energies.liquid``, ..."""
    resolved = {"first_point": {"bilayer": {"hole_mass": hole_mass}}}
    return SweepResult(status=status, study_kind="phase-diagram", points=points, done=points, failed=0, mode=mode,
                       axes=axes or {}, data=stacked(data), provenance=Provenance(resolved=resolved))


def phase_map(axes: dict[str, Any], energies: dict[str, np.ndarray], more: dict[str, Variable],
              hole_mass: float) -> SweepResult:
    """A map of phases whose candidates all ended as what they are called."""
    dims, shape = tuple(axes), next(iter(energies.values())).shape
    stack = np.array(list(energies.values()))
    order = np.sort(stack, axis=0)
    data = {key: Variable((key,), np.array(values), AXIS_UNITS.get(key, "1"), SWEPT) for key, values in axes.items()}
    for name, energy in energies.items():
        data |= {f"energies.{name}": Variable(dims, energy, "Ha_h"),
                 f"ended_as.{name}": Variable(dims, np.full(shape, name, "U20"), "1"),
                 f"statuses.{name}": Variable(dims, np.full(shape, "converged", "U20"), "1")}
    data |= {"status": Variable(dims, np.full(shape, "converged"), "1"),
             "winner": Variable(dims, np.array(list(energies))[stack.argmin(axis=0)], "1"),
             "margin": Variable(dims, order[1] - order[0], "Ha_h")}
    return sweep(data | more, axes, points=int(np.prod(shape)), hole_mass=hole_mass)
