"""Energy and mean field of density matrices with electron-hole coherence.

A state is given by one matrix R' per sector between the waves of each k block, (K, S g, S g): that of the top of
`coherence` less the filled sea of particle-hole transformed holes,

    R' = [[D_e, K], [K^dagger, -D_h]],    E = Tr L R' + direct - 1/2 Tr (v * R') R',    H = dE/dR'

v_ab > 0 within each layer and between them, so that pairing is exchange between components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hamiltonian import STANDARD, with_outside
from ehbilayer.hartree_fock.coherence.sectors import Sector
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.terms import Filling, Operator, Part, Setting, State, TermOf
from ehbilayer.terms.density_matrix import Convolution
from ehbilayer.terms.direct import Direct
from ehbilayer.terms.exchange import Exchange
from ehbilayer.terms.kinetic import Kinetic
from ehbilayer.terms.local import LocalOperator
from ehbilayer.torus import Torus

Matrices = tuple[np.ndarray, ...]  # one per sector, (K, S g, S g)
PAIRING = "pairing"


@dataclass(frozen=True)
class Field:
    """Energies of the terms and H of each sector, Ha_h."""

    parts: dict[str, float]
    fock: Matrices

    @property
    def energy(self) -> float:
        return sum(self.parts.values())


class MeanField:
    """The Hamiltonian of some sectors on a basis of complex orbitals.

    Parameters
    ----------
    torus, basis : the physics and its discretisation.   sectors : see `sectors.sectors`.
    terms : of the Hamiltonian; beside the standard ones those of one body.
    momentum : Q of a pair in 1/a_h, (2,). Electrons at kappa + Q m_e/M pair with holes at -kappa + Q m_h/M: boundary
        conditions move with the pairs, so that a uniform balanced state has E(Q) = N Q^2/2M exactly.

    Raises InputError for an interaction of another kind among the terms.
    """

    def __init__(self, torus: Torus, basis: PlaneWaveBasis, sectors: Sequence[Sector],
                 terms: Sequence[TermOf] = STANDARD, momentum: np.ndarray | None = None) -> None:
        self.torus, self.basis, self.sectors = torus, basis, tuple(sectors)
        self.momentum = np.zeros(2) if momentum is None else np.asarray(momentum, dtype=float)
        blocks = len(basis.k_points)
        every = tuple(Filling(np.arange(blocks), np.ones((blocks, 1))) for _ in sectors)
        self.setting = Setting(basis, Fourier(), [torus], every, tuple(s.channel for s in sectors))
        self.degeneracy = [s.channel.degeneracy for s in sectors]
        self._exchange, self._direct = Exchange(self.setting), Direct(self.setting)
        self._convolutions: dict[tuple[object, ...], Convolution] = {}
        self.one_body = self._one_body(terms)
        self.among = [t for t in terms if t in (Direct, Exchange)]
        n1, n2 = basis.shape
        p = basis.steps[:, :, None] - basis.steps[:, None, :]
        there = basis.mask[:, :, None] * basis.mask[:, None, :] > 0
        self.place = np.where(there, (p[..., 0] % n1) * n2 + p[..., 1] % n2, n1 * n2)  # padding apart

    def _one_body(self, terms: Sequence[TermOf]) -> dict[str, Matrices]:
        """L of every term of one body, by its name."""
        k = self.basis.unit_k / np.sqrt(self.torus.area)
        found = {"kinetic": tuple(self.kinetic(c, k) for c in range(len(self.sectors)))}
        self.further: list[list[Operator]] = []  # of other terms of one body, one for each sector
        for make in with_outside(terms, self.torus):
            if make in (Kinetic, Direct, Exchange):
                continue
            term = make(self.setting)
            if not term.one_body:
                raise InputError("terms", "kinetic, direct, exchange and terms of one body with pairing", term.name,
                                 "leave pairing out")
            zero = tuple(np.zeros((1, len(self.basis.k_points), 1, self.size(c)), dtype=complex)
                         for c in range(len(self.sectors)))
            state = State(zero, ())
            self.further.append([term.operator(state, c) for c in range(len(self.sectors))])
            found[term.name] = tuple(operator.blocks() for operator in self.further[-1])
        return found

    def size(self, sector: int) -> int:
        """S g, the dimension of a block."""
        return len(self.sectors[sector].counts) * self.basis.coefficients

    def kinetic(self, sector: int, k: np.ndarray) -> np.ndarray:
        """+-k^2/2m on the diagonal at wave vectors k (..., g, 2) in 1/a_h, (..., S g, S g).

        A transformed component at k is a hole at -k.
        """
        parts = self.setting.parts_of(sector)
        mass = sum(self.torus.species[p.species].mass for p in parts)
        share = [self.torus.species[p.species].mass / mass * self.momentum if len(parts) > 1 else np.zeros(2)
                 for p in parts]
        level = np.concatenate([p.sign * self.torus.species[p.species].kinetic(p.sign * k + q)
                                for p, q in zip(parts, share, strict=True)], axis=-1)
        out = np.zeros((*level.shape, level.shape[-1]))
        i = np.arange(level.shape[-1])
        out[..., i, i] = level
        return out

    def sea(self, sector: int) -> np.ndarray:
        """The filled sea R - R' of a sector, (S g,) on the diagonal of each block, (K, S g)."""
        parts = self.setting.parts_of(sector)
        return np.concatenate([self.basis.mask * (p.sign < 0) for p in parts], axis=-1)

    def convolved(self, sector: int, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """v * R' of one sector: the whole matrix, and what of it is between components."""
        parts, g = self.setting.parts_of(sector), self.basis.coefficients
        out, between = np.zeros_like(matrix), None
        for m in parts:
            i = slice(m.component * g, (m.component + 1) * g)
            out[:, i, i] = self.convolution(m, m)(matrix[:, i, i])
        if len(parts) == 2:
            between = self.convolution(*parts)(matrix[:, :g, g:])
            out[:, :g, g:], out[:, g:, :g] = between, np.conj(np.swapaxes(between, 1, 2))
        return out, between

    def convolution(self, m: Part, n: Part) -> Convolution:
        """What two components of a sector exchange by."""
        key = self._exchange._key(m, n), m == n
        if key not in self._convolutions:
            self._convolutions[key] = Convolution(self._exchange, m, n, m == n)
        return self._convolutions[key]

    def density(self, matrices: Matrices) -> np.ndarray:
        """rho(G) of every component of every sector, all its flavours, (parts, n1, n2); G = 0 of a transformed one is
        that of R'."""
        n1, n2 = self.basis.shape
        found, g = [], self.basis.coefficients
        for part in self.setting.parts:
            i = slice(part.component * g, (part.component + 1) * g)
            values, place = matrices[part.channel][:, i, i].ravel(), self.place.ravel()
            rho = np.bincount(place, values.real, n1 * n2 + 1)[:-1] + 0j
            if np.iscomplexobj(values):
                rho += 1j * np.bincount(place, values.imag, n1 * n2 + 1)[:-1]
            found.append(self.degeneracy[part.channel] * rho.reshape(n1, n2))
        return np.array(found)

    def potential(self, rho: np.ndarray) -> np.ndarray:
        """V(G) of every component in these densities (parts, n1, n2), Ha_h."""
        v = np.asarray(self._direct.v)[0] * (Direct in self.among)
        return np.asarray(np.einsum("ijxy,jxy->ixy", v, rho))

    def local(self, sector: int, potential: np.ndarray) -> LocalOperator:
        """The potential V(G) (parts, n1, n2) on one sector."""
        mine = [i for i, p in enumerate(self.setting.parts) if p.channel == sector]
        return LocalOperator(self.setting, potential[mine])

    def evaluate(self, matrices: Matrices) -> Field:
        """Energies and H at the matrices R'."""
        parts = {name: sum(d * _trace(one, r) for d, one, r in zip(self.degeneracy, ones, matrices, strict=True))
                 for name, ones in self.one_body.items()}
        rho = self.density(matrices)
        potential = self.potential(rho)
        capacitor = float(self._direct.capacitor[0]) if Direct in self.among else 0.0
        parts["direct"] = 0.5 * float(np.vdot(rho, potential).real) + capacitor
        parts |= {"exchange": 0.0, PAIRING: 0.0}
        fock = []
        for c, r in enumerate(matrices):
            exchange, between = self.convolved(c, r) if Exchange in self.among else (0 * r, None)
            pairing = 0.0
            if between is not None:
                # -sum |K|^2 v_1: twice a half, of K and of its conjugate
                g = self.basis.coefficients
                pairing = -self.degeneracy[c] * float(np.vdot(r[:, :g, g:], between).real)
            parts[PAIRING] += pairing
            parts["exchange"] += -0.5 * self.degeneracy[c] * _trace(exchange, r) - pairing
            local = self.local(c, potential).blocks()
            if not np.iscomplexobj(r) and np.abs(local.imag).max() < 1e-13 * (1 + np.abs(local.real).max()):
                local = local.real
            fock.append(sum(ones[c] for ones in self.one_body.values()) + local - exchange)
        return Field(parts, tuple(fock))


def _trace(a: np.ndarray, b: np.ndarray) -> float:
    """Tr a b of Hermitian matrices, summed over the blocks."""
    return float(np.vdot(a, b).real)
