"""The lowest state of an electron-hole complex by the stochastic variational method with correlated Gaussians.

Steps: `make_complex` (particles, spin, break-up), `minimise` (select functions at random, refine them along the
gradient, select more until the energy stays), `Answer` (energy, uncertainty, bound or not), `densities`
(distances, pair correlations), `solve` (all of it as a `ComplexResult`). The exciton comes from its radial equation.
Hole atomic units.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.few_body.basis import Basis, first, grow, refine
from ehbilayer.few_body.complexes import Complex
from ehbilayer.few_body.densities import curves
from ehbilayer.few_body.gaussians import Functions
from ehbilayer.few_body.result import ComplexResult, Distances, described, identity
from ehbilayer.hooks import Hooks
from ehbilayer.numerics.memory import require_memory
from ehbilayer.results.base import Result, Variable
from ehbilayer.status import Status

REFINED = (20, 40, 80)  # numbers of functions at which all are moved along the gradient
REFINE_STEPS = 60
PAIR_BYTES = {2: 0, 3: 410, 4: 1400}  # particles -> memory for each pair of functions at most, measured
GROWTH = 1.4  # from there on, of the number of functions from one stage to the next
NEAR, FAR = 15.0, 4.0  # functions reach to 15 exciton sizes and to 4 decay lengths of the outer particle
EXACT = 1e-12  # relative accuracy of the radial equation
MORE = "raise few-body.max_functions, or loosen few-body.tolerance"
SAFETY = 1.5  # on the estimate of what further functions would gain
SLOW = 1.5  # power of the number of functions that their error falls with at least; 2.3 is usual
SHORTEST = 1.1  # smallest last step
SLOWEST = 0.85  # ratio of successive gains beyond which an extrapolation says nothing


@dataclass(frozen=True)
class Options:
    """How a complex is computed.

    tolerance : stop when the energy is known to this (Ha_h) and it is decided whether the complex is bound.
    seed : of the random functions.
    max_functions : the largest basis.
    """

    tolerance: float = 1e-6
    seed: int = 0
    max_functions: int = 500

    def __post_init__(self) -> None:
        if not 1e-13 <= self.tolerance <= 0.1:
            raise InputError("tolerance", "an energy error from 1e-13 to 0.1 (Ha_h)", self.tolerance,
                             "1e-6 is the default")
        if not 1 <= self.max_functions <= 5000:
            raise InputError("max_functions", "an integer from 1 to 5000", self.max_functions,
                             "500 is the default")


def require_room(complex: Complex, options: Options) -> None:
    """Raises InputError where the tables of the largest basis do not fit into the memory there is."""
    require_memory(PAIR_BYTES[len(complex.charges.masses)] * options.max_functions**2, "max_functions",
                   "fewer functions")


@dataclass(frozen=True, eq=False)
class Answer:
    """The lowest state found.

    Parameters
    ----------
    complex : what was computed.
    basis : functions and the state on them.
    history : number of functions and energy after every stage.
    reach : the longest length (a_h) that functions were drawn with.
    status : converged if ``uncertainty`` met the tolerance and ``bound`` is decided.
    """

    complex: Complex
    basis: Basis
    history: tuple[tuple[int, float], ...]
    reach: float
    status: Status

    @property
    def energy(self) -> float:
        """An upper bound of the energy in Ha_h."""
        return self.basis.energy

    @property
    def binding(self) -> float:
        """Energy of the lowest break-up minus energy (Ha_h): a lower bound of the binding energy."""
        return self.complex.threshold - self.energy

    @cached_property
    def uncertainty(self) -> float:
        """How far below ``energy`` the exact one is expected to lie at most (Ha_h).

        Before stages that merely add functions tell what more of them gain, it is what the second half of the functions
        gained, continued by the power law of SLOW, and no more than the distance to `Complex.floor`.
        """
        noise = self.basis.noise + EXACT * abs(self.energy)
        if self.known:
            return _remaining(self.history) + noise
        count = len(self.basis)
        few = self.basis.energy_of_first(count // 2) if count > 1 else math.inf
        # n functions are off by n^-SLOW: n/2 of them by 2^SLOW times as much
        left = (few - self.energy) / (2**SLOW - 1)
        return min(left, self.energy - self.complex.floor) + noise

    @property
    def known(self) -> bool:
        """Whether there have been enough stages to judge convergence by."""
        return math.isfinite(_remaining(self.history))

    @property
    def resolution(self) -> float:
        """The smallest binding energy (Ha_h) that this basis could show: the outer part must fit into its reach."""
        return max(self.uncertainty, _smallest_binding(self.complex, self.reach))

    @property
    def bound(self) -> bool | None:
        """True if bound; False if there is no state bound by more than ``resolution``; None if that is not decided."""
        if self.binding > self.basis.noise + EXACT * abs(self.energy):
            return True  # the energy is an upper bound
        return False if self.known and self.binding + self.uncertainty < self.resolution else None


def _remaining(history: tuple[tuple[int, float], ...]) -> float:
    """What further functions would gain: the last gain, or the sum of the geometric series if that is more.

    Only stages that merely add functions count: what comes right after a refinement gains little at first.
    """
    if len(history) < 3 or history[-3][0] < REFINED[-1]:
        return math.inf
    (_, a), (_, b), (_, c) = history[-3:]
    ratio = min((b - c) / (a - b), SLOWEST) if a > b else 0.0
    return SAFETY * max(b - c, 0.0) * max(1.0, ratio / (1 - ratio))


def _smallest_binding(complex: Complex, reach: float) -> float:
    """Binding energy whose outer decay length 1/sqrt(2 M E) is ``reach``/FAR."""
    return (FAR / reach) ** 2 / (2 * complex.outer_mass)


def _reach(complex: Complex, binding: float | None, tolerance: float) -> float:
    """How far functions must go: to the tail of a state bound by so much, or by a tenth of the tolerance."""
    near = NEAR * complex.exciton.mean_distance
    if binding is None:
        return near
    return max(near, FAR / math.sqrt(2 * complex.outer_mass * max(binding, 0.1 * tolerance)))


def minimise(complex: Complex, options: Options, *, start: Functions | None = None,
             told: Callable[[Answer], None] | None = None,
             should_stop: Callable[[], Status | None] | None = None) -> Answer:
    """Add and refine Gaussians until the energy stays.

    Parameters
    ----------
    complex, options : what, and how well.
    start : functions to start from, e.g. those of a neighbouring spacing.
    told : called after every stage.   should_stop : asked after every stage; a Status ends the search with it.

    Returns
    -------
    Answer; its status is not_converged if ``max_functions`` did not suffice.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # BLAS threads on small matrices only get in each other's way
        rng = np.random.default_rng(options.seed)
        reach = _reach(complex, None, options.tolerance)
        basis = (Basis.of(complex.charges, start) if start is not None
                 else first(complex.charges, complex.draw(500, reach, rng)))
        history: tuple[tuple[int, float], ...] = ()
        for count in _stages(len(basis), options.max_functions):
            if history:
                reach = max(reach, _reach(complex, complex.threshold - basis.energy, options.tolerance))
            basis = grow(basis, count, partial(_draw, complex, reach, rng), rng)
            if count <= REFINED[-1]:
                basis = refine(basis, REFINE_STEPS)
            history += ((len(basis), basis.energy),)
            answer = Answer(complex, basis, history, reach, Status.not_converged)
            if told is not None:
                told(answer)
            status = should_stop() if should_stop is not None else None
            if answer.known and answer.uncertainty <= options.tolerance and answer.bound is not None:
                status = Status.converged
            if status is not None:
                break
    return Answer(complex, basis, history, reach, status or Status.not_converged)


def _draw(complex: Complex, reach: float, rng: np.random.Generator, count: int) -> Functions:
    return complex.draw(count, reach, rng)


def _stages(present: int, most: int) -> list[int]:
    """Numbers of functions after each stage; the last ones in steps large enough to judge convergence by."""
    counts = [n for n in REFINED if present < n <= most] or [most if most < REFINED[0] else min(present, most)]
    while counts[-1] < most:
        counts.append(min(math.ceil(GROWTH * counts[-1]), most))
    if len(counts) > 1 and counts[-1] < SHORTEST * counts[-2]:
        del counts[-2]
    return counts


def solve(complex: Complex, options: Options, hooks: Hooks | None = None) -> ComplexResult:
    """The lowest state of a complex, with distances, pair correlations and the basis it was found in.

    Parameters
    ----------
    complex, options : what, and how well.
    hooks : what to start from, whom to tell, when to stop.

    Returns
    -------
    ComplexResult; an unbound complex is an answer (``bound`` false), not an error.
    """
    if complex.name == "exciton":
        return _exciton_result(complex)
    hooks, start = hooks or Hooks(), None
    if hooks.initial is not None:
        start = starting_functions(complex, hooks.initial, whole=hooks.resumed)

    def told(answer: Answer) -> None:
        hooks.progress(f"{len(answer.basis):4d} functions  energy {answer.energy:+.10f} Ha_h  binding "
                       f"{answer.binding:+.3e}  uncertainty {answer.uncertainty:.1e}")
        hooks.checkpoint(report(answer, Status.interrupted))

    return report(minimise(complex, options, start=start, told=told, should_stop=hooks.should_stop))


def starting_functions(complex: Complex, initial: Result, *, whole: bool) -> Functions | None:
    """The functions of an earlier result, stretched to the size of this exciton: all, or those refined together.

    None for a result without functions, or of other particles or another angular momentum.
    """
    if not isinstance(initial, ComplexResult) or "widths" not in initial.data:
        return None
    if (initial.complex_name, initial.spin, initial.angular_momentum) != (complex.name, complex.spin,
                                                                          complex.angular_momentum):
        return None
    stretch = complex.exciton.mean_distance / initial.exciton_size
    functions = Functions(initial.data["widths"].values / stretch**2, initial.data["vectors"].values / stretch)
    return functions if whole else functions[: REFINED[-1]]


def report(answer: Answer, status: Status | None = None) -> ComplexResult:
    """The result of an answer; its status unless another is given (an unfinished one has no densities)."""
    complex, basis = answer.complex, answer.basis
    final = status or answer.status
    axes = ("function", "coordinate", "other_coordinate")
    data = {"widths": Variable(axes, basis.functions.widths, "a_h^-2", "A of exp(-x.A x/2), x from the last particle"),
            "vectors": Variable(axes[:2], basis.functions.vectors, "1/a_h", "u of the factor (u.x)_+, for L = 1"),
            "coefficients": Variable(axes[:1], basis.coefficients, "1", "of the lowest state"),
            "stage_functions": Variable(("stage",), np.array([n for n, _ in answer.history]), "1", "basis size"),
            "stage_energy": Variable(("stage",), np.array([e for _, e in answer.history]), "Ha_h", "energy")}
    distances = Distances()
    if status is not Status.interrupted and answer.bound is not False:  # else as far apart as the functions reach
        more, distances = curves(complex, basis)
        data |= more
    return ComplexResult(
        status=final, advice=MORE if final is Status.not_converged else "", **described(complex),
        total_energy=answer.energy, binding_energy=answer.binding, uncertainty=answer.uncertainty, bound=answer.bound,
        resolution=answer.resolution, functions=len(basis), reach=answer.reach, round_off=basis.noise,
        distances=distances, inputs=_inputs(complex), data=data)


def _inputs(complex: Complex) -> dict[str, Any]:
    return {**identity(complex), "electron_mass": complex.electron_mass, "spacing": complex.spacing}


def _exciton_result(complex: Complex) -> ComplexResult:
    """The exciton: always bound, from the radial equation."""
    x = complex.exciton
    axis = ("radius_eh",)
    data = {"radius_eh": Variable(axis, x.radii, "a_h", "in-plane distance"),
            "pair_eh": Variable(axis, x.amplitude**2, "a_h^-2", "distance of e and h: density, norm 1")}
    return ComplexResult(status=Status.converged, **described(complex), total_energy=x.energy, binding_energy=-x.energy,
                         uncertainty=EXACT * abs(x.energy), bound=True, functions=len(x.radii),
                         distances=Distances(eh=x.mean_distance), inputs=_inputs(complex), data=data)
