"""Commands that read what was computed, and what is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ehbilayer.commands.telling import AsJson, Materials, print_result, print_rows, tell
from ehbilayer.errors import InputError
from ehbilayer.units import nearest


def show(result: Annotated[Path, typer.Argument(help="A result file or the directory of a run.")],
         as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False) -> None:
    """Print the table of a result, of a sweep also that of its points."""
    from ehbilayer.sweep.load import last_run, load
    from ehbilayer.sweep.table import points

    loaded = load(result)
    print_result(loaded, as_json, quiet=False)
    for line in [] if as_json else points(loaded):
        print(line)
    tell(last_run(result))


def compare(
    a: Annotated[Path, typer.Argument(help="A result file or the directory of a run.", show_default=False)],
    b: Annotated[Path, typer.Argument(help="Another one of the same kind.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Say what differs between two results, beyond their errors or not."""
    from dataclasses import asdict

    from ehbilayer.reports.compare import compare as compared
    from ehbilayer.reports.compare import rows
    from ehbilayer.results.base import to_json

    found = compared(a, b)
    if as_json:
        numbers = [asdict(n) | {"difference": n.difference, "beyond": n.beyond} for n in found.numbers]
        whole = asdict(found) | {"numbers": numbers, "same": found.same}
        print(json.dumps(json.loads(to_json(whole)), indent=2, ensure_ascii=False))
    else:
        print_rows(rows(found))


def export(
    result: Annotated[Path, typer.Argument(help="A result file or the directory of a run.", show_default=False)],
    as_csv: Annotated[bool, typer.Option("--csv", help="One file for each table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One file with all of it.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", show_default=False, help="Directory for the files "
                                                "[default: export in that of the result].")] = None,
) -> None:
    """Write a result for other programs, as CSV or JSON."""
    from ehbilayer.reports.export import export as exported
    from ehbilayer.run.runner import make_ready
    from ehbilayer.sweep.load import load

    if not (as_csv or as_json):
        raise InputError("--csv | --json", "one of them or both", "none", "say what to write")
    loaded = load(result)
    home = result if result.is_dir() else result.parent
    target = home / "export" if output is None else output
    make_ready(target)
    for path in exported(loaded, target, as_csv=as_csv, as_json=as_json):
        print(f"written to {path}")
    raise typer.Exit  # it has done more than print


def status(directory: Annotated[Path, typer.Argument(help="The directory of a run.", show_default=False)],
           as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Count the points of a sweep: done, failed, missing."""
    from ehbilayer.sweep.load import last_run
    from ehbilayer.sweep.status import rows, status_of

    found = status_of(directory)
    if not found["running"]:
        tell(last_run(directory))
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print_rows(rows(found))


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


def examples(
    name: Annotated[str, typer.Argument(help="Of the one to copy, such as trion-crystal; none lists them.",
                                        show_default=False)] = "",
    output: Annotated[Path, typer.Option("-o", "--output", help="Directory for the copy.")] = Path(),
) -> None:
    """List the examples, or copy one to change and run."""
    from ehbilayer.results.files import atomic_write
    from ehbilayer.run.runner import make_ready
    from ehbilayer.studies.samples import first_line, samples

    found = samples()
    if not name:
        print_rows([(path.stem, first_line(path)) for path in found.values()])
        return
    if name not in found:
        raise InputError("examples", "the name of an example", name[:60], nearest(name, found, "see `ehb examples`"))
    target = output / found[name].name
    if target.exists():
        raise InputError("--output", f"a directory without {target.name}", str(output), "choose another, or remove it")
    make_ready(output)
    atomic_write(target, found[name].read_bytes())
    print(f"written to {target}: ehb run {target}")
    raise typer.Exit  # it has done more than print


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


def units(
    material: Annotated[str | None, typer.Option(help="A device, see `ehb materials`.", show_default=False)] = None,
    electron_mass: Annotated[float | None, typer.Option(help="In m0.", show_default=False)] = None,
    hole_mass: Annotated[float | None, typer.Option(help="In m0.", show_default=False)] = None,
    dielectric: Annotated[float | None, typer.Option(help="Relative constant.", show_default=False)] = None,
    hole_density: Annotated[str | None, typer.Option(help='e.g. "1.29e12 cm^-2".', show_default=False)] = None,
    electrons_per_hole: Annotated[float, typer.Option(help="Electron over hole density.")] = 1.0,
    spacing: Annotated[str | None, typer.Option(help='e.g. "3 nm".', show_default=False)] = None,
    materials: Materials = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a_h, Ha_h, Hartree temperatures and r_s of a device."""
    from ehbilayer.studies.device.question import atomic, scales_said
    from ehbilayer.units import device_numbers

    scales = scales_said(material, electron_mass, hole_mass, dielectric, materials)
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
    print_rows([(name, f"{value:.6g}") for name, value in numbers.items()])


def schema() -> None:
    """Print the JSON schema of study files, for editors."""
    from ehbilayer.studies.file import json_schema

    print(json.dumps(json_schema(), indent=2))
