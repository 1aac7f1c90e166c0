"""Orbitals of a Hartree-Fock result in determinants: tables over the torus, real where time reversal allows.

A determinant knows the space that its N orbitals span, not which ones they are. Where the complex conjugates of the
orbitals lie in that space, as for a box at Gamma or a crystal whose k come with -k, N real functions span it; else the
determinant is complex. The functions come orthonormal, so that

    p(r_n | r_1 ... r_{n-1}) = [sum_p |phi_p(r)|^2 - sum_{m<n} |<e_m|phi(r)>|^2]/(N - n + 1)

with e_m the chosen vectors phi(r_m), orthonormalised, draws places of |det|^2 one after another (Hough et al., Probab.
Surv. 3, 206 (2006)): walkers of a crystal begin with one particle on every site.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ehbilayer.monte_carlo.orbitals import reduced_waves
from ehbilayer.monte_carlo.splines import coefficients
from ehbilayer.numerics.lattice import Cell, reduce_vectors
from ehbilayer.torus import Torus

DEPENDENT = 1e-6  # singular value of functions that span no more than the others
COARSE = 48  # points along each vector, of places that are drawn
BATCH = 200  # walkers whose places are drawn together


@dataclass(frozen=True, eq=False)
class Bands:
    """The orbitals of one determinant on a grid of fractions: ``spectrum`` (N, G, G) of their waves on the reduced
    cell."""

    cell: np.ndarray
    spectrum: np.ndarray

    @classmethod
    def of(cls, torus: Torus, waves: np.ndarray, amplitudes: np.ndarray, grid: int) -> Bands:
        """Of ``amplitudes`` (N, M) on integer ``waves`` (M, 2) of the torus, real functions where there are some."""
        reduced, _ = reduce_vectors(torus.box.vectors)
        found = reduced_waves(torus, waves)
        spectrum = np.zeros((len(amplitudes), grid, grid), dtype=complex)
        spectrum[:, found[:, 0] % grid, found[:, 1] % grid] = amplitudes
        values = np.fft.ifft2(spectrum, norm="forward")
        flat = values.reshape(len(values), -1)
        # real and imaginary parts span N functions if the conjugates bring no new one
        _, size, rows = np.linalg.svd(np.concatenate([flat.real, flat.imag]), full_matrices=False)
        if len(size) <= len(flat) or size[len(flat)] < DEPENDENT * size[0]:
            real = rows[: len(flat)].reshape(values.shape) * grid
            return cls(reduced, np.fft.fft2(real, norm="forward"))
        return cls(reduced, spectrum)

    def table(self) -> np.ndarray:
        """Spline coefficients (2, G, G, N) of the orbitals and their Laplacians; real if the orbitals are."""
        grid = self.spectrum.shape[1]
        m = np.rint(np.fft.fftfreq(grid, 1 / grid))
        k = np.stack(np.meshgrid(m, m, indexing="ij"), axis=-1) @ Cell(self.cell).reciprocal
        both = np.stack([self.spectrum, -np.sum(k * k, axis=-1) * self.spectrum])
        values = np.fft.ifft2(both, norm="forward")
        parts = [values.real] if np.abs(values[0].imag).max() < DEPENDENT else [values.real, values.imag]
        found = [np.stack([coefficients(f) for f in part.reshape(-1, grid, grid)], axis=-1) for part in parts]
        table = found[0] if len(found) == 1 else found[0] + 1j * found[1]
        return np.stack([table[..., : len(self.spectrum)], table[..., len(self.spectrum) :]])

    def places(self, walkers: int, random: np.random.Generator) -> np.ndarray:
        """Places (walkers, N, 2) in a_h drawn from |det|^2, on a grid and evenly about its points."""
        n, grid = self.spectrum.shape[0], self.spectrum.shape[1]
        step = max(1, grid // COARSE)
        phi: np.ndarray = np.fft.ifft2(self.spectrum, norm="forward")[:, ::step, ::step]
        side = phi.shape[1]
        phi = phi.reshape(n, -1) if np.abs(phi.imag).max() > DEPENDENT else phi.real.reshape(n, -1)
        drawn = [_drawn(phi, min(BATCH, walkers - start), random) for start in range(0, walkers, BATCH)]
        places = np.concatenate(drawn)
        fractions = np.stack([places // side, places % side], axis=-1) + random.random((walkers, n, 2)) - 0.5
        return np.asarray(fractions / side @ self.cell)


def _drawn(phi: np.ndarray, walkers: int, random: np.random.Generator) -> np.ndarray:
    """Points (walkers, N) of |det|^2, of the functions (N, P) at P points."""
    n, points = phi.shape
    out, rows = np.empty((walkers, n), dtype=int), np.arange(walkers)
    left = np.tile(np.sum(np.abs(phi) ** 2, axis=0), (walkers, 1))
    chosen = np.zeros((walkers, n, n), dtype=phi.dtype)
    for i in range(n):
        chance = np.cumsum(np.maximum(left, 0.0), axis=1)
        level = random.random(walkers) * chance[:, -1]
        out[:, i] = np.minimum(np.sum(chance < level[:, None], axis=1), points - 1)
        e = phi[:, out[:, i]].T.conj()
        for _ in range(2):  # twice is enough
            e = e - np.einsum("wm,wmn->wn", np.einsum("wmn,wn->wm", chosen[:, :i].conj(), e), chosen[:, :i])
        chosen[rows, i] = e / np.maximum(np.linalg.norm(e, axis=1), 1e-300)[:, None]
        left -= np.abs(chosen[:, i] @ phi) ** 2
    return out
