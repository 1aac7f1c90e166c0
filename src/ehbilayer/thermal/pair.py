r"""An exciton among free carriers: its binding energy with their screening, their exclusion, and their occupied states.

Free electrons and holes screen charges as W = (v^-1 + chi)^-1 in both layers, chi their static response (`gases`). The
pair's equation with W binds less, and the continuum is lowered, too; what counts for its ionisation is the distance of
both, the binding energy E of

    (k^2/2 mu + E) psi(k) = P(k) int d^2k'/(2 pi)^2 W_eh(k - k') psi(k'),      P = 1 - f_e(k) - f_h(k)

P leaves out the states that free carriers occupy (one of g flavours each). Taken alone, linear response fails where it
matters: it lets carriers screen closer to a charge than they come. Two like ones of energy T stay apart by e^2/T, which
exceeds all lengths of an exciton where it ionises. So carriers are spread, v -> v e^{-qR} in all that they screen, R
the least for which the screened repulsion of two like carriers in one place is no more than four times what they move
with,

    W_aa(r = 0) = 4 T_a,     T_a = n_a/chi_a(0),

T_a the temperature or, of cold carriers, the Fermi energy. The four is taken from the classical gas of one layer, whose
excess chemical potential is known by simulation: the lowering Delta_a = 1/2 [W_aa - v_aa](r = 0) is 0.94 of it at
Gamma = sqrt(pi n)/T = 1 and 0.67 at 3 (and with no spread diverges), and the lower bound that Mermin's inequality gives
for the free energy of spread charges is near its best at Gamma = 1 to 10. Half and twice of it tell the error. Opposite
charges nearer than R are what is counted as excitons.

With the exciton's own energy kept (`Level.kept`) it is the lowering of both carriers alone that takes from its binding.

Source: N. D. Mermin, Phys. Rev. 171, 272 (1968); H. Totsuji, Phys. Rev. A 17, 399 (1978) for the classical gas
(remembered); R. Zimmermann, Many-Particle Theory of Highly Excited Semiconductors (1988), for the screened equation of
a pair with occupied states.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ehbilayer.interaction.base import Interaction
from ehbilayer.thermal.gases import Fermions

FUNCTIONS, RATIO, NARROWEST = 26, 1.6, 0.05  # Gaussians, of widths in this ratio from this part of the exciton's size
WAVES, LONGEST, SHORTEST = 150, 1e-8, 3e2  # wave numbers, in even steps of ln q, over the inverse size
OPEN = 1e-3  # least share of states that counts as open


@dataclass(frozen=True)
class Level:
    """A level of theory.

    Parameters
    ----------
    name : in words.
    contact : repulsion of two like carriers in one place over what they move with; infinite for linear response alone.
    blocked : whether occupied states are left out.
    kept : whether the exciton's own energy is kept, and the continuum alone moves.
    """

    name: str = "screened pair"
    contact: float = 4.0
    blocked: bool = True
    kept: bool = False


CENTRAL = Level()
# what spreads the answer: the radius within which carriers do not screen, exclusion, and whether an exciton is screened
LEVELS = (CENTRAL, Level("carriers farther apart", contact=2.0), Level("carriers closer", contact=8.0),
          Level("all states open", blocked=False), Level("exciton's energy kept", blocked=False, kept=True))
LINEAR = Level("linear response", contact=math.inf, blocked=False, kept=True)  # overrates screening, see above


@dataclass(frozen=True, eq=False)
class Pair:
    """Gaussians of the plane for one electron and one hole, and the layers' interaction.

    Parameters
    ----------
    q : wave numbers, 1/a_h.   measure : weights of int d^2q/(2 pi)^2 over them, a_h^-2.
    v : v_00, v_11, v_01 at q, Ha_h a_h^2.
    overlap, kinetic : of the functions.   densities : their products at q, (f, f, q).
    waves : the functions at wave number q, (f, q).
    """

    q: np.ndarray
    measure: np.ndarray
    v: tuple[np.ndarray, np.ndarray, np.ndarray]
    overlap: np.ndarray
    kinetic: np.ndarray
    densities: np.ndarray
    waves: np.ndarray
    mass: float

    @classmethod
    def of(cls, electron_mass: float, interaction: Interaction, size: float) -> Pair:
        """For an exciton of this size (a_h)."""
        mass = electron_mass / (1 + electron_mass)
        a = (NARROWEST * size * RATIO ** np.arange(FUNCTIONS)) ** -2.0  # e^{-a r^2/2}
        total = a[:, None] + a
        overlap = 2 * np.sqrt(np.outer(a, a)) / total
        q = np.geomspace(LONGEST, SHORTEST, WAVES) / size
        measure = q**2 * math.log(q[1] / q[0]) / (2 * math.pi)
        v = tuple(interaction.v(q, i, j) for i, j in ((0, 0), (1, 1), (0, 1)))
        densities = overlap[..., None] * np.exp(-q**2 / (2 * total[..., None]))
        waves = np.exp(-q**2 / (2 * a[:, None])) * (2 * math.sqrt(math.pi) / np.sqrt(a))[:, None]
        return cls(q, measure, (v[0], v[1], v[2]), overlap, overlap * np.outer(a, a) / (mass * total), densities, waves,
                   mass)

    def screened(self, chi: tuple[np.ndarray, np.ndarray], spread: float = 0.0) -> tuple[np.ndarray, ...]:
        """v - W of 00, 11 and 01 at q, the carriers' charges spread over ``spread`` (a_h)."""
        v = [x * np.exp(-self.q * spread) for x in self.v]
        rest = v[0] * v[1] - v[2] ** 2
        den = 1 + chi[0] * v[0] + chi[1] * v[1] + chi[0] * chi[1] * rest
        return v[0] - (v[0] + chi[1] * rest) / den, v[1] - (v[1] + chi[0] * rest) / den, v[2] - v[2] / den

    def spread(self, chi: tuple[np.ndarray, np.ndarray], energy: float) -> float:
        """R (a_h) at which the screened repulsions of both layers, W_00 + W_11 at r = 0, sum up to ``energy``."""
        from scipy.optimize import brentq

        def over(log: float) -> float:
            r = math.exp(log)
            v = (self.v[0] + self.v[1]) * np.exp(-self.q * r)
            less = self.screened(chi, r)
            return float(self.measure @ (v - less[0] - less[1])) - energy

        ends = math.log(1 / self.q[-1]), math.log(1 / self.q[0])
        if over(ends[0]) <= 0 or over(ends[1]) >= 0:
            return math.exp(ends[0] if over(ends[0]) <= 0 else ends[1])
        return math.exp(float(brentq(over, *ends, xtol=1e-4)))

    def binding(self, less: np.ndarray | float, share: np.ndarray | float) -> float:
        """E (Ha_h) where W_eh is v_eh less ``less`` and this share of the states at q is open."""
        from scipy.linalg import eigh

        # psi = P phi: (T/P - W) psi = -E psi/P is symmetric
        shut = self.measure * (1 / np.maximum(share, OPEN) - 1)
        blocked, moving = ((self.waves * x) @ self.waves.T for x in (shut, shut * self.q**2 / (2 * self.mass)))
        attraction = self.densities @ (self.measure * (self.v[2] - less))
        found = eigh(self.kinetic + moving - attraction, self.overlap + blocked, subset_by_index=[0, 0],
                     eigvals_only=True)
        return -float(found[0])


def occupied(gas: Fermions, density: float, k: np.ndarray) -> np.ndarray:
    """f(k) of an ideal gas of this density, of its flavours of the lowest level."""
    if not density > 0:
        return np.zeros_like(k)
    energy = k**2 / (2 * gas.mass * gas.temperature) + gas.lowest - gas.potential(density)
    return np.asarray(1 / (np.exp(np.minimum(energy, 700.0)) + 1))
