"""A result of a homogeneous condensate as a state to start from, on any waves and at any density.

    n_k = (1 - x_k / sqrt(1 + x_k^2))/2,   x_k = xi_k/Delta_k,

of which all x_k are moved by one number, as a chemical potential would, until the pairs are as many as they must be.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.coherence.pairs import EMPTY
from ehbilayer.hartree_fock.coherence.sectors import sectors
from ehbilayer.hartree_fock.guesses import guess
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.minimize import orthonormalise
from ehbilayer.orbitals import Determinant, Orbitals
from ehbilayer.results.base import Result
from ehbilayer.terms import Setting
from ehbilayer.torus import Torus

KIND = "condensate"
LEAST = 1e-15  # of an occupation, beside 0 and 1


def orbitals_of_condensate(result: Result, torus: Torus, basis: PlaneWaveBasis) -> Orbitals:
    """Natural orbitals of a condensate (of the plane or of a torus) in every flavour that pairs; liquids of the others.

    Raises InputError for a condensate at a temperature, which is not one determinant, for waves of a torus of another
    shape, and where flavours pair with unequal numbers.
    """
    if "angle" not in result.data:
        raise InputError("start", "a condensate at zero temperature, with angle among its arrays", "one without",
                         "compute it without temperature")
    begin = guess(torus, basis, "liquid")
    frames = tuple(orthonormalise(np, x[None]) for x in begin.frames)
    liquid = Orbitals.of(Setting(basis, Fourier(), [torus], begin.fillings), frames)
    x, found = _ratio(result, torus, basis), []
    for sector in sectors(torus):
        names = [torus.species[s].name for s in sector.channel.components]
        if not sector.paired:
            d = liquid.determinants[sector.sources[0]]
            found.append(Determinant(sector.labels[0], names[0], sector.channel.degeneracy, d.amplitudes,
                                     d.occupations))
            continue
        if sector.counts[0] != sector.counts[1]:
            raise InputError("start", "a phase name where flavours pair with unequal numbers",
                             f"a condensate, with {sector.counts[0]} electrons and {sector.counts[1]} holes",
                             'use start = "condensate"')
        n = _filled(x, sector.counts[0])
        kept = np.flatnonzero(n > EMPTY)
        n = n[kept] * sector.counts[0] / n[kept].sum()
        waves = np.eye(basis.size)[kept][:, None]
        # an electron of kappa and a hole of -kappa
        for label, name, amplitudes in zip(sector.labels, names, (waves, waves[:, :, basis.inverted]), strict=True):
            found.append(Determinant(label, name, sector.channel.degeneracy, amplitudes, n))
    return Orbitals(basis.box, basis.waves, tuple(found), basis.supercell)


def _ratio(result: Result, torus: Torus, basis: PlaneWaveBasis) -> np.ndarray:
    """x_k on the waves of a basis, (M,)."""
    angle = result.data["angle"].values
    n = np.clip(np.sin(angle) ** 2, LEAST, 1 - LEAST)
    x = (1 - 2 * n) / (2 * np.sqrt(n * (1 - n)))
    if "waves" in result.data:
        known = {tuple(w): value for w, value in zip(result.data["waves"].values.tolist(), x, strict=True)}
        old, new = (np.array(v) / np.sqrt(abs(np.linalg.det(v))) for v in (result.inputs["box"], torus.box.vectors))
        if not np.allclose(old, new, atol=1e-6):
            raise InputError("start", "a condensate in a box of this shape, or in the plane", old.tolist(),
                             "use the same [cell], or a condensate of the plane")
        return np.array([known.get(tuple(w), float(x.max())) for w in basis.waves.tolist()])
    # of the plane: at the same part of the Fermi wave number
    density = float(result.summary["density"]) / int(result.summary["flavours"])
    pairs = next(s.counts[0] for s in sectors(torus) if s.paired)
    k = np.linalg.norm(basis.waves @ basis.box.reciprocal, axis=1) * np.sqrt(density * torus.area / pairs)
    return np.asarray(np.interp(k, result.data["k"].values, x))


def _filled(x: np.ndarray, count: int) -> np.ndarray:
    """n_k of so many pairs."""
    def occupation(shift: float) -> np.ndarray:
        return np.asarray((1 - (x - shift) / np.hypot(1, x - shift)) / 2)

    reach = 10 * (1 + float(np.abs(x).max()))
    if not 0 < count < len(x):
        raise InputError("plane_waves", f"more than {count} waves", len(x), "enlarge the basis")
    shift = brentq(lambda s: float(occupation(s).sum()) - count, -reach, reach, xtol=1e-14, rtol=1e-15)
    return occupation(shift)
