"""Figure of a competition: the energies of all candidates, and the densities of the lowest one that has any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ehbilayer.figures.real_space import density_map
from ehbilayer.figures.real_units import unit
from ehbilayer.figures.style import INK, NORMAL, PHASE_COLOURS, SMALL, WARNING, dress, new_figure
from ehbilayer.phases.result import CandidateRow, CompetitionResult
from ehbilayer.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SAME = 1e-9  # Ha_h per hole: candidates closer than this ended in one state


def figure(result: CompetitionResult) -> Figure:
    """Energies per hole above the lowest, and the densities of the lowest Hartree-Fock state."""
    shown = next((r for r in in_order(result.candidates) if f"cell_{r.name}" in result.data), None)
    page = new_figure(13.0 if shown else 6.0, 4.3)
    ax = page.add_axes((0.135, 0.15, 0.2, 0.62) if shown else (0.3, 0.15, 0.62, 0.62))
    energies(ax, result.candidates, unit(result, "Ha_h"),
             what="energy" if result.temperature is None else "free energy")
    if shown is not None:
        kept = "translations" if shown.name == "liquid" else "crystal"
        for i, species in enumerate(x["name"] for x in result.inputs["species"]):
            values = result.data[f"density_{species}_{shown.name}"]
            density_map(values, result.data[f"cell_{shown.name}"], species, kept, (0.0, float(values.values.max())),
                        page.add_axes((0.42 + 0.3 * i, 0.15, 0.21, 0.62)))
        page.text(0.42, 0.865, f"densities of the candidate {shown.name}", fontsize=NORMAL, color=INK)
    _head(page, result)
    return page


def in_order(rows: Sequence[CandidateRow]) -> list[CandidateRow]:
    """Candidates by energy; of those that ended in one state the one that kept its name comes first."""
    return sorted((r for r in rows if r.energy is not None),
                  key=lambda r: (round(float(r.energy or 0.0), 7), r.name != r.phase))


def energies(ax: Axes, candidates: Sequence[CandidateRow], energy: str = "Haₕ", error_scale: float = 1.0,
             what: str = "energy") -> None:
    """A bar per candidate, the lowest on top; ``candidates`` are rows of a competition, with energies in ``energy``.

    Errors of Monte Carlo, in Ha_h, are drawn with the factor ``error_scale``.
    """
    rows = in_order(candidates)
    found = [float(r.energy or 0.0) for r in rows]
    heights = [e - min(found) for e in found]
    ax.barh(range(len(rows)), heights, height=0.6, color=[PHASE_COLOURS.get(r.phase, INK) for r in rows])
    ax.set_yticks(range(len(rows)), [r.name for r in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    room = max(heights, default=0.0) or 1e-6
    ax.set_xlim(0, 1.7 * room)
    errors = [error_scale * (r.error or 0.0) for r in rows]  # of Monte Carlo
    for i, (height, error) in enumerate(zip(heights, errors, strict=True)):
        if error:
            ax.errorbar(height, i, xerr=error, fmt="none", ecolor=INK, capsize=3, linewidth=1.0)
    ax.locator_params(axis="x", nbins=4)
    for i, (row, height, error) in enumerate(zip(rows, heights, errors, strict=True)):
        words = [f"{height:.2g}" if height > SAME else "lowest"]
        words += [f"→ {row.phase}"] if row.phase != row.name else []
        words += ["saddle"] if row.saddle else []
        good = row.status is Status.converged
        said = ", ".join(words) if good else row.status.replace("_", " ")
        ax.text(height + error + 0.03 * room, i, said, va="center", fontsize=SMALL, color=INK if good else WARNING)
    dress(ax, "", f"{what} above the lowest ({energy} per hole)", "")


def _head(page: Figure, result: CompetitionResult) -> None:
    first, energy = result.winner.replace("-", " "), unit(result, "Ha_h")
    if result.margin is not None:
        first += f",  {result.margin:.3g} {energy} per hole below {str(result.runner_up).replace('-', ' ')}"
    parts = [" + ".join(f"{x['count']} {x['name']}s" for x in result.inputs["species"]),
             f"area {result.area:.5g} {unit(result, 'a_h^2')}",
             f"spacing {result.inputs['spacing']:.4g} {unit(result, 'a_h')}", f"zero mode: {result.zero_mode}"]
    if result.temperature is not None:
        parts.append(f"k_B T {result.temperature:.3g} {unit(result, 'Ha_h')}")
    first += " (Monte Carlo)" if result.method == "monte-carlo" else ""
    first += "" if result.resolved else ":  NOT RESOLVED"
    page.text(0.5, 0.985, first, ha="center", va="top", fontsize=NORMAL + 3, color=INK, weight="bold")
    page.text(0.5, 0.925, ",  ".join(parts), ha="center", va="top", fontsize=NORMAL, color=INK)
    if not result.resolved:
        page.text(0.02, 0.985, "NOT RESOLVED", ha="left", va="top", fontsize=NORMAL, color=WARNING, weight="bold")
