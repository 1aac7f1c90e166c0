r"""The interaction in a real device: an anisotropic medium, metal gates, polarisable layers of some thickness.

With kappa = sqrt(eps_xy eps_z), which makes the atomic units, and s = sqrt(eps_xy/eps_z), heights count s times: layer
a lies t_a below the top gate and b_a above the bottom one, L between the gates, D between the layers, all times s. The
Green's function of point charges is (2 sinh sinh/sinh, written with exponentials that cannot overflow)

    v_ab(q) = (2 pi/q) e^{-q D} (1 - e^{-2 q t_a}) (1 - e^{-2 q b_b}) / (1 - e^{-2 q L}),   a above b,

each bracket 1 where its gate is absent. A layer of thickness w spreads its charge evenly over w: with x = q s w,
S = sinh(x/2)/(x/2) and O = 2 (sinh x - x)/x^2 it is S^2 v_ab between layers and S^2 v_aa - (2 pi/q) O within one, which
is (2 pi/q) F, F = 2 (x - 1 + e^{-x})/x^2, without gates. In-plane polarisability 2 pi alpha_a = r_a of the layers, with
the profile of their carriers, makes it (Rytova and Keldysh, for several layers)

    W = [v^{-1} + R]^{-1} = (1 + v R)^{-1} v,      R_a = (r_a/kappa) q^2/2 pi.

v(q) is analytic in q^2 off the negative axis, for complex q too: `heat_kernel` rests on that.

Source: Rytova, Moscow Univ. Phys. Bull. 22, 30 (1967); Keldysh, JETP Lett. 29, 658 (1979); sheets as in Cudazzo et al.,
PRB 84, 085406 (2011).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ehbilayer.errors import InputError, is_number
from ehbilayer.interaction.base import Interaction
from ehbilayer.interaction.heat_kernel import HeatKernel

LAYERS = 2  # electrons on top (0), holes below (1)


@dataclass(frozen=True)
class Screened(Interaction):
    """Two layers in a uniaxial medium, with gates, polarisable layers and their thickness.

    Parameters
    ----------
    spacing : between the middles of the layers in a_h, >= 0.
    dielectric_in_plane, dielectric_out_of_plane : relative dielectric constants of the medium, >= 1; a_h and Ha_h are
        those of kappa, the root of their product.
    gate_top, gate_bottom : distance (a_h) of the metal above the layer of the electrons and below that of the holes;
        None without.
    sheet_electron, sheet_hole : vacuum screening lengths r_0 = 2 pi alpha of the layers, a_h.
    layer_thickness : over which the charge of a layer is spread evenly, a_h.

    Raises
    ------
    InputError : a length that is negative or not finite, a dielectric constant below 1, layers that overlap or reach
        into a gate.
    """

    spacing: float = 0.0
    dielectric_in_plane: float = 1.0
    dielectric_out_of_plane: float = 1.0
    gate_top: float | None = None
    gate_bottom: float | None = None
    sheet_electron: float = 0.0
    sheet_hole: float = 0.0
    layer_thickness: float = 0.0
    name = "screened"

    def __post_init__(self) -> None:
        for key in ("spacing", "sheet_electron", "sheet_hole", "layer_thickness"):
            if not (is_number(getattr(self, key)) and 0 <= getattr(self, key) < math.inf):
                raise InputError(key, "a finite length >= 0 (a_h)", getattr(self, key), "leave it out, or correct it")
        for key in ("dielectric_in_plane", "dielectric_out_of_plane"):
            if not (is_number(getattr(self, key)) and 1 <= getattr(self, key) < math.inf):
                raise InputError(key, "a relative dielectric constant >= 1", getattr(self, key), "1 is vacuum")
        half = self.layer_thickness / 2
        for key in ("gate_top", "gate_bottom"):
            gate = getattr(self, key)
            if gate is not None and not (is_number(gate) and 0 < gate < math.inf and gate >= half):
                raise InputError(key, "a length > 0 (a_h), outside the layers: no less than half their thickness", gate,
                                 "it counts from the middle of the nearest layer; leave it out for no gate")
        if 0 < self.spacing < self.layer_thickness:
            raise InputError("layer_thickness", "no more than the spacing of the layers", self.layer_thickness,
                             "layers cannot overlap")

    # -- what is there --

    @property
    def kappa(self) -> float:
        """sqrt(eps_xy eps_z), the dielectric constant that atomic units are made with."""
        return math.sqrt(self.dielectric_in_plane * self.dielectric_out_of_plane)

    @property
    def stretch(self) -> float:
        """s = sqrt(eps_xy/eps_z), by which heights count."""
        return math.sqrt(self.dielectric_in_plane / self.dielectric_out_of_plane)

    @property
    def sheets(self) -> tuple[float, float]:
        """r_a/kappa of both layers, a_h."""
        return self.sheet_electron / self.kappa, self.sheet_hole / self.kappa

    def coulomb_distance(self, a: int, b: int) -> float | None:
        bare = self.gate_top is self.gate_bottom is None and self.cusps
        return self.stretch * self.distance(a, b) if bare else None

    @cached_property
    def _heights(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """s times the distance of both layers below the top gate and above the bottom one, inf where it is absent."""
        s, d = self.stretch, self.spacing
        top = math.inf if self.gate_top is None else s * self.gate_top
        bottom = math.inf if self.gate_bottom is None else s * self.gate_bottom
        return (top, top + s * d), (bottom + s * d, bottom)

    @property
    def parameters(self) -> dict[str, Any]:
        """As of every interaction, with kappa, and whether gates make v(0) finite, so that it counts in every term."""
        return {"name": self.name, **asdict(self), "kappa": self.kappa, "finite_v0": self.finite}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Screened:
        """From its `parameters`."""
        return cls(**{f.name: told[f.name] for f in fields(cls)})

    @property
    def cusps(self) -> bool:
        """Whether v(r) is 1/sqrt(r^2 + (s d)^2) and something smooth, as without sheets and thickness."""
        return not any((*self.sheets, self.layer_thickness))

    def core(self, a: int, b: int) -> tuple[float, float]:
        """c and 1/l of v_ab(r) -> c/sqrt(r^2 + (s d)^2) - ln(r)/l at short distances.

        A charge in a polarisable or thick layer is spread out, and what is near meets the logarithm of two dimensions.
        """
        if a != b and self.spacing:
            return float(self.cusps), 0.0
        spread = self.layer_thickness or any(self.sheets if not self.spacing else (self.sheets[a],))
        if not spread:
            return 1.0, 0.0
        # 1/l = lim q^2 v/2 pi, which v approaches with 1/q
        q = 1e5 / np.array([1.0, 0.5]) / max(self.stretch * self.layer_thickness, *self.sheets)
        far, near = q * q * self.v(q, a, b) / (2 * np.pi)
        return 0.0, float(2 * near - far)

    # -- v(q) --

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        q = np.asarray(q, dtype=float)
        return np.where(q > 0, self.continued(np.where(q > 0, q, 1.0), a, b), 0.0)

    def continued(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        """v_ab at wave numbers ``q`` != 0, real or complex with a positive real part."""
        for layer in (a, b):
            if layer not in range(LAYERS):
                raise InputError("layer", "0 (electrons) or 1 (holes) for screened", layer,
                                 "gates and sheets are known for two layers")
        if not any(self.sheets):
            return self._bare(q, a, b)
        v = {(0, 0): self._bare(q, 0, 0), (0, 1): self._bare(q, 0, 1), (1, 1): self._bare(q, 1, 1)}
        # W = (1 + v R)^-1 v of a matrix 2 x 2
        one, two = (r * q * q / (2 * np.pi) for r in self.sheets)
        square = v[0, 0] * v[1, 1] - v[0, 1] ** 2
        below = 1 + one * v[0, 0] + two * v[1, 1] + one * two * square
        above = v[0, 1] if a != b else v[a, a] + (two, one)[a] * square
        return np.asarray(above / below)

    def _bare(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        """v_ab without sheets."""
        a, b = min(a, b), max(a, b)
        (top, bottom), x = (self._heights[0][a], self._heights[1][b]), q * self.stretch * self.layer_thickness
        gates = _image(q, top) * _image(q, bottom) / _image(q, self._heights[0][0] + self._heights[1][0])
        if a != b and self.spacing:
            spread = _edge(x) ** 2 * np.exp(-q * self.stretch * (self.spacing - self.layer_thickness))
            return np.asarray(2 * np.pi / q * spread * gates)
        if not self.layer_thickness:
            return np.asarray(2 * np.pi / q * gates)
        thin = np.abs(x) < 1
        y = np.where(thin, x, 0.0)
        inside = (_edge(y) * np.exp(y / 2)) ** 2 * gates - _odd(y)
        y = np.where(thin, 1.0, x)
        # gates - 1, in which no leading 1 cancels, with the growth e^x of S^2 taken into its exponents
        total = self._heights[0][0] + self._heights[1][0]
        images = 2 * np.exp(y - 2 * q * total) if total < math.inf else np.zeros_like(y)
        for height in (top, bottom):
            images = images - np.exp(y - 2 * q * height) if height < math.inf else images
        outside = 2 * (y - 1 + np.exp(-y)) / y**2 + _edge(y) ** 2 * images / _image(q, total)
        return np.asarray(2 * np.pi / q * np.where(thin, inside, outside))

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        (top, bottom), s = (self._heights[0][min(a, b)], self._heights[1][max(a, b)]), self.stretch
        within = 2 * np.pi * s * self.layer_thickness / 3 if a == b or not self.spacing else 0.0
        if top == bottom == math.inf:
            # 2 pi/q - 2 pi (s d + r_0 + r_1), and the mean height between the charges of a thick layer
            return 2 * np.pi, -2 * np.pi * (s * self.distance(a, b) + sum(self.sheets)) - within
        # v(0) = 4 pi t b/L; with one gate 4 pi t
        parallel = min(top, bottom) if math.inf in (top, bottom) else \
            top * bottom / (self._heights[0][0] + self._heights[1][0])
        return 0.0, 4 * np.pi * parallel - within

    def charging(self, layers: Sequence[tuple[int, float]], area: float) -> float:
        if not self.finite:
            return Interaction.charging(self, layers, area)
        one, two = (sum(charge for layer, charge in layers if layer == a) for a in range(LAYERS))
        (top, _), (_, bottom) = self._heights
        d, within = self.stretch * self.spacing, 2 * np.pi * self.stretch * self.layer_thickness / 3
        # 2 pi [t b (Q_0 + Q_1)^2 + t D Q_0^2 + b D Q_1^2]/L with t and b of the nearest layers: far gates do not cancel
        if top == math.inf:
            both, up, down = bottom, 1.0, 0.0
        elif bottom == math.inf:
            both, up, down = top, 0.0, 1.0
        else:
            both, up, down = (x / (top + d + bottom) for x in (top * bottom, top, bottom))
        total = both * (one + two) ** 2 + d * (up * one**2 + down * two**2)
        thick = one**2 + two**2 if self.spacing else (one + two) ** 2
        return float(2 * np.pi * total - within * thick / 2) / area

    def far_dipole(self, a: int, b: int) -> float:
        """B of v_ab(q -> 0) = c/q + h + 2 pi B q + O(q^2), that is v_ab(r) = c/2 pi r - B/r^3 far away, a_h^2; d^2/2 of
        bare charges, 0 between two gates."""
        heights = [x for row in self._heights for x in row if x < math.inf]
        longest = max(self.stretch * (self.spacing + self.layer_thickness), *self.sheets, *heights)
        if not longest:
            return 0.0
        # q v/2 pi is analytic around q = 0: its second coefficient by Cauchy's formula
        circle = np.exp(2j * np.pi * (np.arange(48) + 0.5) / 48)
        q = 0.2 / longest * circle
        return float(np.mean(q * self.continued(q, a, b) / (2 * np.pi) / q**2).real)

    # -- real space and lattices --

    def heat_kernel(self, a: int, b: int) -> HeatKernel:
        """v_ab as a sum of Gaussians, see `heat_kernel`."""
        return _kernel(self, min(a, b), max(a, b))

    def real_space(self, r: np.ndarray, a: int, b: int) -> np.ndarray:
        return self.heat_kernel(a, b).real_space(r)

    def beyond_coulomb(self, a: int, b: int) -> float:
        """v_ab(r) - 1/sqrt(r^2 + (s d)^2) (Ha_h) at r = 0, that of the images in the gates, where it is smooth."""
        from scipy.integrate import quad

        # int q dq/2 pi [v - (2 pi/q) e^{-q s d}], which falls as e^{-2 q g}
        reach = 20 / min(x for row in self._heights for x in (*row, 1e300))
        d = self.stretch * self.distance(a, b)
        found = quad(lambda q: float(self.v(np.array(q), a, b)) * q / (2 * math.pi) - math.exp(-q * d), 0, reach,
                     epsabs=1e-13, epsrel=1e-12, limit=500)
        return float(found[0])

    def zero_mode(self, vectors: np.ndarray, a: int, b: int) -> float:
        return -self.heat_kernel(a, b).madelung(np.asarray(vectors, dtype=float))


@lru_cache(maxsize=64)
def _kernel(interaction: Screened, a: int, b: int) -> HeatKernel:
    s, (top, bottom) = interaction.stretch, interaction._heights
    closest = max(s * (interaction.distance(a, b) - interaction.layer_thickness), 0.0)
    slowest = math.inf
    if math.inf not in top + bottom:
        # sum_n 1/lambda_n^2, the trace of H^-1 M: of the medium L^2/6, and of each sheet r v(0)/2 pi = 2 r t b/L
        length = top[0] + bottom[0]
        slowest = length**2 / 6 + sum(2 * r * t * b / length for r, t, b in
                                      zip(interaction.sheets, top, bottom, strict=True))
    return HeatKernel.of(lambda q: interaction.continued(q, a, b), closest, slowest)


def _image(q: np.ndarray, height: float) -> np.ndarray | float:
    """1 - e^{-2 q height}; 1 without a gate."""
    return 1.0 if height == math.inf else -np.expm1(-2 * q * height)


def _edge(x: np.ndarray) -> np.ndarray:
    """S e^{-x/2} = (1 - e^{-x})/x."""
    small = np.abs(x) < 1e-8
    y = np.where(small, 1.0, x)
    return np.where(small, 1 - x / 2, -np.expm1(-y) / y)


def _odd(x: np.ndarray) -> np.ndarray:
    """O = 2 (sinh x - x)/x^2 for |x| <= 1, by its series."""
    total, term = np.zeros_like(x), x / 3
    for n in range(1, 10):
        total = total + term
        term = term * x * x / ((2 * n + 2) * (2 * n + 3))
    return total
