"""The table of a result of kind "response"."""

from __future__ import annotations

from ehbilayer.response.result import ResponseResult
from ehbilayer.studies.text import energy_text, interaction_rows, status_row, time_row

SWEPT = ("acoustic_velocity", "correlation_energy_per_hole", "least_stability")  # what a sweep shows first
NAMES = {"rpa": "random phase approximation", "hubbard": "Hubbard's exchange of like particles",
         "stls": "local fields of its own pair correlation (STLS)"}


def rows(result: ResponseResult) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    if result.phase == "hole-crystal":
        return _of_crystal(result)
    if result.contact is None:  # stopped before it ended
        return [status_row(result), time_row(result)]
    found = [status_row(result), ("theory", NAMES[result.approximation]),
             ("E_c/hole", energy_text(result.correlation_energy_per_hole)),
             ("energy/hole", energy_text(result.energy_per_hole))]
    found += [(f"v_F, {name}s", f"{v:.6g} a_h Ha_h") for name, v in result.fermi_velocity.items() if v is not None]
    found.append(("acoustic plasmon", _sound(result)))
    for name, value in (("all in step", result.hydrodynamic_velocity), ("heavy alone", result.lattice_velocity)):
        if value is not None:
            found.append((f"  {name}", f"{float(value):.6g} a_h Ha_h, by the stiffness"))
    found += [(f"g(0), {pair}", f"{value:.4g}{' < 0: the theory has failed there' if value < 0 else ''}")
              for pair, value in result.contact.items()]
    word = "stable" if result.stable else "UNSTABLE: a wave of charge or density forms"
    found.append(("static response", f"{word}; least {result.least_stability:.4g} at q = "
                                     f"{result.softest_wave_number:.4g} a_h^-1"))
    rule = result.stiffness
    if rule is not None:
        energy = "" if rule.energy is None else f"; of the energy {float(rule.energy):.6g}"
        found.append(("stiffness", f"{float(rule.response):.6g} Ha_h a_h^2 of the response{energy}"))
    return [*found, *interaction_rows(result), time_row(result)]


def _of_crystal(result: ResponseResult) -> list[tuple[str, str]]:
    """Of electrons above a crystal of holes."""
    across = result.transverse_velocity
    return [status_row(result), ("theory", f"phonons of a hole crystal, electrons: {NAMES[result.approximation]}"),
            ("longitudinal sound", _sound(result)),
            ("transverse sound", "none: it gives way" if across is None else f"{float(across):.6g} a_h Ha_h"),
            ("lattice", "stable" if result.stable else "UNSTABLE: it gives way, see phonons"), time_row(result)]


def _sound(result: ResponseResult) -> str:
    """Velocity and damping, in units of the Fermi velocity of the electrons, or of the first carrier."""
    if result.acoustic_velocity is None:
        return "none"
    name = "electron" if result.fermi_velocity.get("electron") else next(iter(result.fermi_velocity))
    c, damping, unit = result.acoustic_velocity, result.acoustic_damping or 0.0, result.fermi_velocity[name] or 1.0
    decay = f", damping {float(damping / unit):.4g}: it decays into pairs" if damping > 0 else ", undamped"
    return f"{float(c):.6g} a_h Ha_h = {float(c / unit):.5g} v_F of the {name}s{decay}"
