"""What all kinds share of the study file: the types of its values, and [bilayer], [density] and [cell].

Every table and key is declared once, with its type, bounds and default; descriptions double as error texts. The tables
of the kinds stand in their folders, `tables` puts the whole file together.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ehbilayer.basis import MOST_WAVES
from ehbilayer.materials import MATERIALS
from ehbilayer.units import parse_quantity

MOST_PARTICLES = 5_000
HBN_LAYER = 0.333  # nm, thickness of one layer of hexagonal BN
WAVES = ("plane_waves", "hexagon", "cutoff")  # the keys of [cell] that name the waves


def _length(value: float | str) -> float | str:
    if isinstance(value, str):
        parse_quantity(value, "length", "length")
    return value


def _density(value: float | str) -> float | str:
    if isinstance(value, str):
        parse_quantity(value, "density", "density")
    return value


def _energy(value: float | str) -> float | str:
    if isinstance(value, str):
        parse_quantity(value, "energy", "energy")
    return value


def _field(value: float | str) -> float | str:
    if isinstance(value, str):
        parse_quantity(value, "field", "field")
    return value


def spacer_nm(text: str) -> float:
    """The thickness of a spacer such as "hBN, 5 layers" in nm. Raises ValueError for another text."""
    found = re.fullmatch(r"\s*hBN\s*,\s*([1-9][0-9]{0,3})\s+layers?\s*", text)
    if found is None:
        raise ValueError
    return int(found[1]) * HBN_LAYER


def _spacer(value: str) -> str:
    spacer_nm(value)
    return value


def _rational(value: float | str) -> float | str:
    if isinstance(value, str):
        if not re.fullmatch(r"[0-9]{1,6}(/[1-9][0-9]{0,5})?", value):
            raise ValueError
        return float(Fraction(value))
    return value


def rising(values: list[float]) -> list[float]:
    if sorted(set(values)) != values:
        raise ValueError
    return values


def _odd(values: list[int]) -> list[int]:
    if any(n % 2 == 0 for n in values):
        raise ValueError
    return values


Length = Annotated[float | str, AfterValidator(_length)]
Density = Annotated[float | str, AfterValidator(_density)]
MagneticField = Annotated[float | str, AfterValidator(_field)]
Energy = Annotated[float | str, AfterValidator(_energy)]
Mass = Annotated[float, Field(ge=1e-6, le=1e6)]
Rs = Annotated[float, Field(ge=1e-4, le=1e6)]
Count = Annotated[int, Field(ge=1, le=MOST_PARTICLES)]
Starts = Annotated[int, Field(ge=1, le=100_000)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Tolerance = Annotated[float, Field(ge=1e-13, le=1e-1)]
RS_TEXT = "r_s = 1/sqrt(pi n), a number between 1e-4 and 1e6"
MASS_TEXT = "a positive effective mass in m0 (1e-6 to 1e6)"
DIELECTRIC_TEXT = "a relative dielectric constant >= 1"
SHEET_TEXT = 'a length >= 0, such as "0.65 nm" or a number in a_h'
G_TEXT = "a number, g of g mu_B B"
DEPTH_TEXT = 'an energy of either sign, such as "-5 meV" or a number in Ha_h'
COUNT_TEXT = f"an integer from 1 to {MOST_PARTICLES}"


class Table(BaseModel):
    """A table of the study file: unknown keys, NaN and infinities are refused, numbers are not guessed from text.

    ``ALTERNATIVES`` are groups of keys that say the same thing; at most one of a group may be given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)
    ALTERNATIVES: ClassVar[tuple[tuple[str, ...], ...]] = ()


class BilayerTable(Table):
    """The device: [bilayer]."""

    ALTERNATIVES = (("spacing", "spacer"),)

    material: str | None = Field(default=None, description="the name of a device (see `ehb materials`)")
    electron_mass: Mass | None = Field(default=None, description=MASS_TEXT)
    hole_mass: Mass | None = Field(default=None, description=MASS_TEXT)
    dielectric: float | None = Field(
        default=None, ge=1e-3, le=1e6, description="a positive relative dielectric constant")
    spacing: Length | None = Field(default=None, description='a length >= 0, such as "3 nm" or a number in a_h')
    spacer: Annotated[str, AfterValidator(_spacer)] | None = Field(
        default=None, description='layers of BN, such as "hBN, 5 layers" (0.333 nm each)')
    interaction: Literal["coulomb", "screened"] = Field(default="coulomb", description="coulomb | screened")
    capacitor: bool = Field(default=False, description="true or false")
    electron_flavours: int = Field(default=2, ge=1, le=12, description="an integer from 1 to 12 (2 for spin)")
    hole_flavours: int = Field(default=2, ge=1, le=12, description="an integer from 1 to 12 (2 for spin)")

    temperature: Energy | None = Field(
        default=None, description='a temperature >= 0, such as "4 K" or a number, k_B T in Ha_h')
    magnetic_field: MagneticField | None = Field(
        default=None, description='a field >= 0, such as "5 T" or a number, mu_B B in Ha_h')
    electron_g_factor: float | None = Field(default=None, ge=-1e3, le=1e3, description=G_TEXT)
    hole_g_factor: float | None = Field(default=None, ge=-1e3, le=1e3, description=G_TEXT)

    @model_validator(mode="after")
    def _flavours_of_material(self) -> Self:
        """A named device brings its number of electron flavours and its screening, unless the file says otherwise."""
        if self.material in MATERIALS:
            named = MATERIALS[self.material]
            own = {"electron_flavours": named.electron_flavours,
                   "interaction": "coulomb" if named.screening is None else "screened"}
            # past the frozen fields, so that they do not count as written
            self.__dict__.update({k: v for k, v in own.items() if k not in self.model_fields_set})
        return self

    @model_validator(mode="after")
    def _spacing_of_spacer(self) -> Self:
        """A spacer says the distance between the layers."""
        if self.spacer is not None and "spacing" not in self.model_fields_set:
            self.__dict__["spacing"] = f"{spacer_nm(self.spacer):.6g} nm"
        return self


class ScreeningTable(Table):
    """What screens the interaction: [screening]."""

    dielectric_in_plane: float | None = Field(default=None, ge=1, le=1e6, description=DIELECTRIC_TEXT)
    dielectric_out_of_plane: float | None = Field(default=None, ge=1, le=1e6, description=DIELECTRIC_TEXT)
    gate_top: Length | None = Field(default=None, description='a length > 0, such as "10 nm" or a number in a_h')
    gate_bottom: Length | None = Field(default=None, description='a length > 0, such as "10 nm" or a number in a_h')
    sheet_electron: Length | None = Field(default=None, description=SHEET_TEXT)
    sheet_hole: Length | None = Field(default=None, description=SHEET_TEXT)
    layer_thickness: Length | None = Field(default=None, description=SHEET_TEXT)


class PotentialTable(Table):
    """An external periodic potential: [potential]."""

    period: Length | None = Field(default=None, description='a length > 0, such as "8 nm" or a number in a_h')
    filling: Annotated[float | str, AfterValidator(_rational)] | None = Field(
        default=None, description='a number > 0 or a ratio such as "1/3", of holes per cell of the potential')
    depth: Energy | None = Field(default=None, description=DEPTH_TEXT)
    depth_electron: Energy | None = Field(default=None, description=DEPTH_TEXT)
    depth_hole: Energy | None = Field(default=None, description=DEPTH_TEXT)
    phase: float = Field(default=0.0, ge=-360, le=360, description="degrees from -360 to 360")
    lattice: Literal["triangular", "square"] = Field(default="triangular", description="triangular | square")


class DensityTable(Table):
    """The density, said in exactly one way: [density]."""

    ALTERNATIVES = (("hole", "electron", "rs_hole", "rs_electron", "a_over_d", "hole_over_critical"),)

    hole: Density | None = Field(
        default=None, description='a density > 0, such as "1.29e12 cm^-2" or a number in a_h^-2')
    electron: Density | None = Field(
        default=None, description='a density > 0, such as "1e12 cm^-2" or a number in a_h^-2')
    rs_hole: Rs | None = Field(default=None, description=RS_TEXT + " (unit a_h)")
    rs_electron: Rs | None = Field(default=None, description=RS_TEXT + " (unit a_e)")
    a_over_d: float | None = Field(default=None, gt=0, le=1e9, description="a/d > 0 with a = 1/sqrt(pi n_h)")
    hole_over_critical: float | None = Field(
        default=None, gt=0, le=1e9, description="n_h over the critical density, > 0")
    critical_rs: Literal["computed"] | Rs | None = Field(default=None, description='"computed" or ' + RS_TEXT)
    electrons_per_hole: Annotated[float | str, AfterValidator(_rational)] | None = Field(
        default=None, description='a number >= 0 or a ratio such as "1/3" (0: holes only, 1: balanced, 2: trions)')


class CellTable(Table):
    """The box, its plane waves and conventions: [cell]."""

    ALTERNATIVES = (WAVES, ("shape", "vectors"), ("holes", "electrons"))

    shape: Literal["triangular", "rectangular", "square"] = Field(default="triangular",
                                                                  description="triangular | rectangular | square")
    vectors: list[Annotated[list[float], Field(min_length=2, max_length=2)]] | None = Field(
        default=None, min_length=2, max_length=2, description="two vectors [[x1, y1], [x2, y2]], a shape without scale")
    holes: Count | None = Field(default=None, description=COUNT_TEXT)
    electrons: Count | None = Field(default=None, description=COUNT_TEXT)
    plane_waves: Annotated[list[Annotated[int, Field(ge=1, le=MOST_WAVES)]], AfterValidator(_odd)] | None = Field(
        default=None, min_length=2, max_length=2, description="two odd counts such as [45, 39]")
    hexagon: int | None = Field(default=None, ge=1, le=800, description="an integer from 1 to 800 (7 gives 169 waves)")
    cutoff: float | None = Field(default=None, gt=0, le=1e9, description="a positive wave number in 1/a_h")
    zero_mode: Literal["none", "madelung"] | None = Field(default=None, description="none | madelung")
    symmetry: Literal["none", "crystal"] = Field(default="none", description="none | crystal")
    holes_per_cell: Count = Field(default=1, description=COUNT_TEXT)


class Keys(Table):
    """A whole study file."""

    kind: str
    bilayer: BilayerTable = Field(default_factory=BilayerTable)
    screening: ScreeningTable = Field(default_factory=ScreeningTable)
    potential: PotentialTable = Field(default_factory=PotentialTable)
    density: DensityTable = Field(default_factory=DensityTable)
    cell: CellTable = Field(default_factory=CellTable)
    sweep: dict[str, Any] | None = Field(default=None, description='a table such as "density.rs_hole" = [4, 6, 8]')


def dotted(name: str, model: type[Table]) -> frozenset[str]:
    """All keys of [name], dotted (``"cell.holes"``)."""
    return frozenset(f"{name}.{key}" for key in model.model_fields)


# sets of dotted keys that kinds use
TEMPERATURE = "bilayer.temperature"
FIELD = frozenset({"bilayer.magnetic_field", "bilayer.electron_g_factor", "bilayer.hole_g_factor"})
BILAYER = dotted("bilayer", BilayerTable) - {TEMPERATURE} - FIELD
DENSITY, CELL = dotted("density", DensityTable), dotted("cell", CellTable)
DEVICE = frozenset(f"bilayer.{key}" for key in ("material", "electron_mass", "hole_mass", "dielectric", "spacing",
                                                "spacer", "interaction"))
SCREENING, POTENTIAL = dotted("screening", ScreeningTable), dotted("potential", PotentialTable)


def density_keys(density: DensityTable) -> frozenset[str]:
    """The keys of [density] that count: no critical r_s where nothing refers to it."""
    return DENSITY if density.hole_over_critical is not None else DENSITY - {"density.critical_rs"}


def temperature_keys(bilayer: BilayerTable) -> frozenset[str]:
    """The temperature where one is said, of kinds that are of the ground state without."""
    return frozenset({TEMPERATURE}) if bilayer.temperature is not None else frozenset()


def field_keys(bilayer: BilayerTable) -> frozenset[str]:
    """Field and g factors where a field is said."""
    return FIELD if bilayer.magnetic_field is not None else frozenset()


def names_waves(cell: CellTable) -> bool:
    """Whether [cell] names the plane waves; else they follow from a tolerance."""
    return any(getattr(cell, key) is not None for key in WAVES)
