"""Exchange energy: E = -1/2 sum_c g_c sum_pp' f_p f_p' sum_ab sum_q v_ab(q) <p|a e^{iqr}|p'> <p'|b e^{-iqr}|p> / A.

Within one flavour; a and b run over the components of its spinors, of which a plain carrier has one. Evaluated from
pair densities psi_p'* psi_p of every component: N(N+1)/2 small transforms instead of one of the density matrix. In the
free box they are real; in a crystal they live on one cell and carry the momentum k - k', and where blocks have few
waves `wave_exchange` is cheaper. The q = 0 element is zero,
or the torus' Madelung term, as its ``zero_mode`` says. v_ab has the sign z_a z_b times those of particle-hole
transformed components, so that electron-hole pairing counts as exchange.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np

from ehbilayer.interaction.area_derivative import area_derivative
from ehbilayer.terms import Action, Array, Part, Setting, State
from ehbilayer.terms.density_matrix import ExchangeOperator
from ehbilayer.terms.wave_exchange import WaveExchange, worth_it

KEPT_BYTES = 200_000_000  # of gathered interactions of one channel


class Exchange:
    """The Fock term of every channel."""

    name = "exchange"
    one_body = False
    uniform = True

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._tabulate(0)

    def _tabulate(self, order: int) -> None:
        """Interactions, or their derivatives by ln A."""
        self.order = order
        self.__dict__.pop("_tables", None)
        self._gathered: dict[tuple[int, tuple[int, ...], int, int, int], Array] = {}
        self._on_waves = [WaveExchange(self, c) if worth_it(self.setting, c) else None
                          for c in range(len(self.setting.fillings))]

    @property
    def on_grid(self) -> bool:
        """Whether some channel goes by pair densities."""
        return None in self._on_waves

    def on_all_waves(self, channel: int) -> WaveExchange | None:
        """What gives the operator of a channel between all waves, if there is something cheaper than transforms."""
        found = self._on_waves[channel]
        return found if found is not None and found.everywhere else None

    @cached_property
    def _classes(self) -> list[np.ndarray]:
        """The class of transfers between any two orbitals of each channel."""
        pair_class, _ = self.setting.basis.transfers
        blocks = [filling.orbital_blocks for filling in self.setting.fillings]
        return [pair_class[b[:, None], b[None, :]] for b in blocks]

    @cached_property
    def _tables(self) -> dict[tuple[int, ...], Array]:
        """v_ab(q)/A at every class and frequency, over the grid points, (b, classes, n1, columns), for each kind of
        pair of components."""
        keys = {self._key(m, n) for m in self.setting.parts for n in self.setting.parts_of(m.channel)}
        return {key: self._table(key) for key in keys}

    def _key(self, m: Part, n: Part) -> tuple[int, ...]:
        """What v between two components depends on: layers and sign. Within a layer like meets like."""
        one, other = (self.setting.tori[0].species[p.species] for p in (m, n))
        return one.layer, other.layer, m.sign * one.charge * n.sign * other.charge

    def _table(self, key: tuple[int, ...]) -> Array:
        setting, (a, b, sign) = self.setting, key
        _, q = setting.basis.transfers
        present = np.isfinite(q)
        v = np.zeros((len(setting.tori), *q.shape))
        for i, torus in enumerate(setting.tori):
            interaction = area_derivative(torus.bilayer.interaction, self.order)
            v[i] = sign * interaction.v(np.where(present, q, 0.0) / np.sqrt(torus.area), a, b) * present / torus.area
            v[i, 0, 0, 0] = sign * interaction.element(torus.zero_mode, torus.box.vectors, a, b)
        return setting.fourier.xp.asarray(v / setting.basis.points)

    def between(self, transfers: np.ndarray, m: Part, n: Part, entry: int = 0) -> np.ndarray:
        """v_ab(q)/A (Ha_h) of two components at torus integers ``transfers`` (..., 2), the zero mode included, for one
        entry of the batch."""
        torus, (a, b, sign) = self.setting.tori[entry], self._key(m, n)
        interaction = area_derivative(torus.bilayer.interaction, self.order)
        v = sign * interaction.v(np.linalg.norm(transfers @ torus.box.reciprocal, axis=-1), a, b) / torus.area
        zero = sign * interaction.element(torus.zero_mode, torus.box.vectors, a, b)
        return np.where(np.any(transfers != 0, axis=-1), v, zero)

    def act(self, state: State) -> Action:
        xp, s = self.setting.fourier.xp, self.setting
        energy = 0.0
        coefficients: list[Array | None] = []
        grid: list[Array | None] = []
        for c, x in enumerate(state.c):
            on_waves, f = self._on_waves[c], s.fillings[c].f
            if on_waves is not None:
                k_x = on_waves(x)
                overlap = xp.sum(f[None, :, :, None] * (x.conj() * k_x).real, axis=(1, 2, 3))
                coefficients.append(-k_x)
                grid.append(None)
            else:
                psi = state.psi[c]
                k_psi = self._self_exchange(c, psi)
                f = f.ravel()[None, :, None, None, None]
                overlap = xp.sum(f * (_conj(xp, psi) * k_psi).real, axis=(1, 2, 3, 4)) / s.basis.points
                coefficients.append(None)
                grid.append(-k_psi)
            energy = energy - 0.5 * s.channels[c].degeneracy * overlap
        return Action(energy, coefficients=tuple(coefficients), grid=tuple(grid))

    def derivative(self, order: int) -> Exchange:
        other = copy(self)
        other._tabulate(order)
        return other

    def _self_exchange(self, channel: int, psi: Array) -> Array:
        """sum_p' f_p' V_pp'(r) psi_p'(r), each unordered pair once: orbital p meets p + shift, a few p at a time."""
        s, xp, count = self.setting, self.setting.fourier.xp, psi.shape[1]
        f = s.fillings[channel].flat
        twice = xp.concatenate([psi, psi], axis=1)
        weighted = twice if np.all(f == 1) else np.concatenate([f, f])[None, :, None, None, None] * twice
        bra, weighted_bra = _conj(xp, twice), _conj(xp, weighted)
        rows, keys = s.fourier.rows_in_cache(psi), self._keys(channel)
        jobs = [(shift, start, min(start + rows, count))
                for shift in range(count // 2 + 1) for start in range(0, count, rows)]

        def work(share: list[tuple[int, int, int]]) -> Array:
            ket, back = xp.zeros_like(psi), xp.zeros_like(twice)  # back: the conjugate of what p + shift receives
            for shift, a, b in share:
                c, d = a + shift, b + shift
                rho = bra[:, c:d] * psi[:, a:b]
                potential = self._mixed(rho, {ab: self._pair_v(channel, key, shift, a, b) for ab, key in keys.items()})
                ket = s.fourier.add_rows(ket, a, s.fourier.multiply(potential, weighted[:, c:d], into=rho))
                if 0 < shift and 2 * shift != count:
                    potential *= weighted_bra[:, a:b]
                    back = s.fourier.add_rows(back, c, potential)
            return ket + _conj(xp, back[:, :count] + back[:, count:])

        return s.fourier.share_out(work, jobs, count * psi.nbytes)

    def _keys(self, channel: int) -> dict[tuple[int, int], tuple[int, ...]]:
        """Which table v_ab is in, by the components a and b of a channel."""
        parts = self.setting.parts_of(channel)
        return {(m.component, n.component): self._key(m, n) for m in parts for n in parts}

    def _mixed(self, rho: Array, v: Mapping[tuple[int, int], Array]) -> Array:
        """V_a = sum_b v_ab rho_b of pair densities (b, P, S, n1, n2); v_ab (b, P, n1, n2) at those of `forward`."""
        basis, fourier = self.setting.basis, self.setting.fourier
        spectrum = basis.forward(fourier, rho)
        if len(v) == 1:
            spectrum *= v[0, 0][:, :, None]
        else:
            spectrum = fourier.xp.stack([sum(v[a, b] * spectrum[:, :, b] for b in range(rho.shape[2]))
                                         for a in range(rho.shape[2])], axis=2)
        return basis.backward(fourier, spectrum)

    def _pair_v(self, channel: int, key: tuple[int, ...], shift: int, start: int, stop: int) -> Array:
        """v of the pairs (p, p + shift) for p from start to stop, (b, P, n1, n2); gathered once and kept."""
        table = self._tables[key]
        if self.setting.basis.cells_used == 1:
            return table[:, :1]
        place = (channel, key, shift, start, stop)
        if place in self._gathered:
            return self._gathered[place]
        here, classes = np.arange(start, stop), self._classes[channel]
        v = table[:, classes[here, (here + shift) % len(classes)]]
        # under JAX it is part of a trace and must not outlive it; many k points would fill the memory
        if self.setting.fourier.backend == "numpy" and v.nbytes * len(classes) ** 2 / (stop - start) < KEPT_BYTES:
            self._gathered[place] = v
        return v

    def operator(self, state: State, channel: int) -> ExchangeOperator:
        return ExchangeOperator(self, state, channel)

    def on_targets(self, state: State, channel: int, targets: Array, blocks: np.ndarray) -> Array:
        """-K applied to other orbitals, values (b, T, S, n1, n2) on blocks (T,); one occupied orbital at a time."""
        psi, filling, keys = state.psi[channel], self.setting.fillings[channel], self._keys(channel)
        (pair_class, _), one = self.setting.basis.transfers, self.setting.basis.cells_used == 1
        out = 0.0
        for p, (f, block) in enumerate(zip(filling.flat, filling.orbital_blocks, strict=True)):
            if f == 0:
                continue
            source = psi[:, p : p + 1]
            rho = _conj(self.setting.fourier.xp, source) * targets
            classes = slice(0, 1) if one else pair_class[blocks, block]
            potential = self._mixed(rho, {ab: self._tables[key][:, classes] for ab, key in keys.items()})
            out = out - f * potential * source
        return out


def _conj(xp: Any, a: Array) -> Array:
    return xp.conj(a) if xp.iscomplexobj(a) else a  # NumPy would copy a real array
