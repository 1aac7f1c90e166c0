"""One page on a device: the phases that compete at its density, and T_c by every source of alpha^2.

Pairing is asked where acoustic plasmons can exist, in balanced layers. The lighter carriers pair and the heavier ones
form the crystal, whichever their signs: the formulas are written for light electrons, and a bilayer with light holes is
the same with all charges reversed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ehbilayer.device.measured import EXCITON, measured, other
from ehbilayer.device.result import MEDIATED, THERMAL, Answer, Band, DeviceResult, ScanPoint, Window
from ehbilayer.device.sequence import Compete, ranges, scan, transitions
from ehbilayer.device.superconductivity import verdict
from ehbilayer.errors import InputError
from ehbilayer.few_body.complexes import complex_of
from ehbilayer.few_body.variational import Options
from ehbilayer.few_body.variational import solve as solve_complex
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.pairing.density import METHODS, against_density
from ehbilayer.pairing.liquid import Choices
from ehbilayer.pairing.mediated import solve_mediated
from ehbilayer.pairing.plasmon_velocity import Source
from ehbilayer.pairing.point import solve_point
from ehbilayer.pairing.result import PairingResult
from ehbilayer.phases.result import CompetitionResult
from ehbilayer.phases.verdict import ranked
from ehbilayer.response.hole_lattice import ScreenedLattice
from ehbilayer.results.base import Provenance, Result, Variable
from ehbilayer.status import Status
from ehbilayer.thermal import estimates

SOURCES = ("limit", "torus", "paper-line")  # of alpha^2; the first is the answer, the others show the spread
CORRELATED = "correlated"  # the part in which the phases compete by Monte Carlo
CORRELATED_ERROR = "0.5 meV"  # its target per hole, unless another is said
ALWAYS = "rpa"  # of the theories that pair by response the one that has a response anywhere
GIVEN = "given"  # the source before these, where a number is given
HOLES, TOLERANCE = 36, 1e-4  # of the torus on which phases compete, and of their energy per particle (Ha_h)
# phases in which these carriers are liquid and pair
CRYSTALS = {"electron": "hole-crystal", "hole": "electron-crystal"}
COMPLEX_TOLERANCE = 1e-5  # Ha_h, of an exciton or a trion
COLDEST = 1e-3  # K: a T_c below this is no prediction
STRONG, FAST = 0.5, 0.1  # lambda, and T_D/T_F, from which a caveat applies
CRYSTAL_RS = 31.0  # where the 2D electron gas crystallises in quantum Monte Carlo: Drummond & Needs, PRL 102, 126402


@dataclass(frozen=True)
class Device:
    """What a page is about.

    Parameters
    ----------
    bilayer : with masses and dielectric constant.
    competition : solves the phases that compete; its result is of kind ``phases``.
    sources : of alpha^2 by their names, the first of which gives the answer; empty where nothing pairs.
    choices : of the pairing.   no_pairing : why nothing pairs; empty where it is asked.
    densities : of the holes (a_h^-2; of the electrons where there are no holes), for a sequence of phases.
    at : the competition at one of these densities.
    correlated : the competition by Monte Carlo, whose verdict then stands in place of the mean field's.

    Raises
    ------
    InputError : masses or a dielectric constant that are not known.
    """

    bilayer: Bilayer
    competition: Callable[[Hooks], Result]
    sources: Mapping[str, Source]
    choices: Choices
    no_pairing: str = ""
    densities: tuple[float, ...] = ()
    at: Compete | None = None
    correlated: Callable[[Hooks], Result] | None = None

    @property
    def paired(self) -> Bilayer:
        """The bilayer whose electrons are the lighter carriers."""
        return self.cold.exchanged() if lighter(self.bilayer) == "hole" else self.cold

    @property
    def cold(self) -> Bilayer:
        """The bilayer without its temperature, at which phases compete and which the estimates tell of."""
        return replace(self.bilayer, temperature=0.0)

    @property
    def parts(self) -> tuple[str, ...]:
        """What the page is made of, in the order in which it is asked."""
        more = () if self.correlated is None else (CORRELATED,)
        mediated = (MEDIATED,) if self.sources else ()
        return ("phases", *more, *complexes(self.bilayer), THERMAL, *mediated, *self.sources)

    @cached_property
    def unstable(self) -> tuple[str, ...]:
        """What T_c rests on though it is unstable: the lattice of the heavier carriers under a screened force."""
        if not self.sources:
            return ()
        heavy = f"{other(lighter(self.bilayer))}s"
        found = []
        for name, words in (("none", "RPA"), ("exchange", "with exchange")):
            shear = ScreenedLattice(self.paired, name).sound.transverse
            if shear < 0:
                found.append(f"the lattice of {heavy}, whose plasmons pair, does not resist shear under the screened "
                             f"force ({words}: {shear:+.3f} in units of v_0^2): its phonons are imaginary")
        return tuple(found)

    def __post_init__(self) -> None:
        for name in ("electron_mass", "hole_mass", "dielectric"):
            if getattr(self.bilayer.scales, name) is None:
                raise InputError(name, "known: answers are in kelvin and cm^-2", "missing", "give it, or a material")


def lighter(bilayer: Bilayer) -> str:
    """The carriers that pair by the plasmons of the others; electrons where the masses are equal."""
    return "hole" if bilayer.get("hole") is not None and bilayer.get("electron") is not None and (
        bilayer.mass_ratio > 1) else "electron"


def balanced(bilayer: Bilayer) -> bool:
    """Whether there are as many electrons as holes."""
    electron, hole = bilayer.get("electron"), bilayer.get("hole")
    return electron is not None and hole is not None and math.isclose(electron.density, hole.density, rel_tol=1e-9)


def unpaired(bilayer: Bilayer) -> str:
    """Why pairing does not apply; empty where it does."""
    if not balanced(bilayer):
        return "not asked: acoustic plasmons need as many electrons as holes"
    light = bilayer.carrier(lighter(bilayer))
    if light.flavours < 2:
        return f"not asked: {light.name}s of one flavour have no partner for a singlet"
    if bilayer.interaction.name != "coulomb":
        return "not asked: pairing by plasmons is known for Coulomb's interaction alone"
    return ""


def sources_of(alpha_squared: float | None, alpha: float | None, uncertainty: float | None,
               **more: Any) -> dict[str, Source]:
    """The sources of alpha^2 by their names: a given number first, where there is one; ``more`` as for `Source.of`."""
    given = alpha_squared is not None or alpha is not None
    first = {GIVEN: Source.of(alpha_squared, alpha, None, given_uncertainty=uncertainty, **more)} if given else {}
    return first | {name: Source.of(None, None, name, **more) for name in SOURCES}


def complexes(bilayer: Bilayer) -> tuple[str, ...]:
    """The exciton, and the trion that the majority forms; none where a device has no such carriers."""
    electron, hole = bilayer.get("electron"), bilayer.get("hole")
    if electron is None or hole is None or len(bilayer.carriers) > 2:
        return ()
    if bilayer.interaction.name not in ("coulomb", "screened"):
        return ()
    if balanced(bilayer):
        return (EXCITON,)
    return EXCITON, "trion-" if electron.density > hole.density else "trion+"


def solve(device: Device, hooks: Hooks) -> DeviceResult:
    """The page: the phases, one exciton, T_c by every source, then the phases over the densities.

    What an unfinished page in ``hooks`` holds is not asked again.
    """
    parts: dict[str, dict[str, Any]] = {}
    data: dict[str, Variable] = {}
    status: Status | None = None
    if hooks.unfinished is not None:
        parts, data = dict(hooks.unfinished.summary["parts"]), dict(hooks.unfinished.data)
    for name in device.parts:
        if parts.get(name, {}).get("status") == Status.converged:
            continue
        inner = Hooks(backend=hooks.backend, threads=hooks.threads, progress=_named(hooks.progress, name),
                      should_stop=hooks.should_stop)
        result, curve = _part(device, name, inner)
        if isinstance(curve, Status):
            status = curve
            break
        parts[name] = replace(result, provenance=Provenance()).summary
        data |= {f"{key}_{name}": replace(v, dims=tuple(f"{d}_{name}" for d in v.dims)) for key, v in curve.items()}
        hooks.checkpoint(page(device, parts, data, Status.interrupted))
    points = hooks.unfinished.scan if isinstance(hooks.unfinished, DeviceResult) else ()
    if status is None and device.at is not None:
        points, status = scan(device.at, device.densities, points, hooks,
                              lambda found: hooks.checkpoint(page(device, parts, data, Status.interrupted, found)))
    return page(device, parts, data, status, points)


def _named(progress: Callable[[str], None], name: str) -> Callable[[str], None]:
    return lambda text: progress(f"{name}: {text}")


def _part(device: Device, name: str, hooks: Hooks) -> tuple[Result, dict[str, Variable] | Status]:
    """A part of the page and its curves; a Status in their place where it was stopped."""
    source = device.sources.get(name)
    result: Result
    if source is not None:
        result = solve_point(device.paired, source, device.choices, hooks)
    elif name == "phases":
        result = device.competition(hooks)
    elif name == CORRELATED and device.correlated is not None:
        result = device.correlated(hooks)
    elif name == MEDIATED:
        result = solve_mediated(device.paired, ALWAYS, device.choices.mu_star, hooks)
    elif name == THERMAL:
        result = estimates.solve(estimates.Asked(device.bilayer), hooks)
    else:
        result = solve_complex(complex_of(device.cold, name), Options(COMPLEX_TOLERANCE), hooks)
    if result.status in (Status.interrupted, Status.timeout):
        return result, result.status
    if source is None:
        return result, {}
    coldest = COLDEST / device.paired.scales.hartree_kelvin
    return result, against_density(device.paired, source, device.choices, coldest, hooks)


def page(device: Device, parts: dict[str, dict[str, Any]], data: dict[str, Variable],
         stopped: Status | None, points: tuple[ScanPoint, ...] = ()) -> DeviceResult:
    """Everything that is known so far."""
    bad = {name: p.get("advice", "") for name, p in parts.items() if p["status"] != Status.converged}
    good = not bad and len(parts) == len(device.parts)
    hole, electron = device.bilayer.get("hole"), device.bilayer.get("electron")
    found_transitions = tuple(transitions(points))
    known = DeviceResult(
        status=stopped or (Status.converged if good else Status.not_converged), data=data, parts=parts,
        advice="; ".join(f"{name}: {text}" for name, text in bad.items()) if stopped is None else "",
        by_source={}, density_window={}, hole_density=None if hole is None else hole.density,
        electron_density=None if electron is None else electron.density, material=device.bilayer.material,
        spacing=device.bilayer.spacing, pairs=lighter(device.bilayer) if device.sources else None,
        no_pairing=device.no_pairing or None, scan=points, transitions=found_transitions,
        sequence=ranges(points, found_transitions), unstable=device.unstable,
        provenance=Provenance(scales=device.bilayer.scales))
    first = known.competition if "phases" in parts else None
    if first is not None:
        won = known.verdict
        row = next((r for r in ranked([*first.candidates, *first.further]) if r.phase == won.winner), None)
        known = replace(known, phase=won.winner, spin_arrangement=won.spin_arrangement, theory=won.theory,
                        runner_up=won.runner_up, margin=won.margin, numerical_error=won.numerical_error,
                        resolved=won.resolved, energies=won.energies, gap=known.gap if row is None else row.gap,
                        in_el_hc=won.winner == CRYSTALS[lighter(device.bilayer)])
    found = {source: known.pairing(source) for source in device.sources if source in parts}
    known = replace(known, by_source={source: Answer.of(one) for source, one in found.items()},
                    density_window={source: _windows(device.paired, source, data) for source in found})
    if MEDIATED in parts:
        scales = device.paired.scales
        known = replace(known, superconductivity=verdict(
            known.mediated, known.by_source, known.phase, known.in_el_hc, COLDEST,
            device.paired.mass_ratio * scales.hartree_kelvin))
    answer = next(iter(device.sources), "")  # empty: nothing pairs
    best = found.get(answer)
    if best is not None:
        t_c, band = best.critical_temperature, best.band
        known = replace(
            known, alpha_squared=best.alpha_squared, alpha_squared_uncertainty=best.alpha_squared_uncertainty,
            alpha_source=answer, method=best.method, critical_temperature=t_c, superconducts=(t_c or 0.0) > COLDEST,
            critical_temperature_band=None if band is None or band.low is None or band.high is None else
            Band(band.low, band.high, band.reaches_instability))
    return replace(known, measured=measured(device.bilayer, known), caveats=tuple(caveats(known, first, best)))


def _windows(bilayer: Bilayer, source: str, data: dict[str, Variable]) -> dict[str, Window | None]:
    """By method: the densities (cm^-2) between which the source predicts superconductivity, why it ends there, and the
    highest T_c (K) within; None for none."""
    if f"window_rs_{source}" not in data:
        return {}
    scales, ratio = bilayer.scales, bilayer.mass_ratio
    ends, whys, tops = (data[f"window_{key}_{source}"].values for key in ("rs", "why", "tc"))
    found: dict[str, Window | None] = dict.fromkeys(METHODS)
    for method, (dense, thin), highest, why in zip(METHODS, ends, tops, whys, strict=True):
        if not np.isnan(dense):
            low, high = (scales.density_per_cm2((ratio / r) ** 2 / math.pi) for r in (thin, dense))
            found[method] = Window(low, high, (str(why[1]), str(why[0])), float(highest) * ratio
                                   * scales.hartree_kelvin)
    return found


def caveats(page: DeviceResult, competition: CompetitionResult | None, best: PairingResult | None) -> list[str]:
    """Every reservation that applies to the page; ``best`` is the pairing that gives the answer."""
    holes = None if competition is None else page.verdict.particles.hole
    found = list(page.unstable)
    if competition is not None and page.verdict.method == "monte-carlo":
        found.append("Monte Carlo: the phase and its margin alone; gaps, densities of transitions and pairing are mean "
                     "field")
    else:
        found.append("mean field: crystals set in at r_s of 2 to 4 here, at about "
                     f"{CRYSTAL_RS:g} by quantum Monte Carlo, so crystals are favoured")
    found += [f"finite size: the phases compete with {holes} holes"]
    if competition is not None and competition.temperature is not None:
        found.append(f"at k_B T = {competition.temperature:.3g} Ha_h phases compete by free energy and gaps are those "
                     "of levels there; exciton, trion and T_c are of the ground state")
    if page.resolved is False:
        found.append("the margin between the two lowest phases does not exceed the numerical error")
    if page.phase in ("liquid", "hole-crystal", "electron-crystal"):
        found.append("the gap of a liquid is that of this torus and closes with size; a crystal's stays")
    found += () if competition is None else page.verdict.cautions
    if not page.by_source:
        return found
    heavy = f"{other(page.pairs or '')}s"
    if not page.in_el_hc:
        found.append(f"the lowest phase is {page.phase}, not the {page.pairs} liquid on the crystal of the {heavy}, "
                     "which any T_c here belongs to")
    elif f"{page.pairs}s polarized" in (page.spin_arrangement or ""):
        found.append(f"the {page.pairs}s of the lowest state are polarised: singlets, which any T_c here belongs to, "
                     "need two flavours")
    return found + _sources(page) + _theory(best, heavy)


def _sources(page: DeviceResult) -> list[str]:
    """Reservations about alpha^2."""
    squares = {s: x.alpha_squared for s, x in page.by_source.items() if x.alpha_squared is not None}
    found = []
    if squares and min(squares.values()) <= 0 < max(squares.values()):
        found.append("the sources of alpha^2 disagree on its sign ("
                     + ", ".join(f"{s} {v:+.3f}" for s, v in squares.items()) + "): T_c is undecided")
    found += [f"{s}: {x.reason}" for s, x in page.by_source.items() if x.reason]
    if "paper-line" in squares:
        found.append("paper-line is our reading of a figure for two flavours and m_h/m_e = 10, no printed formula")
    return found


def _theory(best: PairingResult | None, heavy: str) -> list[str]:
    """Reservations about T_c, by the pairing that gives the answer; its holes are the ``heavy`` carriers."""
    found = ["T_c depends on alpha^2 exponentially, and its band knows the error of alpha^2 within Hartree-Fock only; "
             "correlation in the liquid lowers alpha^2"]
    if best is None:
        return found
    if best.rs_hole < CRYSTAL_RS:
        found.append(f"r_s of the {heavy} is {best.rs_hole:.3g}: by quantum Monte Carlo they alone would be liquid")
    if (best.lam or 0.0) > STRONG:
        found.append(f"strong coupling, lambda = {best.lam:.2f}: BCS overrates T_c, see by_method")
    if (best.debye_over_fermi or 0.0) > FAST:
        found.append(f"plasmons are not slow, T_D/T_F = {best.debye_over_fermi:.2f}: corrections to the vertex, "
                     "which Eliashberg's equations leave out, are of this order")
    return found
