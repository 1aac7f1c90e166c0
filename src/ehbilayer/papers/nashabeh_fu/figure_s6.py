"""Nashabeh and Fu, Fig. S6: liquid and electron liquid on a hole crystal with spin-unrestricted electrons."""

from __future__ import annotations

from ehbilayer.papers.densities import CRITICAL, SUPPLEMENT, TRIANGULAR, hartree_fock, maps, over_critical, rs_hole
from ehbilayer.papers.record import Figure, Reproduction, Results, Row, Studies, said

LIQUID, CRYSTAL = "nashabeh-fu-s6-liquid", "nashabeh-fu-s6-crystal"
DENSITIES = {LIQUID: 1.3, CRYSTAL: 0.8}  # n/n*
PHASES = {LIQUID: "liquid", CRYSTAL: "hole-crystal"}


def studies(quick: bool) -> Studies:
    """Both densities from a triangular lattice in both layers, clean and with noise; the lowest is kept."""
    return {name: hartree_fock(3.0, 10.0, over_critical(n), TRIANGULAR, electron_spin="unrestricted", start="crystal",
                               starts=2, tolerance=1e-4 if quick else 1e-6) for name, n in DENSITIES.items()}


def draw(results: Results) -> Figure:
    """Charge, both densities, and the electrons' spin, the denser state above."""
    return maps("unrestricted electrons, d = 3 aₕ, mₕ/mₑ = 10 (Nashabeh and Fu, Fig. S6)",
                {f"n/n* = {n:g}": results[name] for name, n in DENSITIES.items()},
                ("charge", "hole", "electron", "spin"))


def rows(results: Results) -> list[Row]:
    """The phase at both densities, and how far the densities of the liquid are from uniform."""
    found = [said(f"n/n* = {n:g}: {PHASES[name]}", results[name].phase == PHASES[name],
                  str(results[name].phase)) for name, n in DENSITIES.items()]
    values = results[CRYSTAL].data["spin_density_electron"].values
    most = float(abs(values).max() / results[CRYSTAL].density.electron)
    found.append(said("n/n* = 0.8: the electrons have a spin texture", most > 1e-2,
                      f"up to {100 * most:.1f} % of the mean density"))
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    parts = [f"36 polarised holes and 18 + 18 electrons, triangular torus, {results[LIQUID].basis_size} "
             f"waves, zero mode none. {CRITICAL} (r_s* = {results[LIQUID].critical_rs:.3f})."]
    for name, n in DENSITIES.items():
        s = results[name]
        starts = ", ".join(f"{x.energy_per_particle:.5f} ({x.phase})" for x in s.starts)
        parts.append(f"n/n* = {n:g} (r_s = {rs_hole(results[name]):.2f} a_h): from the clean lattice, and with noise, "
                     f"{starts} Ha_h per particle; the lowest is drawn.")
    parts.append("18 electrons per spin leave a shell open, which is why a finite liquid has weak waves of density and "
                 "spin.")
    return " ".join(parts)


FIGURE = Reproduction("nashabeh-fu:s6", "liquid and electron liquid on a hole crystal, unrestricted",
                      f"{SUPPLEMENT}, Fig. S6", studies, draw, rows, caption)
