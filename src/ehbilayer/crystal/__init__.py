"""Classical crystals of point charges in layers: the lowest electrostatic energy, and its crystals against a/d.

In the order of a calculation: `structures` (a crystal, named or random), `relaxation` (charges and cell at rest),
`problem` (what is asked for), `search` (many starts), `symmetry` (group and name), `study` (one density), or `sequence`
and `scan` (all of them); what comes back is a `result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ehbilayer.errors import require

if TYPE_CHECKING:
    from ehbilayer.crystal.problem import Structure
    from ehbilayer.crystal.result import CrystalResult, CrystalScanResult
    from ehbilayer.model import Bilayer
    from ehbilayer.results.calling import Calling


def crystal(bilayer: Bilayer, structure: Structure = "random", *, holes_per_cell: int | None = None, layers: int = 1,
            relax: str = "cell", box: str | None = None, starts: int = 20, seed: int = 1, tolerance: float = 1e-11,
            capacitor: bool = False, scan: tuple[float, float] | None = None, scan_points: int = 16,
            **how: Unpack[Calling]) -> CrystalResult | CrystalScanResult:
    """The classical crystal of lowest energy, or a named one at rest, or all ground states against a/d.

        E = 1/2 sum_i sum_j' q_i q_j / |r_i - r_j|,    a = 1/sqrt(pi n_h)

    with a neutralising background in every layer, over all images of a cell of fixed area. A screened interaction takes
    the place of 1/r; between gates the energy holds that of the charged layers, 1/2 sum_ab Q_a Q_b v_ab(0)/A.

    Parameters
    ----------
    bilayer : electrons, holes or both; masses do not matter, in a scan nor do densities.
    structure : ``"random"`` searches from many starts; a name (``honeycomb``, ``checkerboard``, ``triangular``, ...), a
        `Crystal` or an earlier result keep their symmetry.
    holes_per_cell : in each layer of a same-charge bilayer. In a search 1 by default, of a named structure its own; a
        scan looks at cells of 1 to this many.
    layers : 2 for a same-charge bilayer of holes, whose density is that of one layer.
    relax : ``cell`` (positions, and the shape of the cell), ``positions`` or ``none``.
    box : of random starts: ``random``, ``triangular``, ``rectangular`` or ``square``; where the cell does not relax
        ``rectangular`` by default.
    starts, seed : number of random starts, start i of seed + i; named structures that fit are tried besides.
    tolerance : of each force in e^2/a^2.
    capacitor : add the energy of charged layers, 2 pi d n_e per hole.
    scan, scan_points : ends of a/d and how many values, in equal ratios.
    how : see `results.calling.Calling`; ``threads`` relaxes so many starts at once.

    Returns
    -------
    CrystalResult, with ``scan`` CrystalScanResult. A stop or a missing minimum does not raise: the status says so.

    Raises
    ------
    InputError : an interaction of one's own, other carriers than electrons and holes, a structure that does not
        exist at this composition, electrons and holes at distance 0, a/d out of range.

    Structures: Goldoni and Peeters, PRB 53, 4591 (1996); Dai and Fu, PRL 132, 196202 (2024).

        device = Bilayer.of("WSe2/MoSe2", spacing="3 nm", hole_density="1.29e11 cm^-2", electrons_per_hole=2)
        found = crystal(device, starts=5, holes_per_cell=2)
        found.structure, found.energy_per_hole, found.crystal.positions
    """
    from ehbilayer.crystal.problem import composition_of, scan_of, starts_of
    from ehbilayer.crystal.scan import solve_scan
    from ehbilayer.crystal.study import solve_search
    from ehbilayer.interaction.base import refuse_capacitor
    from ehbilayer.model import Bilayer
    from ehbilayer.results.calling import call

    require("bilayer", bilayer, Bilayer)
    refuse_capacitor(bilayer.interaction, capacitor)
    if scan is None:
        first = starts_of(composition_of(bilayer, layers), structure, holes_per_cell=holes_per_cell, relax=relax,
                          box=box, starts=starts, seed=seed, tolerance=tolerance)
        return call(lambda hooks: solve_search(first, hooks, capacitor=capacitor), bilayer.scales, how, seed=seed)
    inside = composition_of(bilayer, layers, scan[0])
    values = scan_of(inside, scan, scan_points, holes_per_cell=1 if holes_per_cell is None else holes_per_cell,
                     relax=relax, starts=starts, seed=seed)
    return call(lambda hooks: solve_scan(inside, values, hooks, capacitor=capacitor), bilayer.scales, how, seed=seed)
