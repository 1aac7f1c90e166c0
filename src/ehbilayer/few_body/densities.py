"""What a complex looks like: mean distances, pair correlations, densities around the centre of mass, and a map.

The distance along an arm w (a pair, or a particle and the centre of mass) has, for every product of two Gaussians,
the plane Gaussian distribution of variance c = w^T C^-1 w times 1 (L = 0) or a polynomial in r^2 (L = 1), in closed
form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ehbilayer.few_body.basis import Basis
from ehbilayer.few_body.complexes import Complex
from ehbilayer.few_body.gaussians import Functions, inverse
from ehbilayer.few_body.result import Distances
from ehbilayer.results.base import Variable

POINTS = 161  # radii of a curve
NEGLIGIBLE = 1e-15  # share of the norm below which a product of two functions is left out
MAP = 81  # points along each side of the map


@dataclass(frozen=True, eq=False)
class Distribution:
    """How far apart two points of a complex are.

    Parameters
    ----------
    radii : (n,) in a_h.   density : (n,) in a_h^-2, with integral of 2 pi r over all r equal to 1.
    mean, mean_square : <r> in a_h and <r^2> in a_h^2.
    """

    radii: np.ndarray
    density: np.ndarray
    mean: float
    mean_square: float


@dataclass(frozen=True, eq=False)
class _Mixture:
    """A density sum_i (flat_i + rising_i r^2) exp(-r^2/2c_i)/(2 pi c_i)."""

    variance: np.ndarray
    flat: np.ndarray
    rising: np.ndarray

    def mean(self) -> tuple[float, float]:
        """<r> and <r^2>."""
        c, root = self.variance, np.sqrt(np.pi * self.variance / 2)
        return float(root @ (self.flat + 3 * c * self.rising)), float(2 * c @ (self.flat + 4 * c * self.rising))

    def at(self, radii: np.ndarray) -> np.ndarray:
        """The density at these radii."""
        out = np.zeros(len(radii))
        for part in np.array_split(np.arange(len(self.variance)), 1 + len(self.variance) // 4096):
            c = self.variance[part, None]
            shape = np.exp(-(radii**2) / (2 * c)) / (2 * np.pi * c)
            out += self.flat[part] @ shape + radii**2 * (self.rising[part] @ shape)
        return out


def distribution(basis: Basis, arms: np.ndarray) -> Distribution:
    """Distribution of the distance w^T x, averaged over arms w (a, n) that exchanges turn into each other.

    The average commutes with exchanges, so that exchanging the ket alone is enough.
    """
    mixtures = [_mixture(basis, arm) for arm in arms]
    mixture = _Mixture(np.concatenate([m.variance for m in mixtures]),
                       np.concatenate([m.flat for m in mixtures]) / len(arms),
                       np.concatenate([m.rising for m in mixtures]) / len(arms))
    mean, square = mixture.mean()
    # fine where the particles are close, wide enough for the tail
    stretch = np.arcsinh(6 * np.sqrt(square) / (0.3 * mean))
    radii = 0.3 * mean * np.sinh(stretch * np.linspace(0, 1, POINTS))
    return Distribution(radii, mixture.at(radii), mean, square)


def _mixture(basis: Basis, arm: np.ndarray) -> _Mixture:
    system, c, parts = basis.system, basis.coefficients, []
    for sign, matrix in system.exchanges:
        ket = basis.functions.exchanged(matrix)
        inv, determinant = inverse(basis.functions.widths[:, None] + ket.widths[None])
        weight = sign * np.outer(c, c) / determinant
        lever = inv @ arm
        variance = lever @ arm
        flat, rising = weight, np.zeros_like(weight)
        if system.angular_momentum:
            p = np.einsum("ki,klij,lj->kl", basis.functions.vectors, inv, ket.vectors)
            product = np.einsum("ki,kli->kl", basis.functions.vectors, lever) * np.einsum("li,kli->kl", ket.vectors,
                                                                                          lever)
            flat, rising = 2 * weight * (p - product / variance), weight * product / variance**2
        keep = np.abs(flat) + np.abs(rising) * variance > NEGLIGIBLE
        parts.append((variance[keep], flat[keep], rising[keep]))
    return _Mixture(*(np.concatenate([part[i] for part in parts]) for i in range(3)))


def arms_by_name(complex: Complex) -> dict[str, np.ndarray]:
    """Arms (a, n) of all ``ee``, ``eh``, ``hh`` pairs, and of the ``electron`` and ``hole`` from the centre of mass."""
    system = complex.charges
    out: dict[str, list[np.ndarray]] = {}
    letters = ["e" if q < 0 else "h" for q in system.charges]
    for (i, j), arm in zip(system.pairs, system.arms, strict=True):
        out.setdefault("".join(sorted(letters[i] + letters[j])), []).append(arm)
    m = np.array(system.masses)
    back = np.linalg.pinv(system.relative)
    for i, letter in enumerate(letters):
        name = {"e": "electron", "h": "hole"}[letter]
        out.setdefault(name, []).append((np.eye(len(m))[i] - m / m.sum()) @ back)
    return {name: np.array(arms) for name, arms in out.items()}


def wavefunction(basis: Basis, x: np.ndarray) -> np.ndarray:
    """Psi, not normalised, at relative coordinates x (points, n, 2); complex for angular momentum 1."""
    system, out = basis.system, np.zeros(len(x), complex)
    for sign, matrix in system.exchanges:
        functions: Functions = basis.functions.exchanged(matrix)
        value = np.exp(-0.5 * np.einsum("mia,kij,mja->mk", x, functions.widths, x, optimize=True)).astype(complex)
        if system.angular_momentum:
            turned = np.einsum("ki,mia->mka", functions.vectors, x)
            value *= turned[..., 0] + 1j * turned[..., 1]
        out += sign * (value @ basis.coefficients)
    return out


def companion(basis: Basis, distance: float) -> tuple[np.ndarray, np.ndarray]:
    """Trions: where the second of the two identical carriers is while the first stands at (-distance, 0).

    The other carrier is at the origin. Returns the coordinates of the map (n,) in a_h, the same along both sides, and
    the conditional density (n, n) over (y, x) in a_h^-2, with integral 1 over the map.
    """
    side = np.linspace(-4.5 * distance, 4.5 * distance, MAP)
    y, x = np.meshgrid(side, side, indexing="ij")
    points = np.zeros((x.size, 2, 2))
    points[:, 0, 0] = -distance
    points[:, 1] = np.stack([x.ravel(), y.ravel()], axis=1)
    density = np.abs(wavefunction(basis, points).reshape(x.shape)) ** 2
    return side, density / (density.sum() * (side[1] - side[0]) ** 2)


def curves(complex: Complex, basis: Basis) -> tuple[dict[str, Variable], Distances]:
    """Pair correlations, densities around the centre of mass and, for trions, the map of the second carrier."""
    data: dict[str, Variable] = {}
    means: dict[str, float | None] = dict.fromkeys(("ee", "eh", "hh"))
    for name, arms in arms_by_name(complex).items():
        found, kind = distribution(basis, arms), "pair" if name in means else "density"
        what = f"distance of {name[0]} and {name[1]}" if name in means else f"{name} from the centre of mass"
        data[f"radius_{name}"] = Variable((f"radius_{name}",), found.radii, "a_h", "in-plane distance")
        data[f"{kind}_{name}"] = Variable((f"radius_{name}",), found.density, "a_h^-2", f"{what}: density, norm 1")
        if name in means:
            means[name] = found.mean
    if complex.name.startswith("trion"):
        r, g = data["radius_eh"].values, data["pair_eh"].values
        distance = float(r[np.argmax(r * g)])  # the likeliest
        side, density = companion(basis, distance)
        data["map_side"] = Variable(("map_side",), side, "a_h", "coordinate of the map, along x and along y")
        data["map_row"] = Variable(("map_row",), side, "a_h", "coordinate of the map, along y")
        data["map_density"] = Variable(("map_row", "map_side"), density, "a_h^-2", "second carrier, the other at "
                                       "the origin and the first at (-distance, 0)")
        data["map_distance"] = Variable((), np.array(distance), "a_h", "where the first carrier is held")
    return data, Distances(**means)
