"""What an electron-hole complex is: exciton, trion, biexciton; its charges, spins, break-up, and where it reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.few_body.exciton import Exciton, check, solve_exciton, solve_pair
from ehbilayer.few_body.gaussians import Charges, Functions
from ehbilayer.interaction.screened import Screened
from ehbilayer.model import Bilayer, require_electrons_and_holes

COMPOSITIONS = {"exciton": (1, 1), "trion-": (2, 1), "trion+": (1, 2), "biexciton": (2, 2)}  # electrons, holes
SPINS = ("singlet", "triplet")


@dataclass(frozen=True)
class Complex:
    """A complex of electrons in one layer and holes in the other; made by `make_complex`.

    Parameters
    ----------
    name : exciton, trion- (two electrons), trion+ (two holes) or biexciton.
    spin : of the identical particles: ``singlet`` (symmetric in space), ``triplet`` (antisymmetric), None for the
        exciton. In the biexciton it holds for the electrons and for the holes.
    electron_mass : m_e/m_h.
    spacing : d in a_h.
    angular_momentum : 0 or 1, in the plane.
    screened : the interaction at this spacing; None is Coulomb's.
    """

    name: str
    spin: str | None
    electron_mass: float
    spacing: float
    angular_momentum: int
    screened: Screened | None = None

    @property
    def electrons(self) -> int:
        return COMPOSITIONS[self.name][0]

    @property
    def holes(self) -> int:
        return COMPOSITIONS[self.name][1]

    @cached_property
    def charges(self) -> Charges:
        """The particles: first those of which there are more (electrons if equally many)."""
        electrons_first = self.electrons >= self.holes
        charges = (-1,) * self.electrons + (1,) * self.holes if electrons_first else (1,) * self.holes + (-1,)
        masses = tuple(self.electron_mass if q < 0 else 1.0 for q in charges)
        groups = (tuple(i for i, q in enumerate(charges) if q == sign) for sign in (charges[0], charges[-1]))
        identical = tuple(g for g in groups if len(g) > 1)
        return Charges(masses, charges, tuple(int(q > 0) for q in charges), self.spacing, identical,
                       tuple(-1 if self.spin == "triplet" else 1 for _ in identical), self.angular_momentum,
                       self.screened)

    @property
    def exciton(self) -> Exciton:
        """One exciton of the same device."""
        return solve_exciton(self.electron_mass, self.spacing, self.screened)

    @property
    def excitons(self) -> int:
        """How many excitons the lowest break-up leaves: free carriers (0), exciton + carrier (1), two excitons (2)."""
        return min(self.electrons, self.holes) if self.name != "exciton" else 0

    @property
    def threshold(self) -> float:
        """Energy of the lowest break-up in Ha_h."""
        return self.excitons * self.exciton.energy if self.excitons else 0.0

    @cached_property
    def floor(self) -> float:
        """A lower bound of the energy (Ha_h): kinetic energies shared among the attractions, no repulsion.

        A trion- is then two excitons with holes of twice the mass, a biexciton four with all masses doubled.
        """
        shared_by = {"electron": self.holes, "hole": self.electrons}
        electron, hole = self.electron_mass * shared_by["electron"], 1.0 * shared_by["hole"]
        if self.screened is not None:
            return self.electrons * self.holes * solve_pair(electron * hole / (electron + hole), self.spacing,
                                                            self.screened).energy
        # an exciton with a hole of mass M: lengths shrink by M, energies grow by M
        return self.electrons * self.holes * hole * solve_exciton(electron / hole, self.spacing * hole).energy

    @property
    def outer_mass(self) -> float:
        """Reduced mass of the two parts of the lowest break-up, in units of the hole mass."""
        me, pair = self.electron_mass, 1 + self.electron_mass
        return {"exciton": me / pair, "trion-": me * pair / (me + pair), "trion+": pair / (1 + pair),
                "biexciton": pair / 2}[self.name]

    @property
    def tail(self) -> tuple[float, float]:
        """c_3 (Ha_h a_h^3) and c_4 (Ha_h a_h^4) of the potential c_3/R^3 - c_4/R^4 between the parts, R their distance.

        Trion: c_3 = d^2/2 +- (m_h - m_e)/(m_h + m_e) <r^2>/4 (+ for electrons outside): dipole, and quadrupole because
        the two charges of the exciton have clouds of different size; c_4 = alpha/2. Biexciton: c_3 = d^2. In a screened
        interaction d^2/2 is B of `Screened.far_dipole`, of the pairs that differ; gates leave no field of a charge that
        clouds or a polarisability would feel in these orders.
        """
        d, x, screened = self.spacing, self.exciton, self.screened
        far = [d * d / 2] * 2 if screened is None else \
            [screened.far_dipole(0, 1) - screened.far_dipole(a, a) for a in (0, 1)]
        if self.name == "biexciton":
            return far[0] + far[1], 0.0
        outside = far[0] if self.name == "trion-" else far[1]
        if screened is not None and screened.finite:
            return outside, 0.0
        clouds = (1 - self.electron_mass) / (1 + self.electron_mass) * x.mean_square / 4
        return outside + (clouds if self.name == "trion-" else -clouds), x.polarisability / 2

    def draw(self, count: int, reach: float, rng: np.random.Generator) -> Functions:
        """Random Gaussians for the search, in equal parts

        - prod exp(-r_ij^2/2 b_ij^2), b log-uniform around the size of the exciton, and for one pair also narrow, where
          the Coulomb interaction makes cusps;
        - products of excitons and a Gaussian exp(-R^2/2 B^2) in the distance R of the parts of the lowest break-up, B
          in steps of two up to ``reach`` (a_h). Equal B let the exciton be built up far away.
        """
        size, arms = self.exciton.mean_distance, self.charges.arms
        narrow, near = 0.002 * size + 0.05 * min(self.spacing, size), min(reach, 15 * size)
        b = _log_uniform(rng, 0.3 * size, near, (count, len(arms)))
        b[np.arange(count), rng.integers(0, len(arms), count)] = _log_uniform(rng, narrow, near, (count,))
        widths = np.einsum("kp,pi,pj->kij", b**-2.0, arms, arms)
        vectors = rng.normal(size=(count, self.charges.dimension))
        vectors *= np.sqrt(np.trace(widths, axis1=1, axis2=2))[:, None]
        half = count // 2
        inner, outer = self._parts
        steps = max(math.log2(reach / size), 0.0)
        far = reach / 2.0 ** np.floor(rng.uniform(0, steps + 1, half))
        b = _log_uniform(rng, narrow, 4 * size, (half, len(inner)))
        widths[:half] = np.einsum("kp,pi,pj->kij", b**-2.0, inner, inner)
        widths[:half] += far[:, None, None] ** -2.0 * np.outer(outer, outer)
        vectors[:half] = outer
        return Functions(widths, vectors)

    @cached_property
    def _parts(self) -> tuple[np.ndarray, np.ndarray]:
        """The excitons of the lowest break-up (their arms), and the arm from one part to the other."""
        system = self.charges
        m, n = np.array(system.masses), len(system.masses)
        bound = [(0, n - 1)] if n == 3 else [(0, 2), (1, 3)]  # each of the first kind with one of the last
        weights = np.zeros(n)
        for part, sign in (((bound[0]), 1), ((1,) if n == 3 else bound[1], -1)):
            weights[list(part)] = sign * m[list(part)] / m[list(part)].sum()
        inner = np.array([system.arms[system.pairs.index(pair)] for pair in bound])
        return inner, weights @ np.linalg.pinv(system.relative)


def _log_uniform(rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...]) -> np.ndarray:
    return np.exp(rng.uniform(math.log(low), math.log(max(high, low * 1.01)), shape))


def make_complex(name: str, spin: str | None, electron_mass: float, spacing: float,
                 angular_momentum: int | None = None, screened: Screened | None = None) -> Complex:
    """The complex, with what is not said filled in: singlet; angular momentum 1 for triplet trions, else 0.

    A ``screened`` interaction is moved to this spacing.

    Raises
    ------
    InputError : no such complex, a spin or angular momentum that it cannot have, a mass <= 0, a spacing < 0.
    """
    if name not in COMPOSITIONS:
        raise InputError("complex", " | ".join(COMPOSITIONS), name, "choose one of these")
    if name == "exciton" and spin is not None:
        raise InputError("spin", "absent for an exciton, whose energy does not depend on spin", spin,
                         "remove it, or choose a trion or biexciton")
    if spin not in (None, *SPINS):
        raise InputError("spin", " | ".join(SPINS), spin, "choose one of these")
    if angular_momentum not in (None, 0, 1) or (angular_momentum == 1 and not name.startswith("trion")):
        raise InputError("angular_momentum", "0, or 1 for a trion", angular_momentum, "leave it out")
    check(electron_mass, spacing)
    spin = None if name == "exciton" else spin or "singlet"
    if angular_momentum is None:
        angular_momentum = int(spin == "triplet" and name.startswith("trion"))
    return Complex(name, spin, float(electron_mass), float(spacing), angular_momentum,
                   None if screened is None else replace(screened, spacing=float(spacing)))


def complex_of(bilayer: Bilayer, name: str, spin: str | None = None, angular_momentum: int | None = None,
               spacing: float | None = None) -> Complex:
    """The complex in a bilayer, whatever its densities; at another spacing (a_h) where one is given.

    Raises
    ------
    InputError : an interaction of one's own, carriers other than electrons and holes with k^2/2m, and as
        `make_complex`.
    """
    require_electrons_and_holes(bilayer, "few_body", screened=True)
    screened = bilayer.interaction if isinstance(bilayer.interaction, Screened) else None
    return make_complex(name, spin, bilayer.mass_ratio, bilayer.spacing if spacing is None else spacing,
                        angular_momentum, screened)
