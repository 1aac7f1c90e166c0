r"""The densities of lowest Omega = f + (1/2) n K n - w n at many w at once, over all sheets of an equation of state.

On a sheet n = B c, c = (x, y) = (u^2, v^2): the lowest node of a grid, then Newton's method in (x, y) within the cells
around it; the edges y = 0 and x = 0 apart, so that none wins or loses by the spacing of the grid. The lowest of all is
the state: that is Maxwell's construction at given voltages, with coexistence at jumps. What is not convex in f alone
stays as long as the capacitors hold it: compressibilities of carriers may be negative, those of the device are not.

The answer to voltages is dn/dw = B (f'' + B^T K B)^{-1} B^T, symmetric (Maxwell's relation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ehbilayer.gates.sheet import EMPTY, Sheet

ROUNDS = 14  # of Newton's method
SETTLED = 1e-12  # of the largest density, a step that changes nothing
REACH = 3  # nodes that it may go, as the lowest of a valley across the grid is beside its bottom
FALL = 0.1  # of a density, below which a step does not take it: energies have terms x ln x
BLOCK = 8_000_000  # numbers of a table of Omega at a time
NOTHING = 1e-3  # of a step of the grid in u, below which an edge takes over
CORNER: Final = -1  # sheet of the empty state


@dataclass(eq=False)
class Found:
    """States at w (p, 2): densities n (p, 2), sheet and place (0: both, 1: x alone, 2: y alone) (p,), Omega (p,), dn/dw
    (p, 2, 2), and whether the densities that are known end there (p,)."""

    n: np.ndarray
    sheet: np.ndarray
    place: np.ndarray
    omega: np.ndarray
    response: np.ndarray
    ends: np.ndarray

    @classmethod
    def empty(cls, count: int) -> Found:
        """No carriers anywhere."""
        return cls(np.zeros((count, 2)), np.full(count, CORNER), np.zeros(count, int), np.zeros(count),
                   np.zeros((count, 2, 2)), np.zeros(count, bool))

    def phases(self, sheets: list[Sheet]) -> np.ndarray:
        """The name of the phase of each, (p,) text."""
        names = np.full(len(self.n), EMPTY, dtype="<U32")
        for i, sheet in enumerate(sheets):
            for place, name in enumerate(sheet.names):
                names[(self.sheet == i) & (self.place == place)] = name
            if sheet.paired is not None:
                n = self.n.min(axis=1)
                alone = (self.sheet == i) & (self.place < 2) & ((n < sheet.paired[0]) | (n > sheet.paired[1]))
                names[alone] = "plasma"
        return names


def ground(sheets: list[Sheet], stiffness: np.ndarray, w: np.ndarray) -> Found:
    """The states at w (p, 2)."""
    best = Found.empty(len(w))
    for i, sheet in enumerate(sheets):
        for place in (0, 1, 2) if len(sheet.v) > 1 else (1,):
            found = _lowest(sheet, stiffness, w, place)
            found.sheet[:] = i
            better = found.omega < best.omega
            for name, values in vars(best).items():
                values[better] = getattr(found, name)[better]
    return best


def _lowest(sheet: Sheet, stiffness: np.ndarray, w: np.ndarray, place: int) -> Found:
    """The lowest state of one sheet, with both densities or on an edge."""
    b = sheet.matrix
    m, k = w @ b, b.T @ stiffness @ b
    axes = [np.zeros(1) if place == 2 else sheet.u, np.zeros(1) if place == 1 else sheet.v]
    f = sheet.grid[:len(axes[0]), :len(axes[1])]
    x, y = np.meshgrid(axes[0] ** 2, axes[1] ** 2, indexing="ij")
    total = f + 0.5 * (k[0, 0] * x * x + 2 * k[0, 1] * x * y + k[1, 1] * y * y)
    free = [len(axis) > 1 for axis in axes]
    inside = total[int(free[0]):, int(free[1]):]  # edges are states of their own
    nodes = np.stack([inside.ravel(), x[int(free[0]):, int(free[1]):].ravel(), y[int(free[0]):, int(free[1]):].ravel()])
    at = np.empty(len(w), int)
    for start in range(0, len(w), max(1, BLOCK // nodes.shape[1])):
        part = slice(start, start + max(1, BLOCK // nodes.shape[1]))
        at[part] = np.argmin(nodes[0] - m[part] @ nodes[1:], axis=1)
    i, j = np.unravel_index(at, inside.shape)
    index = [i + int(free[0]), j + int(free[1])]
    return _refined(sheet, k, m, axes, index, free, place)


def _refined(sheet: Sheet, k: np.ndarray, m: np.ndarray, axes: list[np.ndarray], index: list[np.ndarray],
             free: list[bool], place: int) -> Found:
    """Newton's method in (x, y) from the nodes of these indices, no farther than REACH of them."""
    c = np.stack([axis[i] ** 2 for axis, i in zip(axes, index, strict=True)], axis=1)
    low, high = (np.stack([axis[np.clip(i + step, 0, len(axis) - 1)] ** 2 for axis, i in
                           zip(axes, index, strict=True)], axis=1) for step in (-REACH, REACH))
    loose = np.array(free)
    best, lowest = c.copy(), np.full(len(c), np.inf)
    for _ in range(ROUNDS):
        omega, gradient, hessian = _slopes(sheet, k, m, c, loose)
        better = omega < lowest
        best[better], lowest[better] = c[better], omega[better]
        before, c = c, np.clip(c - _step(gradient, hessian), np.maximum(low, FALL * c), high)
        if np.max(np.abs(c - before), initial=0.0) < SETTLED * high.max(initial=0.0):
            break
    omega, gradient, hessian = _slopes(sheet, k, m, c, loose)
    close = omega <= lowest + 1e-13 * np.abs(lowest)  # the last step is the best but for rounding
    best[close], lowest[close] = c[close], omega[close]
    ends = np.zeros(len(c), bool)
    for a, axis in enumerate(axes):
        if free[a]:
            lowest = np.where(best[:, a] <= (NOTHING * axis[1]) ** 2, np.inf, lowest)
            ends |= best[:, a] >= axis[-1] ** 2 * (1 - 1e-12)
    if sheet.known is not None:
        here = tuple(index)
        lowest = np.where(sheet.known[here], lowest, np.inf)
        ends |= _at_the_rim(sheet.known, *here)
    return Found(best @ sheet.matrix.T, np.zeros(len(c), int), np.full(len(c), place), lowest,
                 _response(sheet, k, best, loose), ends)


def _at_the_rim(known: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Whether a node (i, j) has one next to it at which f is not known."""
    n, m = known.shape
    beside = [known[np.clip(i + step, 0, n - 1), j] & known[i, np.clip(j + step, 0, m - 1)] for step in (-1, 1)]
    return np.asarray(~(beside[0] & beside[1]))


def _slopes(sheet: Sheet, k: np.ndarray, m: np.ndarray, c: np.ndarray,
            loose: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Omega, its gradient and second derivatives by (x, y); a density that is held has none."""
    f, fx, fy, fxx, fxy, fyy = sheet.energy.derivatives(c[:, 0], c[:, 1])
    pull = c @ k - m
    omega = f + 0.5 * np.sum(c * (c @ k), axis=1) - np.sum(c * m, axis=1)
    gradient = np.where(loose, np.stack([fx, fy], axis=1) + pull, 0.0)
    hessian = np.empty((len(c), 2, 2))
    hessian[:, 0, 0] = fxx + k[0, 0] if loose[0] else 1.0
    hessian[:, 1, 1] = fyy + k[1, 1] if loose[1] else 1.0
    hessian[:, 0, 1] = hessian[:, 1, 0] = fxy + k[0, 1] if loose.all() else 0.0
    return omega, gradient, hessian


def _step(gradient: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """Newton's step where the second derivatives are positive, else one down the slope."""
    a, b, d = hessian[:, 0, 0], hessian[:, 0, 1], hessian[:, 1, 1]
    det = a * d - b * b
    good = (a > 0) & (det > 0)
    safe = np.where(good, det, 1.0)
    newton = np.stack([d * gradient[:, 0] - b * gradient[:, 1], a * gradient[:, 1] - b * gradient[:, 0]],
                      axis=1) / safe[:, None]
    size = np.maximum(np.abs(a) + np.abs(b) + np.abs(d), 1e-300)
    return np.where(good[:, None], newton, gradient / size[:, None])


def _response(sheet: Sheet, k: np.ndarray, c: np.ndarray, loose: np.ndarray) -> np.ndarray:
    """dn/dw (p, 2, 2); 0 where it is not stable, at the end of what is known."""
    _, _, _, fxx, fxy, fyy = sheet.energy.derivatives(c[:, 0], c[:, 1])
    a, b, d = fxx + k[0, 0], fxy + k[0, 1], fyy + k[1, 1]
    inverse = np.zeros((len(c), 2, 2))
    if loose.all():
        det = a * d - b * b
        good = (det > 0) & (a > 0)
        safe = np.where(good, det, np.inf)
        inverse = np.stack([np.stack([d, -b], axis=-1), np.stack([-b, a], axis=-1)], axis=-2) / safe[:, None, None]
    else:
        which = int(np.flatnonzero(loose)[0])
        here = (a, d)[which]
        inverse[:, which, which] = np.where(here > 0, 1 / np.where(here > 0, here, 1.0), 0.0)
    return np.asarray(sheet.matrix @ inverse @ sheet.matrix.T)
