"""What there is to draw of a result of any kind, found from the axes of its arrays: curves, maps, densities, bands.

An array over one axis is a curve against the numbers of that axis, one over two a map, one with an axis of words a
curve or map for each word. What this does not tell (densities over a cell, levels, traces, places of charges) has a
rule of its own below. Charts are drawn in single precision.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ehbilayer.figures.real_space import sample, view
from ehbilayer.figures.style import COLOURS
from ehbilayer.results.base import Result, Variable
from ehbilayer.view.data import Curve, Curves, Layer, Map, Mark, Panel, Scale

MOST_ALONG, MOST_ACROSS, MOST_CURVES = 2000, 300, 12
TRACE, PIXELS, CELLS = 400, 160, 3  # points of a trace, pixels of a density, cells of a crystal along each axis
ENERGY = "Ha_h"
# places with names along an axis, and the arrays that hold them
CORNERS = {"path_point": ("path_marks", "path_names"), "path": ("corner", "corner_name"),
           "phonon_q": ("phonon_corners", "phonon_names")}
COMPANIONS = ("_error", "_vmc", "_dmc")  # ends of arrays that belong to another one
OWN = ("trace_", "levels_", "filled_", "momentum_", "unfolded_", "blocked_", "doubt_", "start_", "mesh_", "resume_",
       "candidate", "path_next", "weight")  # beginnings of arrays that no general rule draws
BRANCHES = "branch"  # how curves of one array without words are told apart


def panels_of(result: Result) -> tuple[Panel, ...]:
    """All charts of the arrays that a result holds; none where it holds none that can be drawn."""
    data = {name: v for name, v in result.data.items() if v.values.size and v.values.dtype.kind in "fiubU"}
    kept = str(getattr(result, "kept_symmetry", "crystal"))
    return (*_densities(data, kept), *_places(data), *_maps(data), *_curves(data), *_momenta(data), *_levels(data),
            *_traces(data), *_blocks(data))


def words(name: str) -> str:
    """``gap_function`` as text."""
    return name.replace("_", " ").strip()


def single(values: np.ndarray) -> np.ndarray:
    """In single precision, infinities as NaN."""
    with np.errstate(over="ignore"):
        found = np.asarray(values, dtype=np.float32)
    return np.where(np.isfinite(found), found, np.float32("nan"))


def even_logarithms(values: np.ndarray) -> bool:
    """Whether positive numbers are spread over a decade evenly on a logarithmic scale."""
    if len(values) < 3 or not (values > 0).all() or values.max() < 10 * values.min():
        return False
    steps = np.diff(np.log(values))
    return bool(np.allclose(steps, steps.mean(), rtol=0.05, atol=0))


def _thin(length: int, most: int) -> slice:
    return slice(None, None, max(1, -(-length // most)))


def _coordinates(data: dict[str, Variable]) -> dict[str, str]:
    """Axis -> the array of numbers along it: that of its name, else the first one that only rises."""
    found = {name: name for name, v in data.items() if v.dims == (name,) and v.values.dtype.kind in "fi"}
    for name, v in data.items():
        if len(v.dims) == 1 and v.dims[0] not in (*found, "wave") and v.values.dtype.kind in "fi" and len(v.values) > 1:
            rises = bool(np.isfinite(v.values).all() and (np.diff(v.values.astype(float)) >= 0).all())
            if rises and not name.startswith(OWN):
                found[v.dims[0]] = name
    return found


def _scale(data: dict[str, Variable], name: str) -> Scale:
    return Scale(words(name), data[name].units, even_logarithms(data[name].values))


def _rows(data: dict[str, Variable], name: str, against: str) -> Iterator[tuple[str, np.ndarray]]:
    """Every row of an array along the other axes, named by the words along them or by a number."""
    v = data[name]
    place = v.dims.index(against)
    others = [d for d in v.dims if d != against]
    values = np.moveaxis(v.values, place, -1)
    for index in np.ndindex(values.shape[:-1]):
        named = [str(data[d].values[i]) if _is_words(data, d) else f"{words(d.split('_')[0])} {i + 1}"
                 for d, i in zip(others, index, strict=True)]
        yield ", ".join(named), values[index]


def _is_words(data: dict[str, Variable], dim: str) -> bool:
    return dim in data and data[dim].values.dtype.kind == "U" and data[dim].dims == (dim,)


def _drawable(name: str, data: dict[str, Variable]) -> bool:
    ended = any(name.endswith(end) and name.removesuffix(end) in data for end in COMPANIONS)
    return not name.startswith(OWN) and not ended and data[name].values.dtype.kind in "fiub"


def _curves(data: dict[str, Variable]) -> list[Curves]:
    """One chart for all arrays that share their axis and unit, one for each array of several rows."""
    along = _coordinates(data)
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, v in data.items():
        numbered = [d for d in v.dims if d in along]
        if not _drawable(name, data) or name in along.values() or len(numbered) != 1:
            continue
        rows = v.values.size // len(data[along[numbered[0]]].values)
        if rows == 1:
            groups.setdefault((numbered[0], v.units), []).append(name)
        elif rows <= MOST_CURVES:
            groups[numbered[0], v.units, name] = [name]
    return [chart for (dim, unit, *_), names in groups.items() for chart in _charts(data, along[dim], dim, unit, names)]


def _charts(data: dict[str, Variable], x: str, dim: str, unit: str, names: list[str]) -> Iterator[Curves]:
    # what differs by many decades or is of another sort has a name of another beginning
    for i in range(0, len(names), MOST_CURVES):
        some = names[i:i + MOST_CURVES]
        curves = [curve for name in some for curve in _curves_of(data, name, x, dim)]
        if any(np.isfinite(c.y).sum() > 1 for c in curves):
            title = words(some[0]) if len(some) == 1 else " / ".join(words(n) for n in some[:3]) + (
                ", .." if len(some) > 3 else "")
            note = "; ".join(f"{words(n)}: {data[n].description}" for n in some if data[n].description)
            yield Curves(title, _scale(data, x), Scale("" if len(some) > 1 else words(some[0]), unit), tuple(curves),
                         _marks(data, dim), note)


def _curves_of(data: dict[str, Variable], name: str, x: str, dim: str) -> Iterator[Curve]:
    thin = _thin(len(data[x].values), MOST_ALONG)
    errors = [row for _, row in _rows(data, f"{name}_error", dim)] if f"{name}_error" in data and (
        data[f"{name}_error"].dims == data[name].dims) else []
    alone = data[name].dims == (dim,)
    for i, (label, values) in enumerate(_rows(data, name, dim)):
        error = single(errors[i][thin]) if errors else None
        worded = all(_is_words(data, d) for d in data[name].dims if d != dim)
        yield Curve(words(name) if alone else label, single(data[x].values[thin]), single(values[thin]), error,
                    colour="" if alone or worded else BRANCHES)


def _marks(data: dict[str, Variable], dim: str) -> tuple[Mark, ...]:
    at, names = CORNERS.get(dim, ("", ""))
    if at not in data or names not in data:
        return ()
    return tuple(Mark(float(x), str(n)) for x, n in zip(data[at].values, data[names].values, strict=False))


def _maps(data: dict[str, Variable]) -> list[Map]:
    """Arrays over two axes of numbers; the charts of the same axes and unit are layers of one."""
    along = _coordinates(data)
    found = []
    for name, v in data.items():
        numbered = [d for d in v.dims if d in along and len(data[along[d]].values) > 1]
        others = [d for d in v.dims if d not in numbered]
        if len(numbered) != 2 or name.startswith(OWN) or not all(_is_words(data, d) for d in others):
            continue
        x, y = (along[d] for d in numbered)
        cut = tuple(_thin(len(data[n].values), MOST_ACROSS) for n in (x, y))
        whole = np.moveaxis(v.values, [v.dims.index(d) for d in numbered], [-2, -1])[..., cut[0], cut[1]]
        said, codes = np.unique(whole, return_inverse=True) if v.values.dtype.kind == "U" else (np.zeros(0, str), whole)
        whole = codes.reshape(whole.shape)
        labels = [", ".join(str(data[d].values[i]) for d, i in zip(others, index, strict=True))
                  for index in np.ndindex(whole.shape[:-2])]
        layers = tuple(Layer(label or words(name), single(z.T)) for label, z in
                       zip(labels, whole.reshape(-1, *whole.shape[-2:]), strict=True))
        found.append(Map(words(name), _scale(data, x), _scale(data, y), Scale(words(name), v.units, name == "loss"),
                         single(data[x].values[cut[0]]), single(data[y].values[cut[1]]), layers,
                         _plasmons(data) if name == "loss" else (), not len(said), note=v.description,
                         words=tuple(map(str, said))))
    return found


def _plasmons(data: dict[str, Variable]) -> tuple[Curve, ...]:
    """Lines over a loss function."""
    return tuple(Curve(f"{mode} plasmon", single(data["mode_wave_number"].values),
                       single(data[f"{mode}_frequency"].values), colour=colour, dashed=True)
                 for mode, colour in (("acoustic", "#D55E00"), ("optical", "#56B4E9")) if f"{mode}_frequency" in data)


def _densities(data: dict[str, Variable], kept: str) -> list[Map]:
    """Periodic functions over a cell, on pixels of a window of several cells."""
    found: dict[str, list[Layer]] = {}
    names = {"cell_1", "cell_2"}
    if "cell" not in data or data["cell"].values.shape != (2, 2):
        return []
    cell = data["cell"].values.astype(float)
    if not np.isfinite(cell).all() or abs(np.linalg.det(cell)) < 1e-300:
        return []
    window, _ = view(cell, kept == "none")
    left, right, low, high = window
    across = max(right - left, high - low)
    shape = (max(2, round(PIXELS * (high - low) / across)), max(2, round(PIXELS * (right - left) / across)))
    for name, v in data.items():
        if set(v.dims) == names and _drawable(name, data):
            found.setdefault(v.units, []).append(Layer(words(name), single(sample(v.values, cell, window, shape))))
    x = left + (np.arange(shape[1]) + 0.5) / shape[1] * (right - left)
    y = low + (np.arange(shape[0]) + 0.5) / shape[0] * (high - low)
    length = data["cell"].units
    return [Map("densities" if unit != "1" else words(layers[0].name), Scale("x", length), Scale("y", length),
                Scale("", unit), single(x), single(y), tuple(layers), plan=True, colour="Cividis")
            for unit, layers in found.items()]


def _places(data: dict[str, Variable]) -> list[Curves]:
    """The charges of a crystal over some cells."""
    if not {"positions", "species", "vectors"} <= set(data) or data["vectors"].values.shape != (2, 2):
        return []
    steps = np.arange(CELLS) - CELLS // 2
    shifts = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2) @ data["vectors"].values
    curves = []
    for name in dict.fromkeys(data["species"].values.tolist()):
        mine = data["positions"].values[data["species"].values == name]
        at = (mine[:, None] + shifts).reshape(-1, 2)
        curves.append(Curve(f"{name}s", single(at[:, 0]), single(at[:, 1]), points=True, colour=COLOURS.get(name, "")))
    unit = data["positions"].units
    return [Curves("places of the charges", Scale("x", unit), Scale("y", unit), tuple(curves), plan=True)]


def _momenta(data: dict[str, Variable]) -> list[Curves]:
    """Occupations of plane waves against the length of their wave vectors."""
    if "wave_vector" not in data:
        return []
    length = np.linalg.norm(data["wave_vector"].values, axis=-1)
    order = np.argsort(length, kind="stable")
    curves = [Curve(name.removeprefix("momentum_") + "s", single(length[order][:MOST_ALONG]),
                    single(v.values[order][:MOST_ALONG]), points=True,
                    colour=COLOURS.get(name.removeprefix("momentum_"), ""))
              for name, v in data.items() if name.startswith("momentum_") and v.dims == ("wave",)]
    if not curves:
        return []
    return [Curves("momentum occupation", Scale("wave number", data["wave_vector"].units), Scale("occupation"),
                   tuple(curves))]


def _levels(data: dict[str, Variable]) -> list[Curves]:
    """Filled and empty levels of every determinant, or of the quasiparticles."""
    names = [n for n in data if n.startswith("levels_") and n.replace("levels_", "filled_") in data]
    if not names:
        return []
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"filled": [], "partly filled": [], "empty": []}
    for number, name in enumerate(names):
        level, filled = data[name].values.ravel(), data[name.replace("levels_", "filled_")].values.ravel()
        for part, which in (("filled", filled > 1 - 1e-9), ("empty", filled < 1e-9),
                            ("partly filled", (filled >= 1e-9) & (filled <= 1 - 1e-9))):
            mine = level[which & np.isfinite(level)]
            # side by side within a strip, so that degenerate levels can be told apart
            parts[part].append((number + 0.6 * (np.arange(len(mine)) / max(len(mine), 1) - 0.5), mine))
    curves = [Curve(part, single(np.concatenate([x for x, _ in of])), single(np.concatenate([y for _, y in of])),
                    points=True) for part, of in parts.items() if sum(len(y) for _, y in of)]
    marks = tuple(Mark(float(i), f"determinant {n.removeprefix('levels_')}") for i, n in enumerate(names))
    return [Curves("levels", Scale(""), Scale("level", data[names[0]].units), tuple(curves), marks)]


def _traces(data: dict[str, Variable]) -> list[Curves]:
    """Energies on the way, those of one walk after the other; means of steps where there are many."""
    groups: dict[str, list[Curve]] = {}
    begin = 0
    for name, v in data.items():
        if not name.startswith("trace_") or v.values.ndim != 1 or len(v.values) < 2:
            continue
        size = max(1, len(v.values) // TRACE)
        means = v.values[: len(v.values) // size * size].reshape(-1, size).mean(axis=1)
        steps = begin + (np.arange(len(means)) + 0.5) * size
        begin += len(v.values) if v.dims[0].startswith("step_") else 0
        what = "residual" if "residual" in name else "energy"
        groups.setdefault(what, []).append(Curve(words(name.removeprefix("trace_")), single(steps), single(means)))
    return [Curves(f"{what} on the way", Scale("step"), Scale(what, ENERGY), tuple(curves))
            for what, curves in groups.items()]


def _blocks(data: dict[str, Variable]) -> list[Curves]:
    """The error of a mean by the length of blocks, which is right where it no longer rises."""
    curves = [Curve(words(name.removeprefix("blocked_")), single(2.0 ** np.arange(len(v.values))), single(v.values),
                    single(data[name.replace("blocked_", "doubt_")].values))
              for name, v in data.items() if name.startswith("blocked_") and name.replace("blocked_", "doubt_") in data]
    return [Curves("error by blocks", Scale("steps in a block", log=True), Scale("error", ENERGY),
                   tuple(curves))] if curves else []
