"""Which phase wins at one point: every candidate converged with its own symmetry held, and compared by energy.

All candidates have the same particles, box, zero-mode convention and waves. Steps: `candidates` (who competes, what
each one holds), `converge` (one of them), `judge` (winner, margin, numerical error).

In Hartree-Fock the liquid is never the lowest state without constraints (Bernu et al., PRB 84, 115115 (2011)), so a
phase is a candidate with a symmetry that it keeps. A candidate may still end as another phase, a crystal that melts
for instance; it then counts for the phase it ended as.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.condensate import torus as condensate_torus
from ehbilayer.condensate.torus import Angles
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.cutoff import basis_error, orbitals_of
from ehbilayer.hartree_fock.handover import may_go_on, same_particles
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.order import bragg_weights, spin_orders
from ehbilayer.hartree_fock.solver import solve
from ehbilayer.hartree_fock.stability import CURVATURE_ZERO
from ehbilayer.hartree_fock.starts import How
from ehbilayer.numerics.lattice import Cell, crystal_cell
from ehbilayer.orbitals import PREFIX, Orbitals
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.status import Status
from ehbilayer.torus import Torus

COMPETING = ("liquid", "hole-crystal", "electron-crystal", "crystal", "condensate")
LOCAL_ELECTRONS = ("electron-crystal", "crystal", "stripes")  # electrons one by one on sites: their spins must differ
CELLS = {"stripes": 4}  # holes per cell of candidates that need more than their spins do
BASIS_DOUBT = 0.3  # `hartree_fock.cutoff.basis_error` finds two thirds or more of a basis error
STOPPED = ("interrupted", "timeout")
PAIRS = ("waves", "angle")  # arrays that a condensate starts from
PAPER_CUTS = {"electron": 6000.0, "hole": 10000.0}  # of the momentum variance; Nashabeh & Fu, for N = 36


@dataclass(frozen=True)
class Candidate:
    """A phase that competes: the torus with its spins, the cell it keeps, and how it is solved."""

    name: str
    torus: Torus
    basis: PlaneWaveBasis
    options: Options


def applicable(torus: Torus) -> tuple[str, ...]:
    """The candidates that these particles can form; a condensate needs as many electrons as holes."""
    counts = {s.name: s.count for s in torus.species if s.count}
    if set(counts) != {"electron", "hole"}:
        return ("liquid", "crystal")
    if counts["electron"] == counts["hole"]:
        return COMPETING
    two = ("trion-crystal",) if counts["electron"] == 2 * counts["hole"] else ()
    return ("liquid", "hole-crystal", "electron-crystal", *(two or ("crystal",)))


def candidates(torus: Torus, basis: PlaneWaveBasis, names: Sequence[str], options: Options) -> list[Candidate]:
    """The candidates ``names`` with the symmetry that each one keeps.

    The liquid keeps all translations, a crystal those of one site per cell. Electrons that sit one by one on sites
    cannot share orbitals: where liquid electrons are restricted these are unrestricted, in rows of alternating spin,
    two sites per cell. Stripes have four. The condensate's electrons and holes are polarised.

    Raises InputError for a candidate that these particles cannot form or the box cannot hold.
    """
    found = []
    possible = {*applicable(torus), *(("stripes",) if "crystal" in applicable(torus) else ()),
                *(("dumbbell-crystal",) if "trion-crystal" in applicable(torus) else ())}
    for name in dict.fromkeys(names):
        if name not in possible:
            raise InputError("phases.candidates", " | ".join(sorted(possible)), name, "leave out what cannot form here")
        found.append(_candidate(torus, basis, name, options))
    return found


def _candidate(torus: Torus, basis: PlaneWaveBasis, name: str, options: Options) -> Candidate:
    if name == "condensate":
        polarised = replace(torus, electron_spin="polarized", hole_spin="polarized")
        return Candidate(name, polarised, PlaneWaveBasis(basis.box, basis.waves), options)
    here = torus
    if name in LOCAL_ELECTRONS and torus.electron_spin == "restricted":
        here = replace(torus, electron_spin="unrestricted")
    mixed = any(s.spin == "unrestricted" and s.flavours > 1 for s in here.species)
    cells = CELLS.get(name, 2 if mixed and name != "liquid" else 1)
    try:
        basis = PlaneWaveBasis(basis.box, basis.waves, crystal_cell(basis.box, here.sites, cells))
    except InputError as error:
        raise InputError("cell.holes", f"a number that a crystal of {cells} sites per cell fills (for the candidate "
                         f"{name})", here.sites, f"choose another number, or leave out this candidate ({error.todo})"
                         ) from None
    keep = "translations" if name == "liquid" else "none"
    return Candidate(name, here, basis, replace(options, start=name, keep=keep, spin_order="stripe" if mixed else
                                                options.spin_order))


def compete(candidates: Sequence[Candidate], *, earlier: Result | None = None, initial: Result | None = None,
            keep_states: bool = False, threads: int = 1, backend: str = "numpy",
            progress: Callable[[str], None] | None = None, checkpoint: Callable[[Result], None] | None = None,
            should_stop: Callable[[], Status | None] | None = None) -> Result:
    """Converge every candidate and name the winner.

    Parameters
    ----------
    candidates : from `candidates`.
    earlier : an unfinished result of the same candidates; what it holds is not computed again.
    initial : the result of a neighbouring point, computed with ``keep_states``; each candidate starts from its own
        state there if that kept its character (`handover.may_go_on`), else from its own guess; ``start`` of its row
        says which.
    keep_states : keep the states of the candidates for that.
    threads, backend : for Hartree-Fock.
    progress, checkpoint, should_stop : told a line, an unfinished Result after every candidate; asked when to stop.

    Returns
    -------
    Result of kind ``phases``; its status is that of the competition: converged when every candidate is.
    """
    rows = list(earlier.summary["candidates"]) if earlier is not None else []
    kept = ("cell_", "density_", PREFIX)
    data = {k: v for k, v in earlier.data.items() if k.startswith(kept)} if earlier is not None else {}
    states: dict[str, Result] = {}
    stopped = None

    def tell(candidate: Candidate, state: dict[str, Any]) -> None:
        number = [c.name for c in candidates].index(candidate.name) + 1
        if progress is not None:
            text = f"{candidate.name} ({number}/{len(candidates)})  iteration {state.get('iteration', 0)}"
            progress(text + (f"  residual {state['residual']:.1e}" if "residual" in state else ""))

    how: dict[str, Any] = {"threads": threads, "backend": backend, "progress": tell, "should_stop": should_stop}
    for candidate in candidates:
        if any(row["name"] == candidate.name and row["status"] not in STOPPED for row in rows):
            continue
        rows = [row for row in rows if row["name"] != candidate.name]
        start = _start_of(candidate, initial)
        row, state = converge(candidate, initial=start, **how)
        rows.append(row if initial is None else row | {"start": "neighbour" if start is not None else "own guess"})
        states[candidate.name] = state
        data |= _densities(candidate.name, state) | (_keep_state(row, state) if keep_states else {})
        if row["status"] in STOPPED:
            stopped = Status(row["status"])
            break
        if checkpoint is not None:
            checkpoint(_result(candidates, rows, data, Status.interrupted))
    if stopped is None:
        _estimate_errors(candidates, rows, states, initial, how)
    return _result(candidates, rows, data, stopped)


def converge(candidate: Candidate, *, initial: Orbitals | Angles | None = None, threads: int = 1,
             backend: str = "numpy",
             progress: Callable[[Candidate, dict[str, Any]], None] | None = None,
             should_stop: Callable[[], Status | None] | None = None) -> tuple[dict[str, Any], Result]:
    """One candidate: its row of the table (energies per hole in Ha_h), and the result of its method.

    ``initial`` is a state of the same method to start from.
    """
    began = time.monotonic()
    if candidate.name == "condensate":
        assert not isinstance(initial, Orbitals)
        result = _solve_condensate(candidate, initial, should_stop)
        row = _condensate_row(candidate.torus, result)
    else:
        assert not isinstance(initial, Angles)
        how = How(backend, threads, None if progress is None else partial(progress, candidate), None, should_stop)
        held = replace(candidate.options, follow=False)  # it competes with its own symmetry, wherever a saddle leads
        result = solve(candidate.torus, candidate.basis, held, how, initial=initial)
        row = _row(candidate, result)
        if candidate.options.follow and row["saddle"] and result.status is Status.converged:
            row["towards"] = _fall(candidate, result, how)
    row = {"name": candidate.name, "status": result.status.value} | row | {"seconds": time.monotonic() - began}
    return row, result


def _start_of(candidate: Candidate, neighbour: Result | None) -> Orbitals | Angles | None:
    """The candidate's state in a neighbour's result, None if it has none that may go on, or other particles."""
    name = candidate.name
    if neighbour is None or f"{PREFIX}waves_{name}" not in neighbour.data or not same_particles(
            candidate.torus, neighbour.inputs):
        return None
    if name != "condensate":
        return Orbitals.unpack(name, candidate.torus, Cell(np.array(neighbour.inputs["box"])), neighbour.data)
    if candidate.options.basis_tolerance is not None:
        return None  # it finds its own waves, from its own guess
    return Angles(*(neighbour.data[f"{PREFIX}{key}_{name}"].values for key in PAIRS))


def _keep_state(row: dict[str, Any], result: Result) -> dict[str, Variable]:
    """The arrays of a candidate's state if it may go on (`handover.may_go_on`), by names that end in the candidate's.
    """
    name = row["name"]
    if row["status"] != Status.converged:
        return {}
    if name == "condensate":
        dims = (f"{PREFIX}wave_{name}", "axis")
        arrays = {key: result.data[key] for key in PAIRS}
        return {f"{PREFIX}{key}_{name}": replace(v, dims=dims[: v.values.ndim]) for key, v in arrays.items()
                if row["phase"] == name}
    return orbitals_of(result).pack(name) if may_go_on(name, row["phase"], row["sea_depletion"]) else {}


def _densities(name: str, result: Result) -> dict[str, Variable]:
    """The densities of a candidate and the cell they are given on, under its name."""
    axes = {"cell_1": f"cell_1_{name}", "cell_2": f"cell_2_{name}", "vector": "vector", "axis": "axis"}
    return {f"{key}_{name}": Variable(tuple(axes[d] for d in v.dims), v.values, v.units, v.description)
            for key, v in result.data.items() if key == "cell" or key.startswith("density_")}


def _estimate_errors(candidates: Sequence[Candidate], rows: list[dict[str, Any]], states: dict[str, Result],
                     initial: Result | None, how: dict[str, Any]) -> None:
    """Fill in the basis errors of the two lowest phases, on which the verdict rests."""
    for row in _ranked(rows)[:2]:
        if row["basis_error"] is None:
            candidate = next(c for c in candidates if c.name == row["name"])
            state = states.get(row["name"]) or converge(candidate, initial=_start_of(candidate, initial), **how)[1]
            if state.status is Status.converged:
                row["basis_error"] = basis_error(candidate.torus, candidate.basis, state,
                                                 threads=how["threads"]) / candidate.torus.sites


def _solve_condensate(candidate: Candidate, initial: Angles | None,
                      should_stop: Callable[[], Status | None] | None) -> Result:
    tolerance, free = candidate.options.tolerance, candidate.options.basis_tolerance
    if free is None:
        return condensate_torus.solve(candidate.torus, candidate.basis, tolerance=tolerance, initial=initial,
                                      should_stop=should_stop)
    # Hartree-Fock counts its tolerance per particle, the condensate per pair
    return condensate_torus.solve_to_tolerance(candidate.torus, tolerance=2 * free, should_stop=should_stop)


def _row(candidate: Candidate, result: Result) -> dict[str, Any]:
    s, sites, orbitals = result.summary, candidate.torus.sites, orbitals_of(result)
    error = s.get("basis_error")
    stability = s["stability"]
    return {"energy": result.energy_unconverged() / sites, "phase": s["phase"],
            "basis_error": None if error is None else error * candidate.torus.particles / sites,
            "basis_size": s["basis_size"],
            "solver_error": candidate.options.tolerance * candidate.torus.particles / sites,
            "momentum_variance": s["momentum_variance"], "sea_depletion": s["sea_depletion"],
            "zone_deviation": s["zone_deviation"], "bragg_weight": bragg_weights(candidate.torus, orbitals),
            "spin_order": spin_orders(candidate.torus, orbitals), "gap": s["gap"],
            "pair_amplitude": 0.0, "edge_occupation": s["edge_occupation"], "iterations": s["iterations"],
            "curvature": {k: stability.get(k) for k in ("within_kept_symmetry", "beyond")},
            "saddle": stability.get("lowest_curvature") is not None and stability["lowest_curvature"]
            < -CURVATURE_ZERO,
            "towards": None}


def _fall(candidate: Candidate, result: Result, how: How) -> dict[str, Any]:
    """Where the lowest mode of a saddle leads: the phase and energy per hole of the state below, nothing held."""
    below = solve(candidate.torus, candidate.basis, replace(candidate.options, basis_tolerance=None), how,
                  initial=orbitals_of(result))
    return {"phase": below.summary["phase"], "energy": below.energy_unconverged() / candidate.torus.sites,
            "status": below.status.value}


def _condensate_row(torus: Torus, result: Result) -> dict[str, Any]:
    s = result.summary
    empty = {"electron": None, "hole": None}
    error = s["basis_error"]
    return {"energy": s["energy"] / torus.sites, "phase": s["phase"],
            "basis_error": None if error is None else error / torus.sites, "basis_size": s["basis_size"],
            "solver_error": s["solver_error"] / torus.sites,
            "momentum_variance": s["momentum_variance"], "sea_depletion": dict(empty), "zone_deviation": dict(empty),
            "bragg_weight": {"electron": 0.0, "hole": 0.0}, "spin_order": dict(empty),
            "gap": s["gap"], "pair_amplitude": s["condensate_fraction"], "edge_occupation": s["edge_occupation"],
            "iterations": s["iterations"], "curvature": {"within_kept_symmetry": None, "beyond": None},
            "saddle": None, "towards": None, "normal_energy": s["normal_energy_per_pair"]}


def judge(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Winner, runner-up, margin and numerical error (Ha_h per hole) of converged rows.

    Candidates that ended as one phase stand for it together, by their lowest energy. The margin is the distance to
    the next phase. The numerical error is how much smaller it may really be: what basis and solver overrate the next
    phase's energy more than the winner's, and BASIS_DOUBT of both basis errors, which are estimates.
    """
    ranked = _ranked(rows)
    if not ranked:
        return {"winner": "unknown", "runner_up": None, "margin": None, "numerical_error": None, "resolved": False}
    if len(ranked) == 1:
        return {"winner": ranked[0]["phase"], "runner_up": None, "margin": None, "numerical_error": None,
                "resolved": True}
    first, second = ranked[:2]
    basis = [r["basis_error"] or 0.0 for r in (first, second)]
    error = max(basis[1] - basis[0], 0.0) + BASIS_DOUBT * sum(basis) + first["solver_error"] + second["solver_error"]
    margin = second["energy"] - first["energy"]
    return {"winner": first["phase"], "runner_up": second["phase"], "margin": margin, "numerical_error": error,
            "resolved": margin > error}


def cautions(candidates: Sequence[Candidate], rows: Sequence[dict[str, Any]]) -> list[str]:
    """What a reader of the verdict must not overlook.

    The condensate's electrons are polarised. Where those of the liquid are not, it may win by their polarisation
    rather than by pairing: its normal state, the polarised plasma, then lies below the runner-up already.
    """
    ranked = _ranked(rows)
    spins = {c.name: [s.spin for s in c.torus.species] for c in candidates}
    if len(ranked) < 2 or ranked[0]["phase"] != "condensate" or set(spins.get("liquid", ())) <= {"polarized"}:
        return []
    gain = ranked[1]["energy"] - ranked[0]["normal_energy"]
    if gain <= 0:
        return []
    return [f"polarised electrons and holes without pairing lie {gain:.2g} Ha_h per hole below the "
            f"{ranked[1]['phase']} already: the condensate wins by spin; compare electron_spin = \"polarized\""]


def _ranked(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lowest converged row of each phase, in the order of energy."""
    best: dict[str, dict[str, Any]] = {}
    for row in sorted((r for r in rows if r["status"] == Status.converged), key=lambda r: float(r["energy"])):
        best.setdefault(row["phase"], row)
    return list(best.values())


def paper_label(variance: dict[str, float | None]) -> str:
    """The phase by the paper's cuts of the momentum variance, meant for N = 36 (Nashabeh & Fu, Fig. S4)."""
    crystal = [name for name, cut in PAPER_CUTS.items() if (variance.get(name) or 0.0) > cut]
    return {(): "liquid", ("electron",): "electron-crystal", ("hole",): "hole-crystal"}.get(tuple(crystal), "crystal")


def _result(candidates: Sequence[Candidate], rows: list[dict[str, Any]], data: dict[str, Variable],
            stopped: Status | None) -> Result:
    first = candidates[0]
    area = first.basis.box.area
    judged = judge(rows)
    left = {c.name: "not computed" for c in candidates} | {r["name"]: r["status"] for r in rows}
    reason = ", ".join(f"{name}: {end}" for name, end in left.items() if end != Status.converged)
    if reason:  # what has not converged may yet win
        judged |= {"resolved": False, "reason": reason}
    status = stopped or (Status.not_converged if reason else Status.converged)
    for row in rows:
        row["paper_label"] = paper_label(row["momentum_variance"]) if row["name"] != "condensate" else "condensate"
    summary = {"energies": {r["name"]: r["energy"] for r in rows}, "statuses": {r["name"]: r["status"] for r in rows},
               "ended_as": {r["name"]: r["phase"] for r in rows}, **judged, "energy": _lowest(rows),
               "saddles": [r["name"] for r in rows if r["saddle"]], "cautions": cautions(candidates, rows),
               "candidates": rows, "particles": {s.name: s.count for s in first.torus.species}, "area": area,
               "zero_mode": first.torus.zero_mode}
    table = {"candidate_energy": Variable(("candidate",), np.array([r["energy"] for r in rows], dtype=float), "Ha_h",
                                          "energy per hole"),
             "candidate_name": Variable(("candidate",), np.array([r["name"] for r in rows], dtype=str), "1", "phase")}
    inputs = {"spacing": first.torus.bilayer.spacing, "interaction": first.torus.bilayer.interaction.parameters,
              "zero_mode": first.torus.zero_mode,
              "capacitor": first.torus.capacitor, "box": first.basis.box.vectors.tolist(),
              "species": [s.parameters for s in first.torus.species]}
    return Record("phases", status, summary, inputs, (table if rows else {}) | data)


def _lowest(rows: list[dict[str, Any]]) -> float | None:
    """Energy per hole of the winner."""
    return min((float(r["energy"]) for r in rows if r["status"] == Status.converged), default=None)
