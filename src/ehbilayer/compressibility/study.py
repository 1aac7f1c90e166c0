"""All of a compressibility: one state or two on one torus, every route, other sizes, the limit, and the phonons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import WaveChoice
from ehbilayer.compressibility.bulk_modulus import (
    ROUTES,
    Modulus,
    StateOptions,
    basis_error,
    by_differences,
    modulus,
    reference,
    state_basis,
)
from ehbilayer.compressibility.result import (
    CompressibilityResult,
    Conventions,
    Parts,
    ScreenedPhonons,
    SizeRow,
    StateRow,
    SymmetricState,
)
from ehbilayer.compressibility.size_limit import (
    START_TOLERANCE,
    Size,
    converged_torus,
    extrapolate,
    gas_of,
    same_cutoff,
    size,
)
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.order import phase_name, sea_depletion
from ehbilayer.hooks import Hooks
from ehbilayer.numerics.lattice import Cell, crystal_cell, path_points, reduce_vectors
from ehbilayer.numerics.memory import require_memory
from ehbilayer.response.hole_lattice import LOCAL_FIELDS, ScreenedLattice
from ehbilayer.results.base import Carriers, Variable
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
            raise InputError("method", " | ".join(ROUTES), self.route, "choose one")
        if self.tolerance is not None and not self.tolerance > 0:
            raise InputError("tolerance", "an error of alpha^2 > 0", self.tolerance, "2e-3 is the default")
        for n in self.sizes if any(s.name == "hole" for s in self.tori[self.first].species) else ():
            if not _same_lattice(self.basis.box, self.first, n):
                raise InputError("sizes", f"numbers whose crystal has the shape of that of {self.first}"
                                 " in this box", n, "on a triangular torus 16, 36, 64, 100 and 144 do")


def plan_of(torus: Torus, options: StateOptions, *, sizes: Sequence[int] | None = None, route: str = "response",
            tolerance: float = 2e-3, waves: WaveChoice | None = None) -> Plan:
    """The plan for a torus and others of the same densities.

    Parameters
    ----------
    sizes : numbers of particles (holes, or electrons alone); by default those of the torus. The torus itself, or the
        first size where it is none of them, is looked at in full.
    route : as in `Plan`.   tolerance : of the basis in alpha^2, where its waves are not given.
    waves : of the torus that is looked at in full; by default as many as the tolerance asks for.

    Raises
    ------
    InputError : no electrons, electrons and holes of different numbers, dispersions that do not scale with the area,
        numbers that restricted spins do not share or whose crystals have another shape, more memory than there is.
    """
    reference(torus)
    counts = {s.name: s.count for s in torus.species if s.count}
    if len(set(counts.values())) > 1:
        raise InputError("electrons_per_hole", "1 for a compressibility, or electrons alone", counts,
                         "alpha^2 is that of the electron liquid on a hole crystal")
    for carrier in torus.bilayer.carriers:
        if not carrier.parabolic:
            raise InputError(f"{carrier.name} dispersion", "k^2/2m for a compressibility", "a function",
                             "only parabolic bands scale with the area")
    numbers = tuple(sorted(set(sizes or [torus.sites])))
    for s in torus.species:
        bad = [n for n in numbers if s.spin == "restricted" and n % s.flavours]
        if bad:
            raise InputError("sizes", f"multiples of {s.flavours} while {s.name}_spin is restricted", bad[0],
                             f"leave it out, or choose another {s.name}_spin")
    first = torus.sites if torus.sites in numbers else numbers[0]
    tori = {n: replace(torus, holes=n) if torus.holes is not None else replace(torus, electrons=n) for n in numbers}
    waves = waves or WaveChoice()
    if waves.argument in ("plane_waves", "hexagon") and first != torus.sites:
        raise InputError("sizes", f"a list with {torus.sites}, whose plane waves are given", numbers,
                         "add it, or give a cutoff or no plane waves at all")
    basis = PlaneWaveBasis(tori[first].box, waves.on(tori[first], START_TOLERANCE))
    # a free box has orbitals times points, the symmetric state those of one cell of the crystal
    needed = state_basis(tori[first], basis, options).estimate(tori[first])["memory_bytes"]
    require_memory(needed * (numbers[-1] / first) ** (1 if options.state == "symmetric" else 2), "sizes",
                   "smaller ones")
    return Plan(tori, basis, first, numbers, options, route, None if waves.named else tolerance)


def _same_lattice(box: Cell, first: int, other: int) -> bool:
    """Whether two numbers of sites make the same lattice in the box, up to its scale."""
    shapes = []
    for n in (first, other):
        v = reduce_vectors(np.linalg.inv(crystal_cell(box, n)) @ box.vectors)[0] * math.sqrt(n / box.area)
        shapes.append([v[0] @ v[0], v[1] @ v[1], abs(v[0] @ v[1])])
    return bool(np.allclose(shapes[0], shapes[1], rtol=1e-6))


def _solver(hooks: Hooks, label: str) -> dict[str, Any]:
    """The arguments of `bulk_modulus.modulus` that tell and stop."""

    def tell(state: dict[str, Any]) -> None:
        start = f"start {state['start']}, " if state.get("start", 1) > 1 else ""
        hooks.progress(f"{label}: {start}iteration {state['iteration']}, residual {state['residual']:.1e}")

    return {"progress": tell, "should_stop": hooks.should_stop}


def compute(plan: Plan, hooks: Hooks | None = None) -> CompressibilityResult:
    """The result of a plan: whatever happened, its status says how it ended."""
    hooks = hooks or Hooks()
    torus = plan.tori[plan.first]
    symmetric, error = _first(plan, torus, hooks)
    state = symmetric
    if plan.options.state == "lowest" and hooks.should_stop() is None:
        own = symmetric.end.hamiltonian.setting.basis
        state = modulus(torus, own, plan.options, **_solver(hooks, f"{plan.first} particles, free box"))
    methods = _methods(torus, state, hooks)
    rows = [size(torus, _routed(state, plan.route, methods), error)]
    earlier = hooks.unfinished.extra.get("finished_sizes", {}) if hooks.unfinished is not None else {}
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
            stopped: Status | None) -> CompressibilityResult:
    rows = sorted(rows, key=lambda r: r.particles)
    limit = extrapolate(rows) if len(rows) > 1 else None
    torus = plan.tori[plan.first]
    here = next(r for r in rows if r.particles == plan.first)
    value, doubt = (limit.value, limit.uncertainty) if limit else (here.state.alpha_squared,
                                                                   here.basis_error + here.solver_error)
    unit = math.sqrt(state.fermi_energy)  # v_0 = sqrt(eps_F/m_h)
    capacitor = _capacitor(torus, state)
    charged = value + (0.0 if torus.charged else capacitor)
    data, phonons = _lattice(torus)
    finished = {str(r.particles): kept(r) for r in rows if r.particles != plan.first and r.state.settled}
    return CompressibilityResult(
        # a status that is not None is why it ends early, whatever the states that were reached
        status=stopped or _status(rows), inputs=_inputs(plan, torus), data=_size_data(rows) | data,
        extra={} if stopped is None else {"finished_sizes": finished},
        alpha_squared=value, uncertainty=doubt, stable=value > 0, alpha=math.sqrt(value) if value > 0 else None,
        velocity=unit * math.sqrt(value) if value > 0 else None, velocity_unit=unit,
        bulk_modulus=value * state.reference, reference_bulk_modulus=state.reference, pressure=state.pressure,
        total_energy=state.energy, extrapolated=limit is not None, limit=limit, by_size=tuple(map(_row, rows)),
        method=plan.route, methods=methods,
        method_spread=max(methods.values()) - min(methods.values()) if len(methods) == 3 else None,
        by_zero_mode=Conventions(here.none, here.madelung), parts=Parts(state.fixed, state.relaxation),
        state=_state(plan, torus, state), basis_error=here.basis_error, solver_error=here.solver_error,
        basis_size=state.waves, residual=state.residual, response_residual=state.response_residual,
        capacitor=torus.charged, capacitor_shift=capacitor, with_capacitor=charged,
        without_capacitor=charged - capacitor,
        velocity_with_capacitor=unit * math.sqrt(charged) if charged > 0 else None,
        symmetric=None if state is symmetric else SymmetricState(symmetric.alpha_squared,
                                                                 symmetric.energy - state.energy),
        particles=Carriers({s.name: s.count for s in torus.species}), area=state.area, zero_mode=torus.zero_mode,
        fermi_energy=state.fermi_energy, rs_electron=torus.bilayer.carrier("electron").rs, uniform_gas=gas_of(torus),
        lattice=phonons)


def _status(rows: list[Size]) -> Status:
    for row in rows:
        if row.state.status is not Status.converged:
            return row.state.status
        if not row.state.settled:
            return Status.not_converged
    return Status.converged


def _row(row: Size) -> SizeRow:
    return SizeRow(row.particles, row.state.alpha_squared, row.none, row.madelung, row.gas, row.corrected,
                   row.state.status.value, row.state.energy / row.particles, row.state.waves)


def _state(plan: Plan, torus: Torus, state: Modulus) -> StateRow:
    """Which state alpha^2 belongs to."""
    orbitals = state.end.orbitals
    f = np.concatenate([x.flat for x in state.end.hamiltonian.setting.fillings])
    return StateRow(
        state.end.label, phase_name(torus, orbitals), state.state, state.occupation,
        bool(np.any((f > 1e-9) & (f < 1 - 1e-9))), plan.options.starts if state.state == "lowest" else 1,
        Carriers({s.name: sea_depletion(torus, orbitals, i) for i, s in enumerate(torus.species)}), state.end.aufbau,
        state.energy / state.particles)


def _capacitor(torus: Torus, state: Modulus) -> float:
    """What the geometric energy of the charged layers adds to alpha^2: 4 d/a_e for as many electrons as holes."""
    return 2 * torus.capacitor_energy / torus.area / state.reference  # E ~ 1/A


def _lattice(torus: Torus) -> tuple[dict[str, Variable], ScreenedPhonons | None]:
    """The independent route: sound of the screened hole lattice, and its branches; None where it does not apply."""
    filled = replace(torus.bilayer, carriers=tuple(replace(s.carrier, flavours=s.occupied_flavours)
                                                   for s in torus.species if s.count))
    try:
        lattices = {name: ScreenedLattice(filled, name) for name in LOCAL_FIELDS}
    except InputError:  # no balanced layers, or another interaction than Coulomb's
        return {}, None
    data: dict[str, Variable] = {}
    for name, lattice in lattices.items():
        q, distance, corners = path_points(lattice.cell, PER_SEGMENT)
        inner = np.linalg.norm(q, axis=1) > 0
        squared = np.zeros((len(q), 2))
        squared[inner] = lattice.squared(q[inner])
        data[f"phonon_squared_{name}"] = Variable(("phonon_q", "phonon_branch"), squared, "Ha_h^2",
                                                  f"omega^2 of the screened hole lattice, local field {name}")
    data["phonon_distance"] = Variable(("phonon_q",), distance, "1/a_h", "distance along the path")
    data["phonon_corners"] = Variable(("phonon_corner",), np.array([c[0] for c in corners]), "1/a_h", "corners")
    data["phonon_names"] = Variable(("phonon_corner",), np.array([c[1] for c in corners]), "1", "names of the corners")
    return data, ScreenedPhonons(lattices["none"].sound, lattices["exchange"].sound, lattice.zero_point)


def _size_data(rows: list[Size]) -> dict[str, Variable]:
    columns = {"particles": "particles in the box", "none": "alpha^2, zero mode none",
               "madelung": "alpha^2, zero mode madelung", "corrected": "madelung with the gas' finite-size error out"}
    return {f"size_{k}": Variable(("size",), np.array([getattr(r, k) for r in rows], dtype=float), "1", text)
            for k, text in columns.items()}


def _inputs(plan: Plan, torus: Torus) -> dict[str, Any]:
    return {"species": [s.parameters for s in torus.species],
            "spacing": torus.bilayer.spacing, "interaction": torus.bilayer.interaction.parameters,
            "zero_mode": torus.zero_mode, "capacitor": torus.capacitor,
            "sizes": list(plan.sizes), "method": plan.route, "state": plan.options.state,
            "occupation": plan.options.occupation, "box": plan.basis.box.vectors.tolist()}
