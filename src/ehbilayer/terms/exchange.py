"""Exchange energy: E = -1/2 sum_c g_c sum_pp' f_p f_p' sum_q v(q) |<p'| exp(-i q r) |p>|^2 / A, within one flavour.

Evaluated from pair densities psi_p'* psi_p: N(N+1)/2 small transforms instead of one of the density matrix. In the
free box they are real; in a crystal they live on one cell and carry the momentum k - k'. The q = 0 element is zero,
or the torus' Madelung term, as the bilayer's ``zero_mode`` says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ehbilayer.terms import Action, Array, Setting, State


class Exchange:
    """The Fock term of every channel."""

    name = "exchange"

    def __init__(self, setting: Setting) -> None:
        self.setting, basis = setting, setting.basis
        pair_class, q = basis.transfers
        self._classes: list[Array] = []
        v = np.zeros((len(setting.bilayers), *q.shape))
        present = np.isfinite(q)
        for b, (bilayer, area) in enumerate(zip(setting.bilayers, setting.areas, strict=True)):
            v[b] = bilayer.interaction.v(np.where(present, q, 0.0) / np.sqrt(area), 0.0) * present / area
            if bilayer.zero_mode == "madelung":
                vectors = basis.box.vectors * np.sqrt(area / basis.box.area)
                v[b, 0, 0, 0] = bilayer.interaction.zero_mode(vectors, 0.0)
        self.v = setting.fourier.xp.asarray(v / basis.points)  # (b, classes, n1, columns)
        for filling in setting.fillings:
            blocks = filling.orbital_blocks
            self._classes.append(pair_class[blocks[:, None], blocks[None, :]])

    def act(self, state: State) -> Action:
        xp, s = self.setting.fourier.xp, self.setting
        energy, grid = 0.0, []
        for c, psi in enumerate(state.psi):
            f = s.fillings[c].flat[None, :, None, None]
            k_psi = self._self_exchange(psi, s.fillings[c].flat, self._classes[c])
            overlap = xp.sum(f * (_conj(xp, psi) * k_psi).real, axis=(1, 2, 3)) / s.basis.points
            energy = energy - 0.5 * s.channels[c].degeneracy * overlap
            grid.append(-k_psi)
        return Action(energy, grid=tuple(grid))

    def area_derivative(self, state: State) -> Array:
        # same layer: v/A ~ A^(-1/2), the Madelung element included
        return -0.5 * self.act(state).energy / self.setting.areas

    def _self_exchange(self, psi: Array, f: np.ndarray, classes: np.ndarray) -> Array:
        """sum_p' f_p' V_pp'(r) psi_p'(r), each unordered pair once: orbital p meets p + shift, a few p at a time."""
        s, xp, count = self.setting, self.setting.fourier.xp, psi.shape[1]
        weighted = f[None, :, None, None] * psi
        twice, twice_weighted = (xp.concatenate([a, a], axis=1) for a in (psi, weighted))
        rows = s.fourier.rows_in_cache(psi)
        jobs = [(shift, start, min(start + rows, count))
                for shift in range(count // 2 + 1) for start in range(0, count, rows)]

        def work(share: list[tuple[int, int, int]]) -> Array:
            out = xp.zeros_like(twice)
            for shift, a, b in share:
                partner = twice[:, a + shift : b + shift]
                here = np.arange(a, b)
                pairs = classes[here, (here + shift) % count]
                potential = self._pair_potential(_conj(xp, partner) * psi[:, a:b], pairs)
                out = s.fourier.add_rows(out, a, potential * twice_weighted[:, a + shift : b + shift])
                if 0 < shift and 2 * shift != count:
                    back = _conj(xp, potential)
                    back *= weighted[:, a:b]
                    out = s.fourier.add_rows(out, a + shift, back)
            return out

        total = s.fourier.share_out(work, jobs)
        return total[:, :count] + total[:, count:]

    def _pair_potential(self, rho: Array, classes: np.ndarray) -> Array:
        """Potential of pair densities (b, P, n1, n2) whose momentum transfers have the given classes (P,)."""
        s = self.setting
        spectrum = s.basis.forward(s.fourier, rho)
        spectrum *= self.v[:, :1] if s.basis.real else self.v[:, classes]
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
            classes = pair_class[blocks, block] if pair_class is not None else blocks
            out = out - f * self._pair_potential(_conj(self.setting.fourier.xp, source) * targets, classes) * source
        return out


def _conj(xp: Any, a: Array) -> Array:
    return xp.conj(a) if xp.iscomplexobj(a) else a  # NumPy would copy a real array
