"""Named devices: effective masses and dielectric constant, each with the source of its values."""

from __future__ import annotations

from dataclasses import dataclass

from ehbilayer.errors import InputError
from ehbilayer.units import Scales


@dataclass(frozen=True)
class Material:
    """A pair of layers: ``hole layer/electron layer`` is the order of the name.

    Parameters
    ----------
    electron_mass, hole_mass : effective masses in m_0.
    dielectric : relative dielectric constant of the surroundings.
    electron_flavours : degenerate flavours of the electrons: 2 for spin, 4 for spin and valley.
    source : where the values come from.
    """

    name: str
    electron_mass: float
    hole_mass: float
    dielectric: float
    source: str
    electron_flavours: int = 2

    @property
    def scales(self) -> Scales:
        """Its atomic units in real units."""
        return Scales(self.electron_mass, self.hole_mass, self.dielectric)


MATERIALS = {m.name: m for m in (
    Material("WSe2/MoSe2", electron_mass=0.8, hole_mass=0.4, dielectric=4.7, source=(
        "D. D. Dai and L. Fu, Phys. Rev. Lett. 132, 196202 (2024) and its Supplemental Material (with spacing 3 nm), "
        "after: electrons in MoSe2, S. Larentis et al., Phys. Rev. B 97, 201407 (2018); holes in WSe2, P.-C. Yeh et "
        "al., Phys. Rev. B 91, 041407 (2015) and B. Fallahazad et al., Phys. Rev. Lett. 116, 086601 (2016); "
        "dielectric constants, A. Laturia et al., npj 2D Mater. Appl. 2, 6 (2018)")),
    Material("WSe2/bilayer-graphene", electron_mass=0.032, hole_mass=0.45, dielectric=5.1, electron_flavours=4, source=(
        "the kind of device that Nashabeh and Fu (2026) propose, in hexagonal BN; electrons of bilayer graphene, 4 "
        "flavours (spin and valley), m_e = gamma_1/2v^2 with gamma_0 = 3.16 eV and gamma_1 = 0.381 eV of A. B. "
        "Kuzmenko et al., Phys. Rev. B 80, 165406 (2009), parabolic only well below gamma_1/4 = 95 meV, see E. McCann "
        "and M. Koshino, Rep. Prog. Phys. 76, 056503 (2013); holes in WSe2, B. Fallahazad et al., Phys. Rev. Lett. "
        "116, 086601 (2016); dielectric constant (6.93 x 3.76)^{1/2} of bulk BN, A. Laturia et al., npj 2D Mater. "
        "Appl. 2, 6 (2018)")),
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
