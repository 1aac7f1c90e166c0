"""Pairing in the units of the paper, for its tests: lengths in a_e, energies in Ha_e, masses as m_h/m_e."""

from __future__ import annotations

from typing import Any

import numpy as np

from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.pairing import couplings as model
from ehbilayer.pairing import plasmon_spectrum as spectra
from ehbilayer.pairing import temperature
from ehbilayer.pairing.coupling_spectrum import CouplingSpectrum
from ehbilayer.pairing.liquid import Choices, Liquid
from ehbilayer.pairing.maps import Map, solve_map
from ehbilayer.pairing.plasmon_velocity import Source
from ehbilayer.pairing.result import PairingMapResult


def liquid(rs: Any, spacing: Any, heavy: Any, square: Any, *more: Any, **named: Any) -> Liquid:
    """r_s, d/a_e, m_h/m_e, alpha^2 and the rest."""
    heavy = np.asarray(heavy, dtype=float)
    return Liquid(rs, np.asarray(spacing, dtype=float) * heavy, 1 / heavy, square, *more, **named)


def couplings(rs: Any, spacing: Any, square: Any, umklapp: str = "debye", flavours: int = 2) -> model.Couplings:
    return model.couplings(liquid(rs, spacing, 7.0, square, umklapp, flavours))


def attraction(rs: Any, spacing: Any, umklapp: str = "debye", flavours: int = 2) -> np.ndarray:
    return model.attraction(liquid(rs, spacing, 3.0, 1.0, umklapp, flavours))


def repulsion(rs: Any, flavours: int = 2) -> np.ndarray:
    return model.repulsion(liquid(rs, 0.0, 1.0, 1.0, flavours=flavours))


def plasmon_spectrum(rs: float, spacing: float, square: float, umklapp: str = "debye",
                     flavours: int = 2) -> CouplingSpectrum:
    return spectra.plasmon_spectrum(liquid(rs, spacing, 5.0, square, umklapp, flavours))


def moments(rs: Any, spacing: Any, umklapp: str = "debye", flavours: int = 2) -> spectra.Moments:
    return spectra.moments(liquid(rs, spacing, 4.0, 1.0, umklapp, flavours))


def tabulate(rs: float, spacing: float, square: float, umklapp: str = "debye", flavours: int = 2,
             points: int = 60) -> spectra.Tabulated:
    return spectra.tabulate(liquid(rs, spacing, 2.0, square, umklapp, flavours), points)


def fermi_energy(rs: Any, flavours: int = 2) -> np.ndarray:
    return liquid(rs, 0.0, 8.0, 1.0, flavours=flavours).fermi * 8.0


def debye_temperature(rs: Any, square: Any, heavy: float, flavours: int = 2) -> np.ndarray:
    return liquid(rs, 0.0, heavy, square, flavours=flavours).debye * heavy


def bcs_temperature(rs: Any, spacing: Any, square: Any, heavy: float, umklapp: str = "debye",
                    flavours: int = 2) -> np.ndarray:
    return model.bcs_temperature(rs, np.asarray(spacing) * heavy, square, 1 / heavy, umklapp, flavours) * heavy


def temperature_of(where: Liquid, method: str = "bcs", **how: Any) -> np.ndarray:
    return temperature.temperature_of(where, method, **how) / where.mass_ratio


def published_map(points: int, heavy: float = 10.0, rs_star: float = 2.0, *, capacitor: bool = False,
                  ) -> PairingMapResult:
    """A map of the paper: m_h/m_e, r_s* of the line, which is also where it ends."""
    bilayer = Bilayer.of(electron_mass=1 / heavy, hole_mass=1.0, rs_electron=1.0)
    source = Source("paper-line", rs_star=rs_star, capacitor=capacitor)
    asked = Map.over(bilayer, (0.05 * rs_star, rs_star), (0.0, 2 * heavy), points, source, Choices("bcs"))
    return solve_map(asked, Hooks())
