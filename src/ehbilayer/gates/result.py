"""The result of gates: densities, phases and compressibilities over voltages, and the exciton insulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ehbilayer.results.base import Carriers, Result, entry, number


@dataclass(frozen=True)
class Point:
    """What holds at one set of voltages."""

    electron_density: float = number("a_h^-2", "electrons per area")
    hole_density: float = number("a_h^-2", "holes per area")
    phase: str = entry("empty | electrons | holes | plasma | exciton insulator | ...")
    chemical_potential: Carriers[float] = number("Ha_h", "mu_e and mu_h over their bands' edges, as contacts set them")
    charge_compressibility: float = number("a_h^-2/Ha_h", "d(n_e - n_h) by a common shift of both gates")
    exciton_compressibility: float = number("a_h^-2/Ha_h", "d min(n_e, n_h) by the bias")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class GatesResult(Result):
    """Voltages are energies of an electron, in Ha_h (``.to("mV")`` and ``.to("meV")`` are the same number).

    Arrays: over the voltages that vary (``top``, ``bottom``, ``common``, ``difference``, ``bias``) the densities,
    phases, chemical potentials and compressibilities; over ``curve_bias`` the exciton insulator at equal densities: its
    density, the common gate voltages between which it holds, and what the capacitor alone would hold.
    """

    kind: ClassVar[str] = "gates"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("curve_", "measured_")
    derived_units: ClassVar[dict[str, tuple[str, str]]] = {
        "insulator_width": ("V", "common gate voltages, and biases, over which there is an exciton insulator")}
    equation: str = entry("mean-field | liquid | free | table")
    phases: tuple[str, ...] = entry("phases that there are on the map")
    threshold: float | None = number("Ha_h", "bias of the first pairs, at the difference of the curve", None)
    exciton_energy: float | None = number("Ha_h", "energy of a pair in the limit n -> 0, -E_X", None)
    jump: float | None = number("Ha_h", "largest jump of mu_e and mu_h at n_e = n_h", None)
    bias_range: float | None = number("Ha_h", "biases of the curve over which there is an exciton insulator", None)
    largest_pair_density: float | None = number("a_h^-2", "of the exciton insulator on the curve", None)
    difference: float = number("Ha_h", "V_t - V_b of the curve")
    here: Point | None = entry("at the one point that was asked for", None)
    caution: str = entry("what the equation of state leaves out", "")

    def derived(self) -> dict[str, Any]:
        """``insulator_width``, in volts where the device is known."""
        scales = self.provenance.scales
        if not scales.known or self.jump is None or self.bias_range is None:
            return {"insulator_width": None}
        return {"insulator_width": {"charge": self.jump * scales.hartree_meV / 1e3,
                                    "bias": self.bias_range * scales.hartree_meV / 1e3}}
