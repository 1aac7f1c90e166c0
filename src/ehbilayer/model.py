"""The physics: which carriers, in which layers, how dense, how far apart, how they interact. No counts, no box.

Everything is in hole atomic units: hbar = e^2/(4 pi eps) = m_h = 1 (lengths in a_h, energies in Ha_h, densities in
a_h^-2); masses are m/m_h. Real units come and go at the edge: `Bilayer.of` takes them, `Bilayer.scales` knows them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from ehbilayer.errors import InputError, require
from ehbilayer.interaction.base import Interaction, check_limits, require_coulomb, require_known
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.interaction.screened import Screened
from ehbilayer.materials import Screening
from ehbilayer.materials import material as named_device
from ehbilayer.potential import Potential
from ehbilayer.units import Scales, density_from_rs, rs_from_density

ELECTRON_LAYER, HOLE_LAYER = 0, 1
SAME = 1e-9  # relative difference of two densities that count as one


@dataclass(frozen=True)
class Carrier:
    """One kind of carrier in one layer.

    Parameters
    ----------
    name : ``"electron"``, ``"hole"`` or any other label.
    charge : +1 or -1.
    mass : effective mass m/m_h.
    layer : index of its layer; layer l lies at the height l * spacing.
    density : particles per area of all flavours, a_h^-2, >= 0.
    flavours : degenerate spin and valley flavours.
    splitting : g mu_B B in Ha_h, by which a field divides the flavours in two halves (see `levels`).
    dispersion : optional kinetic energy per particle, a function of k with shape (..., 2) in 1/a_h returning
        Ha_h with shape (...); replaces k^2 / 2m.

    Raises
    ------
    InputError : a charge other than +-1, a mass or density that is not positive (0 is allowed) or not finite, no
        flavour.
    """

    name: str
    charge: int
    mass: float
    layer: int
    density: float
    flavours: int = 2
    splitting: float = field(default=0.0, kw_only=True)
    dispersion: Callable[[np.ndarray], np.ndarray] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.charge not in (1, -1):
            raise InputError(f"{self.name} charge", "+1 or -1", self.charge, "describe each sign as its own carrier")
        if not (math.isfinite(self.mass) and self.mass > 0):
            raise InputError(f"{self.name} mass", "a positive number", self.mass, "give the effective mass")
        if not (math.isfinite(self.density) and self.density >= 0):
            raise InputError(f"{self.name} density", "a number >= 0 (a_h^-2)", self.density, "count all flavours")
        if self.flavours < 1:
            raise InputError(f"{self.name} flavours", "an integer >= 1", self.flavours, "2 for spin 1/2")
        if self.splitting and self.flavours % 2:
            raise InputError(f"{self.name} flavours", "an even number, half of which a field lowers", self.flavours,
                             "2 for spin 1/2; leave the field out for one flavour")

    @property
    def levels(self) -> tuple[float, ...]:
        """What a field adds to the energy of each flavour, Ha_h: -|splitting|/2 for the first half, + for the other."""
        half = self.flavours // 2
        return (0.0,) * self.flavours if not self.splitting else (
            (-abs(self.splitting) / 2,) * half + (abs(self.splitting) / 2,) * half)

    def kinetic(self, k: np.ndarray) -> np.ndarray:
        """Kinetic energy k^2/2m (or the dispersion) in Ha_h; ``k`` has shape (..., 2), the result (...)."""
        if self.dispersion is not None:
            return np.asarray(self.dispersion(k), dtype=float)
        return np.asarray(np.sum(k * k, axis=-1) / (2 * self.mass))

    @property
    def parabolic(self) -> bool:
        """Whether the kinetic energy scales as 1/A with the area of a torus: k^2/2m, twisted or not."""
        return self.dispersion is None or getattr(self.dispersion, "parabolic", False)

    @property
    def rs(self) -> float:
        """r_s = 1/sqrt(pi n) in the carrier's own Bohr radius a_h m_h/m; infinite without carriers."""
        return self.mass * rs_from_density(self.density) if self.density else math.inf


@dataclass(frozen=True)
class Bilayer:
    """Carriers in layers and how they interact.

    Parameters
    ----------
    carriers : any number of `Carrier`.
    interaction : the interaction object, which knows the heights of the layers; bare Coulomb by default.
    scales : masses in m_0 and dielectric constant as far as they are known, for real units.
    material : the name of the device, if it has one.
    temperature : k_B T in Ha_h, 0 for the ground state.
    potential : an external periodic potential, None for none.

    Raises
    ------
    InputError : no carrier, or two of one name; an interaction of one's own without its limits; a temperature below 0.
    """

    carriers: tuple[Carrier, ...]
    interaction: Interaction = field(default_factory=Coulomb)
    scales: Scales = field(default_factory=Scales)
    material: str | None = None
    temperature: float = 0.0
    potential: Potential | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise InputError("temperature", 'a temperature >= 0, such as "4 K" or k_B T in Ha_h', self.temperature,
                             "leave it out for the ground state")
        require("interaction", self.interaction, Interaction)
        names = [c.name for c in self.carriers]
        if not names or len(set(names)) != len(names):
            raise InputError("carriers", "one or more, of different names", names, "name every carrier once")
        if not isinstance(self.interaction, Coulomb | Screened):
            check_limits(self.interaction, tuple(sorted({c.layer for c in self.carriers})))

    @property
    def spacing(self) -> float:
        """Distance between neighbouring layers in a_h."""
        return self.interaction.spacing

    def get(self, name: str) -> Carrier | None:
        """The carrier of this name, None if there is none."""
        return next((c for c in self.carriers if c.name == name), None)

    def carrier(self, name: str) -> Carrier:
        """The carrier of this name. Raises InputError if there is none."""
        found = self.get(name)
        if found is None:
            raise InputError(name, f"one of the carriers ({', '.join(c.name for c in self.carriers)})", name,
                             "this bilayer has no such carrier")
        return found

    @property
    def mass_ratio(self) -> float:
        """m_e/m_h. Raises InputError without electrons or holes."""
        return self.carrier("electron").mass / self.carrier("hole").mass

    def exchanged(self) -> Bilayer:
        """The same bilayer with all charges reversed: electrons are called holes and holes electrons.

        The unit of mass is that of the new holes: with m_e/m_h before, lengths are multiplied by it and densities
        divided by its square. Raises InputError for another interaction than Coulomb's, and unless there are electrons
        and holes alone.
        """
        require_electrons_and_holes(self, "the exchange of charges")
        ratio = self.mass_ratio
        electron, hole = self.carrier("electron"), self.carrier("hole")
        scales = Scales(self.scales.hole_mass, self.scales.electron_mass, self.scales.dielectric)
        return Bilayer((replace(electron, mass=1 / ratio, density=hole.density / ratio**2, flavours=hole.flavours),
                        replace(hole, mass=1.0, density=electron.density / ratio**2, flavours=electron.flavours)),
                       Coulomb(self.spacing * ratio), scales, self.material)

    def with_densities(self, densities: dict[str, float]) -> Bilayer:
        """The same bilayer with other densities (a_h^-2), by the names of carriers."""
        return replace(self, carriers=tuple(
            replace(c, density=densities[c.name]) if c.name in densities else c for c in self.carriers))

    @classmethod
    def of(cls, material: str | None = None, *, spacing: float | str = 0.0, hole_density: float | str | None = None,
           electron_density: float | str | None = None, rs_hole: float | None = None, rs_electron: float | None = None,
           electrons_per_hole: float | None = 1.0, electron_mass: float | None = None, hole_mass: float | None = None,
           dielectric: float | None = None, electron_flavours: int | None = None, hole_flavours: int = 2,
           screening: Screening | Mapping[str, Any] | None = None, interaction: Interaction | None = None,
           temperature: float | str = 0.0, potential: Potential | Mapping[str, Any] | None = None,
           magnetic_field: float | str = 0.0, electron_g_factor: float | None = None,
           hole_g_factor: float | None = None) -> Bilayer:
        """A layer of electrons and a layer of holes, as one would say it.

        Parameters
        ----------
        material : the name of a device (see `ehb materials`), which brings masses, dielectric constant and flavours;
            what is given beside it replaces them.
        spacing : between the layers, a number in a_h or text such as ``"3 nm"``.
        hole_density, electron_density, rs_hole, rs_electron : one of these; numbers in a_h^-2 (r_s in the carrier's
            own Bohr radius) or text such as ``"1e12 cm^-2"``. None leaves the density 0, which is all that a few
            charges alone ask for.
        electrons_per_hole : ratio of the densities; 0 for holes alone, None for electrons alone.
        electron_mass, hole_mass : in m_0; without a hole mass the hole's is 1 and the electron's m_e/m_h.
        dielectric : relative dielectric constant.
        electron_flavours, hole_flavours : degenerate flavours, 2 unless the material says otherwise.
        screening : what screens Coulomb's interaction, a `materials.Screening` or a dictionary of its names; beside a
            device that brings its own it replaces what it names. Dielectric constants there are the device's.
        interaction : takes the place of all these at its own spacing.
        temperature : text such as ``"4 K"``, or a number, k_B T in Ha_h.
        potential : an external periodic potential, a `potential.Potential` or a dictionary of its names, where
            ``filling`` (holes per cell; electrons where there are no holes) may take the place of its period.
        magnetic_field : text such as ``"5 T"``, or a number, mu_B B in Ha_h; it shifts the flavours of a carrier by
            -+ g mu_B B/2 and does nothing else.
        electron_g_factor, hole_g_factor : g, of carriers in a field; a material may bring one.

        Raises
        ------
        InputError : several densities, an unknown material or unit, real units without masses and dielectric
            constant, a missing electron mass.
        """
        named = None if material is None else named_device(material, "material")
        given = {"electron_mass": electron_mass, "hole_mass": hole_mass, "dielectric": dielectric}
        scales = Scales(**{k: v if v is not None else getattr(named, k, None) for k, v in given.items()})
        if interaction is None and (screening is not None or (named is not None and named.screening is not None)):
            require("screening", {} if screening is None else screening, (Screening, Mapping))
            said = asdict(screening) if isinstance(screening, Screening) else dict(screening or {})
            stack = Screening.of(named, said)
            scales = in_medium(scales, stack, dielectric)
            interaction = screened(stack, scales, scales.to_atomic(spacing, "length", "spacing"))
        flavours = electron_flavours or (named.electron_flavours if named is not None else 2)
        interaction = interaction or Coulomb(scales.to_atomic(spacing, "length", "spacing"))
        heat = scales.to_atomic(temperature, "energy", "temperature")
        density, whose = _density(scales, hole_density, electron_density, rs_hole, rs_electron)
        if electrons_per_hole is None:
            mass = scales.mass_ratio if scales.mass_ratio is not None else 1.0
            carriers: tuple[Carrier, ...] = (Carrier("electron", -1, mass, ELECTRON_LAYER, density, flavours),)
        else:
            carriers = _both(density, whose, electrons_per_hole, scales, flavours, hole_flavours)
        if potential is not None and not isinstance(potential, Potential):
            potential = Potential.of(potential, scales, carriers[-1].density)
        muB = scales.to_atomic(magnetic_field, "field", "magnetic_field")
        g = {name: getattr(named, f"{name}_g_factor", None) if given is None else given
             for name, given in (("electron", electron_g_factor), ("hole", hole_g_factor))}
        carriers = tuple(replace(c, splitting=splitting_of(c.name, muB, g[c.name])) for c in carriers)
        return cls(carriers, interaction, scales, material, heat, potential)


def splitting_of(name: str, field: float, g: float | None) -> float:
    """g mu_B B in Ha_h of a carrier in a ``field`` mu_B B (Ha_h). Raises InputError for a field below 0, and without g.
    """
    if not (math.isfinite(field) and field >= 0):
        raise InputError("magnetic_field", 'a field >= 0, such as "5 T" or mu_B B in Ha_h', field,
                         "its direction does not matter")
    if field and (g is None or not math.isfinite(g)):
        raise InputError(f"{name}_g_factor", "a number, g of g mu_B B", "missing" if g is None else g,
                         "give it beside magnetic_field; 0 for carriers that do not feel the field")
    return abs(g) * field if field and g is not None else 0.0


def _both(density: float, whose: str, electrons_per_hole: float, scales: Scales, flavours: int,
          hole_flavours: int) -> tuple[Carrier, ...]:
    """Electrons and holes, or holes alone. Raises InputError for a ratio or mass that is missing or cannot be."""
    if not (math.isfinite(electrons_per_hole) and electrons_per_hole >= 0):
        raise InputError("electrons_per_hole", "a number >= 0, or None for electrons alone", electrons_per_hole,
                         "1: balanced, 2: trions")
    if whose == "electron" and electrons_per_hole == 0:
        raise InputError("electrons_per_hole", "> 0 where the density of the electrons is given",
                         electrons_per_hole, "give hole_density or rs_hole")
    holes = density / electrons_per_hole if whose == "electron" else density
    hole = Carrier("hole", 1, 1.0, HOLE_LAYER, holes, hole_flavours)
    if electrons_per_hole == 0:
        return (hole,)
    if scales.mass_ratio is None:
        raise InputError("electron_mass", "a positive effective mass in m0", "missing", "give it or a material")
    return (Carrier("electron", -1, scales.mass_ratio, ELECTRON_LAYER, holes * electrons_per_hole, flavours), hole)


def require_plain(bilayer: Bilayer, method: str, *, warm: bool = False, pinned: bool = False,
                  split: bool = False) -> None:
    """Raise InputError, by the name of the method that knows no such thing, at a temperature above 0 unless it is
    ``warm``, for a potential unless it is ``pinned``, and in a magnetic field unless its flavours can be ``split``."""
    if bilayer.temperature and not warm:
        raise InputError("temperature", f"0 for {method}, which knows the ground state alone", bilayer.temperature,
                         "leave it out; thermal, condensate, liquid, response, hartree_fock and phases take one")
    if bilayer.potential is not None and not pinned:
        raise InputError("potential", f"absent for {method}, which is of free carriers", "a periodic potential",
                         "leave it out; hartree_fock takes one")
    if any(c.splitting for c in bilayer.carriers) and not split:
        raise InputError("magnetic_field", f"0 for {method}, whose flavours are alike",
                         max(c.splitting for c in bilayer.carriers),
                         "leave it out; hartree_fock, liquid, condensate and thermal take one")


def in_medium(scales: Scales, screening: Screening, dielectric: float | None = None) -> Scales:
    """The scales with the kappa of a screening in place of the dielectric constant, which must then be absent.

    Raises InputError for both, or for a kappa that cannot be.
    """
    kappa = screening.kappa
    if kappa is not None and dielectric is not None:
        raise InputError("dielectric", "absent where screening says both of the medium", dielectric,
                         "atomic units use the root of their product; leave it out")
    return scales if kappa is None else replace(scales, dielectric=kappa)


def screened(screening: Screening, scales: Scales, spacing: float) -> Screened:
    """The interaction of a screening at a spacing (a_h); a medium that is not said is isotropic.

    Raises InputError for what `Screened` refuses, and real units without scales.
    """
    def length(key: str) -> float | None:
        value = getattr(screening, key)
        return None if value is None else scales.to_atomic(value, "length", key)

    isotropic = max(scales.dielectric or 1.0, 1.0)
    in_plane, across = screening.dielectric_in_plane, screening.dielectric_out_of_plane
    return Screened(spacing, isotropic if in_plane is None else in_plane, isotropic if across is None else across,
                    length("gate_top"), length("gate_bottom"), length("sheet_electron") or 0.0,
                    length("sheet_hole") or 0.0, length("layer_thickness") or 0.0)


def require_balance(bilayer: Bilayer, method: str) -> None:
    """Raise InputError, by the name of the method that needs it, for anything but one electron to each hole, both with
    k^2/2m and the mass of the hole as the unit."""
    electron, hole = bilayer.carrier("electron"), bilayer.carrier("hole")
    if len(bilayer.carriers) != 2 or not math.isclose(electron.density, hole.density, rel_tol=SAME):
        raise InputError("electrons_per_hole", f"1 for {method}", electron.density / (hole.density or math.nan),
                         "give as many electrons as holes, and nothing else")
    for carrier in bilayer.carriers:
        if carrier.dispersion is not None:
            raise InputError(f"{carrier.name} dispersion", f"k^2/2m for {method}", "a function", "leave it out")
    if hole.mass != 1:
        raise InputError("hole mass", f"1, the unit of mass, for {method}", hole.mass, "give all masses over it")


def require_electrons_and_holes(bilayer: Bilayer, method: str, *, classical: bool = False,
                                screened: bool = False) -> None:
    """Raise InputError, by the name of the method that needs it, unless there are electrons in layer 0, holes in layer
    1 or both, and nothing else, with Coulomb forces (or ``screened`` ones, where it knows them) and, unless they are
    ``classical``, k^2/2m and mass 1 of holes.
    """
    (require_known if screened else require_coulomb)(bilayer.interaction, method)
    require_plain(bilayer, method)
    for c in bilayer.carriers:
        if (c.name, c.charge, c.layer) not in (("electron", -1, ELECTRON_LAYER), ("hole", 1, HOLE_LAYER)):
            raise InputError("carriers", f"electrons in layer {ELECTRON_LAYER} and holes in layer {HOLE_LAYER} for "
                             f"{method}", c.name, "leave other carriers out")
        if not classical and c.dispersion is not None:
            raise InputError(f"{c.name} dispersion", f"k^2/2m for {method}", "a function", "leave it out")
        if not classical and c.name == "hole" and c.mass != 1:
            raise InputError("hole mass", f"1, the unit of mass, for {method}", c.mass, "give all masses over it")


def _density(scales: Scales, hole: float | str | None, electron: float | str | None, rs_hole: float | None,
             rs_electron: float | None) -> tuple[float, str]:
    """The density (a_h^-2) that is given, and of which carrier; 0 for none. Raises InputError for more than one."""
    given = {k: v for k, v in (("hole_density", hole), ("electron_density", electron), ("rs_hole", rs_hole),
                               ("rs_electron", rs_electron)) if v is not None}
    if not given:
        return 0.0, "hole"
    if len(given) > 1:
        raise InputError("density", "given in one way (hole_density, electron_density, rs_hole, rs_electron)",
                         ", ".join(given), 'e.g. hole_density="1e12 cm^-2" or rs_hole=8')
    (key, value), = given.items()
    if key.startswith("rs_") and not (isinstance(value, int | float) and 0 < value < math.inf):
        raise InputError(key, "a number > 0", value, "r_s = 1/sqrt(pi n) in the carrier's own Bohr radius")
    if key == "rs_hole":
        density = density_from_rs(float(value))
    elif key == "rs_electron":
        density = density_from_rs(float(value) / (scales.mass_ratio or 1.0))  # a_e = a_h m_h/m_e
    else:
        density = scales.to_atomic(value, "density", key)
    if not density > 0:
        raise InputError(key, "a density > 0", value, "check the number and its unit")
    return density, "electron" if "electron" in key else "hole"
