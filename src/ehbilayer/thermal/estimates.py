"""All estimates of temperature for one bilayer: what applies is computed, what does not says why."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.condensate.problem import PlaneProblem
from ehbilayer.crystal.problem import composition_of, start_crystal
from ehbilayer.crystal.relaxation import relax
from ehbilayer.errors import InputError
from ehbilayer.few_body.complexes import complex_of
from ehbilayer.few_body.variational import Options
from ehbilayer.few_body.variational import solve as solve_complex
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer, Carrier
from ehbilayer.results.base import Variable
from ehbilayer.status import Status
from ehbilayer.thermal.ionisation import HALVED, TRIONS, Mixture
from ehbilayer.thermal.melting import RELATIVE, limits
from ehbilayer.thermal.pair import CENTRAL, LEVELS, LINEAR, Pair
from ehbilayer.thermal.result import Estimate, Here, Melting, ThermalResult
from ehbilayer.thermal.superfluid import Superfluid

TRION_TOLERANCE, TRION_FUNCTIONS = 1e-4, 40  # Ha_h, and the largest basis: below k_B of a kelvin
TOLERANCE = 1e-8  # Ha_h, of the condensate
SPREAD = 3e-3  # relative error of the answers by which the error of an answer is known
WIDE = 1.6  # curves end at this many times the largest temperature of theirs
SPECIES = ("electron", "hole", "exciton", "trion_minus", "trion_plus")


@dataclass(frozen=True)
class Asked:
    """What is asked for, see `ehbilayer.thermal`. Raises InputError."""

    bilayer: Bilayer
    spin: str = "polarized"
    trions: bool = True
    structure: str | None = None
    lindemann: float = RELATIVE
    points: int = 40

    def __post_init__(self) -> None:
        if self.spin not in ("polarized", "restricted"):
            raise InputError("spin", "polarized | restricted", self.spin, "choose one of these")
        if not 0 < self.lindemann <= 1:
            raise InputError("lindemann", "a threshold between 0 and 1", self.lindemann, "leave it out for the default")
        if self.points < 2:
            raise InputError("points", "an integer >= 2", self.points, "leave it out for the default")
        for c in self.bilayer.carriers:
            if not c.density > 0:
                raise InputError(f"{c.name}_density", "a density > 0 (a_h^-2)", c.density,
                                 'e.g. hole_density="1e12 cm^-2"')

    @property
    def cold(self) -> Bilayer:
        """The bilayer whose ground state is asked; a field shifts what it holds and changes none of it."""
        return without_field(replace(self.bilayer, temperature=0.0))


def solve(asked: Asked, hooks: Hooks) -> ThermalResult:
    """The estimates in turn; a stop keeps those that are done. Raises InputError."""
    found: dict[str, Any] = {"melting": Melting()}
    data: dict[str, Variable] = {}
    here: dict[str, float] = {}
    status = Status.converged
    steps = (("superfluidity", "bkt", _superfluid), ("melting", "melting", _melting),
             ("ionisation", "ionisation", _ionisation))
    for name, key, step in steps:
        hooks.progress(name)
        try:
            ended = hooks.should_stop() or step(asked, found, data, here, hooks)
        except InputError as error:  # does not apply, or cannot treat this bilayer
            ended, found[f"{key}_reason"] = None, str(error)
        status = ended or status
        if status in (Status.interrupted, Status.timeout):
            break
    t = asked.bilayer.temperature
    result = ThermalResult(status=status, temperature=t, here=Here(**here) if t else None, data=data,
                           inputs=_inputs(asked), **found)
    return replace(result, estimates=tuple(_estimates(result, min(c.density for c in asked.bilayer.carriers))))


def _inputs(asked: Asked) -> dict[str, Any]:
    b = asked.bilayer
    return {"carriers": [{"name": c.name, "mass": c.mass, "density": c.density, "flavours": c.flavours,
                          **({"splitting": c.splitting} if c.splitting else {})} for c in b.carriers],
            "interaction": b.interaction.parameters, "temperature": b.temperature,
            "spin": asked.spin, "trions": asked.trions, "structure": asked.structure,
            "lindemann": asked.lindemann, "points": asked.points}


def superfluid_of(bilayer: Bilayer, spin: str, hooks: Hooks) -> Superfluid | Status:
    """The condensate of the plane as a superfluid, whose sound feels the capacitor as in a sample.

    A Status where it did not converge. Raises InputError where there is none, or it cannot be treated.
    """
    state = PlaneProblem.of(bilayer, spin=spin, capacitor=not bilayer.interaction.finite,  # which a finite v(0) holds
                            chemical_potential=None, tolerance=TOLERANCE, curve_points=0).solve(hooks)
    if state.status is not Status.converged:
        return state.status
    if state.phase != "condensate":
        raise InputError("density", "one with a condensate", f"a {state.phase}", "lower it")
    slope, data, g = state.chemical_potential_slope, state.data, state.flavours
    return Superfluid(state.density / g, sum(c.mass for c in bilayer.carriers), data["k"].values, data["weight"].values,
                      (data["quasiparticle_electron"].values, data["quasiparticle_hole"].values),
                      None if slope is None else state.density * slope, 1 / g)


def _superfluid(asked: Asked, found: dict[str, Any], data: dict[str, Variable], here: dict[str, float],
                hooks: Hooks) -> Status | None:
    one = superfluid_of(asked.cold, asked.spin, hooks)
    if isinstance(one, Status):
        found["bkt_reason"] = f"the condensate is {one.value}"
        return one
    bound, g = math.pi / 2 * one.density / one.mass, round(1 / one.share)
    found |= {"bkt_bound": bound, "bkt": one.transition(), "condensates": g, "vortex_core": one.core}
    t = np.linspace(0.0, 1.1 * bound, asked.points)
    axis = ("stiffness_temperature",)
    data |= {
        "stiffness_temperature": Variable(axis, t, "Ha_h", "k_B T"),
        "stiffness_bare": Variable(axis, g * np.array([one.bare(x) for x in t]), "a_h^-2", "n_s without vortices"),
        "stiffness": Variable(axis, g * np.array([one.renormalised(x) for x in t]), "a_h^-2", "n_s with vortices"),
        "stiffness_jump": Variable(axis, g * 2 * one.mass * t / math.pi, "a_h^-2", "2 M T/pi, where n_s jumps to 0")}
    if asked.bilayer.temperature:
        here["superfluid_fraction"] = one.renormalised(asked.bilayer.temperature) / one.density
    return None


def _melting(asked: Asked, found: dict[str, Any], data: dict[str, Variable], here: dict[str, float],
             hooks: Hooks) -> Status | None:
    bilayer = asked.cold
    inside = composition_of(bilayer)
    ratio = inside.electrons_per_hole
    name = asked.structure or ("honeycomb" if ratio in (0.5, 2.0) else "triangular")
    rest = relax(start_crystal(inside, name), "cell", should_stop=hooks.should_stop)
    if rest.stopped:
        return rest.stopped
    one = limits(rest.crystal, {c.name: c.mass for c in bilayer.carriers}, asked.lindemann)
    found |= {"structure": name, "melting": Melting(one.kthny, one.lindemann), "melting_reason": one.reason}
    if one.elastic is not None:
        found |= {"shear_modulus": one.elastic.mu, "lattice_constant": one.elastic.lattice_constant}
    return None


def without_field(bilayer: Bilayer) -> Bilayer:
    """The same bilayer with all flavours of a carrier at one level."""
    return replace(bilayer, carriers=tuple(replace(c, splitting=0.0) for c in bilayer.carriers))


def split_of(carrier: Carrier) -> tuple[float, ...]:
    """What a field adds to every flavour (Ha_h), nothing without one."""
    return carrier.levels if carrier.splitting else ()


def mixture_of(bilayer: Bilayer, trions: bool, hooks: Hooks) -> tuple[Mixture, dict[str, float | None]]:
    """What is in equilibrium, and the binding energies of trions. Raises InputError for other carriers."""
    plain = without_field(bilayer)
    exciton = solve_complex(complex_of(plain, "exciton"), Options(TRION_TOLERANCE), hooks)
    electron, hole = bilayer.carrier("electron"), bilayer.carrier("hole")
    bound: dict[str, float | None] = {}
    for name in TRIONS if trions else ():
        if (electron if name == "trion-" else hole).flavours < 2 or hooks.should_stop() is not None:
            continue  # no singlet
        hooks.progress(f"ionisation: {name}")
        one = solve_complex(complex_of(plain, name), Options(TRION_TOLERANCE, max_functions=TRION_FUNCTIONS), hooks)
        bound[name] = one.binding_energy if one.bound else None
    return Mixture(electron.mass, (electron.flavours, hole.flavours), (electron.density, hole.density),
                   float(exciton.binding_energy or 0.0), {k: float(v) for k, v in bound.items() if v},
                   Pair.of(electron.mass, bilayer.interaction, float(exciton.distances.eh or 1.0)),
                   split=(split_of(electron), split_of(hole))), bound


def _ionisation(asked: Asked, found: dict[str, Any], data: dict[str, Variable], here: dict[str, float],
                hooks: Hooks) -> Status | None:
    one, bound = mixture_of(replace(asked.bilayer, temperature=0.0), asked.trions, hooks)
    stopped = hooks.should_stop()
    if stopped is not None:
        return stopped
    found |= {"exciton_binding": one.binding, "trion_binding": bound or None,
              "trion_unbinding": _unbinding(asked.bilayer, bound), "ionisation": one.half(False),
              **_with_screening(one, hooks)}
    stopped = hooks.should_stop()
    if stopped is not None:
        return stopped
    if found["ionisation"] is None:
        found["ionisation_reason"] = "more than half is ionised at any temperature that was looked at"
    hooks.progress("ionisation: temperatures")
    top = WIDE * max(found["ionisation"] or one.binding, found["ionisation_screened"] or 0.0)
    t = np.linspace(top / asked.points, top, asked.points)
    curves = {False: [one.at(x) for x in t], True: [one.screened(x) for x in t]}
    axis = ("ionisation_temperature",)
    data["ionisation_temperature"] = Variable(axis, t, "Ha_h", "k_B T")
    for screened, end in ((False, ""), (True, "_screened")):
        words = ", pairs screened" if screened else ""
        data[f"degree{end}"] = Variable(axis, np.array([c.degree for c in curves[screened]]), "1",
                                        "free carriers over all" + words)
        for name in SPECIES:
            data[f"{name}_density{end}"] = Variable(axis, np.array([getattr(c, name) for c in curves[screened]]),
                                                    "a_h^-2", f"density, {name.replace('_', ' ')}{words}")
    data["binding_screened"] = Variable(axis, np.array([one.binding - c.loss for c in curves[True]]), "Ha_h",
                                        "of an exciton among the free carriers")
    if asked.bilayer.temperature:
        here |= {"degree": one.at(asked.bilayer.temperature).degree,
                 "degree_screened": one.screened(asked.bilayer.temperature).degree}
    return None


def _unbinding(bilayer: Bilayer, bound: dict[str, float | None]) -> dict[str, float] | None:
    """The field over the given one at which a singlet's raised carrier costs what binds it; None without a field."""
    split = {"trion-": bilayer.carrier("electron").splitting, "trion+": bilayer.carrier("hole").splitting}
    return {name: energy / split[name] for name, energy in bound.items() if energy and split[name]} or None


def _with_screening(one: Mixture, hooks: Hooks) -> dict[str, Any]:
    """Where half is ionised and no pair is bound, by every level of theory; half of what they span is the error."""
    levels: dict[str, float | None] = {}
    mott: list[float] = []
    for level in (*LEVELS, LINEAR):
        if hooks.should_stop() is not None:
            break
        hooks.progress(f"ionisation: {level.name}")
        at = replace(one, level=level)
        levels[level.name] = at.half(True, HALVED if level is CENTRAL else SPREAD)
        density = None if level is LINEAR else at.mott()
        mott += [] if density is None else [density]
    told, best = [levels.get(level.name) or 0.0 for level in LEVELS], levels.get(CENTRAL.name)
    return {"ionisation_screened": best, "ionisation_error": max((max(told) - min(told)) / 2, SPREAD * (best or 0.0)),
            "ionisation_levels": levels, "mott_density": mott[0] if mott else None,
            "mott_error": (max(mott) - min(mott)) / 2 if mott else None}


def _estimates(result: ThermalResult, fewer: float) -> list[Estimate]:
    """Up to which temperature, in words; ``fewer`` is the density of the carriers that there are less of, a_h^-2."""
    many = "" if result.condensates == 1 else f", each of {result.condensates} equal condensates"
    rows = [Estimate("superfluid, at most", result.bkt_bound, result.bkt_reason or
                     f"T_BKT of (pi/2) n/M: all pairs superfluid and no vortices{many}")]
    if result.bkt is not None:
        rows.append(Estimate("superfluid", result.bkt, "T_BKT with broken pairs, sound, and vortices whose core costs "
                             f"{result.vortex_core:.2f} n_s/M; mean field, no disorder"))
    rows.append(Estimate("excitons, ideal", result.ionisation, result.ionisation_reason or
                         "half ionised by mass action of ideal gases, levels as in vacuum: too high"))
    if result.ionisation is not None:
        dense = result.mott_density is not None and fewer > result.mott_density + (result.mott_error or 0.0)
        known = result.ionisation_screened is not None
        rows.append(Estimate(
            "excitons", result.ionisation_screened, "half ionised, screened by the free carriers there are; error: "
            f"what levels of theory span{'; denser than where free carriers bind pairs at T = 0' * dense}" if known else
            "ionised at any temperature that was looked at", result.ionisation_error if known else None))
    crystal = f"{result.structure} crystal" if result.structure else "crystal"
    if result.melting.kthny is None and result.melting.lindemann is None:
        return [*rows, Estimate(crystal, None, result.melting_reason)]
    return [*rows, Estimate(f"{crystal}, KTHNY", result.melting.kthny, result.melting_reason or
                            "dislocations unbind, elastic constants of point charges at rest: an upper bound"),
            Estimate(f"{crystal}, Lindemann", result.melting.lindemann,
                     "neighbours' relative motion, thermal and zero-point, below 0.1 of the distance squared"
                     if result.melting.lindemann else "zero-point motion alone melts it: no crystal")]
