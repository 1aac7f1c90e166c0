"""Twists: boundary conditions with a phase, which moves all plane waves, and the mean over many of them.

    psi(r_i + a) = e^{i theta a} psi(r_i),  k = m b + theta,  E(theta) = E(-theta)

A small torus has few k, and its energy jumps with their number. The mean over theta samples all of k space, and with
what the shells of each twist lack added to it (`liquid_size`) little noise is left. The twists are those of
Roberts' sequence, theta_i = 1/2 + i (1/g, 1/g^2) mod 1 in fractions of the reciprocal vectors, g^3 = g + 1: even in any
number, and with no symmetry, so that no shell is open. A twist without time reversal has a complex psi, whose phase
diffusion keeps.

Sources: Lin, Zong, Ceperley, PRE 64, 016702 (2001); Ortiz, Ceperley, Martin, PRL 71, 2777 (1993).
"""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks, StopReason
from ehbilayer.monte_carlo.result import MonteCarloResult
from ehbilayer.monte_carlo.state import PREFIX, SECONDS
from ehbilayer.results.base import Result, Variable
from ehbilayer.results.carriers import Carriers
from ehbilayer.status import Status

MOST = 1000  # twists
PLASTIC = 1.324717957244746  # g^3 = g + 1
# called errors, but no standard errors: their mean is that of biases
BIASES = ("time_step_error", "population_error", "law_error")
Twist = tuple[float, float]


def twists_of(given: int | Sequence[float] | None) -> tuple[Twist | None, ...]:
    """One twist, or a number of them, as fractions of the reciprocal vectors; (None,) without.

    Raises InputError for what is neither.
    """
    if given is None:
        return (None,)
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= MOST:
        steps = np.array([1 / PLASTIC, 1 / PLASTIC**2])
        return tuple((float(x), float(y)) for x, y in (0.5 + np.arange(given)[:, None] * steps + steps) % 1.0)
    if isinstance(given, Sequence) and len(given) == 2 and all(math.isfinite(x) for x in given):
        return ((float(given[0]), float(given[1])),)
    raise InputError("twists", f"a number from 1 to {MOST}, or two fractions of the reciprocal vectors", given,
                     "leave it out for none")


def over_twists(twists: Sequence[Twist], seed: int, max_time: float | None, hooks: Hooks,
                one: Callable[[int, int, float | None, MonteCarloResult | None, Hooks], MonteCarloResult]
                ) -> MonteCarloResult:
    """The mean over ``twists`` of ``one``: the number of a twist, a seed, seconds, the first result, hooks -> a result.

    It ends with the twists that it has when it is stopped, and goes on from such a result in hooks to the same digits:
    what each twist has found lies in it as the content of a file.
    """
    stop, earlier = StopReason(hooks.should_stop), hooks.unfinished
    found, broken, spent = ([], None, 0.0) if earlier is None else _earlier(earlier)

    def together(results: Sequence[MonteCarloResult], status: Status | None) -> MonteCarloResult:
        whole = averaged(results, twists[: len(results)], seed)
        if status is None and len(results) < len(twists) and whole.status is Status.converged:
            advice = f"{len(results)} of {len(twists)} twists; give more time"
            whole = replace(whole, status=Status.timeout, advice=advice)
        status = status or whole.status
        return whole if status is Status.converged else replace(
            whole, status=status, data=whole.data | _kept(results, len(found), spent))

    def keep(result: Result) -> None:
        if isinstance(result, MonteCarloResult):
            hooks.checkpoint(together([*found, result], Status.interrupted))

    for i in range(len(found), len(twists)):
        if found and (stop() is not None or (max_time is not None and spent > max_time)):
            break

        def told(line: str, i: int = i) -> None:
            hooks.progress(f"twist {i + 1} of {len(twists)}: {line}")

        left = None if max_time is None else max((max_time - spent) / (len(twists) - i), 1e-3)
        stream = int(np.random.SeedSequence([seed, i]).generate_state(1)[0])
        began = time.monotonic() - (0.0 if broken is None else float(broken.data[SECONDS].values))
        result = one(i, stream, left, found[0] if found else None, replace(
            hooks, progress=told, checkpoint=keep, should_stop=stop, initial=broken, resumed=broken is not None))
        if stop.reason is not None:
            return together([*found, result], stop.reason)
        spent, broken = spent + time.monotonic() - began, None
        found.append(result)
    return together(found, stop.reason if len(found) < len(twists) else None)


def _kept(results: Sequence[MonteCarloResult], done: int, spent: float) -> dict[str, Variable]:
    """What to go on from: the results of twists, of which the first so many are ``done``, and the seconds of those."""
    kept = {}
    for i, result in enumerate(results):
        name, values = f"{PREFIX}twist_{i}", np.frombuffer(zlib.compress(result.to_bytes(), 1), dtype=np.uint8)
        kept[name] = Variable((f"{name}_byte",), values, "1", "to go on from")
    return kept | {f"{PREFIX}twists": Variable((f"{PREFIX}twists_of",), np.array([done, spent]), "1", "to go on from")}


def _earlier(result: Result) -> tuple[list[MonteCarloResult], MonteCarloResult | None, float]:
    """Results of finished twists, that of one that was broken off, if any, and the seconds of the finished ones."""
    done, spent = result.data[f"{PREFIX}twists"].values.tolist()
    names = [f"{PREFIX}twist_{i}" for i in range(sum(n.startswith(f"{PREFIX}twist_") for n in result.data))]
    found = [MonteCarloResult.from_bytes(zlib.decompress(result.data[name].values.tobytes()), name) for name in names]
    return found[: int(done)], found[int(done)] if len(found) > done else None, spent


def averaged(results: Sequence[MonteCarloResult], twists: Sequence[Twist], seed: int) -> MonteCarloResult:
    """The mean of results at different twists, their standard errors independent of each other."""
    first = results[0]
    worst = next((r for r in reversed(results) if r.status is not Status.converged), first)
    data = {name: _array(name, [r.data[name] for r in results]) for name in first.data
            if all(name in r.data for r in results) and not name.startswith(PREFIX)}
    energies, errors = [r.energy_per_hole for r in results], [r.error for r in results]
    data |= {"twists": Variable(("twist", "axis"), np.array(twists), "1", "in fractions of the reciprocal vectors"),
             "twist_energy": Variable(("twist",), np.array(energies), "Ha_h", "energy per hole at each twist"),
             "twist_error": Variable(("twist",), np.array(errors), "Ha_h", "its standard error")}
    # with the kinetic energy of the free carriers taken out, where that is done
    smooth = [r.energy_per_hole if r.finite_size.energy_per_hole is None else r.finite_size.energy_per_hole
              for r in results]
    scatter = float(np.std(smooth, ddof=1) / np.sqrt(len(smooth))) if len(smooth) > 1 else None
    mean: dict[str, Any] = {f.name: _mean(f.name, [getattr(r, f.name) for r in results]) for f in fields(first)
                            if f.name not in ("status", "inputs", "data", "provenance", "extra", "advice", "reason")}
    inputs = first.inputs | {"seed": seed, "twists": [list(t) for t in twists]}
    return replace(first, **mean | {"twist_error": scatter}, status=worst.status, advice=worst.advice, inputs=inputs,
                   data=data)


def _mean(name: str, values: Sequence[Any]) -> Any:
    """The mean of entries of results; of standard errors that of their mean."""
    first = values[0]
    if any(v is None for v in values):
        return None
    if is_dataclass(first) and not isinstance(first, type):
        return replace(first, **{f.name: _mean(f.name, [getattr(v, f.name) for v in values]) for f in fields(first)})
    if isinstance(first, Mapping):
        found = {key: _mean(name, [v[key] for v in values]) for key in first}
        return found if isinstance(first, dict) else Carriers(found)
    if isinstance(first, tuple):
        return tuple(_mean(name, [v[i] for v in values]) for i in range(min(len(v) for v in values)))
    if isinstance(first, int) and not isinstance(first, bool):
        return min(values)
    if not isinstance(first, float):
        return first
    if name.endswith("error") and name not in BIASES:
        return float(np.linalg.norm(values)) / len(values)
    return float(np.mean(values))


def _array(name: str, values: Sequence[Variable]) -> Variable:
    """The mean of arrays, the longer ones cut; of errors by the length of blocks that of the mean."""
    first = values[0]
    if first.values.dtype.kind not in "fc" or name == "parameters":
        return first
    length = min(len(v.values) for v in values)
    stack = np.stack([v.values[:length] for v in values])
    errors = name.startswith(("blocked", "doubt")) or "error" in name
    return replace(first, values=np.linalg.norm(stack, axis=0) / len(stack) if errors else stack.mean(axis=0))
