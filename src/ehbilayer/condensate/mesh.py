"""Wave vectors of the infinite plane for the condensate: a radial grid and angular averages that respect the logarithm.

The average of v(|k - k'|) = 2 pi exp(-q d)/q over the angle, over 2 pi, is

    K(k, k') = (2/pi) int_{|k-k'|}^{k+k'} exp(-q d) dq / sqrt((q^2 - (k-k')^2) ((k+k')^2 - q^2)),

(2/pi) K(m)/(k+k') with 1 - m = ((k-k')/(k+k'))^2 for d = 0. Its logarithm at k = k' is integrated to high order by the
trapezoidal rule in a variable t, with local corrections from the zeta function, which keep the discrete energy an exact
quadratic form: chemical potentials are derivatives of energies to rounding. In t the ends of k fall off doubly
exponentially, and nodes gather at the Fermi surface, so some fifty to a hundred of them do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ehbilayer.condensate.averages import NEIGHBOURS, averages
from ehbilayer.interaction.base import Interaction
from ehbilayer.numerics.quadrature import gauss_legendre

LOWEST, HIGHEST = 1e-6, 1e5  # ends of k over its scale
REACH = 38.0  # k d at which exp(-k d) no longer counts
COARSE = 2.0  # step times d beyond which nodes no longer resolve exp(-q d): only where the amplitude has vanished
LARGEST_COSH = 6.0  # q d between neighbours, where it has vanished, too
FAINT = 45.0  # |k - k'| d at which the average is zero


@dataclass(frozen=True)
class Mesh:
    """How nodes are laid: k(u) = scale exp(pi/2 sinh u), t = u + strength asinh((k - centre)/width), t = j step.

    Lengths of k in 1/a_h. Strength 0 leaves the gathering at ``centre`` out. ``highest`` is the largest k. With a
    ``cutoff`` K waves end there: K k/(K + k) takes the place of k, whose nodes gather at K doubly exponentially, too.
    """

    scale: float
    highest: float
    step: float
    centre: float = 0.0
    width: float = 1.0
    strength: float = 0.0
    cutoff: float | None = None

    def nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """k and dk/dt at the nodes, each (M,)."""
        return _nodes(self)

    def half(self) -> np.ndarray:
        """k at every half step, from three of them before the first node to three after the last one, (2M + 5,)."""
        return self.lay(fine=True)[0]

    def lay(self, fine: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Compute what `nodes` returns; where ``fine``, at half steps from three before the first node to three after
        the last one."""
        ends = [math.asinh(2 / math.pi * math.log(x)) for x in (LOWEST, self.highest / self.scale)]
        first, last = (float(self._t(np.array(u))) for u in ends)
        t = first + self.step * np.arange(math.ceil((last - first) / self.step) + 1)
        if fine:
            t = first + self.step / 2 * np.arange(-3, 2 * len(t) + 2)
        low, high = (np.full(len(t), u) for u in (ends[0] - 2 * self.step - 1e-9, ends[1] + 3 * self.step + 1e-9))
        for _ in range(60):  # t(u) grows: halve the bracket, then Newton
            middle = 0.5 * (low + high)
            below = self._t(middle) < t
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        k, rise = self._k(low)
        return k, rise / self._slope(low)

    def _k(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """k and dk/du."""
        k = self.scale * np.exp(np.pi / 2 * np.sinh(u))
        below = 1.0 if self.cutoff is None else 1 / (1 + k / self.cutoff)
        return k * below, k * below**2 * np.pi / 2 * np.cosh(u)

    def _t(self, u: np.ndarray) -> np.ndarray:
        return u + self.strength * np.arcsinh((self._k(u)[0] - self.centre) / self.width)

    def _slope(self, u: np.ndarray) -> np.ndarray:
        k, rise = self._k(u)
        return 1 + self.strength * rise / np.hypot(k - self.centre, self.width)


class RadialWaves:
    """A `bogoliubov.WaveVectors` of the infinite plane; sums over k are per area, sum_k -> int k dk / 2 pi.

    mesh : where the nodes are. electron_mass : in units of the hole mass. interaction : and the layers of both.
    """

    def __init__(self, mesh: Mesh, electron_mass: float, interaction: Interaction, layers: tuple[int, int]) -> None:
        self.mesh = mesh
        self.k, self.slope = mesh.nodes()
        self.measure = self.k * self.slope * mesh.step
        self.weights = self.measure / (2 * np.pi)
        self.kinetic = self.k**2 * (1 + 1 / electron_mass) / 2
        electron, hole = layers
        self._other = _table(mesh, interaction, electron, hole)
        one, two = (_table(mesh, interaction, a, a) for a in layers)
        self._same = one if one is two else (one + two) / 2
        self._apart = None if one is two else (two - one) / 2

    def fields(self, occupation: np.ndarray, amplitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """X_k and D_k in Ha_h, see `bogoliubov.WaveVectors`."""
        return self._same @ (self.measure * occupation), self._other @ (self.measure * amplitude)

    def apart(self, occupation: np.ndarray) -> np.ndarray:
        """(X^h_k - X^e_k)/2 in Ha_h, see `bogoliubov.WaveVectors`."""
        if self._apart is None:
            return np.zeros_like(occupation)
        return np.asarray(self._apart @ (self.measure * occupation))

    def derivative(self, values: np.ndarray) -> np.ndarray:
        """d/dk of a smooth function of k, (M,), by splines in t."""
        from scipy.interpolate import CubicSpline

        return CubicSpline(np.arange(len(values)) * self.mesh.step, values)(
            np.arange(len(values)) * self.mesh.step, 1) / self.slope


@lru_cache(maxsize=64)
def _nodes(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    return mesh.lay()


@lru_cache(maxsize=48)
def _table(mesh: Mesh, interaction: Interaction, a: int, b: int) -> np.ndarray:
    """The average of v_ab, of layers that are one where that of Coulomb's interaction is."""
    distance = interaction.coulomb_distance(a, b)
    return averages(interaction, a, b, mesh.nodes()[0], mesh.half()) if distance is None else _bare(mesh, distance)


@lru_cache(maxsize=32)
def _bare(mesh: Mesh, distance: float) -> np.ndarray:
    return angular_kernel(*mesh.nodes(), mesh.step, distance)


def angular_kernel(k: np.ndarray, slope: np.ndarray, step: float, spacing: float) -> np.ndarray:
    """The symmetric matrix (M, M) with which sum_j K_ij f_j k_j slope_j step is int K(k_i, k') f(k') k' dk'.

    k, slope : nodes and dk/dt (M,) of a uniform grid in t with this step. spacing : d in a_h. K as at the top of the
    module, in a_h, with the corrections for its logarithm.
    """
    i, j = np.triu_indices(len(k), 1)
    out = np.zeros((len(k), len(k)))
    out[i, j] = _average(k[i], k[j], spacing)
    out += out.T
    corrections = log_corrections(NEIGHBOURS)
    i, gap = np.arange(len(k)), slope * step
    # nodes too far apart for exp(-q d) see their own cell as a whole, int K k' dk' = 1/d there
    resolved = 1 / (1 + (gap * spacing / COARSE) ** 8)
    # K ~ [ln(8k/|k-k'|) - ..]/(pi k) on the diagonal, without the ln|t-t'| that the correction stands for
    own = (np.log(8 * k / gap) - corrections[0]) / (np.pi * k) - _regular(k, spacing)
    out[i, i] = resolved * own + ((1 - resolved) / (k * gap * spacing) if spacing > 0 else 0.0)
    for m in range(1, NEIGHBOURS + 1):
        a, b = i[:-m], i[m:]
        part = corrections[m] * _log_part(k[a], k[b], spacing) * np.sqrt(resolved[a] * resolved[b])
        out[a, b] += part
        out[b, a] += part
    return out


@lru_cache(maxsize=4)
def log_corrections(neighbours: int) -> np.ndarray:
    """c_m with int ln|t| f dt = h sum_{j != 0} ln|jh| f(jh) + h ln(h) f(0) + h sum_m c_|m| f(mh) + O(h^(2p+3)).

    The sums over m run from -p to p with p ``neighbours``; result (p + 1,). The moments are sum_m c_|m| m^2j
    = 2 zeta'(-2j), since the punctured trapezoidal sums are zeta functions (Sidi and Israeli, J. Sci. Comput. 3, 201
    (1988); the derivatives follow from the functional equation).
    """
    from scipy.special import zeta

    orders = np.arange(neighbours + 1)
    moments = [-math.log(2 * math.pi)]
    moments += [(-1) ** j * math.factorial(2 * j) * float(zeta(2 * j + 1)) / (2 * math.pi) ** (2 * j)
                for j in range(1, neighbours + 1)]
    matrix = 2.0 * orders[None, :] ** (2.0 * orders[:, None])
    matrix[0, 0] = 1.0
    return np.linalg.solve(matrix, moments)


def _average(k: np.ndarray, p: np.ndarray, spacing: float) -> np.ndarray:
    """K(k, p) for k != p, any shape. With q = (k + p) dn(u | m) the integrand is periodic: the trapezoidal rule."""
    from scipy.special import ellipj, ellipkm1

    total = k + p
    rest = ((k - p) / total) ** 2
    quarter = ellipkm1(rest)
    if spacing == 0:
        return 2 / np.pi * quarter / total
    ratio, mean = np.sqrt(rest), np.zeros_like(total)
    points = 8 * np.ceil((3 * quarter + 4) / 8).astype(int)  # errors exp(-2 pi points K'/K), K' >= pi/2
    points[np.abs(k - p) * spacing > FAINT] = 0
    for n in np.unique(points[points > 0]):
        here = points == n
        strength = spacing * total[here]
        for a in (np.arange(n // 2) + 0.5) / n:
            dn = ellipj(a * quarter[here], 1 - rest[here])[2]  # and dn(K - u) = k'/dn(u)
            mean[here] += (np.exp(-strength * dn) + np.exp(-strength * ratio[here] / dn)) / n
    return 2 / np.pi * quarter * mean / total


def _regular(k: np.ndarray, spacing: float) -> np.ndarray:
    """The average of (1 - exp(-q d))/q at equal wave numbers, q = 2k sin(angle/2), (M,)."""
    if spacing == 0:
        return np.zeros_like(k)
    x, weight = gauss_legendre(64)
    s = 0.5 * (x + 1)  # angle/2 = (pi/2) s^4 brings nodes to the small q that matter where k d is large
    q = 2 * k[:, None] * np.sin(0.5 * np.pi * s**4)
    return (-np.expm1(-q * spacing) / q) @ (2 * weight * s**3)


def _log_part(k: np.ndarray, p: np.ndarray, spacing: float) -> np.ndarray:
    """The smooth factor of ln|k - p| in K(k, p), any shape.

    -(4/pi^2) int_0^{pi/2} cosh(q d) da / sqrt((k+p)^2 - q^2) with q = |k-p| sin a.
    """
    angle = (np.arange(12) + 0.5) / 12 * np.pi / 2
    q = np.abs(k - p)[:, None] * np.sin(angle)
    growth = np.cosh(np.minimum(q * spacing, LARGEST_COSH))
    return -2 / np.pi * np.mean(growth / np.sqrt((k + p)[:, None] ** 2 - q**2), axis=1)
