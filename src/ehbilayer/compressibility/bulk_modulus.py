r"""Bulk modulus of the electron liquid on a hole crystal, and the velocity of its acoustic plasmon.

    B = A d^2E/dA^2 at fixed particle numbers and spacing,   B_0 = n eps_F,   alpha^2 = B/B_0 = (v/v_0)^2

with n and eps_F = k_F^2/2m_e of the electrons, v^2 = B/rho and v_0^2 = eps_F/m_h (Bohm and Staver). Three routes from
one converged state, occupations and integer wave vectors fixed:

    response   the exact second derivative, `response.area_response`
    pressure   central difference of the exact dE/dA (Hellmann-Feynman)
    energy     second difference of E, as in the paper

A negative alpha^2 is an instability of the uniform density at this level; no root is taken of it.

Sources: Nashabeh & Fu (2026), Eq. 6 and Supplemental Material; Bohm & Staver, Phys. Rev. 84, 836 (1951).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import disk_waves
from ehbilayer.compressibility.response import AreaResponse, area_response
from ehbilayer.errors import InputError
from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.guesses import guess
from ehbilayer.hartree_fock.observables import fermi_energy
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.starts import NOISE
from ehbilayer.hartree_fock.stationary import Calculation, End, Monitor, converge, kept_basis, lowest
from ehbilayer.interaction.area_derivative import AreaDerivative
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.numerics.minimize import minimise
from ehbilayer.status import Status
from ehbilayer.torus import Torus

STATES = ("symmetric", "lowest")
ROUTES = ("response", "pressure", "energy")
STEPS = {"pressure": 0.01, "energy": 0.02}  # relative changes of the area; the stencils' errors are of fourth order
GROWTH = 1.25  # of the largest wave number, for the error of the basis
RESPONSE_TARGET = 1e-4  # relative residual of the linear response; alpha^2 is good to its square
SOLVER_DOUBT = 10.0  # residual/eps_F to the error of alpha^2


@dataclass(frozen=True)
class StateOptions:
    """Which state, and how well.

    state : ``symmetric`` keeps the translations of the hole lattice; ``lowest`` frees the whole box and keeps the
        lowest of ``starts`` starts, of which all but the first carry noise of ``seed``.
    occupation : ``shell`` fills an open electron shell equally, ``integer`` does not (the lowest state always has
        whole orbitals).
    tolerance : of the energy per particle (Ha_h), see `hartree_fock.solver.Options`.
    """

    state: str = "symmetric"
    occupation: str = "shell"
    tolerance: float = 1e-10
    starts: int = 3
    seed: int = 0
    max_iterations: int = 3000

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise InputError("state", " | ".join(STATES), self.state, "choose one")
        if not 1e-14 <= self.tolerance < 1:
            raise InputError("solver_tolerance", "an energy (Ha_h) between 1e-14 and 1", self.tolerance,
                             "1e-10 is the default")
        if self.starts < 1:
            raise InputError("starts", "an integer >= 1", self.starts, "choose a larger one")
        self.hartree_fock("liquid")  # which refuses what else is wrong

    def hartree_fock(self, start: str) -> Options:
        """The options of the Hartree-Fock calculation."""
        free = self.state == "lowest"
        return Options(start=start, occupation="integer" if free else self.occupation, tolerance=self.tolerance,
                       stability="none", spectrum=not free, max_iterations=self.max_iterations)


@dataclass(frozen=True)
class Modulus:
    """alpha^2 of one state on one torus.

    Parameters
    ----------
    alpha_squared : B/B_0.   fixed, relaxation : its parts at fixed orbitals and from their response.
    bulk_modulus, reference : B and B_0 in Ha_h/a_h^2.   pressure : -dE/dA in Ha_h/a_h^2.   energy : in Ha_h.
    particles : holes, or electrons where there are none.   area : a_h^2.   fermi_energy : eps_F in Ha_h.
    self_exchange : sum over all particles of f^2, the weight of the zero-mode term of exchange.
    zero_mode_shift : what the Madelung term adds to alpha^2 over that of ``none``; the orbitals do not depend on it.
    residual : of the state (Ha_h).   response_residual : relative, of the linear response.   waves : of the basis.
    status, state, occupation, zero_mode : how it ended, and what it belongs to.
    end : the state itself; None where only its numbers are known.
    """

    alpha_squared: float
    fixed: float
    relaxation: float
    bulk_modulus: float
    reference: float
    pressure: float
    energy: float
    particles: int
    area: float
    fermi_energy: float
    self_exchange: float
    zero_mode_shift: float
    residual: float
    response_residual: float
    waves: int
    status: Status
    state: str
    occupation: str
    zero_mode: str
    end: Any

    def in_convention(self, zero_mode: str) -> float:
        """alpha^2 of the same state in the convention ``none`` or ``madelung``."""
        return self.alpha_squared + self.zero_mode_shift * ((zero_mode == "madelung") - (self.zero_mode == "madelung"))

    @property
    def settled(self) -> bool:
        """Whether state and response both converged."""
        return self.status is Status.converged and self.response_residual <= RESPONSE_TARGET

    @property
    def solver_error(self) -> float:
        """Estimate of what the residuals leave open in alpha^2."""
        return SOLVER_DOUBT * self.residual / self.fermi_energy + abs(self.relaxation) * self.response_residual


def reference(torus: Torus) -> tuple[float, float]:
    """B_0 = n eps_F (Ha_h/a_h^2) and eps_F (Ha_h) of the free electrons.

    Raises InputError without electrons.
    """
    for i, s in enumerate(torus.species):
        if s.name == "electron" and s.count:
            level = fermi_energy(torus, i)
            return s.count / torus.area * level, level
    raise InputError("electrons", "in the box: alpha^2 refers to their Fermi gas", "none", "add electrons")


def find_state(torus: Torus, basis: PlaneWaveBasis, options: StateOptions, *,
               progress: Callable[[dict[str, Any]], None] | None = None,
               should_stop: Callable[[], Status | None] | None = None) -> End:
    """Converge the state on the waves of ``basis``; with several starts the lowest converged one."""
    solver = options.hartree_fock("hole-crystal" if _holes(torus) else "liquid")
    own = state_basis(torus, basis, options)
    run, ends = Calculation(torus, own, solver, Monitor(torus, solver, progress, should_stop)), []
    for number in range(options.starts if options.state == "lowest" else 1):
        run.monitor.start = number + 1
        begin = guess(torus, own, solver.start, occupation=solver.occupation, seed=options.seed + number,
                      noise=NOISE if number else 0.0)
        ends.append(converge(run, begin, number))
        if run.monitor.stopped is not None:
            break
    return lowest(ends)


def _holes(torus: Torus) -> bool:
    return any(s.name == "hole" and s.count for s in torus.species)


def state_basis(torus: Torus, basis: PlaneWaveBasis, options: StateOptions) -> PlaneWaveBasis:
    """The waves of ``basis`` in the blocks of a state: one for a free box, else those of the crystal or the liquid."""
    if options.state == "lowest":
        return PlaneWaveBasis(basis.box, basis.waves)
    if _holes(torus):
        return PlaneWaveBasis(basis.box, basis.waves, crystal_cell(basis.box, torus.sites))
    return kept_basis(torus, basis, "translations")


def modulus(torus: Torus, basis: PlaneWaveBasis, options: StateOptions | None = None, *, end: End | None = None,
            progress: Callable[[dict[str, Any]], None] | None = None,
            should_stop: Callable[[], Status | None] | None = None) -> Modulus:
    """alpha^2 of one state on one torus by linear response.

    Parameters
    ----------
    torus, basis : as for `hartree_fock.solver.solve`; the box and the waves of the basis are used.
    options : which state; see `StateOptions`.   end : the state, where it is known.
    progress, should_stop : as for `hartree_fock.solver.solve`.
    """
    options = options or StateOptions()
    if end is None:
        end = find_state(torus, basis, options, progress=progress, should_stop=should_stop)
    stop = should_stop or (lambda: None)
    found = area_response(end.hamiltonian, end.frames, stop=lambda: stop() is not None)
    return _report(torus, end, options, found)


def _report(torus: Torus, end: End, options: StateOptions, found: AreaResponse) -> Modulus:
    setting, area = end.hamiltonian.setting, torus.area
    base, level = reference(torus)
    scale = area * base
    squares = [c.degeneracy * float(np.sum(f.f**2)) for c, f in zip(setting.channels, setting.fillings, strict=True)]
    bends = [zero_mode_bend(torus, layer) - zero_mode_bend(torus, layer, "none")
             for layer in (torus.species[c.species].layer for c in setting.channels)]
    return Modulus(
        alpha_squared=area * found.curvature(area) / base, fixed=(found.fixed - found.first) / scale,
        relaxation=found.response.relaxation / scale, bulk_modulus=area * found.curvature(area), reference=base,
        pressure=-found.first / area, energy=end.energy, particles=torus.sites, area=area, fermi_energy=level,
        self_exchange=sum(squares), zero_mode_shift=-0.5 * float(np.dot(squares, bends)) / scale,
        residual=float(end.minimum.residual[0]), response_residual=found.response.residual, waves=setting.basis.size,
        status=end.status, state=options.state, occupation=options.hartree_fock("liquid").occupation,
        zero_mode=torus.zero_mode, end=end)


def zero_mode_bend(torus: Torus, layer: int, zero_mode: str = "madelung") -> float:
    """A^2 d^2M/dA^2 (Ha_h) of the q = 0 element M of exchange in a layer of the torus, in this convention."""
    base, vectors = torus.bilayer.interaction, torus.box.vectors
    first, second = (AreaDerivative(base, order).element(zero_mode, vectors, layer, layer) for order in (1, 2))
    return second - first


def by_differences(torus: Torus, state: Modulus, route: str) -> float:
    """alpha^2 by the route ``pressure`` or ``energy``: fourth-order differences of states at five areas.

    Every state is converged anew at its own area from this one, with the same occupations and integer waves.
    """
    step = STEPS[route]
    shifts = [-2, -1, 1, 2] if route == "pressure" else [-2, -1, 0, 1, 2]
    energies, slopes = np.array([_at_area(torus, state.end, 1 + s * step) for s in shifts]).T
    if route == "pressure":
        second = (slopes @ np.array([1, -8, 8, -1])) / (12 * step)
    else:
        second = (energies @ np.array([-1, 16, -30, 16, -1])) / (12 * step**2) / state.area
    return float(second / state.reference)


def _at_area(torus: Torus, end: End, factor: float) -> tuple[float, float]:
    """Energy and dE/dA of the state converged at ``factor`` times its area."""
    setting = end.hamiltonian.setting
    basis, here = setting.basis, torus.scaled(factor * torus.area)
    scaled = PlaneWaveBasis(here.box, basis.waves, basis.supercell, basis.real)
    hamiltonian = Hamiltonian(replace(setting, basis=scaled, tori=[here]), end.hamiltonian.makers)
    target = max(float(end.minimum.residual[0]), 1e-9)
    found = minimise(EnergyProblem(hamiltonian), end.frames, residual=target, max_iterations=3000)
    return float(found.energy[0]), float(hamiltonian.area_derivative(found.frames)[0])


def basis_error(torus: Torus, state: Modulus, options: StateOptions) -> float:
    """What a basis that reaches GROWTH times as far changes in alpha^2; the state is carried over and converged there.

    Cutoff errors fall several times with it, so this bounds what is left.
    """
    more = larger(state.end)
    return part_change(state, modulus(torus, more, options, end=carried(torus, state.end, more, options)))


def part_change(before: Modulus, after: Modulus) -> float:
    """The larger change of the two parts of alpha^2; their errors have opposite signs and may cancel by chance."""
    return max(abs(after.fixed - before.fixed), abs(after.relaxation - before.relaxation))


def larger(end: End) -> PlaneWaveBasis:
    """The basis of a state, with all waves up to GROWTH times its largest wave number."""
    basis = end.hamiltonian.setting.basis
    cutoff = GROWTH * float(np.linalg.norm(basis.waves @ basis.box.reciprocal, axis=1).max())
    return PlaneWaveBasis(basis.box, disk_waves(basis.box, cutoff), basis.supercell, basis.real)


def carried(torus: Torus, end: End, basis: PlaneWaveBasis, options: StateOptions) -> End:
    """The state converged on another basis of its blocks, such as a `larger` one."""
    solver = replace(options.hartree_fock(end.label), spectrum=False)
    run = Calculation(torus, basis, solver, Monitor(torus, solver))
    return converge(run, end.orbitals.on(torus, basis))
