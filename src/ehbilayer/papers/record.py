"""What a reproduced figure declares: its studies, how it is drawn from their results, and its numbers beside ours."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer import Result
from ehbilayer.figures import INK, NORMAL, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure
else:
    Axes = Figure = Any  # for annotations; matplotlib is imported when something is drawn

AGREES, DIFFERS, INPUT, NEW, MISSING = "agrees", "differs", "input", "not in the paper", "not computed"
HEAD = ("quantity", "published", "ours", "ours converged", "verdict")
WIDTH, INDENT = 100, "    "  # of captions, in characters
TERMINAL = 120  # characters of a line
LISTED = 4  # values of a list that captions write out
Results = dict[str, Any]  # results of all classes, by the name of the study
Studies = dict[str, dict[str, Any]]  # name -> tables, as `make_study` takes them


@dataclass(frozen=True)
class Row:
    """A number or statement of a paper beside ours.

    Parameters
    ----------
    quantity, published : what it is and what the paper says, as text.
    ours : in the paper's convention, number of particles and waves.
    verdict : of ``ours`` against ``published``, in a word or a few.
    converged : ours without those limits (waves, size, convention, a better definition); empty where it is the same.
    """

    quantity: str
    published: str
    ours: str
    verdict: str
    converged: str = ""


@dataclass(frozen=True)
class Reproduction:
    """A published figure, or numbers and statements without a picture.

    Parameters
    ----------
    name : id, ``paper:number``.   title : one line.   source : where it is published.
    studies : quick or not -> the studies it needs; studies of the same name are the same in all figures.
    draw : results by name of the study -> the figure; nothing is computed here. None: there is no picture.
    rows : the table published / ours / verdict.
    caption : what is drawn, in sentences; parameters and conventions included.
    """

    name: str
    title: str
    source: str
    studies: Callable[[bool], Studies]
    draw: Callable[[Results], Figure] | None
    rows: Callable[[Results], list[Row]]
    caption: Callable[[Results], str]

    @property
    def stem(self) -> str:
        """Its name in file names."""
        return self.name.replace(":", "-")


def titled(width: float, height: float, title: str, y: float = 0.985) -> Figure:
    """An empty page of this size in inches with its title, whose top is at the fraction ``y`` of the height."""
    page = new_figure(width, height)
    page.text(0.5, y, title, ha="center", va="top", fontsize=NORMAL + 2, color=INK, weight="bold")
    return page


def placed(page: Figure, left: float, low: float, wide: float, high: float) -> Axes:
    """Axes on a page, given in inches."""
    width, height = page.get_size_inches()
    return page.add_axes((left / width, low / height, wide / width, high / height))


def judged(quantity: str, published: str, value: float | None, allowed: tuple[float, float], text: str = "",
           converged: str = "") -> Row:
    """The row of a number that agrees if it lies within ``allowed``; ``text`` says it instead of six digits."""
    if value is None:
        return Row(quantity, published, "", MISSING, converged)
    inside = allowed[0] <= value <= allowed[1]
    return Row(quantity, published, text or f"{value:.6g}", AGREES if inside else DIFFERS, converged)


def said(statement: str, holds: bool, ours: str, converged: str = "") -> Row:
    """The row of a statement that a paper makes, and whether it holds."""
    return Row(statement, "yes", ours, AGREES if holds else DIFFERS, converged)


def table(rows: list[Row], within: int | None = None) -> list[str]:
    """Lines of a table with a head, columns aligned; of ``within`` characters at most."""
    return aligned([HEAD, *(cells(r) for r in rows)], within)


def cells(row: Row) -> tuple[str, ...]:
    """The columns of HEAD."""
    return row.quantity, row.published, row.ours, row.converged, row.verdict


def aligned(lines: list[tuple[str, ...]], within: int | None = None, whole: int = 0) -> list[str]:
    """Lines of cells, each column as wide as its widest cell; ``within`` characters, where the widest cells are broken
    of all columns but the first ``whole`` ones."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    while within is not None and sum(widths) + 2 * (len(widths) - 1) > within:
        # the head stays whole
        wide = [i for i in range(whole, len(widths)) if widths[i] > len(lines[0][i])]
        if not wide:
            break
        widths[max(wide, key=lambda i: widths[i])] -= 1
    return ["  ".join(f"{text:{width}s}" for text, width in zip(c, widths, strict=True)).rstrip()
            for line in lines for c in zip_longest(*map(_broken, line, widths), fillvalue="")]


def _broken(text: str, width: int) -> list[str]:
    """A cell in lines of a width."""
    return [text] if len(text) <= width else textwrap.wrap(text, width)


def whole_table(rows: dict[str, list[Row]]) -> list[str]:
    """Lines of one table over several figures for a terminal, ``rows`` by the id of the figure."""
    lines = [("id", *HEAD), *((name, *cells(r)) for name, found in rows.items() for r in found)]
    return aligned(lines, TERMINAL, whole=1)


def counted(rows: dict[str, list[Row]]) -> dict[str, int]:
    """How often each verdict was given, the most frequent first."""
    return dict(Counter(r.verdict for found in rows.values() for r in found).most_common())


def summed_up(rows: dict[str, list[Row]]) -> str:
    """The count of verdicts in a line."""
    found = counted(rows)
    return f"{sum(found.values())} rows: {', '.join(f'{n} {verdict}' for verdict, n in found.items()) or 'none'}"


def table_json(rows: dict[str, list[Row]], ends: dict[str, str], *, quick: bool) -> bytes:
    """The same table for programs; ``ends`` says how figures ended that failed or did not converge."""
    keys = ("id", *(name.replace(" ", "_") for name in HEAD))
    listed = [dict(zip(keys, (name, *cells(r)), strict=True)) for name, found in rows.items() for r in found]
    content = {"quick": quick, "rows": listed, "verdicts": counted(rows), "failed": ends}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def caption_text(figure: Reproduction, results: Results, rows: list[Row], *, quick: bool) -> str:
    """The caption: title, sentences, the table of ``rows``; parameters, size and time of every study."""
    head = f"{figure.name}  {figure.title}" + ("  (quick: coarse)" if quick else "")
    lines = [head, figure.source, "", *textwrap.wrap(figure.caption(results), WIDTH), "", *table(rows), ""]
    studies = figure.studies(quick)
    for name, result in results.items():
        lines.append(f"study {name}: {result.kind}, {result.status.value}, {seconds(result):.1f} s")
        lines += textwrap.wrap(parameters(studies[name]), WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
        lines += [INDENT + text for text in [numerics(result)] if text]
    total = sum(seconds(result) for result in results.values())
    return "\n".join([*lines, f"wall time {total:.1f} s, all studies one after the other"]) + "\n"


def seconds(result: Result) -> float:
    """How long a study took; for a sweep the sum over its points, on however many processes."""
    points = result.data.get("wall_seconds")
    return result.provenance.wall_seconds if points is None else float(np.nansum(points.values))


def parameters(tables: dict[str, Any]) -> str:
    """The tables of a study in a line; what is not said there has its default."""
    parts = [f"kind {tables['kind']}"]
    for name, table in tables.items():
        if isinstance(table, dict):
            parts.append(f"[{name}] " + ", ".join(f"{key} {_short(value)}" for key, value in table.items()))
    return "; ".join(parts)


def _short(value: Any) -> str:
    """A value of a study; of a range or a long list its ends and its length."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(v)}" for key, v in value.items())
    if isinstance(value, list):
        if len(value) > LISTED:
            return f"{_short(value[0])} ... {_short(value[-1])} ({len(value)} values)"
        return f"[{', '.join(map(_short, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def numerics(result: Result) -> str:
    """Waves, the share of particles in the outermost ones, and the critical r_s, where a result has them."""
    found: dict[str, list[float]] = {name: [] for name in ("basis_size", "edge_occupation", "critical_rs")}
    for name, values in found.items():
        for key, array in result.data.items():
            if key.split(".")[-1] == name and array.values.dtype.kind in "if":
                values += [float(x) for x in array.values.ravel() if np.isfinite(x)]
        single = result.summary.get(name)
        values += [float(single)] if isinstance(single, int | float) and not values else []
    waves, edge, critical = found.values()
    ends = dict.fromkeys(f"{x:g}" for x in (min(waves), max(waves))) if waves else {}
    return ", ".join([*([f"{' to '.join(ends)} waves"] if waves else []),
                      *([f"at most {100 * max(edge):.2g} % of the particles in waves at the edge"] if edge else []),
                      *([f"critical r_s {critical[0]:.4g}"] if critical else [])])
