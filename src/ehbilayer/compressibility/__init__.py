"""Compressibility of the electron liquid on a hole crystal, and the velocity of its acoustic plasmon.

B = A d^2E/dA^2 of a Hartree-Fock state. In the order of a calculation: `response` (the exact second derivative),
`bulk_modulus` (one torus, three routes), `size_limit` (infinitely many particles), `study` (all of it, beside the
screened phonons of `response.hole_lattice`), `result`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from ehbilayer.compressibility.result import CompressibilityResult
    from ehbilayer.results.calling import Calling
    from ehbilayer.torus import Torus


def compressibility(torus: Torus, *, method: str = "response", sizes: Sequence[int] | None = None,
                    state: str = "symmetric", occupation: str = "shell", starts: int = 3, seed: int = 0,
                    tolerance: float = 2e-3, plane_waves: Sequence[int] | None = None, hexagon: int | None = None,
                    cutoff: float | None = None, solver_tolerance: float = 1e-10, max_iterations: int = 2000,
                    **how: Unpack[Calling]) -> CompressibilityResult:
    """Bulk modulus of the electron liquid on a hole crystal and the velocity of its acoustic plasmon.

    alpha^2 = B/B_0 = (v/v_0)^2 with B = A d^2E/dA^2 of the Hartree-Fock state at fixed numbers and spacing,
    B_0 = n eps_F of the electrons and v_0^2 = eps_F/m_h. A negative alpha^2 is an answer, no error.

        bilayer = Bilayer.of("mass-ratio-10", spacing="1 a_e", rs_electron=1.0)
        found = compressibility(Torus(bilayer, holes=36, zero_mode="madelung"), sizes=[16, 36, 64])
        print(found.alpha_squared, found.uncertainty)

    Parameters
    ----------
    torus : as many electrons as holes, or electrons alone, with any interaction.
    method : how d^2E/dA^2 is taken: ``response`` (exact), ``pressure`` or ``energy`` (differences); all are told.
    sizes : numbers of particles, from which alpha^2 is extrapolated to infinitely many; by default the torus alone.
    state : ``symmetric`` keeps the translations of the hole lattice; ``lowest`` frees the box and keeps the lowest of
        ``starts`` starts, of which all but the first carry noise of ``seed``.
    occupation : ``shell`` fills an open electron shell equally, ``integer`` does not.
    tolerance : of the basis, in alpha^2; it has no effect where the waves are given.
    plane_waves, hexagon, cutoff : the waves: two odd numbers, steps along a hexagon, or the largest wave number
        (1/a_h); at most one of them.
    solver_tolerance : of the energy per particle in Ha_h.   max_iterations : of the Hartree-Fock solver.
    how : backend, threads, progress, should_stop; see `results.calling.Calling`.

    Returns
    -------
    CompressibilityResult

    Raises
    ------
    InputError : a torus without electrons or with other numbers of electrons than of holes, a dispersion that does not
        scale with the area, sizes that do not fit, an unknown choice.

    Sources: Nashabeh & Fu (2026), Eq. 6 and Supplemental Material; Bohm & Staver, Phys. Rev. 84, 836 (1951).
    """
    from ehbilayer.basis.waves import WaveChoice
    from ehbilayer.compressibility.bulk_modulus import StateOptions
    from ehbilayer.compressibility.study import compute, plan_of
    from ehbilayer.model import require_plain
    from ehbilayer.results.calling import call
    from ehbilayer.torus import Torus

    require("torus", torus, Torus)
    require_plain(torus.bilayer, "the compressibility")
    options = StateOptions(state, occupation, solver_tolerance, starts, seed, max_iterations)
    plan = plan_of(torus, options, sizes=sizes, route=method, tolerance=tolerance,
                   waves=WaveChoice(plane_waves, hexagon, cutoff))
    return call(lambda hooks: compute(plan, hooks), torus.bilayer.scales, how, seed=seed)
