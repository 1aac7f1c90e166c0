"""External potential: E = sum_c g_c sum_p f_p <p|V|p> with V of the bilayer's `potential.Potential`.

V has the Fourier components V_a e^{i phi} at its vectors G_j and V_a e^{-i phi} at -G_j. Where the area changes at
fixed integer waves it is stretched with the box: as many cells in it, as deep, so that it has no part in the pressure.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.terms import Action, Array, Setting, State
from ehbilayer.terms.local import LocalOperator, on_orbitals
from ehbilayer.terms.wave_density import WaveDensity


class External:
    """The potential of every torus of the batch; all of them have one."""

    name = "potential"
    one_body = True

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._on_waves = [WaveDensity.of(setting, c) for c in range(len(setting.channels))]
        v = np.zeros((len(setting.tori), len(setting.parts), setting.basis.shape[0], setting.basis.columns),
                     dtype=complex)
        for b, torus in enumerate(setting.tori):
            potential = torus.bilayer.potential
            assert potential is not None
            amplitude = [p.sign * potential.amplitude(torus.species[p.species].charge) for p in setting.parts]
            v[b] = np.array(amplitude)[:, None, None] * self._shape(potential.vectors(torus.box), potential.phase)
        self._v: Array = setting.fourier.xp.asarray(v)

    @property
    def uniform(self) -> bool:
        """Only without depth."""
        return not np.asarray(self._v).any()

    def _shape(self, vectors: np.ndarray, phase: float) -> np.ndarray:
        """V_G/V_a at the frequencies of `PlaneWaveBasis.forward`. Raises InputError where it does not fit the cell."""
        basis = self.setting.basis
        out = np.zeros((basis.shape[0], basis.columns), dtype=complex)
        for sign in (1, -1):
            steps = vectors @ np.linalg.inv(basis.supercell.T)
            if not np.allclose(steps, np.rint(steps), atol=1e-6):
                raise InputError("symmetry", "of a cell with whole periods of the potential", basis.supercell.tolist(),
                                 'symmetry = "none" is the whole box')
            # one that joins no two waves acts on nothing, and would share the frequency of another
            for n1, n2 in np.rint(sign * steps[basis.is_transfer(vectors)]).astype(int) % basis.shape:
                if n2 < basis.columns:
                    out[n1, n2] += np.exp(1j * sign * np.radians(phase))
        return out

    def act(self, state: State) -> Action:
        s, xp, energy = self.setting, self.setting.fourier.xp, 0.0
        coefficients, grid = on_orbitals(s, self._on_waves, self._v, state)
        for c, (waves, values) in enumerate(zip(coefficients, grid, strict=True)):
            f = s.channels[c].degeneracy * s.fillings[c].f
            if waves is not None:
                energy = energy + xp.sum(f[None, :, :, None] * (state.c[c].conj() * waves).real, axis=(1, 2, 3))
            else:
                mean = f.ravel()[None, :, None, None, None] * (state.psi[c].conj() * values).real
                energy = energy + xp.sum(mean, axis=(1, 2, 3, 4)) / s.basis.points
        return Action(energy, coefficients=coefficients, grid=grid)

    def derivative(self, order: int) -> External:
        other = copy(self)
        other._v = 0 * self._v
        return other

    def operator(self, state: State, channel: int) -> LocalOperator:
        mine = [i for i, p in enumerate(self.setting.parts) if p.channel == channel]
        return LocalOperator(self.setting, np.asarray(self._v)[0, mine])
