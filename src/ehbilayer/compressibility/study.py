"""A whole compressibility study: one state or two on one torus, all routes, other sizes, the limit, and the phonons."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.compressibility.bulk_modulus import ROUTES, Modulus, StateOptions, basis_error, by_differences, modulus
from ehbilayer.compressibility.lattice_plasmon import ScreenedLattice
from ehbilayer.compressibility.size_limit import (
    Size,
    converged_torus,
    electron_gas,
    extrapolate,
    gas_of,
    same_cutoff,
    size,
)
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.order import phase_name, sea_depletion
from ehbilayer.hooks import Hooks
from ehbilayer.numerics.lattice import Cell, crystal_cell, path_points, reduce_vectors
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.status import Status
from ehbilayer.torus import Torus

PER_SEGMENT = 30  # wave vectors along each line of the phonon path


@dataclass(frozen=True)
class Plan:
    """What a study computes.

    tori : by the number of particles (holes, or electrons alone).   basis : of the first size.
    first : the torus that is looked at in full.   sizes : all of them.   options : the state.
    route : ``response``, ``pressure`` or ``energy``.   tolerance : of the basis in alpha^2; None keeps the basis.
    """

    tori: dict[int, Torus]
    basis: PlaneWaveBasis
    first: int
    sizes: tuple[int, ...]
    options: StateOptions = field(default_factory=StateOptions)
    route: str = "response"
    tolerance: float | None = None

    def __post_init__(self) -> None:
        if self.route not in ROUTES:
            raise InputError("compressibility.method", " | ".join(ROUTES), self.route, "choose one")
        for n in self.sizes if any(s.name == "hole" for s in self.tori[self.first].species) else ():
            if not _same_lattice(self.basis.box, self.first, n):
                raise InputError("compressibility.sizes", f"numbers whose crystal has the shape of that of {self.first}"
                                 " in this box", n, "on a triangular torus 16, 36, 64, 100 and 144 do")


def _same_lattice(box: Cell, first: int, other: int) -> bool:
    """Whether two numbers of sites make the same lattice in the box, up to its scale."""
    shapes = []
    for n in (first, other):
        v = reduce_vectors(np.linalg.inv(crystal_cell(box, n)) @ box.vectors)[0] * math.sqrt(n / box.area)
        shapes.append([v[0] @ v[0], v[1] @ v[1], abs(v[0] @ v[1])])
    return bool(np.allclose(shapes[0], shapes[1], rtol=1e-6))


def _solver(hooks: Hooks, label: str) -> dict[str, Any]:
    """The arguments of `bulk_modulus.torus` that tell and stop."""

    def tell(state: dict[str, Any]) -> None:
        start = f"start {state['start']}, " if state.get("start", 1) > 1 else ""
        hooks.progress(f"{label}: {start}iteration {state['iteration']}, residual {state['residual']:.1e}")

    return {"progress": tell, "should_stop": hooks.should_stop}


def compute(plan: Plan, hooks: Hooks | None = None) -> Result:
    """The Result of kind ``compressibility``: whatever happened, its status says how it ended."""
    hooks = hooks or Hooks()
    torus = plan.tori[plan.first]
    symmetric, error = _first(plan, torus, hooks)
    state = symmetric
    if plan.options.state == "lowest" and hooks.should_stop() is None:
        own = symmetric.end.hamiltonian.setting.basis
        state = modulus(torus, own, plan.options, **_solver(hooks, f"{plan.first} particles, free box"))
    methods = _methods(torus, state, hooks)
    rows = [size(torus, _routed(state, plan.route, methods), error)]
    earlier = hooks.unfinished.summary.get("finished_sizes", {}) if hooks.unfinished is not None else {}
    report = partial(_result, plan, state, symmetric, methods)
    for n in (n for n in plan.sizes if n != plan.first):
        if hooks.should_stop() is not None:
            break
        rows.append(restored(earlier[str(n)]) if str(n) in earlier else _other(plan, n, state, error, hooks))
        if hooks.should_stop() is None:
            hooks.checkpoint(report(rows, Status.interrupted))
    return report(rows, hooks.should_stop())


def _other(plan: Plan, n: int, state: Modulus, error: float, hooks: Hooks) -> Size:
    """Another size of the series, at the cutoff of the first."""
    basis = same_cutoff(state, plan.tori[n].box)
    here = plan.tori[n]
    other = modulus(here, basis, plan.options, **_solver(hooks, f"{n} particles"))
    found = {} if plan.route == "response" else {plan.route: by_differences(here, other, plan.route)}
    return size(here, _routed(other, plan.route, found), error)


def kept(row: Size) -> dict[str, Any]:
    """The numbers of a finished size, for a result that may be resumed."""
    state = {f.name: getattr(row.state, f.name) for f in fields(Modulus) if f.name != "end"}
    return {f.name: getattr(row, f.name) for f in fields(Size) if f.name != "state"} | {"state": state}


def restored(numbers: dict[str, Any]) -> Size:
    """The size that `kept` tells of; its orbitals are not kept."""
    state = Modulus(**numbers["state"] | {"status": Status(numbers["state"]["status"])}, end=None)
    return Size(**numbers | {"state": state})


def _first(plan: Plan, torus: Torus, hooks: Hooks) -> tuple[Modulus, float]:
    """The symmetric state of the torus that is looked at in full, and what its basis leaves open."""
    options = replace(plan.options, state="symmetric")
    how = _solver(hooks, f"{plan.first} particles")
    if plan.tolerance is not None:
        return converged_torus(torus, plan.basis, options, plan.tolerance, **how)
    state = modulus(torus, plan.basis, options, **how)
    usable = state.status is Status.converged and hooks.should_stop() is None
    return state, basis_error(torus, state, options) if usable else math.inf


def _methods(torus: Torus, state: Modulus, hooks: Hooks) -> dict[str, float]:
    """alpha^2 by every route; the response alone where it is time to stop."""
    found = {"response": state.alpha_squared}
    for route in ROUTES[1:]:
        if hooks.should_stop() is None and state.status is Status.converged:
            hooks.progress(f"{state.particles} particles: by differences of the {route}")
            found[route] = by_differences(torus, state, route)
    return found


def _routed(state: Modulus, route: str, methods: dict[str, float]) -> Modulus:
    value = methods.get(route, state.alpha_squared)
    return replace(state, alpha_squared=value, bulk_modulus=value * state.reference)


def _result(plan: Plan, state: Modulus, symmetric: Modulus, methods: dict[str, float], rows: list[Size],
            stopped: Status | None) -> Result:
    rows = sorted(rows, key=lambda r: r.particles)
    limit = extrapolate(rows) if len(rows) > 1 else None
    torus = plan.tori[plan.first]
    here = next(r for r in rows if r.particles == plan.first)
    value, doubt = (limit.value, limit.uncertainty) if limit else (here.state.alpha_squared,
                                                                   here.basis_error + here.solver_error)
    velocity_unit = math.sqrt(state.fermi_energy)  # v_0 = sqrt(eps_F/m_h)
    capacitor = _capacitor(torus, state)
    charged = value + (0.0 if torus.capacitor else capacitor)
    summary: dict[str, Any] = {
        "alpha_squared": value, "uncertainty": doubt, "stable": value > 0,
        "alpha": math.sqrt(value) if value > 0 else None,
        "velocity": velocity_unit * math.sqrt(value) if value > 0 else None, "velocity_unit": velocity_unit,
        "bulk_modulus": value * state.reference, "reference_bulk_modulus": state.reference,
        "pressure": state.pressure, "energy": state.energy, "extrapolated": limit is not None,
        "limit": None if limit is None else {"value": limit.value, "uncertainty": limit.uncertainty,
                                             "slope": limit.slope, "left_out": limit.left_out},
        "by_size": [_row(r) for r in rows], "method": plan.route, "methods": methods,
        "method_spread": max(methods.values()) - min(methods.values()) if len(methods) == 3 else None,
        "by_zero_mode": {"none": here.none, "madelung": here.madelung},
        "parts": {"fixed_orbitals": state.fixed, "relaxation": state.relaxation},
        "state": _state(plan, torus, state), "basis_error": here.basis_error, "solver_error": here.solver_error,
        "basis_size": state.waves, "residual": state.residual, "response_residual": state.response_residual,
        "capacitor": torus.capacitor, "capacitor_shift": capacitor,
        "with_capacitor": charged, "without_capacitor": charged - capacitor,
        "velocity_with_capacitor": velocity_unit * math.sqrt(charged) if charged > 0 else None,
        "symmetric": None if state is symmetric else {
            "alpha_squared": symmetric.alpha_squared, "energy_above": symmetric.energy - state.energy},
        "particles": {s.name: s.count for s in torus.species}, "area": state.area, "zero_mode": torus.zero_mode,
        "fermi_energy": state.fermi_energy, **_references(torus, state),
    }
    data, phonons = _lattice(torus, state)
    summary["lattice"] = phonons
    if stopped is not None:
        summary["finished_sizes"] = {str(r.particles): kept(r) for r in rows
                                     if r.particles != plan.first and r.state.settled}
    # a status that is not None is why it ends early, whatever the states that were reached
    return Record("compressibility", stopped or _status(rows), summary, _inputs(plan, torus), _size_data(rows) | data)


def _status(rows: list[Size]) -> Status:
    for row in rows:
        if row.state.status is not Status.converged:
            return row.state.status
        if not row.state.settled:
            return Status.not_converged
    return Status.converged


def _row(row: Size) -> dict[str, Any]:
    return {"particles": row.particles, "alpha_squared": row.state.alpha_squared, "none": row.none,
            "madelung": row.madelung, "gas": row.gas, "corrected": row.corrected, "status": row.state.status.value,
            "energy_per_site": row.state.energy / row.particles, "basis_size": row.state.waves}


def _state(plan: Plan, torus: Torus, state: Modulus) -> dict[str, Any]:
    """Which state alpha^2 belongs to."""
    orbitals = state.end.orbitals
    depletion = {s.name: sea_depletion(torus, orbitals, i) for i, s in enumerate(torus.species)}
    f = np.concatenate([x.flat for x in state.end.hamiltonian.setting.fillings])
    return {"candidate": state.end.label, "phase": phase_name(torus, orbitals), "kept": state.state,
            "occupation": state.occupation, "open_shell": bool(np.any((f > 1e-9) & (f < 1 - 1e-9))),
            "starts": plan.options.starts if state.state == "lowest" else 1, "sea_depletion": depletion,
            "aufbau": state.end.aufbau, "energy_per_site": state.energy / state.particles}


def _capacitor(torus: Torus, state: Modulus) -> float:
    """What the geometric energy of the charged layers adds to alpha^2: 4 d/a_e for as many electrons as holes."""
    return 2 * torus.capacitor_energy / torus.area / state.reference  # E ~ 1/A


def _references(torus: Torus, state: Modulus) -> dict[str, Any]:
    return {"rs_electron": electron_gas(torus)[0], "uniform_gas": gas_of(torus)}


def _lattice(torus: Torus, state: Modulus) -> tuple[dict[str, Variable], dict[str, Any] | None]:
    """The independent route for balanced layers: sound of the screened hole lattice, and its branches."""
    found = {s.name: s for s in torus.species if s.count}
    if set(found) != {"electron", "hole"} or found["electron"].count != found["hole"].count:
        return {}, None
    if torus.bilayer.interaction.name != "coulomb":  # its sums over the lattice are Coulomb's
        return {}, None
    electron = found["electron"]
    rs, flavours = electron_gas(torus)
    told: dict[str, Any] = {}
    data: dict[str, Variable] = {}
    for name in ("none", "exchange"):
        lattice = ScreenedLattice(electron.mass, torus.bilayer.spacing, rs, flavours, name)
        sound = lattice.sound
        told[name] = {"longitudinal": sound.longitudinal, "transverse": sound.transverse, "bulk": sound.bulk,
                      "bulk_without_capacitor": sound.bulk - 4 * torus.bilayer.spacing * electron.mass * flavours / 2}
        q, distance, corners = path_points(lattice.cell, PER_SEGMENT)
        inner = np.linalg.norm(q, axis=1) > 0
        squared = np.zeros((len(q), 2))
        squared[inner] = lattice.squared(q[inner])
        data[f"phonon_squared_{name}"] = Variable(("phonon_q", "phonon_branch"), squared, "Ha_h^2",
                                                  f"omega^2 of the screened hole lattice, local field {name}")
    told["zero_point"] = lattice.zero_point
    data["phonon_distance"] = Variable(("phonon_q",), distance, "1/a_h", "distance along Gamma-K-M-Gamma")
    data["phonon_corners"] = Variable(("phonon_corner",), np.array([c[0] for c in corners]), "1/a_h", "corners")
    return data, told


def _size_data(rows: list[Size]) -> dict[str, Variable]:
    columns = {"particles": "particles in the box", "none": "alpha^2, zero mode none",
               "madelung": "alpha^2, zero mode madelung", "corrected": "madelung with the gas' finite-size error out"}
    return {f"size_{k}": Variable(("size",), np.array([getattr(r, k) for r in rows], dtype=float), "1", text)
            for k, text in columns.items()}


def _inputs(plan: Plan, torus: Torus) -> dict[str, Any]:
    return {"species": [s.parameters for s in torus.species],
            "spacing": torus.bilayer.spacing, "zero_mode": torus.zero_mode, "capacitor": torus.capacitor,
            "sizes": list(plan.sizes), "method": plan.route, "state": plan.options.state,
            "occupation": plan.options.occupation, "box": plan.basis.box.vectors.tolist()}
