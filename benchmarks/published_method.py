"""The published Hartree-Fock method for electron-hole bilayers, written down once as the opponent of benchmarks.

Direct minimisation over non-orthonormal plane-wave orbitals (Dai and Fu, PRL 132, 196202 (2024), Supplemental
Material; also used by Nashabeh and Fu):

    D_c = C_c (C_c^+ C_c)^-1 C_c^+                     one complex matrix C_c (M, N_c) per channel
    E = sum_c g_c [Tr T_c D_c - Tr K_c D_c / 2] + sum_q v_ab(q) z_a z_b n_a(q) n_b(-q) / 2A
    K_mn = sum_q v(q) D_(m+q, n+q) / A                 by a zero-padded 4-D FFT of the density matrix
    dE/dC* = g_c (1 - D) F C S^-1                      F = T + direct - K, S = C^+ C

handed, real and imaginary parts stacked, to SciPy's conjugate gradients with its default stop (largest gradient
component 1e-5). Hole atomic units; v(q) = 2 pi exp(-q d)/q with v(0) = 0 (zero mode "none"). NumPy and SciPy only.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
import scipy.linalg
import scipy.optimize
from scipy.fft import fft, ifft


@dataclass(frozen=True)
class Channel:
    """One determinant: ``orbitals`` orbitals, each held by ``degeneracy`` spins that share it."""

    name: str
    charge: int
    mass: float
    layer: int
    orbitals: int
    degeneracy: int


class PlaneWaveModel:
    """The Hamiltonian in the plane waves i b1 + j b2, |i| <= (n1-1)/2, |j| <= (n2-1)/2, of a rectangular box.

    Parameters
    ----------
    channels : the determinants.
    box : width and height in a_h.
    plane_waves : odd counts (n1, n2); M = n1 n2.
    spacing : distance between the layers in a_h.

    Raises ValueError if a count is even or there are fewer waves than orbitals.
    """

    def __init__(self, channels: Sequence[Channel], box: tuple[float, float], plane_waves: tuple[int, int],
                 spacing: float) -> None:
        n1, n2 = plane_waves
        if n1 % 2 == 0 or n2 % 2 == 0 or n1 * n2 < max(c.orbitals for c in channels):
            raise ValueError(f"plane_waves: must be two odd counts with a product above the orbitals, but was {n1, n2}")
        self.channels, self.box, self.plane_waves = tuple(channels), box, plane_waves
        self.area = box[0] * box[1]
        # Differences of two waves span -(n-1)..(n-1): a grid of 2n-1 or more makes every matrix element exact.
        self.grid = (scipy.fft.next_fast_len(2 * n1 - 1), scipy.fft.next_fast_len(2 * n2 - 1))
        steps = np.meshgrid(*(np.arange(n) - n // 2 for n in plane_waves), indexing="ij")
        self.integers = np.stack([s.ravel() for s in steps], axis=1)  # (M, 2)
        self.k = 2 * np.pi * self.integers / np.asarray(box)  # (M, 2)
        q1, q2 = (2 * np.pi * scipy.fft.fftfreq(g, 1 / g) / b for g, b in zip(self.grid, box, strict=True))
        q = np.hypot(q1[:, None], q2[None, :])
        q_safe = np.where(q > 0, q, 1.0)
        coulomb = np.where(q > 0, 2 * np.pi / q_safe, 0.0) / self.area
        self.v = np.stack([coulomb, coulomb * np.exp(-q * spacing)])  # (same or other layer, *grid), v(q)/A
        self.v_of_r = circulant(scipy.fft.ifft2(self.v[0], norm="forward").real)  # v(r - r')/A within a layer
        self.workspace = np.empty(self.grid * 2, complex)  # gamma(r, r')
        self.kinetic = [np.sum(self.k**2, axis=1) / (2 * c.mass) for c in channels]
        self.shapes = [(len(self.k), c.orbitals) for c in channels]
        self.difference = tuple(  # position of m - n on the grid, for the direct matrix (M, M)
            (i[:, None] - i[None, :]) % g for i, g in zip(self.integers.T, self.grid, strict=True))

    def exchange(self, density_matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """K (M, M) of one density matrix, and its density on the grid, sum_mn D_mn exp(i (m-n) r), shape grid.

        gamma(r, r') = sum_mn D_mn exp(i m r - i n r') is multiplied by v(r - r') and transformed back. Padding goes
        in one axis at a time, so no transform runs over lines that are still zero, and all of it happens in one
        workspace: touching new memory would cost as much as the transforms.
        """
        waves, grid, gamma = self.plane_waves * 2, self.grid * 2, self.workspace
        filled = [slice(n) for n in waves]
        gamma[tuple(filled)] = density_matrix.reshape(waves)
        for axis, transform in enumerate((ifft, ifft, fft, fft)):
            filled[axis] = slice(waves[axis], grid[axis])
            gamma[tuple(filled)] = 0
            filled[axis] = slice(grid[axis])
            transform_in_place(transform, gamma[tuple(filled)], axis)
        density = np.einsum("ijij->ij", gamma).real * (grid[0] * grid[1])  # undoes the scaling of ifft
        gamma *= self.v_of_r
        for axis, transform in ((3, ifft), (2, ifft), (1, fft), (0, fft)):
            transform_in_place(transform, gamma[tuple(filled)], axis)
            filled[axis] = slice(waves[axis])
        return np.array(gamma[tuple(filled)]).reshape(density_matrix.shape), density

    def density_matrix(self, orbitals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """D = C S^-1 C^+ (M, M) and C S^-1 (M, N) of non-orthonormal orbitals C (M, N)."""
        dual = np.linalg.solve(orbitals.conj().T @ orbitals, orbitals.conj().T).conj().T
        return dual @ orbitals.conj().T, dual

    def direct_potentials(self, densities: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Potential V(q) (grid) felt by each channel from the densities n(q) (grid) of all channels."""
        return [sum((c.charge * o.charge * o.degeneracy * self.v[int(c.layer != o.layer)] * n
                     for o, n in zip(self.channels, densities, strict=True)), np.zeros(self.grid, complex))
                for c in self.channels]

    def energy_and_fock(self, matrices: Sequence[np.ndarray]) -> tuple[float, list[np.ndarray]]:
        """Energy (Ha_h) of the density matrices (one (M, M) per channel) and the Fock matrices F = T + direct - K."""
        exchanges, densities = zip(*(self.exchange(d) for d in matrices), strict=True)
        rho = [scipy.fft.fft2(n, norm="forward") for n in densities]
        energy, focks = 0.0, []
        for c, t, d, k, n, v in zip(self.channels, self.kinetic, matrices, exchanges, rho,
                                    self.direct_potentials(rho), strict=True):
            parts = t @ np.diag(d).real, np.vdot(n, v).real / 2, -np.vdot(d, k).real / 2
            energy += c.degeneracy * sum(parts)
            fock = v[self.difference] - k
            fock[np.diag_indices(len(t))] += t
            focks.append(fock)
        return float(energy), focks

    def energy_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy (Ha_h) and its gradient at ``x``, the stacked real and imaginary parts of all orbitals."""
        orbitals = self.unpack(x)
        matrices, duals = zip(*(self.density_matrix(c) for c in orbitals), strict=True)
        energy, focks = self.energy_and_fock(matrices)
        gradients = []
        for channel, c, dual, fock in zip(self.channels, orbitals, duals, focks, strict=True):
            force = fock @ dual  # F C S^-1
            force -= dual @ (c.conj().T @ force)  # (1 - D) F C S^-1
            gradients.append(2 * channel.degeneracy * force)  # dE/d(Re C) = 2 Re dE/dC*, and so for Im
        return energy, self.pack(gradients)

    def gaps(self, x: np.ndarray) -> dict[str, float]:
        """Lowest Fock level outside the filled orbitals minus the highest within them (Ha_h) per channel.

        Negative in small boxes where v(0) = 0 leaves the filled orbitals above empty ones.
        """
        filled = [np.linalg.qr(c)[0] for c in self.unpack(x)]
        _, focks = self.energy_and_fock([c @ c.conj().T for c in filled])
        gaps = {}
        for channel, c, f in zip(self.channels, filled, focks, strict=True):
            top = scipy.linalg.eigvalsh(c.conj().T @ f @ c)[-1]
            f -= c @ (c.conj().T @ f)
            f -= (f @ c) @ c.conj().T  # (1 - D) F (1 - D)
            f += 2 * (abs(top) + np.abs(f).max() * len(f)) * (c @ c.conj().T)  # the filled ones out of the way
            bottom = scipy.linalg.eigvalsh(f, subset_by_index=[0, 0], overwrite_a=True)[0]
            gaps[channel.name] = float(bottom - top)
        return gaps

    def pack(self, orbitals: Sequence[np.ndarray]) -> np.ndarray:
        """One real vector of all orbitals: real and imaginary part of each channel in turn."""
        return np.concatenate([p.ravel() for c in orbitals for p in (c.real, c.imag)])

    def unpack(self, x: np.ndarray) -> list[np.ndarray]:
        """The complex orbitals (M, N) of each channel in a vector made by `pack`."""
        sizes = np.repeat([m * n for m, n in self.shapes], 2)
        parts = np.split(x, np.cumsum(sizes)[:-1])
        return [(re + 1j * im).reshape(s) for s, re, im in zip(self.shapes, parts[::2], parts[1::2], strict=True)]


def transform_in_place(transform: Callable[..., np.ndarray], values: np.ndarray, axis: int) -> None:
    """Replace ``values`` by its transform along ``axis``; SciPy may, but need not, reuse the memory by itself."""
    transformed = transform(values, axis=axis, overwrite_x=True)
    if not np.shares_memory(transformed, values):
        values[...] = transformed


def circulant(kernel: np.ndarray) -> np.ndarray:
    """A read-only view W[i, j, k, l] = kernel[i-k, j-l] (indices modulo the grid) that takes no memory."""
    g1, g2 = kernel.shape
    tiled = np.tile(kernel, (2, 2))
    s1, s2 = tiled.strides
    return np.lib.stride_tricks.as_strided(tiled[g1:, g2:], (g1, g2, g1, g2), (s1, s2, -s1, -s2), writeable=False)


def gaussians_on_lattice(model: PlaneWaveModel, channel: Channel, rs: float) -> np.ndarray:
    """Orthonormal start (M, N) from Gaussians of width rs^(3/4) m^(-1/4) on the triangular lattice.

    N must be the square of an even number: sqrt(N) rows of sqrt(N) sites, alternate rows shifted by half a step.
    """
    rows = round(channel.orbitals**0.5)
    if rows * rows != channel.orbitals or rows % 2:
        raise ValueError(f"counts: orbitals must be the square of an even number, but was {channel.orbitals}")
    j, i = np.divmod(np.arange(channel.orbitals), rows)
    sites = np.stack([(i + j % 2 / 2) / rows, j / rows], axis=1)  # fractions of the box
    width_squared = rs**1.5 / channel.mass**0.5
    envelope = np.exp(-np.sum(model.k**2, axis=1) * width_squared / 2)
    start = envelope[:, None] * np.exp(-2j * np.pi * model.integers @ sites.T)
    return np.linalg.qr(start)[0]


def trion_model(counts: tuple[int, int], plane_waves: tuple[int, int], spacing: float, rs_hole: float,
                electron_mass: float) -> PlaneWaveModel:
    """``counts`` = (electrons, holes): restricted electrons above spin-polarised holes, box height/width sqrt(3)/2."""
    electrons, holes = counts
    if electrons % 2 or electrons <= 0 or holes <= 0:
        raise ValueError(f"counts: must be an even number of electrons and some holes, but was {counts}")
    width = (np.pi * rs_hole**2 * holes / 0.75**0.5) ** 0.5
    channels = Channel("electron", -1, electron_mass, 1, electrons // 2, 2), Channel("hole", 1, 1.0, 0, holes, 1)
    return PlaneWaveModel(channels, (width, width * 0.75**0.5), plane_waves, spacing)


def minimise(counts: tuple[int, int] = (72, 36), plane_waves: tuple[int, int] = (45, 39), *, spacing: float = 4.83,
             rs_hole: float = 8.0, electron_mass: float = 2.0, gradient: float = 1e-5) -> dict[str, Any]:
    """Minimise from Gaussians on the lattice with SciPy CG; its default stop is ``gradient`` = 1e-5.

    ``counts`` = (electrons, holes), lengths in a_h, mass in hole masses. Returns energies and gaps in Ha_h, the
    evaluations of energy and gradient, wall and CPU seconds of the minimisation alone, and the peak memory in GB.
    """
    model = trion_model(counts, plane_waves, spacing, rs_hole, electron_mass)
    wall, cpu = time.perf_counter(), time.process_time()
    x = model.pack([gaussians_on_lattice(model, c, rs_hole) for c in model.channels])
    found = scipy.optimize.minimize(model.energy_and_gradient, x, jac=True, method="CG", options={"gtol": gradient})
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "energy": float(found.fun), "energy_per_particle": float(found.fun) / sum(counts), "gap": model.gaps(found.x),
        "converged": bool(found.success), "largest_gradient": float(np.max(np.abs(found.jac))),
        "iterations": int(found.nit), "evaluations": int(found.nfev), "seconds": seconds, "cpu_seconds": cpu_seconds,
        "seconds_per_evaluation": seconds / found.nfev, "peak_memory_gb": peak_memory(),
    }


def time_evaluations(evaluations: int, counts: tuple[int, int] = (72, 36), plane_waves: tuple[int, int] = (45, 39), *,
                     spacing: float = 4.83, rs_hole: float = 8.0, electron_mass: float = 2.0) -> dict[str, Any]:
    """Time ``evaluations`` evaluations of energy and gradient at the start; returns all wall times in seconds."""
    model = trion_model(counts, plane_waves, spacing, rs_hole, electron_mass)
    x = model.pack([gaussians_on_lattice(model, c, rs_hole) for c in model.channels])
    seconds = []
    for _ in range(evaluations):
        begin = time.perf_counter()
        energy, _ = model.energy_and_gradient(x)
        seconds.append(time.perf_counter() - begin)
    return {"energy_per_particle": energy / sum(counts), "seconds": seconds, "peak_memory_gb": peak_memory()}


def peak_memory() -> float:
    """Largest memory this process has held, in GB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description="Trion crystal by the published Hartree-Fock method; prints JSON.")
    parser.add_argument("--holes", type=int, default=36, help="holes in the box, an even number squared")
    parser.add_argument("--waves", type=int, nargs=2, default=(45, 39), metavar=("N1", "N2"), help="odd counts")
    parser.add_argument("--evaluations", type=int, help="only time this many evaluations of energy and gradient")
    parser.add_argument("--threads", type=int, default=1, help="threads of the transforms")
    arguments = parser.parse_args()
    counts, waves = (2 * arguments.holes, arguments.holes), (arguments.waves[0], arguments.waves[1])
    with scipy.fft.set_workers(arguments.threads):
        if arguments.evaluations:
            print(json.dumps(time_evaluations(arguments.evaluations, counts, waves), indent=2))
        else:
            print(json.dumps(minimise(counts, waves), indent=2))


if __name__ == "__main__":
    main()
