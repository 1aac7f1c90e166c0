"""Hartree-Fock on a torus: the lowest energy of one Slater determinant per spin, and what that state says.

In the order of a calculation: `problem` (what is asked for), `guesses`, `solver` (minimise; `occupations` fills the
bands of a metal anew), `stability` (minimum or saddle, and where a saddle leads), `spectrum` and `bands`, `order`,
`observables` (the report, a `result`), `cutoff` (the error of the basis). `critical` and `batch` do this at many
densities, `handover` says which states go on from one density to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehbilayer.hartree_fock.problem import Start
    from ehbilayer.hartree_fock.result import HartreeFockResult
    from ehbilayer.results.calling import Calling
    from ehbilayer.terms import TermOf
    from ehbilayer.torus import Torus


def hartree_fock(torus: Torus, start: Start = "crystal", *, electron_spin: str | None = None,
                 hole_spin: str | None = None, plane_waves: Sequence[int] | None = None, hexagon: int | None = None,
                 cutoff: float | None = None, symmetry: str = "none", holes_per_cell: int = 1,
                 spin_order: str = "uniform", starts: int = 1, seed: int = 0, keep: str = "none", follow: bool = False,
                 occupation: str = "integer", tolerance: float = 1e-8, max_iterations: int = 2000,
                 stability: str = "auto", pairing: bool = False, pair_momentum: Sequence[float] = (0.0, 0.0),
                 sizes: Sequence[int] = (), terms: Sequence[TermOf] | None = None,
                 **how: Unpack[Calling]) -> HartreeFockResult:
    """The lowest Hartree-Fock state of carriers on a torus that is reached from the starts.

        E = sum_p <p|k^2/2m|p> + (1/2A) sum_{G != 0} v(G) |rho(G)|^2 - (1/2A) sum_pp' sum_q v(q) |<p'|e^{-iqr}|p>|^2

    Parameters
    ----------
    torus : carriers, interaction, box and zero mode; a temperature, potential or field of its bilayer counts.
    start : a phase (``liquid``, ``hole-crystal``, ``electron-crystal``, ``crystal``, ``stripes``, ``trion-crystal``,
        ``dumbbell-crystal``), ``random``, or a state: an `Orbitals`, an earlier result, or the path of its file.
    electron_spin, hole_spin : in place of those of the torus: ``restricted``, ``unrestricted`` or ``polarized``.
    plane_waves, hexagon, cutoff : at most one: odd counts along the reciprocal vectors of the box, steps along the
        six shortest of them, or the largest wave number (1/a_h). Without, the basis grows until the energy per
        particle changes by less than ``tolerance``.
    symmetry, holes_per_cell : ``none`` for the free box, ``crystal`` to keep the translations of cells of so many
        sites.
    spin_order : ``uniform``, ``stripe`` or ``random`` placement of flavours on sites.
    starts, seed : number of starts, the first clean, further ones with seeded noise.
    keep : symmetry held beyond: ``none``, ``translations`` (a uniform state) or ``crystal`` (one site per cell).
    follow : leave a saddle along its lowest mode and minimise again.
    occupation : ``integer``, or ``shell`` (a degenerate shell is filled equally).
    tolerance : bound on the error of the energy per particle (Ha_h).
    max_iterations : of each minimisation.
    stability : ``none``, ``auto`` (the curvature where it costs a few seconds at most) or ``full``.
    pairing : electron-hole coherence as well (`coherence`): flavours of the holes pair with flavours of the electrons.
        Further starts are then ``supersolid``, ``condensate`` and ``composite-crystal``; states without pairs stay so.
    pair_momentum : Q of the pairs, in reciprocal vectors of the box.
    sizes : further numbers of particles, from which energy and gaps are extrapolated to infinitely many (``limit``).
    terms : of the Hamiltonian, classes of `ehbilayer.terms`; kinetic, direct and exchange by default.
    how : see `results.calling.Calling`.

    Returns
    -------
    HartreeFockResult. Lack of convergence does not raise: the status says so, and ``energy`` refuses to answer.

    Raises
    ------
    InputError : an unknown word, a start that does not exist or fit, a basis too small for the particles, a cell that
        does not tile the box, more memory than there is.

    The functional is that of Dai and Fu, PRL 132, 196202 (2024), Supplemental Material.

        device = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1.29e12 cm^-2", electrons_per_hole=2)
        state = hartree_fock(Torus(device, holes=36, zero_mode="madelung"), "trion-crystal", hexagon=12)
        state.gap.electron.to("meV"), state.phase, state.plot()
    """
    from dataclasses import replace

    from ehbilayer.basis.waves import WaveChoice
    from ehbilayer.hartree_fock.options import Options
    from ehbilayer.hartree_fock.problem import Problem
    from ehbilayer.model import require_plain
    from ehbilayer.results.calling import call
    from ehbilayer.torus import Torus

    require("torus", torus, Torus)
    require_plain(torus.bilayer, "Hartree-Fock", warm=True, pinned=True, split=True)
    torus = replace(torus, electron_spin=electron_spin or torus.electron_spin, hole_spin=hole_spin or torus.hole_spin)
    options = Options(spin_order=spin_order, starts=starts, seed=seed, keep=keep, follow=follow, occupation=occupation,
                      tolerance=tolerance, max_iterations=max_iterations, stability=stability, pairing=pairing,
                      pair_momentum=pair_momentum)
    problem = Problem.of(torus, start, options, WaveChoice(plane_waves, hexagon, cutoff), symmetry=symmetry,
                         holes_per_cell=holes_per_cell, terms=None if terms is None else tuple(terms), sizes=sizes)
    return call(problem.solve, torus.bilayer.scales, how, seed=seed)
