"""What a reproduced figure declares: its studies, how it is drawn from their results, and its numbers beside ours."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ehbilayer.results import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AGREES, DIFFERS, INPUT, NEW, MISSING = "agrees", "differs", "input", "not in the paper", "not computed"
HEAD = ("quantity", "published", "ours", "ours converged", "verdict")
WIDTH = 100  # of captions, in characters
Results = dict[str, Result]  # by the name of the study
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
    """A published figure.

    Parameters
    ----------
    name : id, ``paper:number``.   title : one line.   source : where it is published.
    studies : quick or not -> the studies it needs; studies of the same name are the same in all figures.
    draw : results by name of the study -> the figure; nothing is computed here.
    rows : the table published / ours / verdict.
    caption : what is drawn, in sentences; parameters and conventions included.
    """

    name: str
    title: str
    source: str
    studies: Callable[[bool], Studies]
    draw: Callable[[Results], Figure]
    rows: Callable[[Results], list[Row]]
    caption: Callable[[Results], str]

    @property
    def stem(self) -> str:
        """Its name in file names."""
        return self.name.replace(":", "-")


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


def table(rows: list[Row]) -> list[str]:
    """Lines of a table with a head, columns aligned."""
    cells = [HEAD, *((r.quantity, r.published, r.ours, r.converged, r.verdict) for r in rows)]
    widths = [max(len(c[i]) for c in cells) for i in range(len(HEAD))]
    return ["  ".join(f"{text:{width}s}" for text, width in zip(c, widths, strict=True)).rstrip() for c in cells]


def caption_text(figure: Reproduction, results: Results, *, quick: bool) -> str:
    """The caption: title, sentences, table, and for every study its size and how long it took."""
    head = f"{figure.name}  {figure.title}" + ("  (quick: coarse)" if quick else "")
    lines = [head, figure.source, "", *textwrap.wrap(figure.caption(results), WIDTH), "", *table(figure.rows(results)),
             ""]
    seconds = 0.0
    for name, result in results.items():
        wall = float(result.summary.get("wall_seconds") or 0.0)
        seconds += wall
        lines.append(f"study {name}: {result.kind}, {result.status.value}, {wall:.1f} s")
    return "\n".join([*lines, f"wall time {seconds:.1f} s"]) + "\n"
