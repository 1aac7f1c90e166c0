"""Results of the exciton condensate: on a torus, and in the infinite plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ehbilayer.results.base import Carriers, Result, entry, number


@dataclass(frozen=True)
class EnergyParts:
    """What an energy is made of; ``direct`` is the capacitor of the two charged layers."""

    kinetic: float = number("Ha_h", "sum (k^2/2m) n_k")
    direct: float = number("Ha_h", "energy of the capacitor")
    exchange: float = number("Ha_h", "-sum n_k X_k")
    pairing: float = number("Ha_h", "-sum F_k D_k")
    zeeman: float = number("Ha_h", "energy in a magnetic field", 0.0)


@dataclass(frozen=True)
class InField:
    """How a magnetic field divides the pairs of the ground state among their flavours, whatever was asked for."""

    splitting: float = number("Ha_h", "g mu_B B of electrons and of holes together, between lowered and raised pairs")
    flavour_densities: tuple[float, ...] = number("a_h^-2", "pairs per area of each flavour at the lowest energy")
    energy_per_pair: float = number("Ha_h", "energy per pair there")
    polarising: float = number("Ha_h", "splitting from which on no pair is in a raised flavour")


@dataclass(frozen=True)
class Coexistence:
    """Two densities in equilibrium, and their chemical potential of a pair."""

    low: float = number("a_h^-2", "lower density")
    high: float = number("a_h^-2", "higher density")
    chemical_potential: float = number("Ha_h", "chemical potential of a pair")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CondensateResult(Result):
    """What both say. Abstract. Arrays: n_k, F_k, D_k, X_k, theta_k, quasiparticles; E(n) where it was asked for.

    At a temperature energies are thermal means, ``condensation_energy`` is that of free energies, electrons and holes
    have arrays of their own, and there is neither E(n) nor theta_k.
    """

    phase: str = entry("condensate | liquid")
    density: float = number("a_h^-2", "pairs per area, of all flavours")
    flavours: int = entry("equal condensates")
    energy_per_pair: float = number("Ha_h", "energy per pair")
    energy_per_particle: float = number("Ha_h", "energy per particle")
    energy_parts_per_pair: EnergyParts = number("Ha_h", "parts of the energy per pair")
    normal_energy_per_pair: float = number("Ha_h", "energy per pair without pairing")
    condensation_energy: float = number("Ha_h", "energy per pair less that without pairing")
    exciton_energy: float | None = number("Ha_h", "energy of one exciton", None)
    chemical_potential: float = number("Ha_h", "of a pair, dE/dN")
    concave: bool | None = entry("whether E(n) curves downwards here; None in a normal state with a gap")
    max_occupation: float = number("1", "largest n_k")
    condensate_fraction: float = number("1", "sum |u_k v_k|^2 / N")
    max_gap: float = number("Ha_h", "largest D_k")
    quasiparticle_gap: Carriers[float] = number("Ha_h", "least energy to add a carrier, from mu/2")
    pair_breaking_energy: float = number("Ha_h", "sum of the two quasiparticle gaps")
    pair_size: float | None = number("a_h", "root of the mean squared in-plane distance in a pair")
    coexistence: tuple[Coexistence, ...] | None = entry("densities in equilibrium; None where not looked for", None)
    separates: bool | None = entry("whether this density lies between two that coexist", None)
    residual: float = number("Ha_h", "sqrt(sum (dE/dtheta_k)^2 / N)")
    residual_target: float = number("Ha_h", "residual at which the state is converged")
    iterations: int = entry("evaluations of the fields")
    temperature: float | None = number("Ha_h", "k_B T; None: the ground state", None)
    free_energy_per_pair: float | None = number("Ha_h", "E - T S per pair", None)
    normal_free_energy_per_pair: float | None = number("Ha_h", "the same without pairing", None)
    entropy_per_pair: float | None = number("1", "S/k_B per pair", None)
    gap_closing: float | None = number("Ha_h", "k_B T above which mean field pairs no more", None)
    screening: str = entry("of pairing and exchange: none | normal | condensate", "none")
    unscreened_gap: float | None = number("Ha_h", "largest D_k without screening, where there is some", None)
    in_field: InField | None = entry("how a field divides the pairs among flavours; in the plane at T = 0", None)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PlaneCondensateResult(CondensateResult):
    """The condensate of the infinite plane, which has no total energy; arrays over the wave number ``k``."""

    kind: ClassVar[str] = "condensate"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("curve_",)
    limit: str = entry("thermodynamic", "thermodynamic")
    chemical_potential_slope: float | None = number("Ha_h a_h^2", "dmu/dn")
    energy_per_area: float = number("Ha_h/a_h^2", "energy per area")
    fermi_wave_number: float = number("1/a_h", "k_F = sqrt(4 pi n) of one flavour")
    mesh_points: int = entry("wave numbers")
    mesh_error: float | None = number("Ha_h", "change of the energy per pair on the last mesh")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class TorusCondensateResult(CondensateResult):
    """The condensate on a torus; ``basis_error`` and ``solver_error`` are errors of the total energy."""

    kind: ClassVar[str] = "condensate"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("curve_",)
    total_energy: float = number("Ha_h", "total energy", key="energy")
    energy_parts: EnergyParts = number("Ha_h", "parts of the total energy")
    normal_energy: float = number("Ha_h", "total energy without pairing")
    chemical_potential_slope: float | None = number("Ha_h", "dmu/dN")
    area: float = number("a_h^2", "area of the torus")
    particles: Carriers[int] = entry("carriers on the torus")
    zero_mode: str = entry("none | madelung")
    gap: Carriers[float] = number("Ha_h", "energy to break a pair")
    basis_size: int = entry("plane waves")
    basis_error: float | None = number("Ha_h", "by how much all further waves would change the energy")
    beyond_basis: float = number("Ha_h", "what waves beyond the basis add, from the infinite plane", 0.0)
    solver_error: float = number("Ha_h", "bound on the solver's error")
    edge_occupation: float = number("1", "largest n_k at the edge of the basis")
    momentum_variance: Carriers[float] = number("1", "sum_k (L k)^2 n_k with L^2 = 2 A / sqrt(3)")
