"""Figures: what is drawn is what the result holds, nothing overlaps, and every state of a result can be drawn."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import made_up
from ehbilayer import Bilayer, Torus, hartree_fock
from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import rectangle_waves
from ehbilayer.errors import InputError
from ehbilayer.figures.fock_levels import bands, levels, merge_levels
from ehbilayer.figures.momentum_space import convergence, momentum, nearest_wave
from ehbilayer.figures.real_space import colour_scale, density, sample, view
from ehbilayer.figures.style import carriers, fermi_level, new_figure
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.numerics.lattice import box_of_shape, crystal_cell
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.status import Status
from ehbilayer.studies.drawing import page, plot, save_figures
from ehbilayer.studies.hartree_fock.figure import headline
from systems import Species, torus_of

TORUS = np.array([[12.0, 0.0], [6.0, 6.0 * np.sqrt(3)]])


@cache
def solved(name: str) -> Result:
    """Four holes at r_s = 10 (with four light electrons for ``bilayer`` and ``liquid``) on a triangular torus."""
    box = box_of_shape("triangular", 4 * np.pi * 100)
    spin = "unrestricted" if name == "spin" else "polarized"
    species = [Species("hole", 1, 1.0, 1, 4, spin=spin)]
    if name in ("bilayer", "liquid"):
        species.insert(0, Species("electron", -1, 0.5, 0, 4, spin="restricted"))
    cell = crystal_cell(box, 4) if name in ("crystal", "bilayer") else None
    start = "liquid" if name == "liquid" else "crystal"
    keep = "translations" if name == "liquid" else "none"
    return solve(torus_of(tuple(species), 1.0, "none", box=box), PlaneWaveBasis(box, rectangle_waves(9, 9), cell),
                 Options(start=start, keep=keep, occupation="integer" if cell is None and keep == "none" else "shell",
                         stability="none", tolerance=1e-6))


def made(**changes: object) -> Result:
    """A small result made by hand: one hole band -cos(x) on a path 0 .. 3, gap 1 above it, then a flat empty band."""
    path = np.linspace(0, 3, 13)
    ij = np.array([[i, j] for i in range(-3, 4) for j in range(-3, 4)])
    k = ij @ (2 * np.pi * np.linalg.inv(TORUS).T)
    x, y = np.meshgrid(np.arange(12) / 12, np.arange(10) / 10, indexing="ij")
    data = {
        "waves": Variable(("wave", "axis"), ij, "1"), "wave_vector": Variable(("wave", "axis"), k, "1/a_h"),
        "momentum_hole": Variable(("wave",), np.exp(-np.sum(k * k, axis=1)), "1"),
        "levels_0": Variable(("k_0", "level_0"), np.array([[-2.0, 1.0], [-1.0, 0.5], [0.0, 1.0]]), "Ha_h"),
        "filled_0": Variable(("k_0", "level_0"), np.array([[1.0, 0.0]] * 3), "1"),
        "path": Variable(("path_point",), path, "1/a_h"),
        "path_marks": Variable(("corner",), np.array([0.0, 1.0, 1.5, 3.0]), "1/a_h"),
        "bands_0": Variable(("path_point", "band_0"), np.stack([-1 - np.cos(path), 1 + 0 * path], axis=1), "Ha_h"),
        "cell": Variable(("vector", "axis"), TORUS / 2, "a_h"),
        "density_hole": Variable(("cell_1", "cell_2"), 1 + np.cos(2 * np.pi * x) * np.cos(2 * np.pi * y), "a_h^-2"),
        "trace_energy": Variable(("evaluation",), np.array([1.0, 0.1, 0.01]), "Ha_h"),
        "trace_residual": Variable(("evaluation",), np.array([1.0, 0.2, 0.001]), "Ha_h"),
    }
    inputs = {"species": [{"name": "electron", "count": 0, "mass": 1.0, "flavours": 2, "spin": "polarized"},
                          {"name": "hole", "count": 4, "mass": 1.0, "flavours": 2, "spin": "polarized"}],
              "channels": [{"label": "hole", "species": 1, "orbitals": 4, "degeneracy": 1}], "spacing": 2.0}
    return made_up.state(**{"area": float(np.linalg.det(TORUS)), "inputs": inputs, "data": data} | changes)


def labels(figure: object) -> str:
    return " | ".join(t for ax in figure.axes for t in (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()))


# -- what is computed for the figures


def test_sample_follows_the_oblique_cell_periodically() -> None:
    n = 64
    i, j = np.meshgrid(np.arange(n) / n, np.arange(n) / n, indexing="ij")
    cell = np.array([[3.0, 0.5], [-1.0, 2.0]])
    got = sample(np.cos(2 * np.pi * i) + 2 * np.sin(2 * np.pi * j), cell, (-4.0, 5.0, -3.0, 6.0), (30, 20))
    x, y = np.meshgrid(-4 + (np.arange(20) + 0.5) * 9 / 20, -3 + (np.arange(30) + 0.5) * 9 / 30)
    f = np.stack([x, y], axis=-1) @ np.linalg.inv(cell)
    want = np.cos(2 * np.pi * f[..., 0]) + 2 * np.sin(2 * np.pi * f[..., 1])
    assert np.abs(got - want).max() < 3 * (np.pi / n) ** 2 / 2 * 1.05  # the error bound of linear interpolation


def test_view_of_a_crystal_holds_nine_cells_and_of_a_box_the_box() -> None:
    (left, right, low, high), outline = view(TORUS / 2, False)
    assert (right - left) * (high - low) > 9 * np.linalg.det(TORUS / 2)
    assert np.allclose(outline[:4].mean(axis=0), 0)
    (left, right, low, high), outline = view(TORUS, True)
    assert left < 0 and right > 18 and low < 0 and high > TORUS[1, 1]
    assert np.allclose(outline[2], TORUS.sum(axis=0))


def test_map_of_momenta_shows_the_nearest_wave_everywhere() -> None:
    result = made()
    values = np.arange(49.0)
    picture = nearest_wave(result, values, 0.9)
    rng = np.random.default_rng(0)
    k = result.data["wave_vector"].values
    for row, column in rng.integers(0, len(picture), (200, 2)):
        at = ((np.array([column, row]) + 0.5) / len(picture) * 2 - 1) * 0.9
        distance = np.sort(np.linalg.norm(k - at, axis=1))
        if distance[1] - distance[0] > 1e-9:
            assert picture[row, column] == values[np.linalg.norm(k - at, axis=1).argmin()]


def test_degenerate_levels_add_their_weights() -> None:
    energy = np.array([1.0, 0.0, 1.0 + 1e-9, 2.0])
    at, weight = merge_levels(energy, np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5], [0.2, 0.3]]))
    assert np.allclose(at, [0, 1, 2])
    assert np.allclose(weight, [[1, 0], [1, 1], [0.2, 0.3]])


def test_fermi_level_is_that_of_the_summary() -> None:
    for name in ("crystal", "box", "spin", "bilayer"):
        result = solved(name)
        for who in carriers(result):
            assert fermi_level(result, who).gap == pytest.approx(result.summary["gap"][who.name], abs=1e-12)


# -- single panels


def test_bands_are_coloured_up_to_the_fermi_level_and_the_gap_is_written() -> None:
    figure = bands(made())
    (ax,) = figure.axes
    grey, colour = ax.lines[0], [line for line in ax.lines if line.get_color() == "#D55E00"]
    assert np.nanmax(grey.get_ydata()) == pytest.approx(-1 - np.cos(3) - 0.25)  # counted from mid-gap at 0.25
    assert np.nanmax(np.concatenate([line.get_ydata() for line in colour])) < 0
    assert ax.get_ylabel() == "E − mid-gap (Haₕ)"
    assert [t.get_text() for t in ax.get_xticklabels()] == ["Γ", "K", "M", "Γ"]
    assert [t.get_text() for t in ax.texts] == ["gap 0.5 Haₕ"]


def test_open_shells_count_from_the_highest_filled_level() -> None:
    filled = Variable(("k_0", "level_0"), np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.0]]), "1")
    result = made()
    figure = bands(replace(result, data=result.data | {"filled_0": filled}))
    assert figure.axes[0].get_ylabel() == "E − highest filled (Haₕ)"
    assert [t.get_text() for t in figure.axes[0].texts] == ["no gap"]


def test_bands_of_both_spins_are_told_apart() -> None:
    result = made()
    twice = {f"{n}_1": Variable(tuple(d.replace("_0", "_1") for d in result.data[f"{n}_0"].dims),
                                result.data[f"{n}_0"].values, "Ha_h") for n in ("levels", "filled", "bands")}
    inputs = result.inputs | {"channels": [{"label": f"hole {s}", "species": 1, "orbitals": 2, "degeneracy": 1}
                                           for s in ("up", "down")]}
    (ax,) = bands(replace(result, inputs=inputs, data=result.data | twice)).axes
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["up", "down"]
    assert len({line.get_linestyle() for line in ax.lines if line.get_color() == "#D55E00"}) == 2


def test_a_box_shows_unfolded_levels_with_whole_weights() -> None:
    result = solved("box")
    (ax,) = bands(result).axes
    filled = ax.collections[0]
    assert filled.get_sizes().max() == pytest.approx(32, rel=0.2)  # a whole state of the crystal band at one k
    assert "unfolded" in ax.get_title()


def test_levels_count_every_filled_state_in_view() -> None:
    (ax,) = levels(solved("box")).axes
    filled = sum(bar.get_width() for bar in ax.patches if np.allclose(bar.get_facecolor()[3], 0.55))
    assert filled == pytest.approx(4)
    assert ax.get_xlabel().startswith("states per") and ax.get_xlabel().endswith("Haₕ")


def test_density_has_its_scale_and_units() -> None:
    (ax,) = density(made()).axes[:1]
    (image,) = ax.get_images()
    assert image.get_clim() == (0.0, pytest.approx(2.0))
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_aspect()) == ("x (aₕ)", "y (aₕ)", 1.0)
    assert ax.child_axes[0].get_title() == "aₕ⁻²"


def test_scales_can_be_shared_and_spin_is_symmetric() -> None:
    result = solved("bilayer")
    figures = [density(result, s, shared_scale=True) for s in ("electron", "hole")]
    tops = [f.axes[0].get_images()[0].get_clim()[1] for f in figures]
    highest = max(result.data[f"density_{s}"].values.max() for s in ("electron", "hole"))
    assert tops[0] == tops[1] == pytest.approx(highest)
    low, high = plot(solved("spin"), "spin-density").axes[0].get_images()[0].get_clim()
    assert low == -high < 0


def test_momenta_are_per_flavour_and_in_units_of_the_free_fermi_wave_number() -> None:
    (ax,) = momentum(solved("liquid")).axes
    electrons, holes = ax.lines[:2]
    for line in (electrons, holes):
        x, n = line.get_xdata(), line.get_ydata()
        assert n.max() == pytest.approx(1) == n[np.argmin(x)]
        assert n[x > 1.6].max(initial=0) < 1e-9  # two electron orbitals reach the first shell, at 1.45 kF
    assert ax.get_xlabel() == "|k| / kF (free gas)"


def test_convergence_draws_both_traces() -> None:
    (ax,) = convergence(made(residual_target=1e-4)).axes
    assert list(ax.lines[0].get_ydata()) == [1.0, 0.2, 0.001]
    assert np.allclose(ax.lines[1].get_ydata(), [0.99, 0.09])
    assert ax.get_ylabel() == "energy (Haₕ)"


@pytest.mark.parametrize("what", ["density", "bands", "levels", "momentum", "momentum-map", "convergence"])
def test_panels_draw_into_given_axes(what: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    ax = figure.add_subplot()
    assert plot(made(), what, ax) is figure
    assert ax.has_data() and ax.get_title()
    figure.canvas.draw()


# -- the page


@pytest.mark.parametrize("name", ["box", "spin", "bilayer", "liquid"])
def test_page_overlaps_nowhere_and_stays_small(name: str, tmp_path: Path) -> None:
    solved(name).save(tmp_path / "result.nc")
    result = Result.load(tmp_path / "result.nc")
    figure = plot(result)
    figure.canvas.draw()
    boxes = [ax.get_tightbbox() for ax in figure.axes] + [t.get_window_extent() for t in figure.texts]
    for i, a in enumerate(boxes):
        assert a.x0 >= 0 and a.y0 >= 0 and a.x1 <= figure.bbox.x1 and a.y1 <= figure.bbox.y1
        for b in boxes[:i]:
            assert not (a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1)
    assert "Haₕ" in labels(figure) and "aₕ" in labels(figure)
    (path,) = save_figures(result, tmp_path)
    assert path.name == "figure.png" and 20_000 < path.stat().st_size < 400_000


def test_page_names_phase_energy_and_parameters() -> None:
    first, second = headline(made())
    assert first == "crystal,  E / particle = −1 Haₕ"
    r_s = np.sqrt(np.linalg.det(TORUS) / (4 * np.pi))
    assert second == f"4 holes,  rₛ(hole) = {r_s:.4g},  spacing 2 aₕ,  zero mode: none,  kept symmetry: crystal"
    assert "rₛ(electron) = 5," in headline(solved("bilayer"))[1]  # 10 a_h at half the hole's mass


def test_what_is_not_converged_says_so() -> None:
    assert not any("CONVERGED" in t.get_text() for t in plot(made()).texts)
    figure = plot(made(status=Status.not_converged))
    assert figure.texts[-1].get_text().startswith("NOT CONVERGED: raise")
    assert "convergence" in labels(figure)


def test_unfinished_and_broken_states_can_be_drawn(tmp_path: Path) -> None:
    kept = ("waves", "wave_vector", "momentum_hole", "trace_energy", "trace_residual")
    data = {k: made().data[k] for k in kept}
    interrupted = made(status=Status.interrupted, data=data)
    assert [ax.get_title() for ax in plot(interrupted).axes] == ["momentum occupation", "convergence"]
    broken = {k: Variable(v.dims, v.values * np.nan, v.units) if k not in kept[:2] else v for k, v in data.items()}
    nan = float("nan")
    save_figures(made(status=Status.not_finite, total_energy=nan, energy_per_particle=nan, data=broken), tmp_path)
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_files_repeat_bit_by_bit_in_every_format(tmp_path: Path) -> None:
    formats = ("png", "pdf", "svg")
    first = [p.read_bytes() for p in save_figures(made(), tmp_path, stem="a", formats=formats)]
    second = [p.read_bytes() for p in save_figures(made(), tmp_path, stem="b", formats=formats)]
    assert first == second
    assert [f[:4] for f in first] == [b"\x89PNG", b"%PDF", b"<?xm"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{s}.{f}" for s in "ab" for f in sorted(formats)]


def test_notebooks_show_figures() -> None:
    assert made().plot()._repr_png_()[:4] == b"\x89PNG"
    assert bands(made())._repr_png_()[:4] == b"\x89PNG"


@pytest.mark.parametrize("length", [30.0, 300.0])
def test_a_very_long_box_has_its_figure(length: float) -> None:
    """All waves within the cutoff lie on a line: the other direction is that of the box."""
    holes = Bilayer.of(hole_mass=0.4, dielectric=4.7, rs_hole=6.0, electrons_per_hole=0)
    torus = Torus(holes, holes=4, shape=[[1.0, 0.0], [0.0, length]], zero_mode="none", hole_spin="polarized")
    state = hartree_fock(torus, start="crystal", symmetry="crystal", cutoff=1.2, stability="none")
    assert np.linalg.matrix_rank(state.data["waves"].values) == 1
    momenta = nearest_wave(state, state.data["momentum_hole"].values, 1.0)
    assert np.isfinite(momenta).all() and momenta.max() == pytest.approx(state.data["momentum_hole"].values.max())
    assert len(page(state).axes) > 3


def test_bad_requests_are_named(tmp_path: Path) -> None:
    result = made()
    for argument, call in {
        "result": lambda: plot(Record("condensate", Status.timeout, {}, {}), "density"),
        "what": lambda: plot(result, "band"),
        "species": lambda: plot(result, "density", species="electron"),
        "formats": lambda: save_figures(result, tmp_path, formats=("gif",)),
    }.items():
        with pytest.raises(InputError) as error:
            call()
        assert error.value.argument == argument
    with pytest.raises(InputError, match="bands_0 or unfolded_energy_0"):
        bands(replace(result, data={k: v for k, v in result.data.items() if k != "bands_0"}))
    with pytest.raises(InputError, match="one panel"):
        plot(result, species="hole")
    assert not list(tmp_path.iterdir())


def test_matplotlib_waits_until_it_draws_and_pyplot_is_never_loaded(tmp_path: Path) -> None:
    made().save(tmp_path / "result.nc")
    code = ("import sys; from pathlib import Path; import ehbilayer.studies.drawing as p; "
            "from ehbilayer.results.base import Result; "
            "assert 'matplotlib' not in sys.modules; here = Path(sys.argv[1]); "
            "p.save_figures(Result.load(here / 'result.nc'), here); "
            "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_a_small_scale_has_its_power_of_ten_beside_the_unit() -> None:
    ax = new_figure(3, 3).add_subplot()
    image = ax.imshow(np.array([[-2e-5, 0.0], [1e-5, 2e-5]]), vmin=-2e-5, vmax=2e-5)
    colour_scale(ax, image, "aₕ⁻²")
    inset = ax.child_axes[0]
    ax.get_figure().canvas.draw()
    assert inset.get_title() == "10⁻⁵ aₕ⁻²"
    assert {t.get_text().replace("−", "-") for t in inset.get_yticklabels()} >= {"-1", "0", "1"}
    assert inset.yaxis.get_offset_text().get_text() == ""
