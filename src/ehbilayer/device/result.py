"""The page of a device: which phase wins, and whether it superconducts by each source of alpha^2."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, cast

from ehbilayer.pairing.result import MediatedPairingResult, PairingResult, TemperatureBand
from ehbilayer.phases.result import NOBODY, CompetitionResult
from ehbilayer.results.base import Carriers, Result, entry, number, result_of
from ehbilayer.thermal.result import ThermalResult

THERMAL = "thermal"  # the part that says up to which temperature
MEDIATED = "mediated"  # the part in which the response of both layers pairs the lighter carriers


@dataclass(frozen=True)
class Band:
    """T_c over the interval in which alpha^2 may lie."""

    low: float = number("K", "lowest T_c")
    high: float = number("K", "highest T_c")
    reaches_instability: bool = entry("whether alpha^2 may be 0 or less, without a plasmon")


@dataclass(frozen=True)
class Answer:
    """What one source of alpha^2 says."""

    alpha_squared: float | None = number("1", "(v_p/v_0)^2")
    alpha_squared_uncertainty: float | None = number("1", "its uncertainty")
    lam: float | None = number("1", "attraction lambda", key="lambda")
    mu: float | None = number("1", "repulsion")
    mu_star: float | None = number("1", "pseudopotential")
    method: str = entry("by which T_c is the answer")
    critical_temperature: float | None = number("K", "T_c")
    by_method: dict[str, float | None] | None = number("K", "T_c by every method")
    band: TemperatureBand | None = entry("T_c within the uncertainty of alpha^2")
    reason: str | None = entry("why there is none")

    @classmethod
    def of(cls, found: PairingResult) -> Answer:
        """What a pairing says."""
        return cls(found.alpha_squared, found.alpha_squared_uncertainty, found.lam, found.mu, found.mu_star,
                   found.method, found.critical_temperature, found.by_method, found.band, found.reason or None)


@dataclass(frozen=True)
class Superconductivity:
    """One verdict, by the theory that is trusted, and the spread of all."""

    verdict: str = entry("yes | no | unknown: why")
    trusted: str | None = entry("the theory behind it; None: none is of the lowest phase")
    critical_temperature: float | None = number("K", "T_c by it")
    low: float | None = number("K", "lowest T_c of all levels of theory, over the cut-offs of the repulsion, too")
    high: float | None = number("K", "highest T_c of all")
    levels: dict[str, float | None] = number("K", "T_c by every level; None: no mediator")


@dataclass(frozen=True)
class Window:
    """Densities of the electrons between which one method predicts superconductivity."""

    low: float = number("cm^-2", "lowest density")
    high: float = number("cm^-2", "highest density")
    ends: tuple[str, str] = entry("why it ends there")
    highest: float = number("K", "highest T_c within")


@dataclass(frozen=True)
class ScanPoint:
    """One density of a scan."""

    density: float = number("a_h^-2", "density of the holes, or of the electrons where there are no holes")
    winner: str = entry("phase of lowest energy")
    margin: float | None = number("Ha_h", "energy of the next phase less that of the winner, per hole")
    numerical_error: float | None = number("Ha_h", "error of the margin, per hole")
    resolved: bool = entry("whether the margin exceeds the error")
    energies: dict[str, float] = number("Ha_h", "lowest energy per hole of every phase")
    shifts: dict[str, float] | None = number("Ha_h", "what size does to the height of each, either way", None)


@dataclass(frozen=True)
class Transition:
    """Where one phase follows another as the density grows."""

    density: float = number("a_h^-2", "density of the transition")
    uncertainty: float = number("a_h^-2", "its error: numerical errors over the slope of the lead, and the bracket")
    below: str = entry("phase at smaller density")
    above: str = entry("phase at larger density")


@dataclass(frozen=True)
class PhaseRange:
    """A phase and its range of densities."""

    phase: str = entry("the phase")
    low: float = number("a_h^-2", "density where it begins, or the scan does")
    high: float = number("a_h^-2", "density where it ends, or the scan does")


@dataclass(frozen=True)
class Measurable:
    """What one would measure, or why it is not known here."""

    name: str = entry("the quantity, and how one measures it")
    value: float | None = entry("its value in the unit; None: not computed", None)
    unit: str = entry("meV, K, cm^-2, 1", "1")
    error: float | None = entry("its error in the unit, as far as this level of theory knows it", None)
    note: str = entry("what it is, or why it was not computed", "")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class DeviceResult(Result):
    """The page; arrays: alpha^2 and T_c against r_s of the electrons by source, and the windows.

    Energies are per hole. `competition` and `pairing` give the results that the
    page is made of.
    """

    kind: ClassVar[str] = "device"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("candidate_", "curve_", "window_", "gap_over_critical")
    phase: str | None = entry("the lowest phase", None)
    spin_arrangement: str | None = entry("how each carrier of the lowest phase fills its flavours", None)
    theory: str | None = entry("mean field | Monte Carlo: behind the verdict", None)
    runner_up: str | None = entry("the next one", None)
    margin: float | None = number("Ha_h", "energy of the runner-up less that of the winner, per hole", None)
    numerical_error: float | None = number("Ha_h", "error of the margin, per hole", None)
    resolved: bool | None = entry("whether the margin exceeds the error", None)
    gap: Carriers[float] = number("Ha_h", "gap of the lowest phase", NOBODY)
    energies: dict[str, float | None] | None = number("Ha_h", "energy per hole by phase", None)
    alpha_squared: float | None = number("1", "(v_p/v_0)^2 that T_c is from", None)
    alpha_squared_uncertainty: float | None = number("1", "its uncertainty", None)
    alpha_source: str | None = entry("where it comes from", None)
    method: str | None = entry("by which T_c is the answer", None)
    critical_temperature: float | None = number("K", "T_c; None without an acoustic mode", None)
    critical_temperature_band: Band | None = entry("T_c within the uncertainty of alpha^2", None)
    by_source: dict[str, Answer] = entry("what every source of alpha^2 says")
    density_window: dict[str, dict[str, Window | None]] = entry("by source and method: where it superconducts")
    superconducts: bool | None = entry("whether T_c exceeds a millikelvin; None where it was not asked", None)
    superconductivity: Superconductivity | None = entry("one verdict of all levels of theory", None)
    no_pairing: str | None = entry("why it was not asked", None)
    in_el_hc: bool = entry("whether the lowest phase is a liquid of the lighter carriers on a crystal of the others",
                           False)
    hole_density: float | None = number("a_h^-2", "density of the holes", None)
    material: str | None = entry("name of the device", None)
    electron_density: float | None = number("a_h^-2", "density of the electrons", None)
    spacing: float | None = number("a_h", "distance of the layers", None)
    pairs: str | None = entry("carriers whose pairing is asked: the lighter ones", None)
    unstable: tuple[str, ...] = entry("what the page rests on though it is unstable", ())
    measured: tuple[Measurable, ...] = entry("what you would measure", ())
    sequence: tuple[PhaseRange, ...] = entry("phases by rising density, where a range was asked", ())
    transitions: tuple[Transition, ...] = entry("where they change", ())
    scan: tuple[ScanPoint, ...] = entry("the densities that were looked at", ())
    parts: dict[str, dict[str, Any]] = entry("summaries of the results that the page is made of")
    caveats: tuple[str, ...] = entry("every reservation that applies", ())

    @cached_property
    def competition(self) -> CompetitionResult:
        """The phases that compete, without arrays. Raises KeyError where there are none."""
        return cast(CompetitionResult, self.part("phases", "phases"))

    @cached_property
    def verdict(self) -> CompetitionResult:
        """The competition that decides: by Monte Carlo where it was asked and has a winner, else the mean field's."""
        if "correlated" in self.parts:
            found = cast(CompetitionResult, self.part("phases", "correlated"))
            if found.winner != "unknown":
                return found
        return self.competition

    def pairing(self, source: str) -> PairingResult:
        """The pairing by one source of alpha^2, without arrays. Raises KeyError where there is none."""
        return cast(PairingResult, self.part("pairing", source))

    @cached_property
    def mediated(self) -> MediatedPairingResult:
        """Pairing by the response of both layers, without arrays. Raises KeyError where there is none."""
        return cast(MediatedPairingResult, self.part("pairing", MEDIATED))

    @cached_property
    def thermal(self) -> ThermalResult:
        """Up to which temperature, without arrays. Raises KeyError where there is none."""
        return cast(ThermalResult, self.part("thermal", THERMAL))

    def part(self, kind: str, name: str) -> Result:
        """A part of the page as a result of its own kind, without arrays. Raises KeyError where there is none."""
        return replace(result_of(kind, self.parts[name]), provenance=self.provenance)
