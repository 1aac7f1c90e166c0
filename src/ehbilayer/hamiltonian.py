"""All terms together: energy, Fock operator on the occupied orbitals, and the problem a minimiser sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.minimize import Frames
from ehbilayer.terms import Array, Setting, State, Term
from ehbilayer.terms.direct import Direct
from ehbilayer.terms.exchange import Exchange
from ehbilayer.terms.kinetic import Kinetic


@dataclass(frozen=True)
class Evaluation:
    """Energies per term (b,), and F psi of each channel as coefficients (b, K, n, g)."""

    parts: dict[str, Array]
    fock: Frames

    @property
    def energy(self) -> Array:
        return sum(self.parts.values())


class Hamiltonian:
    """Kinetic, direct and exchange terms on one `Setting`."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.kinetic, self.direct, self.exchange = Kinetic(setting), Direct(setting), Exchange(setting)
        self.terms: tuple[Term, ...] = (self.kinetic, self.direct, self.exchange)

    def on_numpy(self) -> Hamiltonian:
        """The same Hamiltonian on NumPy arrays; itself where it already is."""
        fourier = self.setting.fourier
        if fourier.backend == "numpy":
            return self
        return Hamiltonian(replace(self.setting, fourier=Fourier(threads=fourier.threads)))

    def state(self, c: Frames) -> State:
        """The orbitals with their values on the grid."""
        s = self.setting
        psi = []
        for x, filling in zip(c, s.fillings, strict=True):
            values = s.basis.to_grid(s.fourier, x, filling.blocks)
            psi.append(values.reshape(values.shape[0], -1, *s.basis.shape))
        return State(tuple(c), tuple(psi))

    def evaluate(self, c: Frames) -> Evaluation:
        """Energy parts and the Fock operator on the orbitals."""
        s = self.setting
        state = self.state(c)
        actions = {term.name: term.act(state) for term in self.terms}
        fock = []
        for i, x in enumerate(c):
            total = sum(a.grid[i] for a in actions.values() if a.grid is not None)
            shape = (*x.shape[:3], *s.basis.shape)
            out = s.basis.from_grid(s.fourier, total.reshape(shape), s.fillings[i].blocks)
            fock.append(out + sum(a.coefficients[i] for a in actions.values() if a.coefficients is not None))
        return Evaluation({name: a.energy for name, a in actions.items()}, tuple(fock))

    def area_derivative(self, c: Frames) -> Array:
        """dE/dA (b,) by Hellmann-Feynman at fixed coefficients."""
        state = self.state(c)
        return sum(term.area_derivative(state) for term in self.terms)


class EnergyProblem:
    """The Hartree-Fock energy as a `minimize.Problem`, preconditioned by (k^2/2m + s)^-1."""

    def __init__(self, hamiltonian: Hamiltonian) -> None:
        self.hamiltonian = hamiltonian
        s = hamiltonian.setting
        self.xp: Any = s.fourier.xp
        self.weights: list[np.ndarray] = []
        mixing: list[np.ndarray | None] = []
        self._inverse: list[Array] = []
        for c, (channel, filling) in enumerate(zip(s.channels, s.fillings, strict=True)):
            f = filling.f
            self.weights.append(channel.degeneracy * f[None, :, :, None])
            differ = np.abs(f[:, :, None] - f[:, None, :]) > 1e-14
            mixing.append(differ if differ.any() else None)
            level = hamiltonian.kinetic.levels[c]
            floor = self.xp.asarray(self._kinetic_scale(c))[:, None, None, None]
            self._inverse.append(1 / (np.maximum(self.weights[c], 0.05 * channel.degeneracy) * (level + floor)))
        self.mixing = tuple(mixing)
        self._compiled = self._evaluate
        if s.fourier.backend == "jax":
            import jax

            self._compiled = jax.jit(self._evaluate)

    def _kinetic_scale(self, c: int) -> np.ndarray:
        """pi n/m, n of one flavour: mean kinetic energy of the free liquid, the scale of excitations."""
        s = self.hamiltonian.setting
        n = s.channels[c].orbitals / np.asarray(s.areas)
        mass = np.array([s.species_of(b, c).mass for b in s.bilayers])
        return np.pi * n / mass

    def _evaluate(self, x: Frames) -> tuple[Array, Frames]:
        out = self.hamiltonian.evaluate(x)
        return out.energy, tuple(w * f for w, f in zip(self.weights, out.fock, strict=True))

    def evaluate(self, x: Frames) -> tuple[Array, Frames]:
        return self._compiled(x)

    def precondition(self, g: Frames) -> Frames:
        return tuple(p * q for p, q in zip(self._inverse, g, strict=True))

    def residual(self, g: Frames) -> Array:
        """The largest norm of (1 - P) F psi over the occupied orbitals, in Ha_h, shape (b,)."""
        xp, sizes = self.xp, []
        for w, p in zip(self.weights, g, strict=True):
            norm = xp.sqrt(xp.sum(xp.abs(p) ** 2, axis=-1)) / np.maximum(w[..., 0], 0.05)
            sizes.append(xp.max(norm, axis=(1, 2)))
        return xp.max(xp.stack(sizes), axis=0)
