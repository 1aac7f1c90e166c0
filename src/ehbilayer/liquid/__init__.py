"""Uniform liquids of the infinite plane in Hartree-Fock: what a torus' liquid tends to.

`gas` has the energies of one layer, `warm_gas` those at a temperature, `partial` those of unequal flavours, `solve` all
layers, `result` what comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from ehbilayer.liquid.result import LiquidResult
    from ehbilayer.model import Bilayer
    from ehbilayer.results.calling import Calling

SPINS = ("lowest", "restricted", "polarized")


def liquid(bilayer: Bilayer, *, spin: str = "lowest", capacitor: bool = False, curve_points: int = 80,
           **how: Unpack[Calling]) -> LiquidResult:
    """Energies of the uniform liquids of all layers in the infinite plane, in Hartree-Fock.

    Each carrier contributes k_F^2/4m and its exchange energy per particle (see `gas.Gas`); densities of different
    carriers do not see each other but for the capacitor energy, as both are uniform.

        from ehbilayer import Bilayer, liquid
        found = liquid(Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1e12 cm^-2"))
        found.energy_per_hole.to("meV"), found.spin.electron

    Parameters
    ----------
    bilayer : carriers with k^2/2m and any interaction; at a temperature above 0 energies are free energies,
        of the best free gas with its exchange (see `warm_gas`).
    spin : ``restricted`` (flavours equally filled), ``polarized`` (one flavour), or the ``lowest`` for each carrier: of
        several flavours, or in a magnetic field, that of any polarisation.
    capacitor : with the geometric energy of the charged layers.
    curve_points : densities at which the energy is drawn, all scaled by a common factor; 0 leaves the curve out.
    how : see `results.calling.Calling`.

    Raises
    ------
    InputError : an unknown spin, a carrier without density or with a dispersion of its own, a capacitor beside gates.
    """
    from ehbilayer.interaction.base import refuse_capacitor
    from ehbilayer.liquid.solve import solve
    from ehbilayer.model import Bilayer, require_plain
    from ehbilayer.results.calling import call

    require("bilayer", bilayer, Bilayer)
    refuse_capacitor(bilayer.interaction, capacitor)
    require_plain(bilayer, "a liquid of the plane", warm=True, split=True)
    return call(lambda hooks: solve(bilayer, spin, capacitor, curve_points), bilayer.scales, how)
