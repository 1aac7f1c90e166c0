"""Exchange energy: E = -1/2 sum_c g_c sum_pp' f_p f_p' sum_q v(q) |<p'| exp(-i q r) |p>|^2 / A, within one flavour.

Evaluated from pair densities psi_p'* psi_p: N(N+1)/2 small transforms instead of one of the density matrix. In the
free box they are real; in a crystal they live on one cell and carry the momentum k - k'. The q = 0 element is zero,
or the torus' Madelung term, as the bilayer's ``zero_mode`` says.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from ehbilayer.terms import Action, Array, Setting, State

KEPT_BYTES = 200_000_000  # of gathered interactions of one channel


class Exchange:
    """The Fock term of every channel."""

    name = "exchange"

    def __init__(self, setting: Setting) -> None:
        self.setting, basis = setting, setting.basis
        pair_class, _ = basis.transfers
        self._classes: list[np.ndarray] = []
        self._gathered: dict[tuple[int, int, int, int], Array] = {}
        self.v = self._interaction(slope=False)  # (b, classes, n1, columns)
        for filling in setting.fillings:
            blocks = filling.orbital_blocks
            self._classes.append(pair_class[blocks[:, None], blocks[None, :]])

    def act(self, state: State) -> Action:
        xp, s = self.setting.fourier.xp, self.setting
        energy, grid = 0.0, []
        for c, psi in enumerate(state.psi):
            f = s.fillings[c].flat[None, :, None, None]
            k_psi = self._self_exchange(c, psi)
            overlap = xp.sum(f * (_conj(xp, psi) * k_psi).real, axis=(1, 2, 3)) / s.basis.points
            energy = energy - 0.5 * s.channels[c].degeneracy * overlap
            grid.append(-k_psi)
        return Action(energy, grid=tuple(grid))

    def area_derivative(self, state: State) -> Array:
        moved = copy(self)
        moved.v, moved._gathered = self._interaction(slope=True), {}
        return moved.act(state).energy

    def _interaction(self, slope: bool) -> Array:
        """v(q)/A at every class and frequency, over the grid points; or its derivative by the area."""
        setting, basis = self.setting, self.setting.basis
        _, q = basis.transfers
        present = np.isfinite(q)
        v = np.zeros((len(setting.bilayers), *q.shape))
        for b, (bilayer, area) in enumerate(zip(setting.bilayers, setting.areas, strict=True)):
            here = np.where(present, q, 0.0) / np.sqrt(area)
            v[b] = bilayer.interaction.v(here, 0.0) * present / area
            if slope:
                v[b] *= bilayer.interaction.area_exponent(here, 0.0) / area
            if bilayer.zero_mode == "madelung":
                vectors = basis.box.vectors * np.sqrt(area / basis.box.area)
                v[b, 0, 0, 0] = bilayer.interaction.zero_mode(vectors, 0.0)
                if slope:
                    v[b, 0, 0, 0] *= bilayer.interaction.zero_mode_area_exponent(vectors, 0.0) / area
        return setting.fourier.xp.asarray(v / basis.points)

    def _self_exchange(self, channel: int, psi: Array) -> Array:
        """sum_p' f_p' V_pp'(r) psi_p'(r), each unordered pair once: orbital p meets p + shift, a few p at a time."""
        s, xp, count = self.setting, self.setting.fourier.xp, psi.shape[1]
        f = s.fillings[channel].flat
        twice = xp.concatenate([psi, psi], axis=1)
        weighted = twice if np.all(f == 1) else np.concatenate([f, f])[None, :, None, None] * twice
        bra, weighted_bra = _conj(xp, twice), _conj(xp, weighted)
        rows = s.fourier.rows_in_cache(psi)
        jobs = [(shift, start, min(start + rows, count))
                for shift in range(count // 2 + 1) for start in range(0, count, rows)]

        def work(share: list[tuple[int, int, int]]) -> Array:
            ket, back = xp.zeros_like(psi), xp.zeros_like(twice)  # back: the conjugate of what p + shift receives
            for shift, a, b in share:
                c, d = a + shift, b + shift
                potential = self._pair_potential(bra[:, c:d] * psi[:, a:b], self._pair_v(channel, shift, a, b))
                ket = s.fourier.add_rows(ket, a, potential * weighted[:, c:d])
                if 0 < shift and 2 * shift != count:
                    potential *= weighted_bra[:, a:b]
                    back = s.fourier.add_rows(back, c, potential)
            return ket + _conj(xp, back[:, :count] + back[:, count:])

        return s.fourier.share_out(work, jobs, count * psi.nbytes)

    def _pair_v(self, channel: int, shift: int, start: int, stop: int) -> Array:
        """v of the pairs (p, p + shift) for p from start to stop; gathered once and kept."""
        if self.setting.basis.real:
            return self.v[:, :1]
        key = (channel, shift, start, stop)
        if key in self._gathered:
            return self._gathered[key]
        here, classes = np.arange(start, stop), self._classes[channel]
        v = self.v[:, classes[here, (here + shift) % len(classes)]]
        # under JAX it is part of a trace and must not outlive it; many k points would fill the memory
        if self.setting.fourier.backend == "numpy" and v.nbytes * len(classes) ** 2 / (stop - start) < KEPT_BYTES:
            self._gathered[key] = v
        return v

    def _pair_potential(self, rho: Array, v: Array) -> Array:
        """Potential of pair densities (b, P, n1, n2) with interactions v at the frequencies of `forward`."""
        s = self.setting
        spectrum = s.basis.forward(s.fourier, rho)
        spectrum *= v
        return s.basis.backward(s.fourier, spectrum)

    def on_targets(self, state: State, channel: int, targets: Array, blocks: np.ndarray) -> Array:
        """-K applied to other orbitals, values (b, T, n1, n2) on blocks (T,); one occupied orbital at a time."""
        psi, filling = state.psi[channel], self.setting.fillings[channel]
        pair_class, _ = self.setting.basis.transfers if not self.setting.basis.real else (None, None)
        out = 0.0
        for p, (f, block) in enumerate(zip(filling.flat, filling.orbital_blocks, strict=True)):
            if f == 0:
                continue
            source = psi[:, p : p + 1]
            v = self.v[:, :1] if pair_class is None else self.v[:, pair_class[blocks, block]]
            out = out - f * self._pair_potential(_conj(self.setting.fourier.xp, source) * targets, v) * source
        return out


def _conj(xp: Any, a: Array) -> Array:
    return xp.conj(a) if xp.iscomplexobj(a) else a  # NumPy would copy a real array
