"""Dai and Fu, Fig. 3: densities of electrons and holes in the crystal of trions."""

from __future__ import annotations

from ehbilayer.papers.dai_fu import trions
from ehbilayer.papers.densities import sites, sixfold
from ehbilayer.papers.record import Figure, Reproduction, Results, Row, Studies, said

PERFECT = 0.95  # six-fold order of a triangular crystal whose sites are known to a step of the grid


def studies(quick: bool) -> Studies:
    """The published state, which takes seconds: quick leaves nothing out."""
    return trions.trion_crystal()


def draw(results: Results) -> Figure:
    """Electrons on the left, holes on the right, on one scale."""
    return trions.density_page("trion crystal (Dai and Fu, Fig. 3)", results[trions.CRYSTAL])


def rows(results: Results) -> list[Row]:
    """What the text says of the picture."""
    result = results[trions.CRYSTAL]
    wide, gap = trions.widths(result), result.gap
    return [said("electrons and holes are on top of each other", trions.farthest(result) < 1.5 * trions.step(result),
                 f"maxima at most {trions.farthest(result):.3f} lattice spacings apart, grid of "
                 f"{trions.step(result):.3f}"),
            said("one pair of electrons on every hole, on a triangular lattice",
                 bool((trions.shares(result) == 1).all()) and sixfold(result) > PERFECT,
                 f"{len(sites(result))} sites, six-fold order {sixfold(result):.3f}"),
            said("electron orbitals spread out more than hole orbitals", wide["electron"] > wide["hole"],
                 f"widths {wide['electron']:.3f} and {wide['hole']:.3f} a_h"),
            said("an insulating crystal", result.phase == "trion-crystal" and min(gap.values()) > 0,
                 f"{result.phase}, gaps {gap.electron:.5f} and {gap.hole:.5f} Ha_h")]


def caption(results: Results) -> str:
    """What is drawn."""
    return (f"{trions.description(results[trions.CRYSTAL])}; m_e = 0.8 m0, m_h = 0.4 m0, d = 4.83 a_h as printed. "
            "Started from singlet trions on a triangular lattice, the whole box free. Both densities have one scale. "
            "Widths are those of Gaussian orbitals with the same first Bragg amplitudes, along one axis.")


FIGURE = Reproduction("dai-fu:3", "densities of the trion crystal", f"{trions.PAPER}, Fig. 3", studies, draw, rows,
                      caption)
