"""The result of a compressibility: alpha^2 of one torus or of infinitely many particles, by all routes, with errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ehbilayer.response.result import LatticeSound
from ehbilayer.results.base import Carriers, Result, entry, number


@dataclass(frozen=True)
class Limit:
    """alpha^2 at N -> infinity, value + slope/N^power through the corrected values."""

    value: float = number("1", "alpha^2 for infinitely many particles")
    uncertainty: float | None = number("1", "its uncertainty")
    slope: float = number("1", "slope in 1/N^power")
    left_out: float = number("1", "largest change with other tori of the series")
    power: float = number("1", "3/2 with the gas' own error out, else 1", 1.0)


@dataclass(frozen=True)
class SizeRow:
    """One torus of a series."""

    particles: int = entry("holes, or electrons where there are none")
    alpha_squared: float = number("1", "B/B_0")
    none: float = number("1", "alpha^2, zero mode none")
    madelung: float = number("1", "alpha^2, zero mode madelung")
    gas: float | None = number("1", "that of the uniform gas on this torus, zero mode madelung")
    corrected: float = number("1", "madelung with the gas' finite-size error out")
    status: str = entry("how it ended")
    energy_per_site: float = number("Ha_h", "energy per particle")
    basis_size: int = entry("plane waves")


@dataclass(frozen=True)
class Conventions:
    """alpha^2 of one state in either convention for v(q = 0)."""

    none: float = number("1", "alpha^2, zero mode none")
    madelung: float = number("1", "alpha^2, zero mode madelung")


@dataclass(frozen=True)
class Parts:
    """What alpha^2 is the sum of."""

    fixed_orbitals: float = number("1", "at fixed orbitals")
    relaxation: float = number("1", "from the response of the orbitals")


@dataclass(frozen=True)
class StateRow:
    """The state that alpha^2 belongs to."""

    candidate: str = entry("what it started from")
    phase: str = entry("what it is")
    kept: str = entry("symmetric | lowest")
    occupation: str = entry("integer | shell")
    open_shell: bool = entry("whether an open shell is filled equally")
    starts: int = entry("starts, of which it is the lowest")
    sea_depletion: Carriers[float] = number("1", "share of the particles outside the free Fermi sea")
    aufbau: bool = entry("whether the lowest levels are filled")
    energy_per_site: float = number("Ha_h", "energy per particle")


@dataclass(frozen=True)
class SymmetricState:
    """The state that keeps the translations of the hole lattice, beside the lowest one."""

    alpha_squared: float = number("1", "its alpha^2")
    energy_above: float = number("Ha_h", "its energy less that of the lowest state")


@dataclass(frozen=True)
class ScreenedPhonons:
    """alpha^2 by another route: phonons of the hole lattice, screened with and without a local field of exchange."""

    none: LatticeSound = entry("random-phase approximation")
    exchange: LatticeSound = entry("with the local field of exchange")
    zero_point: float = number("1", "what zero-point motion of heavy holes adds to alpha^2")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CompressibilityResult(Result):
    """Bulk modulus and plasmon velocity; arrays: alpha^2 by size, and the branches of the screened phonons.

    A negative alpha^2 is an answer: the uniform density is unstable at this level, and there is no velocity. Numbers of
    a state are those of the torus that is looked at in full, the first one of a series.
    """

    kind: ClassVar[str] = "compressibility"
    may_be_undefined: ClassVar[tuple[str, ...]] = ("size_",)
    derived_units: ClassVar[dict[str, tuple[str, str]]] = {"velocity_m_per_s": ("m/s", "velocity of the plasmon")}
    alpha_squared: float | None = number("1", "B/B_0 = (v/v_0)^2, of infinitely many particles where extrapolated")
    uncertainty: float | None = number("1", "of alpha^2; None where a state did not converge")
    stable: bool = entry("whether alpha^2 > 0")
    alpha: float | None = number("1", "v/v_0; None where alpha^2 is not positive")
    velocity: float | None = number("a_h Ha_h", "velocity v of the acoustic plasmon; hbar = 1")
    velocity_unit: float = number("a_h Ha_h", "v_0 = sqrt(eps_F/m_h)")
    bulk_modulus: float | None = number("Ha_h/a_h^2", "B = A d^2E/dA^2")
    reference_bulk_modulus: float = number("Ha_h/a_h^2", "B_0 = n eps_F")
    pressure: float = number("Ha_h/a_h^2", "-dE/dA")
    total_energy: float = number("Ha_h", "total energy", key="energy")
    extrapolated: bool = entry("whether alpha^2 is that of infinitely many particles")
    limit: Limit | None = entry("the extrapolation, where there was one")
    by_size: tuple[SizeRow, ...] = entry("every torus of the series")
    method: str = entry("response | pressure | energy")
    methods: dict[str, float] = number("1", "alpha^2 of this torus by every route")
    method_spread: float | None = number("1", "largest difference between three routes")
    by_zero_mode: Conventions = entry("alpha^2 of this torus in either convention")
    parts: Parts = entry("what alpha^2 is the sum of")
    state: StateRow = entry("which state it is")
    basis_error: float | None = number("1", "error of alpha^2 from the basis")
    solver_error: float | None = number("1", "error of alpha^2 from the solver")
    basis_size: int = entry("plane waves")
    residual: float = number("Ha_h", "of the state")
    response_residual: float = number("1", "of the linear response, relative")
    capacitor: bool = entry("whether the geometric energy of the charged layers is in alpha^2")
    capacitor_shift: float = number("1", "what it adds")
    with_capacitor: float | None = number("1", "alpha^2 with it")
    without_capacitor: float | None = number("1", "alpha^2 without it")
    velocity_with_capacitor: float | None = number("a_h Ha_h", "velocity with it")
    symmetric: SymmetricState | None = entry("the symmetric state, where the lowest was asked for")
    particles: Carriers[int] = entry("carriers on the torus")
    area: float = number("a_h^2", "area of the torus")
    zero_mode: str = entry("none | madelung")
    fermi_energy: float = number("Ha_h", "eps_F of the electrons")
    rs_electron: float = number("1", "r_s of the electrons")
    uniform_gas: float = number("1", "alpha^2 of the uniform Hartree-Fock gas of infinitely many electrons")
    lattice: ScreenedPhonons | None = entry("the route by phonons, for as many electrons as holes")

    @property
    def unstable(self) -> tuple[str, ...]:
        """What is unstable, before any number that rests on it."""
        found = [] if self.stable else ["alpha^2 < 0: the uniform density; no acoustic mode at this level"]
        if self.lattice is not None:
            found += [f"the hole lattice under the screened force, {name}: it does not resist shear "
                      f"({sound.transverse:+.3f}), its phonons are imaginary"
                      for name, sound in (("RPA", self.lattice.none), ("exchange", self.lattice.exchange))
                      if sound.transverse < 0]
        return tuple(found)

    def derived(self) -> dict[str, Any]:
        """The velocity in m/s, where the device is known."""
        scales = self.provenance.scales
        if self.velocity is None or not scales.known:
            return {"velocity_m_per_s": None}
        from scipy.constants import e, hbar

        return {"velocity_m_per_s": self.velocity * scales.bohr_radius_nm * 1e-9 * scales.hartree_meV * 1e-3 * e / hbar}
