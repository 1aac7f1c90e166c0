"""Figure of a competition: the energies of all candidates, and the densities of the lowest one that has any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ehbilayer.figures.real_space import density
from ehbilayer.figures.style import INK, NORMAL, PHASE_COLOURS, SMALL, WARNING, dress, new_figure
from ehbilayer.results.base import Record, Result, Variable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# one colour per phase on every figure
SAME = 1e-9  # Ha_h per hole: candidates closer than this ended in one state


def figure(result: Result) -> Figure:
    """Energies per hole above the lowest, and the densities of the lowest Hartree-Fock state."""
    s = result.summary
    rows = in_order(s["candidates"])
    shown = next((r for r in rows if f"cell_{r['name']}" in result.data), None)
    page = new_figure(13.0 if shown else 6.0, 4.3)
    ax = page.add_axes((0.135, 0.15, 0.2, 0.62) if shown else (0.3, 0.15, 0.62, 0.62))
    energies(ax, rows)
    if shown is not None:
        state = _state(result, shown)
        for i, species in enumerate(x["name"] for x in result.inputs["species"]):
            density(state, species, page.add_axes((0.42 + 0.3 * i, 0.15, 0.21, 0.62)))
        page.text(0.42, 0.865, f"densities of the candidate {shown['name']}", fontsize=NORMAL, color=INK)
    _head(page, result)
    return page


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Candidates by energy; of those that ended in one state the one that kept its name comes first."""
    return sorted((r for r in rows if r["energy"] is not None),
                  key=lambda r: (round(float(r["energy"]), 7), r["name"] != r["phase"]))


def energies(ax: Axes, candidates: list[dict[str, Any]]) -> None:
    """A bar per candidate, the lowest on top; ``candidates`` are rows of a competition."""
    rows = in_order(candidates)
    lowest = min((float(r["energy"]) for r in rows), default=0.0)
    heights = [float(r["energy"]) - lowest for r in rows]
    ax.barh(range(len(rows)), heights, height=0.6, color=[PHASE_COLOURS.get(r["phase"], INK) for r in rows])
    ax.set_yticks(range(len(rows)), [r["name"] for r in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    room = max(heights, default=0.0) or 1e-6
    ax.set_xlim(0, 1.7 * room)
    ax.locator_params(axis="x", nbins=4)
    for i, (row, height) in enumerate(zip(rows, heights, strict=True)):
        words = [f"{height:.2g}" if height > SAME else "lowest"]
        words += [f"→ {row['phase']}"] if row["phase"] != row["name"] else []
        words += ["saddle"] if row["saddle"] else []
        good = row["status"] == "converged"
        ax.text(height + 0.03 * room, i, ", ".join(words) if good else row["status"].replace("_", " "), va="center",
                fontsize=SMALL, color=INK if good else WARNING)
    dress(ax, "", "energy above the lowest (Haₕ per hole)", "")


def _state(result: Result, row: dict[str, Any]) -> Result:
    """The densities of one candidate as the Hartree-Fock figures expect them."""
    name, axes = row["name"], ("cell_1", "cell_2")
    cell = result.data[f"cell_{name}"]
    data = {"cell": cell}
    for key in (f"density_{x['name']}" for x in result.inputs["species"]):
        here = result.data[f"{key}_{name}"]
        data[key] = Variable(axes, here.values, here.units)
    kept = "translations" if row["name"] == "liquid" else "crystal"
    return Record("hartree-fock", result.status, {"kept_symmetry": kept}, result.inputs | {"channels": []}, data)


def _head(page: Figure, result: Result) -> None:
    s = result.summary
    first = str(s["winner"]).replace("-", " ")
    if s["margin"] is not None:
        first += f",  {s['margin']:.3g} Haₕ per hole below {str(s['runner_up']).replace('-', ' ')}"
    parts = [" + ".join(f"{x['count']} {x['name']}s" for x in result.inputs["species"]),
             f"area {s['area']:.5g} aₕ²", f"spacing {result.inputs['spacing']:.4g} aₕ", f"zero mode: {s['zero_mode']}"]
    page.text(0.5, 0.985, first, ha="center", va="top", fontsize=NORMAL + 3, color=INK, weight="bold")
    page.text(0.5, 0.925, ",  ".join(parts), ha="center", va="top", fontsize=NORMAL, color=INK)
    if not s["resolved"]:
        page.text(0.02, 0.985, "NOT RESOLVED", ha="left", va="top", fontsize=NORMAL, color=WARNING, weight="bold")
