r"""Screening inside the exciton condensate: gapped polarisation, screened interactions, and the state that agrees.

Two quasiparticles k' = k + q and k cost E' + E +- (t' - t), t = (e_k - h_k)/2 with exchange. With n = v^2, F = u v and
g equal condensates the static responses of densities of electrons and of holes are (normal and anomalous)

    chi_ee(q) = -g sum_k 2 n (1 - n')/(E + E' + t' - t),     chi_hh alike with t -> -t,
    chi_eh(q) = -g sum_k F F' [1/(E + E' + t' - t) + 1/(E + E' - t' + t)],

-N_0 of a free gas where D -> 0 and q < 2 k_F; all equal at q -> 0 with a gap, where pairs are neutral: nothing screens
there. In the random phase, with V_ab = z_a z_b v_ab,

    W(q) = (1 - V chi)^-1 V,      D_k = -sum_k' W_eh(k - k') F_k',      X_k = sum_k' W_aa(k - k') n_k',

until the state that W pairs is the one that screens W, from the unscreened state down. `normal` takes chi_0 of the free
gases in its place. Vertex corrections are left out, as in the source, and so is retardation; exchange is screened as
pairing is. Sums over k: the nodes of the mesh, and angles in two doubly exponential panels which meet where k' crosses
the Fermi surface.

Source: A. Perali, D. Neilson and A. R. Hamilton, Phys. Rev. Lett. 110, 146803 (2013), without exchange.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ehbilayer.condensate.bogoliubov import PairState, fill, minimise
from ehbilayer.condensate.mesh import Mesh, RadialWaves
from ehbilayer.condensate.pairs import pair_of
from ehbilayer.condensate.radial import Pairs, Solution, drop_of, fits, report, residual_target
from ehbilayer.condensate.report import Gas, arrays, described
from ehbilayer.condensate.result import PlaneCondensateResult
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.response.polarisation import FreeGas
from ehbilayer.results.base import Variable
from ehbilayer.status import Status

SCREENINGS = ("none", "normal", "condensate")
STEP, REACH = 0.2, 3.0  # of s in x = (1 + tanh(pi/2 sinh s))/2
WAVES, FIRST, LAST = 90, 1e-5, 40.0  # of q, the first and the last over k_F or 1/d
ANGLES, NEAREST = 64, 1e-3  # of averages of W, and the nearest |k - k'| over k that counts
FALL, LEAST_SHARE, TRIES = 0.2, 1e-3, 120  # of the gap in one step, and of the step; evaluations in it
FAINT = 1e-14  # of the largest gap, below which there is none
ROUNDS, SETTLED, GONE = 120, 1e-5, 1e-4  # change of the largest gap that ends it; over k_F^2, below which it is none


def require_screening(screening: str, *, torus: bool, warm: bool, mu: bool) -> None:
    """Raise InputError for a screening that there is not, or not there."""
    if screening not in SCREENINGS:
        raise InputError("screening", " | ".join(SCREENINGS), screening, "choose one of these")
    for refused, where in ((torus, "on a torus"), (warm, "at a temperature"), (mu, "at a chemical potential")):
        if screening != "none" and refused:
            raise InputError("screening", f'"none" {where}', screening,
                             "screening is there in the infinite plane, in the ground state, at a density")


def polarisation(gas: Gas, state: PairState, mesh: Mesh, centre: float, q: np.ndarray) -> np.ndarray:
    """chi (n, 2, 2) of electrons and holes of all flavours at q (n,), 1/(Ha_h a_h^2); ``centre`` is where xi_k = 0."""
    from scipy.interpolate import CubicSpline

    k, weight = mesh.nodes()[0], gas.kset.weights
    log_k = np.log(k)
    apart = gas.kset.apart(state.occupation)
    log_gap = np.log(np.maximum(state.gap, FAINT * state.gap.max()))
    known = CubicSpline(log_k, np.stack([state.exchange, log_gap, apart], axis=1))
    half, tilt = gas.kset.kinetic[-1] / 2 / k[-1] ** 2, gas.difference[-1] / k[-1] ** 2

    def functions(p: np.ndarray) -> tuple[np.ndarray, ...]:
        at = np.clip(p, k[0], k[-1])
        x, gap, a = np.moveaxis(known(np.log(at)), -1, 0)
        xi, gap = half * p * p - x - state.chemical_potential / 2, np.exp(gap)
        e = np.maximum(np.hypot(xi, gap), 1e-300)
        small = gap / e * (gap / (e + np.abs(xi))) / 2
        n, free = np.where(xi > 0, small, 1 - small), np.where(xi > 0, 1 - small, small)
        return n, free, gap / (2 * e), e, tilt * p * p + a

    n, _, f, e, t = functions(k)
    s = np.arange(-REACH, REACH + STEP / 2, STEP)
    x, dx = _doubly(s)
    found = np.empty((len(q), 2, 2))
    for i, one in enumerate(q):
        # the angle at which k' = centre, in between where there is none
        cosine = (centre**2 - k * k - one * one) / (2 * k * one)
        cut = np.arccos(np.clip(cosine, -1, 1))
        cut = np.where(np.abs(cosine) < 1, cut, np.pi / 2)[:, None]
        angle = np.concatenate([cut * x, cut + (np.pi - cut) * x], axis=1)
        share = np.concatenate([cut * dx, (np.pi - cut) * dx], axis=1) / np.pi
        other = np.sqrt(np.maximum((k[:, None] - one) ** 2 + 4 * k[:, None] * one * np.cos(angle / 2) ** 2, 1e-300))
        _, free, f2, e2, t2 = functions(other)
        up, down = 1 / (e[:, None] + e2 + t2 - t[:, None]), 1 / (e[:, None] + e2 - t2 + t[:, None])
        ee, hh = (2 * (share * free * y).sum(axis=1) @ (weight * n) for y in (up, down))
        eh = (share * f2 * (up + down)).sum(axis=1) @ (weight * f)
        found[i] = [[ee, eh], [eh, hh]]
    return -gas.flavours * found


def _doubly(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on (0, 1) that gather at both ends."""
    y = np.pi / 2 * np.sinh(s)
    return 1 / (1 + np.exp(-2 * y)), STEP * np.pi / 4 * np.cosh(s) / np.cosh(y) ** 2


def normal_polarisation(pairs: Pairs, q: np.ndarray) -> np.ndarray:
    """chi_0 (n, 2, 2) of the free gases, static."""
    gases = [FreeGas(c, pairs.flavours).imaginary(q, np.zeros_like(q)) for c in pair_of(pairs.bilayer)]
    return np.stack(gases, axis=-1)[:, :, None] * np.eye(2)


def interactions(pairs: Pairs, chi: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """v and W (n, 2, 2) of electrons and holes, with their charges; Ha_h a_h^2."""
    carriers = pair_of(pairs.bilayer)
    v = np.stack([np.stack([a.charge * b.charge * pairs.bilayer.interaction.v(q, a.layer, b.layer) for b in carriers],
                           axis=-1) for a in carriers], axis=-2)
    return v, np.linalg.solve(np.eye(2) - v @ chi, v)


class ScreenedWaves(RadialWaves):
    """The waves of a mesh with W in place of v; ``bare`` keeps the tables of v and averages only what W adds."""

    def __init__(self, pairs: Pairs, mesh: Mesh, chi: np.ndarray, q: np.ndarray, bare: bool) -> None:
        carriers = pair_of(pairs.bilayer)
        super().__init__(mesh, pairs.mass_ratio, pairs.bilayer.interaction, (carriers[0].layer, carriers[1].layer))
        v, w = interactions(pairs, chi, q)
        parts = (((0, 0), 1.0), ((1, 1), 1.0), ((0, 1), -1.0))
        extra = [_average(self.k, _function(q, sign * (w - v if bare else w)[:, i, j],
                                            None if bare else _bare(pairs, i, j))) for (i, j), sign in parts]
        same, other = (extra[0] + extra[1]) / 2, extra[2]
        self._same, self._other = (self._same + same, self._other + other) if bare else (same, other)
        apart = (extra[1] - extra[0]) / 2
        self._apart = apart + (self._apart if bare and self._apart is not None else 0.0)


def _bare(pairs: Pairs, i: int, j: int) -> Callable[[np.ndarray], np.ndarray]:
    layers = [c.layer for c in pair_of(pairs.bilayer)]
    return lambda q: pairs.bilayer.interaction.v(q, layers[i], layers[j])


def _function(q: np.ndarray, values: np.ndarray,
              tail: Callable[[np.ndarray], np.ndarray] | None) -> Callable[[np.ndarray], np.ndarray]:
    """A spline in ln q, constant below; beyond, 1/q^4 or the tail."""
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(np.log(q), values)

    def at(x: np.ndarray) -> np.ndarray:
        found = spline(np.log(np.clip(x, q[0], q[-1])))
        far = x > q[-1]
        if far.any():
            found[far] = values[-1] * (q[-1] / x[far]) ** 4 if tail is None else tail(x[far])
        return np.asarray(found)
    return at


def _average(k: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """int dphi/2 pi of a function of |k - k'|, over 2 pi: what stands in tables of `RadialWaves`, (M, M)."""
    node, weight = gauss_legendre(ANGLES)
    i, j = np.triu_indices(len(k))
    one, two = k[i], k[j]
    near = np.maximum(np.abs(one - two) / np.sqrt(one * two), NEAREST)
    top = np.arcsinh(np.pi / near)
    s = top[:, None] * (1 + node) / 2
    phi = near[:, None] * np.sinh(s)
    distance = np.sqrt((one - two)[:, None] ** 2 + 4 * (one * two)[:, None] * np.sin(phi / 2) ** 2)
    values = (function(np.maximum(distance, 1e-300)) * near[:, None] * np.cosh(s)) @ weight * top / 2
    out = np.empty((len(k), len(k)))
    out[i, j] = out[j, i] = values / np.pi / (2 * np.pi)
    return out


@dataclass(frozen=True, eq=False)
class Screened:
    """A state that agrees with its screening: on its mesh, with W's waves; chi and W (n, 2, 2) at q (n,)."""

    solution: Solution
    waves: ScreenedWaves
    q: np.ndarray
    chi: np.ndarray
    interaction: np.ndarray

    @property
    def gas(self) -> Gas:
        """The pairs with W."""
        return replace(self.solution.gas, kset=self.waves)

    @property
    def bare(self) -> Solution:
        """The same state with fields and energy of v: its mean of the Hamiltonian."""
        state, gas = self.solution.state, self.solution.gas
        n, f, w = state.occupation, state.amplitude, gas.kset.weights
        exchange, gap = gas.kset.fields(n, f)
        energy = float(w @ (n * (gas.kset.kinetic - exchange) - f * gap))
        return replace(self.solution, state=replace(state, exchange=exchange, gap=gap, energy=energy))


def wave_numbers(pairs: Pairs) -> np.ndarray:
    """q at which W is known, 1/a_h."""
    last = LAST * max(pairs.fermi, min(1 / max(pairs.bilayer.spacing, 1e-9), 10 * pairs.fermi), 1.0)
    return np.geomspace(FIRST * pairs.fermi, last, WAVES)


def screened(pairs: Pairs, start: Solution, screening: str, tolerance: float, hooks: Hooks) -> Screened:
    """From the unscreened solution down until the largest gap stays; not converged where it does not."""
    target, mesh, state = residual_target(tolerance), start.mesh, start.state
    q, count = wave_numbers(pairs), pairs.density / pairs.flavours
    least, cost, bare = GONE * pairs.fermi**2, start.iterations, screening != "normal"
    gas, chi, status = start.gas, np.zeros((len(q), 2, 2)), Status.not_converged
    for number in range(ROUNDS):
        stop = hooks.should_stop()
        if stop is not None:
            status = stop
            break
        before, share = float(np.max(state.gap)), 1.0
        hooks.progress(f"screening {number + 1}: gap {before:.4g} Ha_h")
        if number and not fits(pairs, mesh, state):
            mesh, state = _moved(pairs, mesh, state)
            gas = replace(pairs.gas(mesh), kset=ScreenedWaves(pairs, mesh, chi, q, bare))
        drop = drop_of(pairs, mesh, state)
        goal = polarisation(gas, state, mesh, drop[0] if drop else pairs.fermi, q) if bare else \
            normal_polarisation(pairs, q)
        while True:  # a part of the way where the gap falls faster than the mesh can follow
            waves = ScreenedWaves(pairs, mesh, chi + share * (goal - chi), q, bare)
            new = minimise(waves, count, state.angle, residual=target, max_iterations=TRIES)
            cost, after = cost + new.iterations, float(np.max(new.gap))
            if (new.status is Status.converged and after > FALL * before) or share < LEAST_SHARE:
                break
            share /= 2
        chi, gas, state = chi + share * (goal - chi), replace(gas, kset=waves), new
        if state.status is not Status.converged:
            break
        if (share == 1 and abs(after - before) < SETTLED * before) or after < least:
            status = Status.converged
            break
    found = replace(start, mesh=mesh, state=replace(state, status=status), iterations=cost)
    return Screened(found, waves, q, chi, interactions(pairs, chi, q)[1])


def _moved(pairs: Pairs, mesh: Mesh, state: PairState) -> tuple[Mesh, PairState]:
    """A mesh that gathers where the occupation falls now, and the state on it."""
    drop = drop_of(pairs, mesh, state)
    new = replace(mesh, centre=0.0, width=1.0, strength=0.0) if drop is None else replace(
        mesh, centre=drop[0], width=max(drop[1], mesh.width / 30), strength=1.0)
    k, to = mesh.nodes()[0], new.nodes()[0]
    exchange, gap = (np.interp(to, k, f) for f in (state.exchange, state.gap))
    waves = pairs.gas(new).kset
    angle, shift = fill(waves.kinetic / 2 - exchange, gap, waves.weights, pairs.density / pairs.flavours)
    return new, replace(state, angle=angle, exchange=exchange, gap=gap, chemical_potential=2 * shift)


def reported(found: Screened, start: Solution, screening: str, tolerance: float) -> PlaneCondensateResult:
    """The result: fields and gaps of W, energies as means of the Hamiltonian in that state."""
    state, chi, q = found.solution.state, found.chi, found.q
    bare = report(found.bare, tolerance)
    told = described(found.gas, state)
    if float(np.max(state.gap)) < GONE * found.solution.pairs.fermi**2:
        told["phase"] = "liquid"
    shown = {name: told[name] for name in ("chemical_potential", "max_gap", "quasiparticle_gap",
                                           "pair_breaking_energy", "phase")}
    data = bare.data | arrays(found.gas, state, "k") | {
        "screening_wave_number": Variable(("screening_wave_number",), q, "1/a_h", "of the screened interactions"),
        **{f"polarisation_{name}": Variable(("screening_wave_number",), -values, "Ha_h^-1 a_h^-2", what)
           for name, values, what in (("electron", chi[:, 0, 0], "-chi_ee(q), static, of all flavours"),
                                      ("hole", chi[:, 1, 1], "-chi_hh(q), alike"),
                                      ("anomalous", chi[:, 0, 1], "-chi_eh(q), alike"))},
        "attraction": Variable(("screening_wave_number",), -found.interaction[:, 0, 1], "Ha_h a_h^2", "-W_eh(q)")}
    advice = "" if state.status is Status.converged else (
        "no state agrees with its own screening here: near the density where the gap falls, change it a little")
    status = bare.status if state.status is Status.converged else state.status
    return replace(bare, **shown, status=status, advice=advice, chemical_potential_slope=None, concave=None,
                   screening=screening, unscreened_gap=float(np.max(start.state.gap)), data=data)
