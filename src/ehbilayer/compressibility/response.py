r"""Linear response of a converged Hartree-Fock state, and the exact second derivative of its energy by the area.

With orthonormal frames x and tangent directions z,  E(x + z) = E + Re<z, b> + Re<z, H z>/2.  The operator of the
functional is G(x) = L x + C(x, x, x): one-body terms are linear, interactions are cubic in the orbitals. So

    G'(x)[z] = (G(x + z) - G(x - z))/2 - G(z) + L z

holds exactly, whatever the length of z, and  H z = 2 P (G'(x)[z] - <x|G> z),  P the projection on the tangent space.
The response to a change of ln A solves H z = -b with b = 2 P dG/dlnA, and

    d^2E/dlnA^2 = (d^2E/dlnA^2 at fixed orbitals) - <b, H^{-1} b>     at fixed occupations.

Source: second-order perturbation theory of Hartree-Fock, Gerratt & Mills, J. Chem. Phys. 49, 1719 (1968).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.numerics.minimize import Frames, inner, project

ROUND_OFF = 1e-12  # of a gradient, relative


class Hessian:
    """d^2E/dx*dx at a stationary state: exact products with tangent directions.

    Parameters
    ----------
    problem : the energy.   x : orthonormal frames with one batch entry, where the gradient vanishes.
    """

    def __init__(self, problem: EnergyProblem, x: Frames) -> None:
        self.problem, self.x = problem, x
        self._weights = problem.weights
        gradient = problem.evaluate(x)[1]
        # <x_i|G_j>, Hermitian where x is stationary
        self._multipliers = [np.einsum("bkig,bkjg->bkji", p.conj(), g) for p, g in zip(x, gradient, strict=True)]

    def tangent(self, z: Frames) -> Frames:
        """The part of z that moves the state."""
        return tuple(project(np, p, q, m) for p, q, m in zip(self.x, z, self.problem.mixing, strict=True))

    def product(self, z: Frames) -> Frames:
        """H z, a tangent direction; three evaluations of the energy."""
        length = float(np.sqrt(inner(z, z)[0]))
        if length == 0:
            return z
        unit = tuple(q / length for q in z)  # of the size of one orbital, for the least round-off
        up, down = (self.problem.evaluate(tuple(p + s * q for p, q in zip(self.x, unit, strict=True)))[1]
                    for s in (1, -1))
        alone, linear = self.problem.evaluate(unit)[1], self.problem.hamiltonian.one_body(unit)
        out = []
        for c, q in enumerate(unit):
            slope = 0.5 * (up[c] - down[c]) - alone[c] + self._weights[c] * linear[c]
            out.append(2 * length * (slope - np.einsum("bkji,bkig->bkjg", self._multipliers[c], q)))
        return self.tangent(tuple(out))


@dataclass(frozen=True)
class Response:
    """How a state answers a change of ln A: direction z = dx/dlnA, -<b, H^{-1}b> in Ha_h, the relative residual of
    H z = -b, and the Hessian products it took."""

    direction: Frames
    relaxation: float
    residual: float
    products: int


def respond(hessian: Hessian, b: Frames, *, tolerance: float = 1e-8, most: int = 400,
            stop: Callable[[], bool] = lambda: False) -> Response:
    """Solve H z = -b by preconditioned conjugate gradients.

    ``b`` must share the symmetries that hold the state, so that directions in which the energy falls are not met;
    where one is met all the same the iteration ends, and the residual tells.
    """
    def precondition(r: Frames) -> Frames:
        return hessian.tangent(hessian.problem.precondition(r))

    z, r = tuple(0 * q for q in b), tuple(-q for q in b)
    size = float(np.sqrt(inner(b, b)[0]))
    if size == 0:
        return Response(z, 0.0, 0.0, 0)
    y = precondition(r)
    p, ry, products = y, float(inner(r, y)[0]), 0
    while products < most and float(np.sqrt(inner(r, r)[0])) > tolerance * size and not stop():
        hp = hessian.product(p)
        products += 1
        curvature = float(inner(p, hp)[0])
        if curvature == 0:
            break
        step = ry / curvature
        z = tuple(u + step * v for u, v in zip(z, p, strict=True))
        r = tuple(u - step * v for u, v in zip(r, hp, strict=True))
        y = precondition(r)
        ry, before = float(inner(r, y)[0]), ry
        p = tuple(u + ry / before * v for u, v in zip(y, p, strict=True))
    return Response(z, float(inner(b, z)[0]), float(np.sqrt(inner(r, r)[0])) / size, products)


@dataclass(frozen=True)
class AreaResponse:
    """Derivatives of the energy by ln A in Ha_h: the first, the second at fixed orbitals, and what relaxation adds."""

    first: float
    fixed: float
    response: Response

    @property
    def second(self) -> float:
        """d^2E/dlnA^2 of the relaxed state."""
        return self.fixed + self.response.relaxation

    def curvature(self, area: float) -> float:
        """d^2E/dA^2 in Ha_h/a_h^4."""
        return (self.second - self.first) / area**2


def area_response(hamiltonian: Hamiltonian, x: Frames, *, tolerance: float = 1e-8,
                  stop: Callable[[], bool] = lambda: False) -> AreaResponse:
    """First and second derivative of the energy by ln A at a converged state, occupations and integer waves fixed."""
    problem = EnergyProblem(hamiltonian)
    hessian = Hessian(problem, x)
    slope = hamiltonian.derivative(1).evaluate(x)
    raw = tuple(2 * w * f for w, f in zip(problem.weights, slope.fock, strict=True))
    b = hessian.tangent(raw)
    if inner(b, b)[0] < ROUND_OFF**2 * inner(raw, raw)[0]:  # plane waves do not respond
        b = tuple(0 * q for q in b)
    fixed = hamiltonian.derivative(2).evaluate(x).energy
    return AreaResponse(float(slope.energy[0]), float(fixed[0]), respond(hessian, b, tolerance=tolerance, stop=stop))
