"""Density figures of Nashabeh and Fu: sites of made-up densities, what the figures declare, and their numbers."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ehbilayer.numerics.lattice import box_of_shape
from ehbilayer.papers import densities
from ehbilayer.papers.making import Made, Workshop
from ehbilayer.papers.nashabeh_fu import figure_3 as nashabeh_fu_3
from ehbilayer.papers.nashabeh_fu import figure_s5 as nashabeh_fu_s5
from ehbilayer.papers.nashabeh_fu import figure_s6 as nashabeh_fu_s6
from ehbilayer.papers.nashabeh_fu import figure_s7 as nashabeh_fu_s7
from ehbilayer.papers.nashabeh_fu import figure_s8 as nashabeh_fu_s8
from ehbilayer.papers.record import AGREES, DIFFERS, Reproduction
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.studies.task import prepare
from reproduced import Reproduced

FIGURES = [m.FIGURE for m in (nashabeh_fu_3, nashabeh_fu_s5, nashabeh_fu_s6, nashabeh_fu_s7, nashabeh_fu_s8)]
names = pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.name)


def spots(points: np.ndarray, grid: int = 72) -> Any:
    """Gaussian spots at fractional positions of a triangular box of unit density."""
    cell = box_of_shape("triangular", float(len(points)))
    at = np.stack(np.meshgrid(np.arange(grid), np.arange(grid), indexing="ij"), axis=-1) / grid
    values = np.zeros((grid, grid))
    for p in points:
        shift = at - p
        distance = (shift - np.round(shift)) @ cell.vectors
        values += np.exp(-np.sum(distance**2, axis=-1) / 0.03)
    data = {"cell": Variable(("vector", "axis"), cell.vectors, "a_h", ""),
            "density_hole": Variable(("cell_1", "cell_2"), values, "a_h^-2", "")}
    return SimpleNamespace(data=data, density=Carriers({"hole": 1.0}), kept_symmetry="none")


LATTICE = np.array([[i, j] for i in range(6) for j in range(6)]) / 6


def test_a_triangular_crystal_is_recognised() -> None:
    result = spots(LATTICE)
    assert len(densities.sites(result)) == 36
    assert densities.sixfold(result) == pytest.approx(1.0, abs=1e-9)
    assert densities.alternation(result) == pytest.approx(1.0, abs=1e-9)
    assert densities.partners(result).tolist() == [0] * 36
    amplitudes = densities.bragg(result, "hole")
    assert amplitudes.min() > 0.1 and np.ptp(amplitudes) < 1e-6
    # side of a triangle of area sqrt(3)/4 a^2, two of which belong to each site
    assert densities.lattice_spacing(result) == pytest.approx(math.sqrt(2 / math.sqrt(3)))


def test_pairs_and_chains_are_recognised() -> None:
    shift = np.where(np.arange(36) // 6 % 2 == 0, 1 / 24, -1 / 24)  # along the first vector, towards each other
    pairs = spots(LATTICE + np.stack([shift, np.zeros(36)], axis=1))
    assert densities.partners(pairs).tolist() == [1] * 36
    assert densities.alternation(pairs) > 1.4
    assert densities.sixfold(pairs) < 0.9
    amplitudes = densities.bragg(pairs, "hole")
    assert np.ptp(amplitudes) > 0.1 * amplitudes.max()
    chains = spots(np.array([[i / 12, j / 3] for i in range(12) for j in range(3)]))
    assert densities.partners(chains).tolist() == [2] * 36
    assert densities.alternation(chains) == pytest.approx(1.0, abs=1e-9)


@names
@pytest.mark.parametrize("quick", [True, False])
def test_studies_can_be_computed(figure: Reproduction, quick: bool) -> None:
    for key, tables in figure.studies(quick).items():
        study = make_study(tables, name=key)
        assert study.kind == "hartree-fock" and tables["cell"]["holes"] == 36
        if "rs_hole" in tables["density"]:  # the others would first compute the critical density
            assert prepare(study).plan


def made(figure: Reproduction, place: Path) -> dict[str, Any]:
    made: Made = Workshop(place).make(figure)
    assert made.status is Status.converged
    assert {p.suffix for p in made.files} == {".png", ".pdf", ".txt"}
    return {row.quantity: row for row in made.rows}


def test_mass_and_gap_of_the_electron_liquid(reproduced: Reproduced) -> None:
    """Mass as published; gaps by four definitions, to the digits of tests/test_published."""
    rows = {row.quantity: row for row in reproduced.rows("nashabeh-fu:3")}
    mass = rows["m*/m_e, two lowest bands of the whole zone"]
    assert mass.verdict == AGREES and float(mass.ours) == pytest.approx(0.928, abs=1e-3)
    gaps = {q: r for q, r in rows.items() if q.startswith("hole gap")}
    assert [float(r.ours) for r in gaps.values()] == pytest.approx([0.358, 0.423, 0.459, 0.707, 0.717], abs=6e-4)
    assert {r.verdict for r in gaps.values()} == {DIFFERS}
    better = [float(r.converged.split(",")[0]) for r in gaps.values() if r.converged]
    assert better[2] == pytest.approx(0.717, abs=6e-4)  # at the valence top, with v(0)/A put back
    plain = list(gaps.values())[: len(better)]
    assert all(b > float(r.ours) for b, r in zip(better, plain, strict=True))


@pytest.mark.published
@pytest.mark.timeout(600)
@names
def test_in_full(figure: Reproduction, tmp_path: Path) -> None:
    """Everything agrees but the gap, the name of one crystal, and how clearly the stripes of Fig. S8 are paired."""
    rows = made(figure, tmp_path)
    differ = {q for q, r in rows.items() if r.verdict == DIFFERS}
    if figure.name == "nashabeh-fu:3":
        assert differ == {q for q in rows if q.startswith("hole gap")}
    elif figure.name == "nashabeh-fu:s7":
        assert differ == {"its name by the depletion of the Fermi sea is hole-crystal"}
    elif figure.name == "nashabeh-fu:s8":
        assert differ <= {q for q in rows if "pairs" in q}
    else:
        assert not differ
