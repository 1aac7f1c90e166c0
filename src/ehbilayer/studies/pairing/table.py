"""What `ehb run` and `ehb show` print of a pairing result."""

from __future__ import annotations

from ehbilayer.pairing.result import CouplingLevel, MediatedPairingResult, PairingMapResult, PairingResult
from ehbilayer.studies.text import energy_text, status_row, time_row

NAMES = {"bcs": "the published formula"}
NONADIABATIC = 0.3  # T_D/T_F above which theories that need slow plasmons are doubtful
SWEPT = ("critical_temperature", "alpha_squared", "lambda", "gap")  # what a sweep shows first


def rows(result: PairingResult | PairingMapResult | MediatedPairingResult) -> list[tuple[str, str]]:
    """Label and text, of a point or of a map; empty lines left out."""
    if isinstance(result, MediatedPairingResult):
        return [status_row(result), *_mediated(result), time_row(result)]
    found = _point(result) if isinstance(result, PairingResult) else _map(result)
    return [status_row(result), *(row for row in found if row[1]), time_row(result)]


def temperature_text(kelvin: float | None, hartree: float | None) -> str:
    """A temperature in K, or in T_H^e where the device is not known; empty for None."""
    if kelvin is not None:
        return f"{kelvin:.5g} K"
    return "" if hartree is None else f"{hartree:.5g} T_H^e"


def _mediated(result: MediatedPairingResult) -> list[tuple[str, str]]:
    """One verdict, and all theories."""
    found = [("T_c", f"not known: {result.reason}")] if result.reason else []
    if result.superconducting is not None:
        pairing = [level.theory for level in result.levels if level.tc_over_hartree]
        spread = "; no theory here pairs" if not pairing else f"; T_c > 0 by {', '.join(pairing)}"
        verdict = temperature_text(result.critical_temperature, result.tc_over_hartree) if result.superconducting else (
            "none: the holes add less attraction than repulsion takes")
        found.append(("T_c", f"{verdict} ({result.coupling}){spread}"))
    for level in result.levels:
        if not level.stable:
            holes = "crystal" if level.theory.startswith("crystal") else "liquid"
            found.append((f"  {level.theory}", f"mu {level.mu:.4f}; no stable {holes} of holes"))
            continue
        t_c = temperature_text(level.critical_temperature, level.tc_over_hartree) if level.tc_over_hartree else "none"
        found.append((f"  {level.theory}", f"lambda {level.lam:.4f}, mu {level.mu:.4f}, mu* {level.mu_star:.4f}, "
                                           f"T_c {t_c}" + _spread(level)))
    return found


def _spread(level: CouplingLevel) -> str:
    """T_c of electrons that screen in time, over the cut-offs of their repulsion."""
    ends = level.by_cutoff or {}
    if not any(ends.values()):
        return ""
    return f"; electrons in time {min(ends.values()):.3g} to {max(ends.values()):.3g} T_H^e"


def _point(result: PairingResult) -> list[tuple[str, str]]:
    if result.alpha_squared is None:  # stopped before it began
        return []
    doubt = result.alpha_squared_uncertainty
    uncertain = "" if doubt is None else f" +- {doubt:.2g}"
    inside = f"phase {result.phase}" if result.phase else f"r_s* = {result.rs_star:g}"
    found = [("phase", f"{'inside' if result.in_el_hc else 'NOT inside'} electron liquid on hole crystal: r_s "
                       f"{result.rs_electron:.5g} (electrons), {result.rs_hole:.5g} (holes), {inside}"),
             ("alpha^2", f"{result.alpha_squared:.6g}{uncertain}, from {result.alpha_source}")]
    if result.g0V is None:
        return [*found, ("T_c", f"none: {result.reason}")]
    over = result.strong_coupling_bound_over_hartree
    above = over is not None and result.tc_over_hartree is not None and result.tc_over_hartree > over
    said = f" ({NAMES.get(result.method, result.method)}" + (", ABOVE the bound below: no T_c)" if above else ")")
    found += [("couplings", f"lambda {result.lam:.5f}, mu {result.mu:.5f}, mu* {result.mu_star:.5f}, "
                            f"g0V {result.g0V:.5f}"),
              ("Debye", temperature_text(result.debye_temperature, result.debye_over_hartree)
               + f", {result.debye_over_fermi:.3g} of the Fermi temperature"),
              ("T_c", temperature_text(result.critical_temperature, result.tc_over_hartree) + said
               + f", {result.tc_over_hartree:.5g} T_H^e" + (f"; {result.reason}" if result.reason else ""))]
    kelvin, reduced = result.by_method or {}, result.by_method_over_hartree or {}
    found += [(f"  {m}", temperature_text(kelvin[m], t) + (f" ({NAMES[m]})" if m in NAMES else ""))
              for m, t in sorted(reduced.items(), key=lambda row: row[0] != "eliashberg")]
    found.append(("at most", temperature_text(result.strong_coupling_bound, result.strong_coupling_bound_over_hartree)
                  + " for any alpha: 0.1827 sqrt(lambda <w^2>)"))
    if result.gap is not None:
        found.append(("gap", energy_text(result.gap) + f", 2 gap/k_B T_c = {result.gap_ratio:.4f}"))
    return found + _doubts(result)


def _doubts(result: PairingResult) -> list[tuple[str, str]]:
    """Error band, spread between readings of the line, sensitivities, cautions."""
    found, ends = [], result.band
    if ends is not None:
        found.append(("band", temperature_text(ends.low, ends.low_over_hartree) + " to "
                      + temperature_text(ends.high, ends.high_over_hartree)
                      + (", or no plasmon at all" if ends.reaches_instability else "")))
    found += [("  or", f"{temperature_text(x.critical_temperature, x.tc_over_hartree)} with alpha^2 = "
                       f"{x.alpha_squared:.4g} ({x.alpha_squared_from})") for x in result.spread]
    if result.sensitivities:
        found.append(("dlnT_c/dln", ", ".join(f"{k.replace('_', ' ')} {v:.3g}" for k, v in result.sensitivities.items()
                                              if v is not None)))
    if (result.debye_over_fermi or 0.0) > NONADIABATIC:
        found.append(("caution", "plasmons are not slow against the electrons"))
    if result.method == "bcs" and (result.lam or 0.0) > 0.5:
        found.append(("caution", "BCS is a weak-coupling formula; see eliashberg"))
    return found


def _map(result: PairingMapResult) -> list[tuple[str, str]]:
    found = [("points", f"{result.done} of {result.points}, method {result.method}, alpha^2 from "
                        f"{result.alpha_source}")]
    if result.share_unstable is not None:
        found.append(("unstable", f"{100 * result.share_unstable:.3g} % of the map has alpha^2 <= 0"))
    if result.highest is not None:
        h = result.highest
        found.append(("highest T_c", f"{temperature_text(h.critical_temperature, h.tc_over_hartree)} = "
                      f"{h.tc_over_hartree:.5g} T_H^e at r_s = {h.rs_electron:.5g}, d = {h.spacing_over_a_e:.4g} a_e"))
    if result.share_superconducting is not None:
        found.append(("pairs", f"{100 * result.share_superconducting:.3g} % of the map"))
    return found
