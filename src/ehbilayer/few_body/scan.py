"""Complexes at many spacings, and critical spacings at many mass ratios: loops that can be stopped and resumed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.few_body.complexes import Complex, make_complex
from ehbilayer.few_body.gaussians import Functions
from ehbilayer.few_body.result import (
    ComplexResult,
    CriticalSpacingResult,
    SpacingScanResult,
    described,
    identity,
    named,
)
from ehbilayer.few_body.threshold import Critical, Path, critical_spacing, from_points
from ehbilayer.few_body.variational import MORE, Options, minimise, starting_functions
from ehbilayer.few_body.variational import report as report_of_answer
from ehbilayer.hooks import Hooks
from ehbilayer.interaction.screened import Screened
from ehbilayer.results.base import Result, Variable
from ehbilayer.status import Status
from ehbilayer.units import Scales

UNKNOWN, UNBOUND, BOUND = -1, 0, 1


def rising(spacings: Sequence[float | str], scales: Scales) -> list[float]:
    """Different spacings in a_h, the smallest first. Raises InputError for none, and for text that is no length."""
    if not spacings:
        raise InputError("spacings", "one length or more", list(spacings), "leave it out for that of the bilayer")
    return sorted({scales.to_atomic(d, "length", "spacings") for d in spacings})


def scan(complexes: list[Complex], options: Options, hooks: Hooks | None = None) -> SpacingScanResult:
    """Binding energy of one complex at several spacings.

    Parameters
    ----------
    complexes : the same complex at each spacing, in ascending order.
    options, hooks : see `variational.solve`. Each point starts from the functions of the one before.

    Returns
    -------
    SpacingScanResult, with arrays over ``spacing``. It is converged if every point is; energy and binding energy are
    those of the first spacing.
    """
    hooks = hooks or Hooks()
    table = _Table(complexes, hooks.unfinished)
    previous: ComplexResult | None = None
    for i, complex in enumerate(complexes):
        if table.done(i):
            continue
        if (status := hooks.should_stop()) is not None:
            return table.result(status)
        if complex.name == "exciton":
            table.put(i, complex.exciton.energy, 1e-12 * abs(complex.exciton.energy), True, Status.converged,
                      len(complex.exciton.radii))
            continue
        start = starting_functions(complex, previous, whole=False) if previous is not None else None
        answer = minimise(complex, options, start=start, should_stop=hooks.should_stop)
        if answer.status in (Status.interrupted, Status.timeout):
            return table.result(answer.status)
        previous = report_of_answer(answer, Status.interrupted)
        table.put(i, answer.energy, answer.uncertainty, answer.bound, answer.status, len(answer.basis))
        hooks.progress(f"spacing {i + 1}/{len(complexes)}  {complex.spacing:.6g} a_h  binding "
                       f"{answer.binding:+.4e} Ha_h  uncertainty {answer.uncertainty:.1e}")
        hooks.checkpoint(table.result(Status.interrupted))
    return table.result(None)


class _Table:
    """The points of a scan, done or not."""

    COLUMNS = ("energy", "uncertainty", "bound", "status", "functions")

    def __init__(self, complexes: list[Complex], earlier: Result | None) -> None:
        self.complexes = complexes
        n = len(complexes)
        self._energy, self._error = np.full((2, n), np.nan)
        self._bound, self._functions = np.full(n, UNKNOWN), np.zeros(n, int)
        self._converged = np.zeros(n, bool)
        if isinstance(earlier, SpacingScanResult) and len(earlier.spacings) == n:
            d = earlier.data
            self._energy, self._error = d["energies"].values.copy(), d["uncertainties"].values.copy()
            self._bound, self._functions = d["bound"].values.copy(), d["functions"].values.copy()
            self._converged = d["point_converged"].values.astype(bool)

    def done(self, i: int) -> bool:
        return bool(np.isfinite(self._energy[i]))

    def put(self, i: int, energy: float, error: float, bound: bool | None, status: Status, functions: int) -> None:
        """Enter a point."""
        self._energy[i], self._error[i], self._functions[i] = energy, error, functions
        self._bound[i] = UNKNOWN if bound is None else BOUND if bound else UNBOUND
        self._converged[i] = status is Status.converged

    def result(self, status: Status | None) -> SpacingScanResult:
        """All points as they are; without a status, converged if all are."""
        c = self.complexes
        threshold = np.array([x.threshold for x in c])
        spacings = np.array([x.spacing for x in c])
        binding = threshold - self._energy
        if status is None:
            status = Status.converged if self._converged.all() else Status.not_converged
        known = [None if b == UNKNOWN else bool(b) for b in self._bound]
        known_best = self._bound == BOUND
        # the law of the threshold is that of Coulomb's dipoles
        near = c[0].screened is None and bool((self._bound == UNBOUND).any())
        critical = from_points([x for x, b in zip(c, known_best, strict=True) if b], binding[known_best],
                               self._error[known_best]) if near else None
        axis = ("spacing",)
        data = {"spacing": Variable(axis, spacings, "a_h", "distance of the layers"),
                "energies": Variable(axis, self._energy, "Ha_h", "energy, an upper bound"),
                "thresholds": Variable(axis, threshold, "Ha_h", "energy of the lowest break-up"),
                "binding_energies": Variable(axis, binding, "Ha_h", "threshold minus energy"),
                "uncertainties": Variable(axis, self._error, "Ha_h", "of the energy"),
                "bound": Variable(axis, self._bound, "1", "1 bound, 0 not bound, -1 not decided"),
                "functions": Variable(axis, self._functions, "1", "basis size"),
                "point_converged": Variable(axis, self._converged, "1", "whether the point met the tolerance")}
        value, error = critical or (None, None)
        return SpacingScanResult(
            status=status, advice=MORE if status is Status.not_converged else "", **described(c[0]),
            critical_spacing=value, critical_spacing_uncertainty=error, total_energy=self._energy[0],
            binding_energy=binding[0], uncertainty=self._error[0], bound=known[0], functions=self._functions.max(),
            spacings=tuple(spacings), binding_energies=tuple(binding), uncertainties=tuple(self._error),
            bound_at=tuple(known),
            inputs={**identity(c[0]), "electron_mass": c[0].electron_mass, "spacing": spacings}, data=data)


def critical(name: str, spin: str | None, ratios: list[float], options: Options, hooks: Hooks | None = None,
             angular_momentum: int | None = None, screened: Screened | None = None) -> CriticalSpacingResult:
    """Critical spacings of a complex at several mass ratios.

    Parameters
    ----------
    name, spin, angular_momentum, screened : the complex, see `make_complex`.   ratios : m_e/m_h.
    options, hooks : see `threshold.critical_spacing` and `hooks.Hooks`.

    Returns
    -------
    CriticalSpacingResult: critical spacing and its uncertainty of the first ratio, and those of all.
    """
    if name == "exciton":
        raise InputError("complex", "one that unbinds", name, "an exciton is bound at every spacing")
    if not ratios:
        raise InputError("mass_ratios", "one ratio m_e/m_h or more", ratios, "leave it out for that of the bilayer")
    hooks = hooks or Hooks()
    done: dict[float, Critical] = {}
    paths: dict[float, Path] = {}  # of the search that has not ended, one at most
    complex = make_complex(name, spin, ratios[0], 0.0, angular_momentum, screened)
    if isinstance(hooks.unfinished, CriticalSpacingResult):
        done, paths = _finished(hooks.unfinished), _begun(hooks.unfinished)

    def kept(ratio: float, path: Path) -> None:
        paths[ratio] = path
        hooks.checkpoint(_critical_result(complex, ratios, done, Status.interrupted, paths))

    status = None
    for ratio in ratios:
        if ratio in done:
            continue
        found = critical_spacing(name, spin, ratio, options, angular_momentum, screened, should_stop=hooks.should_stop,
                                 told=partial(_tell, hooks, ratio), path=paths.get(ratio),
                                 kept=partial(kept, ratio))
        if found.status in (Status.interrupted, Status.timeout):
            status = found.status
            break
        done[ratio] = found
        paths.pop(ratio, None)
        hooks.checkpoint(_critical_result(complex, ratios, done, Status.interrupted))
    return _critical_result(complex, ratios, done, status, paths)


def _tell(hooks: Hooks, ratio: float, text: str) -> None:
    hooks.progress(f"m_e/m_h {ratio:g}  {text}")


def _critical_result(complex: Complex, ratios: list[float], done: dict[float, Critical],
                     status: Status | None, paths: dict[float, Path] | None = None) -> CriticalSpacingResult:
    found = [done.get(r) for r in ratios]
    if status is None:
        good = all(f is not None and f.status is Status.converged for f in found)
        status = Status.converged if good else Status.not_converged
    value, error, plain = (np.array([_number(f, key) for f in found]) for key in ("spacing", "uncertainty",
                                                                                   "power_law"))
    points = [(i, d, e, u) for i, f in enumerate(found) if f is not None
              for d, e, u in zip(f.spacings, f.bindings, f.errors, strict=True)]
    which, d, e, u = (np.array([p[k] for p in points]) for k in range(4))
    state = np.array([-1 if f is None else list(Status).index(f.status) for f in found])
    data = {"mass_ratio": Variable(("mass_ratio",), np.array(ratios), "1", "m_e/m_h"),
            "critical_spacings": Variable(("mass_ratio",), value, "a_h", "d_c"),
            "critical_errors": Variable(("mass_ratio",), error, "a_h", "uncertainty of d_c"),
            "power_laws": Variable(("mass_ratio",), plain, "a_h", "d_c of a plain polynomial"),
            "states": Variable(("mass_ratio",), state, "1", "-1 to be computed, else number of the status")}
    if points:
        data |= {"near_ratio": Variable(("near",), which.astype(int), "1", "index of the mass ratio"),
                 "near_spacing": Variable(("near",), d, "a_h", "spacings near the threshold"),
                 "near_binding": Variable(("near",), e, "Ha_h", "binding energies there"),
                 "near_error": Variable(("near",), u, "Ha_h", "their uncertainties")}
    for ratio, path in (paths or {}).items():
        data |= _path_arrays(ratio, path)
    return CriticalSpacingResult(
        status=status, **named(complex), critical_spacing=value[0], critical_spacing_uncertainty=error[0],
        critical_spacing_power_law=plain[0], mass_ratios=tuple(ratios),
        critical_spacings=tuple(value), critical_spacing_uncertainties=tuple(error),
        reasons=tuple("" if f is None else f.reason for f in found),
        advice=next((f"{f.reason}, beyond which no search looks: there may be no critical spacing" for f in found
                     if f is not None and f.reason.startswith("still bound")), ""),
        inputs={**identity(complex), "mass_ratios": ratios}, data=data)


def _path_arrays(ratio: float, path: Path) -> dict[str, Variable]:
    """A search that has not ended, for `_begun`."""
    axes, step = ("function", "coordinate", "other_coordinate"), ("step",)
    return {"path_ratio": Variable((), np.array(ratio), "1", "m_e/m_h of the search that has not ended"),
            "path_next": Variable((), np.array(path.next), "a_h", "the spacing where it goes on"),
            "path_spacing": Variable(step, path.spacings, "a_h", "spacings of its points"),
            "path_binding": Variable(step, path.bindings, "Ha_h", "binding energies there"),
            "path_error": Variable(step, path.errors, "Ha_h", "their uncertainties"),
            "path_widths": Variable(axes, path.functions.widths, "a_h^-2", "functions of the last point"),
            "path_vectors": Variable(axes[:2], path.functions.vectors, "1/a_h", "functions of the last point")}


def _begun(earlier: CriticalSpacingResult) -> dict[float, Path]:
    """The search in the middle of which a result was written."""
    d: dict[str, Any] = {name: v.values for name, v in earlier.data.items()}
    if "path_next" not in d:
        return {}
    path = Path(d["path_spacing"], d["path_binding"], d["path_error"],
                Functions(d["path_widths"], d["path_vectors"]), float(d["path_next"]))
    return {float(d["path_ratio"]): path}


def _number(found: Critical | None, key: str) -> float:
    value = None if found is None else getattr(found, key)
    return math.nan if value is None else float(value)


def _finished(earlier: CriticalSpacingResult) -> dict[float, Critical]:
    """The mass ratios that an unfinished result holds."""
    out: dict[float, Critical] = {}
    d: dict[str, Any] = {name: v.values for name, v in earlier.data.items()}
    for i, ratio in enumerate(d.get("mass_ratio", [])):
        if d["states"][i] < 0:
            continue
        mine = d.get("near_ratio", np.zeros(0)) == i
        value, error, plain = (None if math.isnan(d[key][i]) else float(d[key][i])
                               for key in ("critical_spacings", "critical_errors", "power_laws"))
        where, energy, unsure = (d.get(key, np.zeros(0))[mine] for key in ("near_spacing", "near_binding",
                                                                           "near_error"))
        out[float(ratio)] = Critical(value, error, plain, where, energy, unsure, list(Status)[int(d["states"][i])],
                                     earlier.reasons[i])
    return out
