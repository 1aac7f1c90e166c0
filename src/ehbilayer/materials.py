"""Named devices: effective masses and dielectric constant, each with the source of its values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ehbilayer.errors import InputError, is_number
from ehbilayer.units import Scales


@dataclass(frozen=True)
class Screening:
    """What screens the interaction, as one would say it; `Screened` in atomic units.

    Parameters
    ----------
    dielectric_in_plane, dielectric_out_of_plane : of the medium around the layers; None for an isotropic one of the
        device's dielectric constant.
    gate_top, gate_bottom : distance of the metal above the electrons and below the holes; None without.
    sheet_electron, sheet_hole : vacuum screening lengths r_0 = 2 pi alpha of the layers.
    layer_thickness : over which the charge of a layer is spread.

    Lengths are numbers in a_h or text such as ``"10 nm"``.
    """

    dielectric_in_plane: float | None = None
    dielectric_out_of_plane: float | None = None
    gate_top: float | str | None = None
    gate_bottom: float | str | None = None
    sheet_electron: float | str = 0.0
    sheet_hole: float | str = 0.0
    layer_thickness: float | str = 0.0

    @classmethod
    def of(cls, named: Material | None, given: Mapping[str, Any]) -> Screening:
        """That of a device, with what is given beside it. Raises InputError for a name that does not exist."""
        unknown = set(given) - {f.name for f in fields(cls)}
        if unknown:
            raise InputError("screening", f"a table of {', '.join(f.name for f in fields(cls))}", sorted(unknown)[0],
                             "correct the name")
        start = named.screening if named is not None and named.screening is not None else cls()
        return replace(start, **given)

    @property
    def kappa(self) -> float | None:
        """sqrt(eps_xy eps_z), the dielectric constant of atomic units; None where none is given.

        Raises InputError for one of the two alone, or one below 1.
        """
        both = {k: getattr(self, k) for k in ("dielectric_in_plane", "dielectric_out_of_plane")}
        missing = [k for k, value in both.items() if value is None]
        if len(missing) == 2:
            return None
        if missing:
            raise InputError(missing[0], "given where the other dielectric constant is", "missing",
                             "give both; equal ones are an isotropic medium")
        for key, value in both.items():
            if not (is_number(value) and 1 <= value < math.inf):
                raise InputError(key, "a relative dielectric constant >= 1", value, "1 is vacuum")
        return math.sqrt(both["dielectric_in_plane"] * both["dielectric_out_of_plane"])


@dataclass(frozen=True)
class Material:
    """A pair of layers: ``hole layer/electron layer`` is the order of the name.

    Parameters
    ----------
    electron_mass, hole_mass : effective masses in m_0.
    dielectric : relative dielectric constant of the surroundings.
    electron_flavours : degenerate flavours of the electrons: 2 for spin, 4 for spin and valley.
    source : where the values come from.
    screening : what it brings of medium, sheets and gates; None for Coulomb's interaction.
    electron_g_factor, hole_g_factor : g of g mu_B B between the flavours of a carrier; None where none could be read.
    """

    name: str
    electron_mass: float
    hole_mass: float
    dielectric: float
    source: str
    electron_flavours: int = 2
    screening: Screening | None = None
    electron_g_factor: float | None = None
    hole_g_factor: float | None = None

    @property
    def medium(self) -> str:
        """What it brings of screening, in words; empty for Coulomb's interaction."""
        s = self.screening
        return "" if s is None else (f" of ({s.dielectric_in_plane:g}, {s.dielectric_out_of_plane:g}), screening "
                                     f"lengths {s.sheet_electron} of the electrons, {s.sheet_hole} of the holes")

    @property
    def scales(self) -> Scales:
        """Its atomic units in real units."""
        return Scales(self.electron_mass, self.hole_mass, self.dielectric)


# g mu_B B between the valleys of holes in WSe2: twice the measured band g factor 6.1, levels being +-6.1 mu_B B. That
# this is meant follows from 2 (3.84 - 6.1) = -4.5 for bright excitons, measured -4.25
WSE2_HOLES = 12.2
G_FACTOR = ("g of holes in WSe2 twice the 6.1 of C. Robert et al., Phys. Rev. Lett. 126, 067403 (2021), "
            "arXiv:2008.07464 (abstract read), as levels lie at +-6.1 mu_B B")
# vacuum screening lengths r_0 of monolayers, nm
SHEETS = {"WSe2": 4.5, "MoSe2": 5.2, "MoS2": 4.1, "WS2": 3.8}
STACK = ("in hexagonal BN of (6.93, 3.76), A. Laturia et al., npj 2D Mater. Appl. 2, 6 (2018); screening lengths of "
         "the layers r_0 = 2 pi alpha, T. C. Berkelbach, M. S. Hybertsen and D. R. Reichman, Phys. Rev. B 88, 045318 "
         "(2013)")
STACKS = (
    ("WSe2", "MoSe2", 0.8, 0.4, "masses as WSe2/MoSe2: S. Larentis et al., Phys. Rev. B 97, 201407 (2018), and B. "
     "Fallahazad et al., Phys. Rev. Lett. 116, 086601 (2016)"),
    ("WSe2", "MoS2", 0.5, 0.4, "electrons in MoS2, 0.5 m0 of the calculation of A. Kormanyos et al., 2D Mater. 2, "
     "022001 (2015), rounded (transport sees more); holes in WSe2 as in WSe2/MoSe2"),
)

MATERIALS = {m.name: m for m in (
    Material("WSe2/MoSe2", electron_mass=0.8, hole_mass=0.4, dielectric=4.7, source=(
        "D. D. Dai and L. Fu, Phys. Rev. Lett. 132, 196202 (2024) and its Supplemental Material (with spacing 3 nm), "
        "after: electrons in MoSe2, S. Larentis et al., Phys. Rev. B 97, 201407 (2018); holes in WSe2, P.-C. Yeh et "
        "al., Phys. Rev. B 91, 041407 (2015) and B. Fallahazad et al., Phys. Rev. Lett. 116, 086601 (2016); "
        "dielectric constants, A. Laturia et al., npj 2D Mater. Appl. 2, 6 (2018); " + G_FACTOR),
        hole_g_factor=WSE2_HOLES),
    *(Material(f"{hole}/hBN/{electron}", m_e, m_h, math.sqrt(6.93 * 3.76), f"{source}; {STACK}; {G_FACTOR}",
               hole_g_factor=WSE2_HOLES, screening=Screening(6.93, 3.76, sheet_electron=f"{SHEETS[electron]} nm",
                                                             sheet_hole=f"{SHEETS[hole]} nm"))
      for hole, electron, m_e, m_h, source in STACKS),
    Material("WSe2/bilayer-graphene", electron_mass=0.032, hole_mass=0.45, dielectric=5.1, electron_flavours=4, source=(
        "the kind of device that Nashabeh and Fu (2026) propose, in hexagonal BN; electrons of bilayer graphene, 4 "
        "flavours (spin and valley), m_e = gamma_1/2v^2 with gamma_0 = 3.16 eV and gamma_1 = 0.381 eV of A. B. "
        "Kuzmenko et al., Phys. Rev. B 80, 165406 (2009), parabolic only well below gamma_1/4 = 95 meV, see E. McCann "
        "and M. Koshino, Rep. Prog. Phys. 76, 056503 (2013); holes in WSe2, B. Fallahazad et al., Phys. Rev. Lett. "
        "116, 086601 (2016); dielectric constant (6.93 x 3.76)^{1/2} of bulk BN, A. Laturia et al., npj 2D Mater. "
        "Appl. 2, 6 (2018); " + G_FACTOR), hole_g_factor=WSE2_HOLES),
    Material("mass-ratio-10", electron_mass=0.1, hole_mass=1.0, dielectric=5.0, source=(
        "model, no compound: the mass-asymmetric bilayer of Nashabeh and Fu (2026), m_h = m_0, m_h/m_e = 10, "
        "relative dielectric constant 5")),
)}


def material(name: str, argument: str = "bilayer.material") -> Material:
    """The named device. Raises InputError naming ``argument``, with the known names."""
    if name not in MATERIALS:
        raise InputError(argument, "a known device", name[:60],
                         f"known: {', '.join(MATERIALS)}; or give electron_mass, hole_mass and dielectric")
    return MATERIALS[name]
