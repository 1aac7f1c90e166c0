"""Small systems shared by the tests."""

from __future__ import annotations

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis, hexagon_waves, rectangle_waves
from ehbilayer.hamiltonian import Hamiltonian
from ehbilayer.hartree_fock.guesses import guess
from ehbilayer.model import Bilayer, Species
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.lattice import box_of_shape, crystal_cell
from ehbilayer.numerics.minimize import orthonormalise
from ehbilayer.terms import Setting


def trions(holes: int = 4, zero_mode: str = "none", spin: str = "restricted", capacitor: bool = False) -> Bilayer:
    """Two electrons per polarised hole, m_e = 2 m_h, the published spacing."""
    return Bilayer((Species("electron", -1, 2.0, 0, 2 * holes, spin=spin), Species("hole", 1, 1.0, 1, holes)), 4.83,
                   zero_mode, capacitor)


def small_basis(kind: str, holes: int = 4, rs: float = 8.0, waves: tuple[int, int] = (13, 11)) -> PlaneWaveBasis:
    """The rectangular box (kind "box") or its primitive k mesh ("crystal")."""
    box = box_of_shape("rectangular", holes * np.pi * rs**2)
    return PlaneWaveBasis(box, rectangle_waves(*waves), crystal_cell(box, holes) if kind == "crystal" else None)


def triangular_basis(holes: int, rs: float, steps: int, crystal: bool = True) -> PlaneWaveBasis:
    box = box_of_shape("triangular", holes * np.pi * rs**2)
    return PlaneWaveBasis(box, hexagon_waves(box, steps), crystal_cell(box, holes) if crystal else None)


def random_state(bilayer: Bilayer, basis: PlaneWaveBasis, seed: int = 1, start: str = "random",
                 occupation: str = "integer") -> tuple[Hamiltonian, tuple[np.ndarray, ...]]:
    """A Hamiltonian and orthonormal frames with one batch entry, far from any symmetry."""
    begin = guess(bilayer, basis, start, seed=seed, occupation=occupation, noise=0.4)
    setting = Setting(basis, Fourier(), [bilayer], np.array([basis.box.area]), begin.fillings)
    return Hamiltonian(setting), tuple(orthonormalise(np, x[None]) for x in begin.frames)
