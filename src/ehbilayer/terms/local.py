"""A local potential V(r), whatever term it comes from: on the occupied orbitals, and as an operator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ehbilayer.terms import Array, Setting, State
from ehbilayer.terms.wave_density import WaveDensity


def on_orbitals(setting: Setting, on_waves: Sequence[WaveDensity | None], potential: Array,
                state: State) -> tuple[tuple[Array | None, ...], tuple[Array | None, ...]]:
    """V psi of every channel: coefficients (b, K, n, S g) where it goes by waves, else on the grid (b, P, S, n1, n2).

    ``potential`` V_G of every part at the frequencies of `PlaneWaveBasis.forward`, (b, parts, n1, columns), Ha_h.
    """
    # the transform may overwrite its input
    values = setting.basis.field_backward(setting.fourier, potential + 0) if None in on_waves else potential
    coefficients: list[Array | None] = []
    grid: list[Array | None] = []
    first = 0
    for c, waves in enumerate(on_waves):
        parts = len(setting.channels[c].components)
        coefficients.append(None if waves is None else waves.apply(potential[:, first], state.c[c]))
        grid.append(None if waves is not None else values[:, None, first : first + parts] * state.psi[c])
        first += parts
    return tuple(coefficients), tuple(grid)


class LocalOperator:
    """V(r) with the periodicity of the cell, one function for each component of a channel.

    Parameters
    ----------
    setting : of the term.
    potential : Fourier components V_G at the frequencies of `PlaneWaveBasis.forward`, shape (S, n1, columns), Ha_h.
    """

    def __init__(self, setting: Setting, potential: Array) -> None:
        self._setting, self._potential = setting, np.asarray(potential)

    @classmethod
    def of_values(cls, setting: Setting, values: np.ndarray) -> LocalOperator:
        """Of V(r) on the grid of the cell, (S, n1, n2), Ha_h."""
        basis = setting.basis
        return cls(setting, basis.field_forward(setting.fourier, values) / basis.points)

    def blocks(self) -> np.ndarray:
        return self._blocks

    @cached_property
    def _blocks(self) -> np.ndarray:
        # <kappa - p| V |kappa> = V_p
        b = self._setting.basis
        p = b.steps[:, :, None] - b.steps[:, None, :]
        both = b.mask[:, :, None] * b.mask[:, None, :]
        parts = [v[p[..., 0] % b.shape[0], p[..., 1] % b.shape[1]] * both for v in self._potential]
        return parts[0] if len(parts) == 1 else block_diagonal(parts)

    def at(self, block: int, shifts: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self._blocks[block], (len(shifts), *self._blocks.shape[1:]))

    def on(self, x: Array, psi: Array, blocks: np.ndarray) -> tuple[None, Array]:
        return None, self._values * psi

    @cached_property
    def _values(self) -> np.ndarray:
        """V(r) on the grid, (1, 1, S, n1, n2)."""
        s = self._setting
        # the transform may overwrite its input
        return np.asarray(s.basis.field_backward(s.fourier, self._potential.copy()))[None, None]


def block_diagonal(parts: list[np.ndarray]) -> np.ndarray:
    """Matrices (K, g, g) of each component along the diagonal of (K, S g, S g)."""
    k, g, _ = parts[0].shape
    out = np.zeros((k, g * len(parts), g * len(parts)), dtype=np.result_type(*parts))
    for i, part in enumerate(parts):
        out[:, i * g : (i + 1) * g, i * g : (i + 1) * g] = part
    return out
