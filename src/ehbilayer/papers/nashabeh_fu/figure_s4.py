"""Nashabeh and Fu, Fig. S4: the momentum variances of all Hartree-Fock states of Fig. 2, and what they separate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.figures.style import COLOURS, EMPTY, INK, NORMAL, SMALL, WARNING, dress, new_figure
from ehbilayer.hartree_fock.order import CRYSTAL_DEPLETION, MELTED_DEPLETION, is_crystal
from ehbilayer.papers.nashabeh_fu import figure_2 as nashabeh_fu_2
from ehbilayer.papers.record import NEW, Reproduction, Results, Row, said
from ehbilayer.phases.verdict import PAPER_CUTS
from ehbilayer.status import Status
from ehbilayer.sweep.result import SweepResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 60
LIQUID_VARIANCE = {"electron": 4701.0, "hole": 9403.0}  # of free particles, 18 + 18 and 36 polarised
CLEAR = 5.0  # least gap around a cut, in mean distances of neighbouring states; 4 in 100 places of chance have it


def states(result: SweepResult, species: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Momentum variance and depletion of the Fermi sea of every converged Hartree-Fock candidate of every point, and
    whether its species counts as a crystal."""
    variance, depletion, deviation = [], [], []
    for name in result.candidates:
        if name == nashabeh_fu_2.CONDENSATE:
            continue
        good = result.array(f"statuses.{name}").values == Status.converged.value
        variance.append(result.array(f"candidates.{name}.momentum_variance.{species}").values[good])
        depletion.append(result.array(f"candidates.{name}.sea_depletion.{species}").values[good])
        deviation.append(result.array(f"candidates.{name}.zone_deviation.{species}").values[good])
    found = np.concatenate(depletion)
    crystal = [is_crystal(d, z) for d, z in zip(found.tolist(), np.concatenate(deviation).tolist(), strict=True)]
    return np.concatenate(variance), found, np.array(crystal)


def valley(variance: np.ndarray, cut: float) -> tuple[float, float]:
    """The nearest values below and above a cut."""
    below, above = variance[variance <= cut], variance[variance > cut]
    return float(below.max(initial=0.0)), float(above.min(initial=np.inf))


def draw(results: Results) -> Figure:
    """A histogram for each layer; below it how both criteria compare, state by state."""
    result = results[nashabeh_fu_2.STUDY]
    page = new_figure(9.6, 6.0)
    for i, species in enumerate(PAPER_CUTS):
        variance, depletion, _ = states(result, species)
        top = page.add_axes((0.085 + 0.49 * i, 0.52, 0.405, 0.35))
        _histogram(top, species, variance)
        low = page.add_axes((0.085 + 0.49 * i, 0.1, 0.405, 0.35), sharex=top)
        low.plot(variance, depletion, ".", markersize=3, color=COLOURS[species], alpha=0.5)
        low.axvline(PAPER_CUTS[species], color=WARNING, linestyle="--", linewidth=1.2)
        low.axhline(MELTED_DEPLETION, color=INK, linestyle=":", linewidth=1.2, label="cut, full bands")
        low.axhline(CRYSTAL_DEPLETION, color=INK, linestyle="-.", linewidth=1.2, label="cut, open bands")
        low.legend(fontsize=SMALL, frameon=False, loc="center right")
        dress(low, "", "σₖ²", "" if i else "outside the Fermi sea")
    page.text(0.5, 0.985, "momentum variances of all states (Nashabeh and Fu, Fig. S4)", ha="center", va="top",
              fontsize=NORMAL + 2, color=INK, weight="bold")
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
            f"library (above {MELTED_DEPLETION:g} what has full bands is a crystal, above {CRYSTAL_DEPLETION:g} "
            "everything is).")


FIGURE = Reproduction("nashabeh-fu:s4", "momentum variances that tell liquids from crystals",
                      "Nashabeh and Fu (2026, second version), Supplemental Material, Fig. S4", nashabeh_fu_2.studies,
                      draw, rows, caption)
