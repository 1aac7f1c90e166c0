"""Nashabeh and Fu, Fig. S4: the momentum variances of all Hartree-Fock states of Fig. 2, and what they separate."""

from __future__ import annotations

import numpy as np

from ehbilayer import Status, SweepResult
from ehbilayer.figures import COLOURS, EMPTY, INK, SMALL, WARNING, dress
from ehbilayer.papers.nashabeh_fu import figure_2 as nashabeh_fu_2
from ehbilayer.papers.record import NEW, Axes, Figure, Reproduction, Results, Row, said, titled

PAPER_CUTS = {"electron": 6000.0, "hole": 10000.0}  # of the momentum variance, for 36 particles
CUTS = {"cut, full bands": (0.05, ":"), "cut, open bands": (0.1, "-.")}  # of the library, outside the Fermi sea
CRYSTALS = {"electron": ("electron-crystal", "crystal", "stripes"), "hole": ("hole-crystal", "crystal", "stripes")}
BINS = 60
LIQUID_VARIANCE = {"electron": 4701.0, "hole": 9403.0}  # of free particles, 18 + 18 and 36 polarised
CLEAR = 5.0  # least gap around a cut, in mean distances of neighbouring states; 4 in 100 places of chance have it


def states(result: SweepResult, species: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Momentum variance and depletion of the Fermi sea of every converged Hartree-Fock candidate of every point, and
    whether its name says that this species is a crystal."""
    part = result.only([name for name in result.candidates if name != nashabeh_fu_2.CONDENSATE])
    good = part.data["statuses"].values == Status.converged.value
    crystal = np.isin(part.data["ended_as"].values, CRYSTALS[species])
    variance, depletion = (part.data[f"candidates.{name}.{species}"].values
                           for name in ("momentum_variance", "sea_depletion"))
    return variance[good], depletion[good], crystal[good]


def valley(variance: np.ndarray, cut: float) -> tuple[float, float]:
    """The nearest values below and above a cut."""
    below, above = variance[variance <= cut], variance[variance > cut]
    return float(below.max(initial=0.0)), float(above.min(initial=np.inf))


def draw(results: Results) -> Figure:
    """A histogram for each layer; below it how both criteria compare, state by state."""
    result = results[nashabeh_fu_2.STUDY]
    page = titled(9.6, 6.0, "momentum variances of all states (Nashabeh and Fu, Fig. S4)")
    for i, species in enumerate(PAPER_CUTS):
        variance, depletion, _ = states(result, species)
        top = page.add_axes((0.085 + 0.49 * i, 0.52, 0.405, 0.35))
        _histogram(top, species, variance)
        low = page.add_axes((0.085 + 0.49 * i, 0.1, 0.405, 0.35), sharex=top)
        low.plot(variance, depletion, ".", markersize=3, color=COLOURS[species], alpha=0.5)
        low.axvline(PAPER_CUTS[species], color=WARNING, linestyle="--", linewidth=1.2)
        for text, (cut, style) in CUTS.items():
            low.axhline(cut, color=INK, linestyle=style, linewidth=1.2, label=text)
        low.legend(fontsize=SMALL, frameon=False, loc="center right")
        dress(low, "", "σₖ²", "" if i else "outside the Fermi sea")
    return page


def _histogram(ax: Axes, species: str, variance: np.ndarray) -> None:
    ax.hist(variance, bins=BINS, color=COLOURS[species])
    ax.set_yscale("log")
    ax.axvline(PAPER_CUTS[species], color=WARNING, linestyle="--", linewidth=1.2, label="cut of the paper")
    ax.axvline(LIQUID_VARIANCE[species], color=EMPTY, linestyle="-", linewidth=1.2, label="free liquid")
    ax.legend(fontsize=SMALL, frameon=False)
    ax.tick_params(labelbottom=False)
    dress(ax, f"{species}s", "", "states" if species == "electron" else "")


def rows(results: Results) -> list[Row]:
    """The cuts, the valley of our states around each, and how often both criteria say the same."""
    found = []
    for species, cut in PAPER_CUTS.items():
        variance, _, crystal = states(results[nashabeh_fu_2.STUDY], species)
        below, above = valley(variance, cut)
        gap = (above - below) * len(variance) / float(np.ptp(variance) or 1.0)
        found.append(said(f"{species}s: a clean separation at {cut:g}", 0 < below and CLEAR < gap < np.inf,
                          f"none between {below:.0f} and {above:.0f}, {gap:.0f} mean distances of states"))
        same = float(np.mean((variance > cut) == crystal))
        found.append(Row(f"{species}s: states named alike by variance and depletion", "",
                         f"{100 * same:.1f} % of {len(variance)}", NEW))
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    names = ", ".join(n.replace("-", " ") for n in results[nashabeh_fu_2.STUDY].candidates
                      if n != nashabeh_fu_2.CONDENSATE)
    return ("Above: sigma_k^2 = sum over k and spins of (Lk)^2 n_k of every converged Hartree-Fock candidate "
            f"({names}) at every point of Fig. 2, 36 + 36 particles, zero mode none. "
            "Below: the same states by the fraction of particles outside their Fermi sea, the criterion of this "
            "library (above 0.05 what has full bands is a crystal, above 0.1 everything is).")


FIGURE = Reproduction("nashabeh-fu:s4", "momentum variances that tell liquids from crystals",
                      "Nashabeh and Fu (2026, second version), Supplemental Material, Fig. S4", nashabeh_fu_2.studies,
                      draw, rows, caption)
