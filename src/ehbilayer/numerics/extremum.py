"""The largest value of a function of one variable: samples find the hump, a bounded search finds its top.

A maximum taken from samples alone lies below the true one, by an amount that depends on where they fall.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SHARP = 3e-4  # of the distance between samples, to which the top is found; values are then right to its square
PROBE = 0.02  # of that distance: how far inside an end it is seen whether the function still rises


def maximum(f: Callable[[float], float], x: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """The place and the value of the maximum of ``f`` nearest to the largest of its ``values`` (n,) at rising ``x``.

    It is searched for between the neighbours of the largest sample, by golden section and parabolas, at an end only
    where the function rises from there. Never less than that sample.
    """
    from scipy.optimize import minimize_scalar

    i, last = int(np.argmax(values)), len(x) - 1
    if last == 0:
        return float(x[0]), float(values[0])
    if i in (0, last):
        inside = float(x[i] + PROBE * (x[abs(i - 1)] - x[i]))
        if f(inside) <= values[i]:  # it falls from the end on
            return float(x[i]), float(values[i])
    low, high = float(x[max(i - 1, 0)]), float(x[min(i + 1, last)])
    found = minimize_scalar(lambda t: -f(float(t)), bounds=(low, high), method="bounded",
                            options={"xatol": SHARP * (high - low)})
    if -found.fun > values[i]:
        return float(found.x), float(-found.fun)
    return float(x[i]), float(values[i])
