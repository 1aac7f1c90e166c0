"""Pairing of the electron liquid by acoustic plasmons of the hole crystal: couplings, spectrum, T_c, gap.

In the order of a calculation: `plasmon_velocity` (where alpha^2 comes from), `liquid` (what pairs), `couplings` (mu and
lambda), `plasmon_spectrum` (alpha^2 F, kept as a `coupling_spectrum`), `eliashberg`, `temperature` (T_c by four
methods), `gap`; then `point`, `density` or `maps` of all that, and `result`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from ehbilayer.model import Bilayer
    from ehbilayer.pairing.result import MediatedPairingResult, PairingMapResult, PairingResult
    from ehbilayer.results.calling import Calling


def pairing(bilayer: Bilayer, *, alpha_squared: float | None = None, alpha: float | None = None,
            alpha_source: str | None = None, alpha_squared_uncertainty: float | None = None, rs_star: float = 2.0,
            phase: str | None = None, method: str = "eliashberg",
            mu_star: Literal["morel-anderson", "bare"] | float = "morel-anderson", umklapp: str = "debye",
            curve_points: int = 24, map_rs: tuple[float, float] | None = None,
            map_spacing: tuple[float | str, float | str] | None = None, map_points: int = 100,
            capacitor: bool = False, holes: int = 36, zero_mode: str | None = None, sizes: Sequence[int] | None = None,
            state: str = "symmetric", coupling: str = "plasmon-pole",
            **how: Unpack[Calling]) -> PairingResult | PairingMapResult | MediatedPairingResult:
    """T_c of an electron liquid that pairs by acoustic plasmons of the hole crystal; with ``map_rs`` a map of it.

    g0V = mu - lambda averages Coulomb repulsion and exchange of plasmons of velocity v_p = alpha v_0 over the Fermi
    circle; as published, k_B T_c = 1.13 k_B T_D e^{1/g0V}. alpha^2 is given in one of three ways; T_c depends on it
    exponentially.

        bilayer = Bilayer.of("mass-ratio-10", spacing="1 a_e", rs_electron=1.6)
        found = pairing(bilayer, alpha=0.3, method="eliashberg")
        print(found.critical_temperature, found.by_method)

    Parameters
    ----------
    bilayer : as many electrons as holes, Coulomb's interaction, holes no lighter than electrons; see ``coupling``.
    alpha_squared, alpha, alpha_source : one of them: (v_p/v_0)^2, its root, or where it comes from: ``paper-line``
        (1.2 - 1.39 r_s/r_s*, a reading of a figure), ``torus`` or ``limit`` (Hartree-Fock, see `compressibility`).
    alpha_squared_uncertainty : gives a band of T_c.
    rs_star : r_s at which a layer crystallises.   phase : the phase at this place, where it is known.
    method : ``eliashberg``, ``bcs`` (the published formula, which may exceed what any spectrum of this strength
        allows), ``mcmillan`` or ``allen-dynes``; a point tells all of them.
    mu_star : ``morel-anderson``, ``bare`` or a number >= 0, for all methods but ``bcs``.
    umklapp : ``debye`` (as published) or ``folded`` (exact).
    curve_points : of T_c against alpha^2 and against r_s; 0 for none.
    map_rs, map_spacing, map_points : ends of the axes of a map (r_s of the electrons; lengths in a_h or text such as
        ``"2 a_e"``), and its points along each; density and spacing of the bilayer then do not matter.
    capacitor : add what the geometric energy of the charged layers adds to alpha^2, 2 g d/a_e for g flavours.
    holes, zero_mode, state : of the torus.   sizes : of the tori that are extrapolated.
    coupling : ``plasmon-pole``, as published, or what the liquids' own response gives, without any alpha: ``rpa``,
        ``hubbard``, ``stls`` or ``kukkonen-overhauser``; then any densities and interaction (see `mediated`); or what
        phonons of a hole crystal give, screened by the electrons: ``crystal``, ``crystal-exchange`` (`hole_crystal`).
    how : backend, threads, progress, should_stop; see `results.calling.Calling`.

    Returns
    -------
    PairingResult, PairingMapResult, or MediatedPairingResult for a computed coupling. No acoustic mode (alpha^2 <= 0)
    and no pairing are answers.

    Raises
    ------
    InputError : another bilayer, alpha^2 said in no way or in several, an unknown choice.

    Sources: Nashabeh & Fu, arXiv (2026), Eqs. 1-5; Allen & Dynes, Phys. Rev. B 12, 905 (1975).
    """
    from ehbilayer.errors import InputError
    from ehbilayer.interaction.base import require_coulomb
    from ehbilayer.model import Bilayer, require_plain
    from ehbilayer.pairing.liquid import Choices
    from ehbilayer.pairing.maps import Map, solve_map
    from ehbilayer.pairing.mediated import PLASMON_POLE, solve_mediated
    from ehbilayer.pairing.plasmon_velocity import Source
    from ehbilayer.pairing.point import solve_point
    from ehbilayer.results.calling import call

    require("bilayer", bilayer, Bilayer)
    require_plain(bilayer, "the pairing of a liquid")
    if coupling != PLASMON_POLE:
        given = {"alpha_squared": alpha_squared, "alpha": alpha, "alpha_source": alpha_source, "map_rs": map_rs,
                 "map_spacing": map_spacing}
        for name, value in given.items():
            if value is not None:
                raise InputError(name, f"absent where the coupling is {coupling}", value,
                                 f'leave it out, or coupling = "{PLASMON_POLE}"')
        return call(lambda hooks: solve_mediated(bilayer, coupling, mu_star, hooks), bilayer.scales, how)
    require_coulomb(bilayer.interaction, "pairing by plasmons")
    source = Source.of(alpha_squared, alpha, alpha_source, given_uncertainty=alpha_squared_uncertainty,
                       rs_star=rs_star, capacitor=capacitor, holes=holes, zero_mode=zero_mode, sizes=sizes,
                       state=state)
    choices = Choices(method, mu_star, umklapp, curve_points)
    if map_rs is None and map_spacing is None:
        return call(lambda hooks: solve_point(bilayer, source, choices, hooks, phase), bilayer.scales, how)
    if map_rs is None or map_spacing is None:
        raise InputError("map_rs" if map_rs is None else "map_spacing", "given for a map", "missing",
                         "a map needs map_rs and map_spacing")
    low, high = (bilayer.scales.to_atomic(x, "length", "map_spacing") for x in map_spacing)
    asked = Map.over(bilayer, map_rs, (low, high), map_points, source, choices)
    return call(lambda hooks: solve_map(asked, hooks), bilayer.scales, how)
