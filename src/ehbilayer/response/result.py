"""The result of a response: modes, correlations, stability, and the loss function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ehbilayer.results.base import Carriers, Result, entry, number


@dataclass(frozen=True)
class SumRule:
    """Stiffness against a common change of all densities, in which the layers stay as neutral as they are."""

    response: float = number("Ha_h a_h^2", "-u chi^-1 u at q -> 0, w = 0, u = 1 for each carrier of neutral layers")
    energy: float | None = number("Ha_h a_h^2", "d^2(E/A)/dn^2 of the same theory; None: not asked for", None)


@dataclass(frozen=True)
class LatticeSound:
    """Squared velocities of the phonons of the hole lattice at q -> 0, in units of v_0^2 = eps_F/m_h."""

    longitudinal: float = number("1", "v_L^2/v_0^2, with the capacitor")
    transverse: float = number("1", "v_T^2/v_0^2")
    bulk: float = number("1", "(v_L^2 - v_T^2)/v_0^2, with the capacitor")
    bulk_without_capacitor: float = number("1", "the same without the capacitor")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ResponseResult(Result):
    """Linear response of coupled liquids.

    Arrays: loss(carrier, loss_wave_number, frequency) is -Im (1 + V chi)_aa; modes against mode_wave_number;
    structure_factor, local_field (v_ab G_ab over sqrt(v_aa v_bb)) and static_response against wave_number, and
    pair_correlation against distance, each by pair.
    """

    kind: ClassVar[str] = "response"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("acoustic_", "optical_", "transverse_")
    phase: str = entry("liquid; hole-crystal where the holes are one")
    approximation: str = entry("rpa | hubbard | stls")
    acoustic_velocity: float | None = number("a_h Ha_h", "of the acoustic plasmon, q -> 0; None: there is none", None)
    acoustic_damping: float | None = number("a_h Ha_h", "-Im c of it: decays into pairs of the faster carrier", None)
    transverse_velocity: float | None = number(
        "a_h Ha_h", "of transverse sound of a hole crystal; None: a liquid, or it gives way", None)
    fermi_velocity: Carriers[float] = number("a_h Ha_h", "k_F/m of each carrier")
    hydrodynamic_velocity: float | None = number(
        "a_h Ha_h", "sqrt(K n/sum m) of the stiffness K of the response, all carriers in step", None)
    lattice_velocity: float | None = number(
        "a_h Ha_h", "sqrt((K - 1/N_0) n/m) of the heaviest carrier, which the others follow at once", None)
    correlation_energy_per_hole: float | None = number(
        "Ha_h", "E_c per hole; per particle of the first carrier without holes", None)
    correlation_energy_per_area: float | None = number("Ha_h/a_h^2", "E_c per area, without exchange energy", None)
    energy_per_hole: float | None = number("Ha_h", "kinetic, exchange and correlation energy, no capacitor", None)
    contact: dict[str, float] | None = number(
        "1", "g_ab(0) of each kind of pair, all flavours; below 0 the theory has failed", None)
    stable: bool | None = entry("whether waves of density cost energy at every wave number", None)
    least_stability: float | None = number(
        "1", "lowest eigenvalue of 1 + N_0^(1/2) W N_0^(1/2) over q; 1 without interaction", None)
    softest_wave_number: float | None = number("a_h^-1", "where that is", None)
    stiffness: SumRule | None = entry("compressibility sum rule, for one carrier or two of opposite charge", None)
    density: Carriers[float] = number("a_h^-2", "particles per area")
    filled_flavours: Carriers[int] = entry("flavours that are filled, of each carrier")
