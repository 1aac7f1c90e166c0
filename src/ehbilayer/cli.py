"""The command `ehb`. Subcommands only: nothing is computed here, and nothing heavy is imported before it is needed."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ehbilayer import __version__, console
from ehbilayer.errors import InputError

if TYPE_CHECKING:
    from ehbilayer.results.base import Result
    from ehbilayer.run.reporting import Reporter
    from ehbilayer.studies.file import Study

EXIT_INPUT, EXIT_NOT_CONVERGED, EXIT_ELSEWHERE, EXIT_INTERRUPTED, EXIT_FAILED = 2, 3, 4, 130, 1
UNUSABLE = (errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENOTDIR)  # of paths
BROKEN_OFF = "interrupted; the last checkpoint, if any, is kept"

AsJson = Annotated[bool, typer.Option("--json", help="Print the summary, and nothing else, on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print warnings and errors only.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from an unfinished result there.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a result that is there.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", show_default=False,
                                                help="Override a key, e.g. density.rs_hole=8.")]
MaxTime = Annotated[str | None, typer.Option(help="Stop after e.g. 2h or 02:00:00, state kept.", show_default=False)]


class _Commands(TyperGroup):
    """Says that a command was broken off, which the parser would not."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(_fail(BROKEN_OFF, EXIT_INTERRUPTED)) from None


app = typer.Typer(cls=_Commands, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="Quantum phases of electron-hole bilayers, from a study file to a picture.")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"ehbilayer {__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True,
                                                help="Print the version.")] = False) -> None:
    pass


@app.command()
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
) -> None:
    """Compute a study."""
    from ehbilayer.studies.file import load_study
    from ehbilayer.units import parse_duration

    seconds = None if max_time is None else parse_duration(max_time)
    loaded = load_study(study, sets or [])
    directory = output if output is not None else _home_of(loaded.name)
    _run(loaded, directory, as_json, quiet, resume=resume, force=force, max_time=seconds, backend=backend,
         workers=workers, scheduler=scheduler, shard=shard)


@app.command()
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
                     sets or [], correlated=correlated, gates=gates, sheets=sheets)
    loud = bare_length(study)
    _tell(f"caution: {loud}" if loud else "")
    _run(study, output if output is not None else Path(study.name), as_json, quiet, resume=resume, force=force,
         max_time=seconds)


@app.command()
def show(result: Annotated[Path, typer.Argument(help="A result file or the directory of a run.")],
         as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False) -> None:
    """Print the table of a result."""
    from ehbilayer.sweep.load import last_run, load

    _print_result(load(result), as_json, quiet=False)
    _tell(last_run(result))


@app.command()
def status(directory: Annotated[Path, typer.Argument(help="The directory of a run.", show_default=False)],
           as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Count the points of a sweep: done, failed, missing."""
    from ehbilayer.sweep.load import last_run
    from ehbilayer.sweep.status import rows, status_of

    found = status_of(directory)
    if not found["running"]:
        _tell(last_run(directory))
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print_rows(rows(found))


@app.command()
def plot(result: Annotated[Path, typer.Argument(help="A result file or the directory of a run.")],
         output: Annotated[Path | None, typer.Option("-o", "--output", show_default=False,
                                                     help="Figure file, png, pdf or svg [default: figure.png next to "
                                                     "the result].")] = None,
         dpi: Annotated[int, typer.Option(min=20, max=2400, help="Dots per inch.")] = 130,
         units: Annotated[str, typer.Option(help="auto | real (nm, meV, cm^-2) | atomic (a_h, Ha_h).")] = "auto",
         ) -> None:
    """Draw the figure of a result."""
    from ehbilayer.figures.style import FORMATS
    from ehbilayer.results.files import FIGURE
    from ehbilayer.studies.drawing import save_figures
    from ehbilayer.sweep.load import load

    loaded = load(result)
    home = result if result.is_dir() else result.parent
    target = home / FIGURE if output is None else output
    target = target if target.suffix else target.with_suffix(".png")
    if not target.parent.is_dir():
        raise InputError("--output", "in an existing directory", str(target), "make the directory first")
    if target.suffix[1:].lower() not in FORMATS:
        raise InputError("--output", f"a file that ends in {' | '.join(FORMATS)}", target.name, "choose one of them")
    save_figures(loaded, target.parent, stem=target.stem, formats=(target.suffix[1:].lower(),), dpi=dpi, units=units)
    print(f"written to {target}")
    raise typer.Exit  # it has done more than print


@app.command()
def materials(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the known devices and where their values come from."""
    from dataclasses import asdict

    from ehbilayer.materials import MATERIALS

    if as_json:
        print(json.dumps([asdict(m) for m in MATERIALS.values()], indent=2, ensure_ascii=False))
        return
    for m in MATERIALS.values():
        print(f"{m.name}: m_e = {m.electron_mass:g} m0, m_h = {m.hole_mass:g} m0, dielectric constant "
              f"{m.dielectric:.4g}{m.medium}\n    {m.source}")


@app.command()
def units(
    material: Annotated[str | None, typer.Option(help="A device, see `ehb materials`.", show_default=False)] = None,
    electron_mass: Annotated[float | None, typer.Option(help="In m0.", show_default=False)] = None,
    hole_mass: Annotated[float | None, typer.Option(help="In m0.", show_default=False)] = None,
    dielectric: Annotated[float | None, typer.Option(help="Relative constant.", show_default=False)] = None,
    hole_density: Annotated[str | None, typer.Option(help='e.g. "1.29e12 cm^-2".', show_default=False)] = None,
    electrons_per_hole: Annotated[float, typer.Option(help="Electron over hole density.")] = 1.0,
    spacing: Annotated[str | None, typer.Option(help='e.g. "3 nm".', show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a_h, Ha_h, Hartree temperatures and r_s of a device."""
    from ehbilayer.studies.device.question import atomic, scales_said
    from ehbilayer.units import device_numbers

    scales = scales_said(material, electron_mass, hole_mass, dielectric)
    density = atomic(scales, hole_density, "density", "--hole-density")
    length = atomic(scales, spacing, "length", "--spacing")
    if density == 0:
        raise InputError("--hole-density", "a density > 0", hole_density, 'e.g. "1.29e12 cm^-2"')
    if not 0 <= electrons_per_hole < 1e6:
        raise InputError("--electrons-per-hole", "a number >= 0", electrons_per_hole, "2 for trions")
    numbers = device_numbers(scales, density, electrons_per_hole, length)
    if as_json:
        print(json.dumps(numbers, indent=2))
        return
    _print_rows([(name, f"{value:.6g}") for name, value in numbers.items()])


@app.command()
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
        _print_rows([(f.name, f.title) for f in map(reproduction, (*MODULES, *OWN))])
        return
    figures = chosen(figure)
    from ehbilayer.papers.making import make_all
    from ehbilayer.units import parse_duration

    seconds = None if max_time is None else parse_duration(max_time)
    raise typer.Exit(make_all(figures, output, print, quick=quick, force=force, workers=workers,
                              reporter=_reporter(False, quiet), codes=(EXIT_NOT_CONVERGED, EXIT_INTERRUPTED),
                              max_time=seconds))


@app.command()
def schema() -> None:
    """Print the JSON schema of study files, for editors."""
    from ehbilayer.studies.file import json_schema

    print(json.dumps(json_schema(), indent=2))


def _home_of(name: str) -> Path:
    """The default directory of a study of this name: one of its own, also where dots alone would name another."""
    return Path(name if name.strip(". ") else "study")


def _run(study: Study, directory: Path, as_json: bool, quiet: bool, **options: Any) -> None:
    """Compute a study, print its result, and exit with the code that says how it ended."""
    from ehbilayer.run import runner
    from ehbilayer.run.rescue import RescuedError

    try:
        result = runner.run(study, directory, reporter=_reporter(as_json, quiet), **options)
    except RescuedError as error:
        _print_result(error.result, as_json or error.kept is None, quiet and error.kept is not None)
        raise typer.Exit(_fail(str(error), EXIT_ELSEWHERE)) from None
    _print_result(result, as_json, quiet)
    raise typer.Exit(_exit_code(result))


def _reporter(as_json: bool, quiet: bool) -> Reporter:
    from ehbilayer.run.reporting import LineReporter, LiveReporter, WarningReporter

    if quiet:
        return WarningReporter(sys.stderr)
    out = sys.stderr if as_json else sys.stdout
    return (LiveReporter if out.isatty() else LineReporter)(out, sys.stderr)


def _print_result(result: Result, as_json: bool, quiet: bool) -> None:
    from ehbilayer.results.base import to_json
    from ehbilayer.studies.kinds import rows

    if as_json:
        print(json.dumps(json.loads(to_json(result.summary)), indent=2, ensure_ascii=False))
    elif not quiet:
        _print_rows(rows(result))


def _print_rows(rows: list[tuple[str, str]]) -> None:
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        print(" ".join(f"  {label:{width}s}  {text}".splitlines()))  # a text cannot begin a row of its own


def _exit_code(result: Result) -> int:
    if result.status.value == "interrupted":
        return EXIT_INTERRUPTED
    return 0 if result.status.value == "converged" else EXIT_NOT_CONVERGED


def _tell(text: str) -> None:
    """Say in a line beside the output what there is to say, if anything."""
    if text:
        print(" ".join(text.split()), file=sys.stderr, flush=True)


def _fail(text: str, code: int) -> int:
    print("error: " + " ".join(text.split()), file=sys.stderr, flush=True)
    return code


def _told(code: int | None) -> int:
    """The exit code of a command: its own, also if its text was lost, or that of one that has no more than its text."""
    error = console.lost(sys.stdout)
    if error is None:
        return code or 0
    if code is None:
        return _fail(f"what was printed is lost: {error.strerror}", EXIT_FAILED)
    print(f"warning: what was printed is lost: {error.strerror}", file=sys.stderr, flush=True)
    return code


def execute(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code; every error is one line on stderr, never a traceback.

    EHB_DEBUG=1 in the environment lets unexpected errors through.
    """
    with console.shown():
        return _execute(arguments)


def _execute(arguments: list[str] | None) -> int:
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        code = app(arguments or ["--help"], standalone_mode=False)
        sys.stdout.flush()
        return _told(code)
    except InputError as error:
        return _fail(str(error), EXIT_INPUT)
    except KeyboardInterrupt:
        return _fail(BROKEN_OFF, EXIT_INTERRUPTED)
    except MemoryError:
        return _fail("out of memory; use fewer plane waves or particles, or symmetry = \"crystal\"", EXIT_FAILED)
    except Exception as error:
        if hasattr(error, "format_message"):  # wrong options or arguments, as the parser words them
            return _fail(f"{error.format_message()} (see ehb --help)", EXIT_INPUT)
        if os.environ.get("EHB_DEBUG"):
            raise
        if isinstance(error, OSError) and error.errno in UNUSABLE:
            return _fail(str(InputError(str(error.filename)[:200], "a path that can be used", os.strerror(error.errno),
                                        "choose another")), EXIT_INPUT)
        return _fail(f"unexpected {type(error).__name__}: {error}; please report it (EHB_DEBUG=1 shows where)",
                     EXIT_FAILED)


def main() -> None:
    """Entry point of `ehb`."""
    from ehbilayer.run import watchdog

    console.secure()
    watchdog.start(EXIT_INTERRUPTED, EXIT_NOT_CONVERGED)
    code = execute()
    sys.stdout.flush()
    sys.stderr.flush()
    if code == EXIT_INTERRUPTED and any(not t.daemon for t in threading.enumerate()[1:]):
        os._exit(code)  # worker threads of a calculation that was broken off must not hold up the exit
    raise SystemExit(code)


if __name__ == "__main__":
    main()
