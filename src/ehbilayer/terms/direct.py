"""Direct (Hartree) energy: E = 1/2 sum_cc' z_c z_c' sum_{G != 0} v_cc'(G) rho_c(G) rho_c'(-G) / A, plus the capacitor.

rho_c(G) = g_c sum_p f_p <p| exp(-i G r) |p> of every component of every channel. A neutralising background in each
layer removes G = 0.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from ehbilayer.interaction.area_derivative import area_derivative
from ehbilayer.terms import Action, Array, Setting, State
from ehbilayer.terms.local import LocalOperator, on_orbitals
from ehbilayer.terms.wave_density import WaveDensity


class Direct:
    """Classical interaction of all charge densities, within and between layers."""

    name = "direct"
    one_body = False
    uniform = True

    def __init__(self, setting: Setting) -> None:
        self.setting, self._weight = setting, setting.basis.multiplicity()
        self._on_waves = [WaveDensity.of(setting, c) for c in range(len(setting.channels))]
        self._tabulate(0)

    def _tabulate(self, order: int) -> None:
        """z_i z_j v_ij(G)/A between all parts, (b, parts, parts, n1, columns), and the capacitor energy (b,); or their
        derivatives by ln A."""
        setting = self.setting
        unit_q = setting.basis.cell_transfers  # G vectors of the cell
        present = np.isfinite(unit_q)
        v = np.zeros((len(setting.tori), len(setting.parts), len(setting.parts), *unit_q.shape))
        for b, torus in enumerate(setting.tori):
            q = np.where(present, unit_q, 0.0) / np.sqrt(torus.area)
            present = present & (q > 0)
            interaction, species = area_derivative(torus.bilayer.interaction, order), torus.species
            for i, m in enumerate(setting.parts):
                for j, n in enumerate(setting.parts):
                    one, other = species[m.species], species[n.species]
                    sign = m.sign * one.charge * n.sign * other.charge
                    v[b, i, j] = sign * interaction.v(q, one.layer, other.layer) * present / torus.area
        xp = setting.fourier.xp
        self.v = xp.asarray(v)
        # E_C ~ 1/A
        self.capacitor = xp.asarray([(-1) ** order * t.capacitor_energy if t.charged else 0.0 for t in setting.tori])

    def density(self, state: State) -> Array:
        """rho(G) of every part, shape (b, parts, n1, columns)."""
        xp, s = self.setting.fourier.xp, self.setting
        rho = []
        for part in s.parts:
            on_waves, degeneracy = self._on_waves[part.channel], s.channels[part.channel].degeneracy
            if on_waves is not None:
                rho.append(degeneracy * on_waves.density(state.c[part.channel]))
                continue
            f = s.fillings[part.channel].flat[None, :, None, None] * degeneracy
            grid = xp.sum(f * xp.abs(state.psi[part.channel][:, :, part.component]) ** 2, axis=1) / s.basis.points
            rho.append(s.basis.field_forward(s.fourier, grid))
        return xp.stack(rho, axis=1)

    def act(self, state: State) -> Action:
        xp, s = self.setting.fourier.xp, self.setting
        rho = self.density(state)
        potential = self._potential(rho)
        # E = 1/2 sum_i sum_G V_i(G) rho_i(-G)
        energy = 0.5 * xp.sum((rho.conj() * potential).real * self._weight, axis=(1, 2, 3))
        coefficients, grid = on_orbitals(s, self._on_waves, potential, state)
        return Action(energy + self.capacitor, coefficients=coefficients, grid=grid)

    def _potential(self, rho: Array) -> Array:
        """V_i(G) = sum_j z_i z_j v_ij(G) rho_j(G)/A of every part, (b, parts, n1, columns)."""
        return self.setting.fourier.xp.sum(self.v * rho[:, None], axis=2)

    def derivative(self, order: int) -> Direct:
        other = copy(self)
        other._tabulate(order)
        return other

    def operator(self, state: State, channel: int) -> LocalOperator:
        mine = [i for i, p in enumerate(self.setting.parts) if p.channel == channel]
        return LocalOperator(self.setting, np.asarray(self._potential(self.density(state)))[0, mine])
