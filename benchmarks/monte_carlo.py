"""Cost of Monte Carlo: a sweep of one walker against N, NumPy and automatic differentiation; energies to a target.

    python benchmarks/monte_carlo.py [part ...]      # scaling numpy jax workers gas pairs; all without a name

Seconds are CPU seconds, the shortest of several runs. ``scaling`` writes
docs/images/monte-carlo-cost.png. The opponents do the same work:

- ``numpy``: the same sweep (drift, limited moves, Metropolis, Sherman-Morrison, local energy) over all walkers at once;
  from the same random numbers it ends at the same positions;
- ``jax``: the local energy of the same psi by automatic differentiation, compiled, over all walkers at once.

`monte_carlo.md` has figures.
"""

from __future__ import annotations

import argparse
import json
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates

from ehbilayer import Bilayer, Torus, monte_carlo
from ehbilayer.monte_carlo.kernels import Psi
from ehbilayer.monte_carlo.trial import Trial, make_trial
from ehbilayer.monte_carlo.walk import Walkers, local_energies

IMAGE = Path(__file__).parents[1] / "docs" / "images" / "monte-carlo-cost.png"
SIZES = {"liquid": (7, 13, 19, 31, 37, 61, 73), "condensate": (7, 13, 19, 31, 37)}
WALKERS, TAU = 64, 1.0


def trial_of(name: str, holes: int, rs: float = 5.0) -> Trial:
    """A polarised layer of holes, or so many pairs at d = 1, equal masses."""
    bilayer = (Bilayer.of(rs_hole=rs, electrons_per_hole=0) if name == "liquid" else
               Bilayer.of(spacing=1.0, rs_hole=rs, electron_mass=1.0, hole_mass=1.0))
    torus = Torus(bilayer, holes=holes, zero_mode="madelung", electron_spin="polarized", hole_spin="polarized")
    return make_trial(torus, name)


def seconds(work: Callable[[], Any], least: float = 0.5) -> float:
    """CPU seconds of this thread, the shortest of runs that last ``least`` together."""
    times: list[float] = []
    work()
    while sum(times) < least or len(times) < 3:
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


def sweep_cost(name: str, holes: int) -> float:
    """Microseconds of one sweep of one walker, local energy included."""
    trial = trial_of(name, holes)
    psi, walkers = trial.psi(trial.start()), Walkers.of(trial, WALKERS, np.random.default_rng(0))
    return 1e6 / WALKERS * seconds(lambda: walkers.step(psi, TAU, False))


def scaling() -> dict[str, Any]:
    """Costs and the exponents of N, between the three largest, with the figure."""
    found: dict[str, Any] = {}
    for name, sizes in SIZES.items():
        cost = [sweep_cost(name, n) for n in sizes]
        slope = float(np.polyfit(np.log(sizes[-3:]), np.log(cost[-3:]), 1)[0])
        found[name] = {"particles": sizes, "microseconds": [round(c, 1) for c in cost], "exponent": round(slope, 2)}
    draw(found)
    return found


def draw(found: dict[str, Any]) -> None:
    """Cost against N, both axes logarithmic."""
    from ehbilayer.figures.style import INK, OTHERS, dress, new_figure

    page = new_figure(5.2, 4.2)
    ax = page.add_axes((0.16, 0.14, 0.8, 0.76))
    words = {"liquid": "holes of one flavour", "condensate": "electron-hole pairs"}
    for (name, row), colour in zip(found.items(), (INK, *OTHERS), strict=False):
        ax.loglog(row["particles"], row["microseconds"], "o-", color=colour, markersize=4,
                  label=f"{words[name]}, $N^{{{row['exponent']:.1f}}}$")
    ax.set_xticks(SIZES["liquid"], map(str, SIZES["liquid"]))
    ax.minorticks_off()
    ax.legend(frameon=False)
    dress(ax, "one sweep of one walker with its energy", "N", "µs on one core")
    page.savefig(IMAGE, dpi=110)


class NumpyWalk:
    """The walk of polarised plane waves in NumPy, all walkers (W, N, 2) at once."""

    def __init__(self, psi: Psi) -> None:
        det, self.psi, self.box = psi.determinants, psi, psi.box
        columns = [(det.waves[w], *det.mix[w, p]) for w in range(len(det.waves)) for p in range(det.parts[w])]
        self.k, self.a, self.b = (np.array(part) for part in zip(*columns, strict=True))
        self.square = np.sum(self.k**2, axis=1)
        self.coefficients = psi.jastrow.coefficients[0]

    def orbitals(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """phi_j and grad phi_j of places (..., 2): (..., n) and (..., n, 2)."""
        phase = r @ self.k.T
        c, s = np.cos(phase), np.sin(phase)
        return self.a * c + self.b * s, (self.b * c - self.a * s)[..., None] * self.k

    def nearest(self, d: np.ndarray) -> np.ndarray:
        """Shortest images of displacements (..., 2)."""
        f = d @ self.box.inverse
        d = (f - np.rint(f)) @ self.box.cell
        for side in self.box.sides:
            along, half = d @ side, side @ side / 2
            d = d - ((along > half).astype(float) - (along < -half))[..., None] * side
        return d

    def jastrow(self, d: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """f, f'/r and f'' of displacements (..., 2); zero at r = 0 and beyond the radius."""
        r, radius = np.sqrt(np.sum(d * d, axis=-1)), self.box.radius
        inside = (r > 0) & (r < radius)
        x = np.where(inside, r, radius) / radius
        p, dp, ddp = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
        for c in self.coefficients[::-1]:
            ddp = ddp * x + 2 * dp
            dp = dp * x + p
            p = p * x + c
        t = x - 1
        slope, curve = 3 * t**2 * p + t**3 * dp, 6 * t * p + 6 * t**2 * dp + t**3 * ddp
        return t**3 * p, slope / (radius**2 * x), curve / radius**2

    def at(self, walkers: np.ndarray, inverses: np.ndarray, i: int, r: np.ndarray) -> tuple[np.ndarray, ...]:
        """phi, ratio, J and grad ln psi with particle i at r (W, 2)."""
        phi, slopes = self.orbitals(r)
        w = inverses[:, :, i]
        ratio = np.einsum("wj,wj->w", phi, w)
        d = self.nearest(r[:, None] - walkers)
        d[:, i] = 0.0
        f, slope, _ = self.jastrow(d)
        drift = np.einsum("wjx,wj->wx", slopes, w) / ratio[:, None] + np.einsum("wj,wjx->wx", slope, d)
        return phi, ratio, f.sum(axis=1), drift

    def sweep(self, walkers: np.ndarray, tau: float, normal: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """One sweep in place, then the local energies (W,)."""
        def limited(v: np.ndarray) -> np.ndarray:
            return v * (2 * tau / (1 + np.sqrt(1 + 2 * tau * np.sum(v * v, axis=1))))[:, None]

        inverses = np.linalg.inv(self.orbitals(walkers)[0])
        for i in range(walkers.shape[1]):
            old = walkers[:, i].copy()
            _, _, before, drift = self.at(walkers, inverses, i, old)
            new = old + limited(drift) + np.sqrt(tau) * normal[:, i]
            phi, ratio, after, drift = self.at(walkers, inverses, i, new)
            back = np.sum((old - new - limited(drift)) ** 2, axis=1)
            chance = (2 * (after - before + np.log(np.abs(ratio))) - back / (2 * tau)
                      + np.sum(normal[:, i] ** 2, axis=1) / 2)
            yes = uniform[:, i] < np.exp(np.minimum(chance, 0.0))
            change = np.einsum("wj,wjk->wk", phi, inverses)
            change[:, i] -= 1.0
            moved = inverses[:, :, i][:, :, None] * (change / ratio[:, None])[:, None, :]
            inverses[yes] -= moved[yes]
            walkers[yes, i] = new[yes]
        return self.energies(walkers, inverses)

    def energies(self, walkers: np.ndarray, inverses: np.ndarray) -> np.ndarray:
        """Local energies (W,)."""
        phi, slopes = self.orbitals(walkers)
        g = np.einsum("wijx,wji->wix", slopes, inverses)
        lap = np.einsum("wij,wji->wi", -phi * self.square, inverses)
        d = self.nearest(walkers[:, :, None] - walkers[:, None])
        _, slope, curve = self.jastrow(d)
        j = np.einsum("wij,wijx->wix", slope, d)
        kinetic = -np.sum(np.sum(slope + curve, axis=2) + np.sum(j * j + 2 * j * g, axis=2) + lap, axis=1) / 2
        one, two = np.tril_indices(walkers.shape[1], -1)
        return kinetic + self.psi.charges.constant + self.potential(d[:, one, two]).sum(axis=1)

    def potential(self, d: np.ndarray) -> np.ndarray:
        """The pair potential at shortest displacements (..., 2)."""
        table, taylor = self.psi.potential.smooth[0][1:-3, 1:-3], self.psi.potential.taylor[0]
        u = (d @ self.box.inverse).reshape(-1, 2) % 1.0 * table.shape
        smooth = map_coordinates(table, u.T, order=3, mode="grid-wrap", prefilter=False).reshape(d.shape[:-1])
        r2 = np.sum(d * d, axis=-1)
        short = 1 / np.sqrt(r2) - np.polynomial.polynomial.polyval(r2 - self.box.radius**2, taylor)
        return smooth + np.where(r2 < self.box.radius**2, short, 0.0)


def against_numpy(holes: int) -> dict[str, Any]:
    """The same sweep in both; ``difference`` of the energies that they end at, in Ha_h."""
    trial = trial_of("liquid", holes)
    psi, random = trial.psi(trial.start()), np.random.default_rng(0)
    walkers = Walkers.of(trial, WALKERS, random)
    for _ in range(20):
        walkers.step(psi, TAU, False)
    other, shape = NumpyWalk(psi), walkers.positions.shape
    theirs, state = walkers.positions.copy(), random.bit_generator.state
    walkers.step(psi, TAU, False)
    random.bit_generator.state = state
    energies = other.sweep(theirs, TAU, random.standard_normal(shape), random.random(shape[:2]))
    difference = float(np.max(np.abs(energies - walkers.local)))
    ours = seconds(lambda: walkers.step(psi, TAU, False))
    slow = seconds(lambda: other.sweep(theirs, TAU, random.standard_normal(shape), random.random(shape[:2])))
    return {"particles": holes, "difference": difference, "ours_us": round(1e6 * ours / WALKERS, 1),
            "numpy_us": round(1e6 * slow / WALKERS, 1), "ratio": round(slow / ours, 2)}


def against_jax(holes: int) -> dict[str, Any]:
    """The local energy by automatic differentiation of ln|psi|; the potential of both is left to ours."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    trial = trial_of("liquid", holes)
    psi, walkers = trial.psi(trial.start()), Walkers.of(trial, WALKERS, np.random.default_rng(0))
    for _ in range(20):
        walkers.step(psi, TAU, False)
    other, box = NumpyWalk(psi), psi.box
    one, two = np.tril_indices(holes, -1)

    def log_psi(flat: Any) -> Any:
        r = flat.reshape(-1, 2)
        phase = r @ other.k.T
        d = r[one] - r[two]
        f = d @ box.inverse
        d = (f - jnp.rint(f)) @ box.cell
        for side in box.sides:
            along, half = d @ side, side @ side / 2
            d = d - (jnp.where(along > half, 1.0, 0.0) - jnp.where(along < -half, 1.0, 0.0))[:, None] * side
        x = jnp.sqrt(jnp.sum(d * d, axis=1)) / box.radius
        jastrow = jnp.where(x < 1, (x - 1) ** 3 * jnp.polyval(jnp.array(other.coefficients[::-1]), x), 0.0)
        return jnp.linalg.slogdet(other.a * jnp.cos(phase) + other.b * jnp.sin(phase))[1] + jastrow.sum()

    def kinetic(r: Any) -> Any:
        slope, by = jax.linearize(jax.grad(log_psi), r.reshape(-1))
        curves = jax.vmap(lambda e: e @ by(e))(jnp.eye(2 * holes))
        return -(curves.sum() + slope @ slope) / 2

    many = jax.jit(jax.vmap(kinetic))
    where = jnp.array(walkers.positions)
    difference = float(np.max(np.abs(np.asarray(many(where)) - walkers.energies[:, 0])))
    ours = seconds(lambda: local_energies(psi, walkers.positions))
    slow = process_seconds(lambda: many(where).block_until_ready())
    return {"particles": holes, "difference": difference, "ours_us": round(1e6 * ours / WALKERS, 1),
            "jax_us": round(1e6 * slow / WALKERS, 1), "ratio": round(slow / ours, 1)}


def process_seconds(work: Callable[[], Any]) -> float:
    """CPU seconds of all threads, the shortest of three."""
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def workers() -> dict[str, Any]:
    """30 sweeps of 200 walkers by one and by two workers, in turn: wall time, and what it would be on idle cores.

    That is the CPU time of the thread that waits, and the mean of those that move walkers.
    """
    trial = trial_of("condensate", 19, 4.0)
    psi = trial.psi(trial.start())
    wall: dict[int, list[float]] = {1: [], 2: []}
    alone: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(3):
        for number in wall:
            walkers = Walkers.of(trial, 200, np.random.default_rng(0), number)
            walkers.step(psi, TAU, False)
            began, main, others = time.perf_counter(), time.thread_time(), busy()
            for _ in range(30):
                walkers.step(psi, TAU, False)
            wall[number].append(time.perf_counter() - began)
            moved = np.subtract(busy(), others or 0.0) if number > 1 else np.zeros(1)
            alone[number].append(time.thread_time() - main + float(moved.mean()))
    return {"wall": [round(min(t), 2) for t in wall.values()], "alone": [round(min(t), 2) for t in alone.values()],
            "ratio": round(min(wall[1]) / min(wall[2]), 2), "ratio_alone": round(min(alone[1]) / min(alone[2]), 2)}


def busy() -> list[float]:
    """CPU seconds of the threads that move walkers."""
    return [time.clock_gettime(time.pthread_getcpuclockid(t.ident)) for t in threading.enumerate()
            if t.name.startswith("walkers") and t.ident is not None]


def to_target(torus: Torus, trial: str, target: float) -> dict[str, Any]:
    """CPU seconds of a whole calculation on one core."""
    began, wall = time.process_time(), time.perf_counter()
    found = monte_carlo(torus, trial, target_error=target, threads=1)
    return {"target": target, "error": float(found.error), "energy_per_hole": float(found.energy_per_hole),
            "status": found.status.value, "cpu_seconds": round(time.process_time() - began, 1),
            "wall_seconds": round(time.perf_counter() - wall, 1)}


def gas() -> dict[str, Any]:
    """26 electrons at r_s = 10, unpolarised."""
    bilayer = Bilayer.of(rs_hole=10, electrons_per_hole=0)
    return to_target(Torus(bilayer, holes=26, zero_mode="madelung", hole_spin="restricted"), "liquid", 2e-5)


def pairs() -> dict[str, Any]:
    """19 + 19 at d = 1, r_s = 4, polarised, equal masses."""
    return to_target(trial_of("condensate", 19, 4.0).torus, "condensate", 1e-4)


PARTS: dict[str, Callable[[], Any]] = {
    "scaling": scaling, "numpy": lambda: [against_numpy(n) for n in (19, 37, 73)],
    "jax": lambda: [against_jax(n) for n in (19, 37)], "workers": workers, "gas": gas, "pairs": pairs}


def main() -> None:
    """The parts that are asked for, as JSON, with the peak memory of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=" ".join(PARTS))
    found: dict[str, Any] = {}
    for name in parser.parse_args().parts or PARTS:
        found[name] = PARTS[name]()
        print(name, json.dumps(found[name]), flush=True)
    found["peak_megabytes"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
