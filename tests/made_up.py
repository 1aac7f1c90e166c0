"""Results with made-up numbers, for tests of what is drawn and told from them."""

from typing import Any

import numpy as np

from ehbilayer.hartree_fock.result import HartreeFockResult, Stability
from ehbilayer.results.base import Carriers, Provenance, Variable
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


def state(**changes: Any) -> HartreeFockResult:
    """Four holes in a crystal of unit area, without arrays."""
    nobody: Carriers[float] = Carriers({"electron": None, "hole": None})
    given: dict[str, Any] = {
        "status": Status.converged, "total_energy": -4.0, "energy_per_particle": -1.0, "energy_parts": {},
        "pressure": None, "residual": 1e-9, "residual_target": 1e-7, "iterations": 3, "basis_size": 49, "k_points": 4,
        "particles": Carriers({"electron": None, "hole": 4}), "area": 1.0, "zero_mode": "none", "aufbau": True,
        "kept_symmetry": "crystal", "occupation": "integer", "density": nobody, "fermi_energy": nobody,
        "momentum_variance": nobody, "liquid_momentum_variance": nobody, "sea_depletion": nobody,
        "edge_occupation": 0.0, "phase": "crystal", "gap": Carriers({"electron": None, "hole": 0.5}),
        "gap_error": None, "starts": (), "stability": Stability()}
    return HartreeFockResult(**given | changes)
