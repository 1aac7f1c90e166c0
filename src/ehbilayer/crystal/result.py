"""Results of classical crystals: the lowest one of a search at one density, and the ground states against a/d.

Energies per hole are per electron where there are no holes. Their unit is e^2/d, e^2/a where there is one layer, as
`energy_unit` says; forces are in its square.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ehbilayer.crystal.record import crystal_of
from ehbilayer.results.base import Carriers, Result, Status, entry, number

if TYPE_CHECKING:
    from ehbilayer.crystal.structures import Crystal


@dataclass(frozen=True)
class CellShape:
    """The reduced cell."""

    a: float = number("a_h", "shorter vector")
    b: float = number("a_h", "longer vector")
    gamma_degrees: float = entry("angle between them in degrees, 60 to 90")


def cell_shape(crystal: Crystal) -> CellShape:
    """The reduced cell of a crystal."""
    return CellShape(**crystal.cell_parameters())


@dataclass(frozen=True)
class Orbit:
    """Charges that symmetry maps onto each other."""

    species: str = entry("electron | hole")
    site_symmetry: str = entry("point group of the site")
    charges: int = entry("charges of the orbit in the primitive cell")


@dataclass(frozen=True)
class LayerGroup:
    """The symmetry of a crystal, one of the 80 layer groups."""

    group: str = entry("international symbol")
    number: int = entry("number of the group, 1 to 80")
    charges_per_primitive_cell: int = entry("charges in the primitive cell")
    dipoles_per_primitive_cell: int = entry("holes with an electron exactly on top")
    primitive_cell: CellShape = entry("primitive cell")
    orbits: tuple[Orbit, ...] = entry("sets of equivalent charges")


@dataclass(frozen=True)
class RunnerUp:
    """The second lowest minimum."""

    energy_per_hole: float = entry("energy per hole in energy_unit")
    structure: str = entry("its structure")
    above: float = entry("energy per hole above the lowest, in energy_unit")


@dataclass(frozen=True)
class Minimum:
    """A distinct minimum."""

    energy_per_hole: float = entry("energy per hole in energy_unit")
    structure: str = entry("its structure")
    group: str = entry("its layer group")
    found: int = entry("starts that ended in it")


@dataclass(frozen=True)
class StartEnd:
    """Where one start ended."""

    energy: float | None = entry("energy per hole in energy_unit")
    status: Status = entry("how it ended")
    structure: str = entry("structure of its end")
    group: str = entry("layer group of its end")
    seed: int | None = entry("seed of a random start")
    start: str = entry("random, or the structure it began with")
    lowest_curvature: float | None = number("e^2/a^3", "lowest curvature, negative at a saddle")
    iterations: int = entry("iterations of the relaxation")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CrystalResult(Result):
    """The lowest crystal of a search, or a named one at rest; arrays: its charges, and the ends of all starts."""

    kind: ClassVar[str] = "crystal"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("start_", "curvature")
    total_energy: float | None = number("Ha_h", "energy per cell", key="energy")
    energy_per_hole: float | None = entry("energy per hole in energy_unit", None)
    energy_unit: str | None = entry("e^2/d | e^2/a", None)
    capacitor_per_hole: float | None = entry("energy of charged layers that is counted, in energy_unit", None)
    structure: str | None = entry("its name, or unknown with group and number of charges", None)
    symmetry: LayerGroup | None = entry("layer group, orbits, primitive cell", None)
    cell: CellShape | None = entry("the cell that was searched", None)
    a_over_d: float | None = number("1", "a/d", None)
    a: float | None = number("a_h", "1/sqrt(pi n) of the holes of a layer", None)
    spacing: float | None = number("a_h", "distance d of the layers", None)
    particles: Carriers[int] | None = entry("carriers in the cell", None)
    max_force: float | None = entry("largest force in force_unit", None)
    max_stress: float | None = entry("largest traceless stress per charge in energy_unit", None)
    force_unit: str | None = entry("e^2/d^2 | e^2/a^2", None)
    lowest_curvature: float | None = number("e^2/a^3", "lowest curvature, negative at a saddle", None)
    iterations: int | None = entry("iterations of the relaxation", None)
    runner_up: RunnerUp | None = entry("the second lowest minimum", None)
    minima: tuple[Minimum, ...] = entry("distinct minima, the lowest first", ())
    starts: tuple[StartEnd, ...] = entry("where each start ended")
    starts_asked: int | None = entry("starts there are to be", None)
    unit_spacing: bool = entry("whether d is the unit of length, because only a/d was given", False)

    @property
    def crystal(self) -> Crystal:
        """The crystal as point charges. Raises InputError where no start has ended."""
        return crystal_of(self)


@dataclass(frozen=True)
class GroundState:
    """A ground state and its range of a/d."""

    structure: str = entry("its structure")
    group: str = entry("its layer group")
    low: float = number("1", "a/d where it begins", key="from")
    high: float = number("1", "a/d where it ends", key="to")


@dataclass(frozen=True)
class ScaledCell:
    """The primitive cell in units of a = 1/sqrt(pi n)."""

    a: float = entry("shorter vector in a")
    b: float = entry("longer vector in a")
    gamma_degrees: float = entry("angle between them in degrees, 60 to 90")


@dataclass(frozen=True)
class TransitionPoint:
    """Where one ground state follows another as a/d grows."""

    a_over_d: float = number("1", "a/d of the transition")
    below: str = entry("ground state at smaller a/d")
    above: str = entry("ground state at larger a/d")
    order: str = entry("first order | continuous | unresolved")
    uncertainty: float = number("1", "half the bracket that is left, in a/d")
    below_cell: ScaledCell = entry("cell of the one below at the transition")
    above_cell: ScaledCell = entry("cell of the one above at the transition")
    below_curvature: float | None = number("e^2/a^3", "lowest curvature of the one below")
    above_curvature: float | None = number("e^2/a^3", "lowest curvature of the one above")


@dataclass(frozen=True)
class Searched:
    """How hard was searched at one a/d, and what lay lowest."""

    a_over_d: float = number("1", "a/d")
    energy: float = number("e^2/d", "energy per hole of the ground state")
    structure: str = entry("ground state")
    starts: int = entry("starts there")
    reached_it: int = entry("starts that ended in the ground state")
    status: str = entry("converged, or how the ground state was found")
    not_converged: int = entry("starts that did not converge")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CrystalScanResult(Result):
    """Ground states against a/d and the transitions between them; arrays: every structure over ``a_over_d``."""

    kind: ClassVar[str] = "crystal"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("start_", "curvature")
    energy_unit: str = entry("e^2/d", "e^2/d")
    max_force: float | None = number("e^2/d^2", "largest force at any end", None)
    sequence: tuple[GroundState, ...] = entry("ground states as a/d grows")
    transitions: tuple[TransitionPoint, ...] = entry("transitions between them")
    starts: tuple[Searched, ...] = entry("how hard was searched at each a/d", ())
    starts_finished: int | None = entry("starts that an interrupted scan has finished", None)

    def derived(self) -> dict[str, Any]:
        """Entries that the result of one density has."""
        return dict.fromkeys(("energy_per_hole", "structure", "cell"))
