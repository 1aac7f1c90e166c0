"""Every table and key of the study file, with its type, bounds and default. Descriptions double as error texts."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ehbilayer.materials import MATERIALS
from ehbilayer.units import parse_quantity

Kind = Literal["hartree-fock", "condensate", "phases", "phase-diagram", "compressibility", "pairing", "device",
               "crystal", "phonons", "few-body"]
Phase = Literal["liquid", "hole-crystal", "electron-crystal", "crystal", "stripes", "trion-crystal",
                "dumbbell-crystal", "condensate"]
Spin = Literal["restricted", "unrestricted", "polarized"]
PHASES: tuple[str, ...] = Phase.__args__  # type: ignore[attr-defined]
HARTREE_FOCK_STARTS = (*(p for p in PHASES if p != "condensate"), "random")
MOST_WAVES = 200_000  # more would take minutes to sort and days to minimise
MOST_PARTICLES = 5_000


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


def _rational(value: float | str) -> float | str:
    if isinstance(value, str):
        if not re.fullmatch(r"[0-9]{1,6}(/[1-9][0-9]{0,5})?", value):
            raise ValueError
        return float(Fraction(value))
    return value


def _rising(values: list[float]) -> list[float]:
    if sorted(set(values)) != values:
        raise ValueError
    return values


def _odd(values: list[int]) -> list[int]:
    if any(n % 2 == 0 for n in values):
        raise ValueError
    return values


Length = Annotated[float | str, AfterValidator(_length)]
Density = Annotated[float | str, AfterValidator(_density)]
Energy = Annotated[float | str, AfterValidator(_energy)]
Mass = Annotated[float, Field(ge=1e-6, le=1e6)]
Rs = Annotated[float, Field(ge=1e-4, le=1e6)]
Count = Annotated[int, Field(ge=1, le=MOST_PARTICLES)]
Starts = Annotated[int, Field(ge=1, le=100_000)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Tolerance = Annotated[float, Field(ge=1e-13, le=1e-1)]
RS_TEXT = "r_s = 1/sqrt(pi n), a number between 1e-4 and 1e6"
MASS_TEXT = "a positive effective mass in m0 (1e-6 to 1e6)"
COUNT_TEXT = f"an integer from 1 to {MOST_PARTICLES}"


class Table(BaseModel):
    """A table of the study file: unknown keys, NaN and infinities are refused, numbers are not guessed from text."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class BilayerTable(Table):
    """The device: [bilayer]."""

    material: str | None = Field(default=None, description="the name of a device (see `ehb materials`)")
    electron_mass: Mass | None = Field(default=None, description=MASS_TEXT)
    hole_mass: Mass | None = Field(default=None, description=MASS_TEXT)
    dielectric: float | None = Field(
        default=None, ge=1e-3, le=1e6, description="a positive relative dielectric constant")
    spacing: Length | None = Field(default=None, description='a length >= 0, such as "3 nm" or a number in a_h')
    interaction: Literal["coulomb"] = Field(default="coulomb", description='"coulomb"')
    capacitor: bool = Field(default=False, description="true or false")
    electron_flavours: int = Field(default=2, ge=1, le=12, description="an integer from 1 to 12 (2 for spin)")
    hole_flavours: int = Field(default=2, ge=1, le=12, description="an integer from 1 to 12 (2 for spin)")

    @model_validator(mode="after")
    def _flavours_of_material(self) -> Self:
        """A named device brings its own number of electron flavours, unless the file says another."""
        if self.material in MATERIALS and "electron_flavours" not in self.model_fields_set:
            # past the frozen fields, so that it does not count as written
            self.__dict__["electron_flavours"] = MATERIALS[self.material].electron_flavours
        return self


class DensityTable(Table):
    """The density, said in exactly one way: [density]."""

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


class HartreeFockTable(Table):
    """How Hartree-Fock is solved: [hartree-fock]."""

    electron_spin: Spin = Field(default="restricted", description="restricted | unrestricted | polarized")
    hole_spin: Spin = Field(default="polarized", description="restricted | unrestricted | polarized")
    start: str = Field(default="crystal", min_length=1, max_length=4096,
                       description=f"{' | '.join(HARTREE_FOCK_STARTS)} | a result file")
    spin_order: Literal["uniform", "stripe", "random"] = Field(
        default="uniform", description="uniform | stripe | random")
    starts: Starts = Field(default=1, description="an integer from 1 to 100000")
    seed: Seed = Field(default=0, description="an integer >= 0")
    keep: Literal["none", "translations", "crystal"] = Field(
        default="none", description="none | translations | crystal")
    follow: bool = Field(default=False, description="true or false")
    occupation: Literal["integer", "shell"] = Field(default="integer", description="integer | shell")
    tolerance: Tolerance = Field(default=1e-8, description="an energy error per particle from 1e-13 to 0.1 (Ha_h)")
    max_iterations: int = Field(default=2000, ge=1, le=10_000_000, description="an integer >= 1")
    stability: Literal["none", "auto", "full"] = Field(default="auto", description="none | auto | full")


class CondensateTable(Table):
    """The exciton condensate: [condensate]."""

    limit: Literal["thermodynamic"] | None = Field(default=None, description='"thermodynamic", or absent with a [cell]')
    spin: Literal["polarized", "restricted"] = Field(default="polarized", description="polarized | restricted")
    chemical_potential: Energy | None = Field(
        default=None, description='of a pair, an energy such as "-150 meV" or a number in Ha_h')
    tolerance: Tolerance = Field(default=1e-8, description="an energy error per pair from 1e-13 to 0.1 (Ha_h)")
    curve_points: int = Field(default=40, ge=0, le=1000, description="an integer from 0 to 1000")


class PhasesTable(Table):
    """Which phases compete: [phases]."""

    candidates: list[Phase] | None = Field(default=None, min_length=1, description=f"a list of {' | '.join(PHASES)}")


class CompressibilityTable(Table):
    """Bulk modulus and plasmon velocity: [compressibility]."""

    method: Literal["response", "pressure", "energy"] = Field(
        default="response", description="response | pressure | energy")
    sizes: list[Count] | None = Field(default=None, min_length=1, description="a list of particle numbers")
    state: Literal["symmetric", "lowest"] = Field(default="symmetric", description="symmetric | lowest")
    occupation: Literal["integer", "shell"] = Field(default="shell", description="integer | shell")
    starts: Starts = Field(default=3, description="an integer from 1 to 100000")
    tolerance: float = Field(default=2e-3, ge=1e-6, le=1, description="an error of alpha_squared from 1e-6 to 1")


class PairingTable(Table):
    """Superconductivity: [pairing]."""

    alpha_squared: float | None = Field(default=None, gt=0, le=1e6, description="a number > 0")
    alpha: float | None = Field(default=None, gt=0, le=1e3, description="a positive number")
    alpha_source: Literal["paper-line", "torus", "limit"] | None = Field(default=None,
                                                                         description="paper-line | torus | limit")
    alpha_squared_uncertainty: float | None = Field(default=None, ge=0, le=1e6, description="a number >= 0")
    rs_star: Rs = Field(default=2.0, description=RS_TEXT)
    phase: str | None = Field(default=None, min_length=1, max_length=4096, description="a result file of kind phases")
    method: Literal["bcs", "mcmillan", "allen-dynes", "eliashberg"] = Field(
        default="bcs", description="bcs | mcmillan | allen-dynes | eliashberg")
    mu_star: Literal["morel-anderson", "bare"] | Annotated[float, Field(ge=0, le=10)] = Field(
        default="morel-anderson", description="morel-anderson | bare | a number from 0 to 10")
    umklapp: Literal["debye", "folded"] = Field(default="debye", description="debye | folded")
    curve_points: int = Field(default=24, ge=0, le=1000, description="an integer from 0 to 1000")
    map_rs: Annotated[list[Rs], AfterValidator(_rising)] | None = Field(
        default=None, min_length=2, max_length=2, description="two rising values of r_s of the electrons")
    map_spacing: list[Length] | None = Field(
        default=None, min_length=2, max_length=2, description='two rising lengths >= 0, such as [0, "2 a_e"]')
    map_points: int = Field(default=100, ge=2, le=2000, description="an integer from 2 to 2000")


class CrystalTable(Table):
    """Classical crystals: [crystal]."""

    structure: str = Field(default="random", min_length=1, max_length=4096, description=(
        "honeycomb | checkerboard | triangular | another name | random | a result file"))
    holes_per_cell: Count = Field(default=1, description=COUNT_TEXT)
    layers: Literal[1, 2] = Field(default=1, description="1 or 2")
    relax: Literal["none", "positions", "cell"] = Field(default="cell", description="none | positions | cell")
    box: Literal["random", "triangular", "rectangular", "square"] | None = Field(
        default=None, description="random | triangular | rectangular | square")
    starts: Starts = Field(default=20, description="an integer from 1 to 100000")
    seed: Seed = Field(default=1, description="an integer >= 0")
    tolerance: Tolerance = Field(default=1e-11, description="a force from 1e-13 to 0.1 (e^2/a^2)")
    scan: Annotated[list[Annotated[float, Field(ge=0.1, le=100)]], AfterValidator(_rising)] | None = Field(
        default=None, min_length=2, max_length=2, description="two rising values of a/d from 0.1 to 100")
    scan_points: int = Field(default=16, ge=2, le=10_000, description="an integer from 2 to 10000")


class PhononsTable(Table):
    """Phonons and quantum fluctuation of classical crystals: [phonons]."""

    lindemann: float = Field(default=0.25, gt=0, le=1, description="a threshold between 0 and 1")
    mesh: int | None = Field(default=None, ge=2, le=1000, description="an integer from 2 to 1000")
    points: int = Field(default=40, ge=2, le=10_000, description="an integer from 2 to 10000")
    tolerance: float = Field(default=1e-6, ge=1e-10, le=1e-1, description="a relative error from 1e-10 to 0.1")
    follow: bool = Field(default=False, description="true or false")
    scan: Annotated[list[Annotated[float, Field(ge=0.1, le=100)]], AfterValidator(_rising)] | None = Field(
        default=None, min_length=2, max_length=2, description="two rising values of a/d from 0.1 to 100")
    scan_points: int = Field(default=16, ge=2, le=10_000, description="an integer from 2 to 10000")


class FewBodyTable(Table):
    """Exciton, trion, biexciton: [few-body]."""

    complex: Literal["exciton", "trion-", "trion+", "biexciton"] = Field(
        default="trion-", description="exciton | trion- | trion+ | biexciton")
    spin: Literal["singlet", "triplet"] | None = Field(default=None, description="singlet | triplet")
    angular_momentum: Literal[0, 1] | None = Field(default=None, description="0 or 1")
    find: Literal["binding", "critical-spacing"] = Field(default="binding", description="binding | critical-spacing")
    spacings: list[Length] | None = Field(
        default=None, min_length=1, max_length=1000, description='a list of lengths >= 0, such as [0, "1 nm"]')
    mass_ratios: list[Mass] | None = Field(
        default=None, min_length=1, max_length=100, description="a list of positive ratios m_e/m_h")
    tolerance: Tolerance = Field(default=1e-6, description="an energy error from 1e-13 to 0.1 (Ha_h)")
    max_functions: int = Field(default=500, ge=1, le=5000, description="an integer from 1 to 5000")
    seed: Seed = Field(default=0, description="an integer >= 0")


class Keys(Table):
    """A whole study file."""

    kind: Kind = Field(description=" | ".join(Kind.__args__))  # type: ignore[attr-defined]
    bilayer: BilayerTable = Field(default_factory=BilayerTable)
    density: DensityTable = Field(default_factory=DensityTable)
    cell: CellTable = Field(default_factory=CellTable)
    hartree_fock: HartreeFockTable = Field(default_factory=HartreeFockTable, alias="hartree-fock")
    condensate: CondensateTable = Field(default_factory=CondensateTable)
    phases: PhasesTable = Field(default_factory=PhasesTable)
    sweep: dict[str, Any] | None = Field(default=None, description='a table such as "density.rs_hole" = [4, 6, 8]')
    compressibility: CompressibilityTable = Field(default_factory=CompressibilityTable)
    pairing: PairingTable = Field(default_factory=PairingTable)
    crystal: CrystalTable = Field(default_factory=CrystalTable)
    phonons: PhononsTable = Field(default_factory=PhononsTable)
    few_body: FewBodyTable = Field(default_factory=FewBodyTable, alias="few-body")


def tables() -> dict[str, type[Table]]:
    """Table name in the file -> its model (the free-form [sweep] is not among them)."""
    return {f.alias or name: f.annotation for name, f in Keys.model_fields.items()
            if isinstance(f.annotation, type) and issubclass(f.annotation, Table)}


# ways to say the same thing: at most one key of a group may be given
ALTERNATIVES: dict[str, tuple[tuple[str, ...], ...]] = {
    "density": (("hole", "electron", "rs_hole", "rs_electron", "a_over_d", "hole_over_critical"),),
    "cell": (("plane_waves", "hexagon", "cutoff"), ("shape", "vectors"), ("holes", "electrons")),
    "pairing": (("alpha_squared", "alpha", "alpha_source"),),
}
