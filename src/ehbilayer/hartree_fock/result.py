"""The result of a Hartree-Fock calculation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ehbilayer.orbitals import Orbitals
from ehbilayer.results.base import Carriers, Result, Status, entry, number


@dataclass(frozen=True)
class Stability:
    """What kind of stationary state it is; None where that was not computed."""

    lowest_curvature: float | None = number("Ha_h", "the lower of the next two", None)
    within_kept_symmetry: float | None = number("Ha_h", "lowest curvature with what the state is held by", None)
    beyond: float | None = number("Ha_h", "lowest curvature in the complex free box", None)
    minimum: bool | None = entry("whether it is a minimum within what it is held by", None)
    held: tuple[str, ...] = entry("by what it is held", ())


@dataclass(frozen=True)
class StartRow:
    """Where one start ended."""

    start: str = entry("phase, random, path, or the mode of another start")
    seed: int = entry("of its random numbers")
    energy: float = number("Ha_h", "total energy")
    energy_per_particle: float = number("Ha_h", "energy per particle")
    status: Status = entry("how it ended")
    phase: str = entry("phase it ended as")
    residual: float = number("Ha_h", "largest norm of (1 - P) F psi")
    fock_builds: int = entry("evaluations of the energy and its derivative")


@dataclass(frozen=True)
class EffectiveMass:
    """The parabola e0 + k^2/2m* at the bottom of the lowest band."""

    mass: float | None = number("1", "m*/m_h")
    over_band_mass: float | None = number("1", "m* over the mass without interactions")
    fit_range: tuple[float, float] = number("1/a_h", "wave numbers of the fit")
    rms_misfit: float | None = number("Ha_h", "of the fit")


@dataclass(frozen=True)
class SizeRow:
    """The state in a box of another size."""

    particles: int = entry("holes, or electrons where there are none")
    energy_per_particle: float = number("Ha_h", "energy per particle")
    gap: Carriers[float] = number("Ha_h", "lowest empty less highest filled level")
    phase: str = entry("name of the phase")
    status: Status = entry("how it ended")


@dataclass(frozen=True)
class BulkLimit:
    """Infinitely many particles, from the sizes that converged to one phase; None where they are too few."""

    energy_per_particle: float | None = number("Ha_h", "energy per particle")
    energy_uncertainty: float | None = number("Ha_h", "its uncertainty")
    gap: Carriers[float] = number("Ha_h", "gaps")
    gap_uncertainty: Carriers[float] = number("Ha_h", "their uncertainty")
    by_size: tuple[SizeRow, ...] = entry("the sizes")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class HartreeFockResult(Result):
    """The lowest state of all starts, and all starts in a table.

    Arrays: waves, orbitals and occupations (`orbitals`), momentum occupations, levels, bands, densities, the trace of
    the minimisation. Values of carriers that are absent are None.
    """

    kind: ClassVar[str] = "hartree-fock"
    total_energy: float = number("Ha_h", "total energy", key="energy")
    energy_per_particle: float = number("Ha_h", "energy per particle")
    energy_parts: dict[str, float] = number("Ha_h", "energy of each term of the Hamiltonian")
    pressure: float | None = number("Ha_h/a_h^2", "-dE/dA")
    residual: float = number("Ha_h", "largest norm of (1 - P) F psi")
    residual_target: float = number("Ha_h", "residual at which a state is converged")
    iterations: int = entry("evaluations of the energy and its derivative")
    basis_size: int = entry("plane waves")
    basis_error: float | None = number("Ha_h", "change of the energy per particle with the last basis", None)
    k_points: int = entry("k points of the cell")
    particles: Carriers[int] = entry("particles in the box, of all flavours")
    area: float = number("a_h^2", "area of the box")
    zero_mode: str = entry("none | madelung")
    aufbau: bool = entry("whether the lowest levels are filled")
    kept_symmetry: str = entry("none | translations | crystal")
    occupation: str = entry("integer | shell")
    density: Carriers[float] = number("a_h^-2", "particles per area, of all flavours")
    fermi_energy: Carriers[float] = number("Ha_h", "k_F^2/2m of the free carriers")
    momentum_variance: Carriers[float] = number("1", "sum_k (L k)^2 n_k with L^2 = 2 A / sqrt(3)")
    liquid_momentum_variance: Carriers[float] = number("1", "that of the uniform liquid")
    sea_depletion: Carriers[float] = number("1", "fraction outside the Fermi sea of the free carriers")
    zone_deviation: Carriers[float] = number("1", "largest relative deviation of n(k) from full bands", Carriers({}))
    edge_occupation: float = number("1", "largest occupation at the edge of the basis, per flavour")
    phase: str = entry("name of the phase")
    gap: Carriers[float] = number("Ha_h", "lowest empty less highest filled level, 0 for an open shell")
    gap_error: float | None = number("Ha_h", "what residual and basis may change")
    effective_mass: dict[str, EffectiveMass] | None = entry("by determinant; None in a free box or a liquid", None)
    starts: tuple[StartRow, ...] = entry("where every start ended")
    stability: Stability = entry("curvature of the energy")
    limit: BulkLimit | None = entry("infinitely many particles, where sizes are given", None)
    condensate_fraction: float | None = number("1", "sum |K|^2 per hole; None where pairing was not asked for", None)
    bragg: Carriers[float] = number("1", "|rho_G|^2/N^2 at the shortest reciprocal vectors", Carriers({}))
    quasiparticle_gap: float | None = number("Ha_h", "energy to break a pair of the condensate", None)
    pair_chemical_potential: float | None = number("Ha_h", "mu of an electron and a hole that pair", None)
    pair_momentum: tuple[float, float] | None = number("1/a_h", "Q of the pairs", None)
    stiffness: float | None = number("Ha_h", "d^2E/dQ^2 per area, which is n/M of a uniform condensate", None)
    bkt: float | None = number("Ha_h", "k_B T_BKT = (pi/2) stiffness of each flavour, without thermal reduction", None)
    pairing_curvature: float | None = number("Ha_h", "lowest curvature of a normal state towards pairing", None)
    temperature: float | None = number("Ha_h", "k_B T; None: the ground state", None)
    free_energy: float | None = number("Ha_h", "E - T S of the box, at a temperature", None)
    free_energy_per_particle: float | None = number("Ha_h", "E - T S over the particles, at a temperature", None)
    entropy: Carriers[float] = number("1", "S/k_B per particle, at a temperature", Carriers({}))
    chemical_potential: dict[str, float] | None = number("Ha_h", "of each determinant, at a temperature", None)
    critical_rs: float | None = number("a_h", "r_s that the density refers to, where it does", None)

    @property
    def orbitals(self) -> Orbitals:
        """The state, e.g. to start from. Raises InputError for a result that was read without its arrays."""
        return Orbitals.read(self.data, self.inputs)
