"""What a device does, on one page: `page` puts the phases and the pairing together, `result` is what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehbilayer.device.result import DeviceResult
    from ehbilayer.hooks import Hooks
    from ehbilayer.model import Bilayer
    from ehbilayer.phases.candidates import Candidate
    from ehbilayer.phases.result import CompetitionResult
    from ehbilayer.results.calling import Calling


def device(bilayer: Bilayer, *, holes: int = 36, shape: str = "triangular", zero_mode: str = "madelung",
           capacitor: bool = False, candidates: Sequence[str | Candidate] | None = None, tolerance: float = 1e-4,
           plane_waves: Sequence[int] | None = None, hexagon: int | None = None, cutoff: float | None = None,
           alpha_squared: float | None = None, alpha: float | None = None,
           alpha_squared_uncertainty: float | None = None, rs_star: float = 2.0, method: str = "eliashberg",
           mu_star: Literal["morel-anderson", "bare"] | float = "morel-anderson", umklapp: str = "debye",
           sizes: Sequence[int] | None = None, state: str = "symmetric",
           densities: tuple[float | str, float | str] | None = None, points: int = 9,
           correlated: bool = False, **how: Unpack[Calling]) -> DeviceResult:
    """One page: which phase wins, what one would measure, and whether it superconducts by each source of alpha^2.

        page = device(Bilayer.of("mass-ratio-10", spacing="1 a_e", rs_electron=1.0))
        print(page.phase, page.gap.electron.to("meV"), page.critical_temperature)
        page.pairing("limit").by_method

    Parameters
    ----------
    bilayer : electrons, holes or both, with masses and dielectric constant: answers are in K and cm^-2. Pairing of the
        lighter carriers is asked for as many electrons as holes.
    holes, shape, zero_mode, capacitor : of the torus on which phases compete, and of that of the pairing.
    candidates, plane_waves, hexagon, cutoff : see `ehbilayer.phases`.
    tolerance : of the energy per particle, Ha_h.
    alpha_squared, alpha, alpha_squared_uncertainty : a number gives the answer; else the limit of many holes does, and
        other sources stand beside it.
    rs_star, method, mu_star, umklapp, sizes, state : see `ehbilayer.pairing`.
    densities : ends of a range for the sequence of phases, of the holes (of the electrons where there are no holes):
        numbers in a_h^-2 or text such as ``"3e12 cm^-2"``; the ratio of electrons and holes stays.
    points : densities of the range at which the phases compete; more follow beside the transitions.
    correlated : let the phases compete by Monte Carlo, too, in a box of its own; its verdict then stands.
    how : backend, threads, progress, should_stop; see `results.calling.Calling`.

    Returns
    -------
    DeviceResult, with every reservation that applies.

    Raises
    ------
    InputError : a device that is not known in real units, a torus or a choice that does not fit.
    """
    from dataclasses import replace

    from ehbilayer.device.page import CORRELATED_ERROR, Device, solve, sources_of, unpaired
    from ehbilayer.device.sequence import at_density, range_of
    from ehbilayer.hartree_fock.options import Options
    from ehbilayer.hartree_fock.problem import check_warm
    from ehbilayer.interaction.base import require_known
    from ehbilayer.model import Bilayer, require_plain
    from ehbilayer.pairing.liquid import Choices
    from ehbilayer.phases import phases
    from ehbilayer.results.calling import call
    from ehbilayer.torus import Torus

    require("bilayer", bilayer, Bilayer)
    require_known(bilayer.interaction, "the page of a device")
    require_plain(bilayer, "the page of a device", warm=not correlated)
    if bilayer.temperature:
        named = any(waves is not None for waves in (plane_waves, hexagon, cutoff))
        check_warm(Options(basis_tolerance=None if named else tolerance), ())
    torus = Torus(bilayer, holes, shape=shape, zero_mode=zero_mode, capacitor=capacitor, electron_spin="polarized",
                  hole_spin="polarized")
    many = () if densities is None else range_of(densities, points, bilayer.scales, "densities")
    reason = unpaired(bilayer)
    sources = {} if reason else sources_of(alpha_squared, alpha, alpha_squared_uncertainty, rs_star=rs_star,
                                           capacitor=capacitor, holes=holes, zero_mode=zero_mode, sizes=sizes,
                                           state=state)

    def compete(torus: Torus, hooks: Hooks) -> CompetitionResult:
        return phases(torus, candidates, spins="all", plane_waves=plane_waves, hexagon=hexagon, cutoff=cutoff,
                      tolerance=tolerance, stability="none", backend=hooks.backend, threads=hooks.threads,
                      progress=hooks.progress, should_stop=hooks.should_stop)

    def at(density: float, hooks: Hooks) -> CompetitionResult:
        moved = replace(torus, bilayer=at_density(bilayer, density))
        return compete(moved, hooks)

    def by_monte_carlo(hooks: Hooks) -> CompetitionResult:
        from ehbilayer.monte_carlo.contenders import usual_box
        from ehbilayer.monte_carlo.correlated import correlated_phases

        return correlated_phases(usual_box(replace(torus, zero_mode="madelung"), "all"), spins="all",
                                 target_error=CORRELATED_ERROR, progress=hooks.progress, should_stop=hooks.should_stop)

    asked = Device(bilayer, lambda hooks: compete(torus, hooks), sources, Choices(method, mu_star, umklapp, 0), reason,
                   many, at if many else None, by_monte_carlo if correlated else None)
    return call(lambda hooks: solve(asked, hooks), bilayer.scales, how)
