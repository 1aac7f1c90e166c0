"""The Slater determinant of a mean field that holds given numbers of electrons and holes.

Each block of a sector fills its lowest levels, as many of them as a `Pattern` says; mu, which couples to electrons and
holes alike, makes their numbers right:

    d(N_e + N_h)/dmu = sum_{i filled, j empty} |<i|S|j>|^2 / (e_j - e_i),    S = diag(1, -1)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ehbilayer.hartree_fock.coherence.field import MeanField
from ehbilayer.hartree_fock.occupations import fill_levels

COUNTED = 1e-11  # particles by which their number may be wrong, relative
UNPAIRED = 1e-11  # Ha_h, the largest pairing field that counts as none
SEARCHES = 200
SMALL, TURNS = 0.01, 8  # a rotation over the root of the particles; of them until numbers are right
WHOLE = 1e-6  # distance of the particles in a block from a whole number
TIE = 1e-9  # Ha_h, levels that count as equal


@dataclass(frozen=True)
class Filled:
    """The determinant of one sector's field: R' (K, S g, S g), mu (Ha_h; NaN where nothing pairs), all levels at that
    mu (K, S g) with vectors in
    columns, inf for padding, and which of them are filled (K, S g)."""

    matrix: np.ndarray
    mu: float
    levels: np.ndarray
    vectors: np.ndarray
    occupied: np.ndarray


class Filler:
    """Of one sector; it remembers mu and how many levels each block fills: at first as many as ``start`` (R') holds
    in each, where these are whole numbers, else the lowest ones."""

    def __init__(self, field: MeanField, sector: int, start: np.ndarray | None = None) -> None:
        self._sector, self._sea = field.sectors[sector], field.sea(sector)
        mask, parts = field.basis.mask, len(self._sector.counts)
        self._g, self._mask = mask.shape[1], np.concatenate([mask] * parts, axis=-1)
        self._sign = np.concatenate([np.full(self._g, 1 if i == 0 else -1.0) for i in range(parts)])
        self.mu, self._near = 0.0, False
        # filled levels of each block, (K,), or of electrons and transformed holes where nothing pairs, (K, 2)
        self.pattern: np.ndarray | None = None
        if start is not None:
            each = (np.einsum("kgg->kg", start).real + self._sea).reshape(len(start), parts, self._g).sum(axis=-1)
            whole = np.rint(each).astype(int)
            if np.abs(each - whole).max() < WHOLE:
                self.pattern = whole if parts == 2 else whole[:, 0]

    @property
    def filled(self) -> int:
        """Levels that are filled in all blocks together."""
        electrons, *holes = self._sector.counts
        return electrons + sum(int(self._mask[:, self._g:].sum()) - n for n in holes)

    def __call__(self, fock: np.ndarray, *, near: bool = False) -> Filled:
        """The determinant of a field H (K, S g, S g), without mu.

        Where it need only be ``near`` that, with the right numbers all the same, mu ends by rotating the states
        instead of finding them again; levels and vectors are then those of a mu that is nearly right.
        """
        self._near = near
        fock, self._top = padded(fock, self._mask)
        if not self._sector.paired:
            levels, vectors = self._diagonal(fock)
            return self._of(levels, vectors, self._lowest(levels, self._sector.counts[0]), np.nan)
        g = self._g
        if np.abs(fock[:, :g, g:]).max() < UNPAIRED:
            return self._apart(fock)
        if self.pattern is None or self.pattern.ndim == 2:
            # as many as there are waves in each block where numbers are equal: no quasiparticles
            natural = self._mask[:, :g].sum(axis=1).astype(int)
            self.pattern = natural if natural.sum() == self.filled else None
        return self._together(fock)

    def refill(self, filled: Filled) -> None:
        """From now on fill as many levels of each block as are the lowest of these."""
        if self._sector.paired and np.isnan(filled.mu):
            g, (electrons, holes) = self._g, self._sector.counts
            waves = int(self._mask[:, g:].sum())
            self.pattern = np.stack([_count(filled.levels[:, :g], electrons),
                                     _count(filled.levels[:, g:], waves - holes)], axis=1)
        else:
            self.pattern = _count(filled.levels, self.filled if self._sector.paired else self._sector.counts[0])

    def lowest(self, filled: Filled) -> bool:
        """Whether no empty level lies below a filled one, of either carrier where nothing pairs."""
        g = self._g
        apart = self._sector.paired and np.isnan(filled.mu)
        for part in ((slice(0, g), slice(g, None)) if apart else (slice(None),)):
            levels, occupied = filled.levels[:, part], filled.occupied[:, part]
            if levels[occupied].max(initial=-np.inf) > levels[~occupied].min(initial=np.inf) + TIE:
                return False
        return True

    def _apart(self, fock: np.ndarray) -> Filled:
        """Nothing pairs: electrons and holes fill levels of their own, block by block."""
        g, (electrons, holes) = self._g, self._sector.counts
        e, u = self._diagonal(fock[:, :g, :g])
        h, w = self._diagonal(fock[:, g:, g:])
        waves = int(self._mask[:, g:].sum())
        if self.pattern is None or self.pattern.ndim == 1:
            counts = [_count(e, electrons), _count(h, waves - holes)]
            self.pattern = np.stack(counts, axis=1)
        occupied = np.concatenate([_first(e, self.pattern[:, 0]), _first(h, self.pattern[:, 1])], axis=1)
        vectors = np.zeros_like(fock)
        vectors[:, :g, :g], vectors[:, g:, g:] = u, w
        return self._of(np.concatenate([e, h], axis=1), vectors, occupied, np.nan)

    def _together(self, fock: np.ndarray) -> Filled:
        """mu by Newton steps within a bracket."""
        low, high = -np.inf, np.inf
        electrons, holes = self._sector.counts
        target = electrons + holes - int(self._mask[:, self._g:].sum())  # Tr R S
        mu, step = self.mu, 0.0
        for _ in range(SEARCHES):
            found, value, slope = self._at(fock, mu)
            miss = target - value
            if abs(miss) <= COUNTED * max(1, electrons + holes):
                break
            if self._near and (turned := self._turned(found, miss, slope)) is not None:
                self.mu = turned.mu
                return turned
            low, high = (mu, high) if miss > 0 else (low, mu)
            step = miss / slope if slope > 0 else np.copysign(max(2 * abs(step), 0.1), miss)
            new = mu + step
            if not low < new < high:
                new = 0.5 * (low + high) if np.isfinite(low) and np.isfinite(high) else mu + np.copysign(
                    max(2 * abs(mu), 1.0), miss)
            if new == mu or high - low < 1e-14 * max(1.0, abs(mu)):
                break
            mu = new
        self.mu = mu
        return found

    def _at(self, fock: np.ndarray, mu: float) -> tuple[Filled, float, float]:
        """The determinant at a chemical potential of a pair, Tr R S, and its derivative."""
        shifted = fock.copy()
        i = np.arange(fock.shape[-1])
        shifted[:, i, i] -= 0.5 * mu * self._sign * self._mask
        levels, vectors = self._diagonal(shifted)
        occupied = self._lowest(levels, self.filled)
        # <i|S|j> = 2 <i|P_e|j> between different levels
        upper = vectors[:, : self._g]
        s = 2 * np.matmul(np.conj(np.swapaxes(upper, 1, 2)), upper)
        finite = np.minimum(levels, 10 * self._top)
        gap = finite[:, None, :] - finite[:, :, None]
        pairs = occupied[:, :, None] & ~occupied[:, None, :]
        slope = float(np.sum(np.abs(s[pairs]) ** 2 / np.maximum(gap[pairs], 1e-14)))
        found = self._of(levels, vectors, occupied, mu)
        r = np.einsum("kgg->kg", found.matrix).real + self._sea
        return found, float(np.sum(r * self._sign)), slope

    def _turned(self, found: Filled, miss: float, slope: float) -> Filled | None:
        """Filled states C and empty ones V after C + V t with t_ji = delta <j|S|i>/2(e_j - e_i), what mu + delta does
        to first order, orthonormal again, delta such that the numbers are right; None where that is far."""
        delta, particles, g = miss / slope if slope > 0 else np.inf, sum(self._sector.counts), self._g
        counts = found.occupied.sum(axis=1)
        turns: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # of blocks that fill equally many
        for n in np.unique(counts):
            mine = np.flatnonzero(counts == n)
            full, empty = found.vectors[mine, :, :n], found.vectors[mine, :, n:]
            gap = np.minimum(found.levels[mine, n:], 10 * self._top)[:, :, None] - found.levels[mine, None, :n]
            s = np.matmul(np.conj(np.swapaxes(empty[:, :g], 1, 2)), full[:, :g])
            turns.append((mine, full, np.matmul(empty, s / np.maximum(gap, 1e-14))))
        size = np.sqrt(sum(float(np.vdot(t, t).real) for *_, t in turns))
        if not abs(delta) * size < SMALL * np.sqrt(particles):
            return None
        matrix, i = np.zeros_like(found.matrix), np.arange(found.matrix.shape[-1])
        for _ in range(TURNS):
            for mine, full, turn in turns:
                x = np.linalg.qr(full + delta * turn)[0]
                matrix[mine] = np.matmul(x, np.conj(np.swapaxes(x, 1, 2)))
            matrix[:, i, i] -= self._sea
            # Tr R S: of the target the sea is taken off
            more = self._sector.counts[0] + self._sector.counts[1] - float(
                np.sum(np.einsum("kgg->kg", matrix).real * self._sign))
            if abs(more) <= COUNTED * max(1, particles):
                return Filled(matrix, found.mu + delta, found.levels, found.vectors, found.occupied)
            delta += more / slope
        return None

    def _diagonal(self, fock: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Levels of each block, inf for its padding, and vectors."""
        levels, vectors = np.linalg.eigh(fock)
        return np.where(levels > self._top, np.inf, levels), vectors

    def _lowest(self, levels: np.ndarray, count: int) -> np.ndarray:
        """Which levels are filled (K, n): as the pattern says, which follows from the lowest levels at first."""
        if self.pattern is None:
            self.pattern = _count(levels, count)
        return _first(levels, self.pattern)

    def _of(self, levels: np.ndarray, vectors: np.ndarray, occupied: np.ndarray, mu: float) -> Filled:
        most = int(np.flatnonzero(occupied.any(axis=0)).max(initial=-1)) + 1
        x = vectors[:, :, :most] * occupied[:, None, :most]
        matrix = np.matmul(x, np.conj(np.swapaxes(vectors[:, :, :most], 1, 2)))
        i = np.arange(matrix.shape[-1])
        matrix[:, i, i] -= self._sea
        return Filled(matrix, mu, levels, vectors, occupied)


def padded(fock: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, float]:
    """The same matrices with padding moved above all levels, no farther, which would cost digits; and above which level
    there is padding alone."""
    i = np.arange(fock.shape[-1])
    out, top = fock.copy(), 100 + 2 * float(np.abs(fock).sum(axis=-1).max())  # no level lies above the sum of a row
    out[:, i, i] += np.where(mask > 0, 0.0, 10 * top)
    return out, top


def _count(levels: np.ndarray, count: int) -> np.ndarray:
    """How many of the lowest levels lie in each block, (K,)."""
    return np.asarray(fill_levels(levels, count, "integer", 0.0).sum(axis=1).astype(int))


def _first(levels: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """The first levels of each block, (K, n)."""
    return np.asarray(np.arange(levels.shape[1])[None] < pattern[:, None])
