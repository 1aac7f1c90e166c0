"""Direct (Hartree) energy: E = 1/2 sum_cc' z_c z_c' sum_{G != 0} v(G) rho_c(G) rho_c'(-G) / A, plus the capacitor.

rho_c(G) = g_c sum_p f_p <p| exp(-i G r) |p>. A neutralising background in each layer removes G = 0.
"""

from __future__ import annotations

import numpy as np

from ehbilayer.model import Bilayer
from ehbilayer.terms import Action, Array, Setting, State


class Direct:
    """Classical interaction of all charge densities, within and between layers."""

    name = "direct"

    def __init__(self, setting: Setting) -> None:
        self.setting, basis = setting, setting.basis
        _, q = basis.transfers
        unit_q = q[0]  # G vectors of the cell
        self._present = np.isfinite(unit_q)
        # half-plane frequencies of real grids stand for G and -G
        self._weight = np.full(unit_q.shape[-1], 1.0)
        if basis.real:
            self._weight[1:] = 2.0
            if basis.shape[1] % 2 == 0:
                self._weight[-1] = 1.0
        count = len(setting.channels)
        shape = (len(setting.bilayers), count, count, *unit_q.shape)
        v, slope = np.zeros(shape), np.zeros(shape)
        for b, (bilayer, area) in enumerate(zip(setting.bilayers, setting.areas, strict=True)):
            q_here = np.where(self._present, unit_q, 0.0) / np.sqrt(area)
            for i, ci in enumerate(setting.channels):
                for j, cj in enumerate(setting.channels):
                    d = bilayer.distance(ci.species, cj.species)
                    sign = bilayer.species[ci.species].charge * bilayer.species[cj.species].charge
                    v[b, i, j] = sign * bilayer.interaction.v(q_here, d) * self._present / area
                    slope[b, i, j] = v[b, i, j] * bilayer.interaction.area_exponent(q_here, d) / area
        xp = setting.fourier.xp
        self.v, self.slope = xp.asarray(v), xp.asarray(slope)
        self.capacitor = xp.asarray([_capacitor(b, a) for b, a in zip(setting.bilayers, setting.areas, strict=True)])

    def density(self, state: State) -> Array:
        """rho_c(G) of every channel, shape (b, C, n1, columns)."""
        xp, s = self.setting.fourier.xp, self.setting
        rho = []
        for c, psi in enumerate(state.psi):
            f = s.fillings[c].flat[None, :, None, None] * s.channels[c].degeneracy
            rho.append(xp.sum(f * xp.abs(psi) ** 2, axis=1))
        grid = xp.stack(rho, axis=1) / s.basis.points
        return s.fourier.r2c(grid) if s.basis.real else s.fourier.c2c(grid + 0j, forward=True)

    def _quadratic(self, rho: Array, v: Array) -> Array:
        return 0.5 * self.setting.fourier.xp.einsum(
            "bijxy,bixy,bjxy,y->b", v, rho.conj(), rho, self._weight).real

    def act(self, state: State) -> Action:
        xp, s = self.setting.fourier.xp, self.setting
        rho = self.density(state)
        potential_g = xp.sum(self.v * rho[:, None], axis=2)
        potential = s.basis.backward(s.fourier, potential_g)
        potential = potential if s.basis.real else potential.real
        grid = tuple(potential[:, c, None] * psi for c, psi in enumerate(state.psi))
        return Action(self._quadratic(rho, self.v) + self.capacitor, grid=grid)

    def area_derivative(self, state: State) -> Array:
        return self._quadratic(self.density(state), self.slope) - self.capacitor / self.setting.areas


def _capacitor(bilayer: Bilayer, area: float) -> float:
    """Sum over pairs of layers of the geometric energy 2 pi d N N' / A; zero unless the bilayer asks for it."""
    if not bilayer.capacitor:
        return 0.0
    species = bilayer.species
    total = 0.0
    for i, a in enumerate(species):
        for j in range(i):
            product = a.charge * a.count * species[j].charge * species[j].count
            d = bilayer.distance(i, j)
            total += bilayer.interaction.capacitor(product, d, area)
    return total
