"""How a calculation is started, told, stopped and finished."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ehbilayer.errors import require

if TYPE_CHECKING:
    from ehbilayer.results.base import Result
    from ehbilayer.run.reporting import Reporter
    from ehbilayer.status import Status
    from ehbilayer.studies.file import Study


def run(study: Study | str | Path | dict[str, Any], directory: str | Path | None = None, *, resume: bool = False,
        force: bool = False, max_time: float | None = None, backend: str = "numpy", threads: int | None = None,
        reporter: Reporter | None = None, workers: int | None = None, scheduler: str | None = None,
        shard: str | None = None, should_stop: Callable[[], Status | None] | None = None) -> Result:
    """Compute a study, or all points of one with a [sweep].

    Parameters
    ----------
    study : a `Study`, the path of its file, or the tables of one as a dictionary.
    directory : where result.nc, summary.json and figure.png go; None keeps everything in memory. A directory with the
        result of the same inputs is answered from it at once.
    resume : go on from an unfinished result of the same inputs found there. A sweep always computes what is missing
        only; with ``resume`` also points that ran out of time or whose worker died.
    force : compute although the directory holds a result (of other inputs, or of these). A sweep with ``force`` and
        ``resume`` takes over the points that it shares with the one there.
    max_time : seconds after which it stops with status timeout, the state kept.
    backend : ``numpy`` or ``jax``.
    threads : for the transforms; by default 2, or 1 on a single core and for the points of a sweep.
    reporter : told the plan, the progress, notes and warnings; silent by default.
    workers, scheduler, shard : for sweeps: how many local processes, or the address of a Dask scheduler; ``"2/5"``
        computes the second of five parts of the points. ``workers`` also of one study by Monte Carlo, as threads.
    should_stop : asked at every natural step; a Status ends the calculation with it, the state kept.

    Returns
    -------
    Result with the whole summary. Lack of convergence, Ctrl-C (once), a STOP file in the directory and max_time do
    not raise: the status says how it ended.

    Raises
    ------
    InputError : the study cannot be computed, or the directory holds something else, or another run works there.
    RescuedError : it was computed, but the directory did not take it: ``result`` is the result, ``kept`` where it lies.
    KeyboardInterrupt : on a second Ctrl-C.
    """
    from ehbilayer.run import runner  # here: `import ehbilayer` must not wait for NumPy
    from ehbilayer.studies.file import Study, make_study

    require("study", study, (Study, str, Path, dict))
    return runner.run(make_study(study) if isinstance(study, dict) else study, directory, resume=resume, force=force,
                      max_time=max_time, backend=backend, threads=threads, reporter=reporter, workers=workers,
                      scheduler=scheduler, shard=shard, should_stop=should_stop)
