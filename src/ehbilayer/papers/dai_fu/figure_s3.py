"""Dai and Fu, Fig. S3: the trion crystal again, with the energy and the gaps printed beside it, and its bands."""

from __future__ import annotations

from ehbilayer.figures import bands
from ehbilayer.papers.dai_fu import trions
from ehbilayer.papers.record import Figure, Reproduction, Results, Row, Studies, placed, said

BANDS = 3.6  # inches below the densities
SAME = 1e-7  # Ha_h per particle between box and mesh, to which the box is converged


def studies(quick: bool) -> Studies:
    """The whole box, and one cell with a mesh of k points; both take seconds."""
    return trions.trion_crystal() | trions.trion_mesh()


def draw(results: Results) -> Figure:
    """Densities as in the paper, and below them the bands of both species with their gaps."""
    page = trions.density_page("trion crystal (Dai and Fu, Fig. S3, and its bands)", results[trions.CRYSTAL],
                               below=BANDS)
    for i, species in enumerate(("electron", "hole")):
        ax = placed(page, trions.WIDE * i + 0.75, 0.45, trions.WIDE - 0.95, BANDS - 0.45 - trions.HEAD)
        bands(results[trions.MESH], ax, species)
    return page


def rows(results: Results) -> list[Row]:
    """The printed energy and gaps, beside those that are converged in all but the number of holes and the waves."""
    box, mesh = results[trions.CRYSTAL], results[trions.MESH]
    off = abs(box.energy_per_particle - mesh.energy_per_particle)
    return [*trions.crystal_rows(box, {"energy per particle (Ha_h)": f"{mesh.energy_per_particle:.9f}",
                                       "gap, electrons (Ha_h)": f"{mesh.gap.electron:.7f}",
                                       "gap, holes (Ha_h)": f"{mesh.gap.hole:.7f}"}),
            said("the free box keeps the translations of the crystal",
                 off < SAME, f"energies differ by {off:.1g} Ha_h per particle")]


def caption(results: Results) -> str:
    """What is drawn."""
    return (f"Above: {trions.description(results[trions.CRYSTAL])}; m_e = 0.8 m0, m_h = 0.4 m0, d = 4.83 a_h as "
            "printed, both densities on one scale. Below: Fock bands of the same state from one cell and the 36 k "
            "points of the box; between these with the exchange of the mesh. The column of converged numbers is this "
            "mesh at a tighter stop, with the paper's size, waves and convention: the paper stopped at gradients of "
            "1e-5, and its last digit of the holes' gap says so. For other sizes and waves see dai-fu:numbers.")


FIGURE = Reproduction("dai-fu:s3", "energy, gaps and bands of the trion crystal", f"{trions.SUPPLEMENT}, Fig. S3",
                      studies, draw, rows, caption)
