"""Commands that compute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ehbilayer.commands.telling import (
    EXIT_ELSEWHERE,
    EXIT_INTERRUPTED,
    EXIT_NOT_CONVERGED,
    AsJson,
    Force,
    Materials,
    MaxTime,
    Quiet,
    Resume,
    Sets,
    fail,
    print_result,
    print_rows,
    reporter,
    tell,
)

if TYPE_CHECKING:
    from ehbilayer.results.base import Result
    from ehbilayer.studies.file import Study


def run(
    study: Annotated[Path, typer.Argument(help="The study file (TOML).", show_default=False)],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Directory for result, summary and figure "
                                                "[default: ./NAME-OF-STUDY].", show_default=False)] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    sets: Sets = None,
    resume: Resume = False,
    force: Force = False,
    backend: Annotated[str, typer.Option(help="numpy or jax.")] = "numpy",
    max_time: MaxTime = None,
    workers: Annotated[int | None, typer.Option(help="Local workers.", show_default=False)] = None,
    scheduler: Annotated[str | None, typer.Option(help="For sweeps: Dask address.", show_default=False)] = None,
    shard: Annotated[str | None, typer.Option(help="For sweeps: only part i/n.", show_default=False)] = None,
    materials: Materials = None,
) -> None:
    """Compute a study."""
    from ehbilayer.studies.file import load_study
    from ehbilayer.units import parse_duration

    seconds = None if max_time is None else parse_duration(max_time)
    loaded = load_study(study, sets or [], materials=materials)
    directory = output if output is not None else _home_of(loaded.name)
    _run(loaded, directory, as_json, quiet, resume=resume, force=force, max_time=seconds, backend=backend,
         workers=workers, scheduler=scheduler, shard=shard)


def device(
    material: Annotated[str | None, typer.Option(help="A device, see `ehb materials`.", show_default=False)] = None,
    electron_mass: Annotated[float | None, typer.Option(help="In m0.", show_default=False)] = None,
    hole_mass: Annotated[float | None, typer.Option(help="In m0.", show_default=False)] = None,
    dielectric: Annotated[float | None, typer.Option(help="Relative constant.", show_default=False)] = None,
    spacing: Annotated[str | None, typer.Option(help='e.g. "3 nm".', show_default=False)] = None,
    density: Annotated[str | None, typer.Option(help='Of the holes, e.g. "1e12 cm^-2" or "0.1e12 .. 3e12 cm^-2".',
                                                show_default=False)] = None,
    electrons_per_hole: Annotated[str, typer.Option(help='Electron over hole density, e.g. 2 or "1/3".')] = "1",
    electron_flavours: Annotated[int | None, typer.Option(help="2: spin, 4: spin and valley [default: the device's].",
                                                          show_default=False)] = None,
    hole_flavours: Annotated[int | None, typer.Option(help="As for electrons; 2 by default.",
                                                      show_default=False)] = None,
    spacer: Annotated[str | None, typer.Option(help='In place of --spacing, e.g. "hBN, 5 layers".',
                                               show_default=False)] = None,
    gates: Annotated[str | None, typer.Option(help='Distance of metal from both layers, e.g. "10 nm" or "10 nm, none".',
                                              show_default=False)] = None,
    sheets: Annotated[str | None, typer.Option(help='Screening lengths of both layers, e.g. "5.2 nm, 4.5 nm".',
                                               show_default=False)] = None,
    electron_spin: Annotated[str | None, typer.Option(help="restricted | unrestricted | polarized [default: all "
                                                      "compete].", show_default=False)] = None,
    hole_spin: Annotated[str | None, typer.Option(help="As for electrons.", show_default=False)] = None,
    correlated: Annotated[bool, typer.Option("--correlated", help="Let the phases compete by Monte Carlo, too "
                                             "(hours).")] = False,
    sets: Sets = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", show_default=False, help="Directory for result and "
                                                "figure [default: named by the inputs].")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    resume: Resume = False,
    force: Force = False,
    max_time: MaxTime = None,
    materials: Materials = None,
) -> None:
    """Answer on one page what a device does.

    Phase, what one would measure, T_c, and every caveat; over a range of densities the sequence of phases.
    """
    from ehbilayer.studies.device.question import bare_length, number_or_text, study_of
    from ehbilayer.units import parse_duration

    seconds = None if max_time is None else parse_duration(max_time)
    given = {"material": material, "electron_mass": electron_mass, "hole_mass": hole_mass, "dielectric": dielectric,
             "spacing": number_or_text(spacing), "spacer": spacer, "electron_flavours": electron_flavours,
             "hole_flavours": hole_flavours}
    study = study_of(given, density, electrons_per_hole, {"electron_spin": electron_spin, "hole_spin": hole_spin},
                     sets or [], correlated=correlated, gates=gates, sheets=sheets, materials=materials)
    loud = bare_length(study)
    tell(f"caution: {loud}" if loud else "")
    _run(study, output if output is not None else Path(study.name), as_json, quiet, resume=resume, force=force,
         max_time=seconds)


def reproduce(
    figure: Annotated[str, typer.Argument(help="An id such as dai-fu:4, or all.", show_default=False)] = "",
    listed: Annotated[bool, typer.Option("--list", help="List the ids and stop.")] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="Directory for figures and results.")] = Path(
        "reproduced"),
    quick: Annotated[bool, typer.Option("--quick", help="Coarse, all of it in under 2 minutes.")] = False,
    workers: Annotated[int, typer.Option(help="Processes that compute studies, about one per core.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Compute again what is there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print warnings, tables and errors only.")] = False,
    max_time: MaxTime = None,
) -> None:
    """Compute the papers' figures and numbers again.

    Each is drawn from saved results, with a table of published numbers beside ours.
    """
    from ehbilayer.papers import MODULES, OWN, chosen, reproduction

    if listed:
        print_rows([(f.name, f.title) for f in map(reproduction, (*MODULES, *OWN))])
        return
    figures = chosen(figure)
    from ehbilayer.papers.making import make_all
    from ehbilayer.units import parse_duration

    seconds = None if max_time is None else parse_duration(max_time)
    raise typer.Exit(make_all(figures, output, print, quick=quick, force=force, workers=workers,
                              reporter=reporter(False, quiet), codes=(EXIT_NOT_CONVERGED, EXIT_INTERRUPTED),
                              max_time=seconds))


def _home_of(name: str) -> Path:
    """The default directory of a study of this name: one of its own, also where dots alone would name another."""
    return Path(name if name.strip(". ") else "study")


def _run(study: Study, directory: Path, as_json: bool, quiet: bool, **options: Any) -> None:
    """Compute a study, print its result, and exit with the code that says how it ended."""
    from ehbilayer.run import runner
    from ehbilayer.run.rescue import RescuedError

    try:
        result = runner.run(study, directory, reporter=reporter(as_json, quiet), **options)
    except RescuedError as error:
        print_result(error.result, as_json or error.kept is None, quiet and error.kept is not None)
        raise typer.Exit(fail(str(error), EXIT_ELSEWHERE)) from None
    print_result(result, as_json, quiet)
    raise typer.Exit(_exit_code(result))


def _exit_code(result: Result) -> int:
    if result.status.value == "interrupted":
        return EXIT_INTERRUPTED
    return 0 if result.status.value == "converged" else EXIT_NOT_CONVERGED
