"""From N particles of a liquid to infinitely many: what its waves and shells on a torus lack.

    E_inf = E_N + [T_inf - T_N] + [int F(q) A d^2q/(2 pi)^2 - sum_{q != 0} F(q)] + [X_S - X_N]

The kinetic energy is that of free carriers at the twist. F(q) is exchange and correlation in the random-phase
approximation of the plane, summed over the waves q of the torus,

    F(q) = sum_s N_s v(q) S_s(q)/2A + 1/2 int dw/2 pi {ln det[1 - V chi(q, iw)] + tr V chi(q, iw)},

S_s of free carriers of one flavour, chi Stern's, V of all layers; the self terms of plane and torus are the same. At
small q it is the zero-point energy of plasmons, w_q/2, whose sum lacks 0.671 r_s^{-3/2} N^{-5/4} Ha per electron on the
triangular torus; the continuum of particles and holes takes part of it away, about N^{-3/2}/2 r_s^2, half at r_s = 1.

The last bracket is what the shells of the torus do to exchange and correlation. Of carriers with several flavours it is
sum_q of F with the structure and response of the filled waves. Of one flavour rings screen too much, as a carrier does
not screen itself: there it is the shells in screened exchange, W = (1 + V Pi)^{-1} V, X_N of the filled waves, X_S of
S_s, Pi = m/2 pi of all other flavours and OWN of one's own. OWN is not derived: it brings our energies of 13 polarised
carriers at 8 and 6 twists, r_s = 1 and 5, together to their statistical errors.

Sources: Chiesa et al., PRL 97, 076404 (2006); Drummond et al., PRB 78, 125106 (2008); Holzmann et al., PRB 94, 035126
(2016); Stern, PRL 18, 546 (1967).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.monte_carlo.finite_size import free_kinetic
from ehbilayer.monte_carlo.orbitals import Waves, plane_waves
from ehbilayer.monte_carlo.trial import Trial
from ehbilayer.numerics.lattice import Cell
from ehbilayer.torus import Torus

OWN = 0.2  # of the screening of a flavour by itself
CUT, FURTHEST, REACH = 4.0, 25.0, 1.6  # waves count with exp(-(q/Q)^4), Q from CUT to FURTHEST k_F, up to REACH Q
FREQUENCIES, WAVES = 60, 600  # points of the integrals
# shares of the two brackets that are not sure: with Hubbard's local field F is so much less; of several carriers nobody
# has checked it; and OWN may lie between 0.1 and 0.3
LOCAL_FIELD, UNCHECKED, SHELLS = 0.03, 0.25, 0.25
DILUTE, GROWTH = 20.0, 2.25  # r_s from which the first share grows, and how: at 40 a seventh was seen to be missing


@dataclass(frozen=True, eq=False)
class Fluid:
    """One flavour: ``species`` number, mass, layer, charge, and its occupied waves k (N, 2)."""

    species: int
    mass: float
    layer: int
    charge: int
    k: np.ndarray

    @property
    def count(self) -> int:
        """Its particles."""
        return len(self.k)


def liquid_size(trial: Trial) -> tuple[float, float] | None:
    """E_inf - E_N of all carriers as a liquid and its error, an estimate, in Ha_h of the box; None for open shells."""
    torus, fluids, kinetic = trial.torus, [], 0.0
    for block in trial.blocks:
        s = torus.species[block.species]
        try:
            waves = plane_waves(torus.box, block.count, f"{s.name}s", trial.twist)
        except InputError:
            return None
        fluids.append(Fluid(block.species, s.mass, s.layer, s.charge, filled(waves)))
        kinetic += free_kinetic(torus.box, waves, s.mass)
    missing, shells = missing_waves(torus, fluids), shells_of(torus, fluids)
    share = local_field_share(torus, fluids) if len({f.species for f in fluids}) == 1 else UNCHECKED
    return kinetic + missing + shells, float(np.hypot(share * missing, SHELLS * shells))


def local_field_share(torus: Torus, fluids: Sequence[Fluid]) -> float:
    """Of the waves of one carrier, what is not sure: 0.03 max(1, r_s/20)^2.25, r_s = m/(pi n)^{1/2}."""
    density = sum(f.count for f in fluids) / torus.area
    rs = fluids[0].mass / np.sqrt(np.pi * density)
    return float(LOCAL_FIELD * max(1.0, rs / DILUTE) ** GROWTH)


def filled(waves: Waves) -> np.ndarray:
    """All wave vectors (N, 2), where a cosine and a sine stand for k and -k."""
    return np.concatenate([waves.k, -waves.k[waves.parts == 2]])


def structure(q: np.ndarray, fermi: float) -> np.ndarray:
    """S(q) of free carriers of one flavour in the plane."""
    x = np.minimum(q / (2 * fermi), 1.0)
    return np.asarray(2 / np.pi * (np.arcsin(x) + x * np.sqrt(1 - x * x)))


def polarisation(q: np.ndarray, w: np.ndarray, fermi: float, mass: float) -> np.ndarray:
    """-chi(q, iw) (Q, W) of free carriers of one flavour at wave numbers (Q,) and frequencies (Q, W)."""
    # m/2 pi [1 - Re sqrt((z + iu)^2 - 1)/z],  z = q/2k_F, u = m w/q k_F
    z = (q / (2 * fermi))[:, None]
    root = np.sqrt((z + 1j * mass * w / (q * fermi)[:, None]) ** 2 - 1)
    return np.asarray(mass / (2 * np.pi) * (1 - np.abs(root.real) / z))


def potentials(torus: Torus, fluids: list[Fluid], q: np.ndarray) -> np.ndarray:
    """z_a z_b v_ab(q) (Q, F, F) of all flavours, Ha_h a_h^2."""
    v = torus.bilayer.interaction.v
    return np.stack([np.stack([a.charge * b.charge * v(q, a.layer, b.layer) for b in fluids], -1) for a in fluids], -2)


def fermi_wave(torus: Torus, fluid: Fluid) -> float:
    """k_F of a flavour, 1/a_h."""
    return float(np.sqrt(4 * np.pi * fluid.count / torus.area))


def own_polarisation(waves: np.ndarray, w: np.ndarray, fluid: Fluid, area: float) -> np.ndarray:
    """-chi(q, iw) (Q, W) of the filled waves of a flavour on its torus, at waves q (Q, 2); complex under a twist."""
    half = np.sum(waves**2, axis=1) / 2
    found = np.zeros(w.shape, dtype=complex)
    for k in fluid.k:
        up, down = ((half + sign * (waves @ k))[:, None] / fluid.mass for sign in (1, -1))
        found += 1 / (up - 1j * w) + 1 / (down + 1j * w)
    return found / area


def ring_energy(torus: Torus, fluids: list[Fluid], q: np.ndarray, waves: np.ndarray | None = None) -> np.ndarray:
    """1/2 int dw/2 pi {ln det[1 - V chi] + tr V chi} (Q,) in Ha_h; of the torus' own chi at ``waves`` (Q, 2)."""
    v, fermi = potentials(torus, fluids, q), [fermi_wave(torus, f) for f in fluids]
    x, weight = np.polynomial.legendre.leggauss(FREQUENCIES)
    x = (1 + x) / 2
    # w = s x/(1 - x) about the larger one of plasmons and pairs
    plasma = sum(2 * np.pi * f.count / torus.area / f.mass for f in fluids) * q
    pairs = np.max([q * k / f.mass + q * q / (2 * f.mass) for k, f in zip(fermi, fluids, strict=True)], axis=0)
    scale = np.maximum(np.sqrt(plasma), pairs)[:, None]
    w, weight = scale * x / (1 - x), scale * weight / 2 / (1 - x) ** 2
    p = np.stack([polarisation(q, w, k, f.mass) if waves is None else own_polarisation(waves, w, f, torus.area)
                  for k, f in zip(fermi, fluids, strict=True)], -1)
    y = v[:, None] * p[:, :, None, :]
    log = np.linalg.slogdet(np.eye(len(fluids)) + y)[1]
    return np.asarray(np.sum(weight * (log - np.trace(y, axis1=-2, axis2=-1).real), axis=1) / (2 * np.pi))


def waves_within(cell: Cell, reach: float) -> np.ndarray:
    """The waves (Q, 2) of a torus up to ``reach``, but 0."""
    # |m_i| <= q |a_i|/2 pi
    most = (reach * np.linalg.norm(cell.vectors, axis=1) / (2 * np.pi)).astype(int) + 1
    m = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in most), indexing="ij"), axis=-1).reshape(-1, 2)
    found = m @ cell.reciprocal
    return np.asarray(found[np.any(m != 0, axis=1) & (np.linalg.norm(found, axis=1) < reach)])


def lengths(cell: Cell, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """The lengths of the waves of a torus up to ``reach``, but 0, and how many there are of each."""
    unit = np.linalg.norm(cell.reciprocal, axis=1).max()
    q = np.linalg.norm(waves_within(cell, reach), axis=1)
    found, number = np.unique(np.round(q / unit, 9), return_counts=True)
    return found * unit, number


def missing_waves(torus: Torus, fluids: list[Fluid]) -> float:
    """int F - sum F in Ha_h of the box; beyond the cut F is smooth and both are the same."""
    fermi = max(fermi_wave(torus, f) for f in fluids)
    # w_q = q^2/2m, where a plasmon ends
    bend = max((8 * np.pi * f.count / torus.area * f.mass) ** (1 / 3) for f in fluids)
    scale = min(max(CUT * fermi, 1.5 * bend), FURTHEST * fermi)

    def each(q: np.ndarray) -> np.ndarray:
        """F(q) of all, Ha_h."""
        found = ring_energy(torus, fluids, q)
        for f in fluids:
            v = torus.bilayer.interaction.v(q, f.layer, f.layer)
            found += f.count * v * structure(q, fermi_wave(torus, f)) / (2 * torus.area)
        return np.asarray(found * np.exp(-((q / scale) ** 4)))

    x, weight = np.polynomial.legendre.leggauss(WAVES)
    x, end = (1 + x) / 2, REACH * scale
    # int d^2q A/(2 pi)^2 with q = end x^2, which the root of q at 0 wants
    plane = torus.area / (2 * np.pi) * np.sum(weight * end * x * end * x * x * each(end * x * x))
    q, number = lengths(torus.box, end)
    return float(plane - np.sum(number * each(q)))


def shells_of(torus: Torus, fluids: list[Fluid]) -> float:
    """What the shells do to exchange and correlation, Ha_h of the box: by rings where all have several flavours."""
    flavours = [sum(g.species == f.species for g in fluids) for f in fluids]
    if min(flavours) < 2:
        return screened_shells(torus, fluids)
    scale = CUT * max(fermi_wave(torus, f) for f in fluids)
    waves = waves_within(torus.box, REACH * scale)
    q = np.linalg.norm(waves, axis=1)
    rings = ring_energy(torus, fluids, q) - ring_energy(torus, fluids, q, waves)
    return float(np.sum(rings * np.exp(-((q / scale) ** 4)))) + screened_shells(torus, fluids, 0.0, 0.0)


def screened_shells(torus: Torus, fluids: list[Fluid], own: float = OWN, others: float = 1.0) -> float:
    """X_S - X_N in Ha_h of the box; of bare exchange where ``own`` and ``others`` are 0."""
    total = 0.0
    for a, f in enumerate(fluids):
        k = fermi_wave(torus, f)
        q, number = lengths(torus.box, 2 * k)
        free = f.count * np.sum(number * screened(torus, fluids, a, q, own, others) * (structure(q, k) - 1))
        apart = np.linalg.norm(f.k[:, None] - f.k, axis=-1)[~np.eye(f.count, dtype=bool)]
        total += float(free + np.sum(screened(torus, fluids, a, apart, own, others))) / (2 * torus.area)
    return total


def screened(torus: Torus, fluids: list[Fluid], a: int, q: np.ndarray, own: float, others: float) -> np.ndarray:
    """W (Q,) between two carriers of flavour number ``a``."""
    v = potentials(torus, fluids, q)
    p = np.array([f.mass / (2 * np.pi) * (own if b == a else others) for b, f in enumerate(fluids)])
    # (1 + V Pi)^-1 V
    return np.asarray(np.linalg.solve(np.eye(len(fluids)) + v * p, v)[:, a, a])
