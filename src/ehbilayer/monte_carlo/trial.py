"""A trial function by its name: which determinants, which pairs, which parameters, and where walkers begin.

`Trial` holds what stays; `Trial.psi(parameters)` makes the arrays that the kernels read. The parameters are the free
coefficients of the Jastrow factor, kind by kind, those of backflow, then those of the orbitals about centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.interaction.base import require_known
from ehbilayer.interaction.screened import Screened
from ehbilayer.monte_carlo.backflow import NONE
from ehbilayer.monte_carlo.determinants import SITES, WAVES, Determinants
from ehbilayer.monte_carlo.factors import Block, Factor, arrays_of
from ehbilayer.monte_carlo.jastrow import DEGREE, Jastrow, PairKind, coefficients_of, cusp, free_of
from ehbilayer.monte_carlo.kernels import Charges, Psi
from ehbilayer.monte_carlo.orbitals import Gaussian, plane_waves
from ehbilayer.monte_carlo.pair_potential import Box, Potential, box_of, make_potential, screened_potential, self_image
from ehbilayer.monte_carlo.pairs import PairFunction, pair_function, paired, partners
from ehbilayer.numerics.lattice import lattice_points
from ehbilayer.orbitals import Orbitals
from ehbilayer.torus import Torus

TRIALS = ("liquid", "hole-crystal", "electron-crystal", "crystal", "condensate")
UNTWISTED = ("crystal", "condensate")
Twist = tuple[float, float]
ON_SITES = {"hole-crystal": (1,), "electron-crystal": (-1,), "crystal": (1, -1)}  # charges that sit on sites
OF_HARTREE_FOCK = " of hartree-fock"  # after the phase, in the label of a trial


@dataclass(frozen=True, eq=False)
class Trial:
    """A trial function e^J prod det on a torus.

    Parameters
    ----------
    torus : counts, spins and box; its interaction is Coulomb's or screened, bands are k^2/2m.
    name : one of TRIALS, or what its maker calls it.
    blocks, factors : the flavours, and the determinants.   orbitals : functions about centres, with their parameters.
    jastrow : degree of its polynomials; 0 leaves e^J out.
    bands : tables (2, M, M, n) of orbitals that are no function about a centre, and of their Laplacians.
    state : whose orbitals these are.   twist : of its plane waves, in fractions of the reciprocal vectors.
    backflow : degree of its polynomials; 0 leaves it out.
    """

    torus: Torus
    name: str
    blocks: tuple[Block, ...]
    factors: tuple[Factor, ...]
    orbitals: tuple[Gaussian | PairFunction, ...]
    jastrow: int = DEGREE
    bands: np.ndarray = field(default_factory=lambda: np.zeros((2, 1, 1, 0)))
    state: Orbitals | None = None
    twist: Twist | None = None
    backflow: int = 0

    @property
    def label(self) -> str:
        """What a result says of it."""
        return self.name if self.state is None else self.name + OF_HARTREE_FOCK

    @property
    def particles(self) -> int:
        """All particles in the box."""
        return sum(b.count for b in self.blocks)

    @property
    def per(self) -> int:
        """What energies are divided by: the holes; where there are none, the particles of the first carrier."""
        species = [s for s in self.torus.species if s.count]
        return next((s.count for s in species if s.name == "hole"), species[0].count)

    @cached_property
    def owner(self) -> np.ndarray:
        """Block of every particle (N,)."""
        return np.repeat(np.arange(len(self.blocks)), [b.count for b in self.blocks])

    @cached_property
    def box(self) -> Box:
        """The torus in reduced vectors."""
        return box_of(self.torus.box)

    def distance(self, a: Block, b: Block) -> float:
        """Between the layers of two blocks, as it counts in their interaction, a_h."""
        interaction, (one, two) = self.torus.bilayer.interaction, self._layers(a, b)
        return (interaction.stretch if isinstance(interaction, Screened) else 1.0) * interaction.distance(one, two)

    def _layers(self, a: Block, b: Block) -> tuple[int, int]:
        one, two = sorted(self.torus.species[block.species].layer for block in (a, b))
        return one, two

    @cached_property
    def _pairs(self) -> list[tuple[int, int]] | list[float]:
        """The tables of the interaction there are: distances of layers, or pairs of layers where it is screened."""
        if isinstance(self.torus.bilayer.interaction, Screened):
            return sorted({self._layers(a, b) for a in self.blocks for b in self.blocks})
        return sorted({0.0} | {self.distance(a, b) for a in self.blocks for b in self.blocks})

    def _table(self, a: Block, b: Block) -> int:
        if isinstance(self.torus.bilayer.interaction, Screened):
            return self._pairs.index(self._layers(a, b))  # type: ignore[arg-type]
        return self._pairs.index(self.distance(a, b))  # type: ignore[arg-type]

    @cached_property
    def potential(self) -> Potential:
        """The tables of the interaction."""
        interaction = self.torus.bilayer.interaction
        if isinstance(interaction, Screened):
            return screened_potential(self.box, interaction, self._pairs)  # type: ignore[arg-type]
        return make_potential(self.box, self._pairs)  # type: ignore[arg-type]

    @cached_property
    def charges(self) -> Charges:
        """Masses and charges of every particle."""
        species = [self.torus.species[b.species] for b in self.blocks]
        z = np.array([float(s.charge) for s in species])[self.owner]
        mass = np.array([s.mass for s in species])[self.owner]
        apart = np.array([[self._table(a, b) for b in self.blocks] for a in self.blocks])
        # 1/2 sum_i z_i^2 M(0), the potential of its own images
        own = {s.layer: self_image(self.torus.bilayer.interaction, self.box, s.layer) for s in species}
        constant = 0.5 * float(z**2 @ np.array([own[s.layer] for s in species])[self.owner])
        return Charges(mass, np.outer(z, z), np.ascontiguousarray(apart[np.ix_(self.owner, self.owner)]), constant)

    @cached_property
    def kinds(self) -> tuple[tuple[PairKind, ...], np.ndarray]:
        """The kinds of pairs that occur, and the number of each pair of particles (N, N)."""
        found: dict[tuple[int, int, bool], PairKind] = {}
        number = np.zeros((len(self.blocks),) * 2, dtype=int)
        for i, a in enumerate(self.blocks):
            for j, b in enumerate(self.blocks):
                if a is b and all(o.count == 1 for o in self.blocks if o.species == a.species):
                    continue  # a lone particle meets none like it
                one, two = sorted((a.species, b.species))
                key = (one, two, a is b)
                if key not in found:
                    found[key] = self._kind(a, b)
                number[i, j] = list(found).index(key)
        return tuple(found.values()), np.ascontiguousarray(number[np.ix_(self.owner, self.owner)])

    def _kind(self, a: Block, b: Block) -> PairKind:
        s, t = self.torus.species[a.species], self.torus.species[b.species]
        d, charges = self.distance(a, b), float(s.charge * t.charge)
        interaction = self.torus.bilayer.interaction
        soft = 0.0
        if isinstance(interaction, Screened) and not interaction.core(s.layer, t.layer)[0]:
            # ln r has no cusp; what spreads charges smooths the start like a distance
            soft = max(interaction.stretch * interaction.layer_thickness, *interaction.sheets)
        words = "like" if a is b else "unlike" if a.species == b.species else "between"
        # far from each other spins do not matter; attraction is in the pairs already, or begins at half: in full, of
        # all electrons by all holes, it would make one drop
        share = 1.0 if charges > 0 else 0.0 if any(f.partner is not None for f in self.factors) else 0.5
        return PairKind(f"{s.name}-{t.name}, {words}", cusp(s.mass, t.mass, charges, a is b, d + soft),
                        share * cusp(s.mass, t.mass, charges, False, 0.0), d + soft)

    @cached_property
    def flows(self) -> tuple[tuple[PairKind, ...], np.ndarray]:
        """The kinds of backflow, of one particle by another, and the number of that of each pair of them (N, N)."""
        if not self.backflow:
            return (), NONE.kind
        names: list[str] = []
        number = np.zeros((len(self.blocks),) * 2, dtype=int)
        for i, a in enumerate(self.blocks):
            for j, b in enumerate(self.blocks):
                if a is b and a.count == 1:
                    continue
                one, two = (self.torus.species[o.species].name for o in (a, b))
                words = "like" if a is b else "unlike" if a.species == b.species else "between"
                name = f"backflow of {one} by {two}, {words}"
                names += [] if name in names else [name]
                number[i, j] = names.index(name)
        # slope 0 at r = 0, and nothing to begin with
        return tuple(PairKind(n, 0.0, 0.0, 0.0) for n in names), np.ascontiguousarray(
            number[np.ix_(self.owner, self.owner)])

    def start(self) -> np.ndarray:
        """The parameters to begin an optimisation with."""
        own = np.concatenate([np.zeros(len(self.flows[0]) * self.backflow), *(o.start() for o in self.orbitals)])
        if not self.jastrow:
            return own
        kinds, _ = self.kinds
        neighbours = np.sqrt(self.torus.area / (np.pi * max(b.count for b in self.blocks)))
        screening = min(0.6 * neighbours, 0.3 * self.box.radius)
        free = [free_of(kind, self.box.radius, screening, self.jastrow) for kind in kinds]
        return np.concatenate([*free, own])

    @property
    def parameter_names(self) -> list[tuple[str, slice]]:
        """What every parameter belongs to, kinds of pairs first: a name, and where its parameters are."""
        counts = [(kind.label, self.jastrow) for kind in self.kinds[0]] if self.jastrow else []
        counts += [(kind.label, self.backflow) for kind in self.flows[0]]
        counts += [(orbital.name, len(orbital.start())) for orbital in self.orbitals]
        ends = np.cumsum([count for _, count in counts]).tolist()
        return [(name, slice(end - count, end)) for (name, count), end in zip(counts, ends, strict=True)]

    def psi(self, parameters: np.ndarray) -> Psi:
        """The arrays of the kernels."""
        kinds, number = self.kinds
        n = len(kinds) * self.jastrow
        free = np.reshape(parameters[:n], (len(kinds), self.jastrow))
        a = coefficients_of(kinds, self.box.radius, free) if self.jastrow else np.zeros((len(kinds), 2))
        flows, which = self.flows
        end = n + len(flows) * self.backflow
        flow = NONE if not flows else Jastrow(which, coefficients_of(
            flows, self.box.radius, np.reshape(parameters[n:end], (len(flows), self.backflow))))
        determinants = self._determinants(parameters[end:])
        return Psi(self.box, self.potential, self.charges, determinants, Jastrow(number, a), flow)

    def _determinants(self, own: np.ndarray) -> Determinants:
        tables, used = [], 0
        for orbital in self.orbitals:
            mine = own[used : used + len(orbital.start())]
            tables.append(orbital.table(self.box.cell, mine))
            used += len(mine)
        return arrays_of(self.factors, self.particles, tables, self.bands)

    def positions(self, walkers: int, random: np.random.Generator) -> np.ndarray:
        """Where the walkers begin (walkers, N, 2): at random, about their sites, electrons near their holes."""
        r = random.random((walkers, self.particles, 2)) @ self.box.cell
        for f in self.factors:
            here = f.block.here
            if f.bands is not None:
                r[:, here] = f.bands.places(walkers, random)
                continue
            noise = random.standard_normal((walkers, f.block.count, 2))
            orbital = self.orbitals[f.orbital] if f.orbital >= 0 else None
            if f.kind == SITES and isinstance(orbital, Gaussian):
                r[:, here] = f.sites + orbital.width / np.sqrt(2) * noise
            elif f.partner is not None:
                near = slice(f.block.start, f.block.start + f.partner.count)
                apart = 0.5 * np.sqrt(self.torus.area / self.particles)
                r[:, near] = r[:, f.partner.here] + apart * noise[:, : f.partner.count]
        return r


def make_trial(torus: Torus, name: str, jastrow: int = DEGREE, twist: Twist | None = None) -> Trial:
    """The trial function of a phase, its plane waves moved by ``twist``, in fractions of the reciprocal vectors.

    Raises InputError, see `check_trial`; and where nothing condenses.
    """
    blocks = blocks_of(torus)
    if name != "condensate":
        return _separate(torus, name, blocks, jastrow, twist)
    found = partners(torus, blocks)
    function = pair_function(torus, [(a, b) for a, b in found if b is not None])
    return Trial(torus, name, blocks, paired(torus, found), (function,), jastrow)


def check_trial(torus: Torus, name: str, twist: Twist | None = None) -> None:
    """Raise InputError for a trial function that cannot be made, before anything is computed.

    These are a name that is not in TRIALS, an interaction of one's own, bands other than k^2/2m, open shells,
    numbers that do not fit the sites or do not pair, and a twist of what has no plane waves.
    """
    if name not in TRIALS:
        raise InputError("trial", " | ".join(TRIALS), name, "choose one of these")
    if twist is not None and name in UNTWISTED:
        raise InputError("twists", f"absent for the trial {name}, which has no plane waves", list(twist),
                         "leave it out")
    blocks = blocks_of(torus)
    if name == "condensate":
        paired(torus, partners(torus, blocks))
    else:
        _separate(torus, name, blocks, 0, twist)


def admitted(name: str, twists: Sequence[Twist | None]) -> tuple[Twist | None, ...]:
    """Those of the twists that a trial function has: none but (None,) of UNTWISTED."""
    return (None,) if name in UNTWISTED else tuple(twists)


def blocks_of(torus: Torus) -> tuple[Block, ...]:
    """The flavours. Raises InputError for an interaction that is not known and bands other than k^2/2m."""
    interaction = torus.bilayer.interaction
    require_known(interaction, "monte_carlo")
    blocks: list[Block] = []
    for i, s in enumerate(torus.species):
        if s.carrier.dispersion is not None:
            raise InputError(f"{s.name} dispersion", "k^2/2m for monte_carlo", "a function", "leave it out")
        for flavour, count in enumerate(s.occupations if s.count else ()):
            blocks.append(Block(i, flavour, sum(b.count for b in blocks), count))
    return tuple(blocks)


def _separate(torus: Torus, name: str, blocks: tuple[Block, ...], jastrow: int, twist: Twist | None) -> Trial:
    """Every flavour with its own determinant, of plane waves or Gaussians."""
    on_sites = ON_SITES.get(name, ())
    factors: list[Factor] = []
    kept: list[Gaussian] = []
    numbers: dict[int, int] = {}  # species -> orbital: one width for all flavours
    present = {torus.species[b.species].charge for b in blocks}
    if on_sites and not present & set(on_sites):
        raise InputError("trial", "a phase of the carriers that are there", name, "choose liquid or crystal")
    for b in blocks:
        s = torus.species[b.species]
        if s.charge not in on_sites:
            factors.append(Factor(b, WAVES, plane_waves(torus.box, b.count, f"{s.name}s", twist)))
            continue
        sites = _sites(torus, b.species)
        if b.species not in numbers:
            numbers[b.species] = len(kept)
            # the width of a classical oscillator, omega^2 ~ 1/(m a^3) with a the distance of neighbours
            spacing = np.sqrt(torus.area / s.count / np.pi)
            width = float(min((spacing**3 / s.mass) ** 0.25, 0.5 * spacing))
            kept.append(Gaussian(f"width of {s.name}s", sites, width))
        flavours = sum(o.species == b.species for o in blocks)
        factors.append(Factor(b, SITES, sites=sites[b.flavour :: flavours][: b.count], orbital=numbers[b.species]))
    return Trial(torus, name, blocks, tuple(factors), tuple(kept), jastrow, twist=twist)


def _sites(torus: Torus, species: int) -> np.ndarray:
    """The lattice sites of a species. Raises InputError unless there is one for each particle, and a lattice fits."""
    s, supercell = torus.species[species], torus.lattice
    if supercell is None or s.count != torus.sites:
        raise InputError("trial", f"one whose {s.name}s have a site each ({torus.sites} sites in the box)", s.count,
                         "change the numbers, or take a liquid of them")
    if len(set(s.occupations)) > 1:
        raise InputError(f"{s.name}_spin", "equal numbers of each flavour on sites", s.spin, "polarise them")
    return lattice_points(torus.box, supercell)
