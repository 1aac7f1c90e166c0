"""From a bilayer and a structure to what is relaxed: point charges in a cell, and the starts of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ehbilayer.crystal.record import crystal_of
from ehbilayer.crystal.relaxation import RELAX, TOLERANCE
from ehbilayer.crystal.scan import Scan
from ehbilayer.crystal.search import Composition, Start, make_starts
from ehbilayer.crystal.structures import CHARGES, DECOUPLED, Crystal, check_layers
from ehbilayer.errors import InputError
from ehbilayer.interaction.screened import Screened
from ehbilayer.model import Bilayer, require_electrons_and_holes
from ehbilayer.results.base import Result
from ehbilayer.units import density_from_rs, rs_from_density

MOST_CHARGES, MOST_STARTS = 2000, 1_000_000  # in a cell; random starts of a whole scan, which would take days
# beyond, the forces within and between the layers differ by more than 64-bit arithmetic can hold
A_OVER_D = (1e-3, 300.0)
SCANNED = (0.1, 100.0)  # a/d
Structure = str | Crystal | Result


def composition_of(bilayer: Bilayer, layers: int = 1, a_over_d: float | None = None) -> Composition:
    """The charges of a bilayer in the smallest cell that holds whole ones; at this a/d whatever their density.

    Parameters
    ----------
    bilayer : electrons, holes or both; their masses do not matter.
    layers : of holes (electrons where alone), 2 for a same-charge bilayer, whose density is that of one layer.

    Raises
    ------
    InputError : another interaction, other carriers, and as `composition`.
    """
    require_electrons_and_holes(bilayer, "a classical crystal", classical=True, screened=True)
    electron, hole = bilayer.get("electron"), bilayer.get("hole")
    density = (hole or bilayer.carrier("electron")).density
    if not density > 0:
        raise InputError("hole_density", "a density > 0 (a_h^-2)", density, "check the number and its unit")
    ratio = electron.density / density if electron is not None and hole is not None else 0.0
    spacing = bilayer.spacing if ratio or layers > 1 else 0.0
    if a_over_d is not None:
        density = density_from_rs(a_over_d * two_layers(spacing))
    screened = bilayer.interaction if isinstance(bilayer.interaction, Screened) else None
    return composition(density, spacing, ratio, layers, "electron" if hole is None else "hole", screened)


def composition(hole_density: float, spacing: float, electrons_per_hole: float = 0.0, layers: int = 1,
                carrier: str = "hole", interaction: Screened | None = None) -> Composition:
    """Charges in the smallest cell that holds whole ones; see `Composition`.

    Raises
    ------
    InputError : what `Composition` refuses, an a/d beyond A_OVER_D, a ratio that is none of whole numbers.
    """
    check_layers(hole_density, spacing, electrons_per_hole, layers)
    if spacing:
        check_ratio(rs_from_density(hole_density) / spacing)
    for holes in range(1, MOST_CHARGES):
        electrons = electrons_per_hole * holes
        if abs(electrons - round(electrons)) < 1e-9 * max(1.0, electrons):
            return Composition(hole_density, spacing, holes, round(electrons), layers, carrier, interaction)
    raise InputError("electrons_per_hole", f"a ratio of whole numbers below {MOST_CHARGES}", electrons_per_hole,
                     "a crystal repeats with whole charges in its cell")


def check_ratio(a_over_d: float) -> None:
    """Raises InputError for an a/d that cannot be computed."""
    if not A_OVER_D[0] * (1 - 1e-9) <= a_over_d <= A_OVER_D[1] * (1 + 1e-9):
        raise InputError("a_over_d", f"from {A_OVER_D[0]:g} to {A_OVER_D[1]:g}, which spacing and density say "
                         "where it is not given", a_over_d, "check the units of both")


def two_layers(spacing: float) -> float:
    """The spacing. Raises InputError for a single layer, which has no a/d to scan."""
    if not spacing:
        raise InputError("scan", "absent for a single layer", "given", "a/d needs two layers")
    return spacing


def scan_values(scan: Sequence[float], points: int, spacing: float) -> np.ndarray:
    """a/d of a scan from its ends, in equal ratios. Raises InputError for ends or a number that cannot be."""
    low, high = SCANNED
    two_layers(spacing)
    if len(scan) != 2 or not low <= scan[0] < scan[1] <= high:
        raise InputError("scan", f"two rising values of a/d from {low:g} to {high:g}", scan, "e.g. (1.1, 12)")
    if points < 2:
        raise InputError("scan_points", "an integer >= 2", points, "16 is the default")
    return np.geomspace(scan[0], scan[1], points)


def scan_of(inside: Composition, ends: Sequence[float], points: int, *, holes_per_cell: int, relax: str, starts: int,
            seed: int) -> Scan:
    """The scan of a composition. Raises InputError for what cannot be scanned."""
    if relax != "cell":
        raise InputError("relax", '"cell" in a scan', relax, "ground states need it to relax")
    in_cell(inside, holes_per_cell // inside.holes * inside.holes or holes_per_cell)
    cells = holes_per_cell // inside.holes
    if points * cells * starts > MOST_STARTS:
        most = max(1, MOST_STARTS // (points * cells))
        raise InputError("starts", f"at most {most} in a scan of {points} values and {cells} cells", starts,
                         "take fewer of one of them")
    return Scan(tuple(scan_values(ends, points, inside.spacing).tolist()), holes_per_cell, starts, seed)


def in_cell(inside: Composition, holes_per_cell: int) -> Composition:
    """The same charges in a cell of so many holes. Raises InputError for no whole electrons or too many charges."""
    ratio = inside.electrons_per_hole
    if holes_per_cell < 1 or holes_per_cell % inside.holes:
        raise InputError("holes_per_cell", f"a count that gives whole electrons at {ratio:g} per hole", holes_per_cell,
                         "change it or electrons_per_hole")
    if holes_per_cell * (inside.layers + ratio) > MOST_CHARGES:
        raise InputError("holes_per_cell", f"a count that gives at most {MOST_CHARGES} charges", holes_per_cell,
                         "take a smaller cell")
    return replace(inside, holes=holes_per_cell, electrons=inside.electrons * holes_per_cell // inside.holes)


def fitted(inside: Composition, crystal: Crystal, label: str = "the crystal") -> Crystal:
    """A crystal of this composition at this density and spacing; one kind of carrier alone takes its name and sign.

    Raises InputError for a crystal of another composition.
    """
    ratio = crystal.electrons / crystal.holes if crystal.holes else 0.0
    upper = {h for h, s in zip(crystal.heights.tolist(), crystal.species, strict=True) if s == "hole"}
    layers = len(upper or set(crystal.heights.tolist()))
    if abs(ratio - inside.electrons_per_hole) > 1e-9 or layers != inside.layers:
        raise InputError("structure", f"a result with {inside.electrons_per_hole:g} electrons per hole and "
                         f"{inside.layers} layer{'s' * (inside.layers > 1)} of holes",
                         f"{label}: {ratio:g} and {layers}", "give a result of this composition")
    if ratio == 0:
        n = len(crystal.species)
        crystal = replace(crystal, charges=np.full(n, CHARGES[inside.carrier]), species=(inside.carrier,) * n)
    return replace(crystal.scaled(inside.length, inside.spacing), interaction=inside.interaction)


def start_crystal(inside: Composition, structure: Structure, holes_per_cell: int | None = None) -> Crystal:
    """A structure of this composition: by name in its own cell or a multiple of it, or of a crystal or result.

    Raises InputError for one that does not exist at this composition or does not fit into the cell.
    """
    if isinstance(structure, Result):
        return fitted(inside, crystal_of(structure))
    if isinstance(structure, Crystal):
        return fitted(inside, structure)
    if holes_per_cell is None or structure == DECOUPLED:
        return inside.own(structure)
    return in_cell(inside, holes_per_cell).named(structure)


def name_of(structure: Structure) -> str:
    """What a structure is called before it is at rest."""
    if isinstance(structure, Result):
        return str(getattr(structure, "structure", None) or "a result")
    return structure if isinstance(structure, str) else "a crystal"


def starts_of(inside: Composition, structure: Structure = "random", *, holes_per_cell: int | None = None,
              relax: str = "cell", box: str | None = None, starts: int = 20, seed: int = 1,
              tolerance: float = TOLERANCE, name: str | None = None) -> Sequence[Start]:
    """The starts of a search, or the one of a named or given structure, which keeps its symmetry.

    Parameters: see `crystal.crystal`; ``name`` of a given crystal. Raises InputError for what cannot be searched.
    """
    for key, good, must, was in (("relax", relax in RELAX, " | ".join(RELAX), relax),
                                 ("starts", starts >= 1, "an integer >= 1", starts),
                                 ("seed", seed >= 0, "an integer >= 0", seed)):
        if not good:
            raise InputError(key, must, was, "leave it out for the default")
    if isinstance(structure, str) and structure == "random":
        cell = in_cell(inside, 1 if holes_per_cell is None else holes_per_cell)
        return make_starts(cell, starts, seed, relax=relax, tolerance=tolerance, keep=relax == "none",
                           box=box or ("random" if relax == "cell" else "rectangular"))
    crystal = start_crystal(inside, structure, holes_per_cell)
    cell = replace(inside, holes=(crystal.holes or crystal.electrons) // inside.layers,
                   electrons=crystal.electrons if crystal.holes else 0)
    return [Start(cell, None, name or name_of(structure), relax, tolerance, keep=True, given=crystal)]
