"""Small systems shared by the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import hexagon_waves, rectangle_waves
from ehbilayer.condensate import radial
from ehbilayer.condensate.radial import Pairs
from ehbilayer.condensate.result import PlaneCondensateResult
from ehbilayer.hamiltonian import STANDARD, Hamiltonian
from ehbilayer.hartree_fock.guesses import guess
from ehbilayer.interaction.base import Interaction
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import Cell, box_of_shape, crystal_cell
from ehbilayer.numerics.minimize import orthonormalise
from ehbilayer.terms import Setting, Term, TermOf
from ehbilayer.torus import Torus


class Species(NamedTuple):
    """A carrier with its number in a box; the density follows from the box."""

    name: str
    charge: int
    mass: float
    layer: int
    count: int
    flavours: int = 2
    spin: str = "polarized"
    dispersion: Callable[[np.ndarray], np.ndarray] | None = None


def torus_of(species: tuple[Species, ...], spacing: float, zero_mode: str, capacitor: bool = False, *,
             box: Cell | float = 100.0, interaction: Interaction | None = None) -> Torus:
    """These carriers in a box (a triangular one of that area where it is a number)."""
    area = box.area if isinstance(box, Cell) else box
    carriers = tuple(Carrier(s.name, s.charge, s.mass, s.layer, s.count / area, s.flavours, s.dispersion)
                     for s in species)
    spins = {"electron_spin" if s.charge < 0 else "hole_spin": s.spin for s in species}
    holes = next((s.count for s in species if s.charge > 0 and s.count), None)
    electrons = None if holes else next(s.count for s in species if s.charge < 0)
    return Torus(Bilayer(carriers, interaction or Coulomb(spacing)), holes, electrons,
                 box.vectors if isinstance(box, Cell) else "triangular", zero_mode=zero_mode, capacitor=capacitor,
                 **spins)


def trions(holes: int = 4, zero_mode: str = "none", spin: str = "restricted", capacitor: bool = False,
           rs: float = 8.0) -> Torus:
    """Two electrons per polarised hole, m_e = 2 m_h, the published spacing, in the rectangular box."""
    return torus_of((Species("electron", -1, 2.0, 0, 2 * holes, spin=spin), Species("hole", 1, 1.0, 1, holes)), 4.83,
                    zero_mode, capacitor, box=box_of_shape("rectangular", holes * np.pi * rs**2))


def small_basis(kind: str, holes: int = 4, rs: float = 8.0, waves: tuple[int, int] = (13, 11)) -> PlaneWaveBasis:
    """The rectangular box (kind "box") or its primitive k mesh ("crystal")."""
    box = box_of_shape("rectangular", holes * np.pi * rs**2)
    return PlaneWaveBasis(box, rectangle_waves(*waves), crystal_cell(box, holes) if kind == "crystal" else None)


def triangular_basis(holes: int, rs: float, steps: int, crystal: bool = True) -> PlaneWaveBasis:
    box = box_of_shape("triangular", holes * np.pi * rs**2)
    return PlaneWaveBasis(box, hexagon_waves(box, steps), crystal_cell(box, holes) if crystal else None)


def directions(hamiltonian: Hamiltonian, seed: int = 5) -> tuple[np.ndarray, ...]:
    """Random frames of unit length, one for each channel, of the Hamiltonian's basis."""
    setting, rng, out = hamiltonian.setting, np.random.default_rng(seed), []
    for c, (filling, channel) in enumerate(zip(setting.fillings, setting.channels, strict=True)):
        size = len(channel.components) * setting.basis.coefficients
        d = rng.standard_normal((1, *filling.f.shape, size))
        if not setting.basis.real:
            mask = setting.basis.mask[filling.blocks][None, :, None]
            d = setting.join(setting.split(d + 1j * rng.standard_normal(d.shape), c) * mask, c)
        out.append(d / np.linalg.norm(d))
    return tuple(out)


def slope_along(hamiltonian: Hamiltonian, x: tuple[np.ndarray, ...], d: tuple[np.ndarray, ...]) -> float:
    """dE(x + t d)/dt from the Fock operator, 2 Re <d|F x> over all occupied orbitals."""
    setting = hamiltonian.setting
    weights = [channel.degeneracy * f.f[None, :, :, None]
               for channel, f in zip(setting.channels, setting.fillings, strict=True)]
    return float(sum(2 * np.sum((q.conj() * w * p).real)
                     for q, w, p in zip(d, weights, hamiltonian.evaluate(x).fock, strict=True)))


def slope_by_differences(hamiltonian: Hamiltonian, x: tuple[np.ndarray, ...], d: tuple[np.ndarray, ...],
                         h: float = 1e-4) -> float:
    """The same from energies at x +- h d."""
    up, down = (hamiltonian.evaluate(tuple(p + s * h * q for p, q in zip(x, d, strict=True))).energy[0]
                for s in (1, -1))
    return float((up - down) / (2 * h))


def named(hamiltonian: Hamiltonian, name: str) -> Term:
    """The term of that name."""
    return next(t for t in hamiltonian.terms if t.name == name)


def random_state(torus: Torus, basis: PlaneWaveBasis, seed: int = 1, start: str = "random",
                 occupation: str = "integer", noise: float = 0.4,
                 terms: tuple[TermOf, ...] = STANDARD) -> tuple[Hamiltonian, tuple[np.ndarray, ...]]:
    """A Hamiltonian and orthonormal frames with one batch entry, far from any symmetry."""
    begin = guess(torus, basis, start, seed=seed, occupation=occupation, noise=noise)
    setting = Setting(basis, Fourier(), [torus], begin.fillings)
    return Hamiltonian(setting, terms), tuple(orthonormalise(np, x[None]) for x in begin.frames)


def plane_pairs(mass_ratio: float, spacing: float, density: float, flavours: int = 1, capacitor: bool = False) -> Pairs:
    """Pairs of the infinite plane, all flavours together of this density."""
    electron, hole = (Carrier(name, charge, mass, layer, density, flavours)
                      for name, charge, mass, layer in (("electron", -1, mass_ratio, 0), ("hole", 1, 1.0, 1)))
    return Pairs(Bilayer((electron, hole), Coulomb(spacing)), flavours, capacitor)


def solve_plane(mass_ratio: float, spacing: float, density: float, *, flavours: int = 1, capacitor: bool = False,
                **how: Any) -> PlaneCondensateResult:
    """`condensate.radial.solve` of `plane_pairs`."""
    return radial.solve(plane_pairs(mass_ratio, spacing, density, flavours, capacitor), **how)
