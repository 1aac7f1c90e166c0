"""Figures from their studies: picture, caption and table of each, and one table over all."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ehbilayer import InputError, Reporter, Result, Status, atomic_write, run_many
from ehbilayer.figures import own_style, save_figure
from ehbilayer.papers.record import (
    TERMINAL,
    Reproduction,
    Row,
    Studies,
    caption_text,
    summed_up,
    table,
    table_json,
    whole_table,
)

FORMATS = ("png", "pdf")
RESULTS, TABLE, QUICK = "results", "table", "-quick"


@dataclass(frozen=True)
class Made:
    """How a figure ended: the first status that is not converged among its studies; rows and files if it was drawn.

    ``reason`` says why there is no figure, or no picture, where something failed.
    """

    status: Status
    rows: list[Row] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    reason: str = ""

    @property
    def good(self) -> bool:
        """Whether everything worked and all studies converged."""
        return self.status is Status.converged and not self.reason


class Workshop:
    """A directory in which figures are made; studies that figures share are computed once.

    Results stand in ``directory/results/<study>``, figures and captions in the directory itself; those of ``quick``
    have names of their own. A result that is there is used, an unfinished one is gone on with; with ``force``
    everything is computed again. Studies are computed on ``workers`` processes, for ``max_time`` seconds at most.
    """

    def __init__(self, directory: str | Path, *, quick: bool = False, force: bool = False, workers: int = 1,
                 reporter: Reporter | None = None, max_time: float | None = None) -> None:
        self.directory, self.quick, self.force, self.workers = Path(directory), quick, force, workers
        self.reporter, self.max_time = reporter, max_time
        self._suffix = QUICK if quick else ""
        self._known: dict[str, Result] = {}

    def make(self, figure: Reproduction) -> Made:
        """Compute what is missing and draw; status interrupted if it was stopped before. Raises as `run_many`."""
        for _, made in self.make_each([figure]):
            return made
        return Made(Status.interrupted)

    def make_each(self, figures: list[Reproduction]) -> Iterator[tuple[Reproduction, Made]]:
        """Compute what is missing, and yield every figure as soon as its studies are there; less if stopped."""
        needed = {f.name: f.studies(self.quick) for f in figures}
        missing: Studies = {n: t for studies in needed.values() for n, t in studies.items() if n not in self._known}
        waiting = list(figures)

        def ready() -> Iterator[tuple[Reproduction, Made]]:
            for figure in [f for f in waiting if all(n in self._known for n in needed[f.name])]:
                waiting.remove(figure)
                yield figure, self._finish(figure, {n: self._known[n] for n in needed[figure.name]})

        yield from ready()
        for name, result in run_many(missing, self.directory, place=self.place, workers=self.workers,
                                     force=self.force, reporter=self.reporter, max_time=self.max_time):
            if result.status not in (Status.interrupted, Status.timeout):
                self._known[name] = result
                yield from ready()

    def place(self, name: str) -> Path:
        """Directory of the result of a study."""
        return self.directory / RESULTS / f"{name}{self._suffix}"

    def file(self, stem: str, ending: str) -> Path:
        """A file in the directory itself."""
        return self.directory / f"{stem}{self._suffix}.{ending}"

    def _finish(self, figure: Reproduction, results: dict[str, Result]) -> Made:
        """Picture, caption and rows from results; what goes wrong here costs this figure only."""
        bad = {name: r for name, r in results.items() if r.status is not Status.converged}
        failed = [f"{name}: {r.reason}" for name, r in bad.items() if r.reason and not r.data]
        if failed:
            return Made(Status.invalid, reason="; ".join(failed))
        status = next((r.status for r in bad.values()), Status.converged)
        rows, files = list[Row](), list[Path]()
        try:
            rows = figure.rows(results)
            with own_style():
                page = figure.draw(results) if figure.draw else None
            files = [save_figure(page, self.file(figure.stem, kind)) for kind in FORMATS] if page else []
            text = self.file(figure.stem, "txt")
            atomic_write(text, caption_text(figure, results, rows, quick=self.quick).encode())
        except Exception as error:  # e.g. a study that did not converge lacks what is drawn
            kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            why = [*(f"{name} {r.status.value}" for name, r in bad.items()), kind + " ".join(str(error).split())]
            return Made(status, rows, files, "; ".join(why))
        return Made(status, rows, [*files, text])


def make_all(figures: list[Reproduction], directory: str | Path, tell: Callable[[str], None], *, quick: bool = False,
             force: bool = False, workers: int = 1, reporter: Reporter | None = None,
             codes: tuple[int, int] = (3, 130), max_time: float | None = None) -> int:
    """Make figures and tell their tables: its own if it is one figure, one table over all if they are several.

    That one is also written to ``table.txt`` and ``table.json``. What fails is named and costs no other figure.

    Returns 0, or one of ``codes``: for something that failed, did not converge or ran out of time, and for an
    interruption. Raises InputError as `run_many` does.
    """
    began = time.monotonic()
    workshop = Workshop(directory, quick=quick, force=force, workers=workers, reporter=reporter, max_time=max_time)
    made: dict[str, Made] = {}
    for figure, ended in workshop.make_each(figures):
        made[figure.name] = ended
        _tell_figure(figure, ended, tell, rows=len(figures) == 1)
    if len(made) < len({f.name for f in figures}):
        late = max_time is not None and time.monotonic() - began > max_time
        tell(f"{'out of time' if late else 'interrupted'}: {len(made)} of {len(figures)} made; what is finished is "
             "kept, and the same command goes on")
        return codes[0 if late else 1]
    if len(figures) > 1:
        _leave_table(workshop, figures, made, tell)
    return 0 if all(m.good for m in made.values()) else codes[0]


def _tell_figure(figure: Reproduction, made: Made, tell: Callable[[str], None], *, rows: bool) -> None:
    tell(f"{figure.name}  {figure.title}: {'failed' if made.reason else made.status.value}")
    if made.reason:
        tell(f"  {made.reason}")
    if rows and made.rows:
        for line in table(made.rows, TERMINAL - 2):
            tell(f"  {line}")
    if made.files:
        tell(f"  written to {', '.join(str(f) for f in made.files)}")


def _leave_table(workshop: Workshop, figures: list[Reproduction], made: dict[str, Made],
                 tell: Callable[[str], None]) -> None:
    """The table over all figures, told and written; below it what failed or did not converge."""
    rows = {f.name: made[f.name].rows for f in figures}
    ends = {f.name: made[f.name].reason or made[f.name].status.value for f in figures if not made[f.name].good}
    head = ["quick: coarse, so that some of these differ for that alone", ""] if workshop.quick else []
    ending = [summed_up(rows), *(f"{name}: {text}" for name, text in ends.items())]
    lines = [*head, *whole_table(rows), "", *(line for text in ending for line in textwrap.wrap(text, TERMINAL))]
    text, data = workshop.file(TABLE, "txt"), workshop.file(TABLE, "json")
    for line in ("", *lines):  # before it is written, which a full disk may prevent
        tell(line)
    atomic_write(text, ("\n".join(lines) + "\n").encode())
    atomic_write(data, table_json(rows, ends, quick=workshop.quick))
    tell(f"written to {text}, {data}")
