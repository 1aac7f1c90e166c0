"""Results of pairing: one density and spacing, or a map over both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ehbilayer.results.base import Result, entry, number


@dataclass(frozen=True)
class TemperatureBand:
    """T_c over the interval in which alpha^2 may lie."""

    low: float | None = number("K", "lowest T_c")
    high: float | None = number("K", "highest T_c")
    low_over_hartree: float = number("1", "lowest T_c over T_H^e")
    high_over_hartree: float = number("1", "highest T_c over T_H^e")
    reaches_instability: bool = entry("whether alpha^2 may be 0 or less, without a plasmon")


@dataclass(frozen=True)
class Reading:
    """T_c with alpha^2 by another reading of the paper's figure."""

    alpha_squared_from: str = entry("the reading")
    alpha_squared: float = number("1", "alpha^2")
    tc_over_hartree: float = number("1", "T_c over T_H^e")
    critical_temperature: float | None = number("K", "T_c")


@dataclass(frozen=True)
class Highest:
    """Where T_c is highest on a map."""

    tc_over_hartree: float = number("1", "T_c over T_H^e")
    critical_temperature: float | None = number("K", "T_c")
    rs_electron: float = number("1", "r_s of the electrons")
    spacing_over_a_e: float = number("1", "d/a_e")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class AnyPairingResult(Result):
    """What both say. Abstract. Temperatures are in K, or None where the device is not known."""

    method: str = entry("bcs | mcmillan | allen-dynes | eliashberg")
    umklapp: str = entry("debye | folded")
    alpha_source: str = entry("given | paper-line | torus | limit")
    rs_star: float = number("1", "r_s at which a layer crystallises")
    hole_over_electron_mass: float = number("1", "m_h/m_e", key="mass_ratio")
    hartree_temperature: float | None = number("K", "T_H^e, Ha_e over k_B")

    def derived(self) -> dict[str, Any]:
        """The reason, which is also told where there is none."""
        return {"reason": self.reason or None}


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PairingResult(AnyPairingResult):
    """T_c at one density and spacing, by four methods; arrays: alpha^2F, the gap, T_c against alpha^2 and r_s.

    No acoustic mode and no pairing are answers: ``reason`` says which.
    """

    kind: ClassVar[str] = "pairing"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("curve_", "window_", "gap_over_critical", "g0V", "lambda")
    phase: str | None = entry("the phase there, where it was computed")
    in_el_hc: bool = entry("whether this is an electron liquid on a hole crystal")
    rs_electron: float = number("1", "r_s of the electrons")
    rs_hole: float = number("1", "r_s of the holes")
    spacing_over_a_e: float = number("1", "d/a_e")
    alpha_squared: float | None = number("1", "(v_p/v_0)^2")
    alpha_squared_uncertainty: float | None = number("1", "its uncertainty; None where unknown")
    alpha: float | None = number("1", "v_p/v_0; None where alpha^2 is not positive", None)
    g0V: float | None = number("1", "mu - lambda; negative: they pair", None)
    lam: float | None = number("1", "attraction lambda", None, key="lambda")
    mu: float | None = number("1", "repulsion", None)
    mu_star: float | None = number("1", "pseudopotential at T_D", None)
    folding_gain: float | None = number("1", "what exact folding of Umklapp multiplies lambda by", None)
    debye_temperature: float | None = number("K", "T_D = v_p k_D", None)
    debye_over_hartree: float | None = number("1", "T_D over T_H^e", None)
    fermi_temperature: float | None = number("K", "eps_F over k_B", None)
    debye_over_fermi: float | None = number("1", "T_D over the Fermi temperature", None)
    critical_temperature: float | None = number("K", "T_c", None)
    tc_over_hartree: float | None = number("1", "T_c over T_H^e", None)
    by_method: dict[str, float | None] | None = number("K", "T_c by every method", None)
    by_method_over_hartree: dict[str, float] | None = number("1", "T_c over T_H^e by every method", None)
    strong_coupling_bound: float | None = number("K", "what no T_c exceeds: 0.1827 sqrt(lambda <w^2>)", None)
    strong_coupling_bound_over_hartree: float | None = number("1", "that over T_H^e", None)
    omega_log_over_debye: float | None = number("1", "exp(<ln omega>) over T_D", None)
    spread: tuple[Reading, ...] = entry("T_c by other readings of the paper's line", ())
    sensitivities: dict[str, float | None] | None = number("1", "d ln T_c/d ln x", None)
    band: TemperatureBand | None = entry("T_c within the uncertainty of alpha^2", None)
    gap: float | None = number("Ha_h", "Eliashberg gap at the lowest frequency and temperature", None)
    gap_ratio: float | None = number("1", "2 gap over k_B T_c", None)


@dataclass(frozen=True)
class CouplingLevel:
    """Couplings and T_c by one theory of the interaction."""

    theory: str = entry("rpa | hubbard | stls | kukkonen-overhauser | crystal | crystal-exchange")
    lam: float = number("1", "what the holes add to the electrons' attraction on the Fermi circle", key="lambda")
    mu: float = number("1", "repulsion of the same electrons without holes; below 0 they overscreen")
    stable: bool = entry("whether liquid or crystal of the holes is stable, with fields that converged; else no T_c")
    mu_star: float | None = number("1", "pseudopotential at the highest frequency of the holes")
    omega_log: float | None = number("Ha_h", "exp(<ln omega>) of what the holes add")
    tc_over_hartree: float | None = number("1", "T_c over T_H^e")
    critical_temperature: float | None = number("K", "T_c")
    by_cutoff: dict[str, float] | None = number(
        "1", "T_c over T_H^e with electrons that screen in time and repel up to this part of eps_F", None)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MediatedPairingResult(Result):
    """T_c of electrons paired by a hole liquid, by all theories of the interaction; arrays: lambda at i nu."""

    kind: ClassVar[str] = "pairing"
    coupling: str = entry("the theory that is told, one of those of the levels")
    levels: tuple[CouplingLevel, ...] = entry("all theories")
    superconducting: bool | None = entry("whether T_c > 0 by it; None: not computed")
    critical_temperature: float | None = number("K", "T_c by it")
    tc_over_hartree: float | None = number("1", "the same over T_H^e")
    rs_electron: float = number("1", "r_s of the electrons")
    rs_hole: float = number("1", "r_s of the holes")
    spacing_over_a_e: float = number("1", "d/a_e")
    hole_over_electron_mass: float = number("1", "m_h/m_e", key="mass_ratio")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PairingMapResult(AnyPairingResult):
    """T_c over r_s of the electrons and spacing; arrays: alpha^2, g0V, lambda, T_c (spacing, rs)."""

    kind: ClassVar[str] = "pairing"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("curve_", "window_", "gap_over_critical", "g0V", "lambda")
    capacitor: bool = entry("whether alpha^2 holds the geometric energy of the layers")
    points: int = entry("points of the map")
    done: int = entry("points with a T_c")
    highest: Highest | None = entry("where T_c is highest; None if nothing pairs")
    share_superconducting: float | None = number("1", "share of the known points with T_c > 0")
    share_unstable: float | None = number("1", "share with alpha^2 <= 0")
