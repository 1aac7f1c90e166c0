"""Up to which temperature: superfluidity, excitons and crystals, each by estimates whose assumptions are said.

`gases` are ideal gases of the plane, `ionisation` the law of mass action, `superfluid` the transition of Berezinskii,
Kosterlitz and Thouless, `melting` that of crystals, `estimates` all of them for one bilayer; what comes back is a
`result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from ehbilayer.model import Bilayer
    from ehbilayer.results.calling import Calling
    from ehbilayer.thermal.result import ThermalResult


def thermal(bilayer: Bilayer, *, spin: str = "polarized", trions: bool = True, structure: str | None = None,
            lindemann: float = 0.1, points: int = 40, **how: Unpack[Calling]) -> ThermalResult:
    """Up to which temperature a bilayer is superfluid, its excitons are bound, and its crystal resists melting.

        k_B T_BKT = (pi/2) n_s(T)/M,    n_e n_h/n_X by mass action,
        k_B T_m = (a^2/4 pi) mu (mu + lambda)/(2 mu + lambda)

    Parameters
    ----------
    bilayer : electrons, holes or both, with densities. At a temperature it also says what holds there, and in a
        magnetic field flavours shift in the law of mass action.
    spin : of the condensate, ``polarized`` (one) or ``restricted`` (one of each flavour).
    trions : with bound trions, which takes some seconds.
    structure : of the crystal (see `ehbilayer.crystal`); by default the triangular one, honeycomb at 2:1 and 1:2.
    lindemann : mean square of neighbours' relative motion over their distance squared at which a crystal melts.
    points : temperatures of each curve.
    how : see `results.calling.Calling`.

    Returns
    -------
    ThermalResult: what does not apply is None, and says why.

    Raises
    ------
    InputError : no density, fewer than two points, an unknown spin.

        device = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="0.5e12 cm^-2")
        found = thermal(device)
        found.bkt.to("K"), found.ionisation.to("K"), found.melting.kthny.to("K")
    """
    from ehbilayer.interaction.base import require_known
    from ehbilayer.model import Bilayer, require_plain
    from ehbilayer.results.calling import call
    from ehbilayer.thermal.estimates import Asked, solve

    require("bilayer", bilayer, Bilayer)
    require_known(bilayer.interaction, "thermal")
    require_plain(bilayer, "thermal", warm=True, split=True)
    asked = Asked(bilayer, spin, trions, structure, lindemann, points)
    return call(lambda hooks: solve(asked, hooks), bilayer.scales, how)
