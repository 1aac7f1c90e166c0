"""Results of few-body methods: one complex, one complex at many spacings, critical spacings at many mass ratios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ehbilayer.few_body.complexes import Complex
from ehbilayer.results.base import Result, entry, number

CURVES = ("ee", "eh", "hh", "electron", "hole")  # of pairs, and around the centre of mass


@dataclass(frozen=True)
class Distances:
    """Mean in-plane distances <r> of pairs; None where there is no such pair, or where it was not computed."""

    ee: float | None = number("a_h", "mean distance of two electrons", None)
    eh: float | None = number("a_h", "mean distance of electron and hole", None)
    hh: float | None = number("a_h", "mean distance of two holes", None)


NOWHERE = Distances()


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FewBodyResult(Result):
    """What all of them say. Abstract."""

    complex_name: str = entry("exciton | trion- | trion+ | biexciton")
    spin: str | None = entry("singlet | triplet of the identical carriers")
    angular_momentum: int = entry("0 or 1")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class BindingResult(FewBodyResult):
    """Energy and binding energy of a complex, with its lowest break-up and the exciton in it. Abstract."""

    find: str = entry("what was asked for", "binding")
    total_energy: float | None = number("Ha_h", "energy, an upper bound", key="energy")
    binding_energy: float | None = number("Ha_h", "energy of the lowest break-up minus energy, a lower bound")
    uncertainty: float | None = number("Ha_h", "how far below the energy the exact one may lie")
    bound: bool | None = entry("whether it is bound; None if that is not decided")
    functions: int = entry("size of the basis")
    threshold: float = number("Ha_h", "energy of the lowest break-up")
    exciton_energy: float = number("Ha_h", "energy of one exciton")
    exciton_size: float = number("a_h", "mean in-plane distance in one exciton")
    exciton_polarisability: float = number("a_h^3", "alpha of the energy -alpha F^2/2 in an in-plane force F")
    distances: Distances = entry("mean distances of pairs", NOWHERE)
    derived_units: ClassVar[Mapping[str, tuple[str, str]]] = {"binding_kelvin": ("K", "binding energy")}

    def derived(self) -> dict[str, Any]:
        """The binding energy in K, where the device is known."""
        return {"binding_kelvin": _real(self.binding_energy, "K")}


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ComplexResult(BindingResult):
    """The lowest state of a complex; arrays: its functions, pair correlations, densities, the map of a trion.

    An unbound complex is an answer (``bound`` false), not an error.
    """

    kind: ClassVar[str] = "few-body"
    may_be_undefined: ClassVar[tuple[str, ...]] = (
        "critical_", "near_", "path_", "power_laws", "thresholds", "binding_energies", "uncertainties")
    renamed: ClassVar[Mapping[str, str]] = {f"point_{name}": f"radius_{name}" for name in CURVES}
    resolution: float | None = number("Ha_h", "the smallest binding energy that the basis could show", None)
    reach: float | None = number("a_h", "the longest length that functions were drawn with", None)
    round_off: float | None = number("Ha_h", "numerical noise of the energy", None)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SpacingScanResult(BindingResult):
    """A complex at many spacings, in ascending order; energy and binding energy are those of the first."""

    kind: ClassVar[str] = "few-body"
    may_be_undefined: ClassVar[tuple[str, ...]] = (
        "critical_", "near_", "path_", "power_laws", "thresholds", "binding_energies", "uncertainties")
    renamed: ClassVar[Mapping[str, str]] = {"spacings": "spacing"}
    critical_spacing: float | None = number("a_h", "where it unbinds, extrapolated from these points", None)
    critical_spacing_uncertainty: float | None = number("a_h", "uncertainty of the critical spacing", None)
    spacings: tuple[float, ...] = number("a_h", "distances of the layers")
    binding_energies: tuple[float | None, ...] = number("Ha_h", "binding energy at each spacing")
    uncertainties: tuple[float | None, ...] = number("Ha_h", "uncertainty of the energy at each spacing")
    bound_at: tuple[bool | None, ...] = entry("whether it is bound at each spacing; None if that is not decided")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CriticalSpacingResult(FewBodyResult):
    """The spacings above which a complex is not bound, at many mass ratios; single values are those of the first."""

    kind: ClassVar[str] = "few-body"
    may_be_undefined: ClassVar[tuple[str, ...]] = (
        "critical_", "near_", "path_", "power_laws", "thresholds", "binding_energies", "uncertainties")
    find: str = entry("what was asked for", "critical-spacing")
    critical_spacing: float | None = number("a_h", "spacing above which the complex is not bound")
    critical_spacing_uncertainty: float | None = number("a_h", "its uncertainty")
    critical_spacing_power_law: float | None = number("a_h", "what a plain polynomial in d gives, for comparison")
    mass_ratios: tuple[float, ...] = number("1", "m_e/m_h")
    critical_spacings: tuple[float | None, ...] = number("a_h", "critical spacing at each mass ratio")
    critical_spacing_uncertainties: tuple[float | None, ...] = number("a_h", "their uncertainties")
    reasons: tuple[str, ...] = entry("why there is none, for each mass ratio")

    def derived(self) -> dict[str, Any]:
        """The critical spacing in nm, where the device is known; entries that other few-body results have."""
        nothing = dict.fromkeys(("energy", "binding_energy", "uncertainty", "binding_kelvin"))
        return {"distances": dict.fromkeys(("ee", "eh", "hh")), **nothing,
                "critical_spacing_nm": _real(self.critical_spacing, "nm")}


def _real(value: Any, unit: str) -> float | None:
    return value.to(unit) if value is not None and value.scales.known else None


def described(complex: Complex) -> dict[str, Any]:
    """Fields of every `BindingResult`: the complex, its lowest break-up, its exciton."""
    x = complex.exciton
    return {**named(complex), "threshold": complex.threshold, "exciton_energy": x.energy,
            "exciton_size": x.mean_distance, "exciton_polarisability": x.polarisability}


def named(complex: Complex) -> dict[str, Any]:
    """Fields that say which complex it is."""
    return {"complex_name": complex.name, "spin": complex.spin, "angular_momentum": complex.angular_momentum}


def identity(complex: Complex) -> dict[str, Any]:
    """Inputs that say which complex it is, and what screens its interaction."""
    told = {} if complex.screened is None else {"interaction": complex.screened.parameters}
    return {"complex": complex.name, "spin": complex.spin, "angular_momentum": complex.angular_momentum, **told}
