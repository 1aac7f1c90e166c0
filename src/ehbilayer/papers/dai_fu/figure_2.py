"""Dai and Fu, Fig. 2: optical phonons of the composite crystals at the centre of the zone."""

from __future__ import annotations

import numpy as np

from ehbilayer import Result
from ehbilayer.figures import COLOURS, ENERGY, SMALL, dress
from ehbilayer.papers.dai_fu.classical_studies import phonons
from ehbilayer.papers.record import Axes, Figure, Reproduction, Results, Row, Studies, judged, titled

NAMES = ("honeycomb", "checkerboard")
COLOUR = {"honeycomb": COLOURS["electron"], "checkerboard": COLOURS["hole"]}
UNIT = "√(e²/md³)"
SOFT, HARD = slice(2, 4), slice(4, 6)  # of six ascending branches at q -> 0; the first two are acoustic
EXPONENT = -2.5  # of the soft branch: omega_d ~ sqrt(d^2/(m a^5))
ALLOWED = 0.005  # from it
FAR = 6.0  # least share of the largest a/d in the law's fit
DIPOLE = float(np.sqrt(2.0))  # hard branch at a >> d: a dipole's own vibration, omega^2 = (e^2/d^3)/(m/2)


def studies(quick: bool) -> Studies:
    """Phonons of both composite crystals along a/d."""
    return {f"phonons-{name}": phonons(name, quick) for name in NAMES}


def draw(results: Results) -> Figure:
    """Soft branches on the left, hard ones on the right."""
    page = titled(10.0, 4.6, "optical phonons of the composite crystals (Dai and Fu, Fig. 2)", 0.975)
    soft, hard = page.add_axes((0.085, 0.13, 0.4, 0.71)), page.add_axes((0.575, 0.13, 0.4, 0.71))
    for name in NAMES:
        result = results[f"phonons-{name}"]
        for ax, part in ((soft, SOFT), (hard, HARD)):
            _branches(ax, result, part, name)
    x, omega = _branch(results["phonons-honeycomb"], SOFT.start)
    soft.plot(x, omega[-1] * (x / x[-1]) ** EXPONENT, color=ENERGY, linewidth=1, linestyle=":", label="(d/a)^(5/2)")
    hard.axhline(DIPOLE, color=ENERGY, linewidth=1, linestyle=":", label="a dipole alone, √2")
    soft.set_yscale("log")
    for ax, title in ((soft, "soft: dipoles against electrons"), (hard, "hard: inside the dipoles")):
        ax.set_xscale("log")
        _ticks(ax)
        ax.legend(fontsize=SMALL, frameon=False)
        dress(ax, title, "a / d", f"ω at Γ ({UNIT})")
    return page


def _branch(result: Result, number: int) -> tuple[np.ndarray, np.ndarray]:
    return result.data["scan_a_over_d"].values, result.data["scan_gamma"].values[:, number]


def _branches(ax: Axes, result: Result, part: slice, name: str) -> None:
    """Two branches, which are degenerate in these crystals; thin where the crystal is unstable somewhere."""
    stable = result.data["scan_stable"].values.astype(bool)
    for number in range(part.start, part.stop):
        x, omega = _branch(result, number)
        omega = np.where(omega > 0, omega, np.nan)
        first = number == part.start
        ax.plot(x, omega, "--", color=COLOUR[name], linewidth=0.9, label=f"{name}, unstable" if first else None)
        ax.plot(x, np.where(stable, omega, np.nan), color=COLOUR[name], linewidth=2.0,
                label=f"{name}, stable" if first else None)


def _ticks(ax: Axes) -> None:
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    ax.set_xticks([1, 2, 3, 5, 10, 20, 30])
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(1, 31)


def exponents(result: Result) -> tuple[float, float]:
    """d ln(omega)/d ln(a/d) of the soft branch between the two largest a/d, and its limit at large a/d.

    The electrons' field polarises the dipoles, which corrects the law by a relative order d/a: the limit is that of
    ln(omega) = c + exponent ln(a/d) + c_1 d/a + c_2 (d/a)^2, by least squares over the points beyond a/d = max/FAR.
    """
    x, omega = _branch(result, SOFT.start)
    far = x > x[-1] / FAR
    x, logarithm = x[far], np.log(omega[far])
    fit = np.linalg.lstsq(np.stack([np.log(x), 1 / x, 1 / x**2, np.ones_like(x)], axis=1), logarithm, rcond=None)[0]
    return float((logarithm[-1] - logarithm[-2]) / np.log(x[-1] / x[-2])), float(fit[0])


def rows(results: Results) -> list[Row]:
    """The law of the soft branch, and the hard one far out."""
    found = []
    for name in NAMES:
        result = results[f"phonons-{name}"]
        x = result.data["scan_a_over_d"].values
        there, value = exponents(result)
        found.append(judged(f"{name}: exponent of the soft branch in a/d, a/d to infinity", f"{EXPONENT:g}", value,
                            (EXPONENT - ALLOWED, EXPONENT + ALLOWED), f"{value:.4f} ({there:.4f} at {x[-1]:g})"))
    x, omega = _branch(results["phonons-honeycomb"], HARD.start)
    value = float(omega[-1])
    found.append(judged(f"honeycomb: hard branch at a/d = {x[-1]:g}, {UNIT}", "dipole's own, √2 = 1.41421", value,
                        (DIPOLE - 1e-3, DIPOLE + 1e-3)))
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    stable = {n: results[f"phonons-{n}"].data["scan_stable"].values.astype(bool) for n in NAMES}
    reach = {n: results[f"phonons-{n}"].data["scan_a_over_d"].values[stable[n]] for n in NAMES}
    where = "; ".join(f"{n}: {v.min():.3g} to {v.max():.3g}" if len(v) else f"{n}: nowhere" for n, v in reach.items())
    return ("Frequencies at q -> 0 of the crystals at rest, equal masses m of electrons and holes, in "
            "sqrt(e^2/(m d^3)), a = 1/sqrt(pi n_h). Two soft branches move the dipoles against the electrons, two hard "
            "ones are inside the dipoles; each pair is degenerate by symmetry. Thick: stable at every wave vector (a/d "
            f"of the points: {where}); dashed: an unstable crystal. Cell of 3 charges, dynamical matrix by Ewald sums "
            "to 1e-13. The range and the scales of the axes are our choice: the text of the paper does not give them.")


FIGURE = Reproduction("dai-fu:2", "optical phonons of the composite crystals at Gamma",
                      "D. D. Dai and L. Fu, PRL 132, 196202 (2024), Fig. 2", studies, draw, rows, caption)
