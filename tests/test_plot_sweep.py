"""Figures of sweeps: lines between phases where they belong, every shape of sweep drawn, failed points marked."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ehbilayer
import fake_points
import made_up
from ehbilayer.errors import InputError
from ehbilayer.figures.boundaries import Fields, Regions, chosen_mesh, grid_mesh, regions, strip_mesh
from ehbilayer.figures.style import in_print, new_figure, number_in_print
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


def drawn_lines(ax: Any) -> np.ndarray:
    """The boundaries on a map, (n, 2, 2)."""
    (lines,) = (c for c in ax.collections if type(c).__name__ == "LineCollection")
    return np.array(lines.get_segments())


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
    known = fields(np.array([0 * x, 0.31 - x, 0.57 - y]))
    mesh = grid_mesh(np.linspace(0, 1, 5), np.linspace(0, 1, 7) ** 2, known.winner.reshape(5, 7))
    pieces = np.array(regions(mesh, known, np.ones(35)).lines)
    ends = pieces.reshape(-1, 2)
    a, b, c = 0 * ends[:, 0], 0.31 - ends[:, 0], 0.57 - ends[:, 1]
    gaps = np.sort(np.array([a, b, c]), axis=0)
    on_a_line = np.abs(gaps[1] - gaps[0]) < 1e-12
    assert on_a_line.sum() > 20 and on_a_line.mean() > 0.9  # all but middles of triangles with three phases
    length = np.linalg.norm(pieces[:, 0] - pieces[:, 1], axis=1).sum()
    exact = 0.57 + 0.31 + np.hypot(0.69, 0.69) * min(1, 0.43 / 0.69)  # three straight lines that meet
    assert length == pytest.approx(exact, rel=0.05)


def area(cut: Regions, phase: str) -> float:
    sides = [(t[1] - t[0], t[2] - t[0]) for t in cut.corners.get(phase, [])]
    return float(sum(abs(a[0] * b[1] - a[1] * b[0]) / 2 for a, b in sides))


def test_colours_change_where_the_lines_are() -> None:
    """a below x = 0.31, b above: the painted regions end on the line, fill the frame and overlap nowhere."""
    x = np.repeat([0.0, 0.2, 0.9, 1.0], 3)
    known = fields(np.array([x - 0.31, 0 * x]))
    cut = regions(grid_mesh(np.array([0.0, 0.2, 0.9, 1.0]), np.array([0.0, 0.7, 1.0]), known.winner.reshape(4, 3)),
                  known, np.ones(12))
    assert area(cut, "a") == pytest.approx(0.31) and area(cut, "b") == pytest.approx(0.69)
    assert max(t[:, 0].max() for t in cut.corners["a"]) == pytest.approx(0.31)
    assert min(t[:, 0].min() for t in cut.corners["b"]) == pytest.approx(0.31)
    assert np.concatenate(cut.lines)[:, 0] == pytest.approx(0.31)
    heights = np.sort(np.concatenate(cut.lines)[:, 1])
    assert heights[0] == 0.0 and heights[-1] == 1.0  # the line reaches the frame
    at_line = [s for t, s in zip(cut.corners["a"], cut.strengths["a"], strict=True) for p, s in zip(t, s, strict=True)
               if np.isclose(p[0], 0.31)]
    assert set(at_line) == {0.0}


def test_three_phases_fill_their_triangles_and_failed_points_leave_holes() -> None:
    rng = np.random.default_rng(3)
    known = fields(rng.normal(size=(3, 30)))
    mesh = grid_mesh(np.arange(5.0), np.arange(6.0), known.winner.reshape(5, 6))
    assert sum(area(regions(mesh, known, np.ones(30)), p) for p in "abc") == pytest.approx(20.0)
    known.known[14] = False  # six triangles at most meet at a point of a grid, four at least
    holes = 20 - sum(area(regions(mesh, known, np.ones(30)), p) for p in "abc")
    assert 2.0 <= holes <= 4.0


def test_no_line_runs_between_named_values() -> None:
    """Along names nothing is interpolated: each has its strip, the line crosses it straight."""
    values = np.array([0.0, 1.0, 2.0])
    crossing = np.array([[0.3], [1.6]])
    known = fields(np.array([(values - crossing).ravel(), np.zeros(6)]))
    cut = regions(strip_mesh(2, values, 0), known, np.ones(6))
    ends = np.concatenate(cut.lines)
    first = ends[ends[:, 0] < 0.5 - 1e-12]
    assert first[:, 1] == pytest.approx(0.3) and first[:, 0].min() == -0.5
    assert ends[ends[:, 0] > 0.5 + 1e-12][:, 1] == pytest.approx(1.6)
    assert area(cut, "a") == pytest.approx(0.3 + 1.6) and area(cut, "b") == pytest.approx(1.7 + 0.4)
    turned = regions(strip_mesh(2, values, 1), fields(np.array([(values - crossing).T.ravel(), np.zeros(6)])),
                     np.ones(6))
    assert area(turned, "a") == pytest.approx(1.9)


def test_chosen_points_are_joined_only_where_they_are_known() -> None:
    places = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5]])
    known = np.array([True, True, True, True, False])
    mesh = chosen_mesh(places, known)
    assert len(mesh.triangles) == 2 and 4 not in mesh.triangles


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
    ends = np.concatenate(drawn_lines(figure.axes[0]))
    assert np.abs(ends[:, 1] - np.sin(ends[:, 0])).max() < 0.15 and len(ends) > 10  # the boundary is sin r_s


def test_a_phase_that_nothing_competes_with_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EHB_FAKE_ALONE", "1")
    ax = page(sweep('"density.rs_hole" = [1, 2, 3]\n"bilayer.spacing" = [0.1, 0.5, 1.5]')).axes[0]
    legend = ax.get_legend()
    assert legend is not None and {t.get_text() for t in legend.get_texts()} == {"liquid", "crystal"}
    painted = [c for c in ax.collections if type(c).__name__ == "TriMesh"]
    assert len(painted) == 2 and all((np.asarray(c.get_array()) >= 0).all() for c in painted)
    assert len(drawn_lines(ax)) > 0


def test_values_may_stand_in_any_order() -> None:
    mixed, sorted_ones = (page(sweep(f'"density.rs_hole" = {rs}\n"bilayer.spacing" = {d}')).axes[0] for rs, d in (
        ([3, 1, 2], [0.5, 0.1, 1.5]), ([1, 2, 3], [0.1, 0.5, 1.5])))
    for first, second in zip(mixed.collections, sorted_ones.collections, strict=True):
        np.testing.assert_array_equal(first.get_array(), second.get_array())  # type: ignore[arg-type]
    assert len(drawn_lines(mixed)) > 0
    np.testing.assert_array_equal(drawn_lines(mixed), drawn_lines(sorted_ones))


def test_a_map_ends_where_its_points_end() -> None:
    decades = page(sweep('"density.rs_hole" = [0.1, 0.7, 1.3]\n'
                         '"bilayer.spacing" = {start = 0.001, stop = 10, count = 5, scale = "log"}')).axes[0]
    assert decades.get_ylim() == pytest.approx((1e-3, 10)) and decades.get_xlim() == pytest.approx((0.1, 1.3))
    ticks = [decades.yaxis.get_major_formatter()(v) for v in (0.001, 0.5, 10.0)]
    assert ticks == ["0.001", "0.5", "10"]


def test_labels_are_words_and_numbers_are_readable() -> None:
    axes = {"density.hole": [3e11, 6e11, 2e12], "bilayer.dielectric": [4.0, 5.0]}
    made = made_up.phase_map(axes, {"liquid": np.zeros((3, 2)), "crystal": np.ones((3, 2))}, {}, 1.0)
    density = dataclasses.replace(made.data["density.hole"], units="cm^-2")
    ax = page(dataclasses.replace(made, data={**made.data, "density.hole": density})).axes[0]
    assert ax.get_xlabel() == "hole density (cm⁻²)" and ax.get_ylabel() == "dielectric"
    assert ax.xaxis.get_major_formatter()(3e11, 0) == "3×10¹¹"
    assert [in_print(u) for u in ("a_h^-2", "1/a_h", "Ha_h/a_h^2", "cm^-2")] == ["aₕ⁻²", "1/aₕ", "Haₕ/aₕ²", "cm⁻²"]
    assert [number_in_print(v) for v in (0, 0.25, 1234.5, 1e12, -2.5e-7, 3e11)] == [
        "0", "0.25", "1234", "10¹²", "-2.5×10⁻⁷", "3×10¹¹"]


def test_curves_never_join_points_of_different_phases() -> None:
    result = sweep('"density.rs_hole" = [1, 2, 3, 3.5, 4, 5, 6]\n"bilayer.spacing" = [0.5]', 'show = ["energy"]')
    ax = page(result).axes[0]
    phase = dict(zip(result.data["density.rs_hole"].values.tolist(), result.data["winner"].values.ravel().tolist(),
                     strict=True))
    joined = [line for line in ax.lines if line.get_linestyle() == "-"]
    assert len(joined) > 1
    assert all(len({phase[float(x)] for x in line.get_xdata()}) == 1 for line in joined)  # type: ignore[union-attr]


def test_own_data_on_own_axes() -> None:
    result = sweep('"density.rs_hole" = [1, 2, 3]\n"bilayer.spacing" = [0.1, 0.5, 1.5]')
    ax = new_figure(4, 3).add_axes((0.1, 0.1, 0.8, 0.8))
    assert result.plot(ax=ax) is ax.figure and ax.get_xlabel() == "rₛ of the holes (aₕ)"
    ax.plot([1.5, 2.5], [0.2, 1.0], "k*")
    assert ax.get_xlim() == (1.0, 3.0)  # own points change no frame
    number = new_figure(4, 3).add_axes((0.1, 0.1, 0.8, 0.8))
    result.plot(what="margin", ax=number)
    assert number.get_title() == "margin (Haₕ)"
    for wrong in ({"what": "nonsense"}, {"what": "map", "species": "hole"}):
        with pytest.raises(InputError):
            result.plot(**wrong)


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
