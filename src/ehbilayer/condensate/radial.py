"""The exciton condensate in the infinite plane: the mesh follows the state until the energy stays.

Steps: `first_mesh` (scales of exciton and Fermi sea), `bogoliubov.minimise`, `_fitted` (gather nodes where the
occupation falls), finer steps until the energy per pair changes by less than the tolerance, `report`. The functional is
that of `bogoliubov`, the angular average of `mesh`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.condensate.averages import require_averages
from ehbilayer.condensate.bogoliubov import PairState, fill, minimise
from ehbilayer.condensate.mesh import HIGHEST, REACH, Mesh, RadialWaves
from ehbilayer.condensate.pairs import exciton_wave_number, pair_layers, pair_of
from ehbilayer.condensate.report import Gas, arrays, described
from ehbilayer.condensate.result import PlaneCondensateResult
from ehbilayer.errors import InputError
from ehbilayer.interaction.base import Interaction, refuse_capacitor
from ehbilayer.liquid.gas import Gas as Liquid
from ehbilayer.model import ELECTRON_LAYER, HOLE_LAYER, Bilayer, Carrier
from ehbilayer.results.base import Result, Variable
from ehbilayer.status import Status

STEPS = (0.15, 0.11, 0.08, 0.06, 0.045)  # of t; errors fall about a thousandfold from one to the next
ROUGH = 0.2  # step while the mesh looks for the Fermi surface
FITS = 14
ENDS = 1e10  # k over the cutoff K at which a mesh ends, in K k/(K + k)
THINNEST = 1e-9  # narrowest drop of the occupation that is followed, in units of k


@dataclass(frozen=True)
class Pairs:
    """What is asked for.

    Parameters
    ----------
    bilayer : electrons and holes, equally dense (all flavours, a_h^-2; 0 where that is still to be found).
    flavours : equal condensates of density/flavours each. capacitor : with the energy 2 pi d n^2 per area, which gates
    bring in their v(0).

    Raises
    ------
    InputError : an interaction of one's own with steps or ripples, a carrier with a dispersion of its own, other
        carriers than one kind of electrons and one of holes, unequal densities, fewer than one flavour, a capacitor
        beside gates.
    """

    bilayer: Bilayer
    flavours: int = 1
    capacitor: bool = False

    def __post_init__(self) -> None:
        interaction = self.bilayer.interaction
        require_averages(interaction, pair_layers(self.bilayer))
        refuse_capacitor(interaction, self.capacitor)
        for carrier in pair_of(self.bilayer):
            if carrier.dispersion is not None:
                raise InputError(f"{carrier.name} dispersion", "k^2/2m for the condensate of the infinite plane",
                                 "a function", "a torus can treat other dispersions")
        if self.flavours < 1:
            raise InputError("flavours", "an integer >= 1", self.flavours, "1 for polarised carriers")

    @classmethod
    def read(cls, told: Mapping[str, Any], interaction: Interaction) -> Pairs:
        """From the `parameters` of a result, and the interaction."""
        n, flavours = told["density"], told["flavours"]
        carriers = (Carrier("electron", -1, told["electron_mass"], ELECTRON_LAYER, n, flavours),
                    Carrier("hole", 1, 1.0, HOLE_LAYER, n, flavours))
        return cls(Bilayer(carriers, interaction), flavours, told["capacitor"])

    @property
    def parameters(self) -> dict[str, Any]:
        """What a result says of them."""
        return {"electron_mass": self.mass_ratio, "spacing": self.bilayer.spacing, "density": self.density,
                "flavours": self.flavours, "capacitor": self.capacitor}

    def at(self, density: float) -> Pairs:
        """The same pairs at another density (a_h^-2)."""
        return replace(self, bilayer=self.bilayer.with_densities(dict.fromkeys(
            (c.name for c in self.bilayer.carriers), density)))

    @property
    def density(self) -> float:
        """Pairs per area of all flavours, a_h^-2."""
        return pair_of(self.bilayer)[1].density

    @property
    def mass_ratio(self) -> float:
        """m_e/m_h."""
        electron, hole = pair_of(self.bilayer)
        return electron.mass / hole.mass

    @property
    def fermi(self) -> float:
        """k_F = sqrt(4 pi n) of one flavour, 1/a_h."""
        return math.sqrt(4 * math.pi * self.density / self.flavours)

    def gas(self, mesh: Mesh) -> Gas:
        """The pairs on the nodes of a mesh."""
        layers, interaction = pair_layers(self.bilayer), self.bilayer.interaction
        waves = RadialWaves(mesh, self.mass_ratio, interaction, layers)
        charging = interaction.charging([(layers[0], -1.0), (layers[1], 1.0)], 1.0)
        return Gas(waves, waves.k**2 * (1 / self.mass_ratio - 1) / 4, self.flavours, self.density,
                   charging if self.capacitor or interaction.finite else 0.0,
                   sum(g.chemical_slope for g in self.liquids) / self.flavours)

    @property
    def liquids(self) -> tuple[Liquid, Liquid]:
        """Electrons and holes of one flavour without pairing."""
        electron, hole = (Liquid(replace(c, density=self.density / self.flavours), self.bilayer.interaction, 1)
                          for c in pair_of(self.bilayer))
        return electron, hole

    @property
    def reach(self) -> float:
        """Wave number (1/a_h) beyond which v between the layers has died out by exp(-REACH), or HIGHEST."""
        q = np.geomspace(1 / HIGHEST, HIGHEST, 401)
        v = q * np.abs(self.bilayer.interaction.v(q, *pair_layers(self.bilayer)))
        above = np.flatnonzero(v > math.exp(-REACH) * v.max())
        return float(q[above[-1]])


@dataclass(frozen=True, eq=False)
class Solution:
    """A converged mesh: its state, and the last change of the energy per pair (Ha_h)."""

    pairs: Pairs
    mesh: Mesh
    state: PairState
    mesh_error: float
    iterations: int

    @property
    def gas(self) -> Gas:
        """The pairs on that mesh."""
        return self.pairs.gas(self.mesh)


def solve(pairs: Pairs, *, tolerance: float = 1e-8, initial: Result | None = None,
          should_stop: Callable[[], Status | None] | None = None) -> PlaneCondensateResult:
    """The homogeneous condensate of the infinite plane at a density.

    Parameters
    ----------
    pairs : the bilayer, how many flavours pair, and whether the capacitor counts.
    tolerance : bound on the error of the energy per pair (Ha_h).
    initial : a result of this function to start from; where its mesh fits, nothing is set up anew.

    Returns
    -------
    PlaneCondensateResult; not_converged if the finest mesh changes the energy by more than the tolerance.

    Raises
    ------
    InputError : an initial result of a torus.
    """
    guess = None if initial is None else from_result(initial, pairs)
    return report(find(pairs, tolerance, guess, should_stop), tolerance)


def find(pairs: Pairs, tolerance: float, guess: Solution | None = None,
         should_stop: Callable[[], Status | None] | None = None, cutoff: float | None = None) -> Solution:
    """The state on a mesh that holds the tolerance; ``guess`` is a solution at nearby parameters, ``cutoff`` (1/a_h)
    the largest wave number where there is one.

    The largest gap, which is linear in the error of a state, settles to the square root of the tolerance, relative;
    gaps below the tolerance do not matter.
    """
    def look(iteration: int, energy: float, residual: float) -> Status | None:
        return should_stop() if should_stop is not None else None

    target, cost, error = residual_target(tolerance), 0, math.inf
    mesh = first_mesh(pairs, ROUGH, cutoff) if guess is None else guess.mesh
    state = _solve_on(pairs, mesh, None if guess is None else (guess.mesh, guess.state), target, look)
    cost += state.iterations
    if guess is not None and math.isfinite(guess.mesh_error) and _near(guess.pairs, pairs) and \
            fits(pairs, mesh, state):
        return Solution(pairs, mesh, state, guess.mesh_error, cost)
    for fitted in _fitted(pairs, mesh, state, target, look):
        mesh, state = fitted
        cost += state.iterations
    for step in STEPS:
        finer = replace(mesh, step=step)
        new = _solve_on(pairs, finer, (mesh, state), target, look)
        error = abs(new.energy - state.energy) * pairs.flavours / pairs.density
        gap = float(np.max(new.gap))
        drift = abs(gap - float(np.max(state.gap)))
        mesh, state, cost = finer, new, cost + new.iterations
        settled = error < tolerance and drift < max(math.sqrt(tolerance) * gap, tolerance)
        if settled or state.status is not Status.converged:
            break
    return Solution(pairs, mesh, state, error, cost)


def residual_target(tolerance: float) -> float:
    """Residual (Ha_h) at which a state is converged; its square over the gap is the error of the energy."""
    return max(1e-3 * math.sqrt(tolerance), 1e-11)


def _near(a: Pairs, b: Pairs) -> bool:
    """Whether the accuracy of a mesh for one holds for the other."""
    return (a.bilayer.interaction, a.flavours) == (b.bilayer.interaction, b.flavours) \
        and abs(math.log(a.density / b.density)) < 0.2 and abs(math.log(a.mass_ratio / b.mass_ratio)) < 0.2


def _solve_on(pairs: Pairs, mesh: Mesh, guess: tuple[Mesh, PairState] | None, target: float,
              look: Callable[[int, float, float], Status | None]) -> PairState:
    """Minimise on one mesh, from a state of another one or from a smooth gap."""
    gas = pairs.gas(mesh)
    waves, count = gas.kset, pairs.density / pairs.flavours
    assert isinstance(waves, RadialWaves)
    if guess is None:
        scale = max(pairs.fermi, exciton_wave_number(pairs.bilayer))
        exchange, gap = np.zeros_like(waves.k), scale**2 / (1 + (waves.k / scale) ** 2)
    else:
        k, _ = guess[0].nodes()
        exchange, gap = (np.interp(waves.k, k, f) for f in (guess[1].exchange, guess[1].gap))
    start, _ = fill(waves.kinetic / 2 - exchange, gap, waves.weights, count)
    return minimise(waves, count, start, residual=target, look=look)


def first_mesh(pairs: Pairs, step: float, cutoff: float | None = None) -> Mesh:
    """A mesh for the scales of a lone exciton and of the Fermi sea, up to a cutoff where there is one."""
    scale = math.hypot(pairs.fermi, exciton_wave_number(pairs.bilayer))
    # beyond, the pair amplitude has fallen as v between the layers has
    highest = min(HIGHEST * scale, 4 * scale + pairs.reach)
    if cutoff is not None:
        highest = ENDS * max(cutoff, scale)
    return Mesh(scale, highest, step, pairs.fermi, 0.25 * pairs.fermi, 1.0, cutoff)


def _fitted(pairs: Pairs, mesh: Mesh, state: PairState, target: float,
            look: Callable[[int, float, float], Status | None]) -> Iterator[tuple[Mesh, PairState]]:
    """Meshes that gather closer and closer to the drop of the occupation, and the state on each."""
    for _ in range(FITS):
        drop = drop_of(pairs, mesh, state)
        fresh = first_mesh(pairs, ROUGH, mesh.cutoff)
        if drop is None:  # excitons: the occupation has no edge
            better = replace(fresh, centre=0.0, width=1.0, strength=0.0)
        else:
            width = max(drop[1], mesh.width / 30, THINNEST * drop[0])
            better = replace(fresh, centre=drop[0], width=width)
        settled = better.strength == mesh.strength and (
            better.strength == 0 or (0.7 * mesh.width < better.width < 1.4 * mesh.width
                                     and abs(better.centre - mesh.centre) < 0.3 * better.width))
        state = _solve_on(pairs, better, (mesh, state), target, look)
        mesh = better
        yield mesh, state
        if settled or state.status is not Status.converged:
            return


def drop_of(pairs: Pairs, mesh: Mesh, state: PairState) -> tuple[float, float] | None:
    """Where xi_k = 0 and the width gap/|dxi/dk| of the occupation's fall there; None where it has no edge."""
    gas = pairs.gas(mesh)
    k, _ = mesh.nodes()
    xi = gas.kset.kinetic / 2 - state.exchange - state.chemical_potential / 2
    above = np.flatnonzero(xi > 0)
    i = int(above[0]) if len(above) else 0
    if i == 0:
        return None
    t = -xi[i - 1] / (xi[i] - xi[i - 1])
    centre, slope = k[i - 1] + t * (k[i] - k[i - 1]), (xi[i] - xi[i - 1]) / (k[i] - k[i - 1])
    width = (state.gap[i - 1] + t * (state.gap[i] - state.gap[i - 1])) / slope
    return None if width > 0.7 * centre else (float(centre), float(width))


def fits(pairs: Pairs, mesh: Mesh, state: PairState) -> bool:
    """Whether a mesh made for another state resolves this one."""
    if state.status is not Status.converged or not 0.7 < first_mesh(pairs, ROUGH).scale / mesh.scale < 1.4:
        return False
    drop = drop_of(pairs, mesh, state)
    if drop is None:
        return True
    return bool(mesh.strength > 0 and 0.6 * mesh.width < drop[1] and abs(drop[0] - mesh.centre) < 0.7 * mesh.width)


def from_result(result: Result, pairs: Pairs) -> Solution:
    """The solution that a result of `solve` holds, to start ``pairs`` from. Raises InputError for one of a torus."""
    if not isinstance(result, PlaneCondensateResult):
        raise InputError("initial", "a condensate of the thermodynamic limit", result.kind, "leave it out")
    interaction, data, mesh = pairs.bilayer.interaction, result.data, Mesh(**result.inputs["mesh"])
    was = Pairs.read(result.inputs["pairs"], interaction)
    state = PairState(data["angle"].values, data["exchange_field"].values, data["gap_function"].values,
                      result.chemical_potential - result.energy_parts_per_pair.zeeman
                      - 2 * was.gas(mesh).capacitor * was.density, math.nan, result.residual,
                      0, result.status)
    # a mesh for another interaction is none for this one
    told = result.inputs.get("interaction", {"name": "coulomb", "spacing": result.inputs["pairs"]["spacing"]})
    same = told == interaction.parameters
    error = math.inf if result.mesh_error is None or not same else result.mesh_error
    return Solution(was, mesh, state, error, 0)


def pair_size(waves: RadialWaves, amplitude: np.ndarray) -> float:
    """Root of the mean squared in-plane distance in a pair, sqrt(sum |dF/dk|^2 / sum F^2), a_h."""
    slope = waves.derivative(amplitude)
    return float(np.sqrt(waves.weights @ slope**2 / (waves.weights @ amplitude**2)))


def report(found: Solution, tolerance: float) -> PlaneCondensateResult:
    """The result of a solution: energies per pair and per area, arrays over k."""
    gas, state, pairs = found.gas, found.state, found.pairs
    waves = gas.kset
    assert isinstance(waves, RadialWaves)
    said = described(gas, state) | {"iterations": found.iterations}
    normal = sum(liquid.energy for liquid in pairs.liquids) + gas.capacitor * pairs.density
    status = state.status
    if status is Status.converged and not found.mesh_error <= tolerance:
        status = Status.not_converged
    data = {"k": Variable(("k",), waves.k, "1/a_h", "wave number"),
            "weight": Variable(("k",), waves.weights, "a_h^-2", "sum over k per area: sum(weight * f)")}
    inputs = {"pairs": pairs.parameters, "interaction": pairs.bilayer.interaction.parameters,
              "mesh": asdict(found.mesh), "tolerance": tolerance}
    return PlaneCondensateResult(
        status=status, **said, energy_per_area=gas.energy(state), density=pairs.density, fermi_wave_number=pairs.fermi,
        normal_energy_per_pair=normal, condensation_energy=said["energy_per_pair"] - normal,
        pair_size=pair_size(waves, state.amplitude) if said["phase"] == "condensate" else None,
        mesh_points=len(waves.k),
        mesh_error=found.mesh_error, residual_target=residual_target(tolerance), inputs=inputs,
        data=data | arrays(gas, state, "k"))
