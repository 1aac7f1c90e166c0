"""The spacing of the layers at which a complex falls apart, extrapolated with the law that holds there.

Outside the reach of the short-range forces, the parts of the lowest break-up (an exciton and a carrier, or two
excitons) move in V(R) = c_3/R^3 - c_4/R^4, and psi'' + psi'/R = 2 M (V + E_b) psi. Let l(E_b) be the logarithmic
derivative of the decaying solution at a radius R_0 (`decay`). What is inside R_0 is analytic in the spacing and in l,
so to first order

    E_b = a_0 + a_1 x + a_2 x^2 + ... + g [l(E_b) - l(0)],    x = d - d_0

with l(E_b) - l(0) known: near the threshold it goes like 1/ln E_b, which is the two-dimensional law E_b ~ exp(-const /
(d_c - d)), and farther away it is smooth. At the critical spacing E_b = 0, so d_c is the root of the polynomial. The
coefficients follow from linear least squares over computed binding energies. g is small where a barrier (c_3 > 0, large
d) keeps the parts together: then E_b looks linear down to very small values, and the logarithm still moves the root.

Between two gates nothing is left of the forces beyond R_0, and no barrier: g is large, and E_b falls by many orders of
magnitude long before the threshold. There the same law is solved for l,

    l(E_b) - l(0) = b_0 + b_1 x + b_2 x^2 + ... + c E_b,

whose left side goes to 0 like 1/ln E_b and is the smooth one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ehbilayer.few_body.complexes import Complex, make_complex
from ehbilayer.few_body.gaussians import Functions
from ehbilayer.few_body.variational import REFINED, Answer, Options, minimise
from ehbilayer.hooks import silent
from ehbilayer.interaction.screened import Screened
from ehbilayer.status import Status

STOPPED = (Status.interrupted, Status.timeout)
MOST_POINTS = 40  # binding energies computed
FUNCTIONS = 160  # usual ones of each: minutes for d_c to a hundredth or better; hours with those of one energy
GAPS = (0.4, 0.3, 0.23, 0.17, 0.13, 0.1, 0.08, 0.062, 0.048, 0.037, 0.028, 0.021, 0.015, 0.01)  # 1 - d/d_c of points
CLOSE, WIDE = 0.2, 0.45  # gaps of the points that are extrapolated: close ones if they suffice
LEAST = 5  # points for an extrapolation
USEFUL = 15.0  # least ratio of a binding energy to its uncertainty
LONGEST = 30.0  # decay length of the outer particle, in R_0, beyond which Gaussians do not follow it well enough
LONGEST_GATED = 100.0  # the same between gates, where R_0 is short
RELATIVE = 3e-4  # error of a binding energy, as a share of it, that is always allowed for
FURTHEST = 100.0  # spacings tried, in exciton radii 1/(2 mu)


@dataclass(frozen=True, eq=False)
class Path:
    """A search that has not ended: its points so far, and where it goes next.

    spacings, bindings, errors : the points, d (a_h) in ascending order, binding energy and its uncertainty (Ha_h).
    functions : of the last point.   next : the spacing to be computed now (a_h).
    """

    spacings: np.ndarray
    bindings: np.ndarray
    errors: np.ndarray
    functions: Functions
    next: float


@dataclass(frozen=True, eq=False)
class _Point:
    """A spacing at which the complex is bound, and how strongly; what `Answer` holds without its matrices."""

    complex: Complex
    binding: float
    uncertainty: float


@dataclass(frozen=True, eq=False)
class Critical:
    """A critical spacing.

    Parameters
    ----------
    spacing, uncertainty : d_c in a_h; None if it was not found (``reason`` says why), the complex may never be bound.
    power_law : what a plain polynomial in d through the same points gives (a_h), for comparison.
    spacings, bindings, errors : the points, d (a_h), binding energy and its uncertainty (Ha_h).
    status : converged, not_converged, or why it was stopped.
    """

    spacing: float | None
    uncertainty: float | None
    power_law: float | None
    spacings: np.ndarray
    bindings: np.ndarray
    errors: np.ndarray
    status: Status
    reason: str = ""


def decay(complex: Complex, binding: float, radius: float) -> float:
    """psi'/psi at ``radius`` (1/a_h) of the relative motion of the parts that decays outwards, at this E_b >= 0."""
    from scipy.integrate import solve_ivp

    mass, (c3, c4) = complex.outer_mass, complex.tail
    kappa = math.sqrt(2 * mass * binding)
    last = max(40 / kappa, 20 * radius) if binding else 1e6 * radius
    slope = -kappa * last - 0.5 if binding else -2 * mass * c3 / last  # of ln psi against ln R

    def change(log: float, s: np.ndarray) -> np.ndarray:
        r = math.exp(log)
        return np.asarray(2 * mass * (c3 / r - c4 / r**2 + binding * r * r) - s * s)

    found = solve_ivp(change, (math.log(last), math.log(radius)), [slope], method="LSODA", rtol=1e-10, atol=1e-12)
    return float(found.y[0, -1]) / radius


def outer_radius(complex: Complex) -> float:
    """R_0: where the parts are apart and the two terms of the tail suffice; beyond the reach of sheets and gates."""
    screened = complex.screened
    if _gated(complex):
        assert screened is not None and screened.gate_top is not None and screened.gate_bottom is not None
        across = complex.spacing + screened.gate_top + screened.gate_bottom
        # forces die out as e^{-pi r/sL}
        return complex.exciton.mean_distance + screened.stretch * across / math.pi
    reach = complex.spacing if screened is None else \
        screened.stretch * (complex.spacing + (screened.gate_top or 0.0) + (screened.gate_bottom or 0.0)) \
        + sum(screened.sheets)
    return 2.5 * (complex.exciton.mean_distance + reach)


def _gated(complex: Complex) -> bool:
    """Whether two gates leave no tail of the forces."""
    return complex.screened is not None and None not in (complex.screened.gate_top, complex.screened.gate_bottom)


def _ahead(polynomial: np.ndarray, last: float, size: float, furthest: float = 3.0) -> float:
    """The first root from the last spacing to ``furthest``, of coefficients in (d - last)/size; NaN without one."""
    roots = np.roots(polynomial[::-1])
    real = roots[np.abs(roots.imag) < 1e-9].real
    ahead = real[(real > -1e-9) & (real < furthest)]
    return float(last + size * ahead.min()) if len(ahead) else math.nan


def _without_tail(complexes: list[Complex], bindings: np.ndarray, errors: np.ndarray, degree: int,
                  stretch: float) -> float:
    """d_c by the law solved for l, see above; of fewer degrees where points are few."""
    degree = max(1, min(degree, len(complexes) - 3))
    d = np.array([c.spacing for c in complexes])
    last, size = d.max(), max(np.ptp(d), 1e-12)
    radius = stretch * outer_radius(complexes[int(np.argmax(d))])
    known = errors + RELATIVE * bindings

    def outside(energies: np.ndarray) -> np.ndarray:
        return np.array([decay(c, e, radius) - decay(c, 0.0, radius)
                         for c, e in zip(complexes, energies, strict=True)])

    left = outside(bindings)
    weight = 1 / np.abs(outside(bindings + known) - left)
    columns = [((d - last) / size) ** k for k in range(degree + 1)] + [bindings / bindings.max()]
    fit = np.linalg.lstsq(np.stack(columns, axis=1) * weight[:, None], left * weight, rcond=None)[0]
    return _ahead(fit[: degree + 1], last, size, max(3.0, last / size))  # E_b is small long before the threshold


def extrapolate(complexes: list[Complex], bindings: np.ndarray, errors: np.ndarray, degree: int, *,
                stretch: float = 1.0, logarithm: bool = True) -> float:
    """d_c from binding energies (Ha_h) near the threshold by the law above; NaN if the polynomial has no such root.

    ``degree`` of the polynomial, ``stretch`` of R_0, ``logarithm`` false leaves out the last term.
    """
    if logarithm and _gated(complexes[0]):
        return _without_tail(complexes, bindings, errors, degree, stretch)
    d = np.array([c.spacing for c in complexes])
    last, size = d.max(), max(np.ptp(d), 1e-12)
    columns = [((d - last) / size) ** k for k in range(degree + 1)]
    if logarithm:
        nearest = complexes[int(np.argmax(d))]
        radius = stretch * outer_radius(nearest)
        columns.append(np.array([decay(c, e, radius) - decay(c, 0.0, radius)
                                 for c, e in zip(complexes, bindings, strict=True)]))
    scale = np.abs(columns[-1]).max() or 1.0
    columns[-1] = columns[-1] / scale
    weight = 1 / (errors + RELATIVE * bindings)
    fit = np.linalg.lstsq(np.stack(columns, axis=1) * weight[:, None], bindings * weight, rcond=None)[0]
    polynomial = fit[: degree + 1].copy()
    if not logarithm:
        polynomial[degree] /= scale
    return _ahead(polynomial, last, size)


def critical_spacing(name: str, spin: str | None, electron_mass: float, options: Options,
                     angular_momentum: int | None = None, screened: Screened | None = None, *,
                     told: Callable[[str], None] | None = None,
                     should_stop: Callable[[], Status | None] | None = None, path: Path | None = None,
                     kept: Callable[[Path], None] | None = None) -> Critical:
    """The spacing above which a complex is not bound.

    Parameters
    ----------
    name, spin, electron_mass, angular_momentum, screened : the complex, see `make_complex`; layers of some thickness
        are asked from where they touch on.
    options : ``seed`` and ``max_functions``; each point is computed to a thousandth of its binding energy, or as well
        as the functions allow.
    told, should_stop : hears a line per point; asked before every point.
    path, kept : where an earlier search of the same arguments was; told where this one is, before every point.

    Returns
    -------
    Critical; its uncertainty is the spread of the extrapolation over degrees, radii R_0, subsets of the points and the
    errors of their energies.
    """
    search = _Search((name, spin, electron_mass), options, angular_momentum, screened, told or silent, should_stop,
                     path, kept)
    return search.run()


def _too_long(complex: Complex, binding: float) -> bool:
    longest = LONGEST_GATED if _gated(complex) else LONGEST
    return 1 / math.sqrt(2 * complex.outer_mass * binding) > longest * outer_radius(complex)


def from_points(complexes: list[Complex], bindings: np.ndarray, errors: np.ndarray) -> tuple[float, float] | None:
    """d_c and its uncertainty (a_h) from binding energies (Ha_h) that happen to lie near the threshold, spacings
    ascending; None where they do not suffice."""
    useful = np.array([bool(e > USEFUL * u and not _too_long(c, e))
                       for c, e, u in zip(complexes, bindings, errors, strict=True)])
    if useful.sum() < LEAST:
        return None
    near = [c for c, u in zip(complexes, useful, strict=True) if u]
    d, e, u = np.array([c.spacing for c in near]), bindings[useful], errors[useful]
    guess = extrapolate(near[-4:], e[-4:], u[-4:], 2)
    part = np.flatnonzero(d > (1 - CLOSE) * guess) if math.isfinite(guess) else np.array([], int)
    if len(part) < LEAST:
        return None
    value, spread, _ = _spread([near[i] for i in part], e[part], u[part])
    return (value, spread) if math.isfinite(value) and math.isfinite(spread) else None


COLUMNS: tuple[Callable[[_Point], float], ...] = (lambda a: a.complex.spacing, lambda a: a.binding,
                                                  lambda a: a.uncertainty)


class _Search:
    """Spacings approached from the bound side."""

    def __init__(self, what: tuple[str, str | None, float], options: Options, angular_momentum: int | None,
                 screened: Screened | None, told: Callable[[str], None],
                 should_stop: Callable[[], Status | None] | None, path: Path | None,
                 kept: Callable[[Path], None] | None) -> None:
        self._what, self._options, self._told, self._stop = what, options, told, should_stop
        self._momentum, self._screened, (name, _, electron_mass) = angular_momentum, screened, what
        self._first = 0.0 if screened is None else screened.layer_thickness
        self._radius = (1 + electron_mass) / (2 * electron_mass)  # of the exciton at d = 0
        self._found: list[_Point] = []
        self._functions: Functions | None = None  # of the last one found
        self._kept, self._next = kept, self._first + self._radius * (0.2 if name == "biexciton" else 2.0)
        if path is not None:
            self._next, self._functions = path.next, path.functions
            self._found = [_Point(self._complex(float(d)), float(e), float(u))
                           for d, e, u in zip(path.spacings, path.bindings, path.errors, strict=True)]

    def _complex(self, spacing: float) -> Complex:
        return make_complex(*self._what, spacing, self._momentum, self._screened)

    def _add(self, answer: Answer) -> None:
        self._found.append(_Point(answer.complex, answer.binding, answer.uncertainty))
        self._functions = answer.basis.functions

    def _keep(self) -> None:
        """Tell where the search is."""
        if self._kept is not None and self._functions is not None:
            d, e, u = (np.array([f(a) for a in self._found]) for f in COLUMNS)
            self._kept(Path(d, e, u, self._functions[: REFINED[-1]], self._next))

    def _compute(self, spacing: float, tolerance: float) -> Answer:
        """One point, from the functions of the last one."""
        complex, start = self._complex(spacing), None
        if self._found and self._functions is not None:
            old = self._found[-1]
            stretch = complex.exciton.mean_distance / old.complex.exciton.mean_distance
            f = self._functions[: REFINED[-1]]
            start = Functions(f.widths / stretch**2, f.vectors / stretch)
        options = Options(min(max(tolerance, 1e-13), 0.1), self._options.seed, self._options.max_functions)
        answer = minimise(complex, options, start=start, should_stop=self._stop)
        if answer.status not in STOPPED:
            self._told(f"spacing {spacing:.6g} a_h  binding {answer.binding:+.4e} Ha_h  uncertainty "
                       f"{answer.uncertainty:.1e}  {len(answer.basis)} functions")
        return answer

    def run(self) -> Critical:
        """March outwards until the threshold can be guessed, then approach it in shrinking gaps."""
        if not self._found:
            answer = self._compute(self._first, 1e-3 / self._radius)
            if answer.status in STOPPED:
                return self._end(answer.status, "stopped")
            if answer.bound is not True:
                return self._end(Status.converged if answer.bound is False else Status.not_converged,
                                 f"not bound even at spacing {self._first:g}")
            self._add(answer)
        for _ in range(MOST_POINTS):
            self._keep()
            spacing = self._next
            if spacing > FURTHEST * self._radius:
                return self._end(Status.not_converged, f"still bound at {self._found[-1].complex.spacing:.4g} a_h")
            answer = self._compute(spacing, self._worth(spacing))
            if answer.status in STOPPED:
                return self._end(answer.status, "stopped")
            if answer.bound and answer.binding > USEFUL * answer.uncertainty and not _too_long(answer.complex,
                                                                                               answer.binding):
                self._add(answer)
            elif len(self._near(WIDE)) >= LEAST:
                break  # closer points would not be known well enough
            else:
                self._next = (spacing + self._found[-1].complex.spacing) / 2
                continue
            gap = 1 - spacing / self._guess()
            closer = [g for g in GAPS if g < 0.8 * gap]
            if not closer:
                break
            self._next = min(self._guess() * (1 - closer[0]), 1.6 * spacing)
        return self._end(Status.converged, "")

    def _near(self, gap: float) -> list[_Point]:
        """Points within this share of the guessed threshold."""
        guess = self._guess()
        return [a for a in self._found if math.isfinite(guess) and a.complex.spacing > (1 - gap) * guess]

    def _guess(self) -> float:
        """About the threshold: from a straight line through the roots of the last two binding energies, later by
        `extrapolate`."""
        if len(self._found) < 3:
            return math.inf
        a, b = self._found[-2:]
        slope = (math.sqrt(b.binding) - math.sqrt(a.binding)) / (b.complex.spacing - a.complex.spacing)
        guess = b.complex.spacing - math.sqrt(b.binding) / slope if slope < 0 else math.inf
        near = [x for x in self._found if x.complex.spacing > (1 - WIDE) * guess]
        if len(near) >= 4:
            better = extrapolate([x.complex for x in near], np.array([x.binding for x in near]),
                                 np.array([x.uncertainty for x in near]), 2)
            return better if math.isfinite(better) else guess
        return guess

    def _worth(self, spacing: float) -> float:
        """Accuracy worth having: a share of the binding energy expected here."""
        guess, last = self._guess(), self._found[-1]
        if not math.isfinite(guess):
            return 1e-3 / self._radius if len(self._found) < 2 else 0.01 * last.binding
        share = max((guess - spacing) / (guess - last.complex.spacing), 0.05)
        return 1e-3 * last.binding * share**2

    def _end(self, status: Status, reason: str) -> Critical:
        near = self._near(CLOSE) if len(self._near(CLOSE)) > LEAST else self._near(WIDE)
        near = near or self._found
        d, e, u = (np.array([f(a) for a in near]) for f in COLUMNS)
        if reason:
            return Critical(None, None, None, d, e, u, status, reason)
        if len(near) < LEAST:
            return Critical(None, None, None, d, e, u, Status.not_converged, "too few points near the threshold")
        value, spread, plain = _spread([a.complex for a in near], e, u)
        if not (math.isfinite(value) and math.isfinite(spread)):
            return Critical(None, None, None, d, e, u, Status.not_converged, "the points do not reach the threshold")
        return Critical(value, spread, plain, d, e, u, status)


def _spread(complexes: list[Complex], bindings: np.ndarray, errors: np.ndarray) -> tuple[float, float, float]:
    """d_c, how much it depends on the choices of the extrapolation, and the plain polynomial's value."""
    n = len(complexes)
    degree = 3 if n >= 8 else 2 if n >= LEAST else 1

    def at(part: slice, energies: np.ndarray, degree: int, **choices: float) -> float:
        return extrapolate(complexes[part], energies[part], errors[part], degree, **choices)  # type: ignore[arg-type]

    everything = slice(None)
    value = at(everything, bindings, degree)
    others = [at(everything, bindings, degree, stretch=1.6), at(everything, bindings + errors, degree),
              at(slice(1, None), bindings, degree), at(slice(0, -1), bindings, degree),
              at(slice(2, None), bindings, degree - 1)]
    spread = max((abs(o - value) for o in others if math.isfinite(o)), default=math.nan)
    return value, spread, at(everything, bindings, min(degree, 2), logarithm=False)
