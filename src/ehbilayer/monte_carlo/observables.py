"""What a state is, from the averages along a walk: correlations, densities, order parameters, and its phase.

    g_ab(r) = A/(N_a N_b) <pairs in a ring>/(area of the ring within the Wigner-Seitz cell)
    S_ab(k) = <rho_a(k) rho_b(-k)>/sqrt(N_a N_b), means of waves of one length;  like and unlike flavours add up
    n_k     = <sum_i psi(r_i + s)/psi e^{-iks}> of a flavour, s anywhere
    bragg   = [S(G) - 1]/(N - 1), mean of the shortest G of the crystal: exp(-G^2 w^2/2) for densities exp(-r^2/w^2)
    c       = 1/N_h [sum_eh <psi(r_e + s, r_h + s)/psi> - sum_e <psi(r_e + s)/psi> sum_h <psi(r_h + s)/psi>], s far away

The Bragg weight is |<rho_G>|^2/N^2 of particles that are independent about their sites. A crystal that floats as a
whole, as the exact state of a torus does, has the one and not the other. Of a liquid it is of order 1/N.

c is the condensate fraction, (A^2/N)[rho_2 - rho_1 rho_1], which is sum_k (u_k v_k)^2/N of a condensate. Far away N c
is the covariance sum_k [<n_k n_-k> - <n_k><n_-k>] of electrons with holes, 0 of two Fermi seas. Scatterings from a
pair (k, k') out of the seas count where k' = -k, twice: at k and where they end. X of them that begin with any of the
n_e n_h pairs of two flavours make that 2 X/max(n_e, n_h), and with half of the smaller side outside of its sea, about
the most there is with a Fermi surface,

    c N_h = min(f_e, f_h), the most of a normal state of f_e, f_h flavours:

one pair for each flavour that pairs, whatever N is, as exclusion has it for the pairs of two Fermi seas; a condensate
has more, as many as N c. So c of a plasma falls as 1/N, and one pair by itself is no condensate.

What diffusion measures is mixed, <psi|O|phi>; the estimate of <phi|O|phi> is 2 <psi|O|phi> - <psi|O|psi>, for all of
them. It is right to second order in phi - psi, and may leave the values that are possible.

Sources: Yang, RMP 34, 694 (1962); Foulkes et al., RMP 73, 33 (2001); Astrakharchik et al., PRL 95, 230405 (2005);
Maezono et al., PRL 110, 216407 (2013).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ehbilayer.monte_carlo.estimators import Estimators, Tally, jackknife
from ehbilayer.monte_carlo.measuring import (
    ALONE,
    DENSITY,
    MOMENTUM,
    PAIRS,
    STRUCTURE,
    TOGETHER,
    TRIED,
    WAVES,
)
from ehbilayer.monte_carlo.trial import ON_SITES
from ehbilayer.numerics.lattice import crystal_cell, reduce_vectors
from ehbilayer.results.base import Carriers, Variable

CONTACT = 0.25  # of the distance sqrt(A/pi N) of neighbours: pairs closer than that are in contact
CRYSTAL = 0.1  # Bragg weight of a crystal: the rms displacement is below 0.3 of the lattice constant
SHARPEST = 2.0  # S(G) of a liquid, at most, where few particles let it be mistaken
FINER = ("trion-crystal", "dumbbell-crystal", "stripes")  # crystals of an order that Bragg weights do not tell
SURE = 2.0  # standard errors by which a condensate fraction differs from the most of a normal state


@dataclass(frozen=True, eq=False)
class Estimate:
    """A quantity of any shape: the ``value`` to be used with its standard ``error``, and what it comes from: of psi
    alone (``vmc``) and mixed (``dmc``; None for a variational calculation, whose value is that of psi)."""

    value: np.ndarray
    error: np.ndarray
    vmc: np.ndarray
    dmc: np.ndarray | None

    @classmethod
    def of(cls, vmc: Tally, dmc: Tally | None, function: Callable[[np.ndarray], np.ndarray]) -> Estimate:
        """Of a ``function`` of sums of measurements."""
        plain, error = jackknife(vmc.filled, function)
        if dmc is None:
            return cls(plain, error, plain, None)
        mixed, wide = jackknife(dmc.filled, function)
        # <phi|O|phi> = 2 <psi|O|phi> - <psi|O|psi> + O((phi - psi)^2)
        return cls(2 * mixed - plain, np.hypot(2 * wide, error), plain, mixed)


def pair_correlation(e: Estimators, sums: np.ndarray) -> np.ndarray:
    """g (kinds, BINS), 1 where particles do not know of each other; 0 where the torus has no such distance."""
    layout = e.layout
    number = np.array([kind.number for kind in e.kinds])
    pairs = e.part(sums, PAIRS, len(e.kinds), layout.bins)
    return np.asarray(pairs * e.trial.torus.area / (number[:, None] * e.rings))


def structure_factor(e: Estimators, sums: np.ndarray) -> np.ndarray:
    """S (kinds, lengths of waves but 0)."""
    found = e.part(sums, STRUCTURE, len(e.kinds), len(e.layout.waves))
    # two flavours of one species count both ways
    ways = np.array([(1 if not kind.twice or kind.like else 2) / kind.size for kind in e.kinds])
    return e.by_length(found * ways[:, None])[:, 1:]


def momentum(e: Estimators, sums: np.ndarray) -> np.ndarray:
    """n (groups of flavours, lengths of waves), of one flavour: 0 to 1."""
    found = e.part(sums, MOMENTUM, len(e.groups), len(e.layout.waves))
    return e.by_length(found / np.array([number for _, number in e.groups])[:, None])


def density(e: Estimators, sums: np.ndarray) -> np.ndarray:
    """Densities (species, GRID, GRID) over the crystal's cell, a_h^-2."""
    grid = e.layout.grid
    return e.part(sums, DENSITY, len(e.species), grid, grid) * grid**2 / e.trial.torus.area


def bragg(e: Estimators, sums: np.ndarray) -> np.ndarray:
    """[S(G) - 1]/(N - 1) (species,); not a number for one particle."""
    square = e.part(sums, WAVES, len(e.species), len(e.layout.waves))[:, e.bragg].mean(axis=1)
    return np.asarray((square / e.counts - 1) / np.where(e.counts > 1, e.counts - 1.0, np.nan))


def contact(e: Estimators, sums: np.ndarray) -> np.ndarray:
    """g (kinds,) within CONTACT of the distance of neighbours."""
    bins = max(1, int(CONTACT * np.sqrt(e.trial.torus.area / np.pi / e.counts.max()) / e.layout.width))
    near = e.part(sums, PAIRS, len(e.kinds), e.layout.bins)[:, :bins].sum(axis=1)
    number = np.array([kind.number for kind in e.kinds])
    return np.asarray(near * e.trial.torus.area / (number * np.pi * (bins * e.layout.width) ** 2))


def condensate_fraction(e: Estimators, sums: np.ndarray) -> np.ndarray:
    """c, the mean over far displacements."""
    far = len(e.layout.far)
    tried = e.part(sums, TRIED, far)
    pairs, alone = e.part(sums, TOGETHER, far) / tried, e.part(sums, ALONE, far, 2, 2) / tried[:, None, None]
    electron, hole = (alone[:, side, 0] + 1j * alone[:, side, 1] for side in range(2))
    return np.asarray(np.mean(pairs - (electron * hole).real) / len(e.layout.positive))


@dataclass(frozen=True, eq=False)
class Observables:
    """All that was measured of a state. Without electrons or holes there is no ``condensate``."""

    estimators: Estimators
    pair_correlation: Estimate
    structure_factor: Estimate
    momentum: Estimate
    density: Estimate
    bragg: Estimate
    contact: Estimate
    condensate: Estimate | None

    @classmethod
    def of(cls, vmc: Tally, dmc: Tally | None) -> Observables | None:
        """From one walk, or two; None where a walk is too short for an error."""
        if vmc.used < 2 or (dmc is not None and dmc.used < 2):
            return None
        e = vmc.estimators

        def estimate(function: Callable[[Estimators, np.ndarray], np.ndarray]) -> Estimate:
            return Estimate.of(vmc, dmc, lambda sums: function(e, sums))

        pairs = len(e.layout.negative) and len(e.layout.positive)
        return cls(e, estimate(pair_correlation), estimate(structure_factor), estimate(momentum), estimate(density),
                   estimate(bragg), estimate(contact),
                   estimate(condensate_fraction) if pairs else None)

    @property
    def phase(self) -> str:
        """What the state is: which carriers have Bragg peaks, and whether pairs are condensed; ``unknown`` where the
        condensate fraction of pairs is too uncertain to tell.

        Crystals whose order of spins or pairs has a name of its own keep that of their orbitals.
        """
        solid = {name for name, crystal in zip(self.estimators.species, self._solid, strict=True) if crystal}
        pairs = self.condensate
        if pairs is not None and pairs.value - SURE * pairs.error > self.normal:
            return "supersolid" if solid else "condensate"
        if not solid:
            return "unknown" if self._undecided else "liquid"
        if solid == set(self.estimators.species):
            return self.estimators.trial.name if self.estimators.trial.name in FINER else "crystal"
        return "hole-crystal" if "hole" in solid else "electron-crystal"

    @property
    def normal(self) -> float:
        """The most condensed pairs per hole of a normal state, min(f_e, f_h)/N_h: one for each flavour that pairs."""
        torus, blocks = self.estimators.trial.torus, self.estimators.trial.blocks
        charges = [torus.species[block.species].charge for block in blocks]
        return min(charges.count(1), charges.count(-1)) / max(len(self.estimators.layout.positive), 1)

    @property
    def _undecided(self) -> bool:
        """Whether pairs may be condensed, or may not, within SURE standard errors."""
        pairs = self.condensate if self.estimators.trial.name == "condensate" else None
        return pairs is not None and bool(abs(pairs.value - self.normal) <= SURE * pairs.error)

    @property
    def _solid(self) -> np.ndarray:
        """Which species (n,) are crystals."""
        number = np.maximum(self.estimators.counts - 1, 1)
        return self.bragg.value > np.maximum(np.maximum(CRYSTAL, (SHARPEST - 1) / number), 3 * self.bragg.error)

    @property
    def advice(self) -> str:
        """What to say of a state that is not what its trial function was meant to be; nothing else."""
        e = self.estimators
        meant = () if not _is_crystal(e.trial.name) else ON_SITES.get(e.trial.name, (1, -1))
        charge = {s.name: s.charge for s in e.trial.torus.species}
        for i, (name, weight, error) in enumerate(zip(e.species, self.bragg.value, self.bragg.error, strict=True)):
            if charge[name] in meant and not self._solid[i]:
                return (f"melted: the best crystal of {name}s is a liquid, its Bragg weight {weight:.3f} +- "
                        f"{error:.3f}; compare it with the liquid")
        if e.trial.name == "condensate" and self.condensate is not None and self.phase != "condensate":
            fraction = f"{self.condensate.value:.3f} +- {self.condensate.error:.3f}"
            return (f"whether its pairs condense is open: their fraction is {fraction}; more samples tell"
                    if self._undecided else f"no condensate: its fraction is {fraction}; compare it with the liquid")
        return ""

    @property
    def entries(self) -> dict[str, Any]:
        """The fields of a result that are no arrays."""
        labels = [kind.label for kind in self.estimators.kinds]
        found: dict[str, Any] = {
            "bragg": self._carriers(self.bragg.value), "bragg_error": self._carriers(self.bragg.error),
            "rms_displacement": self._carriers(self.rms),
            "contact": dict(zip(labels, self.contact.value.tolist(), strict=True)),
            "contact_error": dict(zip(labels, self.contact.error.tolist(), strict=True))}
        if self.condensate is not None:
            found |= {"condensate_fraction": float(self.condensate.value),
                      "condensate_fraction_error": float(self.condensate.error)}
        return found

    @property
    def rms(self) -> np.ndarray:
        """sqrt(<u^2>)/a (species,) of Gaussian displacements u from the sites, a their distance, as the Bragg weight
        exp(-G^2 <u^2>/2) has it; not a number of a liquid."""
        e, b = self.estimators, self.bragg.value
        cell = crystal_cell(e.trial.torus.box, e.trial.torus.sites)
        a = reduce_vectors(np.linalg.solve(cell.astype(float), e.trial.torus.box.vectors))[0][0]
        g = np.linalg.norm(e.layout.waves[e.bragg[0]] @ e.layout.steps)
        known = np.where(self._solid, np.clip(b, 1e-300, 1.0), np.nan)
        return np.asarray(np.sqrt(-2 * np.log(known)) / (g * np.linalg.norm(a)))

    def _carriers(self, values: np.ndarray) -> Carriers[float]:
        found = dict(zip(self.estimators.species, values.tolist(), strict=True))
        return Carriers({"electron": None, "hole": None} | found)

    @property
    def arrays(self) -> dict[str, Variable]:
        """Everything that has an axis."""
        e = self.estimators
        labels, groups = [kind.label for kind in e.kinds], [name for name, _ in e.groups]
        width = e.layout.width
        found = {"distance": Variable(("distance",), width * (np.arange(e.layout.bins) + 0.5), "a_h",
                                      "middle of a ring, shortest distance on the torus"),
                 "k": Variable(("k",), e.lengths[1:], "1/a_h", "length of waves of the torus"),
                 "momentum_k": Variable(("momentum_k",), e.lengths, "1/a_h", "length of waves of the torus, and 0"),
                 "flavour": Variable(("flavour",), np.array(groups), "1", "whose momentum distribution")}
        if labels:
            found["pair"] = Variable(("pair",), np.array(labels), "1", "kind of pair: species, flavours")
            found |= _four("pair_correlation", ("pair", "distance"), self.pair_correlation, "1", "g")
            found |= _four("structure_factor", ("pair", "k"), self.structure_factor, "1", "S")
        if e.trial.twist is None:  # else the waves lie elsewhere
            found |= _four("momentum", ("flavour", "momentum_k"), self.momentum, "1", "n of one flavour")
        if e.localised:
            found["cell"] = Variable(("vector", "axis"), np.linalg.inv(e.layout.inverse), "a_h", "of the density")
            for i, name in enumerate(e.species):
                for end, values in (("", self.density.value), ("_error", self.density.error)):
                    found[f"density_{name}{end}"] = Variable(("cell_1", "cell_2"), values[i], "a_h^-2",
                                                             f"{name} density{end.replace('_', ', ')}")
        return found


def _is_crystal(name: str) -> bool:
    return name in FINER or name in ON_SITES


def _four(name: str, dims: tuple[str, ...], of: Estimate, units: str, what: str) -> dict[str, Variable]:
    """The arrays of an estimate."""
    words = "variational" if of.dmc is None else "2 x mixed - variational"
    found = {name: Variable(dims, of.value, units, f"{what}, {words}"),
             f"{name}_error": Variable(dims, of.error, units, f"standard error of {what}")}
    if of.dmc is not None:
        found[f"{name}_vmc"] = Variable(dims, of.vmc, units, f"{what}, of the trial function")
        found[f"{name}_dmc"] = Variable(dims, of.dmc, units, f"{what}, mixed: of the trial function and diffusion")
    return found
