"""Computing what a figure needs, where it is not there yet, and leaving picture, caption and table behind."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ehbilayer import runner
from ehbilayer.files import ResultFileError, atomic_write
from ehbilayer.plot.style import PAGE_DPI
from ehbilayer.reporting import Reporter
from ehbilayer.reproduce.record import Reproduction, Results, Row, caption_text, table
from ehbilayer.results import Result, Status
from ehbilayer.study.file import make_study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = {"png": {}, "pdf": {"CreationDate": None}}  # undated: the same results give the same bytes
RESULTS, QUICK = "results", "-quick"
STOPPED = (Status.interrupted, Status.timeout)


@dataclass(frozen=True)
class Made:
    """How a figure ended: the first status that is not converged among its studies; rows and files if it was drawn."""

    status: Status
    rows: list[Row]
    files: list[Path]


class Workshop:
    """A directory in which figures are made; studies that figures share are computed once.

    Results stand in ``directory/results/<study>``, figures and captions in the directory itself; those of ``quick``
    have names of their own. A result that is there is used, an unfinished one is gone on with; with ``force``
    everything is computed again.
    """

    def __init__(self, directory: str | Path, *, quick: bool = False, force: bool = False,
                 reporter: Reporter | None = None) -> None:
        self.directory, self.quick, self.force = Path(directory), quick, force
        self.reporter = reporter or Reporter()
        self._suffix = QUICK if quick else ""
        self._known: Results = {}

    def make(self, figure: Reproduction) -> Made:
        """Compute what is missing and draw. Raises InputError where a directory holds results of other inputs."""
        results: Results = {}
        for name, tables in figure.studies(self.quick).items():
            results[name] = self._result(name, tables)
            if results[name].status in STOPPED:
                return Made(results[name].status, [], [])
        failed = [r.status for r in results.values() if r.status is not Status.converged]
        files = self._save(figure.draw(results), figure.stem)
        text = self.directory / f"{figure.stem}{self._suffix}.txt"
        atomic_write(text, caption_text(figure, results, quick=self.quick).encode())
        return Made(failed[0] if failed else Status.converged, figure.rows(results), [*files, text])

    def _result(self, name: str, tables: dict) -> Result:
        if name not in self._known:
            place = self.directory / RESULTS / f"{name}{self._suffix}"
            study = make_study(tables, name=place.name)
            self._known[name] = runner.run(study, place, resume=_unfinished(place), force=self.force,
                                           reporter=self.reporter)
        return self._known[name]

    def _save(self, figure: Figure, stem: str) -> list[Path]:
        out = []
        for kind, metadata in FORMATS.items():
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=PAGE_DPI, metadata=metadata)
            out.append(self.directory / f"{stem}{self._suffix}.{kind}")
            atomic_write(out[-1], buffer.getvalue())
        return out


def make_all(figures: list[Reproduction], directory: str | Path, tell: Callable[[str], None], *, quick: bool = False,
             force: bool = False, reporter: Reporter | None = None, codes: tuple[int, int] = (3, 130)) -> int:
    """Make figures one after the other and tell their tables; stops with the first that is interrupted.

    Returns 0, or one of ``codes``: for a study that did not converge, and for an interruption. Raises InputError.
    """
    workshop, code = Workshop(directory, quick=quick, force=force, reporter=reporter), 0
    for figure in figures:
        made = workshop.make(figure)
        tell(f"{figure.name}  {figure.title}: {made.status.value}")
        if made.status in STOPPED:
            tell("  what is finished is kept; the same command goes on from there")
            return codes[1]
        for line in (*table(made.rows), f"written to {', '.join(str(f) for f in made.files)}"):
            tell(f"  {line}")
        code = codes[0] if made.status is not Status.converged else code
    return code


def _unfinished(place: Path) -> bool:
    """Whether the directory holds a result that was stopped; one that ended badly is not tried again."""
    try:
        return Result.load(place / runner.RESULT, arrays=False).status in STOPPED
    except ResultFileError:  # none, or a damaged one, which the runner sets aside
        return False
