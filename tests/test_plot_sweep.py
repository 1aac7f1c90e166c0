"""Figures of sweeps: lines between phases where they belong, every shape of sweep drawn, failed points marked."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

import ehbilayer
import fake_points
import made_up
from ehbilayer.errors import InputError
from ehbilayer.figures.boundaries import Fields, grid_triangles, segments
from ehbilayer.results.base import Result, Variable
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.drawing import page, save_figures
from ehbilayer.studies.file import make_study


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "KINDS", kinds.KINDS)
    fake_points.register()
    monkeypatch.setattr("os.fsync", lambda handle: None)


def sweep(axes: str, more: str = "") -> Result:
    return ehbilayer.run(make_study(tomllib.loads(fake_points.study_text(axes, more))))


def fields(energies: np.ndarray) -> Fields:
    """All phases everywhere: (phases, points)."""
    order = np.sort(energies, axis=0)
    names = np.array(list("abcdef"))
    return Fields(names[np.argmin(energies, axis=0)], order[1] - order[0],
                  {str(names[i]): e for i, e in enumerate(energies)}, np.ones(energies.shape[1], bool))


def test_boundaries_of_planes_are_exact() -> None:
    """Energies linear in the coordinates cross on straight lines, whatever the grid."""
    x, y = (v.ravel() for v in np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 1, 7) ** 2, indexing="ij"))
    energies = np.array([0 * x, 0.31 - x, 0.57 - y])
    pieces = np.array(list(segments(np.column_stack([x, y]), grid_triangles((5, 7)), fields(energies))))
    ends = pieces.reshape(-1, 2)
    a, b, c = 0 * ends[:, 0], 0.31 - ends[:, 0], 0.57 - ends[:, 1]
    gaps = np.sort(np.array([a, b, c]), axis=0)
    on_a_line = np.abs(gaps[1] - gaps[0]) < 1e-12
    assert on_a_line.sum() > 20 and on_a_line.mean() > 0.9  # all but middles of triangles with three phases
    length = np.linalg.norm(pieces[:, 0] - pieces[:, 1], axis=1).sum()
    exact = 0.57 + 0.31 + np.hypot(0.69, 0.69) * min(1, 0.43 / 0.69)  # three straight lines that meet
    assert length == pytest.approx(exact, rel=0.05)


def test_a_phase_that_does_not_exist_at_one_end_gives_half_way() -> None:
    energies = np.array([[0.0, 1.0], [np.inf, 0.5]])
    assert fields(energies).crossing(0, 1) == 0.5
    assert fields(np.array([[0.0, 1.0], [3.0, 0.0]])).crossing(0, 1) == 0.75
    bare = Fields(np.array(["a", "b"]), np.array([3.0, 1.0]), {}, np.ones(2, bool))
    assert bare.crossing(0, 1) == 0.75


@pytest.mark.parametrize(("axes", "panels"), [
    ('"density.rs_hole" = [1, 2, 3, 14, 15]', 1),
    ('"density.rs_hole" = [1, 2, 3, 14]\n"bilayer.spacing" = ["0.1 nm", "1 a_h"]', 2),
    ('"density.rs_hole" = [1, 2, 3]\n"bilayer.spacing" = {start = 0.01, stop = 1, count = 4, scale = "log"}', 2),
    ('"density.rs_hole" = [1, 2, 3]\n"bilayer.spacing" = [0.5, 1]\n"cell.holes" = [4, 9]', 2),
    ('"density.rs_hole" = [2]', 1),
])
def test_every_shape_is_drawn(tmp_path: Path, axes: str, panels: int) -> None:
    result = sweep(axes)
    figure = page(result)
    assert sum(bool(ax.get_title()) for ax in figure.axes) == panels
    text = " ".join(t.get_text() for t in figure.texts)
    assert f"of {result.summary['points']} points" in text
    save_figures(result, tmp_path)
    first = (tmp_path / "figure.png").read_bytes()
    save_figures(result, tmp_path)
    assert (tmp_path / "figure.png").read_bytes() == first


def test_an_adaptive_sweep_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("adaptive")
    result = sweep('"density.rs_hole" = {start = 1, stop = 6}\n"bilayer.spacing" = {start = 0.05, stop = 1.05}',
                   'mode = "adaptive"\npoints = 40')
    figure = page(result)
    (lines,) = figure.axes[0].collections[1:2]
    ends = np.concatenate(lines.get_segments())  # type: ignore[attr-defined]
    assert np.abs(ends[:, 1] - np.sin(ends[:, 0])).max() < 0.15 and len(ends) > 10  # the boundary is sin r_s


def test_a_phase_that_nothing_competes_with_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EHB_FAKE_ALONE", "1")
    ax = page(sweep('"density.rs_hole" = [1, 2, 3]\n"bilayer.spacing" = [0.1, 0.5, 1.5]')).axes[0]
    legend = ax.get_legend()
    assert legend is not None and {t.get_text() for t in legend.get_texts()} == {"liquid", "crystal"}
    colours = ax.collections[0].get_array().reshape(-1, 3)  # type: ignore[union-attr]
    assert (colours.min(axis=-1) < 0.95).all()  # no point is left white
    assert len(ax.collections[1].get_segments()) > 0  # type: ignore[attr-defined]


def test_values_may_stand_in_any_order() -> None:
    mixed, sorted_ones = (page(sweep(f'"density.rs_hole" = {rs}\n"bilayer.spacing" = {d}')).axes[0] for rs, d in (
        ([3, 1, 2], [0.5, 0.1, 1.5]), ([1, 2, 3], [0.1, 0.5, 1.5])))
    for number in (0, 1):
        first, second = (ax.collections[number] for ax in (mixed, sorted_ones))
        if number:
            assert len(first.get_segments()) == len(second.get_segments()) > 0  # type: ignore[attr-defined]
        else:
            np.testing.assert_array_equal(first.get_array(), second.get_array())  # type: ignore[arg-type]


def test_every_point_of_a_logarithmic_axis_has_its_cell_and_no_density_is_negative() -> None:
    decades = page(sweep('"density.rs_hole" = [0.1, 0.7, 1.3]\n'
                         '"bilayer.spacing" = {start = 0.001, stop = 10, count = 5, scale = "log"}')).axes[0]
    assert decades.get_ylim() == pytest.approx((10**-3.5, 10**1.5))
    assert decades.get_xlim()[0] == 0


def test_failed_and_unresolved_points_are_marked() -> None:
    edge = float(np.sin(7)) + 0.005
    result = sweep(f'"density.rs_hole" = [7, 8, 14]\n"bilayer.spacing" = [{edge}, 2]')
    ax = page(result).axes[0]
    legend = ax.get_legend()
    assert legend is not None
    assert {t.get_text() for t in legend.get_texts()} == {"liquid", "crystal", "failed", "unresolved"}
    marks = {str(line.get_label()): len(line.get_xdata()) for line in ax.lines}  # type: ignore[arg-type]
    assert marks == {"failed": 2, "unresolved": 1}


def test_numbers_that_are_asked_for_are_shown() -> None:
    figure = page(sweep('"density.rs_hole" = [1, 2, 3]', 'show = ["energy", "steps"]'))
    assert [ax.get_title() for ax in figure.axes] == ["energy", "steps"]


def test_a_sweep_without_numbers_is_refused() -> None:
    bare = made_up.sweep({"a.b": Variable(("a.b",), np.array([1.0, 2.0]), "1"),
                          "status": Variable(("a.b",), np.array(["invalid", "invalid"]), "1")}, {"a.b": [1, 2]},
                         status=Status.not_converged)
    with pytest.raises(InputError, match="numbers to show"):
        page(bare)
