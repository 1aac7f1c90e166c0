"""The state that calculations start from, keep and hand on: Slater determinants of plane-wave orbitals in a box.

Every method that needs one-particle states takes an `Orbitals`: Hartree-Fock as a start (`on` carries it to another
basis), sweeps to keep it (`pack`), order parameters and momenta (`density_waves`, `momentum`), and whatever wants
psi(r) with its derivatives (`at`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis, RealBox
from ehbilayer.errors import InputError
from ehbilayer.numerics.fourier import good_size
from ehbilayer.numerics.lattice import Cell
from ehbilayer.results.base import Variable
from ehbilayer.terms import Filling, Setting
from ehbilayer.torus import Channel, Torus

if TYPE_CHECKING:
    from ehbilayer.numerics.minimize import Frames

PREFIX = "state_"  # how the names of kept arrays begin
AT_ONCE = 1_000_000  # grid values of orbitals that are transformed together
WHOLLY = 0.999  # of an orbital's weight in one k block


@dataclass(frozen=True, eq=False)
class Guess:
    """Starting frames (one per channel, (K, n, S g), not yet orthonormal) and their fillings."""

    frames: tuple[np.ndarray, ...]
    fillings: tuple[Filling, ...]


@dataclass(frozen=True, eq=False)
class Determinant:
    """The orbitals of one channel.

    label : of the channel.   carrier : the name of its (first) carrier.   degeneracy : identical flavours.
    amplitudes : on plane waves, (P, S, M), S components of a spinor.   occupations : of each orbital, (P,).
    """

    label: str
    carrier: str
    degeneracy: int
    amplitudes: np.ndarray
    occupations: np.ndarray


@dataclass(frozen=True, eq=False)
class Orbitals:
    """Slater determinants on the plane waves exp(i kappa r)/sqrt(A) of a box.

    Parameters
    ----------
    box : the torus.   waves : integer wave vectors, (M, 2).   determinants : one per channel.
    supercell : integer matrix, box.vectors = supercell @ cell.vectors of the cell whose translations were kept.
    """

    box: Cell
    waves: np.ndarray
    determinants: tuple[Determinant, ...]
    supercell: np.ndarray

    @classmethod
    def of(cls, setting: Setting, frames: Frames) -> Orbitals:
        """Of frames (1, K, n, S g) on the basis of a setting (first batch entry)."""
        basis, found = setting.basis, []
        for c, (channel, filling) in enumerate(zip(setting.channels, setting.fillings, strict=True)):
            parts = len(channel.components)
            split = np.asarray(setting.split(np.asarray(frames[c]), c))[0]
            amplitudes = basis.to_waves(split, filling.blocks).reshape(-1, parts, basis.size)
            carrier = setting.tori[0].species[channel.components[0]].name
            found.append(Determinant(channel.label, carrier, channel.degeneracy, amplitudes, filling.flat))
        return cls(basis.box, basis.waves, tuple(found), basis.supercell)

    def determinant(self, channel: Channel, carrier: str) -> Determinant | None:
        """That of a channel; one that is lacking is that of another flavour of its carrier, None if there is none."""
        named = [d for name in (channel.label, carrier) for d in self.determinants
                 if d.label == name or d.label.startswith(name + " ")]
        return named[0] if named else None

    # -- on another basis

    def on(self, torus: Torus, basis: PlaneWaveBasis, *, whole: bool = False) -> Guess:
        """The same orbitals on the waves and blocks of another basis, waves that are new at zero.

        Parameters
        ----------
        torus : whose channels the orbitals must fill; a channel that is lacking takes those of another flavour.
        basis : of a box of the same shape.   whole : refuse orbitals that are partly filled.

        Raises
        ------
        InputError : another shape of the box, other particles, a state that does not fit the basis.
        """
        old, new = (cell.vectors / np.sqrt(cell.area) for cell in (self.box, basis.box))
        if not np.allclose(old, new, atol=1e-6):
            raise InputError("start", "a result of a box of this shape", self.box.vectors.tolist(),
                             "use the same [cell], or start from a phase name")
        frames, fillings = [], []
        for channel in torus.channels:
            found = self.determinant(channel, torus.species[channel.species].name)
            f = np.zeros(0) if found is None else found.occupations
            if found is None or abs(f.sum() - channel.orbitals) > 1e-6:
                raise InputError("start", f"a result with {channel.orbitals} {channel.label} orbitals",
                                 f"{f.sum():g} of them, in channels {[d.label for d in self.determinants]}",
                                 "start from a phase name instead")
            if whole and np.any((f > 0) & (f < 1)):
                raise InputError("start", "a state of whole orbitals where occupation = integer",
                                 "one with a shell filled equally",
                                 'use occupation = "shell", or start from a phase name')
            x, filling = place(basis, match_waves(found.amplitudes[:, 0], self.waves, basis.waves), f)
            frames.append(x)
            fillings.append(filling)
        return Guess(tuple(frames), tuple(fillings))

    def occupied(self) -> Orbitals:
        """Without the orbitals that hold nothing."""
        return replace(self, determinants=tuple(
            replace(d, amplitudes=d.amplitudes[d.occupations > 0], occupations=d.occupations[d.occupations > 0])
            for d in self.determinants))

    # -- what it says

    def momentum(self, carrier: str) -> np.ndarray:
        """<n_kappa> of a carrier, summed over flavours, on every wave (M,)."""
        parts = [n for d, n in zip(self.determinants, self._momenta, strict=True) if d.carrier == carrier]
        return np.asarray(sum(parts)) if parts else np.zeros(len(self.waves))

    @cached_property
    def _momenta(self) -> list[np.ndarray]:
        """<n_kappa> of every determinant, all its flavours."""
        return [d.degeneracy * np.einsum("p,psm->m", d.occupations, np.abs(d.amplitudes) ** 2)
                for d in self.determinants]

    def density_waves(self, vectors: np.ndarray) -> dict[str, np.ndarray]:
        """Fourier components <rho_G> = g sum_p f_p sum_kappa c_p*(kappa) c_p(kappa + G) of every determinant, by label.

        ``vectors`` are integer waves G (n, 2) of the box; the answer (n,) counts a determinant's flavours together.
        """
        found = {}
        for d in self.determinants:
            steps, entries, cell = self._steps(d)
            first = steps.min(axis=0)
            span = steps.max(axis=0) - first
            n1, n2 = (good_size(2 * int(s) + 1) for s in span)  # exact for every product of two waves
            orbitals, parts = d.amplitudes.shape[:2]
            place = (steps - first) @ np.array([n2, 1])
            density, rows = np.zeros(n1 * n2), max(1, AT_ONCE // (n1 * n2 * parts))
            for start in range(0, orbitals, rows):
                grid = np.zeros((min(rows, orbitals - start), parts, n1 * n2), dtype=complex)
                mine = (entries[0] >= start) & (entries[0] < start + rows)
                p, part, wave = (e[mine] for e in entries)
                grid[p - start, part, place[mine]] = d.amplitudes[p, part, wave]
                psi = np.fft.ifft2(grid.reshape(*grid.shape[:2], n1, n2), norm="forward").reshape(grid.shape)
                density += d.occupations[start : start + rows] @ np.sum(np.abs(psi) ** 2, axis=1)
            # density(r) = sum_G rho_G e^{iGr}
            rho = d.degeneracy * np.fft.fft2(density.reshape(n1, n2), norm="forward")
            g = vectors @ np.linalg.inv(cell.T)
            inside = np.all(np.abs(g - np.rint(g)) < 1e-6, axis=1) & np.all(np.abs(g) < span + 0.5, axis=1)
            g = np.rint(g).astype(int)
            found[d.label] = np.where(inside, rho[g[:, 0] % n1, g[:, 1] % n2], 0.0)
        return found

    def _steps(self, d: Determinant) -> tuple[np.ndarray, tuple[np.ndarray, ...], np.ndarray]:
        """From the first wave of its orbital to that of every amplitude that is not zero, (n, 2) in reciprocal vectors
        of a cell; which amplitudes these are (orbital, component, wave); and the cell, as a ``supercell``: that whose
        translations the orbitals keep, else the box."""
        entries = np.nonzero(d.amplitudes)
        orbital, first = np.unique(entries[0], return_index=True)
        home = np.zeros((len(d.amplitudes), 2), dtype=int)
        home[orbital] = self.waves[entries[2][first]]
        waves = self.waves[entries[2]]
        steps = (waves - home[entries[0]]) @ np.linalg.inv(self.supercell.T)
        whole = np.rint(steps).astype(int)
        if np.all(np.abs(steps - whole) < 1e-6):
            return whole, entries, self.supercell
        return waves, entries, np.eye(2, dtype=int)

    def at(self, r: np.ndarray, determinant: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """psi_p(r) of one determinant with gradient and Laplacian.

        Parameters: r (n, 2) in a_h; determinant, its number. Returns psi (n, P, S), grad psi (n, P, S, 2), laplacian
        (n, P, S); psi = sum_kappa c(kappa) exp(i kappa r)/sqrt(A), in 1/a_h.
        """
        k = self.waves @ self.box.reciprocal  # (M, 2)
        wave = np.exp(1j * np.asarray(r, dtype=float) @ k.T) / np.sqrt(self.box.area)  # (n, M)
        c = self.determinants[determinant].amplitudes
        psi = np.einsum("nm,psm->nps", wave, c)
        gradient = np.einsum("nm,mx,psm->npsx", wave, 1j * k, c)
        return psi, gradient, np.einsum("nm,m,psm->nps", wave, -np.sum(k * k, axis=1), c)

    # -- arrays of a file

    def variables(self) -> dict[str, Variable]:
        """The arrays of a result: waves, orbitals and occupations of every determinant."""
        data = {"waves": Variable(("wave", "axis"), self.waves, "1", "integer wave vectors of the box"),
                "wave_vector": Variable(("wave", "axis"), self.waves @ self.box.reciprocal, "1/a_h", "wave vectors")}
        for c, d in enumerate(self.determinants):
            spinor = d.amplitudes.shape[1] > 1
            dims = (f"orbital_{c}", "component", "wave") if spinor else (f"orbital_{c}", "wave")
            data[f"orbitals_{c}"] = Variable(dims, d.amplitudes if spinor else d.amplitudes[:, 0], "1",
                                             "plane-wave amplitudes")
            data[f"occupations_{c}"] = Variable((f"orbital_{c}",), d.occupations, "1", "occupation of each orbital")
        return data

    @property
    def parameters(self) -> dict[str, object]:
        """What a result's inputs say of them."""
        return {"box": self.box.vectors.tolist(), "supercell": self.supercell.tolist(),
                "channels": [{"label": d.label, "carrier": d.carrier, "degeneracy": d.degeneracy,
                              "orbitals": round(float(d.occupations.sum()))} for d in self.determinants]}

    @classmethod
    def read(cls, data: Mapping[str, Variable], parameters: Mapping[str, object]) -> Orbitals:
        """Those that `variables` and `parameters` tell of, also as files of the first format have them.

        Raises InputError where they are not there.
        """
        channels = parameters.get("channels")
        if not isinstance(channels, list) or "waves" not in data or "orbitals_0" not in data:
            raise InputError("start", "a result with orbitals", "one without",
                             "give a result of kind hartree-fock")
        try:
            return cls._read(channels, data, parameters)
        except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise InputError("start", "a result whose orbitals are described", f"{type(error).__name__}: {error}"[:80],
                             "its file was changed; compute it again") from None

    @classmethod
    def _read(cls, channels: Sequence[Any], data: Mapping[str, Variable], parameters: Mapping[str, Any]) -> Orbitals:
        found = []
        for c, channel in enumerate(channels):
            amplitudes = data[f"orbitals_{c}"].values
            amplitudes = amplitudes[:, None] if amplitudes.ndim == 2 else amplitudes
            carrier = channel.get("carrier") or _carrier_of(channel, parameters)
            found.append(Determinant(str(channel["label"]), str(carrier), int(channel["degeneracy"]), amplitudes,
                                     data[f"occupations_{c}"].values))
        supercell = np.array(parameters.get("supercell", np.eye(2)), dtype=int)
        return cls(Cell(np.array(parameters["box"])), data["waves"].values, tuple(found), supercell)

    def pack(self, name: str) -> dict[str, Variable]:
        """The arrays to keep under names that end in ``name``, see `unpack`.

        Orbitals of a crystal lie in one k block each, so only amplitudes that are not zero are kept, with their place
        in the flattened (orbital, wave) array. Nothing is rounded: `unpack` gives the same bits.
        """
        found = {f"{PREFIX}waves_{name}": Variable((f"{PREFIX}wave_{name}", "axis"), self.waves, "1",
                                                   "integer wave vectors of the box")}
        for c, d in enumerate(self.determinants):
            end = f"{c}_{name}"
            flat = d.amplitudes.ravel()
            where = np.flatnonzero(flat)
            amplitude = (f"{PREFIX}amplitude_{end}",)
            found |= {
                f"{PREFIX}occupations_{end}": Variable((f"{PREFIX}orbital_{end}",), d.occupations, "1",
                                                       "occupation of each orbital"),
                f"{PREFIX}place_{end}": Variable(amplitude, where.astype(np.int32), "1",
                                                 "place of each amplitude in (orbital, wave)"),
                f"{PREFIX}amplitudes_{end}": Variable(amplitude, flat[where], "1",
                                                      "plane-wave amplitudes that are not zero")}
        return found

    @classmethod
    def unpack(cls, name: str, torus: Torus, box: Cell, data: Mapping[str, Variable]) -> Orbitals:
        """The orbitals that `pack` kept of a state with the channels of this torus, in this box."""
        waves, found = data[f"{PREFIX}waves_{name}"].values, []
        for c, channel in enumerate(torus.channels):
            occupations = data[f"{PREFIX}occupations_{c}_{name}"].values
            amplitudes = np.zeros(len(occupations) * len(channel.components) * len(waves), dtype=complex)
            amplitudes[data[f"{PREFIX}place_{c}_{name}"].values] = data[f"{PREFIX}amplitudes_{c}_{name}"].values
            found.append(Determinant(channel.label, torus.species[channel.components[0]].name, channel.degeneracy,
                                     amplitudes.reshape(-1, len(channel.components), len(waves)), occupations))
        return cls(box, waves, tuple(found), np.eye(2, dtype=int))


def _carrier_of(channel: Mapping[str, object], parameters: Mapping[str, object]) -> str:
    """The carrier of a channel in a file of the first format, which numbers the species."""
    species, index = parameters["species"], channel["species"]
    assert isinstance(species, Sequence) and isinstance(index, int)
    return str(species[index]["name"])


def match_waves(amplitudes: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Amplitudes (P, M_old) on waves ``old`` (M_old, 2) -> (P, M_new); waves that are new start at zero."""
    where = {tuple(w): i for i, w in enumerate(old.tolist())}
    out = np.zeros((len(amplitudes), len(new)), dtype=complex)
    pairs = [(i, where[tuple(w)]) for i, w in enumerate(new.tolist()) if tuple(w) in where]
    target, source = np.array(pairs).T
    out[:, target] = amplitudes[:, source]
    return out


def to_real_box(basis: RealBox, amplitudes: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, Filling]:
    """Orbitals (P, M) with occupations (P,) -> real orbitals of the free box spanning the same space.

    The density matrix must be real, as it is with time reversal; levels of equal occupation are treated together.
    """
    rows, weights = [], []
    for level in np.unique(np.round(f[f > 0], 12))[::-1]:
        mine = amplitudes[np.abs(f - level) < 1e-9]
        minus = mine[:, basis.inverted].conj()  # psi*(r) has amplitudes c*(-kappa)
        parts = np.concatenate([mine + minus, -1j * (mine - minus)]) / 2
        x = basis.from_waves(parts)
        _, size, vectors = np.linalg.svd(x, full_matrices=False)
        rows.append(vectors[: len(mine)])
        weights += [level] * len(mine)
        if len(size) > len(mine) and size[len(mine)] > 1e-5:
            raise InputError("start", "a state with time-reversal symmetry", "one with currents",
                             "start from another state, or from one with shells filled equally")
    return np.concatenate(rows)[None], Filling(np.array([0]), np.array([weights]))


def _homes(basis: PlaneWaveBasis, amplitudes: np.ndarray) -> tuple[np.ndarray, bool]:
    """The block (P,) in which most of each orbital (P, M) lies, and whether it all lies there."""
    weight = np.zeros((len(amplitudes), len(basis.k_points)))
    for k, (index, mask) in enumerate(zip(basis.index, basis.mask, strict=True)):
        weight[:, k] = np.sum(np.abs(amplitudes[:, index]) ** 2 * mask, axis=1)
    return weight.argmax(axis=1), bool(np.all(weight.max(axis=1) >= WHOLLY * weight.sum(axis=1)))


def _unmixed(basis: PlaneWaveBasis, amplitudes: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orbitals of the same density matrix that each lie in one k block, such as e^{+-ikr} for cosine and sine.

    Raises InputError if there are none: the state lacks the translations of this cell.
    """
    rows, weights = [], []
    for level in np.unique(np.round(f[f > 0], 12))[::-1]:
        mine = amplitudes[np.abs(f - level) < 1e-9]
        for index, mask in zip(basis.index, basis.mask, strict=True):
            _, size, vectors = np.linalg.svd(mine[:, index] * mask, full_matrices=False)
            whole = vectors[size**2 > WHOLLY]
            x = np.zeros((len(whole), basis.size), dtype=complex)
            x[:, index[mask > 0]] = whole[:, mask > 0]
            rows.append(x)
            weights += [level] * len(whole)
    if len(weights) != np.count_nonzero(f > 0):
        raise InputError("start", "a state with the translations of the cell", "a state without them",
                         'use symmetry = "none", or start from a crystal result')
    return np.concatenate(rows), np.array(weights)


def to_blocks(basis: PlaneWaveBasis, amplitudes: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, Filling]:
    """Orbitals (P, M) with occupations (P,) -> frames (K, n, g) in the k blocks, and their filling.

    Raises InputError if the state lacks the translations of this cell.
    """
    there = np.linalg.norm(amplitudes, axis=1) > 0.5  # a block with fewer waves than bands has empty ones of no waves
    amplitudes, f = amplitudes[there], f[there]
    home, sorted_already = _homes(basis, amplitudes)
    if not sorted_already:
        amplitudes, f = _unmixed(basis, amplitudes, f)
        home, _ = _homes(basis, amplitudes)
    blocks = np.unique(home)
    bands = int(np.bincount(home).max())
    x = np.zeros((len(blocks), bands, basis.coefficients), dtype=complex)
    filled = np.zeros((len(blocks), bands))
    for row, k in enumerate(blocks):
        mine = np.flatnonzero(home == k)
        x[row, : len(mine)] = amplitudes[mine][:, basis.index[k]] * basis.mask[k]
        filled[row, : len(mine)] = f[mine]
        spare = bands - len(mine)  # any further vectors will do, the block's own waves first; they stay empty
        if spare:
            own = np.eye(basis.coefficients)[:, np.argsort(-basis.mask[k], kind="stable")]
            q = np.linalg.qr(np.concatenate([x[row, : len(mine)].T, own], axis=1))[0]
            x[row, len(mine) :] = q[:, len(mine) : bands].T
    return x, Filling(blocks, filled)


def place(basis: PlaneWaveBasis, amplitudes: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, Filling]:
    """`to_real_box` or `to_blocks`, whichever the basis needs."""
    return to_real_box(basis, amplitudes, f) if isinstance(basis, RealBox) else to_blocks(basis, amplitudes, f)
