"""Nashabeh and Fu, Fig. 1, and Fig. 2 by size and zero mode: boundaries of made-up maps, what the figures declare."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import made_up
from ehbilayer.hartree_fock import order
from ehbilayer.papers.nashabeh_fu import figure_1 as nashabeh_fu_1
from ehbilayer.papers.nashabeh_fu import figure_2 as nashabeh_fu_2
from ehbilayer.papers.nashabeh_fu import figure_2_sizes as nashabeh_fu_2_sizes
from ehbilayer.papers.nashabeh_fu import figure_s4 as nashabeh_fu_s4
from ehbilayer.papers.nashabeh_fu.figure_2 import DENSITY, MASS, SPACING, Change, changes
from ehbilayer.papers.record import AGREES, DIFFERS, MISSING
from ehbilayer.phases import verdict
from ehbilayer.results.base import Variable
from ehbilayer.studies.file import make_study
from ehbilayer.sweep.result import SweepResult
from reproduced import Reproduced

PHASES = ("liquid", "hole-crystal", "crystal", "condensate")
CRITICAL_RS = 2.0


def rise(n: np.ndarray, zero: np.ndarray | float) -> np.ndarray:
    """An energy below 0 where n is below ``zero``: c_1/r_s^2 - c_2/r_s with r_s^2 = 1/n."""
    difference: np.ndarray = n / np.sqrt(zero) - np.sqrt(n)
    return difference


def diagram(axes: dict[str, Any], critical_rs: float = CRITICAL_RS, liquid_from: float = 1.0) -> SweepResult:
    """A map with made-up energies, whose differences times r_s^2 are linear in r_s.

    The hole crystal lies below the liquid below n = ``liquid_from``, the crystal below the hole crystal below
    m_e d/10, the condensate below the hole crystal below m_e/d.
    """
    values = dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij"), strict=True))
    d, mass, n = values[SPACING], values[MASS], values[DENSITY]
    holes = 0.1 * rise(n, liquid_from)
    energies = {"liquid": 0 * n, "hole-crystal": holes, "crystal": holes + 0.3 * rise(n, mass * d / 10),
                "condensate": holes + 0.2 * rise(n, mass / d)}
    dims = tuple(axes)
    more = {"critical_rs": Variable(dims, np.full(n.shape, critical_rs), "1"),
            "critical_rs_electron": Variable(dims, np.full(n.shape, 1.9), "1"),
            "over_critical.electron": Variable(dims, n / mass**2, "1")}
    return made_up.phase_map(axes, energies, more, 1.0)


AXES = {SPACING: [1.0, 3.0, 10.0], MASS: [1.0, 0.5, 0.25, 0.125], DENSITY: [0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3]}
SKETCH = {MASS: [1.0, 0.25], SPACING: [0.5, 2.0, 8.0], DENSITY: [0.1, 0.2, 0.4, 0.8, 1.6]}


# -- where phases change hands


def test_kinetic_and_coulomb_energies_cross_where_they_should() -> None:
    found = changes(diagram(AXES), 0, 1)  # d = 1, m_e = 1/2
    assert [(c.below, c.above) for c in found] == [("condensate", "hole-crystal"), ("hole-crystal", "liquid")]
    assert [c.over_critical for c in found] == pytest.approx([0.5, 1.0])
    assert [c.rs for c in found] == pytest.approx([CRITICAL_RS * math.sqrt(2), CRITICAL_RS])
    assert found[1].steps == (0.9, 1.1)


def test_a_phase_that_does_not_exist_beyond_its_boundary_ends_half_way() -> None:
    result = diagram(AXES)
    n = result.data[DENSITY].values
    melted = np.where(n > 1.0, "liquid", "hole-crystal")
    result.data["ended_as"].values[..., 1] = melted
    assert changes(result, 0, 1)[1].over_critical == pytest.approx(1.0)  # between 0.9 and 1.1
    liquid = diagram(AXES, liquid_from=1.05)
    assert changes(liquid, 0, 1)[1].over_critical == pytest.approx(1.05)
    liquid.data["ended_as"].values[..., 1] = melted
    assert changes(liquid, 0, 1)[1].over_critical == pytest.approx(1.0)


def test_nothing_is_said_beside_points_that_did_not_converge() -> None:
    result = diagram(AXES)
    result.data["status"].values[0, 1, 5] = "not_converged"  # n = 1.1
    assert [c.above for c in changes(result, 0, 1)] == ["hole-crystal"]


@pytest.mark.parametrize(("below", "above", "meaning"), [
    ("condensate", "liquid", "the condensate ends"), ("condensate", "crystal", "the condensate ends"),
    ("hole-crystal", "liquid", "the hole crystal melts"), ("crystal", "electron-crystal", "the hole crystal melts"),
    ("crystal", "hole-crystal", "the electron crystal melts"),
    ("electron-crystal", "liquid", "the electron crystal melts"), ("hole-crystal", "condensate", None)])
def test_what_a_change_means(below: str, above: str, meaning: str | None) -> None:
    assert nashabeh_fu_2_sizes.role(Change(below, above, 1.0, 1.0, (0.9, 1.1))) == meaning


def test_a_boundary_over_the_mass_ratio_ends_where_it_leaves_the_map() -> None:
    dense = diagram(AXES | {DENSITY: [0.2, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3]})
    ratio, rs = nashabeh_fu_2_sizes.curve(dense, 0, "the condensate ends")  # d = 1: at n = m_e, from 1 to 1/8
    assert ratio == pytest.approx([1, 2, 4, 8])
    assert rs == pytest.approx([CRITICAL_RS, CRITICAL_RS * math.sqrt(2), CRITICAL_RS * 2, np.nan], nan_ok=True)


# -- what the figures declare


def test_all_maps_have_the_same_cutoff() -> None:
    """The largest |k| of the hexagon goes as hexagon/sqrt(A), and A as the number of holes at one density."""
    cells = [t["cell"] for t in nashabeh_fu_2_sizes.studies(False).values()]
    assert [(c["zero_mode"], c["holes"]) for c in cells] == [("none", 36), ("madelung", 36), ("madelung", 64),
                                                              ("madelung", 144)]
    cutoffs = [c["hexagon"] / math.sqrt(c["holes"]) for c in cells]
    assert cutoffs == pytest.approx(len(cells) * [cutoffs[0]], rel=0.04)


def test_the_published_map_is_shared() -> None:
    shared = nashabeh_fu_2.studies(False)[nashabeh_fu_2.STUDY]
    for module in (nashabeh_fu_1, nashabeh_fu_2_sizes):
        assert module.studies(False)[nashabeh_fu_2.STUDY] == shared


@pytest.mark.parametrize("module", [nashabeh_fu_1, nashabeh_fu_2_sizes])
@pytest.mark.parametrize("quick", [True, False])
def test_studies_are_phase_diagrams(module: Any, quick: bool) -> None:
    for name, tables in module.studies(quick).items():
        study = make_study(tables, name=name)
        assert study.kind == "phase-diagram" and study.sweep is not None
        assert quick is (tables["hartree-fock"]["tolerance"] > 1e-6)


# -- how they are drawn and judged


def by_size() -> dict[str, SweepResult]:
    """Four maps; the liquid begins at 1.0, 0.85, 0.75, 0.65 n_h*, and r_s* is 2."""
    names = [nashabeh_fu_2.STUDY, *(nashabeh_fu_2_sizes.name_of(n) for n in nashabeh_fu_2_sizes.SIZES)]
    return {name: diagram(AXES, liquid_from=n) for name, n in zip(names, (1.0, 0.85, 0.75, 0.65), strict=True)}


def test_boundaries_of_all_maps_stand_in_one_row() -> None:
    rows = {r.quantity: r.ours for r in nashabeh_fu_2_sizes.rows(by_size())}
    melts = "n/n_h* 1.000, 0.850, 0.750, 0.650; r_s 2.00, 2.17, 2.31, 2.48"
    assert rows["d = 10, m_h/m_e = 8: EL-HC to liquid"] == melts
    pairing = "n/n_h* 0.250, 0.250, 0.250, 0.250; r_s 4.00, 4.00, 4.00, 4.00"
    assert rows["d = 1, m_h/m_e = 4: condensate to EL-HC"] == pairing
    assert rows["r_s of the holes within each map"].split(", ")[0] == "6.32 to 1.75"


def test_maps_and_their_boundaries_are_drawn() -> None:
    results = by_size()
    figure = nashabeh_fu_2_sizes.draw(results)
    assert len(figure.axes) == 3 * (4 + 1)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles[:2] == ["none, 36 holes\nrₛ* = 2.00", "madelung, 36 holes\nrₛ* = 2.00"]
    melting = [line for line in figure.axes[4].lines if line.get_linestyle() == "--"]
    assert [np.asarray(line.get_ydata())[-1] for line in melting] == pytest.approx([2 / math.sqrt(n) for n in
                                                                        (1.0, 0.85, 0.75, 0.65)])
    assert "madelung, 144 holes: 84 of 84 points" in nashabeh_fu_2_sizes.caption(results)


def sketch() -> dict[str, SweepResult]:
    return {nashabeh_fu_1.STUDY: diagram(SKETCH), nashabeh_fu_2.STUDY: diagram(AXES)}


def test_the_sketch_has_a_panel_for_each_mass_ratio_and_the_finer_boundaries() -> None:
    figure = nashabeh_fu_1.draw(sketch())
    panels = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_title() for ax in panels] == ["mₕ / mₑ = 1", "mₕ / mₑ = 4"]
    dots = [line for line in panels[1].lines if line.get_marker() == "D"]
    expected = [(1.0, 0.25), (1.0, 1.0), (3.0, 1.0), (10.0, 0.25), (10.0, 1.0)]
    assert np.sort(dots[0].get_xydata(), axis=0) == pytest.approx(np.sort(np.array(expected), axis=0))
    names = {t.get_text() for t in panels[1].texts}
    assert "electron liquid,\nhole crystal" in names


def test_statements_of_the_sketch_follow_from_the_winners() -> None:
    results = sketch()
    verdicts = {r.quantity: r.verdict for r in nashabeh_fu_1.rows(results)}
    assert verdicts["m_h/m_e = 4: electron liquid on a hole crystal"] == AGREES
    assert verdicts["equal masses: no electron liquid on a hole crystal"] == DIFFERS
    assert verdicts["d = 0.5, m_h/m_e = 4: condensate to liquid without a crystal"] == DIFFERS
    winner = results[nashabeh_fu_1.STUDY].data["winner"]
    winner.values[:, 0] = ["condensate", "condensate", "condensate", "liquid", "liquid"]
    verdicts = {r.quantity: r.verdict for r in nashabeh_fu_1.rows(results)}
    assert verdicts["d = 0.5, m_h/m_e = 4: condensate to liquid without a crystal"] == AGREES


@pytest.mark.parametrize(("light", "ours", "verdict"), [
    (1.0, "above 0, at most 1", DIFFERS), (0.5, "above 1, at most 2", AGREES), (0.25, "above 2, at most 4", AGREES),
    (0.125, "above 4, at most 8", DIFFERS), (0.0, "", MISSING)])
def test_where_a_phase_begins_is_known_to_a_step_of_the_map(light: float, ours: str, verdict: str) -> None:
    result = diagram(AXES)
    mass = np.array(AXES[MASS])
    result.data["winner"].values[:] = np.where(mass <= light, "hole-crystal", "condensate")[None, :, None]
    rows = {r.quantity: r for r in nashabeh_fu_2.rows({nashabeh_fu_2.STUDY: result})}
    row = rows["d = 1: electron liquid on a hole crystal from m_h/m_e"]
    assert (row.ours, row.verdict) == (ours, verdict)
    assert rows["Hartree-Fock only: hole liquid on an electron crystal occurs"].verdict == MISSING  # no candidate


@pytest.mark.parametrize(("between", "verdict"), [([], AGREES), ([5900.0, 6100.0], DIFFERS)])
def test_a_cut_with_states_close_to_it_separates_nothing(between: list[float], verdict: str) -> None:
    names, values = ("liquid", "hole-crystal"), np.array([*np.linspace(4700, 5000, 20), *np.linspace(7000, 9000, 20)])
    data: dict[str, Variable] = {}
    for name in names:
        states = np.array([*values, *between])
        data[f"statuses.{name}"] = Variable(("point",), np.full(len(states), "converged"), "1")
        data[f"ended_as.{name}"] = Variable(("point",), np.full(len(states), name), "1")
        for species, scale in (("electron", 1.0), ("hole", 10000 / 6000)):
            key = f"candidates.{name}"
            data[f"{key}.momentum_variance.{species}"] = Variable(("point",), scale * states, "1")
            data[f"{key}.sea_depletion.{species}"] = Variable(("point",), 0 * states, "1")
            data[f"{key}.zone_deviation.{species}"] = Variable(("point",), 1 + 0 * states, "1")
    rows = nashabeh_fu_s4.rows({nashabeh_fu_2.STUDY: made_up.sweep(data)})
    assert [r.verdict for r in rows if "separation" in r.quantity] == [verdict] * 2


def test_the_cuts_are_those_of_the_library() -> None:
    assert [cut for cut, _ in nashabeh_fu_s4.CUTS.values()] == [order.MELTED_DEPLETION, order.CRYSTAL_DEPLETION]
    assert nashabeh_fu_s4.PAPER_CUTS == verdict.PAPER_CUTS


def test_what_did_not_converge_is_not_named() -> None:
    result = diagram(SKETCH)
    status = np.full(result.data["status"].values.shape, "not_converged")
    left = dataclasses.replace(result, data=result.data | {"status": Variable(tuple(SKETCH), status, "1")})
    assert nashabeh_fu_1.sequence(left, 0, 0) == ""
    assert nashabeh_fu_1.first_spacing(left, 0, ("condensate",)) == math.inf
    assert nashabeh_fu_1.first_spacing(result, 0, ("condensate",)) == 0.5


def test_quick_maps(reproduced: Reproduced) -> None:
    assert reproduced.row("nashabeh-fu:1", "m_h/m_e = 4: electron liquid").ours == "from d = 10 a_h"
    assert reproduced.row("nashabeh-fu:2-sizes", "layer of holes alone").ours == "3.314"
