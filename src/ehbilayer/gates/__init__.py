"""Gate voltages and bias to electrons and holes: equation of state, three capacitors, and what voltages pay.

`stack` has the electrostatics, `sheet` equations of state, `plane` those of mean field and `table` those of files;
`ground` finds the lowest state at many voltages, `insulator` where there are pairs alone, `solve` maps and curves;
`asked` is what is asked for, what comes back a `result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ehbilayer.gates.asked import Voltage
    from ehbilayer.gates.result import GatesResult
    from ehbilayer.model import Bilayer
    from ehbilayer.results.calling import Calling


def gates(bilayer: Bilayer, *, gap: float | str | None = None, gate_top: float | str | None = None,
          gate_bottom: float | str | None = None, top: Voltage | None = None, bottom: Voltage | None = None,
          common: Voltage | None = None, difference: Voltage | None = None, bias: Voltage | None = None,
          points: int = 50, equation: str = "mean-field", spin: str = "lowest",
          table: str | Path | Mapping[str, Any] | None = None, measured: str | Path | None = None,
          dielectric_top: float | None = None, dielectric_spacer: float | None = None,
          dielectric_bottom: float | None = None, conduction_band: float | str | None = None,
          ground: str = "electron", **how: Unpack[Calling]) -> GatesResult:
    """Densities, phases and compressibilities of a bilayer between gates, at voltages or on a map of two of them.

        Omega(n_e, n_h) = f(n_e, n_h) + (1/2) n K n - w n = min,    w from the voltages (see `stack`)

    Parameters
    ----------
    bilayer : electrons and holes; densities do not matter, a temperature does.
    gap : E_g between the bands of both layers; 0 counts the bias from it.
    gate_top, gate_bottom : distance of the metal above the electrons and below the holes; one may be absent.
    top, bottom, common, difference, bias : voltages, numbers in Ha_h or text such as ``"0.5 V"``, or two between which
        it varies. common = (top + bottom)/2, difference = top - bottom, bias = V_h - V_e of the contacts.
    points : of each voltage that varies.
    equation : of state, ``mean-field`` (liquids and the condensate), ``liquid``, ``free`` (no forces but those of the
        capacitors).
    spin : ``lowest``, ``restricted`` or ``polarized``, of the liquids and of the pairs.
    table : an equation of state in place of these, a CSV file or columns (see `table`).
    measured : a CSV file of biases and pair densities that the figure lays over the curve.
    dielectric_top, dielectric_spacer, dielectric_bottom : of the three spacers, across; the medium's by default.
    conduction_band : of the electrons over the Fermi level of the gates' metal, by default half of the gap.
    ground : which contact the gates' voltages count from, ``electron``, ``hole`` or the ``middle``.
    how : see `results.calling.Calling`.

    Raises
    ------
    InputError : no gate or no gap, a gate inside of the layers, a dielectric constant below 1, voltages beyond a table,
        an interaction of one's own, a periodic potential.

        device = Bilayer.of("WSe2/MoSe2", spacing="3 nm")
        found = gates(device, gap="1.5 eV", gate_top="10 nm", gate_bottom="10 nm", bias=["1.3 V", "1.6 V"],
                      common=["-0.3 V", "0.3 V"], ground="middle")
        found.threshold.to("V"), found.jump.to("meV"), found.plot()
    """
    from ehbilayer.gates.asked import Geometry, asked_of
    from ehbilayer.gates.solve import solve
    from ehbilayer.model import Bilayer, require_plain
    from ehbilayer.results.calling import call

    require("bilayer", bilayer, Bilayer)
    require_plain(bilayer, "gates", warm=True)
    geometry = Geometry(gap, gate_top, gate_bottom, dielectric_top, dielectric_spacer, dielectric_bottom,
                        conduction_band, ground)
    voltages = {"top": top, "bottom": bottom, "common": common, "difference": difference, "bias": bias}
    asked = asked_of(bilayer, geometry, voltages, points=points, equation=equation, spin=spin, table=table,
                     measured=measured)
    return call(lambda hooks: solve(asked, hooks), bilayer.scales, how)
