"""All terms together: energy, Fock operator on the occupied orbitals, and the problem a minimiser sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import add
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.minimize import Frames
from ehbilayer.terms import Action, Array, Operator, Setting, State, Term, TermOf, Values
from ehbilayer.terms.direct import Direct
from ehbilayer.terms.exchange import Exchange
from ehbilayer.terms.external import External
from ehbilayer.terms.kinetic import Kinetic
from ehbilayer.terms.zeeman import Zeeman
from ehbilayer.torus import Torus


@dataclass(frozen=True)
class Evaluation:
    """Energies per term (b,), and F psi of each channel as coefficients (b, K, n, S g)."""

    parts: dict[str, Array]
    fock: Frames

    @property
    def energy(self) -> Array:
        return sum(self.parts.values())


STANDARD: tuple[TermOf, ...] = (Kinetic, Direct, Exchange)


def with_outside(terms: Sequence[TermOf], torus: Torus) -> tuple[TermOf, ...]:
    """The terms, and the potential and the field of the bilayer, where it has them."""
    device = torus.bilayer
    outside: tuple[TermOf, ...] = (External,) if device.potential is not None else ()
    return (*terms, *outside, *((Zeeman,) if any(c.splitting for c in device.carriers) else ()))


class Hamiltonian:
    """A list of terms on one `Setting`: kinetic, direct and exchange unless others are given, and the potential and
    the field that its bilayers have."""

    def __init__(self, setting: Setting, terms: Sequence[TermOf] = STANDARD) -> None:
        self.setting, self.makers = setting, tuple(terms)
        self.terms: tuple[Term, ...] = tuple(make(setting) for make in with_outside(terms, setting.tori[0]))

    @property
    def uniform(self) -> bool:
        """Whether rigid translations of a state cost nothing."""
        return all(term.uniform for term in self.terms)

    @cached_property
    def kinetic(self) -> Kinetic:
        """The kinetic term, the scale of what a minimiser does."""
        return next((t for t in self.terms if isinstance(t, Kinetic)), None) or Kinetic(self.setting)

    def kinetic_scale(self, channel: int) -> np.ndarray:
        """pi n/m, n of one flavour: mean kinetic energy of the free liquid, the scale of excitations; (b,), Ha_h."""
        s = self.setting
        n = s.channels[channel].orbitals / s.areas
        mass = np.array([t.species[s.channels[channel].components[0]].mass for t in s.tori])
        return np.pi * n / mass

    @property
    def on_grid(self) -> bool:
        """Whether an evaluation costs what the points of the grid make it cost."""
        return any(t.on_grid for t in self.terms if isinstance(t, Exchange))

    def on_numpy(self) -> Hamiltonian:
        """The same Hamiltonian on NumPy arrays; itself where it already is."""
        fourier = self.setting.fourier
        if fourier.backend == "numpy":
            return self
        return Hamiltonian(replace(self.setting, fourier=Fourier(threads=fourier.threads)), self.makers)

    def derivative(self, order: int) -> Hamiltonian:
        """The Hamiltonian whose energy is d^order E/d(ln A)^order at fixed coefficients, order 1 or 2.

        Raises InputError where a term does not know how it changes with the area.
        """
        other = copy(self)
        other.terms = tuple(term.derivative(order) for term in self.terms)
        return other

    def state(self, c: Frames) -> State:
        """The orbitals with their values on the grid."""
        s = self.setting

        def values(i: int) -> Array:
            psi = s.basis.to_grid(s.fourier, s.split(c[i], i), s.fillings[i].blocks)
            return psi.reshape(psi.shape[0], -1, len(s.channels[i].components), *s.basis.shape)

        return State(tuple(c), Values(values, len(c)))

    def _sum(self, state: State, actions: Sequence[Action]) -> Frames:
        """F psi of each channel as coefficients (b, K, n, S g)."""
        s, fock = self.setting, []
        for i, x in enumerate(state.c):
            parts = [p for a in actions if a.coefficients is not None and (p := a.coefficients[i]) is not None]
            grids = [p for a in actions if a.grid is not None and (p := a.grid[i]) is not None]
            if grids:
                total = reduce(add, grids).reshape(*s.split(x, i).shape[:3], *s.basis.shape)
                parts.insert(0, s.join(s.basis.from_grid(s.fourier, total, s.fillings[i].blocks), i))
            fock.append(reduce(add, parts) if parts else 0 * x)
        return tuple(fock)

    def evaluate(self, c: Frames) -> Evaluation:
        """Energy parts and the Fock operator on the orbitals."""
        state = self.state(c)
        actions = [term.act(state) for term in self.terms]
        parts: dict[str, Array] = {}
        for term, action in zip(self.terms, actions, strict=True):  # terms of one name count together
            parts[term.name] = parts.get(term.name, 0.0) + action.energy
        return Evaluation(parts, self._sum(state, actions))

    def one_body(self, z: Frames) -> Frames:
        """The one-body part L of the operator, F = L + (interactions), applied to any frames z (b, K, n, S g)."""
        state = self.state(z)
        return self._sum(state, [term.act(state) for term in self.terms if term.one_body])

    def area_derivative(self, c: Frames) -> Array:
        """dE/dA (b,) by Hellmann-Feynman at fixed coefficients; NaN where a term does not scale with the area."""
        try:
            slope = self.derivative(1).evaluate(c).energy
        except InputError:
            return np.full(len(self.setting.areas), np.nan)
        return slope / self.setting.areas

    def blocks(self, state: State, channel: int) -> np.ndarray:
        """The Fock operator between the waves of each k block, (K, S g, S g'), Ha_h (first batch entry)."""
        return np.asarray(sum(term.operator(state, channel).blocks() for term in self.terms))

    def operators(self, state: State, channel: int) -> list[Operator]:
        """That of every term on one channel."""
        return [term.operator(state, channel) for term in self.terms]


class EnergyProblem:
    """The Hartree-Fock energy as a `minimize.Problem`, preconditioned by (k^2/2m + s)^-1.

    ``inverses`` take the place of that for channels about which more is known, see `hartree_fock.metal`.
    """

    def __init__(self, hamiltonian: Hamiltonian,
                 inverses: Mapping[int, Callable[[Array], Array]] | None = None) -> None:
        self.hamiltonian = hamiltonian
        s = hamiltonian.setting
        self.xp: Any = s.fourier.xp
        self.weights: list[np.ndarray] = []
        mixing: list[np.ndarray | None] = []
        self._inverse: list[Array] = []
        self._inverses = dict(inverses or {})
        for c, (channel, filling) in enumerate(zip(s.channels, s.fillings, strict=True)):
            f = filling.f
            self.weights.append(channel.degeneracy * f[None, :, :, None])
            differ = np.abs(f[:, :, None] - f[:, None, :]) > 1e-14
            mixing.append(differ if differ.any() else None)
            level = hamiltonian.kinetic.levels[c]
            floor = self.xp.asarray(hamiltonian.kinetic_scale(c))[:, None, None, None]
            self._inverse.append(1 / (np.maximum(self.weights[c], 0.05 * channel.degeneracy) * (np.abs(level) + floor)))
        self.mixing = tuple(mixing)
        self._compiled = self._evaluate
        if s.fourier.backend == "jax":
            import jax

            self._compiled = jax.jit(self._evaluate)

    def _evaluate(self, x: Frames) -> tuple[Array, Frames]:
        out = self.hamiltonian.evaluate(x)
        return out.energy, tuple(w * f for w, f in zip(self.weights, out.fock, strict=True))

    def evaluate(self, x: Frames) -> tuple[Array, Frames]:
        return self._compiled(x)

    def precondition(self, g: Frames) -> Frames:
        return tuple(self._inverses[c](q) if c in self._inverses else self._inverse[c] * q for c, q in enumerate(g))

    def residual(self, g: Frames) -> Array:
        """The largest norm of (1 - P) F psi over the occupied orbitals, in Ha_h, shape (b,)."""
        xp, sizes = self.xp, []
        for w, p in zip(self.weights, g, strict=True):
            norm = xp.sqrt(xp.sum(xp.abs(p) ** 2, axis=-1)) / np.maximum(w[..., 0], 0.05)
            sizes.append(xp.max(norm, axis=(1, 2)))
        return xp.max(xp.stack(sizes), axis=0)
