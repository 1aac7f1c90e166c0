"""Quantum Monte Carlo of both layers: correlation beyond the mean field, with error bars.

`pair_potential` is the interaction on the torus; `orbitals`, `bands`, `pairs`, `factors`, `jastrow` and `trial` are the
trial function, `sources` what it is made from, `twists` its boundary conditions; `determinants`, `backflow` and
`kernels` the walk of one walker, `walk` variational and `diffusion` fixed-node Monte Carlo, `optimise` finds the
parameters, `statistics` the errors, `finite_size` goes to infinitely many; `calculation` is the order of all that,
`result` what comes back, `problem` what is asked for. The kernels are compiled by Numba, which nothing else imports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ehbilayer.monte_carlo.result import MonteCarloResult
    from ehbilayer.results.base import Result
    from ehbilayer.results.calling import Calling
    from ehbilayer.torus import Torus


def monte_carlo(torus: Torus, trial: str | Path | Result = "liquid", *, method: str = "dmc",
                target_error: float | str | None = None, max_time: float | None = None, walkers: int = 200,
                time_steps: Sequence[float] | None = None, seed: int = 0, jastrow: int = 5,
                optimisation_steps: int = 5, samples: int = 2000, twists: int | Sequence[float] | None = None,
                backflow: bool | int = False, **how: Unpack[Calling]) -> MonteCarloResult:
    """The energy of a phase with correlation, by variational or fixed-node diffusion Monte Carlo.

        psi = e^J prod det,  E = <psi|H|psi>  (vmc),  the lowest energy with the nodes of psi  (dmc)

    Parameters
    ----------
    torus : counts, spins and box; zero mode ``madelung``.
    trial : ``liquid`` (plane waves), ``hole-crystal``, ``electron-crystal``, ``crystal`` (Gaussians on sites), or
        ``condensate`` (electron-hole pairs); the orbitals of a Hartree-Fock result on this torus; or a Monte Carlo
        result, whose parameters are the start here, at another density or spacing too. Results may be files.
    method : ``vmc`` or ``dmc``.
    target_error : standard error of the energy per hole to reach, Ha_h or text such as ``"0.1 meV"``.
    max_time : seconds after which it ends with what it has; one of the two must be given.
    walkers : of one ensemble.
    time_steps : two, the larger first, in 1/Ha_h; None lets 1.5 % of the moves be refused at the larger;
        the smaller is a quarter of it.
    seed : of all random numbers; the same seed gives the same digits where no time is up.
    jastrow : degree of the polynomials of e^J; 0 leaves it out.
    optimisation_steps : of the linear method; 0 keeps the first parameters.   samples : walkers in each of them.
    twists : of the plane waves, which opens and closes shells: one, as two fractions of the reciprocal vectors of the
        box, or how many to average over.
    backflow : of liquids: True, or the degree of its polynomials; the nodes move with all particles, and a sweep takes
        ten times as long at N = 26, N^4 where it is N^3.
    how : see `results.calling.Calling`.

    Raises
    ------
    InputError : open shells, numbers that do not pair or fit sites, a trial of another box, an interaction of one's
        own, a torus with zero mode ``none`` or a capacitor, neither target nor time, no walkers.

    Sources: Foulkes et al., RMP 73, 33 (2001), and those of the modules.

        gas = Torus(Bilayer.of(rs_hole=5, electrons_per_hole=0), holes=26, zero_mode="madelung", hole_spin="restricted")
        found = monte_carlo(gas, "liquid", target_error=1e-4)
        found.energy_per_hole, found.error, found.finite_size.energy_per_hole
    """
    from ehbilayer.errors import require
    from ehbilayer.model import require_plain
    from ehbilayer.monte_carlo.problem import MonteCarloProblem
    from ehbilayer.results.calling import call
    from ehbilayer.torus import Torus

    require("torus", torus, Torus)
    require_plain(torus.bilayer, "Monte Carlo")
    problem = MonteCarloProblem.of(torus, trial, method=method, target_error=target_error, max_time=max_time,
                                   walkers=walkers, time_steps=time_steps, seed=seed, jastrow=jastrow,
                                   optimisation_steps=optimisation_steps, samples=samples, twists=twists,
                                   backflow=backflow)
    return call(problem.solve, torus.bilayer.scales, how, seed=seed)
