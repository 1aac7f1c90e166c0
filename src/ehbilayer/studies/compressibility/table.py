"""The table of a result of kind "compressibility"."""

from __future__ import annotations

from ehbilayer.compressibility.result import CompressibilityResult, StateRow
from ehbilayer.studies.text import energy_text, error_text, interaction_rows, status_row, time_row

SWEPT = ("energy", "alpha_squared", "stable")  # what a sweep shows first


def rows(result: CompressibilityResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    if result.alpha_squared is None:  # numbers overflowed
        return [status_row(result), ("alpha^2", "none"), time_row(result)]
    value = f"{result.alpha_squared:+.5f} +- {error_text(result.uncertainty)}"
    where = "for infinitely many particles" if result.extrapolated else f"on this torus, zero mode {result.zero_mode}"
    found = [status_row(result), *(("UNSTABLE", text) for text in result.unstable), ("alpha^2", f"{value} {where}")]
    if result.stable:
        speed = result.derived()["velocity_m_per_s"]
        real = "" if speed is None else f" = {speed:.4g} m/s"
        found += [("alpha", f"{result.alpha:.5f}"), ("plasmon velocity", f"{result.velocity:.6g} a_h Ha_h{real}")]
    if result.capacitor_shift:
        found.append(("capacitor", f"{result.with_capacitor:+.5f} with the geometric energy, "
                                   f"{result.without_capacitor:+.5f} without"))
    found += [("bulk modulus", f"{result.bulk_modulus:.6g} Ha_h/a_h^2"),
              ("pressure", f"{result.pressure:.6g} Ha_h/a_h^2"), ("state", _state_text(result.state)),
              *_symmetric_row(result), ("energy", energy_text(result.total_energy)),
              ("routes", ", ".join(f"{k} {v:+.7f}" for k, v in result.methods.items())),
              ("parts", f"fixed orbitals {result.parts.fixed_orbitals:+.5f}, relaxation "
                        f"{result.parts.relaxation:+.5f}")]
    found += [(f"{r.particles} particles", f"none {r.none:+.5f}, madelung {r.madelung:+.5f}"
               + (f", without the gas' own error {r.corrected:+.5f}" if r.gas is not None else "")
               + ("" if r.status == "converged" else f", {r.status}")) for r in result.by_size]
    return [*found, *_lattice_rows(result),
            ("errors", f"basis {error_text(result.basis_error)} ({result.basis_size} plane waves), solver "
                       f"{error_text(result.solver_error)}"), *interaction_rows(result), time_row(result)]


def _state_text(state: StateRow) -> str:
    kept = "translations of the crystal kept" if state.kept == "symmetric" else "the whole box free"
    shell = ", an open shell filled equally" if state.open_shell else ""
    return f"{state.phase}, {kept}, occupation {state.occupation}{shell}"


def _symmetric_row(result: CompressibilityResult) -> list[tuple[str, str]]:
    if result.symmetric is None:
        return []
    return [("symmetric state", f"alpha^2 {result.symmetric.alpha_squared:+.5f}, "
                                f"{result.symmetric.energy_above:.6g} Ha_h higher")]


def _lattice_rows(result: CompressibilityResult) -> list[tuple[str, str]]:
    """The independent route."""
    if result.lattice is None:
        return []
    return [(f"phonons, {label}", f"B/B_0 {x.bulk:+.4f} with the capacitor, {x.bulk_without_capacitor:+.4f} "
                                  f"without; shear {x.transverse:+.4f}")
            for label, x in (("RPA", result.lattice.none), ("exchange", result.lattice.exchange))]
