"""A bilayer on a torus: what a box adds is counts, a shape, the q = 0 convention and the capacitor.

The torus is neutral or not, as its counts are; v(q = 0) of the direct terms is left out but for the capacitor. Where
gates make v(0) finite it is no convention: direct terms hold it always, exchange and pairing too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ehbilayer.errors import InputError, require
from ehbilayer.interaction.base import refuse_capacitor
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.numerics.lattice import SHAPES, Cell, box_of_shape, crystal_cell, tiling_cell

ZERO_MODES = ("none", "madelung")
SPIN_TREATMENTS = ("restricted", "unrestricted", "polarized")
OCCUPATIONS = r"[1-9][0-9]{0,5}((\+[1-9][0-9]{0,5})*|(\|[1-9][0-9]{0,5})*)"  # the particles of each flavour
WHOLE = 1e-6  # how far a count may be from an integer, relative


@dataclass(frozen=True)
class Channel:
    """One Slater determinant: ``orbitals`` orbitals, each held by ``degeneracy`` identical flavours.

    An orbital is a spinor with one component per entry of ``components``, indices into `Torus.species`; a channel of
    one carrier has one. ``signs`` are those of the components' charge and kinetic energy, +1 unless said: -1 marks a
    component that is particle-hole transformed, so that electron-hole coherence is a rotation between components.
    ``flavours`` are the numbers of those that hold the orbitals, the first ones unless said.
    """

    label: str
    components: tuple[int, ...]
    orbitals: int
    degeneracy: int
    signs: tuple[int, ...] = ()
    flavours: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.flavours:
            object.__setattr__(self, "flavours", tuple(range(self.degeneracy)))
        if not self.signs:
            object.__setattr__(self, "signs", (1,) * len(self.components))

    @property
    def species(self) -> int:
        """The carrier of a channel with one component. Raises ValueError for a spinor of several."""
        (only,) = self.components
        return only


@dataclass(frozen=True)
class Species:
    """A carrier in a box: ``count`` particles of all flavours together, and how the flavours are filled.

    ``spin`` is ``restricted`` (flavours share orbitals), ``unrestricted`` (one determinant per flavour),
    ``polarized`` (all particles in one flavour), or the particles of each flavour that holds any: ``12+12+6``, of which
    those with equal numbers share orbitals, or ``18|18``, each with its own.

    Raises InputError for a negative count, an unknown spin treatment, a count that the flavours cannot share.
    """

    carrier: Carrier
    count: int
    spin: str

    def __post_init__(self) -> None:
        if self.count < 0 or int(self.count) != self.count:
            raise InputError(f"{self.name} count", "an integer >= 0", self.count, "count particles in the box")
        if self.spin not in SPIN_TREATMENTS:
            argument = "electron_spin" if self.charge < 0 else "hole_spin"
            if not re.fullmatch(OCCUPATIONS, self.spin):
                raise InputError(argument, f"{' | '.join(SPIN_TREATMENTS)} | particles of each flavour (27+9, 18|18)",
                                 self.spin, "choose one of these")
            if sum(self.occupations) != self.count or len(self.occupations) > self.flavours:
                raise InputError(argument, f"numbers of at most {self.flavours} flavours that add up to {self.count}",
                                 self.spin, "change them")
        if self.spin == "restricted" and self.count % self.flavours:
            raise InputError(f"{self.name} count", f"a multiple of {self.flavours} (restricted: they share orbitals)",
                             self.count, "change the count, or use unrestricted or polarized spins")

    @property
    def name(self) -> str:
        """Of the carrier."""
        return self.carrier.name

    @property
    def charge(self) -> int:
        """+1 or -1."""
        return self.carrier.charge

    @property
    def mass(self) -> float:
        """m/m_h."""
        return self.carrier.mass

    @property
    def layer(self) -> int:
        """Index of the layer."""
        return self.carrier.layer

    @property
    def flavours(self) -> int:
        """Degenerate flavours of the carrier."""
        return self.carrier.flavours

    @property
    def occupations(self) -> tuple[int, ...]:
        """Particles of each flavour that holds any."""
        if self.spin not in SPIN_TREATMENTS:
            return tuple(int(n) for n in re.split(r"[+|]", self.spin))
        g = self.occupied_flavours
        return tuple(n for n in (self.count // g + (i < self.count % g) for i in range(g)) if n)

    @property
    def occupied_flavours(self) -> int:
        """How many flavours hold the particles: one where they are polarised."""
        if self.spin not in SPIN_TREATMENTS:
            return len(self.occupations)
        return 1 if self.spin == "polarized" else self.flavours

    @property
    def parameters(self) -> dict[str, Any]:
        """What a result says about the species."""
        split = {"splitting": self.carrier.splitting} if self.carrier.splitting else {}
        return {"name": self.name, "charge": self.charge, "mass": self.mass, "layer": self.layer, "count": self.count,
                "flavours": self.flavours, "spin": self.spin, **split}

    def levels(self, channel: Channel) -> np.ndarray:
        """What a field adds to each flavour of one of its channels, Ha_h."""
        return np.array(self.carrier.levels)[list(channel.flavours)]

    def kinetic(self, k: np.ndarray) -> np.ndarray:
        """See `Carrier.kinetic`."""
        return self.carrier.kinetic(k)

    def channels(self, index: int) -> tuple[Channel, ...]:
        """The Slater determinants this species is made of; none when it has no particles."""
        if self.count == 0:
            return ()
        if self.spin == "polarized" or self.flavours == 1:
            return (Channel(self.name, (index,), self.count, 1),)
        if self.spin == "restricted":
            return (Channel(self.name, (index,), self.count // self.flavours, self.flavours),)
        arrows = ["up", "down"] if self.flavours == 2 else [str(i) for i in range(self.flavours)]
        labelled = [(f"{self.name} {a}", n) for a, n in zip(arrows, self.occupations, strict=False)]
        if self.spin == "unrestricted" or "|" in self.spin:
            return tuple(Channel(label, (index,), n, 1, flavours=(i,)) for i, (label, n) in enumerate(labelled))
        numbers = [n for _, n in labelled]
        if len(set(numbers)) == 1:
            return (Channel(self.name, (index,), numbers[0], len(numbers)),)
        return tuple(Channel(label, (index,), n, numbers.count(n),
                             flavours=tuple(j for j, other in enumerate(numbers) if other == n))
                     for i, (label, n) in enumerate(labelled) if n not in numbers[:i])


@dataclass(frozen=True)
class Torus:
    """A bilayer on a torus that holds a whole number of every carrier.

    Parameters
    ----------
    bilayer : the physics; its densities fix the ratio of the counts and the area.
    holes : number of holes (the carriers named "hole", else the first of charge +1) in the box.
    electrons : number of electrons instead, where there are no holes.
    shape : ``triangular``, ``rectangular`` (height/width = sqrt(3)/2), ``square``, or two vectors (only their shape
        counts).
    zero_mode : ``"none"`` (v(0) = 0 everywhere, as papers do) or ``"madelung"`` (exchange carries the torus' Madelung
        term); it must be said.
    capacitor : add the geometric energy 2 pi d N_e N_h / A of the charged layers; with gates it is in v(0).
    electron_spin, hole_spin : how the flavours of carriers of charge -1 and +1 are filled, see `Species`.

    Raises
    ------
    InputError : no or two reference counts, a carrier whose density does not give a whole number, unknown zero mode, a
        potential that is not commensurate with the box.
    """

    bilayer: Bilayer
    holes: int | None = None
    electrons: int | None = None
    shape: str | Sequence[Sequence[float]] | np.ndarray = "triangular"
    zero_mode: str = field(default="", kw_only=True)
    capacitor: bool = field(default=False, kw_only=True)
    electron_spin: str = field(default="restricted", kw_only=True)
    hole_spin: str = field(default="polarized", kw_only=True)

    def __post_init__(self) -> None:
        require("bilayer", self.bilayer, Bilayer)
        if not isinstance(self.shape, str):  # of a hashable type
            object.__setattr__(self, "shape", tuple(tuple(float(x) for x in row) for row in self.shape))
        elif self.shape not in SHAPES:
            raise InputError("shape", f"{' | '.join(SHAPES)} or two vectors", self.shape, "choose one of these")
        if self.zero_mode not in ZERO_MODES:
            raise InputError("zero_mode", " | ".join(ZERO_MODES), self.zero_mode or "missing",
                             '"none" reproduces papers, "madelung" is for physics')
        refuse_capacitor(self.bilayer.interaction, self.capacitor)
        if (self.holes is None) == (self.electrons is None):
            raise InputError("holes", "the number of holes in the box (electrons where there are no holes)",
                             "both" if self.holes is not None else "missing", "give one of them")
        for name, count in (("holes", self.holes), ("electrons", self.electrons)):
            if count is not None and int(count) != count:
                raise InputError(name, "an integer", count, "count the carriers in the box")
        if not any(s.count for s in self.species):
            raise InputError("species", "a list with at least one particle", 0, "raise a count")
        if self.bilayer.potential is not None:
            self.bilayer.potential.cells(self.box)

    @property
    def _reference(self) -> tuple[Carrier, int]:
        """The carrier whose number is given, and that number."""
        name, charge, count = ("hole", 1, self.holes) if self.holes is not None else ("electron", -1, self.electrons)
        found = self.bilayer.get(name) or next((c for c in self.bilayer.carriers if c.charge == charge), None)
        if found is None:
            raise InputError(f"{name}s", f"absent in a bilayer without {name}s", count, "count the other carriers")
        if not found.density > 0:
            raise InputError(f"{name}_density", "> 0 where carriers are counted", found.density,
                             f'give it to the bilayer, e.g. {name}_density="1e12 cm^-2"')
        assert count is not None
        return found, count

    @cached_property
    def area(self) -> float:
        """A = N/n in a_h^2."""
        carrier, count = self._reference
        return count / carrier.density

    @cached_property
    def box(self) -> Cell:
        """The torus' cell."""
        return box_of_shape(self.shape if isinstance(self.shape, str) else np.array(self.shape), self.area)

    @cached_property
    def species(self) -> tuple[Species, ...]:
        """Every carrier with its number and spin treatment."""
        return tuple(Species(c, self._count(c), self.electron_spin if c.charge < 0 else self.hole_spin)
                     for c in self.bilayer.carriers)

    def _count(self, carrier: Carrier) -> int:
        number = carrier.density * self.area
        if abs(number - round(number)) > WHOLE * max(1.0, number):
            raise InputError(f"{carrier.name} density", "one that puts a whole number into the box",
                             f"{number:.6g} particles", "change the ratio of the densities or the count")
        return round(number)

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """All Slater determinants, in the order of the species."""
        return tuple(c for i, s in enumerate(self.species) for c in s.channels(i))

    @property
    def particles(self) -> int:
        """Number of particles in the box, all species together."""
        return sum(s.count for s in self.species)

    @property
    def sites(self) -> int:
        """Lattice sites of a crystal in the box: one per hole; without holes, per particle of the largest species."""
        return max((s.count for s in self.species if s.name == "hole"), default=0) or max(s.count for s in self.species)

    @cached_property
    def lattice(self) -> np.ndarray | None:
        """The crystal of `sites` sites: S of box.vectors = S @ (vectors of its cell), integers; None if none fits."""
        try:
            return crystal_cell(self.box, self.sites)
        except InputError:
            return None

    def bloch_cell(self, sites: int, sites_per_cell: int = 1) -> np.ndarray:
        """The cell of some of the ``sites`` in the box that tiles it, with whole cells of a potential if it has one:
        S of box.vectors = S @ (vectors of the cell), integers. Raises InputError where there is none."""
        potential = self.bilayer.potential
        if potential is None:
            return crystal_cell(self.box, sites, sites_per_cell)
        cells = potential.cells(self.box)
        number = round(abs(np.linalg.det(cells)))
        if sites_per_cell * number % sites:
            fewest = sites // math.gcd(number, sites)
            raise InputError("holes_per_cell", f"such that a cell holds whole cells of the potential ({sites} sites on "
                             f"{number} in the box)", sites_per_cell, f"a multiple of {fewest}")
        return tiling_cell(self.box, cells, sites_per_cell * number // sites)

    def scaled(self, area: float) -> Torus:
        """The same counts and shape on another area (a_h^2), with which a potential is stretched."""
        potential = self.bilayer.potential
        if potential is not None:
            potential = replace(potential, period=potential.period * math.sqrt(area / self.area))
        bilayer = self.bilayer.with_densities({s.name: s.count / area for s in self.species})
        return replace(self, bilayer=replace(bilayer, potential=potential))

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        """v(q) between unit charges of species ``a`` and ``b`` in Ha_h a_h^2, 0 at q = 0."""
        return self.bilayer.interaction.v(q, self.species[a].layer, self.species[b].layer)

    def zero_mode_element(self, a: int, b: int) -> float:
        """v(0)/A (Ha_h) of exchange or pairing between species ``a`` and ``b`` in this convention."""
        return self.bilayer.interaction.element(self.zero_mode, self.box.vectors, self.species[a].layer,
                                                self.species[b].layer)

    @property
    def charged(self) -> bool:
        """Whether the geometric energy of the charged layers counts: where it is asked for, and with gates always."""
        return self.capacitor or self.bilayer.interaction.finite

    @property
    def capacitor_energy(self) -> float:
        """Geometric energy of the charged layers in Ha_h, 2 pi N^2 d/A for balanced ones; see `Interaction.charging`.
        """
        return self.bilayer.interaction.charging([(s.layer, float(s.charge * s.count)) for s in self.species],
                                                 self.area)


@dataclass(frozen=True)
class _Twisted:
    """The kinetic energy of a carrier with its wave vectors moved by ``twist`` (2,) in 1/a_h."""

    mass: float
    twist: tuple[float, float]
    parabolic = True  # a twist is a fixed fraction of the torus' reciprocal vectors, and scales with them

    def __call__(self, k: np.ndarray) -> np.ndarray:
        return np.asarray(np.sum((k + np.array(self.twist)) ** 2, axis=-1) / (2 * self.mass))


def twisted(torus: Torus, name: str, twist: np.ndarray) -> Torus:
    """The torus with the wave vectors of one carrier moved by ``twist`` (2,) in 1/a_h: boundary conditions with a
    phase. Interactions see differences of wave vectors only, so that the kinetic energy is all that changes.

    Raises InputError for a carrier with a dispersion of its own, or a name that is not there.
    """
    carrier = torus.bilayer.carrier(name)
    if carrier.dispersion is not None:
        raise InputError(f"{name} dispersion", "k^2/2m", "a function", "only parabolic bands scale with the area")
    x, y = (float(component) for component in twist)
    moved = replace(carrier, dispersion=_Twisted(carrier.mass, (x, y)))
    carriers = tuple(moved if c.name == name else c for c in torus.bilayer.carriers)
    return replace(torus, bilayer=replace(torus.bilayer, carriers=carriers))
