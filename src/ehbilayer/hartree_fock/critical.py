"""The monolayer's critical r_s: where the Wigner crystal's energy crosses the liquid's, in the same convention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.starts import How
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.orbitals import Orbitals
from ehbilayer.status import Status
from ehbilayer.torus import Torus
from ehbilayer.units import density_from_rs

BRACKET = (0.3, 30.0)  # r_s between which the crossing is looked for


def monolayer_energies(basis: PlaneWaveBasis, holes: int, zero_mode: str, *, spin: str = "polarized",
                       threads: int = 2) -> Callable[[float], tuple[float, float]]:
    """A function of r_s that returns (liquid, crystal) energies per particle in Ha_h of a single layer of holes.

    Both live on the torus of ``basis`` scaled to the density: the liquid with the given ``spin`` and open shells
    filled equally, the crystal polarised (spins on different sites hardly matter) with one band filled at every k.
    """
    supercell = crystal_cell(basis.box, holes)
    previous: list[Orbitals] = []

    def energies(rs: float) -> tuple[float, float]:
        layer = Bilayer((Carrier("hole", 1, 1.0, 0, density_from_rs(rs)),))
        free, localised = (Torus(layer, holes, shape=basis.box.vectors, zero_mode=zero_mode, hole_spin=s)
                           for s in (spin, "polarized"))
        here, how = PlaneWaveBasis(free.box, basis.waves, supercell), How(threads=threads)
        options = Options(start="liquid", keep="translations", occupation="shell", tolerance=1e-10, stability="none",
                          spectrum=False)
        liquid = solve(free, here, options, how)
        options = replace(options, start="crystal", keep="none", occupation="integer")
        crystal = solve(localised, here, options, how, initial=previous[-1] if previous else None)
        for name, end in (("liquid", liquid), ("crystal", crystal)):
            if end.status is not Status.converged:
                raise InputError("density.critical_rs", f"computable (the {name} did not converge at r_s = {rs:.3g})",
                                 end.status.value, "enlarge the basis, or give a number")
        previous[:] = [crystal.orbitals]
        return liquid.energy_per_particle, crystal.energy_per_particle

    return energies


def critical_rs(basis: PlaneWaveBasis, holes: int, zero_mode: str, *, spin: str = "polarized",
                tolerance: float = 1e-6, threads: int = 2) -> float:
    """r_s at which liquid and crystal of an isolated monolayer have equal Hartree-Fock energy.

    Parameters
    ----------
    basis : waves and box shape; its area does not matter.
    holes : particles in the box.
    zero_mode : ``none`` or ``madelung``; it matters through the open shells of the liquid only.
    spin : of the liquid: ``polarized``, or ``restricted`` for a spin-degenerate one.
    tolerance : of r_s.

    Raises
    ------
    InputError : no crossing within BRACKET.
    """
    from scipy.optimize import brentq

    energies = monolayer_energies(basis, holes, zero_mode, spin=spin, threads=threads)

    def difference(rs: float) -> float:
        liquid, crystal = energies(rs)
        return (crystal - liquid) * rs

    low, high = BRACKET
    if difference(low) <= 0 or difference(high) >= 0:
        raise InputError("density.critical_rs", f"computable: a crossing between r_s = {low} and {high}", "none found",
                         "enlarge the basis, or give a number")
    return float(brentq(difference, low, high, xtol=tolerance, rtol=1e-9))
