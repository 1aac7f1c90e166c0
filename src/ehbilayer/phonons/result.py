"""The result of phonons: branches, stability, zero-point motion, melting, and what a saddle leads to.

Energies per hole (per electron where there are no holes) are in e^2/L and forces in e^2/L^2, frequencies in
sqrt(e^2/(m_h L^3)), with L the spacing d, or a = 1/sqrt(pi n) where there is one layer: they do not depend on hbar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ehbilayer.crystal.record import crystal_of
from ehbilayer.crystal.result import CellShape
from ehbilayer.results.base import Result, entry, number

if TYPE_CHECKING:
    from ehbilayer.crystal.structures import Crystal


@dataclass(frozen=True)
class SoundSpeeds:
    """omega/q at small q."""

    slowest: float = number("a_h Ha_h", "of the lower branch, least over all directions; negative: unstable")
    fastest: float = number("a_h Ha_h", "of the lower branch, largest over all directions")
    longitudinal: float | None = number("a_h Ha_h", "of the upper branch; None where it is a plasmon")


@dataclass(frozen=True)
class PlasmonLaw:
    """omega^2/q of the upper branch at small q."""

    limit: float = number("a_h Ha_h^2", "lim omega^2/q, 0 without net charge")
    expected: float = number("a_h Ha_h^2", "2 pi Q^2/(A M), charge Q and mass M of the cell")


@dataclass(frozen=True)
class SoftMode:
    """The lowest minimum of the lowest branch away from q = 0."""

    frequency: float = entry("in frequency_unit, negative where it is unstable")
    at: tuple[float, float] = entry("wave vector in reciprocal vectors")


@dataclass(frozen=True)
class MeltingPoint:
    """Where a group melts at this a/d: it is solid above."""

    spacing: float = number("a_h", "d there")
    a: float = number("a_h", "a there")


@dataclass(frozen=True)
class Followed:
    """What an unstable crystal becomes when it is left along its lowest mode and relaxed."""

    cells: tuple[int, int] = entry("cells of the crystal along each vector")
    rounds: int = entry("how often a saddle was left")
    stable: bool = entry("whether the end is stable in the whole zone")
    converged: bool = entry("whether the end is at rest")
    energy_per_hole: float = entry("energy per hole in energy_unit")
    max_force: float = entry("largest force in force_unit")
    structure: str = entry("its structure")
    dipoles_per_hole: float = entry("dipoles per hole")
    cell: CellShape = entry("its cell")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PhononsResult(Result):
    """Phonons of one crystal; what was not computed is None.

    By group (electron, hole, dipole, free_electron): ``rms_displacement``, ``neighbour_distance``, ``lindemann``,
    ``melts``, ``melting``. Arrays: the crystal, branches on a path and a mesh, density of states, <u u^T>, scans.
    """

    kind: ClassVar[str] = "phonons"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("melting_",)
    structure: str | None = entry("structure at rest")
    start: str | None = entry("structure that was brought to rest")
    a_over_d: float | None = number("1", "a/d", None)
    length_unit: str | None = entry("d | a", None)
    length_unit_a_h: float | None = number("a_h", "the unit of length", None)
    energy_per_hole: float | None = entry("energy per hole in energy_unit", None)
    capacitor_per_hole: float | None = entry("energy of charged layers that is counted, in energy_unit", None)
    energy_unit: str | None = entry("e^2/d | e^2/a", None)
    max_force: float | None = entry("largest force in force_unit", None)
    force_unit: str | None = entry("e^2/d^2 | e^2/a^2", None)
    at_rest: bool | None = entry("whether the forces vanish", None)
    charges: int | None = entry("charges in the cell", None)
    masses: dict[str, float] | None = entry("mass of each species, m/m_h", None)
    gamma_frequencies: tuple[float, ...] = entry("frequencies at q -> 0 in frequency_unit", ())
    frequency_unit: str | None = entry("sqrt(e^2/(m_h d^3)) | sqrt(e^2/(m_h a^3))", None)
    sound: SoundSpeeds | None = entry("speeds of sound", None)
    plasmon: PlasmonLaw | None = entry("long-wave law of the plasmon", None)
    stable: bool | None = entry("whether it is stable in the whole zone", None)
    lowest_frequency: float | None = entry("lowest frequency of the zone in frequency_unit, negative: unstable", None)
    lowest_at: tuple[float, float] | None = entry("its wave vector in reciprocal vectors", None)
    soft_mode: SoftMode | None = entry("lowest minimum away from q = 0", None)
    mesh: int | None = entry("wave vectors along each reciprocal vector", None)
    zero_point_energy_per_hole: float | None = number("Ha_h", "zero-point energy per hole", None)
    zero_point_error: float | None = number("1", "relative error of the averages over the zone", None)
    zone_points: int | None = entry("wave vectors of these averages", None)
    rms_displacement: dict[str, float | None] | None = number("a_h", "sqrt(<u^2>), both directions", None)
    neighbour_distance: dict[str, float | None] | None = number("a_h", "distance of nearest members", None)
    lindemann: dict[str, float | None] | None = number("1", "rms displacement over distance of neighbours", None)
    melts: dict[str, bool | None] | None = entry("whether the ratio is above the threshold", None)
    threshold: float | None = number("1", "Lindemann ratio at which a group melts", None)
    melting: dict[str, MeltingPoint] | None = entry("where each group melts at this a/d", None)
    followed: Followed | None = entry("what the unstable crystal leads to", None)

    @property
    def crystal(self) -> Crystal:
        """The crystal at rest as point charges. Raises InputError where it was not reached."""
        return crystal_of(self)
