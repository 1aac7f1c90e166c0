"""Classical crystals of point charges in layers, and the structures that have names.

Electrons (charge -1) lie at height 0, holes (charge +1) at height d; in a same-charge bilayer the holes lie at both.
A named structure is a shape of the cell and places in it; `relaxation.relax` finds the parameters that it leaves open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.interaction.lattice_sums.layers import Medium
from ehbilayer.interaction.screened import Screened
from ehbilayer.numerics.lattice import SHAPES, Cell, crystal_cell, lattice_points, reduce_vectors
from ehbilayer.units import nearest

CHARGES = {"electron": -1.0, "hole": 1.0}
CLOSEST = 1e-9  # two charges of a layer this close, in units of sqrt(A), are at one point


@dataclass(frozen=True, eq=False)
class Crystal:
    """Point charges in layers that repeat with a cell.

    Parameters
    ----------
    vectors : cell vectors as rows, shape (2, 2), a_h.
    positions : shape (n, 2), a_h.
    charges : shape (n,), in e.
    heights : of each charge's layer, shape (n,), a_h.
    species : "electron" or "hole", one per charge.
    interaction : what screens, at the spacing of the layers; None for bare charges.

    Raises
    ------
    InputError : a cell without area, arrays that do not fit or are not finite, an unknown species, coincident charges.
    """

    vectors: np.ndarray
    positions: np.ndarray
    charges: np.ndarray
    heights: np.ndarray
    species: tuple[str, ...]
    interaction: Screened | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", Cell(self.vectors).vectors)
        n = len(self.species)
        for name, shape in (("positions", (n, 2)), ("charges", (n,)), ("heights", (n,))):
            value = np.asarray(getattr(self, name), dtype=float)
            if n == 0 or value.shape != shape or not np.all(np.isfinite(value)):
                raise InputError(name, f"finite, of shape {shape}, for at least one charge", value.shape,
                                 "give one entry per charge")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "species", tuple(self.species))
        unknown = set(self.species) - set(CHARGES)
        if unknown:
            raise InputError("species", " | ".join(CHARGES), sorted(unknown)[0], "one per charge")
        _check_apart(self)

    @property
    def area(self) -> float:
        """Area of the cell in a_h^2."""
        return Cell(self.vectors).area

    @property
    def spacing(self) -> float:
        """Distance between the outermost layers, a_h."""
        return float(np.ptp(self.heights))

    @property
    def holes(self) -> int:
        """Holes in the cell."""
        return self.species.count("hole")

    @property
    def electrons(self) -> int:
        """Electrons in the cell."""
        return self.species.count("electron")

    @property
    def medium(self) -> Medium | None:
        """What screens in lattice sums: electrons lie in layer 0 of the interaction, holes, or the upper layer of a
        same-charge bilayer, in layer 1."""
        if self.interaction is None:
            return None
        above = self.heights > self.heights.min() if self.spacing else np.array([s == "hole" for s in self.species])
        return Medium(self.interaction.heat_kernel, above.astype(int))

    @property
    def length(self) -> float:
        """a = 1/sqrt(pi n) in a_h, n the density of holes, of electrons if there are no holes.

        In a same-charge bilayer n is the density of one layer, as everywhere.
        """
        count = self.holes or self.electrons
        if self.electrons == 0 or self.holes == 0:
            count = round(count / len(np.unique(self.heights)))
        return math.sqrt(self.area / (math.pi * count))

    def moved(self, vectors: np.ndarray, positions: np.ndarray) -> Crystal:
        """The same charges elsewhere, in another cell."""
        return replace(self, vectors=vectors, positions=positions)

    def scaled(self, length: float, spacing: float) -> Crystal:
        """The same shape with another a = 1/sqrt(pi n) and another spacing (a_h); gates stay as far away."""
        factor = length / self.length
        heights = (self.heights - self.heights.min()) * (spacing / self.spacing if self.spacing else 0.0)
        screened = None if self.interaction is None else replace(self.interaction, spacing=spacing)
        return replace(self, vectors=self.vectors * factor, positions=self.positions * factor, heights=heights,
                       interaction=screened)

    def reduced(self) -> Crystal:
        """The same crystal in its reduced cell, all charges inside."""
        vectors = reduce_vectors(self.vectors)[0]
        fractions = self.positions @ np.linalg.inv(vectors)
        return self.moved(vectors, (fractions - np.floor(fractions + 1e-9)) @ vectors)

    def repeated(self, supercell: np.ndarray) -> Crystal:
        """The same crystal in the cell supercell @ vectors, ``supercell`` an integer matrix (2, 2)."""
        vectors = np.asarray(supercell) @ self.vectors
        offsets = lattice_points(Cell(vectors), np.asarray(supercell))
        m = len(offsets)
        return Crystal(vectors, (self.positions + offsets[:, None]).reshape(-1, 2), np.tile(self.charges, m),
                       np.tile(self.heights, m), self.species * m, self.interaction)

    def cell_parameters(self) -> dict[str, float]:
        """Lengths a <= b (a_h) of the reduced cell and the angle between its vectors, 60 to 90 degrees."""
        v = reduce_vectors(self.vectors)[0]
        a, b = (float(x) for x in np.linalg.norm(v, axis=1))
        cosine = float(np.clip(abs(v[0] @ v[1]) / (a * b), 0, 1))
        return {"a": a, "b": b, "gamma_degrees": math.degrees(math.acos(cosine))}


def _check_apart(crystal: Crystal) -> None:
    """No two charges of one layer at one point, images included."""
    fractions = crystal.positions @ np.linalg.inv(crystal.vectors)
    for height in np.unique(crystal.heights):
        f = fractions[crystal.heights == height]
        i, j = np.triu_indices(len(f), 1)
        between = f[i] - f[j]
        between = (between - np.rint(between)) @ crystal.vectors
        if len(between) and np.min(np.sum(between**2, axis=1)) < CLOSEST**2 * crystal.area:
            raise InputError("positions", "of separate charges", "two charges at one point of a layer",
                             "separate them, or give the layers a distance" if crystal.spacing == 0 else
                             "separate them")


# -- structures with names --


@dataclass(frozen=True)
class Pattern:
    """The shape of a cell (its scale is free) and where charges are, in fractions of its vectors.

    ``upper`` are the charges at height d, holes; ``lower`` those at height 0: electrons, or in a same-charge bilayer
    holes.
    """

    shape: tuple[tuple[float, float], tuple[float, float]]
    upper: tuple[tuple[float, float], ...]
    lower: tuple[tuple[float, float], ...] = ()


def _rhombus(degrees: float) -> tuple[tuple[float, float], tuple[float, float]]:
    angle = math.radians(degrees)
    return (1.0, 0.0), (math.cos(angle), math.sin(angle))


def _rectangle(ratio: float) -> tuple[tuple[float, float], tuple[float, float]]:
    return (1.0, 0.0), (0.0, ratio)


TRIANGULAR, SQUARE, ORIGIN, CENTRE = _rhombus(60), _rectangle(1), (0.0, 0.0), (0.5, 0.5)
THIRD, THIRDS = (1 / 3, 1 / 3), (2 / 3, 2 / 3)

ONE_LAYER = {
    "triangular": Pattern(TRIANGULAR, (ORIGIN,)),
    "square": Pattern(SQUARE, (ORIGIN,)),
    "honeycomb": Pattern(TRIANGULAR, (THIRD, THIRDS)),
}
# phases I to V of Goldoni & Peeters, PRB 53, 4591 (1996), by rising distance
SAME_CHARGE = {
    "hexagonal": Pattern(_rectangle(math.sqrt(3)), (ORIGIN,), (CENTRE,)),
    "staggered-rectangular": Pattern(_rectangle(1.3), (ORIGIN,), (CENTRE,)),
    "staggered-square": Pattern(SQUARE, (ORIGIN,), (CENTRE,)),
    "staggered-rhombic": Pattern(_rhombus(75), (ORIGIN,), (CENTRE,)),
    "staggered-triangular": Pattern(TRIANGULAR, (ORIGIN,), (THIRD,)),
}
# electrons per hole -> crystals; an electron on top of a hole is a dipole. 1/2 and 1/3 have those of 2 and 3
ELECTRON_HOLE = {
    Fraction(1): {
        "triangular": Pattern(TRIANGULAR, (ORIGIN,), (ORIGIN,)),
        "square": Pattern(SQUARE, (ORIGIN,), (ORIGIN,)),
    },
    Fraction(2): {
        "honeycomb": Pattern(TRIANGULAR, (ORIGIN,), (ORIGIN, THIRD)),
        "checkerboard": Pattern(SQUARE, (ORIGIN,), (ORIGIN, CENTRE)),
        "rhombic": Pattern(_rhombus(80), (ORIGIN,), (ORIGIN, CENTRE)),
        # checkerboards whose dipoles tilt to opposite sides in turn, along the diagonal or the side of its square
        "tilted-diagonal": Pattern(_rectangle(1.05), (ORIGIN, (0.5, 0.51)),
                                   ((0.0, 0.96), (0.5, 0.55), (0.0, 0.455), (0.5, 0.055))),
        "tilted-axial": Pattern(_rhombus(89), (ORIGIN, (0.47, 0.47)),
                                ((0.025, 0.025), (0.445, 0.445), (0.975, 0.495), (0.495, 0.975))),
        "trion-crystal": Pattern(TRIANGULAR, (ORIGIN,), ((0.15, 0.0), (-0.15, 0.0))),
    },
    Fraction(3): {
        "triangular": Pattern(TRIANGULAR, (ORIGIN,), (ORIGIN, THIRD, THIRDS)),
    },
}
DECOUPLED = "decoupled"  # each layer a triangular crystal of its own
DECOUPLED_HOLES = 12  # most holes in the cell that both crystals share


def structure_names(electrons_per_hole: float = 2, layers: int = 1) -> tuple[str, ...]:
    """Names that `named` knows at this composition."""
    patterns = _patterns(electrons_per_hole, layers)
    return (*patterns, *((DECOUPLED,) if electrons_per_hole > 0 else ()))


def named(name: str, hole_density: float, spacing: float, electrons_per_hole: float = 2, layers: int = 1) -> Crystal:
    """A named structure.

    Parameters
    ----------
    name : one of `structure_names` (of the composition).
    hole_density : holes per area of one layer, a_h^-2.
    spacing : distance d between the layers, a_h.
    electrons_per_hole : 0 for holes only, 1 for dipoles, 2 and 1/2 for composite crystals, 3 and 1/3.
    layers : 2 for a same-charge bilayer of holes (electrons_per_hole = 0).

    Raises
    ------
    InputError : an unknown name, one that this composition has not, a density or spacing that is not possible.
    """
    check_layers(hole_density, spacing, electrons_per_hole, layers)
    if name == DECOUPLED and electrons_per_hole > 0:
        return _decoupled(hole_density, spacing, electrons_per_hole)
    patterns = _patterns(electrons_per_hole, layers)
    if name not in patterns:
        raise _unknown(name, electrons_per_hole, layers)
    return _from_pattern(patterns[name], hole_density, spacing, layers)


def check_layers(hole_density: float, spacing: float, electrons_per_hole: float, layers: int) -> None:
    """Refuse densities, spacings and layers that classical charges cannot have. Raises InputError."""
    if not (math.isfinite(hole_density) and hole_density > 0):
        raise InputError("hole_density", "a density > 0 (a_h^-2)", hole_density, "check the number and its unit")
    if not (math.isfinite(spacing) and spacing >= 0):
        raise InputError("spacing", "a length >= 0 (a_h)", spacing, "give the distance between the layers")
    if electrons_per_hole > 0 and spacing == 0:
        raise InputError("spacing", "a length > 0 where there are electrons and holes", spacing,
                         "classical charges of both signs fall into each other at zero distance")
    if layers not in (1, 2) or (layers == 2 and electrons_per_hole != 0):
        raise InputError("layers", "1, or 2 for holes alone (electrons_per_hole = 0)", layers,
                         "electrons and holes have a layer each as it is")


def _patterns(electrons_per_hole: float, layers: int) -> dict[str, Pattern]:
    if electrons_per_hole == 0:
        return SAME_CHARGE if layers == 2 else ONE_LAYER
    ratio = Fraction(electrons_per_hole).limit_denominator(1000)
    if abs(float(ratio) - electrons_per_hole) > 1e-9 * electrons_per_hole:
        return {}
    if ratio < 1:  # more holes than electrons: the same crystals with both exchanged
        return {name: Pattern(p.shape, p.lower, p.upper) for name, p in ELECTRON_HOLE.get(1 / ratio, {}).items()}
    return ELECTRON_HOLE.get(ratio, {})


def _unknown(name: str, electrons_per_hole: float, layers: int) -> InputError:
    here = structure_names(electrons_per_hole, layers)
    everywhere = {n for group in (ONE_LAYER, SAME_CHARGE, *ELECTRON_HOLE.values()) for n in group}
    if name in everywhere:
        return InputError("structure", f"one that {electrons_per_hole:g} electrons per hole in {layers} "
                          f"layer{'s' * (layers > 1)} of holes can form", name,
                          f"known here: {', '.join(here)}, random")
    return InputError("structure", f"{' | '.join(here)} | random | a result file", name[:60],
                      nearest(name, (*here, "random"), f"known here: {', '.join(here)}, random"))


def _from_pattern(pattern: Pattern, hole_density: float, spacing: float, layers: int) -> Crystal:
    # in a same-charge bilayer the lower charges are holes too, and the density is that of one layer
    vectors = Cell(np.array(pattern.shape)).scaled(len(pattern.upper) / hole_density).vectors
    below = "hole" if layers == 2 else "electron"
    return place(vectors, np.array(pattern.upper + pattern.lower) @ vectors, spacing,
                 ("hole",) * len(pattern.upper) + (below,) * len(pattern.lower), len(pattern.upper))


def place(vectors: np.ndarray, positions: np.ndarray, spacing: float, species: tuple[str, ...], upper: int) -> Crystal:
    """The crystal whose first ``upper`` charges lie at height ``spacing``, the others at 0."""
    heights = np.where(np.arange(len(species)) < upper, spacing, 0.0)
    return Crystal(vectors, positions, np.array([CHARGES[s] for s in species]), heights, species)


def _decoupled(hole_density: float, spacing: float, electrons_per_hole: float) -> Crystal:
    """A triangular crystal of holes and the most triangular one of electrons that fits into a common cell.

    The two are incommensurate in general, so the electrons are slightly strained. Of all cells of up to
    DECOUPLED_HOLES holes the one with the longest shortest distance between electrons is taken.
    """
    best: tuple[float, Cell, np.ndarray, np.ndarray] | None = None
    site = Cell(SHAPES["triangular"]).scaled(1 / hole_density)
    for holes in range(1, DECOUPLED_HOLES + 1):
        electrons = round(electrons_per_hole * holes)
        if abs(electrons - electrons_per_hole * holes) > 1e-9 * holes or electrons == 0:
            continue
        for a in (a for a in range(1, holes + 1) if holes % a == 0):
            for shear in range(a):
                tiles = np.array([[a, 0], [shear, holes // a]])
                box = Cell(tiles @ site.vectors)
                own = crystal_cell(box, electrons)
                reach = float(np.linalg.norm(reduce_vectors(np.linalg.inv(own) @ box.vectors)[0][0]))
                if best is None or reach > best[0] * (1 + 1e-9):
                    best = reach, box, tiles, own
    if best is None:
        raise InputError("electrons_per_hole", f"a ratio of whole numbers, of at most {DECOUPLED_HOLES} holes",
                         electrons_per_hole, "decoupled layers share a cell")
    _, box, tiles, own = best
    above, below = lattice_points(box, tiles), lattice_points(box, own)
    below = below + 0.29 * site.vectors[0] + 0.17 * site.vectors[1]  # off the symmetric places, where forces vanish
    return place(box.vectors, np.vstack([above, below]), spacing, ("hole",) * len(above) + ("electron",) * len(below),
                 len(above))
