"""`correlated_phases`: the call from Python of a competition by Monte Carlo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehbilayer.phases.result import CompetitionResult
    from ehbilayer.results.calling import Calling
    from ehbilayer.torus import Torus


def correlated_phases(torus: Torus, candidates: Sequence[str] | None = None, *, spins: str = "given",
                      method: str = "dmc", target_error: float | str | None = None, max_time: float | None = None,
                      walkers: int = 200, seed: int = 0, jastrow: int = 5, optimisation_steps: int = 5,
                      samples: int = 2000, twists: int | Sequence[float] | None = None,
                      sizes: Sequence[int] = (), **how: Unpack[Calling]) -> CompetitionResult:
    """The phase of lowest energy at one point with correlation: all candidates by the same Monte Carlo.

    Parameters
    ----------
    torus : carriers, spins and box; zero mode ``madelung``. 13 and 37 pairs serve one flavour, 14 and 38 two.
    candidates : of ``liquid``, ``hole-crystal``, ``electron-crystal``, ``crystal``, ``condensate``; None for all that
        these carriers form.
    spins : the arrangement ``given`` by the torus, or ``all`` equal fillings of flavours, each in the nearest box that
        serves it.
    method, walkers, seed, jastrow, optimisation_steps, samples, twists : see `monte_carlo.monte_carlo`; pairs and
        crystals of all carriers, which have no plane waves, are not twisted.
    target_error : standard error per hole (Ha_h, or text with a unit) for those that may win; three times that first.
    max_time : seconds, of all together.
    sizes : further numbers of holes, of electrons where there are none; those that may win in the box itself compete
        in these, too, and ``limit`` has the verdict for infinitely many.
    how : see `results.calling.Calling`.

    Returns
    -------
    CompetitionResult with ``method`` monte-carlo. It is resolved where every other phase lies 3 standard errors above
    the winner, in this box and after the size formulas that are known; errors of these count.

    Raises
    ------
    InputError : candidates without a trial function here; see also `monte_carlo.monte_carlo`.

        pairs = Torus(Bilayer.of(spacing=1.0, rs_hole=8, electron_mass=1.0, hole_mass=1.0), holes=13,
                      zero_mode="madelung", electron_spin="polarized")
        verdict = correlated_phases(pairs, target_error=1e-3)
        verdict.winner, verdict.margin, verdict.margin_sigma
    """
    from ehbilayer.errors import require
    from ehbilayer.model import require_plain
    from ehbilayer.monte_carlo.competition import Effort, compete
    from ehbilayer.monte_carlo.contenders import fields_of
    from ehbilayer.monte_carlo.twists import twists_of
    from ehbilayer.results.calling import call
    from ehbilayer.torus import Torus

    require("torus", torus, Torus)
    require_plain(torus.bilayer, "Monte Carlo")
    field, *others = fields_of(torus, candidates, spins, twists_of(twists), sizes)
    effort = Effort.of(field.contenders[0], twists, method=method, target_error=target_error, max_time=max_time,
                       walkers=walkers, seed=seed, jastrow=jastrow, optimisation_steps=optimisation_steps,
                       samples=samples)
    return call(lambda hooks: compete(field, effort, hooks, others), torus.bilayer.scales, how, seed=seed)
