"""A condensate's result at a temperature: what `warm` found in place of the ground state that it started from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from ehbilayer.condensate.report import NORMAL, Gas
from ehbilayer.condensate.result import CondensateResult, EnergyParts, PlaneCondensateResult, TorusCondensateResult
from ehbilayer.condensate.warm import WarmState, closing_temperature, normal_state, solve_warm
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status

Found = TypeVar("Found", bound=CondensateResult)
FROZEN = 1e-7  # k_B T over the largest field that stands for all lower temperatures


def warmed(result: Found, gas: Gas, exchange: np.ndarray, gap: np.ndarray, temperature: float, residual: float,
           size: Callable[[WarmState], float], should_stop: Callable[[], Status | None]) -> Found:
    """The result of the ground state, with all that changes at k_B T (Ha_h > 0).

    Parameters
    ----------
    result, exchange, gap : of the ground state, whose X_k and D_k it starts from.
    residual : largest change of a field (Ha_h) at which it has converged.   size : of a pair, a_h.
    """
    # below, nothing changes
    temperature = max(temperature, FROZEN * float(max(np.max(np.abs(exchange)), np.max(gap))))
    state = solve_warm(gas, temperature, exchange, gap, residual, should_stop)
    normal = normal_state(gas, temperature, residual, state.exchange, should_stop)
    settled = state.status is normal.status is Status.converged
    closing = closing_temperature(gas, max(float(np.max(gap)), 1e-3 * temperature), residual,
                                  should_stop) if settled else None
    said = described(gas, state, normal) | {"gap_closing": closing, "residual_target": residual}
    status = result.status if result.status is not Status.converged else state.status
    if status is Status.converged and normal.status is not Status.converged:
        status = normal.status
    paired = said["phase"] == "condensate"
    data = {name: v for name, v in result.data.items() if name != "angle"} | _arrays(result, state)
    return replace(result, status=status, data=data, pair_size=size(state) if paired else None, **said,
                   **_of_geometry(result, gas, said), inputs=result.inputs | {"temperature": temperature})


def described(gas: Gas, state: WarmState, normal: WarmState) -> dict[str, Any]:
    """Fields of every `CondensateResult` at a temperature."""
    share, w = gas.flavours / gas.pairs, gas.kset.weights
    charged = gas.capacitor * gas.pairs
    energy, t = share * state.energy + charged, state.temperature
    fraction = share * float(w @ state.amplitude**2)
    kinetic = float(w @ (state.electron * (gas.kset.kinetic / 2 + gas.difference)
                         + state.hole * (gas.kset.kinetic / 2 - gas.difference)))
    exchange = -0.5 * float(w @ (state.electron * state.exchange[0] + state.hole * state.exchange[1]))
    gaps = [float(np.min(b)) for b in state.branches]
    return {
        "phase": "condensate" if fraction > NORMAL else "liquid", "temperature": t,
        "energy_per_pair": energy, "energy_per_particle": energy / 2,
        "energy_parts_per_pair": EnergyParts(share * kinetic, charged, share * exchange,
                                             -share * float(w @ (state.amplitude * state.gap))),
        "free_energy_per_pair": share * state.free_energy + charged, "entropy_per_pair": share * state.entropy,
        "normal_energy_per_pair": share * normal.energy + charged,
        "normal_free_energy_per_pair": share * normal.free_energy + charged,
        "condensation_energy": share * (state.free_energy - normal.free_energy),
        "chemical_potential": state.chemical_potential + 2 * charged, "chemical_potential_slope": None, "concave": None,
        "max_occupation": float(max(state.electron.max(), state.hole.max())), "condensate_fraction": fraction,
        "max_gap": float(np.max(state.gap)), "quasiparticle_gap": Carriers(dict(zip(("electron", "hole"), gaps,
                                                                                 strict=True))),
        "pair_breaking_energy": sum(gaps), "residual": state.residual, "iterations": state.iterations}


def _of_geometry(result: CondensateResult, gas: Gas, said: dict[str, Any]) -> dict[str, Any]:
    """Totals of a torus, or the energy per area of the plane."""
    if isinstance(result, PlaneCondensateResult):
        return {"energy_per_area": said["energy_per_pair"] * gas.pairs}
    assert isinstance(result, TorusCondensateResult)
    parts = {name: value * gas.pairs for name, value in vars(said["energy_parts_per_pair"]).items()}
    gap = said["pair_breaking_energy"]
    return {"total_energy": said["energy_per_pair"] * gas.pairs, "energy_parts": EnergyParts(**parts),
            "normal_energy": said["normal_energy_per_pair"] * gas.pairs,
            "gap": Carriers({"electron": gap, "hole": gap})}


def _arrays(result: CondensateResult, state: WarmState) -> dict[str, Variable]:
    """The arrays of `report.arrays` at a temperature, in which electrons and holes differ."""
    dims = result.data["occupation"].dims
    told = {"occupation": (state.electron, "1", "n_k of each flavour, of electrons"),
            "occupation_hole": (state.hole, "1", "n_k of each flavour, of holes"),
            "pair_amplitude": (state.amplitude, "1", "F_k"), "gap_function": (state.gap, "Ha_h", "D_k"),
            "exchange_field": (state.exchange[0], "Ha_h", "X_k of electrons"),
            "exchange_field_hole": (state.exchange[1], "Ha_h", "X_k of holes"),
            "quasiparticle_electron": (state.branches[0], "Ha_h", "energy to add an electron, from mu/2 + nu"),
            "quasiparticle_hole": (state.branches[1], "Ha_h", "energy to add a hole, from mu/2 - nu")}
    return {name: Variable(dims, values, unit, what) for name, (values, unit, what) in told.items()}
