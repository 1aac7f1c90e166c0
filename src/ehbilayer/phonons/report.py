"""What phonons say about one crystal: branches, stability, quantum fluctuation, melting, and where a saddle leads.

Lengths of the result are in a_h; frequencies in sqrt(e^2/(m_h L^3)) with L the spacing d, or a = 1/sqrt(pi n) where
there is one layer (`length_unit`), so that they do not depend on hbar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from ehbilayer.crystal.record import capacitor_energy, charged, crystal_data, told_interaction
from ehbilayer.crystal.relaxation import RELAX, Relaxed, relax
from ehbilayer.crystal.result import cell_shape
from ehbilayer.crystal.structures import Crystal
from ehbilayer.crystal.symmetry import identify
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.interaction.lattice_sums.charges import PointCharges
from ehbilayer.numerics.lattice import path_points
from ehbilayer.phonons import melting
from ehbilayer.phonons.modes import TOLERANCE, Phonons, signed_root, sound
from ehbilayer.phonons.result import Followed, MeltingPoint, PhononsResult, PlasmonLaw, SoftMode, SoundSpeeds
from ehbilayer.phonons.zone import ZoneMesh, density_of_states, fluctuation, mesh, sample, softest
from ehbilayer.results.base import Variable
from ehbilayer.status import Status

AT_REST = 1e-9  # largest force in units of e^2/a^2
FOLLOWED = (1, 2, 3, 4)  # cells along each vector in which a saddle is left
PUSH = 0.05  # of the length unit: how far a saddle is left before relaxing
ROUNDS, LARGEST_FOLLOWED = 3, 64  # how often, and up to how many charges per cell
MESH_CHARGES = 48  # mesh size for three charges; larger cells have smaller zones


@dataclass(frozen=True)
class Options:
    """How phonons are computed.

    Parameters
    ----------
    lindemann : threshold of the ratio.
    mesh : points of the zone's mesh along each reciprocal vector; None: 48 for three charges, fewer for more.
    points : per segment of the path.
    tolerance : relative, of the averages over the zone.
    follow : leave an unstable crystal along its lowest mode and relax.
    relax : how a crystal is brought to rest, "none", "positions" or "cell"; what follows a mode relaxes in any case.
    quantum : whether hbar has a meaning, i.e. lengths are really in a_h; else only frequencies and melting lines do.
    capacitor : add the capacitor energy of charged layers.
    """

    lindemann: float = melting.THRESHOLD
    mesh: int | None = None
    points: int = 40
    tolerance: float = 1e-6
    follow: bool = False
    relax: str = "cell"
    quantum: bool = True
    capacitor: bool = False

    def __post_init__(self) -> None:
        for name, good, must in (("lindemann", 0 < self.lindemann <= 1, "a threshold between 0 and 1"),
                                 ("mesh", self.mesh is None or self.mesh >= 2, "an integer >= 2"),
                                 ("points", self.points >= 2, "an integer >= 2"),
                                 ("tolerance", 0 < self.tolerance < 1, "a relative error between 0 and 1"),
                                 ("relax", self.relax in RELAX, " | ".join(RELAX))):
            if not good:
                raise InputError(name, must, getattr(self, name), "leave it out for the default")


@dataclass(frozen=True)
class Scan:
    """A family of crystals at rest: make(a/d, spacing)."""

    make: Callable[[float, float], Crystal]
    a_over_d: np.ndarray


def solve(start: Crystal, name: str, masses: dict[str, float], options: Options, hooks: Hooks,
          a_over_d: np.ndarray | None = None) -> PhononsResult:
    """Bring a crystal to rest and compute its phonons.

    Parameters
    ----------
    start : the crystal.   name : what it is called.
    masses : of each species, m/m_h.
    options, hooks : see there.
    a_over_d : also bring the crystal to rest at these values, for Gamma frequencies and melting lines.

    Returns
    -------
    PhononsResult, see `compute`; not_converged also where the crystal did not come to rest.

    Raises InputError as `compute`.
    """
    def at_rest(crystal: Crystal) -> Relaxed:
        return relax(crystal, options.relax, should_stop=hooks.should_stop)

    hooks.progress("bringing the crystal to rest")
    rest = at_rest(start)
    if rest.stopped:
        return PhononsResult(status=rest.stopped, structure=None, start=name)
    scan = None if a_over_d is None else Scan(
        lambda x, d: at_rest(start.scaled(x * d, d)).crystal, a_over_d)
    result = compute(rest.crystal, masses, options, hooks, scan, name)
    moving = options.relax != "none" and not rest.converged and result.status is Status.converged
    return replace(result, status=Status.not_converged) if moving else result


def compute(crystal: Crystal, masses: dict[str, float], options: Options, hooks: Hooks, scan: Scan | None = None,
            name: str | None = None) -> PhononsResult:
    """Phonons of a crystal.

    Parameters
    ----------
    crystal : at rest (the status says so if it is not).
    masses : of each species, m/m_h.
    options, hooks : see there.
    scan : also compute Gamma frequencies and melting lines along a/d.
    name : of the structure that was brought to rest.

    Returns
    -------
    PhononsResult: converged, also for an unstable crystal (``stable`` is false then); not_converged if the crystal is
    not at rest or an average missed its tolerance; interrupted or timeout if it was stopped.

    Raises InputError as `Phonons`.
    """
    crystal, dipoles = melting.pair_up(crystal)
    work = _Work(Phonons(crystal, masses), dipoles, options, hooks)
    status = work.run(scan)
    structure = identify(crystal).label
    return PhononsResult(status=status, structure=structure, start=structure if name is None else name, **work.found,
                         inputs=told_interaction(crystal.interaction) | ({} if name is None else {"structure": name}),
                         data=work.data)


class _Work:
    """One calculation: fills ``found``, the fields of the result, and ``data`` step by step."""

    def __init__(self, phonons: Phonons, dipoles: np.ndarray, options: Options, hooks: Hooks) -> None:
        self.phonons, self.dipoles, self.options, self.hooks = phonons, dipoles, options, hooks
        c = phonons.crystal
        self.length, self.letter = c.spacing or c.length, "d" if c.spacing else "a"
        self.unit = f"sqrt(e^2/(m_h {self.letter}^3))"
        self.per_cell = c.holes or c.electrons
        self.frequency = self.length**-1.5  # Ha_h, of one unit
        self.capacitor = capacitor_energy(c) / self.per_cell * self.length if charged(c, options.capacitor) else 0.0
        self.found: dict[str, Any] = {}
        self.data = crystal_data(c)
        self.settled = True

    def run(self, scan: Scan | None) -> Status:
        """All steps in order."""
        self._rest()
        self.hooks.progress("branches along the path")
        self._branches()
        stopped = self._zone() or self._motion()
        if stopped is None and scan is not None:
            stopped = self._scan(scan)
        if stopped is None and self.options.follow and not self.found["stable"]:
            self.hooks.progress("following the lowest mode")
            stopped = self._follow()
        if stopped is not None:
            return stopped
        return Status.converged if self.settled else Status.not_converged

    def _rest(self) -> None:
        c = self.phonons.crystal
        sums = PointCharges(c.vectors, c.charges, c.heights, TOLERANCE, c.medium)
        energy, forces = sums.energy_and_forces(c.positions)
        largest = float(np.max(np.linalg.norm(forces, axis=1))) * c.length**2
        self.settled = largest < AT_REST
        self.found |= {"length_unit": self.letter, "length_unit_a_h": self.length,
                       "a_over_d": c.length / c.spacing if c.spacing else None,
                       "energy_per_hole": energy / self.per_cell * self.length + self.capacitor,
                       "capacitor_per_hole": self.capacitor, "energy_unit": f"e^2/{self.letter}",
                       "max_force": largest * (self.length / c.length) ** 2, "force_unit": f"e^2/{self.letter}^2",
                       "at_rest": self.settled, "charges": len(c.species),
                       "masses": {s: self.phonons.masses[s] for s in sorted(set(c.species))}}

    def _branches(self) -> None:
        p, unit = self.phonons, self.unit
        q, where, marks = path_points(p.cell, self.options.points)
        omega = p.frequencies(q)
        omega[np.abs(omega) < 1e-7 * np.max(np.abs(omega))] = 0.0  # round-off at q = 0
        law = sound(p)
        self.found |= {"gamma_frequencies": p.gamma / self.frequency, "frequency_unit": unit,
                       "sound": SoundSpeeds(law.slowest, law.fastest, law.longitudinal),
                       "plasmon": PlasmonLaw(law.plasmon, law.expected)}
        self.data |= {
            "q_path": Variable(("path", "xy"), q, "1/a_h", "wave vectors along the path"),
            "path": Variable(("path",), where, "1/a_h", "distance along the path"),
            "corner": Variable(("corner",), np.array([x for x, _ in marks]), "1/a_h", "corners of the path"),
            "corner_name": Variable(("corner",), np.array([name for _, name in marks]), "1", "their names"),
            "frequencies": Variable(("path", "branch"), omega / self.frequency, unit,
                                    "branches, unstable ones negative"),
            "velocities": Variable(("path", "branch", "xy"), p.velocities(q), "a_h Ha_h", "group velocities"),
            "gamma": Variable(("branch",), p.gamma / self.frequency, unit, "frequencies at q -> 0"),
            "gamma_displacements": Variable(("branch", "charge", "xy"), p.displacements, "1",
                                            "how the charges move then, sum of m |u|^2 = m_h")}

    def _zone(self) -> Status | None:
        p = self.phonons
        size = self.options.mesh or default_mesh(len(p.mass))
        self.hooks.progress(f"{size} x {size} wave vectors of the zone")
        grid = sample(p, size, self.hooks.should_stop)
        if grid is None:
            return self.hooks.should_stop() or Status.interrupted
        low = softest(p, grid)
        unit, b = self.unit, np.linalg.inv(p.cell.reciprocal)
        self.found |= {
            "stable": low.stable, "lowest_frequency": low.frequency / self.frequency, "lowest_at": low.at @ b,
            "soft_mode": None if low.soft_at is None or low.soft_frequency is None else
            SoftMode(low.soft_frequency / self.frequency, tuple(low.soft_at @ b)), "mesh": size}
        edges, modes = density_of_states(ZoneMesh(grid.q, grid.squared / self.frequency**2))
        self.data |= {
            "q_mesh": Variable(("mesh_1", "mesh_2", "xy"), grid.q, "1/a_h", "mesh over the zone"),
            "mesh_frequencies": Variable(("mesh_1", "mesh_2", "branch"), signed_root(grid.squared) / self.frequency,
                                         unit, "branches on the mesh"),
            "dos_edge": Variable(("edge",), edges, unit, "edges of the bins"),
            "dos": Variable(("bin",), modes, f"1/{unit}", "modes per cell and frequency")}
        return None

    def _motion(self) -> Status | None:
        """Zero-point energy, displacements and Lindemann ratios; null for an unstable crystal."""
        empty: dict[str, Any] = dict.fromkeys(melting.GROUPS)
        self.found |= {"rms_displacement": empty, "neighbour_distance": empty, "lindemann": empty, "melts": empty,
                       "threshold": self.options.lindemann}
        if not self.found["stable"]:
            return None
        self.hooks.progress("zero-point motion")
        p, crystal = self.phonons, self.phonons.crystal
        motion = fluctuation(p, self.options.tolerance, self.hooks.should_stop)
        if motion is None or not motion.converged:
            self.settled = False
        if motion is None:
            return self.hooks.should_stop()
        found = melting.groups(crystal, self.dipoles, p.masses)
        self.found |= {"zero_point_error": motion.error, "zone_points": motion.points,
                       "neighbour_distance": empty | {k: g.neighbour for k, g in found.items()}}
        size = melting.displacements(crystal, found, motion, p.masses)
        ratio = {k: v / found[k].neighbour for k, v in size.items()}
        # the ratio goes as length^(-1/4) at a fixed shape, of bare charges
        grown = {k: (v / self.options.lindemann) ** 4 for k, v in ratio.items()}
        if crystal.interaction is None:
            self.found["melting"] = {k: MeltingPoint(g * crystal.spacing, g * crystal.length)
                                     for k, g in grown.items()}
        if self.options.quantum:
            self.found |= {"zero_point_energy_per_hole": motion.energy / self.per_cell,
                           "rms_displacement": empty | size, "lindemann": empty | ratio,
                           "melts": empty | {k: v > self.options.lindemann for k, v in ratio.items()}}
            self.data["covariance"] = Variable(("charge", "xy", "charge_2", "xy_2"), motion.covariance, "a_h^2",
                                               "<u_ia u_jb> of the zero-point motion")
        return None

    def _scan(self, scan: Scan) -> Status | None:
        """Gamma frequencies (Dai & Fu, Fig. 2) and melting lines along a/d."""
        values, p = scan.a_over_d, self.phonons

        def step(i: int) -> Status | None:
            self.hooks.progress(f"a/d = {values[i]:.4g} ({i + 1} of {len(values)})")
            return self.hooks.should_stop()

        make, d = cache(scan.make), 1.0 if p.crystal.interaction is None else p.crystal.spacing
        lines = melting.melting_lines(lambda x: make(x, d), values, p.masses, self.options.lindemann, step=step) \
            if p.crystal.interaction is None else \
            melting.screened_lines(make, values, d, p.masses, self.options.lindemann, step=step)
        if lines is None:
            return self.hooks.should_stop() or Status.interrupted
        gamma = np.array([Phonons(make(float(x), d), p.masses).gamma for x in values]) * d**1.5
        known = np.any([np.isfinite(c) for c in lines.strength.values()], axis=0)
        self.settled = self.settled and bool(np.all(known[lines.stable]))
        self.data |= {"scan_a_over_d": Variable(("scan",), values, "1", "a/d"),
                      "scan_gamma": Variable(("scan", "branch"), gamma, "sqrt(e^2/(m_h d^3))", "frequencies at q -> 0"),
                      "scan_stable": Variable(("scan",), lines.stable, "1", "in the whole zone")}
        for name in melting.GROUPS:
            if np.any(np.isfinite(lines.strength[name])):
                self.data |= {f"melting_spacing_{name}": Variable(("scan",), lines.spacing(name), "a_h",
                                                                  f"d at which the ratio of {name} is the threshold"),
                              f"melting_length_{name}": Variable(("scan",), lines.length(name), "a_h", "a there")}
        return None

    def _follow(self) -> Status | None:
        """Leave the saddle, relax, and again while the end is a saddle and cells stay small; a status if stopped."""
        how = "cell" if self.options.relax == "none" else self.options.relax
        p, cells, stable, rounds = self.phonons, np.ones(2, dtype=int), False, 0
        while not stable and rounds < ROUNDS and len(p.mass) <= LARGEST_FOLLOWED:
            start, more = leave_saddle(p, PUSH * self.length)
            end = relax(start, how, should_stop=self.hooks.should_stop)
            if end.stopped:
                return end.stopped
            crystal, dipoles = melting.pair_up(end.crystal)
            p, cells, rounds = Phonons(crystal, p.masses), cells * more, rounds + 1
            grid = sample(p, max(2, default_mesh(len(p.mass)) // 2), self.hooks.should_stop)
            if grid is None:
                return self.hooks.should_stop() or Status.interrupted
            stable = softest(p, grid).stable
            if not end.converged:
                self.settled = False
                break
        holes = crystal.holes or crystal.electrons
        self.found["followed"] = Followed(
            tuple(cells.tolist()), rounds, stable, end.converged, end.energy / holes * self.length + self.capacitor,
            end.max_force * self.length**2, identify(crystal).label, len(dipoles) / holes, cell_shape(crystal))
        self.data |= crystal_data(crystal, "followed_")
        return None


def default_mesh(charges: int) -> int:
    """An even mesh size: 48 for up to three charges, as dense in larger cells' smaller zones, never below 6."""
    return max(6, 2 * round(MESH_CHARGES / 2 * min(1.0, (3 / charges) ** 0.5)))


def leave_saddle(phonons: Phonons, push: float) -> tuple[Crystal, int]:
    """A crystal displaced along its most unstable mode, in the smallest square of cells that holds it.

    ``push`` is the largest displacement of a charge, a_h. Returns it and the number of cells along each vector: of 1
    to 4 the first whose lowest mode has nine tenths of the lowest omega^2 among them all.
    """
    trials = []
    for n in FOLLOWED:
        q = mesh(phonons.cell, n).reshape(-1, 2)
        squared, e = phonons.modes(q)
        i = int(np.argmin(squared[:, 0]))
        trials.append((float(squared[i, 0]), n, q[i], e[i, :, 0]))
    deepest = min(t[0] for t in trials)
    _, n, q, mode = next(t for t in trials if t[0] <= 0.9 * deepest)
    cell = phonons.crystal.moved(phonons.cell.vectors, phonons.crystal.positions)  # the same lattice
    large = cell.repeated(np.diag([n, n]))
    move = np.tile(mode.reshape(-1, 2) / np.sqrt(phonons.mass)[:, None], (n * n, 1))
    wave = move * np.exp(1j * large.positions @ q)[:, None]
    wave = (wave * np.exp(-1j * np.angle(wave.ravel()[np.argmax(np.abs(wave))]))).real  # real where it is largest
    return large.moved(large.vectors, large.positions + push * wave / np.max(np.linalg.norm(wave, axis=1))), n
