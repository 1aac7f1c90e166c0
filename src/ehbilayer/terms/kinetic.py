"""Kinetic energy: E = sum_c g_c sum_p f_p sum_kappa (kappa^2 / 2 m_c) |c_p(kappa)|^2."""

from __future__ import annotations

import numpy as np

from ehbilayer.terms import Action, Array, Setting, State


class Kinetic:
    """k^2/2m, or the species' own dispersion."""

    name = "kinetic"

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        unit_k = setting.basis.coefficient_k()
        self.levels: list[Array] = []  # per channel (b, K, 1, g)
        for c, filling in enumerate(setting.fillings):
            k = unit_k[filling.blocks]
            self.levels.append(setting.fourier.xp.asarray(np.stack([
                setting.species_of(bilayer, c).kinetic(k / np.sqrt(area))[:, None, :]
                for bilayer, area in zip(setting.bilayers, setting.areas, strict=True)])))

    def act(self, state: State) -> Action:
        xp, energy, operators = self.setting.fourier.xp, 0.0, []
        for c, (x, level) in enumerate(zip(state.c, self.levels, strict=True)):
            f = self.setting.fillings[c].f
            weight = self.setting.channels[c].degeneracy * f[None, :, :, None]
            energy = energy + xp.sum(weight * level * xp.abs(x) ** 2, axis=(1, 2, 3))
            operators.append(level * x)
        return Action(energy, coefficients=tuple(operators))

    def area_derivative(self, state: State) -> Array:
        if any(s.dispersion is not None for s in self.setting.bilayers[0].species):
            return np.full(len(self.setting.areas), np.nan)  # only a power law scales with the area
        return -self.act(state).energy / self.setting.areas
