"""The result of the estimates of temperature: superfluidity, ionisation, melting, each with its assumption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ehbilayer.results.base import Result, entry, number


@dataclass(frozen=True)
class Melting:
    """Up to which k_B T a crystal resists."""

    kthny: float | None = number("Ha_h", "dislocations unbind, from elastic constants at rest", None)
    lindemann: float | None = number("Ha_h", "relative motion of neighbours, quantum and thermal; 0: none", None)


@dataclass(frozen=True)
class Estimate:
    """Up to which temperature a phenomenon survives, and what the number assumes."""

    name: str = entry("superfluidity | excitons | crystal ..., and by which estimate")
    temperature: float | None = number("Ha_h", "k_B T up to which it survives; None with the reason")
    assumption: str = entry("what it assumes, or why there is none")
    error: float | None = number("Ha_h", "of k_B T, as far as it is known", None)


@dataclass(frozen=True)
class Here:
    """What holds at the temperature that was asked for."""

    degree: float | None = number("1", "free carriers over all, ideal mass action", None)
    degree_screened: float | None = number("1", "the same with pairs screened by the free carriers", None)
    superfluid_fraction: float | None = number("1", "n_s/n with vortices", None)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ThermalResult(Result):
    """Temperatures in Ha_h/k_B (in K by ``.to("K")``); what does not apply is None, with its reason.

    Arrays: over ``ionisation_temperature`` the densities and degrees of ionisation; over ``stiffness_temperature`` n_s
    without and with vortices and the line 2 M T/pi on which it jumps.
    """

    kind: ClassVar[str] = "thermal"
    may_be_undefined: ClassVar[tuple[str, ...]] = ()
    temperature: float = number("Ha_h", "k_B T that was asked for; 0: none", 0.0)
    bkt: float | None = number("Ha_h", "k_B T_BKT: stiffness less quasiparticles, and vortices", None)
    bkt_bound: float | None = number("Ha_h", "(pi/2) n/M, all pairs superfluid and no vortices", None)
    bkt_reason: str = entry("why there is none", "")
    vortex_core: float | None = number("1", "energy of a vortex' core in n_s/M", None)
    condensates: int = entry("equal condensates that the pairs are shared by", 1)
    ionisation: float | None = number("Ha_h", "k_B T at which half is ionised, ideal mass action", None)
    ionisation_screened: float | None = number("Ha_h", "the same with pairs screened by the free carriers", None)
    ionisation_error: float | None = number("Ha_h", "of that, half of what levels of theory span", None)
    ionisation_levels: dict[str, float | None] | None = number("Ha_h", "the same by every level of theory", None)
    mott_density: float | None = number("a_h^-2", "of each carrier, where no pair is bound among free ones at T = 0",
                                        None)
    mott_error: float | None = number("a_h^-2", "of that, half of what levels of theory span", None)
    ionisation_reason: str = entry("why there is none", "")
    exciton_binding: float | None = number("Ha_h", "binding energy of an exciton alone", None)
    trion_binding: dict[str, float | None] | None = number("Ha_h", "of trion- and trion+, None: not bound", None)
    trion_unbinding: dict[str, float] | None = number(
        "1", "field over the given one at which trion- or trion+ is no more bound, its raised carrier flipped", None)
    melting: Melting = number("Ha_h", "of the crystal")
    melting_reason: str = entry("why there is none, or one is missing", "")
    structure: str | None = entry("crystal whose melting is asked", None)
    shear_modulus: float | None = number("Ha_h/a_h^2", "mu of the crystal at rest", None)
    lattice_constant: float | None = number("a_h", "shortest vector of its lattice", None)
    here: Here | None = entry("what holds at the temperature that was asked for", None)
    estimates: tuple[Estimate, ...] = entry("up to which temperature, each with its assumption", ())
