"""What the figures of correlation share: one study for each density, energies above the lowest with their errors."""

from __future__ import annotations

from typing import Any

from ehbilayer.figures import PHASE_COLOURS, SMALL, dress
from ehbilayer.papers.record import NEW, Figure, Reproduction, Results, Row, Studies, placed, titled

SOURCE = "computed here; no published counterpart"
HOLES = 19  # in the box, polarised: closes shells and fits the crystal
WORK = {"walkers": 40, "samples": 1000}
FREEZING = 10.0  # r_s of the holes below which a crystal's trial function melts when it is optimised
QUICK = {"method": "vmc", "target_error": 0.02, "walkers": 20, "samples": 40, "optimisation_steps": 1}


def figure(name: str, phases: str, title: str, masses: str, bilayer: dict[str, Any], crystal: str,
           errors: dict[float, float]) -> Reproduction:
    """The figure of one pair of masses, which ``title`` and ``masses`` tell; ``phases`` says what is compared.

    The liquid and the condensate compete with the ``crystal``.
    """
    def caption(results: Results) -> str:
        return ("Energies per pair above the lowest, fixed-node diffusion Monte Carlo of "
                f"{HOLES} polarised electrons and {HOLES} holes {masses}, d = 1 a_h, triangular torus, with standard "
                "errors. Not varied: nodes, twists, size.")

    return Reproduction(f"correlation:{name}", f"{phases}, by Monte Carlo", SOURCE,
                        lambda quick: studies(f"correlation-{name}", bilayer, crystal, errors, quick),
                        lambda results: draw(results, f"{title}, polarised, d = 1 a_h, by Monte Carlo"), rows, caption)


def studies(stem: str, bilayer: dict[str, Any], crystal: str, errors: dict[float, float], quick: bool) -> Studies:
    """A competition at every r_s of the holes, to its target error (Ha_h per hole); quick is one, variational."""
    chosen = dict(list(errors.items())[:1]) if quick else errors

    def candidates(rs: float) -> list[str]:
        if quick:
            return ["liquid", crystal]
        return ["liquid", *([crystal] if rs >= FREEZING else []), "condensate"]

    return {f"{stem}-{rs:g}": {
        "kind": "phases", "bilayer": bilayer, "density": {"rs_hole": rs, "electrons_per_hole": 1},
        "cell": {"holes": 1 if quick else HOLES}, "hartree-fock": {"electron_spin": "polarized"},
        "phases": {"method": "monte-carlo", "candidates": candidates(rs)},
        "monte-carlo": QUICK if quick else WORK | {"target_error": error}} for rs, error in chosen.items()}


def draw(results: Results, title: str) -> Figure:
    """Energies above the lowest against r_s of the holes."""
    page = titled(6.6, 4.6, title)
    ax = placed(page, 1.0, 0.7, 5.3, 3.3)
    names = list(dict.fromkeys(r.name for result in results.values() for r in result.candidates))
    for name in names:
        points = [(rs_of(study), 1e3 * (row.energy - result.lowest_energy), 1e3 * row.error)
                  for study, result in results.items() for row in result.candidates if row.name == name]
        x, y, error = zip(*sorted(points), strict=True)
        ax.errorbar(x, y, yerr=error, fmt="o-", capsize=3, markersize=4, linewidth=1.2, label=name,
                    color=PHASE_COLOURS.get(name))
    ax.set_xscale("log")
    ax.set_xticks([rs_of(study) for study in results], [f"{rs_of(study):g}" for study in results])
    ax.minorticks_off()
    ax.legend(fontsize=SMALL, frameon=False)
    dress(ax, "", "r_s of the holes", "above the lowest (mHaₕ per hole)")
    return page


def rs_of(study: str) -> float:
    """r_s of the holes, from the name of a study."""
    return float(study.rsplit("-", 1)[1])


def rows(results: Results) -> list[Row]:
    """What wins at each density, and every energy."""
    found = []
    for study, result in results.items():
        head = f"r_s = {rs_of(study):g}"
        margin = "" if result.margin is None else (
            f" by {1e3 * result.margin:.2f} mHa_h per hole below {result.runner_up}, {result.margin_sigma:.1f} errors")
        found.append(Row(f"{head}: winner", "", ("" if result.resolved else "NOT RESOLVED: ") + result.winner + margin,
                         NEW))
        for row in (*result.candidates, *result.further):
            more = "" if row.phase == row.name else f", found to be a {row.phase}"
            size = "" if row.size_correction is None else f"{row.energy + row.size_correction:.5f} with size formula"
            found.append(Row(f"{head}: {row.name}", "", f"{row.energy:.5f} +- {row.error:.5f} Ha_h{more}", NEW, size))
    return found
