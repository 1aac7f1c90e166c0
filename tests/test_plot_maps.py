"""Maps of sweeps: parts of a grid, mass ratios, the critical density, small multiples, published phase diagrams."""

import dataclasses
import tomllib

import numpy as np
import pytest

import ehbilayer
import fake_points
import made_up
from ehbilayer.figures.style import new_figure
from ehbilayer.papers.nashabeh_fu import figure_2 as nashabeh_fu_2
from ehbilayer.papers.nashabeh_fu import figure_s4 as nashabeh_fu_s4
from ehbilayer.results.base import Provenance, Variable
from ehbilayer.studies import kinds
from ehbilayer.studies.drawing import page
from ehbilayer.studies.file import make_study
from ehbilayer.sweep.columns import flatten
from ehbilayer.sweep.maps import axis_line, held_at, known_values, norm_of, phase_map, slice_at
from ehbilayer.sweep.result import SweepResult

SPACING, MASS, DENSITY = "bilayer.spacing", "bilayer.electron_mass", "density.hole_over_critical"
DIMS = (SPACING, MASS, DENSITY)
AXES = {SPACING: [1.0, 3.0], MASS: [1.0, 0.5, 0.25], DENSITY: [0.1, 0.5, 0.9, 1.3]}
PHASES = ("liquid", "hole-crystal", "condensate")


def diagram() -> SweepResult:
    """A map whose energies are made up: the condensate wins in the first corner, the liquid at high density."""
    d, mass, n = np.meshgrid(*AXES.values(), indexing="ij")
    energies = {"liquid": 0 * n, "hole-crystal": 0.1 * (n - 1.0), "condensate": 0.2 * (n - mass / d)}
    data = {"unresolved": Variable(DIMS, np.zeros(n.shape, bool), "1"),
            "critical_rs": Variable(DIMS, np.full(n.shape, 2.0), "1"),
            "critical_rs_electron": Variable(DIMS, np.full(n.shape, 2.0), "1"),
            "over_critical.electron": Variable(DIMS, n / mass**-2.0 * 2.0, "1")}
    for name in PHASES[:2]:
        for i, species in enumerate(("electron", "hole")):
            value = {"electron": 4700.0, "hole": 9400.0}[species] + 4000 * (name == "hole-crystal") * i
            data[f"candidates.{name}.momentum_variance.{species}"] = Variable(DIMS, np.full(n.shape, value), "1")
            data[f"candidates.{name}.sea_depletion.{species}"] = Variable(
                DIMS, np.full(n.shape, 0.2 * (name == "hole-crystal") * i), "1")
    return made_up.phase_map(AXES, energies, data, 0.8)


def test_a_part_of_a_grid_is_the_grid_at_one_value() -> None:
    part = slice_at(diagram(), MASS, 2)
    assert list(part.axes) == [SPACING, DENSITY] and MASS not in part.data
    assert np.array_equal(part.data["margin"].values, diagram().data["margin"].values[:, 2])
    assert part.data["winner"].dims == (SPACING, DENSITY)


def test_electron_masses_are_shown_as_ratios_where_the_hole_mass_is_known() -> None:
    result = diagram()
    assert axis_line(result, MASS).positions == pytest.approx([0.8, 1.6, 3.2])
    assert held_at(result, MASS, 1) == "mₕ / mₑ = 1.6" and held_at(result, SPACING) == "spacing d = 1 aₕ"
    unknown = dataclasses.replace(result, provenance=Provenance())
    assert axis_line(unknown, MASS).positions == pytest.approx(AXES[MASS])


def test_three_axes_are_small_multiples_on_common_scales() -> None:
    figure = page(diagram())
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["spacing d = 1 aₕ", "spacing d = 3 aₕ"]
    margins = [ax.collections[0] for ax in figure.axes[2:4]]
    assert len(figure.axes) == 5 and margins[0].norm is margins[1].norm  # one colour scale
    legend = figure.axes[1].get_legend()
    assert legend is not None
    labels = [t.get_text() for t in legend.get_texts()]
    assert sorted(labels[:3]) == sorted(PHASES) and labels[3:] == ["n = nₑ*"]


def test_the_critical_density_of_the_electrons_is_where_it_belongs() -> None:
    """2 n m_e^2 = 1 at m_e = 0.8/ratio (masses in m0): n = 1/(2 m_e^2), exact between points in the logarithm."""
    part = slice_at(diagram(), SPACING, 0)
    ax = new_figure(4, 4).add_axes((0.1, 0.1, 0.8, 0.8))
    lines = [axis_line(part, MASS), axis_line(part, DENSITY)]
    phase_map(ax, part, lines, "winner")
    paths = [p.vertices for c in ax.collections if type(c).__name__ == "QuadContourSet" for p in c.get_paths()]
    ends = np.concatenate(paths)
    at_first_mass = ends[np.isclose(ends[:, 0], 0.8), 1]
    assert at_first_mass == pytest.approx(0.5, abs=1e-9)


def test_scales_of_numbers() -> None:
    part = slice_at(diagram(), SPACING, 0)
    lines = [axis_line(part, MASS), axis_line(part, DENSITY)]
    values = known_values(part, lines, "margin")
    assert type(norm_of([values])).__name__ == "Normalize" and norm_of([values]).vmax == values.max()
    assert type(norm_of([values, np.ma.masked_invalid([1e-9, np.nan])])).__name__ == "LogNorm"
    assert norm_of([np.ma.masked_all(3)]).vmax == 1.0  # nothing is known


def test_named_rows_are_arrays_of_their_own() -> None:
    summary = {"candidates": [{"name": "liquid", "energy": -1.0, "gap": {"hole": 0.5}},
                              {"name": "crystal", "energy": -2.0}],
               "starts": [{"seed": 1}, {"seed": 2}], "twice": [{"name": "a", "x": 1}, {"name": "a", "x": 2}]}
    assert dict(flatten(summary)) == {
        "candidates.liquid.energy": -1.0, "candidates.liquid.gap.hole": 0.5, "candidates.crystal.energy": -2.0}


def test_energies_of_candidates_carry_units() -> None:
    tables = {"kind": "phases", "bilayer": {"electron_mass": 0.25, "hole_mass": 0.5, "dielectric": 5.0, "spacing": 1.0},
              "density": {"rs_hole": 4.0, "electrons_per_hole": 1},
              "phases": {"candidates": ["liquid", "hole-crystal"]},
              "cell": {"holes": 4, "hexagon": 3, "zero_mode": "none"}, "hartree-fock": {"stability": "none"},
              "sweep": {"density.rs_hole": [4.0, 5.0]}}
    result = ehbilayer.run(make_study(tables))
    assert isinstance(result, SweepResult) and result.candidates == ("liquid", "hole-crystal")
    keys = ("energy", "gap.hole", "seconds", "sea_depletion.hole")
    units = {key: result.data[f"candidates.{key}"].units for key in keys}
    assert units == {"energy": "Ha_h", "gap.hole": "Ha_h", "seconds": "s", "sea_depletion.hole": "1"}
    assert result.data["energies"].dims == ("density.rs_hole", "candidate")
    assert np.array_equal(result.data["candidates.energy"].values, result.data["energies"].values)
    assert np.array_equal(result.array("candidates.liquid.energy").values, result.data["energies"].values[:, 0])
    assert result.data["density.rs_hole"].units == "a_h"
    assert all(v.units and v.description for v in result.data.values())


# -- Nashabeh and Fu, Fig. 2 and S4, from a made-up map


def test_without_the_condensate_the_next_phase_wins() -> None:
    result = diagram()
    alone = nashabeh_fu_2.without_condensate(result)
    n = result.data[DENSITY].values
    assert (alone.data["winner"].values == np.where(n < 1.0, "hole-crystal", "liquid")).all()
    assert alone.data["margin"].values == pytest.approx(np.broadcast_to(0.1 * abs(n - 1.0), (2, 3, 4)))
    assert alone.candidates == PHASES[:2] and alone.data["energies"].values.shape == (2, 3, 4, 2)


def test_what_did_not_converge_does_not_win() -> None:
    result = diagram()
    result.data["statuses"].values[0, 0, :, 1] = "not_converged"
    alone = nashabeh_fu_2.without_condensate(result)
    assert (alone.data["winner"].values[0, 0] == "liquid").all()
    assert np.isfinite(alone.data["margin"].values).all()  # nothing competes there: the largest margin


def test_published_figures_are_drawn_and_judged() -> None:
    results = {nashabeh_fu_2.STUDY: diagram()}
    for figure, panels in ((nashabeh_fu_2.FIGURE, 4), (nashabeh_fu_s4.FIGURE, 4)):
        assert len(figure.draw(results).axes) == panels
        assert figure.caption(results) and all(row.verdict for row in figure.rows(results))
    verdicts = {row.quantity: row.verdict for row in nashabeh_fu_2.FIGURE.rows(results)}
    assert verdicts["r_s of the critical density n_h*"] == "agrees"
    assert verdicts["d = 1, equal masses: condensate to liquid within the figure"] == "agrees"
    assert verdicts["d = 10, equal masses: a crystal"] == "differs"
    failed = dict(results[nashabeh_fu_2.STUDY].data)
    failed["status"] = Variable(DIMS, np.full(failed["status"].values.shape, "not_converged"), "1")
    left = dataclasses.replace(results[nashabeh_fu_2.STUDY], data=failed)
    assert nashabeh_fu_2.first_ratio(left, 0, "condensate") is None  # what failed proves nothing
    assert nashabeh_fu_s4.valley(np.array([1.0, 3.0, 8.0]), 4.0) == (3.0, 8.0)
    for quick in (True, False):
        study = make_study(nashabeh_fu_2.studies(quick)[nashabeh_fu_2.STUDY])
        assert study.kind == "phase-diagram"


def test_a_sweep_of_three_axes_without_phases_shows_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "KINDS", kinds.KINDS)
    fake_points.register()
    axes = '"density.rs_hole" = [1, 2, 3]\n"bilayer.spacing" = [0.5, 1]\n"cell.holes" = [4, 9, 16, 25]'
    figure = page(ehbilayer.run(make_study(tomllib.loads(fake_points.study_text(axes, 'show = ["energy", "steps"]')))))
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == ["spacing d = 0.5 aₕ", "spacing d = 1 aₕ"]
    assert len(figure.axes) == 2 * 2 + 1  # phases, energies and their scale
