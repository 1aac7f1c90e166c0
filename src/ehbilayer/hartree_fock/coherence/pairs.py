"""Natural orbitals: a state with pairs as two sets of orbitals that meet one by one (Bloch and Messiah).

    D_e = sum_i n_i |phi_i><phi_i|,   D_h = sum_i n_i |psi_i><psi_i|,
    <h(r_h) c(r_e)> = sum_i sqrt(n_i (1 - n_i)) phi_i(r_e) psi_i(r_h)

phi_i are eigenvectors of D_e and psi_i = (K^dagger phi_i / sqrt(n_i (1 - n_i)))^*. Orbitals that are whole stand alone
at the end. An electron and a hole of one number whose occupation is the same fraction are a pair, so that `Orbitals`
hold all there is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.coherence.field import Matrices, MeanField
from ehbilayer.hartree_fock.coherence.filling import Filler
from ehbilayer.hartree_fock.coherence.sectors import Sector
from ehbilayer.orbitals import Determinant, Orbitals, match_waves

EMPTY = 1e-11  # occupation of orbitals that are left out
LOST = 1e-3  # particles that a start may lose on other waves, relative


def natural_orbitals(mean: MeanField, matrices: Matrices) -> Orbitals:
    """Those of R' of every sector: first the electrons of each pairing sector, then its holes."""
    basis, found = mean.basis, []
    for sector, r in zip(mean.sectors, matrices, strict=True):
        g, names = basis.coefficients, [mean.torus.species[s].name for s in sector.channel.components]
        sets = [_whole(r)] if not sector.paired else _paired(r[:, :g, :g], -r[:, g:, g:], r[:, :g, g:])
        for component, (x, n) in enumerate(sets):
            amplitudes = np.concatenate([basis.to_waves(rows[None], np.array([k]))[0] for k, rows in enumerate(x)])
            if component:
                amplitudes = amplitudes[:, basis.inverted].conj()
            found.append(Determinant(sector.labels[component], names[component], sector.channel.degeneracy,
                                     amplitudes[:, None], np.concatenate(n)))
    return Orbitals(basis.box, basis.waves, tuple(_in_order(found, mean.sectors)), basis.supercell)


def _in_order(found: list[Determinant], sectors: tuple[Sector, ...]) -> list[Determinant]:
    """Pairs first in both determinants of a sector, orbitals that are whole after them."""
    out, at = [], 0
    for sector in sectors:
        mine = found[at : at + len(sector.counts)]
        at += len(sector.counts)
        for d in mine:
            order = np.argsort(d.occupations >= 1.0, kind="stable")
            out.append(replace(d, amplitudes=d.amplitudes[order], occupations=d.occupations[order]))
    return out


Sets = tuple[list[np.ndarray], list[np.ndarray]]  # of every block: orbitals (n, g), occupations (n,)


def _whole(d: np.ndarray) -> Sets:
    """The occupied orbitals of a density matrix that is one of a determinant."""
    n, u = np.linalg.eigh(d)
    return [x.T[m > 0.5] for x, m in zip(u, n, strict=True)], [np.ones(int((m > 0.5).sum())) for m in n]


def _paired(electron: np.ndarray, hole: np.ndarray, k: np.ndarray) -> list[Sets]:
    """Of electrons and transformed holes, pair by pair."""
    e: Sets = ([], [])
    h: Sets = ([], [])
    for d, other, between in zip(electron, hole, k, strict=True):
        n, u = np.linalg.eigh(d)
        paired = (n > EMPTY) & (n < 1 - EMPTY)
        # D_e alone does not tell an orbital with a small pairing amplitude from one without
        partner = np.conj(between.T) @ u
        strength = np.linalg.norm(partner, axis=0)
        paired &= strength**2 > 0.5 * n * (1 - n)
        phi, chi = u[:, paired].T, (partner[:, paired] / strength[paired]).T
        full = u[:, ~paired & (n > 0.5)].T
        rest = other - (chi.T * n[paired]) @ chi.conj()
        m, w = np.linalg.eigh(rest)
        alone = w[:, m > 0.5].T
        for out, orbitals, more in ((e, phi, full), (h, chi, alone)):
            out[0].append(np.concatenate([orbitals, more]))
            out[1].append(np.concatenate([n[paired], np.ones(len(more))]))
    return [e, h]


def matrices_of(mean: MeanField, orbitals: Orbitals) -> Matrices:
    """R' of every sector from orbitals of Hartree-Fock or natural ones, also on other waves of the same box shape.

    Raises InputError for other particles, another shape, or a state without the translations of the cell.
    """
    basis = mean.basis
    old, new = (cell.vectors / np.sqrt(cell.area) for cell in (orbitals.box, basis.box))
    if not np.allclose(old, new, atol=1e-6):
        raise InputError("start", "a result of a box of this shape", orbitals.box.vectors.tolist(),
                         "use the same [cell], or start from a phase name")
    found = []
    for c, sector in enumerate(mean.sectors):
        parts = []
        for label, source, count in zip(sector.labels, sector.sources, sector.counts, strict=True):
            channel = mean.torus.channels[source]
            carrier = mean.torus.species[channel.species].name
            d = next((x for x in orbitals.determinants if x.label == label), None) \
                or orbitals.determinant(channel, carrier)
            if d is None or abs(d.occupations.sum() - count) > 1e-6 * max(count, 1):
                was = "none" if d is None else f"{d.occupations.sum():g}"
                raise InputError("start", f"a result with {count} {label} orbitals", was, "start from a phase name")
            parts.append((match_waves(d.amplitudes[:, 0], orbitals.waves, basis.waves), d.occupations))
        found.append(_matrix(mean, c, parts))
    return tuple(found)


def _matrix(mean: MeanField, c: int, parts: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """R' of one sector from (amplitudes (P, M), occupations (P,)) of its components."""
    basis, sector = mean.basis, mean.sectors[c]
    blocks = []
    for component, (amplitudes, _) in enumerate(parts):
        x = amplitudes[:, basis.inverted].conj() if component else amplitudes
        blocks.append(np.swapaxes(x[:, basis.index] * basis.mask, 0, 1))  # (K, P, g)
    e, n = blocks[0], parts[0][1]
    g = basis.coefficients
    matrix = np.zeros((len(e), mean.size(c), mean.size(c)), dtype=complex)
    matrix[:, :g, :g] = np.einsum("p,kpg,kph->kgh", n, e, e.conj())
    lost = [abs(float(np.einsum("kgg->", matrix[:, :g, :g]).real) - sector.counts[0])]
    if sector.paired:
        h, m = blocks[1], parts[1][1]
        matrix[:, g:, g:] = -np.einsum("p,kpg,kph->kgh", m, h, h.conj())
        lost.append(abs(float(np.einsum("kgg->", matrix[:, g:, g:]).real) + sector.counts[1]))
        count = min(len(n), len(m))
        paired = np.flatnonzero((n[:count] == m[:count]) & (n[:count] < 1))
        k = np.einsum("p,kpg,kph->kgh", np.sqrt(n * (1 - n))[paired], e[:, paired], h[:, paired].conj())
        matrix[:, :g, g:], matrix[:, g:, :g] = k, np.conj(np.swapaxes(k, 1, 2))
    if max(lost) > LOST * max(sector.counts):
        raise InputError("start", "a state with the translations of the cell, on waves like these",
                         f"one that loses {max(lost):.3g} particles here", "start from another one")
    matrix = real_if_close(matrix)
    # of a determinant with the right numbers, which other waves or a cut-off of small occupations leave out
    i = np.arange(matrix.shape[-1])
    full = matrix.copy()
    full[:, i, i] += mean.sea(c)
    return Filler(mean, c, matrix)(-full).matrix


def real_if_close(matrix: np.ndarray) -> np.ndarray:
    """Without an imaginary part of round-off."""
    if np.iscomplexobj(matrix) and np.abs(matrix.imag).max() < 1e-12 * max(1.0, np.abs(matrix.real).max()):
        return np.ascontiguousarray(matrix.real)
    return matrix


def local_amplitude(mean: MeanField, matrices: Matrices) -> np.ndarray | None:
    """<h(r) c(r)> of all pairing sectors, their flavours together, on the grid of the cell (n1, n2), a_h^-2.

    At Q = 0; else it is the factor of exp(iQr). None where nothing can pair.
    """
    basis, g, total = mean.basis, mean.basis.coefficients, None
    n1, n2 = basis.shape
    place = mean.place.ravel()
    for sector, r in zip(mean.sectors, matrices, strict=True):
        if not sector.paired:
            continue
        values = sector.channel.degeneracy * r[:, :g, g:].ravel()
        spectrum = sum(unit * np.bincount(place, part, n1 * n2 + 1)[:-1]
                       for unit, part in ((1, values.real), (1j, values.imag)))
        # sum_G K_G exp(iGr)/A
        field = np.fft.ifft2(np.asarray(spectrum).reshape(n1, n2), norm="forward") / mean.torus.area
        total = field if total is None else total + field
    return total
