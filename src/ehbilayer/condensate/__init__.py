"""The homogeneous exciton condensate by Hartree-Fock-Bogoliubov: pairs of opposite wave vectors, u and v varied.

`problem` is what is asked for. `bogoliubov` minimises the functional on any set of wave vectors: those of a box
(`torus`) or a mesh of the infinite plane (`mesh`, `radial`), where `screened` screens it. `report` says what the state
is, a `result`; `curve` finds the densities at which it separates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehbilayer.condensate.result import CondensateResult
    from ehbilayer.model import Bilayer
    from ehbilayer.results.calling import Calling
    from ehbilayer.torus import Torus


def condensate(where: Bilayer | Torus, *, spin: str = "polarized", chemical_potential: float | str | None = None,
               tolerance: float = 1e-8, curve_points: int = 40, capacitor: bool = False, screening: str = "none",
               plane_waves: Sequence[int] | None = None, hexagon: int | None = None, cutoff: float | None = None,
               **how: Unpack[Calling]) -> CondensateResult:
    """The homogeneous exciton condensate, in the infinite plane or on a torus, and its energy against density.

        |Omega> = prod_k (cos theta_k + sin theta_k a+_k b+_-k)|0>,  E = sum_k (k^2/2m) n_k - sum_k (n_k X_k + F_k D_k)

    Parameters
    ----------
    where : a `Bilayer` with as many electrons as holes for the infinite plane, or a `Torus`; at a temperature above 0
        the state has Fermi's occupations, free energy and entropy, and no curve. In a magnetic field pairs of lowered
        flavours shift by -(g_e + g_h) mu_B B/2, and in the plane ``in_field`` says how it divides them.
    spin : ``polarized``, or ``restricted`` for an equal condensate in each flavour; on a torus in place of its own.
    chemical_potential : of a pair, a number in Ha_h or text such as ``"-150 meV"``; the density that has it takes the
        place of the bilayer's. In the plane only.
    tolerance : bound on the error of the energy per pair (Ha_h).
    curve_points : densities at which E(n) is drawn and searched for coexistence; 0 for none.
    capacitor : in the plane, add the geometric energy 2 pi d n of a pair; a torus says so itself.
    screening : in the plane, of attraction and exchange: ``none``, by the ``normal`` gases, or by the ``condensate``
        itself (`condensate.screened`), down from the unscreened state. Gaps and chemical potential are then those of
        the screened fields, energies the mean of the Hamiltonian in that state, and there is no curve.
    plane_waves, hexagon, cutoff : the waves of a torus, see `hartree_fock.hartree_fock`. Without, they follow from the
        tolerance.
    how : see `results.calling.Calling`.

    Returns
    -------
    PlaneCondensateResult or TorusCondensateResult.

    Raises
    ------
    InputError : other densities of electrons than of holes, unequal flavours where all of them pair, an argument of the
        other geometry; in the plane an interaction whose v(q) has steps or ripples, a carrier with a dispersion of
        its own, a chemical potential at which there are no pairs.

    The functional is that of Nashabeh and Fu, arXiv (2026), Supplemental Material.

        pairs = Bilayer.of("WSe2/MoSe2", spacing="1 nm", hole_density="1e12 cm^-2")
        state = condensate(pairs)
        state.condensate_fraction, state.pair_breaking_energy.to("meV"), state.coexistence
    """
    from ehbilayer.basis.waves import WaveChoice
    from ehbilayer.condensate.problem import PlaneProblem, TorusProblem
    from ehbilayer.errors import InputError, require
    from ehbilayer.model import Bilayer, require_plain
    from ehbilayer.results.calling import call
    from ehbilayer.torus import Torus

    require("where", where, (Bilayer, Torus))
    require_plain(where.bilayer if isinstance(where, Torus) else where, "a condensate", warm=True,
                  split=True)
    waves = WaveChoice(plane_waves, hexagon, cutoff)
    if isinstance(where, Torus):
        for name, given in (("chemical_potential", chemical_potential), ("capacitor", capacitor or None)):
            if given is not None:
                raise InputError(name, "left out on a torus, which has a number of pairs and says its capacitor", given,
                                 "give the bilayer for the infinite plane")
        scales = where.bilayer.scales
        return call(TorusProblem.of(where, waves, spin=spin, tolerance=tolerance, curve_points=curve_points,
                                    screening=screening).solve,
                    scales, how)
    if waves.named:
        raise InputError(waves.argument, "left out in the infinite plane", getattr(waves, waves.argument),
                         "give a Torus")
    mu = None if chemical_potential is None else where.scales.to_atomic(chemical_potential, "energy",
                                                                        "chemical_potential")
    problem = PlaneProblem.of(where, spin=spin, capacitor=capacitor, chemical_potential=mu, tolerance=tolerance,
                              curve_points=curve_points, screening=screening)
    return call(problem.solve, where.scales, how)
