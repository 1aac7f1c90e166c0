"""Zeeman energy: E = sum_c sum_{flavours of c} e_flavour N_c, with the levels -+ g mu_B B/2 of `model.Carrier.levels`.

Flavours that share orbitals share the mean of their levels. The field has no effect on orbits.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from ehbilayer.terms import Action, Array, Setting, State


class Zeeman:
    """A number for every channel, added to all of its levels."""

    name = "zeeman"
    one_body = True
    uniform = True

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        xp = setting.fourier.xp
        # per channel (b, 1, 1, S g)
        self._levels: list[Array] = [xp.asarray(np.array([np.concatenate([np.full(setting.basis.coefficients, float(
            p.sign * np.mean(torus.species[p.species].levels(channel)))) for p in setting.parts_of(c)])
            for torus in setting.tori])[:, None, None]) for c, channel in enumerate(setting.channels)]

    def act(self, state: State) -> Action:
        xp, energy, operators = self.setting.fourier.xp, 0.0, []
        for c, (x, level) in enumerate(zip(state.c, self._levels, strict=True)):
            weight = self.setting.channels[c].degeneracy * self.setting.fillings[c].f[None, :, :, None]
            energy = energy + xp.sum(weight * level * xp.abs(x) ** 2, axis=(1, 2, 3))
            operators.append(level * x)
        return Action(energy, coefficients=tuple(operators))

    def derivative(self, order: int) -> Zeeman:
        other = copy(self)
        other._levels = [0 * level for level in self._levels]
        return other

    def operator(self, state: State, channel: int) -> Shift:
        return Shift(self.setting, np.asarray(self._levels[channel])[0, 0, 0])


class Shift:
    """A number on the diagonal, (S g,)."""

    def __init__(self, setting: Setting, level: np.ndarray) -> None:
        self._level, self._blocks = level, len(setting.basis.k_points)

    def blocks(self) -> np.ndarray:
        return np.broadcast_to(np.diag(self._level), (self._blocks, *2 * self._level.shape))

    def at(self, block: int, shifts: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.diag(self._level), (len(shifts), *2 * self._level.shape))

    def on(self, x: Array, psi: Array, blocks: np.ndarray) -> tuple[Array, None]:
        return self._level * x, None
