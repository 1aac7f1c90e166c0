"""Kinetic energy: E = sum_c g_c sum_p f_p sum_kappa (kappa^2 / 2 m_c) |c_p(kappa)|^2."""

from __future__ import annotations

from copy import copy

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.terms import Action, Array, Setting, State


class Kinetic:
    """k^2/2m, or the carrier's own dispersion."""

    name = "kinetic"
    one_body = True
    uniform = True

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        unit_k = setting.basis.coefficient_k()
        self.levels: list[Array] = []  # per channel (b, K, 1, S g)
        for c, filling in enumerate(setting.fillings):
            k = unit_k[filling.blocks]
            self.levels.append(setting.fourier.xp.asarray(np.stack([np.concatenate([
                p.sign * torus.species[p.species].kinetic(k / np.sqrt(torus.area))[:, None, :]
                for p in setting.parts_of(c)], axis=-1) for torus in setting.tori])))

    def act(self, state: State) -> Action:
        xp, energy, operators = self.setting.fourier.xp, 0.0, []
        for c, (x, level) in enumerate(zip(state.c, self.levels, strict=True)):
            f = self.setting.fillings[c].f
            weight = self.setting.channels[c].degeneracy * f[None, :, :, None]
            energy = energy + xp.sum(weight * level * xp.abs(x) ** 2, axis=(1, 2, 3))
            operators.append(level * x)
        return Action(energy, coefficients=tuple(operators))

    def derivative(self, order: int) -> Kinetic:
        for s in self.setting.tori[0].species:
            if not s.carrier.parabolic:
                raise InputError(f"{s.name} dispersion", "k^2/2m where the area changes", "a function",
                                 "only parabolic bands scale with the area")
        other = copy(self)
        other.levels = [(-1) ** order * level for level in self.levels]  # T ~ 1/A
        return other

    def operator(self, state: State, channel: int) -> KineticOperator:
        return KineticOperator(self, channel)


class KineticOperator:
    """Diagonal in plane waves."""

    def __init__(self, term: Kinetic, channel: int) -> None:
        self._level = np.asarray(term.levels[channel])[0, :, 0]
        self._setting, self._channel = term.setting, channel

    def blocks(self) -> np.ndarray:
        b = self._setting.basis
        return self._diagonal(b.unit_k / np.sqrt(self._setting.areas[0]))

    def at(self, block: int, shifts: np.ndarray) -> np.ndarray:
        basis, area = self._setting.basis, float(self._setting.areas[0])
        waves = basis.waves[basis.index[block]] + shifts[:, None]
        return self._diagonal(waves @ basis.box.reciprocal * np.sqrt(basis.box.area / area))

    def _diagonal(self, k: np.ndarray) -> np.ndarray:
        torus = self._setting.tori[0]
        level = np.concatenate([p.sign * torus.species[p.species].kinetic(k)
                                for p in self._setting.parts_of(self._channel)], axis=-1)
        out = np.zeros((*level.shape, level.shape[-1]))
        i = np.arange(level.shape[-1])
        out[:, i, i] = level
        return out

    def on(self, x: Array, psi: Array, blocks: np.ndarray) -> tuple[Array, None]:
        return self._level[:, None] * x, None
