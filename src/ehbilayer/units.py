"""Real units at the edge: hole atomic units <-> nm, cm^-2, meV, mV, K; r_s <-> density; text such as "3 nm".

Inside the library everything is in hole atomic units (hbar = e^2/(4 pi eps) = m_h = 1):
a_h = a_0 eps_r / m_h, Ha_h = Ha m_h / eps_r^2, with masses in m_0 and the CODATA values of SciPy. Electron units are
a_e = a_h m_h/m_e and Ha_e = Ha_h m_e/m_h. Where no hole mass is given the electron mass is the unit of mass.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from ehbilayer.errors import InputError, is_number

_EV = 1.602176634e-19  # J: exact, as are h = 6.62607015e-34 J s and c = 299792458 m/s, since the SI of 2019
_H = 6.62607015e-34 / _EV * 1e3  # meV s

# unit -> (dimension, whose unit it is, factor to nm, nm^-2, meV or mV; 1 for atomic units)
UNITS: dict[str, tuple[str, str, float]] = {
    "nm": ("length", "SI", 1.0),
    "angstrom": ("length", "SI", 0.1),
    "pm": ("length", "SI", 1e-3),
    "um": ("length", "SI", 1e3),
    "cm": ("length", "SI", 1e7),
    "m": ("length", "SI", 1e9),
    "a_h": ("length", "hole", 1.0),
    "a_e": ("length", "electron", 1.0),
    "nm^-2": ("density", "SI", 1.0),
    "angstrom^-2": ("density", "SI", 100.0),
    "um^-2": ("density", "SI", 1e-6),
    "cm^-2": ("density", "SI", 1e-14),
    "m^-2": ("density", "SI", 1e-18),
    "a_h^-2": ("density", "hole", 1.0),
    "a_e^-2": ("density", "electron", 1.0),
    "meV": ("energy", "SI", 1.0),
    "ueV": ("energy", "SI", 1e-3),
    "eV": ("energy", "SI", 1e3),
    "J": ("energy", "SI", 1e3 / _EV),
    "cm^-1": ("energy", "SI", _H * 299792458e2),
    "GHz": ("energy", "SI", _H * 1e9),
    "THz": ("energy", "SI", _H * 1e12),
    "K": ("energy", "K", 1.0),  # times k_B
    "mK": ("energy", "K", 1e-3),
    "uK": ("energy", "K", 1e-6),
    "Ha_h": ("energy", "hole", 1.0),
    "Ha_e": ("energy", "electron", 1.0),
    "mV": ("voltage", "SI", 1.0),  # times e
    "V": ("voltage", "SI", 1e3),
    "uV": ("voltage", "SI", 1e-3),
    "T": ("field", "mu_B", 1.0),  # times mu_B
}
ALIASES = {"A": "angstrom", "\u00c5": "angstrom", "Angstrom": "angstrom", "ang": "angstrom", "micron": "um",
           "Kelvin": "K", "kelvin": "K"}
EXAMPLES = {"length": '"3 nm"', "density": '"1.29e12 cm^-2"', "energy": '"10 meV"', "voltage": '"0.5 V"',
            "field": '"5 T"'}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_POWER = re.compile(r"10\s*\^\s*([+-]?[0-9]{1,3})(?![0-9])")  # of 10, alone or behind a factor, as papers write it
_TIMES_POWER = re.compile(rf"\s*[x*\u00d7\u00b7\u22c5]\s*{_POWER.pattern}")
_NAME = "[A-Za-z\u00c5][A-Za-z_\u00c5]{0,15}"
_HIGH = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b"  # superscripts
_RAISED, _LOWERED = re.compile(f"[{_HIGH}]+"), str.maketrans(_HIGH, "0123456789+-")
_ALIKE = str.maketrans("\u2212\u2013\u00b5\u03bc", "--uu")  # of minus and micro
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?)\s*(s|min|m|h|d)")
_CLOCK = re.compile(r"\s*(?:([0-9]+)-)?([0-9]+):([0-5]?[0-9]):([0-5]?[0-9])\s*")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """'did you mean "..."?' for the known word closest to ``word``, or ``otherwise`` if none is close."""
    folded = {k.lower().replace("_", "-"): k for k in known}
    found = difflib.get_close_matches(word.lower().replace("_", "-"), folded, n=1, cutoff=0.55)
    return f'did you mean "{folded[found[0]]}"?' if found else otherwise


def parse_quantity(text: str, dimension: str, argument: str) -> tuple[float, str]:
    """Split text such as "1.29e12 cm^-2" into a finite number and a unit of the dimension (a value of UNITS).

    Raises InputError naming ``argument`` for anything else, with the nearest known unit.
    """
    must = f"a number with a unit of {dimension}, such as {EXAMPLES[dimension]}"
    known = [u for u, (d, _, _) in UNITS.items() if d == dimension]
    found = split_quantity(text)
    if found is None:
        raise InputError(argument, must, text[:60], f"units: {', '.join(known)}; bare numbers are hole atomic units")
    value, unit = found
    if unit not in UNITS:
        like = [name for name in known if len(name) > 1]  # a letter is near to everything
        raise InputError(argument, must, text, nearest(unit, like, f"units: {', '.join(known)}"))
    if UNITS[unit][0] != dimension:
        raise InputError(argument, must, text, f"{unit} is a unit of {UNITS[unit][0]}; use {', '.join(known)}")
    if not math.isfinite(value):
        raise InputError(argument, must, text, "give a finite number")
    return value, unit


def split_quantity(text: str) -> tuple[float, str] | None:
    """The number in text such as "1.29e12 cm^-2" and the unit behind it, a known one by its name in UNITS.

    10^12, 10**12 and 1.5 x 10^12 are numbers; cm-2, cm^{-2}, 1/cm^2 and powers in superscript are units. None for text
    that is not a number with something behind it.
    """
    if len(text) > 100:
        return None
    text = _signs(text)
    plain, power = _NUMBER.match(text), _POWER.match(text)
    digits, end = plain[0] if plain else "", plain.end() if plain else 0
    if power is not None:
        digits = "1"
    elif plain and "e" not in digits.lower():
        power = _TIMES_POWER.match(text, end)
    value = f"{digits}e{int(power[1])}" if power else digits
    unit = _unit(text[power.end() if power else end:].strip())
    return (float(value), unit) if value and unit and unit[0] not in "0123456789.+-" else None


def unit_name(text: str) -> str:
    """A unit by its name in UNITS, however it is written; other text as it stands."""
    return _unit(_signs(text))


def _signs(text: str) -> str:
    """Text with signs that look alike as one, and powers as ^n, whether they are raised, in braces or after **."""
    text = unicodedata.normalize("NFC", text).translate(_ALIKE).strip()
    text = _RAISED.sub(lambda m: "^" + m[0].translate(_LOWERED), text).replace("**", "^")
    return re.sub(r"\^\s*(?:\{\s*([^{}]*?)\s*\}|\(\s*([^()]*?)\s*\))", lambda m: f"^{m[1] or m[2] or ''}", text)


def _unit(text: str) -> str:
    """A unit by its name in UNITS: cm^-2 for cm-2, 1/cm^2, /cm^2 and per cm^2."""
    per = re.fullmatch(rf"(?:1\s*/|/|per )\s*({_NAME})\s*\^?\s*([12]?)", text)
    if per:
        return f"{ALIASES.get(per[1], per[1])}^-{per[2] or 1}"
    match = re.fullmatch(rf"({_NAME})\s*(?:\^?\s*(-\s*[12]))?", text)
    if match is None:
        return text
    return ALIASES.get(match[1], match[1]) + (f"^{match[2]}".replace(" ", "") if match[2] else "")


def parse_duration(text: str, argument: str = "--max-time") -> float:
    """Seconds in text such as "90s", "15 min", "2h" or "1h30m" (a bare number is seconds), or as batch systems write.

    Those are "02:00:00" and, with days before it, "1-02:00:00". Raises InputError.
    """
    must, todo = 'a positive time such as "2h", "15m", "90s" or "02:00:00"', "units: s, m, h, d"
    rest, total = text if len(text) <= 40 else "?", 0.0
    if clock := _CLOCK.fullmatch(rest):
        days, *hours = (float(part or 0) for part in clock.groups())
        total, rest = 86400 * days + 3600 * hours[0] + 60 * hours[1] + hours[2], ""
    elif ":" in rest:
        todo = "hours, minutes and seconds: 02:00:00, or 1-02:00:00 with a day before"
    if re.fullmatch(r"\s*[0-9]+(\.[0-9]*)?\s*", rest):
        rest += "s"
    while match := _DURATION.match(rest):
        total += float(match[1]) * _SECONDS[match[2]]
        rest = rest[match.end():]
    if rest.strip() or not 0 < total < 1e10:
        raise InputError(argument, must, text[:40], todo)
    return total


def rs_from_density(density: float) -> float:
    """r_s = 1/sqrt(pi n), in the unit of length that ``density`` is in."""
    return 1 / math.sqrt(math.pi * density)


def density_from_rs(rs: float) -> float:
    """n = 1/(pi r_s^2), per area in the unit of length that ``rs`` is in."""
    return 1 / (math.pi * rs * rs)


@cache
def _codata() -> tuple[float, float, float, float]:
    """(Bohr radius in nm, Hartree energy in meV, Boltzmann constant in meV/K, Bohr magneton in meV/T), CODATA as
    shipped by SciPy."""
    from scipy.constants import physical_constants

    return (physical_constants["Bohr radius"][0] * 1e9, physical_constants["Hartree energy in eV"][0] * 1e3,
            physical_constants["Boltzmann constant in eV/K"][0] * 1e3,
            physical_constants["Bohr magneton in eV/T"][0] * 1e3)


@dataclass(frozen=True)
class Scales:
    """The lengths and energies that masses (m_0) and a relative dielectric constant set; any may be unknown.

    Raises InputError for a mass or dielectric constant that is not a positive finite number.
    """

    electron_mass: float | None = None
    hole_mass: float | None = None
    dielectric: float | None = None

    def __post_init__(self) -> None:
        for name in ("electron_mass", "hole_mass", "dielectric"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(name, "a positive number", value, "masses are in m0, the dielectric constant relative")

    @property
    def reference_mass(self) -> float | None:
        """The mass (m_0) that is 1 in atomic units: the hole's, or the electron's where there is no hole mass."""
        return self.hole_mass if self.hole_mass is not None else self.electron_mass

    @property
    def known(self) -> bool:
        """Whether real units can be given."""
        return self.reference_mass is not None and self.dielectric is not None

    @property
    def mass_ratio(self) -> float | None:
        """Electron mass in units of the reference mass (m_e/m_h), None if the electron mass is unknown."""
        if self.electron_mass is None or self.reference_mass is None:
            return None
        return self.electron_mass / self.reference_mass

    def _need(self, argument: str, was: object) -> tuple[float, float]:
        if self.reference_mass is None:
            raise InputError(argument, "in hole atomic units as long as no mass is given", was,
                             "give bilayer.hole_mass (and dielectric), or bilayer.material, or a bare number")
        if self.dielectric is None:
            raise InputError(argument, "in hole atomic units as long as no dielectric constant is given", was,
                             "give bilayer.dielectric, or bilayer.material, or a bare number")
        return self.reference_mass, self.dielectric

    @property
    def bohr_radius_nm(self) -> float:
        """a_h in nm."""
        mass, dielectric = self._need("bohr_radius_nm", None)
        return _codata()[0] * dielectric / mass

    @property
    def hartree_meV(self) -> float:
        """Ha_h in meV."""
        mass, dielectric = self._need("hartree_meV", None)
        return _codata()[1] * mass / dielectric**2

    @property
    def hartree_kelvin(self) -> float:
        """Ha_h / k_B in K: the hole Hartree temperature T_H^h."""
        return self.hartree_meV / _codata()[2]

    @property
    def electron_bohr_radius_nm(self) -> float:
        """a_e = a_h m_h/m_e in nm."""
        return self.bohr_radius_nm / self._ratio("electron_bohr_radius_nm", None)

    @property
    def electron_hartree_meV(self) -> float:
        """Ha_e = Ha_h m_e/m_h in meV."""
        return self.hartree_meV * self._ratio("electron_hartree_meV", None)

    @property
    def electron_hartree_kelvin(self) -> float:
        """Ha_e / k_B in K: the electron Hartree temperature T_H^e."""
        return self.hartree_kelvin * self._ratio("electron_hartree_kelvin", None)

    def _ratio(self, argument: str, was: object) -> float:
        if self.mass_ratio is None:
            raise InputError(argument, "without electron units as long as no electron mass is given", was,
                             "give bilayer.electron_mass or bilayer.material")
        return self.mass_ratio

    def to_atomic(self, quantity: float | str, dimension: str, argument: str) -> float:
        """A length, density, energy, voltage (times e) or field (times mu_B) in hole atomic units (a_h, a_h^-2, Ha_h).

        ``quantity`` is a bare number (already in these units) or text with a unit; ``argument`` names it in errors.
        Raises InputError for bad text and for real units while masses or the dielectric constant are unknown.
        """
        if not isinstance(quantity, str):
            if not (is_number(quantity) and math.isfinite(quantity)):
                raise InputError(argument, f"a finite {dimension}", quantity, f"give {EXAMPLES[dimension]}")
            return float(quantity)
        value, unit = parse_quantity(quantity, dimension, argument)
        _, whose, factor = UNITS[unit]
        power = {"length": 1, "density": -2, "energy": -1, "voltage": -1, "field": -1}[dimension]
        if whose == "electron":
            return value * self._ratio(argument, quantity) ** -power
        if whose == "hole":
            return value
        self._need(argument, quantity)
        if power == -1:
            natural = {"K": _codata()[2], "mu_B": _codata()[3]}
            return value * factor * natural.get(whose, 1.0) / self.hartree_meV
        return value * factor / self.bohr_radius_nm**power

    def length_nm(self, length: float) -> float:
        """A length in a_h as nm."""
        return length * self.bohr_radius_nm

    def density_per_cm2(self, density: float) -> float:
        """A density in a_h^-2 as cm^-2."""
        return density / self.bohr_radius_nm**2 * 1e14

    def given(self) -> dict[str, float | None]:
        """The masses and the dielectric constant, by the names of the arguments."""
        return asdict(self)

    def table(self) -> dict[str, str | float]:
        """The units a summary is in, and their real values where they are known."""
        units: dict[str, str | float] = {"length": "a_h", "density": "a_h^-2", "energy": "Ha_h",
                                         "pressure": "Ha_h/a_h^2", "temperature": "K"}
        if self.known:
            units |= {"a_h_nm": self.bohr_radius_nm, "Ha_h_meV": self.hartree_meV, "Ha_h_kelvin": self.hartree_kelvin}
            if self.mass_ratio is not None:
                units |= {"a_e_nm": self.electron_bohr_radius_nm, "Ha_e_meV": self.electron_hartree_meV,
                          "Ha_e_kelvin": self.electron_hartree_kelvin}
        return units


def scales_of(table: Mapping[str, Any]) -> Scales:
    """The scales whose `Scales.table` this is; unknown ones if it has no real values.

    a_h/a_0 = eps/m and Ha_h/Ha = m/eps^2 give eps = 1/(their product) and m = eps a_0/a_h; m_e = m a_h/a_e.
    """
    length, energy = table.get("a_h_nm"), table.get("Ha_h_meV")
    if not (length and energy):
        return Scales()
    dielectric = _codata()[0] * _codata()[1] / (length * energy)
    mass = dielectric * _codata()[0] / length
    electron = table.get("a_e_nm")
    return Scales(mass * length / electron if electron else None, mass, dielectric)


def device_numbers(scales: Scales, hole_density: float | None = None, electrons_per_hole: float = 1.0,
                   spacing: float | None = None) -> dict[str, float]:
    """What `ehb units` prints: atomic units in real units, and r_s of each layer and of the trion.

    Parameters
    ----------
    scales : of a device whose masses and dielectric constant are known.
    hole_density : in a_h^-2, or None.
    electrons_per_hole : electron density over hole density.
    spacing : in a_h, or None.

    The trion has mass 2 m_e + m_h and the density of the holes: r_s^trion = r_s^h (2 m_e + m_h)/m_h (Dai and Fu, PRL
    132, 196202 (2024)). T_H is the Hartree energy over k_B.
    """
    ratio = scales._ratio("electron_mass", None)
    numbers = {
        "a_h_nm": scales.bohr_radius_nm, "Ha_h_meV": scales.hartree_meV, "Ha_h_kelvin": scales.hartree_kelvin,
        "a_e_nm": scales.electron_bohr_radius_nm, "Ha_e_meV": scales.electron_hartree_meV,
        "Ha_e_kelvin": scales.electron_hartree_kelvin,
        "T_H_hole_kelvin": scales.hartree_kelvin,
        "T_H_electron_kelvin": scales.electron_hartree_kelvin,
    }
    if spacing is not None:
        numbers |= {"spacing_a_h": spacing, "spacing_a_e": spacing * ratio, "spacing_nm": scales.length_nm(spacing)}
    if hole_density is not None:
        rs = rs_from_density(hole_density)
        numbers |= {"hole_density_a_h^-2": hole_density, "hole_density_cm^-2": scales.density_per_cm2(hole_density),
                    "rs_hole": rs, "rs_trion": rs * (2 * ratio + 1)}
        if electrons_per_hole > 0:
            numbers |= {"electron_density_cm^-2": scales.density_per_cm2(hole_density * electrons_per_hole),
                        "rs_electron": ratio * rs / math.sqrt(electrons_per_hole)}
        if spacing:
            numbers["a_over_d"] = rs / spacing
    return numbers
