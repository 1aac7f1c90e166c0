"""Which phase has the lowest energy: candidates that keep their symmetry compete.

`candidates` says who competes, `competition` converges them, `verdict` judges, `bulk` goes to infinitely many
particles, `result` is what comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehbilayer.phases.candidates import Candidate
    from ehbilayer.phases.result import CompetitionResult
    from ehbilayer.results.calling import Calling
    from ehbilayer.torus import Torus


def phases(torus: Torus, candidates: Sequence[str | Candidate] | None = None, *, spins: str | None = None,
           electron_spin: str | None = None, hole_spin: str | None = None, plane_waves: Sequence[int] | None = None,
           hexagon: int | None = None, cutoff: float | None = None, occupation: str = "integer", follow: bool = False,
           tolerance: float = 1e-8, max_iterations: int = 2000, stability: str = "auto", sizes: Sequence[int] = (),
           **how: Unpack[Calling]) -> CompetitionResult:
    """The phase of lowest mean-field energy at one point, with its margin and the numerical error of that.

    Parameters
    ----------
    torus : carriers, interaction, box and zero mode, the same for all candidates. At a temperature above 0 the free
        energies E - T S of the mean fields compete, on waves that are named.
    candidates : names (``liquid``, ``hole-crystal``, ``electron-crystal``, ``crystal``, ``stripes``,
        ``trion-crystal``, ``dumbbell-crystal``, ``condensate``) and phases of your own
        (`phases.candidates.Candidate`); without, all that these particles can form.
    spins : ``all`` arrangements of spins and valleys compete, each candidate's best one stands for it; or those that
        are ``given``. By default all do, unless a spin is given here or the torus has another than its own default.
    electron_spin, hole_spin : of the liquid, in place of those of the torus; crystals of single electrons order theirs.
    plane_waves, hexagon, cutoff : the waves of all candidates, see `hartree_fock.hartree_fock`. Without, each candidate
        gets those that its own energy needs.
    occupation, max_iterations, stability : see `hartree_fock.hartree_fock`.
    follow : follow the lowest mode of each saddle, too, and say where it leads; the candidate competes as it is.
    tolerance : bound on the error of the energy per particle (Ha_h).
    sizes : further numbers of holes (of electrons where there are none), from which the verdict goes to infinitely many
        particles: `limit` of the result; with ``zero_mode = "madelung"``.
    how : see `results.calling.Calling`.

    Returns
    -------
    CompetitionResult, converged when every candidate is.

    Raises
    ------
    InputError : a candidate that these particles cannot form or the box cannot hold; one of your own that cannot be
        compared with the others; see also `hartree_fock.hartree_fock`.

    Candidates and order parameters follow Nashabeh and Fu, arXiv (2026).

        own = Candidate.of("four per cell", torus, "crystal", holes_per_cell=4, hexagon=7)
        result = phases(torus, ["liquid", "condensate", own], hexagon=7)
        result.winner, result.margin.to("meV"), result.resolved
    """
    from dataclasses import replace

    from ehbilayer.basis.plane_waves import PlaneWaveBasis
    from ehbilayer.basis.waves import WaveChoice
    from ehbilayer.hartree_fock.options import Options
    from ehbilayer.model import require_plain
    from ehbilayer.phases.bulk import Contest
    from ehbilayer.phases.candidates import applicable
    from ehbilayer.results.calling import call
    from ehbilayer.torus import Torus

    require("torus", torus, Torus)
    require_plain(torus.bilayer, "a competition of phases", warm=True)
    torus = replace(torus, electron_spin=electron_spin or torus.electron_spin, hole_spin=hole_spin or torus.hole_spin)
    said = electron_spin or hole_spin or (torus.electron_spin, torus.hole_spin) != ("restricted", "polarized")
    spins = spins or ("given" if said else "all")
    if spins == "all":
        torus = replace(torus, electron_spin="polarized", hole_spin="polarized")  # these take the most waves
    waves = WaveChoice(plane_waves, hexagon, cutoff)
    options = Options(occupation=occupation, follow=follow, tolerance=tolerance, max_iterations=max_iterations,
                      stability=stability, basis_tolerance=None if waves.named else tolerance)
    basis = PlaneWaveBasis(torus.box, waves.on(torus, tolerance))
    contest = Contest(torus, basis, tuple(applicable(torus, spins) if candidates is None else candidates), options,
                      spins, tuple(sizes))
    contest.check()
    return call(contest.solve, torus.bilayer.scales, how)
