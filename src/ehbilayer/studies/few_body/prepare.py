"""Studies of kind "few-body": from the study to excitons, trions and biexcitons, and the table of what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial

from ehbilayer.errors import InputError
from ehbilayer.few_body.complexes import Complex, make_complex
from ehbilayer.few_body.scan import critical, scan
from ehbilayer.few_body.variational import Options, require_room, solve
from ehbilayer.hooks import Hooks
from ehbilayer.interaction.screened import Screened
from ehbilayer.results.base import Result
from ehbilayer.studies.bilayer import interaction_of, length_of, mass_ratio_of, scales_of
from ehbilayer.studies.few_body import keys
from ehbilayer.studies.few_body.table import title
from ehbilayer.studies.file import Study
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.units import Scales

SECONDS = {"exciton": 0.1, "trion-": 6.0, "trion+": 6.0, "biexciton": 30.0}  # of one energy, about
POINTS_PER_THRESHOLD = 15


def prepare(study: Study) -> Task:
    """The task of a few-body study. Raises InputError for one that cannot be computed."""
    with by_key(study):
        return _prepare(study)


def _prepare(study: Study) -> Task:
    scales, table = scales_of(study), keys.of(study)
    options = Options(table.tolerance, table.seed, keys.functions_of(table))
    if table.find == "critical-spacing" and table.complex == "exciton":
        raise InputError("few-body.find", "binding for an exciton, which is bound at every spacing", table.find,
                         "choose a trion or a biexciton")
    make_complex(table.complex, table.spin, 1.0, 0.0, table.angular_momentum)  # does it exist?
    if table.find == "critical-spacing":
        return _prepare_critical(study, scales, options)
    if table.mass_ratios is not None:
        raise InputError("few-body.mass_ratios", 'used with find = "critical-spacing"', table.mass_ratios,
                         "remove it, or sweep bilayer.electron_mass")
    ratio = mass_ratio_of(scales)
    spacings = _spacings(study, scales)
    complexes = [make_complex(table.complex, table.spin, ratio, d, table.angular_momentum, screened) for d, screened in
                 zip(spacings, (_screened(study, d, scales) for d in spacings), strict=True)]
    require_room(complexes[0], options)
    resolved = {"complex": complexes[0].name, "spin": complexes[0].spin, "find": table.find,
                "angular_momentum": complexes[0].angular_momentum, "electron_mass": ratio,
                "spacing": spacings[0] if table.spacings is None else spacings, **asdict(options)}
    where = ", ".join(f"{d:.6g}" for d in spacings[:6]) + (", ..." if len(spacings) > 6 else "")
    plan = (*device_lines(study.bilayer.material, scales), _complex_line(complexes[0]),
            f"  spacing    {where} a_h",
            f"  threshold  {_break_up(complexes[0])}, {complexes[0].threshold:.10g} Ha_h",
            _solve_line(options, f"tolerance {options.tolerance:g} Ha_h")
            if table.complex != "exciton" else "  solve      the radial equation")
    seconds = SECONDS[table.complex] * len(spacings)
    if table.spacings is None:
        return Task(study, scales, study.canonical(), resolved, plan, _solving(partial(solve, complexes[0], options)),
                    seed=options.seed, seconds=seconds,
                    carries=("widths", "vectors") if table.complex != "exciton" else ())
    return Task(study, scales, study.canonical(), resolved, plan, _solving(partial(scan, complexes, options)),
                seed=options.seed, seconds=seconds)


def _prepare_critical(study: Study, scales: Scales, options: Options) -> Task:
    table = keys.of(study)
    screened = _screened(study, 0.0, scales)
    if table.spacings is not None:
        raise InputError("few-body.spacings", 'used with find = "binding"', table.spacings, "remove it")
    ratios = sorted(set(table.mass_ratios)) if table.mass_ratios else [mass_ratio_of(scales)]
    complex = make_complex(table.complex, table.spin, ratios[0], 0.0, table.angular_momentum, screened)
    require_room(complex, options)
    resolved = {"complex": complex.name, "spin": complex.spin, "find": table.find,
                "angular_momentum": complex.angular_momentum, "mass_ratios": ratios, **asdict(options)}
    plan = (*device_lines(study.bilayer.material, scales), _complex_line(complex),
            f"  find       critical spacing at m_e/m_h = {', '.join(f'{r:g}' for r in ratios)}",
            _solve_line(options, "accuracy as each point needs it"))
    method = partial(critical, table.complex, table.spin, ratios, options, angular_momentum=table.angular_momentum,
                     screened=screened)
    if table.mass_ratios is not None:
        scales = Scales()  # of the masses of a device, which are not those asked for
    return Task(study, scales, study.canonical(), resolved, plan, _solving(method), seed=options.seed,
                seconds=POINTS_PER_THRESHOLD * SECONDS[table.complex] * len(ratios))


def _screened(study: Study, spacing: float, scales: Scales) -> Screened | None:
    found = interaction_of(study, spacing, scales)
    return found if isinstance(found, Screened) else None


def _spacings(study: Study, scales: Scales) -> list[float]:
    """The spacing, or those of the scan in ascending order, in a_h."""
    given = keys.of(study).spacings
    if given is None:
        return [length_of(study.bilayer.spacing, scales,
                          todo="give the distance between the layers, or few-body.spacings")]
    return sorted({length_of(value, scales, "few-body.spacings") for value in given})


def _solving(method: Callable[..., Result]) -> Callable[[Hooks], Result]:
    """The method with hooks, which starts from a neighbouring point where nothing else is asked for."""
    return lambda run: method(hooks=replace(run, initial=run.initial or run.neighbour))


def _complex_line(complex: Complex) -> str:
    return f"  complex    {title(complex.name, complex.spin)}, angular momentum {complex.angular_momentum}"


def _solve_line(options: Options, accuracy: str) -> str:
    return f"  solve      {accuracy}, up to {options.max_functions} functions, seed {options.seed}"


def _break_up(complex: Complex) -> str:
    return {"exciton": "free electron and hole", "trion-": "exciton and electron", "trion+": "exciton and hole",
            "biexciton": "two excitons"}[complex.name]
